//! What is given to templates: functions and values.

use regex::Regex;

use crate::function::Function;
use crate::value::Value;

/// What one kind of template has beyond Go's own.
#[derive(Debug)]
pub struct Dialect {
    /// Tables of functions; of two with one name the first counts, also before those of Go.
    pub functions: &'static [&'static [Function]],
    /// Variables that are set from the start, with their sign. Without `$` among them the dot is a set of labels, and a
    /// template can only read them by name.
    pub variables: &'static [&'static str],
    /// Compiles a regular expression.
    pub regex: fn(&str) -> Result<Regex, String>,
    /// Most steps of one run: values, nodes, rounds of loops.
    pub steps_max: u32,
    /// Most bytes of the text of one run.
    pub text_bytes_max: usize,
    /// Writes a value into the text, if not as Go does. Then a member that a value does not have is `nil` as well, and an
    /// argument that must be a text is written as one.
    pub lenient: Option<fn(&Value, &mut String)>,
}

/// What a template is filled in from.
pub trait Input {
    /// Returns the values of [`Dialect::variables`], in the same order.
    fn variables(&self) -> &[Value] {
        &[]
    }

    /// Returns the value of a label by its place in [`Template::labels`](crate::Template::labels).
    fn label(&self, _index: usize) -> &str {
        ""
    }

    /// Calls a function whose body is [`Body::OfInput`](crate::Body::OfInput).
    ///
    /// # Errors
    /// Why it has no value.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String>;
}
