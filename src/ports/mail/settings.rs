//! The settings of an SMTP server and what makes them unusable. Not the conversation with it (`smtp`).

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Longest `send_budget_s`. The lease on a mail that is being sent is 30 s and given up at 20 s.
const MAX_SEND_BUDGET_S: u32 = 20;
const PEM_BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A text that must not be shown: its `Debug` is `***`, and its memory is wiped when it goes.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Secret {
    /// The text itself, for the one place that hands it to the server.
    pub(in crate::ports) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How the conversation with the server is protected. There is no "if possible": what is asked for
/// happens, or no mail goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (RFC 8314), usually port 465.
    #[default]
    Tls,
    /// STARTTLS, required, usually port 587.
    StartTls,
    /// In the clear; only towards this machine itself unless `allow_plain` is set.
    None,
}

/// The section `[mail]` for an SMTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Host name, also the name the certificate must carry.
    pub host: String,
    /// Default: 465, 587 or 25, by `security`.
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub security: Security,
    /// Allows `security = "none"` towards another machine.
    #[serde(default)]
    pub allow_plain: bool,
    /// Both or neither of `username` and `password`.
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password: Option<Secret>,
    /// PEM file with further trusted root certificates, beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The name given in EHLO. Default: an address literal, which every submission server takes.
    #[serde(default)]
    pub hello_name: Option<String>,
    /// How long one mail may take from connecting to the server's last answer, in seconds; 1 to 20.
    #[serde(default = "default_send_budget_s")]
    pub send_budget_s: u32,
}

const fn default_send_budget_s() -> u32 {
    10
}

/// These settings cannot work.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("mail.host or mail.hello_name is not a host name")]
    Host,
    #[error("mail.security = \"none\" towards another machine needs mail.allow_plain = true")]
    Plain,
    #[error("mail.username and mail.password belong together")]
    Credentials,
    #[error("mail.send_budget_s must be 1 to 20")]
    Budget,
    #[error("mail.ca_file {path} cannot be read: {why}")]
    CaUnreadable { path: String, why: std::io::Error },
    #[error("mail.ca_file {path} holds no usable certificate")]
    CaUnusable { path: String },
}

impl SmtpSettings {
    /// The port, given or by `security`.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        })
    }

    /// Everything that can be seen without reading a file.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let host_like = |name: &str| {
            !name.is_empty()
                && name.len() <= 255
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        };
        if !host_like(&self.host) || self.hello_name.as_deref().is_some_and(|n| !host_like(n)) {
            return Err(SettingsError::Host);
        }
        if self.security == Security::None && !self.allow_plain && !is_this_machine(&self.host) {
            return Err(SettingsError::Plain);
        }
        if self.username.is_some() != self.password.is_some() {
            return Err(SettingsError::Credentials);
        }
        if !(1..=MAX_SEND_BUDGET_S).contains(&self.send_budget_s) {
            return Err(SettingsError::Budget);
        }
        Ok(())
    }

    /// The certificates to trust, or `None` when the conversation stays in the clear.
    pub(super) fn tls(&self) -> Result<Option<TlsParameters>, SettingsError> {
        if self.security == Security::None {
            return Ok(None);
        }
        let mut parameters = TlsParameters::builder(self.host.clone());
        let path = self.ca_file.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
        if let Some(file) = &self.ca_file {
            let pem =
                std::fs::read(file).map_err(|why| SettingsError::CaUnreadable { path: path.clone(), why })?;
            // A file without a single certificate would parse as an empty list.
            if !pem.windows(PEM_BEGIN.len()).any(|w| w == PEM_BEGIN) {
                return Err(SettingsError::CaUnusable { path });
            }
            let roots =
                Certificate::from_pem(&pem).map_err(|_| SettingsError::CaUnusable { path: path.clone() })?;
            parameters = parameters.add_root_certificate(roots);
        }
        parameters.build().map(Some).map_err(|_| SettingsError::CaUnusable { path })
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
