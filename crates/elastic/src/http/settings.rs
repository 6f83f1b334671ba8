//! Settings of indices and the cluster. Those without an effect here are acknowledged, all others are refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json_, json};

use super::errors::NOT_SUPPORTED;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::state::Call;
use super::{catalog, created_indices, mappings, names};
use door::{Outcome, Problem, Reply, Result};

/// Settings of indices without an effect: there are no shards, and events are searchable at once.
const HARMLESS_OF_INDEX: [&str; 21] = [
    "number_of_replicas", "number_of_shards", "auto_expand_replicas", "refresh_interval", "codec", "translog.",
    "merge.", "routing.", "unassigned.", "search.idle.", "mapping.", "max_", "lifecycle.", "hidden", "mode",
    "query.default_field", "priority", "indexing.", "sort.", "soft_deletes.", "version.",
];

/// Settings of the cluster without an effect.
const HARMLESS_OF_CLUSTER: [&str; 5] = [
    "cluster.routing.",
    "cluster.max_shards_per_node",
    "indices.recovery.",
    "logger.",
    "search.max_open_scroll_context",
];

/// Answers `_settings`: the settings of indices, most of which are fixed.
pub(super) fn settings(mut call: Call) -> Outcome {
    let names = call.variable();
    let Call { server, parameters, .. } = call;
    let groups = catalog::groups_of(&server, &names, &parameters)?;
    let mut found: Vec<(String, i64)> = groups
        .iter()
        .map(|group| (group.name.to_string(), group.first.map_or(0, |first| first.0 / 1_000_000)))
        .collect();
    let wanted: Vec<types::GroupPattern> =
        names.split(',').filter(|name| !name.is_empty()).map(types::GroupPattern::new).collect();
    let is_wanted = |name: &str| wanted.is_empty() || types::GroupPattern::any_matches(&wanted, name);
    let empty = created_indices::empty(&server)?.into_iter().filter(|name| is_wanted(name.as_str()));
    found.extend(empty.map(|name| (name.to_string(), 0)));
    let is_flat = parameters.flag_or_bare("flat_settings");
    let kept = mappings::all(&server)?;
    let about = |(name, created): (String, i64)| {
        let values = [
            ("number_of_shards", json!("1")),
            ("number_of_replicas", json!("0")),
            ("provided_name", json!(name)),
            ("uuid", json!(name)),
            ("creation_date", json!(created.to_string())),
        ];
        let kept = kept.declared(&name).map(|declared| shown_settings(&declared.settings)).unwrap_or_default();
        let of_caller =
            flat(&kept).into_iter().map(|(name, value)| (name.trim_start_matches("index.").to_owned(), value));
        let mut values: BTreeMap<String, Json_> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        values.extend(of_caller);
        let settings: Json_ = match is_flat {
            true => values.into_iter().map(|(name, value)| (format!("index.{name}"), value)).collect(),
            false => shown_settings(&values.into_iter().collect::<Map<_, _>>().into()),
        };
        (name, json!({"settings": settings}))
    };
    Paths::of(&parameters).reply(found.into_iter().map(about).collect())
}

/// Answers `PUT {index}/_settings`: acknowledges settings without an effect and refuses all others.
pub(super) fn put_settings(mut call: Call, body: Json_) -> Outcome {
    let index = call.variable();
    indices::resolve(&call.server, &index, Leniency::of_parameters(&call.parameters)?)?;
    check_settings(body.get("settings").unwrap_or(&body))?;
    Ok(Reply::json(&json!({"acknowledged": true})))
}

/// Refuses settings of an index that would have an effect.
pub(super) fn check_settings(settings: &Json_) -> Result<()> {
    for (name, value) in flat(settings) {
        let short = name.strip_prefix("index.").unwrap_or(&name);
        let is_no_pipeline = short.ends_with("_pipeline") && value == "_none";
        let is_analysis = short.starts_with("analysis.");
        let is_harmless = HARMLESS_OF_INDEX.iter().any(|known| short.starts_with(known));
        if !value.is_null() && !is_harmless && !is_no_pipeline && !is_analysis {
            return Err(not_a_setting("index", short));
        }
    }
    Ok(())
}

/// Inserts a value at a path, and the objects around it.
fn put(object: &mut Map<String, Json_>, path: &str, value: Json_) {
    match path.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            if let Json_::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        None => _ = object.insert(path.to_owned(), value),
    }
}

/// Returns settings in the form of answers: below `index`, with values as texts.
pub(super) fn shown_settings(settings: &Json_) -> Json_ {
    let mut shown = Map::new();
    for (name, value) in flat(settings) {
        let value = match value {
            Json_::Number(_) | Json_::Bool(_) => Json_::from(value.to_string()),
            value => value,
        };
        put(&mut shown, name.strip_prefix("index.").unwrap_or(&name), value);
    }
    if shown.is_empty() { json!({}) } else { json!({"index": shown}) }
}

fn not_a_setting(of: &str, name: &str) -> Problem {
    let message = format!("the setting [{of}.{name}] {NOT_SUPPORTED}");
    Problem::bad_request("illegal_argument_exception", message.replace("cluster.action.", "action."))
}

/// Returns all values of nested objects by their paths.
fn flat(json: &Json_) -> Vec<(String, Json_)> {
    let Some(members) = json.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in members {
        match value {
            Json_::Object(_) => {
                found.extend(flat(value).into_iter().map(|(rest, value)| (format!("{name}.{rest}"), value)))
            }
            value => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// Answers `_cluster/settings`: the one that has an effect, if it is set.
pub(super) fn cluster_settings(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::look_up(&server.clone(), move || {
        let mut persistent = Map::new();
        if let Some(rule) = &*names::auto_create(&server)? {
            put(&mut persistent, names::AUTO_CREATE, rule.as_str().into());
        }
        Ok(Reply::json(&json!({"persistent": persistent, "transient": {}})))
    }))
}

/// Answers `PUT _cluster/settings`: acknowledges settings without an effect, keeps which indices are created, refuses
/// all others.
pub(super) fn put_cluster_settings(Call { server, .. }: Call, body: Json_) -> Outcome {
    let (mut of_creation, mut changed) = (None, json!({"persistent": {}, "transient": {}}));
    for of in ["persistent", "transient"] {
        for (name, value) in body.get(of).map(flat).unwrap_or_default() {
            if name == names::AUTO_CREATE {
                changed[of] = json!({"action": {"auto_create_index": value}});
                of_creation = Some(value);
                continue;
            }
            if !value.is_null() && !HARMLESS_OF_CLUSTER.iter().any(|known| name.starts_with(known)) {
                let message = format!("{of} setting [{name}] {NOT_SUPPORTED}");
                return Err(Problem::bad_request("illegal_argument_exception", message));
            }
        }
    }
    changed["acknowledged"] = true.into();
    let answer = Reply::json(&changed);
    let Some(value) = of_creation else { return Ok(answer) };
    Ok(Reply::look_up(&server.clone(), move || names::set_auto_create(&server, &value).map(|()| answer)))
}
