//! Series that belong together.

use super::*;

fn series(labels: &[(&str, &str)], points: &[(i64, f64)]) -> Series {
    Series {
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), Some(Value::text(*value)))).collect(),
        points: points.iter().map(|(time, value)| (Timestamp(*time), *value)).collect(),
        exemplars: Vec::new(),
    }
}

fn check(operator: ArithmeticOperator, left: Computed, right: Computed, expected: &[Series]) {
    let Computed::Series(found) = joined(operator, left, right) else { panic!("series") };
    assert_eq!(found, expected);
}

#[test]
fn series_with_the_same_labels_belong_together_and_one_without_belongs_to_all() {
    use ArithmeticOperator::{Divide, Subtract};
    let errors = || vec![series(&[("s", "a")], &[(1, 2.0), (3, 1.0)]), series(&[("s", "c")], &[(1, 1.0)])];
    let all = || vec![series(&[("s", "a")], &[(1, 4.0), (2, 5.0)]), series(&[("s", "b")], &[(1, 9.0)])];
    let share = series(&[("s", "a")], &[(1, 0.5), (2, 0.0)]);
    check(Divide, Computed::Series(errors()), Computed::Series(all()), &[share]);
    let total = || Computed::Series(vec![series(&[("__name__", "rate")], &[(1, 8.0), (2, 10.0)])]);
    let shares = [series(&[("s", "a")], &[(1, 0.5), (2, 0.5)]), series(&[("s", "b")], &[(1, 1.125), (2, 0.0)])];
    check(Divide, Computed::Series(all()), total(), &shares);
    let rest = [series(&[("s", "a")], &[(1, 4.0), (2, 5.0)]), series(&[("s", "b")], &[(1, -1.0), (2, 10.0)])];
    check(Subtract, total(), Computed::Series(all()), &rest);
    check(Divide, total(), total(), &[series(&[("__name__", "(rate / rate)")], &[(1, 1.0), (2, 1.0)])]);
    check(Divide, Computed::Series(Vec::new()), total(), &[]);
}

#[test]
fn numbers_are_joined_with_each_point() {
    use ArithmeticOperator::{Divide, Multiply};
    let rate = || Computed::Series(vec![series(&[("__name__", "rate")], &[(1, 0.0), (2, 4.0)])]);
    let percent = series(&[("__name__", "(100.0 * rate)")], &[(1, 0.0), (2, 400.0)]);
    check(Multiply, Computed::Number(100.0), rate(), &[percent]);
    check(Divide, Computed::Number(1.0), rate(), &[series(&[("__name__", "(1.0 / rate)")], &[(2, 0.25)])]);
    check(Divide, rate(), Computed::Number(0.0), &[]);
    let nothing = joined(Divide, Computed::Number(1.0), Computed::Number(0.0));
    check(Multiply, rate(), nothing, &[]);
}
