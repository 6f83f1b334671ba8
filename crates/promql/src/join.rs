//! Answers over parts of a range, put together.

use std::cmp::Ordering;

use crate::answer::Row;

/// Puts the series of parts of a range together, which follow each other in time; those of each part are in order of their labels.
pub fn joined<'r>(parts: impl IntoIterator<Item = &'r [Row]>) -> Vec<Row> {
    parts.into_iter().fold(Vec::new(), with_later)
}

fn with_later(rows: Vec<Row>, later: &[Row]) -> Vec<Row> {
    let mut together = Vec::with_capacity(rows.len().max(later.len()));
    let mut later = later.iter().peekable();
    for mut row in rows {
        while let Some(new) = later.next_if(|new| new.labels < row.labels) {
            together.push(new.clone());
        }
        if let Some(more) = later.next_if(|more| more.labels.cmp(&row.labels) == Ordering::Equal) {
            row.samples.extend_from_slice(&more.samples);
        }
        together.push(row);
    }
    together.extend(later.cloned());
    together
}

#[cfg(test)]
mod tests {
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
}
