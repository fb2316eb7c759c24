//! The night number through the simulator: a nurse calls, phones ring, a physician presses 1 and they talk; and
//! what goes wrong at night.

use std::sync::Arc;
use std::time::Duration;

use touban::app::call::settings::{CallSettings, InstitutionCalls, Pillar};
use touban::app::call::{CallLine, CallTold};
use touban::app::outbox::Task;
use touban::app::people::NewMember;
use touban::app::people::phone_change::{Line, NewNumberRung, PhoneDeed, PhoneSettled};
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::app::{AppError, Who};
use touban::domain::call::number::{Reading, read};
use touban::domain::call::{Answer, Cause, LegId};
use touban::domain::cover::households::{Contract, Told};
use touban::domain::ledger::{AttemptResult, ReasonCode, Side};
use touban::domain::people::Role;
use touban::domain::people::reach::PhoneHealth;
use touban::domain::rota::RotaRole;
use touban::durable::bridge::Calls;
use touban::ids::{CallId, InstitutionId, MemberId};
use touban::ports::phone::{CallIn, Phone, PhoneState, Simulator};
use touban::seal::Pin;
use touban::store::jobs::Lane;
use touban::time::{Millis, Window};

use crate::support::{PIN, TestOffice, add_institution, new_member, on_both, telephone as number};

pub const NIGHT: &str = "042-000-0099";
pub const NURSE: &str = "042-000-5000";
pub const OWN: &str = "090-0000-0001";
pub const PILLAR: &str = "090-0000-0002";
pub const COORDINATOR: &str = "090-0000-0003";
const ASKER: &str = "090-0000-0004";
pub const DEPUTY: &str = "090-0000-0005";
/// Longer than any step of a test takes; a call that is stuck fails here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A night with phones that the test plays.
pub struct Night {
    pub office: TestOffice,
    pub phones: Simulator,
    pub calls: Option<Calls>,
    pub own: MemberId,
    /// The institution that stands by, told of.
    pub standby: InstitutionId,
}

#[expect(clippy::disallowed_methods, reason = "a state of another task is waited for")]
pub async fn moment() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

impl Night {
    /// The clinic's own physician first, then a pillar, then the coordinator.
    pub async fn begins(office: TestOffice) -> Self {
        let who = office.cli();
        let member = async |name: &str, role, phone: &str| {
            let new =
                NewMember { phone: Some(phone.to_owned()), ..new_member(name, &office.clinic, role, vec![]) };
            let pin = Pin::parse(PIN).unwrap();
            office.app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner()
        };
        let own = member("自院 一", Role::Physician, OWN).await;
        let standby = add_institution(&office.app, &office.association, "支柱在宅クリニック").await;
        let pillar = NewMember {
            phone: Some(PILLAR.to_owned()),
            ..new_member("支柱 二", &standby, Role::Specialist, vec![])
        };
        let pin = Pin::parse(PIN).unwrap();
        office.app.member_add(&who, pillar, Some(&pin), None).await.unwrap();
        member("調整 三", Role::Coordinator, COORDINATOR).await;
        let mut settings = CallSettings { numbers: vec![number(NIGHT)], ..CallSettings::default() };
        let clinic = InstitutionCalls { code: "12".into(), own_line: true, ..InstitutionCalls::default() };
        settings.institutions.insert(office.clinic.clone(), clinic);
        let station = add_institution(&office.app, &office.association, "青葉訪問看護").await;
        let lines = InstitutionCalls { lines: vec![number(NURSE)], ..InstitutionCalls::default() };
        settings.institutions.insert(station, lines);
        let contract = Contract { from: Some("2026-04-01".parse().unwrap()), until: None };
        settings.pillars.insert(standby.clone(), Pillar { on: true, contract, ..Pillar::default() });
        office.app.call_settings_put(&who, 0, settings).await.unwrap();
        // Every household of the clinic was told of the pillar.
        let told = Told::On { day: "2026-11-01".parse().unwrap() };
        let household = office.app.household_add(&who, &office.clinic, "A.K.").await.unwrap();
        office.app.household_told(&who, &office.clinic, &household, standby.as_str(), told).await.unwrap();
        office.app.household_whole(&who, &office.clinic, true).await.unwrap();
        let phones = Simulator::new();
        let calls = Some(Calls::start(office.app.clone(), Arc::new(phones.clone())));
        let night = Self { office, phones, calls, own, standby };
        night.until("the bridge is heard", async || night.phones.revision() > 0).await;
        night
    }

    pub async fn until(&self, what: &str, mut so: impl AsyncFnMut() -> bool) {
        let end = std::time::Instant::now() + PATIENCE;
        while !so().await {
            assert!(std::time::Instant::now() < end, "{what}: {:?}", self.phones.phones());
            moment().await;
        }
    }

    /// The newest line of this phone that has not ended.
    pub fn live(&self, phone: &str) -> Option<Phone> {
        let same = |p: &Phone| read(&p.number) == Reading::Number(number(phone));
        let live = |p: &Phone| !matches!(p.state, PhoneState::Over { .. });
        self.phones.phones().into_iter().rev().find(|p| same(p) && live(p))
    }

    pub async fn rings(&self, phone: &str) -> LegId {
        let rings = |p: Phone| (p.state == PhoneState::Ringing).then_some(p.leg);
        self.until(&format!("{phone} rings"), async || self.live(phone).and_then(rings).is_some()).await;
        self.live(phone).unwrap().leg
    }

    pub async fn hears(&self, leg: &LegId, prompt: &str) {
        let heard = || {
            let phone = self.phones.phones().into_iter().find(|p| p.leg == *leg);
            phone.is_some_and(|p| p.heard.last().is_some_and(|h| h.prompt == prompt))
        };
        self.until(prompt, async || heard()).await;
    }

    pub async fn stage(&self, stage: &str) -> CallLine {
        self.until(stage, async || self.all().await.iter().any(|l| l.row.stage == stage)).await;
        self.all().await.into_iter().find(|l| l.row.stage == stage).unwrap()
    }

    pub async fn all(&self) -> Vec<CallLine> {
        self.office.app.calls_page(&self.office.association, "", 100).await.unwrap()
    }

    /// The nurse dials, names the clinic and says what it is about.
    pub async fn nurse_calls(&self) -> LegId {
        let call = CallIn { from: NURSE.into(), to: NIGHT.into() };
        let leg = self.phones.call_in(&call).unwrap();
        self.hears(&leg, "ask_clinic").await;
        self.phones.press(&leg, "12#").unwrap();
        self.hears(&leg, "ask_message").await;
        // The invitation is over.
        self.office.clock.set(self.office.app.now().plus_s(12));
        self.until("the message is recorded", async || self.phones.speak(&leg, Some(wav())).is_ok()).await;
        leg
    }

    /// Picks up, presses 1 and the PIN.
    pub async fn takes(&self, phone: &str) -> LegId {
        let leg = self.rings(phone).await;
        self.phones.pick_up(&leg).unwrap();
        self.hears(&leg, "screen").await;
        self.phones.press(&leg, "1").unwrap();
        self.hears(&leg, "ask_pin").await;
        self.phones.press(&leg, PIN).unwrap();
        leg
    }

    pub async fn talk(&self, one: &LegId, other: &LegId) {
        let talks = || {
            let phones = self.phones.phones();
            phones.iter().any(|p| p.leg == *one && p.talks_with.contains(other))
        };
        self.until("they talk", async || talks()).await;
    }

    /// The words about calls that mails went out with.
    pub async fn mails(&self) -> Vec<String> {
        let app = &self.office.app;
        let mut said = Vec::new();
        while let Some(job) = app.work_take((Lane::Urgent, Lane::Reports), "test").await.unwrap() {
            if let Task::Mail(mail) = app.work_prepare(&job, "test").await.unwrap() {
                said.push(format!("{}\n{}", mail.subject, mail.text));
                let sent = touban::app::outbox::Sent::Delivered;
                app.work_finish(&job, "test", sent, None).await.unwrap();
            }
        }
        said
    }

    /// The process dies; another one begins. The phones know nothing of it.
    async fn restarts(&mut self) {
        if let Some(calls) = self.calls.take() {
            calls.stop().await;
        }
        self.calls = Some(Calls::start(self.office.app.clone(), Arc::new(self.phones.clone())));
    }

    pub async fn ends(mut self) {
        if let Some(calls) = self.calls.take() {
            calls.stop().await;
        }
    }
}

/// A second of telephone silence.
fn wav() -> Vec<u8> {
    let mut wav = b"RIFF....WAVEfmt ................data....".to_vec();
    wav.resize(16_044, 0);
    wav
}

async fn a_nurse_talks_with_the_physician_who_pressed_1_and_gets_a_report(office: TestOffice) {
    let night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(OWN).await;
    night.talk(&nurse, &doctor).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&night.own));
    assert_eq!(line.caller, "青葉訪問看護");
    let who = Who::member(&night.office.association, &night.own);
    assert_eq!(night.office.app.call_sound(&who, &line.row.id).await.unwrap(), Some(wav()));
    night.phones.hang_up(&doctor).unwrap();
    let line = night.stage("report_due").await;
    let told = CallTold {
        outcome: "transported".into(),
        place: "青葉病院".into(),
        text: "搬送".into(),
        minutes: None,
    };
    night.office.app.call_report(&who, &line.row.id, &night.own, told, None).await.unwrap();
    let line = night.stage("over").await;
    assert_eq!(line.row.outcome.as_deref(), Some("helped"));
    let page = night.office.app.call_page(&who, &line.row.id).await.unwrap();
    assert_eq!(page.reports.first().and_then(|r| r.place.as_deref()), Some("青葉病院"));
    let mails = night.mails().await;
    for word in ["引き受けていただきました", "患者さんについて", "搬送されました"]
    {
        assert!(mails.iter().any(|m| m.contains(word)), "{word}: {mails:?}");
    }
    for secret in ["青葉病院", "搬送先は青葉", NURSE, "0420005000", PIN, "自院", "青葉訪問看護"]
    {
        assert!(mails.iter().all(|m| !m.contains(secret)), "{secret}");
    }
    night.ends().await;
}

async fn who_declines_or_has_a_machine_is_followed_by_the_next(office: TestOffice) {
    let night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let own = night.rings(OWN).await;
    night.phones.hang_up(&own).unwrap();
    let pillar = night.rings(PILLAR).await;
    night.phones.let_go_to_voicemail(&pillar).unwrap();
    night.hears(&pillar, "screen").await;
    // The window of the key passes: a machine cannot press it, and the nurse never hears it.
    night.office.clock.set(night.office.app.now().plus_s(13));
    let coordinator = night.takes(COORDINATOR).await;
    night.talk(&nurse, &coordinator).await;
    let line = night.stage("talking").await;
    let causes: Vec<&str> = line.legs.iter().filter_map(|l| l.leg.cause.as_deref()).collect();
    assert!(causes.contains(&"rejected") && causes.contains(&"no_key"), "{causes:?}");
    night.ends().await;
}

async fn a_wrong_pin_is_asked_again_and_a_9_hands_over(office: TestOffice) {
    let night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let own = night.rings(OWN).await;
    night.phones.pick_up(&own).unwrap();
    night.hears(&own, "screen").await;
    night.phones.press(&own, "7").unwrap();
    night.phones.press(&own, "1").unwrap();
    night.hears(&own, "ask_pin").await;
    night.phones.press(&own, "0000").unwrap();
    night.hears(&own, "pin_again").await;
    night.phones.press(&own, PIN).unwrap();
    night.talk(&nurse, &own).await;
    night.stage("talking").await;
    night.office.clock.set(night.office.app.now().plus_s(5));
    night.phones.press(&own, "9").unwrap();
    let pillar = night.takes(PILLAR).await;
    night.talk(&nurse, &pillar).await;
    let line = night.stage("talking").await;
    assert!(line.legs.iter().any(|l| l.leg.cause.as_deref() == Some("handed_over")));
    night.ends().await;
}

async fn a_nurse_who_hung_up_is_called_back_and_hears_a_person(office: TestOffice) {
    let night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    night.rings(OWN).await;
    night.phones.hang_up(&nurse).unwrap();
    let doctor = night.takes(OWN).await;
    let back = night.rings(NURSE).await;
    night.phones.pick_up(&back).unwrap();
    night.hears(&back, "confirm").await;
    night.phones.press(&back, "1").unwrap();
    night.talk(&back, &doctor).await;
    night.stage("talking").await;
    night.ends().await;
}

async fn nobody_left_alarms_until_somebody_looks_and_stays_open(office: TestOffice) {
    let night = Night::begins(office).await;
    night.nurse_calls().await;
    for phone in [OWN, PILLAR, COORDINATOR] {
        let leg = night.rings(phone).await;
        night.phones.hang_up(&leg).unwrap();
    }
    let line = night.stage("last_resort").await;
    // Each time that it is said the office's phones ring too; whoever does not come to one may come to the other.
    let rung_in_vain = async || {
        let leg = night.rings(COORDINATOR).await;
        night.phones.hang_up(&leg).unwrap();
        let over = |l: &CallLine| l.legs.iter().all(|l| l.leg.member.is_none() || l.leg.ended.is_some());
        night.until("it is over", async || night.all().await.iter().all(over)).await;
        night.office.clock.set(night.office.app.now().plus_s(6));
        night.stage("last_resort").await;
    };
    night.office.clock.set(night.office.app.now().plus_s(61));
    let alarms = async || {
        let mails = night.mails().await;
        mails.iter().any(|m| m.contains("出られる先生がいません"))
    };
    night.until("alarmed", async || alarms().await).await;
    rung_in_vain().await;
    night.office.clock.set(night.office.app.now().plus_s(61));
    night.until("alarmed again", async || alarms().await).await;
    rung_in_vain().await;
    let who = Who::member(&night.office.association, &night.office.coordinator);
    let app = &night.office.app;
    app.call_acknowledge(&who, &line.row.id).await.unwrap();
    assert_eq!(night.stage("last_resort").await.row.ended, None);
    app.call_close(&who, &line.row.id).await.unwrap();
    night.stage("over").await;
    night.until("every phone is hung up", async || night.live(NURSE).is_none()).await;
    night.ends().await;
}

async fn whoever_the_office_names_is_rung_now_and_may_take_it(office: TestOffice) {
    let night = Night::begins(office).await;
    let app = &night.office.app;
    let elsewhere = crate::support::add_institution(app, &night.office.association, "別の医院").await;
    let new = NewMember {
        phone: Some(DEPUTY.to_owned()),
        ..new_member("応援 五", &elsewhere, Role::Physician, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    let helper = app.member_add(&night.office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let nurse = night.nurse_calls().await;
    night.rings(OWN).await;
    let id = night.stage("ringing").await.row.id;
    let who = Who::member(&night.office.association, &night.office.coordinator);
    let ringable = app.call_ringable(&night.office.association).await.unwrap();
    assert!(ringable.iter().any(|(id, _)| *id == helper));
    assert_eq!(app.call_ring(&who, &id, &helper, None).await.unwrap(), Answer::Done);
    night.rings(DEPUTY).await;
    assert!(night.live(OWN).is_some(), "nobody is hung up for it");
    let doctor = night.takes(DEPUTY).await;
    night.talk(&nurse, &doctor).await;
    night.until("the other phone is silent", async || night.live(OWN).is_none()).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&helper));
    assert_eq!(app.call_ring(&who, &id, &night.own, None).await.unwrap(), Answer::NotNow, "it is taken");
    night.ends().await;
}

async fn a_restart_rings_nobody_twice_and_goes_on_where_it_was(office: TestOffice) {
    let mut night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let doctor = night.rings(OWN).await;
    night.restarts().await;
    night.phones.pick_up(&doctor).unwrap();
    night.hears(&doctor, "screen").await;
    night.restarts().await;
    // Keys pressed meanwhile would be lost: the question comes again.
    night
        .until("asked again", async || {
            let phone = night.live(OWN).unwrap();
            phone.heard.iter().filter(|h| h.prompt == "screen").count() > 1
        })
        .await;
    night.phones.press(&doctor, "1").unwrap();
    night.hears(&doctor, "ask_pin").await;
    night.phones.press(&doctor, PIN).unwrap();
    night.talk(&nurse, &doctor).await;
    night.stage("talking").await;
    night.restarts().await;
    night.talk(&nurse, &doctor).await;
    let rung = night.phones.phones().iter().filter(|p| read(&p.number) == read(OWN)).count();
    assert_eq!(rung, 1, "one attempt, one ring");
    night.ends().await;
}

async fn a_clock_that_is_set_cuts_no_ring_short_and_leaves_nobody_ringing(office: TestOffice) {
    let mut night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    // While nobody looks, so that the wait and the step cannot meet.
    let set = async |night: &mut Night, by_s: i64| {
        if let Some(calls) = night.calls.take() {
            calls.stop().await;
        }
        night.office.clock.advance_s(by_s);
        let app = &night.office.app;
        assert_eq!(app.calls_clock_set(by_s * 1_000, 0).await.unwrap(), 1);
        night.restarts().await;
    };
    for (by_s, phone, next) in [(10_800, OWN, PILLAR), (-10_800, PILLAR, COORDINATOR)] {
        let leg = night.rings(phone).await;
        night
            .until("it is written down", async || {
                let last = night.all().await.pop();
                last.is_some_and(|line| {
                    line.legs.iter().any(|l| l.leg.state == "ringing" && l.leg.ended.is_none())
                })
            })
            .await;
        set(&mut night, by_s).await;
        // Half of the time for which a phone rings is not over, whatever the clock shows.
        night.office.clock.advance_s(12);
        for _ in 0..30 {
            moment().await;
            assert!(night.live(phone).is_some_and(|p| p.leg == leg), "{by_s}: {:?}", night.phones.phones());
        }
        assert!(night.live(next).is_none());
        // The rest of it.
        night.office.clock.advance_s(14);
        night.rings(next).await;
        night.until("it rings no more", async || night.live(phone).is_none()).await;
    }
    let doctor = night.takes(COORDINATOR).await;
    night.talk(&nurse, &doctor).await;
    night.ends().await;
}

async fn a_call_from_the_web_rings_both_and_joins_them(office: TestOffice) {
    let night = Night::begins(office).await;
    let elsewhere =
        crate::support::add_institution(&night.office.app, &night.office.association, "別の医院").await;
    let new = NewMember {
        phone: Some(ASKER.to_owned()),
        ..new_member("頼む 四", &elsewhere, Role::Physician, vec![])
    };
    let app = &night.office.app;
    let asker = app.member_add(&night.office.cli(), new, None, None).await.unwrap().into_inner();
    let who = Who::member(&night.office.association, &asker);
    let clinic = Some(night.office.clinic.clone());
    let (id, _): (CallId, String) = app.call_start(&who, &asker, clinic, None).await.unwrap();
    let doctor = night.takes(OWN).await;
    let mine = night.rings(ASKER).await;
    night.phones.pick_up(&mine).unwrap();
    night.hears(&mine, "confirm").await;
    night.phones.press(&mine, "1").unwrap();
    night.talk(&mine, &doctor).await;
    assert_eq!(night.stage("talking").await.row.id, id);
    night.ends().await;
}

async fn a_test_call_counts_when_the_key_was_pressed(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, home) = (&night.office.app, &night.office.association);
    let health = async || app.reach(home, &night.own).await.unwrap().1.readiness.phone;
    assert_eq!(health().await, PhoneHealth::Unknown);
    // A machine picks it up; then somebody who presses 3.
    let ring = async || app.call_test(&night.office.cli(), &night.own, None).await.unwrap();
    let call = ring().await;
    let leg = night.rings(OWN).await;
    assert!(matches!(health().await, PhoneHealth::Waiting { .. }));
    assert_eq!(ring().await, call, "it rings already");
    night.phones.let_go_to_voicemail(&leg).unwrap();
    night.hears(&leg, "test").await;
    night.office.clock.set(app.now().plus_s(13));
    night
        .until("the machine is passed over", async || {
            health().await == PhoneHealth::Failing(Some(Cause::NoKey))
        })
        .await;
    ring().await;
    let leg = night.rings(OWN).await;
    night.phones.pick_up(&leg).unwrap();
    night.hears(&leg, "test").await;
    night.phones.press(&leg, "3").unwrap();
    night.phones.hang_up(&leg).unwrap();
    night.until("declined", async || health().await == PhoneHealth::Failing(Some(Cause::Declined))).await;
    // Answered with the key: it counts, and nobody else was rung or told.
    ring().await;
    let leg = night.rings(OWN).await;
    night.phones.pick_up(&leg).unwrap();
    night.hears(&leg, "test").await;
    night.phones.press(&leg, "1").unwrap();
    night.hears(&leg, "tested").await;
    night.until("it is confirmed", async || health().await.is_confirmed()).await;
    let lines = night.all().await;
    let mut outcomes: Vec<_> = lines.iter().map(|l| l.row.outcome.as_deref().unwrap_or("open")).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["confirmed", "not_connected", "not_connected"]);
    assert!(lines.iter().all(|l| l.legs.len() == 1), "{lines:?}");
    assert_eq!(night.mails().await, Vec::<String>::new());
    let (member, _, tests) = app.reach(home, &night.own).await.unwrap();
    assert_eq!(tests.iter().filter(|t| t.way == "phone").count(), 3, "{tests:?}");
    assert!(member.phone.is_some() && app.verify().await.unwrap().problems.is_empty());
    night.ends().await;
}

async fn a_new_number_counts_when_it_was_rung_and_answered(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, home) = (&night.office.app, &night.office.association);
    let who = night.office.cli();
    let change = async |phone: &str| {
        let member = app.member(home, &night.own).await.unwrap();
        let new = NewMember {
            phone: Some(phone.into()),
            email: member.email.clone(),
            ..new_member("自院 一", &night.office.clinic, Role::Physician, vec![])
        };
        app.member_change(&who, &night.own, member.revision, new, None).await.unwrap();
    };
    let number = async || {
        let member = app.member(home, &night.own).await.unwrap();
        let at = ("member", "phone", night.own.as_str());
        app.number_shown(home, at, member.phone.as_deref()).await.unwrap().unwrap_or_default()
    };
    let settle = async |deed| app.phone_settle(&who, &night.own, deed, None).await.unwrap();
    change(DEPUTY).await;
    assert_eq!(settle(PhoneDeed::Anyway).await, PhoneSettled::NothingWaits, "nobody has called back");
    assert_eq!(settle(PhoneDeed::CalledBack(Line::Old)).await, PhoneSettled::Rings);
    // Nobody picks up the new phone: the old number stays in force, and an urgent call rings it.
    let leg = night.rings(DEPUTY).await;
    let ring = async || app.phone_waiting(home, &night.own).await.unwrap().map(|w| w.ring);
    assert_eq!(ring().await, Some(Some(NewNumberRung::Rings)));
    night.phones.hang_up(&leg).unwrap();
    night.until("nobody answered", async || ring().await == Some(Some(NewNumberRung::NotAnswered))).await;
    assert_eq!(number().await, OWN);
    // Rung once more and answered, it counts and is known to be answered.
    assert_eq!(settle(PhoneDeed::CalledBack(Line::Old)).await, PhoneSettled::Rings);
    let leg = night.rings(DEPUTY).await;
    night.phones.pick_up(&leg).unwrap();
    night.hears(&leg, "test").await;
    night.phones.press(&leg, "1").unwrap();
    night.until("it counts", async || ring().await.is_none()).await;
    assert_eq!(number().await, DEPUTY);
    assert!(app.reach(home, &night.own).await.unwrap().1.readiness.phone.is_confirmed());
    assert!(night.mails().await.iter().any(|m| m.contains("お電話番号を切りかえました")));
    // A phone that cannot be rung today: the office may say that it counts all the same.
    change(ASKER).await;
    assert_eq!(settle(PhoneDeed::CalledBack(Line::Old)).await, PhoneSettled::Rings);
    let leg = night.rings(ASKER).await;
    night.phones.hang_up(&leg).unwrap();
    night.until("nobody answered", async || ring().await == Some(Some(NewNumberRung::NotAnswered))).await;
    assert_eq!(settle(PhoneDeed::Anyway).await, PhoneSettled::Changed);
    assert_eq!(number().await, ASKER);
    assert_eq!(app.reach(home, &night.own).await.unwrap().1.readiness.phone, PhoneHealth::Unknown);
    assert!(app.verify().await.unwrap().problems.is_empty());
    night.ends().await;
}

async fn two_nurses_at_once_are_two_calls(office: TestOffice) {
    let night = Night::begins(office).await;
    let first = night.nurse_calls().await;
    let own = night.takes(OWN).await;
    night.talk(&first, &own).await;
    // From a line that nobody knows, without a code: a person of the association finds out.
    let call = CallIn { from: "anonymous".into(), to: NIGHT.into() };
    let second = night.phones.call_in(&call).unwrap();
    night.hears(&second, "ask_station").await;
    assert_eq!(night.all().await.len(), 2);
    night.phones.hang_up(&second).unwrap();
    night.stage("vanished").await;
    night.talk(&first, &own).await;
    night.ends().await;
}

async fn what_was_said_goes_with_its_time_and_not_while_a_call_of_its_month_is_open(office: TestOffice) {
    let mut night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(OWN).await;
    night.talk(&nurse, &doctor).await;
    let first = night.stage("talking").await.row.id;
    night.phones.hang_up(&doctor).unwrap();
    night.stage("report_due").await;
    let own = Who::member(&night.office.association, &night.own);
    let told = CallTold {
        outcome: "visited".into(),
        place: String::new(),
        text: "canary-report".into(),
        minutes: None,
    };
    night.office.app.call_report(&own, &first, &night.own, told, None).await.unwrap();
    night.stage("over").await;
    // She may be hearing the farewell, and her line is one.
    let _ = night.phones.hang_up(&nurse);
    night.until("her line is free", async || night.live(NURSE).is_none()).await;
    night.nurse_calls().await;
    for phone in [OWN, PILLAR, COORDINATOR] {
        let leg = night.rings(phone).await;
        night.phones.hang_up(&leg).unwrap();
    }
    let open = night.stage("last_resort").await.row.id;
    if let Some(calls) = night.calls.take() {
        calls.stop().await;
    }
    let (app, clock) = (&night.office.app, &night.office.clock);

    // Six years later nobody has closed the second call: what was said in its month stays.
    clock.set(app.now().plus_s(6 * 366 * 86_400));
    assert_eq!(app.retention_due().await.unwrap(), 0);
    assert_eq!(app.call_sound(&own, &first).await.unwrap(), Some(wav()));
    let page = app.call_page(&own, &first).await.unwrap();
    assert_eq!(page.reports.first().and_then(|r| r.text.as_deref()), Some("canary-report"));
    assert!(page.number.is_some() && page.has_message);

    let coordinator = Who::member(&night.office.association, &night.office.coordinator);
    app.call_close(&coordinator, &open).await.unwrap();
    // Five years from that day it still has its time; a day and a month later nothing of both can be read.
    clock.set(app.now().plus_s((5 * 365 - 1) * 86_400));
    assert_eq!(app.retention_due().await.unwrap(), 0);
    clock.set(app.now().plus_s(40 * 86_400));
    assert!(app.retention_due().await.unwrap() >= 1);
    for gone in [&first, &open] {
        assert_eq!(app.call_sound(&own, gone).await.unwrap(), None);
        let page = app.call_page(&own, gone).await.unwrap();
        assert_eq!((page.number, page.has_message), (None, false));
        assert!(page.reports.iter().all(|r| r.text.is_none() && r.place.is_none()));
        assert!(!page.line.row.case_no.is_empty(), "that there was a call stays known");
    }
    let told =
        CallTold { outcome: "visited".into(), place: String::new(), text: "late".into(), minutes: None };
    let late = app.call_report(&own, &first, &night.own, told, None).await;
    assert!(matches!(late, Err(AppError::NotFound)), "{late:?}");
    night.ends().await;
}

async fn a_bridge_that_is_away_is_said_each_minute_until_somebody_has_seen_it(office: TestOffice) {
    let mut night = Night::begins(office).await;
    if let Some(calls) = night.calls.take() {
        calls.stop().await;
    }
    let app = &night.office.app;
    let mut alarms = std::collections::BTreeMap::new();
    let said =
        async || night.mails().await.iter().filter(|m| m.contains("夜間の電話がつながりません")).count();
    for _ in 0..2 {
        app.calls_bridge_away(&mut alarms).await.unwrap();
        // Both coordinators of this office.
        assert_eq!(said().await, 2);
        night.office.clock.set(app.now().plus_s(60));
    }
    let alarm = alarms.values().next().unwrap();
    let who = Who::member(&night.office.association, &night.office.coordinator);
    assert!(app.alarm_seen(&who, alarm, None).await.unwrap());
    app.calls_bridge_away(&mut alarms).await.unwrap();
    assert_eq!(said().await, 0);
    night.ends().await;
}

async fn in_the_morning_the_patients_own_physicians_hear_of_the_night_once(office: TestOffice) {
    let night = Night::begins(office).await;
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(OWN).await;
    night.talk(&nurse, &doctor).await;
    night.phones.hang_up(&doctor).unwrap();
    night.stage("report_due").await;
    night.mails().await;
    let app = &night.office.app;
    let home = app.associations().await.unwrap().remove(0);
    // Ten in the morning: the night before is over and had no call.
    let mut told = None;
    assert_eq!(app.calls_morning(&home, &mut told).await.unwrap(), 0);
    night.office.clock.set(app.now().plus_s(20 * 3_600));
    assert_eq!(app.calls_morning(&home, &mut told).await.unwrap(), 0, "at six nothing is told");
    night.office.clock.set(app.now().plus_s(3_600 + 60));
    let mails = app.calls_morning(&home, &mut told).await.unwrap();
    // Two physicians of the clinic, two coordinators.
    assert_eq!(mails, 4);
    assert_eq!(app.calls_morning(&home, &mut told).await.unwrap(), 0);
    // Another process, which remembers nothing, writes no second mail.
    app.calls_morning(&home, &mut None).await.unwrap();
    let said = night.mails().await;
    assert_eq!(said.iter().filter(|m| m.contains("昨夜の電話")).count(), 4, "{said:?}");
    night.ends().await;
}

async fn rung_together_the_primary_and_the_deputy_ring_and_one_of_them_has_it(office: TestOffice) {
    let night = Night::begins(office).await;
    let (app, who) = (&night.office.app, night.office.cli());
    let (revision, mut settings) = app.call_settings(&night.office.association).await.unwrap();
    settings.together = true;
    settings.institutions.get_mut(&night.office.clinic).unwrap().own_line = false;
    app.call_settings_put(&who, revision, settings).await.unwrap();
    let elsewhere = crate::support::add_institution(app, &night.office.association, "当番の医院").await;
    for (role, phone) in [(RotaRole::Primary, ASKER), (RotaRole::Deputy, DEPUTY)] {
        let new = NewMember {
            phone: Some(phone.to_owned()),
            ..new_member(phone, &elsewhere, Role::Physician, vec![])
        };
        let pin = Pin::parse(PIN).unwrap();
        let person = app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner();
        let on = NewOverride {
            area: "all".parse().unwrap(),
            role,
            window: Window { from: app.now(), to: app.now().plus_s(86_400) },
            person: Some(person),
            institution: None,
            reason: String::new(),
            recorded_at: None,
        };
        let made = app.rota_override_add(&who, on, None).await.unwrap();
        assert!(matches!(made, OverrideMade::Done { .. }), "{made:?}");
    }
    // Whom the bridge rings by itself follows the rota, the association's own people last.
    let fallback = app.call_fallbacks().await.unwrap();
    let lines: Vec<String> = fallback[0].lines.iter().map(|l| l.number().e164().to_owned()).collect();
    assert_eq!(lines, [ASKER, DEPUTY, COORDINATOR].map(|p| number(p).e164().to_owned()));
    let nurse = night.nurse_calls().await;
    night.rings(ASKER).await;
    night.office.clock.set(app.now().plus_s(2));
    let deputy = night.takes(DEPUTY).await;
    night.talk(&nurse, &deputy).await;
    night.until("the other phone is silent", async || night.live(ASKER).is_none()).await;
    let line = night.stage("talking").await;
    let causes: Vec<_> = line.legs.iter().filter_map(|l| l.leg.cause.as_deref()).collect();
    assert_eq!(causes, ["outrun"], "it rang until the other one had it");
    night.ends().await;
}

/// Tariffs for urgent calls, invented.
const URGENT: &str = r#"
[[tariff]]
code = "URGENT-REQ"
name = "緊急連絡 依頼側"
program = "aoba-24h"
side = "requester"
event = "urgent_call"
effective = { from = "2026-04-01", before = "2027-04-01" }
unit = "event"
yen = 700
when = ["requester.institution != acceptor.institution", "report.present"]

[[tariff]]
code = "URGENT-ACC"
name = "緊急連絡 受諾側"
program = "aoba-24h"
side = "acceptor"
event = "urgent_call"
effective = { from = "2026-04-01", before = "2027-04-01" }
unit = "event"
yen = 4000
when = ["acceptor.member_active", "report.submitted_within_hours <= 72", "attempts.recorded"]
"#;

impl Night {
    /// The month's lines of calls: side, yen and reason.
    async fn lines(&self) -> Vec<(Side, i64, Option<ReasonCode>)> {
        let app = &self.office.app;
        let month = app.ledger_month(&self.office.association, NOVEMBER.parse().unwrap()).await.unwrap();
        let all = month.lines.into_iter().chain(month.held);
        let of_calls = all.filter(|l| l.event.call().is_some());
        of_calls.map(|l| (l.side, l.amount.0, l.eligibility.reason())).collect()
    }

    async fn pays(&self) {
        let text = format!("{}{URGENT}", include_str!("../../config/tariffs.toml"));
        let who = Who::member(&self.office.association, &self.office.clerk);
        self.office.app.tariffs_record(&who, 0, &text, "緊急連絡").await.unwrap().unwrap();
    }

    /// A nurse and the clinic's own physician have talked.
    pub async fn talked(&self) -> CallId {
        let nurse = self.nurse_calls().await;
        let doctor = self.takes(OWN).await;
        self.talk(&nurse, &doctor).await;
        self.stage("talking").await;
        self.office.clock.set(self.office.app.now().plus_s(300));
        self.phones.hang_up(&doctor).unwrap();
        let id = self.stage("report_due").await.row.id;
        let _ = self.phones.hang_up(&nurse);
        self.until("every line is free", async || self.live(NURSE).is_none()).await;
        id
    }
}

const NOVEMBER: &str = "2026-11";

async fn a_report_by_key_ends_a_call_and_both_sides_have_their_line_once(office: TestOffice) {
    let night = Night::begins(office).await;
    night.pays().await;
    let app = &night.office.app;
    let id = night.talked().await;
    assert_eq!(night.lines().await, [], "nothing is counted before it is told");
    night.mails().await;
    let mine = night.phones.call_in(&CallIn { from: OWN.into(), to: NIGHT.into() }).unwrap();
    night.hears(&mine, "ask_report").await;
    night.phones.press(&mine, "1").unwrap();
    night.hears(&mine, "ask_report_pin").await;
    night.phones.press(&mine, "0000").unwrap();
    night.hears(&mine, "pin_again").await;
    night.phones.press(&mine, PIN).unwrap();
    night.hears(&mine, "ask_report_outcome").await;
    night.phones.press(&mine, "3").unwrap();
    night.hears(&mine, "report_taken").await;
    let own = Who::member(&night.office.association, &night.own);
    let page = app.call_page(&own, &id).await.unwrap();
    assert_eq!(page.line.row.outcome.as_deref(), Some("helped"));
    let report = page.reports.first().unwrap();
    assert_eq!((report.outcome.as_str(), report.by_office), ("transported", false));
    assert!(night.mails().await.iter().any(|m| m.contains("搬送されました")), "told at once");
    let reported = night.all().await.into_iter().find(|l| l.row.id != id).unwrap();
    assert_eq!(reported.row.outcome.as_deref(), Some("reported"));
    assert!(reported.row.taker.is_none() && reported.legs.len() == 1, "nobody was rung for it");

    let both = [(Side::Requester, 700, None), (Side::Acceptor, 4_000, None)];
    let mut lines = night.lines().await;
    lines.sort_by_key(|(side, ..)| *side != Side::Requester);
    assert_eq!(lines, both);
    // A report that is written again is no second event; nor does making the month twice give other bytes.
    let again =
        CallTold {
            outcome: "visited".into(), place: String::new(), text: "往診".into(), minutes: Some(40)
        };
    app.call_report(&own, &id, &night.own, again, None).await.unwrap();
    assert_eq!(night.lines().await.len(), 2);
    let request = app.ledger_request(&night.office.association, &page.line.row.case_no).await.unwrap();
    let (event, evidence) = app.ledger_event(&night.office.association, &request).await.unwrap();
    assert_eq!(event.event.call(), Some(&id));
    assert_eq!((event.outcome.as_str(), evidence.len()), ("transported", 0));
    assert_eq!(event.minutes, Some(5));
    // The clinic's other physician has no phone.
    let mut tried: Vec<AttemptResult> = event.attempts.iter().map(|a| a.result).collect();
    tried.sort();
    assert_eq!(tried, [AttemptResult::Accepted, AttemptResult::Undeliverable]);
    night.office.clock.set(Millis::parse_rfc3339("2026-12-10T10:00:00+09:00").unwrap());
    let clerk = Who::member(&night.office.association, &night.office.clerk);
    let november = NOVEMBER.parse().unwrap();
    let first = app.ledger_make(&clerk, november).await.unwrap().unwrap();
    let second = app.ledger_make(&clerk, november).await.unwrap().unwrap();
    assert_eq!(first.run_hash, second.run_hash);
    let desk = crate::support::add_institution(app, &night.office.association, "理事の医院").await;
    let new =
        NewMember { roles: vec![Role::Officer], ..new_member("理事 長", &desk, Role::Officer, vec![]) };
    let officer = app.member_add(&night.office.cli(), new, None, None).await.unwrap().into_inner();
    let officer = Who::member(&night.office.association, &officer);
    let closed = app.ledger_approve(&officer, november, second.revision).await.unwrap().unwrap();
    assert_eq!((closed.total.0, closed.lines), (4_700, 2));
    let problems = app.verify().await.unwrap().problems;
    assert!(problems.is_empty(), "{problems:#?}");
    night.ends().await;
}

async fn a_call_closed_by_hand_counts_and_its_late_report_is_laid_beside_it(office: TestOffice) {
    let night = Night::begins(office).await;
    night.pays().await;
    let app = &night.office.app;
    let id = night.talked().await;
    let coordinator = Who::member(&night.office.association, &night.office.coordinator);
    app.call_close(&coordinator, &id).await.unwrap();
    night.stage("over").await;
    let lines = night.lines().await;
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|(_, yen, reason)| *yen == 0 && *reason == Some(ReasonCode::NoReport)),
        "{lines:?}"
    );
    // Who took it is asked for the report, by mail; what he then reports is not asked for again.
    let clerk = Who::member(&night.office.association, &night.office.clerk);
    let asked = app.ledger_chase(&clerk, NOVEMBER.parse().unwrap()).await.unwrap();
    let cases: Vec<_> =
        asked.iter().flat_map(|a| a.cases.iter().map(move |c| (&a.member, c.report, c.call))).collect();
    assert_eq!(cases, [(&night.own, true, true)]);
    let chased = night.mails().await.into_iter().find(|m| m.contains("確認のお願い")).unwrap();
    assert!(chased.contains("R8-0001") && !chased.contains("/consults"), "{chased}");
    let own = Who::member(&night.office.association, &night.own);
    let told =
        CallTold { outcome: "visited".into(), place: String::new(), text: String::new(), minutes: None };
    app.call_report(&own, &id, &night.own, told, None).await.unwrap();
    assert_eq!(app.ledger_chase(&clerk, NOVEMBER.parse().unwrap()).await.unwrap(), []);
    let lines = night.lines().await;
    assert_eq!(lines.iter().map(|(_, yen, _)| yen).sum::<i64>(), 4_700, "{lines:?}");
    assert_eq!(lines.len(), 2);
    // Nobody took it: no event.
    night.nurse_calls().await;
    for phone in [OWN, PILLAR, COORDINATOR] {
        let leg = night.rings(phone).await;
        night.phones.hang_up(&leg).unwrap();
    }
    let open = night.stage("last_resort").await.row.id;
    app.call_close(&coordinator, &open).await.unwrap();
    night.until("closed", async || night.all().await.iter().all(|l| l.row.stage == "over")).await;
    assert_eq!(night.lines().await.len(), 2);
    night.ends().await;
}

async fn a_ceiling_turns_unknown_lines_away_and_connects_no_consult(office: TestOffice) {
    let night = Night::begins(office).await;
    let app = &night.office.app;
    night.talked().await;
    let (revision, mut settings) = app.call_settings(&night.office.association).await.unwrap();
    settings.limits.minutes_per_month = Some(5);
    app.call_settings_put(&night.office.cli(), revision, settings).await.unwrap();
    night.mails().await;
    let stranger = night.phones.call_in(&CallIn { from: DEPUTY.into(), to: NIGHT.into() }).unwrap();
    night.hears(&stranger, "too_many").await;
    assert!(night.mails().await.iter().any(|m| m.contains("お断りしました")), "the office hears of it");
    // A known institution is heard whatever it costs.
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(OWN).await;
    night.talk(&nurse, &doctor).await;
    night.ends().await;
}

on_both!(
    whoever_the_office_names_is_rung_now_and_may_take_it,
    a_report_by_key_ends_a_call_and_both_sides_have_their_line_once,
    a_call_closed_by_hand_counts_and_its_late_report_is_laid_beside_it,
    a_ceiling_turns_unknown_lines_away_and_connects_no_consult,
    rung_together_the_primary_and_the_deputy_ring_and_one_of_them_has_it,
    a_bridge_that_is_away_is_said_each_minute_until_somebody_has_seen_it,
    in_the_morning_the_patients_own_physicians_hear_of_the_night_once,
    what_was_said_goes_with_its_time_and_not_while_a_call_of_its_month_is_open,
    a_nurse_talks_with_the_physician_who_pressed_1_and_gets_a_report,
    who_declines_or_has_a_machine_is_followed_by_the_next,
    a_wrong_pin_is_asked_again_and_a_9_hands_over,
    a_nurse_who_hung_up_is_called_back_and_hears_a_person,
    nobody_left_alarms_until_somebody_looks_and_stays_open,
    a_restart_rings_nobody_twice_and_goes_on_where_it_was,
    a_clock_that_is_set_cuts_no_ring_short_and_leaves_nobody_ringing,
    a_call_from_the_web_rings_both_and_joins_them,
    a_test_call_counts_when_the_key_was_pressed,
    a_new_number_counts_when_it_was_rung_and_answered,
    two_nurses_at_once_are_two_calls,
);
