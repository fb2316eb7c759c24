//! Asking for night cover: by the doctor, or typed in by the office from a sheet or a call.

use axum::extract::Path;
use axum::response::Response;
use chrono::NaiveTime;

use crate::app::AppError;
use crate::app::consult::Asking;
use crate::domain::calendar::{CivilDate, civil_day, instant_of, written_date};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::cover::{Manner, NewCover};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::time::Millis;
use crate::web::rate::Purpose;

use super::super::asker::{Asker, Asks};
use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::people::channel_of;
use super::super::views::covers::CoverAskPage;
use super::super::views::people::channels;
use super::super::views::{Choices, Field, render};
use super::super::words::Voice;
use super::{COVERS, first_asked, voice};

const COVER: Asks = Asks { right: Right::Ask, place: "/covers", word: "cover" };

/// `GET /covers/new`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Asker::own(&caller, &COVER)?, None, &[]).await
}

/// `GET /people/{id}/for/cover`
pub(super) async fn form_for(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let asker = Asker::of(&caller, &COVER, &id).await?;
    page(&caller, &asker, None, &[]).await
}

/// `POST /covers`
pub(super) async fn ask(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let asker = Asker::own(&caller, &COVER)?;
    send(&caller, &asker, &fields).await
}

/// `POST /people/{id}/for/cover`
pub(super) async fn ask_for(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let asker = Asker::of(&caller, &COVER, &id).await?;
    send(&caller, &asker, &fields).await
}

/// The next weekend: from Friday evening to Monday morning.
fn weekend(voice: Voice) -> [(&'static str, String); 4] {
    let today = civil_day(voice.now, voice.zone);
    let friday = (1..=7).map(|n| today.plus_days(n)).find(|d| d.weekday() == chrono::Weekday::Fri);
    let friday = friday.unwrap_or(today);
    [
        ("from_date", friday.to_string()),
        ("from_time", "18:00".to_owned()),
        ("to_date", friday.plus_days(3).to_string()),
        ("to_time", "08:00".to_owned()),
    ]
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
    let usual = weekend(voice);
    let problem =
        |name: &str| problems.iter().find(|(field, _)| *field == name).map(|(_, text)| text.clone());
    let field = |name: &str| {
        let known = usual.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone());
        let value = typed.map_or_else(|| known.unwrap_or_default(), |fields| fields.get(name).to_owned());
        Field { value, problem: problem(name) }
    };
    let chosen = |name: &str, usual: &str| match typed.map_or("", |fields| fields.get(name)) {
        "" => usual.to_owned(),
        typed => typed.to_owned(),
    };
    let choices = |name: &str, codes: &[&str], usual: &str| Choices {
        problem: problem(name),
        ..voice.choices(&format!("cover-{name}"), codes.iter().copied(), &chosen(name, usual))
    };
    let view = CoverAskPage {
        shell: caller.shell_at(COVERS, &asker.path()),
        deputies: match &asker.member.institution {
            Some(clinic) => first_asked(caller, clinic).await?,
            None => None,
        },
        banner: asker
            .by_office
            .then(|| t_with(caller.lang, "for-banner-cover", &[("name", &voice.name(&asker.member))])),
        action: asker.action(),
        back: "/covers".to_owned(),
        problem: problem("asker"),
        from_date: field("from_date"),
        from_time: field("from_time"),
        to_date: field("to_date"),
        to_time: field("to_time"),
        scope: choices("scope", &["all", "some"], "all"),
        patients: field("patients"),
        manner: choices("manner", &Manner::ALL.map(Manner::code), "visit"),
        note: field("note"),
        channel: asker.by_office.then(|| channels(caller.lang, &chosen("channel", ""), problem("channel"))),
        sheet_href: asker.by_office.then(|| format!("/people/{}/for/cover/sheet", asker.member.id)),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

fn day_of(typed: &str) -> Option<CivilDate> {
    let plain = narrow(typed);
    plain.trim().parse().ok().or_else(|| written_date(plain.trim()).ok())
}

fn time_of(typed: &str) -> Option<NaiveTime> {
    let plain = narrow(typed).replace('：', ":");
    let (hour, minute) = plain.trim().split_once(':')?;
    NaiveTime::from_hms_opt(hour.parse().ok()?, minute.get(..2).unwrap_or(minute).parse().ok()?, 0)
}

/// The instant that two fields name, or what is wrong with which of them.
fn instant(voice: Voice, fields: &Fields, [day, time]: [&'static str; 2]) -> Result<Millis, Problem> {
    let say = |field: &'static str, key: &str| Err((field, t(voice.lang, key)));
    let Some(date) = day_of(fields.get(day)) else { return say(day, "ask-not-a-date") };
    let Some(clock) = time_of(fields.get(time)) else { return say(time, "ask-not-a-time") };
    Ok(instant_of(date, clock, voice.zone))
}

/// The words for a field that cannot be taken, and where they stand.
fn words(voice: Voice, wrong: &FieldWrong) -> Problem {
    let field = match wrong.field {
        "from" => "from_date",
        "to" => "to_date",
        other => other,
    };
    let key = match (wrong.field, wrong.wrong) {
        ("from", Wrong::TooSoon) => "cover-wrong-past",
        ("from", Wrong::TooLate) => "cover-wrong-far",
        ("from", Wrong::Taken) => "cover-wrong-overlap",
        ("to", Wrong::OutOfRange) => "cover-wrong-reversed",
        ("to", Wrong::TooLate) => "cover-wrong-long",
        ("patients", Wrong::Missing) => "cover-wrong-patients",
        ("asker", _) => "cover-wrong-asker",
        _ => return (field, Voice::wrong(voice.lang, wrong)),
    };
    (field, t(voice.lang, key))
}

async fn send(caller: &Caller, asker: &Asker, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, COVERS)?;
    let key = fields.key(&format!("POST {}", asker.action()))?;
    caller.limit(Purpose::Create)?;
    let voice = voice(caller);
    let mut problems = Vec::new();
    let mut read = |names| match instant(voice, fields, names) {
        Ok(at) => Some(at),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let (from, to) = (read(["from_date", "from_time"]), read(["to_date", "to_time"]));
    let channel = if asker.by_office { channel_of(fields) } else { Some("web") };
    if channel.is_none() {
        problems.push(("channel", t(caller.lang, "swap-problem-channel")));
    }
    let manner = Manner::from_code(fields.get("manner"));
    if manner.is_none() {
        problems.push(("manner", Voice::wrong_code(caller.lang, "not_a_choice")));
    }
    let patients = (fields.get("scope") == "some").then(|| {
        let lines = fields.text("patients");
        lines.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    let (Some(from), Some(to), Some(channel), Some(manner)) = (from, to, channel, manner) else {
        return page(caller, asker, Some(fields), &problems).await;
    };
    let new = NewCover { window: (from, to), patients, manner, note: fields.text("note") };
    let asking = Asking { asker: asker.member.id.clone(), in_person: !asker.by_office, channel };
    match caller.web.app.cover_ask(&asker.who(caller)?, asking, new, Some(&key)).await {
        Ok(made) => {
            let made = made.into_inner();
            Ok(caller.go_and_say(&format!("/covers/{}", made.request), "cover-asked"))
        }
        Err(AppError::Invalid(wrong)) => {
            let problems: Vec<Problem> = wrong.iter().map(|w| words(voice, w)).collect();
            page(caller, asker, Some(fields), &problems).await
        }
        Err(e) => Err(e.into()),
    }
}
