//! Wishes and calendar links by programs.

use serde_json::json;
use touban::app::access::Scope;

use super::client::Client;
use crate::support::{TestOffice, add_association, on_both};

on_both! {
    a_collection_is_opened_and_a_sheet_that_came_by_fax_is_written,
    a_calendar_link_is_shown_once_works_and_is_ended,
}

async fn a_collection_is_opened_and_a_sheet_that_came_by_fax_is_written(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let other = office.physician("当番 次郎").await;
    let open =
        json!({ "first": "2027-01-01", "last": "2027-01-31", "deadline": "2026-12-10T17:00:00+09:00" });
    client.with_key(&office.keys.read).post("/wishes", &open).await.problem(403);
    let wrong = json!({ "first": "元日", "last": "2027-01-31", "deadline": "2026-12-10T17:00:00+09:00" });
    assert_eq!(client.post("/wishes", &wrong).await.fields(), ["/first"]);
    let opened = client.post("/wishes", &open).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let list = client.get("/wishes").await.ok(200);
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["last"]), (&json!(id), &json!("2027-01-31")));

    let sheets = format!("/wishes/{id}/sheets");
    let sheet = |days: serde_json::Value| {
        json!({ "on_behalf_of": office.asker.api(), "source": "fax",
            "sheet": { "days": days, "no_deep_night": true, "apart": [other.api()], "note": "学会のため" } })
    };
    let outside = sheet(json!([{ "first": "2027-02-01", "last": "2027-02-01", "wish": "unavailable" }]));
    assert_eq!(client.post(&sheets, &outside).await.fields(), ["/sheet/days"]);
    let no_weight = sheet(json!([{ "first": "2027-01-03", "last": "2027-01-03", "wish": "off" }]));
    assert_eq!(client.post(&sheets, &no_weight).await.fields(), ["/sheet/days/0/weight"]);
    let days = json!([
        { "first": "2027-01-02", "last": "2027-01-04", "wish": "unavailable", "weight": null },
        { "first": "2027-01-10", "last": "2027-01-10", "wish": "on", "weight": 3 },
    ]);
    assert_eq!(client.post(&sheets, &sheet(days.clone())).await.ok(201)["version"], 1);
    let whole = client.get(&format!("/wishes/{id}")).await.ok(200);
    let people = whole["people"].as_array().unwrap();
    let of = |member: String| people.iter().find(|p| p["member"] == json!(member)).unwrap();
    let kept = of(office.asker.api());
    assert_eq!(
        (&kept["source"], &kept["sheet"]["days"], &kept["sheet"]["note"]),
        (&json!("fax"), &days, &json!("学会のため"))
    );
    assert_eq!(of(other.api())["sheet"], json!(null), "has not answered");
    let clerk = json!({ "on_behalf_of": office.clerk.api(), "source": "phone", "sheet": {} });
    assert_eq!(client.post(&sheets, &clerk).await.fields(), ["/on_behalf_of"], "takes no part in the rota");

    let midori = add_association(&office.app, "midori", "緑市医師会").await;
    let theirs = client.with_key(&office.key_of(&midori, &Scope::ALL).await);
    theirs.get(&format!("/wishes/{id}")).await.problem(404);
    theirs.post(&sheets, &sheet(days)).await.problem(404);
}

async fn a_calendar_link_is_shown_once_works_and_is_ended(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let new = json!({ "on_behalf_of": office.asker.api() });
    client.with_key(&office.keys.request).post("/feeds", &new).await.problem(403);
    assert_eq!(
        client
            .post("/feeds", &json!({ "on_behalf_of": office.asker.api(), "role": "primary" }))
            .await
            .fields(),
        ["/area"]
    );
    let made = client.post("/feeds", &new).await.ok(201);
    let (id, address) = (made["id"].as_str().unwrap(), made["address"].as_str().unwrap());
    let token =
        address.strip_prefix("https://touban.example.jp/feeds/").unwrap().strip_suffix("/duty.ics").unwrap();
    let opened = office.app.feed_open(token).await.unwrap();
    assert!(matches!(opened, touban::app::rota::feeds::FeedOpened::Here(_)), "{opened:?}");
    let list = client.get(&format!("/feeds?member={}", office.asker.api())).await.ok(200);
    assert_eq!(list["items"][0]["id"], json!(id));
    assert!(!list.to_string().contains(token));

    let midori = add_association(&office.app, "midori", "緑市医師会").await;
    let theirs = client.with_key(&office.key_of(&midori, &Scope::ALL).await);
    theirs.get(&format!("/feeds?member={}", office.asker.api())).await.problem(404);
    theirs.post(&format!("/feeds/{id}/end"), &new).await.problem(404);
    assert_eq!(client.post(&format!("/feeds/{id}/end"), &new).await.status, 204);
    let opened = office.app.feed_open(token).await.unwrap();
    assert!(matches!(opened, touban::app::rota::feeds::FeedOpened::Gone), "{opened:?}");
}
