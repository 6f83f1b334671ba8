//! `/loki/api/v1/patterns`: patterns of the lines that a selector matches, with counts over time.

use execute::Answer;
use plan::PATTERN_COLUMNS;
use serde_json::{Value, json};
use types::Timestamp;

use super::{lines, select, times};
use crate::problem::in_time;
use crate::state::Call;
use door::{Outcome, Reply, Scope};

/// Limit on the patterns of an answer; the most frequent ones are returned.
const PATTERNS_MAX: u64 = 1_000;

/// Default number of counts over time.
const COUNTS: i64 = 100;

pub(crate) fn get(call: Call) -> Outcome {
    let (range, now) = (times::range(&call.parameters, call.server.now())?, call.server.now());
    let text = call.parameters.get("query").unwrap_or_default();
    let log = select::selector(text)?;
    let usual = range.to.0.saturating_sub(range.from.0) / COUNTS;
    let step = call.parameters.get("step").and_then(step).unwrap_or(usual);
    Ok(Reply::query(&call.server, text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let found = lines::finished(&log, log.operators.clone(), Vec::new());
        let plan = execute::patterns_plan(&found, None, step, PATTERNS_MAX);
        let answer = in_time(reading.execute(&plan, &scope, range)?)?;
        Ok(Reply::json(&patterns_json(&answer)))
    }))
}

fn patterns_json(answer: &Answer) -> Value {
    let place = |name: &str| answer.columns.iter().position(|column| column.name == name);
    let (Some(pattern), Some(counts)) = (place(PATTERN_COLUMNS[0]), place(plan::COUNTS_COLUMN)) else {
        return json!({"status": "success", "data": []});
    };
    let shown = |row: &Vec<Option<types::Value>>| {
        // Loki's placeholder for varying parts.
        let text = row[pattern].as_ref().map(|text| text.to_string().replace("<*>", "<_>"));
        json!({"pattern": text, "samples": row[counts].as_ref().map_or_else(Vec::new, samples)})
    };
    json!({"status": "success", "data": answer.rows.iter().map(shown).collect::<Vec<_>>()})
}

/// Parses a step in seconds or with a unit; returns nanoseconds.
fn step(text: &str) -> Option<i64> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    match seconds {
        Some(seconds) => Some((seconds * Timestamp::SECOND as f64) as i64),
        None => match language::parse_baseline(text)? {
            plan::Earlier::Shift(plan::Length::Nanoseconds(length)) => Some(length),
            _ => None,
        },
    }
}

/// Returns pairs of seconds and counts.
fn samples(counts: &types::Value) -> Vec<Value> {
    let types::Value::List(items) = counts else { return Vec::new() };
    let pair = |item: &Option<types::Value>| match item {
        Some(types::Value::List(pair)) => match &pair[..] {
            [Some(types::Value::Timestamp(start)), Some(types::Value::Integer(count))] => {
                Some(json!([start.0.div_euclid(Timestamp::SECOND), count]))
            }
            _ => None,
        },
        _ => None,
    };
    items.iter().filter_map(pair).filter(|pair| pair[1] != 0).collect()
}
