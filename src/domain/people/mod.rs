//! People and institutions as the decisions see them: who is a member, who volunteers for what, when they
//! may be contacted. Names, addresses and phone numbers stay in `store`.

pub mod contact_window;
pub mod device;
pub mod directory;
pub mod entry;
pub mod kana;
pub mod password;
pub mod reach;
pub mod rights;
pub mod search;
pub mod sheet;

use chrono::Timelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::{CivilDate, civil_day, instant_of, wall_clock};
use crate::domain::contact::ContactWorld;
use crate::domain::cover::pillars::PillarKind;
use crate::domain::cover::{CoverWorld, POOL_COVER};
use crate::domain::dispatch::{Acceptance, Candidate, Kind, Request, Rule, Selector, settle::PersonFacts};
use crate::domain::rota::{DutyView, RotaRole};
use crate::domain::transfer::{POOL_HOME_CARE, TransferWorld};
use crate::ids::{InstitutionId, MemberId};
use crate::time::{Millis, Window};

/// What somebody may do (役割). One person may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A home-care doctor: asks.
    Physician,
    /// Volunteers for consults (協力医).
    Specialist,
    /// Staff of a visiting-nursing station (訪問看護ステーション).
    NurseStation,
    /// Staff of a care manager's office (居宅介護支援事業所).
    CareOffice,
    /// The municipality (市): sees totals only.
    CityObserver,
    /// The association's office (事務局).
    Clerk,
    /// 調整担当 (世話人).
    Coordinator,
    /// 担当理事.
    Officer,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 9] = [
        Self::Physician,
        Self::Specialist,
        Self::NurseStation,
        Self::CareOffice,
        Self::CityObserver,
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
            Self::NurseStation => "nurse_station",
            Self::CareOffice => "care_office",
            Self::CityObserver => "city_observer",
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
    "geriatric_facility",
    "liaison_room",
    "nursing_station",
    "pharmacy",
    "dental_clinic",
    "care_office",
    "visit_company",
    "public_office",
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
    /// The rota, for requests that name somebody of it.
    pub duty: Option<DutyView>,
    /// The people of a slot of night cover.
    pub cover: Option<CoverWorld>,
    /// The people of a transfer.
    pub transfer: Option<TransferWorld>,
    /// The people of a message to an attending doctor.
    pub contact: Option<ContactWorld>,
}

/// The pool of everybody who may hold a duty and whom no rule of the rota stands against.
pub const POOL_DUTY: &str = "duty";

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
            | Selector::DutyPrimary
            | Selector::DutyDeputy
            | Selector::Attending
            | Selector::DeputyAttending
            | Selector::Party(_)
    ) || matches!(selector, Selector::Pool(name) if [POOL_DUTY, POOL_COVER, POOL_HOME_CARE].contains(&name.as_str()))
        || matches!(selector, Selector::Pillar(name) if PillarKind::of(name).is_some())
}

impl LoadedWorld {
    /// Who is on as the step starts: now for an urgent call, otherwise in the request's window, in order of
    /// time.
    fn on(&self, role: RotaRole, request: &Request, now: Millis) -> Vec<MemberId> {
        let Some(duty) = &self.duty else { return Vec::new() };
        let window = match request.kind {
            Kind::Urgent => Window::new(now, now.plus_ms(1)),
            Kind::Consult | Kind::Cover | Kind::Transfer | Kind::Swap | Kind::Check | Kind::Contact => {
                Window::new(request.window.from.max(now), request.window.to)
            }
        };
        window.map(|window| duty.on(role, window)).unwrap_or_default()
    }
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
            Selector::DutyPrimary => at_once(&self.on(RotaRole::Primary, request, now)),
            Selector::DutyDeputy => at_once(&self.on(RotaRole::Deputy, request, now)),
            Selector::Party(side) => {
                let party = self.duty.as_ref().and_then(|duty| duty.party(*side));
                party.map(|p| at_once(std::slice::from_ref(p))).unwrap_or_default()
            }
            Selector::Pool(name) if name == POOL_DUTY => {
                self.duty.as_ref().map(|duty| at_once(&duty.volunteers())).unwrap_or_default()
            }
            Selector::Pool(name) if name == POOL_COVER => {
                self.cover.as_ref().map(|cover| cover.volunteers(now)).unwrap_or_default()
            }
            Selector::DeputyAttending => {
                self.cover.as_ref().map(|cover| cover.deputies(now)).unwrap_or_default()
            }
            Selector::Pool(name) if name == POOL_HOME_CARE => {
                self.transfer.as_ref().map(|world| world.candidates(now)).unwrap_or_default()
            }
            Selector::Attending => match (&self.transfer, &self.contact) {
                (Some(world), _) => at_once(&world.gate(request)),
                (None, Some(world)) => world.candidates(),
                (None, None) => Vec::new(),
            },
            Selector::Pillar(name) => {
                self.cover.as_ref().map(|cover| cover.pillar(name, now)).unwrap_or_default()
            }
            Selector::CoverOrAttending | Selector::Pool(_) => Vec::new(),
        }
    }

    fn may_hand_over(&self, request: &Request) -> Result<(), Rule> {
        self.duty.as_ref().map_or(Err(Rule::DutyNotHeld), |duty| duty.may_hand_over(request))
    }

    fn may_cover(&self, request: &Request, claim: &Acceptance, fresh: bool) -> Result<(), Rule> {
        self.cover.as_ref().map_or(Err(Rule::NotActive), |cover| cover.may_cover(request, claim, fresh))
    }

    fn may_receive(&self, request: &Request, claim: &Acceptance) -> Result<(), Rule> {
        self.transfer.as_ref().map_or(Err(Rule::NotReceiving), |world| world.may_receive(request, claim))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dispatch::{World, plan::Plan};
    use crate::ids::RequestId;
    use crate::time::Window;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    fn person(n: usize) -> MemberId {
        MemberId::named(&["volunteer", &n.to_string()])
    }

    fn clinic(name: &str) -> InstitutionId {
        InstitutionId::named(&[name])
    }

    fn when(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn hours(from_min: u32, to_min: u32) -> SpecialtyOffer {
        SpecialtyOffer {
            specialty: "dermatology".to_owned(),
            visits: false,
            areas: Vec::new(),
            days: Vec::new(),
            from_min,
            to_min,
            monthly_cap: None,
        }
    }

    fn volunteer(n: usize) -> Volunteer {
        Volunteer {
            person: person(n),
            institution: clinic("other"),
            active: true,
            reachable: true,
            offer: hours(0, 0),
            taken_this_month: 0,
            asked_recently: 0,
        }
    }

    fn facts() -> ConsultFacts {
        ConsultFacts {
            specialty: "dermatology".to_owned(),
            area: "aoba-east".to_owned(),
            visit: false,
            institution: clinic("asking"),
        }
    }

    fn chosen(facts: &ConsultFacts, volunteers: &[Volunteer]) -> Vec<MemberId> {
        let now = when("2026-11-20T12:00:00+09:00");
        specialists(facts, volunteers, now, TOKYO).into_iter().map(|c| c.person).collect()
    }

    #[test]
    fn who_was_asked_least_of_late_comes_first_then_who_took_least() {
        let mut all: Vec<Volunteer> = (0..4).map(volunteer).collect();
        all[0].asked_recently = 2;
        all[1].taken_this_month = 3;
        all[2].taken_this_month = 1;
        assert_eq!(chosen(&facts(), &all), [person(3), person(2), person(1), person(0)]);
    }

    #[test]
    fn equals_are_always_asked_in_the_same_order() {
        let all: Vec<Volunteer> = (0..6).map(volunteer).collect();
        let backwards: Vec<Volunteer> = all.iter().rev().cloned().collect();
        assert_eq!(chosen(&facts(), &all), chosen(&facts(), &backwards));
    }

    #[test]
    fn only_those_who_fit_the_question_are_asked() {
        let fits = |change: fn(&mut Volunteer)| {
            let mut one = volunteer(0);
            change(&mut one);
            !chosen(&facts(), &[one]).is_empty()
        };
        assert!(fits(|_| {}));
        assert!(fits(|v| v.offer.areas = vec!["aoba-west".to_owned(), "aoba-east".to_owned()]));
        assert!(fits(|v| (v.offer.monthly_cap, v.taken_this_month) = (Some(2), 1)));
        assert!(!fits(|v| v.offer.areas = vec!["aoba-west".to_owned()]));
        assert!(!fits(|v| (v.offer.monthly_cap, v.taken_this_month) = (Some(2), 2)));
        assert!(!fits(|v| v.offer.specialty = "psychiatry".to_owned()));
        assert!(!fits(|v| v.active = false));
        assert!(!fits(|v| v.reachable = false));
        assert!(!fits(|v| v.institution = clinic("asking")), "colleagues of the same house are not asked");
    }

    #[test]
    fn a_visit_is_asked_of_those_who_visit_and_advice_of_everyone() {
        let mut visits = volunteer(1);
        visits.offer.visits = true;
        let all = [volunteer(0), visits];
        assert_eq!(chosen(&ConsultFacts { visit: true, ..facts() }, &all), [person(1)]);
        assert_eq!(chosen(&facts(), &all).len(), 2);
    }

    #[test]
    fn contact_waits_for_the_hours_and_hours_are_half_open() {
        let nine_to_five = hours(9 * 60, 17 * 60);
        let from = |text: &str| contact_from(&nine_to_five, when(text), TOKYO);
        assert_eq!(from("2026-11-20T09:00:00+09:00"), when("2026-11-20T09:00:00+09:00"));
        assert_eq!(from("2026-11-20T16:59:59+09:00"), when("2026-11-20T16:59:59+09:00"));
        assert_eq!(from("2026-11-20T08:59:59+09:00"), when("2026-11-20T09:00:00+09:00"));
        assert_eq!(from("2026-11-20T17:00:00+09:00"), when("2026-11-21T09:00:00+09:00"));
        assert_eq!(from("2026-12-31T23:00:00+09:00"), when("2027-01-01T09:00:00+09:00"));
    }

    #[test]
    fn hours_may_run_over_midnight_or_all_day() {
        let evening = hours(20 * 60, 60);
        let from = |text: &str| contact_from(&evening, when(text), TOKYO);
        assert_eq!(from("2026-11-20T23:30:00+09:00"), when("2026-11-20T23:30:00+09:00"));
        assert_eq!(from("2026-11-21T00:59:00+09:00"), when("2026-11-21T00:59:00+09:00"));
        assert_eq!(from("2026-11-21T01:00:00+09:00"), when("2026-11-21T20:00:00+09:00"));
        let now = when("2026-11-20T03:00:00+09:00");
        assert_eq!(contact_from(&hours(0, 0), now, TOKYO), now);
        assert_eq!(contact_from(&hours(540, 540), now, TOKYO), now);
        let until_midnight = hours(8 * 60, 24 * 60);
        assert_eq!(
            contact_from(&until_midnight, when("2026-11-20T23:59:00+09:00"), TOKYO),
            when("2026-11-20T23:59:00+09:00")
        );
        let from_midnight = contact_from(&until_midnight, when("2026-11-21T00:00:00+09:00"), TOKYO);
        assert_eq!(from_midnight, when("2026-11-21T08:00:00+09:00"));
    }

    #[test]
    fn contact_waits_for_a_day_of_the_week_on_which_they_work() {
        let weekend = SpecialtyOffer { days: vec![Day::Fri, Day::Sat], ..hours(20 * 60, 60) };
        let from = |text: &str| contact_from(&weekend, when(text), TOKYO);
        // 2026-11-20 is a Friday.
        assert_eq!(from("2026-11-19T21:00:00+09:00"), when("2026-11-20T20:00:00+09:00"));
        assert_eq!(from("2026-11-21T00:30:00+09:00"), when("2026-11-21T00:30:00+09:00"));
        assert_eq!(
            from("2026-11-22T00:30:00+09:00"),
            when("2026-11-22T00:30:00+09:00"),
            "the small hours belong to Saturday's evening"
        );
        assert_eq!(from("2026-11-22T02:00:00+09:00"), when("2026-11-27T20:00:00+09:00"));
        assert_eq!(from("2026-11-20T00:30:00+09:00"), when("2026-11-20T20:00:00+09:00"));
    }

    #[test]
    fn hours_that_begin_in_an_hour_the_clock_skips_begin_after_it() {
        let berlin = chrono_tz::Europe::Berlin;
        // On 2026-03-29 02:00 to 03:00 does not exist there.
        let from = contact_from(&hours(150, 600), when("2026-03-29T00:30:00+01:00"), berlin);
        assert_eq!(from, when("2026-03-29T03:00:00+02:00"));
    }

    #[test]
    fn the_loaded_world_resolves_every_selector_a_plan_may_name() {
        let world = LoadedWorld {
            zone: TOKYO,
            consult: Some(facts()),
            volunteers: vec![volunteer(0)],
            coordinators: vec![person(7)],
            officers: vec![person(8)],
            duty: None,
            cover: None,
            transfer: None,
            contact: None,
        };
        let plan: Plan = toml::from_str("name = \"x\"\nversion = 1\nkind = \"consult\"").unwrap();
        let now = when("2026-11-20T12:00:00+09:00");
        let window = Window::new(now, now.plus_s(60)).unwrap();
        let id = RequestId::named(&["x"]);
        let request = Request::new(id, plan, person(9), window, now.plus_s(60), now);
        let people = |selector: Selector| {
            assert!(resolvable(&selector));
            world.resolve(&selector, &request, now).into_iter().map(|c| c.person).collect::<Vec<_>>()
        };
        assert_eq!(people(Selector::Specialists), [person(0)]);
        assert_eq!(people(Selector::Coordinator), [person(7)]);
        assert_eq!(people(Selector::Officer), [person(8)]);
        assert_eq!(people(Selector::Asker), [person(9)]);
        assert_eq!(people(Selector::Person(person(3))), [person(3)]);
        assert!(!resolvable(&Selector::CoverOrAttending));
        assert!(world.person(&person(0)).is_some_and(|facts| facts.active));
        assert_eq!(world.person(&person(1)), None);
    }
}
