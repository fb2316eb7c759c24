//! The rota (当番表) as it is asked: who is on, what is missing, for every page, feed, call and line alike.
//! `world` is what it is judged by; `publish`, `changes` and `people` write what decides who is on; `drafts`,
//! `fill` and `wishes` are for making the next one; `sheets` reads in what offices keep; `counts` counts; `settings`
//! sets. `paper` and `lists` put it on paper and into files, `feeds` into calendars.

pub mod changes;
pub mod counts;
pub mod desk;
pub mod drafts;
pub mod feeds;
pub mod file;
pub mod fill;
pub mod lists;
pub mod notices;
pub mod paper;
pub mod publish;
pub mod say;
pub mod settings;
pub mod sheets;
pub mod wish_link;
pub mod wishes;
pub mod world;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use world::RotaWorld;

use super::{App, AppError};
use crate::domain::calendar::civil_day;
use crate::domain::rota::{
    Area, Assignment, Clash, Gap, Holder, Hole, Part, Records, RotaArea, RotaRole, Segment, SlotKey,
    Timeline, VoidSwap, clashes, holes,
};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::people::{institution_by_id, member_by_id};
use crate::store::rota::plans;
use crate::store::rota::records::records_since;
use crate::store::rota::rota_revision;
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// How far back the laid rota reaches without being asked to: a year of feeds and a fiscal year of points.
const KEPT_BACK_S: i64 = 800 * 86_400;
/// Earlier states of one rota that are kept laid.
const AS_OF_KEPT: usize = 8;
/// The rotas that are kept laid.
const ASSOCIATIONS_KEPT: usize = 64;
/// The longest window that is expanded or searched for holes at once.
pub const WINDOW_MAX_DAYS: i64 = 800;
/// Days ahead in which the board looks for holes.
pub const BOARD_HOLES_DAYS: i64 = 14;

/// The rota of an association as it stands, laid once and asked often: one revision of it. Knows everything from
/// [`LaidRota::since`] on.
#[derive(Debug)]
pub struct LaidRota {
    /// Grows with each write of the rota: the same revision has the same answers.
    pub revision: i64,
    /// Who was on before this cannot be told from it.
    pub since: Millis,
    /// What was recorded.
    pub records: Records,
    /// Who is on, as known today.
    pub timeline: Arc<Timeline>,
    earlier: Mutex<Vec<(Millis, Arc<Timeline>)>>,
}

impl LaidRota {
    fn new(revision: i64, since: Millis, records: Records) -> Self {
        let timeline = Arc::new(Timeline::new(&records, None));
        Self { revision, since, records, timeline, earlier: Mutex::default() }
    }

    /// Who was on as it was known at `as_of`; as known today without it.
    #[must_use]
    pub fn as_of(&self, as_of: Option<Millis>) -> Arc<Timeline> {
        let Some(as_of) = as_of else { return self.timeline.clone() };
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, timeline)) = earlier.iter().find(|(at, _)| *at == as_of) {
            return timeline.clone();
        }
        let timeline = Arc::new(Timeline::new(&self.records, Some(as_of)));
        if earlier.len() >= AS_OF_KEPT {
            earlier.remove(0);
        }
        earlier.push((as_of, timeline.clone()));
        timeline
    }
}

/// The laid rotas of a process. A revision that was written since makes them be laid anew.
#[derive(Debug, Default)]
pub(crate) struct Laid(Mutex<BTreeMap<AssociationId, Arc<LaidRota>>>);

impl Laid {
    fn get(&self, association: &AssociationId, revision: i64, since: Millis) -> Option<Arc<LaidRota>> {
        let laid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        laid.get(association).filter(|rota| rota.revision == revision && rota.since <= since).cloned()
    }

    fn put(&self, association: &AssociationId, rota: &Arc<LaidRota>) {
        let mut laid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if laid.len() >= ASSOCIATIONS_KEPT && !laid.contains_key(association) {
            laid.pop_first();
        }
        // Who was slow must not put an older state over a newer one.
        if laid.get(association).is_none_or(|old| old.revision <= rota.revision) {
            laid.insert(association.clone(), rota.clone());
        }
    }
}

/// Somebody's or nobody's turn, with what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDuty {
    pub area: Area,
    pub role: RotaRole,
    /// Who is on, why, from when until when nothing of that changes.
    pub now: Part,
    /// From when other people are on, or nobody; `None`: nothing changes any more.
    pub next: Option<Part>,
}

impl OnDuty {
    /// Who is on at an instant and what comes after it.
    #[must_use]
    pub fn of(timeline: &Timeline, area: &Area, role: RotaRole, at: Millis) -> Self {
        Self {
            area: area.clone(),
            role,
            now: timeline.who(area, role, at).clone(),
            next: timeline.next_hand_over(area, role, at).cloned(),
        }
    }
}

/// The names of the people and institutions of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    people: BTreeMap<MemberId, String>,
    institutions: BTreeMap<InstitutionId, String>,
}

impl Names {
    /// The name of a person; empty where it was not asked for.
    #[must_use]
    pub fn person(&self, id: &MemberId) -> &str {
        self.people.get(id).map_or("", String::as_str)
    }

    /// The name of an institution; empty where it was not asked for.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> &str {
        self.institutions.get(id).map_or("", String::as_str)
    }
}

/// 今日の当番: who is on now and next in every area, and what is missing soon.
#[derive(Clone, Debug)]
pub struct Board {
    pub at: Millis,
    /// In the order of the settings.
    pub areas: Vec<BoardArea>,
}

/// An area on the board.
#[derive(Clone, Debug)]
pub struct BoardArea {
    pub area: RotaArea,
    /// Primary and deputy, and backing where anything is recorded of it.
    pub roles: Vec<OnDuty>,
    /// Required hours of the next [`BOARD_HOLES_DAYS`] days that nobody holds.
    pub holes: Vec<Hole>,
    /// Required hours of these days that the wrong people hold.
    pub clashes: Vec<Clash>,
    /// Recorded swaps of duties still to come that do not count any more.
    pub void: Vec<VoidSwap>,
}

/// A duty or a part of one as somebody holds it, after everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDuty {
    pub area: Area,
    pub role: RotaRole,
    pub window: Window,
    /// `None`: put there by the office for these hours.
    pub slot: Option<SlotKey>,
    /// They hold it for this institution.
    pub institution: InstitutionId,
    /// It came to them after publishing.
    pub changed: bool,
}

/// The key of hours that belong to no slot, where rules need one.
fn no_slot(window: Window, zone: chrono_tz::Tz) -> SlotKey {
    let kind = "override".parse().expect("a plain word is a code");
    SlotKey { day: civil_day(window.from, zone), kind }
}

/// Everybody's duties within a window as they stand, whole parts of the timeline: what rules and counts are held
/// against.
#[must_use]
pub fn duties_within(timeline: &Timeline, window: Window, zone: chrono_tz::Tz) -> Vec<Assignment> {
    let mut duties = Vec::new();
    for (area, role) in timeline.lines() {
        let mut open: Vec<Assignment> = Vec::new();
        for part in timeline.parts(area, role) {
            if part.window.to <= window.from || window.to <= part.window.from {
                continue;
            }
            let mut still = Vec::new();
            for held in &part.held {
                let slot = held.why.slot().cloned().unwrap_or_else(|| no_slot(part.window, zone));
                let before = open.iter().position(|duty: &Assignment| {
                    duty.window.to == part.window.from && duty.slot == slot && duty.holder == held.holder
                });
                let mut duty = before.map_or_else(
                    || Assignment {
                        area: area.clone(),
                        slot,
                        role,
                        window: part.window,
                        holder: held.holder.clone(),
                    },
                    |at| open.swap_remove(at),
                );
                duty.window.to = part.window.to;
                still.push(duty);
            }
            duties.append(&mut open);
            open = still;
        }
        duties.append(&mut open);
    }
    duties.sort_by(|a, b| (a.window, a).cmp(&(b.window, b)));
    duties
}

/// The laid rota within a command: what it reads stays so until it commits, where it was touched first.
pub(crate) async fn laid_within(
    tx: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<(Records, Timeline), StoreError> {
    let records = records_since(tx, association, since).await?;
    let timeline = Timeline::new(&records, None);
    Ok((records, timeline))
}

impl App {
    /// The rota of an association as it stands, from `since` on. Cheap when nothing was written meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_laid(
        &self,
        association: &AssociationId,
        since: Millis,
    ) -> Result<Arc<LaidRota>, AppError> {
        let mut conn = self.db.read().await?;
        let revision = rota_revision(&mut conn, association).await?;
        if let Some(laid) = self.rota.get(association, revision, since) {
            return Ok(laid);
        }
        // Whole days, so that the next question finds it.
        let back = self.now().plus_s(-KEPT_BACK_S);
        let since = since.min(back).plus_s(-86_400);
        conn.begin_snapshot().await?;
        let read = async {
            let revision = rota_revision(&mut conn, association).await?;
            Ok::<_, StoreError>((revision, records_since(&mut conn, association, since).await?))
        }
        .await;
        conn.end_snapshot().await?;
        let (revision, records) = read?;
        let laid = Arc::new(LaidRota::new(revision, since, records));
        self.rota.put(association, &laid);
        Ok(laid)
    }

    /// Who is on at an instant, as known at `as_of` or today.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_who(
        &self,
        association: &AssociationId,
        area: &Area,
        role: RotaRole,
        at: Millis,
        as_of: Option<Millis>,
    ) -> Result<Part, AppError> {
        let laid = self.rota_laid(association, at).await?;
        Ok(laid.as_of(as_of).who(area, role, at).clone())
    }

    /// Who is on at an instant and what comes after it.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_on_duty(
        &self,
        association: &AssociationId,
        area: &Area,
        role: RotaRole,
        at: Millis,
        as_of: Option<Millis>,
    ) -> Result<OnDuty, AppError> {
        let timeline = self.rota_laid(association, at).await?.as_of(as_of);
        Ok(OnDuty::of(&timeline, area, role, at))
    }

    /// Who is on over a window, gaps included; covers it without hole or overlap.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an empty window or one longer than [`WINDOW_MAX_DAYS`]; the store's.
    pub async fn rota_expand(
        &self,
        association: &AssociationId,
        area: &Area,
        role: RotaRole,
        window: Window,
        as_of: Option<Millis>,
    ) -> Result<Vec<Segment>, AppError> {
        window_ok(window)?;
        let laid = self.rota_laid(association, window.from).await?;
        Ok(laid.as_of(as_of).expand(area, role, window))
    }

    /// The keys of the association's areas, in the order of the settings.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_areas(&self, association: &AssociationId) -> Result<Vec<Area>, AppError> {
        let mut conn = self.db.read().await?;
        let (_, settings) = plans::rota_settings(&mut conn, association).await?;
        Ok(settings.areas.into_iter().map(|area| area.key).collect())
    }

    /// The names of some holders of duty.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_names(
        &self,
        association: &AssociationId,
        holders: Vec<Holder>,
    ) -> Result<Names, AppError> {
        let mut names = Names::default();
        let mut conn = self.db.read().await?;
        for holder in holders {
            if let Entry::Vacant(entry) = names.people.entry(holder.person) {
                let found = member_by_id(&mut conn, association, entry.key()).await?;
                entry.insert(found.map(|m| m.name).unwrap_or_default());
            }
            if let Entry::Vacant(entry) = names.institutions.entry(holder.institution) {
                let found = institution_by_id(&mut conn, association, entry.key()).await?;
                entry.insert(found.map(|i| i.name).unwrap_or_default());
            }
        }
        Ok(names)
    }

    /// 今日の当番, as it is at `at`.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_board(&self, association: &AssociationId, at: Millis) -> Result<Board, AppError> {
        let laid = self.rota_laid(association, at).await?;
        let world = self.rota_world(association).await?;
        let timeline = &laid.timeline;
        let soon = Window { from: at, to: at.plus_s(BOARD_HOLES_DAYS * 86_400) };
        let areas = world.settings.areas.iter().map(|area| {
            let key = &area.key;
            let shown =
                |role: &RotaRole| *role != RotaRole::Backing || !timeline.parts(key, *role).is_empty();
            let roles = RotaRole::ALL.into_iter().filter(shown);
            let ahead = |void: &&VoidSwap| void.legs.iter().any(|l| l.area == *key && at < l.window.to);
            BoardArea {
                roles: roles.map(|role| OnDuty::of(timeline, key, role, at)).collect(),
                holes: holes(timeline, &world.required(), key, soon),
                clashes: clashes(timeline, &world.required(), key, soon),
                void: timeline.void_swaps().iter().filter(ahead).cloned().collect(),
                area: area.clone(),
            }
        });
        Ok(Board { at, areas: areas.collect() })
    }

    /// The required hours of a window that nobody holds, in every area of the settings, by time.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an empty window or one longer than [`WINDOW_MAX_DAYS`]; the store's.
    pub async fn rota_holes(
        &self,
        association: &AssociationId,
        window: Window,
    ) -> Result<Vec<Hole>, AppError> {
        window_ok(window)?;
        let laid = self.rota_laid(association, window.from).await?;
        let world = self.rota_world(association).await?;
        Ok(world.holes(&laid.timeline, window))
    }

    /// The required hours of a window that the wrong number or mixture of people holds.
    ///
    /// # Errors
    /// As [`App::rota_holes`].
    pub async fn rota_clashes(
        &self,
        association: &AssociationId,
        window: Window,
    ) -> Result<Vec<Clash>, AppError> {
        window_ok(window)?;
        let laid = self.rota_laid(association, window.from).await?;
        let world = self.rota_world(association).await?;
        let areas = world.settings.areas.iter();
        Ok(areas.flat_map(|a| clashes(&laid.timeline, &world.required(), &a.key, window)).collect())
    }

    /// What one person holds within a window, by time.
    ///
    /// # Errors
    /// As [`App::rota_holes`].
    pub async fn rota_duties_of(
        &self,
        association: &AssociationId,
        person: &MemberId,
        window: Window,
    ) -> Result<Vec<HeldDuty>, AppError> {
        window_ok(window)?;
        let laid = self.rota_laid(association, window.from).await?;
        Ok(duties_of(&laid.timeline, person, window))
    }
}

/// What one person holds within a window, by time; neighbouring hours of one slot are one duty.
#[must_use]
pub fn duties_of(timeline: &Timeline, person: &MemberId, window: Window) -> Vec<HeldDuty> {
    let mut duties: Vec<HeldDuty> = Vec::new();
    for (area, role) in timeline.lines() {
        for part in timeline.parts(area, role) {
            if part.window.to <= window.from || window.to <= part.window.from {
                continue;
            }
            for held in part.held.iter().filter(|held| held.holder.person == *person) {
                let duty = HeldDuty {
                    area: area.clone(),
                    role,
                    window: part.window,
                    slot: held.why.slot().cloned(),
                    institution: held.holder.institution.clone(),
                    changed: !matches!(held.why, crate::domain::rota::Because::Published { .. }),
                };
                match duties.last_mut() {
                    Some(last)
                        if last.window.to == duty.window.from
                            && HeldDuty { window: duty.window, ..last.clone() } == duty =>
                    {
                        last.window.to = duty.window.to;
                    }
                    _ => duties.push(duty),
                }
            }
        }
    }
    duties.sort_by(|a, b| (a.window, a.role, &a.area).cmp(&(b.window, b.role, &b.area)));
    duties
}

fn window_ok(window: Window) -> Result<(), AppError> {
    use crate::domain::consult::Wrong;
    let length_ms = window.to.since_ms(window.from);
    if length_ms <= 0 {
        return Err(AppError::field("to", Wrong::OutOfRange));
    }
    if length_ms > WINDOW_MAX_DAYS * 86_400_000 {
        return Err(AppError::field("to", Wrong::TooLong));
    }
    Ok(())
}

/// The stable word for why nobody is on.
#[must_use]
pub const fn gap_code(gap: &Gap) -> &'static str {
    match gap {
        Gap::Unassigned => "unassigned",
        Gap::Emptied { .. } => "emptied",
        Gap::Left { .. } => "left",
    }
}
