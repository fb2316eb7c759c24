//! Asking that a patient be handed over: by whoever is signed in, or typed in by the office from a sheet or a call.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::consult::Asking;
use crate::domain::calendar::{CivilDate, civil_day, written_date};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::Role;
use crate::domain::people::rights::Right;
use crate::domain::transfer::{NewTransfer, REASONS, TransferFacts};
use crate::i18n::{t, t_with};
use crate::ids::InstitutionId;
use crate::web::rate::Purpose;

use super::super::asker::{Asker, Asks};
use super::super::caller::Caller;
use super::super::directory::WITH_DOCTORS;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::people::channel_of;
use super::super::views::people::channels;
use super::super::views::transfers::TransferAskPage;
use super::super::views::{Choice, Choices, Field, render};
use super::super::words::Voice;
use super::{TRANSFERS, voice};

/// The usual wish, in days from today.
const WISHED_DAYS: i64 = 14;

const TRANSFER: Asks = Asks { right: Right::Transfer, place: "/transfers", word: "transfer" };

/// `GET /transfers/new`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Asker::own(&caller, &TRANSFER)?, None, &[]).await
}

/// `GET /people/{id}/for/transfer`
pub(super) async fn form_for(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let asker = Asker::of(&caller, &TRANSFER, &id).await?;
    page(&caller, &asker, None, &[]).await
}

/// `POST /transfers`
pub(super) async fn ask(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let asker = Asker::own(&caller, &TRANSFER)?;
    send(&caller, &asker, &fields).await
}

/// `POST /people/{id}/for/transfer`
pub(super) async fn ask_for(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let asker = Asker::of(&caller, &TRANSFER, &id).await?;
    send(&caller, &asker, &fields).await
}

/// A field's name and what to say beside it.
type Problem = (&'static str, String);

async fn page(
    caller: &Caller,
    asker: &Asker,
    typed: Option<&Fields>,
    problems: &[Problem],
) -> Result<Response, Failure> {
    let voice = voice(caller);
    let home = &caller.person()?.association.id;
    let view = caller.web.app.directory(home).await?;
    let own = asker.member.institution.as_ref().and_then(|id| view.institution(id));
    let problem =
        |name: &str| problems.iter().find(|(field, _)| *field == name).map(|(_, text)| text.clone());
    let got = |name: &str, usual: &str| {
        typed.map_or_else(|| usual.to_owned(), |fields| fields.get(name).to_owned())
    };
    let field = |name: &str, usual: &str| Field { value: got(name, usual), problem: problem(name) };
    let here = view.institutions.iter().filter(|i| i.closed.is_none());
    let doctor = asker.member.roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist));
    let usual_clinic = own.filter(|_| doctor).map_or("", |i| i.id.as_str());
    let clinic = got("clinic", usual_clinic);
    let clinics = here.clone().filter(|i| WITH_DOCTORS.contains(&i.kind.as_str())).map(|i| Choice {
        value: i.id.to_string(),
        label: if i.area.is_empty() { i.name.clone() } else { format!("{}（{}）", i.name, i.area) },
        note: None,
        chosen: i.id.as_str() == clinic,
    });
    let area = got("area", own.map_or("", |i| i.area.as_str()));
    let areas: BTreeSet<&str> = here.map(|i| i.area.as_str()).filter(|a| !a.is_empty()).collect();
    let areas = areas.into_iter().map(|one| Choice {
        value: one.to_owned(),
        label: one.to_owned(),
        note: None,
        chosen: one == area,
    });
    let wished = civil_day(caller.now, voice.zone).plus_days(WISHED_DAYS).to_string();
    let view = TransferAskPage {
        shell: caller.shell_at(TRANSFERS, &asker.path()),
        banner: asker
            .by_office
            .then(|| t_with(caller.lang, "for-banner-transfer", &[("name", &voice.name(&asker.member))])),
        action: asker.action(),
        problem: problem("asker"),
        clinic: Choices { options: clinics.collect(), problem: problem("clinic") },
        patient: field("patient", ""),
        wished: field("wished", &wished),
        area: Choices { options: areas.collect(), problem: problem("area") },
        reason: Choices {
            problem: problem("reason"),
            ..voice.choices("transfer-reason", REASONS, &got("reason", ""))
        },
        details: field("details", ""),
        channel: asker.by_office.then(|| channels(caller.lang, &got("channel", ""), problem("channel"))),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// A day typed with any keyboard, in our or in the civil way.
pub(super) fn day_of(typed: &str) -> Option<CivilDate> {
    let plain = narrow(typed);
    plain.trim().parse().ok().or_else(|| written_date(plain.trim()).ok())
}

/// The words for a field that cannot be taken, and where they stand.
fn words(voice: Voice, wrong: &FieldWrong) -> Problem {
    let key = match (wrong.field, wrong.wrong) {
        ("wished", Wrong::TooSoon) => "transfer-wrong-past",
        ("wished", Wrong::TooLate) => "transfer-wrong-far",
        ("clinic", _) => "transfer-wrong-clinic",
        ("area", _) => "transfer-wrong-area",
        ("patient", Wrong::Missing) => "transfer-wrong-patient",
        ("reason", _) => "transfer-wrong-reason",
        ("asker", _) => "cover-wrong-asker",
        _ => return (wrong.field, Voice::wrong(voice.lang, wrong)),
    };
    (wrong.field, t(voice.lang, key))
}

async fn send(caller: &Caller, asker: &Asker, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, TRANSFERS)?;
    let key = fields.key(&format!("POST {}", asker.action()))?;
    caller.limit(Purpose::Create)?;
    let voice = voice(caller);
    let mut problems = Vec::new();
    let clinic = InstitutionId::from_stored(fields.get("clinic")).ok();
    if clinic.is_none() {
        problems.push(("clinic", t(caller.lang, "transfer-wrong-clinic")));
    }
    let wished = day_of(fields.get("wished"));
    if wished.is_none() {
        problems.push(("wished", t(caller.lang, "ask-not-a-date")));
    }
    let channel = if asker.by_office { channel_of(fields) } else { Some("web") };
    if channel.is_none() {
        problems.push(("channel", t(caller.lang, "swap-problem-channel")));
    }
    let (Some(clinic), Some(wished), Some(channel)) = (clinic, wished, channel) else {
        return page(caller, asker, Some(fields), &problems).await;
    };
    let facts =
        TransferFacts { area: fields.text("area"), clinic, wished, reason: fields.get("reason").to_owned() };
    let new = NewTransfer { facts, patient: fields.text("patient"), details: fields.text("details") };
    let asking = Asking { asker: asker.member.id.clone(), in_person: !asker.by_office, channel };
    match caller.web.app.transfer_ask(&asker.who(caller)?, asking, new, Some(&key)).await {
        Ok(asked) => {
            let asked = asked.into_inner();
            Ok(caller.go_and_say(&format!("/transfers/{}", asked.request), "transfer-asked"))
        }
        Err(AppError::Invalid(wrong)) => {
            let problems: Vec<Problem> = wrong.iter().map(|w| words(voice, w)).collect();
            page(caller, asker, Some(fields), &problems).await
        }
        Err(e) => Err(e.into()),
    }
}
