//! Starts and stops Insights queries and returns their results: `StartQuery`, `GetQueryResults`, `StopQuery`,
//! `DescribeQueries`.
//!
//! A query runs like any other, with the same admission, limits and budgets, and passes its rows to [`RegisteredQuery`] as
//! it finds them. Rows of events carry `@ptr`, by which `GetLogRecord` finds the event.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use chrono_tz::Tz;
use data_encoding::BASE64URL_NOPAD;
use execute::Stats;
use language::ParseOptions;
use plan::{Operator, Plan};
use serde_json::{Value, json};
use tokio::time::timeout;
use types::{GroupName, GroupPattern, TimeRange, Timestamp, ensure};

use super::answer::{CloudWatchProblem, Result, random_id, streamed};
use super::input::{Input, constraint, group_of};
use super::query_registry::{QueryResults, QueryStart, ROWS_MAX, RegisteredQuery};
use super::request::{OperationRequest, Step, must_exist};
use super::results::{names_of, with_pointers};
use super::state::Shared;
use super::time::milliseconds;
use door::query_run::read_with;
use door::{Problem, QueryRun, Scope, Takers, Ticket};

/// Limit on the rows of a query that names none, and rows of one page, as at Amazon.
const ROWS_DEFAULT: usize = 10_000;
const PAGE_MAX: usize = 10_000;

/// Limit on the groups of one query. Amazon allows 50; a Grafana variable with all groups names each of them.
const GROUPS_MAX: usize = 1_000;

/// Queries of one page of a list.
const LISTED_MAX: usize = 1_000;

/// How long `StartQuery` waits for the end of the query: clients fetch results at once and then sleep for about a second.
const SOON: Duration = Duration::from_millis(50);

/// A query that is ready to run.
struct Question {
    plan: Plan,
    scope: Scope,
    range: TimeRange,
}

impl OperationRequest {
    /// Blocks.
    pub(super) fn start_query(&self, input: &Input) -> Result<Step> {
        let text = input.needed("queryString")?;
        check_language(input)?;
        let range = range_of(input)?;
        let limit = input.number("limit", ROWS_DEFAULT, ROWS_MAX)?;
        let groups = self.groups_asked(input)?;
        let now = self.server.now();
        groups.iter().try_for_each(|name| must_exist(&self.server, name))?;
        let plan = language::parse_insights(text, &ParseOptions { now, time_zone: Tz::UTC });
        let mut plan = plan.map_err(|errors| CloudWatchProblem::malformed(errors.into()))?;
        must_be_query(text, &plan)?;
        if groups.is_empty() && plan.sources.is_empty() {
            let message = "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given, or the \
                query must begin with SOURCE.";
            return Err(CloudWatchProblem::parameter(message));
        }
        with_pointers(&mut plan);
        let patterns = groups.iter().map(|name| GroupPattern::new(name.as_str())).collect();
        let patterns = if plan.sources.is_empty() { patterns } else { plan.sources.clone() };
        let scope = Scope { groups: patterns, limit: Some(limit), time_zone: Tz::UTC, now };
        let range = plan.range(range, now, Tz::UTC);
        self.run(text, groups, Question { plan, scope, range })
    }

    /// Starts a query and waits a moment for its end.
    fn run(&self, text: &str, groups: Vec<GroupName>, question: Question) -> Result<Step> {
        let id = random_id()?;
        let ticket = self.server.start_query(text);
        let started = QueryStart {
            id: id.clone(),
            text: text.to_owned(),
            groups: groups.iter().map(|name| name.as_str().to_owned()).collect(),
            names: names_of(&question.plan),
            running: ticket.running.clone(),
        };
        let query = self.server.state.queries.add(started, self.server.now())?;
        let task = tokio::spawn(run(self.server.clone(), ticket, query, question));
        Ok(Step::Later(Box::pin(async move {
            let _ = timeout(SOON, task).await;
            Ok(json!({"queryId": id}))
        })))
    }

    /// Returns the groups that a request names, all of which the caller must reach.
    fn groups_asked(&self, input: &Input) -> Result<Vec<GroupName>> {
        let one = input.text("logGroupName")?;
        let (names, identifiers) = (input.texts("logGroupNames")?, input.texts("logGroupIdentifiers")?);
        let n_given = [one.is_some(), names.is_some(), identifiers.is_some()].into_iter().filter(|is| *is).count();
        if n_given > 1 {
            let message = "Only one of logGroupName, logGroupNames and logGroupIdentifiers may be given.";
            return Err(CloudWatchProblem::parameter(message));
        }
        let named = one.into_iter().chain(names.unwrap_or_default()).chain(identifiers.unwrap_or_default());
        let groups = named.map(|name| group_of(name, "logGroupNames")).collect::<Result<Vec<_>, _>>()?;
        if groups.len() > GROUPS_MAX {
            return Err(CloudWatchProblem::parameter(format!("A query may look at {GROUPS_MAX} log groups at most.")));
        }
        groups.iter().try_for_each(|group| self.reach(group))?;
        Ok(groups)
    }

    /// Returns the query that a request names. A query of another caller does not exist.
    fn query(&self, input: &Input) -> Result<Arc<RegisteredQuery>> {
        let id = input.needed("queryId")?;
        let found = self.server.state.queries.get(id, |running| self.server.may_see_query(running));
        found.ok_or_else(|| {
            let message = format!("The specified query {id:?} does not exist, or its results are no longer kept.");
            CloudWatchProblem::new("ResourceNotFoundException", message)
        })
    }

    pub(super) fn query_results(&self, input: &Input) -> Result<Response> {
        let query = self.query(input)?;
        let most = input.number("maxItems", PAGE_MAX, PAGE_MAX)?;
        let from = input.text("nextToken")?.map_or(Ok(0), read_place)?;
        let found = query.results();
        let n_all = found.rows.len();
        let rows = found.rows.get(from..).unwrap_or_default();
        let rows = rows[..rows.len().min(most)].to_vec();
        let statistics = statistics(&query, &found);
        let mut end = json!({"statistics": statistics, "status": found.status.name(), "queryLanguage": "CWLI"});
        if !found.remarks.is_empty() {
            // Clients ignore this member; a person who reads the answer sees why rows are missing.
            end["warnings"] = found.remarks.clone().into();
        }
        drop(found);
        if from + rows.len() < n_all {
            end["nextToken"] = write_place(from + rows.len()).into();
        }
        let end = end.to_string();
        let rows = rows.into_iter().enumerate();
        let rows = rows.flat_map(|(at, row)| [Arc::from(if at > 0 { "," } else { "" }), row]);
        let head: Arc<str> = "{\"results\":[".into();
        let end: Arc<str> = format!("],{}", end.strip_prefix('{').unwrap_or_default()).into();
        Ok(streamed(std::iter::once(head).chain(rows).chain(std::iter::once(end))))
    }

    pub(super) fn stop_query(&self, input: &Input) -> Result<Value> {
        if self.query(input)?.stop(self.server.now()) {
            return Ok(json!({"success": true}));
        }
        Err(CloudWatchProblem::parameter("The specified query has ended already."))
    }

    pub(super) fn describe_queries(&self, input: &Input) -> Result<Value> {
        let group = input.text("logGroupName")?;
        let status = input.text("status")?;
        let is_asked = asks_for_insights(input)?;
        let most = input.number("maxResults", LISTED_MAX, LISTED_MAX)?;
        let from = input.text("nextToken")?.map_or(Ok(0), read_place)?;
        let all = self.server.state.queries.list(|running| self.server.may_see_query(running));
        let wanted = |query: &&Arc<RegisteredQuery>| {
            is_asked
                && group.is_none_or(|group| query.started.groups.iter().any(|name| name == group))
                && status.is_none_or(|status| status == query.results().status.name())
        };
        let wanted: Vec<&Arc<RegisteredQuery>> = all.iter().filter(wanted).collect();
        let page = wanted.get(from..).unwrap_or_default();
        let page = &page[..page.len().min(most)];
        let mut answer =
            json!({"queries": page.iter().map(|query| described(query, self.server.now())).collect::<Vec<_>>()});
        if from + page.len() < wanted.len() {
            answer["nextToken"] = write_place(from + page.len()).into();
        }
        Ok(answer)
    }
}

/// Refuses text in another language than Insights'.
pub(super) fn check_language(input: &Input) -> Result<()> {
    if asks_for_insights(input)? {
        return Ok(());
    }
    let rule = "Member must satisfy enum value set: [CWLI]; SQL and PPL are not understood here";
    Err(constraint(input.text("queryLanguage")?.unwrap_or_default(), "queryLanguage", rule))
}

/// Reports whether a request is about queries in Insights' language, the only ones there are.
pub(super) fn asks_for_insights(input: &Input) -> Result<bool> {
    match input.text("queryLanguage")? {
        None | Some("CWLI") => Ok(true),
        Some("SQL" | "PPL") => Ok(false),
        Some(other) => Err(constraint(other, "queryLanguage", "Member must satisfy enum value set: [CWLI, SQL, PPL]")),
    }
}

/// Refuses plain words, which other APIs search for: a query consists of commands here.
fn must_be_query(text: &str, plan: &Plan) -> Result<()> {
    let Some(warning) = plan.warnings.iter().find(|warning| warning.code == "phrase-search") else { return Ok(()) };
    let hint = warning.hint.as_deref().unwrap_or("begin with a command such as fields, filter or stats");
    let span = plan::Span { start: 0, end: text.len() };
    let error = plan::QueryError::new("unknown-command", "the query begins with no command", text, span);
    Err(CloudWatchProblem::malformed(plan::QueryErrors::from(error.with_hint(hint)).into()))
}

/// Runs a query until it ends or the server closes.
async fn run(server: Shared, ticket: Ticket, query: Arc<RegisteredQuery>, question: Question) {
    let (of_work, to) = (server.clone(), query.clone());
    let is_events = matches!(question.plan.operators().last(), Some(Operator::Project { is_events: true, .. }));
    let work = move |reading: &QueryRun<'_>| {
        let all = &of_work.state.queries;
        let take = |rows| to.extend(all, rows);
        let take_partial = |rows| _ = to.replace(all, rows);
        let Question { plan, scope, range } = &question;
        let snapshot = reading.snapshot(&scope.groups, plan.reach(*range, scope.time_zone));
        reading.execute_into(&snapshot, plan, scope, *range, Takers { rows: &take, partial_rows: &take_partial })
    };
    let mut closing = server.closing.clone();
    let done = tokio::select! {
        done = read_with(&server, ticket, work) => done,
        _ = closing.wait_for(|is_closing| *is_closing) => Err(Problem::closing()),
    };
    query.end(&server.state.queries, done, !is_events, server.now());
}

/// Reads `startTime` and `endTime`, both inclusive: seconds, or milliseconds for large numbers.
fn range_of(input: &Input) -> Result<TimeRange> {
    let time = |name: &str| {
        let number = input.integer(name)?;
        if number < 0 {
            return Err(constraint(&number.to_string(), name, "Member must have value greater than or equal to 0"));
        }
        let unit = if number < 100_000_000_000 { Timestamp::SECOND } else { 1_000_000 };
        Ok(number.saturating_mul(unit))
    };
    let (from, to) = (time("startTime")?, time("endTime")?);
    ensure!(from <= to, CloudWatchProblem::parameter("startTime is after endTime."));
    Ok(TimeRange { from: Timestamp(from), to: Timestamp(to.saturating_add(1)) })
}

/// Returns what a query has read so far.
fn statistics(query: &RegisteredQuery, found: &QueryResults) -> Value {
    let Stats { events_scanned, events_matched, events_skipped, bytes_read, .. } =
        found.stats.unwrap_or_else(|| query.started.running.progress());
    json!({
        "recordsMatched": events_matched as f64, "recordsScanned": events_scanned as f64,
        "estimatedRecordsSkipped": events_skipped as f64, "bytesScanned": bytes_read as f64,
        "estimatedBytesSkipped": 0.0, "logGroupsScanned": query.started.groups.len() as f64,
        "resultCount": found.rows.len() as f64,
    })
}

fn described(query: &RegisteredQuery, now: Timestamp) -> Value {
    let found = query.results();
    let created = query.started.running.started;
    let stats = found.stats.unwrap_or_else(|| query.started.running.progress());
    json!({
        "queryId": query.started.id, "queryString": query.started.text, "status": found.status.name(),
        "createTime": milliseconds(created), "logGroupName": query.started.groups.first(),
        "queryDuration": milliseconds(Timestamp(found.ended.unwrap_or(now).0.saturating_sub(created.0))),
        "bytesScanned": stats.bytes_read as f64, "queryLanguage": "CWLI",
        "userIdentity": &*query.started.running.owner,
    })
}

/// Returns the token of the page that begins at a row.
fn write_place(at: usize) -> String {
    BASE64URL_NOPAD.encode(at.to_string().as_bytes())
}

fn read_place(token: &str) -> Result<usize> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    place.ok_or_else(|| CloudWatchProblem::parameter("The specified nextToken is invalid."))
}
