//! Speaks to the outside world: mail and the phone bridge.

pub mod mail;
pub mod phone;
