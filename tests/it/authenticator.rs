//! An authenticator in software (Web Authentication, level 2): makes P-256 credentials and signs with them as a
//! device would whose owner pressed and was verified. Its bytes are written by hand from the standard.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use touban::ids::{Chance as _, SystemChance};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const WITH_CREDENTIAL: u8 = 0x40;

/// A device with one credential.
#[derive(Clone)]
pub struct Authenticator {
    key: SigningKey,
    id: Vec<u8>,
    origin: String,
    user: Value,
    pub counter: u32,
    /// Its owner showed finger, face or number.
    pub verifies: bool,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Authenticator {
    /// As a browser at this origin uses it.
    pub fn new(origin: &str) -> Self {
        let (mut secret, mut id) = ([0u8; 32], vec![0u8; 32]);
        SystemChance.fill(&mut secret);
        SystemChance.fill(&mut id);
        // Surely below the order of the curve.
        secret[0] &= 0x7F;
        let key = SigningKey::from_slice(&secret).unwrap();
        Self { key, id, origin: origin.to_owned(), user: Value::Null, counter: 0, verifies: true }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        let origin = &self.origin;
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn head(&mut self, site: &Value, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = Sha256::digest(site.as_str().unwrap().as_bytes()).to_vec();
        data.push(flags | PRESENT | if self.verifies { VERIFIED } else { 0 });
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// The answer to `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Value {
        let asked = &options["publicKey"];
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        self.user = asked["user"]["id"].clone();
        let mut data = self.head(&asked["rp"]["id"], WITH_CREDENTIAL);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&32u16.to_be_bytes());
        data.extend_from_slice(&self.id);
        // COSE_Key (RFC 9052 §7): EC2, ES256, P-256, x, y.
        let point = self.key.verifying_key().to_sec1_point(false);
        data.extend_from_slice(&[0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend_from_slice(point.x().unwrap());
        data.extend_from_slice(&[0x22, 0x58, 0x20]);
        data.extend_from_slice(point.y().unwrap());
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut attestation = vec![0xA3, 0x63];
        attestation.extend_from_slice(b"fmt\x64none\x67attStmt\xA0\x68authData\x58");
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend_from_slice(&data);
        let client = self.client_data("webauthn.create", options);
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "attestationObject": text(&attestation), "clientDataJSON": text(&client), "transports": ["internal"],
            },
        })
    }

    /// The answer to `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        let asked = &options["publicKey"];
        assert_eq!(asked["userVerification"], "required");
        assert_eq!(asked["allowCredentials"], json!([]), "the question names nobody");
        let data = self.head(&asked["rpId"], 0);
        let client = self.client_data("webauthn.get", options);
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client));
        let signature: DerSignature = self.key.sign(&signed);
        json!({
            "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": text(&data), "clientDataJSON": text(&client),
                "signature": text(signature.as_bytes()), "userHandle": self.user,
            },
        })
    }
}
