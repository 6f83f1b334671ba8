//! Queries that are being written. Editors send them to ask for the names and values that can come next.

use crate::query::parse;
use crate::syntax::Query;

/// A value that is still to be chosen.
const NO_VALUE: &str = "\"\"";

/// Reads what is complete of a query that is being written: the query, or else those comparisons of its only selection that can be
/// read. A comparison with an empty text is not complete. `None` if nothing is, if there are other selections, or if the
/// selection has alternatives.
pub fn parse_unfinished(text: &str) -> Option<Query> {
    let read = |text: &str| if text.contains(NO_VALUE) { None } else { parse(text).ok() };
    read(text).or_else(|| {
        let mut complete = conditions(text)?;
        complete.retain(|condition| condition.contains(['=', '<', '>']) && read(&format!("{{{condition}}}")).is_some());
        if complete.is_empty() { None } else { read(&format!("{{{}}}", complete.join("&&"))) }
    })
}

/// Returns the conditions of the only selection, whose end may be missing.
fn conditions(text: &str) -> Option<Vec<&str>> {
    let (_, selection) = text.split_once('{')?;
    let (mut found, mut begin, mut end) = (Vec::new(), 0, None);
    let (mut nesting, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, c) in selection.char_indices() {
        let is_between = end.is_none() && nesting == 0;
        match (quote, c) {
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), c) => quote = (open != c || is_escaped).then_some(open),
            (None, '"' | '`') => quote = Some(c),
            (None, '(') => nesting += 1,
            (None, ')') => nesting = nesting.saturating_sub(1),
            (None, '}') => end = end.or(Some(at)),
            (None, '{') => return None,
            (None, '|') if is_between && selection[at..].starts_with("||") => return None,
            (None, '&') if is_between && at >= begin && selection[at..].starts_with("&&") => {
                found.push(&selection[begin..at]);
                begin = at + "&&".len();
            }
            _ => {}
        }
        is_escaped = false;
    }
    found.push(&selection[begin..end.unwrap_or(selection.len())]);
    Some(found)
}

#[cfg(test)]
mod tests;
