//! Behind the link of a mail that asks for wishes: the sheet, answered with the PIN or from a known device. Opening
//! changes nothing.

use axum::response::Response;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::link::{ended, ending};
use super::super::views::wishes::SheetLink;
use super::super::views::{Hidden, LinkEndKind, PinProblem};
use super::super::words::title;
use super::wishes::{Whose, sheet_page, typed_sheet};
use crate::app::rota::wish_link::{WishAnswered, WishLink};
use crate::domain::rota::WishSheet;
use crate::i18n::t;
use crate::web::rate::Purpose;

/// The sheet behind a token, as things stand.
pub(in crate::web::ui) async fn page(caller: &Caller, token: &str) -> Result<Response, Failure> {
    match caller.web.app.wish_link_open(token).await? {
        Ok(open) => sheet(caller, token, &open, (&WishSheet::default(), None, None)).await,
        Err(over) => Ok(over_page(caller, over)),
    }
}

fn over_page(caller: &Caller, over: WishAnswered) -> Response {
    match over {
        WishAnswered::Done { association } | WishAnswered::Before { association } => {
            ending(&caller.as_guest_of(&association), None, LinkEndKind::WishesWritten)
        }
        WishAnswered::Ended { association, why } => ended(caller, &association, None, why),
        _ => ending(caller, None, LinkEndKind::Unknown),
    }
}

async fn sheet(
    caller: &Caller,
    token: &str,
    open: &WishLink,
    (sheet, problem, pin_problem): (&WishSheet, Option<String>, Option<PinProblem>),
) -> Result<Response, Failure> {
    let known = caller.known_device().await?;
    let is_known =
        known.is_some_and(|k| k.member.id == open.member.id && k.association.id == open.association.id);
    let link = SheetLink {
        token: Hidden(token.to_owned()),
        person_name: title(&open.member.name, &open.member.roles, caller.lang),
        asks_pin: !is_known,
        pin_problem,
    };
    let whose = Whose {
        member: &open.member.id,
        action: "/k/wishes".to_owned(),
        back: String::new(),
        by_office: false,
        link: Some(link),
    };
    let guest = caller.as_guest_of(&open.association);
    Ok(sheet_page(&guest, (&open.round, &open.world), &whose, (sheet, None), problem))
}

/// `POST /k/wishes`
pub(super) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    let open = match caller.web.app.wish_link_open(token).await? {
        Ok(open) => open,
        Err(over) => return Ok(over_page(&caller, over)),
    };
    caller.limit(Purpose::LinkAnswer)?;
    let pin = Some(fields.get("pin")).filter(|pin| !pin.trim().is_empty());
    if pin.is_some() {
        caller.limit(Purpose::Pin)?;
    }
    let key = fields.key("POST /k/wishes")?;
    let typed = match typed_sheet(&fields, &open.round) {
        Ok(typed) => typed,
        Err(wrong) => {
            // Everything but the number that could not be read.
            let blank: Vec<(String, String)> =
                fields.carried("").into_iter().filter(|(name, _)| name != "most").collect();
            let typed = typed_sheet(&Fields::of(blank), &open.round).unwrap_or_default();
            let problem = Some(t(caller.lang, wrong));
            return sheet(&caller, token, &open, (&typed, problem, None)).await;
        }
    };
    let proof = (pin, caller.device());
    let problem = match caller.web.app.wish_link_answer(token, typed.clone(), proof, Some(&key)).await? {
        WishAnswered::PinMissing => (None, Some(PinProblem::Missing)),
        WishAnswered::PinMalformed => (None, Some(PinProblem::Malformed)),
        WishAnswered::PinWrong { tries_left } => {
            (None, Some(PinProblem::Wrong { tries_left: u32::try_from(tries_left).unwrap_or(0) }))
        }
        WishAnswered::Wrong(fields) => {
            let key =
                if fields.iter().any(|f| f == "note") { "wishes-note-long" } else { "wishes-most-wrong" };
            (Some(t(caller.lang, key)), None)
        }
        over => return Ok(over_page(&caller, over)),
    };
    sheet(&caller, token, &open, (&typed, problem.0, problem.1)).await
}
