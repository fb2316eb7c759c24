//! Listens: HTTP for people and for programs. Reaches the store only through `app`.

pub mod api;
pub mod edge;
pub mod extract;
pub mod problem;
pub mod rate;
pub mod server;
pub mod trust;
pub mod ui;
mod wire;
