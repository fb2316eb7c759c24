//! One's own means of signing in, and one's own sessions.

use axum::extract::Path;
use axum::response::Response;

use crate::app::access::SignedIn;
use crate::app::rows::PasskeyRow;
use crate::app::signin::enrol::{Enrolled, Removed};
use crate::domain::people::password::PasswordWrong;
use crate::i18n::{t, t_with};
use crate::ids::{PasskeyId, SessionId};

use super::caller::{Binding, Caller, Cookie, see_other, with};
use super::failure::Failure;
use super::form::Fields;
use super::signin::question;
use super::views::render;
use super::views::signin::{MyMeans, MyPassword, MySessions, PasskeyLine, Qr, RecoveryCodes, SessionLine};
use super::words::{Voice, title};

pages! {
    get "/setup-sign-in" => first;
    get "/me/sign-in" => means;
    post "/me/sign-in/passkeys/challenge" => passkey_challenge;
    post "/me/sign-in/passkeys" => passkey_add;
    post "/me/sign-in/passkeys/{id}/remove" => passkey_remove;
    post "/me/sign-in/app" => app_begin;
    get "/me/sign-in/password" => password;
    post "/me/sign-in/password" => password_put;
    post "/me/sign-in/password/remove" => password_remove;
    post "/me/sign-in/codes" => codes;
    get "/me/sessions" => sessions;
    post "/me/sessions/{id}/end" => session_end;
    post "/me/sessions/end-all" => end_all;
}

const MEANS: Binding<'static> = Binding::Page("means");
const SESSIONS: Binding<'static> = Binding::Page("sessions");

const HERE: &str = "/me/sign-in";
const FIRST: &str = "/setup-sign-in";

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// The passkeys of a list, in words.
pub(super) fn passkey_lines(caller: &Caller, keys: &[PasskeyRow]) -> Vec<PasskeyLine> {
    let voice = voice(caller);
    let at = |key: &str, at| t_with(caller.lang, key, &[("when", &voice.moment(at))]);
    keys.iter()
        .map(|key| PasskeyLine {
            id: key.id.to_string(),
            label: key.label.clone(),
            created: at("means-since", key.created),
            used: key.used.map(|used| at("means-used", used)),
        })
        .collect()
}

/// Somebody who may manage means: in a strong session, or just come by an invitation.
fn person(caller: &Caller) -> Result<&SignedIn, Failure> {
    let person = caller.signed_in.as_ref();
    person.filter(|p| p.strong_at.is_some() || p.is_setting_up(caller.now)).ok_or(Failure::not_found())
}

/// The same, with a proof of the last minutes; who sets up their first means has just given one.
fn proven<'a>(caller: &'a Caller, fields: Option<&Fields>) -> Result<&'a SignedIn, Failure> {
    let person = person(caller)?;
    if person.is_setting_up(caller.now) && person.strong_at.is_none() {
        return Ok(person);
    }
    caller.proven(person, fields)
}

fn back_of(caller: &Caller) -> &'static str {
    let first = caller.signed_in.as_ref().is_some_and(|p| p.strong_at.is_none());
    if first { FIRST } else { HERE }
}

async fn page(caller: &Caller, person: &SignedIn, problem: Option<&str>) -> Result<Response, Failure> {
    let first = person.strong_at.is_none();
    let means = caller.web.app.means(&person.association.id, &person.member.id).await?;
    let notice = caller.said().filter(|said| is_ours(said)).map(|said| t(caller.lang, said));
    let used = notice.is_some();
    let view = MyMeans {
        shell: caller.shell_at(MEANS, if first { FIRST } else { HERE }),
        notice,
        problem: problem.map(|key| t(caller.lang, key)),
        first,
        passkeys: passkey_lines(caller, &means.passkeys),
        password: means.password,
        several: means.several(),
        codes_left: u32::try_from(means.codes_left).unwrap_or(0),
        passkeys_here: caller.web.app.has_passkeys(),
        label: t(caller.lang, "means-passkey-default"),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// What was said for one of these pages.
fn is_ours(said: &str) -> bool {
    ["means-", "sessions-", "staff-"].iter().any(|start| said.starts_with(start))
}

/// `GET /setup-sign-in`
pub(super) async fn first(caller: Caller) -> Result<Response, Failure> {
    let person = person(&caller)?;
    if person.strong_at.is_some() {
        return Ok(see_other(HERE));
    }
    page(&caller, person, None).await
}

/// `GET /me/sign-in`
pub(super) async fn means(caller: Caller) -> Result<Response, Failure> {
    let Some(somebody) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    if somebody.is_setting_up(caller.now) && somebody.strong_at.is_none() {
        return Ok(see_other(FIRST));
    }
    if somebody.is_office_by_pin() {
        return Ok(caller.to_office_door());
    }
    page(&caller, person(&caller)?, None).await
}

/// `POST /me/sign-in/passkeys/challenge`: asked by the script.
pub(super) async fn passkey_challenge(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = person(&caller)?;
    fields.check(&caller, MEANS)?;
    Ok(question(&caller.web.app.passkey_begin(person).await?))
}

/// What came of a new means: the page with the codes, or back to the list.
fn enrolled(
    caller: &Caller,
    person: &SignedIn,
    session: Option<crate::seal::Secret>,
    codes: Option<Vec<String>>,
) -> Response {
    let response = match codes {
        // Whoever sets up the first means goes on to what was wanted before: the members' file, after the set-up.
        Some(codes) => {
            let next = caller.next().filter(|_| person.strong_at.is_none()).unwrap_or(HERE);
            codes_page(caller, person, codes, Some("means-added"), next)
        }
        None => caller.go_and_say(HERE, "means-added"),
    };
    let response =
        if person.strong_at.is_none() { with(response, caller.forget(Cookie::Next)) } else { response };
    match session {
        Some(session) => with(response, caller.set(Cookie::Session, session.as_str())),
        None => response,
    }
}

fn codes_page(
    caller: &Caller,
    person: &SignedIn,
    codes: Vec<String>,
    notice: Option<&str>,
    next: &str,
) -> Response {
    let view = RecoveryCodes {
        // Without forms of the session: it may just have given way to another.
        shell: caller.as_guest_of(&person.association).shell_at(MEANS, HERE),
        notice: notice.map(|key| t(caller.lang, key)),
        person_name: title(&person.member.name, &person.member.roles, caller.lang),
        codes,
        next: next.to_owned(),
    };
    caller.page(render(&view), false)
}

/// `POST /me/sign-in/passkeys`
pub(super) async fn passkey_add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    person(&caller)?;
    fields.check(&caller, MEANS)?;
    fields.key("passkey_add")?;
    // The answer of an authenticator belongs to its question: it is asked again after the proof.
    let person = proven(&caller, None)?;
    let label = Some(fields.text("label")).filter(|text| !text.is_empty());
    let label = label.unwrap_or_else(|| t(caller.lang, "means-passkey-default"));
    let (id, answer) = (fields.get("challenge"), fields.get("answer"));
    match caller.web.app.passkey_add(person, id, answer, &label).await? {
        Enrolled::Done { session, codes } => Ok(enrolled(&caller, person, session, codes)),
        _ => page(&caller, person, Some("signin-passkey-failed")).await,
    }
}

fn removed(caller: &Caller, ended: Removed) -> Result<Response, Failure> {
    match ended {
        Removed::Done => Ok(caller.go_and_say(HERE, "means-removed")),
        Removed::Last => Ok(caller.go_and_say(HERE, "means-last")),
        Removed::NotThere => Err(Failure::not_found()),
    }
}

/// `POST /me/sign-in/passkeys/{id}/remove`
pub(super) async fn passkey_remove(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = person(&caller)?;
    fields.check(&caller, MEANS)?;
    let id = PasskeyId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let means = caller.web.app.means(&person.association.id, &person.member.id).await?;
    if !means.passkeys.iter().any(|key| key.id == id) {
        return Err(Failure::not_found());
    }
    fields.key("passkey_remove")?;
    let person = proven(&caller, Some(&fields))?;
    removed(&caller, caller.web.app.passkey_remove(person, &id).await?)
}

/// `POST /me/sign-in/app`: a new secret for one-time codes.
pub(super) async fn app_begin(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    person(&caller)?;
    fields.check(&caller, MEANS)?;
    fields.key("app_begin")?;
    caller.web.app.totp_begin(proven(&caller, Some(&fields))?).await?;
    Ok(see_other("/me/sign-in/password"))
}

/// The secret as an authenticator app reads it from a picture (the format of Google Authenticator, which all
/// of them read).
fn qr_of(person: &SignedIn, letters: &str) -> Option<Qr> {
    let plain = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let issuer = plain(&format!("touban {}", person.association.name));
    let account = plain(person.member.email.as_deref().unwrap_or_default());
    let text = format!("otpauth://totp/{issuer}:{account}?secret={letters}&issuer={issuer}");
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L).ok()?;
    let width = code.width();
    // A quiet zone of four squares on each side (ISO/IEC 18004 §5.3.8).
    let mut path = String::new();
    for (n, colour) in code.to_colors().into_iter().enumerate() {
        if colour == qrcode::Color::Dark {
            let (x, y) = (n % width + 4, n / width + 4);
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    Some(Qr { size: width + 8, path })
}

async fn password_page(
    caller: &Caller,
    person: &SignedIn,
    password_problem: Option<String>,
    code_problem: Option<String>,
) -> Result<Response, Failure> {
    let app = &caller.web.app;
    let letters = app.totp_letters(person).await?;
    let there = app.means(&person.association.id, &person.member.id).await?.password;
    if letters.is_none() && !there {
        return Ok(caller.go_and_say(back_of(caller), "means-too-late"));
    }
    let grouped: Vec<String> = letters
        .as_ref()
        .map(|l| l.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect())
        .unwrap_or_default();
    let view = MyPassword {
        shell: caller.shell_at(MEANS, "/me/sign-in/password"),
        qr: letters.as_ref().and_then(|letters| qr_of(person, letters)),
        letters: grouped.join(" "),
        may_keep: letters.is_some() && there,
        password_problem,
        code_problem,
        back: back_of(caller),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /me/sign-in/password`
pub(super) async fn password(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    password_page(&caller, proven(&caller, None)?, None, None).await
}

/// `POST /me/sign-in/password`
pub(super) async fn password_put(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    person(&caller)?;
    fields.check(&caller, MEANS)?;
    fields.key("password_put")?;
    // Not carried past the page that asks again: a password stands in no page of ours.
    let person = proven(&caller, None)?;
    let put = caller.web.app.password_put(person, fields.get("password"), fields.get("code")).await?;
    let say = |key: &str| Some(t(caller.lang, key));
    match put {
        Enrolled::Done { session, codes } => Ok(enrolled(&caller, person, session, codes)),
        Enrolled::CodeWrong => password_page(&caller, person, None, say("password-code-wrong")).await,
        Enrolled::Password(wrong) => {
            let key = match wrong {
                PasswordWrong::TooShort => "password-too-short",
                PasswordWrong::TooLong => "password-too-long",
                PasswordWrong::TooEasy => "password-too-easy",
            };
            password_page(&caller, person, say(key), None).await
        }
        Enrolled::Refused | Enrolled::TooLate => Ok(caller.go_and_say(back_of(&caller), "means-too-late")),
    }
}

/// `POST /me/sign-in/password/remove`
pub(super) async fn password_remove(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    person(&caller)?;
    fields.check(&caller, MEANS)?;
    fields.key("password_remove")?;
    let person = proven(&caller, Some(&fields))?;
    removed(&caller, caller.web.app.password_remove(person).await?)
}

/// `POST /me/sign-in/codes`: shown this once.
pub(super) async fn codes(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    person(&caller)?;
    fields.check(&caller, MEANS)?;
    fields.key("codes")?;
    let person = proven(&caller, Some(&fields))?;
    let codes = caller.web.app.recovery_codes_new(person).await?;
    Ok(codes_page(&caller, person, codes, None, HERE))
}

/// `GET /me/sessions`
pub(super) async fn sessions(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let voice = voice(&caller);
    let at = |key: &str, at| t_with(caller.lang, key, &[("when", &voice.moment(at))]);
    let rows = caller.web.app.sessions(person).await?;
    let notice = caller.said().filter(|said| is_ours(said)).map(|said| t(caller.lang, said));
    let used = notice.is_some();
    let view = MySessions {
        shell: caller.shell(SESSIONS),
        notice,
        rows: rows
            .into_iter()
            .map(|row| SessionLine {
                this: row.id == person.session,
                means: voice.word("means", &row.means),
                since: at("sessions-since", row.created),
                seen: at("sessions-seen", row.seen),
                id: row.id.to_string(),
            })
            .collect(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// `POST /me/sessions/{id}/end`
pub(super) async fn session_end(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    fields.check(&caller, SESSIONS)?;
    let id = SessionId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if !caller.web.app.sessions(person).await?.iter().any(|row| row.id == id) {
        return Err(Failure::not_found());
    }
    fields.key("session_end")?;
    caller.web.app.session_end(person, &id).await?;
    Ok(caller.go_and_say("/me/sessions", "sessions-ended"))
}

/// `POST /me/sessions/end-all`
pub(super) async fn end_all(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    fields.check(&caller, SESSIONS)?;
    fields.key("end_all")?;
    caller.web.app.sign_out_everywhere(person).await?;
    Ok(with(with(see_other("/"), caller.forget(Cookie::Session)), caller.forget(Cookie::Device)))
}
