//! Every table that leaves the house, from the same sealed figures: opened by LibreOffice and by openpyxl, adding up to
//! what was closed; letters, names as of the closing, what the association thinks of its year, its end.

use touban::app::ledger::evaluation::TASKS;
use touban::app::ledger::tables::KINDS;
use touban::app::people::NewInstitution;
use touban::domain::ledger::{Books, Cell, LedgerTable};
use touban::domain::people::Role;
use touban::export::ledger::{csv_shift_jis, csv_utf8, xlsx};
use touban::i18n::Lang;
use touban::money::Yen;

use super::pages::{closed, staff};
use super::{
    Tamper, at, clerk, close, consult, month, officer, record, sound, statement, two_programmes, view,
};
use crate::pages::browser::Town;
use crate::readers::all_saved_by_libreoffice;
use crate::support::{TestOffice, on_both};

on_both! {
    funders_get_claims_reports_and_books_from_the_same_yen with crate::support::ALL_AT_ONCE,
    a_letter_of_claim_is_printed_with_boxes_for_seals with crate::support::ALL_AT_ONCE,
    paper_keeps_the_names_of_the_closing_and_verify_finds_who_changes_them with crate::support::ALL_AT_ONCE,
    a_year_is_judged_by_page_and_stands_in_its_table with crate::support::ALL_AT_ONCE,
}

/// November and December closed; the prefecture's programme ends in the middle of December.
async fn two_months(office: &TestOffice) {
    let head = officer(office, "理事 長").await;
    let text = two_programmes("2026-12-16").replace(
        "claim_cycle = \"quarter\"",
        "claim_cycle = \"quarter\"\nclaim_lesser_of_actual = true\nclaim_due_days = 20",
    );
    record(office, 0, &text).await;
    for (day, taker) in [("2026-11-20", 0), ("2026-11-24", 1), ("2026-11-25", 2)] {
        consult(office, &format!("{day}T10:00:00+09:00"), &office.dermatologists[taker].clone(), true).await;
    }
    close(office, "2026-11", &head).await;
    for (day, taker) in [("2026-12-11", 0), ("2026-12-15", 1), ("2026-12-20", 0), ("2026-12-21", 2)] {
        consult(office, &format!("{day}T10:00:00+09:00"), &office.dermatologists[taker].clone(), true).await;
    }
    close(office, "2026-12", &head).await;
    let books = Books { actual: Yen(3_500), total_cost: Yen(6_000), other_income: Yen(1_000) };
    let city = "city".parse().unwrap();
    office.app.ledger_books(&clerk(office), (&city, month("2026-12")), None, books).await.unwrap().unwrap();
    for task in TASKS {
        let item = format!("task:{task}");
        office.app.ledger_grade(&clerk(office), 2026, (&item, "B"), "夜間の受け手が増えた").await.unwrap();
    }
}

async fn table(office: &TestOffice, of: &str, kind: &str) -> LedgerTable {
    let view = view(office, of).await;
    office.app.ledger_table(&office.association, &view, kind, Lang::Ja).await.unwrap().unwrap()
}

/// The cells of a table by the keys of its columns.
fn rows<'a>(table: &'a LedgerTable, keys: &[&str]) -> Vec<Vec<String>> {
    let at = |key: &&str| table.columns.iter().position(|(name, _)| name == key).unwrap();
    let at: Vec<usize> = keys.iter().map(at).collect();
    table.rows.iter().map(|row: &'a Vec<Cell>| at.iter().map(|n| row[*n].text()).collect()).collect()
}

async fn funders_get_claims_reports_and_books_from_the_same_yen(office: TestOffice) {
    two_months(&office).await;
    let said = |rows: &[[&str; 3]]| -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    };
    // 2,000 for each of the two the prefecture no longer pays; 2,500 and 300 for the others.
    let invoice = table(&office, "2026-12", "invoice").await;
    assert_eq!(
        rows(&invoice, &["program", "item", "amount_yen"]),
        said(&[
            ["city事業", "C-ACC", "4000"],
            ["city事業", "基準額の計", "4000"],
            ["city事業", "実支出額などとの低い方", "3500"],
            ["city事業", "端数の切捨て", "-500"],
            ["city事業", "請求額", "3000"],
            ["pref事業", "P-ACC", "5000"],
            ["pref事業", "P-REQ", "600"],
            ["pref事業", "基準額の計", "5600"],
            ["pref事業", "請求額", "5600"],
        ])
    );
    let report = table(&office, "2026-12", "report").await;
    assert_eq!(
        rows(&report, &["tariff", "lines", "amount_yen", "year_lines", "year_yen"]),
        [
            ["C-ACC", "2", "4000", "2", "4000"],
            ["P-ACC", "2", "5000", "5", "12500"],
            ["P-REQ", "2", "600", "5", "1500"],
        ]
    );
    let quarter = table(&office, "2026-11", "quarter").await;
    assert_eq!(
        rows(&quarter, &["program", "first_yen", "second_yen", "third_yen", "amount_yen", "due"]),
        [
            ["city事業", "", "0", "4000", "4000", "2027-01-20"],
            ["pref事業", "", "8400", "5600", "14000", "2027-01-15"]
        ],
        "October was not closed, and is not told as nought"
    );
    let balance = table(&office, "2026-12", "balance").await;
    let of_city: Vec<Vec<String>> = rows(&balance, &["program", "section", "item", "amount_yen"])
        .into_iter()
        .filter(|r| r[0] == "city事業")
        .collect();
    let yen: Vec<&str> = of_city.iter().map(|r| r[3].as_str()).collect();
    assert_eq!(yen, ["3000", "1000", "2000", "6000", "6000", "6000"], "both sides add up: {of_city:?}");
    // The year by month of the event, in each cut the same sum.
    let cuts = table(&office, "2026-12", "cuts").await;
    let counted = rows(&cuts, &["cut", "nov", "dec", "year_lines", "year_yen"]);
    let closed: i64 = view(&office, "2026-11")
        .await
        .lines
        .iter()
        .chain(&view(&office, "2026-12").await.lines)
        .map(|l| l.amount.0)
        .sum();
    for cut in ["医療機関の種類", "職種", "診療科", "時間帯", "側", "種類", "補助事業"]
    {
        let sum = |n: usize| {
            counted.iter().filter(|r| r[0] == cut).map(|r| r[n].parse::<i64>().unwrap()).sum::<i64>()
        };
        assert_eq!((sum(4), sum(1) + sum(2)), (closed, sum(3)), "{cut}: {counted:?}");
    }
    assert!(counted.iter().any(|r| r[0] == "職種"), "{counted:?}");
    // The programme that is over: five connections, and what each cost; of few nothing is told.
    let ending = table(&office, "2026-12", "ending").await;
    let told = rows(&ending, &["program", "until", "figure", "count", "amount_yen"]);
    let figure = |program: &str, name: &str| {
        told.iter()
            .find(|r| r[0] == program && r[2].starts_with(name))
            .cloned()
            .unwrap_or_else(|| panic!("{told:?}"))
    };
    assert_eq!(figure("pref事業", "つながった件数")[1..4], ["2026-12-15", "つながった件数", "5"]);
    assert_eq!(figure("pref事業", "避けられた")[3], "5");
    assert_eq!(figure("pref事業", "引き受けまで")[3], "0");
    assert_eq!(figure("pref事業", "1件あたり")[4], "2800");
    assert_eq!(figure("city事業", "つながった件数")[3], "3未満");
    assert_eq!(figure("city事業", "1件あたり")[4], "3未満");
    assert!(figure("city事業", "つながった件数")[1].contains("途中"));
    sound(&office).await;
}

/// Every table, as another library and LibreOffice read it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_opened_by_libreoffice_and_by_another_library() {
    let office = TestOffice::sqlite_with(crate::support::ALL_AT_ONCE).await;
    two_months(&office).await;
    let mut tables = Vec::new();
    for kind in KINDS {
        let table = table(&office, "2026-12", kind).await;
        assert!(!table.rows.is_empty(), "{kind} is empty");
        // What Shift_JIS does not have would be told here.
        assert!(csv_shift_jis(&table, false).is_ok(), "{kind}");
        tables.push((kind, table));
    }
    let books: Vec<Vec<u8>> = tables.iter().map(|(_, table)| xlsx(table).unwrap()).collect();
    let lists: Vec<Vec<u8>> = tables.iter().map(|(_, table)| csv_utf8(table)).collect();
    let again = all_saved_by_libreoffice(&books, "xlsx", "xlsx", &[]);
    let from_lists = all_saved_by_libreoffice(&lists, "csv", "xlsx", &["--infilter=CSV:44,34,76,1"]);
    for (n, (kind, table)) in tables.iter().enumerate() {
        // A title and an empty line stand above the table in a workbook, not in a list.
        for (bytes, above) in [(&books[n], 2), (&again[n], 2), (&from_lists[n], 0)] {
            let read = crate::rota_paper::reader("read_workbook.py", bytes);
            let all = read["rows"].as_array().unwrap();
            let text =
                |row: usize, column: usize| all[above + row][column].as_str().unwrap_or_default().to_owned();
            for (column, (_, name)) in table.columns.iter().enumerate() {
                assert_eq!(&text(0, column), name, "{kind}");
            }
            for (row, cells) in table.rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    if let Cell::Yen(_) | Cell::Count(_) = cell {
                        assert_eq!(text(row + 1, column), cell.text(), "{kind} row {row} column {column}");
                    }
                    if let (Cell::Day(day), 2) = (cell, above) {
                        assert_eq!(all[above + row + 1][column]["day"], day.to_string(), "{kind}");
                    }
                }
            }
        }
    }
}

async fn a_letter_of_claim_is_printed_with_boxes_for_seals(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    record(&office, 0, &two_programmes("2028-04-01").replace("\"quarter\"", "\"month\"")).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    clerk.get("/ledger/letter?month=2026-11").await.says("締めくくる請求はありません");
    closed(&clerk, &officer, "2026-11").await;
    let desk = clerk.get("/ledger?month=2026-11").await;
    assert!(desk.body.contains("/ledger/letter?month=2026-11"), "the desk leads there");
    let letter = clerk.get("/ledger/letter?month=2026-11").await;
    letter.says("青葉市 様").says("青葉市医師会").says("pref事業（令和8年11月）").says("請求金額");
    letter.says("2,800円").says("印").says("作成").says("承認").says("受領").keeps_quiet_about("下書き");
    let sealed = view(office, "2026-11").await.close.unwrap().sealed.unwrap();
    let hash: String = sealed.head_hash.iter().map(|b| format!("{b:02x}")).collect();
    letter.says(&hash);
    // The officer reads it as well; a doctor does not.
    assert_eq!(officer.look("/ledger/letter?month=2026-11").await.status, 200);
    sound(office).await;
}

async fn paper_keeps_the_names_of_the_closing_and_verify_finds_who_changes_them(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    let (app, home) = (&office.app, &office.association);
    let place = app.member(home, &taker).await.unwrap().institution.unwrap();
    let old = app.institution(home, &place).await.unwrap();
    let new = NewInstitution {
        name: "伊藤クリニック".into(),
        kind: old.kind.clone(),
        area: old.area.clone(),
        code: "1399999999".into(),
        ..NewInstitution::default()
    };
    app.institution_change(&office.cli(), &place, old.revision, new, None).await.unwrap();
    let path = format!("/ledger/statement?month=2026-11&institution={place}");
    clerk.get(&path).await.says("伊藤 静 皮膚科").keeps_quiet_about("伊藤クリニック");
    clerk.get("/ledger/paper?month=2026-11&table=institutions").await.says("伊藤 静 皮膚科");
    // The next month has the name of its own closing.
    consult(office, "2026-12-15T10:00:00+09:00", &taker, true).await;
    close(office, "2026-12", &head).await;
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let clerk = town.signed_in(&office.clerk).await;
    clerk.get(&format!("/ledger/statement?month=2026-12&institution={place}")).await.says("伊藤クリニック");
    sound(office).await;
    for (there, back) in [
        (
            "UPDATE ledger_name SET name = name || 'X' WHERE month = '2026-11'",
            "UPDATE ledger_name SET name = SUBSTR(name, 1, LENGTH(name) - 1) WHERE month = '2026-11'",
        ),
        (
            "UPDATE ledger_name SET code = code || '1'",
            "UPDATE ledger_name SET code = SUBSTR(code, 1, LENGTH(code) - 1)",
        ),
    ] {
        app.db.run(Tamper(statement(there.to_owned()))).await.unwrap();
        assert!(!app.verify_ledger(home).await.unwrap().is_empty(), "{there}");
        app.db.run(Tamper(statement(back.to_owned()))).await.unwrap();
        sound(office).await;
    }
}

async fn a_year_is_judged_by_page_and_stands_in_its_table(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    clerk.get("/ledger/year?year=2026").await.keeps_quiet_about("年度の自己評価");
    closed(&clerk, &officer, "2026-11").await;
    let page = clerk.get("/ledger/year?year=2026").await;
    page.says("年度の自己評価")
        .says("オ 在宅医療・介護連携に関する相談支援")
        .says("未評価")
        .says("月ごとの件数");
    assert!(page.body.matches("<svg").count() >= 2, "load and time to answer are drawn");
    let empty = [("year", "2026"), ("item", "task:o"), ("grade", "A"), ("comment", " ")];
    clerk.send("/ledger/grade", &super::pages::by_hand(&page, &empty)).await.says("評価とコメントを入れて");
    let wrong = [("year", "2026"), ("item", "task:o"), ("grade", "E"), ("comment", "x")];
    clerk.send("/ledger/grade", &super::pages::by_hand(&page, &wrong)).await.says("評価とコメントを入れて");
    let typed = [("year", "2026"), ("item", "task:o"), ("grade", "A"), ("comment", "当日に答えが返った")];
    let page = clerk.submit(&page, "/ledger/grade", &typed).await;
    page.says("評価を記録しました").says("当日に答えが返った");
    clerk.get("/ledger/paper?month=2026-11&table=evaluation").await.says("当日に答えが返った");
    let paper = clerk.get("/ledger/paper?month=2026-11&table=year").await;
    assert!(paper.body.contains("<svg"), "the pictures are printed");
    // The officer reads it and does not write it.
    let page = officer.get("/ledger/year?year=2026").await;
    page.says("当日に答えが返った");
    assert_eq!(officer.send("/ledger/grade", &super::pages::by_hand(&page, &typed)).await.status, 404);
    sound(office).await;
}
