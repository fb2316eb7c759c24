//! What the office reads: alarms, ledger lines, the ordered audit feed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Audit, Caller, Ledger, Read};
use super::parts::{Id, Page, PageOf, ProblemBody, cursor, limit, one_more};
use super::posted::{IdempotencyKey, Posted};
use super::refuse::refuse;
use crate::app::ledger::close::CloseRow;
use crate::app::views::{AlarmRow, Event, LineRow};
use crate::domain::ledger::{Eligibility, EventRef, Line};
use crate::ids::{AlarmId, LedgerLineId, RequestId};
use crate::time::Millis;
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(alarms))
        .routes(routes!(alarm_acknowledge))
        .routes(routes!(ledger_lines))
        .routes(routes!(ledger_closes))
        .routes(routes!(ledger_month))
        .routes(routes!(events))
}

/// Something a human must look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alarm)]
struct AlarmOut {
    /// `alm_…`
    id: String,
    /// Such as `exhausted`, `expired`, `undeliverable`.
    kind: String,
    /// The kind and stored id of what it is about: `request:…`.
    subject: String,
    #[schema(format = DateTime)]
    raised_at: String,
}

impl From<AlarmRow> for AlarmOut {
    fn from(row: AlarmRow) -> Self {
        Self { id: row.id.api(), kind: row.kind, subject: row.subject, raised_at: row.raised.rfc3339() }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Lists the alarms that nobody has acknowledged
#[utoipa::path(get, path = "/alarms", tag = "office", params(PageOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<AlarmOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn alarms(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(page): ApiQuery<PageOf>,
) -> Result<Response, Problem> {
    let (after, limit) = page.read::<AlarmId>(caller.lang)?;
    let rows = web.app.alarms(&caller.api.association, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |a| a.id.api(), AlarmOut::from)).into_response())
}

/// Acknowledges an alarm; it is not raised again
#[utoipa::path(post, path = "/alarms/{id}/acknowledge", tag = "office",
    params(("id" = String, Path), IdempotencyKey), request_body = Nothing, security(("key" = ["act_for"])),
    responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: it was acknowledged before."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn alarm_acknowledge(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<AlarmId>>,
    posted: Posted,
) -> Response {
    let acknowledge = async {
        let Nothing {} = posted.read_or_empty()?;
        let say = |e| refuse(e, caller.lang);
        if web.app.alarm_seen(&caller.who(), &id, posted.key()).await.map_err(say)? {
            return Ok(StatusCode::NO_CONTENT);
        }
        web.app.alarm_row(&caller.api.association, &id).await.map_err(say)?;
        Err(Kind::Closed.problem(caller.lang))
    };
    posted.answer(acknowledge.await)
}

/// A line of the subsidy ledger (補助台帳の明細).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerLine)]
struct LineOut {
    /// `lin_…`, named by (event, side, party, tariff, run).
    id: String,
    /// What the line is about; the request, a stretch of duty, a 24-hour turn.
    event: String,
    request: Option<String>,
    /// The urgent call, where it was one.
    call: Option<String>,
    case_no: Option<String>,
    kind: &'static str,
    /// `requester`, `acceptor` or `standby`.
    side: &'static str,
    /// The party that is paid: `ins_…`.
    institution: String,
    institution_kind: String,
    member: Option<String>,
    /// The civil day of the event, `2026-11-20`.
    #[schema(format = Date)]
    civil_date: String,
    band: &'static str,
    program: Option<String>,
    tariff: Option<String>,
    tariffs_version: String,
    calendar_version: String,
    /// Units done, a whole number or a fraction: `3`, `10/3`.
    quantity: String,
    /// Per unit, also where it is not paid.
    rate_yen: i64,
    /// What is paid.
    amount_yen: i64,
    /// `eligible`, `pending_evidence` or `ineligible`.
    eligibility: &'static str,
    /// Why it is not paid.
    reason: Option<&'static str>,
    /// `original`, or `reversal`, `correction`, `difference`, `proration`.
    entry: &'static str,
    /// The closed line that such an entry is about.
    refers_to: Option<String>,
    run: String,
    #[schema(format = DateTime)]
    recorded_at: Option<String>,
}

impl LineOut {
    fn of(line: Line, recorded: Option<Millis>) -> Self {
        let request = match &line.event {
            EventRef::Request(id) => Some(id.api()),
            EventRef::Call(_) | EventRef::Duty(_) | EventRef::Turn(_) => None,
        };
        Self {
            id: line.id.api(),
            event: line.event.key(),
            request,
            call: line.event.call().map(|id| id.api()),
            case_no: line.case_no.map(|c| c.to_string()),
            kind: line.kind.code(),
            side: line.side.code(),
            institution: line.institution.api(),
            institution_kind: line.institution_kind.as_str().to_owned(),
            member: line.person.map(|p| p.api()),
            civil_date: line.civil_date.to_string(),
            band: line.band.code(),
            program: line.program.map(|p| p.as_str().to_owned()),
            tariff: line.tariff.map(|t| t.as_str().to_owned()),
            tariffs_version: line.tariffs_version,
            calendar_version: line.calendar_version,
            quantity: line.quantity.to_string(),
            rate_yen: line.rate.0,
            amount_yen: line.amount.0,
            eligibility: match line.eligibility {
                Eligibility::Eligible => "eligible",
                Eligibility::PendingEvidence { .. } => "pending_evidence",
                Eligibility::Ineligible { .. } => "ineligible",
            },
            reason: line.eligibility.reason().map(|r| r.code()),
            entry: line.entry.code(),
            refers_to: line.entry.of().map(|id| id.api()),
            run: line.run,
            recorded_at: recorded.map(Millis::rfc3339),
        }
    }
}

impl From<LineRow> for LineOut {
    fn from(row: LineRow) -> Self {
        Self::of(row.line, Some(row.at))
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LinesOf {
    /// Only those of this request (`req_…`).
    #[param(value_type = Option<String>)]
    request: Option<Id<RequestId>>,
    /// The id after which the page begins.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Lists ledger lines in the order of their ids
#[utoipa::path(get, path = "/ledger/lines", tag = "office", params(LinesOf), security(("key" = ["ledger"])),
    responses((status = 200, body = Page<LineOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn ledger_lines(
    State(web): State<Web>,
    caller: Caller<Ledger>,
    ApiQuery(of): ApiQuery<LinesOf>,
) -> Result<Response, Problem> {
    let after = cursor::<LedgerLineId>(of.after.as_deref(), caller.lang)?;
    let limit = limit(of.limit, caller.lang)?;
    let request = of.request.as_ref().map(|Id(id)| id);
    let rows = web.app.ledger_lines(&caller.api.association, request, &after, one_more(limit)).await;
    let mut rows = rows.map_err(|e| refuse(e, caller.lang))?;
    if request.is_some() {
        // The lines of one request come whole, requester first; a page of them is in the order of ids.
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows.retain(|row| row.id.as_str() > after.as_str());
    }
    Ok(axum::Json(Page::of(rows, limit, |l| l.id.api(), LineOut::from)).into_response())
}

/// A month of the ledger that was made or closed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerClose)]
struct CloseOut {
    /// `2026-05`.
    month: String,
    /// `made` (waits for an officer) or `closed`.
    state: &'static str,
    #[schema(format = DateTime)]
    made_at: String,
    tariffs_version: String,
    lines: i64,
    /// Lines that waited for evidence and go into a later month.
    held: i64,
    total_yen: i64,
    /// SHA-256 over the lines as they were made, in hexadecimal.
    run_hash: String,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// The last line of the chain that the month sealed.
    head_seq: Option<i64>,
    /// Its hash, in hexadecimal.
    head_hash: Option<String>,
}

impl From<CloseRow> for CloseOut {
    fn from(row: CloseRow) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        Self {
            month: row.month.to_string(),
            state: row.state.code(),
            made_at: row.made_at.rfc3339(),
            tariffs_version: row.tariffs_version,
            lines: row.lines,
            held: row.held,
            total_yen: row.total.0,
            run_hash: row.run_hash,
            closed_at: row.sealed.as_ref().map(|s| s.at.rfc3339()),
            head_seq: row.sealed.as_ref().map(|s| s.head_seq),
            head_hash: row.sealed.as_ref().map(|s| hex(&s.head_hash)),
        }
    }
}

/// Every month that was made or closed, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct Closes {
    items: Vec<CloseOut>,
}

/// Lists the months of the ledger that were made or closed
#[utoipa::path(get, path = "/ledger/closes", tag = "office", security(("key" = ["ledger"])),
    responses((status = 200, body = Closes),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn ledger_closes(State(web): State<Web>, caller: Caller<Ledger>) -> Result<Response, Problem> {
    let rows = web.app.ledger_closes(&caller.api.association).await.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Closes { items: rows.into_iter().map(CloseOut::from).collect() }).into_response())
}

/// A month of the ledger with its lines: sealed ones where it is closed, else what it would be now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerMonth)]
struct MonthOut {
    month: String,
    /// `open`, `made` or `closed`.
    state: &'static str,
    total_yen: Option<i64>,
    items: Vec<LineOut>,
    /// Lines that wait for evidence.
    held: Vec<LineOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfMonth {
    /// `2026-05`; without it the month to look at next.
    month: Option<String>,
}

/// A month of the ledger with its lines
#[utoipa::path(get, path = "/ledger/months", tag = "office", params(OfMonth), security(("key" = ["ledger"])),
    responses((status = 200, body = MonthOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn ledger_month(
    State(web): State<Web>,
    caller: Caller<Ledger>,
    ApiQuery(of): ApiQuery<OfMonth>,
) -> Result<Response, Problem> {
    let (home, say) = (&caller.api.association, |e| refuse(e, caller.lang));
    let month = match of.month {
        Some(text) => text.parse().map_err(|_| super::refuse::wrong(caller.lang, "/month", "not_text"))?,
        None => web.app.ledger_next_month(home).await.map_err(say)?,
    };
    let view = web.app.ledger_month(home, month).await.map_err(say)?;
    let out = MonthOut {
        month: month.to_string(),
        state: view.close.as_ref().map_or("open", |c| c.state.code()),
        total_yen: view.sums.as_ref().ok().map(|s| s.total.0),
        items: view.lines.into_iter().map(|line| LineOut::of(line, None)).collect(),
        held: view.held.into_iter().map(|line| LineOut::of(line, None)).collect(),
    };
    Ok(axum::Json(out).into_response())
}

/// A row of the audit log, with everything its hash is made of except the association.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
struct EventOut {
    /// Position; grows by one from row to row.
    seq: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z, as hashed.
    at_ms: i64,
    #[schema(format = DateTime)]
    at: String,
    /// `member:…`, `key:…`, `cli`, `runner`, with the stored id.
    actor: String,
    on_behalf_of: Option<String>,
    action: String,
    subject: String,
    /// JSON text, byte for byte as it was hashed.
    detail: String,
    /// SHA-256 over the hash before and this row, in hexadecimal.
    hash: String,
}

impl From<Event> for EventOut {
    fn from(e: Event) -> Self {
        Self {
            seq: e.seq,
            at_ms: e.at.0,
            at: e.at.rfc3339(),
            actor: e.actor,
            on_behalf_of: e.on_behalf_of,
            action: e.action,
            subject: e.subject,
            detail: e.detail,
            hash: e.hash.iter().map(|b| format!("{b:02x}")).collect(),
        }
    }
}

/// A stretch of the audit feed.
#[derive(Debug, Serialize, ToSchema)]
struct Feed {
    /// The association's stored id, as hashed.
    association: String,
    items: Vec<EventOut>,
    /// The `seq` to go on after; null when nothing more is there now. A reader that remembers the last
    /// `seq` it saw never misses a row.
    next: Option<i64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// The last `seq` seen; 0 or nothing for the start.
    #[param(minimum = 0)]
    after: Option<u64>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// The ordered audit feed, from which an outsider can recompute the hash chain
#[utoipa::path(get, path = "/events", tag = "office", params(After), security(("key" = ["audit"])),
    responses((status = 200, body = Feed),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn events(
    State(web): State<Web>,
    caller: Caller<Audit>,
    ApiQuery(after): ApiQuery<After>,
) -> Result<Response, Problem> {
    let limit = limit(after.limit, caller.lang)?;
    let seq = i64::try_from(after.after.unwrap_or(0)).unwrap_or(i64::MAX);
    let rows = web.app.events(&caller.api.association, seq, one_more(limit)).await;
    let mut rows = rows.map_err(|e| refuse(e, caller.lang))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|e| e.seq);
    let items = rows.into_iter().map(EventOut::from).collect();
    let association = caller.api.association.as_str().to_owned();
    Ok(axum::Json(Feed { association, items, next }).into_response())
}
