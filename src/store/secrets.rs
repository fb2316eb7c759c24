//! Month keys and the sealing of single columns: clinical text and phone numbers never stand in plain.

use super::db::{Conn, StoreError};
use super::row::values;
use super::statements;
use crate::ids::{AssociationId, SharedChance};
use crate::seal::{LASTING, Place, Seal, sealed_month};
use crate::time::Millis;

statements! {
    MONTH_KEY_BY_MONTH = "SELECT wrapped, destroyed_at_ms FROM month_key WHERE association_id = $1 AND month = $2";
    MONTH_KEY_ADD = "INSERT INTO month_key (association_id, month, wrapped) VALUES ($1, $2, $3) ON CONFLICT (association_id, month) DO NOTHING";
    MONTH_KEYS = "SELECT association_id, month, wrapped FROM month_key WHERE destroyed_at_ms IS NULL ORDER BY association_id, month";
    INSTALLATION_GET = "SELECT value FROM installation WHERE name = $1";
    INSTALLATION_SET = "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// The keys and the source of nonces; cheap to clone into commands.
#[derive(Clone, Debug)]
pub struct Vault {
    pub seal: Seal,
    pub chance: SharedChance,
}

/// The column a value is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: &'a str,
}

/// What came of opening a text that is not kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept<T> {
    Text(T),
    /// Its key was destroyed at the end of its time.
    Destroyed {
        on: Millis,
    },
}

impl<T> Kept<T> {
    /// The text, where it still is.
    pub const fn text(&self) -> Option<&T> {
        match self {
            Self::Text(text) => Some(text),
            Self::Destroyed { .. } => None,
        }
    }

    /// When its key was destroyed.
    pub const fn destroyed(&self) -> Option<Millis> {
        match self {
            Self::Text(_) => None,
            Self::Destroyed { on } => Some(*on),
        }
    }
}

/// A key as it is stored.
enum Stored {
    Wrapped(String),
    Destroyed(Millis),
}

impl Vault {
    /// Seals `plain` for its column under the month key of `now`, which is made when it is missing.
    ///
    /// # Errors
    /// The database's, or a month key that this key file does not open.
    pub async fn seal(
        &self,
        tx: &mut Conn,
        association: &AssociationId,
        at: Sealed<'_>,
        now: Millis,
        plain: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let month: String = now.rfc3339().chars().take(7).collect();
        self.seal_under(tx, association, at, &month, plain).await
    }

    /// Seals what does not go with the cases of its month: numbers and accounts of people and institutions.
    ///
    /// # Errors
    /// As [`Vault::seal`].
    pub async fn seal_lasting(
        &self,
        tx: &mut Conn,
        association: &AssociationId,
        at: Sealed<'_>,
        plain: &str,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal_under(tx, association, at, LASTING, plain).await
    }

    /// Seals under a key by its name; [`Vault::seal`] and [`Vault::seal_lasting`] are for everyday.
    ///
    /// # Errors
    /// As [`Vault::seal`]; the key was destroyed.
    pub(super) async fn seal_under(
        &self,
        tx: &mut Conn,
        association: &AssociationId,
        at: Sealed<'_>,
        month: &str,
        plain: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let wrapped = match Self::stored(tx, association, month).await? {
            Some(stored) => Some(stored),
            None => {
                let fresh = self.seal.new_month_key(association, month, self.chance.as_ref())?;
                tx.exec(&MONTH_KEY_ADD, values![association.as_str(), month, fresh]).await?;
                // Another instance may have been quicker; the one in the database counts.
                Self::stored(tx, association, month).await?
            }
        };
        let Some(Stored::Wrapped(wrapped)) = wrapped else {
            return Err(StoreError::Unusable(format!(
                "the key of {month} is gone; nothing new is sealed under it"
            )));
        };
        let key = self.seal.open_month_key(association, month, &wrapped)?;
        let place = Place { association, table: at.table, column: at.column, row: at.row };
        Ok(self.seal.seal(&key, &place, plain.as_bytes(), self.chance.as_ref())?)
    }

    /// Opens what [`Vault::seal_lasting`] made for this column, or a text that cannot be past its time.
    ///
    /// # Errors
    /// The value was changed, moved, or its key is gone.
    pub async fn open(
        &self,
        conn: &mut Conn,
        association: &AssociationId,
        at: Sealed<'_>,
        sealed: &[u8],
    ) -> Result<String, StoreError> {
        match self.open_kept(conn, association, at, sealed).await? {
            Kept::Text(text) => Ok(text),
            Kept::Destroyed { .. } => Err(StoreError::Unusable(format!(
                "the key of {} was destroyed; its texts cannot be read any more",
                sealed_month(sealed)?
            ))),
        }
    }

    /// Opens what [`Vault::seal`] made for this column, unless its time is over.
    ///
    /// # Errors
    /// The value was changed or moved; its key is not there and was never destroyed.
    pub async fn open_kept(
        &self,
        conn: &mut Conn,
        association: &AssociationId,
        at: Sealed<'_>,
        sealed: &[u8],
    ) -> Result<Kept<String>, StoreError> {
        let month = sealed_month(sealed)?.to_owned();
        let wrapped = match Self::stored(conn, association, &month).await? {
            Some(Stored::Wrapped(wrapped)) => wrapped,
            Some(Stored::Destroyed(on)) => return Ok(Kept::Destroyed { on }),
            None => return Err(StoreError::Unusable(format!("the key of {month} is not in the database"))),
        };
        let key = self.seal.open_month_key(association, &month, &wrapped)?;
        let place = Place { association, table: at.table, column: at.column, row: at.row };
        let plain = self.seal.open(&key, &place, sealed)?;
        String::from_utf8(plain.to_vec())
            .map(Kept::Text)
            .map_err(|e| StoreError::corrupt("sealed text", at.row, e.utf8_error()))
    }

    async fn stored(
        conn: &mut Conn,
        association: &AssociationId,
        month: &str,
    ) -> Result<Option<Stored>, StoreError> {
        let Some(row) = conn.one(&MONTH_KEY_BY_MONTH, values![association.as_str(), month]).await? else {
            return Ok(None);
        };
        Ok(Some(match row.opt_millis("destroyed_at_ms")? {
            Some(on) => Stored::Destroyed(on),
            None => Stored::Wrapped(row.text("wrapped")?),
        }))
    }

    /// Whether the key file belongs to this database; an empty database takes it as its own.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] with the one line to print when it is the wrong key.
    pub async fn recognise(&self, tx: &mut Conn) -> Result<(), StoreError> {
        match tx.one(&INSTALLATION_GET, values!["seal_fingerprint"]).await? {
            Some(row) if self.seal.recognises(&row.text("value")?) => Ok(()),
            Some(_) => Err(StoreError::Unusable(
                "the key file is not the one this database was made with; put the right file in place \
                 ([keys] file); nothing was changed"
                    .to_owned(),
            )),
            None => {
                let print = self.seal.fingerprint();
                tx.exec(&INSTALLATION_SET, values!["seal_fingerprint", print]).await.map(drop)
            }
        }
    }
}

/// Whether a key was ever used with this database: then a missing key file must not be made anew.
///
/// # Errors
/// The database's.
pub async fn has_key(conn: &mut Conn) -> Result<bool, StoreError> {
    Ok(conn.one(&INSTALLATION_GET, values!["seal_fingerprint"]).await?.is_some())
}

/// Whether `seal` holds the key this database was made with; `None` when no key was ever used with it.
///
/// # Errors
/// The database's.
pub async fn key_fits(conn: &mut Conn, seal: &Seal) -> Result<Option<bool>, StoreError> {
    let row = conn.one(&INSTALLATION_GET, values!["seal_fingerprint"]).await?;
    row.map(|r| Ok(seal.recognises(&r.text("value")?))).transpose()
}

/// Opens every key that was not destroyed, as `verify` does.
///
/// # Errors
/// The first one that does not open.
pub async fn month_keys_open(conn: &mut Conn, seal: &Seal) -> Result<usize, StoreError> {
    let rows = conn.all(&MONTH_KEYS, &[]).await?;
    for row in &rows {
        let association = row.id("association_id", AssociationId::from_stored)?;
        seal.open_month_key(&association, &row.text("month")?, &row.text("wrapped")?)?;
    }
    Ok(rows.len())
}
