//! Subsidy programmes (補助事業): who funds what, from when until when, how much there is, and how it is
//! claimed. What is paid for a single event is `tariff`'s; what a claim comes to is `claim`'s.

use serde::{Deserialize, Serialize};

use super::event::{Code, coded};
use super::month::Month;
use crate::domain::calendar::CivilDate;
use crate::money::Yen;

coded! {
    /// What happens when the budget (予算) does not reach.
    BudgetRule {
        /// 先着順: in the order of the events; the first that does not fit ends it.
        FirstCome = "first_come",
        /// 按分: all are shared down when the year closes.
        Prorated = "prorated",
    }

    /// How often is claimed (請求の周期).
    Cycle {
        Month = "month",
        /// April to June, July to September, and so on.
        Quarter = "quarter",
        /// A fiscal year.
        Year = "year",
    }

    /// Who makes one claim.
    ClaimBy {
        /// The association, for everybody.
        Program = "program",
        /// Each institution for itself.
        Institution = "institution",
    }

    /// To which day duty over midnight belongs.
    StandbyDay {
        /// The day on which the slot starts, also on 31 March.
        SlotStart = "slot_start",
        /// Each day its own hours.
        Split = "split",
    }
}

/// The money of a programme for each fiscal year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub yen: Yen,
    pub rule: BudgetRule,
}

/// How a programme is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRule {
    pub cycle: Cycle,
    pub by: ClaimBy,
    /// The whole claim, not its lines, is cut to a multiple of this: 1,000 where less is cut off (千円未満切捨て).
    pub unit_yen: i64,
    /// The lesser of the standard amount and what was really paid (基準額と実支出額の低い方).
    pub lesser_of_actual: bool,
    /// And then the lesser of that and the cost without other income (総事業費から寄附金その他の収入額を控除).
    pub less_other_income: bool,
    /// Days after the end of the cycle until the claim must be in; `None`: none is known.
    pub due_days: Option<u32>,
}

impl ClaimRule {
    /// Every month, for everybody, to the yen.
    pub const PLAIN: Self = Self {
        cycle: Cycle::Month,
        by: ClaimBy::Program,
        unit_yen: 1,
        lesser_of_actual: false,
        less_other_income: false,
        due_days: None,
    };
}

impl ClaimRule {
    /// The day by which the claim of a cycle that ends with this month must be in.
    #[must_use]
    pub fn due(&self, last: Month) -> Option<CivilDate> {
        self.due_days.map(|days| last.end().plus_days(i64::from(days) - 1))
    }
}

impl Cycle {
    /// The months of the cycle in which a month lies: the first and the last.
    #[must_use]
    pub fn of(self, month: Month) -> (Month, Month) {
        let first = match self {
            Self::Month => month,
            Self::Quarter => month.plus(-i64::from(month.in_fiscal_year() % 3)),
            Self::Year => month.plus(-i64::from(month.in_fiscal_year())),
        };
        let length = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        };
        (first, first.plus(length - 1))
    }
}

/// One programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Unique in its file.
    pub code: Code,
    pub name: String,
    /// Who pays: the city, the prefecture.
    pub funder: String,
    /// The first day of the programme.
    pub from: CivilDate,
    /// The first day on which it is over; it may end in the middle of a month.
    pub before: CivilDate,
    pub budget: Option<Budget>,
    /// The programme that goes on where this one ends.
    pub successor: Option<Code>,
    pub claim: ClaimRule,
    pub standby_day: StandbyDay,
    /// Whether the amounts include the consumption tax (税込); printed, never calculated with.
    pub tax_included: Option<bool>,
    pub remarks: String,
}

impl Program {
    /// Whether the day lies in the programme.
    #[must_use]
    pub fn in_dates(&self, date: CivilDate) -> bool {
        self.from <= date && date < self.before
    }
}

/// What was really paid and came in, for one claim, as the books say (収支).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// What the programme's own expenses came to (対象経費の実支出額).
    pub actual: Yen,
    /// The cost of the whole undertaking (総事業費).
    pub total_cost: Yen,
    /// Gifts and other income (寄附金その他の収入額).
    pub other_income: Yen,
}

/// A claim, step by step, so that it can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The sum of its lines (基準額).
    pub standard: Yen,
    /// The books it was held against, where the programme asks for them.
    pub books: Option<Books>,
    /// After books, before cutting.
    pub before_cut: Yen,
    /// What is cut off below the unit.
    pub cut: Yen,
    /// What is claimed.
    pub amount: Yen,
}

/// What a claim comes to. `None` where the programme asks for the books and there are none yet. A sum below
/// nought, after corrections, is claimed as it is: what is given back is not cut.
#[must_use]
pub fn claim(rule: &ClaimRule, standard: Yen, books: Option<Books>) -> Option<Claim> {
    let needs_books = rule.lesser_of_actual || rule.less_other_income;
    let books = if needs_books { Some(books?) } else { None };
    let mut before_cut = standard.0;
    if let Some(books) = books {
        if rule.lesser_of_actual {
            before_cut = before_cut.min(books.actual.0);
        }
        if rule.less_other_income {
            before_cut = before_cut.min(books.total_cost.0.saturating_sub(books.other_income.0).max(0));
        }
    }
    let cut = if before_cut > 0 { before_cut % rule.unit_yen.max(1) } else { 0 };
    let amount = Yen(before_cut - cut);
    Some(Claim { standard, books, before_cut: Yen(before_cut), cut: Yen(cut), amount })
}

/// Shares a budget down (按分) over sums, to the yen: each gets its part rounded down, what is left goes to the
/// largest remainders, then to the first. Sums that fit are not changed; sums below nought stay as they are.
#[must_use]
pub fn prorated(budget: Yen, sums: &[Yen]) -> Vec<Yen> {
    let owed: i128 = sums.iter().map(|s| i128::from(s.0)).sum();
    let below: i128 = sums.iter().map(|s| i128::from(s.0.min(0))).sum();
    let positive = owed - below;
    // What is given back can be paid out again.
    let there = i128::from(budget.0.max(0)) - below;
    if positive <= there {
        return sums.to_vec();
    }
    let mut left = there;
    let mut remainders = Vec::new();
    let mut shares: Vec<Yen> = Vec::with_capacity(sums.len());
    for (at, sum) in sums.iter().enumerate() {
        if sum.0 <= 0 {
            shares.push(*sum);
            continue;
        }
        let exact = i128::from(sum.0) * there;
        let floor = exact.div_euclid(positive);
        left -= floor;
        remainders.push((std::cmp::Reverse(exact.rem_euclid(positive)), at));
        shares.push(Yen(i64::try_from(floor).unwrap_or(sum.0)));
    }
    remainders.sort_unstable();
    for (_, at) in remainders.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(at) {
            share.0 += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn less_than_a_thousand_is_cut_from_the_claim_and_the_lesser_amount_counts() {
        let days = Yen(47_000 * 21);
        let lesser = ClaimRule { unit_yen: 1_000, lesser_of_actual: true, ..ClaimRule::PLAIN };
        let books = Books { actual: Yen(912_345), ..Books::default() };
        let made = claim(&lesser, days, Some(books)).unwrap();
        assert_eq!(
            (made.standard, made.before_cut, made.cut, made.amount),
            (days, Yen(912_345), Yen(345), Yen(912_000))
        );
        let dear = Books { actual: Yen(2_000_000), ..Books::default() };
        assert_eq!(claim(&lesser, days, Some(dear)).unwrap().amount, days);
        // Without the books nobody knows.
        assert_eq!(claim(&lesser, days, None), None);
        // 三方: the standard, what was paid, and what remains after other income.
        let other = ClaimRule { less_other_income: true, ..lesser };
        let books = Books { actual: Yen(950_500), total_cost: Yen(1_200_900), other_income: Yen(300_000) };
        assert_eq!(claim(&other, days, Some(books)).unwrap().amount, Yen(900_000));
        let rich = Books { other_income: Yen(9_000_000), ..books };
        assert_eq!(claim(&other, days, Some(rich)).unwrap().amount, Yen(0));
        // What is given back after a correction is not cut.
        let back = claim(&ClaimRule { unit_yen: 1_000, ..ClaimRule::PLAIN }, Yen(-1_500), None).unwrap();
        assert_eq!((back.cut, back.amount), (Yen(0), Yen(-1_500)));
    }

    #[test]
    fn quarters_and_years_are_those_of_the_fiscal_year() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        for (cycle, of, from, to) in [
            (Cycle::Quarter, "2026-04", "2026-04", "2026-06"),
            (Cycle::Quarter, "2027-03", "2027-01", "2027-03"),
            (Cycle::Quarter, "2026-12", "2026-10", "2026-12"),
            (Cycle::Year, "2027-03", "2026-04", "2027-03"),
            (Cycle::Year, "2026-04", "2026-04", "2027-03"),
            (Cycle::Month, "2026-12", "2026-12", "2026-12"),
        ] {
            assert_eq!(cycle.of(month(of)), (month(from), month(to)), "{of}");
        }
    }

    proptest! {
        #[test]
        fn a_budget_shared_down_is_spent_to_the_yen(sums in prop::collection::vec(-5_000i64..1_000_000, 0..60), budget in 0i64..20_000_000) {
            let sums: Vec<Yen> = sums.into_iter().map(Yen).collect();
            let shares = prorated(Yen(budget), &sums);
            let all = |y: &[Yen]| y.iter().map(|y| y.0).sum::<i64>();
            prop_assert_eq!(shares.len(), sums.len());
            prop_assert!(shares.iter().zip(&sums).all(|(share, sum)| share <= sum));
            prop_assert_eq!(all(&shares), all(&sums).min(budget.max(all(&sums.iter().map(|s| Yen(s.0.min(0))).collect::<Vec<_>>()))));
        }
    }
}
