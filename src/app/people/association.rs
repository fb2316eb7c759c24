//! Associations: made from the shell or by the set-up.

use serde_json::json;

use super::super::access::note;
use super::super::mail_texts::{AssociationName, OfficePhone};
use super::super::{App, AppError, Kit, Who};
use super::collect;
use crate::domain::consult::Wrong;
use crate::domain::people::entry::OfficeEntry;
use crate::i18n::Lang;
use crate::ids::AssociationId;
use crate::store::audit::audit_start;
use crate::store::people::{Association, association_add, association_by_code};
use crate::store::{Command, Conn, StoreError};

pub(crate) struct AddAssociation {
    pub kit: Kit,
    pub who: Who,
    pub new: Association,
}

impl Command for AddAssociation {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        if association_by_code(tx, &self.new.code).await?.is_some() {
            return Ok(false);
        }
        association_add(tx, &self.new, self.kit.now).await?;
        audit_start(tx, &self.new.id).await?;
        let subject = format!("association:{}", self.new.id);
        note(tx, &self.kit, &self.who, "association.add", &subject, json!({ "code": self.new.code })).await?;
        Ok(true)
    }
}

/// What cannot be an association's code.
pub(crate) fn code_wrong(code: &str) -> Option<Wrong> {
    let ok = (1..=32).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (!ok).then_some(if code.is_empty() { Wrong::Missing } else { Wrong::NotText })
}

/// What cannot be an association's name: it stands on every mail.
pub(crate) fn association_name_wrong(name: &str) -> Option<Wrong> {
    let wrong = if name.is_empty() { Wrong::Missing } else { Wrong::NotText };
    AssociationName::new(name).err().map(|_| wrong)
}

/// What cannot be the office's number: it stands on every mail.
pub(crate) fn office_phone_wrong(phone: &str) -> Option<Wrong> {
    let wrong = if phone.is_empty() { Wrong::Missing } else { Wrong::NotText };
    OfficePhone::new(phone).err().map(|_| wrong)
}

/// A new association, from the shell.
#[derive(Clone, Debug)]
pub struct NewAssociation {
    /// A short name for commands and sign-in, such as `aoba`.
    pub code: String,
    pub name: String,
    pub zone: chrono_tz::Tz,
    pub office_phone: String,
    pub lang: Lang,
}

impl App {
    /// Makes an association.
    ///
    /// # Errors
    /// Fields that cannot be taken, a code that is taken; the store's.
    pub async fn association_add(&self, new: NewAssociation) -> Result<AssociationId, AppError> {
        let wrong = collect([
            ("code", code_wrong(&new.code)),
            ("name", association_name_wrong(&new.name)),
            ("office_phone", office_phone_wrong(&new.office_phone)),
        ]);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let id = AssociationId::new(kit.now, self.chance.as_ref());
        let association = Association {
            id: id.clone(),
            code: new.code,
            name: new.name,
            zone: new.zone,
            office_phone: new.office_phone,
            lang: new.lang,
            office: OfficeEntry::default(),
            revision: 0,
        };
        let who = Who::cli(&id);
        if self.db.run(AddAssociation { kit, who, new: association }).await? {
            Ok(id)
        } else {
            Err(AppError::field("code", Wrong::Taken))
        }
    }

    /// The association with this code.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn association_by_code(&self, code: &str) -> Result<Association, AppError> {
        let mut conn = self.db.read().await?;
        association_by_code(&mut conn, code).await?.ok_or(AppError::NotFound)
    }
}
