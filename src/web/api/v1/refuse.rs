//! The one place where an error of the application becomes a problem of the API, and where it is logged.

use std::error::Error;

use crate::app::AppError;
use crate::domain::dispatch::Answer;
use crate::i18n::{Lang, t};
use crate::web::problem::{Kind, Problem};

/// The problem for an error; wrong fields are members of the body.
pub fn refuse(error: AppError, lang: Lang) -> Problem {
    refuse_at(error, lang, |field| format!("/{field}"))
}

/// The problem for an error; `pointer` says where in the body a field of the use case stands.
pub fn refuse_at(error: AppError, lang: Lang, pointer: impl Fn(&str) -> String) -> Problem {
    match error {
        AppError::NotFound => Kind::NotFound.problem(lang),
        AppError::KeyReused => Kind::IdempotencyKeyReused.problem(lang),
        AppError::Invalid(fields) => {
            fields.iter().fold(Kind::InvalidInput.problem(lang), |problem, wrong| {
                problem.error(pointer(wrong.field), said(lang, wrong.wrong.code()))
            })
        }
        e if e.is_stale() => Kind::Conflict.problem(lang),
        e if e.is_passing() => {
            tracing::warn!(error = &e as &dyn Error, "A call of the API is asked to come again");
            Kind::Unavailable.problem(lang)
        }
        e => {
            tracing::error!(error = &e as &dyn Error, "A call of the API failed");
            Kind::Internal.problem(lang)
        }
    }
}

/// What is wrong, in words.
pub fn said(lang: Lang, code: &str) -> String {
    t(lang, &format!("word-wrong-{code}"))
}

/// One wrong field.
pub fn wrong(lang: Lang, pointer: &str, code: &str) -> Problem {
    Kind::InvalidInput.problem(lang).error(pointer, said(lang, code))
}

/// The problem for an answer of the dispatch machine that is no success.
///
/// # Errors
/// That problem.
pub fn check(answer: Answer, lang: Lang) -> Result<(), Problem> {
    let kind = match answer {
        Answer::Done | Answer::Already | Answer::HandRaised => return Ok(()),
        Answer::Taken => Kind::Taken,
        Answer::Closed => Kind::Closed,
        Answer::Expired => Kind::Expired,
        Answer::AnsweredBefore => Kind::AnsweredBefore,
        Answer::NotAsked => Kind::Conflict,
        Answer::WrongProof => Kind::PinRequired,
        Answer::Refused { rule } => {
            let words = t(lang, &format!("word-rule-{}", rule.code()));
            return Err(Kind::RefusedByRule.problem(lang).detail(words).with("reason", rule.code()));
        }
    };
    Err(kind.problem(lang))
}
