//! What labels mean at some point of a query, and what it shows of them in the end.

use types::Value;

use super::label;
use plan::label_set::{ERROR, ERROR_DETAILS};
use plan::{Expr, Function, LabelsFunction, Name, Operator};

/// Places of a query at which something may turn out not to be readable; further ones are not told.
const ERRORS_MAX: usize = 64;

/// Labels of a log query.
#[derive(Clone, Debug, Default)]
pub struct LabelView {
    /// Labels of the selector's matchers, with the text that they are to be equal to if it is not empty.
    pub equal: Vec<(String, Option<String>)>,
    /// Whether a stage asks for labels: where none does, parsers are left out of numbers without labels.
    pub(super) reads_labels: bool,
    /// Whether a stage takes labels away, so that streams may come to have the same ones.
    pub(super) loses_labels: bool,
    /// What a label means after the last stage.
    pub(super) sight: LabelScope,
}

impl LabelView {
    /// Returns the label set of a line after the last stage, as [`LabelSet::read`](plan::label_set::LabelSet::read)
    /// reads it.
    pub fn label_set(&self) -> Expr {
        let failed = |set: Expr, noted: &ReadFailure| {
            let details = vec![set, noted.condition.clone(), label::text(noted.error), noted.details.clone()];
            label::call(LabelsFunction::Fail, details)
        };
        self.sight.errors.iter().fold(self.sight.set(), failed)
    }

    /// Returns the labels of a series, but for some.
    pub(super) fn series_labels(&self, without: &[String]) -> Expr {
        let without = without.iter().map(label::text);
        label::call(LabelsFunction::Series, [self.label_set()].into_iter().chain(without).collect())
    }

    /// Returns the value of the label `__error__`, where lines can have one.
    pub(super) fn error(&self) -> Option<Expr> {
        self.sight.error()
    }
}

/// Something that may turn out not to be readable.
#[derive(Clone, Debug)]
struct ReadFailure {
    /// Where it is so.
    condition: Expr,
    error: &'static str,
    /// What is said of it.
    details: Expr,
}

/// What a name means at some point of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct LabelScope {
    /// The column with the label set, once a stage has changed it.
    set: Option<Name>,
    /// How many such columns there are.
    n_sets: usize,
    /// Whether a parser may have failed.
    may_fail: bool,
    /// Whether details may be left of an error that was dropped.
    has_details: bool,
    /// Labels that conditions ask for.
    pub(super) asked: Vec<String>,
    /// Conditions under which something could not be read, and what is said then.
    errors: Vec<ReadFailure>,
    /// Conditions without which what is being read is not evaluated, and so cannot fail.
    pub(super) guards: Vec<Expr>,
    /// Whether labels are fields, whoever brought an event: so that the query can be said in another language.
    pub(super) is_plain: bool,
}

impl LabelScope {
    pub(super) fn new(is_plain: bool) -> Self {
        Self { is_plain, ..Self::default() }
    }

    /// Notes what is said where a condition holds; what was noted last is said.
    pub(super) fn note(&mut self, condition: Expr, error: &'static str, details: Expr) {
        if self.errors.len() < ERRORS_MAX {
            let guarded = |condition, guard: &Expr| Expr::And(Box::new(guard.clone()), Box::new(condition));
            let condition = self.guards.iter().rev().fold(condition, guarded);
            self.errors.push(ReadFailure { condition, error, details });
        }
    }

    /// Returns the number of places noted so far.
    pub(super) fn n_noted(&self) -> usize {
        self.errors.len()
    }

    /// Takes back what was noted after the first `n` places; returns the details, missing where nothing is wrong.
    pub(super) fn take_back(&mut self, n: usize) -> Option<Expr> {
        let details = |ReadFailure { condition, details, .. }| Expr::Call(Function::If, vec![condition, details]);
        self.errors.drain(n..).next_back().map(details)
    }

    /// Writes what could not be read so far into the label set: a parser that fails after it replaces it.
    pub(super) fn settle(&mut self, operators: &mut Vec<Operator>) {
        for ReadFailure { condition, error, details } in std::mem::take(&mut self.errors) {
            self.change(operators, LabelsFunction::Fail, vec![condition, label::text(error), details]);
            self.may_fail = true;
        }
    }

    /// Takes `__error__` or `__error_details__` away where a condition holds; each of them stays without the other.
    pub(super) fn forget(&mut self, operators: &mut Vec<Operator>, name: &str, condition: Option<Expr>) {
        self.settle(operators);
        if !self.may_fail && !self.has_details {
            return;
        }
        if name == ERROR && condition.is_none() {
            (self.may_fail, self.has_details) = (false, true);
        }
        let always = || Expr::Literal(Some(Value::Boolean(true)));
        let details = vec![label::text(name), condition.unwrap_or_else(always)];
        self.change(operators, LabelsFunction::Drop, details);
    }

    /// Says that a parser may fail from here on.
    pub(super) fn may_fail(&mut self) {
        self.may_fail = true;
    }

    /// Reports whether a stage has changed labels.
    pub(super) fn has_parsed(&self) -> bool {
        self.set.is_some()
    }

    /// Returns the label set as far as stages changed it.
    pub(super) fn set(&self) -> Expr {
        self.set.as_ref().map_or_else(label::begin, |name| Expr::Field(name.clone()))
    }

    /// Adds a stage that changes the label set.
    pub(super) fn change(&mut self, operators: &mut Vec<Operator>, function: LabelsFunction, details: Vec<Expr>) {
        let expr = label::call(function, [self.set()].into_iter().chain(details).collect());
        let name: Name = format!("#labels{}", self.n_sets).into();
        self.n_sets += 1;
        operators.push(Operator::Extend { name: name.clone(), expr });
        self.set = Some(name);
    }

    pub(super) fn error(&self) -> Option<Expr> {
        self.said(ERROR, |noted| label::text(noted.error))
    }

    /// Returns the value of the label `__error_details__`, which templates see and conditions do not.
    pub(super) fn details(&self) -> Option<Expr> {
        self.said(ERROR_DETAILS, |noted| noted.details.clone())
    }

    fn said(&self, name: &str, of: impl Fn(&ReadFailure) -> Expr) -> Option<Expr> {
        // What was noted last is said.
        let cases = self.errors.iter().rev().flat_map(|noted| [noted.condition.clone(), of(noted)]);
        let noted = (!self.errors.is_empty()).then(|| Expr::Call(Function::Case, cases.collect()));
        let is_there = self.may_fail || self.has_details && name == ERROR_DETAILS;
        let failed = is_there.then(|| self.get(name, Expr::Literal(None)));
        match (noted, failed) {
            (Some(noted), Some(failed)) => Some(Expr::Call(Function::Coalesce, vec![noted, failed])),
            (noted, failed) => noted.or(failed),
        }
    }

    fn get(&self, name: &str, other: Expr) -> Expr {
        label::call(LabelsFunction::Get, vec![self.set(), label::text(name), other])
    }

    /// Returns the value of a label.
    pub(super) fn label(&self, name: &str) -> Expr {
        match name {
            ERROR => return self.error().unwrap_or(Expr::Literal(None)),
            ERROR_DETAILS => return Expr::Literal(None),
            _ => {}
        }
        match self.set {
            _ if self.is_plain => label::expr(name),
            Some(_) => self.get(name, label::any_field(name)),
            None => label::base(name),
        }
    }
}
