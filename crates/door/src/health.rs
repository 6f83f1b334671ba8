//! Reports why the server cannot serve whole answers or accept events.

use storage::Status;
use types::ByteSize;

use crate::problem::AFTER_POISON;
use crate::server::Server;

/// Returns everything that keeps the server from serving whole answers or from accepting events.
pub fn reasons(server: &Server, status: Status) -> Vec<String> {
    let mut reasons: Vec<String> = status.damaged.iter().map(|damage| damage.to_string()).collect();
    reasons.extend(server.damages_found());
    reasons.extend(server.whole_store().locked().map(str::to_owned));
    reasons.extend(status.poisoned.map(|why| format!("the store takes no events: {why}; {AFTER_POISON}")));
    // In a fleet no node can use it then: a balancer that dropped them all would drop the answers that they still have.
    let catalog_problem = status.catalog_problem.filter(|_| server.whole_store().nodes().is_none());
    reasons.extend(catalog_problem.map(|why| format!("the catalog cannot be used: {why}")));
    if let Some(free) = status.disk_free_bytes.filter(|free| *free < status.disk_reserve_bytes) {
        let (free, reserve) = (ByteSize(free), ByteSize(status.disk_reserve_bytes));
        reasons
            .push(format!("the store takes no events: {free} are free on its disk and {reserve} are kept in reserve"));
    }
    reasons.extend(server.app.alerts.save_error().map(|why| format!("alerts are not announced: {why}")));
    if server.whole_store().is_draining() {
        reasons.push("this node is draining: it takes no new work".into());
    }
    if *server.closing.borrow() {
        reasons.push("the server is shutting down".into());
    }
    reasons
}
