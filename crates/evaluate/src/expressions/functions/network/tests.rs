//! Tests of `network`.

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
