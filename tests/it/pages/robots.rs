//! Robots that follow every link, run the scripts and send every form, as mail gateways do: nothing changes
//! without the person's proof.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::browser::{Page, Town, mails, token_of};
use crate::support::TestOffice;

/// Every row of every table, as text.
pub type Dump = BTreeMap<String, Vec<String>>;

/// The tables as they are now, without what looking alone may leave behind: when an offer was first looked
/// at, when a session and a device were last used, and what browser a device is.
pub async fn dump(office: &TestOffice) -> Dump {
    let mut dump = tables(office, &["opened_at_ms", "seen_at_ms", "used_at_ms", "label"]).await;
    for rows in dump.values_mut() {
        rows.retain(|row| !row.contains("'offer.opened'"));
    }
    // The last link of the log's chain follows from its rows.
    dump.remove("audit_head");
    // That somebody tries to sign in is counted, and a question to an authenticator waits for its answer.
    dump.remove("sign_in_try");
    dump.remove("passkey_challenge");
    dump
}

/// Every column of every row of every table.
pub async fn every_byte(office: &TestOffice) -> Dump {
    tables(office, &[]).await
}

async fn tables(office: &TestOffice, without: &[&str]) -> Dump {
    use sqlx::Connection as _;
    let file = office.app.db.file().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let without: Vec<String> = without.iter().map(|column| format!("'{column}'")).collect();
    let sql = format!(
        "SELECT m.name AS t, group_concat('quote(' || c.name || ')', ' || '','' || ') AS columns \
        FROM sqlite_master m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND c.name NOT IN ({}) GROUP BY m.name",
        without.join(", ")
    );
    let mut dump = Dump::new();
    for table in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap() {
        let (name, columns): (String, String) = (table.get("t"), table.get("columns"));
        let sql = format!("SELECT {columns} AS line FROM \"{name}\" ORDER BY 1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        dump.insert(name, rows.iter().map(|row| row.get::<String, _>("line")).collect());
    }
    assert!(dump.len() > 15 && dump.values().map(Vec::len).sum::<usize>() > 20);
    dump
}

/// Without the rows of the audit log that say who read what.
pub fn without_readings(mut dump: Dump) -> Dump {
    dump.retain(|table, _| !table.starts_with("audit"));
    dump
}

/// The first difference, to read.
#[track_caller]
pub fn assert_unchanged(before: &Dump, after: &Dump, what: &str) {
    for (table, rows) in before {
        let changed: Vec<_> = after[table].iter().filter(|row| !rows.contains(row)).take(2).collect();
        assert!(*rows == after[table], "{what} changed {table}: {changed:?}");
    }
}

/// Every button of a form: what pressing it sends.
fn buttons(form: &str) -> Vec<(String, String)> {
    form.split("<button")
        .skip(1)
        .filter_map(|tag| {
            let tag = tag.split_once('>')?.0;
            let name = super::browser::between(tag, "name=\"", "\"")?;
            Some((name.to_owned(), super::browser::between(tag, "value=\"", "\"")?.to_owned()))
        })
        .collect()
}

/// Sends every form of a page with every button and every ready choice, and no PIN.
async fn send_every_form(robot: &super::browser::Browser, page: &Page) {
    for (action, body) in page.forms() {
        let mut presses: Vec<Vec<(String, String)>> = vec![vec![]];
        presses.extend(buttons(&body).into_iter().map(|press| vec![press]));
        for press in presses {
            for guess in [None, Some(""), Some("    "), Some("12a4"), Some("12345")] {
                let mut typed: Vec<(&str, &str)> =
                    press.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                typed.extend([("remember", "yes"), ("reason", "other"), ("address", "robot@example.com")]);
                typed.extend(guess.map(|pin| ("pin", pin)));
                let fields = page.form(&action, &typed);
                let answer = robot.send(&action, &fields).await;
                assert!(answer.status.as_u16() < 500, "{action}: {}", answer.status);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robot_that_opens_links_and_sends_forms_changes_nothing() {
    // Generous limits, so that the robot is stopped by the proof it lacks and not by its haste.
    use touban::web::rate::{Allowance, Allowances, Rate, RateLimiter};
    let office = TestOffice::sqlite().await;
    let town = Town::new(office).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let door = asker.get("/sign-in?by=mail").await;
    let clerk = town.office.app.member(&town.office.association, &town.office.clerk).await.unwrap();
    asker.submit(&door, "/sign-in", &[("address", clerk.email.as_deref().unwrap())]).await;
    let sign_in = mails(&town.office.app).await.pop().unwrap();

    let many = Rate { burst: 100_000, every_ms: 1 };
    let all = Allowance { per_client: many, in_total: many };
    let allowances = Allowances { link_answer: all, sign_in: all, pin: all, create: all, max_keys: 100 };
    let web = touban::web::Web {
        rates: std::sync::Arc::new(RateLimiter::new(town.office.clock.clone(), allowances)),
        ..town.office.web()
    };
    let served = town.office.serve_router(touban::web::router::router(web)).await;
    let robot = super::browser::Browser::new(&served);
    let before = dump(&town.office).await;

    let ids = [case.clone(), case.replace("/consults/", "/board/")];
    let pages = super::guards::paths("get");
    for path in pages.iter().chain(&ids) {
        let page = robot.get(path).await;
        robot.head(path).await;
        send_every_form(&robot, &page).await;
        assert_unchanged(&before, &dump(&town.office).await, path);
    }
    for letter in letters.iter().chain([&sign_in]) {
        for _ in 0..2 {
            let page = robot.open(&token_of(letter)).await;
            assert!(page.body.contains("name=\"pin\""), "{}", page.text());
            send_every_form(&robot, &page).await;
            assert_unchanged(&before, &dump(&town.office).await, "a mailed link");
        }
    }
    for path in super::guards::paths("post") {
        let path = path.replace(&"0".repeat(26), case.rsplit('/').next().unwrap());
        robot
            .send(&path, &[("token".into(), token_of(&letters[0])), ("answer".into(), "decline".into())])
            .await;
        assert_unchanged(&before, &dump(&town.office).await, &path);
    }
    // Nothing was used up: the person themselves can still answer.
    let phone = town.browser();
    let link = phone.open(&token_of(&letters[0])).await;
    let yes = [("answer", "accept_advice"), ("pin", crate::support::PIN)];
    assert_eq!(phone.submit(&link, "/k/answer", &yes).await.path, case);
}
