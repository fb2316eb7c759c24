//! The subsidy ledger as the clerk reads it: lines of both sides, with the reason where nothing is paid.

use askama::Template;

use super::{Shell, Tone, quiet_debug};

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
}

/// `GET /ledger?month=YYYY-MM`.
#[derive(Template)]
#[template(path = "ledger.html")]
pub struct LedgerPage {
    pub shell: Shell,
    /// "令和8年11月".
    pub month: String,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
    pub lines: Vec<LedgerLine>,
    pub eligible_lines: u32,
    pub other_lines: u32,
    /// The sum of the eligible lines.
    pub total: String,
}

quiet_debug!(Condition, LedgerLine, LedgerPage);
