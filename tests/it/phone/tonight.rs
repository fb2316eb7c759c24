//! The whole program on the real bridge, before the night: whoever reads no mail is rung by tonight's check (今夜の点検)
//! and answers by a key; a machine that answers is nobody.

use std::time::{Duration, Instant};

use chrono::Timelike as _;
use serde_json::json;
use touban::app::Who;
use touban::app::call::CallLine;
use touban::app::people::NewMember;
use touban::domain::cover::CoverSettings;
use touban::domain::dispatch::{OfferState, Proof, State};
use touban::domain::people::Role;
use touban::domain::rota::RotaRole;
use touban::ids::MemberId;
use touban::time::{Clock as _, SystemClock};

use super::network::{PATIENCE, a_moment, breathe};
use super::night::{DEPUTY, NIGHT, Night, PRIMARY};
use crate::support::new_member;

/// Phones of the two who have no mail.
const AT_HOME: &str = "09011110061";
const AT_HOME_VOICE: u32 = 450;
const AWAY: &str = "09011110062";
const MACHINE_VOICE: u32 = 1150;
/// The program looks for what is due by the clock every twenty seconds.
const LOOK: Duration = Duration::from_secs(45);

/// Minutes after midnight in Tokyo.
fn minute_of_day() -> u32 {
    let civil = touban::domain::calendar::wall_clock(SystemClock.now(), chrono_tz::Asia::Tokyo);
    civil.hour() * 60 + civil.minute()
}

impl Night {
    /// What somebody said to the check, and whether they are still waited for.
    async fn said(&self, person: &MemberId) -> Option<(OfferState, bool)> {
        let page = self.app.tonight_page(&self.association).await.unwrap();
        let checked = page.people.into_iter().find(|checked| checked.member == *person)?;
        let offer = checked.request.offers.get(person)?;
        Some((offer.state, matches!(checked.request.state, State::Running { .. })))
    }

    async fn until_said(&self, person: &MemberId, patience: Duration, state: OfferState) {
        let begun = Instant::now();
        while self.said(person).await.is_none_or(|(said, _)| said != state) {
            let said = self.said(person).await;
            assert!(begun.elapsed() < patience, "{state:?}: {said:?}\n{}", self.last_words());
            breathe().await;
        }
    }

    /// What came of the call to somebody, and why their line ended.
    async fn until_over(&self, person: &MemberId) -> (Option<String>, Option<String>) {
        let begun = Instant::now();
        loop {
            let calls = self.calls().await;
            let of = |line: &&CallLine| line.row.asker.as_ref() == Some(person) && line.row.stage == "over";
            if let Some(line) = calls.iter().find(of) {
                return (line.row.outcome.clone(), line.legs.iter().find_map(|l| l.leg.cause.clone()));
            }
            assert!(begun.elapsed() < PATIENCE, "{calls:?}\n{}", self.last_words());
            breathe().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn tonights_check_rings_who_reads_no_mail_and_takes_a_1_but_no_machine_for_an_answer() {
    let mut night = Night::begins().await;
    night.network.behaves(AT_HOME, "ring", json!({ "tone": AT_HOME_VOICE })).await;
    night.network.behaves(AWAY, "voicemail", json!({ "tone": MACHINE_VOICE, "after_ms": 200 })).await;
    let who = Who::cli(&night.association);
    let mut people = Vec::new();
    for (name, phone, role) in [("電話 一", AT_HOME, RotaRole::Primary), ("留守 二", AWAY, RotaRole::Deputy)]
    {
        let new = new_member(name, &night.clinic, Role::Physician, vec![]);
        let new = NewMember { phone: Some(phone.to_owned()), email: None, ..new };
        let person = night.app.member_add(&who, new, None, None).await.unwrap().into_inner();
        night.on_duty(role, &person).await;
        people.push(person);
    }
    let [at_home, away] = people.as_slice() else { panic!("{people:?}") };
    // Due now; a check that is set a minute before midnight would be one of tomorrow.
    while minute_of_day() >= 24 * 60 - 2 {
        breathe().await;
    }
    let (revision, _) = night.app.cover_settings(&night.association).await.unwrap();
    let settings = CoverSettings { check_min: Some(minute_of_day()), ..CoverSettings::default() };
    night.app.cover_settings_put(&who, revision, settings).await.unwrap();

    night.until_said(at_home, LOOK, OfferState::Asked).await;
    let rang = night.picks_up(AT_HOME).await;
    assert_eq!(rang["shows"], NIGHT, "the phone shows the night number");
    night.network.until_spoken_to(AT_HOME).await;
    a_moment().await;
    night.network.press(AT_HOME, "1");
    night.until_said(at_home, PATIENCE, OfferState::Accepted).await;
    night.network.wait(AT_HOME, "over").await;
    // Nobody pressed a key at the other end: the machine was spoken to, and nothing is written down.
    let over = night.until_over(away).await;
    assert_eq!((over.0.as_deref(), over.1.as_deref()), (Some("not_connected"), Some("no_key")));
    assert_eq!(night.said(away).await, Some((OfferState::Asked, true)), "who is silent is still waited for");

    let page = night.app.tonight_page(&night.association).await.unwrap();
    assert_eq!(page.people.len(), 2, "the chain of tonight");
    let checked = page.people.iter().find(|checked| checked.member == *at_home).unwrap();
    let yes: Vec<_> = checked.request.claims().map(|claim| (claim.person.clone(), claim.proof)).collect();
    assert_eq!(yes, [(at_home.clone(), Proof::Key)]);
    // Nobody who is not on tonight is rung, and nobody twice.
    for phone in [PRIMARY, DEPUTY, AT_HOME] {
        assert_eq!(night.network.told(phone, "rings"), 0, "{phone}");
    }
    assert_eq!(night.calls().await.len(), 2);
    assert!(night.app.verify().await.unwrap().problems.is_empty());
}
