//! Times that a query names itself, and earlier times that it compares with.

use chrono_tz::Tz;
use types::{TimeRange, Timestamp};

use crate::length::Length;
use crate::name::Name;
use crate::{calendar, time};

/// What a query itself says about the times of the events that it looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// `start=` of `source`, as it was written: `-1d` is meant from when the query runs.
    pub start: Option<Name>,
    /// `end=` of `source`; an event of this instant belongs to the range.
    pub end: Option<Name>,
    /// How much earlier than asked for the events are that are shown (`stats … offset 1d`).
    pub offset: Option<Length>,
}

impl Times {
    /// Returns the range instead of the one asked for.
    pub fn range(&self, asked: TimeRange, now: Timestamp, time_zone: Tz) -> TimeRange {
        let at = |text: &Name| time::parse(text, now, time_zone).ok();
        let from = self.start.as_ref().and_then(at).unwrap_or(asked.from);
        let end = self.end.as_ref().and_then(at);
        let to = end.map_or(asked.to, |end| Timestamp(end.0.saturating_add(1)));
        // A side that is open stays open.
        let earlier = |time: Timestamp| match self.offset {
            Some(span) if !matches!(time.0, i64::MIN | i64::MAX) => {
                calendar::earlier(time_zone, time.0, span).map_or(time, Timestamp)
            }
            _ => time,
        };
        // Never a range that ends before it begins.
        TimeRange { from: earlier(from), to: earlier(to.max(from)) }
    }
}

/// Which time something is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// The time of the same length just before.
    Preceding,
    /// So much before.
    Shift(Length),
}

/// Returns the range that another one is compared with; `None` where there is no time that early.
pub fn earlier_range(earlier: Earlier, range: TimeRange, zone: Tz) -> Option<TimeRange> {
    match earlier {
        Earlier::Preceding => {
            let length = range.to.0.checked_sub(range.from.0)?;
            // The instant that a request ends with belongs to its range: it does not make the range longer.
            let length = if length > 1 && (length - 1) % 1_000_000 == 0 { length - 1 } else { length };
            let to = range.to.0.checked_sub(length)?.min(range.from.0);
            Some(TimeRange { from: Timestamp(range.from.0.checked_sub(length)?), to: Timestamp(to) })
        }
        Earlier::Shift(span) => {
            let shifted = |time: Timestamp| match time.0 {
                // A side that is open stays open.
                i64::MIN | i64::MAX => Some(time),
                nanos => calendar::earlier(zone, nanos, span).map(Timestamp),
            };
            Some(TimeRange { from: shifted(range.from)?, to: shifted(range.to)? })
        }
    }
}
