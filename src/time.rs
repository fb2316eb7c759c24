//! Instants, durations and the clock. Civil days and the calendar live in `domain::calendar`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This instant moved by `seconds` (may be negative); saturates at the ends of time.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// This instant moved by `millis`; saturates.
    #[must_use]
    pub const fn plus_ms(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds, `2026-11-20T10:00:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || format!("{}ms", self.0),
            |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        )
    }

    /// Reads RFC 3339 with any offset; `None` when the text is not a date-time with an offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        chrono::DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A half-open interval of instants, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    pub from: Millis,
    pub to: Millis,
}

impl Window {
    /// `None` when the interval would be empty or reversed.
    #[must_use]
    pub fn new(from: Millis, to: Millis) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Whether `at` lies in `[from, to)`.
    #[must_use]
    pub fn contains(&self, at: Millis) -> bool {
        self.from <= at && at < self.to
    }
}

/// Where "now" comes from. The real one is made in `main`; tests, the demo and the simulation bring
/// their own.
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> Millis;
}

/// A clock that everything shares.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the real clock")]
    fn now(&self) -> Millis {
        Millis(chrono::Utc::now().timestamp_millis())
    }
}

/// A clock moved by hand: the simulation's, and, started at the real time, the demo's.
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    #[must_use]
    pub fn at(now: Millis) -> Self {
        Self(std::sync::atomic::AtomicI64::new(now.0))
    }

    pub fn set(&self, now: Millis) {
        self.0.store(now.0, std::sync::atomic::Ordering::SeqCst);
    }

    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1_000), std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

/// The real clock plus an offset that only grows: `touban demo` jumps ahead with it.
#[derive(Debug, Default)]
pub struct LeapingClock(std::sync::atomic::AtomicI64);

impl LeapingClock {
    /// Moves this clock ahead by `seconds`.
    pub fn leap_s(&self, seconds: u32) {
        self.0.fetch_add(i64::from(seconds) * 1_000, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Millis {
        SystemClock.now().plus_ms(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_contains_its_start_and_not_its_end() {
        let window = Window::new(Millis(10), Millis(20)).unwrap();
        assert!(window.contains(Millis(10)) && window.contains(Millis(19)));
        assert!(!window.contains(Millis(20)) && !window.contains(Millis(9)));
        assert_eq!(Window::new(Millis(5), Millis(5)), None);
    }

    #[test]
    fn instants_read_back_from_their_text() {
        let at = Millis(1_792_500_000_123);
        assert_eq!(Millis::parse_rfc3339(&at.rfc3339()), Some(at));
        assert_eq!(
            Millis::parse_rfc3339("2026-11-20T19:00:00+09:00"),
            Millis::parse_rfc3339("2026-11-20T10:00:00Z")
        );
        assert_eq!(Millis::parse_rfc3339("2026-11-20"), None);
    }
}
