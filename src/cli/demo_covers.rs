//! Night cover in the demo: a weekend of the doctor in whose place a newcomer begins, covered slot by slot, and some
//! days with a slot that nobody took yet. Put there through the use cases; what was mailed about it before the
//! newcomer came is not in the box any more.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;

use super::stop::Stop;
use crate::app::call::settings::Pillar;
use crate::app::consult::Asking;
use crate::app::outbox::{Sent, Task};
use crate::app::{App, Who};
use crate::domain::calendar::{CivilDate, civil_day, instant_of};
use crate::domain::cover::households::{Contract, Told};
use crate::domain::cover::{Manner, NewCover};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId, RequestId};
use crate::store::jobs::Lane;
use crate::time::Millis;

/// The weekend begins on the first Friday so many days ahead.
const WEEKEND_DAYS: i64 = 10;
/// The other cover lasts from so many days ahead until so many: around a gap of the rota.
const AROUND_GAP_DAYS: (i64, i64) = (19, 22);
/// Who has the work in hand that was done before the demo began.
const BEFORE: &str = "before";

fn unfit(error: crate::app::AppError) -> Stop {
    Stop::app(Lang::En, error)
}

fn at(day: CivilDate, hour: u32, zone: Tz) -> Millis {
    instant_of(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default(), zone)
}

/// Asks for both and has them answered by those who were asked first.
pub(super) async fn seed(app: &App, who: &Who, zone: Tz, asker: &MemberId) -> Result<(), Stop> {
    let today = civil_day(app.now(), zone);
    let ahead = |days: i64| today.plus_days(days);
    let friday = (0..7).map(|n| ahead(WEEKEND_DAYS + n)).find(|day| day.weekday() == Weekday::Fri);
    let friday = friday.ok_or(Stop::Found)?;
    let weekend = NewCover {
        window: (at(friday, 17, zone), at(friday.plus_days(2), 21, zone)),
        patients: None,
        manner: Manner::Visit,
        note: "学会で留守にします。鍵と物品は夜間カードのとおりです".to_owned(),
    };
    let covered = ask(app, who, asker, weekend).await?;
    answer(app, who, &covered, true).await?;
    let days = NewCover {
        window: (at(ahead(AROUND_GAP_DAYS.0), 17, zone), at(ahead(AROUND_GAP_DAYS.1), 8, zone)),
        patients: Some(vec!["A.K.".to_owned()]),
        manner: Manner::PhoneOnly,
        note: String::new(),
    };
    let open = ask(app, who, asker, days).await?;
    answer(app, who, &open, false).await
}

/// A clinic that stands by since last month; of the asker's two households one was told of it.
pub(super) async fn seed_pillar(
    app: &App,
    who: &Who,
    zone: Tz,
    (clinic, standby): (&InstitutionId, &InstitutionId),
) -> Result<(), Stop> {
    let today = civil_day(app.now(), zone);
    let pillar = Pillar {
        on: true,
        from_min: 18 * 60,
        to_min: 8 * 60,
        contract: Contract { from: Some(today.plus_days(-30)), until: None },
        ..Pillar::default()
    };
    let (revision, _) = app.call_settings(&who.association).await.map_err(unfit)?;
    app.pillar_put(who, revision, standby, Some(pillar)).await.map_err(unfit)?;
    let list = app.household_list(&who.association, clinic).await.map_err(unfit)?;
    if let Some(first) = list.households.first() {
        let told = Told::On { day: today.plus_days(-10) };
        app.household_told(who, clinic, &first.id, standby.as_str(), told).await.map_err(unfit)?;
    }
    app.household_whole(who, clinic, true).await.map_err(unfit)
}

async fn ask(app: &App, who: &Who, asker: &MemberId, new: NewCover) -> Result<RequestId, Stop> {
    let asking = Asking { asker: asker.clone(), in_person: true, channel: "web" };
    let made = app.cover_ask(who, asking, new, None).await.map_err(unfit)?;
    let id = made.into_inner().request;
    mailed(app).await?;
    Ok(id)
}

/// Has the slots answered by whoever was asked first; `all`: also those of which the rota knows nobody.
async fn answer(app: &App, who: &Who, cover: &RequestId, all: bool) -> Result<(), Stop> {
    let case = app.cover_case(&who.association, cover).await.map_err(unfit)?;
    for slot in case.line.slots.iter().filter(|slot| all || slot.slot.by_rota) {
        let asked = slot.offers.iter().filter(|offer| offer.offer.state.is_live());
        let Some(first) = asked.min_by_key(|offer| (offer.offer.asked_at, offer.id.clone())) else {
            continue;
        };
        let chosen = vec![(slot.slot.request.clone(), true)];
        app.cover_answer_for(who, cover, &first.person, chosen, "phone", None).await.map_err(unfit)?;
    }
    mailed(app).await
}

/// What is due about night cover went out before the demo began; other work stays as it is.
async fn mailed(app: &App) -> Result<(), Stop> {
    while let Some(job) = app.work_take((Lane::Urgent, Lane::Reports), BEFORE).await.map_err(unfit)? {
        if !job.kind.starts_with("cover") {
            continue;
        }
        if let Task::Mail(_) = app.work_prepare(&job, BEFORE).await.map_err(unfit)? {
            app.work_finish(&job, BEFORE, Sent::Delivered, None).await.map_err(unfit)?;
        }
    }
    // Whatever else was taken is due again.
    app.work_of_earlier_lives("the demo").await.map_err(unfit).map(drop)
}
