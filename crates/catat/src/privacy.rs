//! What other users and programs of the machine get to see of this process: not its files, and not its memory.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior, umask};

/// Files and directories that are made from now on are for their owner alone, wherever they are made.
pub(crate) fn write_for_owner_alone() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Keeps keys that are in memory out of core dumps, and from other programs of the same user. What serves or ships for
/// long does this, and what only asks need not.
pub(crate) fn keep_memory() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        say!("catat: core dumps could not be disabled and may contain keys: {error}");
    }
}

#[cfg(test)]
mod tests;
