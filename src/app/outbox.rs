//! What the runner does: take due work, check in the last moment that it is still wanted, and write down how
//! it ended. Ports are called between these, by `durable`. The mails themselves are `letters`.

use serde::Deserialize;
use serde_json::json;

use super::access::note;
use super::flow::{Act, apply, raise, set_due};
use super::ledger::chase::mail_of as chase_mail;
use super::people::phone_change::PHONE_CHANGE_KEEP_S;
use super::rota::notices::mail_of as rota_mail;
use super::{App, AppError, Kit, Who};
use crate::domain::dispatch::plan::Channel;
use crate::domain::dispatch::{Event, next_due};
use crate::domain::people::Role;
use crate::ids::{AlarmId, AssociationId, MemberId, RecoveryId, RequestId};
use crate::planted::{self, Bug};
use crate::store::access::access_forget;
use crate::store::call::lines_forget;
use crate::store::call::orders::orders_forget;
use crate::store::credentials::{credentials_forget, recovery_by_id, recovery_linked};
use crate::store::dispatch::{AttemptKey, attempt_save, request_load};
use crate::store::jobs::{
    Job, JobEnd, Lane, NewJob, alarm_by_id, job_add, job_claim, job_end, job_held, jobs_forget,
    jobs_void_leases, requests_without_step,
};
use crate::store::people::{Association, association_by_id, member_by_id, member_mail, members_with_role};
use crate::store::phone_changes::phone_changes_forget;
use crate::store::rota_sheets::rota_sheets_forget;
use crate::store::sheets::sheets_forget;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

mod letters;

pub(crate) use letters::personal_link;

use letters::AskBody;

/// A mail ready to be handed over. Made anew for each try: the same words every time, but for a deadline that
/// was moved meanwhile.
#[derive(Clone, PartialEq, Eq)]
pub struct MailToSend {
    /// Fixed when the work was decided, so that copies can be told to be copies (RFC 5322 §3.6.4).
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub to: String,
    pub to_name: String,
    pub from_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// When the work was decided.
    pub date: Millis,
}

impl std::fmt::Debug for MailToSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailToSend").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// What a claimed piece of work asks of the runner.
#[derive(Debug)]
pub enum Task {
    Mail(Box<MailToSend>),
    /// Everything happened in the transaction.
    Done,
}

/// How handing over a mail ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Delivered,
    /// Again later. `in_doubt`: it may have been delivered.
    Temporary {
        reason: String,
        in_doubt: bool,
    },
    /// Our own mistake (a wrong password): again later, and a human must look.
    Misconfigured {
        reason: String,
    },
    /// This address takes no mail.
    Permanent {
        reason: String,
    },
}

struct Take {
    lanes: (Lane, Lane),
    now: Millis,
    owner: String,
    lease_until: Millis,
}

impl Command for Take {
    type Output = Option<Job>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<Job>, StoreError> {
        job_claim(tx, self.lanes, self.now, &self.owner, self.lease_until).await
    }
}

#[derive(Deserialize)]
struct WakeBody {
    request: RequestId,
}

#[derive(Deserialize)]
struct RecoveryBody {
    recovery: RecoveryId,
}

#[derive(Deserialize)]
struct AlarmBody {
    alarm: AlarmId,
    round: u32,
}

fn body<'de, T: Deserialize<'de>>(job: &'de Job) -> Result<T, StoreError> {
    serde_json::from_str(&job.body).map_err(|e| StoreError::corrupt("job", &job.id, e))
}

struct Prepare {
    kit: Kit,
    job: Job,
    owner: String,
}

impl Command for Prepare {
    type Output = Task;

    async fn apply(&self, tx: &mut Conn) -> Result<Task, StoreError> {
        let job = &self.job;
        // A worker that was paused between taking and preparing finds its fence stale and does nothing.
        if !job_held(tx, job, &self.owner).await? {
            return Ok(Task::Done);
        }
        let association = association_by_id(tx, &job.association).await?;
        let Some(association) = association else {
            return self.end(tx, &JobEnd::Moot).await;
        };
        let mail = match job.kind.as_str() {
            "wake" => return self.wake(tx).await,
            "ask" => self.ask(tx, &association).await?,
            "tell" => self.tell(tx, &association).await?,
            "sign_in" | "reach_test" | "station" | "office_setup" | "recovery_notice" => {
                self.by_link(tx, &association).await?
            }
            "phone_change" => self.phone_change(tx, &association).await?,
            "mail_changed" => self.mail_changed(tx, &association).await?,
            "entry_review" => self.entry_review(tx, &association).await?,
            "duty" => self.duty(tx, &association).await?,
            "cover_ask" | "cover_tell" | "cover_summary" => {
                let written = super::cover::mail_of(tx, &self.kit, &association, job).await?;
                let write =
                    |(person, built, request)| self.write(&association, &person, built, Some(&request));
                written.map(write).transpose()?
            }
            "transfer_tell" => {
                let written = super::transfer::mail_of(tx, &self.kit, &association, job).await?;
                let write =
                    |(person, built, request)| self.write(&association, &person, built, Some(&request));
                written.map(write).transpose()?
            }
            "recovery" => return self.recovery(tx).await,
            "alarm" => return self.alarm(tx).await,
            "alarm_mail" => self.alarm_mail(tx, &association).await?,
            "retention" => self.retention(tx, &association).await?,
            "call_notice" => self.call_notice(tx, &association).await?,
            "bridge_down" => self.bridge_down(tx, &association).await?,
            "card_notice" => {
                let written = super::cards::mail_of(tx, &self.kit, &association, job).await?;
                written.map(|(person, built)| self.write(&association, &person, built, None)).transpose()?
            }
            "ledger_chase" => {
                let written = chase_mail(tx, &self.kit, &association, job).await?;
                written.map(|(person, built)| self.write(&association, &person, built, None)).transpose()?
            }
            "rota_published" | "rota_duty" | "rota_holes" | "rota_turns" | "wish_ask" => {
                let written = rota_mail(tx, &self.kit, &association, job).await?;
                written.map(|(person, built)| self.write(&association, &person, built, None)).transpose()?
            }
            other => return Err(StoreError::corrupt("job", &job.id, format!("kind {other}"))),
        };
        match mail {
            Some(mail) => Ok(Task::Mail(Box::new(mail))),
            None => self.end(tx, &JobEnd::Moot).await,
        }
    }
}

impl Prepare {
    async fn end(&self, tx: &mut Conn, end: &JobEnd) -> Result<Task, StoreError> {
        job_end(tx, &self.job, &self.owner, end, self.kit.now).await?;
        Ok(Task::Done)
    }

    async fn wake(&self, tx: &mut Conn) -> Result<Task, StoreError> {
        let WakeBody { request } = body(&self.job)?;
        let who = Who::runner(&self.job.association);
        let act = Act { action: "request.due", detail: json!({}) };
        match apply(tx, &self.kit, &who, &request, Event::Due, &act).await? {
            None => self.end(tx, &JobEnd::Moot).await,
            // A due time that came early (a changed request, a clock set back) is put where it belongs.
            Some(moved) if !moved.changed => {
                // Due, and nothing came of it: put back as it is, it would be due again at once, for ever.
                if next_due(&moved.request).is_some_and(|due| due <= self.kit.now) {
                    return Err(StoreError::corrupt(
                        "request",
                        &request,
                        "it is due and nothing is to be done",
                    ));
                }
                set_due(tx, &self.kit, &self.job.association, &moved.request).await?;
                Ok(Task::Done)
            }
            Some(_) => Ok(Task::Done),
        }
    }

    /// The time after a colleague's word has passed: the link goes out, unless the recovery was stopped.
    async fn recovery(&self, tx: &mut Conn) -> Result<Task, StoreError> {
        let RecoveryBody { recovery } = body(&self.job)?;
        let association = &self.job.association;
        let found = recovery_by_id(tx, association, &recovery).await?;
        let waits = found
            .filter(|r| r.stopped.is_none() && r.link.is_none() && r.due.is_some_and(|d| d <= self.kit.now));
        let Some(found) = waits else {
            return self.end(tx, &JobEnd::Moot).await;
        };
        let active = member_by_id(tx, association, &found.member).await?;
        if !active.is_some_and(|m| m.is_active(self.kit.now)) {
            return self.end(tx, &JobEnd::Moot).await;
        }
        let who = Who::runner(association);
        let link = super::signin::staff::setup_link(tx, &self.kit, &who, &found.member).await?;
        recovery_linked(tx, association, &recovery, &link).await?;
        self.end(tx, &JobEnd::Done).await
    }

    /// One mail to each coordinator, and the next round, until somebody acknowledges.
    async fn alarm(&self, tx: &mut Conn) -> Result<Task, StoreError> {
        let AlarmBody { alarm, round } = body(&self.job)?;
        let association = &self.job.association;
        let open = alarm_by_id(tx, association, &alarm).await?.is_some_and(|a| a.acknowledged.is_none());
        if !open {
            return self.end(tx, &JobEnd::Moot).await;
        }
        let chance = self.kit.vault.chance.as_ref();
        for member in members_with_role(tx, association, Role::Coordinator, self.kit.now).await? {
            let job = NewJob {
                lane: Lane::Urgent,
                kind: "alarm_mail",
                key: format!("alarm_mail:{alarm}:{round}:{member}"),
                body: json!({ "alarm": alarm.as_str(), "member": member.as_str() }),
                due: self.kit.now,
            };
            job_add(tx, association, &job, self.kit.now, chance).await?;
        }
        if round < ALARM_ROUNDS {
            let factor = 1i64.checked_shl(round).unwrap_or(i64::MAX).min(ALARM_SLOWEST);
            let next = NewJob {
                lane: Lane::Urgent,
                kind: "alarm",
                key: format!("alarm:{alarm}:{}", round + 1),
                body: json!({ "alarm": alarm.as_str(), "round": round + 1 }),
                due: self.kit.now.plus_s(self.kit.rules.alarm_repeat_s.saturating_mul(factor)),
            };
            job_add(tx, association, &next, self.kit.now, chance).await?;
        }
        self.end(tx, &JobEnd::Done).await
    }
}

/// Rounds of alarm mails; after the last one the alarm stands on the board.
const ALARM_ROUNDS: u32 = 30;
/// Rounds come slower and slower, at most this many times the first wait.
const ALARM_SLOWEST: i64 = 60;

struct Finish {
    kit: Kit,
    job: Job,
    owner: String,
    sent: Sent,
    /// When to try again; `None`: the ladder is spent.
    retry_at: Option<Millis>,
}

impl Command for Finish {
    /// `false`: the lease was lost meanwhile; nothing was written.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, job) = (&self.kit, &self.job);
        let end = match (&self.sent, self.retry_at) {
            (Sent::Delivered, _) => JobEnd::Done,
            (Sent::Permanent { reason }, _) => JobEnd::Dead(reason.clone()),
            (Sent::Temporary { reason, .. } | Sent::Misconfigured { reason }, Some(at)) => {
                JobEnd::Retry(at, reason.clone())
            }
            (Sent::Temporary { reason, .. } | Sent::Misconfigured { reason }, None) => {
                JobEnd::Dead(reason.clone())
            }
        };
        if !job_end(tx, job, &self.owner, &end, kit.now).await? {
            return Ok(false);
        }
        if let Sent::Misconfigured { .. } = self.sent {
            raise(tx, kit, &job.association, "mail_misconfigured", "mail").await?;
        }
        let member = self.member()?;
        match (&end, &member) {
            (JobEnd::Done, Some(member)) => member_mail(tx, &job.association, member, None).await?,
            (JobEnd::Dead(_), _) => self.dead(tx, member.as_ref()).await?,
            _ => {}
        }
        if job.kind == "ask" {
            self.tell_machine(tx, &end).await?;
        }
        if job.kind == "cover_ask" {
            let reason = match &self.sent {
                Sent::Delivered => None,
                Sent::Temporary { reason, .. }
                | Sent::Misconfigured { reason }
                | Sent::Permanent { reason } => Some(reason.as_str()),
            };
            super::cover::told_machine(tx, kit, job, &end, reason).await?;
        }
        Ok(true)
    }
}

impl Finish {
    fn member(&self) -> Result<Option<MemberId>, StoreError> {
        #[derive(Deserialize)]
        struct OfMember {
            member: MemberId,
        }
        let has = matches!(
            self.job.kind.as_str(),
            "ask"
                | "tell"
                | "sign_in"
                | "alarm_mail"
                | "retention"
                | "reach_test"
                | "station"
                | "entry_review"
                | "call_notice"
                | "bridge_down"
                | "rota_published"
                | "rota_duty"
                | "rota_holes"
                | "rota_turns"
                | "wish_ask"
                | "ledger_chase"
                | "duty"
                | "cover_ask"
                | "cover_tell"
                | "cover_summary"
                | "card_notice"
                | "transfer_tell"
        );
        if has { body::<OfMember>(&self.job).map(|b| Some(b.member)) } else { Ok(None) }
    }

    /// Given up: the office sees it, and the member's mail health says so.
    async fn dead(&self, tx: &mut Conn, member: Option<&MemberId>) -> Result<(), StoreError> {
        let (kit, job) = (&self.kit, &self.job);
        if let (Sent::Permanent { .. }, Some(member)) = (&self.sent, member) {
            member_mail(tx, &job.association, member, Some(kit.now)).await?;
        }
        // An alarm about the alarm's own mail would go round for ever; the board and the log show it.
        if matches!(job.kind.as_str(), "alarm_mail" | "call_notice" | "bridge_down") {
            return Ok(());
        }
        #[derive(Deserialize)]
        struct OfRequest {
            request: RequestId,
        }
        let subject = match body::<OfRequest>(job) {
            Ok(of) => format!("request:{}", of.request),
            Err(_) => member.map_or_else(|| "mail".to_owned(), |m| format!("member:{m}")),
        };
        let kind = match self.sent {
            Sent::Permanent { .. } => "undeliverable",
            Sent::Delivered | Sent::Temporary { .. } | Sent::Misconfigured { .. } => "dead_mail",
        };
        raise(tx, kit, &job.association, kind, &subject).await
    }

    async fn tell_machine(&self, tx: &mut Conn, end: &JobEnd) -> Result<(), StoreError> {
        let (kit, job) = (&self.kit, &self.job);
        let AskBody { request, member, attempt, .. } = body(job)?;
        let key = AttemptKey { request: &request, person: &member, number: attempt, channel: Channel::Mail };
        let (state, ended, reason) = match (&self.sent, end) {
            (Sent::Delivered, _) => ("sent", Some(kit.now), None),
            (Sent::Temporary { reason, in_doubt: true }, JobEnd::Retry(..)) => {
                ("in_doubt", None, Some(reason))
            }
            (
                Sent::Temporary { reason, .. } | Sent::Misconfigured { reason } | Sent::Permanent { reason },
                JobEnd::Retry(..),
            ) => ("retrying", None, Some(reason)),
            (
                Sent::Temporary { reason, .. } | Sent::Misconfigured { reason } | Sent::Permanent { reason },
                _,
            ) => ("failed", Some(kit.now), Some(reason)),
        };
        let detail = reason.map(String::as_str);
        attempt_save(tx, &job.association, &key, state, job.tries, ended, detail).await?;
        let who = Who::runner(&job.association);
        let (event, action) = match end {
            JobEnd::Done => (Event::Delivered { person: member.clone(), attempt }, "offer.sent"),
            JobEnd::Dead(_) => {
                (Event::Undeliverable { person: member.clone(), attempt }, "offer.undeliverable")
            }
            JobEnd::Moot | JobEnd::Retry(..) | JobEnd::GivenBack => return Ok(()),
        };
        let act = Act { action, detail: json!({ "member": member.as_str(), "attempt": attempt }) };
        apply(tx, kit, &who, &request, event, &act).await.map(drop)
    }
}

struct GiveUp {
    kit: Kit,
    job: Job,
    owner: String,
    reason: String,
}

impl Command for GiveUp {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, job) = (&self.kit, &self.job);
        let poison = job.tries >= kit.rules.poison_tries;
        let end = if poison {
            JobEnd::Dead(self.reason.clone())
        } else {
            JobEnd::Retry(kit.now.plus_s(i64::from(job.tries) * 2), self.reason.clone())
        };
        if job_end(tx, job, &self.owner, &end, kit.now).await? && poison {
            raise(tx, kit, &job.association, "poison", &format!("job:{}", job.id)).await?;
        }
        Ok(())
    }
}

struct VoidLeases {
    owner: String,
}

impl Command for VoidLeases {
    type Output = u64;

    async fn apply(&self, tx: &mut Conn) -> Result<u64, StoreError> {
        jobs_void_leases(tx, &self.owner).await
    }
}

/// Finds open requests without a due time, gives them one, and alarms.
struct SelfCheck {
    kit: Kit,
}

impl Command for SelfCheck {
    type Output = usize;

    async fn apply(&self, tx: &mut Conn) -> Result<usize, StoreError> {
        let stuck = requests_without_step(tx).await?;
        for (association, id) in &stuck {
            if let Some(loaded) = request_load(tx, association, id).await? {
                set_due(tx, &self.kit, association, &loaded.request).await?;
                let subject = format!("request:{id}");
                raise(tx, &self.kit, association, "without_step", &subject).await?;
                let who = Who::runner(association);
                note(tx, &self.kit, &who, "request.repaired", &subject, json!({})).await?;
            }
        }
        Ok(stuck.len() + super::call::self_check(tx, &self.kit).await?)
    }
}

struct Forget {
    now: Millis,
    replay_keep_s: i64,
}

/// Ended work and access are forgotten after this long; what happened stands in the audit log.
const FORGET_AFTER_S: i64 = 30 * 86_400;

impl Command for Forget {
    type Output = u64;

    async fn apply(&self, tx: &mut Conn) -> Result<u64, StoreError> {
        let before = self.now.plus_s(-FORGET_AFTER_S);
        let access = access_forget(tx, self.now.plus_s(-self.replay_keep_s), before).await?;
        let tries = credentials_forget(tx, self.now, before, super::signin::CEILING).await?;
        let orders = orders_forget(tx, before).await? + lines_forget(tx, before).await?;
        let sheets = sheets_forget(tx, self.now).await? + rota_sheets_forget(tx, self.now).await?;
        let phones = phone_changes_forget(tx, self.now.plus_s(-PHONE_CHANGE_KEEP_S)).await?;
        Ok(access + tries + orders + phones + jobs_forget(tx, before).await? + sheets)
    }
}

impl App {
    /// Leases the most pressing due work of the lanes.
    ///
    /// # Errors
    /// The store's.
    pub async fn work_take(&self, lanes: (Lane, Lane), owner: &str) -> Result<Option<Job>, AppError> {
        let now = self.now();
        let lease_s = if planted::is(Bug::LeaseIgnored) { 0 } else { self.rules.lease_s };
        let lease_until = now.plus_s(lease_s);
        Ok(self.db.run(Take { lanes, now, owner: owner.to_owned(), lease_until }).await?)
    }

    /// Checks in the last moment that leased work is still wanted, and what it asks for.
    ///
    /// # Errors
    /// The store's; a row that cannot be understood: [`App::work_give_up`] then.
    pub async fn work_prepare(&self, job: &Job, owner: &str) -> Result<Task, AppError> {
        let prepare = Prepare { kit: self.kit(), job: job.clone(), owner: owner.to_owned() };
        Ok(self.db.run(prepare).await?)
    }

    /// Writes down how handing over a mail ended. `false`: the lease was lost; nothing was written.
    ///
    /// # Errors
    /// The store's.
    pub async fn work_finish(
        &self,
        job: &Job,
        owner: &str,
        sent: Sent,
        retry_at: Option<Millis>,
    ) -> Result<bool, AppError> {
        let (job, owner) = (job.clone(), owner.to_owned());
        Ok(self.db.run(Finish { kit: self.kit(), job, owner, sent, retry_at }).await?)
    }

    /// Work that could not even be prepared: again a little later, and an alarm when it never works.
    ///
    /// # Errors
    /// The store's.
    pub async fn work_give_up(&self, job: &Job, owner: &str, reason: &str) -> Result<(), AppError> {
        let give_up =
            GiveUp { kit: self.kit(), job: job.clone(), owner: owner.to_owned(), reason: reason.to_owned() };
        Ok(self.db.run(give_up).await?)
    }

    /// One process on one file: what an earlier life leased is due again at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn work_of_earlier_lives(&self, owner: &str) -> Result<u64, AppError> {
        Ok(self.db.run(VoidLeases { owner: owner.to_owned() }).await?)
    }

    /// How many open requests had no next step. There must be none.
    ///
    /// # Errors
    /// The store's.
    pub async fn self_check(&self) -> Result<usize, AppError> {
        let mut conn = self.db.read().await?;
        let stuck = requests_without_step(&mut conn).await?;
        drop(conn);
        let calls = self.calls_stuck().await?;
        if stuck.is_empty() && calls == 0 {
            Ok(0)
        } else {
            Ok(self.db.run(SelfCheck { kit: self.kit() }).await?)
        }
    }

    /// Deletes what is only needed for a while.
    ///
    /// # Errors
    /// The store's.
    pub async fn housekeeping(&self) -> Result<u64, AppError> {
        let forget = Forget { now: self.now(), replay_keep_s: self.rules.replay_keep_s };
        Ok(self.db.run(forget).await?)
    }

    /// The associations of this installation, for schedules that run in their zones.
    ///
    /// # Errors
    /// The store's.
    pub async fn associations(&self) -> Result<Vec<Association>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(crate::store::people::associations(&mut conn).await?)
    }

    /// Has a human look at something, from outside a request.
    ///
    /// # Errors
    /// The store's.
    pub async fn alarm(
        &self,
        association: &AssociationId,
        kind: &'static str,
        subject: &str,
    ) -> Result<(), AppError> {
        let raise =
            Raise { kit: self.kit(), association: association.clone(), kind, subject: subject.to_owned() };
        Ok(self.db.run(raise).await?)
    }
}

struct Raise {
    kit: Kit,
    association: AssociationId,
    kind: &'static str,
    subject: String,
}

impl Command for Raise {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        raise(tx, &self.kit, &self.association, self.kind, &self.subject).await
    }
}
