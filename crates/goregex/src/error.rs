//! What is wrong with an expression.

/// A mistake, with the part of the expression that it concerns. Its text is Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}: `{part}`")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: &'static str,
    /// Where it is wrong.
    pub part: String,
}

impl SyntaxError {
    pub(crate) fn new(problem: &'static str, part: &str) -> Self {
        Self { problem, part: part.to_owned() }
    }
}
