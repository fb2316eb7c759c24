//! Reading plans from a file, and requests through JSON.

use super::super::plan::{PlanError, Plans};
use super::*;
use crate::domain::people::resolvable;

/// Lines 1 to 12; every test puts one thing wrong.
const GOOD: &str = r#"[[plan]]
name = "consult"
version = 1
kind = "consult"
report = true

[[plan.step]]
ask = "specialists"
mode = "seek"
channels = ["mail"]
proof = ["pin"]
wait_s = 60
"#;

fn read(text: &str) -> Result<Plans, PlanError> {
    Plans::parse("plans.toml", text, &resolvable)
}

#[track_caller]
fn refused(text: &str, line: usize, because: &str) {
    let error = read(text).unwrap_err();
    assert_eq!((error.line, error.problem.contains(because)), (line, true), "{error}");
    assert!(error.to_string().starts_with(&format!("plans.toml, line {line}: ")));
}

#[test]
fn the_plans_that_are_shipped_can_be_used() {
    let plans = read(include_str!("../../../../config/plans.toml")).unwrap();
    let consult = plans.get("consult").unwrap();
    assert_eq!((consult.kind, consult.report, consult.steps.len()), (Kind::Consult, true, 3));
    assert!(consult.steps.last().unwrap().lap);
    let swaps: Vec<&str> = plans.iter().filter(|p| p.kind == Kind::Swap).map(|p| p.name.as_str()).collect();
    assert_eq!(swaps, ["cover", "exchange", "give", "hole", "ill", "pool", "swap_approval"]);
    assert!(plans.iter().all(|p| p.undo == (p.kind == Kind::Swap)));
    let covers: Vec<&str> = plans.iter().filter(|p| p.kind == Kind::Cover).map(|p| p.name.as_str()).collect();
    assert_eq!(covers, ["night_cover", "night_cover_duty", "night_cover_duty_soon", "night_cover_soon"]);
    assert!(plans.iter().all(|p| (p.report_s > 0) == matches!(p.kind, Kind::Cover | Kind::Transfer)));
    // Nothing of a transfer goes to a clinic before the attending doctor's word.
    let transfer = plans.get("transfer").unwrap();
    let gate = &transfer.steps[0];
    assert_eq!((gate.mode, &gate.on_lapse), (Mode::Gate, &Some(Selector::Officer)));
    assert!(transfer.steps.iter().skip(1).all(|s| s.mode == Mode::Seek));
    assert_eq!(plans.iter().count(), 15);
    assert!(read(GOOD).is_ok());
}

#[test]
fn a_mistake_in_a_plan_is_named_with_its_line() {
    refused(&GOOD.replace("wait_s = 60", "wait = 60"), 12, "unknown field");
    refused(&GOOD.replace("report = true", "reports = true"), 5, "unknown field");
    refused(&GOOD.replace("mode = \"seek\"", "mode = \"search\""), 9, "unknown variant");
    refused(&GOOD.replace("\"specialists\"", "\"everyone\""), 8, "no selector is called");
    refused(&GOOD.replace("\"specialists\"", "\"pool:\""), 8, "no selector is called");
    refused(&GOOD.replace("\"specialists\"", "\"party:x\""), 8, "no selector is called");
    refused(&GOOD.replace("wait_s = 60", "wait_s = \"60\""), 12, "invalid type");
}

#[test]
fn a_step_that_makes_no_sense_is_named_with_its_line() {
    refused(&GOOD.replace("\"specialists\"", "\"cover_or_attending\""), 7, "cannot resolve");
    refused(&GOOD.replace("\"specialists\"", "\"pool:nobody\""), 7, "cannot resolve");
    refused(&GOOD.replace("wait_s = 60", "any = true"), 7, "belongs to a gate");
    refused(&GOOD.replace("wait_s = 60", "wait_s = -1"), 7, "negative");
    refused(&GOOD.replace("wait_s = 60", "before_window_s = -1"), 7, "negative");
    refused(&GOOD.replace("wait_s = 60", "offer_life_s = 0"), 7, "negative");
    refused(&GOOD.replace("\"seek\"", "\"collect\""), 7, "`hands`");
    refused(&GOOD.replace("channels = [\"mail\"]", ""), 7, "`channels`");
    refused(&GOOD.replace("proof = [\"pin\"]", ""), 7, "`proof`");
    refused(&GOOD.replace("wait_s = 60", "on_lapse = \"officer\""), 7, "belongs to a gate");
    let gate = format!(
        "{GOOD}[[plan.step]]\nask = \"coordinator\"\nmode = \"gate\"\nchannels = [\"mail\"]\nproof = [\"pin\"]\n"
    );
    assert!(read(&gate).is_ok());
    refused(&format!("{gate}optional = true\n"), 13, "optional");
    refused(&format!("{gate}on_lapse = \"cover_or_attending\"\n"), 13, "cannot resolve");
}

#[test]
fn a_plan_that_makes_no_sense_is_named_with_its_line() {
    let twice = format!("{GOOD}\n{GOOD}");
    refused(&twice, 14, "stands twice");
    refused(&GOOD.replace("report = true", "chase_s = 0"), 1, "not positive");
    refused(&GOOD.replace("report = true", "extend_times = 1"), 1, "not positive");
    refused(&GOOD.replace("report = true", "grant_after_report_s = -1"), 1, "not positive");
    refused(&GOOD.replace("report = true", "report = true\nundo = true"), 1, "both be reported and undone");
    refused("[[plan]]\nname = \"none\"\nversion = 1\nkind = \"swap\"\n", 1, "no step");
    refused(&GOOD.replace("mode = \"seek\"", "mode = \"tell\""), 1, "looks for nobody");
    let step = "[[plan.step]]\nask = \"officer\"\nmode = \"tell\"\n".repeat(32);
    refused(&format!("{GOOD}{step}"), 1, "more than 32");
}

#[test]
fn an_optional_step_may_name_what_is_not_here_yet() {
    let text =
        GOOD.replace("\"specialists\"", "\"cover_or_attending\"").replace("wait_s = 60", "optional = true");
    assert!(read(&text).is_ok());
}

#[test]
fn selectors_read_back_from_their_words() {
    let all = [
        Selector::DutyPrimary,
        Selector::DutyDeputy,
        Selector::CoverOrAttending,
        Selector::Attending,
        Selector::DeputyAttending,
        Selector::Specialists,
        pool("night"),
        Selector::Pillar("aoba".to_owned()),
        Selector::Party(1),
        Selector::Person(person(0)),
        Selector::Asker,
        Selector::Coordinator,
        Selector::Officer,
    ];
    for selector in all {
        assert_eq!(selector.to_string().parse(), Ok(selector));
    }
}

#[test]
fn a_request_comes_back_from_json_as_it_was() {
    let gate = Step { on_lapse: Some(Selector::Officer), ..step(Mode::Gate, Selector::Coordinator) };
    let steps = vec![step(Mode::Collect, pool("a")), step(Mode::Seek, pool("b")), gate];
    let office = Office::default()
        .with(pool("a"), &[person(1), person(2)])
        .with(pool("b"), &[person(3)])
        .from(pool("b"), person(4), at(9_000))
        .with(Selector::Officer, &[person(5)]);
    let mut story = Story::begun(request(plan(Kind::Cover, steps)), office);
    let check = |story: &Story| {
        let text = serde_json::to_string(&story.r).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), story.r);
    };
    check(&story);
    story.mails_arrive();
    story.until(at(700));
    check(&story);
    story.yes(&person(1));
    story.event(Event::Hold { person: person(2), until: at(5_000) });
    story.until(at(1_300));
    check(&story);
    story.event(Event::Choose { person: person(1) });
    check(&story);
    story.yes(&person(5));
    check(&story);
    story.until(at(400_000));
    check(&story);
}
