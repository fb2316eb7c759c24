//! What a device is, in a code of two words: read from what its browser says of itself (RFC 9110 §10.1.5),
//! so that people know their devices apart. The text itself is never kept.

/// Kinds of devices, with what tells them; the first that fits.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iphone"),
    ("iPad", "ipad"),
    ("Android", "android"),
    ("Windows", "windows"),
    ("CrOS", "chromebook"),
    ("Macintosh", "mac"),
    ("Linux", "linux"),
];

/// Browsers, with what tells them; the first that fits, because each names the ones before it too.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "edge"),
    ("SamsungBrowser", "samsung"),
    ("FxiOS", "firefox"),
    ("Firefox", "firefox"),
    ("CriOS", "chrome"),
    ("Chrome", "chrome"),
    ("Safari", "safari"),
];

/// Every system there is a word for.
pub const SYSTEM_CODES: &[&str] =
    &["iphone", "ipad", "android", "windows", "chromebook", "mac", "linux", "other"];

/// Every browser there is a word for.
pub const BROWSER_CODES: &[&str] = &["edge", "samsung", "firefox", "chrome", "safari", "other"];

/// `iphone.safari`, from a `User-Agent`.
#[must_use]
pub fn label_of(user_agent: &str) -> String {
    let of = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map_or("other", |(_, code)| *code)
    };
    format!("{}.{}", of(SYSTEMS), of(BROWSERS))
}

/// The system and the browser of a stored label; `other` for what is not known.
#[must_use]
pub fn parts(label: &str) -> (&'static str, &'static str) {
    let (system, browser) = label.split_once('.').unwrap_or((label, ""));
    let of = |known: &'static [&'static str], code: &str| {
        known.iter().find(|known| **known == code).copied().unwrap_or("other")
    };
    (of(SYSTEM_CODES, system), of(BROWSER_CODES, browser))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_by_what_its_browser_says() {
        for (agent, label) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "iphone.safari",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "windows.edge",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
                "android.chrome",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "linux.firefox"),
            ("", "other.other"),
            ("<script>", "other.other"),
        ] {
            assert_eq!(label_of(agent), label, "{agent}");
        }
    }

    #[test]
    fn a_stored_label_reads_as_two_known_words() {
        assert_eq!(parts("iphone.safari"), ("iphone", "safari"));
        assert_eq!(parts(""), ("other", "other"));
        assert_eq!(parts("toaster.netscape"), ("other", "other"));
    }
}
