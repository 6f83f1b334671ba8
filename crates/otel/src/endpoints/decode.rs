//! JSON values as events: one or several a line, or one list of objects.
//!
//! An object is a record, a text is a text, and any other value is the text of its JSON. The elements of a list are events of
//! their own.

use ingest::{Collector, Encoding, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, Sender, decode, lossy};

use crate::bodies::{LogTarget, Rejections, elements, text_of_json};

/// The form of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValuesForm {
    /// A value of any kind a line. The number of a rejected event is that of its line.
    Lines,
    /// An object or a list of objects. The number of a rejected event is its own.
    Objects,
}

impl ValuesForm {
    /// Returns what a rejected event is named by.
    pub(super) fn noun(self) -> &'static str {
        if self == Self::Lines { "line" } else { "event" }
    }
}

/// Stores the events of a request and returns when they are durable. Blocks.
pub fn ingest_values(
    intake: &Intake,
    (body, encoding): (&[u8], Encoding),
    form: ValuesForm,
    target: &LogTarget,
    sender: &Sender<'_>,
) -> Result<IngestAnswer, IngestError> {
    let bytes_max = intake.limits.body_bytes_max;
    let body = decode(body, encoding, bytes_max)?;
    let text = lossy(&body, bytes_max)?;
    let mut collector = intake.collect(sender);
    let place = collector.group(&target.group)?;
    collector.set_stream(place, &target.stream);
    let mut values = Values { collector: &mut collector, place, form, rejections: Rejections::default() };
    match form {
        ValuesForm::Lines => {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                values.value(index + 1, line.trim())?;
            }
        }
        ValuesForm::Objects if text.trim_start().starts_with('[') => {
            for (index, one) in elements(&text).enumerate() {
                let bad = |problem: String| IngestError::BadBody { what: "list of JSON objects", problem };
                values.event(index + 1, one.map_err(|error| bad(error.to_string()))?)?;
            }
        }
        ValuesForm::Objects => values.event(1, text.trim())?,
    }
    values.rejections.accept(intake, collector, (&format!("endpoint {target:?}"), &body), sender)
}

/// Passes the events of a request to the collector.
struct Values<'c, 's> {
    collector: &'c mut Collector<'s>,
    place: usize,
    form: ValuesForm,
    rejections: Rejections,
}

impl Values<'_, '_> {
    /// Adds the value of a line.
    fn value(&mut self, number: usize, json: &str) -> Result<(), IngestError> {
        if !json.starts_with('[') {
            return self.event(number, json);
        }
        for one in elements(json) {
            match one {
                Ok(one) => self.event(number, one)?,
                Err(error) => self.rejections.reject(number, &error),
            }
        }
        Ok(())
    }

    fn event(&mut self, number: usize, json: &str) -> Result<(), IngestError> {
        let text;
        let raw = if json.starts_with('{') {
            RawEvent::Record(json.as_bytes())
        } else {
            let is_value = json.starts_with('[') || serde_json::from_str::<serde_json::Value>(json).is_ok();
            text = text_of_json(json).ok().filter(|_| is_value && self.form == ValuesForm::Lines);
            let Some(text) = &text else {
                let expected = if self.form == ValuesForm::Lines { "JSON" } else { "a JSON object" };
                self.rejections.reject(number, &format!("is not {expected}"));
                return Ok(());
            };
            RawEvent::Text(text.as_bytes())
        };
        let added = self.collector.add(self.place, raw, &EventMetadata::default())?;
        self.rejections.note(number, added);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
