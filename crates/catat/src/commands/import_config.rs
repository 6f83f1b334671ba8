//! `catat import-config`: inputs of other shippers as `[[input]]` tables of catat's configuration.
//!
//! The tables go to standard output. What has no equal is named on standard error, by its path in the file: every key that is not taken, so
//! that none is lost without a word.

mod document;
mod input;
mod shippers;

use std::io::Write;

use toml::{Table, Value as Toml};
use types::{counted, verb_for};

use self::document::{Section, read};
use self::input::Input;
use super::journal::at;
use crate::arguments::{ImportConfig, Shipper};
use crate::failure::{Failure, of_output};

pub(crate) fn import_config(options: &ImportConfig) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&options.file).map_err(|error| at(&options.file, &error))?;
    let converted = convert(&text, options.of).map_err(|problem| at(&options.file, &&problem.message))?;
    for note in &converted.notes {
        say!("catat: {note}");
    }
    let n_inputs = converted.inputs.len();
    if n_inputs == 0 {
        return Err(Failure::usage(format!("{} has no input that is read here", options.file.display())));
    }
    std::io::stdout().write_all(converted.text().as_bytes()).map_err(of_output)?;
    let n_left = converted.notes.len();
    let left = format!("{} {} not taken", counted(n_left, "setting"), verb_for(n_left, "was", "were"));
    say!("catat: {}; {left}; try it with catat ship --dry-run --config FILE", counted(n_inputs, "input"));
    Ok(())
}

/// What a configuration becomes.
struct Converted {
    inputs: Vec<Table>,
    /// What is not taken, and why.
    notes: Vec<String>,
}

impl Converted {
    /// The configuration, as TOML.
    fn text(&self) -> String {
        let inputs = self.inputs.iter().cloned().map(Toml::Table).collect();
        toml::to_string(&Table::from_iter([("input".to_owned(), Toml::Array(inputs))])).unwrap_or_default()
    }
}

fn convert(text: &str, of: Option<Shipper>) -> Result<Converted, Failure> {
    let document = read(text)?;
    let known = || Failure::usage("the file is of no shipper that is known").with("Name one with --of.");
    let shipper = of.or_else(|| shippers::of(&document)).ok_or_else(known)?;
    let mut notes = Vec::new();
    let root = Section::root(document)?;
    let inputs = shippers::inputs(shipper, root, &mut notes)?;
    Ok(Converted { inputs: inputs.into_iter().map(Input::into_table).collect(), notes })
}

#[cfg(test)]
mod tests;
