//! What pages and programs read about night cover.

use serde::Deserialize;

use super::super::views::Names;
use super::super::{App, AppError};
use super::answer::OpenCover;
use super::{Words, asked_now, facts_of};
use crate::app::answers::Ended;
use crate::domain::cover::CoverFacts;
use crate::domain::dispatch::{OfferState, Request, State};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::access::Link;
use crate::store::audit::{Event, audit_of};
use crate::store::cover::{
    CoverCall, SlotRow, cover_calls, cover_slots_of, covers_after, covers_ended, covers_of, covers_open,
};
use crate::store::dispatch::{AttemptRow, OfferRow, attempts_of, offers_of_request, request_load};
use crate::store::people::{Association, Member};
use crate::store::requests::{Case, case_by_id, reports_of};
use crate::store::secrets::{Kept, Sealed};
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// Covers on one list.
const LIST: i64 = 100;
/// Ended ones on the office's list.
const ENDED: i64 = 30;
/// Rows of the history of a cover, and of each slot.
const HISTORY: i64 = 200;

/// What was told of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotTold {
    pub member: MemberId,
    pub at: Millis,
    pub outcome: String,
    pub minutes: i64,
    pub calls: u32,
    pub visits: u32,
    /// `None`: past its time.
    pub text: Option<String>,
}

/// A slot of a cover.
#[derive(Clone, Debug)]
pub struct SlotLine {
    pub slot: SlotRow,
    pub case_no: String,
    pub request: Request,
    pub offers: Vec<OfferRow>,
}

impl SlotLine {
    /// Whoever covers it now.
    #[must_use]
    pub fn taker(&self) -> Option<&MemberId> {
        self.request.claims().next().map(|c| &c.person)
    }
}

/// A cover with its slots.
#[derive(Clone, Debug)]
pub struct CoverLine {
    pub case: Case,
    pub facts: CoverFacts,
    pub request: Request,
    pub slots: Vec<SlotLine>,
}

impl CoverLine {
    /// Asked for it, or was asked about a slot of it.
    #[must_use]
    pub fn concerns(&self, member: &MemberId) -> bool {
        self.case.asker == *member || self.slots.iter().any(|s| s.request.offers.contains_key(member))
    }

    /// Slots that somebody took, and all that are not taken back.
    #[must_use]
    pub fn filled(&self) -> (usize, usize) {
        let open = self.slots.iter().filter(|s| !matches!(s.request.state, State::Withdrawn { .. }));
        let all = open.clone().count();
        (open.filter(|s| s.taker().is_some()).count(), all)
    }
}

/// A cover with everything its people and the office may see.
#[derive(Clone, Debug)]
pub struct CoverCase {
    pub line: CoverLine,
    /// For whoever covers; `None` where its time is over.
    pub note: Option<String>,
    /// The patients that were named; `None`: all of them.
    pub patients: Option<Vec<String>>,
    pub names: Names,
    pub told: Vec<(RequestId, SlotTold)>,
    pub attempts: Vec<(RequestId, Vec<AttemptRow>)>,
    pub history: Vec<Event>,
    /// The clinic's calls that came in while it was covered.
    pub calls: Vec<CoverCall>,
}

/// The office's list.
#[derive(Clone, Debug)]
pub struct CoverBoard {
    pub open: Vec<CoverLine>,
    pub ended: Vec<CoverLine>,
    pub names: Names,
}

async fn line(
    conn: &mut Conn,
    association: &AssociationId,
    case: Case,
) -> Result<Option<CoverLine>, StoreError> {
    let Some(loaded) = request_load(conn, association, &case.id).await? else { return Ok(None) };
    let mut slots = Vec::new();
    for slot in cover_slots_of(conn, association, &case.id).await? {
        let below = request_load(conn, association, &slot.request).await?;
        let head = case_by_id(conn, association, &slot.request).await?;
        let (Some(below), Some(head)) = (below, head) else { continue };
        let offers = offers_of_request(conn, association, &slot.request).await?;
        slots.push(SlotLine { slot, case_no: head.case_no, request: below.request, offers });
    }
    Ok(Some(CoverLine { facts: facts_of(&case)?, case, request: loaded.request, slots }))
}

async fn lines(
    conn: &mut Conn,
    association: &AssociationId,
    cases: Vec<Case>,
) -> Result<Vec<CoverLine>, StoreError> {
    let mut found = Vec::with_capacity(cases.len());
    for case in cases {
        found.extend(line(conn, association, case).await?);
    }
    Ok(found)
}

async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    lines: &[CoverLine],
    names: &mut Names,
) -> Result<(), StoreError> {
    for line in lines {
        names.add_member(conn, association, &line.case.asker).await?;
        for offer in line.slots.iter().flat_map(|s| &s.offers) {
            names.add_member(conn, association, &offer.person).await?;
        }
    }
    Ok(())
}

#[derive(Default, Deserialize)]
pub(super) struct Detail {
    note: String,
    pub(super) patients: Option<Vec<String>>,
}

async fn whole(
    app: &App,
    conn: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<CoverCase>, StoreError> {
    let case = case_by_id(conn, association, id).await?.filter(|c| c.kind == "cover");
    let Some(case) = case else { return Ok(None) };
    let Some(line) = line(conn, association, case).await? else { return Ok(None) };
    if line.request.parent.is_some() {
        return Ok(None);
    }
    let at = Sealed { table: "request", column: "detail", row: line.case.id.as_str() };
    let detail = match app.vault.open_kept(conn, association, at, &line.case.detail).await? {
        Kept::Text(text) => Some(serde_json::from_str::<Detail>(&text).unwrap_or_default()),
        Kept::Destroyed { .. } => None,
    };
    let mut names = Names::default();
    names_of(conn, association, std::slice::from_ref(&line), &mut names).await?;
    let mut history = audit_of(conn, association, &format!("request:{id}"), HISTORY).await?;
    let (mut told, mut attempts) = (Vec::new(), Vec::new());
    for slot in &line.slots {
        let id = &slot.slot.request;
        history.extend(audit_of(conn, association, &format!("request:{id}"), HISTORY).await?);
        attempts.push((id.clone(), attempts_of(conn, association, id).await?));
        for report in reports_of(conn, association, id).await? {
            let at = Sealed { table: "report", column: "text", row: id.as_str() };
            let words = match app.vault.open_kept(conn, association, at, &report.text).await? {
                Kept::Text(text) => Some(
                    serde_json::from_str::<Words>(&text).map_err(|e| StoreError::corrupt("report", id, e))?,
                ),
                Kept::Destroyed { .. } => None,
            };
            let count = words.clone().unwrap_or_default();
            let one = SlotTold {
                member: report.member,
                at: report.at,
                outcome: report.outcome,
                minutes: report.minutes,
                calls: count.calls,
                visits: count.visits,
                text: words.map(|w| w.text),
            };
            told.push((id.clone(), one));
        }
    }
    history.sort_by_key(|event| event.seq);
    let calls = cover_calls(conn, association, &line.facts.institution, line.request.window).await?;
    for call in &calls {
        if let Some(taker) = &call.taker {
            names.add_member(conn, association, taker).await?;
        }
    }
    let (note, patients) = match detail {
        Some(detail) => (Some(detail.note), detail.patients),
        None => (None, None),
    };
    Ok(Some(CoverCase { line, note, patients, names, told, attempts, history, calls }))
}

/// What stands behind a link, where it is about a cover, or why there is nothing more to answer.
pub(crate) async fn open_cover(
    app: &App,
    conn: &mut Conn,
    link: &Link,
    association: &Association,
    member: &Member,
) -> Result<Result<OpenCover, Ended>, StoreError> {
    let Some(id) = &link.request else { return Ok(Err(Ended::Expired)) };
    let Some(case) = whole(app, conn, &link.association, id).await? else { return Ok(Err(Ended::Expired)) };
    let slots = asked_now(conn, &link.association, id, &member.id).await?;
    let slots: Vec<RequestId> = slots.into_iter().map(|(slot, _)| slot.request).collect();
    if slots.is_empty() {
        return Ok(Err(why_over(&case.line, &member.id)));
    }
    Ok(Ok(OpenCover { association: association.clone(), member: member.clone(), case, slots }))
}

/// The courteous end, from what became of the slots somebody was asked about.
fn why_over(line: &CoverLine, member: &MemberId) -> Ended {
    let states: Vec<OfferState> =
        line.slots.iter().filter_map(|s| s.request.offers.get(member)).map(|o| o.state).collect();
    let taken = line.slots.iter().flat_map(|s| s.request.claims()).find(|c| c.person == *member);
    if let Some(claim) = taken {
        return Ended::AcceptedByYou { at: claim.at, request: line.case.id.clone(), place: "covers" };
    }
    let any = |state| states.contains(&state);
    if any(OfferState::Full) {
        Ended::TakenByAnother
    } else if any(OfferState::Withdrawn) {
        Ended::Withdrawn
    } else if any(OfferState::Released) {
        Ended::ReleasedByYou
    } else if any(OfferState::Declined) {
        Ended::DeclinedByYou
    } else {
        Ended::Expired
    }
}

impl App {
    /// The covers a member asked for or was asked about, the newest first, with the names of their people.
    ///
    /// # Errors
    /// The store's.
    pub async fn covers_of(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<(Vec<CoverLine>, Names), AppError> {
        let mut conn = self.db.read().await?;
        let cases = covers_of(&mut conn, association, member, LIST).await?;
        let found = lines(&mut conn, association, cases).await?;
        let mut names = Names::default();
        names_of(&mut conn, association, &found, &mut names).await?;
        Ok((found, names))
    }

    /// The office's list.
    ///
    /// # Errors
    /// The store's.
    pub async fn cover_board(&self, association: &AssociationId) -> Result<CoverBoard, AppError> {
        let mut conn = self.db.read().await?;
        let open = covers_open(&mut conn, association, LIST).await?;
        let open = lines(&mut conn, association, open).await?;
        let ended = covers_ended(&mut conn, association, ENDED).await?;
        let ended = lines(&mut conn, association, ended).await?;
        let mut names = Names::default();
        for part in [&open, &ended] {
            names_of(&mut conn, association, part, &mut names).await?;
        }
        Ok(CoverBoard { open, ended, names })
    }

    /// One cover, for whoever may see it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn cover_case(
        &self,
        association: &AssociationId,
        id: &RequestId,
    ) -> Result<CoverCase, AppError> {
        let mut conn = self.db.read().await?;
        whole(self, &mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// In the order of ids, after `after`; only those in `state` where one is given.
    ///
    /// # Errors
    /// The store's.
    pub async fn covers_after(
        &self,
        association: &AssociationId,
        state: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<CoverLine>, AppError> {
        let mut conn = self.db.read().await?;
        let cases = covers_after(&mut conn, association, state, after, limit).await?;
        Ok(lines(&mut conn, association, cases).await?)
    }
}
