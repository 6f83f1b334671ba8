//! Clocks that jump, and when one is trusted again.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_176_000 * Timestamp::SECOND;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

fn after(n_hours: i64) -> i64 {
    NOW + n_hours * Timestamp::HOUR
}

#[test]
fn a_clock_that_goes_as_time_goes_is_trusted() {
    let mut guard = ClockGuard::new(None, NOW, hours(5));
    for hour in 0..1000 {
        assert!(guard.look(after(hour as i64), hours(5 + hour)), "hour {hour}");
    }
    // The machine was asleep: its uptime continued as well. It was corrected by an hour, both ways.
    assert!(guard.look(after(5001), hours(5005)));
    assert!(guard.look(after(4999), hours(5005)));
}

#[test]
fn a_jump_is_doubted_until_the_clock_is_back_or_confirmed_or_steady() {
    let guard = || ClockGuard::new(None, NOW, hours(0));
    for jump in [25, 24 * 365 * 12, -25, -24 * 365 * 56] {
        let mut back = guard();
        assert!(!back.look(after(jump), hours(0)), "{jump}");
        assert!(!back.look(after(jump + 2), hours(2)));
        assert!(back.look(after(3), hours(3)), "it is back");
        let mut confirmed = guard();
        assert!(!confirmed.look(after(jump), hours(0)));
        confirmed.confirm(after(jump), hours(0));
        assert!(confirmed.look(after(jump + 1), hours(1)));
        let mut steady = guard();
        for hour in 0..24 {
            assert!(!steady.look(after(jump + hour as i64), hours(hour)), "{jump}, hour {hour}");
            let left = (24 - hour as i64) * Timestamp::HOUR;
            assert_eq!(steady.doubt(hours(hour)).map(|doubt| doubt.steady_for_ns), Some(left));
        }
        assert!(steady.look(after(jump + 24), hours(24)));
        assert_eq!(steady.doubt(hours(24)), None);
    }
}

#[test]
fn many_small_jumps_are_one_large_one() {
    let mut guard = ClockGuard::new(None, NOW, hours(0));
    assert!(guard.look(after(23), hours(0)));
    assert!(!guard.look(after(46), hours(0)));
}

#[test]
fn a_jump_across_a_start_is_doubted_and_uptime_counts_on() {
    let note = ClockRecord { seen: NOW, other: None };
    assert!(ClockGuard::new(Some(note), after(20), hours(0)).look(after(20), hours(0)));
    let mut first = ClockGuard::new(Some(note), after(100), hours(0));
    assert!(!first.look(after(110), hours(10)));
    let note = first.note(hours(10));
    assert_eq!(note, Some(ClockRecord { seen: after(10), other: Some((after(110), 10 * Timestamp::HOUR)) }));
    let mut second = ClockGuard::new(note, after(115), hours(3));
    assert!(!second.look(after(128), hours(16)));
    assert!(second.look(after(129), hours(17)), "ten hours and fourteen");
    // Had the clock been put right in between, nothing would have been doubted.
    assert!(ClockGuard::new(note, after(12), hours(0)).look(after(12), hours(0)));
    let mut unknown = ClockGuard::doubtful(NOW, hours(0));
    assert!(!unknown.look(after(23), hours(23)) && unknown.look(after(24), hours(24)));
}

proptest! {
    #[test]
    fn no_jump_is_believed_that_did_not_last(stays in proptest::collection::vec((-50i64..50, 0u64..12), 1..100)) {
        let mut guard = ClockGuard::new(None, NOW, hours(0));
        let mut uptime = 0;
        for (at, (number, n_hours)) in stays.into_iter().enumerate() {
            // No two that follow each other are close, so that none stays for a day.
            let offset = 100 * (2 * number + (at % 2) as i64);
            prop_assert_eq!(guard.look(after(uptime as i64 + offset), hours(uptime)), offset == 0);
            uptime += n_hours;
            prop_assert_eq!(guard.look(after(uptime as i64 + offset), hours(uptime)), offset == 0);
        }
    }
}
