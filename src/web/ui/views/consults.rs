//! Asking for a consult, and the case as its two doctors see it.

use askama::Template;

use super::links::PinProblem;
use super::{Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// `GET /consults/new`, and again with what was typed when something is missing.
///
/// Posts `/consults`: `once` and one field per member of this struct, under the member's name;
/// `own_date` (`YYYY-MM-DD`) and `own_time` (`HH:MM`) count when `answer_by` is `own`. The choice `now` of
/// `answer_by` shows the telephone number at once and is never accepted (急ぎは電話で).
#[derive(Template)]
#[template(path = "consult-new.html")]
pub struct ConsultNew {
    pub shell: Shell,
    /// Where the form goes: `/consults`, or the page of a doctor in whose name the office asks.
    pub action: String,
    /// Whose question it is, when the office fills the form in.
    pub in_name_of: Option<String>,
    /// How it came to the office.
    pub channel: Option<Choices>,
    /// Said above a form that came back for another reason than its fields.
    pub notice: Option<String>,
    pub specialty: Choices,
    /// `advice`, `visit`.
    pub wish: Choices,
    /// `now`, `today`, `tomorrow_noon`, `three_days`, `own`; the note carries the date it comes to.
    pub answer_by: Choices,
    pub own_date: Field,
    pub own_time: Field,
    pub decade: Choices,
    pub sex: Choices,
    pub area: Choices,
    pub condition: Choices,
    /// `no`, `with_help`, `yes`.
    pub can_travel: Choices,
    /// Shown to everybody asked: no names.
    pub question: Field,
    pub tried: Field,
    /// Initials or a number; shown after acceptance only.
    pub patient_ref: Field,
    /// Shown after acceptance only.
    pub details: Field,
    /// The number for what cannot wait.
    pub urgent_phone: String,
    pub once: Hidden,
}

impl ConsultNew {
    /// The fields to look at again, in the order of the page: the field's id and the problem.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &str)> {
        const NONE: &Option<String> = &None;
        [
            ("channel", self.channel.as_ref().map_or(NONE, |c| &c.problem)),
            ("specialty", &self.specialty.problem),
            ("wish", &self.wish.problem),
            ("answer_by", &self.answer_by.problem),
            ("own_date", &self.own_date.problem),
            ("own_time", &self.own_time.problem),
            ("decade", &self.decade.problem),
            ("sex", &self.sex.problem),
            ("area", &self.area.problem),
            ("condition", &self.condition.problem),
            ("can_travel", &self.can_travel.problem),
            ("question", &self.question.problem),
            ("tried", &self.tried.problem),
            ("patient_ref", &self.patient_ref.problem),
            ("details", &self.details.problem),
        ]
        .into_iter()
        .filter_map(|(id, problem)| problem.as_deref().map(|problem| (id, problem)))
        .collect()
    }
}

/// A doctor with the place and number where they are reached.
#[derive(Clone, Default)]
pub struct Party {
    pub name: String,
    pub institution: String,
    pub phone: String,
}

impl Party {
    pub(super) fn tel(&self) -> String {
        super::tel(&self.phone)
    }
}

/// Who carries the case now (役割と責任の範囲).
#[derive(Clone, Default)]
pub struct Responsible {
    pub name: String,
    pub since: String,
}

/// How many were asked, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskedCounts {
    pub asked: u32,
    pub waiting: u32,
    pub declined: u32,
}

/// The case as written by the asker: all of it (tier T2).
#[derive(Clone, Default)]
pub struct CaseView {
    pub decade: String,
    pub sex: String,
    pub area: String,
    pub condition: String,
    pub travel: String,
    pub question: String,
    pub tried: String,
    pub patient_ref: String,
    pub details: String,
    /// Said in the place of the texts once their time is over; then they are empty.
    pub destroyed: Option<String>,
}

/// Something that happened to the case.
#[derive(Clone, Default)]
pub struct TimelineItem {
    pub at: String,
    pub text: String,
}

/// The specialist's answer under its four heads.
#[derive(Clone, Default)]
pub struct AnswerView {
    pub at: String,
    pub by: String,
    /// 見立て
    pub assessment: String,
    /// 今すること
    pub do_now: String,
    /// 次に見る目安
    pub follow_up: String,
    /// 送るべき時
    pub refer_when: String,
    pub minutes: u32,
    /// Said in the place of the texts once their time is over; then they are empty.
    pub destroyed: Option<String>,
}

/// The four questions at the end. Posts `/consults/{id}/close`: `once`, `avoided` (`yes`, `no`, `unclear`),
/// `newly_needed` (`yes`, `no`), `helpful` (`1` to `5`), `in_time` (`yes`, `no`), `note`.
#[derive(Clone, Default)]
pub struct SurveyForm {
    pub avoided: Choices,
    pub newly_needed: Choices,
    pub helpful: Choices,
    pub in_time: Choices,
    /// Thanks to the adviser; may be empty.
    pub note: Field,
}

/// The four questions answered, in words.
#[derive(Clone, Default)]
pub struct SurveyView {
    pub avoided: String,
    pub newly_needed: String,
    pub helpful: String,
    pub in_time: String,
    pub note: String,
    /// Said in the place of the texts once their time is over; then they are empty.
    pub destroyed: Option<String>,
}

/// `GET /consults/{id}` for the asker. Posts `/consults/{id}/close` ([`SurveyForm`]) and
/// `/consults/{id}/withdraw` (`once`).
#[derive(Template)]
#[template(path = "consult-asker.html")]
pub struct ConsultAsker {
    pub shell: Shell,
    /// The id as it stands in the path.
    pub id: String,
    pub case_no: String,
    pub specialty: String,
    pub wish: String,
    pub state: StateLine,
    /// Said once after a step, "相談を送りました".
    pub notice: Option<String>,
    pub answer_by: String,
    pub responsible: Responsible,
    pub asked: AskedCounts,
    /// What happens next by itself, "12:20 に次の3名へ".
    pub next: Option<String>,
    pub taker: Option<Party>,
    pub answer: Option<AnswerView>,
    /// There when the case can be closed.
    pub survey_form: Option<SurveyForm>,
    /// There when it is closed.
    pub survey: Option<SurveyView>,
    pub may_withdraw: bool,
    pub case: CaseView,
    /// Oldest first.
    pub timeline: Vec<TimelineItem>,
    pub once: Hidden,
}

/// The answer being written. Posts `/consults/{id}/answer`: `once`, `assessment`, `do_now`, `follow_up`,
/// `refer_when`, `minutes`.
#[derive(Clone, Default)]
pub struct AnswerForm {
    pub assessment: Field,
    pub do_now: Field,
    pub follow_up: Field,
    pub refer_when: Field,
    /// Whole minutes, 10 to start with.
    pub minutes: Field,
}

/// `GET /consults/{id}` for the specialist who took it, after two factors. Posts `/consults/{id}/answer`
/// ([`AnswerForm`]) and `/consults/{id}/release` (`once`).
#[derive(Template)]
#[template(path = "consult-taker.html")]
pub struct ConsultTaker {
    pub shell: Shell,
    pub id: String,
    pub case_no: String,
    pub specialty: String,
    /// What was agreed to, "助言のみ".
    pub mode: String,
    pub state: StateLine,
    /// Said once after a step, "引き受けました".
    pub notice: Option<String>,
    pub answer_by: String,
    pub responsible: Responsible,
    pub asker: Party,
    pub case: CaseView,
    /// There while an answer is awaited.
    pub answer_form: Option<AnswerForm>,
    pub answer: Option<AnswerView>,
    /// The asker's thanks and outcome, when closed.
    pub survey: Option<SurveyView>,
    pub may_release: bool,
    /// Until when the reader may still open this page, once it is over.
    pub readable_until: Option<String>,
    pub timeline: Vec<TimelineItem>,
    pub once: Hidden,
}

/// Before the case opens: the second factor. Posts `/consults/{id}/unlock`: `once`, `pin`.
#[derive(Template)]
#[template(path = "consult-unlock.html")]
pub struct ConsultUnlock {
    pub shell: Shell,
    pub id: String,
    pub case_no: String,
    pub person_name: String,
    /// Said above, "引き受けました".
    pub notice: Option<String>,
    pub pin_problem: Option<PinProblem>,
    pub once: Hidden,
}

/// One case in a list.
#[derive(Clone, Default)]
pub struct ConsultRow {
    pub href: String,
    pub case_no: String,
    pub specialty: String,
    pub state: StateLine,
    /// "11月21日（土）正午まで".
    pub answer_by: String,
    /// What the reader has to do, if anything: "アンケートに答えて閉じる".
    pub to_do: Option<String>,
}

/// `GET /consults`: what the reader asked and what the reader took.
#[derive(Template)]
#[template(path = "my-consults.html")]
pub struct MyConsults {
    pub shell: Shell,
    /// Said once after a step, "引き受けを取り消しました".
    pub notice: Option<String>,
    pub asked: Vec<ConsultRow>,
    pub taken: Vec<ConsultRow>,
}

quiet_debug!(
    ConsultNew,
    Party,
    Responsible,
    CaseView,
    TimelineItem,
    AnswerView,
    SurveyForm,
    SurveyView,
    ConsultAsker,
    AnswerForm,
    ConsultTaker,
    ConsultUnlock,
    ConsultRow,
    MyConsults,
);
