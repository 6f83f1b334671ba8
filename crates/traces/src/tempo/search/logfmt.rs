//! Tags as a text: `name=value` pairs, as logfmt writes them.

use door::{Problem, Result};

/// Reads tags in logfmt: `name=value` pairs between white space, values in double quotes where they have some.
pub(super) fn tags(text: &str) -> Result<Vec<(String, String)>> {
    let bad = |what: &str| {
        let problem = Problem::bad_request("bad-tags", format!("tags: {what} in {text:?}"));
        problem.hint("write tags as service.name=web http.target=\"/a b\"")
    };
    let (mut tags, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(|| bad("a name without ="))?;
        types::ensure!(!name.is_empty() && !name.contains(char::is_whitespace), bad("a name without ="));
        let (value, after) = match after.strip_prefix('"') {
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
            Some(quoted) => quoted_value(quoted).ok_or_else(|| bad("a quote without its end"))?,
        };
        tags.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(tags)
}

/// Returns the value before the closing quote, and what follows it. A backslash escapes a quote or a backslash.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => return Some((value, &text[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            c => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
