//! Trees of spans written as text, and of any spans at all.

use std::fmt::Write;

use proptest::prelude::*;
use types::Timestamp;

use super::*;

/// Reads spans, one a line: id, parent or `-`, kind, service, start and duration in milliseconds.
fn spans(text: &str) -> Vec<Span> {
    let read = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, parent, kind, service, start, duration] = words[..] else { panic!("not a span: {line}") };
        let ms = |text: &str| text.parse::<i64>().expect("a number") * 1_000_000;
        Span {
            trace_id: "t".into(),
            span_id: id.into(),
            parent_id: (parent != "-").then(|| parent.into()),
            kind: SpanKind::of(kind),
            service: service.into(),
            start: Timestamp(ms(start)),
            duration_ns: ms(duration),
            ..Span::default()
        }
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
}

/// Draws a tree: indented ids with adjusted start, self time and critical time, then the problems.
fn drawn(spans: &[Span]) -> String {
    let tree = Tree::of(spans);
    let mut out = String::new();
    for node in &tree.nodes {
        let name = match &node.place {
            Place::Span(span) => spans[*span].span_id.to_string(),
            Place::Gap(id) => format!("({id})"),
        };
        let ms = |ns: i64| ns / 1_000_000;
        let (start, alone, critical) = (ms(node.start.0), ms(node.self_ns), ms(node.critical_ns));
        writeln!(out, "{}{name} {start} {alone} {critical}", "  ".repeat(node.depth)).expect("a string takes it");
    }
    for problem in &tree.problems {
        writeln!(out, "{}: {}", problem.code.name(), problem.message).expect("a string takes it");
    }
    out
}

#[track_caller]
fn check(sent: &str, expected: &str) {
    let mut spans = spans(sent);
    without_repeated(&mut spans);
    let expected: String = expected
        .lines()
        .filter(|line| !line.trim().is_empty())
        .fold(String::new(), |all, line| all + line.strip_prefix("        ").unwrap_or(line) + "\n");
    assert_eq!(drawn(&spans), expected);
}

#[test]
fn children_follow_their_parent_and_share_its_time() {
    check(
        "
        c a client web 60 20
        a - server web 0 100
        b a internal web 10 40
        d c server pay 65 10
        ",
        "
        a 0 40 40
          b 10 40 40
          c 60 10 10
            d 65 10 10
        ",
    );
}

#[test]
fn spans_without_their_parent_hang_below_a_named_gap() {
    check(
        "
        a - server web 0 100
        b x server pay 10 10
        c x internal pay 30 10
        d y internal pay 50 10
        ",
        "
        a 0 60 60
          (x) 10 0 0
            b 10 10 10
            c 30 10 10
          (y) 50 0 0
            d 50 10 10
        missing-parent: span x is missing: 2 spans name it as their parent
        missing-parent: span y is missing: 1 span names it as its parent
        ",
    );
    check(
        "b x server pay 10 10",
        "
        (x) 10 0 0
          b 10 10 10
        missing-parent: span x is missing: 1 span names it as its parent
        ",
    );
}

#[test]
fn cycles_end_at_their_earliest_span() {
    check(
        "
        a c internal web 0 30
        b a internal web 5 10
        c b internal web 7 5
        s s internal web 40 1
        ",
        "
        a 0 20 20
          b 5 5 5
            c 7 5 5
        s 40 1 1
        cycle: 3 spans name each other as parents in a cycle; the earliest of them is shown as a root
        cycle: the span names itself as its parent; it is shown as a root
        several-roots: 2 spans have no parent: the trace has several roots
        ",
    );
}

#[test]
fn clocks_that_differ_are_named_and_the_called_side_moves_with_what_is_below_it() {
    check(
        "
        s c server pay -50 20
        i s internal pay -45 10
        a - server web 0 100
        c a client web 10 40
        ",
        "
        a 0 60 60
          c 10 20 20
            s 20 10 10
              i 25 10 10
        clock-skew: the clock of pay is about 70ms behind that of web; its span is shown within the call, its own times are unchanged
        ",
    );
    // A server that outlives a client that gave up is not skew.
    check(
        "
        c - client web 0 10
        s c server pay 2 50
        ",
        "
        c 0 2 2
          s 2 50 8
        ",
    );
}

#[test]
fn both_sides_of_a_call_may_have_one_id_and_repeated_spans_are_one() {
    check(
        "
        a - client web 0 10
        a - server pay 2 5
        b a internal pay 3 1
        b a internal pay 3 1
        ",
        "
        a 0 5 5
          a 2 4 4
            b 3 1 1
        ",
    );
}

#[test]
fn a_trace_as_deep_as_it_has_spans_has_a_tree() {
    let text: String = (0..20_000).map(|at| format!("{at} {} internal web {at} 5\n", at - 1)).collect();
    let tree = Tree::of(&spans(&text));
    assert_eq!(tree.nodes.len(), 20_001, "the spans and the gap that the first one names");
    assert_eq!(tree.nodes.last().map(|node| node.depth), Some(20_000));
}

proptest! {
    #[test]
    fn any_spans_have_a_tree_with_each_of_them_once(
        sent in prop::collection::vec((0_u8..12, 0_u8..14, 0_u8..5, 0_i64..50, 0_i64..50), 1..40)
    ) {
        let kinds = ["internal", "server", "client", "producer", "consumer"];
        let text: String = sent.iter().map(|(id, parent, kind, start, duration)| {
            let parent = if *parent == 13 { "-".to_owned() } else { parent.to_string() };
            format!("{id} {parent} {} s{} {start} {duration}\n", kinds[usize::from(*kind)], id % 3)
        }).collect();
        let mut spans = spans(&text);
        without_repeated(&mut spans);
        let tree = Tree::of(&spans);
        let mut seen: Vec<usize> = tree.nodes.iter().filter_map(|node| match node.place {
            Place::Span(span) => Some(span),
            Place::Gap(_) => None,
        }).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..spans.len()).collect::<Vec<_>>());
        for (index, node) in tree.nodes.iter().enumerate() {
            prop_assert!(node.parent.is_none_or(|parent| parent < index && tree.nodes[parent].depth + 1 == node.depth));
            prop_assert!(node.self_ns >= 0 && node.critical_ns >= 0);
            if let Place::Span(span) = node.place {
                prop_assert!(node.self_ns <= spans[span].duration_ns && node.critical_ns <= spans[span].duration_ns);
            }
        }
        // The path of a root covers it, except for gaps.
        if tree.nodes.iter().all(|node| matches!(node.place, Place::Span(_))) {
            let roots: i64 = tree.nodes.iter().filter(|node| node.parent.is_none()).map(|node| match node.place {
                Place::Span(span) => spans[span].duration_ns,
                Place::Gap(_) => 0,
            }).sum();
            prop_assert_eq!(tree.nodes.iter().map(|node| node.critical_ns).sum::<i64>(), roots);
        }
    }
}
