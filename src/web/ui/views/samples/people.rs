//! The people as the office sees them, and what each sees of themselves: devices, PINs, reachability.

use super::Maker;

/// Name and drawn page of every sample.
pub(super) fn pages(_maker: &Maker) -> Vec<(String, String)> {
    Vec::new()
}
