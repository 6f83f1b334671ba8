//! Go's syntax of regular expressions, rewritten in that of the crate `regex`.
//!
//! What both read alike stays as it is. Source: the documentation of Go's package `regexp/syntax`.

/// Returns an expression that matches here what `text` matches in Go.
///
/// Classes such as `\d` and the boundary `\b` are of ASCII; in brackets `[`, `&` and `~` stand for themselves; `\Q…\E` quotes;
/// `\101` is an octal number; `\<` and `\>` are no boundaries.
pub(crate) fn rewritten(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut rest, mut in_class) = (text, false);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, in_class, &mut out),
            '[' if in_class => name_or_bracket(rest, &mut out),
            '[' => {
                in_class = true;
                open(rest, &mut out)
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
                after
            }
            _ => {
                in_class &= c != ']';
                out.push(c);
                after
            }
        };
    }
    out
}

/// Copies the beginning of a class, where a closing bracket stands for itself; returns what follows.
fn open<'t>(rest: &'t str, out: &mut String) -> &'t str {
    let begin = ["[^]", "[]", "[^"].into_iter().find(|begin| rest.starts_with(*begin)).unwrap_or("[");
    out.push_str(begin);
    &rest[begin.len()..]
}

/// Copies the name of a class such as `[:alpha:]`, or escapes a bracket; returns what follows.
fn name_or_bracket<'t>(rest: &'t str, out: &mut String) -> &'t str {
    let end = rest.strip_prefix("[:").and_then(|name| name.find(":]")).map(|at| at + 4);
    let Some(end) = end else {
        out.push_str("\\[");
        return &rest[1..];
    };
    out.push_str(&rest[..end]);
    &rest[end..]
}

/// Rewrites what `rest`, after a backslash, begins with; returns what follows.
fn escape<'t>(rest: &'t str, in_class: bool, out: &mut String) -> &'t str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[c.len_utf8()..];
    match c {
        'Q' if !in_class => {
            let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(quoted));
            return after;
        }
        '0'..='7' => {
            let digits = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            // One digit that is not 0 would refer to a group, which neither knows.
            if (c == '0' || digits > 1)
                && let Some(meant) = u32::from_str_radix(&rest[..digits], 8).ok().and_then(char::from_u32)
            {
                out.push_str(&regex::escape(meant.encode_utf8(&mut [0; 4])));
                return &rest[digits..];
            }
            out.push('\\');
            out.push(c);
        }
        'b' if !in_class => out.push_str("(?-u:\\b)"),
        '<' | '>' => out.push(c),
        _ => match ascii_class(c) {
            Some(members) if c.is_ascii_lowercase() => out.extend(["[", members, "]"]),
            Some(members) => out.extend(["[^", members, "]"]),
            None => {
                out.push('\\');
                out.push(c);
            }
        },
    }
    after
}

/// Returns the members of the class that an escaped small letter stands for; the capital one stands for all others.
fn ascii_class(letter: char) -> Option<&'static str> {
    match letter.to_ascii_lowercase() {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some("\\t\\n\\f\\r "),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::rewritten;

    fn anchored(expression: &str) -> Result<Regex, regex::Error> {
        Regex::new(&format!("^(?s:{})$", rewritten(expression)))
    }

    #[test]
    fn expressions_match_what_they_match_in_go() {
        let cases = [
            ("[a&&h]0", "&0", true),
            ("[a&&h]0", "h0", true),
            (r"h[\d&&1]", "h5", true),
            ("[h~~a]0", "~0", true),
            ("[a[b]", "[", true),
            ("[a[b]]", "b]", true),
            ("[a[b]]", "b", false),
            ("[[:alpha:]x]", "q", true),
            ("[[:alpha:]x]", ":", false),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            (r"[\]a]", "]", true),
            (r"\<h0\>", "<h0>", true),
            (r"\<h0\>", "h0", false),
            (r"\Qa.b\E.", "a.bc", true),
            (r"\Qa.b\E.", "axbc", false),
            (r"\Qa+b", "a+b", true),
            (r"h\060", "h0", true),
            (r"[\060\061]", "1", true),
            (r"\056", "x", false),
            (r"\d", "٣", false),
            (r"\w+", "é", false),
            (r"\W", "é", true),
            (r"[\w-]+", "a-b", true),
            (r"[\D]", "é", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"a.*\bb", "aéb", true),
            (r"[\w-z]", "-", true),
            (r"[\w-z]", "`", false),
            (r"\p{Greek}", "α", true),
            (r"\\d", r"\d", true),
        ];
        for (expression, text, expected) in cases {
            let regex = anchored(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
            assert_eq!(regex.is_match(text), expected, "{expression} {text}");
        }
        for expression in [r"(a)\1", "[", "(", r"a\"] {
            assert!(anchored(expression).is_err(), "{expression}");
        }
    }
}
