//! Functions of IP addresses.

use std::net::IpAddr;

use types::Value;

use crate::columns::cell::Cell;
use plan::Function;

/// Returns the value of a function whose arguments are all there.
pub(super) fn scalar(function: Function, cells: &[Cell<'_>]) -> Option<Value> {
    let address: Option<IpAddr> = cells[0].text()?.parse().ok();
    let is_in = |cells: &[Cell<'_>]| {
        let subnet = cells.get(1).and_then(|cell| cell.text())?;
        Some(address.is_some_and(|address| is_in_subnet(address, &subnet)))
    };
    let is_v4 = address.is_some_and(|address| address.is_ipv4());
    let is_v6 = address.is_some_and(|address| address.is_ipv6());
    Some(Value::Boolean(match function {
        Function::IsValidIp => address.is_some(),
        Function::IsValidIpV4 => is_v4,
        Function::IsValidIpV6 => is_v6,
        Function::IsIpInSubnet => is_in(cells)?,
        Function::IsIpV4InSubnet => is_v4 && is_in(cells)?,
        Function::IsIpV6InSubnet => is_v6 && is_in(cells)?,
        _ => return None,
    }))
}

/// Reports whether `address` lies in `subnet` (`192.0.2.0/24`); never for what is no subnet.
pub(super) fn is_in_subnet(address: IpAddr, subnet: &str) -> bool {
    let Some((network, length)) = subnet.split_once('/') else { return false };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    length <= width && (length == 0 || (a ^ b) >> (width - length) == 0)
}

/// Reports whether a text holds an address that is among `addresses`: a subnet, or the first and the last one.
pub(super) fn holds_address(text: &str, addresses: &str) -> bool {
    let range = addresses
        .split_once('-')
        .and_then(|(first, last)| Some((first.trim().parse::<IpAddr>().ok()?, last.trim().parse::<IpAddr>().ok()?)));
    addresses_in(text.as_bytes()).any(|address| match range {
        Some((first, last)) => address.is_ipv4() == first.is_ipv4() && (first..=last).contains(&address),
        None => is_in_subnet(address, addresses),
    })
}

/// Returns the addresses in a text, where Loki's `ip()` sees them: a stretch of digits and points that begins like an
/// address of version 4, or of hexadecimal digits, colons and points that begins like one of version 6. A stretch
/// counts as a whole, so that `10.1.2.3.` holds no address and `10.1.2.3:443` does.
fn addresses_in(text: &[u8]) -> impl Iterator<Item = IpAddr> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let rest = &text[at..];
            let length = if begins_v4(rest) {
                rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.'))
            } else if begins_v6(rest) {
                rest.iter().position(|byte| !byte.is_ascii_hexdigit() && !matches!(byte, b':' | b'.'))
            } else {
                at += 1;
                continue;
            };
            let stretch = &rest[..length.unwrap_or(rest.len())];
            // What ends a stretch begins none.
            at += stretch.len() + 1;
            if let Some(address) = std::str::from_utf8(stretch).ok().and_then(|stretch| stretch.parse().ok()) {
                return Some(address);
            }
        }
        None
    })
}

/// Returns a digit, and a point after one to three digits.
fn begins_v4(text: &[u8]) -> bool {
    matches!(text, [first, rest @ ..] if first.is_ascii_digit() && rest.len() >= 3 && rest[..3].contains(&b'.'))
}

/// Returns one to four hexadecimal digits before a colon, or two colons before a digit.
fn begins_v6(text: &[u8]) -> bool {
    let n_digits = text.iter().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
    match n_digits {
        0 => matches!(text, [b':', b':', digit, ..] if digit.is_ascii_hexdigit()),
        1..=4 => text.get(n_digits) == Some(&b':'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
