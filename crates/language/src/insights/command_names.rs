//! Names of commands, and how a text begins with one.

/// Commands that a query may start with or continue with.
pub(crate) const COMMANDS: [&str; 36] = [
    "fields",
    "display",
    "filter",
    "filterIndex",
    "where",
    "parse",
    "sort",
    "order by",
    "limit",
    "head",
    "tail",
    "stats",
    "timechart",
    "top",
    "rare",
    "dedup",
    "rename",
    "drop",
    "eval",
    "unnest",
    "fillmissing",
    "filldown",
    "source",
    "sort by",
    "lookup",
    "join",
    "appendcols",
    "mvexpand",
    "addtotals",
    "autoregress",
    "sessionize",
    "outlier",
    "pattern",
    "diff",
    "logcompare",
    "anomaly",
];

pub(super) fn starts_with_command(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '@' | '.')).unwrap_or(text.len());
    let is_by = |rest: &str| rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("by"));
    is_command_word(&text[..end]) || (text[..end].eq_ignore_ascii_case("order") && is_by(text[end..].trim_start()))
}

/// Reports whether a query may start with this word.
pub(crate) fn is_command_word(word: &str) -> bool {
    COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(word))
}
