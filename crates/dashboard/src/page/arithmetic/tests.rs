//! Series computed point by point.

use super::*;

fn series(labels: &[(&str, &str)], points: &[(i64, f64)]) -> PanelSeries {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PanelSeries { name: "n".to_owned(), labels, points: points.to_vec(), ..PanelSeries::default() }
}

#[test]
fn series_with_equal_labels_are_computed_point_by_point() {
    let a = vec![series(&[("h", "x")], &[(0, 1.0), (1, 2.0)]), series(&[("h", "y")], &[(0, 5.0)])];
    let b = vec![series(&[("h", "x")], &[(0, 4.0), (1, 0.0)])];
    let of = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
    let percent = evaluated("a / b * 100", &of).expect("an expression");
    assert_eq!(percent, [series(&[("h", "x")], &[(0, 25.0)])]);
    let negated = evaluated("-a", &of).expect("an expression");
    assert_eq!(negated[1].points, [(0, -5.0)]);
    assert_eq!(evaluated("1 + 1", &of).expect("an expression")[0].points, [(0, 2.0), (1, 2.0)]);
    let total = vec![series(&[], &[(0, 10.0)])];
    let of = BTreeMap::from([("a".to_owned(), of["a"].clone()), ("b".to_owned(), total)]);
    assert_eq!(evaluated("a / b", &of).expect("an expression").len(), 2);
    assert!(evaluated("a /", &of).is_err());
}

const MINUTE: i64 = 60_000;

/// Returns the only series that an expression over `a` and `b` gives.
fn only(expression: &str, a: &PanelSeries, b: &PanelSeries) -> PanelSeries {
    let of = BTreeMap::from([("a".to_owned(), vec![a.clone()]), ("b".to_owned(), vec![b.clone()])]);
    let mut results = evaluated(expression, &of).expect("an expression");
    assert_eq!(results.len(), 1, "{expression}");
    results.remove(0)
}

#[test]
fn a_point_at_the_end_of_a_bin_is_computed_with_the_point_at_its_start() {
    let counts = series(&[], &[(0, 1.0), (MINUTE, 10.0), (2 * MINUTE, 1.0)]);
    let rates = series(&[], &[(0, 7.0), (MINUTE, 10.0), (2 * MINUTE, 100.0)]);
    let rates = PanelSeries { lag_ms: MINUTE, ..rates };
    // The last bin has no point yet.
    let expected = series(&[], &[(0, 10.0), (MINUTE, 10.0)]);
    assert_eq!(only("a / b * 100", &counts, &rates), expected);
    assert_eq!(only("b / a", &counts, &rates), expected);
    // Points at ends are computed with each other as they are.
    assert_eq!(only("(b + b) / 2", &counts, &rates), rates);
    assert_eq!(only("a / (b / b)", &counts, &rates).points, counts.points[..2]);
    assert_eq!(only("a / (-b + 1)", &counts, &rates).points.len(), 2);
    // A lone bin keeps its time.
    let lone = PanelSeries { timing: Timing::Instant(MINUTE), ..series(&[], &[(0, 10.0)]) };
    assert_eq!(only("a / b", &lone, &rates), series(&[], &[(MINUTE, 0.1)]));
}

#[test]
fn a_value_without_a_time_counts_for_every_time() {
    let total = PanelSeries { timing: Timing::Timeless, ..series(&[], &[(0, 30.0)]) };
    let rates = PanelSeries { lag_ms: MINUTE, ..series(&[], &[(MINUTE, 10.0), (2 * MINUTE, 15.0)]) };
    let ratio = only("a / b", &total, &rates);
    assert_eq!(ratio, PanelSeries { points: vec![(MINUTE, 3.0), (2 * MINUTE, 2.0)], ..rates.clone() });
    assert_eq!(only("b / a * 30", &total, &rates), rates);
    assert_eq!(only("a / a", &total, &rates).points, [(0, 1.0)]);
    let [early, late] =
        [MINUTE, 9 * MINUTE].map(|at| PanelSeries { timing: Timing::Instant(at), ..series(&[], &[(0, 6.0)]) });
    assert_eq!(only("a / b", &early, &late).points, [(0, 1.0)]);
    assert_eq!(only("a / b", &total, &late), PanelSeries { points: vec![(0, 5.0)], ..late.clone() });
}

#[test]
fn an_expression_without_a_value_says_why() {
    let why = |a: &[PanelSeries], b: &[PanelSeries]| {
        let of = BTreeMap::from([("a".to_owned(), a.to_vec()), ("b".to_owned(), b.to_vec())]);
        why_no_value("a / b", &evaluated("a / b", &of).expect("an expression"), &of)
    };
    let one = |label: &str, ms: i64| series(&[("s", label)], &[(ms, 1.0)]);
    assert_eq!(why(&[one("x", 0)], &[one("x", 0)]), None);
    assert_eq!(why(&[one("x", 0)], &[]), Some(NoValue::Empty("b".to_owned())));
    assert_eq!(why(&[one("x", 0), one("z", 0)], &[one("y", 0)]), Some(NoValue::Labels));
    assert_eq!(why(&[one("x", 0)], &[one("x", 1)]), Some(NoValue::Times));
    let text = NoValue::Empty("b".to_owned()).text(Locale::Indonesian);
    assert_eq!(text, "Ekspresi tidak punya nilai: kueri b tidak menemukan angka dalam rentang ini.");
}
