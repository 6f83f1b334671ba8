//! Templates: read once, filled in often.

use std::fmt;

use crate::dialect::{Dialect, Input};
use crate::parse::{Node, Tree, parse};
use crate::run::{Failure, run};

/// A template that was read.
pub struct Template {
    dialect: &'static Dialect,
    tree: Tree,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first mistake: of syntax, or a function or variable that does not exist.
    pub fn parse(text: &str, dialect: &'static Dialect) -> Result<Self, String> {
        Ok(Self { dialect, tree: parse(text, dialect)? })
    }

    /// Returns the names of the labels that it needs.
    pub fn labels(&self) -> &[String] {
        &self.tree.labels
    }

    /// Returns which members of the given values it names, each by its names from the outermost on.
    pub fn members(&self) -> &[Vec<String>] {
        &self.tree.members
    }

    /// Reports whether it calls a function of the input.
    pub fn asks_for(&self, function: &str) -> bool {
        self.tree.asks.contains(&function)
    }

    /// Reports whether the template is a label and nothing else, `{{.app}}`.
    pub fn is_label(&self) -> bool {
        matches!(&*self.tree.nodes, [Node::Action(pipeline)] if pipeline.label().is_some())
    }

    /// Adds the text that the template makes of an input to `out`, which is empty.
    ///
    /// # Errors
    /// What went wrong; `out` then has the text up to there, cut at the most that it may have.
    pub fn run(&self, input: &dyn Input, out: &mut String) -> Result<(), Failure> {
        run(self.dialect, &self.tree.nodes, input, out)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("labels", &self.tree.labels).finish_non_exhaustive()
    }
}
