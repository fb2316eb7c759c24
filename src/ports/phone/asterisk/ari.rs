//! Requests to ARI and what their answers mean. Which request when is beside it.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::settings::{AsteriskSettings, SettingsError};
use crate::ports::phone::BridgeError;

/// A request on this machine that takes longer has an unknown outcome.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest answer: the list of all sounds of an Asterisk.
const ANSWER_MAX_BYTES: usize = 8_000_000;

/// The HTTP side of one Asterisk.
#[derive(Debug)]
pub(super) struct Ari {
    client: Client,
    base: Url,
    user: String,
    password: crate::ports::mail::Secret,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Answer {
    /// Done, or the thing it was about is gone: no channel, bridge, playback or recording of this name, or it is
    /// not where it would have to be.
    pub(super) fn done_or_gone(&self) -> Result<(), BridgeError> {
        let gone = matches!(self.status.as_u16(), 404 | 409 | 410 | 412 | 422);
        if self.status.is_success() || gone { Ok(()) } else { Err(self.refusal()) }
    }

    /// A fault of the server is worth another try, a refusal is not.
    pub(super) fn refusal(&self) -> BridgeError {
        let reason = format!("ARI answers {}", self.status.as_u16());
        match self.status.as_u16() {
            502..=504 => BridgeError::temporary(reason),
            _ => BridgeError::Refused { reason, cause: crate::domain::call::Cause::Failed },
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, BridgeError> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| BridgeError::temporary("ARI's answer is not understood"))
    }
}

impl Ari {
    pub(super) fn new(settings: &AsteriskSettings) -> Result<Self, SettingsError> {
        settings.usable()?;
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|_| SettingsError::Address)?;
        Ok(Self {
            client,
            base: settings.address()?,
            user: settings.user.clone(),
            password: settings.password.clone(),
        })
    }

    /// The address of a thing: each part of the path is one name, whatever is in it.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, BridgeError> {
        let lost = |e: reqwest::Error| {
            let what = if e.is_timeout() { "ARI is slow" } else { "ARI does not answer" };
            BridgeError::temporary(what)
        };
        let request = self
            .client
            .request(method, self.url(path, query))
            .basic_auth(&self.user, Some(self.password.reveal()));
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        if matches!(status.as_u16(), 401 | 403) {
            let reason = "ARI refuses the user or the password".to_owned();
            return Err(BridgeError::Refused { reason, cause: crate::domain::call::Cause::Failed });
        }
        let long = answer.content_length().and_then(|n| usize::try_from(n).ok());
        if long.is_some_and(|n| n > ANSWER_MAX_BYTES) {
            return Err(BridgeError::temporary("ARI's answer is too long"));
        }
        let body = answer.bytes().await.map_err(lost)?.to_vec();
        Ok(Answer { status, body })
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, BridgeError> {
        self.send(Method::GET, path, query).await
    }

    pub(super) async fn post(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, BridgeError> {
        self.send(Method::POST, path, query).await
    }

    pub(super) async fn delete(&self, path: &[&str]) -> Result<Answer, BridgeError> {
        self.send(Method::DELETE, path, &[]).await
    }

    /// Host and port, and the address of the event stream for `app`.
    pub(super) fn event_stream(&self, app: &str) -> (String, Url) {
        let host = self.base.host_str().unwrap_or_default();
        let port = self.base.port_or_known_default().unwrap_or(80);
        (format!("{host}:{port}"), self.url(&["events"], &[("app", app), ("subscribeAll", "true")]))
    }

    /// The value of the header `Authorization`.
    pub(super) fn authorization(&self) -> String {
        use base64::Engine as _;
        let both = zeroize::Zeroizing::new(format!("{}:{}", self.user, self.password.reveal()));
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both.as_bytes()))
    }
}
