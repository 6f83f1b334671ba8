//! Patterns of Insights: regular expressions within limits, globs, lengths of time.

use plan::{Length, ParseMethod, QueryError, Result, Span, compile_regex};
use std::sync::Arc;

use regex::Regex;
use types::Timestamp;

use super::syntax::{Name, Pattern};

/// Compiles a pattern of a query, with the place of a mistake in the query.
pub(crate) fn regex(pattern: &Pattern, text: &str) -> Result<Regex> {
    compile_regex(&pattern.text, pattern.ignores_case).map_err(|(message, offset)| {
        let start = pattern.span.start + 1 + offset_as_written(&pattern.text, offset);
        let span = Span { start: start.min(pattern.span.end.saturating_sub(1)), end: pattern.span.end };
        QueryError::new("bad-regex", message, text, span)
    })
}

/// Slashes were written with a backslash, which the source no longer has.
fn offset_as_written(source: &str, offset: usize) -> usize {
    offset + source.get(..offset).unwrap_or_default().matches('/').count()
}

/// Returns a glob: as many names as stars.
pub(crate) fn glob(text: &str, names: &[Name], span: Span, query: &str) -> Result<ParseMethod> {
    let literals: Vec<String> = text.split('*').map(str::to_owned).collect();
    let n_stars = literals.len() - 1;
    if n_stars == 0 {
        return Err(QueryError::new("no-star", "this text has no star, so nothing is taken out of it", query, span)
            .with_hint("write * for each field, such as \"user=* \" as user"));
    }
    if n_stars != names.len() {
        let message = format!("this text has {}, but {} given", count_of(n_stars, "star"), names_given(names.len()));
        return Err(QueryError::new("names-and-stars", message, query, span)
            .with_hint("name every star after `as`, such as \"* [*]\" as time, level"));
    }
    Ok(ParseMethod::Glob { literals, names: names.iter().map(|name| Arc::from(&*name.text)).collect() })
}

fn count_of(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn names_given(n: usize) -> String {
    format!("{} {}", count_of(n, "name"), if n == 1 { "is" } else { "are" })
}

/// Why a length of time could not be read.
pub(crate) enum BadLength {
    Unit(String),
    Size,
}

/// Returns a length of time such as `5m`, `2hrs` or `1mo`.
pub(crate) fn length(written: &str) -> Result<Length, BadLength> {
    let unit_at = written.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(written.len());
    let (number, unit) = written.split_at(unit_at);
    let months = |n: u32| number.parse::<u32>().ok().and_then(|count| count.checked_mul(n)).filter(|m| *m > 0);
    let nanoseconds = match &*unit.to_lowercase() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => Timestamp::SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => Timestamp::MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => Timestamp::HOUR,
        "d" | "day" | "days" => Timestamp::DAY,
        "w" | "wk" | "wks" | "week" | "weeks" => 7 * Timestamp::DAY,
        "mo" | "mon" | "mons" | "month" | "months" => return months(1).map(Length::Months).ok_or(BadLength::Size),
        "q" | "qtr" | "qtrs" | "quarter" | "quarters" => return months(3).map(Length::Months).ok_or(BadLength::Size),
        "y" | "yr" | "yrs" | "year" | "years" => return months(12).map(Length::Months).ok_or(BadLength::Size),
        _ => return Err(BadLength::Unit(unit.to_owned())),
    };
    let total = match number.parse::<i64>() {
        Ok(count) => count.checked_mul(nanoseconds),
        // A fraction; the cast saturates, and the comparison refuses what would not fit.
        Err(_) => {
            number.parse::<f64>().ok().map(|count| count * nanoseconds as f64).filter(|n| *n < 9e18).map(|n| n as i64)
        }
    };
    total.filter(|total| *total > 0).map(Length::Nanoseconds).ok_or(BadLength::Size)
}

#[cfg(test)]
mod tests;
