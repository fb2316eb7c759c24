//! What follows for the rota from requests about duties, and for the requests from the rota: handing over, taking
//! back, telling everybody whom it concerns, making void what is not so any more.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;

use super::super::access::note;
use super::super::cover::not_on_duty_any_more;
use super::super::flow::{Act, apply};
use super::super::rota::changes::{SwapRefused, swap_take, swap_take_back};
use super::super::{Kit, Who};
use super::{OPEN_MAX, duty_view, facts_of};
use crate::domain::dispatch::{Event, Request, State};
use crate::domain::rota::{Form, HandOver, Holder, Leg, Override, Stretch, Swap};
use crate::ids::{AssociationId, MemberId, OverrideId, RequestId, SwapId};
use crate::store::dispatch::request_load;
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::requests::case_by_id;
use crate::store::rota::records::{override_add, override_by_id, override_withdraw, swap_by_id};
use crate::store::swaps::{swap_override_add, swap_overrides, swap_requests_open, swaps_of_request};
use crate::store::{Conn, StoreError};

pub(super) fn taken_now(kit: &Kit, legs: &[Leg]) -> Swap {
    Swap {
        id: SwapId::new(kit.now, kit.vault.chance.as_ref()),
        legs: legs.to_vec(),
        taken_at: kit.now,
        recorded_at: kit.now,
        undone_at: None,
    }
}

/// What was looked at within this transaction does not hold: nothing of it is written.
pub(super) fn refused(why: SwapRefused) -> StoreError {
    StoreError::Unusable(format!("what was agreed to cannot be recorded: {why:?}"))
}

pub(super) async fn put_over(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    stretch: &Stretch,
    holder: Option<&Holder>,
) -> Result<OverrideId, StoreError> {
    // Who fills a hole stands above what emptied it, also where both were written in the same millisecond: then
    // the greater id counts.
    let later = kit.now.plus_ms(i64::from(holder.is_some()));
    let change = Override {
        id: OverrideId::new(later, kit.vault.chance.as_ref()),
        area: stretch.area.clone(),
        role: stretch.role,
        window: stretch.window,
        holder: holder.cloned(),
        recorded_at: kit.now,
        withdrawn_at: None,
    };
    override_add(tx, &who.association, &change, (kit.now, &who.actor), "").await?;
    Ok(change.id)
}

/// Has somebody told about a duty. `what`: `changed`, `moved_up` or `undone`; `number` tells one telling of a
/// request from the next.
pub(super) async fn tell_of_duty(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &RequestId,
    what: &str,
    member: &MemberId,
    number: i64,
) -> Result<(), StoreError> {
    let job = NewJob {
        lane: if what == "moved_up" { Lane::Urgent } else { Lane::Mail },
        kind: "duty",
        key: format!("duty:{what}:{request}:{number}:{member}"),
        body: json!({ "request": request.as_str(), "member": member.as_str(), "what": what }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
}

/// Everybody agreed: the rota changes in this transaction, and everybody whom it concerns is told. What was being
/// asked about the same duty is void with it.
pub(crate) async fn hand_over(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    revision: i64,
    request: &Request,
    queue: &mut VecDeque<(RequestId, Event)>,
) -> Result<(), StoreError> {
    let association = &who.association;
    let view = duty_view(tx, kit, association, Some(request)).await?;
    let view = view.ok_or_else(|| StoreError::Unusable("the rota is gone".to_owned()))?;
    let change = view.hand_over(request);
    let change = change.map_err(|rule| StoreError::Unusable(format!("agreed to against {}", rule.code())))?;
    let detail = match &change {
        HandOver::Swap(legs) => {
            let swap = taken_now(kit, legs);
            swap_take(tx, kit, who, &swap, Some(&request.id)).await?.map_err(refused)?;
            json!({ "swap": swap.id.as_str(), "legs": legs })
        }
        HandOver::Fill(stretch, holder) => {
            let id = put_over(tx, kit, who, stretch, Some(holder)).await?;
            swap_override_add(tx, association, &request.id, &id).await?;
            json!({ "override": id.as_str(), "duty": stretch, "holder": holder })
        }
    };
    note(tx, kit, who, "duty.hand_over", &format!("request:{}", request.id), detail).await?;
    for person in view.affected(&change) {
        tell_of_duty(tx, kit, association, &request.id, "changed", &person, revision).await?;
    }
    for other in not_so_any_more(tx, kit, association).await? {
        if other != request.id {
            queue.push_back((other, Event::Void));
        }
    }
    queue.extend(cover_released(tx, kit, association).await?);
    Ok(())
}

/// Acknowledgements of night cover that do not stand any more, because somebody else is on duty now.
pub(super) async fn cover_released(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
) -> Result<Vec<(RequestId, Event)>, StoreError> {
    let gone = not_on_duty_any_more(tx, kit, association).await?;
    Ok(gone.into_iter().map(|(id, person)| (id, Event::Release { person })).collect())
}

/// Takes back what a request changed, as far as it has not begun. `whole`: with what was changed when it was
/// made (somebody was ill and can come after all), not only what its taker took.
pub(crate) async fn hand_back(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    revision: i64,
    request: &Request,
    whole: bool,
    queue: &mut VecDeque<(RequestId, Event)>,
) -> Result<(), StoreError> {
    let association = &who.association;
    let Some(case) = case_by_id(tx, association, &request.id).await? else { return Ok(()) };
    let facts = facts_of(&case)?;
    let view = duty_view(tx, kit, association, Some(request)).await?;
    let mut undone = Vec::new();
    let mut changes = Vec::new();
    if whole || facts.form != Form::Ill {
        for id in swaps_of_request(tx, association, &request.id).await? {
            let Some(row) = swap_by_id(tx, association, &id).await? else { continue };
            if matches!(swap_take_back(tx, kit, who, &id).await?, Some(Ok(()))) {
                undone.push(id.to_string());
                changes.push(HandOver::Swap(row.swap.legs));
            }
        }
    }
    for id in swap_overrides(tx, association, &request.id).await? {
        let Some(row) = override_by_id(tx, association, &id).await? else { continue };
        let filled = row.change.holder.is_some()
            && (&row.change.area, row.change.role) == (&facts.gives.area, facts.gives.role);
        let begun = row.change.window.from <= kit.now;
        if begun || !(whole || filled) {
            continue;
        }
        if override_withdraw(tx, association, &id, kit.now, &who.actor).await? {
            undone.push(id.to_string());
            if let Some(holder) = row.change.holder {
                let stretch = Stretch { window: row.change.window, ..facts.gives.clone() };
                changes.push(HandOver::Fill(Stretch { role: row.change.role, ..stretch }, holder));
            }
        }
    }
    if undone.is_empty() {
        return Ok(());
    }
    let detail = json!({ "undone": undone });
    note(tx, kit, who, "duty.hand_back", &format!("request:{}", request.id), detail).await?;
    // Whose yes it was hears of it from the request itself.
    let told: BTreeSet<&MemberId> =
        request.acceptances.iter().map(|a| &a.person).chain([&request.asker]).collect();
    let affected: BTreeSet<MemberId> =
        view.iter().flat_map(|view| changes.iter().flat_map(|change| view.affected(change))).collect();
    for person in affected.iter().filter(|p| !told.contains(p)) {
        tell_of_duty(tx, kit, association, &request.id, "undone", person, revision).await?;
    }
    for other in not_so_any_more(tx, kit, association).await? {
        if other != request.id {
            queue.push_back((other, Event::Void));
        }
    }
    queue.extend(cover_released(tx, kit, association).await?);
    if whole && facts.form == Form::Ill {
        // The other places that were open because of it.
        for other in swap_requests_open(tx, association, OPEN_MAX).await? {
            let theirs = facts_of(&other)?;
            let with =
                theirs.form == Form::Ill && theirs.giver == facts.giver && other.created == case.created;
            if with && other.id != request.id {
                queue.push_back((other.id, Event::Withdraw));
            }
        }
    }
    Ok(())
}

/// Requests about duties that are not as they were: the giver does not hold it any more, the hole is filled, the
/// taken swap is void.
pub(super) async fn not_so_any_more(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
) -> Result<Vec<RequestId>, StoreError> {
    let Some(view) = duty_view(tx, kit, association, None).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for case in swap_requests_open(tx, association, OPEN_MAX).await? {
        let facts = facts_of(&case)?;
        let Some(loaded) = request_load(tx, association, &case.id).await? else { continue };
        let void = match loaded.request.state {
            State::Running { .. } | State::Exhausted { .. } => !view.is_as_asked(&facts),
            State::Taken { .. } => {
                let ours = swaps_of_request(tx, association, &case.id).await?;
                view.timeline.void_swaps().iter().any(|void| ours.contains(&void.swap))
            }
            State::Reported { .. }
            | State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => false,
        };
        if void {
            found.push(case.id);
        }
    }
    Ok(found)
}

/// After the rota was written in this transaction by somebody else than a request: what was asked or agreed to
/// and is not so any more is void, and everybody who had a part in it is told.
pub(crate) async fn void_swept(tx: &mut Conn, kit: &Kit, who: &Who) -> Result<(), StoreError> {
    for id in not_so_any_more(tx, kit, &who.association).await? {
        let act = Act { action: "swap.void", detail: json!({}) };
        Box::pin(apply(tx, kit, who, &id, Event::Void, &act)).await?;
    }
    release_covers(tx, kit, who).await
}

/// As [`cover_released`], done.
pub(super) async fn release_covers(tx: &mut Conn, kit: &Kit, who: &Who) -> Result<(), StoreError> {
    for (id, event) in cover_released(tx, kit, &who.association).await? {
        let act = Act { action: "cover.duty_changed", detail: json!({}) };
        Box::pin(apply(tx, kit, who, &id, event, &act)).await?;
    }
    Ok(())
}
