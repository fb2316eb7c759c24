//! Nights on the same stage: a nurse dials, phones ring, and a telephone network that loses, doubles and shuffles what
//! it tells, forgets its answers and starts anew, while the process dies between any two statements. The promises of
//! calls are looked at after every command; `calls` says what they are.

use std::collections::{BTreeMap, BTreeSet};

use super::Broken;
use super::stage::{Ack, Sim, institution};
use crate::app::call::settings::{CallSettings, InstitutionCalls};
use crate::app::call::{CallOrder, CallTold, Given, Seen, Todo};
use crate::app::people::NewMember;
use crate::app::rota::changes::NewOverride;
use crate::app::{AppError, Who};
use crate::domain::call::number::{Number, Reading, read};
use crate::domain::call::{
    Call, Cause, Collect, Command, Event, Gather, LegId, LegSeen, LegState, PinVerdict, Stage,
};
use crate::domain::dispatch;
use crate::domain::people::Role;
use crate::domain::rota::RotaRole;
use crate::ids::{CallId, MemberId};
use crate::store::call::LoadedCall;
use crate::time::{Millis, Window};

/// Deeds of a night under faults.
const DEEDS: usize = 300;
/// Calls of a night at most.
const CALLS_MAX: u32 = 2;
/// Rounds until a night must have come to rest.
const PATIENCE: usize = 1_500;
/// Waits that may be over in one moment.
const WAITS: usize = 200;
const NIGHT: &str = "042-000-0099";
const NURSE: &str = "042-000-5000";
const MESSAGE: &[u8] = b"RIFF....WAVEfmt ................data....";

/// One line as the network holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub up: bool,
    pub in_room: bool,
    gather: Option<Gather>,
    play: Option<u32>,
}

/// What the network has to tell.
#[derive(Clone, Debug)]
enum Told {
    In { leg: LegId },
    Leg { leg: LegId, event: Event },
    Keys { leg: LegId, gather: Gather, digits: &'static str },
    Recorded { call: CallId, recording: u32 },
}

/// How often a phone was rung for one name, and how often nobody knew whether it had been.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dialled {
    pub copies: u32,
    pub doubts: u32,
}

/// The telephone network of a night, and who is on duty.
#[derive(Debug)]
pub(super) struct Network {
    pub lines: BTreeMap<LegId, Line>,
    pub dialled: BTreeMap<LegId, Dialled>,
    /// Lines on which the right PIN was keyed.
    pub right: BTreeSet<LegId>,
    /// Calls as last seen.
    pub calls: BTreeMap<CallId, Call>,
    /// From when on who is on, as it was recorded.
    duty: BTreeMap<RotaRole, Vec<(Millis, MemberId)>>,
    people: Vec<MemberId>,
    told: Vec<Told>,
    generation: u32,
    pub connected: bool,
    inbound: u32,
}

impl Network {
    /// Who is on at a moment: of what is in force, what was recorded last.
    pub(super) fn on_duty(&self, role: RotaRole, at: Millis) -> Option<&MemberId> {
        let in_force = self.duty.get(&role)?.iter().filter(|(from, _)| *from <= at);
        in_force.max_by_key(|(from, _)| *from).map(|(_, person)| person)
    }

    /// Nobody hears of these: how their lines ended is in doubt.
    fn forgets(&mut self, lost: &[Told]) {
        for told in lost {
            if let Told::Leg { leg, .. } | Told::Keys { leg, .. } = told {
                self.dialled.entry(leg.clone()).or_default().doubts += 1;
            }
        }
    }
}

fn stopped(e: &AppError) -> Broken {
    Broken::new("the stage can be built", crate::app::verify::chain_of(e))
}

fn number(text: &str) -> Option<Number> {
    match read(text) {
        Reading::Number(number) => Some(number),
        _ => None,
    }
}

impl Sim {
    /// One night after the requests have come to rest.
    pub(super) async fn night(&mut self) -> Result<(), Broken> {
        self.say("night falls");
        let mut net = Box::pin(self.nightfall()).await.map_err(|e| stopped(&e))?;
        self.faults_on = true;
        for _ in 0..DEEDS {
            self.no += 1;
            if Box::pin(self.night_deed(&mut net)).await? {
                self.look_at_calls(&mut net).await?;
            }
        }
        Box::pin(self.morning(&mut net)).await
    }

    async fn nightfall(&mut self) -> Result<Network, AppError> {
        let (app, who) = (self.app.clone(), Who::cli(&self.home));
        let clinic = institution(&app, &who, 70).await?;
        let station = institution(&app, &who, 71).await?;
        let mut people = Vec::new();
        for n in 1..=4 {
            let role = if n == 4 { Role::Coordinator } else { Role::Physician };
            let new = NewMember {
                name: format!("当番{n}"),
                institution: Some(clinic.clone()),
                phone: Some(format!("090-0000-000{n}")),
                roles: vec![role],
                ..NewMember::default()
            };
            people.push(app.member_add(&who, new, None, None).await?.into_inner());
        }
        let mut settings =
            CallSettings { numbers: number(NIGHT).into_iter().collect(), ..CallSettings::default() };
        settings.together = self.dice.one_in(2);
        let code = InstitutionCalls { code: "12".to_owned(), ..InstitutionCalls::default() };
        settings.institutions.insert(clinic, code);
        let lines =
            InstitutionCalls { lines: number(NURSE).into_iter().collect(), ..InstitutionCalls::default() };
        settings.institutions.insert(station, lines);
        app.call_settings_put(&who, 0, settings).await?;
        let mut net = Network {
            lines: BTreeMap::new(),
            dialled: BTreeMap::new(),
            right: BTreeSet::new(),
            calls: BTreeMap::new(),
            duty: BTreeMap::new(),
            people,
            told: Vec::new(),
            generation: 1,
            connected: true,
            inbound: 0,
        };
        self.puts_on_duty(&mut net, RotaRole::Primary, 0).await?;
        self.puts_on_duty(&mut net, RotaRole::Deputy, 1).await?;
        app.calls_seen(&self.holds(&net), None).await?;
        Ok(net)
    }

    async fn puts_on_duty(&self, net: &mut Network, role: RotaRole, n: usize) -> Result<(), AppError> {
        let Some(person) = net.people.get(n).cloned() else { return Ok(()) };
        let now = self.now();
        let on = NewOverride {
            area: "all".parse().map_err(|_| AppError::NotFound)?,
            role,
            window: Window { from: now, to: now.plus_s(10 * 86_400) },
            person: Some(person.clone()),
            institution: None,
            reason: String::new(),
            recorded_at: None,
        };
        self.app.rota_override_add(&Who::cli(&self.home), on, None).await?;
        net.duty.entry(role).or_default().push((now, person));
        Ok(())
    }

    fn holds(&self, net: &Network) -> Seen {
        let seen = |line: &Line| match (line.up, line.in_room) {
            (false, _) => LegSeen::Ringing,
            (true, false) => LegSeen::Up,
            (true, true) => LegSeen::InRoom,
        };
        Seen {
            generation: net.generation.to_string(),
            taken: self.now(),
            legs: net.lines.iter().map(|(id, line)| (id.clone(), seen(line))).collect(),
        }
    }

    /// One deed; whether the program may have written something down.
    async fn night_deed(&mut self, net: &mut Network) -> Result<bool, Broken> {
        let deed = self.dice.below(102);
        if (50..84).contains(&deed) {
            for _ in 0..2 {
                self.somebody_acts(net);
            }
            return Ok(false);
        }
        let done = match deed {
            0..3 if net.inbound < CALLS_MAX && net.connected => {
                net.inbound += 1;
                let leg = LegId::inbound(&format!("SIP/{}", net.inbound));
                net.lines.insert(leg.clone(), Line::default());
                self.say(&format!("{leg:?} dials the night number"));
                net.told.push(Told::In { leg });
                Ok(())
            }
            0..25 => self.gives_orders(net).await,
            25..84 => {
                self.hears(net).await?;
                self.hears(net).await
            }
            84..94 => {
                let seconds = self.dice.seconds(0, 4);
                self.night_passes(net, seconds).await
            }
            // Long enough for phones that nobody picks up, and seldom enough for one that somebody does.
            94 if self.dice.one_in(2) => {
                let seconds = self.dice.seconds(20, 100);
                self.night_passes(net, seconds).await
            }
            95 => {
                self.tally.count("the bridge was lost with calls open");
                net.connected = false;
                let anew = self.dice.one_in(2);
                self.bridge_is_back(net, anew).await
            }
            96 => {
                self.tally.count("killed with calls open");
                self.bridge_is_back(net, false).await
            }
            97 => {
                let role = if self.dice.one_in(2) { RotaRole::Primary } else { RotaRole::Deputy };
                let n = self.dice.below(3);
                // Two changes recorded in one moment have no order; who is rung before it is rung for the old duty.
                self.night_passes(net, 1).await?;
                self.look_at_calls(net).await?;
                self.say(&format!("{} is person {n} from now on", role.code()));
                self.puts_on_duty(net, role, n).await.map_err(|e| stopped(&e))
            }
            98 => self.forged(net).await,
            99..101 => self.clock_is_set(net).await,
            _ => self.hands_over_or_reports(net).await,
        };
        done.map(|()| true)
    }

    /// The machine's clock is set by hours: what is left of every wait is what it was, and nothing comes of it.
    async fn clock_is_set(&mut self, net: &mut Network) -> Result<(), Broken> {
        self.waits_are_seen_to(net).await?;
        self.look_at_calls(net).await?;
        // Short ones count too: what lasts longer than they do is not hidden by them.
        let most = if self.dice.one_in(3) { 30 } else { 10_800 };
        let by_s = self.dice.seconds(3, most) * if self.dice.one_in(2) { 1 } else { -1 };
        // Never by whole seconds: what was saved before must not look as if it had been saved just now.
        let by_ms = by_s * 1_000 + self.dice.seconds(1, 1_000);
        let (before, then) = (self.calls_as_stored().await?, self.now());
        self.clock.set(then.plus_ms(by_ms));
        self.say(&format!("the clock is set by {by_ms} ms"));
        let app = self.app.clone();
        app.calls_clock_set(by_ms, 0).await.map_err(|e| stopped(&e))?;
        let set = self.calls_as_stored().await?;
        let now = self.now();
        for (one, other) in before.iter().zip(&set) {
            let left = |l: &LoadedCall, now: Millis| {
                let plan = dispatch::next_due(&l.request).filter(|_| l.call.stage.is_seeking());
                let own = crate::domain::call::next_due(&l.call);
                [own, plan].map(|due| due.map(|at| at.since_ms(now)))
            };
            // By an hour of the day a report is due, not so long after the call.
            if matches!(one.call.stage, Stage::ReportDue { .. } | Stage::Over { .. }) {
                continue;
            }
            let (left, still) = (left(one, then), left(other, now));
            if left != still {
                let why = format!("call {}: {left:?} {still:?}", one.call.id);
                return Err(Broken::new("a clock that is set begins no wait and ends none", why));
            }
            self.tally.count("the clock was set with calls open");
        }
        self.waits_are_seen_to(net).await?;
        self.look_at_calls(net).await
    }

    /// An event of a line that nobody knows changes nothing.
    async fn forged(&mut self, net: &Network) -> Result<(), Broken> {
        let leg = LegId::inbound("SIP/forged");
        let event = Event::Answered { leg: leg.clone() };
        let before = self.calls_as_stored().await?;
        let app = self.app.clone();
        if let Ack::Answer(true) = self.attempt(app.call_event(&leg, event)).await? {
            return Err(Broken::new("an event of a line nobody knows is refused", String::new()));
        }
        let same = before.iter().map(|l| &l.call).eq(self.calls_as_stored().await?.iter().map(|l| &l.call));
        if same && before.len() >= net.calls.len() {
            Ok(())
        } else {
            Err(Broken::new("an event of a line nobody knows changes nothing", String::new()))
        }
    }

    async fn hands_over_or_reports(&mut self, net: &mut Network) -> Result<(), Broken> {
        let taken: Vec<(CallId, MemberId, bool)> = net
            .calls
            .values()
            .filter_map(|c| {
                let person = c.taker.as_ref()?.person.clone();
                Some((c.id.clone(), person, matches!(c.stage, Stage::ReportDue { .. })))
            })
            .collect();
        let Some((call, person, due)) = self.dice.pick(&taken).cloned() else { return Ok(()) };
        let (app, who) = (self.app.clone(), Who::member(&self.home, &person));
        let died = if due {
            let told = CallTold {
                outcome: "phone_only".to_owned(),
                place: String::new(),
                text: String::new(),
                minutes: None,
            };
            matches!(self.attempt(app.call_report(&who, &call, &person, told, None)).await?, Ack::Crashed(_))
        } else {
            matches!(self.attempt(app.call_hand_over(&who, &call, &person)).await?, Ack::Crashed(_))
        };
        if died { self.bridge_is_back(net, false).await } else { Ok(()) }
    }

    // ---- the bridge -------------------------------------------------------------------------------

    /// The connection is back, or another process is: nothing is told again, only a look is taken.
    async fn bridge_is_back(&mut self, net: &mut Network, anew: bool) -> Result<(), Broken> {
        let faults = std::mem::replace(&mut self.faults_on, false);
        let app = self.app.clone();
        let lost = std::mem::take(&mut net.told);
        net.forgets(&lost);
        // An order that nobody could say was given is given once more.
        for loaded in self.calls_as_stored().await? {
            for (id, leg) in loaded.call.legs {
                if matches!(leg.state, LegState::Dialing { .. } | LegState::Waiting) {
                    net.dialled.entry(id).or_default().doubts += 1;
                }
            }
        }
        net.connected = true;
        if anew {
            net.generation += 1;
            for leg in std::mem::take(&mut net.lines).into_keys() {
                net.dialled.entry(leg).or_default().doubts += 1;
            }
        }
        self.say(if anew { "the bridge started anew" } else { "the bridge is looked at again" });
        let (seen, life) = (self.holds(net), net.generation.to_string());
        let inbound: Vec<LegId> =
            net.lines.keys().filter(|id| id.as_str().starts_with("SIP/")).cloned().collect();
        let back = async {
            app.calls_bridge_down().await?;
            app.calls_seen(&seen, None).await?;
            for leg in &inbound {
                app.call_comes_in(leg, (NURSE, NIGHT), &life).await?;
            }
            Ok(())
        };
        let done = self.attempt(back).await;
        self.faults_on = faults;
        done.map(drop)
    }

    async fn gives_orders(&mut self, net: &mut Network) -> Result<(), Broken> {
        let app = self.app.clone();
        let orders = match self.attempt(app.call_orders()).await? {
            Ack::Answer(orders) => orders,
            Ack::Crashed(_) | Ack::Refused(_) => return self.bridge_is_back(net, false).await,
        };
        let mut waits = BTreeSet::new();
        for order in orders {
            if waits.contains(&order.call) {
                continue;
            }
            let given = self.give(net, &order).await?;
            if matches!(given, Given::Unknown { .. }) {
                waits.insert(order.call.clone());
                doubt(net, &order);
            }
            if let Ack::Crashed(_) = self.attempt(app.call_order_given(&order, given)).await? {
                doubt(net, &order);
                return self.bridge_is_back(net, false).await;
            }
        }
        Ok(())
    }

    async fn give(&mut self, net: &mut Network, order: &CallOrder) -> Result<Given, Broken> {
        let app = self.app.clone();
        match &order.todo {
            Todo::Bridge(command) => self.obey(net, &order.call, command)?,
            Todo::Keep { recording } => {
                let keep = app.call_message_keep(order, *recording, Some(MESSAGE));
                self.attempt(keep).await?;
            }
            Todo::Look => {
                // What is told but not heard yet is in doubt for whoever looks now.
                let on_its_way = net.told.clone();
                net.forgets(&on_its_way);
                let seen = self.holds(net);
                self.attempt(app.calls_seen(&seen, Some(&order.call))).await?;
            }
        }
        if self.faults_on && self.dice.one_in(15) {
            self.tally.count("an order in doubt");
            return Ok(Given::Unknown { reason: "no answer".to_owned() });
        }
        Ok(Given::Done)
    }

    fn obey(&mut self, net: &mut Network, call: &CallId, command: &Command) -> Result<(), Broken> {
        let mut tell = Vec::new();
        match command {
            Command::Dial { leg, .. } => {
                self.say(&format!("{leg:?} is dialled"));
                super::calls::may_ring(net, call, leg)?;
                net.lines.entry(leg.clone()).or_default();
            }
            Command::Answer { leg } => {
                if let Some(line) = net.lines.get_mut(leg) {
                    line.up = true;
                }
            }
            Command::Prompt { leg, play, gather, .. } => {
                if let Some(line) = net.lines.get_mut(leg) {
                    (line.play, line.gather) = (Some(*play), *gather);
                }
            }
            Command::Hush { leg } => {
                if let Some(line) = net.lines.get_mut(leg) {
                    (line.play, line.gather) = (None, None);
                }
            }
            Command::Join { legs, .. } => {
                if legs.iter().all(|leg| net.lines.get(leg).is_some_and(|l| l.up)) {
                    for leg in legs {
                        if let Some(line) = net.lines.get_mut(leg) {
                            line.in_room = true;
                        }
                        tell.push((leg.clone(), Event::Joined { leg: leg.clone() }));
                    }
                }
            }
            Command::Leave { leg } => {
                if let Some(line) = net.lines.get_mut(leg).filter(|l| l.in_room) {
                    line.in_room = false;
                    tell.push((leg.clone(), Event::Left { leg: leg.clone() }));
                }
            }
            Command::HangUp { leg, .. } => {
                if net.lines.remove(leg).is_some() {
                    tell.push((leg.clone(), Event::Ended { leg: leg.clone(), cause: Cause::HungUp }));
                }
            }
            Command::CloseRoom => {
                for (_, line) in net.lines.iter_mut().filter(|(id, _)| id.call().as_ref() == Some(call)) {
                    line.in_room = false;
                }
            }
            Command::Record { recording, .. } => {
                net.told.push(Told::Recorded { call: call.clone(), recording: *recording });
            }
            Command::StopRecording { .. } | Command::DeleteRecording { .. } => {}
        }
        net.told.extend(tell.into_iter().map(|(leg, event)| Told::Leg { leg, event }));
        Ok(())
    }

    /// The network tells something: in its order or not, once, twice or never.
    async fn hears(&mut self, net: &mut Network) -> Result<(), Broken> {
        if net.told.is_empty() || !net.connected {
            return Ok(());
        }
        let at = if self.faults_on && self.dice.one_in(4) { self.dice.below(net.told.len()) } else { 0 };
        let Some(told) = net.told.get(at).cloned() else { return Ok(()) };
        if self.faults_on && self.dice.one_in(12) {
            self.tally.count("an event was lost");
            let lost = net.told.remove(at);
            net.forgets(&[lost]);
            return Ok(());
        }
        if self.faults_on && self.dice.one_in(10) {
            self.tally.count("an event was told twice");
        } else {
            net.told.remove(at);
        }
        self.say(&format!("told: {told:?}"));
        let app = self.app.clone();
        let died = match told {
            Told::In { leg } => {
                let life = net.generation.to_string();
                matches!(self.attempt(app.call_comes_in(&leg, (NURSE, NIGHT), &life)).await?, Ack::Crashed(_))
            }
            Told::Leg { leg, event } => {
                matches!(self.attempt(app.call_event(&leg, event)).await?, Ack::Crashed(_))
            }
            Told::Keys { leg, gather, digits } => {
                let keys = app.call_keys(&leg, gather.number, gather.what, digits);
                matches!(self.attempt(keys).await?, Ack::Crashed(_))
            }
            Told::Recorded { call, recording } => {
                let over = app.call_recorded(&call, recording, true);
                matches!(self.attempt(over).await?, Ack::Crashed(_))
            }
        };
        if died { self.bridge_is_back(net, false).await } else { Ok(()) }
    }

    // ---- people -----------------------------------------------------------------------------------

    fn somebody_acts(&mut self, net: &mut Network) {
        let all: Vec<LegId> = net.lines.keys().cloned().collect();
        let Some(leg) = self.dice.pick(&all).cloned() else { return };
        let Some(line) = net.lines.get_mut(&leg) else { return };
        let of = |event| Told::Leg { leg: leg.clone(), event };
        let theirs = leg.call().is_some();
        let ends = |cause| Event::Ended { leg: leg.clone(), cause };
        let mut gone = false;
        let told = if !line.up {
            match self.dice.below(12) {
                _ if !theirs => return,
                0..3 => of(Event::Ringing { leg: leg.clone() }),
                3..10 => {
                    line.up = true;
                    of(Event::Answered { leg: leg.clone() })
                }
                10 => {
                    gone = true;
                    of(ends(Cause::Busy))
                }
                _ => {
                    gone = true;
                    of(ends(Cause::Rejected))
                }
            }
        } else if self.dice.one_in(if line.in_room { 6 } else { 70 }) {
            gone = true;
            of(ends(Cause::HungUp))
        } else if line.in_room {
            return;
        } else if let Some(play) = line.play.filter(|_| line.gather.is_none() || self.dice.one_in(3)) {
            line.play = None;
            of(Event::PromptEnded { leg: leg.clone(), play })
        } else if let Some(gather) = line.gather {
            match gather.what {
                Collect::Key => {
                    let digits = self
                        .dice
                        .pick(&["1", "1", "1", "1", "1", "1", "1", "2", "3", "7"])
                        .copied()
                        .unwrap_or("1");
                    Told::Keys { leg: leg.clone(), gather, digits }
                }
                Collect::Code => Told::Keys {
                    leg: leg.clone(),
                    gather,
                    digits: self.dice.pick(&["12", "0", "99"]).copied().unwrap_or("0"),
                },
                // The check of a PIN is slow on purpose; what it says is all that counts here.
                Collect::Pin => {
                    let right = !self.dice.one_in(5);
                    if right {
                        net.right.insert(leg.clone());
                    }
                    let verdict = if right { PinVerdict::Right } else { PinVerdict::Wrong };
                    of(Event::Pin { leg: leg.clone(), gather: gather.number, verdict })
                }
            }
        } else {
            return;
        };
        if gone {
            net.lines.remove(&leg);
        }
        net.told.push(told);
    }

    // ---- time -------------------------------------------------------------------------------------

    async fn night_passes(&mut self, net: &mut Network, seconds: i64) -> Result<(), Broken> {
        self.clock.advance_s(seconds);
        self.waits_are_seen_to(net).await
    }

    async fn waits_are_seen_to(&mut self, net: &mut Network) -> Result<(), Broken> {
        let app = self.app.clone();
        for _ in 0..WAITS {
            match self.attempt(app.calls_due()).await? {
                Ack::Answer(Some(next)) if next <= self.now() => {}
                Ack::Answer(_) => return Ok(()),
                Ack::Crashed(_) | Ack::Refused(_) => self.bridge_is_back(net, false).await?,
            }
        }
        Err(Broken::new("no wait is over again and again in one moment", String::new()))
    }

    /// The faults are over: every call comes to rest, is told or closed, and leaves no line behind.
    async fn morning(&mut self, net: &mut Network) -> Result<(), Broken> {
        self.faults_on = false;
        self.say("the faults of the night are over");
        self.bridge_is_back(net, false).await?;
        let mut rests = false;
        for _ in 0..PATIENCE {
            self.no += 1;
            self.gives_orders(net).await?;
            if !net.told.is_empty() {
                self.hears(net).await?;
                self.look_at_calls(net).await?;
                continue;
            }
            self.waits_are_seen_to(net).await?;
            self.look_at_calls(net).await?;
            let resting = |s: &Stage| {
                matches!(
                    s,
                    Stage::LastResort { .. }
                        | Stage::ReportDue { .. }
                        | Stage::Talking { .. }
                        | Stage::Over { .. }
                )
            };
            rests = net.calls.values().all(|c| resting(&c.stage));
            if rests {
                break;
            }
            self.clock.advance_s(1);
        }
        if !rests {
            let open: Vec<&Stage> = net.calls.values().map(|c| &c.stage).collect();
            return Err(Broken::new("every call comes to rest", format!("{open:?}")));
        }
        self.everything_is_ended(net).await?;
        self.books_of_the_night(net).await
    }

    async fn everything_is_ended(&mut self, net: &mut Network) -> Result<(), Broken> {
        let (app, office) = (self.app.clone(), Who::cli(&self.home));
        let open: Vec<Call> =
            net.calls.values().filter(|c| !matches!(c.stage, Stage::Over { .. })).cloned().collect();
        for call in open {
            let told = CallTold {
                outcome: "visited".to_owned(),
                place: String::new(),
                text: String::new(),
                minutes: Some(20),
            };
            let reports = matches!(call.stage, Stage::ReportDue { .. }) && self.dice.one_in(2);
            let done = match &call.taker {
                Some(taker) if reports => {
                    let who = Who::member(&self.home, &taker.person);
                    app.call_report(&who, &call.id, &taker.person, told, None).await
                }
                _ => app.call_close(&office, &call.id).await.map(drop),
            };
            done.map_err(|e| Broken::new("a call can be ended", crate::app::verify::chain_of(&e)))?;
        }
        for _ in 0..PATIENCE {
            self.gives_orders(net).await?;
            self.hears(net).await?;
            if net.told.is_empty() && net.lines.is_empty() {
                break;
            }
            self.night_passes(net, 1).await?;
        }
        self.look_at_calls(net).await
    }
}

fn doubt(net: &mut Network, order: &CallOrder) {
    if let Todo::Bridge(Command::Dial { leg, .. }) = &order.todo {
        net.dialled.entry(leg.clone()).or_default().doubts += 1;
    }
}
