//! Pages that only the exercise has: where to start, acting as somebody, the clock, the mailbox. Outside the
//! exercise none of them is there.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use chrono::NaiveTime;
use serde::Deserialize;

use crate::app::demo::{Demo, DemoPerson};
use crate::app::rows::Member;
use crate::domain::calendar::{civil_day, instant_of};
use crate::domain::dispatch::State;
use crate::web::edge::CSP_SHUT_IN;

use super::caller::{Binding, Caller, Cookie, see_other, with};
use super::failure::Failure;
use super::form::Fields;
use super::views::{
    DemoDone, DemoPerson as PersonView, DemoStart, MailRow, MailTab, Mailbox, MailboxMail, render,
};
use super::words::Voice;

pages! {
    get "/demo" => start;
    post "/demo/as" => become_somebody;
    post "/demo/leap" => leap;
    get "/demo/mailbox" => mailbox;
    get "/demo/mailbox/{id}" => mail;
    get "/demo/mailbox/{id}/html" => mail_html;
}

const DEMO: Binding<'static> = Binding::Page("demo");

/// Everybody of the exercise is listed; a real association is larger.
const EVERYBODY: i64 = 1_000;

fn demo_of(caller: &Caller) -> Result<Arc<Demo>, Failure> {
    caller.web.demo.clone().ok_or(Failure::not_found())
}

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn unreadable(error: &std::io::Error) -> Failure {
    tracing::error!(kind = %error.kind(), "The exercise's mailbox cannot be read");
    Failure::broken()
}

async fn person_view(
    caller: &Caller,
    demo: &Demo,
    person: &DemoPerson,
) -> Result<(PersonView, Member), Failure> {
    let app = &caller.web.app;
    let voice = voice(caller);
    let member = app.member(&demo.association, &person.member).await?;
    let institution = match &member.institution {
        Some(id) => {
            let all = app.institutions(&demo.association, "", EVERYBODY).await?;
            all.into_iter().find(|i| i.id == *id).map(|i| i.name)
        }
        None => None,
    };
    let roles: Vec<String> = member.roles.iter().map(|role| voice.word("role", role.code())).collect();
    let view = PersonView {
        key: person.key.clone(),
        name: voice.name(&member),
        role: roles.join("・"),
        institution: institution.unwrap_or_default(),
        pin: (!person.pin.is_empty()).then(|| person.pin.clone()),
    };
    Ok((view, member))
}

/// `GET /demo`
pub(super) async fn start(caller: Caller) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let by_key = |key: &str| demo.people.iter().find(|p| p.key == key).ok_or(Failure::broken());
    let (asker, _) = person_view(&caller, &demo, by_key(&demo.asker)?).await?;
    let (clerk, _) = person_view(&caller, &demo, by_key(&demo.clerk)?).await?;
    let mut people = Vec::new();
    for person in demo.people.iter().filter(|p| p.key != demo.asker && p.key != demo.clerk) {
        people.push(person_view(&caller, &demo, person).await?.0);
    }
    let asker_id = by_key(&demo.asker)?.member.clone();
    let (asked, _) = caller.web.app.my_cases(&demo.association, &asker_id).await?;
    // What came with the exercise does not count as done.
    let mine: Vec<_> = asked.iter().filter(|line| line.case.channel == "web").collect();
    let done = DemoDone {
        asked: !mine.is_empty(),
        accepted: mine.iter().any(|line| line.request.claims().next().is_some()),
        in_ledger: mine.iter().any(|line| matches!(line.request.state, State::Closed { .. })),
    };
    let mails = demo.mailbox.list().await.map_err(|e| unreadable(&e))?.len();
    let view = DemoStart {
        shell: caller.shell(DEMO),
        asker,
        clerk,
        people,
        done,
        mails: u32::try_from(mails).unwrap_or(u32::MAX),
        once: caller.once(),
    };
    Ok(with(caller.page(render(&view), false), caller.set(Cookie::DemoSeen, "seen")))
}

/// `POST /demo/as`
pub(super) async fn become_somebody(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    fields.check(&caller, DEMO)?;
    let key = fields.get("person");
    let person = demo.people.iter().find(|p| p.key == key).ok_or(Failure::not_found())?;
    let member = caller.web.app.member(&demo.association, &person.member).await?;
    let session = caller.web.app.demo_sign_in(&demo, person).await?;
    let there = if key == demo.clerk {
        "/ledger"
    } else if member.is_office() {
        "/board"
    } else if key == demo.asker {
        "/consults/new"
    } else {
        "/consults"
    };
    Ok(with(see_other(there), caller.set(Cookie::Session, session.as_str())))
}

/// `POST /demo/leap`
pub(super) async fn leap(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    fields.check(&caller, DEMO)?;
    let seconds = match fields.get("leap") {
        "30m" => 30 * 60,
        "morning" => {
            let seven = NaiveTime::from_hms_opt(7, 0, 0).unwrap_or_default();
            let today = civil_day(caller.now, caller.zone());
            let next = [today, today.plus_days(1)]
                .into_iter()
                .map(|day| instant_of(day, seven, caller.zone()))
                .find(|at| *at > caller.now)
                .ok_or(Failure::broken())?;
            u32::try_from(next.since_ms(caller.now).div_euclid(1_000) + 1).unwrap_or(0)
        }
        _ => return Err(Failure::not_found()),
    };
    caller.web.app.demo_leap(&demo, seconds);
    Ok(see_other("/demo"))
}

fn whom(name: &str, address: &str) -> String {
    if name.is_empty() { address.to_owned() } else { format!("{name} <{address}>") }
}

/// `GET /demo/mailbox`
pub(super) async fn mailbox(caller: Caller) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let voice = voice(&caller);
    let mails = demo.mailbox.list().await.map_err(|e| unreadable(&e))?;
    let row = |mail: &crate::app::demo::Mail| MailRow {
        href: format!("/demo/mailbox/{}", mail.id),
        at: voice.moment(mail.date),
        to: whom(&mail.to_name, &mail.to),
        subject: mail.subject.clone(),
    };
    let view = Mailbox { shell: caller.shell(DEMO), mails: mails.iter().map(row).collect() };
    Ok(caller.page(render(&view), false))
}

#[derive(Deserialize)]
pub(super) struct Tab {
    tab: Option<String>,
}

/// `GET /demo/mailbox/{id}`
pub(super) async fn mail(
    caller: Caller,
    Path(id): Path<String>,
    Query(tab): Query<Tab>,
) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let voice = voice(&caller);
    let mail = demo.mailbox.read(&id).await.map_err(|e| unreadable(&e))?.ok_or(Failure::not_found())?;
    let tab = if tab.tab.as_deref() == Some("source") { MailTab::Source } else { MailTab::Text };
    let body = match tab {
        MailTab::Text => mail.text.clone(),
        MailTab::Source => {
            let source = demo.mailbox.source(&id).await.map_err(|e| unreadable(&e))?;
            String::from_utf8_lossy(&source.unwrap_or_default()).into_owned()
        }
    };
    let members = caller.web.app.members(&demo.association, "", EVERYBODY).await?;
    let to = members.iter().map(|(m, _)| m).find(|m| m.email.as_deref() == Some(mail.to.as_str()));
    let pin = to.and_then(|m| demo.pins.get(&m.id)).cloned();
    let here = format!("/demo/mailbox/{id}");
    let view = MailboxMail {
        shell: caller.shell(DEMO),
        from: caller.home.as_ref().map(|home| home.name.clone()).unwrap_or_default(),
        to: whom(&mail.to_name, &mail.to),
        at: voice.moment(mail.date),
        subject: mail.subject.clone(),
        tab,
        body,
        text_href: here.clone(),
        source_href: format!("{here}?tab=source"),
        html_href: (!mail.html.is_empty()).then(|| format!("{here}/html")),
        pin,
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /demo/mailbox/{id}/html`: shut in, because it is a mail and not a page of ours.
pub(super) async fn mail_html(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let mail = demo.mailbox.read(&id).await.map_err(|e| unreadable(&e))?.ok_or(Failure::not_found())?;
    Ok(([(header::CONTENT_SECURITY_POLICY, CSP_SHUT_IN)], Html(mail.html)).into_response())
}
