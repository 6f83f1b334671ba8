//! Go's regular expressions by the crate `regex`: what Prometheus, Loki, Tempo and Alertmanager match with.
//!
//! Both descend from RE2 and find the same match in the same text, but they read some texts differently: to Go `\d` and `\b` are of
//! ASCII, brackets do not nest, `\Q…\E` quotes, a brace that repeats nothing is a brace, and `a**` is a mistake. [`rewritten`] reads
//! an expression as Go does and writes it for `regex`; [`expand`] fills in a replacement as Go does. Source: Go's packages `regexp` and
//! `regexp/syntax`, as of Go 1.26.
//!
//! # Differences to Go
//!
//! * Refused: group names that begin with a digit or stand twice, surrogates, a repetition right after `(?i)` or an empty `\Q\E`,
//!   a group before `{0}`.
//! * Accepted: properties of characters that Go does not know, such as `\p{Alphabetic}`.
//! * What an expression may take when it is compiled is up to the caller.

mod class;
mod error;
mod escape;
mod expression;
mod group;
mod replacement;
#[cfg(test)]
mod tests;

pub use error::SyntaxError;
pub use expression::rewritten;
pub use replacement::expand;

/// Returns an expression that matches a whole text, line breaks included, as labels are matched.
pub fn anchored(source: &str) -> Result<String, SyntaxError> {
    Ok(format!("^(?s:{})$", rewritten(source)?))
}
