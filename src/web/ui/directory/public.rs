//! The public list: whom to call, without signing in. Only entries that are public, no names but those of
//! doctors who said so, no mobile numbers (domain C5).

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::views::directory::{
    PublicEntry, PublicList, PublicPage, PublicPart, PublicPrint, PublicRow, PublicSheet, Sought, WindowsPage,
};
use super::super::views::{Field, render};
use super::super::words::Voice;
use super::list::id_of;
use super::windows::{by_weekday, lines, window_line};
use super::{Asked, KIND_ORDER, WITH_DOCTORS, areas, asked, facts, fiscal_year, kinds, year_text};
use crate::app::directory::{DirectoryView, Numbers};
use crate::app::rows::{Association, Institution, Member};
use crate::domain::calendar::{civil_day, era_date};
use crate::domain::people::contact_window::{ContactWindow, next_opening, open_at};
use crate::domain::people::kana;
use crate::i18n::{Lang, t, t_with};
use crate::ids::InstitutionId;

const PUBLIC: Binding<'static> = Binding::Page("public");

/// A public page of an association, as everybody sees it: also whoever is signed in.
struct Guest {
    caller: Caller,
    home: Association,
    base: String,
    /// Public entries and their people alone.
    view: DirectoryView,
}

impl Guest {
    async fn at(caller: &Caller, code: &str) -> Result<Self, Failure> {
        let home = caller.web.app.association_by_code(code).await?;
        let mut view = caller.web.app.directory(&home.id).await?;
        view.institutions.retain(|i| i.entry.public && i.closed.is_none());
        let public: std::collections::BTreeSet<&InstitutionId> =
            view.institutions.iter().map(|i| &i.id).collect();
        view.members.retain(|m| m.institution.as_ref().is_some_and(|id| public.contains(id)));
        let base = format!("/public/{}", home.code);
        Ok(Self { caller: caller.as_guest_of(&home), home, base, view })
    }

    fn voice(&self) -> Voice {
        Voice { lang: self.caller.lang, zone: self.home.zone, now: self.caller.now }
    }

    async fn rows<'a>(
        &'a self,
        institutions: Vec<&'a Institution>,
    ) -> Result<Vec<(&'a Institution, PublicRow)>, Failure> {
        let numbers = self.caller.web.app.numbers_of_all(&self.home.id, &institutions).await?;
        let row = |i: &'a Institution| {
            let Numbers { phone, fax } = numbers.get(&i.id).cloned().unwrap_or_default();
            let row = PublicRow {
                href: format!("{}/entries/{}", self.base, i.id),
                name: i.name.clone(),
                area: i.area.clone(),
                phone: phone.unwrap_or_default(),
                fax: fax.unwrap_or_default(),
                hours: i.entry.hours.clone(),
                address: i.entry.address.clone(),
                accepts: i.entry.accepts.clone(),
                round_the_clock: i.entry.round_the_clock,
            };
            (i, row)
        };
        Ok(institutions.into_iter().map(row).collect())
    }

    /// Visiting nurses, those who are there day and night first.
    async fn stations(&self) -> Result<Vec<PublicRow>, Failure> {
        let stations = self.view.institutions.iter().filter(|i| i.kind == "nursing_station").collect();
        let mut rows: Vec<PublicRow> = self.rows(stations).await?.into_iter().map(|(_, row)| row).collect();
        rows.sort_by_key(|row| !row.round_the_clock);
        Ok(rows)
    }

    fn parts(&self, rows: &[(&Institution, PublicRow)]) -> Vec<PublicPart> {
        let voice = self.voice();
        let part = |code: &&str| PublicPart {
            id: (*code).to_owned(),
            title: voice.word("institution", code),
            rows: rows.iter().filter(|(i, _)| i.kind == **code).map(|(_, row)| row.clone()).collect(),
        };
        KIND_ORDER.iter().map(part).filter(|part| !part.rows.is_empty()).collect()
    }

    fn day(&self) -> String {
        let today = civil_day(self.caller.now, self.home.zone);
        match self.caller.lang {
            Lang::Ja => era_date(today),
            Lang::En => today.to_string(),
        }
    }
}

/// Whether a window may stand on the public list.
fn is_public(_: &Member, window: &ContactWindow) -> bool {
    window.public
}

/// `GET /public`: the list of the only association, or of the reader's own.
pub(in crate::web::ui) async fn home(caller: Caller) -> Result<Response, Failure> {
    let home = caller.home.as_ref().ok_or(Failure::not_found())?;
    questions_page(&caller, &home.code).await
}

/// `GET /public/{code}`
pub(in crate::web::ui) async fn questions(
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Response, Failure> {
    questions_page(&caller, &code).await
}

async fn questions_page(caller: &Caller, code: &str) -> Result<Response, Failure> {
    let guest = Guest::at(caller, code).await?;
    let clinics = guest.view.institutions.iter().filter(|i| WITH_DOCTORS.contains(&i.kind.as_str()));
    let clinics = clinics.collect();
    let page = PublicPage {
        shell: guest.caller.shell_at(PUBLIC, &guest.base),
        stations: guest.stations().await?,
        clinics: guest.rows(clinics).await?.into_iter().map(|(_, row)| row).collect(),
        base: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /public/{code}/list`
pub(in crate::web::ui) async fn list(
    caller: Caller,
    Path(code): Path<String>,
    query: Asked,
) -> Result<Response, Failure> {
    let guest = Guest::at(&caller, &code).await?;
    let (q, kind, area) = (asked(&query, "q"), asked(&query, "kind"), asked(&query, "area"));
    let found = guest
        .view
        .institutions
        .iter()
        .filter(|i| kind.is_empty() || i.kind == kind)
        .filter(|i| area.is_empty() || i.area == area || i.entry.serves.iter().any(|a| a == area))
        .filter(|i| kana::holds(&i.name, q) || kana::holds(&i.kana, q))
        .collect();
    let rows = guest.rows(found).await?;
    let page = PublicList {
        shell: guest.caller.shell_at(PUBLIC, &format!("{}/list", guest.base)),
        sought: Sought {
            q: Field { value: q.to_owned(), problem: None },
            kind: kinds(guest.voice(), kind),
            area: areas(guest.view.institutions.iter(), area),
            closed: false,
        },
        parts: guest.parts(&rows),
        count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        base: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /public/{code}/print`
pub(in crate::web::ui) async fn print(caller: Caller, Path(code): Path<String>) -> Result<Response, Failure> {
    let guest = Guest::at(&caller, &code).await?;
    let rows = guest.rows(guest.view.institutions.iter().collect()).await?;
    let page = PublicPrint {
        shell: guest.caller.shell_at(PUBLIC, &format!("{}/print", guest.base)),
        day: guest.day(),
        parts: guest.parts(&rows),
        base: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /public/{code}/windows`
pub(in crate::web::ui) async fn windows(
    caller: Caller,
    Path(code): Path<String>,
    query: Asked,
) -> Result<Response, Failure> {
    let guest = Guest::at(&caller, &code).await?;
    let year = fiscal_year(&guest.caller, asked(&query, "year"));
    let windows = caller.web.app.contact_windows_of_year(&guest.home.id, year).await?;
    let voice = guest.voice();
    let lines = lines(voice, &guest.view, &windows, is_public);
    let page = WindowsPage {
        shell: guest.caller.shell_at(PUBLIC, &format!("{}/windows", guest.base)),
        year: year_text(&guest.caller, year),
        other_year: None,
        parts: by_weekday(voice, &lines),
        missing: Vec::new(),
        back: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /public/{code}/entries/{id}`
pub(in crate::web::ui) async fn entry(
    caller: Caller,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let guest = Guest::at(&caller, &code).await?;
    let id = id_of(&id)?;
    let institution = guest.view.institution(&id).ok_or(Failure::not_found())?;
    let app = &caller.web.app;
    let numbers = app.numbers_of(&guest.home.id, institution).await?;
    let voice = guest.voice();
    let year = fiscal_year(&guest.caller, "");
    let windows = app.contact_windows_of_year(&guest.home.id, year).await?;
    let mut own = Vec::new();
    for one in &windows {
        let here = guest.view.people_of(&id).find(|m| m.id == one.member);
        let Some(member) = here else { continue };
        own.extend(one.windows.iter().filter(|w| is_public(member, w)).map(|w| (w.clone(), member)));
    }
    let all: Vec<ContactWindow> = own.iter().map(|(w, _)| w.clone()).collect();
    let calendar = app.calendar_of(&guest.home.id).await?;
    let holiday = |day| calendar.holiday_name(day).is_some();
    let open = open_at(&all, caller.now, guest.home.zone, &holiday);
    let lines = own.iter().map(|(window, member)| {
        let mut line = window_line(voice, window, voice.name(member), String::new());
        line.open_now = open.iter().any(|(w, _)| *w == window);
        line
    });
    // A fax that takes papers all day is not somebody who answers now.
    let answers = open.iter().find(|(w, _)| !w.is_all_day());
    let now = match (answers, all.is_empty()) {
        (Some((window, until)), _) => {
            let way = voice.word("way", window.way.code());
            let values = [("way", &*way), ("time", &*voice.short(*until))];
            t_with(caller.lang, "public-now-open", &values)
        }
        (None, true) => t(caller.lang, "public-now-unknown"),
        (None, false) => t(caller.lang, "public-now-closed"),
    };
    let timed: Vec<ContactWindow> = all.iter().filter(|w| !w.is_all_day()).cloned().collect();
    let next = next_opening(&timed, caller.now, guest.home.zone, &holiday).filter(|_| answers.is_none());
    let next = next.map(|(at, window)| {
        let way = voice.word("way", window.way.code());
        t_with(caller.lang, "public-next", &[("way", &way), ("time", &voice.moment(at))])
    });
    let page = PublicEntry {
        shell: guest.caller.shell_at(PUBLIC, &format!("{}/entries/{id}", guest.base)),
        id: id.to_string(),
        name: institution.name.clone(),
        kind: voice.word("institution", &institution.kind),
        facts: facts(&guest.caller, institution, &numbers)
            .into_iter()
            .filter(|fact| fact.label != t(caller.lang, "directory-code"))
            .collect(),
        windows: lines.collect(),
        is_clinic: WITH_DOCTORS.contains(&institution.kind.as_str()),
        open_now: answers.is_some(),
        now,
        next,
        stations: guest.stations().await?,
        base: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /public/{code}/sheet/{id}`
pub(in crate::web::ui) async fn sheet(
    caller: Caller,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let guest = Guest::at(&caller, &code).await?;
    let id = id_of(&id)?;
    let institution = guest.view.institution(&id).ok_or(Failure::not_found())?;
    let Numbers { phone, fax } = caller.web.app.numbers_of(&guest.home.id, institution).await?;
    let page = PublicSheet {
        shell: guest.caller.shell_at(PUBLIC, &format!("{}/sheet/{id}", guest.base)),
        id: id.to_string(),
        day: guest.day(),
        name: institution.name.clone(),
        phone: phone.unwrap_or_default(),
        fax: fax.unwrap_or_default(),
        base: guest.base.clone(),
    };
    Ok(caller.page(render(&page), false))
}
