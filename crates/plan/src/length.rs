//! Lengths of time: fixed, or by the calendar.

use serde::{Deserialize, Serialize};

/// A length of time: fixed nanoseconds, or calendar months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Length {
    /// Nanoseconds, above 0.
    Nanoseconds(i64),
    /// Calendar months, above 0 (a quarter is 3, a year 12).
    Months(u32),
}
