//! The state that checking a query carries from command to command.

use language::mapping::Schema as Mappings;
use plan::{Expr, Name, Operator, REGEXES_MAX, Span, compile_regex};
use regex::Regex;
use types::{TimeRange, Timestamp};

use super::aggregation::Aggregation;
use super::error::{EsqlError, Result};
use super::kind::Kind;
use super::scope::Scope;
use super::typed::TypedExpr;

/// Deepest nesting of expressions: evaluation recurses over them.
const DEPTH_MAX: usize = 100;

/// Most parts of one expression.
const SIZE_MAX: usize = 20_000;

/// What is known while commands are read one by one.
pub(super) struct Checker<'a> {
    pub(super) text: &'a str,
    pub(super) now: Timestamp,
    /// How full-text functions read fields.
    pub(super) mappings: &'a Mappings,
    pub(super) scope: Scope,
    pub(super) operators: Vec<Operator>,
    /// The time that the conditions so far leave.
    pub(super) range: TimeRange,
    /// Set while the aggregates of `STATS` are read.
    pub(super) aggregating: Option<Aggregation>,
    pub(super) warnings: Vec<String>,
    pub(super) is_events: bool,
    /// The command that ends what full-text functions can be used after.
    pub(super) limited_by: Option<&'static str>,
    /// Whether a condition is read that all rows must fulfil.
    pub(super) is_in_where: bool,
    n_names: usize,
    n_regexes: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(text: &'a str, now: Timestamp, mappings: &'a Mappings) -> Self {
        Self {
            text,
            mappings,
            now: Timestamp(now.0.div_euclid(1_000_000) * 1_000_000),
            scope: Scope::default(),
            operators: Vec::new(),
            range: TimeRange::ALL,
            aggregating: None,
            warnings: Vec::new(),
            is_events: true,
            limited_by: None,
            is_in_where: false,
            n_names: 0,
            n_regexes: 0,
        }
    }

    pub(super) fn verification(&self, span: Span, message: impl Into<String>) -> EsqlError {
        EsqlError::verification(self.text, span.start, message.into())
    }

    /// Returns the error for an argument, by its place and type, where another type is wanted.
    pub(super) fn misfit(&self, span: Span, place: &str, wanted: &str, (argument, kind): (Span, Kind)) -> EsqlError {
        let (call, argument, kind) = (self.written(span), self.written(argument), kind.name());
        let message = format!("{place}argument of [{call}] must be [{wanted}], found value [{argument}] type [{kind}]");
        self.verification(span, message)
    }

    /// Returns the error for two types that an operator does not take together.
    pub(super) fn incompatible(&self, span: Span, sign: &str, (a, b): (Kind, Kind)) -> EsqlError {
        let (a, b) = (a.name(), b.name());
        self.verification(span, format!("[{sign}] has arguments with incompatible types [{a}] and [{b}]"))
    }

    /// Returns that a condition holds.
    pub(super) fn holds(&self, typed: &TypedExpr, span: Span) -> Result<Expr> {
        if matches!(typed.kind, Kind::Boolean | Kind::Null) {
            return Ok(typed.holds());
        }
        let kind = typed.kind.name().to_uppercase();
        Err(self.verification(span, format!("Condition expression needs to be boolean, found [{kind}]")))
    }

    pub(super) fn parsing(&self, span: Span, message: impl Into<String>) -> EsqlError {
        EsqlError::parsing(self.text, span.start, message.into())
    }

    /// Returns the text of a part of the query.
    pub(super) fn written(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// Returns a name that no column of a user has.
    pub(super) fn fresh(&mut self) -> Name {
        self.n_names += 1;
        format!("#esql{}", self.n_names).into()
    }

    /// Computes a value as a column of its own.
    pub(super) fn extend(&mut self, expr: Expr) -> Name {
        let name = self.fresh();
        self.operators.push(Operator::Extend { name: name.clone(), expr });
        name
    }

    /// Compiles a regular expression within limits.
    pub(super) fn regex(&mut self, source: &str, span: Span) -> Result<Regex> {
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            return Err(self.parsing(span, format!("the query has more than {REGEXES_MAX} patterns")));
        }
        compile_regex(source, false).map_err(|(message, _)| self.parsing(span, message))
    }

    /// Refuses what would take too much stack or memory.
    pub(super) fn bounded(&self, typed: TypedExpr) -> Result<TypedExpr> {
        if typed.depth > DEPTH_MAX || typed.size > SIZE_MAX {
            return Err(self.parsing(typed.span, "this expression is nested too deeply, or too large"));
        }
        Ok(typed)
    }
}
