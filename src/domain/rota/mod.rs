//! The rota (当番表): which slots there are, who is on, whether the rules hold, what it counts for.
//!
//! `model` is what is recorded; `timeline` says who is on; `swaps` what may change hands; `publish` what a
//! publication changes; `asking` is what is asked about a published duty, `view` the rota as a request sees it.
//! `slots` and `slot_file` are an association's patterns; `rules` and `judge` check them (`blocks`: runs of days
//! off); `settings` is what an association sets beside them, `wishes` a person's sheet; `counting` and `turns`
//! count; `holes` finds what is missing; `fill` fills it
//! plainly, `lottery` draws lots.

pub mod asking;
pub mod blocks;
pub mod counting;
pub mod feed;
pub mod fill;
pub mod grid;
pub mod holes;
pub mod judge;
pub mod lottery;
pub mod model;
pub mod paper;
pub mod publish;
pub mod rules;
pub mod settings;
pub mod sheet;
pub mod slot_file;
pub mod slots;
pub mod swaps;
pub mod timeline;
pub mod turns;
pub mod view;
pub mod wishes;

pub use asking::{Form, HandOver, MoveUp, Stretch, SwapFacts, move_up};
pub use blocks::{BlockRule, Run, is_day_off, run_of};
pub use counting::{Spread, Tally, carry_over, fair_shares, tallies, target};
pub use fill::{EmptySeat, Fill, Filled, PlainFill, Problem};
pub use holes::{Clash, Hole, Required, clashes, holes};
pub use judge::{Judge, check};
pub use lottery::{Draw, draw};
pub use model::{
    Area, Assignment, CareGroup, Holder, Leaver, Leaving, Leg, NotACareGroup, NotASlotKey, NotAnArea,
    Override, Publication, Records, Return, RotaRole, SlotKey, Swap,
};
pub use publish::{Change, Refused, changes, refusals};
pub use rules::{Apart, DutyPerson, KindCap, Month, Rule, Rules, Setting, Violation, Wish, Wished};
pub use settings::{HoleMail, PersonSetting, Reminders, RotaArea, RotaSettings, SettingWrong, SwapRules};
pub use slot_file::{SlotFileError, SlotFileErrors};
pub use slots::{DayKind, Points, RecordedBook, Slot, SlotBook, SlotPattern, book_as_of, day_kinds};
pub use swaps::{NotTakeable, NotUndoable, may_take, may_undo};
pub use timeline::{Because, Gap, Held, Part, Segment, Standing, Timeline, VoidReason, VoidSwap};
pub use turns::{TurnCount, full_day_turns, turns_of_month};
pub use view::DutyView;
pub use wishes::{SheetWrong, WishSheet, WishSource, WishedDays};

#[cfg(test)]
mod tests;
