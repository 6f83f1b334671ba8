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
mod tests;
