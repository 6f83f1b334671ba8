//! Properties: canonical forms mean the same, and structural operators equal slow and simple ones.

use proptest::prelude::*;

use super::random::{operator, query, spans_of, trace_fields};
use crate::structure::related;
use crate::syntax::{Relation, SetOperator, Side};
use crate::{SpanView, Trace, parse};

/// Reports whether `b` has the relation to `a`, by the ids of parents alone. Ids are unique and form no cycle.
fn is_related(spans: &[SpanView], relation: Relation, a: usize, b: usize) -> bool {
    let id = |place: usize| spans[place].text("span_id");
    let parent_id = |place: usize| spans[place].text("parent_span_id");
    let is_child = |child: usize, parent: usize| parent_id(child).is_some() && parent_id(child) == id(parent);
    let is_below = |below: usize, above: usize| {
        let mut at = Some(below);
        while let Some(place) = at {
            at = (0..spans.len()).find(|parent| is_child(place, *parent));
            if at == Some(above) {
                return true;
            }
        }
        false
    };
    match relation {
        Relation::Child => is_child(b, a),
        Relation::Parent => is_child(a, b),
        Relation::Descendant => is_below(b, a),
        Relation::Ancestor => is_below(a, b),
        Relation::Sibling => a != b && parent_id(a) == parent_id(b),
    }
}

/// Returns what a structural operator gives, pair by pair.
fn naive(spans: &[SpanView], relation: Relation, side: Side, left: &[u32], right: &[u32]) -> Vec<u32> {
    let is_pair = |a: u32, b: u32| is_related(spans, relation, a as usize, b as usize);
    let of_right = right.iter().filter(|b| left.iter().any(|a| is_pair(*a, **b)) != (side == Side::RightWithout));
    let of_left = left.iter().filter(|a| side == Side::Both && right.iter().any(|b| is_pair(**a, *b)));
    let mut found: Vec<u32> = of_right.chain(of_left).copied().collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn chosen(mask: u32, n: usize) -> Vec<u32> {
    (0..n as u32).filter(|place| mask & (1 << place) != 0).collect()
}

proptest! {
    #[test]
    fn canonical_form_is_read_as_the_same_query(query in query()) {
        let text = query.to_string();
        let read = match crate::read::read(&text) {
            Ok(read) => read,
            Err(error) => panic!("{text}: {error}"),
        };
        prop_assert!(read.pipeline == query.pipeline, "{text}\n{read}");
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn structural_operators_equal_naive_ones(
        fields in trace_fields(24),
        operator in operator(),
        left in any::<u32>(),
        right in any::<u32>(),
    ) {
        let spans = spans_of(&fields);
        let (left, right) = (chosen(left, spans.len()), chosen(right, spans.len()));
        if let SetOperator::Related(relation, side) = operator {
            let found = related(&Trace::new(&spans), relation, side, &left, &right);
            prop_assert_eq!(found, naive(&spans, relation, side, &left, &right));
        }
    }

    #[test]
    fn any_parents_make_a_tree(parents in proptest::collection::vec((0u8..12, 0u8..12), 1..20)) {
        let span = |(id, parent): (u8, u8)| {
            let field = |name: &str, id: u8| (name.into(), types::Value::text(id.to_string()));
            SpanView::new(types::Timestamp(0), [field("span_id", id), field("parent_span_id", parent)])
        };
        let spans: Vec<SpanView> = parents.into_iter().map(span).collect();
        let trace = Trace::new(&spans);
        let mut numbers: Vec<u32> = (0..spans.len() as u32).flat_map(|place| [trace.left(place), trace.right(place)]).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=2 * spans.len() as u32).collect::<Vec<_>>());
        for place in 0..spans.len() as u32 {
            prop_assert!(trace.left(place) < trace.right(place));
            if let Some(parent) = trace.parent(place) {
                prop_assert!(trace.left(parent) < trace.left(place) && trace.right(place) < trace.right(parent));
                prop_assert_eq!(spans[place as usize].text("parent_span_id"), spans[parent as usize].text("span_id"));
            }
        }
    }

    #[test]
    fn texts_never_end_a_reader(text in "[ -~é\n]{0,40}", query in "[{}()|&!<>~=.a-d\" 0-9]{0,40}") {
        for text in [text, query] {
            if let Ok(query) = parse(&text) {
                prop_assert_eq!(parse(&query.to_string()).map(|query| query.to_string()), Ok(query.to_string()));
            }
        }
    }
}

#[test]
fn a_deep_trace_is_answered_without_deep_recursion() {
    let span = |place: u32| {
        let id = |name: &str, place: u32| (name.into(), types::Value::text(place.to_string()));
        SpanView::new(types::Timestamp(0), [id("span_id", place), id("parent_span_id", place.wrapping_sub(1))])
    };
    let spans: Vec<SpanView> = (0..200_000).map(span).collect();
    let query = parse("({} >> {} ~ {}) || ({} &<< {}) | count() = 200000").expect("a query");
    assert_eq!(crate::search(&query, &Trace::new(&spans)).len(), 1);
}
