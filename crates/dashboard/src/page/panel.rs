//! One panel: its title, its picture, its table, and what its reader should know.

use std::collections::BTreeMap;

use types::Locale;

use super::html::line;
use super::model::{Page, PanelAnswer, Table};
use super::numbers::Numbers;
use super::series::{PanelSeries, is_by_time, series_of};
use super::{arithmetic, chart, figures, heatmap, histograms, markdown, names, tables};
use crate::document::{COLUMNS, Panel, PanelKind};
use crate::fill::title_of;

/// Native histograms of a panel.
const HISTOGRAMS_MAX: usize = 4;

/// Returns a panel.
pub(super) fn panel(page: &Page<'_>, panel: &Panel, answer: &PanelAnswer) -> String {
    let title = line(&title_of(&panel.title, page.choices, page.locale));
    let wide = panel.w.clamp(1, COLUMNS);
    let heading = if title.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n") };
    let body = match answer {
        PanelAnswer::Failed(problem) => {
            let failed = page.locale.text("This could not be answered:", "Ini tidak dapat dijawab:");
            format!("<p class=\"wrong\">{failed} {}</p>\n", line(problem))
        }
        PanelAnswer::Tables(answered) => body(page, panel, answered, &title) + &notes(answered),
    };
    format!("<section class=\"panel w{wide}\">\n{heading}{body}</section>\n")
}

fn body(page: &Page<'_>, panel: &Panel, answered: &[Table], title: &str) -> String {
    match panel.kind {
        PanelKind::Text => return markdown::markdown(page, panel.text.as_deref().unwrap_or_default()),
        PanelKind::Map => {
            let text = page.locale.text(
                "The service map is on the dashboard itself; a file does not have it.",
                "Peta layanan ada di dasbor itu sendiri; berkas ini tidak memuatnya.",
            );
            return format!("<p class=\"dim\">{text}</p>\n");
        }
        _ => {}
    }
    if answered.iter().all(|table| table.rows.is_empty()) {
        let text = page.locale.text("Nothing in this range.", "Tidak ada apa pun di rentang ini.");
        return format!("<p class=\"dim\">{text}</p>\n");
    }
    let is_of_rows = panel.kind == PanelKind::Logs || panel.kind == PanelKind::Table && panel.expression.is_none();
    if is_of_rows {
        return answered.iter().map(|table| tables::rows(page, panel, table)).collect();
    }
    if let Some(drawn) = histogram_pictures(page, panel, answered, title) {
        return drawn;
    }
    match drawn_series(page, panel, answered) {
        Ok(series) if series.is_empty() => answered.iter().map(|table| tables::rows(page, panel, table)).collect(),
        Ok(series) => picture(page, panel, series, answered.iter().any(is_by_time), title),
        Err(paragraph) => paragraph,
    }
}

/// Returns the native histograms of a heatmap, each by its name where there are several; `None` if the panel draws none.
fn histogram_pictures(page: &Page<'_>, panel: &Panel, answered: &[Table], title: &str) -> Option<String> {
    // An expression computes with numbers alone.
    if panel.kind != PanelKind::Heatmap || panel.expression.is_some() {
        return None;
    }
    let numbers = Numbers { locale: page.locale, unit: "", decimals: None };
    let found = histograms::of_panel(panel, answered, numbers);
    let mut out = String::new();
    for (name, rows) in found.iter().take(HISTOGRAMS_MAX) {
        if found.len() > 1 {
            out.push_str(&format!("<p><b>{}</b></p>\n", line(name)));
        }
        let label = picture_label(page, title);
        let table = tables::series_table(page, panel, rows, true);
        out.push_str(&with_table(page, &heatmap::of_rows(page, panel, rows, &label), &table));
    }
    if found.len() > HISTOGRAMS_MAX {
        let left = found.len() - HISTOGRAMS_MAX;
        let text = match page.locale {
            Locale::English => format!("{left} more histograms, with fewer observations, are not in this file."),
            Locale::Indonesian => {
                format!("{left} histogram lain, dengan lebih sedikit pengamatan, tidak ada di berkas ini.")
            }
        };
        out.push_str(&format!("<p class=\"dim\">{text}</p>\n"));
    }
    Some(out).filter(|out| !out.is_empty())
}

/// Returns the series that a panel draws: those of its queries, or the results of its expression.
///
/// # Errors
///
/// The paragraph that says what is wrong with the expression, or why it has no value.
fn drawn_series(page: &Page<'_>, panel: &Panel, answered: &[Table]) -> Result<Vec<PanelSeries>, String> {
    let of_queries: Vec<Vec<PanelSeries>> = answered.iter().map(series_of).collect();
    let Some(expression) = &panel.expression else { return Ok(names::named_series(panel, of_queries)) };
    let by_id: BTreeMap<String, Vec<PanelSeries>> =
        of_queries.into_iter().enumerate().map(|(at, series)| (panel.query_id(at), series)).collect();
    let wrong = |problem: String| format!("<p class=\"wrong\">{}</p>\n", line(&problem));
    let results = arithmetic::evaluated(expression, &by_id).map_err(wrong)?;
    match arithmetic::why_no_value(expression, &results, &by_id) {
        Some(reason) => Err(format!("<p class=\"dim\">{}</p>\n", line(&reason.text(page.locale)))),
        None => Ok(names::named_results(results, expression)),
    }
}

fn picture(page: &Page<'_>, panel: &Panel, series: Vec<PanelSeries>, is_by_time: bool, title: &str) -> String {
    let table = tables::series_table(page, panel, &series, is_by_time);
    let label = picture_label(page, title);
    let drawn = match panel.kind {
        PanelKind::Number => figures::figures(page, panel, &series),
        PanelKind::Pie => figures::pie(page, panel, &series, &label),
        PanelKind::Table => return table,
        _ if !is_by_time => figures::name_bars(page, panel, &series),
        PanelKind::Heatmap => heatmap::heatmap(page, panel, &series, &label),
        _ => chart::chart(page, panel, series, &label),
    };
    with_table(page, &drawn, &table)
}

/// Returns what a picture is to those who do not see it.
fn picture_label(page: &Page<'_>, title: &str) -> String {
    let described =
        page.locale.text("chart; its numbers are in the table below", "grafik; angkanya ada di tabel di bawah");
    if title.is_empty() { described.to_owned() } else { format!("{title}: {described}") }
}

fn with_table(page: &Page<'_>, drawn: &str, table: &str) -> String {
    let summary = page.locale.text("Table", "Tabel");
    format!("{drawn}<details><summary>{summary}</summary>\n{table}</details>\n")
}

fn notes(answered: &[Table]) -> String {
    let mut all: Vec<&String> = answered.iter().flat_map(|table| &table.notes).collect();
    all.dedup();
    all.into_iter().map(|note| format!("<p class=\"note\">{}</p>\n", line(note))).collect()
}
