//! What makes a server a node of a fleet: `[fleet]`.

use std::time::Duration;

use super::values::Reader;

/// What a node may do.
const ROLES: [&str; 5] = ["ingest", "query", "upkeep", "alert", "page"];

/// What every node does: a request is answered by the node that it comes to.
const ROLES_OF_ALL: [&str; 3] = ["ingest", "query", "page"];

/// Longest time that senders may be made to wait for others.
const LINGER_MAX: Duration = Duration::from_secs(5);

/// Reads how a server takes part in a fleet; none if no database is named.
pub(super) fn read(read: &mut Reader<'_>) -> Option<storage::FleetOptions> {
    let database = read.database("fleet", "database");
    let node = read.optional("fleet", "node");
    let address = read.optional("fleet", "advertise");
    let zone = read.optional("fleet", "zone");
    let roles = read.list("fleet", "roles");
    let linger = Duration::from_nanos(u64::try_from(read.duration("fleet", "linger")).unwrap_or(0));
    let object_bytes = usize::try_from(read.size("fleet", "object_bytes")).unwrap_or(usize::MAX);
    let unknown = roles.iter().find(|role| !ROLES.contains(&role.as_str()));
    read.require(unknown.is_none(), "fleet", "roles", &format!("of {}", ROLES.join(", ")));
    let missing = ROLES_OF_ALL.iter().find(|role| !roles.iter().any(|named| named == *role));
    let wanted = "a list with ingest, query and page: every node does these, upkeep and alert may be left to others";
    read.require(missing.is_none(), "fleet", "roles", wanted);
    read.require(linger <= LINGER_MAX, "fleet", "linger", "at most 5s");
    read.require((64 << 10..=64 << 20).contains(&object_bytes), "fleet", "object_bytes", "64KiB to 64MiB");
    let host = rustix::system::uname();
    let node = node.unwrap_or_else(|| host.nodename().to_string_lossy().into_owned());
    Some(storage::FleetOptions {
        database: database?,
        node,
        address: address.unwrap_or_default(),
        roles: roles.join(","),
        zone: zone.unwrap_or_default(),
        does_upkeep: roles.iter().any(|role| role == "upkeep"),
        does_alerts: roles.iter().any(|role| role == "alert"),
        linger,
        object_bytes,
    })
}
