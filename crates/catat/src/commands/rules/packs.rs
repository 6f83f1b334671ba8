//! `catat rules packs` and `catat rules pack`: rules that come with catat, ready to be put into the rules directory.

use std::io::Write;

use alert::{PACKS, Pack};

use crate::failure::{Failure, Result, of_output};

/// Lists the packs with what they are for.
pub(super) fn list() -> Result<()> {
    let width = PACKS.iter().map(|pack| pack.name.len()).max().unwrap_or(0);
    let lines: Vec<String> = PACKS.iter().map(|pack| format!("{:width$}  {}\n", pack.name, pack.about())).collect();
    std::io::stdout().write_all(lines.concat().as_bytes()).map_err(of_output)
}

/// Prints one.
pub(super) fn print(name: &str) -> Result<()> {
    let pack = Pack::find(name).ok_or_else(|| unknown(name))?;
    std::io::stdout().write_all(pack.text.as_bytes()).map_err(of_output)
}

fn unknown(name: &str) -> Failure {
    let names = PACKS.map(|pack| pack.name).join(", ");
    Failure::usage(format!("unknown rule pack \"{name}\"; known packs: {names}"))
}
