//! The rules of the rota as data, the people they are about, and what a breach of them is. Holding duties
//! against them is `judge`'s; the words are the pages'.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::blocks::{BlockRule, Run};
use super::model::{Area, CareGroup, RotaRole, SlotKey};
use super::slots::Slot;
use crate::domain::calendar::{Calendar, CivilDate};
use crate::domain::ledger::Code;
use crate::domain::people::entry::DutyProfile;
use crate::ids::{InstitutionId, MemberId};
use crate::time::Window;

/// The rules of an association, as data. What is left out is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Roles that count for rest, caps, wishes and pairs, and whose people come from different
    /// institutions.
    pub active: BTreeSet<RotaRole>,
    /// The people of the active roles of a slot come from different institutions.
    pub different_institutions: bool,
    /// Hours from the end of an active duty to the start of the next.
    pub rest_h: u32,
    /// Nights between the days on which two active duties begin: 3 allows the 1st and the 5th, 0 even the
    /// day and the night of one date.
    pub rest_nights: u32,
    /// Active duties of a person in a week, Monday to Sunday, by the day on which they begin.
    pub max_per_week: Option<u32>,
    /// Active duties of a person in a civil month, by the day on which they begin.
    pub max_per_month: Option<u32>,
    /// Active duties of all people of an institution in a week.
    pub institution_per_week: Option<u32>,
    /// Active duties of all people of an institution in a month.
    pub institution_per_month: Option<u32>,
    /// Qualifications somebody needs for a role, all of them.
    pub qualifications: BTreeMap<RotaRole, BTreeSet<Code>>,
    /// Roles that somebody may hold who advises by phone only (電話対応のみ).
    pub phone_only_roles: BTreeSet<RotaRole>,
    /// When a run of days off is one duty.
    pub block: Option<BlockRule>,
    /// People who are not to be on together.
    pub apart: Vec<Apart>,
}

impl Default for Rules {
    /// Primary and deputy active, of different institutions; phone-only people may stand behind them.
    fn default() -> Self {
        Self {
            active: [RotaRole::Primary, RotaRole::Deputy].into(),
            different_institutions: true,
            rest_h: 0,
            rest_nights: 0,
            max_per_week: None,
            max_per_month: None,
            institution_per_week: None,
            institution_per_month: None,
            qualifications: BTreeMap::new(),
            phone_only_roles: [RotaRole::Backing].into(),
            block: None,
            apart: Vec::new(),
        }
    }
}

/// Two people who are not to be active in one slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apart {
    /// One.
    pub a: MemberId,
    /// The other.
    pub b: MemberId,
    /// How much it matters; `None` = must not be.
    #[serde(default)]
    pub weight: Option<u32>,
}

/// At most so many active duties of these kinds together, over everything that is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCap {
    /// The kinds, counted together; empty = every kind.
    pub kinds: BTreeSet<Code>,
    /// The most.
    pub most: u32,
}

/// Somebody who may hold duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyPerson {
    /// Who.
    pub id: MemberId,
    /// For which institution.
    pub institution: InstitutionId,
    /// What duty they can carry.
    pub profile: DutyProfile,
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

impl DutyPerson {
    /// Somebody with a full share and no limits of their own.
    #[must_use]
    pub fn new(id: MemberId, institution: InstitutionId) -> Self {
        Self {
            id,
            institution,
            profile: DutyProfile::default(),
            qualifications: BTreeSet::new(),
            share_percent: 100,
            max_per_week: None,
            kind_caps: Vec::new(),
            never_kinds: BTreeSet::new(),
        }
    }
}

/// What somebody wishes for some days (希望).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum Wished {
    /// 不可: cannot; forbids every role.
    Unavailable,
    /// Rather not; the weight says how much.
    Off { weight: u32 },
    /// Gladly, on one of the days; the weight says how much.
    On { weight: u32 },
}

/// A wish. It is about duties that *begin* on its days: who cannot on the 5th may hold the night of the 4th.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wish {
    /// Whose.
    pub person: MemberId,
    /// From this day.
    pub first: CivilDate,
    /// Until this day, included.
    pub last: CivilDate,
    /// What.
    pub wished: Wished,
}

impl Wish {
    /// Whether the wish is about this day.
    #[must_use]
    pub fn covers(&self, day: CivilDate) -> bool {
        self.first <= day && day <= self.last
    }
}

/// A civil month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    /// The western year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: CivilDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }
}

/// Which rule is broken, with what is needed to say how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// Nobody of this id is known to the rota.
    Unknown,
    /// Takes no part in the rota.
    Exempt,
    /// The area's duty is held by a group to which the institution does not belong.
    NotOfTheGroup { institution: InstitutionId },
    /// The role is already held in overlapping hours: refused at publishing.
    RoleHeldTwice,
    /// One person in two roles of one slot.
    TwoRoles,
    /// One person on two duties at once.
    TwoDutiesAtOnce,
    /// Two active people of one slot come from one institution.
    SameInstitution { institution: InstitutionId },
    /// Too few hours since or until the neighbouring duty; negative when they overlap.
    RestHours { hours: i64, needed: u32 },
    /// Too few nights between the neighbouring duty and this.
    RestNights { nights: i64, needed: u32 },
    /// Too many in a week; named by its Monday.
    WeekCap { monday: CivilDate, most: u32 },
    /// Too many in a month.
    MonthCap { month: Month, most: u32 },
    /// Too many of some kinds.
    KindCap { kinds: BTreeSet<Code>, most: u32 },
    /// Too many of the institution in a week.
    InstitutionWeek { institution: InstitutionId, monday: CivilDate, most: u32 },
    /// Too many of the institution in a month.
    InstitutionMonth { institution: InstitutionId, month: Month, most: u32 },
    /// Lacks a qualification the role needs.
    Qualification { needs: Code },
    /// Nobody active in the slot has this qualification.
    NobodyQualified { needs: Code },
    /// Advises by phone only.
    PhoneOnly,
    /// Not between 22 and 6 o'clock.
    NoDeepNight,
    /// Never holds this kind.
    NeverKind,
    /// A run of days off is held by more than one person in one role.
    BlockSplit { block: Run },
    /// Two people who are not to be together.
    Together { weight: Option<u32> },
    /// Said that they cannot.
    Unavailable,
    /// Wished not to.
    WishedOff { weight: u32 },
    /// Wished to, and is not on.
    WishedOn { weight: u32 },
}

impl Rule {
    /// The stable word of the rule.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Exempt => "exempt",
            Self::NotOfTheGroup { .. } => "not_of_the_group",
            Self::RoleHeldTwice => "role_held_twice",
            Self::TwoRoles => "two_roles",
            Self::TwoDutiesAtOnce => "two_duties_at_once",
            Self::SameInstitution { .. } => "same_institution",
            Self::RestHours { .. } => "rest_hours",
            Self::RestNights { .. } => "rest_nights",
            Self::WeekCap { .. } => "week_cap",
            Self::MonthCap { .. } => "month_cap",
            Self::KindCap { .. } => "kind_cap",
            Self::InstitutionWeek { .. } => "institution_week",
            Self::InstitutionMonth { .. } => "institution_month",
            Self::Qualification { .. } => "qualification",
            Self::NobodyQualified { .. } => "nobody_qualified",
            Self::PhoneOnly => "phone_only",
            Self::NoDeepNight => "no_deep_night",
            Self::NeverKind => "never_kind",
            Self::BlockSplit { .. } => "block_split",
            Self::Together { .. } => "together",
            Self::Unavailable => "unavailable",
            Self::WishedOff { .. } => "wished_off",
            Self::WishedOn { .. } => "wished_on",
        }
    }

    /// Whether it must hold; otherwise it is a wish to be weighed.
    #[must_use]
    pub const fn is_hard(&self) -> bool {
        !matches!(self, Self::WishedOff { .. } | Self::WishedOn { .. } | Self::Together { weight: Some(_) })
    }

    /// What breaking a wish weighs; 0 for a rule that must hold.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        match self {
            Self::WishedOff { weight }
            | Self::WishedOn { weight }
            | Self::Together { weight: Some(weight) } => *weight,
            _ => 0,
        }
    }
}

/// A breach of a rule: who, when, which rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The hours of the duty that it is about; for a wish to be on, none.
    pub window: Option<Window>,
    /// Where; for a wish to be on, nowhere.
    pub area: Option<Area>,
    /// The slot.
    pub slot: Option<SlotKey>,
    /// The role.
    pub role: Option<RotaRole>,
    /// Whom it is about: the holder first, then the other of two.
    pub people: Vec<MemberId>,
    /// The other slot, where two are too close.
    pub other: Option<SlotKey>,
    /// Which rule.
    pub rule: Rule,
}

/// Everything that duties are held against.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Who may hold duty.
    pub people: &'a [DutyPerson],
    /// What they wish.
    pub wishes: &'a [Wish],
    /// The linked groups.
    pub groups: &'a [CareGroup],
    /// The slots; needed for who must be qualified in a slot.
    pub slots: &'a [Slot],
    /// Which days are off.
    pub calendar: &'a Calendar,
    /// The zone of the association.
    pub zone: Tz,
}
