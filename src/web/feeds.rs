//! Calendar feeds: a file for calendar programs, which send no cookies and drop headers, so the secret stands in the
//! path. What stands in a feed is `app::rota::feeds`; the bytes are `export::ics`'s.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Web;
use crate::app::rota::feeds::FeedOpened;
use crate::app::rota::lists;
use crate::export::ics;

/// The longest reminder before a duty, in minutes: a week.
const ALARM_MAX_MIN: u32 = 10_080;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/feeds/{token}/duty.ics", get(duty))
}

#[derive(Debug, Deserialize)]
struct Asked {
    /// Minutes before the beginning.
    alarm: Option<u32>,
}

fn plain(status: StatusCode) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "\n").into_response()
}

/// Whether the program has this state already (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// `GET /feeds/{token}/duty.ics`: 404 for a link that never was, 410 for one that was ended.
async fn duty(
    State(web): State<Web>,
    Path(token): Path<String>,
    query: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let view = match web.app.feed_open(&token).await {
        Ok(FeedOpened::Here(view)) => view,
        Ok(FeedOpened::Gone) => return plain(StatusCode::GONE),
        Ok(FeedOpened::Nothing) => return plain(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "A calendar feed could not be made");
            return plain(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    let alarm = query.ok().and_then(|Query(asked)| asked.alarm).filter(|min| *min <= ALARM_MAX_MIN);
    let feed = lists::feed(&view, view.member.lang, &web.app.rules.mail_host, alarm);
    let body = ics::write(&feed);
    let digest: String =
        Sha256::digest(body.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{digest}\"");
    let status = if has(&headers, &etag) { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let tag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"0\""));
    // Whoever keeps it asks each time whether it has changed; nobody between may keep it.
    let kept = HeaderValue::from_static("private, no-cache");
    let heads = [(header::ETAG, tag), (header::CACHE_CONTROL, kept)];
    if status == StatusCode::NOT_MODIFIED {
        return (status, heads).into_response();
    }
    let kind = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"duty.ics\""),
    ];
    (heads, kind, body).into_response()
}
