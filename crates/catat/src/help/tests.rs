//! No command is forgotten.

use clap::{CommandFactory, Parser};

use super::*;
use crate::arguments::Arguments;

#[test]
fn every_command_is_for_one_job() {
    let command = Arguments::command();
    let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let mut listed: Vec<&str> = JOBS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, known);
    let help = by_jobs(command).render_help().to_string();
    assert!(help.contains("\nAsk:\n  query "), "{help}");
}

/// The words of the command `catat` in a line for a shell, up to where its output goes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line[line.find("catat ").unwrap_or(0)..].chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => (word, quote) = (word.or_else(|| Some(String::new())), Some(c)),
            ('>', None) => break,
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_has_examples_that_can_be_typed() {
    let mut names: Vec<&str> = JOBS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for (name, lines) in examples() {
        names.retain(|known| *known != name);
        for line in lines.lines().filter(|line| !line.contains("| man ")) {
            let words = words(line);
            assert_eq!(words[..2], ["catat", name], "{line}");
            Arguments::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {words:?}: {error}"));
        }
    }
    assert!(names.is_empty(), "no examples of {names:?}");
}

#[test]
fn long_texts_are_wrapped() {
    assert_eq!(wrapped("one two three", 7, 2), "one two\n  three");
}
