//! Templates: read once, filled in often.

use crate::data::Data;
use crate::error::TemplateError;
use crate::evaluate::Renderer;
use crate::parse;
use crate::syntax::Node;

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
