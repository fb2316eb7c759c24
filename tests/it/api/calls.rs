//! Urgent calls by programs: begun, listed, read, looked after. The phones themselves are in `calls` and `phone`.

use reqwest::Method;
use serde_json::json;
use touban::app::access::Scope;
use touban::app::call::settings::{CallSettings, InstitutionCalls};
use touban::app::people::NewMember;
use touban::domain::call::number::{Reading, read};
use touban::domain::people::Role;
use touban::ids::CallId;
use touban::seal::Pin;

use super::client::Client;
use crate::support::{PIN, TestOffice, add_association, add_institution, new_member, on_both};

on_both! { a_program_begins_a_call_follows_it_and_looks_after_it }

async fn a_program_begins_a_call_follows_it_and_looks_after_it(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let app = &office.app;
    let begin = json!({ "asker": office.asker.api(), "clinic": office.clinic.api() });
    // Neither a number of ours nor a phone of the asker's.
    assert_eq!(client.post("/calls", &begin).await.fields(), ["/asker"]);
    let Reading::Number(night) = read("042-000-0099") else { panic!("not a number") };
    let mut settings = CallSettings { numbers: vec![night], ..CallSettings::default() };
    let own = InstitutionCalls { own_line: true, ..InstitutionCalls::default() };
    settings.institutions.insert(office.clinic.clone(), own);
    app.call_settings_put(&office.cli(), 0, settings).await.unwrap();
    assert_eq!(client.post("/calls", &begin).await.fields(), ["/asker"]);

    let member = async |name: &str, phone: &str, institution| {
        let new = NewMember {
            phone: Some(phone.to_owned()),
            ..new_member(name, institution, Role::Physician, vec![])
        };
        app.member_add(&office.cli(), new, None, None).await.unwrap().into_inner()
    };
    let elsewhere = add_institution(app, &office.association, "別の医院").await;
    let asker = member("頼む 四", "090-0000-0004", &elsewhere).await;
    let doctor = member("自院 一", "090-0000-0001", &office.clinic).await;
    let begin = json!({ "asker": asker.api(), "clinic": office.clinic.api() });
    let nowhere = json!({ "asker": asker.api(), "clinic": "ins_00000000000000000000000000" });
    assert_eq!(client.post("/calls", &nowhere).await.fields(), ["/clinic"]);
    let reader = client.with_key(&office.keys.read);
    reader.post("/calls", &begin).await.problem(403);
    let said = client.post("/calls", &begin).await;
    let begun = said.ok(201);
    let id = begun["id"].as_str().unwrap().to_owned();
    assert_eq!(said.location, Some(format!("/api/v1/calls/{id}")));

    let call = reader.get(&format!("/calls/{id}")).await.ok(200);
    assert_eq!((call["kind"].as_str(), call["stage"].as_str()), (Some("web"), Some("ringing")), "{call}");
    assert_eq!((&call["asker"], &call["taker"]), (&json!(asker.api()), &json!(null)));
    let rung: Vec<_> = call["legs"].as_array().unwrap().iter().map(|l| l["member"].clone()).collect();
    assert!(rung.contains(&json!(doctor.api())), "{call}");
    assert_eq!(client.get("/calls").await.ok(200)["items"].as_array().unwrap().len(), 1);
    for secret in ["0900000", "+8190", "042000"] {
        assert!(!call.to_string().contains(secret), "{call}");
    }

    // Somebody whom no plan names, beside the one who rings already.
    let new = NewMember {
        phone: Some("090-0000-0005".to_owned()),
        ..new_member("応援 五", &elsewhere, Role::Physician, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    let helper = app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let ring = format!("/calls/{id}/ring");
    let rings = async |person: &str| {
        let call = reader.get(&format!("/calls/{id}")).await.ok(200);
        call["legs"].as_array().unwrap().iter().filter(|l| l["member"] == *person).count()
    };
    reader.post(&ring, &json!({ "person": helper.api() })).await.problem(403);
    // Nobody of ours, and one without a PIN, who could not take it.
    for nobody in ["mem_00000000000000000000000000", doctor.api().as_str()] {
        assert_eq!(client.post(&ring, &json!({ "person": nobody })).await.fields(), ["/person"]);
    }
    assert_eq!(client.post(&ring, &json!({})).await.fields(), ["/person"]);
    assert_eq!(rings(&helper.api()).await, 0);
    let body = json!({ "person": helper.api() }).to_string().into_bytes();
    for replayed in [false, true] {
        let key = [("idempotency-key", "ring-1")];
        let said = client.send(Method::POST, &ring, &key, Some(body.clone())).await;
        assert_eq!((said.status, said.replayed), (204, replayed));
        assert_eq!(rings(&helper.api()).await, 1);
    }
    let other = json!({ "person": doctor.api() }).to_string().into_bytes();
    let said = client.send(Method::POST, &ring, &[("idempotency-key", "ring-1")], Some(other)).await;
    assert_eq!(said.problem(422).0, "idempotency-key-reused");

    let report = json!({ "outcome": "phone_only" });
    client.post(&format!("/calls/{id}/report"), &report).await.problem(409);
    assert_eq!(client.post(&format!("/calls/{id}/acknowledge"), &json!({})).await.status, 204);
    assert_eq!(reader.get(&format!("/calls/{id}")).await.ok(200)["outcome"], json!(null), "it stays open");

    let midori = add_association(app, "midori", "緑市医師会").await;
    let theirs = client.with_key(&office.key_of(&midori, &Scope::ALL).await);
    theirs.get(&format!("/calls/{id}")).await.problem(404);
    theirs.post(&format!("/calls/{id}/acknowledge"), &json!({})).await.problem(404);
    theirs.post(&format!("/calls/{id}/report"), &report).await.problem(404);
    theirs.post(&ring, &json!({ "person": helper.api() })).await.problem(404);
    assert_eq!(theirs.get("/calls").await.ok(200)["items"], json!([]));

    app.call_close(&office.cli(), &CallId::from_api(&id).unwrap()).await.unwrap();
    let late = client.post(&ring, &json!({ "person": helper.api() })).await;
    assert_eq!(late.problem(409).0, "closed");
    assert_eq!(rings(&helper.api()).await, 1);
}
