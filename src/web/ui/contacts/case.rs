//! What becomes of a message: for whoever wrote it, the doctor who answers in a word, the office that faxes it where no
//! mail is read; and the link of the doctor's mail.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::answers::{LinkAnswer, Opened};
use crate::app::contact::{ContactCase, OpenContact};
use crate::app::transfer::{AnsweredBy, TransferAnswered, TransferSaid};
use crate::domain::contact::REPLIES;
use crate::domain::dispatch::{Answer, State, request::Phase};
use crate::domain::people::rights::Right;
use crate::domain::transfer::AskedAs;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RequestId};
use crate::web::rate::Purpose;

use super::super::asker::TakingBack;
use super::super::caller::{Binding, Caller, Cookie, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::link::{keep, keep_device, not_taken, show as show_link};
use super::super::people::channel_of;
use super::super::views::contacts::{ContactForBox, ContactPage, ContactSheet, LinkContact, ReplyBox};
use super::super::views::people::{Fact, channels};
use super::super::views::{Choices, Field, Hidden, PinProblem, render};
use super::super::words::Voice;
use super::{CONTACTS, said, stage, state, voice};

fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

async fn seen<'a>(caller: &'a Caller, id: &RequestId) -> Result<(&'a SignedIn, ContactCase), Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    let office = (person.may(Right::Board), person.may(Right::Enrol));
    let case = caller.web.app.contact_case(&person.who(), id, &person.member.id, office).await?;
    Ok((person, case))
}

fn asker(voice: Voice, names: &crate::app::views::Names, id: &MemberId) -> String {
    format!("{} {}", names.institution_of(id), voice.named(names, id)).trim().to_owned()
}

fn facts(voice: Voice, case: &ContactCase) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let line = &case.line;
    let mut all = vec![
        fact("contact-to", case.names.institution(&line.facts.clinic).to_owned()),
        fact("contact-from", asker(voice, &case.names, &line.case.asker)),
        fact("contact-topic", voice.word("contact-topic", &line.facts.topic)),
    ];
    if let Some(detail) = &case.detail {
        all.push(fact("transfer-patient", detail.patient.clone()));
        all.push(fact("contact-text", detail.text.clone()));
    }
    all
}

fn next(voice: Voice, case: &ContactCase) -> String {
    let request = &case.line.request;
    let at = match request.state {
        State::Running { phase: Phase::Waiting { at }, .. } => voice.moment(at),
        State::Running { phase: Phase::Asking { until, .. }, .. } => voice.moment(until),
        _ => String::new(),
    };
    t_with(voice.lang, &format!("contact-next-{}", stage(request)), &[("time", &at)])
}

/// What was typed with a reply, and what is wrong with it.
#[derive(Default)]
struct Typed<'a> {
    fields: Option<&'a Fields>,
    problem: Option<String>,
    reply: Option<String>,
    words: Option<String>,
    reason: Option<Field>,
}

fn reply_box(voice: Voice, typed: &Typed<'_>) -> ReplyBox {
    let got = |name: &str| typed.fields.map_or("", |fields| fields.get(name));
    ReplyBox {
        replies: Choices {
            problem: typed.reply.clone(),
            ..voice.choices("contact-reply", REPLIES, got("reply"))
        },
        words: Field { value: got("words").to_owned(), problem: typed.words.clone() },
    }
}

/// `GET /contacts/{id}`
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    show(&caller, &id, Typed::default()).await
}

async fn show(caller: &Caller, id: &RequestId, typed: Typed<'_>) -> Result<Response, Failure> {
    let (person, case) = seen(caller, id).await?;
    let (voice, line, me) = (voice(caller), &case.line, &person.member.id);
    let types = person.may(Right::Enrol);
    let live = |id: &MemberId| {
        line.request.state.is_open() && line.request.offers.get(id).is_some_and(|o| o.state.is_live())
    };
    let replies = case.replies.iter().map(|said| {
        let head = [
            ("name", voice.named(&case.names, &said.member)),
            ("said", voice.word("contact-reply", &said.code)),
            ("time", voice.moment(said.at)),
        ];
        let head: Vec<(&str, &str)> = head.iter().map(|(k, v)| (*k, v.as_str())).collect();
        (t_with(voice.lang, "transfer-said-head", &head), said.words.clone().unwrap_or_default())
    });
    let others = line.offers.iter().filter(|o| types && live(&o.person) && o.person != *me);
    let view = ContactPage {
        shell: caller.shell_at(CONTACTS, &format!("/contacts/{id}")),
        notice: said(caller),
        id: id.to_string(),
        case_no: line.case.case_no.clone(),
        state: state(voice, &line.request),
        next: next(voice, &case),
        facts: facts(voice, &case),
        replies: replies.collect(),
        reply: live(me).then(|| reply_box(voice, &typed)),
        for_others: others
            .map(|o| ContactForBox {
                member: o.person.to_string(),
                name: voice.named(&case.names, &o.person),
                reply_id: format!("reply-{}", o.person),
                channel_id: format!("channel-{}", o.person),
                reply: reply_box(voice, &Typed::default()),
                channel: channels(voice.lang, "", None),
            })
            .collect(),
        problem: typed.problem,
        may_withdraw: (line.case.asker == *me || types) && !line.request.state.is_terminal(),
        reason: typed.reason.unwrap_or_default(),
        sheet_href: case.detail.is_some().then(|| format!("/contacts/{id}/sheet")),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

fn said_of(fields: &Fields) -> TransferSaid {
    TransferSaid {
        yes: true,
        words: fields.text("words"),
        informed: None,
        reply: Some(fields.get("reply").to_owned()),
    }
}

async fn replied(
    caller: &Caller,
    id: &RequestId,
    fields: &Fields,
    outcome: Result<TransferAnswered, AppError>,
) -> Result<Response, Failure> {
    let typed = Typed { fields: Some(fields), ..Typed::default() };
    let typed = match outcome {
        Ok(TransferAnswered::Answered { .. }) => {
            return Ok(caller.go_and_say(&format!("/contacts/{id}"), "contact-answered"));
        }
        Ok(TransferAnswered::Wrong("reply", _)) => {
            Typed { reply: Some(t(caller.lang, "contact-wrong-reply")), ..typed }
        }
        Ok(TransferAnswered::Wrong(_, wrong)) => {
            Typed { words: Some(Voice::wrong_code(caller.lang, wrong.code())), ..typed }
        }
        Ok(TransferAnswered::Refused(rule)) => {
            Typed { problem: Some(t(caller.lang, &format!("word-rule-{}", rule.code()))), ..typed }
        }
        Ok(_) => Typed { problem: Some(t(caller.lang, "transfer-problem-late")), ..typed },
        Err(AppError::NotFound) => {
            Typed { problem: Some(t(caller.lang, "contact-problem-not-asked")), ..typed }
        }
        Err(e) => return Err(e.into()),
    };
    show(caller, id, typed).await
}

/// `POST /contacts/{id}/reply`: by the doctor, who signed in with the PIN or is of the office.
pub(super) async fn reply(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, _) = seen(&caller, &id).await?;
    fields.check(&caller, CONTACTS)?;
    let key = fields.key(&format!("POST /contacts/{id}/reply"))?;
    let (who, me) = (person.who(), &person.member.id);
    let said = said_of(&fields);
    let outcome = caller.web.app.transfer_answer(&who, &id, me, said, AnsweredBy::Session, Some(&key)).await;
    replied(&caller, &id, &fields, outcome).await
}

/// `POST /contacts/{id}/reply-for`: the office types what a doctor said by telephone or fax.
pub(super) async fn reply_for(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let reader = caller.with_right(Right::Enrol)?;
    let (_, case) = seen(&caller, &id).await?;
    fields.check(&caller, CONTACTS)?;
    let key = fields.key(&format!("POST /contacts/{id}/reply-for"))?;
    let problem = |key: &str| Typed { problem: Some(t(caller.lang, key)), ..Typed::default() };
    let Some(channel) = channel_of(&fields) else {
        return show(&caller, &id, problem("swap-problem-channel")).await;
    };
    let member = MemberId::from_stored(fields.get("member")).ok();
    let Some(member) = member.filter(|m| case.line.request.offers.contains_key(m)) else {
        return show(&caller, &id, problem("contact-problem-not-asked")).await;
    };
    let (who, by) = (reader.who_for(&member), AnsweredBy::Office(channel));
    let outcome = caller.web.app.transfer_answer(&who, &id, &member, said_of(&fields), by, Some(&key)).await;
    match outcome {
        Ok(TransferAnswered::Wrong(..)) => show(&caller, &id, problem("contact-wrong-reply")).await,
        outcome => replied(&caller, &id, &fields, outcome).await,
    }
}

/// `POST /contacts/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let asker = (person, &case.line.case.asker);
    let path = format!("/contacts/{id}/withdraw");
    let back = TakingBack::of(&caller, asker, (&fields, CONTACTS), &path)?;
    match caller.web.app.transfer_withdraw(&back.who, &id, &back.reason, Some(&back.key)).await {
        Ok(Answer::Done | Answer::Already) => {
            Ok(caller.go_and_say(&format!("/contacts/{id}"), "contact-withdrawn"))
        }
        Ok(_) => {
            let problem = Some(t(caller.lang, "transfer-problem-late"));
            show(&caller, &id, Typed { problem, ..Typed::default() }).await
        }
        Err(AppError::Invalid(wrong)) => {
            let reason = back.refused(&caller, &wrong);
            show(&caller, &id, Typed { reason, ..Typed::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `GET /contacts/{id}/sheet`: one A4 page for the fax, with what was written.
pub(super) async fn sheet(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, case) = seen(&caller, &id).await?;
    if case.detail.is_none() {
        return Err(Failure::not_found());
    }
    let voice = voice(&caller);
    let app = &caller.web.app;
    let clinic = app.institution(&person.association.id, &case.line.facts.clinic).await?;
    let numbers = app.numbers_of(&person.association.id, &clinic).await?;
    let view = ContactSheet {
        shell: caller.shell_at(CONTACTS, &format!("/contacts/{id}/sheet")),
        id: id.to_string(),
        case_no: case.line.case.case_no.clone(),
        fax: numbers.fax.unwrap_or_default(),
        facts: facts(voice, &case),
        replies: REPLIES.map(|code| voice.word("contact-reply", code)).into(),
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}

// ---- behind the mailed link ------------------------------------------------------------------------

pub(in crate::web::ui) async fn offer_page(
    caller: &Caller,
    open: &OpenContact,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let known = caller.known_device().await?.is_some_and(|known| {
        known.member.id == open.member.id && known.association.id == open.association.id
    });
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let officer = open.asked_as == AskedAs::Officer;
    let view = LinkContact {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        case_no: open.case.case_no.clone(),
        meaning: t(voice.lang, if officer { "contact-means-officer" } else { "contact-means-attending" }),
        facts: vec![
            fact("contact-from", asker(voice, &open.names, &open.case.asker)),
            fact("contact-to", open.names.institution(&open.facts.clinic).to_owned()),
            fact("contact-topic", voice.word("contact-topic", &open.facts.topic)),
        ],
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /k/contact`: lets the doctor in with the PIN, to read and to answer. Nothing is answered by it.
pub(super) async fn look(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let remember = fields.is_ticked("remember");
    let app = &caller.web.app;
    if !matches!(app.link_open(token).await?, Opened::Contact(_)) {
        return show_link(&caller, token, None, remember).await;
    }
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    match app.transfer_link_answer(token, None, pin, caller.device(), remember).await? {
        TransferAnswered::Proven { request, session, device } => {
            let there = see_other(&format!("/contacts/{request}"));
            let there = keep(&caller, there, Cookie::Session, session.as_ref().map(|s| s.as_str()));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await
        }
        TransferAnswered::Not(answer) => {
            let problem = match *answer {
                LinkAnswer::PinMissing => PinProblem::Missing,
                LinkAnswer::PinMalformed => PinProblem::Malformed,
                LinkAnswer::PinWrong { tries_left } => {
                    PinProblem::Wrong { tries_left: u32::try_from(tries_left).unwrap_or(0) }
                }
                other => return Ok(not_taken(&caller, other)),
            };
            show_link(&caller, token, Some(problem), remember).await
        }
        _ => show_link(&caller, token, None, remember).await,
    }
}
