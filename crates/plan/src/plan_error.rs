//! What the caller of a plan may need to know of its failure.

/// An error of running a plan.
pub trait PlanError {
    /// Reports whether the plan needed more memory than it may hold.
    fn is_out_of_memory(&self) -> bool {
        false
    }
}

impl PlanError for String {}

impl PlanError for std::convert::Infallible {}
