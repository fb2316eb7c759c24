//! `docs/access.md` against the API: every operation, every scope, what is ours and what is another
//! association's.

use std::collections::BTreeMap;

use serde_json::json;
use touban::app::access::Scope;

use super::client::{Client, question};
use crate::support::{TestOffice, add_association, on_both};

on_both! { a_key_does_what_the_table_says_and_nothing_else }

/// An operation of the table: method, path, the kind of what `{id}` names, the scope it needs.
#[derive(Clone, Debug)]
struct Operation {
    method: &'static str,
    path: &'static str,
    object: &'static str,
    /// `None`: any key; what it may do is then decided by the proof in the body.
    scope: Option<Scope>,
}

fn operations() -> Vec<Operation> {
    crate::support::access_table("| Method | Path | Object | Scope")
        .into_iter()
        .skip(1)
        .map(|cells| Operation {
            method: cells[0],
            path: cells[1],
            object: cells[2],
            scope: (cells[3] != "any").then(|| {
                Scope::from_code(cells[3]).unwrap_or_else(|| panic!("no scope is called {}", cells[3]))
            }),
        })
        .collect()
}

/// Method and path of every operation that the table lists.
pub fn listed() -> std::collections::BTreeSet<String> {
    operations().iter().map(|o| format!("{} {}", o.method, o.path)).collect()
}

async fn a_key_does_what_the_table_says_and_nothing_else(office: TestOffice) {
    let served = office.serve().await;
    let all = Client::new(&served, &office.keys.all);
    let case = all.post("/requests", &question(&office)).await.ok(201)["id"].as_str().unwrap().to_owned();
    let offer = all.get(&format!("/requests/{case}")).await.ok(200)["offers"][0]["id"].clone();
    let objects = BTreeMap::from([
        ("case", case),
        ("offer", offer.as_str().unwrap().to_owned()),
        ("member", office.asker.api()),
        ("institution", office.clinic.api()),
        ("swap", "req_00000000000000000000000001".to_owned()),
        ("cover", "req_00000000000000000000000001".to_owned()),
        ("call", "cal_00000000000000000000000001".to_owned()),
        ("wishes", "wsr_00000000000000000000000001".to_owned()),
        ("feed", "ics_00000000000000000000000001".to_owned()),
        ("alarm", "alm_00000000000000000000000001".to_owned()),
        ("rota", "pub_00000000000000000000000001".to_owned()),
        ("override", "ovr_00000000000000000000000001".to_owned()),
    ]);
    let midori = add_association(&office.app, "midori", "緑市医師会").await;
    let theirs = all.with_key(&office.key_of(&midori, &Scope::ALL).await);
    let nobody = all.with_key("");
    let before = all.get("/events?limit=500").await.json()["items"].as_array().unwrap().len();
    let mut keys = BTreeMap::new();
    for scope in Scope::ALL {
        keys.insert(scope, all.with_key(&office.key_of(&office.association, &[scope]).await));
    }
    let asker = office.asker.api();
    for operation in operations() {
        let Operation { method, path, object, scope } = operation;
        let of = |id: &str| {
            let path = path.replace("{id}", id);
            // Clinical text is read as somebody.
            if path.ends_with("/clinical") { format!("{path}?as={asker}") } else { path }
        };
        let ours = of(objects.get(object).map_or("", String::as_str));
        // A body that is refused for what stands in it, so that nothing changes.
        let send = async |client: &Client, path: &str| {
            if method == "get" {
                client.get(path).await
            } else {
                client.post(path, &json!({ "no": 1 })).await
            }
        };
        assert_eq!(send(&nobody, &ours).await.problem(401).0, "unauthenticated", "{method} {path}");
        for (held, client) in &keys {
            let said = send(client, &ours).await;
            let Some(scope) = scope.filter(|scope| scope != held) else {
                assert!(said.status != 403 && said.status < 500, "{held:?} {method} {path}: {}", said.status);
                continue;
            };
            let (kind, body) = said.problem(403);
            let named = (kind.as_str(), body["scope"].as_str());
            assert_eq!(named, ("missing-scope", Some(scope.code())), "{held:?} {method} {path}");
        }
        // Another association's, one that never was: the same bytes.
        if method == "get" && !object.is_empty() {
            let prefix = ours.split('/').nth(2).unwrap().split('_').next().unwrap().to_owned();
            let foreign = theirs.get(&ours).await;
            foreign.problem(404);
            let missing = of(&format!("{prefix}_00000000000000000000000000"));
            assert_eq!(theirs.get(&missing).await, foreign, "{path}");
        }
    }
    let after = all.get("/events?limit=500").await.json()["items"].as_array().unwrap().len();
    // The keys of this test, and the one reading of clinical text that was allowed.
    assert_eq!(after, before + Scope::ALL.len() + 1);
}
