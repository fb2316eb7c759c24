//! When to try again: a ladder of waits with chance in it. What may be tried again, and what happens when
//! the ladder is spent, is decided by the runner.

use crate::ids::Chance;

/// Milliseconds to wait after the `tries`-th failed try; `None` when the ladder (in seconds) is spent.
///
/// The wait lies between half of the step and the whole step, evenly. Chance over the whole step would send
/// some of the retries after an outage at once, and a mail server that greylists (RFC 6647) would turn them
/// away again; no chance at all would send them together. A step is the longest wait, so that a promise such
/// as "again within a minute" holds.
///
/// Before the first try (`tries` is 0) there is nothing to wait for.
#[must_use]
pub fn next_try(ladder: &[u32], tries: u32, chance: &dyn Chance) -> Option<i64> {
    let Some(step) = tries.checked_sub(1) else { return Some(0) };
    let step_ms = u64::from(*ladder.get(usize::try_from(step).ok()?)?).saturating_mul(1_000);
    let least_ms = step_ms.div_ceil(2);
    i64::try_from(least_ms.saturating_add(chance.below(step_ms.saturating_sub(least_ms).saturating_add(1))))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;

    const URGENT: [u32; 6] = [5, 15, 30, 60, 120, 300];

    #[test]
    fn every_wait_lies_between_half_of_its_step_and_the_step() {
        let chance = SeededChance::new(11);
        for (tries, step) in (1..).zip(URGENT) {
            let step_ms = i64::from(step) * 1_000;
            let waits: Vec<i64> = (0..2_000).map(|_| next_try(&URGENT, tries, &chance).unwrap()).collect();
            let (least, most) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
            assert!(step_ms / 2 <= least && most <= step_ms, "{step}: {least}..{most}");
            // Both ends are reached, so that the retries of an outage spread over the whole range.
            assert!(least < step_ms * 52 / 100 && most > step_ms * 98 / 100, "{step}: {least}..{most}");
        }
    }

    #[test]
    fn a_spent_ladder_ends_the_trying() {
        let chance = SeededChance::new(1);
        assert!(next_try(&URGENT, 6, &chance).is_some());
        assert_eq!(next_try(&URGENT, 7, &chance), None);
        assert_eq!(next_try(&URGENT, u32::MAX, &chance), None);
        assert_eq!(next_try(&[], 1, &chance), None);
    }

    #[test]
    fn the_first_try_does_not_wait() {
        assert_eq!(next_try(&URGENT, 0, &SeededChance::new(1)), Some(0));
        assert_eq!(next_try(&[], 0, &SeededChance::new(1)), Some(0));
    }
}
