//! What series are called: by what tells them apart, each by a name of its own; and the colours that follow from it.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::series::PanelSeries;
use crate::document::Panel;

/// The label that holds the name of a metric.
const METRIC: &str = "__name__";

/// Longest name.
const NAME_CHARS_MAX: usize = 120;

/// Levels, which are in the order of their weight and have colours of their own.
const LEVELS: [&str; 6] = ["fatal", "error", "warn", "info", "debug", "trace"];

/// Names the series of a panel's queries, in their order.
pub(super) fn named_series(panel: &Panel, of_queries: Vec<Vec<PanelSeries>>) -> Vec<PanelSeries> {
    let is_one = panel.queries.len() <= 1;
    let mut all = Vec::new();
    for (at, (series, query)) in of_queries.into_iter().zip(&panel.queries).enumerate() {
        let prefix = if is_one { String::new() } else { panel.query_id(at) };
        let mut own = named(series, query.label.as_deref().unwrap_or_default(), &prefix);
        own.sort_by(by_name);
        all.append(&mut own);
    }
    distinct(all)
}

/// Names the series that an expression gave.
pub(super) fn named_results(mut series: Vec<PanelSeries>, expression: &str) -> Vec<PanelSeries> {
    series.iter_mut().for_each(|one| expression.clone_into(&mut one.name));
    let mut named = named(series, "", "");
    named.sort_by(by_name);
    distinct(named)
}

/// The order of names: levels by their weight, numbers in names by their size. It stays when values change, and so do colours.
pub(super) fn by_name(a: &PanelSeries, b: &PanelSeries) -> Ordering {
    match (weight(&a.name), weight(&b.name)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => pieces(&a.name).cmp(&pieces(&b.name)),
    }
}

/// Returns the class of a series' colour: that of the level which it is, else by its place.
pub(super) fn class_of(name: &str, n: usize, has_dashes: bool) -> String {
    match weight(name) {
        Some(at) => format!("l-{}", LEVELS[at]),
        None if has_dashes => format!("s{} d{}", n % 8, n / 8 % 3),
        None => format!("s{}", n % 8),
    }
}

fn weight(name: &str) -> Option<usize> {
    LEVELS.iter().position(|level| name.eq_ignore_ascii_case(level))
}

/// Cuts a name into its numbers and what stands before each.
fn pieces(name: &str) -> Vec<(String, u64)> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let number = &rest[text..];
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        pieces.push((rest[..text].to_lowercase(), number[..digits].parse().unwrap_or_default()));
        rest = &number[digits..];
    }
    pieces
}

fn named(mut all: Vec<PanelSeries>, label: &str, prefix: &str) -> Vec<PanelSeries> {
    let is_alone = all.len() == 1;
    let has_measures = all.windows(2).any(|pair| pair[0].name != pair[1].name);
    let first = all.first().map(|one| one.labels.clone()).unwrap_or_default();
    let shared: Vec<(String, String)> =
        first.into_iter().filter(|(name, value)| all.iter().all(|one| one.label(name) == Some(value))).collect();
    for one in &mut all {
        let tells = |pair: &&(String, String)| {
            !pair.1.is_empty() && if is_alone { pair.0 != METRIC } else { !shared.contains(pair) }
        };
        let mut parts: Vec<&str> = vec![if label.is_empty() { prefix } else { label }];
        parts.extend(one.labels.iter().filter(tells).map(|(_, value)| value.as_str()));
        if label.is_empty() && (has_measures || parts.len() == 1) {
            parts.push(one.label(METRIC).unwrap_or(&one.name));
        }
        parts.retain(|part| !part.is_empty());
        let name = if label.contains('{') { templated(label, one) } else { parts.join(" · ") };
        one.name = name.chars().take(NAME_CHARS_MAX).collect();
    }
    all
}

/// Writes a name by a template in which `{label}` stands for the label's value.
fn templated(template: &str, series: &PanelSeries) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else { break };
        let place = &rest[start..=start + length];
        out.push_str(&rest[..start]);
        out.push_str(series.label(place[1..place.len() - 1].trim()).unwrap_or(place));
        rest = &rest[start + length + 1..];
    }
    out + rest
}

fn distinct(mut series: Vec<PanelSeries>) -> Vec<PanelSeries> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    for one in &mut series {
        let n = taken.entry(one.name.clone()).or_default();
        *n += 1;
        if *n > 1 {
            one.name = format!("{} ({n})", one.name);
        }
    }
    series
}

#[cfg(test)]
mod tests;
