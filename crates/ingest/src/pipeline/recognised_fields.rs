//! What the parser made of a line by itself, and where it found that: the first half of a dry run's account.
//!
//! The parser keeps no notes of where it looked, since it reads millions of lines a second. What it found is looked for
//! here once more, in the order in which it looks.

use parse::{ArrivalContext, ResolvedTime, Shape};
use serde_json::{Value as Json, json};
use types::{Level, Value};

use super::Draft;

/// What is known of an event before pipelines see it.
pub(super) struct RecognisedFields {
    /// Whether it was announced as a record.
    pub(super) is_record: bool,
    /// Whether it is a JSON object.
    pub(super) is_object: bool,
    /// The form of its line.
    pub(super) shape: Option<Shape>,
    /// The format of the program that wrote it.
    pub(super) format: Option<String>,
    /// The container runtime that wrote something around this line.
    pub(super) runtime: Option<&'static str>,
    /// The level that this form says.
    pub(super) level_of_shape: Option<Level>,
    /// Whether it says when it happened.
    pub(super) has_time: bool,
    /// Whether an event before it does.
    pub(super) has_time_before: bool,
}

impl RecognisedFields {
    /// `as`, `because`, `has_time`, and the reasons for `time` and `level`.
    pub(super) fn shown(&self, draft: &Draft, received: &ArrivalContext<'_>) -> Json {
        let (name, because) = self.form();
        let mut shown = json!({
            "as": self.name(name), "because": because, "has_time": self.has_time, "time": self.time(draft, received),
        });
        if let Some(level) = draft.level {
            shown["level"] = self.level(level, draft).into();
        }
        shown
    }

    /// Returns the name of the format, with that of the container runtime around it.
    fn name(&self, form: &str) -> String {
        match self.runtime {
            Some(runtime) if form == "text" => runtime.to_owned(),
            Some(runtime) => format!("{runtime}+{form}"),
            None => form.to_owned(),
        }
    }

    fn form(&self) -> (&str, &'static str) {
        if let Some(format) = &self.format {
            return (format, "the line fits a form of this program from its beginning to its end");
        }
        match (self.shape, self.is_object) {
            _ if self.is_record => ("record", "sent as a JSON record"),
            (Some(shape), _) => (shape.name(), "the line fits this form from its beginning to its end"),
            (None, true) => ("json", "the line is a JSON object"),
            (None, false) if self.runtime.is_some() => ("text", "a container runtime wrote it"),
            (None, false) => ("text", "the line fits no form that is known"),
        }
    }

    /// Returns the origin of the time.
    fn time(&self, draft: &Draft, received: &ArrivalContext<'_>) -> String {
        if let Some((key, _)) = draft.time_key.as_ref().filter(|_| self.has_time) {
            return format!("field {key}");
        }
        if let Some(rejected) = draft.text("@timestampRejected") {
            return format!("time of arrival: no event can have happened at {rejected}");
        }
        if !self.has_time {
            let reason = if self.has_time_before { "that of the event before it" } else { "time of arrival" };
            return format!("none in the event: {reason}");
        }
        let is_time = |value: &Value| {
            let found = parse::parse_time(&value.to_string(), received);
            found == Some(ResolvedTime::At(draft.time))
        };
        let field = draft.fields.iter().find(|(name, value)| !name.starts_with('@') && is_time(value));
        let of_field = || field.map(|(name, _)| format!("field {name}"));
        let of_text = || {
            let found = parse::find_time(draft.message.as_bytes(), received)?;
            let text = draft.message.get(found.start..found.end)?;
            (found.time == ResolvedTime::At(draft.time))
                .then(|| format!("{text:?} in the text{}", doubt(text, received)))
        };
        let is_structured = self.is_record || (self.is_object && self.runtime.is_none());
        let found = if is_structured { of_field() } else { of_text().or_else(of_field) };
        found.unwrap_or_else(|| "found in the event".to_owned())
    }

    /// Returns the origin of the level.
    fn level(&self, level: Level, draft: &Draft) -> String {
        let says = |(name, value): &&(std::sync::Arc<str>, Value)| parse::level_of_field(name, value) == Some(level);
        if let Some((name, _)) = draft.fields.iter().find(says) {
            format!("field {name}")
        } else if self.level_of_shape == Some(level) {
            "the form of the line says it".to_owned()
        } else if parse::level_of_text(&draft.message) == Some(level) {
            "a word of the text".to_owned()
        } else {
            "found in the event".to_owned()
        }
    }
}

/// What is to be known of a time whose zone may be another.
fn doubt(time: &str, received: &ArrivalContext<'_>) -> String {
    let Some((name, meanings)) = parse::ambiguous_zone(time, received) else { return String::new() };
    let offset = |minutes: &i16| {
        let sign = if *minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    };
    let offsets: Vec<String> = meanings.iter().map(offset).collect();
    format!("; {name} may be {}: a zone of the source decides", offsets.join(" or "))
}
