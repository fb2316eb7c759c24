//! The published quarter of the demo, asked in every way there is: the same people at 10,000 random instants, as known
//! at random moments too; and minute by minute what its required hours promise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::task::JoinSet;
use touban::app::Who;
use touban::app::rota::feeds::{FeedMade, FeedOpened};
use touban::app::rota::lists::rota_list;
use touban::cli::demo_data::DemoData;
use touban::domain::calendar::{CivilDate, civil_day, instant_of, start_of_day, wall_clock};
use touban::domain::rota::grid::Cell;
use touban::domain::rota::{Hole, RotaRole};
use touban::i18n::Lang;
use touban::ids::MemberId;
use touban::time::{Millis, Window};

use super::{all, reader};
use crate::api::client::Client;
use crate::pages::browser::{Browser, Town, between};
use crate::support::TestOffice;

const INSTANTS: usize = 10_000;
/// Questions under way at once.
const ASKERS: usize = 4;
/// An evening in the first month of the quarter.
const BEGUN: &str = "2026-11-25T19:40:00+09:00";
const ROLES: [RotaRole; 2] = [RotaRole::Primary, RotaRole::Deputy];
/// What a card of the board says, in place of a name, where required hours have nobody.
const NOBODY: &str = "<p class=\"strong-line\">当番が決まっていません</p>";

type People = BTreeSet<String>;

/// The demo, its clerk's browser, and what of it is printed and read once.
struct Quarter {
    town: Town,
    clerk: Browser,
    client: Client,
    zone: chrono_tz::Tz,
    window: Window,
    names: BTreeMap<MemberId, String>,
}

impl Quarter {
    async fn open() -> Self {
        let (office, _) = TestOffice::demo(BEGUN).await;
        let town = Town::generous(office).await;
        let (app, home) = (&town.office.app, &town.office.association);
        let world = app.rota_world(home).await.unwrap();
        let names: BTreeMap<MemberId, String> =
            world.members.values().map(|m| (m.id.clone(), m.name.clone())).collect();
        assert_eq!(names.values().collect::<BTreeSet<_>>().len(), names.len(), "a name says who it is");
        let published = app.rota_publications(home, 1).await.unwrap();
        let window = published[0].period;
        assert!(window.to.since_ms(window.from) > 89 * 86_400_000, "a quarter");
        let clerk = Self::clerk(&town).await;
        let client = Client::new(&town.served, &town.office.keys.read);
        Self { zone: world.zone(), clerk, client, window, names, town }
    }

    /// The clerk of the demo signs in, by the own PIN.
    async fn clerk(town: &Town) -> Browser {
        let data = DemoData::built_in().unwrap();
        let pin = data.member("yamada").unwrap().pin.expose().to_owned();
        let browser = town.browser();
        let office = &town.office;
        let link =
            office.app.staff_link(&Who::cli(&office.association), &office.clerk).await.unwrap().unwrap();
        let page = browser.open(link.url.split_once("/k#").unwrap().1).await;
        let page = browser.submit(&page, "/k/setup", &[("pin", &pin)]).await;
        assert_eq!(page.path, "/setup-sign-in", "{}", page.text());
        browser.add_passkey("/setup-sign-in").await;
        browser
    }

    /// The point query, against which every other way is held.
    async fn who(&self, role: RotaRole, at: Millis, as_of: Option<Millis>) -> People {
        let office = &self.town.office;
        let part = office.app.rota_who(&office.association, &all(), role, at, as_of).await.unwrap();
        part.people().iter().map(|holder| self.names[&holder.person].clone()).collect()
    }

    fn days(&self) -> impl Iterator<Item = CivilDate> {
        let first = civil_day(self.window.from, self.zone);
        let count = self.window.to.since_ms(self.window.from) / 86_400_000 + 1;
        let (zone, to) = (self.zone, self.window.to);
        (0..count).map(move |n| first.plus_days(n)).filter(move |day| start_of_day(*day, zone) < to)
    }

    /// 今日の当番 at a minute, as the office sees it: by role who is named, and whether it says that nobody is.
    async fn board(&self, at: Millis, as_of: Option<Millis>) -> BTreeMap<RotaRole, (People, bool)> {
        let day = |at: Millis| civil_day(at, self.zone).to_string();
        let time = |at: Millis| wall_clock(at, self.zone).format("%H:%M").to_string();
        let mut path = format!("/duty?day={}&time={}", day(at), time(at));
        if let Some(as_of) = as_of {
            path.push_str(&format!("&known_day={}&known_time={}", day(as_of), time(as_of)));
        }
        let page = self.clerk.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let cards = page.body.split("<article class=\"box duty-card ").skip(1).map(|card| {
            let card = card.split("</article>").next().unwrap();
            let role = card.split(['"', ' ']).next().unwrap();
            let named = card.split("<p class=\"person-name\">").skip(1).map(|rest| {
                let name = rest.split("</p>").next().unwrap();
                name.strip_suffix(" 先生").unwrap_or(name).to_owned()
            });
            (RotaRole::from_code(role).unwrap(), (named.collect(), card.contains(NOBODY)))
        });
        cards.collect()
    }
}

/// The people of each role in an answer of the API or of `touban who --json`.
fn answered(body: &Value, names: &BTreeMap<MemberId, String>) -> BTreeMap<RotaRole, People> {
    let items = body["items"].as_array().unwrap().iter().map(|item| {
        let people = item["people"].as_array().unwrap().iter().map(|p| {
            let id = MemberId::from_api(p["member"].as_str().unwrap()).unwrap();
            assert_eq!(p["name"].as_str(), names.get(&id).map(String::as_str), "the name beside the id");
            names[&id].clone()
        });
        (RotaRole::from_code(item["role"].as_str().unwrap()).unwrap(), people.collect())
    });
    items.collect()
}

/// A stretch of an artefact that was read once.
struct Read {
    role: RotaRole,
    window: Window,
    people: People,
}

fn on(read: &[Read], role: RotaRole, at: Millis) -> People {
    let there = |r: &&Read| r.role == role && r.window.contains(at);
    read.iter().filter(there).flat_map(|r| r.people.clone()).collect()
}

/// The wall sheets of the quarter as they are printed: from the page alone, its legend included.
async fn printed(quarter: &Quarter) -> Vec<Read> {
    let mut read = Vec::new();
    let first = civil_day(quarter.window.from, quarter.zone);
    // The night before the first day stands on the sheet of the month before.
    let months: BTreeSet<(i32, u32)> = std::iter::once(first.plus_days(-1))
        .chain(quarter.days())
        .map(|day| (day.year(), day.month()))
        .collect();
    assert_eq!(months.len(), 4);
    for (year, month) in months {
        let page = quarter.clerk.get(&format!("/rota/paper?month={year}-{month:02}&paper=a4")).await;
        assert_eq!(page.status, 200);
        read.extend(sheet(&page.body, (year, month), quarter.zone));
    }
    read
}

/// What a wall sheet of one month says.
fn sheet(page: &str, (year, month): (i32, u32), zone: chrono_tz::Tz) -> Vec<Read> {
    let instant = |day: CivilDate, text: &str| {
        let (day, time) = text.strip_prefix('翌').map_or((day, text), |time| (day.plus_days(1), time));
        instant_of(day, chrono::NaiveTime::parse_from_str(time, "%H:%M").unwrap(), zone)
    };
    let texts = |html: &str, before: &str, after: &str| -> Vec<String> {
        html.split(before).skip(1).map(|rest| rest.split(after).next().unwrap().to_owned()).collect()
    };
    let mut legend: BTreeMap<String, String> = BTreeMap::new();
    for line in texts(page, "<span class=\"wall-legend\">", "</span>") {
        let (name, hours) = line.rsplit_once(' ').unwrap();
        let before = legend.insert(name.to_owned(), hours.to_owned());
        assert!(before.is_none_or(|before| before == hours), "a slot's name says its hours: {line}");
    }
    let mut read = Vec::new();
    let mut day = None;
    for row in page.split("<tr class=\"ground-").skip(1) {
        let row = row.split("</tr>").next().unwrap();
        if let Some(number) = between(row, "<span class=\"wall-number\">", "</span>") {
            day = CivilDate::new(year, month, number.parse().unwrap());
        }
        let day = day.unwrap();
        let slot = between(row, "<td class=\"wall-slot\">", "</td>").unwrap();
        if slot.is_empty() {
            continue;
        }
        // What the office put there for some hours carries them itself.
        let hours =
            legend.get(slot).cloned().or_else(|| slot.rsplit_once(' ').map(|(_, hours)| hours.to_owned()));
        let hours = hours.unwrap_or_else(|| panic!("{slot} has no hours: {legend:?}"));
        let (begins, ends) = hours.split_once('〜').unwrap();
        for (role, cell) in ROLES.into_iter().zip(row.split("<td class=\"wall-name").skip(1)) {
            for part in cell.split("<span class=\"wall-part\">").skip(1) {
                let (mut from, mut to) = (begins, ends);
                let mut text = part.split("</span>").next().unwrap();
                if let Some(hours) = between(part, "<span class=\"wall-hours\">", "</span>") {
                    let (left, right) = hours.split_once('〜').unwrap();
                    from = if left.is_empty() { from } else { left };
                    to = if right.is_empty() { to } else { right };
                    text = part.split("</span>").nth(1).unwrap();
                }
                let window = Window::new(instant(day, from), instant(day, to)).unwrap();
                let people = text.split('・').filter(|name| *name != "（空き）").map(str::to_owned).collect();
                read.push(Read { role, window, people });
            }
        }
    }
    read
}

/// The calendar feeds of both roles, as another program reads them.
async fn fed(quarter: &Quarter) -> Vec<Read> {
    let office = &quarter.town.office;
    let mut read = Vec::new();
    for role in ROLES {
        let line = Some((all(), role));
        let made = office.app.feed_make(&office.cli(), &office.asker, line, None).await.unwrap();
        let FeedMade::Shown { token, .. } = made else { panic!("{made:?}") };
        assert!(matches!(office.app.feed_open(token.as_str()).await.unwrap(), FeedOpened::Here(_)));
        let ics = quarter.clerk.look(&format!("/feeds/{}/duty.ics", token.as_str())).await;
        assert_eq!(ics.status, 200);
        let events = reader("read_calendar.py", ics.body.as_bytes());
        for event in events["events"].as_array().unwrap().iter().filter(|e| e["status"] == "CONFIRMED") {
            let window =
                Window::new(Millis(event["from"].as_i64().unwrap()), Millis(event["to"].as_i64().unwrap()));
            let summary = event["summary"].as_str().unwrap();
            let named = quarter.names.values().filter(|name| summary.ends_with(name.as_str())).cloned();
            let people: People = named.collect();
            assert_eq!(people.len(), 1, "{summary}");
            read.push(Read { role, window: window.unwrap(), people });
        }
    }
    read
}

/// The workbook, as another program reads it.
async fn booked(quarter: &Quarter) -> Vec<Read> {
    let office = &quarter.town.office;
    let days = quarter.days().last().unwrap();
    let first = civil_day(quarter.window.from, quarter.zone).plus_days(-1);
    let paper = office.app.rota_paper(&office.association, &all(), (first, days)).await.unwrap();
    let list = rota_list(&paper, Lang::Ja);
    let book = reader("read_workbook.py", &touban::export::sheet::grid_xlsx(&list).unwrap());
    let rows = book["rows"].as_array().unwrap();
    let mut read = Vec::new();
    for (n, row) in list.rows.iter().enumerate() {
        let (Cell::Moment(from), Cell::Moment(to)) = (&row.cells[4], &row.cells[5]) else { panic!() };
        let instant = |moment: &chrono::NaiveDateTime| {
            instant_of(CivilDate::from(moment.date()), moment.time(), quarter.zone)
        };
        for (role, head) in ROLES.into_iter().zip(["正", "副"]) {
            let column = list.columns.iter().position(|c| c == head).unwrap();
            let written = rows[n + 3][column].as_str().unwrap_or_default();
            let people = written.split('・').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let window = Window::new(instant(from), instant(to)).unwrap();
            read.push(Read { role, window, people });
        }
    }
    read
}

/// Every way says the same about one instant; how many of the roles have nobody.
async fn agree(quarter: &Quarter, at: Millis, as_of: Option<Millis>, read: &[(&str, Vec<Read>)]) -> usize {
    let office = &quarter.town.office;
    let asked = as_of.map(|at| format!("&as_of={}", at.rfc3339())).unwrap_or_default();
    let by_api = quarter.client.get(&format!("/duty?at={}{asked}", at.rfc3339())).await.ok(200);
    let by_api = answered(&by_api, &quarter.names);
    let by_shell = touban::cli::who_json(&office.app, &office.association, at, as_of).await.unwrap();
    let by_shell = answered(&by_shell, &quarter.names);
    let on_board = quarter.board(at, as_of).await;
    let mut empty = 0;
    for role in ROLES {
        let said = quarter.who(role, at, as_of).await;
        let place = format!("{role:?} at {at} as of {as_of:?}");
        assert_eq!(by_api[&role], said, "the API, {place}");
        assert_eq!(by_shell[&role], said, "touban who, {place}");
        let (named, nobody) = &on_board[&role];
        assert_eq!(named, &said, "the board, {place}");
        assert_eq!(*nobody, said.is_empty(), "all hours are required: the board says so, {place}");
        for (name, read) in read.iter().filter(|_| as_of.is_none()) {
            assert_eq!(on(read, role, at), said, "{name}, {place}");
        }
        empty += usize::from(said.is_empty());
    }
    empty
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_says_the_same_person_at_ten_thousand_instants_of_its_quarter() {
    let quarter = Quarter::open().await;
    let read = vec![
        ("the sheet for the wall", printed(&quarter).await),
        ("the calendar feed", fed(&quarter).await),
        ("the workbook", booked(&quarter).await),
    ];
    let (app, home) = (&quarter.town.office.app, &quarter.town.office.association);
    let recorded = app.rota_publications(home, 1).await.unwrap()[0].recorded_at;
    let now = app.now();
    let minute = |at: i64| Millis(at.div_euclid(60_000) * 60_000);
    let mut rng = rand::rngs::StdRng::seed_from_u64(20_261_125);
    let mut questions = Vec::with_capacity(INSTANTS);
    for n in 0..INSTANTS {
        let mut at = minute(rng.random_range(quarter.window.from.0..quarter.window.to.0));
        if n % 4 == 0 {
            // Full hours, on which hand-overs are.
            at = Millis(at.0.div_euclid(3_600_000) * 3_600_000).max(quarter.window.from);
        }
        // Before anything was known, when it was published, as single changes came in, and as it is known today.
        let as_of = match n % 6 {
            0..=2 => None,
            3 => Some(minute(rng.random_range(recorded.plus_s(-2 * 86_400).0..now.0))),
            4 => Some(minute(rng.random_range(now.plus_s(-6 * 86_400).0..now.0))),
            _ => Some(minute(recorded.0).plus_s(60)),
        };
        questions.push((at, as_of));
    }
    let shared = Arc::new((quarter, read, questions));
    let mut askers = JoinSet::new();
    for asker in 0..ASKERS {
        let shared = shared.clone();
        askers.spawn(async move {
            let (quarter, read, questions) = &*shared;
            let (mut empty, mut other) = (0, 0);
            for (at, as_of) in questions.iter().skip(asker).step_by(ASKERS) {
                empty += agree(quarter, *at, *as_of, read).await;
                if as_of.is_some() {
                    let then = quarter.who(RotaRole::Primary, *at, *as_of).await;
                    other += usize::from(then != quarter.who(RotaRole::Primary, *at, None).await);
                }
            }
            (empty, other)
        });
    }
    let counted = askers.join_all().await;
    assert!(counted.iter().map(|(empty, _)| empty).sum::<usize>() > 0, "gaps were met");
    assert!(counted.iter().map(|(_, other)| other).sum::<usize>() > 0, "and what was known otherwise then");
    // The last millisecond of one, the first of the next.
    let (quarter, read, _) = &*shared;
    let laid = quarter.town.office.app.rota_laid(&quarter.town.office.association, quarter.window.from).await;
    let edges: BTreeSet<Millis> = laid
        .unwrap()
        .timeline
        .expand(&all(), RotaRole::Primary, quarter.window)
        .iter()
        .flat_map(|segment| [segment.window.from, Millis(segment.window.to.0 - 1)])
        .collect();
    assert!(edges.len() > 300, "{}", edges.len());
    for at in edges {
        let by_api = quarter.client.get(&format!("/duty?at={}", at.rfc3339())).await.ok(200);
        let by_api = answered(&by_api, &quarter.names);
        for role in ROLES {
            let said = quarter.who(role, at, None).await;
            assert_eq!(by_api[&role], said, "{at}");
            for (name, read) in read {
                assert_eq!(on(read, role, at), said, "{name}, {role:?} at {at}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_minute_of_the_demo_there_are_two_of_different_houses_or_a_gap_that_is_shown() {
    let quarter = Quarter::open().await;
    let (app, home) = (&quarter.town.office.app, &quarter.town.office.association);
    let laid = app.rota_laid(home, quarter.window.from).await.unwrap();
    let holes: Vec<Hole> = app.rota_holes(home, quarter.window).await.unwrap();
    let mut gaps: Vec<(RotaRole, Window)> = Vec::new();
    let (mut at, mut minutes) = (quarter.window.from, 0);
    while at < quarter.window.to {
        let [primary, deputy] = ROLES.map(|role| laid.timeline.who(&all(), role, at).people());
        for (role, people) in [(RotaRole::Primary, &primary), (RotaRole::Deputy, &deputy)] {
            assert!(people.len() <= 1, "{role:?} at {at}: {people:?}");
            if people.is_empty() {
                match gaps.iter_mut().find(|(r, gap)| *r == role && gap.to == at) {
                    Some((_, gap)) => gap.to = at.plus_s(60),
                    None => gaps.push((role, Window { from: at, to: at.plus_s(60) })),
                }
                let told = holes.iter().any(|hole| hole.role == role && hole.window.contains(at));
                assert!(told, "{role:?} at {at} is among the holes");
            }
        }
        if let (Some(primary), Some(deputy)) = (primary.first(), deputy.first()) {
            assert_ne!(primary.person, deputy.person, "{at}");
            assert_ne!(primary.institution, deputy.institution, "{at}");
        }
        at = at.plus_s(60);
        minutes += 1;
    }
    assert_eq!(minutes, quarter.window.to.since_ms(quarter.window.from) / 60_000);
    assert!(minutes > 89 * 1_440);
    let of_holes: Vec<(RotaRole, Window)> = holes.iter().map(|hole| (hole.role, hole.window)).collect();
    let sorted = |mut list: Vec<(RotaRole, Window)>| {
        list.sort();
        list
    };
    assert_eq!(sorted(gaps.clone()), sorted(of_holes), "the holes are these minutes and no others");
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    for (role, gap) in gaps {
        let middle = Millis(gap.from.0 + (gap.to.0 - gap.from.0) / 120_000 * 60_000);
        for at in [gap.from, middle, gap.to.plus_s(-60)] {
            let (named, nobody) = quarter.board(at, None).await[&role].clone();
            assert!(named.is_empty() && nobody, "{role:?} at {at}");
        }
        let (named, nobody) = quarter.board(gap.to, None).await[&role].clone();
        assert!(!named.is_empty() && !nobody, "somebody comes on at {}", gap.to);
        // And days before it, among what is missing soon.
        let before = gap.from.plus_s(-86_400);
        let time = wall_clock(before, quarter.zone);
        let path = format!("/duty?day={}&time={}", civil_day(before, quarter.zone), time.format("%H:%M"));
        quarter.clerk.get(&path).await.says("これから14日の空き");
    }
}
