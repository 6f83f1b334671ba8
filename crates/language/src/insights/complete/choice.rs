//! One thing that may be at the cursor.

/// One thing that may be at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is.
    pub kind: ChoiceKind,
    /// What a person looks for.
    pub label: String,
    /// What is written.
    pub insert: String,
    /// How it is used, or what it does.
    pub detail: String,
}

/// Kinds of choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceKind {
    /// Begins a command.
    Command,
    /// Belongs to the command that the cursor is in.
    Keyword,
    /// A function of values.
    Function,
    /// A function of `stats`.
    Aggregate,
    /// A field that an earlier command made.
    Column,
}
