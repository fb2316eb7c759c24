//! Setting up an association, its texts, its rules page, how long things are kept, totals.

use super::Maker;

/// Name and drawn page of every sample.
pub(super) fn pages(_maker: &Maker) -> Vec<(String, String)> {
    Vec::new()
}
