//! Templates as Go's `text/template` has them, with Loki's functions: the texts of `line_format` and `label_format`.
//!
//! A template is read once and run for each line. What it names is known when it is read: functions, variables and the
//! labels that it needs. Running one is bounded in time, output and nesting, and cannot panic; where Go's would fail,
//! ours does, and the caller keeps the line as it was.
//!
//! Left out, by name: `define`, `template`, `block`, `call`, and the set of all labels as one value.

mod cast;
mod decimal;
mod functions;
mod layout;
mod lexer;
mod limits;
mod line;
mod numbers;
mod parse;
mod printf;
mod run;
#[cfg(test)]
mod tests;
mod times;
mod value;

use std::sync::Arc;

pub use self::line::Line;
pub use self::numbers::parse_float;
use self::parse::Node;

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    /// What errors call it.
    name: &'static str,
    text: Arc<str>,
    nodes: Arc<[Node]>,
    labels: Arc<[String]>,
    uses_now: bool,
}

impl Template {
    /// Reads a template that errors call `name`.
    ///
    /// Errors: what is wrong with it, as a text.
    pub fn parse(name: &'static str, text: &str) -> Result<Self, String> {
        let (nodes, labels, uses_now) = crate::template::parse::parse(text)?;
        Ok(Self { name, text: text.into(), nodes: nodes.into(), labels: labels.into(), uses_now })
    }

    /// Returns what errors call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reports whether it asks for the time at which the query runs.
    pub fn uses_now(&self) -> bool {
        self.uses_now
    }

    /// Returns names of the labels that it needs.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Reports whether the template is a label and nothing else, `{{.app}}`.
    pub fn is_label(&self) -> bool {
        matches!(&*self.nodes, [Node::Action(pipeline)] if pipeline.is_label())
    }

    /// Returns what the template makes of a line.
    ///
    /// Errors: what went wrong, as a text; nothing of the output counts then.
    pub fn run(&self, line: &Line<'_>) -> Result<String, String> {
        debug_assert_eq!(self.labels.len(), line.labels.len());
        crate::template::run::run(self.name, &self.nodes, line)
    }
}
