//! Night cover (夜間代行): what a doctor asks for, the slots it falls into, who may be asked, who is rung while it
//! lasts. How a request goes is `dispatch`, who is on duty `rota`.

pub mod cards;
pub mod households;
pub mod pillars;
mod split;
#[cfg(test)]
mod tests;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use split::{Part, split};

use crate::domain::calendar::{CivilDate, FiscalYear, civil_day, instant_of, start_of_day};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::domain::dispatch::{Acceptance, Candidate, Request, Rule, Selector};
use crate::ids::{InstitutionId, MemberId, RequestId};
use crate::time::{Millis, Window};

/// The pool of those who may cover a clinic of the area.
pub const POOL_COVER: &str = "cover";
/// A cover lasts no longer, in days.
pub const LONGEST_DAYS: i64 = 31;
/// A cover is asked no earlier than this, in days before it begins.
pub const AHEAD_DAYS: i64 = 400;
/// Slots that one cover may fall into.
pub const SLOTS_MAX: usize = 124;
/// Patients that may be named one by one.
pub const PATIENTS_MAX: usize = 60;
/// Asked later than this before a slot begins, the waits are short.
pub const SOON_S: i64 = 72 * 3_600;
/// How a cover may have gone.
pub const OUTCOMES: &[&str] = &["no_calls", "phone_only", "visited", "transported"];

/// What is expected of whoever covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// 電話対応のみ
    PhoneOnly,
    /// まず電話、必要なら往診
    Visit,
}

impl Manner {
    pub const ALL: [Self; 2] = [Self::Visit, Self::PhoneOnly];

    /// The stable word of the API and the form.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PhoneOnly => "phone_only",
            Self::Visit => "visit",
        }
    }

    /// Reads [`Manner::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.code() == code)
    }
}

/// What a doctor asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCover {
    pub window: (Millis, Millis),
    /// Initials or whatever the asker chose; `None`: all patients of the clinic.
    pub patients: Option<Vec<String>>,
    pub manner: Manner,
    /// For whoever covers; stands in no mail.
    pub note: String,
}

impl NewCover {
    /// The time it is about, if it is one.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        Window::new(self.window.0, self.window.1)
    }

    /// Every field that cannot be taken as it is.
    #[must_use]
    pub fn wrong_fields(&self, now: Millis, zone: Tz) -> Vec<FieldWrong> {
        let mut wrong = Vec::new();
        let mut say = |field, what| wrong.push(FieldWrong { field, wrong: what });
        let (from, to) = self.window;
        let longest = civil_day(from, zone).plus_days(LONGEST_DAYS);
        if from < now {
            say("from", Wrong::TooSoon);
        } else if from > now.plus_s(AHEAD_DAYS * 86_400) {
            say("from", Wrong::TooLate);
        }
        if to <= from {
            say("to", Wrong::OutOfRange);
        } else if to > instant_of(longest, crate::domain::calendar::wall_clock(from, zone).time(), zone) {
            say("to", Wrong::TooLate);
        }
        match self.patients.as_deref() {
            None => {}
            Some([]) => say("patients", Wrong::Missing),
            Some(patients) if patients.len() > PATIENTS_MAX => say("patients", Wrong::TooLong),
            Some(patients) => {
                if let Some(what) = patients.iter().find_map(|p| short_text(p, true)) {
                    say("patients", what);
                }
            }
        }
        if let Some(what) = short_text(&self.note, false) {
            say("note", what);
        }
        wrong
    }
}

/// What stands open of a cover, of the whole and of each of its slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverFacts {
    /// The area of the clinic, as the directory names it.
    pub area: String,
    /// Whose patients are covered.
    pub institution: InstitutionId,
    pub manner: Manner,
    /// How many patients were named; `None`: all.
    pub patients: Option<u32>,
    /// Of a slot: the rota had somebody on for it when it was asked.
    pub by_rota: bool,
}

/// What an association sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoverSettings {
    /// Clinics one person may cover at the same time, beside a duty of the rota.
    pub at_once: u32,
    /// Slots one person may take in a civil month; 0: no limit.
    pub month: u32,
    /// Minutes after midnight of the summary to the asker.
    pub summary_min: u32,
    /// Minutes after midnight of tonight's check; `None`: none.
    pub check_min: Option<u32>,
    /// What of patients may stand on night cards.
    pub cards: cards::DataMode,
}

impl Default for CoverSettings {
    fn default() -> Self {
        Self { at_once: 1, month: 0, summary_min: 7 * 60, check_min: None, cards: cards::DataMode::default() }
    }
}

impl CoverSettings {
    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let day = 24 * 60;
        [
            ("at_once", !(1..=20).contains(&self.at_once)),
            ("month", self.month > 200),
            ("summary", self.summary_min >= day),
            ("check", self.check_min.is_some_and(|min| min >= day)),
        ]
        .into_iter()
        .filter(|(_, wrong)| *wrong)
        .map(|(field, _)| FieldWrong { field, wrong: Wrong::OutOfRange })
        .collect()
    }
}

/// The time of day of some minutes after midnight.
#[must_use]
pub fn time_of(minutes: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(minutes / 60 % 24, minutes % 60, 0).unwrap_or_default()
}

/// When the asker is told what happened: at the set hour of the first morning that the cover does not reach into.
#[must_use]
pub fn summary_at(end: Millis, settings: &CoverSettings, zone: Tz) -> Millis {
    let today = civil_day(end, zone);
    let at = |day: CivilDate| instant_of(day, time_of(settings.summary_min), zone);
    if end <= at(today) { at(today) } else { at(today.plus_days(1)) }
}

/// When a fiscal year begins within the window: slots do not reach over it.
#[must_use]
pub fn year_turns(window: Window, zone: Tz) -> Option<Millis> {
    let last = civil_day(window.to.plus_ms(-1), zone);
    let turn = FiscalYear::of(last).first_day().map(|day| start_of_day(day, zone))?;
    (window.from < turn).then_some(turn)
}

/// Somebody who may be asked to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverPerson {
    pub person: MemberId,
    pub institution: InstitutionId,
    /// The area of their institution.
    pub area: String,
    /// Has an address that mail reaches.
    pub reachable: bool,
    /// Takes no part in night work.
    pub exempt: bool,
    pub phone_only: bool,
    /// Other clinics they cover in the window.
    pub clinics: u32,
    /// Slots they took in the civil month of the window.
    pub taken_this_month: u32,
    /// Asked within the last days, whether or not accepted.
    pub asked_recently: u32,
    /// Away in the window, by a request of their own.
    pub away: bool,
}

/// The people of one slot, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverWorld {
    pub facts: CoverFacts,
    pub settings: CoverSettings,
    pub people: Vec<CoverPerson>,
    /// 副主治医 of the clinic's patients, in the order in which they are asked.
    pub deputies: Vec<MemberId>,
    /// The pillars that an association has set up.
    pub pillars: Vec<pillars::CoverPillar>,
}

impl CoverWorld {
    /// The deputies of the clinic's patients who may cover it, wherever they practise: asked before the volunteers.
    #[must_use]
    pub fn deputies(&self, now: Millis) -> Vec<Candidate> {
        let of = |id: &MemberId| self.people.iter().find(|p| p.person == *id);
        let fits = |p: &&CoverPerson| {
            p.reachable && p.institution != self.facts.institution && self.stands_against(p, true).is_none()
        };
        let fitting = self.deputies.iter().filter_map(of).filter(fits);
        fitting.map(|p| Candidate { person: p.person.clone(), from: now }).collect()
    }

    /// The volunteers for the slot, those asked least of late first, then those who took least, then by id.
    #[must_use]
    pub fn volunteers(&self, now: Millis) -> Vec<Candidate> {
        let here = |p: &&CoverPerson| self.facts.area.is_empty() || p.area == self.facts.area;
        let mut fitting: Vec<&CoverPerson> = self
            .people
            .iter()
            .filter(here)
            .filter(|p| p.reachable && !p.exempt && p.institution != self.facts.institution)
            .filter(|p| self.stands_against(p, true).is_none())
            .collect();
        fitting.sort_by_key(|p| (p.asked_recently, p.taken_this_month, p.person.clone()));
        fitting.into_iter().map(|p| Candidate { person: p.person.clone(), from: now }).collect()
    }

    /// Who answers for the pillars of this kind that may take the slot, in their order.
    #[must_use]
    pub fn pillar(&self, name: &str, now: Millis) -> Vec<Candidate> {
        let usable = self.pillars.iter().filter(|p| p.kind.code() == name && p.against.is_none());
        let people = usable.flat_map(|p| &p.people).filter(|p| p.reachable);
        people.map(|p| Candidate { person: p.person.clone(), from: now }).collect()
    }

    /// `counts`: the caps do not hold this slot for them yet.
    fn stands_against(&self, person: &CoverPerson, counts: bool) -> Option<Rule> {
        if person.away {
            return Some(Rule::CoverAway);
        }
        if self.facts.manner == Manner::Visit && person.phone_only {
            return Some(Rule::NoVisits);
        }
        if counts && person.clinics >= self.settings.at_once {
            return Some(Rule::CoverCap);
        }
        let full = self.settings.month > 0 && person.taken_this_month >= self.settings.month;
        (counts && full).then_some(Rule::MonthlyCap)
    }

    /// Whether a yes to a slot may stand. Whoever is on duty anyway is not counted.
    ///
    /// # Errors
    /// The first rule against it.
    pub fn may_cover(&self, request: &Request, claim: &Acceptance, fresh: bool) -> Result<(), Rule> {
        if let Some(kind) = pillars::pillar_of_step(request, claim.step) {
            let mut own = self.pillars.iter().filter(|p| p.kind == kind).peekable();
            own.peek().ok_or(Rule::PillarContract)?;
            let pillar = own.find(|p| p.people.iter().any(|c| c.person == claim.person));
            return pillar.ok_or(Rule::NotActive)?.against.map_or(Ok(()), Err);
        }
        let person = self.people.iter().find(|p| p.person == claim.person).ok_or(Rule::NotActive)?;
        let on_duty = is_duty_step(request, claim.step);
        if on_duty {
            return if person.away { Err(Rule::CoverAway) } else { Ok(()) };
        }
        self.stands_against(person, fresh).map_or(Ok(()), Err)
    }
}

/// Whether a step asks those who are on duty.
#[must_use]
pub fn is_duty_step(request: &Request, step: usize) -> bool {
    request.step(step).is_some_and(|s| matches!(s.ask, Selector::DutyPrimary | Selector::DutyDeputy))
}

/// As what somebody was asked by a step: `duty`, `volunteer`, or `pillar_` and the kind of the pillar.
#[must_use]
pub fn asked_as(request: &Request, step: usize) -> String {
    match pillars::pillar_of_step(request, step) {
        Some(kind) => format!("pillar_{}", kind.code()),
        None if is_duty_step(request, step) => "duty".to_owned(),
        None => "volunteer".to_owned(),
    }
}

/// A slot at some instant, for whoever has to ring its cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredNow {
    pub takers: Vec<MemberId>,
    /// They took it as those who are on duty.
    pub by_duty: bool,
}

/// Whom a call for a clinic rings first: the cover; where it is the duty, whoever holds that now. `None`: the clinic
/// is not covered now, and its own switch counts.
#[must_use]
pub fn rung(slots: &[CoveredNow], on_duty: &[MemberId]) -> Option<Vec<MemberId>> {
    let mut people: Vec<MemberId> = Vec::new();
    let taken: Vec<&CoveredNow> = slots.iter().filter(|s| !s.takers.is_empty()).collect();
    if taken.is_empty() {
        return None;
    }
    for slot in taken {
        let gone = slot.by_duty && !slot.takers.iter().any(|t| on_duty.contains(t));
        let now = if gone { on_duty } else { slot.takers.as_slice() };
        for person in now {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
    }
    Some(people)
}

/// Two digits behind a case number on paper, so that a misread number is noticed. No proof of anything.
#[must_use]
pub fn short_code(request: &RequestId) -> String {
    let sum = request.as_str().bytes().fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 97);
    format!("{sum:02}")
}
