//! What a home-care support clinic shows of twelve months (在宅療養支援診療所・連携型の実績): continuous 24-hour turns,
//! emergency visits, deaths at home, conferences; for itself and together with its care group. The facility criteria
//! (特掲診療料の施設基準, notice of FY2024) ask for them; the yearly report goes on forms 11-3 and 11-4.

use serde::{Deserialize, Serialize};

use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::ledger::Month;

/// What a clinic writes down itself; calls and covers of this service are counted without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// 緊急の往診
    EmergencyVisit,
    /// 在宅看取り
    HomeDeath,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::EmergencyVisit, Self::HomeDeath];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmergencyVisit => "emergency_visit",
            Self::HomeDeath => "home_death",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The most one line may count.
pub const NUMBER_MAX: i64 = 200;
/// Months of a year, the shown one last.
pub const MONTHS: i64 = 12;

/// The months of the year that ends with `last`.
pub fn months(last: Month) -> impl Iterator<Item = Month> {
    (1 - MONTHS..=0).map(move |back| last.plus(back))
}

/// What is wrong with a line about a day: to come, or so long ago that no report asks for it.
#[must_use]
pub fn wrong_day(day: CivilDate, today: CivilDate) -> Option<FieldWrong> {
    let wrong = if day > today {
        Wrong::TooLate
    } else if day < today.plus_days(-2 * 366) {
        Wrong::OutOfRange
    } else {
        return None;
    };
    Some(FieldWrong { field: "day", wrong })
}

/// Whether a number of a line can be.
#[must_use]
pub fn wrong_number(field: &'static str, number: Option<i64>, least: i64) -> Option<FieldWrong> {
    match number {
        None => Some(FieldWrong { field, wrong: Wrong::Missing }),
        Some(n) if (least..=NUMBER_MAX).contains(&n) => None,
        Some(_) => Some(FieldWrong { field, wrong: Wrong::OutOfRange }),
    }
}

/// What was counted in a month, or in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Continuous 24-hour turns that are over.
    pub turns: i64,
    /// Emergency visits.
    pub visits: i64,
    /// Deaths at home.
    pub deaths: i64,
    pub conferences: i64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            turns: self.turns + other.turns,
            visits: self.visits + other.visits,
            deaths: self.deaths + other.deaths,
            conferences: self.conferences + other.conferences,
        }
    }
}

/// One figure that the criteria ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// `own_visits`, `own_deaths`, `group_visits`, `group_deaths`, `conference_months`.
    pub code: &'static str,
    pub has: i64,
    pub needs: i64,
}

impl Demand {
    /// Reached.
    #[must_use]
    pub const fn is_met(self) -> bool {
        self.has >= self.needs
    }
}

/// What the criteria for the strengthened types (機能強化型) ask of a year, and how far it is. In a group (連携型):
/// ten emergency visits together and four of its own, four deaths at home together and two of its own, and a
/// conference about every month. Alone (単独型): ten and four of its own. Where a group counts, its own months are in
/// it.
#[must_use]
pub fn demands(own: &[Counts], group: Option<&[Counts]>) -> Vec<Demand> {
    let sum = |months: &[Counts]| months.iter().fold(Counts::default(), |sum, month| sum.plus(*month));
    let of = |code, has, needs| Demand { code, has, needs };
    let mine = sum(own);
    let Some(months) = group else {
        return vec![of("own_visits", mine.visits, 10), of("own_deaths", mine.deaths, 4)];
    };
    let all = sum(months);
    let held = months.iter().filter(|month| month.conferences > 0).count();
    vec![
        of("own_visits", mine.visits, 4),
        of("group_visits", all.visits, 10),
        of("own_deaths", mine.deaths, 2),
        of("group_deaths", all.deaths, 4),
        of("conference_months", i64::try_from(held).unwrap_or(i64::MAX), MONTHS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_twelve_months_and_ends_with_the_shown_one() {
        let all: Vec<String> = months("2027-02".parse().unwrap()).map(|m| m.to_string()).collect();
        assert_eq!((all.len(), all[0].as_str(), all[11].as_str()), (12, "2026-03", "2027-02"));
    }

    #[test]
    fn alone_the_clinic_has_to_do_what_a_group_does_together() {
        let month = Counts { turns: 1, visits: 1, deaths: 0, conferences: 1 };
        let own = [month; 12];
        let met = |all: &[Demand]| all.iter().map(|d| (d.code, d.is_met())).collect::<Vec<_>>();
        assert_eq!(met(&demands(&own, None)), [("own_visits", true), ("own_deaths", false)]);
        let nine = [Counts { visits: 0, ..month }; 3];
        assert!(!demands(&[&own[..9], &nine].concat(), None)[0].is_met(), "nine are not ten");
        let group = [month.plus(Counts { deaths: 1, ..Counts::default() }); 12];
        let all = demands(&own, Some(&group));
        assert_eq!(
            met(&all),
            [
                ("own_visits", true),
                ("group_visits", true),
                ("own_deaths", false),
                ("group_deaths", true),
                ("conference_months", true),
            ]
        );
        let mut eleven = group;
        eleven[4].conferences = 0;
        assert!(!demands(&own, Some(&eleven))[4].is_met(), "one month without");
    }

    #[test]
    fn days_to_come_and_numbers_that_cannot_be_are_refused() {
        let day = |text: &str| text.parse::<CivilDate>().unwrap();
        let today = day("2026-11-20");
        assert_eq!(wrong_day(today, today), None);
        assert_eq!(wrong_day(day("2026-11-21"), today).unwrap().wrong, Wrong::TooLate);
        assert_eq!(wrong_day(day("2020-11-21"), today).unwrap().wrong, Wrong::OutOfRange);
        assert_eq!(wrong_number("number", Some(0), 1).unwrap().wrong, Wrong::OutOfRange);
        assert_eq!(wrong_number("number", None, 1).unwrap().wrong, Wrong::Missing);
        assert_eq!(wrong_number("patients", Some(0), 0), None);
    }
}
