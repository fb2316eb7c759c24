//! Listens: HTTP for people and for programs. Reaches the store only through `app`.

pub mod api;
pub mod edge;
pub mod extract;
mod feeds;
pub mod metrics;
pub mod problem;
pub mod rate;
pub mod router;
pub mod server;
pub mod trust;
pub mod ui;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::app::App;
use crate::app::demo::Demo;
use rate::RateLimiter;

/// What every handler can reach. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Web {
    pub app: App,
    pub rates: Arc<RateLimiter>,
    /// Links and pages are under https: cookies are `__Host-…; Secure`. On loopback without TLS they are not.
    pub secure: bool,
    /// Only in `touban demo`.
    pub demo: Option<Arc<Demo>>,
    /// Migrations are done and the workers run.
    pub ready: Arc<AtomicBool>,
}
