//! Instants in the words of an association's wall clock, for pages and mails.

use chrono::{Datelike, Timelike};
use chrono_tz::Tz;

use crate::domain::calendar::{civil_day, wall_clock, weekday_kanji};
use crate::i18n::Lang;
use crate::time::Millis;

/// The time of day: `14時30分`, `18時`, `正午`; `14:30`, `noon`.
#[must_use]
pub fn time(at: Millis, zone: Tz, lang: Lang) -> String {
    let local = wall_clock(at, zone);
    match (local.hour(), local.minute(), lang) {
        (12, 0, Lang::Ja) => "正午".to_owned(),
        (12, 0, Lang::En) => "noon".to_owned(),
        (h, 0, Lang::Ja) => format!("{h}時"),
        (h, m, Lang::Ja) => format!("{h}時{m}分"),
        (h, m, Lang::En) => format!("{h}:{m:02}"),
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn month(local: &chrono::NaiveDateTime) -> &'static str {
    usize::try_from(local.month0()).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("")
}

/// Date and time: `11月21日（土）14時30分`, `Sat 21 Nov 14:30`.
#[must_use]
pub fn moment(at: Millis, zone: Tz, lang: Lang) -> String {
    let local = wall_clock(at, zone);
    let time = time(at, zone, lang);
    match lang {
        Lang::Ja => {
            let day = weekday_kanji(local.weekday());
            format!("{}月{}日（{day}）{time}", local.month(), local.day())
        }
        Lang::En => format!("{} {} {} {time}", local.weekday(), local.day(), month(&local)),
    }
}

/// In few words, seen from `now`: `今日18時`, `明日正午`, `21日（土）9時`.
#[must_use]
pub fn short(at: Millis, now: Millis, zone: Tz, lang: Lang) -> String {
    let local = wall_clock(at, zone);
    let time = time(at, zone, lang);
    match (civil_day(at, zone).days_since(civil_day(now, zone)), lang) {
        (0, Lang::Ja) => format!("今日{time}"),
        (1, Lang::Ja) => format!("明日{time}"),
        (_, Lang::Ja) => format!("{}日（{}）{time}", local.day(), weekday_kanji(local.weekday())),
        (0, Lang::En) => format!("{time} today"),
        (1, Lang::En) => format!("{time} tomorrow"),
        (_, Lang::En) => format!("{} {} {time}", local.day(), month(&local)),
    }
}

/// `11月21日（土）` or `Sat 21 Nov`.
#[must_use]
pub fn day(at: Millis, zone: Tz, lang: Lang) -> String {
    let local = wall_clock(at, zone);
    match lang {
        Lang::Ja => format!("{}月{}日（{}）", local.month(), local.day(), weekday_kanji(local.weekday())),
        Lang::En => format!("{} {} {}", local.weekday(), local.day(), month(&local)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::mail_texts::{Moment, ShortMoment};
    use proptest::prelude::*;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = Millis::parse_rfc3339("2026-11-20T10:00:00+09:00").unwrap();
        let noon = Millis::parse_rfc3339("2026-11-21T12:00:00+09:00").unwrap();
        assert_eq!(moment(noon, TOKYO, Lang::Ja), "11月21日（土）正午");
        assert_eq!(short(noon, now, TOKYO, Lang::Ja), "明日正午");
        assert_eq!(short(now.plus_s(3_600), now, TOKYO, Lang::Ja), "今日11時");
        assert_eq!(short(now.plus_s(3 * 86_400), now, TOKYO, Lang::En), "23 Nov 10:00");
        assert_eq!(moment(noon, TOKYO, Lang::En), "Sat 21 Nov noon");
    }

    proptest! {
        #[test]
        fn every_moment_fits_on_the_envelope_of_a_mail(at in 1_600_000_000_000i64..2_000_000_000_000, ahead in 0i64..40) {
            let (at, now) = (Millis(at), Millis(at).plus_s(-ahead * 86_400));
            for lang in [Lang::Ja, Lang::En] {
                prop_assert!(Moment::new(moment(at, TOKYO, lang)).is_ok(), "{}", moment(at, TOKYO, lang));
                prop_assert!(ShortMoment::new(short(at, now, TOKYO, lang)).is_ok(), "{}", short(at, now, TOKYO, lang));
            }
        }
    }
}
