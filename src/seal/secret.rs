//! Random bearer secrets: device cookies, session ids, keys of the API. What hangs on them lives in `app`
//! and `store`; secrets derived from a master key live in `link`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ids::Chance;

use super::primitives::text_of;

/// A text that opens something for whoever holds it. Prints as `***`; only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// 256 random bits as 43 characters of base64url.
    #[must_use]
    pub fn new(chance: &dyn Chance) -> Self {
        Self::with_prefix("", chance)
    }

    /// A key of the API: `tbk_` and 43 characters, so that scanners for leaked keys can know it.
    #[must_use]
    pub fn api_key(chance: &dyn Chance) -> Self {
        Self::with_prefix("tbk_", chance)
    }

    fn with_prefix(prefix: &str, chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0u8; 32]);
        chance.fill(bytes.as_mut());
        Self(Zeroizing::new(format!("{prefix}{}", *Zeroizing::new(text_of(bytes.as_ref())))))
    }

    pub(super) fn from_mac(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(text_of(bytes)))
    }

    /// The secret itself: for the cookie, the mail, the one page that shows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up instead of the secret.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        token_hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// SHA-256 of a bearer secret as it was presented. Enough without salt or slow hash, because the secrets
/// have 256 random bits (OWASP ASVS 5.0, 6.5.2 asks for slow hashes below 112).
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::super::primitives::hex;
    use super::*;
    use crate::ids::SeededChance;

    #[test]
    fn a_secret_is_long_random_and_never_prints() {
        let chance = SeededChance::new(3);
        let (a, b) = (Secret::new(&chance), Secret::new(&chance));
        assert_eq!(a.as_str().len(), 43);
        assert_ne!(a.as_str(), b.as_str());
        assert_eq!(format!("{a:?}"), "Secret(***)");
        assert_eq!(a.hash(), token_hash(a.as_str()));
        let key = Secret::api_key(&chance);
        assert!(key.as_str().starts_with("tbk_") && key.as_str().len() == 47);
    }

    #[test]
    fn the_stored_hash_is_sha_256() {
        // FIPS 180-4, the example "abc".
        assert_eq!(
            hex(&token_hash("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
