//! A patient handed over (引継ぎ, 橋渡し): what is asked for, whose patient it is, which clinics may be asked, and what
//! their yes has to say. How a request goes is `dispatch`.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::{CivilDate, civil_day, start_of_day};
use crate::domain::consult::{FieldWrong, Wrong, long_text, short_text};
use crate::domain::dispatch::{Acceptance, Candidate, Mode, Request, Rule, Selector, Terms};
use crate::domain::ledger::GateResult;
use crate::ids::{InstitutionId, MemberId};
use crate::time::Millis;

/// The pool of clinics that take patients over (在宅療養支援診療所・病院).
pub const POOL_HOME_CARE: &str = "home_care";

/// The kinds of institutions whose physicians are asked to take a patient over.
pub const RECEIVING_KINDS: [&str; 2] = ["home_care_clinic", "home_care_hospital"];

/// Why a patient is to be handed over, as codes: what may be read before anybody has said yes.
pub const REASONS: [&str; 7] =
    ["cannot_travel", "round_the_clock", "procedures", "end_of_life", "distance", "wish", "other"];

/// The furthest day somebody may wish for, in days.
pub const WISHED_DAYS_MAX: i64 = 180;
/// Clinics are looked for at least this long, in seconds: the attending doctor has a day, the officer time to decide.
pub const LIFE_LEAST_S: i64 = 7 * 86_400;
/// Clinics are looked for at most this long, in seconds.
pub const LIFE_MOST_S: i64 = 30 * 86_400;
/// The attending doctor may have been spoken to this many seconds before the request was made, not earlier.
pub const INFORMED_BEFORE_S: i64 = 7 * 86_400;

/// What is open of a transfer request (引継ぎ依頼): no name, nothing clinical beyond a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferFacts {
    /// The coarse area in which the patient lives.
    pub area: String,
    /// The clinic of the attending doctor (主治医).
    pub clinic: InstitutionId,
    /// 引継ぎ希望日
    pub wished: CivilDate,
    /// One of [`REASONS`].
    pub reason: String,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    pub facts: TransferFacts,
    /// Initials, or whatever the attending doctor knows the patient by; sealed.
    pub patient: String,
    /// In the asker's words; sealed. The attending doctor reads it, and whoever takes the patient over.
    pub details: String,
}

/// The sealed part of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferDetail {
    pub patient: String,
    pub details: String,
}

impl NewTransfer {
    /// Every field that cannot be taken as it is.
    #[must_use]
    pub fn wrong_fields(&self, now: Millis, zone: Tz) -> Vec<FieldWrong> {
        let ahead = self.facts.wished.days_since(civil_day(now, zone));
        let wished = if ahead < 0 {
            Some(Wrong::TooSoon)
        } else {
            (ahead > WISHED_DAYS_MAX).then_some(Wrong::TooLate)
        };
        let reason = (!REASONS.contains(&self.facts.reason.as_str())).then_some(Wrong::NotAChoice);
        [
            ("patient", short_text(&self.patient, true)),
            ("area", short_text(&self.facts.area, true)),
            ("wished", wished),
            ("reason", reason),
            ("details", long_text(&self.details, false)),
        ]
        .into_iter()
        .filter_map(|(field, wrong)| wrong.map(|wrong| FieldWrong { field, wrong }))
        .collect()
    }

    /// Until when clinics are looked for: to the end of the day that was wished for, not shorter than
    /// [`LIFE_LEAST_S`] and not longer than [`LIFE_MOST_S`].
    #[must_use]
    pub fn answer_by(&self, now: Millis, zone: Tz) -> Millis {
        let wished = start_of_day(self.facts.wished.plus_days(1), zone);
        wished.clamp(now.plus_s(LIFE_LEAST_S), now.plus_s(LIFE_MOST_S))
    }
}

/// A physician of a clinic that takes patients over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    pub person: MemberId,
    pub institution: InstitutionId,
    pub area: String,
    /// Has an address that mail reaches.
    pub reachable: bool,
    /// Asked of late, for whatever it was.
    pub asked_recently: u32,
}

/// The people a transfer request may name, as they are in this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferWorld {
    pub facts: TransferFacts,
    /// The physicians of the attending doctor's clinic, in the order of ids.
    pub attending: Vec<MemberId>,
    pub receivers: Vec<Receiver>,
}

impl TransferWorld {
    /// Who has to agree: the attending doctor's clinic; where the asker is one of them, nobody else.
    #[must_use]
    pub fn gate(&self, request: &Request) -> Vec<MemberId> {
        if self.attending.contains(&request.asker) {
            vec![request.asker.clone()]
        } else {
            self.attending.clone()
        }
    }

    /// Who is asked to take the patient over: one physician of each clinic, those of the patient's area first, then
    /// those who were asked least of late. Never somebody of the attending doctor's own clinic.
    #[must_use]
    pub fn candidates(&self, now: Millis) -> Vec<Candidate> {
        let fits = |r: &&Receiver| r.reachable && r.institution != self.facts.clinic;
        let mut fitting: Vec<&Receiver> = self.receivers.iter().filter(fits).collect();
        fitting.sort_by_key(|r| (r.area != self.facts.area, r.asked_recently, r.person.clone()));
        let mut clinics = BTreeSet::new();
        fitting
            .into_iter()
            .filter(|r| clinics.insert(&r.institution))
            .map(|r| Candidate { person: r.person.clone(), from: now })
            .collect()
    }

    /// Whether somebody may take the patient over as they say (診診連携ルール): only once the attending doctor was
    /// spoken to.
    ///
    /// # Errors
    /// The first rule that stands against it.
    pub fn may_receive(&self, request: &Request, claim: &Acceptance) -> Result<(), Rule> {
        if claim.person == request.asker {
            return Err(Rule::OwnRequest);
        }
        let here = |r: &Receiver| r.person == claim.person && r.institution != self.facts.clinic;
        if !self.receivers.iter().any(here) {
            return Err(Rule::NotReceiving);
        }
        match claim.terms {
            Terms::Informed { at } if at <= claim.at && request.created.plus_s(-INFORMED_BEFORE_S) <= at => {
                Ok(())
            }
            Terms::Informed { .. } | Terms::Plain => Err(Rule::AttendingNotInformed),
            Terms::Advice | Terms::Visit | Terms::CallBack { .. } | Terms::Exchange { .. } => {
                Err(Rule::WrongTerms)
            }
        }
    }
}

/// As what somebody is asked about a transfer, or about a message to an attending doctor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedAs {
    /// The attending doctor (主治医): may the patient be handed over?
    Attending,
    /// The officer (担当理事), because the attending doctor was silent.
    Officer,
    /// A clinic that could take the patient over.
    Receiver,
}

impl AskedAs {
    /// As what this person was asked; `None`: was not.
    #[must_use]
    pub fn of(request: &Request, person: &MemberId) -> Option<Self> {
        let offer = request.offers.get(person)?;
        let step = request.step(offer.step)?;
        Some(match (step.mode, &step.ask) {
            (Mode::Gate, _) if offer.decider => Self::Officer,
            (Mode::Gate, _) | (_, Selector::Attending) => Self::Attending,
            (_, Selector::Officer) => Self::Officer,
            (Mode::Seek | Mode::Collect | Mode::Tell, _) => Self::Receiver,
        })
    }

    /// The stable word of the pages and mails.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Attending => "attending",
            Self::Officer => "officer",
            Self::Receiver => "receiver",
        }
    }
}

/// What the attending doctor's gate came to (主治医ゲート); `None`: nobody has agreed.
#[must_use]
pub fn gate_result(request: &Request) -> Option<GateResult> {
    let yes = request.acceptances.iter().find(|a| a.gate && a.released.is_none())?;
    let officer = request.offers.get(&yes.person).is_some_and(|o| o.decider);
    Some(if officer { GateResult::DecidedByOfficer } else { GateResult::Agreed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dispatch::{Kind, Plan, Proof, Step};
    use crate::ids::RequestId;
    use crate::time::Window;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn now() -> Millis {
        at("2026-11-20T10:00:00+09:00")
    }

    fn member(name: &str) -> MemberId {
        MemberId::named(&[name])
    }

    fn clinic(name: &str) -> InstitutionId {
        InstitutionId::named(&[name])
    }

    fn receiver(name: &str, place: &str, area: &str) -> Receiver {
        Receiver {
            person: member(name),
            institution: clinic(place),
            area: area.to_owned(),
            reachable: true,
            asked_recently: 0,
        }
    }

    fn facts() -> TransferFacts {
        TransferFacts {
            area: "青葉北".to_owned(),
            clinic: clinic("own"),
            wished: "2026-12-01".parse().unwrap(),
            reason: "cannot_travel".to_owned(),
        }
    }

    fn new() -> NewTransfer {
        NewTransfer { facts: facts(), patient: "A.K.".to_owned(), details: String::new() }
    }

    fn world(receivers: Vec<Receiver>) -> TransferWorld {
        TransferWorld { facts: facts(), attending: vec![member("sato"), member("ueda")], receivers }
    }

    fn request(asker: &str) -> Request {
        let step = |ask: &str, mode| Step {
            ask: ask.parse().unwrap(),
            mode,
            channels: Vec::new(),
            proof: vec![Proof::Pin],
            at_once: 0,
            wait_s: 0,
            before_window_s: None,
            offer_life_s: None,
            lap: false,
            hands: 0,
            on_lapse: None,
            optional: false,
            any: true,
        };
        let plan: Plan = toml::from_str("name = \"x\"\nversion = 1\nkind = \"transfer\"").unwrap();
        let plan = Plan { steps: vec![step("attending", Mode::Gate)], ..plan };
        assert_eq!(plan.kind, Kind::Transfer);
        let window = Window::new(now(), now().plus_s(86_400)).unwrap();
        Request::new(RequestId::named(&["x"]), plan, member(asker), window, window.to, now())
    }

    fn claim(person: &str, terms: Terms) -> Acceptance {
        Acceptance {
            person: member(person),
            step: 1,
            at: now().plus_s(3_600),
            proof: Proof::Pin,
            terms,
            gate: false,
            released: None,
        }
    }

    #[test]
    fn a_clinic_is_asked_once_and_those_of_the_area_first() {
        let mut away = receiver("b", "far", "緑区");
        away.asked_recently = 0;
        let mut busy = receiver("c", "near", "青葉北");
        busy.asked_recently = 4;
        let mut deaf = receiver("d", "deaf", "青葉北");
        deaf.reachable = false;
        let all = vec![away, receiver("a", "near", "青葉北"), busy, deaf, receiver("own", "own", "青葉北")];
        let asked: Vec<MemberId> = world(all).candidates(now()).into_iter().map(|c| c.person).collect();
        assert_eq!(asked, [member("a"), member("b")], "one of a clinic, and nobody of the doctor's own");
    }

    #[test]
    fn the_gate_is_the_clinics_or_the_asker_who_is_one_of_them() {
        let world = world(Vec::new());
        assert_eq!(world.gate(&request("nurse")), [member("sato"), member("ueda")]);
        assert_eq!(world.gate(&request("ueda")), [member("ueda")]);
    }

    #[test]
    fn nobody_takes_a_patient_over_without_having_spoken_to_the_attending_doctor() {
        let world = world(vec![receiver("a", "near", "青葉北"), receiver("own", "own", "青葉北")]);
        let may = |person: &str, terms| world.may_receive(&request("nurse"), &claim(person, terms));
        let informed = |at| Terms::Informed { at };
        assert_eq!(may("a", informed(now())), Ok(()));
        assert_eq!(may("a", informed(now().plus_s(3_600))), Ok(()), "in the moment of the yes");
        assert_eq!(may("a", Terms::Plain), Err(Rule::AttendingNotInformed));
        assert_eq!(may("a", informed(now().plus_s(3_601))), Err(Rule::AttendingNotInformed), "not yet");
        let long_ago = now().plus_s(-INFORMED_BEFORE_S - 1);
        assert_eq!(may("a", informed(long_ago)), Err(Rule::AttendingNotInformed));
        assert_eq!(may("a", Terms::Visit), Err(Rule::WrongTerms));
        assert_eq!(may("stranger", informed(now())), Err(Rule::NotReceiving));
        assert_eq!(may("own", informed(now())), Err(Rule::NotReceiving), "their own patient");
        let own = world.may_receive(&request("a"), &claim("a", informed(now())));
        assert_eq!(own, Err(Rule::OwnRequest));
    }

    #[test]
    fn what_cannot_be_asked_is_named_field_by_field() {
        let wrong = |change: fn(&mut NewTransfer)| {
            let mut one = new();
            change(&mut one);
            one.wrong_fields(now(), TOKYO).into_iter().map(|w| w.field).collect::<Vec<_>>()
        };
        assert!(wrong(|_| {}).is_empty());
        assert_eq!(wrong(|n| n.patient = " ".to_owned()), ["patient"]);
        assert_eq!(wrong(|n| n.facts.area = String::new()), ["area"]);
        assert_eq!(wrong(|n| n.facts.wished = "2026-11-19".parse().unwrap()), ["wished"]);
        assert!(wrong(|n| n.facts.wished = "2026-11-20".parse().unwrap()).is_empty(), "today");
        assert_eq!(wrong(|n| n.facts.wished = "2027-06-01".parse().unwrap()), ["wished"]);
        assert_eq!(wrong(|n| n.facts.reason = "because".to_owned()), ["reason"]);
        assert_eq!(wrong(|n| n.details = "\u{202E}".to_owned()), ["details"]);
    }

    #[test]
    fn clinics_are_looked_for_a_week_at_least_and_thirty_days_at_most() {
        let until = |day: &str| {
            let mut one = new();
            one.facts.wished = day.parse().unwrap();
            one.answer_by(now(), TOKYO)
        };
        assert_eq!(until("2026-11-20"), now().plus_s(LIFE_LEAST_S));
        assert_eq!(until("2026-12-01"), at("2026-12-02T00:00:00+09:00"));
        assert_eq!(until("2027-03-01"), now().plus_s(LIFE_MOST_S));
    }

    #[test]
    fn the_ledger_reads_whose_word_opened_the_gate() {
        let mut one = request("nurse");
        assert_eq!(gate_result(&one), None);
        let offer = |decider| crate::domain::dispatch::Offer {
            state: crate::domain::dispatch::OfferState::Accepted,
            step: 0,
            asked_at: now(),
            until: now(),
            held_until: None,
            attempts: 1,
            terms: None,
            proof: None,
            decider,
        };
        one.offers.insert(member("sato"), offer(false));
        one.offers.insert(member("officer"), offer(true));
        assert_eq!(AskedAs::of(&one, &member("sato")), Some(AskedAs::Attending));
        assert_eq!(AskedAs::of(&one, &member("officer")), Some(AskedAs::Officer));
        assert_eq!(AskedAs::of(&one, &member("nurse")), None);
        let yes = |person: &str| Acceptance { gate: true, step: 0, ..claim(person, Terms::Plain) };
        one.acceptances = vec![yes("sato")];
        assert_eq!(gate_result(&one), Some(GateResult::Agreed));
        one.acceptances = vec![yes("officer")];
        assert_eq!(gate_result(&one), Some(GateResult::DecidedByOfficer));
    }
}
