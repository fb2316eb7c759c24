//! The totals for the city: requests of a fiscal year by month and specialty, and by the kind of the asking
//! institution, each by what came of them. Counts only; what is hidden is decided in `domain::totals`.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{App, AppError};
use crate::domain::calendar::{CivilDate, FiscalYear, civil_day, start_of_day};
use crate::domain::totals::{Counts, Totals, protected};
use crate::ids::AssociationId;
use crate::store::settings::requests_counted;

/// Requests read at a time.
const PAGE: i64 = 1_000;

/// What came of a request, in the order of the columns.
pub const OUTCOMES: [&str; 4] = ["answered", "unanswered", "withdrawn", "going_on"];

/// The column of a request's state.
fn outcome(state: &str) -> usize {
    match state {
        "closed" | "reported" => 0,
        "expired" | "refused" => 1,
        "withdrawn" => 2,
        _ => 3,
    }
}

/// The totals of a fiscal year, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YearTotals {
    /// Year, month and specialty of each row of the first table.
    pub months: Vec<(i32, u32, String)>,
    /// The kind of institution of each row of the second.
    pub kinds: Vec<String>,
    pub totals: Totals,
    pub minimum: i64,
}

fn rows<K: Ord + Clone>(counted: &BTreeMap<(K, usize), i64>) -> (Vec<K>, Counts) {
    let keys: BTreeSet<K> = counted.keys().map(|(key, _)| key.clone()).collect();
    let rows = keys
        .iter()
        .map(|key| {
            (0..OUTCOMES.len()).map(|j| counted.get(&(key.clone(), j)).copied().unwrap_or(0)).collect()
        })
        .collect();
    (keys.into_iter().collect(), Counts { rows })
}

impl App {
    /// The totals of a fiscal year as they may leave the office.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such year; the store's.
    pub async fn totals(
        &self,
        association: &AssociationId,
        year: FiscalYear,
    ) -> Result<YearTotals, AppError> {
        let zone = self.association(association).await?.zone;
        let first = year.first_day().ok_or(AppError::NotFound)?;
        let end = CivilDate::new(first.year() + 1, first.month(), 1).ok_or(AppError::NotFound)?;
        let window = (start_of_day(first, zone), start_of_day(end, zone));
        let (mut by_month, mut by_kind) = (BTreeMap::new(), BTreeMap::new());
        let mut after = String::new();
        let mut conn = self.db.read().await?;
        loop {
            let page = requests_counted(&mut conn, association, window, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            for request in &page {
                let facts: serde_json::Value = serde_json::from_str(&request.facts).unwrap_or_default();
                let specialty = facts.get("specialty").and_then(|s| s.as_str()).unwrap_or_default();
                let day = civil_day(request.created, zone);
                let column = outcome(&request.state);
                let month = (day.year(), day.month(), specialty.to_owned());
                *by_month.entry((month, column)).or_insert(0) += 1;
                *by_kind.entry((request.institution_kind.clone(), column)).or_insert(0) += 1;
            }
        }
        drop(conn);
        let minimum = self.totals_minimum(association).await?;
        let (months, first) = rows(&by_month);
        let (kinds, second) = rows(&by_kind);
        let totals = protected(&first, &second, OUTCOMES.len(), minimum);
        Ok(YearTotals { months, kinds, totals, minimum })
    }
}
