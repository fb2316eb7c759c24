//! What stands behind a night, read by programs: households, cards, the year of a clinic, tonight's check; no patient
//! is named, and nothing that stands on a card.

use serde_json::{Value, json};
use touban::app::Who;
use touban::app::call::settings::Pillar;
use touban::app::cards::{Door, Entered};
use touban::domain::cover::cards::NightCard;
use touban::domain::cover::households::Told;
use touban::ids::HouseholdId;

use super::client::Client;
use crate::support::{PIN, TestOffice, add_association, add_institution, on_both};

on_both! { a_program_reads_households_cards_and_the_year_without_a_patients_name }

async fn a_program_reads_households_cards_and_the_year_without_a_patients_name(office: TestOffice) {
    let served = office.serve().await;
    let client = Client::new(&served, &office.keys.read);
    let (app, clinic) = (&office.app, &office.clinic);
    let sato = Who::member(&office.association, &office.asker);
    let household = app.household_add(&sato, clinic, "CANARY-AK").await.unwrap();
    let other = app.household_add(&sato, clinic, "CANARY-MS").await.unwrap();
    let standby = add_institution(app, &office.association, "みどり在宅クリニック").await;
    let pillar = Pillar { on: true, ..Pillar::default() };
    app.pillar_put(&office.cli(), 0, &standby, Some(pillar)).await.unwrap();
    let told = Told::On { day: "2026-11-01".parse().unwrap() };
    app.household_told(&sato, clinic, &household, standby.as_str(), told).await.unwrap();
    app.household_told(&sato, clinic, &household, "members", told).await.unwrap();
    let refused = Told::Refused { day: "2026-11-02".parse().unwrap() };
    app.household_told(&sato, clinic, &other, standby.as_str(), refused).await.unwrap();
    app.household_whole(&sato, clinic, true).await.unwrap();
    let card = NightCard { adl: "CANARY-ADL".into(), ..NightCard::default() };
    app.card_write(&sato, clinic, &household, card).await.unwrap();
    let place = |what: &str| format!("/institutions/{}/{what}", clinic.api());

    let list = client.get(&place("households")).await.ok(200);
    assert!(!list.to_string().contains("CANARY"), "{list}");
    assert_eq!(list["whole_since"], "2026-11-20");
    assert_eq!(list["pillars"][0]["institution"], standby.api());
    assert_eq!(list["pillars"][0]["kind"], "home_care");
    assert_eq!(list["pillars"][0]["used"], false, "one refused");
    let told = |answer: &str, day: &str| json!({ "of": standby.api(), "answer": answer, "day": day });
    // Two that came in the same moment stand in the order of their ids.
    let of = |list: &Value, key: &str, name: &str, id: &HouseholdId| {
        let all = list[key].as_array().unwrap();
        all.iter().find(|one| one[name] == id.api()).cloned().unwrap_or_default()
    };
    assert_eq!(of(&list, "households", "id", &household)["told"][1], told("told", "2026-11-01"));
    assert_eq!(of(&list, "households", "id", &household)["told"][0]["of"], "members");
    assert_eq!(of(&list, "households", "id", &other)["told"][1], told("refused", "2026-11-02"));
    assert_eq!(of(&list, "households", "id", &other)["told"][0]["answer"], json!(null));

    let cards = client.get(&place("night-cards")).await.ok(200);
    assert!(!cards.to_string().contains("CANARY"), "{cards}");
    assert_eq!(cards["mode"], "minimal");
    let card = of(&cards, "cards", "household", &household);
    assert!(card["written_at"].is_string() && card["old"] == false, "{card}");
    assert_eq!(of(&cards, "cards", "household", &other)["written_at"], json!(null));

    let year = client.get(&place("year?month=2026-11")).await.ok(200);
    assert_eq!(year["months"].as_array().unwrap().len(), 12);
    assert_eq!(year["months"][11]["month"], "2026-11");
    assert_eq!(client.get(&place("year?month=2026-13")).await.fields(), ["/month"]);

    let tonight = client.get("/tonight").await.ok(200);
    assert_eq!(tonight, json!({ "day": null, "at": null, "holes": 0, "people": [] }));

    // Another association's clinic is not there, and nothing is read by looking.
    let midori = add_association(app, "midori", "緑市医師会").await;
    let foreign = add_institution(app, &midori, "緑の医院").await;
    for what in ["households", "night-cards", "year"] {
        assert_eq!(
            client.get(&format!("/institutions/{}/{what}", foreign.api())).await.status,
            404,
            "{what}"
        );
    }
    let door = Door::Glass { clinic: clinic.clone(), reason: "急ぎ".into() };
    let entered = app.card_enter(&sato, &office.asker, door, PIN).await.unwrap();
    assert!(matches!(entered, Entered::Pass(_)));
    assert_eq!(app.card_list(&office.association, clinic).await.unwrap().opened.len(), 1, "the glass alone");
}
