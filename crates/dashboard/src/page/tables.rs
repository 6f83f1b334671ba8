//! The rows of queries as tables, for readers without scripts and for their exact values.

use std::fmt::Write;

use types::Value;

use super::html::{escaped, line};
use super::model::{Page, Table};
use super::times::Times;
use crate::document::Panel;

/// Returns the tables of a panel's queries. They are open: the script closes what it has drawn.
pub(super) fn details(page: &Page<'_>, panel: &Panel, answered: &[Table]) -> String {
    let mut out =
        format!("<details open><summary>{}</summary>\n<div tabindex=\"0\">\n", page.locale.text("Table", "Tabel"));
    for (at, table) in answered.iter().enumerate() {
        let caption = if answered.len() > 1 {
            format!("<caption>{}</caption>", line(&panel.query_id(at)))
        } else {
            String::new()
        };
        let _ = write!(out, "<table>{caption}\n<thead><tr>");
        for name in &table.columns {
            let _ = write!(out, "<th scope=\"col\">{}", line(name));
        }
        out.push_str("\n<tbody>\n");
        for row in &table.rows {
            out.push_str("<tr>");
            row.iter().for_each(|value| {
                let _ = write!(out, "<td>{}", cell(page, value.as_ref()));
            });
            out.push('\n');
        }
        out.push_str("</table>\n");
    }
    out + "</div></details>\n"
}

fn cell(page: &Page<'_>, value: Option<&Value>) -> String {
    match value {
        None => "–".to_owned(),
        Some(Value::Timestamp(at)) => Times { zone: page.time_zone }.whole(*at),
        Some(other) => escaped(&other.to_string()),
    }
}
