//! Typed ids and the source of chance.
//!
//! An id is a UUIDv7 (RFC 9562 §5.7) from the injected clock and chance, stored as 26 characters of
//! Crockford base 32 so that ids sort by the time they were made. What is computed again and must come out
//! equal, a ledger line, is named by what it stands for instead (UUIDv8). In the API an id carries a kind
//! prefix (`req_…`); nowhere else.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Where random bytes come from. The real one is made in `main`.
pub trait Chance: Send + Sync + fmt::Debug {
    fn fill(&self, bytes: &mut [u8]);

    /// A uniform number in `0..bound` (0 when `bound` is 0): for jitter, never for secrets.
    fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0u8; 8];
        self.fill(&mut bytes);
        if bound == 0 { 0 } else { u64::from_le_bytes(bytes) % bound }
    }
}

/// A source of chance that everything shares.
pub type SharedChance = Arc<dyn Chance>;

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws from the real generator")]
    fn fill(&self, bytes: &mut [u8]) {
        use rand::Rng;
        rand::rng().fill_bytes(bytes);
    }
}

/// A seeded generator: the same seed gives the same bytes. For the simulation and tests.
#[derive(Debug)]
pub struct SeededChance(std::sync::Mutex<rand::rngs::StdRng>);

impl SeededChance {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        use rand::SeedableRng;
        Self(std::sync::Mutex::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        use rand::Rng;
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
    }
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 128 bits as 26 characters of Crockford base 32, most significant first.
#[must_use]
pub fn crockford_128(value: u128) -> String {
    (0..26)
        .rev()
        .map(|i| {
            let digit = usize::try_from((value >> (5 * i)) & 31).unwrap_or(0);
            char::from(CROCKFORD.get(digit).copied().unwrap_or(b'0'))
        })
        .collect()
}

/// Reads Crockford base 32 as people type it: case does not matter, `I L` are 1, `O` is 0, hyphens and
/// spaces are skipped. `None` for any other character or for more than 128 bits.
#[must_use]
pub fn parse_crockford(text: &str) -> Option<u128> {
    let mut value: u128 = 0;
    let mut seen = false;
    for c in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
        let c = match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        };
        let digit = CROCKFORD.iter().position(|&d| char::from(d) == c)?;
        if value >> 123 != 0 {
            return None;
        }
        value = (value << 5) | u128::try_from(digit).ok()?;
        seen = true;
    }
    seen.then_some(value)
}

fn uuid_v7(now: Millis, chance: &dyn Chance) -> u128 {
    let mut random = [0u8; 10];
    chance.fill(&mut random);
    let millis = u128::from(now.0.unsigned_abs()) & 0xFFFF_FFFF_FFFF;
    let noise = random.iter().fold(0u128, |acc, b| (acc << 8) | u128::from(*b));
    let (rand_a, rand_b) = ((noise >> 62) & 0xFFF, noise & 0x3FFF_FFFF_FFFF_FFFF);
    (millis << 80) | (7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

/// A UUIDv8 named by what it stands for (RFC 9562 §5.8, as in its appendix B.2): SHA-256 over the parts,
/// each preceded by its length as eight bytes, most significant first, so that no two lists of parts run
/// together; the first 128 bits of it, with version and variant set.
fn uuid_v8(parts: &[&str]) -> u128 {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bits = hash.finalize().iter().take(16).fold(0u128, |acc, b| (acc << 8) | u128::from(*b));
    bits & !(0xF << 76) & !(0b11 << 62) | (8 << 76) | (0b10 << 62)
}

/// The text is not an id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of kind {kind}")]
pub struct NotAnId {
    pub kind: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The prefix this kind of id carries in the API.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from the given instant and chance.
            #[must_use]
            pub fn new(now: Millis, chance: &dyn Chance) -> Self {
                Self(crockford_128(uuid_v7(now, chance)))
            }

            /// The id of the one thing that `parts` name together: the same parts give the same id, for
            /// ever and everywhere. For what is computed again and must come out equal. Such ids do not
            /// sort by time.
            #[must_use]
            pub fn named(parts: &[&str]) -> Self {
                Self(crockford_128(uuid_v8(parts)))
            }

            /// The id as it stands in the database: 26 characters, no prefix.
            ///
            /// # Errors
            /// When the text is not 26 characters of Crockford base 32.
            pub fn from_stored(text: &str) -> Result<Self, NotAnId> {
                let well_formed = text.len() == 26 && text.bytes().all(|b| CROCKFORD.contains(&b));
                if well_formed { Ok(Self(text.to_owned())) } else { Err(NotAnId { kind: $prefix }) }
            }

            /// The id as it stands in the API: prefix, underscore, 26 characters.
            ///
            /// # Errors
            /// When the prefix or the rest is of another kind.
            pub fn from_api(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(concat!($prefix, "_")).map_or(Err(NotAnId { kind: $prefix }), Self::from_stored)
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id with its kind prefix, for the API.
            #[must_use]
            pub fn api(&self) -> String {
                format!(concat!($prefix, "_{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// A district medical association (地区医師会): the tenant.
    AssociationId = "asc";
    /// An institution (医療機関).
    InstitutionId = "ins";
    /// A care group of institutions (在宅支援連携体制).
    CareGroupId = "grp";
    /// A member (会員, 利用者): a person of the association.
    MemberId = "mem";
    /// A request (依頼) of any kind.
    RequestId = "req";
    /// One person asked for one request.
    OfferId = "ofr";
    /// One physical try to reach somebody: a mail, a phone leg.
    AttemptId = "att";
    /// An urgent call or a bridged talk, with all its legs (緊急連絡, 電話橋渡し).
    CallId = "cal";
    /// A link sent to a person.
    LinkId = "lnk";
    /// A known device of a person.
    DeviceId = "dev";
    /// A device that the people of an institution share.
    SharedDeviceId = "shd";
    /// One try whether somebody can be reached.
    ReachTestId = "rch";
    /// A signed-in session.
    SessionId = "ses";
    /// A key of the API.
    ApiKeyId = "key";
    /// A row of the outbox or a due time.
    JobId = "job";
    /// Something a human must look at.
    AlarmId = "alm";
    HoldId = "hld";
    /// A passkey of a person.
    PasskeyId = "pky";
    /// Somebody who lost the means to sign in, on the way to new ones.
    RecoveryId = "rcv";
    /// A telephone number that waits for a call back.
    PhoneChangeId = "phc";
    /// A sheet that was read in.
    SheetRunId = "sht";
    /// A rota or wish sheet that was read in.
    RotaSheetId = "rsh";
    /// A link by which a calendar program reads duties.
    CalendarFeedId = "ics";
    /// A publication of the rota (当番表の公開).
    PublicationId = "pub";
    /// An override of the rota (臨時変更).
    OverrideId = "ovr";
    /// A taken swap (交代).
    SwapId = "swp";
    /// A rota being made (当番表の案).
    RotaDraftId = "drf";
    /// Lots drawn for the year-end (抽選).
    DrawId = "drw";
    /// A collection of wishes (希望の募集).
    WishRoundId = "wsr";
    /// A household of a clinic's home patient (患家).
    HouseholdId = "hhd";
    /// A version of a night card (夜間カード).
    NightCardId = "ncd";
    /// A proof of who may open night cards, for a short time.
    CardPassId = "cps";
    /// One opening of a night card.
    CardOpeningId = "cop";
    /// A line of a clinic's year, or a conference (診療実績).
    ClinicRecordId = "clr";
    /// A line of the own rota of a pillar (受け皿の当番表).
    PillarDutyId = "pld";
    /// A line of the subsidy ledger (補助台帳の明細).
    LedgerLineId = "lin";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made_and_read_back() {
        let chance = SeededChance::new(7);
        let earlier = RequestId::new(Millis(1_700_000_000_000), &chance);
        let later = RequestId::new(Millis(1_700_000_000_001), &chance);
        assert!(earlier < later);
        assert_eq!(RequestId::from_api(&earlier.api()).unwrap(), earlier);
        assert_eq!(RequestId::from_stored(earlier.as_str()).unwrap(), earlier);
        assert!(OfferId::from_api(&earlier.api()).is_err());
        assert!(RequestId::from_stored("short").is_err());
    }

    #[test]
    fn an_id_is_a_version_7_uuid() {
        let id = RequestId::new(Millis(0x0123_4567_89AB), &SeededChance::new(1));
        let bits = parse_crockford(id.as_str()).unwrap();
        assert_eq!(bits >> 80, 0x0123_4567_89AB);
        assert_eq!((bits >> 76) & 0xF, 7);
        assert_eq!((bits >> 62) & 0b11, 0b10);
    }

    #[test]
    fn a_named_id_is_the_same_for_ever_and_parts_do_not_run_together() {
        let id = LedgerLineId::named(&["touban", "line"]);
        // SHA-256 of 0000000000000006 "touban" 0000000000000004 "line", worked out with another program.
        assert_eq!(id.as_str(), "4E2EEY34KNHHXVJNWF99AFTV37");
        assert_eq!(LedgerLineId::from_stored(id.as_str()).unwrap(), id);
        assert_ne!(id, LedgerLineId::named(&["toubanl", "ine"]));
        assert_ne!(id, LedgerLineId::named(&["touban", "line", ""]));
        let bits = parse_crockford(id.as_str()).unwrap();
        assert_eq!(((bits >> 76) & 0xF, (bits >> 62) & 0b11), (8, 0b10));
    }

    #[test]
    fn typed_codes_forgive_look_alikes() {
        assert_eq!(parse_crockford("o1-Il"), parse_crockford("0111"));
        assert_eq!(parse_crockford("U"), None);
        assert_eq!(parse_crockford(""), None);
        assert_eq!(parse_crockford(&"Z".repeat(27)), None);
    }
}
