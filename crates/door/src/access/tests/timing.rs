//! How long a wrong key takes does not say how much of it is right, and how long a sign-in fails does not say who exists.
//!
//! Clocks of busy machines say nothing in few measurements, so only the long form measures: `CATAT_TIMING_CALLS=100000`.

use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::users::{NewUser, Users};

/// How much longer one may take to fail than the other to sign in.
const SHARE_MAX: f64 = 0.1;

/// Keys that are measured for each sign-in, which takes ten thousand times as long.
const KEYS_PER_SIGN_IN: usize = 100;

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

/// Times of `check` with one and the other text in turns, which of them first by chance.
fn measure(n_calls: usize, texts: [&str; 2], check: impl Fn(&str) -> bool) -> [Vec<f64>; 2] {
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
    times
}

fn compare(n_calls: usize, texts: [&str; 2], check: impl Fn(&str) -> bool) -> f64 {
    let [first, second] = measure(n_calls, texts, check);
    welch(first, second)
}

/// Returns how many calls are measured, if that is asked for.
fn calls() -> Option<usize> {
    let n_calls = std::env::var("CATAT_TIMING_CALLS").ok().and_then(|text| text.parse().ok());
    if n_calls.is_none() {
        eprintln!("left out: CATAT_TIMING_CALLS says how many calls are measured");
    }
    n_calls
}

/// Returns a text with another byte at a place.
fn with_wrong_byte(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    String::from_utf8(bytes).expect("keys are ASCII")
}

#[test]
fn the_place_of_a_wrong_byte_does_not_show_in_the_time() {
    let Some(n_calls) = calls() else { return };
    let (_dir, keys) = keys();
    let order = KeyOrder { name: "ci".into(), role: "read".into(), ..KeyOrder::default() };
    let key = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right").key;
    let first_of_secret = key.rfind('_').expect("a key has two parts") + 1;
    let wrong = [first_of_secret, key.len() - 1].map(|at| with_wrong_byte(&key, at));
    let of_key = compare(n_calls, [&wrong[0], &wrong[1]], |text| matches!(keys.find(text, Timestamp(0)), Ok(Some(_))));

    let admin_key = "a".repeat(64);
    let access = Access { admin_key: Some(admin_key.as_str().into()), ..access("127.0.0.1") };
    let wrong = [0, 63].map(|at| with_wrong_byte(&admin_key, at));
    let of_admin_key = compare(n_calls, [&wrong[0], &wrong[1]], |text| access.is_admin_key(text));

    eprintln!("{n_calls} calls: t = {of_key:.2} for keys, {of_admin_key:.2} for the admin key");
    assert!(of_key.abs() < T_MAX && of_admin_key.abs() < T_MAX, "{of_key} {of_admin_key}");
}

#[test]
fn who_is_unknown_fails_to_sign_in_as_slowly_as_who_has_another_password() {
    let Some(n_calls) = calls() else { return };
    let n_calls = (n_calls / KEYS_PER_SIGN_IN).max(100);
    let dir = TempDir::new().expect("a scratch directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
    let users = Users::default();
    let new = serde_json::json!({"name": "ani", "password": "correct horse", "role": "read"});
    let new: NewUser = serde_json::from_value(new).expect("a user");
    users.add(store.settings(), &new, Timestamp(0)).expect("the user is as they should be");
    let sign_in =
        |name: &str| users.verify(store.settings(), name, "wrong horse").expect("hashes can be made").is_some();
    let [known, unknown] = measure(n_calls, ["ani", "eva"], sign_in);
    let ((of_known, ..), (of_unknown, ..)) = (moments(known), moments(unknown));
    eprintln!("{n_calls} sign-ins: {:.3} ms known, {:.3} ms unknown", of_known / 1e6, of_unknown / 1e6);
    assert!((of_known / of_unknown - 1.0).abs() < SHARE_MAX, "{of_known} {of_unknown}");
}

#[test]
fn the_statistic_sees_what_takes_longer() {
    let times = |slower: f64| (0..1000).map(|n| f64::from(n % 10) + slower).collect::<Vec<_>>();
    assert!(welch(times(0.0), times(0.0)).abs() < T_MAX);
    assert!(welch(times(1.0), times(0.0)).abs() > T_MAX);
}
