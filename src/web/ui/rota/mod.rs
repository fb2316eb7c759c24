//! The rota's pages: who is on (`board`), making it (`editor`, `publish`), wishes, changes after publishing, what it
//! counts for, and what it is judged by. One file a subject; what is shared between them stands here.

mod board;
mod changes;
mod counts;
mod editor;
mod index;
mod publish;
mod say;
mod settings;
mod wishes;

use axum::response::Response;
use chrono::NaiveTime;
use chrono_tz::Tz;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::narrow;
use super::words::Voice;
use crate::domain::calendar::{CivilDate, instant_of, written_date};
use crate::domain::people::rights::Right;
use crate::i18n::{has, t};
use crate::time::Millis;

pages! {
    get "/duty" => board::home;
    get "/public/{code}/duty" => board::public;
    get "/rota" => index::index;
    post "/rota" => index::add;
    get "/rota/drafts/{id}" => editor::draft;
    post "/rota/drafts/{id}/seat" => editor::set;
    post "/rota/drafts/{id}/undo" => editor::undo;
    post "/rota/drafts/{id}/redo" => editor::redo;
    post "/rota/drafts/{id}/copy" => editor::copy;
    post "/rota/drafts/{id}/draw" => editor::draw;
    post "/rota/drafts/{id}/drop" => editor::drop_draft;
    get "/rota/drafts/{id}/fill" => editor::fill;
    post "/rota/drafts/{id}/fill" => editor::filled;
    get "/rota/drafts/{id}/publish" => publish::preview;
    post "/rota/drafts/{id}/publish" => publish::publish;
    get "/rota/publications/{id}" => publish::publication;
    get "/rota/changes" => changes::list;
    post "/rota/changes" => changes::add;
    post "/rota/changes/{id}/withdraw" => changes::withdraw;
    get "/rota/holes" => changes::holes;
    get "/rota/counts" => counts::show;
    post "/rota/counts/close" => counts::close;
    get "/rota/settings" => settings::show;
    post "/rota/settings" => settings::save;
    get "/rota/settings/slots" => settings::slots;
    post "/rota/settings/slots" => settings::save_slots;
    get "/rota/wishes" => wishes::list;
    post "/rota/wishes" => wishes::open;
    get "/rota/wishes/{id}" => wishes::round;
    post "/rota/wishes/{id}/until" => wishes::until;
    post "/rota/wishes/{id}/remind" => wishes::remind;
    get "/rota/wishes/{id}/for/{member}" => wishes::for_member;
    post "/rota/wishes/{id}/for/{member}" => wishes::write_for;
    get "/me/wishes" => wishes::mine;
    get "/me/wishes/{id}" => wishes::own;
    post "/me/wishes/{id}" => wishes::write_own;
}

const ROTA: Binding<'static> = Binding::Page("rota");

/// What an address says; one that says something twice says its last.
type Asked = axum::extract::Query<std::collections::BTreeMap<String, String>>;

fn asked<'a>(query: &'a Asked, name: &str) -> &'a str {
    query.0.get(name).map_or("", |value| value.trim())
}

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// A text that was meant as a day or a moment and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unreadable;

/// A day as typed; `None` where nothing was.
fn read_day(day: &str) -> Result<Option<CivilDate>, Unreadable> {
    match day.trim() {
        "" => Ok(None),
        day => written_date(day).map(Some).map_err(|_| Unreadable),
    }
}

/// A moment as typed in two fields, midnight without a time; `None` where nothing was.
fn read_moment(zone: Tz, day: &str, time: &str) -> Result<Option<Millis>, Unreadable> {
    let time = narrow(time);
    let Some(day) = read_day(day)? else {
        return if time.is_empty() { Ok(None) } else { Err(Unreadable) };
    };
    let time = match time.as_str() {
        "" => NaiveTime::MIN,
        time => NaiveTime::parse_from_str(time, "%H:%M").map_err(|_| Unreadable)?,
    };
    Ok(Some(instant_of(day, time, zone)))
}

/// What the last step said, for a page that says it once.
fn said(caller: &Caller) -> Option<String> {
    let code = caller.said().filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))?;
    let key = format!("rota-said-{code}");
    has(caller.lang, &key).then(|| t(caller.lang, &key))
}

/// Where somebody goes who may not enter.
type Instead = Box<Result<Response, Failure>>;

/// The signed-in reader with a right, or where to go first.
fn enter(caller: &Caller, right: Right) -> Result<&crate::app::access::SignedIn, Instead> {
    if caller.signed_in.is_none() {
        return Err(Box::new(Ok(caller.to_sign_in())));
    }
    caller.with_right(right).map_err(|failure| Box::new(Err(failure)))
}
