//! The rota over the API, and that every way of asking gives the same answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use touban::app::rota::changes::NewOverride;
use touban::app::rota::publish::Breaches;
use touban::domain::rota::{Holder, Leg, RotaRole};
use touban::ids::MemberId;
use touban::time::{Millis, Window};

use super::agree::{Way, all_agree, instants, stretches};
use super::{area, at, december, office, physicians};
use crate::api::client::Client;
use crate::support::{TestOffice, on_both};

on_both! {
    every_way_of_asking_names_the_same_people,
    a_rota_is_read_in_asked_changed_and_refused_over_the_api,
    what_cannot_be_understood_is_said_and_changes_nothing,
}

const ROLES: [RotaRole; 2] = [RotaRole::Primary, RotaRole::Deputy];

/// The people of one answer of `/duty`.
fn people(item: &Value) -> BTreeSet<MemberId> {
    let people = item["people"].as_array().unwrap();
    people.iter().map(|p| MemberId::from_api(p["member"].as_str().unwrap()).unwrap()).collect()
}

/// A published month with an override in it, a swap, and an earlier moment to ask as of.
async fn lived_in(office: &TestOffice) -> Millis {
    let who = self::office(office);
    physicians(office).await;
    let (draft, revision) = december(office).await;
    office.app.rota_publish(&who, &draft, revision, (Breaches::Forbid, ""), None).await.unwrap();
    let known = office.app.now();
    office.clock.advance_s(3_600);
    let all = office.app.rota_world(&office.association).await.unwrap().people();
    let holder = |n: usize| Holder { person: all[n].id.clone(), institution: all[n].institution.clone() };
    let night = at("2026-12-15T23:00:00+09:00");
    let part =
        office.app.rota_who(&office.association, &area(), RotaRole::Primary, night, None).await.unwrap();
    let giver = part.people().pop().unwrap();
    let taker = (0..all.len()).map(holder).find(|h| h.person != giver.person).unwrap();
    let leg = Leg { area: area(), role: RotaRole::Primary, window: part.window, giver: giver.person, taker };
    office.app.rota_swap_told(&who, vec![leg], None).await.unwrap().1.unwrap();
    for (day, person) in [("2026-12-18", Some(2)), ("2026-12-20", None)] {
        let from = at(&format!("{day}T20:00:00+09:00"));
        let new = NewOverride {
            area: area(),
            role: RotaRole::Deputy,
            window: Window { from, to: from.plus_s(5_400) },
            person: person.map(|n: usize| all[n].id.clone()),
            institution: None,
            reason: String::new(),
            recorded_at: None,
        };
        office.app.rota_override_add(&who, new, None).await.unwrap();
    }
    known
}

async fn every_way_of_asking_names_the_same_people(office: TestOffice) {
    let known = lived_in(&office).await;
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.read);
    let (app, home) = (&office.app, &office.association);
    let month = Window { from: at("2026-12-01T00:00:00+09:00"), to: at("2027-01-01T00:00:00+09:00") };
    for as_of in [None, Some(known), Some(known.plus_s(-1))] {
        let laid = app.rota_laid(home, month.from).await.unwrap();
        let timeline = laid.as_of(as_of);
        let who = Way::new("who", |role, at| {
            timeline.who(&area(), role, at).people().into_iter().map(|h| h.person).collect()
        });
        let mut expanded = Vec::new();
        let mut by_api = Vec::new();
        let asked = as_of.map(|at| format!("&as_of={}", at.rfc3339())).unwrap_or_default();
        let window = format!("from={}&to={}{asked}", month.from.rfc3339(), month.to.rfc3339());
        let segments = client.get(&format!("/duty/segments?{window}")).await.ok(200);
        for role in ROLES {
            let found = app.rota_expand(home, &area(), role, month, as_of).await.unwrap();
            expanded.extend(stretches(role, &found));
        }
        for item in segments["items"].as_array().unwrap() {
            let role = RotaRole::from_code(item["role"].as_str().unwrap()).unwrap();
            let edge = |name: &str| at(item[name].as_str().unwrap());
            by_api.push((role, Window { from: edge("from"), to: edge("to") }, people(item)));
        }
        let ways =
            [who, Way::of_stretches("expansion", expanded), Way::of_stretches("segments by API", by_api)];
        let moments = instants(month, 10_000, 7);
        all_agree(&ways, &moments);
        // One at a time, through the whole of the program, and on the board.
        for moment in moments.iter().step_by(100) {
            let duty = client.get(&format!("/duty?at={}{asked}", moment.rfc3339())).await.ok(200);
            for item in duty["items"].as_array().unwrap() {
                let role = RotaRole::from_code(item["role"].as_str().unwrap()).unwrap();
                let part = app.rota_who(home, &area(), role, *moment, as_of).await.unwrap();
                let said: BTreeSet<MemberId> = part.people().into_iter().map(|h| h.person).collect();
                assert_eq!(people(item), said, "{moment}");
                assert_eq!(said, (ways[0].who)(role, *moment), "{moment}");
            }
            if as_of.is_none() {
                let board = app.rota_board(home, *moment).await.unwrap();
                for on in &board.areas[0].roles {
                    let said: BTreeSet<MemberId> = on.now.people().into_iter().map(|h| h.person).collect();
                    assert_eq!(said, (ways[0].who)(on.role, *moment), "{moment}");
                }
            }
        }
    }
}

async fn a_rota_is_read_in_asked_changed_and_refused_over_the_api(office: TestOffice) {
    physicians(&office).await;
    let (draft, revision) = december(&office).await;
    let view = office.app.rota_draft(&office.association, &draft).await.unwrap();
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let duties: Vec<Value> = view
        .duties
        .iter()
        .map(|d| {
            json!({
                "slot": d.slot.to_string(), "role": d.role.code(), "from": d.window.from.rfc3339(),
                "to": d.window.to.rfc3339(), "member": d.holder.person.api(),
                "institution": d.holder.institution.api(),
            })
        })
        .collect();
    let rota = |duties: &[Value]| {
        json!({
            "area": "all", "from": "2026-12-01T00:00:00+09:00", "to": "2027-01-01T00:00:00+09:00",
            "assignments": duties,
        })
    };
    let made = client.post_once("/rotas", "k1", &rota(&duties)).await;
    assert_eq!(
        made.location.as_deref(),
        Some(format!("/api/v1/rotas/{}", made.ok(201)["id"].as_str().unwrap()).as_str())
    );
    // The same again is the same; nothing is published twice.
    let again = client.post_once("/rotas", "k1", &rota(&duties)).await;
    assert!(again.replayed && again.json()["id"] == made.json()["id"]);
    let listed = client.get("/rotas").await.ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let whole = client.get(&format!("/rotas/{}", made.json()["id"].as_str().unwrap())).await.ok(200);
    assert_eq!(whole["assignments"].as_array().unwrap().len(), duties.len());

    // One duty twice overlaps with itself under another name: refused, whatever is accepted.
    let mut twice = duties.clone();
    let mut other = duties[0].clone();
    other["member"] = duties.iter().map(|d| &d["member"]).find(|m| **m != other["member"]).unwrap().clone();
    twice.push(other);
    let mut refused = rota(&twice);
    refused["breaches"] = json!("accept");
    let (kind, body) = client.post("/rotas", &refused).await.problem(409);
    assert_eq!((kind.as_str(), body["reason"].as_str()), ("refused-by-rule", Some("role_held_twice")));

    // Somebody is put on, and taken back.
    let duty = |at: &str| {
        let path = format!("/duty?at={at}&role=primary");
        let client = client.clone();
        async move { client.get(&path).await.ok(200)["items"][0].clone() }
    };
    let before = duty("2026-12-10T14:30:00Z").await;
    assert_eq!(before["standing"], "one");
    let nobody = json!({
        "area": "all", "role": "primary", "from": "2026-12-10T14:00:00Z", "to": "2026-12-10T15:00:00Z",
    });
    let change = client.post("/duty/overrides", &nobody).await.ok(201);
    let emptied = duty("2026-12-10T14:30:00Z").await;
    assert_eq!((&emptied["standing"], &emptied["gap"]), (&json!("gap"), &json!("emptied")));
    let holes = client.get("/duty/holes?from=2026-12-10T00:00:00Z&to=2026-12-11T00:00:00Z").await.ok(200);
    assert_eq!(holes["items"].as_array().unwrap().len(), 1);
    let withdraw = format!("/duty/overrides/{}/withdraw", change["id"].as_str().unwrap());
    assert_eq!(client.post(&withdraw, &json!({})).await.status, 204);
    assert_eq!(client.post(&withdraw, &json!({})).await.problem(409).0, "conflict");
    assert_eq!(duty("2026-12-10T14:30:00Z").await["people"], before["people"]);

    // Counts: the points of all are shared out without remainder.
    let tallies = client.get("/duty/tallies?first=2026-12-01&last=2026-12-31").await.ok(200);
    let sum = |field: &str| -> i64 {
        tallies["items"].as_array().unwrap().iter().map(|t| t[field].as_i64().unwrap()).sum()
    };
    assert!(sum("points") > 0);
    assert_eq!(sum("points"), sum("fair_share"));

    // The draft was published by another road meanwhile; publishing it replaces that, once.
    let publish = json!({ "draft": draft.api(), "revision": revision });
    client.post("/rotas/publish", &publish).await.ok(201);
    assert_eq!(client.post("/rotas/publish", &publish).await.problem(409).0, "conflict");
}

async fn what_cannot_be_understood_is_said_and_changes_nothing(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let asked = BTreeMap::from([
        ("/duty?at=yesterday", "/at"),
        ("/duty?area=nowhere", "/area"),
        ("/duty?role=boss", "/role"),
        ("/duty?as_of=2026-13-01T00:00:00Z", "/as_of"),
        ("/duty/segments?from=2026-12-02T00:00:00Z&to=2026-12-02T00:00:00Z", "/to"),
        ("/duty/segments?from=2026-12-02T00:00:00Z&to=2030-12-02T00:00:00Z", "/to"),
        ("/duty/holes?from=2026-12-02T00:00:00Z&to=2026-12-01T00:00:00Z", "/to"),
        ("/duty/tallies?first=2026-12-02&last=2026-12-01", "/last"),
        ("/duty/tallies?first=2026-2-3&last=2026-12-01", "/first"),
    ]);
    for (path, field) in asked {
        assert_eq!(client.get(path).await.fields(), [field], "{path}");
    }
    let override_with = |field: &str, value: Value| {
        let mut body = json!({
            "area": "all", "role": "primary", "from": "2026-12-10T14:00:00Z", "to": "2026-12-10T15:00:00Z",
        });
        body[field] = value;
        body
    };
    for (field, value) in [
        ("area", json!("nowhere")),
        ("role", json!("boss")),
        ("to", json!("2026-12-10T14:00:00Z")),
        ("member", json!(office.clerk.api())),
        ("recorded_at", json!("2036-12-10T14:00:00Z")),
        ("reason", json!("x".repeat(20_000))),
    ] {
        let said = client.post("/duty/overrides", &override_with(field, value)).await;
        assert_eq!(said.fields(), [format!("/{field}")]);
    }
    let stranger = json!({
        "area": "all", "from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z",
        "assignments": [{
            "slot": "2026-12-01/wn", "role": "primary", "from": "2026-12-01T09:00:00Z",
            "to": "2026-12-01T23:00:00Z", "member": "mem_00000000000000000000000001",
            "institution": office.clinic.api(),
        }],
    });
    assert_eq!(client.post("/rotas", &stranger).await.fields(), ["/assignments"]);
    assert!(client.get("/rotas").await.ok(200)["items"].as_array().unwrap().is_empty());
    assert!(client.get("/duty/overrides").await.ok(200)["items"].as_array().unwrap().is_empty());
}
