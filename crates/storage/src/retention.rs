//! Retention: how long events are kept, by age and by size, and whether the clock is believed.

pub(crate) mod clock;
mod policy;
mod trims;

pub use clock::ClockDoubt;
pub use policy::{GroupRetention, Removal, RetentionChange, RetentionOptions, SizeLimit};
pub(crate) use policy::{LONG_AGO, Retentions, RetiredRuns, RunId, disk_margin};
pub(crate) use trims::{Edge, Trim, Trims, edges_of, final_only};
