//! What the machine may know of the world, and the rules of each kind that a yes must still meet in the
//! moment it is written.

use serde::{Deserialize, Serialize};

use super::decide::Effect;
use super::plan::{Kind, Selector};
use super::request::{Acceptance, Request, Terms};
use crate::ids::MemberId;
use crate::time::Millis;

/// Somebody a selector names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub person: MemberId,
    /// Not to be contacted before (their hours).
    pub from: Millis,
}

/// What the rules ask about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonFacts {
    /// A member in good standing at this moment.
    pub active: bool,
    /// May promise a visit, for the specialty in question.
    pub visits: bool,
    pub taken_this_month: u32,
    /// `None`: no limit.
    pub monthly_cap: Option<u32>,
}

/// The loaded facts, as they are in the transaction that will be committed.
pub trait World {
    /// The people a selector names now, best first. Empty when it names nobody.
    fn resolve(&self, selector: &Selector, request: &Request, now: Millis) -> Vec<Candidate>;

    /// `None`: not known here.
    fn person(&self, person: &MemberId) -> Option<PersonFacts>;

    /// Whether what a swap is about may change hands as the request stands: its giver still holds it, and the
    /// rules of the rota do not stand against its taker.
    ///
    /// # Errors
    /// The first rule that stands against it.
    fn may_hand_over(&self, _request: &Request) -> Result<(), Rule> {
        Ok(())
    }

    /// Whether somebody may take the patient of a transfer over, as they say.
    ///
    /// # Errors
    /// The first rule that stands against it.
    fn may_receive(&self, _request: &Request, _claim: &Acceptance) -> Result<(), Rule> {
        Ok(())
    }

    /// Whether somebody may cover a clinic in the request's window. `fresh`: the caps do not count this yes yet.
    ///
    /// # Errors
    /// The first rule that stands against it.
    fn may_cover(&self, _request: &Request, _claim: &Acceptance, _fresh: bool) -> Result<(), Rule> {
        Ok(())
    }
}

/// The rule that stands against a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Left, or not yet a member.
    NotActive,
    /// One cannot take one's own request.
    OwnRequest,
    /// The monthly number this person set is reached.
    MonthlyCap,
    /// A visit was promised by somebody who does not visit.
    NoVisits,
    /// These terms do not belong to this kind of request.
    WrongTerms,
    /// The duty is over.
    DutyOver,
    /// The duty is no longer held by whoever gives it, or it is taken by now.
    DutyNotHeld,
    /// On duty elsewhere at that time.
    DutyAtOnce,
    /// The other person on duty comes from the same institution.
    DutySameInstitution,
    /// Too little rest since or until another duty.
    DutyRest,
    /// Too many duties of the person or the institution in a week or a month.
    DutyCap,
    /// What the duty needs, this person does not have or does not do.
    DutyNotFit,
    /// Covers as many clinics at that time as one person may.
    CoverCap,
    /// Away at that time, by a request for cover of their own.
    CoverAway,
    /// Whoever takes a patient over has not said that, and when, the attending doctor was spoken to.
    AttendingNotInformed,
    /// Not of a clinic that takes patients over.
    NotReceiving,
    /// The pillar is switched off, or its contract does not run on all of these days.
    PillarContract,
    /// The pillar does not serve these hours or this area.
    PillarHours,
    /// A household of the clinic was not told of the pillar, or refused it.
    PillarUntold,
}

impl Rule {
    /// The stable word of the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotActive => "not_active",
            Self::OwnRequest => "own_request",
            Self::MonthlyCap => "monthly_cap",
            Self::NoVisits => "no_visits",
            Self::WrongTerms => "wrong_terms",
            Self::DutyOver => "duty_over",
            Self::DutyNotHeld => "duty_not_held",
            Self::DutyAtOnce => "duty_at_once",
            Self::DutySameInstitution => "duty_same_institution",
            Self::DutyRest => "duty_rest",
            Self::DutyCap => "duty_cap",
            Self::DutyNotFit => "duty_not_fit",
            Self::CoverCap => "cover_cap",
            Self::CoverAway => "cover_away",
            Self::AttendingNotInformed => "attending_not_informed",
            Self::NotReceiving => "not_receiving",
            Self::PillarContract => "pillar_contract",
            Self::PillarHours => "pillar_hours",
            Self::PillarUntold => "pillar_untold",
        }
    }
}

/// Runs with every yes that takes quota and again after the last step, inside the transaction that writes
/// the acceptances. `fresh`: whose yes it is that the world does not count yet; a cap that an earlier yes
/// of this request filled up must not stand against that very yes.
///
/// # Errors
/// The first rule that stands against it; nothing is written then.
pub fn settle(request: &Request, world: &dyn World, fresh: Option<&MemberId>) -> Result<Vec<Effect>, Rule> {
    let claims: Vec<&Acceptance> = request.claims().collect();
    match request.kind {
        Kind::Consult => {
            for claim in &claims {
                consult_rules(request, claim, world, fresh == Some(&claim.person))?;
            }
            let until = None;
            Ok(claims.iter().map(|c| Effect::Grant { person: c.person.clone(), until }).collect())
        }
        Kind::Swap => {
            world.may_hand_over(request)?;
            // Looked at with every yes, done once: after the last step.
            Ok(if fresh.is_none() { vec![Effect::HandOver] } else { Vec::new() })
        }
        Kind::Cover => {
            for claim in &claims {
                if claim.person == request.asker {
                    return Err(Rule::OwnRequest);
                }
                world.may_cover(request, claim, fresh == Some(&claim.person))?;
            }
            Ok(Vec::new())
        }
        Kind::Transfer => {
            for claim in &claims {
                world.may_receive(request, claim)?;
            }
            let until = None;
            Ok(claims.iter().map(|c| Effect::Grant { person: c.person.clone(), until }).collect())
        }
        // Whoever was asked may answer: it promises nothing but the words.
        Kind::Contact => Ok(Vec::new()),
        // Their rules arrive with their journeys; what the machine itself promises holds for all of them.
        Kind::Urgent | Kind::Check => Ok(Vec::new()),
    }
}

fn consult_rules(request: &Request, claim: &Acceptance, world: &dyn World, fresh: bool) -> Result<(), Rule> {
    let person = world.person(&claim.person).ok_or(Rule::NotActive)?;
    if !person.active {
        return Err(Rule::NotActive);
    }
    if claim.person == request.asker {
        return Err(Rule::OwnRequest);
    }
    match claim.terms {
        Terms::Advice => {}
        Terms::Visit if person.visits => {}
        Terms::Visit => return Err(Rule::NoVisits),
        Terms::Plain | Terms::CallBack { .. } | Terms::Informed { .. } | Terms::Exchange { .. } => {
            return Err(Rule::WrongTerms);
        }
    }
    if fresh && person.monthly_cap.is_some_and(|cap| person.taken_this_month >= cap) {
        return Err(Rule::MonthlyCap);
    }
    Ok(())
}
