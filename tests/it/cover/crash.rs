//! A whole weekend of cover with a crash before any of its statements, or behind any of its commits (reliability S1,
//! S5, S7): whoever got no answer asks again after the restart, and every slot is covered, taken back, or known to the
//! coordinator by its time; nothing is mailed under a second Message-ID.
//!
//! `TOUBAN_TEST_COVER_CRASHES` makes it more points.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use touban::app::consult::Asking;
use touban::app::cover::CoverTold;
use touban::app::outbox::{MailToSend, Sent, Task};
use touban::app::replay::Key;
use touban::app::swap::{Named, NewSwap};
use touban::app::{App, AppError, Who};
use touban::domain::cover::{Manner, NewCover};
use touban::domain::rota::{Form, RotaRole};
use touban::ids::{MemberId, RequestId};
use touban::store::Faults;
use touban::store::jobs::Lane;

use super::{District, at};
use crate::pages::browser::token_of;
use crate::support::{PIN, TestOffice};
use crate::swaps::{area, night};

/// Points of a run, spread over the statements and the commits of the weekend.
const POINTS: usize = 24;

fn points() -> usize {
    std::env::var("TOUBAN_TEST_COVER_CRASHES").ok().map_or(POINTS, |n| n.parse().expect("a number"))
}

/// Where it crashes once: before a statement or behind a commit, each counted from 1; 0: nowhere.
#[derive(Debug, Default)]
struct Crash {
    before: usize,
    behind: usize,
    statements: AtomicUsize,
    commits: AtomicUsize,
}

impl Faults for Crash {
    fn crash_before(&self, _: &'static str) -> bool {
        self.statements.fetch_add(1, Ordering::SeqCst) + 1 == self.before
    }

    fn crash_after_commit(&self) -> bool {
        self.commits.fetch_add(1, Ordering::SeqCst) + 1 == self.behind
    }
}

/// The weekend as it went.
struct Weekend {
    district: District,
    app: App,
    /// Which life of the process it is.
    life: usize,
    cover: Option<RequestId>,
    sent: Vec<MailToSend>,
}

impl Weekend {
    async fn new(office: TestOffice, crash: Arc<Crash>) -> Self {
        let district = District::new(office).await;
        let mut app = district.town.office.app.clone();
        app.db = app.db.with_faults(crash);
        Self { district, app, life: 0, cover: None, sent: Vec::new() }
    }

    fn owner(&self) -> String {
        format!("life {}", self.life)
    }

    /// The process is gone and comes up again in the same moment, so that the run without a crash tells which mails
    /// there are; nothing but the database knows what was.
    async fn restarts(&mut self, why: &AppError) {
        assert!(format!("{why:?}").contains("Crashed"), "{why:?}");
        self.life += 1;
        self.app.work_of_earlier_lives(&self.owner()).await.expect("one crash only");
    }

    /// Does it, and once more after a restart where no answer came.
    async fn again<T>(&mut self, deed: impl AsyncFn(&App) -> Result<T, AppError>) -> T {
        let app = self.app.clone();
        match deed(&app).await {
            Ok(done) => done,
            Err(crashed) => {
                self.restarts(&crashed).await;
                deed(&app).await.expect("one crash only")
            }
        }
    }

    /// Works until nothing is due.
    async fn works(&mut self) {
        loop {
            let owner = self.owner();
            let worked = async {
                let Some(job) = self.app.work_take((Lane::Urgent, Lane::Reports), &owner).await? else {
                    return Ok((None, false));
                };
                let Task::Mail(mail) = self.app.work_prepare(&job, &owner).await? else {
                    return Ok((None, true));
                };
                // The mail server has it before we know.
                let known = self.app.work_finish(&job, &owner, Sent::Delivered, None).await;
                Ok((Some((*mail, known)), true))
            };
            match worked.await {
                Ok((None, false)) => return,
                Ok((None, true)) => {}
                Ok((Some((mail, known)), _)) => {
                    self.sent.push(mail);
                    if let Err(crashed) = known {
                        self.restarts(&crashed).await;
                    }
                }
                Err(crashed) => self.restarts(&crashed).await,
            }
        }
    }

    async fn until(&mut self, moment: &str) {
        self.district.town.office.clock.set(at(moment));
        self.works().await;
    }

    async fn slots(&self) -> Vec<RequestId> {
        let case = self.district.case(self.cover.as_ref().unwrap()).await;
        case.line.slots.iter().map(|s| s.slot.request.clone()).collect()
    }

    /// By the newest link that somebody has, of those slots about which they were asked.
    async fn answers(&mut self, name: &str, slots: &[RequestId], accept: bool) {
        let address = self.district.address(&self.district.people[name]).await;
        let letter = self.sent.iter().rev().find(|m| m.to == address && m.text.contains("/k#"));
        let token = token_of(letter.unwrap_or_else(|| panic!("{name} has a mail with a link")));
        let chosen: Vec<(RequestId, bool)> = slots.iter().map(|id| (id.clone(), accept)).collect();
        self.again(async |app| app.cover_link_answer(&token, chosen.clone(), Some(PIN), None, false).await)
            .await;
    }

    /// Every slot that begins now is covered, taken back, or known to the coordinator as open.
    async fn each_slot_that_begins_is_known(&self, crash: &str) {
        let now = self.app.now();
        let office = &self.district.town.office;
        let desk = self.district.to(&office.coordinator, &self.sent).await;
        let told = desk.iter().any(|m| {
            ["まだ決まっていない枠", "引き受けが取り消されました"].iter().any(|w| m.subject.contains(w))
        });
        let alarms = office.app.alarms(&office.association, "", 50).await.unwrap();
        for slot in self.district.case(self.cover.as_ref().unwrap()).await.line.slots {
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
        let made = self.again(ask).await.into_inner();
        self.cover = Some(made.request.clone());
        let id = made.request;
        self.works().await;
        let slots = self.slots().await;
        let [first, day, second, .., last] = slots.as_slice() else { panic!("{slots:?}") };
        self.answers("青木", std::slice::from_ref(first), true).await;
        self.answers("大野", std::slice::from_ref(day), true).await;
        self.answers("上田", std::slice::from_ref(second), false).await;
        for moment in ["2026-11-21T12:00:00+09:00", "2026-11-23T12:00:00+09:00", "2026-12-07T18:01:00+09:00"]
        {
            self.until(moment).await;
        }
        self.until("2026-12-08T18:01:00+09:00").await;
        self.until("2026-12-09T18:01:00+09:00").await;
        // 青木, on duty, falls ill two hours before; his deputy moves up and is asked.
        self.until("2026-12-10T16:00:00+09:00").await;
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
        self.again(falls_ill).await;
        self.works().await;
        self.answers("井上", std::slice::from_ref(first), true).await;
        self.until("2026-12-10T18:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        // 大野 cannot come either, an hour before his day.
        self.until("2026-12-11T07:00:00+09:00").await;
        let gives = Who::member(&office, &ono);
        self.again(async |app| app.cover_give_back(&gives, day, &ono, None).await.map(drop)).await;
        self.until("2026-12-11T08:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        self.until("2026-12-11T18:00:00+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        // The congress ends early: what has not begun is taken back.
        let back = Key::new("back", "cover", b"rest");
        let takes_back =
            async |app: &App| app.cover_take_back(&clinic, &id, "学会が早く終わりました", Some(&back)).await;
        self.again(takes_back).await;
        self.until("2026-12-13T08:00:30+09:00").await;
        self.each_slot_that_begins_is_known(crash).await;
        assert_eq!(self.state_of(last).await, "withdrawn", "{crash}");
        self.tells(first, &person_of(&self.district, "井上")).await;
        self.until("2026-12-14T07:00:30+09:00").await;
        let confirmed = Key::new("confirm", "cover", b"weekend");
        let confirms = async |app: &App| app.cover_confirm(&clinic, &id, "web", Some(&confirmed)).await;
        self.again(confirms).await;
        self.works().await;
    }

    async fn tells(&mut self, slot: &RequestId, taker: &MemberId) {
        let who = Who::member(&self.district.town.office.association, taker);
        let key = Key::new("tell", "cover", slot.as_str().as_bytes());
        let told = CoverTold {
            outcome: "phone_only".to_owned(),
            calls: 1,
            visits: 0,
            minutes: 10,
            text: String::new(),
        };
        let tells =
            async |app: &App| app.cover_report(&who, slot, taker, told.clone(), "web", Some(&key)).await;
        self.again(tells).await;
    }

    async fn state_of(&self, slot: &RequestId) -> String {
        let case = self.district.case(self.cover.as_ref().unwrap()).await;
        let line = case.line.slots.iter().find(|s| s.slot.request == *slot);
        line.map(|s| s.request.state.code().to_owned()).unwrap_or_default()
    }

    /// What became of the slots, and for each reader and subject how many mails of their own there were.
    async fn outcome(&self) -> (Vec<String>, BTreeMap<(String, String), usize>) {
        let states = self.district.states(self.cover.as_ref().unwrap()).await;
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        let office = &self.district.town.office;
        let desk = [("佐藤", &office.asker), ("調整", &office.coordinator), ("事務", &office.clerk)];
        let people = self.district.people.iter().map(|(name, id)| (*name, id));
        for (name, id) in people.chain(desk) {
            named.insert(self.district.address(id).await, name.to_owned());
        }
        let mut mails: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for mail in &self.sent {
            let reader = named.get(&mail.to).cloned().unwrap_or_default();
            // Which of several slots of one moment a mail names is left to their ids.
            let words = mail.subject.split_once('】').map_or(mail.subject.as_str(), |(_, words)| words);
            mails.entry((reader, words.to_owned())).or_default().insert(&mail.message_id);
        }
        (states, mails.into_iter().map(|(to, ids)| (to, ids.len())).collect())
    }
}

fn person_of(district: &District, name: &str) -> MemberId {
    district.people[name].clone()
}

async fn holds(office: impl AsyncFn() -> TestOffice, points: usize) {
    let counted = Arc::new(Crash::default());
    let mut quiet = Weekend::new(office().await, counted.clone()).await;
    quiet.goes_by("no crash").await;
    let (states, mails) = quiet.outcome().await;
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
    let all = (counted.statements.load(Ordering::SeqCst), counted.commits.load(Ordering::SeqCst));
    assert!(all.0 > 500 && all.1 > 50, "{all:?}");
    for n in 0..points {
        // Two of three before a statement; the places differ from run to run of the list, and cover all of it.
        let behind = n % 3 == 2;
        let of = if behind { all.1 } else { all.0 };
        let place = 1 + (n * of + of / 2) / points;
        let crash = if behind {
            Crash { behind: place, ..Crash::default() }
        } else {
            Crash { before: place, ..Crash::default() }
        };
        let named = format!("{crash:?}");
        let mut weekend = Weekend::new(office().await, Arc::new(crash)).await;
        weekend.goes_by(&named).await;
        assert_eq!(weekend.life, 1, "{named}: it crashed once");
        let (found, sent) = weekend.outcome().await;
        assert_eq!(found, states, "{named}");
        assert_eq!(sent, mails, "{named}: the same mails, each under one Message-ID");
        let verified = weekend.district.town.office.app.verify().await.unwrap();
        assert!(verified.problems.is_empty(), "{named}: {:?}", verified.problems);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slot_of_a_weekend_is_kept_or_known_wherever_it_crashes_on_sqlite() {
    holds(async || TestOffice::sqlite().await, points()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slot_of_a_weekend_is_kept_or_known_wherever_it_crashes_on_postgres() {
    if TestOffice::postgres().await.is_none() {
        return;
    }
    holds(async || TestOffice::postgres().await.expect("a server"), points() / 4).await;
}
