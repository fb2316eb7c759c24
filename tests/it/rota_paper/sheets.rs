//! Rotas and wish sheets of offices come in: into a draft, into a collection of wishes, and go back. On both databases,
//! and over the pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use touban::app::rota::sheets::{SheetPlan, SheetPutBack, SheetTaken, Target};
use touban::app::sheets::Confirm;
use touban::app::{App, Who};
use touban::domain::people::sheet::Table;
use touban::domain::rota::{RotaRole, WishSheet, WishSource, Wished};
use touban::export::sheet::{LIMITS, read};
use touban::ids::{RotaDraftId, RotaSheetId, WishRoundId};
use touban::store::Faults;

use super::{all, day, doctors};
use crate::pages::browser::{Browser, Page, Town};
use crate::pages::robots::{assert_unchanged, dump, without_readings};
use crate::sheets::fixtures::stored;
use crate::support::{TestOffice, on_both};

on_both! {
    a_month_comes_into_a_draft_and_goes_back,
    wishes_come_in_beside_what_was_said_and_go_back,
}

fn table(name: &str, sheet: &str) -> Table {
    read(&stored(name), sheet, &LIMITS, &std::sync::atomic::AtomicBool::new(false)).unwrap()
}

fn clerk(office: &TestOffice) -> Who {
    Who::member(&office.association, &office.clerk)
}

async fn draft(office: &TestOffice, last: &str) -> RotaDraftId {
    let days = (day("2026-10-01"), day(last));
    office.app.rota_draft_new(&clerk(office), &all(), "十月", days, None).await.unwrap()
}

async fn look(office: &TestOffice, into: &Target, table: Table) -> (RotaSheetId, SheetPlan) {
    let id = office.app.rota_sheet_read(&clerk(office), into, table, None).await.unwrap();
    let view = office.app.rota_sheet(&clerk(office), &id).await.unwrap();
    (id, view.plan.unwrap())
}

async fn take(office: &TestOffice, id: &RotaSheetId, plan: &SheetPlan, leave_out: bool) -> SheetTaken {
    let confirm = Confirm { digest: plan.digest(), leave_out };
    office.app.rota_sheet_take(&clerk(office), id, confirm, None).await.unwrap()
}

async fn a_month_comes_into_a_draft_and_goes_back(office: TestOffice) {
    let app = &office.app;
    let doctors = doctors(app, &office.association).await;
    let draft = draft(&office, "2026-10-31").await;
    let into = Target::Draft(draft.clone());
    let (id, plan) = look(&office, &into, table("rota-2026-10.xlsx", "R8.10")).await;
    let said: Vec<String> =
        plan.reading.problems.iter().map(|p| format!("{} {}", p.place, p.reason.code())).collect();
    assert_eq!(
        said,
        ["E17 several", "F19 nobody", "A27 other_weekday", "A30 not_a_day", "C32 too_many_names"],
        "each cell that cannot be read is named"
    );
    // Looking writes nothing into the draft; not leaving the unreadable out takes nothing in.
    assert!(app.rota_draft(&office.association, &draft).await.unwrap().duties.is_empty());
    assert!(matches!(take(&office, &id, &plan, false).await, SheetTaken::HasRefused(_)));
    let SheetTaken::Done(counts) = take(&office, &id, &plan, true).await else { panic!() };
    assert_eq!((counts.changed, counts.same, counts.refused), (0, 0, 5));
    let view = app.rota_draft(&office.association, &draft).await.unwrap();
    assert_eq!(u32::try_from(view.duties.len()).unwrap(), counts.added);
    let at = |slot: &str, role: RotaRole| {
        let found = view.duties.iter().find(|d| d.slot.to_string() == slot && d.role == role);
        found.map(|d| doctors.iter().position(|h| h.person == d.holder.person).unwrap())
    };
    assert_eq!(at("2026-10-01/wd", RotaRole::Primary), Some(0));
    assert_eq!(at("2026-10-07/wn", RotaRole::Primary), at("2026-10-08/wn", RotaRole::Primary));
    assert_eq!(at("2026-10-21/wd", RotaRole::Primary), None);
    assert_eq!(view.steps[0].what, "import");

    // The wall calendar of the same workbook names others for the nights: they are shown as changes.
    let (second, other) = look(&office, &into, table("rota-2026-10.xlsx", "月表")).await;
    assert!(other.counts.changed > 20, "{:?}", other.counts);
    assert!(other.replaced.iter().all(|r| r.duty.slot.kind.to_string().ends_with('n')));
    // Read again, the first brings nothing new.
    let (third, again) = look(&office, &into, table("rota-2026-10.xlsx", "R8.10")).await;
    assert_eq!((again.counts.added, again.counts.changed, again.counts.same), (0, 0, counts.added));

    assert_eq!(app.rota_sheet_undo(&clerk(&office), &id, None).await.unwrap(), SheetPutBack::Done);
    assert!(app.rota_draft(&office.association, &draft).await.unwrap().duties.is_empty(), "as it was");
    assert_eq!(app.rota_sheet_undo(&clerk(&office), &id, None).await.unwrap(), SheetPutBack::Over);
    // What was looked at before is not what would be done now.
    for (id, plan) in [(second, other), (third, again)] {
        let confirm = Confirm { digest: plan.digest(), leave_out: true };
        assert!(app.rota_sheet_take(&clerk(&office), &id, confirm, None).await.unwrap_err().is_stale());
    }

    // A quarter in Shift_JIS, and a hand that changes the draft afterwards: then it stays.
    let quarter = self::draft(&office, "2026-12-31").await;
    let into = Target::Draft(quarter.clone());
    let (id, plan) = look(&office, &into, table("rota-2026-q4.csv", "")).await;
    assert_eq!(
        plan.counts.refused,
        2,
        "{:?}",
        plan.reading.problems.iter().map(|p| p.place.to_string()).collect::<Vec<_>>()
    );
    assert!(matches!(take(&office, &id, &plan, true).await, SheetTaken::Done(_)));
    let view = app.rota_draft(&office.association, &quarter).await.unwrap();
    let seat = touban::app::rota::drafts::SeatChange {
        slot: view.duties[0].slot.clone(),
        role: view.duties[0].role,
        person: None,
        window: None,
    };
    app.rota_draft_edit(&clerk(&office), &quarter, view.draft.revision, &[seat], None).await.unwrap();
    assert_eq!(app.rota_sheet_undo(&clerk(&office), &id, None).await.unwrap(), SheetPutBack::Changed);
}

async fn round(office: &TestOffice) -> WishRoundId {
    let until = office.app.now().plus_s(20 * 86_400);
    let days = (day("2026-10-01"), day("2026-10-31"));
    office.app.wish_round_open(&clerk(office), days, until, None).await.unwrap()
}

async fn wishes_come_in_beside_what_was_said_and_go_back(office: TestOffice) {
    let app = &office.app;
    let doctors = doctors(app, &office.association).await;
    let round = round(&office).await;
    let said =
        WishSheet { phone_only: true, note: "往診車は修理中".to_owned(), ..WishSheet::default() };
    let own = (&doctors[1].person, said.clone());
    app.wish_sheet_write(&clerk(&office), &round, own, WishSource::Phone, None).await.unwrap();
    let into = Target::Round(round.clone());
    let (id, plan) = look(&office, &into, table("wishes-2026-10.xlsx", "希望調査")).await;
    let places: Vec<String> = plan.reading.problems.iter().map(|p| p.place.to_string()).collect();
    assert_eq!(places, ["O7", "P8", "B11", "B12"]);
    let SheetTaken::Done(counts) = take(&office, &id, &plan, true).await else { panic!() };
    assert_eq!((counts.added, counts.changed), (5, 1));
    let sheet = async |n: usize| {
        let view = app.wish_round(&office.association, &round).await.unwrap();
        let asked = view.people.into_iter().find(|asked| asked.member == doctors[n].person).unwrap();
        asked.sheet.map(|row| (row.source, row.sheet))
    };
    let (source, aoki) = sheet(0).await.unwrap();
    assert_eq!(source, WishSource::Import);
    let away = aoki.days.iter().find(|d| d.first == day("2026-10-18")).unwrap();
    assert_eq!((away.last, away.wished), (day("2026-10-22"), Wished::Unavailable));
    let (_, ueda) = sheet(1).await.unwrap();
    assert!(
        ueda.phone_only && ueda.note == said.note && !ueda.days.is_empty(),
        "what was said otherwise stays"
    );

    assert_eq!(app.rota_sheet_undo(&clerk(&office), &id, None).await.unwrap(), SheetPutBack::Done);
    assert_eq!(sheet(0).await, None, "who had not answered has not answered");
    assert_eq!(sheet(1).await, Some((WishSource::Phone, said)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_half_imported() {
    let office = TestOffice::sqlite().await;
    let app = &office.app;
    doctors(app, &office.association).await;
    let into = Target::Draft(draft(&office, "2026-10-31").await);
    let (id, plan) = look(&office, &into, table("rota-2026-10.xlsx", "R8.10")).await;
    let before = without_readings(dump(&office).await);
    // The machine stops at one place after the other.
    let mut crashes = 0;
    for at in [2, 9, 14, 30, 80, 120] {
        let mut app: App = office.app.clone();
        app.db = app.db.with_faults(Arc::new(CrashAt { at, ..CrashAt::default() }));
        let confirm = Confirm { digest: plan.digest(), leave_out: true };
        if app.rota_sheet_take(&clerk(&office), &id, confirm, None).await.is_err() {
            crashes += 1;
            assert_unchanged(&before, &without_readings(dump(&office).await), "a failure half-way");
        }
    }
    assert!(crashes >= 4, "{crashes}");
}

/// Crashes before the n-th statement.
#[derive(Debug, Default)]
struct CrashAt {
    at: usize,
    seen: AtomicUsize,
}

impl Faults for CrashAt {
    fn crash_before(&self, _: &'static str) -> bool {
        self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at
    }

    fn crash_after_commit(&self) -> bool {
        false
    }
}

async fn upload(browser: &Browser, target: &str, sheet: &str, bytes: &[u8]) -> Page {
    let form = browser.get("/rota/sheets").await;
    let fields = form.form("/rota/sheets", &[("target", target), ("sheet", sheet)]);
    browser.send_file("/rota/sheets", &fields, bytes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_looks_takes_in_and_puts_back() {
    let town = Town::new(TestOffice::sqlite().await).await;
    doctors(&town.office.app, &town.office.association).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    clerk.get("/rota/sheets").await.says("取り込み先がありません");
    let draft = draft(&town.office, "2026-10-31").await;
    let target = Target::Draft(draft).code();
    clerk.get("/rota/sheets").await.says("十月").says("令和8年10月");
    let run = upload(&clerk, &target, "R8.10", &stored("rota-2026-10.xlsx")).await;
    run.says("E17").says("佐藤先生").says("同じ名前の先生が複数います");
    run.says("A27").says("曜日が合いません。正しくは 2026-10-21（水） です").says("並び：一日一行");
    run.says("書き直しとみて 小林 修 と読みました").says("月表");
    let path = run.path.clone();
    let confirm = format!("{path}/confirm");
    clerk.submit(&run, &confirm, &[]).await.says("除いて取り込むかを選んでください");
    let page = clerk.get(&path).await;
    let done = clerk.submit(&page, &confirm, &[("leave_out", "yes")]).await;
    done.says("取り込みました").says("読めない5");
    clerk.submit(&done, &format!("{path}/undo"), &[]).await.says("元に戻しました");

    let broken = upload(&clerk, &target, "", b"\x89PNG\r\n\x1a\n\0\0").await;
    broken.says("画像かPDFです");
    let empty = upload(&clerk, &target, "お知らせ", &stored("rota-2026-10.xlsx")).await;
    empty.says("表に何も書かれていません");
    let apples = upload(&clerk, &target, "", "りんご,みかん\r\n1,2\r\n".as_bytes()).await;
    apples.says("日付や名前の並びが見つかりません");
    assert!(!apples.body.contains("/confirm\""), "there is nothing to take in");
    let path = apples.path.clone();
    clerk.submit(&apples, &format!("{path}/stop"), &[]).await.says("取りやめました");
}
