//! The letter that goes with a patient who is handed over: the headings of the referral form, one A4 page. What is typed
//! on it is printed and sent nowhere.

use axum::extract::Path;
use axum::response::Response;

use crate::i18n::t_with;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::views::render;
use super::super::views::transfers::TransferLetter;
use super::case::{id_of, seen};
use super::{TRANSFERS, day, voice};

/// `GET /transfers/{id}/letter`: for the attending doctor's clinic, and for whoever takes the patient over.
pub(super) async fn letter(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, case) = seen(&caller, &id).await?;
    let (line, me) = (&case.line, &person.member.id);
    let Some(detail) = case.detail.as_ref().filter(|_| line.is_attending(me) || line.taker() == Some(me))
    else {
        return Err(Failure::not_found());
    };
    let voice = voice(&caller);
    let names = &case.names;
    let doctor = line.attending.iter().find(|id| line.concerns(id));
    let named = |id: &crate::ids::MemberId| voice.named(names, id);
    let effective = case.dated.as_ref().map(|dated| {
        t_with(caller.lang, "transfer-letter-effective", &[("day", &day(voice, dated.effective))])
    });
    let view = TransferLetter {
        shell: caller.shell_at(TRANSFERS, &format!("/transfers/{id}/letter")),
        id: id.to_string(),
        case_no: line.case.case_no.clone(),
        to: line.taker().map(|id| (names.institution_of(id).to_owned(), named(id))).unwrap_or_default(),
        from: (names.institution(&line.facts.clinic).to_owned(), doctor.map(named).unwrap_or_default()),
        patient: detail.patient.clone(),
        purpose: voice.word("transfer-reason", &line.facts.reason),
        effective: effective.unwrap_or_default(),
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}
