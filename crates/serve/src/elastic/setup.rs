//! What agents make before they send: indices, which are groups, and templates, policies, aliases and pipelines, which
//! are acknowledged and not kept.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::{GroupName, group_name_of_outside};

use super::{aliases, error_answer, made, manage};
use crate::access::Role;
use crate::problem::Problem;
use crate::server::Shared;

/// Said with an acknowledgement of what is not kept.
const NOT_KEPT: HeaderValue = HeaderValue::from_static(
    "299 catat \"acknowledged, but not kept: events need no template, policy, alias or pipeline\"",
);

/// Acknowledges what is not kept: it is not needed, or the key may not decide about it.
pub(super) async fn acknowledge() -> Response {
    ([(header::WARNING, NOT_KEPT)], Json(json!({"acknowledged": true}))).into_response()
}

/// Nothing of the kind is kept.
pub(super) async fn missing(uri: Uri) -> Response {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    error_answer(StatusCode::NOT_FOUND, "resource_not_found_exception", &format!("[{name}] is missing"))
}

/// Events are found as soon as they are acknowledged: there is nothing to wait for.
pub(super) async fn refresh() -> Json<Value> {
    Json(json!({"_shards": {"total": 1, "successful": 1, "failed": 0}}))
}

/// The group of an index, where it is within the caller's reach.
fn group_of(server: &Shared, index: &str) -> Option<GroupName> {
    let group = group_name_of_outside(index);
    server.caller.scope.admits(group.as_str()).then_some(group)
}

/// Whether there is such an index, and the little that is to be said of it.
pub(super) async fn index(server: Shared, Path(index): Path<String>) -> Result<Response, Problem> {
    if index.starts_with('_') {
        return Err(manage::nothing_at(&Method::GET, &format!("/{index}")));
    }
    let exists = match group_of(&server, &index) {
        Some(group) => server.app.store.has_group(&group) || made::has(&server, &group)?,
        None => false,
    };
    let aliases = if server.caller.may(Role::Read) { aliases::seen(&server)? } else { Default::default() };
    let mut names = aliases.get(&index).cloned().unwrap_or_default();
    names.extend(exists.then(|| index.clone()));
    if names.is_empty() {
        let reason = format!("no such index [{index}]");
        return Ok(error_answer(StatusCode::NOT_FOUND, "index_not_found_exception", &reason));
    }
    let about = |name: &str| {
        json!({
            "aliases": aliases::shown(&aliases, name),
            "mappings": {"dynamic": "true"},
            "settings": {"index": {"number_of_shards": "1", "number_of_replicas": "0", "provided_name": name}},
        })
    };
    let answer: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), about(name))).collect();
    Ok(Json(Value::Object(answer)).into_response())
}

/// Makes an index: it is found, and is a group with its first event.
pub(super) async fn make_index(server: Shared, Path(index): Path<String>) -> Result<Response, Problem> {
    if index.starts_with(['_', '-', '+']) {
        let reason = format!("Invalid index name [{index}], must not start with '_', '-', or '+'");
        return Ok(error_answer(StatusCode::BAD_REQUEST, "invalid_index_name_exception", &reason));
    }
    let Some(group) = group_of(&server, &index) else {
        let message = format!("this key may not send to the group {}", group_name_of_outside(&index));
        return Err(Problem::new(StatusCode::FORBIDDEN, "group-out-of-scope", message));
    };
    let of_thread = server.clone();
    let is_new = server.lookups.run(move || {
        let exists = of_thread.app.store.has_group(&group) || made::has(&of_thread, &group)?;
        if !exists {
            made::make(&of_thread, &group)?;
        }
        Ok::<_, Problem>(!exists)
    });
    if !is_new.await?? {
        let reason = format!("index [{index}] already exists");
        return Ok(error_answer(StatusCode::BAD_REQUEST, "resource_already_exists_exception", &reason));
    }
    Ok(Json(json!({"acknowledged": true, "shards_acknowledged": true, "index": index})).into_response())
}
