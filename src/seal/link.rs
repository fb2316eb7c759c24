//! Link tokens, manual codes and form tokens: derived from a master key and an id, never stored in plain.
//! What a link opens, for whom and until when lives in `domain` and `app`.

use unicode_normalization::UnicodeNormalization as _;

use crate::ids::{LinkId, crockford_128, parse_crockford};

use super::primitives::{mac, same, text_of};
use super::{MasterKey, Seal, Secret};

/// Characters of a manual code, hyphens not counted: 12 × 5 = 60 bits.
pub const LINK_CODE_LENGTH: usize = 12;

/// Longest thing taken for a typed code, in bytes: 12 full-width characters with a separator after each.
const TYPED_CODE_MAX_BYTES: usize = 96;

impl Seal {
    /// The token of a link: 256 bits, 43 characters of base64url. The same link always has the same token
    /// (under the same key), so a mail that is tried again has the same bytes.
    #[must_use]
    pub fn link_token(&self, link: &LinkId) -> Secret {
        token(&self.0.current, link)
    }

    /// The code printed under the link for those who must type it: 60 bits as `XXXX-XXXX-XXXX`.
    #[must_use]
    pub fn link_code(&self, link: &LinkId) -> String {
        code(&self.0.current, link)
    }

    /// Token and code of a link made earlier, perhaps under an older master key: those whose token has
    /// the stored hash. `None` when no key of the file made it; then its mail must not be sent.
    #[must_use]
    pub fn link_again(&self, link: &LinkId, stored_token_hash: &[u8; 32]) -> Option<(Secret, String)> {
        self.keys().find_map(|key| {
            let token = token(key, link);
            same(&token.hash(), stored_token_hash).then(|| (token, code(key, link)))
        })
    }

    /// What is stored and looked up instead of the code (HMAC with a server key: 60 bits alone could be
    /// searched by whoever has the database). Case, full-width letters and digits, look-alikes (I L O),
    /// hyphens of every kind and spaces do not matter. `None` when the text is not a code.
    #[must_use]
    pub fn code_hash(&self, typed: &str) -> Option<[u8; 32]> {
        Some(code_hash(&self.0.current, &normal_code(typed)?))
    }

    /// The hashes the code may stand under: one per master key, the current one first. Look all of them
    /// up, so that codes in mails sent before a rotation keep working.
    #[must_use]
    pub fn code_hashes(&self, typed: &str) -> Vec<[u8; 32]> {
        normal_code(typed)
            .map(|code| self.keys().map(|key| code_hash(key, &code)).collect())
            .unwrap_or_default()
    }

    /// The token a form carries; `binding` names who may send it, usually the session's or link's id.
    #[must_use]
    pub fn csrf(&self, binding: &str) -> String {
        csrf(&self.0.current, binding)
    }

    /// Whether a form's token was made for this `binding`, under any key of the file. Constant time.
    #[must_use]
    pub fn csrf_ok(&self, binding: &str, given: &str) -> bool {
        self.keys().any(|key| same(csrf(key, binding).as_bytes(), given.as_bytes()))
    }

    /// The stored form of a request body's digest: a body may hold a PIN, and four digits do not hide
    /// behind a hash that anybody can compute.
    #[must_use]
    pub fn replay_mark(&self, digest: &[u8; 32]) -> [u8; 32] {
        mac(self.0.current.replay.as_ref(), &[digest])
    }

    /// Whether a stored mark is this digest's, under any key of the file.
    #[must_use]
    pub fn replay_mark_ok(&self, digest: &[u8; 32], stored: &[u8]) -> bool {
        self.keys().any(|key| same(&mac(key.replay.as_ref(), &[digest]), stored))
    }
}

fn token(key: &MasterKey, link: &LinkId) -> Secret {
    Secret::from_mac(&mac(key.link.as_ref(), &[link.as_str().as_bytes()]))
}

fn code(key: &MasterKey, link: &LinkId) -> String {
    let [a, b, c, d, e, f, g, h, ..] = mac(key.code.as_ref(), &[link.as_str().as_bytes()]);
    let code = sixty_bits(u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 4));
    let group = |from: usize| code.get(from..from + 4).unwrap_or_default();
    format!("{}-{}-{}", group(0), group(4), group(8))
}

/// The last 12 of the 26 characters that hold 128 bits.
pub(super) fn sixty_bits(value: u128) -> String {
    crockford_128(value).chars().skip(26 - LINK_CODE_LENGTH).collect()
}

fn code_hash(key: &MasterKey, normal: &str) -> [u8; 32] {
    mac(key.code_hash.as_ref(), &[normal.as_bytes()])
}

/// The code as 12 upper-case characters without separators.
pub(super) fn normal_code(typed: &str) -> Option<String> {
    if typed.len() > TYPED_CODE_MAX_BYTES {
        return None;
    }
    let bare: String = typed.nfkc().filter(|c| !c.is_whitespace() && !is_hyphen(*c)).collect();
    let complete = bare.len() == LINK_CODE_LENGTH && bare.is_ascii();
    parse_crockford(&bare).filter(|_| complete).map(sixty_bits)
}

/// What stands between the groups when typed on a Japanese keyboard: the hyphen, the dashes it is
/// replaced by, and the long vowel mark next to it.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{30FC}')
}

fn csrf(key: &MasterKey, binding: &str) -> String {
    text_of(&mac(key.csrf.as_ref(), &[binding.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::SeededChance;
    use crate::seal::keyfile::tests::ring;
    use crate::seal::token_hash;
    use crate::time::Millis;

    fn link(seed: u64) -> LinkId {
        LinkId::new(Millis(1_790_000_000_000), &SeededChance::new(seed))
    }

    #[test]
    fn a_mail_sent_again_carries_the_same_link_and_another_mail_another() {
        let seal = Seal::in_memory(&SeededChance::new(1));
        assert_eq!(seal.link_token(&link(1)), seal.clone().link_token(&link(1)));
        assert_ne!(seal.link_token(&link(1)), seal.link_token(&link(2)));
        assert_ne!(seal.link_code(&link(1)), seal.link_code(&link(2)));
        assert_eq!(seal.link_token(&link(1)).as_str().len(), 43);
        let other = Seal::in_memory(&SeededChance::new(2));
        assert_ne!(seal.link_token(&link(1)), other.link_token(&link(1)));
    }

    #[test]
    fn a_link_sent_before_a_rotation_keeps_its_token_and_its_code() {
        let before = ring("current k1", &["k1"]);
        let after = ring("current k2", &["k1", "k2"]);
        let hash = token_hash(before.link_token(&link(1)).as_str());
        assert_ne!(after.link_token(&link(1)), before.link_token(&link(1)));
        let (token, code) = after.link_again(&link(1), &hash).unwrap();
        assert_eq!((token, code.clone()), (before.link_token(&link(1)), before.link_code(&link(1))));
        assert!(after.code_hashes(&code).contains(&before.code_hash(&code).unwrap()));
        assert!(after.csrf_ok("session", &before.csrf("session")));
        let gone = ring("current k2", &["k2"]);
        assert_eq!(gone.link_again(&link(1), &hash), None);
    }

    #[test]
    fn a_form_of_another_session_is_refused() {
        let seal = Seal::in_memory(&SeededChance::new(1));
        let form = seal.csrf("session one");
        assert!(seal.csrf_ok("session one", &form));
        assert!(!seal.csrf_ok("session two", &form));
        assert!(!seal.csrf_ok("session one", ""));
        assert!(!seal.csrf_ok("session one", form.get(1..).unwrap()));
    }

    #[test]
    fn things_that_are_not_codes_are_told_apart() {
        let seal = Seal::in_memory(&SeededChance::new(1));
        for typed in [
            "",
            "1234",
            "ABCD-EFGH-JKMU",
            "ABCD-EFGH-JKMNP",
            "当番当番当番当番当番当番",
            "É".repeat(12).as_str(),
        ] {
            assert_eq!(seal.code_hash(typed), None, "{typed}");
            assert_eq!(seal.code_hashes(typed), Vec::<[u8; 32]>::new());
        }
        assert!(seal.code_hash("ABCD-EFGH-JKMN").is_some());
        assert_eq!(seal.code_hash(&"-".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn a_code_is_understood_as_people_type_it(
            seed: u64,
            separator in prop::sample::select(vec!["", "-", " ", "\u{3000}", "ー", "－", "‐", "ｰ", " - "]),
            full_width: bool,
            lower: bool,
            look_alikes: bool,
        ) {
            let seal = Seal::in_memory(&SeededChance::new(9));
            let code = seal.link_code(&link(seed));
            prop_assert_eq!(code.len(), 14);
            let mut typed = code.replace('-', separator);
            if look_alikes {
                typed = typed.replace('1', "I").replace('0', "O");
            }
            if lower {
                typed = typed.to_lowercase().replace('i', "l");
            }
            if full_width {
                typed = typed
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() {
                        char::from_u32(u32::from(c) + 0xFEE0).unwrap()
                    } else { c })
                    .collect();
            }
            prop_assert!(seal.code_hash(&code).is_some());
            prop_assert_eq!(seal.code_hash(&typed), seal.code_hash(&code), "{}", typed);
        }

        #[test]
        fn no_typed_text_breaks_the_reading_of_codes(typed: String) {
            let seal = Seal::in_memory(&SeededChance::new(9));
            prop_assert_eq!(seal.code_hash(&typed).is_some(), !seal.code_hashes(&typed).is_empty());
        }
    }
}
