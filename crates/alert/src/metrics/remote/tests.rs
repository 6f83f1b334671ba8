//! The queue of a receiver: its order, its limits and its credentials.

use std::time::Duration;

use super::*;

fn remote() -> RemoteQueue {
    RemoteQueue::new(RemoteWrite {
        url: Secret::from("http://127.0.0.1:1/api/v1/write"),
        interval_ns: Timestamp::SECOND,
        is_own_sent: false,
        credentials: None,
        instance: "here".into(),
    })
}

fn sample(value: f64) -> NamedSample {
    NamedSample { name: "m".into(), value, ..NamedSample::default() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * Timestamp::SECOND)
}

fn value_of(remote: &RemoteQueue, name: &str) -> f64 {
    let families = remote.families();
    families.iter().find(|family| family.name.ends_with(name)).expect("a family").samples[0].value
}

#[test]
fn what_fails_waits_longer_and_keeps_its_order() {
    let remote = remote();
    remote.push(&[sample(1.0)], at(1));
    remote.push(&[sample(2.0)], at(2));
    let first = remote.next(at(2)).expect("something waits");
    let later = |after| Err(PostError::Retry { after, reason: "away".into() });
    remote.settle(&first, &later(None), at(2));
    assert_eq!(remote.next(at(2)), None);
    assert_eq!(remote.next(at(3)).as_ref(), Some(&first));
    remote.settle(&first, &later(Some(Duration::from_secs(30))), at(3));
    assert_eq!((remote.next(at(32)), remote.next(at(33)).is_some()), (None, true));
    // A clock that was set back an hour.
    assert!(remote.next(at(-3_600)).is_some());
    remote.settle(&first, &Ok(()), at(33));
    let second = remote.next(at(33)).expect("the other waits");
    assert_ne!(second, first);
    remote.settle(&second, &Err(PostError::Refused("no".into())), at(33));
    assert_eq!(remote.next(at(34)), None);
    let counts = ["samples_total", "dropped_samples_total", "failures_total", "waiting_bytes"];
    assert_eq!(counts.map(|name| value_of(&remote, &format!("write_{name}"))), [1.0, 1.0, 3.0, 0.0]);
}

#[test]
fn what_waits_is_bounded_and_the_oldest_goes() {
    let remote = remote();
    // Nothing that packs well.
    let mut number = 1u64;
    let mut noise = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{number:016x}{:016x}", number.rotate_left(17))
    };
    for second in 0..400 {
        let samples: Vec<NamedSample> =
            (0..SAMPLES_MAX).map(|_| NamedSample { labels: vec![("l".into(), noise())], ..sample(1.0) }).collect();
        remote.push(&samples, at(second));
    }
    let waiting = value_of(&remote, "waiting_bytes");
    assert!(waiting <= WAITING_BYTES_MAX as f64 && waiting > WAITING_BYTES_MAX as f64 * 0.9, "{waiting}");
    assert!(value_of(&remote, "dropped_samples_total") > 0.0);
}

#[test]
fn credentials_are_said_as_http_has_it_and_not_shown() {
    let basic = Credentials::Basic { user: "u".into(), password: Secret::from("p") };
    assert_eq!(basic.header().reveal(), "Basic dTpw");
    assert_eq!(Credentials::Bearer(Secret::from("t0ken")).header().reveal(), "Bearer t0ken");
    assert!(!format!("{:?}", Credentials::Bearer(Secret::from("t0ken"))).contains("t0ken"));
}
