//! Holds duties against the rules: one duty against those that stand already. Checking a rota is laying its
//! duties one after the other; filling it asks before laying. So both always agree.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::Run;
use super::model::{Area, Assignment, CareGroup, RotaRole, SlotKey};
use super::rules::{Apart, DutyPerson, Month, Rule, Setting, Violation, Wish, Wished};
use super::slots::{Hours, Slot, days};
use super::swaps::overlap;
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::ledger::Code;
use crate::ids::{InstitutionId, MemberId};
use crate::time::{Millis, Window};

/// 22:00 to 06:00, national (深夜).
const DEEP_NIGHT: Hours = Hours { from_min: 22 * 60, to_min: 6 * 60 };
const HOUR_MS: i64 = 3_600_000;
/// No duty is longer; it bounds how far back an overlapping one can have begun.
const DUTY_MAX_MS: i64 = 40 * 24 * HOUR_MS;

/// Duties as they stand, and the rules they are held against.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    setting: Setting<'a>,
    people: BTreeMap<&'a MemberId, &'a DutyPerson>,
    wishes: BTreeMap<&'a MemberId, Vec<&'a Wish>>,
    apart: BTreeMap<&'a MemberId, Vec<&'a Apart>>,
    groups: BTreeMap<&'a Area, &'a CareGroup>,
    slots: BTreeMap<(&'a Area, &'a SlotKey), &'a Slot>,
    /// By person and beginning.
    of_person: BTreeMap<MemberId, BTreeSet<Placed>>,
    /// By place and beginning.
    of_role: BTreeMap<(Area, RotaRole), BTreeSet<Placed>>,
    /// By slot.
    of_slot: BTreeMap<(Area, SlotKey), BTreeSet<Placed>>,
    /// Active duties of an institution by week and by month; parts of one slot count once.
    weeks: BTreeMap<(InstitutionId, CivilDate), BTreeMap<Seat, u32>>,
    months: BTreeMap<(InstitutionId, Month), BTreeMap<Seat, u32>>,
}

type Seat = (Area, SlotKey, RotaRole);

/// A duty, sorted by its beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    from: Millis,
    duty: Assignment,
}

impl<'a> Judge<'a> {
    /// Nobody is on yet.
    #[must_use]
    pub fn new(setting: Setting<'a>) -> Self {
        let mut wishes: BTreeMap<&MemberId, Vec<&Wish>> = BTreeMap::new();
        for wish in setting.wishes {
            wishes.entry(&wish.person).or_default().push(wish);
        }
        let mut apart: BTreeMap<&MemberId, Vec<&Apart>> = BTreeMap::new();
        for pair in &setting.rules.apart {
            apart.entry(&pair.a).or_default().push(pair);
            apart.entry(&pair.b).or_default().push(pair);
        }
        Self {
            setting,
            people: setting.people.iter().map(|p| (&p.id, p)).collect(),
            wishes,
            apart,
            groups: setting.groups.iter().map(|g| (g.area(), g)).collect(),
            slots: setting.slots.iter().map(|s| ((&s.area, &s.key), s)).collect(),
            of_person: BTreeMap::new(),
            of_role: BTreeMap::new(),
            of_slot: BTreeMap::new(),
            weeks: BTreeMap::new(),
            months: BTreeMap::new(),
        }
    }

    /// Lays a duty, whatever the rules say.
    pub fn place(&mut self, duty: &Assignment) {
        let placed = Placed { from: duty.window.from, duty: duty.clone() };
        let fresh = self.of_person.entry(duty.holder.person.clone()).or_default().insert(placed.clone());
        if !fresh {
            return;
        }
        self.of_role.entry((duty.area.clone(), duty.role)).or_default().insert(placed.clone());
        self.of_slot.entry((duty.area.clone(), duty.slot.clone())).or_default().insert(placed);
        if self.is_active(duty.role) {
            let institution = &duty.holder.institution;
            let (week, month) = (monday(duty.slot.day), Month::of(duty.slot.day));
            let week = self.weeks.entry((institution.clone(), week)).or_default();
            *week.entry(seat(duty)).or_default() += 1;
            let month = self.months.entry((institution.clone(), month)).or_default();
            *month.entry(seat(duty)).or_default() += 1;
        }
    }

    /// Takes a duty away again.
    pub fn remove(&mut self, duty: &Assignment) {
        let placed = Placed { from: duty.window.from, duty: duty.clone() };
        let was = self.of_person.get_mut(&duty.holder.person).is_some_and(|all| all.remove(&placed));
        if !was {
            return;
        }
        if let Some(all) = self.of_role.get_mut(&(duty.area.clone(), duty.role)) {
            all.remove(&placed);
        }
        if let Some(all) = self.of_slot.get_mut(&(duty.area.clone(), duty.slot.clone())) {
            all.remove(&placed);
        }
        if self.is_active(duty.role) {
            let institution = &duty.holder.institution;
            let (week, month) = (monday(duty.slot.day), Month::of(duty.slot.day));
            take_one(self.weeks.get_mut(&(institution.clone(), week)), &seat(duty));
            take_one(self.months.get_mut(&(institution.clone(), month)), &seat(duty));
        }
    }

    /// What stands against a duty beside those already laid; wishes included. The duty itself is not laid.
    #[must_use]
    pub fn objections(&self, duty: &Assignment) -> Vec<Violation> {
        let mut found = Found { duty, all: Vec::new() };
        if let Some(person) = self.people.get(&duty.holder.person) {
            self.against_person(person, &mut found);
            self.against_slot(person, &mut found);
            if self.is_active(duty.role) {
                self.against_load(person, &mut found);
            }
        } else {
            found.say(Rule::Unknown);
        }
        self.against_others(&mut found);
        found.all
    }

    /// The block of days off to which a day belongs, where the rules have blocks.
    #[must_use]
    pub fn block_of(&self, day: CivilDate) -> Option<Run> {
        self.setting.rules.block?.block_of(day, self.setting.calendar)
    }

    fn is_active(&self, role: RotaRole) -> bool {
        self.setting.rules.active.contains(&role)
    }

    /// What they can carry, and what they wish.
    fn against_person(&self, person: &DutyPerson, found: &mut Found<'_>) {
        let duty = found.duty;
        let rules = self.setting.rules;
        if person.profile.exempt {
            found.say(Rule::Exempt);
        }
        if let Some(group) = self.groups.get(&duty.area)
            && !group.institutions().contains(&duty.holder.institution)
        {
            found.say(Rule::NotOfTheGroup { institution: duty.holder.institution.clone() });
        }
        for needs in rules.qualifications.get(&duty.role).into_iter().flatten() {
            if !person.qualifications.contains(needs) {
                found.say(Rule::Qualification { needs: needs.clone() });
            }
        }
        if person.profile.phone_only && !rules.phone_only_roles.contains(&duty.role) {
            found.say(Rule::PhoneOnly);
        }
        if person.profile.no_deep_night && self.is_deep_night(duty.window) {
            found.say(Rule::NoDeepNight);
        }
        for wish in self.wishes.get(&person.id).into_iter().flatten().filter(|w| w.covers(duty.slot.day)) {
            match wish.wished {
                Wished::Unavailable => found.say(Rule::Unavailable),
                Wished::Off { weight } if self.is_active(duty.role) => found.say(Rule::WishedOff { weight }),
                Wished::Off { .. } | Wished::On { .. } => {}
            }
        }
        if self.is_active(duty.role) && person.never_kinds.contains(&duty.slot.kind) {
            found.say(Rule::NeverKind);
        }
    }

    fn is_deep_night(&self, window: Window) -> bool {
        let zone = self.setting.zone;
        let (first, last) = (civil_day(window.from, zone).plus_days(-1), civil_day(window.to, zone));
        days(first, last).filter_map(|day| DEEP_NIGHT.on(day, zone)).any(|night| overlap(night, window))
    }

    /// The others of the slot.
    fn against_slot(&self, person: &DutyPerson, found: &mut Found<'_>) {
        let duty = found.duty;
        let rules = self.setting.rules;
        let slot = self.of_slot.get(&(duty.area.clone(), duty.slot.clone()));
        let others = || slot.into_iter().flatten().map(|p| &p.duty).filter(|d| *d != duty);
        let together = || others().filter(|d| d.role != duty.role && overlap(d.window, duty.window));
        for other in together() {
            let them = &other.holder;
            if them.person == duty.holder.person {
                found.say(Rule::TwoRoles);
                continue;
            }
            if !self.is_active(duty.role) || !self.is_active(other.role) {
                continue;
            }
            if rules.different_institutions && them.institution == duty.holder.institution {
                found.with(other, Rule::SameInstitution { institution: them.institution.clone() });
            }
            for pair in self.apart.get(&person.id).into_iter().flatten() {
                if pair.a == them.person || pair.b == them.person {
                    found.with(other, Rule::Together { weight: pair.weight });
                }
            }
        }
        self.against_need(person, found, others().filter(|d| self.is_active(d.role)));
    }

    /// Whoever completes the active roles of a slot answers for what somebody there must be qualified for.
    fn against_need<'b>(
        &self,
        person: &DutyPerson,
        found: &mut Found<'_>,
        others: impl Iterator<Item = &'b Assignment> + Clone,
    ) {
        let duty = found.duty;
        let Some(slot) = self.slots.get(&(&duty.area, &duty.slot)) else { return };
        let mut roles: BTreeSet<RotaRole> = others.clone().map(|d| d.role).collect();
        roles.insert(duty.role);
        let complete = slot.roles.iter().filter(|role| self.is_active(**role)).all(|r| roles.contains(r));
        if !self.is_active(duty.role) || !complete {
            return;
        }
        for needs in slot.need_any.iter().filter(|needs| !person.qualifications.contains(*needs)) {
            let qualified = |d: &Assignment| {
                self.people.get(&d.holder.person).is_some_and(|p| p.qualifications.contains(needs))
            };
            if !others.clone().any(qualified) {
                found.say(Rule::NobodyQualified { needs: needs.clone() });
            }
        }
    }

    /// Rest and caps.
    fn against_load(&self, person: &DutyPerson, found: &mut Found<'_>) {
        let duty = found.duty;
        let rules = self.setting.rules;
        let mine = self.of_person.get(&duty.holder.person);
        let active = || {
            let all = mine.into_iter().flatten().map(|p| &p.duty);
            all.filter(|d| self.is_active(d.role) && (&d.area, &d.slot) != (&duty.area, &duty.slot))
        };
        let before = active().rfind(|d| d.window.from < duty.window.from);
        let after = active().find(|d| d.window.from >= duty.window.from);
        for other in before.into_iter().chain(after) {
            self.against_rest(other, found);
        }
        let count = |fits: &dyn Fn(&Assignment) -> bool| {
            let slots: BTreeSet<(&Area, &SlotKey)> =
                active().filter(|d| fits(d)).map(|d| (&d.area, &d.slot)).collect();
            u32::try_from(slots.len()).unwrap_or(u32::MAX)
        };
        let (week, month) = (monday(duty.slot.day), Month::of(duty.slot.day));
        if let Some(most) = least(rules.max_per_week, person.max_per_week)
            && count(&|d| monday(d.slot.day) == week) >= most
        {
            found.say(Rule::WeekCap { monday: week, most });
        }
        if let Some(most) = least(rules.max_per_month, person.profile.max_per_month)
            && count(&|d| Month::of(d.slot.day) == month) >= most
        {
            found.say(Rule::MonthCap { month, most });
        }
        for cap in &person.kind_caps {
            let of_it = |kind: &Code| cap.kinds.is_empty() || cap.kinds.contains(kind);
            if of_it(&duty.slot.kind) && count(&|d| of_it(&d.slot.kind)) >= cap.most {
                found.say(Rule::KindCap { kinds: cap.kinds.clone(), most: cap.most });
            }
        }
        let institution = &duty.holder.institution;
        let held = |seats: Option<&BTreeMap<Seat, u32>>| {
            let others = seats.map_or(0, |seats| seats.len() - usize::from(seats.contains_key(&seat(duty))));
            u32::try_from(others).unwrap_or(u32::MAX)
        };
        if let Some(most) = rules.institution_per_week
            && held(self.weeks.get(&(institution.clone(), week))) >= most
        {
            found.say(Rule::InstitutionWeek { institution: institution.clone(), monday: week, most });
        }
        if let Some(most) = rules.institution_per_month
            && held(self.months.get(&(institution.clone(), month))) >= most
        {
            found.say(Rule::InstitutionMonth { institution: institution.clone(), month, most });
        }
    }

    fn against_rest(&self, other: &Assignment, found: &mut Found<'_>) {
        let duty = found.duty;
        let rules = self.setting.rules;
        let block = self.block_of(duty.slot.day);
        if block.is_some_and(|block| block.contains(other.slot.day)) {
            return;
        }
        let (earlier, later) =
            if other.window.from < duty.window.from { (other, duty) } else { (duty, other) };
        let rest_ms = later.window.from.since_ms(earlier.window.to);
        if rest_ms < i64::from(rules.rest_h) * HOUR_MS {
            found.with(other, Rule::RestHours { hours: rest_ms.div_euclid(HOUR_MS), needed: rules.rest_h });
        }
        let nights = later.slot.day.days_since(earlier.slot.day) - 1;
        if rules.rest_nights > 0 && nights < i64::from(rules.rest_nights) {
            found.with(other, Rule::RestNights { nights, needed: rules.rest_nights });
        }
    }

    /// What is on at the same time elsewhere, and in the rest of the block.
    fn against_others(&self, found: &mut Found<'_>) {
        let duty = found.duty;
        let mine = self.of_person.get(&duty.holder.person);
        let same_slot = |d: &Assignment| (&d.area, &d.slot) == (&duty.area, &duty.slot);
        for other in near(mine, duty.window).filter(|d| !same_slot(d) && overlap(d.window, duty.window)) {
            found.with(other, Rule::TwoDutiesAtOnce);
        }
        let role = self.of_role.get(&(duty.area.clone(), duty.role));
        for other in near(role, duty.window).filter(|d| *d != duty && overlap(d.window, duty.window)) {
            found.with(other, Rule::RoleHeldTwice);
        }
        let same_people = self.setting.rules.block.is_some_and(|rule| rule.same_people);
        let Some(block) = self.block_of(duty.slot.day).filter(|_| same_people) else { return };
        let in_block = |p: &&Placed| block.contains(p.duty.slot.day);
        let others = role.into_iter().flatten().filter(in_block).map(|p| &p.duty);
        if let Some(other) = others.into_iter().find(|d| d.holder.person != duty.holder.person) {
            found.with(other, Rule::BlockSplit { block });
        }
    }
}

/// What was found against a duty.
struct Found<'b> {
    duty: &'b Assignment,
    all: Vec<Violation>,
}

impl Found<'_> {
    fn say(&mut self, rule: Rule) {
        self.push(None, rule);
    }

    fn with(&mut self, other: &Assignment, rule: Rule) {
        self.push(Some(other), rule);
    }

    fn push(&mut self, other: Option<&Assignment>, rule: Rule) {
        let duty = self.duty;
        let mut people = vec![duty.holder.person.clone()];
        people.extend(other.map(|o| &o.holder.person).filter(|p| **p != duty.holder.person).cloned());
        let violation = Violation {
            window: Some(duty.window),
            area: Some(duty.area.clone()),
            slot: Some(duty.slot.clone()),
            role: Some(duty.role),
            people,
            other: other.map(|o| o.slot.clone()).filter(|slot| *slot != duty.slot),
            rule,
        };
        // Parts of one slot would say the same twice.
        if !self.all.contains(&violation) {
            self.all.push(violation);
        }
    }
}

/// Every breach of the rules by these duties, by time: each pair of duties is told once, at the later one,
/// each cap at every duty above it. `first` to `last` are the days asked for: duties that begin outside of
/// them (the weeks before and after, for rest and caps) count, and are told only where one within is too
/// close to them.
#[must_use]
pub fn check(
    setting: Setting<'_>,
    duties: &[Assignment],
    first: CivilDate,
    last: CivilDate,
) -> Vec<Violation> {
    let mut judge = Judge::new(setting);
    let mut sorted: Vec<&Assignment> = duties.iter().collect();
    sorted.sort_by(|a, b| (a.window, *a).cmp(&(b.window, *b)));
    sorted.dedup();
    let mut found = Vec::new();
    let asked = |slot: &SlotKey| (first..=last).contains(&slot.day);
    for duty in &sorted {
        let objections = judge.objections(duty).into_iter();
        found.extend(objections.filter(|v| asked(&duty.slot) || v.other.as_ref().is_some_and(asked)));
        judge.place(duty);
    }
    let wished_on = setting.wishes.iter().filter(|w| w.first <= last && first <= w.last);
    for (wish, weight) in wished_on.filter_map(|w| match w.wished {
        Wished::On { weight } => Some((w, weight)),
        Wished::Off { .. } | Wished::Unavailable => None,
    }) {
        let mut held = sorted.iter().filter(|d| d.holder.person == wish.person);
        if !held.any(|d| wish.covers(d.slot.day) && setting.rules.active.contains(&d.role)) {
            found.push(Violation {
                window: None,
                area: None,
                slot: None,
                role: None,
                people: vec![wish.person.clone()],
                other: None,
                rule: Rule::WishedOn { weight },
            });
        }
    }
    found
}

/// The Monday of a day's week.
#[must_use]
pub fn monday(day: CivilDate) -> CivilDate {
    day.plus_days(-i64::from(day.weekday().num_days_from_monday()))
}

fn seat(duty: &Assignment) -> Seat {
    (duty.area.clone(), duty.slot.clone(), duty.role)
}

fn take_one(seats: Option<&mut BTreeMap<Seat, u32>>, seat: &Seat) {
    let Some(seats) = seats else { return };
    if let Some(count) = seats.get_mut(seat) {
        *count -= 1;
        if *count == 0 {
            seats.remove(seat);
        }
    }
}

fn least(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    a.into_iter().chain(b).min()
}

/// Duties that may touch a window.
fn near(all: Option<&BTreeSet<Placed>>, window: Window) -> impl Iterator<Item = &Assignment> {
    let from = window.from.plus_ms(-DUTY_MAX_MS);
    let sorted = all.into_iter().flatten().map(|p| &p.duty);
    sorted.skip_while(move |d| d.window.from < from).take_while(move |d| d.window.from < window.to)
}
