//! The envelope: a record key per sealed field, wrapped by the month key of its association, wrapped by a
//! master key. Which columns are sealed, and where wrapped month keys are kept, is `store`'s business.
//!
//! Destroying a wrapped month key destroys everything sealed under it, wherever no copy of it is left (see
//! `docs/crypto.md` for backups). Rotating the
//! master key rewraps month keys and touches no sealed field.

use std::fmt;

use zeroize::Zeroizing;

use crate::ids::{AssociationId, Chance};

use super::primitives::{Fields, KEY_BYTES, NONCE_BYTES, TAG_BYTES, bytes_of, gcm_open, gcm_seal, text_of};
use super::{MasterKey, Seal, SealError, keyfile};

/// First byte of every sealed value.
const FORMAT: u8 = 1;
/// Second byte: AES-256-GCM with a 96-bit random nonce and a 128-bit tag.
const ALGORITHM: u8 = 1;
/// The same algorithm in the text of a wrapped month key (the name of RFC 7518 §5.1).
const ALGORITHM_NAME: &str = "A256GCM";
const MONTH_BYTES: usize = 7;
const WRAPPED_KEY_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// The key of one association and one month (`2026-11`): wraps the record keys. Prints as `***`.
#[derive(Clone)]
pub struct MonthKey {
    association: AssociationId,
    month: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl MonthKey {
    /// The association it belongs to.
    #[must_use]
    pub fn association(&self) -> &AssociationId {
        &self.association
    }

    /// The month it belongs to, `2026-11`.
    #[must_use]
    pub fn month(&self) -> &str {
        &self.month
    }
}

impl fmt::Debug for MonthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MonthKey({:?} {} ***)", self.association, self.month)
    }
}

/// Where a sealed value stands. It is bound into the seal: moved to another row, column, table or
/// association, the value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The association whose row it is.
    pub association: &'a AssociationId,
    /// The table's name.
    pub table: &'a str,
    /// The column's name.
    pub column: &'a str,
    /// The row's id.
    pub row: &'a str,
}

impl Seal {
    /// A fresh month key, wrapped by the current master key: `1.A256GCM.<master key id>.<base64url>`.
    /// What is stored; [`Seal::open_month_key`] reads it.
    ///
    /// # Errors
    /// [`SealError::NotAMonth`].
    pub fn new_month_key(
        &self,
        association: &AssociationId,
        month: &str,
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        check_month(month)?;
        let mut bytes = Zeroizing::new([0u8; KEY_BYTES]);
        chance.fill(bytes.as_mut());
        Ok(wrap(&self.0.current, association, month, &bytes, chance))
    }

    /// Unwraps a month key.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when none of this file's master keys opens it, [`SealError::Corrupt`] when
    /// it is not a wrapped key, [`SealError::NotAMonth`].
    pub fn open_month_key(
        &self,
        association: &AssociationId,
        month: &str,
        wrapped: &str,
    ) -> Result<MonthKey, SealError> {
        check_month(month)?;
        let corrupt = |what| SealError::Corrupt { what };
        let mut parts = wrapped.split('.');
        let (Some("1"), Some(ALGORITHM_NAME), Some(id), Some(text), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(corrupt("a wrapped month key of an unknown form"));
        };
        if !keyfile::is_key_id(id) {
            return Err(corrupt("a wrapped month key without a master key id"));
        }
        let sealed = bytes_of(text).ok_or(corrupt("a wrapped month key that is not base64url"))?;
        let wrong_key = || SealError::WrongKey { key_id: id.to_owned() };
        let master = self.key(id).ok_or_else(wrong_key)?;
        let plain = gcm_open(&master.wrap, &month_key_place(association, month, id), &sealed)
            .ok_or_else(wrong_key)?;
        let bytes = key_from(&plain).ok_or(corrupt("a month key that is not 32 bytes"))?;
        Ok(MonthKey { association: association.clone(), month: month.to_owned(), bytes })
    }

    /// The same month key wrapped by the current master key; `None` when it already is. For rotation:
    /// fields sealed under it stay as they are.
    ///
    /// # Errors
    /// As [`Seal::open_month_key`].
    pub fn rewrap_month_key(
        &self,
        association: &AssociationId,
        month: &str,
        wrapped: &str,
        chance: &dyn Chance,
    ) -> Result<Option<String>, SealError> {
        let key = self.open_month_key(association, month, wrapped)?;
        if wrapped.split('.').nth(2) == Some(self.key_id()) {
            return Ok(None);
        }
        Ok(Some(wrap(&self.0.current, association, month, &key.bytes, chance)))
    }

    /// Seals one field for one place.
    ///
    /// The result: format (1 byte), algorithm (1), month (7), wrapped record key (60), nonce (12),
    /// ciphertext (as long as the plain text), tag (16).
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when the key is not that of the place's association.
    pub fn seal(
        &self,
        key: &MonthKey,
        place: &Place<'_>,
        plain: &[u8],
        chance: &dyn Chance,
    ) -> Result<Vec<u8>, SealError> {
        if key.association != *place.association {
            return Err(SealError::OtherKey);
        }
        let mut record_key = Zeroizing::new([0u8; KEY_BYTES]);
        chance.fill(record_key.as_mut());
        let mut out = vec![FORMAT, ALGORITHM];
        out.extend_from_slice(key.month.as_bytes());
        out.extend(gcm_seal(
            &key.bytes,
            &bound("record key", place, &key.month),
            record_key.as_ref(),
            chance,
        ));
        out.extend(gcm_seal(&record_key, &bound("field", place, &key.month), plain, chance));
        Ok(out)
    }

    /// Opens what [`Seal::seal`] made for this place.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when another association's or month's key is needed (see [`sealed_month`]),
    /// [`SealError::Refused`] when it was changed or made for another place, [`SealError::Corrupt`] when
    /// it is cut off or of an unknown version.
    pub fn open(
        &self,
        key: &MonthKey,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = Parts::of(sealed)?;
        if key.association != *place.association || key.month != parts.month {
            return Err(SealError::OtherKey);
        }
        let record_key = gcm_open(&key.bytes, &bound("record key", place, parts.month), parts.wrapped)
            .and_then(|plain| key_from(&plain))
            .ok_or(SealError::Refused)?;
        gcm_open(&record_key, &bound("field", place, parts.month), parts.body).ok_or(SealError::Refused)
    }
}

/// Which month's key a sealed value needs. Read before opening; what it says is proven by the opening.
///
/// # Errors
/// [`SealError::Corrupt`] when the value is cut off or of an unknown version.
pub fn sealed_month(sealed: &[u8]) -> Result<&str, SealError> {
    Parts::of(sealed).map(|parts| parts.month)
}

struct Parts<'a> {
    month: &'a str,
    wrapped: &'a [u8],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, SealError> {
        let corrupt = |what| SealError::Corrupt { what };
        let cut_off = || corrupt("it is cut off");
        let (&[format, algorithm], rest) = sealed.split_first_chunk::<2>().ok_or_else(cut_off)?;
        if (format, algorithm) != (FORMAT, ALGORITHM) {
            return Err(corrupt("its version or algorithm is unknown"));
        }
        let (month, rest) = rest.split_first_chunk::<MONTH_BYTES>().ok_or_else(cut_off)?;
        let (wrapped, body) = rest.split_first_chunk::<WRAPPED_KEY_BYTES>().ok_or_else(cut_off)?;
        if body.len() < NONCE_BYTES + TAG_BYTES {
            return Err(cut_off());
        }
        let month = std::str::from_utf8(month).map_err(|_| corrupt("its month is not a month"))?;
        check_month(month).map_err(|_| corrupt("its month is not a month"))?;
        Ok(Self { month, wrapped, body })
    }
}

fn wrap(
    master: &MasterKey,
    association: &AssociationId,
    month: &str,
    bytes: &[u8; KEY_BYTES],
    chance: &dyn Chance,
) -> String {
    let sealed = gcm_seal(&master.wrap, &month_key_place(association, month, &master.id), bytes, chance);
    format!("1.{ALGORITHM_NAME}.{}.{}", master.id, text_of(&sealed))
}

/// Associated data of a wrapped month key.
fn month_key_place(association: &AssociationId, month: &str, master_id: &str) -> Vec<u8> {
    Fields::new("touban seal v1 month key")
        .field(ALGORITHM_NAME.as_bytes())
        .field(association.as_str().as_bytes())
        .field(month.as_bytes())
        .field(master_id.as_bytes())
        .bytes()
}

/// Associated data of a record key and of a field. Association and month name the key above.
fn bound(what: &str, place: &Place<'_>, month: &str) -> Vec<u8> {
    Fields::new("touban seal v1")
        .field(what.as_bytes())
        .field(&[FORMAT, ALGORITHM])
        .field(place.association.as_str().as_bytes())
        .field(place.table.as_bytes())
        .field(place.column.as_bytes())
        .field(place.row.as_bytes())
        .field(month.as_bytes())
        .bytes()
}

fn key_from(plain: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    <[u8; KEY_BYTES]>::try_from(plain).ok().map(Zeroizing::new)
}

/// Stands in the place of a month for what is no case's: the numbers of people and institutions are kept
/// as long as they belong to the association, however old.
pub const LASTING: &str = "lasting";

fn check_month(month: &str) -> Result<(), SealError> {
    if month == LASTING {
        return Ok(());
    }
    let well_formed = match month.as_bytes() {
        // A key of one case's own: what a legal hold keeps when its month goes. And of one night card's own.
        [b'h' | b'c', number @ ..] if number.len() == 6 => number.iter().all(u8::is_ascii_digit),
        [a, b, c, d, b'-', e, f] => {
            [a, b, c, d].iter().all(|digit| digit.is_ascii_digit())
                && matches!((e, f), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        }
        _ => false,
    };
    if well_formed { Ok(()) } else { Err(SealError::NotAMonth) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::SeededChance;
    use crate::seal::keyfile::tests::ring;
    use crate::time::Millis;

    fn association(seed: u64) -> AssociationId {
        AssociationId::new(Millis(1_790_000_000_000), &SeededChance::new(seed))
    }

    fn month_key(seal: &Seal, association: &AssociationId, month: &str, seed: u64) -> MonthKey {
        let wrapped = seal.new_month_key(association, month, &SeededChance::new(seed)).unwrap();
        seal.open_month_key(association, month, &wrapped).unwrap()
    }

    fn place<'a>(association: &'a AssociationId, row: &'a str) -> Place<'a> {
        Place { association, table: "requests", column: "question", row }
    }

    #[test]
    fn a_month_key_opens_for_its_association_and_month_only() {
        let seal = ring("current k1", &["k1"]);
        let (ours, theirs) = (association(1), association(2));
        let wrapped = seal.new_month_key(&ours, "2026-11", &SeededChance::new(5)).unwrap();
        assert!(wrapped.starts_with("1.A256GCM.k1."), "{wrapped}");
        assert!(seal.open_month_key(&ours, "2026-11", &wrapped).is_ok());
        for refused in [
            seal.open_month_key(&theirs, "2026-11", &wrapped),
            seal.open_month_key(&ours, "2026-12", &wrapped),
        ] {
            assert!(matches!(refused, Err(SealError::WrongKey { .. })));
        }
    }

    #[test]
    fn the_wrong_key_file_is_told_by_the_id_of_the_key_that_is_missing() {
        let wrapped = ring("current k1", &["k1"])
            .new_month_key(&association(1), "2026-11", &SeededChance::new(5))
            .unwrap();
        let other_id = ring("current k2", &["k2"]);
        let same_id_other_bytes = Seal::from_text(
            std::path::Path::new("x"),
            "current k1\nkey k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        )
        .unwrap();
        for seal in [other_id, same_id_other_bytes] {
            let error = seal.open_month_key(&association(1), "2026-11", &wrapped).unwrap_err();
            assert!(matches!(&error, SealError::WrongKey { key_id } if key_id == "k1"), "{error}");
        }
    }

    #[test]
    fn after_a_rotation_old_fields_still_open_and_the_old_key_can_go() {
        let chance = SeededChance::new(5);
        let asc = association(1);
        let before = ring("current k1", &["k1"]);
        let wrapped = before.new_month_key(&asc, "2026-11", &chance).unwrap();
        let key = before.open_month_key(&asc, "2026-11", &wrapped).unwrap();
        let sealed = before.seal(&key, &place(&asc, "r1"), "褥瘡".as_bytes(), &chance).unwrap();
        assert_eq!(before.rewrap_month_key(&asc, "2026-11", &wrapped, &chance).unwrap(), None);

        let during = ring("current k2", &["k1", "k2"]);
        let rewrapped = during.rewrap_month_key(&asc, "2026-11", &wrapped, &chance).unwrap().unwrap();
        assert!(during.recognises(&before.fingerprint()));

        let after = ring("current k2", &["k2"]);
        assert!(!after.recognises(&before.fingerprint()));
        assert!(after.open_month_key(&asc, "2026-11", &wrapped).is_err());
        let key = after.open_month_key(&asc, "2026-11", &rewrapped).unwrap();
        assert_eq!(*after.open(&key, &place(&asc, "r1"), &sealed).unwrap(), "褥瘡".as_bytes());
    }

    #[test]
    fn a_field_sealed_twice_looks_different_and_shows_nothing_of_its_text() {
        let (chance, asc) = (SeededChance::new(5), association(1));
        let seal = Seal::in_memory(&chance);
        let key = month_key(&seal, &asc, "2026-11", 6);
        let text = b"the canary sings of the left heel";
        let a = seal.seal(&key, &place(&asc, "r1"), text, &chance).unwrap();
        let b = seal.seal(&key, &place(&asc, "r1"), text, &chance).unwrap();
        assert_ne!(a, b);
        assert_eq!(a.len(), text.len() + 97);
        assert!(!a.windows(6).any(|w| w == b"canary"));
        assert_eq!(sealed_month(&a).unwrap(), "2026-11");
        assert!(format!("{key:?}").ends_with("2026-11 ***)"));
    }

    #[test]
    fn the_key_of_another_association_or_month_is_told_before_opening() {
        let (chance, ours, theirs) = (SeededChance::new(5), association(1), association(2));
        let seal = Seal::in_memory(&chance);
        let key = month_key(&seal, &ours, "2026-11", 6);
        let sealed = seal.seal(&key, &place(&ours, "r1"), b"x", &chance).unwrap();
        let december = month_key(&seal, &ours, "2026-12", 7);
        let neighbours = month_key(&seal, &theirs, "2026-11", 8);
        let other = |r: Result<_, SealError>| matches!(r, Err(SealError::OtherKey));
        assert!(other(seal.open(&december, &place(&ours, "r1"), &sealed)));
        assert!(other(seal.open(&neighbours, &place(&ours, "r1"), &sealed)));
        assert!(other(seal.seal(&key, &place(&theirs, "r1"), b"x", &chance).map(Zeroizing::new)));
        // Whoever copies the row to the neighbours finds that their own key does not open it either.
        let moved = seal.open(&neighbours, &place(&theirs, "r1"), &sealed);
        assert!(matches!(moved, Err(SealError::Refused)));
    }

    #[test]
    fn months_are_written_one_way() {
        for month in ["2026-01", "2026-12", "0000-10"] {
            assert!(check_month(month).is_ok());
        }
        for month in ["2026-13", "2026-00", "2026-1", "26-11", "2026/11", "２０２６-11", "2026-111", ""] {
            assert!(check_month(month).is_err(), "{month}");
        }
    }

    #[test]
    fn values_of_a_later_version_are_named_as_such() {
        let (chance, asc) = (SeededChance::new(5), association(1));
        let seal = Seal::in_memory(&chance);
        let key = month_key(&seal, &asc, "2026-11", 6);
        for bytes in [&b""[..], b"\x02\x01", b"\x01\x02", b"\x01\x01short", b"\x01\x012026-11"] {
            let opened = seal.open(&key, &place(&asc, "r1"), bytes);
            assert!(matches!(opened, Err(SealError::Corrupt { .. })), "{bytes:?}");
        }
        for wrapped in [
            "",
            "2.A256GCM.k1.AAAA",
            "1.A128GCM.k1.AAAA",
            "1.A256GCM.K.AAAA",
            "1.A256GCM.k1.*",
            "1.A256GCM.k1.AA.AA",
        ] {
            let opened = seal.open_month_key(&asc, "2026-11", wrapped);
            assert!(matches!(opened, Err(SealError::Corrupt { .. })), "{wrapped}");
        }
    }

    proptest! {
        #[test]
        fn a_sealed_text_opens_in_its_own_place_and_in_no_other(
            text: Vec<u8>,
            seed: u64,
            places in prop::collection::vec(("[ab]{1,2}", "[ab]{1,2}", "[ab]{1,2}"), 2),
        ) {
            let (chance, asc) = (SeededChance::new(seed), association(1));
            let seal = Seal::in_memory(&chance);
            let key = month_key(&seal, &asc, "2026-11", seed);
            let at = |i: usize| Place {
                association: &asc, table: &places[i].0, column: &places[i].1, row: &places[i].2,
            };
            let sealed = seal.seal(&key, &at(0), &text, &chance).unwrap();
            prop_assert_eq!(&*seal.open(&key, &at(0), &sealed).unwrap(), &text);
            prop_assert_eq!(seal.open(&key, &at(1), &sealed).is_ok(), places[0] == places[1]);
            let fresh = month_key(&seal, &asc, "2026-11", seed ^ 1);
            prop_assert!(matches!(seal.open(&fresh, &at(0), &sealed), Err(SealError::Refused)));
        }

        #[test]
        fn any_changed_bit_is_refused(text: Vec<u8>, seed: u64, at: prop::sample::Index, bit in 0u8..8) {
            let (chance, asc) = (SeededChance::new(seed), association(1));
            let seal = Seal::in_memory(&chance);
            let key = month_key(&seal, &asc, "2026-11", seed);
            let mut sealed = seal.seal(&key, &place(&asc, "r1"), &text, &chance).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(seal.open(&key, &place(&asc, "r1"), &sealed).is_err());
            sealed[at] ^= 1 << bit;
            prop_assert!(seal.open(&key, &place(&asc, "r1"), &sealed[..at]).is_err());
        }

        #[test]
        fn any_changed_bit_of_a_wrapped_month_key_is_refused(seed: u64, at: prop::sample::Index, bit in 0u8..7) {
            let (chance, asc) = (SeededChance::new(seed), association(1));
            let seal = ring("current k1", &["k1"]);
            let wrapped = seal.new_month_key(&asc, "2026-11", &chance).unwrap();
            let mut bytes = wrapped.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(seal.open_month_key(&asc, "2026-11", &changed).is_err());
        }
    }
}
