//! What the rota is made of: publications, overrides, taken swaps, leavings. Plain records, each with the
//! instant at which it was recorded. What follows from them together is `timeline`'s.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::calendar::{CivilDate, NotADate};
use crate::domain::ledger::{Code, NotACode};
use crate::ids::{InstitutionId, MemberId, OverrideId, PublicationId, SwapId};
use crate::time::{Millis, Window};

/// Which duty of a slot (当番の役割).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotaRole {
    /// 正: rung first.
    Primary,
    /// 副: rung when the primary does not answer.
    Deputy,
    /// The third tier, behind both (控え).
    Backing,
}

impl RotaRole {
    /// Every role, in the order of ringing.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Deputy, Self::Backing];

    /// The stable word of the API, the data and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Deputy => "deputy",
            Self::Backing => "backing",
        }
    }

    /// Reads [`RotaRole::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// The key of an area (地区) for which duty is held: 1 to 64 characters, no blanks or control characters.
/// An association without areas has one that stands for all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Area(String);

/// The text is not the key of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of an area has 1 to 64 characters, no blanks")]
pub struct NotAnArea;

impl Area {
    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Area {
    type Err = NotAnArea;

    fn from_str(text: &str) -> Result<Self, NotAnArea> {
        let length = text.chars().count();
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if plain && (1..=64).contains(&length) { Ok(Self(text.to_owned())) } else { Err(NotAnArea) }
    }
}

impl TryFrom<String> for Area {
    type Error = NotAnArea;

    fn try_from(text: String) -> Result<Self, NotAnArea> {
        text.parse()
    }
}

impl From<Area> for String {
    fn from(area: Area) -> Self {
        area.0
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a slot within its area: the civil day on which it begins and its kind, `2026-07-01/wn`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SlotKey {
    /// The civil day on which the slot begins, in the association's zone.
    pub day: CivilDate,
    /// The kind of the slot, as in the slot patterns.
    pub kind: Code,
}

/// The text does not name a slot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASlotKey {
    /// No slash between day and kind.
    #[error("a slot is written as its day, a slash and its kind: 2026-07-01/wn")]
    NoSlash,
    /// The part before the slash is not a day.
    #[error(transparent)]
    Day(#[from] NotADate),
    /// The part after the slash is not a kind.
    #[error(transparent)]
    Kind(#[from] NotACode),
}

impl FromStr for SlotKey {
    type Err = NotASlotKey;

    fn from_str(text: &str) -> Result<Self, NotASlotKey> {
        let (day, kind) = text.split_once('/').ok_or(NotASlotKey::NoSlash)?;
        Ok(Self { day: day.parse()?, kind: kind.parse()? })
    }
}

impl TryFrom<String> for SlotKey {
    type Error = NotASlotKey;

    fn try_from(text: String) -> Result<Self, NotASlotKey> {
        text.parse()
    }
}

impl From<SlotKey> for String {
    fn from(key: SlotKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.day, self.kind)
    }
}

impl fmt::Debug for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who holds a duty: a person, for an institution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The person who is rung.
    pub person: MemberId,
    /// The institution for which they hold it; its 24-hour turns are counted by this.
    pub institution: InstitutionId,
}

/// A person put into a role of a slot (割当). The hours are those of the slot when it was made: slot
/// patterns that change later do not move what was published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assignment {
    /// Where.
    pub area: Area,
    /// Which slot.
    pub slot: SlotKey,
    /// In which role.
    pub role: RotaRole,
    /// From when until when.
    pub window: Window,
    /// Who.
    pub holder: Holder,
}

/// A published rota (当番表の公開) of one area. Within its area it replaces every duty published earlier that
/// *begins* within its period; a night that began before the period stays as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// The area it speaks for; assignments of other areas in it count for nothing.
    pub area: Area,
    /// The period it speaks for; assignments that begin outside of it count for nothing.
    pub period: Window,
    /// When it was published.
    pub recorded_at: Millis,
    /// Who is on; in no order.
    pub assignments: Vec<Assignment>,
}

/// A change made by the office (臨時変更), above publications and swaps. It belongs to one role and area and
/// does not chain: what its holder gave away elsewhere plays no part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Its id; the greater one wins when recorded time and start are equal.
    pub id: OverrideId,
    /// Where.
    pub area: Area,
    /// Which role.
    pub role: RotaRole,
    /// From when until when.
    pub window: Window,
    /// Who; `None` is a gap, not a fall-through.
    pub holder: Option<Holder>,
    /// When it was recorded; the later one wins.
    pub recorded_at: Millis,
    /// When it was taken back.
    pub withdrawn_at: Option<Millis>,
}

/// One duty, or part of one, that changes hands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leg {
    /// Where.
    pub area: Area,
    /// Which role.
    pub role: RotaRole,
    /// The whole duty or part of it.
    pub window: Window,
    /// Who holds it before.
    pub giver: MemberId,
    /// Who holds it after.
    pub taker: Holder,
}

/// A taken swap (交代): given away or covered (one leg) or exchanged (two or more); all legs or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Its id; the greater one comes later when all else is equal.
    pub id: SwapId,
    /// What changes hands; in no order.
    pub legs: Vec<Leg>,
    /// When it was taken. A leg counts from here where it had already begun.
    pub taken_at: Millis,
    /// When it was recorded; differs from `taken_at` in imports only.
    pub recorded_at: Millis,
    /// When it was undone. Counts only before the earliest leg begins.
    pub undone_at: Option<Millis>,
}

/// Who left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaver {
    /// A member, whatever institution they hold duty for.
    Person(MemberId),
    /// An institution, with every duty held for it.
    Institution(InstitutionId),
}

/// A return after a leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// From when they hold duty again.
    pub from: Millis,
    /// When it was recorded.
    pub recorded_at: Millis,
}

/// Somebody left (退会, 休会): from that instant they hold nothing, and nobody moves up silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Who.
    pub who: Leaver,
    /// From when.
    pub from: Millis,
    /// When it was recorded.
    pub recorded_at: Millis,
    /// Whether and when they came back.
    pub back: Option<Return>,
}

/// A linked home-care group (在宅支援連携体制), whose unit of rotation is the institution.
///
/// Source: the standards for facilities (施設基準) of the linked type: fewer than ten institutions, the own
/// one included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CareGroupData", into = "CareGroupData")]
pub struct CareGroup {
    area: Area,
    institutions: BTreeSet<InstitutionId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CareGroupData {
    area: Area,
    institutions: BTreeSet<InstitutionId>,
}

/// Too few or too many institutions for a linked group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a linked group has 2 to 9 institutions, not {institutions}")]
pub struct NotACareGroup {
    /// How many were named.
    pub institutions: usize,
}

impl CareGroup {
    /// The most institutions of a group.
    pub const INSTITUTIONS_MAX: usize = 9;

    /// A group that holds the duty of `area`.
    ///
    /// # Errors
    /// When there are fewer than two or more than nine institutions.
    pub fn new(area: Area, institutions: BTreeSet<InstitutionId>) -> Result<Self, NotACareGroup> {
        if (2..=Self::INSTITUTIONS_MAX).contains(&institutions.len()) {
            Ok(Self { area, institutions })
        } else {
            Err(NotACareGroup { institutions: institutions.len() })
        }
    }

    /// The area whose duty the group holds.
    #[must_use]
    pub const fn area(&self) -> &Area {
        &self.area
    }

    /// Its institutions.
    #[must_use]
    pub const fn institutions(&self) -> &BTreeSet<InstitutionId> {
        &self.institutions
    }
}

impl TryFrom<CareGroupData> for CareGroup {
    type Error = NotACareGroup;

    fn try_from(data: CareGroupData) -> Result<Self, NotACareGroup> {
        Self::new(data.area, data.institutions)
    }
}

impl From<CareGroup> for CareGroupData {
    fn from(group: CareGroup) -> Self {
        Self { area: group.area, institutions: group.institutions }
    }
}

/// Everything recorded that decides who is on. The order within each list means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Published rotas.
    pub publications: Vec<Publication>,
    /// Changes made by the office.
    pub overrides: Vec<Override>,
    /// Taken swaps.
    pub swaps: Vec<Swap>,
    /// Who left.
    pub leavings: Vec<Leaving>,
}
