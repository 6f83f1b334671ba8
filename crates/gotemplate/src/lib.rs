//! Go's `text/template` with the functions that Prometheus adds, as annotations and labels of its alerting rules use it.
//!
//! [`Template::parse`] reads a text, and refuses functions, variables and keywords that do not exist; [`Template::render`] fills it in.
//! Numbers and errors look as Go writes them, so that a text is the same here and in Prometheus.
//!
//! # Differences to Prometheus
//!
//! * `define`, `block` and `template` are refused: an annotation is a template of its own.
//! * Values have no methods, so `{{ (toTime $value).Format "15:04" }}` is an error of the rendering.
//! * Regular expressions are those of the crate `regex`.
//! * A rendering has at most [`STEPS_MAX`] steps, and its text at most [`TEXT_BYTES_MAX`] bytes.

mod builtins;
mod compare;
mod data;
mod evaluate;
mod functions;
mod humanize;
mod lexer;
mod number;
mod parse;
mod printf;
mod syntax;
#[cfg(test)]
mod tests;
mod time;
mod value;

use std::collections::BTreeMap;

pub use data::{Data, QuerySample, RunQuery};
pub use number::general;

use evaluate::Renderer;
use syntax::Node;

/// Most steps of one rendering: evaluated operands and elements of loops.
pub const STEPS_MAX: usize = 50_000;

/// Most bytes of a rendered text; the rest is cut.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// The byte of the text at which it is wrong, where reading found it.
    pub at: usize,
}

impl TemplateError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), at }
    }
}

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Vec<Node>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first mistake: of syntax, or a function or variable that does not exist.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { nodes: parse::parse(text)? })
    }

    /// Fills in the template.
    ///
    /// # Errors
    /// Why it could not be filled in: a value of a wrong type, a query that failed.
    pub fn render(&self, data: &Data<'_>) -> Result<String, TemplateError> {
        Renderer::new(data).render(&self.nodes)
    }

    /// Fills in the template; an error becomes the text, as in Prometheus: an alert with a broken text is better than none.
    pub fn render_or_error(&self, data: &Data<'_>) -> String {
        self.render(data).unwrap_or_else(|error| format!("<error expanding template: {error}>"))
    }
}
