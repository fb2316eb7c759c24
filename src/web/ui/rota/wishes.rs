//! Wishes for the next rota: the office opens a collection and sees who has not answered; doctors answer on their own
//! page, or the office types for them.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Binding, Caller, see_other};
use super::super::directory::{day, line, say_wrong};
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::directory::Input;
use super::super::views::wishes::{
    AskedLine, OwnRounds, RoundPage, RoundRow, RoundsPage, SheetLink, SheetPage, WishDay, WishMonth,
};
use super::super::views::{Field, render};
use super::super::words::Voice;
use super::{ROTA, changes, editor, enter, read_day, read_moment, said, say, voice};
use crate::app::access::SignedIn;
use crate::app::rota::RotaWorld;
use crate::app::rota::wishes::{RoundView, SheetWritten, WishRound};
use crate::app::{AppError, Who};
use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::domain::rota::{Month, WishSheet, WishSource, Wished, WishedDays};
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, WishRoundId};

/// A strong wish.
const STRONG: u32 = 5;

fn round_id(path: &str) -> Result<WishRoundId, Failure> {
    WishRoundId::from_stored(path).map_err(|_| Failure::not_found())
}

fn period(voice: Voice, round: &WishRound) -> String {
    say::days(voice, round.first, round.last)
}

fn state(voice: Voice, round: &WishRound) -> String {
    if round.is_open(voice.now) {
        t_with(voice.lang, "wishes-until", &[("time", &voice.moment(round.deadline))])
    } else {
        t(voice.lang, "wishes-closed")
    }
}

/// `GET /rota/wishes`
pub(in crate::web::ui) async fn list(caller: Caller) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Rota) {
        return *instead;
    }
    rounds_page(&caller, &Fields::default(), &[]).await
}

fn round_inputs(caller: &Caller, typed: &Fields) -> Vec<Input> {
    vec![
        day(caller, "first", "wishes-first", typed.get("first")),
        day(caller, "last", "wishes-last", typed.get("last")),
        day(caller, "deadline", "wishes-deadline-day", typed.get("deadline")),
        line(caller, "time", "wishes-deadline-time", typed.get("time"), "text"),
    ]
}

async fn rounds_page(caller: &Caller, typed: &Fields, wrong: &[FieldWrong]) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let voice = voice(caller);
    let mut inputs = round_inputs(caller, typed);
    let problem = say_wrong(caller, &mut inputs, wrong);
    let rounds = caller.web.app.wish_rounds(&person.association.id).await?;
    let view = RoundsPage {
        shell: caller.shell_at(ROTA, "/rota/wishes"),
        notice: said(caller),
        problem,
        rows: rounds
            .iter()
            .map(|round| RoundRow {
                href: format!("/rota/wishes/{}", round.id),
                period: period(voice, round),
                state: state(voice, round),
                open: round.is_open(voice.now),
            })
            .collect(),
        inputs,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), caller.said().is_some()))
}

/// `POST /rota/wishes`: opens a collection.
pub(in crate::web::ui) async fn open(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota/wishes")?;
    let mut wrong = Vec::new();
    let mut note = |field: &'static str, why| wrong.push(FieldWrong { field, wrong: why });
    let mut day_of = |field: &'static str| match read_day(fields.get(field)) {
        Ok(Some(day)) => Some(day),
        Ok(None) => {
            note(field, Wrong::Missing);
            None
        }
        Err(_) => {
            note(field, Wrong::NotText);
            None
        }
    };
    let (first, last) = (day_of("first"), day_of("last"));
    let time = fields.text("time");
    let time = if time.is_empty() { "17:00" } else { &time };
    let deadline = match read_moment(caller.zone(), fields.get("deadline"), time) {
        Ok(Some(at)) if !fields.text("deadline").is_empty() => Some(at),
        Ok(_) => {
            note("deadline", Wrong::Missing);
            None
        }
        Err(_) => {
            let field = if fields.text("deadline").is_empty() { "deadline" } else { "time" };
            note(field, Wrong::NotText);
            None
        }
    };
    let (Some(first), Some(last), Some(deadline)) = (first, last, deadline) else {
        return rounds_page(&caller, &fields, &wrong).await;
    };
    let app = &caller.web.app;
    match app.wish_round_open(&person.who(), (first, last), deadline, Some(&key)).await {
        Ok(id) => Ok(see_other(&format!("/rota/wishes/{id}"))),
        Err(AppError::Invalid(wrong)) => rounds_page(&caller, &fields, &wrong).await,
        Err(e) => Err(e.into()),
    }
}

/// `GET /rota/wishes/{id}`
pub(in crate::web::ui) async fn round(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let id = round_id(&id)?;
    let view = caller.web.app.wish_round(&person.association.id, &id).await?;
    Ok(round_page(&caller, &view, Field::default()))
}

fn round_page(caller: &Caller, view: &RoundView, deadline: Field) -> Response {
    let voice = voice(caller);
    let mut people: Vec<&crate::app::rota::wishes::Asked> = view.people.iter().collect();
    let reading = |id: &MemberId| view.world.members.get(id).map(|m| kana::sort_key(&m.kana));
    people.sort_by_key(|asked| (asked.sheet.is_some(), reading(&asked.member), asked.member.clone()));
    let line = |asked: &&crate::app::rota::wishes::Asked| AskedLine {
        name: say::person(voice, &view.world, &asked.member),
        href: format!("/rota/wishes/{}/for/{}", view.round.id, asked.member),
        answered: asked.sheet.as_ref().map(|row| {
            let source = t(voice.lang, &format!("wishes-source-{}", row.source.code()));
            let by = editor::actor(voice, &view.world, &row.recorded_by);
            let values = [("at", &*voice.moment(row.recorded_at)), ("source", &*source), ("who", &*by)];
            t_with(voice.lang, "wishes-answered-at", &values)
        }),
        asked: asked.asked.map(|(at, n)| {
            let values = [("at", voice.moment(at)), ("n", n.to_string())];
            t_with(voice.lang, "wishes-asked-at", &[("at", &values[0].1), ("n", &values[1].1)])
        }),
        days: asked.sheet.as_ref().map_or(0, |row| u32::try_from(row.sheet.days.len()).unwrap_or(u32::MAX)),
        note: asked.sheet.as_ref().map(|row| row.sheet.note.clone()).unwrap_or_default(),
    };
    let silent = view.silent().count();
    let page = RoundPage {
        shell: caller.shell_at(ROTA, &format!("/rota/wishes/{}", view.round.id)),
        notice: said(caller),
        id: view.round.id.to_string(),
        period: period(voice, &view.round),
        state: state(voice, &view.round),
        open: view.round.is_open(voice.now),
        silent: u32::try_from(silent).unwrap_or(u32::MAX),
        people: people.iter().map(line).collect(),
        deadline,
        once: caller.once(),
    };
    caller.page(render(&page), caller.said().is_some())
}

/// `POST /rota/wishes/{id}/until`: another deadline, or the end now.
pub(in crate::web::ui) async fn until(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = round_id(&id)?;
    let app = &caller.web.app;
    let view = app.wish_round(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/wishes/{id}/until"))?;
    let path = format!("/rota/wishes/{id}");
    let again = |wrong: &str| {
        let problem = Some(t(caller.lang, wrong));
        Ok(round_page(&caller, &view, Field { value: fields.text("deadline"), problem }))
    };
    let deadline = match fields.get("do") {
        "close" => None,
        _ => match read_moment(caller.zone(), fields.get("deadline"), "17:00") {
            Ok(Some(at)) if !fields.text("deadline").is_empty() => Some(at),
            _ => return again("wishes-deadline-wrong"),
        },
    };
    match app.wish_round_until(&person.who(), &id, deadline, Some(&key)).await {
        Ok(()) => Ok(caller.go_and_say(&path, if deadline.is_some() { "deadline" } else { "closed" })),
        Err(AppError::Invalid(_)) => again("wishes-deadline-over"),
        Err(e) => Err(e.into()),
    }
}

/// `POST /rota/wishes/{id}/remind`: a mail to everybody who has not answered.
pub(in crate::web::ui) async fn remind(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = round_id(&id)?;
    let app = &caller.web.app;
    let view = app.wish_round(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/wishes/{id}/remind"))?;
    let path = format!("/rota/wishes/{id}");
    if !view.round.is_open(caller.now) {
        return Ok(caller.go_and_say(&path, "wishes-over"));
    }
    app.wish_remind(&person.who(), &id, Some(&key)).await?;
    Ok(caller.go_and_say(&path, "reminded"))
}

/// What a day of a sheet says, as its field has it.
const fn code(wished: Wished) -> &'static str {
    match wished {
        Wished::Unavailable => "no",
        Wished::Off { weight } if weight >= STRONG => "off-much",
        Wished::Off { .. } => "off",
        Wished::On { weight } if weight >= STRONG => "on-much",
        Wished::On { .. } => "on",
    }
}

fn wished(code: &str) -> Option<Wished> {
    match code {
        "no" => Some(Wished::Unavailable),
        "off-much" => Some(Wished::Off { weight: STRONG }),
        "off" => Some(Wished::Off { weight: 1 }),
        "on-much" => Some(Wished::On { weight: STRONG }),
        "on" => Some(Wished::On { weight: 1 }),
        _ => None,
    }
}

/// The days of a period with what is wished for each.
fn by_day(sheet: &WishSheet, round: &WishRound) -> BTreeMap<CivilDate, &'static str> {
    let mut by_day = BTreeMap::new();
    for wish in &sheet.days {
        let length = wish.last.days_since(wish.first).clamp(0, 400);
        for n in 0..=length {
            let day = wish.first.plus_days(n);
            if round.first <= day && day <= round.last {
                by_day.insert(day, code(wish.wished));
            }
        }
    }
    by_day
}

/// The sheet that a form says.
pub(super) fn typed_sheet(fields: &Fields, round: &WishRound) -> Result<WishSheet, &'static str> {
    let mut days: Vec<WishedDays> = Vec::new();
    for n in 0..=round.last.days_since(round.first) {
        let day = round.first.plus_days(n);
        let Some(wished) = wished(fields.get(&format!("d-{day}"))) else { continue };
        match days.last_mut() {
            Some(last) if last.last.plus_days(1) == day && last.wished == wished => last.last = day,
            _ => days.push(WishedDays { first: day, last: day, wished }),
        }
    }
    let most = narrow(fields.get("most"));
    let max_per_month = match most.as_str() {
        "" => None,
        most => Some(most.parse().map_err(|_| "wishes-most-wrong")?),
    };
    let apart = fields.all("apart").filter_map(|id| MemberId::from_stored(id).ok()).collect();
    Ok(WishSheet {
        days,
        phone_only: fields.is_ticked("phone_only"),
        no_deep_night: fields.is_ticked("no_deep_night"),
        max_per_month,
        apart,
        note: fields.text("note"),
    })
}

/// Whose sheet, and where it is posted.
pub(super) struct Whose<'a> {
    pub(super) member: &'a MemberId,
    pub(super) action: String,
    pub(super) back: String,
    /// The office types it.
    pub(super) by_office: bool,
    /// Behind the link of a mail.
    pub(super) link: Option<SheetLink>,
}

pub(super) fn sheet_page(
    caller: &Caller,
    (round, world): (&WishRound, &RotaWorld),
    whose: &Whose<'_>,
    (sheet, answered): (&WishSheet, Option<String>),
    problem: Option<String>,
) -> Response {
    let voice = voice(caller);
    let by_day = by_day(sheet, round);
    let mut months: Vec<WishMonth> = Vec::new();
    let mut open: Option<Month> = None;
    for n in 0..=round.last.days_since(round.first) {
        let day = round.first.plus_days(n);
        let month = Month::of(day);
        if open != Some(month) {
            let (year, number) = (month.year.to_string(), month.month.to_string());
            let name = t_with(voice.lang, "rota-month", &[("year", &year), ("month", &number)]);
            months.push(WishMonth { name, days: Vec::new() });
            open = Some(month);
        }
        if let Some(last) = months.last_mut() {
            last.days.push(WishDay {
                key: day.to_string(),
                name: say::day(voice, day),
                off: world.calendar.is_holiday(day),
                holiday: world.calendar.holiday_name(day).map(str::to_owned),
                wished: by_day.get(&day).copied().unwrap_or_default(),
            });
        }
    }
    let mut people = changes::people_choices(voice, world, "");
    // Names of colleagues are for whoever has proved who they are.
    people.retain(|choice| whose.link.is_none() && choice.value != whose.member.as_str());
    for choice in &mut people {
        choice.chosen = sheet.apart.iter().any(|id| id.as_str() == choice.value);
    }
    let page = SheetPage {
        shell: match &whose.link {
            Some(link) => caller.shell_at(Binding::Link(&link.token.0), "/k"),
            None => caller.shell_at(ROTA, &whose.action),
        },
        banner: whose.by_office.then(|| {
            let name = say::person(voice, world, whose.member);
            t_with(voice.lang, "wishes-for", &[("name", &name)])
        }),
        notice: said(caller),
        problem,
        action: whose.action.clone(),
        back: whose.back.clone(),
        period: period(voice, round),
        state: state(voice, round),
        may_write: whose.by_office || round.is_open(voice.now),
        answered,
        months,
        phone_only: sheet.phone_only,
        no_deep_night: sheet.no_deep_night,
        most: sheet.max_per_month.map(|n| n.to_string()).unwrap_or_default(),
        people,
        note: sheet.note.clone(),
        by_office: whose.by_office,
        link: whose.link.clone(),
        once: caller.once(),
    };
    caller.page(render(&page), caller.said().is_some())
}

async fn show(
    caller: &Caller,
    person: &SignedIn,
    id: &WishRoundId,
    whose: &Whose<'_>,
) -> Result<Response, Failure> {
    let view = caller.web.app.wish_round(&person.association.id, id).await?;
    let takes_part = view.world.members.get(whose.member).is_some_and(|m| view.world.takes_part(m));
    if !takes_part {
        return Err(Failure::not_found());
    }
    let voice = voice(caller);
    let row = view.people.iter().find(|asked| asked.member == *whose.member).and_then(|a| a.sheet.as_ref());
    let answered = row.map(|row| {
        let by = editor::actor(voice, &view.world, &row.recorded_by);
        t_with(voice.lang, "rota-made", &[("at", &voice.moment(row.recorded_at)), ("who", &by)])
    });
    let sheet = row.map(|row| row.sheet.clone()).unwrap_or_default();
    Ok(sheet_page(caller, (&view.round, &view.world), whose, (&sheet, answered), None))
}

async fn write(
    caller: &Caller,
    (person, who): (&SignedIn, &Who),
    id: &WishRoundId,
    whose: &Whose<'_>,
    (fields, source): (&Fields, WishSource),
) -> Result<Response, Failure> {
    let app = &caller.web.app;
    let view = app.wish_round(&person.association.id, id).await?;
    let takes_part = view.world.members.get(whose.member).is_some_and(|m| view.world.takes_part(m));
    if !takes_part {
        return Err(Failure::not_found());
    }
    fields.check(caller, ROTA)?;
    let key = fields.key(&format!("POST {}", whose.action))?;
    let drawn = (&view.round, &view.world);
    let sheet = match typed_sheet(fields, &view.round) {
        Ok(sheet) => sheet,
        Err(wrong) => {
            // Everything but the number that could not be read.
            let blank: Vec<(String, String)> =
                fields.carried("").into_iter().filter(|(name, _)| name != "most").collect();
            let sheet = typed_sheet(&Fields::of(blank), &view.round).unwrap_or_default();
            let problem = Some(t(caller.lang, wrong));
            return Ok(sheet_page(caller, drawn, whose, (&sheet, None), problem));
        }
    };
    match app.wish_sheet_write(who, id, (whose.member, sheet.clone()), source, Some(&key)).await? {
        SheetWritten::Done { .. } => Ok(caller.go_and_say(&whose.back, "sheet")),
        SheetWritten::Closed => {
            let problem = Some(t(caller.lang, "wishes-closed-now"));
            Ok(sheet_page(caller, drawn, whose, (&sheet, None), problem))
        }
        SheetWritten::Wrong(fields) => {
            let key =
                if fields.iter().any(|f| f == "note") { "wishes-note-long" } else { "wishes-most-wrong" };
            Ok(sheet_page(caller, drawn, whose, (&sheet, None), Some(t(caller.lang, key))))
        }
        SheetWritten::NotFound => Err(Failure::not_found()),
    }
}

fn member_id(path: &str) -> Result<MemberId, Failure> {
    MemberId::from_stored(path).map_err(|_| Failure::not_found())
}

fn theirs<'a>(id: &WishRoundId, member: &'a MemberId) -> Whose<'a> {
    let back = format!("/rota/wishes/{id}");
    Whose { member, action: format!("{back}/for/{member}"), back, by_office: true, link: None }
}

fn ones_own<'a>(id: &WishRoundId, member: &'a MemberId) -> Whose<'a> {
    let action = format!("/me/wishes/{id}");
    Whose { member, action, back: "/me/wishes".to_owned(), by_office: false, link: None }
}

/// `GET /rota/wishes/{id}/for/{member}`
pub(in crate::web::ui) async fn for_member(
    caller: Caller,
    Path((id, member)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let (id, member) = (round_id(&id)?, member_id(&member)?);
    show(&caller, person, &id, &theirs(&id, &member)).await
}

/// `POST /rota/wishes/{id}/for/{member}`
pub(in crate::web::ui) async fn write_for(
    caller: Caller,
    Path((id, member)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let (id, member) = (round_id(&id)?, member_id(&member)?);
    let who = person.who_for(&member);
    let source = if fields.get("source") == "fax" { WishSource::Fax } else { WishSource::Phone };
    write(&caller, (person, &who), &id, &theirs(&id, &member), (&fields, source)).await
}

/// `GET /me/wishes`: the collections that may still be answered.
pub(in crate::web::ui) async fn mine(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ask)?;
    let voice = voice(&caller);
    let (app, home) = (&caller.web.app, &person.association.id);
    let mut rows = Vec::new();
    for round in app.wish_rounds(home).await?.into_iter().filter(|r| r.is_open(voice.now)) {
        let view = app.wish_round(home, &round.id).await?;
        if !view.world.takes_part(&person.member) {
            continue;
        }
        let answered = view.people.iter().any(|a| a.member == person.member.id && a.sheet.is_some());
        let key = if answered { "wishes-mine-answered" } else { "wishes-mine-open" };
        rows.push((
            RoundRow {
                href: format!("/me/wishes/{}", round.id),
                period: period(voice, &round),
                state: state(voice, &round),
                open: !answered,
            },
            t(voice.lang, key),
        ));
    }
    let page = OwnRounds { shell: caller.shell_at(ROTA, "/me/wishes"), notice: said(&caller), rows };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

/// `GET /me/wishes/{id}`
pub(in crate::web::ui) async fn own(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ask)?;
    let id = round_id(&id)?;
    show(&caller, person, &id, &ones_own(&id, &person.member.id)).await
}

/// `POST /me/wishes/{id}`
pub(in crate::web::ui) async fn write_own(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ask)?;
    let id = round_id(&id)?;
    let whose = ones_own(&id, &person.member.id);
    write(&caller, (person, &person.who()), &id, &whose, (&fields, WishSource::Person)).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::time::Millis;

    fn round() -> WishRound {
        WishRound {
            id: WishRoundId::from_stored("00000000000000000000000001").unwrap(),
            first: "2026-10-01".parse().unwrap(),
            last: "2026-10-31".parse().unwrap(),
            opened_at: Millis(0),
            deadline: Millis(1),
            opened_by: "cli".to_owned(),
            closed_at: None,
        }
    }

    #[test]
    fn what_a_form_says_is_drawn_again_as_it_was() {
        let pairs =
            [("d-2026-10-03", "no"), ("d-2026-10-04", "no"), ("d-2026-10-05", "on-much"), ("most", "４")];
        let fields = Fields::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let sheet = typed_sheet(&fields, &round()).unwrap();
        assert_eq!(sheet.days.len(), 2);
        assert_eq!(sheet.max_per_month, Some(4));
        let drawn: Vec<String> =
            by_day(&sheet, &round()).into_iter().map(|(day, code)| format!("d-{day}={code}")).collect();
        assert_eq!(drawn, ["d-2026-10-03=no", "d-2026-10-04=no", "d-2026-10-05=on-much"]);
        assert!(sheet.wrong(round().first, round().last).is_empty());
        let most = Fields::of(vec![("most".to_owned(), "many".to_owned())]);
        assert_eq!(typed_sheet(&most, &round()), Err("wishes-most-wrong"));
        let codes: BTreeSet<&str> = ["no", "off", "off-much", "on", "on-much"].into();
        assert!(codes.iter().all(|c| wished(c).is_some_and(|w| code(w) == *c)));
    }
}
