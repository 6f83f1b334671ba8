//! What can follow in a line at a node of the tree, so that branches that cannot match are skipped.

use super::form::Step;
use crate::signs::{ANY, BLANK, DIGIT, END, LOWER, OTHER, Signs, UPPER, sign, signs};

/// What a line has from a node of a tree on, whichever of its forms it is of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outlook {
    /// What the next character may be.
    pub(super) first: Signs,
    /// What stands somewhere behind in any case.
    pub(super) needs: Signs,
}

impl Outlook {
    /// Nothing follows: a form ends.
    pub(super) const END: Self = Self { first: BLANK | END, needs: 0 };

    /// No way leads on.
    pub(super) const NONE: Self = Self { first: 0, needs: ANY };

    /// Returns the outlook before a step, from the one behind it and the first signs of words for levels.
    pub(super) fn of(step: &Step, next: Self, levels: Signs) -> Self {
        const LETTERS: Signs = UPPER | LOWER;
        let (first, own) = match step {
            Step::Literal(literal) => return Self::of_literal(literal, next),
            Step::Blanks(0) => (BLANK | next.first, 0),
            Step::Blanks(_) => (BLANK, BLANK),
            Step::Time => (DIGIT | LETTERS | OTHER, DIGIT),
            Step::Integer => (DIGIT | sign(b'-'), DIGIT),
            Step::Number => (DIGIT | sign(b'-') | sign(b'.'), 0),
            Step::Level { .. } => (LETTERS | levels, 0),
            Step::Word { is_optional: false, .. } | Step::Source => (ANY & !(BLANK | END), 0),
            Step::Dotted | Step::Word { .. } | Step::Text { .. } | Step::Rest | Step::Pairs => (ANY, 0),
        };
        Self { first, needs: own | next.needs }
    }

    /// Returns the outlook of a place with one way more.
    pub(super) fn or(self, way: Self) -> Self {
        Self { first: self.first | way.first, needs: self.needs & way.needs }
    }

    /// Returns the outlook before a literal.
    pub(super) fn of_literal(literal: &str, next: Self) -> Self {
        Self { first: sign(literal.as_bytes()[0]), needs: signs(literal.as_bytes()) | next.needs }
    }
}
