//! The rota as one file (JSON): slot patterns, settings and everything that decides who is on, with its recorded
//! times. Written out whole and read in again; what is there already stays as it is. Whose ids are not known where it
//! is read is found by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::settings::BOOK_MAX_BYTES;
use super::world::{RotaWorld, rota_world};
use crate::domain::consult::Wrong;
use crate::domain::rota::{Holder, Leaver, Records, RotaSettings, SlotBook};
use crate::ids::{AssociationId, CareGroupId, InstitutionId, MemberId};
use crate::store::directory::care_group_institutions;
use crate::store::rota::plans::{rota_settings, rota_settings_add, slot_book_add, slot_books};
use crate::store::rota::records::{
    leaving_add, leaving_back, override_add, override_by_id, override_withdraw, publication_add,
    publication_by_id, records_since, swap_add, swap_by_id, swap_undo,
};
use crate::store::rota::rota_touch;
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// What the file calls itself.
pub const FORMAT: &str = "touban-rota";
/// The version of the form.
pub const VERSION: u32 = 1;
/// The most publications, overrides or swaps of one file.
const MOST: usize = 50_000;

/// A rota as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaFile {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The text of the slot patterns in use (TOML); `None`: the built-in ones. Shown; what is read in stands in
    /// `slot_books`.
    #[serde(default)]
    pub slots: Option<String>,
    /// Every version of the slot patterns, the first one first. Read in where the association has none.
    #[serde(default)]
    pub slot_books: Vec<FileBook>,
    /// The settings. Read in where the association has set nothing.
    #[serde(default)]
    pub settings: Option<RotaSettings>,
    /// What the people and institutions of the file are called.
    #[serde(default)]
    pub names: FileNames,
    /// What decides who is on.
    pub records: Records,
}

/// A version of the slot patterns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileBook {
    /// Since when it counts.
    pub recorded_at: Millis,
    /// Its text (TOML).
    pub body: String,
}

/// Names beside the ids of a file, by which they are found where the ids are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileNames {
    pub people: BTreeMap<MemberId, String>,
    pub institutions: BTreeMap<InstitutionId, String>,
}

/// How reading a file in ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileRead {
    /// How much of each was new.
    Done {
        publications: usize,
        overrides: usize,
        swaps: usize,
        leavings: usize,
        /// Versions of the slot patterns.
        #[serde(default)]
        slot_books: usize,
        /// Whether the settings were taken.
        #[serde(default)]
        settings: bool,
    },
    /// The association does not have these people and institutions; nothing was changed.
    Unknown(Vec<String>),
}

struct ReadFile {
    kit: Kit,
    who: Who,
    file: RotaFile,
}

/// The ids of a file that stand for others here, by their names.
#[derive(Debug, Default)]
struct Here {
    people: BTreeMap<MemberId, MemberId>,
    institutions: BTreeMap<InstitutionId, InstitutionId>,
}

impl Here {
    /// Whoever is not known by id and is the only one of that name.
    fn found(names: &FileNames, world: &RotaWorld) -> Self {
        let mut here = Self::default();
        for (id, name) in names.people.iter().filter(|(id, _)| !world.members.contains_key(*id)) {
            let mut called = world.members.values().filter(|member| member.name == *name);
            if let (Some(one), None) = (called.next(), called.next()) {
                here.people.insert(id.clone(), one.id.clone());
            }
        }
        for (id, name) in names.institutions.iter().filter(|(id, _)| !world.institutions.contains_key(*id)) {
            let mut called = world.institutions.values().filter(|institution| institution.name == *name);
            if let (Some(one), None) = (called.next(), called.next()) {
                here.institutions.insert(id.clone(), one.id.clone());
            }
        }
        here
    }

    fn person(&self, id: &mut MemberId) {
        if let Some(here) = self.people.get(id) {
            id.clone_from(here);
        }
    }

    fn institution(&self, id: &mut InstitutionId) {
        if let Some(here) = self.institutions.get(id) {
            id.clone_from(here);
        }
    }

    fn holder(&self, holder: &mut Holder) {
        self.person(&mut holder.person);
        self.institution(&mut holder.institution);
    }

    fn records(&self, mut records: Records) -> Records {
        records
            .publications
            .iter_mut()
            .flat_map(|p| &mut p.assignments)
            .for_each(|d| self.holder(&mut d.holder));
        records.overrides.iter_mut().filter_map(|o| o.holder.as_mut()).for_each(|h| self.holder(h));
        for leg in records.swaps.iter_mut().flat_map(|s| &mut s.legs) {
            self.person(&mut leg.giver);
            self.holder(&mut leg.taker);
        }
        for leaving in &mut records.leavings {
            match &mut leaving.who {
                Leaver::Person(id) => self.person(id),
                Leaver::Institution(id) => self.institution(id),
            }
        }
        records
    }

    fn settings(&self, mut settings: RotaSettings) -> RotaSettings {
        let people = std::mem::take(&mut settings.people).into_iter().map(|(mut id, person)| {
            self.person(&mut id);
            (id, person)
        });
        settings.people = people.collect();
        let targets = std::mem::take(&mut settings.turn_targets).into_iter().map(|(mut id, target)| {
            self.institution(&mut id);
            (id, target)
        });
        settings.turn_targets = targets.collect();
        for apart in &mut settings.rules.apart {
            self.person(&mut apart.a);
            self.person(&mut apart.b);
        }
        settings
    }
}

/// Whom the settings name.
fn people_set(settings: &RotaSettings) -> (BTreeSet<&MemberId>, BTreeSet<&InstitutionId>) {
    let apart = settings.rules.apart.iter().flat_map(|apart| [&apart.a, &apart.b]);
    (settings.people.keys().chain(apart).collect(), settings.turn_targets.keys().collect())
}

fn people(records: &Records) -> (BTreeSet<&MemberId>, BTreeSet<&InstitutionId>) {
    let published = records.publications.iter().flat_map(|p| &p.assignments).map(|d| &d.holder);
    let put_on = records.overrides.iter().filter_map(|o| o.holder.as_ref());
    let legs = || records.swaps.iter().flat_map(|s| &s.legs);
    let holders = || published.clone().chain(put_on.clone()).chain(legs().map(|leg| &leg.taker));
    let mut people: BTreeSet<&MemberId> = holders().map(|h| &h.person).collect();
    let mut institutions: BTreeSet<&InstitutionId> = holders().map(|h| &h.institution).collect();
    people.extend(legs().map(|leg| &leg.giver));
    for leaving in &records.leavings {
        match &leaving.who {
            Leaver::Person(id) => drop(people.insert(id)),
            Leaver::Institution(id) => drop(institutions.insert(id)),
        }
    }
    (people, institutions)
}

impl Command for ReadFile {
    type Output = FileRead;

    async fn apply(&self, tx: &mut Conn) -> Result<FileRead, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let by = self.who.actor.as_str();
        rota_touch(tx, association, kit.now).await?;
        let world = rota_world(tx, kit, association).await?;
        let world = world.ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))?;
        let here = Here::found(&self.file.names, &world);
        let records = &here.records(self.file.records.clone());
        // What the association has set itself stays; what nobody has set needs no version.
        let set =
            |settings: &RotaSettings| world.settings_version == 0 && *settings != RotaSettings::default();
        let settings = self.file.settings.clone().filter(set);
        let settings = settings.map(|settings| here.settings(settings));
        let (mut people, mut institutions) = people(records);
        if let Some(settings) = &settings {
            let (set, houses) = people_set(settings);
            people.extend(set);
            institutions.extend(houses);
        }
        let groups: BTreeSet<CareGroupId> =
            care_group_institutions(tx, association).await?.into_iter().map(|m| m.group).collect();
        let areas = settings.iter().flat_map(|settings| &settings.areas);
        let strange_groups: Vec<String> = areas
            .filter_map(|a| a.group.as_ref())
            .filter(|id| !groups.contains(*id))
            .map(CareGroupId::api)
            .collect();
        let strangers = people.into_iter().filter(|id| !world.members.contains_key(*id)).map(MemberId::api);
        let houses = institutions.into_iter().filter(|id| !world.institutions.contains_key(*id));
        let unknown: Vec<String> =
            strangers.chain(houses.map(InstitutionId::api)).chain(strange_groups).collect();
        if !unknown.is_empty() {
            return Ok(FileRead::Unknown(unknown));
        }
        let taken = settings.is_some();
        if let Some(settings) = settings {
            rota_settings_add(tx, association, &settings, kit.now, by).await?;
        }
        let mut books = 0;
        if slot_books(tx, association).await?.is_empty() {
            for book in &self.file.slot_books {
                slot_book_add(tx, association, &book.body, book.recorded_at, by).await?;
                books += 1;
            }
        }
        let (mut publications, mut overrides, mut swaps, mut leavings) = (0, 0, 0, 0);
        for publication in &records.publications {
            if publication_by_id(tx, association, &publication.id).await?.is_none() {
                publication_add(tx, association, publication, (kit.now, by), ("import", "")).await?;
                publications += 1;
            }
        }
        for change in &records.overrides {
            if override_by_id(tx, association, &change.id).await?.is_none() {
                override_add(tx, association, change, (kit.now, by), "").await?;
                if let Some(at) = change.withdrawn_at {
                    override_withdraw(tx, association, &change.id, at, by).await?;
                }
                overrides += 1;
            }
        }
        for swap in &records.swaps {
            if swap_by_id(tx, association, &swap.id).await?.is_none() {
                swap_add(tx, association, swap, None, (kit.now, by)).await?;
                if let Some(at) = swap.undone_at {
                    swap_undo(tx, association, &swap.id, at, by).await?;
                }
                swaps += 1;
            }
        }
        let there = records_since(tx, association, kit.now).await?.leavings;
        for leaving in records.leavings.iter().filter(|leaving| !there.contains(leaving)) {
            leaving_add(tx, association, &leaving.who, leaving.from, leaving.recorded_at).await?;
            if let Some(back) = leaving.back {
                leaving_back(tx, association, &leaving.who, back).await?;
            }
            leavings += 1;
        }
        let detail = json!({
            "publications": publications, "overrides": overrides, "swaps": swaps, "leavings": leavings,
            "slot_books": books, "settings": taken,
        });
        note(tx, kit, &self.who, "rota.file", &format!("association:{association}"), detail).await?;
        Ok(FileRead::Done { publications, overrides, swaps, leavings, slot_books: books, settings: taken })
    }
}

impl RotaFile {
    /// What cannot be taken, by field, when it is read in at `now`.
    fn wrong(&self, now: Millis) -> Option<(&'static str, Wrong)> {
        if self.format != FORMAT || self.version != VERSION {
            return Some(("format", Wrong::NotAChoice));
        }
        let records = &self.records;
        let full = |window: &Window| window.from < window.to;
        let duties = records.publications.iter().flat_map(|p| &p.assignments);
        let windows = records.publications.iter().map(|p| &p.period);
        let windows = windows
            .chain(duties.clone().map(|d| &d.window))
            .chain(records.overrides.iter().map(|o| &o.window))
            .chain(records.swaps.iter().flat_map(|s| &s.legs).map(|leg| &leg.window));
        if !windows.into_iter().all(full) {
            return Some(("window", Wrong::OutOfRange));
        }
        let fits = records
            .publications
            .iter()
            .all(|p| p.assignments.iter().all(|d| d.area == p.area && p.period.contains(d.window.from)));
        if !fits {
            return Some(("assignments", Wrong::OutOfRange));
        }
        let recorded = records.publications.iter().map(|p| p.recorded_at);
        let recorded = recorded
            .chain(records.overrides.iter().flat_map(|o| [Some(o.recorded_at), o.withdrawn_at]).flatten())
            .chain(records.swaps.iter().flat_map(|s| [Some(s.recorded_at), s.undone_at]).flatten())
            .chain(records.leavings.iter().map(|l| l.recorded_at));
        let recorded = recorded.chain(self.slot_books.iter().map(|book| book.recorded_at));
        if recorded.into_iter().any(|at| now < at) {
            return Some(("recorded_at", Wrong::OutOfRange));
        }
        let counts = [records.publications.len(), records.overrides.len(), records.swaps.len()];
        if counts.into_iter().any(|n| n > MOST) || duties.count() > MOST {
            return Some(("records", Wrong::TooLong));
        }
        let unreadable = |book: &FileBook| {
            book.body.len() > BOOK_MAX_BYTES || SlotBook::parse("slots.toml", &book.body, "new").is_err()
        };
        if self.slot_books.len() > MOST || self.slot_books.iter().any(unreadable) {
            return Some(("slot_books", Wrong::NotText));
        }
        if self.settings.as_ref().is_some_and(|settings| !settings.wrong().is_empty()) {
            return Some(("settings", Wrong::OutOfRange));
        }
        None
    }
}

impl App {
    /// The whole rota of an association, or what of it decides who is on from a moment on.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_file(
        &self,
        association: &AssociationId,
        since: Option<Millis>,
    ) -> Result<RotaFile, AppError> {
        let mut conn = self.db.read().await?;
        let slot_books: Vec<FileBook> = slot_books(&mut conn, association)
            .await?
            .into_iter()
            .map(|text| FileBook { recorded_at: text.recorded_at, body: text.body })
            .collect();
        let slots = slot_books.last().map(|book| book.body.clone());
        let settings = rota_settings(&mut conn, association).await?.1;
        let since = since.unwrap_or(Millis(i64::MIN));
        let records = records_since(&mut conn, association, since).await?;
        let world = rota_world(&mut conn, &self.kit(), association).await?.ok_or(AppError::NotFound)?;
        let (mut held, mut houses) = people(&records);
        let (set, set_houses) = people_set(&settings);
        held.extend(set);
        houses.extend(set_houses);
        let people =
            held.into_iter().filter_map(|id| Some((id.clone(), world.members.get(id)?.name.clone())));
        let institutions =
            houses.into_iter().filter_map(|id| Some((id.clone(), world.institutions.get(id)?.name.clone())));
        let names = FileNames { people: people.collect(), institutions: institutions.collect() };
        let (format, settings) = (FORMAT.to_owned(), Some(settings));
        Ok(RotaFile { format, version: VERSION, slots, slot_books, settings, names, records })
    }

    /// Reads a file in: what of it is not there yet is added with its recorded times, as history; what is there
    /// stays as it is. Slot patterns and settings are taken where the association has none of its own. People and
    /// institutions whose ids are not known here are found by their names, where a name says who it is.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a file of another form, with empty windows, duties outside of their period or
    /// times of recording that are still to come; the store's.
    pub async fn rota_file_read(
        &self,
        who: &Who,
        file: RotaFile,
        key: Option<&Key>,
    ) -> Result<FileRead, AppError> {
        let kit = self.kit();
        if let Some((field, wrong)) = file.wrong(kit.now) {
            return Err(AppError::field(field, wrong));
        }
        let read = ReadFile { kit: kit.clone(), who: who.clone(), file };
        Ok(self.run_once(&kit, who, key, read).await?.into_inner())
    }
}
