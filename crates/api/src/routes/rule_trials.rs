//! `/api/v1/rules/test`, `/api/v1/rules/backtest`: what a rule says now, of what is stored or of events at hand, and
//! when it would have fired. Asked as a query of the caller's: of groups that exist for them, listed and cancellable.

use std::time::{Duration, Instant};

use alert::{
    Ask, Backtest, BacktestRange, Question, Rule, RuleError, RunsAsk, Table, Trial, backtest, read_json_rule,
    read_rules,
};
use execute::BlockVisitor;
use serde::Deserialize;
use serde_json::{Value, json};
use series::ReadBlocks;
use types::{GroupName, Timestamp, ensure};

use super::language::of_json;
use crate::ask;
use crate::state::Call;
use door::{Outcome, Problem, QueryRun, Reply, RequestBody, Result, Scope, Shared};

/// Largest body: events at hand are a few hundred.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;

/// Most events at hand.
const EVENTS_MAX: usize = 10_000;

/// Most turns of a backtest; of a longer past they are further apart.
const TURNS_MAX: i64 = 50_000;

/// Most questions of a backtest, and the longest that it takes.
const QUESTIONS_MAX: u64 = 10_000;
const BACKTEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Group of events at hand that name none.
const SAMPLE_GROUP: &str = "sample";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestRequest {
    rule: Option<Value>,
    text: Option<String>,
    /// Which one of several in `text`.
    name: Option<String>,
    /// Events to judge in place of what is stored; `@log` names their groups.
    events: Option<Vec<Value>>,
    /// When it is judged; now, unless said.
    at: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestRequest {
    rule: Option<Value>,
    text: Option<String>,
    /// Which one of several in `text`.
    name: Option<String>,
    from: Value,
    to: Option<Value>,
}

/// Asks the store as a query of the caller's.
struct ReadingAsk<'a>(&'a QueryRun<'a>);

impl Ask for ReadingAsk<'_> {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let sources = &question.plan.sources;
        let groups = if sources.is_empty() { question.groups.to_vec() } else { sources.clone() };
        let (limit, now, time_zone) = (Some(question.n_rows_max), question.now, chrono_tz::UTC);
        let range = question.plan.range(question.range, now, time_zone);
        let answer = self.0.execute(question.plan, &Scope { groups, limit, time_zone, now }, range);
        answer.map(|answer| Table::of(answer, [])).map_err(|problem| problem.message)
    }

    fn visit(&self, question: &Question<'_>, visitor: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        let read = self.0.read(question.plan, question.groups, question.range, visitor);
        read.map_err(|problem| problem.message)
    }
}

pub(crate) fn test(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let request: TestRequest = of_json(body.bytes(), "{\"rule\":{\"name\":\"…\",\"query\":\"…\"}}")?;
    let rule = match one_rule((request.rule.as_ref(), request.text.as_deref(), request.name.as_deref()))? {
        Ok(rule) => rule,
        Err(errors) => return Ok(Reply::json(&json!({"valid": false, "errors": errors_json(&errors)}))),
    };
    let now = server.now();
    let at = match &request.at {
        Some(at) => ask::instant("at", at, now, chrono_tz::UTC)?,
        None => now,
    };
    let sample = request.events.map(|events| sample_of(&server, events, at)).transpose()?;
    let text = rule.query.clone();
    Ok(Reply::query(&server, &text, move |reading| {
        let began = Instant::now();
        let tried = match &sample {
            Some(sample) => alert::try_rule(&rule, sample, at, "/"),
            None => alert::try_rule(&rule, &ReadingAsk(reading), at, "/"),
        };
        let tried = tried.map_err(|error| Problem::bad_request("rule-not-evaluated", error))?;
        Ok(Reply::json(&trial_json(&tried, at, began.elapsed())))
    }))
}

pub(crate) fn past(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let example = "{\"rule\":{\"name\":\"…\",\"query\":\"…\"},\"from\":\"now-7d\"}";
    let request: BacktestRequest = of_json(body.bytes(), example)?;
    let wrong = |errors: Vec<RuleError>| Problem::bad_request("bad-rule", lines_of(&errors));
    let rule = one_rule((request.rule.as_ref(), request.text.as_deref(), request.name.as_deref()))?.map_err(wrong)?;
    let now = server.now();
    let range = ask::range(Some(&request.from), request.to.as_ref(), now, chrono_tz::UTC)?;
    // What has not happened yet says nothing of when it would have fired.
    let to = Timestamp(range.to.0.saturating_sub(1)).min(now);
    ensure!(to >= range.from, Problem::bad_request("empty-range", "from lies ahead; a backtest is over what is past"));
    let interval_ns = server.app.alerts.interval_ns();
    let text = rule.query.clone();
    Ok(Reply::query(&server, &text, move |reading| {
        let deadline = Instant::now().checked_add(BACKTEST_TIME_MAX);
        let past = BacktestRange {
            from: range.from,
            to,
            interval_ns,
            turns_max: TURNS_MAX,
            questions_max: QUESTIONS_MAX,
            deadline,
        };
        Ok(Reply::json(&backtest_json(&backtest(&rule, &ReadingAsk(reading), &past))))
    }))
}

/// A rule as an object, or as text, and which one of several.
type Which<'a> = (Option<&'a Value>, Option<&'a str>, Option<&'a str>);

/// Returns the rule of a request, or what is wrong with it.
fn one_rule(which: Which<'_>) -> Result<Result<Rule, Vec<RuleError>>> {
    let text = match which {
        (Some(rule), None, None) => return Ok(read_json_rule("rule", rule)),
        (None, Some(text), _) => text,
        _ => return Err(Problem::bad_request("bad-json", "either `rule`, an object, or `text`, as in a rule file")),
    };
    let mut rules = match read_rules("rule", text) {
        Ok(rules) => rules,
        Err(errors) => return Ok(Err(errors)),
    };
    if let Some(name) = which.2 {
        rules.retain(|rule| rule.name == name);
    }
    match (rules.pop(), rules.len()) {
        (Some(rule), 0) => Ok(Ok(rule)),
        (Some(_), _) => Err(Problem::bad_request("too-many-rules", "several rules; `name` says which one is meant")),
        (None, _) => Err(Problem::bad_request("no-such-rule", "no rule in `text` has that name")),
    }
}

/// Reads the events of the request in the way in which sent events are read.
fn sample_of(server: &Shared, events: Vec<Value>, at: Timestamp) -> Result<RunsAsk> {
    if events.len() > EVENTS_MAX {
        return Err(Problem::bad_request("too-many-events", format!("{EVENTS_MAX} events at most")));
    }
    let mut records = Vec::new();
    for (index, mut event) in events.into_iter().enumerate() {
        let group = event.as_object_mut().and_then(|event| event.remove("@log"));
        let name = group.as_ref().and_then(Value::as_str).unwrap_or(SAMPLE_GROUP);
        let bad = || Problem::bad_request("bad-event", format!("event {index}: {name} is no name of a group"));
        records.push((GroupName::new(name).ok_or_else(bad)?, event.to_string()));
    }
    let records = records.iter().map(|(group, record)| (group.clone(), record.as_bytes()));
    let runs = ingest::runs_of_records(records, at, &server.app.limits);
    let bad = |(index, error)| Problem::bad_request("bad-event", format!("event {index}: {error}"));
    runs.map(RunsAsk::new).map_err(bad)
}

fn errors_json(errors: &[RuleError]) -> Vec<Value> {
    let error = |error: &RuleError| json!({"message": error.message, "line": error.line, "column": error.column});
    errors.iter().map(error).collect()
}

fn lines_of(errors: &[RuleError]) -> String {
    errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("\n")
}

fn trial_json(tried: &Trial, at: Timestamp, took: Duration) -> Value {
    let cell = |value: &Option<types::Value>| {
        let Some(value) = value else { return Value::Null };
        let mut text = String::new();
        value.write_json(&mut text);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    };
    let rows: Vec<Vec<Value>> = tried.table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let alerts = tried.sets.iter().map(
        |set| json!({"labels": set.labels, "state": set.state, "value": set.value, "annotations": set.annotations}),
    );
    json!({
        "valid": true,
        "errors": [],
        "at": at.to_string(),
        "columns": tried.table.columns,
        "rows": rows,
        "holds": tried.holds,
        "alerts": alerts.collect::<Vec<_>>(),
        "why": tried.why,
        "partial": tried.table.partial.is_some(),
        "partial_reasons": reasons(tried.table.partial.as_slice()),
        "elapsed_ms": took.as_secs_f64() * 1e3,
    })
}

fn backtest_json(found: &Backtest) -> Value {
    let alerts = found.alerts.iter().map(|alert| {
        json!({
            "labels": alert.labels,
            "starts_at": alert.starts_at.to_string(),
            "ends_at": alert.ends_at.map(|end| end.to_string()),
            "peak_value": alert.peak_value,
        })
    });
    json!({
        "evaluations": found.n_evaluations,
        "step": types::format_duration_ns(found.step_ns),
        "alerts": alerts.collect::<Vec<_>>(),
        "n_notifications": found.n_notifications,
        "partial": !found.partial.is_empty(),
        "partial_reasons": reasons(&found.partial),
    })
}

fn reasons(messages: &[String]) -> Vec<Value> {
    messages.iter().map(|message| json!({"code": "rule-trial", "message": message})).collect()
}
