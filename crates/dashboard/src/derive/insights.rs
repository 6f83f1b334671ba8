//! Writes pieces of queries in Insights QL and PromQL.

/// Writes the name of a field.
pub(super) fn field(name: &str) -> String {
    let is_plain = name.bytes().enumerate().all(|(at, b)| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
        b'@' => at == 0,
        b'0'..=b'9' | b'.' => at > 0,
        _ => false,
    });
    if is_plain { name.to_owned() } else { format!("`{name}`") }
}

/// Escapes a text for a regular expression.
pub(super) fn escaped(text: &str) -> String {
    regex_syntax::escape(text)
}

/// Writes a regular expression between slashes.
pub(super) fn regex(pattern: &str) -> String {
    format!("/{}/", pattern.replace('/', "\\/"))
}

/// Writes percentiles of a number: `pct(took, 50) as p50, …`.
pub(super) fn percentiles(number: &str) -> String {
    [50, 95, 99].map(|percent| format!("pct({number}, {percent}) as p{percent}")).join(", ")
}

/// Writes how many events meet a condition.
pub(super) fn count_if(condition: &str) -> String {
    format!("sum(if({condition}, 1, 0))")
}

/// Writes the share of events that meet a condition, in percent.
pub(super) fn percent_if(condition: &str) -> String {
    format!("{} * 100 / count(*)", count_if(condition))
}
