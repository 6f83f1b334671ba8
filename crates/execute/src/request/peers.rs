//! Nodes of a fleet that work out parts of a query.

use types::RunKey;

/// One of the nodes that may be asked, by its place in a list that stays the same for a query.
pub type PeerId = usize;

/// Other nodes that read the same immutable runs.
///
/// Whatever they do not answer, the node that was asked works out itself: they change what a query costs, never what it
/// answers.
pub trait Peers: Sync {
    /// Returns the nodes in the order in which a run is given to them; `None` is this one. The first is the run's home,
    /// whose caches have it.
    fn order(&self, run: RunKey) -> Vec<Option<PeerId>>;

    /// Asks a node for a part, which [`answer_part`](crate::answer_part) works out there. Blocks; ends with an error
    /// soon after `is_over` says so, or when nothing is heard of the node. `progress` is told how many events it has
    /// looked at so far.
    fn ask(
        &self,
        peer: PeerId,
        part: &[u8],
        is_over: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<u8>, String>;
}
