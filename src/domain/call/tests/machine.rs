//! What holds for single events, whatever their order.

use super::*;

/// Every order of three events.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[test]
fn callbacks_of_one_leg_lead_to_the_same_end_in_any_order_and_number() {
    let mut ends = std::collections::BTreeSet::new();
    for order in ORDERS {
        for doubled in [false, true] {
            let mut night = Night::nurse();
            night.hunting();
            let leg = night.leg_of(1);
            let events = [
                Event::Ringing { leg: leg.clone() },
                Event::Answered { leg: leg.clone() },
                Event::Ended { leg: leg.clone(), cause: Cause::HungUp },
            ];
            for n in order {
                night.take(events[n].clone());
                if doubled {
                    night.take(events[n].clone());
                }
            }
            ends.insert(format!("{:?} {:?} {:?}", night.cause(1), night.rung(), night.call.stage.code()));
        }
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), ["Some(HungUp) [2] \"ringing\""]);
}

#[test]
fn the_same_event_twice_counts_once() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    let LegState::Screening { gather, .. } = night.call.legs[&leg].state else { panic!() };
    let key = Event::Keys { leg: leg.clone(), gather, digits: "1".to_owned(), found: None };
    night.take(key.clone()).take(key);
    assert_eq!((night.answer, night.effects.len()), (Answer::Already, 0));
    let LegState::Screening { gather, .. } = night.call.legs[&leg].state else { panic!() };
    let pin = Event::Pin { leg: leg.clone(), gather, verdict: PinVerdict::Right };
    night.take(pin.clone()).take(pin);
    assert_eq!((night.answer, night.effects.len()), (Answer::Already, 0));
    let yes = night.request.claims().count();
    assert_eq!(yes, 1);
}

#[test]
fn a_yes_that_was_taken_for_a_leg_that_is_gone_is_given_back() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "1");
    let LegState::Screening { gather, .. } = night.call.legs[&leg].state else { panic!() };
    let pin = Event::Pin { leg: leg.clone(), gather, verdict: PinVerdict::Right };
    let accepting = decide(&night.call, &pin, night.now).next;
    let gone = decide(&accepting, &Event::Ended { leg: leg.clone(), cause: Cause::HungUp }, night.now).next;
    let made = decide(&gone, &Event::Verdict { leg, won: true }, night.now);
    assert_eq!(made.effects, [Effect::Offer(News::Release { person: person(1), why: Cause::Lost })]);
    assert_eq!(made.next.taker, None);
}

#[test]
fn a_silent_dispatcher_is_asked_again_for_its_verdict() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "1");
    let LegState::Screening { gather, .. } = night.call.legs[&leg].state else { panic!() };
    let mut call =
        decide(&night.call, &Event::Pin { leg, gather, verdict: PinVerdict::Right }, night.now).next;
    let mut alarmed = false;
    for _ in 0..6 {
        let now = next_due(&call).unwrap();
        let made = decide(&call, &Event::Due, now);
        alarmed |= made.effects.iter().any(|e| matches!(e, Effect::Alarm { alarm: Alarm::NoVerdict, .. }));
        let words = |e: &Effect| matches!(e, Effect::Bridge(Command::Prompt { .. }));
        let asks = |e: &Effect| matches!(e, Effect::Offer(News::Accept { .. }));
        assert!(made.effects.iter().any(|e| asks(e) || words(e)), "{:?}", made.effects);
        call = made.next;
    }
    assert!(alarmed);
}

#[test]
fn nothing_begins_twice_and_nothing_moves_what_is_over() {
    let mut night = Night::nurse();
    night.take(Event::Begin).take(Event::Begin);
    assert_eq!((night.answer, night.effects.len()), (Answer::Already, 0));
    night.take(Event::Close);
    let over = night.call.clone();
    for event in [
        Event::Begin,
        Event::Due,
        Event::NobodyLeft,
        Event::Close,
        Event::BridgeDown,
        Event::Acknowledged,
        Event::Reported { person: person(1) },
        Event::HandOver { person: person(1) },
        Event::Connect { person: person(1) },
        Event::CallerReturned { leg: LegId::inbound("x") },
        Event::Ring { person: person(1), attempt: 9, line: Some(line(1)), role: RoleSpoken::Other },
    ] {
        let made = decide(&over, &event, night.now.plus_s(900));
        assert_eq!((made.next, made.effects), (over.clone(), vec![]), "{event:?}");
    }
}

#[test]
fn every_prompt_and_cause_has_a_word_of_its_own() {
    use RoleSpoken::{Attending, Cover, Deputy, Office, Other, Pillar, Primary};
    let roles = [Cover, Attending, Primary, Deputy, Pillar, Office, Other];
    let words: std::collections::BTreeSet<_> = roles.iter().map(|r| Prompt::Calling(*r).code()).collect();
    assert_eq!(words.len(), roles.len());
    for word in words {
        assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word} is a file name");
    }
}

#[test]
fn a_plan_can_ask_two_at_once_or_one_after_the_other() {
    let mut night = Night::nurse();
    night.request.plan.steps[0].wait_s = 2;
    night.hunting();
    assert_eq!(night.rung(), [1]);
    night.rings(1).wait(2);
    assert_eq!(night.rung(), [1, 2], "the first rings on");
    assert_eq!(night.dialled(), [line(2)]);
}
