//! Aligned columns: numbers to the right, everything else to the left. On a terminal the widest texts are cut, so that a row
//! is a line.

use std::io::Write;

use super::column::Column;
use super::text::{RESET, harmless, level_colour, plain};

/// Widest cell of a table; longer texts are cut, since they would push all other columns off the screen.
const CELL_CHARS_MAX: usize = 120;

/// Narrowest column that a table is cut to, for a terminal that is too narrow for it.
const CELL_CHARS_MIN: usize = 8;

/// Characters between two columns.
const GAP: &str = "  ";

/// How a table is drawn.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) is_coloured: bool,
    /// Columns of the terminal; `None` where the table may be of any width.
    pub(super) width: Option<usize>,
}

/// How the cells of a column are drawn.
struct Layout {
    width: usize,
    is_number: bool,
    is_level: bool,
}

/// Prints header and rows.
pub(super) fn print(
    out: &mut impl Write,
    columns: &[Column],
    rows: &[Vec<String>],
    style: Style,
) -> std::io::Result<()> {
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| harmless(&plain(cell), false)).collect()).collect();
    let names: Vec<String> = columns.iter().map(|column| harmless(&column.name, false)).collect();
    let layout = layout(&names, rows, &shown, style);
    let header = line(&names, &layout, false);
    if style.is_coloured {
        writeln!(out, "\u{1b}[1m{header}{RESET}")?
    } else {
        writeln!(out, "{header}")?
    }
    for row in &shown {
        writeln!(out, "{}", line(row, &layout, style.is_coloured))?;
    }
    Ok(())
}

fn layout(names: &[String], rows: &[Vec<String>], shown: &[Vec<String>], style: Style) -> Vec<Layout> {
    let is_number = |index: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| *cell != "null").peekable();
        cells.peek().is_some() && cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let column = |(index, name): (usize, &String)| {
        let cells = shown.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        let widest = cells.chain([name.chars().count()]).max().unwrap_or(0);
        let is_level = matches!(&**name, "@level" | "level");
        Layout { width: widest.min(CELL_CHARS_MAX), is_number: is_number(index), is_level }
    };
    let mut layout: Vec<Layout> = names.iter().enumerate().map(column).collect();
    if let Some(width) = style.width {
        fit(&mut layout, width);
    }
    layout
}

/// Narrows the widest columns of texts, all to the same width, until a line fits. Numbers are never cut.
fn fit(layout: &mut [Layout], width: usize) {
    let gaps = GAP.len() * layout.len().saturating_sub(1);
    let total = |layout: &[Layout]| layout.iter().map(|column| column.width).sum::<usize>() + gaps;
    let mut limit = CELL_CHARS_MAX;
    while total(layout) > width && limit > CELL_CHARS_MIN {
        limit -= 1;
        // The last columns first, so that no more is cut than needed.
        for index in (0..layout.len()).rev() {
            let is_wide = !layout[index].is_number && layout[index].width > limit;
            if is_wide && total(layout) > width {
                layout[index].width = limit;
            }
        }
    }
}

fn line(cells: &[String], layout: &[Layout], is_coloured: bool) -> String {
    let padded = cells.iter().zip(layout).map(|(cell, column)| {
        let (text, width) = (cut(cell, column.width), column.width);
        let padded = if column.is_number { format!("{text:>width$}") } else { format!("{text:<width$}") };
        match is_coloured && column.is_level && !cell.is_empty() {
            true => format!("{}{padded}{RESET}", level_colour(cell)),
            false => padded,
        }
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// Returns the text, or as much of it as fits, with an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
