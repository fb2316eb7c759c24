//! One-time codes of an authenticator app: TOTP (RFC 6238) with HMAC-SHA-1, steps of 30 seconds, six digits,
//! which is what every app understands. That a code counts once is kept by `store`.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::ids::Chance;
use crate::time::Millis;

use super::primitives::same;

/// Seconds of one step (RFC 6238 §4.1).
pub const STEP_S: i64 = 30;
/// Steps before and after the present one whose code is taken too: clocks differ (§5.2).
const AROUND: i64 = 1;
const SECRET_BYTES: usize = 20;
const DIGITS: usize = 6;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an authenticator app shares with us. Prints as `***`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(***)")
    }
}

impl TotpSecret {
    /// 160 random bits (RFC 4226 §4, R6).
    #[must_use]
    pub fn new(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new(vec![0u8; SECRET_BYTES]);
        chance.fill(&mut bytes);
        Self(bytes)
    }

    /// The secret in letters, as it is typed into an app: base 32 without padding (RFC 4648 §6).
    #[must_use]
    pub fn letters(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        for chunk in self.0.chunks(5) {
            let mut value = 0u64;
            for byte in chunk {
                value = value << 8 | u64::from(*byte);
            }
            value <<= 8 * (5 - chunk.len());
            for place in 0..(chunk.len() * 8).div_ceil(5) {
                let digit = usize::try_from(value >> (35 - 5 * place) & 31).unwrap_or(0);
                out.push(char::from(BASE32.get(digit).copied().unwrap_or(b'A')));
            }
        }
        out
    }

    /// Reads [`TotpSecret::letters`]. `None`: it is not such a text.
    #[must_use]
    pub fn from_letters(letters: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
        let (mut value, mut bits) = (0u32, 0u32);
        for letter in letters.bytes() {
            let digit = BASE32.iter().position(|b| *b == letter)?;
            value = value << 5 | u32::try_from(digit).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from(value >> bits & 0xFF).ok()?);
                value &= (1 << bits) - 1;
            }
        }
        (bytes.len() >= 16).then_some(Self(bytes))
    }

    /// The code of a step, with leading zeros.
    #[must_use]
    pub fn code(&self, step: i64) -> String {
        let code = truncated(&self.0, step.max(0).unsigned_abs()) % 1_000_000;
        format!("{code:06}")
    }

    /// The step whose code was typed: the present one or one beside it, and later than `used`. `None`: the
    /// code is none of these.
    #[must_use]
    pub fn step_of(&self, typed: &str, now: Millis, used: i64) -> Option<i64> {
        if typed.len() > 64 {
            return None;
        }
        let typed: String = typed.nfkc().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let present = step_at(now);
        let mut found = None;
        for step in present - AROUND..=present + AROUND {
            // Every step is looked at, so that the time taken says nothing.
            if typed.len() == DIGITS && same(self.code(step).as_bytes(), typed.as_bytes()) && step > used {
                found = Some(step);
            }
        }
        found
    }
}

/// The step of an instant.
#[must_use]
pub const fn step_at(now: Millis) -> i64 {
    now.0.div_euclid(STEP_S * 1_000)
}

/// HOTP's dynamic truncation (RFC 4226 §5.3).
fn truncated(secret: &[u8], counter: u64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of every length");
    mac.update(&counter.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let offset = usize::from(hash.last().copied().unwrap_or(0) & 0xF);
    let four: [u8; 4] = hash.get(offset..offset + 4).and_then(|b| b.try_into().ok()).unwrap_or_default();
    u32::from_be_bytes(four) & 0x7FFF_FFFF
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::SeededChance;

    fn rfc() -> TotpSecret {
        TotpSecret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1: the last six of the eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().code(step_at(Millis(seconds * 1_000))), code, "{seconds}");
        }
        // RFC 4226, appendix D.
        assert_eq!((0..3).map(|n| rfc().code(n)).collect::<Vec<_>>(), ["755224", "287082", "359152"]);
    }

    #[test]
    fn the_letters_are_those_of_base_32() {
        assert_eq!(*rfc().letters(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(TotpSecret::from_letters("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), Some(rfc()));
        for wrong in ["", "GEZD", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"] {
            assert_eq!(TotpSecret::from_letters(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_codes_of_the_step_before_and_after_are_taken_and_used_ones_are_not() {
        let now = Millis(1_790_000_000_000);
        let present = step_at(now);
        for (step, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = rfc().code(present + step);
            assert_eq!(rfc().step_of(&code, now, 0), taken.then_some(present + step), "{step}");
        }
        let code = rfc().code(present);
        assert_eq!(rfc().step_of(&code, now, present), None);
        assert_eq!(rfc().step_of(&code, now, present + 1), None);
        assert_eq!(rfc().step_of(&code, now, present - 1), Some(present));
        let wide: String = code.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
        assert_eq!(rfc().step_of(&format!(" {wide} "), now, 0), Some(present));
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(rfc().step_of(wrong, now, 0), None, "{wrong}");
        }
        assert_eq!(format!("{:?}", rfc()), "TotpSecret(***)");
    }

    proptest! {
        #[test]
        fn a_secret_reads_back_from_its_letters(seed: u64) {
            let secret = TotpSecret::new(&SeededChance::new(seed));
            prop_assert_eq!(secret.letters().len(), 32);
            prop_assert_eq!(TotpSecret::from_letters(&secret.letters()), Some(secret));
        }

        #[test]
        fn no_typed_text_breaks_the_reading_of_codes(typed: String) {
            let _ = rfc().step_of(&typed, Millis(0), 0);
        }
    }
}
