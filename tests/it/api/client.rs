//! A program that calls the API, and the bodies it sends.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Served, TestOffice};

/// A program with a key.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub content_type: String,
    pub replayed: bool,
    pub location: Option<String>,
}

impl Said {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// The last part of a problem's type.
    #[track_caller]
    pub fn problem(&self, status: u16) -> (String, Value) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.content_type, "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        (body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned(), body)
    }

    /// The fields that a 422 names.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        let (_, body) = self.problem(422);
        body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    pub fn new(served: &Served, key: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, base: format!("{}/api/v1", served.base), key: key.to_owned() }
    }

    /// The same program with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Said {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Said {
        self.send(Method::POST, path, &[], Some(body.to_string().into_bytes())).await
    }

    /// Under an Idempotency-Key.
    pub async fn post_once(&self, path: &str, once: &str, body: &Value) -> Said {
        let headers = [("idempotency-key", once)];
        self.send(Method::POST, path, &headers, Some(body.to_string().into_bytes())).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Said {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        if let Some(body) = body {
            request = request.body(body);
            if !headers.iter().any(|(n, _)| *n == "content-type") {
                request = request.header("content-type", "application/json");
            }
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        Said {
            status: answer.status().as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            replayed: header("idempotency-replayed").is_some_and(|v| v == "true"),
            location: header("location"),
            bytes: answer.bytes().await.unwrap().to_vec(),
        }
    }
}

/// A question that can be taken as it is.
pub fn question(office: &TestOffice) -> Value {
    json!({
        "kind": "consult",
        "on_behalf_of": office.asker.api(),
        "consult": {
            "specialty": "dermatology", "mode": "advice", "area": "青葉北",
            "answer_by": "2026-11-21T12:00:00+09:00", "decade": 80, "sex": "female",
            "condition": "wound", "can_travel": "no",
            "question": "山田花子さん、83歳。仙骨部の褥瘡に黒色壊死があります。",
            "tried": "洗浄と軟膏", "patient_ref": "Y.H.", "details": "訪問看護 週3回",
        },
    })
}

/// What a taker tells.
pub fn report(member: &str) -> Value {
    json!({
        "on_behalf_of": member, "assessment": "壊死組織の除去が要ります", "do_now": "デブリードマン",
        "follow_up": "1週間後", "refer_when": "発熱時", "minutes": 15, "outcome": "advice",
    })
}

/// The four questions answered.
pub fn survey() -> Value {
    json!({ "survey": { "avoided": "yes", "newly_needed": "no", "helpful": 5, "in_time": "yes" } })
}

/// Every row of the audit feed, page by page.
pub async fn feed(client: &Client) -> (String, Vec<Value>) {
    let (mut rows, mut after) = (Vec::new(), 0);
    loop {
        let page = client.get(&format!("/events?after={after}&limit=500")).await.ok(200);
        rows.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_i64() {
            Some(next) => after = next,
            None => return (page["association"].as_str().unwrap().to_owned(), rows),
        }
    }
}
