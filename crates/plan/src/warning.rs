//! What the author of a query should know.

/// Something the author of a query should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// What is so, in one sentence.
    pub message: String,
    /// Line of the text concerned, from 1.
    pub line: Option<usize>,
    /// Column of the text concerned in code points, from 1.
    pub column: Option<usize>,
    /// What to write instead.
    pub hint: Option<String>,
}
