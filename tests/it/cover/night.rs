//! While a cover lasts the clinic's calls ring whoever covers, and a call that is on at its end stays with them.

use touban::app::Who;
use touban::app::call::CallTold;
use touban::app::consult::Asking;
use touban::app::people::NewMember;
use touban::domain::cover::{Manner, NewCover};
use touban::domain::people::Role;
use touban::seal::Pin;

use crate::calls::{Night, OWN};
use crate::pages::browser::{Town, mails, token_of};
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    the_clinics_calls_ring_the_cover_and_a_call_at_the_end_stays,
}

const COVER: &str = "090-0000-0021";

async fn the_clinics_calls_ring_the_cover_and_a_call_at_the_end_stays(office: TestOffice) {
    let home = add_institution(&office.app, &office.association, "大野医院").await;
    let new = NewMember {
        phone: Some(COVER.to_owned()),
        ..new_member("大野 誠", &home, Role::Physician, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    let ono = office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let town = Town::generous(office).await;
    let app = &town.office.app;
    let who = Who::member(&town.office.association, &town.office.asker);
    let asking = Asking { asker: town.office.asker.clone(), in_person: true, channel: "web" };
    let begins = app.now().plus_s(60);
    let new = NewCover {
        window: (begins, begins.plus_s(600)),
        patients: None,
        manner: Manner::Visit,
        note: String::new(),
    };
    let made = app.cover_ask(&who, asking, new, None).await.unwrap().into_inner();
    let letters = mails(app).await;
    let address = app.member(&town.office.association, &ono).await.unwrap().email.unwrap();
    let letter = letters.iter().find(|m| m.to == address && m.text.contains("/k#")).unwrap();
    let case = app.cover_case(&town.office.association, &made.request).await.unwrap();
    let chosen = case.line.slots.iter().map(|s| (s.slot.request.clone(), true)).collect();
    app.cover_link_answer(&token_of(letter), chosen, Some(PIN), None, false).await.unwrap();
    let Town { office, .. } = town;
    let night = Night::begins(office).await;
    night.office.clock.set(begins.plus_s(30));
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(COVER).await;
    assert!(night.live(OWN).is_none(), "the clinic's own line is left in peace");
    night.talk(&nurse, &doctor).await;
    // The cover ends while they talk.
    night.office.clock.set(begins.plus_s(700));
    night.mails().await;
    night.talk(&nurse, &doctor).await;
    night.phones.hang_up(&doctor).unwrap();
    let line = night.stage("report_due").await;
    let app = &night.office.app;
    let told = CallTold {
        outcome: "phone_only".to_owned(),
        place: String::new(),
        text: "CANARY-CALL".to_owned(),
        minutes: None,
    };
    let who = Who::member(&night.office.association, &ono);
    app.call_report(&who, &line.row.id, &ono, told, None).await.unwrap();
    // The asker's page lists it with what came of it.
    let case = app.cover_case(&night.office.association, &made.request).await.unwrap();
    let calls: Vec<_> = case.calls.iter().map(|c| (c.taker.clone(), c.outcome.as_deref())).collect();
    assert_eq!(calls, [(Some(ono.clone()), Some("phone_only"))]);
    // After the end the clinic's own line rings again.
    night.phones.hang_up(&nurse).unwrap_or_default();
    night.office.clock.set(begins.plus_s(800));
    night.nurse_calls().await;
    night.rings(OWN).await;
    night.ends().await;
}
