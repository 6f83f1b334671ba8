//! From whom a request comes that a proxy of ours hands on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::IpNet;

/// Reports whether an address is loopback or in an allowed network.
pub fn is_allowed(address: IpAddr, allow: &[IpNet]) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || allow.iter().any(|network| network.contains(&address))
}

/// Networks of proxies whose word counts for where a request comes from, `[server] trusted_proxies`.
#[derive(Clone, Debug)]
pub struct TrustedProxies(Vec<IpNet>);

impl Default for TrustedProxies {
    /// Those on this machine.
    fn default() -> Self {
        let v4 = IpNet::new_assert(Ipv4Addr::LOCALHOST.into(), 8);
        Self(vec![v4, IpAddr::from(Ipv6Addr::LOCALHOST).into()])
    }
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// Replaces the peer of the connection by the sender that trusted proxies name. Wrong keys and passwords are counted by
    /// it, so that nobody behind a proxy locks others out.
    pub(crate) fn name_sender(&self, request: &mut Request) {
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() else { return };
        let sender = self.sender(peer.ip().to_canonical(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(sender, peer.port())));
    }

    /// Returns the last address of the way of a request that no trusted proxy has: what stands before it anybody may have
    /// written. RFC 7239 for `Forwarded`.
    fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut sender = peer;
        for hop in hops(headers).into_iter().rev() {
            if !self.trusts(sender) {
                break;
            }
            let Some(address) = address_of(&hop) else { break };
            sender = address.to_canonical();
        }
        sender
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Returns the addresses that proxies wrote, in their order, by the header that they have in common.
fn hops(headers: &HeaderMap) -> Vec<String> {
    let members = |name: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|member| member.trim().to_owned()).collect::<Vec<_>>()
    };
    let plain = ["x-forwarded-for", "x-real-ip"].into_iter().map(members).find(|hops| !hops.is_empty());
    plain.unwrap_or_else(|| members("forwarded").iter().map(|member| for_of(member).to_owned()).collect())
}

/// Returns the parameter `for` of an element of `Forwarded`; nothing if it has none.
fn for_of(element: &str) -> &str {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    found.map_or("", |(_, value)| value.trim().trim_matches('"'))
}

/// Reads an address, with or without a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(bare).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests;
