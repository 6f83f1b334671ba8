//! The state that reading a query carries from clause to clause.

use plan::{REGEXES_MAX, compile_regex};
use types::{TimeRange, Timestamp};

use crate::lucene::{Analysis, Target};
use crate::mapping::Schema;
use crate::search_error::{Result, SearchError};

/// Turns queries into conditions. `None` is one that always holds.
pub struct Reader<'s> {
    /// The time that `now` means.
    pub now: Timestamp,
    /// The mappings that decide how fields are searched.
    pub schema: &'s Schema,
    /// Which of the mappings a query is being read for.
    pub(super) mapping: usize,
    /// The time that all events must lie in.
    pub(super) range: TimeRange,
    pub(super) n_clauses: usize,
    n_regexes: usize,
}

impl<'s> Reader<'s> {
    /// Returns a reader of queries over these mappings.
    pub fn new(now: Timestamp, schema: &'s Schema) -> Self {
        Self { now, schema, mapping: 0, range: TimeRange::ALL, n_clauses: 0, n_regexes: 0 }
    }

    /// Returns the field that a name means.
    pub(super) fn target(&self, written: &str) -> Target {
        Target::of(self.schema.mapping(self.mapping), written, Analysis::Words)
    }

    /// Compiles a regular expression within limits.
    pub fn regex(&mut self, source: &str, at: &str) -> Result<regex::Regex> {
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} regular expressions and wildcards");
            return Err(SearchError::parsing(at, message));
        }
        compile_regex(source, false).map_err(|(message, _)| SearchError::parsing(at, message))
    }
}
