//! Plans: whom to ask, in which order, how long to wait, as data from TOML. What a plan does to a request
//! stands in `decide`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::MemberId;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A question to a specialist (専門相談依頼).
    Consult,
    /// Night cover for a clinic (夜間代行依頼).
    Cover,
    /// A patient handed over (引継ぎ依頼).
    Transfer,
    /// A duty changed between members (交代).
    Swap,
    /// An urgent call (緊急連絡).
    Urgent,
    /// Tonight's chain tested (今夜の点検).
    Check,
    /// A message to an attending doctor (主治医連絡票).
    Contact,
}

impl Kind {
    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Consult => "consult",
            Self::Cover => "cover",
            Self::Transfer => "transfer",
            Self::Swap => "swap",
            Self::Urgent => "urgent",
            Self::Check => "check",
            Self::Contact => "contact",
        }
    }

    /// Reads [`Kind::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Consult, Self::Cover, Self::Transfer, Self::Swap, Self::Urgent, Self::Check, Self::Contact]
            .into_iter()
            .find(|k| k.code() == code)
    }
}

/// How a step takes its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Go on until the quota of acceptances is reached; nobody left = the next step.
    Seek,
    /// Everyone asked must agree; a no ends the request; nobody left never passes.
    Gate,
    /// Hands are raised until enough or a time; then the asker chooses.
    Collect,
    /// Informs without waiting.
    Tell,
}

impl Mode {
    /// Looks for people to take it, rather than for agreement.
    #[must_use]
    pub const fn is_search(self) -> bool {
        matches!(self, Self::Seek | Self::Collect)
    }
}

/// A way to reach somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Mail,
    /// Rung by the call machine.
    Phone,
}

/// What shows that a yes comes from the person who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The person's four-digit PIN.
    Pin,
    /// A device that person has proven before.
    Device,
    /// A key press alone: enough for a test ring, never for a patient.
    Key,
    /// Entered by staff or a program that may act for others; both names stand in the audit.
    ActFor,
}

/// Who is asked. Resolved when the step starts, never earlier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    DutyPrimary,
    DutyDeputy,
    CoverOrAttending,
    Attending,
    DeputyAttending,
    /// The volunteers of the request's specialty, area and mode (専門医名簿).
    Specialists,
    Pool(String),
    Pillar(String),
    /// A side of the request, counted from 0: the two of a swap.
    Party(usize),
    Person(MemberId),
    Asker,
    Coordinator,
    Officer,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DutyPrimary => f.write_str("duty.primary"),
            Self::DutyDeputy => f.write_str("duty.deputy"),
            Self::CoverOrAttending => f.write_str("cover_or_attending"),
            Self::Attending => f.write_str("attending"),
            Self::DeputyAttending => f.write_str("deputy_attending"),
            Self::Specialists => f.write_str("specialists"),
            Self::Pool(name) => write!(f, "pool:{name}"),
            Self::Pillar(name) => write!(f, "pillar:{name}"),
            Self::Party(side) => write!(f, "party:{side}"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Asker => f.write_str("asker"),
            Self::Coordinator => f.write_str("coordinator"),
            Self::Officer => f.write_str("officer"),
        }
    }
}

impl std::str::FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("no selector is called {text:?}");
        Ok(match text {
            "duty.primary" => Self::DutyPrimary,
            "duty.deputy" => Self::DutyDeputy,
            "cover_or_attending" => Self::CoverOrAttending,
            "attending" => Self::Attending,
            "deputy_attending" => Self::DeputyAttending,
            "specialists" => Self::Specialists,
            "asker" => Self::Asker,
            "coordinator" => Self::Coordinator,
            "officer" => Self::Officer,
            other => match other.split_once(':') {
                Some(("pool", name)) if !name.is_empty() => Self::Pool(name.to_owned()),
                Some(("pillar", name)) if !name.is_empty() => Self::Pillar(name.to_owned()),
                Some(("party", side)) => Self::Party(side.parse().map_err(|_| unknown())?),
                Some(("person", id)) => Self::Person(MemberId::from_stored(id).map_err(|_| unknown())?),
                _ => return Err(unknown()),
            },
        })
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub ask: Selector,
    pub mode: Mode,
    #[serde(default)]
    pub channels: Vec<Channel>,
    #[serde(default)]
    pub proof: Vec<Proof>,
    /// How many people are asked at the same time; 0 = all of them.
    #[serde(default)]
    pub at_once: usize,
    /// Seconds until the next step starts; the offers already out live on. 0 = until the answer-by time.
    #[serde(default)]
    pub wait_s: i64,
    /// The step does not start earlier than this many seconds before the request's window.
    #[serde(default)]
    pub before_window_s: Option<i64>,
    /// Seconds an offer of this step lives; without it, until the answer-by time.
    #[serde(default)]
    pub offer_life_s: Option<i64>,
    /// Asks those again who were asked before and stayed silent.
    #[serde(default)]
    pub lap: bool,
    /// `collect`: at this many raised hands the asker chooses.
    #[serde(default)]
    pub hands: usize,
    /// `gate`: who decides when nobody can be asked or nobody answers in time.
    #[serde(default)]
    pub on_lapse: Option<Selector>,
    /// A step whose selector this association cannot resolve yet may be passed over.
    #[serde(default)]
    pub optional: bool,
    /// `gate`: the yes of one of those asked opens it; a no of any of them still ends the request.
    #[serde(default)]
    pub any: bool,
}

/// An ordered list of steps. A request pins the version it started with. Steps after the last search run
/// once enough people said yes: they agree to it or hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    pub version: u32,
    pub kind: Kind,
    /// Whether somebody has to report what came of it before the request can be closed.
    #[serde(default)]
    pub report: bool,
    /// A taker who stays silent past the answer-by time is released and the request runs on for this many
    /// seconds, at most `extend_times` times.
    #[serde(default)]
    pub extend_s: i64,
    #[serde(default)]
    pub extend_times: u32,
    /// Seconds between reminders to an asker who has to choose or to close.
    #[serde(default = "three_days_s")]
    pub chase_s: i64,
    /// Hours of access after the report, in seconds (domain C5: 24 h).
    #[serde(default = "one_day_s")]
    pub grant_after_report_s: i64,
    /// What was agreed to can be undone until the window begins; then the request is open again.
    #[serde(default)]
    pub undo: bool,
    /// Seconds after the window's end within which the taker reports: what was taken stands through the window
    /// and can be given back until its end. 0: the report is due at the answer-by time.
    #[serde(default)]
    pub report_s: i64,
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

const fn three_days_s() -> i64 {
    3 * 86_400
}

const fn one_day_s() -> i64 {
    86_400
}

/// A plan file that cannot be used, with the line to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {problem}")]
pub struct PlanError {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub problem: String,
}

/// The plans of an installation, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plans(BTreeMap<String, Plan>);

/// Steps a plan may have; more is a mistake in the file.
pub const MAX_STEPS: usize = 32;

impl Plans {
    /// Reads plans from TOML. `known` says which selectors this installation can resolve: a plan that
    /// names another one (and does not mark the step `optional`) is refused with its line.
    ///
    /// # Errors
    /// Unknown keys, wrong types, a step that could never end, an unknown selector, a name used twice.
    pub fn parse(file: &str, text: &str, known: &dyn Fn(&Selector) -> bool) -> Result<Self, PlanError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            plan: Vec<toml::Spanned<SpannedPlan>>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct SpannedPlan {
            name: String,
            version: u32,
            kind: Kind,
            #[serde(default)]
            report: bool,
            #[serde(default)]
            extend_s: i64,
            #[serde(default)]
            extend_times: u32,
            #[serde(default = "three_days_s")]
            chase_s: i64,
            #[serde(default = "one_day_s")]
            grant_after_report_s: i64,
            #[serde(default)]
            undo: bool,
            #[serde(default)]
            report_s: i64,
            #[serde(default)]
            step: Vec<toml::Spanned<Step>>,
        }
        let at = |offset: usize, problem: String| PlanError {
            file: file.to_owned(),
            line: text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1),
            problem,
        };
        let parsed: File =
            toml::from_str(text).map_err(|e| at(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
        let mut plans = BTreeMap::new();
        for plan in parsed.plan {
            let start = plan.span().start;
            let plan = plan.into_inner();
            if plan.step.len() > MAX_STEPS {
                return Err(at(start, format!("plan {:?} has more than {MAX_STEPS} steps", plan.name)));
            }
            let extends = plan.extend_s > 0 || (plan.extend_s == 0 && plan.extend_times == 0);
            if plan.chase_s < 1 || !extends || plan.grant_after_report_s < 0 || plan.report_s < 0 {
                return Err(at(start, format!("plan {:?} has a wait that is not positive", plan.name)));
            }
            if plan.step.is_empty() {
                return Err(at(start, format!("plan {:?} has no step", plan.name)));
            }
            if plan.report && !plan.step.iter().any(|s| s.get_ref().mode.is_search()) {
                return Err(at(start, format!("plan {:?} wants a report and looks for nobody", plan.name)));
            }
            if plan.report_s > 0 && !plan.report {
                return Err(at(
                    start,
                    format!("plan {:?} says when to report and wants no report", plan.name),
                ));
            }
            if plan.report && plan.undo {
                return Err(at(start, format!("plan {:?} cannot both be reported and undone", plan.name)));
            }
            let mut steps = Vec::with_capacity(plan.step.len());
            for step in plan.step {
                let (start, step) = (step.span().start, step.into_inner());
                check_step(&step, known).map_err(|problem| at(start, problem))?;
                steps.push(step);
            }
            let name = plan.name.clone();
            let plan = Plan {
                name: plan.name,
                version: plan.version,
                kind: plan.kind,
                report: plan.report,
                extend_s: plan.extend_s,
                extend_times: plan.extend_times,
                chase_s: plan.chase_s,
                grant_after_report_s: plan.grant_after_report_s,
                undo: plan.undo,
                report_s: plan.report_s,
                steps,
            };
            if plans.insert(name.clone(), plan).is_some() {
                return Err(at(start, format!("plan {name:?} stands twice")));
            }
        }
        Ok(Self(plans))
    }

    /// These plans, with those of `other` in the place of theirs of the same name.
    #[must_use]
    pub fn replaced_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Plan> {
        self.0.get(name)
    }

    /// Every plan, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.values()
    }
}

fn check_step(step: &Step, known: &dyn Fn(&Selector) -> bool) -> Result<(), String> {
    let usable = |selector: &Selector| step.optional || known(selector);
    if !usable(&step.ask) {
        return Err(format!("this installation cannot resolve the selector {:?}", step.ask.to_string()));
    }
    if let Some(decider) = &step.on_lapse
        && !usable(decider)
    {
        return Err(format!("this installation cannot resolve the selector {:?}", decider.to_string()));
    }
    if step.wait_s < 0
        || step.offer_life_s.is_some_and(|s| s < 1)
        || step.before_window_s.is_some_and(|s| s < 0)
    {
        return Err("a wait cannot be negative".to_owned());
    }
    if step.mode != Mode::Tell && (step.channels.is_empty() || step.proof.is_empty()) {
        return Err("a step that asks needs `channels` and `proof`".to_owned());
    }
    if step.mode == Mode::Collect && step.hands == 0 {
        return Err("a `collect` step needs `hands`, the number at which the asker chooses".to_owned());
    }
    if step.mode == Mode::Gate && step.optional {
        return Err("a gate cannot be passed over, so it is not `optional`".to_owned());
    }
    if step.mode != Mode::Gate && step.on_lapse.is_some() {
        return Err("`on_lapse` belongs to a gate".to_owned());
    }
    if step.mode != Mode::Gate && step.any {
        return Err("`any` belongs to a gate".to_owned());
    }
    Ok(())
}
