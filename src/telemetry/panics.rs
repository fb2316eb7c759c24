//! What is said of a panic: where, and nothing of what it said, which may hold what somebody typed.

use super::counters::Counters;

/// From now on a panic of any thread is one line of the log with its place, and counted. Before the log is
/// started the line goes to stderr as it is.
pub fn report_places_only(counters: &Counters) {
    let panics = counters.counter("touban_panics_total", "Panics, each caught where its work began.", &[]);
    std::panic::set_hook(Box::new(move |info| {
        panics.inc();
        let place = info.location().map_or_else(|| "?".to_owned(), ToString::to_string);
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "Broke off at {place}");
        } else {
            eprintln!("touban: broke off at {place}");
        }
    }));
}
