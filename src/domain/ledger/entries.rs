//! Entries that change what closed months say without touching them: taking a line back, standing in for it,
//! the difference a changed rule makes, what sharing a budget down takes.

use std::collections::BTreeMap;

use super::event::Code;
use super::lines::{Eligibility, Entry, Line};
use super::month::Month;
use super::program::prorated;
use crate::ids::{InstitutionId, LedgerLineId};
use crate::money::Yen;

/// Why a closed line cannot be corrected so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCorrectable {
    /// 取消の取消はできない
    #[error("it takes a line back itself")]
    IsReversal,
    /// 一度取り消された
    #[error("it was taken back before")]
    Reversed,
    /// 元の額を超える
    #[error("the new amount is not between nought and less than the line's")]
    Larger,
    /// 按分の行
    #[error("it belongs to the close of a fiscal year")]
    OfTheYear,
}

/// Whether a closed line may be taken back, with `instead` in its place.
///
/// # Errors
/// Why not.
pub fn may_correct(line: &Line, reversed: bool, instead: Yen) -> Result<(), NotCorrectable> {
    match line.entry {
        Entry::Reversal { .. } => return Err(NotCorrectable::IsReversal),
        Entry::Proration { .. } => return Err(NotCorrectable::OfTheYear),
        Entry::Original | Entry::Correction { .. } | Entry::Difference { .. } => {}
    }
    if reversed {
        return Err(NotCorrectable::Reversed);
    }
    // Towards nought only: more than the rules give needs evidence or another rule, not a hand.
    let between = if line.amount.0 >= 0 {
        0 <= instead.0 && instead.0 < line.amount.0
    } else {
        line.amount.0 < instead.0 && instead.0 <= 0
    };
    if between { Ok(()) } else { Err(NotCorrectable::Larger) }
}

fn named(kind: &str, of: &LedgerLineId, run: &str) -> LedgerLineId {
    LedgerLineId::named(&["touban/ledger-entry/1", kind, of.as_str(), run])
}

/// The entries of a correction: the line taken back, and what stands instead unless that is nought.
#[must_use]
pub fn correction(line: &Line, instead: Yen, month: Month) -> Vec<Line> {
    let run = month.to_string();
    let back = Line {
        id: named("reversal", &line.id, &run),
        amount: Yen(-line.amount.0),
        capped: Yen(0),
        entry: Entry::Reversal { of: line.id.clone() },
        run: run.clone(),
        ..line.clone()
    };
    let stands = Line {
        id: named("correction", &line.id, &run),
        amount: instead,
        capped: Yen(0),
        entry: Entry::Correction { of: line.id.clone() },
        run,
        ..line.clone()
    };
    if instead == Yen(0) { vec![back] } else { vec![back, stands] }
}

/// What a word comes to: event, side, programme and party.
type Word<'a> = (String, super::Side, Option<&'a Code>, &'a InstitutionId);

fn word(line: &Line) -> Word<'_> {
    (line.event.key(), line.side, line.program.as_ref(), &line.institution)
}

/// The difference entries of a closed month that was run again under changed rules: for every event, side,
/// programme and party whose amount changes one entry with more or less, which refers to the closed line.
/// `closed` is everything that closed months hold of these events, entries that refer to them included, so
/// that a second rerun finds nothing left; `again` is the month's new run.
#[must_use]
pub fn differences(closed: &[Line], again: &[Line], month: Month) -> Vec<Line> {
    let run = month.to_string();
    let mut before: BTreeMap<Word<'_>, (i64, &Line)> = BTreeMap::new();
    for line in closed {
        let at = before.entry(word(line)).or_insert((0, line));
        at.0 += line.amount.0;
        if line.entry.is_original() && !at.1.entry.is_original() {
            at.1 = line;
        }
    }
    let mut after: BTreeMap<Word<'_>, (i64, &Line)> = BTreeMap::new();
    for line in again {
        let at = after.entry(word(line)).or_insert((0, line));
        at.0 += line.amount.0;
        // The line that pays speaks for the word.
        if at.1.amount == Yen(0) && line.amount != Yen(0) {
            at.1 = line;
        }
    }
    let mut entries = Vec::new();
    for (key, (old, line)) in &before {
        let (new, template) = after.get(key).map_or((0, *line), |(new, line)| (*new, *line));
        let of = line.id.clone();
        if new != *old {
            entries.push(difference(template, of, Yen(new - old), &run));
        }
    }
    for (key, (new, line)) in &after {
        // A party or programme that the closed month did not know.
        if !before.contains_key(key) && *new != 0 {
            entries.push(difference(line, line.id.clone(), Yen(*new), &run));
        }
    }
    entries
}

fn difference(line: &Line, of: LedgerLineId, amount: Yen, run: &str) -> Line {
    Line {
        id: named("difference", &of, run),
        amount,
        capped: Yen(0),
        eligibility: Eligibility::Eligible,
        entry: Entry::Difference { of },
        run: run.to_owned(),
        ..line.clone()
    }
}

/// What sharing a programme's budget down takes from each institution, out of the lines of the whole programme.
/// One entry for each institution that gets less, modelled on its last line; together they bring the programme
/// to its budget exactly.
#[must_use]
pub fn proration(
    program: &Code,
    budget: Yen,
    lines: &BTreeMap<InstitutionId, (Yen, Line)>,
    (fiscal_year, month): (i32, Month),
) -> Vec<Line> {
    let sums: Vec<Yen> = lines.values().map(|(sum, _)| *sum).collect();
    let shares = prorated(budget, &sums);
    let run = month.to_string();
    let mut entries = Vec::new();
    for ((institution, (sum, last)), share) in lines.iter().zip(shares) {
        let less = Yen(share.0 - sum.0);
        if less == Yen(0) {
            continue;
        }
        let identity = [
            "touban/ledger-proration/1",
            program.as_str(),
            institution.as_str(),
            &fiscal_year.to_string(),
            &run,
        ];
        entries.push(Line {
            id: LedgerLineId::named(&identity),
            amount: less,
            capped: Yen(0),
            eligibility: Eligibility::Eligible,
            entry: Entry::Proration { fiscal_year },
            run: run.clone(),
            ..last.clone()
        });
    }
    entries
}
