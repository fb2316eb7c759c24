//! Behind a mailed link: what it opens, the answer, signing in. Opening changes nothing.

use axum::response::Response;

use crate::app::access::Proven;
use crate::app::answers::{Choice, Ended, LinkAnswer, OpenOffer, Opened};
use crate::app::rows::{Association, Member};
use crate::domain::dispatch::Terms;
use crate::i18n::t;
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller, Cookie, see_other, with};
use super::entry::enter;
use super::failure::Failure;
use super::form::Fields;
use super::views::{
    BlindSummary, Field, Hidden, LinkEnd, LinkEndKind, LinkEntry, LinkOffer, LinkSignIn, OfferState,
    PinProblem, render,
};
use super::words::Voice;
use super::{contacts, covers, duties, transfers};

pages! {
    get "/k" => entry;
    post "/k/open" => open;
    post "/k/answer" => answer;
    get "/k/declined" => declined;
    post "/k/sign-in" => sign_in;
}

const ENTRY: Binding<'static> = Binding::Page("link");

/// `GET /k`
pub(super) async fn entry(caller: Caller) -> Response {
    entry_page(&caller, Field::default())
}

fn entry_page(caller: &Caller, code: Field) -> Response {
    caller.page(render(&LinkEntry { shell: caller.shell_at(ENTRY, "/k"), code }), false)
}

/// `POST /k/open`: by the token that the page's script read, or by the typed code.
pub(super) async fn open(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, ENTRY)?;
    let token = fields.get("token");
    if !token.is_empty() {
        return show(&caller, token, None, true).await;
    }
    let typed = fields.get("code").trim();
    let problem = if typed.is_empty() {
        Some("link-entry-code-missing")
    } else if caller.web.app.vault.seal.code_hash(typed).is_none() {
        Some("link-entry-code-malformed")
    } else {
        None
    };
    if let Some(key) = problem {
        let problem = Some(t(caller.lang, key));
        return Ok(entry_page(&caller, Field { value: typed.to_owned(), problem }));
    }
    caller.limit(Purpose::LinkAnswer)?;
    match caller.web.app.token_by_code(typed).await? {
        Some(token) => show(&caller, token.as_str(), None, true).await,
        None => Ok(ending(&caller, None, LinkEndKind::Unknown)),
    }
}

/// The page behind a token, as things stand.
pub(super) async fn show(
    caller: &Caller,
    token: &str,
    problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    Ok(match caller.web.app.link_open(token).await? {
        Opened::Unknown => ending(caller, None, LinkEndKind::Unknown),
        Opened::Ended { association, case_no, why } => ended(caller, &association, case_no, why),
        Opened::SignIn { association, member } => {
            sign_in_page(caller, &association, &member, token, problem, remember)
        }
        Opened::Setup { association, member, door } => {
            let guest = caller.as_guest_of(&association);
            let name = super::words::title(&member.name, &member.roles, caller.lang);
            super::signin::setup_page(&guest, name, door, token, problem)
        }
        Opened::StopRecovery { association } => {
            super::signin::stop_page(&caller.as_guest_of(&association), token)
        }
        Opened::ReachTest { association, member, confirmed } => {
            super::people::arrived_page(caller, &association, &member, token, confirmed)
        }
        Opened::Station(station) => super::people::station::enrol_page(caller, &station, token),
        Opened::EntryReview => super::directory::own_entries(caller, token).await?,
        Opened::Wishes => super::rota::wishes_by_link(caller, token).await?,
        Opened::Offer(offer) => offer_page(caller, &offer, token, problem, remember).await?,
        Opened::Swap(open) => duties::offer_page(caller, &open, token, problem, remember).await?,
        Opened::Check { association, member } => {
            super::tonight::check_page(caller, &association, &member, token, problem, remember).await?
        }
        Opened::Cover(open) => covers::offer_page(caller, &open, token, problem, remember).await?,
        Opened::Contact(open) => contacts::offer_page(caller, &open, token, problem, remember).await?,
        Opened::Transfer(open) => transfers::offer_page(caller, &open, token, problem, remember).await?,
    })
}

fn sign_in_page(
    caller: &Caller,
    home: &Association,
    member: &Member,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Response {
    let view = LinkSignIn {
        shell: caller.as_guest_of(home).shell_at(Binding::Link(token), "/k"),
        person_name: super::words::title(&member.name, &member.roles, caller.lang),
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

async fn offer_page(
    caller: &Caller,
    open: &OpenOffer,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let known = caller.known_device().await?.is_some_and(|known| {
        known.member.id == open.member.id && known.association.id == open.association.id
    });
    let held = open.offer.offer.held_until.filter(|until| caller.now < *until);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let kind = open.institution.as_ref().map_or("clinic", |i| i.kind.as_str());
    let view = LinkOffer {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        case_no: open.case.case_no.clone(),
        specialty: voice.word("specialty", &open.facts.specialty),
        wish: voice.wish(open.facts.visit),
        asker_institution_kind: voice.word("institution", kind),
        answer_by: voice.until(open.request.answer_by),
        blind: BlindSummary {
            decade: voice.word("decade", &open.blind.decade.to_string()),
            sex: voice.word("sex", &open.blind.sex),
            area: open.facts.area.clone(),
            condition: voice.word("condition", &open.blind.condition),
            travel: voice.word("travel", &open.blind.can_travel),
            question: open.blind.question.clone(),
            photos: 0,
        },
        state: match held {
            Some(until) => OfferState::HeldByYou { until: voice.short(until) },
            None => OfferState::Open {
                places: count(open.request.quota),
                taken: count(open.request.claims().count()),
            },
        },
        may_advise: true,
        may_visit: open.facts.visit && open.visits,
        may_hold: held.is_none(),
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// The courteous end of a link that is over.
pub(super) async fn ended_page(caller: &Caller, token: &str) -> Result<Response, Failure> {
    show(caller, token, None, false).await
}

pub(super) fn ended(caller: &Caller, home: &Association, case_no: Option<String>, why: Ended) -> Response {
    let voice = Voice { lang: caller.lang, zone: home.zone, now: caller.now };
    let kind = match why {
        Ended::TakenByAnother => LinkEndKind::TakenByAnother,
        Ended::AcceptedByYou { at, request, place } => {
            let href = if place == "duties" { "/duties".to_owned() } else { format!("/{place}/{request}") };
            LinkEndKind::AcceptedByYou { at: voice.moment(at), href }
        }
        Ended::DeclinedByYou => LinkEndKind::DeclinedByYou { at: String::new() },
        Ended::ReleasedByYou => LinkEndKind::ReleasedByYou { at: String::new() },
        Ended::Expired => LinkEndKind::Expired,
        Ended::Withdrawn => LinkEndKind::Withdrawn,
        Ended::SignInUsed => LinkEndKind::SignInUsed,
        Ended::PinLocked => LinkEndKind::PinLocked,
    };
    ending(&caller.as_guest_of(home), case_no, kind)
}

pub(super) fn ending(caller: &Caller, case_no: Option<String>, kind: LinkEndKind) -> Response {
    caller.page(render(&LinkEnd { shell: caller.shell_at(ENTRY, "/k"), kind, case_no }), false)
}

/// `GET /k/declined`: what a declining reader sees; it tells nothing to anybody else.
pub(super) async fn declined(caller: Caller) -> Response {
    ending(&caller, None, LinkEndKind::DeclinedByYou { at: String::new() })
}

fn choice_of(fields: &Fields) -> Option<Choice> {
    Some(match fields.get("answer") {
        "accept_advice" => Choice::Accept { terms: Terms::Advice },
        "accept_visit" => Choice::Accept { terms: Terms::Visit },
        "accept_check" => Choice::Accept { terms: Terms::Plain },
        "accept_duty" => Choice::Accept { terms: duties::terms_of(fields) },
        "decline" => {
            let reason = fields.get("reason");
            let known = ["schedule", "not_my_field", "other"].contains(&reason);
            Choice::Decline { reason: known.then(|| reason.to_owned()) }
        }
        "hold" => Choice::Hold,
        _ => return None,
    })
}

/// `POST /k/answer`
pub(super) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let remember = fields.is_ticked("remember");
    let Some(choice) = choice_of(&fields) else {
        return show(&caller, token, None, remember).await;
    };
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    let answered = caller.web.app.link_answer(token, choice, pin, caller.device(), remember).await?;
    Ok(match answered {
        LinkAnswer::Accepted { request, session, device } => {
            let there = if fields.get("answer") == "accept_check" {
                caller.go_and_say("/duties", "tonight-ok")
            } else if fields.get("answer") == "accept_duty" {
                caller.go_and_say(&format!("/swaps/{request}"), "swap-accepted")
            } else {
                caller.go_and_say(&format!("/consults/{request}"), "accepted")
            };
            let there = keep(&caller, there, Cookie::Session, session.as_ref().map(|s| s.as_str()));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await?
        }
        LinkAnswer::Declined => see_other("/k/declined"),
        LinkAnswer::HandRaised { .. } => ending(&caller, None, LinkEndKind::RaisedByYou),
        // The link goes on: its page again, with the time that was given.
        LinkAnswer::Held { .. } => show(&caller, token, None, remember).await?,
        LinkAnswer::Ended { association, case_no, why } => ended(&caller, &association, case_no, why),
        LinkAnswer::Unknown => ending(&caller, None, LinkEndKind::Unknown),
        LinkAnswer::PinMissing => show(&caller, token, Some(PinProblem::Missing), remember).await?,
        LinkAnswer::PinMalformed => show(&caller, token, Some(PinProblem::Malformed), remember).await?,
        LinkAnswer::PinWrong { tries_left } => {
            show(&caller, token, Some(wrong(tries_left)), remember).await?
        }
        LinkAnswer::RefusedByRule { association, case_no, rule } => {
            let why = t(caller.lang, &format!("word-rule-{}", rule.code()));
            ending(&caller.as_guest_of(&association), Some(case_no), LinkEndKind::RefusedByRule { why })
        }
    })
}

/// The page for an answer that was not taken, where its own page has nothing more to say.
pub(super) fn not_taken(caller: &Caller, answer: LinkAnswer) -> Response {
    match answer {
        LinkAnswer::Ended { association, case_no, why } => ended(caller, &association, case_no, why),
        _ => ending(caller, None, LinkEndKind::Unknown),
    }
}

fn wrong(tries_left: i64) -> PinProblem {
    PinProblem::Wrong { tries_left: u32::try_from(tries_left).unwrap_or(0) }
}

pub(super) fn keep(caller: &Caller, response: Response, which: Cookie, secret: Option<&str>) -> Response {
    match secret {
        Some(secret) => with(response, caller.set(which, secret)),
        None => response,
    }
}

/// The cookie of a newly known device, which gets its name.
pub(super) async fn keep_device(
    caller: &Caller,
    response: Response,
    secret: Option<&str>,
) -> Result<Response, Failure> {
    if let Some(secret) = secret {
        caller.web.app.device_named(secret, caller.agent()).await?;
    }
    Ok(keep(caller, response, Cookie::Device, secret))
}

/// `POST /k/sign-in`
pub(super) async fn sign_in(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let remember = fields.is_ticked("remember");
    caller.limit(Purpose::Pin)?;
    let proven = caller.web.app.sign_in_by_link(token, Some(fields.get("pin")), remember).await?;
    Ok(match proven {
        Proven::SignedIn { session, device, .. } => {
            let there = enter(&caller, caller.set(Cookie::Session, session.as_str()));
            let there = with(there, caller.forget(Cookie::Next));
            keep_device(&caller, there, device.as_ref().map(|s| s.as_str())).await?
        }
        Proven::PinMissing => show(&caller, token, Some(PinProblem::Missing), remember).await?,
        Proven::PinMalformed => show(&caller, token, Some(PinProblem::Malformed), remember).await?,
        Proven::PinWrong { tries_left } => show(&caller, token, Some(wrong(tries_left)), remember).await?,
        Proven::PinLocked => ending(&caller, None, LinkEndKind::PinLocked),
        Proven::LinkOver => ending(&caller, None, LinkEndKind::SignInUsed),
    })
}
