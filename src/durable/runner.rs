//! The workers: one group per lane, so that one lane's slowness never holds another's. Owns the only sleep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::retry::next_try;
use super::reviews::{Reviews, Rounds};
use super::schedule::Schedule;
use crate::app::outbox::{MailToSend, Sent, Task};
use crate::app::rota::notices::Told;
use crate::app::verify::chain_of;
use crate::app::{App, AppError};
use crate::domain::calendar::CivilDate;
use crate::ids::AssociationId;
use crate::ports::mail::{MailError, MailPort, OutgoingMail};
use crate::store::jobs::{Job, Lane};
use crate::time::Millis;

/// How the runner is set up.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    /// This life of the process; leases carry it.
    pub boot_id: String,
    pub from: String,
    pub reply_to: Option<String>,
    /// The workers look at least this often.
    pub poll: Duration,
    pub mail_workers: u32,
    pub urgent_workers: u32,
    pub self_check: Duration,
    /// What runs by the wall clock of each association.
    pub housekeeping: Schedule,
    /// When people are asked to look at their entries of the directory.
    pub reviews: Reviews,
    /// At a stop, running work may take this long.
    pub stop: Duration,
}

/// The workers of one process.
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
    patience: Duration,
}

/// One worker's share of what all of them need.
#[derive(Clone, Debug)]
struct Worker {
    app: App,
    mail: Arc<dyn MailPort>,
    settings: Arc<RunnerSettings>,
    stop: watch::Receiver<bool>,
}

impl Runner {
    /// Starts the workers.
    ///
    /// # Errors
    /// The store's, when what an earlier life left behind cannot be taken over.
    pub async fn start(
        app: App,
        mail: Arc<dyn MailPort>,
        settings: RunnerSettings,
    ) -> Result<Self, AppError> {
        if app.db.is_sqlite() {
            // One process on one file: whoever held a lease is gone.
            let taken_over = app.work_of_earlier_lives(&settings.boot_id).await?;
            if taken_over > 0 {
                info!(taken_over, "Taking over {taken_over} pieces of work that an earlier life had begun");
            }
        }
        let (stop, stopped) = watch::channel(false);
        let patience = settings.stop;
        let worker = Worker { app, mail, settings: Arc::new(settings), stop: stopped };
        let mut workers = JoinSet::new();
        let lanes = [
            ((Lane::Urgent, Lane::Urgent), worker.settings.urgent_workers),
            ((Lane::Wake, Lane::Wake), 1),
            ((Lane::Mail, Lane::Mail), worker.settings.mail_workers),
            ((Lane::Reports, Lane::Reports), 1),
        ];
        for (lanes, count) in lanes {
            for _ in 0..count {
                let worker = worker.clone();
                workers.spawn(async move { supervise(worker, lanes).await });
            }
        }
        let checker = worker.clone();
        workers.spawn(async move { checker.self_checks().await });
        workers.spawn(async move { worker.schedules().await });
        Ok(Self { stop, workers, patience })
    }

    /// Takes no new work and waits for what is running.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(self.patience, all).await.is_err() {
            warn!("Some work was still running at the stop; its lease runs out and it is done again");
        }
    }
}

/// A worker that panicked is started again; the item it held is due again when its lease runs out.
async fn supervise(worker: Worker, lanes: (Lane, Lane)) {
    loop {
        let run = tokio::spawn(worker.clone().work(lanes));
        match run.await {
            Ok(()) => return,
            Err(e) => {
                error!(lane = ?lanes.0, error = %e, "A worker of lane {:?} broke off; starting it again", lanes.0);
                if worker.rest(lanes.0, Duration::from_secs(1)).await {
                    return;
                }
            }
        }
    }
}

impl Worker {
    /// Waits; `true` when the process is stopping.
    #[expect(clippy::disallowed_methods, reason = "the runner owns the only sleep")]
    async fn rest(&self, lane: Lane, longest: Duration) -> bool {
        let mut stop = self.stop.clone();
        if *stop.borrow_and_update() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(longest) => {}
            () = self.app.db.work(lane).notified() => {}
            _ = stop.changed() => {}
        }
        *self.stop.borrow()
    }

    async fn work(self, lanes: (Lane, Lane)) {
        loop {
            if *self.stop.borrow() {
                return;
            }
            match self.once(lanes).await {
                Ok(true) => {
                    // More may be waiting than this worker: pass the word on.
                    self.app.db.work(lanes.0).notify_one();
                }
                Ok(false) => {
                    if self.rest(lanes.0, self.settings.poll).await {
                        return;
                    }
                }
                Err(e) => {
                    error!(error = chain_of(&e), lane = ?lanes.0, "Work of lane {:?} could not be taken", lanes.0);
                    if self.rest(lanes.0, Duration::from_secs(1)).await {
                        return;
                    }
                }
            }
        }
    }

    /// Does one piece of work; `false` when there is none.
    async fn once(&self, lanes: (Lane, Lane)) -> Result<bool, AppError> {
        let owner = &self.settings.boot_id;
        let taken = self.app.now();
        let Some(job) = self.app.work_take(lanes, owner).await? else {
            return Ok(false);
        };
        match self.app.work_prepare(&job, owner).await {
            Ok(Task::Done) => {}
            Ok(Task::Mail(_)) if !may_begin(&self.app, taken) => {
                warn!(job.id = %job.id, "This worker stood still for too long to send {}", job.id);
            }
            Ok(Task::Mail(mail)) => self.send(&job, *mail).await?,
            Err(e) => {
                let reason = chain_of(&e);
                error!(job.id = %job.id, job.kind, error = reason, "Work {} could not be prepared", job.id);
                self.app.work_give_up(&job, owner, &reason).await?;
            }
        }
        Ok(true)
    }

    async fn send(&self, job: &Job, mail: MailToSend) -> Result<(), AppError> {
        let outgoing = outgoing(&self.settings, mail);
        let sent = match self.mail.send(&outgoing).await {
            Ok(_) => Sent::Delivered,
            Err(e) => {
                warn!(job.id = %job.id, tries = job.tries, reason = e.reason(), "Mail {} was not taken", job.id);
                from_port(e)
            }
        };
        let retry_at = retry_at(&self.app, job);
        if !self.app.work_finish(job, &self.settings.boot_id, sent, retry_at).await? {
            warn!(job.id = %job.id, "The lease of {} was lost while its mail was being sent", job.id);
        }
        Ok(())
    }

    async fn self_checks(self) {
        loop {
            if self.pause(self.settings.self_check).await {
                return;
            }
            match self.app.self_check().await {
                Ok(0) => {}
                Ok(stuck) => error!(stuck, "{stuck} open requests had no next step; they have one again"),
                Err(e) => error!(error = chain_of(&e), "The self-check could not run"),
            }
        }
    }

    /// Waits without being woken by work; `true` when the process is stopping.
    #[expect(clippy::disallowed_methods, reason = "the runner owns the only sleep")]
    async fn pause(&self, longest: Duration) -> bool {
        let mut stop = self.stop.clone();
        if *stop.borrow_and_update() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(longest) => {}
            _ = stop.changed() => {}
        }
        *self.stop.borrow()
    }

    async fn schedules(self) {
        let mut next: Option<Millis> = None;
        let mut rounds = Rounds::default();
        let mut told: BTreeMap<AssociationId, Told> = BTreeMap::new();
        let mut mornings: BTreeMap<AssociationId, Option<CivilDate>> = BTreeMap::new();
        let mut tonight: BTreeMap<AssociationId, Option<CivilDate>> = BTreeMap::new();
        loop {
            match rounds.begin_due(&self.app, &self.settings.reviews).await {
                Ok(0) => {}
                Ok(asked) => info!(asked, "Asking {asked} people to look at their entries of the directory"),
                Err(e) => error!(error = chain_of(&e), "The directory's people could not be asked"),
            }
            self.rota_notices(&mut told).await;
            self.mornings(&mut mornings).await;
            self.tonight(&mut tonight).await;
            let now = self.app.now();
            let zone = self.zone().await;
            match next {
                Some(at) if now >= at => {
                    match self.app.housekeeping().await {
                        Ok(gone) => info!(gone, "Housekeeping deleted {gone} rows that had served"),
                        Err(e) => error!(error = chain_of(&e), "Housekeeping could not run"),
                    }
                    // The first night of a month, or the first one after it on which the machine ran.
                    match self.app.retention_due().await {
                        Ok(0) => {}
                        Ok(keys) => info!(keys, "Destroyed {keys} keys whose texts were past their time"),
                        Err(e) => {
                            error!(error = chain_of(&e), "What is past its time could not be destroyed")
                        }
                    }
                    next = self.settings.housekeeping.next_after(now, zone);
                }
                Some(_) => {}
                None => next = self.settings.housekeeping.next_after(now, zone),
            }
            if self.pause(SCHEDULES_LOOK).await {
                return;
            }
        }
    }

    /// Puts into the outbox what is due to be told of each association's rota.
    async fn rota_notices(&self, told: &mut BTreeMap<AssociationId, Told>) {
        let associations = match self.app.associations().await {
            Ok(associations) => associations,
            Err(e) => {
                error!(error = chain_of(&e), "The associations could not be read");
                return;
            }
        };
        for association in associations {
            let id = association.id;
            match self.app.rota_notices_due(&id, told.entry(id.clone()).or_default()).await {
                Ok(0) => {}
                Ok(mails) => info!(mails, association.id = %id, "Telling {mails} people of the rota of {id}"),
                Err(e) => error!(error = chain_of(&e), "The people of the rota of {id} could not be told"),
            }
        }
    }

    /// Tells each association of its night's calls, in its own morning.
    async fn mornings(&self, told: &mut BTreeMap<AssociationId, Option<CivilDate>>) {
        let associations = match self.app.associations().await {
            Ok(associations) => associations,
            Err(e) => {
                error!(error = chain_of(&e), "The associations could not be read");
                return;
            }
        };
        for home in associations {
            match self.app.calls_morning(&home, told.entry(home.id.clone()).or_default()).await {
                Ok(0) => {}
                Ok(mails) => info!(mails, association.id = %home.id, "Telling of the night by {mails} mails"),
                Err(e) => error!(error = chain_of(&e), "Nobody could be told of the night's calls"),
            }
        }
    }

    /// Asks tonight's chain of each association, at its own hour.
    async fn tonight(&self, told: &mut BTreeMap<AssociationId, Option<CivilDate>>) {
        let associations = match self.app.associations().await {
            Ok(associations) => associations,
            Err(e) => {
                error!(error = chain_of(&e), "The associations could not be read");
                return;
            }
        };
        for home in associations {
            match self.app.tonight_due(&home, told.entry(home.id.clone()).or_default()).await {
                Ok(0) => {}
                Ok(asked) => {
                    info!(asked, association.id = %home.id, "Asking {asked} people of tonight's chain")
                }
                Err(e) => error!(error = chain_of(&e), "Tonight's chain could not be asked"),
            }
        }
    }

    /// Housekeeping has one time for the installation: that of the first association.
    async fn zone(&self) -> Tz {
        match self.app.associations().await {
            Ok(all) => all.first().map_or(chrono_tz::UTC, |a| a.zone),
            Err(_) => chrono_tz::UTC,
        }
    }
}

/// How often schedules are looked at; they are written to the minute.
const SCHEDULES_LOOK: Duration = Duration::from_secs(20);

/// Whether work taken at `taken` may still be begun. A worker that stood still (a suspended machine) for two
/// thirds of its lease leaves it to run out: what it checked may not be so any more, and somebody else may
/// hold it.
#[must_use]
pub fn may_begin(app: &App, taken: Millis) -> bool {
    app.now() < taken.plus_ms(app.rules.lease_s.saturating_mul(2_000) / 3)
}

/// When a mail that was not taken is tried again; `None` when the ladder is spent.
#[must_use]
pub fn retry_at(app: &App, job: &Job) -> Option<Millis> {
    let urgent = job.lane == Lane::Urgent.number();
    let ladder = if urgent { &app.rules.urgent_mail_retry_s } else { &app.rules.mail_retry_s };
    let chance: &dyn crate::ids::Chance = app.chance.as_ref();
    next_try(ladder, job.tries, chance).map(|wait_ms| app.now().plus_ms(wait_ms))
}

/// The mail as the port takes it.
#[must_use]
pub fn outgoing(settings: &RunnerSettings, mail: MailToSend) -> OutgoingMail {
    OutgoingMail {
        message_id: mail.message_id,
        from: settings.from.clone(),
        from_name: Some(mail.from_name),
        reply_to: settings.reply_to.clone(),
        to: mail.to,
        to_name: Some(mail.to_name),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        in_reply_to: mail.in_reply_to,
        date: mail.date,
    }
}

/// What the port said, for the outbox.
#[must_use]
pub fn from_port(error: MailError) -> Sent {
    match error {
        MailError::Temporary { reason, in_doubt } => Sent::Temporary { reason, in_doubt },
        MailError::Misconfigured { reason } => Sent::Misconfigured { reason },
        MailError::Permanent { reason } => Sent::Permanent { reason },
    }
}
