//! Where no channel posts to, whoever set it up: addresses that only the machine's own network segment has, at which clouds
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

/// Whether nothing may be posted to a host as an address spells it: a literal address, or a name that is known to be one
/// of a metadata service.
pub(crate) fn is_barred_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => is_barred(address),
        Err(_) => bare.trim_end_matches('.').eq_ignore_ascii_case("metadata.google.internal"),
    }
}

/// Whether nothing may be posted to an address.
fn is_barred(address: IpAddr) -> bool {
    let is_barred_v4 = |v4: Ipv4Addr| v4.is_link_local() || v4 == METADATA_V4;
    match address {
        IpAddr::V4(v4) => is_barred_v4(v4),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == METADATA_V6 || embedded(v6).is_some_and(is_barred_v4),
    }
}

/// The address of IPv4 that an address of IPv6 leads to: mapped and compatible ones (RFC 4291), those of a translator
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
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs()).await;
            let addresses = allowed_addresses(found.map_err(io::Error::other)??)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name, where all of them may be posted to.
pub(crate) fn allowed_addresses(found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = found.collect();
    match addresses.iter().find(|address| is_barred(address.ip())) {
        None => Ok(addresses),
        Some(barred) => {
            let message = format!("the name leads to {}, a link-local or metadata address", barred.ip());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channel, ChannelSettings};

    fn is_taken(url: &str) -> bool {
        let (name, kind, url) = ("ops".to_owned(), "webhook".to_owned(), Some(url.into()));
        Channel::new(ChannelSettings { name, kind, url, ..ChannelSettings::default() }).is_ok()
    }

    #[test]
    fn no_spelling_of_a_link_local_or_metadata_address_is_taken() {
        for host in [
            "169.254.169.254",
            "169.254.0.1:80",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "169.254.169.254.",
            "user:secret@169.254.169.254",
            "127.0.0.1@169.254.169.254",
            "\u{ff11}\u{ff16}\u{ff19}.254.169.254",
            "169\u{3002}254\u{3002}169\u{3002}254",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "metadata.google.internal",
            "METADATA.google.internal.",
        ] {
            assert!(!is_taken(&format!("http://{host}/latest")), "{host}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for url in [
            "file:///etc/passwd",
            "gopher://example.org/",
            "ftp://example.org/",
            "javascript:0",
            "data:,a",
            "http://",
            "//a",
        ] {
            assert!(!is_taken(url), "{url}");
        }
        // Who writes the configuration is trusted with what is near.
        for url in [
            "http://127.0.0.1:9093/",
            "http://[::1]/",
            "https://10.0.0.1/a",
            "https://hooks.example.org/x",
            "http://0/",
        ] {
            assert!(is_taken(url), "{url}");
        }
    }

    #[test]
    fn a_name_is_refused_where_one_of_its_addresses_is_barred() {
        let check = |texts: &[&str]| {
            let addresses = texts.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 0));
            allowed_addresses(addresses).map(|addresses| addresses.len()).map_err(|error| error.kind())
        };
        assert_eq!(check(&["192.0.2.1", "2001:db8::1", "127.0.0.1"]), Ok(3));
        assert_eq!(check(&["192.0.2.1", "169.254.169.254"]), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(check(&["::ffff:169.254.169.254"]), Err(io::ErrorKind::PermissionDenied));
    }
}
