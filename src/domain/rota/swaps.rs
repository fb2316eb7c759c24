//! Taking a swap and undoing it: what may be, judged against who is on now. The rules of the rota (rest,
//! caps) are `rules`'s; asking the people is the dispatcher's.

use serde::{Deserialize, Serialize};

use super::model::Swap;
use super::timeline::Timeline;
use crate::time::{Millis, Window};

/// Why a swap cannot be taken. Nothing changes then: both legs or none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum NotTakeable {
    /// It has no leg.
    #[error("a swap needs at least one duty")]
    Empty,
    /// The duty is over.
    #[error("leg {leg} is over")]
    Over {
        /// Which leg, from 0.
        leg: usize,
    },
    /// The giver does not hold the rest of the duty: given away before, published anew, or overridden.
    #[error("the giver of leg {leg} does not hold it")]
    NotHeld {
        /// Which leg, from 0.
        leg: usize,
    },
    /// Giver and taker are the same.
    #[error("leg {leg} goes to whom it comes from")]
    ToThemselves {
        /// Which leg, from 0.
        leg: usize,
    },
    /// Two legs move the same hours of one role.
    #[error("leg {leg} moves hours that another leg moves")]
    Twice {
        /// Which leg, from 0.
        leg: usize,
    },
}

/// Whether the swap can be taken at `swap.taken_at`, as `timeline` has it. A swap accepted twice fails here
/// the second time: its giver no longer holds the duty.
///
/// # Errors
/// The first thing that stands against it.
pub fn may_take(timeline: &Timeline, swap: &Swap) -> Result<(), NotTakeable> {
    if swap.legs.is_empty() {
        return Err(NotTakeable::Empty);
    }
    for (n, leg) in swap.legs.iter().enumerate() {
        if leg.giver == leg.taker.person {
            return Err(NotTakeable::ToThemselves { leg: n });
        }
        let Some(rest) = Window::new(leg.window.from.max(swap.taken_at), leg.window.to) else {
            return Err(NotTakeable::Over { leg: n });
        };
        let twice = swap.legs.iter().take(n).any(|other| {
            (&other.area, other.role) == (&leg.area, leg.role) && overlap(other.window, leg.window)
        });
        if twice {
            return Err(NotTakeable::Twice { leg: n });
        }
        // An override belongs to hours: whoever stands in by one has nothing to give away.
        let mut parts = timeline.parts_within(&leg.area, leg.role, rest);
        let gives =
            |held: &super::timeline::Held| held.holder.person == leg.giver && held.why.slot().is_some();
        if !parts.all(|part| part.held.iter().any(gives)) {
            return Err(NotTakeable::NotHeld { leg: n });
        }
    }
    Ok(())
}

/// Why a swap cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum NotUndoable {
    /// The earliest leg has begun.
    #[error("the duty began at {begins}")]
    Begun {
        /// When it began.
        begins: Millis,
    },
    /// It was undone before.
    #[error("it was undone at {at}")]
    Undone {
        /// When.
        at: Millis,
    },
}

/// Whether a taken swap can be undone at `now`: until the earliest of its legs begins. Undone, it is open
/// again and another may take it.
///
/// # Errors
/// When the earliest leg has begun, or when it is undone already.
pub fn may_undo(swap: &Swap, now: Millis) -> Result<(), NotUndoable> {
    if let Some(at) = swap.undone_at {
        return Err(NotUndoable::Undone { at });
    }
    match swap.begins() {
        Some(begins) if begins <= now => Err(NotUndoable::Begun { begins }),
        _ => Ok(()),
    }
}

pub(super) fn overlap(a: Window, b: Window) -> bool {
    a.from < b.to && b.from < a.to
}
