//! Every route there is: pages, API, and what watches over the process. The edge is put around it by the
//! caller.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Web, api, feeds, ui};

pub use ui::error_page;

/// Method and path of what stands beside the pages and the API.
pub const BESIDE: &[(&str, &str)] =
    &[("get", "/healthz"), ("get", "/readyz"), ("get", "/api/v1/openapi.json")];

/// All routes and the fallback, to be wrapped with [`super::edge::Edge::apply`].
pub fn router(web: Web) -> Router {
    let pages = ui::routes(&web);
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .merge(api::router())
        .merge(feeds::routes())
        .merge(pages)
        .with_state(web)
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// `GET /healthz`: the process answers.
async fn alive() -> Response {
    plain(StatusCode::OK, "ok\n")
}

/// `GET /readyz`: migrations are done, the workers run, the database can be read.
async fn ready(State(web): State<Web>) -> Response {
    if web.ready.load(Ordering::SeqCst) && web.app.associations().await.is_ok() {
        plain(StatusCode::OK, "ready\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
