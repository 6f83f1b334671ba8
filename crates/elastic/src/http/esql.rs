//! `_query`: ES|QL, answered as JSON, CSV, TSV or text.
//!
//! A query is checked against the types of `_mapping` in one snapshot, and runs over the range of its conditions. A key
//! sees the columns and events of its own groups only.

mod form;

use std::time::Instant;

use axum::http::{HeaderValue, StatusCode, header};
use chrono_tz::Tz;
use esql::{CheckedQuery, Parameters, Schema, Statement};
use execute::{Answer, PartialReason};
use language::dsl::parse_query;
use serde_json::{Map, Value as Json_, json};
use types::{GroupPattern, TimeRange, Timestamp, ensure};

use self::form::{Form, Table};
use super::errors::NOT_SUPPORTED;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::mappings;
use super::search_run::{SearchRun, query};
use super::state::Call;
use door::{Outcome, Problem, Reply, Result, Scope};

/// Members of a request without an effect.
const HARMLESS: [&str; 4] =
    ["include_ccs_metadata", "include_execution_metadata", "keep_alive", "wait_for_completion_timeout"];

/// A request that was read.
struct Question {
    statement: Statement,
    /// In the query DSL, read once it is known which indices the query is about.
    filter: Option<Json_>,
    now: Timestamp,
}

/// Whether the client waits for the answer or may fetch it later. Either is answered at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerMode {
    Synchronous,
    Asynchronous,
}

/// Answers a query.
pub(super) fn synchronous(call: Call, body: Json_) -> Outcome {
    answer(call, &body, AnswerMode::Synchronous)
}

/// Answers a query that may be answered later; this one is at once.
pub(super) fn asynchronous(call: Call, body: Json_) -> Outcome {
    answer(call, &body, AnswerMode::Asynchronous)
}

fn answer(Call { server, parameters, parts, .. }: Call, body: &Json_, timing: AnswerMode) -> Outcome {
    let started = Instant::now();
    let form = Form::of(&parameters, &parts.headers)?;
    let (question, is_columnar) = question(body, server.now(), timing)?;
    if is_columnar && !form.is_json() {
        let message = "Invalid use of [columnar] argument: cannot be used in combination with [txt, csv, tsv] formats";
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    let drops_empty = parameters.flag("drop_null_columns")?;
    query(&server, body["query"].as_str().unwrap_or_default(), move |reading| {
        let (checked, answer) = run(reading, &question)?;
        let partial = answer.partial_reasons.first();
        if let Some(reason) = partial.filter(|_| parameters.get("allow_partial_results") == Some("false")) {
            return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", reason.message.clone()));
        }
        let table = Table { columns: &checked.columns, rows: &answer.rows };
        let mut reply = match form {
            Form::Json => {
                let mut members = Map::new();
                if timing == AnswerMode::Asynchronous {
                    members.insert("is_running".into(), json!(false));
                }
                members.insert("took".into(), json!(started.elapsed().as_millis() as u64));
                members.insert("is_partial".into(), json!(partial.is_some()));
                table.add_json(&mut members, is_columnar, drops_empty);
                Paths::of(&parameters).reply(Json_::Object(members))?
            }
            form => Reply::content(form.content_type(), table.text(&form)),
        };
        for warning in warnings(&checked, &answer.partial_reasons) {
            reply = reply.with_header(header::WARNING, warning);
        }
        Ok(reply)
    })
}

/// Returns warnings as headers.
fn warnings(checked: &CheckedQuery, reasons: &[PartialReason]) -> Vec<HeaderValue> {
    let texts = checked.warnings.iter().chain(reasons.iter().map(|reason| &reason.message));
    let header = |text: &String| {
        let text: String = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
        HeaderValue::try_from(format!("299 Elasticsearch-catat \"{}\"", text.replace('"', "\\\""))).ok()
    };
    texts.filter_map(header).collect()
}

/// Reads a request, and whether values are requested by columns.
fn question(body: &Json_, now: Timestamp, timing: AnswerMode) -> Result<(Question, bool)> {
    let Some(members) = body.as_object() else {
        return Err(Problem::bad_request("parsing_exception", "the body is not an object"));
    };
    let is_async = timing == AnswerMode::Asynchronous;
    let refused = |what: String| Problem::bad_request("illegal_argument_exception", what);
    let mut is_columnar = false;
    let mut parameters = Parameters::default();
    let mut filter = None;
    for (name, value) in members {
        let is_usual = match name.as_str() {
            "query" => true,
            "columnar" => {
                is_columnar = value == true || value == "true";
                value.is_boolean() || value == "true" || value == "false"
            }
            "params" => {
                parameters =
                    Parameters::read(value).map_err(|error| Problem::bad_request("parsing_exception", error))?;
                true
            }
            "filter" => {
                filter = (!value.is_null()).then(|| value.clone());
                true
            }
            "locale" => value.as_str().is_some_and(|locale| locale.to_ascii_lowercase().starts_with("en")),
            "time_zone" => matches!(value.as_str(), Some("UTC" | "Z")),
            "profile" => value == false,
            "keep_on_completion" if is_async => value == false,
            name if HARMLESS.contains(&name) => is_async || name.starts_with("include_"),
            "tables" | "pragma" | "accept_pragma_risks" => value.is_null(),
            name => {
                let message = format!("[1:1] [esql/query] unknown field [{name}]");
                return Err(Problem::bad_request("x_content_parse_exception", message));
            }
        };
        ensure!(is_usual, refused(format!("[{name}] with [{value:.100}] {NOT_SUPPORTED}")));
    }
    let Some(text) = members.get("query").and_then(Json_::as_str).filter(|text| !text.trim().is_empty()) else {
        let message = "Validation Failed: 1: [query] is required;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    };
    Ok((Question { statement: esql::parse(text, &parameters)?, filter, now }, is_columnar))
}

/// Checks a query against the indices that the caller may read, and runs it.
fn run(reading: &SearchRun<'_>, question: &Question) -> Result<(CheckedQuery, Answer)> {
    let groups = groups(reading, &question.statement)?;
    let mut schema = match &groups {
        Some(groups) => question.statement.schema(&reading.snapshot(groups, TimeRange::ALL).runs),
        None => Schema::default(),
    };
    let mappings = mappings::schema(reading.server, groups.as_deref())?;
    let filter = question.filter.as_ref();
    let filter = filter.map(|filter| parse_query(Some(filter), question.now, &mappings)).transpose()?;
    question.statement.declare(&mut schema, mappings)?;
    let checked = question.statement.check(&schema, filter.as_ref(), question.now)?;
    // No group has an empty name.
    let groups = groups.unwrap_or_else(|| vec![GroupPattern::new("")]);
    let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now: question.now };
    let answer = reading.execute(&checked.plan, &scope, checked.range)?;
    Ok((checked, answer))
}

/// Returns the groups of a query; `None` if it has none.
fn groups(reading: &SearchRun<'_>, statement: &Statement) -> Result<Option<Vec<GroupPattern>>> {
    let Some(names) = statement.indices() else { return Ok(None) };
    let leniency = Leniency { ignores_missing: false, allows_nothing: false };
    let found = indices::resolve(reading.server, &names.join(","), leniency);
    let missing = |name: &str| Problem::from(statement.unknown_index(name));
    match found {
        Ok(groups) => groups.map(Some).ok_or_else(|| missing(&names.join(","))),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {
            let name = problem.message.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
            Err(missing(&name))
        }
        Err(problem) => Err(problem),
    }
}
