//! What the script of a page reads: the panels, their answers, and how they are shown, as JSON that no markup can end.

use serde_json::{Map, Value, json};
use types::{Locale, Timestamp};

use super::html::is_hidden;
use super::model::{Page, PanelAnswer};
use crate::fill::Choice;

/// Returns the data of a page as one JSON object for an element of HTML.
pub(super) fn json(page: &Page<'_>) -> String {
    let ms = |at: Timestamp| at.0.div_euclid(Timestamp::MILLISECOND);
    let choices: Map<String, Value> =
        page.choices.iter().map(|(name, choice)| (name.clone(), choice_json(choice))).collect();
    let shown = json!({
        "language": page.locale.tag(),
        "zone": page.time_zone.name(),
        "range": {"from": ms(page.range.from), "to": ms(page.range.to), "isOpen": page.range.to >= page.at},
        "choices": choices,
    });
    let panels: Vec<String> = page
        .board
        .panels
        .iter()
        .zip(page.answers)
        .map(|(panel, answer)| {
            let answers = match answer {
                PanelAnswer::Tables(tables) => tables.iter().map(|table| &*table.json).collect::<Vec<_>>().join(","),
                PanelAnswer::Failed(_) => String::new(),
            };
            format!("{{\"panel\":{},\"answers\":[{answers}]}}", json!(panel))
        })
        .collect();
    let texts = if page.locale == Locale::English { "{}" } else { page.program.texts };
    let shown = shown.to_string();
    inert(&format!("{},\"texts\":{texts},\"panels\":[{}]}}", &shown[..shown.len() - 1], panels.join(",")))
}

fn choice_json(choice: &Choice) -> Value {
    let (values, is_all) = match choice {
        Choice::One(value) => (std::slice::from_ref(value), false),
        Choice::Several(values) => (&values[..], false),
        Choice::All { all } => (&all[..], true),
    };
    json!({"values": values, "isAll": is_all})
}

/// Escapes characters that could end the HTML element around the JSON, or are invisible to a reader of the file. In JSON they occur
/// only in texts.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '<' || is_hidden(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}
