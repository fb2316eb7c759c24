//! What is asked about a published duty, and what the rules say of it.

use super::patterns::book;
use super::*;
use crate::domain::dispatch::plan::{Kind, Plan};
use crate::domain::dispatch::{Acceptance, Proof, Request, Rule as Against, Terms};
use crate::ids::RequestId;

const PRIMARY: RotaRole = RotaRole::Primary;
const DEPUTY: RotaRole = RotaRole::Deputy;
const NOW: &str = "2026-07-03T16:00:00+09:00";

/// Nights of July, primary and deputy of different clinics: 0 and 3, 6 and 9, …
fn nights() -> Records {
    let night = |n: i64| {
        let first = day("2026-07-01").plus_days(n);
        let (from, to) =
            (format!("{first}T18:00:00+09:00"), format!("{}T08:00:00+09:00", first.plus_days(1)));
        (format!("{first}/wn"), span(&from, &to))
    };
    let mut duties = Vec::new();
    for n in 0..10 {
        let (slot, window) = night(n);
        let pair = usize::try_from(n).unwrap() % 2 * 6;
        duties.push(duty(&slot, PRIMARY, window, pair));
        duties.push(duty(&slot, DEPUTY, window, pair + 3));
    }
    let period = span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
    Records {
        publications: vec![publication(1, "2026-06-01T00:00:00+09:00", period, duties)],
        ..Records::default()
    }
}

fn the(n: u32) -> Window {
    span(&format!("2026-07-{n:02}T18:00:00+09:00"), &format!("2026-07-{:02}T08:00:00+09:00", n + 1))
}

fn stretch(n: u32, role: RotaRole) -> Stretch {
    Stretch { area: aoba(), role, slot: Some(key(&format!("2026-07-{n:02}/wn"))), window: the(n) }
}

fn view(records: &Records) -> DutyView {
    DutyView {
        now: at(NOW),
        zone: TOKYO,
        timeline: Timeline::new(records, None),
        rules: Rules::default(),
        people: (0..15)
            .map(|n| DutyPerson {
                qualifications: [code("ped")].into(),
                ..DutyPerson::new(person(n), clinic(n))
            })
            .collect(),
        wishes: Vec::new(),
        groups: Vec::new(),
        book: Some(book()),
        calendar: calendar(),
        coordinator_agrees: false,
        phone_within_h: 24,
        area: Some(aoba()),
        swap: None,
    }
}

fn facts(form: Form, gives: Stretch, giver: Option<usize>) -> SwapFacts {
    SwapFacts { form, area: aoba(), gives, giver: giver.map(person), takes: None, other: None, late: false }
}

fn request(facts: &SwapFacts, yes: &[(usize, bool, Terms)]) -> Request {
    let plan: Plan = toml::from_str("name = \"x\"\nversion = 1\nkind = \"swap\"").unwrap();
    assert_eq!(plan.kind, Kind::Swap);
    let id = RequestId::named(&["swap"]);
    let asker = facts.giver.clone().unwrap_or_else(|| person(99));
    let mut r = Request::new(id, plan, asker, facts.window(), facts.window().to, at(NOW));
    r.acceptances = yes
        .iter()
        .map(|(n, gate, terms)| Acceptance {
            person: person(*n),
            step: 0,
            at: at(NOW),
            proof: Proof::Pin,
            terms: terms.clone(),
            gate: *gate,
            released: None,
        })
        .collect();
    r
}

fn taken_by(view: &DutyView, facts: &SwapFacts, taker: usize) -> Result<(), Against> {
    let view = DutyView { swap: Some(facts.clone()), ..view.clone() };
    view.may_hand_over(&request(facts, &[(taker, false, Terms::Plain)]))
}

#[test]
fn the_person_on_duty_is_found_as_published_swapped_and_overridden_then() {
    let mut records = nights();
    let whole = view(&records);
    assert_eq!(whole.on(PRIMARY, the(3)), [person(0)]);
    assert_eq!(whole.on(DEPUTY, the(3)), [person(3)]);
    records.swaps.push(swap(1, NOW, vec![leg(PRIMARY, the(3), 0, 12)]));
    assert_eq!(view(&records).on(PRIMARY, the(3)), [person(12)]);
    records.overrides.push(put(
        1,
        NOW,
        PRIMARY,
        span("2026-07-03T22:00:00+09:00", "2026-07-04T08:00:00+09:00"),
        Some(7),
    ));
    assert_eq!(view(&records).on(PRIMARY, the(3)), [person(12), person(7)], "in order of time");
    let elsewhere = DutyView { area: None, ..whole };
    assert_eq!(elsewhere.on(PRIMARY, the(3)), []);
}

#[test]
fn a_duty_goes_to_whoever_no_rule_stands_against() {
    let view = view(&nights());
    let pool = facts(Form::Pool, stretch(5, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &pool, 12), Ok(()));
    assert_eq!(taken_by(&view, &pool, 0), Err(Against::OwnRequest));
    assert_eq!(taken_by(&view, &pool, 3), Err(Against::DutyAtOnce), "is the deputy");
    assert_eq!(taken_by(&view, &pool, 4), Err(Against::DutySameInstitution), "a colleague of the deputy");
    assert_eq!(taken_by(&view, &pool, 40), Err(Against::DutyNotFit), "holds no duty here");
    let given_away = facts(Form::Pool, stretch(4, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &given_away, 12), Err(Against::DutyNotHeld), "6 holds it");
    let over = facts(Form::Pool, stretch(1, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &over, 12), Err(Against::DutyOver));
}

#[test]
fn rest_and_caps_stand_against_it_also_at_the_second_leg_of_an_exchange() {
    let mut view = view(&nights());
    view.rules.rest_nights = 1;
    let pool = facts(Form::Pool, stretch(5, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &pool, 6), Err(Against::DutyRest), "6 is on the night before and after");
    assert_eq!(taken_by(&view, &pool, 12), Ok(()));
    view.rules.rest_nights = 0;
    view.rules.max_per_month = Some(5);
    let theirs = facts(Form::Pool, stretch(5, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &theirs, 6), Err(Against::DutyCap));
    // Duty for duty keeps the number.
    let exchange = SwapFacts {
        takes: Some(stretch(6, PRIMARY)),
        other: Some(person(6)),
        ..facts(Form::Exchange, stretch(5, PRIMARY), Some(0))
    };
    let terms = Terms::Exchange { gives: stretch(6, PRIMARY).word(), takes: stretch(5, PRIMARY).word() };
    let view = DutyView { swap: Some(exchange.clone()), ..view };
    assert_eq!(view.may_be_asked(), Ok(()));
    assert_eq!(view.may_hand_over(&request(&exchange, &[(6, true, terms)])), Ok(()));
}

#[test]
fn an_exchange_counts_for_the_two_duties_that_were_agreed_to_and_for_nothing_else() {
    let exchange = SwapFacts {
        takes: Some(stretch(6, PRIMARY)),
        other: Some(person(6)),
        ..facts(Form::Exchange, stretch(5, PRIMARY), Some(0))
    };
    let view = DutyView { swap: Some(exchange.clone()), ..view(&nights()) };
    let (gives, takes) = (stretch(6, PRIMARY).word(), stretch(5, PRIMARY).word());
    for wrong in [
        Terms::Plain,
        Terms::Exchange { gives: takes.clone(), takes: gives.clone() },
        Terms::Exchange { gives: stretch(8, PRIMARY).word(), takes: takes.clone() },
    ] {
        assert_eq!(view.may_hand_over(&request(&exchange, &[(6, true, wrong)])), Err(Against::WrongTerms));
    }
    let agreed = request(&exchange, &[(6, true, Terms::Exchange { gives, takes })]);
    assert_eq!(view.may_hand_over(&agreed), Ok(()));
    let Ok(HandOver::Swap(legs)) = view.hand_over(&agreed) else { panic!("an exchange is a swap") };
    let way: Vec<_> = legs.iter().map(|l| (l.window, l.giver.clone(), l.taker.person.clone())).collect();
    assert_eq!(way, [(the(5), person(0), person(6)), (the(6), person(6), person(0))]);
    let told: Vec<usize> = view
        .affected(&HandOver::Swap(legs))
        .iter()
        .map(|p| (0..20).find(|n| person(*n) == *p).unwrap())
        .collect();
    assert_eq!(told.into_iter().collect::<std::collections::BTreeSet<_>>(), [0, 3, 6, 9].into());
}

#[test]
fn what_was_taken_once_cannot_be_taken_again() {
    let mut records = nights();
    let pool = facts(Form::Pool, stretch(5, PRIMARY), Some(0));
    assert_eq!(taken_by(&view(&records), &pool, 12), Ok(()));
    assert!(view(&records).is_as_asked(&pool));
    records.swaps.push(swap(1, NOW, vec![leg(PRIMARY, the(5), 0, 12)]));
    let after = view(&records);
    assert_eq!(taken_by(&after, &pool, 13), Err(Against::DutyNotHeld));
    assert!(!after.is_as_asked(&pool));
}

#[test]
fn a_part_of_a_duty_leaves_the_rest_where_it_is() {
    let evening = span("2026-07-05T18:00:00+09:00", "2026-07-05T22:00:00+09:00");
    let part = facts(Form::Pool, Stretch { window: evening, ..stretch(5, PRIMARY) }, Some(0));
    let view = view(&nights());
    assert_eq!(taken_by(&view, &part, 12), Ok(()));
    assert_eq!(taken_by(&view, &part, 3), Err(Against::DutyAtOnce));
}

#[test]
fn volunteers_are_those_whom_no_rule_stands_against_who_did_not_say_they_cannot_the_least_burdened_first() {
    let mut view = view(&nights());
    view.rules.rest_nights = 1;
    view.people[12].profile.exempt = true;
    view.wishes = vec![Wish {
        person: person(13),
        first: day("2026-07-05"),
        last: day("2026-07-05"),
        wished: Wished::Unavailable,
    }];
    view.swap = Some(facts(Form::Pool, stretch(5, PRIMARY), Some(0)));
    let called: Vec<usize> =
        view.volunteers().iter().map(|p| (0..20).find(|n| person(*n) == *p).unwrap()).collect();
    // Not 0 who gives, 3 to 5 of the deputy's clinic, 6 and 9 without rest, 12 exempt, 13 away.
    let mut sorted = called.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 2, 7, 8, 10, 11, 14]);
    // Who wished not to may still say yes.
    let pool = facts(Form::Pool, stretch(5, PRIMARY), Some(0));
    assert_eq!(taken_by(&view, &pool, 13), Ok(()));
}

#[test]
fn who_is_ill_is_relieved_at_once_and_the_deputys_place_is_open() {
    let records = nights();
    let follows = move_up(&Timeline::new(&records, None), &stretch(3, PRIMARY), &person(0), at(NOW));
    assert_eq!(follows.legs, [leg(PRIMARY, the(3), 0, 3)]);
    assert_eq!(follows.holes, [stretch(3, DEPUTY)]);
    assert_eq!(follows.fills, []);
    let of_deputy = move_up(&Timeline::new(&records, None), &stretch(3, DEPUTY), &person(3), at(NOW));
    assert_eq!((of_deputy.legs.len(), of_deputy.holes), (0, vec![stretch(3, DEPUTY)]));
    // Midway, from now on only.
    let late = at("2026-07-03T23:00:00+09:00");
    let midway = move_up(&Timeline::new(&records, None), &stretch(3, PRIMARY), &person(0), late);
    assert_eq!(midway.holes[0].window, Window { from: late, to: the(3).to });
}

#[test]
fn where_there_is_no_deputy_the_duty_itself_is_open_and_a_part_of_the_night_may_differ() {
    let mut records = nights();
    let half = span("2026-07-03T18:00:00+09:00", "2026-07-04T00:00:00+09:00");
    records.overrides.push(put(1, NOW, DEPUTY, half, None));
    let follows = move_up(&Timeline::new(&records, None), &stretch(3, PRIMARY), &person(0), at(NOW));
    let second = Window { from: half.to, to: the(3).to };
    assert_eq!(follows.legs, [leg(PRIMARY, second, 0, 3)]);
    let holes: Vec<_> = follows.holes.iter().map(|h| (h.role, h.window)).collect();
    assert_eq!(holes, [(PRIMARY, half), (DEPUTY, second)]);
    // Who stands in by a change of the office has no slot to give.
    records.overrides.push(put(2, NOW, PRIMARY, the(3), Some(12)));
    let stands_in = move_up(&Timeline::new(&records, None), &stretch(3, PRIMARY), &person(12), at(NOW));
    assert_eq!((stands_in.legs.len(), stands_in.fills.len()), (0, 1));
}

#[test]
fn a_hole_is_filled_once_and_by_whoever_may() {
    let mut records = nights();
    records.overrides.push(put(1, NOW, DEPUTY, the(3), None));
    let hole = facts(Form::Hole, stretch(3, DEPUTY), None);
    assert_eq!(taken_by(&view(&records), &hole, 12), Ok(()));
    assert_eq!(taken_by(&view(&records), &hole, 1), Err(Against::DutySameInstitution));
    assert!(view(&records).is_as_asked(&hole));
    let later = "2026-07-03T16:30:00+09:00";
    records.overrides.push(put(2, later, DEPUTY, the(3), Some(12)));
    assert_eq!(taken_by(&view(&records), &hole, 13), Err(Against::DutyNotHeld));
    assert!(!view(&records).is_as_asked(&hole));
}
