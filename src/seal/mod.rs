//! Keeps secrets: the key file, the envelope around clinical text, link tokens and codes, form tokens,
//! PINs, passwords, one-time codes, passkeys and the audit chain's hash. No SQL, no HTTP, no clock; chance is an argument, and only the key
//! file is ever read or written. `docs/crypto.md` lists every algorithm, label and byte format.
//!
//! One master key per file is the current one; older ones stay readable until everything they wrapped
//! has been rewrapped. A master key is never used itself: sub-keys are expanded from it, one per purpose
//! (HKDF-Expand, RFC 5869 §2.3), so that no text made for one purpose means anything to another.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::ids::Chance;

pub mod books;
pub mod chain;
mod envelope;
mod keyfile;
mod link;
pub mod passkey;
mod password;
mod pin;
mod primitives;
mod recovery;
mod secret;
pub mod totp;

pub use envelope::{LASTING, MonthKey, Place, sealed_month};
pub use link::LINK_CODE_LENGTH;
pub use password::Password;
pub use pin::{NotAPin, Pin};
pub use secret::{Secret, token_hash};

use primitives::{KEY_BYTES, expand, mac, text_of};

/// What the seal refuses to do, and why.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is no key file. Where the database already holds data this must end the start: a fresh key
    /// would open none of it.
    #[error("there is no key file at {path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{doing} the key file {path}")]
    Io {
        /// What was being done: `reading`, `writing`.
        doing: &'static str,
        /// The file, or its directory.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// Other accounts of the machine could read the keys.
    #[error("the key file {path} has mode {mode:04o}; other accounts can read it: run chmod 600 on it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file is not written as documented. Never quotes the line: it may be a key.
    #[error("the key file {path}, line {line}: {what}")]
    KeyFile {
        /// The file, or `(text)` when the keys did not come from a file.
        path: PathBuf,
        /// Counted from 1; one past the end when something is missing.
        line: usize,
        /// What is wrong and what was expected.
        what: &'static str,
    },
    /// The stored month key was wrapped by a master key which this key file does not hold: either the id
    /// is not there, or it is there with other bytes (or the stored text was changed; authenticated
    /// encryption cannot tell these two apart).
    #[error("the key file does not hold the master key {key_id} that wrapped this month key")]
    WrongKey {
        /// The id of the master key that is needed.
        key_id: String,
    },
    /// Stored bytes that this version never wrote: cut off, or of an unknown version or algorithm.
    #[error("a sealed value cannot be read: {what}")]
    Corrupt {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The text does not open: it was changed, or it was sealed for another place or with another key.
    #[error("a sealed value does not open: it was changed, moved, or sealed with another key")]
    Refused,
    /// The caller brought the key of another association or month.
    #[error("the month key belongs to another association or month")]
    OtherKey,
    /// Not a month written `2026-11`.
    #[error("not a month written like 2026-11")]
    NotAMonth,
    /// The memory for hashing a PIN could not be had.
    #[error("hashing a PIN: {reason}")]
    PinHash {
        /// The library's own words.
        reason: String,
    },
}

/// The sub-keys of one master key. The master key itself is forgotten after expansion.
struct MasterKey {
    id: String,
    check: Zeroizing<[u8; KEY_BYTES]>,
    wrap: Zeroizing<[u8; KEY_BYTES]>,
    link: Zeroizing<[u8; KEY_BYTES]>,
    code: Zeroizing<[u8; KEY_BYTES]>,
    code_hash: Zeroizing<[u8; KEY_BYTES]>,
    csrf: Zeroizing<[u8; KEY_BYTES]>,
    replay: Zeroizing<[u8; KEY_BYTES]>,
    pin: Zeroizing<[u8; KEY_BYTES]>,
    password: Zeroizing<[u8; KEY_BYTES]>,
    recovery: Zeroizing<[u8; KEY_BYTES]>,
    account: Zeroizing<[u8; KEY_BYTES]>,
}

impl MasterKey {
    fn expand(id: &str, bytes: &[u8; KEY_BYTES]) -> Self {
        Self {
            id: id.to_owned(),
            check: expand(bytes, "touban v1 check"),
            wrap: expand(bytes, "touban v1 wrap"),
            link: expand(bytes, "touban v1 link token"),
            code: expand(bytes, "touban v1 link code"),
            code_hash: expand(bytes, "touban v1 link code hash"),
            csrf: expand(bytes, "touban v1 csrf"),
            replay: expand(bytes, "touban v1 replay"),
            pin: expand(bytes, "touban v1 pin"),
            password: expand(bytes, "touban v1 password"),
            recovery: expand(bytes, "touban v1 recovery code"),
            account: expand(bytes, "touban v1 account"),
        }
    }

    fn fingerprint(&self) -> String {
        let value = mac(self.check.as_ref(), &[b"fingerprint"]);
        format!("{}:{}", self.id, text_of(&value))
    }
}

struct Ring {
    current: MasterKey,
    older: Vec<MasterKey>,
}

/// The office's keys. Cheap to clone; prints as `***`; its memory is wiped when the last clone goes.
#[derive(Clone)]
pub struct Seal(Arc<Ring>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(***)")
    }
}

impl Seal {
    /// Reads the key file; makes it (mode 0600, with one fresh key) when there is none. For the first
    /// start only: where the database holds data, use [`Seal::load`].
    ///
    /// # Errors
    /// [`SealError::Io`], [`SealError::Exposed`], [`SealError::KeyFile`].
    pub fn load_or_create(path: &Path, chance: &dyn Chance) -> Result<Self, SealError> {
        keyfile::create_if_missing(path, chance)?;
        Self::load(path)
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`SealError::Missing`] when there is none; [`SealError::Io`], [`SealError::Exposed`],
    /// [`SealError::KeyFile`].
    pub fn load(path: &Path) -> Result<Self, SealError> {
        Self::from_text(path, &keyfile::read(path)?)
    }

    /// Keys that live in memory only and are gone with it: for tests and the simulation.
    #[must_use]
    pub fn in_memory(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0u8; KEY_BYTES]);
        chance.fill(bytes.as_mut());
        Self(Arc::new(Ring { current: MasterKey::expand("memory", &bytes), older: Vec::new() }))
    }

    fn from_text(path: &Path, text: &str) -> Result<Self, SealError> {
        let file = keyfile::parse(path, text)?;
        Ok(Self(Arc::new(Ring {
            current: MasterKey::expand(&file.current.id, &file.current.bytes),
            older: file.older.iter().map(|key| MasterKey::expand(&key.id, &key.bytes)).collect(),
        })))
    }

    /// The id of the master key that new things are made with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.0.current.id
    }

    /// A check value of the current master key: stored in the database at the first start, compared by
    /// [`Seal::recognises`] at every later one. Tells nothing about the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.current.fingerprint()
    }

    /// Whether the stored check value is that of one of this file's keys. `false` means the wrong key
    /// file: refuse to start. `true` with a value other than [`Seal::fingerprint`] means the key was
    /// rotated: rewrap the month keys, then store the new value.
    #[must_use]
    pub fn recognises(&self, fingerprint: &str) -> bool {
        self.keys().any(|key| primitives::same(key.fingerprint().as_bytes(), fingerprint.as_bytes()))
    }

    /// All master keys, the current one first.
    fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.0.current).chain(&self.0.older)
    }

    fn key(&self, id: &str) -> Option<&MasterKey> {
        self.keys().find(|key| key.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;

    #[test]
    fn the_keys_never_print() {
        let seal = Seal::in_memory(&SeededChance::new(1));
        assert_eq!(format!("{seal:?}"), "Seal(***)");
    }

    #[test]
    fn another_key_is_noticed_by_its_fingerprint() {
        let ours = Seal::in_memory(&SeededChance::new(1));
        let theirs = Seal::in_memory(&SeededChance::new(2));
        assert!(ours.recognises(&ours.fingerprint()));
        assert!(!theirs.recognises(&ours.fingerprint()));
        assert!(!ours.recognises(""));
    }

    #[test]
    fn no_two_purposes_share_a_key() {
        let key = MasterKey::expand("k1", &[7; 32]);
        let all = [
            &key.check,
            &key.wrap,
            &key.link,
            &key.code,
            &key.code_hash,
            &key.csrf,
            &key.replay,
            &key.pin,
            &key.password,
            &key.recovery,
            &key.account,
        ]
        .map(|k| **k);
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b));
            assert_ne!(*a, [7; 32]);
        }
    }

    #[test]
    fn sub_keys_are_those_of_the_document() {
        // python3: hmac.new(bytes(range(32)), b"touban v1 wrap\x01", "sha256").hexdigest()
        let master: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(
            primitives::hex(&*expand(&master, "touban v1 wrap")),
            "1205c39570dbab27cbbb6f35ee56c271561a29abb6f91a0b5cf9d089836093c9"
        );
    }
}
