//! Two nights and the day between that none of the doctors takes, so that the pillars (受け皿) are asked three days,
//! one day and six hours before each slot, with a crash before any of the statements of those days, or behind any of their commits
//! (reliability S1, S5, S7). The pillar of which the household was not told never hears of it, and the one that may
//! not be rung any more is asked no more.
//!
//! `TOUBAN_TEST_PILLAR_CRASHES` makes it more points.

use std::collections::BTreeMap;
use std::sync::Arc;

use touban::app::{App, Who};
use touban::domain::cover::households::Told;
use touban::domain::cover::pillars::{PillarKind, pillar_of_step};
use touban::ids::{MemberId, RequestId};

use super::crash::{after_the_moment, each_slot_that_begins_is_known, tells};
use super::standby::Standby;
use crate::crash_points::{Crash, Lives, Story, holds, points};
use crate::pages::browser::token_of;
use crate::support::{PIN, TestOffice};

/// Points of a run, spread over the statements and the commits of the days on which pillars are asked.
const POINTS: usize = 18;
const MORE: &str = "TOUBAN_TEST_PILLAR_CRASHES";

/// What a pillar is asked with.
const ASKED: &str = "受け皿としての夜間代行のお願い";
/// What the coordinator is told three times of a slot.
const OPEN: &str = "まだ決まっていない枠";

struct TwoNights {
    standby: Standby,
    lives: Lives,
    crash: Arc<Crash>,
    cover: Option<RequestId>,
}

impl TwoNights {
    async fn address(&self, person: &MemberId) -> String {
        self.standby.district.address(person).await
    }

    async fn heard(&self, person: &MemberId, words: &str) -> usize {
        self.lives.heard(&self.address(person).await, words)
    }

    /// The clock stands there; so many times the company has been asked by then, and the clinic of which the household
    /// was not told never heard anything.
    async fn until(&mut self, moment: &str, asked: usize, crash: &str) {
        self.lives.until(moment).await;
        let found = self.heard(&self.standby.company, ASKED).await;
        assert_eq!(found, asked, "{crash}: the company by {moment}");
        assert_eq!(self.heard(&self.standby.clinic, "").await, 0, "{crash}: its household was not told");
    }

    /// By the newest link that somebody has.
    async fn answers(&mut self, person: &MemberId, slot: &RequestId, accept: bool) {
        let token = token_of(self.lives.newest_link(&self.address(person).await));
        let answers = async |app: &App| {
            app.cover_link_answer(&token, vec![(slot.clone(), accept)], Some(PIN), None, false).await
        };
        self.lives.again(answers).await;
    }

    /// What became of a slot, who has it, and as what.
    async fn stands(&self) -> Vec<String> {
        let case = self.standby.district.case(self.cover.as_ref().unwrap()).await;
        let one = |slot: &touban::app::cover::SlotLine| {
            let claim = slot.request.claims().next();
            let taken_as =
                claim.map(|c| pillar_of_step(&slot.request, c.step).map_or("doctor", PillarKind::code));
            format!("{} {}", slot.request.state.code(), taken_as.unwrap_or("-"))
        };
        case.line.slots.iter().map(one).collect()
    }

    async fn each_slot_that_begins_is_known(&self, crash: &str) {
        let cover = self.cover.as_ref().unwrap();
        each_slot_that_begins_is_known(&self.standby.district, cover, &self.lives, crash).await;
    }
}

impl Story for TwoNights {
    /// What became of the slots, and for each reader and subject how many mails of their own there were.
    type Outcome = (Vec<String>, BTreeMap<(String, String), usize>);

    async fn begins(office: TestOffice, crash: Arc<Crash>) -> Self {
        let standby = Standby::set_up(office).await;
        standby.told("visits", Told::On { day: "2026-11-01".parse().unwrap() }).await;
        let lives = Lives::of(&standby.district.town.office);
        Self { standby, lives, crash, cover: None }
    }

    async fn goes_by(&mut self, crash: &str) {
        let district = &self.standby.district;
        let (home, clinic) = (district.town.office.association.clone(), district.town.office.clinic.clone());
        let (company, ono) = (self.standby.company.clone(), district.people["大野"].clone());
        let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-17T08:00:00+09:00").await;
        self.cover = Some(made.request.clone());
        let slots = self.standby.slots(&made.request).await;
        let [first, second, third] = slots.as_slice() else { panic!("{slots:?}") };
        // The doctors are asked, a few and then all, and say nothing.
        for moment in ["2026-11-20T10:00:00+09:00", "2026-11-21T12:00:00+09:00", "2026-12-12T17:59:59+09:00"]
        {
            self.until(moment, 0, crash).await;
        }
        self.lives.crash(self.crash.clone());
        // Three days before each slot.
        self.until("2026-12-12T18:00:01+09:00", 1, crash).await;
        self.until("2026-12-12T22:00:02+09:00", 1, crash).await;
        self.until("2026-12-13T08:00:01+09:00", 2, crash).await;
        self.until("2026-12-13T18:00:01+09:00", 3, crash).await;
        self.answers(&company, third, true).await;
        // A day before the first and the second, six hours before the first.
        self.until("2026-12-14T18:00:01+09:00", 4, crash).await;
        self.until("2026-12-14T21:00:02+09:00", 4, crash).await;
        self.until("2026-12-15T08:00:01+09:00", 5, crash).await;
        self.until("2026-12-15T12:00:01+09:00", 6, crash).await;
        self.answers(&company, first, true).await;
        // The household thinks better of it: what the company took stands and is known, and no more is asked of it.
        self.until("2026-12-15T14:00:00+09:00", 6, crash).await;
        let refused = Told::Refused { day: "2026-12-15".parse().unwrap() };
        let household = self.standby.household.clone();
        let place = self.standby.place("visits").clone();
        let office = Who::cli(&home);
        let refuses =
            async |app: &App| app.household_told(&office, &clinic, &household, place.as_str(), refused).await;
        self.lives.again(refuses).await;
        self.answers(&company, second, true).await;
        let stand = ["taken visits", "open -", "taken visits"];
        assert_eq!(self.stands().await, stand, "{crash}: what may not be rung takes nothing");
        self.until("2026-12-15T18:00:01+09:00", 6, crash).await;
        self.each_slot_that_begins_is_known(crash).await;
        self.until("2026-12-16T02:00:01+09:00", 6, crash).await;
        self.until("2026-12-16T08:00:01+09:00", 6, crash).await;
        self.each_slot_that_begins_is_known(crash).await;
        // It gives the third back, and a doctor helps after all.
        let gives = Who::member(&home, &company);
        self.until("2026-12-16T09:00:00+09:00", 6, crash).await;
        let back = async |app: &App| app.cover_give_back(&gives, third, &company, None).await.map(drop);
        self.lives.again(back).await;
        self.until("2026-12-16T09:00:01+09:00", 6, crash).await;
        self.until("2026-12-16T12:00:01+09:00", 6, crash).await;
        self.answers(&ono, third, true).await;
        self.until("2026-12-16T18:00:01+09:00", 6, crash).await;
        self.each_slot_that_begins_is_known(crash).await;
        self.until("2026-12-17T08:00:30+09:00", 6, crash).await;
        for (slot, taker) in [(first, &company), (third, &ono)] {
            tells(&self.standby.district, &mut self.lives, slot, taker).await;
        }
        self.until("2026-12-18T07:00:30+09:00", 6, crash).await;
    }

    async fn outcome(&self) -> Self::Outcome {
        let mut names = self.standby.district.names().await;
        names.insert(self.address(&self.standby.company).await, "往診".to_owned());
        names.insert(self.address(&self.standby.clinic).await, "在宅".to_owned());
        (self.stands().await, self.lives.mails(&names, after_the_moment))
    }

    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn came_to((stand, mails): &Self::Outcome) {
        assert_eq!(stand[..], ["reported visits", "expired -", "reported doctor"]);
        let heard = |to: &str, words: &str| -> usize {
            let these = mails.iter().filter(|((reader, subject), _)| reader == to && subject.contains(words));
            these.map(|(_, n)| n).sum()
        };
        assert_eq!((heard("往診", ASKED), heard("在宅", "")), (6, 0), "{mails:?}");
        // The third was taken a day before.
        assert_eq!(heard("調整", OPEN), 3 + 3 + 2, "three times of each slot that is open: {mails:?}");
        for reader in ["佐藤", "調整"] {
            assert_eq!(heard(reader, "つながらない枠"), 1, "{mails:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pillars_are_asked_as_if_nothing_had_happened_wherever_it_crashes_on_sqlite() {
    holds::<TwoNights>(async || TestOffice::sqlite().await, points(MORE, POINTS)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pillars_are_asked_as_if_nothing_had_happened_wherever_it_crashes_on_postgres() {
    if TestOffice::postgres().await.is_none() {
        return;
    }
    holds::<TwoNights>(async || TestOffice::postgres().await.expect("a server"), points(MORE, POINTS) / 3)
        .await;
}
