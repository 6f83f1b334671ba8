//! What is drawn of numbers at one instant: figures with their course, names with a bar each, pies, legends.

use std::f64::consts::TAU;
use std::fmt::Write;

use types::Timestamp;

use super::html::line;
use super::model::Page;
use super::names::class_of;
use super::numbers::{Numbers, grade_of, grade_words};
use super::series::{PanelSeries, distance_of};
use crate::document::{Grade, Legend, LegendValue, Panel};

/// Figures side by side in one panel, names with a bar, slices that can be told apart.
const FIGURES_MAX: usize = 12;
const BARS_MAX: usize = 100;
const SLICES_MAX: usize = 8;

/// Returns the legend of a chart, with the numbers that the panel asks for.
pub(super) fn legend(
    page: &Page<'_>,
    panel: &Panel,
    series: &[PanelSeries],
    class: impl Fn(&PanelSeries, usize) -> String,
) -> String {
    if panel.legend == Legend::None {
        return String::new();
    }
    let numbers = Numbers::of(panel, page.locale);
    let mut out = String::from("<ul class=\"legend\">");
    for (n, one) in series.iter().enumerate() {
        let _ = write!(out, "<li><i class=\"{}\"></i>{}", class(one, n), line(&one.name));
        for of in &panel.legend_values {
            let value = one.number(*of).map_or_else(|| "–".to_owned(), |value| numbers.text(value));
            let _ = write!(out, " <span class=\"dim\">{}</span> <b>{}</b>", value_word(*of, page), line(&value));
        }
        out.push_str("</li>");
    }
    out + "</ul>\n"
}

fn value_word(of: LegendValue, page: &Page<'_>) -> &'static str {
    match of {
        LegendValue::Last => page.locale.text("last", "terakhir"),
        LegendValue::Max => page.locale.text("max", "maks"),
        LegendValue::Min => "min",
        LegendValue::Mean => page.locale.text("mean", "rata-rata"),
        LegendValue::Sum => page.locale.text("sum", "jumlah"),
    }
}

/// Returns the panel of numbers, each with its grade as a word and its course.
pub(super) fn figures(page: &Page<'_>, panel: &Panel, series: &[PanelSeries]) -> String {
    let numbers = Numbers::of(panel, page.locale);
    let mut out = String::from("<div class=\"figures\">");
    for one in series.iter().take(FIGURES_MAX) {
        let points = settled(page, one);
        let value = points.last().map_or(f64::NAN, |point| point.1);
        let (class, word) = graded(page, grade_of(value, &panel.thresholds));
        let name = if series.len() > 1 { format!("<span>{}</span>", line(&one.name)) } else { String::new() };
        let text = line(&numbers.text(value));
        let _ = write!(out, "<div class=\"figure {class}\">{name}<b>{text}</b>{word}{}</div>", spark(page, points));
    }
    out.push_str("</div>\n");
    out + &more(page, series.len(), FIGURES_MAX)
}

/// Returns the points of whole buckets: the last one has only begun where the range ends within it.
fn settled<'a>(page: &Page<'_>, series: &'a PanelSeries) -> &'a [(i64, f64)] {
    let end = page.range.to.0.min(page.at.0).div_euclid(Timestamp::MILLISECOND);
    let distance = distance_of(std::slice::from_ref(series), 0);
    match &series.points[..] {
        [before @ .., last] if !before.is_empty() && last.0.saturating_add(distance) > end => before,
        all => all,
    }
}

fn spark(page: &Page<'_>, points: &[(i64, f64)]) -> String {
    if points.len() < 2 {
        return String::new();
    }
    let ms = |at: Timestamp| at.0.div_euclid(Timestamp::MILLISECOND);
    let (from, to) = (ms(page.range.from), ms(page.range.to));
    let low = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let top = points.iter().map(|point| point.1).fold(low + 1e-9, f64::max);
    let mut d = String::new();
    for (at, (ms, value)) in points.iter().step_by(points.len().div_ceil(600)).enumerate() {
        let x = (ms - from) as f64 / (to - from).max(1) as f64 * 300.0;
        let y = 98.0 - (value - low) / (top - low) * 96.0;
        let _ = write!(d, "{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' });
    }
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 300 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"line s0\" d=\"{d}\"/></svg>"
    )
}

/// Returns names with a bar each, largest first.
pub(super) fn name_bars(page: &Page<'_>, panel: &Panel, series: &[PanelSeries]) -> String {
    let mut all: Vec<(&PanelSeries, f64)> =
        series.iter().filter_map(|one| Some((one, one.number(LegendValue::Last)?))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = all.iter().map(|one| one.1.abs()).fold(1e-12, f64::max);
    let numbers = Numbers::of(panel, page.locale);
    let mut out = String::from("<ol class=\"bars\">");
    for (one, value) in all.iter().take(BARS_MAX) {
        let (class, word) = graded(page, grade_of(*value, &panel.thresholds));
        let share = value.abs() / most * 100.0;
        let (name, text) = (line(&one.name), line(&numbers.text(*value)));
        let _ = write!(
            out,
            "<li class=\"{class}\"><i style=\"width:{share:.2}%\"></i><span>{name}</span>{word}<b>{text}</b></li>"
        );
    }
    out.push_str("</ol>\n");
    out + &more(page, all.len(), BARS_MAX)
}

/// Returns a pie and what its slices are. What is not above zero has no share.
pub(super) fn pie(page: &Page<'_>, panel: &Panel, series: &[PanelSeries], label: &str) -> String {
    let mut all: Vec<(String, f64)> =
        series.iter().filter_map(|one| Some((one.name.clone(), one.number(LegendValue::Sum)?))).collect();
    all.retain(|slice| slice.1 > 0.0);
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    if all.len() > SLICES_MAX {
        let rest: f64 = all.split_off(SLICES_MAX - 1).iter().map(|slice| slice.1).sum();
        all.push((page.locale.text("others", "lainnya").to_owned(), rest));
    }
    let sum: f64 = all.iter().map(|slice| slice.1).sum();
    let (numbers, mut at) = (Numbers::of(panel, page.locale), 0.0);
    let (mut slices, mut names) = (String::new(), String::new());
    let percent = Numbers { locale: page.locale, unit: "ratio", decimals: Some(1) };
    for (n, (name, value)) in all.iter().enumerate() {
        let (class, share) = (class_of(name, n, false), value / sum);
        let _ = write!(slices, "<path class=\"slice {class}\" d=\"{}\"/>", arc(at, at + share));
        let (name, text) = (line(name), line(&numbers.text(*value)));
        let _ = write!(names, "<li><i class=\"{class}\"></i>{name} <b>{text}</b> {}</li>", percent.text(share));
        at += share;
    }
    format!(
        "<div class=\"pie\"><svg viewBox=\"0 0 100 100\" role=\"img\" aria-label=\"{label}\">{slices}</svg><ul class=\"legend\">{names}</ul></div>\n"
    )
}

/// Returns the outline of a slice, from one share of the circle to another.
fn arc(from: f64, to: f64) -> String {
    let point = |part: f64, radius: f64| {
        let angle = TAU * (part - 0.25);
        format!("{:.2} {:.2}", 50.0 + radius * angle.cos(), 50.0 + radius * angle.sin())
    };
    // An arc that ends where it begins would be none.
    let end = to.min(from + 0.9999);
    let large = u8::from(end - from > 0.5);
    let (a, b, c, d) = (point(from, 46.0), point(end, 46.0), point(end, 24.0), point(from, 24.0));
    format!("M{a}A46 46 0 {large} 1 {b}L{c}A24 24 0 {large} 0 {d}Z")
}

fn graded(page: &Page<'_>, grade: Option<Grade>) -> (String, String) {
    let Some(grade) = grade else { return ("g-none".to_owned(), String::new()) };
    let (class, word) = grade_words(grade, page.locale);
    (format!("g-{class}"), format!("<em>{word}</em>"))
}

fn more(page: &Page<'_>, all: usize, shown: usize) -> String {
    if all <= shown {
        return String::new();
    }
    let text = page.locale.text("more in the table", "lagi di tabel");
    format!("<p class=\"dim\">{} {text}</p>\n", all - shown)
}
