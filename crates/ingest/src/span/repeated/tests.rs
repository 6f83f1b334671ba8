//! Copies of spans, however they arrive, and spans that only look like copies.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupScope, Limits};

use super::super::{Span, SpanKind, span_group};
use super::*;
use crate::intake::PendingDelivery;
use crate::{Collector, IngestAnswer, Sender};

const START: u64 = 1_795_175_700_000_000_000;

/// A span as a sender has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    service: &'static str,
    trace: u8,
    span: u8,
    kind: SpanKind,
    start: u64,
    duration: u64,
    is_in_progress: bool,
}

const SPAN: Sent = Sent {
    service: "shop",
    trace: 1,
    span: 1,
    kind: SpanKind::Server,
    start: START,
    duration: 5_000_000,
    is_in_progress: false,
};

struct House {
    intake: Intake,
    store: Arc<Store>,
}

impl House {
    fn open(dir: &Path) -> Self {
        Self::with(dir, Limits::default())
    }

    fn with(dir: &Path, limits: Limits) -> Self {
        let options = Options { repeat_finder: Some(repeated_spans), ..Options::new(dir) };
        let (store, _) = Store::open(options).expect("a store");
        Self { intake: Intake::new(store.clone(), limits, 0), store }
    }

    fn send_at(&self, spans: &[Sent], now: u64, batch_id: Option<&str>) -> IngestAnswer {
        let sender = Sender { name: "", within: &GroupScope::All, batch_id, now: Timestamp(now as i64), groups: None };
        let collector = self.collected(spans, &sender);
        self.intake.accept(collector, format!("{spans:?}").as_bytes(), &sender).expect("room")
    }

    /// Stores spans as a node does that does not see yet what others accept.
    fn send_to_another_node(&self, spans: &[Sent]) {
        let now = Timestamp(START as i64 + 1_000_000_000);
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None };
        let pending = PendingDelivery::new(self.collected(spans, &sender), None, 0, IngestAnswer::default());
        self.store.append(pending.delivery).expect("room");
    }

    fn collected<'s>(&'s self, spans: &[Sent], sender: &Sender<'s>) -> Collector<'s> {
        let mut collector = self.intake.collect(sender);
        for sent in spans {
            let end = if sent.start == 0 { 0 } else { sent.start + sent.duration };
            let mut span = Span {
                trace_id: [sent.trace; 16],
                span_id: [sent.span; 8],
                name: "GET /cart".into(),
                kind: sent.kind,
                start: sent.start,
                end,
                ..Span::default()
            };
            let place = collector.group(&span_group(sent.service)).expect("in scope");
            let attributes = |attributes: &mut super::super::SpanAttributes<'_, '_>| {
                if sent.is_in_progress {
                    attributes.value("aws.xray.in_progress", &Value::Boolean(true));
                }
            };
            span.add_to(&mut collector, place, (1, &attributes), None).expect("memory").expect("a span");
        }
        collector
    }

    fn send(&self, spans: &[Sent]) {
        let answer = self.send_at(spans, START + 1_000_000_000, None);
        assert_eq!((answer.accepted, answer.rejected.len()), (spans.len() as u64, 0));
    }

    fn n_events(&self) -> u64 {
        let snapshot = self.store.snapshot(&[], TimeRange::ALL);
        snapshot.runs.iter().map(|run| run.info().n_events).sum()
    }
}

fn check(first: &[Sent], then: &[Sent], expected: u64) {
    let dir = TempDir::new().expect("a directory");
    let house = House::open(dir.path());
    house.send(first);
    house.send(then);
    assert_eq!(house.n_events(), expected, "{first:?} {then:?}");
    assert_eq!(house.intake.n_spans_repeated(), (first.len() + then.len()) as u64 - expected);
}

#[test]
fn copies_that_two_nodes_accepted_are_one_event_from_the_flush_on() {
    let longer = Sent { duration: 9_000_000, ..SPAN };
    let open = Sent { is_in_progress: true, ..SPAN };
    let moved = |by: u64| Sent { start: START + by, ..SPAN };
    for (one, other, expected) in [
        (&[SPAN][..], &[SPAN][..], 1),
        (&[SPAN, moved(5_000), moved(10_000)], &[moved(10_000), moved(6_500), SPAN], 3),
        (&[SPAN], &[longer], 2),
        (&[longer], &[SPAN], 1),
        (&[SPAN, longer], &[SPAN, longer], 2),
        (&[open], &[open, SPAN], 2),
        (&[SPAN], &[Sent { kind: SpanKind::Client, ..SPAN }], 2),
        (&[SPAN], &[Sent { span: 2, ..SPAN }, Sent { trace: 2, ..SPAN }], 3),
        (&[SPAN], &[Sent { service: "cart", ..SPAN }], 2),
    ] {
        let dir = TempDir::new().expect("a directory");
        let house = House::open(dir.path());
        house.send(one);
        house.send_to_another_node(other);
        assert_eq!(house.n_events(), (one.len() + other.len()) as u64, "{one:?} {other:?}");
        house.store.flush().expect("room");
        assert_eq!(house.n_events(), expected, "{one:?} {other:?}");
    }
}

#[test]
fn a_span_is_one_event_after_requests_flushes_compactions_and_restarts() {
    let dir = TempDir::new().expect("a directory");
    let house = House::open(dir.path());
    let spans: Vec<Sent> =
        (0..200).map(|n| Sent { span: n + 1, start: START + u64::from(n) * 700_000, ..SPAN }).collect();
    house.send(&spans);
    house.send(&spans);
    house.send(&[&spans[..5], &spans[..5]].concat());
    assert_eq!(house.n_events(), 200);
    drop(house);
    let house = House::open(dir.path());
    house.send(&spans);
    assert_eq!(house.n_events(), 200);
    house.store.flush().expect("room");
    house.send(&spans[100..]);
    house.send(&[Sent { span: 201, ..SPAN }]);
    house.store.flush().expect("room");
    house.store.compact().expect("room");
    house.send(&spans);
    house.send(&[Sent { span: 201, ..SPAN }]);
    house.store.close().expect("room");
    drop(house);
    let house = House::open(dir.path());
    house.send(&spans);
    assert_eq!(house.n_events(), 201);
    assert_eq!(house.intake.n_spans_repeated(), 200);
}

#[test]
fn spans_that_differ_are_all_kept() {
    let others = [
        Sent { trace: 2, ..SPAN },
        Sent { span: 2, ..SPAN },
        Sent { kind: SpanKind::Client, ..SPAN },
        Sent { service: "cart", ..SPAN },
        Sent { start: START + 10_000, ..SPAN },
        Sent { start: START - 10_000, ..SPAN },
    ];
    for other in others {
        check(&[SPAN], &[other], 2);
        check(&[SPAN, other], &[other, SPAN], 2);
    }
}

#[test]
fn of_a_span_that_grows_each_longer_form_is_kept() {
    let longer = Sent { duration: 6_000_000, ..SPAN };
    let unfinished = Sent { duration: 0, is_in_progress: true, ..SPAN };
    check(&[SPAN], &[longer], 2);
    check(&[longer], &[SPAN], 1);
    check(&[unfinished], &[SPAN], 2);
    check(&[unfinished], &[Sent { duration: 0, ..SPAN }], 2);
    check(&[SPAN], &[unfinished], 1);
    check(&[unfinished, unfinished], &[unfinished], 1);
}

#[test]
fn doors_round_times_differently() {
    let precise = Sent { start: START + 1_234_567, duration: 5_000_999, ..SPAN };
    let of_zipkin = Sent { start: START + 1_234_000, duration: 5_000_000, ..SPAN };
    check(&[precise], &[of_zipkin], 1);
    check(&[of_zipkin], &[precise], 1);
}

#[test]
fn a_span_without_a_usable_start_is_one_event_for_a_day() {
    for start in [0, START + 40 * 24 * 3_600_000_000_000] {
        let dir = TempDir::new().expect("a directory");
        let house = House::open(dir.path());
        let span = Sent { start, ..SPAN };
        house.send_at(&[span], START, None);
        house.send_at(&[span], START + 3_600_000_000_000, None);
        house.store.flush().expect("room");
        house.send_at(&[span, span], START + 23 * 3_600_000_000_000, None);
        assert_eq!(house.n_events(), 1, "{start}");
        house.send_at(&[Sent { span: 2, ..span }], START + 23 * 3_600_000_000_000, None);
        assert_eq!(house.n_events(), 2, "{start}");
    }
}

#[test]
fn a_repeated_request_with_a_batch_id_is_a_duplicate_still() {
    let dir = TempDir::new().expect("a directory");
    let house = House::open(dir.path());
    let send = |spans: &[Sent], id| house.send_at(spans, START, Some(id));
    assert!(!send(&[SPAN], "a").duplicate);
    assert!(send(&[SPAN], "a").duplicate);
    assert!(!send(&[SPAN], "b").duplicate);
    assert!(send(&[SPAN], "b").duplicate);
    assert_eq!(house.n_events(), 1);
}

#[test]
fn all_parts_of_a_repeated_text_go() {
    let dir = TempDir::new().expect("a directory");
    let house = House::with(dir.path(), Limits { event_bytes_max: 4, ..Limits::default() });
    house.send(&[SPAN]);
    let n_parts = house.n_events();
    assert!(n_parts > 2, "{n_parts}");
    house.send(&[SPAN, Sent { span: 2, ..SPAN }, SPAN]);
    assert_eq!(house.n_events(), 2 * n_parts);
}

#[test]
fn requests_at_the_same_time_store_a_span_once() {
    let dir = TempDir::new().expect("a directory");
    let house = House::open(dir.path());
    let spans: Vec<Sent> = (0..50).map(|n| Sent { span: n + 1, ..SPAN }).collect();
    let backwards: Vec<Sent> = spans.iter().rev().copied().collect();
    std::thread::scope(|scope| {
        for spans in [&spans, &backwards, &spans, &backwards] {
            scope.spawn(|| house.send(spans));
        }
    });
    assert_eq!(house.n_events(), 50);
}

#[test]
fn deleted_spans_may_come_again() {
    let dir = TempDir::new().expect("a directory");
    let house = House::open(dir.path());
    house.send(&[SPAN]);
    house.store.delete_group(&span_group("shop")).expect("room");
    house.send(&[SPAN]);
    assert_eq!(house.n_events(), 1);
}

fn sent() -> impl Strategy<Value = Sent> {
    let service = prop_oneof![Just("shop"), Just("cart")];
    let kind = prop_oneof![Just(SpanKind::Server), Just(SpanKind::Client)];
    let start = prop_oneof![Just(START), Just(START + 1_500), Just(START + 9_000), Just(START + 9_000_000)];
    let duration = prop_oneof![Just(0), Just(1_000), Just(5_000_000)];
    (service, 1u8..3, 1u8..3, kind, start, duration, proptest::bool::weighted(0.2)).prop_map(
        |(service, trace, span, kind, start, duration, is_in_progress)| Sent {
            service,
            trace,
            span,
            kind,
            start,
            duration,
            is_in_progress,
        },
    )
}

/// Reports whether a trace that has `earlier` would show `later` neither in addition nor instead.
fn is_repeat(earlier: &Sent, later: &Sent) -> bool {
    let of = |sent: &Sent| (sent.service, sent.trace, sent.span, sent.kind as u8);
    let rank = |sent: &Sent| (!sent.is_in_progress, sent.duration + if sent == later { 0 } else { 2_000 });
    of(earlier) == of(later)
        && earlier.start.abs_diff(later.start) <= 2_000
        && (earlier == later || rank(earlier) >= rank(later))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The spans stored are those sent minus the repeats, whatever happens between two requests.
    #[test]
    fn nothing_but_repeats_is_dropped(requests in prop::collection::vec((prop::collection::vec(sent(), 0..12), 0u8..6), 1..8)) {
        let dir = TempDir::new().expect("a directory");
        let mut house = House::open(dir.path());
        let mut kept: Vec<Sent> = Vec::new();
        for (spans, then) in requests {
            house.send(&spans);
            for span in spans {
                if !kept.iter().any(|earlier| is_repeat(earlier, &span)) {
                    kept.push(span);
                }
            }
            match then {
                0 => house.store.flush().expect("room"),
                1 => house.store.compact().expect("room"),
                2 => {
                    drop(house);
                    house = House::open(dir.path());
                }
                _ => {}
            }
            prop_assert_eq!(house.n_events(), kept.len() as u64);
        }
    }
}
