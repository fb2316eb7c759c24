//! What can be undone until its window begins: swaps of duties.

use super::super::plan::Plans;
use super::super::request::{Offer, Phase};
use super::super::settle::Rule;
use super::*;
use crate::domain::people::resolvable;

const OTHER: usize = 1;
const COORDINATORS: [usize; 2] = [20, 21];

/// A plan as it is shipped, the coordinator's word behind it where it is wanted.
fn shipped(name: &str, approved: bool) -> Plan {
    let text = include_str!("../../../../config/plans.toml");
    let plans = Plans::parse("plans.toml", text, &resolvable).unwrap();
    let mut plan = plans.get(name).unwrap().clone();
    if approved {
        plan.steps.extend(plans.get("swap_approval").unwrap().steps.clone());
    }
    plan
}

fn office() -> Office {
    Office::default()
        .with(Selector::Party(0), &[asker()])
        .with(Selector::Party(1), &[person(OTHER)])
        .with(pool("duty"), &[person(1), person(2), person(3)])
        .with(Selector::Coordinator, &COORDINATORS.map(person))
}

fn begun(name: &str, approved: bool) -> Story {
    let mut r = request(shipped(name, approved));
    // The answer is wanted before the duty begins.
    r.answer_by = r.window.from;
    Story::begun(r, office())
}

fn hand_overs(story: &Story) -> usize {
    story.fx.iter().filter(|e| **e == Effect::HandOver).count()
}

fn hands_back(story: &Story, whole: bool) -> bool {
    story.fx.contains(&Effect::HandBack { whole })
}

#[test]
fn a_duty_changes_hands_once_when_everybody_agreed() {
    let mut story = begun("give", true);
    assert_eq!((story.yes(&person(OTHER)), hand_overs(&story)), (Answer::Done, 0));
    assert_eq!((story.yes(&person(20)), hand_overs(&story)), (Answer::Done, 1));
    assert!(story.is_taken(), "it can be undone still");
    assert_eq!((story.yes(&person(OTHER)), hand_overs(&story)), (Answer::Already, 0), "accepted twice");
    assert_eq!(next_due(&story.r), Some(story.r.window.from));
    story.until(story.r.window.from);
    assert!(matches!(story.r.state, State::Closed { .. }));
    assert_eq!(story.back(&person(OTHER)), Answer::Closed, "it has begun");
    assert_eq!(story.event(Event::Withdraw), Answer::Closed);
}

#[test]
fn one_of_several_coordinators_is_enough_and_one_no_is_too() {
    let mut story = begun("give", true);
    story.yes(&person(OTHER));
    assert_eq!(story.asked(), COORDINATORS.map(person));
    story.yes(&person(21));
    assert!(story.is_taken());
    assert_eq!(story.offer(&person(20)), Some(OfferState::Withdrawn));
    let mut story = begun("give", true);
    story.yes(&person(OTHER));
    assert_eq!(story.no(&person(20)), Answer::Done);
    assert!(matches!(story.r.state, State::Refused { .. }));
    assert!(
        story.told(&To::Asker, Notice::Refused) && story.told(&To::Person(person(OTHER)), Notice::Refused)
    );
}

#[test]
fn a_mail_that_does_not_arrive_leaves_the_word_to_the_other_coordinator() {
    let mut story = begun("give", true);
    story.yes(&person(OTHER));
    story.mails_arrive();
    let mut story = begun("give", true);
    story.yes(&person(OTHER));
    assert_eq!(story.event(Event::Undeliverable { person: person(20), attempt: 1 }), Answer::Done);
    assert!(matches!(story.r.state, State::Running { phase: Phase::Asking { .. }, .. }));
    assert_eq!(story.yes(&person(21)), Answer::Done);
    assert!(story.is_taken());
}

#[test]
fn a_wrong_yes_is_undone_and_the_question_asked_again() {
    let mut story = begun("exchange", false);
    story.yes(&person(OTHER));
    assert_eq!(story.back(&person(5)), Answer::NotAsked);
    assert_eq!(story.back(&person(OTHER)), Answer::Done);
    assert!(hands_back(&story, false));
    assert!(story.r.state.is_open());
    assert_eq!(story.asked(), [person(OTHER)], "asked again, not passed over");
    assert!(story.told(&To::Asker, Notice::Undone));
    assert_eq!((story.yes(&person(OTHER)), hand_overs(&story)), (Answer::Done, 1));
}

#[test]
fn a_wrong_yes_in_a_pool_is_undone_and_the_others_are_asked() {
    let mut story = begun("pool", false);
    assert_eq!(story.asked(), [person(1), person(2), person(3)]);
    story.mails_arrive();
    assert_eq!((story.yes(&person(2)), hand_overs(&story)), (Answer::Done, 1));
    assert_eq!(story.offer(&person(1)), Some(OfferState::Full));
    assert_eq!(story.back(&person(2)), Answer::Done);
    assert!(hands_back(&story, false) && story.r.state.is_open());
    assert_eq!(story.asked(), [person(1), person(3)], "not the one who gave it back");
    assert_eq!((story.yes(&person(1)), hand_overs(&story)), (Answer::Done, 1));
    assert_eq!(story.takers(), [person(1)]);
}

#[test]
fn a_yes_can_be_taken_back_before_the_coordinator_has_spoken() {
    let mut story = begun("give", true);
    story.yes(&person(OTHER));
    assert_eq!(story.back(&person(OTHER)), Answer::Done);
    assert_eq!(story.asked(), [person(OTHER)]);
    assert_eq!(story.yes(&person(20)), Answer::Closed, "their question is over for now");
}

#[test]
fn who_asked_withdraws_and_everything_goes_back() {
    let mut story = begun("ill", false);
    story.mails_arrive();
    story.yes(&person(3));
    assert_eq!(story.event(Event::Withdraw), Answer::Done);
    assert!(hands_back(&story, true));
    assert!(story.told(&To::Person(person(3)), Notice::Withdrawn));
    let mut running = begun("ill", false);
    assert_eq!(running.event(Event::Withdraw), Answer::Done);
    assert!(hands_back(&running, true), "the deputy who moved up moves back");
}

#[test]
fn a_new_rota_makes_it_void_and_everybody_hears_of_it() {
    for (name, yes) in [("give", Some(OTHER)), ("give", None), ("pool", Some(2)), ("pool", None)] {
        let mut story = begun(name, false);
        story.mails_arrive();
        if let Some(n) = yes {
            story.yes(&person(n));
        }
        assert_eq!(story.event(Event::Void), Answer::Done);
        assert!(matches!(story.r.state, State::Refused { .. }));
        assert!(story.told(&To::Asker, Notice::Void));
        let asked: Vec<(MemberId, Offer)> = story.r.offers.clone().into_iter().collect();
        for (who, _) in
            asked.iter().filter(|(_, o)| matches!(o.state, OfferState::Withdrawn | OfferState::Accepted))
        {
            assert!(story.told(&To::Person(who.clone()), Notice::Void), "{name} {who}");
        }
        assert!(!hands_back(&story, true), "what was recorded stays to be seen");
        assert_eq!(story.event(Event::Void), Answer::Closed);
    }
}

/// A world in which the rules of the rota stand against it from some moment on.
struct Against<'a>(&'a Office);

impl World for Against<'_> {
    fn resolve(&self, selector: &Selector, request: &Request, now: Millis) -> Vec<Candidate> {
        self.0.resolve(selector, request, now)
    }

    fn person(&self, person: &MemberId) -> Option<PersonFacts> {
        self.0.person(person)
    }

    fn may_hand_over(&self, _: &Request) -> Result<(), Rule> {
        Err(Rule::DutyRest)
    }
}

#[test]
fn a_volunteer_against_whom_a_rule_stands_is_told_and_the_others_are_waited_for() {
    let story = begun("pool", false);
    let yes = Event::Accept { person: person(2), proof: Proof::Pin, terms: Terms::Plain };
    let made = decide(&story.r, &yes, story.now, &Against(&story.office));
    assert_eq!(made.answer, Answer::Refused { rule: Rule::DutyRest });
    assert_eq!((made.next, made.effects), (story.r, Vec::new()));
}

#[test]
fn a_duty_that_is_taken_over_midway_cannot_be_undone() {
    let mut r = request(shipped("cover", false));
    r.window = Window::new(at(-3_600), at(36_000)).unwrap();
    r.answer_by = r.window.to;
    let mut story = Story::begun(r, office());
    assert_eq!((story.yes(&person(1)), hand_overs(&story)), (Answer::Done, 1));
    assert!(matches!(story.r.state, State::Closed { .. }));
    assert_eq!(story.back(&person(1)), Answer::Taken);
}

#[test]
fn a_rule_against_the_last_yes_is_told_and_nothing_has_happened() {
    let story = begun("give", false);
    let yes = Event::Accept { person: person(OTHER), proof: Proof::Pin, terms: Terms::Plain };
    let made = decide(&story.r, &yes, story.now, &Against(&story.office));
    assert_eq!(made.answer, Answer::Refused { rule: Rule::DutyRest });
    assert_eq!((made.next, made.effects), (story.r, Vec::new()));
}
