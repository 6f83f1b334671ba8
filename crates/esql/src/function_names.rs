//! Names of functions: those that are supported, and those that Elasticsearch has next to them.

/// A function in each row. Those that are supported have the fewest and most arguments that they take.
const ROWS: &str = include_str!("functions.txt");

/// Returns the functions that are supported, with the fewest and most arguments that they take.
pub(super) fn functions() -> impl Iterator<Item = (&'static str, usize, usize)> {
    ROWS.lines().filter_map(|row| {
        let (name, counts) = row.split_once(' ')?;
        let (fewest, most) = counts.split_once(' ')?;
        Some((name, fewest.parse().ok()?, most.parse().ok()?))
    })
}

/// Reports whether Elasticsearch has a function that is not supported.
pub(super) fn is_refused(name: &str) -> bool {
    ROWS.lines().any(|row| row == name)
}
