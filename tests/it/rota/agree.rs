//! One question, many ways to ask it: every way must name the same people at every instant. A new way (a feed, a
//! sheet) is one more [`Way`].

use std::collections::BTreeSet;

use touban::domain::rota::{RotaRole, Segment};
use touban::ids::MemberId;
use touban::time::{Millis, Window};

/// Who is on in a role at an instant, as one way of asking says it.
pub struct Way<'a> {
    pub name: &'a str,
    pub who: Box<dyn Fn(RotaRole, Millis) -> BTreeSet<MemberId> + 'a>,
}

impl<'a> Way<'a> {
    pub fn new(name: &'a str, who: impl Fn(RotaRole, Millis) -> BTreeSet<MemberId> + 'a) -> Self {
        Self { name, who: Box::new(who) }
    }

    /// From stretches: who stands in the one that contains the instant.
    pub fn of_stretches(name: &'a str, stretches: Vec<(RotaRole, Window, BTreeSet<MemberId>)>) -> Self {
        Self::new(name, move |role, at| {
            let there = |(r, window, _): &&(RotaRole, Window, _)| *r == role && window.contains(at);
            stretches.iter().filter(there).flat_map(|(_, _, people)| people.clone()).collect()
        })
    }
}

/// The people of an expansion, as stretches.
pub fn stretches(role: RotaRole, segments: &[Segment]) -> Vec<(RotaRole, Window, BTreeSet<MemberId>)> {
    let people = |s: &Segment| s.people.iter().map(|h| h.person.clone()).collect();
    segments.iter().map(|segment| (role, segment.window, people(segment))).collect()
}

/// So many instants of a window, the same for the same seed; one in four is a full hour, where hand-overs are.
pub fn instants(window: Window, count: u64, seed: u64) -> Vec<Millis> {
    let length = u64::try_from(window.to.since_ms(window.from)).unwrap();
    let mut state = seed;
    (0..count)
        .map(|n| {
            // Knuth's MMIX numbers; the upper half is good enough to point somewhere.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 16) % length;
            let at = if n % 4 == 0 { at / 3_600_000 * 3_600_000 } else { at };
            window.from.plus_ms(i64::try_from(at).unwrap())
        })
        .collect()
}

/// Every way names the same people as the first, at every instant, in primary and deputy.
#[track_caller]
pub fn all_agree(ways: &[Way<'_>], instants: &[Millis]) {
    let (first, rest) = ways.split_first().unwrap();
    for at in instants {
        for role in [RotaRole::Primary, RotaRole::Deputy] {
            let said = (first.who)(role, *at);
            for way in rest {
                assert_eq!((way.who)(role, *at), said, "{} and {} at {at} in {role:?}", way.name, first.name);
            }
        }
    }
}
