//! A case whose time of keeping is over: what its asker, a program, and whoever answers for it are told.

use touban::domain::people::Role;
use touban::time::Millis;

use super::browser::{Town, mails};
use crate::support::{TestOffice, add_institution, new_member, on_both};

on_both! { a_case_past_its_time_says_so_and_shows_nothing_of_what_was_written }

async fn a_case_past_its_time_says_so_and_shows_nothing_of_what_was_written(office: TestOffice) {
    let town = Town::new(office).await;
    let app = &town.office.app;
    let desk = add_institution(app, &town.office.association, "理事会").await;
    let officer = new_member("理事 一", &desk, Role::Officer, vec![]);
    let address = officer.email.clone().unwrap();
    app.member_add(&town.office.cli(), officer, None, None).await.unwrap();
    let asker = town.signed_in(&town.office.asker).await;
    let (path, _) = town.ask(&asker).await;
    let case = asker.get(&path).await;
    case.says("CANARY-DETAILS").keeps_quiet_about("消去しました");
    asker.submit(&case, &format!("{path}/withdraw"), &[]).await;

    town.office.clock.set(Millis::parse_rfc3339("2031-12-01T04:00:00+09:00").unwrap());
    assert_eq!(app.retention_due().await.unwrap(), 1);
    // The report goes to whoever answers for it, in counts.
    let letters = mails(app).await;
    let report = letters.iter().find(|m| m.to == address).unwrap();
    assert_eq!(report.subject, "保存期間が過ぎた記録を消去しました");
    assert!(report.text.contains("1件の依頼の本文 2個"), "{}", report.text);
    assert!(!letters.iter().any(|m| m.text.contains("CANARY")));

    let asker = town.signed_in(&town.office.asker).await;
    let page = asker.get(&path).await;
    page.says("保存期間が過ぎたため消去しました（2031年12月1日（月））").keeps_quiet_about("CANARY");

    let id = touban::ids::RequestId::from_stored(path.trim_start_matches("/consults/")).unwrap();
    let reader = town.office.asker.api();
    let url = format!("{}/api/v1/requests/{}/clinical?as={reader}", town.served.base, id.api());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let said = http.get(url).bearer_auth(&town.office.keys.all).send().await.unwrap();
    assert_eq!(said.status(), 200);
    let body: serde_json::Value = serde_json::from_str(&said.text().await.unwrap()).unwrap();
    for field in ["decade", "sex", "condition", "blind_question", "question", "details", "patient_ref"] {
        assert!(body[field].is_null() && body.as_object().unwrap().contains_key(field), "{field}: {body}");
    }
    assert_eq!(body["destroyed_on"], "2031-11-30T19:00:00.000Z");
}
