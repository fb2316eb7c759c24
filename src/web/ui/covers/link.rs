//! Behind a mailed link that asks to cover: the slots, and the answer to those that were chosen.

use axum::response::Response;

use crate::app::answers::LinkAnswer;
use crate::app::cover::{CoverAnswered, CoverCase, OpenCover, SlotLine};
use crate::domain::cover::pillars::pillar_of_step;
use crate::domain::cover::{Manner, is_duty_step};
use crate::domain::dispatch::Answer;
use crate::i18n::{t, t_with};
use crate::ids::RequestId;
use crate::web::rate::Purpose;

use super::super::caller::{Binding, Caller, Cookie, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::link::{keep, keep_device, not_taken, show};
use super::super::views::covers::LinkCover;
use super::super::views::people::Fact;
use super::super::views::{Choice, Choices, Hidden, PinProblem, render};
use super::super::words::Voice;

/// What a cover is about. `own`: the reader is one of its people and may read what was written for them.
pub(super) fn facts(voice: Voice, case: &CoverCase, own: bool) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let line = &case.line;
    let patients = match line.facts.patients {
        None => voice.word("cover-scope", "all"),
        Some(n) => t_with(voice.lang, "word-cover-patients", &[("count", &n.to_string())]),
    };
    let manner = match line.facts.manner {
        Manner::PhoneOnly => "phone_only",
        Manner::Visit => "visit",
    };
    let mut all = vec![
        fact("cover-when", voice.hours(line.request.window)),
        fact("cover-clinic", case.names.institution(&line.case.institution).to_owned()),
        fact("cover-manner", voice.word("cover-manner", manner)),
        fact("cover-scope", patients),
    ];
    if !line.facts.area.is_empty() {
        all.push(fact("swap-area", line.facts.area.clone()));
    }
    if own {
        all.push(fact("cover-asker", voice.named(&case.names, &line.case.asker)));
        all.extend(case.patients.as_ref().map(|p| fact("cover-patients", p.join("、"))));
        all.extend(case.note.clone().filter(|n| !n.is_empty()).map(|note| fact("cover-note", note)));
    }
    all
}

/// Slots to be ticked.
pub(super) fn slots<'a>(
    voice: Voice,
    case: &CoverCase,
    which: impl IntoIterator<Item = &'a RequestId>,
    chosen: &[&str],
) -> Choices {
    let options = which.into_iter().filter_map(|id| {
        let line = case.line.slots.iter().find(|s| s.slot.request == *id)?;
        Some(Choice {
            value: id.to_string(),
            label: voice.hours(line.slot.window),
            note: None,
            chosen: chosen.contains(&id.as_str()),
        })
    });
    Choices { options: options.collect(), problem: None }
}

pub(in crate::web::ui) async fn offer_page(
    caller: &Caller,
    open: &OpenCover,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    page(caller, open, token, (pin_problem, None), remember, &[]).await
}

async fn page(
    caller: &Caller,
    open: &OpenCover,
    token: &str,
    (pin_problem, problem): (Option<PinProblem>, Option<String>),
    remember: bool,
    chosen: &[&str],
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let known = caller.known_device().await?.is_some_and(|known| {
        known.member.id == open.member.id && known.association.id == open.association.id
    });
    let asked = open.case.line.slots.iter().filter(|s| open.slots.contains(&s.slot.request));
    let duty = asked
        .clone()
        .all(|s| s.request.offers.get(&open.member.id).is_some_and(|o| is_duty_step(&s.request, o.step)));
    let step = |s: &SlotLine| s.request.offers.get(&open.member.id).map(|o| o.step);
    let pillar = asked.clone().all(|s| step(s).is_some_and(|at| pillar_of_step(&s.request, at).is_some()));
    let mut ticked: Vec<&str> = chosen.to_vec();
    // One slot needs no choosing; a duty is meant as a whole.
    if chosen.is_empty() && (duty || open.slots.len() == 1) {
        ticked.extend(open.slots.iter().map(RequestId::as_str));
    }
    let view = LinkCover {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        case_no: open.case.line.case.case_no.clone(),
        meaning: t(
            voice.lang,
            match (duty, pillar) {
                (true, _) => "cover-means-duty",
                (false, true) => "cover-means-pillar",
                (false, false) => "cover-means-volunteer",
            },
        ),
        problem,
        facts: facts(voice, &open.case, false),
        slots: slots(voice, &open.case, &open.slots, &ticked),
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// The slots a form names, all with the same answer.
pub(super) fn chosen(fields: &Fields) -> Option<Vec<(RequestId, bool)>> {
    let accept = match fields.get("answer") {
        "accept" => true,
        "decline" => false,
        _ => return None,
    };
    Some(fields.all("slot").filter_map(|id| RequestId::from_stored(id).ok()).map(|id| (id, accept)).collect())
}

/// `POST /k/cover`
pub(super) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let remember = fields.is_ticked("remember");
    let Some(chosen) = chosen(&fields) else { return show(&caller, token, None, remember).await };
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    let accepts = fields.get("answer") == "accept";
    let app = &caller.web.app;
    let again = async |pin_problem: Option<PinProblem>, problem: Option<String>| {
        use crate::app::answers::Opened;
        let ticked: Vec<&str> = fields.all("slot").collect();
        match app.link_open(token).await? {
            Opened::Cover(open) => {
                page(&caller, &open, token, (pin_problem, problem), remember, &ticked).await
            }
            _ => show(&caller, token, None, remember).await,
        }
    };
    match app.cover_link_answer(token, chosen, pin, caller.device(), remember).await? {
        CoverAnswered::Nothing => again(None, Some(t(caller.lang, "cover-problem-nothing"))).await,
        CoverAnswered::Not(answer) => match *answer {
            LinkAnswer::PinMissing => again(Some(PinProblem::Missing), None).await,
            LinkAnswer::PinMalformed => again(Some(PinProblem::Malformed), None).await,
            LinkAnswer::PinWrong { tries_left } => {
                let tries_left = u32::try_from(tries_left).unwrap_or(0);
                again(Some(PinProblem::Wrong { tries_left }), None).await
            }
            other => Ok(not_taken(&caller, other)),
        },
        CoverAnswered::Answered { cover, outcomes, session, device } => {
            let took = |o: &&crate::app::cover::Outcome| matches!(o.answer, Answer::Done | Answer::Already);
            let done = outcomes.iter().filter(took).count();
            if !accepts {
                return Ok(see_other("/k/declined"));
            }
            if done == 0 {
                let rule = outcomes.iter().find_map(|o| match o.answer {
                    Answer::Refused { rule } => Some(t(caller.lang, &format!("word-rule-{}", rule.code()))),
                    _ => None,
                });
                let late = || t(caller.lang, "cover-problem-late");
                return again(None, Some(rule.unwrap_or_else(late))).await;
            }
            let said = if done == outcomes.len() { "cover-answered" } else { "cover-late" };
            let there = caller.go_and_say(&format!("/covers/{cover}"), said);
            let there = keep(&caller, there, Cookie::Session, session.as_ref().map(|s| s.as_str()));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await
        }
    }
}
