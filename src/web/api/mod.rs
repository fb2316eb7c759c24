//! The JSON API for programs, by version.

pub mod v1;

pub use v1::router;
