//! What makes a server a node of a fleet: `[fleet]`.

use std::path::Path;
use std::time::Duration;

use types::Secret;

use super::values::{Reader, text_of_file};

/// What a node may do.
const ROLES: [&str; 5] = ["ingest", "query", "upkeep", "alert", "page"];

/// Requests that need these a node hands to others that have the role.
const HANDED_ON: [&str; 2] = ["ingest", "query"];

/// Least bytes of the secret of a fleet.
const SECRET_BYTES_MIN: usize = 32;

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
    read.require(linger <= LINGER_MAX, "fleet", "linger", "at most 5s");
    read.require((64 << 10..=64 << 20).contains(&object_bytes), "fleet", "object_bytes", "64KiB to 64MiB");
    let host = rustix::system::uname();
    let node = node.unwrap_or_else(|| host.nodename().to_string_lossy().into_owned());
    Some(storage::FleetOptions {
        database: database?,
        node,
        address: address.unwrap_or_default(),
        roles,
        zone: zone.unwrap_or_default(),
        linger,
        object_bytes,
    })
}

/// Checks that a node that hands requests on, or listens for others, can say who it is.
pub(super) fn require_secret(
    read: &mut Reader<'_>,
    fleet: Option<&storage::FleetOptions>,
    (has_secret, listens): (bool, bool),
) {
    let does_all = fleet.is_none_or(|fleet| HANDED_ON.iter().all(|role| fleet.does(role)));
    let wanted = "set on a node without the role ingest or query: it hands such requests to other nodes";
    read.require(does_all || has_secret, "fleet", "secret_file", wanted);
    let can_listen = !listens || (fleet.is_some() && has_secret);
    let wanted = "set only together with database and secret_file: only nodes are answered there";
    read.require(can_listen, "fleet", "listen", wanted);
}

/// Reads the secret of a fleet.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, String> {
    let secret = text_of_file("fleet.secret_file", path)?;
    if secret.len() < SECRET_BYTES_MIN {
        return Err(format!(
            "fleet.secret_file {}: the secret has {} bytes, at least {SECRET_BYTES_MIN} are needed; make one with: openssl \
             rand -hex 32",
            path.display(),
            secret.len()
        ));
    }
    Ok(Secret::from(&*secret))
}
