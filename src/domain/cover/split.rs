//! The slots a cover falls into: cut where the rota's slots meet, where who is on changes from somebody to nobody,
//! and where a fiscal year begins. Hours outside of every slot are slots of their own, a day and its night at most.

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::year_turns;
use crate::domain::calendar::{civil_day, instant_of};
use crate::domain::rota::{DutyView, RotaRole, Slot};
use crate::ids::MemberId;
use crate::time::{Millis, Window};

/// Hours outside of every slot up to this long are one slot.
const DAY_MS: i64 = 86_400_000;

/// One slot of a cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub window: Window,
    /// Who is primary throughout, as published now; nobody where the rota does not cover it.
    pub on_duty: Vec<MemberId>,
}

/// Hours outside of every slot are cut at noon, so that no night is cut in two.
fn noons(window: Window, zone: Tz) -> Vec<Millis> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    let first = civil_day(window.from, zone);
    let days = civil_day(window.to, zone).days_since(first);
    (0..=days).map(|n| instant_of(first.plus_days(n), noon, zone)).collect()
}

/// Cuts a window at instants within it.
fn cut(window: Window, mut at: Vec<Millis>) -> Vec<Window> {
    at.retain(|t| window.from < *t && *t < window.to);
    at.push(window.to);
    at.sort_unstable();
    at.dedup();
    let mut from = window.from;
    let mut pieces = Vec::with_capacity(at.len());
    for to in at {
        pieces.extend(Window::new(from, to));
        from = to;
    }
    pieces
}

/// The slots of a cover, in order, without hole or overlap. `slots`: those of the rota around it. Whoever asks does
/// not cover themselves.
#[must_use]
pub fn split(window: Window, asker: &MemberId, view: &DutyView, slots: &[Slot]) -> Vec<Part> {
    let zone = view.zone;
    let mut edges: Vec<Millis> = slots.iter().flat_map(|s| [s.window.from, s.window.to]).collect();
    edges.extend(year_turns(window, zone));
    let inside =
        |piece: &Window| slots.iter().any(|s| s.window.from <= piece.from && piece.to <= s.window.to);
    let mut pieces = Vec::new();
    for piece in cut(window, edges) {
        let short = piece.to.since_ms(piece.from) <= DAY_MS;
        if short || inside(&piece) {
            pieces.push(piece)
        } else {
            pieces.extend(cut(piece, noons(piece, zone)))
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces {
        let begin = parts.len();
        for (window, on_duty) in on_duty(piece, asker, view) {
            match parts.get_mut(begin..).and_then(<[Part]>::last_mut) {
                // Within a slot a change from one person to the next is a change of the rota's own.
                Some(last) if last.on_duty.is_empty() == on_duty.is_empty() => {
                    last.window.to = window.to;
                    last.on_duty.extend(on_duty);
                    last.on_duty.dedup();
                }
                _ => parts.push(Part { window, on_duty }),
            }
        }
    }
    parts
}

/// Who is primary in each part of a piece.
fn on_duty(piece: Window, asker: &MemberId, view: &DutyView) -> Vec<(Window, Vec<MemberId>)> {
    let Some(area) = &view.area else { return vec![(piece, Vec::new())] };
    let mut found: Vec<(Window, Vec<MemberId>)> = Vec::new();
    let mut from = piece.from;
    for part in view.timeline.parts_within(area, RotaRole::Primary, piece) {
        // Before the first publication there is no part at all.
        found.extend(Window::new(from, part.window.from).map(|gap| (gap, Vec::new())));
        from = part.window.to;
        let people = part.held.into_iter().map(|held| held.holder.person);
        found.push((part.window, people.filter(|person| person != asker).collect()));
    }
    found.extend(Window::new(from, piece.to).map(|gap| (gap, Vec::new())));
    found
}
