//! Requests come back as they were written; two that change one do not both win.

use touban::domain::dispatch::{Acceptance, Offer, OfferState, Proof, Request, State, Terms};
use touban::ids::{AssociationId, MemberId, SharedChance};
use touban::store::dispatch::{Loaded, request_load, request_lock, request_save};
use touban::store::{Command, Conn, StoreError};

use super::ground::{Ground, NOW, command, on_both};

on_both! {
    a_request_comes_back_as_it_was_written,
    of_two_changes_to_one_request_the_later_finds_it_changed,
    two_acceptances_for_one_place_are_refused_by_the_database,
    changes_to_one_request_wait_for_each_other,
}

/// The request with an offer to each of these people, which they accepted.
pub fn accepted(request: &Request, people: &[MemberId]) -> Request {
    let mut next = request.clone();
    for (n, person) in people.iter().enumerate() {
        let at = NOW.plus_s(i64::try_from(n).unwrap());
        let offer = Offer {
            state: OfferState::Accepted,
            step: 0,
            asked_at: NOW,
            until: NOW.plus_s(3_600),
            held_until: Some(at),
            attempts: 2,
            terms: Some(Terms::Visit),
            proof: Some(Proof::Pin),
            decider: true,
        };
        next.offers.insert(person.clone(), offer);
        next.acceptances.push(Acceptance {
            person: person.clone(),
            step: 0,
            at,
            proof: Proof::Pin,
            terms: Terms::CallBack { by: at },
            gate: false,
            released: None,
        });
    }
    next.state = State::Taken { since: NOW, step: 0, reminded: false };
    next
}

/// Saves `next` over what was loaded earlier.
struct Save {
    association: AssociationId,
    chance: SharedChance,
    before: Loaded,
    next: Request,
}

fn save(ground: &Ground, before: Loaded, next: Request) -> Save {
    Save { association: ground.association.clone(), chance: ground.vault.chance.clone(), before, next }
}

impl Command for Save {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        request_save(tx, &self.association, &self.before, &self.next, NOW, self.chance.as_ref()).await
    }
}

async fn load(ground: &Ground, request: &Request) -> Loaded {
    let mut conn = ground.db.read().await.unwrap();
    request_load(&mut conn, &ground.association, &request.id).await.unwrap().unwrap()
}

async fn a_request_comes_back_as_it_was_written(ground: Ground) {
    let request = ground.case(2).await;
    let new = load(&ground, &request).await;
    assert_eq!((new.revision, &new.request), (0, &request));

    let mut next = accepted(&request, &ground.doctors[..2]);
    ground.db.run(save(&ground, new, next.clone())).await.unwrap();
    let taken = load(&ground, &request).await;
    assert_eq!((taken.revision, &taken.request), (1, &next));

    // One gives it back, and with it the place; a third takes that; an offer is taken out altogether.
    next.acceptances[0].released = Some(NOW.plus_s(60));
    next.offers.get_mut(&ground.doctors[0]).unwrap().state = OfferState::Released;
    next = accepted(&next, &ground.doctors[2..3]);
    next.offers.remove(&ground.doctors[1]);
    ground.db.run(save(&ground, taken.clone(), next.clone())).await.unwrap();
    let later = load(&ground, &request).await;
    assert_eq!((later.revision, &later.request), (2, &next));
    let first = &ground.doctors[0];
    assert_eq!(later.offer_ids.get(first), taken.offer_ids.get(first), "an offer keeps its id");
}

async fn of_two_changes_to_one_request_the_later_finds_it_changed(ground: Ground) {
    let request = ground.case(1).await;
    let seen = load(&ground, &request).await;
    let one = accepted(&request, &ground.doctors[..1]);
    let other = accepted(&request, &ground.doctors[1..2]);
    ground.db.run(save(&ground, seen.clone(), one.clone())).await.unwrap();
    let late = ground.db.run(save(&ground, seen, other)).await;
    assert!(matches!(late, Err(StoreError::Stale { table: "request", .. })), "{late:?}");
    assert_eq!(load(&ground, &request).await.request, one);
}

async fn two_acceptances_for_one_place_are_refused_by_the_database(ground: Ground) {
    let request = ground.case(1).await;
    let seen = load(&ground, &request).await;
    // A machine with a bug that forgot its own quota.
    let both = accepted(&request, &ground.doctors[..2]);
    let refused = ground.db.run(save(&ground, seen, both)).await.unwrap_err();
    assert!(refused.is_duplicate(), "{refused:?}");
    assert_eq!(load(&ground, &request).await.request, request);
}

async fn changes_to_one_request_wait_for_each_other(ground: Ground) {
    let request = ground.case(1).await;
    let changes = (0..16).map(|_| {
        let (association, chance) = (ground.association.clone(), ground.vault.chance.clone());
        let id = request.id.clone();
        ground.db.run(command(move |tx| {
            let (association, chance, id) = (association.clone(), chance.clone(), id.clone());
            Box::pin(async move {
                let before = request_lock(tx, &association, &id).await?.unwrap();
                let mut next = before.request.clone();
                next.extended += 1;
                request_save(tx, &association, &before, &next, NOW, chance.as_ref()).await
            })
        }))
    });
    for change in futures_util::future::join_all(changes).await {
        change.unwrap();
    }
    let done = load(&ground, &request).await;
    assert_eq!((done.revision, done.request.extended), (16, 16));
}
