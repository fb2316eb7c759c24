//! The night number on the web: calls that are running, one call with its report, a call that is started here.

use axum::extract::Path;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::call::{CallLine, CallPage as Found, CallTold, OUTCOMES};
use crate::domain::consult::FieldWrong;
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::{CallId, InstitutionId, MemberId};

use super::caller::{Binding, Caller, see_other};
use super::clinic::clinics;
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::calls::{CallLeg, CallNew, CallPage, CallReport, CallReportForm, CallRow, Calls};
use super::views::{Choice, Choices, Field, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/calls" => list;
    post "/calls" => start;
    get "/calls/new" => form;
    get "/calls/{id}" => one;
    get "/calls/{id}/message" => message;
    post "/calls/{id}/report" => report;
    post "/calls/{id}/again" => again;
    post "/calls/{id}/hand-over" => hand_over;
    post "/calls/{id}/ring" => ring;
    post "/calls/{id}/seen" => seen;
    post "/calls/{id}/close" => close;
    post "/consults/{id}/connect" => connect;
}

const CALLS: Binding<'static> = Binding::Page("calls");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn tone(stage: &str) -> Tone {
    match stage {
        "last_resort" | "vanished" => Tone::Bad,
        "talking" => Tone::Good,
        "report_due" | "promised" => Tone::Warn,
        "over" => Tone::Plain,
        _ => Tone::Info,
    }
}

fn row(voice: Voice, line: &CallLine) -> CallRow {
    let say = |key: &str, code: &str| t(voice.lang, &format!("word-{key}-{code}"));
    let stage = line.row.outcome.as_deref().unwrap_or(&line.row.stage);
    let key = if line.row.outcome.is_some() { "call-outcome" } else { "call-stage" };
    let leg = |l: &crate::app::call::LegLine| CallLeg {
        who: if l.name.is_empty() { say("call-role", &l.leg.role) } else { l.name.clone() },
        state: match &l.leg.cause {
            Some(cause) => say("call-cause", cause),
            None => say("call-leg", &l.leg.state),
        },
        at: voice.moment(l.leg.ended.unwrap_or(l.leg.began)),
    };
    CallRow {
        href: format!("/calls/{}", line.row.id),
        case_no: line.row.case_no.clone(),
        at: voice.moment(line.row.opened),
        caller: line.caller.clone(),
        clinic: line.clinic.clone(),
        state: StateLine { text: say(key, stage), tone: tone(&line.row.stage) },
        taker: line.taker.clone(),
        legs: line.legs.iter().map(leg).collect(),
    }
}

/// `GET /calls`; with `HX-Request` the part that changes, alone.
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return if caller.fragment { Err(Failure::session_ended()) } else { Ok(caller.to_sign_in()) };
    };
    let (app, voice) = (&caller.web.app, voice(&caller));
    let association = &person.association.id;
    let (open, ended) = if person.may(Right::Board) {
        app.calls_now(association).await?
    } else if person.may(Right::Ask) {
        let mine = app.my_calls(association, &person.member.id).await?;
        mine.into_iter().partition(|line| line.row.ended.is_none())
    } else {
        return Ok(see_other("/"));
    };
    let page = Calls {
        shell: caller.shell(CALLS),
        may_start: person.may(Right::Ask),
        open: open.iter().map(|line| row(voice, line)).collect(),
        ended: ended.iter().map(|line| row(voice, line)).collect(),
    };
    Ok(if caller.fragment {
        Html(page.render_live()).into_response()
    } else {
        caller.page(render(&page), false)
    })
}

/// `GET /calls/new`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    form_page(&caller, "", None).await
}

async fn form_page(caller: &Caller, chosen: &str, problem: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ask)?;
    let clinic = clinics(caller, person, chosen).await?;
    let view = CallNew { shell: caller.shell_at(CALLS, "/calls/new"), clinic, problem, once: caller.once() };
    Ok(caller.page(render(&view), false))
}

/// `POST /calls`
pub(super) async fn start(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.person()?;
    let person = caller.with_right(Right::Ask)?;
    fields.check(&caller, CALLS)?;
    let key = fields.key("call.start")?;
    let clinic = fields.get("clinic");
    let clinic = match clinic {
        "" => None,
        id => Some(InstitutionId::from_stored(id).map_err(|_| Failure::not_found())?),
    };
    let chosen = clinic.as_ref().map(ToString::to_string).unwrap_or_default();
    match caller.web.app.call_start(&person.who(), &person.member.id, clinic, Some(&key)).await {
        Ok((call, _)) => Ok(see_other(&format!("/calls/{call}"))),
        Err(AppError::Invalid(wrong)) => form_page(&caller, &chosen, Some(problem(&caller, &wrong))).await,
        Err(e) => Err(e.into()),
    }
}

fn problem(caller: &Caller, wrong: &[FieldWrong]) -> String {
    let code = match wrong.first().map(|w| w.field) {
        Some("phone") => "calls-no-phone",
        Some("number") => "calls-no-number",
        Some("minutes") => "calls-too-dear",
        _ => "calls-not-there",
    };
    t(caller.lang, code)
}

/// `POST /consults/{id}/connect`: the two doctors of an accepted consult.
pub(super) async fn connect(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    caller.person()?;
    let person = caller.with_right(Right::Ask)?;
    let id = crate::ids::RequestId::from_stored(&id).map_err(|_| Failure::not_found())?;
    // Somebody else's case looks as if it were not there.
    let (asked, taken) = caller.web.app.my_cases(&person.association.id, &person.member.id).await?;
    if !asked.iter().chain(&taken).any(|line| line.case.id == id) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, CALLS)?;
    let key = fields.key(&format!("POST /consults/{id}/connect"))?;
    match caller.web.app.call_connect(&person.who(), &person.member.id, &id, Some(&key)).await {
        Ok((call, _)) => Ok(see_other(&format!("/calls/{call}"))),
        Err(AppError::Invalid(wrong)) => form_page(&caller, "", Some(problem(&caller, &wrong))).await,
        Err(e) => Err(e.into()),
    }
}

/// The call, if this person may see it: who took it, who started it, the patient's own physicians, the office.
async fn seen_by<'a>(caller: &'a Caller, id: &str) -> Result<(&'a SignedIn, CallId, CallLine), Failure> {
    let person = caller.person()?;
    let id = CallId::from_stored(id).map_err(|_| Failure::not_found())?;
    let line = caller.web.app.call_line(&person.association.id, &id).await?;
    let me = &person.member;
    let mine = [&line.row.taker, &line.row.asker].into_iter().flatten().any(|m| *m == me.id);
    let of_clinic = person.may(Right::Ask) && me.institution.is_some() && me.institution == line.row.clinic;
    if person.may(Right::Board) || mine || of_clinic {
        Ok((person, id, line))
    } else {
        Err(Failure::not_found())
    }
}

/// `GET /calls/{id}`
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &id, None).await
}

async fn page(
    caller: &Caller,
    id: &str,
    sent: Option<(&Fields, &[FieldWrong])>,
) -> Result<Response, Failure> {
    let (person, id, _) = seen_by(caller, id).await?;
    let voice = voice(caller);
    let found: Found = caller.web.app.call_page(&person.who(), &id).await?;
    let (line, office) = (&found.line, person.may(Right::Board));
    let taken = line.row.taker.is_some();
    let mine = line.row.taker.as_ref() == Some(&person.member.id);
    let stage = line.row.stage.as_str();
    let told = |r: &crate::app::call::ReportLine| CallReport {
        at: voice.moment(r.at),
        who: if r.by_office {
            format!("{}（{}）", r.member, t(voice.lang, "calls-by-office"))
        } else {
            r.member.clone()
        },
        outcome: t(voice.lang, &format!("word-call-told-{}", r.outcome)),
        place: r.place.clone().unwrap_or_default(),
        text: r.text.clone().unwrap_or_else(|| t(voice.lang, "calls-past")),
    };
    let report =
        (taken && (mine || office) && matches!(stage, "report_due" | "promised" | "over" | "talking"))
            .then(|| report_form(caller, sent));
    let ring = if office && matches!(stage, "ringing" | "last_resort") {
        let people = caller.web.app.call_ringable(&person.association.id).await?;
        let choice = |(id, name): (MemberId, String)| Choice {
            value: id.to_string(),
            label: name,
            note: None,
            chosen: false,
        };
        people.into_iter().map(choice).collect()
    } else {
        Vec::new()
    };
    let view = CallPage {
        shell: caller.shell_at(CALLS, &format!("/calls/{id}")),
        id: id.to_string(),
        row: row(voice, line),
        number: found.number.clone().unwrap_or_default(),
        has_message: found.has_message,
        alarms: found.alarms.iter().map(|a| t(voice.lang, &format!("word-call-notice-call_{a}"))).collect(),
        reports: found.reports.iter().map(told).collect(),
        report,
        cards: (mine && line.row.clinic.is_some()).then(|| format!("/calls/{id}/cards")),
        may_again: mine && matches!(stage, "promised" | "report_due"),
        may_hand_over: mine && matches!(stage, "talking" | "connecting" | "promised"),
        ring,
        may_close: office && line.row.ended.is_none(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

fn report_form(caller: &Caller, sent: Option<(&Fields, &[FieldWrong])>) -> CallReportForm {
    let value = |name: &str| sent.map(|(fields, _)| fields.text(name)).unwrap_or_default();
    let wrong = |name: &str| {
        let wrong = sent.and_then(|(_, wrong)| wrong.iter().find(|w| w.field == name))?;
        Some(t(caller.lang, &format!("calls-wrong-{}", wrong.wrong.code())))
    };
    let field = |name: &str| Field { value: value(name), problem: wrong(name) };
    let choice = |code: &&str| Choice {
        value: (*code).to_owned(),
        label: t(caller.lang, &format!("word-call-told-{code}")),
        note: None,
        chosen: value("outcome") == **code,
    };
    CallReportForm {
        outcome: Choices { options: OUTCOMES.iter().map(choice).collect(), problem: wrong("outcome") },
        place: field("place"),
        minutes: field("minutes"),
        text: field("text"),
    }
}

/// `GET /calls/{id}/message`: the caller's words, for whoever may see the call.
pub(super) async fn message(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, id, _) = seen_by(&caller, &id).await?;
    let sound = caller.web.app.call_sound(&person.who(), &id).await?.ok_or(Failure::not_found())?;
    let headers = [(header::CONTENT_TYPE, "audio/wav"), (header::CONTENT_DISPOSITION, "inline")];
    Ok((headers, sound).into_response())
}

/// `POST /calls/{id}/report`
pub(super) async fn report(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, call, line) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    let key = fields.key(&format!("POST /calls/{call}/report"))?;
    let taker = line.row.taker.filter(|t| *t == person.member.id || person.may(Right::Board));
    let taker = taker.ok_or(Failure::not_found())?;
    let told = CallTold {
        outcome: fields.get("outcome").to_owned(),
        place: fields.text("place"),
        text: fields.text("text"),
        minutes: match narrow(fields.get("minutes")).as_str() {
            "" => None,
            // What cannot be read is out of range and said so.
            typed => Some(typed.parse().unwrap_or(-1)),
        },
    };
    match caller.web.app.call_report(&person.who(), &call, &taker, told, Some(&key)).await {
        Ok(()) => Ok(see_other(&format!("/calls/{call}"))),
        Err(AppError::Invalid(wrong)) => page(&caller, &id, Some((&fields, &wrong))).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /calls/{id}/again`
pub(super) async fn again(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, call, _) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    fields.key("call.again")?;
    caller.web.app.call_again(&person.who(), &call, &person.member.id).await?;
    Ok(see_other(&format!("/calls/{call}")))
}

/// `POST /calls/{id}/hand-over`
pub(super) async fn hand_over(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, call, _) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    fields.key("call.hand_over")?;
    caller.web.app.call_hand_over(&person.who(), &call, &person.member.id).await?;
    Ok(see_other(&format!("/calls/{call}")))
}

/// `POST /calls/{id}/ring`: this person now, whatever the plan says.
pub(super) async fn ring(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let (_, call, _) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    let key = fields.key(&format!("POST /calls/{call}/ring"))?;
    let member = MemberId::from_stored(fields.get("member")).map_err(|_| Failure::not_found())?;
    match caller.web.app.call_ring(&person.who(), &call, &member, Some(&key)).await {
        // Somebody who left, or lost the phone, since the page was drawn.
        Err(AppError::Invalid(_)) => Err(Failure::not_found()),
        done => done.map(|_| see_other(&format!("/calls/{call}"))).map_err(Into::into),
    }
}

/// `POST /calls/{id}/seen`
pub(super) async fn seen(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let (_, call, _) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    fields.key("call.seen")?;
    caller.web.app.call_acknowledge(&person.who(), &call).await?;
    Ok(see_other(&format!("/calls/{call}")))
}

/// `POST /calls/{id}/close`
pub(super) async fn close(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let (_, call, _) = seen_by(&caller, &id).await?;
    fields.check(&caller, CALLS)?;
    fields.key("call.close")?;
    caller.web.app.call_close(&person.who(), &call).await?;
    Ok(see_other(&format!("/calls/{call}")))
}
