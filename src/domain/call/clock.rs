//! The machine's clock was set: waits that are running keep their length. What has happened keeps the time of day at
//! which it was written down, and so does the hour by which a report is due.

use super::leg::{Leg, LegState};
use super::state::{Call, Stage};
use crate::time::Millis;

/// Moves every wait of a call by as much as the clock was moved, so that what is left of it stays what it was; and the
/// beginning of what still lasts, so that its length stays true.
pub fn move_waits(call: &mut Call, by_ms: i64) {
    let to = |at: &mut Millis| *at = at.plus_ms(by_ms);
    match &mut call.stage {
        Stage::Asking { until, .. }
        | Stage::Inviting { until }
        | Stage::Recording { until, .. }
        | Stage::Keeping { until, .. }
        | Stage::Vanished { until }
        | Stage::Refusing { until } => to(until),
        Stage::Hunting { since, check } => {
            to(since);
            to(check);
        }
        Stage::LastResort { since } => to(since),
        Stage::Connecting { since, again, .. } => {
            to(since);
            to(again);
        }
        Stage::Talking { since, until, .. } => {
            to(since);
            to(until);
        }
        Stage::Promised { by } => to(by),
        Stage::New | Stage::ReportDue { .. } | Stage::Over { .. } => {}
    }
    for leg in call.legs.values_mut().filter(|leg| leg.is_live()) {
        move_leg(leg, by_ms);
    }
    for clock in call.alarms.values_mut() {
        to(&mut clock.since);
        to(&mut clock.next);
    }
    if let Some(away) = &mut call.caller.away {
        to(&mut away.since);
    }
    for at in [&mut call.caller.retry, &mut call.bridge_down].into_iter().flatten() {
        to(at);
    }
    if let Some(taker) = call.taker.as_mut().filter(|taker| taker.ended.is_none()) {
        to(&mut taker.since);
        taker.joined.iter_mut().for_each(to);
    }
}

fn move_leg(leg: &mut Leg, by_ms: i64) {
    let to = |at: &mut Millis| *at = at.plus_ms(by_ms);
    to(&mut leg.since);
    leg.answered.iter_mut().for_each(to);
    leg.word_due.iter_mut().for_each(to);
    match &mut leg.state {
        LegState::Dialing { until }
        | LegState::Ringing { until }
        | LegState::Screening { until, .. }
        | LegState::Leaving { until, .. } => to(until),
        LegState::Accepting { again, .. } => to(again),
        LegState::Waiting | LegState::Up | LegState::Ended { .. } => {}
    }
}
