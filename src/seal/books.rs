//! The chain of sealed ledger lines: the hash that ties every closed line to the one before it, and the hash of
//! a run that clerk and officer agree on. The bytes are described in `docs/crypto.md`.

use sha2::{Digest as _, Sha256};

use super::primitives::{Fields, hex};

/// Stands before the canonical bytes of every sealed line. A new form gets a new tag.
const TAG: &str = "touban ledger v1";
const RUN_TAG: &str = "touban ledger run v1";
const NAMES_TAG: &str = "touban ledger names v1";

/// The hash before an association's first sealed line.
pub const GENESIS: [u8; 32] = [0; 32];

/// The hash of a sealed line: SHA-256 over the hash of the line before ([`GENESIS`] for the first) and, each
/// after its length, the tag, the association, the number (8 bytes), the month that closed it and the line's
/// JSON byte for byte as it is stored.
#[must_use]
pub fn line_hash(prev: &[u8; 32], association: &str, seq: i64, month: &str, body: &str) -> [u8; 32] {
    let fields = Fields::new(TAG)
        .field(association.as_bytes())
        .field(&seq.to_be_bytes())
        .field(month.as_bytes())
        .field(body.as_bytes())
        .bytes();
    Sha256::new().chain_update(prev).chain_update(fields).finalize().into()
}

/// The hash of a month as it was made, in hexadecimal: over the month and the JSON of its lines in order.
#[must_use]
pub fn run_hash<'a>(month: &str, bodies: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    hash.update(Fields::new(RUN_TAG).field(month.as_bytes()).bytes());
    for body in bodies {
        hash.update(u64::try_from(body.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(body.as_bytes());
    }
    hex(&hash.finalize())
}

/// The hash of the names a month was closed with, in hexadecimal: over the month and each row's fields in order.
#[must_use]
pub fn names_hash<'a>(month: &str, rows: impl Iterator<Item = [&'a str; 5]>) -> String {
    let mut hash = Sha256::new();
    hash.update(Fields::new(NAMES_TAG).field(month.as_bytes()).bytes());
    for row in rows {
        let fields = row.iter().fold(Fields::default(), |fields, text| fields.field(text.as_bytes()));
        hash.update(fields.bytes());
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_depends_on_what_came_before_on_its_place_and_on_every_byte() {
        let first = line_hash(&GENESIS, "A", 1, "2026-05", "{}");
        let others = [
            line_hash(&first, "A", 1, "2026-05", "{}"),
            line_hash(&GENESIS, "B", 1, "2026-05", "{}"),
            line_hash(&GENESIS, "A", 2, "2026-05", "{}"),
            line_hash(&GENESIS, "A", 1, "2026-06", "{}"),
            line_hash(&GENESIS, "A", 1, "2026-05", "{ }"),
        ];
        assert!(others.iter().all(|hash| *hash != first));
        let run = |bodies: &[&str]| run_hash("2026-05", bodies.iter().copied());
        assert_ne!(run(&["ab", "c"]), run(&["a", "bc"]));
        assert_eq!(run(&[]).len(), 64);
        let names = |rows: &[[&'static str; 5]]| names_hash("2026-05", rows.iter().copied());
        assert_ne!(names(&[["a", "b", "c", "", ""]]), names(&[["a", "bc", "", "", ""]]));
    }
}
