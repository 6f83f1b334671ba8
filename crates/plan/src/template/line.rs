//! The input of one run of a template.

use types::Timestamp;

/// What a template is run on.
#[derive(Debug)]
pub struct Line<'a> {
    /// The line.
    pub text: &'a str,
    /// Its time.
    pub timestamp: Timestamp,
    /// When the query started.
    pub now: Timestamp,
    /// Values of [`Template::labels`](super::Template::labels); a label that is missing is the empty text.
    pub labels: &'a [&'a str],
}
