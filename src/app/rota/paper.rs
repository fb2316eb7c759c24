//! The rota of whole days as it stands on paper, and its lists.

use std::sync::Arc;

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::{LaidRota, RotaWorld};
use crate::domain::calendar::{CivilDate, start_of_day};
use crate::domain::rota::Area;
use crate::domain::rota::paper::{Paper, Source, paper};
use crate::ids::AssociationId;
use crate::store::{Command, Conn, StoreError};

/// The most days of one sheet: a year.
pub const PAPER_DAYS_MAX: i64 = 370;
/// Nights that began so long before still reach in.
const BEFORE_S: i64 = 8 * 86_400;

/// Days of the rota with what is needed to say them in words.
#[derive(Clone, Debug)]
pub struct RotaPaper {
    pub world: RotaWorld,
    pub laid: Arc<LaidRota>,
    pub paper: Paper,
}

struct NoteTaken {
    kit: Kit,
    who: Who,
    what: String,
    format: &'static str,
    rows: usize,
}

impl Command for NoteTaken {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let detail = json!({ "what": self.what, "format": self.format, "rows": self.rows });
        let subject = format!("association:{}", self.who.association);
        note(tx, &self.kit, &self.who, "rota.export", &subject, detail).await.map(drop)
    }
}

impl App {
    /// The rota of an area for the days `first` to `last`, both included; an area that is not in the settings any
    /// more has its past.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for no days or more than [`PAPER_DAYS_MAX`]; the store's.
    pub async fn rota_paper(
        &self,
        association: &AssociationId,
        area: &Area,
        (first, last): (CivilDate, CivilDate),
    ) -> Result<RotaPaper, AppError> {
        if last < first || last.days_since(first) >= PAPER_DAYS_MAX {
            return Err(AppError::NotFound);
        }
        let world = self.rota_world(association).await?;
        let since = start_of_day(first, world.zone()).plus_s(-BEFORE_S);
        let laid = self.rota_laid(association, since).await?;
        let source = Source {
            records: &laid.records,
            timeline: &laid.timeline,
            book: world.book(),
            calendar: &world.calendar,
            zone: world.zone(),
        };
        let paper = paper(&source, area, first, last);
        Ok(RotaPaper { world, laid, paper })
    }

    /// Notes that a list of the rota was taken out, before it goes.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_taken_out(
        &self,
        who: &Who,
        what: &str,
        format: &'static str,
        rows: usize,
    ) -> Result<(), AppError> {
        let note = NoteTaken { kit: self.kit(), who: who.clone(), what: what.to_owned(), format, rows };
        Ok(self.db.run(note).await?)
    }
}
