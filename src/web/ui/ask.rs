//! Asking for a consult: the form, and the form again with what was typed. What can be taken is decided in
//! `domain::consult`.

use axum::response::Response;
use chrono::NaiveTime;

use crate::app::consult::Asking;
use crate::app::rows::Member;
use crate::app::{AppError, Who};
use crate::domain::calendar::{CivilDate, civil_day, instant_of, start_of_day};
use crate::domain::consult::{
    CONDITIONS, DECADES, FieldWrong, LONG_TEXT, NewConsult, SEXES, SHORT_TEXT, SOONEST_S, TRAVEL, Wrong,
};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::time::Millis;
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::people::channel_of;
use super::views::people::channels;
use super::views::{Choice, Choices, ConsultNew, Field, render};
use super::words::Voice;

const ASK: Binding<'static> = Binding::Page("ask");

/// When "within three days" and "tomorrow" end, hours of the wall clock.
const NOON: u32 = 12;
const EVENING: u32 = 18;

fn at_hour(date: CivilDate, hour: u32, voice: Voice) -> Millis {
    instant_of(date, NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default(), voice.zone)
}

/// The instant of a ready choice of "by when"; `None` for the others, and for a day that is nearly over.
fn ready_time(choice: &str, voice: Voice) -> Option<Millis> {
    let today = civil_day(voice.now, voice.zone);
    match choice {
        // The last minute of the day: midnight would read as tomorrow.
        "today" => Some(start_of_day(today.plus_days(1), voice.zone).plus_s(-60))
            .filter(|end| voice.now.plus_s(SOONEST_S) <= *end),
        "tomorrow_noon" => Some(at_hour(today.plus_days(1), NOON, voice)),
        "three_days" => Some(at_hour(today.plus_days(3), EVENING, voice)),
        _ => None,
    }
}

/// `GET /consults/new`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return Ok(caller.to_sign_in());
    };
    if !person.may(Right::Ask) {
        return Err(Failure::not_found());
    }
    page(&caller, None, &Fields::default(), &[], None).await
}

/// The same form, filled in by the office in a doctor's name.
pub(super) async fn form_for(caller: &Caller, asker: &Member) -> Result<Response, Failure> {
    page(caller, Some(asker), &Fields::default(), &[], None).await
}

/// A field's name and what to say beside it.
type Problem = (&'static str, String);

async fn page(
    caller: &Caller,
    in_name_of: Option<&Member>,
    typed: &Fields,
    problems: &[Problem],
    notice: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.person()?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let app = &caller.web.app;
    let specialties = app.specialties(&person.association.id).await?;
    let areas = app.areas(&person.association.id).await?;
    let problem =
        |name: &str| problems.iter().find(|(field, _)| *field == name).map(|(_, text)| text.clone());
    let field = |name: &str| Field { value: typed.get(name).to_owned(), problem: problem(name) };
    let choices = |name: &str, prefix: &str, codes: &[&str]| {
        let found = voice.choices(prefix, codes.iter().copied(), typed.get(name));
        Choices { problem: problem(name), ..found }
    };
    let specialties: Vec<&str> = specialties.iter().map(|(code, _)| code.as_str()).collect();
    let decades: Vec<String> = DECADES.iter().map(u32::to_string).collect();
    let decades: Vec<&str> = decades.iter().map(String::as_str).collect();
    let by: Vec<&str> = ["now", "today", "tomorrow_noon", "three_days", "own"]
        .into_iter()
        .filter(|code| matches!(*code, "now" | "own") || ready_time(code, voice).is_some())
        .collect();
    let mut answer_by = choices("answer_by", "by", &by);
    for option in &mut answer_by.options {
        option.note = ready_time(&option.value, voice).map(|at| voice.moment(at));
    }
    let area = areas.iter().map(|area| Choice {
        value: area.clone(),
        label: area.clone(),
        note: None,
        chosen: typed.get("area") == area,
    });
    let channel = in_name_of.map(|_| channels(caller.lang, typed.get("channel"), problem("channel")));
    let view = ConsultNew {
        shell: caller.shell_at(ASK, "/consults/new"),
        action: action(in_name_of),
        in_name_of: in_name_of
            .map(|asker| t_with(caller.lang, "for-banner-ask", &[("name", &voice.name(asker))])),
        channel,
        notice,
        specialty: choices("specialty", "specialty", &specialties),
        wish: choices("wish", "wish", &["advice", "visit"]),
        answer_by,
        own_date: field("own_date"),
        own_time: field("own_time"),
        decade: choices("decade", "decade", &decades),
        sex: choices("sex", "sex", SEXES),
        area: Choices { options: area.collect(), problem: problem("area") },
        condition: choices("condition", "condition", CONDITIONS),
        can_travel: choices("can_travel", "travel", TRAVEL),
        question: field("question"),
        tried: field("tried"),
        patient_ref: field("patient_ref"),
        details: field("details"),
        urgent_phone: person.association.office_phone.clone(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

fn action(in_name_of: Option<&Member>) -> String {
    in_name_of.map_or_else(|| "/consults".to_owned(), |asker| format!("/people/{}/for/new", asker.id))
}

/// `POST /consults`
pub(super) async fn ask(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    if !person.may(Right::Ask) {
        return Err(Failure::not_found());
    }
    take_down(&caller, &person.who(), None, &fields).await
}

/// Takes the form down in a doctor's name; `who` says so.
pub(super) async fn ask_for(
    caller: &Caller,
    who: &Who,
    asker: &Member,
    fields: &Fields,
) -> Result<Response, Failure> {
    take_down(caller, who, Some(asker), fields).await
}

async fn take_down(
    caller: &Caller,
    who: &Who,
    in_name_of: Option<&Member>,
    fields: &Fields,
) -> Result<Response, Failure> {
    let person = caller.person()?;
    if fields.check(caller, ASK).is_err() {
        let notice = t(caller.lang, "ask-send-again");
        return page(caller, in_name_of, fields, &[], Some(notice)).await;
    }
    let key = fields.key(&format!("POST {}", action(in_name_of)))?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let (answer_by, mut problems) = match answer_by(fields, voice) {
        Ok(at) => (at, Vec::new()),
        // Something that can be taken, so that the other fields are looked at too.
        Err(problem) => (caller.now.plus_s(86_400), vec![problem]),
    };
    if !matches!(fields.get("wish"), "advice" | "visit") {
        problems.push(("wish", t(caller.lang, "ask-missing-wish")));
    }
    let channel = if in_name_of.is_some() { channel_of(fields) } else { Some("web") };
    if channel.is_none() {
        problems.push(("channel", t(caller.lang, "for-channel-missing")));
    }
    let new = NewConsult {
        specialty: fields.get("specialty").to_owned(),
        visit: fields.get("wish") == "visit",
        area: fields.text("area"),
        answer_by,
        decade: fields.get("decade").parse().unwrap_or(u32::MAX),
        sex: fields.get("sex").to_owned(),
        condition: fields.get("condition").to_owned(),
        can_travel: fields.get("can_travel").to_owned(),
        question: fields.text("question"),
        tried: fields.text("tried"),
        patient_ref: fields.text("patient_ref"),
        details: fields.text("details"),
    };
    let own = fields.get("answer_by") == "own";
    let (Some(channel), true) = (channel, problems.is_empty()) else {
        let specialties = caller.web.app.specialties(&person.association.id).await?;
        let specialties: Vec<String> = specialties.into_iter().map(|(code, _)| code).collect();
        let wrong = new.wrong_fields(caller.now, &specialties);
        problems.extend(wrong.iter().map(|w| say(w, own, voice)));
        return page(caller, in_name_of, fields, &problems, None).await;
    };
    caller.limit(Purpose::Create)?;
    let asker = in_name_of.map_or(&person.member.id, |asker| &asker.id);
    let asking = Asking { asker: asker.clone(), in_person: in_name_of.is_none(), channel };
    match caller.web.app.consult_ask(who, asking, new, Some(&key)).await {
        Ok(done) => {
            let asked = done.into_inner();
            // What was written stays with the doctors: the office sees the case on its board.
            Ok(match in_name_of {
                None => caller.go_and_say(&format!("/consults/{}", asked.request), "sent"),
                Some(asker) => caller.go_and_say(&format!("/people/{}/for", asker.id), "for-asked"),
            })
        }
        // The asker left, or belongs to no institution.
        Err(AppError::Invalid(wrong)) if wrong.iter().any(|w| w.field == "asker") => {
            Err(Failure::forbidden())
        }
        Err(AppError::Invalid(wrong)) => {
            let problems: Vec<Problem> = wrong.iter().map(|w| say(w, own, voice)).collect();
            page(caller, in_name_of, fields, &problems, None).await
        }
        Err(e) => Err(Failure::from(e).back_to("/consults")),
    }
}

fn answer_by(fields: &Fields, voice: Voice) -> Result<Millis, Problem> {
    let problem = |field, key: &str| Err((field, t(voice.lang, key)));
    match fields.get("answer_by") {
        // 急ぎは電話で: never taken here, whatever else is filled in.
        "now" => problem("answer_by", "ask-urgent-not-here"),
        "own" => {
            let (date, time) = (narrow(fields.get("own_date")), narrow(fields.get("own_time")));
            if date.is_empty() {
                return problem("own_date", "ask-missing-own-date");
            }
            if time.is_empty() {
                return problem("own_time", "ask-missing-own-time");
            }
            let Some(date) = read_date(&date, civil_day(voice.now, voice.zone)) else {
                return problem("own_date", "ask-not-a-date");
            };
            let Some(time) = read_time(&time) else {
                return problem("own_time", "ask-not-a-time");
            };
            Ok(instant_of(date, time, voice.zone))
        }
        choice => match ready_time(choice, voice) {
            Some(at) => Ok(at),
            None => problem("answer_by", "ask-missing-answer-by"),
        },
    }
}

/// The numbers in a text; `None` when one of them is too large to be meant.
fn numbers(text: &str) -> Option<Vec<u32>> {
    let parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

/// A day as the browser writes it or as people do: `2026-11-21`, `2026/11/21`, `R8.11.21`,
/// `令和8年11月21日`, `11月21日`. Already narrow.
fn read_date(text: &str, today: CivilDate) -> Option<CivilDate> {
    let reiwa = text.starts_with("令和") || text.starts_with(['R', 'r']);
    match *numbers(text)?.as_slice() {
        [year, month, day] => {
            let year = i32::try_from(year).ok()?;
            CivilDate::new(if reiwa { year.checked_add(2018)? } else { year }, month, day)
        }
        // Without a year: the next such day.
        [month, day] => [today.year(), today.year() + 1]
            .into_iter()
            .filter_map(|year| CivilDate::new(year, month, day))
            .find(|date| *date >= today),
        _ => None,
    }
}

/// `14:30`, `14時30分`, `14時`. Already narrow.
fn read_time(text: &str) -> Option<NaiveTime> {
    match *numbers(text)?.as_slice() {
        [hour, minute] | [hour, minute, 0] => NaiveTime::from_hms_opt(hour, minute, 0),
        [hour] => NaiveTime::from_hms_opt(hour, 0, 0),
        _ => None,
    }
}

/// What is wrong with a field, in words beside it. `own`: the time was typed, not chosen.
fn say(wrong: &FieldWrong, own: bool, voice: Voice) -> Problem {
    let field = if wrong.field == "answer_by" && own { "own_date" } else { wrong.field };
    let text = match wrong.wrong {
        Wrong::TooSoon => t(voice.lang, "ask-soon"),
        Wrong::TooLate => t(voice.lang, "ask-late-own-date"),
        Wrong::NotText => t(voice.lang, "ask-not-text"),
        Wrong::TooLong => {
            let n = if matches!(field, "area" | "patient_ref") { SHORT_TEXT } else { LONG_TEXT };
            t_with(voice.lang, "ask-too-long", &[("n", &n.to_string())])
        }
        Wrong::Missing | Wrong::NotAChoice | Wrong::OutOfRange | Wrong::Unknown | Wrong::Taken => {
            t(voice.lang, &format!("ask-missing-{}", field.replace('_', "-")))
        }
    };
    (field, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Lang, keys};

    #[test]
    fn days_and_times_are_read_as_people_write_them() {
        let today = CivilDate::new(2026, 11, 20).unwrap();
        let day = |y, m, d| CivilDate::new(y, m, d);
        for text in ["2026-11-21", "2026/11/21", "令和8年11月21日", "R8.11.21", "11月21日", "11/21"] {
            assert_eq!(read_date(text, today), day(2026, 11, 21), "{text}");
        }
        assert_eq!(read_date("1月5日", today), day(2027, 1, 5));
        for text in ["", "明日", "2026-13-01", "99999999999-1-1"] {
            assert_eq!(read_date(text, today), None, "{text}");
        }
        for text in ["14:30", "14時30分", "14:30:00"] {
            assert_eq!(read_time(text), NaiveTime::from_hms_opt(14, 30, 0), "{text}");
        }
        assert_eq!(read_time("25:00"), None);
    }

    #[test]
    fn late_in_the_evening_an_answer_today_is_not_offered() {
        let zone = chrono_tz::Asia::Tokyo;
        let at = |text| Voice { lang: Lang::Ja, zone, now: Millis::parse_rfc3339(text).unwrap() };
        let evening = at("2026-11-20T21:40:00+09:00");
        assert_eq!(evening.moment(ready_time("today", evening).unwrap()), "11月20日（金）23時59分");
        assert_eq!(evening.moment(ready_time("tomorrow_noon", evening).unwrap()), "11月21日（土）正午");
        assert_eq!(evening.moment(ready_time("three_days", evening).unwrap()), "11月23日（月）18時");
        assert_eq!(ready_time("today", at("2026-11-20T23:45:00+09:00")), None);
        assert_eq!(ready_time("now", evening), None);
    }

    #[test]
    fn every_field_that_can_be_wrong_has_its_words() {
        let voice = Voice { lang: Lang::Ja, zone: chrono_tz::UTC, now: Millis(0) };
        let empty = NewConsult {
            specialty: String::new(),
            visit: false,
            area: String::new(),
            answer_by: Millis(0),
            decade: u32::MAX,
            sex: String::new(),
            condition: String::new(),
            can_travel: String::new(),
            question: String::new(),
            tried: "x".repeat(LONG_TEXT + 1),
            patient_ref: "\u{202E}".to_owned(),
            details: String::new(),
        };
        let known = keys(Lang::Ja);
        let wrong = empty.wrong_fields(Millis(0), &[]);
        assert_eq!(wrong.len(), 10);
        for wrong in &wrong {
            let (field, text) = say(wrong, true, voice);
            assert!(!known.contains(&text) && !text.starts_with("ask-"), "{field}: {text}");
        }
    }
}
