//! The rota's pages: who is on (`board`), making it (`editor`, `publish`), wishes, changes after publishing, what it
//! counts for, what it is judged by; sheets to be printed, lists taken out, links for calendars, sheets of offices read
//! in. One file a subject; what the desk's pages share stands here.

mod board;
pub(super) mod calendar;
mod changes;
mod counts;
pub(super) mod desk;
mod editor;
pub(super) mod files;
mod index;
pub(super) mod paper;
mod publish;
mod say;
mod settings;
pub(super) mod sheets;
mod wish_link;
mod wishes;
mod year;

pub(super) use settings::{read_reminders, time_of_day};
pub(super) use wish_link::page as wishes_by_link;

use axum::Router;
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
use crate::web::Web;

/// The routes of this room.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .merge(desk::routes())
        .merge(calendar::routes())
        .merge(files::routes())
        .merge(paper::routes())
        .merge(sheets::routes())
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
