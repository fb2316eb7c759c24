//! Messages to an attending doctor (主治医連絡票): the list and writing one here; what becomes of it, the answer, the link
//! and the sheet for the fax (`case`).

mod case;

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::consult::Asking;
use crate::app::contact::ContactLine;
use crate::app::views::Names;
use crate::domain::consult::Wrong;
use crate::domain::contact::{ContactDetail, ContactFacts, NewContact, TOPICS};
use crate::domain::dispatch::request::Phase;
use crate::domain::dispatch::{Request, State};
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::{InstitutionId, MemberId};
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller};
use super::directory::WITH_DOCTORS;
use super::failure::Failure;
use super::form::Fields;
use super::views::contacts::{ContactAskPage, ContactRow, ContactsPage};
use super::views::{Choice, Choices, Field, StateLine, Tone, render};
use super::words::Voice;

pub(super) use case::offer_page;

pages! {
    get "/contacts" => list;
    post "/contacts" => ask;
    get "/contacts/new" => form;
    get "/contacts/{id}" => case::one;
    get "/contacts/{id}/sheet" => case::sheet;
    post "/contacts/{id}/reply" => case::reply;
    post "/contacts/{id}/reply-for" => case::reply_for;
    post "/contacts/{id}/withdraw" => case::withdraw;
    post "/k/contact" => case::look;
}

const CONTACTS: Binding<'static> = Binding::Page("contacts");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// Where a message stands, as one word of the pages.
fn stage(request: &Request) -> &'static str {
    match request.state {
        State::Running { phase: Phase::Waiting { .. }, .. } => "waiting",
        State::Running { step: 0, .. } => "sent",
        State::Running { .. } => "officer",
        State::Exhausted { .. } => "exhausted",
        State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => "answered",
        State::Refused { .. } | State::Withdrawn { .. } => "withdrawn",
        State::Expired { .. } => "expired",
    }
}

fn state(voice: Voice, request: &Request) -> StateLine {
    let code = stage(request);
    let tone = match code {
        "waiting" | "sent" => Tone::Info,
        "officer" => Tone::Warn,
        "answered" => Tone::Good,
        "withdrawn" => Tone::Plain,
        _ => Tone::Bad,
    };
    StateLine { text: voice.word("contact-state", code), tone }
}

fn row(voice: Voice, line: &ContactLine, names: &Names, me: &MemberId) -> ContactRow {
    let live = line.request.offers.get(me).is_some_and(|o| o.state.is_live());
    ContactRow {
        href: format!("/contacts/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        at: voice.moment(line.case.created),
        what: format!(
            "{}　{}",
            names.institution(&line.facts.clinic),
            voice.word("contact-topic", &line.facts.topic)
        ),
        state: state(voice, &line.request),
        to_do: (live && line.request.state.is_open()).then(|| t(voice.lang, "transfers-to-do-answer")),
    }
}

/// What the step before is to say, once.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "contact-sent" => "said-contact-sent",
        "contact-answered" => "said-contact-answered",
        "contact-withdrawn" => "said-contact-withdrawn",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// `GET /contacts`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let (office, may_ask) = (person.may(Right::Board), person.may(Right::Transfer));
    if !office && !may_ask {
        return Err(Failure::not_found());
    }
    let (voice, me) = (voice(&caller), &person.member.id);
    let board = caller.web.app.contacts(&person.association.id, (!office).then_some(me)).await?;
    let rows = |lines: &[ContactLine]| lines.iter().map(|line| row(voice, line, &board.names, me)).collect();
    let view = ContactsPage {
        shell: caller.shell_at(CONTACTS, "/contacts"),
        notice: said(&caller),
        may_ask: may_ask && person.member.institution.is_some(),
        open: rows(&board.open),
        ended: rows(&board.ended),
    };
    Ok(caller.page(render(&view), true))
}

#[derive(Deserialize)]
pub(super) struct To {
    #[serde(default)]
    clinic: String,
}

/// `GET /contacts/new?clinic=…`
pub(super) async fn form(caller: Caller, Query(to): Query<To>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let typed = Fields::of(vec![("clinic".to_owned(), to.clinic)]);
    page(&caller, &typed, &[]).await
}

async fn page(
    caller: &Caller,
    typed: &Fields,
    problems: &[(&'static str, String)],
) -> Result<Response, Failure> {
    let voice = voice(caller);
    let reader = caller.with_right(Right::Transfer)?;
    if reader.member.institution.is_none() {
        return Err(Failure::not_found());
    }
    let view = caller.web.app.directory(&reader.association.id).await?;
    let problem = |name: &str| problems.iter().find(|(f, _)| *f == name).map(|(_, text)| text.clone());
    let field = |name: &str| Field { value: typed.get(name).to_owned(), problem: problem(name) };
    let with_doctors = |kind: &str| WITH_DOCTORS.contains(&kind);
    let clinics = view.institutions.iter().filter(|i| i.closed.is_none() && with_doctors(&i.kind));
    let clinics = clinics.map(|i| Choice {
        value: i.id.to_string(),
        label: if i.area.is_empty() { i.name.clone() } else { format!("{}（{}）", i.name, i.area) },
        note: None,
        chosen: i.id.as_str() == typed.get("clinic"),
    });
    let view = ContactAskPage {
        shell: caller.shell_at(CONTACTS, "/contacts/new"),
        problem: problem("asker"),
        clinic: Choices { options: clinics.collect(), problem: problem("clinic") },
        patient: field("patient"),
        topic: Choices {
            problem: problem("topic"),
            ..voice.choices("contact-topic", TOPICS, typed.get("topic"))
        },
        text: field("text"),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /contacts`
pub(super) async fn ask(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let reader = caller.with_right(Right::Transfer)?;
    fields.check(&caller, CONTACTS)?;
    let key = fields.key("POST /contacts")?;
    caller.limit(Purpose::Create)?;
    let Ok(clinic) = InstitutionId::from_stored(fields.get("clinic")) else {
        return page(&caller, &fields, &[("clinic", t(caller.lang, "transfer-wrong-clinic"))]).await;
    };
    let new = NewContact {
        facts: ContactFacts { clinic, topic: fields.get("topic").to_owned() },
        detail: ContactDetail { patient: fields.text("patient"), text: fields.text("text") },
    };
    let asking = Asking { asker: reader.member.id.clone(), in_person: true, channel: "web" };
    match caller.web.app.contact_ask(&reader.who(), asking, new, Some(&key)).await {
        Ok(asked) => {
            let asked = asked.into_inner();
            Ok(caller.go_and_say(&format!("/contacts/{}", asked.request), "contact-sent"))
        }
        Err(AppError::Invalid(wrong)) => {
            let words = |w: &crate::domain::consult::FieldWrong| {
                let key = match (w.field, w.wrong) {
                    ("clinic", _) => "transfer-wrong-clinic",
                    ("patient", Wrong::Missing) => "transfer-wrong-patient",
                    ("topic", _) => "contact-wrong-topic",
                    ("text", Wrong::Missing) => "contact-wrong-text",
                    ("asker", _) => "cover-wrong-asker",
                    _ => return (w.field, Voice::wrong(caller.lang, w)),
                };
                (w.field, t(caller.lang, key))
            };
            let problems: Vec<_> = wrong.iter().map(words).collect();
            page(&caller, &fields, &problems).await
        }
        Err(e) => Err(e.into()),
    }
}
