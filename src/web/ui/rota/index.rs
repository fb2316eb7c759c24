//! The first page of whoever makes the rota: drafts, what was published, and the ways to everything else.

use axum::response::Response;

use super::super::caller::{Caller, see_other};
use super::super::directory::{day, line, say_wrong, select};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::directory::Input;
use super::super::views::rota::{DraftRow, PublicationRow, RotaIndex};
use super::super::views::{Choice, render};
use super::{ROTA, editor, enter, read_day, said, say, voice};
use crate::app::AppError;
use crate::app::rota::RotaWorld;
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::rights::Right;
use crate::domain::rota::Month;
use crate::i18n::{t, t_with};

/// Publications shown.
const PUBLICATIONS_SHOWN: i64 = 12;

/// `GET /rota`
pub(in crate::web::ui) async fn index(caller: Caller) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Rota) {
        return *instead;
    }
    let (first, last) = next_month(&caller);
    page(&caller, &Typed { area: String::new(), name: String::new(), first, last }, &[]).await
}

/// The month after this one, as the form proposes it.
fn next_month(caller: &Caller) -> (String, String) {
    let today = civil_day(caller.now, caller.zone());
    let after = |year: i32, month: u32| if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let (year, month) = after(today.year(), today.month());
    let (next_year, next) = after(year, month);
    let first = CivilDate::new(year, month, 1);
    let last = CivilDate::new(next_year, next, 1).map(|day| day.plus_days(-1));
    let text = |day: Option<CivilDate>| day.map(|day| day.to_string()).unwrap_or_default();
    (text(first), text(last))
}

struct Typed {
    area: String,
    name: String,
    first: String,
    last: String,
}

pub(super) fn area_choices(world: &RotaWorld, chosen: &str) -> Vec<Choice> {
    let choice = |area: &crate::domain::rota::RotaArea| Choice {
        value: area.key.to_string(),
        label: area.name.clone(),
        note: None,
        chosen: area.key.as_str() == chosen,
    };
    world.settings.areas.iter().map(choice).collect()
}

fn inputs(caller: &Caller, world: &RotaWorld, typed: &Typed) -> Vec<Input> {
    let mut inputs = Vec::new();
    if world.settings.areas.len() > 1 {
        inputs.push(select(caller, "area", "rota-new-area", area_choices(world, &typed.area)));
    }
    inputs.push(day(caller, "first", "rota-new-first", &typed.first));
    inputs.push(day(caller, "last", "rota-new-last", &typed.last));
    inputs.push(line(caller, "name", "rota-new-name", &typed.name, "text"));
    inputs
}

async fn page(caller: &Caller, typed: &Typed, wrong: &[FieldWrong]) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(caller));
    let world = app.rota_world(home).await?;
    let several = world.settings.areas.len() > 1;
    let area = |key| several.then(|| world.area_name(key).to_owned());
    let mut inputs = inputs(caller, &world, typed);
    let notice = say_wrong(caller, &mut inputs, wrong);
    let drafts = app.rota_drafts(home).await?;
    let publications = app.rota_publications(home, PUBLICATIONS_SHOWN).await?;
    let view = RotaIndex {
        shell: caller.shell_at(ROTA, "/rota"),
        notice: said(caller),
        problem: notice,
        drafts: drafts
            .iter()
            .filter(|draft| draft.publication.is_none() && draft.dropped_at.is_none())
            .map(|draft| DraftRow {
                href: format!("/rota/drafts/{}", draft.id),
                name: draft.name.clone(),
                period: say::days(voice, draft.first, draft.last),
                area: area(&draft.area),
                made: t_with(
                    voice.lang,
                    "rota-made",
                    &[
                        ("at", &voice.moment(draft.made_at)),
                        ("who", &editor::actor(voice, &world, &draft.made_by)),
                    ],
                ),
            })
            .collect(),
        publications: publications
            .iter()
            .map(|head| PublicationRow {
                href: format!("/rota/publications/{}", head.id),
                period: say::hours(voice, head.period),
                area: area(&head.area),
                made: t_with(
                    voice.lang,
                    "rota-published-at",
                    &[
                        ("at", &voice.moment(head.recorded_at)),
                        ("who", &editor::actor(voice, &world, &head.made_by)),
                        ("n", &head.duties.to_string()),
                    ],
                ),
                note: head.note.clone(),
            })
            .collect(),
        inputs,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), caller.said().is_some()))
}

/// `POST /rota`: begins a draft.
pub(in crate::web::ui) async fn add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota")?;
    let app = &caller.web.app;
    let typed = Typed {
        area: fields.text("area"),
        name: fields.text("name"),
        first: fields.text("first"),
        last: fields.text("last"),
    };
    let world = app.rota_world(&person.association.id).await?;
    let area = match world.settings.areas.as_slice() {
        [only] => Some(only.key.clone()),
        _ => typed.area.parse().ok(),
    };
    let mut wrong = Vec::new();
    let mut day_of = |field: &'static str, text: &str| match read_day(text) {
        Ok(Some(day)) => Some(day),
        Ok(None) => {
            wrong.push(FieldWrong { field, wrong: Wrong::Missing });
            None
        }
        Err(_) => {
            wrong.push(FieldWrong { field, wrong: Wrong::NotText });
            None
        }
    };
    let (first, last) = (day_of("first", &typed.first), day_of("last", &typed.last));
    if area.is_none() {
        wrong.push(FieldWrong { field: "area", wrong: Wrong::Missing });
    }
    let (Some(area), Some(first), Some(last)) = (area, first, last) else {
        return page(&caller, &typed, &wrong).await;
    };
    let name = if typed.name.is_empty() { usual_name(&caller, first, last) } else { typed.name.clone() };
    match app.rota_draft_new(&person.who(), &area, &name, (first, last), Some(&key)).await {
        Ok(id) => Ok(see_other(&format!("/rota/drafts/{id}"))),
        Err(AppError::Invalid(wrong)) => page(&caller, &typed, &wrong).await,
        Err(e) => Err(e.into()),
    }
}

/// A draft without a name of its own is called by its months.
fn usual_name(caller: &Caller, first: CivilDate, last: CivilDate) -> String {
    let month = |day: CivilDate| {
        let (year, month) = (day.year().to_string(), day.month().to_string());
        t_with(caller.lang, "rota-month", &[("year", &year), ("month", &month)])
    };
    if Month::of(first) == Month::of(last) {
        month(first)
    } else {
        format!("{}{}{}", month(first), t(caller.lang, "rota-to"), month(last))
    }
}
