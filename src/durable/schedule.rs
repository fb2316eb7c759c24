//! Schedules: cron texts with weekday names, and their next instant in a zone's civil time. Who runs what
//! on a schedule is decided by the runner; single due times are rows, not schedules.
//!
//! A text has six fields (second, minute, hour, day of month, month, weekday) or seven (and the year).
//! Where both a day of month and a weekday are restricted, both must fit, unlike in the classic `cron`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::time::Millis;

/// How many civil times a single question may look at. A schedule of every second needs 3,600 to step over
/// a doubled hour; the longest doubled stretch on record is a day.
const MAX_CANDIDATES: usize = 100_000;

/// When something comes round again, in civil time.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    civil: cron::Schedule,
}

/// The text is not a schedule.
#[derive(Debug, thiserror::Error)]
pub enum NotASchedule {
    /// Not six or seven fields, or a shorthand such as `@weekly`, which hides the same weekday trap.
    #[error(
        "a schedule has 6 fields (second minute hour day month weekday) or 7 (and the year), not {fields}"
    )]
    Fields { fields: usize },
    /// A number stands for a weekday.
    #[error(
        "write weekdays by name (Mon-Fri), not as {field:?}: number 1 means Sunday here and Monday elsewhere"
    )]
    NumberedWeekday { field: String },
    /// A field cannot be read.
    #[error("the schedule cannot be read")]
    Unreadable(#[source] cron::error::Error),
    /// It names a day that no calendar has, such as 30 February.
    #[error("the schedule never comes round")]
    Never,
}

impl Schedule {
    /// Reads a schedule such as `0 0 9 * * Mon-Fri`.
    ///
    /// # Errors
    /// When it is not one, numbers its weekdays, or never comes round.
    pub fn parse(text: &str) -> Result<Self, NotASchedule> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let weekday = match fields.as_slice() {
            [_, _, _, _, _, weekday] | [_, _, _, _, _, weekday, _] => *weekday,
            other => return Err(NotASchedule::Fields { fields: other.len() }),
        };
        if weekday.contains(|c: char| c.is_ascii_digit()) {
            return Err(NotASchedule::NumberedWeekday { field: weekday.to_owned() });
        }
        let text = fields.join(" ");
        let civil = cron::Schedule::from_str(&text).map_err(NotASchedule::Unreadable)?;
        if civil.after(&DateTime::UNIX_EPOCH).next().is_none() {
            return Err(NotASchedule::Never);
        }
        Ok(Self { text, civil })
    }

    /// The schedule as it was written, with single blanks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first instant after `after`. A civil time that the zone skips comes round at the first instant
    /// after the hole; one that it doubles, at its first occurrence only. `None` when there is none left
    /// (a schedule with years in the past).
    #[must_use]
    pub fn next_after(&self, after: Millis, zone: Tz) -> Option<Millis> {
        let local =
            zone.from_utc_datetime(&DateTime::from_timestamp_millis(after.0)?.naive_utc()).naive_local();
        // The crate walks civil times as if they were UTC, where no hour is missing or doubled; the rules for
        // those are ours.
        self.civil
            .after(&Utc.from_utc_datetime(&local))
            .take(MAX_CANDIDATES)
            .filter_map(|civil| instant_of(civil.naive_utc(), zone))
            .find(|at| *at > after)
    }
}

/// The instant at which the zone's clocks first show `civil` or, where they jump over it, something later.
fn instant_of(civil: NaiveDateTime, zone: Tz) -> Option<Millis> {
    match zone.from_local_datetime(&civil) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(Millis(at.timestamp_millis())),
        LocalResult::None => {
            // Offsets lie within a day of UTC, so the jump lies within two days of the civil time read as
            // UTC. Halving finds the first second that is shown as later.
            let middle = civil.and_utc().timestamp();
            let (mut before, mut at_or_after) =
                (middle.saturating_sub(172_800), middle.saturating_add(172_800));
            while at_or_after - before > 1 {
                let half = before + (at_or_after - before) / 2;
                let shown =
                    zone.from_utc_datetime(&DateTime::from_timestamp(half, 0)?.naive_utc()).naive_local();
                if shown >= civil { at_or_after = half } else { before = half }
            }
            Some(Millis(at_or_after.saturating_mul(1_000)))
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn next(schedule: &str, after: &str, zone: Tz) -> Millis {
        Schedule::parse(schedule).unwrap().next_after(at(after), zone).unwrap()
    }

    #[test]
    fn the_morning_digest_skips_the_weekend_in_tokyo() {
        let zone = Tz::Asia__Tokyo;
        let digest = "0 0 9 * * Mon-Fri";
        // Friday 20 November 2026, one millisecond early and on the stroke.
        assert_eq!(next(digest, "2026-11-20T08:59:59.999+09:00", zone), at("2026-11-20T09:00:00+09:00"));
        assert_eq!(next(digest, "2026-11-20T09:00:00+09:00", zone), at("2026-11-23T09:00:00+09:00"));
        assert_eq!(next(digest, "2026-12-31T23:59:59+09:00", zone), at("2027-01-01T09:00:00+09:00"));
    }

    #[test]
    fn a_time_that_the_clocks_skip_comes_round_when_they_go_on() {
        // Berlin, 29 March 2026: 02:00 becomes 03:00.
        let zone = Tz::Europe__Berlin;
        let daily = "0 30 2 * * *";
        assert_eq!(next(daily, "2026-03-29T00:00:00+01:00", zone), at("2026-03-29T03:00:00+02:00"));
        assert_eq!(next(daily, "2026-03-29T03:00:00+02:00", zone), at("2026-03-30T02:30:00+02:00"));
        // Every ten minutes of the missing hour is one moment, not six.
        let often = "0 */10 2 * * *";
        assert_eq!(next(often, "2026-03-29T01:59:00+01:00", zone), at("2026-03-29T03:00:00+02:00"));
        assert_eq!(next(often, "2026-03-29T03:00:00+02:00", zone), at("2026-03-30T02:00:00+02:00"));
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_comes_round_once() {
        // Berlin, 25 October 2026: 03:00 becomes 02:00.
        let zone = Tz::Europe__Berlin;
        let daily = "0 30 2 * * *";
        assert_eq!(next(daily, "2026-10-25T00:00:00+02:00", zone), at("2026-10-25T02:30:00+02:00"));
        assert_eq!(next(daily, "2026-10-25T02:30:00+02:00", zone), at("2026-10-26T02:30:00+01:00"));
        assert_eq!(next(daily, "2026-10-25T02:10:00+01:00", zone), at("2026-10-26T02:30:00+01:00"));
        assert_eq!(next("* * * * * *", "2026-10-25T02:59:59+02:00", zone), at("2026-10-25T03:00:00+01:00"));
    }

    #[test]
    fn a_day_that_a_country_skips_comes_round_at_its_end() {
        // Samoa had no 30 December 2011.
        let zone = Tz::Pacific__Apia;
        assert_eq!(
            next("0 0 12 30 12 * ", "2011-12-29T13:00:00-10:00", zone),
            at("2011-12-31T00:00:00+14:00")
        );
    }

    #[test]
    fn a_numbered_weekday_is_refused_because_one_means_sunday_here() {
        for text in ["0 0 9 * * 1-5", "0 0 9 * * 1", "0 0 9 * * Mon-Fri/2", "0 0 9 * * 0 2027"] {
            let refused = Schedule::parse(text).unwrap_err();
            assert!(matches!(refused, NotASchedule::NumberedWeekday { .. }), "{text}: {refused}");
            assert!(refused.to_string().contains("Sunday"));
        }
        // What the rule protects from.
        let numbered = cron::Schedule::from_str("0 0 9 * * 1").unwrap();
        let first = numbered.after(&DateTime::UNIX_EPOCH).next().unwrap();
        assert_eq!(chrono::Datelike::weekday(&first), chrono::Weekday::Sun);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        assert!(matches!(Schedule::parse("0 9 * * Mon"), Err(NotASchedule::Fields { fields: 5 })));
        assert!(matches!(Schedule::parse("@weekly"), Err(NotASchedule::Fields { fields: 1 })));
        assert!(matches!(Schedule::parse("0 0 0 30 2 *"), Err(NotASchedule::Never)));
        for text in ["0 0 25 * * *", "0 61 * * * *", "0 0 9 * * Moon", "a b c d e f"] {
            assert!(matches!(Schedule::parse(text), Err(NotASchedule::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn a_schedule_of_past_years_has_no_next_time() {
        let past = Schedule::parse("0 0 9 * * * 2020").unwrap();
        assert_eq!(past.next_after(at("2026-11-20T00:00:00Z"), Tz::Asia__Tokyo), None);
    }

    proptest! {
        #[test]
        fn the_next_time_is_later_and_nothing_lies_between(
            seconds in 946_684_800i64..4_000_000_000, zone in prop::sample::select(vec![
                Tz::Asia__Tokyo, Tz::Europe__Berlin, Tz::America__Sao_Paulo, Tz::Australia__Lord_Howe,
            ]), text in prop::sample::select(vec!["0 30 2 * * *", "0 */7 1-3 * * *", "0 0 0 * * Sun"]),
        ) {
            let (schedule, after) = (Schedule::parse(text).unwrap(), Millis(seconds * 1_000));
            let found = schedule.next_after(after, zone).unwrap();
            prop_assert!(found > after);
            // Asking from just before the answer, or from anywhere between, gives the same answer.
            prop_assert_eq!(schedule.next_after(found.plus_ms(-1), zone), Some(found));
            prop_assert_eq!(schedule.next_after(after.plus_ms(found.since_ms(after) / 2), zone), Some(found));
        }
    }
}
