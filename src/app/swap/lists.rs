//! What pages and programs read about changes of a published rota.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::rota::{HeldDuty, duties_of};
use super::super::views::Names;
use super::super::{App, AppError};
use crate::domain::dispatch::{Request, Selector};
use crate::domain::rota::{Area, Form, Hole, SwapFacts};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::access::Link;
use crate::store::audit::{Event, audit_of};
use crate::store::dispatch::{AttemptRow, OfferRow, attempts_of, offer_of, offers_of_request, request_load};
use crate::store::people::{Association, Member};
use crate::store::requests::{Case, case_by_id};
use crate::store::secrets::{Kept, Sealed};
use crate::store::swaps::{
    swap_confirmed, swap_requests_after, swap_requests_ended, swap_requests_of, swap_requests_open,
};
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// Days ahead whose duties a person sees.
const AHEAD_DAYS: i64 = 366;
/// Days ahead whose duties can come back in an exchange.
const EXCHANGE_DAYS: i64 = 100;
/// Days ahead in which the office sees holes.
const HOLES_DAYS: i64 = 62;
/// Requests on one list.
const LIST: i64 = 200;
/// Ended ones on the office's list.
const ENDED: i64 = 30;
/// Rows of a request's history.
const HISTORY: i64 = 300;

/// What a request is about.
pub(crate) fn facts_of(case: &Case) -> Result<SwapFacts, StoreError> {
    serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))
}

/// A request about a duty.
#[derive(Clone, Debug)]
pub struct SwapLine {
    pub case: Case,
    pub facts: SwapFacts,
    pub request: Request,
    pub offers: Vec<OfferRow>,
}

impl SwapLine {
    /// Asked for, asked about or named in it.
    #[must_use]
    pub fn concerns(&self, member: &MemberId) -> bool {
        self.case.asker == *member
            || self.facts.parties().contains(&member)
            || self.request.offers.contains_key(member)
    }

    /// Whose yes stands.
    #[must_use]
    pub fn has_agreed(&self, member: &MemberId) -> bool {
        self.request.acceptances.iter().any(|a| a.person == *member && a.released.is_none())
    }
}

/// A request with everything its people and the office may see.
#[derive(Clone, Debug)]
pub struct SwapCase {
    pub line: SwapLine,
    /// The asker's word; empty where there is none, `None` where its time is over.
    pub note: Option<String>,
    pub names: Names,
    pub areas: BTreeMap<Area, String>,
    pub attempts: Vec<AttemptRow>,
    pub history: Vec<Event>,
    /// When and by whom it was confirmed by telephone.
    pub confirmed: Option<(Millis, String)>,
}

impl SwapCase {
    /// A new rota made it void.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.history.iter().any(|event| event.action == "swap.void")
    }
}

/// A duty of a person, and what is being asked about it.
#[derive(Clone, Debug)]
pub struct Duty {
    pub held: HeldDuty,
    /// The open request of the person about it.
    pub open: Option<(RequestId, Form)>,
}

/// A person's own duties (自分の当番).
#[derive(Clone, Debug)]
pub struct MyDuties {
    /// What is to come, and what is on now.
    pub duties: Vec<Duty>,
    /// What they asked and were asked, the newest first.
    pub requests: Vec<SwapLine>,
    pub names: Names,
    pub areas: BTreeMap<Area, String>,
}

/// A hole, and the request that calls for it.
#[derive(Clone, Debug)]
pub struct OpenHole {
    pub hole: Hole,
    pub called: Option<RequestId>,
}

/// The office's list of changes.
#[derive(Clone, Debug)]
pub struct SwapBoard {
    /// Being asked about.
    pub open: Vec<SwapLine>,
    /// Agreed to, to begin still: can be undone.
    pub agreed: Vec<SwapLine>,
    pub ended: Vec<SwapLine>,
    pub holes: Vec<OpenHole>,
    pub names: Names,
    pub areas: BTreeMap<Area, String>,
    /// Late ones that were confirmed by telephone.
    pub confirmed: Vec<RequestId>,
}

/// What can be chosen when something is asked about a duty.
#[derive(Clone, Debug)]
pub struct Choosable {
    pub duty: HeldDuty,
    /// Whom it could be given to: name and institution.
    pub people: Vec<(MemberId, String, String)>,
    /// What could come back for it, and whose it is.
    pub theirs: Vec<(HeldDuty, MemberId, String)>,
    /// A change within so many hours of the beginning is confirmed by telephone, too.
    pub phone_within_h: u32,
    pub areas: BTreeMap<Area, String>,
}

/// A request about a duty behind a mailed link, as it can be answered.
#[derive(Debug)]
pub struct OpenSwap {
    pub association: Association,
    pub member: Member,
    pub line: SwapLine,
    pub offer: OfferRow,
    pub note: String,
    pub names: Names,
    pub areas: BTreeMap<Area, String>,
    pub asked_as: AskedAs,
}

/// As what somebody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedAs {
    /// Whose duty it is: the office typed the wish in.
    Giver,
    /// To whom it is to go, or with whom it is exchanged.
    Other,
    /// One of those who may.
    Volunteer,
    /// Whose word it needs.
    Approver,
}

impl AskedAs {
    /// What an offer of a step asks for.
    #[must_use]
    pub fn of(request: &Request, step: usize) -> Self {
        match request.step(step).map(|s| &s.ask) {
            Some(Selector::Party(0)) => Self::Giver,
            Some(Selector::Party(_)) => Self::Other,
            Some(Selector::Coordinator | Selector::Officer) => Self::Approver,
            _ => Self::Volunteer,
        }
    }

    /// The stable word in texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Giver => "giver",
            Self::Other => "other",
            Self::Volunteer => "volunteer",
            Self::Approver => "approver",
        }
    }
}

async fn line(
    conn: &mut Conn,
    association: &AssociationId,
    case: Case,
) -> Result<Option<SwapLine>, StoreError> {
    let Some(loaded) = request_load(conn, association, &case.id).await? else { return Ok(None) };
    let offers = offers_of_request(conn, association, &case.id).await?;
    Ok(Some(SwapLine { facts: facts_of(&case)?, case, request: loaded.request, offers }))
}

async fn lines(
    conn: &mut Conn,
    association: &AssociationId,
    cases: Vec<Case>,
) -> Result<Vec<SwapLine>, StoreError> {
    let mut found = Vec::with_capacity(cases.len());
    for case in cases {
        found.extend(line(conn, association, case).await?);
    }
    Ok(found)
}

async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    lines: &[SwapLine],
    names: &mut Names,
) -> Result<(), StoreError> {
    for line in lines {
        names.add_member(conn, association, &line.case.asker).await?;
        for person in line.facts.parties() {
            names.add_member(conn, association, person).await?;
        }
        for offer in &line.offers {
            names.add_member(conn, association, &offer.person).await?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Detail {
    note: String,
}

/// What stands behind a link, where it is about a duty; the link may be answered. `None`: a part of it is gone.
pub(crate) async fn open_swap(
    app: &App,
    conn: &mut Conn,
    link: &Link,
    association: Association,
    member: Member,
    case: Case,
) -> Result<Option<OpenSwap>, StoreError> {
    let at = Sealed { table: "request", column: "detail", row: case.id.as_str() };
    let detail = match app.vault.open_kept(conn, &link.association, at, &case.detail).await? {
        Kept::Text(text) => serde_json::from_str::<Detail>(&text).map(|d| d.note).unwrap_or_default(),
        Kept::Destroyed { .. } => String::new(),
    };
    let offer = offer_of(conn, &link.association, &case.id, &link.member).await?;
    let found = line(conn, &link.association, case).await?;
    let Some((line, offer)) = found.zip(offer) else { return Ok(None) };
    let mut names = Names::default();
    names_of(conn, &link.association, std::slice::from_ref(&line), &mut names).await?;
    let areas = areas(conn, &link.association).await?;
    let asked_as = AskedAs::of(&line.request, offer.offer.step);
    Ok(Some(OpenSwap { association, member, line, offer, note: detail, names, areas, asked_as }))
}

async fn areas(conn: &mut Conn, association: &AssociationId) -> Result<BTreeMap<Area, String>, StoreError> {
    let (_, settings) = crate::store::rota::plans::rota_settings(conn, association).await?;
    Ok(settings.areas.into_iter().map(|area| (area.key, area.name)).collect())
}

impl App {
    /// A person's own duties to come, and what was asked about them.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_duties(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<MyDuties, AppError> {
        let now = self.now();
        let window = Window { from: now, to: now.plus_s(AHEAD_DAYS * 86_400) };
        let held = self.rota_duties_of(association, member, window).await?;
        let mut conn = self.db.read().await?;
        let cases = swap_requests_of(&mut conn, association, member, LIST).await?;
        let requests = lines(&mut conn, association, cases).await?;
        let mut names = Names::default();
        names_of(&mut conn, association, &requests, &mut names).await?;
        let areas = areas(&mut conn, association).await?;
        drop(conn);
        let duties = held.into_iter().map(|held| {
            let about = |line: &&SwapLine| {
                let gives = &line.facts.gives;
                line.request.state.is_open()
                    && line.facts.giver.as_ref() == Some(member)
                    && (&gives.area, gives.role) == (&held.area, held.role)
                    && gives.window.from < held.window.to
                    && held.window.from < gives.window.to
            };
            let open = requests.iter().find(about).map(|line| (line.case.id.clone(), line.facts.form));
            Duty { held, open }
        });
        Ok(MyDuties { duties: duties.collect(), requests, names, areas })
    }

    /// The duty of a person that is on at an instant, and what can be chosen when something is asked about it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where they hold nothing there or it is over; the store's.
    pub async fn swap_choosable(
        &self,
        association: &AssociationId,
        member: &MemberId,
        (area, role, from): (&Area, crate::domain::rota::RotaRole, Millis),
    ) -> Result<Choosable, AppError> {
        let now = self.now();
        let laid = self.rota_laid(association, now.plus_s(-40 * 86_400)).await?;
        let around = Window { from: from.plus_s(-40 * 86_400), to: from.plus_s(40 * 86_400) };
        let mine = duties_of(&laid.timeline, member, around).into_iter();
        let duty = mine
            .filter(|held| held.area == *area && held.role == role && now < held.window.to)
            .find(|held| held.window.from == from)
            .ok_or(AppError::NotFound)?;
        let world = self.rota_world(association).await?;
        let mut people: Vec<_> = world
            .people()
            .into_iter()
            .filter(|p| p.id != *member && !p.profile.exempt)
            .map(|p| {
                let place = world.institution_name(&p.institution).to_owned();
                (p.id.clone(), world.name(&p.id).to_owned(), place)
            })
            .collect();
        people.sort_by(|a, b| {
            let kana = |id: &MemberId| world.members.get(id).map(|m| m.kana.clone()).unwrap_or_default();
            (kana(&a.0), &a.0).cmp(&(kana(&b.0), &b.0))
        });
        let soon = Window { from: now, to: now.plus_s(EXCHANGE_DAYS * 86_400) };
        let mut theirs = Vec::new();
        for (id, name, _) in &people {
            let held = duties_of(&laid.timeline, id, soon).into_iter();
            let fits = held.filter(|h| h.slot.is_some() && now < h.window.from);
            theirs.extend(fits.map(|held| (held, id.clone(), name.clone())));
        }
        theirs.sort_by(|a, b| (a.0.window, a.0.role, &a.1).cmp(&(b.0.window, b.0.role, &b.1)));
        let areas = world.settings.areas.iter().map(|a| (a.key.clone(), a.name.clone())).collect();
        let phone_within_h = world.settings.swaps.phone_within_h;
        Ok(Choosable { duty, people, theirs, phone_within_h, areas })
    }

    /// A request about a duty, for those whom it concerns and for the office; who may look is the caller's
    /// question.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn swap_case(&self, association: &AssociationId, id: &RequestId) -> Result<SwapCase, AppError> {
        let mut conn = self.db.read().await?;
        let case = case_by_id(&mut conn, association, id).await?.filter(|c| c.kind == "swap");
        let case = case.ok_or(AppError::NotFound)?;
        let at = Sealed { table: "request", column: "detail", row: id.as_str() };
        let note = match self.vault.open_kept(&mut conn, association, at, &case.detail).await? {
            Kept::Text(text) => serde_json::from_str::<Detail>(&text).ok().map(|d| d.note),
            Kept::Destroyed { .. } => None,
        };
        let line = line(&mut conn, association, case).await?.ok_or(AppError::NotFound)?;
        let mut names = Names::default();
        names_of(&mut conn, association, std::slice::from_ref(&line), &mut names).await?;
        let attempts = attempts_of(&mut conn, association, id).await?;
        let history = audit_of(&mut conn, association, &format!("request:{id}"), HISTORY).await?;
        for event in &history {
            for who in [Some(&event.actor), event.on_behalf_of.as_ref()].into_iter().flatten() {
                if let Some(id) = who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok()) {
                    names.add_member(&mut conn, association, &id).await?;
                }
            }
        }
        let confirmed = swap_confirmed(&mut conn, association, id).await?;
        let areas = areas(&mut conn, association).await?;
        Ok(SwapCase { line, note, names, areas, attempts, history, confirmed })
    }

    /// The office's list: what is asked, what was agreed to, what ended, which hours nobody holds.
    ///
    /// # Errors
    /// The store's.
    pub async fn swap_board(&self, association: &AssociationId) -> Result<SwapBoard, AppError> {
        let now = self.now();
        let window = Window { from: now, to: now.plus_s(HOLES_DAYS * 86_400) };
        let holes = self.rota_holes(association, window).await?;
        let mut conn = self.db.read().await?;
        let running = swap_requests_open(&mut conn, association, LIST).await?;
        let running = lines(&mut conn, association, running).await?;
        let ended = swap_requests_ended(&mut conn, association, ENDED).await?;
        let ended = lines(&mut conn, association, ended).await?;
        let mut names = Names::default();
        let mut confirmed = Vec::new();
        for list in [&running, &ended] {
            names_of(&mut conn, association, list, &mut names).await?;
        }
        for line in running.iter().filter(|line| line.facts.late) {
            if swap_confirmed(&mut conn, association, &line.case.id).await?.is_some() {
                confirmed.push(line.case.id.clone());
            }
        }
        let areas = areas(&mut conn, association).await?;
        drop(conn);
        let (open, agreed): (Vec<_>, Vec<_>) =
            running.into_iter().partition(|line| line.request.state.is_open());
        let holes = holes.into_iter().map(|hole| {
            let meets = |line: &&SwapLine| {
                let gives = &line.facts.gives;
                line.facts.form.is_a_hole()
                    && (&gives.area, gives.role) == (&hole.area, hole.role)
                    && gives.window.from < hole.window.to
                    && hole.window.from < gives.window.to
            };
            let called = open.iter().find(meets).map(|line| line.case.id.clone());
            OpenHole { hole, called }
        });
        Ok(SwapBoard { holes: holes.collect(), open, agreed, ended, names, areas, confirmed })
    }

    /// Requests about duties in the order they were made, for programs; only those in `state` where one is given.
    ///
    /// # Errors
    /// The store's.
    pub async fn swap_lines(
        &self,
        association: &AssociationId,
        state: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<SwapLine>, AppError> {
        let mut conn = self.db.read().await?;
        let cases = swap_requests_after(&mut conn, association, state, after, limit).await?;
        Ok(lines(&mut conn, association, cases).await?)
    }

    /// The number and the kind of a request, whatever it is about.
    ///
    /// # Errors
    /// The store's.
    pub async fn request_head(
        &self,
        association: &AssociationId,
        id: &RequestId,
    ) -> Result<Option<Case>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(case_by_id(&mut conn, association, id).await?)
    }

    /// The live offers of a person about duties, with what they are about.
    ///
    /// # Errors
    /// The store's.
    pub async fn swap_offers_of(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<(Vec<(SwapLine, OfferRow)>, Names), AppError> {
        let mut conn = self.db.read().await?;
        let cases = swap_requests_of(&mut conn, association, member, LIST).await?;
        let found = lines(&mut conn, association, cases).await?;
        let mut names = Names::default();
        names_of(&mut conn, association, &found, &mut names).await?;
        let live = found.into_iter().filter_map(|line| {
            let offer = line.offers.iter().find(|o| o.person == *member && o.offer.state.is_live())?;
            let offer = offer.clone();
            line.request.state.is_open().then_some((line, offer))
        });
        Ok((live.collect(), names))
    }
}
