//! Names of commands, and how a text begins with one.

/// Commands that a query may start with or continue with, and what they do, in the order in which people need them.
/// Those of two words are other names.
pub(crate) const COMMANDS: [(&str, &str); 36] = [
    ("filter", "keep what is true"),
    ("stats", "count, average, group"),
    ("fields", "choose and compute columns"),
    ("sort", "order rows"),
    ("limit", "the first rows"),
    ("parse", "take fields out of a text"),
    ("timechart", "aggregates over time"),
    ("top", "the most frequent values"),
    ("rare", "the least frequent values"),
    ("pattern", "clusters of texts"),
    ("display", "the columns shown"),
    ("dedup", "the first row of each value"),
    ("eval", "compute a field"),
    ("rename", "give a field another name"),
    ("drop", "leave fields out"),
    ("tail", "the last rows"),
    ("unnest", "a row for each element of a list"),
    ("mvexpand", "a row for each element of a list"),
    ("source", "the groups asked"),
    ("fillmissing", "rows for empty spans of time"),
    ("filldown", "missing values from the row before"),
    ("diff", "what is new or gone since an earlier window"),
    ("logcompare", "the same in an earlier window"),
    ("anomaly", "what is unusual"),
    ("lookup", "columns of an uploaded table"),
    ("join", "columns of another query"),
    ("appendcols", "columns of another query, row by row"),
    ("addtotals", "sums of rows and columns"),
    ("autoregress", "values of rows before"),
    ("sessionize", "events in sessions"),
    ("outlier", "values far from the others"),
    ("where", "keep what is true"),
    ("head", "the first rows"),
    ("filterIndex", "keep what is true"),
    ("sort by", ""),
    ("order by", ""),
];

pub(super) fn starts_with_command(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '@' | '.')).unwrap_or(text.len());
    let is_by = |rest: &str| rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("by"));
    is_command_word(&text[..end]) || (text[..end].eq_ignore_ascii_case("order") && is_by(text[end..].trim_start()))
}

/// Reports whether a query may start with this word.
pub(crate) fn is_command_word(word: &str) -> bool {
    names().any(|command| command.eq_ignore_ascii_case(word))
}

/// Returns the names of all commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}
