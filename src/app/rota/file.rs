//! The rota as one file (JSON): slot patterns, settings and everything that decides who is on, with its recorded
//! times. Written out whole and read in again; what is there already stays as it is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::world::rota_world;
use crate::domain::consult::Wrong;
use crate::domain::rota::{Leaver, Records, RotaSettings};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::rota::plans::{rota_settings, slot_books};
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
    /// The text of the slot patterns in use (TOML); `None`: the built-in ones. Shown, not read in.
    #[serde(default)]
    pub slots: Option<String>,
    /// The settings. Shown, not read in.
    #[serde(default)]
    pub settings: Option<RotaSettings>,
    /// What decides who is on.
    pub records: Records,
}

/// How reading a file in ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileRead {
    /// How much of each was new.
    Done { publications: usize, overrides: usize, swaps: usize, leavings: usize },
    /// The association does not have these people and institutions; nothing was changed.
    Unknown(Vec<String>),
}

struct ReadFile {
    kit: Kit,
    who: Who,
    records: Records,
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
        let (kit, association, records) = (&self.kit, &self.who.association, &self.records);
        let by = self.who.actor.as_str();
        rota_touch(tx, association, kit.now).await?;
        let world = rota_world(tx, kit, association).await?;
        let world = world.ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))?;
        let (people, institutions) = people(records);
        let strangers = people.into_iter().filter(|id| !world.members.contains_key(*id)).map(MemberId::api);
        let houses = institutions.into_iter().filter(|id| !world.institutions.contains_key(*id));
        let unknown: Vec<String> = strangers.chain(houses.map(InstitutionId::api)).collect();
        if !unknown.is_empty() {
            return Ok(FileRead::Unknown(unknown));
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
        });
        note(tx, kit, &self.who, "rota.file", &format!("association:{association}"), detail).await?;
        Ok(FileRead::Done { publications, overrides, swaps, leavings })
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
        if recorded.into_iter().any(|at| now < at) {
            return Some(("recorded_at", Wrong::OutOfRange));
        }
        let counts = [records.publications.len(), records.overrides.len(), records.swaps.len()];
        if counts.into_iter().any(|n| n > MOST) || duties.count() > MOST {
            return Some(("records", Wrong::TooLong));
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
        let slots = slot_books(&mut conn, association).await?.pop().map(|text| text.body);
        let settings = Some(rota_settings(&mut conn, association).await?.1);
        let since = since.unwrap_or(Millis(i64::MIN));
        let records = records_since(&mut conn, association, since).await?;
        Ok(RotaFile { format: FORMAT.to_owned(), version: VERSION, slots, settings, records })
    }

    /// Reads a file in: what of it is not there yet is added with its recorded times, as history; what is there
    /// stays as it is. Slot patterns and settings of the file are not read in.
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
        let read = ReadFile { kit: kit.clone(), who: who.clone(), records: file.records };
        Ok(self.run_once(&kit, who, key, read).await?.into_inner())
    }
}
