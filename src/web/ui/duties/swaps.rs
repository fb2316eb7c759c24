//! What became of a request about a duty, for its people and for the office; the office's list, holes, the word by
//! telephone.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::answers::{ApiAnswered, ApiProof, Choice as Answering};
use crate::app::consult::Asking;
use crate::app::rows::Event;
use crate::app::swap::{AskedAs, Named, NewSwap, OpenHole, SwapAsked, SwapCase};
use crate::domain::dispatch::{Answer, State};
use crate::domain::people::rights::Right;
use crate::domain::rota::{Area, Form, RotaRole};
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RequestId};
use crate::time::{Millis, Window};
use crate::web::rate::Purpose;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::duties::{HoleRow, SwapAnswer, SwapPage, SwapsPage};
use super::super::views::{AskedPerson, Choice, Choices, PinProblem, StateLine, TimelineItem, Tone, render};
use super::super::words::Voice;
use super::link::{question, terms_of};
use super::{DUTIES, area_of, ask::rule_words, facts, form, may_see, role, row, said, state, voice};

fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

fn hole_row(
    caller: &Caller,
    voice: Voice,
    open: &OpenHole,
    areas: &std::collections::BTreeMap<Area, String>,
) -> HoleRow {
    let hole = &open.hole;
    HoleRow {
        hours: voice.hours(hole.window),
        role: role(voice, hole.role),
        area: area_of(areas, &hole.area),
        area_key: hole.area.to_string(),
        role_code: hole.role.code().to_owned(),
        from: hole.window.from.0.to_string(),
        to: hole.window.to.0.to_string(),
        called: open.called.as_ref().map(|id| format!("/swaps/{id}")),
        once: caller.once(),
    }
}

/// `GET /swaps`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    list_page(&caller, None).await
}

async fn list_page(caller: &Caller, problem: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let voice = voice(caller);
    let board = caller.web.app.swap_board(&person.association.id).await?;
    let phone = |line: &&crate::app::swap::SwapLine| {
        let waits = line.facts.late && !board.confirmed.contains(&line.case.id);
        waits.then_some("swaps-phone-to-do")
    };
    let view = SwapsPage {
        shell: caller.shell_at(DUTIES, "/swaps"),
        notice: said(caller),
        problem,
        holes: board.holes.iter().map(|hole| hole_row(caller, voice, hole, &board.areas)).collect(),
        open: board.open.iter().map(|line| row(voice, line, &board.names, phone(&line))).collect(),
        agreed: board.agreed.iter().map(|line| row(voice, line, &board.names, phone(&line))).collect(),
        ended: board.ended.iter().map(|line| row(voice, line, &board.names, None)).collect(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /swaps/holes`: volunteers are called for hours that nobody holds.
pub(super) async fn call(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, DUTIES)?;
    let key = fields.key("POST /swaps/holes")?;
    let window = fields.number("from").zip(fields.number("to"));
    let window = window.and_then(|(from, to)| Window::new(Millis(from), Millis(to)));
    let named = fields.get("area").parse().ok().zip(RotaRole::from_code(fields.get("role"))).zip(window);
    let ((area, role), window) = named.ok_or(Failure::form_expired())?;
    let new = NewSwap {
        form: Form::Hole,
        gives: Named { area, role, window },
        takes: None,
        other: None,
        note: String::new(),
    };
    let asking = Asking { asker: person.member.id.clone(), in_person: true, channel: "web" };
    match caller.web.app.swap_ask(&person.who(), asking, new, Some(&key)).await {
        Ok(SwapAsked::Asked(_)) => Ok(caller.go_and_say("/swaps", "swap-called")),
        Ok(SwapAsked::Refused(rule)) => list_page(&caller, Some(rule_words(&caller, rule))).await,
        Ok(SwapAsked::Wrong(..)) => Err(Failure::form_expired().back_to("/swaps".to_owned())),
        Err(AppError::Invalid(_)) => list_page(&caller, Some(t(caller.lang, "swap-problem-taken"))).await,
        Err(e) => Err(e.into()),
    }
}

/// `GET /swaps/{id}`
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    show(&caller, &id, None, None).await
}

/// The request of the path, as this reader may see it.
async fn seen<'a>(caller: &'a Caller, id: &RequestId) -> Result<(&'a SignedIn, SwapCase), Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    let case = caller.web.app.swap_case(&person.association.id, id).await?;
    if may_see(person, &case) { Ok((person, case)) } else { Err(Failure::not_found()) }
}

fn named_actor(voice: Voice, case: &SwapCase, event: &Event) -> String {
    let who = event.on_behalf_of.as_deref().unwrap_or(&event.actor);
    let id = who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
    let name = id.map_or_else(|| voice.word("role", "clerk"), |id| voice.named(&case.names, &id));
    let typist = event.on_behalf_of.as_ref().and(event.actor.strip_prefix("member:"));
    match typist.and_then(|id| MemberId::from_stored(id).ok()) {
        Some(typist) => {
            let by = [("name", voice.named(&case.names, &typist))];
            let by = t_with(voice.lang, "word-happened-typed", &[("name", &by[0].1)]);
            format!("{name}{by}")
        }
        None => name,
    }
}

fn timeline(voice: Voice, case: &SwapCase, all: bool) -> Vec<TimelineItem> {
    let mut before = String::new();
    let mut items = Vec::new();
    for event in &case.history {
        let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let now = detail.get("state").and_then(serde_json::Value::as_str).unwrap_or_default();
        let key = match event.action.as_str() {
            "request.ask" => Some("made"),
            "offer.accept" => Some("accepted"),
            "offer.decline" if all => Some("declined"),
            "offer.release" => Some("undone"),
            "request.withdraw" => Some("withdrawn"),
            "duty.hand_over" => Some("handed"),
            "duty.hand_back" => Some("back"),
            "swap.void" => Some("void"),
            "swap.confirm" => Some("confirmed"),
            "request.due" if now == "exhausted" && before != now => Some("exhausted"),
            "request.due" if now == "expired" => Some("expired"),
            _ => None,
        };
        if !now.is_empty() {
            now.clone_into(&mut before);
        }
        items.extend(key.map(|key| TimelineItem {
            at: voice.moment(event.at),
            text: t_with(
                voice.lang,
                &format!("swap-happened-{key}"),
                &[("name", &named_actor(voice, case, event))],
            ),
        }));
    }
    items
}

fn next(voice: Voice, case: &SwapCase) -> String {
    let line = &case.line;
    let code = match line.request.state {
        State::Running { .. } => "open",
        State::Exhausted { .. } if line.facts.form == Form::Ill => "ill-exhausted",
        State::Exhausted { .. } => "exhausted",
        State::Taken { .. } | State::Reported { .. } => "taken",
        State::Closed { .. } => "closed",
        State::Refused { .. } if case.is_void() => "void",
        State::Refused { .. } => "refused",
        State::Withdrawn { .. } => "withdrawn",
        State::Expired { .. } => "expired",
    };
    let at = match line.request.state {
        State::Taken { .. } => line.request.window.from,
        _ => line.request.answer_by,
    };
    t_with(voice.lang, &format!("swap-next-{code}"), &[("time", &voice.moment(at))])
}

async fn show(
    caller: &Caller,
    id: &RequestId,
    problem: Option<String>,
    pin_problem: Option<PinProblem>,
) -> Result<Response, Failure> {
    let (person, case) = seen(caller, id).await?;
    let (voice, line, me) = (voice(caller), &case.line, &person.member.id);
    let office = person.may(Right::Board);
    let all = office || line.case.asker == *me;
    let mut offers: Vec<_> = line.offers.iter().collect();
    offers.sort_by_key(|offer| (offer.offer.asked_at, offer.id.clone()));
    let asked = offers.into_iter().filter(|_| all).map(|offer| AskedPerson {
        name: voice.named(&case.names, &offer.person),
        at: voice.moment(offer.offer.asked_at),
        how: voice.attempt(&case.attempts, &offer.person),
        answer: voice.offer(offer),
    });
    let taken = matches!(line.request.state, State::Taken { .. });
    let in_time = caller.now < line.request.window.from;
    let agreed: Vec<&MemberId> = {
        let standing = line.request.acceptances.iter().filter(|a| a.released.is_none());
        let mut people: Vec<&MemberId> =
            standing.map(|a| &a.person).filter(|p| **p != line.case.asker).collect();
        people.dedup();
        people
    };
    let for_others = office && person.may(Right::Enrol) && !line.has_agreed(me);
    let may_undo = taken && in_time && (agreed.contains(&me) || (for_others && !agreed.is_empty()));
    let undo = agreed.iter().filter(|_| for_others).enumerate().map(|(n, id)| Choice {
        value: id.to_string(),
        label: voice.named(&case.names, id),
        note: None,
        chosen: n == 0,
    });
    let ended = line.request.state.is_terminal();
    let mine = line.case.asker == *me || (office && person.may(Right::Board));
    let phone =
        (line.facts.late && (!ended || matches!(line.request.state, State::Closed { .. }))).then(|| {
            match &case.confirmed {
                Some((at, _)) => StateLine {
                    text: t_with(voice.lang, "swap-phone-done", &[("time", &voice.moment(*at))]),
                    tone: Tone::Good,
                },
                None => StateLine { text: t(voice.lang, "swap-phone-missing"), tone: Tone::Warn },
            }
        });
    let mine_to_answer = line.offers.iter().find(|o| o.person == *me && o.offer.state.is_live());
    let answer = mine_to_answer.filter(|_| line.request.state.is_open()).map(|offer| SwapAnswer {
        pin_problem,
        ..question(voice, &line.facts, AskedAs::of(&line.request, offer.offer.step))
    });
    let back = if office { ("/swaps", "swaps-title") } else { ("/duties", "duties-title") };
    let view = SwapPage {
        shell: caller.shell_at(DUTIES, &format!("/swaps/{id}")),
        notice: said(caller),
        problem,
        id: id.to_string(),
        back: (back.0.to_owned(), t(caller.lang, back.1)),
        case_no: line.case.case_no.clone(),
        title: form(voice, line.facts.form),
        state: state(voice, line, case.is_void()),
        next: next(voice, &case),
        facts: facts(voice, &line.facts, &case.names, &case.areas),
        note: case.note.clone().unwrap_or_default(),
        answer,
        asked: asked.collect(),
        timeline: timeline(voice, &case, all),
        may_confirm: phone.is_some() && case.confirmed.is_none() && office,
        phone,
        may_withdraw: mine && !ended && (!taken || in_time),
        may_undo,
        undo: Choices { options: undo.collect(), problem: None },
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /swaps/{id}/answer`: by somebody signed in, with the PIN; a mailed link may be over by then.
pub(super) async fn answer(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    fields.check(&caller, DUTIES)?;
    let key = fields.key(&format!("POST /swaps/{id}/answer"))?;
    let offer = case.line.offers.iter().find(|o| o.person == person.member.id);
    let offer = offer.ok_or(Failure::not_found())?;
    let choice = match fields.get("answer") {
        "accept_duty" => Answering::Accept { terms: terms_of(&fields) },
        "decline" => Answering::Decline { reason: None },
        _ => return show(&caller, &id, None, None).await,
    };
    let pin = fields.get("pin").trim();
    if pin.is_empty() {
        return show(&caller, &id, None, Some(PinProblem::Missing)).await;
    }
    caller.limit(Purpose::Pin)?;
    let accepts = matches!(choice, Answering::Accept { .. });
    let proof = ApiProof::Pin(pin.to_owned());
    let answered = caller.web.app.offer_answer(&person.who(), &offer.id, choice, proof, Some(&key)).await?;
    match answered {
        ApiAnswered::PinMalformed => show(&caller, &id, None, Some(PinProblem::Malformed)).await,
        ApiAnswered::PinWrong => show(&caller, &id, None, Some(PinProblem::WrongOnDevice)).await,
        ApiAnswered::PinLocked => {
            show(&caller, &id, Some(t(caller.lang, "link-end-locked-text")), None).await
        }
        ApiAnswered::Answered(answered) => match answered.answer {
            Answer::Done | Answer::Already => {
                let said = if accepts { "swap-accepted" } else { "swap-declined" };
                Ok(caller.go_and_say(&format!("/swaps/{id}"), said))
            }
            Answer::Refused { rule } => show(&caller, &id, Some(rule_words(&caller, rule)), None).await,
            _ => show(&caller, &id, Some(t(caller.lang, "swap-problem-over")), None).await,
        },
    }
}

/// `POST /swaps/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    let asker = &case.line.case.asker;
    if *asker != person.member.id && !person.may(Right::Board) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, DUTIES)?;
    let key = fields.key(&format!("POST /swaps/{id}/withdraw"))?;
    let change = caller.web.app.request_withdraw(&person.who_for(asker), &id, Some(&key)).await?;
    match change.answer {
        Answer::Done | Answer::Already => Ok(caller.go_and_say(&format!("/swaps/{id}"), "swap-withdrawn")),
        _ => show(&caller, &id, Some(t(caller.lang, "swap-problem-over")), None).await,
    }
}

/// `POST /swaps/{id}/undo`
pub(super) async fn undo(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let (person, case) = seen(&caller, &id).await?;
    fields.check(&caller, DUTIES)?;
    let key = fields.key(&format!("POST /swaps/{id}/undo"))?;
    let named = MemberId::from_stored(fields.get("member")).ok();
    let whose = match named {
        Some(named) if person.may(Right::Enrol) => named,
        _ => person.member.id.clone(),
    };
    if !case.line.concerns(&whose) {
        return Err(Failure::not_found());
    }
    let who = person.who_for(&whose);
    let change = caller.web.app.swap_undo(&who, &id, &whose, Some(&key)).await?;
    match change.answer {
        Answer::Done | Answer::Already => Ok(caller.go_and_say(&format!("/swaps/{id}"), "swap-undone")),
        _ => show(&caller, &id, Some(t(caller.lang, "swap-problem-over")), None).await,
    }
}

/// `POST /swaps/{id}/confirm`
pub(super) async fn confirm(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, DUTIES)?;
    fields.key(&format!("POST /swaps/{id}/confirm"))?;
    caller.web.app.swap_confirmed_by_phone(&person.who(), &id).await?;
    let there = format!("/swaps/{id}");
    Ok(if caller.fragment { see_other(&there) } else { caller.go_and_say(&there, "swap-confirmed") })
}
