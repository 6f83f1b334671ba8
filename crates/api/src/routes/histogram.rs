//! `/api/v1/histogram`: how many events match, by bucket of time and by a field.

use serde_json::json;

use crate::ask::{Ask, PARAMETERS};
use crate::state::Call;
use door::query_run::{complete, damages};
use door::{Outcome, Reply, reason_json, stats_json};

/// Buckets where none are asked for, and at most: a screen has no more columns than a thousand.
const BUCKETS_DEFAULT: usize = 100;
const BUCKETS_MAX: usize = 1_000;

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&[&PARAMETERS[..], &["buckets", "by"]].concat())?;
    let n_buckets = parameters.number("buckets")?.unwrap_or(BUCKETS_DEFAULT).clamp(1, BUCKETS_MAX);
    let by = parameters.get("by").unwrap_or("@level").to_owned();
    let ask = Ask::of_parameters(&parameters)?;
    let (text, now) = (ask.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let question = ask.check(now)?;
        let snapshot = reading.snapshot(&question.scope.groups, question.range);
        let progress = |stats: &execute::Stats| reading.note(stats);
        let request = reading.request(question.range, &question.scope, &progress);
        let answered = reading.answered(&question.plan, &question.scope.groups, &request)?;
        let mut histogram = execute::histogram(&answered.plan, &snapshot.runs, &request, n_buckets, &by)?;
        histogram.partial_reasons.extend(answered.partial_reasons);
        complete(&mut histogram.stats, &snapshot);
        histogram.partial_reasons.extend(damages(&snapshot));
        let bucket = |bucket: &execute::Bucket| {
            let (from, to) = (bucket.range.from.to_string(), bucket.range.to.to_string());
            json!({"from": from, "to": to, "total": bucket.total, "by": bucket.by})
        };
        Ok(Reply::json(&json!({
            "buckets": histogram.buckets.iter().map(bucket).collect::<Vec<_>>(),
            "interval_ms": histogram.interval_ns as f64 / 1e6,
            "stats": stats_json(&histogram.stats),
            "partial": !histogram.partial_reasons.is_empty(),
            "partial_reasons": histogram.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })))
    }))
}
