//! `/api/v1/fleet`: the nodes of the fleet that this server is one of.

pub(crate) mod part;

use axum::Json;
use serde_json::{Value, json};

use crate::state::Shared;
use door::problem::Problem;

pub(crate) async fn get(server: Shared) -> Result<Json<Value>, Problem> {
    server.must_reach_everything()?;
    let of_thread = server.clone();
    let Some(fleet) = server.lookups.run(move || of_thread.whole_store().fleet()).await? else {
        let hint = "set [fleet] database and [storage] object_store to make it one";
        return Err(Problem::not_found("this server is no node of a fleet").hint(hint));
    };
    let fleet = fleet.map_err(storage::StoreError::from)?;
    let node = |node: &storage::NodeStatus| {
        json!({
            "node": node.name, "epoch": node.epoch, "address": node.address, "roles": node.roles, "zone": node.zone,
            "joined_s": node.joined_s, "silent_s": node.silent_s, "leases": node.leases,
            "answers_this": node.epoch == fleet.epoch,
        })
    };
    let nodes: Vec<Value> = fleet.nodes.iter().map(node).collect();
    Ok(Json(json!({
        "nodes": nodes, "objects_waiting": fleet.objects, "object_bytes_waiting": fleet.object_bytes,
        "objects_written": fleet.objects_written,
    })))
}
