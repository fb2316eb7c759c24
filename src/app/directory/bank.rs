//! Bank accounts of institutions: sealed, read only by whoever may, and each reading noted.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use crate::domain::people::directory::BankAccount;
use crate::ids::InstitutionId;
use crate::store::directory::{institution_bank, institution_bank_set};
use crate::store::people::{Institution, institution_by_id};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

fn place(id: &InstitutionId) -> Sealed<'_> {
    Sealed { table: "institution", column: "bank", row: id.as_str() }
}

struct Read {
    kit: Kit,
    who: Who,
    id: InstitutionId,
}

impl Command for Read {
    type Output = Option<(Institution, Option<BankAccount>)>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(institution) = institution_by_id(tx, association, &self.id).await? else {
            return Ok(None);
        };
        let Some(sealed) = institution_bank(tx, association, &self.id).await? else {
            return Ok(Some((institution, None)));
        };
        let plain = kit.vault.open(tx, association, place(&self.id), &sealed).await?;
        let account =
            serde_json::from_str(&plain).map_err(|e| StoreError::corrupt("institution", &self.id, e))?;
        note(tx, kit, &self.who, "bank.read", &format!("institution:{}", self.id), json!({})).await?;
        Ok(Some((institution, Some(account))))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Set {
    Done,
    NotFound,
    Stale,
}

struct Write {
    kit: Kit,
    who: Who,
    id: InstitutionId,
    revision: i64,
    account: Option<BankAccount>,
}

impl Command for Write {
    type Output = Set;

    async fn apply(&self, tx: &mut Conn) -> Result<Set, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if institution_by_id(tx, association, &self.id).await?.is_none() {
            return Ok(Set::NotFound);
        }
        let sealed = match &self.account {
            Some(account) => {
                let plain = serde_json::to_string(account)
                    .map_err(|e| StoreError::corrupt("institution", &self.id, e))?;
                Some(kit.vault.seal_lasting(tx, association, place(&self.id), &plain).await?)
            }
            None => None,
        };
        let cleared = sealed.is_none();
        if !institution_bank_set(tx, association, &self.id, self.revision, sealed).await? {
            return Ok(Set::Stale);
        }
        let action = if cleared { "bank.clear" } else { "bank.change" };
        note(tx, kit, &self.who, action, &format!("institution:{}", self.id), json!({})).await?;
        Ok(Set::Done)
    }
}

impl App {
    /// The bank account of an institution; the reading is noted.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn bank_read(
        &self,
        who: &Who,
        id: &InstitutionId,
    ) -> Result<(Institution, Option<BankAccount>), AppError> {
        let read = Read { kit: self.kit(), who: who.clone(), id: id.clone() };
        self.db.run(read).await?.ok_or(AppError::NotFound)
    }

    /// Writes the bank account of an institution that stands at `revision`; `None` clears it.
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn bank_set(
        &self,
        who: &Who,
        id: &InstitutionId,
        revision: i64,
        account: Option<BankAccount>,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let account = account.map(BankAccount::tidy);
        let wrong = account.as_ref().map(BankAccount::wrong_fields).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let write = Write { kit: kit.clone(), who: who.clone(), id: id.clone(), revision, account };
        match self.run_once(&kit, who, key, write).await?.into_inner() {
            Set::Done => Ok(()),
            Set::NotFound => Err(AppError::NotFound),
            Set::Stale => Err(AppError::ChangedMeanwhile),
        }
    }
}
