//! A month is closed through the pages: prepared, made, looked at, approved by somebody else after a proof of who it
//! is, printed, taken out; and what is refused says why.

use touban::app::Who;
use touban::app::ledger::world::Evidence;
use touban::app::people::NewMember;
use touban::domain::ledger::Side;
use touban::domain::people::Role;
use touban::ids::MemberId;
use touban::seal::Pin;

use super::{at, consult, month, sound};
use crate::pages::browser::{Browser, Page, Town};
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    a_month_is_prepared_made_approved_by_another_with_a_proof_and_printed with crate::support::ALL_AT_ONCE,
    a_closed_line_is_corrected_by_page_and_stands_in_the_next_statement with crate::support::ALL_AT_ONCE,
    what_waits_is_recorded_by_page_and_comes_with_its_true_date with crate::support::ALL_AT_ONCE,
    a_wrong_tariff_names_its_line_and_is_not_loaded with crate::support::ALL_AT_ONCE,
    a_closed_month_is_taken_out_as_files_and_an_open_one_is_not with crate::support::ALL_AT_ONCE,
}

/// Somebody of the office with these roles, who can sign in.
pub(super) async fn staff(office: &TestOffice, name: &str, roles: &[Role]) -> MemberId {
    let desk = add_institution(&office.app, &office.association, "理事の医院").await;
    let new = NewMember { roles: roles.to_vec(), ..new_member(name, &desk, roles[0], vec![]) };
    let pin = Pin::parse(PIN).unwrap();
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

pub(super) fn has_form(page: &Page, action: &str) -> bool {
    page.forms().iter().any(|(a, _)| a == action)
}

/// A form's fields as somebody would send them who knows them.
pub(super) fn by_hand(page: &Page, fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut form = page.form("/sign-out", &[]);
    form.extend(fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    form
}

/// The clerk makes the month and the officer approves it, both by page.
pub(super) async fn closed(clerk: &Browser, officer: &Browser, of: &str) -> Page {
    let page = clerk.get(&format!("/ledger?month={of}")).await;
    clerk.submit(&page, "/ledger/make", &[]).await.says("作成しました");
    let page = officer.get(&format!("/ledger?month={of}")).await;
    let page = officer.submit(&page, "/ledger/approve", &[]).await;
    page.says("締めました");
    page
}

async fn a_month_is_prepared_made_approved_by_another_with_a_proof_and_printed(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let both = staff(&office, "兼務 一", &[Role::Clerk, Role::Officer]).await;
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    consult(&office, "2026-11-21T10:00:00+09:00", &taker, false).await;
    let refused = consult(&office, "2026-11-22T22:30:00+09:00", &taker, true).await;
    let who = Who::member(&office.association, &office.clerk);
    let excluded = Evidence::Excluded { note: "訓練の件".into() };
    office.app.ledger_evidence(&who, &refused, excluded).await.unwrap();
    let town = Town::generous(office).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    // Not over yet: no button, and whoever sends the form by hand is told.
    let early = clerk.get("/ledger?month=2026-11").await;
    assert!(!has_form(&early, "/ledger/make"));
    clerk.send("/ledger/make", &by_hand(&early, &[("month", "2026-11")])).await.says("まだ終わっていません");

    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let (clerk, double, officer) =
        (town.signed_in(&office.clerk).await, town.signed_in(&both).await, town.signed_in(&head).await);
    let page = clerk.get("/ledger?month=2026-11").await;
    page.says("まだ締めていません").says("締め準備").says("依頼側の確認がまだの件：1").says("R8-0002");
    page.says("医療機関コードのない医療機関");
    // The preview of a clinic: what is paid, what is not and why, what waits.
    let doctor = office.app.member(&office.association, &taker).await.unwrap();
    let own = doctor.institution.unwrap();
    let statement = clerk.get(&format!("/ledger/statement?month=2026-11&institution={own}")).await;
    statement.says("伊藤 静 皮膚科").says("下書き").says("R8-0001").says("R8-0003").says("2,000円");
    statement.says("保留").says("R8-0002");
    let view = office.app.ledger_month(&office.association, month("2026-11")).await.unwrap();
    let not_paid = view.lines.iter().find(|l| l.eligibility.reason().is_some()).unwrap();
    let words = touban::app::ledger::tables::verdict(not_paid, touban::i18n::Lang::Ja);
    statement.says(&words);

    // Made by somebody who may approve as well: not this one.
    let page = double.get("/ledger?month=2026-11").await;
    let page = double.submit(&page, "/ledger/make", &[]).await;
    page.says("作成しました").says("作成済み・承認待ち").says("作成：兼務 一");
    assert!(!has_form(&page, "/ledger/approve"));
    let own = by_hand(&page, &[("month", "2026-11"), ("revision", "1")]);
    double.send("/ledger/approve", &own).await.says("自分で作成した月は承認できません");
    // The clerk has no such form, and may not send it.
    let page = clerk.get("/ledger?month=2026-11").await;
    assert!(!has_form(&page, "/ledger/approve"));
    let theirs = by_hand(&page, &[("month", "2026-11"), ("revision", "1")]);
    assert_eq!(clerk.send("/ledger/approve", &theirs).await.status, 404);

    // Something comes in between: what the officer looked at is not what would be closed.
    let page = officer.get("/ledger?month=2026-11").await;
    let looked = page.form("/ledger/approve", &[]);
    clerk.submit(&clerk.get("/ledger?month=2026-11").await, "/ledger/make", &[]).await.says("作成しました");
    officer.send("/ledger/approve", &looked).await.says("もう一度作成して");

    // Another one, after a proof of who it is.
    let page = officer.get("/ledger?month=2026-11").await;
    office.clock.advance_s(301);
    let asked = officer.submit(&page, "/ledger/approve", &[]).await;
    asked.says("もう一度ご本人を確かめます");
    let still = office.app.ledger_month(&office.association, month("2026-11")).await.unwrap();
    assert!(!still.is_closed());
    let on = crate::signin::prove(&town, &officer, &head, &asked).await;
    on.says("入力した内容で続けます");
    let page = officer.submit(&on, "/ledger/approve", &[]).await;
    page.says("締めました").says("承認：理事 長").says("封印");
    let closed = office.app.ledger_month(&office.association, month("2026-11")).await.unwrap();
    let sealed = closed.close.clone().unwrap().sealed.unwrap();
    let hash: String = sealed.head_hash.iter().map(|b| format!("{b:02x}")).collect();
    page.says(&hash);
    assert!(!has_form(&page, "/ledger/make") && !has_form(&page, "/ledger/approve"));
    let again = by_hand(&page, &[("month", "2026-11"), ("revision", "2")]);
    officer.send("/ledger/approve", &again).await.says("締めてあります");
    // Printed: the same sums and the seal, boxes for seals, no draft.
    let doctor = office.app.member(&office.association, &taker).await.unwrap();
    let place = doctor.institution.unwrap();
    let paper = clerk.get(&format!("/ledger/statement?month=2026-11&institution={place}")).await;
    paper.says(&hash).says("作成").says("承認").says("受領").says("2,000円").keeps_quiet_about("下書き");
    let of_clinic: i64 = closed.lines.iter().filter(|l| l.institution == place).map(|l| l.amount.0).sum();
    assert_eq!(of_clinic, 2_000);
    // A doctor sees nothing of it. What was asked of them before is in their mailbox.
    crate::pages::browser::mails(&office.app).await;
    let doctor = town.signed_in(&taker).await;
    assert_eq!(doctor.look("/ledger?month=2026-11").await.status, 404);
    sound(office).await;
}

async fn a_closed_line_is_corrected_by_page_and_stands_in_the_next_statement(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    let view = office.app.ledger_month(&office.association, month("2026-11")).await.unwrap();
    let line = view.lines.iter().find(|l| l.side == Side::Acceptor).unwrap();
    let path = format!("/ledger/correct?line={}", line.id);
    assert!(clerk.get("/ledger?month=2026-11").await.body.contains(&path), "the desk leads there");
    let form = clerk.get(&path).await;
    form.says("2,000円").says("取消の行");
    for (instead, note, why) in [
        ("たくさん", "誤り", "円の整数"),
        ("2001", "誤り", "元の額より小さく"),
        ("-1", "誤り", "元の額より小さく"),
        ("1200", "", "必須の項目です"),
    ] {
        let typed = [("instead", instead), ("note", note)];
        clerk.submit(&form, "/ledger/correct", &typed).await.says(why);
    }
    let typed = [("instead", "1200"), ("note", "単価の誤り")];
    clerk.submit(&form, "/ledger/correct", &typed).await.says("訂正を受け付けました");
    clerk.submit(&form, "/ledger/correct", &typed).await.says("もう受け付けて");
    // The officer cannot order one.
    assert_eq!(officer.look(&path).await.status, 404);

    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-12").await;
    let place = line.institution.clone();
    let paper = clerk.get(&format!("/ledger/statement?month=2026-12&institution={place}")).await;
    paper
        .says("取消")
        .says("訂正")
        .says("-2,000円")
        .says("1,200円")
        .says("-800円")
        .says("合計がマイナスです");
    // The closed month is as it was printed.
    let before = clerk.get(&format!("/ledger/statement?month=2026-11&institution={place}")).await;
    before.says("2,000円").keeps_quiet_about("1,200円");
    let entries = office.app.ledger_month(&office.association, month("2026-12")).await.unwrap().lines;
    let reversal = entries.iter().find(|l| l.entry.code() == "reversal").unwrap();
    let typed = [("instead", "0"), ("note", "戻す")];
    let form = clerk.get(&format!("/ledger/correct?line={}", reversal.id)).await;
    clerk.submit(&form, "/ledger/correct", &typed).await.says("取消の行は取り消せません");
    let form = clerk.get(&path).await;
    clerk.submit(&form, "/ledger/correct", &typed).await.says("もう取り消されています");
    sound(office).await;
}

async fn what_waits_is_recorded_by_page_and_comes_with_its_true_date(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, false).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    // The fax came after the month was closed.
    let form = clerk.get("/ledger/evidence?case=R8-0001").await;
    clerk.submit(&form, "/ledger/evidence", &[]).await.says("一つ選んで");
    let city = [("kind", "city"), ("city", "あおば")];
    clerk.submit(&form, "/ledger/evidence", &city).await.says("市町村コード");
    clerk.submit(&form, "/ledger/evidence", &[("kind", "excluded")]).await.says("必須の項目です");
    let done = clerk.submit(&form, "/ledger/evidence", &[("kind", "confirmed")]).await;
    done.says("記録しました");
    clerk.get("/ledger/evidence?case=R8-0001").await.says("依頼側が確認した");
    assert_eq!(clerk.look("/ledger/evidence?case=R8-9999").await.status, 404);
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    let page = clerk.get("/ledger?month=2026-12").await;
    page.says("前の月から送られた件：1").says("令和8年11月20日");
    let page = closed(&clerk, &officer, "2026-12").await;
    page.says("令和8年11月20日").says("2,500円");
    sound(office).await;
}

async fn a_wrong_tariff_names_its_line_and_is_not_loaded(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let form = clerk.get("/ledger/tariffs").await;
    let wrong = super::TARIFFS.replace("yen = 2000", "yen = -1");
    let mistakes = touban::domain::ledger::Tariffs::parse("tariffs", &wrong, "new").unwrap_err().to_string();
    let (place, _) = mistakes.split_once(',').unwrap();
    assert!(place.starts_with("tariffs line "), "{place}");
    for deed in ["preview", "record"] {
        let typed = [("body", wrong.as_str()), ("note", "改定"), ("do", deed)];
        let page = clerk.submit(&form, "/ledger/tariffs", &typed).await;
        page.says("このままでは使えません").says("key `yen`").says(place);
        assert!(page.body.contains("yen = -1"), "what was typed is still there");
    }
    assert!(office.app.tariffs_history(&office.association).await.unwrap().is_empty());
    let dearer = super::TARIFFS.replace("yen = 2000", "yen = 2400");
    let typed = [("body", dearer.as_str()), ("note", "改定"), ("do", "preview")];
    let page = clerk.submit(&form, "/ledger/tariffs", &typed).await;
    page.says("令和8年11月なら、いくらだったか").says("2,500円").says("2,900円");
    assert!(office.app.tariffs_history(&office.association).await.unwrap().is_empty(), "only looked at");
    let typed = [("body", dearer.as_str()), ("note", "改定"), ("do", "record")];
    let page = clerk.submit(&form, "/ledger/tariffs", &typed).await;
    page.says("登録しました");
    let open = clerk.get("/ledger?month=2026-11").await;
    open.says("2,900円");
    // Begun from an older version.
    let typed = [("body", super::TARIFFS), ("note", "改定"), ("do", "record")];
    clerk.submit(&form, "/ledger/tariffs", &typed).await.says("ほかの人が先に登録しました");
}

async fn a_closed_month_is_taken_out_as_files_and_an_open_one_is_not(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    consult(&office, "2026-11-21T22:30:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    let open = clerk.get("/ledger?month=2026-11").await;
    assert!(!has_form(&open, "/ledger/export"));
    let of = [("month", "2026-11"), ("table", "details"), ("format", "csv")];
    clerk.send("/ledger/export", &by_hand(&open, &of)).await.says("この月はまだ締めていません");
    let page = closed(&clerk, &officer, "2026-11").await;
    let total = 500 + 2_000 + 500 + 3_000;
    page.says("6,000円");
    let page = clerk.get("/ledger?month=2026-11").await;
    let file = async |table: &str, format: &str| {
        let form = page.form("/ledger/export", &[("table", table), ("format", format)]);
        clerk.download("/ledger/export", &form).await
    };
    // Every table adds up to the same yen.
    for (table, column) in [("details", "金額"), ("institutions", "金額")] {
        let (kind, bytes) = file(table, "csv").await;
        assert_eq!((kind.as_str(), &bytes[..3]), ("text/csv; charset=utf-8", b"\xEF\xBB\xBF".as_slice()));
        let text = String::from_utf8(bytes).unwrap();
        let mut rows = text.trim_start_matches('\u{feff}').split("\r\n").map(|row| row.split(','));
        let at = rows.next().unwrap().position(|name| name == column).expect("the column of yen");
        let sum: i64 = rows.filter_map(|mut row| row.nth(at)?.parse::<i64>().ok()).sum();
        assert_eq!(sum, total, "{table}");
        let (kind, bytes) = file(table, "json").await;
        let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let sum: i64 =
            read["rows"].as_array().unwrap().iter().map(|r| r["amount_yen"].as_i64().unwrap()).sum();
        assert_eq!((kind.as_str(), sum), ("application/json", total), "{table}");
        assert!(read["footer"].as_str().unwrap().contains("封印"));
    }
    for table in touban::app::ledger::tables::KINDS {
        let (kind, bytes) = file(table, "xlsx").await;
        assert!(kind.contains("spreadsheetml") && bytes.starts_with(b"PK"), "{table} {kind}");
        let (kind, _) = file(table, "csv-sjis").await;
        assert_eq!(kind, "text/csv; charset=shift_jis", "{table}");
        // The same file, byte for byte.
        assert_eq!(file(table, "csv").await, file(table, "csv").await);
    }
    let events = office.app.events(&office.association, 0, 10_000).await.unwrap();
    let exports = events.iter().filter(|e| e.action == "ledger.export").count();
    assert_eq!(
        exports,
        4 + 4 * touban::app::ledger::tables::KINDS.len(),
        "every file that was taken out is noted"
    );
}

/// The workbook as openpyxl reads it: numbers are numbers, days are days, and it prints one page wide on A4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_details_are_read_back_by_another_library() {
    let office = TestOffice::sqlite_with(crate::support::ALL_AT_ONCE).await;
    let head = super::officer(&office, "理事 長").await;
    let taker = office.dermatologists[0].clone();
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    super::close(&office, "2026-11", &head).await;
    let view = super::view(&office, "2026-11").await;
    let (home, lang) = (&office.association, touban::i18n::Lang::Ja);
    let table = office.app.ledger_table(home, &view, "details", lang).await.unwrap().unwrap();
    let book = touban::export::ledger::xlsx(&table).unwrap();
    let read = crate::rota_paper::reader("read_workbook.py", &book);
    assert_eq!(read["fit"], serde_json::json!([true, 0, 9]), "{read:#}");
    let rows = read["rows"].as_array().unwrap();
    let head: Vec<&str> = rows[2].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    let column = |name: &str| head.iter().position(|c| *c == name).unwrap();
    let lines: Vec<&serde_json::Value> = rows[3..5].iter().collect();
    for line in &lines {
        assert_eq!(line[column("日付")], serde_json::json!({ "day": "2026-11-20" }));
        assert_eq!(line[column("和暦")], serde_json::json!({ "day": "2026-11-20" }));
        assert_eq!(line[column("受付番号")], "R8-0001");
    }
    let sum: i64 = lines.iter().map(|l| l[column("金額")].as_str().unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(sum, 2_500);
    let formats = read["formats"].as_array().unwrap();
    assert!(formats.iter().any(|f| f.as_str().unwrap().contains("ggge")), "eras in the cells: {formats:?}");
}
