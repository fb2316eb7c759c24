//! Whom the edge believes: which proxies may name the client, and which `Host` is ours. The checks
//! themselves are made in `edge`.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// A range of addresses, `10.0.0.0/8` or one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u8,
}

/// The text is not an address or a CIDR range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or a range such as 10.0.0.0/8")]
pub struct NotANetwork;

impl Network {
    /// Whether `address` lies in the range. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let shift = 32 - u32::from(self.prefix_bits);
                base.to_bits().checked_shr(shift) == a.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let shift = 128 - u32::from(self.prefix_bits);
                base.to_bits().checked_shr(shift) == a.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.trim().split_once('/').map_or((text.trim(), None), |(a, b)| (a, Some(b)));
        let base = IpAddr::from_str(address).map_err(|_| NotANetwork)?.to_canonical();
        let most: u8 = if base.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.map_or(Ok(most), |b| b.parse().map_err(|_| NotANetwork))?;
        if prefix_bits > most { Err(NotANetwork) } else { Ok(Self { base, prefix_bits }) }
    }
}

/// A list of ranges: the reverse proxies whose `X-Forwarded-For` is believed, or the peers that no
/// per-client limit is put on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The machine itself: `127.0.0.0/8` and `::1`.
    #[must_use]
    pub fn loopback() -> Self {
        let v4 = Network { base: IpAddr::from([127, 0, 0, 0]), prefix_bits: 8 };
        let v6 = Network { base: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix_bits: 128 };
        Self(vec![v4, v6])
    }

    /// Reads a list as it stands in the configuration.
    ///
    /// # Errors
    /// When one of the texts is not an address or a range.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, NotANetwork> {
        texts.iter().map(|t| t.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// This list and the other.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// Whether one of the ranges contains `address`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|n| n.contains(address))
    }
}

/// Where the request really comes from: the peer, or, when the peer is a trusted proxy, the rightmost hop
/// of `X-Forwarded-For` that is not one. Whatever stands further left was written by that hop and is not
/// believed; an unreadable hop ends the walk.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut address = peer.to_canonical();
    if !trusted.contains(address) {
        return address;
    }
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|v| v.to_str().unwrap_or("?")).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(read) = read_hop(hop.trim()) else { break };
        address = read;
        if !trusted.contains(address) {
            break;
        }
    }
    address
}

/// A hop as proxies write it: an address, `v4:port`, `[v6]` or `[v6]:port`.
fn read_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.split_once(']')).map(|(inside, _)| inside);
    bare.unwrap_or(text)
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|s| s.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

/// The unit limits are kept by: one IPv4 address, or one IPv6 /64, since a single line at home owns that
/// many addresses.
#[must_use]
pub fn client_unit(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// Which `Host` is ours, and from which `Origin` our own pages speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// `base_url` is configured: its host alone. The port is not compared, because reverse proxies often
    /// drop it from `Host`, and no link is ever built from it.
    Configured {
        /// Host in lower case, IPv6 in brackets.
        host: String,
        /// `https://host[:port]`, without the port when it is the scheme's own.
        origin: String,
        /// Whether the scheme is https.
        https: bool,
    },
    /// No `base_url`: names of the machine itself, with any port.
    Loopback,
}

/// The configured base URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("base_url must be http://host[:port] or https://host[:port], without path, query or user")]
pub struct BadBaseUrl;

/// What the `Host` of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostSays {
    /// Us.
    Ours,
    /// Somebody else.
    Foreign,
    /// Nothing, or two things (RFC 9112 §3.2 asks for 400).
    Nothing,
}

impl Site {
    /// Reads the configured base URL.
    ///
    /// # Errors
    /// When the scheme is neither http nor https, the host is missing, or there is anything behind it.
    pub fn from_base_url(base_url: &str) -> Result<Self, BadBaseUrl> {
        let uri: Uri = base_url.parse().map_err(|_| BadBaseUrl)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(BadBaseUrl),
        };
        let authority = uri.authority().ok_or(BadBaseUrl)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !base_url.contains('#');
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(BadBaseUrl);
        }
        let host = authority.host().to_ascii_lowercase();
        let scheme = if https { "https" } else { "http" };
        let usual = if https { 443 } else { 80 };
        let origin = match authority.port_u16() {
            Some(port) if port != usual => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok(Self::Configured { host, origin, https })
    }

    /// Whether people reach us by https, so that browsers may be told to insist on it.
    #[must_use]
    pub const fn https(&self) -> bool {
        matches!(self, Self::Configured { https: true, .. })
    }

    /// Judges the `Host` of a request; an absolute request target counts before it (RFC 9112 §3.2.2).
    #[must_use]
    pub fn judge_host(&self, uri: &Uri, headers: &HeaderMap) -> HostSays {
        let Some(authority) = authority_of(uri, headers) else { return HostSays::Nothing };
        let host = authority.host().to_ascii_lowercase();
        let ours = match self {
            Self::Configured { host: own, .. } => host == *own,
            Self::Loopback => is_loopback_name(&host),
        };
        if ours && !authority.as_str().contains('@') { HostSays::Ours } else { HostSays::Foreign }
    }

    /// Whether `origin` is the origin of our own pages.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
        match self {
            Self::Configured { origin: own, .. } => origin.eq_ignore_ascii_case(own),
            Self::Loopback => authority_of(uri, headers)
                .is_some_and(|host| origin.eq_ignore_ascii_case(&format!("http://{host}"))),
        }
    }
}

fn authority_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return None;
    }
    first.and_then(|h| Authority::try_from(h.as_bytes()).ok())
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_may_name_the_client() {
        let trusted = Networks::parse(&["10.0.0.0/8", "2001:db8::7"]).unwrap();
        let spoofed = headers(&[("x-forwarded-for", "198.51.100.1")]);
        assert_eq!(client_address(ip("203.0.113.9"), &spoofed, &trusted), ip("203.0.113.9"));
        assert_eq!(client_address(ip("10.1.1.1"), &spoofed, &trusted), ip("198.51.100.1"));
        assert_eq!(client_address(ip("::ffff:10.1.1.1"), &spoofed, &trusted), ip("198.51.100.1"));
    }

    #[test]
    fn the_rightmost_hop_that_is_no_proxy_is_the_client() {
        let trusted = Networks::parse(&["10.0.0.0/8"]).unwrap();
        let two_lines = headers(&[
            ("x-forwarded-for", "192.0.2.66, 198.51.100.1:4711"),
            ("x-forwarded-for", "10.0.0.3, 10.0.0.2"),
        ]);
        assert_eq!(client_address(ip("10.0.0.1"), &two_lines, &trusted), ip("198.51.100.1"));
        let junk = headers(&[("x-forwarded-for", "192.0.2.66, unknown, 10.0.0.2")]);
        assert_eq!(client_address(ip("10.0.0.1"), &junk, &trusted), ip("10.0.0.2"));
        let v6 = headers(&[("x-forwarded-for", "[2001:db8::1]:443")]);
        assert_eq!(client_address(ip("10.0.0.1"), &v6, &trusted), ip("2001:db8::1"));
    }

    #[test]
    fn ranges_are_read_and_compared_by_their_prefix() {
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains(ip("203.0.113.9")));
        assert!("2001:db8::/32".parse::<Network>().unwrap().contains(ip("2001:db8:1::1")));
        assert!(!"192.0.2.0/25".parse::<Network>().unwrap().contains(ip("192.0.2.128")));
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().contains(ip("::1")));
        for wrong in ["10.0.0.0/33", "host", "10.0.0/8", "::1/129", "1.2.3.4/", ""] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
    }

    #[test]
    fn one_line_at_home_counts_once_however_many_addresses_it_has() {
        assert_eq!(client_unit(ip("2001:db8::1:2:3:4")), client_unit(ip("2001:db8::9")));
        assert_ne!(client_unit(ip("2001:db8:0:1::1")), client_unit(ip("2001:db8::1")));
        assert_eq!(client_unit(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn without_a_base_url_only_the_machine_itself_is_host() {
        let judge =
            |host: &str| Site::Loopback.judge_host(&Uri::from_static("/"), &headers(&[("host", host)]));
        for ours in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080"] {
            assert_eq!(judge(ours), HostSays::Ours, "{ours}");
        }
        for foreign in
            ["touban.example", "localhost.evil.example", "192.0.2.1", "127.0.0.1.nip.io", "x@localhost"]
        {
            assert_eq!(judge(foreign), HostSays::Foreign, "{foreign}");
        }
        assert_eq!(judge(""), HostSays::Nothing);
        assert_eq!(Site::Loopback.judge_host(&Uri::from_static("/"), &HeaderMap::new()), HostSays::Nothing);
        let both = headers(&[("host", "localhost"), ("host", "localhost")]);
        assert_eq!(Site::Loopback.judge_host(&Uri::from_static("/"), &both), HostSays::Nothing);
    }

    #[test]
    fn a_base_url_is_a_scheme_and_a_host_and_nothing_more() {
        let site = Site::from_base_url("https://Touban.Example:443").unwrap();
        assert_eq!(
            site,
            Site::Configured {
                host: "touban.example".into(),
                origin: "https://touban.example".into(),
                https: true
            }
        );
        let absolute = Uri::from_static("http://evil.example/");
        assert_eq!(site.judge_host(&absolute, &headers(&[("host", "touban.example")])), HostSays::Foreign);
        assert!(site.is_own_origin("https://touban.example", &Uri::from_static("/"), &HeaderMap::new()));
        for foreign in
            ["http://touban.example", "https://touban.example:8443", "null", "https://evil.example"]
        {
            assert!(!site.is_own_origin(foreign, &Uri::from_static("/"), &HeaderMap::new()), "{foreign}");
        }
        for wrong in
            ["touban.example", "ftp://a.example", "https://a.example/x", "https://u@a.example", "https://"]
        {
            assert_eq!(Site::from_base_url(wrong), Err(BadBaseUrl), "{wrong}");
        }
    }
}
