//! Mail against servers: the real Postfix of `scripts/lib/postfix.sh`, and one that fails on command.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mail_parser::{MessageParser, MimeHeaders};
use touban::ports::mail::{
    Delivered, MailError, MailPort, OutgoingMail, Secret, Security, SmtpMail, SmtpSettings,
};
use touban::time::Millis;

use crate::support_smtp::{Act, At, FaultySmtp, Script};

const PATIENCE: Duration = Duration::from_secs(10);

fn mail(id: &str) -> OutgoingMail {
    OutgoingMail {
        message_id: format!("<{id}.offer@touban.example.jp>"),
        from: "jimukyoku@example.jp".to_owned(),
        from_name: Some("青葉市医師会 事務局".to_owned()),
        reply_to: Some("henshin@example.jp".to_owned()),
        to: "sensei@example.jp".to_owned(),
        to_name: Some("榎本 皮膚科".to_owned()),
        subject: "【皮膚科】20時まで 相談のお願い R8-0412".to_owned(),
        text: "相談のお願いです。\nhttp://localhost/o/abc\n.\n--\n終わり\n".to_owned(),
        html: "<p>相談のお願いです。</p>".to_owned(),
        in_reply_to: Some(format!("<{id}.first@touban.example.jp>")),
        date: Millis::parse_rfc3339("2026-11-20T19:40:00+09:00").unwrap(),
    }
}

fn plain_settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        allow_plain: false,
        username: Some("touban".to_owned()),
        password: Some(Secret::from("geheim".to_owned())),
        ca_file: None,
        hello_name: None,
        send_budget_s: 2,
    }
}

fn towards(server: &FaultySmtp) -> SmtpMail {
    SmtpMail::new(plain_settings(server.port())).unwrap()
}

async fn outcome(act: Act) -> (Result<Delivered, MailError>, FaultySmtp) {
    let server = FaultySmtp::start(Script::always(act)).await;
    let result = towards(&server).send(&mail("m1")).await;
    (result, server)
}

fn temporary(result: &Result<Delivered, MailError>) -> (&str, bool) {
    match result {
        Err(MailError::Temporary { reason, in_doubt }) => (reason, *in_doubt),
        other => panic!("not temporary: {other:?}"),
    }
}

// ---- The server that fails on command ----

#[tokio::test]
async fn a_mail_is_handed_over_and_the_answer_is_only_its_codes() {
    let (result, server) = outcome(Act::Deliver).await;
    assert_eq!(result, Ok(Delivered { reply: "250 2.0.0".to_owned() }));
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].answered);
    assert_eq!(received[0].from, "jimukyoku@example.jp");
    assert_eq!(received[0].to, ["sensei@example.jp"]);
    assert_eq!(received[0].message_id(), mail("m1").message_id);
    assert_eq!(received[0].subject(), mail("m1").subject);
    assert_eq!(received[0].text(), mail("m1").text, "a line with one dot survives the wire");
    assert_eq!(received[0].html(), mail("m1").html);
}

#[tokio::test]
async fn every_mail_has_a_connection_of_its_own() {
    let server = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let port = towards(&server);
    for id in ["m1", "m2", "m3"] {
        port.send(&mail(id)).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_office_without_a_server_tries_again_later() {
    let server = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let port = towards(&server);
    drop(server);
    let deadline = Instant::now() + PATIENCE;
    let result = loop {
        // The listener goes when its task has noticed.
        let result = port.send(&mail("m1")).await;
        if result.is_err() || Instant::now() > deadline {
            break result;
        }
    };
    assert_eq!(temporary(&result), ("connecting: connection refused", false));
}

#[tokio::test]
async fn a_reset_before_the_banner_is_tried_again_without_doubt() {
    let (result, _server) = outcome(Act::Refuse).await;
    assert!(!temporary(&result).1);
}

#[tokio::test]
async fn a_server_slower_than_the_budget_is_left() {
    let started = Instant::now();
    let (result, server) = outcome(Act::SlowBanner(Duration::from_secs(30))).await;
    assert_eq!(temporary(&result), ("greeting: no answer within the time budget", false));
    assert!(started.elapsed() < Duration::from_secs(4), "the budget is two seconds");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_server_slow_within_the_budget_still_gets_the_mail() {
    let (result, server) = outcome(Act::SlowBanner(Duration::from_millis(300))).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_outage_ends_and_the_same_mail_goes_out() {
    let server =
        FaultySmtp::start(Script::first([Act::Refuse]).then(Act::Answer(At::Hello, "421 4.3.2 no"))).await;
    let port = towards(&server);
    for _ in 0..3 {
        assert!(port.send(&mail("m1")).await.is_err_and(|e| e.is_retryable() && !e.in_doubt()));
    }
    server.now(Script::always(Act::Deliver));
    port.send(&mail("m1")).await.unwrap();
    assert_eq!(server.received().iter().map(|m| m.connection).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn four_hundreds_mean_later_wherever_they_come() {
    for (at, reply) in [
        (At::Banner, "421 4.3.2 not now"),
        (At::Hello, "421 4.3.2 not now"),
        (At::Auth, "454 4.7.0 no password server"),
        (At::Sender, "451 4.3.0 later"),
        (At::Recipient, "450 4.7.1 <sensei@example.jp>: greylisted"),
        (At::Data, "451 4.3.0 later"),
        (At::Content, "450 4.3.0 later"),
    ] {
        let (result, server) = outcome(Act::Answer(at, reply)).await;
        let (reason, in_doubt) = temporary(&result);
        assert!(!in_doubt, "{at:?}: a clear answer leaves no doubt");
        assert!(reason.ends_with(&reply[..9]), "{at:?}: {reason}");
        assert!(server.received().is_empty(), "{at:?}");
    }
}

#[tokio::test]
async fn a_greylisting_server_takes_the_second_try() {
    let server = FaultySmtp::start(Script::always(Act::Greylist)).await;
    let port = towards(&server);
    assert!(port.send(&mail("m1")).await.unwrap_err().is_retryable());
    assert!(port.send(&mail("m1")).await.is_ok());
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_unknown_mailbox_is_permanent_and_its_reason_holds_no_address() {
    let (result, _server) =
        outcome(Act::Answer(At::Recipient, "550 5.1.1 <sensei@example.jp>: no such user")).await;
    let expected = "naming the recipient: 550 5.1.1".to_owned();
    assert_eq!(result, Err(MailError::Permanent { reason: expected }));
}

#[tokio::test]
async fn a_refused_content_is_permanent() {
    let (result, _server) = outcome(Act::Answer(At::Content, "552 5.3.4 too big")).await;
    assert_eq!(result, Err(MailError::Permanent { reason: "sending the content: 552 5.3.4".to_owned() }));
}

#[tokio::test]
async fn a_fault_of_ours_blames_no_doctor() {
    for (at, reply) in [
        (At::Banner, "554 5.7.1 you are not welcome"),
        (At::Hello, "550 5.7.1 bad name"),
        (At::Auth, "535 5.7.8 wrong password"),
        (At::Sender, "553 5.7.1 sender not owned"),
        (At::Recipient, "554 5.7.1 <sensei@example.jp>: relay access denied"),
        (At::Recipient, "530 sign in first"),
        (At::Recipient, "550 5.1.8 sender's domain does not exist"),
        (At::Content, "550 5.7.26 not authenticated by SPF or DKIM"),
    ] {
        let (result, _server) = outcome(Act::Answer(at, reply)).await;
        let Err(MailError::Misconfigured { reason }) = result else { panic!("{at:?} {reply}: {result:?}") };
        assert!(reason.contains(&reply[..3]) && !reason.contains('@'), "{reason}");
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_mail_in_doubt_and_the_second_copy_carries_the_same_id() {
    for act in [Act::LoseReply, Act::ResetAfterContent, Act::SlowAnswer(Duration::from_secs(30))] {
        let server = FaultySmtp::start(Script::first([act.clone()])).await;
        let port = towards(&server);
        let first = port.send(&mail("m1")).await;
        assert!(first.as_ref().is_err_and(MailError::in_doubt), "{act:?}: {first:?}");
        assert!(port.send(&mail("m1")).await.is_ok());
        let received = server.received();
        assert_eq!(received.last().map(|m| m.answered), Some(true));
        assert!(received.iter().all(|m| m.message_id() == mail("m1").message_id));
        assert!(received.len() <= 2, "one copy more than in-doubt endings at most");
    }
}

#[tokio::test]
async fn a_reset_within_the_content_counts_as_in_doubt() {
    let (result, server) = outcome(Act::ResetInContent).await;
    assert!(result.as_ref().is_err_and(MailError::in_doubt), "{result:?}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn an_attempt_goes_on_when_nobody_waits_for_it_any_more() {
    let server = FaultySmtp::start(Script::always(Act::SlowBanner(Duration::from_millis(300)))).await;
    let port = towards(&server);
    let impatient = tokio::time::timeout(Duration::from_millis(50), port.send(&mail("m1"))).await;
    assert!(impatient.is_err());
    assert!(server.wait_for(1, PATIENCE).await[0].answered);
}

#[tokio::test]
async fn the_check_signs_in_and_sends_nothing() {
    let server = FaultySmtp::start(Script::always(Act::Deliver)).await;
    towards(&server).check().await.unwrap();
    assert_eq!((server.connections(), server.received().len()), (1, 0));
    server.now(Script::always(Act::Answer(At::Auth, "535 5.7.8 wrong password")));
    let refused = towards(&server).check().await;
    assert_eq!(refused, Err(MailError::Misconfigured { reason: "signing in: 535 5.7.8".to_owned() }));
}

#[tokio::test]
async fn an_address_that_no_server_can_take_is_refused_before_connecting() {
    let server = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let bent = OutgoingMail { to: "a@example.jp>\r\nRCPT TO:<b@example.jp".to_owned(), ..mail("m1") };
    let result = towards(&server).send(&bent).await;
    assert!(matches!(result, Err(MailError::Permanent { .. })), "{result:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn starttls_that_is_not_offered_stops_the_mail() {
    let server = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let settings = SmtpSettings { security: Security::StartTls, ..plain_settings(server.port()) };
    let result = SmtpMail::new(settings).unwrap().send(&mail("m1")).await;
    let reason = "starting TLS: the server does not offer STARTTLS".to_owned();
    assert_eq!(result, Err(MailError::Misconfigured { reason }));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn replies_forged_before_tls_break_the_handshake() {
    let server = FaultySmtp::start(Script::always(Act::InjectAfterStartTls)).await;
    let settings = SmtpSettings { security: Security::StartTls, ..plain_settings(server.port()) };
    let result = SmtpMail::new(settings).unwrap().send(&mail("m1")).await;
    let Err(MailError::Misconfigured { reason }) = result else { panic!("{result:?}") };
    assert!(reason.starts_with("starting TLS: "), "{reason}");
}

// ---- The real Postfix ----

struct Postfix {
    settings: SmtpSettings,
    other_ca: PathBuf,
    maildir: PathBuf,
}

/// The Postfix that `scripts/test` starts. Without it these tests fail; they are never skipped.
fn postfix() -> Postfix {
    let set = |name: &str| {
        let name = format!("TOUBAN_TEST_SMTP_{name}");
        std::env::var(&name)
            .unwrap_or_else(|_| panic!("{name} is not set: run scripts/test, which starts Postfix"))
    };
    Postfix {
        settings: SmtpSettings {
            host: set("HOST"),
            port: Some(set("PORT").parse().expect("a port number")),
            security: Security::StartTls,
            allow_plain: false,
            username: Some(set("USER")),
            password: Some(Secret::from(set("PASSWORD"))),
            ca_file: Some(PathBuf::from(set("CA"))),
            hello_name: Some("touban.example.jp".to_owned()),
            send_budget_s: 10,
        },
        other_ca: PathBuf::from(set("OTHER_CA")),
        maildir: PathBuf::from(set("MAILDIR")),
    }
}

impl Postfix {
    /// The raw bytes of the mail with this id, once Postfix has put it into the mailbox.
    async fn arrived(&self, message_id: &str) -> Vec<u8> {
        let wanted = format!("\nMessage-ID: {message_id}\n");
        let deadline = Instant::now() + PATIENCE;
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            look.tick().await;
            for entry in std::fs::read_dir(self.maildir.join("new")).into_iter().flatten().flatten() {
                let bytes = std::fs::read(entry.path()).expect("a mail to read");
                if bytes.windows(wanted.len()).any(|w| w == wanted.as_bytes()) {
                    return bytes;
                }
            }
            assert!(Instant::now() < deadline, "{message_id} did not arrive");
        }
    }

    async fn round(&self, mail: &OutgoingMail) -> Vec<u8> {
        let port = SmtpMail::new(self.settings.clone()).expect("settings");
        let sent = port.send(mail).await.expect("a delivery");
        assert!(sent.reply.starts_with("250 2."), "{sent:?}");
        self.arrived(&mail.message_id).await
    }

    async fn refused(&self, settings: SmtpSettings) -> String {
        match SmtpMail::new(settings).expect("settings").send(&mail("never")).await {
            Err(MailError::Misconfigured { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }
}

/// Ids that no earlier run against the same mailbox has used.
fn fresh(name: &str) -> String {
    use touban::ids::{Chance, SystemChance};
    let mut bytes = [0u8; 8];
    SystemChance.fill(&mut bytes);
    format!("{name}-{:016x}", u64::from_le_bytes(bytes))
}

#[tokio::test]
async fn postfix_delivers_japanese_as_it_was_written() {
    let sent = mail(&fresh("ja"));
    let bytes = postfix().round(&sent).await;
    assert!(bytes.is_ascii(), "nothing depends on 8-bit servers");
    let read = MessageParser::default().parse(&bytes).unwrap();

    let from = read.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (sent.from_name.as_deref(), Some("jimukyoku@example.jp")));
    let to = read.to().unwrap().first().unwrap();
    assert_eq!((to.name(), to.address()), (sent.to_name.as_deref(), Some("sensei@example.jp")));
    assert_eq!(read.reply_to().unwrap().first().unwrap().address(), Some("henshin@example.jp"));
    assert_eq!(read.subject(), Some(sent.subject.as_str()));
    assert_eq!(read.date().unwrap().to_timestamp() * 1_000, sent.date.0);
    assert_eq!(read.header_raw("Message-ID").map(str::trim), Some(sent.message_id.as_str()));
    assert_eq!(read.header_raw("In-Reply-To").map(str::trim), sent.in_reply_to.as_deref());
    assert_eq!(read.header_raw("References").map(str::trim), sent.in_reply_to.as_deref());
    assert_eq!(read.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert_eq!(read.header_raw("Content-Language").map(str::trim), Some("ja"));
    let kind = read.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), sent.text);
    assert_eq!(read.body_html(0).unwrap(), sent.html);
    let received = read.header_raw("Received").unwrap();
    assert!(received.contains("with ESMTPSA"), "under TLS and signed in: {received}");
}

#[tokio::test]
async fn postfix_delivers_a_long_subject_folded_and_whole() {
    let subject = "【皮膚科】在宅の方の褥瘡についてご相談 写真2枚 本日20時まで ".repeat(4).trim().to_owned();
    let sent = OutgoingMail { subject: subject.clone(), ..mail(&fresh("long")) };
    let bytes = postfix().round(&sent).await;
    let longest = bytes.split(|b| *b == b'\n').map(<[u8]>::len).max().unwrap();
    assert!(longest <= 76, "a line of {longest} octets");
    assert_eq!(MessageParser::default().parse(&bytes).unwrap().subject(), Some(subject.as_str()));
}

#[tokio::test]
async fn old_carrier_addresses_are_reached() {
    for (name, to, envelope) in [
        ("dots", "foo..bar@docomo.ne.jp", "\"foo..bar\"@docomo.ne.jp"),
        ("end", "foo.@docomo.ne.jp", "\"foo.\"@docomo.ne.jp"),
        ("start", ".foo@docomo.ne.jp", "\".foo\"@docomo.ne.jp"),
        ("quoted", "\"foo..bar.\"@docomo.ne.jp", "\"foo..bar.\"@docomo.ne.jp"),
    ] {
        let sent = OutgoingMail { to: to.to_owned(), ..mail(&fresh(name)) };
        let bytes = postfix().round(&sent).await;
        let read = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(read.header_raw("Delivered-To").map(str::trim), Some(envelope));
        assert!(read.header_raw("To").unwrap().trim().ends_with(&format!("<{envelope}>")));
        assert_eq!(read.to().unwrap().first().unwrap().name(), sent.to_name.as_deref());
    }
}

#[tokio::test]
async fn postfix_refuses_an_unknown_mailbox_for_good() {
    let gone = OutgoingMail { to: "gone@example.jp".to_owned(), ..mail(&fresh("gone")) };
    let result = SmtpMail::new(postfix().settings).unwrap().send(&gone).await;
    let reason = "naming the recipient: 550 5.1.1".to_owned();
    assert_eq!(result, Err(MailError::Permanent { reason }));
}

#[tokio::test]
async fn a_wrong_password_is_a_fault_of_the_settings() {
    let server = postfix();
    let wrong = SmtpSettings { password: Some(Secret::from("wrong".to_owned())), ..server.settings.clone() };
    assert_eq!(server.refused(wrong).await, "signing in: 535 5.7.8");
}

#[tokio::test]
async fn postfix_takes_no_mail_from_strangers() {
    let server = postfix();
    let stranger = SmtpSettings { username: None, password: None, ..server.settings.clone() };
    // Postfix delays its refusal of the client until the recipient is named: still nobody's dead mailbox.
    assert_eq!(server.refused(stranger).await, "naming the recipient: 554 5.7.1");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = postfix();
    for ca_file in [None, Some(server.other_ca.clone())] {
        let reason = server.refused(SmtpSettings { ca_file, ..server.settings.clone() }).await;
        assert!(reason.contains("invalid peer certificate: UnknownIssuer"), "{reason}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = postfix();
    let by_number = SmtpSettings { host: "127.0.0.1".to_owned(), ..server.settings.clone() };
    let reason = server.refused(by_number).await;
    assert!(reason.starts_with("starting TLS: ") && reason.contains("not valid for name"), "{reason}");
}

#[tokio::test]
async fn mail_in_the_clear_is_refused_by_both_sides() {
    let server = postfix();
    let clear = SmtpSettings {
        security: Security::None,
        username: None,
        password: None,
        ca_file: None,
        ..server.settings.clone()
    };
    assert_eq!(server.refused(clear).await, "naming the sender: 530 5.7.0");
    let clear_elsewhere = SmtpSettings {
        host: "mail.example.jp".to_owned(),
        security: Security::None,
        ..server.settings.clone()
    };
    assert!(SmtpMail::new(clear_elsewhere).is_err());
}

#[tokio::test]
async fn tls_from_the_first_byte_does_not_fall_back_to_starttls() {
    let server = postfix();
    let reason = server.refused(SmtpSettings { security: Security::Tls, ..server.settings.clone() }).await;
    assert!(reason.starts_with("starting TLS: "), "{reason}");
}

#[tokio::test]
async fn the_check_passes_against_postfix() {
    SmtpMail::new(postfix().settings).unwrap().check().await.unwrap();
}
