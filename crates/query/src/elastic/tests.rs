//! The DSL, in text.
