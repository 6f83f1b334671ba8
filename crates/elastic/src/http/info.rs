//! The identity and health of the cluster, which agents query before they send.

use axum::http::header;
use serde_json::{Value, json};

use super::state::Call;
use door::health::reasons;
use door::{Outcome, Reply, Server};

/// The version in answers. Agents refuse to send to a much older version than their own.
pub(super) const VERSION: &str = "8.19.0";

/// The cluster's and the node's name.
pub(super) const NAME: &str = "catat";

/// The id of the only node and of the cluster.
pub(super) const ID: &str = "catat00000000000000000";

/// Returns the start of the server, which serves as the date of its build and licence.
fn since(server: &Server) -> String {
    server.started.to_string()
}

pub(super) fn root(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::json(&json!({
        "name": NAME,
        "cluster_name": NAME,
        "cluster_uuid": ID,
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": format!("catat-{}", server.app.version),
            "build_date": since(&server),
            "build_snapshot": false,
            "lucene_version": "9.12.2",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    })))
}

fn basic_license(server: &Server) -> Value {
    json!({
        "status": "active",
        "uid": ID,
        "type": "basic",
        "mode": "basic",
        "issue_date": since(server),
        "issue_date_in_millis": server.started.0 / 1_000_000,
        "max_nodes": 1_000,
        "max_resource_units": null,
        "issued_to": NAME,
        "issuer": NAME,
        "start_date_in_millis": -1,
    })
}

pub(super) fn license(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::json(&json!({ "license": basic_license(&server) })))
}

/// Answers `_xpack`: agents continue without features that are not available.
pub(super) fn xpack(Call { server, .. }: Call) -> Outcome {
    let missing = json!({"available": false, "enabled": false});
    Ok(Reply::json(&json!({
        "build": {"hash": format!("catat-{}", server.app.version), "date": since(&server)},
        "license": {"uid": ID, "type": "basic", "mode": "basic", "status": "active"},
        "features": {"ilm": missing, "monitoring": missing, "ml": missing, "security": {"available": true, "enabled": true}},
        "tagline": "You Know, for Search",
    })))
}

/// Returns the health in Elasticsearch's words.
pub(super) fn state(server: &Server) -> &'static str {
    if reasons(server, server.whole_store().status()).is_empty() { "green" } else { "red" }
}

/// Answers `_cluster/health`: each group is a shard.
pub(super) fn health(Call { server, .. }: Call) -> Outcome {
    let n_groups = server.groups().len();
    Ok(Reply::json(&json!({
        "cluster_name": NAME,
        "status": state(&server),
        "timed_out": false,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": n_groups,
        "active_shards": n_groups,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0,
    })))
}

/// Answers `_nodes`: one node, at the address of the request.
pub(super) fn nodes(Call { server, parts, .. }: Call) -> Outcome {
    let address = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let node = json!({
        "name": NAME,
        "transport_address": address,
        "host": address,
        "ip": address,
        "version": VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": format!("catat-{}", server.app.version),
        "roles": ["data", "ingest", "master"],
        "http": {
            "bound_address": [address],
            "publish_address": address,
            "max_content_length_in_bytes": server.app.limits.body_bytes_max,
        },
    });
    Ok(Reply::json(&json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": NAME,
        "nodes": {ID: node},
    })))
}
