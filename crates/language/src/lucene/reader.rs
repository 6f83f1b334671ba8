//! The state that reading a query string carries from clause to clause.

use plan::{Comparison, Expr, QueryError, REGEXES_MAX, Result, Span, compile_regex};
use types::Value;

use super::bound::Bound;
use super::defaults::Defaults;
use super::target::Target;
use crate::logic::not;
use crate::mapping::Kind;

/// Turns what the grammar found into a condition; `None` is one that always holds.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) defaults: &'a Defaults,
    pub(super) n_clauses: usize,
    pub(super) n_regexes: usize,
    /// Whether words that are like the one that is read are meant too.
    pub(super) is_fuzzy: bool,
}

impl Reader<'_> {
    pub(super) fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    /// Returns the field that a name means.
    pub(super) fn target(&self, written: &str) -> Target {
        Target::of(&self.defaults.mapping, written, self.defaults.analysis)
    }

    /// Returns the condition that a field has a value.
    pub(super) fn present(&self, written: &str) -> Expr {
        self.target(written).is_there()
    }

    /// Returns what becomes of a value that the field cannot have, or a pattern that it cannot be asked for.
    pub(super) fn misfit(
        &self,
        target: &Target,
        text: &str,
        pattern: Option<&str>,
        span: Span,
    ) -> Option<Result<Expr>> {
        let why = match pattern {
            Some(query) => target.misfit_of_pattern(query)?,
            None => target.misfit(text)?,
        };
        let is_refused = matches!(target.kind(), Some(Kind::Refused(_)));
        Some(match self.defaults.is_lenient && !is_refused {
            true => Ok(not(None)),
            false => Err(self.error("bad-value", why, span)),
        })
    }

    /// Returns a field compared with what is written after it.
    pub(super) fn against(
        &self,
        target: &Target,
        comparison: Comparison,
        text: &str,
        value: Value,
        span: Span,
    ) -> Result<Expr> {
        if let Some(answer) = self.misfit(target, text, None, span) {
            return answer;
        }
        Ok(target.between(vec![self.bound(target, comparison, text, value, span)?]))
    }

    /// Returns one end of a range.
    pub(super) fn bound(
        &self,
        target: &Target,
        comparison: Comparison,
        text: &str,
        value: Value,
        span: Span,
    ) -> Result<Bound> {
        let is_time = target.is_time() || matches!(target.kind(), Some(Kind::Date { .. }));
        Bound::of_text(comparison, text, value, self.defaults.now, is_time).ok_or_else(|| {
            let error = self.error("not-supported", "relative times are not supported here", span);
            error.with_hint("choose the time range next to the query")
        })
    }

    /// Compiles a regular expression within limits.
    pub(super) fn regex(&mut self, source: &str, span: Span) -> Result<regex::Regex> {
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            let message = format!("the query has more than {} regular expressions and wildcards", REGEXES_MAX);
            return Err(self.error("too-many-regexes", message, span));
        }
        compile_regex(source, false).map_err(|(message, _)| self.error("bad-regex", message, span))
    }
}
