//! The people as the office sees them, and what each sees of themselves: devices, PINs, reachability.

pages! {}
