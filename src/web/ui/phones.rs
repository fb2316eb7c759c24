//! The phones of the exercise: a newcomer plays the nurse and every physician.

use axum::extract::Path;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use crate::app::demo::{Demo, NotPossible, Phone, PhoneDeed, PhoneState};
use crate::domain::call::LegId;
use crate::i18n::t;

use super::caller::{Binding, Caller, see_other};
use super::failure::Failure;
use super::form::Fields;
use super::views::calls::{DemoPhones, PhoneKey, PhoneView};
use super::views::{StateLine, Tone, render};

pages! {
    get "/demo/phones" => phones;
    post "/demo/phones" => deed;
    get "/demo/phones/sounds/{lang}/{name}" => sound;
}

const DEMO: Binding<'static> = Binding::Page("demo");
/// Sentences a phone shows.
const HEARD: usize = 2;
/// Phones shown that have hung up.
const OVER: usize = 8;

fn demo_of(caller: &Caller) -> Result<std::sync::Arc<Demo>, Failure> {
    caller.web.demo.clone().ok_or(Failure::not_found())
}

/// What brings a phone on from the last thing it heard.
fn ways(caller: &Caller, demo: &Demo, phone: &Phone) -> Vec<PhoneKey> {
    if phone.state != PhoneState::Up || phone.recording {
        return Vec::new();
    }
    let key = |keys: &str, word: &str, main: bool| PhoneKey {
        keys: keys.to_owned(),
        word: if word.is_empty() { String::new() } else { t(caller.lang, word) },
        main,
    };
    if !phone.talks_with.is_empty() {
        return if phone.called_us { Vec::new() } else { vec![key("9", "phones-key-9", false)] };
    }
    match phone.heard.last().map(|h| h.prompt) {
        Some("screen") => vec![
            key("1", "phones-key-1", true),
            key("2", "phones-key-2", false),
            key("3", "phones-key-3", false),
        ],
        Some("ask_pin" | "ask_pin_to_call_back" | "ask_report_pin" | "pin_again") => {
            let pin = demo.pin_of(phone).unwrap_or_default().to_owned();
            if pin.is_empty() { Vec::new() } else { vec![key(&pin, "phones-key-pin", true)] }
        }
        Some("ask_report") => vec![key("1", "phones-key-report", true), key("2", "phones-key-urgent", false)],
        Some("ask_report_outcome") => vec![
            key("1", "word-call-told-phone_only", true),
            key("2", "word-call-told-visited", false),
            key("3", "word-call-told-transported", false),
            key("4", "word-call-told-not_reached", false),
        ],
        Some("confirm") => vec![key("1", "phones-key-confirm", true)],
        Some("tonight") => vec![key("1", "phones-key-tonight", true), key("3", "phones-key-3", false)],
        Some("test" | "recovery_asked") => vec![key("1", "phones-key-heard", true)],
        Some("ask_clinic" | "ask_clinic_again") => {
            vec![key("12#", "phones-key-clinic", true), key("0#", "phones-key-0", false)]
        }
        Some("ask_station" | "ask_station_again") => vec![key("0#", "phones-key-0", true)],
        _ => Vec::new(),
    }
}

async fn view_of(caller: &Caller, demo: &Demo, phone: &Phone) -> Result<PhoneView, Failure> {
    let say = |key: &str| t(caller.lang, key);
    let name = match demo.member_of(phone) {
        Some(member) => caller.web.app.member(&demo.association, member).await?.name,
        None => demo.nurse.1.clone(),
    };
    let talks = !phone.talks_with.is_empty();
    let (text, tone) = match phone.state {
        PhoneState::Calling => (say("phones-calling"), Tone::Info),
        PhoneState::Ringing => (say("phones-rings"), Tone::Bad),
        PhoneState::Voicemail => (say("phones-machine"), Tone::Plain),
        PhoneState::Up if phone.recording => (say("phones-recording"), Tone::Warn),
        PhoneState::Up if talks => (say("phones-talks"), Tone::Good),
        PhoneState::Up => (say("phones-up"), Tone::Info),
        PhoneState::Over { cause } => (say(&format!("word-call-cause-{}", cause.code())), Tone::Plain),
    };
    let from = phone.heard.len().saturating_sub(HEARD);
    Ok(PhoneView {
        leg: phone.leg.as_str().to_owned(),
        name,
        number: phone.number.clone(),
        state: StateLine { text, tone },
        rings: phone.state == PhoneState::Ringing,
        up: matches!(phone.state, PhoneState::Up | PhoneState::Calling),
        recording: phone.recording,
        talks,
        said: phone.heard.len(),
        // Who talks hears the other side.
        heard: phone.heard.iter().skip(from).filter(|_| !talks).map(|h| h.text.clone()).collect(),
        sound: demo
            .sound_of(phone)
            .map_or_else(String::new, |(lang, name)| format!("/demo/phones/sounds/{lang}/{name}")),
        ways: ways(caller, demo, phone),
        redial: matches!(phone.state, PhoneState::Over { .. }) && demo.member_of(phone).is_some(),
    })
}

/// `GET /demo/phones`; with `HX-Request` the part that changes, alone.
pub(super) async fn phones(caller: Caller) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let (mut live, mut over) = (Vec::new(), Vec::new());
    for phone in demo.phones() {
        let view = view_of(&caller, &demo, &phone).await?;
        if matches!(phone.state, PhoneState::Over { .. }) {
            over.push(view)
        } else {
            live.push((phone, view))
        }
    }
    over.reverse();
    over.truncate(OVER);
    // A phone that was rung again and again dials from its newest line; one in use does not dial.
    let mut known: Vec<String> = live.iter().map(|(phone, _)| phone.number.clone()).collect();
    for phone in &mut over {
        phone.redial &= !known.contains(&phone.number);
        known.push(phone.number.clone());
    }
    let page = DemoPhones {
        shell: caller.shell_at(DEMO, "/demo/phones"),
        nurse: demo.nurse.1.clone(),
        night: demo.night.clone(),
        may_dial: !live.iter().any(|(phone, _)| phone.called_us),
        phones: live.into_iter().map(|(_, view)| view).collect(),
        over,
        once: caller.once(),
    };
    Ok(if caller.fragment {
        Html(page.render_live()).into_response()
    } else {
        caller.page(render(&page), false)
    })
}

/// `POST /demo/phones`
pub(super) async fn deed(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    fields.check(&caller, DEMO)?;
    let leg = LegId::inbound(fields.get("leg"));
    let done = match fields.get("deed") {
        "dial" => demo.dial(),
        "pick" => demo.phone(&leg, &PhoneDeed::PickUp),
        "hang" => demo.phone(&leg, &PhoneDeed::HangUp),
        "voicemail" => demo.phone(&leg, &PhoneDeed::Voicemail),
        "speak" => demo.phone(&leg, &PhoneDeed::Speak),
        "redial" => demo.redial(&leg),
        other => match other.strip_prefix("press ") {
            Some(keys) => demo.phone(&leg, &PhoneDeed::Press(keys.to_owned())),
            None => return Err(Failure::not_found()),
        },
    };
    match done {
        // The phone moved on in the same moment; the page shows how it is now.
        Ok(()) | Err(NotPossible::Gone | NotPossible::NotNow | NotPossible::Busy) => {
            Ok(see_other("/demo/phones"))
        }
        Err(NotPossible::TooMany | NotPossible::Unplugged) => Err(Failure::broken()),
    }
}

/// `GET /demo/phones/sounds/{lang}/{name}`: what a bridge would play.
pub(super) async fn sound(
    caller: Caller,
    Path((lang, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let demo = demo_of(&caller)?;
    let sounds = demo.sounds.as_ref().ok_or(Failure::not_found())?;
    let wav = sounds.wav(&lang, &name).ok_or(Failure::not_found())?.to_vec();
    Ok(([(header::CONTENT_TYPE, "audio/wav")], wav).into_response())
}
