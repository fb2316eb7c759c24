//! Histories of the real machine and the real SQL: fixed seeds, fresh seeds, planted bugs.

use touban::sim::{Settings, run, run_many, story};

/// Seeds that once broke a promise, with the reason behind `#`.
const SEEDS: &str = include_str!("../sim/seeds.txt");

/// So many that every rare thing happens among them, and few enough for every run of the tests.
const FRESH: u64 = 60;

fn fixed() -> Vec<u64> {
    let numbers = SEEDS.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    numbers.filter(|n| !n.is_empty()).map(|n| n.parse().expect("a seed is a number")).collect()
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let settings = Settings::default();
    let (first, second) = (run(7, &settings), run(7, &settings));
    assert_eq!(first.log, second.log);
    assert_eq!(first.hash, second.hash);
    assert_ne!(first.hash, run(8, &settings).hash);
}

#[test]
fn histories_that_once_broke_a_promise_hold_it_now() {
    for seed in fixed() {
        let (found, _) = run_many(seed, 1, &Settings::default());
        assert!(found.is_none(), "{}", found.as_ref().map(story).unwrap_or_default());
    }
}

#[test]
fn every_promise_holds_in_fresh_histories_and_every_rare_thing_happens() {
    let first = std::env::var("TOUBAN_SIM_FIRST").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let seeds = std::env::var("TOUBAN_SIM_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(FRESH);
    let (found, tally) = run_many(first, seeds, &Settings::default());
    assert!(found.is_none(), "{}", found.as_ref().map(story).unwrap_or_default());
    if seeds >= FRESH {
        assert_eq!(tally.missing(), Vec::<&str>::new(), "of {:?}", tally.0);
    }
    println!("{:#?}", tally.0);
}

#[cfg(feature = "planted")]
#[test]
fn every_planted_bug_is_found() {
    assert_eq!(touban::sim::cli_planted(), 0, "a planted bug was not found; the table is above");
}
