//! Groups of parts of the events, put together.

use crate::operators::group::Groups;
use crate::scan::scanner::Scan;
use evaluate::Stop;

/// Merges and accounts for the memory: what is merged is gone, what it adds is not.
pub(crate) fn merge_held<'p>(scan: &Scan<'_>, into: &mut Groups<'p>, from: Groups<'p>) -> Result<(), Stop> {
    let (before, n_from) = (into.memory_bytes(), from.memory_bytes());
    if into.is_empty() {
        *into = from;
        return Ok(());
    }
    let merged = into.merge(from, scan.budget());
    scan.budget().release(n_from);
    merged.and_then(|()| scan.hold(into.memory_bytes().saturating_sub(before)))
}
