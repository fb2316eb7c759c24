//! Behind a mailed link about a transfer: what is asked, and the answer to it. Of the patient nothing is shown before the
//! PIN.

use axum::response::Response;
use chrono::NaiveTime;

use crate::app::answers::{LinkAnswer, Opened};
use crate::app::transfer::{OpenTransfer, TransferAnswered, TransferSaid};
use crate::app::views::Names;
use crate::domain::calendar::{civil_day, instant_of, wall_clock};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::transfer::{AskedAs, TransferFacts};
use crate::i18n::t;
use crate::ids::MemberId;
use crate::time::Millis;
use crate::web::rate::Purpose;

use super::super::caller::{Binding, Caller, Cookie, see_other};
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::link::{keep, keep_device, not_taken, show};
use super::super::views::people::Fact;
use super::super::views::transfers::{InformedFields, LinkTransfer, TransferAnswerBox};
use super::super::views::{Field, Hidden, PinProblem, render};
use super::super::words::Voice;
use super::ask::day_of;
use super::day;

/// What may be read of a transfer without the PIN. `whose`: the reader may know whose patient it is, and who asks.
pub(super) fn facts(
    voice: Voice,
    facts: &TransferFacts,
    (names, asker): (&Names, &MemberId),
    whose: bool,
) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let mut all = Vec::new();
    if whose {
        let (name, place) = (voice.named(names, asker), names.institution_of(asker));
        all.push(fact("transfer-clinic", names.institution(&facts.clinic).to_owned()));
        all.push(fact("transfer-asker", format!("{name} {place}").trim().to_owned()));
    }
    all.push(fact("transfer-wished", day(voice, facts.wished)));
    all.push(fact("transfer-area", facts.area.clone()));
    all.push(fact("transfer-reason", voice.word("transfer-reason", &facts.reason)));
    all
}

/// What was typed with an answer, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed<'a> {
    pub fields: Option<&'a Fields>,
    pub problem: Option<String>,
    pub words: Option<String>,
    pub informed: Option<String>,
}

/// The question as this reader is asked it.
pub(super) fn answer_box(voice: Voice, asked_as: AskedAs, typed: &Typed<'_>) -> TransferAnswerBox {
    let code = asked_as.code();
    let say = |key: &str| t(voice.lang, &format!("transfer-{key}-{code}"));
    let got = |name: &str| typed.fields.map_or("", |fields| fields.get(name)).to_owned();
    let now = wall_clock(voice.now, voice.zone);
    let informed = (asked_as == AskedAs::Receiver).then(|| InformedFields {
        ticked: typed.fields.is_some_and(|fields| fields.is_ticked("informed")),
        date: Field {
            value: match got("informed_date") {
                none if none.is_empty() => civil_day(voice.now, voice.zone).to_string(),
                typed => typed,
            },
            problem: typed.informed.clone(),
        },
        time: Field {
            value: match got("informed_time") {
                none if none.is_empty() => now.format("%H:%M").to_string(),
                typed => typed,
            },
            problem: None,
        },
    });
    TransferAnswerBox {
        title: say("asks"),
        meaning: say("means"),
        accept: say("accept"),
        decline: say("decline"),
        words: Field { value: got("words"), problem: typed.words.clone() },
        words_label: say("words"),
        words_hint: say("words-hint"),
        informed,
    }
}

/// What a form says, or what is wrong with the time at which the attending doctor was spoken to. `None`: neither yes nor
/// no was pressed.
pub(super) fn said_of(voice: Voice, fields: &Fields) -> Option<Result<TransferSaid, String>> {
    let yes = match fields.get("answer") {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    let informed = if yes && fields.is_ticked("informed") {
        match informed_at(voice, fields) {
            Some(at) => Some(at),
            None => return Some(Err(t(voice.lang, "transfer-wrong-informed"))),
        }
    } else {
        None
    };
    Some(Ok(TransferSaid { yes, words: fields.text("words"), informed, reply: None }))
}

fn informed_at(voice: Voice, fields: &Fields) -> Option<Millis> {
    let date = day_of(fields.get("informed_date"))?;
    let typed = narrow(fields.get("informed_time")).replace('：', ":");
    let (hour, minute) = typed.trim().split_once(':')?;
    let clock = NaiveTime::from_hms_opt(hour.parse().ok()?, minute.get(..2)?.parse().ok()?, 0)?;
    Some(instant_of(date, clock, voice.zone))
}

/// What to say beside the words that cannot be taken.
pub(super) fn words_problem(voice: Voice, wrong: Wrong) -> String {
    match wrong {
        Wrong::Missing => t(voice.lang, "transfer-wrong-words"),
        wrong => Voice::wrong(voice.lang, &FieldWrong { field: "words", wrong }),
    }
}

pub(in crate::web::ui) async fn offer_page(
    caller: &Caller,
    open: &OpenTransfer,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    page(caller, open, token, pin_problem, remember, &Typed::default()).await
}

async fn page(
    caller: &Caller,
    open: &OpenTransfer,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
    typed: &Typed<'_>,
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let known = caller.known_device().await?.is_some_and(|known| {
        known.member.id == open.member.id && known.association.id == open.association.id
    });
    let whose = open.asked_as != AskedAs::Receiver;
    let offer = open.request.offers.get(&open.member.id);
    let gate = offer.and_then(|o| open.request.step(o.step)).filter(|_| open.asked_as == AskedAs::Attending);
    let until = match (gate, offer) {
        (Some(step), Some(offer)) => offer.asked_at.plus_s(step.wait_s).min(open.request.answer_by),
        _ => open.request.answer_by,
    };
    let view = LinkTransfer {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        case_no: open.case.case_no.clone(),
        answer_by: voice.until(until),
        problem: typed.problem.clone(),
        facts: facts(voice, &open.facts, (&open.names, &open.case.asker), whose),
        answer: answer_box(voice, open.asked_as, typed),
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /k/transfer`
pub(super) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let remember = fields.is_ticked("remember");
    let app = &caller.web.app;
    let again = async |pin_problem: Option<PinProblem>, typed: Typed<'_>| match app.link_open(token).await? {
        Opened::Transfer(open) => page(&caller, &open, token, pin_problem, remember, &typed).await,
        _ => show(&caller, token, None, remember).await,
    };
    let typed = || Typed { fields: Some(&fields), ..Typed::default() };
    // Times are read in the zone of the link's association, which the page knows.
    let Opened::Transfer(open) = app.link_open(token).await? else {
        return show(&caller, token, None, remember).await;
    };
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let said = match (fields.get("answer"), said_of(voice, &fields)) {
        ("look", _) => None,
        (_, Some(Ok(said))) => Some(said),
        (_, Some(Err(text))) => return again(None, Typed { informed: Some(text), ..typed() }).await,
        (_, None) => return show(&caller, token, None, remember).await,
    };
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    let yes = said.as_ref().is_some_and(|said| said.yes);
    match app.transfer_link_answer(token, said, pin, caller.device(), remember).await? {
        TransferAnswered::Not(answer) => match *answer {
            LinkAnswer::PinMissing => again(Some(PinProblem::Missing), typed()).await,
            LinkAnswer::PinMalformed => again(Some(PinProblem::Malformed), typed()).await,
            LinkAnswer::PinWrong { tries_left } => {
                let tries_left = u32::try_from(tries_left).unwrap_or(0);
                again(Some(PinProblem::Wrong { tries_left }), typed()).await
            }
            other => Ok(not_taken(&caller, other)),
        },
        TransferAnswered::Wrong(_, wrong) => {
            again(None, Typed { words: Some(words_problem(voice, wrong)), ..typed() }).await
        }
        TransferAnswered::Refused(rule) => {
            let text = t(caller.lang, &format!("word-rule-{}", rule.code()));
            again(None, Typed { problem: Some(text), ..typed() }).await
        }
        TransferAnswered::Proven { request, session, device } => {
            let there = see_other(&format!("/transfers/{request}"));
            let there = keep(&caller, there, Cookie::Session, session.as_ref().map(|s| s.as_str()));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await
        }
        TransferAnswered::Answered { asked_as: AskedAs::Receiver, .. } if !yes => {
            Ok(see_other("/k/declined"))
        }
        TransferAnswered::Answered { request, asked_as, session, device } => {
            let said = match (asked_as, yes) {
                (AskedAs::Receiver, _) => "transfer-took",
                (_, true) => "transfer-yes",
                (_, false) => "transfer-no",
            };
            let there = caller.go_and_say(&format!("/transfers/{request}"), said);
            let there = keep(&caller, there, Cookie::Session, session.as_ref().map(|s| s.as_str()));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await
        }
        TransferAnswered::Late(_)
        | TransferAnswered::PinMissing
        | TransferAnswered::PinMalformed
        | TransferAnswered::PinWrong
        | TransferAnswered::PinLocked => show(&caller, token, None, remember).await,
    }
}
