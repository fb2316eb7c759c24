//! The stage of one history: the real use cases on an SQLite database in memory, a clock and a chance that
//! the seed steers, crashes between statements, an invented association. What happens on it is elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use sha2::{Digest as _, Sha256};

use super::deeds::Call;
use super::post::{Letter, SimMail};
use super::promises::Seen;
use super::runners::SimRunner;
use super::{Broken, Settings, Tally};
use crate::app::access::{NewAccess, Scope, new_access, write_access};
use crate::app::people::{NewAssociation, NewInstitution, NewMember};
use crate::app::{App, AppError, Kit, Rules, Who};
use crate::domain::calendar::{Calendar, NightHours};
use crate::domain::dispatch::Plans;
use crate::domain::ledger::Tariffs;
use crate::domain::people::{Role, SpecialtyOffer, resolvable};
use crate::i18n::Lang;
use crate::ids::{AssociationId, Chance as _, InstitutionId, MemberId, RequestId, SeededChance};
use crate::seal::{Pin, Seal, Secret};
use crate::store::secrets::Vault;
use crate::store::{Command, Conn, Db, DbSettings, Faults, StoreError};
use crate::time::{Clock as _, ManualClock, Millis};

/// 2026-11-17T00:30:00Z: a Tuesday morning in Japan, so that hours of contact matter.
const START: Millis = Millis(1_794_875_400_000);
/// A lease lasts this long here, as in the delivered settings.
pub(super) const LEASE_S: i64 = 30;
/// The PIN of the one who has one; PINs are slow on purpose, so few histories type them.
pub(super) const PIN: &str = "4821";

/// The scheduler's own chance, apart from the program's.
#[derive(Debug)]
pub(super) struct Dice(SeededChance);

impl Dice {
    pub(super) fn below(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.0.below(bound)).unwrap_or(0)
    }

    pub(super) fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn seconds(&self, from: i64, to: i64) -> i64 {
        let span = usize::try_from(to - from).unwrap_or(0);
        from + i64::try_from(self.below(span)).unwrap_or(0)
    }

    pub(super) fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

/// Where a process died in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// Before a statement or before the commit: nothing of it may be left.
    Before,
    /// After the commit: the answer was lost.
    After,
}

/// Crashes that are armed for one command at a time.
#[derive(Debug)]
pub(super) struct SimFaults {
    /// Statements left until the crash; -1: none.
    before: AtomicI64,
    /// 1: armed after the commit.
    after: AtomicI64,
    /// 0 nothing, 1 before, 2 after.
    fired: AtomicU8,
}

impl SimFaults {
    fn arm(&self, crash: Crash, statements: i64) {
        match crash {
            Crash::Before => self.before.store(statements, Ordering::Relaxed),
            Crash::After => self.after.store(1, Ordering::Relaxed),
        }
    }

    fn disarm(&self) -> Option<Crash> {
        self.before.store(-1, Ordering::Relaxed);
        self.after.store(0, Ordering::Relaxed);
        match self.fired.swap(0, Ordering::Relaxed) {
            1 => Some(Crash::Before),
            2 => Some(Crash::After),
            _ => None,
        }
    }
}

impl Faults for SimFaults {
    fn crash_before(&self, _statement: &'static str) -> bool {
        let left = self.before.load(Ordering::Relaxed);
        if left >= 0 {
            self.before.store(left - 1, Ordering::Relaxed);
        }
        let now = left == 0;
        if now {
            self.fired.store(1, Ordering::Relaxed);
        }
        now
    }

    fn crash_after_commit(&self) -> bool {
        let now = self.after.swap(0, Ordering::Relaxed) == 1;
        if now {
            self.fired.store(2, Ordering::Relaxed);
        }
        now
    }
}

/// What became of one command.
#[derive(Debug)]
pub(super) enum Ack<T> {
    Answer(T),
    /// A refusal that is part of the contract.
    Refused(AppError),
    /// The process died; nobody got an answer.
    Crashed(Crash),
}

/// A volunteer or a doctor who asks.
#[derive(Debug)]
pub(super) struct Person {
    pub id: MemberId,
    pub email: String,
    /// The cookie of the phone they proved once.
    pub device: Secret,
    pub has_pin: bool,
    /// No mail server takes mail for this address.
    pub dead_address: bool,
    pub left: bool,
}

/// The history so far, one line per event, and its hash.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub lines: Vec<String>,
    pub hash: Sha256,
}

/// One history.
pub(super) struct Sim {
    /// With crashes.
    pub app: App,
    /// Without: for looking.
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub dice: Dice,
    faults: Arc<SimFaults>,
    pub port: Arc<SimMail>,
    pub home: AssociationId,
    pub askers: Vec<Person>,
    pub volunteers: Vec<Person>,
    pub coordinator: MemberId,
    /// A program that may act for others.
    pub program: Who,
    /// Two processes on one database, or one process with two workers.
    pub two_processes: bool,
    pub runners: Vec<SimRunner>,
    pub lives: u32,
    pub letters: Vec<Letter>,
    pub seen: Seen,
    pub calls: Vec<(Call, String)>,
    pub unanswered: Vec<Call>,
    pub keys_used: u32,
    pub ask_keys: BTreeSet<String>,
    pub names: BTreeMap<RequestId, String>,
    pub tally: Tally,
    pub log: Log,
    pub faults_on: bool,
    pub max_requests: usize,
    /// Counts every deed; the order of things where the clock stands still.
    pub no: u64,
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("no", &self.no).finish_non_exhaustive()
    }
}

fn unusable(what: &dyn fmt::Display) -> Broken {
    Broken::new("the stage can be built", what.to_string())
}

fn rules() -> Result<Rules, Broken> {
    let plans = Plans::parse("plans.toml", include_str!("../../config/plans.toml"), &resolvable);
    let urgent =
        Plans::parse("urgent.toml", include_str!("../../config/urgent.toml"), &crate::app::call::resolvable);
    let tariffs = Tariffs::parse("tariffs.toml", include_str!("../../config/tariffs.toml"), "simulated-1");
    let night = NightHours::new(18 * 60, 8 * 60).map_err(|e| unusable(&e))?;
    Ok(Rules {
        base_url: "https://touban.example.jp".to_owned(),
        mail_host: "touban.example.jp".to_owned(),
        plans: plans.map_err(|e| unusable(&e))?.replaced_by(urgent.map_err(|e| unusable(&e))?),
        tariffs: tariffs.map_err(|e| unusable(&e))?,
        calendar: Calendar::national("simulated-1", night),
        sign_in_life_s: 600,
        offer_life_max_s: 259_200,
        device_life_s: 7_776_000,
        session_idle_s: 1_800,
        session_max_s: 43_200,
        pin_tries_per_link: 5,
        pin_tries_total: 10,
        // Short, so that ladders are spent within a history.
        mail_retry_s: vec![60, 300, 900],
        urgent_mail_retry_s: vec![5, 15, 30],
        alarm_repeat_s: 600,
        lease_s: LEASE_S,
        poison_tries: 5,
        replay_keep_s: 604_800,
        recovery_delay_s: 86_400,
    })
}

/// A phone proven once, without the slow PIN.
struct Enrol {
    kit: Kit,
    association: AssociationId,
    member: MemberId,
    access: NewAccess,
}

impl Command for Enrol {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        write_access(tx, &self.kit, &self.association, &self.member, &self.access).await
    }
}

impl Sim {
    /// Builds the stage of a seed.
    pub(super) async fn build(seed: u64, settings: &Settings) -> Result<Self, Broken> {
        let dice = Dice(SeededChance::new(seed ^ 0x5DEE_CE66_D1CE_4E5B));
        let settings_db = DbSettings { url: "sqlite::memory:".to_owned(), connections: 1 };
        let db = Db::open(&settings_db).await.map_err(|e| unusable(&e))?;
        db.migrate(START).await.map_err(|e| unusable(&e))?;
        let clock = Arc::new(ManualClock::at(START.plus_s(dice.seconds(0, 86_400))));
        let chance = Arc::new(SeededChance::new(seed));
        let seal = Seal::in_memory(chance.as_ref());
        let vault = Vault { seal, chance };
        let faults = Arc::new(SimFaults {
            before: AtomicI64::new(-1),
            after: AtomicI64::new(0),
            fired: AtomicU8::new(0),
        });
        let app = App::new(db.with_faults(faults.clone()), vault, clock.clone(), rules()?);
        let built = Self::people(&app, &dice, seed).await.map_err(|e| unusable(&e))?;
        let (home, askers, volunteers, coordinator, program) = built;
        let two_processes = dice.one_in(2);
        let runners = (0..2).map(|n| SimRunner::new(if two_processes { n } else { 0 })).collect();
        let mut sim = Self {
            app,
            db,
            clock,
            dice,
            faults,
            port: Arc::default(),
            home,
            askers,
            volunteers,
            coordinator,
            program,
            two_processes,
            runners,
            lives: 0,
            letters: Vec::new(),
            seen: Seen::default(),
            calls: Vec::new(),
            unanswered: Vec::new(),
            keys_used: 0,
            ask_keys: BTreeSet::new(),
            names: BTreeMap::new(),
            tally: Tally::default(),
            log: Log::default(),
            faults_on: true,
            max_requests: settings.requests,
            no: 0,
        };
        sim.start_observing().await?;
        Ok(sim)
    }

    async fn people(
        app: &App,
        dice: &Dice,
        seed: u64,
    ) -> Result<(AssociationId, Vec<Person>, Vec<Person>, MemberId, Who), AppError> {
        let home = app
            .association_add(NewAssociation {
                code: "aoba".to_owned(),
                name: "青葉市医師会".to_owned(),
                zone: chrono_tz::Asia::Tokyo,
                office_phone: "022-000-0100".to_owned(),
                lang: Lang::Ja,
            })
            .await?;
        let who = Who::cli(&home);
        let mut askers = Vec::new();
        for n in 0..2 {
            let institution = institution(app, &who, n).await?;
            askers.push(person(app, &who, n, Some(institution), Role::Physician, None, None).await?);
        }
        let mut volunteers = Vec::new();
        // Five or six: more than the first wave asks at once, few enough to run out.
        for n in 10..15 + dice.below(2) {
            let offer = SpecialtyOffer {
                specialty: "dermatology".to_owned(),
                visits: dice.one_in(2),
                areas: Vec::new(),
                days: Vec::new(),
                from_min: if dice.one_in(4) { 9 * 60 } else { 0 },
                to_min: if dice.one_in(2) { 17 * 60 } else { 0 },
                monthly_cap: dice.one_in(4).then_some(1),
            };
            let offer = if offer.from_min == 0 { SpecialtyOffer { to_min: 0, ..offer } } else { offer };
            let pin = if n == 10 && seed.is_multiple_of(32) { Pin::parse(PIN).ok() } else { None };
            let institution = institution(app, &who, n).await?;
            let mut volunteer =
                person(app, &who, n, Some(institution), Role::Specialist, Some(offer), pin.as_ref()).await?;
            volunteer.dead_address = dice.one_in(5);
            volunteers.push(volunteer);
        }
        let coordinator = person(app, &who, 90, None, Role::Coordinator, None, None).await?;
        let (key, _) = app.key_add(&who, "連携", &[Scope::Request, Scope::ActFor]).await?;
        let program = Who::key(&home, &key, None);
        Ok((home, askers, volunteers, coordinator.id, program))
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(super) fn say(&mut self, line: &str) {
        let line = format!("{:>5} {} {line}", self.no, self.now());
        self.log.hash.update(line.as_bytes());
        self.log.hash.update(b"\n");
        self.log.lines.push(line);
    }

    /// Runs one command, now and then with a crash inside it. The store may fail in no other way.
    pub(super) async fn attempt<T>(
        &mut self,
        deed: impl Future<Output = Result<T, AppError>>,
    ) -> Result<Ack<T>, Broken> {
        if self.faults_on && self.dice.one_in(12) {
            let crash = if self.dice.one_in(3) { Crash::After } else { Crash::Before };
            let statements = i64::try_from(self.dice.below(28)).unwrap_or(0);
            self.faults.arm(crash, statements);
        }
        let outcome = deed.await;
        let fired = self.faults.disarm();
        match (outcome, fired) {
            (Err(AppError::Store(StoreError::Crashed { .. })), Some(crash)) => {
                self.tally.count(match crash {
                    Crash::Before => "crash between statements",
                    Crash::After => "crash after a commit",
                });
                self.say(&format!("the process died ({crash:?})"));
                Ok(Ack::Crashed(crash))
            }
            (Ok(answer), _) => Ok(Ack::Answer(answer)),
            (Err(AppError::Store(e)), _) => {
                Err(Broken::new("the store serves every command", crate::app::verify::chain_of(&e)))
            }
            (Err(refused), _) => Ok(Ack::Refused(refused)),
        }
    }
}

pub(super) async fn institution(app: &App, who: &Who, n: usize) -> Result<InstitutionId, AppError> {
    let new = NewInstitution {
        name: format!("青葉クリニック{n}"),
        kind: "clinic".to_owned(),
        area: "青葉北".to_owned(),
        city_code: "041009".to_owned(),
        phone: None,
        ..NewInstitution::default()
    };
    Ok(app.institution_add(who, new, None).await?.into_inner())
}

async fn person(
    app: &App,
    who: &Who,
    n: usize,
    institution: Option<InstitutionId>,
    role: Role,
    offer: Option<SpecialtyOffer>,
    pin: Option<&Pin>,
) -> Result<Person, AppError> {
    let email = format!("member{n}@example.jp");
    let new = NewMember {
        name: format!("会員{n}"),
        kana: String::new(),
        institution,
        email: Some(email.clone()),
        phone: None,
        roles: vec![role],
        lang: if n.is_multiple_of(3) { Lang::En } else { Lang::Ja },
        specialties: offer.into_iter().collect(),
        ..NewMember::default()
    };
    let id = app.member_add(who, new, pin, None).await?.into_inner();
    let (access, cookies) = new_access(app, true);
    let association = who.association.clone();
    app.db.run(Enrol { kit: app.kit(), association, member: id.clone(), access }).await?;
    let device = cookies.device.ok_or(AppError::NotFound)?;
    Ok(Person { id, email, device, has_pin: pin.is_some(), dead_address: false, left: false })
}
