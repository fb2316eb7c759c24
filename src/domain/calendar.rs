//! (being written)
pub fn instant_of(day: chrono::NaiveDate, time: chrono::NaiveTime, zone: chrono_tz::Tz) -> crate::time::Millis { let _ = (day,time,zone); crate::time::Millis(0) }
