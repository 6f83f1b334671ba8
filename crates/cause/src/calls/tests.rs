//! Chains of calls in which one service fails.

use super::*;

/// Calls that take about 10 ms, but for those that are slow; errors and slow ones are since the onset.
fn calls(from: &str, to: &str, n_errors: u64, n_slow: u64) -> CallCounts {
    CallCounts {
        from: from.into(),
        to: to.into(),
        is_service: to != "orders-db",
        n_calls: [400, 1_000],
        n_errors: [n_errors, 4],
        durations: [vec![(9.0, 200), (11.0, 200 - n_slow), (5_000.0, n_slow)], vec![(9.0, 500), (11.0, 500)]],
    }
}

fn names(found: &[RedCall]) -> Vec<(&str, &str)> {
    found.iter().map(|call| (&*call.from, &*call.to)).collect()
}

#[test]
fn the_end_of_a_chain_that_fails_comes_first() {
    let edges = [("web", "pay", 90), ("pay", "orders-db", 80), ("web", "search", 3), ("pay", "mail", 0)];
    let counts = edges.map(|(from, to, n_errors)| calls(from, to, n_errors, 0));
    let found = red_calls(&counts);
    assert_eq!(names(&found), [("pay", "orders-db"), ("web", "pay")]);
    assert_eq!(found[0].error_shares, [0.2, 0.004]);
    assert!(found[0].is_last && !found[1].is_last && !found[0].is_slower);
    let queries: Vec<&str> = found.iter().filter_map(|call| call.query.as_deref()).collect();
    let expected = [
        r#"filter service = "pay" and kind = "client" and status = "error""#,
        r#"filter service = "pay" and kind = "server" and status = "error""#,
    ];
    assert_eq!(queries, expected);
}

#[test]
fn calls_that_only_take_longer_are_red_as_well() {
    let found = red_calls(&[calls("pay", "orders-db", 2, 150), calls("web", "pay", 0, 10)]);
    assert_eq!(names(&found), [("pay", "orders-db")]);
    assert!(found[0].is_slower && !found[0].is_failing);
    assert_eq!(found[0].p95_ms, [Some(5_000.0), Some(11.0)]);
    assert_eq!(found[0].query.as_deref(), Some(r#"filter service = "pay" and kind = "client""#));
}

#[test]
fn chance_new_calls_and_faster_ones_are_not_red() {
    assert_eq!(red_calls(&[]), []);
    let own = calls("a", "b", 1, 0);
    let durations = [vec![(1.0, 40)], Vec::new()];
    let new = CallCounts { n_calls: [40, 0], n_errors: [40, 0], durations, ..own.clone() };
    assert_eq!(red_calls(&[new, calls("web", "pay", 3, 2)]), []);
    let faster = CallCounts { durations: [vec![(2.0, 400)], vec![(90.0, 1_000)]], ..own };
    assert_eq!(red_calls(&[faster]), []);
}
