//! Idempotency-Keys: a command under a key acts once; a replay gives the same answer; the same key with
//! another body is refused. The answer is stored in the command's own transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{App, AppError, Kit, Who};
use crate::planted::{self, Bug};
use crate::store::access::{Replay, replay_add, replay_get, replay_lock};
use crate::store::{Command, Conn, StoreError};

/// The key and the body it came with.
#[derive(Clone, Debug)]
pub struct Key {
    pub key: String,
    /// SHA-256 of the operation and the body; stored only under a key of the key file.
    pub digest: [u8; 32],
    replayed: Arc<AtomicBool>,
}

impl Key {
    /// `operation` is part of what the key stands for: the same key elsewhere is another body.
    #[must_use]
    pub fn new(key: &str, operation: &str, body: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update((operation.len() as u64).to_be_bytes())
            .chain_update(operation.as_bytes())
            .chain_update(body)
            .finalize()
            .into();
        Self { key: key.to_owned(), digest, replayed: Arc::default() }
    }

    /// Whether the answer of a use case that was given this key (or a clone of it) was given before.
    #[must_use]
    pub fn was_replayed(&self) -> bool {
        self.replayed.load(Ordering::SeqCst)
    }

    /// What was answered before, if anything was.
    fn answered<T: DeserializeOwned>(
        &self,
        kit: &Kit,
        before: Option<Replay>,
    ) -> Result<Before<T>, StoreError> {
        let Some(before) = before else {
            return Ok(Before::Nothing);
        };
        if !kit.vault.seal.replay_mark_ok(&self.digest, &before.fingerprint) {
            return Ok(Before::OtherBody);
        }
        self.replayed.store(true, Ordering::SeqCst);
        serde_json::from_str(&before.body)
            .map(Before::Answered)
            .map_err(|e| StoreError::corrupt("idempotency", &self.key, e))
    }
}

enum Before<T> {
    Nothing,
    OtherBody,
    Answered(T),
}

/// The answer, and whether it was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done<T> {
    Fresh(T),
    Again(T),
}

impl<T> Done<T> {
    pub fn into_inner(self) -> T {
        match self {
            Self::Fresh(t) | Self::Again(t) => t,
        }
    }
}

struct Once<C> {
    inner: C,
    kit: Kit,
    who: Who,
    key: Key,
}

enum Outcome<T> {
    Done(Done<T>),
    KeyReused,
}

impl<C> Command for Once<C>
where
    C: Command,
    C::Output: Serialize + DeserializeOwned,
{
    type Output = Outcome<C::Output>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        if planted::is(Bug::UniqueKeyMissing) {
            return Ok(Outcome::Done(Done::Fresh(self.inner.apply(tx).await?)));
        }
        let (association, actor) = (&self.who.association, self.who.actor.as_str());
        let before = replay_lock(tx, association, actor, &self.key.key).await?;
        match self.key.answered(&self.kit, before)? {
            Before::OtherBody => return Ok(Outcome::KeyReused),
            Before::Answered(output) => return Ok(Outcome::Done(Done::Again(output))),
            Before::Nothing => {}
        }
        let output = self.inner.apply(tx).await?;
        let body = serde_json::to_string(&output)
            .map_err(|e| StoreError::corrupt("idempotency", &self.key.key, e))?;
        let fingerprint = self.kit.vault.seal.replay_mark(&self.key.digest).to_vec();
        let replay = Replay { fingerprint, status: 0, body };
        replay_add(tx, association, actor, &self.key.key, &replay, self.kit.now).await?;
        Ok(Outcome::Done(Done::Fresh(output)))
    }
}

impl App {
    /// Runs a command, under a key when there is one.
    pub(crate) async fn run_once<C>(
        &self,
        kit: &Kit,
        who: &Who,
        key: Option<&Key>,
        command: C,
    ) -> Result<Done<C::Output>, AppError>
    where
        C: Command,
        C::Output: Serialize + DeserializeOwned,
    {
        let Some(key) = key else {
            return Ok(Done::Fresh(self.db.run(command).await?));
        };
        let once = Once { inner: command, kit: kit.clone(), who: who.clone(), key: key.clone() };
        match self.db.run(once).await? {
            Outcome::Done(done) => Ok(done),
            Outcome::KeyReused => Err(AppError::KeyReused),
        }
    }

    /// What the command of this key answered, before anything is checked that may have changed since: a
    /// deadline that was far enough then, a PIN that was right then.
    pub(crate) async fn replayed<T: DeserializeOwned>(
        &self,
        who: &Who,
        key: Option<&Key>,
    ) -> Result<Option<T>, AppError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let mut conn = self.db.read().await?;
        let before = replay_get(&mut conn, &who.association, &who.actor, &key.key).await?;
        match key.answered(&self.kit(), before)? {
            Before::Nothing => Ok(None),
            Before::OtherBody => Err(AppError::KeyReused),
            Before::Answered(output) => Ok(Some(output)),
        }
    }
}
