//! Calls are counted once, whatever order their sides come in.

use super::*;
use crate::map::measure::Call;
use crate::map::slices::{Causes, Target};

fn span(service: &str, kind: SpanKind, key: u64, parent: Option<u64>) -> MapSpan {
    let duration_ns = 3_000_000;
    MapSpan {
        key,
        causes: Causes { parent, links: Vec::new() },
        service: service.into(),
        kind,
        call: Call::of(duration_ns, service == "broken"),
        duration_ns,
        target: None,
    }
}

fn calling(service: &str, key: u64, kind: TargetKind, name: &str) -> MapSpan {
    MapSpan { target: Some(Target { kind, name: name.into() }), ..span(service, SpanKind::Client, key, None) }
}

/// Adds spans a second apart, waits, and returns the calls: client, server, connection, number, failed.
fn counted(spans: Vec<MapSpan>) -> (Vec<String>, Counts) {
    let (mut pairs, mut counts, mut now) = (Pairs::default(), Counts::default(), Timestamp(0));
    for span in spans {
        now = Timestamp(now.0 + Timestamp::SECOND);
        pairs.expire(now, &mut counts);
        pairs.add(span, now, &mut counts);
    }
    pairs.expire(Timestamp(now.0 + WAIT_NS), &mut counts);
    assert!(pairs.waiting.is_empty() && pairs.seen.is_empty() && pairs.expiries.is_empty(), "{pairs:?}");
    let shown = |(edge, count): (&Edge, &super::super::counts::EdgeCount)| {
        let Edge { client, server, connection } = edge;
        format!("{client} -> {server} {} {}/{}", connection.name(), count.n_failed, count.n)
    };
    (counts.edges.iter().map(shown).collect(), counts)
}

#[test]
fn both_orders_of_the_sides_give_one_call() {
    let client = || span("shop", SpanKind::Client, 1, None);
    let server = || span("broken", SpanKind::Server, 2, Some(1));
    for spans in [vec![client(), server()], vec![server(), client()], vec![client(), server(), client(), server()]] {
        let (shown, counts) = counted(spans);
        assert_eq!(shown, ["shop -> broken  1/1"]);
        assert!(counts.unpaired.is_empty());
    }
}

#[test]
fn a_message_has_all_of_its_receivers() {
    let linked = |key: u64| MapSpan {
        causes: Causes { parent: None, links: vec![1] },
        ..span("mail", SpanKind::Consumer, key, None)
    };
    let spans = vec![linked(5), span("shop", SpanKind::Producer, 1, None), linked(6), linked(7)];
    assert_eq!(counted(spans).0, ["shop -> mail messaging_system 0/3"]);
}

#[test]
fn targets_without_spans_have_their_names_and_requests_without_parents_a_user() {
    let spans = vec![
        calling("shop", 1, TargetKind::Database, "postgresql"),
        calling("shop", 2, TargetKind::External, "pay.example.com"),
        calling("shop", 3, TargetKind::External, "cart:8080"),
        span("cart", SpanKind::Server, 4, Some(3)),
        span("shop", SpanKind::Server, 5, None),
        span("shop", SpanKind::Internal, 6, None),
    ];
    let expected = [
        "shop -> cart  0/1",
        "shop -> pay.example.com virtual_node 0/1",
        "shop -> postgresql database 0/1",
        "user -> shop virtual_node 0/1",
    ];
    assert_eq!(counted(spans).0, expected);
}

#[test]
fn sides_that_stay_alone_are_unpaired_also_where_the_other_comes_too_late() {
    let late = |key: u64| (0..31).map(move |n| span("x", SpanKind::Server, key + n, None));
    let mut spans = vec![span("shop", SpanKind::Client, 1, None)];
    spans.extend(late(100));
    spans.push(span("cart", SpanKind::Server, 2, Some(1)));
    let (shown, counts) = counted(spans);
    assert_eq!(shown, ["user -> x virtual_node 0/31"]);
    let unpaired: Vec<(&str, &str)> = counts.unpaired.keys().map(|(client, server)| (&**client, &**server)).collect();
    assert_eq!(unpaired, [("", "cart"), ("shop", "")]);
}

#[test]
fn memory_is_bounded() {
    let (mut pairs, mut counts) = (Pairs::default(), Counts::default());
    for key in 0..SPANS_MAX as u64 + 3 {
        pairs.add(span("shop", SpanKind::Client, key, None), Timestamp(0), &mut counts);
    }
    assert_eq!((pairs.waiting.len(), counts.n_dropped), (SPANS_MAX, 3));
}
