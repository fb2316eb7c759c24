//! Destroys what is past its time (保存期間), reports it, and keeps what is on legal hold. A text is destroyed
//! by destroying the key it was sealed under; when that may be is decided in `domain::retention`.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::note;
use super::replay::Key;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{CaseNo, civil_day};
use crate::domain::consult::{Wrong, short_text};
use crate::domain::people::Role;
use crate::domain::retention::{
    Holds, Owner, RetentionYears, TextFacts, TextKind, Verdict, judge, oldest_young_month,
};
use crate::ids::{AssociationId, HoldId, RequestId};
use crate::seal::LASTING;
use crate::store::cards::cards_gone_since;
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{association_by_id, members_with_role};
use crate::store::requests::case_by_id;
use crate::store::retention::{
    DestroyedRow, HoldRow, ReportRow, destroyed_add, destroyed_unreported, hold_add, hold_lift, holds,
    holds_standing, key_destroy, keys_standing, lasting_move, own_key_name, records_before,
    request_by_case_no, retention_lock, retention_report_get, retention_report_put, retention_reports,
    retention_years, retention_years_set, text_move, texts_under,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Reports shown at a time.
const REPORTS: i64 = 36;

/// What went with one key, and what was moved before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestroyedKey {
    /// The month in which the texts were written, `2021-11`; `h000001` for a case that had been on hold.
    pub key: String,
    /// Texts by kind.
    pub texts: BTreeMap<TextKind, u32>,
    /// How many cases and calls they belonged to.
    pub cases: u32,
    /// Texts of cases on hold that were moved under a key of their own.
    pub held_moved: u32,
    /// Numbers of people and institutions that were moved under the lasting key.
    pub numbers_moved: u32,
}

/// What a month's report tells: counts, nobody's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReport {
    /// The civil month of the report, `2031-12`.
    pub month: String,
    #[serde(skip)]
    pub at: Option<Millis>,
    pub destroyed: Vec<DestroyedKey>,
    /// Legal holds that stand: on cases, and on everything.
    pub holds: u32,
    pub everything_held: bool,
    /// Lines of the ledger and rows of the audit past their years. They hold no clinical text and are kept.
    pub old_ledger_lines: i64,
    pub old_audit_rows: i64,
    /// Night cards that were destroyed since the report before: replaced a month ago, or of patients no longer listed.
    #[serde(default)]
    pub night_cards: i64,
}

impl RetentionReport {
    /// Texts that were destroyed, of every kind.
    #[must_use]
    pub fn texts(&self) -> u32 {
        self.destroyed.iter().flat_map(|key| key.texts.values()).sum()
    }

    /// Cases whose texts were destroyed; one that wrote in two months counts in both.
    #[must_use]
    pub fn cases(&self) -> u32 {
        self.destroyed.iter().map(|key| key.cases).sum()
    }
}

/// A legal hold with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    /// `None`: the whole association.
    pub request: Option<RequestId>,
    pub case_no: Option<String>,
    pub reason: String,
    pub since: Millis,
    /// `member:…`, `cli`.
    pub placed_by: String,
    pub lifted: Option<(Millis, String)>,
}

/// What a hold keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    Everything,
    /// By its number, `R8-0412`.
    Case(String),
}

async fn zone_of(conn: &mut Conn, association: &AssociationId) -> Result<Tz, StoreError> {
    Ok(association_by_id(conn, association).await?.map_or(chrono_tz::UTC, |home| home.zone))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// One key, in one transaction: nothing is left half-way, and a second run finds nothing to do.
struct DestroyKey {
    kit: Kit,
    who: Who,
    key: String,
}

impl Command for DestroyKey {
    type Output = Option<DestroyedKey>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        // A hold that is placed in this moment comes before or after, not between.
        retention_lock(tx, association).await?;
        if !keys_standing(tx, association).await?.contains(&self.key) {
            return Ok(None);
        }
        let (years, _) = retention_years(tx, association).await?;
        let zone = zone_of(tx, association).await?;
        let standing = holds_standing(tx, association).await?;
        let holds = Holds {
            everything: standing.iter().any(|h| h.request.is_none()),
            cases: standing.into_iter().filter_map(|h| h.request).collect(),
        };
        let texts = texts_under(tx, association, &self.key).await?;
        let facts: Vec<TextFacts> = texts.iter().map(|t| t.facts.clone()).collect();
        let own = self.key.starts_with('h');
        let Verdict::Destroy { move_first } = judge(&facts, own, &holds, years, kit.now, zone) else {
            return Ok(None);
        };
        let mut done = DestroyedKey { key: self.key.clone(), ..DestroyedKey::default() };
        let mut own_keys: BTreeMap<&RequestId, String> = BTreeMap::new();
        let mut gone: BTreeSet<&Owner> = BTreeSet::new();
        for (i, text) in texts.iter().enumerate() {
            let owner = &text.facts.owner;
            if let Some(request) = owner.case().filter(|_| move_first.contains(&i)) {
                let name = match own_keys.get(request) {
                    Some(name) => name.clone(),
                    None => own_key_name(tx, association).await?,
                };
                text_move(tx, &kit.vault, association, text, &name).await?;
                own_keys.insert(request, name);
                done.held_moved += 1;
            } else {
                *done.texts.entry(text.facts.kind).or_default() += 1;
                gone.insert(owner);
            }
        }
        done.cases = count(gone.len());
        done.numbers_moved = count(lasting_move(tx, &kit.vault, association, &self.key).await?);
        if !key_destroy(tx, association, &self.key, kit.now).await? {
            return Ok(None);
        }
        let detail = serde_json::to_value(&done)
            .map_err(|e| StoreError::corrupt("retention_destroyed", &self.key, e))?;
        let row = DestroyedRow { key: self.key.clone(), at: kit.now, body: detail.to_string() };
        destroyed_add(tx, association, &row).await?;
        let subject = format!("month_key:{}", self.key);
        note(tx, kit, &self.who, "retention.destroy", &subject, detail).await?;
        Ok(Some(done))
    }
}

/// The month's report, once.
struct Report {
    kit: Kit,
    who: Who,
}

impl Command for Report {
    /// `None`: the month has its report.
    type Output = Option<RetentionReport>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        retention_lock(tx, association).await?;
        let zone = zone_of(tx, association).await?;
        let (years, _) = retention_years(tx, association).await?;
        let today = civil_day(kit.now, zone);
        let mut report = RetentionReport {
            month: format!("{:04}-{:02}", today.year(), today.month()),
            at: Some(kit.now),
            ..RetentionReport::default()
        };
        for row in destroyed_unreported(tx, association).await? {
            let key = serde_json::from_str(&row.body);
            report.destroyed.push(key.map_err(|e| StoreError::corrupt("retention_destroyed", &row.key, e))?);
        }
        let standing = holds_standing(tx, association).await?;
        report.everything_held = standing.iter().any(|h| h.request.is_none());
        report.holds = count(standing.len());
        let old = kit.now.plus_s(-i64::from(years.ledger) * 366 * 86_400);
        (report.old_ledger_lines, report.old_audit_rows) = records_before(tx, association, old).await?;
        let last = retention_reports(tx, association, 1).await?.first().map_or(Millis(0), |row| row.at);
        report.night_cards = cards_gone_since(tx, association, last).await?;
        let detail = serde_json::to_value(&report)
            .map_err(|e| StoreError::corrupt("retention_report", &report.month, e))?;
        let row = ReportRow { month: report.month.clone(), at: kit.now, body: detail.to_string() };
        if !retention_report_put(tx, association, &row).await? {
            return Ok(None);
        }
        let subject = format!("retention_report:{}", report.month);
        note(tx, kit, &self.who, "retention.report", &subject, detail).await?;
        // Whoever answers for it is told where something went; an empty month stands on the page.
        if !report.destroyed.is_empty() {
            let mut people = members_with_role(tx, association, Role::Officer, kit.now).await?;
            people.extend(members_with_role(tx, association, Role::Administrator, kit.now).await?);
            people.sort();
            people.dedup();
            for member in people {
                let job = NewJob {
                    lane: Lane::Mail,
                    kind: "retention",
                    key: format!("retention:{}:{member}", report.month),
                    body: json!({ "month": report.month, "member": member.as_str() }),
                    due: kit.now,
                };
                job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
            }
        }
        Ok(Some(report))
    }
}

/// The report of a month, for its mail.
pub(crate) async fn report_of(
    conn: &mut Conn,
    association: &AssociationId,
    month: &str,
) -> Result<Option<RetentionReport>, StoreError> {
    retention_report_get(conn, association, month).await?.map(|row| read_report(&row)).transpose()
}

fn read_report(row: &ReportRow) -> Result<RetentionReport, StoreError> {
    let report: RetentionReport = serde_json::from_str(&row.body)
        .map_err(|e| StoreError::corrupt("retention_report", &row.month, e))?;
    Ok(RetentionReport { at: Some(row.at), ..report })
}

struct PutYears {
    kit: Kit,
    who: Who,
    years: RetentionYears,
    revision: i64,
}

impl Command for PutYears {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        retention_lock(tx, association).await?;
        let (before, _) = retention_years(tx, association).await?;
        if !retention_years_set(tx, association, self.years, self.revision).await? {
            return Ok(false);
        }
        let detail = json!({ "before": before, "years": self.years });
        let subject = format!("association:{association}");
        note(tx, &self.kit, &self.who, "retention.years", &subject, detail).await?;
        Ok(true)
    }
}

struct PutHold {
    kit: Kit,
    who: Who,
    id: HoldId,
    held: Held,
    reason: String,
}

impl Command for PutHold {
    /// `None`: there is no such case.
    type Output = Option<HoldId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        retention_lock(tx, association).await?;
        let request = match &self.held {
            Held::Everything => None,
            Held::Case(number) => match request_by_case_no(tx, association, number).await? {
                Some(request) => Some(request),
                None => return Ok(None),
            },
        };
        let at = Sealed { table: "retention_hold", column: "reason", row: self.id.as_str() };
        let hold = HoldRow {
            id: self.id.clone(),
            request: request.clone(),
            reason: kit.vault.seal_lasting(tx, association, at, &self.reason).await?,
            since: kit.now,
            placed_by: self.who.on_behalf_of.clone().unwrap_or_else(|| self.who.actor.clone()),
            lifted_at: None,
            lifted_by: None,
        };
        hold_add(tx, association, &hold).await?;
        let detail = json!({ "request": request.as_ref().map(RequestId::as_str) });
        let subject = format!("hold:{}", self.id);
        note(tx, kit, &self.who, "retention.hold", &subject, detail).await?;
        Ok(Some(self.id.clone()))
    }
}

struct Lift {
    kit: Kit,
    who: Who,
    id: HoldId,
}

impl Command for Lift {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        retention_lock(tx, association).await?;
        let by = self.who.on_behalf_of.as_deref().unwrap_or(&self.who.actor);
        if !hold_lift(tx, association, &self.id, by, kit.now).await? {
            return Ok(false);
        }
        note(tx, kit, &self.who, "retention.lift", &format!("hold:{}", self.id), json!({})).await?;
        Ok(true)
    }
}

impl App {
    /// How long the association keeps what, and the revision of these settings.
    ///
    /// # Errors
    /// The store's.
    pub async fn retention_settings(
        &self,
        association: &AssociationId,
    ) -> Result<(RetentionYears, i64), AppError> {
        let mut conn = self.db.read().await?;
        Ok(retention_years(&mut conn, association).await?)
    }

    /// Sets how long the association keeps what.
    ///
    /// # Errors
    /// Years out of bounds; [`AppError::ChangedMeanwhile`] when they are not at `revision`; the store's.
    pub async fn retention_settings_put(
        &self,
        who: &Who,
        years: RetentionYears,
        revision: i64,
    ) -> Result<(), AppError> {
        let wrong = years.wrong().into_iter();
        let wrong: Vec<_> = wrong
            .map(|field| crate::domain::consult::FieldWrong { field, wrong: Wrong::OutOfRange })
            .collect();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let put = PutYears { kit: self.kit(), who: who.clone(), years, revision };
        if self.db.run(put).await? { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }

    /// Places a legal hold: nothing of it is destroyed until it is lifted.
    ///
    /// # Errors
    /// No reason, an unknown case; the store's.
    pub async fn hold_put(
        &self,
        who: &Who,
        held: Held,
        reason: &str,
        key: Option<&Key>,
    ) -> Result<HoldId, AppError> {
        if let Some(wrong) = short_text(reason, true) {
            return Err(AppError::field("reason", wrong));
        }
        let held = match held {
            Held::Everything => Held::Everything,
            Held::Case(typed) => {
                let number: Option<CaseNo> = typed.parse().ok();
                Held::Case(number.ok_or(AppError::field("case", Wrong::NotText))?.to_string())
            }
        };
        let kit = self.kit();
        let id = HoldId::new(kit.now, self.chance.as_ref());
        let reason = reason.trim().to_owned();
        let put = PutHold { kit: kit.clone(), who: who.clone(), id, held, reason };
        let placed = self.run_once(&kit, who, key, put).await?.into_inner();
        placed.ok_or(AppError::field("case", Wrong::Unknown))
    }

    /// Lifts a legal hold; what is past its time goes with the next run.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it does not stand; the store's.
    pub async fn hold_lift(&self, who: &Who, id: &HoldId, key: Option<&Key>) -> Result<(), AppError> {
        let kit = self.kit();
        let lift = Lift { kit: kit.clone(), who: who.clone(), id: id.clone() };
        let lifted = self.run_once(&kit, who, key, lift).await?.into_inner();
        if lifted { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Every hold that ever was, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn holds(&self, association: &AssociationId) -> Result<Vec<Hold>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for row in holds(&mut conn, association).await? {
            let at = Sealed { table: "retention_hold", column: "reason", row: row.id.as_str() };
            let reason = self.vault.open(&mut conn, association, at, &row.reason).await?;
            let case_no = match &row.request {
                Some(id) => case_by_id(&mut conn, association, id).await?.map(|case| case.case_no),
                None => None,
            };
            found.push(Hold {
                case_no,
                reason,
                lifted: row.lifted_at.zip(row.lifted_by),
                id: row.id,
                request: row.request,
                since: row.since,
                placed_by: row.placed_by,
            });
        }
        Ok(found)
    }

    /// The newest monthly reports.
    ///
    /// # Errors
    /// The store's.
    pub async fn retention_report(
        &self,
        association: &AssociationId,
    ) -> Result<Vec<RetentionReport>, AppError> {
        let mut conn = self.db.read().await?;
        let rows = retention_reports(&mut conn, association, REPORTS).await?;
        Ok(rows.iter().map(read_report).collect::<Result<_, _>>()?)
    }

    /// Destroys what is past its time in one association and writes the month's report, unless it has one:
    /// what goes later in the month stands in the next. Safe to break off and to repeat.
    ///
    /// # Errors
    /// The store's.
    pub async fn retention_run(&self, who: &Who) -> Result<Vec<DestroyedKey>, AppError> {
        let association = &who.association;
        let mut conn = self.db.read().await?;
        let (years, _) = retention_years(&mut conn, association).await?;
        let zone = zone_of(&mut conn, association).await?;
        let keys = keys_standing(&mut conn, association).await?;
        drop(conn);
        let young = oldest_young_month(years, self.now(), zone);
        let mut done = Vec::new();
        // Months compare as texts; keys of held cases (`h…`) are asked each time.
        for key in keys.into_iter().filter(|k| k != LASTING && (*k < young || k.starts_with('h'))) {
            let destroy = DestroyKey { kit: self.kit(), who: who.clone(), key };
            done.extend(self.db.run(destroy).await?);
        }
        if !done.is_empty() {
            self.db.empty_log().await?;
        }
        self.db.run(Report { kit: self.kit(), who: who.clone() }).await?;
        Ok(done)
    }

    /// The nightly job: night cards past their time, and once a month a run in every association that has no report of
    /// its civil month yet. How many keys were destroyed.
    ///
    /// # Errors
    /// The store's; the other associations then wait for the next day.
    pub async fn retention_due(&self) -> Result<usize, AppError> {
        let mut destroyed = 0;
        for home in self.associations().await? {
            destroyed += self.cards_round(&home).await?;
            let today = civil_day(self.now(), home.zone);
            let month = format!("{:04}-{:02}", today.year(), today.month());
            let mut conn = self.db.read().await?;
            let reported = retention_report_get(&mut conn, &home.id, &month).await?.is_some();
            drop(conn);
            if !reported {
                destroyed += self.retention_run(&Who::runner(&home.id)).await?.len();
            }
        }
        Ok(destroyed)
    }
}
