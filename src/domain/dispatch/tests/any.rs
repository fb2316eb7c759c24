//! Any request, any office and anything that can happen, for the random tests.

use proptest::prelude::*;

use super::super::request::Child;
use super::*;

pub const PEOPLE: usize = 8;
pub const CHILDREN: usize = 3;
#[derive(Clone, Debug)]
pub enum Op {
    Pass(i64),
    /// Time goes on to what the machine waits for, plus this.
    PassToDue(i64),
    Due,
    Begin,
    Delivered(usize, bool),
    Undeliverable(usize, bool),
    Unanswered(usize, bool),
    Accept(usize, Proof, Terms),
    Decline(usize),
    Hold(usize, i64),
    Choose(usize),
    Release(usize),
    Withdraw,
    Report(usize),
    Close,
    ChildIs(usize, Child),
    Leaves(usize),
}

/// The last number is the asker.
pub fn who(n: usize) -> MemberId {
    if n >= PEOPLE { asker() } else { person(n) }
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    let anybody = 0..=3 * PEOPLE;
    let terms = prop_oneof![6 => Just(Terms::Advice), 1 => Just(Terms::Visit), 1 => Just(Terms::Plain)];
    let proof = prop_oneof![6 => Just(Proof::Pin), 2 => Just(Proof::Device), 1 => Just(Proof::Key)];
    let child = prop_oneof![Just(Child::Open), Just(Child::Taken), Just(Child::Failed)];
    let op = prop_oneof![
        6 => (1..1_000i64).prop_map(Op::Pass),
        1 => (1..40_000i64).prop_map(Op::Pass),
        6 => prop_oneof![4 => Just(0i64), 1 => 1..7_200i64].prop_map(Op::PassToDue),
        6 => Just(Op::Due),
        1 => Just(Op::Begin),
        12 => (anybody.clone(), any::<bool>()).prop_map(|(p, stale)| Op::Delivered(p, stale)),
        4 => (anybody.clone(), any::<bool>()).prop_map(|(p, stale)| Op::Undeliverable(p, stale)),
        3 => (anybody.clone(), any::<bool>()).prop_map(|(p, stale)| Op::Unanswered(p, stale)),
        16 => (anybody.clone(), proof, terms).prop_map(|(p, proof, terms)| Op::Accept(p, proof, terms)),
        6 => anybody.clone().prop_map(Op::Decline),
        3 => (anybody.clone(), 0..20_000i64).prop_map(|(p, s)| Op::Hold(p, s)),
        6 => anybody.clone().prop_map(Op::Choose),
        6 => anybody.clone().prop_map(Op::Release),
        4 => anybody.clone().prop_map(Op::Report),
        1 => Just(Op::Close),
        6 => (0..CHILDREN + 1, child).prop_map(|(c, now)| Op::ChildIs(c, now)),
        1 => (0..PEOPLE).prop_map(Op::Leaves),
    ];
    let rare = prop_oneof![40 => op, 1 => Just(Op::Withdraw)];
    proptest::collection::vec(rare, 10..120)
}

fn selectors() -> Vec<Selector> {
    vec![
        Selector::Specialists,
        pool("a"),
        pool("b"),
        Selector::Coordinator,
        Selector::Officer,
        Selector::Party(0),
        Selector::Party(1),
        Selector::Asker,
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let searches = prop_oneof![3 => Just(Mode::Seek), 1 => Just(Mode::Collect)];
    let all = prop_oneof![
        5 => Just(Mode::Seek),
        3 => Just(Mode::Gate),
        2 => Just(Mode::Collect),
        1 => Just(Mode::Tell),
    ];
    let some = |mode| proptest::collection::vec(one_step(mode), 1..6);
    prop_oneof![some(searches.boxed()), some(all.boxed())]
}

fn one_step(mode: BoxedStrategy<Mode>) -> impl Strategy<Value = Step> {
    let wait = prop_oneof![1 => Just(0i64), 4 => 60..20_000i64];
    let timing = (
        0..4usize,
        wait,
        proptest::option::weighted(0.2, 0..200_000i64),
        proptest::option::of(60..40_000i64),
    );
    let selector = || proptest::sample::select(selectors());
    let gate = (proptest::option::of(selector()), 1..4usize, any::<bool>(), any::<bool>());
    (mode, selector(), timing, gate).prop_map(
        |(mode, ask, (at_once, wait_s, before_window_s, offer_life_s), (on_lapse, hands, lap, device))| {
            Step {
                at_once,
                wait_s,
                before_window_s,
                offer_life_s,
                lap,
                hands: if mode == Mode::Collect { hands } else { 0 },
                on_lapse: on_lapse.filter(|_| mode == Mode::Gate),
                proof: if device { vec![Proof::Pin, Proof::Device] } else { vec![Proof::Pin] },
                ..step(mode, ask)
            }
        },
    )
}

pub fn offices() -> impl Strategy<Value = Office> {
    let from = prop_oneof![5 => Just(0i64), 2 => 1..150_000i64];
    let list = proptest::collection::vec((0..=PEOPLE, from), 0..7);
    let caps = proptest::collection::vec(proptest::option::weighted(0.15, (0..3u32, 0..3u32)), PEOPLE);
    (proptest::collection::vec(list, selectors().len()), caps).prop_map(|(lists, caps)| {
        let mut office = Office::default();
        for (selector, list) in selectors().into_iter().zip(lists) {
            for (n, from) in list {
                office = office.from(selector.clone(), who(n), at(from));
            }
        }
        let caps = caps.into_iter().enumerate().filter_map(|(n, cap)| Some((person(n), cap?)));
        office.caps = caps.collect();
        office
    })
}

pub fn requests() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![Just(Kind::Consult), Just(Kind::Swap)];
    let plan_facts = (kind, proptest::bool::weighted(0.7), 0..3u32, 20_000..90_000i64);
    let facts = (
        1..4usize,
        3_600..200_000i64,
        0..300_000i64,
        any::<bool>(),
        proptest::bool::weighted(0.1),
        any::<bool>(),
    );
    (steps(), plan_facts, facts).prop_map(
        |(
            steps,
            (kind, report, extend_times, chase_s),
            (quota, answer_by, from, in_person, parent, child),
        )| {
            let report = report && steps.iter().any(|s| s.mode.is_search());
            let plan = Plan { report, extend_times, chase_s, extend_s: 40_000, ..plan(kind, steps) };
            let mut r = request(plan);
            r.quota = quota;
            r.answer_by = at(answer_by);
            r.window = Window::new(at(from), at(from + 3_600)).unwrap();
            r.asked_in_person = in_person;
            r.parent = child.then(|| RequestId::named(&["parent"]));
            if parent {
                r.children = (0..CHILDREN).map(|n| (child_id(n), Child::Open)).collect();
            }
            r
        },
    )
}

pub fn child_id(n: usize) -> RequestId {
    RequestId::named(&["child", &n.to_string()])
}
