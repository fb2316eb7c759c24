//! Idempotency-Keys: a command under a key acts once; a replay gives the same answer; the same key with
//! another body is refused. The answer is stored in the command's own transaction.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{App, AppError, Kit, Who};
use crate::store::access::{Replay, replay_add, replay_lock};
use crate::store::{Command, Conn, StoreError};

/// The key and the body it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub key: String,
    pub fingerprint: [u8; 32],
}

impl Key {
    /// `operation` is part of what the key stands for: the same key elsewhere is another body.
    #[must_use]
    pub fn new(key: &str, operation: &str, body: &[u8]) -> Self {
        let fingerprint = Sha256::new()
            .chain_update((operation.len() as u64).to_be_bytes())
            .chain_update(operation.as_bytes())
            .chain_update(body)
            .finalize()
            .into();
        Self { key: key.to_owned(), fingerprint }
    }
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
        let (association, actor) = (&self.who.association, self.who.actor.as_str());
        if let Some(before) = replay_lock(tx, association, actor, &self.key.key).await? {
            if before.fingerprint != self.key.fingerprint {
                return Ok(Outcome::KeyReused);
            }
            let output = serde_json::from_str(&before.body)
                .map_err(|e| StoreError::corrupt("idempotency", &self.key.key, e))?;
            return Ok(Outcome::Done(Done::Again(output)));
        }
        let output = self.inner.apply(tx).await?;
        let body = serde_json::to_string(&output)
            .map_err(|e| StoreError::corrupt("idempotency", &self.key.key, e))?;
        let replay = Replay { fingerprint: self.key.fingerprint.to_vec(), status: 0, body };
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
}
