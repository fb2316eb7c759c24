//! What goes into a statement and what comes out of it: values and rows. Running statements is `db`.

use std::sync::Arc;

use super::db::StoreError;

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(Some(v))
    }
}
impl From<Option<i64>> for Value {
    fn from(v: Option<i64>) -> Self {
        Self::Int(v)
    }
}
impl From<crate::time::Millis> for Value {
    fn from(v: crate::time::Millis) -> Self {
        Self::Int(Some(v.0))
    }
}
impl From<Option<crate::time::Millis>> for Value {
    fn from(v: Option<crate::time::Millis>) -> Self {
        Self::Int(v.map(|m| m.0))
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(Some(v.to_owned()))
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(Some(v))
    }
}
impl From<Option<&str>> for Value {
    fn from(v: Option<&str>) -> Self {
        Self::Text(v.map(str::to_owned))
    }
}
impl From<Option<String>> for Value {
    fn from(v: Option<String>) -> Self {
        Self::Text(v)
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(Some(v))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(v: Option<Vec<u8>>) -> Self {
        Self::Bytes(v)
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Bytes(Some(v.to_vec()))
    }
}

/// `values![a, b, c]`: parameters from anything that is one.
macro_rules! values {
    ($($v:expr),* $(,)?) => { &[$($crate::store::Value::from($v)),*] };
}
pub(crate) use values;

/// One row of an answer, read by column name.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) names: Arc<[String]>,
    pub(super) cells: Vec<Value>,
}

impl Row {
    fn cell(&self, column: &str) -> Result<&Value, StoreError> {
        let at = self.names.iter().position(|n| n == column);
        at.and_then(|i| self.cells.get(i)).ok_or_else(|| StoreError::Shape { column: column.to_owned() })
    }

    /// # Errors
    /// The column is not there, or not an integer, or NULL.
    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| StoreError::Shape { column: column.to_owned() })
    }

    /// # Errors
    /// The column is not there or not an integer.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.cell(column)? {
            Value::Int(v) => Ok(*v),
            Value::Text(None) | Value::Bytes(None) => Ok(None),
            Value::Text(_) | Value::Bytes(_) => Err(StoreError::Shape { column: column.to_owned() }),
        }
    }

    /// # Errors
    /// As [`Row::int`].
    pub fn millis(&self, column: &str) -> Result<crate::time::Millis, StoreError> {
        self.int(column).map(crate::time::Millis)
    }

    /// # Errors
    /// As [`Row::opt_int`].
    pub fn opt_millis(&self, column: &str) -> Result<Option<crate::time::Millis>, StoreError> {
        Ok(self.opt_int(column)?.map(crate::time::Millis))
    }

    /// # Errors
    /// The column is not there, or not text, or NULL.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| StoreError::Shape { column: column.to_owned() })
    }

    /// # Errors
    /// The column is not there or not text.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        match self.cell(column)? {
            Value::Text(v) => Ok(v.clone()),
            Value::Int(None) | Value::Bytes(None) => Ok(None),
            Value::Int(_) | Value::Bytes(_) => Err(StoreError::Shape { column: column.to_owned() }),
        }
    }

    /// # Errors
    /// The column is not there, or not bytes, or NULL.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.opt_bytes(column)?.ok_or_else(|| StoreError::Shape { column: column.to_owned() })
    }

    /// # Errors
    /// The column is not there or not bytes.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.cell(column)? {
            Value::Bytes(v) => Ok(v.clone()),
            Value::Int(None) | Value::Text(None) => Ok(None),
            Value::Int(_) | Value::Text(_) => Err(StoreError::Shape { column: column.to_owned() }),
        }
    }

    /// A typed id.
    ///
    /// # Errors
    /// The column is not there or does not hold such an id.
    pub fn id<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Result<T, crate::ids::NotAnId>,
    ) -> Result<T, StoreError> {
        let text = self.text(column)?;
        read(&text).map_err(|e| StoreError::corrupt(column, text, e))
    }

    /// A typed id, or NULL.
    ///
    /// # Errors
    /// The column is not there or holds something else.
    pub fn opt_id<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Result<T, crate::ids::NotAnId>,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| read(&text).map_err(|e| StoreError::corrupt(column, text, e)))
            .transpose()
    }

    /// A JSON document.
    ///
    /// # Errors
    /// The column is not there or does not hold such a document.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|e| StoreError::corrupt(column, "", e))
    }
}
