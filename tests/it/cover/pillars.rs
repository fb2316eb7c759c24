//! A pillar is rung only while its contract runs, and only for a clinic whose every household was told.

use touban::domain::cover::households::{Contract, Told};

use super::ticked;
use crate::calls::{COORDINATOR, Night, OWN, PILLAR};
use crate::pages::browser::Town;
use crate::support::{TestOffice, on_both};

on_both! {
    an_outside_pillar_is_never_rung_for_a_household_that_was_not_told,
    a_clinic_writes_down_whom_it_told_and_prints_the_notice,
}

/// Whether a call of the clinic rings the pillar; otherwise the coordinator is next.
async fn rings_the_pillar(night: &Night) -> bool {
    let nurse = night.nurse_calls().await;
    let own = night.rings(OWN).await;
    night.phones.pick_up(&own).unwrap();
    night.hears(&own, "screen").await;
    night.phones.press(&own, "3").unwrap();
    let next = || night.live(PILLAR).is_some() || night.live(COORDINATOR).is_some();
    night.until("somebody is next", async || next()).await;
    let rung = night.live(PILLAR).is_some();
    for line in night.all().await.iter().filter(|l| l.row.ended.is_none()) {
        let who = touban::app::Who::member(&night.office.association, &night.office.coordinator);
        night.office.app.call_close(&who, &line.row.id).await.unwrap();
    }
    night.phones.hang_up(&nurse).unwrap_or_default();
    night
        .until("all is quiet", async || night.live(PILLAR).is_none() && night.live(COORDINATOR).is_none())
        .await;
    night.office.clock.set(night.office.app.now().plus_s(600));
    rung
}

async fn an_outside_pillar_is_never_rung_for_a_household_that_was_not_told(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, who, clinic) = (&night.office.app, night.office.cli(), &night.office.clinic);
    assert!(rings_the_pillar(&night).await, "everybody was told");
    // One more household, of whom nothing is written down.
    let new = app.household_add(&who, clinic, "M.S.").await.unwrap();
    assert!(!rings_the_pillar(&night).await, "not told yet");
    let day = "2026-11-20".parse().unwrap();
    app.household_told(&who, clinic, &new, "home_care", Told::Refused { day }).await.unwrap();
    assert!(!rings_the_pillar(&night).await, "refused");
    app.household_told(&who, clinic, &new, "home_care", Told::On { day }).await.unwrap();
    assert!(rings_the_pillar(&night).await, "told");
    app.household_whole(&who, clinic, false).await.unwrap();
    assert!(!rings_the_pillar(&night).await, "the list is not whole");
    app.household_whole(&who, clinic, true).await.unwrap();
    // Out of contract.
    let (revision, mut settings) = app.call_settings(&night.office.association).await.unwrap();
    let pillar = settings.pillars.get_mut("home_care").unwrap();
    pillar.contract = Contract { from: pillar.contract.from, until: Some("2026-11-19".parse().unwrap()) };
    app.call_settings_put(&who, revision, settings).await.unwrap();
    assert!(!rings_the_pillar(&night).await, "its contract is over");
    night.ends().await;
}

async fn a_clinic_writes_down_whom_it_told_and_prints_the_notice(office: TestOffice) {
    let town = Town::generous(office).await;
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get("/households").await;
    page.says("まだありません");
    sato.submit(&page, "/households/add", &[("patient", "CANARY-AK")]).await.says("一覧に加えました");
    let page = sato.get("/households").await;
    page.says("CANARY-AK").says("説明前");
    // Nobody was told tomorrow.
    let form = page.form("/households/told", &[]);
    let sent = sato
        .send("/households/told", &ticked(form.clone(), &[], &[("day", "2026-12-31"), ("answer", "told")]))
        .await;
    assert!(sent.text().contains("今日まで"), "{}", sent.text());
    let page = sato.get("/households").await;
    let form = page.form("/households/told", &[]);
    let fields = ticked(form, &[], &[("day", "2026-11-20"), ("answer", "refused"), ("pillar", "home_care")]);
    let sent = sato.send("/households/told", &fields).await;
    sato.get(&sent.leads_to()).await.says("記録しました").says("お断り");
    sato.get("/households/notice")
        .await
        .says("夜間・休日の往診体制")
        .says("いま契約している施設はありません");
    // The office types for a clinic without a browser; nobody else sees it.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/households/{}", town.office.clinic);
    let page = clerk.get(&theirs).await;
    page.says("CANARY-AK");
    clerk.submit(&page, &format!("{theirs}/whole"), &[("whole", "yes")]).await.says("すべて載っています");
    let other = town.office.physician("緒方 秋").await;
    let other = town.signed_in(&other).await;
    other.get("/households").await.keeps_quiet_about("CANARY-AK");
}
