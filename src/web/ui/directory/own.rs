//! Behind the link to one's own entries: they are right, or they are set right. Opening changes nothing.

use axum::response::Response;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::link::{ended, ending};
use super::super::views::directory::{DirectoryForm, Input, OwnEntriesPage, OwnEntryView};
use super::super::views::{Hidden, LinkEndKind, PinProblem, render};
use super::edit::number;
use super::list::id_of;
use super::{fact, facts, line, say_wrong, text, tick};
use crate::app::directory::reviews::{EntryAnswer, EntryAnswered, OwnEntries, OwnEntry};
use crate::app::rows::Institution;
use crate::domain::people::kana::digits;
use crate::i18n::t;
use crate::ids::InstitutionId;
use crate::web::rate::Purpose;
use crate::web::ui::words::Voice;

/// What is said above the entries.
#[derive(Default)]
struct Said {
    notice: Option<String>,
    problem: Option<String>,
    pin: Option<PinProblem>,
}

/// The page behind a token, as things stand.
pub(in crate::web::ui) async fn page(caller: &Caller, token: &str) -> Result<Response, Failure> {
    show(caller, token, Said::default()).await
}

async fn show(caller: &Caller, token: &str, said: Said) -> Result<Response, Failure> {
    match caller.web.app.entry_link_open(token).await? {
        Ok(open) => entries(caller, token, &open, said).await,
        Err(EntryAnswered::Ended { association, why }) => Ok(ended(caller, &association, None, why)),
        Err(_) => Ok(ending(caller, None, LinkEndKind::Unknown)),
    }
}

async fn is_known(caller: &Caller, open: &OwnEntries) -> Result<bool, Failure> {
    let known = caller.known_device().await?;
    Ok(known.is_some_and(|k| k.member.id == open.member.id && k.association.id == open.association.id))
}

async fn entries(caller: &Caller, token: &str, open: &OwnEntries, said: Said) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let done = |i: &Institution| i.reviewed.is_some_and(|at| open.asked <= at);
    let view = |(institution, numbers): &(Institution, _)| OwnEntryView {
        id: institution.id.to_string(),
        revision: institution.revision,
        name: institution.name.clone(),
        kind: voice.word("institution", &institution.kind),
        facts: facts(caller, institution, numbers),
        done: done(institution),
    };
    let page = OwnEntriesPage {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        notice: said.notice,
        problem: said.problem,
        all_done: open.entries.iter().all(|(i, _)| done(i)),
        entries: open.entries.iter().map(view).collect(),
        until: voice.moment(open.until),
        known_device: is_known(caller, open).await?,
        pin_problem: said.pin,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&page), false))
}

/// `edit ID REVISION`, as the buttons say it.
fn read_answer(typed: &str) -> Option<(bool, InstitutionId, i64)> {
    let mut words = typed.split(' ');
    let edit = match words.next()? {
        "edit" => true,
        "right" => false,
        _ => return None,
    };
    Some((edit, id_of(words.next()?).ok()?, words.next()?.parse().ok()?))
}

/// `POST /k/entry`
pub(in crate::web::ui) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let Some((edit, id, revision)) = read_answer(fields.get("answer")) else {
        return show(&caller, token, Said::default()).await;
    };
    if edit {
        return match caller.web.app.entry_link_open(token).await? {
            Ok(open) => match open.entries.iter().find(|(i, _)| i.id == id) {
                Some((institution, numbers)) => {
                    let own = OwnEntry::of(institution, numbers);
                    let inputs = inputs(&caller, &own);
                    form(&caller, token, &open, institution, (inputs, None, None)).await
                }
                None => Err(Failure::not_found()),
            },
            Err(_) => show(&caller, token, Said::default()).await,
        };
    }
    let done = send(&caller, &fields, (&id, revision), EntryAnswer::Right).await?;
    after(&caller, token, done).await
}

async fn send(
    caller: &Caller,
    fields: &Fields,
    at: (&InstitutionId, i64),
    answer: EntryAnswer,
) -> Result<EntryAnswered, Failure> {
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    let key = fields.key(&format!("POST /k/entry {}", at.0))?;
    let proof = (pin, caller.device());
    Ok(caller.web.app.entry_link_answer(fields.get("token"), at, answer, proof, Some(&key)).await?)
}

fn pin_problem(done: &EntryAnswered) -> Option<PinProblem> {
    match done {
        EntryAnswered::PinMissing => Some(PinProblem::Missing),
        EntryAnswered::PinMalformed => Some(PinProblem::Malformed),
        EntryAnswered::PinWrong { tries_left } => {
            Some(PinProblem::Wrong { tries_left: u32::try_from(*tries_left).unwrap_or(0) })
        }
        _ => None,
    }
}

async fn after(caller: &Caller, token: &str, done: EntryAnswered) -> Result<Response, Failure> {
    let said = |key: &str| Some(t(caller.lang, key));
    match done {
        EntryAnswered::Done => {
            show(caller, token, Said { notice: said("own-thanks"), ..Said::default() }).await
        }
        EntryAnswered::Stale => {
            show(caller, token, Said { problem: said("own-changed"), ..Said::default() }).await
        }
        EntryAnswered::Ended { association, why } => Ok(ended(caller, &association, None, why)),
        EntryAnswered::Unknown | EntryAnswered::Invalid(_) => Ok(ending(caller, None, LinkEndKind::Unknown)),
        other => show(caller, token, Said { pin: pin_problem(&other), ..Said::default() }).await,
    }
}

fn inputs(caller: &Caller, own: &OwnEntry) -> Vec<Input> {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        line(caller, "phone", "directory-phone", &of(&own.phone), "tel"),
        line(caller, "fax", "directory-fax", &of(&own.fax), "tel"),
        line(caller, "postcode", "directory-postcode", &own.postcode, "numeric"),
        line(caller, "address", "directory-address", &own.address, "text"),
        line(caller, "hours", "directory-hours", &own.hours, "text"),
        tick(caller, "round_the_clock", "directory-round-tick", own.round_the_clock),
        line(caller, "contact_person", "directory-person", &own.contact_person, "text"),
        text(caller, "accepts", "directory-accepts", &own.accepts, 4),
    ]
}

async fn form(
    caller: &Caller,
    token: &str,
    open: &OwnEntries,
    institution: &Institution,
    (inputs, notice, pin): (Vec<Input>, Option<String>, Option<PinProblem>),
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let kind = voice.word("institution", &institution.kind);
    let view = DirectoryForm {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        title: t(caller.lang, "own-edit-title"),
        lead: t(caller.lang, "own-edit-what"),
        notice,
        facts: vec![
            fact(caller, "directory-name", institution.name.clone()),
            fact(caller, "directory-kind", kind),
        ],
        inputs,
        hidden: vec![
            ("token", Hidden(token.to_owned())),
            ("institution", Hidden(institution.id.to_string())),
            ("revision", Hidden(institution.revision.to_string())),
        ],
        asks_pin: !is_known(caller, open).await?,
        pin_problem: pin,
        action: "/k/entry/save".to_owned(),
        send: t(caller.lang, "own-save"),
        back: None,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /k/entry/save`
pub(in crate::web::ui) async fn save(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let id = id_of(fields.get("institution"))?;
    let revision = fields.number("revision").unwrap_or(-1);
    let postcode = narrow(fields.get("postcode"));
    let own = OwnEntry {
        phone: number(fields.get("phone")),
        fax: number(fields.get("fax")),
        postcode: if digits(&postcode).len() == 7 { digits(&postcode) } else { postcode },
        address: fields.text("address"),
        hours: fields.text("hours"),
        round_the_clock: fields.is_ticked("round_the_clock"),
        contact_person: fields.text("contact_person"),
        accepts: fields.text("accepts"),
    };
    let answer = EntryAnswer::Change(Box::new(own.clone()));
    let done = send(&caller, &fields, (&id, revision), answer).await?;
    let pin = pin_problem(&done);
    let again = pin.is_some() || matches!(done, EntryAnswered::Invalid(_) | EntryAnswered::Stale);
    if !again {
        return after(&caller, token, done).await;
    }
    // What was typed stays, on the entry as it stands now.
    match caller.web.app.entry_link_open(token).await? {
        Ok(open) => {
            let found = open.entries.iter().find(|(i, _)| i.id == id);
            let (institution, _) = found.ok_or(Failure::not_found())?;
            let mut inputs = inputs(&caller, &own);
            let notice = match &done {
                EntryAnswered::Invalid(wrong) => say_wrong(&caller, &mut inputs, wrong),
                EntryAnswered::Stale => Some(t(caller.lang, "directory-changed")),
                _ => None,
            };
            form(&caller, token, &open, institution, (inputs, notice, pin)).await
        }
        Err(_) => show(&caller, token, Said::default()).await,
    }
}
