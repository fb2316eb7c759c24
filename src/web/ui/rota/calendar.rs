//! One's own links for calendar programs: made, shown once, ended.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::people::qr_image;
use super::super::views::paper::{FeedLine, FeedShown, MyCalendar};
use super::super::views::{Choice, Choices, Hidden, render};
use super::super::words::Voice;
use crate::app::access::SignedIn;
use crate::app::rota::RotaWorld;
use crate::app::rota::feeds::FeedMade;
use crate::app::rota::lists::role_name;
use crate::domain::people::rights::Right;
use crate::domain::rota::{Area, RotaRole};
use crate::i18n::{Lang, t, t_with};
use crate::ids::CalendarFeedId;
use crate::seal::Secret;

pages! {
    get "/me/calendar" => show;
    post "/me/calendar" => make;
    post "/me/calendar/{id}/revoke" => revoke;
}

const CALENDAR: Binding<'static> = Binding::Page("calendar");

/// Whoever holds duty or keeps the rota.
fn person(caller: &Caller) -> Result<&SignedIn, Failure> {
    let person = caller.signed_in.as_ref();
    person.filter(|p| p.may(Right::Ask) || p.may(Right::Board)).ok_or(Failure::not_found())
}

fn line_name(world: &RotaWorld, line: Option<&(Area, RotaRole)>, lang: Lang) -> String {
    match line {
        None => t(lang, "calendar-own"),
        Some((area, role)) => {
            let role = role_name(*role, lang);
            t_with(lang, "calendar-line", &[("area", world.area_name(area)), ("role", &role)])
        }
    }
}

fn code_of(line: Option<&(Area, RotaRole)>) -> String {
    line.map_or_else(|| "own".to_owned(), |(area, role)| format!("{}/{area}", role.code()))
}

/// What a link may be of: one's own duties first, then every role of every area.
fn lines(person: &SignedIn, world: &RotaWorld) -> Vec<Option<(Area, RotaRole)>> {
    let own = person.may(Right::Ask).then_some(None);
    let lines =
        world.settings.areas.iter().flat_map(|area| {
            [RotaRole::Primary, RotaRole::Deputy].map(|role| Some((area.key.clone(), role)))
        });
    own.into_iter().chain(lines).collect()
}

async fn page(
    caller: &Caller,
    person: &SignedIn,
    shown: Option<(Option<(Area, RotaRole)>, Secret)>,
    notice: Option<String>,
) -> Result<Response, Failure> {
    let (app, lang) = (&caller.web.app, caller.lang);
    let world = app.rota_world(&person.association.id).await?;
    let voice = Voice { lang, zone: caller.zone(), now: caller.now };
    let links = app.feeds(&person.association.id, &person.member.id).await?;
    let links = links.iter().map(|feed| FeedLine {
        id: feed.id.to_string(),
        name: line_name(&world, feed.line.as_ref(), lang),
        made: t_with(lang, "calendar-made", &[("time", &voice.moment(feed.made_at))]),
    });
    let option = |(n, line): (usize, Option<(Area, RotaRole)>)| Choice {
        value: code_of(line.as_ref()),
        label: line_name(&world, line.as_ref(), lang),
        note: None,
        chosen: n == 0,
    };
    let what = Choices {
        options: lines(person, &world).into_iter().enumerate().map(option).collect(),
        problem: None,
    };
    let shown = shown.map(|(line, token)| {
        let address = format!("{}/feeds/{}/duty.ics", app.rules.base_url, token.as_str());
        let bare = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
        FeedShown {
            name: line_name(&world, line.as_ref(), lang),
            webcal: Hidden(format!("webcal://{bare}")),
            qr: qr_image(&format!("webcal://{bare}")),
            address: Hidden(address.clone()),
        }
    });
    let said = caller.said().filter(|said| *said == "calendar-revoked").map(|said| t(lang, said));
    let used = said.is_some();
    let view = MyCalendar {
        shell: caller.shell_at(CALENDAR, "/me/calendar"),
        notice: notice.or(said),
        shown,
        links: links.collect(),
        what,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// `GET /me/calendar`
async fn show(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, person(&caller)?, None, None).await
}

/// `POST /me/calendar`: `what`. The answer itself shows the link, because it stands nowhere else.
async fn make(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = person(&caller)?;
    fields.check(&caller, CALENDAR)?;
    let key = fields.key("POST /me/calendar")?;
    let app = &caller.web.app;
    let world = app.rota_world(&person.association.id).await?;
    let wanted = lines(person, &world).into_iter().find(|line| code_of(line.as_ref()) == fields.get("what"));
    let Some(line) = wanted else { return Err(Failure::not_found()) };
    match app.feed_make(&person.who(), &person.member.id, line.clone(), Some(&key)).await? {
        FeedMade::Shown { token, .. } => page(&caller, person, Some((line, token)), None).await,
        FeedMade::ShownBefore => {
            page(&caller, person, None, Some(t(caller.lang, "calendar-shown-before"))).await
        }
        FeedMade::TooMany => page(&caller, person, None, Some(t(caller.lang, "calendar-too-many"))).await,
    }
}

/// `POST /me/calendar/{id}/revoke`
async fn revoke(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let person = person(&caller)?;
    let id = CalendarFeedId::from_stored(&id).map_err(|_| Failure::not_found())?;
    fields.check(&caller, CALENDAR)?;
    let app = &caller.web.app;
    let own = app.feeds(&person.association.id, &person.member.id).await?;
    if !own.iter().any(|feed| feed.id == id) {
        return Err(Failure::not_found());
    }
    let key = fields.key(&format!("POST /me/calendar/{id}/revoke"))?;
    app.feed_end(&person.who(), &person.member.id, &id, Some(&key)).await?;
    Ok(caller.go_and_say("/me/calendar", "calendar-revoked"))
}
