//! What a process that serves leaves behind.

use super::*;

#[test]
fn what_serves_leaves_no_core_dump() {
    keep_memory();
    assert_eq!(rustix::process::dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
}
