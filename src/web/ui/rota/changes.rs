//! Changes of a published rota by the office (臨時変更), and the holes of any window.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::directory::{day, line, say_wrong, select, text};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::directory::Input;
use super::super::views::rota::{ChangesPage, HolesPage, OverrideRow};
use super::super::views::{Choice, render};
use super::super::words::Voice;
use super::index::area_choices;
use super::{Asked, ROTA, asked, board, editor, enter, read_day, read_moment, said, say, voice};
use crate::app::AppError;
use crate::app::rota::RotaWorld;
use crate::app::rota::changes::{NewOverride, OverrideMade, Withdrawn};
use crate::domain::calendar::{CivilDate, civil_day, wall_clock};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::domain::rota::RotaRole;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, OverrideId};
use crate::time::{Millis, Window};

/// Overrides of the past that are still shown.
const SHOWN_BACK_S: i64 = 30 * 86_400;
/// Who is chosen when nobody is to be on.
const NOBODY: &str = "nobody";

#[derive(Default)]
struct Typed {
    area: String,
    role: String,
    from_day: String,
    from_time: String,
    to_day: String,
    to_time: String,
    person: String,
    reason: String,
}

/// An instant as the two fields of a form have it.
fn split(voice: Voice, at: Millis) -> (String, String) {
    let local = wall_clock(at, voice.zone);
    (civil_day(at, voice.zone).to_string(), local.format("%H:%M").to_string())
}

impl Typed {
    /// From the address of a hole.
    fn asked(voice: Voice, query: &Asked) -> Self {
        let moment = |name: &str| asked(query, name).parse().ok().map(|ms| split(voice, Millis(ms)));
        let (from_day, from_time) = moment("from").unwrap_or_default();
        let (to_day, to_time) = moment("to").unwrap_or_default();
        let (area, role) = (asked(query, "area").to_owned(), asked(query, "role").to_owned());
        Self { area, role, from_day, from_time, to_day, to_time, ..Self::default() }
    }

    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name);
        Self {
            area: text("area"),
            role: text("role"),
            from_day: text("from_day"),
            from_time: text("from_time"),
            to_day: text("to_day"),
            to_time: text("to_time"),
            person: text("person"),
            reason: text("reason"),
        }
    }
}

/// Everybody who may hold duty, in the order of their names.
pub(super) fn people_choices(voice: Voice, world: &RotaWorld, chosen: &str) -> Vec<Choice> {
    let mut people: Vec<_> = world.members.values().filter(|m| world.takes_part(m)).collect();
    people.sort_by_key(|m| (kana::sort_key(&m.kana), m.id.clone()));
    let choice = |m: &&crate::app::rows::Member| Choice {
        value: m.id.to_string(),
        label: voice.name(m),
        note: None,
        chosen: m.id.as_str() == chosen,
    };
    people.iter().map(choice).collect()
}

fn inputs(caller: &Caller, world: &RotaWorld, typed: &Typed) -> Vec<Input> {
    let voice = voice(caller);
    let roles = RotaRole::ALL.into_iter().map(|role| Choice {
        value: role.code().to_owned(),
        label: say::role(voice, role),
        note: None,
        chosen: role.code() == typed.role,
    });
    let mut people = vec![Choice {
        value: NOBODY.to_owned(),
        label: t(caller.lang, "rota-change-nobody"),
        note: None,
        chosen: typed.person == NOBODY,
    }];
    people.extend(people_choices(voice, world, &typed.person));
    let mut inputs = Vec::new();
    if world.settings.areas.len() > 1 {
        inputs.push(select(caller, "area", "rota-new-area", area_choices(world, &typed.area)));
    }
    inputs.push(select(caller, "role", "rota-role", roles.collect()));
    inputs.push(day(caller, "from_day", "rota-change-from-day", &typed.from_day));
    inputs.push(line(caller, "from_time", "rota-change-from-time", &typed.from_time, "text"));
    inputs.push(day(caller, "to_day", "rota-change-to-day", &typed.to_day));
    inputs.push(line(caller, "to_time", "rota-change-to-time", &typed.to_time, "text"));
    inputs.push(select(caller, "person", "rota-change-person", people));
    inputs.push(text(caller, "reason", "rota-change-reason", &typed.reason, 2));
    inputs
}

/// `GET /rota/changes`; a hole's address fills the form in.
pub(in crate::web::ui) async fn list(caller: Caller, query: Asked) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Rota) {
        return *instead;
    }
    let typed = Typed::asked(voice(&caller), &query);
    page(&caller, &typed, &[], None).await
}

/// What was done, with what the rules say against it.
type Made = (String, Vec<String>);

async fn page(
    caller: &Caller,
    typed: &Typed,
    wrong: &[FieldWrong],
    made: Option<Made>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(caller));
    let world = app.rota_world(home).await?;
    let mut inputs = inputs(caller, &world, typed);
    let problem = say_wrong(caller, &mut inputs, wrong);
    let several = world.settings.areas.len() > 1;
    let mut rows = app.rota_overrides(home, caller.now.plus_s(-SHOWN_BACK_S)).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.change.window.from, row.change.recorded_at)));
    let row = |row: &crate::app::rota::changes::OverrideRow| {
        let change = &row.change;
        let made = [
            ("at", &*voice.moment(change.recorded_at)),
            ("who", &*editor::actor(voice, &world, &row.made_by)),
        ];
        OverrideRow {
            id: change.id.to_string(),
            hours: say::hours(voice, change.window),
            role: say::role(voice, change.role),
            area: several.then(|| world.area_name(&change.area).to_owned()),
            who: change.holder.as_ref().map_or_else(
                || t(voice.lang, "rota-change-nobody"),
                |holder| say::person(voice, &world, &holder.person),
            ),
            made: t_with(voice.lang, "rota-made", &made),
            reason: row.reason.clone(),
            withdrawn: change.withdrawn_at.map(|at| {
                let by = row.withdrawn_by.as_deref().map(|by| editor::actor(voice, &world, by));
                let values = [("at", &*voice.moment(at)), ("who", by.as_deref().unwrap_or_default())];
                t_with(voice.lang, "rota-change-withdrawn", &values)
            }),
            once: caller.once(),
        }
    };
    let (notice, against) =
        made.map_or_else(|| (said(caller), Vec::new()), |(n, against)| (Some(n), against));
    let view = ChangesPage {
        shell: caller.shell_at(ROTA, "/rota/changes"),
        notice,
        against,
        problem,
        rows: rows.iter().map(row).collect(),
        inputs,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), caller.said().is_some()))
}

/// `POST /rota/changes`
pub(in crate::web::ui) async fn add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota/changes")?;
    let app = &caller.web.app;
    let world = app.rota_world(&person.association.id).await?;
    let typed = Typed::of(&fields);
    let mut wrong = Vec::new();
    let mut missing = |field: &'static str, is: bool| {
        if is {
            wrong.push(FieldWrong { field, wrong: Wrong::Missing });
        }
    };
    let area = match world.settings.areas.as_slice() {
        [only] => Some(only.key.clone()),
        _ => typed.area.parse().ok(),
    };
    missing("area", area.is_none());
    let role = RotaRole::from_code(&typed.role);
    missing("role", role.is_none());
    let who = match typed.person.as_str() {
        NOBODY => Some(None),
        id => MemberId::from_stored(id).ok().map(Some),
    };
    missing("person", who.is_none());
    let zone = caller.zone();
    let mut moment = |field: &'static str, day: &str, time: &str| match read_moment(zone, day, time) {
        Ok(Some(at)) => Some(at),
        Ok(None) => {
            wrong.push(FieldWrong { field, wrong: Wrong::Missing });
            None
        }
        Err(_) => {
            wrong.push(FieldWrong { field, wrong: Wrong::NotText });
            None
        }
    };
    let from = moment("from_day", &typed.from_day, &typed.from_time);
    let to = moment("to_day", &typed.to_day, &typed.to_time);
    let (Some(area), Some(role), Some(who), Some(from), Some(to)) = (area, role, who, from, to) else {
        return page(&caller, &typed, &wrong, None).await;
    };
    let new = NewOverride {
        area,
        role,
        window: Window { from, to },
        person: who,
        institution: None,
        reason: typed.reason.clone(),
        recorded_at: None,
    };
    match app.rota_override_add(&person.who(), new, Some(&key)).await {
        Ok(OverrideMade::Done { violations, .. }) => {
            let voice = voice(&caller);
            let against = violations.iter().map(|v| say::violation(voice, &world, v)).collect();
            let done = t(caller.lang, "rota-said-changed");
            page(&caller, &Typed::default(), &[], Some((done, against))).await
        }
        Ok(OverrideMade::NoArea) => {
            page(&caller, &typed, &[FieldWrong { field: "area", wrong: Wrong::NotAChoice }], None).await
        }
        Ok(OverrideMade::NoPerson) => {
            page(&caller, &typed, &[FieldWrong { field: "person", wrong: Wrong::NotAChoice }], None).await
        }
        Err(AppError::Invalid(mut wrong)) => {
            for one in &mut wrong {
                if one.field == "to" {
                    one.field = "to_day";
                }
            }
            page(&caller, &typed, &wrong, None).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /rota/changes/{id}/withdraw`
pub(in crate::web::ui) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = OverrideId::from_stored(&id).map_err(|_| Failure::not_found())?;
    caller.web.app.rota_override_there(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/changes/{id}/withdraw"))?;
    match caller.web.app.rota_override_withdraw(&person.who(), &id, Some(&key)).await? {
        Withdrawn::Done | Withdrawn::Already => Ok(caller.go_and_say("/rota/changes", "withdrawn")),
        Withdrawn::NotFound => Err(Failure::not_found()),
    }
}

/// `GET /rota/holes`: of the days asked for; of this month and the next two without.
pub(in crate::web::ui) async fn holes(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(&caller));
    let world = app.rota_world(home).await?;
    let typed = (asked(&query, "first").to_owned(), asked(&query, "last").to_owned());
    let today = world.today();
    let usual = (today, CivilDate::plus_days(today, 92));
    let read = read_day(&typed.0).and_then(|first| Ok((first, read_day(&typed.1)?)));
    let (first, last, mut problem) = match read {
        Ok((first, last)) => (first.unwrap_or(usual.0), last.unwrap_or(usual.1), None),
        Err(_) => (usual.0, usual.1, Some(t(caller.lang, "rota-holes-wrong"))),
    };
    let found = match world.period(first, last) {
        Some(period) => match app.rota_holes(home, period).await {
            Ok(holes) => holes,
            Err(AppError::Invalid(_)) => {
                problem = Some(t(caller.lang, "rota-holes-wrong"));
                Vec::new()
            }
            Err(e) => return Err(e.into()),
        },
        None => {
            problem = Some(t(caller.lang, "rota-holes-wrong"));
            Vec::new()
        }
    };
    let view = HolesPage {
        shell: caller.shell_at(ROTA, "/rota/holes"),
        first: first.to_string(),
        last: last.to_string(),
        problem,
        holes: found.iter().map(|hole| board::hole_line(voice, &world, hole, true)).collect(),
    };
    Ok(caller.page(render(&view), false))
}
