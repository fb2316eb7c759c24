//! API keys of an association: made, listed, taken away. What a key may do is `app::access::Scope`.

use serde_json::json;

use super::super::access::{Scope, note};
use super::super::replay::{Done, Key};
use super::super::{App, AppError, Kit, Who};
use super::collect;
use crate::domain::consult::{Wrong, short_text};
use crate::ids::{ApiKeyId, AssociationId};
use crate::seal::Secret;
use crate::store::access::{ApiKeyRow, api_key_add, api_key_revoke, api_keys};
use crate::store::{Command, Conn, StoreError};

/// Keys that a list shows, the newest first.
const LISTED: i64 = 200;

struct AddKey {
    kit: Kit,
    who: Who,
    id: ApiKeyId,
    label: String,
    scopes: String,
    hash: [u8; 32],
}

impl Command for AddKey {
    type Output = ApiKeyId;

    async fn apply(&self, tx: &mut Conn) -> Result<ApiKeyId, StoreError> {
        let association = &self.who.association;
        api_key_add(tx, association, &self.id, &self.label, &self.scopes, &self.hash, self.kit.now).await?;
        let subject = format!("key:{}", self.id);
        // The label is free text and may name somebody; it stands with the key.
        let detail = json!({ "scopes": self.scopes });
        note(tx, &self.kit, &self.who, "key.add", &subject, detail).await?;
        Ok(self.id.clone())
    }
}

struct RevokeKey {
    kit: Kit,
    who: Who,
    id: ApiKeyId,
}

impl Command for RevokeKey {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let done = api_key_revoke(tx, &self.who.association, &self.id, self.kit.now).await?;
        if done {
            let subject = format!("key:{}", self.id);
            note(tx, &self.kit, &self.who, "key.revoke", &subject, json!({})).await?;
        }
        Ok(done)
    }
}

/// A key that was asked for.
#[derive(Debug)]
pub enum KeyMade {
    /// The secret is shown once and never again.
    New(ApiKeyId, Secret),
    /// The same form made one before, which was shown then.
    ShownBefore,
}

impl App {
    /// Makes an API key. The secret is shown once and never again.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn key_add(
        &self,
        who: &Who,
        label: &str,
        scopes: &[Scope],
    ) -> Result<(ApiKeyId, Secret), AppError> {
        match self.key_make(who, label, scopes, None).await? {
            KeyMade::New(id, secret) => Ok((id, secret)),
            KeyMade::ShownBefore => Err(AppError::KeyReused),
        }
    }

    /// The same for a form, which makes one key however often it is sent.
    ///
    /// # Errors
    /// As [`App::key_add`].
    pub async fn key_make(
        &self,
        who: &Who,
        label: &str,
        scopes: &[Scope],
        key: Option<&Key>,
    ) -> Result<KeyMade, AppError> {
        let wrong = collect([
            ("label", short_text(label, true)),
            ("scopes", scopes.is_empty().then_some(Wrong::Missing)),
        ]);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let id = ApiKeyId::new(kit.now, self.chance.as_ref());
        let secret = Secret::api_key(self.chance.as_ref());
        let mut codes: Vec<&str> = scopes.iter().map(|s| s.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        let add = AddKey {
            kit: kit.clone(),
            who: who.clone(),
            id,
            label: label.to_owned(),
            scopes: codes.join(" "),
            hash: secret.hash(),
        };
        Ok(match self.run_once(&kit, who, key, add).await? {
            Done::Fresh(id) => KeyMade::New(id, secret),
            Done::Again(_) => KeyMade::ShownBefore,
        })
    }

    /// The keys of an association, those that were taken away too.
    ///
    /// # Errors
    /// The store's.
    pub async fn keys(&self, association: &AssociationId) -> Result<Vec<ApiKeyRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(api_keys(&mut conn, association, LISTED).await?)
    }

    /// Takes a key away: from now on it opens nothing. `false`: it was taken away before.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_revoke(&self, who: &Who, id: &ApiKeyId) -> Result<bool, AppError> {
        Ok(self.db.run(RevokeKey { kit: self.kit(), who: who.clone(), id: id.clone() }).await?)
    }
}
