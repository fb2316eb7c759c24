//! Fills empty slots: whoever has the fewest points comes first, every rule is kept, the same input gives the
//! same answer. No search for the best rota: that is a solver behind the same trait.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::blocks::Run;
use super::judge::Judge;
use super::lottery::Draw;
use super::model::{Area, Assignment, Holder, RotaRole, SlotKey};
use super::rules::{DutyPerson, Rule, Setting, Wished};
use super::slots::{Points, Slot};
use crate::domain::calendar::Calendar;
use crate::ids::{InstitutionId, MemberId};
use crate::time::Millis;

/// How many people are tried for the seats of one slot or block, in all, before a seat is left empty.
const TRIES_MAX: u32 = 200;

/// What is to be filled.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Rules, people, wishes, and the slots to fill.
    pub setting: Setting<'a>,
    /// Duties that stand and are not moved: fixed by hand, and those of the weeks before and after.
    pub standing: &'a [Assignment],
    /// The points somebody has already, without those of the slots to fill: recent ones and what is carried
    /// over. Whoever is not named has none.
    pub points_before: &'a BTreeMap<MemberId, Points>,
    /// The drawn order for slots that begin on a day of the year-end; without it they go by points too.
    pub lottery: Option<&'a Draw>,
}

/// A seat that stays empty, and what stood against each person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptySeat {
    /// Where.
    pub area: Area,
    /// Which slot.
    pub slot: SlotKey,
    /// Which role.
    pub role: RotaRole,
    /// For everybody who could be asked at all: the rules that forbid it; never empty lists.
    pub why: Vec<(MemberId, BTreeSet<Rule>)>,
}

/// A filled rota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// The new duties, by time; what stood before is not among them.
    pub assignments: Vec<Assignment>,
    /// What could not be filled, by time.
    pub empty: Vec<EmptySeat>,
    /// Everybody's points afterwards, those of before included.
    pub points: BTreeMap<MemberId, Points>,
}

/// Whoever can fill a rota: this plain one, or a solver.
pub trait Fill {
    /// Fills what is empty. The same problem gives the same answer; no duty of the answer breaks a rule that
    /// must hold.
    fn fill(&self, problem: &Problem<'_>) -> Filled;
}

/// One seat after the other, by time.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFill;

impl Fill for PlainFill {
    fn fill(&self, problem: &Problem<'_>) -> Filled {
        let mut filling = Filling::new(*problem);
        for unit in filling.units() {
            filling.unit(&unit);
        }
        filling.filled.assignments.sort_by(|a, b| (a.window, a).cmp(&(b.window, b)));
        filling.filled.points = filling.points;
        filling.filled
    }
}

/// One role of a slot; of every slot of a block, where one person holds it throughout.
struct Seat<'a> {
    role: RotaRole,
    slots: Vec<&'a Slot>,
}

impl Seat<'_> {
    fn duty(&self, slot: &Slot, person: &DutyPerson) -> Assignment {
        let holder = Holder { person: person.id.clone(), institution: person.institution.clone() };
        Assignment {
            area: slot.area.clone(),
            slot: slot.key.clone(),
            role: self.role,
            window: slot.window,
            holder,
        }
    }

    fn points(&self) -> Points {
        let of = |slot: &&Slot| slot.points.get(&self.role).copied().unwrap_or_default();
        self.slots.iter().map(of).fold(Points::default(), Points::plus)
    }

    fn is_year_end(&self, calendar: &Calendar) -> bool {
        self.slots.iter().any(|slot| calendar.is_year_end(slot.key.day))
    }
}

/// Slots that are filled together: those of a block, or one alone.
struct Group<'a> {
    block: Option<(&'a Area, Run)>,
    slots: Vec<&'a Slot>,
}

/// Who comes first: least of all in the first place that differs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Wishes against it less wishes for it.
    wishes: i64,
    /// How often their lot came up already, and its place; the same for all where there is no lottery.
    lot: (u32, usize),
    /// Points of the institution, where that is the unit of the rotation.
    institution: Points,
    /// Points for a full share.
    points: i64,
    /// The end of their last duty.
    last: Option<Millis>,
    person: MemberId,
}

struct Filling<'a> {
    problem: Problem<'a>,
    judge: Judge<'a>,
    points: BTreeMap<MemberId, Points>,
    institutions: BTreeMap<InstitutionId, Points>,
    last: BTreeMap<MemberId, Vec<Millis>>,
    lots: BTreeMap<MemberId, usize>,
    drawn: BTreeMap<MemberId, u32>,
    filled: Filled,
}

impl<'a> Filling<'a> {
    fn new(problem: Problem<'a>) -> Self {
        let places = problem.lottery.map(|draw| draw.order.iter().enumerate());
        let lots = places.into_iter().flatten().map(|(place, person)| (person.clone(), place));
        let mut filling = Self {
            problem,
            judge: Judge::new(problem.setting),
            points: problem.points_before.clone(),
            institutions: BTreeMap::new(),
            last: BTreeMap::new(),
            lots: lots.collect(),
            drawn: BTreeMap::new(),
            filled: Filled::default(),
        };
        for person in problem.setting.people {
            let points = *filling.points.entry(person.id.clone()).or_default();
            let sum = filling.institutions.entry(person.institution.clone()).or_default();
            *sum = sum.plus(points);
        }
        let slots: BTreeMap<(&Area, &SlotKey), &Slot> =
            problem.setting.slots.iter().map(|s| ((&s.area, &s.key), s)).collect();
        for duty in problem.standing {
            filling.judge.place(duty);
            let slot = slots.get(&(&duty.area, &duty.slot));
            let points = slot.and_then(|slot| slot.points.get(&duty.role)).copied().unwrap_or_default();
            filling.count(&duty.holder, points, duty.window.to);
        }
        filling
    }

    /// Slots to be filled together, by time, with their empty seats.
    fn units(&self) -> Vec<Vec<Seat<'a>>> {
        let setting = self.problem.setting;
        let standing: BTreeSet<(&Area, &SlotKey, RotaRole)> =
            self.problem.standing.iter().map(|d| (&d.area, &d.slot, d.role)).collect();
        let whole = setting.rules.block.is_some_and(|rule| rule.same_people);
        let mut slots: Vec<&'a Slot> = setting.slots.iter().collect();
        slots.sort_by(|a, b| (a.window, &a.area, &a.key).cmp(&(b.window, &b.area, &b.key)));
        let mut groups: Vec<Group<'a>> = Vec::new();
        for slot in slots {
            let block = self.judge.block_of(slot.key.day).filter(|_| whole).map(|run| (&slot.area, run));
            match groups.iter_mut().find(|group| block.is_some() && group.block == block) {
                Some(group) => group.slots.push(slot),
                None => groups.push(Group { block, slots: vec![slot] }),
            }
        }
        let seat = |slots: &[&'a Slot], role: RotaRole| {
            let empty = |s: &&&Slot| s.roles.contains(&role) && !standing.contains(&(&s.area, &s.key, role));
            let slots: Vec<&Slot> = slots.iter().filter(empty).copied().collect();
            (!slots.is_empty()).then_some(Seat { role, slots })
        };
        let seats = |slots: &[&'a Slot]| RotaRole::ALL.iter().filter_map(|role| seat(slots, *role)).collect();
        groups.iter().map(|group| seats(&group.slots)).collect()
    }

    /// Fills as many seats of a unit as can be filled together, the first roles first; then what is left,
    /// one by one.
    fn unit(&mut self, seats: &[Seat<'a>]) {
        for together in (0..=seats.len()).rev() {
            let (first, rest) = seats.split_at(together);
            let mut tries = TRIES_MAX;
            if !self.complete(first, &mut tries) {
                continue;
            }
            for seat in rest {
                let mut tries = TRIES_MAX;
                if !self.complete(std::slice::from_ref(seat), &mut tries) {
                    self.leave_empty(seat);
                }
            }
            return;
        }
    }

    /// Seats somebody on every seat, going back where the next one has nobody; or nobody at all.
    fn complete(&mut self, seats: &[Seat<'a>], tries: &mut u32) -> bool {
        let Some((seat, rest)) = seats.split_first() else { return true };
        for (_, person) in self.ranked(seat) {
            if *tries == 0 {
                return false;
            }
            *tries -= 1;
            self.seat(seat, person);
            if self.complete(rest, tries) {
                return true;
            }
            self.unseat(seat, person);
        }
        false
    }

    fn ranked(&mut self, seat: &Seat<'a>) -> BTreeMap<Rank, &'a DutyPerson> {
        let mut ranked = BTreeMap::new();
        for person in self.problem.setting.people {
            let against = self.against(seat, person);
            if against.iter().any(Rule::is_hard) {
                continue;
            }
            let wishes: i64 = against.iter().map(|rule| i64::from(rule.weight())).sum();
            ranked.insert(self.rank(seat, person, wishes - self.wished(seat, person)), person);
        }
        ranked
    }

    fn rank(&self, seat: &Seat<'a>, person: &DutyPerson, wishes: i64) -> Rank {
        let setting = self.problem.setting;
        let lot = self.problem.lottery.filter(|_| seat.is_year_end(setting.calendar)).map(|_| {
            let place = self.lots.get(&person.id).copied().unwrap_or(usize::MAX);
            (self.drawn.get(&person.id).copied().unwrap_or_default(), place)
        });
        let grouped = seat.slots.iter().any(|slot| setting.groups.iter().any(|g| *g.area() == slot.area));
        let institution = self.institutions.get(&person.institution).filter(|_| grouped);
        let points = self.points.get(&person.id).copied().unwrap_or_default().0;
        // Whoever has no share comes last, not never: the rules decide who may.
        let for_full_share = points.saturating_mul(100).checked_div(i64::from(person.share_percent));
        Rank {
            wishes,
            lot: lot.unwrap_or_default(),
            institution: institution.copied().unwrap_or_default(),
            points: for_full_share.unwrap_or(i64::MAX),
            last: self.last.get(&person.id).and_then(|ends| ends.iter().max()).copied(),
            person: person.id.clone(),
        }
    }

    /// How much they wish to be on in one of these slots.
    fn wished(&self, seat: &Seat<'a>, person: &DutyPerson) -> i64 {
        if !self.problem.setting.rules.active.contains(&seat.role) {
            return 0;
        }
        let mine = self.problem.setting.wishes.iter().filter(|w| w.person == person.id);
        mine.filter(|w| seat.slots.iter().any(|slot| w.covers(slot.key.day)))
            .map(|w| match w.wished {
                Wished::On { weight } => i64::from(weight),
                Wished::Off { .. } | Wished::Unavailable => 0,
            })
            .sum()
    }

    /// Every rule against somebody on a seat, each duty of it judged beside the ones before.
    fn against(&mut self, seat: &Seat<'a>, person: &DutyPerson) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut laid = Vec::with_capacity(seat.slots.len());
        for slot in &seat.slots {
            let duty = seat.duty(slot, person);
            rules.extend(self.judge.objections(&duty).into_iter().map(|violation| violation.rule));
            self.judge.place(&duty);
            laid.push(duty);
        }
        for duty in &laid {
            self.judge.remove(duty);
        }
        rules
    }

    fn seat(&mut self, seat: &Seat<'a>, person: &DutyPerson) {
        for slot in &seat.slots {
            let duty = seat.duty(slot, person);
            self.judge.place(&duty);
            self.filled.assignments.push(duty);
        }
        if seat.is_year_end(self.problem.setting.calendar) {
            *self.drawn.entry(person.id.clone()).or_default() += 1;
        }
        let holder = Holder { person: person.id.clone(), institution: person.institution.clone() };
        let until = seat.slots.iter().map(|slot| slot.window.to).max().unwrap_or_default();
        self.count(&holder, seat.points(), until);
    }

    fn unseat(&mut self, seat: &Seat<'a>, person: &DutyPerson) {
        for _ in &seat.slots {
            if let Some(duty) = self.filled.assignments.pop() {
                self.judge.remove(&duty);
            }
        }
        if seat.is_year_end(self.problem.setting.calendar) {
            self.drawn.entry(person.id.clone()).and_modify(|n| *n = n.saturating_sub(1));
        }
        let points = Points::default().minus(seat.points());
        self.add(&person.id, &person.institution, points);
        if let Some(ends) = self.last.get_mut(&person.id) {
            ends.pop();
        }
    }

    fn count(&mut self, holder: &Holder, points: Points, until: Millis) {
        self.add(&holder.person, &holder.institution, points);
        self.last.entry(holder.person.clone()).or_default().push(until);
    }

    fn add(&mut self, person: &MemberId, institution: &InstitutionId, points: Points) {
        let mine = self.points.entry(person.clone()).or_default();
        *mine = mine.plus(points);
        let ours = self.institutions.entry(institution.clone()).or_default();
        *ours = ours.plus(points);
    }

    fn leave_empty(&mut self, seat: &Seat<'a>) {
        let mut why = Vec::new();
        for person in self.problem.setting.people {
            let hard: BTreeSet<Rule> = self.against(seat, person).into_iter().filter(Rule::is_hard).collect();
            if !hard.is_empty() {
                why.push((person.id.clone(), hard));
            }
        }
        self.filled.empty.extend(seat.slots.iter().map(|slot| EmptySeat {
            area: slot.area.clone(),
            slot: slot.key.clone(),
            role: seat.role,
            why: why.clone(),
        }));
    }
}
