//! Idempotency-Keys, case numbers, month keys and PINs when everything comes at the same moment.

use std::sync::Arc;

use futures_util::future::join_all;
use touban::app::answers::{Choice, LinkAnswer};
use touban::app::consult::Asking;
use touban::app::people::NewInstitution;
use touban::app::replay::{Done, Key};
use touban::app::{AppError, Who};
use touban::domain::consult::NewConsult;
use touban::domain::dispatch::Terms;
use touban::ids::{LinkId, SeededChance};
use touban::store::StoreError;
use touban::store::audit::audit_after;
use touban::store::people::case_counter_take;
use touban::store::secrets::{Sealed, Vault};

use super::ground::{Ground, NOW, command, on_both, postgres_place, select, sqlite_place};
use crate::support::{PIN, TestOffice};

on_both! {
    case_numbers_have_no_gap_and_no_double,
    two_first_sealings_of_a_month_agree_on_its_key,
}

async fn case_numbers_have_no_gap_and_no_double(ground: Ground) {
    let take = |fail: bool| {
        let association = ground.association.clone();
        ground.db.run(command(move |tx| {
            let association = association.clone();
            Box::pin(async move {
                let number = case_counter_take(tx, &association, 2026).await?;
                if fail { Err(StoreError::Rollback) } else { Ok(number) }
            })
        }))
    };
    let taken = join_all((0..48).map(|n| take(n % 4 == 0))).await;
    let mut numbers: Vec<i64> = taken.into_iter().filter_map(Result::ok).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=36).collect::<Vec<_>>());
}

async fn two_first_sealings_of_a_month_agree_on_its_key(ground: Ground) {
    let sealed = join_all((0..8).map(|n| {
        let (association, vault) = (ground.association.clone(), ground.vault.clone());
        // Chance of its own each, as two instances have.
        let vault = Vault { chance: Arc::new(SeededChance::new(1_000 + n)), ..vault };
        ground.db.run(command(move |tx| {
            let (association, vault) = (association.clone(), vault.clone());
            Box::pin(async move {
                let at = Sealed { table: "report", column: "text", row: "1" };
                vault.seal(tx, &association, at, NOW, &format!("所見 {n}")).await
            })
        }))
    }))
    .await;
    assert_eq!(ground.count("SELECT COUNT(*) AS n FROM month_key").await, 1);
    let mut conn = ground.db.read().await.unwrap();
    for (n, sealed) in sealed.into_iter().enumerate() {
        let sealed = sealed.unwrap();
        let at = |row| Sealed { table: "report", column: "text", row };
        let open = ground.vault.open(&mut conn, &ground.association, at("1"), &sealed).await;
        assert_eq!(open.unwrap(), format!("所見 {n}"));
        let moved = ground.vault.open(&mut conn, &ground.association, at("2"), &sealed).await;
        assert!(moved.is_err(), "it opens in its own row only");
    }
}

async fn offices() -> [TestOffice; 2] {
    drop((sqlite_place(), postgres_place().await));
    [TestOffice::sqlite().await, TestOffice::postgres().await.unwrap()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_sent_many_times_under_one_key_acts_once() {
    for office in offices().await {
        let who = office.cli();
        let new = |name: &str| NewInstitution {
            name: name.into(),
            kind: "clinic".into(),
            area: "青葉北".into(),
            city_code: String::new(),
            phone: None,
            ..NewInstitution::default()
        };
        let before = office.app.institutions(&office.association, "", 1_000).await.unwrap().len();
        let key = Key::new("6f1d", "POST institutions", b"one body");
        let sent =
            join_all((0..8).map(|_| office.app.institution_add(&who, new("みどり医院"), Some(&key)))).await;
        let (mut fresh, mut ids) = (0, Vec::new());
        for done in sent {
            match done.unwrap() {
                Done::Fresh(id) => {
                    fresh += 1;
                    ids.push(id);
                }
                Done::Again(id) => ids.push(id),
            }
        }
        assert_eq!(fresh, 1);
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(office.app.institutions(&office.association, "", 1_000).await.unwrap().len(), before + 1);

        let other_body = Key::new("6f1d", "POST institutions", b"another body");
        let reused = office.app.institution_add(&who, new("ほか医院"), Some(&other_body)).await;
        assert!(matches!(reused, Err(AppError::KeyReused)), "{reused:?}");
        // The key belongs to whoever sent it.
        let clerk = Who::member(&office.association, &office.clerk);
        let own = office.app.institution_add(&clerk, new("ほか医院"), Some(&key)).await;
        assert!(matches!(own, Ok(Done::Fresh(_))), "{own:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_many_pins_at_the_same_moment_is_not_quicker() {
    for office in offices().await {
        let app = &office.app;
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
            patient_ref: String::new(),
            details: String::new(),
        };
        let asking = Asking { asker: office.asker.clone(), in_person: true, channel: "web" };
        let who = Who::member(&office.association, &office.asker);
        let asked = app.consult_ask(&who, asking, new, None).await.unwrap().into_inner();

        let mut conn = app.db.read().await.unwrap();
        let links = conn
            .all(super::ground::statement("SELECT link_id FROM link ORDER BY link_id"), &[])
            .await
            .unwrap();
        drop(conn);
        let link = LinkId::from_stored(&links[0].text("link_id").unwrap()).unwrap();
        let token = app.vault.seal.link_token(&link);
        // All are let in before the first one is known to be wrong; the right one is sent last.
        let guess = async |pin: String| {
            let choice = Choice::Accept { terms: Terms::Advice };
            app.link_answer(token.as_str(), choice, Some(&pin), None, false).await.unwrap()
        };
        let mut pins: Vec<String> = (0..23).map(|n| format!("{}", 5_670 + n * 13)).collect();
        pins.push(PIN.to_owned());
        let answers = join_all(pins.into_iter().map(guess)).await;
        let accepted = answers.iter().any(|a| matches!(a, LinkAnswer::Accepted { .. }));

        // Whoever was quicker: a right PIN counts only before the fifth wrong one.
        let mut conn = app.db.read().await.unwrap();
        let history = audit_after(&mut conn, &office.association, 0, 1_000).await.unwrap();
        let taken = history.iter().position(|e| e.action == "offer.accept");
        assert_eq!(taken.is_some(), accepted, "{}", asked.case_no);
        let wrong = history[..taken.unwrap_or(0)].iter().filter(|e| e.action == "pin.wrong").count();
        // On PostgreSQL the wrong PINs of the two workers may be written between its look and its own row.
        assert!(wrong < 5 + 2, "{wrong} wrong PINs before the right one was taken");
        let state = select(&mut conn, "SELECT state FROM request").await[0].text("state").unwrap();
        assert_eq!(state, if accepted { "taken" } else { "open" });
    }
}
