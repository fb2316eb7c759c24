//! Calendar feeds as bytes (RFC 5545, RFC 7986). What stands in them is `domain::rota::feed`; its words come from
//! `app`. All times are UTC: no time zone has to travel with them, and every program converts them.

use std::fmt::Write as _;

use crate::domain::rota::feed::{Event, Feed};
use crate::time::Millis;

/// Who writes these files (RFC 5545 §3.7.3).
const PRODID: &str = "-//touban//duty calendar//JA";

/// The most octets of a line, its end not counted (RFC 5545 §3.1).
const LINE_MAX: usize = 75;

/// The bytes of a feed. The same feed gives the same bytes, whenever it is asked for.
#[must_use]
pub fn write(feed: &Feed) -> String {
    let mut out = String::with_capacity(400 + feed.events.len() * 500);
    let lang = feed.language;
    line(&mut out, "BEGIN:VCALENDAR");
    line(&mut out, "VERSION:2.0");
    line(&mut out, &format!("PRODID:{PRODID}"));
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, "METHOD:PUBLISH");
    let name = text(&feed.name);
    line(&mut out, &format!("NAME;LANGUAGE={lang}:{name}"));
    line(&mut out, &format!("X-WR-CALNAME:{name}"));
    line(&mut out, &format!("DESCRIPTION;LANGUAGE={lang}:{}", text(&feed.description)));
    line(&mut out, &format!("X-WR-TIMEZONE:{}", feed.zone));
    line(&mut out, "REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    line(&mut out, "X-PUBLISHED-TTL:PT1H");
    for event in &feed.events {
        write_event(&mut out, feed, event);
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn write_event(out: &mut String, feed: &Feed, event: &Event) {
    let lang = feed.language;
    line(out, "BEGIN:VEVENT");
    line(out, &format!("UID:duty-{}@{}", event.name, feed.host));
    // When this state of it was made (§3.8.7.2), not when it was asked for: else no feed would equal the last.
    line(out, &format!("DTSTAMP:{}", utc(event.modified)));
    line(out, &format!("LAST-MODIFIED:{}", utc(event.modified)));
    line(out, &format!("SEQUENCE:{}", event.sequence));
    line(out, &format!("DTSTART:{}", utc(event.window.from)));
    line(out, &format!("DTEND:{}", utc(event.window.to)));
    line(out, &format!("SUMMARY;LANGUAGE={lang}:{}", text(&event.summary)));
    if !event.description.is_empty() {
        line(out, &format!("DESCRIPTION;LANGUAGE={lang}:{}", text(&event.description)));
    }
    if !event.location.is_empty() {
        line(out, &format!("LOCATION;LANGUAGE={lang}:{}", text(&event.location)));
    }
    line(out, if event.cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
    // On duty one may still see patients: nobody else's invitation is refused because of it.
    line(out, "TRANSP:TRANSPARENT");
    line(out, "CLASS:PRIVATE");
    if let Some(minutes) = feed.alarm_min.filter(|_| !event.cancelled) {
        line(out, "BEGIN:VALARM");
        line(out, "ACTION:DISPLAY");
        line(out, &format!("DESCRIPTION:{}", text(&event.summary)));
        line(out, &format!("TRIGGER:-PT{minutes}M"));
        line(out, "END:VALARM");
    }
    line(out, "END:VEVENT");
}

/// An instant in UTC, to the second (§3.3.5, form 2).
fn utc(at: Millis) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.0).unwrap_or(chrono::DateTime::UNIX_EPOCH);
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text value (§3.3.11): four signs are escaped, control characters have no place in one.
fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// A content line, folded between characters (§3.1).
fn line(out: &mut String, content: &str) {
    let mut length = 0;
    for c in content.chars() {
        if length + c.len_utf8() > LINE_MAX {
            out.push_str("\r\n ");
            length = 1;
        }
        // Writing into a String cannot fail.
        let _ = out.write_char(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Window;

    fn feed(summary: &str) -> Feed {
        let at = |text| Millis::parse_rfc3339(text).unwrap();
        Feed {
            name: "青葉市医師会 当番".into(),
            description: String::new(),
            zone: "Asia/Tokyo".into(),
            host: "touban.example.jp".into(),
            language: "ja",
            events: vec![Event {
                name: "0abc".into(),
                window: Window::new(at("2026-10-14T18:00:00+09:00"), at("2026-10-15T09:00:00+09:00"))
                    .unwrap(),
                summary: summary.into(),
                description: "1行目\n2行目; 3, 4 \\".into(),
                location: String::new(),
                sequence: 2,
                modified: at("2026-09-01T00:00:00Z"),
                cancelled: false,
            }],
            alarm_min: None,
        }
    }

    #[test]
    fn a_night_ends_on_the_next_day_and_signs_are_escaped() {
        let written = write(&feed("夜"));
        assert!(written.contains("DTSTART:20261014T090000Z\r\nDTEND:20261015T000000Z\r\n"), "{written}");
        assert!(written.contains("1行目\\n2行目\\; 3\\, 4 \\\\\r\n"), "{written}");
        assert!(written.contains("UID:duty-0abc@touban.example.jp\r\n"), "{written}");
    }

    #[test]
    fn no_line_is_too_long_and_none_is_cut_within_a_character() {
        let long = "当番".repeat(80) + &"a".repeat(200);
        let written = write(&feed(&long));
        assert!(written.split("\r\n").all(|line| line.len() <= LINE_MAX), "{written}");
        assert!(!written.replace("\r\n", "").contains(['\n', '\r']), "only whole line ends");
        assert!(written.replace("\r\n ", "").contains(&long));
    }
}
