//! Addresses of the internet as keys that sort and as values.

use std::net::{IpAddr, Ipv4Addr};

/// Returns what an address is ordered by: addresses of version 4 are among those of version 6 where they are mapped
/// to.
pub fn address_key(address: IpAddr) -> String {
    let bits = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    // The sign keeps it from being taken for a number.
    format!(":{bits:032x}")
}

/// Returns the address that a key was made of; what is none as it is.
pub fn address_of_key(key: &str) -> String {
    let bits = key.strip_prefix(':').and_then(|digits| u128::from_str_radix(digits, 16).ok());
    bits.map_or_else(|| key.to_owned(), |bits| std::net::Ipv6Addr::from(bits).to_canonical().to_string())
}

/// Returns the address that a text is; one of version 4 inside version 6 is that of version 4.
pub fn address_of(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(address) => {
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), |v4: Ipv4Addr| IpAddr::V4(v4)))
        }
        v4 => Some(v4),
    }
}
