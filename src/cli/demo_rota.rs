//! The rota of the demo: a published quarter of all hours with three gaps, what changed since, and wishes for the
//! next one. Put there through the use cases, as history, so that "as known then" has something to say.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::stop::Stop;
use crate::app::rota::file::{FORMAT, FileNames, FileRead, RotaFile, VERSION};
use crate::app::rota::wishes::SheetWritten;
use crate::app::{App, Who};
use crate::domain::calendar::{CivilDate, civil_day, start_of_day};
use crate::domain::rota::{
    Assignment, Holder, Leg, Override, PlainFill, Publication, Records, RotaRole, RotaSettings, Rules, Swap,
    WishSheet, WishSource, Wished, WishedDays,
};
use crate::i18n::Lang;
use crate::ids::{MemberId, OverrideId, PublicationId, SwapId};
use crate::time::{Millis, Window};

const DAY_S: i64 = 86_400;
/// When the quarter was published, before its first day.
const PUBLISHED_DAYS_BEFORE: i64 = 50;
/// Days before the quarter of which the rota is known too.
const DAYS_BEFORE: i64 = 7;
/// The gaps: so many days from now on, and which role.
const GAPS: [(i64, RotaRole); 3] = [(3, RotaRole::Deputy), (9, RotaRole::Primary), (20, RotaRole::Primary)];

/// The first day of the month `months` after the one of `day`.
fn month(day: CivilDate, months: u32) -> CivilDate {
    let (year, month) = (day.year(), day.month() - 1 + months);
    let year = year + i32::try_from(month / 12).unwrap_or_default();
    CivilDate::new(year, month % 12 + 1, 1).unwrap_or(day)
}

pub(super) async fn seed(
    app: &App,
    who: &Who,
    zone: Tz,
    members: &BTreeMap<String, MemberId>,
) -> Result<(), Stop> {
    let now = app.now();
    let today = civil_day(now, zone);
    let (first, next) = (month(today, 0), month(today, 3));
    let settings = RotaSettings {
        rules: Rules { rest_nights: 2, max_per_week: Some(2), max_per_month: Some(6), ..Rules::default() },
        ..RotaSettings::default()
    };
    let area = settings.areas.first().map(|area| area.key.clone()).ok_or(Stop::Found)?;
    app.rota_settings_put(who, 0, settings, None).await.map_err(unfit)?;

    // Filled as the coordinator would, then told as history.
    let days = (first.plus_days(-DAYS_BEFORE), next.plus_days(-1));
    let draft = app.rota_draft_new(who, &area, "第1案", days, None).await.map_err(unfit)?;
    let filled = app.rota_draft_fill(who, &draft, 0, &PlainFill, None).await.map_err(unfit)?;
    let duties = app.rota_draft(&who.association, &draft).await.map_err(unfit)?.duties;
    app.rota_draft_drop(who, &draft, filled.revision, None).await.map_err(unfit)?;

    let begins = start_of_day(first, zone);
    let (before, mut quarter): (Vec<Assignment>, Vec<Assignment>) =
        duties.into_iter().partition(|duty| duty.window.from < begins);
    for (days, role) in GAPS {
        let from = now.plus_s(days * DAY_S);
        let gap = quarter.iter().position(|duty| duty.role == role && from <= duty.window.from);
        quarter.remove(gap.ok_or(Stop::Found)?);
    }
    quarter.sort_by_key(|duty| (duty.window, duty.role));
    let changed = Changed { now, quarter: &quarter };
    let id = |at: Millis| PublicationId::new(at, app.chance.as_ref());
    let published = begins.plus_s(-PUBLISHED_DAYS_BEFORE * DAY_S);
    let earlier = published.plus_s(-90 * DAY_S);
    let records = Records {
        overrides: changed.overrides(app),
        swaps: changed.swaps(app),
        publications: vec![
            Publication {
                id: id(earlier),
                area: area.clone(),
                period: Window { from: start_of_day(days.0, zone), to: begins },
                recorded_at: earlier,
                assignments: before,
            },
            Publication {
                id: id(published),
                area: area.clone(),
                period: Window { from: begins, to: start_of_day(next, zone) },
                recorded_at: published,
                assignments: quarter.clone(),
            },
        ],
        leavings: Vec::new(),
    };
    let file = RotaFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        slots: None,
        slot_books: Vec::new(),
        settings: None,
        names: FileNames::default(),
        records,
    };
    match app.rota_file_read(who, file, None).await.map_err(unfit)? {
        FileRead::Done { .. } => {}
        FileRead::Unknown(_) => return Err(Stop::Found),
    }
    wishes(app, who, (next, month(today, 6).plus_days(-1)), members).await
}

fn unfit(error: crate::app::AppError) -> Stop {
    Stop::app(Lang::En, error)
}

/// What happened to the quarter after it was published.
struct Changed<'a> {
    now: Millis,
    quarter: &'a [Assignment],
}

impl Changed<'_> {
    /// The first duty of the primary that begins so many days from now, with its deputy's institution.
    fn primary(&self, days: i64) -> Option<(&Assignment, &Assignment)> {
        let from = self.now.plus_s(days * DAY_S);
        self.quarter.iter().filter(|d| d.role == RotaRole::Primary && from <= d.window.from).find_map(
            |duty| {
                let beside = |d: &&Assignment| d.slot == duty.slot && d.role == RotaRole::Deputy;
                self.quarter.iter().find(beside).map(|deputy| (duty, deputy))
            },
        )
    }

    /// Somebody of another institution than these two.
    fn third(&self, duty: &Assignment, deputy: &Assignment) -> Option<Holder> {
        let near = |d: &Assignment| (d.window.from.since_ms(duty.window.from)).abs() < 3 * DAY_S * 1_000;
        let busy = |holder: &Holder| self.quarter.iter().any(|d| near(d) && d.holder.person == holder.person);
        self.quarter
            .iter()
            .map(|d| &d.holder)
            .find(|h| {
                h.institution != duty.holder.institution
                    && h.institution != deputy.holder.institution
                    && !busy(h)
            })
            .cloned()
    }

    /// One that counts, and one that was taken back.
    fn overrides(&self, app: &App) -> Vec<Override> {
        let change = |days: i64, recorded_at: Millis, withdrawn_at: Option<Millis>| {
            let (duty, deputy) = self.primary(days)?;
            Some(Override {
                id: OverrideId::new(recorded_at, app.chance.as_ref()),
                area: duty.area.clone(),
                role: RotaRole::Primary,
                window: Window { from: duty.window.from, to: duty.window.from.plus_s(4 * 3_600) },
                holder: Some(self.third(duty, deputy)?),
                recorded_at,
                withdrawn_at,
            })
        };
        let yesterday = self.now.plus_s(-DAY_S);
        let counts = change(1, yesterday, None);
        let taken_back = change(6, self.now.plus_s(-4 * DAY_S), Some(yesterday));
        counts.into_iter().chain(taken_back).collect()
    }

    /// A night given away some days ago.
    fn swaps(&self, app: &App) -> Vec<Swap> {
        let taken_at = self.now.plus_s(-3 * DAY_S);
        let given = self.primary(12).and_then(|(duty, deputy)| {
            let leg = Leg {
                area: duty.area.clone(),
                role: RotaRole::Primary,
                window: duty.window,
                giver: duty.holder.person.clone(),
                taker: self.third(duty, deputy)?,
            };
            let id = SwapId::new(taken_at, app.chance.as_ref());
            Some(Swap { id, legs: vec![leg], taken_at, recorded_at: taken_at, undone_at: None })
        });
        given.into_iter().collect()
    }
}

/// A collection for the quarter after, which some have answered.
async fn wishes(
    app: &App,
    who: &Who,
    (first, last): (CivilDate, CivilDate),
    members: &BTreeMap<String, MemberId>,
) -> Result<(), Stop> {
    let deadline = app.now().plus_s(10 * DAY_S);
    let round = app.wish_round_open(who, (first, last), deadline, None).await.map_err(unfit)?;
    let takes_part = app.rota_world(&who.association).await.map_err(unfit)?.people();
    let answers = members.values().filter(|id| takes_part.iter().any(|p| p.id == **id)).step_by(2);
    for (n, member) in (0i64..).zip(answers) {
        let stretch = |from: i64, days: i64, wished: Wished| WishedDays {
            first: first.plus_days(from),
            last: first.plus_days(from + days),
            wished,
        };
        let sheet = WishSheet {
            days: vec![
                stretch(n * 3 % 60, 2, Wished::Unavailable),
                stretch((n * 7 + 20) % 80, 0, Wished::Off { weight: 3 }),
                stretch((n * 5 + 11) % 80, 0, Wished::On { weight: 2 }),
            ],
            max_per_month: (n % 4 == 0).then_some(3),
            no_deep_night: n % 9 == 8,
            ..WishSheet::default()
        };
        let source = if n % 3 == 0 { WishSource::Fax } else { WishSource::Person };
        match app.wish_sheet_write(who, &round, (member, sheet), source, None).await.map_err(unfit)? {
            SheetWritten::Done { .. } => {}
            SheetWritten::Closed | SheetWritten::NotFound | SheetWritten::Wrong(_) => {
                return Err(Stop::Found);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarter_begins_with_the_month_and_crosses_the_year() {
        let day: CivilDate = "2026-11-20".parse().unwrap();
        assert_eq!(month(day, 0).to_string(), "2026-11-01");
        assert_eq!(month(day, 3).to_string(), "2027-02-01");
        assert_eq!(month(day, 6).to_string(), "2027-05-01");
    }
}
