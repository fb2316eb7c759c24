//! What is asked about a published duty (交代の依頼): giving it away, exchanging it, having it covered, being ill,
//! filling a hole; and what follows for the rota once people agreed. Asking them is the dispatcher's, whether a
//! recorded swap counts is `swaps`'s.

use serde::{Deserialize, Serialize};

use super::model::{Area, Holder, Leg, RotaRole, SlotKey};
use super::timeline::{Held, Timeline};
use crate::ids::MemberId;
use crate::time::{Millis, Window};

/// How a duty is to change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// 譲渡: to one person, who is asked.
    Give,
    /// 交換: with one person, duty for duty.
    Exchange,
    /// 放出: to whoever wants it; the giver holds it until then.
    Pool,
    /// 代行募集: volunteers are asked in waves until one takes it.
    Cover,
    /// 出られません: the deputy moves up at once, and a new one is called for.
    Ill,
    /// 空きの募集: nobody holds it, and volunteers are called for.
    Hole,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] = [Self::Give, Self::Exchange, Self::Pool, Self::Cover, Self::Ill, Self::Hole];

    /// The stable word of the API and the data, and the name of its plan.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Exchange => "exchange",
            Self::Pool => "pool",
            Self::Cover => "cover",
            Self::Ill => "ill",
            Self::Hole => "hole",
        }
    }

    /// Reads [`Form::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.code() == code)
    }

    /// One person is asked, who is named.
    #[must_use]
    pub const fn is_with_one(self) -> bool {
        matches!(self, Self::Give | Self::Exchange)
    }

    /// Nobody holds it: whoever takes it fills a hole.
    #[must_use]
    pub const fn is_a_hole(self) -> bool {
        matches!(self, Self::Ill | Self::Hole)
    }
}

/// A duty, or part of one: what may change hands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// Where.
    pub area: Area,
    /// Which role.
    pub role: RotaRole,
    /// Its slot, where it has one.
    pub slot: Option<SlotKey>,
    /// From when until when.
    pub window: Window,
}

impl Stretch {
    /// In one word, to be agreed to: the area, the role and the hours.
    #[must_use]
    pub fn word(&self) -> String {
        format!("{}/{}/{}-{}", self.area, self.role.code(), self.window.from.0, self.window.to.0)
    }

    /// What is left of it at `now`.
    #[must_use]
    pub fn rest(&self, now: Millis) -> Option<Window> {
        Window::new(self.window.from.max(now), self.window.to)
    }
}

/// What a request about a duty is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapFacts {
    /// How it is to change hands.
    pub form: Form,
    /// Where; the same as that of what is given, for whoever looks for the area of a request.
    pub area: Area,
    /// What is given away or to be filled.
    pub gives: Stretch,
    /// Whose it is; nobody's where it is a hole.
    pub giver: Option<MemberId>,
    /// What comes back for it, in an exchange.
    pub takes: Option<Stretch>,
    /// With whom, where one person is asked.
    pub other: Option<MemberId>,
    /// It begins within a day of the asking: the office confirms it by telephone, too.
    pub late: bool,
}

impl SwapFacts {
    /// The sides, counted from 0: who gives, then who takes where that is known.
    #[must_use]
    pub fn parties(&self) -> Vec<&MemberId> {
        self.giver.iter().chain(&self.other).collect()
    }

    /// When the first of it begins.
    #[must_use]
    pub fn begins(&self) -> Millis {
        self.takes.as_ref().map_or(self.gives.window.from, |t| t.window.from.min(self.gives.window.from))
    }

    /// From the first beginning to the last end.
    #[must_use]
    pub fn window(&self) -> Window {
        let to = self.takes.as_ref().map_or(self.gives.window.to, |t| t.window.to.max(self.gives.window.to));
        Window { from: self.begins(), to }
    }
}

/// What changes in the rota when everybody agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Recorded as a taken swap.
    Swap(Vec<Leg>),
    /// Recorded as a change by the office: nobody gave it.
    Fill(Stretch, Holder),
}

/// What somebody's falling ill changes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveUp {
    /// The deputy takes the primary's duty, hour by hour.
    pub legs: Vec<Leg>,
    /// The same where the ill person stood in by a change of the office and has no slot to give.
    pub fills: Vec<(Stretch, Holder)>,
    /// What nobody holds then.
    pub holes: Vec<Stretch>,
}

/// What follows at `now` when `ill` cannot hold the rest of a duty: a deputy who is on moves up and leaves
/// his own place open; where there is none, the duty itself is open.
#[must_use]
pub fn move_up(timeline: &Timeline, duty: &Stretch, ill: &MemberId, now: Millis) -> MoveUp {
    let mut follows = MoveUp::default();
    let Some(rest) = duty.rest(now) else { return follows };
    let within = |window: Window, role: RotaRole| Stretch { role, window, ..duty.clone() };
    if duty.role != RotaRole::Primary {
        follows.holes.push(within(rest, duty.role));
        return follows;
    }
    for mine in timeline.parts_within(&duty.area, RotaRole::Primary, rest) {
        let Some(held) = mine.held.iter().find(|h| h.holder.person == *ill) else { continue };
        for part in timeline.parts_within(&duty.area, RotaRole::Deputy, mine.window) {
            let here = within(part.window, RotaRole::Primary);
            let Some(deputy) = part.held.iter().map(|h| &h.holder).find(|h| h.person != *ill) else {
                push(&mut follows.holes, here);
                continue;
            };
            if Held::is_of_a_slot(held) {
                follows.legs.push(Leg {
                    area: here.area,
                    role: here.role,
                    window: here.window,
                    giver: ill.clone(),
                    taker: deputy.clone(),
                });
            } else {
                follows.fills.push((here, deputy.clone()));
            }
            push(&mut follows.holes, within(part.window, RotaRole::Deputy));
        }
    }
    follows
}

/// Adds a hole, as one with the one before where they meet.
fn push(holes: &mut Vec<Stretch>, hole: Stretch) {
    match holes.iter_mut().rfind(|h| h.role == hole.role) {
        Some(last) if last.window.to == hole.window.from => last.window.to = hole.window.to,
        _ => holes.push(hole),
    }
}
