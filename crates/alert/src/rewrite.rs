//! Writes the templates of Jinja in a rule file as those of Go, and leaves everything else in it as it is.

use crate::channel::templated;
use crate::template::{Reader, VARIABLES, go_of, is_jinja, next_tag};
use crate::{Channel, Rule, RuleError, RuleSet};

/// Returns a rule file with templates of Go only, and how many of its texts were others.
///
/// # Errors
/// The mistakes of the file, templates without a counterpart among them; or that it cannot be rewritten.
pub fn rewrite_templates(name: &str, file: &str) -> Result<(String, usize), Vec<RuleError>> {
    let read = |text: &str| {
        let mut set = RuleSet::default();
        set.add(name, text).map(|()| set)
    };
    let (mut expected, out, mut n_templates) = (read(file)?, rewritten(file), 0);
    let mut translate = |text: &mut String, variables: &[&str]| {
        if is_jinja(text, variables) {
            n_templates += 1;
            *text = go_of(text).unwrap_or_default();
        }
    };
    let of_rules = |rule: &&mut Rule| rule.prometheus.is_none();
    for text in expected.rules.iter_mut().filter(of_rules).flat_map(|rule| rule.annotations.values_mut()) {
        translate(text, &VARIABLES);
    }
    for body in expected.channels.iter_mut().filter_map(|channel| channel.settings.body.as_mut()) {
        translate(body, &templated::VARIABLES);
    }
    let settings =
        |set: &RuleSet| set.channels.iter().map(|Channel { settings, .. }| settings.clone()).collect::<Vec<_>>();
    let is_right = |set: &RuleSet| set.rules == expected.rules && settings(set) == settings(&expected);
    if read(&out).as_ref().is_ok_and(is_right) {
        return Ok((out, n_templates));
    }
    let message = "its templates cannot be changed at their places; write each in one line, without escapes".to_owned();
    Err(vec![RuleError { file: name.into(), line: None, column: None, message }])
}

/// Replaces the tags of a file, comments and all, whatever quotes they are in. Those of Prometheus' rules are none of Jinja's.
fn rewritten(file: &str) -> String {
    let variables = [&VARIABLES[..], &templated::VARIABLES].concat();
    // A tag as it is, in single and in double quotes.
    let quotes: [[&[(&str, &str)]; 2]; 3] = [
        [&[], &[]],
        [&[("''", "'")], &[("'", "''")]],
        [&[("\\\"", "\""), ("\\\\", "\\")], &[("\\", "\\\\"), ("\"", "\\\"")]],
    ];
    let replaced = |text: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let (mut out, mut at, mut blocks) = (String::new(), 0, Vec::new());
    while let Some(start) = next_tag(file, at) {
        let found = quotes.iter().find_map(|[decode, encode]| {
            let line = file[start..].lines().next().filter(|_| !decode.is_empty()).unwrap_or(&file[start..]);
            let text = replaced(line, decode);
            let mut reader = Reader { variables: &variables, blocks: blocks.clone(), ..Reader::default() };
            let (n_bytes, new) = reader.tag(&text).ok()?;
            Some((replaced(&text[..n_bytes], encode).len(), replaced(&new, encode), reader.blocks))
        });
        out += &file[at..start];
        at = start;
        match found {
            Some((n_bytes, new, open)) => {
                out += &new;
                at += n_bytes;
                blocks = open;
            }
            None => {
                out += &file[at..at + 1];
                at += 1;
            }
        }
    }
    out + &file[at..]
}

#[cfg(test)]
mod tests;
