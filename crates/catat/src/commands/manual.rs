//! `catat completions` and `catat man`: generated from the argument definitions, so that they are never out of date.
//! `catat licenses` too, which lock files make.

use std::io::Write;

use clap::Command;
use clap_complete::Shell;
use clap_complete::env::Shells;
use clap_mangen::Man as Page;

use crate::arguments::{Completions, Man};
use crate::failure::{Failure, Result, of_output};
use types::counted;

/// Prints a script for a shell.
pub(crate) fn completions(options: &Completions) -> Result<()> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let name = options.shell.to_string();
    let shell = shells.completer(&name).ok_or_else(|| Failure::usage(format!("{name}: no script for this shell")))?;
    shell.write_registration("COMPLETE", "catat", "catat", "catat", &mut script).map_err(of_output)?;
    if options.shell == Shell::Zsh {
        // A file of `fpath` is run at the first key, which is to be answered as well.
        script.extend_from_slice(b"\n[[ \"${funcstack[1]}\" = _catat ]] && _clap_dynamic_completer_catat\n");
    }
    std::io::stdout().write_all(&script).map_err(of_output)
}

/// Prints the page of one command, or writes the pages of all.
pub(crate) fn man(options: &Man, mut command: Command) -> Result<()> {
    // Sets the full names of subcommands and the options that they inherit.
    command.build();
    let pages = pages_of(&command, "catat");
    if let Some(dir) = &options.dir {
        let failed = |error: std::io::Error| Failure::other(format!("{}: {error}", dir.display()));
        std::fs::create_dir_all(dir).map_err(failed)?;
        for (name, page) in &pages {
            std::fs::write(dir.join(format!("{name}.1")), rendered(page)?).map_err(failed)?;
        }
        say!("catat: {} written to {}", counted(pages.len(), "page"), dir.display());
        return Ok(());
    }
    let name = std::iter::once("catat").chain(options.command.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let page = pages.iter().find(|(known, _)| *known == name);
    let (_, page) = page.ok_or_else(|| Failure::usage(format!("unknown command \"{}\"", options.command.join(" "))))?;
    std::io::stdout().write_all(&rendered(page)?).map_err(of_output)
}

/// Prints the licences.
pub(crate) fn licenses() -> Result<()> {
    std::io::stdout().write_all(serve::LICENSES.as_bytes()).map_err(of_output)
}

/// Returns the pages of a command and its subcommands, each with its name, such as `catat-groups-set`.
fn pages_of(command: &Command, name: &str) -> Vec<(String, Page)> {
    let mut pages = vec![(name.to_owned(), Page::new(command.clone()))];
    for within in command.get_subcommands().filter(|within| within.get_name() != "help") {
        pages.extend(pages_of(within, &format!("{name}-{}", within.get_name())));
    }
    pages
}

fn rendered(page: &Page) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render(&mut text).map_err(of_output)?;
    Ok(with_usual_sections(&String::from_utf8_lossy(&text)).into_bytes())
}

/// Gives what stands at the end of a page the headings that pages of `man` have.
fn with_usual_sections(page: &str) -> String {
    let page = page.replace(".SH EXTRA\n", "");
    let headings = [("Examples:", ".SH EXAMPLES"), ("Environment:", ".SH ENVIRONMENT")];
    let lines =
        page.lines().map(|line| headings.iter().find(|(text, _)| *text == line).map_or(line, |(_, heading)| *heading));
    lines.flat_map(|line| [line, "\n"]).collect()
}
