//! The description and the router say the same.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use crate::support::TestOffice;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[tokio::test]
async fn every_described_operation_wants_a_key_and_nothing_undescribed_answers() {
    let office = TestOffice::sqlite().await;
    let served = office.serve().await;
    let client = Client::new(&served, "");
    let said = client.get("/openapi.json").await;
    assert_eq!(said.content_type, "application/json");
    let api = said.ok(200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"), "{}", api["openapi"]);
    assert_eq!(api["components"]["securitySchemes"]["key"]["scheme"], "bearer");

    let mut described = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap();
        let real = path.replace("{id}", "req_00000000000000000000000000");
        for method in METHODS {
            let send = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let body = (method != "get").then(|| b"{}".to_vec());
            let said = client.send(send, &real, &[], body).await;
            match item.get(method) {
                Some(_) if path == "/openapi.json" => assert_eq!(said.status, 200),
                Some(operation) => {
                    assert_eq!(said.problem(401).0, "unauthenticated", "{method} {path}");
                    assert!(operation["security"][0]["key"].is_array(), "{method} {path}");
                    assert!(operation["summary"].is_string() && operation["tags"][0].is_string());
                    let takes_key = operation["parameters"]
                        .as_array()
                        .is_some_and(|all| all.iter().any(|p| p["name"] == "Idempotency-Key"));
                    assert_eq!(takes_key, method == "post", "{method} {path}");
                    described.insert(format!("{method} {path}"));
                }
                None => assert_eq!(said.problem(405).0, "method-not-allowed", "{method} {path}"),
            }
        }
    }
    assert_eq!(described, super::access::listed(), "docs/access.md lists every operation");
    assert_eq!(client.get("/nothing").await.problem(404).0, "not-found");
}

#[test]
fn the_router_is_built_from_the_description_alone() {
    // axum does not list its routes; what could add one past the description is the name of a method.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/api");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            for past in [".route(", ".route_service(", ".nest_service(", ".fallback"] {
                assert!(!text.contains(past), "{past} in {}", path.display());
            }
        }
    }
    assert!(files > 5);
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let api: Value = serde_json::from_str(touban::web::api::v1::description()).unwrap();
    let mut open = vec![&api];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let pointer = to.strip_prefix('#').unwrap();
                    assert!(api.pointer(pointer).is_some(), "{to}");
                    references += 1;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(references > 50, "{references}");
}
