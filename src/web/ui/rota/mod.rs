//! The rota (当番表) on paper and in files: sheets to be printed, lists taken out, links for calendars, sheets of
//! offices read in.

pub(super) mod calendar;
pub(super) mod files;
pub(super) mod paper;
pub(super) mod sheets;

use axum::Router;

use crate::web::Web;

/// The routes of this room.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .merge(calendar::routes())
        .merge(files::routes())
        .merge(paper::routes())
        .merge(sheets::routes())
}
