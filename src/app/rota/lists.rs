//! Lists of the rota in words: the rota itself, the city's list, a calendar's entries. What becomes of them as files
//! is `export`'s.

use std::collections::BTreeMap;

use super::feeds::FeedView;
use super::paper::RotaPaper;
use super::{LaidRota, RotaWorld};
use crate::app::directory::Numbers;
use crate::domain::calendar::{CivilDate, era_date, era_year, wall_clock, weekday_kanji, western_date};
use crate::domain::rota::feed::{Entry, Event, Feed, Whose, entries};
use crate::domain::rota::grid::{Cell, Grid, GridRow};
use crate::domain::rota::paper::{CityRule, DayMark, Line, Stretch};
use crate::domain::rota::{Area, Holder, RotaRole, SlotKey};
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, MemberId};
use crate::time::{Millis, Window};

/// A day in the words of a language: of paper in Japanese, with its era.
#[must_use]
pub fn paper_day(day: CivilDate, lang: Lang) -> String {
    match lang {
        Lang::Ja => era_date(day),
        Lang::En => day.to_string(),
    }
}

/// A day without its year.
#[must_use]
pub fn short_day(day: CivilDate, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("{}月{}日（{}）", day.month(), day.day(), weekday_kanji(day.weekday())),
        Lang::En => format!("{} {}/{}", day.weekday(), day.month(), day.day()),
    }
}

/// 令和8年10月, 2026-10.
#[must_use]
pub fn month_name(first: CivilDate, lang: Lang) -> String {
    match (lang, era_year(first)) {
        (Lang::Ja, Some((era, _, 1))) => format!("{era}元年{}月", first.month()),
        (Lang::Ja, Some((era, _, year))) => format!("{era}{year}年{}月", first.month()),
        (Lang::Ja, None) => format!("{}年{}月", first.year(), first.month()),
        (Lang::En, _) => format!("{}-{:02}", first.year(), first.month()),
    }
}

/// Whole months, or days, in words.
#[must_use]
pub fn period_name(first: CivilDate, last: CivilDate, lang: Lang) -> String {
    let whole = first.day() == 1 && last.plus_days(1).day() == 1;
    let from = if whole { month_name(first, lang) } else { paper_day(first, lang) };
    if whole && (first.year(), first.month()) == (last.year(), last.month()) {
        return from;
    }
    let to = match (whole, lang) {
        (true, Lang::Ja) if first.year() == last.year() => format!("{}月", last.month()),
        (true, _) => month_name(last.plus_days(1 - i64::from(last.day())), lang),
        (false, _) => paper_day(last, lang),
    };
    match lang {
        Lang::Ja => format!("{from}〜{to}"),
        Lang::En => format!("{from} to {to}"),
    }
}

/// The word for a role.
#[must_use]
pub fn role_name(role: RotaRole, lang: Lang) -> String {
    t(lang, &format!("paper-role-{}", role.code()))
}

/// The name of a slot, as its pattern says.
#[must_use]
pub fn slot_name(world: &RotaWorld, slot: Option<&SlotKey>, lang: Lang) -> String {
    let Some(slot) = slot else { return t(lang, "paper-extra") };
    let pattern = world.book().patterns().iter().find(|p| p.kind == slot.kind);
    pattern.map_or_else(|| slot.kind.to_string(), |p| p.name.clone())
}

/// The parts of a line in which nobody hands over in any role: one where every role is held by one throughout.
#[must_use]
pub fn level(line: &Line) -> Vec<Window> {
    let mut edges: Vec<Millis> = vec![line.window.from, line.window.to];
    for stretch in line.seats.iter().flat_map(|seat| &seat.stretches) {
        edges.extend([stretch.window.from, stretch.window.to]);
    }
    edges.sort_unstable();
    edges.dedup();
    let pairs = edges.windows(2).filter_map(|pair| match pair {
        [from, to] => Window::new(*from, *to),
        _ => None,
    });
    pairs.collect()
}

fn within(stretches: &[Stretch], at: Millis) -> &[Holder] {
    stretches.iter().find(|s| s.window.contains(at)).map_or(&[], |s| s.people.as_slice())
}

fn names(world: &RotaWorld, people: &[Holder]) -> String {
    people.iter().map(|h| world.name(&h.person)).collect::<Vec<_>>().join("・")
}

fn institutions(world: &RotaWorld, people: &[Holder]) -> String {
    let mut names: Vec<&str> = people.iter().map(|h| world.institution_name(&h.institution)).collect();
    names.dedup();
    names.join("・")
}

fn title(paper: &RotaPaper, key: &str, lang: Lang) -> (String, String) {
    let (first, last) = days_of(paper);
    let period = period_name(first, last, lang);
    let (home, area) = (paper.world.home.name.as_str(), paper.world.area_name(&paper.paper.area));
    let values = [("association", home), ("area", area), ("period", period.as_str())];
    (t_with(lang, key, &values), edition(paper, lang))
}

fn days_of(paper: &RotaPaper) -> (CivilDate, CivilDate) {
    let days = &paper.paper.days;
    let today = paper.world.today();
    (days.first().map_or(today, |d| d.day), days.last().map_or(today, |d| d.day))
}

/// Which edition of the rota it is, and what has changed since.
#[must_use]
pub fn edition(paper: &RotaPaper, lang: Lang) -> String {
    let Some(at) = paper.paper.published_at else { return t(lang, "paper-edition-none") };
    let day = short_day(crate::domain::calendar::civil_day(at, paper.world.zone()), lang);
    let n = paper.paper.edition.to_string();
    let line = t_with(lang, "paper-edition-line", &[("n", &n), ("day", &day)]);
    if paper.paper.changes == 0 {
        return line;
    }
    let changes = t_with(lang, "paper-edition-changes", &[("n", &paper.paper.changes.to_string())]);
    format!("{line}　{changes}")
}

/// The rota as a list: a row for each slot, several where somebody hands over within it.
#[must_use]
pub fn rota_list(paper: &RotaPaper, lang: Lang) -> Grid {
    let world = &paper.world;
    let zone = world.zone();
    let roles = &paper.paper.roles;
    let column = |code: &str| t(lang, &format!("rota-column-{code}"));
    let mut columns: Vec<String> =
        ["date", "weekday", "holiday", "slot", "from", "to"].map(column).into_iter().collect();
    for role in roles {
        columns.push(column(role.code()));
        columns.push(column(&format!("{}-institution", role.code())));
    }
    columns.push(column("changed"));
    let mut rows = Vec::new();
    for day in &paper.paper.days {
        for line in &day.lines {
            for window in level(line) {
                let mut cells = vec![
                    Cell::Day(day.day),
                    Cell::text(weekday_kanji(day.day.weekday()).to_string()),
                    Cell::text(day.holiday.clone()),
                    Cell::text(slot_name(world, line.slot.as_ref(), lang)),
                    Cell::Moment(wall_clock(window.from, zone)),
                    Cell::Moment(wall_clock(window.to, zone)),
                ];
                let mut changed = false;
                for role in roles {
                    let seat = line.seats.iter().find(|seat| seat.role == *role);
                    let people = seat.map_or(&[][..], |seat| within(&seat.stretches, window.from));
                    changed |= seat.is_some_and(|seat| seat.changed);
                    cells.push(Cell::text(names(world, people)));
                    cells.push(Cell::text(institutions(world, people)));
                }
                cells.push(Cell::text(if changed { "★" } else { "" }));
                rows.push(GridRow { cells, shaded: is_off(day.mark) });
            }
        }
    }
    let (title, subtitle) = title(paper, "rota-out-title-rota", lang);
    Grid { title, subtitle, sheet: t(lang, "rota-out-sheet"), columns, rows }
}

/// Whether a day is one on which most people do not work.
#[must_use]
pub const fn is_off(mark: DayMark) -> bool {
    matches!(mark, DayMark::Sunday | DayMark::Holiday | DayMark::YearEnd)
}

/// The list that the city wants: which institution is on when, with its number, and what has changed since it was
/// published.
#[must_use]
pub fn city_list(
    paper: &RotaPaper,
    numbers: &BTreeMap<InstitutionId, Numbers>,
    rule: CityRule,
    lang: Lang,
) -> Grid {
    let world = &paper.world;
    let zone = world.zone();
    let codes = [
        "date",
        "weekday",
        "holiday",
        "slot",
        "from",
        "to",
        "institution",
        "address",
        "phone",
        "doctor",
        "changed",
    ];
    let columns = codes.map(|code| t(lang, &format!("rota-column-{code}"))).into_iter().collect();
    let mut rows = Vec::new();
    for day in &paper.paper.days {
        for line in &day.lines {
            let Some(seat) = line.seats.iter().find(|seat| seat.role == RotaRole::Primary) else { continue };
            for stretch in &seat.stretches {
                let first = stretch.people.first();
                let institution = first.and_then(|h| world.institutions.get(&h.institution));
                let phone = first.and_then(|h| numbers.get(&h.institution)?.phone.clone());
                let address = institution.map(|i| i.entry.address.clone()).unwrap_or_default();
                let cells = vec![
                    Cell::Day(day.day),
                    Cell::text(weekday_kanji(day.day.weekday()).to_string()),
                    Cell::text(day.holiday.clone()),
                    Cell::text(slot_name(world, line.slot.as_ref(), lang)),
                    Cell::Moment(wall_clock(stretch.window.from, zone)),
                    Cell::Moment(wall_clock(stretch.window.to, zone)),
                    Cell::text(institutions(world, &stretch.people)),
                    Cell::text(address),
                    Cell::text(phone.unwrap_or_default()),
                    Cell::text(names(world, &stretch.people)),
                    Cell::text(if seat.changed { "★" } else { "" }),
                ];
                rows.push(GridRow { cells, shaded: is_off(day.mark) });
            }
        }
    }
    let (title, edition) = title(paper, "rota-out-title-city", lang);
    let due = rule.due(days_of(paper).0, &world.calendar);
    let due = t_with(lang, "rota-out-due", &[("day", &paper_day(due, lang))]);
    let subtitle = format!("{due}　{edition}");
    Grid { title, subtitle, sheet: t(lang, "rota-out-sheet"), columns, rows }
}

/// A calendar feed in words. `host` stands behind the `@` of its names.
#[must_use]
pub fn feed(view: &FeedView, lang: Lang, host: &str, alarm_min: Option<u32>) -> Feed {
    let whose = match &view.feed.line {
        None => Whose::Person(view.feed.member.clone()),
        Some((area, role)) => Whose::Line { area: area.clone(), role: *role },
    };
    said(&view.world, &whose, &view.entries, (lang, host, alarm_min))
}

/// The feed of a role of an area over some days, for a file.
#[must_use]
pub fn line_feed(
    world: &RotaWorld,
    laid: &LaidRota,
    line: (&Area, RotaRole),
    window: Window,
    now: Millis,
    (lang, host): (Lang, &str),
) -> Feed {
    let whose = Whose::Line { area: line.0.clone(), role: line.1 };
    let entries = entries(&laid.records, &whose, window, now);
    said(world, &whose, &entries, (lang, host, None))
}

/// What a feed is called in the list of calendars.
#[must_use]
pub fn feed_name(world: &RotaWorld, line: Option<&(Area, RotaRole)>, lang: Lang) -> String {
    let home = world.home.name.as_str();
    match line {
        None => t_with(lang, "calendar-feed-own", &[("association", home)]),
        Some((area, role)) => {
            let role = role_name(*role, lang);
            let values = [("association", home), ("area", world.area_name(area)), ("role", role.as_str())];
            t_with(lang, "calendar-feed-line", &values)
        }
    }
}

fn said(
    world: &RotaWorld,
    whose: &Whose,
    entries: &[Entry],
    (lang, host, alarm_min): (Lang, &str, Option<u32>),
) -> Feed {
    let line = match whose {
        Whose::Person(_) => None,
        Whose::Line { area, role } => Some((area.clone(), *role)),
    };
    let event = |entry: &Entry| {
        let role = role_name(entry.role, lang);
        let slot = slot_name(world, entry.slot.as_ref(), lang);
        let summary = match whose {
            Whose::Person(_) => t_with(lang, "calendar-event-own", &[("role", &role), ("slot", &slot)]),
            Whose::Line { .. } => {
                let names = names(world, &entry.people);
                t_with(lang, "calendar-event-line", &[("role", &role), ("names", &names)])
            }
        };
        let area = world.area_name(&entry.area);
        let about = t_with(lang, "calendar-event-about", &[("area", area), ("slot", &slot)]);
        let gone = entry.gone.then(|| t(lang, "calendar-event-gone"));
        Event {
            name: entry.name.clone(),
            window: entry.window,
            summary,
            description: gone.into_iter().chain([about]).collect::<Vec<_>>().join("\n"),
            location: String::new(),
            sequence: entry.sequence,
            modified: entry.modified,
            cancelled: entry.gone,
        }
    };
    Feed {
        name: feed_name(world, line.as_ref(), lang),
        description: t_with(lang, "calendar-feed-what", &[("association", world.home.name.as_str())]),
        zone: world.zone().name().to_owned(),
        host: host.to_owned(),
        language: lang.tag(),
        events: entries.iter().map(event).collect(),
        alarm_min,
    }
}

/// Family names where they are enough to tell the people apart, whole names elsewhere: for narrow columns.
#[must_use]
pub fn short_names(world: &RotaWorld, people: &[MemberId]) -> BTreeMap<MemberId, String> {
    let family = |id: &MemberId| world.name(id).split_whitespace().next().unwrap_or_default().to_owned();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for id in people {
        *counted.entry(family(id)).or_default() += 1;
    }
    let name = |id: &MemberId| {
        let short = family(id);
        if counted.get(&short) == Some(&1) { short } else { world.name(id).to_owned() }
    };
    people.iter().map(|id| (id.clone(), name(id))).collect()
}

/// A day for the list of days on which the city wants something.
#[must_use]
pub fn due_day(day: CivilDate, lang: Lang) -> String {
    match lang {
        Lang::Ja => western_date(day),
        Lang::En => day.to_string(),
    }
}
