//! Conditions of one meaning in one form.

use super::*;
use crate::regular_expression::compile_regex;

fn field(name: &str) -> Box<Expr> {
    Box::new(Expr::Field(name.into()))
}

fn like(name: &str, pattern: &str, ignores_case: bool) -> Expr {
    let regex = compile_regex(pattern, ignores_case).expect("a regular expression");
    Expr::Match(field(name), TextPattern::Regex(regex))
}

fn text(text: &str) -> Expr {
    Expr::Literal(Some(Value::text(text)))
}

fn shown(condition: Expr) -> String {
    format!("{:?}", condition_of(condition, true))
}

#[test]
fn what_holds_a_text_is_spelled_alike() {
    let wanted = shown(Expr::Match(field("f"), TextPattern::Substring("a b".into())));
    assert_eq!(shown(Expr::Call(Function::Contains, vec![*field("f"), text("a b")])), wanted);
    assert_eq!(shown(like("f", "a b", false)), wanted);
    for (pattern, ignores_case) in [("a b", true), ("a.b", false), ("^a b", false), ("a|b", false), ("", false)] {
        assert_eq!(shown(like("f", pattern, ignores_case)), format!("{:?}", like("f", pattern, ignores_case)));
    }
    let ignoring = regex::RegexBuilder::new("a b").case_insensitive(true).build().expect("a regular expression");
    assert!(literal(&ignoring).is_none(), "case may be ignored without the text saying so");
    assert_eq!(shown(Expr::Call(Function::Contains, vec![*field("@any"), text("a")])).matches("Call").count(), 1);
}

#[test]
fn one_of_one_is_equal() {
    let wanted = shown(Expr::Compare(Comparison::Equal, field("f"), Box::new(text("x"))));
    assert_eq!(shown(Expr::In(field("f"), vec![text("x")])), wanted);
    assert!(shown(Expr::In(field("f"), vec![text("x"), text("y")])).starts_with("In"));
    assert!(shown(Expr::In(field("f"), vec![Expr::Literal(None)])).starts_with("In"));
}

#[test]
fn what_counts_every_row_is_a_count() {
    let filter = |condition| Operator::Filter(condition);
    let has = |name: &str| filter(Expr::Call(Function::IsPresent, vec![*field(name)]));
    let stats = |kind, argument: Expr, is_grouped: bool| Operator::Aggregate {
        by: if is_grouped { vec![("g".into(), *field("g"))] } else { Vec::new() },
        aggregates: vec![Aggregate { name: "n".into(), kind, argument: Some(argument) }],
    };
    let counts_all = |operators: Vec<Operator>| match respelled(operators).pop() {
        Some(Operator::Aggregate { aggregates, .. }) => {
            aggregates[0].kind == AggregateKind::Count && aggregates[0].argument.is_none()
        }
        _ => false,
    };
    let one = || Expr::Literal(Some(Value::Integer(1)));
    assert!(counts_all(vec![stats(AggregateKind::Sum, one(), true)]));
    assert!(!counts_all(vec![stats(AggregateKind::Sum, one(), false)]));
    assert!(!counts_all(vec![stats(AggregateKind::Count, *field("f"), true)]));
    assert!(counts_all(vec![has("f"), stats(AggregateKind::Count, *field("f"), true)]));
    assert!(!counts_all(vec![has("g"), stats(AggregateKind::Count, *field("f"), true)]));
    let unlike = filter(Expr::Compare(Comparison::NotEqual, field("f"), Box::new(text("x"))));
    assert!(!counts_all(vec![unlike, stats(AggregateKind::Count, *field("f"), true)]));
    assert!(counts_all(vec![stats(AggregateKind::Count, *field("@message"), false)]));
    // What an aggregation makes has no message.
    let twice =
        vec![stats(AggregateKind::Count, *field("f"), true), stats(AggregateKind::Count, *field("@message"), true)];
    assert!(!counts_all(twice));
    assert!(matches!(&respelled(vec![has("@message")])[..], [Operator::Filter(Expr::Literal(Some(_)))]));
    let after = respelled(vec![stats(AggregateKind::Sum, one(), true), has("@message")]);
    assert!(matches!(after.last(), Some(Operator::Filter(Expr::Call(..)))));
}
