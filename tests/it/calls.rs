//! The night number through the simulator: a nurse calls, phones ring, a physician presses 1 and they talk; and
//! what goes wrong at night.

use std::sync::Arc;
use std::time::Duration;

use touban::app::call::settings::{CallSettings, InstitutionCalls, Pillar};
use touban::app::call::{CallLine, CallTold};
use touban::app::outbox::Task;
use touban::app::people::NewMember;
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::app::{AppError, Who};
use touban::domain::call::LegId;
use touban::domain::call::number::{Number, Reading, read};
use touban::domain::cover::households::{Contract, Told};
use touban::domain::people::Role;
use touban::domain::rota::RotaRole;
use touban::durable::bridge::Calls;
use touban::ids::{CallId, MemberId};
use touban::ports::phone::{CallIn, Phone, PhoneState, Simulator};
use touban::seal::Pin;
use touban::store::jobs::Lane;
use touban::time::Window;

use crate::support::{PIN, TestOffice, new_member, on_both};

pub const NIGHT: &str = "042-000-0099";
pub const NURSE: &str = "042-000-5000";
pub const OWN: &str = "090-0000-0001";
pub const PILLAR: &str = "090-0000-0002";
pub const COORDINATOR: &str = "090-0000-0003";
const ASKER: &str = "090-0000-0004";
pub const DEPUTY: &str = "090-0000-0005";
/// Longer than any step of a test takes; a call that is stuck fails here.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn number(text: &str) -> Number {
    match read(text) {
        Reading::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

/// A night with phones that the test plays.
pub struct Night {
    pub office: TestOffice,
    pub phones: Simulator,
    pub calls: Option<Calls>,
    pub own: MemberId,
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
        let pillar = member("支柱 二", Role::Specialist, PILLAR).await;
        member("調整 三", Role::Coordinator, COORDINATOR).await;
        let mut settings = CallSettings { numbers: vec![number(NIGHT)], ..CallSettings::default() };
        let clinic = InstitutionCalls { code: "12".into(), own_line: true, ..InstitutionCalls::default() };
        settings.institutions.insert(office.clinic.clone(), clinic);
        let station = crate::support::add_institution(&office.app, &office.association, "青葉訪問看護").await;
        let lines = InstitutionCalls { lines: vec![number(NURSE)], ..InstitutionCalls::default() };
        settings.institutions.insert(station, lines);
        let contract = Contract { from: Some("2026-04-01".parse().unwrap()), until: None };
        settings.pillars.insert(
            "home_care".into(),
            Pillar { on: true, people: vec![pillar], contract, ..Pillar::default() },
        );
        office.app.call_settings_put(&who, 0, settings).await.unwrap();
        // Every household of the clinic was told of the pillar.
        let told = Told::On { day: "2026-11-01".parse().unwrap() };
        let household = office.app.household_add(&who, &office.clinic, "A.K.").await.unwrap();
        office.app.household_told(&who, &office.clinic, &household, "home_care", told).await.unwrap();
        office.app.household_whole(&who, &office.clinic, true).await.unwrap();
        let phones = Simulator::new();
        let calls = Some(Calls::start(office.app.clone(), Arc::new(phones.clone())));
        let night = Self { office, phones, calls, own };
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
    let told =
        CallTold { outcome: "transported".into(), place: "青葉病院".into(), text: "搬送".into() };
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
    night.office.clock.set(night.office.app.now().plus_s(61));
    let alarms = async || {
        let mails = night.mails().await;
        mails.iter().any(|m| m.contains("出られる先生がいません"))
    };
    night.until("alarmed", async || alarms().await).await;
    night.office.clock.set(night.office.app.now().plus_s(61));
    night.until("alarmed again", async || alarms().await).await;
    let who = Who::member(&night.office.association, &night.office.coordinator);
    let app = &night.office.app;
    app.call_acknowledge(&who, &line.row.id).await.unwrap();
    assert_eq!(night.stage("last_resort").await.row.ended, None);
    app.call_close(&who, &line.row.id).await.unwrap();
    night.stage("over").await;
    night.until("every phone is hung up", async || night.live(NURSE).is_none()).await;
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
    let told = CallTold { outcome: "visited".into(), place: String::new(), text: "canary-report".into() };
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
    let told = CallTold { outcome: "visited".into(), place: String::new(), text: "late".into() };
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

on_both!(
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
    a_call_from_the_web_rings_both_and_joins_them,
    two_nurses_at_once_are_two_calls,
);
