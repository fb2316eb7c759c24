//! The words that may travel by mail, as types too narrow for anything else. Which mail uses which word
//! stands one level up.

use std::fmt;

use crate::ids::parse_crockford;

/// The text does not belong on an envelope. It is not repeated: it may be what must not travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a text for the envelope of a mail: {what}")]
pub struct NotEnvelope {
    pub what: &'static str,
}

/// Letters, blanks and the few marks of names. No digits: no dates, numbers or ages; no sentence marks.
fn is_name(text: &str, most: usize) -> bool {
    let mark = |c: char| {
        matches!(c, ' ' | '　' | '・' | '&' | '\'' | '’' | '-' | 'ー' | '々' | '（' | '）' | '(' | ')')
    };
    let count = text.chars().count();
    (1..=most).contains(&count) && text.trim() == text && text.chars().all(|c| c.is_alphabetic() || mark(c))
}

/// Letters and digits, blanks and the marks of dates and times, with a digit or noon or midnight in it.
fn is_moment(text: &str, most: usize) -> bool {
    let mark = |c: char| matches!(c, ' ' | ':' | '：' | '/' | ',' | '-' | '（' | '）' | '(' | ')' | '・');
    let timely =
        |t: &str| t.contains(char::is_numeric) || ["正午", "noon", "midnight"].iter().any(|w| t.contains(w));
    let count = text.chars().count();
    (1..=most).contains(&count)
        && text.trim() == text
        && text.chars().all(|c| c.is_alphanumeric() || mark(c))
        && timely(text)
}

/// A duty with its hours and its role, or what became of it: letters and digits and the marks of times.
fn is_duty(text: &str) -> bool {
    let mark = |c: char| {
        matches!(c, ' ' | ':' | '：' | '/' | ',' | '-' | '–' | '〜' | '（' | '）' | '(' | ')' | '・')
    };
    let count = text.chars().count();
    (1..=90).contains(&count)
        && text.trim() == text
        && text.chars().all(|c| c.is_alphanumeric() || mark(c))
        && text.chars().any(char::is_numeric)
}

fn is_case_number(text: &str) -> bool {
    let year = |y: &str| {
        let digits = y.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or("");
        (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let counter = |n: &str| (4..=7).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    text.split_once('-').is_some_and(|(y, n)| year(y) && counter(n))
}

fn is_phone(text: &str) -> bool {
    (3..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'+')
}

fn is_link(text: &str) -> bool {
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let origin = text.starts_with("https://")
        || local.iter().any(|o| text.strip_prefix(o).is_some_and(|rest| rest.starts_with([':', '/'])));
    let plain =
        |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'?' | b'@');
    origin && text.len() <= 300 && text.bytes().all(plain)
}

fn is_code(text: &str) -> bool {
    let group = |g: &str| g.len() == 4 && g.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    text.split('-').count() == 3 && text.split('-').all(group) && parse_crockford(text).is_some()
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $fits:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When the text is anything else.
            pub fn new(text: impl Into<String>) -> Result<Self, NotEnvelope> {
                let text = text.into();
                let fits: fn(&str) -> bool = $fits;
                if fits(&text) { Ok(Self(text)) } else { Err(NotEnvelope { what: $what }) }
            }
        }
    )*};
}

macro_rules! shown {
    ($($name:ident)*) => {$(
        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

words! {
    /// The name of an association, at most 30 characters.
    AssociationName, "name of an association", |t| is_name(t, 30);
    /// The name of a specialty (診療科), at most 24 characters.
    Specialty, "specialty", |t| is_name(t, 24);
    /// A part of the city with thousands of residents (青葉北), at most 16 characters; never an address.
    CoarseArea, "coarse area", |t| is_name(t, 16);
    /// A point in time in few words (明日正午, `noon tomorrow`), at most 14 characters.
    ShortMoment, "short point in time", |t| is_moment(t, 14);
    /// A point in time (11月21日（土）正午), at most 40 characters.
    Moment, "point in time", |t| is_moment(t, 40);
    /// One's own duty or a hole: hours and role (11月21日（土）18時〜22日（日）8時 正), at most 90 characters.
    DutyLine, "duty", is_duty;
    /// A case number (受付番号), `R8-0412`.
    CaseNumber, "case number", is_case_number;
    /// The office's phone number as it is printed, `042-000-0000`.
    OfficePhone, "phone number of the office", is_phone;
    /// A link to a page of ours, by https or on this machine; nothing in a query, which proxies log. What
    /// follows `#` may be a token, so it is not shown.
    Link, "link", is_link;
    /// The code to type where a link does not open: twelve characters of Crockford base 32, `7Q2M-X0PA-4K9D`. Not
    /// shown: it is as good as the link.
    TypedCode, "code", is_code;
}

shown! { AssociationName Specialty CoarseArea ShortMoment Moment DutyLine CaseNumber OfficePhone }

impl Link {
    /// The whole link, token and all, for the mail itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// The page without the token, where the code can be typed.
    pub(super) fn place(&self) -> &str {
        self.0.split('#').next().unwrap_or("")
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#***", self.place())
    }
}

impl TypedCode {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
