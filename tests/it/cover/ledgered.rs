//! What the ledger knows of a slot: pending on both sides with the report, counted with the asker's word; whether a
//! night card was opened, and whether the households were told of the pillar that took it.

use touban::app::Who;
use touban::app::cards::{Door, Entered};
use touban::app::cover::CoverTold;
use touban::domain::cover::CoverSettings;
use touban::domain::cover::cards::{DataMode, NightCard};
use touban::domain::cover::households::Told;
use touban::domain::ledger::{Channel, Confirmation, Eligibility, EventKind, OnRotaAs, ReasonCode, Side};
use touban::ids::{MemberId, RequestId};
use touban::money::Yen;

use super::standby::Standby;
use super::{District, answers, at};
use crate::pages::browser::mails;
use crate::support::{PIN, TestOffice, on_both};

on_both! {
    both_sides_are_pending_until_the_asker_confirms_and_the_cards_use_is_known,
    of_a_pillars_slot_it_is_known_that_the_households_were_told,
}

async fn told(district: &District, slot: &RequestId, taker: &MemberId) {
    let office = &district.town.office;
    let told =
        CoverTold { outcome: "phone_only".to_owned(), calls: 1, visits: 0, minutes: 20, text: String::new() };
    let who = Who::member(&office.association, taker);
    office.app.cover_report(&who, slot, taker, told, "web", None).await.unwrap();
}

/// Side, why it waits or whether it is paid, and yen, of every line of the month that is a cover's.
async fn lines(district: &District, month: &str) -> Vec<(Side, Option<ReasonCode>, Yen)> {
    let office = &district.town.office;
    let view = office.app.ledger_month(&office.association, month.parse().unwrap()).await.unwrap();
    let of_a_cover = view.lines.iter().chain(&view.held).filter(|l| l.kind == EventKind::Cover);
    let mut found: Vec<_> = of_a_cover
        .map(|l| {
            let why = (l.eligibility != Eligibility::Eligible).then(|| l.eligibility.reason()).flatten();
            (l.side, why, l.amount)
        })
        .collect();
    found.sort_by_key(|(side, ..)| side.code());
    found
}

async fn both_sides_are_pending_until_the_asker_confirms_and_the_cards_use_is_known(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let home = &town.office.association;
    let (revision, before) = app.cover_settings(home).await.unwrap();
    let settings = CoverSettings { cards: DataMode::Handover, ..before };
    app.cover_settings_put(&town.office.cli(), revision, settings).await.unwrap();
    let sato = Who::member(home, &town.office.asker);
    let household = app.household_add(&sato, &town.office.clinic, "A.K.").await.unwrap();
    let card = NightCard { adl: "つたい歩き".into(), ..NightCard::default() };
    app.card_write(&sato, &town.office.clinic, &household, card).await.unwrap();
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-17T08:00:00+09:00").await;
    let case = district.case(&made.request).await;
    let slots: Vec<RequestId> = case.line.slots.iter().map(|s| s.slot.request.clone()).collect();
    let letters = mails(app).await;
    answers(town, district.letter("大野", &letters).await, &slots, "accept").await;
    let ono = district.people["大野"].clone();
    // In the first night a card is opened; after it, no more.
    town.office.clock.set(at("2026-12-15T23:00:00+09:00"));
    let (who, door) = (Who::member(home, &ono), Door::Cover(made.request.clone()));
    let Entered::Pass(pass) = app.card_enter(&who, &ono, door, PIN).await.unwrap() else { panic!("the PIN") };
    app.card_open(&who, &ono, &pass, &household).await.unwrap().unwrap();
    town.office.clock.set(at("2026-12-17T08:30:00+09:00"));
    assert_eq!(lines(&district, "2026-12").await, [], "nothing was told yet");
    for slot in &slots {
        told(&district, slot, &ono).await;
    }
    let waits = Some(ReasonCode::NotConfirmed);
    let pending = lines(&district, "2026-12").await;
    assert_eq!(pending.len(), 2 * slots.len());
    assert!(pending.iter().all(|(_, why, yen)| *why == waits && *yen == Yen(0)), "{pending:?}");
    let view = app.ledger_month(home, "2026-12".parse().unwrap()).await.unwrap();
    let asked = app.ledger_missing(home, &view).await.unwrap();
    let [asker] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((&asker.member, asker.cases.len()), (&town.office.asker, slots.len()));
    assert!(app.verify().await.unwrap().problems.is_empty());
    // Said twice, counted once.
    for _ in 0..2 {
        app.cover_confirm(&sato, &made.request, "web", None).await.unwrap();
    }
    let paid = lines(&district, "2026-12").await;
    assert_eq!(paid.len(), 2 * slots.len());
    assert!(paid.iter().all(|(_, why, yen)| why.is_none() && yen.0 > 0), "{paid:?}");
    let side = |side| paid.iter().filter(|(s, ..)| *s == side).map(|(.., yen)| yen.0).collect::<Vec<_>>();
    assert!(side(Side::Requester).iter().all(|yen| *yen == 500), "{paid:?}");
    assert!(side(Side::Acceptor).iter().all(|yen| [3_000, 5_000].contains(yen)), "{paid:?}");
    let mut used = Vec::new();
    for slot in &slots {
        let (event, _) = app.ledger_event(home, slot).await.unwrap();
        assert!(!event.household_explained, "no pillar took it");
        used.push(event.night_card_used);
    }
    let first_only = (0..slots.len()).map(|n| n == 0).collect::<Vec<_>>();
    assert_eq!(used, first_only);
    let found = app.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

async fn of_a_pillars_slot_it_is_known_that_the_households_were_told(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let app = &town.office.app;
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-16T08:00:00+09:00").await;
    mails(app).await;
    town.office.clock.set(at("2026-12-12T18:00:01+09:00"));
    let letters = mails(app).await;
    let mine = district.to(&standby.clinic, &letters).await;
    let slots = standby.slots(&made.request).await;
    answers(town, mine[0], &slots, "accept").await;
    town.office.clock.set(at("2026-12-16T08:30:00+09:00"));
    // What is said after the night does not change what was so in it.
    standby.told("home_care", Told::On { day: "2026-12-15".parse().unwrap() }).await;
    told(district, &slots[0], &standby.clinic).await;
    let (event, _) = app.ledger_event(&town.office.association, &slots[0]).await.unwrap();
    assert!(event.household_explained && !event.night_card_used);
    assert_eq!(event.acceptor.on_rota_as, OnRotaAs::Pillar);
    assert_eq!(event.accepted_by, Channel::MailLink);
    assert_eq!(event.requester.confirmation, Confirmation::Waiting);
}
