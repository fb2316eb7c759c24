//! The files of the pages: style, scripts and the mark, inside the binary, under paths that name their content.

use std::fmt::Write as _;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

/// What a response with one of these files carries: its path names its content, so it never changes.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const TOKENS: &str = include_str!("../assets/vendor/tokens.css");
const STYLE: &str = include_str!("../assets/app.css");
const OFFICE: &str = include_str!("../assets/office.css");
const ROTA: &str = include_str!("../assets/rota.css");

/// The tokens that the style uses, and the style, in one file: one round trip at night, and a third of the
/// bytes. Comments and indents stay in the sources.
fn style() -> String {
    let mut css = String::from(":root{");
    for line in TOKENS.lines().map(str::trim) {
        let name = line.split(':').next().unwrap_or(line);
        let used = format!("var({name})");
        if name.starts_with("--") && [STYLE, OFFICE, ROTA].iter().any(|css| css.contains(&used)) {
            css.push_str(line);
        }
    }
    css.push_str("}\n");
    for line in STYLE.lines().map(str::trim).filter(|line| !line.starts_with("/*")) {
        css.push_str(line);
        css.push('\n');
    }
    css
}

fn files() -> &'static [File; 14] {
    static FILES: OnceLock<[File; 14]> = OnceLock::new();
    static CSS: OnceLock<String> = OnceLock::new();
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const CSS_TYPE: &str = "text/css; charset=utf-8";
    FILES.get_or_init(|| {
        let bytes = CSS.get_or_init(style).as_bytes();
        let link = include_bytes!("../assets/link.js");
        let demo = include_bytes!("../assets/demo.js");
        let phones = include_bytes!("../assets/phones.js");
        let htmx = include_bytes!("../assets/vendor/htmx.min.js");
        let icon = include_bytes!("../assets/icon.svg");
        [
            File { name: "app.css", content_type: "text/css; charset=utf-8", bytes },
            File {
                name: "office.css",
                content_type: "text/css; charset=utf-8",
                bytes: include_bytes!("../assets/office.css"),
            },
            File { name: "rota.css", content_type: "text/css; charset=utf-8", bytes: ROTA.as_bytes() },
            File { name: "rota.js", content_type: SCRIPT, bytes: include_bytes!("../assets/rota.js") },
            File { name: "paper.css", content_type: CSS_TYPE, bytes: include_bytes!("../assets/paper.css") },
            File {
                name: "paper-a4.css",
                content_type: CSS_TYPE,
                bytes: include_bytes!("../assets/paper-a4.css"),
            },
            File {
                name: "paper-a3.css",
                content_type: CSS_TYPE,
                bytes: include_bytes!("../assets/paper-a3.css"),
            },
            File {
                name: "paper-a3-wide.css",
                content_type: CSS_TYPE,
                bytes: include_bytes!("../assets/paper-a3-wide.css"),
            },
            File { name: "link.js", content_type: SCRIPT, bytes: link },
            File { name: "passkey.js", content_type: SCRIPT, bytes: include_bytes!("../assets/passkey.js") },
            File { name: "demo.js", content_type: SCRIPT, bytes: demo },
            File { name: "phones.js", content_type: SCRIPT, bytes: phones },
            File { name: "htmx.min.js", content_type: SCRIPT, bytes: htmx },
            File { name: "icon.svg", content_type: "image/svg+xml", bytes: icon },
        ]
    })
}

/// The address of each file, in the order of [`files`]: `/assets/app.1a2b3c4d.css`.
fn urls() -> &'static [String] {
    static URLS: OnceLock<Vec<String>> = OnceLock::new();
    URLS.get_or_init(|| {
        files()
            .iter()
            .map(|file| {
                let mut hash = String::new();
                for byte in Sha256::digest(file.bytes).iter().take(4) {
                    // Writing into a String cannot fail.
                    let _ = write!(hash, "{byte:02x}");
                }
                let (stem, ending) = file.name.rsplit_once('.').unwrap_or((file.name, ""));
                format!("/assets/{stem}.{hash}.{ending}")
            })
            .collect()
    })
}

/// The address of the file called `name` in the sources, with its hash; an unknown name gives an address
/// that is not found, and the tests know every name the templates use.
#[must_use]
pub fn asset_url(name: &str) -> &'static str {
    files().iter().zip(urls()).find(|(file, _)| file.name == name).map_or("/assets/missing", |(_, url)| url)
}

/// Content type and bytes of the file at `path` (`/assets/…`, with the right hash); `None` is a 404.
#[must_use]
pub fn asset(path: &str) -> Option<(&'static str, &'static [u8])> {
    files().iter().zip(urls()).find(|(_, url)| *url == path).map(|(file, _)| (file.content_type, file.bytes))
}

/// Every file, by its name in the sources.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    files().iter().map(|file| file.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_at_its_own_address_and_nowhere_else() {
        for file in files() {
            let url = asset_url(file.name);
            assert_eq!(asset(url), Some((file.content_type, file.bytes)), "{url}");
            assert_eq!(url.len(), "/assets/".len() + file.name.len() + 9, "{url}");
        }
        for path in ["/assets/app.css", "/assets/", "/assets/missing", "/assets/app.00000000.css", ""] {
            assert_eq!(asset(path), None, "{path}");
        }
    }

    #[test]
    fn the_style_names_no_token_that_is_not_there() {
        let css = style();
        for used in css.split("var(").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(css.contains(&format!("{used}:")), "{used}");
        }
        assert!(!css.contains("/*"), "a comment that does not stand on a line of its own");
    }

    #[test]
    fn the_copied_files_are_the_ones_in_the_table() {
        let table = include_str!("../assets/vendor/README.md");
        for (name, bytes) in [
            ("tokens.css", include_bytes!("../assets/vendor/tokens.css").as_slice()),
            ("htmx.min.js", include_bytes!("../assets/vendor/htmx.min.js").as_slice()),
            ("LICENSE-design-tokens", include_bytes!("../assets/vendor/LICENSE-design-tokens").as_slice()),
            ("LICENSE-htmx", include_bytes!("../assets/vendor/LICENSE-htmx").as_slice()),
        ] {
            let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let row = table.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap();
            assert!(row.contains(&hash), "{name} is {hash}");
        }
    }
}
