//! The directory: institutions, contact windows, care groups; the public list. One file a subject; what is
//! shared between them stands here.

mod bank;
mod edit;
mod groups;
mod list;
mod own;
mod public;
mod reviews;
pub(super) mod windows;

use axum::response::Response;

use crate::app::directory::{DirectoryView, Numbers};
use crate::app::rows::{Institution, Member};
use crate::domain::calendar::{FiscalYear, civil_day};
use crate::domain::consult::{FieldWrong, LONG_TEXT, SHORT_TEXT, Wrong};
use crate::domain::people::INSTITUTION_KINDS;
use crate::domain::people::rights::Right;
use crate::i18n::{has, t, t_with};

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::directory::{Fact, Input, InputKind};
use super::views::{Choice, Choices};
use super::words::Voice;

pub(super) use groups::date;
pub(super) use own::page as own_entries;

pages! {
    get "/directory" => list::list;
    get "/directory/new" => edit::new;
    post "/directory/new" => edit::add;
    get "/directory/windows" => windows::list;
    get "/directory/windows/{id}" => windows::form;
    post "/directory/windows/{id}" => windows::save;
    get "/directory/groups" => groups::list;
    post "/directory/groups" => groups::add;
    get "/directory/groups/{id}" => groups::group;
    post "/directory/groups/{id}" => groups::rename;
    post "/directory/groups/{id}/join" => groups::join;
    post "/directory/groups/{id}/leave" => groups::leave;
    get "/directory/reviews" => reviews::list;
    get "/directory/{id}" => list::entry;
    get "/directory/{id}/edit" => edit::form;
    post "/directory/{id}/edit" => edit::save;
    post "/directory/{id}/close" => edit::close;
    post "/directory/{id}/reopen" => edit::reopen;
    post "/directory/{id}/owner" => reviews::owner;
    post "/directory/{id}/ask" => reviews::ask;
    post "/directory/{id}/reviewed" => reviews::reviewed;
    get "/directory/{id}/bank" => bank::page;
    post "/directory/{id}/bank" => bank::save;
    get "/me/windows" => windows::own_form;
    post "/me/windows" => windows::own_save;
    post "/k/entry" => own::answer;
    post "/k/entry/save" => own::save;
    get "/public" => public::home;
    get "/public/{code}" => public::questions;
    get "/public/{code}/list" => public::list;
    get "/public/{code}/print" => public::print;
    get "/public/{code}/windows" => public::windows;
    get "/public/{code}/entries/{id}" => public::entry;
    get "/public/{code}/sheet/{id}" => public::sheet;
}

const DIRECTORY: Binding<'static> = Binding::Page("directory");

/// What a search's address says; an address that says something twice says its last.
type Asked = axum::extract::Query<std::collections::BTreeMap<String, String>>;

fn asked<'a>(query: &'a Asked, name: &str) -> &'a str {
    query.0.get(name).map_or("", |value| value.trim())
}

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// The kinds in the order of the list: whom one looks for first.
const KIND_ORDER: &[&str] = &[
    "home_care_clinic",
    "clinic",
    "clinic_with_beds",
    "dental_clinic",
    "nursing_station",
    "pharmacy",
    "care_office",
    "visit_company",
    "hospital",
    "home_care_hospital",
    "liaison_room",
    "geriatric_facility",
    "public_office",
    "association",
];

/// Kinds with doctors of their own, whom a care manager looks for.
pub(super) const WITH_DOCTORS: &[&str] =
    &["home_care_clinic", "clinic", "clinic_with_beds", "hospital", "home_care_hospital"];

fn kinds(voice: Voice, chosen: &str) -> Choices {
    debug_assert!(INSTITUTION_KINDS.iter().all(|kind| KIND_ORDER.contains(kind)));
    voice.choices("institution", KIND_ORDER.iter().copied(), chosen)
}

fn areas<'a>(institutions: impl Iterator<Item = &'a Institution>, chosen: &str) -> Choices {
    let all: std::collections::BTreeSet<&str> =
        institutions.map(|i| i.area.as_str()).filter(|area| !area.is_empty()).collect();
    let option = |area: &str| Choice {
        value: area.to_owned(),
        label: area.to_owned(),
        note: None,
        chosen: area == chosen,
    };
    Choices { options: all.into_iter().map(option).collect(), problem: None }
}

fn fact(caller: &Caller, key: &str, value: impl Into<String>) -> Fact {
    Fact { label: t(caller.lang, key), value: value.into(), tel: false, long: false }
}

/// What everybody who may see the entry sees of it: empty ones left out.
fn facts(caller: &Caller, institution: &Institution, numbers: &Numbers) -> Vec<Fact> {
    let entry = &institution.entry;
    let postcode = match (entry.postcode.get(..3), entry.postcode.get(3..)) {
        (Some(first), Some(last)) if entry.postcode.len() == 7 => format!("〒{first}-{last} "),
        _ => String::new(),
    };
    let number = |key, number: Option<&String>| Fact {
        tel: true,
        ..fact(caller, key, number.cloned().unwrap_or_default())
    };
    let long = |key, text: &str| Fact { long: true, ..fact(caller, key, text) };
    let round = if entry.round_the_clock { t(caller.lang, "directory-24h") } else { String::new() };
    let mut facts = vec![
        number("directory-phone", numbers.phone.as_ref()),
        fact(caller, "directory-fax", numbers.fax.clone().unwrap_or_default()),
        fact(caller, "directory-round", round),
        fact(caller, "directory-area", institution.area.clone()),
        fact(caller, "directory-serves", entry.serves.join("・")),
        fact(caller, "directory-address", format!("{postcode}{}", entry.address)),
        fact(caller, "directory-hours", entry.hours.clone()),
        fact(caller, "directory-person", entry.contact_person.clone()),
        long("directory-accepts", &entry.accepts),
        fact(caller, "directory-code", institution.code.clone()),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

/// The words of what a member volunteers for.
fn specialties(voice: Voice, view: &DirectoryView, member: &Member) -> String {
    let words: Vec<String> =
        view.specialties_of(&member.id).iter().map(|code| voice.word("specialty", code)).collect();
    words.join("・")
}

/// One line of a form.
pub(super) fn line(caller: &Caller, id: &'static str, key: &str, value: &str, mode: &'static str) -> Input {
    let hint = format!("{key}-hint");
    Input {
        id,
        label: t(caller.lang, key),
        hint: if has(caller.lang, &hint) { t(caller.lang, &hint) } else { String::new() },
        problem: None,
        kind: InputKind::Line { value: value.to_owned(), mode },
    }
}

pub(super) fn text(caller: &Caller, id: &'static str, key: &str, value: &str, rows: u32) -> Input {
    Input { kind: InputKind::Text { value: value.to_owned(), rows }, ..line(caller, id, key, "", "text") }
}

pub(super) fn day(caller: &Caller, id: &'static str, key: &str, value: &str) -> Input {
    Input { kind: InputKind::Day { value: value.to_owned() }, ..line(caller, id, key, "", "text") }
}

pub(super) fn tick(caller: &Caller, id: &'static str, key: &str, ticked: bool) -> Input {
    Input { kind: InputKind::Tick { ticked }, ..line(caller, id, key, "", "text") }
}

pub(super) fn select(caller: &Caller, id: &'static str, key: &str, options: Vec<Choice>) -> Input {
    let empty = t(caller.lang, "ask-choose");
    Input { kind: InputKind::Select { options, empty }, ..line(caller, id, key, "", "text") }
}

pub(super) fn part(caller: &Caller, key: &str) -> Input {
    Input { kind: InputKind::Part, ..line(caller, "part", key, "", "text") }
}

/// Puts what is wrong beside its field; what has no field of its own is said above.
pub(super) fn say_wrong(caller: &Caller, inputs: &mut [Input], wrong: &[FieldWrong]) -> Option<String> {
    let mut above = None;
    for one in wrong {
        let n = if matches!(one.field, "accepts" | "note") { LONG_TEXT } else { SHORT_TEXT };
        let own = format!("directory-wrong-{}", one.field.replace('_', "-"));
        let words = match one.wrong {
            Wrong::TooLong => t_with(caller.lang, "ask-too-long", &[("n", &n.to_string())]),
            Wrong::Missing => t(caller.lang, "directory-wrong-missing"),
            Wrong::Taken => t(caller.lang, "directory-wrong-taken"),
            _ if has(caller.lang, &own) => t(caller.lang, &own),
            other => t(caller.lang, &format!("word-wrong-{}", other.code())),
        };
        match inputs.iter_mut().find(|input| input.id == one.field) {
            Some(input) => input.problem = Some(words),
            None => above = Some(words),
        }
    }
    above
}

/// What the last step said, for a page that says it once.
fn said(caller: &Caller) -> Option<String> {
    let code = caller.said().filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))?;
    let key = format!("directory-said-{code}");
    has(caller.lang, &key).then(|| t(caller.lang, &key))
}

/// Where somebody goes who may not enter.
type Instead = Box<Result<Response, Failure>>;

/// The signed-in reader with a right, or where to go first.
fn enter(caller: &Caller, right: Right) -> Result<&crate::app::access::SignedIn, Instead> {
    if caller.signed_in.is_none() {
        return Err(Box::new(Ok(caller.to_sign_in())));
    }
    caller.with_right(right).map_err(|failure| Box::new(Err(failure)))
}

/// The fiscal year of the page's association, or the one asked for: last year's, this and the next.
fn fiscal_year(caller: &Caller, asked: &str) -> FiscalYear {
    let now = FiscalYear::of(civil_day(caller.now, caller.zone()));
    let near = |year: &i32| (now.first_year() - 1..=now.first_year() + 1).contains(year);
    asked.parse().ok().filter(near).and_then(FiscalYear::beginning_in).unwrap_or(now)
}

fn year_text(caller: &Caller, year: FiscalYear) -> String {
    match caller.lang {
        crate::i18n::Lang::Ja => year.long(),
        crate::i18n::Lang::En => {
            t_with(caller.lang, "windows-year", &[("year", &year.first_year().to_string())])
        }
    }
}
