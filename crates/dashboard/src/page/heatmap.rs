//! Values by time and name as colours: the darker, the higher.

use std::collections::BTreeMap;
use std::fmt::Write;

use types::Timestamp;

use super::html::line;
use super::model::Page;
use super::numbers::Numbers;
use super::series::{PanelSeries, distance_of};
use super::times::Times;
use crate::document::{Panel, Scale};

/// Rows of a heatmap; the others are in the table.
const ROWS_MAX: usize = 60;
const FAINTEST: f64 = 0.06;
/// Steps from left to right, and of each row.
const WIDE: f64 = 1_000.0;
const ROW: f64 = 10.0;

/// Returns the heatmap of a panel's series.
pub(super) fn heatmap(page: &Page<'_>, panel: &Panel, series: &[PanelSeries], label: &str) -> String {
    of_rows(page, panel, &rows_of(series), label)
}

/// Returns the heatmap of rows, from the top down.
pub(super) fn of_rows(page: &Page<'_>, panel: &Panel, rows: &[PanelSeries], label: &str) -> String {
    let ms = |at: Timestamp| at.0.div_euclid(Timestamp::MILLISECOND);
    let (from, to) = (ms(page.range.from), ms(page.range.to));
    let x = |at: i64| (at - from) as f64 / (to - from).max(1) as f64 * WIDE;
    let wide = (x(from + distance_of(rows, (to - from) / 200))).max(1.0);
    let most = rows.iter().flat_map(|row| row.points.iter().map(|point| point.1)).fold(0.0, f64::max);
    let (mut cells, mut names) = (String::new(), String::new());
    for (n, row) in rows.iter().enumerate() {
        let _ = write!(names, "<span>{}</span>", line(&row.name));
        let y = n as f64 * ROW;
        for (at, value) in row.points.iter().filter(|point| (from..=to).contains(&point.0)) {
            let (x, shade) = (x(*at), shade(*value, most, panel.scale == Scale::Log));
            let _ = write!(
                cells,
                "<rect class=\"heat\" x=\"{x:.1}\" y=\"{y}\" width=\"{wide:.1}\" height=\"{ROW}\" fill-opacity=\"{shade:.2}\"/>"
            );
        }
    }
    let tall = rows.len().max(1) as f64 * ROW;
    let mut out = format!(
        "<div class=\"heatmap\"><div class=\"names\">{names}</div><div class=\"plot bare\"><svg viewBox=\"0 0 {WIDE} {tall}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">{cells}</svg></div></div>\n<div class=\"x inset\">"
    );
    for (at, text) in (Times { zone: page.time_zone }).marks(from, to) {
        let _ = write!(out, "<span style=\"left:{:.2}%\">{text}</span>", x(at) / WIDE * 100.0);
    }
    let darkest = line(&Numbers::of(panel, page.locale).text(most));
    let _ = writeln!(out, "</div>\n<p class=\"dim\">{} {darkest}</p>", page.locale.text("Darkest:", "Paling gelap:"));
    out
}

/// Returns the rows: bounds and other numbers from the bottom up, names as they came.
fn rows_of(series: &[PanelSeries]) -> Vec<PanelSeries> {
    let mut rows = bands_of(series);
    for row in &mut rows {
        if let Some(bound) = row.label("le") {
            row.name = format!("≤ {bound}");
        }
    }
    let size = |row: &PanelSeries| number_of(row.name.trim_start_matches("≤ "));
    if rows.iter().all(|row| size(row).is_some()) {
        rows.sort_by(|a, b| size(b).unwrap_or_default().total_cmp(&size(a).unwrap_or_default()));
    }
    rows.truncate(ROWS_MAX);
    rows
}

/// Turns Prometheus' cumulative buckets (`le`) into counts of each; other series stay as they are.
fn bands_of(series: &[PanelSeries]) -> Vec<PanelSeries> {
    let bound = |one: &PanelSeries| one.label("le").and_then(number_of);
    if series.len() < 2 || series.iter().any(|one| bound(one).is_none()) {
        return series.to_vec();
    }
    let mut sorted = series.to_vec();
    sorted.sort_by(|a, b| bound(a).unwrap_or_default().total_cmp(&bound(b).unwrap_or_default()));
    let mut below: BTreeMap<i64, f64> = BTreeMap::new();
    for one in &mut sorted {
        let own: BTreeMap<i64, f64> = one.points.iter().copied().collect();
        for (ms, value) in &mut one.points {
            *value = (*value - below.get(ms).copied().unwrap_or_default()).max(0.0);
        }
        below = own;
    }
    sorted
}

fn number_of(text: &str) -> Option<f64> {
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok() }
}

/// Returns how dark a value is: by its size, or by that of its logarithm.
fn shade(value: f64, most: f64, is_log: bool) -> f64 {
    if value <= 0.0 || most <= 0.0 {
        return 0.0;
    }
    let share = if is_log { value.ln_1p() / most.ln_1p() } else { value / most };
    FAINTEST + (1.0 - FAINTEST) * share.min(1.0)
}

#[cfg(test)]
mod tests;
