//! Addresses and lists as one wildcard.

use super::*;
use crate::mask;

fn check(text: &str, expected: &str) {
    let mut tokens = Tokens::default();
    let row = row(&mask(text), &mut tokens);
    let shown: String = row.iter().map(|number| tokens.get(*number).text.as_str()).collect();
    assert_eq!(shown.replace(WILDCARD, "*"), expected, "{text}");
}

#[test]
fn hardware_and_ipv6_addresses_are_one_wildcard_each() {
    check("peer 5c:50:15:ab:18:cd left", "peer * left");
    check("peer ff:ee:12:ab:cd:ef left", "peer * left");
    check("route fe80::1:bc:20 dev", "route * dev");
    check("route 2001:db8:0:cafe:9:1:2:3 dev", "route * dev");
}

#[test]
fn names_with_numbers_are_no_addresses() {
    check("db:0 is up", "db:* is up");
    check("cafe:80 is open", "cafe:* is open");
    check("at 12: be quiet", "at *: be quiet");
    check("from 10.0.0.1:8080", "from *:*");
}

#[test]
fn three_groups_are_a_list_of_which_one_is_kept() {
    check("got [{id=1,size=2},{id=3,size=4},{id=5,size=6}] now", "got [{id=*,size=*},*] now");
    check("got [{id=1,size=2},{id=3,size=4}] now", "got [{id=*,size=*},{id=*,size=*}] now");
    check("by a.B:1 a.C:2 d.E:3 d.F:4", "by *:* *");
    check("ring rack-1 7 <ok> rack-2 8 <ok> rack-3 9 <ok> done", "ring rack-* * <ok> * done");
    check("a b a b a b a b", "a b a b a b a b");
}
