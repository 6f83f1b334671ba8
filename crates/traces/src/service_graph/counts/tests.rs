//! Counts of durations and edges.

use super::*;

#[test]
fn durations_count_up_to_their_bound_and_edges_beyond_the_limit_together() {
    let mut counts = Counts::default();
    let edge = |n: usize| Edge {
        client: format!("client {n}").into(),
        server: "server".into(),
        connection: Connection::Direct,
    };
    let times = |ms: i64| CallTimes { client_ns: ms * 1_000_000, server_ns: 2_000_000, is_failed: ms > 100 };
    for ms in [1, 2, 3, 40_000] {
        counts.add(edge(0), times(ms), Timestamp(ms));
    }
    let count = &counts.edges[&edge(0)];
    assert_eq!((count.n, count.n_failed, count.last), (4, 1, Timestamp(40_000)));
    let bounds: Vec<(f64, u64)> = count.client.cumulative().take(3).collect();
    assert_eq!(bounds, [(0.002, 2), (0.004, 3), (0.008, 3)]);
    assert_eq!((count.client.cumulative().last(), count.client.n), (Some((16.384, 3)), 4));
    assert!((count.client.sum_s - 40.006).abs() < 1e-9 && (count.server.sum_s - 0.008).abs() < 1e-9);
    for n in 1..EDGES_MAX + 5 {
        counts.add(edge(n), times(1), Timestamp(0));
    }
    assert_eq!(counts.edges.len(), EDGES_MAX + 1);
    let other = Edge { client: OTHER.into(), server: OTHER.into(), connection: Connection::Direct };
    assert_eq!(counts.edges[&other].n, 5);
}
