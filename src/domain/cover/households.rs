//! Which pillar may be used for a clinic's patients: only while its contract runs, and only where every household was
//! told of it. A call does not say whose household it is about, so a clinic counts as told when its list is whole and
//! everybody on it was told and nobody refused. The list itself is in `app`.

use serde::{Deserialize, Serialize};

use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong};

/// What a household is told of besides the pillars: that members of the association cover its clinic (会員の当番).
pub const MEMBERS: &str = "members";

/// Households one institution may list.
pub const HOUSEHOLDS_MAX: usize = 400;

/// What a household was told of the members' cover or of one pillar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Told {
    /// Explained on this day, and not refused.
    On { day: CivilDate },
    /// Explained, and refused on this day.
    Refused { day: CivilDate },
}

impl Told {
    /// What cannot be taken: nobody was told in the future.
    #[must_use]
    pub fn wrong(self, today: CivilDate) -> Option<FieldWrong> {
        let (Self::On { day } | Self::Refused { day }) = self;
        (day > today).then_some(FieldWrong { field: "day", wrong: Wrong::TooLate })
    }
}

/// A contract with whoever stands behind a pillar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contract {
    /// The first day; `None`: nothing was signed.
    pub from: Option<CivilDate>,
    /// The last day; `None`: until it is ended.
    pub until: Option<CivilDate>,
}

impl Contract {
    /// Whether it runs on this day.
    #[must_use]
    pub fn runs_on(self, day: CivilDate) -> bool {
        self.from.is_some_and(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// The last day lies before the first.
    #[must_use]
    pub fn is_backwards(self) -> bool {
        self.from.zip(self.until).is_some_and(|(from, until)| until < from)
    }
}

/// Whether every household of a clinic was told. `whole_since`: the day on which the clinic said that
/// nobody is missing on its list; `None`: it never did.
#[must_use]
pub fn all_told(whole_since: Option<CivilDate>, told: &[Option<Told>], day: CivilDate) -> bool {
    let agreed = |told: &Option<Told>| matches!(told, Some(Told::On { day: on }) if *on <= day);
    whole_since.is_some_and(|since| since <= day) && !told.is_empty() && told.iter().all(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_contract_runs_from_its_first_to_its_last_day() {
        let contract = Contract { from: Some(day("2026-04-01")), until: Some(day("2027-03-31")) };
        for (on, runs) in
            [("2026-03-31", false), ("2026-04-01", true), ("2027-03-31", true), ("2027-04-01", false)]
        {
            assert_eq!(contract.runs_on(day(on)), runs, "{on}");
        }
        assert!(!Contract::default().runs_on(day("2026-04-01")), "nothing was signed");
        assert!(Contract { until: None, ..contract }.runs_on(day("2030-01-01")));
        assert!(Contract { until: Some(day("2026-03-01")), ..contract }.is_backwards());
    }

    #[test]
    fn one_household_that_was_not_told_or_refused_stands_against_the_pillar() {
        let (today, since) = (day("2026-11-20"), Some(day("2026-11-01")));
        let on = |text: &str| Some(Told::On { day: day(text) });
        assert!(all_told(since, &[on("2026-11-01"), on("2026-11-20")], today));
        assert!(!all_told(since, &[on("2026-11-01"), None], today));
        assert!(!all_told(since, &[on("2026-11-01"), Some(Told::Refused { day: today })], today));
        assert!(!all_told(since, &[on("2026-11-21")], today), "told tomorrow");
        assert!(!all_told(None, &[on("2026-11-01")], today), "the list may not be whole");
        assert!(!all_told(Some(day("2026-11-21")), &[on("2026-11-01")], today));
        assert!(!all_told(since, &[], today), "nobody on the list is nobody told");
    }
}
