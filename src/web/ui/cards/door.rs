//! Opening night cards at night: the PIN first, then the patients, then one card at a time.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::cards::{Door, Entered, Shut};
use crate::domain::cover::cards::DataMode;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{CallId, CardOpeningId, CardPassId, InstitutionId, RequestId};
use crate::web::rate::Purpose;

use super::super::caller::{Caller, see_other};
use super::super::clinic::clinics;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::cards::{CardDoor, CardPaper, PassPage, PassPatient};
use super::super::views::{Field, PinProblem, render};
use super::super::words::Voice;
use super::{CARDS, facts, freshness, household, mode_text, voice};

/// What is shown beside the PIN.
#[derive(Default)]
struct Shown {
    pin_problem: Option<PinProblem>,
    problem: Option<String>,
}

fn shut_text(caller: &Caller, shut: Shut) -> String {
    match shut {
        Shut::NoCards => mode_text(caller.lang, DataMode::None),
        Shut::Over => t(caller.lang, "cards-over"),
    }
}

/// The page of a door before the PIN. What stands behind it is shown to nobody yet.
async fn door_page(
    caller: &Caller,
    person: &SignedIn,
    (door, back): (&Door, &str),
    shown: Shown,
) -> Result<Response, Failure> {
    let open = caller.web.app.card_door(&person.association.id, &person.member.id, door).await?;
    let (clinic, shut) = match open {
        Ok(clinic) => (clinic, None),
        Err(shut) => (String::new(), Some(shut_text(caller, shut))),
    };
    let action = format!("{back}/cards");
    let view = CardDoor {
        shell: caller.shell_at(CARDS, &action),
        back: back.to_owned(),
        action,
        clinic,
        shut,
        problem: shown.problem,
        emergency: None,
        pin_problem: shown.pin_problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// What an answer to the PIN leads to: the patients, or what stands beside the PIN.
fn after(caller: &Caller, entered: Entered) -> Result<Response, Shown> {
    let pin = |problem| Shown { pin_problem: Some(problem), problem: None };
    let problem = |text| Shown { pin_problem: None, problem: Some(text) };
    match entered {
        Entered::Pass(id) => Ok(see_other(&format!("/cards/passes/{id}"))),
        Entered::PinMissing => Err(pin(PinProblem::Missing)),
        Entered::PinMalformed => Err(pin(PinProblem::Malformed)),
        Entered::PinWrong => Err(pin(PinProblem::WrongOnDevice)),
        Entered::PinLocked => Err(problem(t(caller.lang, "link-end-locked-text"))),
        Entered::Shut(shut) => Err(problem(shut_text(caller, shut))),
    }
}

async fn enter(
    caller: &Caller,
    person: &SignedIn,
    (door, back): (Door, &str),
    fields: &Fields,
) -> Result<Response, Failure> {
    // Somebody else's call looks as if it were not there.
    if caller.web.app.card_door(&person.association.id, &person.member.id, &door).await?.is_err() {
        return door_page(caller, person, (&door, back), Shown::default()).await;
    }
    fields.check(caller, CARDS)?;
    fields.key(&format!("POST {back}/cards"))?;
    caller.limit(Purpose::Pin)?;
    let app = &caller.web.app;
    let entered = app.card_enter(&person.who(), &person.member.id, door.clone(), fields.get("pin")).await?;
    match after(caller, entered) {
        Ok(response) => Ok(response),
        Err(shown) => door_page(caller, person, (&door, back), shown).await,
    }
}

fn call(id: &str) -> Result<(Door, String), Failure> {
    let id = CallId::from_stored(id).map_err(|_| Failure::not_found())?;
    Ok((Door::Call(id.clone()), format!("/calls/{id}")))
}

fn cover(id: &str) -> Result<(Door, String), Failure> {
    let id = RequestId::from_stored(id).map_err(|_| Failure::not_found())?;
    Ok((Door::Cover(id.clone()), format!("/covers/{id}")))
}

/// `GET /calls/{id}/cards`: for whoever took the call.
pub(super) async fn of_call(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let ((door, back), person) = (call(&id)?, caller.with_right(Right::Ask)?);
    door_page(&caller, person, (&door, &back), Shown::default()).await
}

/// `POST /calls/{id}/cards`
pub(super) async fn enter_call(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let ((door, back), person) = (call(&id)?, caller.with_right(Right::Ask)?);
    enter(&caller, person, (door, &back), &fields).await
}

/// `GET /covers/{id}/cards`: for whoever covers the clinic now.
pub(super) async fn of_cover(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let ((door, back), person) = (cover(&id)?, caller.with_right(Right::Ask)?);
    door_page(&caller, person, (&door, &back), Shown::default()).await
}

/// `POST /covers/{id}/cards`
pub(super) async fn enter_cover(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let ((door, back), person) = (cover(&id)?, caller.with_right(Right::Ask)?);
    enter(&caller, person, (door, &back), &fields).await
}

async fn emergency_page(
    caller: &Caller,
    person: &SignedIn,
    (chosen, reason): (&str, Field),
    shown: Shown,
) -> Result<Response, Failure> {
    let mode = caller.web.app.card_mode(&person.association.id).await?;
    let clinics = clinics(caller, person, chosen).await?;
    let view = CardDoor {
        shell: caller.shell_at(CARDS, "/cards/emergency"),
        back: "/calls".to_owned(),
        action: "/cards/emergency".to_owned(),
        clinic: String::new(),
        shut: (mode == DataMode::None).then(|| mode_text(caller.lang, mode)),
        problem: shown.problem,
        emergency: Some((clinics, reason)),
        pin_problem: shown.pin_problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /cards/emergency`: another physician, with a reason.
pub(super) async fn emergency(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ask)?;
    emergency_page(&caller, person, ("", Field::default()), Shown::default()).await
}

/// `POST /cards/emergency`
pub(super) async fn break_glass(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ask)?;
    fields.check(&caller, CARDS)?;
    fields.key("POST /cards/emergency")?;
    let (chosen, reason) = (fields.get("clinic"), fields.text("reason"));
    let again = |problem: Option<String>| Field { value: reason.clone(), problem };
    let Ok(clinic) = InstitutionId::from_stored(chosen) else {
        let shown = Shown { problem: Some(t(caller.lang, "cards-emergency-where")), pin_problem: None };
        return emergency_page(&caller, person, (chosen, again(None)), shown).await;
    };
    caller.limit(Purpose::Pin)?;
    let door = Door::Glass { clinic, reason: reason.clone() };
    let app = &caller.web.app;
    match app.card_enter(&person.who(), &person.member.id, door, fields.get("pin")).await {
        Ok(entered) => match after(&caller, entered) {
            Ok(response) => Ok(response),
            Err(shown) => emergency_page(&caller, person, (chosen, again(None)), shown).await,
        },
        Err(AppError::Invalid(wrong)) => {
            let problem = wrong.first().map(|w| Voice::wrong(caller.lang, w));
            emergency_page(&caller, person, (chosen, again(problem)), Shown::default()).await
        }
        Err(e) => Err(e.into()),
    }
}

fn pass_id(id: &str) -> Result<CardPassId, Failure> {
    CardPassId::from_stored(id).map_err(|_| Failure::not_found())
}

/// The page of a pass that opens nothing any more.
fn over(caller: &Caller, shut: Shut) -> Response {
    let view = CardDoor {
        shell: caller.shell_at(CARDS, "/calls"),
        back: "/calls".to_owned(),
        action: String::new(),
        clinic: String::new(),
        shut: Some(shut_text(caller, shut)),
        problem: None,
        emergency: None,
        pin_problem: None,
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `GET /cards/passes/{id}`: the patients of the clinic.
pub(super) async fn pass(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, id) = (caller.with_right(Right::Ask)?, pass_id(&id)?);
    let app = &caller.web.app;
    let found = match app.card_pass(&person.association.id, &person.member.id, &id).await? {
        Ok(found) => found,
        Err(shut) => return Ok(over(&caller, shut)),
    };
    let voice = voice(&caller);
    let no = found.case_no.unwrap_or_default();
    let patients = found.patients.into_iter().map(|(household, patient, card)| PassPatient {
        household: household.to_string(),
        patient,
        has_card: card.is_some(),
        state: freshness(voice, card),
    });
    let view = PassPage {
        shell: caller.shell_at(CARDS, &format!("/cards/passes/{id}")),
        clinic: found.clinic_name,
        via: t_with(caller.lang, &format!("word-card-via-{}", found.via), &[("no", &no)]),
        until: t_with(caller.lang, "cards-pass-until", &[("time", &voice.moment(found.until))]),
        action: format!("/cards/passes/{id}"),
        patients: patients.collect(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /cards/passes/{id}`: one card, which is written down for the attending doctor.
pub(super) async fn open(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, id) = (caller.with_right(Right::Ask)?, pass_id(&id)?);
    let app = &caller.web.app;
    if let Err(shut) = app.card_pass(&person.association.id, &person.member.id, &id).await? {
        return Ok(over(&caller, shut));
    }
    fields.check(&caller, CARDS)?;
    fields.key(&format!("POST /cards/passes/{id}"))?;
    let patient = household(fields.get("household"))?;
    match app.card_open(&person.who(), &person.member.id, &id, &patient).await? {
        Ok(opening) => Ok(see_other(&format!("/cards/openings/{opening}"))),
        Err(shut) => Ok(over(&caller, shut)),
    }
}

/// `GET /cards/openings/{id}`: the card that was opened, for the screen and on one A4 page.
pub(super) async fn shown(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ask)?;
    let id = CardOpeningId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let app = &caller.web.app;
    let found = match app.card_shown(&person.association.id, &person.member.id, &id).await? {
        Ok(found) => found,
        Err(shut) => return Ok(over(&caller, shut)),
    };
    let voice = voice(&caller);
    let view = CardPaper {
        shell: caller.shell_at(CARDS, &format!("/cards/openings/{id}")),
        back: (format!("/cards/passes/{}", found.pass), t(caller.lang, "cards-pass-title")),
        clinic: found.clinic_name,
        patient: found.patient,
        facts: facts(caller.lang, &found.card),
        state: freshness(voice, Some((found.written, found.old))),
        old: found.old,
        empty: t(caller.lang, "card-none"),
        opened: Some(t_with(caller.lang, "card-opened", &[("time", &voice.moment(found.opened))])),
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}
