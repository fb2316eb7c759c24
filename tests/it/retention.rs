//! What happens to the texts of a case when their time is over, with a clock that is moved by years.

use touban::app::answers::{Choice, LinkAnswer};
use touban::app::consult::{Asked, Asking, Told};
use touban::app::people::NewMember;
use touban::app::replay::Key;
use touban::app::retention::Held;
use touban::app::views::FullCase;
use touban::app::{AppError, Who};
use touban::domain::consult::{ConsultAnswer, NewConsult, Survey};
use touban::domain::dispatch::Terms;
use touban::domain::people::Role;
use touban::domain::retention::{RetentionYears, TextKind};
use touban::ids::{LinkId, MemberId, RequestId};
use touban::store::retention::sealed_columns;
use touban::store::{Statement, all_statements};
use touban::time::Millis;

use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    texts_go_when_every_case_of_their_month_is_past_its_time,
    a_case_on_hold_outlives_its_month_and_goes_when_the_hold_is_lifted,
    a_hold_on_everything_keeps_everything,
    numbers_from_before_the_lasting_key_are_moved_before_their_month_goes,
    the_monthly_job_reports_once_and_tells_who_answers_for_it,
    a_run_that_is_broken_off_is_finished_by_the_next,
    years_are_kept_within_bounds_and_changed_by_one_at_a_time,
}

/// A statement of a test's own. It is never freed, as statements never are.
fn statement(sql: &str) -> &'static Statement {
    let text: &'static str = Box::leak(sql.to_owned().into_boxed_str());
    Box::leak(Box::new(Statement { name: "TEST", sqlite: text, postgres: text }))
}

async fn rows(office: &TestOffice, sql: &str) -> Vec<touban::store::Row> {
    let mut conn = office.app.db.read().await.unwrap();
    conn.all(statement(sql), &[]).await.unwrap()
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

fn asker(office: &TestOffice) -> Who {
    Who::member(&office.association, &office.asker)
}

async fn ask(office: &TestOffice, canary: &str) -> Asked {
    let new = NewConsult {
        specialty: "dermatology".into(),
        visit: false,
        area: "青葉北".into(),
        answer_by: office.app.now().plus_s(26 * 3_600),
        decade: 80,
        sex: "female".into(),
        condition: "wound".into(),
        can_travel: "no".into(),
        question: format!("発疹が三週間続いています。{canary}"),
        tried: String::new(),
        patient_ref: "A.K.".into(),
        details: String::new(),
    };
    let asking = Asking { asker: office.asker.clone(), in_person: true, channel: "web" };
    office.app.consult_ask(&asker(office), asking, new, None).await.unwrap().into_inner()
}

/// Asked, taken, answered and closed now.
async fn closed_case(office: &TestOffice, canary: &str) -> Asked {
    let (app, asked) = (&office.app, ask(office, canary).await);
    let sql = format!(
        "SELECT link_id, member_id FROM link WHERE request_id = '{}' ORDER BY link_id",
        asked.request
    );
    let link = &rows(office, &sql).await[0];
    let taker = MemberId::from_stored(&link.text("member_id").unwrap()).unwrap();
    let token = app.vault.seal.link_token(&LinkId::from_stored(&link.text("link_id").unwrap()).unwrap());
    let choice = Choice::Accept { terms: Terms::Advice };
    let taken = app.link_answer(token.as_str(), choice, Some(PIN), None, false).await.unwrap();
    assert!(matches!(taken, LinkAnswer::Accepted { .. }), "{taken:?}");
    let told = Told {
        member: taker.clone(),
        answer: ConsultAnswer {
            assessment: canary.into(),
            do_now: "軟膏を".into(),
            ..ConsultAnswer::default()
        },
        minutes: 10,
        minutes_confirmed: true,
        outcome: "advice".into(),
    };
    let who = Who::member(&office.association, &taker);
    app.consult_report(&who, &asked.request, told, None).await.unwrap();
    close(office, &asked.request).await;
    asked
}

async fn close(office: &TestOffice, request: &RequestId) {
    let survey = Survey {
        avoided: "yes".into(),
        newly_needed: "no".into(),
        helpful: 5,
        in_time: "yes".into(),
        note: "助かりました".into(),
    };
    office.app.consult_close(&asker(office), request, Some(survey), None).await.unwrap();
}

async fn read(office: &TestOffice, request: &RequestId) -> FullCase {
    office.app.case_read(&asker(office), &office.asker, request).await.unwrap()
}

/// Nothing wrong in the whole database.
async fn sound(office: &TestOffice) {
    let problems = office.app.verify().await.unwrap().problems;
    assert!(problems.is_empty(), "{problems:#?}");
}

async fn texts_go_when_every_case_of_their_month_is_past_its_time(office: TestOffice) {
    let app = &office.app;
    let first = closed_case(&office, "canary-first").await;
    // The same month, closed ten days later: until then their key is shared.
    office.clock.set(at("2026-11-29T10:00:00+09:00"));
    let second = closed_case(&office, "canary-second").await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let third = closed_case(&office, "canary-third").await;
    // What an intruder would look for: the wrapped key of November.
    let sql = "SELECT wrapped FROM month_key WHERE month = '2026-11'";
    let wrapped = rows(&office, sql).await[0].text("wrapped").unwrap();

    // Five years after the first case the second one still has its time.
    office.clock.set(at("2031-11-22T04:00:00+09:00"));
    assert_eq!(app.retention_due().await.unwrap(), 0);
    assert_eq!(read(&office, &first.request).await.detail.text().unwrap().patient_ref, "A.K.");

    office.clock.set(at("2031-12-01T04:00:00+09:00"));
    assert_eq!(app.retention_due().await.unwrap(), 1);
    for gone in [&first, &second] {
        let full = read(&office, &gone.request).await;
        assert_eq!(full.destroyed(), Some(at("2031-12-01T04:00:00+09:00")));
        assert!(full.blind.text().is_none() && full.detail.text().is_none());
        assert!(full.told.iter().all(|t| t.answer.text().is_none() && t.minutes == 10));
        assert!(full.survey.unwrap().text().is_none());
        // The case itself, its times and its lines are there; so are the numbers of the people in it.
        assert_eq!(full.line.case.case_no, gone.case_no);
    }
    assert!(read(&office, &third.request).await.detail.text().unwrap().question.contains("canary-third"));
    let lines = app.ledger_lines(&office.association, Some(&first.request), "", 10).await.unwrap();
    assert!(lines.len() >= 2);
    sound(&office).await;

    // Neither the texts nor the key that opened them stand anywhere in the database.
    for (table, sql) in [
        ("month_key", "SELECT wrapped AS t FROM month_key"),
        ("audit_event", "SELECT detail AS t FROM audit_event"),
        ("job", "SELECT body AS t FROM job"),
        ("idempotency", "SELECT body AS t FROM idempotency"),
        ("completed_event", "SELECT body AS t FROM completed_event"),
        ("retention_destroyed", "SELECT body AS t FROM retention_destroyed"),
    ] {
        for row in rows(&office, sql).await {
            let text = row.text("t").unwrap();
            assert!(!text.contains("canary") && !text.contains(&wrapped), "{table}: {text}");
        }
    }
    if let Some(file) = office.app.db.file() {
        for name in ["", "-wal"] {
            let bytes = std::fs::read(format!("{}{name}", file.display())).unwrap();
            for needle in [wrapped.as_bytes(), b"canary-first".as_slice()] {
                let found = bytes.windows(needle.len()).any(|w| w == needle);
                assert!(!found, "the file{name} still holds {}", String::from_utf8_lossy(needle));
            }
        }
    }
    // Nothing new can be written under the key that went.
    let months: Vec<String> = rows(&office, "SELECT month FROM month_key WHERE destroyed_at_ms IS NOT NULL")
        .await
        .iter()
        .map(|r| r.text("month").unwrap())
        .collect();
    assert_eq!(months, ["2026-11"]);
    // A second run, in the same month and in the next, finds nothing.
    assert!(app.retention_run(&office.cli()).await.unwrap().is_empty());
    office.clock.set(at("2032-01-01T04:00:00+09:00"));
    assert_eq!(app.retention_due().await.unwrap(), 1, "December 2026");
    assert_eq!(app.retention_due().await.unwrap(), 0);
    sound(&office).await;
}

async fn a_case_on_hold_outlives_its_month_and_goes_when_the_hold_is_lifted(office: TestOffice) {
    let (app, who) = (&office.app, office.cli());
    let plain = closed_case(&office, "canary-plain").await;
    let held = closed_case(&office, "canary-held").await;
    for (held, reason, field) in [
        (Held::Case("R8-9999".into()), "訴訟", "case"),
        (Held::Case("mixed up".into()), "訴訟", "case"),
        (Held::Everything, " ", "reason"),
    ] {
        match app.hold_put(&who, held, reason, None).await {
            Err(AppError::Invalid(wrong)) => assert_eq!(wrong[0].field, field),
            other => panic!("{other:?}"),
        }
    }
    let hold = app.hold_put(&who, Held::Case(held.case_no.clone()), "訴訟のため", None).await.unwrap();

    office.clock.set(at("2031-12-01T04:00:00+09:00"));
    let done = app.retention_run(&who).await.unwrap();
    let [key] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!((key.key.as_str(), key.cases, key.held_moved), ("2026-11", 1, 4));
    assert!(read(&office, &plain.request).await.detail.text().is_none());
    let full = read(&office, &held.request).await;
    assert!(full.detail.text().unwrap().question.contains("canary-held"));
    assert_eq!(full.told[0].answer.text().unwrap().assessment, "canary-held");
    assert_eq!(full.survey.unwrap().text().unwrap().note, "助かりました");
    sound(&office).await;

    // Held on, it stays however often the job runs.
    office.clock.set(at("2033-06-01T04:00:00+09:00"));
    assert!(app.retention_run(&who).await.unwrap().is_empty());
    assert!(read(&office, &held.request).await.destroyed().is_none());
    let known = app.holds(&office.association).await.unwrap();
    assert_eq!(
        (known[0].reason.as_str(), known[0].case_no.as_deref()),
        ("訴訟のため", Some(held.case_no.as_str()))
    );
    assert!(known[0].lifted.is_none());

    app.hold_lift(&who, &hold, None).await.unwrap();
    assert!(matches!(app.hold_lift(&who, &hold, None).await, Err(AppError::NotFound)));
    let done = app.retention_run(&who).await.unwrap();
    let [key] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!((key.key.as_str(), key.cases, key.texts.values().sum::<u32>()), ("h000001", 1, 4));
    assert!(read(&office, &held.request).await.destroyed().is_some());
    assert!(app.holds(&office.association).await.unwrap()[0].lifted.is_some());
    sound(&office).await;
}

async fn a_hold_on_everything_keeps_everything(office: TestOffice) {
    let (app, who) = (&office.app, office.cli());
    let case = closed_case(&office, "canary").await;
    // Pressed twice on a page, it is one hold.
    let key = Key::new("h1", "POST hold", b"everything");
    let hold = app.hold_put(&who, Held::Everything, "監査のため", Some(&key)).await.unwrap();
    assert_eq!(app.hold_put(&who, Held::Everything, "監査のため", Some(&key)).await.unwrap(), hold);
    office.clock.set(at("2040-01-01T04:00:00+09:00"));
    assert!(app.retention_run(&who).await.unwrap().is_empty());
    assert!(read(&office, &case.request).await.destroyed().is_none());
    let report = app.retention_report(&office.association).await.unwrap();
    assert!(report[0].everything_held && report[0].holds == 1 && report[0].destroyed.is_empty());
    app.hold_lift(&who, &hold, None).await.unwrap();
    // An open case keeps its month, however old.
    office.clock.set(at("2040-02-01T04:00:00+09:00"));
    let open = ask(&office, "canary-open").await;
    assert_eq!(app.retention_run(&who).await.unwrap().len(), 1);
    office.clock.set(at("2060-02-01T04:00:00+09:00"));
    assert!(app.retention_run(&who).await.unwrap().is_empty());
    assert!(read(&office, &open.request).await.destroyed().is_none());
}

async fn numbers_from_before_the_lasting_key_are_moved_before_their_month_goes(office: TestOffice) {
    let (app, who) = (&office.app, office.cli());
    let clinic = add_institution(app, &office.association, "みどり医院").await;
    let new = NewMember {
        phone: Some("090-0000-1234".into()),
        ..new_member("森 緑", &clinic, Role::Physician, vec![])
    };
    let member = app.member_add(&who, new, None, None).await.unwrap().into_inner();
    // As it stood before there was a lasting key: sealed under the month of its writing.
    let old = SealAsBefore { office: app.clone(), who: who.clone(), member: member.clone() };
    app.db.run(old).await.unwrap();
    closed_case(&office, "canary").await;
    office.clock.set(at("2031-12-01T04:00:00+09:00"));
    let done = app.retention_run(&who).await.unwrap();
    assert_eq!((done.len(), done[0].numbers_moved), (1, 1), "{done:?}");
    let number = rows(&office, &format!("SELECT phone FROM member WHERE member_id = '{member}'")).await;
    let sealed = number[0].bytes("phone").unwrap();
    assert_eq!(&sealed[2..9], b"lasting");
    let place = touban::store::secrets::Sealed { table: "member", column: "phone", row: member.as_str() };
    let mut conn = app.db.read().await.unwrap();
    let open = app.vault.open(&mut conn, &office.association, place, &sealed).await;
    assert_eq!(open.unwrap(), "090-0000-1234");
    drop(conn);
    sound(&office).await;
}

struct SealAsBefore {
    office: touban::app::App,
    who: Who,
    member: MemberId,
}

impl touban::store::Command for SealAsBefore {
    type Output = ();

    async fn apply(&self, tx: &mut touban::store::Conn) -> Result<(), touban::store::StoreError> {
        let at =
            touban::store::secrets::Sealed { table: "member", column: "phone", row: self.member.as_str() };
        let (vault, now) = (&self.office.vault, self.office.now());
        let sealed = vault.seal(tx, &self.who.association, at, now, "090-0000-1234").await?;
        let sql = statement("UPDATE member SET phone = $2 WHERE member_id = $1");
        tx.exec(sql, &[self.member.as_str().into(), sealed.into()]).await.map(drop)
    }
}

async fn the_monthly_job_reports_once_and_tells_who_answers_for_it(office: TestOffice) {
    let (app, who) = (&office.app, office.cli());
    let desk = add_institution(app, &office.association, "理事会").await;
    for (name, role) in [("理事 一", Role::Officer), ("管理 二", Role::Administrator)] {
        app.member_add(&who, new_member(name, &desk, role, vec![]), None, None).await.unwrap();
    }
    closed_case(&office, "canary").await;
    // A month in which nothing goes has its report, and nobody gets a mail.
    office.clock.set(at("2027-01-01T04:00:00+09:00"));
    assert_eq!(app.retention_due().await.unwrap(), 0);
    let mails = "SELECT key FROM job WHERE kind = 'retention' ORDER BY key";
    assert!(rows(&office, mails).await.is_empty());
    office.clock.set(at("2031-12-01T04:00:00+09:00"));
    assert_eq!(app.retention_due().await.unwrap(), 1);
    assert_eq!(app.retention_due().await.unwrap(), 0);
    assert_eq!(rows(&office, mails).await.len(), 2);
    let reports = app.retention_report(&office.association).await.unwrap();
    assert_eq!(reports.iter().map(|r| r.month.as_str()).collect::<Vec<_>>(), ["2031-12", "2027-01"]);
    let last = &reports[0];
    assert_eq!((last.texts(), last.cases(), last.destroyed.len()), (4, 1, 1));
    for kind in [TextKind::Blind, TextKind::Detail, TextKind::Report, TextKind::Survey] {
        assert_eq!(last.destroyed[0].texts.get(&kind), Some(&1), "{kind:?}");
    }
    assert_eq!((last.old_ledger_lines, last.old_audit_rows), (0, 0));
    let events = app.events(&office.association, 0, 1_000).await.unwrap();
    let count = |action: &str| events.iter().filter(|e| e.action == action).count();
    assert_eq!((count("retention.destroy"), count("retention.report")), (1, 2));
    // After ten years ledger and audit count as old.
    office.clock.set(at("2037-06-01T04:00:00+09:00"));
    app.retention_due().await.unwrap();
    let last = &app.retention_report(&office.association).await.unwrap()[0];
    assert!(last.old_ledger_lines >= 2 && last.old_audit_rows > 5, "{last:?}");
    sound(&office).await;
}

async fn a_run_that_is_broken_off_is_finished_by_the_next(office: TestOffice) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Crashes before the statement of that number.
    #[derive(Debug)]
    struct CrashAt(AtomicUsize);

    impl touban::store::Faults for CrashAt {
        fn crash_before(&self, _: &'static str) -> bool {
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) == Ok(1)
        }
        fn crash_after_commit(&self) -> bool {
            false
        }
    }

    let (app, who) = (&office.app, office.cli());
    let plain = closed_case(&office, "canary-plain").await;
    let held = closed_case(&office, "canary-held").await;
    app.hold_put(&who, Held::Case(held.case_no.clone()), "訴訟のため", None).await.unwrap();
    office.clock.set(at("2031-12-01T04:00:00+09:00"));
    let mut crashes = 0;
    loop {
        let mut faulty = app.clone();
        faulty.db = app.db.with_faults(Arc::new(CrashAt(AtomicUsize::new(crashes + 1))));
        let run = faulty.retention_run(&who).await;
        // Whatever was done by then, nobody finds a half: the held case opens, and the database holds together.
        assert!(read(&office, &held.request).await.destroyed().is_none(), "after {crashes} statements");
        sound(&office).await;
        if run.is_ok() {
            break;
        }
        crashes += 3;
        assert!(crashes < 300, "the run never ends");
    }
    assert!(crashes > 9, "{crashes}");
    assert!(read(&office, &plain.request).await.destroyed().is_some());
    let reports = app.retention_report(&office.association).await.unwrap();
    assert_eq!((reports.len(), reports[0].destroyed.len(), reports[0].texts()), (1, 1, 4));
}

async fn years_are_kept_within_bounds_and_changed_by_one_at_a_time(office: TestOffice) {
    let (app, who) = (&office.app, office.cli());
    let (years, revision) = app.retention_settings(&office.association).await.unwrap();
    assert_eq!((years, revision), (RetentionYears { clinical: 5, reports: 5, ledger: 10 }, 0));
    let other = RetentionYears { clinical: 7, ..years };
    app.retention_settings_put(&who, other, 0).await.unwrap();
    let late = app.retention_settings_put(&who, years, 0).await;
    assert!(matches!(late, Err(AppError::ChangedMeanwhile)), "{late:?}");
    assert_eq!(app.retention_settings(&office.association).await.unwrap(), (other, 1));
    let wrong = app.retention_settings_put(&who, RetentionYears { clinical: 0, ..years }, 1).await;
    assert!(matches!(wrong, Err(AppError::Invalid(_))), "{wrong:?}");
    // Seven years are seven years.
    closed_case(&office, "canary").await;
    office.clock.set(at("2032-12-01T04:00:00+09:00"));
    assert!(app.retention_run(&who).await.unwrap().is_empty());
    office.clock.set(at("2033-12-01T04:00:00+09:00"));
    assert_eq!(app.retention_run(&who).await.unwrap().len(), 1);
}

/// Every column of bytes of the schema: sealed, and then known to the job that destroys keys, or a hash.
#[test]
fn no_sealed_column_is_forgotten_when_a_key_goes() {
    // Made after there was a lasting key, so never sealed under a month.
    const ALWAYS_LASTING: &[&str] = &[
        "household.patient",
        "sign_in_password.totp",
        "sign_in_password.pending",
        "sheet_run.content",
        "sheet_run.undo",
        "rota_sheet.content",
        "rota_sheet.undo",
        "call_settings.body",
        "phone_change.phone",
        "phone_change.called_number",
        // Under a key of their own, which goes with them.
        "night_card.body",
        "card_pass.reason",
    ];
    const HASHES: &[&str] = &[
        "device.secret_hash",
        "session.secret_hash",
        "api_key.secret_hash",
        "link.token_hash",
        "link.code_hash",
        "audit_head.hash",
        "audit_event.hash",
        "idempotency.fingerprint",
        "shared_device.secret_hash",
        "setup_link.token_hash",
        "passkey.credential_hash",
        "passkey_challenge.secret_hash",
        "recovery_code.hash",
        "sign_in_try.account",
        "call.line_mark",
        "ledger_close.head_hash",
        "ledger_sealed.hash",
        "calendar_feed.token_hash",
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let mut columns = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut table = "";
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                table = rest.split(' ').next().unwrap();
            }
            let added = line.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN "));
            let (of, column) = added.unwrap_or((table, line));
            let mut words = column.trim_end_matches([';', ',']).split(' ');
            if let (Some(name), Some("BLOB")) = (words.next(), words.next()) {
                columns.push(format!("{of}.{name}"));
            }
        }
    }
    assert!(columns.len() >= 15, "{columns:?}");
    let known = sealed_columns();
    for column in &columns {
        let sealed = known.contains(column) || ALWAYS_LASTING.contains(&column.as_str());
        let hash = HASHES.contains(&column.as_str());
        assert!(sealed != hash, "{column}: sealed columns stand in store/retention.rs, hashes here");
    }
    for column in known {
        assert!(columns.contains(&column), "{column} is not in the schema");
    }
    assert!(all_statements().iter().any(|s| s.name == "KEY_DESTROY"));
}
