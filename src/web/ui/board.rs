//! The office's board: every open request, whom it asked, what happens next, and the alarms.

use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};

use crate::app::AppError;
use crate::app::rows::AlarmRow;
use crate::app::views::{BoardView, CaseLine, Names};
use crate::domain::dispatch::{Answer, Kind};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{AlarmId, MemberId, RequestId};

use super::caller::{Binding, Caller, see_other};
use super::failure::Failure;
use super::form::Fields;
use super::views::{Alarm, AskedPerson, Board, BoardRequest, BoardRow, Party, render};
use super::words::Voice;

pages! {
    get "/board" => board;
    get "/board/{id}" => request;
    post "/board/{id}/withdraw" => withdraw;
    post "/board/alarms/{id}/seen" => seen;
}

const BOARD: Binding<'static> = Binding::Page("board");

fn row(voice: Voice, line: &CaseLine, names: &Names) -> BoardRow {
    let mut offers: Vec<_> = line.offers.iter().collect();
    offers.sort_by_key(|offer| (offer.offer.asked_at, offer.id.clone()));
    let asked = offers.into_iter().map(|offer| AskedPerson {
        name: voice.named(names, &offer.person),
        at: voice.moment(offer.offer.asked_at),
        how: voice.attempt(&line.attempts, &offer.person),
        answer: voice.offer(offer),
    });
    BoardRow {
        href: format!("/board/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        specialty: voice.word("specialty", &line.facts.specialty),
        area: line.facts.area.clone(),
        state: voice.state(&line.request),
        answer_by: voice.until(line.request.answer_by),
        asked: asked.collect(),
        next: voice.next(&line.request),
    }
}

/// An alarm in words, and the request it is about.
fn words(voice: Voice, alarm: &AlarmRow, case_no: Option<&str>, names: &Names) -> String {
    let member = alarm.subject.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
    let name = member.map(|id| voice.named(names, &id));
    let code = match alarm.kind.as_str() {
        "pin_locked" if name.is_some() => "pin_locked",
        "recovery_asked" if name.is_some() => "recovery_asked",
        "recovery_stopped" if name.is_some() => "recovery_stopped",
        "undeliverable" | "dead_mail" if case_no.is_some() => "undeliverable",
        "mail_misconfigured" | "undeliverable" | "dead_mail" => "mail",
        "tonight_hole" => "tonight_hole",
        "call_bridge_down" if alarm.subject == "bridge" => "bridge",
        "exhausted" if case_no.is_some() => "exhausted",
        "expired" if case_no.is_some() => "expired",
        "short" | "not_closed" | "not_reported" if case_no.is_some() => "silent",
        _ if case_no.is_some() => "other",
        _ => "system",
    };
    let values = [("no", case_no.unwrap_or_default()), ("name", name.as_deref().unwrap_or_default())];
    t_with(voice.lang, &format!("word-alarm-{code}"), &values)
}

async fn alarm(caller: &Caller, voice: Voice, view: &BoardView, alarm: &AlarmRow) -> Result<Alarm, Failure> {
    let request = alarm.subject.strip_prefix("request:").and_then(|id| RequestId::from_stored(id).ok());
    let mut page = "board";
    let case_no = match &request {
        None => None,
        Some(id) => match view.open.iter().chain(&view.ended).find(|line| line.case.id == *id) {
            Some(line) => Some(line.case.case_no.clone()),
            None => {
                let association = &caller.with_right(Right::Board)?.association.id;
                let head = caller.web.app.request_head(association, id).await?;
                page = match head.as_ref().and_then(|case| Kind::from_code(&case.kind)) {
                    Some(Kind::Swap) => "swaps",
                    Some(Kind::Cover) => "covers",
                    Some(Kind::Transfer) => "transfers",
                    Some(Kind::Contact) => "contacts",
                    Some(Kind::Check) => "tonight",
                    _ => page,
                };
                head.map(|case| case.case_no)
            }
        },
    };
    Ok(Alarm {
        id: alarm.id.to_string(),
        at: voice.moment(alarm.raised),
        text: words(voice, alarm, case_no.as_deref(), &view.names),
        href: match request.filter(|_| case_no.is_some()) {
            _ if page == "tonight" || alarm.kind == "tonight_hole" => Some("/tonight".to_owned()),
            request => request.map(|id| format!("/{page}/{id}")),
        },
        once: caller.once(),
    })
}

/// `GET /board`; with `HX-Request` the part that changes, alone.
pub(super) async fn board(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return if caller.fragment { Err(Failure::session_ended()) } else { Ok(caller.to_sign_in()) };
    };
    caller.with_right(Right::Board)?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let view = caller.web.app.board(&person.association.id).await?;
    let mut alarms = Vec::with_capacity(view.alarms.len());
    for row in &view.alarms {
        alarms.push(alarm(&caller, voice, &view, row).await?);
    }
    let rows = view.open.iter().map(|line| row(voice, line, &view.names)).collect();
    let page = Board { shell: caller.shell(BOARD), alarms, rows };
    Ok(if caller.fragment {
        Html(page.render_live()).into_response()
    } else {
        caller.page(render(&page), false)
    })
}

fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

/// `GET /board/{id}`
pub(super) async fn request(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    request_page(&caller, &id, None).await
}

async fn request_page(caller: &Caller, id: &RequestId, problem: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let found = caller.web.app.case_for_office(&person.association.id, id).await?;
    let (line, names) = (&found.line, &found.names);
    let view = BoardRequest {
        shell: caller.shell_at(BOARD, &format!("/board/{id}")),
        id: id.to_string(),
        row: row(voice, line, names),
        // Numbers are sealed; the office has its own list of them.
        asker: Party {
            name: voice.named(names, &line.case.asker),
            institution: names.institution(&line.case.institution).to_owned(),
            phone: String::new(),
        },
        responsible: super::case::responsible(voice, line, names),
        timeline: voice.timeline(line, names, &found.history, true),
        may_withdraw: !line.request.state.is_terminal(),
        problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /board/alarms/{id}/seen`
pub(super) async fn seen(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, BOARD)?;
    let id = AlarmId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let key = fields.key("alarm.seen")?;
    // Seen before is seen; another association's is not there.
    caller.web.app.alarm_row(&person.association.id, &id).await?;
    caller.web.app.alarm_seen(&person.who(), &id, Some(&key)).await?;
    Ok(see_other("/board"))
}

/// `POST /board/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, BOARD)?;
    let key = fields.key(&format!("POST /board/{id}/withdraw"))?;
    let reason = fields.text("reason");
    let done = caller.web.app.request_withdraw_for_asker(&person.who(), &id, &reason, Some(&key)).await;
    match done {
        Ok(change) if matches!(change.answer, Answer::Done | Answer::Already) => {
            Ok(see_other(&format!("/board/{id}")))
        }
        Ok(_) => Err(Failure::changed().back_to(format!("/board/{id}"))),
        Err(AppError::Invalid(_)) => {
            let problem = t(caller.lang, "board-withdraw-reason-missing");
            request_page(&caller, &id, Some(problem)).await
        }
        Err(e) => Err(e.into()),
    }
}
