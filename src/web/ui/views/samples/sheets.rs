//! Files read in and taken out: members, institutions, contact windows.

use super::Maker;

/// Name and drawn page of every sample.
pub(super) fn pages(_maker: &Maker) -> Vec<(String, String)> {
    Vec::new()
}
