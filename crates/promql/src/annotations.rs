//! Warnings and remarks about an answer.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Warnings (the answer may be wrong) and infos (it may not be what was meant), each once.
///
/// The texts are those of Prometheus, since test scripts compare them; each ends with line and column in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// Texts that begin with `PromQL warning: `.
    pub warnings: BTreeSet<String>,
    /// Texts that begin with `PromQL info: `.
    pub infos: BTreeSet<String>,
}

/// Collects annotations of one query.
#[derive(Debug)]
pub(crate) struct Remarks {
    text: Arc<str>,
    pub(crate) found: Annotations,
}

/// Returns line and column, from 1 on, of a byte of a text.
pub(crate) fn position(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    format!("{line}:{column}")
}

impl Remarks {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), found: Annotations::default() }
    }

    /// Returns an empty collection for the same query.
    pub(crate) fn fresh(&self) -> Self {
        Self { text: self.text.clone(), found: Annotations::default() }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.found.warnings.extend(other.found.warnings);
        self.found.infos.extend(other.found.infos);
    }

    pub(crate) fn warn(&mut self, span: &Range<usize>, message: &str) {
        self.found.warnings.insert(format!("PromQL warning: {message} ({})", position(&self.text, span.start)));
    }

    pub(crate) fn info(&mut self, span: &Range<usize>, message: &str) {
        self.found.infos.insert(format!("PromQL info: {message} ({})", position(&self.text, span.start)));
    }

    pub(crate) fn mixed(&mut self, span: &Range<usize>, name: &str) {
        self.warn(span, &format!("encountered a mix of histograms and floats for metric name {name:?}"));
    }

    pub(crate) fn mixed_schemas(&mut self, span: &Range<usize>, name: &str) {
        let what = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
        self.warn(span, &format!("{what} {name:?}"));
    }

    pub(crate) fn ignored_in_range(&mut self, span: &Range<usize>, name: &str) {
        let what = "ignored histograms in a range containing both floats and histograms for metric name";
        self.info(span, &format!("{what} {name:?}"));
    }

    pub(crate) fn reconciled(&mut self, span: &Range<usize>, operation: &str) {
        self.info(span, &format!("mismatched custom buckets were reconciled during {operation}"));
    }

    pub(crate) fn collision(&mut self, span: &Range<usize>, operation: &str) {
        self.warn(span, &format!("conflicting counter resets during histogram {operation}"));
    }

    pub(crate) fn quantile(&mut self, span: &Range<usize>, q: f64) {
        if !(0.0..=1.0).contains(&q) {
            let q = crate::histogram::general(q);
            self.warn(span, &format!("quantile value should be between 0 and 1, got {q}"));
        }
    }
}
