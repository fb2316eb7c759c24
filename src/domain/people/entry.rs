//! What stands in the directory about an institution and a member beside their names: plain data.

use serde::{Deserialize, Serialize};

/// The directory's entry of an institution (医療資源).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstitutionEntry {
    /// Seven digits, or empty.
    pub postcode: String,
    pub address: String,
    /// Coarse areas it serves; empty = its own.
    pub serves: Vec<String>,
    /// Opening hours in its own words, "月〜金 9時〜18時".
    pub hours: String,
    /// Reached and visiting day and night (24時間対応).
    pub round_the_clock: bool,
    /// Whom to ask for (連絡担当者).
    pub contact_person: String,
    /// What it takes and under which conditions (受け入れ条件): short stays, admissions.
    pub accepts: String,
    /// Stands in the public list and on the public print.
    pub public: bool,
    pub note: String,
}

/// What an association's office says of itself beside its name and telephone. Public, so in plain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfficeEntry {
    pub fax: String,
    pub mail: String,
    /// Seven digits, or empty.
    pub postcode: String,
    pub address: String,
    /// When somebody is there, in its own words: 平日9時〜17時.
    pub hours: String,
    /// When nobody is: 土日祝、年末年始.
    pub closed: String,
}

/// A way to reach a member; the order is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Mail,
    Phone,
    Fax,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Mail, Self::Phone, Self::Fax];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Phone => "phone",
            Self::Fax => "fax",
        }
    }

    /// Reads [`Way::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.code() == code)
    }
}

/// What duty a member can carry (当番の条件); read by the rota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DutyProfile {
    /// 電話対応のみ: no visits.
    pub phone_only: bool,
    /// Not between 22 and 6 o'clock.
    pub no_deep_night: bool,
    /// Turns a month; `None` = no limit of their own.
    pub max_per_month: Option<u32>,
    /// Takes no part in the rota.
    pub exempt: bool,
}

/// What else is known of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemberProfile {
    /// First choice first; empty = mail.
    pub ways: Vec<Way>,
    pub duty: DutyProfile,
    pub note: String,
}
