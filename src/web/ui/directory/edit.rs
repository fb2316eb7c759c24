//! Adding and changing an entry, closing an institution and opening it again.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::directory::{DirectoryForm, Input};
use super::super::views::{Hidden, render};
use super::list::{entry_page, id_of};
use super::{DIRECTORY, enter, kinds, line, part, say_wrong, select, text, tick, voice};
use crate::app::AppError;
use crate::app::directory::Closed;
use crate::app::people::NewInstitution;
use crate::domain::people::entry::InstitutionEntry;
use crate::domain::people::kana::digits;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::InstitutionId;
use crate::web::rate::Purpose;

/// A number as it is kept: the letters narrow, nothing for nothing.
pub(super) fn number(typed: &str) -> Option<String> {
    use unicode_normalization::UnicodeNormalization as _;
    let number: String =
        typed.trim().nfkc().map(|c| if matches!(c, 'ー' | '−' | '‐' | '―') { '-' } else { c }).collect();
    (!number.is_empty()).then_some(number)
}

/// What was typed.
fn read(fields: &Fields) -> NewInstitution {
    let areas = fields.text("serves");
    let areas =
        areas.split(['、', '，', ',', '・', '\n', ' ', '　']).map(str::trim).filter(|a| !a.is_empty());
    let plain_digits =
        |name| if fields.get(name).trim().is_empty() { String::new() } else { narrow(fields.get(name)) };
    let postcode = plain_digits("postcode");
    NewInstitution {
        name: fields.text("name"),
        kind: fields.get("kind").to_owned(),
        area: fields.text("area"),
        city_code: plain_digits("city_code"),
        phone: number(fields.get("phone")),
        kana: fields.text("kana"),
        code: plain_digits("code"),
        fax: number(fields.get("fax")),
        entry: InstitutionEntry {
            // A hyphen, a 〒 sign: whatever stands around seven digits.
            postcode: if digits(&postcode).len() == 7 { digits(&postcode) } else { postcode },
            address: fields.text("address"),
            serves: areas.map(str::to_owned).collect(),
            hours: fields.text("hours"),
            round_the_clock: fields.is_ticked("round_the_clock"),
            contact_person: fields.text("contact_person"),
            accepts: fields.text("accepts"),
            public: fields.is_ticked("public"),
            note: fields.text("note"),
        },
    }
}

fn inputs(caller: &Caller, new: &NewInstitution) -> Vec<Input> {
    let voice = voice(caller);
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        line(caller, "name", "directory-name", &new.name, "text"),
        line(caller, "kana", "directory-kana", &new.kana, "text"),
        select(caller, "kind", "directory-kind", kinds(voice, &new.kind).options),
        line(caller, "area", "directory-area", &new.area, "text"),
        line(caller, "serves", "directory-serves", &new.entry.serves.join("、"), "text"),
        part(caller, "directory-contact"),
        line(caller, "phone", "directory-phone", &of(&new.phone), "tel"),
        line(caller, "fax", "directory-fax", &of(&new.fax), "tel"),
        line(caller, "postcode", "directory-postcode", &new.entry.postcode, "numeric"),
        line(caller, "address", "directory-address", &new.entry.address, "text"),
        line(caller, "hours", "directory-hours", &new.entry.hours, "text"),
        tick(caller, "round_the_clock", "directory-round-tick", new.entry.round_the_clock),
        line(caller, "contact_person", "directory-person", &new.entry.contact_person, "text"),
        text(caller, "accepts", "directory-accepts", &new.entry.accepts, 4),
        part(caller, "directory-office"),
        tick(caller, "public", "directory-public-tick", new.entry.public),
        line(caller, "code", "directory-code", &new.code, "numeric"),
        line(caller, "city_code", "directory-city-code", &new.city_code, "numeric"),
        text(caller, "note", "directory-note", &new.entry.note, 3),
    ]
}

/// Which entry the form is about: a new one, or one at a revision.
type At<'a> = Option<(&'a InstitutionId, i64)>;

fn page(caller: &Caller, at: At<'_>, inputs: Vec<Input>, notice: Option<String>) -> Response {
    let key = if at.is_some() { "directory-edit" } else { "directory-new" };
    let place = at.map_or_else(|| "/directory".to_owned(), |(id, _)| format!("/directory/{id}"));
    let action = if at.is_some() { format!("{place}/edit") } else { format!("{place}/new") };
    let hidden = at.map(|(_, revision)| ("revision", Hidden(revision.to_string())));
    let view = DirectoryForm {
        shell: caller.shell_at(DIRECTORY, &action),
        title: t(caller.lang, key),
        lead: String::new(),
        notice,
        facts: Vec::new(),
        inputs,
        hidden: hidden.into_iter().collect(),
        asks_pin: false,
        pin_problem: None,
        action,
        send: t(caller.lang, "directory-save"),
        back: Some(place),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `GET /directory/new`
pub(in crate::web::ui) async fn new(caller: Caller) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Enrol) {
        return *instead;
    }
    let inputs = inputs(&caller, &NewInstitution::default());
    Ok(page(&caller, None, inputs, None))
}

/// The form again with what was typed, and what to say of it.
fn again(caller: &Caller, at: At<'_>, new: &NewInstitution, error: AppError) -> Result<Response, Failure> {
    let mut inputs = inputs(caller, new);
    let notice = match &error {
        AppError::Invalid(wrong) => say_wrong(caller, &mut inputs, wrong),
        _ => return Err(error.into()),
    };
    Ok(page(caller, at, inputs, notice))
}

/// `POST /directory/new`
pub(in crate::web::ui) async fn add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let new = read(&fields);
    if fields.check(&caller, DIRECTORY).is_err() {
        let notice = Some(t(caller.lang, "ask-send-again"));
        return Ok(page(&caller, None, inputs(&caller, &new), notice));
    }
    let key = fields.key("POST /directory/new")?;
    caller.limit(Purpose::Create)?;
    match caller.web.app.institution_add(&person.who(), new.clone(), Some(&key)).await {
        Ok(done) => Ok(caller.go_and_say(&format!("/directory/{}", done.into_inner()), "saved")),
        Err(e) => again(&caller, None, &new, e),
    }
}

/// `GET /directory/{id}/edit`
pub(in crate::web::ui) async fn form(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = match enter(&caller, Right::Enrol) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let association = &person.association.id;
    let found = caller.web.app.institution(association, &id).await?;
    let numbers = caller.web.app.numbers_of(association, &found).await?;
    let now = NewInstitution {
        name: found.name,
        kind: found.kind,
        area: found.area,
        city_code: found.city_code,
        phone: numbers.phone,
        kana: found.kana,
        code: found.code,
        fax: numbers.fax,
        entry: found.entry,
    };
    let inputs = inputs(&caller, &now);
    Ok(page(&caller, Some((&id, found.revision)), inputs, None))
}

/// `POST /directory/{id}/edit`
pub(in crate::web::ui) async fn save(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    let new = read(&fields);
    let revision = fields.number("revision").unwrap_or(-1);
    let at = Some((&id, revision));
    caller.web.app.institution(&person.association.id, &id).await?;
    if fields.check(&caller, DIRECTORY).is_err() {
        let notice = Some(t(caller.lang, "ask-send-again"));
        return Ok(page(&caller, at, inputs(&caller, &new), notice));
    }
    let key = fields.key(&format!("POST /directory/{id}/edit"))?;
    match caller.web.app.institution_change(&person.who(), &id, revision, new.clone(), Some(&key)).await {
        Ok(()) => Ok(caller.go_and_say(&format!("/directory/{id}"), "saved")),
        Err(AppError::ChangedMeanwhile) => {
            // What was typed stays; sent again it is written over what stands there now.
            let now = caller.web.app.institution(&person.association.id, &id).await?;
            let notice = Some(t(caller.lang, "directory-changed"));
            Ok(page(&caller, Some((&id, now.revision)), inputs(&caller, &new), notice))
        }
        Err(e) => again(&caller, at, &new, e),
    }
}

/// `POST /directory/{id}/close`
pub(in crate::web::ui) async fn close(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/{id}/close"))?;
    let revision = fields.number("revision").unwrap_or(-1);
    let done = caller.web.app.institution_close(&person.who(), &id, revision, Some(&key)).await?;
    closed(&caller, &id, done, "closed").await
}

/// `POST /directory/{id}/reopen`
pub(in crate::web::ui) async fn reopen(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let id = id_of(&id)?;
    fields.check(&caller, DIRECTORY)?;
    let key = fields.key(&format!("POST /directory/{id}/reopen"))?;
    let revision = fields.number("revision").unwrap_or(-1);
    let done = caller.web.app.institution_reopen(&person.who(), &id, revision, Some(&key)).await?;
    closed(&caller, &id, done, "reopened").await
}

async fn closed(caller: &Caller, id: &InstitutionId, done: Closed, said: &str) -> Result<Response, Failure> {
    match done {
        Closed::Done => Ok(caller.go_and_say(&format!("/directory/{id}"), said)),
        Closed::NotFound => Err(Failure::not_found()),
        Closed::Stale => Err(Failure::changed().back_to(format!("/directory/{id}"))),
        Closed::HasMembers(members) => {
            let association = &caller.with_right(Right::Enrol)?.association.id;
            let voice = voice(caller);
            let mut names = Vec::new();
            for member in &members {
                names.push(voice.name(&caller.web.app.member(association, member).await?));
            }
            let words = t_with(caller.lang, "directory-close-people", &[("names", &names.join("、"))]);
            entry_page(caller, id, Some(words)).await
        }
    }
}
