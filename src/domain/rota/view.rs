//! The rota as one request sees it: who is on in its area, who may take a duty, what changes when they do.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::asking::{Form, HandOver, Stretch, SwapFacts};
use super::judge::Judge;
use super::model::{Area, Assignment, CareGroup, Holder, Leg, RotaRole, SlotKey, Swap};
use super::rules::{DutyPerson, Rule, Rules, Setting, Wish};
use super::slots::{Slot, SlotBook};
use super::swaps::{NotTakeable, may_take, overlap};
use super::timeline::Timeline;
use crate::domain::calendar::{Calendar, civil_day};
use crate::domain::dispatch::{Request, Rule as Against, Terms};
use crate::domain::ledger::Code;
use crate::ids::{InstitutionId, MemberId, SwapId};
use crate::time::{Millis, Window};

/// Rest and caps are looked at this far around a change: more than a month.
const AROUND_S: i64 = 40 * 86_400;

/// The rota and its rules as known now, and the area and the facts of one request.
#[derive(Clone, Debug)]
pub struct DutyView {
    /// Now.
    pub now: Millis,
    /// The association's zone.
    pub zone: Tz,
    /// Who is on.
    pub timeline: Timeline,
    /// The rules.
    pub rules: Rules,
    /// Who may hold duty, by those who are here now.
    pub people: Vec<DutyPerson>,
    /// What they wish.
    pub wishes: Vec<Wish>,
    /// The linked groups.
    pub groups: Vec<CareGroup>,
    /// The slot patterns.
    pub book: Option<SlotBook>,
    /// Which days are off.
    pub calendar: Calendar,
    /// The coordinator must agree before a change counts.
    pub coordinator_agrees: bool,
    /// A change within so many hours of the beginning is confirmed by telephone, too.
    pub phone_within_h: u32,
    /// The area the request is about.
    pub area: Option<Area>,
    /// What a swap is about.
    pub swap: Option<SwapFacts>,
}

impl DutyView {
    /// Who is on in the request's area in some part of a window, in order of time, each once.
    #[must_use]
    pub fn on(&self, role: RotaRole, window: Window) -> Vec<MemberId> {
        let Some(area) = &self.area else { return Vec::new() };
        let mut people = Vec::new();
        for part in self.timeline.parts_within(area, role, window) {
            for held in &part.held {
                if !people.contains(&held.holder.person) {
                    people.push(held.holder.person.clone());
                }
            }
        }
        people
    }

    /// A side of the swap, counted from 0.
    #[must_use]
    pub fn party(&self, side: usize) -> Option<&MemberId> {
        self.swap.as_ref()?.parties().get(side).copied()
    }

    fn holder(&self, person: &MemberId) -> Option<Holder> {
        let found = self.people.iter().find(|p| p.id == *person)?;
        Some(Holder { person: found.id.clone(), institution: found.institution.clone() })
    }

    /// What changes in the rota as the request stands.
    ///
    /// # Errors
    /// Somebody of it takes no part in the rota, or nobody took it.
    pub fn hand_over(&self, request: &Request) -> Result<HandOver, Against> {
        let facts = self.swap.as_ref().ok_or(Against::WrongTerms)?;
        let taker = match facts.form {
            Form::Give | Form::Exchange => facts.other.as_ref(),
            Form::Pool | Form::Cover | Form::Ill | Form::Hole => request.claims().next().map(|a| &a.person),
        };
        self.change(facts, taker.ok_or(Against::WrongTerms)?)
    }

    fn change(&self, facts: &SwapFacts, taker: &MemberId) -> Result<HandOver, Against> {
        let taker = self.holder(taker).ok_or(Against::DutyNotFit)?;
        if facts.form.is_a_hole() {
            let window = facts.gives.rest(self.now).ok_or(Against::DutyOver)?;
            return Ok(HandOver::Fill(Stretch { window, ..facts.gives.clone() }, taker));
        }
        let giver = facts.giver.as_ref().ok_or(Against::WrongTerms)?;
        let leg = |stretch: &Stretch, giver: &MemberId, taker: Holder| Leg {
            area: stretch.area.clone(),
            role: stretch.role,
            window: stretch.window,
            giver: giver.clone(),
            taker,
        };
        let mut legs = vec![leg(&facts.gives, giver, taker.clone())];
        if let Some(takes) = &facts.takes {
            let back = self.holder(giver).ok_or(Against::DutyNotFit)?;
            legs.push(leg(takes, &taker.person, back));
        }
        Ok(HandOver::Swap(legs))
    }

    /// Whether it may change hands as the request stands; see
    /// [`World::may_hand_over`](crate::domain::dispatch::World::may_hand_over).
    ///
    /// # Errors
    /// The first rule that stands against it.
    pub fn may_hand_over(&self, request: &Request) -> Result<(), Against> {
        let change = self.hand_over(request)?;
        self.agreed_to_what_it_is(request)?;
        self.stands_against(&change)
    }

    /// Whether a change that names whom it goes to may be asked for at all.
    ///
    /// # Errors
    /// The first rule that stands against it already now.
    pub fn may_be_asked(&self) -> Result<(), Against> {
        let facts = self.swap.as_ref().ok_or(Against::WrongTerms)?;
        let other = facts.other.as_ref().ok_or(Against::WrongTerms)?;
        self.stands_against(&self.change(facts, other)?)
    }

    /// Whether what was asked about is still so: the givers hold it, the hole is one. What is over is not asked
    /// about any more anyway.
    #[must_use]
    pub fn is_as_asked(&self, facts: &SwapFacts) -> bool {
        let gives = |person: &MemberId, stretch: &Stretch| {
            let Some(rest) = stretch.rest(self.now) else { return true };
            let mut parts = self.timeline.parts_within(&stretch.area, stretch.role, rest);
            parts.all(|p| p.held.iter().any(|h| h.holder.person == *person && h.is_of_a_slot()))
        };
        if facts.form.is_a_hole() {
            let rest = facts.gives.rest(self.now);
            return rest.is_none_or(|window| self.is_hole(&Stretch { window, ..facts.gives.clone() }));
        }
        let back = facts.takes.as_ref().zip(facts.other.as_ref());
        facts.giver.as_ref().is_some_and(|giver| gives(giver, &facts.gives))
            && back.is_none_or(|(takes, other)| gives(other, takes))
    }

    fn stands_against(&self, change: &HandOver) -> Result<(), Against> {
        match change {
            HandOver::Swap(legs) => {
                // The id plays no part in whether it can be taken.
                let swap = Swap {
                    id: SwapId::named(&["being asked about"]),
                    legs: legs.clone(),
                    taken_at: self.now,
                    recorded_at: self.now,
                    undone_at: None,
                };
                may_take(&self.timeline, &swap).map_err(|e| match e {
                    NotTakeable::Over { .. } => Against::DutyOver,
                    NotTakeable::NotHeld { .. } => Against::DutyNotHeld,
                    NotTakeable::ToThemselves { .. } => Against::OwnRequest,
                    NotTakeable::Empty | NotTakeable::Twice { .. } => Against::WrongTerms,
                })?;
                let moves: Vec<Move<'_>> = legs
                    .iter()
                    .map(|leg| Move {
                        area: &leg.area,
                        role: leg.role,
                        window: leg.window,
                        giver: Some(&leg.giver),
                        taker: leg.taker.clone(),
                    })
                    .collect();
                self.rules_against(&moves)
            }
            HandOver::Fill(stretch, holder) => {
                if !self.is_hole(stretch) {
                    return Err(Against::DutyNotHeld);
                }
                self.rules_against(&[Move::into_hole(stretch, holder.clone())])
            }
        }
    }

    /// Whether nobody holds any of it.
    #[must_use]
    pub fn is_hole(&self, stretch: &Stretch) -> bool {
        self.timeline.parts_within(&stretch.area, stretch.role, stretch.window).all(|p| p.held.is_empty())
    }

    /// In an exchange the other side's yes names both duties: it counts for these and for nothing else.
    fn agreed_to_what_it_is(&self, request: &Request) -> Result<(), Against> {
        let Some(facts) = self.swap.as_ref().filter(|f| f.form == Form::Exchange) else { return Ok(()) };
        let (Some(takes), Some(other)) = (&facts.takes, &facts.other) else {
            return Err(Against::WrongTerms);
        };
        let agreed = Terms::Exchange { gives: takes.word(), takes: facts.gives.word() };
        let mut theirs = request.acceptances.iter().filter(|a| a.person == *other && a.released.is_none());
        if theirs.any(|a| a.terms == agreed) { Ok(()) } else { Err(Against::WrongTerms) }
    }

    /// Whom to call for a duty: whom the rules do not stand against and who did not say that they cannot,
    /// those with the fewest duties around it first, then by id.
    #[must_use]
    pub fn volunteers(&self) -> Vec<MemberId> {
        let Some(facts) = &self.swap else { return Vec::new() };
        let Some(window) = facts.gives.rest(self.now) else { return Vec::new() };
        let duties = self.duties_around(window);
        let mut load: BTreeMap<MemberId, usize> = BTreeMap::new();
        for duty in duties.iter().filter(|d| self.rules.active.contains(&d.role)) {
            *load.entry(duty.holder.person.clone()).or_default() += 1;
        }
        let giver = facts.giver.as_ref().filter(|_| !facts.form.is_a_hole());
        let stretch = &facts.gives;
        let slots = self.slots_of(&stretch.area, window);
        let mut standing = duties;
        // Laid once without what is moved; whose it would be is tried one after the other.
        let anybody =
            Holder { person: MemberId::named(&["anybody"]), institution: InstitutionId::named(&["any"]) };
        let one = Move { area: &stretch.area, role: stretch.role, window, giver, taker: anybody };
        let moved = one.take_out(&mut standing, &slots, self.zone);
        let mut judge = Judge::new(self.setting(&slots));
        for duty in &standing {
            judge.place(duty);
        }
        let may = |p: &&DutyPerson| {
            let holder = Holder { person: p.id.clone(), institution: p.institution.clone() };
            let tried = moved.iter().map(|duty| Assignment { holder: holder.clone(), ..duty.clone() });
            tried
                .flat_map(|duty| judge.objections(&duty))
                .all(|found| stands_against(&found.rule, true).is_none())
        };
        let others = self.people.iter().filter(|p| Some(&p.id) != facts.giver.as_ref());
        let mut fitting: Vec<&DutyPerson> = others.filter(may).collect();
        fitting.sort_by_key(|p| (load.get(&p.id).copied().unwrap_or(0), p.id.clone()));
        fitting.into_iter().map(|p| p.id.clone()).collect()
    }

    /// Who has to hear of a change: who gives, who takes, and who is on beside them.
    #[must_use]
    pub fn affected(&self, change: &HandOver) -> BTreeSet<MemberId> {
        let mut people = BTreeSet::new();
        let mut beside = |area: &Area, window: Window| {
            for role in RotaRole::ALL {
                for part in self.timeline.parts_within(area, role, window) {
                    people.extend(part.held.into_iter().map(|h| h.holder.person));
                }
            }
        };
        let mut named: Vec<&MemberId> = Vec::new();
        match change {
            HandOver::Swap(legs) => {
                for leg in legs {
                    beside(&leg.area, leg.window);
                    named.extend([&leg.giver, &leg.taker.person]);
                }
            }
            HandOver::Fill(stretch, holder) => {
                beside(&stretch.area, stretch.window);
                named.push(&holder.person);
            }
        }
        people.extend(named.into_iter().cloned());
        people
    }

    fn setting<'a>(&'a self, slots: &'a [Slot]) -> Setting<'a> {
        Setting {
            rules: &self.rules,
            people: &self.people,
            wishes: &self.wishes,
            groups: &self.groups,
            slots,
            calendar: &self.calendar,
            zone: self.zone,
        }
    }

    /// Holds the moves against the rules, beside every duty that is not moved.
    fn rules_against(&self, moves: &[Move<'_>]) -> Result<(), Against> {
        let from = moves.iter().map(|m| m.window.from).min().unwrap_or(self.now);
        let to = moves.iter().map(|m| m.window.to).max().unwrap_or(self.now);
        let mut standing = self.duties_around(Window { from, to });
        let (mut moved, mut slots) = (Vec::new(), Vec::new());
        for one in moves {
            let here = self.slots_of(one.area, one.window);
            moved.extend(one.take_out(&mut standing, &here, self.zone));
            slots.extend(here);
        }
        let mut judge = Judge::new(self.setting(&slots));
        for duty in &standing {
            judge.place(duty);
        }
        for duty in &moved {
            let found = judge.objections(duty);
            if let Some(against) = found.iter().find_map(|v| stands_against(&v.rule, false)) {
                return Err(against);
            }
            judge.place(duty);
        }
        Ok(())
    }

    /// The slots of an area that reach into a window.
    #[must_use]
    pub fn slots_of(&self, area: &Area, window: Window) -> Vec<Slot> {
        let Some(book) = &self.book else { return Vec::new() };
        let (first, last) =
            (civil_day(window.from, self.zone).plus_days(-2), civil_day(window.to, self.zone));
        let slots = book.slots(area, first, last, &self.calendar, self.zone).into_iter();
        slots.filter(|slot| overlap(slot.window, window)).collect()
    }

    fn duties_around(&self, window: Window) -> Vec<Assignment> {
        self.duties(Window { from: window.from.plus_s(-AROUND_S), to: window.to.plus_s(AROUND_S) })
    }

    /// Hours of a role, cut where its slots meet.
    #[must_use]
    pub fn cut_to_slots(&self, area: &Area, role: RotaRole, window: Window) -> Vec<Stretch> {
        let stretch = |(slot, window): (SlotKey, Window)| Stretch {
            area: area.clone(),
            role,
            slot: Some(slot),
            window,
        };
        let slots = self.slots_of(area, window).into_iter().filter(|slot| slot.roles.contains(&role));
        cut(&slots.collect::<Vec<_>>(), window, self.zone).into_iter().map(stretch).collect()
    }

    /// Every duty that reaches into a window, as it is held, cut to the window; by line and time.
    #[must_use]
    pub fn duties(&self, around: Window) -> Vec<Assignment> {
        let mut duties: Vec<Assignment> = Vec::new();
        let lines: Vec<(&Area, RotaRole)> = self.timeline.lines().collect();
        for (area, role) in lines {
            let begins = duties.len();
            for part in self.timeline.parts_within(area, role, around) {
                for held in part.held {
                    let slots = match held.why.slot() {
                        Some(slot) => vec![(slot.clone(), part.window)],
                        None => cut(&self.slots_of(area, part.window), part.window, self.zone),
                    };
                    for (slot, window) in slots {
                        let holder = held.holder.clone();
                        let duty = Assignment { area: area.clone(), slot, role, window, holder };
                        match duties.get_mut(begins..).and_then(<[Assignment]>::last_mut) {
                            // A line is cut where reasons change; a duty is not.
                            Some(last)
                                if last.slot == duty.slot
                                    && last.holder == duty.holder
                                    && last.window.to == duty.window.from =>
                            {
                                last.window.to = duty.window.to;
                            }
                            _ => duties.push(duty),
                        }
                    }
                }
            }
        }
        duties
    }
}

/// The slots of hours that have no slot of their own; hours outside of every slot get one named after their day.
fn cut(slots: &[Slot], window: Window, zone: Tz) -> Vec<(SlotKey, Window)> {
    let mut pieces: Vec<(SlotKey, Window)> = slots
        .iter()
        .filter_map(|s| {
            let within = Window::new(s.window.from.max(window.from), s.window.to.min(window.to))?;
            Some((s.key.clone(), within))
        })
        .collect();
    if pieces.is_empty()
        && let Ok(kind) = "hours".parse::<Code>()
    {
        pieces.push((SlotKey { day: civil_day(window.from, zone), kind }, window));
    }
    pieces
}

/// One stretch that goes from one to another.
struct Move<'a> {
    area: &'a Area,
    role: RotaRole,
    window: Window,
    giver: Option<&'a MemberId>,
    taker: Holder,
}

impl<'a> Move<'a> {
    const fn into_hole(stretch: &'a Stretch, taker: Holder) -> Self {
        Self { area: &stretch.area, role: stretch.role, window: stretch.window, giver: None, taker }
    }

    /// Cuts the stretch out of the giver's duties and gives it back as the taker's.
    fn take_out(&self, standing: &mut Vec<Assignment>, slots: &[Slot], zone: Tz) -> Vec<Assignment> {
        let as_taken = |(slot, window): (SlotKey, Window)| Assignment {
            area: self.area.clone(),
            slot,
            role: self.role,
            window,
            holder: self.taker.clone(),
        };
        let Some(giver) = self.giver else {
            return cut(slots, self.window, zone).into_iter().map(as_taken).collect();
        };
        let mut moved = Vec::new();
        let mut rest = Vec::with_capacity(standing.len());
        for duty in standing.drain(..) {
            let mine = duty.area == *self.area && duty.role == self.role && duty.holder.person == *giver;
            let within =
                Window::new(duty.window.from.max(self.window.from), duty.window.to.min(self.window.to));
            match within.filter(|_| mine) {
                None => rest.push(duty),
                Some(within) => {
                    moved.push(as_taken((duty.slot.clone(), within)));
                    let before = Window::new(duty.window.from, within.from);
                    let after = Window::new(within.to, duty.window.to);
                    rest.extend(
                        [before, after]
                            .into_iter()
                            .flatten()
                            .map(|window| Assignment { window, ..duty.clone() }),
                    );
                }
            }
        }
        *standing = rest;
        moved
    }
}

/// What of the rota's rules stands against a yes; with `for_call` against being called. A run of days off may be
/// split once it is published, and who said that they cannot, or rather would not, may say otherwise.
const fn stands_against(rule: &Rule, for_call: bool) -> Option<Against> {
    Some(match rule {
        Rule::Unknown
        | Rule::Exempt
        | Rule::NotOfTheGroup { .. }
        | Rule::Qualification { .. }
        | Rule::NobodyQualified { .. }
        | Rule::PhoneOnly
        | Rule::NoDeepNight
        | Rule::NeverKind
        | Rule::Together { weight: None } => Against::DutyNotFit,
        Rule::RoleHeldTwice => Against::DutyNotHeld,
        Rule::TwoRoles | Rule::TwoDutiesAtOnce => Against::DutyAtOnce,
        Rule::SameInstitution { .. } => Against::DutySameInstitution,
        Rule::RestHours { .. } | Rule::RestNights { .. } => Against::DutyRest,
        Rule::WeekCap { .. }
        | Rule::MonthCap { .. }
        | Rule::KindCap { .. }
        | Rule::InstitutionWeek { .. }
        | Rule::InstitutionMonth { .. } => Against::DutyCap,
        Rule::Unavailable if for_call => Against::DutyNotFit,
        Rule::Unavailable
        | Rule::BlockSplit { .. }
        | Rule::WishedOff { .. }
        | Rule::WishedOn { .. }
        | Rule::Together { weight: Some(_) } => return None,
    })
}
