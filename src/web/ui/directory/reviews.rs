//! Who has looked at their entry and who has not; asking, and noting an answer given by phone.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::directory::{ReviewRow, ReviewsPage};
use super::super::views::{StateLine, Tone, render};
use super::list::{entry_page, id_of};
use super::{DIRECTORY, enter, said, voice};
use crate::app::directory::reviews::EntryStep;
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::{InstitutionId, MemberId};

/// `GET /directory/reviews`: the silent ones first.
pub(in crate::web::ui) async fn list(caller: Caller) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::People) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let voice = voice(&caller);
    let mut reviews = caller.web.app.entry_reviews(&person.association.id).await?;
    reviews.sort_by_key(|r| (!r.is_waiting(), r.institution.reviewed));
    let never = || t(caller.lang, "directory-never");
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let rows = reviews.iter().map(|r| {
        let (key, tone) = match (&r.owner, r.is_waiting()) {
            (None, _) => ("reviews-state-nobody", Tone::Warn),
            (Some(_), true) => ("reviews-state-waiting", Tone::Info),
            (Some(_), false) => ("reviews-state-good", Tone::Good),
        };
        ReviewRow {
            href: format!("/directory/{}", r.institution.id),
            id: r.institution.id.to_string(),
            name: r.institution.name.clone(),
            owner: r
                .owner
                .as_ref()
                .map_or_else(|| t(caller.lang, "directory-owner-nobody"), |o| voice.name(o)),
            state: StateLine { text: t(caller.lang, key), tone },
            reviewed: r.institution.reviewed.map_or_else(never, |at| voice.moment(at)),
            asked: r.asked.map_or_else(never, |at| voice.moment(at)),
            can_ask: r.owner.is_some(),
            once: caller.once(),
        }
    });
    let page = ReviewsPage {
        shell: caller.shell_at(DIRECTORY, "/directory/reviews"),
        notice: said(&caller),
        rows: rows.collect(),
        waiting: count(reviews.iter().filter(|r| r.owner.is_some() && r.is_waiting()).count()),
        good: count(reviews.iter().filter(|r| r.owner.is_some() && !r.is_waiting()).count()),
        nobody: count(reviews.iter().filter(|r| r.owner.is_none()).count()),
        enrols: person.may(Right::Enrol),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

async fn after(
    caller: &Caller,
    id: &InstitutionId,
    fields: &Fields,
    step: EntryStep,
    said: &str,
) -> Result<Response, Failure> {
    let place =
        if fields.is_ticked("list") { "/directory/reviews".to_owned() } else { format!("/directory/{id}") };
    match step {
        EntryStep::Done => Ok(caller.go_and_say(&place, said)),
        EntryStep::NotFound => Err(Failure::not_found()),
        EntryStep::NoOwner => {
            entry_page(caller, id, Some(t(caller.lang, "directory-owner-unreachable"))).await
        }
    }
}

/// `POST /directory/{id}/ask`
pub(in crate::web::ui) async fn ask(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/{id}/ask"))?;
    let step = caller.web.app.entry_link_send(&person.who(), &id, Some(&key)).await?;
    after(&caller, &id, &fields, step, "asked").await
}

/// `POST /directory/{id}/reviewed`
pub(in crate::web::ui) async fn reviewed(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/{id}/reviewed"))?;
    let step = caller.web.app.entry_reviewed_for(&person.who(), &id, Some(&key)).await?;
    after(&caller, &id, &fields, step, "reviewed").await
}

/// `POST /directory/{id}/owner`
pub(in crate::web::ui) async fn owner(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/{id}/owner"))?;
    let owner = match fields.get("owner") {
        "" => None,
        stored => Some(MemberId::from_stored(stored).map_err(|_| Failure::not_found())?),
    };
    let step = caller.web.app.entry_owner(&person.who(), &id, owner, Some(&key)).await?;
    after(&caller, &id, &fields, step, "saved").await
}
