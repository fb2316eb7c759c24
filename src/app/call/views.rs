//! Calls as pages and the API read them: lists of codes, ids and names; one call with its attempts, its reports
//! and the message, for those who may see it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::report::{Words, words_at};
use crate::app::access::note;
use crate::app::rows::CallRow;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::{Message, Reading, Standing};
use crate::ids::{AssociationId, CallId, InstitutionId, MemberId};
use crate::store::call::reports::call_reports;
use crate::store::call::{
    LegRow, call_by_id, call_load, call_message, calls_after, calls_ended, calls_of_member, calls_open,
    legs_of_call,
};
use crate::store::people::{institution_by_id, member_by_id};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Open calls a list shows.
const OPEN_MAX: i64 = 200;
/// Ended calls a list shows.
const ENDED_MAX: i64 = 100;
/// How far back ended calls are listed.
const ENDED_S: i64 = 7 * 86_400;

/// One attempt with the name of whom it rang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegLine {
    pub leg: LegRow,
    pub name: String,
}

/// One call of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    pub row: CallRow,
    pub clinic: String,
    /// The institution or member who calls; empty where nobody is known.
    pub caller: String,
    pub taker: String,
    pub legs: Vec<LegLine>,
}

/// A report as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    pub member: String,
    pub by_office: bool,
    pub at: Millis,
    pub outcome: String,
    /// `None`: past its time.
    pub place: Option<String>,
    pub text: Option<String>,
}

/// One call for whoever may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPage {
    pub line: CallLine,
    /// The last digits of the caller's number, where it showed one.
    pub number: Option<String>,
    /// Whether the caller is known to the directory.
    pub known: bool,
    pub has_message: bool,
    pub alarms: Vec<String>,
    pub reports: Vec<ReportLine>,
}

#[derive(Default)]
struct Names {
    members: BTreeMap<MemberId, String>,
    institutions: BTreeMap<InstitutionId, String>,
}

impl Names {
    async fn member(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        id: Option<&MemberId>,
    ) -> Result<String, StoreError> {
        let Some(id) = id else { return Ok(String::new()) };
        if let Some(name) = self.members.get(id) {
            return Ok(name.clone());
        }
        let name = member_by_id(conn, association, id).await?.map(|m| m.name).unwrap_or_default();
        self.members.insert(id.clone(), name.clone());
        Ok(name)
    }

    async fn institution(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        id: Option<&InstitutionId>,
    ) -> Result<String, StoreError> {
        let Some(id) = id else { return Ok(String::new()) };
        if let Some(name) = self.institutions.get(id) {
            return Ok(name.clone());
        }
        let name = institution_by_id(conn, association, id).await?.map(|i| i.name).unwrap_or_default();
        self.institutions.insert(id.clone(), name.clone());
        Ok(name)
    }

    async fn line(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        row: CallRow,
    ) -> Result<CallLine, StoreError> {
        let mut legs = Vec::new();
        for leg in legs_of_call(conn, association, &row.id).await? {
            let name = self.member(conn, association, leg.member.as_ref()).await?;
            legs.push(LegLine { leg, name });
        }
        let caller = match self.member(conn, association, row.asker.as_ref()).await? {
            name if name.is_empty() => self.institution(conn, association, row.institution.as_ref()).await?,
            name => name,
        };
        Ok(CallLine {
            clinic: self.institution(conn, association, row.clinic.as_ref()).await?,
            caller,
            taker: self.member(conn, association, row.taker.as_ref()).await?,
            legs,
            row,
        })
    }
}

struct Read {
    kit: Kit,
    who: Who,
    call: CallId,
    action: &'static str,
}

impl Command for Read {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let subject = format!("call:{}", self.call);
        note(tx, &self.kit, &self.who, self.action, &subject, json!({})).await.map(drop)
    }
}

impl App {
    /// Calls that are not over, the oldest first, and those that ended of late.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_now(
        &self,
        association: &AssociationId,
    ) -> Result<(Vec<CallLine>, Vec<CallLine>), AppError> {
        let mut conn = self.db.read().await?;
        let open = calls_open(&mut conn, association, OPEN_MAX).await?;
        let since = self.now().plus_s(-ENDED_S);
        let ended = calls_ended(&mut conn, association, since, ENDED_MAX).await?;
        let mut names = Names::default();
        let (mut running, mut over) = (Vec::new(), Vec::new());
        for row in open {
            running.push(names.line(&mut conn, association, row).await?);
        }
        for row in ended {
            over.push(names.line(&mut conn, association, row).await?);
        }
        Ok((running, over))
    }

    /// What a member took or started, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_calls(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<Vec<CallLine>, AppError> {
        let mut conn = self.db.read().await?;
        let mut names = Names::default();
        let mut lines = Vec::new();
        for row in calls_of_member(&mut conn, association, member, ENDED_MAX).await? {
            lines.push(names.line(&mut conn, association, row).await?);
        }
        Ok(lines)
    }

    /// Calls in the order of ids, after `after` (empty: from the start).
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_page(
        &self,
        association: &AssociationId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<CallLine>, AppError> {
        let mut conn = self.db.read().await?;
        let mut names = Names::default();
        let mut lines = Vec::new();
        for row in calls_after(&mut conn, association, after, limit).await? {
            lines.push(names.line(&mut conn, association, row).await?);
        }
        Ok(lines)
    }

    /// A call without its texts. Who may see it is the caller's question.
    ///
    /// # Errors
    /// There is no such call; the store's.
    pub async fn call_line(&self, association: &AssociationId, id: &CallId) -> Result<CallLine, AppError> {
        let mut conn = self.db.read().await?;
        let row = call_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        Ok(Names::default().line(&mut conn, association, row).await?)
    }

    /// A call with its reports; the reading is written down first.
    ///
    /// # Errors
    /// There is no such call; the store's.
    pub async fn call_page(&self, who: &Who, id: &CallId) -> Result<CallPage, AppError> {
        let association = &who.association;
        let line = self.call_line(association, id).await?;
        let mut conn = self.db.read().await?;
        // Past its time its row is left, and says that it was.
        let loaded = call_load(&mut conn, &self.vault, association, id).await?;
        let mut names = Names::default();
        let mut reports = Vec::new();
        for report in call_reports(&mut conn, association, id).await? {
            let at = words_at(id.as_str());
            let words = self.vault.open_kept(&mut conn, association, at, &report.body).await?;
            let words: Option<Words> = words
                .text()
                .map(|text| serde_json::from_str(text))
                .transpose()
                .map_err(|e| StoreError::corrupt("call_report", id, e))?;
            reports.push(ReportLine {
                member: names.member(&mut conn, association, Some(&report.member)).await?,
                by_office: report.entered_by.is_some(),
                at: report.at,
                outcome: report.outcome,
                place: words.as_ref().map(|w| w.place.clone()),
                text: words.map(|w| w.text),
            });
        }
        drop(conn);
        if !reports.is_empty() {
            self.read_noted(who, id, "call.read").await?;
        }
        let Some(call) = loaded.map(|l| l.call) else {
            let known = line.row.institution.is_some() || line.row.asker.is_some();
            let (number, alarms) = (None, Vec::new());
            return Ok(CallPage { line, number, known, has_message: false, alarms, reports });
        };
        Ok(CallPage {
            line,
            number: match &call.caller.shown {
                Reading::Number(number) => Some(number.masked()),
                _ => None,
            },
            known: !matches!(call.caller.standing, Standing::Unknown),
            has_message: matches!(call.message, Message::Kept { .. }),
            alarms: call
                .alarms
                .keys()
                .filter_map(|a| serde_json::to_value(a).ok()?.as_str().map(str::to_owned))
                .collect(),
            reports,
        })
    }

    async fn read_noted(&self, who: &Who, call: &CallId, action: &'static str) -> Result<(), AppError> {
        let read = Read { kit: self.kit(), who: who.clone(), call: call.clone(), action };
        Ok(self.db.run(read).await?)
    }

    /// The caller's spoken message (WAV); the listening is written down first. `None`: there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_sound(&self, who: &Who, id: &CallId) -> Result<Option<Vec<u8>>, AppError> {
        let mut conn = self.db.read().await?;
        let text = call_message(&mut conn, &self.vault, &who.association, id).await?;
        drop(conn);
        let sound = text.and_then(|text| STANDARD.decode(text).ok());
        if sound.is_some() {
            self.read_noted(who, id, "call.message_heard").await?;
        }
        Ok(sound)
    }
}
