//! Functions of IP addresses.

use std::net::IpAddr;

use types::Value;

use crate::columns::cell::Cell;
use plan::function::Function;

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
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_subnets_of_their_own_kind() {
        let check = |address: &str, subnet, expected| {
            assert_eq!(is_in_subnet(address.parse().expect("an address"), subnet), expected, "{address} {subnet}");
        };
        check("192.0.2.17", "192.0.2.0/24", true);
        check("192.0.2.17", "192.0.2.17/32", true);
        check("192.0.2.17", "0.0.0.0/0", true);
        check("192.0.2.17", "::/0", false);
        check("2001:db8::7", "2001:db8::/32", true);
        check("192.0.2.17", "192.0.2.0/33", false);
        check("192.0.2.17", "192.0.2.0", false);
    }

    #[test]
    fn addresses_are_found_in_texts() {
        let check = |text: &str, addresses, expected| assert_eq!(holds_address(text, addresses), expected, "{text}");
        check("from 10.1.2.3:443 to b", "10.0.0.0/8", true);
        check("listener /10.1.2.3:52225:Handler", "10.0.0.0/8", true);
        check("v4(en0-:10.1.2.3) v6(en0:2001:db8::7)", "10.0.0.0/8", true);
        check("peer=[2001:db8::7] gone", "2001:db8::/32", true);
        check("10.1.2.3.", "10.1.2.3/32", false);
        check("bind ::1", "::1/128", true);
        check("10.1.2.3", "10.1.2.1-10.1.2.9", true);
        check("10.1.2.30", "10.1.2.1-10.1.2.9", false);
        check("110.1.2.3 and 1.10.1.2", "10.0.0.0/8", false);
        check("::1", "10.0.0.1-10.0.0.2", false);
        check("no address: 1.2.3, face", "0.0.0.0/0", false);
    }
}
