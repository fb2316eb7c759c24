//! What an association sets for its rota beside the slot patterns: areas, rules, what is so for single people,
//! targets, and when people are reminded. Plain data with defaults under which a rota can be kept at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::model::Area;
use super::paper::CityRule;
use super::rules::{KindCap, Rules};
use crate::domain::ledger::Code;
use crate::ids::{CareGroupId, InstitutionId, MemberId};

/// The most areas of an association.
pub const AREAS_MAX: usize = 50;
/// The most characters of an area's name.
pub const AREA_NAME_MAX: usize = 60;
/// Days ahead for which holes may be mailed.
pub const HOLES_AHEAD_MAX: u32 = 370;

/// Everything set for the rota of an association; recorded as a whole, version by version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RotaSettings {
    /// The areas for which duty is held; never empty.
    pub areas: Vec<RotaArea>,
    /// The rules.
    pub rules: Rules,
    /// What is so for single people; whoever is not named has a full share and no limits.
    pub people: BTreeMap<MemberId, PersonSetting>,
    /// Continuous 24-hour turns a month that an institution wants to reach (連続24時間 2回/目標N).
    pub turn_targets: BTreeMap<InstitutionId, u32>,
    /// How duties change hands after publishing.
    pub swaps: SwapRules,
    /// When people are reminded of their duties, unless they choose otherwise.
    pub reminders: Reminders,
    /// The daily mail about holes.
    pub holes: HoleMail,
    /// By when the municipality wants the list of a month.
    pub city: CityRule,
    /// Days before the deadline of a collection on which those who have not answered are reminded.
    pub wish_reminder_days: BTreeSet<u32>,
}

impl Default for RotaSettings {
    fn default() -> Self {
        Self {
            areas: vec![RotaArea::all()],
            rules: Rules::default(),
            people: BTreeMap::new(),
            turn_targets: BTreeMap::new(),
            swaps: SwapRules::default(),
            reminders: Reminders::default(),
            holes: HoleMail::default(),
            city: CityRule::default(),
            wish_reminder_days: [7, 2].into(),
        }
    }
}

impl RotaSettings {
    /// The area with this key.
    #[must_use]
    pub fn area(&self, key: &Area) -> Option<&RotaArea> {
        self.areas.iter().find(|area| area.key == *key)
    }

    /// What cannot be taken: the name of the field and what is wrong with it.
    #[must_use]
    pub fn wrong(&self) -> Vec<(&'static str, SettingWrong)> {
        let mut wrong = Vec::new();
        if self.areas.is_empty() {
            wrong.push(("areas", SettingWrong::Missing));
        }
        if self.areas.len() > AREAS_MAX {
            wrong.push(("areas", SettingWrong::TooMany));
        }
        let keys: BTreeSet<&Area> = self.areas.iter().map(|area| &area.key).collect();
        if keys.len() != self.areas.len() {
            wrong.push(("areas", SettingWrong::Twice));
        }
        let named = |name: &str| !name.trim().is_empty() && name.chars().count() <= AREA_NAME_MAX;
        if !self.areas.iter().all(|area| named(&area.name)) {
            wrong.push(("areas", SettingWrong::Name));
        }
        if self.rules.active.is_empty() {
            wrong.push(("rules", SettingWrong::Missing));
        }
        if self.people.values().any(|person| person.share_percent > 1_000) {
            wrong.push(("people", SettingWrong::OutOfRange));
        }
        if self.city.wrong() {
            wrong.push(("city", SettingWrong::OutOfRange));
        }
        if self.holes.days_ahead > HOLES_AHEAD_MAX {
            wrong.push(("holes", SettingWrong::OutOfRange));
        }
        let minutes = self.reminders.day_before_min.into_iter().chain([self.holes.at_min]);
        if minutes.into_iter().any(|minute| minute >= 1_440) || self.reminders.wrong() {
            wrong.push(("reminders", SettingWrong::OutOfRange));
        }
        if self.wish_reminder_days.iter().any(|days| *days > 60) {
            wrong.push(("wish_reminder_days", SettingWrong::OutOfRange));
        }
        wrong
    }
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingWrong {
    /// At least one is needed.
    Missing,
    /// More than can be kept.
    TooMany,
    /// The same key twice.
    Twice,
    /// Empty or too long.
    Name,
    /// A number beyond all sense.
    OutOfRange,
}

/// An area for which duty is held (当番の地区).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaArea {
    /// Its key in the data.
    pub key: Area,
    /// Its name on screen and paper.
    pub name: String,
    /// The care group whose institutions alone hold its duty, where the institution is the unit of rotation.
    #[serde(default)]
    pub group: Option<CareGroupId>,
}

impl RotaArea {
    /// The one area of an association that has no areas (全域).
    #[must_use]
    pub fn all() -> Self {
        let key = "all".parse().expect("a plain word is the key of an area");
        Self { key, name: "全域".to_owned(), group: None }
    }
}

/// What is so for one person, beside their duty profile in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersonSetting {
    /// What they are qualified for.
    pub qualifications: BTreeSet<Code>,
    /// Percent of a full share of the points.
    pub share_percent: u32,
    /// Active duties a week at most.
    pub max_per_week: Option<u32>,
    /// Caps on kinds.
    pub kind_caps: Vec<KindCap>,
    /// Kinds of slots they never hold in an active role.
    pub never_kinds: BTreeSet<Code>,
}

impl Default for PersonSetting {
    fn default() -> Self {
        Self {
            qualifications: BTreeSet::new(),
            share_percent: 100,
            max_per_week: None,
            kind_caps: Vec::new(),
            never_kinds: BTreeSet::new(),
        }
    }
}

/// How duties change hands after publishing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SwapRules {
    /// The coordinator must agree before a swap counts.
    pub coordinator_agrees: bool,
    /// Within so many hours of the beginning somebody also confirms by phone; 0 = never.
    pub phone_within_h: u32,
}

impl Default for SwapRules {
    fn default() -> Self {
        Self { coordinator_agrees: false, phone_within_h: 24 }
    }
}

/// When somebody is reminded of their duties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// On the day before, at this minute of the day; `None` = not.
    pub day_before_min: Option<u32>,
    /// So many minutes before the hand-over; 0 = at it; `None` = not.
    pub before_start_min: Option<u32>,
}

impl Reminders {
    /// The longest time before a hand-over, in minutes: half a day.
    pub const BEFORE_START_MAX: u32 = 720;

    /// Whether a number is beyond all sense.
    #[must_use]
    pub fn wrong(&self) -> bool {
        self.day_before_min.is_some_and(|minute| minute >= 1_440)
            || self.before_start_min.is_some_and(|minutes| minutes > Self::BEFORE_START_MAX)
    }
}

impl Default for Reminders {
    /// At 18:00 on the day before, and at the hand-over.
    fn default() -> Self {
        Self { day_before_min: Some(18 * 60), before_start_min: Some(0) }
    }
}

/// The daily mail about holes to the coordinators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoleMail {
    /// At this minute of the day.
    pub at_min: u32,
    /// About so many days from today on.
    pub days_ahead: u32,
}

impl Default for HoleMail {
    /// At 8:30, about two weeks.
    fn default() -> Self {
        Self { at_min: 8 * 60 + 30, days_ahead: 14 }
    }
}
