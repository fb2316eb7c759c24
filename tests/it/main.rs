//! The one integration binary: every room seen from outside.

#[cfg(test)]
mod http_edge;
