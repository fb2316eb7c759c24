//! What a home-care support clinic shows of a year: what the service saw, what the clinic wrote down, the conferences.

use touban::app::Who;
use touban::app::call::CallTold;
use touban::app::clinic_records::NewConference;
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::domain::clinic_records::{Counts, RecordKind};
use touban::domain::people::directory::Membership;
use touban::domain::rota::{Assignment, Holder, RotaRole};
use touban::time::Window;

use super::{at, ticked};
use crate::calls::Night;
use crate::pages::browser::Town;
use crate::support::{TestOffice, add_institution, on_both};

on_both! {
    a_visit_after_a_call_counts_for_the_clinic_of_who_went,
    turns_of_the_rota_count_once_they_are_over,
    a_clinic_adds_what_the_service_did_not_see_and_takes_it_back,
    a_group_is_counted_together_and_a_conference_once,
}

async fn a_visit_after_a_call_counts_for_the_clinic_of_who_went(office: TestOffice) {
    let night = Night::begins(office).await;
    let app = &night.office.app;
    let id = night.talked().await;
    let own = Who::member(&night.office.association, &night.own);
    let told =
        CallTold {
            outcome: "visited".into(), place: String::new(), text: "往診".into(), minutes: Some(40)
        };
    app.call_report(&own, &id, &night.own, told, None).await.unwrap();
    let clinic = app.member(&night.office.association, &night.own).await.unwrap().institution.unwrap();
    let november = "2026-11".parse().unwrap();
    let year = app.clinic_year(&night.office.association, &clinic, november).await.unwrap();
    assert_eq!(year.own[11], Counts { visits: 1, ..Counts::default() });
    assert!(year.own[..11].iter().all(|month| *month == Counts::default()));
    // A call that stayed a call is none.
    let id = night.talked().await;
    let told =
        CallTold { outcome: "phone_only".into(), place: String::new(), text: String::new(), minutes: None };
    app.call_report(&own, &id, &night.own, told, None).await.unwrap();
    let year = app.clinic_year(&night.office.association, &clinic, november).await.unwrap();
    assert_eq!(year.own[11].visits, 1);
    night.ends().await;
}

async fn turns_of_the_rota_count_once_they_are_over(office: TestOffice) {
    let person = office.physician("当番 一").await;
    let institution = office.app.member(&office.association, &person).await.unwrap().institution.unwrap();
    let area: touban::domain::rota::Area = "all".parse().unwrap();
    let assignments = (21..=24u32).map(|day| Assignment {
        area: area.clone(),
        slot: format!("2026-11-{day}/hd").parse().unwrap(),
        role: RotaRole::Primary,
        window: {
            let from = at(&format!("2026-11-{day}T08:00:00+09:00"));
            Window { from, to: from.plus_s(24 * 3_600) }
        },
        holder: Holder { person: person.clone(), institution: institution.clone() },
    });
    let new = NewPublication {
        area: area.clone(),
        period: Window { from: at("2026-11-21T00:00:00+09:00"), to: at("2026-12-01T00:00:00+09:00") },
        assignments: assignments.collect(),
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let clerk = Who::member(&office.association, &office.clerk);
    let published = office.app.rota_import(&clerk, new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
    let november = "2026-11".parse().unwrap();
    let turns = async || {
        let year = office.app.clinic_year(&office.association, &institution, november).await.unwrap();
        year.own[11].turns
    };
    office.clock.set(at("2026-11-23T09:00:00+09:00"));
    assert_eq!(turns().await, 2, "the third has begun");
    office.clock.set(at("2026-12-02T09:00:00+09:00"));
    assert_eq!(turns().await, 4);
}

async fn a_clinic_adds_what_the_service_did_not_see_and_takes_it_back(office: TestOffice) {
    let town = Town::generous(office).await;
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get("/records").await;
    page.says("緊急の往診（この医療機関）").says("足りません").says("まだありません");
    // What cannot be is said beside its field, and what was typed stays.
    let typed = [("kind", "home_death"), ("day", "2099-01-01"), ("number", "0")];
    let form = page.form("/records/add", &typed);
    let refused = sato.send("/records/add", &form).await;
    refused.says("今日までの日付").says("200までの数");
    assert!(refused.body.contains("value=\"2099-01-01\""), "what was typed stays");
    assert_eq!(refused.body.matches("aria-invalid").count(), 2, "day and number");
    let page = sato.get("/records").await;
    let typed = [("kind", "home_death"), ("day", "2026-11-01"), ("number", "２")];
    sato.submit(&page, "/records/add", &typed).await.says("記録しました").says("在宅看取り 2件");
    let page = sato.get("/records").await;
    page.says("2026年11月1日");
    let csv = sato.look("/records/file?format=csv").await.body;
    assert!(csv.lines().nth(12).unwrap().ends_with(",0,0,2,0"), "{csv}");
    // The office sees it; another clinic does not, and cannot take it back.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/records/{}", town.office.clinic);
    clerk.get(&theirs).await.says("在宅看取り 2件");
    let other = town.office.physician("緒方 秋").await;
    let other = town.signed_in(&other).await;
    other.get("/records").await.keeps_quiet_about("在宅看取り 2件");
    let stolen = page.form("/records/withdraw", &[]);
    let record: Vec<_> = stolen.into_iter().filter(|(name, _)| name == "record").collect();
    let mine = other.get("/records").await;
    let form = ticked(mine.form("/records/add", &[]), &[], &[("record", record[0].1.as_str())]);
    assert_eq!(other.send("/records/withdraw", &form).await.status, 404);
    sato.submit(&page, "/records/withdraw", &[])
        .await
        .says("取り消しました")
        .keeps_quiet_about("2026年11月1日");
    let problems = town.office.app.verify().await.unwrap().problems;
    assert!(problems.is_empty(), "{problems:#?}");
}

async fn a_group_is_counted_together_and_a_conference_once(office: TestOffice) {
    let (app, home) = (&office.app, &office.association);
    let second = add_institution(app, home, "連携の医院").await;
    let clerk = Who::member(home, &office.clerk);
    let group = app.care_group_add(&clerk, "青葉在宅連携", "", None).await.unwrap();
    for institution in [&office.clinic, &second] {
        let from = "2026-04-01".parse().unwrap();
        let new = Membership { group: group.clone(), institution: institution.clone(), from, until: None };
        app.care_group_join(&clerk, &new, None).await.unwrap().unwrap();
    }
    let day = |text: &str| Some(text.parse().unwrap());
    for (institution, number) in [(&office.clinic, 4), (&second, 6)] {
        let new = (Some(RecordKind::EmergencyVisit), day("2026-10-10"), Some(number));
        app.clinic_record_add(&clerk, institution, new).await.unwrap();
    }
    // Before it was in the group: the clinic's own, and not the group's.
    let new = (Some(RecordKind::HomeDeath), day("2026-03-10"), Some(5));
    app.clinic_record_add(&clerk, &second, new).await.unwrap();
    let town = Town::generous(office).await;
    let office = &town.office;
    let desk = town.signed_in(&office.clerk).await;
    let page = desk.get("/conferences").await;
    let form = page.form("/conferences", &[("day", "2026-11-18"), ("people", "7"), ("patients", "4")]);
    let refused = desk.send("/conferences", &ticked(form.clone(), &[], &[("group", group.as_str())])).await;
    refused.says("必須の項目です");
    assert!(refused.body.contains("value=\"2026-11-18\""), "what was typed stays");
    let typed = [
        ("attendees", office.clinic.as_str()),
        ("attendees", second.as_str()),
        ("group", group.as_str()),
        ("online", "yes"),
    ];
    let form = ticked(form, &[], &typed);
    let sent = desk.send("/conferences", &form).await;
    desk.get(&sent.leads_to())
        .await
        .says("記録しました")
        .says("Web会議・出席7人・患者4人")
        .says("連携の医院");
    let november = "2026-11".parse().unwrap();
    let year = office.app.clinic_year(&office.association, &office.clinic, november).await.unwrap();
    let group = year.group.unwrap();
    assert_eq!(group.institutions.len(), 2);
    assert_eq!((year.own[11].conferences, group.counts[11].conferences), (1, 1), "one, though two came");
    let sum = group.counts.iter().fold(Counts::default(), |sum, month| sum.plus(*month));
    assert_eq!((sum.visits, sum.deaths), (10, 0));
    let met: Vec<_> = year.demands.iter().map(|d| (d.code, d.has, d.is_met())).collect();
    assert_eq!(met[..2], [("own_visits", 4, true), ("group_visits", 10, true)]);
    desk.get(&format!("/records/{}", office.clinic)).await.says("連携全体：青葉在宅連携");
    let none = NewConference { day: None, ..NewConference::default() };
    assert!(office.app.conference_add(&Who::member(&office.association, &office.clerk), none).await.is_err());
    let page = desk.get("/conferences").await;
    desk.submit(&page, "/conferences/withdraw", &[]).await.says("取り消しました").says("まだありません");
}
