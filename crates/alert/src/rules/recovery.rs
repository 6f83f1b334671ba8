//! Rule files with wrong keys: each one is reported with its place, and the file is read without it.
//!
//! The parser stops at its first error. Here the wrong entry is replaced by spaces, so that all places stay as they are, and
//! the file is parsed again. Errors that a removed entry may have caused are left out.

use serde_saphyr::{Error, Location};

use super::file_text::FileText;
use super::yaml_error;
use crate::rule::RuleError;

/// Most wrong entries of a file that are reported at once.
const ENTRIES_MAX: usize = 100;

/// A rule file as far as it could be parsed.
pub(super) struct ParsedFile {
    /// The file without its wrong entries; `None` if it cannot be read without them either.
    pub(super) file: Option<FileText>,
    /// The wrong entries.
    pub(super) errors: Vec<RuleError>,
}

/// Parses a rule file and finds all of its wrong entries.
pub(super) fn parse(name: &str, text: &str) -> ParsedFile {
    let (mut text, mut errors) = (text.to_owned(), Vec::new());
    loop {
        let error = match serde_saphyr::from_str(&text) {
            Ok(file) => return ParsedFile { file: Some(file), errors },
            Err(error) => error,
        };
        let error = error.without_snippet();
        let is_consequence = !errors.is_empty() && entry_of(error).is_none();
        if !is_consequence {
            let location = error.location();
            let (line, column) = (location.map(|at| at.line()), location.map(|at| at.column()));
            errors.push(RuleError { file: name.into(), line, column, message: yaml_error::message_of(error) });
        }
        let rest = entry_of(error).filter(|_| errors.len() < ENTRIES_MAX).and_then(|at| without_entry(&text, at));
        match rest {
            Some(rest) => text = rest,
            None => return ParsedFile { file: None, errors },
        }
    }
}

/// Returns the errors of those items of lists (rules, groups, channels) that have no wrong entry: in the others, the missing
/// entry may have caused them. Of a file in flow style (JSON), whose items are not told apart, it returns none.
pub(super) fn without_consequences(text: &str, wrong: &[RuleError], errors: Vec<RuleError>) -> Vec<RuleError> {
    let lines: Vec<&str> = text.lines().collect();
    let items: Vec<_> = wrong.iter().filter_map(|error| error.line).filter_map(|line| item_at(&lines, line)).collect();
    if !wrong.is_empty() && items.is_empty() && text.trim_start().starts_with('{') {
        return Vec::new();
    }
    let item_of = |error: &RuleError| error.line.and_then(|line| item_at(&lines, line));
    let is_certain = |error: &RuleError| item_of(error).is_none_or(|item| !items.contains(&item));
    errors.into_iter().filter(is_certain).collect()
}

/// Returns the place of the key or value that is wrong.
fn entry_of(error: &Error) -> Option<Location> {
    match error {
        Error::SerdeUnknownField { location, .. }
        | Error::SerdeUnknownVariant { location, .. }
        | Error::SerdeInvalidType { location, .. }
        | Error::SerdeInvalidValue { location, .. }
        | Error::InvalidScalar { location, .. }
        | Error::InvalidBooleanStrict { location, .. }
        | Error::DuplicateMappingKey { location, .. } => Some(*location),
        _ => None,
    }
}

/// Replaces the entry of a mapping by spaces; `None` where its end is not plain to see.
fn without_entry(text: &str, at: Location) -> Option<String> {
    let index = usize::try_from(at.line()).ok()?.checked_sub(1)?;
    let column = usize::try_from(at.column()).ok()?.checked_sub(1)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line: Vec<char> = lines.get(index)?.chars().collect();
    let before = line.get(..column)?;
    let is_in_flow = before.iter().filter(|c| matches!(c, '{' | '[')).count()
        > before.iter().filter(|c| matches!(c, '}' | ']')).count();
    if is_in_flow {
        let start = before.iter().rposition(|c| matches!(c, '{' | '[' | ','))? + 1;
        let end = end_in_flow(&line, start)?;
        lines[index] = blanked(&line, start, end);
        return Some(joined(&lines));
    }
    let start = line.iter().position(|c| !matches!(c, ' ' | '-'))?;
    if start > column || !line[start..].contains(&':') {
        return None;
    }
    lines[index] = blanked(&line, start, line.len());
    let is_item = line[..start].contains(&'-');
    for line in lines.iter_mut().skip(index + 1) {
        let indent = line.len() - line.trim_start().len();
        let is_value =
            line.trim().is_empty() || indent > start || !is_item && indent == start && line[indent..].starts_with("- ");
        if !is_value {
            break;
        }
        line.clear();
    }
    Some(joined(&lines))
}

/// Returns the end of an entry of a `{…}` on one line, with the comma after it.
fn end_in_flow(line: &[char], start: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (index, c) in line.iter().enumerate().skip(start) {
        match (quote, c) {
            (Some(open), c) if *c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(*c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') if depth == 0 => return Some(index),
            (None, '}' | ']') => depth -= 1,
            (None, ',') if depth == 0 => return Some(index + 1),
            (None, _) => {}
        }
    }
    None
}

fn blanked(line: &[char], start: usize, end: usize) -> String {
    let blank = |(index, c): (usize, &char)| if (start..end).contains(&index) { ' ' } else { *c };
    line.iter().enumerate().map(blank).collect()
}

fn joined(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Returns the lines, counted from 1, of the item of a list that a line belongs to.
fn item_at(lines: &[&str], line: u64) -> Option<std::ops::Range<u64>> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines.get(at)?);
    let is_start = |index: &usize| {
        let line = lines[*index];
        line.trim_start().starts_with("- ") && (*index == at || indent(line) < own)
    };
    let start = (0..=at).rev().find(is_start)?;
    let is_next = |index: &usize| !lines[*index].trim().is_empty() && indent(lines[*index]) <= indent(lines[start]);
    let end = (start + 1..lines.len()).find(is_next).unwrap_or(lines.len());
    Some(start as u64 + 1..end as u64 + 1)
}
