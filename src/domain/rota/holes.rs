//! What is missing from the required hours (空き), for any window: nobody on, several on, or primary and
//! deputy of one institution.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::model::{Area, Holder, RotaRole};
use super::slots::SlotBook;
use super::timeline::{Gap, Segment, Standing, Timeline};
use crate::domain::calendar::Calendar;
use crate::ids::InstitutionId;
use crate::time::Window;

/// Required hours in which nobody is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Where.
    pub area: Area,
    /// Which role.
    pub role: RotaRole,
    /// From when until when.
    pub window: Window,
    /// Why, in order of time; several where the reason changes within the hole.
    pub why: Vec<Gap>,
}

/// Required hours in which the wrong number or mixture of people is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "clash", rename_all = "snake_case")]
pub enum Clash {
    /// Slots of one role overlap: everybody is shown.
    Several { area: Area, role: RotaRole, window: Window, people: Vec<Holder> },
    /// Primary and deputy come from one institution, or are one person.
    SameInstitution { area: Area, window: Window, institution: InstitutionId },
}

/// The data by which hours are required.
#[derive(Clone, Copy, Debug)]
pub struct Required<'a> {
    /// The hours themselves.
    pub book: &'a SlotBook,
    /// Which days are off.
    pub calendar: &'a Calendar,
    /// The association's zone.
    pub zone: Tz,
}

impl Required<'_> {
    fn hours(&self, area: &Area, role: RotaRole, window: Window) -> Vec<Window> {
        self.book.required_hours(area, role, window, self.calendar, self.zone)
    }

    fn segments(&self, timeline: &Timeline, area: &Area, role: RotaRole, window: Window) -> Vec<Segment> {
        let hours = self.hours(area, role, window).into_iter();
        hours.flat_map(|hours| timeline.expand(area, role, hours)).collect()
    }
}

/// Every hole in the required hours of an area within a window, by time and role.
#[must_use]
pub fn holes(timeline: &Timeline, required: &Required<'_>, area: &Area, window: Window) -> Vec<Hole> {
    let mut holes = Vec::new();
    for role in RotaRole::ALL {
        let segments = required.segments(timeline, area, role, window).into_iter();
        holes.extend(segments.filter(|s| s.standing() == Standing::Gap).map(|segment| {
            let mut why: Vec<Gap> = segment.parts.into_iter().filter_map(|part| part.gap).collect();
            why.dedup();
            Hole { area: area.clone(), role, window: segment.window, why }
        }));
    }
    holes.sort_by_key(|hole| (hole.window, hole.role));
    holes
}

/// Every clash in the required hours of an area within a window, by time.
#[must_use]
pub fn clashes(timeline: &Timeline, required: &Required<'_>, area: &Area, window: Window) -> Vec<Clash> {
    let mut found: Vec<(Window, Clash)> = Vec::new();
    for role in RotaRole::ALL {
        let segments = required.segments(timeline, area, role, window).into_iter();
        for segment in segments.filter(|s| s.standing() == Standing::Overlap) {
            let Segment { window, people, .. } = segment;
            found.push((window, Clash::Several { area: area.clone(), role, window, people }));
        }
    }
    for primary in required.segments(timeline, area, RotaRole::Primary, window) {
        for part in timeline.parts_within(area, RotaRole::Deputy, primary.window) {
            let shared = part.held.iter().map(|h| &h.holder).find(|deputy| {
                primary
                    .people
                    .iter()
                    .any(|p| p.institution == deputy.institution || p.person == deputy.person)
            });
            let Some(shared) = shared else { continue };
            let (window, institution) = (part.window, shared.institution.clone());
            match found.last_mut() {
                Some((last, Clash::SameInstitution { window: told, institution: same, .. }))
                    if last.to == window.from && *same == institution =>
                {
                    last.to = window.to;
                    told.to = window.to;
                }
                _ => found.push((window, Clash::SameInstitution { area: area.clone(), window, institution })),
            }
        }
    }
    found.sort_by_key(|(window, _)| *window);
    found.into_iter().map(|(_, clash)| clash).collect()
}
