//! Random worlds of a rota whose duties change hands: doctors ask, agree, decline, answer twice, undo. After each deed
//! every night has exactly one holder in each role, nothing but what was agreed to has moved, and who is on says so in
//! the same instant.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use touban::app::Who;
use touban::app::answers::{ApiAnswered, ApiProof, Choice};
use touban::app::consult::Asking;
use touban::app::swap::{NewSwap, SwapAsked};
use touban::domain::dispatch::{Answer, Terms};
use touban::domain::rota::{Form, RotaRole, Stretch};
use touban::ids::{ApiKeyId, MemberId, OfferId, RequestId, SystemChance};

use crate::support::{TestOffice, on_both};
use crate::swaps::{area, at, named, night, publish};

on_both! {
    in_random_worlds_every_duty_has_one_holder_and_nothing_is_taken_twice,
}

const SEEDS: [u64; 3] = [1, 20_261_201, 77];
const DEEDS: usize = 60;
const NIGHTS: std::ops::RangeInclusive<u32> = 8..=15;
const ROLES: [RotaRole; 2] = [RotaRole::Primary, RotaRole::Deputy];

/// Who holds what: by night and role.
type Held = BTreeMap<(u32, RotaRole), MemberId>;

struct World {
    office: TestOffice,
    people: Vec<MemberId>,
    rng: rand::rngs::StdRng,
    /// What was agreed to and not undone: whose yes it was, and who held its duties before.
    taken: BTreeMap<RequestId, (MemberId, Held)>,
    /// How often a yes moved a duty.
    takings: usize,
    /// Offers that somebody has said yes to.
    answered: Vec<(OfferId, MemberId, Choice)>,
}

impl World {
    fn one_of<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        if things.is_empty() { None } else { Some(things[self.rng.random_range(0..things.len())].clone()) }
    }

    /// Asked of the point query, now; that every place has exactly one holder is asserted on the way.
    async fn held(&self) -> Held {
        let mut held = Held::new();
        for day in NIGHTS {
            for role in ROLES {
                for moment in [night(day).from, night(day).from.plus_s(7 * 3_600), night(day).to.plus_ms(-1)]
                {
                    let office = &self.office;
                    let part = office.app.rota_who(&office.association, &area(), role, moment, None).await;
                    let people = part.unwrap().people();
                    assert_eq!(people.len(), 1, "{role:?} on the {day}th at {moment}: {people:?}");
                    let before = held.insert((day, role), people[0].person.clone());
                    assert!(before.is_none_or(|before| before == people[0].person), "one through the night");
                }
            }
        }
        held
    }

    async fn answer(&self, offer: &OfferId, person: &MemberId, choice: Choice) -> Answer {
        let office = &self.office;
        let key = ApiKeyId::new(office.app.now(), &SystemChance);
        let who = Who::key(&office.association, &key, Some(person));
        match office.app.offer_answer(&who, offer, choice, ApiProof::ActFor, None).await.unwrap() {
            ApiAnswered::Answered(answered) => answered.answer,
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&mut self, held: &Held) {
        let day = self.rng.random_range(NIGHTS);
        let role = ROLES[self.rng.random_range(0..2)];
        let asker = held[&(day, role)].clone();
        let others: Vec<MemberId> = self.people.iter().filter(|p| **p != asker).cloned().collect();
        let other = self.one_of(&others);
        let (form, other, takes) = match self.rng.random_range(0..3) {
            0 => (Form::Give, other, None),
            1 => {
                let theirs: Vec<(u32, RotaRole)> =
                    held.iter().filter(|(_, holder)| **holder != asker).map(|(place, _)| *place).collect();
                let place = self.one_of(&theirs);
                (Form::Exchange, None, place.map(|(day, role)| named(day, role)))
            }
            _ => (Form::Pool, None, None),
        };
        let new = NewSwap { form, gives: named(day, role), takes, other, note: String::new() };
        let who = Who::member(&self.office.association, &asker);
        let asking = Asking { asker, in_person: true, channel: "web" };
        // What cannot be asked is refused; either way nothing moves.
        match self.office.app.swap_ask(&who, asking, new, None).await {
            Ok(SwapAsked::Asked(_) | SwapAsked::Refused(_) | SwapAsked::Wrong(..)) | Err(_) => {}
        }
        assert_eq!(self.held().await, *held, "asking moves nothing");
    }

    async fn reply(&mut self, held: &Held) {
        let people = self.people.clone();
        let Some(person) = self.one_of(&people) else { return };
        let office = &self.office;
        let (offers, _) = office.app.swap_offers_of(&office.association, &person).await.unwrap();
        let offers: Vec<_> =
            offers.into_iter().map(|(line, row)| (line.facts, row.id, row.request)).collect();
        let Some((facts, offer, request)) = self.one_of(&offers) else { return };
        if self.rng.random_range(0..4) == 0 {
            self.answer(&offer, &person, Choice::Decline { reason: None }).await;
            assert_eq!(self.held().await, *held, "a no moves nothing");
            return;
        }
        let terms = match facts.takes.as_ref() {
            Some(takes) if facts.form == Form::Exchange => {
                Terms::Exchange { gives: Stretch::word(takes), takes: facts.gives.word() }
            }
            _ => Terms::Plain,
        };
        let yes = Choice::Accept { terms };
        let said = self.answer(&offer, &person, yes.clone()).await;
        let now = self.held().await;
        let moved: Held = held
            .iter()
            .filter(|(place, holder)| now[*place] != **holder)
            .map(|(p, h)| (*p, h.clone()))
            .collect();
        if said != Answer::Done {
            assert!(moved.is_empty(), "{said:?} moved {moved:?}");
            return;
        }
        self.answered.push((offer, person.clone(), yes));
        match facts.form {
            Form::Exchange => {
                assert_eq!(moved.len(), 2, "both legs or none");
                let mut before: Vec<&MemberId> = moved.values().collect();
                let mut after: Vec<&MemberId> = moved.keys().map(|place| &now[place]).collect();
                before.sort();
                after.sort();
                assert_eq!(before, after, "the same two people, the other way round");
            }
            _ => {
                assert_eq!(moved.len(), 1, "one duty");
                assert!(moved.keys().all(|place| now[place] == person), "to whoever said yes");
            }
        }
        self.takings += 1;
        self.taken.insert(request, (person, moved));
    }

    /// Somebody presses again what they have pressed before.
    async fn twice(&mut self, held: &Held) {
        let answered = self.answered.clone();
        let Some((offer, person, choice)) = self.one_of(&answered) else { return };
        let said = self.answer(&offer, &person, choice).await;
        assert_ne!(said, Answer::Done, "taken twice");
        assert_eq!(self.held().await, *held, "a second yes moves nothing");
    }

    async fn undo(&mut self, held: &Held) {
        let requests: Vec<RequestId> = self.taken.keys().cloned().collect();
        let Some(request) = self.one_of(&requests) else { return };
        let (person, before) = self.taken[&request].clone();
        let who = Who::member(&self.office.association, &person);
        let change = self.office.app.swap_undo(&who, &request, &person, None).await.unwrap();
        let now = self.held().await;
        for (place, holder) in held {
            if now[place] != *holder {
                assert_eq!(change.answer, Answer::Done);
                assert_eq!(Some(&now[place]), before.get(place), "back to whoever held it");
            }
        }
        if change.answer == Answer::Done {
            self.taken.remove(&request);
            // What was pressed there counts as answered no more: the request is open again.
            self.answered.retain(|(_, who, _)| *who != person);
        }
    }
}

async fn in_random_worlds_every_duty_has_one_holder_and_nothing_is_taken_twice(office: TestOffice) {
    let mut people = Vec::new();
    for n in 1..=8 {
        people.push(office.physician(&format!("当番 医師{n}")).await);
    }
    let mut world = World {
        office,
        people,
        rng: rand::rngs::StdRng::seed_from_u64(0),
        taken: BTreeMap::new(),
        takings: 0,
        answered: Vec::new(),
    };
    let mut all = 0;
    for seed in SEEDS {
        world.rng = rand::rngs::StdRng::seed_from_u64(seed);
        // A new rota; what was agreed to before is void, visibly, or names who holds it anyway.
        let nights: Vec<(u32, &MemberId, &MemberId)> = NIGHTS
            .map(|day| {
                let n = usize::try_from(day).unwrap() + usize::try_from(seed % 5).unwrap();
                (day, &world.people[n % 8], &world.people[(n + 3) % 8])
            })
            .collect();
        publish(&world.office, &nights).await;
        world.taken.clear();
        world.answered.clear();
        world.office.clock.advance_s(60);
        for _ in 0..DEEDS {
            let held = world.held().await;
            match world.rng.random_range(0..10) {
                0..=3 => world.ask(&held).await,
                4..=7 => world.reply(&held).await,
                8 => world.twice(&held).await,
                _ => world.undo(&held).await,
            }
            world.office.clock.advance_s(1);
        }
        assert!(world.takings > all, "seed {seed}: something was agreed to");
        all = world.takings;
    }
    let office = &world.office;
    let since = at("2026-12-01T00:00:00+09:00");
    let recorded = office.app.rota_swaps(&office.association, since).await.unwrap();
    assert_eq!(recorded.len(), world.takings, "each yes that moved a duty stands in the books once");
    assert!(office.app.verify().await.unwrap().problems.is_empty());
}
