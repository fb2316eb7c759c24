//! Tonight's check: who is on tonight says so before the night; who is silent, and what nobody holds, is told.

use super::{District, at};
use crate::pages::browser::{mails, token_of};
use crate::support::{PIN, TestOffice, on_both};

on_both! {
    tonights_chain_is_asked_once_and_who_is_silent_is_told_before_the_night,
}

async fn tonights_chain_is_asked_once_and_who_is_silent_is_told_before_the_night(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let home = app.associations().await.unwrap().remove(0);
    let clerk = town.signed_in(&town.office.clerk).await;
    clerk.get("/tonight").await.says("まだ点検していません");
    let page = clerk.get("/covers/settings").await;
    let typed = |check| [("at_once", "1"), ("month", "0"), ("summary", "7:00"), ("check", check)];
    clerk.submit(&page, "/covers/settings", &typed("25:00")).await.says("範囲の外");
    clerk.submit(&page, "/covers/settings", &typed("16:00")).await.says("保存しました");
    town.office.clock.set(at("2026-12-10T15:59:00+09:00"));
    let mut told = None;
    assert_eq!(app.tonight_due(&home, &mut told).await.unwrap(), 0, "not yet");
    town.office.clock.set(at("2026-12-10T16:00:10+09:00"));
    mails(app).await;
    assert_eq!(app.tonight_due(&home, &mut told).await.unwrap(), 2, "the primary and the deputy of the 10th");
    assert_eq!(
        app.tonight_due(&home, &mut None).await.unwrap(),
        0,
        "another process begins it no second time"
    );
    let letters = mails(app).await;
    let aoki = district.letter("青木", &letters).await;
    district.letter("井上", &letters).await;
    assert!(aoki.subject.contains("今夜の点検"), "{}", aoki.subject);
    // Opening says nothing; the PIN does.
    let browser = town.browser();
    let page = browser.open(&token_of(aoki)).await;
    page.says("今夜、電話に出られますか");
    let clerk = town.signed_in(&town.office.clerk).await;
    mails(app).await;
    clerk.get("/tonight").await.says("返事待ち").keeps_quiet_about("返事がありません");
    let typed = [("answer", "accept_check"), ("pin", PIN)];
    browser.submit(&page, "/k/answer", &typed).await.says("お返事を受け取りました");
    // 井上 is asked twice and stays silent: the coordinator hears of it before the night.
    town.office.clock.set(at("2026-12-10T17:00:20+09:00"));
    let again = mails(app).await;
    district.letter("井上", &again).await;
    town.office.clock.set(at("2026-12-10T18:00:40+09:00"));
    let late = mails(app).await;
    let coordinator = district.to(&town.office.coordinator, &late).await;
    assert!(coordinator.iter().any(|m| m.subject.contains("返事のない先生")), "{coordinator:?}");
    let clerk = town.signed_in(&town.office.clerk).await;
    clerk.get("/tonight").await.says("出られます").says("返事がありません");
    // A night that nobody holds is a hole.
    town.office.clock.set(at("2026-12-20T16:00:10+09:00"));
    mails(app).await;
    assert_eq!(app.tonight_due(&home, &mut told).await.unwrap(), 0);
    let letters = mails(app).await;
    let coordinator = district.to(&town.office.coordinator, &letters).await;
    assert!(coordinator.iter().any(|m| m.subject.contains("だれも受け持っていない")), "{coordinator:?}");
    assert!(app.verify().await.unwrap().problems.is_empty());
}
