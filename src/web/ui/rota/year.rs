//! A fiscal year at a glance: everybody's days, month by month. People stand in the order of their names.

use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::views::render;
use super::super::views::rota::{YearLine, YearPage};
use super::{Asked, ROTA, asked, enter, say, voice};
use crate::app::rota::duties_within;
use crate::domain::calendar::{CivilDate, FiscalYear, civil_day};
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::domain::rota::{Assignment, Month};
use crate::i18n::{Lang, t_with};
use crate::ids::MemberId;

/// `GET /rota/year?year=2026`
pub(in crate::web::ui) async fn show(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(&caller));
    let world = app.rota_world(home).await?;
    let now = FiscalYear::of(world.today());
    let near = |year: &i32| (now.first_year() - 20..=now.first_year() + 1).contains(year);
    let asked = asked(&query, "year").parse().ok().filter(near);
    let year = asked.and_then(FiscalYear::beginning_in).unwrap_or(now);
    let first_year = year.first_year();
    let (first, next) = (
        year.first_day().ok_or(Failure::not_found())?,
        CivilDate::new(first_year + 1, 4, 1).ok_or(Failure::not_found())?,
    );
    let window = world.period(first, next.plus_days(-1)).ok_or(Failure::not_found())?;
    let laid = app.rota_laid(home, window.from.plus_s(-86_400)).await?;
    let zone = world.zone();
    let duties: Vec<Assignment> = duties_within(&laid.timeline, window, zone)
        .into_iter()
        .filter(|duty| window.contains(duty.window.from))
        .collect();
    let months: Vec<Month> = (0..12u32)
        .map(|n| {
            let month = 3 + n;
            let over = i32::try_from(month / 12).unwrap_or_default();
            Month { year: first_year + over, month: month % 12 + 1 }
        })
        .collect();
    let mut people: Vec<&MemberId> = duties.iter().map(|duty| &duty.holder.person).collect();
    people.sort();
    people.dedup();
    people.sort_by_key(|id| world.members.get(*id).map(|m| kana::sort_key(&m.kana)));
    let cell = |id: &MemberId, month: &Month| {
        let mut of_month: Vec<&Assignment> = duties
            .iter()
            .filter(|duty| {
                duty.holder.person == *id && Month::of(civil_day(duty.window.from, zone)) == *month
            })
            .collect();
        of_month.sort_by_key(|duty| duty.window);
        let line = |duty: &&Assignment| {
            let day = civil_day(duty.window.from, zone).day().to_string();
            let role = say::role(voice, duty.role);
            t_with(voice.lang, "year-day", &[("day", &day), ("role", &role)])
        };
        of_month.iter().map(line).collect::<Vec<_>>().join(" ")
    };
    let of_person = |id: &MemberId| YearLine {
        name: say::person(voice, &world, id),
        href: format!("/rota/paper/people/{id}"),
        months: months.iter().map(|month| cell(id, month)).collect(),
    };
    let view = YearPage {
        shell: caller.shell_at(ROTA, &format!("/rota/year?year={first_year}")),
        year: match voice.lang {
            Lang::Ja => year.long(),
            Lang::En => t_with(voice.lang, "counts-year", &[("year", &first_year.to_string())]),
        },
        earlier: format!("/rota/year?year={}", first_year - 1),
        later: format!("/rota/year?year={}", first_year + 1),
        months: months
            .iter()
            .map(|month| t_with(voice.lang, "year-month", &[("month", &month.month.to_string())]))
            .collect(),
        month_hrefs: months
            .iter()
            .map(|month| format!("/rota/paper?month={}-{:02}&paper=a4", month.year, month.month))
            .collect(),
        people: people.into_iter().map(of_person).collect(),
    };
    Ok(caller.page(render(&view), false))
}
