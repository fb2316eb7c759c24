//! A fiscal year of an association, made through commands alone: 81 members, 500 patients, a rota of every day, six
//! programmes with the clauses that ordinances have. It closes month by month and as a year, adds up to the yen in
//! every cut, and comes out with the same bytes on the other database.

use touban::app::Who;
use touban::app::ledger::world::Evidence;
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::domain::ledger::{Entry, Month, Side};
use touban::domain::rota::{Assignment, Holder, RotaRole};
use touban::i18n::Lang;
use touban::ids::{MemberId, RequestId};
use touban::time::Window;

use super::{at, clerk, close, consult_of, make, month, officer, record, sound, view};
use crate::support::TestOffice;

const PATIENTS: usize = 500;
const MEMBERS: usize = 81;
const DERMATOLOGISTS: usize = 12;

/// Six programmes and their tariffs.
fn rules() -> String {
    let program = |code: &str, before: &str, more: &str| {
        format!(
            "[[program]]\ncode = \"{code}\"\nname = \"{code}事業\"\nfunder = \"青葉市\"\n\
             effective = {{ from = \"2027-04-01\", before = \"{before}\" }}\n{more}\n"
        )
    };
    let tariff = |code: &str, program: &str, side: &str, event: &str, more: &str| {
        format!(
            "[[tariff]]\ncode = \"{code}\"\nname = \"{code}\"\nprogram = \"{program}\"\nside = \"{side}\"\n\
             event = \"{event}\"\neffective = {{ from = \"2027-04-01\", before = \"2028-04-01\" }}\n{more}\n"
        )
    };
    let confirmed = "when = [\"acceptor.member_active\", \"requester.institution != acceptor.institution\", \
                     \"report.submitted_within_hours <= 72\", \"requester.confirmed\"]";
    [
        // Sundays only, and not on 1 January.
        "[[calendar]]\nname = \"sundays\"\nholidays = \"sundays_only\"\nremoved = [\"01-01\"]\nyear_end = []\n"
            .to_owned(),
        program("city24", "2028-04-01", "budget_yen = 700000\nbudget = \"first_come\"\nclaim_unit_yen = 1000"),
        program("pref", "2028-04-01", "budget_yen = 40001\nbudget = \"prorated\"\nclaim_cycle = \"quarter\""),
        program(
            "days",
            "2028-04-01",
            "claim_cycle = \"year\"\nclaim_unit_yen = 1000\nclaim_lesser_of_actual = true\n\
             claim_less_other_income = true",
        ),
        program("turns", "2028-04-01", "standby_day = \"slot_start\""),
        program("sundays", "2028-04-01", "standby_day = \"split\"\ntax_included = true"),
        program("pilot", "2027-10-16", "successor = \"city24\"\nclaim_by = \"institution\""),
        tariff(
            "CITY-OFF",
            "city24",
            "acceptor",
            "consult",
            &format!(
                "bands = [\"night\", \"deep_night\", \"holiday\", \"year_end\"]\nunit = \"event\"\nyen = 3001\n\
                 multiplier = [{{ if = \"calendar.run_of_holidays >= 3\", by = \"1.5\" }}]\n\
                 cap = {{ per_case = 1, per_institution_month = 20 }}\n{confirmed}"
            ),
        ),
        tariff(
            "CITY-DAY",
            "city24",
            "acceptor",
            "consult",
            &format!("bands = [\"day\"]\nunit = \"event\"\nyen = 2000\n{confirmed}"),
        ),
        tariff(
            "CITY-REQ",
            "city24",
            "requester",
            "consult",
            "unit = \"event\"\nyen = 500\nwhen = [\"requester.member_active\", \"requester.confirmed\"]",
        ),
        // The same case is not paid twice: only what the city does not pay any more.
        tariff(
            "PREF-ACC",
            "pref",
            "acceptor",
            "consult",
            &format!("unit = \"event\"\nyen = 1000\nexclusive_with = [\"city24\"]\n{confirmed}"),
        ),
        tariff(
            "DAYS",
            "days",
            "standby",
            "standby",
            "unit = \"day\"\nyen = 4700\nminimum_hours = 4\n\
             multiplier = [{ if = \"calendar.year_end\", by = \"4/3\" }]",
        ),
        tariff("TURNS", "turns", "standby", "standby", "unit = \"24h_turn\"\nyen = 900"),
        tariff(
            "SUNDAYS",
            "sundays",
            "standby",
            "standby",
            "calendar = \"sundays\"\nbands = [\"holiday\"]\nunit = \"hour\"\nyen = 101\nrounding = \"half_up\"",
        ),
        tariff(
            "PILOT-ACC",
            "pilot",
            "acceptor",
            "consult",
            "unit = \"minute_block\"\nblock_minutes = 5\nyen = 33\ncities = [\"999991\"]",
        ),
        // Counted, and nothing paid.
        tariff("PILOT-REQ", "pilot", "requester", "consult", "unit = \"event\"\nyen = 0"),
    ]
    .concat()
}

struct People {
    head: MemberId,
    askers: Vec<MemberId>,
    takers: Vec<MemberId>,
}

async fn people(office: &TestOffice) -> People {
    let head = officer(office, "理事 長").await;
    let mut takers = office.dermatologists.clone();
    while takers.len() < DERMATOLOGISTS {
        takers.push(office.add_dermatologist(&format!("皮膚 {}", takers.len())).await);
    }
    // The clerk, the coordinator and the officer are members too.
    let mut askers = vec![office.asker.clone()];
    while askers.len() + takers.len() + 3 < MEMBERS {
        askers.push(office.physician(&format!("在宅 {}", askers.len())).await);
    }
    People { head, askers, takers }
}

/// Every day from eight to eight somebody holds the duty; the last ends with the year.
async fn duty(office: &TestOffice, people: &People) {
    let april = month("2027-04");
    let (from, to) = (at("2027-04-01T00:00:00+09:00"), at("2028-04-01T00:00:00+09:00"));
    let mut assignments = Vec::new();
    let mut day = april.first();
    let mut n = 0;
    while day < april.plus(12).first() {
        let start = at(&format!("{day}T08:00:00+09:00"));
        let window = Window { from: start, to: start.plus_s(86_400).min(to) };
        for (role, shift) in [(RotaRole::Primary, 0), (RotaRole::Deputy, 3)] {
            let person = &people.askers[(n + shift) % 8];
            let member = office.app.member(&office.association, person).await.unwrap();
            assignments.push(Assignment {
                area: "all".parse().unwrap(),
                slot: format!("{day}/d").parse().unwrap(),
                role,
                window,
                holder: Holder { person: member.id, institution: member.institution.unwrap() },
            });
        }
        n += 1;
        day = day.plus_days(1);
    }
    let new = NewPublication {
        area: "all".parse().unwrap(),
        period: Window { from, to },
        assignments,
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let who = Who::member(&office.association, &office.coordinator);
    let published = office.app.rota_import(&who, new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
}

/// What a month came to, in bytes.
async fn told(office: &TestOffice, of: Month, year: &mut i64, claimed: &mut i64) -> String {
    let view = view(office, &of.to_string()).await;
    let sums = view.sums.as_ref().unwrap();
    let total = sums.total.0;
    assert_eq!(sums.by_institution.values().map(|y| y.0).sum::<i64>(), total, "{of}");
    assert_eq!(sums.by_program.values().map(|y| y.0).sum::<i64>(), total, "{of}");
    let home = &office.association;
    for table in ["details", "institutions"] {
        let table = office.app.ledger_table(home, &view, table, Lang::Ja).await.unwrap().unwrap();
        let read: serde_json::Value = serde_json::from_slice(&touban::export::ledger::json(&table)).unwrap();
        let rows = read["rows"].as_array().unwrap();
        assert_eq!(rows.iter().map(|r| r["amount_yen"].as_i64().unwrap()).sum::<i64>(), total, "{of}");
    }
    let mut statements = 0;
    for institution in sums.by_institution.keys() {
        statements += view.statement(institution).unwrap().total.0;
    }
    assert_eq!(statements, total, "{of}");
    let claims = office.app.ledger_claims(home, of).await.unwrap().unwrap();
    *claimed += claims.iter().map(|c| c.standard.0).sum::<i64>();
    *year += total;
    let close = view.close.unwrap();
    let head: String = close.sealed.unwrap().head_hash.iter().map(|b| format!("{b:02x}")).collect();
    format!("{of} {} {head} {}", close.run_hash, serde_json::to_string(&view.lines).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fiscal_year_of_500_patients_closes_to_the_yen_on_both_databases() {
    let mut years: Vec<Vec<String>> = Vec::new();
    for office in TestOffice::twins(23).await {
        let app = &office.app;
        let people = people(&office).await;
        record(&office, 0, &rules()).await;
        duty(&office, &people).await;
        let officer = Who::member(&office.association, &people.head);
        let (mut heads, mut year, mut claimed, mut patient) = (Vec::new(), 0i64, 0i64, 0usize);
        let mut waiting: Vec<RequestId> = Vec::new();
        let april = month("2027-04");
        for n in 0..12 {
            let of = april.plus(n);
            let until = (PATIENTS * (usize::try_from(n).unwrap() + 1)) / 12;
            let count = until - patient;
            for i in 0..count {
                // From the 11th, when the month before is closed, to the 28th, by day and by night.
                let minute = i * 18 * 1_440 / count;
                let when = format!(
                    "{of}-{:02}T{:02}:{:02}:00+09:00",
                    11 + minute / 1_440,
                    minute / 60 % 24,
                    minute % 60
                );
                let asker = &people.askers[patient % people.askers.len()];
                let taker = &people.takers[patient % people.takers.len()];
                let confirmed = patient % 25 != 0;
                let name = format!("P{patient:03}");
                let request = consult_of(&office, &when, (asker, &name), taker, confirmed).await;
                if !confirmed {
                    waiting.push(request);
                }
                patient += 1;
            }
            // Half of what waited is confirmed in the month after; the rest waits for the end of the year.
            if n % 2 == 1 {
                for request in waiting.drain(..) {
                    let learned = Evidence::Confirmed { at: app.now() };
                    app.ledger_evidence(&clerk(&office), &request, learned).await.unwrap();
                }
            }
            if n == 11 {
                office.clock.set(at("2028-04-05T10:00:00+09:00"));
                assert!(make(&office, &of.to_string()).await.is_err(), "the officers have not decided");
                let pref = "pref".parse().unwrap();
                app.ledger_prorate(&officer, &pref, 2027, "理事会の決定").await.unwrap().unwrap();
            }
            let first = close(&office, &of.to_string(), &people.head).await;
            assert_eq!(first.ends_year, n == 11);
            heads.push(told(&office, of, &mut year, &mut claimed).await);
        }
        assert_eq!(patient, PATIENTS);
        assert_eq!(claimed, year, "what is claimed is what was closed");
        let burns = app.ledger_burn(&office.association, 2027).await.unwrap();
        assert_eq!(burns.iter().map(|b| b.spent.0).sum::<i64>(), year);
        assert!(burns.iter().filter_map(|b| b.left()).all(|left| left.0 >= 0), "{burns:#?}");
        assert_eq!(burns.iter().find(|b| b.program.as_str() == "pref").unwrap().spent.0, 40_001);
        assert!(burns.iter().filter(|b| b.spent.0 > 0).count() >= 6, "every programme paid: {burns:#?}");
        let march = view(&office, "2028-03").await.lines;
        assert!(march.iter().any(|l| matches!(l.entry, Entry::Proration { .. })));
        assert!(march.iter().any(|l| l.side == Side::Standby && l.amount.0 > 0));
        sound(&office).await;
        years.push(heads);
    }
    assert!(years.windows(2).all(|pair| pair[0] == pair[1]), "the databases differ");
}
