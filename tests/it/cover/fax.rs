//! A clinic that has nothing but a fax asks, is covered, reports and confirms; the office types it in.

use touban::domain::cover::short_code;
use touban::ids::RequestId;

use super::{District, at, ticked};
use crate::pages::browser::mails;
use crate::support::{TestOffice, on_both};

on_both! {
    a_clinic_with_nothing_but_a_fax_asks_is_covered_reports_and_confirms,
}

async fn a_clinic_with_nothing_but_a_fax_asks_is_covered_reports_and_confirms(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let clerk = town.signed_in(&town.office.clerk).await;
    let (asker, ono) = (&town.office.asker, &district.people["大野"]);
    // The sheet to ask with, then what came back on it.
    let action = format!("/people/{asker}/for/cover");
    clerk.get(&format!("{action}/sheet")).await.says("夜間代行のお願い").says("さとう内科クリニック");
    let form = clerk.get(&action).await;
    form.says("佐藤 健").says("お願いの用紙を印刷する");
    let typed = [
        ("channel", "fax"),
        ("from_date", "令和8年12月15日"),
        ("from_time", "１８：００"),
        ("to_date", "2026-12-16"),
        ("to_time", "08:00"),
        ("manner", "phone_only"),
        ("scope", "all"),
    ];
    let page = clerk.submit(&form, &action, &typed).await;
    page.says("お願いを送りました").says("電話対応のみ");
    let id = RequestId::from_stored(page.path.rsplit('/').next().unwrap()).unwrap();
    mails(app).await;
    // The sheet of the case is found by its number and the two digits behind it; a misread number is noticed.
    let case = district.case(&id).await;
    let slot = case.line.slots[0].slot.request.clone();
    let number = format!("{}-{}", case.line.case.case_no, short_code(&id));
    let found = clerk.look(&format!("/covers/find?no={number}")).await;
    assert_eq!(found.leads_to(), format!("/covers/{id}"));
    let wrong = if short_code(&id) == "00" { "01" } else { "00" };
    let misread = format!("/covers/find?no={}-{wrong}", case.line.case.case_no);
    clerk.get(&misread).await.says("この番号の夜間代行はありません");
    clerk.get(&format!("/covers/{id}/sheet")).await.says(&number).says("お願いしています");
    // 大野 says yes by fax; both names stand.
    let send = async |deed: &str, rest: &[(&str, &str)]| {
        let page = clerk.get(&format!("/covers/{id}")).await;
        let action = format!("/covers/{id}/{deed}");
        let fields = ticked(page.form(&action, &[]), std::slice::from_ref(&slot), rest);
        let sent = clerk.send(&action, &fields).await;
        clerk.get(&sent.leads_to()).await
    };
    let page =
        send("answer-for", &[("member", ono.as_str()), ("channel", "fax"), ("answer", "accept")]).await;
    page.says("引き受けました").says("大野 当番").says("事務局が入力");
    clerk.get(&format!("/covers/{id}/sheet")).await.says("決まりました").says("大野 当番");
    // After the night: the report and the word of the clinic, both on paper.
    town.office.clock.set(at("2026-12-16T09:00:00+09:00"));
    let clerk = town.signed_in(&town.office.clerk).await;
    let page = clerk.get(&format!("/covers/{id}")).await;
    let action = format!("/covers/{id}/report");
    let rest = [("channel", "fax"), ("outcome", "phone_only"), ("calls", "1"), ("minutes", "15")];
    let fields = ticked(page.form(&action, &[]), std::slice::from_ref(&slot), &rest);
    let sent = clerk.send(&action, &fields).await;
    clerk.get(&sent.leads_to()).await.says("報告を受け取りました").says("電話で対応");
    let page = clerk.get(&format!("/covers/{id}")).await;
    clerk.submit(&page, &format!("/covers/{id}/confirm"), &[]).await.says("双方の記録になりました");
    assert_eq!(district.states(&id).await, ["closed"]);
    let found = app.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.ledger_lines, 2);
}
