//! Tonight's check: the page of the office, and the page behind the link of whoever is asked.

use axum::response::Response;

use crate::app::rows::{Association, Member};
use crate::domain::dispatch::{OfferState, State};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::covers::{LinkTonight, TonightRow, TonightView};
use super::views::{Hidden, PinProblem, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/tonight" => page;
}

/// `GET /tonight`
pub(super) async fn page(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Board)?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let found = caller.web.app.tonight_page(&person.association.id).await?;
    let rows = found.people.iter().map(|checked| {
        let offer = checked.offers.iter().find(|o| o.person == checked.member).map(|o| o.offer.state);
        let (code, tone) = match (offer, checked.request.state) {
            (Some(OfferState::Accepted), _) => ("ok", Tone::Good),
            (Some(OfferState::Declined | OfferState::Released), _) => ("no", Tone::Bad),
            (_, State::Running { .. }) => ("waiting", Tone::Info),
            _ => ("silent", Tone::Bad),
        };
        TonightRow {
            name: voice.named(&found.names, &checked.member),
            institution: found.names.institution_of(&checked.member).to_owned(),
            state: StateLine { text: voice.word("tonight-state", code), tone },
        }
    });
    let holes = found.round.as_ref().map_or(0, |round| round.holes);
    let view = TonightView {
        shell: caller.shell_at(Binding::Page("tonight"), "/tonight"),
        when: found
            .round
            .as_ref()
            .map(|round| t_with(caller.lang, "tonight-when", &[("time", &voice.moment(round.at))])),
        holes: if holes > 0 {
            t_with(caller.lang, "tonight-holes", &[("count", &holes.to_string())])
        } else {
            t(caller.lang, "tonight-no-holes")
        },
        has_holes: holes > 0,
        rows: rows.collect(),
    };
    Ok(caller.page(render(&view), false))
}

/// Behind the mailed link: one question, two buttons.
pub(super) async fn check_page(
    caller: &Caller,
    home: &Association,
    member: &Member,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: home.zone, now: caller.now };
    let known = caller.known_device().await?;
    let known = known.is_some_and(|known| known.member.id == member.id && known.association.id == home.id);
    let view = LinkTonight {
        shell: caller.as_guest_of(home).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(member),
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}
