//! Text for people: values without quotes, events on a line, errors with a caret.
//!
//! What was logged is hostile: control characters are shown as pictures (U+2400 …), so that no line of a log can
//! move the cursor or rename the terminal.

use super::column::Column;

const DIM: &str = "\u{1b}[2m";
pub(super) const RESET: &str = "\u{1b}[0m";

/// Returns a JSON cell as text: strings without quotes, nothing for a missing value.
pub(crate) fn plain(cell: &str) -> String {
    match serde_json::from_str::<String>(cell) {
        Ok(text) => text,
        Err(_) if cell == "null" => String::new(),
        Err(_) => cell.to_owned(),
    }
}

/// Replaces control characters by their pictures; newlines stay where `keeps_newlines`.
pub(crate) fn harmless(text: &str, keeps_newlines: bool) -> String {
    let picture = |c: char| match c {
        '\t' => ' ',
        '\n' if keeps_newlines => '\n',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        other => other,
    };
    text.chars().map(picture).collect()
}

pub(crate) fn level_colour(level: &str) -> &'static str {
    match level {
        "fatal" => "\u{1b}[1;31m",
        "error" => "\u{1b}[31m",
        "warn" => "\u{1b}[33m",
        "info" => "\u{1b}[32m",
        _ => "\u{1b}[34m",
    }
}

/// Returns an event on one line: time, level, text, then the other columns as `name=value`.
pub(crate) fn event_line(columns: &[Column], cells: &[String], is_coloured: bool) -> String {
    let paint = |colour: &str, text: String| {
        if is_coloured { format!("{colour}{text}{RESET}") } else { text }
    };
    let mut parts = Vec::new();
    let mut rest = Vec::new();
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| *cell != "null") {
        let text = harmless(&plain(cell), column.name == "@message");
        match &*column.name {
            "@id" => {}
            "@timestamp" => parts.insert(0, paint(DIM, text)),
            "@level" => {
                let colour = level_colour(&text);
                parts.push(paint(colour, format!("{text:<5}")));
            }
            "@message" => parts.push(text.trim_end_matches('\n').to_owned()),
            name => rest.push(format!("{}{text}", paint(DIM, format!("{name}=")))),
        }
    }
    parts.append(&mut rest);
    parts.join("  ")
}

/// Returns an error of a query with the line it is in, a caret below the place, and the hint.
pub(crate) fn located_error(
    message: &str,
    line: Option<usize>,
    column: Option<usize>,
    hint: Option<&str>,
    query: &str,
) -> String {
    let mut shown = harmless(message, false);
    if let (Some(line), Some(column)) = (line, column)
        && let Some(text) = query.lines().nth(line.saturating_sub(1))
    {
        let caret = " ".repeat(column.saturating_sub(1).min(text.chars().count()));
        shown = format!("{shown} (line {line}, column {column})\n  {}\n  {caret}^", harmless(text, false));
    }
    for line in hint.into_iter().flat_map(str::lines) {
        shown.push_str(&format!("\n  {}", harmless(line, false)));
    }
    shown
}

#[cfg(test)]
mod tests;
