//! Tells a text that is plain words, or one text in quotes, from a query.

use super::command_names::{names, starts_with_command};
use crate::search_query::QUERY_BYTES_MAX;
use plan::{Span, nearest};

/// Signs that words of a phrase may have inside, such as in `db-1`, `10.1.2.3`, `/var/log`.
const WORD_SIGNS: &str = "_-.:/@$&?;%+";

/// Plain words at the start of a query.
pub(crate) struct Phrase {
    /// The words, cut at white space.
    pub words: Vec<String>,
    /// Where they stand.
    pub span: Span,
    /// The query with blanks instead of the words, so that places stay.
    pub rest: String,
    /// The command that the first word may have been meant to be.
    pub near: Option<&'static str>,
}

/// Takes the phrase off the start of `text`; `None` where it starts with a command.
pub(crate) fn split(text: &str) -> Option<Phrase> {
    if text.len() > QUERY_BYTES_MAX {
        return None;
    }
    let start = start_of_content(text);
    let head = &text[start..];
    if head.is_empty() || head.starts_with('|') || starts_with_command(head) {
        return None;
    }
    let (end, words) = quoted(head).or_else(|| plain(head))?;
    let near = words.first().and_then(|word| nearest(word, names()));
    let span = Span { start, end: start + end };
    let rest = format!("{}{}{}", &text[..start], " ".repeat(end), &text[span.end..]);
    Some(Phrase { words, span, rest, near })
}

/// Returns where white space and comments at the start end.
fn start_of_content(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match rest.strip_prefix('#') {
            Some(comment) => rest = comment.find('\n').map_or("", |end| &comment[end..]),
            None => return text.len() - rest.len(),
        }
    }
}

/// Returns one text in quotes, and nothing or a `|` after it.
fn quoted(head: &str) -> Option<(usize, Vec<String>)> {
    let quote = head.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner_end = 1 + head[1..].find(quote)?;
    let after = head[inner_end + 1..].trim_start();
    let is_alone = after.is_empty() || after.starts_with('|') || starts_with_command(after);
    let words: Vec<String> = head[1..inner_end].split_whitespace().map(str::to_owned).collect();
    (is_alone && !words.is_empty()).then_some((inner_end + 1, words))
}

/// Words up to the end, a `|`, or a command on a line of its own.
fn plain(head: &str) -> Option<(usize, Vec<String>)> {
    let mut end = head.find('|').unwrap_or(head.len());
    for (newline, _) in head[..end].match_indices('\n') {
        if starts_with_command(head[newline..].trim_start()) {
            end = newline;
            break;
        }
    }
    let is_plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || WORD_SIGNS.contains(c);
    let words: Vec<String> = head[..end].split_whitespace().map(str::to_owned).collect();
    (head[..end].chars().all(is_plain) && !words.is_empty()).then_some((end, words))
}

#[cfg(test)]
mod tests;
