//! Puts back what was there before a sheet was taken in, as long as nobody changed any of it since.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::at;
use super::world::{self, new_institution, new_member};
use crate::app::access::note;
use crate::app::people::{PutInstitution, PutMember, Written};
use crate::app::rota::changes::leaves as rota_leaves;
use crate::app::{Kit, Who};
use crate::domain::people::sheet::{InstitutionDraft, InstitutionOf, MemberDraft, WindowsDraft};
use crate::domain::rota::Leaver;
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId, SheetRunId};
use crate::store::access::access_end;
use crate::store::credentials::means_clear;
use crate::store::directory::{contact_windows_of, contact_windows_replace};
use crate::store::people::{institution_by_id, member_by_id, member_leaves, specialties_clear};
use crate::store::sheets::{
    institution_remove, member_from, member_remove, sheet_run_by_id, sheet_run_undone,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// A row as it was: where it stood after the import, and what it said before; `None`: it was not there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before<T> {
    pub id: String,
    pub revision: i64,
    pub was: Option<T>,
}

/// Everything a run touched.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoNote {
    pub institutions: Vec<Before<InstitutionDraft>>,
    pub members: Vec<Before<MemberDraft>>,
    /// Since when they were members, where that was changed.
    pub active_from: Vec<(String, Millis)>,
    /// Doctors' contact windows of a year; the id is that of the doctor, a point, the year.
    #[serde(default)]
    pub windows: Vec<Before<WindowsDraft>>,
}

/// How undoing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undone {
    Done {
        /// As they were before.
        put_back: u32,
        /// Added by the sheet and taken out again.
        removed: u32,
        /// Added by the sheet and used since: members who left, institutions that stay.
        kept: u32,
    },
    /// Somebody changed one of the rows since: nothing was put back.
    Changed,
    /// There is nothing to undo, or not any more.
    Over,
}

pub(super) struct UndoRun {
    pub kit: Kit,
    pub who: Who,
    pub id: SheetRunId,
    /// Take out whom the sheet added; otherwise they leave.
    pub remove: bool,
}

impl Command for UndoRun {
    type Output = Undone;

    async fn apply(&self, tx: &mut Conn) -> Result<Undone, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(run) = sheet_run_by_id(tx, association, &self.id).await? else { return Ok(Undone::Over) };
        let Some(sealed) = run.undo.as_ref().filter(|_| run.can_be_undone(kit.now)) else {
            return Ok(Undone::Over);
        };
        let plain = kit.vault.open(tx, association, at(&self.id, "undo"), sealed).await?;
        let before: UndoNote =
            serde_json::from_str(&plain).map_err(|e| StoreError::corrupt("sheet_run", &self.id, e))?;
        if !self.untouched(tx, &before).await? {
            return Ok(Undone::Changed);
        }
        if !sheet_run_undone(tx, association, &self.id, kit.now).await? {
            return Ok(Undone::Over);
        }
        let (mut put_back, mut removed, mut kept) = (0, 0, 0);
        for member in &before.members {
            let id = member_id(&self.id, &member.id)?;
            match &member.was {
                Some(was) => {
                    self.put_member_back(tx, &id, member.revision, was).await?;
                    put_back += 1;
                }
                None if self.take_out(tx, &id).await? => removed += 1,
                None => kept += 1,
            }
        }
        for (id, from) in &before.active_from {
            member_from(tx, association, &member_id(&self.id, id)?, *from).await?;
        }
        for institution in &before.institutions {
            let id = InstitutionId::from_stored(&institution.id)
                .map_err(|e| StoreError::corrupt("sheet_run", &self.id, e))?;
            match &institution.was {
                Some(was) => {
                    let put = PutInstitution {
                        kit: kit.clone(),
                        who: self.who.clone(),
                        id,
                        revision: Some(institution.revision),
                        new: new_institution(was),
                    };
                    done(&self.id, &put.apply(tx).await?)?;
                    put_back += 1;
                }
                None if self.remove && institution_remove(tx, association, &id).await? => {
                    let subject = format!("institution:{id}");
                    note(tx, kit, &self.who, "institution.remove", &subject, json!({})).await?;
                    removed += 1;
                }
                None => kept += 1,
            }
        }
        for windows in &before.windows {
            let (member, year) = doctor_and_year(&self.id, &windows.id)?;
            let was = windows.was.as_ref().map_or(&[][..], |was| &was.windows);
            contact_windows_replace(tx, association, &member, year, was).await?;
            let detail = json!({ "fiscal_year": year, "windows": was.len() });
            note(tx, kit, &self.who, "contact_windows.change", &format!("member:{member}"), detail).await?;
            if windows.was.is_some() { put_back += 1 } else { removed += 1 }
        }
        let detail = json!({ "put_back": put_back, "removed": removed, "kept": kept });
        note(tx, kit, &self.who, "sheet.undo", &world::subject(&self.id), detail).await?;
        Ok(Undone::Done { put_back, removed, kept })
    }
}

fn member_id(run: &SheetRunId, id: &str) -> Result<MemberId, StoreError> {
    MemberId::from_stored(id).map_err(|e| StoreError::corrupt("sheet_run", run, e))
}

fn doctor_and_year(run: &SheetRunId, id: &str) -> Result<(MemberId, i32), StoreError> {
    let found = id.split_once('.').and_then(|(member, year)| Some((member, year.parse().ok()?)));
    let (member, year) = found.ok_or_else(|| StoreError::corrupt("sheet_run", run, "no doctor and year"))?;
    Ok((member_id(run, member)?, year))
}

/// What was checked a moment ago cannot be otherwise, unless somebody was quicker: all of it goes back.
fn done<T>(run: &SheetRunId, written: &Written<T>) -> Result<(), StoreError> {
    match written {
        Written::Done(_) => Ok(()),
        _ => Err(StoreError::Stale { table: "sheet_run", id: run.to_string() }),
    }
}

impl UndoRun {
    /// Whether every row still stands as the import left it.
    async fn untouched(&self, tx: &mut Conn, before: &UndoNote) -> Result<bool, StoreError> {
        let association = &self.who.association;
        for member in &before.members {
            let id = member_id(&self.id, &member.id)?;
            let now = member_by_id(tx, association, &id).await?;
            if now.is_none_or(|now| now.left_at.is_some() || now.revision != member.revision) {
                return Ok(false);
            }
        }
        for institution in &before.institutions {
            let id = InstitutionId::from_stored(&institution.id)
                .map_err(|e| StoreError::corrupt("sheet_run", &self.id, e))?;
            let now = institution_by_id(tx, association, &id).await?;
            if now.is_none_or(|now| now.closed.is_some() || now.revision != institution.revision) {
                return Ok(false);
            }
        }
        for windows in &before.windows {
            let (member, year) = doctor_and_year(&self.id, &windows.id)?;
            let now = contact_windows_of(tx, association, &member, year).await?;
            if now.revision != windows.revision {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn put_member_back(
        &self,
        tx: &mut Conn,
        id: &MemberId,
        revision: i64,
        was: &MemberDraft,
    ) -> Result<(), StoreError> {
        let association = &self.who.association;
        let lang = member_by_id(tx, association, id).await?.map_or(Lang::Ja, |m| m.lang);
        let institution = match &was.institution {
            InstitutionOf::There(id) => Some(id.clone()),
            InstitutionOf::None | InstitutionOf::New(_) => None,
        };
        let put = PutMember {
            kit: self.kit.clone(),
            who: self.who.clone(),
            id: id.clone(),
            revision: Some(revision),
            new: new_member(was, institution, lang),
            pin_hash: None,
        };
        done(&self.id, &put.apply(tx).await?)
    }

    /// Whoever was never here goes without a trace but the audit's; whoever was, leaves. `true`: gone.
    async fn take_out(&self, tx: &mut Conn, id: &MemberId) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let subject = format!("member:{id}");
        if self.remove {
            let offers = crate::store::people::specialties_of(tx, association, id).await?;
            specialties_clear(tx, association, id).await?;
            if member_remove(tx, association, id).await? {
                note(tx, kit, &self.who, "member.remove", &subject, json!({})).await?;
                return Ok(true);
            }
            for offer in &offers {
                crate::store::people::specialty_set(tx, association, id, offer).await?;
            }
        }
        member_leaves(tx, association, id, kit.now).await?;
        rota_leaves(tx, kit, &self.who, &Leaver::Person(id.clone())).await?;
        access_end(tx, association, id, kit.now).await?;
        means_clear(tx, association, id, kit.now).await?;
        note(tx, kit, &self.who, "member.leave", &subject, json!({})).await?;
        Ok(false)
    }
}
