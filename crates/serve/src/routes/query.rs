//! `/api/v1/query`: a question in, an answer out, in the form that the client accepts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use query::Answer;
use query::plan::Warning;
use serde_json::{Map, Value, json};

use crate::answer::{Form, respond};
use crate::ask::{Ask, PARAMETERS, Question};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reading::{Reading, read};
use crate::server::{Server, Shared};

/// Largest body of a query request. The query text in it is at most 64 KiB.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Rows of a JSON answer where neither the query nor the request says otherwise, and at most.
const JSON_ROWS_DEFAULT: usize = 1_000;
const JSON_ROWS_MAX: usize = 10_000;

pub(crate) async fn get(
    State(server): Shared,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let ask = Ask::of_parameters(&parameters)?;
    answer(&server, ask, form(&headers)).await
}

pub(crate) async fn post(State(server): Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let mut received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let ask = Ask::of_json(&received.take())?;
    answer(&server, ask, form(&headers)).await
}

fn form(headers: &HeaderMap) -> Form {
    Form::of_accept(headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default())
}

async fn answer(server: &Arc<Server>, ask: Ask, form: Form) -> Result<Response, Problem> {
    let text = ask.query.clone();
    let now = server.now();
    let (answer, extra) = read(server, &text, move |reading| {
        let mut question = ask.check(now)?;
        let asked_for = question.scope.limit;
        if form == Form::Json {
            question.scope.limit = Some(asked_for.unwrap_or(JSON_ROWS_DEFAULT).min(JSON_ROWS_MAX));
        }
        let mut answer = reading.execute(&question.plan, &question.scope, question.range)?;
        if form == Form::Json {
            cut(&mut answer, JSON_ROWS_MAX);
        }
        answer.warnings.extend(newest(reading, &question, &answer));
        let extra = if question.explain { explain(&question) } else { Map::new() };
        Ok((answer, extra))
    })
    .await?;
    Ok(respond(form, answer, extra))
}

/// Cuts an answer to `rows_max` rows, and says so.
fn cut(answer: &mut Answer, rows_max: usize) {
    if answer.rows.len() <= rows_max {
        return;
    }
    answer.rows.truncate(rows_max);
    if let Some(ids) = &mut answer.ids {
        ids.truncate(rows_max);
    }
    answer.more = true;
    answer.warnings.push(Warning {
        code: "cut",
        message: format!("a JSON answer holds {rows_max} rows at most; there are more"),
        line: None,
        column: None,
        hint: Some("ask with Accept: application/x-ndjson or text/csv for all rows".into()),
    });
}

/// Where nothing matched: when the newest event was, so that nobody takes an old log for an empty one.
fn newest(reading: &Reading<'_>, question: &Question, answer: &Answer) -> Option<Warning> {
    if answer.stats.events_matched > 0 || !answer.partial_reasons.is_empty() {
        return None;
    }
    let (from, to) = (question.range.from, question.range.to);
    let newest = reading.newest(&question.scope.groups);
    let (code, message) = match newest {
        None => ("no-events", "no event was accepted yet in these groups".to_owned()),
        Some(newest) => ("newest-event", format!("nothing matched from {from} to {to}; newest event is at {newest}")),
    };
    Some(Warning { code, message, line: None, column: None, hint: newest.map(|newest| newest.to_string()) })
}

/// What would be done: the plan's steps as the executor sees them.
fn explain(question: &Question) -> Map<String, Value> {
    let steps: Vec<String> = question.plan.operators.iter().map(ToString::to_string).collect();
    let groups: Vec<&str> = question.scope.groups.iter().map(|pattern| pattern.as_str()).collect();
    let range = json!({"from": question.range.from.to_string(), "to": question.range.to.to_string()});
    let mut extra = Map::new();
    extra.insert("explain".into(), json!({"operators": steps, "groups": groups, "range": range}));
    extra
}
