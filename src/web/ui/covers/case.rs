//! What becomes of a cover, slot by slot: for the asker, for those who were asked, for the office; and what each of
//! them does on its page.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::answers::{ApiAnswered, ApiProof, Choice as Answering};
use crate::app::cover::{CoverCase, CoverTold, PillarBeside, SlotLine, TakenBack};
use crate::app::rows::Event;
use crate::domain::cover::{OUTCOMES, asked_as};
use crate::domain::dispatch::{Answer, State, Terms};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RequestId};
use crate::web::rate::Purpose;

use super::super::asker::TakingBack;
use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::people::channel_of;
use super::super::views::covers::{
    CoverAnswerBox, CoverCallRow, CoverForBox, CoverPage, CoverReportBox, SlotBar,
};
use super::super::views::people::channels;
use super::super::views::{AskedPerson, Choice, Choices, Field, PinProblem, TimelineItem, render};
use super::super::words::Voice;
use super::link::{chosen, facts, slots};
use super::pillars;
use super::{COVERS, first_asked, said, slot_state, state, voice};

fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

/// What a page says beside the facts.
#[derive(Default)]
struct Shown<'a> {
    problem: Option<String>,
    pin_problem: Option<PinProblem>,
    /// The report as it was typed, and what is wrong with it.
    report: Option<(&'a Fields, Vec<(&'static str, String)>)>,
    reason: Option<Field>,
}

/// `GET /covers/{id}`; the address of a slot leads to its cover.
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let cover = caller.web.app.cover_of(&person.association.id, &id).await?;
    if cover != id {
        seen(&caller, &cover).await?;
        return Ok(see_other(&format!("/covers/{cover}")));
    }
    show(&caller, &id, Shown::default()).await
}

/// The cover of the path, as this reader may see it.
pub(super) async fn seen<'a>(
    caller: &'a Caller,
    id: &RequestId,
) -> Result<(&'a SignedIn, CoverCase), Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    let case = caller.web.app.cover_case(&person.association.id, id).await?;
    if person.may(Right::Board) || case.line.concerns(&person.member.id) {
        Ok((person, case))
    } else {
        Err(Failure::not_found())
    }
}

fn bar(voice: Voice, case: &CoverCase, slot: &SlotLine, own: bool, beside: &[PillarBeside]) -> SlotBar {
    let claim = slot.request.claims().next();
    let who = claim.map_or_else(String::new, |c| {
        let (name, place) = (voice.named(&case.names, &c.person), case.names.institution_of(&c.person));
        if place.is_empty() { name } else { format!("{name}（{place}）") }
    });
    let as_what =
        claim.map_or_else(String::new, |c| voice.word("cover-as", &asked_as(&slot.request, c.step)));
    let told = case.told.iter().filter(|(id, _)| own && *id == slot.slot.request).map(|(_, told)| {
        let words = [
            ("outcome", voice.word("cover-outcome", &told.outcome)),
            ("calls", told.calls.to_string()),
            ("visits", told.visits.to_string()),
            ("minutes", told.minutes.to_string()),
        ];
        let words: Vec<(&str, &str)> = words.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let said = t_with(voice.lang, "word-cover-told", &words);
        match told.text.as_deref() {
            Some("") => said,
            Some(text) => format!("{said} {text}"),
            None => format!("{said} {}", t(voice.lang, "cover-told-past")),
        }
    });
    SlotBar {
        hours: voice.hours(slot.slot.window),
        state: match pillars::stopped(voice, slot, beside) {
            Some(stopped) => stopped,
            None => slot_state(voice, &slot.request, slot.slot.by_rota),
        },
        who,
        as_what,
        case_no: slot.case_no.clone(),
        told: told.collect(),
    }
}

fn next(voice: Voice, case: &CoverCase) -> String {
    let line = &case.line;
    let code = match line.request.state {
        State::Running { .. } | State::Exhausted { .. } => "open",
        State::Taken { .. } => "taken",
        State::Reported { .. } => "reported",
        State::Closed { .. } => "closed",
        State::Refused { .. } | State::Withdrawn { .. } => "withdrawn",
        State::Expired { .. } => "expired",
    };
    let (from, to) = (voice.moment(line.request.window.from), voice.moment(line.request.window.to));
    t_with(voice.lang, &format!("cover-next-{code}"), &[("from", &from), ("to", &to)])
}

fn timeline(voice: Voice, case: &CoverCase, all: bool) -> Vec<TimelineItem> {
    let named = |event: &Event| {
        let who = event.on_behalf_of.as_deref().unwrap_or(&event.actor);
        let id = who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
        let name = id.map_or_else(|| voice.word("role", "clerk"), |id| voice.named(&case.names, &id));
        match event.on_behalf_of {
            Some(_) => format!("{name}{}", t(voice.lang, "cover-by-office")),
            None => name,
        }
    };
    let whole = format!("request:{}", case.line.case.id);
    let items = case.history.iter().filter_map(|event| {
        let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let now = detail.get("state").and_then(serde_json::Value::as_str).unwrap_or_default();
        let reason = detail.get("reason").and_then(serde_json::Value::as_str).unwrap_or_default();
        let slot = case.line.slots.iter().find(|s| format!("request:{}", s.slot.request) == event.subject);
        let hours = slot.map(|s| voice.hours(s.slot.window)).unwrap_or_default();
        let key = match (event.action.as_str(), event.subject == whole) {
            ("request.ask", true) => "made",
            ("offer.accept", _) if detail.get("answer").is_some_and(|a| a["answer"] == "done") => "accepted",
            ("offer.decline", _) if all => "declined",
            ("offer.release" | "cover.duty_changed", _) => "released",
            ("request.report", _) => "reported",
            ("request.close", true) => "closed",
            ("request.withdraw" | "cover.shorten", _) => "withdrawn",
            ("request.due", false) if now == "exhausted" => "exhausted",
            ("request.due", false) if now == "expired" => "expired",
            _ => return None,
        };
        let words = [("name", named(event)), ("hours", hours), ("reason", reason.to_owned())];
        let words: Vec<(&str, &str)> = words.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let text = t_with(voice.lang, &format!("cover-happened-{key}"), &words);
        Some(TimelineItem { at: voice.moment(event.at), text: text.trim().to_owned() })
    });
    items.collect()
}

fn asked(voice: Voice, case: &CoverCase) -> Vec<(String, Vec<AskedPerson>)> {
    let people = |slot: &SlotLine| {
        let attempts = case.attempts.iter().find(|(id, _)| *id == slot.slot.request);
        let attempts = attempts.map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        let mut offers: Vec<_> = slot.offers.iter().collect();
        offers.sort_by_key(|offer| (offer.offer.asked_at, offer.id.clone()));
        offers
            .into_iter()
            .map(|offer| AskedPerson {
                name: voice.named(&case.names, &offer.person),
                at: voice.moment(offer.offer.asked_at),
                how: voice.attempt(attempts, &offer.person),
                answer: voice.offer(offer),
            })
            .collect::<Vec<_>>()
    };
    let slots = case.line.slots.iter().filter(|slot| !slot.offers.is_empty());
    slots.map(|slot| (voice.hours(slot.slot.window), people(slot))).collect()
}

/// Everybody who was asked and has not answered, for the office to type in.
fn for_others(voice: Voice, case: &CoverCase) -> Option<CoverForBox> {
    let open: Vec<&SlotLine> = case.line.slots.iter().filter(|s| s.request.state.is_open()).collect();
    let mut people: Vec<&MemberId> = Vec::new();
    for slot in &open {
        for offer in slot.offers.iter().filter(|o| o.offer.state.is_live()) {
            if !people.contains(&&offer.person) {
                people.push(&offer.person);
            }
        }
    }
    if people.is_empty() {
        return None;
    }
    let people = people.into_iter().map(|id| Choice {
        value: id.to_string(),
        label: format!("{}（{}）", voice.named(&case.names, id), case.names.institution_of(id)),
        note: None,
        chosen: false,
    });
    Some(CoverForBox {
        people: Choices { options: people.collect(), problem: None },
        slots: slots(voice, case, open.iter().map(|s| &s.slot.request), &[]),
        channel: channels(voice.lang, "", None),
    })
}

fn report_box(
    voice: Voice,
    case: &CoverCase,
    which: &[&RequestId],
    by_office: bool,
    typed: Option<&(&Fields, Vec<(&'static str, String)>)>,
) -> CoverReportBox {
    let got = |name: &str| typed.map_or("", |(fields, _)| fields.get(name));
    let problem = |name: &str| {
        typed.and_then(|(_, wrong)| wrong.iter().find(|(f, _)| *f == name)).map(|(_, text)| text.clone())
    };
    let field = |name: &str, usual: &str| Field {
        value: if typed.is_some() { got(name).to_owned() } else { usual.to_owned() },
        problem: problem(name),
    };
    let first = which.first().map_or("", |id| id.as_str());
    let ticked = if got("slot").is_empty() { first } else { got("slot") };
    CoverReportBox {
        slots: Choices { problem: problem("slot"), ..slots(voice, case, which.iter().copied(), &[ticked]) },
        outcome: Choices {
            problem: problem("outcome"),
            ..voice.choices("cover-outcome", OUTCOMES.iter().copied(), got("outcome"))
        },
        calls: field("calls", "0"),
        visits: field("visits", "0"),
        minutes: field("minutes", "0"),
        text: field("text", ""),
        channel: by_office.then(|| channels(voice.lang, got("channel"), problem("channel"))),
    }
}

async fn show(caller: &Caller, id: &RequestId, shown: Shown<'_>) -> Result<Response, Failure> {
    let (person, case) = seen(caller, id).await?;
    let (voice, line, me) = (voice(caller), &case.line, &person.member.id);
    let office = person.may(Right::Board);
    let types = person.may(Right::Enrol);
    let asker = line.case.asker == *me;
    let takes = line.slots.iter().any(|s| s.taker() == Some(me));
    let own = asker || takes;
    let live = |s: &&SlotLine| {
        s.request.state.is_open() && s.request.offers.get(me).is_some_and(|o| o.state.is_live())
    };
    let to_answer: Vec<&RequestId> = line.slots.iter().filter(live).map(|s| &s.slot.request).collect();
    let taken = |s: &&SlotLine| matches!(s.request.state, State::Taken { .. });
    let mine = |s: &&SlotLine| s.taker() == Some(me) || types;
    let to_tell: Vec<&RequestId> = line
        .slots
        .iter()
        .filter(taken)
        .filter(mine)
        .filter(|s| s.slot.window.from <= caller.now)
        .map(|s| &s.slot.request)
        .collect();
    let to_give: Vec<&RequestId> = line
        .slots
        .iter()
        .filter(taken)
        .filter(mine)
        .filter(|s| caller.now < s.slot.window.to)
        .map(|s| &s.slot.request)
        .collect();
    let beside = caller.web.app.cover_pillars(&person.association.id, line).await?;
    let begun = |s: &SlotLine| s.slot.window.from <= caller.now;
    let may_withdraw = (asker || types) && !line.request.state.is_terminal() && !line.slots.iter().all(begun);
    let reported = line.slots.iter().any(|s| matches!(s.request.state, State::Reported { .. }));
    let by_office = types && !takes;
    let calls = case.calls.iter().filter(|_| own || office).map(|call| CoverCallRow {
        at: voice.moment(call.at),
        case_no: call.case_no.clone(),
        href: (office || call.taker.as_ref() == Some(me)).then(|| format!("/calls/{}", call.call)),
        who: call.taker.as_ref().map_or_else(String::new, |id| voice.named(&case.names, id)),
        outcome: match &call.outcome {
            Some(code) => voice.word("call-told", code),
            None => t(voice.lang, "cover-call-untold"),
        },
    });
    let covers_now = line
        .slots
        .iter()
        .any(|s| s.taker() == Some(me) && s.slot.window.from <= caller.now && caller.now < s.slot.window.to);
    let view = CoverPage {
        shell: caller.shell_at(COVERS, &format!("/covers/{id}")),
        deputies: if asker || office { first_asked(caller, &line.case.institution).await? } else { None },
        cards: covers_now.then(|| format!("/covers/{id}/cards")),
        notice: said(caller),
        problem: shown.problem,
        id: id.to_string(),
        back: ("/covers".to_owned(), t(caller.lang, "covers-title")),
        case_no: line.case.case_no.clone(),
        state: state(voice, line),
        next: next(voice, &case),
        facts: facts(voice, &case, own),
        slots: line.slots.iter().map(|slot| bar(voice, &case, slot, own || office, &beside)).collect(),
        pillars: if asker || office { pillars::boxes(voice, &beside, asker || types) } else { Vec::new() },
        households: pillars::households(asker, types, &line.case.institution),
        answer: (!to_answer.is_empty()).then(|| CoverAnswerBox {
            slots: slots(voice, &case, to_answer.iter().copied(), &[]),
            pin_problem: shown.pin_problem,
        }),
        for_others: if types { for_others(voice, &case) } else { None },
        report: (!to_tell.is_empty())
            .then(|| report_box(voice, &case, &to_tell, by_office, shown.report.as_ref())),
        give_back: slots(voice, &case, to_give.iter().copied(), &[]),
        may_confirm: (asker || types) && reported,
        calls: calls.collect(),
        may_withdraw,
        reason: shown.reason.unwrap_or_default(),
        asked: if office || asker { asked(voice, &case) } else { Vec::new() },
        timeline: timeline(voice, &case, office || asker),
        sheet_href: (office || own).then(|| format!("/covers/{id}/sheet")),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /covers/{id}/answer`: by somebody signed in, with the PIN; a mailed link may be over by then.
pub(super) async fn answer(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    fields.check(&caller, COVERS)?;
    fields.key(&format!("POST /covers/{id}/answer"))?;
    let Some(chosen) = chosen(&fields).filter(|c| !c.is_empty()) else {
        let problem = Some(t(caller.lang, "cover-problem-nothing"));
        return show(&caller, &id, Shown { problem, ..Shown::default() }).await;
    };
    let pin = fields.get("pin").trim();
    let pin_wrong = |problem| Shown { pin_problem: Some(problem), ..Shown::default() };
    if pin.is_empty() {
        return show(&caller, &id, pin_wrong(PinProblem::Missing)).await;
    }
    caller.limit(Purpose::Pin)?;
    let accepts = fields.get("answer") == "accept";
    let (mut done, mut against) = (0, None);
    for (slot, accept) in &chosen {
        let line = case.line.slots.iter().find(|s| s.slot.request == *slot);
        let offer = line.and_then(|s| s.offers.iter().find(|o| o.person == person.member.id));
        let Some(offer) = offer else { continue };
        let choice = if *accept {
            Answering::Accept { terms: Terms::Plain }
        } else {
            Answering::Decline { reason: None }
        };
        let proof = ApiProof::Pin(pin.to_owned());
        match caller.web.app.offer_answer(&person.who(), &offer.id, choice, proof, None).await? {
            ApiAnswered::PinMalformed => return show(&caller, &id, pin_wrong(PinProblem::Malformed)).await,
            ApiAnswered::PinWrong => return show(&caller, &id, pin_wrong(PinProblem::WrongOnDevice)).await,
            ApiAnswered::PinLocked => {
                let problem = Some(t(caller.lang, "link-end-locked-text"));
                return show(&caller, &id, Shown { problem, ..Shown::default() }).await;
            }
            ApiAnswered::Answered(answered) => match answered.answer {
                Answer::Done | Answer::Already => done += 1,
                Answer::Refused { rule } => {
                    against = Some(t(caller.lang, &format!("word-rule-{}", rule.code())));
                }
                _ => {}
            },
        }
    }
    answered(&caller, &id, accepts, done, chosen.len(), against).await
}

async fn answered(
    caller: &Caller,
    id: &RequestId,
    accepts: bool,
    done: usize,
    of: usize,
    against: Option<String>,
) -> Result<Response, Failure> {
    if done == 0 {
        let problem = against.or_else(|| Some(t(caller.lang, "cover-problem-late")));
        return show(caller, id, Shown { problem, ..Shown::default() }).await;
    }
    let said = match (accepts, done == of) {
        (false, _) => "cover-declined",
        (true, true) => "cover-answered",
        (true, false) => "cover-late",
    };
    Ok(caller.go_and_say(&format!("/covers/{id}"), said))
}

/// `POST /covers/{id}/answer-for`: the office types what somebody said by telephone or fax.
pub(super) async fn answer_for(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let reader = caller.with_right(Right::Enrol)?;
    let (_, case) = seen(&caller, &id).await?;
    fields.check(&caller, COVERS)?;
    let key = fields.key(&format!("POST /covers/{id}/answer-for"))?;
    let problem = |key: &str| Shown { problem: Some(t(caller.lang, key)), ..Shown::default() };
    let Some(channel) = channel_of(&fields) else {
        return show(&caller, &id, problem("swap-problem-channel")).await;
    };
    let member = MemberId::from_stored(fields.get("member")).ok();
    let Some(member) = member.filter(|m| case.line.slots.iter().any(|s| s.request.offers.contains_key(m)))
    else {
        return show(&caller, &id, problem("cover-problem-whom")).await;
    };
    let Some(chosen) = chosen(&fields).filter(|c| !c.is_empty()) else {
        return show(&caller, &id, problem("cover-problem-nothing")).await;
    };
    let accepts = fields.get("answer") == "accept";
    let who = reader.who_for(&member);
    let of = chosen.len();
    let outcomes = caller.web.app.cover_answer_for(&who, &id, &member, chosen, channel, Some(&key)).await?;
    let done = outcomes.iter().filter(|o| matches!(o.answer, Answer::Done | Answer::Already)).count();
    let against = outcomes.iter().find_map(|o| match o.answer {
        Answer::Refused { rule } => Some(t(caller.lang, &format!("word-rule-{}", rule.code()))),
        _ => None,
    });
    answered(&caller, &id, accepts, done, of, against).await
}

/// The slot that a form names and whose it is, if the reader may act for them.
fn slot_of<'c>(
    person: &SignedIn,
    case: &'c CoverCase,
    fields: &Fields,
) -> Option<(&'c SlotLine, &'c MemberId)> {
    let id = RequestId::from_stored(fields.get("slot")).ok()?;
    let slot = case.line.slots.iter().find(|s| s.slot.request == id)?;
    let taker = slot.taker()?;
    (*taker == person.member.id || person.may(Right::Enrol)).then_some((slot, taker))
}

/// `POST /covers/{id}/give-back`
pub(super) async fn give_back(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    fields.check(&caller, COVERS)?;
    let key = fields.key(&format!("POST /covers/{id}/give-back"))?;
    let problem = |key: &str| Shown { problem: Some(t(caller.lang, key)), ..Shown::default() };
    let Some((slot, taker)) = slot_of(person, &case, &fields) else {
        return show(&caller, &id, problem("cover-problem-nothing")).await;
    };
    let who = person.who_for(taker);
    let change = caller.web.app.cover_give_back(&who, &slot.slot.request, taker, Some(&key)).await?;
    match change.answer {
        Answer::Done | Answer::Already => Ok(caller.go_and_say(&format!("/covers/{id}"), "cover-given-back")),
        _ => show(&caller, &id, problem("cover-problem-over")).await,
    }
}

/// `POST /covers/{id}/report`
pub(super) async fn report(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    fields.check(&caller, COVERS)?;
    let key = fields.key(&format!("POST /covers/{id}/report"))?;
    let mut wrong: Vec<(&'static str, String)> = Vec::new();
    let found = slot_of(person, &case, &fields);
    if found.is_none() {
        wrong.push(("slot", t(caller.lang, "cover-problem-nothing")));
    }
    let own = found.is_some_and(|(_, taker)| *taker == person.member.id);
    let channel = if own { Some("web") } else { channel_of(&fields) };
    if channel.is_none() {
        wrong.push(("channel", t(caller.lang, "swap-problem-channel")));
    }
    let mut number = |name: &'static str| {
        let typed = fields.get(name).trim();
        let read = if typed.is_empty() { Some(0) } else { fields.number(name) };
        let read = read.and_then(|n| u32::try_from(n).ok());
        if read.is_none() {
            wrong.push((name, Voice::wrong_code(caller.lang, "out_of_range")));
        }
        read.unwrap_or(0)
    };
    let told = CoverTold {
        outcome: fields.get("outcome").to_owned(),
        calls: number("calls"),
        visits: number("visits"),
        minutes: number("minutes"),
        text: fields.text("text"),
    };
    if let (Some((slot, taker)), Some(channel), true) = (found, channel, wrong.is_empty()) {
        let (app, slot, who) = (&caller.web.app, &slot.slot.request, person.who_for(taker));
        match app.cover_report(&who, slot, taker, told, channel, Some(&key)).await {
            Ok(Answer::Done | Answer::Already) => {
                return Ok(caller.go_and_say(&format!("/covers/{id}"), "cover-reported"));
            }
            Ok(_) => {
                let problem = Some(t(caller.lang, "cover-problem-over"));
                return show(&caller, &id, Shown { problem, ..Shown::default() }).await;
            }
            Err(AppError::Invalid(fields)) => {
                wrong.extend(fields.iter().map(|w| (w.field, Voice::wrong(caller.lang, w))));
            }
            Err(e) => return Err(e.into()),
        }
    }
    let problem = Some(t(caller.lang, "cover-problem-report"));
    show(&caller, &id, Shown { problem, report: Some((&fields, wrong)), ..Shown::default() }).await
}

/// `POST /covers/{id}/confirm`: the asker has seen what was told, or the office has their word.
pub(super) async fn confirm(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let asker = &case.line.case.asker;
    if *asker != person.member.id && !person.may(Right::Enrol) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, COVERS)?;
    let key = fields.key(&format!("POST /covers/{id}/confirm"))?;
    let channel = if *asker == person.member.id { "web" } else { "clerk" };
    let who = person.who_for(asker);
    let done = caller.web.app.cover_confirm(&who, &id, channel, Some(&key)).await?;
    let said = if done.waiting == 0 { "cover-confirmed" } else { "cover-waiting" };
    Ok(caller.go_and_say(&format!("/covers/{id}"), said))
}

/// `POST /covers/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let asker = (person, &case.line.case.asker);
    let path = format!("/covers/{id}/withdraw");
    let back = TakingBack::of(&caller, asker, (&fields, COVERS), &path)?;
    match caller.web.app.cover_take_back(&back.who, &id, &back.reason, Some(&back.key)).await {
        Ok(TakenBack::Whole | TakenBack::Rest(_)) => {
            Ok(caller.go_and_say(&format!("/covers/{id}"), "cover-withdrawn"))
        }
        Ok(TakenBack::Nothing) => {
            let problem = Some(t(caller.lang, "cover-problem-over"));
            show(&caller, &id, Shown { problem, ..Shown::default() }).await
        }
        Err(AppError::Invalid(wrong)) => {
            let reason = back.refused(&caller, &wrong);
            show(&caller, &id, Shown { reason, ..Shown::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}
