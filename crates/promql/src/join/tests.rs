//! Series of several parts.

use super::*;
use crate::{Labels, Sample, Value};

fn row(name: &str, times: &[i64]) -> Row {
    let sample = |time: &i64| Sample { time: *time, value: Value::Float(*time as f64) };
    Row { labels: Labels::new([("__name__", name)]), samples: times.iter().map(sample).collect() }
}

#[test]
fn series_of_parts_become_one_each_in_order() {
    let parts = [
        vec![row("b", &[1]), row("d", &[1, 2])],
        vec![row("a", &[3]), row("b", &[3, 4]), row("c", &[4])],
        vec![],
        vec![row("d", &[7]), row("e", &[7])],
    ];
    let together = joined(parts.iter().map(Vec::as_slice));
    let expected = [row("a", &[3]), row("b", &[1, 3, 4]), row("c", &[4]), row("d", &[1, 2, 7]), row("e", &[7])];
    assert_eq!(together, expected);
    assert_eq!(joined([]), []);
}
