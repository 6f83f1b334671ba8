//! Rust source text as names and signs, without comments, literals and test code.

/// A name or a sign of code.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Name(String),
    /// `::`, or one character.
    Sign(&'static str),
    /// A sign that no rule asks for.
    Other,
    /// The first character of an attribute, with its text: `#[cfg(test)]`.
    Attribute(String),
}

impl Token {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(found) if *found == sign)
    }
}

const SIGNS: &[&str] = &["::", "{", "}", "(", ")", "[", "]", ",", ";", "*"];

/// Splits source text into tokens, leaving out comments and literals.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(n) = skipped(rest) {
            rest = &rest[n..];
        } else if rest.starts_with("#[") {
            let n = attribute_bytes(rest);
            tokens.push(Token::Attribute(rest[..n].to_owned()));
            rest = &rest[n..];
        } else if first.is_alphabetic() || first == '_' {
            let n = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..n].to_owned()));
            rest = &rest[n..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Other);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// Length of the comment or literal that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    let bytes = rest.as_bytes();
    match bytes {
        [b'/', b'/', ..] => Some(until("\n", 2)),
        [b'/', b'*', ..] => Some(until("*/", 2)),
        [b'"', ..] => Some(string_bytes(bytes, 1)),
        [b'b' | b'c', b'"', ..] => Some(string_bytes(bytes, 2)),
        [b'b', b'\'', ..] => Some(string_end(bytes, 2, b'\'')),
        [b'r', b'"' | b'#', ..] => raw_string_bytes(rest, 1),
        [b'b', b'r', b'"' | b'#', ..] => raw_string_bytes(rest, 2),
        [b'\'', b'\\', ..] => Some(string_end(bytes, 1, b'\'')),
        [b'\'', ..] => {
            // A character, or else a lifetime, whose name is read as any other.
            let mut letters = rest[1..].chars();
            let letter = letters.next()?;
            (letters.next() == Some('\'')).then(|| 2 + letter.len_utf8())
        }
        _ => None,
    }
}

fn string_bytes(bytes: &[u8], from: usize) -> usize {
    string_end(bytes, from, b'"')
}

fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Length of a raw string whose hashes begin at `from`; `None` for a raw name (`r#type`).
fn raw_string_bytes(rest: &str, from: usize) -> Option<usize> {
    let n_hashes = rest[from..].bytes().take_while(|&byte| byte == b'#').count();
    let start = from + n_hashes;
    if rest.as_bytes().get(start) != Some(&b'"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(n_hashes));
    Some(rest[start + 1..].find(&end).map_or(rest.len(), |at| start + 1 + at + end.len()))
}

fn attribute_bytes(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 1;
    while at < rest.len() {
        if let Some(n) = skipped(&rest[at..]) {
            at += n;
            continue;
        }
        match rest.as_bytes()[at] {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        at += rest[at..].chars().next().map_or(1, char::len_utf8);
        if depth == 0 {
            break;
        }
    }
    at
}

/// Leaves out items under `#[cfg(test)]` and all attributes.
pub(super) fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let Token::Attribute(text) = &token else {
            kept.push(token);
            continue;
        };
        if text != "#[cfg(test)]" {
            continue;
        }
        let mut depth = 0_usize;
        for token in tokens.by_ref() {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            } else if token.is(";") && depth == 0 {
                break;
            }
        }
    }
    kept
}
