//! Which connection has to go.

use super::*;

fn connection(network: u8, last: u64) -> Arc<ConnectionState> {
    Arc::new(ConnectionState {
        network: IpAddr::from([10, 0, 0, network]),
        last: AtomicU64::new(last),
        close: Notify::new(),
    })
}

#[test]
fn who_has_most_gives_up_the_one_that_has_been_silent_longest() {
    let check = |limiter: &[(u8, u64)]| {
        let open =
            limiter.iter().enumerate().map(|(n, (network, last))| (n as u64, connection(*network, *last))).collect();
        let found = longest_silent(&open, 100_000, 60_000);
        found.map(|connection| (connection.network.to_string(), connection.last.load(Ordering::Relaxed)))
    };
    let is = |network: &str, last| Some((network.to_owned(), last));
    assert_eq!(check(&[(1, 0), (2, 30_000), (2, 20_000), (2, 90_000)]), is("10.0.0.2", 20_000));
    // One that has few gives theirs up before those that speak do.
    assert_eq!(check(&[(1, 40_000), (2, 40_001), (2, 99_000), (2, BUSY)]), is("10.0.0.1", 40_000));
    assert_eq!(check(&[(1, 40_001), (2, BUSY)]), None);
    assert_eq!(check(&[]), None);
}

#[test]
fn one_is_asked_once_and_nobody_is_looked_for_again_and_again() {
    let limiter = Arc::new(ConnectionLimiter::sparing(Duration::ZERO));
    let slot = limiter.register(IpAddr::from([10, 0, 0, 1]));
    assert!(limiter.ask_one_to_close());
    assert!(!limiter.ask_one_to_close(), "it is on its way out");
    slot.spoke(false);
    assert!(!limiter.ask_one_to_close(), "there is a pause");
    drop(slot);
    assert!(limiter.open.hold().is_empty());
}
