//! Why a command ends before its work is done, in the words of the person at the shell.

use crate::app::AppError;
use crate::app::verify::chain_of;
use crate::config::ConfigError;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::i18n::Lang;

/// The end of a command that did not do what it was asked to.
#[derive(Debug)]
pub enum Stop {
    /// Typed or configured wrongly: exit code 2.
    Usage(String),
    /// It could not be done: exit code 1.
    Failed(String),
    /// A check found problems and has said them: exit code 3.
    Found,
}

impl Stop {
    /// The exit code, as documented in the help.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Found => 3,
        }
    }

    pub fn failed(lang: Lang, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Failed(in_words(lang, ja, en))
    }

    pub fn usage(lang: Lang, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Usage(in_words(lang, ja, en))
    }

    pub fn config(lang: Lang, error: &ConfigError) -> Self {
        Self::Usage(error.text(lang))
    }

    /// What a use case said, for somebody who typed its fields as options.
    pub fn app(lang: Lang, error: AppError) -> Self {
        match error {
            AppError::Invalid(wrong) => {
                Self::Usage(wrong.iter().map(|w| field_in_words(lang, w)).collect::<Vec<_>>().join("\n"))
            }
            AppError::NotFound => Self::failed(lang, "見つかりません", "there is no such thing"),
            other => Self::from(other),
        }
    }
}

/// Anything else that failed: the operation and its causes in one line.
impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(chain_of(&error))
    }
}

/// The words in one of the two languages.
pub fn in_words(lang: Lang, ja: impl Into<String>, en: impl Into<String>) -> String {
    match lang {
        Lang::Ja => ja.into(),
        Lang::En => en.into(),
    }
}

fn field_in_words(lang: Lang, field: &FieldWrong) -> String {
    let option = field.field.replace('_', "-");
    let (ja, en) = match field.wrong {
        Wrong::Missing => ("書いてください", "is missing"),
        Wrong::TooLong => ("長すぎます", "is too long"),
        Wrong::NotText => {
            ("使えない文字があるか、形が違います", "has characters or a form that cannot be used")
        }
        Wrong::NotAChoice => ("選べるもののどれでもありません", "is none of the choices"),
        Wrong::TooSoon => ("早すぎます", "is too soon"),
        Wrong::TooLate => ("遅すぎます", "is too late"),
        Wrong::OutOfRange => ("範囲の外です", "is out of range"),
        Wrong::Unknown => ("登録されていません", "does not exist here"),
        Wrong::Taken => ("もう使われています", "is taken already"),
    };
    match lang {
        Lang::Ja => format!("{option}：{ja}"),
        Lang::En => format!("{option} {en}"),
    }
}
