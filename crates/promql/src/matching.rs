//! Binary operators between two vectors: series are matched by their labels once, then computed step by step.

use std::collections::HashMap;

use crate::annotations::Remarks;
use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::labels::{Labels, METRIC_NAME};
use crate::operators::{Operation, Outcome, compare, scalars};
use crate::syntax::{Many, Matching, Operator};
use crate::value::{Series, Value, is_none};

/// Series of both sides that share the labels that count.
#[derive(Default)]
struct Group {
    /// Series of the side that may have many.
    many: Vec<usize>,
    /// Series of the other side.
    one: Vec<usize>,
}

/// A binary operation between vectors.
pub(crate) struct Join<'a> {
    pub(crate) operation: Operation<'a>,
    pub(crate) matching: &'a Matching,
    pub(crate) return_bool: bool,
    /// Whether 0 and 1 lose the name here, not at the end.
    pub(crate) drop_name: bool,
}

impl Join<'_> {
    fn key(&self, labels: &Labels) -> Labels {
        if self.matching.on {
            labels.select(&self.matching.labels, true)
        } else {
            labels.filter(|name| name != METRIC_NAME && !self.matching.labels.iter().any(|label| **label == *name))
        }
    }

    /// Returns the groups in order of their first series.
    fn groups(&self, many: &[Series], one: &[Series]) -> Vec<(Labels, Group)> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut groups: Vec<(Labels, Group)> = Vec::new();
        for (is_one, side) in [(false, many), (true, one)] {
            for (at, series) in side.iter().enumerate() {
                let key = self.key(&series.labels);
                let place = *places.entry(key.clone()).or_insert_with(|| {
                    groups.push((key, Group::default()));
                    groups.len() - 1
                });
                let group = &mut groups[place].1;
                if is_one { group.one.push(at) } else { group.many.push(at) }
            }
        }
        groups
    }

    /// Evaluates `and`, `or` and `unless`.
    pub(crate) fn set(
        &self,
        context: &Context<'_>,
        left: Vec<Series>,
        right: Vec<Series>,
        steps: usize,
    ) -> Result<Vec<Series>> {
        let operator = self.operation.operator;
        let (mut left, mut right) = (left, right);
        for (_, group) in self.groups(&left, &right) {
            context.check()?;
            let (from, to, places, others) = if operator == Operator::Or {
                (&left, &mut right, &group.one, &group.many)
            } else {
                (&right, &mut left, &group.many, &group.one)
            };
            let present: Vec<bool> = (0..steps).map(|step| others.iter().any(|at| from[*at].has(step))).collect();
            for at in places {
                let series = &mut to[*at];
                for step in (0..steps).filter(|step| present[*step] != (operator == Operator::And)) {
                    series.floats[step] = crate::value::NONE;
                    if let Some(histogram) = series.histograms.get_mut(step) {
                        *histogram = None;
                    }
                }
            }
        }
        if operator == Operator::Or {
            left.append(&mut right);
        }
        left.retain(Series::has_any);
        context.unite(left, self.operation.span)
    }

    /// Evaluates arithmetic and comparisons.
    pub(crate) fn join(
        &self,
        context: &Context<'_>,
        left: Vec<Series>,
        right: Vec<Series>,
        steps: usize,
    ) -> Result<Vec<Series>> {
        let swapped = self.matching.many == Many::Right;
        let (many, one) = if swapped { (right, left) } else { (left, right) };
        let mut remarks = context.remarks().fresh();
        let mut found = Vec::new();
        let present: Vec<(bool, bool)> = Vec::new();
        let mut sides = Sides { many: &many, one: &one, steps, present };
        for (key, group) in self.groups(&many, &one) {
            context.check()?;
            let mut results = self.group(&mut sides, &key, &group, &mut remarks)?;
            context.hold(results.iter().map(Series::n_samples).sum())?;
            found.append(&mut results);
        }
        context.remarks().merge(remarks);
        found.retain(Series::has_any);
        context.unite(found, self.operation.span)
    }

    fn group(&self, sides: &mut Sides<'_>, key: &Labels, group: &Group, remarks: &mut Remarks) -> Result<Vec<Series>> {
        // The right fill stands for the "one" side and the left one for the "many" side, whichever way they are joined.
        let (fill_one, fill_many) = (self.matching.fill_right, self.matching.fill_left);
        if group.one.len() > 1 {
            self.refuse_duplicates(sides, key, group, fill_one.is_some() || fill_many.is_some())?;
        }
        let mut results: Vec<(Series, Vec<bool>)> = Vec::new();
        let mut used = vec![false; sides.steps];
        for at in &group.many {
            let many = &sides.many[*at];
            for place in &group.one {
                let one = &sides.one[*place];
                let matched = self.pair(many, one, sides.steps, remarks);
                self.keep(&mut results, &mut used, matched)?;
            }
            if let Some(fill) = fill_one {
                let mut filler = Series::empty(key.clone(), false, sides.steps);
                for step in (0..sides.steps).filter(|step| !group.one.iter().any(|at| sides.one[*at].has(*step))) {
                    filler.floats[step] = fill;
                }
                let matched = self.pair(many, &filler, sides.steps, remarks);
                self.keep(&mut results, &mut used, matched)?;
            }
        }
        if let Some(fill) = fill_many {
            for place in &group.one {
                let mut filler = Series::empty(key.clone(), false, sides.steps);
                for step in (0..sides.steps).filter(|step| !used[*step]) {
                    filler.floats[step] = fill;
                }
                let matched = self.pair(&filler, &sides.one[*place], sides.steps, remarks);
                self.keep(&mut results, &mut used, matched)?;
            }
        }
        Ok(results.into_iter().map(|(series, _)| series).collect())
    }

    /// Two series of the "one" side must not have samples at the same step.
    fn refuse_duplicates(&self, sides: &mut Sides<'_>, key: &Labels, group: &Group, filled: bool) -> Result<()> {
        for step in 0..sides.steps {
            let mut there = group.one.iter().filter(|at| sides.one[**at].has(step));
            let (Some(first), Some(second)) = (there.next(), there.next()) else { continue };
            // Without anything on the other side nothing is matched at this step.
            if !filled && !sides.any_many(step) {
                continue;
            }
            let side = if self.matching.many == Many::Right { "left" } else { "right" };
            let mut names = [&sides.one[*first].labels, &sides.one[*second].labels].map(ToString::to_string);
            names.sort();
            let message = format!(
                "found duplicate series for the match group {key} on the {side} hand-side of the operation: [{}, {}];many-to-many \
                 matching not allowed: matching labels must be unique on one side",
                names[0], names[1]
            );
            return Err(EvalError::at(self.operation.span, message));
        }
        Ok(())
    }

    /// Computes one pair; also returns the steps at which both had a sample that could be computed with.
    fn pair(&self, many: &Series, one: &Series, steps: usize, remarks: &mut Remarks) -> (Series, Vec<bool>) {
        let operator = self.operation.operator;
        let labels = self.labels(&many.labels, &one.labels);
        let mut out = Series::empty(labels, self.return_bool, steps);
        let mut matched = vec![false; steps];
        let swapped = self.matching.many == Many::Right;
        let plain = many.histograms.is_empty() && one.histograms.is_empty() && !operator.is_trim();
        for (step, matched) in matched.iter_mut().enumerate() {
            if plain {
                let (a, b) = (many.floats[step], one.floats[step]);
                if is_none(a) || is_none(b) {
                    continue;
                }
                let (a, b) = if swapped { (b, a) } else { (a, b) };
                *matched = true;
                if !operator.is_comparison() || self.return_bool {
                    out.floats[step] = crate::value::stored(scalars(operator, a, b));
                } else if compare(operator, a, b) {
                    out.floats[step] = a;
                }
                continue;
            }
            let (Some(a), Some(b)) = (many.get(step), one.get(step)) else { continue };
            let (a, b) = if swapped { (b, a) } else { (a, b) };
            match self.operation.apply(&a, &b, remarks) {
                Outcome::Refused => {}
                Outcome::Value(value, holds) => {
                    *matched = true;
                    if self.return_bool {
                        out.set(step, Value::Float(f64::from(u8::from(holds))));
                    } else if holds {
                        out.set(step, value);
                    }
                }
            }
        }
        (out, matched)
    }

    /// Returns the labels of a result.
    fn labels(&self, many: &Labels, one: &Labels) -> Labels {
        let mut labels = many.clone();
        if self.operation.operator.is_arithmetic() || self.drop_name {
            labels = labels.without_metadata();
        }
        if self.matching.many == Many::None {
            labels = labels.select(&self.matching.labels, self.matching.on);
        }
        for name in &self.matching.include {
            labels = labels.with(name, one.get(name));
        }
        labels
    }

    /// Adds the result of a pair; each sample may be matched once.
    fn keep(
        &self,
        results: &mut Vec<(Series, Vec<bool>)>,
        used: &mut [bool],
        (series, matched): (Series, Vec<bool>),
    ) -> Result<()> {
        let twice = |used: &[bool]| matched.iter().zip(used).any(|(a, b)| *a && *b);
        let one_to_one = self.matching.many == Many::None;
        if one_to_one && twice(used) {
            let message = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
            return Err(EvalError::at(self.operation.span, message));
        }
        used.iter_mut().zip(&matched).for_each(|(used, matched)| *used |= matched);
        if one_to_one {
            results.push((series, matched));
            return Ok(());
        }
        if let Some((before, steps)) = results.iter_mut().find(|(before, _)| before.labels == series.labels) {
            if twice(steps) {
                let message = "multiple matches for labels: grouping labels must ensure unique matches";
                return Err(EvalError::at(self.operation.span, message));
            }
            steps.iter_mut().zip(&matched).for_each(|(used, matched)| *used |= matched);
            before.absorb(series);
            return Ok(());
        }
        results.push((series, matched));
        Ok(())
    }
}

/// Both sides with what is only asked when something is wrong.
struct Sides<'a> {
    many: &'a [Series],
    one: &'a [Series],
    steps: usize,
    /// Per step, whether it was asked and whether the "many" side has a sample.
    present: Vec<(bool, bool)>,
}

impl Sides<'_> {
    fn any_many(&mut self, step: usize) -> bool {
        self.present.resize(self.steps, (false, false));
        if !self.present[step].0 {
            self.present[step] = (true, self.many.iter().any(|series| series.has(step)));
        }
        self.present[step].1
    }
}
