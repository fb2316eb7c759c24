//! The subsidy ledger as the clerk reads it: lines of both sides, with the reason where nothing is paid.

use askama::Template;

use super::{Shell, quiet_debug};

/// One condition of the tariff, and whether it was met.
#[derive(Clone, Default)]
pub struct Condition {
    pub text: String,
    pub met: bool,
}

/// One line: an event seen from one side.
#[derive(Clone, Default)]
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
    pub eligible: bool,
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
