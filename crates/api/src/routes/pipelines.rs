//! `/api/v1/pipelines`: what is done to events on their way in, and its dry run.

use axum::Json;
use axum::body::Body;
use definition::DefinitionError;
use ingest::{PipelineStatus, Pipelines, Sample};
use serde::Deserialize;
use serde_json::{Value, json};
use types::group_name_of_outside;

use door::exposition::Kind::Counter;
use door::exposition::Page;
use door::problem::Problem;
use door::server::{Server, Shared};

/// Largest body of a dry run, and most lines of one: what a person tries, and reads the answer of.
const BODY_BYTES_MAX: usize = 4 << 20;
const LINES_MAX: usize = 1_000;

/// What a dry run is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    /// Pipelines to try; those that hold now where there are none.
    pipelines: Option<Value>,
    group: Option<String>,
    #[serde(default)]
    stream: String,
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default)]
    records: Vec<Value>,
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let shown = |status: PipelineStatus| {
        json!({
            "name": status.name, "definition": status.definition, "events": status.events, "dropped": status.dropped,
            "sampled_out": status.sampled_out, "masked": status.masked, "routed": status.routed, "failed": status.failed,
        })
    };
    let status = server.app.intake.pipelines().status();
    Json(json!({"pipelines": status.into_iter().map(shown).collect::<Vec<_>>()}))
}

pub(crate) async fn test(server: Shared, body: Body) -> Result<Json<Value>, Problem> {
    let received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let of_thread = server.clone();
    let work = move || -> Result<Value, Problem> {
        let bad =
            |error: serde_json::Error| Problem::bad_request("bad-json", format!("the body cannot be read: {error}"));
        let asked: Test = serde_json::from_slice(received.bytes()).map_err(bad)?;
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
        let place = (&group, &*asked.stream);
        let events = of_thread.app.intake.dry_run(pipelines.as_ref(), place, samples, of_thread.now());
        Ok(json!({"events": events}))
    };
    Ok(Json(server.lookups.run(work).await??))
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
