//! Two associations in one database: nothing of one is seen, found or changed by the other.

use serde_json::json;
use touban::app::access::Scope;

use super::client::{Client, question};
use crate::support::{TestOffice, add_association, on_both};

on_both! { what_belongs_to_another_association_is_not_there }

async fn what_belongs_to_another_association_is_not_there(office: TestOffice) {
    let served = office.serve().await;
    let ours = Client::new(&served, &office.keys.all);
    let id = ours.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned();
    let case = ours.get(&format!("/requests/{id}")).await.ok(200);
    let offer = case["offers"][0]["id"].as_str().unwrap().to_owned();
    let member = office.asker.api();
    let clinic = office.clinic.api();

    let midori = add_association(&office.app, "midori", "緑市医師会").await;
    let theirs = ours.with_key(&office.key_of(&midori, &Scope::ALL).await);
    let reads = [
        (format!("/requests/{id}"), "req"),
        (format!("/requests/{id}/clinical?as={member}"), "req"),
        (format!("/offers/{offer}"), "ofr"),
        (format!("/members/{member}"), "mem"),
        (format!("/institutions/{clinic}"), "ins"),
    ];
    for (path, _) in &reads {
        assert_eq!(ours.get(path).await.status, 200, "{path}");
    }
    let before = ours.get("/events?limit=500").await.json();
    for (path, prefix) in &reads {
        // Foreign, never made, and no id at all: the same bytes.
        let foreign = theirs.get(path).await;
        foreign.problem(404);
        let nowhere: String = path.replacen(
            [&id, &offer, &member, &clinic].into_iter().find(|i| i.starts_with(prefix)).unwrap().as_str(),
            &format!("{prefix}_00000000000000000000000000"),
            1,
        );
        assert_eq!(theirs.get(&nowhere).await, foreign, "{nowhere}");
        assert_eq!(theirs.get(&nowhere.replace("_000", "_zzz")).await, foreign, "{nowhere}");
    }
    let yes = json!({ "terms": "advice" });
    let pin = json!({ "terms": "advice", "pin": "1234" });
    let told = super::client::report(&member);
    for (path, body) in [
        (format!("/offers/{offer}/accept"), &yes),
        (format!("/offers/{offer}/accept"), &pin),
        (format!("/offers/{offer}/decline"), &json!({})),
        (format!("/requests/{id}/cancel"), &json!({})),
        (format!("/requests/{id}/report"), &told),
        (format!("/requests/{id}/complete"), &json!({})),
        (format!("/members/{member}/leave"), &json!({})),
        (format!("/members/{member}/pin"), &json!({ "pin": "1111" })),
    ] {
        theirs.post(&path, body).await.problem(404);
    }
    for list in ["/requests", "/offers", "/members", "/institutions", "/alarms", "/ledger/lines"] {
        assert_eq!(theirs.get(list).await.ok(200), json!({ "items": [], "next": null }), "{list}");
    }
    assert_eq!(theirs.get(&format!("/offers?member={member}")).await.ok(200)["items"], json!([]));
    // A request in the name of somebody of ours, at an institution of ours.
    assert_eq!(theirs.post("/requests", &question(&office)).await.status, 422);
    let planted = json!({ "name": "だれか", "roles": ["physician"], "institution": clinic });
    assert_eq!(theirs.post("/members", &planted).await.fields(), ["/institution"]);
    assert_eq!(ours.get("/events?limit=500").await.json(), before);
    let rows = theirs.get("/events").await.ok(200);
    let actions: Vec<_> = rows["items"].as_array().unwrap().iter().map(|r| r["action"].clone()).collect();
    assert_eq!(actions, ["association.add", "key.add"]);
}
