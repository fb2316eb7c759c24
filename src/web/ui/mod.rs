//! The pages people see: handlers by page, views and files. What is true about a case comes from `app`.

mod ask;
pub mod assets;
mod board;
mod caller;
mod case;
mod demo;
mod entry;
mod failure;
mod form;
mod ledger;
mod link;
pub mod views;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::Web;

pub use failure::error_page;

/// Every page, its files, and the page for everything that is not there.
pub(super) fn routes(web: &Web) -> Router<Web> {
    let mut routes = Router::new()
        .route("/", get(entry::home))
        .route("/sign-in", get(entry::sign_in).post(entry::ask_for_link))
        .route("/sign-in/sent", get(entry::link_sent))
        .route("/sign-in/device", post(entry::by_device))
        .route("/sign-out", post(entry::sign_out))
        .route("/lang", post(entry::lang))
        .route("/text-size", post(entry::text_size))
        .route("/problems/{name}", get(entry::problem))
        .route("/assets/{*file}", get(entry::file))
        .route("/favicon.ico", get(entry::icon))
        .route("/k", get(link::entry))
        .route("/k/open", post(link::open))
        .route("/k/answer", post(link::answer))
        .route("/k/declined", get(link::declined))
        .route("/k/sign-in", post(link::sign_in))
        .route("/consults", get(case::mine).post(ask::ask))
        .route("/consults/new", get(ask::form))
        .route("/consults/{id}", get(case::case))
        .route("/consults/{id}/unlock", post(case::unlock))
        .route("/consults/{id}/answer", post(case::answer))
        .route("/consults/{id}/close", post(case::close))
        .route("/consults/{id}/withdraw", post(case::withdraw))
        .route("/consults/{id}/release", post(case::release))
        .route("/board", get(board::board))
        .route("/board/{id}", get(board::request))
        .route("/board/{id}/withdraw", post(board::withdraw))
        .route("/board/alarms/{id}/seen", post(board::seen))
        .route("/ledger", get(ledger::ledger));
    if web.demo.is_some() {
        routes = routes
            .route("/demo", get(demo::start))
            .route("/demo/as", post(demo::become_somebody))
            .route("/demo/leap", post(demo::leap))
            .route("/demo/mailbox", get(demo::mailbox))
            .route("/demo/mailbox/{id}", get(demo::mail))
            .route("/demo/mailbox/{id}/html", get(demo::mail_html));
    }
    routes.fallback(entry::nothing).layer(from_fn_with_state(web.clone(), failure::say_failures))
}
