//! `/api/v1/pipelines`: what is done to events on their way in, and its dry run. Pipelines of the configuration are shown;
//! others are made and removed, by whom all groups exist for that they are about.

use axum::http::StatusCode;
use definition::DefinitionError;
use ingest::{MakePipelineError, PipelineStatus, Pipelines, Sample};
use serde::Deserialize;
use serde_json::{Value, json};
use suggestion::Selection;
use types::group_name_of_outside;

use super::suggestions::{DryRunRange, Use, dry_run, group, uses_of};
use crate::state::{Call, Shared as ApiShared};
use door::exposition::Kind::Counter;
use door::exposition::Page;
use door::{Outcome, Problem, Reply, RequestBody, Result, Server, Shared, covers};

/// Largest body of a dry run, and most lines of one: what a person tries, and reads the answer of.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;
const LINES_MAX: usize = 1_000;

/// What a dry run is asked.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Test {
    /// Pipelines to try; those that hold now where there are none.
    pipelines: Option<Value>,
    group: Option<String>,
    stream: String,
    lines: Vec<String>,
    records: Vec<Value>,
}

/// A pipeline to make, or to try on stored events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    definition: Value,
    /// Whether it is only counted what it would do.
    #[serde(default)]
    dry_run: bool,
    /// The group whose events it is tried on, and their range.
    group: Option<String>,
    from: Option<Value>,
    to: Option<Value>,
    time_zone: Option<String>,
}

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let made = server.app.intake.made_pipelines();
    let shown = |status: PipelineStatus| {
        let made = made.iter().find(|made| made.name() == status.name);
        let mut shown = json!(status);
        shown["made_by"] = made.map(|made| made.made_by.as_str()).into();
        shown["made_at"] = made.map(|made| made.made_at.as_str()).into();
        shown
    };
    let status = server.app.intake.pipelines().status();
    Ok(Reply::json(&json!({"pipelines": status.into_iter().map(shown).collect::<Vec<_>>()})))
}

/// Makes a pipeline, or counts what it would do to stored events.
pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let new: New = body.json_or(|error| {
        let problem = Problem::bad_request("bad-json", format!("the body cannot be read: {error}"));
        problem.hint("send {\"definition\":{\"name\":\"…\",\"match\":{…},\"steps\":[…]}}")
    })?;
    let of_thread = server.clone();
    if new.dry_run {
        let group = group(&server, new.group.as_deref().unwrap_or_default())?;
        let range = DryRunRange::new(new.from.as_ref(), new.to.as_ref(), new.time_zone.as_deref(), server.now())?;
        let text = format!("dry run of a pipeline on {group}");
        return Ok(Reply::query(&server, &text, move |reading| {
            Ok(Reply::json(&dry_run(reading, &of_thread, (&group, &range), &new.definition)?))
        }));
    }
    let made = move || Ok(Reply::json(&make(&of_thread, &new.definition)?).with_status(StatusCode::CREATED));
    Ok(Reply::look_up(&server, made))
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let intake = &server.app.intake;
    if let Some(made) = intake.made_pipelines().iter().find(|made| made.name() == *name) {
        must_cover(server, &made.definition)?;
    }
    intake.remove_pipeline(name).map_err(problem_of)?;
    server.audit_own("pipeline removed", &json!({"pipeline": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

/// Makes a pipeline that takes away nothing that is needed. Blocks.
fn make(server: &ApiShared, definition: &Value) -> Result<Value> {
    Pipelines::compile_one(definition).map_err(|problem| Problem::bad_request("bad-pipeline", problem))?;
    must_cover(server, definition)?;
    let uses = uses_of(server, &Selection::all_of(definition))?;
    if !uses.is_empty() {
        let message = format!("the pipeline may take away events that are needed by {}", Use::list_text(&uses));
        let problem = Problem::conflict("pipeline-events-used", message);
        return Err(
            problem.hint("narrow its condition, or change what needs them; the configuration file is not checked")
        );
    }
    let intake = &server.app.intake;
    intake.make_pipeline(definition, &server.caller.name, server.now()).map_err(problem_of)?;
    let name = definition["name"].as_str().unwrap_or_default();
    server.audit_own("pipeline made", &json!({"pipeline": name}));
    let made = intake.made_pipelines().into_iter().find(|made| made.name() == name);
    let made = made.ok_or_else(|| Problem::not_found(format!("pipeline {name:?} was removed at once")))?;
    Ok(json!({
        "name": made.name(), "definition": made.definition, "made_by": made.made_by, "made_at": made.made_at,
    }))
}

/// Refuses a pipeline about groups that do not all exist for the caller, or into such.
fn must_cover(server: &Shared, definition: &Value) -> Result<()> {
    if server.caller.scope.is_everything() {
        return Ok(());
    }
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let own = texts(&definition["match"]["group"]);
    let steps = definition["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let targets = steps.iter().flat_map(|step| texts(&step["route"])).map(|route| pattern_of_route(&route));
    let is_covered =
        !own.is_empty() && own.into_iter().chain(targets).all(|group| covers(&server.caller.scope, &group));
    if is_covered {
        return Ok(());
    }
    let message = "a pipeline can only be made for groups that your own key covers, and route to such";
    Err(Problem::forbidden("not-allowed", message).hint("name them under match.group"))
}

/// Returns the pattern of the groups that a template of a route may give.
fn pattern_of_route(route: &str) -> String {
    let mut pattern = String::new();
    let mut rest = route;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(before);
        pattern.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pattern + rest
}

fn problem_of(error: MakePipelineError) -> Problem {
    let message = error.to_string();
    match error {
        MakePipelineError::Definition(_) => Problem::bad_request("bad-pipeline", message),
        MakePipelineError::Taken(_) => Problem::conflict("pipeline-exists", message).hint("choose another name"),
        MakePipelineError::Unknown(_) => Problem::not_found(message),
        MakePipelineError::Store(error) => error.into(),
    }
}

pub(crate) fn test(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let bad = |error: serde_json::Error| Problem::bad_request("bad-json", format!("the body cannot be read: {error}"));
    let asked: Test = serde_json::from_slice(body.bytes()).map_err(bad)?;
    if asked.lines.len() + asked.records.len() > LINES_MAX {
        let message = format!("a dry run takes {LINES_MAX} lines and records at most");
        return Err(Problem::bad_request("too-many-lines", message));
    }
    let pipelines = asked.pipelines.as_ref().map(Pipelines::compile).transpose().map_err(wrong)?;
    let group = group_name_of_outside(asked.group.as_deref().unwrap_or("default"));
    let records: Vec<String> = asked.records.iter().map(Value::to_string).collect();
    let of_lines = asked.lines.iter().map(|line| Sample { bytes: line.as_bytes(), is_record: false });
    let of_records = records.iter().map(|record| Sample { bytes: record.as_bytes(), is_record: true });
    let samples = of_lines.chain(of_records);
    let events = server.app.intake.dry_run(pipelines.as_ref(), (&group, &*asked.stream), samples, server.now());
    Ok(Reply::json(&json!({"events": events})))
}

/// Returns every mistake, a line each, with the place in the definition.
fn wrong(errors: Vec<DefinitionError>) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem::bad_request("bad-pipeline", lines.join("\n"))
}

/// What pipelines count.
pub(crate) fn write(server: &Server, page: &mut Page) {
    let all = server.app.intake.pipelines().status();
    type Count = fn(&PipelineStatus) -> u64;
    let families: [(&str, &str, Count); 6] = [
        ("catat_pipeline_events_total", "Events that fulfilled the condition of a pipeline.", |status| status.events),
        ("catat_pipeline_dropped_total", "Events that it dropped.", |status| status.dropped),
        ("catat_pipeline_sampled_out_total", "Events that fell out of its samples.", |status| status.sampled_out),
        ("catat_pipeline_masked_total", "Events in which it masked something.", |status| status.masked),
        ("catat_pipeline_routed_total", "Events that it sent to another group.", |status| status.routed),
        ("catat_pipeline_failed_total", "Steps of it that could not be done.", |status| status.failed),
    ];
    for (name, help, count) in families.into_iter().filter(|_| !all.is_empty()) {
        page.family(name, Counter, help);
        for status in &all {
            page.sample(name, &[("pipeline", &status.name)], count(status) as f64);
        }
    }
}
