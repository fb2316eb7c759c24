//! The words of the phone: data beside the sounds, in `config/prompts`. Which is said when, `domain/call` decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::domain::call::{Prompt, RoleSpoken};
use crate::i18n::Lang;

const JA: &str = include_str!("../../../config/prompts/ja.tsv");
const EN: &str = include_str!("../../../config/prompts/en.tsv");

/// Every prompt there is.
pub const ALL: [Prompt; 44] = [
    Prompt::AskStation,
    Prompt::AskClinic,
    Prompt::AskStationAgain,
    Prompt::AskClinicAgain,
    Prompt::AskMessage,
    Prompt::Kept,
    Prompt::Calling(RoleSpoken::Cover),
    Prompt::Calling(RoleSpoken::Attending),
    Prompt::Calling(RoleSpoken::Primary),
    Prompt::Calling(RoleSpoken::Deputy),
    Prompt::Calling(RoleSpoken::Pillar),
    Prompt::Calling(RoleSpoken::Office),
    Prompt::Calling(RoleSpoken::Other),
    Prompt::StillCalling,
    Prompt::LastResort,
    Prompt::LastResortStill,
    Prompt::OneMoment,
    Prompt::WillCallBack,
    Prompt::HandedOver,
    Prompt::Over,
    Prompt::TooMany,
    Prompt::Screen,
    Prompt::AskPin,
    Prompt::AskPinToCallBack,
    Prompt::PinAgain,
    Prompt::PinLocked,
    Prompt::NotNow,
    Prompt::TakenByAnother,
    Prompt::Promised,
    Prompt::GivenBack,
    Prompt::MessageThenCallingBack,
    Prompt::CallingBack,
    Prompt::CallerOutOfReach,
    Prompt::Confirm,
    Prompt::Test,
    Prompt::Tested,
    Prompt::RecoveryAsked,
    Prompt::Tonight,
    Prompt::Noted,
    Prompt::AskReport,
    Prompt::AskReportPin,
    Prompt::AskReportOutcome,
    Prompt::ReportTaken,
    Prompt::ReportOnPage,
];

/// Sounds of the bridge's own dialplan, for the time in which touban is down.
pub const FALLBACK: [&str; 3] = ["fallback_calling", "fallback_screen", "fallback_nobody"];

/// One line of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Words {
    /// What a person reads.
    pub shown: &'static str,
    /// What the speech engine is given.
    pub spoken: &'static str,
    /// Silence after it, in milliseconds.
    pub pause_ms: u64,
}

/// The words behind a code of [`Prompt::code`] or [`FALLBACK`]. `None`: there are none.
#[must_use]
pub fn words(lang: Lang, code: &str) -> Option<Words> {
    static TABLES: OnceLock<[BTreeMap<&'static str, Words>; 2]> = OnceLock::new();
    let [ja, en] = TABLES.get_or_init(|| [read(JA), read(EN)]);
    let table = match lang {
        Lang::Ja => ja,
        Lang::En => en,
    };
    table.get(code).copied()
}

/// What a person reads where the prompt is heard.
#[must_use]
pub fn shown(lang: Lang, prompt: Prompt) -> &'static str {
    words(lang, prompt.code()).map_or("", |words| words.shown)
}

/// The sounds of every prompt, as `scripts/prompts` makes them from the texts or people have spoken them.
#[derive(Clone)]
pub struct Sounds(Arc<BTreeMap<String, Vec<u8>>>);

/// A sound that is not there or cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct NoSound {
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl Sounds {
    /// Reads `FOLDER/ja/touban/CODE.wav` and `FOLDER/en/touban/CODE.wav` of every prompt.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn read(folder_of_all: &Path) -> Result<Self, NoSound> {
        let mut sounds = BTreeMap::new();
        for lang in [Lang::Ja, Lang::En].map(folder) {
            for code in ALL.map(Prompt::code) {
                let path = folder_of_all.join(lang).join("touban").join(format!("{code}.wav"));
                let sound = std::fs::read(&path).map_err(|source| NoSound { path, source })?;
                sounds.insert(format!("{lang}/{code}"), sound);
            }
        }
        Ok(Self(Arc::new(sounds)))
    }

    /// A WAV file. `None`: there is no such prompt.
    #[must_use]
    pub fn wav(&self, lang: &str, code: &str) -> Option<&[u8]> {
        self.0.get(&format!("{lang}/{code}")).map(Vec::as_slice)
    }
}

impl std::fmt::Debug for Sounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sounds({})", self.0.len())
    }
}

/// The folder of a language's sounds, as the bridge names languages.
#[must_use]
pub const fn folder(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "ja",
        Lang::En => "en",
    }
}

fn read(table: &'static str) -> BTreeMap<&'static str, Words> {
    let line = |line: &'static str| {
        let mut fields = line.split('\t');
        let (code, pause, shown) = (fields.next()?, fields.next()?, fields.next()?);
        let pause: f64 = pause.parse().ok()?;
        let spoken = fields.next().filter(|text| !text.is_empty()).unwrap_or(shown);
        let pause_ms = std::time::Duration::try_from_secs_f64(pause).ok()?.as_millis();
        Some((code, Words { shown, spoken, pause_ms: u64::try_from(pause_ms).ok()? }))
    };
    table.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn codes() -> BTreeSet<&'static str> {
        ALL.iter().map(|prompt| prompt.code()).chain(FALLBACK).collect()
    }

    /// Its place in the order of the type; a new prompt does not compile until it is here.
    const fn place(prompt: Prompt) -> usize {
        match prompt {
            Prompt::AskStation => 0,
            Prompt::AskClinic => 1,
            Prompt::AskStationAgain => 2,
            Prompt::AskClinicAgain => 3,
            Prompt::AskMessage => 4,
            Prompt::Kept => 5,
            Prompt::Calling(RoleSpoken::Cover) => 6,
            Prompt::Calling(RoleSpoken::Attending) => 7,
            Prompt::Calling(RoleSpoken::Primary) => 8,
            Prompt::Calling(RoleSpoken::Deputy) => 9,
            Prompt::Calling(RoleSpoken::Pillar) => 10,
            Prompt::Calling(RoleSpoken::Office) => 11,
            Prompt::Calling(RoleSpoken::Other) => 12,
            Prompt::StillCalling => 13,
            Prompt::LastResort => 14,
            Prompt::LastResortStill => 15,
            Prompt::OneMoment => 16,
            Prompt::WillCallBack => 17,
            Prompt::HandedOver => 18,
            Prompt::Over => 19,
            Prompt::TooMany => 20,
            Prompt::Screen => 21,
            Prompt::AskPin => 22,
            Prompt::AskPinToCallBack => 23,
            Prompt::PinAgain => 24,
            Prompt::PinLocked => 25,
            Prompt::NotNow => 26,
            Prompt::TakenByAnother => 27,
            Prompt::Promised => 28,
            Prompt::GivenBack => 29,
            Prompt::MessageThenCallingBack => 30,
            Prompt::CallingBack => 31,
            Prompt::CallerOutOfReach => 32,
            Prompt::Confirm => 33,
            Prompt::Test => 34,
            Prompt::Tested => 35,
            Prompt::RecoveryAsked => 36,
            Prompt::Tonight => 37,
            Prompt::Noted => 38,
            Prompt::AskReport => 39,
            Prompt::AskReportPin => 40,
            Prompt::AskReportOutcome => 41,
            Prompt::ReportTaken => 42,
            Prompt::ReportOnPage => 43,
        }
    }

    #[test]
    fn every_prompt_has_words_in_both_languages_and_no_words_are_left_over() {
        assert!(ALL.iter().enumerate().all(|(i, prompt)| place(*prompt) == i));
        for table in [JA, EN] {
            let lines = table.lines().filter(|l| !l.starts_with('#')).count();
            let read: BTreeSet<&str> = read(table).keys().copied().collect();
            assert_eq!(read, codes());
            assert_eq!(lines, read.len(), "a line that is not understood, or twice");
        }
        assert_ne!(shown(Lang::Ja, Prompt::Screen), shown(Lang::En, Prompt::Screen));
    }

    #[test]
    fn the_speech_engine_is_given_kana_only() {
        let kana = |c: char| matches!(c, '\u{3041}'..='\u{309f}' | 'ー' | '、' | '。');
        for code in codes() {
            let words = words(Lang::Ja, code).unwrap();
            assert!(words.spoken.chars().all(kana), "{code}: {}", words.spoken);
            assert!(words.shown.chars().count() <= 70, "{code} is too long to be said in ten seconds");
        }
    }

    #[test]
    fn whoever_calls_hears_119_first_and_nobody_hears_a_name() {
        for code in
            ["ask_station", "ask_clinic", "ask_message", "last_resort", "too_many", "fallback_calling"]
        {
            for lang in [Lang::Ja, Lang::En] {
                assert!(words(lang, code).unwrap().shown.contains("119"), "{code}");
            }
        }
    }
}
