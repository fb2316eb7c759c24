//! What only `touban demo` has: a clock that can jump ahead, the mail folder shown as a page, and the
//! invented people one can act as. The one place where `app` reads a port.

use std::sync::Arc;

use crate::ids::{AssociationId, MemberId};
/// A mail of the exercise, as its reader sees it.
pub use crate::ports::mail::CaughtMail as Mail;
use crate::ports::mail::FolderMail;
use crate::store::jobs::Lane;
use crate::time::LeapingClock;

/// Somebody of the invented association.
#[derive(Clone, Debug)]
pub struct DemoPerson {
    /// The key in the data of the demo, such as `sato`.
    pub key: String,
    pub member: MemberId,
    /// Shown on the page: this is a game.
    pub pin: String,
}

/// The controls of the demo.
#[derive(Clone, Debug)]
pub struct Demo {
    pub association: AssociationId,
    pub clock: Arc<LeapingClock>,
    pub mailbox: Arc<FolderMail>,
    pub people: Vec<DemoPerson>,
    /// The key of the doctor the newcomer begins as.
    pub asker: String,
    /// The key of the clerk who reads the ledger.
    pub clerk: String,
}

impl super::App {
    /// Jumps ahead, and lets the workers see what has become due.
    pub fn demo_leap(&self, demo: &Demo, seconds: u32) {
        demo.clock.leap_s(seconds);
        for lane in [Lane::Urgent, Lane::Wake, Lane::Mail, Lane::Reports] {
            self.db.work(lane).notify_one();
        }
    }

    /// Signs in as somebody of the demo, without a mail and a PIN. Only the demo has a caller for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn demo_sign_in(
        &self,
        demo: &Demo,
        person: &DemoPerson,
    ) -> Result<crate::seal::Secret, super::AppError> {
        let (access, cookies) = super::access::new_access(self, false);
        let association = demo.association.clone();
        // It is a game: the people of the office are let in as if they had shown a passkey.
        let office = self.member(&association, &person.member).await?.is_office();
        let access = if office { access.strongly("demo") } else { access };
        let enter = Enter { kit: self.kit(), association, member: person.member.clone(), access };
        self.db.run(enter).await?;
        Ok(cookies.session)
    }
}

struct Enter {
    kit: super::Kit,
    association: AssociationId,
    member: MemberId,
    access: super::access::NewAccess,
}

impl crate::store::Command for Enter {
    type Output = ();

    async fn apply(&self, tx: &mut crate::store::Conn) -> Result<(), crate::store::StoreError> {
        super::access::write_access(tx, &self.kit, &self.association, &self.member, &self.access).await?;
        let who = super::Who::member(&self.association, &self.member);
        let subject = format!("member:{}", self.member);
        let detail = serde_json::json!({ "by": "demo", "strong": self.access.strong });
        super::access::note(tx, &self.kit, &who, "sign_in.done", &subject, detail).await.map(drop)
    }
}
