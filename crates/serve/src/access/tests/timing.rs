//! How long a wrong key takes does not say how much of it is right.
//!
//! Clocks of busy machines say nothing in few measurements, so only the long form measures: `CATAT_TIMING_CALLS=100000`.

use std::hint::black_box;
use std::time::Instant;

use super::*;

/// Welch's t, beyond which two means are taken for different (as in dudect and the TVLA).
const T_MAX: f64 = 4.5;

/// Mean, variance and number of the lower nine tenths: what is above is the scheduler.
fn moments(mut times: Vec<f64>) -> (f64, f64, f64) {
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() * 9 / 10);
    let n = times.len() as f64;
    let mean = times.iter().sum::<f64>() / n;
    (mean, times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0), n)
}

fn welch(first: Vec<f64>, second: Vec<f64>) -> f64 {
    let ((mean_1, variance_1, n_1), (mean_2, variance_2, n_2)) = (moments(first), moments(second));
    (mean_1 - mean_2) / (variance_1 / n_1 + variance_2 / n_2).sqrt()
}

/// Measures `check` with one and the other text in turns, which of them first by chance.
fn compare(n_calls: usize, texts: [&str; 2], check: impl Fn(&str) -> bool) -> f64 {
    let mut times = [Vec::with_capacity(n_calls), Vec::with_capacity(n_calls)];
    let mut random = 1u64;
    for _ in 0..n_calls {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let first = (random >> 63) as usize;
        for which in [first, 1 - first] {
            // Of equal address, so that caches cannot tell them apart.
            let text = texts[which].to_owned();
            let started = Instant::now();
            let is_right = black_box(check(black_box(&text)));
            times[which].push(started.elapsed().as_nanos() as f64);
            assert!(!is_right);
        }
    }
    let [first, second] = times;
    welch(first, second)
}

/// A text with another byte at a place.
fn with_wrong_byte(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    String::from_utf8(bytes).expect("keys are ASCII")
}

#[test]
fn the_place_of_a_wrong_byte_does_not_show_in_the_time() {
    let n_calls = std::env::var("CATAT_TIMING_CALLS").ok().and_then(|text| text.parse().ok());
    let Some(n_calls) = n_calls else {
        eprintln!("left out: CATAT_TIMING_CALLS says how many calls are measured");
        return;
    };
    let (_dir, keys) = keys();
    let order = KeyOrder { name: "ci".into(), role: "read".into(), groups: None };
    let key = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right").key;
    let first_of_secret = key.rfind('_').expect("a key has two parts") + 1;
    let wrong = [first_of_secret, key.len() - 1].map(|at| with_wrong_byte(&key, at));
    let of_key = compare(n_calls, [&wrong[0], &wrong[1]], |text| keys.find(text, Timestamp(0)).is_some());

    let admin_key = "a".repeat(64);
    let access = Access { admin_key: Some(admin_key.as_str().into()), ..access("127.0.0.1") };
    let wrong = [0, 63].map(|at| with_wrong_byte(&admin_key, at));
    let of_admin_key = compare(n_calls, [&wrong[0], &wrong[1]], |text| access.is_admin_key(text));

    eprintln!("{n_calls} calls: t = {of_key:.2} for keys, {of_admin_key:.2} for the admin key");
    assert!(of_key.abs() < T_MAX && of_admin_key.abs() < T_MAX, "{of_key} {of_admin_key}");
}

#[test]
fn the_statistic_sees_what_takes_longer() {
    let times = |slower: f64| (0..1000).map(|n| f64::from(n % 10) + slower).collect::<Vec<_>>();
    assert!(welch(times(0.0), times(0.0)).abs() < T_MAX);
    assert!(welch(times(1.0), times(0.0)).abs() > T_MAX);
}
