//! Repair of a store that no server runs on: a catalog that is lost is created again from what the segments and the
//! tombstones say. Nothing is removed: what a start would remove stays where it is, what does not belong is moved
//! to `quarantine/`.

use super::directory::prepare_directory;
use super::opening::StoreOpening;
use super::scope::Scope;
use crate::{OpenError, Options, Recovery};

/// Makes the catalog in `options.dir` agree with the segments, and reports the changes.
pub fn repair(options: &Options) -> Result<Recovery, OpenError> {
    let dir = &options.dir;
    crate::lock::store_in(dir)?;
    let (store, _lock, _) = prepare_directory(dir, &options.databases)?;
    let (mut opening, contents) = StoreOpening::begin(options, store, options.clock.now(), Scope::Repair)?;
    opening.finish_deletions()?;
    opening.load_deletions(contents.deletions)?;
    let chain = opening.read_chain()?;
    opening.open_segments(contents.segments, &contents.doomed, &chain)?;
    Ok(opening.recovery)
}
