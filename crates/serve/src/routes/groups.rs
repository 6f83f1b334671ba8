//! `/api/v1/groups`: what groups there are, how large, and their deletion.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use storage::GroupStatus;
use types::GroupName;

use crate::parameters::PathName;
use crate::problem::Problem;
use crate::server::Shared;

pub(crate) async fn list(State(server): Shared) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let groups = server.lookups.run(move || of_thread.app.store.groups()).await?;
    Ok(Json(json!({"groups": groups.iter().map(group_json).collect::<Vec<_>>()})))
}

pub(crate) async fn get(State(server): Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let groups = server.lookups.run(move || of_thread.app.store.groups()).await?;
    let found = groups.iter().find(|group| group.name.as_str() == name);
    found.map(|group| Json(group_json(group))).ok_or_else(|| no_group(&name))
}

pub(crate) async fn delete(State(server): Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let group = GroupName::new(&name).ok_or_else(|| no_group(&name))?;
    let of_thread = server.clone();
    let is_deleted = server.lookups.run(move || of_thread.app.store.delete_group(&group)).await??;
    if is_deleted { Ok(Json(json!({"deleted": true}))) } else { Err(no_group(&name)) }
}

fn no_group(name: &str) -> Problem {
    Problem::not_found(format!("there is no log group {name:?}"))
}

fn group_json(group: &GroupStatus) -> Value {
    json!({
        "name": group.name.as_str(), "events": group.n_events,
        "bytes_raw": group.bytes_raw, "bytes_stored": group.bytes_stored,
        "first": group.first.map(|t| t.to_string()), "last": group.last.map(|t| t.to_string()),
        "streams": group.streams.iter().map(|stream| &**stream).collect::<Vec<_>>(),
    })
}
