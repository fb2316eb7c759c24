//! A person's own sessions: which there are, and ending them.

use serde_json::json;

use crate::app::access::{SignedIn, note};
use crate::app::{App, AppError, Kit, Who};
use crate::ids::{MemberId, SessionId};
use crate::store::access::{SessionRow, access_end, session_end_one, sessions_of_member};
use crate::store::{Command, Conn, StoreError};

struct EndOne {
    kit: Kit,
    who: Who,
    member: MemberId,
    session: SessionId,
}

impl Command for EndOne {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        if !session_end_one(tx, association, &self.member, &self.session, self.kit.now).await? {
            return Ok(false);
        }
        let subject = format!("member:{}", self.member);
        let detail = json!({ "session": self.session.as_str() });
        note(tx, &self.kit, &self.who, "sign_in.ended", &subject, detail).await?;
        Ok(true)
    }
}

pub(super) struct EndAll {
    pub kit: Kit,
    pub who: Who,
    pub member: MemberId,
}

impl Command for EndAll {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        access_end(tx, &self.who.association, &self.member, self.kit.now).await?;
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "sign_in.ended_everywhere", &subject, json!({})).await.map(drop)
    }
}

impl App {
    /// The live sessions of the person, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn sessions(&self, person: &SignedIn) -> Result<Vec<SessionRow>, AppError> {
        let now = self.now();
        let idle_since = now.plus_s(-self.rules.session_idle_s);
        let mut conn = self.db.read().await?;
        Ok(sessions_of_member(&mut conn, &person.association.id, &person.member.id, now, idle_since).await?)
    }

    /// Ends one of the person's sessions.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not theirs or ended before; the store's.
    pub async fn session_end(&self, person: &SignedIn, session: &SessionId) -> Result<(), AppError> {
        let (who, member) = (person.who(), person.member.id.clone());
        let end = EndOne { kit: self.kit(), who, member, session: session.clone() };
        if self.db.run(end).await? { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Ends every session of the person and forgets their known devices.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out_everywhere(&self, person: &SignedIn) -> Result<(), AppError> {
        let (who, member) = (person.who(), person.member.id.clone());
        Ok(self.db.run(EndAll { kit: self.kit(), who, member }).await?)
    }
}
