//! Regular expressions of `RLIKE` and `REPLACE` as ours.

/// Signs of Lucene's expressions that ours do not have.
const REFUSED: &str = "~&#@<>\"";

/// Returns the source of an expression of Lucene's, which matches whole values; `^` and `$` are letters in it.
pub(super) fn source(pattern: &str) -> Result<String, String> {
    let mut found = String::from("(?s)^(?:");
    let mut characters = pattern.chars().peekable();
    let mut before = None;
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('d') => found.push_str("[0-9]"),
                Some('D') => found.push_str("[^0-9]"),
                Some('w') => found.push_str("[A-Za-z0-9_]"),
                Some('W') => found.push_str("[^A-Za-z0-9_]"),
                Some('s') => found.push_str("[ \\t\\n\\r]"),
                Some('S') => found.push_str("[^ \\t\\n\\r]"),
                Some(escaped) => found.push_str(&regex::escape(&escaped.to_string())),
                None => return Err("Invalid regex pattern for RLIKE: it ends with an escape".into()),
            },
            '[' => class(&mut characters, &mut found)?,
            '^' | '$' => found.push_str(&regex::escape(&c.to_string())),
            c if REFUSED.contains(c) => {
                return Err(format!(
                    "the operator [{c}] of regular expressions is not supported; write \\{c} for the sign"
                ));
            }
            '?' | '+' | '*' if matches!(before, Some('?' | '+' | '*')) || (c == '?' && before == Some('(')) => {
                return Err(format!("Invalid regex pattern for RLIKE: [{c}] follows nothing that it could repeat"));
            }
            c => found.push(c),
        }
        before = if c == '\\' { None } else { Some(c) };
    }
    Ok(found + ")$")
}

/// Returns a class of characters, up to its closing bracket.
fn class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, found: &mut String) -> Result<(), String> {
    found.push('[');
    if characters.peek() == Some(&'^') {
        characters.next();
        found.push('^');
    }
    loop {
        match characters.next() {
            None => return Err("Invalid regex pattern for RLIKE: a class of characters has no end".into()),
            Some(']') => break,
            Some('\\') => {
                let escaped = characters.next().unwrap_or('\\');
                match escaped {
                    'd' => found.push_str("0-9"),
                    'w' => found.push_str("A-Za-z0-9_"),
                    's' => found.push_str(" \\t\\n\\r"),
                    'D' | 'W' | 'S' => return Err(format!("[\\{escaped}] in a class of characters is not supported")),
                    other => found.push_str(&regex::escape(&other.to_string())),
                }
            }
            Some(c @ ('[' | '&' | '~')) => {
                found.push('\\');
                found.push(c);
            }
            Some(c) => found.push(c),
        }
    }
    found.push(']');
    Ok(())
}

/// Returns the replacement of Java's as ours: `$1` is a group, a backslash makes a sign mean itself.
pub(super) fn replacement(written: &str) -> Result<String, String> {
    let mut found = String::new();
    let mut characters = written.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('$') => found.push_str("$$"),
                Some(other) => found.push(other),
                None => return Err("character to be escaped is missing".into()),
            },
            '$' => match characters.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    if characters.peek().is_some_and(char::is_ascii_digit) {
                        return Err("groups beyond 9 in replacements are not supported".into());
                    }
                    found.push_str(&format!("${{{digit}}}"));
                }
                _ => return Err("Illegal group reference".into()),
            },
            c => found.push(c),
        }
    }
    Ok(found)
}

/// Returns the source of an expression of Java's; those that ours would read in another way are refused.
pub(super) fn java(pattern: &str) -> Result<String, String> {
    for (part, what) in [
        ("(?=", "lookahead"),
        ("(?!", "lookahead"),
        ("(?<=", "lookbehind"),
        ("(?<!", "lookbehind"),
        ("(?>", "atomic groups"),
        ("&&", "intersections of classes"),
        ("\\Q", "quoting"),
    ] {
        types::ensure!(!pattern.contains(part), format!("{what} in regular expressions is not supported"));
    }
    let mut found = String::new();
    let mut characters = pattern.chars();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                // Java's classes are of ASCII.
                Some('d') => found.push_str("[0-9]"),
                Some('D') => found.push_str("[^0-9]"),
                Some('w') => found.push_str("[A-Za-z0-9_]"),
                Some('W') => found.push_str("[^A-Za-z0-9_]"),
                Some('s') => found.push_str("[ \\t\\n\\x0B\\f\\r]"),
                Some('S') => found.push_str("[^ \\t\\n\\x0B\\f\\r]"),
                Some(digit) if digit.is_ascii_digit() => {
                    return Err("references to groups in regular expressions are not supported".into());
                }
                Some(c) if c.is_ascii_alphanumeric() && !"tnrfbBAzx".contains(c) => {
                    return Err(format!("[\\{c}] in regular expressions is not supported"));
                }
                Some(c) => {
                    found.push('\\');
                    found.push(c);
                }
                None => return Err("the regular expression ends with an escape".into()),
            },
            '+' if matches!(before, '?' | '*' | '+' | '}') => {
                return Err("possessive quantifiers of regular expressions are not supported".into());
            }
            c => found.push(c),
        }
        before = if c == '\\' { ' ' } else { c };
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
