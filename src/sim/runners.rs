//! Two workers of the outbox, a statement of their work at a time: take, look again, hand over, write down.
//! Between any two of these a worker may be paused beyond its lease or die.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Broken;
use super::post::{Fate, Letter, token_in};
use super::promises::Rows;
use super::stage::{Ack, Crash, LEASE_S, Sim};
use crate::app::outbox::{MailToSend, Sent, Task};
use crate::durable::runner::{from_port, may_begin, retry_at};
use crate::ids::{MemberId, RequestId};
use crate::ports::mail::{MailPort as _, OutgoingMail};
use crate::store::jobs::{Job, Lane};
use crate::time::Millis;

/// A leased piece of work.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub job: Job,
    pub at: Millis,
    /// The number of the deed that took it.
    pub no: u64,
}

/// How far a worker is.
#[derive(Debug)]
pub(super) enum Hand {
    Idle,
    Taken(Held),
    Ready(Held, Box<MailToSend>),
    /// Handed over; the ending is not written down yet.
    Sent(Held, Sent, Fate),
}

impl Hand {
    const fn held(&self) -> Option<&Held> {
        match self {
            Self::Idle => None,
            Self::Taken(held) | Self::Ready(held, _) | Self::Sent(held, ..) => Some(held),
        }
    }
}

/// One worker.
#[derive(Debug)]
pub(super) struct SimRunner {
    /// The process it belongs to.
    pub process: usize,
    /// What leases carry.
    pub owner: String,
    pub hand: Hand,
    pub asleep_until: Millis,
}

impl SimRunner {
    pub(super) fn new(process: usize) -> Self {
        Self { process, owner: format!("boot-{process}-0"), hand: Hand::Idle, asleep_until: Millis(0) }
    }
}

/// The physical copies of one logical mail.
#[derive(Debug, Default)]
pub(super) struct Copies {
    pub message_id: String,
    /// The words, and the deadline they named: an extension changes them rightly (an alarm's too).
    content: (Option<Millis>, Vec<u8>),
    pub copies: u32,
    /// Endings nobody on our side knows: reply lost, killed, lease lost.
    pub doubts: u32,
}

/// What is remembered of the outbox.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// By the key of the work.
    pub mails: BTreeMap<String, Copies>,
    /// The newest fence of each piece of work.
    fences: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct OfRequest {
    request: RequestId,
    member: MemberId,
}

impl Sim {
    /// One step of a worker; `false`: there was nothing to do.
    pub(super) async fn run_step(&mut self, index: usize) -> Result<bool, Broken> {
        let now = self.now();
        let Some(runner) = self.runners.get_mut(index) else {
            return Ok(false);
        };
        if now < runner.asleep_until {
            return Ok(false);
        }
        let owner = runner.owner.clone();
        let hand = std::mem::replace(&mut runner.hand, Hand::Idle);
        let busy = !matches!(hand, Hand::Idle);
        let next = match hand {
            Hand::Idle => self.take(index, &owner).await?,
            Hand::Taken(held) => self.look_again(index, &owner, held).await?,
            Hand::Ready(held, mail) => self.hand_over(index, held, *mail).await?,
            Hand::Sent(held, sent, fate) => self.write_down(index, &owner, held, sent, fate).await?,
        };
        let idle = matches!(next, Hand::Idle);
        if let Some(runner) = self.runners.get_mut(index) {
            runner.hand = next;
        }
        Ok(busy || !idle)
    }

    async fn take(&mut self, index: usize, owner: &str) -> Result<Hand, Broken> {
        let at = self.now();
        let app = self.app.clone();
        let lanes = (Lane::Urgent, Lane::Reports);
        let ack = self.attempt(app.work_take(lanes, owner)).await?;
        let job = match ack {
            Ack::Answer(job) => job,
            Ack::Refused(e) => return Err(Broken::new("work can be taken", e.to_string())),
            Ack::Crashed(_) => {
                self.observe(Rows::Exactly(0)).await?;
                self.die_of(index).await?;
                return Ok(Hand::Idle);
            }
        };
        self.observe(Rows::Exactly(0)).await?;
        let Some(job) = job else {
            return Ok(Hand::Idle);
        };
        for (other, runner) in self.runners.iter().enumerate() {
            let Some(theirs) = runner.hand.held().filter(|h| other != index && h.job.id == job.id) else {
                continue;
            };
            if at < theirs.at.plus_s(LEASE_S) && job.kind != "wake" {
                return Err(Broken::new("leased work belongs to its holder", job.key));
            }
            if matches!(runner.hand, Hand::Ready(..) | Hand::Sent(..)) {
                self.tally.count("lease lost while sending");
            }
        }
        self.seen.outbox.fences.insert(job.id.to_string(), job.fence);
        self.say(&format!("worker {index} takes {} (try {})", self.key_name(&job.key), job.tries));
        Ok(Hand::Taken(Held { job, at, no: self.no }))
    }

    async fn look_again(&mut self, index: usize, owner: &str, held: Held) -> Result<Hand, Broken> {
        let app = self.app.clone();
        match self.attempt(app.work_prepare(&held.job, owner)).await? {
            Ack::Answer(task) => {
                self.observe(Rows::AtMost(1)).await?;
                Ok(match task {
                    Task::Mail(mail) => Hand::Ready(held, mail),
                    Task::Done => {
                        if held.job.kind == "ask" {
                            self.tally.count("a mail not wanted any more");
                        }
                        Hand::Idle
                    }
                })
            }
            Ack::Refused(e) => Err(Broken::new("work can be prepared", format!("{}: {e}", held.job.key))),
            Ack::Crashed(crash) => {
                self.observe(rows_after(crash)).await?;
                self.die_of(index).await?;
                Ok(Hand::Idle)
            }
        }
    }

    async fn hand_over(&mut self, index: usize, held: Held, mail: MailToSend) -> Result<Hand, Broken> {
        let now = self.now();
        if !may_begin(&self.app, held.at) {
            self.tally.count("a late worker gives up");
            self.say(&format!("worker {index} is too late for {}", self.key_name(&held.job.key)));
            return Ok(Hand::Idle);
        }
        let of: Option<OfRequest> = serde_json::from_str(&held.job.body).ok();
        if let Some(of) = of.as_ref().filter(|_| held.job.kind == "ask") {
            self.seen.begins_to_send(&of.request, &held).map_err(|b| b.about(&held.job.key))?;
        }
        self.same_mail(&held.job, &mail)?;
        let fate = self.fate(&mail.to);
        self.port.set(fate);
        let copies = self.seen.outbox.mails.entry(held.job.key.clone()).or_default();
        copies.copies += u32::from(fate.is_copy());
        copies.doubts += u32::from(fate.is_doubt());
        if let (Some(of), Some(token)) = (of, token_in(&mail.text)) {
            self.deliver(fate, Letter { arrives: now, token, request: of.request, person: of.member });
        }
        if fate.is_doubt() {
            self.tally.count("a mail in doubt");
        }
        self.say(&format!("worker {index} hands over {}: {fate:?}", self.key_name(&held.job.key)));
        let sent = match self.port.send(&outgoing(mail)).await {
            Ok(_) => Sent::Delivered,
            Err(e) => from_port(e),
        };
        Ok(Hand::Sent(held, sent, fate))
    }

    /// Every copy of a logical mail is the same mail.
    fn same_mail(&mut self, job: &Job, mail: &MailToSend) -> Result<(), Broken> {
        let mut content = Sha256::new();
        for part in [&mail.to, &mail.subject, &mail.text, &mail.html] {
            content.update(part.as_bytes());
            content.update([0]);
        }
        let of: Option<OfRequest> = serde_json::from_str(&job.body).ok();
        let known = of.and_then(|of| self.seen.requests.get(&of.request));
        let content = (known.map(|k| k.request.answer_by), content.finalize().to_vec());
        let taken = self.seen.outbox.mails.iter();
        if taken.into_iter().any(|(key, c)| *key != job.key && c.message_id == mail.message_id) {
            return Err(Broken::new("two mails never share a Message-ID", job.key.clone()));
        }
        let known = self.seen.outbox.mails.entry(job.key.clone()).or_default();
        if known.message_id.is_empty() {
            known.message_id.clone_from(&mail.message_id);
            known.content = content;
        } else if known.message_id != mail.message_id {
            return Err(Broken::new("every copy of a mail has the same Message-ID", job.key.clone()));
        } else if job.kind != "alarm_mail" && known.content.0 == content.0 && known.content.1 != content.1 {
            return Err(Broken::new("every copy of a mail says the same", job.key.clone()));
        }
        Ok(())
    }

    async fn write_down(
        &mut self,
        index: usize,
        owner: &str,
        held: Held,
        sent: Sent,
        fate: Fate,
    ) -> Result<Hand, Broken> {
        let app = self.app.clone();
        let again = retry_at(&app, &held.job);
        if matches!(sent, Sent::Temporary { .. }) && again.is_some() {
            self.tally.count("tried again later");
        }
        let stale = self.seen.outbox.fences.get(held.job.id.as_str()) != Some(&held.job.fence);
        match self.attempt(app.work_finish(&held.job, owner, sent, again)).await? {
            Ack::Answer(written) => {
                if written && stale {
                    return Err(Broken::new("whoever lost the lease writes nothing", held.job.key));
                }
                if !written {
                    self.doubt(&held, fate);
                    self.say(&format!("worker {index} had lost {}", self.key_name(&held.job.key)));
                }
                self.observe(Rows::AtMost(1)).await?;
            }
            Ack::Refused(e) => return Err(Broken::new("an ending can be written", e.to_string())),
            Ack::Crashed(crash) => {
                // Also where the lease was lost before: then nothing was written either.
                if crash == Crash::Before || stale {
                    self.doubt(&held, fate);
                }
                self.observe(rows_after(crash)).await?;
                self.die_of(index).await?;
            }
        }
        Ok(Hand::Idle)
    }

    fn doubt(&mut self, held: &Held, fate: Fate) {
        if !fate.is_doubt() {
            self.seen.outbox.mails.entry(held.job.key.clone()).or_default().doubts += 1;
        }
    }

    async fn die_of(&mut self, index: usize) -> Result<(), Broken> {
        let process = self.runners.get(index).map_or(0, |r| r.process);
        self.die(process).await
    }

    /// A process ends at once and is started again.
    pub(super) async fn die(&mut self, process: usize) -> Result<(), Broken> {
        self.lives += 1;
        let owner = format!("boot-{process}-{}", self.lives);
        let mut lost = Vec::new();
        for runner in self.runners.iter_mut().filter(|r| r.process == process) {
            runner.owner.clone_from(&owner);
            runner.asleep_until = Millis(0);
            if let Hand::Sent(held, _, fate) = std::mem::replace(&mut runner.hand, Hand::Idle) {
                lost.push((held, fate));
            }
        }
        for (held, fate) in lost {
            self.tally.count("killed while sending");
            self.doubt(&held, fate);
        }
        if !self.two_processes {
            // One process on one file: whoever held a lease is gone.
            let app = self.app.clone();
            let taken_over = app.work_of_earlier_lives(&owner).await;
            let taken_over =
                taken_over.map_err(|e| Broken::new("a restart takes over what was begun", e.to_string()))?;
            self.say(&format!("restarted, {taken_over} pieces of work taken over"));
        }
        Ok(())
    }

    /// Pauses a worker beyond its lease.
    pub(super) fn pause(&mut self, index: usize) {
        let until = self.now().plus_s(self.dice.seconds(LEASE_S / 2, 3 * LEASE_S));
        if let Some(runner) = self.runners.get_mut(index) {
            runner.asleep_until = until;
        }
        self.say(&format!("worker {index} is paused until {until}"));
    }

    /// A key with the request's short name in place of its id.
    pub(super) fn key_name(&self, key: &str) -> String {
        let mut parts = key.split(':').map(|part| match RequestId::from_stored(part) {
            Ok(id) => self.names.get(&id).cloned().unwrap_or_else(|| part.to_owned()),
            Err(_) => part.to_owned(),
        });
        let first = parts.next().unwrap_or_default();
        parts.fold(first, |line, part| format!("{line}:{part}"))
    }
}

/// The audit rows a command that died may have left.
pub(super) const fn rows_after(crash: Crash) -> Rows {
    match crash {
        Crash::Before => Rows::Exactly(0),
        Crash::After => Rows::AtMost(1),
    }
}

fn outgoing(mail: MailToSend) -> OutgoingMail {
    OutgoingMail {
        message_id: mail.message_id,
        from: "touban@example.jp".to_owned(),
        from_name: Some(mail.from_name),
        reply_to: None,
        to: mail.to,
        to_name: Some(mail.to_name),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        in_reply_to: mail.in_reply_to,
        date: mail.date,
    }
}
