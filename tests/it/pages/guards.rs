//! What holds for every page: headers, tokens, who may see it, what never leaves.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use super::browser::{CONSULT, Town, mails, token_of};
use crate::support::{PIN, TestOffice};

/// Addresses beyond the routes: what is no route, and what a route says to nonsense.
const BEYOND: &[&str] = &[
    "/sign-in?by=mail",
    "/ledger?month=2026-13",
    "/problems/not-found",
    "/problems/nothing",
    "/assets/nothing.js",
    "/healthz",
    "/readyz",
    "/demo",
    "/demo/mailbox",
    "/nothing",
    "/api/nothing",
];

/// The paths of every route of this method that the pages have, with an id that is none where one is needed.
pub fn paths(method: &str) -> Vec<String> {
    let routes = touban::web::ui::ROUTES.iter().flat_map(|part| part.iter());
    routes
        .filter(|(m, path)| *m == method && !path.starts_with("/demo") && !path.starts_with("/assets"))
        .map(|(_, path)| match path.split_once('{') {
            None => (*path).to_owned(),
            Some((before, rest)) => {
                format!("{before}{}{}", "0".repeat(26), rest.split_once('}').unwrap().1)
            }
        })
        .collect()
}

const HEADERS: &[&str] = &[
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "x-robots-tag",
    "x-boot-id",
    "cache-control",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_its_headers_and_every_page_the_offices_number() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let guest = town.browser();
    let asker = town.signed_in(&town.office.asker).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let (case, _) = town.ask(&asker).await;
    let board = case.replace("/consults/", "/board/");
    for browser in [&guest, &asker, &clerk] {
        let routes = paths("get");
        let routes = routes.iter().map(String::as_str).chain(BEYOND.iter().copied());
        for path in routes.chain([case.as_str(), board.as_str()]) {
            let page = browser.look(path).await;
            for header in HEADERS {
                assert!(page.headers.contains_key(*header), "{path} lacks {header}");
            }
            assert_eq!(browser.head(path).await.status, page.status, "HEAD {path}");
            let html =
                page.headers.get("content-type").is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
            if html {
                assert!(page.body.contains("tel:05000001000"), "{path} ({})", page.status);
                assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
            } else {
                let plain = page.status == 303
                    || page.headers.contains_key("content-disposition")
                    || ["/healthz", "/readyz", "/favicon.ico", "/api/nothing"].contains(&path);
                assert!(plain, "{path} is {} and no page", page.status);
            }
        }
        for path in &paths("post") {
            let page = browser.send(path, &[]).await;
            let drawn = ["/consults", "/people/new", "/directory/new", "/me/windows"];
            let drawn_again = page.status == 200 && drawn.contains(&path.as_ref());
            let nobody_to_sign_out = page.status == 303 && *path == "/sign-out";
            let refused = matches!(page.status.as_u16(), 403 | 404);
            assert!(refused || drawn_again || nobody_to_sign_out, "{path}: {}", page.status);
            for header in HEADERS {
                assert!(page.headers.contains_key(*header), "{path} lacks {header}");
            }
        }
    }
    let icon = guest.look("/favicon.ico").await;
    assert_eq!(icon.headers["content-type"], "image/svg+xml");
    let home = guest.get("/").await;
    let style = super::browser::between(&home.body, "rel=\"stylesheet\" href=\"", "\"").unwrap();
    assert!(guest.look(style).await.headers["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_others_look_like_pages_that_are_not_there() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, _) = town.ask(&asker).await;
    let other = town.signed_in(&town.office.dermatologists[2]).await;
    let nothing = "/consults/00000000000000000000000000".to_owned();
    let board = case.replace("/consults/", "/board/");
    let mut seen = std::collections::BTreeSet::new();
    for path in [case.as_str(), &nothing, &board, "/board", "/ledger", "/consults/x"] {
        let page = other.look(path).await;
        assert_eq!(page.status, 404, "{path}");
        page.keeps_quiet_about("R8-0001");
        seen.insert(page.text());
    }
    assert_eq!(seen.len(), 1);
    // Steps that belong to somebody else: the form's token is the reader's own, the case is not.
    let own = other.get("/consults/new").await.form("/consults", CONSULT);
    for step in ["answer", "close", "withdraw", "release"] {
        let page = other.send(&format!("{case}/{step}"), &own).await;
        assert_eq!(page.status, 404, "{step}");
    }
    assert_eq!(other.send(&format!("{board}/withdraw"), &own).await.status, 404);
    asker.get(&case).await.says("受付中");
    let clerk = town.signed_in(&town.office.clerk).await;
    assert_eq!(clerk.look("/consults/new").await.status, 404);
    assert_eq!(other.look("/demo").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_its_token_or_from_another_site_changes_nothing() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let phone = town.browser();
    let token = token_of(&letters[0]);
    let link = phone.open(&token).await;
    let before = super::robots::dump(&town.office).await;

    let forge = |fields: Vec<(String, String)>, csrf: Option<&str>| {
        let mut forged: Vec<_> = fields.into_iter().filter(|(name, _)| name != "csrf").collect();
        forged.extend(csrf.map(|value| ("csrf".to_owned(), value.to_owned())));
        forged
    };
    let own = asker.get("/consults/new").await;
    let strangers = clerk.get("/board").await.form("/sign-out", &[]);
    let strangers =
        strangers.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.clone()).unwrap();
    for csrf in [None, Some(""), Some("wrong"), Some(strangers.as_str())] {
        let ask = asker.send("/consults", &forge(own.form("/consults", CONSULT), csrf)).await;
        assert!(ask.status == 200 && ask.text().contains("もう一度「相談を頼む」"), "{csrf:?}");
        let page = asker.get(&case).await;
        let withdraw = format!("{case}/withdraw");
        let answer = asker.send(&withdraw, &forge(page.form(&withdraw, &[]), csrf)).await;
        assert_eq!(answer.status, 403);
        answer.says("もう一度送ってください");
        let out = asker.send("/sign-out", &forge(page.form("/sign-out", &[]), csrf)).await;
        assert_eq!(out.status, 403);
        let yes = [("answer", "accept_advice"), ("pin", PIN)];
        let take = phone.send("/k/answer", &forge(link.form("/k/answer", &yes), csrf)).await;
        assert_eq!(take.status, 403);
    }
    // Another link's token does not fit either.
    let other = phone.open(&token_of(&letters[1])).await.form("/k/answer", &[]);
    let other = other.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.clone()).unwrap();
    let yes = [("answer", "accept_advice"), ("pin", PIN)];
    assert_eq!(phone.send("/k/answer", &forge(link.form("/k/answer", &yes), Some(&other))).await.status, 403);
    assert_eq!(
        super::robots::without_readings(before),
        super::robots::without_readings(super::robots::dump(&town.office).await)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_are_bound_to_the_host_where_there_is_tls() {
    let office = TestOffice::sqlite().await;
    let web = touban::web::Web { secure: true, ..office.web() };
    let served = office.serve_router(touban::web::router::router(web)).await;
    let browser = super::browser::Browser::new(&served);
    let page = browser.get("/sign-in").await;
    let set = browser.send("/lang", &page.form("/lang", &[("lang", "en")])).await;
    let cookie = set.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-lang=en; Path=/; HttpOnly; SameSite=Lax; Max-Age="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_cannot_be_tried_for_ever() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let robot = town.browser();
    let entry = robot.get("/k").await;
    let mut refused = None;
    for n in 0..40 {
        let code = format!("0000-0000-{n:04}");
        let page = robot.submit(&entry, "/k/open", &[("code", &code)]).await;
        if page.status == 429 {
            assert!(page.headers.contains_key("retry-after"));
            page.says("少し待ってから");
            refused = Some(n);
            break;
        }
    }
    assert_eq!(refused, Some(20));
}

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything this process logs, down to the finest.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone());
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        log
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_wrote_and_their_secrets_stay_on_the_page() {
    let log = log();
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let phone = town.browser();
    let token = token_of(&letters[0]);
    let link = phone.open(&token).await;
    link.keeps_quiet_about("CANARY");
    let yes = [("answer", "accept_advice"), ("pin", PIN), ("remember", "yes")];
    let page = phone.submit(&link, "/k/answer", &yes).await;
    page.says("CANARY-REF");
    let page = phone
        .submit(
            &page,
            &format!("{case}/answer"),
            &[("assessment", "CANARY-ANSWER"), ("do_now", "CANARY-NOW"), ("minutes", "10")],
        )
        .await;
    assert_eq!(page.path, case);
    let page = asker.get(&case).await;
    let survey = [
        ("avoided", "yes"),
        ("newly_needed", "no"),
        ("helpful", "4"),
        ("in_time", "yes"),
        ("note", "CANARY-NOTE"),
    ];
    asker.submit(&page, &format!("{case}/close"), &survey).await.says("CANARY-NOTE");
    // Errors with what was typed in the address, the form, the headers.
    let broken = asker.look("/consults/CANARY-PATH?CANARY-QUERY=1").await;
    broken.keeps_quiet_about("CANARY");
    let form = asker.send("/consults", &[("csrf".to_owned(), "CANARY-CSRF".to_owned())]).await;
    form.keeps_quiet_about("CANARY");
    let door = asker.get("/sign-in?by=mail").await;
    asker
        .submit(&door, "/sign-in", &[("address", "canary-address@example.jp")])
        .await
        .keeps_quiet_about("canary-address");

    for mail in letters.iter().chain(&mails(&town.office.app).await) {
        let all = format!("{}{}{}{}{}", mail.subject, mail.text, mail.html, mail.from_name, mail.message_id);
        for secret in ["CANARY", "黒い部分", "80代", "さとう内科", "佐藤"] {
            assert!(!all.contains(secret), "{}: {secret}", mail.subject);
        }
    }
    for browser in [&asker, &phone] {
        for path in browser.visited.lock().unwrap().iter() {
            assert!(
                !path.contains(&token) && (!path.contains("CANARY") || path.contains("CANARY-PATH")),
                "{path}"
            );
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/consults/{id}/answer"), "the log was not seen");
    for secret in ["CANARY", "canary-address", "黒い部分", token.as_str()] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
