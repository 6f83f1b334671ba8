//! One panel: its title, the place that its picture is drawn in, its tables, and what its reader should know.

use serde_json::json;

use super::html::{escaped, line};
use super::model::{Page, PanelAnswer, Table};
use super::tables;
use crate::document::{COLUMNS, Panel, PanelKind};
use crate::fill::title_of;

/// Returns a panel, by its place among the board's.
pub(super) fn panel(page: &Page<'_>, at: usize, panel: &Panel, answer: &PanelAnswer) -> String {
    let title = line(&title_of(&panel.title, page.choices, page.locale));
    let heading = if title.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n") };
    let body = match answer {
        PanelAnswer::Failed(problem) => {
            let failed = page.locale.text("This could not be answered:", "Ini tidak dapat dijawab:");
            format!("<p class=\"note error\">{failed} {}</p>\n", line(problem))
        }
        PanelAnswer::Tables(answered) => body(page, at, panel, answered) + &notes(page, answered),
    };
    format!("<section style=\"--w:{}\">\n{heading}{body}</section>\n", panel.w.clamp(1, COLUMNS))
}

fn body(page: &Page<'_>, at: usize, panel: &Panel, answered: &[Table]) -> String {
    let dim = |english, indonesian| format!("<p class=\"dim\">{}</p>\n", page.locale.text(english, indonesian));
    match panel.kind {
        PanelKind::Text => {
            let text = title_of(panel.text.as_deref().unwrap_or_default(), page.choices, page.locale);
            drawing(at, panel, &escaped(&text))
        }
        PanelKind::Map => dim(
            "The service map is on the dashboard itself; a file does not have it.",
            "Peta layanan ada di dasbor itu sendiri; berkas ini tidak memuatnya.",
        ),
        _ if answered.iter().all(|table| table.rows.is_empty()) => {
            dim("Nothing in this range.", "Tidak ada apa pun di rentang ini.")
        }
        _ => drawing(at, panel, "") + &tables::details(page, panel, answered),
    }
}

/// Returns the place that the script draws a panel in; until then it has `text`.
fn drawing(at: usize, panel: &Panel, text: &str) -> String {
    let (kind, tall) = (json!(panel.kind), panel.h);
    let kind = kind.as_str().unwrap_or_default();
    format!("<div class=\"board-panel kind-{kind}\" data-panel=\"{at}\" style=\"--h:{tall}\">{text}</div>\n")
}

fn notes(page: &Page<'_>, answered: &[Table]) -> String {
    let mut all: Vec<String> = answered.iter().flat_map(|table| &table.notes).map(|note| line(note)).collect();
    for table in answered.iter().filter(|table| table.is_cut) {
        let (the, more) = (
            page.locale.text("The first", "Ini"),
            page.locale.text("rows; there are more.", "baris pertama; masih ada lagi."),
        );
        all.push(format!("{the} {} {more}", table.rows.len()));
    }
    all.dedup();
    all.into_iter().map(|note| format!("<p class=\"note\">{note}</p>\n")).collect()
}
