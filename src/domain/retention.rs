//! How long texts are kept, and when a key may be destroyed with everything sealed under it. Pure: who does
//! it, and how a key is destroyed, stands in `app` and `store`.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar::{CivilDate, civil_day};
use crate::ids::{CallId, RequestId};
use crate::time::Millis;

/// The least and the most years that can be set. Nothing is destroyed within a year of its case's end.
pub const YEARS: std::ops::RangeInclusive<u32> = 1..=30;

/// How long an association keeps what (保存期間), in years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionYears {
    /// The asker's texts and the survey, from the end of the case: 5 (医師法第24条, 療養担当規則第9条).
    pub clinical: u32,
    /// What takers told, from the end of the case: 5.
    pub reports: u32,
    /// Ledger and audit, which hold no clinical text: 10. What is older is counted in the monthly report.
    pub ledger: u32,
}

impl Default for RetentionYears {
    fn default() -> Self {
        Self { clinical: 5, reports: 5, ledger: 10 }
    }
}

impl RetentionYears {
    /// The names of the values that are not in [`YEARS`].
    #[must_use]
    pub fn wrong(self) -> Vec<&'static str> {
        [("clinical", self.clinical), ("reports", self.reports), ("ledger", self.ledger)]
            .into_iter()
            .filter(|(_, years)| !YEARS.contains(years))
            .map(|(name, _)| name)
            .collect()
    }

    /// Years for one kind of text.
    #[must_use]
    pub const fn of(self, kind: TextKind) -> u32 {
        match kind {
            TextKind::Blind
            | TextKind::Detail
            | TextKind::Survey
            | TextKind::Call
            | TextKind::CallMessage
            | TextKind::CallOrder => self.clinical,
            TextKind::Report | TextKind::CallReport => self.reports,
        }
    }
}

/// A sealed text of a case or of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKind {
    /// The blind summary.
    Blind,
    /// What stands open after acceptance.
    Detail,
    /// What a taker told.
    Report,
    /// What the asker said of it.
    Survey,
    /// A call with its caller's number.
    Call,
    /// What a caller said before anybody was rung.
    CallMessage,
    /// What the bridge was told, with the numbers that were dialled.
    CallOrder,
    /// What came of a call.
    CallReport,
}

impl TextKind {
    /// The stable word in data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Detail => "detail",
            Self::Report => "report",
            Self::Survey => "survey",
            Self::Call => "call",
            Self::CallMessage => "call_message",
            Self::CallOrder => "call_order",
            Self::CallReport => "call_report",
        }
    }
}

/// Whom a text belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Case(RequestId),
    Call {
        id: CallId,
        /// The consult whose two doctors it connected; a hold on that holds the call.
        consult: Option<RequestId>,
    },
}

impl Owner {
    /// The case by whose hold it is held.
    #[must_use]
    pub const fn case(&self) -> Option<&RequestId> {
        match self {
            Self::Case(id) => Some(id),
            Self::Call { consult, .. } => consult.as_ref(),
        }
    }
}

/// One text sealed under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFacts {
    pub owner: Owner,
    pub kind: TextKind,
    /// When its case or call ended; `None` while it goes on.
    pub ended: Option<Millis>,
}

/// Legal holds that stand (消去の保留).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Nothing of the association is destroyed.
    pub everything: bool,
    /// Nothing of these cases is.
    pub cases: BTreeSet<RequestId>,
}

/// What becomes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// So many texts are not past their time, or all is on hold.
    Keep { waiting: usize },
    /// It goes, once these texts (by their places in the list) were moved under another key.
    Destroy { move_first: Vec<usize> },
}

/// Whether something that ended at `ended` is past its years: the day of its end, so many years later, is
/// over. 29 February counts as 1 March in other years.
#[must_use]
pub fn is_past(ended: Millis, years: u32, now: Millis, zone: Tz) -> bool {
    let day = civil_day(ended, zone);
    let year = day.year().saturating_add(i32::try_from(years).unwrap_or(i32::MAX));
    let last = CivilDate::new(year, day.month(), day.day()).or_else(|| CivilDate::new(year, 3, 1));
    last.is_some_and(|last| civil_day(now, zone) > last)
}

/// The first month whose key must still stand: cases of later months cannot be past their time. `2021-11`.
#[must_use]
pub fn oldest_young_month(years: RetentionYears, now: Millis, zone: Tz) -> String {
    let today = civil_day(now, zone);
    let years = i32::try_from(years.clinical.min(years.reports)).unwrap_or(i32::MAX);
    format!("{:04}-{:02}", today.year().saturating_sub(years), today.month())
}

/// Whether a key may be destroyed: when every text under it is past its time; those of a case on hold are
/// moved first, whether their time is over or not. `own`: the key is a held case's own already.
#[must_use]
pub fn judge(
    texts: &[TextFacts],
    own: bool,
    holds: &Holds,
    years: RetentionYears,
    now: Millis,
    zone: Tz,
) -> Verdict {
    if holds.everything {
        return Verdict::Keep { waiting: texts.len() };
    }
    let held = |text: &TextFacts| text.owner.case().is_some_and(|id| holds.cases.contains(id));
    let past = |text: &TextFacts| text.ended.is_some_and(|at| is_past(at, years.of(text.kind), now, zone));
    // A held text that waits is no reason to move it: its month waits with it.
    let waiting = texts.iter().filter(|t| !past(t) || own && held(t)).count();
    if waiting > 0 {
        return Verdict::Keep { waiting };
    }
    let move_first = texts.iter().enumerate().filter(|(_, t)| held(t)).map(|(i, _)| i).collect();
    Verdict::Destroy { move_first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;
    use proptest::prelude::*;

    const ZONE: Tz = chrono_tz::Japan;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn request(seed: u64) -> RequestId {
        RequestId::new(Millis(1_790_000_000_000), &SeededChance::new(seed))
    }

    fn text(seed: u64, kind: TextKind, ended: Option<&str>) -> TextFacts {
        TextFacts { owner: Owner::Case(request(seed)), kind, ended: ended.map(at) }
    }

    #[test]
    fn five_years_are_over_on_the_day_after_the_day_five_years_later() {
        let ended = at("2026-11-20T23:59:00+09:00");
        assert!(!is_past(ended, 5, at("2031-11-20T23:59:59+09:00"), ZONE));
        assert!(is_past(ended, 5, at("2031-11-21T00:00:00+09:00"), ZONE));
        // By the civil day of the zone: the same instant is a day earlier in UTC.
        assert!(!is_past(ended, 5, at("2031-11-20T14:59:59Z"), ZONE));
        let leap = at("2028-02-29T12:00:00+09:00");
        assert!(!is_past(leap, 5, at("2033-03-01T12:00:00+09:00"), ZONE));
        assert!(is_past(leap, 5, at("2033-03-02T00:00:00+09:00"), ZONE));
    }

    #[test]
    fn a_key_waits_for_the_last_of_its_texts() {
        let years = RetentionYears::default();
        let now = at("2031-12-01T04:00:00+09:00");
        let over = Some("2026-11-20T10:00:00+09:00");
        let mut texts = vec![text(1, TextKind::Detail, over), text(2, TextKind::Report, over)];
        let judged = |texts: &[TextFacts], years| judge(texts, false, &Holds::default(), years, now, ZONE);
        assert_eq!(judged(&texts, years), Verdict::Destroy { move_first: vec![] });
        assert_eq!(judged(&texts, RetentionYears { reports: 6, ..years }), Verdict::Keep { waiting: 1 });
        // A case that closed later, and one that never did.
        texts.push(text(3, TextKind::Blind, Some("2026-12-05T10:00:00+09:00")));
        texts.push(text(4, TextKind::Blind, None));
        assert_eq!(judged(&texts, years), Verdict::Keep { waiting: 2 });
    }

    #[test]
    fn a_held_case_is_moved_and_a_held_association_keeps_everything() {
        let years = RetentionYears::default();
        let now = at("2031-12-01T04:00:00+09:00");
        let over = Some("2026-11-20T10:00:00+09:00");
        let texts = [text(1, TextKind::Detail, over), text(2, TextKind::Detail, over)];
        let holds = Holds { everything: false, cases: [request(2)].into() };
        let judged = |own, holds| judge(&texts, own, holds, years, now, ZONE);
        assert_eq!(judged(false, &holds), Verdict::Destroy { move_first: vec![1] });
        // Its own key waits with it.
        assert_eq!(judged(true, &holds), Verdict::Keep { waiting: 1 });
        assert_eq!(
            judged(false, &Holds { everything: true, ..Holds::default() }),
            Verdict::Keep { waiting: 2 }
        );
    }

    #[test]
    fn a_call_waits_for_its_end_and_is_held_with_its_consult() {
        let years = RetentionYears::default();
        let now = at("2031-12-01T04:00:00+09:00");
        let call = |kind, consult, ended: Option<&str>| {
            let id = CallId::new(Millis(1_790_000_000_000), &SeededChance::new(9));
            TextFacts { owner: Owner::Call { id, consult }, kind, ended: ended.map(at) }
        };
        let over = Some("2026-11-20T10:00:00+09:00");
        let holds = Holds { everything: false, cases: [request(2)].into() };
        let judged = |texts: &[TextFacts], years| judge(texts, false, &holds, years, now, ZONE);
        let open = call(TextKind::CallMessage, None, None);
        assert_eq!(judged(&[open], years), Verdict::Keep { waiting: 1 });
        let told = call(TextKind::CallReport, None, over);
        assert_eq!(judged(&[told], RetentionYears { reports: 6, ..years }), Verdict::Keep { waiting: 1 });
        let mixed = [call(TextKind::Call, None, over), call(TextKind::Call, Some(request(2)), over)];
        assert_eq!(judged(&mixed, years), Verdict::Destroy { move_first: vec![1] });
    }

    #[test]
    fn years_outside_of_the_bounds_are_told_by_name() {
        assert!(RetentionYears::default().wrong().is_empty());
        assert_eq!(RetentionYears { clinical: 0, reports: 5, ledger: 31 }.wrong(), ["clinical", "ledger"]);
    }

    #[test]
    fn months_within_the_years_are_not_even_looked_at() {
        let years = RetentionYears { clinical: 7, reports: 5, ledger: 10 };
        assert_eq!(oldest_young_month(years, at("2031-12-01T04:00:00+09:00"), ZONE), "2026-12");
    }

    proptest! {
        #[test]
        fn nothing_held_or_young_is_ever_destroyed(
            ends in prop::collection::vec((0u64..6, prop::option::of(0i64..4_000)), 0..12),
            held in prop::collection::btree_set(0u64..6, 0..3), days in 0i64..5_000, own: bool,
        ) {
            let start = at("2026-11-20T10:00:00+09:00");
            let now = start.plus_s(days * 86_400);
            let texts: Vec<TextFacts> = ends.iter().map(|(seed, ended)| TextFacts {
                owner: Owner::Case(request(*seed)), kind: TextKind::Detail,
                ended: ended.map(|d| start.plus_s(d * 86_400)),
            }).collect();
            let holds = Holds { everything: false, cases: held.iter().map(|s| request(*s)).collect() };
            let years = RetentionYears::default();
            if let Verdict::Destroy { move_first } = judge(&texts, own, &holds, years, now, ZONE) {
                for (i, text) in texts.iter().enumerate() {
                    prop_assert!(text.ended.is_some_and(|e| is_past(e, 5, now, ZONE)));
                    prop_assert_eq!(move_first.contains(&i), text.owner.case().is_some_and(|id| holds.cases.contains(id)));
                }
            }
        }
    }
}
