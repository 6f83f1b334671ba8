//! The objects that agents create before they send: indices, which are groups; policies and pipelines, which are
//! acknowledged but not stored.

use axum::http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use types::{GroupName, ensure, group_name_of_outside};

use super::alias_lookup::{seen, shown};
use super::declaration::Declaration;
use super::errors::{error_answer, not_found};
use super::state::{Call, Shared};
use super::{created_indices, mappings, names, settings, unsupported};
use door::{Outcome, Problem, Reply, Result, Role};

/// The warning of an acknowledgement without an effect.
const NOT_KEPT: HeaderValue =
    HeaderValue::from_static("299 catat \"acknowledged, but not kept: events need no policy or pipeline\"");

/// Acknowledges an object that is not stored.
pub(super) fn acknowledge(_: Call) -> Outcome {
    Ok(acknowledged())
}

/// Answers `PUT _ingest/pipeline/{name}`: keeps the name.
pub(super) fn put_pipeline(mut call: Call) -> Outcome {
    let (name, server) = (call.variable(), call.server);
    Ok(Reply::look_up(&server.clone(), move || names::keep_pipeline(&server, &name).map(|()| acknowledged())))
}

fn acknowledged() -> Reply {
    Reply::json(&json!({"acknowledged": true})).with_header(header::WARNING, NOT_KEPT)
}

/// Answers that an object does not exist.
pub(super) fn missing(call: Call) -> Outcome {
    let name = call.parts.uri.path().rsplit('/').next().unwrap_or_default();
    Ok(not_found(&format!("[{name}] is missing")))
}

/// Answers `_refresh`, `_flush` and `_forcemerge`: events are durable and searchable as soon as they are acknowledged.
pub(super) fn refresh(_: Call) -> Outcome {
    Ok(Reply::json(&json!({"_shards": {"total": 1, "successful": 1, "failed": 0}})))
}

/// Returns the group of an index, if it is within the caller's scope.
fn group_of(server: &Shared, index: &str) -> Option<GroupName> {
    let group = group_name_of_outside(index);
    server.caller.scope.admits(group.as_str()).then_some(group)
}

/// Answers `{index}`: an index with its aliases, mappings and settings.
pub(super) fn index(mut call: Call) -> Outcome {
    let (index, server) = (call.variable(), call.server);
    ensure!(!index.starts_with('_'), unsupported::nothing_at(&Method::GET, &format!("/{index}")));
    let exists = match group_of(&server, &index) {
        Some(group) => server.store().has_group(&group) || created_indices::has(&server, &group)?,
        None => false,
    };
    let aliases = if server.caller.may(Role::Read) { seen(&server)? } else { Default::default() };
    let mut names = aliases.get(&index).cloned().unwrap_or_default();
    names.extend(exists.then(|| index.clone()));
    if names.is_empty() {
        let reason = format!("no such index [{index}]");
        return Ok(error_answer(StatusCode::NOT_FOUND, "index_not_found_exception", &reason));
    }
    let kept = mappings::all(&server)?;
    let about = |name: &str| {
        json!({
            "aliases": shown(&aliases, name),
            "mappings": kept.mapping(name).map_or_else(|| json!({}), |mapping| mapping.json.clone()),
            "settings": {"index": {"number_of_shards": "1", "number_of_replicas": "0", "provided_name": name}},
        })
    };
    let answer: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), about(name))).collect();
    Ok(Reply::serialized(&answer))
}

/// Reads the declaration of an index from a body.
fn declared(body: &Value) -> Result<Declaration> {
    let bad = |message: String| Problem::bad_request("parse_exception", message);
    let Some(members) = body.as_object() else { return Err(bad("the body is not an object".into())) };
    for (name, value) in members {
        match name.as_str() {
            "settings" => settings::check_settings(value)?,
            "mappings" => {}
            "aliases" if value.as_object().is_none_or(serde_json::Map::is_empty) => {}
            "aliases" => {
                let message = "[aliases] of a new index is not supported; add it with PUT INDEX/_alias/NAME";
                return Err(Problem::bad_request("illegal_argument_exception", message));
            }
            other => return Err(bad(format!("unknown key [{other}] for create index"))),
        }
    }
    let of = |name: &str| members.get(name).cloned().unwrap_or_default();
    Ok(Declaration { mappings: of("mappings"), settings: of("settings") })
}

/// Answers `PUT {index}`: creates an index with its mapping. It becomes a group with its first event.
pub(super) fn make_index(mut call: Call, sent: Value) -> Outcome {
    let (index, server) = (call.variable(), call.server);
    if index.starts_with(['_', '-', '+']) {
        let reason = format!("Invalid index name [{index}], must not start with '_', '-', or '+'");
        return Ok(error_answer(StatusCode::BAD_REQUEST, "invalid_index_name_exception", &reason));
    }
    let Some(group) = group_of(&server, &index) else {
        let message = format!("this key may not send to the group {}", group_name_of_outside(&index));
        return Err(Problem::forbidden("group-out-of-scope", message));
    };
    let declared = declared(&sent)?;
    Ok(Reply::look_up(&server.clone(), move || {
        let _changing = server.state.mappings.lock();
        if server.store().has_group(&group) || created_indices::has(&server, &group)? {
            let reason = format!("index [{index}] already exists");
            return Ok(error_answer(StatusCode::BAD_REQUEST, "resource_already_exists_exception", &reason));
        }
        let by_template = mappings::all(&server)?.declared(group.as_str());
        if by_template.is_some() || declared != Declaration::default() {
            let base = by_template.unwrap_or_default();
            mappings::keep(&server, &group, &base.with(&declared))?;
        }
        created_indices::create(&server, &group)?;
        Ok(Reply::json(&json!({"acknowledged": true, "shards_acknowledged": true, "index": index})))
    }))
}
