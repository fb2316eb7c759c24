//! What goes wrong at night, one sentence each.

use super::*;

#[test]
fn busy_declined_unallocated_and_refused_phones_bring_the_next_without_any_wait() {
    let causes = [
        Cause::Busy,
        Cause::Rejected,
        Cause::Unallocated,
        Cause::Unreachable,
        Cause::Congestion,
        Cause::Failed,
        Cause::Lost,
        Cause::HungUp,
    ];
    for cause in causes {
        let mut night = Night::nurse();
        night.hunting();
        let leg = night.leg_of(1);
        night.ends(&leg, cause);
        assert_eq!(night.dialled(), [line(2)], "{cause:?}: in the same decision");
        assert_eq!(night.cause(1), Some(cause), "and its reason is kept");
    }
}

#[test]
fn a_phone_that_does_not_ring_at_all_is_given_up_early() {
    let mut night = Night::nurse();
    night.hunting().wait(7);
    assert_eq!(night.rung(), [1]);
    night.wait(1);
    assert_eq!((night.rung(), night.cause(1)), (vec![2], Some(Cause::Unreachable)));
}

#[test]
fn somebody_without_a_phone_is_passed_over_and_it_is_written_down() {
    let mut night = Night::nurse();
    night.office.named.insert(Selector::DutyPrimary, vec![MemberId::named(&["no phone"])]);
    night.hunting();
    assert_eq!(night.rung(), [2]);
    let reasons: Vec<Cause> = night.call.attempts().map(|(_, _, cause)| cause).collect();
    assert_eq!(reasons, [Cause::NoLine]);
}

#[test]
fn voicemail_is_never_a_yes_and_the_nurse_never_hears_it() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.take(Event::MachineSuspected { leg: leg.clone() });
    night.prompt_ends(&leg).wait(4);
    assert_eq!((night.cause(1), night.rung()), (Some(Cause::NoKey), vec![2]));
    let joined = |e: &&Effect| matches!(e, Effect::Bridge(Command::Join { .. }));
    assert_eq!(night.all.iter().find(joined), None);
}

#[test]
fn a_suspected_machine_is_given_up_earlier_but_a_person_may_still_press_1() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.take(Event::MachineSuspected { leg: leg.clone() }).wait(3);
    night.presses(&leg, "1").pin(1, PinVerdict::Right);
    assert!(night.join_ordered().is_some());
}

#[test]
fn wrong_keys_mean_nothing_and_the_question_is_asked_again() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "7");
    assert_eq!(night.heard(&leg), [Prompt::Screen]);
    night.presses(&leg, "");
    night.presses(&leg, "1").pin(1, PinVerdict::Wrong);
    assert_eq!(night.heard(&leg), [Prompt::PinAgain]);
    night.pin(1, PinVerdict::Right);
    assert!(night.join_ordered().is_some(), "wrong, then right");
}

#[test]
fn keys_of_an_earlier_window_do_not_count() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    let early = Event::Keys { leg: leg.clone(), gather: 0, digits: "1".to_owned(), found: None };
    night.take(early);
    assert_eq!(night.answer, Answer::Already);
    let LegState::Screening { gather, .. } = night.call.legs[&leg].state else { panic!() };
    night.presses(&leg, "1");
    night.take(Event::Pin { leg, gather, verdict: PinVerdict::Right });
    assert_eq!(night.answer, Answer::Already, "a PIN needs the window of the PIN");
}

#[test]
fn three_wrong_pins_and_a_locked_one_bring_the_next_at_once() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "1").pin(1, PinVerdict::Wrong).pin(1, PinVerdict::Wrong).pin(1, PinVerdict::Wrong);
    assert_eq!((night.cause(1), night.rung()), (Some(Cause::PinWrong), vec![2]));
    night.picks_up(2);
    let leg = night.leg_of(2);
    night.presses(&leg, "2").pin(2, PinVerdict::Locked);
    assert_eq!((night.cause(2), night.rung()), (Some(Cause::PinLocked), vec![3]));
    assert_eq!(night.heard(&leg), [Prompt::PinLocked]);
}

#[test]
fn primary_and_deputy_press_1_together_and_one_is_joined() {
    let mut night = Night::nurse();
    night.office.named.insert(Selector::DutyPrimary, vec![person(1), person(2)]);
    night.hunting();
    assert_eq!(night.rung(), [1, 2]);
    night.picks_up(1).picks_up(2);
    let (a, b) = (night.leg_of(1), night.leg_of(2));
    night.presses(&a, "1").presses(&b, "1");
    night.pin(1, PinVerdict::Right);
    assert_eq!(night.join_ordered(), Some([inbound(), a.clone()]));
    assert_eq!((night.heard(&b), night.cause(2)), (vec![Prompt::TakenByAnother], Some(Cause::Outrun)));
    let late = decide(&night.call, &Event::Verdict { leg: b.clone(), won: false }, night.now);
    assert_eq!((late.answer, late.effects), (Answer::Already, vec![]));
    let joins = night.all.iter().filter(|e| matches!(e, Effect::Bridge(Command::Join { .. }))).count();
    assert_eq!(joins, 1);
}

#[test]
fn phones_that_still_ring_are_hung_up_when_somebody_takes_it() {
    let mut night = Night::nurse();
    night.office.named.insert(Selector::DutyPrimary, vec![person(1), person(2), person(3)]);
    night.hunting().rings(2).says(1, "1");
    let cut = |n| Effect::Bridge(Command::HangUp { leg: night.leg_of(n), cause: Cause::Outrun });
    assert!(night.effects.contains(&cut(2)) && night.effects.contains(&cut(3)));
}

#[test]
fn a_late_pick_up_of_a_phone_given_up_is_hung_up() {
    let mut night = Night::nurse();
    night.hunting().rings(1).wait(25);
    let leg = night.leg_of(1);
    night.take(Event::Answered { leg: leg.clone() });
    assert_eq!(night.effects, [Effect::Bridge(Command::HangUp { leg, cause: Cause::Stray })]);
    assert_eq!(night.answer, Answer::Already);
}

#[test]
fn the_caller_who_hangs_up_while_it_rings_is_called_back_when_somebody_takes_it() {
    let mut night = Night::nurse();
    night.hunting().caller_hangs_up();
    assert_eq!(night.rung(), [1], "the hunt goes on");
    night.wait(3).says(1, "1");
    let taker = night.leg_of(1);
    assert_eq!(night.heard(&taker), [Prompt::MessageThenCallingBack], "now the message is played");
    assert_eq!(night.dialled(), [night.call.caller.line.clone().unwrap()]);
    let caller = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: caller.clone() }).presses(&caller, "1").joined(1);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn the_coordinator_hears_after_two_minutes_of_a_caller_who_is_gone() {
    let mut night = Night::nurse();
    night.hunting().caller_hangs_up().wait(119);
    assert_eq!(night.notices(), []);
    night.wait(1);
    assert_eq!(night.notices(), [Notice::CallerGone]);
    night.wait(300);
    assert_eq!(night.notices(), [], "once");
}

#[test]
fn a_known_caller_who_hangs_up_in_the_questions_is_not_forgotten() {
    let mut night = Night::nurse();
    night.take(Event::Begin).caller_hangs_up();
    assert_eq!((night.rung(), night.call.route.clone()), (vec![1], Some(Route::Duty)));
}

#[test]
fn who_hangs_up_while_speaking_leaves_what_was_said() {
    let mut night = Night::nurse();
    night.call.clinic = Some(house("clinic"));
    night.take(Event::Begin).prompt_ends(&inbound());
    let Stage::Recording { recording, .. } = night.call.stage else { panic!() };
    night.caller_hangs_up();
    assert_eq!(night.effects, [Effect::Bridge(Command::StopRecording { recording })]);
    night.take(Event::Recorded { recording, usable: true });
    night.take(Event::MessageKept { recording, kept: true });
    assert_eq!((night.rung(), night.call.message), (vec![1], Message::Kept { recording }));
}

#[test]
fn an_unknown_caller_who_hangs_up_at_once_wakes_nobody_and_is_told_to_the_coordinator() {
    let mut night = Night::inbound("090-9999-0000", Standing::Unknown, Admission::Open);
    night.take(Event::Begin).caller_hangs_up().wait(120);
    assert_eq!(dialled(&night.all), []);
    assert_eq!(night.notices(), [Notice::CallerVanished]);
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::Vanished, .. }));
}

#[test]
fn a_caller_who_rings_again_stays_the_same_case() {
    let mut night = Night::nurse();
    night.hunting().caller_hangs_up().wait(20);
    let again = LegId::inbound("SIP/trunk-2");
    night.take(Event::CallerReturned { leg: again.clone() });
    assert!(night.effects.contains(&Effect::Bridge(Command::Answer { leg: again.clone() })));
    assert_eq!(night.heard(&again), [Prompt::StillCalling]);
    night.take(Event::CallerReturned { leg: again.clone() });
    assert_eq!(night.answer, Answer::Already);
    night.wait(4);
    let n = night.rung()[0];
    night.says(n, "1");
    assert_eq!(night.join_ordered().unwrap()[0], again);
}

#[test]
fn a_caller_on_a_dead_line_who_rings_again_takes_the_new_line_with_him() {
    let mut night = Night::nurse();
    night.talking(1);
    let again = LegId::inbound("SIP/trunk-2");
    night.take(Event::CallerReturned { leg: again.clone() });
    assert!(
        night.effects.contains(&Effect::Bridge(Command::HangUp { leg: inbound(), cause: Cause::Replaced }))
    );
    assert_eq!(night.join_ordered(), Some([again, night.leg_of(1)]));
}

#[test]
fn a_caller_who_cannot_be_reached_again_is_left_to_the_taker_and_to_the_coordinator() {
    let mut night = Night::nurse();
    night.hunting().caller_hangs_up().says(1, "1");
    for tries in 1..=3 {
        let caller = night.call.caller.leg.clone().unwrap();
        night.ends(&caller, Cause::Busy);
        if tries < 3 {
            night.wait(15);
            assert_eq!(night.dialled(), [night.call.caller.line.clone().unwrap()]);
        }
    }
    let taker = night.leg_of(1);
    assert_eq!(night.heard(&taker), [Prompt::CallerOutOfReach]);
    assert_eq!(
        (night.alarms(), night.notices()),
        (vec![Alarm::CallerOutOfReach], vec![Notice::CallerOutOfReach])
    );
    assert_eq!(night.call.stage.code(), "report_due");
    night.wait(60);
    assert_eq!(night.alarms(), [Alarm::CallerOutOfReach], "until somebody looks after it");
}

#[test]
fn a_withheld_caller_who_is_gone_alarms_as_soon_as_somebody_took_the_call() {
    let mut night =
        Night::inbound("非通知", Standing::Code { institution: house("station") }, Admission::Open);
    night.hunting().caller_hangs_up().says(1, "1");
    assert_eq!(night.alarms(), [Alarm::CallerOutOfReach]);
    assert_eq!(night.call.stage.code(), "report_due", "the taker has the case");
}

#[test]
fn a_taker_who_hangs_up_before_the_nurse_is_back_gives_the_call_to_the_next() {
    let mut night = Night::nurse();
    night.hunting().caller_hangs_up().says(1, "1");
    let leg = night.leg_of(1);
    night.ends(&leg, Cause::HungUp);
    assert_eq!(night.rung(), [2]);
    assert!(!night.request.is_taken_by(&person(1)));
}

#[test]
fn a_line_that_breaks_while_they_talk_is_mended() {
    let mut night = Night::nurse();
    night.talking(1).wait(30);
    let leg = night.leg_of(1);
    night.ends(&leg, Cause::Lost);
    assert_eq!(night.dialled(), [line(1)]);
    assert_eq!(night.heard(&inbound()), [Prompt::OneMoment]);
    night.picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "1");
    assert_eq!(night.join_ordered(), Some([inbound(), leg.clone()]));
    night.take(Event::Joined { leg });
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn a_physician_whose_line_stays_dead_is_replaced() {
    let mut night = Night::nurse();
    night.talking(1).wait(30);
    for _ in 0..3 {
        let leg = night.leg_of(1);
        night.ends(&leg, Cause::Lost);
    }
    assert_eq!(night.rung(), [2]);
    assert!(!night.request.is_taken_by(&person(1)));
}

#[test]
fn a_bridge_that_does_not_join_is_asked_again_and_a_human_is_alarmed() {
    let mut night = Night::nurse();
    night.hunting().says(1, "1").wait(3);
    assert!(night.join_ordered().is_some());
    night.wait(6);
    assert_eq!(night.alarms(), [Alarm::NotJoined]);
    night.joined(1);
    assert_eq!(night.call.stage.code(), "talking");
    assert!(night.call.alarms.is_empty());
}

#[test]
fn a_call_beyond_the_limits_hears_119_and_is_told_to_the_coordinator() {
    let mut night = Night::inbound("090-9999-0000", Standing::Unknown, Admission::TooMany);
    night.take(Event::Begin);
    assert_eq!((night.heard(&inbound()), night.notices()), (vec![Prompt::TooMany], vec![Notice::TurnedAway]));
    night.wait(12);
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::Refused, .. }));
    assert!(!night.call.legs[&inbound()].is_live());
}

#[test]
fn our_own_number_calling_is_cut_before_it_is_answered() {
    let mut night = Night::inbound(NURSE, Standing::Unknown, Admission::Loop);
    night.take(Event::Begin);
    assert_eq!(night.effects[0], Effect::Bridge(Command::HangUp { leg: inbound(), cause: Cause::Withdrawn }));
    assert_eq!(night.notices(), [Notice::LoopCut]);
}

#[test]
fn one_phone_for_two_people_is_not_rung_twice() {
    let mut night = Night::nurse();
    night.hunting();
    let same = Event::Ring { person: person(7), attempt: 1, line: Some(line(1)), role: RoleSpoken::Other };
    let made = decide(&night.call, &same, night.now);
    assert_eq!(dialled(&made.effects), []);
    let busy = News::Unanswered { person: person(7), attempt: 1, cause: Cause::Busy };
    assert!(made.effects.contains(&Effect::Offer(busy)));
}

#[test]
fn the_waiting_nurse_hears_something_at_least_every_ten_seconds() {
    let mut night = Night::nurse();
    night.hunting().prompt_ends(&inbound());
    for _ in 0..20 {
        let due = night.call.legs[&inbound()].word_due.unwrap();
        assert!(due <= night.now.plus_s(10));
        let until = due.since_ms(night.now) / 1_000;
        night.wait(until);
        assert!(!night.heard(&inbound()).is_empty());
        night.prompt_ends(&inbound());
    }
}

#[test]
fn a_dispatcher_that_says_nothing_is_an_alarm_within_five_seconds() {
    let night = {
        let mut night = Night::nurse();
        night.hunting();
        night
    };
    let leg = night.leg_of(1);
    let ended = decide(&night.call, &Event::Ended { leg, cause: Cause::Busy }, night.now).next;
    let due = next_due(&ended).unwrap();
    assert!(due <= night.now.plus_s(5));
    let made = decide(&ended, &Event::Due, due);
    assert_eq!(made.effects.first(), Some(&Effect::Alarm { alarm: Alarm::NobodyRinging, said: 1 }));
    assert!(made.effects.contains(&Effect::GoOn));
}
