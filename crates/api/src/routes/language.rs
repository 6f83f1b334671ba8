//! `/api/v1/check`, `/api/v1/format`, `/api/v1/translate`: what helps to write a query without running it.

use language::{Language, ParseOptions};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::ask::{self, unknown_language};
use crate::json_body::JsonBody;
use crate::state::Call;
use door::problem::place_json;
use door::{Outcome, Reply, RequestBody, Result, warning_json};

/// A body. The query text in it is at most 64 KiB.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckRequest {
    query: String,
    language: Option<String>,
    time_zone: Option<String>,
}

/// Checks a query without running it: answers its errors and warnings.
pub(crate) fn check(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let request: CheckRequest = of_json(body.bytes(), "{\"query\":\"…\"}")?;
    let options = ParseOptions { now: server.now(), time_zone: ask::time_zone(request.time_zone.as_deref())? };
    let plan = ask::parse(&request.query, request.language.as_deref(), &options);
    let (errors, warnings): (Vec<Value>, Vec<Value>) = match plan {
        Ok(plan) => (Vec::new(), plan.warnings.iter().map(warning_json).collect()),
        Err(problem) if problem.places.is_empty() => return Err(problem),
        Err(problem) => (problem.places.iter().map(place_json).collect(), Vec::new()),
    };
    Ok(Reply::json(&json!({"errors": errors, "warnings": warnings})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatRequest {
    query: String,
}

/// Answers the query in the standard layout.
pub(crate) fn format(_: &Call, body: &RequestBody) -> Outcome {
    let request: FormatRequest = of_json(body.bytes(), "{\"query\":\"…\"}")?;
    Ok(Reply::json(&json!({"query": language::format_insights(&request.query)?})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TranslateRequest {
    query: String,
    language: String,
}

/// Answers a query of another language in Insights QL.
pub(crate) fn translate(_: &Call, body: &RequestBody) -> Outcome {
    let request: TranslateRequest = of_json(body.bytes(), "{\"query\":\"…\",\"language\":\"logql\"}")?;
    let translated = [Language::Logql, Language::Lucene, Language::Kql, Language::FilterPattern];
    let language = translated.into_iter().find(|language| language.name() == request.language);
    let hint = "logql, lucene, kql and filter-pattern can be translated";
    let language = language.ok_or_else(|| unknown_language(&request.language).hint(hint))?;
    let translated = language::translate(&request.query, language)?;
    Ok(Reply::json(&json!({"query": translated, "language": "insights"})))
}

/// Reads a JSON object; `example` is what one looks like.
pub(super) fn of_json<T: DeserializeOwned>(body: &[u8], example: &'static str) -> Result<T> {
    JsonBody { noun: "request of this kind", example }.read(body)
}
