//! Which pillar (受け皿) may take a slot of a cover: one that is switched on and in contract on all of its days, whose
//! hours reach over the whole of it, that serves the clinic's area, and of which every household of the clinic was
//! told. Who is rung while it lasts is `rung`; what a household's answer means is `households`.

use chrono_tz::Tz;

use super::households::Contract;
use super::time_of;
use crate::domain::calendar::{civil_day, instant_of};
use crate::domain::dispatch::{Request, Rule, Selector};
use crate::ids::MemberId;
use crate::time::Window;

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
        let (from, to) = self.hours;
        if from == to {
            return true;
        }
        let first = civil_day(window.from, zone).plus_days(-1);
        let days = civil_day(window.to, zone).days_since(first);
        (0..=days).any(|n| {
            let day = first.plus_days(n);
            let end = if from < to { day } else { day.plus_days(1) };
            instant_of(day, time_of(from.into()), zone) <= window.from
                && window.to <= instant_of(end, time_of(to.into()), zone)
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
    pub name: String,
    /// Who answers for it, none of them of the clinic that is covered.
    pub people: Vec<Contact>,
    /// Why it may not take the slot; `None`: it may.
    pub against: Option<Rule>,
}

/// The pillar that a step asks.
#[must_use]
pub fn pillar_of_step(request: &Request, step: usize) -> Option<&str> {
    match request.step(step).map(|s| &s.ask) {
        Some(Selector::Pillar(name)) => Some(name),
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
