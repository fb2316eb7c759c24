//! Sheets as offices keep them: from a table of texts to planned changes. Bytes become a table in `export`;
//! what is planned is written by `app`.

mod cells;
mod header;
mod houses;
mod institutions;
mod members;
mod plan;
mod table;
mod values;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::calendar::CivilDate;
use crate::domain::people::contact_window::{ContactWay, ContactWindow};
use crate::domain::people::entry::{InstitutionEntry, MemberProfile};
use crate::domain::people::{Role, SpecialtyOffer};
use crate::ids::{InstitutionId, MemberId};

pub use header::{Heading, find_heading};
pub use institutions::plan_institutions;
pub use members::plan_members;
pub use plan::{
    CellProblem, Counts, Diff, InstitutionOf, NewHouse, Note, Outcome, Plan, PlannedRow, Reason, Seen, Target,
};
pub use table::{Merged, OutCell, OutTable, Table, TableRow};
pub use values::{fold_name, same_text};
pub use windows::{plan_windows, said_of_window};

/// What the rows of a sheet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// People, with their institution in the same row.
    Members,
    Institutions,
    /// The yearly list of contact windows (ケアマネタイム): one row, one window of a doctor who is there.
    Windows,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Members, Self::Institutions, Self::Windows];

    /// The stable word of forms, commands and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Institutions => "institutions",
            Self::Windows => "windows",
        }
    }

    /// Reads [`Kind::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// The columns a sheet of this kind may have, in the order in which ours has them.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        use Column::{
            Accepts, Address, Area, Category, CityCode, ContactPerson, Email, Exempt, Fax, Holidays, Hours,
            Institution, InstitutionCode, Joined, Kana, MaxPerMonth, MemberNo, Name, NoDeepNight, Note,
            OpeningHours, Phone, PhoneOnly, Postcode, Public, Roles, RoundTheClock, Serves, Specialties,
            Visits, Ways, Weekdays,
        };
        match self {
            Self::Members => &[
                MemberNo,
                Name,
                Kana,
                Institution,
                InstitutionCode,
                Category,
                Area,
                Roles,
                Specialties,
                Visits,
                Weekdays,
                Hours,
                Phone,
                Fax,
                Email,
                Ways,
                Joined,
                PhoneOnly,
                NoDeepNight,
                MaxPerMonth,
                Exempt,
                Note,
            ],
            Self::Institutions => &[
                InstitutionCode,
                Institution,
                Kana,
                Category,
                Area,
                CityCode,
                Postcode,
                Address,
                Phone,
                Fax,
                OpeningHours,
                RoundTheClock,
                Serves,
                ContactPerson,
                Accepts,
                Public,
                Note,
            ],
            Self::Windows => &[MemberNo, Name, Institution, Ways, Weekdays, Hours, Holidays, Public, Note],
        }
    }
}

/// What a column of a sheet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// 会員番号
    MemberNo,
    /// 氏名
    Name,
    /// ふりがな
    Kana,
    /// 医療機関名
    Institution,
    /// 保険医療機関コード
    InstitutionCode,
    /// 区分: the kind of the institution, or what the person does
    Category,
    /// 地区
    Area,
    /// 役割
    Roles,
    /// 診療科: what they volunteer for
    Specialties,
    /// 往診: whether they also visit
    Visits,
    /// 曜日
    Weekdays,
    /// 時間
    Hours,
    /// 電話
    Phone,
    /// FAX
    Fax,
    /// メール
    Email,
    /// 連絡方法
    Ways,
    /// 入会日
    Joined,
    /// 電話対応のみ
    PhoneOnly,
    /// 深夜は不可
    NoDeepNight,
    /// 月の上限
    MaxPerMonth,
    /// 当番免除
    Exempt,
    /// 備考
    Note,
    /// 市区町村コード
    CityCode,
    /// 郵便番号
    Postcode,
    /// 住所
    Address,
    /// 診療時間
    OpeningHours,
    /// 24時間対応
    RoundTheClock,
    /// 対応地区
    Serves,
    /// 連絡担当者
    ContactPerson,
    /// 受け入れ条件
    Accepts,
    /// 公開
    Public,
    /// 祝日: also on holidays
    Holidays,
}

impl Column {
    pub const ALL: [Self; 32] = [
        Self::MemberNo,
        Self::Name,
        Self::Kana,
        Self::Institution,
        Self::InstitutionCode,
        Self::Category,
        Self::Area,
        Self::Roles,
        Self::Specialties,
        Self::Visits,
        Self::Weekdays,
        Self::Hours,
        Self::Phone,
        Self::Fax,
        Self::Email,
        Self::Ways,
        Self::Joined,
        Self::PhoneOnly,
        Self::NoDeepNight,
        Self::MaxPerMonth,
        Self::Exempt,
        Self::Note,
        Self::CityCode,
        Self::Postcode,
        Self::Address,
        Self::OpeningHours,
        Self::RoundTheClock,
        Self::Serves,
        Self::ContactPerson,
        Self::Accepts,
        Self::Public,
        Self::Holidays,
    ];

    /// The stable word; its name for people is `sheet-column-CODE`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MemberNo => "member_no",
            Self::Name => "name",
            Self::Kana => "kana",
            Self::Institution => "institution",
            Self::InstitutionCode => "institution_code",
            Self::Category => "category",
            Self::Area => "area",
            Self::Roles => "roles",
            Self::Specialties => "specialties",
            Self::Visits => "visits",
            Self::Weekdays => "weekdays",
            Self::Hours => "hours",
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Email => "email",
            Self::Ways => "ways",
            Self::Joined => "joined",
            Self::PhoneOnly => "phone_only",
            Self::NoDeepNight => "no_deep_night",
            Self::MaxPerMonth => "max_per_month",
            Self::Exempt => "exempt",
            Self::Note => "note",
            Self::CityCode => "city_code",
            Self::Postcode => "postcode",
            Self::Address => "address",
            Self::OpeningHours => "opening_hours",
            Self::RoundTheClock => "round_the_clock",
            Self::Serves => "serves",
            Self::ContactPerson => "contact_person",
            Self::Accepts => "accepts",
            Self::Public => "public",
            Self::Holidays => "holidays",
        }
    }

    /// Written as text in a spreadsheet, so that leading zeros stay.
    #[must_use]
    pub const fn is_code(self) -> bool {
        matches!(
            self,
            Self::MemberNo
                | Self::InstitutionCode
                | Self::CityCode
                | Self::Postcode
                | Self::Phone
                | Self::Fax
        )
    }
}

/// Everything a sheet can say of a member: a whole state, so that what was there can be put back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberDraft {
    pub name: String,
    pub kana: String,
    pub institution: InstitutionOf,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub fax: Option<String>,
    pub roles: Vec<Role>,
    pub specialties: Vec<SpecialtyOffer>,
    pub member_no: String,
    pub profile: MemberProfile,
    /// The day from which they are a member; `None` for a new one: from now on.
    pub joined: Option<CivilDate>,
}

/// Everything a sheet can say of an institution.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionDraft {
    pub name: String,
    pub kana: String,
    pub kind: String,
    pub area: String,
    pub city_code: String,
    pub code: String,
    pub phone: Option<String>,
    pub fax: Option<String>,
    pub entry: InstitutionEntry,
}

/// Everything a sheet can say of a doctor's contact windows: all of them, of one fiscal year.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowsDraft {
    pub member: MemberId,
    /// The fiscal year that begins in this year.
    pub year: i32,
    pub windows: Vec<ContactWindow>,
}

/// Names and numbers of people stay out of logs.
macro_rules! unsaid {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
pub(crate) use unsaid;
unsaid!(MemberDraft, InstitutionDraft, WindowsDraft);

/// A member as they stand now; those who left are not among them.
#[derive(Clone, Debug)]
pub struct MemberNow {
    pub id: MemberId,
    pub revision: i64,
    pub draft: MemberDraft,
}

/// An institution as it stands now.
#[derive(Clone, Debug)]
pub struct InstitutionNow {
    pub id: InstitutionId,
    pub revision: i64,
    pub draft: InstitutionDraft,
}

/// What is there already, and the words of the association's language for what has a code.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub members: Vec<MemberNow>,
    pub institutions: Vec<InstitutionNow>,
    /// The contact windows of the fiscal years that a list may be of, with their revisions, by doctor.
    pub windows: BTreeMap<i32, BTreeMap<MemberId, WindowsNow>>,
    /// The fiscal year it is.
    pub year: i32,
    pub words: Words,
}

/// A doctor's contact windows of a year, and the revision at which they stand.
pub type WindowsNow = (i64, Vec<ContactWindow>);

/// The names under which codes are written in sheets, in every language we speak: `(name, code)`.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub specialties: Vec<(String, String)>,
    pub kinds: Vec<(String, String)>,
    pub roles: Vec<(String, Role)>,
    pub ways: Vec<(String, ContactWay)>,
}

/// What a sheet says in a column about a member or an institution; empty where it says nothing.
#[must_use]
pub fn said_of_member(draft: &MemberDraft, column: Column, world: &World) -> String {
    members::said(draft, column, world, &[])
}

/// As [`said_of_member`].
#[must_use]
pub fn said_of_institution(draft: &InstitutionDraft, column: Column, world: &World) -> String {
    institutions::said(draft, column, world)
}

/// What would be done with a sheet of this kind.
#[must_use]
pub fn plan(kind: Kind, table: &Table, world: &World) -> Plan {
    match kind {
        Kind::Members => plan_members(table, world),
        Kind::Institutions => plan_institutions(table, world),
        Kind::Windows => plan_windows(table, world),
    }
}
