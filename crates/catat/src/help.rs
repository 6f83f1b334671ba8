//! The list of commands, by what they are for, and examples of each.

use std::fmt::Write;

use clap::Command;

/// Columns of help on wide terminals.
const WIDTH_MAX: usize = 100;

/// What people come for, and the commands for it.
const JOBS: [(&str, &[&str]); 6] = [
    ("Collect and serve", &["up", "serve", "ship", "send", "pull", "mark"]),
    ("Ask", &["query", "tail", "differs", "onset", "metrics", "explain-line", "mcp"]),
    ("Watch", &["rules", "issues", "dashboards", "reports", "sources"]),
    (
        "Look after a store",
        &["groups", "lookups", "suggestions", "import", "export", "tables", "keys", "users", "fleet"],
    ),
    (
        "Look after its files",
        &["doctor", "support-bundle", "verify", "backup", "restore", "upgrade", "unlock", "promote"],
    ),
    ("Set up", &["check", "config", "import-config", "selftest", "completions", "man", "licenses"]),
];

/// Examples: `## COMMAND`, then a line for each.
const EXAMPLES: &str = include_str!("examples.txt");

/// The examples of each command.
fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.split("## ").skip(1).filter_map(|block| block.split_once('\n'))
}

/// Shows examples in the help of each command, and in its page of the manual.
pub(crate) fn with_examples(mut command: Command) -> Command {
    for (name, lines) in examples() {
        let lines: String = lines.lines().flat_map(|line| ["\n  ", line]).collect();
        command = command.mut_subcommand(name, |command| command.after_help(format!("Examples:{lines}")));
    }
    command
}

/// Shows the commands of `catat` by jobs in its help.
pub(crate) fn by_jobs(command: Command) -> Command {
    let width = crate::output::terminal_width().unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let names = JOBS.iter().flat_map(|(_, names)| names.iter()).map(|name| name.len());
    let indent = names.max().unwrap_or(0) + 4;
    let mut list = String::new();
    for (job, names) in JOBS {
        let _ = write!(list, "\n{header}{job}:{header:#}\n");
        for name in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = name.get_about().map(ToString::to_string).unwrap_or_default();
            let (name, blanks) = (name.get_name(), indent - 2 - name.get_name().len());
            let text = wrapped(&about, width.saturating_sub(indent), indent);
            let _ = writeln!(list, "  {literal}{name}{literal:#}{:blanks$}{text}", "");
        }
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{list}\n{header}Options:{header:#}\n{{options}}{{after-help}}"
    ))
}

/// Breaks a text into lines of so many characters at most, each but the first indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let (mut out, mut n_chars) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if n_chars > 0 && n_chars + 1 + length > width {
            let _ = write!(out, "\n{:indent$}", "");
            n_chars = 0;
        } else if n_chars > 0 {
            out.push(' ');
            n_chars += 1;
        }
        out.push_str(word);
        n_chars += length;
    }
    out
}

#[cfg(test)]
mod tests;
