//! Random traces and queries.

use std::sync::Arc;

use plan::{ArithmeticOperator, Comparison, Span};
use proptest::prelude::*;
use regex::Regex;
use types::{Timestamp, Value};

use crate::SpanView;
use crate::field::{Field, Intrinsic, Scope};
use crate::literal::Literal;
use crate::syntax::{
    Aggregate, AggregateFunction, BinaryOperator, Combined, Expression, ExpressionKind, Pattern, Pipeline, Query,
    Relation, SetOperator, Side, Spansets, Stage,
};

/// The fields of a span's event.
pub(super) type Fields = Vec<(Arc<str>, Value)>;

/// Texts that read as something else, and some that do not.
const TEXTS: [&str; 8] = ["x", "1", "1.0", "true", "false", "[\"x\"]", "", "2e0"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::sample::select(&TEXTS[..]).prop_map(Value::text),
        (-1i64..3).prop_map(Value::Integer),
        Just(Value::Integer((1 << 53) + 1)),
        prop_oneof![Just(0.5), Just(1.0), Just(9_007_199_254_740_992.0)].prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let list = proptest::collection::vec(proptest::option::weighted(0.9, scalar()), 0..3);
    let object = scalar().prop_map(|inner| Some(Value::Object(Arc::new(vec![("b".into(), Some(inner))]))));
    prop_oneof![
        6 => scalar(),
        2 => list.prop_map(|items| Value::List(Arc::new(items))),
        1 => object.prop_map(|object| Value::List(Arc::new(vec![object]))),
        1 => Just(Value::Object(Arc::default())),
    ]
}

/// Names of attributes: one is a path into another, and one is the name of a field.
fn attribute() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&["a", "b", "a.b", "a.0", "service.name", "name"][..])
}

/// A span's own fields without its ids.
fn fields() -> impl Strategy<Value = Fields> {
    let attributes = proptest::collection::vec((attribute(), value()), 0..4);
    let part = (proptest::sample::select(&["x", "1", "y"][..]), proptest::option::of(scalar()));
    let events = proptest::collection::vec(part, 0..3);
    let words = (
        proptest::sample::select(&["unset", "ok", "error"][..]),
        proptest::sample::select(&["server", "client"][..]),
        proptest::sample::select(&TEXTS[..]),
        proptest::option::of(proptest::sample::select(&TEXTS[..])),
    );
    (attributes, events, words, 0i64..4).prop_map(|(attributes, events, words, duration)| {
        let stored = |name: &str| if name == "name" { "attributes.name".into() } else { name.into() };
        let mut fields: Fields = attributes.into_iter().map(|(name, value)| (stored(name), value)).collect();
        // An event that is given a name twice has a list of both values.
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields.dedup_by(|(a, _), (b, _)| a == b);
        let event = |(name, value): (&str, Option<Value>)| {
            let attributes = Value::Object(Arc::new(vec![("a".into(), value)]));
            Some(Value::Object(Arc::new(vec![
                ("name".into(), Some(Value::text(name))),
                ("attributes".into(), Some(attributes)),
            ])))
        };
        if !events.is_empty() {
            fields.push(("events".into(), Value::List(Arc::new(events.into_iter().map(event).collect()))));
        }
        let (status, kind, name, message) = words;
        fields.push(("status".into(), Value::text(status)));
        fields.push(("kind".into(), Value::text(kind)));
        fields.push(("name".into(), Value::text(name)));
        fields.push(("service".into(), Value::text(if duration > 1 { "x" } else { "1" })));
        fields.extend(message.map(|message| ("status_message".into(), Value::text(message))));
        fields.push(("duration_ms".into(), Value::Float((duration * 333_333_333) as f64 / 1e6)));
        fields
    })
}

/// Fields of the spans of a trace: each has a parent that comes before it, none, or a missing one.
pub(super) fn trace_fields(n_max: usize) -> impl Strategy<Value = Vec<Fields>> {
    proptest::collection::vec((fields(), any::<u32>()), 1..n_max).prop_map(|spans| {
        let with_ids = |(place, (mut fields, chosen)): (usize, (Fields, u32))| {
            fields.push(("span_id".into(), Value::text(format!("{place:016x}"))));
            fields.push(("trace_id".into(), Value::text("0".repeat(31) + "1")));
            fields.push(("@type".into(), Value::text("span")));
            let chosen = chosen as usize;
            match place {
                _ if chosen.is_multiple_of(7) => {}
                _ if chosen % 7 == 1 => fields.push(("parent_span_id".into(), Value::text("f".repeat(16)))),
                0 => {}
                _ => fields.push(("parent_span_id".into(), Value::text(format!("{:016x}", chosen % place)))),
            }
            fields
        };
        spans.into_iter().enumerate().map(with_ids).collect()
    })
}

/// The spans with these fields, in random order of time.
pub(super) fn spans_of(fields: &[Fields]) -> Vec<SpanView> {
    let span =
        |(place, fields): (usize, &Fields)| SpanView::new(Timestamp(1_000 + place as i64), fields.iter().cloned());
    fields.iter().enumerate().map(span).collect()
}

fn of(kind: ExpressionKind) -> Expression {
    Expression { kind, span: Span::default() }
}

fn attribute_field() -> impl Strategy<Value = Field> {
    let scope = proptest::sample::select(&[Scope::Any, Scope::Span, Scope::Resource, Scope::Instrumentation][..]);
    prop_oneof![
        9 => (scope, attribute()).prop_map(|(scope, name)| Field::Attribute { scope, name: name.into() }),
        1 => Just(Field::Attribute { scope: Scope::Event, name: "a".into() }),
    ]
}

fn number() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (-2i64..4).prop_map(Literal::Integer),
        Just(Literal::Integer(i64::MIN)),
        proptest::sample::select(&[0.5, -1.0, 1e300, 2.5e-7, 333_333_333.0][..]).prop_map(Literal::Float),
        (-1i64..3).prop_map(|count| Literal::Duration(count * 333_333_333)),
    ]
}

fn text() -> impl Strategy<Value = Literal> {
    prop_oneof![proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned), "[ -~é\n\t]{0,4}"].prop_map(Literal::Text)
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    proptest::sample::select(&[C::Equal, C::NotEqual, C::Less, C::LessOrEqual, C::Greater, C::GreaterOrEqual][..])
}

fn equality() -> impl Strategy<Value = Comparison> {
    proptest::sample::select(&[Comparison::Equal, Comparison::NotEqual][..])
}

fn intrinsic(fields: &'static [Intrinsic]) -> impl Strategy<Value = Field> {
    proptest::sample::select(fields).prop_map(Field::Intrinsic)
}

fn text_field() -> impl Strategy<Value = Field> {
    use Intrinsic as I;
    intrinsic(&[I::Name, I::StatusMessage, I::RootName, I::RootService, I::EventName, I::InstrumentationName])
}

fn number_field() -> impl Strategy<Value = Field> {
    use Intrinsic as I;
    intrinsic(&[I::Duration, I::NestedSetParent, I::NestedSetLeft, I::ChildCount, I::TraceDuration])
}

fn compared(field: Field, comparison: Comparison, literal: Literal, is_mirrored: bool) -> ExpressionKind {
    let sides = (of(ExpressionKind::Field(field)), of(ExpressionKind::Literal(literal)));
    let (left, right) = if is_mirrored { (sides.1, sides.0) } else { sides };
    ExpressionKind::Binary(BinaryOperator::Compare(comparison), Box::new(left), Box::new(right))
}

/// Conditions without others in them.
fn test() -> impl Strategy<Value = ExpressionKind> {
    let any_literal = prop_oneof![number(), text()];
    let pattern = proptest::sample::select(&["x|1", "", ".*", "[0-9.]+", "t.+e"][..]);
    let of_pattern = |source: &str| {
        let regex = Regex::new(&format!("^(?s:{source})$")).expect("a valid expression");
        Pattern { source: source.to_owned(), regex }
    };
    let words = prop_oneof![
        proptest::sample::select(&["unset", "ok", "error"][..])
            .prop_map(|word| (Intrinsic::Status, Literal::Status(word))),
        proptest::sample::select(&["server", "client", "unspecified"][..])
            .prop_map(|word| (Intrinsic::Kind, Literal::Kind(word))),
    ];
    prop_oneof![
        6 => (attribute_field(), comparison(), any_literal, any::<bool>()).prop_map(|(a, b, c, d)| compared(a, b, c, d)),
        2 => (attribute_field(), equality(), any::<bool>(), any::<bool>())
            .prop_map(|(a, b, c, d)| compared(a, b, Literal::Boolean(c), d)),
        3 => (text_field(), comparison(), text(), any::<bool>()).prop_map(|(a, b, c, d)| compared(a, b, c, d)),
        4 => (number_field(), comparison(), number(), any::<bool>()).prop_map(|(a, b, c, d)| compared(a, b, c, d)),
        2 => (words, equality()).prop_map(|((field, word), comparison)| {
            compared(Field::Intrinsic(field), comparison, word, false)
        }),
        2 => (prop_oneof![attribute_field().boxed(), text_field().boxed()], pattern, any::<bool>()).prop_map(
            move |(field, pattern, is_negated)| {
                ExpressionKind::Match(Box::new(of(ExpressionKind::Field(field))), of_pattern(pattern), is_negated)
            }
        ),
        1 => attribute_field().prop_map(ExpressionKind::Field),
        2 => (attribute_field(), any::<bool>())
            .prop_map(|(field, is_there)| ExpressionKind::Exists(Box::new(of(ExpressionKind::Field(field))), is_there)),
        1 => any::<bool>().prop_map(|truth| ExpressionKind::Literal(Literal::Boolean(truth))),
        2 => (arithmetic(), comparison(), arithmetic()).prop_map(|(a, comparison, b)| {
            ExpressionKind::Binary(BinaryOperator::Compare(comparison), Box::new(a), Box::new(b))
        }),
    ]
}

fn arithmetic() -> impl Strategy<Value = Expression> {
    use ArithmeticOperator as A;
    let leaf = prop_oneof![
        number().prop_map(ExpressionKind::Literal),
        attribute_field().prop_map(ExpressionKind::Field),
        number_field().prop_map(ExpressionKind::Field),
    ];
    leaf.prop_map(of).prop_recursive(3, 8, 2, |inner| {
        let operators =
            proptest::sample::select(&[A::Add, A::Subtract, A::Multiply, A::Divide, A::Remainder, A::Power][..]);
        prop_oneof![
            3 => (operators, inner.clone(), inner.clone()).prop_map(|(operator, a, b)| {
                of(ExpressionKind::Binary(BinaryOperator::Arithmetic(operator), Box::new(a), Box::new(b)))
            }),
            // A minus in front of a number is part of it.
            1 => inner.prop_map(|inner| match inner.kind {
                ExpressionKind::Literal(_) => inner,
                _ => of(ExpressionKind::Negate(Box::new(inner))),
            }),
        ]
    })
}

/// Conditions of one span.
pub(super) fn condition() -> impl Strategy<Value = Expression> {
    test().prop_map(of).prop_recursive(3, 8, 2, |inner| {
        let operator = prop_oneof![Just(BinaryOperator::And), Just(BinaryOperator::Or)];
        prop_oneof![
            3 => (operator, inner.clone(), inner.clone())
                .prop_map(|(operator, a, b)| of(ExpressionKind::Binary(operator, Box::new(a), Box::new(b)))),
            1 => (inner.clone(), equality(), any::<bool>()).prop_map(|(inner, comparison, truth)| {
                let truth = of(ExpressionKind::Literal(Literal::Boolean(truth)));
                of(ExpressionKind::Binary(BinaryOperator::Compare(comparison), Box::new(inner), Box::new(truth)))
            }),
            1 => inner.prop_map(|inner| of(ExpressionKind::Not(Box::new(inner)))),
        ]
    })
}

pub(super) fn operator() -> impl Strategy<Value = SetOperator> {
    use Relation as R;
    let relation = proptest::sample::select(&[R::Child, R::Parent, R::Descendant, R::Ancestor, R::Sibling][..]);
    let side = proptest::sample::select(&[Side::Right, Side::RightWithout, Side::Both][..]);
    prop_oneof![
        1 => Just(SetOperator::And),
        1 => Just(SetOperator::Or),
        3 => (relation, side).prop_map(|(relation, side)| SetOperator::Related(relation, side)),
    ]
}

fn stage(spansets: impl Strategy<Value = Spansets> + 'static) -> impl Strategy<Value = Stage> {
    let functions =
        proptest::sample::select(&[AggregateFunction::Min, AggregateFunction::Sum, AggregateFunction::Average][..]);
    let aggregate = prop_oneof![
        Just(Aggregate { function: AggregateFunction::Count, argument: None, span: Span::default() }),
        (functions, number_field()).prop_map(|(function, field)| {
            Aggregate { function, argument: Some(of(ExpressionKind::Field(field))), span: Span::default() }
        }),
    ];
    prop_oneof![
        6 => spansets.prop_map(Stage::Spansets),
        1 => attribute_field().prop_map(|field| Stage::Group(of(ExpressionKind::Field(field)))),
        1 => proptest::collection::vec(attribute_field(), 1..3).prop_map(Stage::Select),
        1 => (aggregate, comparison(), number())
            .prop_map(|(aggregate, comparison, value)| Stage::Scalar { aggregate, comparison, value }),
    ]
}

/// Selections, with brackets around pipelines that give one spanset.
fn spansets() -> impl Strategy<Value = Spansets> {
    condition().prop_map(Spansets::Filter).prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            3 => (operator(), inner.clone(), inner.clone()).prop_map(|(operator, left, right)| {
                Spansets::Combined(Box::new(Combined { operator, left, right, span: Span::default() }))
            }),
            1 => (inner.clone(), inner).prop_map(|(first, second)| {
                let stages = vec![Stage::Spansets(first), Stage::Coalesce, Stage::Spansets(second)];
                Spansets::Pipeline(Pipeline { stages })
            }),
        ]
    })
}

/// Queries for traces.
pub(super) fn query() -> impl Strategy<Value = Query> {
    (spansets(), proptest::collection::vec(stage(spansets()), 0..3)).prop_map(|(first, rest)| {
        let stages = std::iter::once(Stage::Spansets(first)).chain(rest).collect();
        Query { text: String::new(), pipeline: Pipeline { stages }, metric: None, arithmetic: None, hints: Vec::new() }
    })
}
