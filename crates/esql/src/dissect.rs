//! Patterns of `DISSECT`: keys between literal texts.

use super::typed::literal;
use plan::{Expr, Function};
use types::{Value, ensure};

/// A pattern as a regular expression.
#[derive(Debug, Default)]
pub(super) struct Dissect {
    pub(super) source: String,
    /// Groups of the expression that are kept.
    pub(super) groups: Vec<usize>,
    /// The columns, in the order of the pattern.
    pub(super) fields: Vec<Field>,
}

/// A column and the places in `groups` that its text is joined from.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) groups: Vec<usize>,
}

/// A key between `%{` and `}`.
struct Key {
    name: String,
    is_skipped: bool,
    is_appended: bool,
    order: usize,
    is_padded: bool,
}

/// Reads a pattern.
pub(super) fn read(pattern: &str) -> Result<Dissect, String> {
    let bad = |why: &str| format!("Invalid pattern for dissect: [{pattern}]: {why}");
    let mut parts: Vec<(Key, &str)> = Vec::new();
    let first = pattern.find("%{").ok_or_else(|| bad("it has no key"))?;
    let (leading, mut rest) = pattern.split_at(first);
    while let Some(inner) = rest.strip_prefix("%{") {
        let end = inner.find('}').ok_or_else(|| bad("a key has no closing bracket"))?;
        let key = key(&inner[..end]).map_err(|why| bad(&why))?;
        rest = &inner[end + 1..];
        let next = rest.find("%{").unwrap_or(rest.len());
        let (literal, after) = rest.split_at(next);
        ensure!(!literal.is_empty() || after.is_empty(), bad("there is no text between two keys"));
        parts.push((key, literal));
        rest = after;
    }
    let mut made = Dissect { source: format!("(?s)^{}", regex::escape(leading)), ..Dissect::default() };
    let mut appended: Vec<(String, usize, usize)> = Vec::new();
    let n = parts.len();
    for (index, (key, literal)) in parts.iter().enumerate() {
        let is_rest = index + 1 == n && literal.is_empty();
        made.source.push_str(if is_rest { "(.*)" } else { "(.*?)" });
        let literal = regex::escape(literal);
        match key.is_padded && !literal.is_empty() {
            true => made.source.push_str(&format!("(?:{literal})+")),
            false => made.source.push_str(&literal),
        }
        if key.is_skipped {
            continue;
        }
        let place = made.groups.len();
        made.groups.push(index + 1);
        match made.fields.iter().any(|field| field.name == key.name) {
            true if !key.is_appended => return Err(bad(&format!("the key [{}] occurs twice", key.name))),
            true => {}
            false => made.fields.push(Field { name: key.name.clone(), groups: Vec::new() }),
        }
        appended.push((key.name.clone(), key.order, place));
    }
    ensure!(!made.fields.is_empty(), bad("it names nothing"));
    // What follows the last key in the text does not matter.
    made.source.push_str(if parts.last().is_some_and(|(_, literal)| literal.is_empty()) { "$" } else { "" });
    appended.sort_by_key(|(_, order, place)| (*order, *place));
    for (name, _, place) in appended {
        made.fields.iter_mut().filter(|field| field.name == name).for_each(|field| field.groups.push(place));
    }
    Ok(made)
}

fn key(written: &str) -> Result<Key, String> {
    let (name, is_padded) = written.strip_suffix("->").map_or((written, false), |name| (name, true));
    if name.starts_with(['*', '&']) {
        return Err(format!("reference keys not supported in dissect patterns: [%{{{written}}}]"));
    }
    let (name, is_appended) = name.strip_prefix('+').map_or((name, false), |name| (name, true));
    let is_skipped = name.is_empty() || name.starts_with('?');
    let (name, order) = match name.split_once('/') {
        Some((name, order)) if is_appended => {
            (name, order.parse().map_err(|_| format!("the order [{order}] is no number"))?)
        }
        _ => (name, 0),
    };
    Ok(Key { name: name.to_owned(), is_skipped, is_appended, order, is_padded })
}

/// Texts one after the other; missing where one is.
pub(super) fn joined(mut parts: Vec<Expr>, separator: &str) -> Expr {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let mut arguments = Vec::new();
    for part in parts {
        if !arguments.is_empty() && !separator.is_empty() {
            arguments.push(literal(Value::text(separator)));
        }
        arguments.push(part);
    }
    Expr::Call(Function::Concat, arguments)
}
