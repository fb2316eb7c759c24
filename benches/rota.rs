//! The figures of the rota, taken on the machine it runs on: who is on, a year expanded, a quarter filled.
//! Prints Markdown with the goal beside each figure; decides nothing.
//!
//! `cargo bench --bench rota`. What needs a database or a server stands in `figures/rota_service.rs`; files go to
//! `TOUBAN_FIGURES_DIR` or the directory for temporary files. Times are those the processor worked for this thread, as the kernel counts them
//! (`/proc/thread-self/schedstat`); where there is no such file, those on the wall.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a figure that cannot be taken ends the run")]

#[path = "figures/machine.rs"]
#[allow(dead_code, reason = "the figures of the service use the rest of it")]
mod machine;
#[path = "figures/rota_service.rs"]
#[allow(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a figure that cannot be taken ends the run"
)]
mod service;
#[path = "../tests/it/support_office.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support_office;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Instant;

use touban::domain::calendar::{Calendar, CivilDate, NightHours};
use touban::domain::rota::{
    Area, Assignment, BlockRule, DutyPerson, Fill, Holder, Leg, Override, PlainFill, Problem, Publication,
    Records, Required, RotaRole, Rules, Setting, Slot, SlotBook, Swap, Timeline, check, full_day_turns,
    holes, tallies,
};
use touban::ids::{InstitutionId, MemberId, OverrideId, PublicationId, SwapId};
use touban::time::{Millis, Window};

const PEOPLE: usize = 30;
const OVERRIDES: usize = 100;
const SWAPS: usize = 40;
const ROUNDS: usize = 50;
/// Rounds of what takes long.
const FEW: usize = 10;
const QUESTIONS: usize = 10_000;
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Tokyo;

const PATTERNS: &str = r#"
[[slot]]
kind = "wn"
name = "平日の夜"
days = ["weekday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 1.0, deputy = 0.5, backing = 0.2 }
[[slot]]
kind = "sp"
name = "土曜の午後"
days = ["saturday"]
from = "12:00"
to = "18:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 0.8, deputy = 0.4, backing = 0.2 }
[[slot]]
kind = "sn"
name = "土曜の夜"
days = ["saturday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 1.2, deputy = 0.6, backing = 0.2 }
[[slot]]
kind = "hd"
name = "日曜・祝日の昼"
days = ["sunday", "holiday", "year_end"]
from = "08:00"
to = "18:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 1.4, deputy = 0.7, backing = 0.3 }
[[slot]]
kind = "hn"
name = "日曜・祝日の夜"
days = ["sunday", "holiday", "year_end"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 1.4, deputy = 0.7, backing = 0.3 }
[[required]]
days = ["every"]
from = "00:00"
to = "24:00"
roles = ["primary", "deputy"]
"#;

struct Office {
    area: Area,
    calendar: Calendar,
    book: SlotBook,
    people: Vec<DutyPerson>,
}

fn main() {
    println!("{}", machine::description(&std::env::temp_dir()));
    let office = Office::new();
    let year = office.slots("2026-04-01", 365);
    let window = Window { from: year.first().unwrap().window.from, to: year.last().unwrap().window.to };
    let records = office.records(&year, window);
    let timeline = Timeline::new(&records, None);
    println!(
        "{PEOPLE} people, {} slots with three roles, {OVERRIDES} overrides, {SWAPS} swaps, one area, 365 days.\n",
        year.len()
    );
    println!("| Figure | CPU: p50 / max | Goal |\n| --- | --- | --- |");

    // Instants all over the year: a step that shares no factor with its length.
    let length = window.to.since_ms(window.from);
    let instants: Vec<Millis> = (0..i64::try_from(QUESTIONS).unwrap())
        .map(|n| window.from.plus_ms((n * 7_919_999_983).rem_euclid(length)))
        .collect();
    row("who is on, asked of the laid rota", "< 0.1 ms", QUESTIONS, || {
        for at in &instants {
            black_box(timeline.who(&office.area, RotaRole::Primary, black_box(*at)));
        }
    });
    row("a year of one role expanded, of the laid rota", "< 5 ms", 1, || {
        black_box(timeline.expand(&office.area, RotaRole::Primary, window));
    });
    row("laying the whole year from its records", "", 1, || {
        black_box(Timeline::new(black_box(&records), None));
    });
    let month = Window { from: window.from.plus_s(180 * 86_400), to: window.from.plus_s(182 * 86_400) };
    let near = office.near(&records, month);
    row("who is on, laid anew from the records of two days", "< 0.1 ms", 1, || {
        let laid = Timeline::new(black_box(&near), None);
        black_box(laid.who(&office.area, RotaRole::Primary, month.from.plus_s(86_400)));
    });
    row("a year expanded, laid anew from its records", "< 5 ms", 1, || {
        let laid = Timeline::new(black_box(&records), None);
        black_box(laid.expand(&office.area, RotaRole::Primary, window));
    });
    row("points of a year", "", 1, || drop(black_box(tallies(&timeline, &year))));
    row("24-hour turns of a year", "", 1, || drop(black_box(full_day_turns(&timeline))));
    let required = Required { book: &office.book, calendar: &office.calendar, zone: ZONE };
    row("holes of a year", "", 1, || drop(black_box(holes(&timeline, &required, &office.area, window))));

    let quarter = office.slots("2026-07-01", 92);
    let rules = Rules {
        rest_nights: 3,
        max_per_month: Some(10),
        max_per_week: Some(3),
        block: Some(BlockRule { min_days: 2, same_people: false }),
        ..Rules::default()
    };
    let setting = office.setting(&rules, &quarter);
    let before = BTreeMap::new();
    let problem = Problem { setting, standing: &[], points_before: &before, lottery: None };
    let filled = PlainFill.fill(&problem);
    let label = format!(
        "a quarter filled ({} seats, {} stay empty)",
        filled.assignments.len() + filled.empty.len(),
        filled.empty.len()
    );
    row(&label, "", 1, || drop(black_box(PlainFill.fill(&problem))));
    let (first, last) = (quarter.first().unwrap().key.day, quarter.last().unwrap().key.day);
    row("a quarter checked against every rule", "", 1, || {
        drop(black_box(check(setting, &filled.assignments, first, last)));
    });
    // One clinic, so that no deputy can ever be found: the worst that filling can meet.
    let mut one_clinic = Office::new();
    let institution = InstitutionId::named(&["only"]);
    one_clinic.people.iter_mut().for_each(|p| p.institution = institution.clone());
    let problem = Problem { setting: one_clinic.setting(&rules, &quarter), ..problem };
    rounds(FEW, "a quarter that cannot be filled", "", 1, || drop(black_box(PlainFill.fill(&problem))));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(service::measure());
}

impl Office {
    fn new() -> Self {
        let night = NightHours::new(18 * 60, 8 * 60).unwrap();
        let people = (0..PEOPLE).map(|n| DutyPerson::new(person(n), clinic(n))).collect();
        Self {
            area: "aoba".parse().unwrap(),
            calendar: Calendar::national("bench", night),
            book: SlotBook::parse("bench", PATTERNS, "bench").unwrap(),
            people,
        }
    }

    fn slots(&self, first: &str, days: i64) -> Vec<Slot> {
        let first: CivilDate = first.parse().unwrap();
        self.book.slots(&self.area, first, first.plus_days(days - 1), &self.calendar, ZONE)
    }

    fn setting<'a>(&'a self, rules: &'a Rules, slots: &'a [Slot]) -> Setting<'a> {
        Setting {
            rules,
            people: &self.people,
            wishes: &[],
            groups: &[],
            slots,
            calendar: &self.calendar,
            zone: ZONE,
        }
    }

    fn records(&self, slots: &[Slot], period: Window) -> Records {
        let seat = |n: usize, slot: &Slot, role: RotaRole| Assignment {
            area: slot.area.clone(),
            slot: slot.key.clone(),
            role,
            window: slot.window,
            holder: holder(n),
        };
        let shift = |role: RotaRole| match role {
            RotaRole::Primary => 0,
            RotaRole::Deputy => 7,
            RotaRole::Backing => 13,
        };
        let assignments: Vec<Assignment> = slots
            .iter()
            .enumerate()
            .flat_map(|(n, slot)| slot.roles.iter().map(move |role| seat(n + shift(*role), slot, *role)))
            .collect();
        let recorded = Millis(period.from.0 - 1_000_000_000);
        let overrides = (0..OVERRIDES)
            .map(|n| {
                let slot = slots.get(n * slots.len() / OVERRIDES).unwrap();
                Override {
                    id: OverrideId::named(&[&n.to_string()]),
                    area: slot.area.clone(),
                    role: if n % 3 == 0 { RotaRole::Deputy } else { RotaRole::Primary },
                    window: Window {
                        from: slot.window.from.plus_s(3_600),
                        to: slot.window.to.plus_s(-1_800),
                    },
                    holder: (n % 10 != 0).then(|| holder(n * 11)),
                    recorded_at: recorded.plus_s(i64::try_from(n).unwrap()),
                    withdrawn_at: None,
                }
            })
            .collect();
        let swaps = (0..SWAPS)
            .map(|n| {
                let at = (n * slots.len() / SWAPS + 3) % slots.len();
                let slot = slots.get(at).unwrap();
                let giver = person(at % PEOPLE);
                let leg = Leg {
                    area: slot.area.clone(),
                    role: RotaRole::Primary,
                    window: slot.window,
                    giver,
                    taker: holder(at + 5),
                };
                let taken_at = recorded.plus_s(i64::try_from(n).unwrap());
                Swap {
                    id: SwapId::named(&[&n.to_string()]),
                    legs: vec![leg],
                    taken_at,
                    recorded_at: taken_at,
                    undone_at: None,
                }
            })
            .collect();
        let publication = Publication {
            id: PublicationId::named(&["bench"]),
            area: self.area.clone(),
            period,
            recorded_at: recorded.plus_s(-1),
            assignments,
        };
        Records { publications: vec![publication], overrides, swaps, leavings: Vec::new() }
    }

    /// What a page that asks for one instant would read: the assignments and changes that touch a window.
    fn near(&self, records: &Records, window: Window) -> Records {
        let touches = |w: Window| w.from < window.to && window.from < w.to;
        let mut near = records.clone();
        near.publications.iter_mut().for_each(|p| p.assignments.retain(|a| touches(a.window)));
        near.overrides.retain(|o| touches(o.window));
        near.swaps.retain(|s| s.legs.iter().any(|l| touches(l.window)));
        near
    }
}

fn person(n: usize) -> MemberId {
    MemberId::named(&["person", &(n % PEOPLE).to_string()])
}

fn clinic(n: usize) -> InstitutionId {
    InstitutionId::named(&["clinic", &(n % PEOPLE / 2).to_string()])
}

fn holder(n: usize) -> Holder {
    Holder { person: person(n), institution: clinic(n) }
}

/// The time the processor worked for this thread, in nanoseconds, if the kernel tells.
fn worked_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn row(name: &str, goal: &str, times: usize, run: impl FnMut()) {
    rounds(ROUNDS, name, goal, times, run);
}

fn rounds(rounds: usize, name: &str, goal: &str, times: usize, mut run: impl FnMut()) {
    run();
    let mut took: BTreeSet<(u64, usize)> = BTreeSet::new();
    for round in 0..rounds {
        let (begun, wall) = (worked_ns(), Instant::now());
        run();
        let wall = u64::try_from(wall.elapsed().as_nanos()).unwrap();
        let spent = begun.zip(worked_ns()).map_or(wall, |(begun, ended)| ended - begun);
        // Without preemption the kernel counts in ticks; then the wall is the better clock.
        let spent = if spent == 0 { wall } else { spent };
        took.insert((spent / u64::try_from(times).unwrap(), round));
    }
    let of = |n: usize| took.iter().nth(n).map_or(0, |(ns, _)| *ns) as f64 / 1_000_000.0;
    println!("| {name} | {:.4} / {:.4} ms (n = {rounds}) | {goal} |", of(rounds / 2), of(rounds - 1));
}
