//! The same person at 10,000 random instants of a published quarter: asked of the point query, the expansion, the
//! sheet for the wall, the calendar feed and the workbook.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use touban::app::Who;
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::app::rota::feeds::{FeedMade, FeedOpened};
use touban::app::rota::lists::rota_list;
use touban::domain::calendar::wall_clock;
use touban::domain::rota::RotaRole;
use touban::domain::rota::grid::Cell;
use touban::i18n::Lang;
use touban::time::{Millis, Window};

use super::{all, at, day, doctors, publish, reader};
use crate::support::TestOffice;

const INSTANTS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_says_the_same_person_at_ten_thousand_instants() {
    let office = TestOffice::sqlite().await;
    let (app, home) = (&office.app, &office.association);
    let who = Who::cli(home);
    let doctors = doctors(app, home).await;
    let known = app.now();
    office.clock.advance_s(60);
    publish(app, home, &doctors, ("2026-12-28", "2027-03-31"), None).await;
    let published = app.now();
    office.clock.advance_s(3_600);
    // What changes afterwards: hours of other people, within a slot, over midnight, over several slots, and nobody.
    let changes = [
        ("2027-01-05T20:00:00+09:00", "2027-01-05T23:30:00+09:00", RotaRole::Primary, Some(3)),
        ("2027-01-10T07:00:00+09:00", "2027-01-11T19:15:00+09:00", RotaRole::Deputy, Some(5)),
        ("2027-02-11T12:00:00+09:00", "2027-02-11T13:00:00+09:00", RotaRole::Primary, None),
        ("2027-03-20T00:00:00+09:00", "2027-03-22T00:00:00+09:00", RotaRole::Primary, Some(8)),
    ];
    for (from, to, role, person) in changes {
        let new = NewOverride {
            area: all(),
            role,
            window: Window::new(at(from), at(to)).unwrap(),
            person: person.map(|n: usize| doctors[n].person.clone()),
            institution: None,
            reason: "急な変更".to_owned(),
            recorded_at: None,
        };
        let made = app.rota_override_add(&who, new, None).await.unwrap();
        assert!(matches!(made, OverrideMade::Done { .. }), "{made:?}");
    }

    let quarter = Window::new(at("2027-01-01T00:00:00+09:00"), at("2027-04-01T00:00:00+09:00")).unwrap();
    // The days before the quarter, because their nights reach in.
    let paper = app.rota_paper(home, &all(), (day("2026-12-28"), day("2027-03-31"))).await.unwrap();
    let list = rota_list(&paper, Lang::Ja);
    let workbook = reader("read_workbook.py", &touban::export::sheet::grid_xlsx(&list).unwrap());
    let rows = workbook["rows"].as_array().unwrap();
    assert_eq!(rows.len(), list.rows.len() + 3, "a title, what it is, the heads");

    let mut feeds = Vec::new();
    for role in [RotaRole::Primary, RotaRole::Deputy] {
        let line = Some((all(), role));
        let made = app.feed_make(&who, &doctors[0].person, line, None).await.unwrap();
        let FeedMade::Shown { token, .. } = made else { panic!("{made:?}") };
        let FeedOpened::Here(view) = app.feed_open(token.as_str()).await.unwrap() else { panic!() };
        let ics =
            touban::export::ics::write(&touban::app::rota::lists::feed(&view, Lang::Ja, "touban.test", None));
        let read = reader("read_calendar.py", ics.as_bytes());
        assert_eq!(read, reader("read_calendar.mjs", ics.as_bytes()), "two programs read the same");
        feeds.push((role, read));
    }

    let mut expanded = BTreeMap::new();
    for role in [RotaRole::Primary, RotaRole::Deputy] {
        for as_of in [None, Some(published)] {
            let segments = app.rota_expand(home, &all(), role, quarter, as_of).await.unwrap();
            expanded.insert((role, as_of), segments);
        }
    }

    let mut rng = rand::rngs::StdRng::seed_from_u64(20_270_101);
    let zone = paper.world.zone();
    let (mut gaps, mut others) = (0, 0);
    for n in 0..INSTANTS {
        let instant = match n {
            // The edges themselves: midnight, hand-overs, the last millisecond.
            0 => quarter.from,
            1 => Millis(quarter.to.0 - 1),
            n if n % 10 == 2 => {
                at("2027-01-01T08:00:00+09:00").plus_s(i64::try_from(n / 10).unwrap() % 90 * 86_400)
            }
            _ => Millis(rng.random_range(quarter.from.0..quarter.to.0)),
        };
        for (role, feed) in &feeds {
            let on = app.rota_who(home, &all(), *role, instant, None).await.unwrap().people();
            let before = app.rota_who(home, &all(), *role, instant, Some(known)).await.unwrap().people();
            assert!(before.is_empty(), "nothing was known then");
            let then = app.rota_who(home, &all(), *role, instant, Some(published)).await.unwrap().people();
            others += usize::from(then != on);
            for (as_of, asked) in [(None, &on), (Some(published), &then)] {
                let slice = expanded[&(*role, as_of)].iter().find(|s| s.window.contains(instant)).unwrap();
                assert_eq!(slice.people, *asked, "the expansion, {instant} {as_of:?}");
            }
            let names: Vec<&str> = on.iter().map(|h| paper.world.name(&h.person)).collect();
            gaps += usize::from(names.is_empty());

            assert_eq!(paper.paper.who(*role, instant).unwrap_or_default(), on, "the sheet, {instant}");

            let events = feed["events"].as_array().unwrap().iter().filter(|event| {
                let within = event["from"].as_i64().unwrap()..event["to"].as_i64().unwrap();
                event["status"] == "CONFIRMED" && within.contains(&instant.0)
            });
            let said: Vec<&str> = events.map(|e| e["summary"].as_str().unwrap()).collect();
            assert_eq!(said.len(), names.len(), "the feed, {instant} {said:?} {names:?}");
            assert!(said.iter().zip(&names).all(|(said, name)| said.ends_with(name)), "{said:?} {names:?}");

            let column =
                list.columns.iter().position(|c| c == if *role == RotaRole::Primary { "正" } else { "副" });
            let column = column.unwrap();
            let moment = wall_clock(instant, zone);
            let row = list.rows.iter().position(|row| {
                let (Cell::Moment(from), Cell::Moment(to)) = (&row.cells[4], &row.cells[5]) else {
                    return false;
                };
                *from <= moment && moment < *to
            });
            let written = row.map_or("", |row| rows[row + 3][column].as_str().unwrap());
            assert_eq!(written, names.join("・"), "the workbook, {instant}");
        }
    }
    assert!(gaps > 0, "the hour in which nobody is on was met");
    assert!(others > 0, "and hours in which others were on as it was published");
}
