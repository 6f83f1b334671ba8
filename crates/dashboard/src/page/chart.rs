//! Lines, areas and bars over time, as SVG that stretches to its place; texts stand beside it, so that they keep their size.

use std::collections::BTreeMap;
use std::fmt::Write;

use types::{Locale, Timestamp};

use super::figures::legend;
use super::html::line;
use super::model::Page;
use super::names::{by_name, class_of};
use super::numbers::{Numbers, grade_words};
use super::scale::ValueScale;
use super::series::{PanelSeries, distance_of, instants};
use super::times::Times;
use crate::document::{Nulls, Panel, PanelKind};

/// Most lines of a chart: eight colours, three kinds of dashes.
const LINES_MAX: usize = 24;
/// Most areas or bars: they have colours alone.
const STACKED_MAX: usize = 8;
/// Steps of a chart from left to right, and from its bottom to its top.
const WIDE: f64 = 1_000.0;
const TALL: f64 = 1_000.0;
/// Points of a line that are drawn: some for each step.
const POINTS_MAX: usize = 4_000;

/// Where values are drawn.
struct Plot<'a> {
    panel: &'a Panel,
    scale: ValueScale,
    from: i64,
    to: i64,
    distance: i64,
}

/// Returns the chart of a panel's series.
pub(super) fn chart(page: &Page<'_>, panel: &Panel, all: Vec<PanelSeries>, label: &str) -> String {
    let is_line = !matches!(panel.kind, PanelKind::Area | PanelKind::Bar);
    let n_all = all.len();
    let kept = if is_line { most_lines(all) } else { largest(all, STACKED_MAX, page.locale.text("others", "lainnya")) };
    let ms = |at: Timestamp| at.0.div_euclid(Timestamp::MILLISECOND);
    let (from, to) = (ms(page.range.from), ms(page.range.to));
    let distance = distance_of(&kept, ((to - from) / 200).max(1));
    let shapes = if is_line { Vec::new() } else { stacked(&kept, panel.stack) };
    let values: Vec<f64> = if is_line {
        kept.iter().flat_map(|one| one.points.iter().map(|point| point.1)).collect()
    } else {
        shapes.iter().flatten().flat_map(|(_, from, to)| [*from, *to]).collect()
    };
    let plot = Plot { panel, scale: ValueScale::of(&values, panel, !is_line), from, to, distance };
    let mut drawn = plot.grid();
    for (n, one) in kept.iter().enumerate() {
        let class = class_of(&one.name, n, is_line);
        match panel.kind {
            PanelKind::Bar => plot.bars(&shapes[n], (n, kept.len()), &class, &mut drawn),
            PanelKind::Area => plot.area(&shapes[n], &class, &mut drawn),
            _ => plot.line(&one.points, &class, &mut drawn),
        }
    }
    drawn.push_str(&plot.limits());
    let left = n_all - kept.len().min(n_all);
    let mut out = framed(&plot, page, &drawn, label);
    out.push_str(&legend(page, panel, &kept, |one, n| class_of(&one.name, n, is_line)));
    if is_line && left > 0 {
        let _ =
            writeln!(out, "<p class=\"dim\">{} {left}</p>", page.locale.text("Only in the table:", "Hanya di tabel:"));
    }
    out
}

/// Returns the largest lines in the order of their names. Others are left out: a sum of them is no line among them.
fn most_lines(mut all: Vec<PanelSeries>) -> Vec<PanelSeries> {
    if all.len() > LINES_MAX {
        all.sort_by(|a, b| b.size().total_cmp(&a.size()));
        all.truncate(LINES_MAX);
        all.sort_by(by_name);
    }
    all
}

/// Keeps the largest series; the others become one, called `others`, so that a stack keeps its height.
fn largest(mut series: Vec<PanelSeries>, most: usize, others: &str) -> Vec<PanelSeries> {
    if series.len() <= most {
        return series;
    }
    series.sort_by(|a, b| b.size().total_cmp(&a.size()));
    let rest = series.split_off(most - 1);
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    for (ms, value) in rest.iter().flat_map(|one| &one.points) {
        *sums.entry(*ms).or_default() += value;
    }
    series.sort_by(by_name);
    let points = sums.into_iter().collect();
    series.push(PanelSeries { name: others.to_owned(), points, ..PanelSeries::default() });
    series
}

/// Returns for each series what its shapes cover: an instant, and values from and to.
fn stacked(series: &[PanelSeries], is_stack: bool) -> Vec<Vec<(i64, f64, f64)>> {
    if !is_stack {
        let shape = |(ms, value): &(i64, f64)| (*ms, value.min(0.0), value.max(0.0));
        return series.iter().map(|one| one.points.iter().map(shape).collect()).collect();
    }
    let times = instants(series);
    let mut reached = vec![0.0; times.len()];
    let mut shapes = Vec::new();
    for one in series {
        let shape = times.iter().zip(&mut reached).map(|(ms, reached)| {
            let from = *reached;
            *reached += one.at(*ms).unwrap_or_default().max(0.0);
            (*ms, from, *reached)
        });
        shapes.push(shape.collect());
    }
    shapes
}

impl Plot<'_> {
    fn x(&self, ms: i64) -> f64 {
        (ms - self.from) as f64 / (self.to - self.from).max(1) as f64 * WIDE
    }

    fn y(&self, value: f64) -> f64 {
        (1.0 - self.scale.place(value)) * TALL
    }

    fn grid(&self) -> String {
        let lines = self.scale.marks.iter().map(|mark| {
            let y = self.y(*mark);
            format!("<path class=\"rule\" d=\"M0 {y:.1}H{WIDE}\"/>")
        });
        lines.collect()
    }

    /// Draws a line that is broken where it has a gap; a point between gaps is a short line of its own.
    fn line(&self, points: &[(i64, f64)], class: &str, out: &mut String) {
        let gap = match self.panel.nulls {
            Nulls::Connect => i64::MAX,
            Nulls::Gap | Nulls::Zero => self.distance.saturating_mul(3) / 2,
        };
        let every = points.len().div_ceil(POINTS_MAX).max(1);
        let mut d = String::new();
        let mut before: Option<i64> = None;
        for (ms, value) in points.iter().step_by(every).filter(|point| (self.from..=self.to).contains(&point.0)) {
            if self.panel.nulls == Nulls::Zero
                && let Some(last) = before.filter(|last| ms - last > gap)
            {
                let zero = self.y(0.0);
                let (leaves, comes) = (self.x(last + self.distance), self.x(ms - self.distance));
                let _ = write!(d, "L{leaves:.1} {zero:.1}H{comes:.1}");
                before = Some(*ms);
            }
            let command = if before.is_some_and(|last| every > 1 || ms - last <= gap) { 'L' } else { 'M' };
            let _ = write!(d, "{command}{:.1} {:.1}h0.1", self.x(*ms), self.y(*value));
            before = Some(*ms);
        }
        let _ = write!(out, "<path class=\"line {class}\" d=\"{d}\"/>");
    }

    fn area(&self, shape: &[(i64, f64, f64)], class: &str, out: &mut String) {
        let within: Vec<_> = shape.iter().filter(|point| (self.from..=self.to).contains(&point.0)).collect();
        let mut d = String::new();
        for (at, (ms, _, to)) in within.iter().enumerate() {
            let _ = write!(d, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, self.x(*ms), self.y(*to));
        }
        for (ms, from, _) in within.iter().rev() {
            let _ = write!(d, "L{:.1} {:.1}", self.x(*ms), self.y(*from));
        }
        let _ = write!(out, "<path class=\"area {class}\" d=\"{d}Z\"/>");
    }

    /// Draws bars, those of several series side by side unless they are stacked.
    fn bars(&self, shape: &[(i64, f64, f64)], (n, of): (usize, usize), class: &str, out: &mut String) {
        let whole = (self.x(self.from + self.distance) * 0.8).max(1.0);
        let (wide, shift) =
            if self.panel.stack { (whole, 0.0) } else { (whole / of as f64, whole / of as f64 * n as f64) };
        for (ms, from, to) in shape.iter().filter(|point| point.1 != point.2) {
            let x = self.x(*ms) + shift;
            if !(0.0..=WIDE).contains(&x) {
                continue;
            }
            let (top, bottom) = (self.y(*to), self.y(*from));
            let tall = bottom - top;
            let _ = write!(
                out,
                "<rect class=\"bar {class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\"/>"
            );
        }
    }

    fn limits(&self) -> String {
        let within = self.panel.thresholds.iter().filter(|threshold| self.scale.holds(threshold.value));
        let drawn = within.map(|threshold| {
            let (class, _) = grade_words(threshold.level, Locale::English);
            format!("<path class=\"limit g-{class}\" d=\"M0 {:.1}H{WIDE}\"/>", self.y(threshold.value))
        });
        drawn.collect()
    }
}

/// Puts the marks of both axes and the words of limits beside a drawing.
fn framed(plot: &Plot<'_>, page: &Page<'_>, drawn: &str, label: &str) -> String {
    let numbers = Numbers::of(plot.panel, page.locale);
    let mut out = format!(
        "<div class=\"plot\">\n<svg viewBox=\"0 0 {WIDE} {TALL}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">{drawn}</svg>\n"
    );
    for (mark, text) in plot.scale.marks.iter().zip(numbers.marks(&plot.scale.marks)) {
        let up = plot.scale.place(*mark) * 100.0;
        let _ = write!(out, "<span class=\"y\" style=\"bottom:{up:.2}%\">{}</span>", line(&text));
    }
    for threshold in plot.panel.thresholds.iter().filter(|threshold| plot.scale.holds(threshold.value)) {
        let (class, word) = grade_words(threshold.level, page.locale);
        let (up, text) = (plot.scale.place(threshold.value) * 100.0, line(&numbers.text(threshold.value)));
        let _ = write!(out, "<span class=\"limit-word g-{class}\" style=\"bottom:{up:.2}%\">{word} {text}</span>");
    }
    out.push_str("</div>\n<div class=\"x\">");
    for (at, text) in (Times { zone: page.time_zone }).marks(plot.from, plot.to) {
        let _ = write!(out, "<span style=\"left:{:.2}%\">{text}</span>", plot.x(at) / WIDE * 100.0);
    }
    out.push_str("</div>\n");
    out
}
