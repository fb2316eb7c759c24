//! The JSON API over a real socket, on both databases.

mod access;
mod calls;
pub mod client;
mod description;
mod inputs;
mod journey;
mod night;
mod tenants;
mod wishes;
