//! Arranges: one function per use case, one transaction each. What is decided stands in `domain`; how it is
//! remembered in `store`.

pub mod access;
pub mod answers;
pub mod calendar;
pub mod call;
pub mod cards;
pub mod clinic_records;
pub mod consult;
pub mod contact;
pub mod cover;
pub mod demo;
pub mod directory;
pub mod flow;
pub mod health;
pub mod households;
pub mod ledger;
pub mod mail_texts;
pub mod outbox;
pub mod people;
pub mod pillars;
pub mod post;
pub mod replay;
pub mod retention;
pub mod rota;
pub mod rows;
pub mod say;
pub mod settings;
pub mod setup;
pub mod sheets;
pub mod signin;
pub mod swap;
pub mod tonight;
pub mod transfer;
pub mod verify;
pub mod views;

use std::sync::Arc;

use crate::domain::calendar::{Calendar, CivilDate, civil_day};
use crate::domain::consult::FieldWrong;
use crate::domain::dispatch::Plans;
use crate::domain::ledger::Tariffs;
use crate::ids::{AssociationId, MemberId, SharedChance};
use crate::store::people::association_by_id;
use crate::store::secrets::Vault;
use crate::store::{Db, StoreError};
use crate::time::{Millis, SharedClock};

/// What an installation is configured to do, as far as the use cases need it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Links are built from this and nothing else; no slash at the end.
    pub base_url: String,
    /// The host name in Message-IDs.
    pub mail_host: String,
    pub plans: Plans,
    pub tariffs: Tariffs,
    pub calendar: Calendar,
    pub sign_in_life_s: i64,
    pub offer_life_max_s: i64,
    pub device_life_s: i64,
    pub session_idle_s: i64,
    pub session_max_s: i64,
    pub pin_tries_per_link: i64,
    pub pin_tries_total: i64,
    /// Seconds until the next try of a mail, by the number of tries before.
    pub mail_retry_s: Vec<u32>,
    pub urgent_mail_retry_s: Vec<u32>,
    pub alarm_repeat_s: i64,
    /// A worker may not take longer than this before its work is due again.
    pub lease_s: i64,
    /// A job that failed without an answer this often is given up.
    pub poison_tries: u32,
    pub replay_keep_s: i64,
    /// From a colleague's word to the link for somebody who lost every means to sign in.
    pub recovery_delay_s: i64,
}

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    pub db: Db,
    pub vault: Vault,
    pub clock: SharedClock,
    pub chance: SharedChance,
    pub rules: Arc<Rules>,
    /// The way out for a mail that is tried; other mails go by the outbox.
    post: Option<Arc<post::Post>>,
    /// The rotas as they stand, laid once.
    rota: Arc<rota::Laid>,
    /// Argon2 is heavy on purpose; a flood of PINs must not starve the rest.
    pins: Arc<tokio::sync::Semaphore>,
    waiting: Arc<tokio::sync::Semaphore>,
}

/// PINs checked at the same time.
const PIN_WORKERS: usize = 2;
/// PIN checks that may wait; more are told to come back.
const PIN_QUEUE: usize = 600;

impl App {
    #[must_use]
    pub fn new(db: Db, vault: Vault, clock: SharedClock, rules: Rules) -> Self {
        Self {
            db,
            chance: vault.chance.clone(),
            vault,
            clock,
            rules: Arc::new(rules),
            post: None,
            rota: Arc::default(),
            pins: Arc::new(tokio::sync::Semaphore::new(PIN_WORKERS)),
            waiting: Arc::new(tokio::sync::Semaphore::new(PIN_QUEUE)),
        }
    }

    /// The same with a way out for test mails.
    #[must_use]
    pub fn with_post(self, post: post::Post) -> Self {
        Self { post: Some(Arc::new(post)), ..self }
    }

    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The day it is for an association.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such association; the store's.
    pub(crate) async fn today_of(&self, association: &AssociationId) -> Result<CivilDate, AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        Ok(civil_day(self.now(), home.zone))
    }

    /// What a command needs of the application, owned, so that it can be run again.
    #[must_use]
    pub(crate) fn kit(&self) -> Kit {
        Kit { now: self.now(), vault: self.vault.clone(), rules: self.rules.clone() }
    }
}

/// The moment, the keys and the rules of one command.
#[derive(Clone, Debug)]
pub(crate) struct Kit {
    pub now: Millis,
    pub vault: Vault,
    pub rules: Arc<Rules>,
}

/// Who does it, and in whose name. Both stand in the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub association: AssociationId,
    /// `member:…`, `key:…`, `cli`, `runner`.
    pub actor: String,
    /// The person whose deed it is, where that is not the actor.
    pub on_behalf_of: Option<String>,
}

impl Who {
    #[must_use]
    pub fn member(association: &AssociationId, member: &MemberId) -> Self {
        Self { association: association.clone(), actor: format!("member:{member}"), on_behalf_of: None }
    }

    #[must_use]
    pub fn key(
        association: &AssociationId,
        key: &crate::ids::ApiKeyId,
        for_member: Option<&MemberId>,
    ) -> Self {
        Self {
            association: association.clone(),
            actor: format!("key:{key}"),
            on_behalf_of: for_member.map(|m| format!("member:{m}")),
        }
    }

    /// A member in the name of another.
    #[must_use]
    pub fn member_for(association: &AssociationId, member: &MemberId, for_member: &MemberId) -> Self {
        let on_behalf_of = Some(format!("member:{for_member}"));
        Self { on_behalf_of, ..Self::member(association, member) }
    }

    #[must_use]
    pub fn cli(association: &AssociationId) -> Self {
        Self { association: association.clone(), actor: "cli".to_owned(), on_behalf_of: None }
    }

    #[must_use]
    pub fn runner(association: &AssociationId) -> Self {
        Self { association: association.clone(), actor: "runner".to_owned(), on_behalf_of: None }
    }
}

/// Why a use case was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Not there, or not for this person: the two look the same.
    #[error("not there")]
    NotFound,
    #[error("{} fields cannot be taken", .0.len())]
    Invalid(Vec<FieldWrong>),
    /// The same Idempotency-Key came with another body.
    #[error("the key was used for something else")]
    KeyReused,
    /// Too many are waiting.
    #[error("too busy")]
    Busy,
    /// Somebody else changed it since it was read.
    #[error("changed meanwhile")]
    ChangedMeanwhile,
    /// The plan this kind of request needs is not configured.
    #[error("no plan is called {0}")]
    NoPlan(String),
}

impl AppError {
    /// It may work in a moment: try again.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy) || matches!(self, Self::Store(e) if e.is_passing())
    }

    /// Somebody else changed it meanwhile.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::ChangedMeanwhile | Self::Store(StoreError::Stale { .. }))
    }

    /// One wrong field.
    #[must_use]
    pub fn field(field: &'static str, wrong: crate::domain::consult::Wrong) -> Self {
        Self::Invalid(vec![FieldWrong { field, wrong }])
    }
}
