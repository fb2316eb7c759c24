//! A pillar is rung only while its contract runs, and only for a clinic whose every household was told.

use touban::app::Who;
use touban::app::consult::Asking;
use touban::app::people::NewMember;
use touban::domain::calendar::civil_day;
use touban::domain::cover::households::{Contract, Told};
use touban::domain::cover::pillars::NewPillarDuty;
use touban::domain::cover::{Manner, NewCover};
use touban::domain::people::Role;
use touban::seal::Pin;

use super::ticked;
use crate::calls::{COORDINATOR, Night, OWN, PILLAR};
use crate::pages::browser::{Town, mails, token_of};
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    an_outside_pillar_is_never_rung_for_a_household_that_was_not_told,
    a_clinic_writes_down_whom_it_told_and_prints_the_notice,
    a_pillar_that_took_a_slot_is_rung_only_while_every_household_was_told,
}

/// Whether a call of the clinic rings the pillar; otherwise the coordinator is next.
async fn rings_the_pillar(night: &Night) -> bool {
    rung_next(night, &[PILLAR, COORDINATOR]).await == PILLAR
}

/// Which of these phones a call of the clinic rings after its own line said no; then all is quiet again.
pub async fn rung_next<'a>(night: &Night, among: &[&'a str]) -> &'a str {
    let nurse = night.nurse_calls().await;
    let own = night.rings(OWN).await;
    night.phones.pick_up(&own).unwrap();
    night.hears(&own, "screen").await;
    night.phones.press(&own, "3").unwrap();
    let next = || among.iter().find(|phone| night.live(phone).is_some());
    night.until("somebody is next", async || next().is_some()).await;
    let rung = next().unwrap();
    for line in night.all().await.iter().filter(|l| l.row.ended.is_none()) {
        let who = Who::member(&night.office.association, &night.office.coordinator);
        night.office.app.call_close(&who, &line.row.id).await.unwrap();
    }
    night.phones.hang_up(&nurse).unwrap_or_default();
    night.until("all is quiet", async || next().is_none()).await;
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
    let (day, standby) = ("2026-11-20".parse().unwrap(), night.standby.as_str());
    app.household_told(&who, clinic, &new, standby, Told::Refused { day }).await.unwrap();
    assert!(!rings_the_pillar(&night).await, "refused");
    app.household_told(&who, clinic, &new, standby, Told::On { day }).await.unwrap();
    assert!(rings_the_pillar(&night).await, "told");
    app.household_whole(&who, clinic, false).await.unwrap();
    assert!(!rings_the_pillar(&night).await, "the list is not whole");
    app.household_whole(&who, clinic, true).await.unwrap();
    // Out of contract.
    let (revision, mut settings) = app.call_settings(&night.office.association).await.unwrap();
    let pillar = settings.pillars.get_mut(&night.standby).unwrap();
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
    let fields = ticked(form, &[], &[("day", "2026-11-20"), ("answer", "refused"), ("pillar", "members")]);
    let sent = sato.send("/households/told", &fields).await;
    sato.get(&sent.leads_to()).await.says("記録しました").says("お断り");
    sato.get("/households/notice")
        .await
        .says("夜間・休日の往診体制")
        .says("いま契約している施設はありません");
    // Everybody else at once: what is written of the refused one stays.
    sato.submit(&page, "/households/add", &[("patient", "CANARY-MS")]).await.says("一覧に加えました");
    let page = sato.get("/households").await;
    let fields = page.form("/households/told", &[]);
    let whom = [("household", "all"), ("pillar", "members"), ("day", "2026-11-19"), ("answer", "told")];
    let sent = sato.send("/households/told", &ticked(fields, &[], &whom)).await;
    let page = sato.get(&sent.leads_to()).await;
    page.says("お断り").says("2026年11月19日");
    assert!(!page.body.contains(">説明前<"), "{}", page.body);
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

/// Of the institution that took the slot.
const STANDBY: &str = "090-0000-0031";
/// Of its own rota.
const ROTA: &str = "090-0000-0032";

async fn a_pillar_that_took_a_slot_is_rung_only_while_every_household_was_told(office: TestOffice) {
    let home = add_institution(&office.app, &office.association, "みどり在宅クリニック").await;
    let new = NewMember {
        phone: Some(STANDBY.to_owned()),
        ..new_member("緑川 守", &home, Role::Specialist, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    let contact = office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let night = Night::begins(office).await;
    let (app, who, clinic) = (&night.office.app, night.office.cli(), &night.office.clinic);
    let association = &night.office.association;
    let (revision, mut settings) = app.call_settings(association).await.unwrap();
    let pillar = settings.pillars.remove(&night.standby).unwrap();
    settings.pillars.insert(home.clone(), pillar);
    app.call_settings_put(&who, revision, settings).await.unwrap();
    let household = app.household_list(association, clinic).await.unwrap().households[0].id.clone();
    let told = Told::On { day: "2026-11-01".parse().unwrap() };
    app.household_told(&who, clinic, &household, home.as_str(), told).await.unwrap();
    let begins = app.now().plus_s(60);
    let asker = &night.office.asker;
    let asking = Asking { asker: asker.clone(), in_person: true, channel: "web" };
    let new = NewCover {
        window: (begins, begins.plus_s(3_600)),
        patients: None,
        manner: Manner::Visit,
        note: String::new(),
    };
    // Nobody else is there to be asked.
    let made = app.cover_ask(&Who::member(association, asker), asking, new, None).await.unwrap().into_inner();
    let letters = mails(app).await;
    let address = app.member(association, &contact).await.unwrap().email.unwrap();
    let letter = letters.iter().find(|m| m.to == address && m.text.contains("/k#")).unwrap();
    let case = app.cover_case(association, &made.request).await.unwrap();
    let chosen = case.line.slots.iter().map(|s| (s.slot.request.clone(), true)).collect();
    app.cover_link_answer(&token_of(letter), chosen, Some(PIN), None, false).await.unwrap();
    night.office.clock.set(begins.plus_s(30));
    let nurse = night.nurse_calls().await;
    night.rings(STANDBY).await;
    assert!(night.live(OWN).is_none(), "the clinic's own line is left in peace");
    for line in night.all().await.iter().filter(|l| l.row.ended.is_none()) {
        let desk = Who::member(association, &night.office.coordinator);
        app.call_close(&desk, &line.row.id).await.unwrap();
    }
    night.phones.hang_up(&nurse).unwrap_or_default();
    night.until("all is quiet", async || night.live(STANDBY).is_none()).await;
    // Their own rota names another of them for these hours.
    let new = NewMember {
        phone: Some(ROTA.to_owned()),
        ..new_member("若葉 葵", &home, Role::Specialist, vec![])
    };
    let other = app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner();
    let today = civil_day(app.now(), chrono_tz::Asia::Tokyo);
    let whole_day = NewPillarDuty { days: (today, today), hours: (0, 0) };
    app.pillar_duty_add(&who, &home, &other, whole_day).await.unwrap();
    night.office.clock.set(app.now().plus_s(120));
    let nurse = night.nurse_calls().await;
    night.rings(ROTA).await;
    assert!(night.live(STANDBY).is_none(), "who said yes is not on duty now");
    for line in night.all().await.iter().filter(|l| l.row.ended.is_none()) {
        let desk = Who::member(association, &night.office.coordinator);
        app.call_close(&desk, &line.row.id).await.unwrap();
    }
    night.phones.hang_up(&nurse).unwrap_or_default();
    night.until("all is quiet", async || night.live(ROTA).is_none()).await;
    // A household refuses: the slot is still theirs, and their phone is passed over.
    let day = "2026-11-20".parse().unwrap();
    app.household_told(&who, clinic, &household, home.as_str(), Told::Refused { day }).await.unwrap();
    night.office.clock.set(app.now().plus_s(120));
    night.nurse_calls().await;
    night.rings(OWN).await;
    assert!(night.live(STANDBY).is_none() && night.live(ROTA).is_none());
    night.ends().await;
}
