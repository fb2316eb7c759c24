//! What a programme came to at its end (事業終了報告): connections, minutes to answer, transports avoided, yen for
//! each event. And the load of a year, month by month, for pictures.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{App, AppError};
use super::close::MonthView;
use super::figures::Tally;
use super::tables::{CITY_LEAST, columns, footer, hidden, month_name, titled, word};
use super::world::instants;
use crate::domain::ledger::{Cell, Code, LedgerTable, Month, Side};
use crate::i18n::{Lang, t, t_with};
use crate::ids::AssociationId;
use crate::store::ledger::reports::{Glance, events_between, sealed_between};
use crate::store::people::association_by_id;

/// How far back a programme's first line may lie.
const BACK_MONTHS: i64 = 120;

/// A month of the year as pictures show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Events that were taken, by the month in which they count.
    pub events: u32,
    /// Half were answered within so many minutes; `None`: there were none.
    pub median_minutes: Option<u32>,
}

/// The middle of the numbers; of two middles the lower.
fn median(numbers: &mut [u32]) -> Option<u32> {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied()
}

fn minutes(event: &Glance) -> u32 {
    u32::try_from(event.accepted_at.since_ms(event.created_at).max(0) / 60_000).unwrap_or(u32::MAX)
}

/// What a programme came to.
#[derive(Default)]
struct Ended {
    /// The requests it has lines of.
    events: BTreeSet<String>,
    by_kind: BTreeMap<String, Tally>,
    standby: u32,
    yen: i64,
    avoided: u32,
    minutes: Vec<u32>,
}

impl App {
    /// How many events were taken in each month of a fiscal year, April first, and how soon.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_load(
        &self,
        association: &AssociationId,
        fiscal_year: i32,
    ) -> Result<Vec<Load>, AppError> {
        let april = Month::april(fiscal_year);
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let span = (instants(april, home.zone).0, instants(april.plus(11), home.zone).1);
        let mut months: Vec<Vec<u32>> = vec![Vec::new(); 12];
        events_between(&mut conn, association, span, |_, event| {
            let at = usize::try_from(Month::of(event.moment.civil_date).in_fiscal_year()).unwrap_or(0);
            if let Some(month) = months.get_mut(at) {
                month.push(minutes(event));
            }
        })
        .await?;
        let load = |mut all: Vec<u32>| Load {
            events: u32::try_from(all.len()).unwrap_or(u32::MAX),
            median_minutes: median(&mut all),
        };
        Ok(months.into_iter().map(load).collect())
    }

    /// 事業終了報告: every programme that has sealed lines until the month. Counts below the minimum are not told, nor
    /// what could be computed from them.
    pub(super) async fn ledger_ending(
        &self,
        association: &AssociationId,
        view: &MonthView,
        lang: Lang,
    ) -> Result<LedgerTable, AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let mut programs: BTreeMap<Code, Ended> = BTreeMap::new();
        let mut first = view.month;
        let span = (view.month.plus(-BACK_MONTHS), view.month);
        sealed_between(&mut conn, association, span, |_, line| {
            let Some(code) = &line.program else { return };
            let ended = programs.entry(code.clone()).or_default();
            ended.yen += line.amount.0;
            if !line.entry.is_original() || line.eligibility.reason().is_some() {
                return;
            }
            match line.event.request() {
                Some(id) => {
                    first = first.min(Month::of(line.civil_date));
                    ended.events.insert(id.as_str().to_owned());
                }
                None => ended.standby += u32::from(line.side == Side::Standby),
            }
        })
        .await?;
        let span = (instants(first, home.zone).0, instants(view.month, home.zone).1);
        events_between(&mut conn, association, span, |request, event| {
            for ended in programs.values_mut().filter(|ended| ended.events.contains(request)) {
                ended.by_kind.entry(event.kind.code().to_owned()).or_default().lines += 1;
                let avoided = event.transport_avoided || event.outcome.as_str() == "transport_avoided";
                ended.avoided += u32::from(avoided);
                ended.minutes.push(minutes(event));
            }
        })
        .await?;
        drop(conn);
        let mut rows = Vec::new();
        for (code, mut ended) in programs {
            rows.extend(figures(view, &code, &mut ended, lang));
        }
        let (title, sheet) = titled(view, lang, "ending");
        let keys = ["funder", "program", "until", "figure", "count", "amount_yen"];
        Ok(LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) })
    }
}

/// The rows of one programme.
fn figures(view: &MonthView, code: &Code, ended: &mut Ended, lang: Lang) -> Vec<Vec<Cell>> {
    let program = view.tariffs.programs().get(code);
    let over = program.is_some_and(|p| p.before <= view.month.end());
    let until = match program {
        Some(program) if over => Cell::Day(program.before.plus_days(-1)),
        _ => Cell::Text(t_with(lang, "ledger-ending-so-far", &[("month", &month_name(view.month, lang))])),
    };
    let few = || Cell::Text(t_with(lang, "ledger-few", &[("n", &CITY_LEAST.to_string())]));
    let told = |n: u32| if n > 0 && n < CITY_LEAST { few() } else { Cell::Count(i64::from(n)) };
    let connections = u32::try_from(ended.minutes.len()).unwrap_or(u32::MAX);
    let is_small = connections > 0 && connections < CITY_LEAST;
    let mut figures: Vec<(String, Cell, Cell)> = Vec::new();
    let name = |key: &str| t(lang, &format!("ledger-ending-{key}"));
    figures.push((name("connections"), told(connections), Cell::Nothing));
    let untold = hidden(&ended.by_kind, CITY_LEAST);
    for (kind, cell) in &ended.by_kind {
        let count =
            if is_small || untold.contains(kind) { few() } else { Cell::Count(i64::from(cell.lines)) };
        figures.push((
            format!("{}：{}", name("of_these"), word(lang, "ledger-kind", kind)),
            count,
            Cell::Nothing,
        ));
    }
    let minutes = if is_small {
        few()
    } else {
        median(&mut ended.minutes).map_or(Cell::Nothing, |n| Cell::Count(i64::from(n)))
    };
    figures.push((name("minutes"), minutes, Cell::Nothing));
    // Those who were not avoided are what is left of the connections.
    let (avoided, rest) = (ended.avoided, connections.saturating_sub(ended.avoided));
    let one_is_small = [avoided, rest].iter().any(|n| *n > 0 && *n < CITY_LEAST);
    figures.push((name("avoided"), if one_is_small { few() } else { told(avoided) }, Cell::Nothing));
    figures.push((name("standby"), Cell::Count(i64::from(ended.standby)), Cell::Nothing));
    figures.push((name("yen"), Cell::Nothing, Cell::Yen(ended.yen)));
    // The sum over what one event costs would tell how many there were.
    let per_event = match i64::from(connections) {
        0 => Cell::Nothing,
        _ if is_small => few(),
        n => Cell::Yen(ended.yen / n),
    };
    figures.push((name("per_event"), Cell::Nothing, per_event));
    let row = |(figure, count, yen)| {
        vec![
            Cell::Text(program.map_or_else(String::new, |p| p.funder.clone())),
            Cell::Text(program.map_or_else(|| code.to_string(), |p| p.name.clone())),
            until.clone(),
            Cell::Text(figure),
            count,
            yen,
        ]
    };
    figures.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_two_is_the_lower_and_of_none_nothing() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [9]), Some(9));
        assert_eq!(median(&mut [9, 1]), Some(1));
        assert_eq!(median(&mut [9, 1, 5]), Some(5));
    }
}
