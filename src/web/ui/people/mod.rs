//! The people as the office sees them, and what each sees of themselves: devices, PINs, reachability.

mod behalf;
mod edit;
mod list;
mod me;
mod person;
mod sheet;
pub(super) mod station;

pub(super) use behalf::channel_of;
pub(super) use person::arrived_page;

use crate::app::AppError;
use crate::app::people::reach::Reach;
use crate::app::rows::DeviceRow;
use crate::domain::call::Cause;
use crate::domain::people::reach::{MailHealth, PhoneHealth};
use crate::domain::people::rights::Right;
use crate::domain::people::{Role, device};
use crate::i18n::{t, t_with};
use crate::ids::MemberId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::Fields;
use super::views::people::DeviceLine;
use super::views::{StateLine, Tone};
use super::words::Voice;

pages! {
    get "/people" => list::list;
    post "/people" => list::find;
    get "/people/readiness" => list::readiness;
    post "/people/readiness" => list::chosen;
    get "/people/new" => edit::new;
    post "/people/new" => edit::add;
    post "/people/sheets" => sheet::make;
    get "/people/stations" => station::list;
    post "/people/stations" => station::invite;
    get "/people/stations/{id}" => station::paper;
    post "/people/stations/{id}/revoke" => station::revoke;
    get "/people/{id}" => person::person;
    get "/people/{id}/edit" => edit::edit;
    post "/people/{id}/edit" => edit::change;
    get "/people/{id}/leave" => person::leave;
    post "/people/{id}/leave" => person::leaves;
    get "/people/{id}/sheet" => sheet::start;
    post "/people/{id}/test" => person::test;
    post "/people/{id}/ring" => person::ring;
    post "/people/{id}/phone" => person::phone;
    post "/people/{id}/unlock" => person::unlock;
    post "/people/{id}/devices/{device}/revoke" => person::revoke;
    get "/people/{id}/for" => behalf::choose;
    get "/people/{id}/for/new" => behalf::form;
    post "/people/{id}/for/new" => behalf::ask;
    post "/people/{id}/for/offers/{offer}" => behalf::answer;
    get "/people/{id}/for/cases/{request}" => behalf::report_form;
    post "/people/{id}/for/cases/{request}" => behalf::report;
    get "/me" => me::me;
    post "/me/devices/others" => me::others;
    post "/me/devices/{device}/revoke" => me::revoke;
    post "/me/pin" => me::pin;
    post "/me/ways" => me::ways;
    post "/me/test" => me::test;
    post "/me/ring" => me::ring;
    post "/sign-in/station" => station::come_in;
    post "/k/station" => station::enrol;
    post "/k/arrived" => person::arrived;
}

const PEOPLE: Binding<'static> = Binding::Page("people");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn member_id(path: &str) -> Result<MemberId, Failure> {
    MemberId::from_stored(path).map_err(|_| Failure::not_found())
}

/// Whether the reader may set this person's PIN and let them go: for the office's own people that takes the
/// right to its roles, so that nobody makes a colleague's way in their own.
fn may_reset(caller: &Caller, roles: &[Role]) -> bool {
    let Some(person) = &caller.signed_in else { return false };
    let right = if roles.iter().any(|r| r.is_office()) { Right::Roles } else { Right::Enrol };
    person.may(Right::Enrol) && person.may(right)
}

/// What the last step said.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "person-added" => "said-person-added",
        "person-changed" => "said-person-changed",
        "person-left" => "said-person-left",
        "test-sent" => "said-test-sent",
        "test-rings" => "said-test-rings",
        "test-no-phone" => "calls-no-phone",
        "test-no-number" => "calls-no-number",
        "tests-sent" => "said-tests-sent",
        "phone-changed" => "said-phone-changed",
        "phone-rings" => "said-phone-rings",
        "phone-dropped" => "said-phone-dropped",
        "phone-nothing" => "said-phone-nothing",
        "unlocked" => "said-unlocked",
        "device-revoked" => "said-device-revoked",
        "others-revoked" => "said-others-revoked",
        "pin-changed" => "said-pin-changed",
        "ways-set" => "said-ways-set",
        "station-mailed" => "said-station-mailed",
        "station-revoked" => "said-station-revoked",
        "station-enrolled" => "said-station-enrolled",
        "for-answered" => "said-for-answered",
        "for-asked" => "said-for-asked",
        "for-reported" => "said-for-reported",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

fn roles_in_words(voice: Voice, roles: &[Role]) -> String {
    let words: Vec<String> = roles.iter().map(|role| voice.word("role", role.code())).collect();
    words.join("・")
}

fn mail_state(voice: Voice, mail: MailHealth) -> StateLine {
    let tone = match mail {
        MailHealth::Confirmed { .. } => Tone::Good,
        MailHealth::Failing(_) => Tone::Bad,
        MailHealth::Waiting { .. } => Tone::Info,
        MailHealth::Unknown => Tone::Warn,
        MailHealth::NoAddress => Tone::Plain,
    };
    StateLine { text: voice.word("mail", mail.code()), tone }
}

fn phone_state(voice: Voice, phone: PhoneHealth) -> StateLine {
    let (text, tone) = match phone {
        PhoneHealth::Failing(cause) => (phone_failed(voice, cause), Tone::Bad),
        PhoneHealth::Confirmed { .. } => (voice.word("phone", phone.code()), Tone::Good),
        PhoneHealth::Waiting { .. } => (voice.word("phone", phone.code()), Tone::Info),
        PhoneHealth::Unknown => (voice.word("phone", phone.code()), Tone::Warn),
        PhoneHealth::NoNumber => (voice.word("phone", phone.code()), Tone::Plain),
    };
    StateLine { text, tone }
}

/// Why a test call was not answered with the key.
fn phone_failed(voice: Voice, cause: Option<Cause>) -> String {
    let failed = voice.word("phone", "failing");
    match cause {
        Some(cause) => {
            let why = t(voice.lang, &format!("word-call-cause-{}", cause.code()));
            t_with(voice.lang, "people-phone-why", &[("state", &failed), ("why", &why)])
        }
        None => failed,
    }
}

/// What is said after a test call was asked for.
async fn ring(
    caller: &Caller,
    member: &MemberId,
    route: &str,
    fields: &Fields,
) -> Result<&'static str, Failure> {
    let key = fields.key(route)?;
    match caller.web.app.call_test(&caller.person()?.who(), member, Some(&key)).await {
        Ok(_) => Ok("test-rings"),
        Err(AppError::Invalid(wrong)) if wrong.iter().any(|w| w.field == "number") => Ok("test-no-number"),
        Err(AppError::Invalid(_)) => Ok("test-no-phone"),
        Err(e) => Err(e.into()),
    }
}

fn mail_note(voice: Voice, reach: &Reach) -> Option<String> {
    reach.hard_address.map(|hard| voice.word("hard", hard.code()))
}

fn next_step(voice: Voice, reach: &Reach) -> String {
    voice.word("next-for", reach.next.code())
}

fn pin_state(voice: Voice, reach: &Reach) -> StateLine {
    let (code, tone) = match (reach.readiness.pin_set, reach.readiness.pin_locked) {
        (_, true) => ("locked", Tone::Bad),
        (true, false) => ("set", Tone::Good),
        (false, false) => ("none", Tone::Warn),
    };
    StateLine { text: voice.word("pin", code), tone }
}

fn device_name(voice: Voice, label: &str) -> String {
    let (system, browser) = device::parts(label);
    let (system, browser) = (voice.word("system", system), voice.word("browser", browser));
    t_with(voice.lang, "word-device", &[("system", &system), ("browser", &browser)])
}

fn device_lines(voice: Voice, devices: &[DeviceRow], this: Option<&str>) -> Vec<DeviceLine> {
    let said = |key: &str, at| t_with(voice.lang, key, &[("time", &voice.moment(at))]);
    devices
        .iter()
        .map(|device| DeviceLine {
            id: device.id.to_string(),
            name: device_name(voice, &device.label),
            since: said("people-device-since", device.created),
            used: device.used.map(|at| said("people-device-used", at)).unwrap_or_default(),
            is_this: this == Some(device.id.as_str()),
        })
        .collect()
}

/// A QR code as an image that needs no other address: SVG in a `data:` URL. Nothing where the text is too
/// long for one, which no address of ours is.
pub(super) fn qr_image(text: &str) -> String {
    use base64::Engine as _;
    let svg = qrcode::QrCode::with_error_correction_level(text.as_bytes(), qrcode::EcLevel::M)
        .map(|code| code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build())
        .unwrap_or_default();
    format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(svg))
}
