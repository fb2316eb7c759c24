//! Care groups (在宅支援連携体制): the list, one group, who joins and leaves.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::directory::{GroupMember, GroupPage, GroupRow, GroupsPage, Input};
use super::super::views::{Choice, render};
use super::list::id_of;
use super::{DIRECTORY, day, enter, line, said, say_wrong, select, text};
use crate::app::AppError;
use crate::app::directory::DirectoryView;
use crate::app::rows::CareGroup;
use crate::domain::calendar::{CivilDate, civil_day, western_date};
use crate::domain::people::directory::{CannotJoin, Membership};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::ids::CareGroupId;

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn name_inputs(caller: &Caller, name: &str, note: &str) -> Vec<Input> {
    vec![line(caller, "name", "group-name", name, "text"), text(caller, "note", "directory-note", note, 3)]
}

/// `GET /directory/groups`
pub(in crate::web::ui) async fn list(caller: Caller) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Directory) {
        return *instead;
    }
    let inputs = name_inputs(&caller, "", "");
    list_page(&caller, inputs).await
}

async fn list_page(caller: &Caller, inputs: Vec<Input>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Directory)?;
    let view = caller.web.app.directory(&person.association.id).await?;
    let today = civil_day(caller.now, caller.zone());
    let row = |group: &CareGroup| {
        let now = view.memberships.iter().filter(|m| m.group == group.id && m.holds_on(today));
        let members: Vec<String> =
            now.filter_map(|m| view.institution(&m.institution)).map(|i| i.name.clone()).collect();
        GroupRow {
            href: format!("/directory/groups/{}", group.id),
            name: group.name.clone(),
            count: count(members.len()),
            members,
        }
    };
    let page = GroupsPage {
        shell: caller.shell_at(DIRECTORY, "/directory/groups"),
        notice: said(caller),
        rows: view.groups.iter().map(row).collect(),
        enrols: person.may(Right::Enrol),
        inputs,
        once: caller.once(),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

/// `POST /directory/groups`
pub(in crate::web::ui) async fn add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key("POST /directory/groups")?;
    let (name, note) = (fields.text("name"), fields.text("note"));
    match caller.web.app.care_group_add(&person.who(), &name, &note, Some(&key)).await {
        Ok(id) => Ok(see_other(&format!("/directory/groups/{id}"))),
        Err(AppError::Invalid(wrong)) => {
            let mut inputs = name_inputs(&caller, &name, &note);
            say_wrong(&caller, &mut inputs, &wrong);
            list_page(&caller, inputs).await
        }
        Err(e) => Err(e.into()),
    }
}

fn group_id(path: &str) -> Result<CareGroupId, Failure> {
    CareGroupId::from_stored(path).map_err(|_| Failure::not_found())
}

/// `GET /directory/groups/{id}`
pub(in crate::web::ui) async fn group(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = group_id(&id)?;
    if let Err(instead) = enter(&caller, Right::Directory) {
        return *instead;
    }
    group_page(&caller, &id, &Fields::default(), None, Vec::new()).await
}

pub(in crate::web::ui) fn date(caller: &Caller, day: CivilDate) -> String {
    match caller.lang {
        Lang::Ja => western_date(day),
        Lang::En => day.to_string(),
    }
}

fn time(caller: &Caller, membership: &Membership) -> String {
    let from = date(caller, membership.from);
    match membership.until {
        None => t_with(caller.lang, "group-from", &[("from", &from)]),
        Some(until) => {
            t_with(caller.lang, "group-from-until", &[("from", &from), ("until", &date(caller, until))])
        }
    }
}

/// Institutions that are in no group today, to choose from.
fn free(view: &DirectoryView, today: CivilDate, chosen: &str) -> Vec<Choice> {
    let taken = |id: &crate::ids::InstitutionId| {
        view.memberships.iter().any(|m| m.institution == *id && m.holds_on(today))
    };
    view.institutions
        .iter()
        .filter(|i| i.closed.is_none() && i.kind != "association" && !taken(&i.id))
        .map(|i| Choice {
            value: i.id.to_string(),
            label: i.name.clone(),
            note: None,
            chosen: i.id.as_str() == chosen,
        })
        .collect()
}

async fn group_page(
    caller: &Caller,
    id: &CareGroupId,
    typed: &Fields,
    problem: Option<String>,
    wrong: Vec<(&'static str, String)>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Directory)?;
    let view = caller.web.app.directory(&person.association.id).await?;
    let group = view.groups.iter().find(|g| g.id == *id).ok_or(Failure::not_found())?;
    let today = civil_day(caller.now, caller.zone());
    let members: Vec<GroupMember> = view
        .memberships
        .iter()
        .filter(|m| m.group == *id)
        .map(|m| GroupMember {
            name: view.institution(&m.institution).map(|i| i.name.clone()).unwrap_or_default(),
            href: format!("/directory/{}", m.institution),
            institution: m.institution.to_string(),
            from: m.from.to_string(),
            time: time(caller, m),
            now: m.holds_on(today),
            open: m.until.is_none_or(|until| today <= until),
            once: caller.once(),
        })
        .collect();
    let from = if typed.get("from").is_empty() { today.to_string() } else { typed.get("from").to_owned() };
    let mut join_inputs = vec![
        select(caller, "institution", "group-institution", free(&view, today, typed.get("institution"))),
        day(caller, "from", "group-first-day", &from),
        day(caller, "until", "group-last-day", typed.get("until")),
    ];
    for (field, words) in wrong {
        if let Some(input) = join_inputs.iter_mut().find(|input| input.id == field) {
            input.problem = Some(words);
        }
    }
    let page = GroupPage {
        shell: caller.shell_at(DIRECTORY, &format!("/directory/groups/{id}")),
        id: id.to_string(),
        notice: said(caller).filter(|_| problem.is_none()),
        problem,
        name: group.name.clone(),
        note: group.note.clone(),
        count: count(members.iter().filter(|m| m.now).count()),
        members,
        enrols: person.may(Right::Enrol),
        today: today.to_string(),
        revision: group.revision,
        name_inputs: name_inputs(caller, &group.name, &group.note),
        join_inputs,
        once: caller.once(),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

/// `POST /directory/groups/{id}`
pub(in crate::web::ui) async fn rename(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = group_id(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/groups/{id}"))?;
    let (name, note) = (fields.text("name"), fields.text("note"));
    let revision = fields.number("revision").unwrap_or(-1);
    let done =
        caller.web.app.care_group_change(&person.who(), &id, revision, (&name, &note), Some(&key)).await;
    match done {
        Ok(()) => Ok(caller.go_and_say(&format!("/directory/groups/{id}"), "saved")),
        Err(AppError::Invalid(wrong)) => {
            let mut inputs = name_inputs(&caller, &name, &note);
            say_wrong(&caller, &mut inputs, &wrong);
            let words = inputs.into_iter().find_map(|input| input.problem);
            group_page(&caller, &id, &Fields::default(), words, Vec::new()).await
        }
        Err(e) => Err(Failure::from(e).back_to(format!("/directory/groups/{id}"))),
    }
}

/// A day as the browser sends it; `None` for anything else.
fn read_day(typed: &str) -> Option<CivilDate> {
    super::super::form::narrow(typed).replace('/', "-").parse().ok()
}

/// `POST /directory/groups/{id}/join`
pub(in crate::web::ui) async fn join(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = group_id(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/groups/{id}/join"))?;
    let again = |field, key: &str| vec![(field, t(caller.lang, key))];
    let Ok(institution) = id_of(fields.get("institution")) else {
        let wrong = again("institution", "directory-wrong-institution");
        return group_page(&caller, &id, &fields, None, wrong).await;
    };
    let Some(from) = read_day(fields.get("from")) else {
        return group_page(&caller, &id, &fields, None, again("from", "directory-wrong-day")).await;
    };
    let until = fields.get("until").trim();
    let until = if until.is_empty() { None } else { Some(read_day(until)) };
    let Ok(until) = until.map_or(Ok(None), |day| day.ok_or(()).map(Some)) else {
        return group_page(&caller, &id, &fields, None, again("until", "directory-wrong-day")).await;
    };
    let new = Membership { group: id.clone(), institution, from, until };
    match caller.web.app.care_group_join(&person.who(), &new, Some(&key)).await {
        Ok(Ok(())) => Ok(caller.go_and_say(&format!("/directory/groups/{id}"), "saved")),
        Ok(Err(why)) => {
            let wrong = match why {
                CannotJoin::Backwards => again("until", "group-wrong-backwards"),
                CannotJoin::Full => again("institution", "group-wrong-full"),
                CannotJoin::InGroup(other) => {
                    let view = caller.web.app.directory(&person.association.id).await?;
                    let name = view.groups.iter().find(|g| g.id == other).map(|g| g.name.clone());
                    let name = name.unwrap_or_default();
                    vec![("institution", t_with(caller.lang, "group-wrong-in", &[("name", &name)]))]
                }
            };
            group_page(&caller, &id, &fields, None, wrong).await
        }
        Err(AppError::Invalid(_)) => {
            let wrong = again("institution", "directory-wrong-institution");
            group_page(&caller, &id, &fields, None, wrong).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /directory/groups/{id}/leave`
pub(in crate::web::ui) async fn leave(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = group_id(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/groups/{id}/leave"))?;
    let institution = id_of(fields.get("institution"))?;
    let from = read_day(fields.get("from")).ok_or(Failure::not_found())?;
    let Some(last) = read_day(fields.get("last_day")) else {
        let words = Some(t(caller.lang, "directory-wrong-day"));
        return group_page(&caller, &id, &Fields::default(), words, Vec::new()).await;
    };
    let membership = Membership { group: id.clone(), institution, from, until: None };
    match caller.web.app.care_group_leave(&person.who(), &membership, last, Some(&key)).await {
        Ok(()) => Ok(caller.go_and_say(&format!("/directory/groups/{id}"), "saved")),
        Err(AppError::ChangedMeanwhile) => {
            let words = Some(t(caller.lang, "group-wrong-later"));
            group_page(&caller, &id, &Fields::default(), words, Vec::new()).await
        }
        Err(e) => Err(e.into()),
    }
}
