//! A whole fiscal year, made through commands: 81 members, 500 patients, a rota of every night, six programmes. What
//! it comes to is counted here a second time, by hand, from what was put in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::domain::ledger::{Books, Entry, Line, ReasonCode, Side, claim};
use touban::domain::people::Role;
use touban::domain::rota::{Assignment, Holder, RotaRole};
use touban::i18n::Lang;
use touban::ids::{InstitutionId, MemberId};
use touban::money::Yen;
use touban::time::{Millis, Window};

use super::{at, clerk, close, consult_of, make, month, officer, record, sound, view};
use crate::support::{TestOffice, add_institution, new_member};

/// 令和9年度. The city steps back for the prefecture; the prefecture's first programme ends in the middle of January
/// and is spent before, its second does not reach; a night is dearer at the year-end and in a run of holidays, and is
/// claimed against the books; one city knows Sundays only; the last counts hours day by day, and turns.
const PROGRAMMES: &str = r#"
[[calendar]]
name = "sundays"
holidays = "sundays_only"
removed = ["01-01"]
year_end = []

[[program]]
code = "city"
name = "市の相談補助"
funder = "青葉市"
effective = { from = "2027-04-01", before = "2028-04-01" }
claim_cycle = "quarter"
claim_by = "institution"
claim_unit_yen = 1000
[[program]]
code = "pref"
name = "県の補助"
funder = "若葉県"
effective = { from = "2027-04-01", before = "2028-01-16" }
budget_yen = 120_000
budget = "first_come"
successor = "pref2"
[[program]]
code = "pref2"
name = "県の補助（後期）"
funder = "若葉県"
effective = { from = "2028-01-16", before = "2028-04-01" }
budget_yen = 40_001
budget = "prorated"
[[program]]
code = "night"
name = "夜の当番"
funder = "青葉市"
effective = { from = "2027-04-01", before = "2028-04-01" }
claim_cycle = "year"
claim_unit_yen = 1000
claim_lesser_of_actual = true
claim_less_other_income = true
[[program]]
code = "sunday"
name = "日曜の当番"
funder = "若葉市"
effective = { from = "2027-04-01", before = "2028-04-01" }
tax_included = true
[[program]]
code = "hours"
name = "深夜と24時間"
funder = "若葉県"
effective = { from = "2027-04-01", before = "2028-04-01" }
standby_day = "split"

[[tariff]]
code = "C-REQ"
name = "相談 依頼側"
program = "city"
side = "requester"
event = "consult"
effective = { from = "2027-04-01", before = "2028-04-01" }
unit = "event"
yen = 500
cap = { per_institution_month = 1 }
when = ["requester.confirmed", "requester.institution != acceptor.institution"]
[[tariff]]
code = "C-DAY"
name = "相談 日中"
program = "city"
side = "acceptor"
event = "consult"
effective = { from = "2027-04-01", before = "2028-04-01" }
bands = ["day"]
unit = "event"
yen = 2000
exclusive_with = ["pref", "pref2"]
[[tariff]]
code = "C-OFF"
name = "相談 時間外"
program = "city"
side = "acceptor"
event = "consult"
effective = { from = "2027-04-01", before = "2028-04-01" }
bands = ["night", "deep_night", "holiday", "year_end"]
unit = "event"
yen = 3000
exclusive_with = ["pref", "pref2"]
[[tariff]]
code = "P-ACC"
name = "助言"
program = "pref"
side = "acceptor"
event = "consult"
effective = { from = "2027-04-01", before = "2028-01-16" }
unit = "minute_block"
block_minutes = 30
partial = "up"
yen = 700
cap = { per_case = 1 }
[[tariff]]
code = "P-REQ"
name = "依頼（件数のみ）"
program = "pref"
side = "requester"
event = "consult"
effective = { from = "2027-04-01", before = "2028-01-16" }
unit = "event"
yen = 0
[[tariff]]
code = "Q-ACC"
name = "助言（後期）"
program = "pref2"
side = "acceptor"
event = "consult"
effective = { from = "2028-01-16", before = "2028-04-01" }
unit = "event"
yen = 2500
[[tariff]]
code = "N-PRI"
name = "正"
program = "night"
side = "standby"
event = "standby"
effective = { from = "2027-04-01", before = "2028-04-01" }
duty_roles = ["primary"]
unit = "slot"
yen = 9000
multiplier = [{ if = "calendar.year_end", by = "4/3" }, { if = "calendar.run_of_holidays >= 3", by = "1.5" }]
[[tariff]]
code = "N-DEP"
name = "副"
program = "night"
side = "standby"
event = "standby"
effective = { from = "2027-04-01", before = "2028-04-01" }
duty_roles = ["deputy"]
unit = "slot"
yen = 3000
[[tariff]]
code = "S-DAY"
name = "日曜"
program = "sunday"
side = "standby"
event = "standby"
calendar = "sundays"
effective = { from = "2027-04-01", before = "2028-04-01" }
bands = ["holiday"]
duty_roles = ["primary"]
unit = "day"
minimum_hours = 4
yen = 32_800
[[tariff]]
code = "H-DEEP"
name = "深夜の副"
program = "hours"
side = "standby"
event = "standby"
effective = { from = "2027-04-01", before = "2028-04-01" }
duty_roles = ["deputy"]
bands = ["deep_night"]
unit = "hour"
yen = 100
[[tariff]]
code = "H-TURN"
name = "連続24時間"
program = "hours"
side = "standby"
event = "standby"
effective = { from = "2027-04-01", before = "2028-04-01" }
unit = "24h_turn"
yen = 20_000
"#;

/// The national holidays of 令和9年度 but Sundays, from the gazette and the equinoxes of the almanac.
const HOLIDAYS: [&str; 16] = [
    "2027-04-29",
    "2027-05-03",
    "2027-05-04",
    "2027-05-05",
    "2027-07-19",
    "2027-08-11",
    "2027-09-20",
    "2027-09-23",
    "2027-10-11",
    "2027-11-03",
    "2027-11-23",
    "2028-01-01",
    "2028-01-10",
    "2028-02-11",
    "2028-02-23",
    "2028-03-20",
];
const PATIENTS: usize = 500;
/// Clinics that ask, in turn.
const ASKING: usize = 40;

fn first() -> NaiveDate {
    "2027-04-01".parse().unwrap()
}

fn days() -> impl Iterator<Item = NaiveDate> {
    first().iter_days().take(366)
}

fn hour(day: NaiveDate, hour: u32) -> Millis {
    at(&format!("{day}T{hour:02}:00:00+09:00"))
}

fn year_end(day: NaiveDate) -> bool {
    matches!((day.month(), day.day()), (12, 29..) | (1, ..=3))
}

fn holiday(day: NaiveDate) -> bool {
    day.weekday() == Weekday::Sun || HOLIDAYS.contains(&day.to_string().as_str())
}

/// Whom the association has besides those of every test.
async fn physicians(office: &TestOffice) -> Vec<(MemberId, InstitutionId)> {
    let mut people = Vec::new();
    for n in 1..=74 {
        let clinic = add_institution(&office.app, &office.association, &format!("当番{n}医院")).await;
        let new = new_member(&format!("当番 医師{n}"), &clinic, Role::Physician, vec![]);
        let id = office.app.member_add(&office.cli(), new, None, None).await.unwrap().into_inner();
        people.push((id, clinic));
    }
    people
}

/// Every night from 18 to 8 a primary and a deputy; whoever has the night before a Sunday keeps it until Monday.
async fn publish(office: &TestOffice, people: &[(MemberId, InstitutionId)]) {
    let mut assignments = Vec::new();
    let mut put = |slot: String, role, from: Millis, hours: i64, n: usize| {
        let (person, institution) = people[n % people.len()].clone();
        assignments.push(Assignment {
            area: "all".parse().unwrap(),
            slot: slot.parse().unwrap(),
            role,
            window: Window { from, to: from.plus_s(hours * 3_600) },
            holder: Holder { person, institution },
        });
    };
    for (n, day) in days().enumerate() {
        let sunday = day.weekday() == Weekday::Sun;
        let primary = n - usize::from(sunday);
        if sunday {
            put(format!("{day}/hd"), RotaRole::Primary, hour(day, 8), 10, primary);
        }
        put(format!("{day}/wn"), RotaRole::Primary, hour(day, 18), 14, primary);
        put(format!("{day}/wn"), RotaRole::Deputy, hour(day, 18), 14, n + 37);
    }
    let new = NewPublication {
        area: "all".parse().unwrap(),
        period: Window { from: hour(first(), 0), to: at("2028-05-01T00:00:00+09:00") },
        assignments,
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let published = office.app.rota_import(&clerk(office), new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
}

struct Asked {
    when: Millis,
    day: NaiveDate,
    off_hours: bool,
    patient: usize,
}

/// One consult for each patient, spread over the year and the hours of the day.
fn asked() -> Vec<Asked> {
    let mut all: Vec<Asked> = (0..PATIENTS)
        .map(|patient| {
            let day = first() + chrono::Days::new(u64::try_from(patient * 366 / PATIENTS).unwrap());
            let hours = [10, 13, 19, 23][patient % 4];
            let off_hours = hours > 18 || holiday(day) || year_end(day);
            Asked { when: hour(day, hours), day, off_hours, patient }
        })
        .collect();
    all.sort_by_key(|a| (a.when, a.patient));
    all
}

/// What each programme pays by the text of its rules, counted without the ledger.
fn counted_by_hand(asked: &[Asked]) -> BTreeMap<&'static str, i64> {
    let mut sums: BTreeMap<&str, i64> =
        ["city", "pref", "pref2", "night", "sunday", "hours"].into_iter().map(|p| (p, 0)).collect();
    let mut add = |program: &'static str, yen: i64| *sums.entry(program).or_default() += yen;
    let mut once = BTreeSet::new();
    let mut left = 120_000;
    for one in asked {
        if once.insert((one.patient % ASKING, one.day.year(), one.day.month())) {
            add("city", 500);
        }
        let second = one.day >= "2028-01-16".parse().unwrap();
        if !second && left >= 700 {
            left -= 700;
            add("pref", 700);
        } else if !second {
            left = 0;
            add("city", if one.off_hours { 3_000 } else { 2_000 });
        }
    }
    // More was asked than the second programme has.
    add("pref2", 40_001);
    for day in days() {
        let golden = day >= "2027-05-02".parse().unwrap() && day <= "2027-05-05".parse().unwrap();
        let night = if year_end(day) {
            12_000
        } else if golden {
            13_500
        } else {
            9_000
        };
        let sunday = i64::from(day.weekday() == Weekday::Sun);
        add("night", night * (1 + sunday) + 3_000);
        add("sunday", 32_800 * sunday);
        add("hours", 2 * 100 + 20_000 * sunday);
        // The morning after the last night is of the next year.
        if day != first() {
            add("hours", 6 * 100);
        }
    }
    sums
}

/// Runs the year; by month, what was sealed, and all lines.
async fn year(office: &TestOffice, asked: &[Asked]) -> (Vec<String>, Vec<Line>) {
    let app = &office.app;
    office.clock.set(at("2027-03-01T10:00:00+09:00"));
    let head = officer(office, "理事 長").await;
    let people = physicians(office).await;
    let members = office.app.members(&office.association, "", 1_000).await.unwrap().len();
    assert_eq!(members, 81);
    record(office, 0, PROGRAMMES).await;
    publish(office, &people).await;
    let (mut told, mut lines, mut of, mut claimed) = (Vec::new(), Vec::new(), month("2027-04"), 0i64);
    let mut left = asked.iter().peekable();
    while of <= month("2028-03") {
        let until = at(&format!("{}-10T10:00:00+09:00", of.plus(1)));
        while let Some(one) = left.next_if(|one| one.when < until) {
            let taker = office.dermatologists[one.patient % 3].clone();
            let (asker, _) = &people[one.patient % ASKING];
            let patient = format!("患者{}", one.patient + 1);
            consult_of(office, &one.when.rfc3339(), (asker, &patient), &taker, true).await;
        }
        office.clock.set(until);
        if of == month("2028-03") {
            let who = touban::app::Who::member(&office.association, &head);
            let program = "pref2".parse().unwrap();
            office.app.ledger_prorate(&who, &program, 2027, "理事会で按分とした").await.unwrap().unwrap();
        }
        let once = make(office, &of.to_string()).await.unwrap();
        let closed = close(office, &of.to_string(), &head).await;
        assert_eq!(closed.run_hash, once.run_hash, "{of}: made twice, other bytes");
        let shown = view(office, &of.to_string()).await;
        let sums = shown.sums.clone().unwrap();
        let all = |sums: Vec<&Yen>| sums.iter().map(|y| y.0).sum::<i64>();
        assert_eq!(all(sums.by_institution.values().collect()), sums.total.0);
        assert_eq!(all(sums.by_program.values().collect()), sums.total.0);
        assert_eq!((closed.total, closed.held), (sums.total, 0));
        // The same to the yen in every cut that leaves the house.
        let statements = sums.by_institution.keys().map(|i| shown.statement(i).unwrap().total.0);
        assert_eq!(statements.sum::<i64>(), sums.total.0);
        for table in ["details", "institutions"] {
            let table =
                app.ledger_table(&office.association, &shown, table, Lang::Ja).await.unwrap().unwrap();
            let read: serde_json::Value =
                serde_json::from_slice(&touban::export::ledger::json(&table)).unwrap();
            let rows = read["rows"].as_array().unwrap().iter();
            assert_eq!(rows.map(|r| r["amount_yen"].as_i64().unwrap()).sum::<i64>(), sums.total.0);
        }
        let claims = app.ledger_claims(&office.association, of).await.unwrap().unwrap();
        claimed += claims.iter().map(|c| c.standard.0).sum::<i64>();
        let sealed: String = closed.sealed.unwrap().head_hash.iter().map(|b| format!("{b:02x}")).collect();
        told.push(format!("{of} {} {sealed}", closed.run_hash));
        lines.extend(shown.lines);
        of = of.plus(1);
    }
    assert_eq!(
        claimed,
        lines.iter().map(|l: &Line| l.amount.0).sum::<i64>(),
        "what is claimed is what was closed"
    );
    sound(office).await;
    (told, lines)
}

/// Sums by institution and by programme agree with what was put in, to the yen, on each database with the same bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fiscal_year_of_six_programmes_closes_to_the_yen_with_the_same_bytes_on_both_databases() {
    let asked = asked();
    let mut first: Option<(Vec<String>, String)> = None;
    for office in TestOffice::twins(11).await {
        let (told, lines) = year(&office, &asked).await;
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for line in &lines {
            *sums.entry(line.program.as_ref().map_or("", |p| p.as_str())).or_default() += line.amount.0;
        }
        assert_eq!(sums, counted_by_hand(&asked));
        let shares = lines.iter().filter(|l| matches!(l.entry, Entry::Proration { .. })).count();
        assert_eq!(shares, 3, "one for each clinic that took a case under the second programme");
        let spent = |l: &&Line| l.eligibility.reason() == Some(ReasonCode::BudgetSpent);
        assert!(lines.iter().filter(spent).all(|l| l.program.as_ref().unwrap().as_str() == "pref"));
        let free =
            |l: &&Line| l.side == Side::Requester && l.tariff.as_ref().is_some_and(|t| t.as_str() == "P-REQ");
        assert!(lines.iter().filter(free).all(|l| l.amount == Yen(0)));
        // The year's claim of the nights: the lesser of the standard, the books and the cost without gifts, cut.
        let rule = office
            .app
            .tariffs_now(&office.association)
            .await
            .unwrap()
            .0
            .claim_rule(&"night".parse().unwrap());
        let books = Books { actual: Yen(4_900_999), total_cost: Yen(5_100_000), other_income: Yen(300_001) };
        let claimed = claim(&rule, Yen(sums["night"]), Some(books)).unwrap();
        assert_eq!((claimed.before_cut, claimed.amount), (Yen(4_799_999), Yen(4_799_000)));
        let bytes = serde_json::to_string(&lines).unwrap();
        match &first {
            None => first = Some((told, bytes)),
            Some((heads, others)) => {
                assert_eq!(&told, heads);
                assert!(*others == bytes, "the lines differ");
            }
        }
    }
}
