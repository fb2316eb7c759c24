//! What the office sets for its rota: slot patterns, areas, rules, targets, reminders. Every version stays.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::rota::{Reminders, RotaSettings, SettingWrong, SlotBook, SlotFileErrors};
use crate::ids::{AssociationId, MemberId};
use crate::store::people::member_by_id;
pub use crate::store::rota::plans::SlotBookText;
use crate::store::rota::plans::{
    reminder_set, reminders, rota_settings, rota_settings_add, slot_book_add, slot_books,
};
use crate::store::rota::rota_touch;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// The longest text of slot patterns, in bytes.
pub const BOOK_MAX_BYTES: usize = 200_000;

struct PutBook {
    kit: Kit,
    who: Who,
    body: String,
    recorded_at: Millis,
}

impl Command for PutBook {
    type Output = i64;

    async fn apply(&self, tx: &mut Conn) -> Result<i64, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        rota_touch(tx, association, kit.now).await?;
        let version = slot_book_add(tx, association, &self.body, self.recorded_at, &self.who.actor).await?;
        let detail = json!({ "version": version });
        note(tx, kit, &self.who, "rota.slots", &format!("association:{association}"), detail).await?;
        Ok(version)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Put {
    Done(i64),
    Stale,
}

struct PutSettings {
    kit: Kit,
    who: Who,
    version: i64,
    settings: RotaSettings,
}

impl Command for PutSettings {
    type Output = Put;

    async fn apply(&self, tx: &mut Conn) -> Result<Put, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        rota_touch(tx, association, kit.now).await?;
        if rota_settings(tx, association).await?.0 != self.version {
            return Ok(Put::Stale);
        }
        let version = rota_settings_add(tx, association, &self.settings, kit.now, &self.who.actor).await?;
        let detail = json!({ "version": version, "areas": self.settings.areas.len() });
        note(tx, kit, &self.who, "rota.settings", &format!("association:{association}"), detail).await?;
        Ok(Put::Done(version))
    }
}

struct PutReminders {
    kit: Kit,
    who: Who,
    member: MemberId,
    reminders: Option<Reminders>,
}

impl Command for PutReminders {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if !member_by_id(tx, association, &self.member).await?.is_some_and(|m| m.is_active(kit.now)) {
            return Ok(false);
        }
        reminder_set(tx, association, &self.member, self.reminders.as_ref(), kit.now).await?;
        let detail = json!({ "own": self.reminders.is_some() });
        note(tx, kit, &self.who, "rota.reminders", &format!("member:{}", self.member), detail).await?;
        Ok(true)
    }
}

/// Why slot patterns were not taken; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SlotsRefused {
    #[error(transparent)]
    Wrong(#[from] SlotFileErrors),
    #[error(transparent)]
    App(#[from] AppError),
}

impl App {
    /// The settings of the rota and their version; 0: nothing was ever set.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_settings(&self, association: &AssociationId) -> Result<(i64, RotaSettings), AppError> {
        let mut conn = self.db.read().await?;
        Ok(rota_settings(&mut conn, association).await?)
    }

    /// Sets everything for the rota anew, from the version it stands at; the new version.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_settings_put(
        &self,
        who: &Who,
        version: i64,
        settings: RotaSettings,
        key: Option<&Key>,
    ) -> Result<i64, AppError> {
        let wrong: Vec<FieldWrong> = settings
            .wrong()
            .into_iter()
            .map(|(field, wrong)| FieldWrong { field, wrong: wrong_of(wrong) })
            .collect();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let put = PutSettings { kit: kit.clone(), who: who.clone(), version, settings };
        match self.run_once(&kit, who, key, put).await?.into_inner() {
            Put::Done(version) => Ok(version),
            Put::Stale => Err(AppError::ChangedMeanwhile),
        }
    }

    /// Every version of the slot patterns, the first one first; empty: the built-in ones are in use.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_slot_books(&self, association: &AssociationId) -> Result<Vec<SlotBookText>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(slot_books(&mut conn, association).await?)
    }

    /// Takes new slot patterns and required hours from TOML text (see `config/slots.toml`); the new version. What
    /// was published keeps its hours.
    ///
    /// # Errors
    /// Every mistake of the text, by line; a time of recording that is still to come; the store's.
    pub async fn rota_slot_book_put(
        &self,
        who: &Who,
        (file, body): (&str, &str),
        recorded_at: Option<Millis>,
        key: Option<&Key>,
    ) -> Result<i64, SlotsRefused> {
        let kit = self.kit();
        if body.len() > BOOK_MAX_BYTES {
            return Err(AppError::field("slots", Wrong::TooLong).into());
        }
        if recorded_at.is_some_and(|at| kit.now < at) {
            return Err(AppError::field("recorded_at", Wrong::OutOfRange).into());
        }
        SlotBook::parse(file, body, "new")?;
        let put = PutBook {
            kit: kit.clone(),
            who: who.clone(),
            body: body.to_owned(),
            recorded_at: recorded_at.unwrap_or(kit.now),
        };
        Ok(self.run_once(&kit, who, key, put).await?.into_inner())
    }

    /// When somebody is reminded of their duties: their own choice, or the association's.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_reminders_of(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<(Reminders, bool), AppError> {
        let mut conn = self.db.read().await?;
        let own = reminders(&mut conn, association).await?.into_iter().find(|(id, _)| id == member);
        match own {
            Some((_, own)) => Ok((own, true)),
            None => Ok((rota_settings(&mut conn, association).await?.1.reminders, false)),
        }
    }

    /// Chooses when somebody is reminded; `None` = as the association does.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::NotFound`]; the store's.
    pub async fn rota_reminders_set(
        &self,
        who: &Who,
        member: &MemberId,
        reminders: Option<Reminders>,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        if reminders.is_some_and(|r| r.wrong()) {
            return Err(AppError::field("reminders", Wrong::OutOfRange));
        }
        let kit = self.kit();
        let put = PutReminders { kit: kit.clone(), who: who.clone(), member: member.clone(), reminders };
        if self.run_once(&kit, who, key, put).await?.into_inner() { Ok(()) } else { Err(AppError::NotFound) }
    }
}

/// What is wrong with a setting, in the words of forms.
#[must_use]
pub const fn wrong_of(wrong: SettingWrong) -> Wrong {
    match wrong {
        SettingWrong::Missing => Wrong::Missing,
        SettingWrong::TooMany => Wrong::TooLong,
        SettingWrong::Twice => Wrong::NotAChoice,
        SettingWrong::Name => Wrong::NotText,
        SettingWrong::OutOfRange => Wrong::OutOfRange,
    }
}
