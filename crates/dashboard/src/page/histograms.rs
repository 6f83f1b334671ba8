//! Native histograms of an answer in PromQL as rows of a heatmap: buckets that differ from point to point share rows.

use language::Language;
use std::collections::HashMap;

use types::Value;

use super::model::{Table, TableKind};
use super::names::named_series;
use super::numbers::Numbers;
use super::series::{PanelSeries, cell_text, instant, time_column};
use crate::document::Panel;

/// Rows of a heatmap; finer ones are put together.
const ROWS_MAX: usize = 40;

/// Values between two bounds, and the observations of them.
struct Bucket {
    lower: f64,
    upper: f64,
    count: f64,
}

/// A series of histograms.
struct Line {
    labels: Vec<(String, String)>,
    /// In the order of time: an instant in ms, the buckets.
    points: Vec<(i64, Vec<Bucket>)>,
    /// The observations of all points.
    total: f64,
}

/// Returns the native histograms of a panel's queries, that with the most observations first: a name, and the buckets over time,
/// highest values first.
pub(super) fn of_panel(panel: &Panel, answered: &[Table], numbers: Numbers<'_>) -> Vec<(String, Vec<PanelSeries>)> {
    let (mut lines, mut of_queries) = (Vec::new(), Vec::new());
    for (table, query) in answered.iter().zip(&panel.queries) {
        let own = if query.language == Language::Promql { lines_of(table) } else { Vec::new() };
        // A series to be named has the place of its histograms and their total instead of a point.
        let counted = own.iter().enumerate().map(|(n, line)| {
            let points = vec![((lines.len() + n) as i64, line.total)];
            PanelSeries { name: "value".to_owned(), labels: line.labels.clone(), points, ..PanelSeries::default() }
        });
        of_queries.push(counted.collect());
        lines.extend(own);
    }
    let mut named = named_series(panel, of_queries);
    named.sort_by(|a, b| b.size().total_cmp(&a.size()));
    let drawn = named.into_iter().filter_map(|one| {
        let place = usize::try_from(one.points.first()?.0).ok()?;
        Some((one.name, rows_of(&lines.get(place)?.points, numbers)))
    });
    drawn.collect()
}

/// Returns the histograms of an answer by their labels.
fn lines_of(table: &Table) -> Vec<Line> {
    let Some((value, others)) = table.columns.split_last() else { return Vec::new() };
    let Some(time) = time_column(table).filter(|_| value.name == "value" && value.kind == TableKind::Any) else {
        return Vec::new();
    };
    let labels: Vec<usize> = (0..others.len()).filter(|at| *at != time).collect();
    let mut lines: Vec<Line> = Vec::new();
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    for row in &table.rows {
        let Some(Some(Value::String(text))) = row.get(others.len()) else { continue };
        let (Some(at), Some((count, buckets))) = (instant(row.get(time)), histogram_in(text)) else { continue };
        let values: Vec<String> = labels.iter().map(|label| cell_text(row.get(*label))).collect();
        let place = *places.entry(values.clone()).or_insert_with(|| {
            let labels = labels.iter().map(|label| others[*label].name.clone()).zip(values).collect();
            lines.push(Line { labels, points: Vec::new(), total: 0.0 });
            lines.len() - 1
        });
        lines[place].points.push((at, buckets));
        lines[place].total += count;
    }
    lines.iter_mut().for_each(|line| line.points.sort_by_key(|point| point.0));
    lines
}

/// Reads a histogram as PromQL writes it, `{count:3, sum:4, [-1,0):1, (1,2]:2}`: its observations and its buckets.
fn histogram_in(text: &str) -> Option<(f64, Vec<Bucket>)> {
    let mut parts = text.strip_prefix("{count:")?.strip_suffix('}')?.split(", ");
    let count: f64 = parts.next()?.parse().ok()?;
    parts.next()?.strip_prefix("sum:")?;
    let bucket = |part: &str| {
        let (bounds, count) = part.rsplit_once(':')?;
        let (lower, upper) = bounds.strip_prefix(['(', '['])?.strip_suffix([')', ']'])?.split_once(',')?;
        Some(Bucket { lower: lower.parse().ok()?, upper: upper.parse().ok()?, count: count.parse().ok()? })
    };
    Some((count, parts.map(bucket).collect::<Option<_>>()?))
}

/// Returns the rows, highest values first. A bucket that covers several gives each the same: bounds of exponential buckets grow
/// evenly.
fn rows_of(points: &[(i64, Vec<Bucket>)], numbers: Numbers<'_>) -> Vec<PanelSeries> {
    let bounds = bounds_of(points);
    let together = bounds.len().div_ceil(ROWS_MAX).max(1);
    let row = |within: &[(f64, f64)]| {
        let (lower, upper) = (within[0].0, within[within.len() - 1].1);
        let bound = numbers.text(upper);
        let name = if lower == upper { bound } else { format!("≤ {bound}") };
        PanelSeries { name, ..PanelSeries::default() }
    };
    let mut rows: Vec<PanelSeries> = bounds.chunks(together).map(row).collect();
    for (ms, buckets) in points {
        let mut counts = vec![0.0; rows.len()];
        for bucket in buckets {
            let places = covered(&bounds, bucket);
            for place in &places {
                counts[place / together] += bucket.count / places.len() as f64;
            }
        }
        for (row, count) in rows.iter_mut().zip(counts) {
            row.points.push((*ms, count));
        }
    }
    rows.reverse();
    rows
}

/// Returns the bounds of rows, lowest first: what lies between bounds that any bucket has, and zero where only zero counts.
fn bounds_of(points: &[(i64, Vec<Bucket>)]) -> Vec<(f64, f64)> {
    let buckets = || points.iter().flat_map(|(_, buckets)| buckets);
    let distinct = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    };
    let exact = distinct(buckets().filter(|one| one.lower == one.upper).map(|one| one.lower).collect());
    let edges = distinct(buckets().flat_map(|one| [one.lower, one.upper]).collect());
    let mut bounds = Vec::new();
    for (n, edge) in edges.iter().enumerate() {
        if exact.contains(edge) {
            bounds.push((*edge, *edge));
        }
        bounds.extend(edges.get(n + 1).map(|next| (*edge, *next)));
    }
    bounds
}

/// Returns the places of the bounds that a bucket covers.
fn covered(bounds: &[(f64, f64)], bucket: &Bucket) -> Vec<usize> {
    let first = bounds.partition_point(|(lower, _)| *lower < bucket.lower);
    let within = bounds[first..].iter().take_while(|(_, end)| *end <= bucket.upper).enumerate();
    let is_exact = bucket.lower == bucket.upper;
    within.filter(|(_, (start, end))| (start == end) == is_exact).map(|(n, _)| first + n).collect()
}

#[cfg(test)]
mod tests;
