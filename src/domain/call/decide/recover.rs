//! After a restart or a lost connection: what the bridge holds against what is written down.

use std::collections::BTreeSet;

use super::{Answer, Machine};
use crate::domain::call::bridge::{LegSeen, Snapshot};
use crate::domain::call::leg::{Cause, Leg, LegId, LegState, Role};
use crate::domain::call::state::{Alarm, Kind, Stage};
use crate::planted::{self, Bug};

/// Orders of one leg: the second only where it is in doubt whether the first arrived.
const DIALS_MAX: u8 = 2;

impl Machine {
    /// The bridge cannot be heard: waits of legs stand still until a snapshot says what became of them.
    pub(super) fn bridge_down(&mut self) -> Answer {
        if self.c.bridge_down.is_some() || matches!(self.c.stage, Stage::Over { .. }) {
            return Answer::Already;
        }
        self.c.bridge_down = Some(self.now);
        if !self.c.stage.is_done() {
            self.raise(Alarm::BridgeDown);
        }
        Answer::Done
    }

    pub(super) fn snapshot(&mut self, seen: &Snapshot) -> Answer {
        let before = (self.c.clone(), self.fx.len());
        self.c.bridge_down = None;
        self.c.alarms.remove(&Alarm::BridgeDown);
        // A call that was begun here was never told of the bridge's life. Where nothing of it is left, nobody knows
        // whether all of them hung up; lines are rather mended once too often than never.
        let left = self.c.legs.iter().any(|(id, leg)| leg.is_live() && seen.legs.contains_key(id));
        let new_life = if self.c.generation.is_empty() {
            self.c.kind != Kind::Night && !left
        } else {
            self.c.generation != seen.generation
        };
        self.c.generation.clone_from(&seen.generation);
        self.hang_up_strays(seen);
        self.end_missing(seen, new_life);
        self.take_up(seen);
        self.rejoin();
        if (&before.0, before.1) == (&self.c, self.fx.len()) { Answer::Already } else { Answer::Done }
    }

    /// Legs of ours that nobody waits for any more.
    fn hang_up_strays(&mut self, seen: &Snapshot) {
        for id in seen.legs.keys() {
            let ended = self.c.legs.get(id).map(|leg| !leg.is_live());
            let unknown = ended.is_none() && id.call().as_ref() == Some(&self.c.id);
            if ended == Some(true) || unknown {
                self.stray(id);
            }
        }
    }

    fn end_missing(&mut self, seen: &Snapshot, new_life: bool) {
        let missing: Vec<(LegId, Leg)> = self
            .c
            .legs
            .iter()
            .filter(|(id, leg)| leg.is_live() && !seen.legs.contains_key(*id))
            .filter(|(_, leg)| leg.since <= seen.taken)
            .map(|(id, leg)| (id.clone(), leg.clone()))
            .collect();
        let mut ended = Vec::new();
        for (id, leg) in missing {
            match leg.state {
                LegState::Waiting => self.dial(&id),
                LegState::Dialing { .. } if leg.dialled < DIALS_MAX => self.dial(&id),
                LegState::Dialing { .. }
                | LegState::Ringing { .. }
                | LegState::Screening { .. }
                | LegState::Accepting { .. }
                | LegState::Up
                | LegState::Leaving { .. } => {
                    // Where the bridge lived on, whoever was on the line has hung up meanwhile.
                    let hung_up = !new_life && (leg.answered.is_some() || leg.state == LegState::Up);
                    let cause = if hung_up { Cause::HungUp } else { Cause::Lost };
                    // Written down for all first: nobody is told something on a line that is gone too.
                    if let Some((before, cause)) = self.mark_ended(&id, cause) {
                        ended.push((id, before, cause));
                    }
                }
                LegState::Ended { .. } => {}
            }
        }
        for (id, before, cause) in ended {
            self.follow(&id, &before, cause);
        }
        // Ordered after the snapshot was asked for, while nothing could be ordered.
        let waiting: Vec<LegId> = self
            .c
            .legs
            .iter()
            .filter(|(_, l)| l.state == LegState::Waiting)
            .map(|(id, _)| id.clone())
            .collect();
        for id in waiting {
            self.dial(&id);
        }
    }

    /// What is there is gone on with: nobody is rung again, everybody hears where it stands.
    fn take_up(&mut self, seen: &Snapshot) {
        let mine: BTreeSet<LegId> = seen.legs.keys().cloned().collect();
        for id in mine {
            let (Some(seen), Some(leg)) = (seen.legs.get(&id).copied(), self.c.legs.get(&id).cloned()) else {
                continue;
            };
            if seen == LegSeen::Ringing && planted::is(Bug::RingingDialledAgain) {
                let line = leg.line.clone();
                if let (Some(line), Role::Asked { .. }) = (line, &leg.role) {
                    self.new_leg(leg.role.clone(), &line);
                }
            }
            match (leg.state, seen) {
                (LegState::Waiting | LegState::Dialing { .. }, LegSeen::Ringing) => {
                    self.ringing(&id);
                }
                (LegState::Dialing { .. } | LegState::Ringing { .. }, LegSeen::UpElsewhere) => {
                    self.set(&id, LegState::Ringing { until: self.in_s(self.c.policy.never_rang_s) });
                }
                (
                    LegState::Waiting | LegState::Dialing { .. } | LegState::Ringing { .. },
                    LegSeen::Up | LegSeen::InRoom,
                ) => {
                    self.answered(&id);
                }
                // Keys pressed meanwhile are lost: the question again, with a window of its own.
                (LegState::Screening { ask, wrong, .. }, LegSeen::Up | LegSeen::InRoom) => {
                    self.screen(&id, ask, wrong);
                }
                (LegState::Accepting { call_back, tries, .. }, _) => {
                    self.set(&id, LegState::Accepting { call_back, again: self.now, tries });
                }
                (LegState::Up, LegSeen::Up | LegSeen::InRoom | LegSeen::UpElsewhere) => {
                    self.take_up_person(&id, seen == LegSeen::InRoom);
                }
                (
                    LegState::Waiting
                    | LegState::Ringing { .. }
                    | LegState::Screening { .. }
                    | LegState::Up
                    | LegState::Leaving { .. }
                    | LegState::Ended { .. },
                    _,
                ) => {}
            }
        }
    }

    fn take_up_person(&mut self, id: &LegId, in_room: bool) {
        let now = self.now;
        if let Some(leg) = self.c.legs.get_mut(id) {
            leg.in_room = in_room;
            if leg.word_due.is_some() {
                leg.word_due = Some(now);
            }
        }
        if let (Stage::Asking { what, tries, .. }, true) =
            (self.c.stage, self.c.caller.leg.as_ref() == Some(id))
        {
            self.ask(what, tries);
        }
    }

    /// A talk that stands goes on; one that does not is made again.
    fn rejoin(&mut self) {
        let (caller, taker) = (self.c.caller_leg(), self.c.taker_leg());
        let both_in = caller.is_some_and(|l| l.in_room) && taker.is_some_and(|l| l.in_room);
        match self.c.stage {
            Stage::Talking { .. } if !both_in => self.connecting(),
            Stage::Connecting { keys, .. } if both_in => self.talking(keys),
            Stage::Connecting { .. } => self.ensure_sides(),
            _ => {}
        }
    }
}
