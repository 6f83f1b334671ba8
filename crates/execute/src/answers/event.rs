//! An event that stands for a pattern.

use std::sync::Arc;

use plan::{Operator, Patterns};
use types::{Timestamp, Value};

use crate::operators::patterns::ends::End;
use crate::operators::patterns::samples;
use crate::request::error::Result;
use crate::scan::scanner::Scan;

/// An event that is shown.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Arc<str>,
    /// Its time.
    pub time: Timestamp,
    /// Its text.
    pub text: Arc<str>,
}

/// Reads the events at some ends into `events`, those that have a text and an id.
pub(super) fn read_events(
    scan: &Scan<'_>,
    ends: &[End],
    (lead, patterns): (&[Operator], &Patterns),
    events: &mut [Option<Event>],
) -> Result<()> {
    let read = samples::read(scan, &ends.iter().collect::<Vec<_>>(), lead, patterns)?;
    for ((event, sample), end) in events.iter_mut().zip(read).zip(ends) {
        if let Some((Value::String(text), id)) = sample.and_then(|sample| Some((sample.text, sample.id?))) {
            *event = Some(Event { id, time: Timestamp(end.time().unwrap_or_default()), text });
        }
    }
    Ok(())
}
