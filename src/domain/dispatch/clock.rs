//! The machine's clock was set while people were being asked by phone: the waits keep their length.

use super::request::{Phase, Request, State, Terms};
use crate::time::Millis;

impl Request {
    /// Moves every wait that is running by as much as the clock was moved. For the hunt of a call, whose times are
    /// all counted from its beginning; what somebody asked to have by an hour of the day is not moved.
    pub fn move_waits(&mut self, by_ms: i64) {
        let to = |at: &mut Millis| *at = at.plus_ms(by_ms);
        let created = self.created;
        to(&mut self.answer_by);
        match &mut self.state {
            State::Running { phase, .. } => match phase {
                // What was not begun yet waits for no time.
                Phase::Waiting { at } if *at <= created => {}
                Phase::Waiting { at } => to(at),
                Phase::Asking { since, until, more } => {
                    to(since);
                    to(until);
                    more.iter_mut().for_each(to);
                }
                Phase::Choosing { since, chase } => {
                    to(since);
                    to(chase);
                }
                Phase::Deciding { since } => to(since),
                Phase::Children => {}
            },
            State::Exhausted { since } | State::Taken { since, .. } | State::Reported { since, .. } => {
                to(since)
            }
            State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => {}
        }
        for offer in self.offers.values_mut().filter(|offer| offer.state.is_live()) {
            to(&mut offer.asked_at);
            to(&mut offer.until);
            offer.held_until.iter_mut().for_each(to);
        }
        for given in self.acceptances.iter_mut().filter(|given| given.is_claim()) {
            if let Terms::CallBack { by } = &mut given.terms {
                to(by);
            }
        }
    }
}
