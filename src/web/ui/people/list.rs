//! The list of everybody with its search and filters, and the board of readiness.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::people::reach::PersonRow;
use crate::domain::people::Role;
use crate::domain::people::reach::{MailHealth, NextStep};
use crate::domain::people::rights::Right;
use crate::domain::people::search::Query as Find;
use crate::i18n::{t, t_with};
use crate::ids::MemberId;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{Fact, FilterLink, PeopleList, PersonLine, ReadinessPage, ReadyLine};
use super::super::views::{StateLine, Tone, render};
use super::super::words::Voice;
use super::{PEOPLE, mail_note, mail_state, next_step, phone_state, pin_state, roles_in_words, said, voice};

/// People on one page of the list.
const ON_A_PAGE: usize = 50;
/// People a search shows.
const FOUND_AT_MOST: usize = 200;

/// How the list is narrowed: codes only, nobody's name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    role: String,
    /// `unreached`, `left`, or those who are here.
    #[serde(default)]
    show: String,
    page: Option<usize>,
}

impl Filter {
    fn takes(&self, person: &PersonRow) -> bool {
        let here = person.member.left_at.is_none();
        let role = Role::from_code(&self.role).is_none_or(|role| person.member.has(role));
        role && match self.show.as_str() {
            "left" => !here,
            "unreached" => here && person.reach.readiness.is_unreached(),
            _ => here,
        }
    }

    fn links(&self, voice: Voice) -> Vec<FilterLink> {
        let link = |label: String, role: &str, show: &str| FilterLink {
            label,
            href: match (role, show) {
                ("", "") => "/people".to_owned(),
                (role, "") => format!("/people?role={role}"),
                (_, show) => format!("/people?show={show}"),
            },
            current: self.role == role && self.show == show,
        };
        let mut links = vec![link(t(voice.lang, "people-all"), "", "")];
        links.extend(Role::ALL.map(|role| link(voice.word("role", role.code()), role.code(), "")));
        links.push(link(t(voice.lang, "people-unreached"), "", "unreached"));
        links.push(link(t(voice.lang, "people-gone"), "", "left"));
        links
    }

    fn href(&self, page: usize) -> String {
        let mut href = format!("/people?page={page}");
        // Only known words go into an address.
        if Role::from_code(&self.role).is_some() {
            href.push_str(&format!("&role={}", self.role));
        }
        if matches!(self.show.as_str(), "left" | "unreached") {
            href.push_str(&format!("&show={}", self.show));
        }
        href
    }
}

fn line(voice: Voice, person: &PersonRow) -> PersonLine {
    let member = &person.member;
    PersonLine {
        href: format!("/people/{}", member.id),
        name: voice.name(member),
        kana: member.kana.clone(),
        member_no: member.member_no.clone(),
        institution: person.institution.as_ref().map(|i| i.name.clone()).unwrap_or_default(),
        roles: roles_in_words(voice, &member.roles),
        mail: mail_state(voice, person.reach.readiness.mail),
        left: member.left_at.map(|at| t_with(voice.lang, "people-left-at", &[("time", &voice.moment(at))])),
    }
}

/// `GET /people`
pub(super) async fn list(caller: Caller, Query(filter): Query<Filter>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::People)?;
    let voice = voice(&caller);
    let people = caller.web.app.people(&person.association.id).await?;
    let fitting: Vec<&PersonRow> = people.iter().filter(|p| filter.takes(p)).collect();
    let page = filter.page.unwrap_or(1).clamp(1, fitting.len().div_ceil(ON_A_PAGE).max(1));
    let rows = fitting.iter().skip((page - 1) * ON_A_PAGE).take(ON_A_PAGE);
    let n = fitting.len().to_string();
    let view = PeopleList {
        shell: caller.shell_at(PEOPLE, "/people"),
        notice: said(&caller),
        query: String::new(),
        filters: filter.links(voice),
        rows: rows.map(|p| line(voice, p)).collect(),
        count: t_with(caller.lang, "people-count", &[("n", &n)]),
        previous_href: (page > 1).then(|| filter.href(page - 1)),
        next_href: (page * ON_A_PAGE < fitting.len()).then(|| filter.href(page + 1)),
        may_enrol: person.may(Right::Enrol),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /people`: a search. It changes nothing; it is posted because nobody's name stands in an address.
pub(super) async fn find(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::People)?;
    fields.check(&caller, PEOPLE)?;
    let voice = voice(&caller);
    let typed = fields.text("q");
    let find = Find::new(&typed);
    let people = caller.web.app.people(&person.association.id).await?;
    let found: Vec<&PersonRow> = people
        .iter()
        .filter(|p| {
            let (m, i) = (&p.member, p.institution.as_ref());
            let (home, reading) = i.map_or(("", ""), |i| (i.name.as_str(), i.kana.as_str()));
            find.finds(&[&m.name, &m.kana, &m.member_no, home, reading])
        })
        .collect();
    let values = [("n", found.len().to_string()), ("query", typed.clone())];
    let values = values.each_ref().map(|(k, v)| (*k, v.as_str()));
    let key = match (find.is_empty(), found.len() > FOUND_AT_MOST) {
        (true, _) => "people-found-all",
        (false, true) => "people-found-many",
        (false, false) => "people-found",
    };
    let view = PeopleList {
        shell: caller.shell_at(PEOPLE, "/people"),
        notice: None,
        query: typed,
        filters: Filter { show: "found".to_owned(), ..Filter::default() }.links(voice),
        rows: found.iter().take(FOUND_AT_MOST).map(|p| line(voice, p)).collect(),
        count: t_with(caller.lang, key, &values),
        previous_href: None,
        next_href: None,
        may_enrol: person.may(Right::Enrol),
    };
    Ok(caller.page(render(&view), false))
}

/// Which part of the board is shown.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    show: String,
}

fn ready_line(voice: Voice, person: &PersonRow) -> ReadyLine {
    let reach = &person.reach;
    let yes_no = |yes: bool, code: &str| StateLine {
        text: voice.word(code, if yes { "yes" } else { "no" }),
        tone: if yes { Tone::Good } else { Tone::Warn },
    };
    ReadyLine {
        id: person.member.id.to_string(),
        href: format!("/people/{}", person.member.id),
        name: voice.name(&person.member),
        institution: person.institution.as_ref().map(|i| i.name.clone()).unwrap_or_default(),
        pin: pin_state(voice, reach),
        sheet: yes_no(reach.readiness.sheet_made, "sheet"),
        device: yes_no(reach.readiness.devices > 0, "known"),
        mail: mail_state(voice, reach.readiness.mail),
        mail_note: mail_note(voice, reach),
        phone: phone_state(voice, reach.readiness.phone),
        next: next_step(voice, reach),
        done: reach.next == NextStep::Nothing,
    }
}

/// `GET /people/readiness`
pub(super) async fn readiness(caller: Caller, Query(part): Query<Part>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    board(&caller, &part, said(&caller)).await
}

async fn board(caller: &Caller, part: &Part, notice: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::People)?;
    let voice = voice(caller);
    let mut people = caller.web.app.people(&person.association.id).await?;
    people.retain(|p| p.member.left_at.is_none());
    let count = |key: &str, fits: &dyn Fn(&PersonRow) -> bool| Fact {
        name: t(caller.lang, key),
        value: people.iter().filter(|p| fits(p)).count().to_string(),
    };
    let counts = vec![
        count("ready-count-all", &|_| true),
        count("ready-count-done", &|p| p.reach.next == NextStep::Nothing),
        count("ready-count-pin", &|p| p.reach.readiness.pin_set),
        count("ready-count-mail", &|p| p.reach.readiness.mail.arrives()),
        count("ready-count-phone", &|p| p.reach.readiness.phone.is_confirmed()),
        count("ready-count-failing", &|p| matches!(p.reach.readiness.mail, MailHealth::Failing(_))),
    ];
    let link = |key: &str, show: &str| FilterLink {
        label: t(caller.lang, key),
        href: if show.is_empty() {
            "/people/readiness".to_owned()
        } else {
            format!("/people/readiness?show={show}")
        },
        current: part.show == show,
    };
    let shown = people.iter().filter(|p| match part.show.as_str() {
        "todo" => p.reach.next != NextStep::Nothing,
        "sheet" => p.reach.next == NextStep::MakeSheet,
        "test" => p.reach.next == NextStep::SendTest,
        "ring" => p.reach.readiness.wants_ring(),
        _ => true,
    });
    let view = ReadinessPage {
        shell: caller.shell_at(PEOPLE, "/people/readiness"),
        notice,
        counts,
        filters: vec![
            link("people-all", ""),
            link("ready-todo", "todo"),
            link("ready-need-sheet", "sheet"),
            link("ready-need-test", "test"),
            link("ready-need-ring", "ring"),
        ],
        rows: shown.map(|p| ready_line(voice, p)).collect(),
        unreached: people
            .iter()
            .filter(|p| p.reach.readiness.is_unreached())
            .map(|p| ready_line(voice, p))
            .collect(),
        may_enrol: person.may(Right::Enrol),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /people/readiness`: sheets or test mails for those chosen.
pub(super) async fn chosen(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, PEOPLE)?;
    let members: Vec<MemberId> = fields
        .all("member")
        .map(|id| MemberId::from_stored(id).map_err(|_| Failure::not_found()))
        .collect::<Result<_, _>>()?;
    if members.is_empty() {
        return board(&caller, &Part::default(), Some(t(caller.lang, "ready-choose"))).await;
    }
    if fields.get("do") == "sheets" {
        return super::sheet::start_for(&caller, &members, "/people/readiness", None).await;
    }
    let key = fields.key("POST /people/readiness")?;
    match caller.web.app.reach_tests_send(&person.who(), &members, Some(&key)).await {
        Ok(_) => Ok(caller.go_and_say("/people/readiness", "tests-sent")),
        Err(AppError::Invalid(_)) => {
            board(&caller, &Part::default(), Some(t(caller.lang, "ready-choose"))).await
        }
        Err(e) => Err(e.into()),
    }
}
