//! Names for what stands in lines: as they were when a month was closed, kept with it; today's for the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{App, AppError};
use crate::domain::ledger::{Line, Month};
use crate::domain::people::Role;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::seal::books::names_hash;
use crate::store::ledger::reports::{SealedName, name_add, names_of};
use crate::store::people::{institution_by_id, member_by_id};
use crate::store::{Conn, StoreError};

/// An institution as papers call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstitutionName {
    pub name: String,
    /// The insurer's code (保険医療機関コード), or nothing.
    pub code: String,
    /// The city's code, or nothing.
    pub city: String,
}

/// A member as papers call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberName {
    /// Without a title.
    pub name: String,
    pub roles: Vec<Role>,
}

/// Names for what stands in lines.
#[derive(Clone, Debug, Default)]
pub struct LedgerNames {
    pub institutions: BTreeMap<InstitutionId, InstitutionName>,
    pub members: BTreeMap<MemberId, MemberName>,
}

impl LedgerNames {
    /// The name of an institution; its id where it is gone.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> String {
        self.institutions.get(id).map_or_else(|| id.api(), |i| i.name.clone())
    }

    /// The insurer's code of an institution, or nothing.
    #[must_use]
    pub fn code(&self, id: &InstitutionId) -> String {
        self.institutions.get(id).map_or_else(String::new, |i| i.code.clone())
    }

    /// The city's code of an institution, or nothing.
    #[must_use]
    pub fn city(&self, id: &InstitutionId) -> &str {
        self.institutions.get(id).map_or("", |i| i.city.as_str())
    }

    /// The name of a member, without a title.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> String {
        self.members.get(id).map_or_else(|| id.api(), |m| m.name.clone())
    }

    /// Today's names for those that are not there yet.
    async fn fill(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        institutions: BTreeSet<&InstitutionId>,
        members: BTreeSet<&MemberId>,
    ) -> Result<(), StoreError> {
        for id in institutions {
            if !self.institutions.contains_key(id)
                && let Some(found) = institution_by_id(conn, association, id).await?
            {
                let name = InstitutionName { name: found.name, code: found.code, city: found.city_code };
                self.institutions.insert(id.clone(), name);
            }
        }
        for id in members {
            if !self.members.contains_key(id)
                && let Some(found) = member_by_id(conn, association, id).await?
            {
                self.members.insert(id.clone(), MemberName { name: found.name, roles: found.roles });
            }
        }
        Ok(())
    }

    fn rows(&self) -> Vec<SealedName> {
        let institutions = self.institutions.iter().map(|(id, i)| SealedName {
            kind: "institution".to_owned(),
            id: id.as_str().to_owned(),
            name: i.name.clone(),
            code: i.code.clone(),
            more: i.city.clone(),
        });
        let members = self.members.iter().map(|(id, m)| SealedName {
            kind: "member".to_owned(),
            id: id.as_str().to_owned(),
            name: m.name.clone(),
            code: String::new(),
            more: m.roles.iter().map(|r| r.code()).collect::<Vec<_>>().join(","),
        });
        institutions.chain(members).collect()
    }
}

fn of_lines<'a>(
    lines: impl Iterator<Item = &'a Line>,
) -> (BTreeSet<&'a InstitutionId>, BTreeSet<&'a MemberId>) {
    let (mut institutions, mut members) = (BTreeSet::new(), BTreeSet::new());
    for line in lines {
        institutions.insert(&line.institution);
        members.extend(&line.person);
    }
    (institutions, members)
}

/// The hash over the names a month was closed with.
pub(crate) fn hash_of_names(month: Month, rows: &[SealedName]) -> String {
    let fields = |n: &'_ SealedName| -> [String; 5] {
        [n.kind.clone(), n.id.clone(), n.name.clone(), n.code.clone(), n.more.clone()]
    };
    let rows: Vec<[String; 5]> = rows.iter().map(fields).collect();
    names_hash(&month.to_string(), rows.iter().map(|row| row.each_ref().map(String::as_str)))
}

/// Keeps the names of a month's lines as they are now, within the command that closes it; gives their hash.
pub(super) async fn seal_names(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
    lines: &[Line],
) -> Result<String, StoreError> {
    let mut names = LedgerNames::default();
    let (institutions, members) = of_lines(lines.iter());
    names.fill(tx, association, institutions, members).await?;
    let rows = names.rows();
    for row in &rows {
        name_add(tx, association, month, row).await?;
    }
    Ok(hash_of_names(month, &rows))
}

/// The names a month was closed with.
pub(super) async fn sealed_names(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<LedgerNames, StoreError> {
    let mut names = LedgerNames::default();
    for row in names_of(conn, association, month).await? {
        let gone = |e| StoreError::corrupt("ledger_name", &row.id, e);
        if row.kind == "institution" {
            let id = InstitutionId::from_stored(&row.id).map_err(gone)?;
            let name = InstitutionName { name: row.name, code: row.code, city: row.more };
            names.institutions.insert(id, name);
        } else {
            let id = MemberId::from_stored(&row.id).map_err(gone)?;
            let roles = row.more.split(',').filter_map(Role::from_code).collect();
            names.members.insert(id, MemberName { name: row.name, roles });
        }
    }
    Ok(names)
}

impl App {
    /// Names for the institutions and people of lines: those of the closing where `sealed` has them.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_names<'a>(
        &self,
        association: &AssociationId,
        sealed: &LedgerNames,
        lines: impl Iterator<Item = &'a Line>,
    ) -> Result<LedgerNames, AppError> {
        let mut names = sealed.clone();
        let (institutions, members) = of_lines(lines);
        let mut conn = self.db.read().await?;
        names.fill(&mut conn, association, institutions, members).await?;
        Ok(names)
    }

    /// Names of institutions alone.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_institutions<'a>(
        &self,
        association: &AssociationId,
        sealed: &LedgerNames,
        ids: impl Iterator<Item = &'a InstitutionId>,
    ) -> Result<LedgerNames, AppError> {
        let mut names = sealed.clone();
        let mut conn = self.db.read().await?;
        names.fill(&mut conn, association, ids.collect(), BTreeSet::new()).await?;
        Ok(names)
    }

    /// Names of members alone.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_members<'a>(
        &self,
        association: &AssociationId,
        sealed: &LedgerNames,
        ids: impl Iterator<Item = &'a MemberId>,
    ) -> Result<LedgerNames, AppError> {
        let mut names = sealed.clone();
        let mut conn = self.db.read().await?;
        names.fill(&mut conn, association, BTreeSet::new(), ids.collect()).await?;
        Ok(names)
    }
}
