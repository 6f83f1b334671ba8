//! What of a hit made it one: texts with marks around the words that were looked for.

use regex::Regex;
use types::Value;

use plan::{Comparison, Expr, Function, Name, REGEXES_MAX, TextPattern, compile_regex};

/// Something that was looked for.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The field it was looked for in; in any where it is none.
    pub field: Option<Name>,
    regex: Regex,
}

/// Returns what a condition looks for, as far as it is wanted and not excluded.
pub(super) fn marks(condition: &Expr) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut pending = vec![condition];
    while let Some(part) = pending.pop()
        && marks.len() < REGEXES_MAX
    {
        match part {
            Expr::And(a, b) | Expr::Or(a, b) => pending.extend([&**b, &**a]),
            Expr::Match(field, pattern) => match pattern {
                TextPattern::OneOf(alternatives) => {
                    marks.extend(alternatives.patterns.iter().take(REGEXES_MAX).filter_map(|one| mark(field, one)));
                }
                pattern => marks.extend(mark(field, pattern)),
            },
            Expr::Call(Function::Each, arguments) => pending.extend(arguments.get(1)),
            Expr::Call(Function::IfDate, arguments) => pending.extend(arguments.get(2)),
            Expr::Compare(Comparison::Equal, field, value) => marks.extend(whole(field, value)),
            Expr::In(field, values) => {
                marks.extend(values.iter().take(REGEXES_MAX).filter_map(|one| whole(field, one)))
            }
            _ => {}
        }
    }
    marks
}

fn field_of(expr: &Expr) -> Option<Option<Name>> {
    match expr {
        Expr::Field(name) if **name == *"@any" => Some(None),
        Expr::Field(name) => Some(Some(name.clone())),
        _ => None,
    }
}

fn mark(field: &Expr, pattern: &TextPattern) -> Option<Mark> {
    let regex = match pattern {
        TextPattern::Substring(text) => compile_regex(&regex::escape(text), false).ok()?,
        TextPattern::Regex(regex) => regex.clone(),
        TextPattern::Phrase(words) => {
            let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
            compile_regex(&format!(r"(?i){}", words.join(r"\W*")), false).ok()?
        }
        TextPattern::Words(words) => compile_regex(&words.as_regex()?, false).ok()?,
        TextPattern::OneOf(_) => return None,
    };
    Some(Mark { field: field_of(field)?, regex })
}

fn whole(field: &Expr, value: &Expr) -> Option<Mark> {
    let Expr::Literal(Some(value @ Value::String(text))) = value else { return None };
    if text.is_empty() || text.len() > 1_000 {
        return None;
    }
    let regex = compile_regex(&format!("^{}$", regex::escape(&value.to_string())), false).ok()?;
    Some(Mark { field: field_of(field)?, regex })
}

/// Returns the text of a field with `pre` and `post` around what was looked for; `None` where nothing of it was.
pub fn highlighted(marks: &[Mark], field: &str, text: &str, pre: &str, post: &str) -> Option<String> {
    let is_meant = |mark: &&Mark| mark.field.as_ref().is_none_or(|name| **name == *field);
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for mark in marks.iter().filter(is_meant) {
        let found = mark.regex.find_iter(text).map(|found| trimmed(text, found.start(), found.end()));
        ranges.extend(found.filter(|(start, end)| start < end));
    }
    ranges.sort_unstable();
    let (mut out, mut at) = (String::with_capacity(text.len() + 64), 0);
    for (start, end) in ranges {
        if start < at {
            // Part of what is in marks already.
            continue;
        }
        out.push_str(&text[at..start]);
        out.push_str(pre);
        out.push_str(&text[start..end]);
        out.push_str(post);
        at = end;
    }
    (at > 0).then(|| {
        out.push_str(&text[at..]);
        out
    })
}

/// Returns a place without what is no word around it: patterns of prefixes take the sign before with them.
fn trimmed(text: &str, start: usize, end: usize) -> (usize, usize) {
    let inner = &text[start..end];
    let skipped = inner.len() - inner.trim_start_matches(char::is_whitespace).len();
    (start + skipped, end)
}
