//! The rota as sheets to be printed: for the wall, for one person, for a clinic's households.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, Query};
use axum::response::Response;
use chrono_tz::Tz;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::views::paper::{
    NoticeLine, NoticeNumber, PaperBlock, PaperCell, PaperDay, PaperDuty, PaperLine, PaperName, PaperNotice,
    PaperSheet, PaperSlip, PaperWall, Tab,
};
use super::super::views::render;
use super::super::words::{Voice, title};
use crate::app::access::SignedIn;
use crate::app::rota::RotaWorld;
use crate::app::rota::lists::{
    edition, is_off, month_name, period_name, role_name, short_day, short_names, slot_name,
};
use crate::app::rota::paper::RotaPaper;
use crate::domain::calendar::{CivilDate, civil_day, wall_clock, weekday_kanji};
use crate::domain::people::Role;
use crate::domain::people::rights::Right;
use crate::domain::rota::paper::{DayMark, Line, Seat, Stretch};
use crate::domain::rota::{Area, RotaArea, RotaRole};
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, MemberId};
use crate::time::{Millis, Window};

pages! {
    get "/rota/paper" => wall;
    get "/rota/paper/people/{id}" => slip_of;
    get "/rota/paper/notices/{id}" => notice;
    get "/me/duties/paper" => own_slip;
}

const PAPER: Binding<'static> = Binding::Page("rota-paper");

pub(super) type Asked = Query<BTreeMap<String, String>>;

fn asked<'a>(query: &'a Asked, name: &str) -> &'a str {
    query.0.get(name).map_or("", |value| value.trim())
}

/// The first day of the month `n` months later.
pub(super) fn month_plus(first: CivilDate, n: i64) -> CivilDate {
    let months = i64::from(first.year()) * 12 + i64::from(first.month()) - 1 + n;
    let year = i32::try_from(months.div_euclid(12)).unwrap_or(first.year());
    let month = u32::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
    CivilDate::new(year, month, 1).unwrap_or(first)
}

/// The last day of so many months.
pub(super) fn last_of(first: CivilDate, months: i64) -> CivilDate {
    month_plus(first, months).plus_days(-1)
}

fn month_code(first: CivilDate) -> String {
    format!("{}-{:02}", first.year(), first.month())
}

/// The month that an address names, as `2026-10`; without one the present.
///
/// # Errors
/// The page that says there is nothing here.
fn month_asked(query: &Asked, today: CivilDate) -> Result<CivilDate, Failure> {
    let text = asked(query, "month");
    if text.is_empty() {
        return CivilDate::new(today.year(), today.month(), 1).ok_or(Failure::not_found());
    }
    format!("{text}-01")
        .parse::<CivilDate>()
        .ok()
        .filter(|d| (1990..=2200).contains(&d.year()))
        .ok_or(Failure::not_found())
}

/// The area that an address names; without one the first.
pub(super) fn area_asked<'a>(world: &'a RotaWorld, text: &str) -> Result<&'a RotaArea, Failure> {
    let areas = &world.settings.areas;
    let found = if text.is_empty() { areas.first() } else { areas.iter().find(|a| a.key.as_str() == text) };
    found.ok_or(Failure::not_found())
}

/// 18:00, 翌8:00: a time of day beside the day on which the line stands.
fn clock(at: Millis, day: CivilDate, zone: Tz, lang: Lang) -> String {
    let time = wall_clock(at, zone).format("%-H:%M").to_string();
    if civil_day(at, zone) > day { t_with(lang, "paper-next-day", &[("time", &time)]) } else { time }
}

fn hours(window: Window, day: CivilDate, zone: Tz, lang: Lang) -> String {
    let (from, to) = (clock(window.from, day, zone, lang), clock(window.to, day, zone, lang));
    t_with(lang, "paper-between", &[("from", &from), ("to", &to)])
}

struct Drawing<'a> {
    world: &'a RotaWorld,
    lang: Lang,
    names: BTreeMap<MemberId, String>,
    fax: bool,
}

impl Drawing<'_> {
    fn name(&self, id: &MemberId) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| self.world.name(id).to_owned())
    }

    fn part(&self, stretch: &Stretch, line: &Line) -> PaperName {
        let zone = self.world.zone();
        let (begins, ends) = (stretch.window.from <= line.window.from, line.window.to <= stretch.window.to);
        let at = |at: Millis| clock(at, line.day, zone, self.lang);
        let hours = match (begins, ends) {
            (true, true) => String::new(),
            (true, false) => t_with(self.lang, "paper-until", &[("time", &at(stretch.window.to))]),
            (false, true) => t_with(self.lang, "paper-from", &[("time", &at(stretch.window.from))]),
            (false, false) => {
                let (from, to) = (at(stretch.window.from), at(stretch.window.to));
                t_with(self.lang, "paper-between", &[("from", &from), ("to", &to)])
            }
        };
        let people: Vec<String> = stretch.people.iter().map(|h| self.name(&h.person)).collect();
        let text = if people.is_empty() { t(self.lang, "paper-nobody") } else { people.join("・") };
        PaperName { hours, text }
    }

    fn cell(&self, seat: Option<&Seat>, line: &Line) -> PaperCell {
        let Some(seat) = seat else { return PaperCell::default() };
        PaperCell {
            names: seat.stretches.iter().map(|s| self.part(s, line)).collect(),
            changed: seat.changed,
            gap: seat.stretches.iter().any(|s| s.people.is_empty()),
        }
    }

    fn day(&self, day: &crate::domain::rota::paper::Day) -> PaperDay {
        let mark = match day.mark {
            DayMark::Sunday => Some("paper-box-sunday"),
            DayMark::Holiday => Some("paper-box-holiday"),
            DayMark::YearEnd => Some("paper-box-year-end"),
            DayMark::Plain | DayMark::Saturday => None,
        };
        let weekday = match self.lang {
            Lang::Ja => weekday_kanji(day.day.weekday()).to_string(),
            Lang::En => day.day.weekday().to_string(),
        };
        PaperDay {
            number: day.day.day().to_string(),
            weekday,
            box_mark: mark.filter(|_| self.fax).map(|key| t(self.lang, key)).unwrap_or_default(),
            holiday: day.holiday.clone(),
            off: is_off(day.mark),
        }
    }
}

const fn ground(mark: DayMark) -> &'static str {
    match mark {
        DayMark::Plain => "ground-plain",
        DayMark::Saturday => "ground-saturday",
        DayMark::Sunday | DayMark::Holiday | DayMark::YearEnd => "ground-off",
    }
}

/// The lines of one month, with how much of a page each takes.
fn month_lines(drawing: &Drawing<'_>, paper: &RotaPaper, first: CivilDate) -> Vec<(PaperLine, usize)> {
    let mut lines = Vec::new();
    let days =
        paper.paper.days.iter().filter(|d| (d.day.year(), d.day.month()) == (first.year(), first.month()));
    for day in days {
        let span = u32::try_from(day.lines.len().max(1)).unwrap_or(1);
        let mut head = Some((drawing.day(day), span));
        for line in &day.lines {
            let seat = |role: &RotaRole| line.seats.iter().find(|seat| seat.role == *role);
            let cells: Vec<PaperCell> =
                paper.paper.roles.iter().map(|role| drawing.cell(seat(role), line)).collect();
            let tall = cells.iter().map(|cell| cell.names.len()).max().unwrap_or(1).max(1);
            let slot = match &line.slot {
                Some(_) => line.name.clone(),
                None => {
                    let extra = slot_name(drawing.world, None, drawing.lang);
                    format!("{extra} {}", hours(line.window, line.day, drawing.world.zone(), drawing.lang))
                }
            };
            lines.push((PaperLine { day: head.take(), slot, cells, ground: ground(day.mark) }, tall));
        }
        if let Some(head) = head {
            let cells = paper.paper.roles.iter().map(|_| PaperCell::default()).collect();
            lines.push((
                PaperLine { day: Some(head), slot: String::new(), cells, ground: ground(day.mark) },
                1,
            ));
        }
    }
    lines
}

/// Two columns of about the same height; a day is never cut.
fn halves(lines: Vec<(PaperLine, usize)>) -> [(Vec<PaperLine>, usize); 2] {
    let all: usize = lines.iter().map(|(_, tall)| tall).sum();
    let (mut left, mut right): ((Vec<PaperLine>, usize), (Vec<PaperLine>, usize)) = Default::default();
    for (line, tall) in lines {
        let fits = right.0.is_empty() && (left.1 * 2 < all || line.day.is_none());
        let side = if fits { &mut left } else { &mut right };
        side.0.push(line);
        side.1 += tall;
    }
    [left, right]
}

/// The class by which so many lines fit the height of the page.
const fn fit(lines: usize) -> &'static str {
    match lines {
        0..=34 => "fit-6",
        35..=44 => "fit-5",
        45..=52 => "fit-4",
        _ => "fit-3",
    }
}

/// The names and hours of the slots that stand on a sheet, each once.
fn legend(paper: &RotaPaper, lang: Lang) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut legend = Vec::new();
    for line in paper.paper.lines().filter(|line| line.slot.is_some()) {
        let text = format!("{} {}", line.name, hours(line.window, line.day, paper.world.zone(), lang));
        if seen.insert(text.clone()) {
            legend.push(text);
        }
    }
    legend
}

/// Everybody on a sheet.
fn people_of(paper: &RotaPaper) -> Vec<MemberId> {
    let stretches = paper.paper.lines().flat_map(|line| &line.seats).flat_map(|seat| &seat.stretches);
    let people: BTreeSet<MemberId> =
        stretches.flat_map(|s| s.people.iter().map(|h| h.person.clone())).collect();
    people.into_iter().collect()
}

/// Who sees names on the rota: doctors, the office, and the stations on whose walls it hangs.
fn reads(person: &SignedIn) -> bool {
    person.may(Right::Ask) || person.may(Right::Board) || person.member.roles.contains(&Role::NurseStation)
}

/// What an address of the wall sheet says.
#[derive(Clone, Debug)]
struct Wanted {
    month: CivilDate,
    /// `a4`, `a3-month`, `a3-quarter`.
    paper: &'static str,
    fax: bool,
    area: Area,
}

const PAPERS: [&str; 3] = ["a4", "a3-month", "a3-quarter"];

impl Wanted {
    fn href(&self) -> String {
        let print = if self.fax { "fax" } else { "colour" };
        let (month, paper, area) = (month_code(self.month), self.paper, &self.area);
        format!("/rota/paper?month={month}&paper={paper}&print={print}&area={area}")
    }

    const fn months(&self) -> i64 {
        if matches!(self.paper.as_bytes(), b"a3-quarter") { 3 } else { 1 }
    }

    fn tab(&self, label: String, current: bool) -> Tab {
        Tab { href: self.href(), label, current }
    }
}

/// `GET /rota/paper`: `month`, `paper`, `print`, `area`.
async fn wall(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    if !reads(person) {
        return Err(Failure::not_found());
    }
    let world = caller.web.app.rota_world(&person.association.id).await?;
    let area = area_asked(&world, asked(&query, "area"))?.clone();
    let wanted = Wanted {
        month: month_asked(&query, world.today())?,
        paper: PAPERS.into_iter().find(|p| *p == asked(&query, "paper")).unwrap_or("a4"),
        fax: asked(&query, "print") == "fax",
        area: area.key.clone(),
    };
    let lang = caller.lang;
    let (first, last) = (wanted.month, last_of(wanted.month, wanted.months()));
    let paper = caller.web.app.rota_paper(&person.association.id, &area.key, (first, last)).await?;
    let people = people_of(&paper);
    let narrow = wanted.paper == "a3-quarter";
    let names = if narrow { short_names(&paper.world, &people) } else { BTreeMap::new() };
    let drawing = Drawing { world: &paper.world, lang, names, fax: wanted.fax };
    let (mut blocks, mut tallest) = (Vec::new(), 0);
    for n in 0..wanted.months() {
        let month = month_plus(first, n);
        for (lines, tall) in halves(month_lines(&drawing, &paper, month)) {
            tallest = tallest.max(tall);
            blocks.push(PaperBlock { caption: month_name(month, lang), lines });
        }
    }
    let period = period_name(first, last, lang);
    let values = [("area", area.name.as_str()), ("period", period.as_str())];
    let heading = t_with(lang, "paper-wall-heading", &values);
    let sheet = PaperSheet {
        title: format!("{}　{heading}", paper.world.home.name),
        edition: edition(&paper, lang),
        blocks,
        legend: legend(&paper, lang),
        fit: fit(tallest),
    };
    let step = wanted.months();
    let moved = |n: i64| Wanted { month: month_plus(first, n), ..wanted.clone() };
    let months = vec![
        moved(-step).tab(t(lang, "paper-previous"), false),
        wanted.tab(period, true),
        moved(step).tab(t(lang, "paper-next"), false),
    ];
    let sizes = PAPERS.into_iter().map(|paper| {
        let label = t(lang, &format!("paper-size-{paper}"));
        Wanted { paper, ..wanted.clone() }.tab(label, paper == wanted.paper)
    });
    let editions = [false, true].map(|fax| {
        let label = t(lang, if fax { "paper-edition-fax" } else { "paper-edition-colour" });
        Wanted { fax, ..wanted.clone() }.tab(label, fax == wanted.fax)
    });
    let areas = paper
        .world
        .settings
        .areas
        .iter()
        .map(|a| Wanted { area: a.key.clone(), ..wanted.clone() }.tab(a.name.clone(), a.key == area.key));
    let page = PaperWall {
        shell: caller.shell_at(PAPER, "/rota/paper"),
        heading,
        months,
        sizes: sizes.collect(),
        editions: editions.into(),
        areas: areas.collect(),
        files_href: if person.may(Right::Board) { "/rota/files".to_owned() } else { String::new() },
        paper: wanted.paper,
        fax: wanted.fax,
        roles: paper.paper.roles.iter().map(|role| role_name(*role, lang)).collect(),
        unpublished: paper.paper.published_at.is_none(),
        sheets: vec![sheet],
    };
    Ok(caller.page(render(&page), false))
}

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn made(caller: &Caller) -> String {
    t_with(caller.lang, "paper-made", &[("time", &voice(caller).moment(caller.now))])
}

/// Months to go to from a slip or a notice, three at a time.
fn month_tabs(path: &str, month: CivilDate, step: i64, lang: Lang) -> Vec<Tab> {
    let tab = |n: i64, label: String| {
        let first = month_plus(month, n);
        Tab { href: format!("{path}?month={}", month_code(first)), label, current: n == 0 }
    };
    vec![
        tab(-step, t(lang, "paper-previous")),
        tab(0, period_name(month, last_of(month, step), lang)),
        tab(step, t(lang, "paper-next")),
    ]
}

/// Months of a slip.
const SLIP_MONTHS: i64 = 3;

async fn slip(
    caller: &Caller,
    person: &SignedIn,
    member: &MemberId,
    query: &Asked,
    (path, back): (&str, Tab),
) -> Result<Response, Failure> {
    let app = &caller.web.app;
    let world = app.rota_world(&person.association.id).await?;
    let holder = world.members.get(member).ok_or(Failure::not_found())?.clone();
    let first = month_asked(query, world.today())?;
    let last = last_of(first, SLIP_MONTHS);
    let lang = caller.lang;
    let mut duties: Vec<(Window, PaperDuty)> = Vec::new();
    for area in world.settings.areas.clone() {
        let paper = app.rota_paper(&person.association.id, &area.key, (first, last)).await?;
        for day in &paper.paper.days {
            for line in &day.lines {
                for seat in &line.seats {
                    let own = seat.stretches.iter().filter(|s| s.people.iter().any(|h| h.person == *member));
                    for stretch in own {
                        let others = line.seats.iter().filter(|s| s.role != seat.role);
                        let others = others.flat_map(|s| {
                            let meet = s.stretches.iter().filter(|o| {
                                o.window.from < stretch.window.to && stretch.window.from < o.window.to
                            });
                            meet.flat_map(|o| o.people.iter().map(|h| world.name(&h.person).to_owned()))
                        });
                        let mut others: Vec<String> = others.collect();
                        others.dedup();
                        let slot = slot_name(&world, line.slot.as_ref(), lang);
                        let several = world.settings.areas.len() > 1;
                        duties.push((
                            stretch.window,
                            PaperDuty {
                                day: short_day(day.day, lang),
                                hours: hours(stretch.window, line.day, world.zone(), lang),
                                slot: if several { format!("{} {slot}", area.name) } else { slot },
                                role: role_name(seat.role, lang),
                                with: others.join("、"),
                                changed: seat.changed,
                                off: is_off(day.mark),
                            },
                        ));
                    }
                }
            }
        }
    }
    duties.sort_by_key(|(window, _)| *window);
    let institution = holder.institution.as_ref().map(|id| world.institution_name(id).to_owned());
    let page = PaperSlip {
        shell: caller.shell_at(PAPER, path),
        back,
        months: month_tabs(path, first, SLIP_MONTHS, lang),
        name: title(&holder.name, &holder.roles, lang),
        institution: institution.unwrap_or_default(),
        period: period_name(first, last, lang),
        duties: duties.into_iter().map(|(_, duty)| duty).collect(),
        made: made(caller),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /me/duties/paper`: `month`.
async fn own_slip(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Ask)?;
    let back = Tab { href: "/me".to_owned(), label: t(caller.lang, "shell-menu-me"), current: false };
    let member = person.member.id.clone();
    slip(&caller, person, &member, &query, ("/me/duties/paper", back)).await
}

fn to_files(lang: Lang) -> Tab {
    Tab { href: "/rota/files".to_owned(), label: t(lang, "rota-files-title"), current: false }
}

/// `GET /rota/paper/people/{id}`: `month`.
async fn slip_of(caller: Caller, Path(id): Path<String>, query: Asked) -> Result<Response, Failure> {
    let member = MemberId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Board)?;
    let path = format!("/rota/paper/people/{member}");
    slip(&caller, person, &member, &query, (&path, to_files(caller.lang))).await
}

/// `GET /rota/paper/notices/{id}`: `month`, `area`. The office prints any clinic's, a doctor their own clinic's.
async fn notice(caller: Caller, Path(id): Path<String>, query: Asked) -> Result<Response, Failure> {
    let institution = InstitutionId::from_stored(&id).map_err(|_| Failure::not_found())?;
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let own = person.may(Right::Ask) && person.member.institution.as_ref() == Some(&institution);
    if !own {
        caller.with_right(Right::Board)?;
    }
    let (app, lang) = (&caller.web.app, caller.lang);
    let world = app.rota_world(&person.association.id).await?;
    let clinic = world.institutions.get(&institution).ok_or(Failure::not_found())?.clone();
    // The clinic's own area where the rota has one of that name.
    let wanted = asked(&query, "area");
    let of_clinic = |a: &&RotaArea| a.key.as_str() == clinic.area || a.name == clinic.area;
    let area = match world.settings.areas.iter().find(of_clinic).filter(|_| wanted.is_empty()) {
        Some(area) => area.clone(),
        None => area_asked(&world, wanted)?.clone(),
    };
    let first = month_asked(&query, world.today())?;
    let last = last_of(first, 1);
    let paper = app.rota_paper(&person.association.id, &area.key, (first, last)).await?;
    let named = |stretches: &[Stretch]| {
        let mut names: Vec<String> = stretches
            .iter()
            .flat_map(|s| &s.people)
            .map(|h| format!("{}（{}）", world.name(&h.person), world.institution_name(&h.institution)))
            .collect();
        names.dedup();
        if names.is_empty() { t(lang, "paper-nobody") } else { names.join("、") }
    };
    let mut lines = Vec::new();
    let mut held: BTreeMap<InstitutionId, BTreeSet<MemberId>> = BTreeMap::new();
    for day in &paper.paper.days {
        for line in &day.lines {
            let of = |role: RotaRole| {
                line.seats.iter().find(|s| s.role == role).map_or(&[][..], |s| s.stretches.as_slice())
            };
            if of(RotaRole::Primary).iter().all(|s| s.people.is_empty()) && paper.paper.published_at.is_none()
            {
                continue;
            }
            for role in [RotaRole::Primary, RotaRole::Deputy] {
                for holder in of(role).iter().flat_map(|s| &s.people) {
                    held.entry(holder.institution.clone()).or_default().insert(holder.person.clone());
                }
            }
            lines.push(NoticeLine {
                day: short_day(day.day, lang),
                hours: hours(line.window, line.day, world.zone(), lang),
                primary: named(of(RotaRole::Primary)),
                deputy: named(of(RotaRole::Deputy)),
                off: is_off(day.mark),
            });
        }
    }
    let institutions: Vec<_> =
        held.keys().chain([&institution]).filter_map(|i| world.institutions.get(i)).collect();
    let phones = app.numbers_of_all(&person.association.id, &institutions).await?;
    let phone = |id: &InstitutionId| phones.get(id).and_then(|n| n.phone.clone()).unwrap_or_default();
    let numbers = held.iter().map(|(id, people)| NoticeNumber {
        institution: world.institution_name(id).to_owned(),
        phone: phone(id),
        people: people.iter().map(|p| world.name(p)).collect::<Vec<_>>().join("、"),
    });
    let path = format!("/rota/paper/notices/{institution}");
    let page = PaperNotice {
        shell: caller.shell_at(PAPER, &path),
        back: if person.may(Right::Board) {
            to_files(lang)
        } else {
            Tab { href: "/me".to_owned(), label: t(lang, "shell-menu-me"), current: false }
        },
        months: month_tabs(&path, first, 1, lang),
        clinic: clinic.name.clone(),
        phone: phone(&institution),
        period: period_name(first, last, lang),
        numbers: numbers.collect(),
        lines,
        made: made(&caller),
    };
    Ok(caller.page(render(&page), false))
}
