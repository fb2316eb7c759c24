//! Hears that the machine's clock was set: the wall clock is compared with one that nobody sets.

use crate::time::Millis;

/// Clocks that drift apart by more than this between two looks: one of them was set.
const STEP_MS: i64 = 2_000;

/// The last look at both clocks.
#[derive(Debug, Default)]
pub(super) struct ClockWatch(Option<(Millis, i64)>);

/// The wall clock was set between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockSet {
    /// By how much it was moved; negative: back.
    pub by_ms: i64,
    /// How long ago the look before was.
    pub unseen_ms: i64,
}

impl ClockWatch {
    /// Takes both clocks of this moment; what the wall clock was moved by since the last time.
    pub(super) fn look(&mut self, wall: Millis, steady_ms: i64) -> Option<ClockSet> {
        let (wall_before, steady_before) = self.0.replace((wall, steady_ms))?;
        let unseen_ms = steady_ms.saturating_sub(steady_before).max(0);
        let by_ms = wall.since_ms(wall_before).saturating_sub(unseen_ms);
        (by_ms.abs() > STEP_MS).then_some(ClockSet { by_ms, unseen_ms })
    }
}

/// Milliseconds since the machine started, its sleep included (`proc_uptime(5)`: CLOCK_BOOTTIME, to a hundredth of a
/// second). `None` where there is no such clock: then nobody hears of a step.
pub(super) fn steady_ms() -> Option<i64> {
    parse(&std::fs::read_to_string("/proc/uptime").ok()?)
}

fn parse(uptime: &str) -> Option<i64> {
    let (seconds, hundredths) = uptime.split_whitespace().next()?.split_once('.')?;
    let hundredths: i64 = hundredths.get(..2)?.parse().ok()?;
    Some(seconds.parse::<i64>().ok()?.saturating_mul(1_000) + hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_heard_and_one_that_goes_on_is_not() {
        let three_h = 10_800_000;
        let mut watch = ClockWatch::default();
        assert_eq!(watch.look(Millis(1_000_000), 500), None, "there is nothing to compare with");
        assert_eq!(watch.look(Millis(1_000_200), 700), None);
        // Pulled by a time server, and a machine that slept for an hour: both clocks went on.
        assert_eq!(watch.look(Millis(1_002_100), 900), None);
        assert_eq!(watch.look(Millis(4_602_100), 3_600_900), None);
        let forward = ClockSet { by_ms: three_h, unseen_ms: 200 };
        assert_eq!(watch.look(Millis(4_602_300 + three_h), 3_601_100), Some(forward));
        assert_eq!(watch.look(Millis(4_602_500 + three_h), 3_601_300), None, "once");
        let back = ClockSet { by_ms: -three_h, unseen_ms: 150 };
        assert_eq!(watch.look(Millis(4_602_650), 3_601_450), Some(back));
    }

    #[test]
    fn the_time_since_the_start_is_read_as_the_kernel_writes_it() {
        assert_eq!(parse("42637.09 81023.55\n"), Some(42_637_090));
        for wrong in ["", "42637", "x.09 1.0", "1.x 2"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        if cfg!(target_os = "linux") {
            assert!(steady_ms().is_some_and(|ms| ms > 0));
        }
    }
}
