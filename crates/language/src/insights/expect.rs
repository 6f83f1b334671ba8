//! What the grammar could not read, said so that a person understands it.

mod hints;
mod rule_names;

use pest::error::Error;

use self::rule_names::kind_of;
use super::command_names;
use super::foreign;
use super::grammar::Rule;
use plan::{QueryError, Span, alternatives, nearest, nested_too_deeply, stop_of};

/// Turns the grammar's complaint about `text` into an error whose place refers to `shown`.
pub(crate) fn explain(error: &Error<Rule>, text: &str, shown: &str) -> QueryError {
    let (at, Some(expected)) = stop_of(error) else { return nested_too_deeply(shown) };
    let rest = text.get(at..).unwrap_or_default();
    let word = word_at(rest);
    let span = Span { start: at, end: at + word.len().max(rest.chars().next().map_or(0, char::len_utf8)) };
    let is_comment = rest.starts_with('/') && text.get(..at).is_some_and(|before| before.ends_with('/'));
    if let Some(error) = unfinished(rest, shown, at).filter(|_| !is_comment) {
        return error;
    }
    if (expects_command(expected) || is_at_start(text, at)) && !word.is_empty() {
        let error = unknown_command(word, shown, span);
        return match hints::condition_without_filter(&rest[word.len()..]) {
            Some(hint) if foreign::command(word).is_none() => error.with_hint(hint),
            _ => error,
        };
    }
    let found =
        if rest.trim().is_empty() { "the query ends".to_owned() } else { format!("`{}` stands", shown_word(rest)) };
    let message = format!("{found} where {} was expected", phrase_of(expected));
    let error = QueryError::new("syntax", message, shown, span);
    let place = hints::Place { before: text.get(..at).unwrap_or_default(), word, rest, expected };
    let at_start = if is_at_start(text, at) { hints::at_start(rest).map(str::to_owned) } else { None };
    match at_start.or_else(|| place.hint()) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn word_at(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '@' | '.')).unwrap_or(rest.len());
    &rest[..end]
}

/// Returns the word or sign at the start of `rest`, not longer than a line of an error can bear.
fn shown_word(rest: &str) -> String {
    let word = word_at(rest);
    if word.is_empty() { rest.chars().take(1).collect() } else { word.chars().take(40).collect() }
}

/// Returns an opening quote or slash without its other half.
fn unfinished(rest: &str, shown: &str, at: usize) -> Option<QueryError> {
    let what = match rest.chars().next()? {
        '"' => "this text has no closing \"",
        '\'' => "this text has no closing '",
        '`' => "this name has no closing `",
        '/' => return unfinished_regex(rest, shown, at),
        _ => return None,
    };
    let quote = rest.chars().next()?;
    let is_closed = rest[1..].contains(quote);
    if is_closed {
        return None;
    }
    let end = at + rest.find('\n').unwrap_or(rest.len());
    Some(QueryError::new("unclosed-text", what, shown, Span { start: at, end }))
}

fn unfinished_regex(rest: &str, shown: &str, at: usize) -> Option<QueryError> {
    let line = rest.lines().next().unwrap_or_default();
    if line[1..].contains('/') {
        return None;
    }
    let message = "this regular expression has no closing /";
    Some(QueryError::new("unclosed-regex", message, shown, Span { start: at, end: at + line.len() }))
}

/// Reports whether nothing but a leading `|`, comments and white space is before `at`. There the grammar only
/// misses the end, for a query may be empty.
fn is_at_start(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let code = before.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    code.filter(|line| !line.is_empty()).all(|line| line == "|")
}

fn expects_command(expected: &[Rule]) -> bool {
    expected.iter().any(|rule| matches!(rule, Rule::kw_fields | Rule::fields | Rule::keyword | Rule::kw_stats))
}

/// Returns the error about a word that is where a command must.
pub(crate) fn unknown_command(word: &str, shown: &str, span: Span) -> QueryError {
    let word: String = word.chars().take(40).collect();
    // A command that the grammar gave up on as a whole is never called unknown.
    if command_names::is_command_word(&word) {
        let error = QueryError::new("syntax", format!("this `{word}` cannot be read"), shown, span);
        return error.with_hint(format!("catat help query describes `{word}`"));
    }
    let error = QueryError::new("unknown-command", format!("there is no command `{word}`"), shown, span);
    if let Some(hint) = foreign::command(&word) {
        return error.with_hint(hint);
    }
    match nearest(&word, command_names::names()) {
        Some(command) => error.with_hint(format!("did you mean \"{command}\"?")),
        None => error.with_hint("commands are fields, filter, stats, sort, limit, parse, display, dedup and some more"),
    }
}

/// Returns what was expected, in the order in which a person would name it.
fn phrase_of(expected: &[Rule]) -> String {
    const ORDER: [&str; 13] = [
        "a command such as fields, filter or stats",
        "a field, a value or a function",
        "a text with stars or a /regular expression/",
        "a text in quotes or a /regular expression/",
        "a text in quotes",
        "a list such as [\"a\", \"b\"]",
        "a name",
        "a whole number",
        "an operator",
        "`,`",
        "`)`",
        "`by`",
        "`|`",
    ];
    let mut kinds: Vec<&str> = expected.iter().filter_map(|rule| kind_of(*rule)).collect();
    // A value may be a text or are in brackets, a field may become a call: no one needs to be told.
    if kinds.contains(&"a field, a value or a function") {
        kinds.retain(|kind| !matches!(*kind, "a text in quotes" | "`(`"));
    }
    if kinds.contains(&"a text with stars or a /regular expression/") {
        kinds
            .retain(|kind| !matches!(*kind, "a text in quotes" | "a text in quotes or a /regular expression/" | "`(`"));
    }
    if kinds.contains(&"a text in quotes or a /regular expression/") {
        kinds.retain(|kind| *kind != "a text in quotes");
    }
    if kinds.contains(&"an operator") {
        kinds.retain(|kind| *kind != "`(`");
    }
    let mut named: Vec<&str> = ORDER.iter().copied().filter(|kind| kinds.contains(kind)).collect();
    named.extend(kinds.iter().filter(|kind| !ORDER.contains(kind)).copied());
    named.dedup();
    alternatives(&named, "the end of the query")
}
