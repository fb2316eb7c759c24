//! Reads keys from one TOML file and the environment, remembers what is wrong and what is in force. Which
//! keys there are stands in `sections`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::problem::{ConfigError, Expected, Origin, Problem, What, Words, nearest};
use super::values::{Ladder, Seconds, SecretText};

const ENV_PREFIX: &str = "TOUBAN__";

/// One key as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// With its sections, `mail.smtp.port`.
    pub key: String,
    /// As it would stand in the file; `None` where nothing is set. A secret is `"***"`.
    pub value: Option<String>,
    pub origin: Origin,
}

/// A value as it was written.
#[derive(Clone, Debug)]
enum Raw {
    Text(String),
    /// Within 64 bits or not.
    Number(Option<i64>),
    Flag(bool),
    List(Vec<Raw>),
    /// A TOML date, or anything else that only its reader can judge.
    Other(String),
    /// From the environment, where everything is text.
    Loose(String),
}

#[derive(Debug)]
struct Found {
    raw: Raw,
    origin: Origin,
}

/// The keys that were written, and what came of reading them.
#[derive(Debug)]
pub(super) struct Reader {
    found: BTreeMap<String, Found>,
    /// Paths in the file, and compiled-in ones, start here.
    folder: PathBuf,
    settings: Vec<Setting>,
    /// Keys that may be written besides those in `settings`.
    also_known: Vec<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// # Errors
    /// When the file cannot be read or is not TOML.
    pub(super) fn open(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let folder = file.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
        let mut reader = Self {
            found: BTreeMap::new(),
            folder,
            settings: Vec::new(),
            also_known: Vec::new(),
            problems: Vec::new(),
        };
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            reader.read_toml(path, &text)?;
        }
        for (name, value) in env {
            if let Some(key) = name.strip_prefix(ENV_PREFIX) {
                let key = key.to_ascii_lowercase().replace("__", ".");
                reader.found.insert(key, Found { raw: Raw::Loose(value), origin: Origin::Env { name } });
            }
        }
        Ok(reader)
    }

    fn read_toml(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        // Windows editors put a mark at the start that is no part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let origin = |at: usize| {
            let line = 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
            Origin::File { path: path.to_owned(), line }
        };
        match DeTable::parse(text) {
            Ok(table) => {
                self.flatten(table.get_ref(), "", &origin);
                Ok(())
            }
            Err(error) => Err(ConfigError::Wrong {
                problems: vec![Problem {
                    origin: origin(error.span().map_or(0, |span| span.start)),
                    key: String::new(),
                    what: What::NotToml(error.message().to_owned()),
                }],
            }),
        }
    }

    fn flatten(&mut self, table: &DeTable<'_>, prefix: &str, origin: &dyn Fn(usize) -> Origin) {
        for (name, value) in table.iter() {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                // An empty section is kept, so that a misspelt one is found.
                DeValue::Table(inner) if !inner.is_empty() => self.flatten(inner, &format!("{key}."), origin),
                other => {
                    let found = Found { raw: raw(other), origin: origin(name.span().start) };
                    self.found.insert(key, found);
                }
            }
        }
    }

    /// Everything that was read, or everything that is wrong.
    ///
    /// # Errors
    /// When anything was wrong, and when a key is left that nobody asked for.
    pub(super) fn finish(mut self) -> Result<Vec<Setting>, ConfigError> {
        for (key, found) in std::mem::take(&mut self.found) {
            let below = format!("{key}.");
            let is_section = self.settings.iter().any(|s| s.key.starts_with(&below));
            let what = match (is_section, &found.raw) {
                (true, Raw::Other(text)) if text.is_empty() => continue,
                (true, _) => What::IsASection,
                (false, _) => {
                    let known = self.settings.iter().map(|s| s.key.as_str());
                    What::Unknown {
                        nearest: nearest(&key, known.chain(self.also_known.iter().map(String::as_str))),
                    }
                }
            };
            self.problems.push(Problem { origin: found.origin, key, what });
        }
        if self.problems.is_empty() {
            Ok(self.settings)
        } else {
            // In the order in which a reader of the file comes upon them.
            self.problems.sort_by_key(|p| match &p.origin {
                Origin::File { line, .. } => (0, *line, String::new()),
                Origin::Env { name } => (1, 0, name.clone()),
                Origin::Default => (2, 0, p.key.clone()),
            });
            Err(ConfigError::Wrong { problems: self.problems })
        }
    }

    /// Notes that `key` does not fit with another one.
    pub(super) fn unfit(&mut self, key: &str, words: Words) {
        let origin =
            self.settings.iter().find(|s| s.key == key).map_or(Origin::Default, |s| s.origin.clone());
        self.problems.push(Problem { origin, key: key.to_owned(), what: What::Unfit(words) });
    }

    /// The value of `key` as `read` understands it; `None` when nothing usable is written.
    fn take<T>(
        &mut self,
        key: &str,
        default: Option<String>,
        read: impl FnOnce(&Raw) -> Result<T, What>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let Some(Found { raw, origin }) = self.found.remove(key) else {
            self.settings.push(Setting { key: key.to_owned(), value: default, origin: Origin::Default });
            return None;
        };
        let value = match read(&raw) {
            Ok(value) => Some(value),
            Err(what) => {
                self.problems.push(Problem { origin: origin.clone(), key: key.to_owned(), what });
                None
            }
        };
        self.settings.push(Setting { key: key.to_owned(), value: value.as_ref().map(show), origin });
        value
    }

    /// A text that `parse` understands; `default` when it is not written.
    pub(super) fn text<T: Display>(
        &mut self,
        key: &str,
        default: T,
        parse: fn(&str) -> Result<T, Words>,
    ) -> T {
        let shown = quoted(&default.to_string());
        self.take(key, Some(shown), |raw| parse_text(raw, parse), |v| quoted(&v.to_string()))
            .unwrap_or(default)
    }

    /// A text that may be missing.
    pub(super) fn optional<T: Display>(
        &mut self,
        key: &str,
        parse: fn(&str) -> Result<T, Words>,
    ) -> Option<T> {
        self.take(key, None, |raw| parse_text(raw, parse), |v| quoted(&v.to_string()))
    }

    /// A whole number within `bounds`.
    pub(super) fn number(&mut self, key: &str, default: u32, bounds: RangeInclusive<u32>) -> u32 {
        let read = |raw: &Raw| number(raw, &bounds);
        self.take(key, Some(default.to_string()), read, ToString::to_string).unwrap_or(default)
    }

    /// A length of time in seconds, from one to `most`.
    pub(super) fn seconds(&mut self, key: &str, default: Seconds, most: u32) -> Seconds {
        self.seconds_from(key, default, 1, most)
    }

    /// A length of time in seconds, from `least` to `most`.
    pub(super) fn seconds_from(&mut self, key: &str, default: Seconds, least: u32, most: u32) -> Seconds {
        Seconds::new(self.number(key, default.get(), least..=most)).unwrap_or(default)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        let read = |raw: &Raw| match raw {
            Raw::Flag(flag) => Ok(*flag),
            Raw::Loose(text) => text.parse().map_err(|_| What::WrongType(Expected::Flag)),
            _ => Err(What::WrongType(Expected::Flag)),
        };
        self.take(key, Some(default.to_string()), read, ToString::to_string).unwrap_or(default)
    }

    /// A list of texts that `parse` understands; empty when it is not written. In the environment the
    /// items are parted by commas.
    pub(super) fn list<T: Display>(&mut self, key: &str, parse: fn(&str) -> Result<T, Words>) -> Vec<T> {
        let read =
            |raw: &Raw| items(raw)?.iter().map(|item| parse_text(item, parse)).collect::<Result<Vec<T>, _>>();
        let show = |list: &Vec<T>| {
            format!("[{}]", list.iter().map(|v| quoted(&v.to_string())).collect::<Vec<_>>().join(", "))
        };
        self.take(key, Some("[]".to_owned()), read, show).unwrap_or_default()
    }

    /// Waits in seconds.
    pub(super) fn ladder(&mut self, key: &str, default: Ladder) -> Ladder {
        let read = |raw: &Raw| {
            let steps =
                items(raw)?.iter().map(|item| number(item, &(1..=86_400))).collect::<Result<Vec<_>, _>>()?;
            Ladder::new(steps).ok_or_else(|| {
                What::Unfit(Words::new("1 から 100 段で書いてください", "give 1 to 100 steps"))
            })
        };
        let show = |ladder: &Ladder| {
            format!("[{}]", ladder.steps_s().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        };
        self.take(key, Some(show(&default)), read, show).unwrap_or(default)
    }

    /// A path: from the file's folder where it stands in the file or is compiled in, from the working
    /// folder where it comes from the environment.
    pub(super) fn path(&mut self, key: &str, default: &str) -> PathBuf {
        let written = self.text(key, default.to_owned(), |t| {
            if t.is_empty() {
                Err(Words::new("ファイル名を書いてください", "name a file"))
            } else {
                Ok(t.to_owned())
            }
        });
        self.placed(key, Path::new(&written))
    }

    /// Paths that may be missing.
    pub(super) fn paths(&mut self, key: &str) -> Vec<PathBuf> {
        let written: Vec<String> = self.list(key, |t| Ok(t.to_owned()));
        written.iter().map(|p| self.placed(key, Path::new(p))).collect()
    }

    /// A path that may be missing.
    pub(super) fn optional_path(&mut self, key: &str) -> Option<PathBuf> {
        let written: String = self.optional(key, |t| Ok(t.to_owned()))?;
        Some(self.placed(key, Path::new(&written)))
    }

    /// `path` as `key` (which was read) means it.
    pub(super) fn placed(&self, key: &str, path: &Path) -> PathBuf {
        let from_env = self.settings.iter().any(|s| s.key == key && matches!(s.origin, Origin::Env { .. }));
        if from_env { path.to_owned() } else { self.folder.join(path) }
    }

    /// A secret, written as `key` or kept in the file that `key_file` names (blanks at its ends do not
    /// count).
    pub(super) fn secret<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Words>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let key_file = format!("{key}_file");
        self.also_known.push(key_file.clone());
        if let Some(Found { raw, origin }) = self.found.remove(&key_file) {
            let read = match (&raw, self.found.contains_key(key)) {
                (_, true) => Err(What::Unfit(Words::new(
                    format!("{key} とどちらか一方だけにしてください"),
                    format!("give either this or {key}, not both"),
                ))),
                (Raw::Text(path), _) => read_secret(&self.folder.join(path)),
                (Raw::Loose(path), _) => read_secret(Path::new(path)),
                _ => Err(What::WrongType(Expected::Text)),
            };
            match read {
                Ok(text) => {
                    self.found.insert(key.to_owned(), Found { raw: Raw::Loose(text), origin });
                }
                Err(what) => {
                    self.found.remove(key);
                    self.problems.push(Problem { origin, key: key_file, what });
                }
            }
        }
        self.take(key, None, |raw| parse(as_text(raw)?).map_err(What::Unfit), show)
    }

    /// [`Reader::secret`] for any text that is not empty.
    pub(super) fn secret_text(&mut self, key: &str) -> Option<SecretText> {
        self.secret(
            key,
            |t| {
                let empty = Words::new("空にはできません", "it must not be empty");
                if t.is_empty() { Err(empty) } else { Ok(SecretText::new(t.to_owned())) }
            },
            |_| quoted("***"),
        )
    }

    /// Puts a default where a secret with one was not written.
    pub(super) fn shown_default(&mut self, key: &str, shown: &str) {
        if let Some(setting) = self.settings.iter_mut().find(|s| s.key == key && s.value.is_none()) {
            setting.value = Some(quoted(shown));
        }
    }
}

fn read_secret(path: &Path) -> Result<String, What> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(e) => Err(What::Unfit(Words::new(
            format!("{} を読めません（{e}）", path.display()),
            format!("{} cannot be read ({e})", path.display()),
        ))),
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(n) => Raw::Number(i64::from_str_radix(n.as_str(), n.radix()).ok()),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Array(list) => Raw::List(list.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Datetime(at) => Raw::Other(at.to_string()),
        DeValue::Float(number) => Raw::Other(number.as_str().to_owned()),
        DeValue::Table(_) => Raw::Other(String::new()),
    }
}

fn as_text(raw: &Raw) -> Result<&str, What> {
    match raw {
        Raw::Text(text) | Raw::Loose(text) => Ok(text),
        // A date without quotes is a text to us; a number or an empty section is not.
        Raw::Other(text) if text.contains('-') => Ok(text),
        _ => Err(What::WrongType(Expected::Text)),
    }
}

fn parse_text<T>(raw: &Raw, parse: fn(&str) -> Result<T, Words>) -> Result<T, What> {
    parse(as_text(raw)?).map_err(What::Unfit)
}

fn number(raw: &Raw, bounds: &RangeInclusive<u32>) -> Result<u32, What> {
    let outside = What::OutOfBounds { least: *bounds.start(), most: *bounds.end() };
    let number = match raw {
        Raw::Number(number) => number.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| outside.clone())?,
        Raw::Loose(text) => {
            let digits = text.trim();
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(What::WrongType(Expected::Number));
            }
            digits.parse().map_err(|_| outside.clone())?
        }
        _ => return Err(What::WrongType(Expected::Number)),
    };
    if bounds.contains(&number) { Ok(number) } else { Err(outside) }
}

fn items(raw: &Raw) -> Result<Vec<Raw>, What> {
    match raw {
        Raw::List(items) => Ok(items.clone()),
        Raw::Loose(text) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(items.map(|item| Raw::Loose(item.to_owned())).collect())
        }
        _ => Err(What::WrongType(Expected::List)),
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
