//! The fiscal year by page: forecast, decision, books, claims, paper, transfers; and what goes wrong in a year of an
//! office: a clinic that changes its code and leaves, a copy restored after closing.

use touban::app::Who;
use touban::app::directory::Closed;
use touban::app::people::NewInstitution;
use touban::domain::ledger::Cell;
use touban::domain::people::Role;
use touban::domain::people::directory::BankAccount;
use touban::ids::InstitutionId;
use touban::money::Yen;

use super::pages::{by_hand, closed, has_form, staff};
use super::{at, clerk, close, consult, month, officer, record, sound, two_programmes, view};
use crate::pages::browser::Town;
use crate::support::{TestOffice, on_both};

on_both! {
    the_year_is_forecast_decided_and_claimed_by_page with crate::support::ALL_AT_ONCE,
    a_closed_month_is_run_again_by_page with crate::support::ALL_AT_ONCE,
    the_bank_gets_a_file_that_adds_up_and_takes_what_was_paid_too_much_off with crate::support::ALL_AT_ONCE,
    a_clinic_that_changed_its_code_and_left_is_still_owed with crate::support::ALL_AT_ONCE,
    a_restored_copy_has_the_printed_seal with crate::support::ALL_AT_ONCE,
}

async fn the_year_is_forecast_decided_and_claimed_by_page(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    let text = two_programmes("2028-04-01")
        .replace("code = \"pref\"", "budget_yen = 5001\nbudget = \"prorated\"\ncode = \"pref\"")
        .replace("claim_cycle = \"quarter\"", "claim_cycle = \"month\"\nclaim_lesser_of_actual = true");
    record(&office, 0, &text).await;
    consult(&office, "2027-03-03T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    consult(&office, "2027-03-04T10:00:00+09:00", &office.dermatologists[1].clone(), true).await;
    office.clock.set(at("2027-04-15T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    let page = clerk.get("/ledger?month=2027-03").await;
    clerk.submit(&page, "/ledger/make", &[]).await.says("pref事業の予算が足りません");

    // Whose decision it is, and that it is recorded with its reason.
    let page = clerk.get("/ledger/year?year=2026").await;
    page.says("令和8年度").says("年度の締めで按分").says("5,001円");
    assert!(!has_form(&page, "/ledger/prorate"));
    let theirs = by_hand(&page, &[("year", "2026"), ("program", "pref"), ("note", "x")]);
    assert_eq!(clerk.send("/ledger/prorate", &theirs).await.status, 404);
    let page = officer.get("/ledger/year?year=2026").await;
    officer.submit(&page, "/ledger/prorate", &[("note", " ")]).await.says("決めた会議と理由を入れて");
    let note = [("note", "三月の理事会で按分とした")];
    let page = officer.submit(&page, "/ledger/prorate", &note).await;
    page.says("理事会の決定を記録しました").says("予算 5,001円 で按分すると決めました");
    assert!(!has_form(&page, "/ledger/prorate"));
    let none = by_hand(&page, &[("year", "2026"), ("program", "city"), ("note", "x")]);
    officer.send("/ledger/prorate", &none).await.says("按分する予算がありません");

    let page = closed(&clerk, &officer, "2027-03").await;
    page.says("5,001円").says("按分");
    let page = clerk.get("/ledger?month=2027-03").await;
    page.says("請求").says("収支がまだです");
    let wrong = [("actual", "x"), ("total_cost", "1"), ("other_income", "0")];
    clerk.submit(&page, "/ledger/books", &wrong).await.says("円の整数で入れてください");
    let books = [("actual", "１２３４"), ("total_cost", "5000"), ("other_income", "0")];
    let page = clerk.submit(&page, "/ledger/books", &books).await;
    page.says("収支を記録しました").keeps_quiet_about("収支がまだです");
    assert!(page.body.contains("value=\"1234\""));

    // Every table as paper, from the sealed figures.
    let sealed = view(office, "2027-03").await.close.unwrap().sealed.unwrap();
    let hash: String = sealed.head_hash.iter().map(|b| format!("{b:02x}")).collect();
    for table in touban::app::ledger::tables::KINDS {
        let paper = clerk.get(&format!("/ledger/paper?month=2027-03&table={table}")).await;
        assert_eq!(paper.status, 200, "{table}");
        paper.says(&hash).says("作成").says("承認").says("受領").keeps_quiet_about("下書き");
    }
    let paper = clerk.get("/ledger/paper?month=2027-03&table=details").await;
    paper.says("5,001円");
    // Of few cases the city is told that they are few.
    clerk.get("/ledger/paper?month=2027-03&table=city").await.says("3未満");
    clerk.get("/ledger/year?year=2026").await.says("締めました").says("5,001円");
    sound(office).await;
}

async fn a_closed_month_is_run_again_by_page(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    assert!(!has_form(&clerk.get("/ledger?month=2026-11").await, "/ledger/rerun"));
    record(office, 0, &super::TARIFFS.replace("yen = 2000", "yen = 2400")).await;
    let page = clerk.get("/ledger?month=2026-11").await;
    let typed = [("tariffs", "1")];
    clerk.submit(&page, "/ledger/rerun", &typed).await.says("差額を、次に締める月にのせます");
    clerk.submit(&page, "/ledger/rerun", &typed).await.says("もう受け付けてあります");
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    let page = closed(&clerk, &officer, "2026-12").await;
    page.says("差額").says("400円").says("令和8年11月20日");
    sound(office).await;
}

fn account(number: &str, holder: &str) -> BankAccount {
    BankAccount {
        bank_code: "0001".into(),
        bank_name: "ｱｵﾊﾞ".into(),
        branch_code: "012".into(),
        branch_name: "ﾐﾄﾞﾘ".into(),
        kind: "ordinary".into(),
        number: number.into(),
        holder: holder.into(),
    }
}

async fn pays_into(office: &TestOffice, id: &InstitutionId, account: BankAccount) {
    let revision = office.app.institution(&office.association, id).await.unwrap().revision;
    office.app.bank_set(&office.cli(), id, revision, Some(account), None).await.unwrap();
}

async fn the_bank_gets_a_file_that_adds_up_and_takes_what_was_paid_too_much_off(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    let own = NewInstitution {
        name: "青葉市医師会".into(),
        kind: "association".into(),
        area: "青葉中央".into(),
        ..NewInstitution::default()
    };
    let own = office.app.institution_add(&office.cli(), own, None).await.unwrap().into_inner();
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    let page = clerk.get("/ledger?month=2026-11").await;
    let typed = [("payer_code", "１２３４５６７８９０"), ("day", "2026-12-25")];
    clerk.submit(&page, "/ledger/transfer", &typed).await.says("医師会の口座がありません");
    pays_into(office, &own, account("0000001", "ｱｵﾊﾞｼｲｼｶｲ")).await;
    clerk.submit(&page, "/ledger/transfer", &typed).await.says("伊藤 静 皮膚科：口座がありません");
    let place = office.app.member(&office.association, &taker).await.unwrap().institution.unwrap();
    pays_into(office, &place, account("0000002", "ｲﾄｳ ｼｽﾞｶ")).await;
    pays_into(office, &office.clinic.clone(), account("0000003", "ｻﾄｳﾅｲｶ")).await;
    let short = [("payer_code", "12345678901"), ("day", "2026-12-25")];
    clerk.submit(&page, "/ledger/transfer", &short).await.says("を全銀形式で書けません");
    let (kind, bytes) = clerk.download("/ledger/transfer", &page.form("/ledger/transfer", &typed)).await;
    assert!(kind.starts_with("text/plain"), "{kind}");
    let records: Vec<&[u8]> = bytes.chunks(122).collect();
    assert_eq!((bytes.len(), records.len()), (5 * 122, 5));
    let amounts: i64 =
        records[1..3].iter().map(|r| std::str::from_utf8(&r[80..90]).unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!((amounts, &records[3][..19]), (2_500, b"8000002000000002500".as_slice()));

    // Taken back: nothing is paid, and the month after pays less.
    let line = view(office, "2026-11").await.lines.into_iter().find(|l| l.institution == place).unwrap();
    let who = Who::member(&office.association, &office.clerk);
    office.app.ledger_correct(&who, &line.id, Yen(500), "誤り").await.unwrap().unwrap();
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let list = async |of: &str| {
        let all = office.app.ledger_payments(&who, month(of)).await.unwrap().unwrap();
        all.payments.into_iter().map(|p| (p.institution, p.yen.0)).collect::<Vec<_>>()
    };
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-12").await;
    assert_eq!(list("2026-12").await, [(place.clone(), -1_500)]);
    let page = clerk.get("/ledger?month=2026-12").await;
    clerk.submit(&page, "/ledger/transfer", &typed).await.says("振り込む先がありません");
    consult(office, "2027-01-15T10:00:00+09:00", &taker, true).await;
    close(office, "2027-01", &head).await;
    let mut january = list("2027-01").await;
    january.retain(|(institution, _)| *institution == place);
    assert_eq!(january, [(place, 500)]);
    sound(office).await;
}

async fn a_clinic_that_changed_its_code_and_left_is_still_owed(office: TestOffice) {
    let (app, taker) = (&office.app, office.dermatologists[0].clone());
    let head = officer(&office, "理事 長").await;
    let home = &office.association;
    let place = app.member(home, &taker).await.unwrap().institution.unwrap();
    let rename = async |name: &str, code: &str| {
        let old = app.institution(home, &place).await.unwrap();
        let new = NewInstitution {
            name: name.into(),
            kind: old.kind.clone(),
            area: old.area.clone(),
            city_code: old.city_code.clone(),
            code: code.into(),
            ..NewInstitution::default()
        };
        app.institution_change(&office.cli(), &place, old.revision, new, None).await.unwrap();
    };
    rename("伊藤皮膚科", "1312345678").await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    rename("伊藤皮膚科クリニック", "1399999999").await;
    consult(&office, "2026-11-24T10:00:00+09:00", &taker, true).await;
    // Gone on the last day, before the month is closed.
    app.member_leave(&office.cli(), &taker, None).await.unwrap();
    let revision = app.institution(home, &place).await.unwrap().revision;
    assert_eq!(app.institution_close(&office.cli(), &place, revision, None).await.unwrap(), Closed::Done);
    close(&office, "2026-11", &head).await;
    let month = view(&office, "2026-11").await;
    let table =
        app.ledger_table(home, &month, "institutions", touban::i18n::Lang::Ja).await.unwrap().unwrap();
    let rows: Vec<Vec<String>> = table.rows.iter().map(|r| r.iter().map(Cell::text).collect()).collect();
    let theirs: Vec<&Vec<String>> = rows.iter().filter(|r| r[1].starts_with("伊藤")).collect();
    assert_eq!(theirs.len(), 1, "one clinic, whatever it was called: {rows:?}");
    assert_eq!(
        (theirs[0][0].as_str(), theirs[0][1].as_str(), theirs[0][7].as_str()),
        ("1399999999", "伊藤皮膚科クリニック", "4000")
    );
    assert_eq!(month.statement(&place).unwrap().total, Yen(4_000));
    let list = app.ledger_payments(&clerk(&office), super::month("2026-11")).await.unwrap().unwrap();
    let owed: Vec<i64> = list.payments.iter().filter(|p| p.institution == place).map(|p| p.yen.0).collect();
    assert_eq!(owed, [4_000]);
    sound(&office).await;
}

async fn a_restored_copy_has_the_printed_seal(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = officer(&office, "理事 長").await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    let closed = close(&office, "2026-11", &head).await;
    let printed = closed.sealed.unwrap().head_hash;
    let before = view(&office, "2026-11").await.lines;
    let copy = office.restored().await;
    // Life goes on where the copy was made.
    consult(&office, "2026-12-15T10:00:00+09:00", &taker, true).await;
    close(&office, "2026-12", &head).await;
    assert!(copy.verify_ledger(&office.association).await.unwrap().is_empty());
    let restored = copy.ledger_month(&office.association, month("2026-11")).await.unwrap();
    assert_eq!(restored.close.unwrap().sealed.unwrap().head_hash, printed);
    assert_eq!(restored.lines, before);
    let later = copy.ledger_month(&office.association, month("2026-12")).await.unwrap();
    assert!(later.close.is_none(), "what was not closed then is not closed there");
}
