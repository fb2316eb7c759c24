//! Starts the log: JSON or text, one line per event, to stderr. Stdout stays free for the ready line.

use std::fmt;
use std::io;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Layer};

use super::counters::{Counter, Counters};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    #[default]
    Json,
    /// Words and fields, for people.
    Text,
}

impl LogFormat {
    /// Reads `json` or `text`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

/// What is let through: `info`, or finer, `info,touban=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// The text is not a filter.
#[derive(Debug, thiserror::Error)]
#[error("not a log filter such as `info` or `info,touban=debug`")]
pub struct NotAFilter;

impl LogFilter {
    /// # Errors
    /// When the text names no level, or what stands in it cannot be read.
    pub fn parse(text: &str) -> Result<Self, NotAFilter> {
        // The crate takes any single word for the name of a module, so that `imfo` would silence everything.
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        let fits = text.split(',').all(|part| {
            let level = part.rsplit('=').next().unwrap_or(part).trim();
            levels.contains(&level)
        });
        if fits && EnvFilter::try_new(text).is_ok() { Ok(Self(text.to_owned())) } else { Err(NotAFilter) }
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
#[error("starting the log")]
pub struct StartError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Starts the log for the whole process, to stderr, and counts its errors and warnings in `counters`.
///
/// # Errors
/// When it was started before.
pub fn init(format: LogFormat, filter: &LogFilter, counters: &Counters) -> Result<(), StartError> {
    let counted = subscriber(format, filter, io::stderr).with(Counted::new(counters));
    tracing::subscriber::set_global_default(counted).map_err(|e| StartError(Box::new(e)))
}

/// Counts the lines that somebody should look at.
#[derive(Debug)]
struct Counted {
    errors: Counter,
    warnings: Counter,
}

impl Counted {
    fn new(counters: &Counters) -> Self {
        let (name, help) = ("touban_log_lines_total", "Lines of the log that somebody should look at.");
        Self {
            errors: counters.counter(name, help, &[("level", "error")]),
            warnings: counters.counter(name, help, &[("level", "warn")]),
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Counted {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            tracing::Level::ERROR => self.errors.inc(),
            tracing::Level::WARN => self.warnings.inc(),
            _ => {}
        }
    }
}

fn subscriber<W>(format: LogFormat, filter: &LogFilter, to: W) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&filter.0))
        // Colour codes in a file or the journal are noise, and they would let logged text paint a terminal.
        .with_ansi(false)
        .with_writer(to);
    match format {
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_current_span(false).finish()),
        LogFormat::Text => Box::new(lines.finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str, say: impl FnOnce()) -> String {
        let page = Page::default();
        let copy = page.clone();
        let filter = LogFilter::parse(filter).unwrap();
        tracing::subscriber::with_default(subscriber(format, &filter, move || copy.clone()), say);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_machine_reads_the_sentence_and_the_fields_from_one_line_of_json() {
        let text = written(LogFormat::Json, "info", || {
            tracing::info!(request.id = "01ABC", tries = 3, "Sent the mail of request 01ABC");
            tracing::debug!("not at this level");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "Sent the mail of request 01ABC");
        assert_eq!(line["request.id"], "01ABC");
        assert_eq!(line["tries"], 3);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_line_break_in_a_value_does_not_begin_a_new_line_of_the_log() {
        for format in [LogFormat::Json, LogFormat::Text] {
            let text = written(format, "info", || {
                tracing::info!(code = ?"a\n2026-11-20 ERROR forged", "Refused a value");
            });
            assert_eq!(text.lines().count(), 1, "{text}");
        }
    }

    #[test]
    fn errors_and_warnings_are_counted_when_they_are_let_through() {
        let counters = Counters::new();
        let page = Page::default();
        let filter = LogFilter::parse("warn").unwrap();
        let lines = subscriber(LogFormat::Text, &filter, move || page.clone()).with(Counted::new(&counters));
        tracing::subscriber::with_default(lines, || {
            tracing::error!("one");
            tracing::warn!("two");
            tracing::warn!("three");
            tracing::info!("not at this level");
        });
        let shown = counters.render();
        assert!(shown.contains("touban_log_lines_total{level=\"error\"} 1\n"), "{shown}");
        assert!(shown.contains("touban_log_lines_total{level=\"warn\"} 2\n"), "{shown}");
    }

    #[test]
    fn a_misspelt_level_is_refused_and_does_not_silence_the_log() {
        for bad in ["imfo", "", "info,", "touban", "touban=loud", "info;debug"] {
            assert!(LogFilter::parse(bad).is_err(), "{bad}");
        }
        for good in ["info", "warn,touban=debug", "info,touban::web=trace,sqlx=off"] {
            assert_eq!(LogFilter::parse(good).unwrap().to_string(), good);
        }
        assert!(LogFilter::parse(&LogFilter::default().to_string()).is_ok());
    }
}
