//! Phone numbers as callers, trunks and clerks write them: read, compared, masked, and checked before anything
//! is dialled. Which institution a number belongs to stands in the directory.
//!
//! Numbering: 総務省 電気通信番号計画. Stored as E.164, shown as 0AB-J.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Longest text that is read as a number, in bytes; a SIP address of a trunk is shorter.
const TEXT_MAX_BYTES: usize = 256;
/// Digits an international number may have (E.164 §6).
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A phone number in E.164. `Debug` and `Display` show its last digits only; [`Number::e164`] is the whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

/// What kind of number it is (番号種別).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// 090, 080, 070, 060.
    Mobile,
    /// 0AB-J.
    Fixed,
    /// 050.
    Voip,
    /// 0120, 0800: the callee pays.
    TollFree,
    /// 0570: charged to us, often a queue.
    Navi,
    /// 0990.
    Premium,
    /// 020: machines and pagers.
    Machine,
    /// Outside Japan.
    Foreign,
}

/// A short number of the network: emergency and services. No person is behind it whom we may ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// 110, 118, 119.
    Emergency,
    /// 104, 171, #7119, #8000 and the like.
    Service,
    /// A command to the network: `*` or `#` in it.
    Star,
    /// A number with 184 before it: it would hide ours.
    HidesOurs,
}

/// Why a caller shows no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// 非通知, `anonymous`.
    Withheld,
    /// 公衆電話.
    Payphone,
    /// 表示圏外: the network could not bring it.
    Unavailable,
    /// Nothing at all.
    Missing,
}

/// What a text says about a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Number(Number),
    Special(Special),
    Hidden(Hidden),
    /// No number we can be sure of.
    Unreadable,
}

/// A number that may be dialled. Made only by [`Line::new`], so nothing else can be dialled by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(Number);

/// Why a number is never dialled automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDialled {
    #[error("this is a short number of the network")]
    Special,
    #[error("numbers of this kind are not dialled")]
    Kind,
    #[error("this is our own number")]
    OwnNumber,
    #[error("this is not a phone number")]
    Unreadable,
}

impl Number {
    /// `+819012345678`, for the bridge and the sealed column only.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// As it is written in Japan: `09012345678`; foreign numbers stay as they are.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.strip_prefix("+81").map_or_else(|| self.0.clone(), |rest| format!("0{rest}"))
    }

    /// The last four digits behind stars, for logs and lists.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.0.len();
        format!("***{}", self.0.get(digits.saturating_sub(4)..).unwrap_or_default())
    }

    /// Its kind by the numbering plan.
    #[must_use]
    pub fn kind(&self) -> NumberKind {
        match self.0.strip_prefix("+81") {
            Some(rest) => national_kind(&format!("0{rest}")).unwrap_or(NumberKind::Foreign),
            None => NumberKind::Foreign,
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl TryFrom<String> for Number {
    type Error = NotDialled;

    fn try_from(text: String) -> Result<Self, NotDialled> {
        match read(&text) {
            Reading::Number(number) => Ok(number),
            Reading::Special(_) | Reading::Hidden(_) | Reading::Unreadable => Err(NotDialled::Unreadable),
        }
    }
}

impl Line {
    /// The number as a line that may be dialled. `own`: the numbers that ring at us; to dial one of them is a
    /// loop.
    ///
    /// # Errors
    /// [`NotDialled`] for our own numbers, for foreign ones and for kinds behind which nobody is rung.
    pub fn new(number: &Number, own: &[Number]) -> Result<Self, NotDialled> {
        if own.contains(number) {
            return Err(NotDialled::OwnNumber);
        }
        match number.kind() {
            NumberKind::Mobile | NumberKind::Fixed | NumberKind::Voip => Ok(Self(number.clone())),
            NumberKind::TollFree
            | NumberKind::Navi
            | NumberKind::Premium
            | NumberKind::Machine
            | NumberKind::Foreign => Err(NotDialled::Kind),
        }
    }

    /// Reads a written number as a line that may be dialled.
    ///
    /// # Errors
    /// As [`Line::new`], and for what is no number: hidden, short, unreadable.
    pub fn read(text: &str, own: &[Number]) -> Result<Self, NotDialled> {
        match read(text) {
            Reading::Number(number) => Self::new(&number, own),
            Reading::Special(_) => Err(NotDialled::Special),
            Reading::Hidden(_) | Reading::Unreadable => Err(NotDialled::Unreadable),
        }
    }

    /// The number behind the line.
    #[must_use]
    pub const fn number(&self) -> &Number {
        &self.0
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.masked())
    }
}

/// Reads a number in any writing: full-width, every hyphen, E.164, 0AB-J, `tel:` and SIP addresses, words for
/// hidden numbers. What could mean two things is [`Reading::Unreadable`].
#[must_use]
pub fn read(text: &str) -> Reading {
    if text.len() > TEXT_MAX_BYTES {
        return Reading::Unreadable;
    }
    let plain: String = text.nfkc().collect::<String>().to_lowercase();
    let bare = bare_address(plain.trim());
    if let Some(hidden) = hidden(bare) {
        return Reading::Hidden(hidden);
    }
    let dense: String = bare.chars().filter(|c| !c.is_whitespace() && !is_separator(*c)).collect();
    if dense.contains(['*', '#']) {
        let service = dense.strip_prefix('#').is_some_and(|d| d.len() == 4 && is_digits(d));
        let like_a_code = dense.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | '+'));
        return match (service, like_a_code) {
            (true, _) => Reading::Special(Special::Service),
            (false, true) => Reading::Special(Special::Star),
            (false, false) => Reading::Unreadable,
        };
    }
    let (plus, digits) = dense.strip_prefix('+').map_or((false, dense.as_str()), |d| (true, d));
    if is_digits(digits) { read_digits(plus, digits) } else { Reading::Unreadable }
}

fn read_digits(plus: bool, digits: &str) -> Reading {
    if plus {
        return international(digits);
    }
    if digits.len() == 3 && digits.starts_with('1') {
        let emergency = matches!(digits, "110" | "118" | "119");
        return Reading::Special(if emergency { Special::Emergency } else { Special::Service });
    }
    if let Some(rest) = digits.strip_prefix("184").filter(|r| r.starts_with('0')) {
        return if rest.len() > 1 { Reading::Special(Special::HidesOurs) } else { Reading::Unreadable };
    }
    if let Some(rest) = digits.strip_prefix("186").filter(|r| r.starts_with('0')) {
        return national(rest);
    }
    if let Some(rest) = digits.strip_prefix("010") {
        return international(rest);
    }
    if let Some(rest) = digits.strip_prefix("81").filter(|r| matches!(r.len(), 9 | 10)) {
        // The plus sign was lost on the way.
        return national(&format!("0{rest}"));
    }
    national(digits)
}

fn international(digits: &str) -> Reading {
    match digits.strip_prefix("81") {
        // +81(0)90 … is often written.
        Some(rest) => national(&format!("0{}", rest.strip_prefix('0').unwrap_or(rest))),
        None if E164_DIGITS.contains(&digits.len()) && !digits.starts_with('0') => {
            Reading::Number(Number(format!("+{digits}")))
        }
        None => Reading::Unreadable,
    }
}

fn national(digits: &str) -> Reading {
    match (national_kind(digits), digits.strip_prefix('0')) {
        (Some(_), Some(rest)) => Reading::Number(Number(format!("+81{rest}"))),
        _ => Reading::Unreadable,
    }
}

/// The kind of a number written with its leading 0; `None` when there is no such number.
fn national_kind(digits: &str) -> Option<NumberKind> {
    let begins = |prefix: &str| digits.starts_with(prefix);
    match digits.len() {
        11 if begins("0800") => Some(NumberKind::TollFree),
        11 if begins("090") || begins("080") || begins("070") || begins("060") => Some(NumberKind::Mobile),
        11 if begins("050") => Some(NumberKind::Voip),
        11 if begins("020") => Some(NumberKind::Machine),
        10 if begins("0120") => Some(NumberKind::TollFree),
        10 if begins("0570") => Some(NumberKind::Navi),
        10 if begins("0990") => Some(NumberKind::Premium),
        10 if begins("0") && !begins("00") && digits.get(2..3) != Some("0") => Some(NumberKind::Fixed),
        _ => None,
    }
}

/// `"Name" <sip:0312345678@trunk;user=phone>` without everything around the number.
fn bare_address(text: &str) -> &str {
    let inner = text.split_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    let scheme = ["tel:", "sips:", "sip:"].into_iter().find_map(|s| inner.strip_prefix(s)).unwrap_or(inner);
    let user = scheme.split(['@', ';']).next().unwrap_or(scheme);
    user.trim().trim_matches('"')
}

fn hidden(text: &str) -> Option<Hidden> {
    match text {
        "" => Some(Hidden::Missing),
        "anonymous" | "withheld" | "private" | "restricted" | "非通知" | "p" => Some(Hidden::Withheld),
        "公衆電話" | "payphone" | "coin line/payphone" | "c" => Some(Hidden::Payphone),
        "表示圏外" | "通知不可能" | "unavailable" | "unknown" | "out of area" | "s" | "o" => {
            Some(Hidden::Unavailable)
        }
        _ => None,
    }
}

/// Hyphens of every kind, the long vowel mark typed as one, dots and brackets.
const fn is_separator(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{2500}' | '\u{ad}' | '.' | '/' | '(' | ')'
    )
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
