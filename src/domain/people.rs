//! People and institutions as the decisions see them: who is a member, who volunteers for what, when they
//! may be contacted. Names, addresses and phone numbers stay in `store`.

use chrono::Timelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::{CivilDate, civil_day, instant_of, wall_clock};
use crate::domain::dispatch::{Candidate, Request, Selector, settle::PersonFacts};
use crate::ids::{InstitutionId, MemberId};
use crate::time::Millis;

/// What somebody may do (役割). One person may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A home-care doctor: asks.
    Physician,
    /// Volunteers for consults (協力医).
    Specialist,
    /// The association's office (事務局).
    Clerk,
    /// 調整担当 (世話人).
    Coordinator,
    /// 担当理事.
    Officer,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::Physician,
        Self::Specialist,
        Self::Clerk,
        Self::Coordinator,
        Self::Officer,
        Self::Administrator,
    ];

    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Physician => "physician",
            Self::Specialist => "specialist",
            Self::Clerk => "clerk",
            Self::Coordinator => "coordinator",
            Self::Officer => "officer",
            Self::Administrator => "administrator",
        }
    }

    /// Reads [`Role::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// Roles of the office, which see every request of their association.
    #[must_use]
    pub const fn is_office(self) -> bool {
        matches!(self, Self::Clerk | Self::Coordinator | Self::Officer | Self::Administrator)
    }
}

/// A day of the week by name; numbers mean different things in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<chrono::Weekday> for Day {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

/// Kinds of institutions (医療機関の種類), as codes of the data.
pub const INSTITUTION_KINDS: &[&str] = &[
    "clinic",
    "clinic_with_beds",
    "home_care_clinic",
    "home_care_hospital",
    "hospital",
    "nursing_station",
    "association",
];

/// What a specialist offers for one specialty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialtyOffer {
    /// The specialty's code, such as `dermatology`; the list is the association's.
    pub specialty: String,
    /// Also visits; otherwise advice only.
    #[serde(default)]
    pub visits: bool,
    /// Coarse areas; empty = everywhere.
    #[serde(default)]
    pub areas: Vec<String>,
    /// Weekdays on which they may be contacted; empty = every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Minutes after midnight, half-open, in the association's zone; `from > to` runs over midnight,
    /// `from == to` is all day.
    #[serde(default)]
    pub from_min: u32,
    #[serde(default)]
    pub to_min: u32,
    /// Consults a month; `None` = no limit.
    #[serde(default)]
    pub monthly_cap: Option<u32>,
}

/// A member who volunteers, with the recent load that keeps the asking fair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volunteer {
    pub person: MemberId,
    pub institution: InstitutionId,
    pub active: bool,
    /// Has an address that mail reaches.
    pub reachable: bool,
    pub offer: SpecialtyOffer,
    /// Accepted this civil month.
    pub taken_this_month: u32,
    /// Asked within the last days, whether or not accepted.
    pub asked_recently: u32,
}

/// The facts of a consult that decide whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultFacts {
    pub specialty: String,
    /// The patient's coarse area.
    pub area: String,
    /// A visit is wanted; otherwise advice.
    pub visit: bool,
    /// Staff of this institution are not asked (domain C6 14).
    pub institution: InstitutionId,
}

/// The instant from which a specialist may be contacted: now, or the next opening of the hours. Hours that
/// run over midnight belong to the day on which they begin.
#[must_use]
pub fn contact_from(offer: &SpecialtyOffer, now: Millis, zone: Tz) -> Millis {
    let (from, to) = (offer.from_min, offer.to_min);
    let on = |day: CivilDate| offer.days.is_empty() || offer.days.contains(&Day::from(day.weekday()));
    let opens = |day: CivilDate| {
        let at = chrono::NaiveTime::from_hms_opt(from / 60 % 24, from % 60, 0).unwrap_or_default();
        instant_of(day, at, zone)
    };
    let today = civil_day(now, zone);
    let local = wall_clock(now, zone);
    let minute = local.hour() * 60 + local.minute();
    let since_yesterday = from > to && minute < to && on(today.plus_days(-1));
    let since_today = on(today) && if from < to { from <= minute && minute < to } else { minute >= from };
    let all_day = from == to && on(today);
    if since_yesterday || since_today || all_day {
        return now;
    }
    let first = i64::from(minute >= from);
    (first..first + 7).map(|days| today.plus_days(days)).find(|day| on(*day)).map_or(now, opens)
}

/// The volunteers for a consult, best first: those asked least of late, then those who took least this
/// month, then by id so that the order never depends on the database.
#[must_use]
pub fn specialists(facts: &ConsultFacts, volunteers: &[Volunteer], now: Millis, zone: Tz) -> Vec<Candidate> {
    let mut fitting: Vec<&Volunteer> = volunteers
        .iter()
        .filter(|v| v.active && v.reachable && v.offer.specialty == facts.specialty)
        .filter(|v| !facts.visit || v.offer.visits)
        .filter(|v| v.offer.areas.is_empty() || v.offer.areas.contains(&facts.area))
        .filter(|v| v.offer.monthly_cap.is_none_or(|cap| v.taken_this_month < cap))
        .filter(|v| v.institution != facts.institution)
        .collect();
    fitting.sort_by_key(|v| (v.asked_recently, v.taken_this_month, v.person.clone()));
    fitting
        .into_iter()
        .map(|v| Candidate { person: v.person.clone(), from: contact_from(&v.offer, now, zone) })
        .collect()
}

/// The loaded facts of one request: the production [`World`](crate::domain::dispatch::World).
#[derive(Clone, Debug)]
pub struct LoadedWorld {
    pub zone: Tz,
    pub consult: Option<ConsultFacts>,
    pub volunteers: Vec<Volunteer>,
    pub coordinators: Vec<MemberId>,
    pub officers: Vec<MemberId>,
}

/// Whether [`LoadedWorld`] can resolve this selector. A plan that names another one is refused at start.
#[must_use]
pub fn resolvable(selector: &Selector) -> bool {
    matches!(
        selector,
        Selector::Specialists
            | Selector::Coordinator
            | Selector::Officer
            | Selector::Asker
            | Selector::Person(_)
    )
}

impl crate::domain::dispatch::World for LoadedWorld {
    fn resolve(&self, selector: &Selector, request: &Request, now: Millis) -> Vec<Candidate> {
        let at_once = |people: &[MemberId]| {
            people.iter().map(|p| Candidate { person: p.clone(), from: now }).collect::<Vec<_>>()
        };
        match selector {
            Selector::Specialists => self
                .consult
                .as_ref()
                .map(|facts| specialists(facts, &self.volunteers, now, self.zone))
                .unwrap_or_default(),
            Selector::Coordinator => at_once(&self.coordinators),
            Selector::Officer => at_once(&self.officers),
            Selector::Asker => at_once(std::slice::from_ref(&request.asker)),
            Selector::Person(id) => at_once(std::slice::from_ref(id)),
            Selector::DutyPrimary
            | Selector::DutyDeputy
            | Selector::CoverOrAttending
            | Selector::Attending
            | Selector::DeputyAttending
            | Selector::Pool(_)
            | Selector::Pillar(_)
            | Selector::Party(_) => Vec::new(),
        }
    }

    fn person(&self, person: &MemberId) -> Option<PersonFacts> {
        self.volunteers.iter().find(|v| v.person == *person).map(|v| PersonFacts {
            active: v.active,
            visits: v.offer.visits,
            taken_this_month: v.taken_this_month,
            monthly_cap: v.offer.monthly_cap,
        })
    }
}
