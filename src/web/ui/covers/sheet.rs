//! The sheet for the fax: one to ask with, to be filled in by hand; and one that answers, with the case number, what
//! is settled, and what is to be ticked and sent back. And the notice for the households: who covers when, whom to
//! telephone.

use axum::extract::Path;
use axum::response::Response;

use crate::app::access::SignedIn;
use crate::app::cover::{CoverCase, SlotLine};
use crate::domain::cover::{Manner, OUTCOMES, short_code};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{InstitutionId, MemberId, RequestId};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::views::covers::{CoverNotice, CoverSheet, NoticeSlot};
use super::super::views::render;
use super::case::seen;
use super::{COVERS, slot_state, voice};

/// A cover for whoever prints something of it: the asker, who took a slot, the office.
async fn printed<'a>(caller: &'a Caller, id: &RequestId) -> Result<(&'a SignedIn, CoverCase), Failure> {
    let (person, case) = seen(caller, id).await?;
    let line = &case.line;
    let own = line.case.asker == person.member.id
        || line.slots.iter().any(|s| s.taker() == Some(&person.member.id));
    if own || person.may(Right::Board) { Ok((person, case)) } else { Err(Failure::not_found()) }
}

/// `GET /covers/{id}/notice`
pub(super) async fn notice(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = RequestId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, case) = printed(&caller, &id).await?;
    let (voice, app, home) = (voice(&caller), &caller.web.app, &person.association.id);
    let clinic = app.institution(home, &case.line.case.institution).await?;
    let mut places = vec![clinic.clone()];
    let mut takers = Vec::new();
    for slot in &case.line.slots {
        let place = match slot.taker() {
            Some(taker) => app.member(home, taker).await?.institution,
            None => None,
        };
        if let Some(place) = &place {
            places.push(app.institution(home, place).await?);
        }
        takers.push((slot, place));
    }
    let phones = app.numbers_of_all(home, &places.iter().collect::<Vec<_>>()).await?;
    let phone = |id: &InstitutionId| phones.get(id).and_then(|n| n.phone.clone()).unwrap_or_default();
    let row = |(slot, place): &(&SlotLine, Option<InstitutionId>)| NoticeSlot {
        hours: voice.hours(slot.slot.window),
        place: place.as_ref().map_or_else(String::new, |id| case.names.institution(id).to_owned()),
        person: slot.taker().map_or_else(String::new, |id| voice.named(&case.names, id)),
        phone: place.as_ref().map_or_else(String::new, &phone),
    };
    let view = CoverNotice {
        shell: caller.shell_at(COVERS, &format!("/covers/{id}/notice")),
        back: format!("/covers/{id}"),
        clinic: clinic.name.clone(),
        doctor: voice.named(&case.names, &case.line.case.asker),
        phone: phone(&clinic.id),
        slots: takers.iter().map(row).collect(),
        made: made(&caller),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /covers/{id}/sheet`
pub(super) async fn of_case(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = RequestId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (_, case) = printed(&caller, &id).await?;
    let line = &case.line;
    let voice = voice(&caller);
    let slots = line.slots.iter().map(|slot| {
        let who = slot.taker().map_or_else(String::new, |id| {
            format!("{}（{}）", voice.named(&case.names, id), case.names.institution_of(id))
        });
        (voice.hours(slot.slot.window), who, slot_state(voice, &slot.request, slot.slot.by_rota).text)
    });
    let view = CoverSheet {
        shell: caller.shell_at(COVERS, &format!("/covers/{id}/sheet")),
        back: (format!("/covers/{id}"), t(caller.lang, "cover-title")),
        title: t(caller.lang, "cover-sheet-reply"),
        institution: case.names.institution(&line.case.institution).to_owned(),
        doctor: voice.named(&case.names, &line.case.asker),
        case_no: Some((line.case.case_no.clone(), format!("{}-{}", line.case.case_no, short_code(&id)))),
        slots: slots.collect(),
        manners: Vec::new(),
        outcomes: OUTCOMES.iter().map(|code| voice.word("cover-outcome", code)).collect(),
        made: made(&caller),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /people/{id}/for/cover/sheet`
pub(super) async fn blank(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = MemberId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = caller.with_right(Right::Enrol)?;
    let app = &caller.web.app;
    let member = app.member(&reader.association.id, &id).await?;
    let Some(place) = &member.institution else { return Err(Failure::not_found()) };
    let institution = app.institution(&reader.association.id, place).await?;
    let voice = voice(&caller);
    let view = CoverSheet {
        shell: caller.shell_at(COVERS, &format!("/people/{id}/for/cover/sheet")),
        back: (format!("/people/{id}/for/cover"), t(caller.lang, "cover-ask-title")),
        title: t(caller.lang, "cover-sheet-title"),
        institution: institution.name,
        doctor: voice.name(&member),
        case_no: None,
        slots: Vec::new(),
        manners: Manner::ALL.iter().map(|m| voice.word("cover-manner", m.code())).collect(),
        outcomes: Vec::new(),
        made: made(&caller),
    };
    Ok(caller.page(render(&view), false))
}

fn made(caller: &Caller) -> String {
    let voice = voice(caller);
    t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))])
}
