//! From where a request comes.

use std::net::{IpAddr, Ipv4Addr};

use crate::kernel::CallerAddress;

/// Most characters kept of what a browser says of itself.
const LONGEST_AGENT: usize = 200;

/// From where a request comes, and which one it is.
#[derive(Debug, Clone)]
pub struct Origin {
    pub caller: CallerAddress,
    pub request_id: Option<String>,
    pub(super) user_agent: Option<String>,
}

impl Default for Origin {
    /// The program itself.
    fn default() -> Self {
        Self { caller: CallerAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)), request_id: None, user_agent: None }
    }
}

impl Origin {
    /// `user_agent` is cut, and cleaned of what no person can read: the caller may have sent anything.
    #[must_use]
    pub fn new(caller: CallerAddress, request_id: Option<String>, user_agent: Option<&str>) -> Self {
        let readable = |text: &str| text.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect::<String>();
        let user_agent = user_agent.map(readable).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self { caller, request_id, user_agent }
    }

    /// What limits count by.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.caller.source()
    }
}
