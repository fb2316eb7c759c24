//! The night number's calls: the list with what is happening now, one call with its attempts and reports, the
//! form that starts one; and the phones of the exercise.

use askama::Template;

use super::{Choice, Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// One attempt.
#[derive(Clone, Default)]
pub struct CallLeg {
    /// Whom it rang: a name, or 電話をかけた人.
    pub who: String,
    pub state: String,
    pub at: String,
}

/// One call of a list.
#[derive(Clone, Default)]
pub struct CallRow {
    pub href: String,
    pub case_no: String,
    pub at: String,
    pub caller: String,
    pub clinic: String,
    pub state: StateLine,
    pub taker: String,
    pub legs: Vec<CallLeg>,
}

/// `GET /calls`.
#[derive(Template)]
#[template(path = "calls.html", blocks = ["live"])]
pub struct Calls {
    pub shell: Shell,
    /// May start one.
    pub may_start: bool,
    pub open: Vec<CallRow>,
    pub ended: Vec<CallRow>,
}

impl Calls {
    /// The part that changes, alone.
    #[must_use]
    pub fn render_live(&self) -> String {
        super::render(&self.as_live())
    }
}

/// `GET /calls/new`. Posts `/calls` (`clinic`).
#[derive(Template)]
#[template(path = "call-new.html")]
pub struct CallNew {
    pub shell: Shell,
    pub clinic: Choices,
    pub problem: Option<String>,
    pub once: Hidden,
}

/// A report as it is read.
#[derive(Clone, Default)]
pub struct CallReport {
    pub at: String,
    pub who: String,
    pub outcome: String,
    pub place: String,
    pub text: String,
}

/// `GET /calls/{id}`. Posts `…/report` (`outcome`, `place`, `text`), `…/again`, `…/hand-over`, `…/seen`, `…/close`.
#[derive(Template)]
#[template(path = "call.html")]
pub struct CallPage {
    pub shell: Shell,
    pub id: String,
    pub row: CallRow,
    pub number: String,
    pub has_message: bool,
    pub alarms: Vec<String>,
    pub reports: Vec<CallReport>,
    /// The form, where this reader may report.
    pub report: Option<CallReportForm>,
    /// For the taker: to the night cards of the clinic.
    pub cards: Option<String>,
    pub may_again: bool,
    pub may_hand_over: bool,
    /// Whom the office may have rung now; empty where nobody is looked for.
    pub ring: Vec<Choice>,
    pub may_close: bool,
    pub once: Hidden,
}

/// What the form of a report holds.
#[derive(Clone, Default)]
pub struct CallReportForm {
    pub outcome: Choices,
    pub place: Field,
    pub minutes: Field,
    pub text: Field,
}

/// One institution at the night number. Fields: `code_ID`, `lines_ID`, `forwarded_ID`, `own_ID`.
#[derive(Clone, Default)]
pub struct NightInstitution {
    pub id: String,
    pub name: String,
    pub clinic: bool,
    pub code: Field,
    pub lines: Field,
    pub forwarded: Field,
    pub own_line: bool,
}

impl NightInstitution {
    /// Something of it is wrong: it is shown opened.
    #[must_use]
    pub fn is_open(&self) -> bool {
        [&self.code, &self.lines, &self.forwarded].iter().any(|field| field.problem.is_some())
    }
}

/// `GET /settings/calls`. Posts there: `revision`, `numbers`, and the fields of each institution.
#[derive(Template)]
#[template(path = "night-settings.html")]
pub struct NightSettings {
    pub shell: Shell,
    pub revision: i64,
    pub numbers: Field,
    pub problem: Option<String>,
    pub together: bool,
    /// Calls of one unknown line within an hour.
    pub per_line: Field,
    /// Calls without a number within an hour; none: they are turned away.
    pub hidden: Field,
    /// Lines in use from which on unknown callers are turned away.
    pub in_use: Field,
    /// Minutes of a month from which on unknown callers are turned away; empty: no ceiling.
    pub minutes: Field,
    /// By when the report of a night is due, as `09:00`.
    pub report_by: Field,
    pub institutions: Vec<NightInstitution>,
}

/// A key with what it means on this phone now; the word may be empty.
#[derive(Clone, Default)]
pub struct PhoneKey {
    pub keys: String,
    pub word: String,
    pub main: bool,
}

/// One phone of the exercise.
#[derive(Clone, Default)]
pub struct PhoneView {
    pub leg: String,
    pub name: String,
    pub number: String,
    pub state: StateLine,
    pub rings: bool,
    pub up: bool,
    pub recording: bool,
    pub talks: bool,
    /// What is heard, the newest last.
    pub heard: Vec<String>,
    /// How many sentences it has heard: another number, something new to say aloud.
    pub said: usize,
    /// The address of the newest of them as a sound, where there is one.
    pub sound: String,
    /// What brings this phone on.
    pub ways: Vec<PhoneKey>,
    /// It has hung up, and the night number can be dialled from it.
    pub redial: bool,
}

/// `GET /demo/phones`. Posts `/demo/phones` (`deed` = `dial`) and, with `leg`, `pick`, `hang`, `voicemail`,
/// `speak`, `redial`, or `press` with `keys`.
#[derive(Template)]
#[template(path = "demo-phones.html", blocks = ["live"])]
pub struct DemoPhones {
    pub shell: Shell,
    /// Who calls, and the number that is dialled.
    pub nurse: String,
    pub night: String,
    pub may_dial: bool,
    pub phones: Vec<PhoneView>,
    /// Phones that have hung up, the newest first.
    pub over: Vec<PhoneView>,
    pub once: Hidden,
}

impl DemoPhones {
    /// The part that changes, alone.
    #[must_use]
    pub fn render_live(&self) -> String {
        super::render(&self.as_live())
    }
}

quiet_debug!(
    CallLeg,
    CallRow,
    Calls,
    CallNew,
    CallReport,
    CallPage,
    CallReportForm,
    NightInstitution,
    NightSettings,
    PhoneKey,
    PhoneView,
    DemoPhones
);
