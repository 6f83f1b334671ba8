//! Writes the templates of Jinja in a rule file as those of Go, and leaves everything else in it as it is.

use crate::template::{TemplateText, as_go, trimmed};
use crate::{RuleError, RuleSet};

/// Returns a rule file with templates of Go only, and how many of its texts were others.
///
/// # Errors
/// The mistakes of the file, and templates that cannot be translated, or not at their place.
pub fn rewrite_templates(name: &str, file: &str) -> Result<(String, usize), Vec<RuleError>> {
    let texts = texts_of(name, file)?;
    let (mut out, mut at, mut n_rewritten, mut expected) = (String::new(), 0, 0, Vec::new());
    for text in &texts {
        let failed = || {
            let message =
                "the template cannot be changed at its place; write it in one line, or as a block behind |".to_owned();
            vec![RuleError { file: name.into(), line: Some(text.place.0), column: Some(text.place.1), message }]
        };
        let (start, quote) = text.start(file).ok_or_else(failed)?;
        let (pieces, go) = as_go(&text.text, &text.variables);
        n_rewritten += usize::from(!pieces.is_empty());
        expected.push(words(&go));
        let mut from = start.max(at);
        for (range, new) in pieces {
            let tag = encoded(&text.text[range], quote);
            let found = file[from..].match_indices(&tag[..2]).find_map(|(found, _)| {
                let place = from + found;
                Some(place..place + length_of(&file[place..], &tag)?)
            });
            let place = found.ok_or_else(failed)?;
            out += &file[at..place.start];
            out += &encoded(&new, quote);
            (at, from) = (place.end, place.end);
        }
    }
    let out = out + &file[at..];
    let is_right = texts_of(name, &out)?.iter().map(|text| words(&text.text)).eq(expected);
    let message = || "its templates cannot be changed at their places".to_owned();
    let failed = || vec![RuleError { file: name.into(), line: None, column: None, message: message() }];
    if is_right { Ok((out, n_rewritten)) } else { Err(failed()) }
}

/// Returns the templates of a file in their order.
fn texts_of(name: &str, file: &str) -> Result<Vec<TemplateText>, Vec<RuleError>> {
    let mut set = RuleSet::default();
    set.add(name, file)?;
    set.texts.sort_by_key(|text| text.place);
    Ok(set.texts)
}

impl TemplateText {
    /// Returns where in the file the text is at the earliest, and the quote that it begins with.
    fn start(&self, file: &str) -> Option<(usize, Option<char>)> {
        let (line, column) = (usize::try_from(self.place.0).ok()?, usize::try_from(self.place.1).ok()?);
        let before: usize = file.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let (column, _) = file[before..].char_indices().nth(column.checked_sub(1)?)?;
        let start = before + column + file[before + column..].find(self.key)? + self.key.len();
        Some((start, file[start..].trim_start().chars().next().filter(|first| matches!(first, '"' | '\''))))
    }
}

/// Returns a tag as YAML has it in these quotes.
fn encoded(tag: &str, quote: Option<char>) -> String {
    match quote {
        Some('"') => tag.replace('\\', "\\\\").replace('"', "\\\""),
        Some(_) => tag.replace('\'', "''"),
        None => tag.to_owned(),
    }
}

/// Returns how long a tag is at the start of a text, in which a space may be a line break.
fn length_of(text: &str, tag: &str) -> Option<usize> {
    let mut rest = text;
    for word in tag.split_whitespace() {
        rest = rest.trim_start().strip_prefix(word)?;
    }
    Some(text.len() - rest.len())
}

fn words(text: &str) -> Vec<String> {
    trimmed(text).split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
