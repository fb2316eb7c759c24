//! One person: what the clerk needs, test mails, unlocking, devices, leaving; and the answer to a test mail.

use axum::extract::Path;
use axum::response::Response;

use crate::app::answers::Opened;
use crate::app::people::phone_change::{Line, NewNumberRung, PhoneDeed, PhoneSettled};
use crate::app::rows::Member;
use crate::domain::people::entry::Way;
use crate::domain::people::rights::Right;
use crate::domain::people::{Role, SpecialtyOffer};
use crate::i18n::{t, t_with};
use crate::ids::DeviceId;
use crate::web::rate::Purpose;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{Fact, LeavePage, LinkArrived, PersonPage, PhoneWaiting, TestLine};
use super::super::views::{ConsultRow, Hidden, StateLine, Tone, render};
use super::super::words::{Voice, title};
use super::{
    PEOPLE, device_lines, mail_note, mail_state, may_reset, member_id, next_step, phone_failed, phone_state,
    pin_state, roles_in_words, said, voice,
};

/// `09:00`, `24:00`.
pub(super) fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn volunteer_line(voice: Voice, offer: &SpecialtyOffer) -> String {
    let join = |words: Vec<String>, none: &str| {
        if words.is_empty() { t(voice.lang, none) } else { words.join("・") }
    };
    let days = offer.days.iter().map(|day| voice.word("day", super::edit::day_code(*day))).collect();
    let hours = if offer.from_min == offer.to_min {
        t(voice.lang, "people-all-day")
    } else {
        format!("{}〜{}", clock(offer.from_min), clock(offer.to_min))
    };
    let cap = offer.monthly_cap.map_or_else(
        || t(voice.lang, "people-no-cap"),
        |n| t_with(voice.lang, "people-cap", &[("n", &n.to_string())]),
    );
    let parts = [
        voice.word("specialty", &offer.specialty),
        voice.word("terms", if offer.visits { "visit" } else { "advice" }),
        join(offer.areas.clone(), "people-everywhere"),
        join(days, "people-every-day"),
        hours,
        cap,
    ];
    parts.join("　")
}

pub(super) fn ways_of(member: &Member) -> Vec<Way> {
    if member.profile.ways.is_empty() { vec![Way::Mail] } else { member.profile.ways.clone() }
}

async fn facts(caller: &Caller, member: &Member) -> Result<Vec<Fact>, Failure> {
    let (voice, app) = (voice(caller), &caller.web.app);
    let home = &caller.person()?.association.id;
    let institution = match &member.institution {
        Some(id) => app.institution(home, id).await?.name,
        None => String::new(),
    };
    let phone =
        app.number_shown(home, ("member", "phone", member.id.as_str()), member.phone.as_deref()).await?;
    let fax = app.number_shown(home, ("member", "fax", member.id.as_str()), member.fax.as_deref()).await?;
    let ways: Vec<String> = ways_of(member).iter().map(|way| voice.word("way", way.code())).collect();
    let duty = &member.profile.duty;
    let mut profile: Vec<String> =
        [(duty.exempt, "exempt"), (duty.phone_only, "phone_only"), (duty.no_deep_night, "no_deep_night")]
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, code)| voice.word("duty", code))
            .collect();
    profile.extend(
        duty.max_per_month.map(|n| t_with(caller.lang, "people-max-turns", &[("n", &n.to_string())])),
    );
    let language = voice.word("lang", member.lang.tag());
    let all = [
        ("people-f-member-no", member.member_no.clone()),
        ("people-f-institution", institution),
        ("people-f-roles", roles_in_words(voice, &member.roles)),
        ("people-f-email", member.email.clone().unwrap_or_default()),
        ("people-f-phone", phone.unwrap_or_default()),
        ("people-f-fax", fax.unwrap_or_default()),
        ("people-f-ways", ways.join(" → ")),
        ("people-form-duty", profile.join("・")),
        ("people-f-lang", language),
        ("people-f-note", member.profile.note.clone()),
    ];
    let shown = all.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(shown.map(|(key, value)| Fact { name: t(caller.lang, key), value }).collect())
}

async fn phone_waiting(caller: &Caller, member: &Member) -> Result<Option<PhoneWaiting>, Failure> {
    let home = &caller.person()?.association.id;
    let waiting = caller.web.app.phone_waiting(home, &member.id).await?;
    Ok(waiting.filter(|_| member.left_at.is_none()).map(|waiting| PhoneWaiting {
        new: waiting.new.unwrap_or_default(),
        asked: t_with(caller.lang, "phone-asked", &[("time", &voice(caller).moment(waiting.asked))]),
        ring: waiting.ring.map(|ring| {
            let (code, tone) = match ring {
                NewNumberRung::Rings => ("phone-new-rings", Tone::Info),
                NewNumberRung::NotAnswered => ("phone-new-silent", Tone::Warn),
            };
            StateLine { text: t(caller.lang, code), tone }
        }),
        old: waiting.old,
        clinic: waiting.clinic,
    }))
}

/// `POST /people/{id}/phone`: the office called back, or drops the change.
pub(super) async fn phone(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.member(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key(&format!("POST /people/{id}/phone"))?;
    let deed = match (fields.get("deed"), Line::from_code(fields.get("deed"))) {
        (_, Some(line)) => PhoneDeed::CalledBack(line),
        ("drop", None) => PhoneDeed::Drop,
        ("anyway", None) => PhoneDeed::Anyway,
        _ => return Ok(caller.go_and_say(&format!("/people/{id}"), "phone-nothing")),
    };
    let said = match caller.web.app.phone_settle(&person.who(), &id, deed, Some(&key)).await? {
        PhoneSettled::Changed => "phone-changed",
        PhoneSettled::Rings => "phone-rings",
        PhoneSettled::Dropped => "phone-dropped",
        PhoneSettled::NothingWaits | PhoneSettled::NoNumber => "phone-nothing",
    };
    Ok(caller.go_and_say(&format!("/people/{id}"), said))
}

/// `GET /people/{id}`
pub(super) async fn person(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = caller.with_right(Right::People)?;
    let (voice, app, home) = (voice(&caller), &caller.web.app, &reader.association.id);
    let (member, reach, tests) = app.reach(home, &id).await?;
    let devices = app.devices(home, &id).await?;
    let volunteers = app.volunteers_for(home, &id).await?;
    let here = member.is_active(caller.now);
    let may_enrol = reader.may(Right::Enrol) && here;
    let test_line = |test: &crate::app::rows::ReachTest| {
        let state = match (test.confirmed, test.voided, test.failed) {
            (_, Some(_), _) => StateLine { text: voice.word("test", "voided"), tone: Tone::Plain },
            (Some(_), None, _) => StateLine { text: voice.word("test", "confirmed"), tone: Tone::Good },
            (None, None, Some((_, cause))) => {
                StateLine { text: phone_failed(voice, cause), tone: Tone::Warn }
            }
            (None, None, None) => StateLine { text: voice.word("test", "waiting"), tone: Tone::Info },
        };
        let (way, time) = (voice.word("way", &test.way), voice.moment(test.asked));
        TestLine { asked: t_with(caller.lang, "people-test-asked", &[("way", &way), ("time", &time)]), state }
    };
    let sheet = reach.facts.sheet.map_or_else(
        || t(caller.lang, "people-sheet-none"),
        |at| t_with(caller.lang, "people-sheet-made", &[("time", &voice.moment(at))]),
    );
    let left = member.left_at.map(|at| t_with(caller.lang, "people-left-at", &[("time", &voice.moment(at))]));
    let doctor = member.roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist));
    let view = PersonPage {
        shell: caller.shell_at(PEOPLE, &format!("/people/{id}")),
        notice: said(&caller),
        id: id.to_string(),
        name: voice.name(&member),
        kana: member.kana.clone(),
        facts: facts(&caller, &member).await?,
        phone: phone_waiting(&caller, &member).await?,
        volunteers: volunteers.iter().map(|offer| volunteer_line(voice, offer)).collect(),
        mail: mail_state(voice, reach.readiness.mail),
        mail_note: mail_note(voice, &reach),
        phone_state: phone_state(voice, reach.readiness.phone),
        next: next_step(voice, &reach),
        tests: tests.iter().map(test_line).collect(),
        pin: pin_state(voice, &reach),
        pin_locked: reach.readiness.pin_locked,
        sheet,
        devices: device_lines(voice, &devices, None),
        left,
        may_enrol,
        may_reset: here && may_reset(&caller, &member.roles),
        may_test: may_enrol && member.email.is_some(),
        may_ring: may_enrol && reach.readiness.may_ring && reach.readiness.has_phone(),
        may_behalf: may_enrol && doctor,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /people/{id}/test`
pub(super) async fn test(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.member(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key(&format!("POST /people/{id}/test"))?;
    let sent = caller.web.app.reach_tests_send(&person.who(), std::slice::from_ref(&id), Some(&key)).await?;
    if sent.sent == 0 {
        return Err(Failure::not_found());
    }
    Ok(caller.go_and_say(&format!("/people/{id}"), "test-sent"))
}

/// `POST /people/{id}/ring`: a test call.
pub(super) async fn ring(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.member(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let said = super::ring(&caller, &id, &format!("POST /people/{id}/ring"), &fields).await?;
    Ok(caller.go_and_say(&format!("/people/{id}"), said))
}

/// `POST /people/{id}/unlock`
pub(super) async fn unlock(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.member(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key(&format!("POST /people/{id}/unlock"))?;
    caller.web.app.pin_unlock(&person.who(), &id, Some(&key)).await?;
    Ok(caller.go_and_say(&format!("/people/{id}"), "unlocked"))
}

/// `POST /people/{id}/devices/{device}/revoke`
pub(super) async fn revoke(
    caller: Caller,
    Path((id, device)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let device = DeviceId::from_stored(&device).map_err(|_| Failure::not_found())?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.member(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key(&format!("POST /people/{id}/devices/{device}/revoke"))?;
    caller.web.app.device_revoke(&person.who(), &id, &device, Some(&key)).await?;
    Ok(caller.go_and_say(&format!("/people/{id}"), "device-revoked"))
}

/// `GET /people/{id}/leave`
pub(super) async fn leave(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    leave_page(&caller, &id, None).await
}

async fn leave_page(caller: &Caller, id: &str, problem: Option<String>) -> Result<Response, Failure> {
    let id = member_id(id)?;
    let reader = caller.with_right(Right::Enrol)?;
    let (voice, app, home) = (voice(caller), &caller.web.app, &reader.association.id);
    let member = app.member(home, &id).await?;
    if member.left_at.is_some() || !may_reset(caller, &member.roles) {
        return Err(Failure::not_found());
    }
    let (asked, taken) = app.my_cases(home, &id).await?;
    let open = asked.iter().chain(&taken).filter(|line| !line.request.state.is_terminal());
    let cases = open.map(|line| ConsultRow {
        href: format!("/board/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        specialty: voice.word("specialty", &line.facts.specialty),
        state: voice.state(&line.request),
        answer_by: voice.until(line.request.answer_by),
        to_do: None,
    });
    let ends = ["pin", "devices", "links", "offers", "volunteers"];
    let view = LeavePage {
        shell: caller.shell_at(PEOPLE, &format!("/people/{id}")),
        id: id.to_string(),
        name: voice.name(&member),
        ends: ends.map(|what| t(caller.lang, &format!("people-leave-ends-{what}"))).into(),
        cases: cases.collect(),
        problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /people/{id}/leave`
pub(super) async fn leaves(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let member = member_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    let roles = caller.web.app.member(&person.association.id, &member).await?.roles;
    if !may_reset(&caller, &roles) {
        return Err(Failure::not_found());
    }
    fields.check(&caller, PEOPLE)?;
    if !fields.is_ticked("sure") {
        return leave_page(&caller, &id, Some(t(caller.lang, "people-leave-sure-missing"))).await;
    }
    let key = fields.key(&format!("POST /people/{member}/leave"))?;
    caller.web.app.member_leave(&person.who(), &member, Some(&key)).await?;
    Ok(caller.go_and_say(&format!("/people/{member}"), "person-left"))
}

/// The page behind the link of a test mail.
pub(in crate::web::ui) fn arrived_page(
    caller: &Caller,
    home: &crate::app::rows::Association,
    member: &Member,
    token: &str,
    confirmed: bool,
) -> Response {
    let view = LinkArrived {
        shell: caller.as_guest_of(home).shell_at(Binding::Link(token), "/k"),
        person_name: title(&member.name, &member.roles, caller.lang),
        confirmed,
        token: Hidden(token.to_owned()),
    };
    caller.page(render(&view), false)
}

/// `POST /k/arrived`: only the pressed button counts, not the opened page.
pub(super) async fn arrived(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    caller.limit(Purpose::LinkAnswer)?;
    if fields.is_ticked("arrived") {
        caller.web.app.reach_confirm(token).await?;
    }
    match caller.web.app.link_open(token).await? {
        Opened::ReachTest { association, member, confirmed } => {
            Ok(arrived_page(&caller, &association, &member, token, confirmed))
        }
        _ => Err(Failure::not_found()),
    }
}
