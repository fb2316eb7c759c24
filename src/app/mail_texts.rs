//! The mails of touban: from facts that may travel to subject, text and HTML. To whom and when a mail goes
//! is decided elsewhere; how it is sent, in `ports`.
//!
//! A mail is an open postcard. The facts it is made of are types that hold nothing but the envelope of a
//! request (domain rule C5, tier T0): names of associations, specialties and coarse areas, deadlines, case
//! numbers, links, the office's phone. There is no field for a person, an age or a question.

mod envelope;
mod facts;
mod shape;

pub use envelope::{
    AssociationName, CaseNumber, CoarseArea, DutyLine, Link, Moment, NotEnvelope, OfficePhone, ShortMoment,
    Specialty, TypedCode,
};

pub use facts::{
    Consult, CoverAsk, Deadline, DutyAsk, DutyEnd, Office, PersonalLink, RequestKind, TransferAsk, Urgency,
    Wish,
};

use self::shape::{Line, clipped, html, plain};
use crate::i18n::{Lang, t, t_with};

/// The longest subject, in characters: what a phone shows in two lines.
pub const SUBJECT_MAX_CHARS: usize = 60;

/// A mail ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailText {
    /// One line, at most [`SUBJECT_MAX_CHARS`].
    pub subject: String,
    /// The plain text, lines ended by `\n`.
    pub text: String,
    /// The same lines as a small page: one link, no image, nothing loaded from elsewhere.
    pub html: String,
}

/// A mail of touban: whom it is for, and everything it can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// To a volunteer: will you take this?
    ConsultOffer {
        consult: Consult,
        area: CoarseArea,
        wish: Wish,
        urgency: Urgency,
        deadline: Deadline,
        link: PersonalLink,
    },
    /// To somebody who asked to sign in.
    SignIn { link: PersonalLink },
    /// To somebody of the office who may set up their means of signing in.
    OfficeSetup { link: PersonalLink },
    /// To somebody who lost every means, and to those who watch over it: stop it if it was not them.
    RecoveryNotice { link: PersonalLink },
    /// To the coordinators: a recovery was asked for or stopped. Whose stands on the page.
    RecoveryAlarm { page: Link },
    /// To a person, at the address known before: their number is to change, the office will call back.
    PhoneAsked,
    /// To the same address: the office called back, and the new number counts.
    PhoneChanged,
    /// To the same address: the number stays as it was.
    PhoneDropped,
    /// To the address that was theirs until now: mail goes to another one.
    AddressChanged,
    /// To those who had opened an offer that a colleague then took; to nobody else.
    TakenByAnother { consult: Consult },
    /// To those who were asked, when the asker withdraws.
    Withdrawn { consult: Consult },
    /// To the asker: somebody accepted.
    Accepted { consult: Consult, answer_by: Moment, page: Link },
    /// To the taker, on the registered address: you accepted; if not, call.
    AcceptedReceipt { consult: Consult, answer_by: Moment, page: Link },
    /// To the asker: there is an answer.
    Answered { consult: Consult, page: Link },
    /// To the taker at half time.
    AnswerDue { consult: Consult, answer_by: Deadline, page: Link },
    /// To the taker whose time has passed.
    ReleasedToTaker { consult: Consult },
    /// To the asker whose taker's time has passed.
    ReleasedToAsker { consult: Consult, page: Link },
    /// To the asker: please close.
    CloseReminder { consult: Consult, page: Link },
    /// To the taker: closed, with thanks.
    ClosedWithThanks { consult: Consult, page: Link },
    /// To the coordinator: nobody is left to ask.
    Exhausted { kind: RequestKind, case: CaseNumber, deadline: Moment, page: Link },
    /// To the coordinator: somebody's address does not work. The name stands on the page only.
    Unreachable { page: Link },
    /// To coordinators and officers: no call can come in or go out.
    BridgeDown { page: Link },
    /// To the coordinator: a mail could not be sent.
    DeadMail { kind: RequestKind, case: CaseNumber, page: Link },
    /// To the asker: nobody accepted in time.
    ExpiredToAsker { consult: Consult, page: Link },
    /// To the coordinator: nobody accepted in time.
    ExpiredToCoordinator { kind: RequestKind, case: CaseNumber, deadline: Moment, page: Link },
    /// To the asker who chooses among raised hands.
    ChooseHand { consult: Consult, hands: u8, choose_by: Moment, page: Link },
    /// To a member: does mail arrive?
    Test { link: PersonalLink },
    /// To officers and administrators: what was destroyed at the end of its time, in counts.
    Retention { texts: u32, cases: u32, page: Link },
    /// To the contact of an institution: enrol the device your people share.
    Station { link: PersonalLink },
    /// To whoever looks after an entry of the directory: is it still right?
    EntryReview { link: PersonalLink },
    /// About an urgent call; `what` is a word of `word-call-notice-…`.
    Call { what: &'static str, case: CaseNumber, page: Link },
    /// To a person of the rota: your duties, or what changed of them. Nobody else's.
    RotaPublished { short: ShortMoment, period: Moment, duties: Vec<DutyLine>, more: usize, page: Link },
    /// To a person of the rota: your duty is near.
    DutyReminder { short: ShortMoment, duty: DutyLine, page: Link },
    /// To the coordinator: hours that nobody holds.
    RotaHoles { short: ShortMoment, period: Moment, count: u32, holes: Vec<DutyLine>, page: Link },
    /// To the coordinator: institutions short of their 24-hour turns. Which ones stands on the page only.
    TurnsShort { period: Moment, institutions: u32, page: Link },
    /// To a person of the rota: what do you wish for?
    WishAsk { period: Moment, deadline: Deadline, link: PersonalLink },
    /// To somebody whose report or confirmation a month of the ledger waits for.
    LedgerChase { case: CaseNumber, period: Moment, count: u32, page: Link },
    /// About a duty of the rota, to one who is asked. Who else it concerns stands on the page only.
    DutyAsk { ask: DutyAsk, case: CaseNumber, begins: Deadline, answer_by: Moment, link: PersonalLink },
    /// To everybody whom it concerns: a duty changed hands.
    DutyChanged { case: CaseNumber, begins: Deadline, page: Link },
    /// To the deputy: you are the primary now.
    DutyMovedUp { case: CaseNumber, begins: Deadline, page: Link },
    /// To who is on beside somebody who fell ill, and to the coordinators.
    DutyIll { case: CaseNumber, begins: Deadline, page: Link },
    /// To everybody whom it concerns: a change was undone.
    DutyUndone { case: CaseNumber, begins: Deadline, page: Link },
    /// To one who is asked to cover a clinic, for one or several slots. Whose clinic stands on the page only.
    CoverAsk {
        ask: CoverAsk,
        case: CaseNumber,
        area: CoarseArea,
        slots: u32,
        begins: Deadline,
        link: PersonalLink,
    },
    /// To somebody of tonight's chain: can you be reached?
    TonightAsk { link: PersonalLink },
    /// To the coordinators, before the night; `what` is a word of `word-tonight-…`.
    TonightAlarm { what: &'static str, page: Link },
    /// About a cover; `what` is a word of `word-cover-notice-…`.
    Cover { what: &'static str, case: CaseNumber, begins: Deadline, page: Link },
    /// About night cards; `what` is a word of `word-card-notice-…`. Whose they are stands on the page only.
    Card { what: &'static str, count: u32, page: Link },
    /// To the attending doctor, the officer or a clinic: about a patient who may be handed over. Whose, and who asks,
    /// stands on the page only.
    TransferAsk {
        ask: TransferAsk,
        case: CaseNumber,
        area: CoarseArea,
        answer_by: Moment,
        link: PersonalLink,
    },
    /// About a transfer; `what` is a word of `word-transfer-notice-…`.
    Transfer { what: &'static str, case: CaseNumber, page: Link },
    /// To who asked, was asked or had agreed: nothing comes of it.
    DutyEnded { end: DutyEnd, case: CaseNumber, begins: Deadline, page: Link },
}

/// The kind of a mail, for rows and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailKind {
    ConsultOffer,
    SignIn,
    OfficeSetup,
    RecoveryNotice,
    RecoveryAlarm,
    PhoneAsked,
    PhoneChanged,
    PhoneDropped,
    AddressChanged,
    TakenByAnother,
    Withdrawn,
    Accepted,
    AcceptedReceipt,
    Answered,
    AnswerDue,
    ReleasedToTaker,
    ReleasedToAsker,
    CloseReminder,
    ClosedWithThanks,
    Exhausted,
    Unreachable,
    BridgeDown,
    DeadMail,
    ExpiredToAsker,
    ExpiredToCoordinator,
    ChooseHand,
    Test,
    Retention,
    Station,
    EntryReview,
    Call,
    RotaPublished,
    DutyReminder,
    RotaHoles,
    TurnsShort,
    WishAsk,
    LedgerChase,
    DutyAsk,
    DutyChanged,
    DutyMovedUp,
    DutyIll,
    DutyUndone,
    DutyEnded,
    CoverAsk,
    Cover,
    Card,
    TonightAsk,
    TonightAlarm,
    TransferAsk,
    Transfer,
}

/// The texts of a kind: `mail-STEM-subject`, `mail-STEM-1` … and, where there is a link, `mail-STEM-button`.
#[derive(Clone, Copy, Debug)]
struct Form {
    word: &'static str,
    stem: &'static str,
    lines_before_link: u8,
    lines_after_link: u8,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 50] = [
        Self::ConsultOffer,
        Self::SignIn,
        Self::OfficeSetup,
        Self::RecoveryNotice,
        Self::RecoveryAlarm,
        Self::PhoneAsked,
        Self::PhoneChanged,
        Self::PhoneDropped,
        Self::AddressChanged,
        Self::TakenByAnother,
        Self::Withdrawn,
        Self::Accepted,
        Self::AcceptedReceipt,
        Self::Answered,
        Self::AnswerDue,
        Self::ReleasedToTaker,
        Self::ReleasedToAsker,
        Self::CloseReminder,
        Self::ClosedWithThanks,
        Self::Exhausted,
        Self::Unreachable,
        Self::BridgeDown,
        Self::DeadMail,
        Self::ExpiredToAsker,
        Self::ExpiredToCoordinator,
        Self::ChooseHand,
        Self::Test,
        Self::Retention,
        Self::Station,
        Self::EntryReview,
        Self::Call,
        Self::RotaPublished,
        Self::DutyReminder,
        Self::RotaHoles,
        Self::TurnsShort,
        Self::WishAsk,
        Self::LedgerChase,
        Self::DutyAsk,
        Self::DutyChanged,
        Self::DutyMovedUp,
        Self::DutyIll,
        Self::DutyUndone,
        Self::DutyEnded,
        Self::CoverAsk,
        Self::Cover,
        Self::Card,
        Self::TonightAsk,
        Self::TonightAlarm,
        Self::TransferAsk,
        Self::Transfer,
    ];

    const fn form(self) -> Form {
        const fn form(word: &'static str, stem: &'static str, before: u8, after: u8) -> Form {
            Form { word, stem, lines_before_link: before, lines_after_link: after }
        }
        match self {
            Self::ConsultOffer => form("consult_offer", "consult-offer", 3, 1),
            Self::SignIn => form("sign_in", "sign-in", 1, 1),
            Self::OfficeSetup => form("office_setup", "office-setup", 2, 1),
            Self::RecoveryNotice => form("recovery_notice", "recovery", 3, 1),
            Self::RecoveryAlarm => form("recovery_alarm", "recovery-alarm", 2, 0),
            Self::PhoneAsked => form("phone_asked", "phone-asked", 3, 0),
            Self::PhoneChanged => form("phone_changed", "phone-changed", 2, 0),
            Self::PhoneDropped => form("phone_dropped", "phone-dropped", 2, 0),
            Self::AddressChanged => form("address_changed", "address-changed", 2, 0),
            Self::TakenByAnother => form("taken_by_another", "taken", 2, 0),
            Self::Withdrawn => form("withdrawn", "withdrawn", 2, 0),
            Self::Accepted => form("accepted", "accepted", 2, 0),
            Self::AcceptedReceipt => form("accepted_receipt", "receipt", 2, 2),
            Self::Answered => form("answered", "answered", 2, 0),
            Self::AnswerDue => form("answer_due", "answer-due", 2, 1),
            Self::ReleasedToTaker => form("released_to_taker", "released-taker", 3, 0),
            Self::ReleasedToAsker => form("released_to_asker", "released-asker", 2, 0),
            Self::CloseReminder => form("close_reminder", "close-reminder", 2, 0),
            Self::ClosedWithThanks => form("closed_with_thanks", "closed", 2, 0),
            Self::Exhausted => form("exhausted", "exhausted", 3, 0),
            Self::Unreachable => form("unreachable", "unreachable", 2, 0),
            Self::BridgeDown => form("bridge_down", "bridge-down", 2, 0),
            Self::DeadMail => form("dead_mail", "dead", 2, 0),
            Self::ExpiredToAsker => form("expired_to_asker", "expired-asker", 2, 0),
            Self::ExpiredToCoordinator => form("expired_to_coordinator", "expired-coordinator", 2, 0),
            Self::ChooseHand => form("choose_hand", "choose", 2, 0),
            Self::Test => form("test", "test", 2, 0),
            Self::Retention => form("retention", "retention", 2, 1),
            Self::Station => form("station", "station", 2, 1),
            Self::EntryReview => form("entry_review", "entry-review", 2, 1),
            Self::Call => form("call", "call", 2, 0),
            Self::RotaPublished => form("rota_published", "rota-published", 2, 1),
            Self::DutyReminder => form("duty_reminder", "duty-reminder", 1, 1),
            Self::RotaHoles => form("rota_holes", "rota-holes", 1, 0),
            Self::TurnsShort => form("turns_short", "turns-short", 2, 0),
            Self::WishAsk => form("wish_ask", "wish-ask", 2, 1),
            Self::LedgerChase => form("ledger_chase", "ledger-chase", 2, 1),
            Self::DutyAsk => form("duty_ask", "duty-ask", 3, 1),
            Self::DutyChanged => form("duty_changed", "duty-changed", 2, 1),
            Self::DutyMovedUp => form("duty_moved_up", "duty-moved-up", 3, 1),
            Self::DutyIll => form("duty_ill", "duty-ill", 2, 0),
            Self::DutyUndone => form("duty_undone", "duty-undone", 2, 0),
            Self::DutyEnded => form("duty_ended", "duty-ended", 2, 0),
            Self::CoverAsk => form("cover_ask", "cover-ask", 3, 1),
            Self::Cover => form("cover", "cover", 2, 0),
            Self::Card => form("card", "card", 2, 0),
            Self::TonightAsk => form("tonight_ask", "tonight-ask", 2, 1),
            Self::TonightAlarm => form("tonight_alarm", "tonight-alarm", 2, 0),
            Self::TransferAsk => form("transfer_ask", "transfer-ask", 3, 1),
            Self::Transfer => form("transfer", "transfer", 2, 0),
        }
    }

    /// The kind as it stands in rows and counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.form().word
    }

    /// Reads [`MailKind::as_str`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Mail {
    /// Which kind of mail this is.
    #[must_use]
    pub const fn kind(&self) -> MailKind {
        match self {
            Self::ConsultOffer { .. } => MailKind::ConsultOffer,
            Self::SignIn { .. } => MailKind::SignIn,
            Self::OfficeSetup { .. } => MailKind::OfficeSetup,
            Self::RecoveryNotice { .. } => MailKind::RecoveryNotice,
            Self::RecoveryAlarm { .. } => MailKind::RecoveryAlarm,
            Self::PhoneAsked => MailKind::PhoneAsked,
            Self::PhoneChanged => MailKind::PhoneChanged,
            Self::PhoneDropped => MailKind::PhoneDropped,
            Self::AddressChanged => MailKind::AddressChanged,
            Self::TakenByAnother { .. } => MailKind::TakenByAnother,
            Self::Withdrawn { .. } => MailKind::Withdrawn,
            Self::Accepted { .. } => MailKind::Accepted,
            Self::AcceptedReceipt { .. } => MailKind::AcceptedReceipt,
            Self::Answered { .. } => MailKind::Answered,
            Self::AnswerDue { .. } => MailKind::AnswerDue,
            Self::ReleasedToTaker { .. } => MailKind::ReleasedToTaker,
            Self::ReleasedToAsker { .. } => MailKind::ReleasedToAsker,
            Self::CloseReminder { .. } => MailKind::CloseReminder,
            Self::ClosedWithThanks { .. } => MailKind::ClosedWithThanks,
            Self::Exhausted { .. } => MailKind::Exhausted,
            Self::Unreachable { .. } => MailKind::Unreachable,
            Self::BridgeDown { .. } => MailKind::BridgeDown,
            Self::DeadMail { .. } => MailKind::DeadMail,
            Self::ExpiredToAsker { .. } => MailKind::ExpiredToAsker,
            Self::ExpiredToCoordinator { .. } => MailKind::ExpiredToCoordinator,
            Self::ChooseHand { .. } => MailKind::ChooseHand,
            Self::Test { .. } => MailKind::Test,
            Self::Retention { .. } => MailKind::Retention,
            Self::Station { .. } => MailKind::Station,
            Self::EntryReview { .. } => MailKind::EntryReview,
            Self::Call { .. } => MailKind::Call,
            Self::RotaPublished { .. } => MailKind::RotaPublished,
            Self::DutyReminder { .. } => MailKind::DutyReminder,
            Self::RotaHoles { .. } => MailKind::RotaHoles,
            Self::TurnsShort { .. } => MailKind::TurnsShort,
            Self::WishAsk { .. } => MailKind::WishAsk,
            Self::LedgerChase { .. } => MailKind::LedgerChase,
            Self::DutyAsk { .. } => MailKind::DutyAsk,
            Self::DutyChanged { .. } => MailKind::DutyChanged,
            Self::DutyMovedUp { .. } => MailKind::DutyMovedUp,
            Self::DutyIll { .. } => MailKind::DutyIll,
            Self::DutyUndone { .. } => MailKind::DutyUndone,
            Self::DutyEnded { .. } => MailKind::DutyEnded,
            Self::CoverAsk { .. } => MailKind::CoverAsk,
            Self::Cover { .. } => MailKind::Cover,
            Self::Card { .. } => MailKind::Card,
            Self::TonightAsk { .. } => MailKind::TonightAsk,
            Self::TonightAlarm { .. } => MailKind::TonightAlarm,
            Self::TransferAsk { .. } => MailKind::TransferAsk,
            Self::Transfer { .. } => MailKind::Transfer,
        }
    }

    /// The mail in the reader's language.
    #[must_use]
    pub fn render(&self, office: &Office, lang: Lang) -> MailText {
        let mut letter = Letter::new(self.kind().form(), office, lang);
        match self {
            Self::ConsultOffer { consult, area, wish, urgency, deadline, link } => letter
                .about(consult)
                .with("area", area.as_str())
                .with("wish", &t(lang, wish.key()))
                .with("urgency", &t(lang, urgency.key()))
                .with("short", deadline.short.as_str())
                .with("deadline", deadline.full.as_str())
                .personal(link),
            Self::SignIn { link }
            | Self::OfficeSetup { link }
            | Self::RecoveryNotice { link }
            | Self::Test { link }
            | Self::Station { link }
            | Self::EntryReview { link }
            | Self::TonightAsk { link } => letter.personal(link),
            Self::TonightAlarm { what, page } => {
                letter.with("what", &t(lang, &format!("word-tonight-{what}"))).page(page)
            }
            Self::Call { what, case, page } => letter
                .with("case", case.as_str())
                .with("what", &t(lang, &format!("word-call-notice-{what}")))
                .with("todo", &t(lang, &format!("word-call-todo-{what}")))
                .page(page),
            Self::TakenByAnother { consult }
            | Self::Withdrawn { consult }
            | Self::ReleasedToTaker { consult } => letter.about(consult).without_link(),
            Self::Accepted { consult, answer_by, page }
            | Self::AcceptedReceipt { consult, answer_by, page } => {
                letter.about(consult).with("deadline", answer_by.as_str()).page(page)
            }
            Self::Answered { consult, page }
            | Self::ReleasedToAsker { consult, page }
            | Self::CloseReminder { consult, page }
            | Self::ClosedWithThanks { consult, page }
            | Self::ExpiredToAsker { consult, page } => letter.about(consult).page(page),
            Self::AnswerDue { consult, answer_by, page } => letter
                .about(consult)
                .with("short", answer_by.short.as_str())
                .with("deadline", answer_by.full.as_str())
                .page(page),
            Self::Exhausted { kind, case, deadline, page }
            | Self::ExpiredToCoordinator { kind, case, deadline, page } => letter
                .with("kind", &t(lang, kind.key()))
                .with("case", case.as_str())
                .with("deadline", deadline.as_str())
                .page(page),
            Self::Unreachable { page } | Self::BridgeDown { page } | Self::RecoveryAlarm { page } => {
                letter.page(page)
            }
            Self::PhoneAsked | Self::PhoneChanged | Self::PhoneDropped | Self::AddressChanged => {
                letter.without_link()
            }
            Self::Retention { texts, cases, page } => {
                letter.with("texts", &texts.to_string()).with("cases", &cases.to_string()).page(page)
            }
            Self::DeadMail { kind, case, page } => {
                letter.with("kind", &t(lang, kind.key())).with("case", case.as_str()).page(page)
            }
            Self::DutyAsk { ask, case, begins, answer_by, link } => letter
                .with("ask", &t(lang, ask.key()))
                .of_duty(case, begins)
                .with("deadline", answer_by.as_str())
                .personal(link),
            Self::CoverAsk { ask, case, area, slots, begins, link } => letter
                .with("ask", &t(lang, ask.key()))
                .with("area", area.as_str())
                .with("count", &slots.to_string())
                .of_duty(case, begins)
                .personal(link),
            Self::Cover { what, case, begins, page } => letter
                .with("what", &t(lang, &format!("word-cover-notice-{what}")))
                .with("todo", &t(lang, &format!("word-cover-todo-{what}")))
                .of_duty(case, begins)
                .page(page),
            Self::TransferAsk { ask, case, area, answer_by, link } => letter
                .with("ask", &t(lang, ask.key()))
                .with("todo", &t(lang, ask.todo()))
                .with("area", area.as_str())
                .with("case", case.as_str())
                .with("deadline", answer_by.as_str())
                .personal(link),
            Self::Transfer { what, case, page } => letter
                .with("kind", &t(lang, kind_of(what)))
                .with("what", &t(lang, &format!("word-transfer-notice-{what}")))
                .with("todo", &t(lang, &format!("word-transfer-todo-{what}")))
                .with("case", case.as_str())
                .page(page),
            Self::Card { what, count, page } => letter
                .with("what", &t(lang, &format!("word-card-notice-{what}")))
                .with(
                    "todo",
                    &t_with(lang, &format!("word-card-todo-{what}"), &[("count", &count.to_string())]),
                )
                .page(page),
            Self::DutyChanged { case, begins, page }
            | Self::DutyMovedUp { case, begins, page }
            | Self::DutyIll { case, begins, page }
            | Self::DutyUndone { case, begins, page } => letter.of_duty(case, begins).page(page),
            Self::DutyEnded { end, case, begins, page } => {
                letter.with("end", &t(lang, end.key())).of_duty(case, begins).page(page)
            }
            Self::ChooseHand { consult, hands, choose_by, page } => letter
                .about(consult)
                .with("count", &hands.to_string())
                .with("deadline", choose_by.as_str())
                .page(page),
            Self::RotaPublished { short, period, duties, more, page } => letter
                .with("short", short.as_str())
                .with("period", period.as_str())
                .listed(duties, *more, page),
            Self::DutyReminder { short, duty, page } => {
                letter.with("short", short.as_str()).listed(std::slice::from_ref(duty), 0, page)
            }
            Self::RotaHoles { short, period, count, holes, page } => {
                let more = usize::try_from(*count).unwrap_or(usize::MAX).saturating_sub(holes.len());
                letter
                    .with("short", short.as_str())
                    .with("period", period.as_str())
                    .with("count", &count.to_string())
                    .listed(holes, more, page)
            }
            Self::TurnsShort { period, institutions, page } => {
                letter.with("period", period.as_str()).with("count", &institutions.to_string()).page(page)
            }
            Self::LedgerChase { case, period, count, page } => letter
                .with("case", case.as_str())
                .with("period", period.as_str())
                .with("count", &count.to_string())
                .page(page),
            Self::WishAsk { period, deadline, link } => letter
                .with("period", period.as_str())
                .with("short", deadline.short.as_str())
                .with("deadline", deadline.full.as_str())
                .personal(link),
        }
    }
}

/// What a mail about a transfer, or about a message to an attending doctor, is about.
fn kind_of(what: &str) -> &'static str {
    if what.starts_with("contact_") { "word-contact-kind" } else { "word-transfer-kind" }
}

/// A mail being put together.
#[derive(Debug)]
struct Letter {
    form: Form,
    lang: Lang,
    values: Vec<(&'static str, String)>,
    lines: Vec<Line>,
}

impl Letter {
    fn new(form: Form, office: &Office, lang: Lang) -> Self {
        let values = vec![
            ("association", office.association.as_str().to_owned()),
            ("phone", office.phone.as_str().to_owned()),
        ];
        Self { form, lang, values, lines: Vec::new() }
    }

    fn with(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.values.push((name, value.to_owned()));
        self
    }

    fn about(&mut self, consult: &Consult) -> &mut Self {
        self.with("case", consult.case.as_str()).with("specialty", consult.specialty.as_str())
    }

    fn of_duty(&mut self, case: &CaseNumber, begins: &Deadline) -> &mut Self {
        self.with("case", case.as_str())
            .with("short", begins.short.as_str())
            .with("begins", begins.full.as_str())
    }

    fn say(&self, key: &str) -> String {
        let values: Vec<(&str, &str)> =
            self.values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        t_with(self.lang, key, &values)
    }

    fn own(&self, part: &str) -> String {
        self.say(&format!("mail-{}-{part}", self.form.stem))
    }

    fn words(&mut self, numbers: std::ops::RangeInclusive<u8>) {
        for number in numbers {
            let words = self.own(&number.to_string());
            self.lines.push(Line::Words(words));
        }
    }

    fn personal(&mut self, link: &PersonalLink) -> MailText {
        self.with("until", link.until.as_str())
            .with("code", link.code.as_str())
            .with("place", link.link.place());
        let (until, code) = (self.say("mail-until"), self.say("mail-code"));
        self.linked(&link.link, [until, code])
    }

    fn page(&mut self, page: &Link) -> MailText {
        self.linked(page, [])
    }

    /// With lines of duties above the button.
    fn listed(&mut self, duties: &[DutyLine], more: usize, page: &Link) -> MailText {
        let mut lines: Vec<String> = duties.iter().map(|duty| duty.as_str().to_owned()).collect();
        if more > 0 {
            lines.push(t_with(self.lang, "word-rota-more", &[("count", &more.to_string())]));
        }
        self.whole(&lines, page, [])
    }

    fn linked<const N: usize>(&mut self, link: &Link, below: [String; N]) -> MailText {
        self.whole(&[], link, below)
    }

    fn whole<const N: usize>(&mut self, listed: &[String], link: &Link, below: [String; N]) -> MailText {
        let before = self.form.lines_before_link;
        self.words(1..=before);
        self.lines.extend(listed.iter().cloned().map(Line::Words));
        let button = Line::Button { label: self.own("button"), url: link.expose().to_owned() };
        self.lines.push(button);
        self.lines.extend(below.map(Line::Words));
        self.words(before + 1..=before + self.form.lines_after_link);
        self.finish()
    }

    fn without_link(&mut self) -> MailText {
        self.words(1..=self.form.lines_before_link);
        self.finish()
    }

    fn finish(&mut self) -> MailText {
        let foot = self.say("mail-not-urgent");
        self.lines.push(Line::Words(foot));
        let subject = clipped(self.own("subject"));
        MailText { text: plain(&self.lines), html: html(&subject, &self.lines, self.lang), subject }
    }
}

#[cfg(test)]
mod tests;
