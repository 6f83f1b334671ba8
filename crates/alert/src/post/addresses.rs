//! Addresses to which no channel posts: addresses that only the machine's own network segment has, at which clouds
//! hand out credentials.
//!
//! Names are resolved here, once for each attempt; every address of the answer is looked at, and the connection goes to
//! one of these. So a name that was harmless when a channel was made gains nothing by leading elsewhere later.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Metadata services with addresses that are not link-local: Alibaba Cloud's, and that of EC2 over IPv6.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Reports whether nothing may be posted to a host as an address spells it: a literal address, or a name that is known to be one
/// of a metadata service.
pub(crate) fn is_barred_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => is_barred(address),
        Err(_) => bare.trim_end_matches('.').eq_ignore_ascii_case("metadata.google.internal"),
    }
}

/// Reports whether nothing may be posted to an address.
fn is_barred(address: IpAddr) -> bool {
    let is_barred_v4 = |v4: Ipv4Addr| v4.is_link_local() || v4 == METADATA_V4;
    match address {
        IpAddr::V4(v4) => is_barred_v4(v4),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == METADATA_V6 || embedded(v6).is_some_and(is_barred_v4),
    }
}

/// Reports whether a host as an address spells it is this machine or one of its private networks, by its literal address or by name.
pub(crate) fn is_near_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    match bare.parse::<IpAddr>() {
        Ok(address) => is_near(address),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

/// Reports whether an address is one of this machine, of a private network, or of none at all.
fn is_near(address: IpAddr) -> bool {
    let is_near_v4 = |v4: Ipv4Addr| {
        let [a, b, ..] = v4.octets();
        let is_shared = a == 100 && (64..128).contains(&b);
        let is_none = a == 0 || a >= 224;
        v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared || is_none
    };
    match address {
        IpAddr::V4(v4) => is_near_v4(v4),
        IpAddr::V6(v6) => {
            let is_local = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
            let is_site = v6.is_unique_local() || v6.is_unicast_link_local() || v6.segments()[0] & 0xffc0 == 0xfec0;
            is_local || is_site || embedded(v6).is_some_and(is_near_v4)
        }
    }
}

/// Returns the address of IPv4 that an address of IPv6 leads to: mapped and compatible ones (RFC 4291), those of a translator
/// (RFC 6052) and of 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => of(g, h),
        [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

/// Resolves names and refuses those that lead where nothing is posted to.
pub(super) struct Resolver {
    /// Whether this machine and its private networks are among that.
    pub(super) is_guarded: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_guarded = self.is_guarded;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs()).await;
            let addresses = allowed_addresses(found.map_err(io::Error::other)??, is_guarded)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns the addresses of a name, where all of them may be posted to.
pub(crate) fn allowed_addresses(
    found: impl Iterator<Item = SocketAddr>,
    is_guarded: bool,
) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = found.collect();
    let refuse = |address: &SocketAddr, what: &str| {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("the name resolves to {}, {what}", address.ip())))
    };
    if let Some(barred) = addresses.iter().find(|address| is_barred(address.ip())) {
        return refuse(barred, "a link-local or metadata address");
    }
    match addresses.iter().find(|address| is_guarded && is_near(address.ip())) {
        Some(near) => refuse(near, "this machine or a private network"),
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests;
