//! What is measured from time to time, and the lines that tell it: an object of JSON each, with its time.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use types::Timestamp;

use crate::input::{InputError, Sink};

/// Measures now and every `interval` from now on, until the shipper stops. What took longer than that is not caught up with.
pub(super) fn repeat(
    interval: Duration,
    sink: &Sink,
    mut measure: impl FnMut() -> Result<(), InputError>,
) -> Result<(), InputError> {
    let mut due = Instant::now();
    while !sink.is_stopping() {
        measure()?;
        sink.works();
        let now = Instant::now();
        due = (due + interval).max(now);
        sink.wait(due - now);
    }
    Ok(())
}

/// One line about one thing at one time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record(Map<String, Value>);

impl Record {
    /// Returns nothing but the time.
    pub(super) fn at(time: Timestamp) -> Self {
        Self(Map::from_iter([("@timestamp".to_owned(), time.to_string().into())]))
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value);
        self
    }

    /// Adds a field. A number that JSON cannot say is left out.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Hands it to `sink`.
    pub(super) fn send(self, sink: &Sink) -> Result<(), InputError> {
        sink.line(Value::Object(self.0).to_string().as_bytes())
    }

    /// Returns the value of a field.
    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// Returns a number as people read it: two decimals.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
