//! The shape of a mail: its lines as plain text and as a small page, its subject on one line. Which lines, one level up.

use super::SUBJECT_MAX_CHARS;
use crate::i18n::Lang;

/// One line of a mail.
#[derive(Debug)]
pub(super) enum Line {
    Words(String),
    Button { label: String, url: String },
}

/// The types of the facts keep subjects short and on one line; this keeps them so whatever the texts become.
pub(super) fn clipped(subject: String) -> String {
    let subject: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if subject.chars().count() <= SUBJECT_MAX_CHARS {
        return subject;
    }
    subject.chars().take(SUBJECT_MAX_CHARS - 1).chain(['…']).collect()
}

pub(super) fn plain(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        match line {
            Line::Words(words) => out.push_str(words),
            Line::Button { label, url } => out.push_str(&format!("\n{label}\n{url}\n")),
        }
        out.push('\n');
    }
    out
}

pub(super) fn html(subject: &str, lines: &[Line], lang: Lang) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-size:18px;line-height:1.7\">\n",
        lang.tag(),
        escaped(subject)
    );
    for line in lines {
        match line {
            Line::Words(words) => out.push_str(&format!("<p>{}</p>\n", escaped(words))),
            Line::Button { label, url } => out.push_str(&format!(
                "<p><a href=\"{}\" style=\"display:inline-block;padding:14px 24px;background:#0017c1;\
                 color:#ffffff\">{}</a></p>\n",
                escaped(url),
                escaped(label)
            )),
        }
    }
    out.push_str("</body>\n</html>\n");
    out
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
