//! What a peer can make the server wait for or hold, and how it stops.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use touban::web::server::Limits;
use touban::web::trust::Networks;

use super::office::{Answer, PATIENCE, Running, start};

fn short() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        keep_alive_timeout: Duration::from_millis(600),
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[tokio::test]
async fn half_a_header_is_given_up_after_its_timeout() {
    let server = start(short()).await;
    let began = Instant::now();
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: local").await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed");
    assert_eq!(rest, b"");
    assert!(began.elapsed() >= Duration::from_millis(290) && began.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test]
async fn a_header_sent_letter_by_letter_does_not_extend_its_timeout() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    let began = Instant::now();
    let dripping = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if stream.write_all(b"G").await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, dripping).await.expect("closed although bytes kept coming");
    assert!(began.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_the_keep_alive_time_and_no_longer() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    let mut buf = [0u8; 4096];
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let n = timeout(PATIENCE, stream.read(&mut buf)).await.unwrap().unwrap();
        assert!(buf[..n].starts_with(b"HTTP/1.1 200"));
        // Longer than the header's timeout: waiting for the next request is another wait.
        let early = timeout(Duration::from_millis(400), stream.read(&mut buf)).await;
        assert!(early.is_err(), "closed too early");
    }
    let began = Instant::now();
    let n = timeout(PATIENCE, stream.read(&mut buf)).await.expect("closed at last").unwrap();
    assert_eq!(n, 0);
    assert!(began.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_never_reaches_the_handler() {
    let server = start(short()).await;
    let half = b"POST /api/v1/notes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"text\":";
    let answer = server.raw(half).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.problem()["type"], "/problems/too-slow");
    answer.is_guarded();
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_body_dripping_in_meets_the_deadline_for_the_whole() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /answer HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let (mut reading, mut writing) = stream.split();
    let drip = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if writing.write_all(b"1\r\nx\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut bytes = vec![0u8; 4096];
    let read = tokio::select! {
        n = reading.read(&mut bytes) => n.unwrap(),
        () = drip => unreachable!(),
        () = tokio::time::sleep_until(Instant::now() + PATIENCE) => panic!("never answered"),
    };
    let answer = Answer::parse(&String::from_utf8_lossy(&bytes[..read]));
    assert_eq!(answer.status, 408);
    answer.is_guarded();
    assert_eq!(server.seen.changes.load(Ordering::SeqCst), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_running_request_is_finished_before_the_server_stops() {
    let server = start(Limits::default()).await;
    let address = server.address;
    let seen = Arc::clone(&server.seen);
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    timeout(PATIENCE, seen.entered.notified()).await.unwrap();
    // A connection without a request does not hold the server up.
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut buf = [0u8; 4096];
    assert!(timeout(PATIENCE, idle.read(&mut buf)).await.unwrap().unwrap() > 0);

    let Running { stop, server, .. } = server;
    stop.send(()).unwrap();
    assert_eq!(timeout(PATIENCE, idle.read(&mut buf)).await.unwrap().unwrap(), 0, "idle ones are closed");
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    assert!(!server.is_finished());
    seen.go_on.notify_one();
    let answer = Answer::read_to_end(&mut running).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_when_the_stop_has_waited_long_enough() {
    let server = start(Limits { stop_timeout: Duration::from_millis(200), ..Limits::default() }).await;
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    timeout(PATIENCE, server.seen.entered.notified()).await.unwrap();
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_given_up() {
    let server = start(Limits { max_connections: 1, ..short() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /long HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // The only place is taken until the server gives up the one that does not read.
    let answer = server.ask("GET", "/who", &[], "").await;
    assert_eq!(answer.status, 200);
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn a_thousand_connections_in_turn_leak_nothing() {
    let limits = Limits {
        max_connections: 4,
        max_connections_per_client: 4,
        without_client_limit: Networks::none(),
        ..Limits::default()
    };
    let server = start(limits).await;
    for n in 0..1_000 {
        match n % 4 {
            0 => assert_eq!(server.ask("GET", "/who", &[], "").await.status, 200),
            1 => assert_eq!(server.ask("GET", "/broken", &[], "").await.status, 500),
            2 => assert_eq!(server.raw(b"nonsense\r\n\r\n").await.status, 400),
            // Gone in the middle of a body.
            _ => {
                let mut stream = server.connect().await;
                stream
                    .write_all(b"POST /answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhal")
                    .await
                    .unwrap();
            }
        }
    }
    // With four places in all, one leaked place in 250 would have stopped us long ago; all four are free.
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut buf = [0u8; 4096];
        assert!(timeout(PATIENCE, stream.read(&mut buf)).await.unwrap().unwrap() > 0);
        held.push(stream);
    }
    server.stop().await;
}

#[tokio::test]
async fn one_client_holds_no_more_connections_than_its_share() {
    let limits =
        Limits { max_connections_per_client: 2, without_client_limit: Networks::none(), ..Limits::default() };
    let server = start(limits).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut buf = [0u8; 4096];
        assert!(timeout(PATIENCE, stream.read(&mut buf)).await.unwrap().unwrap() > 0);
        held.push(stream);
    }
    let mut third = server.connect().await;
    let _ = third.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut buf = [0u8; 64];
    let read = timeout(PATIENCE, third.read(&mut buf)).await.expect("closed at once");
    assert!(matches!(read, Ok(0) | Err(_)));
    server.stop().await;
}

#[tokio::test]
async fn a_client_still_sending_when_refused_is_not_cut_off_before_it_can_listen() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-long: {}", "x".repeat(17_000)).as_bytes())
        .await
        .unwrap();
    let mut buf = [0u8; 9];
    timeout(PATIENCE, stream.read_exact(&mut buf)).await.unwrap().unwrap();
    for _ in 0..3 {
        stream
            .write_all(&[b'x'; 10_000])
            .await
            .expect("what is still on its way is read, not answered by a reset");
        tokio::task::yield_now().await;
    }
    let mut rest = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(rest.starts_with("431 "), "{rest}");
    server.stop().await;
}

#[tokio::test]
async fn after_too_large_a_body_the_connection_can_be_used_again() {
    let server = start(Limits { body_bytes: 1_000, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    let head = "POST /answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 400000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 400_000]).await.unwrap();
    let mut buf = [0u8; 4096];
    let n = timeout(PATIENCE, stream.read(&mut buf)).await.unwrap().unwrap();
    assert!(buf[..n].starts_with(b"HTTP/1.1 413 "));
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read_to_end(&mut stream).await.status, 200);
    server.stop().await;
}
