//! The values that parameters of queries and aggregations take. One that cannot be read is an error, as in
//! Elasticsearch; one that would change the answer and is not supported is refused by its name.

use serde_json::{Map, Value as Json};

use crate::search_error::{Result, SearchError};

/// What the value of a parameter must be.
#[derive(Clone, Copy, Debug)]
enum Form {
    Flag,
    Number,
    Object,
    /// One of these words, in any case.
    OneOf(&'static [&'static str]),
    /// One of these is as usual; another one is not supported.
    Usual(&'static [&'static str]),
    /// A limit that is not applied here: a lower one than usual is not supported.
    AtLeast(u64),
    /// A format of dates; numbers are not formatted.
    DateFormat,
}

/// Ways to find the same terms.
const REWRITES: &[&str] = &["constant_score", "constant_score_blended", "constant_score_boolean", "scoring_boolean"];

/// Parameters of queries.
const OF_QUERIES: [(&str, Form); 20] = [
    ("analyze_wildcard", Form::Flag),
    ("auto_generate_synonyms_phrase_query", Form::Flag),
    ("boost", Form::Number),
    ("case_insensitive", Form::Flag),
    ("default_operator", Form::OneOf(&["and", "or"])),
    ("enable_position_increments", Form::Usual(&["true"])),
    ("flags", Form::Usual(&["ALL"])),
    ("fuzzy_max_expansions", Form::AtLeast(50)),
    ("fuzzy_rewrite", Form::OneOf(REWRITES)),
    ("fuzzy_transpositions", Form::Usual(&["true"])),
    ("lenient", Form::Flag),
    ("max_determinized_states", Form::Number),
    ("max_expansions", Form::AtLeast(50)),
    ("operator", Form::OneOf(&["and", "or"])),
    ("prefix_length", Form::Usual(&["0"])),
    ("relation", Form::OneOf(&["contains", "intersects", "within"])),
    ("rewrite", Form::OneOf(REWRITES)),
    ("tie_breaker", Form::Number),
    ("transpositions", Form::Usual(&["true"])),
    ("zero_terms_query", Form::OneOf(&["all", "none"])),
];

/// Parameters of aggregations.
const OF_AGGREGATIONS: [(&str, Form); 25] = [
    ("collect_mode", Form::OneOf(&["breadth_first", "depth_first"])),
    (
        "execution_hint",
        Form::OneOf(&[
            "direct", "fielddata", "global_ordinals", "map", "save_memory_heuristic", "save_time_heuristic",
            "segment_ordinals",
        ]),
    ),
    ("extended_bounds", Form::Object),
    ("format", Form::DateFormat),
    ("hard_bounds", Form::Object),
    ("hdr", Form::Object),
    ("highlight", Form::Object),
    ("jlh", Form::Object),
    ("keyed", Form::Flag),
    ("max_doc_count", Form::Number),
    ("min_doc_count", Form::Number),
    ("missing_bucket", Form::Flag),
    ("other_bucket", Form::Flag),
    ("percentage", Form::Object),
    ("precision", Form::Number),
    ("precision_threshold", Form::Number),
    ("rehash", Form::Flag),
    ("shard_min_doc_count", Form::Usual(&["0"])),
    ("shard_size", Form::Number),
    ("shift", Form::Usual(&["0"])),
    ("show_term_doc_count_error", Form::Flag),
    ("sigma", Form::Number),
    ("size", Form::Number),
    ("tdigest", Form::Object),
    ("value_type", Form::Usual(&["string"])),
];

/// Metrics of numbers, whose `missing` is one, or the text of a date.
const NUMERIC: [&str; 8] = ["avg", "sum", "min", "max", "stats", "extended_stats", "percentiles", "percentile_ranks"];

/// Checks the parameters of a query.
pub(super) fn check_query(members: &Map<String, Json>, at: &str) -> Result<()> {
    check(members, &OF_QUERIES, at)
}

/// Checks the parameters of an aggregation.
pub(super) fn check_aggregation(kind: &str, members: &Map<String, Json>, at: &str) -> Result<()> {
    check(members, &OF_AGGREGATIONS, at)?;
    if kind == "histogram" {
        check(members, &[("offset", Form::Number), ("missing", Form::Number), ("order", Form::Object)], at)?;
    }
    if kind == "date_histogram" && !matches!(members.get("order"), Some(Json::Array(_))) {
        check(members, &[("order", Form::Object)], at)?;
    }
    if let Some(Json::String(text)) = members.get("missing").filter(|_| NUMERIC.contains(&kind))
        && text.trim().parse::<f64>().is_err()
        && plan::date_math::date_value(text).is_none()
    {
        return Err(SearchError::parsing(at, format!("[missing] with [{text:.100}] is no number")));
    }
    Ok(())
}

/// Checks a source of a composite aggregation.
pub fn check_source(kind: &str, options: &Json, at: &str) -> Result<()> {
    let Some(members) = options.as_object() else { return Err(SearchError::parsing(at, "is no object")) };
    let common = ["field", "missing_bucket", "missing_order", "order"];
    let own: &[&str] = match kind {
        "histogram" => &["interval"],
        "date_histogram" => &["calendar_interval", "fixed_interval", "format", "interval", "offset", "time_zone"],
        _ => &[],
    };
    if let Some(other) = members.keys().find(|name| !common.contains(&name.as_str()) && !own.contains(&name.as_str())) {
        return Err(SearchError::parsing(at, format!("[{kind}] [{other}] is not supported")));
    }
    check(members, &OF_AGGREGATIONS, at)?;
    check(members, &[("order", Form::OneOf(&["asc", "desc"]))], at)
}

fn check(members: &Map<String, Json>, forms: &[(&str, Form)], at: &str) -> Result<()> {
    for (name, form) in forms {
        let Some(value) = members.get(*name).filter(|value| !value.is_null()) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is_word = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        let why = match form {
            Form::Flag if !matches!(text.as_str(), "true" | "false") => "only [true] or [false] are allowed",
            Form::Number if text.trim().parse::<f64>().is_err() => "a number is needed",
            Form::Object if !value.is_object() => "an object is needed",
            Form::OneOf(words) if !is_word(words) => "it is unknown or not supported",
            Form::Usual(words) if !is_word(words) => "it is not supported",
            Form::AtLeast(least) if text.trim().parse::<u64>().is_ok_and(|number| number < *least) => {
                "a lower limit than usual is not supported"
            }
            Form::AtLeast(_) if text.trim().parse::<u64>().is_err() => "a number is needed",
            Form::DateFormat if !is_date_format(&text) => "formats of numbers are not supported, only those of dates",
            _ => continue,
        };
        return Err(SearchError::parsing(at, format!("failed to parse [{name}] with value [{text:.100}]: {why}")));
    }
    Ok(())
}

/// Reports whether a format is one of dates: a name, or letters of Java's.
fn is_date_format(text: &str) -> bool {
    text.split("||").all(|format| {
        let is_name = format.contains("date") || format.contains("epoch") || format.contains("time");
        // Letters that stand for parts of a time, and what may be between them.
        let is_sign = |c: char| !c.is_alphabetic() && !matches!(c, '#' | '0');
        let is_letter = |c: char| "GyuYMLdDEeahHKkmsSnXxZzVO'T".contains(c);
        let has_letter = format.contains(|c| "yuMdHhmsE".contains(c));
        is_name || format == "iso8601" || (has_letter && format.chars().all(|c| is_letter(c) || is_sign(c)))
    })
}
