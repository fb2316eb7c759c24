//! Killed and started again: what the bridge holds against what was written down.

use super::*;

fn seen(generation: &str, taken: Millis, legs: &[(&LegId, LegSeen)]) -> Event {
    let legs = legs.iter().map(|(id, seen)| ((*id).clone(), *seen)).collect();
    Event::Snapshot(Snapshot { generation: generation.to_owned(), taken, legs })
}

/// The bridge has told its first life.
fn settled(night: &mut Night) {
    night.call.generation = "one".to_owned();
}

#[test]
fn a_phone_that_rings_over_a_restart_is_not_dialled_again() {
    let mut night = Night::nurse();
    night.hunting().rings(1);
    settled(&mut night);
    let leg = night.leg_of(1);
    night.take(Event::BridgeDown).wait(3);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up), (&leg, LegSeen::Ringing)]));
    assert_eq!((night.dialled(), night.rung()), (vec![], vec![1]));
    night.says(1, "1").joined(1);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn an_order_in_doubt_is_repeated_once_under_the_same_name() {
    let mut night = Night::nurse();
    night.hunting();
    settled(&mut night);
    let leg = night.leg_of(1);
    night.take(Event::BridgeDown).wait(1);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up)]));
    assert_eq!((night.dialled(), night.leg_of(1)), (vec![line(1)], leg));
    night.take(Event::BridgeDown).wait(1);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up)]));
    assert_eq!(night.dialled(), [line(2)], "then the next person");
}

#[test]
fn a_phone_picked_up_meanwhile_hears_the_question_again() {
    let mut night = Night::nurse();
    night.hunting().rings(1);
    let leg = night.leg_of(1);
    night.take(Event::BridgeDown).wait(40);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up), (&leg, LegSeen::Up)]));
    assert_eq!(night.heard(&leg), [Prompt::Screen]);
    night.presses(&leg, "1");
    night.take(Event::BridgeDown).wait(40);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up), (&leg, LegSeen::Up)]));
    assert_eq!(night.heard(&leg), [Prompt::AskPin], "the digits of a PIN are lost with the process");
    night.pin(1, PinVerdict::Right).joined(1);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn a_conversation_goes_on_undisturbed() {
    let mut night = Night::nurse();
    night.talking(1);
    settled(&mut night);
    let leg = night.leg_of(1);
    night.take(Event::BridgeDown).wait(30);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::InRoom), (&leg, LegSeen::InRoom)]));
    assert_eq!(night.effects, []);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn killed_between_the_yes_and_the_join_they_are_joined_after_it() {
    let mut night = Night::nurse();
    night.hunting().says(1, "1");
    let leg = night.leg_of(1);
    night.take(Event::BridgeDown).wait(5);
    night.take(seen("one", night.now, &[(&inbound(), LegSeen::Up), (&leg, LegSeen::Up)]));
    assert_eq!(night.join_ordered(), Some([inbound(), leg]));
}

#[test]
fn a_talk_that_ended_while_we_were_away_is_over_and_its_report_is_due() {
    let mut night = Night::nurse();
    night.talking(1);
    settled(&mut night);
    night.take(Event::BridgeDown).wait(60);
    night.take(seen("one", night.now, &[]));
    assert_eq!((night.call.stage.code(), night.dialled()), ("report_due", vec![]));
}

#[test]
fn a_bridge_that_died_while_they_talked_calls_both_again() {
    let mut night = Night::nurse();
    night.talking(1);
    settled(&mut night);
    night.take(Event::BridgeDown).wait(2);
    assert_eq!(night.alarms(), []);
    night.take(seen("two", night.now, &[]));
    let mut lines = night.dialled();
    lines.sort();
    let mut both = vec![line(1), night.call.caller.line.clone().unwrap()];
    both.sort();
    assert_eq!(lines, both);
    let caller = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: caller.clone() }).presses(&caller, "1");
    assert_eq!(night.heard(&caller), [Prompt::OneMoment]);
    night.picks_up(1);
    let taker = night.leg_of(1);
    night.presses(&taker, "1").joined(1);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn a_caller_cut_off_by_the_bridge_is_called_back_at_once() {
    let mut night = Night::nurse();
    night.hunting().rings(1);
    settled(&mut night);
    night.take(Event::BridgeDown).wait(2);
    night.take(seen("two", night.now, &[]));
    let nurse = night.call.caller.line.clone().unwrap();
    assert!(night.dialled().contains(&nurse));
    assert_eq!(night.cause(1), Some(Cause::Lost));
    assert!(night.dialled().contains(&line(2)), "and the next is rung");
    let caller = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: caller.clone() }).presses(&caller, "1");
    assert_eq!(night.heard(&caller), [Prompt::StillCalling]);
}

#[test]
fn nothing_is_given_up_while_the_bridge_cannot_be_heard_and_a_human_is_alarmed() {
    let mut night = Night::nurse();
    night.hunting().rings(1).take(Event::BridgeDown);
    assert_eq!(night.alarms(), [Alarm::BridgeDown]);
    night.wait(110);
    assert_eq!((night.rung(), night.alarms()), (vec![1], vec![Alarm::BridgeDown]));
    night.take(Event::BridgeDown);
    assert_eq!(night.answer, Answer::Already);
}

#[test]
fn who_is_to_be_rung_while_the_bridge_is_down_is_rung_when_it_is_back() {
    let mut night = Night::on_page();
    night.take(Event::BridgeDown).take(Event::Begin);
    assert_eq!(night.dialled(), []);
    night.wait(20);
    night.take(seen("one", night.now, &[]));
    assert_eq!(night.dialled(), [line(1)]);
}

#[test]
fn lines_that_nobody_waits_for_are_hung_up() {
    let mut night = Night::nurse();
    night.hunting().rings(1).wait(25);
    let (ended, ghost) = (night.leg_of(1), LegId::ours(&call_id(), 999));
    let deputy = night.leg_of(2);
    let legs = [
        (&inbound(), LegSeen::Up),
        (&deputy, LegSeen::Ringing),
        (&ended, LegSeen::Up),
        (&ghost, LegSeen::Ringing),
    ];
    night.take(seen("one", night.now, &legs));
    for leg in [ended, ghost] {
        assert!(night.effects.contains(&Effect::Bridge(Command::HangUp { leg, cause: Cause::Stray })));
    }
    assert_eq!(night.rung(), [2]);
}

#[test]
fn what_was_ordered_after_the_snapshot_was_asked_for_is_not_missing() {
    let mut night = Night::nurse();
    night.hunting();
    night.take(seen("one", at(-1), &[(&inbound(), LegSeen::Up)]));
    assert_eq!((night.dialled(), night.rung()), (vec![], vec![1]));
}

#[test]
fn a_call_can_be_written_down_and_read_back_at_any_point() {
    for mut night in [Night::nurse(), Night::on_page(), Night::two_doctors()] {
        night.take(Event::Begin).wait(40);
        let json = serde_json::to_string(&night.call).unwrap();
        assert_eq!(serde_json::from_str::<Call>(&json).unwrap(), night.call);
    }
}

#[test]
fn a_leg_knows_its_call_by_its_name() {
    assert_eq!(LegId::ours(&call_id(), 7).call(), Some(call_id()));
    assert_eq!(inbound().call(), None);
    assert_eq!(LegId::inbound("tb-nonsense-7").call(), None);
}

// From a random night: the end of a line was lost on a bridge that stayed connected, and the join was ordered
// for ever.
#[test]
fn a_join_that_is_not_confirmed_makes_us_look_and_a_caller_who_is_gone_is_called_back() {
    let mut night = Night::nurse();
    night.hunting();
    settled(&mut night);
    night.says(1, "1");
    let leg = night.leg_of(1);
    assert_eq!(night.join_ordered(), Some([inbound(), leg.clone()]));
    night.wait(3);
    assert!(night.effects.contains(&Effect::Look), "{:?}", night.effects);
    night.take(seen("one", night.now, &[(&leg, LegSeen::Up)]));
    let nurse = night.call.caller.line.clone().unwrap();
    assert_eq!((night.dialled(), night.heard(&leg)), (vec![nurse], vec![Prompt::CallingBack]));
}

#[test]
fn nobody_is_asked_anew_by_a_look_while_the_other_side_is_still_rung() {
    let mut night = Night::nurse();
    night.hunting();
    settled(&mut night);
    night.says(1, "1").caller_hangs_up();
    let caller = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: caller }).wait(9);
    assert!(!night.all.contains(&Effect::Look));
}

#[test]
fn a_bridge_that_dies_in_a_call_it_never_took_a_look_at_is_known_by_the_life_the_call_began_in() {
    let mut night = Night::nurse();
    night.call.generation = "first".to_owned();
    night.hunting().rings(1);
    let gone = |life: &str| Snapshot { generation: life.to_owned(), taken: at(1_000), legs: BTreeMap::new() };
    let mut same = Night { call: night.call.clone(), ..Night::nurse() };
    night.wait(2).take(Event::BridgeDown).take(Event::Snapshot(gone("second")));
    let nurse = Line::read(NURSE, &[]).unwrap();
    assert!(night.dialled().contains(&nurse), "a line that was cut is mended at once: {:?}", night.effects);
    // The same life: she hung up meanwhile, and is called back when somebody has taken it.
    same.request = night.request.clone();
    same.wait(2).take(Event::BridgeDown).take(Event::Snapshot(gone("first")));
    assert!(!same.dialled().contains(&nurse));
}
