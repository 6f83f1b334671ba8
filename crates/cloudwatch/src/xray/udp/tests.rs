//! Who may send datagrams.

use super::*;

#[test]
fn loopback_and_listed_networks_may_send() {
    let allow: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
    let check = |address: &str, expected| {
        assert_eq!(is_allowed(address.parse().expect("an address"), &allow), expected, "{address}");
    };
    check("127.0.0.1", true);
    check("::ffff:10.1.2.3", true);
    check("11.1.2.3", false);
}
