//! `catat explain-line`: follows one line from its file to an answer, and says where it ended.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use ship::{Backlog, LineStage, LineTrace, TracedLine};

use crate::arguments::ExplainLine;
use crate::client::{Server, add_given};
use crate::config::{Flags, Layers, ShipConfig, all_errors};
use crate::failure::{Failure, Result};
use crate::output::{print_rows, say_partial};

/// Columns of the stages.
const COLUMNS: &str = "stage outcome text";

pub(crate) fn explain_line(options: ExplainLine) -> Result<()> {
    let mut request = json!({});
    let mut stages = Vec::new();
    if let Some(place) = &options.place {
        let trace = on_this_host(&options, place)?;
        stages.extend(trace.stages.iter().map(stage_json));
        let Some(event) = trace.event else { return print(&options, &stages, None) };
        request = request_of(&event);
    }
    add_given(&mut request, &[("text", &options.text), ("group", &options.group), ("query", &options.query)]);
    add_given(&mut request, &[("from", &options.from), ("to", &options.to)]);
    match ask(&options, &request) {
        Ok(answer) => {
            stages.extend(answer["stages"].as_array().into_iter().flatten().cloned());
            say_partial("partial answer", &answer);
            print(&options, &stages, answer["verdict"].as_str())
        }
        // What is known of this host is worth more than nothing.
        Err(failure) => {
            print(&options, &stages, None)?;
            Err(failure)
        }
    }
}

fn ask(options: &ExplainLine, request: &Value) -> Result<Value> {
    let server = Server::new(&options.client.remote)?;
    let query = options.query.as_deref().unwrap_or_default();
    server.ask(server.request(Method::POST, "/api/v1/sources/trace").json(request), query)
}

/// Traces the line as far as this machine knows it.
fn on_this_host(options: &ExplainLine, place: &str) -> Result<LineTrace> {
    let (path, number) = parse_place(place)?;
    let flags = Flags { config: options.config.clone(), ..Flags::default() };
    let layers = Layers::read(&flags, &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)?;
    let config = ShipConfig::of_layers(&layers).map_err(all_errors)?;
    let state_dir = options.state_dir.clone().or_else(|| Some(options.client.remote.data_dir.as_ref()?.join("ship")));
    let state_dir = state_dir.unwrap_or_else(|| config.state_dir.clone());
    let shipped = crate::shipping::ship_options(&state_dir, &[], config.inputs(), None, Backlog::ALL)?;
    LineTrace::new(&shipped.follow, &path, number).map_err(|error| Failure::usage(error.to_string()))
}

/// Reads `FILE:LINE`.
fn parse_place(place: &str) -> Result<(PathBuf, u64)> {
    let wrong = || Failure::usage(format!("{place}: write FILE:LINE, such as /var/log/app.log:17"));
    let (path, number) = place.rsplit_once(':').filter(|(path, _)| !path.is_empty()).ok_or_else(wrong)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok((PathBuf::from(path), number))
}

fn request_of(event: &TracedLine) -> Value {
    let mut request = json!({
        "text": event.text, "path": event.path, "host": event.host, "zone": event.zone, "group": event.group,
        "stream": event.stream, "fields": event.fields, "offset": event.range.start,
        "length": event.range.end - event.range.start,
    });
    if let Some((file, generation)) = &event.identity {
        (request["file"], request["generation"]) = (json!(file), json!(generation));
    }
    request
}

fn stage_json(stage: &LineStage) -> Value {
    json!({"stage": stage.name, "outcome": stage.outcome.name(), "text": stage.text})
}

/// Prints the stages, and the end of the line: the first stage that it did not pass, else the server's verdict.
fn print(options: &ExplainLine, stages: &[Value], verdict: Option<&str>) -> Result<()> {
    print_rows(&options.client.printing, COLUMNS, stages)?;
    let is_stored = stages.iter().any(|stage| stage["stage"] == "store" && stage["outcome"] == "passed");
    let is_end = |stage: &&Value| ["stopped", "waiting"].contains(&stage["outcome"].as_str().unwrap_or_default());
    let end = stages.iter().find(|stage| is_end(stage) && !is_stored);
    let text = end.and_then(|stage| stage["text"].as_str()).or(verdict);
    if let Some(text) = text {
        say!("catat: {}", crate::output::harmless(text, false));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
