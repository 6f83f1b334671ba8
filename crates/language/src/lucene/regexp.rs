//! Regular expressions of Lucene, in which `^` and `$` are letters like others, `@` is any text, `#` nothing at all,
//! and a text in quotes is itself. An expression is about a whole value or word. What has no counterpart is an error.

/// Returns a regular expression with the same matches, anchored at both ends.
pub fn anchored(source: &str) -> Result<String, String> {
    let mut written = String::with_capacity(source.len() + 8);
    let mut characters = source.chars().peekable();
    let refuse = |what: &str| Err(format!("{what} in regular expressions is not supported"));
    let mut in_class = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(c) if matches!(c, 'd' | 'D' | 's' | 'S' | 'w' | 'W') => written.extend(['\\', c]),
                Some(c) => written.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
                None => return Err("the regular expression ends with a backslash".into()),
            },
            ']' if in_class => {
                in_class = false;
                written.push(']');
            }
            // Signs that mean something to us and nothing to Lucene.
            '[' | '&' | '~' if in_class => written.extend(['\\', c]),
            c if in_class => written.push(c),
            '[' => {
                in_class = true;
                written.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    written.push('^');
                }
            }
            '^' | '$' => written.extend(['\\', c]),
            '@' => written.push_str("(?s:.*)"),
            '#' => written.push_str("[^\\s\\S]"),
            '"' => {
                let mut text = String::new();
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some(c) => text.push(c),
                        None => return Err("a text in quotes has no end in the regular expression".into()),
                    }
                }
                written.push_str(&format!("(?:{})", regex::escape(&text)));
            }
            '~' => return refuse("the complement [~]"),
            '&' => return refuse("the intersection [&]"),
            '<' => return refuse("the interval [<]"),
            '(' if characters.peek() == Some(&'?') => return refuse("a group that begins with [(?]"),
            c => written.push(c),
        }
    }
    Ok(format!("(?s)^(?:{written})$"))
}

#[cfg(test)]
mod tests;
