//! Pretends: histories of the real machine and the real SQL under one seed, with two workers, people who
//! answer late, twice or not at all, a bad mail server, and crashes between any two statements. After every
//! command the promises are looked at. The same seed gives the same history.

mod calls;
mod deeds;
mod ending;
mod night;
mod post;
mod promises;
mod runners;
mod stage;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::Digest as _;

use crate::planted::{Bug, plant};
use stage::Sim;

/// How long a history is.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Deeds under faults; the end comes after them.
    pub deeds: usize,
    /// Requests at most.
    pub requests: usize,
    /// A night with calls follows.
    pub night: bool,
}

impl Settings {
    /// Nights alone.
    pub const NIGHTS: Self = Self { deeds: 0, requests: 0, night: true };
}

impl Default for Settings {
    fn default() -> Self {
        Self { deeds: 160, requests: 3, night: true }
    }
}

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub promise: &'static str,
    pub why: String,
}

impl Broken {
    const fn new(promise: &'static str, why: String) -> Self {
        Self { promise, why }
    }

    fn about(self, what: &str) -> Self {
        Self { why: format!("{what} {}", self.why), ..self }
    }
}

/// How often the rare things happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<&'static str, u64>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds another history's.
    pub fn add(&mut self, other: &Self) {
        for (what, n) in &other.0 {
            *self.0.entry(what).or_default() += n;
        }
    }

    /// Of the rare things, those that never happened: then the histories showed nothing about them.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        RARE.iter().copied().filter(|what| !self.0.contains_key(what)).collect()
    }
}

/// What must have happened among enough histories.
pub const RARE: &[&str] = &[
    "a call back was promised",
    "a call was taken and joined",
    "a call with its lines",
    "a late worker gives up",
    "a mail in doubt",
    "a mail not wanted any more",
    "a silent taker released",
    "accepted",
    "accepted and taken back in one moment",
    "accepted too late",
    "accepted when it was full",
    "an event was lost",
    "an event was told twice",
    "an order in doubt",
    "closed with its lines",
    "crash after a commit",
    "crash between statements",
    "declined, the next one asked",
    "exhausted with an alarm",
    "expired",
    "given back, others asked",
    "held",
    "killed while sending",
    "killed with calls open",
    "lease lost while sending",
    "never closed, with an alarm",
    "nobody was left for a call",
    "said again under its key",
    "tapped twice",
    "the bridge was lost with calls open",
    "the clock was set with calls open",
    "tried again later",
    "undeliverable, the next one asked",
];

/// What came of a history.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub seed: u64,
    /// SHA-256 over the lines of the log, in hexadecimal: equal for equal seeds.
    pub hash: String,
    pub tally: Tally,
    pub broken: Option<Broken>,
    pub log: Vec<String>,
}

/// Plays the history of a seed; waits while a bug is planted.
#[must_use]
pub fn run(seed: u64, settings: &Settings) -> Outcome {
    let _one_at_a_time = STAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    history(seed, settings)
}

fn history(seed: u64, settings: &Settings) -> Outcome {
    let mut outcome =
        Outcome { seed, hash: String::new(), tally: Tally::default(), broken: None, log: Vec::new() };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            outcome.broken = Some(Broken::new("the stage can be built", e.to_string()));
            return outcome;
        }
    };
    runtime.block_on(async {
        let mut sim = match Sim::build(seed, settings).await {
            Ok(sim) => sim,
            Err(broken) => {
                outcome.broken = Some(broken);
                return;
            }
        };
        let played = sim.play(settings).await;
        outcome.broken = played.err();
        sim.db.close().await;
        let hash = sim.log.hash.finalize();
        outcome.hash = hash.iter().map(|b| format!("{b:02x}")).collect();
        outcome.tally = sim.tally;
        outcome.log = sim.log.lines;
    });
    outcome
}

impl Sim {
    async fn play(&mut self, settings: &Settings) -> Result<(), Broken> {
        for _ in 0..settings.deeds {
            self.no += 1;
            self.next_deed().await?;
        }
        self.come_to_rest().await?;
        if settings.night { self.night().await } else { Ok(()) }
    }

    /// The seeded scheduler: whose turn it is.
    async fn next_deed(&mut self) -> Result<(), Broken> {
        match self.dice.below(1_000) {
            0..40 => self.ask().await,
            40..180 => self.open_letter().await,
            180..215 => self.answer_by_program().await,
            215..225 => self.withdraw().await,
            225..240 => self.accept_and_withdraw().await,
            240..265 => self.taker_does(false).await,
            265..300 => self.taker_does(true).await,
            300..330 => self.close().await,
            330..375 => self.say_again().await,
            375..380 => self.leave().await,
            380..395 => {
                let index = self.dice.below(self.runners.len());
                self.pause(index);
                Ok(())
            }
            395..402 => {
                self.say("a process is killed");
                self.a_process_dies().await
            }
            402..410 => self.self_check().await,
            410..520 => {
                let seconds = self.dice.seconds(0, 9);
                self.passes(seconds);
                Ok(())
            }
            520..545 => {
                let seconds = self.dice.seconds(60, 1_500);
                self.passes(seconds);
                Ok(())
            }
            545..557 => {
                let seconds = self.dice.seconds(3_600, 30_000);
                self.passes(seconds);
                Ok(())
            }
            _ => {
                let index = self.dice.below(self.runners.len());
                self.run_step(index).await.map(drop)
            }
        }
    }

    fn passes(&mut self, seconds: i64) {
        self.clock.advance_s(seconds);
    }

    async fn self_check(&mut self) -> Result<(), Broken> {
        let app = self.app.clone();
        match self.attempt(app.self_check()).await? {
            stage::Ack::Answer(0) => Ok(()),
            stage::Ack::Crashed(_) => self.a_process_dies().await,
            other => Err(Broken::new("the self-check finds nothing", format!("{other:?}"))),
        }
    }
}

/// One at a time where a bug is planted: the switch is the process's.
static STAGE: Mutex<()> = Mutex::new(());

fn run_all(first: u64, seeds: u64, settings: &Settings) -> (Option<Outcome>, Tally) {
    let next = AtomicU64::new(0);
    let found = Mutex::new((None::<Outcome>, Tally::default()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= seeds {
                        return;
                    }
                    let outcome = history(first.saturating_add(n), settings);
                    let mut all = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    all.1.add(&outcome.tally);
                    if outcome.broken.is_some() {
                        // The lowest seed is the one to look at, whatever the cores did.
                        if all.0.as_ref().is_none_or(|o| outcome.seed < o.seed) {
                            all.0 = Some(outcome);
                        }
                        next.store(seeds, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Looks for a planted bug; the history that found it. Only in a build with the feature `planted`.
#[must_use]
pub fn hunt(bug: Bug, seeds: u64, settings: &Settings) -> Option<Outcome> {
    let _one_at_a_time = STAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    plant(Some(bug));
    let (found, _) = run_all(1, seeds, settings);
    plant(None);
    found
}

/// Plays many histories on all cores; the first that broke a promise, and all counters.
#[must_use]
pub fn run_many(first: u64, seeds: u64, settings: &Settings) -> (Option<Outcome>, Tally) {
    let _one_at_a_time = STAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    run_all(first, seeds, settings)
}

/// Bugs that are not looked for here.
pub const NOT_YET: &[Bug] = &[
    // What it breaks is not built yet.
    Bug::CallbackByCallIdOnly,
    // Their moments are too rare in a night of two calls; the random nights of the machine of voices find these.
    Bug::VerdictNotAwaited,
    Bug::OthersKeepRinging,
    Bug::FailedLegUntold,
    Bug::SilentWait,
    Bug::RingingDialledAgain,
];

/// Bugs of calls: looked for in nights alone, the others without them.
const OF_CALLS: &[Bug] = &[Bug::AnswerCountsAsYes, Bug::ClockSetUnheard];

/// A planted bug is found within this many seeds.
pub const HUNT_SEEDS: u64 = 400;

/// Among this many histories every rare thing must happen.
pub const ENOUGH: u64 = 100;

/// The lines of the log that are printed with a broken promise.
const LAST_LINES: usize = 30;

/// What to print about a history that broke a promise.
#[must_use]
pub fn story(outcome: &Outcome) -> String {
    let (promise, why) = outcome.broken.as_ref().map_or(("", ""), |b| (b.promise, b.why.as_str()));
    let from = outcome.log.len().saturating_sub(LAST_LINES);
    let last = outcome.log.get(from..).unwrap_or(&[]).join("\n");
    format!(
        "seed {}: {promise}\n  {why}\n  log {}\n{last}\n  again: touban simulate --seeds 1 --first {}",
        outcome.seed, outcome.hash, outcome.seed
    )
}

/// `touban simulate`: plays `seeds` histories from `first`; the exit code.
#[must_use]
pub fn cli(seeds: u64, first: u64) -> i32 {
    let settings = Settings::default();
    let mut tally = Tally::default();
    let mut done = 0;
    let round = (seeds / 10).max(1);
    while done < seeds {
        let count = round.min(seeds - done);
        let (found, counted) = run_many(first.saturating_add(done), count, &settings);
        tally.add(&counted);
        if let Some(outcome) = found {
            println!("{}", story(&outcome));
            return 1;
        }
        done += count;
        println!("{done} of {seeds} histories, every promise held");
    }
    for (what, n) in &tally.0 {
        println!("{n:>8}  {what}");
    }
    if seeds == 1 {
        println!("log {}", run(first, &settings).hash);
        return 0;
    }
    let missing = tally.missing();
    if !missing.is_empty() {
        println!("never happened, so nothing was shown about it: {}", missing.join(", "));
    }
    i32::from(seeds >= ENOUGH && !missing.is_empty())
}

/// `touban simulate --planted`: each planted bug and the seed that found it; the exit code.
#[must_use]
pub fn cli_planted() -> i32 {
    if !cfg!(feature = "planted") {
        println!("this build has no planted bugs; build it with --features planted");
        return 2;
    }
    let mut missed = 0;
    for bug in Bug::ALL.into_iter().filter(|b| !NOT_YET.contains(b)) {
        let without = Settings { night: false, ..Settings::default() };
        match hunt(bug, HUNT_SEEDS, if OF_CALLS.contains(&bug) { &Settings::NIGHTS } else { &without }) {
            Some(outcome) => {
                let promise = outcome.broken.as_ref().map_or("", |b| b.promise);
                println!("{:<28} seed {:>4}  {promise}", bug.code(), outcome.seed);
            }
            None => {
                missed += 1;
                println!("{:<28} not found in {HUNT_SEEDS} seeds", bug.code());
            }
        }
    }
    i32::from(missed > 0)
}
