//! Who calls: the address of the connection, or the one named by a proxy that the configuration trusts.
//!
//! ```text
//!   caller ──▶ any relay ──▶ trusted proxy ──▶ trusted proxy ──▶ program
//!     └─ may say anything      appends what it saw: read from the right, the first address that is not trusted
//! ```
//! One header is read, the one the proxies are known to write: the other one may come from the caller as it stands.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::problem::{self, Problem};
use crate::kernel::CallerAddress;

impl FromRequest for CallerAddress {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    /// As the edge found it; behind no edge, the peer of the connection.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().copied();
        let peer = || request.peer_addr().map(|peer| Self(peer.ip().to_canonical()));
        std::future::ready(
            found.or_else(peer).ok_or_else(|| Problem::new(&problem::INTERNAL_ERROR, "L'appelant n'a pas d'adresse.")),
        )
    }
}

/// A network of addresses: `203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    length: u8,
}

impl Network {
    /// Whether an address belongs to it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.length)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.length)
            }
            _ => false,
        }
    }

    /// Whether it holds every address there is.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.length == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("« {text} » n'est pas une adresse IP ni un réseau comme 10.0.0.0/8 ou 2001:db8::/32");
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let base: IpAddr = address.parse().map_err(|_| refused())?;
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => widest,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| refused())?,
            Some(_) => return Err(refused()),
        };
        if length > widest {
            return Err(refused());
        }
        Ok(Self { base, length })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.length)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The header in which the proxies write whom they speak for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedBy {
    /// `X-Forwarded-For: caller, proxy`: nginx, HAProxy, Apache, Caddy.
    #[default]
    XForwardedFor,
    /// `Forwarded: for=caller, for=proxy` (RFC 7239).
    Forwarded,
}

/// The proxies whose word is taken, and where they write it.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    pub networks: Vec<Network>,
    pub header: ForwardedBy,
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The caller of a request: its peer, unless the peer is trusted to name another.
    ///
    /// An entry that cannot be read ends the search: what stands to its left was said by nobody known.
    #[must_use]
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> CallerAddress {
        let mut caller = peer.to_canonical();
        if !self.trusts(caller) {
            return CallerAddress(caller);
        }
        let name: HeaderName = match self.header {
            ForwardedBy::XForwardedFor => X_FORWARDED_FOR,
            ForwardedBy::Forwarded => FORWARDED,
        };
        // Several headers read as one list, in their order.
        let lines: Vec<&HeaderValue> = headers.get_all(name).collect();
        let entries = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for entry in entries {
            let Some(address) = (match self.header {
                ForwardedBy::XForwardedFor => address(entry.trim()),
                ForwardedBy::Forwarded => forwarded_for(entry),
            }) else {
                break;
            };
            caller = address;
            if !self.trusts(caller) {
                break;
            }
        }
        CallerAddress(caller)
    }
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let plain = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|s| s.ip()));
    plain.map(|address| address.to_canonical())
}

/// The `for` of one element of `Forwarded`; no address holds a comma or a semicolon, so a quoted one cannot mislead.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let named = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = named.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// Whether a relay of any kind put its mark on a request.
#[must_use]
pub fn is_relayed(headers: &HeaderMap) -> bool {
    const NAMES: &[&str] = &[
        "via",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "fastly-client-ip",
        "x-host",
        "x-proxyuser-ip",
        "x-remote-ip",
        "x-remote-addr",
        "x-envoy-external-address",
        "x-appengine-user-ip",
        "cdn-loop",
        "client-ip",
        "x-request-start",
    ];
    const FAMILIES: &[&str] =
        &["x-forwarded", "cf-", "x-original-", "x-azure-", "x-amz", "x-arr-", "x-envoy-", "x-proxy-"];
    headers
        .keys()
        .any(|name| NAMES.contains(&name.as_str()) || FAMILIES.iter().any(|family| name.as_str().starts_with(family)))
}

/// Whether the request was addressed to this machine by name: a relay, or a page misled by its name server, says another.
#[must_use]
pub fn names_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all("host");
    let Some(host) = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let local = |address: IpAddr| address.to_canonical().is_loopback() || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    name.eq_ignore_ascii_case("localhost") || address(name).is_some_and(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    fn proxies(networks: &[&str], header: ForwardedBy) -> TrustedProxies {
        TrustedProxies { networks: networks.iter().map(|n| n.parse().unwrap()).collect(), header }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let holds = |network: &str, address: &str| network.parse::<Network>().unwrap().contains(ip(address));
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("2001:db8::/32", "2001:db8:1::2") && !holds("2001:db8::/32", "2001:db9::"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "::1"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "proxy.local", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        let said = headers(&[("x-forwarded-for", "198.51.100.1")]);
        let none = TrustedProxies::default();
        assert_eq!(none.caller(ip("203.0.113.7"), &said), CallerAddress(ip("203.0.113.7")));
        assert_eq!(none.caller(ip("::ffff:203.0.113.7"), &said), CallerAddress(ip("203.0.113.7")));
        let other = proxies(&["10.0.0.1"], ForwardedBy::XForwardedFor);
        assert_eq!(other.caller(ip("203.0.113.7"), &said), CallerAddress(ip("203.0.113.7")));
        assert_eq!(other.caller(ip("10.0.0.1"), &said), CallerAddress(ip("198.51.100.1")));
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_caller() {
        let inner = proxies(&["10.0.0.0/8", "2001:db8::/32"], ForwardedBy::XForwardedFor);
        let found = |lines: &[(&'static str, &'static str)]| inner.caller(ip("10.0.0.1"), &headers(lines)).0;
        // What the caller invented stands to the left.
        assert_eq!(found(&[("x-forwarded-for", "127.0.0.1, 198.51.100.9")]), ip("198.51.100.9"));
        assert_eq!(found(&[("x-forwarded-for", "1.1.1.1, 198.51.100.9, 10.0.0.2")]), ip("198.51.100.9"));
        assert_eq!(
            found(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.9:4711,[2001:db8::2]:80")]),
            ip("198.51.100.9")
        );
        assert_eq!(found(&[("x-forwarded-for", "2001:DB9::1")]), ip("2001:db9::1"));
        // What cannot be read ends the search; nothing at all leaves the proxy.
        assert_eq!(found(&[("x-forwarded-for", "198.51.100.9, unknown, 10.0.0.2")]), ip("10.0.0.2"));
        assert_eq!(found(&[("x-forwarded-for", "")]), ip("10.0.0.1"));
        assert_eq!(found(&[]), ip("10.0.0.1"));
        // Only trusted ones all the way: the farthest of them.
        assert_eq!(found(&[("x-forwarded-for", "10.9.9.9, 10.0.0.2")]), ip("10.9.9.9"));
        // The header these proxies do not write is the caller's own word.
        assert_eq!(found(&[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "198.51.100.9")]), ip("198.51.100.9"));
        let standard = proxies(&["10.0.0.0/8"], ForwardedBy::Forwarded);
        let found = |lines: &[(&'static str, &'static str)]| standard.caller(ip("10.0.0.1"), &headers(lines)).0;
        assert_eq!(
            found(&[("forwarded", "for=1.1.1.1, For=\"[2001:db8:cafe::17]:4711\";proto=http;by=10.0.0.1")]),
            ip("2001:db8:cafe::17")
        );
        assert_eq!(found(&[("forwarded", "for=198.51.100.9;by=10.0.0.1, for=10.0.0.3")]), ip("198.51.100.9"));
        assert_eq!(found(&[("forwarded", "for=_hidden")]), ip("10.0.0.1"));
        assert_eq!(found(&[("x-forwarded-for", "198.51.100.9")]), ip("10.0.0.1"));
    }

    #[test]
    fn a_limit_counts_an_ipv6_subscriber_once() {
        let source = |text: &str| CallerAddress(ip(text)).source();
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), ip("2001:db8:1:2::"));
        assert_eq!(source("203.0.113.7"), ip("203.0.113.7"));
    }

    #[test]
    fn any_mark_of_a_relay_is_seen() {
        for name in [
            "via",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-real-ip",
            "cf-connecting-ip",
            "cf-ray",
            "true-client-ip",
            "x-original-forwarded-for",
            "x-envoy-external-address",
        ] {
            assert!(is_relayed(&headers(&[(name, "x")])), "{name}");
        }
        assert!(!is_relayed(&headers(&[
            ("host", "127.0.0.1:8080"),
            ("user-agent", "Prometheus/2.53"),
            ("accept", "*/*"),
            ("x-prometheus-scrape-timeout-seconds", "10"),
            ("authorization", "Bearer x")
        ])));
    }

    #[test]
    fn this_machine_is_called_by_its_own_names() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:9", "LOCALHOST", "[::1]:8080", "[::1]"] {
            assert!(names_this_machine(&headers(&[("host", host)])), "{host}");
        }
        for host in
            ["ent.exemple.fr", "ent.exemple.fr:8080", "127.0.0.1.nip.io", "localhost.exemple.fr", "", "10.0.0.1:8080"]
        {
            assert!(!names_this_machine(&headers(&[("host", host)])), "{host}");
        }
        assert!(!names_this_machine(&headers(&[])));
        assert!(!names_this_machine(&headers(&[("host", "localhost"), ("host", "ent.exemple.fr")])));
    }
}
