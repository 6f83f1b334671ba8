//! Evaluates expressions over columns of rows.
//!
//! A [`frame`](columns::frame) holds columns of a block that were read; an
//! [`expression`](expressions::expression) is prepared once for a query and then gives a value for each row of a frame.
//! What both may use is counted by a [`budget`]. Nothing here knows where rows come from or what is made of them.

pub mod budget;
pub mod columns;
pub mod expressions;

pub use budget::{Budget, MemoryLimit};
pub use columns::cell::{Cell, severity, sort_order, strict_order};
pub use columns::frame::{BlockRows, Frame, Source};
pub use columns::key::{canonical, write_key};
pub use columns::memory::{Lease, MemoryPool, MemoryReservation};
pub use columns::order_key::{put_group_key, put_place_descending, put_sort_keys};
pub use columns::place::{Place, RankedValue, kept_places, places, put_place, read_place};
pub use columns::row_columns::RowColumns;
pub use columns::stop::{Result, Stop};
pub use columns::value_size::value_bytes;
pub use expressions::elements::PreparedElements;
pub use expressions::environment::Environment;
pub use expressions::expression::{conjunction, disjunction};
pub use expressions::partners::PartnersOfPlan;
pub use expressions::probe::Probe;
pub use expressions::warnings::Warnings;
