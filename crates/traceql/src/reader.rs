//! The base of the readers of a query's parts: the text, limits, errors with places.

use plan::{QueryError, Result, Span};

/// Longest query in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of brackets and powers.
const NESTING_MAX: usize = 64;

/// Most operators of one query: trees nest as deeply.
const OPERATORS_MAX: usize = 500;

/// Turns the pairs of the grammar into the syntax tree.
pub(crate) struct Reader<'t> {
    pub(crate) text: &'t str,
    pub(crate) n_regexes: usize,
    n_operators: usize,
}

impl<'t> Reader<'t> {
    /// Returns the reader of a text that is neither too long nor nested too deeply.
    pub(crate) fn new(text: &'t str) -> Result<Self> {
        let reader = Self { text, n_regexes: 0, n_operators: 0 };
        if text.len() > QUERY_BYTES_MAX {
            let message = format!("the query has {} bytes; at most {QUERY_BYTES_MAX} are read", text.len());
            return Err(reader.error("query-too-long", message, Span { start: QUERY_BYTES_MAX, end: text.len() }));
        }
        match deepest(text) {
            Some(at) => {
                let message = format!("brackets are nested more than {NESTING_MAX} deep");
                Err(reader.error("nested-too-deeply", message, Span { start: at, end: at + 1 }))
            }
            None => Ok(reader),
        }
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    /// Returns the error for a part of TraceQL that is not supported.
    pub(crate) fn unsupported(&self, message: impl Into<String>, span: Span) -> QueryError {
        self.error("not-supported", message, span)
    }

    /// Counts an operator.
    pub(crate) fn count_operator(&mut self, span: Span) -> Result<()> {
        self.n_operators += 1;
        if self.n_operators > OPERATORS_MAX {
            let error =
                self.error("too-many-operators", format!("the query has more than {OPERATORS_MAX} operators"), span);
            return Err(error.with_hint("a regular expression such as =~ \"a|b|c\" replaces many comparisons"));
        }
        Ok(())
    }
}

/// Returns where brackets and powers are nested too deeply.
fn deepest(text: &str) -> Option<usize> {
    let (mut nesting, mut n_powers, mut quote, mut is_escaped) = (0usize, 0usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), c) => quote = (open != c || is_escaped).then_some(open),
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '{') => nesting += 1,
            (None, ')' | '}') => nesting = nesting.saturating_sub(1),
            // Powers nest to the right.
            (None, '^') => n_powers += 1,
            _ => {}
        }
        is_escaped = false;
        if nesting + n_powers > NESTING_MAX {
            return Some(at);
        }
    }
    None
}
