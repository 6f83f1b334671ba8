//! `info`: adds labels of info metrics to the series of the same instance and job.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::{MatchKind, Matcher};
use crate::selector::{Yield, select};
use crate::syntax::{Shift, Span};
use crate::value::{Grid, Series, is_none};

/// The labels that say which target a series is of.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// Joins `base` with the info metrics that `wanted` (the second argument) selects.
pub(crate) fn info(
    context: &Context<'_>,
    base: Vec<Series>,
    wanted: &[Matcher],
    (shift, grid): (Shift, Grid),
    span: &Span,
) -> Result<Vec<Series>> {
    let (names, data): (Vec<&Matcher>, Vec<&Matcher>) = wanted.iter().partition(|m| *m.name == *METRIC_NAME);
    let names = name_matchers(&names);
    let is_info = |labels: &Labels| names.iter().all(|matcher| matcher.accepts(labels.get(METRIC_NAME)));
    let sources = sources(context, &base, &names, &data, (shift, grid), &is_info)?;
    let mut found = Vec::new();
    for one in base {
        if is_info(&one.labels) {
            found.push(one);
            continue;
        }
        let near: Vec<&Series> = sources.iter().filter(|s| same_target(&s.labels, &one.labels)).collect();
        for (labels, steps) in joined(&one, &near, &data, grid, span)? {
            let mut out = Series::empty(labels, one.drop_name, grid.len);
            for step in steps {
                if let Some(value) = one.get(step) {
                    out.set(step, value);
                }
            }
            found.push(out);
        }
    }
    found.retain(Series::has_any);
    context.unite(found, span)
}

/// Without a condition that names metrics, those ending in `_info` are meant; without any condition `target_info`.
fn name_matchers(names: &[&Matcher]) -> Vec<Matcher> {
    let made = |operator, value| Matcher::new(METRIC_NAME, operator, value).ok();
    let mut all: Vec<Matcher> = names.iter().copied().cloned().collect();
    if all.is_empty() {
        all.extend(made("=", "target_info"));
    } else if !all.iter().any(|m| matches!(m.kind, MatchKind::Equal | MatchKind::Matches(_))) {
        all.extend(made("=~", ".+_info"));
    }
    all
}

/// Selects the info series of the targets in `base`, with the times of their samples.
fn sources(
    context: &Context<'_>,
    base: &[Series],
    names: &[Matcher],
    data: &[&Matcher],
    (shift, grid): (Shift, Grid),
    is_info: &dyn Fn(&Labels) -> bool,
) -> Result<Vec<Series>> {
    let mut matchers: Vec<Matcher> = names.iter().cloned().chain(data.iter().copied().cloned()).collect();
    let named = matchers.len();
    for label in IDENTIFYING {
        let values: BTreeSet<String> = base
            .iter()
            .filter(|one| !is_info(&one.labels))
            .map(|one| one.labels.get(label))
            .filter(|value| !value.is_empty())
            .map(regex::escape)
            .collect();
        if !values.is_empty() {
            let values: Vec<String> = values.into_iter().collect();
            matchers.extend(Matcher::new(label, "=~", &values.join("|")).ok());
        }
    }
    if matchers.len() == named {
        return Ok(Vec::new());
    }
    select(context, &matchers, shift, grid, Yield::InfoTimes)
}

fn same_target(a: &Labels, b: &Labels) -> bool {
    IDENTIFYING.iter().all(|label| a.get(label) == b.get(label))
}

/// Returns the label sets that a series gets, each with the steps at which it has it.
fn joined(
    one: &Series,
    near: &[&Series],
    data: &[&Matcher],
    grid: Grid,
    span: &Span,
) -> Result<BTreeMap<Labels, Vec<usize>>> {
    let mut found: BTreeMap<Labels, Vec<usize>> = BTreeMap::new();
    for step in (0..grid.len).filter(|step| one.has(*step)) {
        let mut latest: BTreeMap<&str, &Series> = BTreeMap::new();
        for source in near.iter().filter(|source| !is_none(source.floats[step])) {
            let name = source.labels.get(METRIC_NAME);
            let Some(before) = latest.insert(name, source) else { continue };
            if before.floats[step] == source.floats[step] {
                let message = format!(
                    "found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                    before.labels, before.floats[step], source.labels, source.floats[step]
                );
                return Err(EvalError::at(span, message));
            }
            if before.floats[step] > source.floats[step] {
                latest.insert(name, before);
            }
        }
        if latest.is_empty() && !data.iter().all(|matcher| matcher.accepts("")) {
            continue;
        }
        let mut added: BTreeMap<&str, &str> = BTreeMap::new();
        for label in latest.values().flat_map(|source| source.labels.iter()) {
            let asked = data.is_empty() || data.iter().any(|matcher| matcher.name == label.name);
            if *label.name == *METRIC_NAME || !asked {
                continue;
            }
            let other = added.get(&*label.name).copied().filter(|value| *value != &*label.value);
            if other.is_some() {
                return Err(EvalError::at(span, format!("conflicting label: {}", label.name)));
            }
            if one.labels.get(&label.name).is_empty() {
                added.insert(&label.name, &label.value);
            }
        }
        let labels = added.iter().fold(one.labels.clone(), |labels, (name, value)| labels.with(name, value));
        found.entry(labels).or_default().push(step);
    }
    Ok(found)
}
