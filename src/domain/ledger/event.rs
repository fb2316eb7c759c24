//! What is recorded of an event when it completes: ids, codes and times; no names, no words of doctors.
//! Everything a tariff may ask about later must stand here, because the rest of the world moves on.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::{BandFacts, Calendar, CaseNo, CivilDate, TimeBand, civil_day};
use crate::domain::rota::{Area, RotaRole, SlotKey};
use crate::ids::{AssociationId, CallId, InstitutionId, MemberId, RequestId};
use crate::time::Millis;

/// The version of [`CompletedEvent`] written now. Later versions add fields, with a default for what was
/// recorded before; they never change what a field means.
pub const FACTS_VERSION: u16 = 1;

/// A short code of the association's configuration: 1 to 64 of ASCII letters, digits, `_ - . :`. Narrow on
/// purpose: neither a name nor a clinical remark fits into it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has 1 to 64 ASCII letters, digits or `_ - . :`")]
pub struct NotACode;

impl Code {
    /// The text of the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'));
        if fits && (1..=64).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(NotACode) }
    }
}

impl TryFrom<String> for Code {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Enums whose variants have a stable text in data and tariffs.
macro_rules! coded {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable text of the value in data.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The value with this text.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    )*};
}
pub(super) use coded;

coded! {
    /// What happened. Duty held, called or not (待機), has no second side; see [`super::StandbyEvent`].
    EventKind {
        /// 夜間代行
        Cover = "cover",
        /// 専門相談
        Consult = "consult",
        /// 引継ぎ
        Transfer = "transfer",
        /// 緊急連絡
        UrgentCall = "urgent_call",
        /// 往診
        Visit = "visit",
        /// 待機
        Standby = "standby",
    }

    /// How soon help was wanted.
    Urgency {
        /// Now, by phone.
        Urgent = "urgent",
        /// Today or tomorrow.
        Soon = "soon",
        /// Within days.
        Routine = "routine",
    }

    /// The way by which a request or an acceptance came in.
    Channel {
        Web = "web",
        MailLink = "mail_link",
        Keypad = "keypad",
        Fax = "fax",
        /// Typed by the office for somebody.
        Clerk = "clerk",
        Api = "api",
    }

    /// What came of trying one person once.
    AttemptResult {
        Accepted = "accepted",
        Declined = "declined",
        /// Accepted and given back.
        Released = "released",
        NoAnswer = "no_answer",
        Busy = "busy",
        Voicemail = "voicemail",
        /// A wrong PIN, or none.
        NotProved = "not_proved",
        /// The mail bounced or the line was dead.
        Undeliverable = "undeliverable",
        Lapsed = "lapsed",
        /// Called off because somebody else had accepted or the request was withdrawn.
        CalledOff = "called_off",
    }

    /// The attending doctor's gate (主治医ゲート).
    GateResult {
        NotNeeded = "not_needed",
        Agreed = "agreed",
        /// Urgent: the attending doctor was told and not waited for.
        Informed = "informed",
        /// The attending doctor was silent and an officer decided.
        DecidedByOfficer = "decided_by_officer",
    }

    /// Whether it was meant in earnest.
    Occasion {
        Real = "real",
        /// The nightly check or a test ring.
        Test = "test",
        Training = "training",
    }

    /// Standing with the association on the day of the event.
    Membership {
        Active = "active",
        /// Left, or the fee is unpaid.
        Lapsed = "lapsed",
        Suspended = "suspended",
        /// A nursing station, a contracted company.
        NotAMember = "not_a_member",
    }

    /// The asker's part in the patient's care.
    AskerRole {
        /// 主治医
        Attending = "attending",
        /// 副主治医
        DeputyAttending = "deputy_attending",
        Other = "other",
    }

    /// As what the acceptor was asked.
    OnRotaAs {
        /// 正
        Primary = "primary",
        /// 副
        Deputy = "deputy",
        Backing = "backing",
        /// 手挙げ
        Volunteer = "volunteer",
        /// One of the cover pillars (受け皿).
        Pillar = "pillar",
    }
}

/// What the event was: its identity in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventRef {
    /// A request that was taken. A cover of a weekend is one request per slot.
    Request(RequestId),
    /// An urgent call that was taken.
    Call(CallRef),
    /// A stretch of duty held by one person.
    Duty(DutyRef),
    /// A continuous 24-hour turn of an institution.
    Turn(TurnRef),
}

/// Names an urgent call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallRef {
    pub call: CallId,
    /// What its plan hunted by: the event is kept under it.
    pub request: RequestId,
}

/// Names a stretch of duty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DutyRef {
    pub area: Area,
    pub role: RotaRole,
    /// `None` where the office put somebody there by hours, not by slot.
    pub slot: Option<SlotKey>,
    pub person: MemberId,
    pub from: Millis,
    /// The civil day, where a programme counts the stretch day by day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<CivilDate>,
}

/// Names a continuous 24-hour turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TurnRef {
    pub institution: InstitutionId,
    pub from: Millis,
}

impl EventRef {
    /// The request under which the event was recorded; `None` for duty.
    #[must_use]
    pub const fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Request(id) => Some(id),
            Self::Call(of) => Some(&of.request),
            Self::Duty(_) | Self::Turn(_) => None,
        }
    }

    /// The call that the event was; `None` for everything else.
    #[must_use]
    pub const fn call(&self) -> Option<&CallId> {
        match self {
            Self::Call(of) => Some(&of.call),
            Self::Request(_) | Self::Duty(_) | Self::Turn(_) => None,
        }
    }

    /// The text that stands for the event in a line's identity.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Request(id) => id.api(),
            Self::Call(of) => of.call.api(),
            Self::Duty(duty) => {
                let slot = duty.slot.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
                let day = duty.day.map_or_else(String::new, |day| format!("#{day}"));
                let (role, from) = (duty.role.code(), duty.from.0);
                format!("duty:{}/{slot}/{role}/{}/{from}{day}", duty.area, duty.person)
            }
            Self::Turn(turn) => format!("turn:{}/{}", turn.institution, turn.from.0),
        }
    }
}

/// The instant that decides date and band of an event: its start, else its acceptance, else its making.
#[must_use]
pub fn counting_instant(
    created_at: Millis,
    accepted_at: Option<Millis>,
    started_at: Option<Millis>,
) -> Millis {
    started_at.or(accepted_at).unwrap_or(created_at)
}

/// The instant by which an event counts, and what the association's calendar said of it then. Recorded,
/// not computed again: a calendar corrected later does not move what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// See [`counting_instant`].
    pub at: Millis,
    /// The zone's name in the time zone database.
    pub zone: String,
    /// The civil day of `at` in the zone: each event belongs to its own minute, also on 31 March.
    pub civil_date: CivilDate,
    /// The holiday flag is in here.
    pub facts: BandFacts,
    /// The one word for `facts` by the association's precedence.
    pub band: TimeBand,
    /// [`Calendar::version`] of the calendar that was asked.
    pub calendar_version: String,
    /// How many holidays in a row the day stands in (連休).
    #[serde(default)]
    pub run_of_holidays: u32,
}

impl Moment {
    /// What `calendar` says of `at` in `zone`.
    #[must_use]
    pub fn of(at: Millis, zone: Tz, calendar: &Calendar) -> Self {
        let facts = calendar.facts(at, zone);
        Self {
            at,
            zone: zone.name().to_owned(),
            civil_date: civil_day(at, zone),
            facts,
            band: calendar.band(facts),
            calendar_version: calendar.version.clone(),
            run_of_holidays: calendar.run_of_holidays(civil_day(at, zone)),
        }
    }
}

/// One try to reach somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFact {
    /// `None` where only the institution's line was tried.
    pub person: Option<MemberId>,
    pub institution: Option<InstitutionId>,
    pub result: AttemptResult,
    /// From asking until the result, whole seconds.
    pub seconds: u32,
}

/// The asker's word that it happened as reported (確認).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Confirmation {
    /// Not yet said.
    Waiting,
    /// It happened so.
    Confirmed { at: Millis },
    /// It did not happen so; an officer decides.
    Disputed { at: Millis },
}

/// The side that asked (依頼側).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequesterFacts {
    pub institution: InstitutionId,
    /// As of the event's day.
    pub institution_kind: Code,
    /// `None` where an office asked and nobody of it is registered.
    pub member: Option<MemberId>,
    /// As of the event's day.
    pub membership: Membership,
    pub role: AskerRole,
    /// The clerk who typed it for them; `None` when they did it themselves.
    pub entered_by: Option<MemberId>,
    pub confirmation: Confirmation,
}

/// The side that took it (受諾側).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptorFacts {
    pub institution: InstitutionId,
    /// As of the event's day.
    pub institution_kind: Code,
    /// `None` for a contracted company whose doctors are not registered.
    pub person: Option<MemberId>,
    /// As of the event's day.
    pub membership: Membership,
    pub on_rota_as: OnRotaAs,
    pub accepted_at: Millis,
    /// At the bedside; `None` without a visit.
    pub arrived_at: Option<Millis>,
    pub completed_at: Option<Millis>,
    /// Minutes of work as the acceptor states them.
    pub minutes: Option<u32>,
    /// Whether the acceptor confirmed `minutes`; else it is the form's default.
    pub minutes_confirmed: bool,
}

/// A completed event (完了した依頼): something asked by one side and taken by the other, also when it was
/// withdrawn after it was taken. What nobody took never becomes one.
///
/// Unknown fields are ignored when reading, so that an older program reads a newer record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedEvent {
    /// [`FACTS_VERSION`] when it was recorded.
    pub facts_version: u16,
    pub event: EventRef,
    pub case_no: CaseNo,
    pub kind: EventKind,
    pub association: AssociationId,
    pub occasion: Occasion,
    /// The request was sent.
    pub created_at: Millis,
    /// The acceptance that held; earlier ones that were given back stand in `attempts`.
    pub accepted_at: Millis,
    /// The work began: the cover's first minute, the call joined, the consult taken up.
    pub started_at: Option<Millis>,
    /// The work ended: the cover's last minute, the call over, the consult answered.
    pub ended_at: Option<Millis>,
    /// The report back (対応報告) came; a consult's answer is its report.
    pub report_at: Option<Millis>,
    /// The asker closed the case.
    pub closed_at: Option<Millis>,
    /// The asker called it off.
    pub withdrawn_at: Option<Millis>,
    /// Date and band by which it counts.
    pub moment: Moment,
    /// The city's code (市区町村コード), never an address.
    pub patient_city: Option<Code>,
    /// The asker's own opaque reference.
    pub patient_ref: Option<Code>,
    pub urgency: Urgency,
    pub requested_by: Channel,
    pub accepted_by: Channel,
    pub attempts: Vec<AttemptFact>,
    pub gate: GateResult,
    /// What came of it, by the association's list: `advice`, `joint_care`, `transport_avoided`.
    pub outcome: Code,
    /// Minutes from start to end as the system saw them.
    pub minutes: Option<u32>,
    /// Of a visit, by the association's list.
    pub distance_class: Option<Code>,
    /// Where the report is kept.
    pub report_ref: Option<Code>,
    /// The household had been told who may come (患家への事前説明).
    pub household_explained: bool,
    /// The night card was opened.
    pub night_card_used: bool,
    /// The specialty that was asked for, by the association's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specialty: Option<Code>,
    /// Another public subsidy was taken for the same thing, as its taker declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_subsidy: bool,
    /// The asker said at the end that a referral or a transport was avoided by it (搬送回避).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transport_avoided: bool,
    /// An officer decided that it is not paid (理事判断).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub excluded: bool,
    pub requester: RequesterFacts,
    pub acceptor: AcceptorFacts,
}

impl CompletedEvent {
    /// Whether it was called off before it began, so that nothing was done.
    #[must_use]
    pub fn withdrawn_before_start(&self) -> bool {
        self.withdrawn_at.is_some_and(|withdrawn| self.started_at.is_none_or(|started| withdrawn < started))
    }

    /// The acceptor's own minutes, else those from start to end as the system saw them.
    #[must_use]
    pub fn worked_minutes(&self) -> Option<u32> {
        self.acceptor.minutes.or(self.minutes)
    }

    /// From when the hours until the report count: the end, else the acceptor's own completion, else the
    /// acceptance.
    #[must_use]
    pub fn report_due_from(&self) -> Millis {
        self.ended_at.or(self.acceptor.completed_at).unwrap_or(self.acceptor.accepted_at)
    }
}
