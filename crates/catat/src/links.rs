//! Where links in notifications lead: the address by which people reach the page.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use reqwest::Url;

use crate::config::Config;
use crate::config::values::Reader;

/// Addresses that stand for a way out of this machine; nothing is ever sent there (RFC 5737, RFC 3849).
const ELSEWHERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ELSEWHERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// Reads `[server] public_url`.
pub(crate) fn read_public_url(read: &mut Reader<'_>) -> Option<Url> {
    let text = read.optional("server", "public_url")?;
    let checked = checked(&text);
    let url = checked.as_ref().ok().cloned();
    read.accept(checked.map(|_| ()), "server", "public_url");
    url
}

fn checked(text: &str) -> Result<Url, String> {
    let expected = || format!("\"{text}\" is not an address such as https://logs.example.org");
    let url = Url::parse(text).map_err(|_| expected())?;
    let host = url.host_str().unwrap_or_default();
    if !["http", "https"].contains(&url.scheme()) || host.is_empty() {
        return Err(expected());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("has only a scheme, a host, and if need be a port and a path".to_owned());
    }
    if ["0.0.0.0", "[::]"].contains(&host) {
        return Err(format!(
            "{host} is not an address that a browser can open; write the name or address of this server"
        ));
    }
    Ok(url)
}

/// Lets requests for the host of `public_url` in: its links would be refused otherwise.
pub(crate) fn admit_public_host(config: &mut Config) {
    let host = config.public_url.as_ref().and_then(Url::host_str).map(str::to_owned);
    if let Some(host) = host.filter(|host| !config.hosts.contains(host)) {
        config.hosts.push(host);
    }
}

/// Returns what links begin with: `public_url`, else the address that the server listens on. Where that is every address
/// of this machine, the first of `hosts` stands for it, else the address by which other machines reach it.
pub(crate) fn base_url(config: &Config, listening: SocketAddr) -> String {
    if let Some(url) = &config.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    if !listening.ip().is_unspecified() {
        return format!("{scheme}://{listening}");
    }
    match config.hosts.first() {
        Some(host) => format!("{scheme}://{host}:{}", listening.port()),
        None => format!("{scheme}://{}", SocketAddr::new(own_address(listening.ip()), listening.port())),
    }
}

/// The address from which this machine would send to others; loopback where it has none.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_can_open_is_a_public_url() {
        for right in ["https://logs.example.org", "http://10.0.0.7:8080/logs/"] {
            assert!(checked(right).is_ok(), "{right}");
        }
        for wrong in
            ["logs.example.org", "ftp://a", "http://", "http://0.0.0.0:1", "http://u:p@a", "http://a/?q=1", "//a"]
        {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }
}
