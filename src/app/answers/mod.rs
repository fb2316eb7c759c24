//! Answering an offer: behind a mailed link by PIN or known device, or through the API.

mod by_api;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use by_api::{ApiAnswer, ApiAnswered, ApiProof};

use super::access::{
    Cookies, KnownDevice, NewAccess, PinCheck, Proven, new_access, note, pin_stands, read_pin, write_access,
};
use super::contact::{OpenContact, open_contact};
use super::cover::{OpenCover, open_cover};
use super::flow::{Act, apply};
use super::signin::staff::SetupDoor;
use super::swap::{OpenSwap, open_swap};
use super::transfer::{OpenTransfer, must_say_more, open_transfer};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::Blind;
use crate::domain::dispatch::{Acceptance, Answer, Event, Kind, OfferState, Proof, Request, Rule, Terms};
use crate::domain::people::ConsultFacts;
use crate::ids::{DeviceId, MemberId, RequestId};
use crate::seal::Secret;
use crate::store::access::{Link, LinkPurpose, link_by_id, link_consume};
use crate::store::dispatch::{OfferRow, offer_of, offer_opened, request_load};
use crate::store::enrolment::{device_used, reach_test_by_link};
use crate::store::people::{
    Association, Institution, Member, association_by_id, institution_by_id, member_by_id, member_pin_right,
    specialties_of,
};
use crate::store::requests::{Case, case_by_id};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// What somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "choice")]
pub enum Choice {
    Accept {
        terms: Terms,
    },
    /// With an optional reason, one of [`DECLINE_REASONS`].
    Decline {
        reason: Option<String>,
    },
    /// "Wait, I am looking": the lapse pauses for [`HOLD_S`].
    Hold,
    /// An acceptance is given back.
    Release,
}

/// The reason that stands with a no for somebody who left.
pub(crate) const DECLINE_LEFT: &str = "left";

/// Why somebody says no, as codes. Anything else counts as no reason given.
pub const DECLINE_REASONS: [&str; 3] = ["schedule", "not_my_field", "other"];

/// How long a hold lasts.
pub const HOLD_S: i64 = 30 * 60;

/// A link that has just been used still proves a double tap within this time: the first answer may have
/// been lost in a tunnel.
pub(crate) const DOUBLE_TAP_MS: i64 = 120_000;

/// Why there is nothing more to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    TakenByAnother,
    /// `place`: where the case stands: `consults`, `swaps`, `covers`, `transfers` or `contacts`; `duties`: on no page of its own.
    AcceptedByYou {
        at: Millis,
        request: RequestId,
        place: &'static str,
    },
    DeclinedByYou,
    ReleasedByYou,
    Expired,
    Withdrawn,
    SignInUsed,
    PinLocked,
}

/// What stands behind a mailed link, without anything having changed.
#[derive(Debug)]
pub enum Opened {
    Unknown,
    SignIn {
        association: Association,
        member: Box<Member>,
    },
    /// Setting up one's means of signing in (office).
    Setup {
        association: Association,
        member: Box<Member>,
        door: SetupDoor,
    },
    /// Stopping a recovery that its owner did not ask for.
    StopRecovery {
        association: Association,
    },
    Offer(Box<OpenOffer>),
    /// An offer about a duty.
    Swap(Box<OpenSwap>),
    /// Slots of a cover that somebody was asked about.
    Cover(Box<OpenCover>),
    /// A patient who may be handed over.
    Transfer(Box<OpenTransfer>),
    /// A message to an attending doctor.
    Contact(Box<OpenContact>),
    /// Tonight's check: can they be reached?
    Check {
        association: Association,
        member: Box<Member>,
    },
    /// A test mail: has it arrived?
    ReachTest {
        association: Association,
        member: Box<Member>,
        confirmed: bool,
    },
    /// A device that an institution's people will share.
    Station(Box<super::people::stations::Station>),
    /// The person's entries of the directory; see [`App::entry_link_open`].
    EntryReview,
    /// Wishes that are asked for; see [`App::wish_link_open`].
    Wishes,
    Ended {
        association: Association,
        case_no: Option<String>,
        why: Ended,
    },
}

/// An offer that can be answered: what may be shown before it is (T1).
#[derive(Debug)]
pub struct OpenOffer {
    pub association: Association,
    pub member: Member,
    pub case: Case,
    pub facts: ConsultFacts,
    pub blind: Blind,
    /// The asker's institution; only its kind may be shown.
    pub institution: Option<Institution>,
    pub request: Request,
    pub offer: OfferRow,
    /// The person visits, for this specialty.
    pub visits: bool,
}

/// How an answer behind a link ended.
#[derive(Debug)]
pub enum LinkAnswer {
    /// The acceptance stands. The cookies to set, when the PIN was typed.
    Accepted {
        request: RequestId,
        session: Option<Secret>,
        device: Option<Secret>,
    },
    HandRaised {
        request: RequestId,
    },
    Declined,
    Held {
        until: Millis,
    },
    Ended {
        association: Association,
        case_no: Option<String>,
        why: Ended,
    },
    Unknown,
    PinMissing,
    PinMalformed,
    PinWrong {
        tries_left: i64,
    },
    RefusedByRule {
        association: Association,
        case_no: String,
        rule: Rule,
    },
}

struct AnswerByLink {
    kit: Kit,
    link: Link,
    request: RequestId,
    proof: Proof,
    /// Checked again in the transaction when the proof was a PIN.
    pin_version: Option<i64>,
    choice: Choice,
    access: Option<NewAccess>,
    /// The known device that proved the person.
    device: Option<DeviceId>,
}

enum ByLink {
    Answered(Answer),
    LinkOver,
}

impl Command for AnswerByLink {
    type Output = ByLink;

    async fn apply(&self, tx: &mut Conn) -> Result<ByLink, StoreError> {
        let (kit, association, person) = (&self.kit, &self.link.association, &self.link.member);
        let Some(link) = link_by_id(tx, association, &self.link.id).await? else {
            return Ok(ByLink::LinkOver);
        };
        // Looked at again in the transaction: while the PIN was being checked the link may have been used up,
        // voided or locked. Otherwise many guesses sent at the same time would all be tried.
        let double_tap = link.consumed.is_some_and(|at| kit.now.since_ms(at) < DOUBLE_TAP_MS);
        let fresh = link.consumed.is_none() && link.voided.is_none() && kit.now < link.expires;
        let locked = self.pin_version.is_some() && link.wrong_pins >= kit.rules.pin_tries_per_link;
        if locked || !(fresh || double_tap) {
            return Ok(ByLink::LinkOver);
        }
        let member = member_by_id(tx, association, person).await?;
        let member = member.filter(|m| m.is_active(kit.now));
        if !member.is_some_and(|m| self.pin_version.is_none_or(|v| pin_stands(kit, &m, v))) {
            return Ok(ByLink::LinkOver);
        }
        let who = Who::member(association, person);
        let proven = (self.proof, None);
        let answer = answer_in(tx, kit, &who, &self.request, person, proven, &self.choice).await?;
        let Some(answer) = answer else {
            return Ok(ByLink::LinkOver);
        };
        if let Some(device) = &self.device {
            device_used(tx, association, device, kit.now).await?;
        }
        if self.pin_version.is_some() {
            member_pin_right(tx, association, person).await?;
        }
        let done = matches!(answer, Answer::Done | Answer::HandRaised);
        let keeps = matches!(self.choice, Choice::Hold);
        if done && !keeps {
            link_consume(tx, association, &link.id, kit.now).await?;
        }
        if let (Some(access), Answer::Done | Answer::Already | Answer::HandRaised) = (&self.access, answer)
            && matches!(self.choice, Choice::Accept { .. })
        {
            write_access(tx, kit, association, person, access).await?;
        }
        Ok(ByLink::Answered(answer))
    }
}

pub(crate) async fn answer_in(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    request: &RequestId,
    person: &MemberId,
    (proof, channel): (Proof, Option<&str>),
    choice: &Choice,
) -> Result<Option<Answer>, StoreError> {
    let yes = matches!(choice, Choice::Accept { .. });
    if (yes || matches!(choice, Choice::Decline { .. }))
        && must_say_more(tx, &who.association, request, person, yes).await?
    {
        return Ok(Some(Answer::Refused { rule: Rule::WrongTerms }));
    }
    let person = person.clone();
    let (event, mut act) = match choice {
        Choice::Accept { terms } => (
            Event::Accept { person: person.clone(), proof, terms: terms.clone() },
            Act {
                action: "offer.accept",
                detail: json!({ "member": person.as_str(), "proof": proof, "terms": terms }),
            },
        ),
        Choice::Decline { reason } => {
            // A code of ours or nothing: no text that somebody typed stands in the audit.
            let reason = DECLINE_REASONS.into_iter().find(|r| Some(*r) == reason.as_deref());
            (
                Event::Decline { person: person.clone() },
                Act {
                    action: "offer.decline",
                    detail: json!({ "member": person.as_str(), "reason": reason }),
                },
            )
        }
        Choice::Hold => (
            Event::Hold { person: person.clone(), until: kit.now.plus_s(HOLD_S) },
            Act { action: "offer.hold", detail: json!({ "member": person.as_str() }) },
        ),
        Choice::Release => (
            Event::Release { person: person.clone() },
            Act { action: "offer.release", detail: json!({ "member": person.as_str() }) },
        ),
    };
    if let (Some(channel), Some(detail)) = (channel, act.detail.as_object_mut()) {
        detail.insert("channel".to_owned(), json!(channel));
    }
    Ok(apply(tx, kit, who, request, event, &act).await?.map(|moved| moved.answer))
}

/// Who was proven behind a link, and what comes with it.
#[derive(Debug)]
pub(crate) struct ProvenOn {
    pub proof: Proof,
    pub pin_version: Option<i64>,
    pub access: Option<NewAccess>,
    pub cookies: Option<Cookies>,
    pub device: Option<DeviceId>,
}

struct NoteOpened {
    kit: Kit,
    who: Who,
    request: RequestId,
    member: MemberId,
}

impl Command for NoteOpened {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        if offer_opened(tx, association, &self.request, &self.member, self.kit.now).await? {
            let subject = format!("request:{}", self.request);
            let detail = json!({ "member": self.member.as_str() });
            note(tx, &self.kit, &self.who, "offer.opened", &subject, detail).await?;
        }
        Ok(())
    }
}

impl App {
    /// What stands behind a token. Nothing changes, except that it is noted that the person has looked.
    ///
    /// # Errors
    /// The store's.
    pub async fn link_open(&self, token: &str) -> Result<Opened, AppError> {
        let Some(link) = self.link_by_token(token).await? else {
            return Ok(Opened::Unknown);
        };
        if link.purpose == LinkPurpose::EntryReview {
            return Ok(Opened::EntryReview);
        }
        if link.purpose == LinkPurpose::Wishes {
            return Ok(Opened::Wishes);
        }
        let now = self.now();
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &link.association).await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        let (Some(association), Some(member)) = (home, member) else {
            return Ok(Opened::Unknown);
        };
        let over =
            |why, case_no: Option<String>| Opened::Ended { association: association.clone(), case_no, why };
        if link.purpose.is_of_the_office() {
            drop(conn);
            return self.office_link_opened(&link, association, member).await;
        }
        if link.purpose == LinkPurpose::SignIn {
            return Ok(if self.is_locked(&link, &member) {
                over(Ended::PinLocked, None)
            } else if link.consumed.is_some() || !member.is_active(now) {
                over(Ended::SignInUsed, None)
            } else if now >= link.expires {
                over(Ended::Expired, None)
            } else {
                Opened::SignIn { association, member: Box::new(member) }
            });
        }
        if link.purpose == LinkPurpose::ReachTest {
            let test = reach_test_by_link(&mut conn, &link.association, &link.id).await?;
            let Some(test) = test.filter(|_| member.is_active(now)) else {
                return Ok(Opened::Unknown);
            };
            let confirmed = test.confirmed.is_some();
            let over_now = test.voided.is_some() || link.voided.is_some() || now >= link.expires;
            return Ok(if over_now && !confirmed {
                over(Ended::Expired, None)
            } else {
                Opened::ReachTest { association, member: Box::new(member), confirmed }
            });
        }
        if link.purpose == LinkPurpose::Station {
            drop(conn);
            let locked = link.wrong_pins >= self.rules.pin_tries_per_link;
            return Ok(match self.station_behind(&link).await? {
                _ if locked => over(Ended::PinLocked, None),
                Some(station) => Opened::Station(Box::new(station)),
                None => over(Ended::SignInUsed, None),
            });
        }
        let Some(request_id) = link.request.clone() else {
            return Ok(Opened::Unknown);
        };
        let loaded = request_load(&mut conn, &link.association, &request_id).await?;
        let case = case_by_id(&mut conn, &link.association, &request_id).await?;
        if let Some(case) = case.as_ref().filter(|case| case.kind == Kind::Cover.code()) {
            let case_no = Some(case.case_no.clone());
            if self.is_locked(&link, &member) {
                return Ok(over(Ended::PinLocked, case_no));
            }
            let open = open_cover(self, &mut conn, &link, &association, &member).await?;
            drop(conn);
            if link.voided.is_some() || now >= link.expires || !member.is_active(now) {
                return Ok(over(Ended::Expired, case_no));
            }
            return Ok(match open {
                Ok(open) => {
                    for id in &open.slots {
                        let seen = NoteOpened {
                            kit: self.kit(),
                            who: Who::member(&link.association, &link.member),
                            request: id.clone(),
                            member: link.member.clone(),
                        };
                        self.db.run(seen).await?;
                    }
                    Opened::Cover(Box::new(open))
                }
                Err(why) => over(why, case_no),
            });
        }
        let offer = offer_of(&mut conn, &link.association, &request_id, &link.member).await?;
        let (Some(loaded), Some(case), Some(offer)) = (loaded, case, offer) else {
            return Ok(Opened::Unknown);
        };
        let case_no = Some(case.case_no.clone());
        if let Some(why) = ended(&loaded.request, &link, now) {
            return Ok(over(why, case_no));
        }
        if self.is_locked(&link, &member) {
            return Ok(over(Ended::PinLocked, case_no));
        }
        if link.voided.is_some() || now >= link.expires || !member.is_active(now) {
            return Ok(over(Ended::Expired, case_no));
        }
        if loaded.request.kind == Kind::Check {
            drop(conn);
            self.seen(&link, request_id, &offer).await?;
            return Ok(Opened::Check { association, member: Box::new(member) });
        }
        if loaded.request.kind == Kind::Swap {
            let open = open_swap(self, &mut conn, &link, association, member, case).await?;
            drop(conn);
            self.seen(&link, request_id, &offer).await?;
            return Ok(open.map_or(Opened::Unknown, |open| Opened::Swap(Box::new(open))));
        }
        if loaded.request.kind == Kind::Contact {
            let open = open_contact(&mut conn, association, member, case, &loaded.request).await?;
            drop(conn);
            self.seen(&link, request_id, &offer).await?;
            return Ok(open.map_or(Opened::Unknown, |open| Opened::Contact(Box::new(open))));
        }
        if loaded.request.kind == Kind::Transfer {
            let open = open_transfer(&mut conn, association, member, case, loaded.request).await?;
            drop(conn);
            self.seen(&link, request_id, &offer).await?;
            return Ok(open.map_or(Opened::Unknown, |open| Opened::Transfer(Box::new(open))));
        }
        let facts: ConsultFacts =
            serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))?;
        let at = Sealed { table: "request", column: "blind", row: case.id.as_str() };
        let blind = self.vault.open(&mut conn, &link.association, at, &case.blind).await?;
        let blind: Blind =
            serde_json::from_str(&blind).map_err(|e| StoreError::corrupt("request", &case.id, e))?;
        let visits = specialties_of(&mut conn, &link.association, &link.member)
            .await?
            .iter()
            .any(|s| s.specialty == facts.specialty && s.visits);
        let institution = institution_by_id(&mut conn, &link.association, &case.institution).await?;
        drop(conn);
        self.seen(&link, request_id, &offer).await?;
        Ok(Opened::Offer(Box::new(OpenOffer {
            association,
            member,
            case,
            facts,
            blind,
            institution,
            request: loaded.request,
            offer,
            visits,
        })))
    }

    /// Notes that somebody looked, the first time.
    async fn seen(&self, link: &Link, request: RequestId, offer: &OfferRow) -> Result<(), AppError> {
        if offer.opened.is_none() {
            let who = Who::member(&link.association, &link.member);
            let seen = NoteOpened { kit: self.kit(), who, request, member: link.member.clone() };
            self.db.run(seen).await?;
        }
        Ok(())
    }

    /// Answers an offer behind its link.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn link_answer(
        &self,
        token: &str,
        choice: Choice,
        pin: Option<&str>,
        device: Option<&str>,
        remember: bool,
    ) -> Result<LinkAnswer, AppError> {
        let Some(link) = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::Offer) else {
            return Ok(LinkAnswer::Unknown);
        };
        let Some(request) = link.request.clone() else {
            return Ok(LinkAnswer::Unknown);
        };
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        drop(conn);
        let Some(member) = member else {
            return Ok(LinkAnswer::Unknown);
        };
        let proven = match self.prove_on(&link, &member, pin, device, remember).await? {
            Ok(proven) => proven,
            Err(answer) => return Ok(answer),
        };
        let ProvenOn { proof, pin_version, access, cookies, device } = proven;
        let command = AnswerByLink {
            kit: self.kit(),
            link: link.clone(),
            request: request.clone(),
            proof,
            pin_version,
            choice: choice.clone(),
            access,
            device,
        };
        match self.db.run(command).await? {
            ByLink::LinkOver => self.link_over(&link, Some(Ended::Expired)).await,
            ByLink::Answered(answer) => self.say(&link, request, &choice, answer, cookies).await,
        }
    }

    /// Who answers behind a link: by a known device, or by the PIN.
    pub(crate) async fn prove_on(
        &self,
        link: &Link,
        member: &Member,
        pin: Option<&str>,
        device: Option<&str>,
        remember: bool,
    ) -> Result<Result<ProvenOn, LinkAnswer>, AppError> {
        let device = match device {
            Some(secret) => self.known_device(secret).await?,
            None => None,
        };
        let own = |d: &KnownDevice| d.member.id == link.member && d.association.id == link.association;
        let device = device.filter(own).map(|d| d.device);
        let known = device.is_some();
        let typed = pin.is_some_and(|p| !p.trim().is_empty());
        let (proof, pin_version) = if known && !typed {
            (Proof::Device, None)
        } else {
            if self.is_locked(link, member) {
                return self.link_over(link, Some(Ended::PinLocked)).await.map(Err);
            }
            // A link that is over takes no more PINs: nobody may try them there.
            let used = link.consumed.is_some_and(|at| self.now().since_ms(at) >= DOUBLE_TAP_MS);
            if used || self.now() >= link.expires {
                return self.link_over(link, None).await.map(Err);
            }
            let pin = match read_pin(pin) {
                Ok(pin) => pin,
                Err(Proven::PinMissing) => return Ok(Err(LinkAnswer::PinMissing)),
                Err(_) => return Ok(Err(LinkAnswer::PinMalformed)),
            };
            match self.pin_check(&link.association, member, pin).await? {
                PinCheck::Right(version) => (Proof::Pin, Some(version)),
                PinCheck::Wrong => {
                    let tries_left = self.wrong_pin(link).await?;
                    if tries_left == 0 {
                        return self.link_over(link, Some(Ended::PinLocked)).await.map(Err);
                    }
                    return Ok(Err(LinkAnswer::PinWrong { tries_left }));
                }
            }
        };
        let (access, cookies) = if proof == Proof::Pin {
            let (access, cookies) = new_access(self, remember && !known);
            (Some(access), Some(cookies))
        } else {
            (None, None)
        };
        Ok(Ok(ProvenOn { proof, pin_version, access, cookies, device }))
    }

    async fn say(
        &self,
        link: &Link,
        request: RequestId,
        choice: &Choice,
        answer: Answer,
        cookies: Option<Cookies>,
    ) -> Result<LinkAnswer, AppError> {
        Ok(match (choice, answer) {
            (Choice::Accept { .. }, Answer::Done | Answer::Already) => {
                let (session, device) = cookies.map_or((None, None), |c| (Some(c.session), c.device));
                LinkAnswer::Accepted { request, session, device }
            }
            (Choice::Accept { .. }, Answer::HandRaised) => LinkAnswer::HandRaised { request },
            (Choice::Decline { .. }, Answer::Done | Answer::Already) => LinkAnswer::Declined,
            (Choice::Hold, Answer::Done | Answer::Already) => {
                LinkAnswer::Held { until: self.now().plus_s(HOLD_S) }
            }
            (_, Answer::Refused { rule }) => {
                let mut conn = self.db.read().await?;
                let home = association_by_id(&mut conn, &link.association).await?;
                let case = case_by_id(&mut conn, &link.association, &request).await?;
                match home.zip(case) {
                    Some((association, case)) => {
                        LinkAnswer::RefusedByRule { association, case_no: case.case_no, rule }
                    }
                    None => LinkAnswer::Unknown,
                }
            }
            (_, Answer::Taken) => return self.link_over(link, Some(Ended::TakenByAnother)).await,
            (_, Answer::Expired) => return self.link_over(link, Some(Ended::Expired)).await,
            _ => return self.link_over(link, None).await,
        })
    }

    /// The page at the end of a link, with the fact as it is now.
    pub(crate) async fn link_over(&self, link: &Link, why: Option<Ended>) -> Result<LinkAnswer, AppError> {
        let mut conn = self.db.read().await?;
        let Some(association) = association_by_id(&mut conn, &link.association).await? else {
            return Ok(LinkAnswer::Unknown);
        };
        let Some(request) = &link.request else {
            return Ok(LinkAnswer::Ended {
                association,
                case_no: None,
                why: why.unwrap_or(Ended::SignInUsed),
            });
        };
        let loaded = request_load(&mut conn, &link.association, request).await?;
        let case_no = case_by_id(&mut conn, &link.association, request).await?.map(|c| c.case_no);
        let now = self.now();
        let fact = loaded.and_then(|l| ended(&l.request, link, now));
        let why = fact.or(why).unwrap_or(Ended::Expired);
        Ok(LinkAnswer::Ended { association, case_no, why })
    }
}

/// The courteous end of an offer, if it has ended for this person.
fn ended(request: &Request, link: &Link, now: Millis) -> Option<Ended> {
    let person = &link.member;
    let offer = request.offers.get(person)?;
    let standing = |a: &&Acceptance| a.person == *person && a.released.is_none();
    let accepted = request.acceptances.iter().rfind(standing);
    match offer.state {
        OfferState::Accepted => {
            let at = accepted.map_or(offer.asked_at, |a| a.at);
            let place = match request.kind {
                Kind::Swap => "swaps",
                // Its page says no more than that: one's own duties do.
                Kind::Check => "duties",
                Kind::Transfer => "transfers",
                Kind::Contact => "contacts",
                _ => "consults",
            };
            Some(Ended::AcceptedByYou { at, request: request.id.clone(), place })
        }
        OfferState::Declined => Some(Ended::DeclinedByYou),
        OfferState::Released => Some(Ended::ReleasedByYou),
        OfferState::Full => Some(Ended::TakenByAnother),
        OfferState::Withdrawn => Some(Ended::Withdrawn),
        OfferState::Lapsed | OfferState::Unreachable => Some(Ended::Expired),
        OfferState::Pending | OfferState::Asked | OfferState::Raised => {
            (now >= request.answer_by || !request.state.is_open()).then_some(Ended::Expired)
        }
    }
}
