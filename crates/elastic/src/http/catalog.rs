//! Which indices there are and what fields they have: `_mapping`, `_field_caps`, `_resolve/index`, `_stats`,
//! `_search_shards`.
//!
//! A field has the type of the values that were seen. Texts are `text`, with a `.keyword` beside it that means the same
//! field as a whole, as Elasticsearch maps them by itself.

use std::collections::{BTreeMap, BTreeSet};

use esql::mapped_type;
use execute::FieldSummaryRow;
use language::dsl::parse_query;
use language::mapping::Mapping;
use serde_json::{Map, Value as Json_, json};
use storage::GroupStatus;
use types::{GroupPattern, TimeRange};

use super::alias_lookup::seen;
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::search_run::query;
use super::state::{Call, Shared};
use super::{created_indices, info, mappings};
use door::{Outcome, Parameters, Reply, Result};

/// Limit on the fields of a group in an answer; the most frequent ones are returned.
const FIELDS_MAX: usize = 10_000;

/// Limit on the runs of a group whose fields are read, newest first.
const RUNS_MAX: usize = 1_000;

/// Fields that every event has, with their types.
const OURS: [(&str, &str); 4] =
    [("@timestamp", "date"), ("message", "text"), ("level", "keyword"), ("@logStream", "keyword")];

/// Fields of groups by the groups' names.
type FieldsOfGroups = BTreeMap<String, Vec<FieldSummaryRow>>;

/// Answers with what is made of the fields of indices.
fn with_fields(
    server: &Shared,
    names: &str,
    parameters: &Parameters,
    range: TimeRange,
    answer: impl FnOnce(&Shared, FieldsOfGroups) -> Outcome + Send + 'static,
) -> Outcome {
    let groups = indices::resolve(server, names, Leniency::of_parameters(parameters)?)?;
    let Some(groups) = groups else { return answer(server, FieldsOfGroups::new()) };
    let is_meant = |name: &str| groups.is_empty() || GroupPattern::any_matches(&groups, name);
    let empty: Vec<String> =
        created_indices::empty(server)?.iter().map(ToString::to_string).filter(|name| is_meant(name)).collect();
    query(server, "fields", move |reading| {
        let mut by_group: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for run in reading.snapshot(&groups, range).runs {
            by_group.entry(run.info().group.to_string()).or_default().push(run);
        }
        let fields = |(group, mut runs): (String, Vec<std::sync::Arc<dyn types::Run>>)| {
            runs.sort_by_key(|run| std::cmp::Reverse(run.info().last));
            runs.truncate(RUNS_MAX);
            let mut fields = execute::field_types(&runs, range).fields;
            fields.retain(|field| !field.name.starts_with('@') && field.name != "_id");
            fields.truncate(FIELDS_MAX);
            (group, fields)
        };
        let mut found: FieldsOfGroups = by_group.into_iter().map(fields).collect();
        // Indices without an event have the fields that they are declared with.
        for group in empty {
            found.entry(group).or_default();
        }
        answer(reading.server, found)
    })
}

/// Returns all fields of a group with their types, and whether they are declared.
fn typed(fields: &[FieldSummaryRow], mapping: Option<&Mapping>) -> Vec<(String, String, bool)> {
    let mut typed: BTreeMap<&str, (&str, bool)> = OURS.into_iter().map(|(name, kind)| (name, (kind, false))).collect();
    for field in fields {
        let kind = mapped_type(&field.types);
        let known = typed.entry(&field.name).or_insert((kind, false));
        // A level that was sent as a text has its whole value as `level.keyword`.
        if field.name == "level" && kind == "text" {
            known.0 = kind;
        }
    }
    if let Some(mapping) = mapping {
        typed.retain(|name, _| !mapping.hides(name));
        for (name, kind) in &mut typed {
            if let Some(declared) = mapping.type_of(name) {
                *kind = (declared, true);
            }
        }
        typed.extend(mapping.types().map(|(name, kind)| (name, (kind, true))));
    }
    typed.into_iter().map(|(name, (kind, is_declared))| (name.to_owned(), kind.to_owned(), is_declared)).collect()
}

/// Returns the declared types of the fields of indices.
fn schema_of(server: &Shared, names: &str, parameters: &Parameters) -> Result<language::mapping::Schema> {
    let groups = indices::resolve(server, names, Leniency::of_parameters(parameters)?)?;
    mappings::schema(server, groups.as_deref())
}

fn property(kind: &str) -> Json_ {
    match kind {
        "text" => json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 65536}}}),
        kind => json!({"type": kind}),
    }
}

/// Inserts a field at a path, and the objects around it.
fn put(properties: &mut Map<String, Json_>, path: &str, property: Json_) {
    if let Some((first, rest)) = path.split_once('.')
        && !first.is_empty()
        && !rest.is_empty()
        && let Json_::Object(object) = properties.entry(first).or_insert_with(|| json!({}))
        && let Json_::Object(inner) = object.entry("properties").or_insert_with(|| json!({}))
    {
        return put(inner, rest, property);
    }
    if let (Json_::Object(known), Json_::Object(new)) = (properties.entry(path).or_insert_with(|| json!({})), property)
    {
        known.extend(new);
    }
}

/// Answers `_mapping`: the declared and observed fields of indices.
pub(super) fn mapping(mut call: Call) -> Outcome {
    let index = call.variable();
    let filter = Paths::of(&call.parameters);
    with_fields(&call.server, &index, &call.parameters, TimeRange::ALL, move |server, groups| {
        let kept = mappings::all(server)?;
        let of_group = |(group, fields): (String, Vec<FieldSummaryRow>)| {
            let shown = mapping_json(kept.mapping(&group).as_deref(), &fields);
            (group, json!({"mappings": shown}))
        };
        filter.reply(groups.into_iter().map(of_group).collect())
    })
}

fn mapping_json(mapping: Option<&Mapping>, fields: &[FieldSummaryRow]) -> Json_ {
    let declared = mapping.map_or_else(|| json!({}), |mapping| mapping.json.clone());
    let Json_::Object(mut shown) = declared else { return json!({}) };
    let mut properties = match shown.remove("properties") {
        Some(Json_::Object(properties)) => properties,
        _ => Map::new(),
    };
    for (name, kind, is_declared) in typed(fields, mapping) {
        if !mapping.is_some_and(|mapping| mapping.declares(&name)) {
            let property = if is_declared { json!({"type": kind}) } else { property(&kind) };
            put(&mut properties, &name, property);
        }
    }
    shown.insert("properties".into(), properties.into());
    shown.into()
}

/// Answers `_field_caps`: the fields of indices and their capabilities.
pub(super) fn capabilities(mut call: Call, body: Json_) -> Outcome {
    let index = call.variable();
    let Call { server, parameters, .. } = call;
    let mut patterns: Vec<GroupPattern> =
        parameters.all("fields").flat_map(|names| names.split(',')).map(GroupPattern::new).collect();
    let of_body = body.get("fields").and_then(Json_::as_array).into_iter().flatten().filter_map(Json_::as_str);
    patterns.extend(of_body.map(GroupPattern::new));
    // Indices without events in the range of the filter are left out; its other conditions are checked only.
    let range = match body.get("index_filter") {
        Some(filter) => parse_query(Some(filter), server.now(), &schema_of(&server, &index, &parameters)?)?.range,
        None => TimeRange::ALL,
    };
    let filter = Paths::of(&parameters);
    with_fields(&server, &index, &parameters, range, move |server, groups| {
        let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let kept = mappings::all(server)?;
        for (group, of_group) in &groups {
            let mapping = kept.mapping(group);
            for (name, kind, is_declared) in typed(of_group, mapping.as_deref()) {
                if kind == "text" && !is_declared {
                    fields.entry(format!("{name}.keyword")).or_default().insert("keyword".into());
                }
                fields.entry(name).or_default().insert(kind);
            }
        }
        fields.retain(|name, _| patterns.is_empty() || GroupPattern::any_matches(&patterns, name));
        let shown: Map<String, Json_> = fields
            .into_iter()
            .map(|(name, kinds)| (name, kinds.into_iter().map(|kind| (kind.clone(), capability(&kind))).collect()))
            .collect();
        filter.reply(json!({"indices": groups.keys().collect::<Vec<_>>(), "fields": shown}))
    })
}

fn capability(kind: &str) -> Json_ {
    let is_aggregatable = kind != "object";
    // Types of a family have its name.
    let kind = if kind == "match_only_text" { "text" } else { kind };
    json!({"type": kind, "metadata_field": false, "searchable": true, "aggregatable": is_aggregatable})
}

/// Returns the groups that names of indices match.
pub(super) fn groups_of(server: &Shared, names: &str, parameters: &Parameters) -> Result<Vec<GroupStatus>> {
    let wanted = indices::resolve(server, names, Leniency::of_parameters(parameters)?)?;
    let Some(wanted) = wanted else { return Ok(Vec::new()) };
    let mut groups = server.groups();
    groups.retain(|group| GroupPattern::any_matches(&wanted, group.name.as_str()));
    Ok(groups)
}

/// Answers `_resolve/index/{name}`.
pub(super) fn resolve(mut call: Call) -> Outcome {
    let name = call.variable();
    let Call { server, parameters, .. } = call;
    let (groups, aliases) = (groups_of(&server, &name, &parameters)?, seen(&server)?);
    let index = |group: &GroupStatus| {
        let mut index = json!({"name": group.name.as_str(), "attributes": ["open"]});
        let of_group: Vec<&String> =
            aliases.iter().filter(|(_, groups)| groups.contains(group.name.as_str())).map(|(name, _)| name).collect();
        if !of_group.is_empty() {
            index["aliases"] = json!(of_group);
        }
        index
    };
    let patterns: Vec<GroupPattern> = name.split(',').map(GroupPattern::new).collect();
    let meant = aliases.iter().filter(|(name, _)| GroupPattern::any_matches(&patterns, name));
    let of_alias: Vec<Json_> = meant.map(|(name, groups)| json!({"name": name, "indices": groups})).collect();
    let indices: Vec<Json_> = groups.iter().map(index).collect();
    Ok(Reply::json(&json!({"indices": indices, "aliases": of_alias, "data_streams": []})))
}

/// Returns the bytes of a group: stored ones, or those sent if it is not in segments yet.
pub(super) fn bytes_of(group: &GroupStatus) -> u64 {
    if group.bytes_stored > 0 { group.bytes_stored } else { group.bytes_raw }
}

/// Answers `_stats`: the number of events and their bytes. A group counts as one shard.
pub(super) fn stats(mut call: Call) -> Outcome {
    let names = call.variable();
    let groups = groups_of(&call.server, &names, &call.parameters)?;
    let numbers = |groups: &[&GroupStatus]| {
        let sum = |number: fn(&GroupStatus) -> u64| groups.iter().map(|group| number(group)).sum::<u64>();
        let bytes = sum(bytes_of);
        json!({
            "docs": {"count": sum(|group| group.n_events), "deleted": 0},
            "segments": {"count": groups.len()},
            "store": {"size_in_bytes": bytes, "total_data_set_size_in_bytes": bytes, "reserved_in_bytes": 0},
        })
    };
    let both = |groups: &[&GroupStatus]| json!({"primaries": numbers(groups), "total": numbers(groups)});
    let indices: Map<String, Json_> = groups.iter().map(|group| (group.name.to_string(), both(&[group]))).collect();
    let all: Vec<&GroupStatus> = groups.iter().collect();
    let shards = json!({"total": groups.len(), "successful": groups.len(), "failed": 0});
    Ok(Reply::json(&json!({"_shards": shards, "_all": both(&all), "indices": indices})))
}

/// Answers `_search_shards`: one shard for each group.
pub(super) fn shards(mut call: Call) -> Outcome {
    let names = call.variable();
    let groups = groups_of(&call.server, &names, &call.parameters)?;
    let shard = |group: &GroupStatus| {
        json!([{"state": "STARTED", "primary": true, "node": info::ID, "relocating_node": null, "shard": 0,
                "index": group.name.as_str(), "allocation_id": {"id": info::ID}}])
    };
    let indices: Map<String, Json_> = groups.iter().map(|group| (group.name.to_string(), json!({}))).collect();
    let shards: Vec<Json_> = groups.iter().map(shard).collect();
    Ok(Reply::json(&json!({"nodes": {info::ID: {"name": info::NAME}}, "indices": indices, "shards": shards})))
}

/// Answers `_cluster/stats`.
pub(super) fn cluster_stats(Call { server, .. }: Call) -> Outcome {
    let groups = server.groups();
    let sum = |number: fn(&storage::GroupStatus) -> u64| groups.iter().map(number).sum::<u64>();
    Ok(Reply::json(&json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": info::NAME, "cluster_uuid": info::ID, "status": info::state(&server),
        "timestamp": server.now().0.div_euclid(1_000_000),
        "indices": {
            "count": groups.len(), "shards": {"total": groups.len(), "primaries": groups.len()},
            "docs": {"count": sum(|group| group.n_events), "deleted": 0},
            "store": {"size_in_bytes": sum(bytes_of)},
        },
        "nodes": {"count": {"total": 1, "data": 1, "ingest": 1, "master": 1}, "versions": [info::VERSION]},
    })))
}
