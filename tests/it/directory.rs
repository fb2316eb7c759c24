//! The directory through its pages: who reads and writes what, what the public sees, how people are asked to
//! look at their entries.

use touban::app::Who;
use touban::app::people::NewInstitution;
use touban::domain::calendar::FiscalYear;
use touban::domain::people::Role;
use touban::domain::people::contact_window::{ContactWay, ContactWindow};
use touban::domain::people::directory::{CannotJoin, Membership};
use touban::domain::people::entry::InstitutionEntry;
use touban::durable::reviews::{Reviews, Rounds};
use touban::durable::schedule::Schedule;
use touban::ids::{InstitutionId, MemberId};
use touban::seal::Pin;
use touban::time::Millis;

use crate::pages::browser::{Browser, Page, Town, mails, token_of};
use crate::support::{PIN, TestOffice, add_association, add_institution, new_member, on_both};

async fn member(office: &TestOffice, name: &str, institution: &InstitutionId, role: Role) -> MemberId {
    let mut new = new_member(name, institution, role, vec![]);
    new.phone = Some("090-0000-7777".into());
    let pin = Pin::parse(PIN).unwrap();
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

fn entry(name: &str, kind: &str, public: bool) -> NewInstitution {
    NewInstitution {
        name: name.into(),
        kind: kind.into(),
        area: "青葉北".into(),
        phone: Some("042-000-5511".into()),
        fax: Some("042-000-5512".into()),
        entry: InstitutionEntry { public, ..InstitutionEntry::default() },
        ..NewInstitution::default()
    }
}

async fn add(office: &TestOffice, new: NewInstitution) -> InstitutionId {
    office.app.institution_add(&office.cli(), new, None).await.unwrap().into_inner()
}

async fn audited(office: &TestOffice, action: &str) -> usize {
    let mut conn = office.app.db.read().await.unwrap();
    let events = touban::store::audit::audit_after(&mut conn, &office.association, 0, 10_000).await.unwrap();
    events.iter().filter(|e| e.action == action).count()
}

const NEW: &[(&str, &str)] = &[
    ("name", "緑町総合病院 連携室"),
    ("kana", "みどりちょうそうごうびょういん"),
    ("kind", "liaison_room"),
    ("area", "緑町"),
    ("phone", "０４２ー０００ー１４１１"),
    ("fax", "042-000-1412"),
    ("postcode", "〒１８４－０００１"),
    ("accepts", "レスパイトは2週間まで"),
    ("public", "yes"),
];

async fn new_entry(clerk: &Browser, typed: &[(&str, &str)]) -> Page {
    let form = clerk.get("/directory/new").await;
    clerk.submit(&form, "/directory/new", typed).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clerk_adds_an_entry_and_everybody_who_may_finds_it() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let wrong: Vec<(&str, &str)> = NEW
        .iter()
        .map(|(name, value)| match *name {
            "phone" => ("phone", "でんわ"),
            "kind" => ("kind", ""),
            _ => (*name, *value),
        })
        .chain([("code", "123")])
        .collect();
    let page = new_entry(&clerk, &wrong).await;
    page.says("電話番号は数字とハイフンで").says("種類を選んで").says("数字10けた");
    assert!(page.body.contains("value=\"緑町総合病院 連携室\"") && page.body.contains("value=\"でんわ\""));
    let page = new_entry(&clerk, NEW).await;
    page.says("保存しました").says("042-000-1411").says("病院連携室").says("〒184-0001");
    let place = page.path.clone();
    assert!(place.starts_with("/directory/") && !place.contains("new"));

    let doctor = town.signed_in(&town.office.asker).await;
    for q in ["緑町総合", "みどりちょう", "ミドリチョウソウゴウ", "ﾐﾄﾞﾘﾁｮｳ", "0420001411", "０００－１４１１"]
    {
        let found = doctor.get(&format!("/directory?q={}", escaped(q))).await;
        found.says("緑町総合病院 連携室").says("1件").keeps_quiet_about("さとう内科");
    }
    doctor.get(&format!("/directory?q={}", escaped("さとう"))).await.says("さとう内科クリニック");
    doctor.get("/directory?kind=pharmacy").await.says("あてはまる施設はありません");
    doctor
        .get(&place)
        .await
        .says("レスパイトは2週間まで")
        .keeps_quiet_about("振込先")
        .keeps_quiet_about("/edit");
    for path in [format!("{place}/edit"), "/directory/new".into(), "/directory/reviews".into()] {
        assert_eq!(doctor.look(&path).await.status, 404, "{path}");
        assert_eq!(town.browser().look(&path).await.leads_to(), "/sign-in", "{path}");
    }
    // Where a reader of another association looks, there is nothing.
    let elsewhere = add_association(&town.office.app, "midori", "緑市医師会").await;
    let theirs = add_institution(&town.office.app, &elsewhere, "よその医院").await;
    assert_eq!(clerk.look(&format!("/directory/{theirs}")).await.status, 404);
    clerk.get("/directory").await.keeps_quiet_about("よその医院");
}

fn escaped(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_change_an_entry_see_each_other_and_a_double_tap_changes_it_once() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let place = new_entry(&clerk, NEW).await.path;
    let edit = format!("{place}/edit");
    let (first, second) = (clerk.get(&edit).await, clerk.get(&edit).await);
    let with = |accepts: &'static str| {
        NEW.iter().map(|(n, v)| if *n == "accepts" { (*n, accepts) } else { (*n, *v) }).collect::<Vec<_>>()
    };
    let sent = first.form(&edit, &with("一週間まで"));
    assert_eq!(clerk.send(&edit, &sent).await.status, 303);
    assert_eq!(clerk.send(&edit, &sent).await.status, 303, "the same form again is the same change");
    let late = clerk.submit(&second, &edit, &with("三週間まで")).await;
    late.says("先にほかの方が変えました");
    assert!(late.body.contains("三週間まで"), "what was typed stays");
    clerk.get(&place).await.says("一週間まで");
    clerk.submit(&late, &edit, &with("三週間まで")).await.says("三週間まで").says("保存しました");
    assert_eq!(audited(&town.office, "institution.change").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_institution_closes_when_nobody_belongs_to_it_any_more() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let place = format!("/directory/{}", town.office.clinic);
    let page = clerk.get(&place).await;
    let refused = clerk.submit(&page, &format!("{place}/close"), &[]).await;
    refused.says("閉じられません").says("佐藤 健 先生");
    town.office.app.member_leave(&town.office.cli(), &town.office.asker, None).await.unwrap();
    let page = clerk.get(&place).await;
    clerk.submit(&page, &format!("{place}/close"), &[]).await.says("閉じました").says("閉じた施設");
    clerk.get("/directory").await.keeps_quiet_about("さとう内科クリニック");
    let page = clerk.get("/directory?closed=yes").await;
    page.says("さとう内科クリニック");
    let page = clerk.get(&place).await;
    clerk.submit(&page, &format!("{place}/reopen"), &[]).await.says("もう一度開きました");
}

const ACCOUNT: &[(&str, &str)] = &[
    ("bank_name", "青葉銀行"),
    ("bank_code", "０００１"),
    ("branch_name", "本店"),
    ("branch_code", "001"),
    ("account_kind", "ordinary"),
    ("number", "7654321"),
    ("holder", "サトウ　ケン"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_account_is_read_by_clerk_and_officer_alone_and_each_reading_is_noted() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let place = format!("/directory/{}/bank", office.clinic);
    let form = clerk.get(&place).await;
    assert_eq!(audited(office, "bank.read").await, 0, "there was nothing to read");
    let bad: Vec<_> =
        ACCOUNT.iter().map(|(n, v)| if *n == "number" { (*n, "12-x") } else { (*n, *v) }).collect();
    clerk.submit(&form, &place, &bad).await.says("数字7けた");
    clerk.submit(&form, &place, ACCOUNT).await.says("保存しました").keeps_quiet_about("7654321");
    let read = clerk.get(&place).await;
    assert!(read.body.contains("7654321") && read.body.contains("ｻﾄｳ ｹﾝ"), "{}", read.body);
    assert_eq!(audited(office, "bank.read").await, 1);

    let desk = office.app.member(&office.association, &office.clerk).await.unwrap().institution.unwrap();
    let officer = member(office, "理事 進", &desk, Role::Officer).await;
    let officer = town.signed_in(&officer).await;
    assert!(officer.get(&place).await.body.contains("7654321"));
    assert_eq!(audited(office, "bank.read").await, 2);
    let station = add(office, entry("さくら訪問看護", "nursing_station", true)).await;
    let nurse = member(office, "高橋 真理", &station, Role::NurseStation).await;
    for one in [&office.coordinator, &office.asker, &nurse] {
        let browser = town.signed_in(one).await;
        assert_eq!(browser.look(&place).await.status, 404);
        let tried = browser.send(&place, &form.form(&place, ACCOUNT)).await;
        assert_eq!(tried.status, 404);
        let entry = browser.get(&format!("/directory/{}", office.clinic)).await;
        entry.keeps_quiet_about("7654321").keeps_quiet_about("ｻﾄｳ").keeps_quiet_about("090-0000-7777");
    }
    assert_eq!(town.browser().look(&place).await.leads_to(), "/sign-in");
    assert_eq!(audited(office, "bank.read").await, 2);
    // Neither the API nor the file shows it.
    let served = office.serve().await;
    let client = crate::api::client::Client::new(&served, &office.keys.all);
    let shown = client.get(&format!("/institutions/{}", office.clinic.api())).await.ok(200);
    assert!(!shown.to_string().contains("7654321") && shown.get("bank").is_none(), "{shown}");
    let emptied = ACCOUNT.iter().map(|(n, _)| (*n, "")).collect::<Vec<_>>();
    let form = clerk.get(&place).await;
    clerk.submit(&form, &place, &emptied).await.says("保存しました");
    assert!(!clerk.get(&place).await.body.contains("7654321"));
}

fn window(public: bool) -> ContactWindow {
    ContactWindow {
        way: ContactWay::Phone,
        days: vec![],
        from_min: 750,
        to_min: 810,
        holidays: false,
        remarks: String::new(),
        public,
    }
}

fn this_year() -> FiscalYear {
    FiscalYear::beginning_in(2026).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_list_shows_what_is_public_and_nothing_else() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    let open = add(office, entry("ひらけ医院", "clinic", true)).await;
    let hidden = add(office, entry("CANARY医院", "clinic", false)).await;
    add(office, entry("さくら訪問看護", "nursing_station", true)).await;
    let shown = member(office, "公開 一郎", &open, Role::Physician).await;
    let quiet = member(office, "CANARY 二郎", &open, Role::Physician).await;
    member(office, "CANARY 三郎", &open, Role::NurseStation).await;
    let behind = member(office, "CANARY 四郎", &hidden, Role::Physician).await;
    for (one, public) in [(&shown, true), (&quiet, false), (&behind, true)] {
        let windows = vec![window(public)];
        let at = (this_year(), 0);
        office.app.contact_windows_put(&office.cli(), one, at, windows, None).await.unwrap();
    }
    let clerk = town.signed_in(&office.clerk).await;
    let bank = format!("/directory/{open}/bank");
    let form = clerk.get(&bank).await;
    clerk.submit(&form, &bank, ACCOUNT).await;

    let guest = town.browser();
    let doctor = town.signed_in(&office.asker).await;
    let entry = format!("/public/aoba/entries/{open}");
    let sheet = format!("/public/aoba/sheet/{open}");
    for path in [
        "/public",
        "/public/aoba",
        "/public/aoba/list",
        "/public/aoba/print",
        "/public/aoba/windows",
        &entry,
        &sheet,
    ] {
        for browser in [&guest, &doctor, &clerk] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            for secret in ["CANARY", "090-0000-7777", "7654321", "ｻﾄｳ", "佐藤 健", "事務 花"] {
                page.keeps_quiet_about(secret);
            }
        }
    }
    guest.get("/public").await.says("ひらけ医院").says("119").says("さくら訪問看護").says("042-000-5511");
    guest.get("/public/aoba/windows").await.says("公開 一郎 先生").says("12時30分〜13時30分");
    guest.get(&sheet).await.says("令和8年11月20日").says("042-000-5512").says("ひらけ医院");
    guest.get(&format!("/public/aoba/list?q={}", escaped("ﾋﾗｹ"))).await.says("1件").says("ひらけ医院");
    // Ten o'clock on a Friday: outside; half past twelve: inside; half past one: outside again.
    guest
        .get(&entry)
        .await
        .says("いまは、主治医への連絡の時間ではありません")
        .says("11月20日（金）12時30分から");
    office.clock.set(Millis::parse_rfc3339("2026-11-20T12:30:00+09:00").unwrap());
    guest.get(&entry).await.says("電話で連絡できます。今日13時30分まで").says("公開 一郎 先生");
    office.clock.set(Millis::parse_rfc3339("2026-11-20T13:30:00+09:00").unwrap());
    guest.get(&entry).await.says("11月21日（土）12時30分から");
    // The holiday of the 23rd is left out.
    office.clock.set(Millis::parse_rfc3339("2026-11-22T20:00:00+09:00").unwrap());
    guest.get(&entry).await.says("11月24日（火）12時30分から");

    assert_eq!(guest.look(&format!("/public/aoba/entries/{hidden}")).await.status, 404);
    assert_eq!(guest.look(&format!("/public/aoba/sheet/{hidden}")).await.status, 404);
    assert_eq!(guest.look("/public/nowhere").await.status, 404);
    // With a second association each has its own.
    add_association(&office.app, "midori", "緑市医師会").await;
    assert_eq!(guest.look("/public").await.status, 404);
    guest.get("/public/midori").await.keeps_quiet_about("ひらけ医院").says("緑市医師会");
    assert_eq!(guest.look(&format!("/public/midori/entries/{open}")).await.status, 404);
    guest.get("/public/aoba").await.says("ひらけ医院");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_writes_their_contact_hours_and_the_office_anybodys() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    let doctor = town.signed_in(&office.asker).await;
    let form = doctor.get("/me/windows").await;
    let typed = [
        ("w1_way", "phone"),
        ("w1_mon", "yes"),
        ("w1_fri", "yes"),
        ("w1_from", "１２時半"),
        ("w1_to", "25:00"),
        ("w2_way", ""),
        ("w2_remarks", "方法なし"),
    ];
    let wrong = doctor.submit(&form, "/me/windows", &typed).await;
    wrong.says("時刻は 12:30 のように").says("方法を選んでください");
    assert!(wrong.body.contains("value=\"１２時半\"") && wrong.body.contains("value=\"25:00\""));
    let good = [
        ("w1_way", "phone"),
        ("w1_mon", "yes"),
        ("w1_fri", "yes"),
        ("w1_from", "１２時半"),
        ("w1_to", "13:30"),
        ("w1_public", "yes"),
        ("w2_way", "fax"),
    ];
    doctor.submit(&form, "/me/windows", &good).await.says("保存しました");
    let clerk = town.signed_in(&office.clerk).await;
    let list = clerk.get("/directory/windows").await;
    list.says("月曜日").says("12時30分〜13時30分").says("佐藤 健 先生").says("終日").says("伊藤 静 先生");
    let place = format!("/directory/windows/{}", office.asker);
    let (theirs, older) = (clerk.get(&place).await, doctor.get("/me/windows").await);
    assert!(theirs.body.contains("value=\"12:30\""));
    clerk.submit(&theirs, &place, &[("w1_way", "visit"), ("w1_from", "9"), ("w1_to", "10")]).await;
    let now = office.app.contact_windows(&office.association, &office.asker, this_year()).await.unwrap();
    assert_eq!(now.windows.len(), 1);
    assert_eq!(
        (now.windows[0].way, now.windows[0].from_min, now.windows[0].to_min),
        (ContactWay::Visit, 540, 600)
    );
    // The doctor's older page is told so; next year's list is another.
    doctor.submit(&older, "/me/windows", &[("w1_way", "mail")]).await.says("先にほかの方が変えました");
    let next = doctor.get("/me/windows?year=2027").await;
    next.says("令和9年度");
    doctor.submit(&next, "/me/windows", &[("w1_way", "mail")]).await.says("保存しました");
    let next_year = FiscalYear::beginning_in(2027).unwrap();
    let next = office.app.contact_windows(&office.association, &office.asker, next_year).await.unwrap();
    assert_eq!(next.windows[0].way, ContactWay::Mail);
    assert_eq!(clerk.look("/me/windows").await.status, 404, "the clerk has no hours for care managers");
    assert_eq!(doctor.look(&place).await.status, 404);
    // A program reads them.
    let served = office.serve().await;
    let client = crate::api::client::Client::new(&served, &office.keys.read);
    let read = client.get(&format!("/contact-windows?member={}", office.asker.api())).await.ok(200);
    assert_eq!(read["windows"][0]["way"], "visit");
    assert_eq!(read["fiscal_year"], 2026);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_changes_an_entry_at_its_revision_and_shows_numbers_to_those_who_may() {
    let office = TestOffice::sqlite().await;
    let id = add(&office, entry("ひらけ医院", "clinic", true)).await.api();
    let served = office.serve().await;
    let all = crate::api::client::Client::new(&served, &office.keys.all);
    let read = crate::api::client::Client::new(&served, &office.keys.read);
    let seen = all.get(&format!("/institutions/{id}")).await.ok(200);
    assert_eq!((seen["phone"].as_str(), seen["revision"].as_i64()), (Some("042-000-5511"), Some(0)));
    let seen = read.get(&format!("/institutions/{id}")).await.ok(200);
    assert!(seen["phone"].is_null() && seen["public"] == true, "{seen}");
    let change = |revision: i64| {
        serde_json::json!({ "name": "ひらいた医院", "kind": "clinic", "area": "緑町", "hours": "9時〜12時",
            "revision": revision })
    };
    let path = format!("/institutions/{id}/change");
    assert_eq!(all.post(&path, &change(0)).await.status, 204);
    assert_eq!(all.post(&path, &change(0)).await.status, 409);
    let seen = all.get(&format!("/institutions/{id}")).await.ok(200);
    assert_eq!((seen["name"].as_str(), seen["hours"].as_str()), (Some("ひらいた医院"), Some("9時〜12時")));
    assert_eq!((seen["revision"].as_i64(), seen["phone"].is_null()), (Some(1), true));
    let mut without = change(1);
    without.as_object_mut().unwrap().remove("revision");
    assert_eq!(all.post(&path, &without).await.status, 422);
    assert_eq!(read.post(&path, &change(1)).await.status, 403);
}

on_both! {
    a_care_group_takes_nine_and_an_institution_one_group,
    people_are_asked_once_a_round_and_not_about_what_they_looked_at,
    contact_hours_and_entries_of_another_association_stay_there,
}

async fn a_care_group_takes_nine_and_an_institution_one_group(office: TestOffice) {
    let who = office.cli();
    let app = &office.app;
    let first = app.care_group_add(&who, "北", "", None).await.unwrap();
    let second = app.care_group_add(&who, "南", "", None).await.unwrap();
    assert!(app.care_group_add(&who, "北", "", None).await.is_err(), "a name stands once");
    let day = |text: &str| text.parse().unwrap();
    let at = |group: &touban::ids::CareGroupId, institution: &InstitutionId, from: &str| Membership {
        group: group.clone(),
        institution: institution.clone(),
        from: day(from),
        until: None,
    };
    let mut members = Vec::new();
    for n in 0..10 {
        members.push(add(&office, entry(&format!("医院{n}"), "clinic", false)).await);
    }
    for institution in &members[..9] {
        app.care_group_join(&who, &at(&first, institution, "2026-04-01"), None).await.unwrap().unwrap();
    }
    let tenth = app.care_group_join(&who, &at(&first, &members[9], "2026-04-01"), None).await.unwrap();
    assert_eq!(tenth, Err(CannotJoin::Full));
    let twice = app.care_group_join(&who, &at(&second, &members[0], "2026-05-01"), None).await.unwrap();
    assert_eq!(twice, Err(CannotJoin::InGroup(first.clone())));
    let left = at(&first, &members[0], "2026-04-01");
    app.care_group_leave(&who, &left, day("2026-09-30"), None).await.unwrap();
    let late = app.care_group_leave(&who, &left, day("2026-12-31"), None).await;
    assert!(late.unwrap_err().is_stale(), "a later last day would be joining again");
    app.care_group_join(&who, &at(&second, &members[0], "2026-10-01"), None).await.unwrap().unwrap();
    app.care_group_join(&who, &at(&first, &members[9], "2026-10-01"), None).await.unwrap().unwrap();
    // An institution that closes leaves its group with the day.
    app.institution_close(&who, &members[0], 0, None).await.unwrap();
    let view = app.directory(&office.association).await.unwrap();
    let last = view.memberships.iter().find(|m| m.institution == members[0] && m.group == second).unwrap();
    assert_eq!(last.until, Some(day("2026-11-20")));
}

fn reviews() -> Reviews {
    Reviews { schedule: Schedule::parse("0 0 9 1 4,7,10 *").unwrap(), after_days: 60 }
}

async fn people_are_asked_once_a_round_and_not_about_what_they_looked_at(office: TestOffice) {
    let mut rounds = Rounds::default();
    let at = |text: &str| office.clock.set(Millis::parse_rfc3339(text).unwrap());
    assert_eq!(rounds.begin_due(&office.app, &reviews()).await.unwrap(), 0, "November is no month of asking");
    at("2027-03-20T10:00:00+09:00");
    let fresh = office.app.institution(&office.association, &office.clinic).await.unwrap();
    assert!(fresh.reviewed.is_some());
    office.app.entry_reviewed_for(&office.cli(), &office.clinic, None).await.unwrap();
    at("2027-04-01T08:59:59+09:00");
    assert_eq!(rounds.begin_due(&office.app, &reviews()).await.unwrap(), 0);
    at("2027-04-01T09:00:00+09:00");
    // Three dermatologists; the asker's clinic was looked at in March, the office's own entry is nobody's.
    assert_eq!(rounds.begin_due(&office.app, &reviews()).await.unwrap(), 3);
    assert_eq!(rounds.begin_due(&office.app, &reviews()).await.unwrap(), 0);
    let mut again = Rounds::default();
    assert_eq!(
        again.begin_due(&office.app, &reviews()).await.unwrap(),
        0,
        "a restart begins no second round"
    );
    // Somebody tells the office by phone before the mail has left: nothing is sent to them.
    let all = office.app.entry_reviews(&office.association).await.unwrap();
    assert_eq!(all.iter().filter(|r| r.is_waiting()).count(), 3);
    let told = all.iter().find(|r| r.is_waiting()).unwrap();
    office.clock.advance_s(60);
    office.app.entry_reviewed_for(&office.cli(), &told.institution.id, None).await.unwrap();
    let sent = mails(&office.app).await;
    assert_eq!(sent.len(), 2);
    for mail in &sent {
        assert!(mail.subject.contains("確認のお願い"), "{}", mail.subject);
        assert!(!mail.text.contains("皮膚科"), "no institution is named in a mail: {}", mail.text);
    }
    at("2027-07-01T12:00:00+09:00");
    // The process was down at nine; it is caught up.
    assert_eq!(again.begin_due(&office.app, &reviews()).await.unwrap(), 4);
}

async fn contact_hours_and_entries_of_another_association_stay_there(office: TestOffice) {
    let other = add_association(&office.app, "midori", "緑市医師会").await;
    let there = Who::cli(&other);
    let app = &office.app;
    let none =
        app.contact_windows_put(&there, &office.asker, (this_year(), 0), vec![window(true)], None).await;
    assert!(none.is_err());
    app.contact_windows_put(&office.cli(), &office.asker, (this_year(), 0), vec![window(true)], None)
        .await
        .unwrap();
    assert!(app.contact_windows_of_year(&other, this_year()).await.unwrap().is_empty());
    assert!(app.contact_windows(&other, &office.asker, this_year()).await.is_err());
    assert!(app.bank_read(&there, &office.clinic).await.is_err());
    assert!(app.entry_reviewed_for(&there, &office.clinic, None).await.is_err());
    assert!(app.entry_link_send(&there, &office.clinic, None).await.is_err());
    let closed = app.institution_close(&there, &office.clinic, 0, None).await.unwrap();
    assert_eq!(closed, touban::app::directory::Closed::NotFound);
    assert!(app.directory(&other).await.unwrap().institutions.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_after_an_entry_says_by_link_and_pin_that_it_is_right_or_sets_it_right() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let place = format!("/directory/{}", office.clinic);
    office.clock.advance_s(600);
    let page = clerk.get(&place).await;
    clerk.submit(&page, &format!("{place}/ask"), &[]).await.says("確認のメールを送りました");
    let sent = mails(&office.app).await;
    let mail = sent.iter().find(|m| m.subject.contains("確認のお願い")).unwrap();
    let token = token_of(mail);
    clerk.get("/directory/reviews").await.says("お返事待ち");
    let reviewed = async || office.app.institution(&office.association, &office.clinic).await.unwrap();
    let before = reviewed().await;

    office.clock.advance_s(60);
    let phone = town.browser();
    let page = phone.open(&token).await;
    page.says("施設の内容をお確かめください").says("さとう内科クリニック");
    assert_eq!(reviewed().await.reviewed, before.reviewed, "opening changes nothing");
    let right = format!("right {} {}", office.clinic, before.revision);
    let page = phone.submit(&page, "/k/entry", &[("answer", &right)]).await;
    page.says("暗証番号");
    assert_eq!(reviewed().await.reviewed, before.reviewed);
    let page = phone.submit(&page, "/k/entry", &[("answer", &right), ("pin", "9999")]).await;
    assert_eq!(reviewed().await.reviewed, before.reviewed, "{}", page.text());
    let page = phone.submit(&page, "/k/entry", &[("answer", &right), ("pin", PIN)]).await;
    page.says("ありがとうございます").says("確かめました");
    assert_eq!(reviewed().await.reviewed, Some(office.app.now()));

    // The link is not used up: something is set right later.
    office.clock.advance_s(86_400);
    let page = phone.open(&token).await;
    let edit = format!("edit {} {}", office.clinic, reviewed().await.revision);
    let form = phone.submit(&page, "/k/entry", &[("answer", &edit)]).await;
    form.says("施設の内容を直す");
    let bad = [("phone", "x"), ("hours", "月〜金"), ("pin", PIN)];
    let form = phone.submit(&form, "/k/entry/save", &bad).await;
    form.says("電話番号は数字とハイフンで");
    assert!(form.body.contains("value=\"月〜金\""));
    let good = [("phone", "042-000-8888"), ("hours", "月〜金 9時〜17時"), ("pin", PIN)];
    phone.submit(&form, "/k/entry/save", &good).await.says("ありがとうございます");
    let clerk = town.signed_in(&office.clerk).await;
    clerk.get(&place).await.says("042-000-8888").says("月〜金 9時〜17時");
    assert_eq!(reviewed().await.name, "さとう内科クリニック", "the name is the office's");

    // Another entry cannot be answered with this link.
    let others = office.app.directory(&office.association).await.unwrap();
    let other = others.institutions.iter().find(|i| i.name.contains("伊藤")).unwrap().id.clone();
    let page = phone.open(&token).await;
    let forged = format!("right {other} 0");
    phone.submit(&page, "/k/entry", &[("answer", &forged), ("pin", PIN)]).await;
    let untouched = office.app.institution(&office.association, &other).await.unwrap();
    assert!(untouched.reviewed.unwrap() < office.app.now());
    // After two weeks it is over.
    office.clock.advance_s(14 * 86_400);
    phone.open(&token).await.keeps_quiet_about("さとう内科");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_pins_end_the_link_to_an_entry() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    office.app.entry_link_send(&office.cli(), &office.clinic, None).await.unwrap();
    let token = token_of(&mails(&office.app).await[0]);
    let phone = town.browser();
    let right = format!("right {} 0", office.clinic);
    for _ in 0..5 {
        let page = phone.open(&token).await;
        phone.submit(&page, "/k/entry", &[("answer", &right), ("pin", "9999")]).await;
    }
    let before = office.app.institution(&office.association, &office.clinic).await.unwrap().reviewed;
    phone.open(&token).await.keeps_quiet_about("さとう内科");
    assert_eq!(office.app.institution(&office.association, &office.clinic).await.unwrap().reviewed, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_names_who_looks_after_an_entry_and_notes_what_was_said_by_phone() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let office = &town.office;
    let room = add(office, entry("連携室", "liaison_room", true)).await;
    let clerk = town.signed_in(&office.clerk).await;
    let place = format!("/directory/{room}");
    let page = clerk.get(&place).await;
    page.says("メールの届く方がいません");
    let owner = office.dermatologists[0].to_string();
    clerk.submit(&page, &format!("{place}/owner"), &[("owner", &owner)]).await.says("伊藤 静 先生");
    let page = clerk.get("/directory/reviews").await;
    page.says("連携室");
    office.clock.advance_s(600);
    let page = clerk.get(&place).await;
    clerk.submit(&page, &format!("{place}/reviewed"), &[]).await.says("確認済みにしました");
    let mut conn = office.app.db.read().await.unwrap();
    let events = touban::store::audit::audit_after(&mut conn, &office.association, 0, 10_000).await.unwrap();
    let noted = events.iter().find(|e| e.action == "entry.reviewed").unwrap();
    assert_eq!(noted.on_behalf_of.as_deref(), Some(format!("member:{owner}").as_str()));
}
