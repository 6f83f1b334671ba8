//! What becomes of an event in a pipeline, and what is known about it besides its own fields.

use parse::ArrivalContext;
use types::GroupScope;

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is kept, as the draft is now.
    Kept,
    /// Somebody wants it dropped.
    Dropped,
    /// It fell out of a sample.
    SampledOut,
}

/// What a step did to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Changed,
    Masked,
    Routed,
    /// There was nothing to do.
    Nothing,
    /// It could not be done, for this reason.
    Failed(&'static str),
    Dropped,
    SampledOut,
}

/// What pipelines know beside the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) received: &'a ArrivalContext<'a>,
    /// Where the sender may write to.
    pub(crate) within: &'a GroupScope,
}
