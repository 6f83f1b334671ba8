//! `/api/v1/patterns`: which messages there are, how often, when first and last, and what has changed since an earlier
//! time.

use execute::Answer;
use serde_json::{Map, Value, json};

use crate::ask::{Ask, PARAMETERS};
use crate::state::Call;
use door::{Outcome, Problem, Reply, Result, reason_json, stats_json};

/// Patterns where the request does not say how many, and at most.
const PATTERNS_DEFAULT: usize = 1_000;
const PATTERNS_MAX: usize = 10_000;

/// Counts over time of each pattern, about: as many as a small chart can show.
const COUNTS: i64 = 48;

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&[&PARAMETERS[..], &["baseline"]].concat())?;
    let earlier = parameters.get("baseline").filter(|baseline| !baseline.is_empty()).map(earlier).transpose()?;
    let ask = Ask::of_parameters(&parameters)?;
    let n_patterns = ask.limit.unwrap_or(PATTERNS_DEFAULT).min(PATTERNS_MAX);
    let (text, now) = (ask.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let question = ask.check(now)?;
        // One more than shown tells whether there are more.
        let length = question.range.to.0.saturating_sub(question.range.from.0) / COUNTS;
        let plan = execute::patterns_plan(&question.plan, earlier, length, n_patterns as u64 + 1);
        let answer = reading.execute(&plan, &question.scope, question.range)?;
        let patterns: Vec<Value> = answer.rows.iter().take(n_patterns).map(|row| pattern(&answer, row)).collect();
        Ok(Reply::json(&json!({
            "patterns": patterns,
            "more": answer.rows.len() > n_patterns,
            "stats": stats_json(&answer.stats),
            "partial": !answer.partial_reasons.is_empty(),
            "partial_reasons": answer.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })))
    }))
}

/// Reads the name of an earlier time.
pub(super) fn earlier(baseline: &str) -> Result<plan::Earlier> {
    language::parse_baseline(baseline).ok_or_else(|| {
        let problem = Problem::bad_request("bad-baseline", format!("baseline {baseline:?} is no earlier time"));
        problem.hint("use previous, previousDay, previousWeek, previousMonth, or a length of time such as 7d")
    })
}

/// Patterns have texts and numbers.
fn plain(value: &types::Value) -> Value {
    match value {
        types::Value::Integer(number) => json!(number),
        types::Value::Float(number) => json!(number),
        types::Value::List(items) => items.iter().map(|item| item.as_ref().map_or(Value::Null, plain)).collect(),
        other => Value::String(other.to_string()),
    }
}

/// Returns a pattern under the names of the API.
fn pattern(answer: &Answer, row: &[Option<types::Value>]) -> Value {
    let mut shown = Map::new();
    for (column, value) in answer.columns.iter().zip(row) {
        let name = match &*column.name {
            "@sampleCount" => "count",
            "@severityLabel" => "level",
            "@patternId" => "id",
            "@firstId" => "first_id",
            other => other.trim_start_matches('@'),
        };
        shown.insert(name.into(), value.as_ref().map_or(Value::Null, plain));
    }
    let description = shown.get("description").and_then(Value::as_str);
    // `up 8×` is `up`.
    let change = description.and_then(|text| text.split(' ').next()).map(str::to_owned);
    if let Some(change) = change {
        shown.insert("change".into(), Value::String(change));
    }
    Value::Object(shown)
}
