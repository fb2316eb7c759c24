//! Listens: HTTP for people and for programs. Reaches the store only through `app`.

pub mod api;
pub mod ui;
