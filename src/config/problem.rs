//! What is wrong with a configuration, in words for the person who wrote it: where, which key, what to do.
//! How values are read stands in `reader`.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::i18n::Lang;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or may not be read.
    #[error("reading the configuration file {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file was read and something in it, or in the environment, is wrong. Everything that is wrong is
    /// named, not only the first.
    #[error("{}", lines(problems, Lang::En))]
    Wrong { problems: Vec<Problem> },
}

impl ConfigError {
    /// One line for each thing that is wrong.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Unreadable { path, source }, Lang::Ja) => {
                format!("設定ファイル {} を読めません（{source}）", path.display())
            }
            (Self::Unreadable { path, source }, Lang::En) => {
                format!("the configuration file {} cannot be read ({source})", path.display())
            }
            (Self::Wrong { problems }, lang) => lines(problems, lang),
        }
    }
}

fn lines(problems: &[Problem], lang: Lang) -> String {
    problems.iter().map(|p| p.text(lang)).collect::<Vec<_>>().join("\n")
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    Default,
    /// The configuration file; lines count from 1.
    File { path: PathBuf, line: usize },
    /// A variable of the environment.
    Env { name: String },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub origin: Origin,
    /// The key with its sections, `mail.smtp.port`; empty where the file as a whole is meant.
    pub key: String,
    pub what: What,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The file is not TOML; the reader's message (English only).
    NotToml(String),
    /// There is no such key; the one most like it.
    Unknown { nearest: Option<String> },
    /// A section was given a value.
    IsASection,
    /// A value of another type.
    WrongType(Expected),
    /// A number outside its bounds (inclusive).
    OutOfBounds { least: u32, most: u32 },
    /// A value that does not fit, and why. Never repeats the value: it may be a secret.
    Unfit(Words),
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Text,
    Number,
    Flag,
    List,
}

/// The same words in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub ja: String,
    pub en: String,
}

impl Words {
    pub(super) fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    pub(super) fn one_of(words: &[&str]) -> Self {
        Self::new(
            format!("{} のどれかにしてください", words.join("、")),
            format!("write one of {}", words.join(", ")),
        )
    }
}

impl Expected {
    const fn words(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Text, Lang::Ja) => "文字列（\"…\"）",
            (Self::Text, Lang::En) => "a text in quotes",
            (Self::Number, Lang::Ja) => "整数",
            (Self::Number, Lang::En) => "a whole number",
            (Self::Flag, Lang::Ja) => "true か false",
            (Self::Flag, Lang::En) => "true or false",
            (Self::List, Lang::Ja) => "一覧（[…]）",
            (Self::List, Lang::En) => "a list in brackets",
        }
    }
}

impl Problem {
    /// One line: place, key, what is wrong.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let key = &self.key;
        let said = match (&self.what, lang) {
            (What::NotToml(message), Lang::Ja) => {
                format!("TOML として読めません（{}）", message.replace('\n', " "))
            }
            (What::NotToml(message), Lang::En) => {
                format!("this is not TOML ({})", message.replace('\n', " "))
            }
            (What::Unknown { nearest: None }, Lang::Ja) => format!("{key} という項目はありません"),
            (What::Unknown { nearest: None }, Lang::En) => format!("there is no key {key}"),
            (What::Unknown { nearest: Some(nearest) }, Lang::Ja) => {
                format!("{key} という項目はありません。{nearest} のことでしょうか")
            }
            (What::Unknown { nearest: Some(nearest) }, Lang::En) => {
                format!("there is no key {key}; did you mean {nearest}?")
            }
            (What::IsASection, Lang::Ja) => format!("{key} は見出しです。[{key}] の下に項目を書いてください"),
            (What::IsASection, Lang::En) => format!("{key} is a section; write its keys below [{key}]"),
            (What::WrongType(expected), Lang::Ja) => {
                format!("{key} には{}を書いてください", expected.words(lang))
            }
            (What::WrongType(expected), Lang::En) => format!("{key} takes {}", expected.words(lang)),
            (What::OutOfBounds { least, most }, Lang::Ja) => {
                format!("{key} は {least} から {most} までです")
            }
            (What::OutOfBounds { least, most }, Lang::En) => {
                format!("{key} must lie between {least} and {most}")
            }
            (What::Unfit(words), Lang::Ja) => format!("{key}：{}", words.ja),
            (What::Unfit(words), Lang::En) => format!("{key}: {}", words.en),
        };
        match (&self.origin, lang) {
            (Origin::Default, Lang::Ja) => format!("設定：{said}"),
            (Origin::Default, Lang::En) => format!("configuration: {said}"),
            (Origin::File { path, line }, Lang::Ja) => format!("{} {line}行目：{said}", path.display()),
            (Origin::File { path, line }, Lang::En) => format!("{} line {line}: {said}", path.display()),
            (Origin::Env { name }, Lang::Ja) => format!("環境変数 {name}：{said}"),
            (Origin::Env { name }, Lang::En) => format!("environment variable {name}: {said}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

/// The language of the shell (POSIX locale variables in their order): Japanese for `ja…`, English otherwise.
#[must_use]
pub fn shell_language(lc_all: Option<&str>, lc_messages: Option<&str>, lang: Option<&str>) -> Lang {
    let named = [lc_all, lc_messages, lang].into_iter().flatten().find(|v| !v.is_empty());
    match named {
        Some(locale) if locale.starts_with("ja") => Lang::Ja,
        _ => Lang::En,
    }
}

/// The known key most like `key`, if one is like it at all. A key in the wrong section is like its namesake.
pub(super) fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let own_name = last(key);
    known
        .map(|candidate| {
            let whole = distance(key, candidate);
            let by_name = distance(own_name, last(candidate)).saturating_add(1);
            (whole.min(by_name), whole, candidate)
        })
        .min()
        .filter(|(score, _, _)| *score <= 1 + own_name.chars().count() / 3)
        .map(|(_, _, candidate)| candidate.to_owned())
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Edits (insert, drop, replace) from one text to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for ((b, above_left), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (above_left + usize::from(a != *b)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in
            [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("poll_s", "pol_s", 1)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_key_is_named_and_a_strange_one_is_not() {
        let known = ["listen", "base_url", "durable.poll_s", "durable.lease_s", "mail.smtp.port"];
        let nearest = |key| nearest(key, known.into_iter());
        assert_eq!(nearest("durable.pol_s").as_deref(), Some("durable.poll_s"));
        assert_eq!(nearest("poll_s").as_deref(), Some("durable.poll_s"));
        assert_eq!(nearest("mail.port").as_deref(), Some("mail.smtp.port"));
        assert_eq!(nearest("lisen").as_deref(), Some("listen"));
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn the_shell_speaks_japanese_only_where_it_is_asked_to() {
        assert_eq!(shell_language(None, None, Some("ja_JP.UTF-8")), Lang::Ja);
        assert_eq!(shell_language(Some("C"), None, Some("ja_JP.UTF-8")), Lang::En);
        assert_eq!(shell_language(Some(""), Some("ja"), Some("en_GB")), Lang::Ja);
        assert_eq!(shell_language(None, None, None), Lang::En);
    }
}
