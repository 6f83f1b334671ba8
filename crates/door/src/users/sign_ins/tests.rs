//! The limit of failed sign-ins from one address.

use super::*;

#[test]
fn the_eleventh_failure_in_a_minute_is_not_looked_at() {
    let (attempts, start) = (SignIns::default(), Instant::now());
    let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    let status = |at: Option<IpAddr>, name: &str, seconds: u64| {
        let begun = attempts.begin(at, Some(name), start + Duration::from_secs(seconds));
        begun.map_err(|problem| (problem.status.as_u16(), problem.retry_after_s))
    };
    for n in 0..10 {
        assert_eq!(status(address("192.0.2.1"), &format!("user-{n}"), 0), Ok(()));
    }
    assert_eq!(status(address("192.0.2.1"), "another", 20), Err((429, Some(41))));
    assert_eq!(status(address("192.0.2.2"), "another", 20), Ok(()));
    assert_eq!(status(address("192.0.2.1"), "another", 60), Ok(()));
    for n in 0..10 {
        assert_eq!(status(address(&format!("192.0.2.{}", 10 + n)), "ani", 100), Ok(()));
    }
    assert_eq!(status(address("192.0.2.99"), "ani", 100).map_err(|(status, _)| status), Err(429));
}

#[test]
fn success_does_not_count_and_a_network_is_one_address() {
    let (attempts, now) = (SignIns::default(), Instant::now());
    for n in 0..50u16 {
        let address = Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n]));
        attempts.begin(address, Some("ani"), now).expect("none has failed");
        attempts.succeeded(address, Some("ani"));
    }
    for n in 0..11u16 {
        let address = Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 1, n]));
        assert_eq!(attempts.begin(address, Some(&n.to_string()), now).is_ok(), n < 10, "{n}");
    }
}
