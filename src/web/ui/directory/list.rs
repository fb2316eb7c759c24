//! The directory's list and its entries, for those who may read it.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::views::directory::{
    DirectoryEntry, DirectoryPage, DirectoryPart, DirectoryRow, EntryOffice, EntryPerson, Sought,
};
use super::super::views::{Choice, Choices, Field, render};
use super::{Asked, DIRECTORY, KIND_ORDER, areas, asked, enter, facts, kinds, said, specialties, voice};
use crate::app::directory::DirectoryView;
use crate::app::rows::{Association, Institution};
use crate::domain::calendar::civil_day;
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::InstitutionId;
use crate::web::ui::words::Voice;

/// Digits from which on a search is also for numbers.
const NUMBER_FROM: usize = 4;

/// The ids of the institutions that have these digits in their code or a number of theirs.
async fn by_number(
    caller: &Caller,
    home: &Association,
    view: &DirectoryView,
    typed: &str,
) -> Result<Vec<InstitutionId>, Failure> {
    let digits = kana::digits(typed);
    if digits.len() < NUMBER_FROM || typed.chars().any(char::is_alphabetic) {
        return Ok(Vec::new());
    }
    let all: Vec<&Institution> = view.institutions.iter().collect();
    let numbers = caller.web.app.numbers_of_all(&home.id, &all).await?;
    let has = |number: Option<&String>| number.is_some_and(|n| kana::digits(n).contains(&digits));
    Ok(view
        .institutions
        .iter()
        .filter(|i| {
            let of = numbers.get(&i.id);
            i.code.contains(&digits)
                || has(of.and_then(|n| n.phone.as_ref()))
                || has(of.and_then(|n| n.fax.as_ref()))
        })
        .map(|i| i.id.clone())
        .collect())
}

/// Whether what was typed is in the name, the kana, or a name of its people.
fn by_name(view: &DirectoryView, institution: &Institution, typed: &str) -> bool {
    kana::holds(&institution.name, typed)
        || kana::holds(&institution.kana, typed)
        || view.people_of(&institution.id).any(|m| kana::holds(&m.name, typed) || kana::holds(&m.kana, typed))
}

fn row(voice: Voice, view: &DirectoryView, institution: &Institution) -> DirectoryRow {
    let people = view.people_of(&institution.id).filter(|m| !m.is_office());
    let person = |m| {
        let specialties = specialties(voice, view, m);
        if specialties.is_empty() { voice.name(m) } else { format!("{}（{specialties}）", voice.name(m)) }
    };
    DirectoryRow {
        href: format!("/directory/{}", institution.id),
        name: institution.name.clone(),
        kana: institution.kana.clone(),
        area: institution.area.clone(),
        round_the_clock: institution.entry.round_the_clock,
        closed: institution.closed.is_some(),
        people: people.map(person).collect(),
        accepts: institution.entry.accepts.lines().next().unwrap_or_default().to_owned(),
    }
}

/// `GET /directory`
pub(in crate::web::ui) async fn list(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Directory) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let voice = voice(&caller);
    let home = &person.association;
    let view = caller.web.app.directory(&home.id).await?;
    let (q, kind, area) = (asked(&query, "q"), asked(&query, "kind"), asked(&query, "area"));
    let enrols = person.may(Right::Enrol);
    let closed = enrols && asked(&query, "closed") == "yes";
    let numbered = by_number(&caller, home, &view, q).await?;
    let found: Vec<&Institution> = view
        .institutions
        .iter()
        .filter(|i| (closed || i.closed.is_none()) && (kind.is_empty() || i.kind == kind))
        .filter(|i| area.is_empty() || i.area == area || i.entry.serves.iter().any(|a| a == area))
        .filter(|i| numbered.contains(&i.id) || by_name(&view, i, q))
        .collect();
    let part = |code: &&str| DirectoryPart {
        kind: (*code).to_owned(),
        title: voice.word("institution", code),
        rows: found.iter().filter(|i| i.kind == **code).map(|i| row(voice, &view, i)).collect(),
    };
    let page = DirectoryPage {
        shell: caller.shell_at(DIRECTORY, "/directory"),
        notice: said(&caller),
        sought: Sought {
            q: Field { value: q.to_owned(), problem: None },
            kind: kinds(voice, kind),
            area: areas(view.institutions.iter(), area),
            closed,
        },
        parts: KIND_ORDER.iter().map(part).filter(|part| !part.rows.is_empty()).collect(),
        count: u32::try_from(found.len()).unwrap_or(u32::MAX),
        enrols,
        office: person.may(Right::People),
        public_href: format!("/public/{}", home.code),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

pub(super) fn id_of(path: &str) -> Result<InstitutionId, Failure> {
    InstitutionId::from_stored(path).map_err(|_| Failure::not_found())
}

/// `GET /directory/{id}`
pub(in crate::web::ui) async fn entry(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    if let Err(instead) = enter(&caller, Right::Directory) {
        return *instead;
    }
    entry_page(&caller, &id, None).await
}

pub(super) async fn entry_page(
    caller: &Caller,
    id: &InstitutionId,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Directory)?;
    let voice = voice(caller);
    let association = &person.association.id;
    let view = caller.web.app.directory(association).await?;
    let institution = view.institution(id).ok_or(Failure::not_found())?;
    let enrols = person.may(Right::Enrol);
    let numbers = caller.web.app.numbers_of(association, institution).await?;
    let today = civil_day(caller.now, caller.zone());
    let group = view.memberships.iter().find(|m| m.institution == *id && m.holds_on(today));
    let group = group.and_then(|m| view.groups.iter().find(|g| g.id == m.group));
    let people = view.people_of(id).map(|m| EntryPerson {
        name: voice.name(m),
        roles: m.roles.iter().map(|r| voice.word("role", r.code())).collect::<Vec<_>>().join("・"),
        specialties: specialties(voice, &view, m),
        windows_href: (enrols && m.roles.iter().any(|r| !r.is_office()))
            .then(|| format!("/directory/windows/{}", m.id)),
    });
    let office =
        if person.may(Right::People) { Some(office(caller, &view, institution).await?) } else { None };
    let page = DirectoryEntry {
        shell: caller.shell_at(DIRECTORY, &format!("/directory/{id}")),
        id: id.to_string(),
        notice: said(caller).filter(|_| problem.is_none()),
        problem,
        name: institution.name.clone(),
        kana: institution.kana.clone(),
        kind: voice.word("institution", &institution.kind),
        closed: institution.closed.is_some(),
        facts: facts(caller, institution, &numbers),
        people: people.collect(),
        group: group.map(|g| (g.name.clone(), format!("/directory/groups/{}", g.id))),
        office,
        once: caller.once(),
    };
    Ok(caller.page(render(&page), caller.said().is_some()))
}

async fn office(
    caller: &Caller,
    view: &DirectoryView,
    institution: &Institution,
) -> Result<EntryOffice, Failure> {
    let person = caller.with_right(Right::People)?;
    let voice = voice(caller);
    let never = || t(caller.lang, "directory-never");
    let reviews = caller.web.app.entry_reviews(&person.association.id).await?;
    let review = reviews.into_iter().find(|r| r.institution.id == institution.id);
    let owner = review.as_ref().and_then(|r| r.owner.as_ref());
    let chosen = review.as_ref().is_some_and(|r| r.chosen);
    let owners = view.members.iter().filter(|m| m.email.is_some()).map(|m| Choice {
        value: m.id.to_string(),
        label: voice.name(m),
        note: None,
        chosen: chosen && owner.is_some_and(|o| o.id == m.id),
    });
    Ok(EntryOffice {
        revision: institution.revision,
        reviewed: institution.reviewed.map_or_else(never, |at| voice.moment(at)),
        asked: review.as_ref().and_then(|r| r.asked).map_or_else(never, |at| voice.moment(at)),
        owner: owner.map_or_else(|| t(caller.lang, "directory-owner-nobody"), |o| voice.name(o)),
        owners: Choices { options: owners.collect(), problem: None },
        can_ask: owner.is_some(),
        note: institution.entry.note.clone(),
        public: institution.entry.public,
        enrols: person.may(Right::Enrol),
        bank: person.may(Right::Bank),
    })
}
