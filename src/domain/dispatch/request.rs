//! Where a request stands: its offers, attempts, acceptances and state. How it moves is `decide`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Kind, Mode, Plan, Proof, Step};
use crate::ids::{MemberId, RequestId};
use crate::time::{Millis, Window};

/// What a yes promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "terms")]
pub enum Terms {
    /// Nothing beyond what was asked.
    Plain,
    /// A written or spoken opinion (助言).
    Advice,
    /// An opinion, and a visit where it is needed (往診も可).
    Visit,
    /// The taker calls back by then.
    CallBack { by: Millis },
    /// The attending doctor was spoken to then (主治医へ連絡済): said by whoever takes a patient over.
    Informed { at: Millis },
    /// My duty for yours: both legs or none.
    Exchange { gives: String, takes: String },
}

/// Somebody needs something by some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub kind: Kind,
    pub asker: MemberId,
    /// Asked by the asker in person: that is that side's yes at a gate. A clerk's entry is not.
    pub asked_in_person: bool,
    pub parent: Option<RequestId>,
    /// A parent asks nobody itself; it is taken when all its children are.
    pub children: BTreeMap<RequestId, Child>,
    /// When the help is needed.
    pub window: Window,
    /// How many acceptances it takes.
    pub quota: usize,
    /// Nobody is asked, and no offer lives, from this instant on.
    pub answer_by: Millis,
    pub created: Millis,
    /// How often the answer-by time was extended after a silent taker.
    pub extended: u32,
    /// The plan it was started with.
    pub plan: Plan,
    pub state: State,
    /// One per person asked.
    pub offers: BTreeMap<MemberId, Offer>,
    /// In the order they were given, released ones included.
    pub acceptances: Vec<Acceptance>,
}

/// How a child stands, as far as its parent knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Child {
    Open,
    Taken,
    /// Ended without anybody.
    Failed,
}

/// The state of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// A step is running.
    Running { step: usize, phase: Phase },
    /// The plan came to its end; the coordinator was alarmed. Offers already out can still be taken.
    Exhausted { since: Millis },
    /// Enough people said yes at `since`; `step` is where. `reminded`: the half-time reminder went out.
    Taken { since: Millis, step: usize, reminded: bool },
    /// What came of it is known; the asker has to close. `chased`: the reminders whose time has come so far.
    Reported { since: Millis, chased: u32 },
    /// Done.
    Closed { at: Millis },
    /// Somebody who had to agree did not, or the rules did not allow it.
    Refused { at: Millis },
    /// Taken back by the asker or the office.
    Withdrawn { at: Millis },
    /// The time ran out with nobody.
    Expired { at: Millis },
}

/// Within a running step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// The step may not start, or nobody may be asked, before `at`.
    Waiting { at: Millis },
    /// People are being asked; at `until` the next step starts.
    /// `more`: when somebody else of this step comes into his hours and is asked as well.
    Asking {
        since: Millis,
        until: Millis,
        #[serde(default)]
        more: Option<Millis>,
    },
    /// Hands are up; the asker is asked to choose and reminded at `chase`.
    Choosing { since: Millis, chase: Millis },
    /// The gate's people could not be asked or stayed silent: the decider was asked.
    Deciding { since: Millis },
    /// A parent waits for its children.
    Children,
}

impl State {
    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Running { phase: Phase::Choosing { .. }, .. } => "choosing",
            Self::Running { .. } => "open",
            Self::Exhausted { .. } => "exhausted",
            Self::Taken { .. } => "taken",
            Self::Reported { .. } => "reported",
            Self::Closed { .. } => "closed",
            Self::Refused { .. } => "refused",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Expired { .. } => "expired",
        }
    }

    /// Nothing moves it any more.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Closed { .. } | Self::Refused { .. } | Self::Withdrawn { .. } | Self::Expired { .. }
        )
    }

    /// People may still say yes.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Running { .. } | Self::Exhausted { .. })
    }
}

/// One person asked for one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub state: OfferState,
    /// The step that asked.
    pub step: usize,
    pub asked_at: Millis,
    /// It lapses then, unless it is held.
    pub until: Millis,
    /// "Wait, I am looking": pauses the lapse, reserves nothing.
    pub held_until: Option<Millis>,
    /// Physical tries so far; the number of the newest.
    pub attempts: u32,
    /// What the person would promise, once said.
    pub terms: Option<Terms>,
    /// What showed that the raised hand is this person's.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// Asked to decide in place of the gate's own people.
    #[serde(default)]
    pub decider: bool,
}

/// The state of an offer. Being looked at is an observation in the audit log, not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    /// Decided, not yet handed over on any channel.
    Pending,
    Asked,
    /// "I could" (手挙げ), where the asker chooses.
    Raised,
    Accepted,
    Declined,
    /// Its time passed in silence.
    Lapsed,
    /// No channel reaches this person.
    Unreachable,
    /// Enough others said yes first.
    Full,
    /// The request was taken back, refused or closed.
    Withdrawn,
    /// Accepted, then given back: never asked again for this request.
    Released,
}

impl OfferState {
    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Asked => "asked",
            Self::Raised => "raised",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Unreachable => "unreachable",
            Self::Full => "full",
            Self::Withdrawn => "withdrawn",
            Self::Released => "released",
        }
    }

    /// The person may still answer.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Asked | Self::Raised)
    }
}

/// A deliberate yes by an identified person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    pub person: MemberId,
    pub step: usize,
    pub at: Millis,
    pub proof: Proof,
    pub terms: Terms,
    /// A yes at a gate takes no quota.
    pub gate: bool,
    pub released: Option<Millis>,
}

impl Acceptance {
    /// Given, takes quota, and not released.
    #[must_use]
    pub const fn is_claim(&self) -> bool {
        !self.gate && self.released.is_none()
    }
}

impl Request {
    /// A new request, before its first step: `decide(…, Event::Begin, …)` starts it.
    #[must_use]
    pub fn new(
        id: RequestId,
        plan: Plan,
        asker: MemberId,
        window: Window,
        answer_by: Millis,
        created: Millis,
    ) -> Self {
        Self {
            id,
            kind: plan.kind,
            asker,
            asked_in_person: true,
            parent: None,
            children: BTreeMap::new(),
            window,
            quota: 1,
            answer_by,
            created,
            extended: 0,
            plan,
            state: State::Running { step: 0, phase: Phase::Waiting { at: created } },
            offers: BTreeMap::new(),
            acceptances: Vec::new(),
        }
    }

    /// The acceptances that stand and take quota.
    pub fn claims(&self) -> impl Iterator<Item = &Acceptance> {
        self.acceptances.iter().filter(|a| a.is_claim())
    }

    /// Whether this person's acceptance stands.
    #[must_use]
    pub fn is_taken_by(&self, person: &MemberId) -> bool {
        self.claims().any(|a| a.person == *person)
    }

    #[must_use]
    pub fn step(&self, index: usize) -> Option<&Step> {
        self.plan.steps.get(index)
    }

    /// Offers of this step whose people have not said anything yet.
    pub(super) fn silent(&self, step: usize) -> usize {
        let silent = |o: &&Offer| matches!(o.state, OfferState::Pending | OfferState::Asked);
        self.offers.values().filter(|o| o.step == step).filter(silent).count()
    }

    pub(super) fn hands(&self) -> usize {
        self.offers.values().filter(|o| o.state == OfferState::Raised).count()
    }

    /// Fewer people said yes than are wanted.
    pub(super) fn is_short(&self) -> bool {
        self.claims().count() < self.quota
    }

    pub(super) fn is_gate(&self, step: usize) -> bool {
        self.step(step).is_some_and(|s| s.mode == Mode::Gate)
    }

    pub(super) fn is_search(&self, step: usize) -> bool {
        self.step(step).is_some_and(|s| s.mode.is_search())
    }

    /// The last step that looks for takers; `None`: the plan only asks for agreement or informs.
    pub(super) fn last_search(&self) -> Option<usize> {
        self.plan.steps.iter().rposition(|s| s.mode.is_search())
    }

    /// Whether somebody still has to agree from this step on.
    pub(super) fn gate_ahead(&self, step: usize) -> bool {
        self.plan.steps.iter().skip(step).any(|s| s.mode == Mode::Gate)
    }

    /// Declined, or gave a yes back: not asked again for this request, for whatever it be.
    pub(super) fn is_excluded(&self, person: &MemberId) -> bool {
        let said_no = |o: &Offer| matches!(o.state, OfferState::Declined | OfferState::Released);
        self.offers.get(person).is_some_and(said_no)
    }

    /// The standing agreements at a gate.
    pub(super) fn agreed(&self, step: usize) -> impl Iterator<Item = &Acceptance> {
        self.acceptances.iter().filter(move |a| a.gate && a.step == step && a.released.is_none())
    }
}
