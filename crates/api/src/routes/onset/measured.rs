//! What an onset is asked of: the query with its range, and what is compared over time.

use cause::Measure;
use plan::{AggregateKind, Expr, Function, Name, Operator, Plan};
use serde_json::{Map, Value};
use types::{Timestamp, ensure};

use crate::ask::{Ask, Question};
use crate::json_body::JsonBody;
use door::{Problem, Result};

/// What is compared over time.
pub(super) enum Of {
    /// Something of the events of the query, with its name in the answer.
    Measure(Measure, String),
    /// How often each pattern of their messages comes.
    Patterns,
}

/// A request, still as it was asked.
pub(super) struct OnsetQuestion {
    ask: Ask,
    /// The same question about other events, among which those of the query are counted.
    among: Option<Ask>,
    of: Option<String>,
}

const BODY: JsonBody =
    JsonBody { noun: "question about an onset", example: r#"{"query":"…","from":"now-1h","of":"count"}"# };

fn bad_of(problem: String) -> Problem {
    Problem::bad_request("bad-onset", problem)
        .hint(r#"`of` is "count", "share" (with `among`, another query), "p95(FIELD)" or "patterns""#)
}

impl OnsetQuestion {
    /// Reads a JSON body.
    pub(super) fn of_json(body: &[u8], now: Timestamp) -> Result<Self> {
        let body: Value = serde_json::from_slice(body).map_err(|error| BODY.bad(error))?;
        let Value::Object(mut members) = body else { return Err(BODY.bad("it is no object")) };
        let mut text = |name: &str| match members.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(BODY.bad(format!("{name} is no text"))),
        };
        let (of, among) = (text("of")?, text("among")?);
        let ask = |members: Map<String, Value>| {
            serde_json::from_value::<Ask>(Value::Object(members)).map_err(|error| BODY.bad(error))?.filled(now)
        };
        let among = among.map(|query| {
            let mut members = members.clone();
            members.insert("query".into(), Value::String(query));
            ask(members)
        });
        Ok(Self { among: among.transpose()?, ask: ask(members)?, of })
    }

    pub(super) fn query(&self) -> &str {
        &self.ask.query
    }

    /// Checks everything and parses the queries.
    pub(super) fn check(self, now: Timestamp) -> Result<(Question, Of)> {
        let question = self.ask.check(now)?;
        let among = self.among.map(|among| among.check(now)).transpose()?;
        ensure!(among.is_none() || self.of.as_deref() == Some("share"), bad_of("`among` is for shares".into()));
        let of_stats = measure_of_stats(&question.plan)?;
        let of = match (self.of.as_deref(), of_stats) {
            (Some(_), Some(_)) => {
                return Err(bad_of("the query ends with stats, which says what is compared; leave out `of`".into()));
            }
            (None, Some(of)) => of,
            (None | Some("count"), None) => Of::Measure(Measure::Count, "count".into()),
            (Some("patterns"), None) => Of::Patterns,
            (Some("share"), None) => share(&question, among)?,
            (Some(of), None) => {
                let (percent, field) = percentile(of).ok_or_else(|| bad_of(format!("unknown `of`: {of:?}")))?;
                of_percentile(field.into(), percent)
            }
        };
        Ok((question, of))
    }
}

/// Returns the share of a question's events among all events of its groups, or among those of another question.
fn share(question: &Question, among: Option<Question>) -> Result<Of> {
    let plan = match among {
        None => Plan::new(Vec::new()),
        Some(among) if among.scope.groups != question.scope.groups => {
            return Err(bad_of("query and among are about different groups".into()));
        }
        Some(among) => among.plan,
    };
    ensure!(!plan::has_subqueries(&plan), bad_of("`among` has a subquery; put it into the query".into()));
    Ok(Of::Measure(Measure::Share(plan), "share".into()))
}

fn of_percentile(field: Name, percent: f64) -> Of {
    let name = format!("p{percent}({field})");
    Of::Measure(Measure::Percentile { field, percent }, name)
}

/// Reads `p95(duration_ms)`.
fn percentile(text: &str) -> Option<(f64, &str)> {
    let (percent, field) = text.strip_prefix('p')?.strip_suffix(')')?.split_once('(')?;
    let percent: f64 = percent.parse().ok()?;
    let field = field.trim();
    (percent > 0.0 && percent < 100.0 && !field.is_empty()).then_some((percent, field))
}

/// Returns what a query that ends with `stats` compares; `None` where it has none.
fn measure_of_stats(plan: &Plan) -> Result<Option<Of>> {
    let aggregation = plan.operators().iter().find_map(|operator| match operator {
        Operator::Aggregate { by, aggregates } => Some((by, aggregates)),
        _ => None,
    });
    let Some((by, aggregates)) = aggregation else { return Ok(None) };
    let is_time = |expr: &Expr| matches!(expr, Expr::Call(Function::DateFloor | Function::TimeBucket, _));
    if !by.iter().all(|(_, expr)| is_time(expr)) {
        let problem =
            "an onset is that of one series, and the query has one for each group; leave out `by`, but for bin()";
        return Err(bad_of(problem.into()));
    }
    let [aggregate] = &aggregates[..] else {
        return Err(bad_of("an onset is that of one series, and stats computes several; name one".into()));
    };
    match (aggregate.kind, &aggregate.argument) {
        (AggregateKind::Count, None) => Ok(Some(Of::Measure(Measure::Count, "count".into()))),
        (AggregateKind::Percentile(percent), Some(Expr::Field(field))) if percent > 0.0 && percent < 100.0 => {
            Ok(Some(of_percentile(field.clone(), percent)))
        }
        _ => {
            Err(bad_of("an onset compares count(*), shares and percentiles of a field, not what stats computes".into()))
        }
    }
}
