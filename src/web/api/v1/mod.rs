//! Version 1 of the API.

use axum::Router;

use crate::web::Web;

/// Every route under `/api/v1`.
pub fn router() -> Router<Web> {
    Router::new()
}
