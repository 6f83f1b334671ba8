//! The stages at which a line becomes an event: `recognised`, `pipeline`, `limits`, `group`.

use ingest::{KeptEvent, TracedEvent};
use serde_json::{Value, json};
use types::Limits;

use super::stage::{Outcome, Stage};

/// What a caller may see of pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PipelineView {
    /// Their names, and what they did.
    Names,
    /// Also the values before and after each step.
    Values,
}

/// Returns the stages of a traced text up to its group.
pub(super) fn stages(traced: &TracedEvent, limits: &Limits, view: PipelineView) -> Vec<Stage> {
    let account = &traced.account;
    if let Some(error) = account["error"].as_str() {
        return vec![Stage::new("recognised", Outcome::Stopped, format!("it cannot be read: {error}"))];
    }
    let mut stages = vec![recognised(account)];
    stages.extend(pipelines(account, view));
    if let Some(kept) = &traced.kept {
        stages.push(limited(kept, limits));
        stages.push(grouped(kept));
    }
    stages
}

/// Reports whether a step replaced something that must not be kept.
pub(super) fn is_masked(account: &Value) -> bool {
    account["steps"].as_array().into_iter().flatten().any(|step| step["done"] == "masked")
}

fn recognised(account: &Value) -> Stage {
    let recognised = &account["recognised"];
    let text = |name: &str| recognised[name].as_str().unwrap_or_default();
    let level = match text("level") {
        "" => "no level".to_owned(),
        because => format!("level: {because}"),
    };
    let sentence = format!("{}, {}; time: {}; {level}", text("as"), text("because"), text("time"));
    Stage::new("recognised", Outcome::Passed, sentence)
        .with("as", text("as"))
        .with("has_time", recognised["has_time"].clone())
}

/// Returns one stage for all pipelines.
fn pipelines(account: &Value, view: PipelineView) -> Option<Stage> {
    let steps: Vec<&Value> = account["steps"].as_array().into_iter().flatten().collect();
    let matched: Vec<&str> =
        (steps.iter()).filter(|step| step["matched"] == true).filter_map(|step| step["pipeline"].as_str()).collect();
    if matched.is_empty() {
        let text = if steps.is_empty() { "there are no pipelines" } else { "no pipeline applies to it" };
        return Some(Stage::new("pipeline", Outcome::Passed, text));
    }
    let acted = steps.iter().filter(|step| step.get("done").is_some_and(|done| done != "nothing"));
    let acted: Vec<Value> = acted.map(|step| shown(step, view)).collect();
    let of_fate = |step: &&Value| ["dropped", "sampled out"].contains(&step["done"].as_str().unwrap_or_default());
    let (outcome, text) = match steps.iter().copied().find(of_fate) {
        Some(step) => {
            let (name, number) = (step["pipeline"].as_str().unwrap_or_default(), &step["step"]);
            let done = step["done"].as_str().unwrap_or_default();
            (Outcome::Stopped, format!("{done} by step {number} of the pipeline {name:?}"))
        }
        None if acted.iter().any(|step| step["done"] != "not done") => {
            (Outcome::Changed, format!("changed by {}", quoted(&matched)))
        }
        None => (Outcome::Passed, format!("left as it is by {}", quoted(&matched))),
    };
    Some(Stage::new("pipeline", outcome, text).with("steps", acted))
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let noun = if names.len() == 1 { "the pipeline" } else { "the pipelines" };
    format!("{noun} {}", names.join(", "))
}

/// Returns a step as the caller may see it. Values are for administrators: a mask that hashes would tell everyone who may ask
/// whether a guess is right.
fn shown(step: &Value, view: PipelineView) -> Value {
    if view == PipelineView::Values {
        return step.clone();
    }
    let fields: Vec<&Value> = step["changes"].as_array().into_iter().flatten().map(|change| &change["field"]).collect();
    json!({
        "pipeline": step["pipeline"], "step": step["step"], "kind": step["kind"], "done": step["done"],
        "fields": fields,
    })
}

fn limited(kept: &KeptEvent, limits: &Limits) -> Stage {
    let mut said = Vec::new();
    if kept.n_parts > 1 {
        let (n_parts, n_bytes) = (kept.n_parts, limits.event_bytes_max);
        said.push(format!(
            "its text is split into {n_parts} events of at most {n_bytes} bytes (limits.max_event_bytes)"
        ));
    }
    if let Some(n_fields) = &kept.fields_dropped {
        said.push(format!("{n_fields} fields beyond the limits are kept as text in @rest"));
    }
    if let Some(time) = &kept.time_rejected {
        said.push(format!("its time {time} cannot be right; it has the time of arrival"));
    }
    match said.is_empty() {
        true => Stage::new("limits", Outcome::Passed, "within all limits of an event"),
        false => Stage::new("limits", Outcome::Changed, said.join("; ")),
    }
}

fn grouped(kept: &KeptEvent) -> Stage {
    let group = kept.group.as_str();
    if let Some(oldest) = kept.oldest.filter(|oldest| kept.time < *oldest) {
        let text = format!(
            "refused: it happened at {}, and the group {group} keeps nothing from before {oldest} (retention by age)",
            kept.time
        );
        return Stage::new("group", Outcome::Stopped, text).with("group", group);
    }
    if kept.overflows {
        let text =
            format!("there are as many groups as limits.groups permits: it goes to overflow, with {group} in @group");
        return Stage::new("group", Outcome::Changed, text).with("group", "overflow");
    }
    Stage::new("group", Outcome::Passed, format!("it goes to the group {group}")).with("group", group)
}
