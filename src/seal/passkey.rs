//! Passkeys (W3C Web Authentication, level 2): the questions put to an authenticator and the check of its
//! answers. The person must be verified by the authenticator (by finger, face or its own PIN), so a passkey is
//! two factors. Where questions and credentials are kept is `store`; who may sign in with what, `app`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use webauthn_rs_proto::ResidentKeyRequirement;

use crate::ids::{MemberId, parse_crockford};

/// The site to which passkeys are bound: the host of the configured base URL and nothing else.
pub struct Passkeys(Webauthn);

impl fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkeys")
    }
}

/// A question to an authenticator, and what must be remembered until its answer comes.
pub struct Question {
    /// The options for `navigator.credentials`, as JSON.
    pub options: String,
    /// Kept on our side.
    pub state: String,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(***)")
    }
}

/// A credential that was registered: its public part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What it is looked up by.
    pub credential_hash: [u8; 32],
    pub body: String,
}

/// A credential's id as it is looked up.
fn credential_hash(id: &[u8]) -> [u8; 32] {
    Sha256::digest(id).into()
}

impl Passkeys {
    /// For the site at this address. `None` where its host has no name: browsers bind passkeys to names.
    #[must_use]
    pub fn at(base_url: &str) -> Option<Self> {
        let url = Url::parse(base_url).ok()?;
        let host = url.domain()?.to_owned();
        WebauthnBuilder::new(&host, &url).ok()?.rp_name("touban").build().ok().map(Self)
    }

    /// Asks for a new passkey that names its person by itself, so that signing in need not say whether
    /// somebody is known. `existing` are the bodies of those there are, which the browser will not make again.
    #[must_use]
    pub fn ask_new(&self, member: &MemberId, name: &str, existing: &[&str]) -> Option<Question> {
        let person = Uuid::from_u128(parse_crockford(member.as_str())?);
        let existing = existing
            .iter()
            .filter_map(|body| serde_json::from_str::<Passkey>(body).ok())
            .map(|key| key.cred_id().clone())
            .collect();
        let (mut options, state) =
            self.0.start_passkey_registration(person, name, name, Some(existing)).ok()?;
        if let Some(wanted) = &mut options.public_key.authenticator_selection {
            wanted.resident_key = Some(ResidentKeyRequirement::Required);
            wanted.require_resident_key = true;
        }
        Some(Question {
            options: serde_json::to_string(&options).ok()?,
            state: serde_json::to_string(&state).ok()?,
        })
    }

    /// The new passkey, if the answer is one to this question. `None` for anything else.
    #[must_use]
    pub fn register(&self, answer: &str, state: &str) -> Option<Registered> {
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).ok()?;
        let state: PasskeyRegistration = serde_json::from_str(state).ok()?;
        let key = self.0.finish_passkey_registration(&answer, &state).ok()?;
        Some(Registered {
            credential_hash: credential_hash(key.cred_id()),
            body: serde_json::to_string(&key).ok()?,
        })
    }

    /// Asks for any passkey of this site.
    #[must_use]
    pub fn ask(&self) -> Option<Question> {
        let (mut options, state) = self.0.start_discoverable_authentication().ok()?;
        // Asked by a button, not beside a field.
        options.mediation = None;
        Some(Question {
            options: serde_json::to_string(&options).ok()?,
            state: serde_json::to_string(&state).ok()?,
        })
    }

    /// Which credential an answer says it is from; nothing is proven yet.
    #[must_use]
    pub fn claimed(answer: &str) -> Option<[u8; 32]> {
        let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
        Some(credential_hash(answer.get_credential_id()))
    }

    /// The credential as it is to be stored after use, if the answer was signed with it and names this person.
    /// A counter that went back (a copied authenticator) is refused.
    #[must_use]
    pub fn check(&self, answer: &str, state: &str, body: &str, member: &MemberId) -> Option<String> {
        let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
        let state: DiscoverableAuthentication = serde_json::from_str(state).ok()?;
        let mut key: Passkey = serde_json::from_str(body).ok()?;
        let (person, _) = self.0.identify_discoverable_authentication(&answer).ok()?;
        if parse_crockford(member.as_str()) != Some(person.as_u128()) {
            return None;
        }
        let done = self.0.finish_discoverable_authentication_v2(&answer, state, &key).ok()?;
        if !done.user_verified() {
            return None;
        }
        key.update_credential(&done)?;
        serde_json::to_string(&key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;
    use crate::time::Millis;

    #[test]
    fn passkeys_are_bound_to_the_name_of_the_site() {
        for named in ["https://touban.example.jp", "http://localhost:8080"] {
            assert!(Passkeys::at(named).is_some(), "{named}");
        }
        for nameless in ["http://127.0.0.1:8080", "http://[::1]/", "not an address", ""] {
            assert!(Passkeys::at(nameless).is_none(), "{nameless}");
        }
    }

    #[test]
    fn every_question_asks_for_the_verified_person_and_tells_nothing() {
        let site = Passkeys::at("https://touban.example.jp").unwrap();
        let member = MemberId::new(Millis(1), &SeededChance::new(1));
        let new = site.ask_new(&member, "事務 花", &["not a passkey"]).unwrap();
        assert!(new.options.contains(r#""userVerification":"required""#), "{}", new.options);
        assert!(new.options.contains(r#""residentKey":"required""#), "{}", new.options);
        let asked = site.ask().unwrap();
        assert!(asked.options.contains(r#""userVerification":"required""#), "{}", asked.options);
        assert!(asked.options.contains(r#""allowCredentials":[]"#), "{}", asked.options);
        assert!(asked.options.contains(r#""rpId":"touban.example.jp""#), "{}", asked.options);
        assert_ne!(asked.options, site.ask().unwrap().options);
        for wrong in ["", "{}", "null", "[]"] {
            assert_eq!(site.register(wrong, &new.state), None);
            assert_eq!(site.check(wrong, &asked.state, "{}", &member), None);
            assert_eq!(Passkeys::claimed(wrong), None);
        }
    }
}
