//! The pages people see: handlers by page, views and files. What is true about a case comes from `app`.

/// The routes of a page's file: what the router serves, and the list that the access table is held against.
macro_rules! pages {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Method and path of every route of this file.
        pub(in crate::web) const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// The routes of this file.
        pub(super) fn routes() -> axum::Router<crate::web::Web> {
            axum::Router::new()$(.route($path, axum::routing::$method($handler)))*
        }
    };
}

mod ask;
pub mod asker;
mod assets;
mod board;
mod caller;
mod calls;
mod cards;
mod case;
mod clinic;
mod contacts;
mod covers;
mod demo;
mod directory;
mod duties;
mod entry;
mod failure;
mod form;
mod households;
mod kept;
mod keys;
mod ledger;
mod link;
mod means;
mod night;
mod notices;
mod people;
mod phones;
mod pillars;
mod records;
mod rota;
mod setup;
mod sheets;
mod signin;
mod staff;
mod tonight;
mod transfers;
pub mod views;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;

use super::Web;

pub use failure::error_page;

/// Method and path of every page's route, those of the demo last.
pub const ROUTES: &[&[(&str, &str)]] = &[
    entry::ROUTES,
    link::ROUTES,
    case::ROUTES,
    board::ROUTES,
    ledger::ROUTES,
    signin::ROUTES,
    kept::ROUTES,
    means::ROUTES,
    notices::ROUTES,
    staff::ROUTES,
    keys::ROUTES,
    people::ROUTES,
    directory::ROUTES,
    duties::ROUTES,
    covers::ROUTES,
    households::ROUTES,
    cards::ROUTES,
    records::ROUTES,
    tonight::ROUTES,
    transfers::ROUTES,
    contacts::ROUTES,
    rota::desk::ROUTES,
    sheets::ROUTES,
    rota::paper::ROUTES,
    rota::files::ROUTES,
    rota::calendar::ROUTES,
    rota::sheets::ROUTES,
    setup::ROUTES,
    calls::ROUTES,
    night::ROUTES,
    pillars::ROUTES,
    demo::ROUTES,
    phones::ROUTES,
];

/// Every page, its files, and the page for everything that is not there.
pub(super) fn routes(web: &Web) -> Router<Web> {
    let mut routes = Router::new()
        .merge(entry::routes())
        .merge(link::routes())
        .merge(case::routes())
        .merge(board::routes())
        .merge(ledger::routes())
        .merge(signin::routes())
        .merge(kept::routes())
        .merge(means::routes())
        .merge(notices::routes())
        .merge(staff::routes())
        .merge(keys::routes())
        .merge(people::routes())
        .merge(directory::routes())
        .merge(duties::routes())
        .merge(covers::routes())
        .merge(households::routes())
        .merge(cards::routes())
        .merge(records::routes())
        .merge(tonight::routes())
        .merge(transfers::routes())
        .merge(contacts::routes())
        .merge(sheets::routes())
        .merge(rota::routes())
        .merge(setup::routes())
        .merge(calls::routes())
        .merge(night::routes())
        .merge(pillars::routes());
    if web.demo.is_some() {
        routes = routes.merge(demo::routes()).merge(phones::routes());
    }
    routes.fallback(entry::nothing).layer(from_fn_with_state(web.clone(), failure::say_failures))
}
