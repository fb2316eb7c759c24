//! What the rota is judged by, read together: calendar, slot books, settings, people, groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::super::calendar::calendar_of;
use super::super::{App, AppError, Kit};
use crate::domain::calendar::{Calendar, CivilDate, civil_day, start_of_day};
use crate::domain::people::Role;
use crate::domain::rota::{
    Area, CareGroup, DutyPerson, Holder, Hole, RecordedBook, Required, RotaSettings, Slot, SlotBook,
    Timeline, book_as_of, holes,
};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::directory::care_group_institutions;
use crate::store::people::{
    Association, Institution, Member, association_by_id, institutions_after, members_after,
};
use crate::store::rota::plans::{rota_settings, slot_books};
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// The text of the slot patterns that an association begins with.
pub const BUILT_IN_SLOTS: &str = include_str!("../../../config/slots.toml");
/// More than a district has; the people of a rota are read as a whole.
const MOST: i64 = 5_000;

/// The slot patterns that an association begins with.
#[must_use]
pub fn built_in_book() -> &'static SlotBook {
    static BOOK: OnceLock<SlotBook> = OnceLock::new();
    BOOK.get_or_init(|| {
        SlotBook::parse("slots.toml", BUILT_IN_SLOTS, "built-in").expect("a test reads the built-in patterns")
    })
}

/// Everything beside the records that the rota is judged by.
#[derive(Clone, Debug)]
pub struct RotaWorld {
    pub home: Association,
    pub calendar: Calendar,
    /// Every version; never empty.
    pub books: Vec<RecordedBook>,
    pub settings: RotaSettings,
    /// 0: nothing was ever set.
    pub settings_version: i64,
    /// The groups that hold the duty of an area, as they are today.
    pub groups: Vec<CareGroup>,
    /// Everybody there ever was, those who left included.
    pub members: BTreeMap<MemberId, Member>,
    /// Every institution, closed ones included.
    pub institutions: BTreeMap<InstitutionId, Institution>,
    now: Millis,
}

impl RotaWorld {
    /// The zone of the association.
    #[must_use]
    pub const fn zone(&self) -> chrono_tz::Tz {
        self.home.zone
    }

    /// The slot book in use.
    #[must_use]
    pub fn book(&self) -> &SlotBook {
        book_as_of(&self.books, None).unwrap_or_else(|| built_in_book())
    }

    /// The slot book as known at `as_of`, or today.
    #[must_use]
    pub fn book_as_of(&self, as_of: Option<Millis>) -> &SlotBook {
        book_as_of(&self.books, as_of).unwrap_or_else(|| built_in_book())
    }

    /// What hours are required.
    #[must_use]
    pub fn required(&self) -> Required<'_> {
        Required { book: self.book(), calendar: &self.calendar, zone: self.zone() }
    }

    /// The slots of an area on these days, both included.
    #[must_use]
    pub fn slots(&self, area: &Area, first: CivilDate, last: CivilDate) -> Vec<Slot> {
        self.book().slots(area, first, last, &self.calendar, self.zone())
    }

    /// The holes of every area within a window, by time.
    #[must_use]
    pub fn holes(&self, timeline: &Timeline, window: Window) -> Vec<Hole> {
        let areas = self.settings.areas.iter();
        let mut found: Vec<Hole> =
            areas.flat_map(|area| holes(timeline, &self.required(), &area.key, window)).collect();
        found.sort_by(|a, b| (a.window, a.role, &a.area).cmp(&(b.window, b.role, &b.area)));
        found
    }

    /// The civil day it is.
    #[must_use]
    pub fn today(&self) -> CivilDate {
        civil_day(self.now, self.zone())
    }

    /// The instants of whole civil days, both included; `None` when reversed.
    #[must_use]
    pub fn period(&self, first: CivilDate, last: CivilDate) -> Option<Window> {
        Window::new(start_of_day(first, self.zone()), start_of_day(last.plus_days(1), self.zone()))
    }

    /// Whether a member holds duty at all: an active physician of an institution.
    #[must_use]
    pub fn takes_part(&self, member: &Member) -> bool {
        member.is_active(self.now) && member.institution.is_some() && member.roles.contains(&Role::Physician)
    }

    /// Everybody who may hold duty, with what is set for them.
    #[must_use]
    pub fn people(&self) -> Vec<DutyPerson> {
        let part = self.members.values().filter(|m| self.takes_part(m));
        part.filter_map(|member| {
            let institution = member.institution.clone()?;
            let set = self.settings.people.get(&member.id).cloned().unwrap_or_default();
            Some(DutyPerson {
                id: member.id.clone(),
                institution,
                profile: member.profile.duty.clone(),
                qualifications: set.qualifications,
                share_percent: set.share_percent,
                max_per_week: set.max_per_week,
                kind_caps: set.kind_caps,
                never_kinds: set.never_kinds,
            })
        })
        .collect()
    }

    /// Who somebody is as a holder of duty: themselves, for the institution they belong to.
    #[must_use]
    pub fn holder(&self, person: &MemberId) -> Option<Holder> {
        let member = self.members.get(person).filter(|m| self.takes_part(m))?;
        Some(Holder { person: member.id.clone(), institution: member.institution.clone()? })
    }

    /// The name of a person; their id where nobody of that id is known.
    #[must_use]
    pub fn name<'a>(&'a self, person: &'a MemberId) -> &'a str {
        self.members.get(person).map_or(person.as_str(), |m| m.name.as_str())
    }

    /// The name of an institution; its id where none of that id is known.
    #[must_use]
    pub fn institution_name<'a>(&'a self, id: &'a InstitutionId) -> &'a str {
        self.institutions.get(id).map_or(id.as_str(), |i| i.name.as_str())
    }

    /// The name of an area; its key where it is not in the settings any more.
    #[must_use]
    pub fn area_name<'a>(&'a self, key: &'a Area) -> &'a str {
        self.settings.area(key).map_or(key.as_str(), |area| area.name.as_str())
    }
}

/// Reads it all, within a command or outside. `None`: there is no such association.
pub(crate) async fn rota_world(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
) -> Result<Option<RotaWorld>, StoreError> {
    let Some(home) = association_by_id(conn, association).await? else { return Ok(None) };
    let calendar = calendar_of(conn, kit, association).await?;
    let mut books = Vec::new();
    for text in slot_books(conn, association).await? {
        let version = format!("{:06}", text.version);
        let book = SlotBook::parse("slots.toml", &text.body, version)
            .map_err(|e| StoreError::corrupt("rota_slot_book", text.version, e))?;
        books.push(RecordedBook { recorded_at: text.recorded_at, book });
    }
    if books.is_empty() {
        books.push(RecordedBook { recorded_at: Millis(i64::MIN), book: built_in_book().clone() });
    }
    let (settings_version, settings) = rota_settings(conn, association).await?;
    let today = civil_day(kit.now, home.zone);
    let memberships = if settings.areas.iter().any(|area| area.group.is_some()) {
        care_group_institutions(conn, association).await?
    } else {
        Vec::new()
    };
    let groups = settings.areas.iter().filter_map(|area| {
        let group = area.group.as_ref()?;
        let of_today = memberships
            .iter()
            .filter(|m| m.group == *group && m.from <= today && m.until.is_none_or(|until| today <= until));
        let institutions: BTreeSet<InstitutionId> = of_today.map(|m| m.institution.clone()).collect();
        CareGroup::new(area.key.clone(), institutions).ok()
    });
    let groups = groups.collect();
    let members = members_after(conn, association, "", MOST).await?;
    let institutions = institutions_after(conn, association, "", MOST).await?;
    Ok(Some(RotaWorld {
        home,
        calendar,
        books,
        settings,
        settings_version,
        groups,
        members: members.into_iter().map(|m| (m.id.clone(), m)).collect(),
        institutions: institutions.into_iter().map(|i| (i.id.clone(), i)).collect(),
        now: kit.now,
    }))
}

impl App {
    /// What the rota of an association is judged by.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_world(&self, association: &AssociationId) -> Result<RotaWorld, AppError> {
        let mut conn = self.db.read().await?;
        rota_world(&mut conn, &self.kit(), association).await?.ok_or(AppError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_patterns_can_be_read() {
        assert!(super::built_in_book().patterns().len() > 5);
    }
}
