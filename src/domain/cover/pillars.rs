//! Which pillar (受け皿) may take a slot of a cover: one that is switched on and in contract on all of its days, whose
//! hours reach over the whole of it, that serves the clinic's area, and of which every household of the clinic was
//! told. Who is rung while it lasts is `rung`; what a household's answer means is `households`.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::households::Contract;
use super::time_of;
use crate::domain::calendar::{CivilDate, civil_day, instant_of};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::dispatch::{Request, Rule, Selector};
use crate::ids::{InstitutionId, MemberId};
use crate::time::{Millis, Window};

/// Days that may be written into a pillar's rota at once.
pub const ROTA_DAYS_MAX: i64 = 62;
/// Lines of a pillar's rota that may be ahead.
pub const ROTA_LINES_MAX: usize = 500;

/// What stands by beside the members' own rota (受け皿), in the order in which a plan asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PillarKind {
    /// Home-care clinics that can guarantee 24 hours.
    #[default]
    HomeCare,
    /// Companies that only visit (往診専門会社).
    Visits,
}

impl PillarKind {
    pub const ALL: [Self; 2] = [Self::HomeCare, Self::Visits];

    /// The stable word: the name that a plan's `pillar:NAME` asks.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::HomeCare => "home_care",
            Self::Visits => "visits",
        }
    }

    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The hours of a day as minutes from midnight; over midnight where they are in that order, the same minute twice: a
/// whole day from there.
#[must_use]
pub fn hours_of(day: CivilDate, (from, to): (u16, u16), zone: Tz) -> Window {
    let end = if from < to { day } else { day.plus_days(1) };
    Window {
        from: instant_of(day, time_of(from.into()), zone),
        to: instant_of(end, time_of(to.into()), zone),
    }
}

/// Days on which somebody of a pillar is rung, to be written into its rota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPillarDuty {
    /// The first and the last day on which the hours begin.
    pub days: (CivilDate, CivilDate),
    /// Minutes of the day, as [`hours_of`] reads them.
    pub hours: (u16, u16),
}

impl NewPillarDuty {
    /// The hours of each day.
    ///
    /// # Errors
    /// The days are reversed or too many; they lie in the past.
    pub fn windows(&self, now: Millis, zone: Tz) -> Result<Vec<Window>, FieldWrong> {
        let (first, last) = self.days;
        let wrong = |field, wrong| Err(FieldWrong { field, wrong });
        let count = last.days_since(first);
        if count < 0 {
            return wrong("last", Wrong::TooSoon);
        }
        if count >= ROTA_DAYS_MAX {
            return wrong("last", Wrong::TooLate);
        }
        let windows: Vec<Window> =
            (0..=count).map(|n| hours_of(first.plus_days(n), self.hours, zone)).collect();
        if windows.first().is_some_and(|w| w.to <= now) {
            return wrong("first", Wrong::TooSoon);
        }
        Ok(windows)
    }
}

/// What stands behind a pillar, for one clinic, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarTerms {
    pub on: bool,
    pub contract: Contract,
    /// Minutes of the day from which and until which it serves, over midnight where they are in that order; the same
    /// minute twice: always.
    pub hours: (u16, u16),
    /// None: everywhere.
    pub areas: Vec<String>,
    /// Every household of the clinic was told of it, and none refused.
    pub told: bool,
}

impl PillarTerms {
    /// Whether it may take these hours for a clinic of this area; a clinic of no area is of every one.
    ///
    /// # Errors
    /// The first rule against it: the contract, the hours or the area, the households.
    pub fn may_cover(&self, area: &str, window: Window, zone: Tz) -> Result<(), Rule> {
        let days = [civil_day(window.from, zone), civil_day(window.to.plus_ms(-1), zone)];
        if !self.on || !days.into_iter().all(|day| self.contract.runs_on(day)) {
            return Err(Rule::PillarContract);
        }
        let here = self.areas.is_empty() || area.is_empty() || self.areas.iter().any(|own| own == area);
        if !here || !self.serves_throughout(window, zone) {
            return Err(Rule::PillarHours);
        }
        if self.told { Ok(()) } else { Err(Rule::PillarUntold) }
    }

    /// Its hours of one day reach over the whole window.
    fn serves_throughout(&self, window: Window, zone: Tz) -> bool {
        if self.hours.0 == self.hours.1 {
            return true;
        }
        let first = civil_day(window.from, zone).plus_days(-1);
        let days = civil_day(window.to, zone).days_since(first);
        (0..=days).any(|n| {
            let hours = hours_of(first.plus_days(n), self.hours, zone);
            hours.from <= window.from && window.to <= hours.to
        })
    }
}

/// Somebody who answers for a pillar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub person: MemberId,
    /// Has an address that mail reaches.
    pub reachable: bool,
}

/// A pillar and one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverPillar {
    pub institution: InstitutionId,
    pub kind: PillarKind,
    /// Who answers for it, none of them of the clinic that is covered.
    pub people: Vec<Contact>,
    /// Why it may not take the slot; `None`: it may.
    pub against: Option<Rule>,
}

/// The kind of pillars that a step asks.
#[must_use]
pub fn pillar_of_step(request: &Request, step: usize) -> Option<PillarKind> {
    match request.step(step).map(|s| &s.ask) {
        Some(Selector::Pillar(name)) => PillarKind::of(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Tokyo;

    use super::*;
    use crate::time::Millis;

    fn window(from: &str, to: &str) -> Window {
        let at = |text: &str| Millis::parse_rfc3339(text).unwrap();
        Window::new(at(from), at(to)).unwrap()
    }

    fn terms() -> PillarTerms {
        PillarTerms {
            on: true,
            contract: Contract {
                from: Some("2026-04-01".parse().unwrap()),
                until: Some("2026-12-12".parse().unwrap()),
            },
            hours: (18 * 60, 8 * 60),
            areas: vec!["青葉北".to_owned()],
            told: true,
        }
    }

    #[test]
    fn a_line_of_its_rota_is_a_day_or_a_night_of_each_day() {
        let day = |text: &str| text.parse::<CivilDate>().unwrap();
        let now = Millis::parse_rfc3339("2026-12-10T12:00:00+09:00").unwrap();
        let new = |first, last, hours| NewPillarDuty { days: (day(first), day(last)), hours };
        let nights = new("2026-12-10", "2026-12-11", (1_080, 480)).windows(now, Tokyo).unwrap();
        let of = |from, to| window(from, to);
        assert_eq!(
            nights,
            [
                of("2026-12-10T18:00:00+09:00", "2026-12-11T08:00:00+09:00"),
                of("2026-12-11T18:00:00+09:00", "2026-12-12T08:00:00+09:00"),
            ]
        );
        let whole = new("2026-12-10", "2026-12-10", (0, 0)).windows(now, Tokyo).unwrap();
        assert_eq!(whole, [of("2026-12-10T00:00:00+09:00", "2026-12-11T00:00:00+09:00")]);
        // Last night is not over before its end.
        assert!(new("2026-12-09", "2026-12-09", (1_080, 780)).windows(now, Tokyo).is_ok());
        for (first, last, hours, field, wrong) in [
            ("2026-12-09", "2026-12-12", (1_080, 480), "first", Wrong::TooSoon),
            ("2026-12-12", "2026-12-11", (1_080, 480), "last", Wrong::TooSoon),
            ("2026-12-12", "2027-02-12", (1_080, 480), "last", Wrong::TooLate),
        ] {
            assert_eq!(
                new(first, last, hours).windows(now, Tokyo),
                Err(FieldWrong { field, wrong }),
                "{first} {last}"
            );
        }
    }

    #[test]
    fn a_pillar_takes_only_hours_that_its_own_reach_over() {
        let covers = |from, to| terms().may_cover("青葉北", window(from, to), Tokyo);
        assert_eq!(covers("2026-12-10T18:00:00+09:00", "2026-12-11T08:00:00+09:00"), Ok(()));
        assert_eq!(
            covers("2026-12-11T01:00:00+09:00", "2026-12-11T02:00:00+09:00"),
            Ok(()),
            "after midnight"
        );
        for (from, to) in [
            ("2026-12-10T17:59:00+09:00", "2026-12-11T08:00:00+09:00"),
            ("2026-12-10T18:00:00+09:00", "2026-12-11T08:01:00+09:00"),
            ("2026-12-10T09:00:00+09:00", "2026-12-10T17:00:00+09:00"),
            ("2026-12-10T18:00:00+09:00", "2026-12-12T08:00:00+09:00"),
        ] {
            assert_eq!(covers(from, to), Err(Rule::PillarHours), "{from} to {to}");
        }
        let day = PillarTerms { hours: (9 * 60, 17 * 60), ..terms() };
        let noon = window("2026-12-10T09:00:00+09:00", "2026-12-10T17:00:00+09:00");
        assert_eq!(day.may_cover("青葉北", noon, Tokyo), Ok(()));
        let always = PillarTerms { hours: (0, 0), ..terms() };
        let long = window("2026-12-09T00:00:00+09:00", "2026-12-12T00:00:00+09:00");
        assert_eq!(always.may_cover("青葉北", long, Tokyo), Ok(()));
    }

    #[test]
    fn a_pillar_is_refused_by_its_contract_its_area_and_the_households() {
        let night = window("2026-12-10T18:00:00+09:00", "2026-12-11T08:00:00+09:00");
        let last = window("2026-12-12T18:00:00+09:00", "2026-12-13T08:00:00+09:00");
        let may = |terms: &PillarTerms, window| terms.may_cover("青葉北", window, Tokyo);
        assert_eq!(may(&terms(), last), Err(Rule::PillarContract), "it ends during the night");
        assert_eq!(may(&PillarTerms { on: false, ..terms() }, night), Err(Rule::PillarContract));
        assert_eq!(may(&PillarTerms { told: false, ..terms() }, night), Err(Rule::PillarUntold));
        assert_eq!(terms().may_cover("青葉南", night, Tokyo), Err(Rule::PillarHours));
        assert_eq!(terms().may_cover("", night, Tokyo), Ok(()), "of no area: of every one");
        assert_eq!(PillarTerms { areas: vec![], ..terms() }.may_cover("青葉南", night, Tokyo), Ok(()));
    }
}
