//! Forms the bytes of a mail and its envelope. No network, no clock, no chance: the same mail gives the
//! same bytes.
//!
//! Nothing a person typed may add a header, end the header part, start a MIME part or turn the reading
//! direction of what follows (ASVS 1.3.11). Addresses are refused when they hold anything suspicious;
//! names and subjects lose it.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Date, From, Header, HeaderName, HeaderValue, Headers, ReplyTo,
    Subject, To,
};
use lettre::message::{Mailbox, Mailboxes, Message, MultiPart, MultiPartKind, SinglePart};

use super::{MailError, OutgoingMail};
use crate::time::Millis;

/// Longest subject, in characters; more is cut.
pub const MAX_SUBJECT_CHARS: usize = 200;
/// Longest name beside an address, in characters; more is cut.
pub const MAX_NAME_CHARS: usize = 80;
/// Largest text or HTML part, in bytes before encoding. A larger one is a fault of ours.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Longest `Message-ID`; keeps the header line far from the 998 octets of RFC 5322 section 2.1.1.
const MAX_MESSAGE_ID_BYTES: usize = 250;
/// Longest line with an encoded word in it.
const MAX_ENCODED_LINE: usize = 76;
/// RFC 5321 section 4.5.3.1.
const MAX_LOCAL_BYTES: usize = 64;
const MAX_DOMAIN_BYTES: usize = 255;
/// 9999-12-31T23:59:59Z; the Date header has four digits for the year.
const LAST_DATE_MS: u64 = 253_402_300_799_000;

/// A mail ready for the wire: pure ASCII, CRLF line ends.
pub struct Composed {
    /// The whole message, headers and body.
    pub bytes: Vec<u8>,
    /// The return path.
    pub from: Address,
    /// The recipient, with a quoted local part where the stored one needs it.
    pub to: Address,
}

impl std::fmt::Debug for Composed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composed").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Forms `mail`.
///
/// # Errors
/// [`MailError::Permanent`] when the recipient's address cannot be used;
/// [`MailError::Misconfigured`] when anything of ours cannot (sender, ids, date, size).
pub fn compose(mail: &OutgoingMail) -> Result<Composed, MailError> {
    let from = address(&mail.from).map_err(|why| ours("sender address", why))?;
    let to = address(&mail.to).map_err(|why| MailError::permanent(format!("recipient address: {why}")))?;
    let message_id = message_id(&mail.message_id).map_err(|why| ours("Message-ID", why))?;
    // Short, so that Content-Type stays below 78 octets; base64 parts make it unique enough.
    let boundary: String = message_id.chars().filter(char::is_ascii_alphanumeric).take(24).collect();

    let mut builder = Message::builder()
        // Explicit, because lettre reads the envelope back out of the headers and loses quoted addresses.
        .envelope(
            Envelope::new(Some(from.clone()), vec![to.clone()])
                .map_err(|_| ours("envelope", "not usable"))?,
        )
        .header(date(mail.date)?)
        .raw_header(person::<From>(mail.from_name.as_deref(), &from))
        .raw_header(person::<To>(mail.to_name.as_deref(), &to))
        .header(Subject::from(one_line(&mail.subject, MAX_SUBJECT_CHARS)))
        .raw_header(verbatim("Message-ID", message_id));
    if let Some(reply_to) = &mail.reply_to {
        let reply_to = address(reply_to).map_err(|why| ours("reply address", why))?;
        builder = builder.raw_header(person::<ReplyTo>(None, &reply_to));
    }
    if let Some(earlier) = &mail.in_reply_to {
        let earlier = self::message_id(earlier).map_err(|why| ours("In-Reply-To", why))?;
        builder =
            builder.raw_header(verbatim("In-Reply-To", earlier)).raw_header(verbatim("References", earlier));
    }
    let message = builder
        // RFC 3834: keeps holiday answers and mailing robots quiet.
        .raw_header(verbatim("Auto-Submitted", "auto-generated"))
        .raw_header(verbatim("Content-Language", "ja"))
        .multipart(
            MultiPart::builder()
                .kind(MultiPartKind::Alternative)
                .boundary(format!("=_{boundary}"))
                .singlepart(part(ContentType::TEXT_PLAIN, &mail.text)?)
                .singlepart(part(ContentType::TEXT_HTML, &mail.html)?),
        )
        .map_err(|_| ours("headers", "not usable"))?;
    Ok(Composed { bytes: message.formatted(), from, to })
}

fn ours(what: &str, why: &str) -> MailError {
    MailError::misconfigured(format!("{what}: {why}"))
}

/// A header whose value is known to be plain ASCII and must not be folded: several old servers lose a
/// `Message-ID` that starts on the second line.
fn verbatim(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.to_owned(),
        value.to_owned(),
    )
}

/// A header with one address, its name encoded and on a line of its own when both do not fit into the 76
/// octets that RFC 2047 section 2 allows; lettre folds inside names only.
fn person<H: Header + std::convert::From<Mailboxes>>(name: Option<&str>, address: &Address) -> HeaderValue {
    let name = name.map(|n| one_line(n, MAX_NAME_CHARS)).filter(|n| !n.is_empty());
    let mut alone = Headers::new();
    alone.set(H::from(Mailboxes::from(Mailbox::new(name, address.clone()))));
    let line = alone.to_string();
    let value = line.trim_end().split_once(": ").map_or("", |(_, value)| value);
    let folded = match value.rsplit_once(" <") {
        Some((name, rest)) if line.trim_end().split("\r\n").any(|l| l.len() > MAX_ENCODED_LINE) => {
            format!("{name}\r\n <{rest}")
        }
        _ => value.to_owned(),
    };
    HeaderValue::dangerous_new_pre_encoded(H::name(), address.to_string(), folded)
}

fn date(at: Millis) -> Result<Date, MailError> {
    let ms = u64::try_from(at.0).ok().filter(|ms| *ms <= LAST_DATE_MS);
    let ms = ms.ok_or_else(|| ours("date", "outside 1970 to 9999"))?;
    Ok(Date::new(UNIX_EPOCH + Duration::from_millis(ms)))
}

/// Always base64: its lines never start with `--`, so no text can end its own MIME part, and no server on
/// the way re-wraps it.
fn part(kind: ContentType, text: &str) -> Result<SinglePart, MailError> {
    if text.len() > MAX_BODY_BYTES {
        return Err(ours("body", "too large"));
    }
    let clean: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c != '\n' && c != '\t' && is_treacherous(c) { ' ' } else { c })
        .collect();
    Ok(SinglePart::builder()
        .header(kind)
        .header(ContentTransferEncoding::Base64)
        .body(clean.replace('\n', "\r\n").into_bytes()))
}

/// Characters that end lines or turn the reading direction: controls, line and paragraph separators, the
/// marks, embeddings, overrides and isolates of UAX 9, and the byte order mark.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// `text` as one line of at most `max_chars`: treacherous characters become spaces, runs of spaces one, and
/// `=?` loses its meaning, or an ASCII subject could smuggle an encoded word with any of them inside.
fn one_line(text: &str, max_chars: usize) -> String {
    let spaced: String = text.chars().map(|c| if is_treacherous(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split(' ').filter(|w| !w.is_empty()).collect();
    let cut: String = words.join(" ").replace("=?", "=？").chars().take(max_chars).collect();
    cut.trim_end().to_owned()
}

fn message_id(id: &str) -> Result<&str, &'static str> {
    let inner = id.strip_prefix('<').and_then(|r| r.strip_suffix('>')).ok_or("no angle brackets")?;
    let (left, right) = inner.split_once('@').ok_or("no @")?;
    let dot_atom = |part: &str| !part.is_empty() && part.split('.').all(is_atom);
    if id.len() > MAX_MESSAGE_ID_BYTES {
        Err("too long")
    } else if dot_atom(left) && dot_atom(right) {
        Ok(id)
    } else {
        Err("not two dot-atoms")
    }
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_atext)
}

const fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// An address as stored, made fit for the envelope and the header. Dots at the ends or in a row, which
/// docomo and au gave out until 2009, are allowed by quoting the local part (RFC 5321 section 4.1.2);
/// everything else outside `atext` and single dots is refused. The returned error holds no part of the
/// address.
fn address(stored: &str) -> Result<Address, &'static str> {
    let (local, domain) = stored.rsplit_once('@').ok_or("no @")?;
    let quoted = local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
    let bare = quoted.unwrap_or(local);
    if bare.is_empty() || !bare.bytes().all(|b| is_atext(b) || b == b'.') {
        return Err("the part before @ holds characters that mail does not carry");
    }
    let well_formed = bare.split('.').all(is_atom);
    let local = if well_formed { bare.to_owned() } else { format!("\"{bare}\"") };
    if local.len() > MAX_LOCAL_BYTES {
        return Err("the part before @ is too long");
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    if domain.len() > MAX_DOMAIN_BYTES || !domain.split('.').all(label) {
        return Err("the part after @ is not a host name");
    }
    Ok(Address::new_dangerous(local, domain))
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
