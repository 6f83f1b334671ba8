//! How long a sender waits.

use super::*;

#[test]
fn who_sent_too_much_waits_until_it_is_made_up_for() {
    let at = |seconds: i64| Timestamp(seconds * Timestamp::SECOND);
    let bucket = Bucket::new(100, at(0));
    let wait = |now| bucket.check(now).err().and_then(|problem| problem.retry_after_s);
    assert_eq!(wait(at(0)), None);
    bucket.take(1500);
    assert_eq!(wait(at(0)), Some(6));
    assert_eq!(wait(at(5)), Some(1));
    assert_eq!(wait(at(6)), None);
    bucket.take(100);
    assert_eq!(wait(at(6)), Some(1));
    assert_eq!(wait(at(1_000_000)), None);
    // No more than ten seconds are saved up.
    bucket.take(1000);
    assert_eq!(wait(at(1_000_000)), Some(1));
}
