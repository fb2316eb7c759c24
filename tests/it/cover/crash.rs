//! A whole weekend of cover with a crash before any of its statements, or behind any of its commits (reliability S1,
//! S5, S7): whoever got no answer asks again after the restart, and every slot is covered, taken back, or known to the
//! coordinator by its time; nothing is mailed under a second Message-ID.
//!
//! `TOUBAN_TEST_COVER_CRASHES` makes it more points.

use std::collections::BTreeMap;
use std::sync::Arc;

use touban::app::consult::Asking;
use touban::app::cover::CoverTold;
use touban::app::replay::Key;
use touban::app::swap::{Named, NewSwap};
use touban::app::{App, Who};
use touban::domain::cover::{Manner, NewCover};
use touban::domain::rota::{Form, RotaRole};
use touban::ids::{MemberId, RequestId};

use super::{District, at};
use crate::crash_points::{Crash, Lives, Story, holds, points};
use crate::pages::browser::token_of;
use crate::support::{PIN, TestOffice};
use crate::swaps::{area, night};

/// Points of a run, spread over the statements and the commits of the weekend.
const POINTS: usize = 24;
const MORE: &str = "TOUBAN_TEST_COVER_CRASHES";

/// A subject without the slot that it names: which of several of one moment that is, is left to their ids.
pub(super) fn after_the_moment(subject: &str) -> &str {
    subject.split_once('】').map_or(subject, |(_, words)| words)
}

/// Every slot that begins now is covered, taken back, or known to the coordinator as open.
pub(super) async fn each_slot_that_begins_is_known(
    district: &District,
    cover: &RequestId,
    lives: &Lives,
    crash: &str,
) {
    let now = lives.app.now();
    let office = &district.town.office;
    let desk = district.to(&office.coordinator, &lives.sent).await;
    let told = desk.iter().any(|m| {
        ["まだ決まっていない枠", "引き受けが取り消されました"].iter().any(|w| m.subject.contains(w))
    });
    let alarms = office.app.alarms(&office.association, "", 50).await.unwrap();
    for slot in district.case(cover).await.line.slots {
        if slot.slot.window.from > now {
            continue;
        }
        let state = slot.request.state.code();
        let kept = matches!(state, "taken" | "reported" | "closed" | "withdrawn");
        let subject = format!("request:{}", slot.slot.request);
        let alarmed = alarms.iter().any(|a| a.subject == subject);
        assert!(kept || told || alarmed, "{crash}: {state} at {:?} and nobody knows", slot.slot.window);
    }
}

/// Whoever covered a slot reports.
pub(super) async fn tells(district: &District, lives: &mut Lives, slot: &RequestId, taker: &MemberId) {
    let who = Who::member(&district.town.office.association, taker);
    let key = Key::new("tell", "cover", slot.as_str().as_bytes());
    let told =
        CoverTold { outcome: "phone_only".to_owned(), calls: 1, visits: 0, minutes: 10, text: String::new() };
    let tells = async |app: &App| app.cover_report(&who, slot, taker, told.clone(), "web", Some(&key)).await;
    lives.again(tells).await;
}

/// The weekend as it went.
struct Weekend {
    district: District,
    lives: Lives,
    cover: Option<RequestId>,
}

impl Weekend {
    async fn slots(&self) -> Vec<RequestId> {
        let case = self.district.case(self.cover.as_ref().unwrap()).await;
        case.line.slots.iter().map(|s| s.slot.request.clone()).collect()
    }

    /// By the newest link that somebody has, of those slots about which they were asked.
    async fn answers(&mut self, name: &str, slots: &[RequestId], accept: bool) {
        let address = self.district.address(&self.district.people[name]).await;
        let token = token_of(self.lives.newest_link(&address));
        let chosen: Vec<(RequestId, bool)> = slots.iter().map(|id| (id.clone(), accept)).collect();
        let answers =
            async |app: &App| app.cover_link_answer(&token, chosen.clone(), Some(PIN), None, false).await;
        self.lives.again(answers).await;
    }

    async fn each_slot_that_begins_is_known(&self, crash: &str) {
        let cover = self.cover.as_ref().unwrap();
        each_slot_that_begins_is_known(&self.district, cover, &self.lives, crash).await;
    }

    async fn tells(&mut self, slot: &RequestId, taker: &MemberId) {
        tells(&self.district, &mut self.lives, slot, taker).await;
    }

    async fn state_of(&self, slot: &RequestId) -> String {
        let case = self.district.case(self.cover.as_ref().unwrap()).await;
        let line = case.line.slots.iter().find(|s| s.slot.request == *slot);
        line.map(|s| s.request.state.code().to_owned()).unwrap_or_default()
    }
}

impl Story for Weekend {
    /// What became of the slots, and for each reader and subject how many mails of their own there were.
    type Outcome = (Vec<String>, BTreeMap<(String, String), usize>);

    async fn begins(office: TestOffice, crash: Arc<Crash>) -> Self {
        let district = District::new(office).await;
        let mut lives = Lives::of(&district.town.office);
        lives.crash(crash);
        Self { district, lives, cover: None }
    }

    /// From asking on Tuesday to the confirmation on Monday.
    async fn goes_by(&mut self, crash: &str) {
        let office = self.district.town.office.association.clone();
        let asker = self.district.town.office.asker.clone();
        let clinic = Who::member(&office, &asker);
        let person = |name: &str| self.district.people[name].clone();
        let (aoki, ono) = (person("青木"), person("大野"));
        let key = Key::new("ask", "cover", b"weekend");
        let ask = async |app: &App| {
            let asking = Asking { asker: asker.clone(), in_person: true, channel: "web" };
            let new = NewCover {
                window: (at("2026-12-10T18:00:00+09:00"), at("2026-12-13T08:00:00+09:00")),
                patients: None,
                manner: Manner::Visit,
                note: String::new(),
            };
            app.cover_ask(&clinic, asking, new, Some(&key)).await
        };
        let made = self.lives.again(ask).await.into_inner();
        self.cover = Some(made.request.clone());
        let id = made.request;
        self.lives.works().await;
        let slots = self.slots().await;
        let [first, day, second, .., last] = slots.as_slice() else { panic!("{slots:?}") };
        self.answers("青木", std::slice::from_ref(first), true).await;
        self.answers("大野", std::slice::from_ref(day), true).await;
        self.answers("上田", std::slice::from_ref(second), false).await;
        for moment in ["2026-11-21T12:00:00+09:00", "2026-11-23T12:00:00+09:00", "2026-12-07T18:01:00+09:00"]
        {
            self.lives.until(moment).await;
        }
        self.lives.until("2026-12-08T18:01:00+09:00").await;
        self.lives.until("2026-12-09T18:01:00+09:00").await;
        // 青木, on duty, falls ill two hours before; his deputy moves up and is asked.
        self.lives.until("2026-12-10T16:00:00+09:00").await;
        let ill = Key::new("ill", "swap", b"aoki");
        let falls_ill = async |app: &App| {
            let new = NewSwap {
                form: Form::Ill,
                gives: Named { area: area(), role: RotaRole::Primary, window: night(10) },
                takes: None,
                other: None,
                note: String::new(),
            };
            let asking = Asking { asker: aoki.clone(), in_person: true, channel: "web" };
            app.swap_ask(&Who::member(&office, &aoki), asking, new, Some(&ill)).await.map(drop)
        };
        self.lives.again(falls_ill).await;
        self.lives.works().await;
        self.answers("井上", std::slice::from_ref(first), true).await;
        self.lives.until("2026-12-10T18:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        // 大野 cannot come either, an hour before his day.
        self.lives.until("2026-12-11T07:00:00+09:00").await;
        let gives = Who::member(&office, &ono);
        self.lives.again(async |app| app.cover_give_back(&gives, day, &ono, None).await.map(drop)).await;
        self.lives.until("2026-12-11T08:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        self.lives.until("2026-12-11T18:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        // The congress ends early: what has not begun is taken back.
        let back = Key::new("back", "cover", b"rest");
        let takes_back =
            async |app: &App| app.cover_take_back(&clinic, &id, "学会が早く終わりました", Some(&back)).await;
        self.lives.again(takes_back).await;
        self.lives.until("2026-12-13T08:00:30+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        assert_eq!(self.state_of(last).await, "withdrawn", "{crash}");
        self.tells(first, &person_of(&self.district, "井上")).await;
        self.lives.until("2026-12-14T07:00:30+09:00").await;
        let confirmed = Key::new("confirm", "cover", b"weekend");
        let confirms = async |app: &App| app.cover_confirm(&clinic, &id, "web", Some(&confirmed)).await;
        self.lives.again(confirms).await;
        self.lives.works().await;
    }

    async fn outcome(&self) -> Self::Outcome {
        let states = self.district.states(self.cover.as_ref().unwrap()).await;
        (states, self.lives.mails(&self.district.names().await, after_the_moment))
    }

    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn came_to((states, mails): &Self::Outcome) {
        assert_eq!(states.first().map(String::as_str), Some("closed"), "{states:?}");
        assert!(mails.len() > 9, "{mails:?}");
        // The asker hears of what nobody took, of what was given back, and once of what happened.
        let to_asker = |words: &str| {
            mails
                .iter()
                .filter(|((to, subject), _)| to == "佐藤" && subject.contains(words))
                .map(|(_, n)| n)
                .sum()
        };
        let heard: [usize; 3] =
            ["引き受け手が決まりませんでした", "引き受けが取り消されました", "代行の報告です"].map(to_asker);
        assert!(heard[0] > 0 && heard[1] > 0 && heard[2] == 1, "{heard:?} of {mails:?}");
    }
}

fn person_of(district: &District, name: &str) -> MemberId {
    district.people[name].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slot_of_a_weekend_is_kept_or_known_wherever_it_crashes_on_sqlite() {
    holds::<Weekend>(async || TestOffice::sqlite().await, points(MORE, POINTS)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slot_of_a_weekend_is_kept_or_known_wherever_it_crashes_on_postgres() {
    if TestOffice::postgres().await.is_none() {
        return;
    }
    holds::<Weekend>(async || TestOffice::postgres().await.expect("a server"), points(MORE, POINTS) / 4)
        .await;
}
