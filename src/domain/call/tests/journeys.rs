//! A visiting nurse phones at 03:00, told as it should go.

use super::*;

#[test]
fn a_nurse_calls_the_primary_presses_1_and_they_talk() {
    let mut night = Night::nurse();
    night.take(Event::Begin);
    assert_eq!(night.heard(&inbound()), [Prompt::AskClinic], "a known line is asked for the clinic only");
    let mut night = Night::nurse();
    night.hunting();
    assert_eq!(night.rung(), [1]);
    assert_eq!(night.call.route, Some(Route::Clinic { clinic: house("clinic") }));
    assert_eq!(night.heard(&inbound()), [Prompt::Kept, Prompt::Calling(RoleSpoken::Primary)]);
    night.picks_up(1);
    let leg = night.leg_of(1);
    assert_eq!(night.heard(&leg), [Prompt::Screen]);
    night.presses(&leg, "1");
    assert_eq!(night.heard(&leg), [Prompt::AskPin]);
    assert_eq!(night.join_ordered(), None, "not before the PIN");
    night.pin(1, PinVerdict::Right);
    assert_eq!(night.join_ordered(), Some([inbound(), leg.clone()]));
    assert_eq!(night.heard(&leg), [], "the message is not played while the caller waits");
    assert_eq!(night.call.stage.code(), "connecting");
    night.joined(1);
    assert_eq!(night.call.stage.code(), "talking");
    assert!(night.request.is_taken_by(&person(1)));
    night.wait(300).ends(&leg, Cause::HungUp);
    assert_eq!(night.call.stage.code(), "report_due");
    assert_eq!(night.heard(&inbound()), [Prompt::Over]);
    assert_eq!(night.notices(), [Notice::ReportDue]);
    night.wait(3_600);
    assert_eq!(night.notices(), [], "nobody is asked again in the night");
    night.take(Event::Reported { person: person(1) });
    assert_eq!(night.call.stage, Stage::Over { at: night.now, outcome: Outcome::Helped });
    assert_eq!(next_due(&night.call), None);
}

#[test]
fn number_and_message_are_saved_before_anybody_is_rung() {
    let mut night = Night::nurse();
    night.take(Event::Begin);
    let Stage::Asking { gather, .. } = night.call.stage else { panic!() };
    night.take(Event::Keys { leg: inbound(), gather, digits: "0".to_owned(), found: None });
    night.prompt_ends(&inbound());
    night.wait(10);
    assert_eq!(dialled(&night.all), []);
    let Stage::Recording { recording, .. } = night.call.stage else { panic!("{:?}", night.call.stage) };
    night.take(Event::Recorded { recording, usable: true });
    assert_eq!(night.effects, [Effect::KeepMessage { recording }]);
    night.take(Event::MessageKept { recording, kept: true });
    assert_eq!(night.effects[0], Effect::Bridge(Command::DeleteRecording { recording }));
    assert_eq!(night.call.message, Message::Kept { recording });
    assert_eq!(night.dialled(), [line(1)], "and then somebody is rung, in the same decision");
    assert_eq!(night.call.route, Some(Route::Duty), "0 = the clinic is not known");
}

#[test]
fn a_message_that_cannot_be_kept_does_not_hold_up_the_call() {
    let mut night = Night::nurse();
    night.take(Event::Begin);
    let Stage::Asking { gather, .. } = night.call.stage else { panic!() };
    night.take(Event::Keys { leg: inbound(), gather, digits: "0".to_owned(), found: None });
    night.prompt_ends(&inbound());
    let Stage::Recording { recording, .. } = night.call.stage else { panic!() };
    night.take(Event::Recorded { recording, usable: true }).wait(5);
    assert_eq!((night.rung(), night.call.message), (vec![1], Message::NotKept { recording }));
    night.take(Event::MessageKept { recording, kept: true });
    assert_eq!(night.call.message, Message::Kept { recording }, "late is better than lost");
    assert_eq!(night.effects, [Effect::Bridge(Command::DeleteRecording { recording })]);
}

#[test]
fn an_unknown_line_is_asked_for_the_station_three_times_and_then_a_person_is_called() {
    let mut night = Night::inbound("090-9999-0000", Standing::Unknown, Admission::Open);
    night.take(Event::Begin);
    assert_eq!(night.heard(&inbound()), [Prompt::AskStation]);
    night.presses(&inbound(), "777").presses(&inbound(), "7".repeat(500).as_str());
    assert_eq!(night.heard(&inbound()), [Prompt::AskStationAgain]);
    night.wait(20);
    assert_eq!(night.heard(&inbound()), [Prompt::AskMessage], "silence counts as the third try");
    night.wait(12 + 18 + 5);
    assert_eq!(night.call.route, Some(Route::Person));
}

#[test]
fn a_station_that_keys_its_code_is_known_and_asked_for_the_clinic() {
    let mut night = Night::inbound("anonymous", Standing::Unknown, Admission::Open);
    night.take(Event::Begin);
    let Stage::Asking { gather, .. } = night.call.stage else { panic!() };
    let found = Some(house("station"));
    night.take(Event::Keys { leg: inbound(), gather, digits: "4821".to_owned(), found });
    assert_eq!(night.call.caller.standing, Standing::Code { institution: house("station") });
    assert_eq!(night.heard(&inbound()), [Prompt::AskClinic]);
}

#[test]
fn a_forwarded_clinic_line_goes_straight_to_the_message() {
    let mut night = Night::nurse();
    night.call.clinic = Some(house("clinic"));
    night.take(Event::Begin);
    assert_eq!(night.heard(&inbound()), [Prompt::AskMessage]);
}

#[test]
fn key_2_promises_a_call_back_and_keeps_it_by_one_press() {
    let mut night = Night::nurse();
    night.hunting().says(1, "2");
    let leg = night.leg_of(1);
    assert_eq!(night.call.stage, Stage::Promised { by: night.now.plus_s(600) });
    assert_eq!(night.heard(&inbound()), [Prompt::WillCallBack]);
    assert_eq!(night.heard(&leg), [Prompt::Promised]);
    night.prompt_ends(&leg);
    assert_eq!(night.cause(1), Some(Cause::Promised));
    night.caller_hangs_up().wait(60);
    night.take(Event::Connect { person: person(1) });
    assert_eq!(night.dialled(), [line(1)], "the physician first");
    night.picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "1");
    assert_eq!(night.dialled(), [night.call.caller.line.clone().unwrap()], "then the nurse");
    let caller = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: caller.clone() });
    assert_eq!(night.join_ordered(), None, "nobody is joined to the nurse's voicemail");
    night.presses(&caller, "1");
    assert_eq!(night.join_ordered(), Some([caller, leg]));
    night.joined(1).wait(700);
    assert_eq!(night.call.stage.code(), "talking", "the promise is kept and does not end it");
}

#[test]
fn a_promise_that_is_not_kept_brings_the_next() {
    let mut night = Night::nurse();
    night.hunting().says(1, "2").wait(599);
    assert_eq!(night.rung(), Vec::<usize>::new());
    night.wait(1);
    assert_eq!(night.rung(), [2]);
    assert_eq!(night.alarms(), [Alarm::PromiseMissed]);
    assert!(!night.request.is_taken_by(&person(1)));
    assert_eq!(night.call.caller_leg().map(|l| l.state), Some(LegState::Up), "the nurse stayed on the line");
}

#[test]
fn a_promise_is_kept_by_a_report_too() {
    let mut night = Night::nurse();
    night.hunting().says(1, "2").wait(60).take(Event::Reported { person: person(1) });
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::Helped, .. }));
    let caller = night.call.caller.leg.clone().unwrap();
    assert!(!night.call.legs[&caller].is_live());
}

#[test]
fn a_9_hands_over_while_the_nurse_stays_on_the_line() {
    let mut night = Night::nurse();
    night.talking(1).wait(60);
    let giver = night.leg_of(1);
    night.presses(&giver, "9");
    assert_eq!(night.rung(), [2], "the next step at once");
    assert!(!night.request.is_taken_by(&person(1)));
    assert!(night.effects.contains(&Effect::Bridge(Command::Leave { leg: giver.clone() })));
    assert_eq!(night.heard(&giver), [Prompt::GivenBack]);
    assert_eq!(night.heard(&inbound()), [Prompt::HandedOver, Prompt::Calling(RoleSpoken::Deputy)]);
    assert_eq!(night.call.caller_leg().map(|l| (l.state, l.in_room)), Some((LegState::Up, true)));
    night.prompt_ends(&giver);
    assert_eq!(night.cause(1), Some(Cause::HandedOver));
    night.says(2, "1");
    assert!(night.join_ordered().is_some());
    let leg = night.leg_of(2);
    night.take(Event::Joined { leg });
    assert_eq!(night.call.stage.code(), "talking");
    night.wait(30);
    let leg = night.leg_of(2);
    night.presses(&leg, "9");
    assert_eq!(night.rung(), [3], "and never the giver again");
}

#[test]
fn the_echo_of_a_pin_that_ends_in_9_hands_nothing_over() {
    let mut night = Night::nurse();
    night.talking(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "9");
    assert_eq!((night.answer, night.call.stage.code()), (Answer::Already, "talking"));
    night.presses(&inbound(), "9");
    assert_eq!(night.call.stage.code(), "talking", "a 9 of the nurse is nothing");
}

#[test]
fn nobody_left_alarms_until_acknowledged_and_the_case_stays_open() {
    let mut night = Night::nurse();
    night.hunting();
    let begun = night.now;
    for n in [1, 2, 3, 1, 2] {
        let leg = night.leg_of(n);
        night.ends(&leg, Cause::Busy);
    }
    assert_eq!(night.now, begun, "no wait in between");
    assert_eq!(night.call.stage.code(), "last_resort");
    assert_eq!(night.alarms(), [Alarm::NobodyLeft]);
    assert_eq!(night.heard(&inbound()).last(), Some(&Prompt::LastResort));
    night.wait(180);
    assert_eq!(night.alarms(), [Alarm::NobodyLeft; 3], "each minute");
    assert!(night.heard(&inbound()).contains(&Prompt::LastResortStill), "and no silence");
    night.take(Event::Acknowledged).wait(600);
    assert_eq!((night.alarms(), night.call.stage.code()), (vec![], "last_resort"));
    night.caller_hangs_up().wait(86_000);
    assert_eq!(night.call.stage.code(), "last_resort", "open until a human closes it");
    night.take(Event::Close);
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::ClosedByHand, .. }));
}

#[test]
fn the_second_lap_asks_the_silent_again_and_not_who_said_no() {
    let mut night = Night::nurse();
    night.hunting().picks_up(1);
    let leg = night.leg_of(1);
    night.presses(&leg, "3");
    assert_eq!(night.rung(), [2], "a no brings the next at once, while the first hears a farewell");
    assert_eq!(night.heard(&leg), [Prompt::NotNow]);
    night.rings(2).wait(25);
    assert_eq!((night.rung(), night.cause(2)), (vec![3], Some(Cause::NoAnswer)));
    night.rings(3).wait(25);
    assert_eq!(night.rung(), [2], "the lap passes over the one who said no");
    night.rings(2).wait(25);
    assert_eq!(night.call.stage.code(), "last_resort");
}

#[test]
fn a_call_from_a_page_rings_the_physician_and_then_the_asker_who_presses_1_too() {
    let mut night = Night::on_page();
    night.take(Event::Begin);
    assert_eq!(night.dialled(), [line(1)], "the physician first");
    night.says(1, "1");
    assert_eq!(night.dialled(), [line(9)]);
    let taker = night.leg_of(1);
    assert_eq!(night.heard(&taker), [Prompt::CallingBack]);
    let asker = night.call.caller.leg.clone().unwrap();
    night.take(Event::Ringing { leg: asker.clone() }).take(Event::Answered { leg: asker.clone() });
    assert_eq!(night.heard(&asker), [Prompt::Confirm]);
    night.presses(&asker, "1");
    assert_eq!(night.join_ordered(), Some([asker, taker]));
    night.joined(1);
    assert_eq!(night.call.stage.code(), "talking");
}

#[test]
fn two_doctors_of_a_consult_are_connected_the_one_who_asked_first() {
    let mut night = Night::two_doctors();
    night.take(Event::Begin);
    assert_eq!(night.dialled(), [line(9)]);
    let first = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: first.clone() }).presses(&first, "1");
    assert_eq!(night.dialled(), [line(1)]);
    assert_eq!(night.heard(&first), [Prompt::OneMoment]);
    night.picks_up(1);
    let other = night.leg_of(1);
    assert_eq!(night.heard(&other), [Prompt::Confirm]);
    night.presses(&other, "1").joined(1);
    assert_eq!(night.call.stage.code(), "talking");
    night.ends(&other, Cause::HungUp);
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::Helped, .. }));
    assert_eq!(night.heard(&first), [Prompt::Over]);
}

#[test]
fn a_doctor_who_does_not_answer_is_told_to_the_one_who_waits() {
    let mut night = Night::two_doctors();
    night.take(Event::Begin);
    let first = night.call.caller.leg.clone().unwrap();
    night.take(Event::Answered { leg: first.clone() }).presses(&first, "1");
    night.picks_up(1).wait(12);
    assert_eq!(night.cause(1), Some(Cause::NoKey), "voicemail");
    assert_eq!(night.heard(&first).last(), Some(&Prompt::CallerOutOfReach));
    assert!(matches!(night.call.stage, Stage::Over { outcome: Outcome::NotConnected, .. }));
    night.wait(10);
    assert!(!night.call.legs[&first].is_live());
    assert_eq!(next_due(&night.call), None);
}

#[test]
fn a_report_is_reminded_of_around_its_hour_and_in_the_end_the_coordinator_hears_of_it() {
    let mut night = Night::nurse();
    night.talking(1);
    let leg = night.leg_of(1);
    night.wait(300).ends(&leg, Cause::HungUp);
    let by = at(REPORT_BY_S);
    let mut told = Vec::new();
    while told.len() < 6 {
        let due = next_due(&night.call).unwrap();
        night.wait(due.since_ms(night.now) / 1_000);
        if !night.notices().is_empty() {
            told.push((due.since_ms(by) / 1_000, night.notices()));
        }
    }
    let mine = || vec![Notice::ReportDue];
    let missing = || vec![Notice::ReportDue, Notice::ReportMissing];
    let expected = [
        (-3_600, mine()),
        (0, mine()),
        (10_800, mine()),
        (86_400, missing()),
        (2 * 86_400, missing()),
        (3 * 86_400, missing()),
    ];
    assert_eq!(told, expected);
    night.take(Event::Reported { person: person(1) }).wait(7 * 86_400);
    assert_eq!(night.notices(), [], "a reminder stops the moment somebody answers");
}

/// The physician whose report is due calls.
fn reporter() -> Night {
    let mut night = Night::inbound("090-0000-0001", Standing::Unknown, Admission::Open);
    night.call.reporter = Some(person(1));
    night.take(Event::Begin);
    assert_eq!(night.heard(&inbound()), [Prompt::AskReport]);
    night
}

fn report_pin(night: &mut Night, verdict: PinVerdict) {
    let Stage::Asking { gather, .. } = night.call.stage else { panic!("{:?}", night.call.stage) };
    night.take(Event::Pin { leg: inbound(), gather, verdict });
}

#[test]
fn a_report_by_key_wants_the_pin_and_rings_nobody() {
    let mut night = reporter();
    night.presses(&inbound(), "1");
    assert_eq!(night.heard(&inbound()), [Prompt::AskReportPin]);
    night.presses(&inbound(), "3");
    assert_eq!(night.effects, [], "a key is not a PIN");
    report_pin(&mut night, PinVerdict::Wrong);
    assert_eq!(night.heard(&inbound()), [Prompt::PinAgain]);
    report_pin(&mut night, PinVerdict::Right);
    assert_eq!(night.heard(&inbound()), [Prompt::AskReportOutcome]);
    night.presses(&inbound(), "8");
    assert_eq!(night.heard(&inbound()), [Prompt::AskReportOutcome], "asked again");
    night.presses(&inbound(), "3");
    let told = Effect::Report { person: person(1), told: Told::Transported };
    assert_eq!(night.effects.first(), Some(&told));
    assert_eq!(night.heard(&inbound()), [Prompt::ReportTaken]);
    assert_eq!(night.call.stage, Stage::Over { at: night.now, outcome: Outcome::Reported });
    night.prompt_ends(&inbound());
    assert!(!night.call.legs[&inbound()].is_live(), "the line is hung up after the last word");
    assert_eq!((next_due(&night.call), dialled(&night.all)), (None, Vec::new()));
    let reports = night.all.iter().filter(|e| matches!(e, Effect::Report { .. })).count();
    assert_eq!(reports, 1);
}

#[test]
fn who_has_a_report_to_give_and_needs_help_is_helped() {
    let mut night = reporter();
    night.presses(&inbound(), "2");
    assert_eq!(night.heard(&inbound()), [Prompt::AskStation], "as any other line");
    // Saying nothing is never the end of an urgent call.
    let mut night = reporter();
    night.wait(3 * 21);
    assert!(heard(&night.all, &inbound()).contains(&Prompt::AskStation), "{:?}", night.call.stage);
    night.wait(120);
    assert_eq!(night.call.route, Some(Route::Person));
    // Who hangs up at the first question may have needed it.
    let mut night = reporter();
    night.caller_hangs_up().wait(120);
    assert_eq!(night.notices(), [Notice::CallerVanished]);
    // Who was about to report can do so later.
    let mut night = reporter();
    night.presses(&inbound(), "1").caller_hangs_up();
    assert_eq!(night.call.stage, Stage::Over { at: night.now, outcome: Outcome::Reported });
    assert_eq!((night.notices(), next_due(&night.call)), (Vec::new(), None));
    let mut night = reporter();
    night.presses(&inbound(), "1");
    report_pin(&mut night, PinVerdict::Locked);
    assert_eq!(night.heard(&inbound()), [Prompt::ReportOnPage]);
    assert!(!night.all.iter().any(|e| matches!(e, Effect::Report { .. })));
}

#[test]
fn the_ceiling_of_a_month_turns_unknown_lines_away_and_never_a_known_one() {
    let limits = Limits { minutes_per_month: Some(100), ..Limits::default() };
    let load = |minutes_this_month| Load { minutes_this_month, ..Load::default() };
    let line = number::read("090-1234-5678");
    assert_eq!(admit(&line, false, &[], load(99), limits), Admission::Open);
    assert_eq!(admit(&line, false, &[], load(100), limits), Admission::TooMany);
    assert_eq!(admit(&line, true, &[], load(9_999), limits), Admission::Open);
    assert_eq!(admit(&line, false, &[], load(9_999), Limits::default()), Admission::Open);
    let closed = Limits { hidden_per_hour: 0, ..Limits::default() };
    assert_eq!(admit(&number::read("anonymous"), false, &[], Load::default(), closed), Admission::TooMany);
    assert_eq!(admit(&line, false, &[], Load::default(), closed), Admission::Open);
}
