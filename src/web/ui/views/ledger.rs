//! The subsidy ledger as the clerk reads it: lines of both sides, with the reason where nothing is paid.

use askama::Template;

use super::sheets::MissingCharacters;
use super::{Choices, Field, Shell, Tone, quiet_debug};

/// Whether something holds, does not, or may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 対象; the condition is met.
    Yes,
    /// 確認待ち; evidence may yet come.
    Waiting,
    /// 対象外; the facts speak against it.
    No,
}

impl Verdict {
    const fn tone(self) -> Tone {
        match self {
            Self::Yes => Tone::Good,
            Self::Waiting => Tone::Info,
            Self::No => Tone::Warn,
        }
    }

    const fn line_key(self) -> &'static str {
        match self {
            Self::Yes => "ledger-is-eligible",
            Self::Waiting => "ledger-is-pending",
            Self::No => "ledger-is-not-eligible",
        }
    }

    const fn condition_key(self) -> &'static str {
        match self {
            Self::Yes => "ledger-met",
            Self::Waiting => "ledger-missing",
            Self::No => "ledger-not-met",
        }
    }
}

/// One condition of the tariff, and whether it was met.
#[derive(Clone)]
pub struct Condition {
    pub text: String,
    pub verdict: Verdict,
}

/// One line: an event seen from one side.
#[derive(Clone)]
pub struct LedgerLine {
    pub case_no: String,
    /// The day of the event.
    pub date: String,
    /// 依頼側 or 受諾側.
    pub side: String,
    pub institution: String,
    pub member: String,
    /// Name and version of the tariff.
    pub tariff: String,
    /// "1,000円".
    pub amount: String,
    pub verdict: Verdict,
    /// Why nothing is paid, in words; also why a line is still waiting.
    pub reason: Option<String>,
    pub conditions: Vec<Condition>,
    /// 取消, 訂正, 差額 …; nothing for a plain line.
    pub entry: Option<String>,
    /// Where a closed line is corrected.
    pub correct_href: Option<String>,
}

/// A line that waits, on the list of preparation.
#[derive(Clone)]
pub struct PrepLine {
    pub case_no: String,
    pub date: String,
    pub who: String,
    /// Where the office records what it learned.
    pub href: Option<String>,
}

/// One heading of the list of preparation (締め準備).
#[derive(Clone)]
pub struct Prep {
    pub title: String,
    pub what: String,
    pub lines: Vec<PrepLine>,
}

/// What an institution gets in the month.
#[derive(Clone)]
pub struct PartySum {
    pub name: String,
    pub href: String,
    pub lines: u32,
    pub amount: String,
}

/// What a programme pays in the month and what is left for the year.
#[derive(Clone)]
pub struct ProgramSum {
    pub name: String,
    pub amount: String,
    pub left: Option<String>,
    pub forecast: Option<String>,
    /// A drawing of numbers alone: no text of anybody is in it.
    pub drawing: Option<String>,
    /// The drawing in words.
    pub words: String,
}

/// A claim of a closed month (請求), with the books it was held against.
#[derive(Clone)]
pub struct LedgerClaim {
    pub program: String,
    pub program_code: String,
    pub funder: String,
    /// The month or months it is for.
    pub span: String,
    /// Who claims for itself; nobody: the association for all.
    pub institution: Option<String>,
    /// Empty where the association claims.
    pub institution_id: String,
    pub standard: String,
    /// `None`: the books are not there yet.
    pub amount: Option<String>,
    pub cut: Option<String>,
    pub needs_books: bool,
    /// What stands in the form of the books; empty where there are none.
    pub actual: String,
    pub total_cost: String,
    pub other_income: String,
}

/// A month of a fiscal year.
#[derive(Clone)]
pub struct YearMonth {
    pub name: String,
    pub href: String,
    pub state: String,
    pub tone: Tone,
    /// `None`: neither made nor closed.
    pub amount: Option<String>,
}

/// A programme's budget in a fiscal year.
#[derive(Clone)]
pub struct YearProgram {
    pub name: String,
    pub code: String,
    pub rule: Option<String>,
    pub budget: Option<String>,
    pub spent: String,
    pub left: Option<String>,
    pub forecast: String,
    /// The forecast is over the budget.
    pub short: bool,
    /// What the officers decided, in words.
    pub decided: Option<String>,
    pub may_decide: bool,
    /// A drawing of numbers alone: no text of anybody is in it.
    pub drawing: Option<String>,
    pub words: String,
}

/// `GET /ledger/year?year=YYYY`. Posts `/ledger/prorate`: `year`, `program`, `note`.
#[derive(Template)]
#[template(path = "ledger-year.html")]
pub struct LedgerYear {
    pub shell: Shell,
    /// "令和8年度".
    pub year: String,
    pub year_value: String,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
    pub months: Vec<YearMonth>,
    pub programs: Vec<YearProgram>,
    pub total: String,
    pub note: Field,
    pub load: Vec<LoadRow>,
    /// Drawings of numbers alone: events by month, minutes to answer.
    pub load_drawing: Option<String>,
    pub minutes_drawing: Option<String>,
    /// What is judged, as far as months are closed.
    pub judged: Vec<JudgedRow>,
    pub grades: Vec<String>,
    pub may_grade: bool,
}

/// A month of the load.
#[derive(Clone)]
pub struct LoadRow {
    pub month: String,
    pub events: String,
    /// Empty where there was no event.
    pub minutes: String,
}

/// An item of the self-evaluation.
#[derive(Clone)]
pub struct JudgedRow {
    pub item: String,
    pub name: String,
    /// Lines and yen, in words.
    pub so_far: String,
    pub grade: Option<String>,
    pub comment: String,
}

/// One claim as a letter to the funder.
#[derive(Clone)]
pub struct LedgerLetter {
    pub funder: String,
    /// Who claims.
    pub from: String,
    pub program: String,
    /// What is claimed for which months, as a sentence.
    pub words: String,
    /// `None`: the books are not there yet.
    pub sum: Option<String>,
    /// Name, lines, yen.
    pub items: Vec<(String, String, String)>,
}

/// `GET /ledger/letter?month=…`: the claims of a closed month, one A4 page each.
#[derive(Template)]
#[template(path = "ledger-letter.html")]
pub struct LedgerLetters {
    pub shell: Shell,
    pub month: String,
    pub back: String,
    pub is_draft: bool,
    pub letters: Vec<LedgerLetter>,
    pub made: String,
    pub made_by: String,
    pub approved_by: String,
    pub seal: String,
}

/// Somebody who is asked for what is missing.
#[derive(Clone)]
pub struct ChaseSheet {
    pub name: String,
    pub institution: String,
    pub by_mail: bool,
    /// Case number and what is needed.
    pub cases: Vec<(String, String)>,
}

/// `GET /ledger/chasers?month=…`: sheets to be faxed, one page for each person.
#[derive(Template)]
#[template(path = "ledger-chasers.html")]
pub struct LedgerChasers {
    pub shell: Shell,
    pub month: String,
    pub back: String,
    pub notice: Option<String>,
    pub people: Vec<ChaseSheet>,
    pub made: String,
}

/// A cell of a printed table.
#[derive(Clone)]
pub struct TableCell {
    pub text: String,
    pub is_number: bool,
}

/// `GET /ledger/paper?month=…&table=…`: a table of the month, to be printed.
#[derive(Template)]
#[template(path = "ledger-paper.html")]
pub struct LedgerPaper {
    pub shell: Shell,
    pub title: String,
    pub back: String,
    pub month: String,
    pub is_draft: bool,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<TableCell>>,
    pub total: Option<String>,
    /// Drawings of numbers alone, each with what it shows.
    pub drawings: Vec<(String, String)>,
    pub made: String,
    pub made_by: String,
    pub approved_by: String,
    pub seal: String,
}

/// `GET /ledger?month=YYYY-MM`. Posts `/ledger/make`, `/ledger/unmake`, `/ledger/approve`: `month`, `revision`;
/// `/ledger/export`: `month`, `table`, `format`, `replace`; `/ledger/transfer`: `month`, `payer_code`, `day`;
/// `/ledger/books`: `month`, `program`, `institution`, `actual`, `total_cost`, `other_income`; `/ledger/rerun`:
/// `month`, `tariffs`.
#[derive(Template)]
#[template(path = "ledger.html")]
pub struct LedgerPage {
    pub shell: Shell,
    /// "令和8年11月".
    pub month: String,
    /// `2026-11`.
    pub month_value: String,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub state: String,
    pub tone: Tone,
    /// Who made and approved it, when.
    pub steps: Vec<String>,
    pub may_make: bool,
    pub may_unmake: bool,
    /// The revision that would be approved.
    pub may_approve: Option<i64>,
    /// Something was recorded since it was made.
    pub has_changed: bool,
    pub prepare: Vec<Prep>,
    /// Somebody can be asked for what is missing.
    pub may_chase: bool,
    /// Corrections that wait for the next month: in words, and where they are taken back.
    pub ordered: Vec<(String, String)>,
    pub parties: Vec<PartySum>,
    pub programs: Vec<ProgramSum>,
    pub tables: Choices,
    pub formats: Choices,
    pub may_export: bool,
    /// The bank transfer list may be taken out.
    pub may_pay: bool,
    pub may_keep_books: bool,
    /// The claims whose cycle ends with this month, once it is closed.
    pub claims: Vec<LedgerClaim>,
    /// Newer tariffs under which the closed month may be run again.
    pub reruns: Choices,
    /// Tables to be printed: name and address.
    pub papers: Vec<(String, String)>,
    pub year_href: String,
    pub missing: Vec<MissingCharacters>,
    pub seal: String,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
    pub lines: Vec<LedgerLine>,
    pub eligible_lines: u32,
    pub other_lines: u32,
    /// The sum of the eligible lines.
    pub total: String,
}

/// `GET /ledger/statement?month=…&institution=…`: one institution's lines, to be printed.
#[derive(Template)]
#[template(path = "ledger-statement.html")]
pub struct LedgerStatement {
    pub shell: Shell,
    pub month: String,
    pub back: String,
    pub institution: String,
    pub code: String,
    pub is_draft: bool,
    pub lines: Vec<LedgerLine>,
    pub held: Vec<LedgerLine>,
    /// Name and yen.
    pub programs: Vec<(String, String)>,
    pub sides: Vec<(String, String)>,
    pub total: String,
    /// The total is below nought: nothing is transferred.
    pub below: bool,
    pub made: String,
    pub made_by: String,
    pub approved_by: String,
    pub seal: String,
}

/// `GET /ledger/correct?line=…`. Posts the same address: `line`, `instead`, `note`.
#[derive(Template)]
#[template(path = "ledger-correct.html")]
pub struct LedgerCorrect {
    pub shell: Shell,
    pub line_id: String,
    pub line: LedgerLine,
    pub month: String,
    pub back: String,
    pub instead: Field,
    pub note: Field,
    pub problem: Option<String>,
    /// A correction of the line waits for the next month, in words.
    pub ordered: Option<String>,
}

/// `GET /ledger/evidence?case=…`. Posts the same address: `case`, `kind`, `note`, `city`.
#[derive(Template)]
#[template(path = "ledger-evidence.html")]
pub struct LedgerEvidence {
    pub shell: Shell,
    pub case_no: String,
    pub known: Vec<String>,
    pub kinds: Choices,
    pub city: Field,
    pub note: Field,
}

/// A programme under two versions of the tariffs.
#[derive(Clone)]
pub struct ComparedRow {
    pub name: String,
    pub before: String,
    pub after: String,
}

/// `GET /ledger/tariffs`. Posts the same address: `after`, `body`, `note`, `do` = `preview` or `record`.
#[derive(Template)]
#[template(path = "ledger-tariffs.html")]
pub struct LedgerTariffs {
    pub shell: Shell,
    pub notice: Option<String>,
    pub after: i64,
    pub body: Field,
    pub note: Field,
    /// Every mistake, with its line.
    pub mistakes: Vec<String>,
    pub compared: Vec<ComparedRow>,
    pub compared_month: String,
    pub versions: Vec<String>,
    /// The draft for the next fiscal year: its name and where it is opened.
    pub draft: Option<(String, String)>,
    pub may_edit: bool,
}

quiet_debug!(
    Condition,
    LedgerLine,
    LedgerPage,
    LedgerStatement,
    LedgerCorrect,
    LedgerEvidence,
    LedgerTariffs,
    LedgerClaim,
    LedgerYear,
    LedgerPaper,
    LedgerLetter,
    LedgerLetters,
    LedgerChasers,
    ChaseSheet,
    LoadRow,
    JudgedRow,
    YearMonth,
    YearProgram,
    TableCell,
    ComparedRow,
    PrepLine,
    Prep,
    PartySum,
    ProgramSum
);
