//! Counters and gauges of plain atomics, and their text for `/metrics`. What is counted is decided where it
//! happens.
//!
//! Names, helps and label values are `&'static str`: nothing that a person typed can become part of a
//! metric.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Label names and values, such as `[("lane", "urgent_mail")]`.
pub type Labels = &'static [(&'static str, &'static str)];

#[derive(Debug)]
enum Number {
    Counter(Counter),
    Gauge(Gauge),
}

#[derive(Debug)]
struct Metric {
    help: &'static str,
    is_counter: bool,
    series: BTreeMap<Labels, Number>,
}

/// All the numbers of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<&'static str, Metric>>>);

impl Counters {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter `name` with `labels`; the same one for the same name and labels. By custom the name ends
    /// in `_total`.
    ///
    /// A name that is already a gauge's gives a counter that is not shown, and a line in the log.
    #[must_use]
    pub fn counter(&self, name: &'static str, help: &'static str, labels: Labels) -> Counter {
        self.with(name, help, true, |metric| {
            let new = || Number::Counter(Counter::default());
            match metric.series.entry(labels).or_insert_with(new) {
                Number::Counter(counter) => Some(counter.clone()),
                Number::Gauge(_) => None,
            }
        })
    }

    /// The gauge `name` with `labels`; the same one for the same name and labels.
    ///
    /// A name that is already a counter's gives a gauge that is not shown, and a line in the log.
    #[must_use]
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: Labels) -> Gauge {
        self.with(name, help, false, |metric| {
            let new = || Number::Gauge(Gauge::default());
            match metric.series.entry(labels).or_insert_with(new) {
                Number::Gauge(gauge) => Some(gauge.clone()),
                Number::Counter(_) => None,
            }
        })
    }

    fn with<T: Default>(
        &self,
        name: &'static str,
        help: &'static str,
        is_counter: bool,
        find: impl FnOnce(&mut Metric) -> Option<T>,
    ) -> T {
        let mut metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let metric = metrics.entry(name).or_insert(Metric { help, is_counter, series: BTreeMap::new() });
        let found = if metric.is_counter == is_counter { find(metric) } else { None };
        found.unwrap_or_else(|| {
            tracing::error!(metric = name, "The metric {name} is both a counter and a gauge");
            T::default()
        })
    }

    /// All numbers in the Prometheus text format 0.0.4 (`Content-Type: text/plain; version=0.0.4`), in the
    /// order of their names.
    #[must_use]
    pub fn render(&self) -> String {
        let metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        for (name, metric) in metrics.iter() {
            let kind = if metric.is_counter { "counter" } else { "gauge" };
            let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
            // Writing to a String does not fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, number) in &metric.series {
                out.push_str(name);
                if !labels.is_empty() {
                    let pairs: Vec<String> = labels
                        .iter()
                        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                        .collect();
                    let _ = write!(out, "{{{}}}", pairs.join(","));
                }
                let _ = match number {
                    Number::Counter(counter) => writeln!(out, " {}", counter.get()),
                    Number::Gauge(gauge) => writeln!(out, " {}", gauge.get()),
                };
            }
        }
        out
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_shown_in_the_order_of_their_names() {
        let counters = Counters::new();
        let sent =
            counters.counter("touban_mail_sent_total", "Mails that the server took.", &[("lane", "mail")]);
        sent.add(2);
        counters.counter("touban_mail_sent_total", "", &[("lane", "urgent_mail")]).inc();
        counters.gauge("touban_alarms_open", "Alarms nobody has acknowledged.", &[]).set(-1);
        assert_eq!(
            counters.render(),
            "# HELP touban_alarms_open Alarms nobody has acknowledged.\n\
             # TYPE touban_alarms_open gauge\n\
             touban_alarms_open -1\n\
             # HELP touban_mail_sent_total Mails that the server took.\n\
             # TYPE touban_mail_sent_total counter\n\
             touban_mail_sent_total{lane=\"mail\"} 2\n\
             touban_mail_sent_total{lane=\"urgent_mail\"} 1\n"
        );
    }

    #[test]
    fn the_same_name_is_the_same_number_everywhere() {
        let counters = Counters::new();
        let (here, there) =
            (counters.counter("a_total", "A.", &[]), counters.clone().counter("a_total", "A.", &[]));
        std::thread::scope(|scope| {
            for counter in [&here, &there] {
                scope.spawn(move || (0..10_000).for_each(|_| counter.inc()));
            }
        });
        assert_eq!(here.get(), 20_000);
    }

    #[test]
    fn a_name_is_a_counter_or_a_gauge_and_stays_it() {
        let counters = Counters::new();
        counters.counter("a_total", "A.", &[]).inc();
        counters.gauge("a_total", "A.", &[]).set(7);
        assert_eq!(counters.render(), "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n");
    }

    #[test]
    fn quotes_and_line_breaks_in_labels_are_escaped() {
        let counters = Counters::new();
        counters.gauge("g", "G\nH", &[("a", "\"\\\n")]).set(1);
        assert_eq!(counters.render(), "# HELP g G\\nH\n# TYPE g gauge\ng{a=\"\\\"\\\\\\n\"} 1\n");
    }
}
