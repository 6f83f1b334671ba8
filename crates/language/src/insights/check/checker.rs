//! The state that checking a query carries from command to command.

use std::collections::HashSet;

use plan::{Expr, Operator, PlanDraft, QueryError, REGEXES_MAX, Span, Warning, place};
use types::GroupPattern;

use super::aggregation::Aggregation;
use super::scope::{ShownColumns, Table, fields_of};
use crate::insights::parse_options::ParseOptions;

/// Most errors, and most warnings, that one answer tells.
pub(super) const NOTES_MAX: usize = 50;

/// The other side of a `join`.
pub(super) struct RightSide {
    pub(super) alias: plan::Name,
    /// Its query, which shows the columns that the rest of the query asks for.
    pub(super) draft: PlanDraft,
}

/// Checks one query.
pub(crate) struct Checker<'a> {
    pub(super) text: &'a str,
    pub(super) options: &'a ParseOptions,
    pub(super) errors: Vec<QueryError>,
    pub(super) warnings: Vec<Warning>,
    pub(super) sources: Vec<GroupPattern>,
    /// Those of the nearest query around this one that names some.
    pub(super) sources_around: Vec<GroupPattern>,
    pub(super) times: plan::Times,
    pub(super) operators: Vec<Operator>,
    pub(super) shown: ShownColumns,
    /// Names of the present rows' side of each `join` so far.
    pub(super) left_aliases: Vec<plan::Name>,
    /// The other side of each `join`.
    pub(super) right_sides: Vec<RightSide>,
    pub(super) tables: Vec<Table>,
    /// The `stats` whose items are being checked.
    pub(super) aggregation: Option<Aggregation>,
    /// Whether the argument of an aggregate is being checked.
    pub(super) is_in_aggregate: bool,
    /// Fields whose values are levels.
    pub(super) levels: HashSet<plan::Name>,
    pub(super) n_regexes: usize,
    pub(super) n_subqueries: usize,
    /// Whether the query may have been right before some mistakes were refused, which are warnings then.
    pub(super) is_in_force: bool,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(text: &'a str, options: &'a ParseOptions) -> Self {
        Self {
            text,
            options,
            errors: Vec::new(),
            warnings: Vec::new(),
            sources: Vec::new(),
            sources_around: Vec::new(),
            times: plan::Times::default(),
            operators: Vec::new(),
            shown: ShownColumns::default(),
            left_aliases: Vec::new(),
            right_sides: Vec::new(),
            tables: Vec::new(),
            aggregation: None,
            is_in_aggregate: false,
            levels: HashSet::from(["@level".into()]),
            n_regexes: 0,
            n_subqueries: 0,
            is_in_force: false,
        }
    }

    /// Checks a query that may be in force since before some mistakes were refused.
    pub(crate) fn in_force(self) -> Self {
        Self { is_in_force: true, ..self }
    }

    pub(super) fn error(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.fail(QueryError::new(code, message, self.text, span));
    }

    pub(super) fn fail(&mut self, error: QueryError) {
        if !self.is_full() {
            self.errors.push(error);
        }
    }

    /// Reports whether no further error would be told, so that looking for hints is in vain.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= NOTES_MAX
    }

    /// Counts one more regular expression. Past the limit it is an error, told once, and must not be compiled.
    pub(super) fn may_compile(&mut self, span: Span) -> bool {
        self.n_regexes += 1;
        if self.n_regexes == REGEXES_MAX + 1 {
            let message = format!("the query has more than {} regular expressions", REGEXES_MAX);
            self.error_with_hint("too-many-regexes", message, span, "join alternatives in one: /a|b|c/");
        }
        self.n_regexes <= REGEXES_MAX
    }

    pub(super) fn error_with_hint(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        hint: impl Into<String>,
    ) {
        self.fail(QueryError::new(code, message, self.text, span).with_hint(hint));
    }

    /// Tells a mistake that was none before: a warning where the query may be in force since.
    pub(super) fn refuse(&mut self, code: &'static str, message: String, span: Span, hint: String) {
        if self.is_in_force {
            self.warn(code, message, span, Some(hint));
        } else {
            self.error_with_hint(code, message, span, hint);
        }
    }

    pub(super) fn warn(&mut self, code: &'static str, message: impl Into<String>, span: Span, hint: Option<String>) {
        if self.warnings.len() >= NOTES_MAX {
            return;
        }
        let (line, column) = place(self.text, span.start);
        let warning = Warning { code, message: message.into(), line: Some(line), column: Some(column), hint };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Returns the source text of a node, as columns without alias are named.
    pub(super) fn written(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default().trim()
    }

    pub(super) fn define(&mut self, name: &plan::Name, expr: Expr) {
        if self.is_level(&expr) {
            self.levels.insert(name.clone());
        } else {
            self.levels.remove(name);
        }
        self.operators.push(Operator::Extend { name: name.clone(), expr });
        if let Some(table) = self.tables.last_mut() {
            table.columns.insert(name.clone());
        }
    }

    /// Warns where an expression speaks of a column that is not there.
    pub(super) fn warn_of_unknown(&mut self, expr: &Expr, span: Span) {
        if let Some(field) = self.unknown_field(expr) {
            let message = format!("`{field}` is missing in every row here: `stats` has removed it");
            self.warn("unknown-column", message, span, None);
        }
    }

    /// Returns the first field of `expr` that the current table does not have.
    pub(super) fn unknown_field(&self, expr: &Expr) -> Option<plan::Name> {
        let table = self.tables.last()?;
        fields_of(expr).into_iter().find(|field| !table.knows(field))
    }

    pub(super) fn shown_columns(&self) -> Vec<plan::Name> {
        match (&self.shown, self.tables.last()) {
            (ShownColumns::Made(names) | ShownColumns::Fields(names) | ShownColumns::Display(names), _)
                if !names.is_empty() =>
            {
                names.clone()
            }
            (_, Some(table)) => table.shown.clone(),
            (_, None) => vec!["@timestamp".into(), "@message".into()],
        }
    }
}
