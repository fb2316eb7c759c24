//! Drawing lots (抽選) for the year-end, so that anybody can draw again with the recorded seed and see the
//! same.
//!
//! The people are sorted by id and shuffled by Fisher and Yates from the last place to the first; numbers
//! come from SplitMix64 (Steele, Lea and Flood, 2014) started with the seed, and a number that would favour
//! some places is drawn again. Whoever held a year-end slot last year comes after all who did not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::MemberId;

/// A drawn order, with what it takes to draw it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The seed, as recorded.
    pub seed: u64,
    /// Who had the year-end last year.
    pub last_year: BTreeSet<MemberId>,
    /// Who is asked first, second, …
    pub order: Vec<MemberId>,
}

/// Draws an order of people. The order in which they are given, and giving somebody twice, changes nothing.
#[must_use]
pub fn draw(people: impl IntoIterator<Item = MemberId>, last_year: &BTreeSet<MemberId>, seed: u64) -> Draw {
    let people: BTreeSet<MemberId> = people.into_iter().collect();
    let mut order: Vec<MemberId> = people.into_iter().collect();
    let mut numbers = SplitMix64(seed);
    for last in (1..order.len()).rev() {
        let places = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        order.swap(last, usize::try_from(numbers.below(places)).unwrap_or_default());
    }
    order.sort_by_key(|person| last_year.contains(person));
    Draw { seed, last_year: last_year.clone(), order }
}

/// SplitMix64: small, well known, the same everywhere. For lots, never for secrets.
struct SplitMix64(u64);

impl SplitMix64 {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, each equally likely; 0 for a bound of 0.
    const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // The numbers from here on would make the lowest remainders likelier.
        let unfair = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.next();
            if number < unfair {
                return number % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The first three outputs for the seed 1234567, as other implementations print them.
        let mut numbers = SplitMix64(1_234_567);
        assert_eq!(numbers.next(), 6_457_827_717_110_365_317);
        assert_eq!(numbers.next(), 3_203_168_211_198_807_973);
        assert_eq!(numbers.next(), 9_817_491_932_198_370_423);
    }
}
