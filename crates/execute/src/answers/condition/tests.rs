//! Tests of `condition`.

use super::*;
use language::{ParseOptions, parse_insights};
use plan::Operator;

fn condition(text: &str) -> Expr {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
    let plan = parse_insights(text, &options).expect("a query");
    let of = |operator: &Operator| if let Operator::Filter(expr) = operator { Some(expr.clone()) } else { None };
    let filters = plan.operators().iter().filter_map(of);
    filters.reduce(|a, b| Expr::And(Box::new(a), Box::new(b))).expect("a filter")
}

#[test]
fn two_long_lists_of_one_condition_are_two() {
    let list = |of: &str| (0..12).map(|n| format!("\"{of}{n}\"")).collect::<Vec<_>>().join(", ");
    let condition = condition(&format!("filter y in [{}] and x in [{}]", list("b"), list("c")));
    let row = |of: [&str; 2]| of.map(|text| Some(Value::text(text))).to_vec();
    let rows = [row(["c3", "b4"]), row(["c3", "c4"]), row(["b3", "b4"]), row(["c3", "-"])];
    let names = ["x", "y"].map(Name::from);
    assert_eq!(holds_for(&condition, &names, &rows, Timestamp(0)), [true, false, false, false]);
}

#[test]
fn a_condition_holds_for_the_rows_that_a_filter_would_keep() {
    let condition = condition("filter value > 5 and host like \"web\" and not ispresent(gone)");
    let row = |host: &str, value: Option<f64>| vec![Some(Value::text(host)), value.map(Value::Float)];
    let rows = [row("web-1", Some(7.0)), row("web-2", Some(5.0)), row("db", Some(9.0)), row("web-3", None)];
    let found = holds_for(&condition, &["host".into(), "value".into()], &rows, Timestamp(0));
    assert_eq!(found, [true, false, false, false]);
    assert!(holds_for(&condition, &[], &[], Timestamp(0)).is_empty());
}
