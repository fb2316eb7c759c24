//! The arrows between the rooms, read from the sources: who may name whom, who may use which crate, where
//! clocks and chance come from, and how long a file may grow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A room and the rooms it may name. Arrows are transitive, so that what a room reaches through another one
/// stands here too; `web` never reaches `store`. `planted` are the simulation's planted bugs, switches that
/// are constants in a release.
const ARROWS: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("money", &[]),
    ("planted", &[]),
    ("i18n", &[]),
    ("telemetry", &[]),
    ("ids", &["time"]),
    ("seal", &["ids", "time"]),
    ("domain", &["ids", "money", "planted", "time"]),
    ("store", &["domain", "i18n", "ids", "money", "planted", "seal", "telemetry", "time"]),
    ("ports", &["domain", "i18n", "ids", "money", "telemetry", "time"]),
    ("app", &["domain", "i18n", "ids", "money", "planted", "seal", "store", "telemetry", "time"]),
    (
        "durable",
        &["app", "domain", "i18n", "ids", "money", "planted", "ports", "seal", "store", "telemetry", "time"],
    ),
    ("config", &["i18n", "ids", "money", "telemetry", "time"]),
    ("export", &["domain", "i18n", "ids", "money", "time"]),
    ("web", &["app", "domain", "export", "i18n", "ids", "money", "telemetry", "time"]),
];

/// These wire everything, or stand outside of it.
const OUTSIDE: &[&str] = &["cli", "sim", "lib", "main"];

/// Single arrows beyond [`ARROWS`]: from the beginning of a path to what it names.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("app/demo.rs", "ports::mail", "the demo shows its mail folder as a page"),
    ("app/demo.rs", "ports::phone", "the demo shows its phones as a page"),
    ("app/post.rs", "ports::mail", "a test mail is sent while its reader waits for the server's answer"),
    ("config", "durable::schedule", "a schedule in the file is read into its own type"),
    ("web", "seal::Pin", "a typed PIN is a type that never prints itself"),
    ("web", "seal::Secret", "so is the secret of a cookie"),
];

/// A crate and the only room that may name it.
const CRATES: &[(&str, &str)] = &[
    ("sqlx", "store"),
    ("axum", "web"),
    ("hyper", "web"),
    ("askama", "web"),
    ("lettre", "ports"),
    ("reqwest", "ports"),
    ("tokio_tungstenite", "ports"),
    ("clap", "cli"),
    ("aes_gcm", "seal"),
    ("argon2", "seal"),
    ("calamine", "export"),
    ("csv", "export"),
    ("encoding_rs", "export"),
    ("multer", "web"),
    ("rust_xlsxwriter", "export"),
    ("zip", "export"),
    ("hmac", "seal"),
    ("sha1", "seal"),
    ("webauthn_rs", "seal"),
    ("qrcode", "web"),
];

/// A crate in a file of another room, and why.
const CRATES_ELSEWHERE: &[(&str, &str, &str)] =
    &[("encoding_rs", "app/calendar.rs", "the Cabinet Office publishes its holidays in Shift_JIS")];

/// Lines a file may have without a reason.
const LONGEST: usize = 700;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[
    ("web/ui/views/samples/mod.rs", "one sample of every page and mail: data, not logic"),
    ("web/api/v1/rota.rs", "the shapes of duty and rotas, which share them; splits when swaps join"),
];

/// A source file: its path from `src`, and its text without comments and test modules.
struct Source {
    path: String,
    text: String,
    lines: usize,
}

impl Source {
    /// The room: the first folder, or the file's own name.
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The module path: `web/ui/mod.rs` is `[web, ui]`.
    fn modules(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    collect(&src, &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths
        .into_iter()
        .map(|path| {
            let whole = std::fs::read_to_string(&path).unwrap();
            let text = without_tests(&whole);
            let path = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
            Source { path, text, lines: whole.lines().count() }
        })
        .collect();
    assert!(sources.len() > 60, "the sources were not found");
    sources
}

/// The code alone: no comment lines, and nothing from the test module at the end on.
fn without_tests(whole: &str) -> String {
    let code = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path that begins at `start` (just after `crate::` or the last `super::`), groups taken apart:
/// `{a, b::{c, d}}` gives `a`, `b::c`, `b::d`. Two steps are enough for every rule.
fn paths_at(text: &str) -> Vec<String> {
    fn group(chars: &mut std::iter::Peekable<std::str::Chars>, prefix: &str, out: &mut Vec<String>) {
        loop {
            while chars.peek().is_some_and(|c| c.is_whitespace() || *c == ',') {
                chars.next();
            }
            match chars.peek() {
                Some('}') => {
                    chars.next();
                    return;
                }
                Some('{') => {
                    chars.next();
                    group(chars, prefix, out);
                }
                Some(c) if c.is_alphanumeric() || *c == '_' || *c == '*' => one(chars, prefix, out),
                _ => return,
            }
        }
    }
    fn one(chars: &mut std::iter::Peekable<std::str::Chars>, prefix: &str, out: &mut Vec<String>) {
        let mut path = prefix.to_owned();
        while let Some(&c) = chars.peek() {
            if c.is_alphanumeric() || c == '_' || c == '*' {
                path.push(c);
                chars.next();
            } else if c == ':' {
                chars.next();
                if chars.next_if_eq(&':').is_none() {
                    break;
                }
                path.push_str("::");
                if chars.next_if_eq(&'{').is_some() {
                    group(chars, &path, out);
                    return;
                }
            } else {
                break;
            }
        }
        out.push(path);
    }
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    if chars.next_if_eq(&'{').is_some() {
        group(&mut chars, "", &mut out);
    } else {
        one(&mut chars, "", &mut out);
    }
    out
}

/// Paths from the root of the crate that this file names, `store::jobs::Lane`.
fn named(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in source.text.match_indices("crate::") {
        // `$crate::` of a macro names the crate of whoever defined it, which is this one.
        let before = source.text[..at].chars().next_back();
        if before.is_none_or(|c| !(c.is_alphanumeric() || c == '_')) {
            found.extend(paths_at(&source.text[at + "crate::".len()..]));
        }
    }
    // `super::` only counts where it climbs to the root.
    let depth = source.modules().len();
    let mut rest = source.text.as_str();
    while let Some(at) = rest.find("super::") {
        let mut tail = &rest[at..];
        let mut climbed = 0;
        while let Some(after) = tail.strip_prefix("super::") {
            climbed += 1;
            tail = after;
        }
        if climbed >= depth {
            found.extend(paths_at(tail));
        }
        rest = tail;
    }
    found
}

fn allowed(source: &Source, path: &str) -> bool {
    let room = source.room();
    let to = path.split("::").next().unwrap();
    let arrows = ARROWS.iter().find(|(from, _)| *from == room).map(|(_, to)| *to);
    let arrows = arrows.unwrap_or_else(|| panic!("{room} is a room without arrows: add it to the list"));
    // What begins with a capital is re-exported by the root, or is no path at all.
    to == room
        || arrows.contains(&to)
        || EXCEPTIONS.iter().any(|(from, what, _)| source.path.starts_with(from) && path.starts_with(what))
}

#[test]
fn no_room_reaches_where_it_may_not() {
    let sources = sources();
    let rooms: BTreeSet<String> = sources.iter().map(|s| s.room().to_owned()).collect();
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|s| !s.is_test() && !OUTSIDE.contains(&s.room())) {
        for path in named(source) {
            let to = path.split("::").next().unwrap();
            if rooms.contains(to) && !allowed(source, &path) {
                wrong.push(format!("src/{} names {path}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_reaches_the_outside_from_within() {
    for source in sources().iter().filter(|s| !OUTSIDE.contains(&s.room())) {
        for path in named(source) {
            let to = path.split("::").next().unwrap();
            assert!(!OUTSIDE.contains(&to), "src/{} names {path}", source.path);
        }
    }
}

#[test]
fn an_arrow_that_is_not_there_would_be_seen() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into(), lines: 1 };
    let seen = |path: &str, text: &str| {
        let source = source(path, text);
        named(&source).into_iter().filter(|p| !allowed(&source, p)).collect::<Vec<_>>()
    };
    assert_eq!(seen("web/ui/board.rs", "use crate::store::people::Member;"), ["store::people::Member"]);
    assert_eq!(
        seen("web/ui/board.rs", "use crate::{app::App, store::{Db, jobs::Lane}};"),
        ["store::Db", "store::jobs::Lane"]
    );
    assert_eq!(seen("web/rate.rs", "fn f(x: &super::super::store::Db) {}"), ["store::Db"]);
    assert_eq!(seen("web/ui/board.rs", "use super::super::rate::Slow; use super::views;"), [""; 0]);
    assert_eq!(seen("domain/people.rs", "let x = crate::seal::hex(y);"), ["seal::hex"]);
    assert_eq!(seen("app/outbox.rs", "use crate::ports::mail::FolderMail;"), ["ports::mail::FolderMail"]);
    assert_eq!(seen("app/demo.rs", "use crate::ports::mail::FolderMail;"), [""; 0]);
    assert_eq!(
        seen("config/values.rs", "use crate::durable::{schedule::Schedule, runner};"),
        ["durable::runner"]
    );
    assert_eq!(without_tests("// crate::x\nuse a;\n#[cfg(test)]\nmod tests {\n use b;"), "use a;");
}

/// Whether `text` names the crate: as the head of a path.
fn uses_crate(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}::")).any(|(at, _)| {
        text[..at].chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    }) || text.contains(&format!("use {name};"))
}

#[test]
fn every_crate_stays_in_its_room() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test()) {
        for (name, room) in CRATES {
            let excepted = CRATES_ELSEWHERE.iter().any(|(n, path, _)| n == name && source.path == *path);
            if source.room() != *room && !excepted && uses_crate(&source.text, name) {
                wrong.push(format!("src/{} uses {name}, which belongs to {room}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(uses_crate("use sqlx::Row;", "sqlx") && !uses_crate("crate::mysqlx::x", "sqlx"));
}

#[test]
fn what_decides_does_not_wait() {
    for source in sources().iter().filter(|s| s.room() == "domain" && !s.is_test()) {
        for word in ["async ", ".await", "tokio::", "std::fs", "std::net", "std::env"] {
            assert!(!source.text.contains(word), "src/{} has {word}", source.path);
        }
    }
}

#[test]
fn clocks_and_chance_are_arguments() {
    let own = ["time.rs", "ids.rs", "main.rs"];
    let banned = [
        "Utc::now",
        "Local::now",
        "SystemTime::now",
        "rand::rng",
        "thread_rng",
        "rand::random",
        "OsRng",
        "SysRng",
    ];
    for source in sources().iter().filter(|s| !own.contains(&s.path.as_str())) {
        for word in banned {
            assert!(!source.text.contains(word), "src/{} has {word}", source.path);
        }
    }
}

#[test]
fn a_long_file_has_a_reason() {
    let long: BTreeSet<String> = sources()
        .into_iter()
        .filter(|s| s.lines > LONGEST && !s.is_test())
        .map(|s| format!("{} ({} lines)", s.path, s.lines))
        .collect();
    let unexplained: Vec<&String> =
        long.iter().filter(|file| !LONG_FILES.iter().any(|(path, _)| file.starts_with(path))).collect();
    assert!(unexplained.is_empty(), "look for the second subject in {unexplained:#?}");
    for (path, _) in LONG_FILES {
        assert!(
            long.iter().any(|file| file.starts_with(path)),
            "{path} is no longer long: take it off the list"
        );
    }
}
