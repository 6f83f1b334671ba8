//! Functions of IP addresses.

use std::net::IpAddr;

use types::Value;

use super::super::cell::Cell;
use crate::function::Function;

/// The value of a function whose arguments are all there.
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

/// Tells whether `address` lies in `subnet` (`192.0.2.0/24`); never for what is no subnet.
fn is_in_subnet(address: IpAddr, subnet: &str) -> bool {
    let Some((network, length)) = subnet.split_once('/') else { return false };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    length <= width && (length == 0 || (a ^ b) >> (width - length) == 0)
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
}
