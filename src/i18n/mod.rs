//! The texts people read, in Japanese (first) and English, from Fluent files; and the choice of language.
//! What is said where is decided by `web` and `app`; which words, here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language of the pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    Ja,
    En,
}

impl Lang {
    /// The tag for `lang=` and `Content-Language` (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// Reads the tag of [`Lang::tag`]; `None` for another language.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "ja" => Some(Self::Ja),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The first language of an `Accept-Language` header (RFC 9110 §12.5.4) that we speak, by weight;
    /// Japanese when there is none.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0u16, Self::Ja);
        for part in header.split(',') {
            let mut pieces = part.trim().split(';');
            let primary = pieces.next().unwrap_or("").split('-').next().unwrap_or("").to_ascii_lowercase();
            let weight = pieces
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(Some(1_000), |q| {
                    q.trim().parse::<f32>().ok().map(|q| (q.clamp(0.0, 1.0) * 1_000.0) as u16)
                })
                .unwrap_or(0);
            if let Some(lang) = Self::from_tag(&primary)
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }
}

const JA: &[&str] = &[
    include_str!("ja/words.ftl"),
    include_str!("ja/pages.ftl"),
    include_str!("ja/mails.ftl"),
    include_str!("ja/signin.ftl"),
    include_str!("ja/people.ftl"),
    include_str!("ja/directory.ftl"),
    include_str!("ja/sheets.ftl"),
    include_str!("ja/paper.ftl"),
    include_str!("ja/setup.ftl"),
    include_str!("ja/calls.ftl"),
    include_str!("ja/pillars.ftl"),
    include_str!("ja/ledger.ftl"),
    include_str!("ja/rota.ftl"),
    include_str!("ja/duty.ftl"),
    include_str!("ja/swaps.ftl"),
    include_str!("ja/cover.ftl"),
    include_str!("ja/cards.ftl"),
    include_str!("ja/records.ftl"),
    include_str!("ja/transfer.ftl"),
];
const EN: &[&str] = &[
    include_str!("en/words.ftl"),
    include_str!("en/pages.ftl"),
    include_str!("en/mails.ftl"),
    include_str!("en/signin.ftl"),
    include_str!("en/people.ftl"),
    include_str!("en/directory.ftl"),
    include_str!("en/sheets.ftl"),
    include_str!("en/paper.ftl"),
    include_str!("en/setup.ftl"),
    include_str!("en/calls.ftl"),
    include_str!("en/pillars.ftl"),
    include_str!("en/ledger.ftl"),
    include_str!("en/rota.ftl"),
    include_str!("en/duty.ftl"),
    include_str!("en/swaps.ftl"),
    include_str!("en/cover.ftl"),
    include_str!("en/cards.ftl"),
    include_str!("en/records.ftl"),
    include_str!("en/transfer.ftl"),
];

fn bundle(lang: Lang) -> &'static FluentBundle<FluentResource> {
    static BUNDLES: OnceLock<[FluentBundle<FluentResource>; 2]> = OnceLock::new();
    let [ja, en] = BUNDLES.get_or_init(|| [build("ja", JA), build("en", EN)]);
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

fn build(tag: &str, files: &[&str]) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks (U+2068) are for mixed writing directions; ours is one, and they break mails on old phones.
    bundle.set_use_isolating(false);
    for file in files {
        // The tests read every file strictly; at run time a damaged message loses itself, not the page.
        let resource = match FluentResource::try_new((*file).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The text of `key`. A missing key shows itself; the tests know every key that the code names.
#[must_use]
pub fn t(lang: Lang, key: &str) -> String {
    text(lang, key, None)
}

/// The text of `key` with its named values filled in.
#[must_use]
pub fn t_with(lang: Lang, key: &str, values: &[(&str, &str)]) -> String {
    let mut args = FluentArgs::new();
    for (name, value) in values {
        args.set(Cow::Owned((*name).to_owned()), FluentValue::String(Cow::Owned((*value).to_owned())));
    }
    text(lang, key, Some(&args))
}

fn text(lang: Lang, key: &str, args: Option<&FluentArgs<'_>>) -> String {
    let bundle = bundle(lang);
    let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) else {
        tracing::error!(key, "A text is missing");
        return key.to_owned();
    };
    bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned()
}

/// Whether there is a text of this key: for words that only some things have.
#[must_use]
pub fn has(lang: Lang, key: &str) -> bool {
    bundle(lang).has_message(key)
}

/// Every key of a language, for the tests.
#[must_use]
pub fn keys(lang: Lang) -> BTreeSet<String> {
    let files = match lang {
        Lang::Ja => JA,
        Lang::En => EN,
    };
    files
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .filter(|key| key.starts_with(|c: char| c.is_ascii_alphabetic()) && !key.contains(' '))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_texts_and_every_file_is_well_formed() {
        assert_eq!(keys(Lang::Ja), keys(Lang::En));
        for file in JA.iter().chain(EN) {
            FluentResource::try_new((*file).to_owned())
                .unwrap_or_else(|(_, errors)| panic!("{errors:?} in\n{file}"));
        }
    }

    #[test]
    fn no_text_stands_twice() {
        for files in [JA, EN] {
            let lines =
                files.iter().flat_map(|f| f.lines()).filter_map(|l| l.split_once(" =")).map(|(k, _)| k);
            let named: Vec<_> = lines.filter(|k| k.starts_with(|c: char| c.is_ascii_alphabetic())).collect();
            let once: BTreeSet<_> = named.iter().collect();
            assert_eq!(named.len(), once.len(), "{named:?}");
        }
    }

    #[test]
    fn the_reader_gets_the_language_asked_for_and_japanese_otherwise() {
        for (header, lang) in [
            ("", Lang::Ja),
            ("en-US,en;q=0.9,ja;q=0.8", Lang::En),
            ("fr, de;q=0.5", Lang::Ja),
            ("en;q=0.3, ja;q=0.9", Lang::Ja),
            ("en;q=0", Lang::Ja),
        ] {
            assert_eq!(Lang::from_accept_language(header), lang, "{header}");
        }
    }
}
