//! When the people of the directory are asked to look at their entries: by a schedule, in the zone of each
//! association, once a round, also when the process was down at the hour. Whom to ask is `app::directory`.

use std::collections::BTreeSet;

use super::schedule::Schedule;
use crate::app::{App, AppError};
use crate::domain::calendar::civil_day;
use crate::ids::AssociationId;
use crate::time::Millis;

/// When and about what is asked.
#[derive(Clone, Debug)]
pub struct Reviews {
    /// 1 April, July and October, as 小金井 does.
    pub schedule: Schedule,
    /// Entries looked at within this many days are left alone.
    pub after_days: i64,
}

/// A round missed for longer than this is left out.
const LATE_MS: i64 = 14 * 86_400_000;
/// Hours of the schedule looked through for the last one; a schedule of every minute stops here.
const LOOKED_THROUGH: usize = 1_000;

/// The rounds this process has begun or seen begun.
#[derive(Debug, Default)]
pub struct Rounds(BTreeSet<(AssociationId, String)>);

impl Rounds {
    /// Begins the rounds whose hour has come; how many people were asked.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_due(&mut self, app: &App, reviews: &Reviews) -> Result<usize, AppError> {
        let mut asked = 0;
        for association in app.associations().await? {
            let Some(hour) = last_hour(&reviews.schedule, app.now(), association.zone) else { continue };
            let round = civil_day(hour, association.zone).to_string();
            let this = (association.id.clone(), round);
            if self.0.contains(&this) {
                continue;
            }
            let not_since = hour.plus_s(-reviews.after_days.saturating_mul(86_400));
            asked += app.entry_round(&this.0, &this.1, not_since).await?.unwrap_or(0);
            self.0.insert(this);
        }
        Ok(asked)
    }
}

/// The last time of a schedule that is not long past.
fn last_hour(schedule: &Schedule, now: Millis, zone: chrono_tz::Tz) -> Option<Millis> {
    let first = schedule.next_after(now.plus_ms(-LATE_MS), zone);
    std::iter::successors(first, |at| schedule.next_after(*at, zone))
        .take(LOOKED_THROUGH)
        .take_while(|at| *at <= now)
        .last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hour_is_the_one_that_came_within_two_weeks() {
        let zone = chrono_tz::Asia::Tokyo;
        let schedule = Schedule::parse("0 0 9 1 4,7,10 *").unwrap();
        let at = |text| Millis::parse_rfc3339(text).unwrap();
        let last = |now| last_hour(&schedule, at(now), zone);
        let april = Some(at("2027-04-01T09:00:00+09:00"));
        assert_eq!(last("2027-04-01T08:59:59+09:00"), None);
        assert_eq!(last("2027-04-01T09:00:00+09:00"), april);
        assert_eq!(last("2027-04-15T08:59:59+09:00"), april);
        assert_eq!(last("2027-04-15T09:00:00+09:00"), None);
    }
}
