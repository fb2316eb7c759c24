//! Names as sheets write them: with or without 先生, in any form of a character, a part of one where only one
//! person has it. Marks and words that mean an empty seat.

use super::{Known, Reason};
use crate::domain::people::kana::{fold, narrow};
use crate::domain::people::sheet::fold_name;
use crate::domain::rota::model::RotaRole;

/// Whom a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who<'a> {
    /// One person; `short`: only a part of the name stands there.
    One { known: &'a Known, short: bool },
    /// None or several, with their names.
    None(Reason, String),
}

struct Row<'a> {
    known: &'a Known,
    name: String,
    family: String,
    given: String,
    kana: String,
    family_kana: String,
    institution: String,
}

/// Everybody a sheet may name.
pub(super) struct Names<'a>(Vec<Row<'a>>);

fn parts(name: &str) -> (String, String) {
    let mut parts = name.split_whitespace();
    let family = parts.next().unwrap_or_default();
    (fold_name(family), fold_name(&parts.collect::<String>()))
}

impl<'a> Names<'a> {
    pub fn new(people: &'a [Known]) -> Self {
        Self(
            people
                .iter()
                .map(|known| {
                    let (family, given) = parts(&known.name);
                    let family_kana = known.kana.split_whitespace().next().unwrap_or_default();
                    Row {
                        name: fold_name(&known.name),
                        family,
                        given,
                        kana: fold(&known.kana),
                        family_kana: fold(family_kana),
                        institution: fold_name(&known.institution),
                        known,
                    }
                })
                .collect(),
        )
    }

    /// Whom the text names.
    pub fn find(&self, text: &str) -> Who<'a> {
        let bare = bare(text);
        let (name, kana) = (fold_name(&bare), fold(&bare));
        if name.is_empty() {
            return Who::None(Reason::Nobody, String::new());
        }
        // The whole name, then parts of it: the first way by which anybody is meant decides.
        type Fits<'f, 'a> = &'f dyn Fn(&Row<'a>) -> bool;
        let ways: [(bool, Fits<'_, 'a>); 7] = [
            (false, &|r| r.name == name),
            (false, &|r| !r.kana.is_empty() && r.kana == kana),
            (true, &|r| r.family == name),
            (true, &|r| !r.family_kana.is_empty() && r.family_kana == kana),
            // 佐藤健, 佐藤(健): more than the family name, less than the whole.
            (true, &|r| name.chars().count() > r.family.chars().count() && r.name.starts_with(&name)),
            (true, &|r| r.given == name),
            (true, &|r| !r.institution.is_empty() && r.institution == name),
        ];
        for (short, fits) in ways {
            let found: Vec<&Row<'a>> = self.0.iter().filter(|row| fits(row)).collect();
            match found.as_slice() {
                [] => {}
                [one] => return Who::One { known: one.known, short },
                several => {
                    // One person of two institutions is one person.
                    if let Some(first) = several.first()
                        && several.iter().all(|r| r.known.holder == first.known.holder)
                    {
                        return Who::One { known: first.known, short };
                    }
                    let names: Vec<&str> = several.iter().take(5).map(|r| r.known.name.as_str()).collect();
                    return Who::None(Reason::Several, names.join("、"));
                }
            }
        }
        Who::None(Reason::Nobody, String::new())
    }

    /// Whether the text names one person.
    pub fn knows(&self, text: &str) -> bool {
        matches!(self.find(text), Who::One { .. })
    }
}

/// A name without what stands around it: titles, marks, the clinic in brackets.
fn bare(text: &str) -> String {
    let mut text = text.trim().to_owned();
    // 佐藤（健）keeps what is in the brackets when it is one character; 佐藤（青木医院）does not.
    if let Some((head, behind)) = text.split_once(['(', '（']) {
        let (inner, rest) = behind.split_once([')', '）']).unwrap_or((behind, ""));
        let inner = inner.trim();
        let kept = if inner.chars().count() == 1 && !inner.is_ascii() { inner } else { "" };
        if !head.trim().is_empty() {
            text = format!("{}{kept}{}", head.trim(), rest.trim());
        }
    }
    let marks: &[char] = &['★', '☆', '※', '*', '＊', '◎', '○', '●', '◯', ':', '：', ' ', '　', '.', '・'];
    let mut rest = text.trim_matches(marks).to_owned();
    for title in ["Dr.", "Dr", "Ｄｒ．", "ドクター"] {
        rest = rest.strip_prefix(title).unwrap_or(&rest).to_owned();
    }
    for title in ["先生", "医師", "ドクター", "Dr.", "Dr", "DR", "Ｄｒ", "院長", "副院長", "さん", "様", "氏"]
    {
        if let Some(head) = rest.trim_end_matches(marks).strip_suffix(title)
            && !head.trim().is_empty()
        {
            rest = head.to_owned();
        }
    }
    rest.trim_matches(marks).to_owned()
}

/// Whether a text leaves a seat empty.
pub(super) fn is_empty_seat(text: &str) -> bool {
    let plain = narrow(text);
    let plain = plain.trim_matches(['(', ')', '*', '※']);
    plain
        .chars()
        .all(|c| matches!(c, '-' | '－' | 'ー' | '―' | '─' | '‐' | '/' | '／' | '・' | '.' | '—' | '~'))
        || matches!(
            plain,
            "なし"
                | "無"
                | "無し"
                | "未定"
                | "空き"
                | "空"
                | "募集中"
                | "調整中"
                | "休"
                | "休み"
                | "休診"
                | "×"
                | "✕"
                | "x"
                | "X"
                | "?"
                | "？"
        )
}

/// The role that a word stands for.
pub(super) fn role_word(text: &str) -> Option<RotaRole> {
    match narrow(text).to_lowercase().trim_matches(['(', ')', '[', ']', ':', '【', '】']) {
        "正" | "主" | "正当番" | "主当番" | "当番正" | "第1" | "第一" | "1st" | "1番" | "1番手"
        | "primary" | "first" => Some(RotaRole::Primary),
        "副" | "副当番" | "当番副" | "第2" | "第二" | "2nd" | "2番" | "2番手" | "deputy" | "second" => {
            Some(RotaRole::Deputy)
        }
        "控" | "控え" | "第3" | "第三" | "3rd" | "3番手" | "backing" | "third" => {
            Some(RotaRole::Backing)
        }
        _ => None,
    }
}

/// The role that a heading names somewhere.
pub(super) fn role_in(heading: &str) -> Option<RotaRole> {
    if let Some(role) = role_word(heading) {
        return Some(role);
    }
    let plain = narrow(heading).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    if has(&["副", "第2", "第二", "deputy", "2番"]) {
        Some(RotaRole::Deputy)
    } else if has(&["控", "第3", "第三", "backing", "バックアップ"]) {
        Some(RotaRole::Backing)
    } else if has(&["正", "主当番", "第1", "第一", "primary", "1番"]) {
        Some(RotaRole::Primary)
    } else {
        None
    }
}

/// One name of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub role: Option<RotaRole>,
    pub name: String,
    /// It stands behind an arrow: somebody else was written first.
    pub replaced: bool,
}

/// The names of a cell: 正 伊藤　副 小林, 伊藤／小林, two lines, 伊藤→小林.
pub(super) fn names_in(text: &str, names: &Names<'_>) -> Vec<Named> {
    let mut found = Vec::new();
    for part in text.split(['\n', '/', '／', '、', ',', '，', ';', '；']) {
        let part = part.trim();
        if part.is_empty() || (is_empty_seat(part) && !names.knows(part)) {
            continue;
        }
        if names.knows(part) {
            found.push(Named { role: None, name: part.to_owned(), replaced: false });
            continue;
        }
        // The dot stands within names of institutions too: it parts people where each part is one.
        if part.contains('・') && part.split('・').all(|name| names.knows(name)) {
            let each = part.split('・').map(|name| Named {
                role: None,
                name: name.trim().to_owned(),
                replaced: false,
            });
            found.extend(each);
            continue;
        }
        for (role, name) in marked(part) {
            let (name, replaced) = match name.rsplit_once(['→', '⇒', '➡']) {
                Some((_, last)) if !last.trim().is_empty() => (last.trim().to_owned(), true),
                _ => (name, false),
            };
            if !is_empty_seat(&name) {
                found.push(Named { role, name, replaced });
            }
        }
    }
    found
}

/// Cuts at marks of roles that stand at the beginning of a word: 正：伊藤 副：小林.
fn marked(text: &str) -> Vec<(Option<RotaRole>, String)> {
    let mut out: Vec<(Option<RotaRole>, String)> = Vec::new();
    let mut role = None;
    let mut name = String::new();
    let mut at_beginning = true;
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let next = chars.get(at + 1).copied();
        let (word, length) = match (c, next, chars.get(at + 2)) {
            ('(' | '（' | '[' | '【', Some(w), Some(')' | '）' | ']' | '】')) => (Some(w), 3),
            (w, Some(':' | '：' | ' ' | '　' | '・'), _) => (Some(w), 2),
            (w, Some(_), _) => (Some(w), 1),
            _ => (None, 1),
        };
        let mark = word.filter(|_| at_beginning).and_then(|w| match w {
            '正' | '主' => Some(RotaRole::Primary),
            '副' => Some(RotaRole::Deputy),
            '控' => Some(RotaRole::Backing),
            _ => None,
        });
        if let Some(mark) = mark {
            if !name.trim().is_empty() {
                out.push((role, name.trim().to_owned()));
            }
            name.clear();
            role = Some(mark);
            at += length;
            at_beginning = false;
            continue;
        }
        at_beginning = c.is_whitespace();
        name.push(c);
        at += 1;
    }
    if !name.trim().is_empty() {
        out.push((role, name.trim().to_owned()));
    }
    out
}
