//! What goes wrong before and during a cover: the cover falls ill, the congress is cancelled, caps, a change of duty.

use touban::app::Who;
use touban::app::consult::Asking;
use touban::app::swap::{Named, NewSwap, SwapAsked};
use touban::domain::rota::{Form, RotaRole};
use touban::ids::RequestId;

use super::{District, answers, at, ticked};
use crate::pages::browser::mails;
use crate::support::{TestOffice, on_both};
use crate::swaps::{area, night};

on_both! {
    who_covers_and_falls_ill_is_relieved_at_once_and_another_found,
    a_physician_on_duty_who_falls_ill_loses_the_acknowledgement_and_the_next_is_asked,
    a_cancelled_congress_frees_everybody_and_keeps_the_reason,
    nobody_covers_more_clinics_at_a_time_than_the_association_allows,
}

async fn who_covers_and_falls_ill_is_relieved_at_once_and_another_found(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let made = district.ask("2026-12-18T18:00:00+09:00", "2026-12-19T08:00:00+09:00").await;
    let id = &made.request;
    let slots: Vec<RequestId> =
        district.case(id).await.line.slots.iter().map(|s| s.slot.request.clone()).collect();
    let letters = mails(app).await;
    answers(town, district.letter("大野", &letters).await, &slots, "accept").await;
    assert_eq!(district.takers(id).await, ["大野"]);
    // What the clinic prints for its households names who covers.
    let sato = town.signed_in(&town.office.asker).await;
    let notice = format!("/covers/{id}/notice");
    sato.get(&notice).await.says("いつもの番号").says("大野").keeps_quiet_about("決まりしだい");
    mails(app).await;
    // Friday at four, two hours before.
    town.office.clock.set(at("2026-12-18T16:00:00+09:00"));
    mails(app).await;
    let ono = town.signed_in(&district.people["大野"]).await;
    mails(app).await;
    let page = ono.get(&format!("/covers/{id}")).await;
    page.says("出られません");
    let action = format!("/covers/{id}/give-back");
    let fields = ticked(page.form(&action, &[]), &slots, &[]);
    let sent = ono.send(&action, &fields).await;
    ono.get(&sent.leads_to()).await.says("次の先生にお願いしています");
    assert_eq!(district.takers(id).await, ["-"]);
    let told = mails(app).await;
    for member in [&town.office.asker, &town.office.coordinator] {
        let mine = district.to(member, &told).await;
        let gone = mine.iter().find(|m| m.subject.contains("引き受けが取り消されました"));
        assert!(gone.is_some_and(|m| m.text.contains("刷り直してください")), "{mine:?}");
    }
    let sato = town.signed_in(&town.office.asker).await;
    sato.get(&notice).await.says("決まりしだい").keeps_quiet_about("大野");
    let aoki = district.letter("青木", &told).await;
    assert!(district.to(&district.people["大野"], &told).await.iter().all(|m| !m.text.contains("/k#")));
    answers(town, aoki, &slots, "accept").await;
    assert_eq!(district.takers(id).await, ["青木"]);
    sato.get(&notice).await.says("青木").keeps_quiet_about("大野");
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn a_physician_on_duty_who_falls_ill_loses_the_acknowledgement_and_the_next_is_asked(
    office: TestOffice,
) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let made = district.ask("2026-12-10T18:00:00+09:00", "2026-12-11T08:00:00+09:00").await;
    let id = &made.request;
    assert_eq!((made.slots, made.by_rota), (1, 1));
    let slot = vec![district.case(id).await.line.slots[0].slot.request.clone()];
    let letters = mails(app).await;
    answers(town, district.letter("青木", &letters).await, &slot, "accept").await;
    assert_eq!(district.takers(id).await, ["青木"]);
    town.office.clock.set(at("2026-12-10T16:00:00+09:00"));
    mails(app).await;
    let aoki = &district.people["青木"];
    let new = NewSwap {
        form: Form::Ill,
        gives: Named { area: area(), role: RotaRole::Primary, window: night(10) },
        takes: None,
        other: None,
        note: String::new(),
    };
    let asking = Asking { asker: aoki.clone(), in_person: true, channel: "web" };
    let who = Who::member(&town.office.association, aoki);
    let asked = app.swap_ask(&who, asking, new, None).await.unwrap();
    assert!(matches!(asked, SwapAsked::Asked(_)), "{asked:?}");
    // The deputy moved up: the acknowledgement is not 青木's any more, and 井上 is asked for hers.
    assert_eq!(district.takers(id).await, ["-"]);
    let letters = mails(app).await;
    let inoue = district.to(&district.people["井上"], &letters).await;
    let linked = inoue.iter().find(|m| m.subject.contains("夜間代行")).expect("she is asked");
    answers(town, linked, &slot, "accept").await;
    assert_eq!(district.takers(id).await, ["井上"]);
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn a_cancelled_congress_frees_everybody_and_keeps_the_reason(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-17T08:00:00+09:00").await;
    let id = &made.request;
    let slots: Vec<RequestId> =
        district.case(id).await.line.slots.iter().map(|s| s.slot.request.clone()).collect();
    let letters = mails(app).await;
    answers(town, district.letter("大野", &letters).await, &slots[..1], "accept").await;
    mails(app).await;
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get(&format!("/covers/{id}")).await;
    let action = format!("/covers/{id}/withdraw");
    // Without a reason nothing happens.
    sato.submit(&page, &action, &[("reason", "")]).await.says("理由");
    assert_eq!(district.takers(id).await[0], "大野");
    let page = sato.get(&format!("/covers/{id}")).await;
    sato.submit(&page, &action, &[("reason", "学会が中止になりました")]).await.says("取り下げました");
    assert!(district.states(id).await.iter().all(|s| s == "withdrawn"));
    let told = mails(app).await;
    let ono = district.to(&district.people["大野"], &told).await;
    assert!(ono.iter().any(|m| m.subject.contains("取り下げられました")), "{ono:?}");
    town.signed_in(&town.office.clerk)
        .await
        .get(&format!("/covers/{id}"))
        .await
        .says("学会が中止になりました");
    // The hours are free again: the same can be asked once more; nothing is owed for what did not happen.
    district.ask("2026-12-15T18:00:00+09:00", "2026-12-17T08:00:00+09:00").await;
    let found = app.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.ledger_lines, 0);
}

async fn nobody_covers_more_clinics_at_a_time_than_the_association_allows(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    // No more than five are left for the first wave of either.
    let other = district.people["江口"].clone();
    let hours = ("2026-12-15T18:00:00+09:00", "2026-12-16T08:00:00+09:00");
    let first = district.ask(hours.0, hours.1).await;
    let second = district.ask_of(&other, hours.0, hours.1).await;
    let letters = mails(app).await;
    let linked: Vec<_> = district
        .to(&district.people["大野"], &letters)
        .await
        .into_iter()
        .filter(|m| m.text.contains("/k#"))
        .collect();
    assert_eq!(linked.len(), 2, "one mail for each cover");
    let slot = async |id: &RequestId| vec![district.case(id).await.line.slots[0].slot.request.clone()];
    let numbers = [first.case_no.as_str(), second.case_no.as_str()];
    let mail = |no: &str| *linked.iter().find(|m| m.subject.contains(no)).unwrap();
    answers(town, mail(numbers[0]), &slot(&first.request).await, "accept").await;
    let (_, said) = answers(town, mail(numbers[1]), &slot(&second.request).await, "accept").await;
    assert!(said.contains("代われる数の上限"), "{said}");
    assert_eq!(district.takers(&second.request).await, ["-"]);
    // Nobody who is away covers another; the office may allow more.
    let asked = district.case(&second.request).await;
    assert!(
        !asked.line.slots[0].request.offers.contains_key(&town.office.asker),
        "the asker of the first is away"
    );
    let clerk = town.signed_in(&town.office.clerk).await;
    let page = clerk.get("/covers/settings").await;
    let typed = [("at_once", "2"), ("month", "0"), ("summary", "7:00"), ("check", "")];
    clerk.submit(&page, "/covers/settings", &typed).await.says("保存しました");
    let (_, said) = answers(town, mail(numbers[1]), &slot(&second.request).await, "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    assert_eq!(district.takers(&second.request).await, ["大野"]);
}
