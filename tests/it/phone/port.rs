//! What the port promises, each promise against the real bridge.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use touban::domain::call::number::Line;
use touban::domain::call::{Cause, Collect, Command, Gather, LegId, LegSeen, Prompt};
use touban::i18n::Lang;
use touban::ids::{CallId, SystemChance};
use touban::ports::phone::{
    AsteriskBridge, AsteriskSettings, BridgeError, BridgeEvent, Events, Fallback, Order, PhoneBridge as _,
};
use touban::time::{Clock as _, Millis, SystemClock};

use super::network::{Network, PATIENCE, Pbx, a_moment, breathe, well};
use crate::support::telephone as number;

const NIGHT: &str = "0312345678";
const NURSE: &str = "0422000001";
const NURSE_VOICE: u32 = 350;
const DOCTOR: &str = "09011110001";
const DOCTOR_VOICE: u32 = 550;
const DEPUTY: &str = "09011110002";
const DEPUTY_VOICE: u32 = 750;

/// One after the other: there is one Asterisk.
pub(super) static TURN: Mutex<()> = Mutex::const_new(());

/// One touban that speaks to the bridge, and what it has heard.
struct Desk {
    bridge: AsteriskBridge,
    events: Events,
    kept: Vec<BridgeEvent>,
    call: CallId,
}

struct Night {
    network: Network,
    pbx: Pbx,
    desk: Desk,
    _turn: MutexGuard<'static, ()>,
}

async fn night() -> Night {
    let turn = TURN.lock().await;
    let pbx = Pbx::given();
    pbx.clear().await;
    let network = Network::start().await;
    let desk = Desk::open(pbx.settings()).await;
    Night { network, pbx, desk, _turn: turn }
}

fn now() -> Millis {
    SystemClock.now()
}

fn key(number: u32) -> Option<Gather> {
    Some(Gather { number, what: Collect::Key })
}

fn pin(number: u32) -> Option<Gather> {
    Some(Gather { number, what: Collect::Pin })
}

impl Desk {
    async fn open(settings: AsteriskSettings) -> Self {
        let bridge = AsteriskBridge::new(settings).unwrap();
        let events = well(bridge.listen().await);
        Self { bridge, events, kept: Vec::new(), call: CallId::new(now(), &SystemChance) }
    }

    fn leg(&self, number: u32) -> LegId {
        LegId::ours(&self.call, number)
    }

    fn order(&self, command: Command) -> Order {
        Order { call: self.call.clone(), command, shown: number(NIGHT), lang: Lang::Ja, message: None }
    }

    async fn give(&self, command: Command) {
        well(self.bridge.obey(&self.order(command)).await);
    }

    async fn dial(&self, n: u32, to: &str, ring_s: i64) -> LegId {
        let leg = self.leg(n);
        self.give(Command::Dial { leg: leg.clone(), to: Line::read(to, &[]).unwrap(), ring_s }).await;
        leg
    }

    async fn say(&self, leg: &LegId, play: u32, prompt: Prompt, gather: Option<Gather>) {
        self.give(Command::Prompt { leg: leg.clone(), play, prompt, gather, room: false }).await;
    }

    /// Waits for an event, and takes it; what comes before it is kept.
    async fn wait<T>(&mut self, what: &str, is: impl Fn(&BridgeEvent) -> Option<T>) -> T {
        if let Some(at) = self.kept.iter().position(|event| is(event).is_some()) {
            return is(&self.kept.remove(at)).unwrap();
        }
        loop {
            let Ok(event) = timeout(PATIENCE, self.events.next()).await else {
                panic!("the bridge does not tell {what}; it told {:?}", self.kept);
            };
            let event = well(event);
            match is(&event) {
                Some(found) => return found,
                None => self.kept.push(event),
            }
        }
    }

    async fn rings(&mut self, leg: &LegId) {
        let rings = |e: &BridgeEvent| (*e == BridgeEvent::Ringing { leg: leg.clone() }).then_some(());
        self.wait("that it rings", rings).await;
    }

    async fn answered(&mut self, leg: &LegId) {
        let answered = |e: &BridgeEvent| (*e == BridgeEvent::Answered { leg: leg.clone() }).then_some(());
        self.wait("that it was picked up", answered).await;
    }

    async fn joined(&mut self, leg: &LegId) {
        let joined = |e: &BridgeEvent| (*e == BridgeEvent::Joined { leg: leg.clone() }).then_some(());
        self.wait("that it was joined", joined).await;
    }

    async fn ended(&mut self, leg: &LegId) -> Cause {
        let ended = |e: &BridgeEvent| match e {
            BridgeEvent::Ended { leg: l, cause, .. } if l == leg => Some(*cause),
            _ => None,
        };
        self.wait("that it ended", ended).await
    }

    async fn keys(&mut self, leg: &LegId) -> (u32, String) {
        let keys = |e: &BridgeEvent| match e {
            BridgeEvent::Keys { leg: l, gather, digits, .. } if l == leg => {
                Some((*gather, digits.reveal().to_owned()))
            }
            _ => None,
        };
        self.wait("keys", keys).await
    }

    fn told(&self, is: impl Fn(&BridgeEvent) -> bool) -> usize {
        self.kept.iter().filter(|event| is(event)).count()
    }
}

impl Night {
    /// The nurse calls, and hears the first words.
    async fn nurse_calls(&mut self) -> LegId {
        self.network.calls("nurse", Some(NURSE), NIGHT, NURSE_VOICE);
        let leg = self.inbound().await;
        self.desk.give(Command::Answer { leg: leg.clone() }).await;
        self.network.wait("nurse", "up").await;
        leg
    }

    async fn inbound(&mut self) -> LegId {
        let inbound = |e: &BridgeEvent| match e {
            BridgeEvent::Inbound(inbound) => Some(inbound.clone()),
            _ => None,
        };
        let inbound = self.desk.wait("a call", inbound).await;
        assert_eq!(inbound.to, NIGHT);
        inbound.leg
    }

    /// Rings a phone that somebody picks up.
    async fn somebody_answers(&mut self, n: u32, who: &str, voice: u32) -> LegId {
        self.network.behaves(who, "ring", json!({"tone": voice})).await;
        let leg = self.desk.dial(n, who, 25).await;
        let (_, rang) = self.network.wait(who, "rings").await;
        assert_eq!(rang["shows"], NIGHT, "the phone shows the night number");
        self.desk.rings(&leg).await;
        self.network.answer(who);
        self.desk.answered(&leg).await;
        leg
    }

    async fn join(&mut self, legs: [&LegId; 2], keys: u32) {
        let legs = legs.map(Clone::clone);
        for leg in &legs {
            self.desk.give(Command::Hush { leg: leg.clone() }).await;
        }
        self.desk.give(Command::Join { legs: legs.clone(), keys }).await;
        for leg in &legs {
            self.desk.joined(leg).await;
        }
    }
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn the_sample_configuration_lacks_nothing() {
    let night = night().await;
    assert_eq!(night.desk.bridge.check().await, Ok(Vec::new()));
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn whoever_presses_1_and_keys_the_pin_talks_with_the_nurse() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    night.desk.say(&nurse, 1, Prompt::Kept, None).await;
    night.network.until_spoken_to("nurse").await;
    let doctor = night.somebody_answers(2, DOCTOR, DOCTOR_VOICE).await;
    // A key before the question is none.
    night.network.press(DOCTOR, "1");
    a_moment().await;
    night.desk.say(&doctor, 3, Prompt::Screen, key(4)).await;
    night.network.until_spoken_to(DOCTOR).await;
    night.network.press(DOCTOR, "7");
    assert_eq!(night.desk.keys(&doctor).await, (4, "7".to_owned()));
    night.network.press(DOCTOR, "1");
    assert_eq!(night.desk.keys(&doctor).await, (4, "1".to_owned()));
    night.desk.say(&doctor, 5, Prompt::AskPin, pin(6)).await;
    night.network.press(DOCTOR, "4821#");
    assert_eq!(night.desk.keys(&doctor).await, (6, "4821".to_owned()));
    let begun = Instant::now();
    night.join([&nurse, &doctor], 7).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "a prompt held up the join");
    night.network.until_hears("nurse", DOCTOR_VOICE).await;
    night.network.until_hears(DOCTOR, NURSE_VOICE).await;
    // A hand-over is heard by us and by nobody else.
    night.network.press(DOCTOR, "9");
    // The hash after the PIN may come into the room.
    while night.desk.keys(&doctor).await != (7, "9".to_owned()) {}
    night.network.hang_up("nurse");
    assert_eq!(night.desk.ended(&nurse).await, Cause::HungUp);
    assert_eq!(night.desk.told(|e| matches!(e, BridgeEvent::Left { .. })), 0, "who hangs up has not left");
    night.desk.give(Command::HangUp { leg: doctor.clone(), cause: Cause::CallOver }).await;
    night.network.wait(DOCTOR, "over").await;
    night.desk.ended(&doctor).await;
    night.desk.give(Command::CloseRoom).await;
    // Said again, all of it: nothing happens, nothing fails.
    night.desk.give(Command::HangUp { leg: doctor, cause: Cause::CallOver }).await;
    night.desk.give(Command::CloseRoom).await;
    assert_eq!(night.pbx.list("bridges").await.len(), 0);
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn every_way_not_to_answer_is_told_at_once_and_by_its_name() {
    let mut night = night().await;
    for (n, how, cause) in
        [(1, "busy", Cause::Busy), (2, "decline", Cause::Rejected), (3, "unallocated", Cause::Unallocated)]
    {
        night.network.behaves(DOCTOR, how, json!({})).await;
        let begun = Instant::now();
        let leg = night.desk.dial(n, DOCTOR, 25).await;
        assert_eq!(night.desk.ended(&leg).await, cause);
        assert!(begun.elapsed() < Duration::from_secs(1), "{how} took {:?}", begun.elapsed());
        // The name may be dialled again once its line has ended.
        assert_eq!(night.desk.told(|e| e.leg() == Some(&leg)), 0);
    }
    night.network.behaves(DOCTOR, "ring", json!({})).await;
    let leg = night.desk.dial(4, DOCTOR, 2).await;
    night.desk.rings(&leg).await;
    assert_eq!(night.desk.ended(&leg).await, Cause::NoAnswer);
    night.network.wait(DOCTOR, "over").await;
    night.network.behaves(DOCTOR, "dead", json!({})).await;
    let leg = night.desk.dial(5, DOCTOR, 2).await;
    assert_eq!(night.desk.ended(&leg).await, Cause::Unreachable);
    // Declined by hand, after it rang.
    night.network.behaves(DOCTOR, "ring", json!({})).await;
    let leg = night.desk.dial(6, DOCTOR, 25).await;
    night.desk.rings(&leg).await;
    night.network.hang_up(DOCTOR);
    assert_eq!(night.desk.ended(&leg).await, Cause::Rejected);
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_phone_stops_ringing_when_it_is_not_wanted_any_more_and_rings_once_for_one_name() {
    let mut night = night().await;
    night.network.behaves(DOCTOR, "ring", json!({})).await;
    let leg = night.desk.dial(1, DOCTOR, 25).await;
    night.desk.dial(1, DOCTOR, 25).await;
    night.desk.rings(&leg).await;
    night.network.wait(DOCTOR, "rings").await;
    night.desk.give(Command::HangUp { leg: leg.clone(), cause: Cause::Outrun }).await;
    let (_, over) = night.network.wait(DOCTOR, "over").await;
    assert_eq!(over["why"], "cancelled");
    night.desk.ended(&leg).await;
    assert_eq!(night.network.told(DOCTOR, "rings"), 0, "it rang twice");
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_trunk_that_is_not_there_is_a_refusal_and_no_doubt() {
    let mut night = night().await;
    drop(night.desk.events);
    let settings = AsteriskSettings { dial: "PJSIP/{number}@nowhere".to_owned(), ..night.pbx.settings() };
    night.desk = Desk::open(settings).await;
    let leg = night.desk.leg(1);
    let dial = Command::Dial { leg, to: Line::read(DOCTOR, &[]).unwrap(), ring_s: 25 };
    let refused = night.desk.bridge.obey(&night.desk.order(dial)).await;
    assert!(matches!(refused, Err(BridgeError::Refused { cause: Cause::Failed, .. })), "{refused:?}");
    let wrong = night.desk.bridge.check().await.unwrap();
    assert!(wrong.iter().any(|sentence| sentence.contains("nowhere")), "{wrong:?}");
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_voicemail_gives_no_key_and_the_caller_never_hears_it() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    night.network.behaves(DOCTOR, "voicemail", json!({"tone": 1150, "after_ms": 200})).await;
    let machine = night.desk.dial(1, DOCTOR, 25).await;
    night.desk.answered(&machine).await;
    night.desk.say(&machine, 2, Prompt::Screen, key(3)).await;
    night.network.until_spoken_to(DOCTOR).await;
    assert!(!night.network.hears("nurse").await.0.contains_key(&1150));
    night.desk.give(Command::HangUp { leg: machine.clone(), cause: Cause::NoKey }).await;
    night.network.wait(DOCTOR, "over").await;
    night.desk.ended(&machine).await;
    assert_eq!(night.desk.told(|e| matches!(e, BridgeEvent::Keys { .. })), 0);
    night.desk.say(&nurse, 4, Prompt::StillCalling, None).await;
    night.network.until_spoken_to("nurse").await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn keys_arrive_in_every_form_in_which_networks_send_them() {
    let mut night = night().await;
    for (n, via) in [(1, "rfc4733"), (11, "info"), (21, "inband")] {
        let who = format!("0901111010{}", n / 10);
        night.network.behaves(&who, "answer", json!({"via": via, "tone": 0})).await;
        let leg = night.desk.dial(n, &who, 25).await;
        night.desk.answered(&leg).await;
        night.network.wait(&who, "up").await;
        night
            .desk
            .say(&leg, n + 1, Prompt::AskStation, Some(Gather { number: n + 2, what: Collect::Code }))
            .await;
        night.network.until_spoken_to(&who).await;
        night.network.press(&who, "3101#");
        assert_eq!(night.desk.keys(&leg).await, (n + 2, "3101".to_owned()), "{via}");
        // Without its end a code is complete after a pause.
        night
            .desk
            .say(&leg, n + 3, Prompt::AskClinic, Some(Gather { number: n + 4, what: Collect::Code }))
            .await;
        a_moment().await;
        night.network.press(&who, "42");
        assert_eq!(night.desk.keys(&leg).await, (n + 4, "42".to_owned()), "{via}");
    }
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_message_is_recorded_fetched_heard_by_the_physician_and_gone_from_every_disk() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    night.desk.give(Command::Record { leg: nurse.clone(), recording: 1, max_s: 15 }).await;
    let spool: PathBuf = night.pbx.dir.join("spool/recording");
    let files = |folder: &PathBuf| std::fs::read_dir(folder).unwrap().count();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_500) {
        breathe().await;
    }
    night.network.press("nurse", "#");
    let recorded = |e: &BridgeEvent| match e {
        BridgeEvent::Recorded { recording: 1, usable, .. } => Some(*usable),
        _ => None,
    };
    assert!(night.desk.wait("the end of the recording", recorded).await);
    let call = night.desk.call.clone();
    let sound = well(night.desk.bridge.message(&call, 1).await).unwrap();
    assert!(sound.starts_with(b"RIFF") && sound.len() > 16_000, "{} bytes", sound.len());
    // Asked again, it tells again.
    night.desk.give(Command::StopRecording { recording: 1 }).await;
    assert!(night.desk.wait("the end of the recording", recorded).await);
    night.desk.give(Command::DeleteRecording { recording: 1 }).await;
    assert_eq!(night.desk.bridge.message(&call, 1).await, Ok(None));
    assert_eq!(files(&spool), 0);

    let doctor = night.somebody_answers(2, DOCTOR, DOCTOR_VOICE).await;
    let prompt = Prompt::MessageThenCallingBack;
    let command = Command::Prompt { leg: doctor.clone(), play: 3, prompt, gather: None, room: false };
    let order = Order { message: Some(Arc::from(sound)), ..night.desk.order(command) };
    well(night.desk.bridge.obey(&order).await);
    night.network.until_hears(DOCTOR, NURSE_VOICE).await;
    let ended = |e: &BridgeEvent| matches!(e, BridgeEvent::PromptEnded { play: 3, .. }).then_some(());
    night.desk.wait("the end of the prompt", ended).await;
    let messages = night.pbx.dir.join("messages");
    let begun = Instant::now();
    while files(&messages) > 0 {
        assert!(begun.elapsed() < PATIENCE, "the message lies on the disk");
        breathe().await;
    }
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn what_was_said_before_hanging_up_is_kept() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    night.desk.give(Command::Record { leg: nurse.clone(), recording: 1, max_s: 15 }).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_500) {
        breathe().await;
    }
    night.network.hang_up("nurse");
    let recorded = |e: &BridgeEvent| matches!(e, BridgeEvent::Recorded { usable: true, .. }).then_some(());
    night.desk.wait("the end of the recording", recorded).await;
    assert_eq!(night.desk.ended(&nurse).await, Cause::HungUp);
    let call = night.desk.call.clone();
    assert!(well(night.desk.bridge.message(&call, 1).await).is_some());
    night.desk.give(Command::DeleteRecording { recording: 1 }).await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_handed_over_caller_stays_in_the_room_hears_a_word_there_and_talks_with_the_next() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    let doctor = night.somebody_answers(1, DOCTOR, DOCTOR_VOICE).await;
    night.join([&nurse, &doctor], 2).await;
    night.network.until_hears("nurse", DOCTOR_VOICE).await;
    night.desk.give(Command::Leave { leg: doctor.clone() }).await;
    let left = |e: &BridgeEvent| (*e == BridgeEvent::Left { leg: doctor.clone() }).then_some(());
    night.desk.wait("that the doctor left", left).await;
    night.desk.say(&doctor, 3, Prompt::GivenBack, None).await;
    night.network.until_quiet("nurse").await;
    let said =
        Command::Prompt { leg: nurse.clone(), play: 4, prompt: Prompt::HandedOver, gather: None, room: true };
    night.desk.give(said).await;
    night.network.until_spoken_to("nurse").await;
    night.desk.give(Command::HangUp { leg: doctor, cause: Cause::HandedOver }).await;
    let deputy = night.somebody_answers(5, DEPUTY, DEPUTY_VOICE).await;
    // The caller is in the room already: said again, and not taken out of it.
    night.join([&nurse, &deputy], 6).await;
    night.network.until_hears("nurse", DEPUTY_VOICE).await;
    night.network.until_hears(DEPUTY, NURSE_VOICE).await;
    assert_eq!(night.desk.told(|e| *e == BridgeEvent::Left { leg: nurse.clone() }), 0);
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn another_process_finds_everything_as_it_was() {
    let mut night = night().await;
    let nurse = night.nurse_calls().await;
    let doctor = night.somebody_answers(1, DOCTOR, DOCTOR_VOICE).await;
    night.join([&nurse, &doctor], 2).await;
    let asked = night.somebody_answers(3, DEPUTY, DEPUTY_VOICE).await;
    night.desk.say(&asked, 4, Prompt::Screen, key(5)).await;
    night.network.behaves("09011110003", "ring", json!({})).await;
    let ringing = night.desk.dial(6, "09011110003", 25).await;
    night.desk.rings(&ringing).await;
    let before = well(night.desk.bridge.snapshot(now()).await);

    let call = night.desk.call.clone();
    night.desk = Desk { call, ..Desk::open(night.pbx.settings()).await };
    let view = well(night.desk.bridge.snapshot(now()).await);
    assert_eq!((&view.generation, &view.legs), (&before.generation, &before.legs));
    let expected = BTreeMap::from([
        (nurse.clone(), LegSeen::InRoom),
        (doctor.clone(), LegSeen::InRoom),
        (asked.clone(), LegSeen::Up),
        (ringing.clone(), LegSeen::Ringing),
    ]);
    assert_eq!(view.legs, expected);
    assert_eq!(view.inbound.iter().map(|i| (&i.leg, i.to.as_str())).collect::<Vec<_>>(), [(&nurse, NIGHT)]);
    // The hand-over works in the talk that was found.
    night.network.press(DOCTOR, "9");
    assert_eq!(night.desk.keys(&doctor).await, (2, "9".to_owned()));
    // The question of before is taken back, and does not hold up what comes next.
    night.desk.say(&asked, 7, Prompt::Screen, key(8)).await;
    night.network.press(DEPUTY, "1");
    assert_eq!(night.desk.keys(&asked).await, (8, "1".to_owned()));
    night.desk.give(Command::Leave { leg: doctor.clone() }).await;
    let begun = Instant::now();
    night.join([&nurse, &asked], 9).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "a prompt of before held up the join");
    night.network.until_hears(DEPUTY, NURSE_VOICE).await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn whoever_picks_up_while_touban_is_away_is_taken_over_when_it_is_back() {
    let mut night = night().await;
    night.network.behaves(DOCTOR, "ring", json!({"tone": DOCTOR_VOICE})).await;
    let leg = night.desk.dial(1, DOCTOR, 25).await;
    night.desk.rings(&leg).await;
    let call = night.desk.call.clone();
    drop(night.desk);
    night.network.answer(DOCTOR);
    night.network.wait(DOCTOR, "up").await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_200) {
        breathe().await;
    }
    night.desk = Desk { call, ..Desk::open(night.pbx.settings()).await };
    let view = well(night.desk.bridge.snapshot(now()).await);
    assert!(view.legs.get(&leg).is_some_and(|seen| matches!(seen, LegSeen::UpElsewhere | LegSeen::Up)));
    night.desk.answered(&leg).await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn the_older_of_two_toubans_stops_giving_orders() {
    let mut night = night().await;
    let second = Desk::open(night.pbx.settings()).await;
    let heard = timeout(PATIENCE, async {
        loop {
            if let Err(why) = night.desk.events.next().await {
                return why;
            }
        }
    });
    assert_eq!(heard.await.unwrap(), BridgeError::Superseded);
    let order = night.desk.order(Command::CloseRoom);
    assert_eq!(night.desk.bridge.obey(&order).await, Err(BridgeError::Superseded));
    second.give(Command::CloseRoom).await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_bridge_that_dies_is_noticed_and_comes_back_as_another_one() {
    let mut night = night().await;
    night.nurse_calls().await;
    let before = well(night.desk.bridge.snapshot(now()).await);
    night.pbx.kill_and_restart().await;
    let lost = timeout(PATIENCE, night.desk.events.next()).await.unwrap();
    assert!(lost.as_ref().is_err_and(BridgeError::is_retryable), "{lost:?}");
    night.desk.events = well(night.desk.bridge.listen().await);
    let after = well(night.desk.bridge.snapshot(now()).await);
    assert_ne!(before.generation, after.generation);
    assert!(after.legs.is_empty());
    night.somebody_answers(1, DOCTOR, DOCTOR_VOICE).await;
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn with_touban_gone_the_bridge_rings_by_itself_and_still_nobody_is_joined_without_a_1() {
    let mut night = night().await;
    let lines = [DOCTOR, DEPUTY].map(|text| Line::read(text, &[]).unwrap()).to_vec();
    well(night.desk.bridge.set_fallback(&[Fallback { number: number(NIGHT), lines }]).await);
    drop(night.desk);
    // As the file alone says it: Asterisk has forgotten its variables.
    night.pbx.kill_and_restart().await;
    night.network.behaves(DOCTOR, "voicemail", json!({"tone": 1150})).await;
    night.network.behaves(DEPUTY, "answer", json!({"tone": DEPUTY_VOICE, "keys": "1"})).await;
    night.network.calls("nurse", Some(NURSE), "+81312345678", NURSE_VOICE);
    night.network.wait("nurse", "up").await;
    night.network.until_spoken_to("nurse").await;
    let (_, rang) = night.network.wait(DOCTOR, "rings").await;
    assert_eq!(rang["shows"], NIGHT);
    let begun = Instant::now();
    while night.network.told(DOCTOR, "over") == 0 {
        assert!(
            !night.network.hears("nurse").await.0.contains_key(&1150),
            "the nurse was joined with a machine"
        );
        assert!(begun.elapsed() < PATIENCE);
        breathe().await;
    }
    night.network.wait(DEPUTY, "rings").await;
    night.network.until_hears("nurse", DEPUTY_VOICE).await;
    night.network.until_hears(DEPUTY, NURSE_VOICE).await;
    night.desk = Desk::open(night.pbx.settings()).await;
    // A talk of the dialplan's own is not ours to touch.
    let view = well(night.desk.bridge.snapshot(now()).await);
    assert!(view.legs.is_empty() && view.inbound.is_empty(), "{view:?}");
    well(night.desk.bridge.set_fallback(&[]).await);
}

#[tokio::test]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn twenty_calls_at_once_all_talk() {
    let mut night = night().await;
    let pairs: Vec<(String, String)> =
        (0..20).map(|i| (format!("0422000{:03}", 100 + i), format!("09022220{i:03}"))).collect();
    let mut legs = Vec::new();
    for (nurse, doctor) in &pairs {
        night.network.behaves(doctor, "answer", json!({"tone": DOCTOR_VOICE})).await;
        night.network.calls(nurse, Some(nurse), NIGHT, NURSE_VOICE);
        let inbound = night.inbound().await;
        night.desk.give(Command::Answer { leg: inbound.clone() }).await;
        legs.push((CallId::new(now(), &SystemChance), inbound));
    }
    for ((call, nurse), (_, number)) in legs.iter().zip(&pairs) {
        night.desk.call = call.clone();
        let doctor = night.desk.dial(1, number, 25).await;
        night.desk.answered(&doctor).await;
        night.join([nurse, &doctor], 2).await;
    }
    for (nurse, doctor) in &pairs {
        night.network.until_hears(nurse, DOCTOR_VOICE).await;
        night.network.until_hears(doctor, NURSE_VOICE).await;
    }
    let view = well(night.desk.bridge.snapshot(now()).await);
    assert_eq!(view.legs.values().filter(|seen| **seen == LegSeen::InRoom).count(), 40);
}
