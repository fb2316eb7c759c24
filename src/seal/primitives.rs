//! The few primitives everything in this room is built from: HMAC-SHA-256, HKDF-Expand, AES-256-GCM,
//! unambiguous field encoding, base64url, comparison in constant time. No policy.

use aes_gcm::aead::array::Array;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::ids::Chance;

pub const KEY_BYTES: usize = 32;
pub const NONCE_BYTES: usize = 12;
pub const TAG_BYTES: usize = 16;

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the parts as one text.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A sub-key: HKDF-Expand (RFC 5869 §2.3) of 32 bytes, which is one block. The extract step is left out
/// because the master key is already uniform (§3.3).
pub fn expand(key: &[u8; KEY_BYTES], label: &str) -> Zeroizing<[u8; KEY_BYTES]> {
    Zeroizing::new(mac(key, &[label.as_bytes(), &[1]]))
}

/// Whether both are the same, in a time that depends on the lengths only.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Base64url without padding (RFC 4648 §5).
pub fn text_of(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn bytes_of(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Fields one after the other, each with its length before it, so that no two different lists of fields
/// give the same bytes.
#[derive(Debug, Default)]
pub struct Fields(Vec<u8>);

impl Fields {
    pub fn new(tag: &str) -> Self {
        Self::default().field(tag.as_bytes())
    }

    /// Length as 4 bytes, most significant first, then the bytes. Nothing in this room comes near 4 GiB;
    /// a longer field would be marked by a length that no field can have.
    pub fn field(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// AES-256-GCM (NIST SP 800-38D) with a fresh random nonce: nonce, ciphertext, tag.
/// One key may seal 2^32 texts this way (§8.3); ours seal one each, month keys one per sealed field.
pub fn gcm_seal(key: &[u8; KEY_BYTES], associated: &[u8], plain: &[u8], chance: &dyn Chance) -> Vec<u8> {
    let mut nonce = [0u8; NONCE_BYTES];
    chance.fill(&mut nonce);
    gcm_seal_with_nonce(key, &nonce, associated, plain)
}

fn gcm_seal_with_nonce(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    associated: &[u8],
    plain: &[u8],
) -> Vec<u8> {
    // Room for everything at once: growing would leave a copy of the plain text behind.
    let mut out = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
    out.extend_from_slice(nonce);
    out.extend_from_slice(plain);
    let (_, body) = out.split_at_mut(NONCE_BYTES);
    let tag = Aes256Gcm::new(&Array(*key))
        .encrypt_inout_detached(&Array(*nonce), associated, body.into())
        .expect("a text in memory is shorter than AES-GCM's limit of 64 GiB");
    out.extend_from_slice(&tag);
    out
}

/// Opens what [`gcm_seal`] made; `None` when a bit of text, key or associated data differs.
pub fn gcm_open(key: &[u8; KEY_BYTES], associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    Aes256Gcm::new(&Array(*key)).decrypt_in_place(&Array(*nonce), associated, &mut *plain).ok()?;
    Some(plain)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_from_hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    fn from_hex<const N: usize>(text: &str) -> [u8; N] {
        all_from_hex(text).try_into().unwrap()
    }

    #[test]
    fn sealing_gives_the_answers_of_nist() {
        // NIST CAVP, gcmEncryptExtIV256.rsp: key, nonce, plain, associated, cipher, tag.
        const ANSWERS: [[&str; 6]; 3] = [
            [
                "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
                "516c33929df5a3284ff463d7",
                "",
                "",
                "",
                "bdc1ac884d332457a1d2664f168c76f0",
            ],
            [
                "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a",
                "0b459724904e010a46901cf3",
                "33d893a2114ce06fc15d55e454cf90c3",
                "794a14ccd178c8ebfd1379dc704c5e208f9d8424",
                "cc66bee423e3fcd4c0865715e9586696",
                "0fb291bd3dba94a1dfd8b286cfb97ac5",
            ],
            [
                "69b458f2644af9020463b40ee503cdf083d693815e2659051ae0d039e606a970",
                "8d1da8ab5f91ccd09205944b",
                "f3e0e09224256bf21a83a5de8d",
                "036ad5e5494ef817a8af2f5828784a4bfedd1653",
                "c0a62d77e6031bfdc6b13ae217",
                "a794a9aaee48cd92e47761bf1baff0af",
            ],
        ];
        for [key, nonce, plain, associated, cipher, tag] in ANSWERS {
            let (key, plain, associated) =
                (from_hex::<32>(key), all_from_hex(plain), all_from_hex(associated));
            let sealed = gcm_seal_with_nonce(&key, &from_hex::<12>(nonce), &associated, &plain);
            assert_eq!(hex(&sealed), format!("{nonce}{cipher}{tag}"));
            assert_eq!(*gcm_open(&key, &associated, &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn hmac_gives_the_answers_of_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 2] = [
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, text, expected) in cases {
            assert_eq!(hex(&mac(key, &[text])), expected);
            let (a, b) = text.split_at(5);
            assert_eq!(hex(&mac(key, &[a, b])), expected);
        }
    }

    #[test]
    fn expansion_is_that_of_rfc_5869() {
        // Appendix A.1: PRK, info; the first 32 of the 42 octets are the first block.
        let prk = from_hex::<32>("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let info = from_hex::<10>("f0f1f2f3f4f5f6f7f8f9");
        assert_eq!(
            hex(&mac(&prk, &[&info, &[1]])),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        );
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        let ab_c = Fields::new("t").field(b"ab").field(b"c").bytes();
        let a_bc = Fields::new("t").field(b"a").field(b"bc").bytes();
        assert_ne!(ab_c, a_bc);
        assert_eq!(Fields::default().field(b"ab").bytes(), [0, 0, 0, 2, b'a', b'b']);
    }
}
