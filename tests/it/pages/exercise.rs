//! The exercise: what only `touban demo` has.

use std::sync::Arc;

use touban::app::demo::{Demo, DemoPerson};
use touban::ports::mail::{FolderMail, MailPort, OutgoingMail};
use touban::ports::phone::Simulator;
use touban::time::{Clock, LeapingClock};
use touban::web::Web;

use super::browser::{Browser, CONSULT, mails};
use crate::support::{PIN, TestOffice};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_is_led_from_the_question_to_the_mailbox_and_through_time() {
    let office = TestOffice::sqlite().await;
    let folder = std::env::temp_dir().join(format!("touban-it-mailbox-{}", std::process::id()));
    let mailbox = Arc::new(FolderMail::new(&folder).unwrap());
    let person = |key: &str, member: &touban::ids::MemberId| DemoPerson {
        key: key.to_owned(),
        member: member.clone(),
        pin: PIN.to_owned(),
    };
    let clock = Arc::new(LeapingClock::default());
    let demo = Demo {
        association: office.association.clone(),
        clock: clock.clone(),
        mailbox: mailbox.clone(),
        phones: Simulator::new(),
        sounds: None,
        night: String::new(),
        nurse: (String::new(), String::new()),
        numbers: std::collections::BTreeMap::new(),
        pins: std::collections::BTreeMap::new(),
        people: vec![
            person("asker", &office.asker),
            person("clerk", &office.clerk),
            person("ito", &office.dermatologists[0]),
        ],
        asker: "asker".into(),
        clerk: "clerk".into(),
    };
    let web = Web { demo: Some(Arc::new(demo)), ..office.web() };
    let served = office.serve_router(touban::web::router::router(web)).await;
    let visitor = Browser::new(&served);

    let start = visitor.get("/").await;
    assert_eq!(start.path, "/demo");
    start.says("佐藤 健 先生として始める").says("協力医").says("伊藤 静 皮膚科").says(PIN);
    assert!(!start.text().contains("できました"));
    assert_eq!(visitor.get("/").await.path, "/", "led there once");
    let form = visitor.submit(&start, "/demo/as", &[("person", "asker")]).await;
    assert_eq!(form.path, "/consults/new");
    visitor.submit(&form, "/consults", CONSULT).await.says("相談を送りました");
    for mail in mails(&office.app).await {
        let out = OutgoingMail {
            message_id: mail.message_id,
            from: "touban@aoba.example.jp".into(),
            from_name: Some(mail.from_name),
            reply_to: None,
            to: mail.to,
            to_name: Some(mail.to_name),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            in_reply_to: mail.in_reply_to,
            date: mail.date,
        };
        mailbox.send(&out).await.unwrap();
    }
    let start = visitor.get("/demo").await;
    start.says("できました").says("届いたメールを見る（3通）");
    let list = visitor.get("/demo/mailbox").await;
    list.says("相談のお願い").says("@aoba.example.jp");
    let mail = visitor.get("/demo/mailbox/00000001").await;
    mail.says("内容を見て返事をする").says("スマートフォンの大きさで開く");
    visitor.get("/demo/mailbox/00000001?tab=source").await.says("Message-ID");
    let alone = visitor.get("/demo/mailbox/00000001/html").await;
    assert!(
        alone.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox; default-src 'none'")
    );
    assert_eq!(visitor.get("/demo/mailbox/9").await.status, 404);

    let before = clock.now();
    visitor.submit(&start, "/demo/leap", &[("leap", "30m")]).await.says("できました");
    assert!(clock.now().since_ms(before) >= 1_800_000);
    let clerk = visitor.submit(&start, "/demo/as", &[("person", "clerk")]).await;
    // The form was drawn for somebody else in the meantime; a fresh one works.
    assert!(matches!(clerk.status.as_u16(), 200 | 403));
    let start = visitor.get("/demo").await;
    assert_eq!(visitor.submit(&start, "/demo/as", &[("person", "clerk")]).await.path, "/ledger");
    let nobody = visitor.get("/demo").await;
    assert_eq!(visitor.submit(&nobody, "/demo/as", &[("person", "nobody")]).await.status, 404);
    std::fs::remove_dir_all(folder).unwrap();
}
