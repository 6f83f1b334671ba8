//! New and jumping patterns, over a store and by themselves.

use proptest::prelude::*;

use super::super::tests::{Told, World, rule};
use super::*;

const RULE: &str = "{name: r, kind: pattern, query: 'filter @level >= \"error\"', baseline: 4h, keep_firing_for: 5m}";

fn errors<'e>(texts: &'e [(f64, String)]) -> Vec<Told<'e>> {
    texts.iter().map(|(minute, text)| (*minute, "app", "error", text.as_str(), &[][..])).collect()
}

#[test]
fn a_pattern_that_was_not_there_before_fires_once_and_ends() {
    let texts: Vec<(f64, String)> = (0..60)
        .map(|minute| (f64::from(minute), format!("request {minute} failed after {} ms", minute * 7)))
        .chain([(30.2, "disk sda1 is full".to_owned()), (52.0, "disk sdb7 is full".to_owned())])
        .collect();
    let mut world = World::new(rule(RULE), &errors(&texts));
    assert_eq!(world.at(29.0), "", "known since half an hour");
    assert_eq!(world.why, "no pattern is new or jumping");
    assert_eq!(world.at(30.5), "app/disk <*> is full=1");
    assert_eq!(world.patterns[0]["is_new"], true);
    assert_eq!(world.patterns[0]["before"], 0);
    assert_eq!(world.messages(30.5, 0), ["disk sda1 is full"]);
    assert_eq!(world.at(33.0), "app/disk <*> is full=1");
    assert_eq!(world.at(41.0), "app/disk <*> is full=1", "kept on");
    assert_eq!(world.at(47.0), "");
    assert_eq!(world.at(53.0), "", "the same pattern with another disk is known by now");
}

#[test]
fn a_store_without_a_past_holds_everything_for_new() {
    let texts = [(1.0, "cannot open /etc/app.conf".to_owned())];
    let mut world = World::new(rule(RULE), &errors(&texts));
    assert_eq!(world.at(0.5), "");
    assert_eq!(world.at(1.5), "app/cannot open /etc/app.conf=1");
}

#[test]
fn a_rate_that_jumps_fires_and_one_that_grows_a_little_does_not() {
    let mut texts: Vec<(f64, String)> = Vec::new();
    for minute in 0..120 {
        let n = if (100..105).contains(&minute) { 12 } else { 2 };
        texts.extend((0..n).map(|n| (f64::from(minute) + 0.01 * f64::from(n), format!("timeout of upstream {n}"))));
    }
    let mut world = World::new(rule(RULE), &errors(&texts));
    assert_eq!(world.at(99.9), "");
    assert_eq!(world.at(101.5), "", "less than five times");
    let fired = world.at(104.9);
    assert!(fired.starts_with("app/timeout of upstream <*>="), "{fired}");
    assert_eq!(world.patterns[0]["is_new"], false);
    let per_hour = world.patterns[0]["per_hour_before"].as_f64().unwrap();
    assert!((119.0..122.0).contains(&per_hour), "{per_hour}");
}

#[test]
fn of_very_many_patterns_most_are_told_of_together() {
    let words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"];
    let texts: Vec<(f64, String)> = words
        .iter()
        .enumerate()
        .map(|(n, word)| (10.0, format!("{word} {}", ["broke down", "went away", "is late today"][n % 3])))
        .collect();
    let text = RULE.replace("baseline: 4h", "baseline: 4h, limit: 3");
    let mut world = World::new(rule(&text), &errors(&texts));
    let fired = world.at(11.0);
    assert_eq!(fired.split(", ").count(), 4, "{fired}");
    assert!(fired.contains("(more patterns)=7"), "{fired}");
    assert_eq!(world.why, "4 firing, 10 new or jumping of 10 patterns, 7 of them summarized");
    let again = world.at(11.5);
    assert_eq!(again, fired, "the same ones are told of");
}

#[test]
fn a_pattern_that_widens_keeps_its_name() {
    let texts: Vec<(f64, String)> = (0..6)
        .map(|n| {
            (
                10.0 + f64::from(n) * 0.3,
                format!("lost the lock of host{} in rack", ["a", "b", "c", "d", "e", "f"][n as usize]),
            )
        })
        .collect();
    let mut world = World::new(rule(RULE), &errors(&texts));
    let first = world.at(10.1);
    assert!(first.starts_with("app/lost the lock of "), "{first}");
    let later = world.at(12.0);
    let name = |shown: &str| shown.split('=').next().map(str::to_owned);
    assert_eq!(name(&later), name(&first), "{later}");
}

#[test]
fn half_a_past_proves_nothing_of_single_events() {
    let found_of = |count: u64, is_past_whole: bool| {
        let pattern =
            NewPattern { by: vec!["@log".into()], baseline_ns: Timestamp::DAY, jump: 5.0, min_count: 10, limit: 20 };
        let rows = rows_of(&[("the disk is full".to_owned(), count)], Timestamp::DAY);
        let range = TimeRange { from: Timestamp(0), to: Timestamp(Timestamp::DAY) };
        let window_ns = 5 * Timestamp::MINUTE;
        let counted = PatternCounts { pattern: &pattern, window_ns, range, rows: &rows, before: &[], is_past_whole };
        found(&counted, &mut Names::new()).shown.len()
    };
    assert_eq!([found_of(1, true), found_of(1, false), found_of(10, false)], [1, 0, 1]);
}

/// Counts of texts as rows of an answer, all first seen at `first`.
fn rows_of(counts: &[(String, u64)], first: i64) -> Vec<Vec<Option<Value>>> {
    let row = |(text, count): &(String, u64)| {
        let first = Some(Value::Timestamp(Timestamp(first)));
        vec![Some(Value::text("app")), Some(Value::text(text.as_str())), whole(*count), first]
    };
    counts.iter().map(row).collect()
}

proptest! {
    /// The short way says that there is nothing to find exactly where finding finds nothing.
    #[test]
    fn what_the_short_way_leaves_out_would_not_fire(
        now in proptest::collection::btree_map("[a-c] (lost|found) [a-d]", 1u64..40, 1..8),
        before in proptest::collection::btree_map("[a-c] (lost|found) [a-d]", 1u64..400, 0..24),
    ) {
        let range = TimeRange { from: Timestamp(0), to: Timestamp(Timestamp::DAY) };
        let pattern = NewPattern {
            by: vec!["@log".into()], baseline_ns: Timestamp::DAY, jump: 5.0, min_count: 10, limit: 20,
        };
        let now: Vec<_> = now.into_iter().collect();
        let before: Vec<_> = before.into_iter().collect();
        let (rows, past) = (rows_of(&now, Timestamp::DAY), rows_of(&before, 0));
        let window_ns = 5 * Timestamp::MINUTE;
        let counted = PatternCounts { pattern: &pattern, window_ns, range, rows: &rows, before: &past, is_past_whole: true };
        let is_usual = counted.is_usual();
        let (patterns, sums) = counted.sums();
        let fires = sums.iter().any(|sums| {
            let all: u64 = sums.before.values().sum();
            sums.now.iter().any(|(key, (_, count))| {
                let before = sums.before.get(key).copied().unwrap_or(all);
                all == 0 || (*count >= 10 && counted.is_faster(*count, before, counted.before_ns()))
            })
        });
        prop_assert!(!(is_usual && fires), "{patterns:?} {now:?} {before:?}");
        let mut names = Names::new();
        prop_assert_eq!(found(&counted, &mut names).shown.is_empty(), !fires);
    }
}
