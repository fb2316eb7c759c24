//! Night cards that are past their time, and those of which the doctor is reminded that they have become old: once a
//! night, beside the job of the retention.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::{attending_of, mails, mode_of};
use crate::domain::calendar::{civil_day, start_of_day};
use crate::domain::cover::cards::{DataMode, FRESH_DAYS};
use crate::ids::{HouseholdId, InstitutionId, NightCardId};
use crate::store::cards::{PairRow, card_reminded, cards_destroy, cards_end, cards_old, pair_set};
use crate::store::people::{Association, association_by_id};
use crate::store::{Command, Conn, StoreError};

/// Destroys the cards whose time has come; how many.
async fn destroy_due(tx: &mut Conn, kit: &Kit, who: &Who) -> Result<usize, StoreError> {
    let gone = cards_destroy(tx, &who.association, kit.now).await?;
    if !gone.cards.is_empty() || gone.reasons > 0 {
        let cards: Vec<&str> = gone.cards.iter().map(NightCardId::as_str).collect();
        let detail = json!({ "cards": cards, "reasons": gone.reasons });
        note(tx, kit, who, "card.destroy", "night_card", detail).await?;
    }
    Ok(gone.cards.len())
}

/// A patient was taken off the list: the cards go with the keys, now (or, on hold, when it is lifted), and nobody is
/// their 主治医 any more.
pub(crate) async fn household_gone(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    clinic: &InstitutionId,
    household: &HouseholdId,
) -> Result<(), StoreError> {
    cards_end(tx, &who.association, household, kit.now).await?;
    let nobody = PairRow { household: Some(household.clone()), ..PairRow::default() };
    pair_set(tx, &who.association, clinic, &nobody, (kit.now, &who.actor)).await?;
    destroy_due(tx, kit, who).await.map(drop)
}

struct Round {
    kit: Kit,
    who: Who,
}

impl Command for Round {
    /// Cards destroyed, and mails about old ones.
    type Output = (usize, usize);

    async fn apply(&self, tx: &mut Conn) -> Result<(usize, usize), StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let destroyed = destroy_due(tx, kit, &self.who).await?;
        let Some(home) = association_by_id(tx, association).await? else { return Ok((destroyed, 0)) };
        if mode_of(tx, association).await? == DataMode::None {
            return Ok((destroyed, 0));
        }
        let today = civil_day(kit.now, home.zone);
        let before = start_of_day(today.plus_days(-FRESH_DAYS), home.zone);
        let mut old: BTreeMap<InstitutionId, usize> = BTreeMap::new();
        for (clinic, _, card) in cards_old(tx, association, before).await? {
            card_reminded(tx, association, &card, kit.now).await?;
            *old.entry(clinic).or_default() += 1;
        }
        let mut mails = 0;
        for (clinic, count) in old {
            for person in attending_of(tx, association, &clinic, kit.now).await? {
                let key = format!("card:old:{clinic}:{today}:{person}");
                mails::tell(tx, kit, association, &person, ("old", count), key).await?;
                mails += 1;
            }
        }
        Ok((destroyed, mails))
    }
}

impl App {
    /// The nightly round of one association: what is past its time is destroyed, and who wrote cards that have become
    /// old is reminded once. How many cards were destroyed.
    ///
    /// # Errors
    /// The store's.
    pub async fn cards_round(&self, home: &Association) -> Result<usize, AppError> {
        let round = Round { kit: self.kit(), who: Who::runner(&home.id) };
        let (destroyed, _) = self.db.run(round).await?;
        if destroyed > 0 {
            self.db.empty_log().await?;
        }
        Ok(destroyed)
    }
}
