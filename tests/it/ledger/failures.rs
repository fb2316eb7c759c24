//! What goes wrong at a desk that closes months, from what the office sees: pages, paper, mails. Each of the failures
//! that the journey of the month's close names; the restored copy stands in `year` and `shell`.

use touban::app::Who;
use touban::app::directory::Closed;
use touban::app::ledger::world::Evidence;
use touban::app::people::NewMember;
use touban::app::rota::changes::NewOverride;
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::domain::ledger::{Month, Side, Tariffs};
use touban::domain::people::Role;
use touban::domain::rota::{Assignment, Holder, RotaRole};
use touban::money::Yen;
use touban::time::Window;

use super::pages::{by_hand, closed, has_form, staff};
use super::{TARIFFS, at, clerk, consult, month, record, sound, two_programmes, view};
use crate::api::client::Client;
use crate::pages::browser::{Town, mails};
use crate::support::{TestOffice, add_institution, new_member, on_both};

on_both! {
    what_is_missing_is_asked_for_by_mail_once_a_day_and_on_a_sheet with crate::support::ALL_AT_ONCE,
    an_ordered_correction_is_taken_back_by_page with crate::support::ALL_AT_ONCE,
    a_closed_year_leaves_its_tariffs_as_a_draft_for_the_next with crate::support::ALL_AT_ONCE,
    tariffs_that_are_too_long_are_refused_with_their_size with crate::support::ALL_AT_ONCE,
    one_case_under_two_programmes_is_paid_once_and_the_statement_says_so with crate::support::ALL_AT_ONCE,
    the_city_gets_totals_of_its_residents_and_no_small_number with crate::support::ALL_AT_ONCE,
    a_programme_that_ends_in_mid_month_pays_its_last_day_and_not_the_next with crate::support::ALL_AT_ONCE,
    a_claim_is_cut_below_a_thousand_once_and_not_line_by_line with crate::support::ALL_AT_ONCE,
    with_the_officer_away_the_month_waits_and_another_approves with crate::support::ALL_AT_ONCE,
    a_clinic_that_left_is_still_owed_and_stands_on_paper with crate::support::ALL_AT_ONCE,
    a_correction_larger_than_the_next_month_ends_below_nought with crate::support::ALL_AT_ONCE,
    the_rota_as_it_stood_is_what_the_closed_month_paid with crate::support::ALL_AT_ONCE,
}

async fn what_is_missing_is_asked_for_by_mail_once_a_day_and_on_a_sheet(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    // Somebody who asks and reads no mail.
    let place = add_institution(&office.app, &office.association, "ファクスの医院").await;
    let new = NewMember { email: None, ..new_member("古田 一", &place, Role::Physician, vec![]) };
    let by_fax = office.app.member_add(&office.cli(), new, None, None).await.unwrap().into_inner();
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, false).await;
    super::consult_of(&office, "2026-11-21T10:00:00+09:00", (&by_fax, "B.K."), &taker, false).await;
    consult(&office, "2026-11-22T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-12-01T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    mails(&office.app).await;
    let page = clerk.get("/ledger?month=2026-11").await;
    page.says("依頼側の確認がまだの件：2");
    let page = clerk.submit(&page, "/ledger/chase", &[]).await;
    page.says("催促を送りました").says("R8-0001").says("R8-0002").keeps_quiet_about("R8-0003");
    page.says("古田 一").says("ファクスで送ってください").says("メールで送ります");
    let sent: Vec<_> =
        mails(&office.app).await.into_iter().filter(|m| m.subject.contains("確認のお願い")).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(
        sent[0].text.contains("R8-0001")
            && sent[0].text.contains("11月1日")
            && !sent[0].text.contains("A.K.")
    );
    // Once a day, however often somebody presses.
    let page = clerk.get("/ledger?month=2026-11").await;
    clerk.submit(&page, "/ledger/chase", &[]).await;
    assert!(mails(&office.app).await.is_empty());
    // The next day; but what came in meanwhile is not asked for.
    office.clock.set(at("2026-12-02T10:00:00+09:00"));
    let clerk = town.signed_in(&office.clerk).await;
    let page = clerk.get("/ledger?month=2026-11").await;
    clerk.submit(&page, "/ledger/chase", &[]).await;
    let case = office.app.ledger_request(&office.association, "R8-0001").await.unwrap();
    let confirmed = Evidence::Confirmed { at: office.app.now() };
    office.app.ledger_evidence(&super::clerk(office), &case, confirmed).await.unwrap();
    let sent = mails(&office.app).await;
    assert!(sent.iter().all(|m| !m.subject.contains("確認のお願い")), "{sent:?}");
    clerk.get("/ledger/chasers?month=2026-11").await.keeps_quiet_about("R8-0001").says("R8-0002");
    sound(office).await;
}

async fn an_ordered_correction_is_taken_back_by_page(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-11").await;
    let line = view(office, "2026-11").await.lines.into_iter().find(|l| l.side == Side::Acceptor).unwrap();
    let path = format!("/ledger/correct?line={}", line.id);
    let form = clerk.get(&path).await;
    assert!(!has_form(&form, "/ledger/correct-not"), "there is nothing to take back");
    let typed = [("instead", "1200"), ("note", "単価の誤り")];
    clerk.submit(&form, "/ledger/correct", &typed).await;
    let desk = clerk.get("/ledger?month=2026-12").await;
    desk.says("受け付けた訂正").says("R8-0001").says("1,200円");
    assert!(desk.body.contains(&path), "the desk leads there");
    let form = clerk.get(&path).await;
    form.says("訂正後 1,200円");
    clerk.submit(&form, "/ledger/correct-not", &[]).await.says("訂正を取り下げました");
    clerk.get("/ledger?month=2026-12").await.keeps_quiet_about("受け付けた訂正");
    clerk.submit(&form, "/ledger/correct-not", &[]).await.says("取り下げる訂正はありません");
    // Sealed with a month, it cannot be taken back any more.
    clerk.submit(&form, "/ledger/correct", &typed).await;
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-12").await.says("-2,000円");
    let late = by_hand(&clerk.get(&path).await, &[("line", line.id.as_str())]);
    clerk.send("/ledger/correct-not", &late).await.says("取り下げる訂正はありません");
    sound(office).await;
}

async fn a_closed_year_leaves_its_tariffs_as_a_draft_for_the_next(office: TestOffice) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    let text = two_programmes("2027-04-01").replace("before = \"2028-04-01\"", "before = \"2027-04-01\"");
    record(&office, 0, &text).await;
    consult(&office, "2027-03-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2027-04-15T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    clerk.get("/ledger/tariffs").await.keeps_quiet_about("下書きがあります");
    closed(&clerk, &officer, "2027-03").await;
    let page = clerk.get("/ledger/tariffs").await;
    page.says("令和9年度の下書きがあります");
    assert_eq!(office.app.tariffs_history(&office.association).await.unwrap().len(), 1, "it is not in force");
    let page = clerk.get("/ledger/tariffs?draft=2027").await;
    page.says("P-ACC-2027");
    assert_eq!(clerk.look("/ledger/tariffs?draft=2031").await.status, 404);
    let (year, body) = office.app.tariffs_draft(&office.association).await.unwrap().unwrap();
    assert_eq!(year, 2027);
    let typed = [("body", body.as_str()), ("note", "令和9年度の単価"), ("do", "record")];
    clerk
        .submit(&page, "/ledger/tariffs", &typed)
        .await
        .says("登録しました")
        .keeps_quiet_about("下書きがあります");
    let (now, _) = office.app.tariffs_now(&office.association).await.unwrap();
    let next: Vec<String> =
        now.all().iter().filter(|t| t.code.as_str().ends_with("-2027")).map(|t| t.from.to_string()).collect();
    assert_eq!(next, ["2027-04-01"; 3]);
    // April is paid by them, March was by the old ones.
    consult(office, "2027-04-20T10:00:00+09:00", &office.dermatologists[1].clone(), true).await;
    office.clock.set(at("2027-05-10T10:00:00+09:00"));
    let april = view(office, "2027-04").await;
    let codes: Vec<String> = april
        .lines
        .iter()
        .filter(|l| l.amount.0 > 0)
        .map(|l| l.tariff.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(codes, ["P-REQ-2027", "P-ACC-2027"]);
    sound(office).await;
}

async fn tariffs_that_are_too_long_are_refused_with_their_size(office: TestOffice) {
    let town = Town::generous(office).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let form = clerk.get("/ledger/tariffs").await;
    // As long as it may be, in letters that take most room in a form.
    let rest = 65_536 - TARIFFS.len() - 1;
    let fits = format!("{TARIFFS}#{}{}", "市".repeat(rest / 3), " ".repeat(rest % 3));
    assert_eq!(fits.len(), 65_536);
    let typed = [("body", fits.as_str()), ("note", "改定"), ("do", "preview")];
    clerk.submit(&form, "/ledger/tariffs", &typed).await.keeps_quiet_about("長すぎます");
    let long = format!("{fits}市");
    for deed in ["preview", "record"] {
        let typed = [("body", long.as_str()), ("note", "改定"), ("do", deed)];
        clerk.submit(&form, "/ledger/tariffs", &typed).await.says("長すぎます（65KB）").says("64KBまで");
    }
    assert!(office.app.tariffs_history(&office.association).await.unwrap().is_empty());
}

/// A month closed by page, with the town around it.
async fn month_closed(office: TestOffice, of: &str) -> (Town, touban::ids::MemberId) {
    let head = staff(&office, "理事 長", &[Role::Officer]).await;
    let end = of.parse::<Month>().unwrap().plus(1);
    office.clock.set(at(&format!("{end}-10T10:00:00+09:00")).max(office.app.now()));
    let town = Town::generous(office).await;
    let (clerk, officer) = (town.signed_in(&town.office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, of).await;
    (town, head)
}

async fn one_case_under_two_programmes_is_paid_once_and_the_statement_says_so(office: TestOffice) {
    record(&office, 0, &two_programmes("2028-04-01")).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    let place =
        office.app.member(&office.association, &office.dermatologists[0]).await.unwrap().institution.unwrap();
    let (town, _) = month_closed(office, "2026-11").await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let paper = clerk.get(&format!("/ledger/statement?month=2026-11&institution={place}")).await;
    let other = touban::i18n::t(touban::i18n::Lang::Ja, "word-reason-other_subsidy");
    paper.says("P-ACC").says("2,500円").says("C-ACC").says(&other);
    assert_eq!(view(&town.office, "2026-11").await.statement(&place).unwrap().total, Yen(2_500));
    sound(&town.office).await;
}

async fn the_city_gets_totals_of_its_residents_and_no_small_number(office: TestOffice) {
    let text = TARIFFS.replace("unit = \"event\"", "unit = \"event\"\ncities = [\"999991\"]");
    assert!(Tariffs::parse("t", &text, "1").is_ok());
    record(&office, 0, &text).await;
    let mut cases = Vec::new();
    for (n, day) in ["19", "20", "21", "22", "25"].into_iter().enumerate() {
        let taker = office.dermatologists[n % 3].clone();
        let when = if n == 0 {
            "2026-11-20T10:30:00+09:00".to_owned()
        } else {
            format!("2026-11-{day}T11:00:00+09:00")
        };
        cases.push(consult(&office, &when, &taker, true).await);
    }
    // One of them lives beyond the border, as the office learned.
    let elsewhere = Evidence::City { code: "999992".parse().unwrap() };
    office.app.ledger_evidence(&clerk(&office), &cases[0], elsewhere).await.unwrap();
    let (town, _) = month_closed(office, "2026-11").await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let view = view(&town.office, "2026-11").await;
    let outside: Vec<&str> =
        view.lines.iter().filter_map(|l| l.eligibility.reason()).map(|r| r.code()).collect();
    assert_eq!(outside, ["outside_area"; 2]);
    let paper = clerk.get("/ledger/paper?month=2026-11&table=city").await;
    paper.says("3未満").keeps_quiet_about("R8-0001").keeps_quiet_about("A.K.");
    let form = clerk
        .get("/ledger?month=2026-11")
        .await
        .form("/ledger/export", &[("table", "city"), ("format", "json")]);
    let (_, bytes) = clerk.download("/ledger/export", &form).await;
    let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let small = read["rows"].as_array().unwrap().iter().filter_map(|r| r["lines"].as_i64()).any(|n| n < 3);
    assert!(!small, "{read:#}");
    sound(&town.office).await;
}

async fn a_programme_that_ends_in_mid_month_pays_its_last_day_and_not_the_next(office: TestOffice) {
    record(&office, 0, &two_programmes("2026-11-22")).await;
    consult(&office, "2026-11-21T23:30:00+09:00", &office.dermatologists[0].clone(), true).await;
    consult(&office, "2026-11-22T00:30:00+09:00", &office.dermatologists[1].clone(), true).await;
    let (town, _) = month_closed(office, "2026-11").await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let over = touban::i18n::t(touban::i18n::Lang::Ja, "word-reason-out_of_dates");
    clerk.get("/ledger/paper?month=2026-11&table=details").await.says("2,500").says(&over);
    // 2,500 and 300 by the one that ended, 2,000 by the one that goes on.
    assert_eq!(view(&town.office, "2026-11").await.sums.unwrap().total, Yen(2_500 + 300 + 2_000));
    clerk.get("/ledger/paper?month=2026-11&table=ending").await.says("2026-11-21").says("途中");
    sound(&town.office).await;
}

async fn a_claim_is_cut_below_a_thousand_once_and_not_line_by_line(office: TestOffice) {
    let text =
        two_programmes("2026-11-01").replace("yen = 2000", "yen = 700").replace("\"quarter\"", "\"month\"");
    record(&office, 0, &text).await;
    for (n, day) in ["20", "24", "25"].into_iter().enumerate() {
        consult(&office, &format!("2026-11-{day}T10:00:00+09:00"), &office.dermatologists[n].clone(), true)
            .await;
    }
    let (town, _) = month_closed(office, "2026-11").await;
    let clerk = town.signed_in(&town.office.clerk).await;
    // Three times 700: not one of them would be a thousand.
    let letter = clerk.get("/ledger/letter?month=2026-11").await;
    letter.says("2,100円").says("-100円").says("2,000円");
    clerk.get("/ledger?month=2026-11").await.says("切捨て").says("100円");
    sound(&town.office).await;
}

async fn with_the_officer_away_the_month_waits_and_another_approves(office: TestOffice) {
    let _away = staff(&office, "理事 長", &[Role::Officer]).await;
    let deputy = staff(&office, "理事 副", &[Role::Officer]).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    office.clock.set(at("2026-12-10T10:00:00+09:00"));
    let town = Town::generous(office).await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let page = clerk.get("/ledger?month=2026-11").await;
    clerk.submit(&page, "/ledger/make", &[]).await.says("承認を待っています");
    // Days go by; nothing is lost, nothing is closed, the next month cannot overtake it.
    office.clock.set(at("2027-01-08T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&deputy).await);
    clerk.get("/ledger?month=2026-11").await.says("承認待ち");
    let page = officer.get("/ledger?month=2026-11").await;
    officer.submit(&page, "/ledger/approve", &[]).await.says("締めました").says("承認：理事 副");
    sound(office).await;
}

async fn a_clinic_that_left_is_still_owed_and_stands_on_paper(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let place = office.app.member(&office.association, &taker).await.unwrap().institution.unwrap();
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2026-11-30T20:00:00+09:00"));
    office.app.member_leave(&office.cli(), &taker, None).await.unwrap();
    let revision = office.app.institution(&office.association, &place).await.unwrap().revision;
    assert_eq!(
        office.app.institution_close(&office.cli(), &place, revision, None).await.unwrap(),
        Closed::Done
    );
    let (town, _) = month_closed(office, "2026-11").await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let paper = clerk.get(&format!("/ledger/statement?month=2026-11&institution={place}")).await;
    paper.says("伊藤 静 皮膚科").says("2,000円");
    clerk.get("/ledger/paper?month=2026-11&table=institutions").await.says("伊藤 静 皮膚科");
    // The bank is not forgotten either: without an account it says whose is missing.
    let list = town
        .office
        .app
        .ledger_payments(&super::clerk(&town.office), month("2026-11"))
        .await
        .unwrap()
        .unwrap();
    assert!(list.payments.iter().any(|p| p.institution == place && p.yen == Yen(2_000)), "{list:?}");
    sound(&town.office).await;
}

async fn a_correction_larger_than_the_next_month_ends_below_nought(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let place = office.app.member(&office.association, &taker).await.unwrap().institution.unwrap();
    consult(&office, "2026-11-21T22:30:00+09:00", &taker, true).await;
    let (town, head) = month_closed(office, "2026-11").await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let line = view(office, "2026-11").await.lines.into_iter().find(|l| l.side == Side::Acceptor).unwrap();
    assert_eq!(line.amount, Yen(3_000));
    let form = clerk.get(&format!("/ledger/correct?line={}", line.id)).await;
    clerk
        .submit(&form, "/ledger/correct", &[("instead", "0"), ("note", "訓練だった")])
        .await
        .says("受け付けました");
    consult(office, "2026-12-15T10:00:00+09:00", &taker, true).await;
    office.clock.set(at("2027-01-10T10:00:00+09:00"));
    let (clerk, officer) = (town.signed_in(&office.clerk).await, town.signed_in(&head).await);
    closed(&clerk, &officer, "2026-12").await;
    let paper = clerk.get(&format!("/ledger/statement?month=2026-12&institution={place}")).await;
    paper.says("-3,000円").says("2,000円").says("-1,000円").says("合計がマイナスです");
    let who = Who::member(&office.association, &office.clerk);
    let list = office.app.ledger_payments(&who, month("2026-12")).await.unwrap().unwrap();
    let theirs: Vec<i64> = list.payments.iter().filter(|p| p.institution == place).map(|p| p.yen.0).collect();
    assert_eq!(theirs, [-1_000], "nothing is transferred, the next month is reduced");
    sound(office).await;
}

const NIGHTS: &str = r#"
[[program]]
code = "night"
name = "夜の当番"
funder = "青葉市"
effective = { from = "2026-04-01", before = "2028-04-01" }
[[tariff]]
code = "N-PRI"
name = "正"
program = "night"
side = "standby"
event = "standby"
effective = { from = "2026-04-01", before = "2028-04-01" }
duty_roles = ["primary"]
unit = "slot"
yen = 9000
"#;

async fn the_rota_as_it_stood_is_what_the_closed_month_paid(office: TestOffice) {
    record(&office, 0, NIGHTS).await;
    let first = office.physician("当番 一").await;
    let second = office.physician("当番 二").await;
    let home = office.association.clone();
    let mut holders = Vec::new();
    for person in [&first, &second] {
        let institution = office.app.member(&home, person).await.unwrap().institution.unwrap();
        holders.push(Holder { person: person.clone(), institution });
    }
    let area: touban::domain::rota::Area = "all".parse().unwrap();
    let night = |day: u32| {
        let from = at(&format!("2026-11-{day}T18:00:00+09:00"));
        Window { from, to: from.plus_s(14 * 3_600) }
    };
    let assignments = (23..=27u32)
        .map(|day| Assignment {
            area: area.clone(),
            slot: format!("2026-11-{day}/wn").parse().unwrap(),
            role: RotaRole::Primary,
            window: night(day),
            holder: holders[usize::try_from(day % 2).unwrap()].clone(),
        })
        .collect();
    let new = NewPublication {
        area: area.clone(),
        period: Window { from: at("2026-11-21T00:00:00+09:00"), to: at("2026-12-01T00:00:00+09:00") },
        assignments,
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let published = office.app.rota_import(&clerk(&office), new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
    let (town, head) = month_closed(office, "2026-11").await;
    let office = &town.office;
    let before = view(office, "2026-11").await;
    let known = before.close.as_ref().unwrap().made_at;
    let held = |person: &touban::ids::MemberId| {
        before.lines.iter().filter(|l| l.person.as_ref() == Some(person)).map(|l| l.amount.0).sum::<i64>()
    };
    assert_eq!((held(&holders[0].person), held(&holders[1].person)), (18_000, 27_000));
    // Weeks later somebody writes into the rota that the other had been there.
    office.clock.set(at("2026-12-20T10:00:00+09:00"));
    let new = NewOverride {
        area: area.clone(),
        role: RotaRole::Primary,
        window: night(23),
        person: Some(holders[0].person.clone()),
        institution: Some(holders[0].institution.clone()),
        reason: "あとから分かった".into(),
        recorded_at: None,
    };
    office.app.rota_override_add(&clerk(office), new, None).await.unwrap();
    // The auditor asks for both: as it is known now, and as it stood when the month was closed.
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.read);
    let asked = async |as_of: String| {
        let path = format!("/duty?at={}{as_of}", at("2026-11-23T20:00:00+09:00").rfc3339());
        client.get(&path).await.ok(200).to_string()
    };
    let (now, then) = (asked(String::new()).await, asked(format!("&as_of={}", known.rfc3339())).await);
    assert!(now.contains(&holders[0].person.api()) && !now.contains(&holders[1].person.api()), "{now}");
    assert!(then.contains(&holders[1].person.api()) && !then.contains(&holders[0].person.api()), "{then}");
    let clerk = town.signed_in(&office.clerk).await;
    clerk.get("/ledger/paper?month=2026-11&table=details").await.says("45,000円");
    assert_eq!(view(office, "2026-11").await.lines, before.lines, "what was closed is what stood then");
    // It names the publication it rests on.
    assert!(before.lines.iter().all(|l| l.evidence.iter().any(|e| e.as_str().starts_with("publication:"))));
    let _ = head;
    sound(office).await;
}
