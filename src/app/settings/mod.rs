//! What an association's office sets: its texts, what was left for later, the minimum of the totals.

pub mod rules;
pub mod totals;

use serde::{Deserialize, Serialize};
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::access::note;
use super::people::{
    association_name_wrong, collect, digits_or_none, email_wrong, office_phone_wrong, phone_wrong,
};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::domain::people::entry::OfficeEntry;
use crate::domain::totals::MINIMUM_LEAST;
use crate::ids::AssociationId;
use crate::store::people::{Association, association_by_id, association_change, members_after};
use crate::store::settings::{setting_get, setting_put};
use crate::store::{Command, Conn, StoreError};

/// The pages of the set-up that were passed over and not made up for.
pub(crate) const SKIPPED: &str = "setup_skipped";
/// Cells of the totals below this are hidden.
const MINIMUM: &str = "totals_minimum";
const MINIMUM_MOST: i64 = 100;

/// What the office says of itself, everywhere it speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfficeTexts {
    pub name: String,
    pub phone: String,
    pub entry: OfficeEntry,
}

impl OfficeTexts {
    /// The texts of an association as they stand in its row.
    #[must_use]
    pub fn of(home: &Association) -> Self {
        Self { name: home.name.clone(), phone: home.office_phone.clone(), entry: home.office.clone() }
    }

    /// What of the office's page cannot be taken; a missing telephone only where it is `needed`.
    #[must_use]
    pub fn office_wrong(&self, needed: bool) -> Vec<FieldWrong> {
        let phone = office_phone_wrong(&self.phone).filter(|w| needed || *w != Wrong::Missing);
        let given = |text: &str, wrong: fn(&str) -> Option<Wrong>| {
            if text.is_empty() { None } else { wrong(text) }
        };
        let entry = &self.entry;
        collect([
            ("office_phone", phone),
            ("fax", given(&entry.fax, phone_wrong)),
            ("mail", given(&entry.mail, email_wrong)),
            ("postcode", (!digits_or_none(&entry.postcode, 7)).then_some(Wrong::NotText)),
            ("address", short_text(&entry.address, false)),
            ("hours", short_text(&entry.hours, false)),
            ("closed", short_text(&entry.closed, false)),
        ])
    }

    /// What of all cannot be taken.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let mut wrong = collect([("name", association_name_wrong(&self.name))]);
        wrong.extend(self.office_wrong(true));
        wrong
    }
}

/// A telephone number as it is printed: narrow digits, one kind of hyphen, brackets as hyphens.
#[must_use]
pub fn printed_phone(typed: &str) -> String {
    let mut printed = String::new();
    for c in typed.nfkc() {
        match c {
            '0'..='9' | '+' => printed.push(c),
            '-' | '‐' | '‑' | '–' | '—' | '−' | 'ー' | '(' | ')' | '.' | '/' if !printed.ends_with('-') =>
            {
                printed.push('-');
            }
            '-' | '‐' | '‑' | '–' | '—' | '−' | 'ー' | '(' | ')' | '.' | '/' => {}
            c if c.is_whitespace() => {}
            // Refused beside the field, not swallowed.
            other => printed.push(other),
        }
    }
    printed.trim_matches('-').to_owned()
}

/// A postcode as seven digits.
#[must_use]
pub fn plain_postcode(typed: &str) -> String {
    typed.nfkc().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '−' | 'ー' | '–' | '〒')).collect()
}

struct ChangeTexts {
    kit: Kit,
    who: Who,
    revision: i64,
    texts: OfficeTexts,
}

impl Command for ChangeTexts {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(before) = association_by_id(tx, association).await? else { return Ok(false) };
        let new = Association {
            name: self.texts.name.clone(),
            office_phone: self.texts.phone.clone(),
            office: self.texts.entry.clone(),
            revision: self.revision,
            ..before.clone()
        };
        if !association_change(tx, &new).await? {
            return Ok(false);
        }
        for page in ["association", "office"] {
            made_up_for(tx, kit, association, page).await?;
        }
        // Which of them, never what they say.
        let changed: Vec<&str> = [
            ("name", before.name != new.name),
            ("office_phone", before.office_phone != new.office_phone),
            ("fax", before.office.fax != new.office.fax),
            ("mail", before.office.mail != new.office.mail),
            (
                "address",
                (&before.office.postcode, &before.office.address)
                    != (&new.office.postcode, &new.office.address),
            ),
            ("hours", before.office.hours != new.office.hours),
            ("closed", before.office.closed != new.office.closed),
        ]
        .into_iter()
        .filter_map(|(field, changed)| changed.then_some(field))
        .collect();
        let subject = format!("association:{association}");
        note(tx, kit, &self.who, "association.change", &subject, json!({ "changed": changed })).await?;
        Ok(true)
    }
}

async fn list(conn: &mut Conn, association: &AssociationId) -> Result<Vec<String>, StoreError> {
    let text = setting_get(conn, association, SKIPPED).await?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default())
}

/// A page of the set-up is not open any more.
async fn made_up_for(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    page: &str,
) -> Result<(), StoreError> {
    let mut skipped = list(tx, association).await?;
    let before = skipped.len();
    skipped.retain(|p| p != page);
    if skipped.len() < before {
        let text = serde_json::to_string(&skipped).unwrap_or_else(|_| "[]".to_owned());
        setting_put(tx, association, SKIPPED, &text, kit.now).await?;
    }
    Ok(())
}

struct MakeUpFor {
    kit: Kit,
    who: Who,
    page: &'static str,
}

impl Command for MakeUpFor {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        made_up_for(tx, &self.kit, &self.who.association, self.page).await?;
        let subject = format!("association:{}", self.who.association);
        note(tx, &self.kit, &self.who, "setup.made_up", &subject, json!({ "page": self.page }))
            .await
            .map(drop)
    }
}

struct PutMinimum {
    kit: Kit,
    who: Who,
    minimum: i64,
}

impl Command for PutMinimum {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        setting_put(tx, association, MINIMUM, &self.minimum.to_string(), kit.now).await?;
        let subject = format!("association:{association}");
        let detail = json!({ "minimum": self.minimum });
        note(tx, kit, &self.who, "totals.minimum", &subject, detail).await.map(drop)
    }
}

impl App {
    /// The office's texts as they are now.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn office_texts(&self, association: &AssociationId) -> Result<OfficeTexts, AppError> {
        Ok(OfficeTexts::of(&self.association(association).await?))
    }

    /// Changes the office's texts, which stood at `revision`. From the next page and mail on they are the new
    /// ones.
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn office_texts_change(
        &self,
        who: &Who,
        revision: i64,
        texts: OfficeTexts,
    ) -> Result<(), AppError> {
        let wrong = texts.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let change = ChangeTexts { kit: self.kit(), who: who.clone(), revision, texts };
        if self.db.run(change).await? { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }

    /// What was passed over in the set-up and is still open: `association`, `office`, `mail`, `members`.
    ///
    /// # Errors
    /// The store's.
    pub async fn left_for_later(&self, association: &AssociationId) -> Result<Vec<String>, AppError> {
        let mut conn = self.db.read().await?;
        let mut left = list(&mut conn, association).await?;
        // Made up for elsewhere: the file was read in, or people were entered one by one.
        if left.iter().any(|p| p == "members")
            && members_after(&mut conn, association, "", 2).await?.len() > 1
        {
            left.retain(|p| p != "members");
        }
        Ok(left)
    }

    /// Mail was tried and works.
    ///
    /// # Errors
    /// The store's.
    pub async fn mail_was_tried(&self, who: &Who) -> Result<(), AppError> {
        Ok(self.db.run(MakeUpFor { kit: self.kit(), who: who.clone(), page: "mail" }).await?)
    }

    /// Cells of the totals below this are hidden.
    ///
    /// # Errors
    /// The store's.
    pub async fn totals_minimum(&self, association: &AssociationId) -> Result<i64, AppError> {
        let mut conn = self.db.read().await?;
        let text = setting_get(&mut conn, association, MINIMUM).await?;
        Ok(text.and_then(|t| t.parse().ok()).unwrap_or(MINIMUM_LEAST).max(MINIMUM_LEAST))
    }

    /// Sets the minimum of the totals.
    ///
    /// # Errors
    /// A number below [`MINIMUM_LEAST`] or beyond all sense; the store's.
    pub async fn totals_minimum_set(&self, who: &Who, minimum: i64) -> Result<(), AppError> {
        if !(MINIMUM_LEAST..=MINIMUM_MOST).contains(&minimum) {
            return Err(AppError::field("minimum", Wrong::OutOfRange));
        }
        Ok(self.db.run(PutMinimum { kit: self.kit(), who: who.clone(), minimum }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_one_way_whatever_the_keyboard() {
        for typed in [
            "042-000-0000",
            "０４２ー０００ー００００",
            "042（000）0000",
            " 042 - 000 - 0000 ",
            "(042)000-0000",
        ] {
            assert_eq!(printed_phone(typed), "042-000-0000", "{typed}");
        }
        assert_eq!(printed_phone("電話なし"), "電話なし");
        assert_eq!(plain_postcode("〒１２３－４５６７"), "1234567");
    }

    #[test]
    fn a_telephone_is_needed_only_in_the_end() {
        let empty = OfficeTexts::default();
        assert!(empty.office_wrong(false).is_empty());
        assert_eq!(empty.office_wrong(true).len(), 1);
        let odd = OfficeTexts { phone: "電話".to_owned(), ..OfficeTexts::default() };
        assert_eq!(odd.office_wrong(false).len(), 1);
    }
}
