//! The tariffs of an association: those of the configuration until it records its own, then versions that are
//! only added to. What they mean is `domain::ledger`.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::world::world_of;
use crate::domain::calendar::civil_day;
use crate::domain::consult::{Wrong, short_text};
use crate::domain::ledger::{Month, TariffErrors, Tariffs, for_next_year, run_month};
use crate::ids::AssociationId;
use crate::money::Yen;
use crate::store::ledger::reports::{draft_put, draft_waiting};
pub use crate::store::ledger::rules::TariffSet;
use crate::store::ledger::rules::{tariffs_add, tariffs_all, tariffs_by_number, tariffs_newest};
use crate::store::people::association_by_id;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// The longest text of tariffs, in bytes.
pub const TEXT_MAX: usize = 65_536;
/// Versions a page lists.
const VERSIONS: i64 = 100;
/// Characters of the hash that names a text.
const HASH_CHARS: usize = 12;

fn version_of(number: i64, text: &str) -> String {
    let hash: String = Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    format!("{number}:{}", hash.chars().take(HASH_CHARS).collect::<String>())
}

fn read(set: &TariffSet) -> Result<Tariffs, StoreError> {
    Tariffs::parse("tariffs", &set.body, set.version.clone())
        .map_err(|e| StoreError::corrupt("tariff_set", set.number, e))
}

/// The tariffs of a number, or those in force as recorded at `as_of`; with their number, 0 for those of the
/// configuration.
pub(crate) async fn tariffs_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    number: Option<i64>,
    as_of: Millis,
) -> Result<(Tariffs, i64), StoreError> {
    let set = match number {
        Some(0) => None,
        Some(number) => {
            let set = tariffs_by_number(conn, association, number).await?;
            Some(set.ok_or_else(|| StoreError::corrupt("tariff_set", number, "it is gone"))?)
        }
        None => tariffs_newest(conn, association, as_of).await?,
    };
    match set {
        Some(set) => Ok((read(&set)?, set.number)),
        None => Ok((kit.rules.tariffs.clone(), 0)),
    }
}

/// Why a text of tariffs was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TariffsRefused {
    /// Every mistake, with its line.
    Mistakes(TariffErrors),
    TooLong,
    /// Somebody recorded others since this text was begun.
    Changed,
}

/// What a programme pays under two versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub lines_before: u32,
    pub yen_before: Yen,
    pub lines_after: u32,
    pub yen_after: Yen,
}

/// What last month would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub month: Option<Month>,
    /// By programme; with an empty name where no programme knows a line.
    pub programs: BTreeMap<String, Compared>,
    pub total: Compared,
}

/// Copies the tariffs in force for the year after a closed one, as a draft that nobody has looked at.
pub(super) async fn draft_next_year(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    fiscal_year: i32,
) -> Result<(), StoreError> {
    let Some(newest) = tariffs_newest(tx, association, kit.now).await? else { return Ok(()) };
    match for_next_year(&newest.body, fiscal_year) {
        Some(draft) => draft_put(tx, association, (fiscal_year + 1, newest.number), kit.now, &draft).await,
        None => Ok(()),
    }
}

struct Record {
    kit: Kit,
    who: Who,
    after: i64,
    text: String,
    note: String,
}

impl Command for Record {
    type Output = Option<TariffSet>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<TariffSet>, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let newest = tariffs_all(tx, association, 1).await?.pop();
        let before = newest.as_ref().map_or(0, |set| set.number);
        if before != self.after {
            return Ok(None);
        }
        if let Some(same) = newest.filter(|set| set.body == self.text) {
            return Ok(Some(same));
        }
        let number = before + 1;
        let set = TariffSet {
            number,
            version: version_of(number, &self.text),
            recorded: kit.now,
            recorded_by: self.who.actor.clone(),
            note: self.note.clone(),
            body: self.text.clone(),
        };
        if !tariffs_add(tx, association, &set).await? {
            return Ok(None);
        }
        let detail = json!({ "version": set.version });
        note(tx, kit, &self.who, "tariffs.record", &format!("tariffs:{number}"), detail).await?;
        Ok(Some(set))
    }
}

impl App {
    /// The tariffs in force, with their number.
    ///
    /// # Errors
    /// The store's.
    pub async fn tariffs_now(&self, association: &AssociationId) -> Result<(Tariffs, i64), AppError> {
        let mut conn = self.db.read().await?;
        Ok(tariffs_of(&mut conn, &self.kit(), association, None, self.now()).await?)
    }

    /// The versions recorded, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn tariffs_history(&self, association: &AssociationId) -> Result<Vec<TariffSet>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(tariffs_all(&mut conn, association, VERSIONS).await?)
    }

    /// The draft that the last closed fiscal year left for the next one, until other tariffs are recorded: the year
    /// and the text.
    ///
    /// # Errors
    /// The store's.
    pub async fn tariffs_draft(
        &self,
        association: &AssociationId,
    ) -> Result<Option<(i32, String)>, AppError> {
        let mut conn = self.db.read().await?;
        let newest = tariffs_all(&mut conn, association, 1).await?.pop().map_or(0, |set| set.number);
        Ok(draft_waiting(&mut conn, association, newest).await?)
    }

    /// Records tariffs that are in force for every month not closed yet. `after` is the number of the version
    /// the text was written from, 0 where there was none.
    ///
    /// # Errors
    /// A note that cannot be taken; the store's. What is wrong with the text is in the value.
    pub async fn tariffs_record(
        &self,
        who: &Who,
        after: i64,
        text: &str,
        why: &str,
    ) -> Result<Result<TariffSet, TariffsRefused>, AppError> {
        if let Some(wrong) = short_text(why, false) {
            return Err(AppError::field("note", wrong));
        }
        if text.len() > TEXT_MAX {
            return Ok(Err(TariffsRefused::TooLong));
        }
        if let Err(mistakes) = Tariffs::parse("tariffs", text, "new") {
            return Ok(Err(TariffsRefused::Mistakes(mistakes)));
        }
        let (text, why) = (text.to_owned(), why.trim().to_owned());
        let record = Record { kit: self.kit(), who: who.clone(), after, text, note: why };
        Ok(self.db.run(record).await?.ok_or(TariffsRefused::Changed))
    }

    /// What last month would have been under another text. Nothing is written.
    ///
    /// # Errors
    /// The store's; every mistake of the text is in the value.
    pub async fn tariffs_preview(
        &self,
        association: &AssociationId,
        text: &str,
    ) -> Result<Result<Preview, TariffsRefused>, AppError> {
        if text.len() > TEXT_MAX {
            return Ok(Err(TariffsRefused::TooLong));
        }
        let new = match Tariffs::parse("tariffs", text, "new") {
            Ok(tariffs) => tariffs,
            Err(mistakes) => return Ok(Err(TariffsRefused::Mistakes(mistakes))),
        };
        let (kit, now) = (self.kit(), self.now());
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let month = Month::of(civil_day(now, home.zone)).plus(-1);
        let world = Box::pin(world_of(&mut conn, &kit, association, month, now, (None, false))).await?;
        let before = run_month(month, &world.facts, &world.taken, &world.tariffs, world.waiting);
        let after = run_month(month, &world.facts, &world.taken, &new, world.waiting);
        let mut preview = Preview { month: Some(month), ..Preview::default() };
        let name = |line: &crate::domain::ledger::Line| {
            line.program.as_ref().map_or_else(String::new, ToString::to_string)
        };
        for line in &before.lines {
            let of_program = preview.programs.entry(name(line)).or_default();
            for sum in [of_program, &mut preview.total] {
                sum.lines_before += u32::from(line.amount.0 != 0);
                sum.yen_before.0 += line.amount.0;
            }
        }
        for line in &after.lines {
            let of_program = preview.programs.entry(name(line)).or_default();
            for sum in [of_program, &mut preview.total] {
                sum.lines_after += u32::from(line.amount.0 != 0);
                sum.yen_after.0 += line.amount.0;
            }
        }
        Ok(Ok(preview))
    }
}

/// A note that must be there.
pub(super) fn needed_note(text: &str) -> Result<String, AppError> {
    match short_text(text, true) {
        Some(wrong) => Err(AppError::field("note", wrong)),
        None if text.trim().is_empty() => Err(AppError::field("note", Wrong::Missing)),
        None => Ok(text.trim().to_owned()),
    }
}
