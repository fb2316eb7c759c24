//! Calendar feeds over HTTP: who may have a link, what stands behind it, how it ends.

use touban::app::Who;
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::domain::rota::RotaRole;
use touban::time::Window;

use super::{all, doctors, publish, reader};
use crate::pages::browser::{Town, between};
use crate::support::TestOffice;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_gets_a_link_and_ends_it() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let (app, home) = (town.office.app.clone(), town.office.association.clone());
    let doctors = doctors(&app, &home).await;
    let now = app.now();
    let today = touban::domain::calendar::civil_day(now, chrono_tz::Asia::Tokyo);
    let (first, last) = (today.plus_days(1), today.plus_days(40));
    publish(&app, &home, &doctors, (&first.to_string(), &last.to_string()), None).await;
    let doctor = town.signed_in(&doctors[0].person).await;

    let page = doctor.get("/me/calendar").await;
    page.says("リンクはまだありません").says("Googleカレンダー：数時間から1日");
    let shown = doctor.submit(&page, "/me/calendar", &[("what", "own")]).await;
    shown.says("このリンクは今だけ表示します");
    let address = between(&shown.body, "readonly value=\"", "\"").unwrap().to_owned();
    let path = address.split_once("/feeds/").map(|(_, rest)| format!("/feeds/{rest}")).unwrap();
    assert!(shown.body.contains(&format!("webcal://{}", address.split_once("://").unwrap().1)));
    assert!(shown.body.contains("data:image/svg+xml;base64,"), "the picture for a phone");
    // Shown once: the page itself does not have it.
    assert!(!doctor.get("/me/calendar").await.body.contains(&path));

    let guest = town.browser();
    let feed = guest.look(&path).await;
    assert_eq!(feed.status, 200);
    assert_eq!(feed.headers["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(feed.headers["cache-control"], "private, no-cache");
    let etag = feed.headers["etag"].to_str().unwrap().to_owned();
    let again = guest.look_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
    assert_eq!(again.headers["etag"].to_str().unwrap(), etag);
    assert_eq!(guest.look(&path).await.body, feed.body, "the same state has the same bytes");

    let read = reader("read_calendar.py", feed.body.as_bytes());
    assert_eq!(read, reader("read_calendar.mjs", feed.body.as_bytes()), "two programs read the same");
    assert!(read["prodid"].as_str().unwrap().starts_with("-//touban//"));
    let events = read["events"].as_array().unwrap();
    assert!(events.len() > 5, "{}", events.len());
    let zone = chrono_tz::Asia::Tokyo;
    let nights: Vec<_> = events.iter().filter(|e| e["summary"].as_str().unwrap().contains("夜")).collect();
    assert!(!nights.is_empty());
    for night in nights {
        let day = |key: &str| {
            touban::domain::calendar::civil_day(touban::time::Millis(night[key].as_i64().unwrap()), zone)
        };
        assert_eq!(day("to").days_since(day("from")), 1, "a night ends the next day");
    }
    assert_eq!(
        reader("read_calendar.py", guest.look(&format!("{path}?alarm=720")).await.body.as_bytes())["events"]
            [0]["alarms"],
        1
    );
    // No name of anybody stands in one's own feed.
    assert!(super::DOCTORS.iter().all(|(name, ..)| !feed.body.contains(name)));

    // A duty goes to somebody else: the entry is said to be gone, under its own name, with a higher number.
    let mine = events.iter().find(|e| e["sequence"] == 0).unwrap().clone();
    let window = Window::new(
        touban::time::Millis(mine["from"].as_i64().unwrap()),
        touban::time::Millis(mine["to"].as_i64().unwrap()),
    );
    let summary = mine["summary"].as_str().unwrap();
    let role = if summary.contains("正") { RotaRole::Primary } else { RotaRole::Deputy };
    let new = NewOverride {
        area: all(),
        role,
        window: window.unwrap(),
        person: Some(doctors[6].person.clone()),
        institution: None,
        reason: "急病".to_owned(),
        recorded_at: None,
    };
    town.office.clock.advance_s(60);
    let made = app.rota_override_add(&Who::cli(&home), new, None).await.unwrap();
    assert!(matches!(made, OverrideMade::Done { .. }), "{made:?}");
    let after = guest.look_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!(after.status, 200, "it has changed");
    let read = reader("read_calendar.mjs", after.body.as_bytes());
    let gone = read["events"].as_array().unwrap().iter().find(|e| e["uid"] == mine["uid"]).unwrap();
    assert_eq!((gone["status"].as_str().unwrap(), gone["sequence"].as_i64().unwrap()), ("CANCELLED", 1));

    // Ended: gone for good; what never was is not there.
    let page = doctor.get("/me/calendar").await;
    let (action, _) = page.forms().into_iter().find(|(action, _)| action.ends_with("/revoke")).unwrap();
    doctor.submit(&page, &action, &[]).await.says("リンクを使えなくしました");
    assert_eq!(guest.look(&path).await.status, 410);
    assert_eq!(guest.look("/feeds/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/duty.ics").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends_with_the_membership_of_its_owner() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let (app, home) = (town.office.app.clone(), town.office.association.clone());
    let doctors = doctors(&app, &home).await;
    let who = Who::cli(&home);
    let made = app.feed_make(&who, &doctors[3].person, Some((all(), RotaRole::Primary)), None).await.unwrap();
    let touban::app::rota::feeds::FeedMade::Shown { token, .. } = made else { panic!("{made:?}") };
    let path = format!("/feeds/{}/duty.ics", token.as_str());
    assert_eq!(town.browser().look(&path).await.status, 200, "an empty feed is a feed");
    reader("read_calendar.py", town.browser().look(&path).await.body.as_bytes());
    app.member_leave(&who, &doctors[3].person, None).await.unwrap();
    assert_eq!(town.browser().look(&path).await.status, 410);
}
