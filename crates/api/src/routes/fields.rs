//! `/api/v1/fields`: which fields the events have that match, and the most frequent values of one.

use serde_json::json;

use crate::ask::{Ask, PARAMETERS};
use crate::state::Call;
use door::query_run::{complete, damages};
use door::{Outcome, Reply, reason_json, stats_json};

/// Values where none are asked for, and at most.
const VALUES_DEFAULT: usize = 10;
const VALUES_MAX: usize = 1_000;

/// Most fields of one answer; of more, those that most events have.
const FIELDS_MAX: usize = 10_000;

pub(crate) fn list(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["query", "language", "groups", "group", "from", "to", "prefix", "time_zone"])?;
    let ask = Ask::of_parameters(&parameters)?;
    let prefix = parameters.get("prefix").unwrap_or_default().to_owned();
    let (text, now) = (ask.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let question = ask.check(now)?;
        let snapshot = reading.snapshot(&question.scope.groups, question.range);
        let progress = |stats: &execute::Stats| reading.note(stats);
        let request = reading.request(question.range, &question.scope, &progress);
        let answered = reading.answered(&question.plan, &question.scope.groups, &request)?;
        let mut found = execute::matched_fields(&answered.plan, &snapshot.runs, &request)?;
        found.partial_reasons.extend(answered.partial_reasons);
        found.fields.retain(|field| field.name.starts_with(&prefix));
        found.partial_reasons.extend(damages(&snapshot));
        let more = found.fields.len() > FIELDS_MAX;
        if more {
            found.fields.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
            found.fields.truncate(FIELDS_MAX);
            found.fields.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let field = |field: &execute::FieldSummaryRow| {
            json!({
                "name": field.name, "types": field.types, "events": field.n_events, "share": field.share,
                "distinct": field.n_distinct, "approximate": field.approximate,
            })
        };
        Ok(Reply::json(&json!({
            "fields": found.fields.iter().map(field).collect::<Vec<_>>(),
            "events": found.n_events,
            "more": more,
            "partial": !found.partial_reasons.is_empty(),
            "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })))
    }))
}

pub(crate) fn values(Call { server, parameters, path: [name, _], .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let limit = parameters.number("limit")?.unwrap_or(VALUES_DEFAULT).clamp(1, VALUES_MAX);
    let ask = Ask::of_parameters(&parameters)?;
    let (text, now) = (ask.query.clone(), server.now());
    Ok(Reply::query(&server, &text, move |reading| {
        let question = ask.check(now)?;
        let snapshot = reading.snapshot(&question.scope.groups, question.range);
        let progress = |stats: &execute::Stats| reading.note(stats);
        let request = reading.request(question.range, &question.scope, &progress);
        let answered = reading.answered(&question.plan, &question.scope.groups, &request)?;
        let mut found = execute::field_values(&answered.plan, &snapshot.runs, &request, &name, limit)?;
        found.partial_reasons.extend(answered.partial_reasons);
        complete(&mut found.stats, &snapshot);
        found.partial_reasons.extend(damages(&snapshot));
        let value = |one: &execute::ValueCount| json!({"value": crate::json::value_json(&one.value), "count": one.count, "share": one.share});
        Ok(Reply::json(&json!({
            "values": found.values.iter().map(value).collect::<Vec<_>>(),
            "distinct": found.n_distinct, "total": found.n_events,
            "stats": stats_json(&found.stats),
            "partial": !found.partial_reasons.is_empty(),
            "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })))
    }))
}
