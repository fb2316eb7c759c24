//! An association's own calendar: the configured one with the days and rules it has stored. The Cabinet
//! Office's list is imported here; what the days mean stands in `domain::calendar`.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::access::note;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{
    BandRules, Calendar, CivilDate, Difference, Listed, ListedDay, NotTheList, OfficialList,
};
use crate::domain::consult::{Wrong, short_text};
use crate::ids::AssociationId;
pub use crate::store::calendar::{CalendarDay, DayKind};
use crate::store::calendar::{
    calendar_day_clear, calendar_day_set, calendar_days, calendar_national_clear, calendar_rules_get,
    calendar_rules_set,
};
use crate::store::{Command, Conn, StoreError};

/// The longest list that is read, in bytes; the real one has some 20,000.
pub const LIST_MAX_BYTES: usize = 1_000_000;
/// The most days that one change may name.
const CHANGE_MAX: usize = 400;
/// Characters of the hash that tells one version of the stored days from another.
const HASH_CHARS: usize = 12;

/// The calendar of an association, within a transaction or outside.
pub(crate) async fn calendar_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
) -> Result<Calendar, StoreError> {
    let days = calendar_days(conn, association).await?;
    let rules = calendar_rules_get(conn, association).await?;
    let mut calendar = kit.rules.calendar.clone();
    if days.is_empty() && rules.is_empty() {
        return Ok(calendar);
    }
    // The version changes with what is stored, so that a recorded band says by which text it was made.
    let mut hash = Sha256::new();
    let text =
        serde_json::to_string(&rules).map_err(|e| StoreError::corrupt("calendar_rules", association, e))?;
    hash.update(text.as_bytes());
    for day in days {
        hash.update(format!("\n{} {} {}", day.date, day.kind.code(), day.name).as_bytes());
        match day.kind {
            DayKind::National => drop(calendar.official.insert(day.date, day.name)),
            DayKind::Extra => {
                calendar.listed.insert(ListedDay::Once(day.date), Listed::Extra(day.name));
            }
            DayKind::Removed => drop(calendar.listed.insert(ListedDay::Once(day.date), Listed::Removed)),
        }
    }
    calendar.rules = rules;
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    calendar.version = format!("{}+{}", calendar.version, hash.chars().take(HASH_CHARS).collect::<String>());
    Ok(calendar)
}

/// What an association says of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayChange {
    /// A holiday here, under this name.
    Add { date: CivilDate, name: String },
    /// Not a holiday here.
    Remove { date: CivilDate },
    /// Again as list and law say.
    Forget { date: CivilDate },
}

struct Change {
    kit: Kit,
    who: Who,
    changes: Vec<DayChange>,
}

impl Command for Change {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        let (mut added, mut removed, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
        for change in &self.changes {
            let (date, kind, name) = match change {
                DayChange::Add { date, name } => (*date, Some(DayKind::Extra), name.trim()),
                DayChange::Remove { date } => (*date, Some(DayKind::Removed), ""),
                DayChange::Forget { date } => (*date, None, ""),
            };
            calendar_day_clear(tx, association, date).await?;
            match kind {
                Some(kind) => {
                    let day = CalendarDay { date, kind, name: name.to_owned() };
                    calendar_day_set(tx, association, &day).await?;
                    if kind == DayKind::Extra { &mut added } else { &mut removed }.push(date.to_string());
                }
                None => forgotten.push(date.to_string()),
            }
        }
        let calendar = calendar_of(tx, &self.kit, association).await?;
        let detail = json!({
            "added": added, "removed": removed, "forgotten": forgotten, "version": calendar.version,
        });
        let subject = format!("association:{association}");
        note(tx, &self.kit, &self.who, "calendar.days", &subject, detail).await.map(drop)
    }
}

struct PutRules {
    kit: Kit,
    who: Who,
    rules: BandRules,
}

impl Command for PutRules {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        calendar_rules_set(tx, association, &self.rules, self.kit.now).await?;
        let calendar = calendar_of(tx, &self.kit, association).await?;
        let subject = format!("association:{association}");
        let detail = json!({ "version": calendar.version });
        note(tx, &self.kit, &self.who, "calendar.rules", &subject, detail).await.map(drop)
    }
}

/// What an import of the official list comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListImport {
    /// The first and the last year of the list.
    pub years: (i32, i32),
    pub days: usize,
    /// Where the list differs from the rule of the law.
    pub differences: Vec<Difference>,
    /// Whether the stored days change by it.
    pub changes: bool,
    /// The calendar's version afterwards.
    pub version: String,
}

/// Whether an import is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// Nothing is stored.
    DryRun,
    Earnest,
}

/// Why a list was not imported; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ListRefused {
    #[error(transparent)]
    NotTheList(#[from] NotTheList),
    /// Neither UTF-8 nor Shift_JIS, or longer than [`LIST_MAX_BYTES`].
    #[error("the file is neither UTF-8 nor Shift_JIS text, or is too long")]
    NotText,
    #[error(transparent)]
    App(#[from] AppError),
}

struct Import {
    kit: Kit,
    who: Who,
    list: OfficialList,
    rehearsal: Rehearsal,
}

impl Command for Import {
    /// Whether anything changes, and the version afterwards; a rehearsal takes itself back.
    type Output = (bool, String);

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let association = &self.who.association;
        let before = calendar_of(tx, &self.kit, association).await?;
        let years = self.list.years();
        let mut official: BTreeMap<_, _> = before.official.clone();
        official.retain(|date, _| !years.contains(&date.year()));
        official.extend(self.list.days().clone());
        if official == before.official || self.rehearsal == Rehearsal::DryRun {
            return Ok((official != before.official, before.version));
        }
        for year in &years {
            let (first, last) = (CivilDate::new(*year, 1, 1), CivilDate::new(*year, 12, 31));
            if let (Some(first), Some(last)) = (first, last) {
                calendar_national_clear(tx, association, first, last).await?;
            }
        }
        for (date, name) in self.list.days() {
            let day = CalendarDay { date: *date, kind: DayKind::National, name: name.clone() };
            calendar_day_set(tx, association, &day).await?;
        }
        let version = calendar_of(tx, &self.kit, association).await?.version;
        let detail = json!({
            "first_year": years.first(), "last_year": years.last(), "days": self.list.days().len(),
            "differences": self.list.differences().len(), "version": version,
        });
        let subject = format!("association:{association}");
        note(tx, &self.kit, &self.who, "calendar.list", &subject, detail).await?;
        Ok((true, version))
    }
}

/// The text of a file in UTF-8 or Shift_JIS.
fn text_of(bytes: &[u8]) -> Result<String, ListRefused> {
    if bytes.len() > LIST_MAX_BYTES {
        return Err(ListRefused::NotText);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(bytes);
    if wrong { Err(ListRefused::NotText) } else { Ok(text.into_owned()) }
}

impl App {
    /// The association's calendar: the configured one with what it has stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn calendar_of(&self, association: &AssociationId) -> Result<Calendar, AppError> {
        let mut conn = self.db.read().await?;
        Ok(calendar_of(&mut conn, &self.kit(), association).await?)
    }

    /// The stored days, in the order of days.
    ///
    /// # Errors
    /// The store's.
    pub async fn calendar_days(&self, association: &AssociationId) -> Result<Vec<CalendarDay>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(calendar_days(&mut conn, association).await?)
    }

    /// Adds, removes and forgets days of the association's own.
    ///
    /// # Errors
    /// A day without a name or with one that is no line of text, too many days; the store's.
    pub async fn calendar_days_put(&self, who: &Who, changes: Vec<DayChange>) -> Result<(), AppError> {
        if changes.is_empty() {
            return Err(AppError::field("days", Wrong::Missing));
        }
        if changes.len() > CHANGE_MAX {
            return Err(AppError::field("days", Wrong::TooLong));
        }
        for change in &changes {
            if let DayChange::Add { name, .. } = change
                && let Some(wrong) = short_text(name, true)
            {
                return Err(AppError::field("name", wrong));
            }
        }
        Ok(self.db.run(Change { kit: self.kit(), who: who.clone(), changes }).await?)
    }

    /// How the association counts bands otherwise than the configured calendar.
    ///
    /// # Errors
    /// The store's.
    pub async fn calendar_rules(&self, association: &AssociationId) -> Result<BandRules, AppError> {
        let mut conn = self.db.read().await?;
        Ok(calendar_rules_get(&mut conn, association).await?)
    }

    /// Sets how the association counts bands; the empty rules change nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn calendar_rules_put(&self, who: &Who, rules: BandRules) -> Result<(), AppError> {
        Ok(self.db.run(PutRules { kit: self.kit(), who: who.clone(), rules }).await?)
    }

    /// Takes the Cabinet Office's list (CSV, Shift_JIS or UTF-8): in its years it takes the place of the rule.
    ///
    /// # Errors
    /// It is not that list, or not whole; the store's.
    pub async fn calendar_list_import(
        &self,
        who: &Who,
        bytes: &[u8],
        rehearsal: Rehearsal,
    ) -> Result<ListImport, ListRefused> {
        let list = OfficialList::parse(&text_of(bytes)?)?;
        let years = list.years();
        let differences = list.differences();
        let days = list.days().len();
        let import = Import { kit: self.kit(), who: who.clone(), list, rehearsal };
        let (changes, version) = self.db.run(import).await.map_err(AppError::from)?;
        let years = (years.first().copied().unwrap_or_default(), years.last().copied().unwrap_or_default());
        Ok(ListImport { years, days, differences, changes, version })
    }
}
