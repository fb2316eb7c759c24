//! Searching for people who take it: waves, hours, raised hands, giving back, running out of time.

use super::super::plan::Plans;
use super::super::request::Phase;
use super::super::{Alarm, settle::Rule};
use super::*;
use crate::domain::people::resolvable;

fn seek(ask: Selector) -> Step {
    step(Mode::Seek, ask)
}

fn specialists(people: &[MemberId]) -> Office {
    Office::default().with(Selector::Specialists, people)
}

/// The plan the office ships with.
fn shipped() -> Plan {
    let text = include_str!("../../../../config/plans.toml");
    Plans::parse("plans.toml", text, &resolvable).unwrap().get("consult").unwrap().clone()
}

fn five() -> Vec<MemberId> {
    (0..5).map(person).collect()
}

fn is_running(story: &Story, wanted: usize) -> bool {
    matches!(story.r.state, State::Running { step, .. } if step == wanted)
}

#[test]
fn a_consult_is_asked_in_waves_and_the_silent_are_asked_again_once() {
    let mut story = Story::begun(request(shipped()), specialists(&five()));
    assert_eq!(story.asked(), five()[..3]);
    story.mails_arrive();
    story.until(at(1_199));
    assert_eq!(story.asked(), []);
    story.until(at(1_200));
    assert_eq!(story.asked(), five()[3..], "the second wave asks the rest");
    story.mails_arrive();
    story.event(Event::Hold { person: person(1), until: at(80_000) });
    assert_eq!(story.no(&person(2)), Answer::Done);
    story.until(at(1_200 + 14_400));
    assert_eq!(
        story.asked(),
        [person(0), person(3), person(4)],
        "a lap skips who said no and who said: I am looking"
    );
    story.until(at(1_200 + 2 * 14_400));
    assert!(story.fx.contains(&Effect::Alarm(Alarm::Exhausted)));
    assert_eq!(story.asked(), []);
}

#[test]
fn an_exhausted_request_can_still_be_taken_until_its_time_is_over() {
    for late in [0, 1] {
        let mut story = Story::begun(request(shipped()), specialists(&five()));
        story.mails_arrive();
        story.until(at(86_399 + late));
        if late == 0 {
            assert!(matches!(story.r.state, State::Exhausted { .. }));
            assert_eq!(story.yes(&person(3)), Answer::Done);
            assert!(story.is_taken());
        } else {
            assert_eq!(story.yes(&person(3)), Answer::Expired);
            assert!(matches!(story.r.state, State::Expired { .. }));
            assert!(story.told(&To::Asker, Notice::Expired) || story.takers().is_empty());
        }
    }
}

#[test]
fn a_late_yes_gets_the_case_or_is_told_who_was_quicker() {
    let mut story = Story::begun(request(shipped()), specialists(&five()));
    story.mails_arrive();
    story.until(at(5_000));
    story.mails_arrive();
    assert!(is_running(&story, 1));
    assert_eq!(story.yes(&person(0)), Answer::Done, "asked by the first wave, answered in the second");
    assert_eq!(story.takers(), [person(0)]);
    assert!(story.fx.contains(&Effect::Grant { person: person(0), until: None }));
    assert!(story.told(&To::Person(person(0)), Notice::Receipt) && story.told(&To::Asker, Notice::Accepted));
    assert!(story.told(&To::Person(person(3)), Notice::TakenByAnother));
    assert_eq!(story.yes(&person(3)), Answer::Taken);
    assert_eq!(story.yes(&person(0)), Answer::Already);
    assert_eq!(story.yes(&person(7)), Answer::NotAsked);
}

#[test]
fn a_no_brings_the_next_person_at_once_and_is_never_asked_again() {
    let wave = Step { at_once: 1, ..seek(Selector::Specialists) };
    let lap = Step { lap: true, ..seek(Selector::Specialists) };
    let mut story = Story::begun(request(plan(Kind::Consult, vec![wave, lap])), specialists(&five()[..2]));
    assert_eq!(story.asked(), [person(0)]);
    assert_eq!(story.no(&person(0)), Answer::Done);
    assert_eq!(story.asked(), [person(1)]);
    assert_eq!(story.no(&person(0)), Answer::Already);
    assert_eq!(story.yes(&person(0)), Answer::AnsweredBefore);
    story.mails_arrive();
    story.until(at(600));
    assert_eq!(story.asked(), [person(1)], "the lap asks the silent one only");
}

#[test]
fn nobody_left_starts_the_next_step_without_waiting() {
    let steps = vec![seek(pool("a")), seek(pool("b"))];
    let office = Office::default().with(pool("a"), &[person(0)]).with(pool("b"), &[person(1)]);
    let mut story = Story::begun(request(plan(Kind::Cover, steps)), office);
    assert_eq!(story.no(&person(0)), Answer::Done);
    assert_eq!(story.asked(), [person(1)]);
    assert!(is_running(&story, 1));
}

#[test]
fn whom_no_mail_reaches_is_replaced_at_once_and_a_stale_bounce_says_nothing() {
    let wave = Step { at_once: 1, ..seek(Selector::Specialists) };
    let mut story = Story::begun(request(plan(Kind::Consult, vec![wave])), specialists(&five()[..2]));
    let stale = Event::Undeliverable { person: person(0), attempt: 0 };
    assert_eq!(story.event(stale), Answer::Already);
    let bounce = Event::Undeliverable { person: person(0), attempt: 1 };
    assert_eq!(story.event(bounce.clone()), Answer::Done);
    assert_eq!((story.offer(&person(0)), story.asked()), (Some(OfferState::Unreachable), vec![person(1)]));
    assert_eq!(story.event(bounce), Answer::Already);
}

#[test]
fn who_is_outside_his_hours_is_asked_when_they_begin() {
    let plan = plan(Kind::Consult, vec![seek(Selector::Specialists)]);
    let office = Office::default().from(Selector::Specialists, person(0), at(30_000));
    let mut story = Story::begun(request(plan.clone()), office.clone());
    assert_eq!((story.asked(), story.r.state.code()), (vec![], "open"));
    story.until(at(29_999));
    assert_eq!(story.asked(), []);
    story.until(at(30_000));
    assert_eq!(story.asked(), [person(0)]);

    // Also while others are asked and silent, and when the step's own time is over before.
    let others = office.clone().from(Selector::Specialists, person(1), at(0));
    let mut story = Story::begun(request(plan.clone()), others.clone());
    assert_eq!(story.asked(), [person(1)]);
    story.until(at(30_000));
    assert_eq!(story.asked(), [person(0)]);
    let long = plan_with(&plan, |s| s.wait_s = 40_000);
    let mut story = Story::begun(request(long), others);
    story.until(at(29_999));
    assert_eq!(story.asked(), []);
    story.until(at(30_000));
    assert_eq!(story.asked(), [person(0)]);

    // Hours that begin when all is over help nobody.
    let office = Office::default().from(Selector::Specialists, person(0), at(86_400));
    let story = Story::begun(request(plan), office);
    assert!(story.fx.contains(&Effect::Alarm(Alarm::Exhausted)));
}

fn plan_with(plan: &Plan, change: impl Fn(&mut Step)) -> Plan {
    let mut plan = plan.clone();
    plan.steps.iter_mut().for_each(change);
    plan
}

#[test]
fn i_am_looking_pauses_the_lapse_and_reserves_nothing() {
    let wave = Step { offer_life_s: Some(300), wait_s: 10_000, ..seek(Selector::Specialists) };
    let mut story = Story::begun(request(plan(Kind::Consult, vec![wave])), specialists(&five()[..3]));
    story.mails_arrive();
    assert_eq!(story.event(Event::Hold { person: person(0), until: at(900) }), Answer::Done);
    story.until(at(300));
    assert_eq!(story.offer(&person(1)), Some(OfferState::Lapsed));
    assert_eq!(story.yes(&person(1)), Answer::Expired);
    assert_eq!(story.offer(&person(0)), Some(OfferState::Asked));
    story.until(at(899));
    assert_eq!(story.yes(&person(0)), Answer::Done);

    let mut story = Story::begun(
        request(plan(Kind::Consult, vec![seek(Selector::Specialists)])),
        specialists(&five()[..2]),
    );
    story.event(Event::Hold { person: person(0), until: at(900) });
    assert_eq!(story.yes(&person(1)), Answer::Done, "somebody else may be quicker");
    assert_eq!(story.yes(&person(0)), Answer::Taken);
}

#[test]
fn two_are_wanted_and_exactly_two_get_it() {
    let wave = Step { at_once: 1, ..seek(Selector::Specialists) };
    let mut r = request(plan(Kind::Consult, vec![wave]));
    r.quota = 2;
    let mut office = specialists(&five()[..4]);
    office.caps.insert(person(0), (0, 1));
    let mut story = Story::begun(r, office);
    story.mails_arrive();
    assert_eq!(story.yes(&person(0)), Answer::Done);
    assert_eq!(story.asked(), [person(1)], "one more is wanted: the next is asked at once");
    assert!(story.fx.contains(&Effect::Grant { person: person(0), until: None }));
    assert!(story.r.state.is_open());
    // The month counts the first yes now; it must not stand against the second.
    story.office.caps.insert(person(0), (1, 1));
    assert_eq!(story.yes(&person(1)), Answer::Done);
    assert_eq!((story.takers(), story.is_taken()), (vec![person(0), person(1)], true));
}

#[test]
fn fewer_than_wanted_run_on_with_an_alarm_when_the_time_is_over() {
    let mut r = request(plan(Kind::Consult, vec![seek(Selector::Specialists)]));
    r.quota = 2;
    let mut story = Story::begun(r, specialists(&five()[..2]));
    story.yes(&person(0));
    story.until(at(86_400));
    assert!(story.fx.contains(&Effect::Alarm(Alarm::Short)));
    assert!(story.is_taken() && story.r.answer_by > story.now);
    assert_eq!(story.event(Event::Report { person: person(0) }), Answer::Done);
}

#[test]
fn a_hand_over_releases_its_giver_and_resumes_with_those_told_full() {
    let mut story = Story::begun(request(shipped()), specialists(&five()));
    story.mails_arrive();
    story.yes(&person(1));
    assert_eq!(story.back(&person(1)), Answer::Done);
    assert!(story.fx.contains(&Effect::EndGrant { person: person(1) }));
    assert!(story.told(&To::Asker, Notice::AskingAgain));
    assert_eq!(
        story.asked(),
        [person(0), person(2), person(3), person(4)],
        "the next step, those told full first, the giver never"
    );
    assert_eq!(story.back(&person(1)), Answer::Already);
    assert_eq!(story.yes(&person(1)), Answer::AnsweredBefore);
    story.mails_arrive();
    assert_eq!(story.yes(&person(4)), Answer::Done);
    assert_eq!((story.takers(), story.r.acceptances.len()), (vec![person(4)], 2));
}

#[test]
fn somebody_told_full_may_take_what_came_free_before_he_is_asked_anew() {
    let one = Step { at_once: 1, ..seek(Selector::Specialists) };
    let all = seek(Selector::Specialists);
    let mut story = Story::begun(request(plan(Kind::Consult, vec![all, one])), specialists(&five()[..3]));
    story.mails_arrive();
    story.yes(&person(0));
    assert_eq!(story.yes(&person(2)), Answer::Taken);
    story.back(&person(0));
    assert_eq!(story.asked(), [person(1)]);
    assert_eq!(story.yes(&person(2)), Answer::Done);
    assert_eq!(story.takers(), [person(2)]);
}

#[test]
fn a_silent_taker_is_reminded_released_once_and_then_it_is_over() {
    let mut story = Story::begun(request(shipped()), specialists(&five()[..2]));
    story.mails_arrive();
    story.until(at(400));
    story.yes(&person(0));
    story.until(at(400 + 43_000));
    assert!(story.told(&To::Person(person(0)), Notice::AnswerDue));
    story.until(at(86_400));
    assert!(story.told(&To::Person(person(0)), Notice::ReleasedLate));
    assert!(story.told(&To::Asker, Notice::AskingAgain));
    assert_eq!((story.asked(), story.r.extended), (vec![person(1)], 1));
    story.mails_arrive();
    assert_eq!(story.yes(&person(1)), Answer::Done);
    story.until(at(2 * 86_400));
    assert!(matches!(story.r.state, State::Expired { .. }));
    assert!(story.told(&To::Asker, Notice::Expired) && story.takers().is_empty());
    assert!(story.fx.contains(&Effect::EndGrant { person: person(1) }));
}

#[test]
fn giving_back_after_the_time_is_over_asks_nobody_for_an_hour_that_has_passed() {
    let mut r = request(shipped());
    r.plan.extend_times = 0;
    let mut story = Story::begun(r, specialists(&five()));
    story.yes(&person(0));
    story.now = at(86_401);
    assert_eq!(story.back(&person(0)), Answer::Done);
    assert_eq!(story.asked(), []);
    assert!(matches!(story.r.state, State::Expired { .. }));
}

#[test]
fn the_asker_closes_after_the_answer_and_is_reminded_until_then() {
    let mut story = Story::begun(request(shipped()), specialists(&five()));
    story.yes(&person(0));
    assert_eq!(story.event(Event::Close), Answer::Closed, "nobody told yet what came of it");
    assert_eq!(story.event(Event::Report { person: person(1) }), Answer::NotAsked);
    assert_eq!(story.event(Event::Report { person: person(0) }), Answer::Done);
    assert!(story.told(&To::Asker, Notice::Answered));
    assert_eq!(story.event(Event::Report { person: person(0) }), Answer::Already);
    assert_eq!(story.back(&person(0)), Answer::Closed);
    story.until(at(3 * 86_400));
    assert_eq!(story.fx.iter().filter(|e| matches!(e, Effect::Tell { .. })).count(), 1);
    // The machine stood still for two months: one reminder and the alarm, not twenty reminders.
    story.now = at(60 * 86_400);
    story.event(Event::Due);
    assert!(story.told(&To::Asker, Notice::PleaseClose));
    assert!(story.fx.contains(&Effect::Alarm(Alarm::NotClosed)));
    assert!(next_due(&story.r).unwrap() > story.now);
    assert_eq!(story.event(Event::Close), Answer::Done);
    let until = Some(story.now.plus_s(86_400));
    assert!(story.fx.contains(&Effect::Grant { person: person(0), until }));
    assert!(story.told(&To::Person(person(0)), Notice::Thanks));
    assert_eq!(story.event(Event::Close), Answer::Already);
    assert_eq!(story.yes(&person(0)), Answer::Already);
    assert_eq!(story.yes(&person(1)), Answer::Taken);
    assert_eq!(next_due(&story.r), None);
}

#[test]
fn taking_a_request_back_stops_every_link_and_tells_those_who_know_of_it() {
    let mut story = Story::begun(request(shipped()), specialists(&five()));
    story.event(Event::Delivered { person: person(0), attempt: 1 });
    assert_eq!(story.event(Event::Withdraw), Answer::Done);
    for n in 0..3 {
        assert!(story.fx.contains(&Effect::StopAsking { person: person(n) }));
    }
    assert!(story.told(&To::Person(person(0)), Notice::Withdrawn));
    assert!(!story.told(&To::Person(person(1)), Notice::Withdrawn), "her mail never went out");
    assert_eq!(story.yes(&person(0)), Answer::Closed);
    assert_eq!(story.event(Event::Withdraw), Answer::Already);
    assert_eq!(story.event(Event::Due), Answer::Already);
}

#[test]
fn a_rule_against_a_yes_leaves_the_place_free() {
    let mut office = specialists(&five()[..3]);
    office.caps.insert(person(0), (4, 4));
    office.left.insert(person(9));
    let mut story = Story::begun(request(shipped()), office);
    assert_eq!(story.yes(&person(0)), Answer::Refused { rule: Rule::MonthlyCap });
    story.office.left.insert(person(1));
    assert_eq!(story.yes(&person(1)), Answer::Refused { rule: Rule::NotActive });
    assert_eq!(story.yes_with(&person(2), Proof::Key), Answer::WrongProof);
    assert!(story.takers().is_empty() && story.fx.is_empty());
    assert_eq!(story.yes(&person(2)), Answer::Done);
}

// ---- raised hands --------------------------------------------------------------------------------

fn hands(wanted: usize, then: Vec<Step>, people: &[MemberId]) -> Story {
    let collect = Step { hands: wanted, at_once: 2, ..step(Mode::Collect, pool("a")) };
    let plan = plan(Kind::Cover, std::iter::once(collect).chain(then).collect());
    let office = Office::default().with(pool("a"), people).with(pool("b"), &[person(8)]);
    let mut story = Story::begun(request(plan), office);
    story.mails_arrive();
    story
}

#[test]
fn enough_raised_hands_pause_the_waves_until_the_asker_has_chosen() {
    let mut story = hands(2, vec![seek(pool("b"))], &five());
    assert_eq!(story.asked(), [person(0), person(1)]);
    assert_eq!(story.yes(&person(0)), Answer::HandRaised);
    assert_eq!(story.asked(), [person(2)], "a raised hand makes room to ask one more");
    assert_eq!(story.yes(&person(0)), Answer::Already);
    assert_eq!(story.yes(&person(1)), Answer::HandRaised);
    assert!(story.told(&To::Asker, Notice::PleaseChoose));
    story.until(at(30_000));
    assert_eq!((story.asked(), story.r.state.code()), (vec![], "choosing"));
    assert!(story.takers().is_empty(), "a raised hand takes no place");
    assert_eq!(story.event(Event::Choose { person: person(2) }), Answer::NotAsked);
    story.mails_arrive();
    assert_eq!(story.event(Event::Choose { person: person(1) }), Answer::Done);
    assert_eq!((story.takers(), story.is_taken()), (vec![person(1)], true));
    assert!(story.told(&To::Person(person(0)), Notice::TakenByAnother));
    assert_eq!(story.event(Event::Choose { person: person(1) }), Answer::Already);
    assert_eq!(story.event(Event::Choose { person: person(0) }), Answer::Taken);
}

#[test]
fn a_silent_asker_is_chased_and_the_hands_learn_when_it_is_over() {
    let mut story = hands(1, vec![], &five());
    story.yes(&person(0));
    story.until(at(60_000));
    let chased = story.fx.iter().filter(|e| matches!(e, Effect::Tell { notice: Notice::PleaseChoose, .. }));
    assert_eq!(chased.count(), 1, "half of the time has passed");
    story.until(at(86_400));
    assert!(matches!(story.r.state, State::Expired { .. }));
    assert!(story.told(&To::Person(person(0)), Notice::Expired));
}

#[test]
fn fewer_hands_than_hoped_for_are_offered_when_the_time_comes_or_nobody_is_left() {
    let mut story = hands(3, vec![seek(pool("b"))], &five()[..2]);
    story.yes(&person(0));
    story.until(at(600));
    assert_eq!((story.asked(), story.r.state.code()), (vec![], "choosing"));

    let mut story = hands(3, vec![seek(pool("b"))], &five()[..2]);
    story.yes(&person(0));
    story.no(&person(1));
    assert_eq!((story.asked(), story.r.state.code()), (vec![], "choosing"));
    story.no(&person(0));
    assert_eq!(story.asked(), [person(8)], "the last hand went down: the next step asks");
}

#[test]
fn no_hand_at_all_starts_the_next_step() {
    let mut story = hands(2, vec![seek(pool("b"))], &five()[..2]);
    story.until(at(600));
    assert_eq!(story.asked(), [person(8)]);
    // A hand that comes late is not lost: after the next wait the asker may choose.
    assert_eq!(story.yes(&person(1)), Answer::HandRaised);
    story.until(at(1_200));
    assert!(story.told(&To::Asker, Notice::PleaseChoose));
    // And when the plan is at its end, at once.
    let mut story = hands(2, vec![seek(pool("b"))], &five()[..2]);
    story.until(at(2_000));
    assert!(matches!(story.r.state, State::Exhausted { .. }));
    assert_eq!(story.yes(&person(1)), Answer::HandRaised);
    assert!(story.told(&To::Asker, Notice::PleaseChoose));
    assert!(matches!(story.r.state, State::Running { phase: Phase::Choosing { .. }, .. }));
}

#[test]
fn a_hand_chosen_after_its_time_is_over_is_not_taken() {
    let mut story = hands(1, vec![], &five());
    story.yes(&person(0));
    story.now = at(86_400);
    assert_eq!(story.event(Event::Choose { person: person(0) }), Answer::Expired);
    assert!(story.takers().is_empty());
}
