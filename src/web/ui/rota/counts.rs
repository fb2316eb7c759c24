//! What duty counted for in a fiscal year, and the continuous 24-hour turns of this month. People stand in the order
//! of their names: never a ranking.

use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::render;
use super::super::views::rota::{CountLine, CountsPage, TurnLine};
use super::{Asked, ROTA, asked, enter, said, say, voice};
use crate::app::rota::counts::YearClosed;
use crate::domain::calendar::FiscalYear;
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::domain::rota::Month;
use crate::i18n::{Lang, t, t_with};

/// `GET /rota/counts?year=2026`
pub(in crate::web::ui) async fn show(caller: Caller, query: Asked) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Rota) {
        return *instead;
    }
    page(&caller, asked(&query, "year"), None).await
}

async fn page(caller: &Caller, year: &str, problem: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(caller));
    let world = app.rota_world(home).await?;
    let now = FiscalYear::of(world.today());
    let near = |year: &i32| (now.first_year() - 20..=now.first_year() + 1).contains(year);
    let year = year.parse().ok().filter(near).and_then(FiscalYear::beginning_in).unwrap_or(now);
    let counts = app.rota_counts_of_year(home, year).await?;
    let mut people: Vec<_> = counts.people.iter().collect();
    people.sort_by_key(|(id, _)| (world.members.get(id).map(|m| kana::sort_key(&m.kana)), (*id).clone()));
    let line = |(id, count): &(&crate::ids::MemberId, &crate::app::rota::counts::PersonCount)| CountLine {
        name: say::person(voice, &world, id),
        turns: count.tally.slots.values().flat_map(|roles| roles.values()).sum(),
        points: say::points(count.tally.points),
        share: say::points(count.fair_share),
        carried: say::points(count.carried_in),
        target: say::points(count.target),
    };
    let month = Month::of(world.today());
    let turns = app.rota_turns(home, month).await?;
    let first = year.first_year();
    let view = CountsPage {
        shell: caller.shell_at(ROTA, &format!("/rota/counts?year={first}")),
        notice: said(caller),
        problem,
        year: match voice.lang {
            Lang::Ja => year.long(),
            Lang::En => t_with(voice.lang, "counts-year", &[("year", &first.to_string())]),
        },
        year_key: first,
        earlier: format!("/rota/counts?year={}", first - 1),
        later: format!("/rota/counts?year={}", first + 1),
        people: people.iter().map(line).collect(),
        spread: counts.spread.map(|s| [say::points(s.least), say::points(s.median), say::points(s.most)]),
        month: t_with(
            voice.lang,
            "rota-month",
            &[("year", &month.year.to_string()), ("month", &month.month.to_string())],
        ),
        turns: turns
            .iter()
            .map(|(id, count)| TurnLine {
                institution: world.institution_name(id).to_owned(),
                done: count.done,
                planned: count.planned,
                target: count.target,
                short: count.falls_short(),
            })
            .collect(),
        may_close: first < now.first_year(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), caller.said().is_some()))
}

/// `POST /rota/counts/close`: carries a fiscal year that is over into the next.
pub(in crate::web::ui) async fn close(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota/counts/close")?;
    let year = fields.number("year").and_then(|year| i32::try_from(year).ok());
    let year = year.and_then(FiscalYear::beginning_in).ok_or(Failure::form_expired())?;
    let path = format!("/rota/counts?year={}", year.first_year());
    match caller.web.app.rota_close_year(&person.who(), year, Some(&key)).await? {
        YearClosed::Done(_) => Ok(caller.go_and_say(&path, "year-closed")),
        YearClosed::Already => Ok(caller.go_and_say(&path, "year-already")),
        YearClosed::NotOver => {
            let problem = Some(t(caller.lang, "counts-not-over"));
            page(&caller, &year.first_year().to_string(), problem).await
        }
    }
}
