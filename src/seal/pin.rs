//! Four-digit PINs: reading what was typed, hashing for storage, checking. How often one may try lives in
//! `domain` and `app`; the thread pool and the semaphore around this slow work live with the callers.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::ids::{AssociationId, Chance, MemberId};

use super::primitives::{Fields, mac, same};
use super::{MasterKey, Seal, SealError};

const DIGITS: usize = 4;
/// Longest thing read as a PIN, in bytes; four digits of any width with spaces around are shorter.
const TYPED_MAX_BYTES: usize = 32;

/// OWASP ASVS 5.0, appendix C: Argon2id with m = 46 MiB, t = 1, p = 1.
const COST: Cost = Cost { memory_kib: 47_104, passes: 1, lanes: 1 };
/// What a stored hash may ask for at most, so that no row can exhaust the machine.
const COST_MAX: Cost = Cost { memory_kib: 262_144, passes: 4, lanes: 4 };
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A four-digit PIN (暗証番号). Prints as `***`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Zeroizing<[u8; DIGITS]>);

/// What was typed is not exactly four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is exactly four digits")]
pub struct NotAPin;

impl Pin {
    /// Reads a PIN as typed: exactly four digits, full-width ones too (NFKC), spaces around it ignored.
    ///
    /// # Errors
    /// [`NotAPin`] for anything else.
    pub fn parse(typed: &str) -> Result<Self, NotAPin> {
        if typed.len() > TYPED_MAX_BYTES {
            return Err(NotAPin);
        }
        let mut digits = Zeroizing::new([0u8; DIGITS]);
        let mut typed = typed.trim().nfkc();
        for digit in digits.iter_mut() {
            *digit = typed
                .next()
                .filter(char::is_ascii_digit)
                .and_then(|c| u8::try_from(c).ok())
                .ok_or(NotAPin)?;
        }
        if typed.next().is_some() { Err(NotAPin) } else { Ok(Self(digits)) }
    }

    /// A random PIN, for the paper that the office hands out: each of the 10,000 equally likely.
    #[must_use]
    pub fn random(chance: &dyn Chance) -> Self {
        let mut digits = Zeroizing::new([0u8; DIGITS]);
        for digit in digits.iter_mut() {
            *digit = b'0' + random_digit(chance);
        }
        Self(digits)
    }

    /// As [`Pin::random`], but none of those that are guessed first: see [`Pin::is_trivial`].
    #[must_use]
    pub fn for_paper(chance: &dyn Chance) -> Self {
        let draw = || Self::random(chance);
        std::iter::repeat_with(draw).take(64).find(|pin| !pin.is_trivial()).unwrap_or_else(draw)
    }

    /// Guessed first: a repeated digit or pair, neighbours in a row, a year of birth or a birthday (month and
    /// day, or day and month).
    #[must_use]
    pub fn is_trivial(&self) -> bool {
        let [a, b, c, d] = self.0.map(|digit| i16::from(digit) - i16::from(b'0'));
        let step = |by: i16| [(a, b), (b, c), (c, d)].iter().all(|(x, y)| (x + by).rem_euclid(10) == *y);
        let date = |month: i16, day: i16| (1..=12).contains(&month) && (1..=31).contains(&day);
        let (first, last) = (a * 10 + b, c * 10 + d);
        let pairs = (a, b) == (c, d) || (a == b && c == d) || (a, b) == (d, c);
        let year = first == 19 || first == 20;
        [-1, 0, 1].into_iter().any(step) || pairs || year || date(first, last) || date(last, first)
    }

    /// The four digits, for that paper.
    #[must_use]
    pub fn digits(&self) -> &str {
        std::str::from_utf8(self.0.as_ref()).unwrap_or_default()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(***)")
    }
}

/// Uniform in 0..10: bytes from 250 on are drawn again (at most 64 times, which no generator outlasts).
fn random_digit(chance: &dyn Chance) -> u8 {
    let draw = || {
        let mut byte = [0u8; 1];
        chance.fill(&mut byte);
        u8::from_le_bytes(byte)
    };
    std::iter::repeat_with(draw).take(64).find(|byte| *byte < 250).unwrap_or_default() % 10
}

impl Seal {
    /// The PIN's hash for storage, a PHC string. Slow and hungry on purpose (about 50 ms and 46 MiB): call
    /// it on a thread that may block, behind a semaphore.
    ///
    /// Four digits fall to ten thousand tries, so the stored hash is worth nothing to whoever has the
    /// database alone: the PIN goes through HMAC with the key file first. Association and member are in
    /// it too, so a hash copied to another member's row matches nothing there.
    ///
    /// # Errors
    /// [`SealError::PinHash`] when the memory cannot be had.
    pub fn pin_hash(
        &self,
        association: &AssociationId,
        member: &MemberId,
        pin: &Pin,
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        self.slow_store(&|key| peppered(key, association, member, pin), chance)
    }

    /// A slow hash of what `peppered` makes of a secret under the current key.
    pub(super) fn slow_store(
        &self,
        peppered: &dyn Fn(&MasterKey) -> Zeroizing<[u8; 32]>,
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        let mut salt = [0u8; SALT_BYTES];
        chance.fill(&mut salt);
        let key = &self.0.current;
        let hash = slow_hash(COST, &salt, &peppered(key))
            .map_err(|e| SealError::PinHash { reason: e.to_string() })?;
        Ok(Stored { cost: COST, key_id: key.id.clone(), salt: salt.to_vec(), hash: hash.to_vec() }.phc())
    }

    /// Whether the PIN is that of the stored hash. As slow as [`Seal::pin_hash`], also when the stored
    /// text is empty, malformed or made under a key that is gone: then it works as long and says no, so
    /// that a member without a PIN cannot be told from a wrong PIN by the clock.
    #[must_use]
    pub fn pin_matches(
        &self,
        association: &AssociationId,
        member: &MemberId,
        pin: &Pin,
        stored: &str,
    ) -> bool {
        self.slow_matches(&|key| peppered(key, association, member, pin), stored)
    }

    /// Whether the slow hash of what `peppered` makes of a secret is the stored one; as slow for every text.
    pub(super) fn slow_matches(
        &self,
        peppered: &dyn Fn(&MasterKey) -> Zeroizing<[u8; 32]>,
        stored: &str,
    ) -> bool {
        let found = Stored::read(stored).and_then(|s| self.key(&s.key_id).map(|key| (s, key)));
        let (stored, key, known) = match found {
            Some((stored, key)) => (stored, key, true),
            None => (Stored::dummy(), &self.0.current, false),
        };
        let hash = slow_hash(stored.cost, &stored.salt, &peppered(key));
        hash.is_ok_and(|hash| same(hash.as_ref(), &stored.hash)) && known
    }

    /// Whether the stored hash was made with today's key and cost. If not, hash the PIN again the next
    /// time it is typed rightly; after a rotation that is how PINs move to the new key.
    #[must_use]
    pub fn pin_is_current(&self, stored: &str) -> bool {
        Stored::read(stored).is_some_and(|s| s.key_id == self.key_id() && s.cost == COST)
    }
}

fn peppered(
    key: &MasterKey,
    association: &AssociationId,
    member: &MemberId,
    pin: &Pin,
) -> Zeroizing<[u8; 32]> {
    let text = Zeroizing::new(
        Fields::default()
            .field(association.as_str().as_bytes())
            .field(member.as_str().as_bytes())
            .field(pin.0.as_ref())
            .bytes(),
    );
    Zeroizing::new(mac(key.pin.as_ref(), &[&text]))
}

fn slow_hash(cost: Cost, salt: &[u8], secret: &[u8; 32]) -> argon2::Result<Zeroizing<[u8; HASH_BYTES]>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_BYTES))?;
    let mut out = Zeroizing::new([0u8; HASH_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        secret,
        salt,
        out.as_mut(),
    )?;
    Ok(out)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A PHC string: `$argon2id$v=19$m=47104,t=1,p=1,keyid=<base64 of the master key's id>$salt$hash`.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    cost: Cost,
    key_id: String,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn dummy() -> Self {
        let (salt, hash) = (vec![0; SALT_BYTES], vec![0; HASH_BYTES]);
        Self { cost: COST, key_id: String::new(), salt, hash }
    }

    fn phc(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes},keyid={}${}${}",
            STANDARD_NO_PAD.encode(&self.key_id),
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.hash),
        )
    }

    fn read(phc: &str) -> Option<Self> {
        let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut params = parts.next()?.split(',');
        let mut param = |name: &str| params.next()?.strip_prefix(name)?.strip_prefix('=');
        let cost = Cost {
            memory_kib: param("m")?.parse().ok()?,
            passes: param("t")?.parse().ok()?,
            lanes: param("p")?.parse().ok()?,
        };
        let key_id = String::from_utf8(STANDARD_NO_PAD.decode(param("keyid")?).ok()?).ok()?;
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let sound = params.next().is_none()
            && parts.next().is_none()
            && salt.len() == SALT_BYTES
            && hash.len() == HASH_BYTES
            && cost.memory_kib <= COST_MAX.memory_kib
            && (1..=COST_MAX.passes).contains(&cost.passes)
            && (1..=COST_MAX.lanes).contains(&cost.lanes)
            && cost.memory_kib >= 8 * cost.lanes;
        sound.then_some(Self { cost, key_id, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::primitives::hex;
    use super::*;
    use crate::ids::SeededChance;
    use crate::seal::keyfile::tests::ring;
    use crate::time::Millis;

    fn people() -> (AssociationId, MemberId, MemberId) {
        let (now, chance) = (Millis(1_790_000_000_000), SeededChance::new(1));
        (AssociationId::new(now, &chance), MemberId::new(now, &chance), MemberId::new(now, &chance))
    }

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    #[test]
    fn a_pin_opens_for_its_member_and_no_other_pin_does() {
        let seal = ring("current k1", &["k1"]);
        let (asc, member, other) = people();
        let stored = seal.pin_hash(&asc, &member, &pin("0427"), &SeededChance::new(2)).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1,keyid=azE$"), "{stored}");
        assert!(seal.pin_matches(&asc, &member, &pin("０４２７"), &stored));
        assert!(!seal.pin_matches(&asc, &member, &pin("0428"), &stored));
        assert!(!seal.pin_matches(&asc, &other, &pin("0427"), &stored));
        let again = seal.pin_hash(&asc, &member, &pin("0427"), &SeededChance::new(3)).unwrap();
        assert_ne!(again, stored);
    }

    #[test]
    fn a_pin_survives_the_rotation_of_the_key_and_asks_to_be_hashed_again() {
        let (asc, member, _) = people();
        let before = ring("current k1", &["k1"]);
        let stored = before.pin_hash(&asc, &member, &pin("0427"), &SeededChance::new(2)).unwrap();
        assert!(before.pin_is_current(&stored));
        let after = ring("current k2", &["k1", "k2"]);
        assert!(after.pin_matches(&asc, &member, &pin("0427"), &stored));
        assert!(!after.pin_is_current(&stored));
        let gone = ring("current k2", &["k2"]);
        assert!(!gone.pin_matches(&asc, &member, &pin("0427"), &stored));
        let stolen = Seal::in_memory(&SeededChance::new(8));
        assert!(!stolen.pin_matches(&asc, &member, &pin("0427"), &stored));
    }

    #[test]
    fn a_member_without_a_pin_is_refused_whatever_is_typed() {
        let seal = ring("current k1", &["k1"]);
        let (asc, member, _) = people();
        for stored in ["", "!", "$argon2id$v=19$m=47104,t=1,p=1$AAAA$AAAA", "$2b$12$abcdefghijk"] {
            assert!(!seal.pin_matches(&asc, &member, &pin("0000"), stored));
            assert!(!seal.pin_is_current(stored));
        }
    }

    #[test]
    fn a_stored_hash_cannot_ask_for_the_whole_machine() {
        let with = |params: &str| {
            let (salt, hash) = (STANDARD_NO_PAD.encode([1; 16]), STANDARD_NO_PAD.encode([2; 32]));
            Stored::read(&format!("$argon2id$v=19${params},keyid=azE${salt}${hash}"))
        };
        assert!(with("m=47104,t=1,p=1").is_some());
        assert!(with("m=262144,t=4,p=4").is_some());
        for params in [
            "m=4194304,t=1,p=1",
            "m=47104,t=100,p=1",
            "m=47104,t=1,p=64",
            "m=7,t=1,p=1",
            "m=47104,t=0,p=1",
            "m=47104,t=1,p=0",
            "m=x,t=1,p=1",
            "t=1,m=47104,p=1",
        ] {
            assert_eq!(with(params), None, "{params}");
        }
    }

    #[test]
    fn the_slow_hash_gives_the_answer_of_the_reference_implementation() {
        // phc-winner-argon2, src/test.c: argon2id, t = 2, m = 256, p = 1, "password", "somesalt".
        let params = Params::new(256, 2, 1, Some(32)).unwrap();
        let mut out = [0u8; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"password", b"somesalt", &mut out)
            .unwrap();
        assert_eq!(hex(&out), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
    }

    #[test]
    fn only_four_digits_are_a_pin() {
        for typed in ["0000", "９９９９", " 1234 ", "12３４", "\u{3000}1234\n"] {
            assert!(Pin::parse(typed).is_ok(), "{typed}");
        }
        for typed in ["", "123", "12345", "12 34", "abcd", "一二三四", "١٢٣٤", "-123", "1234a", "⒈⒉⒊⒋"]
        {
            assert_eq!(Pin::parse(typed), Err(NotAPin), "{typed}");
        }
        assert_eq!(format!("{:?}", pin("1234")), "Pin(***)");
        assert_eq!(pin("０４２７").digits(), "0427");
    }

    #[test]
    fn pins_that_are_guessed_first_never_stand_on_paper() {
        for typed in [
            "0000", "7777", "1234", "4321", "7890", "0987", "1212", "1122", "1221", "1985", "2024", "0704",
            "3112",
        ] {
            assert!(pin(typed).is_trivial(), "{typed}");
        }
        for typed in ["4826", "7093", "5826", "9035", "3390", "8174"] {
            assert!(!pin(typed).is_trivial(), "{typed}");
        }
        let chance = SeededChance::new(5);
        let mut different = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let pin = Pin::for_paper(&chance);
            assert!(!pin.is_trivial(), "{}", pin.digits());
            different.insert(pin.digits().to_owned());
        }
        assert!(different.len() > 1_500, "{}", different.len());
        let all = (0..10_000).filter(|n| pin(&format!("{n:04}")).is_trivial()).count();
        assert!(all < 1_200, "{all} of 10,000 are left out");
    }

    #[test]
    fn pins_on_paper_are_evenly_spread() {
        let chance = SeededChance::new(4);
        let mut seen = [0u32; 10];
        for _ in 0..5_000 {
            for digit in Pin::random(&chance).digits().bytes() {
                seen[usize::from(digit - b'0')] += 1;
            }
        }
        assert!(seen.iter().all(|n| (1_800..2_200).contains(n)), "{seen:?}");
    }

    proptest! {
        #[test]
        fn no_typed_text_breaks_the_reading_of_pins(typed: String) {
            if let Ok(pin) = Pin::parse(&typed) {
                prop_assert_eq!(Pin::parse(pin.digits()), Ok(pin));
            }
        }

        #[test]
        fn a_stored_hash_reads_back(salt: [u8; 16], hash: [u8; 32], key_id in "[a-z0-9-]{1,8}") {
            let stored = Stored { cost: COST, key_id, salt: salt.to_vec(), hash: hash.to_vec() };
            prop_assert_eq!(Stored::read(&stored.phc()), Some(stored));
        }

        #[test]
        fn no_stored_text_breaks_the_reading_of_hashes(tail in "[$,=mtp0-9a-zA-Z]{0,60}") {
            let _ = Stored::read(&format!("$argon2id$v=19${tail}"));
        }
    }
}
