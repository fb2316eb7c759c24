//! Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.

use super::Maker;

/// Name and drawn page of every sample.
pub(super) fn pages(_maker: &Maker) -> Vec<(String, String)> {
    Vec::new()
}
