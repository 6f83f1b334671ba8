//! Context of shipped lines: what the last lines of a file state about those that follow.

use std::collections::HashMap;
use std::sync::Mutex;

use parse::{JOINED_BYTES_MAX, LineColumns, Overflow};
use types::{Hold, Timestamp};

/// Files whose context is kept. Beyond it all are forgotten: lines without a time then get the time of arrival, and lines
/// after a header no fields.
const FILES_MAX: usize = 10_000;

/// What the last lines of a file state about those that follow.
#[derive(Clone, Debug)]
pub(crate) struct LineContext {
    /// The time of the last line that had one.
    pub(crate) time: Option<Timestamp>,
    /// The columns that a header line named.
    pub(crate) columns: Option<LineColumns>,
    /// Whether the last event could take no more lines.
    pub(crate) overflow: Overflow,
}

impl Default for LineContext {
    fn default() -> Self {
        Self { time: None, columns: None, overflow: Overflow::new(JOINED_BYTES_MAX) }
    }
}

impl LineContext {
    /// Reports whether the lines so far state nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.time.is_none() && self.columns.is_none() && !self.overflow.is_full()
    }
}

/// Contexts by source and file.
#[derive(Debug, Default)]
pub(crate) struct LineContexts(Mutex<HashMap<(String, String), LineContext>>);

impl LineContexts {
    /// Returns the context of a file; an empty one for an unknown file.
    pub(crate) fn get(&self, source: &str, file: &str) -> LineContext {
        let files = self.0.hold();
        files.get(&(source.to_string(), file.to_string())).cloned().unwrap_or_default()
    }

    /// Keeps the context of a file.
    pub(crate) fn set(&self, source: &str, file: &str, context: LineContext) {
        let mut files = self.0.hold();
        let key = (source.to_string(), file.to_string());
        if files.len() >= FILES_MAX && !files.contains_key(&key) {
            files.clear();
        }
        files.insert(key, context);
    }
}
