//! What a store is opened for, and what a new one begins with.

/// Sequences have the writer's epoch in their upper 16 bits.
pub(super) const EPOCH_BITS: u32 = 48;

/// What a new store begins with: epoch 1.
pub(super) const FIRST_SEQUENCE: u64 = 1 << EPOCH_BITS;

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// To take and give events.
    Start,
    /// To make its catalog agree with its segments. Nothing is removed.
    Repair,
}
