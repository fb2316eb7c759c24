//! Tonight's check: who is on tonight says so before the night; who is silent, and what nobody holds, is told.

use touban::app::people::NewMember;
use touban::domain::cover::CoverSettings;
use touban::domain::dispatch::{OfferState, State};
use touban::domain::people::Role;

use super::{District, at};
use crate::calls::Night;
use crate::pages::browser::{mails, token_of};
use crate::support::{PIN, TestOffice, new_member, on_both};
use crate::swaps::publish;

on_both! {
    tonights_chain_is_asked_once_and_who_is_silent_is_told_before_the_night,
    who_reads_no_mail_is_rung_and_a_key_is_the_answer,
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

/// The primary has a phone and no mail; the deputy has both and opens no mail.
async fn who_reads_no_mail_is_rung_and_a_key_is_the_answer(office: TestOffice) {
    const PRIMARY: &str = "090-0000-0061";
    const DEPUTY: &str = "090-0000-0062";
    let who = office.cli();
    let on_duty = async |name: &str, phone: &str, email: bool| {
        let new = new_member(name, &office.clinic, Role::Physician, vec![]);
        let email = new.email.clone().filter(|_| email);
        let new = NewMember { phone: Some(phone.to_owned()), email, ..new };
        office.app.member_add(&who, new, None, None).await.unwrap().into_inner()
    };
    let primary = on_duty("電話 一郎", PRIMARY, false).await;
    let deputy = on_duty("両方 二郎", DEPUTY, true).await;
    publish(&office, &[(10, &primary, &deputy)]).await;
    let night = Night::begins(office).await;
    let (app, home) = (&night.office.app, &night.office.association);
    let settings = CoverSettings { check_min: Some(16 * 60), ..CoverSettings::default() };
    app.cover_settings_put(&who, 0, settings).await.unwrap();
    night.office.clock.set(at("2026-12-10T16:00:10+09:00"));
    let association = app.associations().await.unwrap().remove(0);
    assert_eq!(app.tonight_due(&association, &mut None).await.unwrap(), 2);
    let states = async || {
        let people = app.tonight_page(home).await.unwrap().people;
        [&primary, &deputy].map(|person| {
            let checked = people.iter().find(|c| c.member == *person).unwrap();
            let offer = checked.offers.iter().find(|o| o.person == *person).unwrap();
            (offer.offer.state, matches!(checked.request.state, State::Running { .. }))
        })
    };
    // At once, for there is no mail; 3 is a no, and the office hears of it.
    let leg = night.rings(PRIMARY).await;
    assert!(night.live(DEPUTY).is_none(), "who has mail is asked by mail first");
    night.phones.pick_up(&leg).unwrap();
    night.hears(&leg, "tonight").await;
    night.phones.press(&leg, "3").unwrap();
    night.hears(&leg, "noted").await;
    night.until("the no is written down", async || states().await[0].0 == OfferState::Declined).await;
    assert_eq!(states().await[1], (OfferState::Pending, true));
    let told = night.mails().await;
    assert!(told.iter().any(|m| m.contains("今夜の点検")), "{told:?}");
    // Silent for an hour: the mail again, and the phone, which goes to voicemail: no answer yet.
    night.office.clock.set(at("2026-12-10T17:00:20+09:00"));
    mails(app).await;
    let leg = night.rings(DEPUTY).await;
    night.phones.let_go_to_voicemail(&leg).unwrap();
    night.hears(&leg, "tonight").await;
    night.phones.hang_up(&leg).unwrap();
    assert_eq!(states().await[1].0, OfferState::Asked);
    assert!(app.verify().await.unwrap().problems.is_empty());
    night.ends().await;
}
