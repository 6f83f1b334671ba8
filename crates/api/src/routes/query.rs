//! `/api/v1/query`: a question in, an answer out, in the form that the client accepts.

mod all_fields;
mod esql;
mod export;
mod outcome;
mod row_limit;
mod rows;
mod samples;
mod series;
pub(crate) mod several;
mod slow;
mod spans;
mod steps;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use axum::response::Response;
use execute::{Answer, UnknownFields};
use plan::Warning;
use serde_json::{Map, Value, json};
use storage::{GroupStatus, Snapshot};
use tokio::time::sleep;
use types::{GroupPattern, Timestamp};

use self::export::Export;
use self::outcome::Outcome;
use self::row_limit::{JSON_ROWS_DEFAULT, JSON_ROWS_MAX, cut, more_rows};
use self::rows::Rows;
use crate::answer::{Form, names_of, respond};
use crate::ask::{Ask, PARAMETERS, Question};
use crate::routes::clocks;
use crate::state::{Api, Call, Shared};
use crate::unknown_groups::unknown_groups;
use door::fleet::Home;
use door::query_run::read_with;
use door::{Parameters, Problem, QueryRun, Reply, RequestBody, Result, Takers, audit};

/// Largest body of a query request. The query text in it is at most 64 KiB.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// How long a streamed query may take before its answer begins without it: rows that are there are seen at once.
const SLOW: Duration = Duration::from_millis(40);

pub(crate) fn get(Call { server, parameters, parts, .. }: Call) -> door::Outcome {
    parameters.check_names(&[&PARAMETERS[..], &export::PARAMETERS].concat())?;
    let mut ask = Ask::of_parameters(&parameters)?;
    ask.all_fields = parameters.flag("all_fields")?;
    if parameters.get("format").is_none() && !parameters.flag("gzip")? {
        return Ok(answered(server, ask, form(&parts.headers)));
    }
    Ok(Reply::later(async move { file(&server, ask, &parameters).await.map(Reply::Whole) }))
}

/// Answers with a file, in the format that the parameters name.
pub(crate) async fn file(server: &Shared, ask: Ask, parameters: &Parameters) -> Result<Response> {
    let Some(export) = Export::of_parameters(parameters)? else {
        return Err(Problem::bad_parameter("format is missing").hint("one of: csv, tsv, ndjson, text"));
    };
    if whole::is_whole(&ask) {
        let form = export.form(ask.zone()?);
        return whole::answer(server, ask, form).await;
    }
    let text = ask.query.clone();
    let form = export.form(ask.zone()?);
    let question = check(server, ask, form).await?;
    let (range, zone) = (question.range, question.scope.time_zone);
    let response = answer_question(server, text, question, form).await?;
    Ok(export.as_file(response, range, zone))
}

/// Returns an answer, for work that makes something else of it.
pub(crate) async fn rows(server: &Shared, ask: Ask) -> Result<Answer> {
    let rows_max = ask.limit.unwrap_or(JSON_ROWS_DEFAULT).min(JSON_ROWS_MAX);
    if whole::is_whole(&ask) {
        let mut answer = whole::rows(server, ask, rows_max).await?;
        cut(&mut answer, rows_max);
        return Ok(answer);
    }
    let text = ask.query.clone();
    let Question { plan, scope, range, .. } = check(server, ask, Form::Json).await?;
    let work = move |reading: &QueryRun<'_>| {
        let snapshot = reading.snapshot(&scope.groups, plan.reach(range, scope.time_zone));
        reading.execute_first(&snapshot, &plan, &scope, range, rows_max + 1)
    };
    let mut answer = server.read(&text, work).await?;
    cut(&mut answer, rows_max);
    Ok(answer)
}

pub(crate) fn post(Call { server, parts, .. }: Call, body: RequestBody) -> door::Outcome {
    let ask = Ask::of_json(body.bytes(), server.now())?;
    Ok(answered(server, ask, form(&parts.headers)))
}

fn answered(server: Shared, ask: Ask, form: Form) -> Reply {
    Reply::later(async move { answer(&server, ask, form).await.map(Reply::Whole) })
}

fn form(headers: &HeaderMap) -> Form {
    Form::of_accept(headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default())
}

async fn answer(server: &Shared, ask: Ask, form: Form) -> Result<Response> {
    if whole::is_whole(&ask) {
        return whole::answer(server, ask, form).await;
    }
    let text = ask.query.clone();
    let question = check(server, ask, form).await?;
    answer_question(server, text, question, form).await
}

async fn check(server: &Shared, ask: Ask, form: Form) -> Result<Question> {
    let (now, has_all_fields) = (server.now(), ask.all_fields);
    let question = server.lookups.run(move || ask.check(now)).await??;
    if has_all_fields { all_fields::widened(server, question, form).await } else { Ok(question) }
}

async fn answer_question(server: &Shared, text: String, question: Question, form: Form) -> Result<Response> {
    let columns = slow::columns(&question.plan);
    let ticket = server.start_planned(&text, &question.plan);
    let running = ticket.running.clone();
    let (rows, receiver) = Rows::new(form, names_of(&columns));
    let rows = Arc::new(rows);
    let (of_work, to, of_query) = (server.clone(), rows.clone(), running.clone());
    let mut work: slow::Work = Box::pin(async move {
        let api = of_work.state.clone();
        let work = move |reading: &QueryRun<'_>| {
            let take = |more| to.take(more, &of_query);
            let take_partial = |rows| to.put_partial(rows);
            find(reading, &api, question, form, Takers { rows: &take, partial_rows: &take_partial })
        };
        read_with(&of_work, ticket, work).await
    });
    let is_slow = form != Form::Json
        && tokio::select! {
            biased;
            answered = &mut work => return whole(form, answered, &rows),
            () = sleep(SLOW) => true,
            () = rows.is_full.notified() => true,
        };
    if is_slow {
        return Ok(slow::respond(slow::Stream { form, work, rows, running, columns }, receiver));
    }
    whole(form, work.await, &rows)
}

/// Returns an answer that was complete before its stream began, with types and a status.
fn whole(form: Form, answered: Result<Outcome>, rows: &Rows) -> Result<Response> {
    let Outcome { mut answer, extra } = answered?;
    let mut held = rows.take_held();
    held.append(&mut answer.rows);
    answer.rows = held;
    Ok(respond(form, answer, extra))
}

/// Answers a question on a blocking thread.
fn find(reading: &QueryRun<'_>, api: &Api, mut question: Question, form: Form, takers: Takers<'_>) -> Result<Outcome> {
    let is_asked_for = form != Form::Json || question.scope.limit.is_some_and(|asked| asked <= JSON_ROWS_MAX);
    if form == Form::Json {
        let asked_for = question.scope.limit.unwrap_or(JSON_ROWS_DEFAULT);
        question.scope.limit = Some(asked_for.min(JSON_ROWS_MAX));
    }
    let (plan, scope, range) = (&question.plan, &question.scope, question.range);
    let snapshot = question.snapshot.take();
    let snapshot = snapshot.unwrap_or_else(|| reading.snapshot(&scope.groups, plan.reach(range, scope.time_zone)));
    let mut answer = match form {
        // One more than shown tells that there are more.
        Form::Json => reading.execute_first(&snapshot, plan, scope, range, JSON_ROWS_MAX + 1)?,
        Form::Ndjson | Form::Csv(_) | Form::Sheet(_) => reading.execute_into(&snapshot, plan, scope, range, takers)?,
    };
    let is_cut = form == Form::Json && cut(&mut answer, JSON_ROWS_MAX);
    if answer.more && !is_asked_for && !is_cut {
        answer.warnings.push(more_rows(answer.rows.len()));
    }
    let groups = reading.server.groups();
    let mut named = scope.groups.clone();
    // Who may ask it knows that it is there, though it is not listed.
    named.retain(|group| group.as_str() != ingest::AUDIT_GROUP || !audit::may_see(&reading.server.caller));
    let archives = reading.server.archives();
    let is_archive = |group: &GroupPattern| archives.iter().any(|(name, _)| group.matches(name.as_str()));
    let is_of_archives = named.iter().any(is_archive);
    named.retain(|group| !is_archive(group));
    answer.warnings.extend(unknown_groups(&groups, &named));
    answer.warnings.extend(unknown_names(api, &question, &snapshot));
    let newest = newest_event(&groups, &scope.groups);
    if !is_of_archives || newest.is_some() {
        answer.warnings.extend(newest_warning(newest, &question, &answer, reading.server.now()));
    }
    answer.warnings.extend(newest.and_then(|newest| clocks::ahead(reading, &question, newest)));
    let extra = if question.explain { explain(reading, &question, &answer)? } else { Map::new() };
    Ok(Outcome { answer, extra })
}

/// Warnings about fields that no event asked about has; a question that is asked again over the same events is not
/// answered again.
///
/// Damage is reported with the answer itself; where fields cannot be read, none is called unknown.
fn unknown_names(api: &Api, question: &Question, snapshot: &Snapshot) -> Vec<Warning> {
    let asked = UnknownFields::of(&question.plan, &question.text);
    if asked.is_empty() {
        return Vec::new();
    }
    api.unknown_fields.get(asked, &snapshot.runs)
}

/// Returns the time of the newest event of the groups that match.
fn newest_event(groups: &[GroupStatus], patterns: &[GroupPattern]) -> Option<Timestamp> {
    let wanted = groups.iter().filter(|group| GroupPattern::any_matches(patterns, group.name.as_str()));
    wanted.filter_map(|group| group.last).max()
}

/// Returns a warning with the time of the newest event if nothing matched: an old log is not an empty one.
fn newest_warning(newest: Option<Timestamp>, question: &Question, answer: &Answer, now: Timestamp) -> Option<Warning> {
    if answer.stats.events_matched > 0 || !answer.partial_reasons.is_empty() {
        return None;
    }
    let (code, message) = match newest {
        None => ("no-events", "no event was accepted yet in these groups".to_owned()),
        Some(newest) => {
            // What runs slightly ahead of the clock is looked for too, which nobody asked.
            let [from, to, at] =
                [question.range.from, question.range.to.min(now), newest].map(Timestamp::whole_seconds);
            ("newest-event", format!("nothing matched from {from} to {to}; newest event is at {at}"))
        }
    };
    Some(Warning { code, message, line: None, column: None, hint: newest.map(|newest| newest.to_string()) })
}

/// Explains how the query was run: the steps of the plan, the use of indexes, the actual counts.
fn explain(reading: &QueryRun<'_>, question: &Question, answer: &Answer) -> Result<Map<String, Value>> {
    let (plan, scope) = (&question.plan, &question.scope);
    let operators: Vec<String> = plan.operators().iter().map(ToString::to_string).collect();
    let groups: Vec<&str> = scope.groups.iter().map(|pattern| pattern.as_str()).collect();
    let range = json!({"from": question.range.from.to_string(), "to": question.range.to.to_string()});
    let request = reading.request(question.range, scope, &|_| {});
    let snapshot = reading.snapshot(&scope.groups, question.range);
    let explanation = execute::explain(plan, &snapshot.runs, &request)?;
    let steps: Vec<Value> = explanation.steps.iter().map(step_json).collect();
    let stats = &answer.stats;
    let homes = reading.homes(&snapshot.runs);
    let of_home = |home: &Home| format!("\nhome    {}: {} runs, {} events", home.node, home.runs, home.events);
    let homes_text: String = homes.iter().map(of_home).collect();
    let text = format!(
        "{explanation}{homes_text}\nactual  {} events scanned, {} matched, {} rows, {} of {} segments opened, {:.1} ms",
        stats.events_scanned,
        stats.events_matched,
        answer.rows.len(),
        stats.segments_opened,
        stats.segments_total,
        stats.elapsed_ms,
    );
    let mut extra = Map::new();
    let estimated = json!({
        "blocks": explanation.n_blocks, "events": explanation.n_events, "blocks_asked": explanation.n_blocks_asked,
        "blocks_possible": explanation.n_blocks_possible, "events_possible": explanation.n_events_possible,
        "uses_counts": explanation.uses_counts,
    });
    let actual = json!({
        "events_scanned": stats.events_scanned, "events_matched": stats.events_matched, "rows": answer.rows.len(),
        "events_shared": stats.events_shared,
    });
    let node_json = |home: &Home| json!({"node": home.node, "runs": home.runs, "events": home.events});
    let nodes: Vec<Value> = homes.iter().map(node_json).collect();
    let explained = json!({
        "operators": operators, "groups": groups, "range": range, "steps": steps, "estimated": estimated,
        "nodes": nodes, "actual": actual, "text": text,
    });
    extra.insert("explain".into(), explained);
    Ok(extra)
}

fn step_json(step: &execute::ExplainedStep) -> Value {
    let mut json = json!({"stage": step.stage.name(), "operator": step.operator});
    if let Some(index) = &step.index {
        json["index"] = json!({
            "field": index.field, "literal": index.literal, "exact": index.is_exact, "blocks": index.n_blocks,
            "events": index.n_events,
        });
    }
    json
}
