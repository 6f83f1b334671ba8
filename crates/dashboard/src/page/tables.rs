//! Rows as tables: of queries as they came, and of series by time or by name.

use std::fmt::Write;

use types::{Locale, Timestamp, Value};

use super::html::{escaped, line};
use super::model::{Page, Table, TableKind};
use super::numbers::{Numbers, grade_of, grade_words};
use super::series::{NOTHING, PanelSeries, cell_text, instants, number_in};
use super::times::Times;
use crate::document::{LegendValue, Panel};

/// Most rows of a table.
const ROWS_MAX: usize = 1_000;

/// Returns the rows of a query.
pub(super) fn rows(page: &Page<'_>, panel: &Panel, table: &Table) -> String {
    let heads = table.columns.iter().map(|column| (line(&column.name), column.kind == TableKind::Number));
    let mut out = head(heads);
    let numbers = Numbers::of(panel, page.locale);
    for row in table.rows.iter().take(ROWS_MAX) {
        out.push_str("<tr>");
        for (at, column) in table.columns.iter().enumerate() {
            let value = row.get(at);
            let number =
                value.and_then(Option::as_ref).filter(|_| column.kind == TableKind::Number).and_then(number_in);
            match (value, number) {
                (_, Some(number)) => number_cell(page, panel, numbers, number, &mut out),
                (Some(Some(Value::Timestamp(time))), _) => {
                    let _ = write!(out, "<td>{}</td>", Times { zone: page.time_zone }.whole(*time));
                }
                _ => {
                    let _ = write!(out, "<td class=\"value\">{}</td>", escaped(&cell_text(value)));
                }
            }
        }
        out.push_str("</tr>\n");
    }
    end(page, out, table.rows.len(), table.is_cut)
}

/// Returns series as a table: an instant a row, or a name a row.
pub(super) fn series_table(page: &Page<'_>, panel: &Panel, series: &[PanelSeries], is_by_time: bool) -> String {
    let numbers = Numbers::of(panel, page.locale);
    let t = |english, indonesian| page.locale.text(english, indonesian).to_owned();
    if !is_by_time {
        let mut out = head([(t("Name", "Nama"), false), (t("Value", "Nilai"), true)].into_iter());
        for one in series.iter().take(ROWS_MAX) {
            let _ = write!(out, "<tr><td class=\"value\">{}</td>", line(&one.name));
            number_cell(page, panel, numbers, one.number(LegendValue::Last).unwrap_or(f64::NAN), &mut out);
            out.push_str("</tr>\n");
        }
        return end(page, out, series.len(), false);
    }
    let names = series.iter().map(|one| (line(&one.name), true));
    let mut out = head(std::iter::once((t("Time", "Waktu"), false)).chain(names));
    let instants = instants(series);
    for ms in instants.iter().take(ROWS_MAX) {
        let time = Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
        let _ = write!(out, "<tr><td>{}</td>", Times { zone: page.time_zone }.whole(time));
        for one in series {
            match one.at(*ms) {
                Some(value) => number_cell(page, panel, numbers, value, &mut out),
                None => {
                    let _ = write!(out, "<td>{NOTHING}</td>");
                }
            }
        }
        out.push_str("</tr>\n");
    }
    end(page, out, instants.len(), false)
}

fn head(heads: impl Iterator<Item = (String, bool)>) -> String {
    let mut out = String::from("<div class=\"rows\" tabindex=\"0\"><table>\n<thead><tr>");
    for (name, is_number) in heads {
        let class = if is_number { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{name}</th>");
    }
    out + "</tr></thead>\n<tbody>\n"
}

fn number_cell(page: &Page<'_>, panel: &Panel, numbers: Numbers<'_>, value: f64, out: &mut String) {
    let text = line(&numbers.text(value));
    let _ = match grade_of(value, &panel.thresholds).map(|grade| grade_words(grade, page.locale)) {
        Some((class, word)) => write!(out, "<td class=\"number g-{class}\"><em>{word}</em> {text}</td>"),
        None => write!(out, "<td class=\"number\">{text}</td>"),
    };
}

fn end(page: &Page<'_>, mut out: String, n: usize, is_cut: bool) -> String {
    out.push_str("</tbody>\n</table></div>\n");
    let shown = n.min(ROWS_MAX);
    if is_cut || n > ROWS_MAX {
        let (the, more) = match page.locale {
            Locale::English => ("The first", "rows; there are more."),
            Locale::Indonesian => ("Ini", "baris pertama; masih ada lagi."),
        };
        let _ = writeln!(out, "<p class=\"dim\">{the} {shown} {more}</p>");
    }
    out
}
