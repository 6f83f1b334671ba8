//! `/api/v1/fleet`: the nodes of the fleet that this server is one of, what they cost, and orders to them.

mod part;
pub(super) mod told;

use serde_json::{Value, json};

use crate::state::{Call, Routes, Shared};
use door::exposition::{Kind, Page};
use door::fleet::SOURCES_PATH;
use door::{Outcome, Problem, Reply, Role, Server};

/// What a bucket costs, in US dollars: Amazon's list prices of S3 Standard in us-east-1 in November 2026, for a million
/// requests that store something, and for a gigabyte that is stored for a month. Requests that read are not in it.
const PUTS_USD_PER_MILLION: f64 = 5.0;
const STORED_USD_PER_GB_MONTH: f64 = 0.023;

/// Days of a month, as prices have it.
const MONTH_DAYS: f64 = 30.0;

/// Adds the routes of a fleet.
pub(super) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/fleet", Role::Read, |call| call.look_up(get))
        .post("/api/v1/fleet/part", Role::None, part::post)
        .post(SOURCES_PATH, Role::None, told::post)
        .post("/api/v1/fleet/nodes/{name}/drain", Role::Admin, |call| call.look_up(drain))
        .delete("/api/v1/fleet/nodes/{name}/drain", Role::Admin, |call| call.look_up(undo_drain))
}

fn cost_per_day_usd(puts_per_day: f64, bytes_stored: u64) -> f64 {
    let stored = bytes_stored as f64 / 1e9 * STORED_USD_PER_GB_MONTH / MONTH_DAYS;
    puts_per_day / 1e6 * PUTS_USD_PER_MILLION + stored
}

fn no_fleet() -> Problem {
    let hint = "set [fleet] database and [storage] object_store to make it one";
    Problem::not_found("this server is no node of a fleet").hint(hint)
}

pub(crate) fn get(Call { server, .. }: &Call) -> Outcome {
    server.must_reach_everything()?;
    let fleet = server.whole_store().fleet().ok_or_else(no_fleet)?.map_err(storage::StoreError::from)?;
    let node = |node: &storage::NodeStatus| {
        json!({
            "node": node.name, "epoch": node.epoch, "address": node.address, "roles": node.roles, "zone": node.zone,
            "joined_s": node.joined_s, "silent_s": node.silent_s, "leases": node.leases,
            "answers_this": node.epoch == fleet.epoch, "draining": node.is_draining,
            "drained": node.is_draining && node.is_drained, "changes_behind": node.changes_behind,
        })
    };
    let nodes: Vec<Value> = fleet.nodes.iter().map(node).collect();
    let load = &fleet.load;
    Ok(Reply::json(&json!({
        "nodes": nodes, "objects_waiting": load.objects, "object_bytes_waiting": load.object_bytes,
        "objects_written": load.objects_written, "puts_per_day": fleet.puts_per_day,
        "puts_measured_s": fleet.puts_measured_s, "bytes_stored": fleet.bytes_stored,
        "cost_per_day_usd": cost_per_day_usd(fleet.puts_per_day, fleet.bytes_stored),
    })))
}

pub(crate) fn drain(Call { server, path: [node, _], .. }: &Call) -> Outcome {
    order(server, node, true)
}

pub(crate) fn undo_drain(Call { server, path: [node, _], .. }: &Call) -> Outcome {
    order(server, node, false)
}

/// Orders that a node takes no new work, or that it does again.
fn order(server: &Shared, node: &str, is_drain: bool) -> Outcome {
    server.must_reach_everything()?;
    let ordered = server.whole_store().drain_node(node, is_drain);
    if !ordered.ok_or_else(no_fleet)?.map_err(storage::StoreError::from)? {
        let problem = Problem::not_found(format!("the fleet has no node {node:?}"));
        return Err(problem.hint("GET /api/v1/fleet lists the nodes"));
    }
    Ok(Reply::json(&json!({ "node": node, "draining": is_drain })))
}

/// Writes what a node of a fleet counts. Nobody is asked: of other nodes it is what the last heartbeat found.
pub(super) fn write(server: &Server, page: &mut Page) {
    let store = server.whole_store();
    let (Some(load), Some((epoch, nodes))) = (store.fleet_load(), store.nodes()) else { return };
    let of_nodes = |of: &str, value: &dyn Fn(&storage::NodeStatus) -> f64, page: &mut Page| {
        for node in nodes.iter() {
            page.sample(of, &[("node", &node.name), ("epoch", &node.epoch.to_string())], value(node));
        }
    };
    page.single("catat_fleet_nodes", Kind::Gauge, "Nodes that were heard of lately.", nodes.len() as f64);
    page.family("catat_fleet_silent_seconds", Kind::Gauge, "Time since a node was heard of.");
    of_nodes("catat_fleet_silent_seconds", &|node| node.silent_s, page);
    page.family("catat_fleet_draining", Kind::Gauge, "Whether a node is to take no new work.");
    of_nodes("catat_fleet_draining", &|node| f64::from(node.is_draining), page);
    let help = "Changes of the catalog that a node did not know when it was last heard of.";
    page.family("catat_fleet_changes_behind", Kind::Gauge, help);
    of_nodes("catat_fleet_changes_behind", &|node| node.changes_behind as f64, page);
    page.family("catat_fleet_leases", Kind::Gauge, "What only one node does, and this one does; always 1.");
    for lease in nodes.iter().filter(|node| node.epoch == epoch).flat_map(|node| &node.leases) {
        page.sample("catat_fleet_leases", &[("lease", lease)], 1.0);
    }
    let help = "Objects of events that are in no segment yet, of all nodes.";
    page.single("catat_fleet_objects_waiting", Kind::Gauge, help, load.objects as f64);
    page.single("catat_fleet_object_bytes_waiting", Kind::Gauge, "Their bytes.", load.object_bytes as f64);
    let help = "Objects of events that this node has written.";
    page.single("catat_fleet_objects_written_total", Kind::Counter, help, load.objects_written as f64);
}

#[cfg(test)]
mod tests;
