//! Asks for what a month still waits for (催促): reports of those who took a case, confirmations of those who asked.
//! By mail where somebody reads mail, else on a sheet that the office faxes. Once a day for each person and month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::mail_texts::{CaseNumber, Link, Mail};
use super::super::rota::notices::{Written, period, reader};
use super::super::{App, AppError, Kit, Who};
use super::close::MonthView;
use super::world::Evidence;
use crate::domain::calendar::civil_day;
use crate::domain::ledger::{Confirmation, EventKind, Month, ReasonCode, Side};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::jobs::{Job, Lane, NewJob, job_add};
use crate::store::ledger::event_of;
use crate::store::ledger::rules::evidence_of;
use crate::store::people::{Association, association_by_id, member_by_id};
use crate::store::{Command, Conn, StoreError};

/// One case of somebody who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub request: RequestId,
    pub case_no: String,
    /// The report, else the confirmation.
    pub report: bool,
    /// An urgent call.
    #[serde(default)]
    pub call: bool,
    /// A slot of a night cover; neither: a consult.
    #[serde(default)]
    pub cover: bool,
}

/// Somebody who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub member: MemberId,
    pub name: String,
    pub institution: String,
    /// Whether a mail can reach them; else the sheet must.
    pub by_mail: bool,
    pub cases: Vec<Missing>,
}

#[derive(Deserialize)]
struct Body {
    member: MemberId,
    month: Month,
    cases: Vec<Missing>,
}

struct Chase {
    kit: Kit,
    who: Who,
    month: Month,
    asked: Vec<Asked>,
}

impl Command for Chase {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let zone = association_by_id(tx, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
        let today = civil_day(kit.now, zone);
        for asked in self.asked.iter().filter(|asked| asked.by_mail) {
            let body = json!({ "member": asked.member.as_str(), "month": self.month, "cases": asked.cases });
            let key = format!("ledger_chase:{}:{}:{today}", self.month, asked.member);
            let job = NewJob { lane: Lane::Mail, kind: "ledger_chase", key, body, due: kit.now };
            job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
        }
        let mailed = self.asked.iter().filter(|a| a.by_mail).count();
        let detail = json!({ "mailed": mailed, "on_paper": self.asked.len() - mailed });
        note(tx, kit, &self.who, "ledger.chase", &format!("ledger:{}", self.month), detail).await.map(drop)
    }
}

/// Whether it is still missing now.
async fn is_missing(tx: &mut Conn, association: &AssociationId, case: &Missing) -> Result<bool, StoreError> {
    let Some(mut event) = event_of(tx, association, &case.request).await? else { return Ok(false) };
    for evidence in evidence_of::<Evidence>(tx, association, &case.request).await? {
        evidence.lay_over(&mut event);
    }
    Ok(if case.report {
        event.report_at.is_none()
    } else {
        event.requester.confirmation == Confirmation::Waiting
    })
}

/// The mail of such a job; `None`: nothing is missing any more, or nobody is there to read it.
pub(crate) async fn mail_of(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    job: &Job,
) -> Result<Written, StoreError> {
    let body: Body = serde_json::from_str(&job.body).map_err(|e| StoreError::corrupt("job", &job.id, e))?;
    let Some(person) = reader(tx, kit, home, &body.member).await? else { return Ok(None) };
    let mut missing = Vec::new();
    for case in &body.cases {
        if is_missing(tx, &home.id, case).await? {
            missing.push(case);
        }
    }
    let Some(first) = missing.first() else { return Ok(None) };
    let covers = missing.iter().filter(|case| case.cover).count();
    let calls = missing.iter().any(|case| case.call);
    // Several kinds stand on the first page.
    let path = match covers {
        0 if !calls => "/consults",
        all if all == missing.len() => "/covers",
        _ => "/",
    };
    let (from, to) = (body.month.first(), body.month.end().plus_days(-1));
    let built = (|| {
        Ok(Mail::LedgerChase {
            case: CaseNumber::new(first.case_no.as_str())?,
            period: period(from, to, home.zone, person.lang)?,
            count: u32::try_from(missing.len()).unwrap_or(u32::MAX),
            page: Link::new(format!("{}{path}", kit.rules.base_url))?,
        })
    })();
    Ok(Some((person, built)))
}

impl App {
    /// Whom the office asks for what the month still waits for, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_missing(
        &self,
        association: &AssociationId,
        view: &MonthView,
    ) -> Result<Vec<Asked>, AppError> {
        let mut people: BTreeMap<&MemberId, BTreeMap<&RequestId, Missing>> = BTreeMap::new();
        let mut conn = self.db.read().await?;
        let lines = view.preparation.no_report.iter().chain(&view.preparation.not_confirmed);
        let mut events = BTreeMap::new();
        for line in lines {
            let Some(request) = line.event.request() else { continue };
            if !events.contains_key(request)
                && let Some(event) = event_of(&mut conn, association, request).await?
            {
                events.insert(request, event);
            }
        }
        for line in view.preparation.no_report.iter().chain(&view.preparation.not_confirmed) {
            let Some(request) = line.event.request() else { continue };
            let Some(event) = events.get(request) else { continue };
            let report = line.eligibility.reason() == Some(ReasonCode::NoReport);
            // Whoever took it reports, whoever asked confirms, on whichever side the line waits.
            let side = if report { Side::Acceptor } else { Side::Requester };
            let person = match side {
                Side::Acceptor => event.acceptor.person.as_ref(),
                _ => event.requester.member.as_ref(),
            };
            let Some(person) = person else { continue };
            let case = Missing {
                request: request.clone(),
                case_no: event.case_no.to_string(),
                report,
                call: event.event.call().is_some(),
                cover: event.kind == EventKind::Cover,
            };
            people.entry(person).or_default().insert(request, case);
        }
        let mut asked = Vec::new();
        for (person, cases) in people {
            let Some(member) = member_by_id(&mut conn, association, person).await? else { continue };
            let institution = member.institution.clone();
            let names = self.ledger_institutions(association, &view.names, institution.iter()).await?;
            asked.push(Asked {
                member: person.clone(),
                institution: institution.map_or_else(String::new, |id| names.institution(&id)),
                by_mail: member.is_active(self.now())
                    && member.email.is_some()
                    && member.mail_failing_since.is_none(),
                name: member.name,
                cases: cases.into_values().collect(),
            });
        }
        asked.sort_by(|a, b| (&a.institution, &a.name).cmp(&(&b.institution, &b.name)));
        Ok(asked)
    }

    /// Asks for what a month still waits for: mails go out, the others are for the sheet. Gives both.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_chase(&self, who: &Who, month: Month) -> Result<Vec<Asked>, AppError> {
        let view = self.ledger_month(&who.association, month).await?;
        let asked = self.ledger_missing(&who.association, &view).await?;
        let chase = Chase { kit: self.kit(), who: who.clone(), month, asked: asked.clone() };
        self.db.run(chase).await?;
        Ok(asked)
    }
}
