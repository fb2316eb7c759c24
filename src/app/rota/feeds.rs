//! Links by which calendar programs read duties: made, shown once, ended; and what stands in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::{Done, Key};
use super::super::{App, AppError, Kit, Who};
use super::{LaidRota, RotaWorld};
use crate::domain::calendar::{CivilDate, start_of_day};
use crate::domain::rota::feed::{Entry, Whose, entries};
use crate::domain::rota::{Area, RotaRole};
use crate::ids::{AssociationId, CalendarFeedId, MemberId};
use crate::seal::{Secret, token_hash};
pub use crate::store::feeds::FeedRow;
use crate::store::feeds::{feed_add, feed_by_token, feed_revoke, feeds_of_member};
use crate::store::people::Member;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// A feed reaches this far back and ahead, in days: a year back, and the thirteen months ahead for which a rota may
/// be published.
const BACK_DAYS: i64 = 366;
const AHEAD_DAYS: i64 = 397;
/// Links that one person may have at a time.
pub const FEEDS_MAX: usize = 20;

/// How making a link ended.
#[derive(Clone, Debug)]
pub enum FeedMade {
    /// The secret stands nowhere else: it is shown now or never.
    Shown { id: CalendarFeedId, token: Secret },
    /// This form was sent before, and the link was shown then.
    ShownBefore,
    /// They have [`FEEDS_MAX`] already.
    TooMany,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Added {
    Done,
    TooMany,
}

struct AddFeed {
    kit: Kit,
    who: Who,
    feed: FeedRow,
    token_hash: [u8; 32],
}

impl Command for AddFeed {
    type Output = Added;

    async fn apply(&self, tx: &mut Conn) -> Result<Added, StoreError> {
        let (kit, feed) = (&self.kit, &self.feed);
        if feeds_of_member(tx, &feed.association, &feed.member).await?.len() >= FEEDS_MAX {
            return Ok(Added::TooMany);
        }
        feed_add(tx, feed, &self.token_hash, &self.who.actor).await?;
        let line = feed.line.as_ref().map(|(area, role)| format!("{area}/{}", role.code()));
        let detail = json!({ "feed": feed.id.as_str(), "line": line });
        note(tx, kit, &self.who, "feed.add", &format!("member:{}", feed.member), detail).await?;
        Ok(Added::Done)
    }
}

struct RevokeFeed {
    kit: Kit,
    who: Who,
    member: MemberId,
    id: CalendarFeedId,
}

impl Command for RevokeFeed {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let ended = feed_revoke(tx, association, &self.member, &self.id, kit.now, &self.who.actor).await?;
        if ended {
            let detail = json!({ "feed": self.id.as_str() });
            note(tx, kit, &self.who, "feed.revoke", &format!("member:{}", self.member), detail).await?;
        }
        Ok(ended)
    }
}

/// What a link shows.
#[derive(Clone, Debug)]
pub struct FeedView {
    pub feed: FeedRow,
    /// Whose link it is.
    pub member: Member,
    pub world: RotaWorld,
    pub laid: Arc<LaidRota>,
    pub entries: Vec<Entry>,
}

/// What a token opens.
#[derive(Clone, Debug)]
pub enum FeedOpened {
    Here(Box<FeedView>),
    /// It was ended, or its owner has left: it will not come back.
    Gone,
    /// There never was such a link.
    Nothing,
}

impl App {
    /// Makes a link to what a member holds, or to a role of an area.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an area that is not in the settings; the store's.
    pub async fn feed_make(
        &self,
        who: &Who,
        member: &MemberId,
        line: Option<(Area, RotaRole)>,
        key: Option<&Key>,
    ) -> Result<FeedMade, AppError> {
        if self.replayed::<Added>(who, key).await?.is_some() {
            return Ok(FeedMade::ShownBefore);
        }
        if let Some((area, _)) = &line
            && self.rota_world(&who.association).await?.settings.area(area).is_none()
        {
            return Err(AppError::NotFound);
        }
        let kit = self.kit();
        let token = Secret::new(self.chance.as_ref());
        let id = CalendarFeedId::new(kit.now, self.chance.as_ref());
        let feed = FeedRow {
            association: who.association.clone(),
            id: id.clone(),
            member: member.clone(),
            line,
            made_at: kit.now,
            revoked_at: None,
        };
        let add = AddFeed { kit: kit.clone(), who: who.clone(), feed, token_hash: token.hash() };
        Ok(match self.run_once(&kit, who, key, add).await? {
            Done::Fresh(Added::Done) => FeedMade::Shown { id, token },
            Done::Fresh(Added::TooMany) | Done::Again(Added::TooMany) => FeedMade::TooMany,
            Done::Again(Added::Done) => FeedMade::ShownBefore,
        })
    }

    /// The links of a member that still work, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn feeds(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<Vec<FeedRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(feeds_of_member(&mut conn, association, member).await?)
    }

    /// Ends one of a member's links, at once and for ever.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when it was ended before; the store's.
    pub async fn feed_end(
        &self,
        who: &Who,
        member: &MemberId,
        id: &CalendarFeedId,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let revoke =
            RevokeFeed { kit: kit.clone(), who: who.clone(), member: member.clone(), id: id.clone() };
        let ended = self.run_once(&kit, who, key, revoke).await?.into_inner();
        if ended { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// What the link with this token shows now.
    ///
    /// # Errors
    /// The store's.
    pub async fn feed_open(&self, token: &str) -> Result<FeedOpened, AppError> {
        let mut conn = self.db.read().await?;
        let Some(feed) = feed_by_token(&mut conn, &token_hash(token)).await? else {
            return Ok(FeedOpened::Nothing);
        };
        drop(conn);
        if feed.revoked_at.is_some() {
            return Ok(FeedOpened::Gone);
        }
        let world = self.rota_world(&feed.association).await?;
        let now = self.now();
        let member = world.members.get(&feed.member).filter(|m| m.is_active(now)).cloned();
        let Some(member) = member else { return Ok(FeedOpened::Gone) };
        let days = |n: i64| -> CivilDate { world.today().plus_days(n) };
        let zone = world.zone();
        let window =
            Window { from: start_of_day(days(-BACK_DAYS), zone), to: start_of_day(days(AHEAD_DAYS), zone) };
        let laid = self.rota_laid(&feed.association, window.from).await?;
        let whose = match &feed.line {
            None => Whose::Person(feed.member.clone()),
            Some((area, role)) => Whose::Line { area: area.clone(), role: *role },
        };
        let entries = entries(&laid.records, &whose, window, now);
        Ok(FeedOpened::Here(Box::new(FeedView { feed, member, world, laid, entries })))
    }
}
