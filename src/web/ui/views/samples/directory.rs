//! The directory: institutions, contact windows, care groups; the public list.

use super::Maker;

/// Name and drawn page of every sample.
pub(super) fn pages(_maker: &Maker) -> Vec<(String, String)> {
    Vec::new()
}
