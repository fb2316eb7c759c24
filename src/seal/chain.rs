//! The audit chain: the hash that ties every audit row to the row before it, and the check that follows
//! it. Reading and writing the rows lives in `store`; the same bytes are described, with a program for
//! outsiders, in `docs/crypto.md`.

use sha2::{Digest as _, Sha256};

use super::primitives::{Fields, same};

/// Stands before the canonical bytes of every row. A new form of row gets a new tag.
const TAG: &str = "touban audit v1";

/// The hash before an association's first row.
pub const GENESIS: [u8; 32] = [0; 32];

/// One row of the audit log as it is hashed. Every association has a chain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainRow<'a> {
    /// The association's id.
    pub association: &'a str,
    /// Position in the log; grows from row to row.
    pub seq: i64,
    /// When it happened: milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// Who did it.
    pub actor: &'a str,
    /// In whose name, where that is somebody else.
    pub on_behalf_of: Option<&'a str>,
    /// What was done.
    pub action: &'a str,
    /// What it was done to.
    pub subject: &'a str,
    /// The rest: JSON text, hashed byte for byte as it is stored.
    pub detail: &'a str,
}

impl ChainRow<'_> {
    /// Tag, then the fields in the order of the struct, each with its length (4 bytes, most significant
    /// first) before it; text as UTF-8, numbers as 8 bytes, most significant first, two's complement;
    /// `on_behalf_of` as one byte 0 when it is missing, as a byte 1 and the text when it is there.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let on_behalf_of = match self.on_behalf_of {
            None => vec![0],
            Some(who) => [&[1], who.as_bytes()].concat(),
        };
        Fields::new(TAG)
            .field(self.association.as_bytes())
            .field(&self.seq.to_be_bytes())
            .field(&self.at_ms.to_be_bytes())
            .field(self.actor.as_bytes())
            .field(&on_behalf_of)
            .field(self.action.as_bytes())
            .field(self.subject.as_bytes())
            .field(self.detail.as_bytes())
            .bytes()
    }
}

/// The hash of a row: SHA-256 over the hash of the row before ([`GENESIS`] for the first) and the row's
/// canonical bytes.
#[must_use]
pub fn chain_hash(prev: &[u8; 32], row: &ChainRow<'_>) -> [u8; 32] {
    Sha256::new().chain_update(prev).chain_update(row.canonical()).finalize().into()
}

/// Where a chain breaks, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// The row was changed, or a row before it was removed, added or moved.
    #[error("audit row {seq} does not follow from the rows before it")]
    Hash {
        /// The first row that does not fit.
        seq: i64,
    },
    /// The row's place in the log is not after the one before.
    #[error("audit row {seq} stands out of order")]
    Order {
        /// The row that stands wrong.
        seq: i64,
    },
    /// A row of another association stands in this chain.
    #[error("audit row {seq} belongs to another association")]
    Association {
        /// The foreign row.
        seq: i64,
    },
    /// A head that was sent out earlier is not in this log: rows at the end are gone, or the whole log
    /// was written anew.
    #[error("the head sent out for audit row {seq} is not in this log")]
    Head {
        /// The row of the head.
        seq: i64,
    },
}

/// The end of a chain: what is signed and sent out, so that cutting off or rewriting the log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last row's position; 0 for an empty log.
    pub seq: i64,
    /// The last row's hash; [`GENESIS`] for an empty log.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { seq: 0, hash: GENESIS };
}

/// Follows one association's chain row by row, in the order of `seq`, keeping only the head.
#[derive(Clone, Debug)]
pub struct ChainCheck {
    association: String,
    head: Head,
    expected: Vec<Head>,
}

impl ChainCheck {
    /// Starts before the association's first row. `sent_out`: heads that were sent out earlier and must
    /// all be met on the way.
    #[must_use]
    pub fn new(association: &str, sent_out: &[Head]) -> Self {
        let mut expected: Vec<Head> = sent_out.iter().copied().filter(|h| *h != Head::EMPTY).collect();
        expected.sort_by_key(|head| std::cmp::Reverse(head.seq));
        Self { association: association.to_owned(), head: Head::EMPTY, expected }
    }

    /// Checks the next row against its stored hash.
    ///
    /// # Errors
    /// [`BrokenChain`]: the first thing that does not fit.
    pub fn row(&mut self, row: &ChainRow<'_>, stored_hash: &[u8]) -> Result<(), BrokenChain> {
        let seq = row.seq;
        if row.association != self.association {
            return Err(BrokenChain::Association { seq });
        }
        if seq <= self.head.seq {
            return Err(BrokenChain::Order { seq });
        }
        let hash = chain_hash(&self.head.hash, row);
        if !same(&hash, stored_hash) {
            return Err(BrokenChain::Hash { seq });
        }
        self.head = Head { seq, hash };
        while let Some(next) = self.expected.last().copied().filter(|next| next.seq <= seq) {
            if next != self.head {
                return Err(BrokenChain::Head { seq: next.seq });
            }
            self.expected.pop();
        }
        Ok(())
    }

    /// The head after the last row.
    ///
    /// # Errors
    /// [`BrokenChain::Head`] when a head that was sent out lies beyond the end.
    pub fn finish(self) -> Result<Head, BrokenChain> {
        match self.expected.last() {
            Some(missing) => Err(BrokenChain::Head { seq: missing.seq }),
            None => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::primitives::hex;
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Row {
        seq: i64,
        actor: String,
        on_behalf_of: Option<String>,
        subject: String,
        detail: String,
        hash: [u8; 32],
    }

    impl Row {
        fn chain_row(&self) -> ChainRow<'_> {
            ChainRow {
                association: "A",
                seq: self.seq,
                at_ms: 1_793_000_000_000 + self.seq,
                actor: &self.actor,
                on_behalf_of: self.on_behalf_of.as_deref(),
                action: "offer.accepted",
                subject: &self.subject,
                detail: &self.detail,
            }
        }
    }

    fn log(rows: u8) -> Vec<Row> {
        let mut prev = GENESIS;
        (1..=i64::from(rows))
            .map(|seq| {
                let mut row = Row {
                    seq,
                    actor: format!("member {}", seq % 3),
                    on_behalf_of: (seq % 2 == 0).then(|| "member 9".to_owned()),
                    subject: format!("offer {seq}"),
                    detail: "{}".to_owned(),
                    hash: GENESIS,
                };
                row.hash = chain_hash(&prev, &row.chain_row());
                prev = row.hash;
                row
            })
            .collect()
    }

    fn head_of(rows: &[Row]) -> Head {
        rows.last().map_or(Head::EMPTY, |row| Head { seq: row.seq, hash: row.hash })
    }

    fn verify(rows: &[Row], sent_out: &[Head]) -> Result<Head, BrokenChain> {
        let mut check = ChainCheck::new("A", sent_out);
        rows.iter().try_for_each(|row| check.row(&row.chain_row(), &row.hash))?;
        check.finish()
    }

    /// The chain written anew from `from` on, as an administrator with SQL access would.
    fn rehash(rows: &mut [Row]) {
        let mut prev = GENESIS;
        for row in rows {
            row.hash = chain_hash(&prev, &row.chain_row());
            prev = row.hash;
        }
    }

    const FIRST: ChainRow<'static> = ChainRow {
        association: "01KD3YZ8G0AAAAAAAAAAAAAAAA",
        seq: 1,
        at_ms: 1_793_174_400_000,
        actor: "member:01KD3YZ8G0BBBBBBBBBBBBBBBB",
        on_behalf_of: None,
        action: "request.created",
        subject: "request:01KD3YZ8G0CCCCCCCCCCCCCCCC",
        detail: "{\"kind\":\"consult\",\"specialty\":\"皮膚科\"}",
    };
    const SECOND: ChainRow<'static> = ChainRow {
        seq: 2,
        at_ms: 1_793_174_460_000,
        actor: "key:01KD3YZ8G0DDDDDDDDDDDDDDDD",
        on_behalf_of: Some("member:01KD3YZ8G0EEEEEEEEEEEEEEEE"),
        action: "offer.accepted",
        subject: "offer:01KD3YZ8G0FFFFFFFFFFFFFFFF",
        detail: "{}",
        ..FIRST
    };
    const FIRST_HASH: &str = "5cb46a031139fdfd40c7529b37f919b03ce5225e54192cfe903d113c7e2bd86b";
    const SECOND_HASH: &str = "95446f7a2750802582d64069e43dd75cd498a5a361d9fa8bb2413dbcf9c1a611";

    #[test]
    fn an_outsider_with_the_document_gets_the_same_hashes() {
        let first = chain_hash(&GENESIS, &FIRST);
        let second = chain_hash(&first, &SECOND);
        assert_eq!((hex(&first), hex(&second)), (FIRST_HASH.to_owned(), SECOND_HASH.to_owned()));
        let document = include_str!("../../docs/crypto.md");
        assert!(document.contains(FIRST_HASH) && document.contains(SECOND_HASH));
    }

    #[test]
    fn nobody_on_behalf_differs_from_an_empty_name() {
        let empty = ChainRow { on_behalf_of: Some(""), ..FIRST };
        assert_ne!(chain_hash(&GENESIS, &FIRST), chain_hash(&GENESIS, &empty));
    }

    #[test]
    fn an_untouched_log_verifies_and_meets_the_heads_sent_out() {
        let rows = log(20);
        assert_eq!(verify(&[], &[Head::EMPTY]), Ok(Head::EMPTY));
        assert_eq!(verify(&rows, &[head_of(&rows[..7]), head_of(&rows)]), Ok(head_of(&rows)));
    }

    #[test]
    fn a_row_of_the_neighbours_does_not_pass() {
        let rows = log(3);
        let mut check = ChainCheck::new("B", &[]);
        let broken = check.row(&rows[0].chain_row(), &rows[0].hash);
        assert_eq!(broken, Err(BrokenChain::Association { seq: 1 }));
    }

    proptest! {
        #[test]
        fn any_edit_deletion_insertion_or_reordering_before_the_last_head_is_found(
            count in 4u8..40, at: prop::sample::Index, other: prop::sample::Index, way in 0u8..7, covers_up: bool,
        ) {
            let honest = log(count);
            let mut rows = honest.clone();
            let at = at.index(rows.len());
            match way {
                0 => rows[at].detail = "{\"x\":1}".to_owned(),
                1 => { rows.remove(at); }
                2 => { let copy = rows[at].clone(); rows.insert(at, copy); }
                3 => rows.swap(at, other.index(usize::from(count))),
                4 => rows.truncate(at),
                5 => rows[at].actor.push('x'),
                _ => rows[at].on_behalf_of = match rows[at].on_behalf_of.take() {
                    None => Some(String::new()),
                    Some(_) => None,
                },
            }
            prop_assume!(rows != honest);
            if covers_up {
                rehash(&mut rows);
            }
            let verdict = verify(&rows, &[head_of(&honest)]);
            prop_assert!(verdict.is_err(), "{way}");
            if !covers_up && way == 0 {
                prop_assert_eq!(verdict, Err(BrokenChain::Hash { seq: honest[at].seq }));
            }
        }

        #[test]
        fn fields_cannot_be_shifted_into_each_other(actor in "[ab]{0,3}", subject in "[ab]{0,3}", actor2 in "[ab]{0,3}", subject2 in "[ab]{0,3}") {
            let row = |actor, subject| chain_hash(&GENESIS, &ChainRow { actor, action: subject, ..FIRST });
            prop_assert_eq!(row(&actor, &subject) == row(&actor2, &subject2), (actor, subject) == (actor2, subject2));
        }
    }
}
