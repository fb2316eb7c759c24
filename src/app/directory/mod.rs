//! The directory as it is read and changed beside the entries: closing, bank accounts, care groups, contact
//! windows, reviews. Adding and changing an entry itself is `app::people`.

pub mod bank;
pub mod groups;
pub mod reviews;
pub mod windows;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::note;
use super::replay::Key;
use super::rota::changes::{leaves as rota_leaves, returns as rota_returns};
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::civil_day;
use crate::domain::people::directory::Membership;
use crate::domain::people::kana;
use crate::domain::rota::Leaver;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::directory::{
    CareGroup, care_group_institutions, care_group_leave, care_groups, institution_close, institution_reopen,
    specialties_of_all,
};
use crate::store::people::{
    Institution, Member, association_by_id, institution_by_id, institutions_after, members_after,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// More than a district has; a directory is read as a whole.
const MOST: i64 = 5_000;

/// Everything the pages of the directory are made of.
#[derive(Clone, Debug)]
pub struct DirectoryView {
    /// In the order of their kana; closed ones too.
    pub institutions: Vec<Institution>,
    /// Who is active now, in the order of their kana.
    pub members: Vec<Member>,
    /// The codes of what each volunteers for.
    pub specialties: BTreeMap<MemberId, Vec<String>>,
    pub groups: Vec<CareGroup>,
    pub memberships: Vec<Membership>,
}

impl DirectoryView {
    /// The institution with this id.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> Option<&Institution> {
        self.institutions.iter().find(|i| i.id == *id)
    }

    /// The people of an institution.
    pub fn people_of<'a>(&'a self, id: &'a InstitutionId) -> impl Iterator<Item = &'a Member> + 'a {
        self.members.iter().filter(move |m| m.institution.as_ref() == Some(id))
    }

    /// What a member volunteers for.
    #[must_use]
    pub fn specialties_of(&self, id: &MemberId) -> &[String] {
        self.specialties.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Where names without kana stand: by the name itself, behind the kana.
fn order(kana: &str, name: &str) -> String {
    kana::sort_key(if kana.is_empty() { name } else { kana })
}

pub(crate) async fn load_people(
    conn: &mut Conn,
    association: &AssociationId,
    now: Millis,
) -> Result<(Vec<Institution>, Vec<Member>), StoreError> {
    let mut institutions = institutions_after(conn, association, "", MOST).await?;
    institutions.sort_by_cached_key(|i| order(&i.kana, &i.name));
    let mut members = members_after(conn, association, "", MOST).await?;
    members.retain(|m| m.is_active(now));
    members.sort_by_cached_key(|m| order(&m.kana, &m.name));
    Ok((institutions, members))
}

/// How closing or opening again ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    Done,
    /// These people still belong to it.
    HasMembers(Vec<MemberId>),
    NotFound,
    /// Changed by somebody else meanwhile.
    Stale,
}

struct Close {
    kit: Kit,
    who: Who,
    id: InstitutionId,
    revision: i64,
    /// Open it again.
    again: bool,
}

impl Command for Close {
    type Output = Closed;

    async fn apply(&self, tx: &mut Conn) -> Result<Closed, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(before) = institution_by_id(tx, association, &self.id).await? else {
            return Ok(Closed::NotFound);
        };
        if before.revision != self.revision || before.closed.is_some() != self.again {
            return Ok(Closed::Stale);
        }
        let done = if self.again {
            institution_reopen(tx, association, &self.id, self.revision).await?
        } else {
            let (_, members) = load_people(tx, association, kit.now).await?;
            let left: Vec<MemberId> = members
                .into_iter()
                .filter(|m| m.institution.as_ref() == Some(&self.id))
                .map(|m| m.id)
                .collect();
            if !left.is_empty() {
                return Ok(Closed::HasMembers(left));
            }
            self.leave_groups(tx).await?;
            institution_close(tx, association, &self.id, self.revision, kit.now).await?
        };
        if !done {
            return Ok(Closed::Stale);
        }
        // Nobody holds a duty for an institution that is gone.
        let institution = Leaver::Institution(self.id.clone());
        if self.again {
            rota_returns(tx, kit, &self.who, &institution).await?;
        } else {
            rota_leaves(tx, kit, &self.who, &institution).await?;
        }
        let action = if self.again { "institution.reopen" } else { "institution.close" };
        note(tx, kit, &self.who, action, &format!("institution:{}", self.id), json!({})).await?;
        Ok(Closed::Done)
    }
}

impl Close {
    /// Today is its last day in its groups.
    async fn leave_groups(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        let zone = association_by_id(tx, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
        let today = civil_day(self.kit.now, zone);
        for membership in care_group_institutions(tx, association).await? {
            let open = membership.until.is_none_or(|until| today < until);
            if membership.institution == self.id && open {
                care_group_leave(tx, association, &membership, today).await?;
            }
        }
        Ok(())
    }
}

/// The numbers of an institution, opened for somebody who may see them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    pub phone: Option<String>,
    pub fax: Option<String>,
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Numbers").finish_non_exhaustive()
    }
}

impl App {
    /// The whole directory.
    ///
    /// # Errors
    /// The store's.
    pub async fn directory(&self, association: &AssociationId) -> Result<DirectoryView, AppError> {
        let mut conn = self.db.read().await?;
        let (institutions, members) = load_people(&mut conn, association, self.now()).await?;
        let mut specialties: BTreeMap<MemberId, Vec<String>> = BTreeMap::new();
        for (member, offer) in specialties_of_all(&mut conn, association).await? {
            specialties.entry(member).or_default().push(offer.specialty);
        }
        let groups = care_groups(&mut conn, association).await?;
        let memberships = care_group_institutions(&mut conn, association).await?;
        Ok(DirectoryView { institutions, members, specialties, groups, memberships })
    }

    /// The numbers of an institution.
    ///
    /// # Errors
    /// The store's.
    pub async fn numbers_of(
        &self,
        association: &AssociationId,
        institution: &Institution,
    ) -> Result<Numbers, AppError> {
        let at = |column| ("institution", column, institution.id.as_str());
        Ok(Numbers {
            phone: self.number_shown(association, at("phone"), institution.phone.as_deref()).await?,
            fax: self.number_shown(association, at("fax"), institution.fax.as_deref()).await?,
        })
    }

    /// The numbers of many institutions.
    ///
    /// # Errors
    /// The store's.
    pub async fn numbers_of_all(
        &self,
        association: &AssociationId,
        institutions: &[&Institution],
    ) -> Result<BTreeMap<InstitutionId, Numbers>, AppError> {
        let mut conn = self.db.read().await?;
        let mut all = BTreeMap::new();
        for institution in institutions {
            let mut numbers = Numbers::default();
            let columns = [
                ("phone", institution.phone.as_deref(), &mut numbers.phone),
                ("fax", institution.fax.as_deref(), &mut numbers.fax),
            ];
            for (column, sealed, plain) in columns {
                if let Some(sealed) = sealed {
                    let at = Sealed { table: "institution", column, row: institution.id.as_str() };
                    *plain = Some(self.vault.open(&mut conn, association, at, sealed).await?);
                }
            }
            all.insert(institution.id.clone(), numbers);
        }
        Ok(all)
    }

    /// Closes an institution that stands at `revision`: it keeps its history and takes nobody new. Refused while
    /// active members belong to it.
    ///
    /// # Errors
    /// The store's.
    pub async fn institution_close(
        &self,
        who: &Who,
        id: &InstitutionId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Closed, AppError> {
        self.close(who, id, (revision, false), key).await
    }

    /// Opens a closed institution again.
    ///
    /// # Errors
    /// The store's.
    pub async fn institution_reopen(
        &self,
        who: &Who,
        id: &InstitutionId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Closed, AppError> {
        self.close(who, id, (revision, true), key).await
    }

    async fn close(
        &self,
        who: &Who,
        id: &InstitutionId,
        (revision, again): (i64, bool),
        key: Option<&Key>,
    ) -> Result<Closed, AppError> {
        let kit = self.kit();
        let close = Close { kit: kit.clone(), who: who.clone(), id: id.clone(), revision, again };
        Ok(self.run_once(&kit, who, key, close).await?.into_inner())
    }
}
