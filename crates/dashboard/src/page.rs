//! A board as one file of HTML with its data inside: it needs no script, no font and no network, prints well, and is light or
//! dark as its reader has set.
//!
//! ```text
//! tables (answers of queries) ─► series ─ expression ─► picture (SVG, HTML) + table ─┐
//! text, notes ───────────────────────────────────────────────────────────────────────┴► page
//! ```
//!
//! Promises: whatever stands in a title, a text, a name or a value is shown and never markup; every picture has its table
//! beside it; nothing is left out without a word. Asks nothing: what stands in the page was answered before.

mod arithmetic;
mod chart;
mod figures;
mod heatmap;
mod histograms;
mod html;
mod markdown;
mod model;
mod names;
mod numbers;
mod panel;
mod scale;
mod series;
mod tables;
mod times;

use plan::Plan;

use self::html::{escaped, line};
pub use self::model::{Page, PanelAnswer, Table, TableColumn, TableKind};
use self::times::Times;
use crate::document::Panel;
use crate::fill::{Choice, title_of};

/// The style of a page.
const STYLE: &str = include_str!("page/style.css");

/// Returns the names of the columns that the rows of a plan are grouped by: numbers in them are names.
pub fn group_columns(plan: &Plan) -> Vec<String> {
    let by = plan.operators().iter().rev().find_map(|operator| match operator {
        plan::Operator::Aggregate { by, .. } => Some(by),
        _ => None,
    });
    by.into_iter().flatten().map(|(name, _)| name.to_string()).collect()
}

/// Returns the board as a file of HTML.
pub fn page(page: &Page<'_>) -> String {
    let t = |english, indonesian| page.locale.text(english, indonesian);
    let title = line(&title_of(&page.board.title, page.choices, page.locale));
    let times = Times { zone: page.time_zone };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<header>\n<h1>{title}</h1>\n",
        page.locale.tag(),
    );
    if !page.board.description.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", line(&page.board.description)));
    }
    let (from, to) = (times.minute(page.range.from), times.minute(page.range.to));
    let zone = escaped(page.time_zone.name());
    out.push_str(&format!("<p>{from} {} {to} ({zone})</p>\n", t("to", "sampai")));
    out.push_str(&chosen(page));
    let asked = times.minute(page.at);
    let link = page.url.map_or_else(String::new, |url| {
        let text = t("Open the dashboard", "Buka dasbor");
        format!(" · <a href=\"{}\" rel=\"noopener noreferrer\">{text}</a>", escaped(url))
    });
    out.push_str(&format!("<p class=\"dim\">{} {asked}{link}</p>\n</header>\n<main>\n", t("As of", "Keadaan pada")));
    out.push_str(&sections(page));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Returns what was chosen, as people read it.
fn chosen(page: &Page<'_>) -> String {
    let mut parts = Vec::new();
    for variable in &page.board.variables {
        let Some(choice) = page.choices.get(&variable.name) else { continue };
        let label = if variable.label.is_empty() { &variable.name } else { &variable.label };
        let value = match choice {
            Choice::One(value) => line(value),
            Choice::Several(values) => line(&values.join(", ")),
            Choice::All { .. } => page.locale.text("all", "semua").to_owned(),
        };
        parts.push(format!("{}: <b>{value}</b>", line(label)));
    }
    if parts.is_empty() { String::new() } else { format!("<p>{}</p>\n", parts.join(" · ")) }
}

/// Returns the panels in reading order, under the headings of their sections.
fn sections(page: &Page<'_>) -> String {
    let panels: Vec<(&Panel, &PanelAnswer)> = page.board.panels.iter().zip(page.answers).collect();
    let mut names: Vec<Option<&str>> = Vec::new();
    for (panel, _) in &panels {
        if !names.contains(&panel.section.as_deref()) {
            names.push(panel.section.as_deref());
        }
    }
    let mut out = String::new();
    for name in names {
        if let Some(name) = name {
            out.push_str(&format!("<h2>{}</h2>\n", line(&title_of(name, page.choices, page.locale))));
        }
        out.push_str("<div class=\"grid\">\n");
        let mut own: Vec<_> = panels.iter().filter(|(panel, _)| panel.section.as_deref() == name).collect();
        own.sort_by_key(|(panel, _)| (panel.y, panel.x));
        own.iter().for_each(|(panel, answer)| out.push_str(&panel::panel(page, panel, answer)));
        out.push_str("</div>\n");
    }
    out
}

#[cfg(test)]
mod tests;
