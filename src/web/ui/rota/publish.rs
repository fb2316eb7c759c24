//! Publishing a draft: what it changes for whom and how they are told, what forbids it; what was published.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::render;
use super::super::views::rota::{ChangeLine, ConcernedLine, PublicationPage, PublishPage, ViolationLine};
use super::super::words::Voice;
use super::editor::{actor, draft_id};
use super::{ROTA, enter, said, say, voice};
use crate::app::AppError;
use crate::app::rota::RotaWorld;
use crate::app::rota::desk::PublishPreview;
use crate::app::rota::publish::{Breaches, Published, concerned};
use crate::domain::people::rights::Right;
use crate::domain::rota::{Change, Refused};
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, PublicationId, RotaDraftId};

fn change(voice: Voice, world: &RotaWorld, change: &Change) -> ChangeLine {
    ChangeLine {
        hours: say::hours(voice, change.window),
        role: say::role(voice, change.role),
        before: say::people(voice, world, &change.before),
        after: say::people(voice, world, &change.after),
    }
}

fn refused(voice: Voice, world: &RotaWorld, refused: &Refused) -> String {
    match refused {
        Refused::Overlap { first, second, .. } => {
            let (first, second) = (say::duty(voice, world, first), say::duty(voice, world, second));
            t_with(voice.lang, "rota-refused-overlap", &[("first", &first), ("second", &second)])
        }
        Refused::OutsideThePeriod { duty } => {
            t_with(voice.lang, "rota-refused-outside", &[("duty", &say::duty(voice, world, duty))])
        }
        Refused::NoTime { duty } => {
            t_with(voice.lang, "rota-refused-no-time", &[("duty", &say::duty(voice, world, duty))])
        }
    }
}

/// How somebody is told.
fn channel(voice: Voice, world: &RotaWorld, id: &MemberId) -> String {
    let member = world.members.get(id);
    let failing = member.is_some_and(|m| m.mail_failing_since.is_some());
    let key = match member {
        Some(member) if member.email.is_some() && failing => "rota-channel-failing",
        Some(member) if member.email.is_some() => "rota-channel-mail",
        Some(member) if member.fax.is_some() => "rota-channel-fax",
        _ => "rota-channel-paper",
    };
    t(voice.lang, key)
}

/// `GET /rota/drafts/{id}/publish`
pub(in crate::web::ui) async fn preview(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let id = draft_id(&id)?;
    let view = caller.web.app.rota_publish_preview(&person.association.id, &id).await?;
    Ok(preview_page(&caller, &id, &view, "", None))
}

fn preview_page(
    caller: &Caller,
    id: &RotaDraftId,
    view: &PublishPreview,
    note: &str,
    problem: Option<String>,
) -> Response {
    let voice = voice(caller);
    let world = &view.world;
    let told = concerned(&view.changes).into_iter().map(|(person, changes)| ConcernedLine {
        name: say::person(voice, world, &person),
        channel: channel(voice, world, &person),
        changes: u32::try_from(changes.len()).unwrap_or(u32::MAX),
    });
    let violation = |v: &crate::domain::rota::Violation| ViolationLine {
        text: say::violation(voice, world, v),
        hard: v.rule.is_hard(),
        href: None,
    };
    let page = PublishPage {
        shell: caller.shell_at(ROTA, &format!("/rota/drafts/{id}/publish")),
        id: id.to_string(),
        revision: view.draft.revision,
        name: view.draft.name.clone(),
        period: say::days(voice, view.draft.first, view.draft.last),
        open: view.draft.publication.is_none() && view.draft.dropped_at.is_none(),
        problem,
        refused: view.refused.iter().map(|r| refused(voice, world, r)).collect(),
        hard: view.violations.iter().filter(|v| v.rule.is_hard()).map(violation).collect(),
        empty: view.empty.iter().map(|(key, role)| say::seat(voice, world, key, *role)).collect(),
        change_count: u32::try_from(view.changes.len()).unwrap_or(u32::MAX),
        changes: view.changes.iter().map(|c| change(voice, world, c)).collect(),
        told: told.collect(),
        note: note.to_owned(),
        once: caller.once(),
    };
    caller.page(render(&page), false)
}

/// `POST /rota/drafts/{id}/publish`
pub(in crate::web::ui) async fn publish(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    let (app, home) = (&caller.web.app, &person.association.id);
    app.rota_draft_head(home, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/publish"))?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let note = fields.text("note");
    let breaches = if fields.is_ticked("accept") { Breaches::Accept } else { Breaches::Forbid };
    let again = async |key: &str| -> Result<Response, Failure> {
        let view = app.rota_publish_preview(home, &id).await?;
        Ok(preview_page(&caller, &id, &view, &note, Some(t(caller.lang, key))))
    };
    match app.rota_publish(&person.who(), &id, revision, (breaches, &note), Some(&key)).await {
        Ok(Published::Done { id, .. }) => {
            Ok(caller.go_and_say(&format!("/rota/publications/{id}"), "published"))
        }
        Ok(Published::Refused { refused, .. }) if !refused.is_empty() => again("rota-publish-refused").await,
        Ok(Published::Refused { .. }) => again("rota-publish-breaches").await,
        Ok(Published::NotOpen) => Ok(caller.go_and_say(&format!("/rota/drafts/{id}"), "not-open")),
        Ok(Published::NoArea) => again("rota-publish-no-area").await,
        Ok(Published::NoPerson(_)) => again("rota-publish-no-person").await,
        Ok(Published::NotFound) => Err(Failure::not_found()),
        Ok(Published::Stale) | Err(AppError::ChangedMeanwhile) => again("rota-publish-stale").await,
        Err(AppError::Invalid(_)) => again("rota-publish-note").await,
        Err(e) => Err(e.into()),
    }
}

/// `GET /rota/publications/{id}`
pub(in crate::web::ui) async fn publication(
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let id = PublicationId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let (app, home, voice) = (&caller.web.app, &person.association.id, voice(&caller));
    let (head, publication) = app.rota_publication(home, &id).await?;
    let world = app.rota_world(home).await?;
    let mut duties = publication.assignments;
    duties.sort_by_key(|duty| (duty.window, duty.role));
    let page = PublicationPage {
        shell: caller.shell_at(ROTA, &format!("/rota/publications/{id}")),
        notice: said(&caller),
        period: say::hours(voice, head.period),
        area: (world.settings.areas.len() > 1).then(|| world.area_name(&head.area).to_owned()),
        made: t_with(
            voice.lang,
            "rota-published-at",
            &[
                ("at", &voice.moment(head.recorded_at)),
                ("who", &actor(voice, &world, &head.made_by)),
                ("n", &head.duties.to_string()),
            ],
        ),
        note: head.note,
        duties: duties.iter().map(|duty| say::duty(voice, &world, duty)).collect(),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}
