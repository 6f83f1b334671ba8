//! Templates of `line_format` and `label_format`: Go's, with the functions that Loki has of sprig and its own.
//!
//! A template is read once and run for each line. What it names is known when it is read: functions, variables and the
//! labels that it needs. Where Loki's would fail, ours does, and the caller keeps the line as it was.
//!
//! The set of all labels as one value is refused.

mod cast;
mod decimal;
mod functions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gotemplate::{Dialect, Input, TEXT_BYTES_MAX, Value, ZonedTime};
use types::Timestamp;

use self::functions::FUNCTIONS;
use crate::regular_expression::compile_go_regex;

pub use gotemplate::parse_float;

const LOKI: Dialect = Dialect {
    functions: &[FUNCTIONS],
    variables: &[],
    regex: compile_go_regex,
    steps_max: 100_000,
    text_bytes_max: TEXT_BYTES_MAX,
    lenient: None,
};

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    /// What errors call it.
    pub name: &'static str,
    text: Arc<str>,
    template: Arc<gotemplate::Template>,
}

/// What a template is run on.
#[derive(Debug)]
pub struct Line<'a> {
    /// The line.
    pub text: &'a str,
    /// Its time.
    pub timestamp: Timestamp,
    /// When the query started.
    pub now: Timestamp,
    /// Values of [`Template::labels`]; a label that is missing is the empty text.
    pub labels: &'a [&'a str],
}

impl Template {
    /// Reads a template that errors call `name`.
    ///
    /// Errors: what is wrong with it, as a text.
    pub fn parse(name: &'static str, text: &str) -> Result<Self, String> {
        let template = gotemplate::Template::parse(text, &LOKI)?;
        Ok(Self { name, text: text.into(), template: Arc::new(template) })
    }

    /// Returns the template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reports whether it asks for the time at which the query runs.
    pub fn uses_now(&self) -> bool {
        self.template.asks_for("now")
    }

    /// Returns names of the labels that it needs.
    pub fn labels(&self) -> &[String] {
        self.template.labels()
    }

    /// Reports whether the template is a label and nothing else, `{{.app}}`.
    pub fn is_label(&self) -> bool {
        self.template.is_label()
    }

    /// Returns what the template makes of a line.
    ///
    /// Errors: what went wrong, as a text; nothing of the output counts then.
    pub fn run(&self, line: &Line<'_>) -> Result<String, String> {
        debug_assert_eq!(self.labels().len(), line.labels.len());
        let mut out = String::new();
        self.template.run(line, &mut out).map_err(|failure| failure.text(self.name))?;
        Ok(out)
    }
}

impl Input for Line<'_> {
    fn label(&self, index: usize) -> &str {
        self.labels.get(index).copied().unwrap_or_default()
    }

    fn call(&self, name: &str, _arguments: &[Value]) -> Result<Value, String> {
        Ok(match name {
            "__line__" => self.text.into(),
            "__timestamp__" => Value::Time(ZonedTime::of_nanoseconds(self.timestamp.0)),
            _ => Value::Time(ZonedTime::of_nanoseconds(self.now.0)),
        })
    }
}
