//! The thinnest whole journey through the use cases, with a mail port that keeps what it is given.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use touban::app::answers::{Choice, Ended, LinkAnswer, Opened};
use touban::app::consult::{Asking, Told};
use touban::app::outbox::{Sent, Task};
use touban::app::{App, Who};
use touban::domain::consult::{ConsultAnswer, NewConsult, Survey};
use touban::domain::dispatch::{Answer, Terms};
use touban::durable::runner::{RunnerSettings, outgoing};
use touban::ports::mail::{Delivered, MailError, MailPort, OutgoingMail};
use touban::store::jobs::Lane;

use crate::support::{PIN, TestOffice, on_both};

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<OutgoingMail>>);

impl MailPort for Kept {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<Delivered, MailError>> {
        self.0.lock().unwrap().push(mail.clone());
        Box::pin(async { Ok(Delivered { reply: "250".to_owned() }) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async { Ok(()) })
    }
}

async fn drain(app: &App, port: &Kept) {
    loop {
        let mut busy = false;
        while let Some(job) = app.work_take((Lane::Urgent, Lane::Reports), "test").await.unwrap() {
            busy = true;
            if let Task::Mail(mail) = app.work_prepare(&job, "test").await.unwrap() {
                let settings = RunnerSettings {
                    boot_id: "test".into(),
                    from: "touban@example.jp".into(),
                    reply_to: None,
                    poll: std::time::Duration::from_secs(1),
                    mail_workers: 1,
                    urgent_workers: 1,
                    self_check: std::time::Duration::from_secs(1),
                    housekeeping: touban::durable::schedule::Schedule::parse("0 30 3 * * *").unwrap(),
                    reviews: touban::durable::reviews::Reviews {
                        schedule: touban::durable::schedule::Schedule::parse("0 0 9 1 4,7,10 *").unwrap(),
                        after_days: 60,
                    },
                    stop: std::time::Duration::from_secs(1),
                };
                port.send(&outgoing(&settings, *mail)).await.unwrap();
                let sent = Sent::Delivered;
                assert!(app.work_finish(&job, "test", sent, None).await.unwrap());
            }
        }
        if !busy {
            return;
        }
    }
}

fn token_in(mail: &OutgoingMail) -> String {
    let rest = mail.text.split("/k#").nth(1).unwrap();
    rest.chars().take(43).collect()
}

on_both! {
    a_consult_is_asked_taken_from_a_mail_answered_and_counted,
}

async fn a_consult_is_asked_taken_from_a_mail_answered_and_counted(office: TestOffice) {
    let TestOffice { app, clock, association, .. } = &office;
    let start = app.now();
    let asker = Who::member(association, &office.asker);
    let new = NewConsult {
        specialty: "dermatology".into(),
        visit: false,
        area: "青葉北".into(),
        answer_by: start.plus_s(26 * 3_600),
        decade: 80,
        sex: "female".into(),
        condition: "wound".into(),
        can_travel: "no".into(),
        question: "山田花子さん83歳、仙骨部の黒色壊死。切除すべきでしょうか".into(),
        tried: "洗浄".into(),
        patient_ref: "Y.H.".into(),
        details: "ワルファリン内服".into(),
    };
    let asking = Asking { asker: office.asker.clone(), in_person: true, channel: "web" };
    let asked = app.consult_ask(&asker, asking, new, None).await.unwrap().into_inner();
    assert_eq!(asked.case_no, "R8-0001");
    let port = Kept::default();
    drain(app, &port).await;
    let offers: Vec<OutgoingMail> =
        port.0.lock().unwrap().iter().filter(|m| m.text.contains("/k#")).cloned().collect();
    assert_eq!(offers.len(), 3, "the first wave");
    for mail in &offers {
        for secret in ["山田", "83", "壊死", "Y.H.", "ワルファリン", "佐藤", "さとう内科"] {
            assert!(!format!("{}{}{}", mail.subject, mail.text, mail.html).contains(secret), "{secret}");
        }
    }
    let token = token_in(&offers[0]);
    match app.link_open(&token).await.unwrap() {
        Opened::Offer(open) => assert!(!open.blind.question.contains("山田"), "{}", open.blind.question),
        other => panic!("{other:?}"),
    }
    let accept = Choice::Accept { terms: Terms::Advice };
    let wrong = app.link_answer(&token, accept.clone(), Some("9999"), None, true).await.unwrap();
    assert!(matches!(wrong, LinkAnswer::PinWrong { tries_left: 4 }), "{wrong:?}");
    let taken = app.link_answer(&token, accept.clone(), Some(PIN), None, true).await.unwrap();
    let LinkAnswer::Accepted { request, session: Some(session), device: Some(_) } = taken else {
        panic!("{taken:?}");
    };
    let second = app.link_answer(&token_in(&offers[1]), accept, Some(PIN), None, true).await.unwrap();
    assert!(matches!(second, LinkAnswer::Ended { why: Ended::TakenByAnother, .. }), "{second:?}");
    let taker = app.session(session.as_str()).await.unwrap().unwrap();
    let case = app.case_read(&taker.who(), &taker.member.id, &request).await.unwrap();
    assert_eq!(case.detail.text().unwrap().patient_ref, "Y.H.");
    let told = Told {
        member: taker.member.id.clone(),
        answer: ConsultAnswer { assessment: "切除を".into(), ..ConsultAnswer::default() },
        minutes: 10,
        minutes_confirmed: true,
        outcome: "advice".into(),
    };
    clock.advance_s(600);
    let change = app.consult_report(&taker.who(), &request, told, None).await.unwrap();
    assert_eq!(change.answer, Answer::Done);
    let survey = Survey {
        avoided: "yes".into(),
        newly_needed: "no".into(),
        helpful: 5,
        in_time: "yes".into(),
        note: String::new(),
    };
    clock.advance_s(600);
    let change = app.consult_close(&asker, &request, Some(survey), None).await.unwrap();
    assert_eq!((change.answer, change.state.as_str()), (Answer::Done, "closed"));
    let lines = app.ledger_lines(association, Some(&request), "", 10).await.unwrap();
    let sides: Vec<_> = lines.iter().map(|l| (l.line.side.code(), l.line.amount.0)).collect();
    assert_eq!(sides.len(), 2);
    assert!(sides.iter().all(|(_, yen)| *yen > 0), "{lines:?}");
    drain(app, &port).await;
    let findings = app.verify().await.unwrap();
    assert!(findings.problems.is_empty(), "{findings:?}");
}
