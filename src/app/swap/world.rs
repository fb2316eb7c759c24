//! The rota as a request sees it, read within a command: who is on, the rules, the people and what they wish.

use serde::Deserialize;

use super::super::Kit;
use super::super::rota::world::rota_world;
use super::lists::facts_of;
use crate::domain::cover::POOL_COVER;
use crate::domain::dispatch::plan::Kind;
use crate::domain::dispatch::{Request, Selector};
use crate::domain::people::POOL_DUTY;
use crate::domain::rota::{Area, DutyView, Timeline};
use crate::ids::AssociationId;
use crate::store::requests::case_by_id;
use crate::store::rota::records::records_since;
use crate::store::rota::wishes::{wish_rounds, wish_sheets};
use crate::store::{Conn, StoreError};

/// Rest and caps look back this far.
const BACK_S: i64 = 45 * 86_400;
/// Collections of wishes that are looked through for what people cannot do.
const ROUNDS_MAX: i64 = 6;

/// The rota as it stands, for one request or for none. `None`: there is no such association.
pub(crate) async fn duty_view(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: Option<&Request>,
) -> Result<Option<DutyView>, StoreError> {
    let case = match request {
        Some(request) => case_by_id(conn, association, &request.id).await?,
        None => None,
    };
    // A request says in its facts which area it is about.
    #[derive(Deserialize)]
    struct OfArea {
        area: Option<String>,
    }
    let named =
        case.as_ref().map(|case| serde_json::from_str::<OfArea>(&case.facts).ok().and_then(|of| of.area));
    let view = view_in(conn, kit, association, named.as_ref().map(Option::as_deref)).await?;
    let Some(mut view) = view else { return Ok(None) };
    if let Some(case) = case.filter(|case| case.kind == Kind::Swap.code()) {
        view.swap = Some(facts_of(&case)?);
    }
    Ok(Some(view))
}

/// The rota as it stands, as whoever asks in this area sees it.
pub(crate) async fn duty_view_in(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    area: &str,
) -> Result<Option<DutyView>, StoreError> {
    view_in(conn, kit, association, Some(Some(area))).await
}

/// `area`: the one that a request names, if it names one; `None` without a request.
async fn view_in(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    area: Option<Option<&str>>,
) -> Result<Option<DutyView>, StoreError> {
    let Some(world) = rota_world(conn, kit, association).await? else { return Ok(None) };
    let records = records_since(conn, association, kit.now.plus_s(-BACK_S)).await?;
    let today = world.today();
    let mut wishes = Vec::new();
    for round in wish_rounds(conn, association, ROUNDS_MAX).await? {
        if round.last < today.plus_days(-1) {
            continue;
        }
        for row in wish_sheets(conn, association, &round.id).await? {
            wishes.extend(row.sheet.wishes(&row.member));
        }
    }
    let mut view = DutyView {
        now: kit.now,
        zone: world.zone(),
        timeline: Timeline::new(&records, None),
        rules: world.settings.rules.clone(),
        people: world.people(),
        wishes,
        groups: world.groups.clone(),
        book: Some(world.book().clone()),
        calendar: world.calendar.clone(),
        coordinator_agrees: world.settings.swaps.coordinator_agrees,
        phone_within_h: world.settings.swaps.phone_within_h,
        area: None,
        swap: None,
    };
    if let Some(named) = area {
        let named = named.and_then(|area| area.parse::<Area>().ok());
        let known = named.filter(|area| {
            world.settings.area(area).is_some() || view.timeline.lines().any(|(known, _)| known == area)
        });
        // Where there is one area only, it is that.
        let only = match world.settings.areas.as_slice() {
            [one] => Some(one.key.clone()),
            _ => None,
        };
        view.area = known.or(only);
    }
    Ok(Some(view))
}

/// As [`duty_view`], for the requests whose plan names somebody of the rota; `None` for all others, which need
/// not wait for it to be read.
pub(crate) async fn duty_view_for(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<Option<DutyView>, StoreError> {
    let of_the_rota = |selector: &Selector| match selector {
        Selector::DutyPrimary | Selector::DutyDeputy | Selector::Party(_) => true,
        Selector::Pool(name) => name == POOL_DUTY || name == POOL_COVER,
        Selector::CoverOrAttending
        | Selector::Attending
        | Selector::DeputyAttending
        | Selector::Specialists
        | Selector::Pillar(_)
        | Selector::Person(_)
        | Selector::Asker
        | Selector::Coordinator
        | Selector::Officer => false,
    };
    let mut steps = request.plan.steps.iter();
    if request.kind == Kind::Swap || steps.any(|step| of_the_rota(&step.ask)) {
        duty_view(conn, kit, association, Some(request)).await
    } else {
        Ok(None)
    }
}
