//! The first journey, by programs alone: asked, offered, taken, answered, closed, in the ledger.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use touban::seal::chain::{ChainRow, GENESIS, chain_hash};

use super::client::{Client, feed, question, report, survey};
use crate::support::{PIN, TestOffice, on_both};

on_both! {
    a_question_is_asked_taken_answered_closed_and_counted,
    a_replay_gives_the_same_answer_and_another_body_is_refused,
    the_same_key_at_the_same_moment_acts_once,
    of_five_hundred_who_say_yes_at_once_exactly_one_has_it with crate::support::ALL_AT_ONCE,
    a_wrong_pin_changes_nothing_but_the_counters,
    somebody_declines_holds_and_gives_back,
    a_request_taken_back_asks_nobody_any_more,
    a_list_is_read_page_by_page,
    a_member_leaves_once,
}

/// The offers of a request, by member.
async fn offers_of(client: &Client, request: &str) -> Vec<(String, String)> {
    let case = client.get(&format!("/requests/{request}")).await.ok(200);
    let offers = case["offers"].as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    offers.iter().map(|o| (text(&o["id"]), text(&o["member"]))).collect()
}

async fn a_question_is_asked_taken_answered_closed_and_counted(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);

    let said = client.post("/requests", &question(&office)).await;
    let asked = said.ok(201);
    let id = asked["id"].as_str().unwrap();
    assert_eq!(said.location, Some(format!("/api/v1/requests/{id}")));
    assert_eq!((asked["case_no"].as_str(), asked["state"].as_str()), (Some("R8-0001"), Some("open")));

    let offers = offers_of(&client, id).await;
    assert_eq!(offers.len(), 3, "three first");
    let (first, taker) = offers[0].clone();
    let listed = client.get(&format!("/offers?member={taker}")).await.ok(200);
    assert_eq!(listed["items"][0]["id"], first);
    let shown = client.get(&format!("/requests/{id}")).await;
    let text = String::from_utf8(shown.bytes).unwrap();
    assert!(!text.contains("壊死") && !text.contains("Y.H."), "{text}");

    let yes = json!({ "terms": "advice" });
    let accepted = client.post(&format!("/offers/{first}/accept"), &yes).await.ok(200);
    assert_eq!(
        accepted,
        json!({ "state": "accepted", "offer": first, "request": id, "member": taker, "held_until": null })
    );
    let late = client.post(&format!("/offers/{}/accept", offers[1].0), &yes).await;
    let (kind, body) = late.problem(409);
    assert_eq!(kind, "taken");
    assert_eq!(body["title"], "ほかの先生がお引き受けくださいました");
    assert!(body["detail"].as_str().unwrap().starts_with("ご返答ありがとうございます"));

    // Only the two doctors may read it, and each reading is a row.
    let opened = client.get(&format!("/requests/{id}/clinical?as={taker}")).await.ok(200);
    assert_eq!((opened["read_as"].as_str(), opened["patient_ref"].as_str()), (Some("taker"), Some("Y.H.")));
    assert!(!opened["blind_question"].as_str().unwrap().contains("83"), "{opened}");
    client.get(&format!("/requests/{id}/clinical?as={}", offers[1].1)).await.problem(404);
    let may_not = client.with_key(&office.keys.read);
    let (kind, body) = may_not.get(&format!("/requests/{id}/clinical?as={taker}")).await.problem(403);
    assert_eq!((kind.as_str(), body["scope"].as_str()), ("missing-scope", Some("read_clinical")));

    let complete = format!("/requests/{id}/complete");
    let path = format!("/requests/{id}/report");
    assert_eq!(client.post(&path, &report(&offers[1].1)).await.fields(), ["/on_behalf_of"]);
    let told = client.post(&path, &report(&taker)).await.ok(200);
    assert_eq!(told, json!({ "id": id, "state": "reported" }));
    let closed = client.post(&complete, &survey()).await.ok(200);
    assert_eq!(closed, json!({ "id": id, "state": "closed" }));
    let (kind, _) = client.post(&format!("/requests/{id}/cancel"), &json!({})).await.problem(409);
    assert_eq!(kind, "closed");

    let lines = client.get(&format!("/ledger/lines?request={id}")).await.ok(200);
    let lines = lines["items"].as_array().unwrap();
    let pay: BTreeSet<_> = lines
        .iter()
        .map(|l| {
            (
                l["side"].as_str().unwrap(),
                l["amount_yen"].as_i64().unwrap(),
                l["eligibility"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(pay, BTreeSet::from([("requester", 500, "eligible"), ("acceptor", 2_000, "eligible")]));
    assert_eq!(client.get("/ledger/lines").await.ok(200)["items"].as_array().unwrap().len(), 2);

    let (association, rows) = feed(&client).await;
    assert_eq!(association, office.association.as_str());
    let mut hash = GENESIS;
    for (i, row) in rows.iter().enumerate() {
        let text = |name: &str| row[name].as_str();
        let seq = row["seq"].as_i64().unwrap();
        assert_eq!(seq, i64::try_from(i).unwrap() + 1);
        let chained = ChainRow {
            association: &association,
            seq,
            at_ms: row["at_ms"].as_i64().unwrap(),
            actor: text("actor").unwrap(),
            on_behalf_of: text("on_behalf_of"),
            action: text("action").unwrap(),
            subject: text("subject").unwrap(),
            detail: text("detail").unwrap(),
        };
        hash = chain_hash(&hash, &chained);
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(text("hash"), Some(hex.as_str()), "row {seq}");
    }
    let stored = id.strip_prefix("req_").unwrap();
    let of_case: Vec<_> = rows
        .iter()
        .filter(|r| r["subject"] == format!("request:{stored}"))
        .map(|r| r["action"].as_str().unwrap())
        .collect();
    assert_eq!(of_case, ["request.ask", "offer.accept", "request.read", "request.report", "request.close"]);
    let accept = rows.iter().find(|r| r["action"] == "offer.accept").unwrap();
    assert!(accept["actor"].as_str().unwrap().starts_with("key:"));
    assert_eq!(accept["on_behalf_of"], format!("member:{}", taker.strip_prefix("mem_").unwrap()));
    let found = office.app.verify().await.unwrap();
    assert_eq!((found.problems, found.ledger_lines), (vec![], 2));
}

async fn a_replay_gives_the_same_answer_and_another_body_is_refused(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let body = question(&office);
    let first = client.post_once("/requests", "once-1", &body).await;
    assert!(first.status == 201 && !first.replayed);

    // Five days later the wished time is long past, the member has left; the answer is the same.
    let (offer, taker) = offers_of(&client, first.json()["id"].as_str().unwrap()).await[0].clone();
    let yes = json!({ "terms": "advice", "pin": PIN });
    let accept = format!("/offers/{offer}/accept");
    let accepted = client.post_once(&accept, "once-2", &yes).await;
    accepted.ok(200);
    office.clock.advance_s(5 * 86_400);
    let before = feed(&client).await.1.len();
    client.post(&format!("/members/{taker}/pin"), &json!({ "pin": "9876" })).await;
    for (path, once, body, first) in
        [("/requests", "once-1", &body, &first), (accept.as_str(), "once-2", &yes, &accepted)]
    {
        let again = client.post_once(path, once, body).await;
        assert_eq!((again.status, &again.bytes, again.replayed), (first.status, &first.bytes, true));
        assert_eq!(again.location, first.location);
        let mut other = body.clone();
        other["on_behalf_of"] = json!(office.dermatologists[0].api());
        other["pin"] = json!("4321");
        let mut other_pin = body.clone();
        other_pin["pin"] = json!("4321");
        if path == "/requests" {
            other.as_object_mut().unwrap().remove("pin");
            other_pin["consult"]["question"] = json!("別の質問");
            other_pin.as_object_mut().unwrap().remove("pin");
        } else {
            other.as_object_mut().unwrap().remove("on_behalf_of");
        }
        for changed in [other, other_pin] {
            let (kind, _) = client.post_once(path, once, &changed).await.problem(422);
            assert_eq!(kind, "idempotency-key-reused");
        }
    }
    // The same key on another address is another body; with another API key it is another key.
    let (kind, _) = client.post_once("/institutions", "once-1", &clinic("別の医院")).await.problem(422);
    assert_eq!(kind, "idempotency-key-reused");
    let other = office.key_of(&office.association, &touban::app::access::Scope::ALL).await;
    client.with_key(&other).post_once("/institutions", "once-1", &clinic("別の医院")).await.ok(201);
    let added = feed(&client).await.1.len() - before;
    assert_eq!(added, 3, "the PIN, the other key, its institution; no replay");

    // A refusal is remembered too: what was taken stays taken in the replay.
    let lost = offers_of(&client, first.json()["id"].as_str().unwrap()).await[1].0.clone();
    let path = format!("/offers/{lost}/accept");
    let told = client.post_once(&path, "once-3", &json!({ "terms": "advice" })).await;
    assert!(told.status >= 400, "{told:?}");
    let again = client.post_once(&path, "once-3", &json!({ "terms": "advice" })).await;
    assert_eq!((again.status, again.bytes, again.replayed), (told.status, told.bytes, true));
}

fn clinic(name: &str) -> Value {
    json!({ "name": name, "kind": "clinic", "area": "青葉南" })
}

async fn the_same_key_at_the_same_moment_acts_once(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let body = question(&office);
    let said = join_all((0..12).map(|_| client.post_once("/requests", "double-tap", &body))).await;
    let bytes: BTreeSet<_> = said.iter().map(|s| (s.status, s.bytes.clone())).collect();
    assert_eq!(bytes.len(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|s| !s.replayed).count(), 1);
    assert_eq!(client.get("/requests").await.ok(200)["items"].as_array().unwrap().len(), 1);
}

async fn of_five_hundred_who_say_yes_at_once_exactly_one_has_it(office: TestOffice) {
    for n in 0..497 {
        office.add_dermatologist(&format!("協力医{n}")).await;
    }
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let id = client.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned();
    let offers = offers_of(&client, &id).await;
    assert_eq!(offers.len(), 500);

    let yes = json!({ "terms": "advice" });
    let began = std::time::Instant::now();
    let said = join_all(offers.iter().map(async |(offer, member)| {
        let once = format!("yes-{member}");
        client.post_once(&format!("/offers/{offer}/accept"), &once, &yes).await
    }))
    .await;
    println!("500 answers in {:?}", began.elapsed());
    let accepted: Vec<_> = said.iter().filter(|s| s.status == 200).collect();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].json()["state"], "accepted");
    let taken = said.iter().filter(|s| s.status == 409 && s.problem(409).0 == "taken").count();
    assert_eq!(taken, 499);

    let member = accepted[0].json()["member"].as_str().unwrap().to_owned();
    client.post(&format!("/requests/{id}/report"), &report(&member)).await.ok(200);
    client.post(&format!("/requests/{id}/complete"), &survey()).await.ok(200);
    let lines = client.get("/ledger/lines").await.ok(200);
    let sides: Vec<_> = lines["items"].as_array().unwrap().iter().map(|l| l["side"].clone()).collect();
    assert_eq!(sides.len(), 2);
    assert!(sides.contains(&json!("requester")) && sides.contains(&json!("acceptor")));
    assert_eq!(office.app.verify().await.unwrap().problems, Vec::<String>::new());
}

async fn a_wrong_pin_changes_nothing_but_the_counters(office: TestOffice) {
    let served = office.serve().await;
    // May read and ask, not act for others: the PIN is the proof.
    let client = Client::new(&served, &office.keys.request);
    let id = client.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned();
    let (offer, member) = offers_of(&client, &id).await[0].clone();
    let accept = format!("/offers/{offer}/accept");
    assert_eq!(client.post(&accept, &json!({ "terms": "advice" })).await.problem(403).0, "pin-required");
    let before = client.get(&format!("/requests/{id}")).await.bytes;
    for _ in 0..2 {
        let wrong = json!({ "terms": "advice", "pin": "9999" });
        assert_eq!(client.post_once(&accept, "try", &wrong).await.problem(403).0, "pin-wrong");
    }
    let malformed = json!({ "terms": "advice", "pin": "12a4" });
    assert_eq!(client.post(&accept, &malformed).await.fields(), ["/pin"]);
    assert_eq!(client.get(&format!("/requests/{id}")).await.bytes, before);
    let stored = touban::ids::MemberId::from_api(&member).unwrap();
    assert_eq!(office.app.member(&office.association, &stored).await.unwrap().pin_failures, 2);

    // The same Idempotency-Key with the right PIN: nothing was done under it yet.
    let right = json!({ "terms": "advice", "pin": PIN });
    assert_eq!(client.post_once(&accept, "try", &right).await.ok(200)["state"], "accepted");
    assert_eq!(office.app.member(&office.association, &stored).await.unwrap().pin_failures, 0);

    // Ten in a row and even the right one no longer counts.
    let other = offers_of(&client, &id).await[1].0.clone();
    let other = format!("/offers/{other}/decline");
    for _ in 0..10 {
        assert_eq!(client.post(&other, &json!({ "pin": "0000" })).await.problem(403).0, "pin-wrong");
        office.clock.advance_s(60);
    }
    assert_eq!(client.post(&other, &json!({ "pin": PIN })).await.problem(403).0, "pin-locked");
    // And guessing without waiting is slowed down.
    let guess = json!({ "pin": "0000" });
    let tries = join_all((0..12).map(|_| client.post(&other, &guess))).await;
    assert!(tries.iter().any(|t| t.status == 429 && t.problem(429).0 == "too-many-requests"));
}

async fn somebody_declines_holds_and_gives_back(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let id = client.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned();
    let mut offers = offers_of(&client, &id).await;
    // The one who does not visit is the last.
    offers.sort_by_key(|(_, member)| *member == office.dermatologists[2].api());
    let to = |n: usize, what: &str| format!("/offers/{}/{what}", offers[n].0);
    let yes = json!({ "terms": "advice" });

    let no = client.post(&to(0, "decline"), &json!({ "reason": "schedule" })).await.ok(200);
    assert_eq!(no["state"], "declined");
    assert_eq!(client.post(&to(0, "decline"), &json!({ "reason": "rain" })).await.fields(), ["/reason"]);
    assert_eq!(client.post(&to(0, "accept"), &yes).await.problem(409).0, "answered-before");

    let held = client.post(&to(1, "hold"), &json!({})).await.ok(200);
    assert_eq!(held["held_until"], "2026-11-20T01:30:00.000Z");
    let visit = client.post(&to(2, "accept"), &json!({ "terms": "visit" })).await;
    let (kind, body) = visit.problem(409);
    assert_eq!((kind.as_str(), body["reason"].as_str()), ("refused-by-rule", Some("no_visits")));

    assert_eq!(client.post(&to(1, "release"), &json!({})).await.problem(409).0, "conflict");
    client.post(&to(1, "accept"), &yes).await.ok(200);
    // No body at all is the same as an empty one.
    let back = client.send(reqwest::Method::POST, &to(1, "release"), &[], None).await;
    assert_eq!(back.ok(200)["state"], "released");
    client.post(&to(2, "accept"), &yes).await.ok(200);
    office.clock.advance_s(40 * 86_400);
    assert_eq!(client.get(&format!("/offers/{}", offers[2].0)).await.ok(200)["state"], "accepted");
}

async fn a_request_taken_back_asks_nobody_any_more(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let ask = async || {
        client.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned()
    };
    let (mine, office_s) = (ask().await, ask().await);
    let offer = offers_of(&client, &mine).await[0].0.clone();
    let gone = client.post(&format!("/requests/{mine}/cancel"), &json!({})).await.ok(200);
    assert_eq!(gone, json!({ "id": mine, "state": "withdrawn", "in_flight": 0 }));
    let late = client.post(&format!("/offers/{offer}/accept"), &json!({ "terms": "advice" })).await;
    assert_eq!(late.problem(409).0, "closed");

    let cancel = format!("/requests/{office_s}/cancel");
    let stranger = json!({ "on_behalf_of": office.dermatologists[0].api() });
    assert_eq!(client.post(&cancel, &stranger).await.fields(), ["/on_behalf_of"]);
    client.post(&cancel, &json!({ "on_behalf_of": office.clerk.api() })).await.ok(200);
    let withdrawn = client.get("/requests?state=withdrawn").await.ok(200);
    assert_eq!(withdrawn["items"].as_array().unwrap().len(), 2);
    assert_eq!(client.get("/requests?state=open").await.ok(200)["items"], json!([]));
    assert_eq!(client.get("/requests?state=lost").await.fields(), ["/state"]);
}

async fn a_list_is_read_page_by_page(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let all = client.get("/members").await.ok(200);
    assert_eq!(all["next"], Value::Null);
    let (mut seen, mut path) = (Vec::new(), "/members?limit=2".to_owned());
    loop {
        let page = client.get(&path).await.ok(200);
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()));
        seen.extend(items.iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/members?limit=2&after={next}");
    }
    assert_eq!(all["items"], json!(seen));
    for (path, field) in [
        ("/members?limit=0", "/limit"),
        ("/members?limit=501", "/limit"),
        ("/members?limit=ten", "/limit"),
        ("/members?after=ins_00000000000000000000000000", "/after"),
        ("/members?sort=name", "/sort"),
        ("/events?after=-1", "/after"),
        ("/offers?member=x", "/member"),
    ] {
        assert_eq!(client.get(path).await.fields(), [field], "{path}");
    }
}

async fn a_member_leaves_once(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let new = json!({
        "name": "新しい 会員", "institution": office.clinic.api(), "roles": ["physician"], "pin": "2468",
        "email": "new@aoba.example.jp", "phone": "050-0000-2000",
    });
    let made = client.post_once("/members", "m1", &new).await;
    let id = made.ok(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(client.post_once("/members", "m1", &new).await.bytes, made.bytes);
    let shown = client.get(&format!("/members/{id}")).await;
    let text = String::from_utf8(shown.bytes.clone()).unwrap();
    assert!(!text.contains("2468") && !text.contains("2000") && !text.contains("argon"), "{text}");
    assert_eq!(shown.ok(200)["pin_set"], true);

    // Changed from what was read: what is not named stays, numbers are never told, the late one is refused.
    let change = format!("/members/{id}/change");
    let new = json!({
        "revision": 0, "member_no": "A-7", "fax": "050-0000-3000", "roles": ["physician", "administrator"],
        "profile": { "ways": ["fax", "mail"], "phone_only": true },
    });
    assert_eq!(client.post_once(&change, "c1", &new).await.status, 204);
    assert!(client.post_once(&change, "c1", &new).await.replayed);
    let shown = client.get(&format!("/members/{id}")).await;
    assert!(!String::from_utf8(shown.bytes.clone()).unwrap().contains("3000"));
    let shown = shown.ok(200);
    assert_eq!(
        (&shown["member_no"], &shown["revision"], &shown["name"]),
        (&json!("A-7"), &json!(1), &json!("新しい 会員"))
    );
    assert_eq!(
        (&shown["roles"], &shown["profile"]["ways"]),
        (&json!(["physician"]), &json!(["fax", "mail"]))
    );
    assert_eq!(
        client.post(&change, &json!({ "revision": 0, "name": "遅い" })).await.problem(409).0,
        "conflict"
    );
    assert_eq!(client.post(&change, &json!({ "revision": 1, "email": "none" })).await.fields(), ["/email"]);
    let reach = client.get(&format!("/members/{id}/reach")).await.ok(200);
    assert_eq!(
        (&reach["mail"], &reach["next"], &reach["has_fax"]),
        (&json!("unknown"), &json!("send_test"), &json!(true))
    );

    let leave = format!("/members/{id}/leave");
    let gone = client.post_once(&leave, "l1", &json!({})).await;
    assert_eq!((gone.status, gone.bytes.len()), (204, 0));
    let again = client.post_once(&leave, "l1", &json!({})).await;
    assert_eq!((again.status, again.replayed), (204, true));
    assert_eq!(client.post(&leave, &json!({})).await.problem(409).0, "conflict");
    assert!(client.get(&format!("/members/{id}")).await.ok(200)["left_at"].is_string());
    // Whoever left cannot ask.
    let mut ask = question(&office);
    ask["on_behalf_of"] = json!(id);
    assert_eq!(client.post("/requests", &ask).await.fields(), ["/on_behalf_of"]);
}
