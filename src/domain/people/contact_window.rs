//! Contact windows (ケアマネタイム): how, on which days and at what hours a doctor takes the contact of care
//! managers. The list is made anew each fiscal year. How it is kept and shown is decided elsewhere.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Day;
use crate::domain::calendar::{CivilDate, civil_day, instant_of, start_of_day};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::time::{Millis, Window};

/// How a doctor wants to be contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactWay {
    Phone,
    Fax,
    Mail,
    /// Coming to the clinic (来院).
    Visit,
    /// As the remarks say.
    Other,
}

impl ContactWay {
    pub const ALL: [Self; 5] = [Self::Phone, Self::Fax, Self::Mail, Self::Visit, Self::Other];

    /// The stable word of the API, the file and the form.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Mail => "mail",
            Self::Visit => "visit",
            Self::Other => "other",
        }
    }

    /// Reads [`ContactWay::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.code() == code)
    }
}

/// One window of a doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactWindow {
    pub way: ContactWay,
    /// Empty = every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Minutes after midnight, `[from, to)`, in the association's zone; `from > to` runs over midnight,
    /// `from == to` is all day.
    #[serde(default)]
    pub from_min: u32,
    #[serde(default)]
    pub to_min: u32,
    /// Also on holidays (祝日); otherwise a holiday is closed, whatever day of the week it is.
    #[serde(default)]
    pub holidays: bool,
    #[serde(default)]
    pub remarks: String,
    /// May stand on the public list, with the doctor's name.
    #[serde(default)]
    pub public: bool,
}

/// The windows a doctor may have in a year.
pub const WINDOWS_MOST: usize = 12;
/// The minutes of a day; as an end it is midnight.
pub const DAY_MIN: u32 = 1_440;

impl ContactWindow {
    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let mut wrong = Vec::new();
        let mut say = |field, problem: Option<Wrong>| {
            wrong.extend(problem.map(|wrong| FieldWrong { field, wrong }));
        };
        say("from_min", (self.from_min >= DAY_MIN).then_some(Wrong::OutOfRange));
        say("to_min", (self.to_min > DAY_MIN).then_some(Wrong::OutOfRange));
        say("remarks", short_text(&self.remarks, self.way == ContactWay::Other));
        wrong
    }

    /// Whether the window has no hours: any time of its days.
    #[must_use]
    pub const fn is_all_day(&self) -> bool {
        self.from_min == self.to_min
    }

    /// Whether a window begins on this day.
    fn begins_on(&self, day: CivilDate, is_holiday: &dyn Fn(CivilDate) -> bool) -> bool {
        let weekday = self.days.is_empty() || self.days.contains(&Day::from(day.weekday()));
        weekday && (self.holidays || !is_holiday(day))
    }

    /// The window that begins on a day, in instants; `None` on days it does not belong to, and where the
    /// clocks swallow it.
    fn on(&self, day: CivilDate, zone: Tz, is_holiday: &dyn Fn(CivilDate) -> bool) -> Option<Window> {
        if !self.begins_on(day, is_holiday) {
            return None;
        }
        let at = |day: CivilDate, minute: u32| {
            let time = chrono::NaiveTime::from_hms_opt(minute / 60 % 24, minute % 60, 0).unwrap_or_default();
            instant_of(day.plus_days(i64::from(minute / DAY_MIN)), time, zone)
        };
        if self.is_all_day() {
            return Window::new(start_of_day(day, zone), start_of_day(day.plus_days(1), zone));
        }
        let last = if self.from_min > self.to_min { day.plus_days(1) } else { day };
        Window::new(at(day, self.from_min), at(last, self.to_min))
    }
}

/// The windows that are open at an instant, each with the instant at which it closes. A window over midnight
/// belongs to the day on which it begins.
#[must_use]
pub fn open_at<'a>(
    windows: &'a [ContactWindow],
    at: Millis,
    zone: Tz,
    is_holiday: &dyn Fn(CivilDate) -> bool,
) -> Vec<(&'a ContactWindow, Millis)> {
    let today = civil_day(at, zone);
    let mut open = Vec::new();
    for window in windows {
        let now = [-1, 0]
            .into_iter()
            .filter_map(|days| window.on(today.plus_days(days), zone, is_holiday))
            .find(|hours| hours.contains(at));
        open.extend(now.map(|hours| (window, hours.to)));
    }
    open
}

/// Days looked ahead for an opening: the longest row of holidays and the week behind it.
const AHEAD: i64 = 21;

/// The first opening after an instant, with its window; `None` when there is none within three weeks.
#[must_use]
pub fn next_opening<'a>(
    windows: &'a [ContactWindow],
    after: Millis,
    zone: Tz,
    is_holiday: &dyn Fn(CivilDate) -> bool,
) -> Option<(Millis, &'a ContactWindow)> {
    let today = civil_day(after, zone);
    let first = |window: &'a ContactWindow| {
        (0..AHEAD)
            .filter_map(|days| window.on(today.plus_days(days), zone, is_holiday))
            .map(|hours| hours.from)
            .find(|from| *from > after)
            .map(|from| (from, window))
    };
    windows.iter().filter_map(first).min_by_key(|(from, _)| *from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::national_holiday;
    use proptest::prelude::*;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn phone(days: &[Day], from_min: u32, to_min: u32) -> ContactWindow {
        ContactWindow {
            way: ContactWay::Phone,
            days: days.to_vec(),
            from_min,
            to_min,
            holidays: false,
            remarks: String::new(),
            public: true,
        }
    }

    fn is_open(window: &ContactWindow, text: &str) -> bool {
        let holiday = |day| national_holiday(day).is_some();
        !open_at(std::slice::from_ref(window), at(text), TOKYO, &holiday).is_empty()
    }

    fn next(window: &ContactWindow, text: &str) -> Option<Millis> {
        let holiday = |day| national_holiday(day).is_some();
        next_opening(std::slice::from_ref(window), at(text), TOKYO, &holiday).map(|(from, _)| from)
    }

    #[test]
    fn a_window_has_its_first_minute_and_not_its_last() {
        let noon = phone(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri], 750, 810);
        // 2026-11-20 is a Friday.
        assert!(!is_open(&noon, "2026-11-20T12:29:59+09:00"));
        assert!(is_open(&noon, "2026-11-20T12:30:00+09:00"));
        assert!(is_open(&noon, "2026-11-20T13:29:59+09:00"));
        assert!(!is_open(&noon, "2026-11-20T13:30:00+09:00"));
        assert!(!is_open(&noon, "2026-11-21T12:45:00+09:00"), "Saturday");
        // Monday the 23rd is a holiday (勤労感謝の日).
        assert_eq!(next(&noon, "2026-11-20T18:20:00+09:00"), Some(at("2026-11-24T12:30:00+09:00")));
        assert_eq!(next(&noon, "2026-11-20T12:30:00+09:00"), Some(at("2026-11-24T12:30:00+09:00")));
        assert_eq!(next(&noon, "2026-11-20T12:29:59+09:00"), Some(at("2026-11-20T12:30:00+09:00")));
    }

    #[test]
    fn a_holiday_is_closed_unless_the_doctor_says_otherwise() {
        let mut monday = phone(&[Day::Mon], 540, 600);
        assert!(!is_open(&monday, "2026-11-23T09:30:00+09:00"));
        monday.holidays = true;
        assert!(is_open(&monday, "2026-11-23T09:30:00+09:00"));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_evening_on_which_it_begins() {
        let friday = phone(&[Day::Fri], 1_320, 120);
        assert!(is_open(&friday, "2026-11-20T22:00:00+09:00"));
        assert!(is_open(&friday, "2026-11-21T01:59:59+09:00"));
        assert!(!is_open(&friday, "2026-11-21T02:00:00+09:00"));
        assert!(!is_open(&friday, "2026-11-20T01:00:00+09:00"), "the small hours of Friday are Thursday's");
        // Sunday evening runs into a holiday; it began on an ordinary day.
        let sunday = phone(&[Day::Sun], 1_380, 60);
        assert!(is_open(&sunday, "2026-11-23T00:30:00+09:00"));
        let until_midnight = phone(&[Day::Fri], 1_200, DAY_MIN);
        assert!(is_open(&until_midnight, "2026-11-20T23:59:59+09:00"));
        assert!(!is_open(&until_midnight, "2026-11-21T00:00:00+09:00"));
    }

    #[test]
    fn a_fax_takes_papers_all_day() {
        let fax = ContactWindow { way: ContactWay::Fax, ..phone(&[], 0, 0) };
        assert!(is_open(&fax, "2026-11-20T03:00:00+09:00") && fax.is_all_day());
        let open = open_at(std::slice::from_ref(&fax), at("2026-11-20T03:00:00+09:00"), TOKYO, &|_| false);
        assert_eq!(open[0].1, at("2026-11-21T00:00:00+09:00"));
    }

    #[test]
    fn a_window_in_an_hour_the_clocks_skip_begins_after_it_or_not_at_all() {
        // Berlin, 29 March 2026: 02:00 becomes 03:00.
        let zone = Tz::Europe__Berlin;
        let open = |window: &ContactWindow, text: &str| {
            !open_at(std::slice::from_ref(window), at(text), zone, &|_| false).is_empty()
        };
        assert!(open(&phone(&[], 130, 240), "2026-03-29T03:00:00+02:00"));
        assert!(!open(&phone(&[], 130, 150), "2026-03-29T03:00:00+02:00"));
    }

    #[test]
    fn another_way_is_nothing_without_its_remarks() {
        let other = ContactWindow { way: ContactWay::Other, ..phone(&[], 0, 0) };
        assert_eq!(other.wrong_fields().first().map(|w| w.field), Some("remarks"));
        assert!(phone(&[], 1_439, 1_440).wrong_fields().is_empty());
        assert_eq!(phone(&[], 1_440, 1_441).wrong_fields().len(), 2);
    }

    proptest! {
        #[test]
        fn at_the_next_opening_it_is_open_and_just_before_it_was_not(
            from in 0u32..1_440, to in 0u32..=1_440, day in 0usize..7, minutes in 0i64..20_000,
        ) {
            use Day::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
            let window = phone(&[[Mon, Tue, Wed, Thu, Fri, Sat, Sun][day]], from, to);
            let after = at("2026-11-20T00:00:00+09:00").plus_s(minutes * 60);
            let all = std::slice::from_ref(&window);
            let (opens, _) = next_opening(all, after, TOKYO, &|_| false).unwrap();
            prop_assert!(opens > after);
            prop_assert_eq!(open_at(all, opens, TOKYO, &|_| false).len(), 1);
            prop_assert!(open_at(all, opens.plus_ms(-1), TOKYO, &|_| false).is_empty());
        }
    }
}
