//! The own rota of a pillar, and several pillars of one kind: who of whom is rung, who is asked tonight, who writes it.

use touban::app::call::settings::Pillar;
use touban::app::people::NewMember;
use touban::domain::calendar::{CivilDate, civil_day};
use touban::domain::cover::CoverSettings;
use touban::domain::cover::households::{Contract, Told};
use touban::domain::cover::pillars::NewPillarDuty;
use touban::domain::people::Role;
use touban::ids::{InstitutionId, MemberId};
use touban::seal::Pin;

use super::pillars::rung_next;
use super::standby::Standby;
use super::{at, ticked};
use crate::calls::{COORDINATOR, Night, PILLAR};
use crate::pages::browser::mails;
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    its_own_rota_says_whom_of_a_pillar_a_call_rings,
    of_two_clinics_that_stand_by_the_one_is_rung_that_the_households_were_told_of,
    its_people_write_its_rota_and_are_asked_tonight,
}

const ROTA: &str = "090-0000-0041";
const OTHER: &str = "090-0000-0042";

async fn of_it(office: &TestOffice, place: &InstitutionId, name: &str, phone: &str) -> MemberId {
    let new =
        NewMember { phone: Some(phone.to_owned()), ..new_member(name, place, Role::Specialist, vec![]) };
    let pin = Pin::parse(PIN).unwrap();
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

async fn its_own_rota_says_whom_of_a_pillar_a_call_rings(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, who, place) = (&night.office.app, night.office.cli(), &night.standby);
    let second = of_it(&night.office, place, "支柱 四", ROTA).await;
    assert_eq!(rung_next(&night, &[ROTA, PILLAR, COORDINATOR]).await, PILLAR, "who answers for it");
    let today = civil_day(app.now(), chrono_tz::Asia::Tokyo);
    let whole_day = NewPillarDuty { days: (today, today), hours: (0, 0) };
    app.pillar_duty_add(&who, place, &second, whole_day).await.unwrap();
    assert_eq!(rung_next(&night, &[PILLAR, ROTA, COORDINATOR]).await, ROTA);
    // Taken out, and those who answer for it are rung again; somebody who left is passed over as well.
    let line = app.pillar_rota(&night.office.association, place).await.unwrap().lines.remove(0);
    app.pillar_duty_withdraw(&who, place, &line.0.id).await.unwrap();
    assert_eq!(rung_next(&night, &[ROTA, PILLAR, COORDINATOR]).await, PILLAR);
    let past = NewPillarDuty { days: (today.plus_days(-1), today.plus_days(-1)), hours: (0, 0) };
    assert!(app.pillar_duty_add(&who, place, &second, past).await.is_err(), "yesterday is over");
    assert!(app.pillar_duty_add(&who, place, &night.own, whole_day).await.is_err(), "not one of them");
    assert!(app.verify().await.unwrap().problems.is_empty());
    night.ends().await;
}

async fn of_two_clinics_that_stand_by_the_one_is_rung_that_the_households_were_told_of(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, who, home) = (&night.office.app, night.office.cli(), &night.office.association);
    let place = add_institution(app, home, "やまもも在宅クリニック").await;
    of_it(&night.office, &place, "山桃 五", OTHER).await;
    let (revision, _) = app.call_settings(home).await.unwrap();
    let first = |on| Pillar {
        on,
        contract: Contract { from: Some("2026-04-01".parse().unwrap()), until: None },
        ..Pillar::default()
    };
    // It stands before the other by its id or behind it: nobody was told of it, so it is rung nowhere.
    app.pillar_put(&who, revision, &place, Some(first(true))).await.unwrap();
    assert_eq!(rung_next(&night, &[OTHER, PILLAR, COORDINATOR]).await, PILLAR);
    let household = app.household_list(home, &night.office.clinic).await.unwrap().households[0].id.clone();
    let day: CivilDate = "2026-11-20".parse().unwrap();
    let told = async |of: &InstitutionId, told| {
        app.household_told(&who, &night.office.clinic, &household, of.as_str(), told).await.unwrap();
    };
    told(&place, Told::On { day }).await;
    told(&night.standby, Told::Refused { day }).await;
    assert_eq!(rung_next(&night, &[PILLAR, OTHER, COORDINATOR]).await, OTHER, "the other was refused");
    // Both: in the order that the office set.
    told(&night.standby, Told::On { day }).await;
    for (own, rung) in [(1, OTHER), (3, PILLAR)] {
        let (revision, settings) = app.call_settings(home).await.unwrap();
        let standing = settings.pillars[&night.standby].clone();
        app.pillar_put(&who, revision, &night.standby, Some(Pillar { place: 2, ..standing })).await.unwrap();
        let placed = Pillar { place: own, ..first(true) };
        app.pillar_put(&who, revision + 1, &place, Some(placed)).await.unwrap();
        assert_eq!(rung_next(&night, &[PILLAR, OTHER]).await, rung);
    }
    night.ends().await;
}

async fn its_people_write_its_rota_and_are_asked_tonight(office: TestOffice) {
    let standby = Standby::new(office).await;
    let town = &standby.district.town;
    let (app, home) = (&town.office.app, &town.office.association);
    let place = standby.place("home_care");
    let wakaba = of_it(&town.office, place, "若葉 葵", ROTA).await;
    let green = town.signed_in(&standby.clinic).await;
    // Its doctors find it from their own page.
    assert!(green.get("/duties").await.body.contains("href=\"/pillar\""));
    let page = green.get("/pillar").await;
    page.says("みどり在宅クリニック").says("まだ書かれていません").says("緑川 守");
    let write = |member: &MemberId, first: &str, last: &str, hours: &str| {
        ticked(
            page.form("/pillar/add", &[]),
            &[],
            &[("member", member.as_str()), ("first", first), ("last", last), ("hours", hours)],
        )
    };
    for (first, last, hours, words) in [
        ("2026-12-12", "2026-12-11", "18:00-08:00", "終わりの日が、はじめの日より前です"),
        ("2026-11-01", "2026-11-02", "18:00-08:00", "過ぎた日は書けません"),
        ("2026-12-10", "2027-03-31", "18:00-08:00", "62 日まで"),
        ("2026-12-10", "", "18時から", "18:00-08:00 のように"),
    ] {
        let wrong = green.send("/pillar/add", &write(&wakaba, first, last, hours)).await;
        assert_eq!(wrong.status, 200);
        wrong.says(words);
        assert!(wrong.body.contains(&format!("value=\"{first}\"")), "{first} stays: {}", wrong.body);
    }
    let sent = green.send("/pillar/add", &write(&wakaba, "2026-12-10", "2026-12-11", "18:00-08:00")).await;
    green.get(&sent.leads_to()).await.says("書き込みました").says("若葉 葵");
    let again = green.send("/pillar/add", &write(&wakaba, "2026-12-11", "", "20:00-22:00")).await;
    again.says("もう書かれています");
    assert_eq!(app.pillar_rota(home, place).await.unwrap().lines.len(), 2);
    // The office types for it; a doctor of another institution sees nothing to write, nor anything of theirs.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/pillar/{place}");
    let desk = clerk.get(&theirs).await;
    desk.says("若葉 葵");
    let line = app.pillar_rota(home, place).await.unwrap().lines.remove(1);
    let fields = ticked(desk.form(&format!("{theirs}/add"), &[]), &[], &[("duty", line.0.id.as_str())]);
    let sent = clerk.send(&format!("{theirs}/withdraw"), &fields).await;
    clerk.get(&sent.leads_to()).await.says("消しました");
    let sato = town.signed_in(&town.office.asker).await;
    sato.get("/pillar").await.says("受け皿になっていません").keeps_quiet_about("若葉");
    assert!(!sato.get("/duties").await.body.contains("href=\"/pillar\""));
    assert_eq!(sato.look(&theirs).await.status, 404);
    // Whoever stands in it tonight is asked tonight.
    let settings = CoverSettings { check_min: Some(16 * 60), ..CoverSettings::default() };
    app.cover_settings_put(&town.office.cli(), 0, settings).await.unwrap();
    town.office.clock.set(at("2026-12-10T16:00:10+09:00"));
    mails(app).await;
    let association = app.associations().await.unwrap().remove(0);
    app.tonight_due(&association, &mut None).await.unwrap();
    let asked: Vec<MemberId> =
        app.tonight_page(home).await.unwrap().people.into_iter().map(|checked| checked.member).collect();
    assert!(asked.contains(&wakaba), "{asked:?}");
    assert!(!asked.contains(&standby.clinic), "not on tonight");
}
