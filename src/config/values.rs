//! The values a configuration is made of: types that cannot hold a wrong one. Which key has which value
//! stands in `sections`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use zeroize::Zeroize;

use super::problem::Words;

/// A secret: shown as `***`, wiped when dropped.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A length of time in whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(NonZeroU32);

impl Seconds {
    pub(super) const ONE: Self = Self(NonZeroU32::MIN);

    /// `None` for zero.
    #[must_use]
    pub const fn new(seconds: u32) -> Option<Self> {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// For `Millis::plus_s`.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0.get() as i64
    }

    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0.get() as u64)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The waits before the second, third … try, in seconds; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Vec<u32>);

impl Default for Ladder {
    /// A single retry after a minute.
    fn default() -> Self {
        Self(vec![60])
    }
}

impl Ladder {
    /// `None` when a step is zero or more than a day, or when there is no step or more than 100.
    #[must_use]
    pub fn new(steps_s: Vec<u32>) -> Option<Self> {
        let fits = (1..=100).contains(&steps_s.len()) && steps_s.iter().all(|s| (1..=86_400).contains(s));
        fits.then_some(Self(steps_s))
    }

    #[must_use]
    pub fn steps_s(&self) -> &[u32] {
        &self.0
    }
}

/// Where the pages are found from outside: `https://host[:port]`, or `http://` on this machine alone. Links
/// are built from nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    https: bool,
    host: String,
    port: Option<u16>,
}

impl BaseUrl {
    pub(super) fn parse(text: &str) -> Result<Self, Words> {
        let wrong = || {
            Words::new(
                "https://例.jp の形で書いてください（パスや ? は付けません）",
                "write it as https://example.jp, without a path or a query",
            )
        };
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(wrong()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host.to_owned(), Some(port.parse::<u16>().ok().filter(|p| *p > 0).ok_or_else(wrong)?))
            }
            _ => (rest, None),
        };
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let fits = match bare {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_host_name(&host),
        };
        if !fits {
            return Err(wrong());
        }
        let address = bare.unwrap_or(&host).parse::<IpAddr>();
        let loopback = host == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
        if !https && !loopback {
            return Err(Words::new(
                "このコンピューターの外から使うときは https:// にしてください",
                "anything but this machine itself needs https://",
            ));
        }
        Ok(Self { https, host, port })
    }

    /// The host as it stands in the URL (an IPv6 address in brackets), in small letters.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, where one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether cookies may carry `Secure` and the `__Host-` prefix.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Display for BaseUrl {
    /// Without a slash at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn is_host_name(host: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    (1..=253).contains(&host.len()) && host.split('.').all(label)
}

/// A name in the sense of the DNS, or an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    pub(super) fn parse(text: &str) -> Result<Self, Words> {
        let fits = is_host_name(text);
        fits.then(|| Self(text.to_owned()))
            .ok_or_else(|| Words::new("サーバー名を書いてください", "write the name of a host"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the data are kept.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A SQLite file on this machine.
    Sqlite { path: PathBuf },
    /// A PostgreSQL server; the URL carries its password.
    Postgres { url: SecretText },
}

impl DatabaseUrl {
    pub(super) fn parse(text: &str) -> Result<Self, Words> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres { url: SecretText::new(text.to_owned()) });
        }
        let Some(path) = text.strip_prefix("sqlite:") else {
            return Err(Words::new(
                "sqlite:ファイル名 か postgres://… の形で書いてください",
                "write it as sqlite:FILE or postgres://…",
            ));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains(['?', '\0']) || path == ":memory:" {
            return Err(Words::new(
                "SQLite には、? を含まないファイル名が要ります（メモリー上には置けません）",
                "SQLite needs the name of a file, without ? (memory is not kept)",
            ));
        }
        Ok(Self::Sqlite { path: PathBuf::from(path) })
    }

    /// The URL without its password.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite:{}", path.display()),
            Self::Postgres { url } => {
                let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
                // A password may stand before the host and among the parameters.
                let rest = rest.split_once('?').map_or(rest, |(plain, _)| plain);
                match rest.rsplit_once('@') {
                    None => format!("postgres://{rest}"),
                    Some((who, place)) => {
                        let user = who.split_once(':').map_or(who, |(user, _)| user);
                        format!("postgres://{user}:***@{place}")
                    }
                }
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// An address of our own (sender, replies): `office@example.jp` or `当番 <office@example.jp>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    name: Option<String>,
    address: String,
}

impl MailAddress {
    /// The sender where mail only goes into a folder.
    pub(super) fn on_this_machine() -> Self {
        Self { name: None, address: "touban@localhost".to_owned() }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Words> {
        let wrong = || {
            Words::new(
                "office@example.jp か 名前 <office@example.jp> の形で書いてください",
                "write it as office@example.jp or Name <office@example.jp>",
            )
        };
        if text.chars().any(char::is_control) {
            return Err(wrong());
        }
        let (name, address) = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, address)) => (Some(name.trim().trim_matches('"').to_owned()), address.trim()),
            None => (None, text.trim()),
        };
        let (local, host) = address.rsplit_once('@').ok_or_else(wrong)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if local.is_empty() || local.len() > 64 || dots || !local.chars().all(plain) || !is_host_name(host) {
            return Err(wrong());
        }
        Ok(Self { name: name.filter(|n| !n.is_empty()), address: address.to_owned() })
    }

    /// The name shown to the reader.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The bare address, `local@host`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Addresses that share their first bits: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    pub(super) fn parse(text: &str) -> Result<Self, Words> {
        let wrong = || {
            Words::new("127.0.0.1 か 10.0.0.0/8 の形で書いてください", "write it as 127.0.0.1 or 10.0.0.0/8")
        };
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        if address.to_canonical() != address {
            return Err(wrong());
        }
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |b| b.parse::<u8>().map_err(|_| wrong()))?;
        if bits > width { Err(wrong()) } else { Ok(Self { address, bits }) }
    }

    /// Whether `address` lies in this network. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is an
    /// IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32u32.saturating_sub(u32::from(self.bits));
                u32::from(net).checked_shr(shift) == u32::from(ip).checked_shr(shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128u32.saturating_sub(u32::from(self.bits));
                u128::from(net).checked_shr(shift) == u128::from(ip).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Words> {
    text.parse().map_err(|_| {
        Words::new(
            "127.0.0.1:8080 の形で書いてください（:0 は空いている番号を使います）",
            "write it as 127.0.0.1:8080 (port 0 takes a free one)",
        )
    })
}

pub(super) fn day(text: &str) -> Result<NaiveDate, Words> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| Words::new("日付は 2026-11-20 の形で書いてください", "write days as 2026-11-20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing() {
        let secret = SecretText::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn links_leave_this_machine_only_by_https() {
        for good in [
            "https://touban.example.jp",
            "https://[2001:db8::1]:8443",
            "http://localhost:8080",
            "http://[::1]",
        ] {
            assert_eq!(BaseUrl::parse(good).unwrap().to_string(), good);
        }
        assert_eq!(
            BaseUrl::parse("https://Touban.Example.JP/").unwrap().to_string(),
            "https://touban.example.jp"
        );
        for bad in [
            "http://touban.example.jp",
            "http://192.168.0.1",
            "ftp://example.jp",
            "https://",
            "https://a b",
            "https://example.jp/path",
            "https://user@example.jp",
            "https://example.jp?x",
            "https://example.jp:0",
            "https://example.jp:x",
            "https://[zz]",
            "example.jp",
            "https://-a.jp",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_is_shown_without_its_password() {
        for (url, shown) in [
            (
                "postgres://touban:p@ss@db.example.jp:5432/touban?password=x",
                "postgres://touban:***@db.example.jp:5432/touban",
            ),
            ("postgresql://localhost/touban", "postgres://localhost/touban"),
            ("sqlite:touban.sqlite", "sqlite:touban.sqlite"),
            ("sqlite:///var/lib/touban/t.sqlite", "sqlite:/var/lib/touban/t.sqlite"),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!((parsed.to_string(), format!("{parsed:?}")), (shown.to_owned(), shown.to_owned()));
        }
        for bad in ["sqlite:", "sqlite::memory:", "sqlite:a?mode=ro", "mysql://x", ""] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sender_is_one_plain_address_with_or_without_a_name() {
        let sender = MailAddress::parse("青葉市医師会 在宅当番 <touban@example.jp>").unwrap();
        assert_eq!((sender.name(), sender.address()), (Some("青葉市医師会 在宅当番"), "touban@example.jp"));
        assert_eq!(MailAddress::parse("touban@localhost").unwrap().name(), None);
        for bad in ["", "x", "a@b@c d", "a@", "@b", "a..b@c.jp", "a@b\r\nBcc: c@d.jp", "a <b>", "a@b c"] {
            assert!(MailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_holds_the_addresses_with_its_first_bits() {
        let inside = |net: &str, ip: &str| Network::parse(net).unwrap().contains(ip.parse().unwrap());
        assert!(inside("10.0.0.0/8", "10.255.0.1") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("127.0.0.1", "127.0.0.1") && !inside("127.0.0.1", "127.0.0.2"));
        assert!(inside("10.0.0.0/8", "::ffff:10.1.2.3") && !inside("::1", "127.0.0.1"));
        assert!(inside("2001:db8::/32", "2001:db8:1::1") && !inside("2001:db8::/32", "2001:db9::1"));
        assert!(inside("0.0.0.0/0", "203.0.113.9"));
        for bad in ["10.0.0.0/33", "::/129", "x", "10.0.0.0/", "::ffff:10.0.0.0/104"] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ladder_has_steps_of_a_second_to_a_day() {
        assert!(Ladder::new(vec![]).is_none());
        assert!(Ladder::new(vec![5, 0]).is_none());
        assert!(Ladder::new(vec![86_401]).is_none());
        assert_eq!(Ladder::new(vec![5, 15]).unwrap().steps_s(), [5, 15]);
    }
}
