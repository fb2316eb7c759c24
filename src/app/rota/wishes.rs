//! Wishes (希望): a collection is opened, people and the office write sheets, who has not answered is reminded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::world::{RotaWorld, rota_world};
use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::rota::{SheetWrong, WishSheet, WishSource};
use crate::ids::{AssociationId, MemberId, WishRoundId};
pub use crate::store::rota::wishes::{WishRound, WishSheetRow};
use crate::store::rota::wishes::{
    wish_asks, wish_round_add, wish_round_by_id, wish_round_deadline, wish_rounds, wish_sheet_add,
    wish_sheets,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// The longest period of a collection, in days.
pub const ROUND_DAYS_MAX: i64 = 400;
/// Collections that are looked through for a period, and shown.
const ROUNDS_KEPT: i64 = 24;

/// The newest sheets of every collection that touches some days; where somebody answered several, the one of the
/// newest collection counts.
pub(crate) async fn sheets_for(
    conn: &mut Conn,
    association: &AssociationId,
    first: CivilDate,
    last: CivilDate,
) -> Result<Vec<WishSheetRow>, StoreError> {
    let mut sheets: BTreeMap<MemberId, WishSheetRow> = BTreeMap::new();
    for round in wish_rounds(conn, association, ROUNDS_KEPT).await? {
        if round.first <= last && first <= round.last {
            for row in wish_sheets(conn, association, &round.id).await? {
                sheets.entry(row.member.clone()).or_insert(row);
            }
        }
    }
    Ok(sheets.into_values().collect())
}

/// Somebody who is asked, and how they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub member: MemberId,
    /// Their newest sheet.
    pub sheet: Option<WishSheetRow>,
    /// When they were last asked by mail, and how often.
    pub asked: Option<(Millis, i64)>,
}

/// A collection with everybody it asks.
#[derive(Clone, Debug)]
pub struct RoundView {
    pub round: WishRound,
    /// Everybody who takes part in the rota and is not exempt, by id, and whoever else wrote a sheet.
    pub people: Vec<Asked>,
    pub world: RotaWorld,
}

impl RoundView {
    /// Who has not answered.
    pub fn silent(&self) -> impl Iterator<Item = &Asked> {
        self.people.iter().filter(|asked| asked.sheet.is_none())
    }
}

struct OpenRound {
    kit: Kit,
    who: Who,
    round: WishRound,
}

impl Command for OpenRound {
    type Output = WishRoundId;

    async fn apply(&self, tx: &mut Conn) -> Result<WishRoundId, StoreError> {
        let (kit, association, round) = (&self.kit, &self.who.association, &self.round);
        wish_round_add(tx, association, round).await?;
        let detail = json!({
            "first": round.first.to_string(), "last": round.last.to_string(),
            "deadline": round.deadline.rfc3339(),
        });
        note(tx, kit, &self.who, "wishes.open", &format!("wish_round:{}", round.id), detail).await?;
        Ok(round.id.clone())
    }
}

/// How writing a sheet ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SheetWritten {
    /// The sheet's version.
    Done { version: i64 },
    /// The deadline is over or the collection closed; the office may still write.
    Closed,
    /// There is no such collection, or nobody of that id takes part.
    NotFound,
    /// What of it cannot be taken, by field.
    Wrong(Vec<String>),
}

pub(super) struct WriteSheet {
    pub(super) kit: Kit,
    pub(super) who: Who,
    pub(super) round: WishRoundId,
    pub(super) member: MemberId,
    pub(super) sheet: WishSheet,
    pub(super) source: WishSource,
}

impl Command for WriteSheet {
    type Output = SheetWritten;

    async fn apply(&self, tx: &mut Conn) -> Result<SheetWritten, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(round) = wish_round_by_id(tx, association, &self.round).await? else {
            return Ok(SheetWritten::NotFound);
        };
        let world = rota_world(tx, kit, association).await?;
        let takes_part = |world: &RotaWorld| {
            let known = |id: &MemberId| world.members.get(id).is_some_and(|m| world.takes_part(m));
            known(&self.member) && self.sheet.apart.iter().all(known)
        };
        if !world.as_ref().is_some_and(takes_part) {
            return Ok(SheetWritten::NotFound);
        }
        if self.source == WishSource::Person && !round.is_open(kit.now) {
            return Ok(SheetWritten::Closed);
        }
        let wrong = self.sheet.wrong(round.first, round.last);
        if !wrong.is_empty() {
            return Ok(SheetWritten::Wrong(wrong.into_iter().map(|(field, _)| field.to_owned()).collect()));
        }
        let version = wish_sheet_add(
            tx,
            association,
            &self.round,
            (&self.member, &self.sheet),
            self.source,
            (kit.now, &self.who.actor),
        )
        .await?;
        let detail = json!({
            "member": self.member.as_str(), "version": version, "source": self.source.code(),
            "days": self.sheet.days.len(),
        });
        note(tx, kit, &self.who, "wishes.sheet", &format!("wish_round:{}", self.round), detail).await?;
        Ok(SheetWritten::Done { version })
    }
}

struct MoveDeadline {
    kit: Kit,
    who: Who,
    round: WishRoundId,
    deadline: Option<Millis>,
}

impl Command for MoveDeadline {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(round) = wish_round_by_id(tx, association, &self.round).await? else { return Ok(false) };
        let (deadline, closed) = match self.deadline {
            Some(deadline) => (deadline, None),
            None => (round.deadline, Some(kit.now)),
        };
        wish_round_deadline(tx, association, &self.round, deadline, closed).await?;
        let action = if self.deadline.is_some() { "wishes.deadline" } else { "wishes.close" };
        let detail = json!({ "deadline": deadline.rfc3339() });
        note(tx, kit, &self.who, action, &format!("wish_round:{}", self.round), detail).await?;
        Ok(true)
    }
}

impl App {
    /// Opens a collection of wishes for some days, both included, until a deadline.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for days in the wrong order or too many, a deadline that is over; the store's.
    pub async fn wish_round_open(
        &self,
        who: &Who,
        (first, last): (CivilDate, CivilDate),
        deadline: Millis,
        key: Option<&Key>,
    ) -> Result<WishRoundId, AppError> {
        let kit = self.kit();
        let mut wrong = Vec::new();
        if last < first {
            wrong.push(FieldWrong { field: "last", wrong: Wrong::OutOfRange });
        } else if last.days_since(first) >= ROUND_DAYS_MAX {
            wrong.push(FieldWrong { field: "last", wrong: Wrong::TooLong });
        }
        if deadline <= kit.now {
            wrong.push(FieldWrong { field: "deadline", wrong: Wrong::OutOfRange });
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let round = WishRound {
            id: WishRoundId::new(kit.now, self.chance.as_ref()),
            first,
            last,
            opened_at: kit.now,
            deadline,
            opened_by: who.actor.clone(),
            closed_at: None,
        };
        let open = OpenRound { kit: kit.clone(), who: who.clone(), round };
        Ok(self.run_once(&kit, who, key, open).await?.into_inner())
    }

    /// Moves the deadline of a collection (which opens it again), or closes it now.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a deadline that is over; [`AppError::NotFound`]; the store's.
    pub async fn wish_round_until(
        &self,
        who: &Who,
        round: &WishRoundId,
        deadline: Option<Millis>,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        if deadline.is_some_and(|deadline| deadline <= kit.now) {
            return Err(AppError::field("deadline", Wrong::OutOfRange));
        }
        let command = MoveDeadline { kit: kit.clone(), who: who.clone(), round: round.clone(), deadline };
        if self.run_once(&kit, who, key, command).await?.into_inner() {
            Ok(())
        } else {
            Err(AppError::NotFound)
        }
    }

    /// The last collections, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn wish_rounds(&self, association: &AssociationId) -> Result<Vec<WishRound>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(wish_rounds(&mut conn, association, ROUNDS_KEPT).await?)
    }

    /// A collection with everybody it asks, their sheets, and when they were asked.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn wish_round(
        &self,
        association: &AssociationId,
        id: &WishRoundId,
    ) -> Result<RoundView, AppError> {
        let mut conn = self.db.read().await?;
        let round = wish_round_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let world = rota_world(&mut conn, &self.kit(), association).await?.ok_or(AppError::NotFound)?;
        let sheets = wish_sheets(&mut conn, association, id).await?;
        let asks = wish_asks(&mut conn, association, id).await?;
        let mut people: BTreeMap<MemberId, Asked> = world
            .people()
            .into_iter()
            .filter(|person| !person.profile.exempt)
            .map(|p| (p.id.clone(), Asked { member: p.id, sheet: None, asked: None }))
            .collect();
        for row in sheets {
            let member = row.member.clone();
            let asked = Asked { member: member.clone(), sheet: None, asked: None };
            people.entry(member).or_insert(asked).sheet = Some(row);
        }
        for (member, at, times) in asks {
            if let Some(asked) = people.get_mut(&member) {
                asked.asked = Some((at, times));
            }
        }
        Ok(RoundView { round, people: people.into_values().collect(), world })
    }

    /// Writes a person's sheet of a collection: the person until the deadline, the office also later. Every sheet
    /// is kept; the newest counts.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn wish_sheet_write(
        &self,
        who: &Who,
        round: &WishRoundId,
        (member, sheet): (&MemberId, WishSheet),
        source: WishSource,
        key: Option<&Key>,
    ) -> Result<SheetWritten, AppError> {
        let kit = self.kit();
        let write = WriteSheet {
            kit: kit.clone(),
            who: who.clone(),
            round: round.clone(),
            member: member.clone(),
            sheet,
            source,
        };
        match self.run_once(&kit, who, key, write).await?.into_inner() {
            SheetWritten::NotFound => Err(AppError::NotFound),
            done => Ok(done),
        }
    }
}

/// What is wrong with a field of a sheet, in the words of forms.
#[must_use]
pub const fn wrong_of(wrong: SheetWrong) -> Wrong {
    match wrong {
        SheetWrong::TooMany => Wrong::TooLong,
        SheetWrong::Reversed | SheetWrong::OutsideThePeriod | SheetWrong::Weight => Wrong::OutOfRange,
    }
}
