//! Planted bugs: mistakes that can be switched on in a build with the feature `planted`, to show that the
//! simulation finds them. Without the feature nothing of them is compiled in.

/// A mistake somebody could make here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// A mail goes out without looking again whether it is still wanted.
    NoRecheckBeforeSend = 1,
    /// The quota is read and then written, so that two can pass.
    QuotaReadThenWrite,
    /// Work that somebody else holds a lease on is claimed.
    LeaseIgnored,
    /// Nothing stops the second insertion of the same thing.
    UniqueKeyMissing,
    /// A holder whose lease was taken over writes all the same.
    FenceNotCompared,
    /// The links of a request that was taken back still work.
    CancelKeepsLinks,
    /// A due time is computed from local instead of universal time.
    DueFromLocalTime,
    /// A retry carries a new Message-ID.
    RetryNewMessageId,
    /// The ledger is written in another transaction than its event.
    LedgerOutsideTransaction,
    /// Callbacks are told apart by their call alone, not by the event too.
    CallbackByCallIdOnly,
    /// Somebody who gave a yes back is asked again.
    ReleasedAskedAgain,
    /// A no does not bring the next person or step.
    NoNextAfterDecline,
    /// A yes counts after the offer's time has passed.
    LateYesAccepted,
    /// Taking a request back leaves its offers open.
    CancelLeavesOffersLive,
    /// Nobody is asked in place of a person whom no channel reaches.
    UnreachableNotReplaced,
    /// Whoever or whatever picks up a phone counts as a yes.
    AnswerCountsAsYes,
    /// A right PIN joins without asking the dispatcher who was first.
    VerdictNotAwaited,
    /// The other phones go on ringing when somebody has taken the call.
    OthersKeepRinging,
    /// A leg that failed is not told to the dispatcher.
    FailedLegUntold,
    /// A waiting caller hears one word and then nothing.
    SilentWait,
    /// After a restart a phone that rings is dialled once more.
    RingingDialledAgain,
    /// Nobody hears that the machine's clock was set while calls are open.
    ClockSetUnheard,
}

impl Bug {
    /// Every planted bug.
    pub const ALL: [Self; 22] = [
        Self::NoRecheckBeforeSend,
        Self::QuotaReadThenWrite,
        Self::LeaseIgnored,
        Self::UniqueKeyMissing,
        Self::FenceNotCompared,
        Self::CancelKeepsLinks,
        Self::DueFromLocalTime,
        Self::RetryNewMessageId,
        Self::LedgerOutsideTransaction,
        Self::CallbackByCallIdOnly,
        Self::ReleasedAskedAgain,
        Self::NoNextAfterDecline,
        Self::LateYesAccepted,
        Self::CancelLeavesOffersLive,
        Self::UnreachableNotReplaced,
        Self::AnswerCountsAsYes,
        Self::VerdictNotAwaited,
        Self::OthersKeepRinging,
        Self::FailedLegUntold,
        Self::SilentWait,
        Self::RingingDialledAgain,
        Self::ClockSetUnheard,
    ];

    /// The stable word for reports and the command line.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoRecheckBeforeSend => "no_recheck_before_send",
            Self::QuotaReadThenWrite => "quota_read_then_write",
            Self::LeaseIgnored => "lease_ignored",
            Self::UniqueKeyMissing => "unique_key_missing",
            Self::FenceNotCompared => "fence_not_compared",
            Self::CancelKeepsLinks => "cancel_keeps_links",
            Self::DueFromLocalTime => "due_from_local_time",
            Self::RetryNewMessageId => "retry_new_message_id",
            Self::LedgerOutsideTransaction => "ledger_outside_transaction",
            Self::CallbackByCallIdOnly => "callback_by_call_id_only",
            Self::ReleasedAskedAgain => "released_asked_again",
            Self::NoNextAfterDecline => "no_next_after_decline",
            Self::LateYesAccepted => "late_yes_accepted",
            Self::CancelLeavesOffersLive => "cancel_leaves_offers_live",
            Self::UnreachableNotReplaced => "unreachable_not_replaced",
            Self::AnswerCountsAsYes => "answer_counts_as_yes",
            Self::VerdictNotAwaited => "verdict_not_awaited",
            Self::OthersKeepRinging => "others_keep_ringing",
            Self::FailedLegUntold => "failed_leg_untold",
            Self::SilentWait => "silent_wait",
            Self::RingingDialledAgain => "ringing_dialled_again",
            Self::ClockSetUnheard => "clock_set_unheard",
        }
    }

    /// Reads [`Bug::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.code() == code)
    }
}

#[cfg(feature = "planted")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    static PLANTED: AtomicU8 = AtomicU8::new(0);

    /// Whether this bug is switched on in this process.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        PLANTED.load(Ordering::Relaxed) == bug as u8
    }

    /// Switches one bug on in this process, or all off.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.store(bug.map_or(0, |b| b as u8), Ordering::Relaxed);
    }
}

#[cfg(not(feature = "planted"))]
mod switch {
    use super::Bug;

    /// Never: this build has no planted bugs.
    #[must_use]
    pub const fn is(_bug: Bug) -> bool {
        false
    }

    /// Does nothing: this build has no planted bugs.
    pub const fn plant(_bug: Option<Bug>) {}
}

pub use switch::{is, plant};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_reads_back_from_its_word() {
        for bug in Bug::ALL {
            assert_eq!(Bug::from_code(bug.code()), Some(bug));
        }
        let words: std::collections::BTreeSet<_> = Bug::ALL.iter().map(|b| b.code()).collect();
        assert_eq!(words.len(), Bug::ALL.len());
    }
}
