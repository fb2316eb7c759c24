//! Publishing (公開): a draft or an imported file becomes the rota of its period, with what it changes for whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::swap::void_swept;
use super::super::{App, AppError, Kit, Who};
use super::notices::tell_published;
use super::world::{RotaWorld, rota_world};
use super::{duties_within, laid_within};
use crate::domain::calendar::civil_day;
use crate::domain::consult::{Wrong, long_text};
use crate::domain::rota::publish::with;
use crate::domain::rota::{
    Area, Assignment, Change, Publication, Records, Refused, Setting, Timeline, Violation, changes, check,
    refusals,
};
use crate::ids::{AssociationId, MemberId, PublicationId, RotaDraftId};
use crate::store::rota::drafts::{draft_by_id, draft_duties, draft_save};
pub use crate::store::rota::records::PublicationHead;
use crate::store::rota::records::{
    publication_add, publication_by_id, publications_after, publications_last,
};
use crate::store::rota::rota_touch;
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// How far around a period the rules are looked at.
const AROUND_S: i64 = 40 * 86_400;
/// The longest period of one publication.
pub const PERIOD_MAX_DAYS: i64 = 400;
/// The most duties of one publication.
pub const DUTIES_MAX: usize = 20_000;

/// Whether breaches of the rules forbid publishing. Overlaps always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Breaches {
    Forbid,
    /// The coordinator has seen them and publishes nevertheless; they stand in the audit.
    Accept,
}

/// How publishing ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Published {
    Done {
        id: PublicationId,
        /// What changes for whom, against the rota as it stood.
        changes: Vec<Change>,
        /// Breaches that were accepted, and wishes that could not be met.
        violations: Vec<Violation>,
    },
    /// Nothing was changed.
    Refused {
        refused: Vec<Refused>,
        violations: Vec<Violation>,
    },
    /// It was published before, or thrown away.
    NotOpen,
    /// Somebody changed the draft meanwhile.
    Stale,
    NotFound,
    /// There is no such area.
    NoArea,
    /// Nobody of these ids is known.
    NoPerson(Vec<MemberId>),
}

struct PublishDraft {
    kit: Kit,
    who: Who,
    id: PublicationId,
    draft: RotaDraftId,
    revision: i64,
    breaches: Breaches,
    note: String,
}

impl Command for PublishDraft {
    type Output = Published;

    async fn apply(&self, tx: &mut Conn) -> Result<Published, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        rota_touch(tx, association, kit.now).await?;
        let Some(mut draft) = draft_by_id(tx, association, &self.draft).await? else {
            return Ok(Published::NotFound);
        };
        if draft.publication.is_some() || draft.dropped_at.is_some() {
            return Ok(Published::NotOpen);
        }
        if draft.revision != self.revision {
            return Ok(Published::Stale);
        }
        let world = world_of(tx, kit, association).await?;
        let Some(period) = world.period(draft.first, draft.last) else { return Ok(Published::NotFound) };
        let publication = Publication {
            id: self.id.clone(),
            area: draft.area.clone(),
            period,
            recorded_at: kit.now,
            assignments: draft_duties(tx, association, &draft).await?,
        };
        let made = Making { kit, who: &self.who, world: &world, note: &self.note, source: "draft" };
        let published = made.publish(tx, publication, Some(self.breaches)).await?;
        if let Published::Done { id, .. } = &published {
            draft.publication = Some(id.clone());
            draft_save(tx, association, &draft).await?;
        }
        Ok(published)
    }
}

async fn world_of(tx: &mut Conn, kit: &Kit, association: &AssociationId) -> Result<RotaWorld, StoreError> {
    let world = rota_world(tx, kit, association).await?;
    world.ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))
}

/// What a publication is made with.
struct Making<'a> {
    kit: &'a Kit,
    who: &'a Who,
    world: &'a RotaWorld,
    note: &'a str,
    source: &'a str,
}

impl Making<'_> {
    /// `None` for breaches: history, which is shown as it was.
    async fn publish(
        &self,
        tx: &mut Conn,
        publication: Publication,
        breaches: Option<Breaches>,
    ) -> Result<Published, StoreError> {
        let (kit, association) = (self.kit, &self.who.association);
        if self.world.settings.area(&publication.area).is_none() {
            return Ok(Published::NoArea);
        }
        let unknown = unknown(self.world, &publication.assignments);
        if !unknown.is_empty() {
            return Ok(Published::NoPerson(unknown));
        }
        let since = publication.period.from.plus_s(-AROUND_S);
        let (records, before) = laid_within(tx, association, since).await?;
        let mut violations = Vec::new();
        if let Some(breaches) = breaches {
            let refused = refusals(&publication, &records);
            violations = violations_of(self.world, &records, &publication);
            let forbidden = breaches == Breaches::Forbid && violations.iter().any(|v| v.rule.is_hard());
            if !refused.is_empty() || forbidden {
                return Ok(Published::Refused { refused, violations });
            }
        }
        publication_add(tx, association, &publication, (kit.now, &self.who.actor), (self.source, self.note))
            .await?;
        let id = publication.id.clone();
        let (area, period) = (publication.area.clone(), publication.period);
        let detail = json!({
            "area": area.as_str(), "from": period.from.rfc3339(), "to": period.to.rfc3339(),
            "duties": publication.assignments.len(), "source": self.source,
            "breaches": violations.iter().filter(|v| v.rule.is_hard()).count(),
        });
        let after = Timeline::new(&with(&records, publication), None);
        let around = Window { from: period.from, to: period.to.plus_s(AROUND_S) };
        let changes = changes(&before, &after, &area, around);
        note(tx, kit, self.who, "rota.publish", &format!("publication:{id}"), detail).await?;
        // History is nobody's news.
        if breaches.is_some() {
            let days = (
                civil_day(period.from, self.world.zone()),
                civil_day(period.to.plus_ms(-1), self.world.zone()),
            );
            tell_published(tx, kit, association, (&id, &changes), days).await?;
        }
        // What was agreed to about duties that others hold now is void, visibly.
        void_swept(tx, kit, self.who).await?;
        Ok(Published::Done { id, changes, violations })
    }
}

/// The people and institutions of duties that the association does not have.
fn unknown(world: &RotaWorld, duties: &[Assignment]) -> Vec<MemberId> {
    let known = |duty: &&Assignment| {
        world.members.contains_key(&duty.holder.person)
            && world.institutions.contains_key(&duty.holder.institution)
    };
    let unknown: BTreeSet<MemberId> =
        duties.iter().filter(|d| !known(d)).map(|d| d.holder.person.clone()).collect();
    unknown.into_iter().collect()
}

/// The breaches of the rules of a publication beside what stands around it.
#[must_use]
pub fn violations_of(world: &RotaWorld, records: &Records, publication: &Publication) -> Vec<Violation> {
    let zone = world.zone();
    let period = publication.period;
    let after = Timeline::new(&with(records, publication.clone()), None);
    let around = Window { from: period.from.plus_s(-AROUND_S), to: period.to.plus_s(AROUND_S) };
    // What is published, not what was swapped since: a swap was judged when it was taken.
    let mut duties = duties_within(&after, around, zone);
    duties.retain(|d| d.area != publication.area || !period.contains(d.window.from));
    duties.extend(publication.assignments.iter().cloned());
    let (first, last) = (civil_day(period.from, zone), civil_day(period.to.plus_ms(-1), zone));
    let people = world.people();
    let slots = world.slots(&publication.area, first, last);
    let setting = Setting {
        rules: &world.settings.rules,
        people: &people,
        wishes: &[],
        groups: &world.groups,
        slots: &slots,
        calendar: &world.calendar,
        zone,
    };
    check(setting, &duties, first, last)
}

/// A rota from elsewhere, to be published as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPublication {
    pub area: Area,
    pub period: Window,
    pub assignments: Vec<Assignment>,
    /// Since when it is known, for imports of history, which are not held against the rules; `None` = now.
    pub recorded_at: Option<Millis>,
    pub breaches: Breaches,
    pub note: String,
}

struct ImportPublication {
    kit: Kit,
    who: Who,
    id: PublicationId,
    new: NewPublication,
}

impl Command for ImportPublication {
    type Output = Published;

    async fn apply(&self, tx: &mut Conn) -> Result<Published, StoreError> {
        let (kit, association, new) = (&self.kit, &self.who.association, &self.new);
        rota_touch(tx, association, kit.now).await?;
        let world = world_of(tx, kit, association).await?;
        let publication = Publication {
            id: self.id.clone(),
            area: new.area.clone(),
            period: new.period,
            recorded_at: new.recorded_at.unwrap_or(kit.now),
            assignments: new.assignments.clone(),
        };
        let breaches = new.recorded_at.is_none().then_some(new.breaches);
        let made = Making { kit, who: &self.who, world: &world, note: &new.note, source: "import" };
        made.publish(tx, publication, breaches).await
    }
}

impl App {
    /// Publishes a draft that stands at `revision`. Overlaps are always refused, breaches of the rules unless
    /// they are accepted.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a note too long; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the
    /// store's.
    pub async fn rota_publish(
        &self,
        who: &Who,
        draft: &RotaDraftId,
        revision: i64,
        (breaches, note): (Breaches, &str),
        key: Option<&Key>,
    ) -> Result<Published, AppError> {
        if let Some(wrong) = long_text(note, false) {
            return Err(AppError::field("note", wrong));
        }
        let kit = self.kit();
        let command = PublishDraft {
            kit: kit.clone(),
            who: who.clone(),
            id: PublicationId::new(kit.now, self.chance.as_ref()),
            draft: draft.clone(),
            revision,
            breaches,
            note: note.to_owned(),
        };
        match self.run_once(&kit, who, key, command).await?.into_inner() {
            Published::NotFound => Err(AppError::NotFound),
            Published::Stale => Err(AppError::ChangedMeanwhile),
            done => Ok(done),
        }
    }

    /// Publishes a rota from elsewhere. With a `recorded_at` it is history and held against nothing.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an empty or endless period, too many duties, a note too long, a time of
    /// recording that is still to come; the store's.
    pub async fn rota_import(
        &self,
        who: &Who,
        new: NewPublication,
        key: Option<&Key>,
    ) -> Result<Published, AppError> {
        let kit = self.kit();
        let length_ms = new.period.to.since_ms(new.period.from);
        if length_ms <= 0 {
            return Err(AppError::field("period", Wrong::OutOfRange));
        }
        if length_ms > PERIOD_MAX_DAYS * 86_400_000 {
            return Err(AppError::field("period", Wrong::TooLong));
        }
        if new.assignments.len() > DUTIES_MAX {
            return Err(AppError::field("assignments", Wrong::TooLong));
        }
        let distinct: BTreeSet<&Assignment> = new.assignments.iter().collect();
        let fits = |duty: &Assignment| {
            duty.area == new.area
                && duty.window.from < duty.window.to
                && new.period.contains(duty.window.from)
                && duty.window.to <= new.period.to.plus_s(AROUND_S)
        };
        if distinct.len() != new.assignments.len() || !new.assignments.iter().all(fits) {
            return Err(AppError::field("assignments", Wrong::OutOfRange));
        }
        if let Some(wrong) = long_text(&new.note, false) {
            return Err(AppError::field("note", wrong));
        }
        if new.recorded_at.is_some_and(|at| kit.now < at) {
            return Err(AppError::field("recorded_at", Wrong::OutOfRange));
        }
        let id = PublicationId::new(kit.now, self.chance.as_ref());
        let command = ImportPublication { kit: kit.clone(), who: who.clone(), id, new };
        Ok(self.run_once(&kit, who, key, command).await?.into_inner())
    }

    /// The publications recorded last, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_publications(
        &self,
        association: &AssociationId,
        limit: i64,
    ) -> Result<Vec<PublicationHead>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(publications_last(&mut conn, association, limit).await?)
    }

    /// Publications in the order of their ids, after one of them, at most `limit`.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_publications_after(
        &self,
        association: &AssociationId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<PublicationHead>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(publications_after(&mut conn, association, after, limit).await?)
    }

    /// A publication as it was made.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_publication(
        &self,
        association: &AssociationId,
        id: &PublicationId,
    ) -> Result<(PublicationHead, Publication), AppError> {
        let mut conn = self.db.read().await?;
        publication_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }
}

/// Each person's part of what a publication changes: whom it concerns at all.
#[must_use]
pub fn concerned(changes: &[Change]) -> BTreeMap<MemberId, Vec<&Change>> {
    let mut by_person: BTreeMap<MemberId, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let people: BTreeSet<&MemberId> =
            change.before.iter().chain(&change.after).map(|holder| &holder.person).collect();
        for person in people {
            by_person.entry(person.clone()).or_default().push(change);
        }
    }
    by_person
}
