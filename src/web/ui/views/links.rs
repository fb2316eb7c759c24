//! What stands behind a mailed link: the offer, signing in, and the courteous endings.

use askama::Template;

use super::{Field, Hidden, Shell, quiet_debug};

/// `GET /k`: one static page. Posts `/k/open`: `token` (filled in by `link.js` from the fragment) or `code`
/// (typed by hand, 12 characters in three groups; hyphens, spaces, full-width and small letters come too).
#[derive(Template)]
#[template(path = "link-entry.html")]
pub struct LinkEntry {
    pub shell: Shell,
    pub code: Field,
}

/// What may be read before acceptance (tier T1): nothing that names anybody.
#[derive(Clone, Default)]
pub struct BlindSummary {
    /// "80代".
    pub decade: String,
    pub sex: String,
    /// "青葉北".
    pub area: String,
    /// "褥瘡・創傷".
    pub condition: String,
    /// "通院できない".
    pub travel: String,
    /// Scrubbed of names, numbers and addresses.
    pub question: String,
    pub photos: u32,
}

/// Whether the offer can be taken now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferState {
    /// Nobody has taken it yet; how many are looked for.
    Open { places: u32, taken: u32 },
    /// This reader asked for time, until then.
    HeldByYou { until: String },
}

/// What was wrong with the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinProblem {
    Missing,
    /// Not four digits.
    Malformed,
    Wrong {
        tries_left: u32,
    },
    /// On a known device, where tries are slowed down and not counted out.
    WrongOnDevice,
}

/// The answer to `POST /k/open` for an offer.
///
/// Posts `/k/answer`: `token`, `once`, `answer` (`accept_advice`, `accept_visit`, `decline`, `hold`), `pin`
/// (unless the device is known), `remember` (`yes` when ticked), `reason` (optional with `decline`:
/// `schedule`, `not_my_field`, `other`). Enter in the PIN field presses nothing: the form's first button is
/// disabled on purpose.
#[derive(Template)]
#[template(path = "link-offer.html")]
pub struct LinkOffer {
    pub shell: Shell,
    /// Whom the link is for, with title.
    pub person_name: String,
    pub case_no: String,
    pub specialty: String,
    /// "助言" or "助言・往診": what the asker wishes.
    pub wish: String,
    /// "在宅療養支援診療所".
    pub asker_institution_kind: String,
    pub answer_by: String,
    pub blind: BlindSummary,
    pub state: OfferState,
    pub may_advise: bool,
    pub may_visit: bool,
    pub may_hold: bool,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// The answer to `POST /k/open` for a sign-in link. Posts `/k/sign-in`: `token`, `once`, `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-sign-in.html")]
pub struct LinkSignIn {
    pub shell: Shell,
    pub person_name: String,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// How a link can be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEndKind {
    /// Another doctor took it.
    TakenByAnother,
    /// This reader took it, then; where the case stands.
    AcceptedByYou {
        at: String,
        href: String,
    },
    DeclinedByYou {
        at: String,
    },
    /// The hand is up; the asker chooses.
    RaisedByYou,
    /// Wishes that this reader has written.
    WishesWritten,
    /// This reader gave it back.
    ReleasedByYou {
        at: String,
    },
    /// The answer-by time or the link's life is over.
    Expired,
    /// The asker or the office took the request back.
    Withdrawn,
    /// A sign-in link that has been used or is too old.
    SignInUsed,
    /// Damaged, mistyped, or never ours: all the same page.
    Unknown,
    /// Five wrong PINs on this link.
    PinLocked,
    /// The rules do not let this reader take it; why, in words (`word-rule-…`).
    RefusedByRule {
        why: String,
    },
}

/// A link that has nothing more to do.
#[derive(Template)]
#[template(path = "link-end.html")]
pub struct LinkEnd {
    pub shell: Shell,
    pub kind: LinkEndKind,
    /// Only where the reader proved to be the person of the link, or the link itself is good.
    pub case_no: Option<String>,
}

impl LinkEnd {
    const fn title(&self) -> &'static str {
        match self.kind {
            LinkEndKind::TakenByAnother => "link-end-taken-title",
            LinkEndKind::AcceptedByYou { .. } => "link-end-accepted-title",
            LinkEndKind::DeclinedByYou { .. } => "link-end-declined-title",
            LinkEndKind::RaisedByYou => "link-end-raised-title",
            LinkEndKind::WishesWritten => "link-end-wishes-title",
            LinkEndKind::ReleasedByYou { .. } => "link-end-released-title",
            LinkEndKind::Expired => "link-end-expired-title",
            LinkEndKind::Withdrawn => "link-end-withdrawn-title",
            LinkEndKind::SignInUsed => "link-end-used-title",
            LinkEndKind::Unknown => "link-end-unknown-title",
            LinkEndKind::PinLocked => "link-end-locked-title",
            LinkEndKind::RefusedByRule { .. } => "link-end-rule-title",
        }
    }

    fn text(&self) -> String {
        self.shell.t(match &self.kind {
            LinkEndKind::TakenByAnother => "link-end-taken-text",
            LinkEndKind::AcceptedByYou { .. } => "link-end-accepted-text",
            LinkEndKind::DeclinedByYou { .. } => "link-end-declined-text",
            LinkEndKind::RaisedByYou => "link-end-raised-text",
            LinkEndKind::WishesWritten => "link-end-wishes-text",
            LinkEndKind::ReleasedByYou { .. } => "link-end-released-text",
            LinkEndKind::Expired => "link-end-expired-text",
            LinkEndKind::Withdrawn => "link-end-withdrawn-text",
            LinkEndKind::SignInUsed => "link-end-used-text",
            LinkEndKind::Unknown => "link-end-unknown-text",
            LinkEndKind::PinLocked => "link-end-locked-text",
            LinkEndKind::RefusedByRule { why } => return why.clone(),
        })
    }

    fn at(&self) -> Option<&str> {
        match &self.kind {
            LinkEndKind::AcceptedByYou { at, .. }
            | LinkEndKind::DeclinedByYou { at }
            | LinkEndKind::ReleasedByYou { at } => Some(at.as_str()).filter(|at| !at.is_empty()),
            _ => None,
        }
    }

    fn case_href(&self) -> Option<&str> {
        match &self.kind {
            LinkEndKind::AcceptedByYou { href, .. } => Some(href),
            _ => None,
        }
    }

    const fn is_good(&self) -> bool {
        matches!(self.kind, LinkEndKind::AcceptedByYou { .. } | LinkEndKind::WishesWritten)
    }

    const fn may_type_code(&self) -> bool {
        matches!(self.kind, LinkEndKind::Unknown)
    }

    const fn may_sign_in(&self) -> bool {
        matches!(self.kind, LinkEndKind::SignInUsed | LinkEndKind::WishesWritten)
    }
}

quiet_debug!(LinkEntry, BlindSummary, LinkOffer, LinkSignIn, LinkEnd);
