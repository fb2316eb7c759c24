//! The thinnest whole journey through the use cases, with a mail port that keeps what it is given.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use touban::app::answers::{Choice, LinkAnswer, Opened};
use touban::app::consult::{Asking, Told};
use touban::app::people::{NewAssociation, NewInstitution, NewMember};
use touban::app::{App, Rules, Who};
use touban::domain::calendar::{Calendar, NightHours};
use touban::domain::consult::{ConsultAnswer, NewConsult, Survey};
use touban::domain::dispatch::{Answer, Plans, Terms};
use touban::domain::ledger::Tariffs;
use touban::domain::people::{Role, SpecialtyOffer, resolvable};
use touban::i18n::Lang;
use touban::ids::{MemberId, SeededChance};
use touban::ports::mail::{Delivered, MailError, MailPort, OutgoingMail};
use touban::seal::{Pin, Seal};
use touban::store::jobs::Lane;
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{ManualClock, Millis};

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
            if let touban::app::outbox::Task::Mail(mail) = app.work_prepare(&job, "test").await.unwrap() {
                let settings = touban::durable::runner::RunnerSettings {
                    boot_id: "test".into(),
                    from: "touban@example.jp".into(),
                    reply_to: None,
                    poll: std::time::Duration::from_secs(1),
                    mail_workers: 1,
                    urgent_workers: 1,
                    self_check: std::time::Duration::from_secs(1),
                    housekeeping: touban::durable::schedule::Schedule::parse("0 30 3 * * *").unwrap(),
                    stop: std::time::Duration::from_secs(1),
                };
                port.send(&touban::durable::runner::outgoing(&settings, *mail)).await.unwrap();
                let sent = touban::app::outbox::Sent::Delivered;
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

#[tokio::test]
async fn a_consult_is_asked_taken_from_a_mail_answered_and_counted() {
    let dir = std::env::temp_dir().join(format!("touban-journey-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("a.sqlite");
    let _ = std::fs::remove_file(&file);
    let db = Db::open(&DbSettings { url: format!("sqlite:{}", file.display()), connections: 4 }).await.unwrap();
    let start = Millis::parse_rfc3339("2026-11-20T10:00:00+09:00").unwrap();
    db.migrate(start).await.unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let chance: Arc<SeededChance> = Arc::new(SeededChance::new(1));
    let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance: chance.clone() };
    let tariffs = std::fs::read_to_string("config/tariffs.toml").unwrap();
    let plans = std::fs::read_to_string("config/plans.toml").unwrap();
    let rules = Rules {
        base_url: "https://touban.example.jp".into(),
        mail_host: "touban.example.jp".into(),
        plans: Plans::parse("plans.toml", &plans, &resolvable).unwrap(),
        tariffs: Tariffs::parse("tariffs.toml", &tariffs, "test").unwrap(),
        calendar: Calendar::national("test", NightHours::new(1_080, 480).unwrap()),
        sign_in_life_s: 600,
        offer_life_max_s: 259_200,
        device_life_s: 90 * 86_400,
        session_idle_s: 1_800,
        session_max_s: 43_200,
        pin_tries_per_link: 5,
        pin_tries_total: 10,
        mail_retry_s: vec![60],
        urgent_mail_retry_s: vec![5],
        alarm_repeat_s: 60,
        lease_s: 30,
        poison_tries: 5,
        replay_keep_s: 7 * 86_400,
    };
    let app = App::new(db, vault, clock.clone(), rules);
    let association = app
        .association_add(NewAssociation {
            code: "aoba".into(),
            name: "青葉市医師会".into(),
            zone: chrono_tz::Asia::Tokyo,
            office_phone: "042-000-0000".into(),
            lang: Lang::Ja,
        })
        .await
        .unwrap();
    let cli = Who::cli(&association);
    let mut members: Vec<MemberId> = Vec::new();
    for i in 0..5 {
        let institution = NewInstitution {
            name: format!("医院{i}"),
            kind: "clinic".into(),
            area: "青葉北".into(),
            city_code: "139999".into(),
            phone: Some("042-000-1111".into()),
        };
        let institution = app.institution_add(&cli, institution, None).await.unwrap().into_inner();
        let new = NewMember {
            name: format!("医師{i}"),
            kana: String::new(),
            institution: Some(institution),
            email: Some(format!("d{i}@example.jp")),
            phone: Some("090-0000-0000".into()),
            roles: if i == 0 { vec![Role::Physician, Role::Coordinator] } else { vec![Role::Specialist] },
            lang: Lang::Ja,
            specialties: if i == 0 {
                vec![]
            } else {
                vec![SpecialtyOffer {
                    specialty: "dermatology".into(),
                    visits: i == 1,
                    areas: vec![],
                    days: vec![],
                    from_min: 0,
                    to_min: 0,
                    monthly_cap: None,
                }]
            },
        };
        let pin = Pin::parse("1234").unwrap();
        members.push(app.member_add(&cli, new, Some(&pin), None).await.unwrap().into_inner());
    }
    let asker = Who::member(&association, &members[0]);
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
    let asking = Asking { asker: members[0].clone(), in_person: true, channel: "web" };
    let asked = app.consult_ask(&asker, asking, new, None).await.unwrap().into_inner();
    assert_eq!(asked.case_no, "R8-0001");
    let port = Kept::default();
    drain(&app, &port).await;
    let offers: Vec<OutgoingMail> =
        port.0.lock().unwrap().iter().filter(|m| m.text.contains("/k#")).cloned().collect();
    assert_eq!(offers.len(), 3, "the first wave");
    for mail in &offers {
        for secret in ["山田", "83", "壊死", "Y.H.", "ワルファリン", "医師0", "医院0"] {
            assert!(!format!("{}{}{}", mail.subject, mail.text, mail.html).contains(secret), "{secret}");
        }
    }
    println!("{}\n{}", offers[0].subject, offers[0].text);
    let token = token_in(&offers[0]);
    match app.link_open(&token).await.unwrap() {
        Opened::Offer(open) => assert!(!open.blind.question.contains("山田"), "{}", open.blind.question),
        other => panic!("{other:?}"),
    }
    let accept = Choice::Accept { terms: Terms::Advice };
    let wrong = app.link_answer(&token, accept.clone(), Some("9999"), None, true).await.unwrap();
    assert!(matches!(wrong, LinkAnswer::PinWrong { tries_left: 4 }), "{wrong:?}");
    let taken = app.link_answer(&token, accept.clone(), Some("1234"), None, true).await.unwrap();
    let LinkAnswer::Accepted { request, session: Some(session), device: Some(_) } = taken else {
        panic!("{taken:?}");
    };
    let second = app.link_answer(&token_in(&offers[1]), accept, Some("1234"), None, true).await.unwrap();
    assert!(
        matches!(second, LinkAnswer::Ended { why: touban::app::answers::Ended::TakenByAnother, .. }),
        "{second:?}"
    );
    let taker = app.session(session.as_str()).await.unwrap().unwrap();
    let case = app.case_read(&taker.who(), &taker.member.id, &request).await.unwrap();
    assert_eq!(case.detail.patient_ref, "Y.H.");
    assert_eq!(case.phones.get(&members[0]).map(String::as_str), Some("090-0000-0000"));
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
    let lines = app.ledger_lines(&association, Some(&request), "", 10).await.unwrap();
    let sides: Vec<_> = lines.iter().map(|l| (l.line.side.code(), l.line.amount.0)).collect();
    println!("{sides:?}");
    assert_eq!(sides.len(), 2);
    assert!(sides.iter().all(|(_, yen)| *yen > 0), "{lines:?}");
    drain(&app, &port).await;
    let findings = app.verify().await.unwrap();
    assert!(findings.problems.is_empty(), "{findings:?}");
    app.db.close().await;
    std::fs::remove_dir_all(&dir).unwrap();
}
