//! Patients handed over: asking for it, what people say to it, what becomes of it, the letter that goes with them.

use askama::Template;

use super::links::PinProblem;
use super::people::Fact;
use super::{AskedPerson, Choices, Field, Hidden, Shell, StateLine, TimelineItem, quiet_debug};

/// A transfer in a list.
#[derive(Clone, Debug, Default)]
pub struct TransferRow {
    pub href: String,
    pub case_no: String,
    /// The day that is wished for.
    pub wished: String,
    /// Where the patient lives, and whose patient it is.
    pub what: String,
    pub state: StateLine,
    /// What the reader has to do.
    pub to_do: Option<String>,
}

/// `GET /transfers`
#[derive(Template)]
#[template(path = "transfers.html")]
pub struct TransfersPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub may_ask: bool,
    pub open: Vec<TransferRow>,
    pub ended: Vec<TransferRow>,
}

/// `GET /transfers/new`, and `GET /people/{id}/for/transfer` by the office. Posts to `action`: `clinic`, `patient`,
/// `wished`, `area`, `reason`, `details`, `channel` (by the office), `once`.
#[derive(Template)]
#[template(path = "transfer-ask.html")]
pub struct TransferAskPage {
    pub shell: Shell,
    pub banner: Option<String>,
    pub action: String,
    pub problem: Option<String>,
    pub clinic: Choices,
    pub patient: Field,
    pub wished: Field,
    pub area: Choices,
    pub reason: Choices,
    pub details: Field,
    pub channel: Option<Choices>,
    pub once: Hidden,
}

/// "主治医へ連絡した", and when.
#[derive(Clone, Debug, Default)]
pub struct InformedFields {
    pub ticked: bool,
    pub date: Field,
    pub time: Field,
}

/// What somebody is asked about a transfer.
#[derive(Clone, Debug, Default)]
pub struct TransferAnswerBox {
    pub title: String,
    /// What a yes means, in a sentence.
    pub meaning: String,
    pub accept: String,
    pub decline: String,
    pub words: Field,
    pub words_label: String,
    pub words_hint: String,
    /// For a clinic that could take the patient over.
    pub informed: Option<InformedFields>,
}

/// What the office types in for somebody who was asked.
#[derive(Clone, Debug, Default)]
pub struct TransferForBox {
    /// The id and the name of the person.
    pub member: String,
    pub name: String,
    /// The id of the question how it came, one for each person.
    pub channel_id: String,
    pub answer: TransferAnswerBox,
    pub channel: Choices,
}

/// From which day the clinic looks after the patient.
#[derive(Clone, Debug, Default)]
pub struct TransferDateBox {
    pub effective: Field,
    pub note: Field,
    /// By the office: how it came.
    pub channel: Option<Choices>,
}

/// `GET /transfers/{id}`. Posts below it: `answer` (`answer` = `yes`, `no`; `words`, `informed`, `informed_date`,
/// `informed_time`, `pin`), `answer-for` (the same with `member` and `channel`), `date` (`effective`, `note`,
/// `channel`), `close`, `give-back`, `withdraw` (`reason`); each with `once`.
#[derive(Template)]
#[template(path = "transfer.html")]
pub struct TransferPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub id: String,
    pub case_no: String,
    pub state: StateLine,
    /// What comes next, or what became of it, in a sentence.
    pub next: String,
    pub facts: Vec<Fact>,
    /// What people said with their answers: who, when and what.
    pub said: Vec<(String, String)>,
    pub answer: Option<TransferAnswerBox>,
    /// The PIN is asked for.
    pub asks_pin: bool,
    pub pin_problem: Option<PinProblem>,
    pub for_others: Vec<TransferForBox>,
    pub date: Option<TransferDateBox>,
    pub may_close: bool,
    pub may_give_back: bool,
    pub may_withdraw: bool,
    pub reason: Field,
    pub letter_href: Option<String>,
    pub asked: Vec<AskedPerson>,
    pub timeline: Vec<TimelineItem>,
    pub once: Hidden,
}

/// The answer to `POST /k/open` for a transfer. Posts `/k/transfer`: `token`, `once`, `answer` (`yes`, `no`, `look`),
/// `words`, `informed`, `informed_date`, `informed_time`, `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-transfer.html")]
pub struct LinkTransfer {
    pub shell: Shell,
    pub person_name: String,
    pub case_no: String,
    pub answer_by: String,
    pub problem: Option<String>,
    pub facts: Vec<Fact>,
    pub answer: TransferAnswerBox,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// `GET /transfers/{id}/letter`: the headings of the referral form (診療情報提供書, 別紙様式11) on one A4 page, to be filled
/// in by hand or on the screen. What is typed there is printed and kept nowhere.
#[derive(Template)]
#[template(path = "transfer-letter.html")]
pub struct TransferLetter {
    pub shell: Shell,
    pub id: String,
    pub case_no: String,
    /// 紹介先, 紹介元: the institution and the doctor; empty where not known yet.
    pub to: (String, String),
    pub from: (String, String),
    pub patient: String,
    pub purpose: String,
    /// 引継ぎ日
    pub effective: String,
    pub made: String,
}

quiet_debug!(TransfersPage, TransferAskPage, TransferPage, LinkTransfer, TransferLetter);
