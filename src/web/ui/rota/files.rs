//! Lists of the rota taken out as files, with when the city wants its own. A POST, because every taking out is noted.

use axum::response::Response;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::sheets::export::{XLSX, download, missing_cells};
use super::super::views::paper::{PaperChoice, RotaFiles};
use super::super::views::{Choice, Choices, Field, render};
use super::super::words::title;
use super::paper::{area_asked, last_of, month_plus};
use crate::app::rota::RotaWorld;
use crate::app::rota::lists::{city_list, due_day, month_name, rota_list};
use crate::domain::calendar::{CivilDate, written_date};
use crate::domain::people::kana::narrow;
use crate::domain::people::rights::Right;
use crate::export::sheet::{Unwritable, grid_csv_shift_jis, grid_csv_utf8, grid_xlsx};
use crate::i18n::{Lang, t, t_with};

pages! {
    get "/rota/files" => form;
    post "/rota/files" => take;
}

const FILES: Binding<'static> = Binding::Page("rota-files");
const WHATS: [&str; 2] = ["rota", "city"];
const FORMATS: [&str; 3] = ["xlsx", "csv", "csv-sjis"];
/// Months for which the city's day is shown.
const DUE_MONTHS: i64 = 4;
/// Months taken out at once.
const MONTHS_MAX: i64 = 12;

/// Reads a month as people write it: 2026-10, 2026年10月, 令和8年10月, R8.10. The first day of it.
pub(super) fn month_of(text: &str) -> Option<CivilDate> {
    let plain = narrow(text);
    let plain = plain.trim_end_matches('分');
    let whole = match plain.strip_suffix('月') {
        Some(month) => format!("{month}月1日"),
        None => {
            let sign = ['-', '/', '.'].into_iter().find(|sign| plain.contains(*sign))?;
            format!("{plain}{sign}1")
        }
    };
    written_date(&whole).ok()
}

fn choices(lang: Lang, prefix: &str, codes: &[&str], chosen: &str) -> Choices {
    let option = |code: &&str| Choice {
        value: (*code).to_owned(),
        label: t(lang, &format!("{prefix}-{code}")),
        note: None,
        chosen: *code == chosen,
    };
    Choices { options: codes.iter().map(option).collect(), problem: None }
}

/// What was typed, and what is wrong with it.
struct Typed {
    what: Choices,
    formats: Choices,
    month: Field,
    months: Field,
    area: String,
    missing: Vec<Unwritable>,
}

fn due_lines(world: &RotaWorld, lang: Lang) -> Vec<String> {
    let today = world.today();
    let this = CivilDate::new(today.year(), today.month(), 1).unwrap_or(today);
    let line = |n: i64| {
        let month = month_plus(this, n);
        let due = world.settings.city.due(month, &world.calendar);
        let (month, day) = (month_name(month, lang), due_day(due, lang));
        let left = due.days_since(today);
        let values = [("month", month.as_str()), ("day", day.as_str()), ("n", &left.to_string())];
        t_with(lang, if left < 0 { "rota-files-due-past" } else { "rota-files-due-line" }, &values)
    };
    // From the first month that can still be in time.
    let ahead = i64::from(world.settings.city.months_before);
    (ahead..ahead + DUE_MONTHS).map(line).collect()
}

async fn page(caller: &Caller, typed: Typed) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let lang = caller.lang;
    let world = caller.web.app.rota_world(&person.association.id).await?;
    let mut people: Vec<_> = world.members.values().filter(|m| world.takes_part(m)).collect();
    people.sort_by(|a, b| (&a.kana, &a.name).cmp(&(&b.kana, &b.name)));
    let slips = people.iter().map(|m| PaperChoice {
        href: format!("/rota/paper/people/{}", m.id),
        name: title(&m.name, &m.roles, lang),
        note: m.institution.as_ref().map(|i| world.institution_name(i).to_owned()).unwrap_or_default(),
    });
    let clinics: std::collections::BTreeSet<_> =
        people.iter().filter_map(|m| m.institution.as_ref()).collect();
    let mut clinics: Vec<_> = clinics.into_iter().filter_map(|id| world.institutions.get(id)).collect();
    clinics.sort_by(|a, b| (&a.kana, &a.name).cmp(&(&b.kana, &b.name)));
    let notices = clinics.into_iter().map(|i| PaperChoice {
        href: format!("/rota/paper/notices/{}", i.id),
        name: i.name.clone(),
        note: i.area.clone(),
    });
    let areas = world.settings.areas.iter().enumerate().map(|(n, area)| Choice {
        value: area.key.to_string(),
        label: area.name.clone(),
        note: None,
        chosen: typed.area == area.key.as_str() || (typed.area.is_empty() && n == 0),
    });
    let (missing, more) = missing_cells(lang, &typed.missing);
    let view = RotaFiles {
        shell: caller.shell_at(FILES, "/rota/files"),
        what: typed.what,
        formats: typed.formats,
        areas: Choices { options: areas.collect(), problem: None },
        month: typed.month,
        months: typed.months,
        due: due_lines(&world, lang),
        slips: slips.collect(),
        notices: notices.collect(),
        missing,
        more,
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /rota/files`
async fn form(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Board)?;
    let lang = caller.lang;
    let today = crate::domain::calendar::civil_day(caller.now, person.association.zone);
    let next = month_plus(CivilDate::new(today.year(), today.month(), 1).unwrap_or(today), 1);
    let typed = Typed {
        what: choices(lang, "rota-files-what", &WHATS, "rota"),
        formats: choices(lang, "rota-files-format", &FORMATS, "xlsx"),
        month: Field { value: month_name(next, lang), problem: None },
        months: Field { value: "1".to_owned(), problem: None },
        area: String::new(),
        missing: Vec::new(),
    };
    page(&caller, typed).await
}

/// `POST /rota/files`: `what`, `format`, `month`, `months`, `area`; `replace`: write 〓 for what Shift_JIS does not
/// have.
async fn take(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, FILES)?;
    let lang = caller.lang;
    let what = WHATS.into_iter().find(|code| *code == fields.get("what"));
    let format = FORMATS.into_iter().find(|code| *code == fields.get("format"));
    let first = month_of(fields.get("month"));
    let months = fields.number("months").filter(|n| (1..=MONTHS_MAX).contains(n));
    let typed = |missing: Vec<Unwritable>| {
        let problem = |wrong: bool, key: &str| wrong.then(|| t(lang, key));
        let mut typed = Typed {
            what: choices(lang, "rota-files-what", &WHATS, what.unwrap_or_default()),
            formats: choices(lang, "rota-files-format", &FORMATS, format.unwrap_or_default()),
            month: Field {
                value: fields.text("month"),
                problem: problem(first.is_none(), "rota-files-month-wrong"),
            },
            months: Field {
                value: fields.text("months"),
                problem: problem(months.is_none(), "rota-files-months-wrong"),
            },
            area: fields.text("area"),
            missing,
        };
        typed.what.problem = problem(what.is_none(), "rota-files-choose");
        typed.formats.problem = problem(format.is_none(), "rota-files-choose");
        typed
    };
    let (Some(what), Some(format), Some(first), Some(months)) = (what, format, first, months) else {
        return page(&caller, typed(Vec::new())).await;
    };
    let (who, app) = (person.who(), &caller.web.app);
    let world = app.rota_world(&person.association.id).await?;
    let area = area_asked(&world, fields.get("area"))?.key.clone();
    let paper = app.rota_paper(&person.association.id, &area, (first, last_of(first, months))).await?;
    let grid = if what == "city" {
        let institutions: Vec<_> = paper.world.institutions.values().collect();
        let numbers = app.numbers_of_all(&person.association.id, &institutions).await?;
        city_list(&paper, &numbers, paper.world.settings.city, lang)
    } else {
        rota_list(&paper, lang)
    };
    let (content_type, ending, bytes) = match format {
        "csv" => ("text/csv; charset=utf-8", "csv", grid_csv_utf8(&grid)),
        "csv-sjis" => match grid_csv_shift_jis(&grid, fields.is_ticked("replace")) {
            Ok(bytes) => ("text/csv; charset=shift_jis", "csv", bytes),
            Err(unwritable) => return page(&caller, typed(unwritable)).await,
        },
        _ => {
            let bytes = grid_xlsx(&grid).map_err(|error| {
                tracing::error!(error = &*error as &dyn std::error::Error, "The rota could not be written");
                Failure::broken()
            })?;
            (XLSX, "xlsx", bytes)
        }
    };
    app.rota_taken_out(&who, what, format, grid.rows.len()).await?;
    Ok(download(&format!("{what}-{:04}{:02}.{ending}", first.year(), first.month()), content_type, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_in_every_form() {
        let october = CivilDate::new(2026, 10, 1);
        for text in ["2026-10", "２０２６／１０", "2026年10月", "令和８年１０月分", "R8.10", "2026/10"]
        {
            assert_eq!(month_of(text), october, "{text}");
        }
        for text in ["", "10月", "2026", "2026-13", "来月"] {
            assert_eq!(month_of(text), None, "{text}");
        }
    }
}
