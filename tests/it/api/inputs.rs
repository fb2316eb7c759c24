//! What cannot be taken as it is: clear words in both languages, and no row anywhere.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, question};
use crate::support::{TestOffice, on_both};

on_both! { what_cannot_be_taken_is_said_clearly_and_leaves_no_trace, only_a_good_key_is_a_key }

/// The question with one member of `consult` changed.
fn with(office: &TestOffice, member: &str, value: Value) -> Value {
    let mut body = question(office);
    body["consult"][member] = value;
    body
}

async fn what_cannot_be_taken_is_said_clearly_and_leaves_no_trace(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.all);
    let (_, before) = super::client::feed(&client).await;
    let without = |member: &str| {
        let mut body = question(&office);
        body["consult"].as_object_mut().unwrap().remove(member);
        body
    };
    let mut kind_to_come = question(&office);
    kind_to_come["kind"] = json!("cover");
    let mut nobody = question(&office);
    nobody["on_behalf_of"] = json!("mem_00000000000000000000000000");
    let mut no_id = question(&office);
    no_id["on_behalf_of"] = json!(office.asker.as_str());
    let mut extra = question(&office);
    extra["urgent"] = json!(true);
    let cases = [
        (with(&office, "question", json!("a\0b")), "/consult/question", "NUL", "NUL"),
        (
            with(&office, "question", json!("abc\u{202E}fdp")),
            "/consult/question",
            "使えない文字",
            "cannot be used",
        ),
        (with(&office, "question", json!("あ".repeat(4_001))), "/consult/question", "長すぎ", "too long"),
        (with(&office, "patient_ref", json!("Y\nH")), "/consult/patient_ref", "使えない", "cannot be used"),
        (with(&office, "question", json!(7)), "/consult/question", "文字列", "a string"),
        (with(&office, "decade", json!("80")), "/consult/decade", "整数", "an integer"),
        (with(&office, "decade", json!(83)), "/consult/decade", "選べる値", "one of the choices"),
        (
            with(&office, "answer_by", json!("2026-11-20T09:00:00+09:00")),
            "/consult/answer_by",
            "過ぎて",
            "the past",
        ),
        (
            with(&office, "answer_by", json!("2027-03-01T09:00:00+09:00")),
            "/consult/answer_by",
            "先すぎ",
            "too far",
        ),
        (with(&office, "answer_by", json!("明日")), "/consult/answer_by", "時差つき", "with its offset"),
        (
            with(&office, "answer_by", json!("2026-11-21T09:00:00")),
            "/consult/answer_by",
            "時差つき",
            "with its offset",
        ),
        (with(&office, "mode", json!("phone")), "/consult/mode", "advice, visit", "advice, visit"),
        (
            with(&office, "specialty", json!("astrology")),
            "/consult/specialty",
            "選べる値",
            "one of the choices",
        ),
        (with(&office, "blood", json!("A")), "/consult/blood", "この項目はありません", "no such field"),
        (without("sex"), "/consult/sex", "必須", "required"),
        (extra, "/urgent", "この項目はありません", "no such field"),
        (kind_to_come, "/kind", "まだ受け付けられません", "cannot be made yet"),
        (nobody, "/on_behalf_of", "見つかりません", "not found"),
        (no_id, "/on_behalf_of", "mem_", "mem_"),
    ];
    for (body, field, ja, en) in &cases {
        // Nobody of that id is a finding of the transaction itself, and remembered as its answer.
        let once = if *field == "/on_behalf_of" { "other" } else { "k" };
        for (lang, words) in [("ja", ja), ("en", en)] {
            let headers = [("accept-language", lang), ("idempotency-key", once)];
            let said = client.send(Method::POST, "/requests", &headers, Some(body.to_string().into())).await;
            assert_eq!(said.fields(), [*field], "{body}");
            let message = said.json()["errors"][0]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(words), "{message} for {field} in {lang}");
            assert_eq!(said.json()["detail"].as_str().unwrap().is_ascii(), lang == "en");
        }
    }
    // Every wrong field at once.
    let mut many = with(&office, "decade", json!(1));
    many["consult"]["sex"] = json!("x");
    many["consult"]["question"] = json!("  ");
    let fields = client.post("/requests", &many).await.fields();
    assert_eq!(fields, ["/consult/decade", "/consult/sex", "/consult/question"]);

    let raw = async |bytes: &[u8], headers: &[(&str, &str)]| {
        client.send(Method::POST, "/requests", headers, Some(bytes.to_vec())).await
    };
    assert_eq!(raw(b"{", &[]).await.problem(400).0, "malformed-json");
    assert_eq!(raw(b"\xff{}", &[]).await.problem(400).0, "malformed-json");
    assert_eq!(raw(br#"{"kind":"consult","kind":"consult"}"#, &[]).await.fields(), ["/kind"]);
    assert_eq!(raw(br#"{"kind":"\ud800"}"#, &[]).await.problem(422).0, "invalid-input");
    assert_eq!(raw(b"[]", &[]).await.problem(422).0, "invalid-input");
    assert_eq!(raw(&vec![b' '; 70_000], &[]).await.problem(413).0, "too-large");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(raw(b"kind=consult", &form).await.problem(415).0, "unsupported-media-type");
    let long = "k".repeat(256);
    let good = question(&office).to_string().into_bytes();
    for key in ["", "two words", "キー", long.as_str()] {
        assert_eq!(raw(&good, &[("idempotency-key", key)]).await.fields(), ["Idempotency-Key"], "{key}");
    }
    assert_eq!(
        raw(&good, &[("idempotency-key", "a"), ("idempotency-key", "b")]).await.fields(),
        ["Idempotency-Key"]
    );

    for (body, fields) in [
        (json!({ "name": "", "kind": "shop", "area": "青葉北" }), vec!["/name", "/kind"]),
        (
            json!({ "name": "a\u{200B}", "kind": "clinic", "area": "青葉北", "phone": "電話" }),
            vec!["/name", "/phone"],
        ),
    ] {
        assert_eq!(client.post("/institutions", &body).await.fields(), fields);
    }
    for (body, fields) in [
        (json!({ "name": "x", "roles": [] }), vec!["/roles"]),
        (json!({ "name": "x", "roles": ["king"] }), vec!["/roles/0"]),
        (json!({ "name": "x", "roles": ["clerk"], "pin": "123" }), vec!["/pin"]),
        (json!({ "name": "x", "roles": ["clerk"], "email": "a@b\r\nBcc: c@example.jp" }), vec!["/email"]),
    ] {
        assert_eq!(client.post("/members", &body).await.fields(), fields);
    }
    let (_, after) = super::client::feed(&client).await;
    assert_eq!(before, after, "no audit row");
    assert_eq!(client.get("/requests").await.ok(200)["items"], json!([]));
    // The key under which everything failed is still free.
    client.post_once("/requests", "k", &question(&office)).await.ok(201);
}

async fn only_a_good_key_is_a_key(office: TestOffice) {
    let served = office.serve().await;
    let good = Client::new(&served, &office.keys.all);
    good.get("/requests").await.ok(200);
    let mut other = office.keys.all.clone();
    let last = if other.ends_with('A') { 'E' } else { 'A' };
    other.replace_range(46.., &last.to_string());
    let long = "x".repeat(9_000);
    for key in ["", "tbk_", "'; DROP TABLE member; --", other.as_str(), long.as_str()] {
        let said = good.with_key(key).get("/requests").await;
        assert_eq!(said.problem(401).0, "unauthenticated", "{key}");
    }
    let none = good.with_key("");
    for headers in [
        vec![("authorization", format!("Basic {}", office.keys.all))],
        vec![("authorization", office.keys.all.clone())],
        vec![
            ("authorization", format!("Bearer {}", office.keys.all)),
            ("authorization", format!("Bearer {}", office.keys.read)),
        ],
    ] {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(none.send(Method::GET, "/requests", &headers, None).await.status, 401);
    }
    let lower = format!("bearer {}", office.keys.all);
    assert_eq!(none.send(Method::GET, "/requests", &[("authorization", &lower)], None).await.status, 200);
}
