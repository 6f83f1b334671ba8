//! A board as one file of HTML with its data inside: the page's own code, as one script in it, draws the panels; it needs no
//! font and no network, prints well, and is light or dark as its reader has set.
//!
//! ```text
//! tables (answers of queries) ─► JSON ─► script ─► pictures ─┐
//!               └──────────────────────► rows ───────────────┴► page
//! ```
//!
//! Guarantees: titles, texts, names and values are shown and never markup; only that script runs; readers without scripts have
//! every value in a table; whatever is left out is named. This module asks no queries: the answers are its input.

mod data;
mod html;
mod model;
mod panel;
mod tables;
mod times;

use self::html::{escaped, line};
pub use self::model::{Page, PanelAnswer, Program, Table};
use self::times::Times;
use crate::document::Panel;
use crate::fill::{Choice, title_of};

/// Returns the board as a file of HTML.
pub fn page(page: &Page<'_>) -> String {
    let t = |english, indonesian| page.locale.text(english, indonesian);
    let title = line(&title_of(&page.board.title, page.choices, page.locale));
    let times = Times { zone: page.time_zone };
    let program = page.program;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{}</style>\n</head>\n\
         <body>\n<header>\n<h1>{title}</h1>\n",
        page.locale.tag(),
        program.digest,
        program.style,
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
    let without = t(
        "Scripts do not run here: the values of each panel are in its table.",
        "Skrip tidak dijalankan di sini: nilai setiap panel ada di tabelnya.",
    );
    out.push_str(&format!("<noscript>{without}</noscript>\n{}</main>\n", sections(page)));
    out.push_str(&format!("<script type=\"application/json\" id=\"board-data\">{}</script>\n", data::json(page)));
    out.push_str(&format!("<script>{}</script>\n</body>\n</html>\n", program.script));
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
    let panels: Vec<(usize, (&Panel, &PanelAnswer))> = page.board.panels.iter().zip(page.answers).enumerate().collect();
    let mut names: Vec<Option<&str>> = Vec::new();
    for (_, (panel, _)) in &panels {
        if !names.contains(&panel.section.as_deref()) {
            names.push(panel.section.as_deref());
        }
    }
    let mut out = String::new();
    for name in names {
        if let Some(name) = name {
            out.push_str(&format!("<h2>{}</h2>\n", line(&title_of(name, page.choices, page.locale))));
        }
        out.push_str("<div class=\"board-sheet\">\n");
        let mut own: Vec<_> = panels.iter().filter(|(_, (panel, _))| panel.section.as_deref() == name).collect();
        own.sort_by_key(|(_, (panel, _))| (panel.y, panel.x));
        own.iter().for_each(|(at, (panel, answer))| out.push_str(&panel::panel(page, *at, panel, answer)));
        out.push_str("</div>\n");
    }
    out
}

#[cfg(test)]
mod tests;
