//! The HTTP server and its outermost layer over real sockets: what is refused, and how every answer looks.

mod office;
mod patience;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use touban::web::edge::{Edge, Framing};
use touban::web::server::Limits;
use touban::web::trust::{Networks, Site};

use office::{Answer, PATIENCE, edge, start, start_with};

#[tokio::test]
async fn too_large_a_body_is_refused_and_the_refusal_is_heard() {
    let server = start(Limits { body_bytes: 1_000, ..Limits::default() }).await;
    let kind = [("content-type", "application/json")];
    let fits = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000 - 11));
    assert_eq!(server.ask("POST", "/api/v1/notes", &kind, &fits).await.status, 200);

    let over = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000 - 10));
    let large = "x".repeat(500_000);
    for body in [&over, &large] {
        let answer = server.ask("POST", "/api/v1/notes", &kind, body).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.problem()["type"], "/problems/too-large");
        answer.is_guarded();
    }
    // Announced nowhere, so only counting finds it.
    let chunked = format!(
        "POST /api/v1/notes HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{over}\r\n0\r\n\r\n",
        over.len()
    );
    assert_eq!(server.raw(chunked.as_bytes()).await.status, 413);
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_first_is_refused_before_it_sends() {
    let server = start(Limits::default()).await;
    let head = b"POST /api/v1/notes HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 9000000\r\n\r\n";
    let answer = server.raw(head).await;
    assert_eq!(answer.status, 413, "and no 100 Continue before it");
    answer.is_guarded();
    server.stop().await;
}

#[tokio::test]
async fn imports_may_be_larger_where_the_limits_say_so() {
    let limits = Limits {
        body_bytes: 100,
        larger_bodies: vec![("/api/v1/plain".into(), 4_000_000)],
        ..Limits::default()
    };
    let server = start(limits).await;
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(3_000_000));
    let answer = server.ask("POST", "/api/v1/plain", &[("content-type", "application/json")], &body).await;
    assert_eq!((answer.status, answer.body.len()), (200, 3_000_000));
    server.stop().await;
}

#[tokio::test]
async fn too_large_a_head_is_refused_with_every_header() {
    let server = start(Limits::default()).await;
    let fits = "x".repeat(15_000);
    assert_eq!(server.ask("GET", "/", &[("x-long", &fits)], "").await.status, 200);
    for large in [17_000, 300_000] {
        let answer = server.ask("GET", "/", &[("x-long", &"x".repeat(large))], "").await;
        assert_eq!(answer.status, 431, "{large}");
        assert_eq!(answer.problem()["type"], "/problems/headers-too-large");
        answer.is_guarded();
    }
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let answer = server.raw(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(answer.status, 431);
    answer.is_guarded();
    server.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused_with_every_header() {
    let server = start(Limits::default()).await;
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n",
        b"POST /answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls instead of http\r\n\r\n",
    ] {
        let answer = server.raw(bytes).await;
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(bytes));
        assert_eq!(answer.problem()["type"], "/problems/malformed-request");
        assert_eq!(answer.header("connection"), Some("close"));
        answer.is_guarded();
    }
    // The same behind a good request on the same connection: the first answer is whole and comes first.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut buf = [0u8; 4096];
    let n = timeout(PATIENCE, stream.read(&mut buf)).await.unwrap().unwrap();
    assert_eq!(Answer::parse(&String::from_utf8_lossy(&buf[..n])).body, "127.0.0.1");
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let second = Answer::read_to_end(&mut stream).await;
    assert_eq!(second.status, 400);
    second.is_guarded();
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 0);
    server.stop().await;
}

#[tokio::test]
async fn only_our_own_host_is_answered() {
    let server = start(Limits::default()).await;
    for ours in ["localhost", "localhost:1234", "127.0.0.1:80", "[::1]:9"] {
        assert_eq!(server.ask("GET", "/", &[("host", ours)], "").await.status, 200, "{ours}");
    }
    for foreign in ["touban.example", "evil.example:80", "localhost.evil.example"] {
        for path in ["/", "/api/v1/notes", "/nowhere", "/healthz"] {
            let answer = server.ask("GET", path, &[("host", foreign)], "").await;
            assert_eq!(answer.status, 421, "{foreign} {path}");
            assert!(!answer.body.contains(foreign), "a foreign name is not repeated");
            answer.is_guarded();
        }
    }
    for bytes in [
        &b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    ] {
        let answer = server.raw(bytes).await;
        assert_eq!(answer.status, 400);
        answer.is_guarded();
    }
    let absolute = b"GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(server.raw(absolute).await.status, 421);
    server.stop().await;

    let site = Site::from_base_url("https://touban.example").unwrap();
    let server = start_with(edge(site, Networks::none()), Limits::default()).await;
    assert_eq!(server.ask("GET", "/", &[("host", "localhost")], "").await.status, 421);
    let answer = server.ask("GET", "/", &[("host", "Touban.Example")], "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"));
    let forwarded = [("host", "evil.example"), ("x-forwarded-host", "touban.example")];
    assert_eq!(server.ask("GET", "/", &forwarded, "").await.status, 421);
    server.stop().await;
}

#[tokio::test]
async fn a_client_cannot_name_its_own_address() {
    let server = start(Limits::default()).await;
    let spoofed = [
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "for=198.51.100.2"),
        ("x-real-ip", "198.51.100.3"),
    ];
    assert_eq!(server.ask("GET", "/who", &spoofed, "").await.body, "127.0.0.1");
    server.stop().await;

    let behind = edge(Site::Loopback, Networks::parse(&["127.0.0.0/8", "10.0.0.0/8"]).unwrap());
    let server = start_with(behind, Limits::default()).await;
    let spoofed = [("x-forwarded-for", "203.0.113.66, 198.51.100.1, 10.0.0.2")];
    assert_eq!(server.ask("GET", "/who", &spoofed, "").await.body, "198.51.100.1");
    server.stop().await;
}

#[tokio::test]
async fn every_kind_of_answer_carries_every_header() {
    let server = start(Limits { body_bytes: 1_000, ..Limits::default() }).await;
    let json_type = ("content-type", "application/json");
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let long = "x".repeat(2_000);
    let foreign = ("host", "evil.example");
    for (status, method, path, headers, body) in [
        (200, "GET", "/", vec![], ""),
        (200, "HEAD", "/", vec![], ""),
        (204, "OPTIONS", "/", vec![], ""),
        (404, "GET", "/nowhere", vec![], ""),
        (404, "GET", "/api/v1/nowhere", vec![], ""),
        (404, "GET", "/api", vec![], ""),
        (405, "GET", "/answer", vec![], ""),
        (405, "GET", "/api/v1/notes", vec![], ""),
        (405, "TRACE", "/api/v1/notes", vec![], ""),
        (413, "POST", "/answer", vec![], long.as_str()),
        (413, "POST", "/api/v1/notes", vec![json_type], long.as_str()),
        (415, "POST", "/api/v1/notes", vec![form_type], "text=a"),
        (415, "POST", "/api/v1/plain", vec![form_type], "text=a"),
        (400, "POST", "/api/v1/notes", vec![json_type], "{"),
        (400, "POST", "/api/v1/plain", vec![json_type], "{"),
        (422, "POST", "/api/v1/notes", vec![json_type], "{}"),
        (422, "POST", "/api/v1/plain", vec![json_type], "{}"),
        (422, "POST", "/form", vec![form_type], "other=1"),
        (400, "POST", "/form", vec![form_type], "text=%00"),
        (400, "GET", "/nowhere?a=%00", vec![], ""),
        (403, "POST", "/answer", vec![("origin", "https://evil.example")], ""),
        (403, "POST", "/api/v1/notes", vec![("sec-fetch-site", "cross-site")], ""),
        (421, "GET", "/api/v1/notes", vec![foreign], ""),
        (421, "POST", "/answer", vec![foreign], ""),
        (500, "GET", "/broken", vec![], ""),
        (500, "GET", "/api/v1/broken", vec![], ""),
    ] {
        let answer = server.ask(method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{method} {path} {headers:?}: {answer:?}");
        answer.is_guarded();
        assert_eq!(answer.header("strict-transport-security"), None, "this site is plain http");
        if status >= 400 {
            if path.starts_with("/api") {
                let problem = answer.problem();
                assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{problem}");
                assert!(!problem["title"].as_str().unwrap().is_ascii(), "Japanese without a wish: {problem}");
            } else {
                assert_eq!(
                    answer.header("content-type"),
                    Some("text/html; charset=utf-8"),
                    "{method} {path}"
                );
                assert!(answer.body.contains("ページを表示できません"));
            }
            for inside in ["panic", "breaks", "Deserialize", "deserialize", "missing field"] {
                assert!(!answer.body.contains(inside), "{method} {path} shows {inside}: {}", answer.body);
            }
        }
    }
    let english = server.ask("GET", "/api/v1/nowhere", &[("accept-language", "en-GB, ja;q=0.5")], "").await;
    assert_eq!(english.problem()["title"], "Not found");
    let asset = server.ask("GET", "/assets/a.1234.js", &[], "").await;
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask("GET", "/", &[], "").await.status, 200, "after all that it still serves");
    server.stop().await;
}

#[tokio::test]
async fn looking_never_reaches_what_changes_something() {
    let server = start(Limits::default()).await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        for path in ["/answer", "/api/v1/notes"] {
            let answer = server.ask(method, path, &[], "").await;
            assert_eq!(answer.status, if method == "OPTIONS" { 204 } else { 405 }, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {path}");
        }
    }
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 0);
    server.stop().await;
}

#[tokio::test]
async fn only_our_own_pages_and_programs_with_a_key_may_change_something() {
    let server = start(Limits::default()).await;
    let host = format!("localhost:{}", server.address.port());
    let own = format!("http://{host}");
    let cookie = ("cookie", "session=1");
    let key = ("authorization", "Bearer k");
    for (expected, headers) in [
        (200, vec![cookie]),
        (200, vec![cookie, ("sec-fetch-site", "same-origin")]),
        (200, vec![cookie, ("sec-fetch-site", "none")]),
        (403, vec![cookie, ("sec-fetch-site", "same-site")]),
        (403, vec![cookie, ("sec-fetch-site", "cross-site")]),
        (403, vec![cookie, ("sec-fetch-site", "cross-site"), ("origin", own.as_str())]),
        (403, vec![cookie, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")]),
        (200, vec![cookie, ("origin", own.as_str())]),
        (403, vec![cookie, ("origin", "null")]),
        (403, vec![cookie, ("origin", "http://localhost")]),
        (403, vec![cookie, ("origin", "https://evil.example")]),
        (403, vec![("origin", "https://evil.example")]),
        (200, vec![key, ("origin", "https://evil.example")]),
        (403, vec![key, cookie, ("origin", "https://evil.example")]),
        (403, vec![("authorization", "Basic k"), ("origin", "https://evil.example")]),
    ] {
        let mut all = headers.clone();
        all.push(("host", host.as_str()));
        let before = server.seen.changes.load(Ordering::SeqCst);
        let answer = server.ask("POST", "/answer", &all, "").await;
        assert_eq!(answer.status, expected, "{headers:?}");
        let changed = server.seen.changes.load(Ordering::SeqCst) - before;
        assert_eq!(changed, u32::from(expected == 200), "{headers:?}");
        // Looking is free for everybody.
        assert_eq!(server.ask("GET", "/", &all, "").await.status, 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_demo_may_frame_its_own_pages() {
    let demo = Edge { framing: Framing::OwnPages, ..edge(Site::Loopback, Networks::none()) };
    let server = start_with(demo, Limits::default()).await;
    let answer = server.ask("GET", "/", &[], "").await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    server.stop().await;
}

/// Log lines, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_one_line_per_request_and_nothing_the_client_wrote() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let server = start(Limits::default()).await;
    let json_type = ("content-type", "application/json");
    let canary = ("x-canary", "hanako");
    let mut ids = Vec::new();
    for (method, path, body) in [
        ("GET", "/k/hanako?hanako=1", ""),
        ("GET", "/hanako", ""),
        ("HANAKO", "/", ""),
        ("POST", "/api/v1/notes?hanako", "{\"text\":\"hanako\"}"),
        ("POST", "/api/v1/notes", "{\"hanako\":\"hanako\"}"),
        ("POST", "/api/v1/plain", "{\"hanako\":\"hanako\"}"),
    ] {
        let answer = server.ask(method, path, &[json_type, canary], body).await;
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    assert_eq!(server.ask("GET", "/", &[("host", "hanako.example")], "").await.status, 421);
    assert_eq!(server.raw(b"hanako\r\n\r\n").await.status, 400);
    server.stop().await;

    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(!log.to_lowercase().contains("hanako"), "{log}");
    let answered: Vec<&str> = log.lines().filter(|l| l.contains("answered")).collect();
    assert_eq!(answered.len(), 8, "{log}");
    for (id, line) in ids.iter().zip(&answered) {
        assert!(line.contains(id.as_str()), "{id}: {line}");
    }
    assert!(
        answered[0].contains("\"route\":\"/k/{token}\"") && answered[0].contains("\"status\":200"),
        "{}",
        answered[0]
    );
    assert!(answered[1].contains("\"route\":\"-\""), "{}", answered[1]);
    assert!(answered[2].contains("\"method\":\"other\""), "{}", answered[2]);
}
