//! Months of the subsidy ledger, made through commands and closed by two people.

mod failures;
mod pages;
mod papers;
mod shell;
mod whole_year;
mod year;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use touban::app::AppError;
use touban::app::Who;
use touban::app::answers::Choice;
use touban::app::consult::{Asking, Told};
use touban::app::ledger::close::{CloseRefused, CloseRow, MonthView};
use touban::app::ledger::orders::OrderRefused;
use touban::app::ledger::world::Evidence;
use touban::app::people::NewMember;
use touban::domain::consult::{ConsultAnswer, NewConsult, Survey};
use touban::domain::dispatch::Terms;
use touban::domain::ledger::{Books, Eligibility, Entry, Line, Month, NotCorrectable, ReasonCode, Side};
use touban::domain::people::Role;
use touban::ids::{MemberId, RequestId};
use touban::money::Yen;
use touban::store::{Command, Conn, Statement, StoreError};
use touban::time::Millis;

use crate::support::{TestOffice, add_institution, new_member, on_both};

on_both! {
    a_month_is_made_by_the_clerk_and_closed_by_an_officer with crate::support::ALL_AT_ONCE,
    what_waits_for_evidence_is_held_and_comes_late_with_its_true_date with crate::support::ALL_AT_ONCE,
    a_correction_is_a_reversal_and_a_new_line_in_the_next_month with crate::support::ALL_AT_ONCE,
    rules_changed_for_the_past_come_as_differences_once with crate::support::ALL_AT_ONCE,
    a_programme_that_ends_in_the_middle_of_a_month_and_two_that_claim_one_case with crate::support::ALL_AT_ONCE,
    a_budget_that_does_not_reach_waits_for_a_decision_and_is_spent_to_the_yen with crate::support::ALL_AT_ONCE,
    tampering_with_sealed_rows_is_always_found with crate::support::ALL_AT_ONCE,
    reversals_corrections_and_reruns_at_random_keep_the_balance with crate::support::ALL_AT_ONCE,
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

async fn officer(office: &TestOffice, name: &str) -> MemberId {
    let desk = add_institution(&office.app, &office.association, "理事の医院").await;
    let new = NewMember { roles: vec![Role::Officer], ..new_member(name, &desk, Role::Officer, vec![]) };
    office.app.member_add(&office.cli(), new, None, None).await.unwrap().into_inner()
}

fn clerk(office: &TestOffice) -> Who {
    Who::member(&office.association, &office.clerk)
}

/// A consult asked at this time, taken, answered and, where wanted, confirmed.
async fn consult(office: &TestOffice, when: &str, taker: &MemberId, confirmed: bool) -> RequestId {
    consult_of(office, when, (&office.asker, "A.K."), taker, confirmed).await
}

/// The same by somebody, for a patient.
async fn consult_of(
    office: &TestOffice,
    when: &str,
    (asking, patient): (&MemberId, &str),
    taker: &MemberId,
    confirmed: bool,
) -> RequestId {
    let app = &office.app;
    office.clock.set(at(when));
    let asker = Who::member(&office.association, asking);
    let new = NewConsult {
        specialty: "dermatology".into(),
        visit: false,
        area: "青葉北".into(),
        answer_by: app.now().plus_s(26 * 3_600),
        decade: 80,
        sex: "female".into(),
        condition: "wound".into(),
        can_travel: "no".into(),
        question: "発疹が三週間続いています。".into(),
        tried: String::new(),
        patient_ref: patient.into(),
        details: String::new(),
    };
    let asking = Asking { asker: asking.clone(), in_person: true, channel: "web" };
    let request = app.consult_ask(&asker, asking, new, None).await.unwrap().into_inner().request;
    let offers = app.offers_live_of(&office.association, taker, 100).await.unwrap();
    let offer = offers.iter().find(|o| o.request == request);
    let offer =
        offer.unwrap_or_else(|| panic!("{patient} at {when}: {taker} was not asked, of {}", offers.len()));
    let offer = offer.id.clone();
    let choice = Choice::Accept { terms: Terms::Advice };
    app.offer_answer_for(&clerk(office), &offer, choice, "phone", None).await.unwrap();
    let told = Told {
        member: taker.clone(),
        answer: ConsultAnswer {
            assessment: "湿疹".into(),
            do_now: "軟膏を".into(),
            ..ConsultAnswer::default()
        },
        minutes: 10,
        minutes_confirmed: true,
        outcome: "advice".into(),
    };
    app.consult_report(&Who::member(&office.association, taker), &request, told, None).await.unwrap();
    let survey = Survey {
        avoided: "yes".into(),
        newly_needed: "no".into(),
        helpful: 5,
        in_time: "yes".into(),
        note: String::new(),
    };
    app.consult_close(&asker, &request, confirmed.then_some(survey), None).await.unwrap();
    request
}

async fn make(office: &TestOffice, of: &str) -> Result<CloseRow, CloseRefused> {
    office.app.ledger_make(&clerk(office), month(of)).await.unwrap()
}

async fn close(office: &TestOffice, of: &str, officer: &MemberId) -> CloseRow {
    let end = month(of).plus(1).to_string();
    office.clock.set(at(&format!("{end}-10T10:00:00+09:00")).max(office.app.now()));
    let made = make(office, of).await.unwrap_or_else(|e| panic!("{of}: {e:?}"));
    let who = Who::member(&office.association, officer);
    office.app.ledger_approve(&who, month(of), made.revision).await.unwrap().unwrap()
}

async fn view(office: &TestOffice, of: &str) -> MonthView {
    office.app.ledger_month(&office.association, month(of)).await.unwrap()
}

fn paid(lines: &[Line]) -> Vec<(Side, i64)> {
    lines.iter().filter(|l| l.amount.0 != 0).map(|l| (l.side, l.amount.0)).collect()
}

async fn sound(office: &TestOffice) {
    let problems = office.app.verify().await.unwrap().problems;
    assert!(problems.is_empty(), "{problems:#?}");
}

async fn a_month_is_made_by_the_clerk_and_closed_by_an_officer(office: TestOffice) {
    let (app, taker) = (&office.app, office.dermatologists[0].clone());
    let head = officer(&office, "理事 長").await;
    let deputy = officer(&office, "理事 副").await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    consult(&office, "2026-11-21T22:30:00+09:00", &taker, true).await;
    // Of the next month.
    consult(&office, "2026-12-01T00:00:00+09:00", &taker, true).await;
    assert_eq!(make(&office, "2026-12").await.unwrap_err(), CloseRefused::NotOver);
    let open = view(&office, "2026-11").await;
    assert_eq!(open.sums.as_ref().unwrap().total, Yen(500 + 2_000 + 500 + 3_000));
    assert_eq!(open.sums.as_ref().unwrap().by_institution.len(), 2);
    let made = make(&office, "2026-11").await.unwrap();
    // Making twice gives the same bytes.
    let again = make(&office, "2026-11").await.unwrap();
    assert_eq!((&again.run_hash, again.revision), (&made.run_hash, 2));
    // Nobody approves their own, not even as an officer; nobody else than an officer does.
    let own = app.ledger_approve(&clerk(&office), month("2026-11"), 2).await.unwrap();
    assert_eq!(own.unwrap_err(), CloseRefused::OwnClose);
    let other = Who::member(&office.association, &office.coordinator);
    let other = app.ledger_approve(&other, month("2026-11"), 2).await.unwrap();
    assert_eq!(other.unwrap_err(), CloseRefused::NotAnOfficer);
    // The head is away: it waits, and any other officer can.
    let who = Who::member(&office.association, &deputy);
    let older = app.ledger_approve(&who, month("2026-11"), 1).await.unwrap();
    assert_eq!(older.unwrap_err(), CloseRefused::Changed);
    let closed = app.ledger_approve(&who, month("2026-11"), 2).await.unwrap().unwrap();
    let sealed = closed.sealed.clone().unwrap();
    assert_eq!((closed.lines, sealed.first_seq, sealed.head_seq), (4, 1, 4));
    assert_eq!(make(&office, "2026-11").await.unwrap_err(), CloseRefused::Closed);
    let twice = app.ledger_approve(&Who::member(&office.association, &head), month("2026-11"), 2).await;
    assert_eq!(twice.unwrap().unwrap_err(), CloseRefused::Closed);
    let after = view(&office, "2026-11").await;
    assert_eq!(serde_json::to_string(&after.lines).unwrap(), serde_json::to_string(&open.lines).unwrap());
    office.clock.set(at("2027-03-01T10:00:00+09:00"));
    assert_eq!(
        make(&office, "2027-01").await.unwrap_err(),
        CloseRefused::Earlier { month: month("2026-12") }
    );
    assert_eq!(make(&office, "2026-10").await.unwrap_err(), CloseRefused::Later);
    sound(&office).await;
    assert_eq!(app.verify().await.unwrap().sealed_lines, 4);
}

async fn what_waits_for_evidence_is_held_and_comes_late_with_its_true_date(office: TestOffice) {
    let (app, taker) = (&office.app, office.dermatologists[0].clone());
    let head = officer(&office, "理事 長").await;
    let waiting = consult(&office, "2026-11-20T10:00:00+09:00", &taker, false).await;
    let never = consult(&office, "2026-11-21T10:00:00+09:00", &taker, false).await;
    let refused = consult(&office, "2026-11-22T10:00:00+09:00", &taker, true).await;
    let who = clerk(&office);
    let excluded = Evidence::Excluded { note: "患者の希望による".into() };
    app.ledger_evidence(&who, &refused, excluded).await.unwrap();
    let silent = Evidence::Excluded { note: " ".into() };
    assert!(matches!(app.ledger_evidence(&who, &refused, silent).await, Err(AppError::Invalid(_))));
    let open = view(&office, "2026-11").await;
    assert_eq!((open.preparation.not_confirmed.len(), open.held.len(), open.lines.len()), (4, 4, 2));
    let why = |l: &Line| l.eligibility == Eligibility::Ineligible { reason: ReasonCode::ManualByOfficer };
    assert!(open.lines.iter().all(why), "{:#?}", open.lines);
    // Learned between making and approving: it is not what was made any more only if it was known then.
    let closed = close(&office, "2026-11", &head).await;
    assert_eq!((closed.held, closed.total), (4, Yen(0)));
    app.ledger_evidence(&who, &waiting, Evidence::Confirmed { at: app.now() }).await.unwrap();
    consult(&office, "2026-12-15T10:00:00+09:00", &taker, true).await;
    let december = close(&office, "2026-12", &head).await;
    let lines = view(&office, "2026-12").await.lines;
    let days: Vec<String> = lines.iter().map(|l| l.civil_date.to_string()).collect();
    assert_eq!(days, ["2026-11-20", "2026-11-20", "2026-12-15", "2026-12-15"]);
    assert_eq!((december.held, december.total), (2, Yen(5_000)));
    for of in ["2027-01", "2027-02"] {
        assert_eq!(close(&office, of, &head).await.held, 2);
    }
    // March closes the fiscal year: what still waits is not paid and says so.
    let march = close(&office, "2027-03", &head).await;
    assert!(march.ends_year);
    let lines = view(&office, "2027-03").await.lines;
    assert_eq!((march.held, lines.len()), (0, 2));
    assert!(lines.iter().all(|l| l.eligibility.reason() == Some(ReasonCode::NotConfirmed)));
    // After that it is too late, and shown as that.
    app.ledger_evidence(&who, &never, Evidence::Confirmed { at: app.now() }).await.unwrap();
    assert!(view(&office, "2027-04").await.lines.is_empty());
    sound(&office).await;
}

async fn a_correction_is_a_reversal_and_a_new_line_in_the_next_month(office: TestOffice) {
    let (app, taker, who) = (&office.app, office.dermatologists[0].clone(), clerk(&office));
    let head = officer(&office, "理事 長").await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    close(&office, "2026-11", &head).await;
    let lines = view(&office, "2026-11").await.lines;
    let line = lines.iter().find(|l| l.side == Side::Acceptor).unwrap();
    let correct = async |line: &Line, yen: i64| {
        app.ledger_correct(&who, &line.id, Yen(yen), "単価の誤り").await.unwrap()
    };
    let larger = correct(line, 2_001).await.unwrap_err();
    assert_eq!(larger, OrderRefused::Cannot(NotCorrectable::Larger));
    assert!(matches!(app.ledger_correct(&who, &line.id, Yen(0), "").await, Err(AppError::Invalid(_))));
    correct(line, 1_500).await.unwrap();
    assert_eq!(correct(line, 0).await.unwrap_err(), OrderRefused::Ordered);
    // Changed the mind, before anything is closed.
    assert!(app.ledger_correct_not(&who, &line.id).await.unwrap());
    correct(line, 1_200).await.unwrap();
    // Nothing else in December: the month is below nought for the clinic.
    let december = close(&office, "2026-12", &head).await;
    assert_eq!(december.total, Yen(-800));
    let entries = view(&office, "2026-12").await.lines;
    let told: Vec<_> =
        entries.iter().map(|l| (l.entry.code(), l.amount.0, l.civil_date.to_string())).collect();
    let day = "2026-11-20".to_owned();
    assert_eq!(told, [("reversal", -2_000, day.clone()), ("correction", 1_200, day)]);
    // The closed month is as it was.
    assert_eq!(
        paid(&view(&office, "2026-11").await.lines),
        [(Side::Requester, 500), (Side::Acceptor, 2_000)]
    );
    assert_eq!(correct(&entries[0], 0).await.unwrap_err(), OrderRefused::Cannot(NotCorrectable::IsReversal));
    assert_eq!(correct(line, 0).await.unwrap_err(), OrderRefused::Cannot(NotCorrectable::Reversed));
    let nobody =
        app.ledger_correct(&who, &touban::ids::LedgerLineId::named(&["x"]), Yen(0), "x").await.unwrap();
    assert_eq!(nobody.unwrap_err(), OrderRefused::NoLine);
    sound(&office).await;
}

const TARIFFS: &str = include_str!("../../config/tariffs.toml");

async fn record(office: &TestOffice, after: i64, text: &str) {
    let who = clerk(office);
    office.app.tariffs_record(&who, after, text, "改定").await.unwrap().unwrap();
}

async fn rules_changed_for_the_past_come_as_differences_once(office: TestOffice) {
    let (app, taker, who) = (&office.app, office.dermatologists[0].clone(), clerk(&office));
    let head = officer(&office, "理事 長").await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    consult(&office, "2026-11-21T10:00:00+09:00", &taker, false).await;
    close(&office, "2026-11", &head).await;
    let dearer = TARIFFS.replace("yen = 2000", "yen = 2400");
    let wrong = TARIFFS.replace("yen = 2000", "yen = -1");
    let refused = app.tariffs_record(&who, 0, &wrong, "改定").await.unwrap().unwrap_err();
    let touban::app::ledger::tariffs::TariffsRefused::Mistakes(mistakes) = refused else {
        panic!("{refused:?}")
    };
    assert!(mistakes.to_string().contains("key `yen`"), "{mistakes}");
    let preview = app.tariffs_preview(&office.association, &dearer).await.unwrap().unwrap();
    assert_eq!(preview.month, Some(month("2026-11")));
    record(&office, 0, &dearer).await;
    assert!(app.tariffs_record(&who, 0, TARIFFS, "改定").await.unwrap().is_err());
    let open = app.ledger_rerun(&who, month("2026-12"), 1).await.unwrap();
    assert_eq!(open.unwrap_err(), OrderRefused::NotClosed);
    assert_eq!(
        app.ledger_rerun(&who, month("2026-11"), 9).await.unwrap().unwrap_err(),
        OrderRefused::NoTariffs
    );
    app.ledger_rerun(&who, month("2026-11"), 1).await.unwrap().unwrap();
    assert_eq!(
        app.ledger_rerun(&who, month("2026-11"), 1).await.unwrap().unwrap_err(),
        OrderRefused::Ordered
    );
    let december = close(&office, "2026-12", &head).await;
    assert_eq!((december.total, december.held), (Yen(400), 2));
    let lines = view(&office, "2026-12").await.lines;
    assert!(matches!(lines[0].entry, Entry::Difference { .. }), "{lines:#?}");
    // Run again under a third version that says the same: nothing more.
    record(&office, 1, &format!("{dearer}\n")).await;
    app.ledger_rerun(&who, month("2026-11"), 2).await.unwrap().unwrap();
    assert_eq!(close(&office, "2027-01", &head).await.total, Yen(0));
    sound(&office).await;
}

/// The tariffs of the sample for two programmes, the second stepping back for the first.
fn two_programmes(ends: &str) -> String {
    let program = |code: &str, before: &str, more: &str| {
        format!(
            "[[program]]\ncode = \"{code}\"\nname = \"{code}事業\"\nfunder = \"青葉市\"\n\
             effective = {{ from = \"2025-04-01\", before = \"{before}\" }}\n{more}\n"
        )
    };
    let tariff = |code: &str, program: &str, side: &str, yen: i64, more: &str| {
        format!(
            "[[tariff]]\ncode = \"{code}\"\nname = \"{code}\"\nprogram = \"{program}\"\nside = \"{side}\"\n\
             event = \"consult\"\neffective = {{ from = \"2025-04-01\", before = \"2028-04-01\" }}\n\
             unit = \"event\"\nyen = {yen}\n{more}\n"
        )
    };
    [
        program("city", "2028-04-01", "claim_unit_yen = 1000\nclaim_cycle = \"quarter\""),
        program("pref", ends, ""),
        tariff("C-ACC", "city", "acceptor", 2_000, "exclusive_with = [\"pref\"]"),
        tariff("P-ACC", "pref", "acceptor", 2_500, ""),
        tariff("P-REQ", "pref", "requester", 300, ""),
    ]
    .concat()
}

async fn a_programme_that_ends_in_the_middle_of_a_month_and_two_that_claim_one_case(office: TestOffice) {
    let taker = office.dermatologists[0].clone();
    let head = officer(&office, "理事 長").await;
    record(&office, 0, &two_programmes("2026-11-21")).await;
    consult(&office, "2026-11-20T10:00:00+09:00", &taker, true).await;
    consult(&office, "2026-11-21T10:00:00+09:00", &taker, true).await;
    close(&office, "2026-11", &head).await;
    let lines = view(&office, "2026-11").await.lines;
    let told: Vec<_> = lines
        .iter()
        .filter(|l| l.side == Side::Acceptor)
        .map(|l| (l.tariff.clone().unwrap().to_string(), l.amount.0, l.eligibility.reason()))
        .collect();
    assert_eq!(
        told,
        [
            ("C-ACC".into(), 0, Some(ReasonCode::OtherSubsidy)),
            ("P-ACC".into(), 2_500, None),
            ("C-ACC".into(), 2_000, None),
            ("P-ACC".into(), 0, Some(ReasonCode::OutOfDates)),
        ]
    );
    sound(&office).await;
}

async fn a_budget_that_does_not_reach_waits_for_a_decision_and_is_spent_to_the_yen(office: TestOffice) {
    let (app, head) = (&office.app, officer(&office, "理事 長").await);
    let text = two_programmes("2028-04-01")
        .replace("code = \"pref\"", "budget_yen = 5001\nbudget = \"prorated\"\ncode = \"pref\"");
    record(&office, 0, &text).await;
    consult(&office, "2027-03-03T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    consult(&office, "2027-03-04T10:00:00+09:00", &office.dermatologists[1].clone(), true).await;
    office.clock.set(at("2027-04-15T10:00:00+09:00"));
    let undecided = make(&office, "2027-03").await.unwrap_err();
    assert_eq!(undecided, CloseRefused::Undecided { program: "pref事業".into() });
    let who = Who::member(&office.association, &head);
    let program = "pref".parse().unwrap();
    app.ledger_prorate(&who, &program, 2026, "理事会で按分とした").await.unwrap().unwrap();
    let city = "city".parse().unwrap();
    assert_eq!(
        app.ledger_prorate(&who, &city, 2026, "x").await.unwrap().unwrap_err(),
        OrderRefused::NoBudget
    );
    let closed = close(&office, "2027-03", &head).await;
    assert_eq!(closed.total, Yen(5_001));
    let lines = view(&office, "2027-03").await.lines;
    let shared: Vec<i64> =
        lines.iter().filter(|l| matches!(l.entry, Entry::Proration { .. })).map(|l| l.amount.0).collect();
    assert_eq!((shared.len(), shared.iter().sum::<i64>()), (3, 5_001 - 5_600));
    let books = Books { actual: Yen(1), ..Books::default() };
    app.ledger_books(&clerk(&office), (&city, month("2027-03")), None, books).await.unwrap().unwrap();
    sound(&office).await;
}

/// A text of a test's own. It is never freed, as statements never are.
fn statement(sql: String) -> &'static Statement {
    let text: &'static str = Box::leak(sql.into_boxed_str());
    Box::leak(Box::new(Statement { name: "TEST", sqlite: text, postgres: text }))
}

struct Tamper(&'static Statement);

impl Command for Tamper {
    type Output = u64;

    async fn apply(&self, tx: &mut Conn) -> Result<u64, StoreError> {
        tx.exec(self.0, &[]).await
    }
}

/// The ways in which somebody with the database in hand changes a row of a closed month, and back.
fn ways(seq: i64, n: i64) -> (String, String) {
    let all = [
        ("amount_yen = amount_yen + {n}", "amount_yen = amount_yen - {n}"),
        ("body = body || ' '", "body = SUBSTR(body, 1, LENGTH(body) - 1)"),
        ("party = party || 'X'", "party = SUBSTR(party, 1, LENGTH(party) - 1)"),
        ("event = event || 'X'", "event = SUBSTR(event, 1, LENGTH(event) - 1)"),
        ("civil_date = civil_date || 'X'", "civil_date = SUBSTR(civil_date, 1, LENGTH(civil_date) - 1)"),
        ("side = side || 'X'", "side = SUBSTR(side, 1, LENGTH(side) - 1)"),
        ("unit = unit || 'X'", "unit = SUBSTR(unit, 1, LENGTH(unit) - 1)"),
        ("seq = -seq", "seq = -seq"),
        (
            "reason = COALESCE(reason, '') || 'X'",
            "reason = NULLIF(SUBSTR(reason, 1, LENGTH(reason) - 1), '')",
        ),
        ("tariff = tariff || 'X'", "tariff = SUBSTR(tariff, 1, LENGTH(tariff) - 1)"),
    ];
    let (there, back) = all[usize::try_from(n).unwrap() % all.len()];
    let sql = |set: &str, seq: i64| {
        let set = set.replace("{n}", &n.to_string());
        format!("UPDATE ledger_sealed SET {set} WHERE seq = {seq}")
    };
    let moved = if there.starts_with("seq") { -seq } else { seq };
    (sql(there, seq), sql(back, moved))
}

/// 1,000 of them on SQLite; a tenth on PostgreSQL, which sees the same rows.
async fn tampering_with_sealed_rows_is_always_found(office: TestOffice) {
    let (app, head) = (&office.app, officer(&office, "理事 長").await);
    for (day, taker) in [("20", 0), ("21", 1), ("22", 2)] {
        let taker = office.dermatologists[taker].clone();
        consult(&office, &format!("2026-11-{day}T10:00:00+09:00"), &taker, true).await;
    }
    close(&office, "2026-11", &head).await;
    consult(&office, "2026-12-15T10:00:00+09:00", &office.dermatologists[0].clone(), true).await;
    close(&office, "2026-12", &head).await;
    sound(&office).await;
    let lines = i64::try_from(app.verify().await.unwrap().sealed_lines).unwrap();
    assert_eq!(lines, 8);
    let tries = if app.db.is_sqlite() { 1_000 } else { 100 };
    let mut seed = 88_172_645_463_325_252_u64;
    for n in 1..=tries {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let seq = i64::try_from(seed % u64::try_from(lines).unwrap()).unwrap() + 1;
        let (there, back) = ways(seq, n);
        assert_eq!(app.db.run(Tamper(statement(there.clone()))).await.unwrap(), 1, "{there}");
        let found = app.verify_ledger(&office.association).await.unwrap();
        assert!(!found.is_empty(), "{there} was not found");
        assert_eq!(app.db.run(Tamper(statement(back.clone()))).await.unwrap(), 1, "{back}");
    }
    sound(&office).await;
    // A row that is gone at the end, and a month that says otherwise.
    for (there, back) in [
        (
            "UPDATE ledger_close SET total_yen = total_yen + 1",
            "UPDATE ledger_close SET total_yen = total_yen - 1",
        ),
        (
            "UPDATE ledger_close SET head_seq = head_seq - 1",
            "UPDATE ledger_close SET head_seq = head_seq + 1",
        ),
        (
            "UPDATE ledger_close SET run_hash = 'x' || run_hash",
            "UPDATE ledger_close SET run_hash = SUBSTR(run_hash, 2)",
        ),
        (
            "UPDATE ledger_close SET made_by = 'x' || made_by",
            "UPDATE ledger_close SET made_by = SUBSTR(made_by, 2)",
        ),
    ] {
        app.db.run(Tamper(statement(there.to_owned()))).await.unwrap();
        assert!(!app.verify_ledger(&office.association).await.unwrap().is_empty(), "{there}");
        app.db.run(Tamper(statement(back.to_owned()))).await.unwrap();
    }
    let last = "DELETE FROM ledger_sealed WHERE seq = 8";
    app.db.run(Tamper(statement(last.to_owned()))).await.unwrap();
    assert!(!app.verify_ledger(&office.association).await.unwrap().is_empty());
}

/// What each word of the ledger comes to, over all closed months, is what its last correction or rule says.
async fn reversals_corrections_and_reruns_at_random_keep_the_balance(office: TestOffice) {
    let (app, head, who) = (&office.app, officer(&office, "理事 長").await, clerk(&office));
    for (n, day) in ["20", "24", "25"].into_iter().enumerate() {
        let taker = office.dermatologists[n].clone();
        consult(&office, &format!("2026-11-{day}T10:00:00+09:00"), &taker, true).await;
    }
    close(&office, "2026-11", &head).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut expected: std::collections::BTreeMap<(String, Side), i64> =
        view(&office, "2026-11").await.lines.iter().map(|l| ((l.event.key(), l.side), l.amount.0)).collect();
    let mut number = 0;
    for round in 1..=10 {
        let of = month("2026-11").plus(round);
        let all = all_lines(&office, of).await;
        let orders = prop::collection::vec((any::<prop::sample::Index>(), 0i64..3_000), 0..4);
        let orders = orders.new_tree(&mut runner).unwrap().current();
        for (which, yen) in orders {
            let line = &all[which.index(all.len())];
            if app.ledger_correct(&who, &line.id, Yen(yen), "訂正").await.unwrap().is_ok() {
                let word = expected.get_mut(&(line.event.key(), line.side)).unwrap();
                *word += yen - line.amount.0;
            }
        }
        if round % 3 == 0 {
            // Other rules for the past: every word comes to what they say, whatever was corrected before.
            let yen = 1_000 + round * 100;
            record(&office, number, &TARIFFS.replace("yen = 2000", &format!("yen = {yen}"))).await;
            number += 1;
            let corrected = app.ledger_pending_corrections(&office.association).await.unwrap();
            if corrected == 0 {
                app.ledger_rerun(&who, month("2026-11"), number).await.unwrap().unwrap();
                for ((_, side), word) in &mut expected {
                    *word = if *side == Side::Acceptor { yen } else { 500 };
                }
            }
        }
        close(&office, &of.to_string(), &head).await;
        let all = all_lines(&office, of.plus(1)).await;
        let mut sums: std::collections::BTreeMap<(String, Side), i64> = std::collections::BTreeMap::new();
        for line in &all {
            *sums.entry((line.event.key(), line.side)).or_default() += line.amount.0;
        }
        assert_eq!(sums, expected, "round {round}");
        let reversals: Vec<_> = all.iter().filter(|l| matches!(l.entry, Entry::Reversal { .. })).collect();
        let originals: std::collections::BTreeSet<_> =
            reversals.iter().filter_map(|l| l.entry.of()).collect();
        assert_eq!(reversals.len(), originals.len(), "a line was taken back twice");
    }
    sound(&office).await;
}

async fn all_lines(office: &TestOffice, before: Month) -> Vec<Line> {
    let mut all = Vec::new();
    let mut of = month("2026-11");
    while of < before {
        all.extend(office.app.ledger_month(&office.association, of).await.unwrap().lines);
        of = of.plus(1);
    }
    all
}

/// A fiscal year made through commands comes out with the same bytes on the other database, twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fiscal_year_closes_with_the_same_bytes_on_both_databases() {
    let mut heads: Vec<Vec<String>> = Vec::new();
    for office in TestOffice::twins(7).await {
        let head = officer(&office, "理事 長").await;
        let mut told = Vec::new();
        record(&office, 0, &two_programmes("2027-01-16")).await;
        let mut of = month("2026-11");
        while of <= month("2027-03") {
            for (day, taker) in [("02", 0usize), ("15", 1), ("20", 2)] {
                let (name, taker) = (of.to_string(), office.dermatologists[taker].clone());
                let when = format!("{name}-{day}T{:02}:15:00+09:00", 9 + 5 * (of.in_fiscal_year() % 3));
                if at(&when) > office.app.now() {
                    consult(&office, &when, &taker, true).await;
                }
            }
            let made = close(&office, &of.to_string(), &head).await;
            let lines = view(&office, &of.to_string()).await;
            let sums = lines.sums.unwrap();
            let by = |y: Vec<&Yen>| y.iter().map(|y| y.0).sum::<i64>();
            assert_eq!(by(sums.by_institution.values().collect()), sums.total.0);
            assert_eq!(by(sums.by_program.values().collect()), sums.total.0);
            let hash: String = made.sealed.unwrap().head_hash.iter().map(|b| format!("{b:02x}")).collect();
            told.push(format!(
                "{of} {} {} {hash}",
                made.run_hash,
                serde_json::to_string(&lines.lines).unwrap()
            ));
            of = of.plus(1);
        }
        sound(&office).await;
        heads.push(told);
    }
    assert!(heads[0].iter().any(|m| m.contains("\"amount\":2000")));
    assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "{heads:#?}");
}
