//! Passwords of the office: reading what was typed, hashing, checking. Which ones are too easy is `domain`.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::ids::{AssociationId, Chance, MemberId};

use super::primitives::{Fields, mac};
use super::{MasterKey, Seal, SealError};

/// Longest thing read as a password, in bytes: 128 characters of any script are shorter.
const TYPED_MAX_BYTES: usize = 2_048;

/// A password in its normal form (NFKC), so that it does not matter which keyboard typed it. Prints as `***`;
/// wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Reads a password as typed; blanks in it and around it count. `None`: longer than any.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        (text.len() <= TYPED_MAX_BYTES).then(|| Self(Zeroizing::new(text.nfkc().collect())))
    }

    /// The password itself, to look whether it is too easy.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

impl Seal {
    /// The password's hash for storage, made like that of a PIN: HMAC with the key file, then Argon2id. Slow
    /// on purpose: call it on a thread that may block, behind a semaphore.
    ///
    /// # Errors
    /// [`SealError::PinHash`] when the memory cannot be had.
    pub fn password_hash(
        &self,
        association: &AssociationId,
        member: &MemberId,
        password: &Password,
        chance: &dyn Chance,
    ) -> Result<String, SealError> {
        self.slow_store(&|key| peppered(key, association, member, password), chance)
    }

    /// Whether the password is that of the stored hash. As slow where nothing is stored (`""`).
    #[must_use]
    pub fn password_matches(
        &self,
        association: &AssociationId,
        member: &MemberId,
        password: &Password,
        stored: &str,
    ) -> bool {
        self.slow_matches(&|key| peppered(key, association, member, password), stored)
    }

    /// Under which an account's failed tries are counted: the same for addresses that nobody has, and of no
    /// use to whoever reads the database. `client` is empty where tries from everywhere are counted.
    #[must_use]
    pub fn account_mark(&self, address: &str, client: &str) -> [u8; 32] {
        let text = Fields::default().field(address.as_bytes()).field(client.as_bytes()).bytes();
        mac(self.0.current.account.as_ref(), &[&text])
    }
}

fn peppered(
    key: &MasterKey,
    association: &AssociationId,
    member: &MemberId,
    password: &Password,
) -> Zeroizing<[u8; 32]> {
    let text = Zeroizing::new(
        Fields::default()
            .field(association.as_str().as_bytes())
            .field(member.as_str().as_bytes())
            .field(password.0.as_bytes())
            .bytes(),
    );
    Zeroizing::new(mac(key.password.as_ref(), &[&text]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;
    use crate::time::Millis;

    #[test]
    fn a_password_opens_for_its_person_whichever_keyboard_typed_it() {
        let chance = SeededChance::new(1);
        let seal = Seal::in_memory(&chance);
        let (asc, member) = (AssociationId::new(Millis(1), &chance), MemberId::new(Millis(1), &chance));
        let typed = |text: &str| Password::typed(text).unwrap();
        let stored = seal.password_hash(&asc, &member, &typed("みどりの 丘から 42"), &chance).unwrap();
        assert!(seal.password_matches(&asc, &member, &typed("みどりの\u{3000}丘から ４２"), &stored));
        assert!(!seal.password_matches(&asc, &member, &typed("みどりの丘から42"), &stored));
        let other = MemberId::new(Millis(2), &chance);
        assert!(!seal.password_matches(&asc, &other, &typed("みどりの 丘から 42"), &stored));
        assert!(!seal.password_matches(&asc, &member, &typed(""), ""));
        assert_eq!(format!("{:?}", typed("x")), "Password(***)");
        assert_eq!(Password::typed(&"a".repeat(3_000)), None);
    }

    #[test]
    fn the_count_of_an_account_is_kept_apart_from_that_of_a_client() {
        let seal = Seal::in_memory(&SeededChance::new(1));
        assert_ne!(seal.account_mark("a@b", ""), seal.account_mark("a@b", "192.0.2.1"));
        assert_ne!(seal.account_mark("a@b", "c"), seal.account_mark("a@bc", ""));
    }
}
