//! Exact fractions of yen and units: hours held in part, rises of a half, thirds of a slot. Never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::event::coded;
use crate::money::Yen;

coded! {
    /// How a fraction of a yen, or of a unit, becomes whole.
    Rounding {
        /// 切捨て
        Floor = "floor",
        /// 四捨五入
        HalfUp = "half_up",
        /// 切上げ
        Up = "up",
    }
}

/// A fraction that is not negative, in lowest terms. Written `3`, `1.5` or `4/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fraction {
    over: i64,
    under: i64,
}

/// The text is not a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number that is not negative, such as 3, 1.5 or 4/3")]
pub struct NotAFraction;

const fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self { over: 0, under: 1 };
    /// One whole.
    pub const ONE: Self = Self { over: 1, under: 1 };

    /// `over / under`; `None` where it is negative or has no bottom.
    #[must_use]
    pub const fn new(over: i64, under: i64) -> Option<Self> {
        if over < 0 || under <= 0 {
            return None;
        }
        let by = gcd(over, under);
        Some(Self { over: over / by, under: under / by })
    }

    /// So many wholes.
    #[must_use]
    pub fn whole(n: u32) -> Self {
        Self { over: i64::from(n), under: 1 }
    }

    /// Whether its parts are thousandths at the finest, so that products of a few stay exact.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.under <= 1_000
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.over == 0
    }

    /// The product; `None` on overflow, which is an error in the data.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        // Across first, so that products stay small.
        let (a, b) = (gcd(self.over, other.under).max(1), gcd(other.over, self.under).max(1));
        let over = (self.over / a).checked_mul(other.over / b)?;
        let under = (self.under / b).checked_mul(other.under / a)?;
        Self::new(over, under)
    }

    /// The sum; `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let by = gcd(self.under, other.under).max(1);
        let left = self.over.checked_mul(other.under / by)?;
        let right = other.over.checked_mul(self.under / by)?;
        Self::new(left.checked_add(right)?, (self.under / by).checked_mul(other.under)?)
    }

    /// The whole number it becomes.
    #[must_use]
    pub fn rounded(self, rounding: Rounding) -> i64 {
        i64::try_from(round(i128::from(self.over), i128::from(self.under), rounding)).unwrap_or(i64::MAX)
    }

    /// So many of `rate`, rounded once, here; `None` on overflow.
    #[must_use]
    pub fn of(self, rate: Yen, rounding: Rounding) -> Option<Yen> {
        let product = i128::from(rate.0).checked_mul(i128::from(self.over))?;
        i64::try_from(round(product, i128::from(self.under), rounding)).ok().map(Yen)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (i128::from(self.over) * i128::from(other.under))
            .cmp(&(i128::from(other.over) * i128::from(self.under)))
    }
}

const fn round(over: i128, under: i128, rounding: Rounding) -> i128 {
    match rounding {
        Rounding::Floor => over.div_euclid(under),
        Rounding::HalfUp => (over * 2 + under).div_euclid(under * 2),
        Rounding::Up => (over + under - 1).div_euclid(under),
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.under == 1 { write!(f, "{}", self.over) } else { write!(f, "{}/{}", self.over, self.under) }
    }
}

impl FromStr for Fraction {
    type Err = NotAFraction;

    fn from_str(text: &str) -> Result<Self, NotAFraction> {
        const DIGITS_MAX: usize = 12;
        let digits = |text: &str| {
            let plain = !text.is_empty() && text.len() <= DIGITS_MAX;
            let plain = plain && text.bytes().all(|b| b.is_ascii_digit());
            if plain { text.parse::<i64>().map_err(|_| NotAFraction) } else { Err(NotAFraction) }
        };
        if let Some((over, under)) = text.split_once('/') {
            return Self::new(digits(over)?, digits(under)?).ok_or(NotAFraction);
        }
        let Some((whole, part)) = text.split_once('.') else {
            return Self::new(digits(text)?, 1).ok_or(NotAFraction);
        };
        let mut under = 1i64;
        for _ in 0..part.len().min(DIGITS_MAX) {
            under *= 10;
        }
        let whole = digits(whole)?.checked_mul(under).ok_or(NotAFraction)?;
        Self::new(whole.checked_add(digits(part)?).ok_or(NotAFraction)?, under).ok_or(NotAFraction)
    }
}

impl TryFrom<String> for Fraction {
    type Error = NotAFraction;

    fn try_from(text: String) -> Result<Self, NotAFraction> {
        text.parse()
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> Self {
        fraction.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_are_read_exactly_and_rounded_once() {
        for (text, shown) in [("3", "3"), ("1.5", "3/2"), ("4/3", "4/3"), ("0.10", "1/10"), ("0", "0")] {
            assert_eq!(text.parse::<Fraction>().unwrap().to_string(), shown);
        }
        for wrong in ["", "-1", "1.", ".5", "1/0", "1e3", "1,5", "½", "9999999999999"] {
            assert_eq!(wrong.parse::<Fraction>(), Err(NotAFraction), "{wrong}");
        }
        let third: Fraction = "1/3".parse().unwrap();
        for (rounding, yen) in [(Rounding::Floor, 333), (Rounding::HalfUp, 333), (Rounding::Up, 334)] {
            assert_eq!(third.of(Yen(1_000), rounding), Some(Yen(yen)));
        }
        assert_eq!("1/2".parse::<Fraction>().unwrap().of(Yen(1_001), Rounding::HalfUp), Some(Yen(501)));
    }

    proptest! {
        #[test]
        fn parts_of_a_whole_add_up_and_never_pay_more_than_the_whole(cuts in prop::collection::vec(1i64..86_400_000, 1..6), yen in 0i64..100_000) {
            let whole: i64 = cuts.iter().sum();
            let parts: Vec<Fraction> = cuts.iter().map(|c| Fraction::new(*c, whole).unwrap()).collect();
            let sum = parts.iter().try_fold(Fraction::ZERO, |sum, part| sum.plus(*part));
            prop_assert_eq!(sum, Some(Fraction::ONE));
            let paid: i64 = parts.iter().map(|p| p.of(Yen(yen), Rounding::Floor).unwrap().0).sum();
            prop_assert!(paid <= yen && yen - paid < i64::try_from(parts.len()).unwrap());
        }
    }
}
