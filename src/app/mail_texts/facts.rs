//! The facts that mails are made of beside the envelope's words: who speaks, what is asked, how it ended.
//! What a mail says of them stands one level up.

use super::envelope::{
    AssociationName, CaseNumber, Link, Moment, OfficePhone, ShortMoment, Specialty, TypedCode,
};

/// The office that speaks: at the foot of every mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    pub association: AssociationName,
    pub phone: OfficePhone,
}

/// A consult as it may be named in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consult {
    pub case: CaseNumber,
    pub specialty: Specialty,
}

/// When something is due, for the reader's language and zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// For the subject: 明日正午, `noon tomorrow`.
    pub short: ShortMoment,
    /// For the text: 11月21日（土）正午.
    pub full: Moment,
}

/// A link made for one person and one purpose, and what to type where it does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalLink {
    pub link: Link,
    pub code: TypedCode,
    pub until: Moment,
}

/// What the asker wishes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Advice,
    Visit,
    Either,
}

/// How pressing a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    Routine,
    /// Today or tomorrow.
    Soon,
    /// Goes by phone; a mail only accompanies it.
    Urgent,
}

/// What kind of help is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    Consult,
    Cover,
    Transfer,
    Urgent,
    Swap,
    /// A message to an attending doctor.
    Contact,
}

/// What somebody is asked about a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyAsk {
    /// The office typed in that you give yours: is that so?
    Own,
    /// Will you take a colleague's?
    Give,
    /// Will you take a colleague's for yours?
    Exchange,
    /// Who can take a colleague's?
    Call,
    /// Who can fill what nobody holds?
    Hole,
    /// A change that needs your word.
    Approve,
}

/// As what somebody is asked to cover a clinic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverAsk {
    /// Can you cover these hours?
    Volunteer,
    /// You are on duty then: please acknowledge it.
    Duty,
    /// Can the pillar that you answer for take them?
    Pillar,
}

/// As what somebody is asked about a patient who may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferAsk {
    /// Your patient: do you agree?
    Attending,
    /// The attending doctor was silent: please decide.
    Officer,
    /// Can you take the patient over?
    Receiver,
    /// A message about your patient.
    Message,
    /// A message that the attending doctor has not answered.
    Unanswered,
}

/// How asking about a duty ended without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyEnd {
    Taken,
    Withdrawn,
    Refused,
    Expired,
    Void,
}

impl Wish {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Advice => "mail-wish-advice",
            Self::Visit => "mail-wish-visit",
            Self::Either => "mail-wish-either",
        }
    }
}

impl Urgency {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Routine => "mail-urgency-routine",
            Self::Soon => "mail-urgency-soon",
            Self::Urgent => "mail-urgency-urgent",
        }
    }
}

impl DutyAsk {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Own => "mail-duty-own",
            Self::Give => "mail-duty-give",
            Self::Exchange => "mail-duty-exchange",
            Self::Call => "mail-duty-call",
            Self::Hole => "mail-duty-hole",
            Self::Approve => "mail-duty-approve",
        }
    }
}

impl DutyEnd {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Taken => "mail-duty-end-taken",
            Self::Withdrawn => "mail-duty-end-withdrawn",
            Self::Refused => "mail-duty-end-refused",
            Self::Expired => "mail-duty-end-expired",
            Self::Void => "mail-duty-end-void",
        }
    }
}

impl CoverAsk {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Volunteer => "word-cover-ask-volunteer",
            Self::Duty => "word-cover-ask-duty",
            Self::Pillar => "word-cover-ask-pillar",
        }
    }
}

impl TransferAsk {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Attending => "word-transfer-ask-attending",
            Self::Officer => "word-transfer-ask-officer",
            Self::Receiver => "word-transfer-ask-receiver",
            Self::Message => "word-contact-ask-attending",
            Self::Unanswered => "word-contact-ask-officer",
        }
    }

    pub(super) const fn todo(self) -> &'static str {
        match self {
            Self::Attending => "word-transfer-ask-todo-attending",
            Self::Officer => "word-transfer-ask-todo-officer",
            Self::Receiver => "word-transfer-ask-todo-receiver",
            Self::Message => "word-contact-ask-todo-attending",
            Self::Unanswered => "word-contact-ask-todo-officer",
        }
    }
}

impl RequestKind {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Consult => "mail-kind-consult",
            Self::Cover => "mail-kind-cover",
            Self::Transfer => "mail-kind-transfer",
            Self::Urgent => "mail-kind-urgent",
            Self::Swap => "mail-kind-swap",
            Self::Contact => "word-contact-kind",
        }
    }
}
