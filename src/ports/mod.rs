//! Speaks to the outside world: mail here; the phone bridge has its own place beside it.

pub mod mail;
