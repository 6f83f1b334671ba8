//! What the LogQL grammar could not read, in words for the person who wrote it.

use pest::error::Error;

use super::grammar::Rule;
use plan::{QueryError, Span, nearest, nested_too_deeply, one_of, stop_of};

/// Stages and functions that Loki has and this version refuses.
const TO_COME: [&str; 3] = ["rate_counter", "approx_topk", "distinct"];

const KNOWN: [&str; 47] = [
    "line_format", "label_format", "pattern", "unpack", "decolorize", "keep", "absent_over_time", "stddev_over_time",
    "stdvar_over_time", "label_replace", "stddev", "stdvar", "sort", "sort_desc", "unless", "on", "ignoring",
    "group_left", "drop", "json", "logfmt", "regexp", "unwrap", "sum", "min", "max", "avg", "count", "topk", "bottomk",
    "rate", "count_over_time", "bytes_over_time", "bytes_rate", "sum_over_time", "avg_over_time", "min_over_time",
    "max_over_time", "quantile_over_time", "first_over_time", "last_over_time", "vector", "by", "without", "offset",
    "and", "or",
];

/// Turns the grammar's complaint into an error.
pub(super) fn explain(error: &Error<Rule>, text: &str) -> QueryError {
    let (at, Some(positives)) = stop_of(error) else { return nested_too_deeply(text) };
    if positives.contains(&Rule::condition_sign)
        && let Some(error) = unknown_stage(text, at)
    {
        return error;
    }
    let rest = text.get(at..).unwrap_or_default();
    let word_end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let word = &rest[..word_end];
    let first_bytes = rest.chars().next().map_or(0, char::len_utf8);
    let span = Span { start: at, end: at + word_end.max(first_bytes) };
    let shown: String = rest[..word_end.max(first_bytes)].chars().take(40).collect();
    if TO_COME.contains(&word) {
        return QueryError::new("not-supported-yet", format!("`{word}` does not work yet"), text, span);
    }
    if matches!(rest.chars().next(), Some('"' | '`')) && !rest[1..].contains(&rest[..1]) {
        return QueryError::new("unclosed-text", "this text has no closing quote", text, span);
    }
    let found = if rest.trim().is_empty() { "the query ends".to_owned() } else { format!("`{shown}` stands") };
    let error =
        QueryError::new("syntax", format!("{found} where {} was expected", one_of(positives, kind_of)), text, span);
    match nearest(word, KNOWN).filter(|near| *near != word && word.len() > 1) {
        Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
        None if at == 0 => error.with_hint("a query starts with a selector such as {group=\"app\"}"),
        None => error,
    }
}

/// Words after `|`.
const STAGES: [&str; 11] = [
    "drop", "keep", "json", "logfmt", "regexp", "pattern", "unpack", "decolorize", "line_format", "label_format",
    "unwrap",
];

/// Returns a word after `|` that is no label in a condition: a stage that we do not have, or a misspelt one.
fn unknown_stage(text: &str, at: usize) -> Option<QueryError> {
    let before = text.get(..at)?.trim_end();
    let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
    let word = &before[start..];
    let span = Span { start, end: before.len() };
    if TO_COME.contains(&word) {
        return Some(QueryError::new("not-supported-yet", format!("`{word}` does not work yet"), text, span));
    }
    let near = nearest(word, STAGES)?;
    let error = QueryError::new("unknown-stage", format!("there is no stage `{word}`"), text, span);
    Some(error.with_hint(format!("did you mean \"{near}\"?")))
}

fn kind_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::selector | Rule::log | Rule::range => "a selector such as {group=\"app\"}",
        Rule::metric | Rule::aggregation | Rule::range_call | Rule::vector => "a function such as count_over_time",
        Rule::aggregate_name | Rule::range_name => "a function such as count_over_time",
        Rule::label | Rule::matcher | Rule::condition | Rule::label_filter => "a label",
        Rule::match_sign | Rule::condition_sign => "= != =~ or !~",
        Rule::string => "a text in quotes",
        Rule::quantity | Rule::number => "a number",
        Rule::line_filter | Rule::line_sign => "a line filter such as |= \"text\"",
        Rule::window => "a window such as [5m]",
        Rule::duration | Rule::offset => "a duration such as 5m",
        Rule::binary_sign => "an operator",
        Rule::json | Rule::logfmt | Rule::regexp | Rule::drop | Rule::keep | Rule::unwrap | Rule::pattern => {
            "a stage such as | json"
        }
        Rule::unpack | Rule::decolorize | Rule::line_format | Rule::label_format => "a stage such as | json",
        Rule::grouping => "`by (…)`",
        Rule::arguments | Rule::paren | Rule::open => "`(`",
        Rule::close => "`)`",
        Rule::open_brace => "a selector such as {group=\"app\"}",
        Rule::close_brace => "`}`",
        Rule::close_bracket => "`]`",
        Rule::open_bracket => "a window such as [5m]",
        Rule::comma => "`,`",
        Rule::EOI => "the end",
        _ => return None,
    })
}
