//! What clients have said to the cluster that requests are checked by: names of ingest pipelines, and which indices a
//! document may create.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-pipeline` | the pipeline | `{}`: it was put; pipelines themselves are not kept |
//! | `elastic-cluster` | `action.auto_create_index` | a text: `true`, `false`, or patterns with `+` and `-` |

use std::collections::BTreeSet;
use std::sync::Arc;

use door::{Problem, Result};
use serde_json::{Value as Json_, json};
use types::{GroupName, GroupPattern, ensure};

use super::created_indices;
use super::state::Shared;

const PIPELINE: &str = "elastic-pipeline";
const CLUSTER: &str = "elastic-cluster";

/// The only setting of the cluster with an effect.
pub(super) const AUTO_CREATE: &str = "action.auto_create_index";

/// The name of no pipeline.
const NONE: &str = "_none";

/// Limit on the pipelines that are known by name.
const PIPELINES_MAX: usize = 1_000;

/// Returns the names of the pipelines that were put.
pub(super) fn pipelines(server: &Shared) -> Result<Arc<BTreeSet<String>>> {
    let read = || Ok(server.settings().all(PIPELINE)?.into_iter().map(|(name, _)| name).collect());
    server.state.pipelines.get(read)
}

/// Refuses a pipeline that no client has put.
pub(super) fn check_pipeline(server: &Shared, name: Option<&str>) -> Result<()> {
    match name {
        Some(name) if name != NONE && !pipelines(server)?.contains(name) => {
            Err(argument_error(format!("pipeline with id [{name}] does not exist")))
        }
        _ => Ok(()),
    }
}

/// Keeps the name of a pipeline. Blocks.
pub(super) fn keep_pipeline(server: &Shared, name: &str) -> Result<()> {
    let _changing = server.state.pipelines.lock();
    let known = pipelines(server)?;
    if known.contains(name) {
        return Ok(());
    }
    ensure!(known.len() < PIPELINES_MAX, argument_error(format!("there are {PIPELINES_MAX} pipelines already")));
    server.settings().put(PIPELINE, name, "{}")?;
    server.state.pipelines.invalidate();
    Ok(())
}

/// Returns the setting that says which indices a document may create; `None` for all.
pub(super) fn auto_create(server: &Shared) -> Result<Arc<Option<String>>> {
    let read = || Ok(server.settings().get(CLUSTER, AUTO_CREATE)?.and_then(|json| serde_json::from_str(&json).ok()));
    server.state.auto_create.get(read)
}

/// Changes the setting; `null` is all. Blocks.
pub(super) fn set_auto_create(server: &Shared, value: &Json_) -> Result<()> {
    let text = match value {
        Json_::Null => None,
        Json_::String(text) => Some(text.clone()),
        Json_::Bool(flag) => Some(flag.to_string()),
        other => return Err(argument_error(format!("[{AUTO_CREATE}] is true, false or patterns, not {other}"))),
    };
    match text {
        None => server.settings().remove(CLUSTER, AUTO_CREATE)?,
        Some(text) => server.settings().put(CLUSTER, AUTO_CREATE, &json!(text).to_string())?,
    }
    server.state.auto_create.invalidate();
    server.audit_own("setting changed", &json!({AUTO_CREATE: value}));
    Ok(())
}

/// Returns why a document may not create its index.
pub(super) fn refusal_to_create(server: &Shared, rule: &Option<String>, group: &GroupName) -> Option<String> {
    let rule = rule.as_deref().filter(|rule| !creates(rule, group.as_str()))?;
    let exists = server.store().has_group(group) || created_indices::has(server, group).unwrap_or(true);
    (!exists).then(|| format!("no such index [{group}] and [{AUTO_CREATE}] is [{rule}]"))
}

fn argument_error(message: String) -> Problem {
    Problem::bad_request("illegal_argument_exception", message)
}

/// Reports whether a rule lets a document create an index: the first pattern that matches decides.
fn creates(rule: &str, name: &str) -> bool {
    match rule {
        "true" => true,
        "false" => false,
        patterns => patterns
            .split(',')
            .map(str::trim)
            .find_map(|pattern| {
                let (is_allowed, pattern) = match pattern.strip_prefix('-') {
                    Some(pattern) => (false, pattern),
                    None => (true, pattern.strip_prefix('+').unwrap_or(pattern)),
                };
                GroupPattern::new(pattern).matches(name).then_some(is_allowed)
            })
            .unwrap_or(false),
    }
}

#[cfg(test)]
mod tests;
