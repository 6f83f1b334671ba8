//! Aligned columns: numbers to the right, everything else to the left.

use std::io::Write;

use super::Column;
use super::text::{harmless, plain};

/// Widest cell of a table; longer texts are cut, for they would push all other columns off the screen.
const CELL_CHARS_MAX: usize = 120;

/// Prints header and rows.
pub(super) fn print(
    out: &mut impl Write,
    columns: &[Column],
    rows: &[Vec<String>],
    is_coloured: bool,
) -> std::io::Result<()> {
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cell_text(cell)).collect()).collect();
    let is_number = |index: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| *cell != "null").peekable();
        cells.peek().is_some() && cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let layout: Vec<(usize, bool)> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = shown.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
            (cells.chain([column.name.chars().count()]).max().unwrap_or(0), is_number(index))
        })
        .collect();
    let names: Vec<String> = columns.iter().map(|column| harmless(&column.name, false)).collect();
    let header = line(&names, &layout);
    if is_coloured {
        writeln!(out, "\u{1b}[1m{header}\u{1b}[0m")?
    } else {
        writeln!(out, "{header}")?
    }
    for row in &shown {
        writeln!(out, "{}", line(row, &layout))?;
    }
    Ok(())
}

fn cell_text(cell: &str) -> String {
    let text = harmless(&plain(cell), false);
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

fn line(cells: &[String], layout: &[(usize, bool)]) -> String {
    let padded =
        cells.iter().zip(layout).map(
            |(cell, (width, is_number))| {
                if *is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            },
        );
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
