//! From where a request comes.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The address of whoever sent the request being answered. IPv4 is written as IPv4, whatever the socket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerAddress(pub IpAddr);

impl fmt::Display for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl CallerAddress {
    /// What a limit counts by: an IPv4 address, or the /64 of an IPv6 one (a subscriber is given a whole one).
    #[must_use]
    pub fn source(&self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}
