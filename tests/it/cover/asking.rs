//! J1: a weekend is asked for on a page, covered slot by slot, reported, told in the morning and confirmed.

use touban::domain::dispatch::State;
use touban::ids::RequestId;

use super::{District, answers, at, ticked};
use crate::pages::browser::mails;
use crate::support::{TestOffice, on_both};

on_both! {
    a_weekend_is_covered_slot_by_slot_reported_and_confirmed,
    several_who_want_the_same_slot_at_once_have_one_of_them,
    an_open_slot_is_told_to_the_coordinator_three_days_one_day_and_six_hours_before,
}

async fn a_weekend_is_covered_slot_by_slot_reported_and_confirmed(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let sato = town.signed_in(&town.office.asker).await;
    mails(app).await;
    // On the page, in one form.
    let form = sato.get("/covers/new").await;
    let typed = [
        ("from_date", "2026-12-10"),
        ("from_time", "18:00"),
        ("to_date", "2026-12-12"),
        ("to_time", "08:00"),
        ("manner", "visit"),
        ("scope", "some"),
        ("patients", "CANARY-AK\nCANARY-MS"),
        ("note", "CANARY-NOTE"),
    ];
    let page = sato.submit(&form, "/covers", &typed).await;
    page.says("お願いを送りました").says("CANARY-AK");
    let id = RequestId::from_stored(page.path.rsplit('/').next().unwrap()).unwrap();
    let case = district.case(&id).await;
    let slots: Vec<RequestId> = case.line.slots.iter().map(|s| s.slot.request.clone()).collect();
    // The night, the day that nobody is on for, the night: without hole or overlap.
    let windows: Vec<_> = case.line.slots.iter().map(|s| s.slot.window).collect();
    assert_eq!(windows.first().unwrap().from, at("2026-12-10T18:00:00+09:00"));
    assert_eq!(windows.last().unwrap().to, at("2026-12-12T08:00:00+09:00"));
    assert!(windows.windows(2).all(|w| w[0].to == w[1].from), "{windows:?}");
    assert_eq!(case.line.slots.iter().map(|s| s.slot.by_rota).collect::<Vec<_>>(), [true, false, true]);
    // One mail each: to those on duty for their nights, to the volunteers for the day. No names, nothing of patients.
    let letters = mails(app).await;
    for letter in &letters {
        for secret in ["CANARY", "佐藤", "さとう"] {
            assert!(!letter.text.contains(secret) && !letter.subject.contains(secret), "{}", letter.text);
        }
    }
    let aoki = district.letter("青木", &letters).await;
    assert!(aoki.text.contains("枠の数：2"), "his night and the day: {}", aoki.text);
    let ono = district.letter("大野", &letters).await;
    assert!(ono.text.contains("枠の数：1"), "{}", ono.text);
    // Opening changes nothing and shows no patient; a wrong PIN takes nothing.
    let looked = town.browser().open(&crate::pages::browser::token_of(ono)).await;
    looked.says("夜間代行のお願い").says("さとう内科クリニック").keeps_quiet_about("CANARY");
    assert_eq!(district.takers(&id).await, ["-", "-", "-"]);
    let fields = ticked(looked.form("/k/cover", &[]), &slots[1..2], &[("answer", "accept"), ("pin", "9999")]);
    town.browser().send("/k/cover", &fields).await;
    assert_eq!(district.takers(&id).await, ["-", "-", "-"]);
    // Slot by slot.
    let (_, said) = answers(town, aoki, &slots[0..1], "accept").await;
    assert!(said.contains("引き受けました") && said.contains("CANARY-NOTE"), "{said}");
    let (_, said) = answers(town, ono, &slots[1..2], "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    assert_eq!(district.takers(&id).await, ["青木", "大野", "-"]);
    let (_, said) = answers(town, district.letter("上田", &letters).await, &slots[2..3], "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    assert_eq!(district.takers(&id).await, ["青木", "大野", "上田"]);
    let told = mails(app).await;
    let mine = district.to(&town.office.asker, &told).await;
    assert!(mine.iter().any(|m| m.subject.contains("すべての枠が決まりました")), "{mine:?}");
    sato.get(&format!("/covers/{id}")).await.says("すべて決まりました").says("大野 当番");
    // The morning after the last slot: each is reminded, one mail tells the asker.
    town.office.clock.set(at("2026-12-12T08:00:30+09:00"));
    let told = mails(app).await;
    let ueda = district.to(&district.people["上田"], &told).await;
    assert!(ueda.iter().any(|m| m.subject.contains("代行が終わりました")), "{ueda:?}");
    let mut browsers = Vec::new();
    for (name, slot) in [("青木", &slots[0]), ("上田", &slots[2])] {
        let browser = town.signed_in(&district.people[name]).await;
        let page = browser.get(&format!("/covers/{id}")).await;
        let action = format!("/covers/{id}/report");
        let rest = [
            ("outcome", "phone_only"),
            ("calls", "2"),
            ("visits", "0"),
            ("minutes", "30"),
            ("text", "CANARY-TOLD"),
        ];
        let fields = ticked(page.form(&action, &[]), std::slice::from_ref(slot), &rest);
        let sent = browser.send(&action, &fields).await;
        browser.get(&sent.leads_to()).await.says("報告を受け取りました");
        browsers.push(browser);
    }
    town.office.clock.set(at("2026-12-13T07:00:30+09:00"));
    let told = mails(app).await;
    let mine = district.to(&town.office.asker, &told).await;
    let summaries = mine.iter().filter(|m| m.subject.contains("代行の報告です")).count();
    assert_eq!(summaries, 1, "{mine:?}");
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get(&format!("/covers/{id}")).await;
    page.says("CANARY-TOLD").says("電話2件");
    let action = format!("/covers/{id}/confirm");
    sato.submit(&page, &action, &[]).await.says("まだ報告のない枠");
    assert_eq!(district.states(&id).await, ["closed", "taken", "closed"], "pending until it is told");
    let ono = town.signed_in(&district.people["大野"]).await;
    let page = ono.get(&format!("/covers/{id}")).await;
    let report = format!("/covers/{id}/report");
    let fields = ticked(page.form(&report, &[]), &slots[1..2], &[("outcome", "no_calls"), ("minutes", "0")]);
    ono.send(&report, &fields).await;
    let page = sato.get(&format!("/covers/{id}")).await;
    sato.submit(&page, &action, &[]).await.says("双方の記録になりました");
    assert_eq!(district.states(&id).await, ["closed", "closed", "closed"]);
    assert!(matches!(district.case(&id).await.line.request.state, State::Closed { .. }));
    // Both sides of each slot stand in the ledger: `verify` holds every closed slot against its lines.
    let found = app.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.ledger_lines, 6, "three slots, two sides");
}

async fn several_who_want_the_same_slot_at_once_have_one_of_them(office: TestOffice) {
    let district = District::new(office).await;
    let app = &district.town.office.app;
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-16T08:00:00+09:00").await;
    assert_eq!((made.slots, made.by_rota), (1, 0));
    let slot = district.case(&made.request).await.line.slots[0].slot.request.clone();
    let letters = mails(app).await;
    let mut tokens = Vec::new();
    for name in ["青木", "井上", "上田", "江口", "大野"] {
        let token = crate::pages::browser::token_of(district.letter(name, &letters).await);
        tokens.extend([token.clone(), token]);
    }
    let chosen = vec![(slot, true)];
    let all = tokens
        .iter()
        .map(|token| app.cover_link_answer(token, chosen.clone(), Some(crate::support::PIN), None, false));
    let answers = futures_util::future::join_all(all).await;
    let mut took = 0;
    for answer in answers {
        if let touban::app::cover::CoverAnswered::Answered { outcomes, .. } = answer.unwrap() {
            took += usize::from(outcomes.iter().any(|o| o.answer == touban::domain::dispatch::Answer::Done));
        }
    }
    assert_eq!(took, 1);
    assert_eq!(district.states(&made.request).await, ["taken"]);
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn an_open_slot_is_told_to_the_coordinator_three_days_one_day_and_six_hours_before(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-16T08:00:00+09:00").await;
    mails(app).await;
    let coordinator = &town.office.coordinator;
    let open = async |moment: &str| {
        town.office.clock.set(at(moment));
        let told = mails(app).await;
        let told = district.to(coordinator, &told).await;
        told.iter().filter(|m| m.subject.contains("まだ決まっていない枠")).count()
    };
    assert_eq!(open("2026-11-25T12:00:00+09:00").await, 0);
    assert_eq!(open("2026-12-12T17:59:00+09:00").await, 0);
    assert_eq!(open("2026-12-12T18:00:01+09:00").await, 1, "three days before");
    assert_eq!(open("2026-12-14T17:59:00+09:00").await, 0);
    assert_eq!(open("2026-12-14T18:00:01+09:00").await, 1, "one day before");
    assert_eq!(open("2026-12-15T12:00:01+09:00").await, 1, "six hours before");
    // Nobody answers: the plan is at its end and stands as an alarm; at the end of the slot it lapses.
    town.office.clock.set(at("2026-12-15T13:30:00+09:00"));
    mails(app).await;
    assert_eq!(district.states(&made.request).await, ["exhausted"]);
    let alarms = app.alarms(&town.office.association, "", 50).await.unwrap();
    assert!(alarms.iter().any(|a| a.kind == "exhausted"), "{alarms:?}");
    town.office.clock.set(at("2026-12-16T08:01:30+09:00"));
    mails(app).await;
    assert_eq!(district.states(&made.request).await, ["expired"]);
    assert_eq!(district.case(&made.request).await.line.request.state.code(), "expired");
    assert!(app.verify().await.unwrap().problems.is_empty());
}
