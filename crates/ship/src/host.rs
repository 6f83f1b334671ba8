//! The shipping host: its name and its time zone.

use std::path::Path;

/// Returns the name of this host.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the name of this host's time zone, such as `Asia/Jakarta`, where it can be found: `TZ`, the link
/// `/etc/localtime`, or `/etc/timezone`.
pub fn host_zone() -> Option<String> {
    let from_environment = std::env::var("TZ").ok().map(|name| name.trim_start_matches(':').to_string());
    let candidates = [
        from_environment,
        std::fs::read_link("/etc/localtime").ok().and_then(|target| zone_of_link(&target)),
        std::fs::read_to_string("/etc/timezone").ok(),
    ];
    candidates.into_iter().flatten().map(|name| name.trim().to_string()).find(|name| is_zone_name(name))
}

fn zone_of_link(target: &Path) -> Option<String> {
    let target = target.to_str()?;
    target.split_once("zoneinfo/").map(|(_, name)| name.to_string())
}

/// Reports whether `TZ` holds a zone name, not a path or a POSIX rule, which a server could not look up.
fn is_zone_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('/')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
}

#[cfg(test)]
mod tests;
