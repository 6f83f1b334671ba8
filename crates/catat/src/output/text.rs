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

/// Most characters of a group's name before a text.
const GROUP_CHARS_MAX: usize = 24;

/// Colours of groups, which no level has.
const GROUP_COLOURS: [&str; 6] = ["\u{1b}[36m", "\u{1b}[35m", "\u{1b}[94m", "\u{1b}[96m", "\u{1b}[95m", "\u{1b}[92m"];

/// Events on one line each: time, level, text, then the other columns as `name=value`.
#[derive(Debug, Default)]
pub(crate) struct EventLines {
    pub(super) is_coloured: bool,
    /// Whether level and group have columns of their own before the text, and how wide that of the group is.
    pub(crate) group_width: Option<usize>,
}

impl EventLines {
    pub(super) fn line(&mut self, columns: &[Column], cells: &[String]) -> String {
        let is_coloured = self.is_coloured;
        let paint = |colour: &str, text: String| {
            if is_coloured { format!("{colour}{text}{RESET}") } else { text }
        };
        let (mut time, mut level, mut group, mut message) = (None, None, None, None);
        let mut rest = Vec::new();
        for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| *cell != "null") {
            let text = harmless(&plain(cell), column.name == "@message");
            match &*column.name {
                "@id" => {}
                "@timestamp" => time = Some(paint(DIM, text)),
                "@level" => level = Some(paint(level_colour(&text), format!("{text:<5}"))),
                "@log" if self.group_width.is_some() => group = Some(text),
                "@message" => message = Some(text.trim_end_matches('\n').to_owned()),
                name => rest.push(format!("{}{text}", paint(DIM, format!("{name}=")))),
            }
        }
        if let Some(width) = &mut self.group_width {
            level = level.or_else(|| Some(" ".repeat(5)));
            group = group.map(|name| {
                let colour =
                    GROUP_COLOURS[name.bytes().fold(7, |sum: usize, byte| sum * 31 % 9973 + usize::from(byte))
                        % GROUP_COLOURS.len()];
                let short = cut(&name, GROUP_CHARS_MAX);
                *width = (*width).max(short.chars().count());
                paint(colour, format!("{short:<width$}"))
            });
        }
        [time, level, group, message].into_iter().flatten().chain(rest).collect::<Vec<_>>().join("  ")
    }
}

/// Returns the text, or as much of it as fits, with an ellipsis: names and paths are told apart by their ends, too.
pub(super) fn cut(text: &str, width: usize) -> String {
    let n_chars = text.chars().count();
    if n_chars <= width {
        return text.to_owned();
    }
    let n_end = if text.contains(' ') { 0 } else { width.saturating_sub(1) * 2 / 3 };
    let start = text.chars().take(width.saturating_sub(1 + n_end));
    start.chain(['…']).chain(text.chars().skip(n_chars - n_end)).collect()
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
