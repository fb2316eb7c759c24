//! Contact windows (ケアマネタイム): read and written. When one is open is `domain::people::contact_window`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use crate::domain::calendar::FiscalYear;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::contact_window::{ContactWindow, WINDOWS_MOST};
use crate::ids::{AssociationId, MemberId};
use crate::store::directory::{
    YearWindows, contact_windows_of, contact_windows_of_year, contact_windows_replace,
};
use crate::store::people::member_by_id;
use crate::store::{Command, Conn, StoreError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Put {
    Done,
    NotFound,
    Stale,
}

struct PutWindows {
    kit: Kit,
    who: Who,
    member: MemberId,
    year: FiscalYear,
    revision: i64,
    windows: Vec<ContactWindow>,
}

impl Command for PutWindows {
    type Output = Put;

    async fn apply(&self, tx: &mut Conn) -> Result<Put, StoreError> {
        let (kit, association, year) = (&self.kit, &self.who.association, self.year.first_year());
        let member = member_by_id(tx, association, &self.member).await?;
        if !member.is_some_and(|m| m.is_active(kit.now)) {
            return Ok(Put::NotFound);
        }
        let before = contact_windows_of(tx, association, &self.member, year).await?;
        if before.revision != self.revision {
            return Ok(Put::Stale);
        }
        contact_windows_replace(tx, association, &self.member, year, &self.windows).await?;
        let subject = format!("member:{}", self.member);
        let detail = json!({ "fiscal_year": year, "windows": self.windows.len() });
        note(tx, kit, &self.who, "contact_windows.change", &subject, detail).await?;
        Ok(Put::Done)
    }
}

impl App {
    /// A doctor's windows of a fiscal year.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn contact_windows(
        &self,
        association: &AssociationId,
        member: &MemberId,
        year: FiscalYear,
    ) -> Result<YearWindows, AppError> {
        let mut conn = self.db.read().await?;
        if member_by_id(&mut conn, association, member).await?.is_none() {
            return Err(AppError::NotFound);
        }
        Ok(contact_windows_of(&mut conn, association, member, year.first_year()).await?)
    }

    /// Everybody's windows of a fiscal year.
    ///
    /// # Errors
    /// The store's.
    pub async fn contact_windows_of_year(
        &self,
        association: &AssociationId,
        year: FiscalYear,
    ) -> Result<Vec<YearWindows>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(contact_windows_of_year(&mut conn, association, year.first_year()).await?)
    }

    /// Writes the windows of a doctor's fiscal year, which stand at `revision`.
    ///
    /// # Errors
    /// Windows that cannot be taken; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn contact_windows_put(
        &self,
        who: &Who,
        member: &MemberId,
        (year, revision): (FiscalYear, i64),
        windows: Vec<ContactWindow>,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let mut wrong: Vec<FieldWrong> = windows.iter().flat_map(ContactWindow::wrong_fields).collect();
        if windows.len() > WINDOWS_MOST {
            wrong.push(FieldWrong { field: "windows", wrong: Wrong::TooLong });
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let put = PutWindows {
            kit: kit.clone(),
            who: who.clone(),
            member: member.clone(),
            year,
            revision,
            windows,
        };
        match self.run_once(&kit, who, key, put).await?.into_inner() {
            Put::Done => Ok(()),
            Put::NotFound => Err(AppError::NotFound),
            Put::Stale => Err(AppError::ChangedMeanwhile),
        }
    }

    /// The fiscal year it is for an association.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn fiscal_year_now(&self, association: &AssociationId) -> Result<FiscalYear, AppError> {
        Ok(FiscalYear::of(self.today_of(association).await?))
    }
}
