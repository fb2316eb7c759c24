//! Conditions of a tariff, their results one by one, and the reason code that a failed one gives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::event::{CompletedEvent, Confirmation, Membership, Occasion, coded};
use super::tariff::Side;

coded! {
    /// Why a line is worth nothing (対象外の理由). `duplicate`, `over_cap` and `budget_spent` need more than
    /// one event and are set by the run of a month.
    ReasonCode {
        /// 期間外
        OutOfDates = "out_of_dates",
        /// 会員資格なし
        MembershipLapsed = "membership_lapsed",
        /// 同一医療機関
        SameInstitution = "same_institution",
        /// 報告なし (or too late)
        NoReport = "no_report",
        /// 依頼側の確認なし
        NotConfirmed = "not_confirmed",
        /// 重複
        Duplicate = "duplicate",
        /// 上限超過
        OverCap = "over_cap",
        /// 予算終了
        BudgetSpent = "budget_spent",
        /// 他の補助あり
        OtherSubsidy = "other_subsidy",
        /// 時間帯違い
        WrongBand = "wrong_band",
        /// 区域外
        OutsideArea = "outside_area",
        /// 開始前の取下げ
        WithdrawnBeforeStart = "withdrawn_before_start",
        /// 試験呼出
        TestCall = "test_call",
        /// 研修
        Training = "training",
        /// 理事判断
        ManualByOfficer = "manual_by_officer",
        /// 時間不足
        BelowMinimum = "below_minimum",
    }

    /// The result of one condition.
    ConditionState {
        Met = "met",
        /// Evidence that may yet come has not come.
        Missing = "missing",
        /// The facts speak against it.
        Failed = "failed",
    }
}

/// A condition. **The order of the variants is the order in which a failure decides the reason code**:
/// first what makes the event no event, then what the tariff never covered, then who may be paid, then
/// the evidence that people can still bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Condition {
    /// Not the nightly check, not a test ring.
    NotATest,
    /// Not training.
    NotTraining,
    /// Not called off before it began.
    NotWithdrawnBeforeStart,
    /// No officer decided against it.
    NotExcluded,
    /// The event's day lies in the tariff's dates.
    InDates,
    /// The event's band is one of the tariff's.
    InBand,
    /// The patient lives in one of the tariff's cities.
    InArea,
    /// The side's person was an active member on the event's day.
    MemberActive(Side),
    /// Asked and taken by different institutions.
    DifferentInstitution,
    /// At least so many hours were held.
    HoursAtLeast(u32),
    /// Who was tried, and with what result, is recorded.
    AttemptsRecorded,
    /// The household had been told who may come.
    HouseholdExplained,
    /// The night card was opened.
    NightCardUsed,
    /// The minutes of work are known.
    MinutesKnown,
    /// A report has come, whenever.
    ReportPresent,
    /// The report came within so many hours of the event's end, the last moment included.
    ReportWithinHours(u32),
    /// The asker confirmed what was reported.
    RequesterConfirmed,
    /// No other subsidy was taken for it, here or elsewhere.
    NoOtherSubsidy,
    /// The day is not paid already.
    NotDuplicate,
    /// The tariff's caps are not reached.
    WithinCap,
    /// The programme's budget is not spent.
    WithinBudget,
}

/// What every tariff asks without saying so.
pub(super) const ALWAYS: [Condition; 7] = [
    Condition::NotATest,
    Condition::NotTraining,
    Condition::NotWithdrawnBeforeStart,
    Condition::NotExcluded,
    Condition::InDates,
    Condition::InBand,
    Condition::NoOtherSubsidy,
];

/// What the keys of a tariff ask, not its `when`.
const BY_KEYS: [Condition; 5] = [
    Condition::InArea,
    Condition::MinutesKnown,
    Condition::NotDuplicate,
    Condition::WithinCap,
    Condition::WithinBudget,
];

/// The most hours a tariff may allow for a report: a year.
pub(super) const REPORT_HOURS_MAX: u32 = 8_760;
/// The most hours of one day that a tariff may ask for.
pub(super) const HELD_HOURS_MAX: u32 = 24;

/// What a tariff may name in `when`, besides the hours of the report.
pub(super) const CHOSEN: [Condition; 9] = [
    Condition::MemberActive(Side::Requester),
    Condition::MemberActive(Side::Acceptor),
    Condition::MemberActive(Side::Standby),
    Condition::DifferentInstitution,
    Condition::ReportPresent,
    Condition::RequesterConfirmed,
    Condition::AttemptsRecorded,
    Condition::HouseholdExplained,
    Condition::NightCardUsed,
];

const REPORT_HOURS: &str = "report.submitted_within_hours <= ";
const HELD_HOURS: &str = "held.hours >= ";

/// The text is not a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a condition")]
pub struct NotACondition;

impl Condition {
    /// The reason code of a line that fails here.
    #[must_use]
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::NotATest => ReasonCode::TestCall,
            Self::NotTraining => ReasonCode::Training,
            Self::NotWithdrawnBeforeStart => ReasonCode::WithdrawnBeforeStart,
            Self::NotExcluded => ReasonCode::ManualByOfficer,
            Self::InArea => ReasonCode::OutsideArea,
            Self::HoursAtLeast(_) => ReasonCode::BelowMinimum,
            Self::NoOtherSubsidy => ReasonCode::OtherSubsidy,
            Self::NotDuplicate => ReasonCode::Duplicate,
            Self::WithinCap => ReasonCode::OverCap,
            Self::WithinBudget => ReasonCode::BudgetSpent,
            Self::InDates => ReasonCode::OutOfDates,
            Self::InBand => ReasonCode::WrongBand,
            Self::MemberActive(_) => ReasonCode::MembershipLapsed,
            Self::DifferentInstitution => ReasonCode::SameInstitution,
            Self::ReportPresent
            | Self::ReportWithinHours(_)
            | Self::AttemptsRecorded
            | Self::HouseholdExplained
            | Self::NightCardUsed
            | Self::MinutesKnown => ReasonCode::NoReport,
            Self::RequesterConfirmed => ReasonCode::NotConfirmed,
        }
    }

    /// The result by the event alone; `None` for what the tariff or the month decides.
    pub(super) fn by_event(self, event: &CompletedEvent) -> Option<ConditionState> {
        let held = |yes: bool| if yes { ConditionState::Met } else { ConditionState::Failed };
        Some(match self {
            Self::NotATest => held(event.occasion != Occasion::Test),
            Self::NotTraining => held(event.occasion != Occasion::Training),
            Self::NotWithdrawnBeforeStart => held(!event.withdrawn_before_start()),
            Self::NotExcluded => held(!event.excluded),
            Self::NoOtherSubsidy => held(!event.other_subsidy),
            Self::AttemptsRecorded => held(!event.attempts.is_empty()),
            Self::HouseholdExplained => held(event.household_explained),
            Self::NightCardUsed => held(event.night_card_used),
            Self::MinutesKnown => {
                if event.worked_minutes().is_some() {
                    ConditionState::Met
                } else {
                    ConditionState::Missing
                }
            }
            Self::InDates
            | Self::InBand
            | Self::InArea
            | Self::HoursAtLeast(_)
            | Self::NotDuplicate
            | Self::WithinCap
            | Self::WithinBudget => return None,
            // Duty has one side, and an event between two does not ask for it.
            Self::MemberActive(Side::Standby) => ConditionState::Failed,
            Self::MemberActive(Side::Requester) => held(event.requester.membership == Membership::Active),
            Self::MemberActive(Side::Acceptor) => held(event.acceptor.membership == Membership::Active),
            Self::DifferentInstitution => held(event.requester.institution != event.acceptor.institution),
            Self::ReportPresent => {
                if event.report_at.is_some() {
                    ConditionState::Met
                } else {
                    ConditionState::Missing
                }
            }
            Self::ReportWithinHours(hours) => {
                let until = event.report_due_from().plus_s(i64::from(hours) * 3_600);
                event.report_at.map_or(ConditionState::Missing, |at| held(at <= until))
            }
            Self::RequesterConfirmed => match event.requester.confirmation {
                Confirmation::Waiting => ConditionState::Missing,
                Confirmation::Confirmed { .. } => ConditionState::Met,
                Confirmation::Disputed { .. } => ConditionState::Failed,
            },
        })
    }
}

impl fmt::Display for Condition {
    /// The text in tariffs and data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotATest => "event.not_a_test",
            Self::NotTraining => "event.not_training",
            Self::NotWithdrawnBeforeStart => "event.not_withdrawn_before_start",
            Self::NotExcluded => "event.not_excluded",
            Self::InArea => "patient.city in tariff.cities",
            Self::HoursAtLeast(hours) => return write!(f, "{HELD_HOURS}{hours}"),
            Self::AttemptsRecorded => "attempts.recorded",
            Self::HouseholdExplained => "household.explained",
            Self::NightCardUsed => "night_card.used",
            Self::MinutesKnown => "minutes.known",
            Self::NoOtherSubsidy => "other_subsidy.none",
            Self::NotDuplicate => "tariff.not_paid_already",
            Self::WithinCap => "tariff.within_caps",
            Self::WithinBudget => "program.within_budget",
            Self::MemberActive(Side::Standby) => "standby.member_active",
            Self::InDates => "tariff.in_dates",
            Self::InBand => "tariff.in_band",
            Self::MemberActive(Side::Requester) => "requester.member_active",
            Self::MemberActive(Side::Acceptor) => "acceptor.member_active",
            Self::DifferentInstitution => "requester.institution != acceptor.institution",
            Self::ReportPresent => "report.present",
            Self::ReportWithinHours(hours) => return write!(f, "{REPORT_HOURS}{hours}"),
            Self::RequesterConfirmed => "requester.confirmed",
        })
    }
}

impl FromStr for Condition {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        if let Some(hours) = text.strip_prefix(HELD_HOURS) {
            let hours = hours.parse().ok().filter(|h| (1..=HELD_HOURS_MAX).contains(h));
            return hours.map(Self::HoursAtLeast).ok_or(NotACondition);
        }
        if let Some(hours) = text.strip_prefix(REPORT_HOURS) {
            let hours = hours.parse().ok().filter(|h| (1..=REPORT_HOURS_MAX).contains(h));
            return hours.map(Self::ReportWithinHours).ok_or(NotACondition);
        }
        let known = ALWAYS.into_iter().chain(BY_KEYS).chain(CHOSEN);
        known.into_iter().find(|c| c.to_string() == text).ok_or(NotACondition)
    }
}

impl TryFrom<String> for Condition {
    type Error = NotACondition;

    fn try_from(text: String) -> Result<Self, NotACondition> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.to_string()
    }
}

/// One condition and its result, as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionResult {
    pub condition: Condition,
    pub state: ConditionState,
}
