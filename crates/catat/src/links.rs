//! Where links in notifications lead: the address by which people reach the page.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::config::Config;

/// Addresses that stand for a way out of this machine; nothing is ever sent there (RFC 5737, RFC 3849).
const ELSEWHERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ELSEWHERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// Returns what links begin with: `public_url`, else the address that the server listens on. Where that is every address
/// of this machine, the first of `hosts` stands for it, else the address by which other machines reach it.
pub(crate) fn base_url(config: &Config, listening: SocketAddr) -> String {
    if let Some(url) = &config.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    match config.hosts.first().filter(|_| listening.ip().is_unspecified()) {
        Some(host) => format!("{scheme}://{host}:{}", listening.port()),
        None => format!("{scheme}://{}", reached_at(listening)),
    }
}

/// Returns the name of this server among others: of a fleet's node the address by which the others reach it.
pub(crate) fn instance(config: &Config, listening: SocketAddr) -> String {
    let in_fleet = config.store.fleet.as_ref().map(|fleet| &*fleet.address).unwrap_or_default();
    match in_fleet.rsplit_once("//") {
        Some((_, address)) => address.trim_end_matches('/').to_owned(),
        None => reached_at(listening).to_string(),
    }
}

/// Returns an address of this machine for the one it listens on, which may stand for all.
fn reached_at(listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(own_address(ip), listening.port()),
        _ => listening,
    }
}

/// Returns the address from which this machine would send to others; loopback where it has none.
fn own_address(unspecified: IpAddr) -> IpAddr {
    let (elsewhere, loopback): (IpAddr, IpAddr) = match unspecified {
        IpAddr::V4(_) => (ELSEWHERE_V4.into(), Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => (ELSEWHERE_V6.into(), Ipv6Addr::LOCALHOST.into()),
    };
    // Connecting a UDP socket sends nothing: it only chooses a route.
    let chosen = UdpSocket::bind((unspecified, 0)).and_then(|socket| {
        socket.connect((elsewhere, 9))?;
        socket.local_addr()
    });
    chosen.map(|address| address.ip()).ok().filter(|ip| !ip.is_unspecified()).unwrap_or(loopback)
}
