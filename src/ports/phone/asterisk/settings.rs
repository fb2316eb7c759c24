//! The settings of an Asterisk and what makes them unusable. Not the conversation with it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::Deserialize;

use crate::domain::call::number::Number;
use crate::ports::mail::Secret;

/// Where a number stands in `dial`.
const PLACE: &str = "{number}";

/// The section `[phone]` for an Asterisk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsteriskSettings {
    /// The address of ARI: on this machine, `http://127.0.0.1:8088/ari`.
    #[serde(default = "default_ari")]
    pub ari: String,
    #[serde(default = "default_user")]
    pub user: String,
    pub password: Secret,
    /// How Asterisk dials: `{number}` is the number as it is written in Japan.
    #[serde(default = "default_dial")]
    pub dial: String,
    /// Where whom to ring while touban is down is kept, over a restart of Asterisk: the file that its dialplan
    /// includes.
    #[serde(default)]
    pub fallback_file: Option<PathBuf>,
    /// A folder that touban may write and Asterisk may read, best in memory: the caller's message lies there
    /// while a physician hears it.
    #[serde(default)]
    pub message_dir: Option<PathBuf>,
}

/// Why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("ari is not the address of an ARI: http://127.0.0.1:8088/ari")]
    Address,
    #[error("ari has to be on this machine: whoever reaches it can ring anybody, in the clear")]
    NotThisMachine,
    #[error("dial has to hold {PLACE} once, and no space: PJSIP/{PLACE}@trunk")]
    Dial,
    #[error("{0} has to be a whole path")]
    Path(&'static str),
}

fn default_ari() -> String {
    "http://127.0.0.1:8088/ari".to_owned()
}

fn default_user() -> String {
    "touban".to_owned()
}

fn default_dial() -> String {
    format!("PJSIP/{PLACE}@trunk")
}

impl AsteriskSettings {
    /// The checked address, without a slash at its end.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn address(&self) -> Result<Url, SettingsError> {
        let url = Url::parse(self.ari.trim_end_matches('/')).map_err(|_| SettingsError::Address)?;
        let host = url.host_str().ok_or(SettingsError::Address)?;
        let bare = host.trim_matches(['[', ']']);
        let here = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if url.scheme() != "http" || url.query().is_some() || !url.username().is_empty() {
            return Err(SettingsError::Address);
        }
        if here { Ok(url) } else { Err(SettingsError::NotThisMachine) }
    }

    /// Everything else that can be seen without the bridge.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn usable(&self) -> Result<(), SettingsError> {
        let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '&' | ';');
        if self.dial.matches(PLACE).count() != 1 || self.dial.contains(strange) {
            return Err(SettingsError::Dial);
        }
        let whole = |path: &Option<PathBuf>| path.as_deref().is_none_or(Path::is_absolute);
        if !whole(&self.fallback_file) {
            return Err(SettingsError::Path("fallback_file"));
        }
        if !whole(&self.message_dir) {
            return Err(SettingsError::Path("message_dir"));
        }
        self.address().map(|_| ())
    }

    /// What Asterisk is told to dial.
    pub(super) fn endpoint(&self, number: &Number) -> String {
        self.dial.replace(PLACE, &number.shown())
    }

    /// The trunk in `dial`, where it is written as `PJSIP/{number}@trunk`.
    pub(super) fn trunk(&self) -> Option<&str> {
        self.dial.strip_prefix("PJSIP/")?.split_once('@').map(|(_, trunk)| trunk)
    }
}
