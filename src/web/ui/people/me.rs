//! The person's own page: devices, PIN, ways to be reached, a test mail.

use axum::extract::Path;
use axum::response::Response;

use crate::app::people::enrol::PinChange;
use crate::domain::people::entry::Way;
use crate::i18n::{Lang, t};
use crate::ids::DeviceId;
use crate::seal::Pin;
use crate::web::rate::Purpose;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{Fact, MePage};
use super::super::views::{Choice, Choices, render};
use super::super::words::Voice;
use super::person::ways_of;
use super::{device_lines, mail_state, phone_state, said, voice};

const ME: Binding<'static> = Binding::Page("me");

/// Three questions for the order of ways: id, label, choices.
pub(super) fn ways_choices(voice: Voice, chosen: &dyn Fn(usize) -> String) -> Vec<(String, String, Choices)> {
    (1..=Way::ALL.len())
        .map(|place| {
            let option = |way: Way| Choice {
                value: way.code().to_owned(),
                label: voice.word("way", way.code()),
                note: None,
                chosen: chosen(place) == way.code(),
            };
            let choices = Choices { options: Way::ALL.map(option).into(), problem: None };
            (format!("way{place}"), t(voice.lang, &format!("people-f-way{place}")), choices)
        })
        .collect()
}

/// The order that was chosen; what was named twice counts once.
pub(super) fn ways_typed(fields: &Fields) -> Vec<Way> {
    let mut ways = Vec::new();
    for place in 1..=Way::ALL.len() {
        if let Some(way) = Way::from_code(fields.get(&format!("way{place}")))
            && !ways.contains(&way)
        {
            ways.push(way);
        }
    }
    ways
}

/// What is wrong with a PIN that was to be changed: of the old one, the new one, its repetition.
#[derive(Default)]
struct PinWrong {
    old: Option<String>,
    new: Option<String>,
    again: Option<String>,
}

/// `GET /me`
pub(super) async fn me(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, PinWrong::default()).await
}

/// The id of the device in the reader's hand, if it is one of theirs.
async fn this_device(caller: &Caller) -> Result<Option<DeviceId>, Failure> {
    let person = caller.person()?;
    let known = caller.known_device().await?;
    let own = known.filter(|k| k.member.id == person.member.id && k.association.id == person.association.id);
    Ok(own.map(|k| k.device))
}

async fn page(caller: &Caller, wrong: PinWrong) -> Result<Response, Failure> {
    let person = caller.person()?;
    let (voice, app, home) = (voice(caller), &caller.web.app, &person.association.id);
    let (member, reach, _) = app.reach(home, &person.member.id).await?;
    let devices = app.devices(home, &member.id).await?;
    let this = this_device(caller).await?;
    let institution = match &member.institution {
        Some(id) => app.institution(home, id).await?.name,
        None => String::new(),
    };
    let has = |there: bool| t(caller.lang, if there { "me-number-there" } else { "me-number-none" });
    let facts = [
        ("people-f-institution", institution),
        ("people-f-email", member.email.clone().unwrap_or_else(|| t(caller.lang, "me-number-none"))),
        ("people-f-phone", has(member.phone.is_some())),
        ("people-f-fax", has(member.fax.is_some())),
    ];
    let ways = ways_of(&member);
    let chosen = |place: usize| {
        place.checked_sub(1).and_then(|i| ways.get(i)).map(|w| w.code().to_owned()).unwrap_or_default()
    };
    let view = MePage {
        shell: caller.shell_at(ME, "/me"),
        notice: said(caller),
        name: voice.name(&member),
        facts: facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| Fact { name: t(caller.lang, key), value })
            .collect(),
        mail: mail_state(voice, reach.readiness.mail),
        may_test: member.email.is_some(),
        phone_state: phone_state(voice, reach.readiness.phone),
        may_ring: reach.readiness.may_ring && reach.readiness.has_phone(),
        devices: device_lines(voice, &devices, this.as_ref().map(DeviceId::as_str)),
        pin_set: member.pin_hash.is_some(),
        pin_old: wrong.old,
        pin_new: wrong.new,
        pin_again: wrong.again,
        ways: ways_choices(voice, &chosen),
        revision: member.revision,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /me/devices/{device}/revoke`
pub(super) async fn revoke(
    caller: Caller,
    Path(device): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let device = DeviceId::from_stored(&device).map_err(|_| Failure::not_found())?;
    let person = caller.person()?;
    fields.check(&caller, ME)?;
    let key = fields.key(&format!("POST /me/devices/{device}/revoke"))?;
    caller.web.app.device_revoke(&person.who(), &person.member.id, &device, Some(&key)).await?;
    Ok(caller.go_and_say("/me", "device-revoked"))
}

/// `POST /me/devices/others`
pub(super) async fn others(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    fields.check(&caller, ME)?;
    let key = fields.key("POST /me/devices/others")?;
    let this = this_device(&caller).await?;
    caller.web.app.devices_revoke_others(person, this.as_ref(), Some(&key)).await?;
    Ok(caller.go_and_say("/me", "others-revoked"))
}

/// `POST /me/pin`
pub(super) async fn pin(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    fields.check(&caller, ME)?;
    caller.limit(Purpose::Pin)?;
    let say = |key: &str| Some(t(caller.lang, key));
    let Ok(new) = Pin::parse(fields.get("new")) else {
        return page(&caller, PinWrong { new: say("part-pin-malformed"), ..PinWrong::default() }).await;
    };
    if Pin::parse(fields.get("again")).as_ref() != Ok(&new) {
        return page(&caller, PinWrong { again: say("me-pin-differs"), ..PinWrong::default() }).await;
    }
    let this = this_device(&caller).await?;
    let wrong = match caller.web.app.pin_change(person, this.as_ref(), fields.get("old"), &new).await? {
        PinChange::Changed => return Ok(caller.go_and_say("/me", "pin-changed")),
        PinChange::OldMissing => PinWrong { old: say("part-pin-missing"), ..PinWrong::default() },
        PinChange::OldMalformed => PinWrong { old: say("part-pin-malformed"), ..PinWrong::default() },
        PinChange::OldWrong => PinWrong { old: say("part-pin-wrong-device"), ..PinWrong::default() },
        PinChange::Locked => PinWrong { old: say("me-pin-locked"), ..PinWrong::default() },
        PinChange::Trivial => PinWrong { new: say("me-pin-trivial"), ..PinWrong::default() },
    };
    page(&caller, wrong).await
}

/// `POST /me/ways`
pub(super) async fn ways(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    fields.check(&caller, ME)?;
    let key = fields.key("POST /me/ways")?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let ways = ways_typed(&fields);
    let done = caller.web.app.ways_set(&person.who(), &person.member.id, revision, ways, Some(&key)).await;
    done.map_err(|e| Failure::from(e).back_to("/me"))?;
    Ok(caller.go_and_say("/me", "ways-set"))
}

/// `POST /me/test`
pub(super) async fn test(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    fields.check(&caller, ME)?;
    caller.limit(Purpose::SignIn)?;
    let key = fields.key("POST /me/test")?;
    let me = std::slice::from_ref(&person.member.id);
    caller.web.app.reach_tests_send(&person.who(), me, Some(&key)).await?;
    Ok(caller.go_and_say("/me", "test-sent"))
}

/// `POST /me/ring`: a test call to one's own phone.
pub(super) async fn ring(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let me = caller.person()?.member.id.clone();
    fields.check(&caller, ME)?;
    caller.limit(Purpose::SignIn)?;
    let said = super::ring(&caller, &me, "POST /me/ring", &fields).await?;
    Ok(caller.go_and_say("/me", said))
}

/// Words for a language in its own language.
pub(super) fn language_choices(voice: Voice, chosen: &str) -> Choices {
    let chosen = Lang::from_tag(chosen).unwrap_or_default();
    voice.choices("lang", [Lang::Ja.tag(), Lang::En.tag()], chosen.tag())
}
