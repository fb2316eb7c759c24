//! Journeys that need agreement, and requests with children.

use super::super::Alarm;
use super::super::request::{Child, Phase};
use super::*;

fn gate(ask: Selector) -> Step {
    step(Mode::Gate, ask)
}

const COORDINATOR: usize = 20;
const OFFICER: usize = 21;
const OTHER: usize = 1;

/// The asker's duty for another's; the coordinator approves, the officer decides where he is silent.
fn swap(asked_in_person: bool) -> Story {
    let steps = vec![
        gate(Selector::Party(0)),
        gate(Selector::Party(1)),
        Step { on_lapse: Some(Selector::Officer), ..gate(Selector::Coordinator) },
    ];
    let office = Office::default()
        .with(Selector::Party(0), &[asker()])
        .with(Selector::Party(1), &[person(OTHER)])
        .with(Selector::Coordinator, &[person(COORDINATOR)])
        .with(Selector::Officer, &[person(OFFICER)]);
    let mut r = request(plan(Kind::Swap, steps));
    r.asked_in_person = asked_in_person;
    Story::begun(r, office)
}

#[test]
fn a_swap_needs_the_other_side_and_the_coordinator_and_asking_in_person_is_ones_own_yes() {
    let mut story = swap(true);
    assert_eq!(story.asked(), [person(OTHER)]);
    assert_eq!(story.yes(&person(COORDINATOR)), Answer::NotAsked);
    assert_eq!(story.yes(&person(OTHER)), Answer::Done);
    assert_eq!(story.asked(), [person(COORDINATOR)]);
    assert!(story.r.state.is_open());
    assert_eq!(story.yes(&person(COORDINATOR)), Answer::Done);
    assert!(matches!(story.r.state, State::Closed { .. }));
    assert!(story.told(&To::Asker, Notice::Accepted));
    assert_eq!(story.takers(), [], "agreement takes no place");
    let agreed: Vec<_> = story.r.acceptances.iter().map(|a| a.person.clone()).collect();
    assert_eq!(agreed, [asker(), person(OTHER), person(COORDINATOR)]);
}

#[test]
fn a_swap_typed_by_the_clerk_asks_both_sides() {
    let mut story = swap(false);
    assert_eq!(story.asked(), [asker()]);
    assert_eq!(story.yes(&asker()), Answer::Done);
    assert_eq!(story.asked(), [person(OTHER)]);
}

#[test]
fn a_no_at_a_gate_ends_it_for_everybody_and_nobody_learns_it_by_accident() {
    let mut story = swap(true);
    story.yes(&person(OTHER));
    assert_eq!(story.no(&person(COORDINATOR)), Answer::Done);
    assert!(matches!(story.r.state, State::Refused { .. }));
    assert!(
        story.told(&To::Asker, Notice::Refused) && story.told(&To::Person(person(OTHER)), Notice::Refused)
    );
    assert_eq!(story.yes(&person(OTHER)), Answer::Closed, "said before, and come to nothing");
    assert_eq!(story.no(&person(COORDINATOR)), Answer::Already);
}

#[test]
fn a_silent_coordinator_leaves_it_to_the_officer_and_a_late_yes_of_his_still_counts() {
    for late in [OFFICER, COORDINATOR] {
        let mut story = swap(true);
        story.yes(&person(OTHER));
        story.mails_arrive();
        story.until(at(600));
        assert_eq!(story.asked(), [person(OFFICER)]);
        assert!(story.r.state.is_open(), "silence never passes a gate");
        assert_eq!(story.yes(&person(late)), Answer::Done);
        assert!(matches!(story.r.state, State::Closed { .. }));
    }
}

#[test]
fn a_gate_with_nobody_to_ask_or_to_decide_raises_an_alarm_and_never_passes() {
    let mut story = swap(true);
    story.office.named.remove(&Selector::Officer);
    story.office.named.remove(&Selector::Coordinator);
    story.yes(&person(OTHER));
    assert!(story.fx.contains(&Effect::Alarm(Alarm::GateStuck)));
    story.until(at(86_400));
    assert!(matches!(story.r.state, State::Expired { .. }));
    assert!(story.told(&To::Person(person(OTHER)), Notice::Expired));

    let mut story = swap(true);
    story.yes(&person(OTHER));
    story.event(Event::Undeliverable { person: person(COORDINATOR), attempt: 1 });
    assert_eq!(story.asked(), [person(OFFICER)]);
    story.event(Event::Undeliverable { person: person(OFFICER), attempt: 1 });
    assert!(story.fx.contains(&Effect::Alarm(Alarm::GateStuck)), "the last who could decide is out of reach");
}

#[test]
fn one_of_two_who_must_agree_does_not_pass_the_gate_in_the_deciders_place() {
    let both = Step { on_lapse: Some(Selector::Officer), ..gate(pool("both")) };
    let office = Office::default()
        .with(pool("both"), &[person(1), person(2)])
        .with(Selector::Officer, &[person(OFFICER)]);
    let mut story = Story::begun(request(plan(Kind::Swap, vec![both])), office);
    story.mails_arrive();
    story.until(at(600));
    assert_eq!(story.asked(), [person(OFFICER)]);
    assert_eq!(story.yes(&person(1)), Answer::Done);
    assert!(story.r.state.is_open(), "the other has not agreed and nobody has decided");
    assert_eq!(story.yes(&person(2)), Answer::Done);
    assert!(matches!(story.r.state, State::Closed { .. }));
}

#[test]
fn the_time_running_out_at_a_gate_never_makes_a_taker() {
    let steps = vec![step(Mode::Seek, pool("a")), Step { wait_s: 0, ..gate(Selector::Coordinator) }];
    let office =
        Office::default().with(pool("a"), &[person(1)]).with(Selector::Coordinator, &[person(COORDINATOR)]);
    let mut story = Story::begun(request(plan(Kind::Transfer, steps)), office);
    assert_eq!(story.yes(&person(1)), Answer::Done);
    assert_eq!(story.asked(), [person(COORDINATOR)]);
    assert!(!story.fx.iter().any(|e| matches!(e, Effect::Grant { .. })), "shown before all agreed");
    story.until(at(86_400));
    assert!(matches!(story.r.state, State::Expired { .. }));
    assert!(story.told(&To::Person(person(1)), Notice::Expired));
}

#[test]
fn an_approval_is_asked_anew_for_the_next_taker_and_nobody_is_asked_to_approve_nobody() {
    let steps = vec![step(Mode::Seek, pool("a")), gate(Selector::Coordinator)];
    let office = Office::default()
        .with(pool("a"), &[person(1), person(2)])
        .with(Selector::Coordinator, &[person(COORDINATOR)]);
    let mut story = Story::begun(request(plan(Kind::Transfer, steps)), office);
    story.yes(&person(1));
    story.yes(&person(COORDINATOR));
    assert!(story.is_taken());
    story.back(&person(1));
    assert_eq!(story.asked(), [person(2)], "whoever was told full is asked again");
    assert_eq!(story.yes(&person(2)), Answer::Done);
    assert!(!story.is_taken());
    let tries: Vec<_> = story.fx.iter().filter(|e| matches!(e, Effect::Ask { attempt: 2, .. })).collect();
    assert_eq!((story.asked(), tries.len()), (vec![person(COORDINATOR)], 1), "a new try with its own number");
    assert_eq!(story.yes(&person(COORDINATOR)), Answer::Done);
    assert_eq!((story.takers(), story.is_taken()), (vec![person(2)], true));
    story.back(&person(2));
    assert!(story.asked().is_empty() && matches!(story.r.state, State::Exhausted { .. }));
}

#[test]
fn giving_back_while_the_approval_is_out_takes_the_question_back_too() {
    let steps = vec![step(Mode::Seek, pool("a")), gate(Selector::Coordinator)];
    let office = Office::default()
        .with(pool("a"), &[person(1), person(2)])
        .with(Selector::Coordinator, &[person(COORDINATOR)]);
    let mut story = Story::begun(request(plan(Kind::Transfer, steps)), office);
    story.mails_arrive();
    story.yes(&person(1));
    story.mails_arrive();
    story.back(&person(1));
    assert!(story.fx.contains(&Effect::StopAsking { person: person(COORDINATOR) }));
    assert_eq!(story.yes(&person(COORDINATOR)), Answer::Closed, "he would approve nobody");
    assert!(matches!(story.r.state, State::Running { step: 0, .. }));
    assert_eq!(story.yes(&person(2)), Answer::Done);
}

#[test]
fn who_refused_to_take_it_does_not_count_as_agreeing_to_it() {
    let steps =
        vec![step(Mode::Seek, pool("a")), Step { on_lapse: Some(Selector::Officer), ..gate(pool("both")) }];
    let office = Office::default()
        .with(pool("a"), &[person(1), person(2)])
        .with(pool("both"), &[person(1), person(3)])
        .with(Selector::Officer, &[person(OFFICER)]);
    let mut story = Story::begun(request(plan(Kind::Transfer, steps)), office);
    story.no(&person(1));
    story.yes(&person(2));
    assert_eq!(story.asked(), [person(OFFICER)], "he is not asked again and not passed over");
}

#[test]
fn a_step_waits_for_its_time_before_the_window() {
    let steps = vec![
        step(Mode::Tell, Selector::Coordinator),
        Step { before_window_s: Some(86_400), ..step(Mode::Seek, Selector::DutyPrimary) },
    ];
    let office = Office::default()
        .with(Selector::Coordinator, &[person(COORDINATOR)])
        .with(Selector::DutyPrimary, &[person(1)]);
    let mut r = request(plan(Kind::Cover, steps));
    r.answer_by = at(2 * 86_400);
    let mut story = Story::begun(r, office);
    assert!(story.told(&To::Person(person(COORDINATOR)), Notice::Told));
    assert_eq!(story.event(Event::Begin), Answer::Already);
    // The rota is read when the step starts: the duty was changed meanwhile.
    story.office.named.remove(&Selector::DutyPrimary);
    story.office = std::mem::take(&mut story.office).with(Selector::DutyPrimary, &[person(2)]);
    story.until(at(86_399));
    assert_eq!(story.asked(), []);
    story.until(at(86_400));
    assert_eq!(story.asked(), [person(2)]);
}

// ---- children ------------------------------------------------------------------------------------

fn child(n: usize) -> RequestId {
    RequestId::named(&["night", &n.to_string()])
}

/// A weekend: one request for each of its three nights.
fn weekend() -> Story {
    let mut r = request(plan(Kind::Cover, vec![step(Mode::Seek, pool("a"))]));
    r.children = (0..3).map(|n| (child(n), Child::Open)).collect();
    Story::begun(r, Office::default().with(pool("a"), &[person(1)]))
}

fn tell(story: &mut Story, n: usize, now: Child) -> Answer {
    story.event(Event::ChildIs { child: child(n), now })
}

#[test]
fn a_weekend_is_taken_when_its_nights_are_and_open_again_when_one_is_given_back() {
    let mut story = weekend();
    assert_eq!(story.asked(), [], "a parent asks nobody itself");
    tell(&mut story, 0, Child::Taken);
    tell(&mut story, 1, Child::Taken);
    assert!(matches!(story.r.state, State::Running { phase: Phase::Children, .. }));
    assert_eq!(tell(&mut story, 2, Child::Taken), Answer::Done);
    assert!(story.is_taken() && story.told(&To::Asker, Notice::Accepted));
    assert_eq!(tell(&mut story, 2, Child::Taken), Answer::Already);
    assert_eq!(tell(&mut story, 1, Child::Open), Answer::Done);
    assert!(story.r.state.is_open());
    assert_eq!(tell(&mut story, 1, Child::Taken), Answer::Done);
    assert!(story.is_taken());
    assert_eq!(story.event(Event::ChildIs { child: child(9), now: Child::Taken }), Answer::NotAsked);
}

#[test]
fn taking_a_weekend_back_takes_its_nights_back() {
    let mut story = weekend();
    tell(&mut story, 0, Child::Taken);
    tell(&mut story, 1, Child::Failed);
    assert_eq!(story.event(Event::Withdraw), Answer::Done);
    let taken_back = |n| story.fx.contains(&Effect::WithdrawChild { child: child(n) });
    assert_eq!([0, 1, 2].map(taken_back), [true, false, true], "a night that failed is over already");
    assert_eq!(tell(&mut story, 0, Child::Failed), Answer::Closed, "over is over");
    assert_eq!(story.r.children[&child(0)], Child::Taken);
}

#[test]
fn a_night_that_failed_is_an_alarm_and_the_others_stand() {
    let mut story = weekend();
    tell(&mut story, 0, Child::Failed);
    assert!(story.fx.contains(&Effect::Alarm(Alarm::Short)));
    tell(&mut story, 1, Child::Taken);
    tell(&mut story, 2, Child::Taken);
    assert!(story.is_taken());
    let mut story = weekend();
    for n in 0..3 {
        tell(&mut story, n, Child::Failed);
    }
    assert!(matches!(story.r.state, State::Expired { .. }));
}

#[test]
fn a_weekend_leaves_its_nights_the_time_they_were_given() {
    let mut story = weekend();
    for n in 0..3 {
        tell(&mut story, n, Child::Taken);
    }
    story.now = at(86_400);
    // A silent taker: his night runs on for the extension, and so does the weekend.
    tell(&mut story, 1, Child::Open);
    story.until(at(2 * 86_400));
    assert!(story.r.state.is_open() && story.fx.is_empty());
    tell(&mut story, 1, Child::Taken);
    story.until(at(2 * 86_400 + 60));
    assert!(matches!(story.r.state, State::Reported { .. }), "nothing is left but that the asker closes");
    assert_eq!(story.event(Event::Close), Answer::Done);

    let mut story = weekend();
    tell(&mut story, 0, Child::Taken);
    story.until(at(86_400 + 60));
    assert!(story.fx.contains(&Effect::WithdrawChild { child: child(2) }), "lost nights do not hold it open");
    assert!(matches!(story.r.state, State::Reported { .. }), "the night that was taken stands");
}

#[test]
fn a_child_tells_its_parent_what_becomes_of_it() {
    let mut r = request(plan(Kind::Cover, vec![step(Mode::Seek, pool("a"))]));
    let parent = RequestId::named(&["weekend"]);
    r.parent = Some(parent.clone());
    let mut story = Story::begun(r, Office::default().with(pool("a"), &[person(1), person(2)]));
    let says = |story: &Story, now| story.fx.contains(&Effect::ToParent { parent: parent.clone(), now });
    story.yes(&person(1));
    assert!(says(&story, Child::Taken));
    story.back(&person(1));
    assert!(says(&story, Child::Open));
    story.event(Event::Withdraw);
    assert!(says(&story, Child::Failed));
}
