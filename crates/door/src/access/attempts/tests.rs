//! Guessed and repeated keys, networks, and the limit of the table.

use super::*;

#[test]
fn who_guesses_has_to_wait_and_who_repeats_does_not() {
    let attempts = Attempts::default();
    let peer = Some(IpAddr::from([192, 0, 2, 1]));
    let other = Some(IpAddr::from([192, 0, 2, 2]));
    for at in 0..10u8 {
        assert_eq!(attempts.note(peer, &[at], Timestamp(0)), None);
        assert_eq!(attempts.note(other, b"the same", Timestamp(0)), None);
    }
    assert_eq!(attempts.note(peer, b"one more", Timestamp(10 * Timestamp::SECOND)), Some(51));
    assert_eq!(attempts.note(peer, &[3], Timestamp(0)), None);
    assert_eq!(attempts.note(other, b"one more", Timestamp(0)), None);
    assert_eq!(attempts.note(peer, b"one more", Timestamp(Timestamp::MINUTE)), None);
    assert_eq!(attempts.refuse(peer, b"x", Timestamp(Timestamp::MINUTE)).status.as_u16(), 401);
}

#[test]
fn a_network_of_ipv6_and_an_address_of_ipv4_in_any_spelling_are_one() {
    let attempts = Attempts::default();
    let note = |address: &str, tried: u8| {
        attempts.note(Some(address.parse().expect("an address")), &[tried], Timestamp(0)).is_none()
    };
    assert!((0..10).all(|n| note(&format!("2001:db8::{n:x}:1"), n)));
    assert!(!note("2001:db8::ffff:0:0:1", 10) && note("2001:db8:0:1::1", 10));
    assert!((0..10).all(|n| note(if n % 2 == 0 { "192.0.2.1" } else { "::ffff:192.0.2.1" }, n)));
    assert!(!note("192.0.2.1", 10) && !note("::ffff:192.0.2.1", 11) && note("192.0.2.2", 10));
}

#[test]
fn the_table_of_addresses_is_bounded() {
    let attempts = Attempts::default();
    for at in 0..3 * ADDRESSES_MAX as u32 {
        attempts.note(Some(IpAddr::from(at.to_be_bytes())), b"x", Timestamp(0));
    }
    assert!(attempts.0.lock().expect("no panic before").len() <= ADDRESSES_MAX);
}
