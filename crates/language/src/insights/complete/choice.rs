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

types::named! {
    /// Kinds of choices.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ChoiceKind {
        /// Begins a command.
        Command = "command",
        /// Belongs to the command that the cursor is in.
        Keyword = "keyword",
        /// A function of values.
        Function = "function",
        /// A function of `stats`.
        Aggregate = "aggregate",
        /// A field that an earlier command made.
        Column = "field",
    }
}
