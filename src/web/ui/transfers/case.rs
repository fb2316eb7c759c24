//! What becomes of a transfer: for the asker, the attending doctor, the officer, the clinic that takes the patient over,
//! the office; and what each of them does on its page.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::rows::Event;
use crate::app::transfer::{AnsweredBy, TransferAnswered, TransferCase, TransferDated};
use crate::domain::dispatch::{Answer, State};
use crate::domain::people::rights::Right;
use crate::domain::transfer::AskedAs;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RequestId};
use crate::web::rate::Purpose;

use super::super::asker::TakingBack;
use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::people::channel_of;
use super::super::views::people::{Fact, channels};
use super::super::views::transfers::{TransferDateBox, TransferForBox, TransferPage};
use super::super::views::{AskedPerson, Field, PinProblem, TimelineItem, render};
use super::super::words::Voice;
use super::ask::day_of;
use super::link::{Typed, answer_box, said_of, words_problem};
use super::{TRANSFERS, day, is_asked, said, stage, state, voice};

pub(super) fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

/// What a page says beside the facts.
#[derive(Default)]
struct Shown<'a> {
    problem: Option<String>,
    pin_problem: Option<PinProblem>,
    /// An answer as it was typed, and what is wrong with it.
    answer: Typed<'a>,
    /// The day as it was typed, and what is wrong with it.
    date: Option<(&'a Fields, Vec<(&'static str, String)>)>,
    reason: Option<Field>,
}

/// `GET /transfers/{id}`
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    show(&caller, &id, Shown::default()).await
}

/// The transfer of the path, as this reader may see it.
pub(super) async fn seen<'a>(
    caller: &'a Caller,
    id: &RequestId,
) -> Result<(&'a SignedIn, TransferCase), Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    let office = person.may(Right::Board);
    let case = caller.web.app.transfer_case(&person.who(), id, &person.member.id, office).await?;
    Ok((person, case))
}

/// `clinic`: the attending doctor's, for who is asked to take the patient over and has to speak to the doctor first.
fn facts(voice: Voice, case: &TransferCase, whose: bool, clinic: Option<String>) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let line = &case.line;
    let mut all = super::link::facts(voice, &line.facts, (&case.names, &line.case.asker), whose);
    if let Some(clinic) = clinic {
        all.insert(0, fact("transfer-clinic", clinic));
    }
    if let Some(detail) = &case.detail {
        all.push(fact("transfer-patient", detail.patient.clone()));
        if !detail.details.is_empty() {
            all.push(fact("transfer-details", detail.details.clone()));
        }
    }
    if let Some(taker) = line.taker().filter(|_| whose) {
        let (name, place) = (voice.named(&case.names, taker), case.names.institution_of(taker));
        all.push(fact("transfer-taker", format!("{place} {name}").trim().to_owned()));
    }
    if let Some(dated) = &case.dated {
        all.push(fact("transfer-effective", day(voice, dated.effective)));
        if !dated.note.is_empty() {
            all.push(fact("transfer-date-note", dated.note.clone()));
        }
    }
    all
}

fn next(voice: Voice, case: &TransferCase) -> String {
    let line = &case.line;
    let until = voice.moment(line.request.answer_by);
    t_with(voice.lang, &format!("transfer-next-{}", stage(&line.request)), &[("until", &until)])
}

fn words(voice: Voice, case: &TransferCase) -> Vec<(String, String)> {
    let one = |said: &crate::app::transfer::Said| {
        let head = [
            ("name", voice.named(&case.names, &said.member)),
            ("said", voice.word("transfer-said", &said.code)),
            ("time", voice.moment(said.at)),
        ];
        let head: Vec<(&str, &str)> = head.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let gone = || t(voice.lang, "cover-told-past");
        (t_with(voice.lang, "transfer-said-head", &head), said.words.clone().unwrap_or_else(gone))
    };
    case.said.iter().map(one).collect()
}

/// Clinics that said no are the office's business; everything else the asker and the attending doctor may know.
fn timeline(voice: Voice, case: &TransferCase, office: bool) -> Vec<TimelineItem> {
    let named = |event: &Event| {
        let who = event.on_behalf_of.as_deref().unwrap_or(&event.actor);
        let id = who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
        let name = id.map_or_else(|| voice.word("role", "clerk"), |id| voice.named(&case.names, &id));
        match event.on_behalf_of {
            Some(_) => format!("{name}{}", t(voice.lang, "cover-by-office")),
            None => name,
        }
    };
    let items = case.history.iter().filter_map(|event| {
        let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let text = |key: &str| detail.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let gate = matches!(text("as"), "attending" | "officer");
        let done = detail.get("answer").is_some_and(|a| a["answer"] == "done");
        let key = match event.action.as_str() {
            "request.ask" => "made",
            "offer.accept" if done && text("as") == "officer" => "officer_yes",
            "offer.accept" if done && text("state") == "taken" => "accepted",
            "offer.accept" if done => "agreed",
            "offer.decline" if gate => "refused",
            "offer.decline" if office => "declined",
            "offer.release" => "released",
            "request.report" => "dated",
            "request.close" => "closed",
            "request.withdraw" => "withdrawn",
            "request.due" if text("state") == "exhausted" => "exhausted",
            "request.due" if text("state") == "expired" => "expired",
            _ => return None,
        };
        let said = [("name", named(event)), ("reason", text("reason").to_owned())];
        let said: Vec<(&str, &str)> = said.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let text = t_with(voice.lang, &format!("transfer-happened-{key}"), &said);
        Some(TimelineItem { at: voice.moment(event.at), text: text.trim().to_owned() })
    });
    items.collect()
}

fn asked(voice: Voice, case: &TransferCase) -> Vec<AskedPerson> {
    let mut offers: Vec<_> = case.line.offers.iter().collect();
    offers.sort_by_key(|offer| (offer.offer.asked_at, offer.id.clone()));
    offers
        .into_iter()
        .map(|offer| {
            let asked_as = AskedAs::of(&case.line.request, &offer.person).map_or("receiver", AskedAs::code);
            let name = voice.named(&case.names, &offer.person);
            AskedPerson {
                name: format!("{name}（{}）", voice.word("transfer-as", asked_as)),
                at: voice.moment(offer.offer.asked_at),
                how: voice.attempt(&case.attempts, &offer.person),
                answer: voice.offer(offer),
            }
        })
        .collect()
}

/// Everybody who was asked and has not answered, for the office to type in. An officer decides in person.
fn for_others(voice: Voice, case: &TransferCase) -> Vec<TransferForBox> {
    let request = &case.line.request;
    let live = case.line.offers.iter().filter(|o| is_asked(request, &o.person));
    let one = |person: &MemberId| {
        let asked_as = AskedAs::of(request, person).filter(|a| *a != AskedAs::Officer)?;
        let (name, place) = (voice.named(&case.names, person), case.names.institution_of(person));
        Some(TransferForBox {
            member: person.to_string(),
            name: format!("{name}（{place}）"),
            channel_id: format!("channel-{person}"),
            answer: answer_box(voice, asked_as, &Typed::default()),
            channel: channels(voice.lang, "", None),
        })
    };
    live.filter_map(|offer| one(&offer.person)).collect()
}

fn date_box(
    voice: Voice,
    by_office: bool,
    shown: Option<&(&Fields, Vec<(&'static str, String)>)>,
) -> TransferDateBox {
    let field = |name: &str| Field {
        value: shown.map_or("", |(fields, _)| fields.get(name)).to_owned(),
        problem: shown
            .and_then(|(_, wrong)| wrong.iter().find(|(field, _)| *field == name))
            .map(|(_, text)| text.clone()),
    };
    let chosen = shown.map_or("", |(fields, _)| fields.get("channel"));
    TransferDateBox {
        effective: field("effective"),
        note: field("note"),
        channel: by_office.then(|| channels(voice.lang, chosen, field("channel").problem)),
    }
}

async fn show(caller: &Caller, id: &RequestId, shown: Shown<'_>) -> Result<Response, Failure> {
    let (person, case) = seen(caller, id).await?;
    let (voice, line, me) = (voice(caller), &case.line, &person.member.id);
    let (office, types) = (person.may(Right::Board), person.may(Right::Enrol));
    let asker = line.case.asker == *me;
    let asked_as = AskedAs::of(&line.request, me);
    let takes = line.taker() == Some(me);
    let whose = asker || office || takes || matches!(asked_as, Some(AskedAs::Attending | AskedAs::Officer));
    let clinic = if !whose && is_asked(&line.request, me) {
        let (app, home) = (&caller.web.app, &person.association.id);
        let clinic = app.institution(home, &line.facts.clinic).await?;
        let phone = app.numbers_of(home, &clinic).await?.phone.unwrap_or_default();
        Some(format!("{} {phone}", clinic.name).trim().to_owned())
    } else {
        None
    };
    let attending = line.is_attending(me);
    let taken = matches!(line.request.state, State::Taken { .. });
    let reported = matches!(line.request.state, State::Reported { .. });
    let answers = asked_as.filter(|_| is_asked(&line.request, me));
    let view = TransferPage {
        shell: caller.shell_at(TRANSFERS, &format!("/transfers/{id}")),
        notice: said(caller),
        problem: shown.problem,
        id: id.to_string(),
        case_no: line.case.case_no.clone(),
        state: state(voice, &line.request),
        next: next(voice, &case),
        facts: facts(voice, &case, whose, clinic),
        said: words(voice, &case),
        answer: answers.map(|asked_as| answer_box(voice, asked_as, &shown.answer)),
        asks_pin: person.strong_at.is_none(),
        pin_problem: shown.pin_problem,
        for_others: if types { for_others(voice, &case) } else { Vec::new() },
        date: (taken && (takes || types)).then(|| date_box(voice, !takes, shown.date.as_ref())),
        may_close: reported && (asker || attending || types),
        may_give_back: taken && (takes || types),
        may_withdraw: (asker || types) && !line.request.state.is_terminal(),
        reason: shown.reason.unwrap_or_default(),
        letter_href: (case.detail.is_some() && (attending || takes))
            .then(|| format!("/transfers/{id}/letter")),
        asked: if office { asked(voice, &case) } else { Vec::new() },
        timeline: if whose { timeline(voice, &case, office) } else { Vec::new() },
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// Where an answer leads: to the page, with what was said or with what is wrong and everything that was typed.
async fn answered(
    caller: &Caller,
    id: &RequestId,
    fields: &Fields,
    outcome: TransferAnswered,
) -> Result<Response, Failure> {
    let lang = caller.lang;
    let typed = || Typed { fields: Some(fields), ..Typed::default() };
    let pin = |problem| Shown { pin_problem: Some(problem), answer: typed(), ..Shown::default() };
    let problem = |text: String| Shown { problem: Some(text), answer: typed(), ..Shown::default() };
    let shown = match outcome {
        TransferAnswered::Answered { asked_as, .. } => {
            let said = match (asked_as, fields.get("answer")) {
                (AskedAs::Receiver, "yes") => "transfer-took",
                (_, "yes") => "transfer-yes",
                _ => "transfer-no",
            };
            return Ok(caller.go_and_say(&format!("/transfers/{id}"), said));
        }
        TransferAnswered::Wrong(_, wrong) => {
            let text = words_problem(voice(caller), wrong);
            Shown { answer: Typed { words: Some(text), ..typed() }, ..Shown::default() }
        }
        TransferAnswered::Refused(rule) => problem(t(lang, &format!("word-rule-{}", rule.code()))),
        TransferAnswered::PinMissing => pin(PinProblem::Missing),
        TransferAnswered::PinMalformed => pin(PinProblem::Malformed),
        TransferAnswered::PinWrong => pin(PinProblem::WrongOnDevice),
        TransferAnswered::PinLocked => problem(t(lang, "link-end-locked-text")),
        TransferAnswered::Late(_) | TransferAnswered::Not(_) | TransferAnswered::Proven { .. } => {
            problem(t(lang, "transfer-problem-late"))
        }
    };
    show(caller, id, shown).await
}

/// `POST /transfers/{id}/answer`: by somebody signed in, with the PIN or the office's means.
pub(super) async fn answer(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, _) = seen(&caller, &id).await?;
    fields.check(&caller, TRANSFERS)?;
    fields.key(&format!("POST /transfers/{id}/answer"))?;
    let said = match said_of(voice(&caller), &fields) {
        None => return show(&caller, &id, Shown::default()).await,
        Some(Err(text)) => {
            let answer = Typed { fields: Some(&fields), informed: Some(text), ..Typed::default() };
            return show(&caller, &id, Shown { answer, ..Shown::default() }).await;
        }
        Some(Ok(said)) => said,
    };
    let pin = fields.get("pin").trim();
    let by = if person.strong_at.is_some() { AnsweredBy::Strong } else { AnsweredBy::Pin(pin) };
    if matches!(by, AnsweredBy::Pin(_)) {
        caller.limit(Purpose::Pin)?;
    }
    let me = &person.member.id;
    match caller.web.app.transfer_answer(&person.who(), &id, me, said, by, None).await {
        Ok(outcome) => answered(&caller, &id, &fields, outcome).await,
        Err(AppError::NotFound) => {
            let problem = Some(t(caller.lang, "transfer-problem-not-asked"));
            show(&caller, &id, Shown { problem, ..Shown::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /transfers/{id}/answer-for`: the office types what somebody said by telephone or fax.
pub(super) async fn answer_for(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let reader = caller.with_right(Right::Enrol)?;
    let (_, case) = seen(&caller, &id).await?;
    fields.check(&caller, TRANSFERS)?;
    let key = fields.key(&format!("POST /transfers/{id}/answer-for"))?;
    let problem = |text: String| Shown { problem: Some(text), ..Shown::default() };
    let Some(channel) = channel_of(&fields) else {
        return show(&caller, &id, problem(t(caller.lang, "swap-problem-channel"))).await;
    };
    let member = MemberId::from_stored(fields.get("member")).ok();
    let asked = |m: &MemberId| {
        AskedAs::of(&case.line.request, m).is_some_and(|asked_as| asked_as != AskedAs::Officer)
    };
    let Some(member) = member.filter(asked) else {
        return show(&caller, &id, problem(t(caller.lang, "transfer-problem-not-asked"))).await;
    };
    let said = match said_of(voice(&caller), &fields) {
        None => return show(&caller, &id, Shown::default()).await,
        Some(Err(text)) => return show(&caller, &id, problem(text)).await,
        Some(Ok(said)) => said,
    };
    let (who, by) = (reader.who_for(&member), AnsweredBy::Office(channel));
    let outcome = caller.web.app.transfer_answer(&who, &id, &member, said, by, Some(&key)).await?;
    match outcome {
        TransferAnswered::Wrong(_, wrong) => {
            show(&caller, &id, problem(words_problem(voice(&caller), wrong))).await
        }
        outcome => answered(&caller, &id, &fields, outcome).await,
    }
}

/// `POST /transfers/{id}/date`
pub(super) async fn date(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let taker = case.line.taker().cloned();
    let takes = taker.as_ref() == Some(&person.member.id);
    if !takes && !person.may(Right::Enrol) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, TRANSFERS)?;
    let key = fields.key(&format!("POST /transfers/{id}/date"))?;
    let late = || Shown { problem: Some(t(caller.lang, "transfer-problem-late")), ..Shown::default() };
    let Some(taker) = taker else { return show(&caller, &id, late()).await };
    let mut wrong = Vec::new();
    let effective = day_of(fields.get("effective"));
    if effective.is_none() {
        wrong.push(("effective", t(caller.lang, "ask-not-a-date")));
    }
    let channel = if takes { Some("web") } else { channel_of(&fields) };
    if channel.is_none() {
        wrong.push(("channel", t(caller.lang, "swap-problem-channel")));
    }
    let (Some(effective), Some(channel)) = (effective, channel) else {
        return show(&caller, &id, Shown { date: Some((&fields, wrong)), ..Shown::default() }).await;
    };
    let dated = TransferDated { effective, note: fields.text("note") };
    let who = person.who_for(&taker);
    match caller.web.app.transfer_date(&who, &id, &taker, dated, channel, Some(&key)).await {
        Ok(Answer::Done | Answer::Already) => {
            Ok(caller.go_and_say(&format!("/transfers/{id}"), "transfer-dated"))
        }
        Ok(_) => show(&caller, &id, late()).await,
        Err(AppError::Invalid(fields_wrong)) => {
            let wrong = fields_wrong.iter().map(|w| (w.field, Voice::wrong(caller.lang, w))).collect();
            show(&caller, &id, Shown { date: Some((&fields, wrong)), ..Shown::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /transfers/{id}/close`: by the asker's side or the attending doctor's clinic.
pub(super) async fn close(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let me = &person.member.id;
    let own = case.line.case.asker == *me || case.line.is_attending(me);
    if !own && !person.may(Right::Enrol) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, TRANSFERS)?;
    let key = fields.key(&format!("POST /transfers/{id}/close"))?;
    let (who, channel) =
        if own { (person.who(), "web") } else { (person.who_for(&case.line.case.asker), "office") };
    match caller.web.app.transfer_close(&who, &id, channel, Some(&key)).await? {
        Answer::Done | Answer::Already => {
            Ok(caller.go_and_say(&format!("/transfers/{id}"), "transfer-closed"))
        }
        _ => {
            let problem = Some(t(caller.lang, "transfer-problem-close"));
            show(&caller, &id, Shown { problem, ..Shown::default() }).await
        }
    }
}

/// `POST /transfers/{id}/give-back`: the clinic cannot after all; others are asked again.
pub(super) async fn give_back(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let taker = case.line.taker().cloned();
    let takes = taker.as_ref() == Some(&person.member.id);
    if !takes && !person.may(Right::Enrol) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, TRANSFERS)?;
    let key = fields.key(&format!("POST /transfers/{id}/give-back"))?;
    let late = || Shown { problem: Some(t(caller.lang, "transfer-problem-late")), ..Shown::default() };
    let Some(taker) = taker else { return show(&caller, &id, late()).await };
    let who = person.who_for(&taker);
    match caller.web.app.request_release(&who, &id, &taker, Some(&key)).await?.answer {
        Answer::Done | Answer::Already => Ok(caller.go_and_say("/transfers", "transfer-given-back")),
        _ => show(&caller, &id, late()).await,
    }
}

/// `POST /transfers/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let asker = (person, &case.line.case.asker);
    let path = format!("/transfers/{id}/withdraw");
    let back = TakingBack::of(&caller, asker, (&fields, TRANSFERS), &path)?;
    match caller.web.app.transfer_withdraw(&back.who, &id, &back.reason, Some(&back.key)).await {
        Ok(Answer::Done | Answer::Already) => {
            Ok(caller.go_and_say(&format!("/transfers/{id}"), "transfer-withdrawn"))
        }
        Ok(_) => {
            let problem = Some(t(caller.lang, "transfer-problem-late"));
            show(&caller, &id, Shown { problem, ..Shown::default() }).await
        }
        Err(AppError::Invalid(wrong)) => {
            let reason = back.refused(&caller, &wrong);
            show(&caller, &id, Shown { reason, ..Shown::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}
