//! In somebody's name: the clerk asks for a consult, answers an offer or tells an answer for a doctor who
//! phoned in or sent a fax. Both names stand in the audit and on the case.

use axum::extract::Path;
use axum::response::Response;

use crate::app::answers::Choice as Answering;
use crate::app::consult::Told;
use crate::app::rows::{Member, OfferRow};
use crate::app::{AppError, Who};
use crate::domain::consult::{ConsultAnswer, LONG_TEXT, Wrong};
use crate::domain::dispatch::{Answer, State, Terms};
use crate::domain::people::Role;
use crate::domain::people::rights::{Right, any_may};
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, OfferId, RequestId};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{BehalfAnswer, BehalfOffer, BehalfPage, BehalfTaken, channels};
use super::super::views::{AnswerForm, Field, render};
use super::{PEOPLE, member_id, said, voice};

/// Offers of one person that are looked through for those that are live.
const OFFERS: i64 = 2_000;

/// The code of a channel of ours.
pub(in crate::web::ui) fn channel_of(fields: &Fields) -> Option<&'static str> {
    ["phone", "fax"].into_iter().find(|code| *code == fields.get("channel"))
}

/// The person in whose name the clerk acts: a doctor who is here.
async fn principal(caller: &Caller, id: &str) -> Result<Member, Failure> {
    let id = member_id(id)?;
    let reader = caller.with_right(Right::Enrol)?;
    let member = caller.web.app.member(&reader.association.id, &id).await?;
    let doctor = member.roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist));
    if member.is_active(caller.now) && doctor { Ok(member) } else { Err(Failure::not_found()) }
}

fn who_for(caller: &Caller, member: &MemberId) -> Result<Who, Failure> {
    Ok(caller.with_right(Right::Enrol)?.who_for(member))
}

/// `GET /people/{id}/for`
pub(super) async fn choose(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let member = principal(&caller, &id).await?;
    page(&caller, &member, None).await
}

async fn page(
    caller: &Caller,
    member: &Member,
    problem: Option<(String, String)>,
) -> Result<Response, Failure> {
    let (voice, app, home) = (voice(caller), &caller.web.app, &caller.person()?.association.id);
    let volunteers = app.volunteers_for(home, &member.id).await?;
    let mut offers = Vec::new();
    for row in app.offers_live_of(home, &member.id, OFFERS).await? {
        let found = match app.case_for_office(home, &row.request).await {
            Ok(found) => found,
            // About a duty: below.
            Err(AppError::NotFound) => continue,
            Err(e) => return Err(e.into()),
        };
        let facts = &found.line.facts;
        let visits = volunteers.iter().any(|v| v.specialty == facts.specialty && v.visits);
        offers.push(BehalfOffer {
            id: row.id.to_string(),
            case_no: found.line.case.case_no.clone(),
            specialty: voice.word("specialty", &facts.specialty),
            area: facts.area.clone(),
            answer_by: voice.until(found.line.request.answer_by),
            state: voice.offer(&row),
            may_visit: facts.visit && visits,
            duty: false,
        });
    }
    for (line, row) in app.swap_offers_of(home, &member.id).await?.0 {
        offers.push(BehalfOffer {
            id: row.id.to_string(),
            case_no: line.case.case_no.clone(),
            specialty: voice.word("swap-form", line.facts.form.code()),
            area: voice.moment(line.facts.begins()),
            answer_by: voice.until(line.request.answer_by),
            state: voice.offer(&row),
            may_visit: false,
            duty: true,
        });
    }
    let (_, taken) = app.my_cases(home, &member.id).await?;
    let open = taken.iter().filter(|line| {
        matches!(line.request.state, State::Taken { .. }) && line.request.is_taken_by(&member.id)
    });
    let view = BehalfPage {
        shell: caller.shell_at(PEOPLE, &format!("/people/{}", member.id)),
        notice: said(caller),
        id: member.id.to_string(),
        name: voice.name(member),
        may_ask: any_may(&member.roles, Right::Ask) && member.institution.is_some(),
        offers,
        taken: open
            .map(|line| BehalfTaken {
                id: line.case.id.to_string(),
                case_no: line.case.case_no.clone(),
                specialty: voice.word("specialty", &line.facts.specialty),
                answer_by: voice.until(line.request.answer_by),
            })
            .collect(),
        problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `GET /people/{id}/for/new`: the form for a consult, with a banner that says in whose name.
pub(super) async fn form(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let member = principal(&caller, &id).await?;
    super::super::ask::form_for(&caller, &member).await
}

/// `POST /people/{id}/for/new`
pub(super) async fn ask(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let member = principal(&caller, &id).await?;
    let who = who_for(&caller, &member.id)?;
    super::super::ask::ask_for(&caller, &who, &member, &fields).await
}

async fn own_offer(caller: &Caller, member: &MemberId, id: &str) -> Result<OfferRow, Failure> {
    let id = OfferId::from_stored(id).map_err(|_| Failure::not_found())?;
    let home = &caller.person()?.association.id;
    let row = caller.web.app.offer(home, &id).await?;
    if row.person == *member { Ok(row) } else { Err(Failure::not_found()) }
}

/// What somebody agrees to who is asked about a duty.
async fn duty_terms(caller: &Caller, member: &MemberId, offer: &OfferRow) -> Result<Terms, Failure> {
    let home = &caller.person()?.association.id;
    let facts = caller.web.app.swap_case(home, &offer.request).await?.line.facts;
    let exchange = facts.takes.filter(|_| facts.other.as_ref() == Some(member));
    Ok(exchange
        .map_or(Terms::Plain, |takes| Terms::Exchange { gives: takes.word(), takes: facts.gives.word() }))
}

/// `POST /people/{id}/for/offers/{offer}`
pub(super) async fn answer(
    caller: Caller,
    Path((id, offer)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let member = principal(&caller, &id).await?;
    let offer = own_offer(&caller, &member.id, &offer).await?;
    fields.check(&caller, PEOPLE)?;
    let choice = match fields.get("answer") {
        "accept_advice" => Answering::Accept { terms: Terms::Advice },
        "accept_visit" => Answering::Accept { terms: Terms::Visit },
        // Read out on the telephone from the page of the request: what it is about is what it says now.
        "accept_duty" => Answering::Accept { terms: duty_terms(&caller, &member.id, &offer).await? },
        "decline" => Answering::Decline { reason: None },
        _ => return page(&caller, &member, None).await,
    };
    let Some(channel) = channel_of(&fields) else {
        let problem = (offer.id.to_string(), t(caller.lang, "for-channel-missing"));
        return page(&caller, &member, Some(problem)).await;
    };
    let back = format!("/people/{}/for", member.id);
    let key = fields.key(&format!("POST {back}/offers/{}", offer.id))?;
    let who = who_for(&caller, &member.id)?;
    let answered = caller.web.app.offer_answer_for(&who, &offer.id, choice, channel, Some(&key)).await?;
    match answered.answer {
        Answer::Done | Answer::Already | Answer::HandRaised => Ok(caller.go_and_say(&back, "for-answered")),
        Answer::Refused { rule } => {
            let why = t(caller.lang, &format!("word-rule-{}", rule.code()));
            page(&caller, &member, Some((offer.id.to_string(), why))).await
        }
        _ => Err(Failure::changed().back_to(back)),
    }
}

/// The case this person took, while its answer is awaited.
async fn taken(caller: &Caller, member: &MemberId, request: &str) -> Result<(RequestId, String), Failure> {
    let id = RequestId::from_stored(request).map_err(|_| Failure::not_found())?;
    let home = &caller.person()?.association.id;
    let line = caller.web.app.case_for_office(home, &id).await?.line;
    if line.request.claims().any(|a| a.person == *member) {
        Ok((id, line.case.case_no))
    } else {
        Err(Failure::not_found())
    }
}

/// What was typed, and what is wrong with it.
type Problem = (&'static str, String);

fn report_page(
    caller: &Caller,
    member: &Member,
    (request, case_no): &(RequestId, String),
    typed: Option<&Fields>,
    problems: &[Problem],
) -> Response {
    let voice = voice(caller);
    let problem = |name: &str| problems.iter().find(|(f, _)| *f == name).map(|(_, text)| text.clone());
    let field = |name: &str, usual: &str| Field {
        value: typed.map_or(usual, |typed| typed.get(name)).to_owned(),
        problem: problem(name),
    };
    let name = voice.name(member);
    let view = BehalfAnswer {
        shell: caller.shell_at(PEOPLE, &format!("/people/{}", member.id)),
        id: member.id.to_string(),
        request: request.to_string(),
        banner: t_with(caller.lang, "for-banner-answer", &[("name", &name)]),
        case_no: case_no.clone(),
        channel: channels(caller.lang, typed.map_or("", |typed| typed.get("channel")), problem("channel")),
        form: AnswerForm {
            assessment: field("assessment", ""),
            do_now: field("do_now", ""),
            follow_up: field("follow_up", ""),
            refer_when: field("refer_when", ""),
            minutes: field("minutes", "10"),
        },
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `GET /people/{id}/for/cases/{request}`
pub(super) async fn report_form(
    caller: Caller,
    Path((id, request)): Path<(String, String)>,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let member = principal(&caller, &id).await?;
    let case = taken(&caller, &member.id, &request).await?;
    Ok(report_page(&caller, &member, &case, None, &[]))
}

/// `POST /people/{id}/for/cases/{request}`
pub(super) async fn report(
    caller: Caller,
    Path((id, request)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let member = principal(&caller, &id).await?;
    let case = taken(&caller, &member.id, &request).await?;
    fields.check(&caller, PEOPLE)?;
    let back = format!("/people/{}/for", member.id);
    let key = fields.key(&format!("POST {back}/cases/{}", case.0))?;
    let answer = ConsultAnswer {
        assessment: fields.text("assessment"),
        do_now: fields.text("do_now"),
        follow_up: fields.text("follow_up"),
        refer_when: fields.text("refer_when"),
    };
    let say = |key: &str| t(caller.lang, key);
    let minutes = fields.number("minutes").filter(|n| (1..=600).contains(n));
    let channel = channel_of(&fields);
    let mut problems: Vec<Problem> = Vec::new();
    if channel.is_none() {
        problems.push(("channel", say("for-channel-missing")));
    }
    if answer.do_now.is_empty() {
        problems.push(("do_now", say("answer-missing")));
    }
    if minutes.is_none() {
        problems.push(("minutes", say("answer-minutes-malformed")));
    }
    problems.extend(answer.wrong_fields(minutes.unwrap_or(1), "advice").iter().map(|w| {
        let text = match w.wrong {
            Wrong::TooLong => t_with(caller.lang, "ask-too-long", &[("n", &LONG_TEXT.to_string())]),
            Wrong::NotText => say("ask-not-text"),
            _ => say("answer-missing"),
        };
        (w.field, text)
    }));
    let (Some(channel), Some(minutes), true) = (channel, minutes, problems.is_empty()) else {
        return Ok(report_page(&caller, &member, &case, Some(&fields), &problems));
    };
    let told = Told {
        member: member.id.clone(),
        answer,
        minutes,
        minutes_confirmed: true,
        outcome: "advice".to_owned(),
    };
    let who = who_for(&caller, &member.id)?;
    match caller.web.app.consult_report_for(&who, &case.0, told, channel, Some(&key)).await {
        Ok(change) if matches!(change.answer, Answer::Done | Answer::Already) => {
            Ok(caller.go_and_say(&back, "for-reported"))
        }
        Ok(_) => Err(Failure::changed().back_to(back)),
        Err(AppError::Invalid(_)) => Err(Failure::form_expired().back_to(back)),
        Err(e) => Err(e.into()),
    }
}
