//! Puts the values of variables into a query, each in the form that its place needs, so that no value changes what is asked.
//!
//! | place of `$name` or `${name}` | one value | several |
//! |---|---|---|
//! | outside of texts, Insights, ES\|QL, Lucene, KQL | `"value"` | after `in` Insights: `["a", "b"]`, ES\|QL: `("a", "b")`; Lucene, KQL: `("a" OR "b")` |
//! | outside of texts, PromQL, LogQL, TraceQL | the value itself, where it is a name, a number or a duration | an error |
//! | in a text or regular expression that is matched as one (`=~`, `!~`, `/…/`, `\|~`) | the value, escaped | `(?:a\|b)`; *all*: `.*` |
//! | in another text | the value, escaped; in one of three quotes an error | an error |
//!
//! A name that no variable has stays as it is: the languages have a `$` of their own. So do comments.

use language::Language;
use std::collections::BTreeMap;

use serde::Deserialize;
use types::Locale;

/// What was chosen for a variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// One value.
    One(String),
    /// Several values.
    Several(Vec<String>),
    /// All of them, `{"all": […]}`: the values are what the variable offers.
    All {
        /// The values.
        all: Vec<String>,
    },
}

/// What was chosen, by the names of variables.
pub type Choices = BTreeMap<String, Choice>;

/// Why a value cannot stand where its variable is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("${name}: {problem}")]
pub struct FillError {
    /// The variable.
    pub name: String,
    /// What is wrong.
    pub problem: &'static str,
    /// The byte of the query at which it is named.
    pub at: usize,
}

/// The kind of place that a variable is named at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of texts.
    Bare,
    /// In a text in the given quotes.
    Text(char),
    /// In a text in the given quotes, or between slashes, that is a regular expression.
    Regex(char),
    /// In a text in three quotes, in which nothing is escaped.
    Raw,
    /// In a comment until the end of the line.
    Comment,
    /// In a comment between `/*` and `*/`, and within so many others.
    Block(usize),
}

/// Returns a query with the values of the variables that it names.
///
/// # Errors
///
/// Where the value, or that there are several, does not fit the place.
pub fn fill(query: &str, language: Language, choices: &Choices) -> Result<String, FillError> {
    let mut filled = String::with_capacity(query.len());
    let mut place = Place::Bare;
    let mut at = 0;
    while let Some(character) = query[at..].chars().next() {
        if !matches!(place, Place::Comment | Place::Block(_))
            && let Some((name, end)) = named(query, at)
            && let Some(choice) = choices.get(name)
        {
            let problem = |problem| FillError { name: name.to_owned(), problem, at };
            let written = match choice {
                // A duration, which no language has in quotes.
                Choice::One(value) if name.starts_with("__") && is_word(value) => Ok(value.clone()),
                _ => written(choice, language, place, is_after_in(&query[..at])),
            };
            filled.push_str(&written.map_err(problem)?);
            at = end;
            continue;
        }
        let escaped = match place {
            Place::Text(quote) | Place::Regex(quote) if character == '\\' && quote != '`' => {
                query[at + 1..].chars().next()
            }
            _ => None,
        };
        filled.push(character);
        at += character.len_utf8();
        if let Some(escaped) = escaped {
            filled.push(escaped);
            at += escaped.len_utf8();
            continue;
        }
        place = after(place, character, &query[..at], language);
    }
    Ok(filled)
}

/// Returns a title or a text with the values of the variables that it names, which people read.
pub fn title_of(text: &str, choices: &Choices, locale: Locale) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match named(text, at).and_then(|(name, end)| Some((choices.get(name)?, end))) {
            Some((choice, end)) => {
                match choice {
                    Choice::One(value) => out.push_str(value),
                    Choice::Several(values) => out.push_str(&values.join(", ")),
                    Choice::All { .. } => out.push_str(locale.text("all", "semua")),
                }
                at = end;
            }
            None => {
                out.push(character);
                at += character.len_utf8();
            }
        }
    }
    out
}

/// Returns the names of variables that a text names, whether they exist or not.
pub fn names(text: &str) -> Vec<&str> {
    text.match_indices('$').filter_map(|(at, _)| Some(named(text, at)?.0)).collect()
}

/// Returns the name that `$name` or `${name}` at a byte of a text has, and where it ends.
fn named(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?.strip_prefix('$')?;
    let (name, end) = if let Some(braced) = rest.strip_prefix('{') {
        let length = braced.find('}')?;
        (&braced[..length], at + 2 + length + 1)
    } else {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        (&rest[..length], at + 1 + length)
    };
    is_name(name).then_some((name, end))
}

/// Reports whether a text can be the name of a variable.
pub fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Returns the place after a character that is not escaped; `read` ends with it.
fn after(place: Place, character: char, read: &str, language: Language) -> Place {
    let before = &read[..read.len() - character.len_utf8()];
    let has_slashes = matches!(language, Language::Traceql | Language::Esql);
    match (place, character) {
        (Place::Bare, '#') if !has_slashes && language != Language::Lucene && language != Language::Kql => {
            Place::Comment
        }
        (Place::Bare, '/') if has_slashes && before.ends_with('/') => Place::Comment,
        (Place::Bare, '*') if has_slashes && before.ends_with('/') => Place::Block(0),
        (Place::Block(within), '*') if language == Language::Esql && before.ends_with('/') => Place::Block(within + 1),
        // The star that began a comment does not end it.
        (Place::Block(within), '/') if before.ends_with('*') && !before.ends_with("/*") => {
            within.checked_sub(1).map_or(Place::Bare, Place::Block)
        }
        (Place::Bare, '"') if language == Language::Esql && before.ends_with("\"\"") => Place::Raw,
        (Place::Raw, '"') if before.ends_with("\"\"") => Place::Bare,
        (Place::Bare, '"' | '\'' | '`') => {
            if is_series_language(language) && ends_in_regex_operator(before) {
                Place::Regex(character)
            } else {
                Place::Text(character)
            }
        }
        (Place::Bare, '/') if language == Language::Lucene => Place::Regex('/'),
        (Place::Bare, '/') if language == Language::Insights && begins_regex(before) => Place::Regex('/'),
        (Place::Comment, '\n') => Place::Bare,
        (Place::Text(quote) | Place::Regex(quote), _) if character == quote => Place::Bare,
        _ => place,
    }
}

fn is_series_language(language: Language) -> bool {
    matches!(language, Language::Promql | Language::Logql | Language::Traceql)
}

/// Reports whether the next text is a regular expression in PromQL, LogQL or TraceQL.
fn ends_in_regex_operator(before: &str) -> bool {
    let before = before.trim_end();
    ["=~", "!~", "|~"].iter().any(|operator| before.ends_with(operator))
}

/// Reports whether a slash begins a regular expression in Insights, and is no division.
fn begins_regex(before: &str) -> bool {
    let before = before.trim_end();
    if before.ends_with(['(', ',', '=', '~']) {
        return true;
    }
    let mut words = before.rsplit(|c: char| c.is_whitespace() || c == '|');
    let last = words.next().unwrap_or_default();
    let previous = words.find(|word| !word.is_empty()).unwrap_or_default();
    last.eq_ignore_ascii_case("like") || last.eq_ignore_ascii_case("parse") || previous.eq_ignore_ascii_case("parse")
}

fn is_after_in(before: &str) -> bool {
    let mut words = before.trim_end().rsplit(char::is_whitespace);
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("in"))
}

/// Writes what was chosen in the form that its place needs.
fn written(choice: &Choice, language: Language, place: Place, is_after_in: bool) -> Result<String, &'static str> {
    let one = match choice {
        Choice::One(value) => Some(value),
        Choice::Several(values) if values.len() == 1 => values.first(),
        _ => None,
    };
    let values: &[String] = match choice {
        Choice::One(value) => std::slice::from_ref(value),
        Choice::Several(values) | Choice::All { all: values } => values,
    };
    match place {
        Place::Regex(quote) => {
            if matches!(choice, Choice::All { .. }) {
                return Ok(".*".to_owned());
            }
            types::ensure!(!values.is_empty(), "nothing is chosen");
            let escaped: Vec<String> = values.iter().map(|value| regex_syntax::escape(value)).collect();
            let expression = if let [one] = &escaped[..] { one.clone() } else { format!("(?:{})", escaped.join("|")) };
            if quote == '/' { Ok(between_slashes(&expression)) } else { in_quotes(&expression, quote) }
        }
        Place::Text(quote) => match one {
            Some(value) => in_quotes(value, quote),
            None => Err("one value fits here; several need a regular expression or `in`"),
        },
        Place::Bare if is_series_language(language) => match one {
            Some(value) if is_word(value) => Ok(value.clone()),
            Some(_) => Err("outside of a text, only a name, a number or a duration fits"),
            None => Err("one value fits here; several need a regular expression, as in {label=~\"$name\"}"),
        },
        Place::Bare if matches!(language, Language::Insights | Language::Esql) => match one {
            Some(value) if !is_after_in => quoted(value),
            _ if values.is_empty() => Err("nothing is chosen"),
            _ if is_after_in => {
                let all: Result<Vec<String>, _> = values.iter().map(|value| quoted(value)).collect();
                let all = all?.join(", ");
                Ok(if language == Language::Esql { format!("({all})") } else { format!("[{all}]") })
            }
            _ => Err("several values need `in`, as in `field in $name`"),
        },
        Place::Bare => match one {
            Some(value) => quoted(value),
            None if values.is_empty() => Err("nothing is chosen"),
            None => {
                let all: Result<Vec<String>, _> = values.iter().map(|value| quoted(value)).collect();
                Ok(format!("({})", all?.join(" OR ")))
            }
        },
        Place::Raw => Err("a text in three quotes takes no value; write it in one pair of quotes"),
        Place::Comment | Place::Block(_) => Ok(String::new()),
    }
}

fn quoted(value: &str) -> Result<String, &'static str> {
    Ok(format!("\"{}\"", in_quotes(value, '"')?))
}

/// Writes a text so that it can stand in quotes of a kind.
fn in_quotes(value: &str, quote: char) -> Result<String, &'static str> {
    if quote == '`' {
        return if value.contains('`') {
            Err("a text in backquotes cannot have a backquote")
        } else {
            Ok(value.to_owned())
        };
    }
    let mut written = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            _ if character == quote => written.extend(['\\', quote]),
            _ => written.push(character),
        }
    }
    Ok(written)
}

/// Writes a regular expression so that it can stand between slashes.
fn between_slashes(expression: &str) -> String {
    expression.replace('/', "\\/").replace('\n', "\\n").replace('\r', "\\r")
}

fn is_word(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.'))
}

#[cfg(test)]
mod tests;
