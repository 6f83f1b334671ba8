//! Aggregations that make one value of each group: sum, avg, min, max, count, group, stddev, stdvar, quantile,
//! count_values.

use std::collections::HashMap;
use std::sync::Arc;

use crate::annotations::Remarks;
use crate::context::Context;
use crate::error::Result;
use crate::histogram::{Histogram, ResetHint, plain};
use crate::labels::{Labels, METRIC_NAME};
use crate::over_time::{HistogramMean, quantile};
use crate::sum::{Mean, Sum};
use crate::syntax::{Aggregation, Grouping, Span};
use crate::value::{Series, Value, is_none, stored};

/// Series that are aggregated together.
pub(crate) struct Group {
    pub(crate) labels: Labels,
    pub(crate) members: Vec<usize>,
}

/// Groups series, in order of the first of each group.
pub(crate) fn groups(series: &[Series], grouping: &Grouping) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (at, one) in series.iter().enumerate() {
        let labels = group_labels(&one.labels, grouping);
        let place = *places.entry(labels.clone()).or_insert_with(|| {
            groups.push(Group { labels, members: Vec::new() });
            groups.len() - 1
        });
        groups[place].members.push(at);
    }
    groups
}

pub(crate) fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    if grouping.without {
        labels.filter(|name| name != METRIC_NAME && !grouping.labels.iter().any(|label| **label == *name))
    } else {
        labels.select(&grouping.labels, true)
    }
}

/// An aggregation where it stands.
pub(crate) struct Reduction<'a> {
    pub(crate) aggregation: Aggregation,
    pub(crate) grouping: &'a Grouping,
    /// Place of what is aggregated.
    pub(crate) span: &'a Span,
    pub(crate) steps: usize,
}

impl Reduction<'_> {
    /// Evaluates all but `quantile` and `count_values`.
    pub(crate) fn reduce(&self, context: &Context<'_>, series: &[Series]) -> Result<Vec<Series>> {
        let mut found = Vec::new();
        let mut remarks = context.remarks().fresh();
        for group in groups(series, self.grouping) {
            context.check()?;
            let members: Vec<&Series> = group.members.iter().map(|at| &series[*at]).collect();
            let drop_name = members.iter().any(|member| member.drop_name);
            let mut out = Series::empty(group.labels, drop_name, self.steps);
            self.floats(&members, &mut out);
            if members.iter().any(|member| !member.histograms.is_empty()) {
                self.histograms(&members, &mut out, &mut remarks);
            }
            context.hold(out.n_samples())?;
            found.push(out);
        }
        context.remarks().merge(remarks);
        found.retain(Series::has_any);
        Ok(found)
    }

    /// Aggregates the floats, series by series, so that each loop runs over a column.
    fn floats(&self, members: &[&Series], out: &mut Series) {
        let floats = &mut out.floats;
        match self.aggregation {
            Aggregation::Sum => self.fold(members, floats, Sum::new, Sum::add, Sum::total),
            Aggregation::Avg => self.fold(members, floats, Mean::new, Mean::add, Mean::total),
            Aggregation::Count => self.fold(members, floats, |_| 1.0, |n, _| *n += 1.0, |n| n),
            Aggregation::Group => self.fold(members, floats, |_| 1.0, |_, _| {}, |n| n),
            Aggregation::Min => self.fold(members, floats, |v| v, |m, v| replace(m, v, *m > v), |m| m),
            Aggregation::Max => self.fold(members, floats, |v| v, |m, v| replace(m, v, *m < v), |m| m),
            Aggregation::Stdvar => self.fold(members, floats, Spread::new, Spread::add, Spread::variance),
            Aggregation::Stddev => self.fold(members, floats, Spread::new, Spread::add, |s| s.variance().sqrt()),
            _ => {}
        }
    }

    fn fold<S: Copy>(
        &self,
        members: &[&Series],
        out: &mut [f64],
        first: impl Fn(f64) -> S,
        add: impl Fn(&mut S, f64),
        finish: impl Fn(S) -> f64,
    ) {
        let mut states: Vec<Option<S>> = vec![None; self.steps];
        for member in members {
            for (state, value) in states.iter_mut().zip(&member.floats) {
                if is_none(*value) {
                    continue;
                }
                match state {
                    Some(state) => add(state, *value),
                    None => *state = Some(first(*value)),
                }
            }
        }
        for (out, state) in out.iter_mut().zip(states) {
            if let Some(state) = state {
                *out = stored(finish(state));
            }
        }
    }

    fn histograms(&self, members: &[&Series], out: &mut Series, remarks: &mut Remarks) {
        for step in 0..self.steps {
            let all: Vec<&Arc<Histogram>> = members.iter().filter_map(|member| member.histogram(step)).collect();
            if all.is_empty() {
                continue;
            }
            let has_float = !is_none(out.floats[step]);
            match self.aggregation {
                Aggregation::Count => {
                    let floats = if has_float { out.floats[step] } else { 0.0 };
                    out.floats[step] = floats + all.len() as f64;
                }
                Aggregation::Group => out.floats[step] = 1.0,
                Aggregation::Sum | Aggregation::Avg if has_float => {
                    remarks.warn(self.span, "encountered a mix of histograms and floats for aggregation");
                    out.floats[step] = crate::value::NONE;
                }
                Aggregation::Sum | Aggregation::Avg => {
                    let name = |at: usize| {
                        let mut whole = members.iter().filter(|member| member.histogram(step).is_some());
                        whole.nth(at).map_or("", |member| member.labels.get(METRIC_NAME))
                    };
                    if let Some(total) = self.total(&all, name, remarks) {
                        out.set(step, total.into());
                    }
                }
                other => remarks.info(self.span, &format!("ignored histogram in {} aggregation", other.text())),
            }
        }
    }

    /// Returns sum or mean; `name` gives the name of the metric of a histogram.
    fn total<'n>(
        &self,
        all: &[&Arc<Histogram>],
        name: impl Fn(usize) -> &'n str,
        remarks: &mut Remarks,
    ) -> Option<Histogram> {
        let mean = self.aggregation == Aggregation::Avg;
        let mut total = HistogramMean::new(all.first()?);
        for (at, histogram) in all.iter().enumerate().skip(1) {
            let added = if mean { total.add(histogram) } else { total.add_to_sum(histogram) };
            match added {
                Err(_) => {
                    remarks.mixed_schemas(self.span, name(at));
                    return None;
                }
                Ok(noticed) if noticed.reconciled => remarks.reconciled(self.span, "aggregation"),
                Ok(_) => {}
            }
        }
        let hinted = |hint| all.iter().any(|h| h.hint == hint);
        if hinted(ResetHint::Reset) && hinted(ResetHint::NotReset) {
            remarks.collision(self.span, "aggregation");
        }
        Some(total.finish(mean).compact())
    }

    /// Evaluates `quantile`.
    pub(crate) fn quantile(&self, context: &Context<'_>, series: &[Series], q: &[f64]) -> Result<Vec<Series>> {
        let mut found = Vec::new();
        for group in groups(series, self.grouping) {
            context.check()?;
            let drop_name = group.members.iter().any(|at| series[*at].drop_name);
            let mut out = Series::empty(group.labels, drop_name, self.steps);
            for (step, q) in q.iter().enumerate() {
                context.check()?;
                let members = || group.members.iter().map(|at| &series[*at]);
                if members().any(|member| member.histogram(step).is_some()) {
                    context.remarks().info(self.span, "ignored histogram in quantile aggregation");
                }
                let values: Vec<f64> = members().map(|m| m.floats[step]).filter(|value| !is_none(*value)).collect();
                if !values.is_empty() {
                    out.set(step, Value::Float(quantile(*q, values)));
                }
            }
            context.hold(self.steps)?;
            found.push(out);
        }
        found.retain(Series::has_any);
        Ok(found)
    }

    /// Evaluates `count_values`: one result per value, with the value as a label.
    pub(crate) fn count_values(
        &self,
        context: &Context<'_>,
        series: &[Series],
        label: &Arc<str>,
    ) -> Result<Vec<Series>> {
        let mut grouping = self.grouping.clone();
        if !grouping.without {
            grouping.labels.push(label.clone());
        }
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut found: Vec<Series> = Vec::new();
        for step in 0..self.steps {
            context.check()?;
            for one in series {
                let text = match one.get(step) {
                    None => continue,
                    Some(Value::Float(value)) => plain(value),
                    Some(Value::Histogram(histogram)) => histogram.to_string(),
                };
                let labels = group_labels(&one.labels.with(label, &text), &grouping);
                let place = match places.get(&labels) {
                    Some(place) => *place,
                    None => {
                        context.hold(self.steps)?;
                        places.insert(labels.clone(), found.len());
                        found.push(Series::empty(labels, false, self.steps));
                        found.len() - 1
                    }
                };
                let count = &mut found[place].floats[step];
                *count = if is_none(*count) { 1.0 } else { *count + 1.0 };
            }
        }
        Ok(found)
    }
}

/// Takes `value` if it is better, or if there was no number yet.
fn replace(best: &mut f64, value: f64, better: bool) {
    if better || best.is_nan() {
        *best = value;
    }
}

/// Count, mean and sum of squared differences, by Welford's method.
#[derive(Clone, Copy)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn new(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: if value.is_finite() { 0.0 } else { f64::NAN } }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / self.count
    }
}
