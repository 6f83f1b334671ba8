//! Aligned columns: numbers to the right, everything else to the left. On a terminal the widest texts are cut, so that a row
//! is a line; where that is not enough, a row is a line for each value.

use std::io::Write;

use super::column::{Column, Kind};
use super::text::{RESET, cut, harmless, level_colour, plain};

/// Widest cell of a table; longer texts are cut, since they would push all other columns off the screen.
const CELL_CHARS_MAX: usize = 120;

/// Narrowest column of texts; where a terminal is too narrow for that, each row is several lines.
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
    is_to_the_right: bool,
    /// Whether its cells are always whole: part of a number or a time is another one.
    is_whole: bool,
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
    let layout = layout(columns, &names, rows, &shown);
    let Some(layout) = fitted(layout, style.width) else { return print_records(out, &names, &shown, style) };
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

/// Prints each row as lines of names and values.
fn print_records(out: &mut impl Write, names: &[String], rows: &[Vec<String>], style: Style) -> std::io::Result<()> {
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let name = format!("{name:<width$}");
            let name = if style.is_coloured { format!("\u{1b}[1m{name}{RESET}") } else { name };
            writeln!(out, "{name}{GAP}{cell}")?;
        }
    }
    Ok(())
}

fn layout(columns: &[Column], names: &[String], rows: &[Vec<String>], shown: &[Vec<String>]) -> Vec<Layout> {
    let is_number = |index: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| *cell != "null").peekable();
        cells.peek().is_some() && cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let column = |(index, name): (usize, &String)| {
        let cells = shown.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        let widest = cells.chain([name.chars().count()]).max().unwrap_or(0);
        let is_level = matches!(&**name, "@level" | "level");
        let is_to_the_right = is_number(index) || matches!(columns[index].kind, Kind::Bytes | Kind::Share);
        let is_whole = is_to_the_right || columns[index].kind == Kind::Time;
        Layout { width: widest.min(CELL_CHARS_MAX), is_to_the_right, is_whole, is_level }
    };
    names.iter().enumerate().map(column).collect()
}

/// Narrows the widest columns of texts, all to the same width, until a line fits; `None` where none does.
fn fitted(mut layout: Vec<Layout>, width: Option<usize>) -> Option<Vec<Layout>> {
    let Some(width) = width else { return Some(layout) };
    let gaps = GAP.len() * layout.len().saturating_sub(1);
    let total = |layout: &[Layout]| layout.iter().map(|column| column.width).sum::<usize>() + gaps;
    let mut limit = CELL_CHARS_MAX;
    while total(&layout) > width && limit > CELL_CHARS_MIN {
        limit -= 1;
        // The last columns first, so that no more is cut than needed.
        for index in (0..layout.len()).rev() {
            let is_wide = !layout[index].is_whole && layout[index].width > limit;
            if is_wide && total(&layout) > width {
                layout[index].width = limit;
            }
        }
    }
    (total(&layout) <= width).then_some(layout)
}

fn line(cells: &[String], layout: &[Layout], is_coloured: bool) -> String {
    let padded = cells.iter().zip(layout).map(|(cell, column)| {
        let (text, width) = (cut(cell, column.width), column.width);
        let padded = if column.is_to_the_right { format!("{text:>width$}") } else { format!("{text:<width$}") };
        match is_coloured && column.is_level && !cell.is_empty() {
            true => format!("{}{padded}{RESET}", level_colour(cell)),
            false => padded,
        }
    });
    padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
