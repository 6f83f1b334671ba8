//! A place in a line of a page, and what can be read there.

/// What is wrong in a line, and its column in characters, from 1.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) column: usize,
    pub(super) problem: String,
}

/// A place in a line.
#[derive(Clone)]
pub(super) struct Cursor<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Cursor<'l> {
    pub(super) fn new(line: &'l str) -> Self {
        Self { line, at: 0 }
    }

    pub(super) fn rest(&self) -> &'l str {
        &self.line[self.at..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// Moves over bytes that end at the end of a character.
    pub(super) fn advance(&mut self, n_bytes: usize) {
        self.at += n_bytes;
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at = self.line.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    /// Reads up to the next blank.
    pub(super) fn word(&mut self) -> &'l str {
        let rest = self.rest();
        let word = &rest[..rest.find([' ', '\t']).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// Reads a name, which may be quoted.
    pub(super) fn name(&mut self) -> Result<String, Located> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let name = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(
                self.located("a name is expected: letters, digits, _ and :, not a digit first, or any text in quotes")
            );
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    /// Reads a text in quotes.
    pub(super) fn quoted(&mut self) -> Result<String, Located> {
        let inner = match self.rest().strip_prefix('"') {
            Some(inner) => inner,
            None => return Err(self.located("a text in quotes is expected")),
        };
        let mut is_escaped = false;
        for (index, byte) in inner.bytes().enumerate() {
            match byte {
                b'"' if !is_escaped => {
                    self.at += index + 2;
                    return Ok(unescaped(&inner[..index]));
                }
                _ => is_escaped = byte == b'\\' && !is_escaped,
            }
        }
        Err(self.located("the quote does not end"))
    }

    /// Returns a problem at this place.
    pub(super) fn located(&self, problem: impl Into<String>) -> Located {
        Located { column: self.line[..self.at].chars().count() + 1, problem: problem.into() }
    }
}

/// Returns a text with `\\`, `\"` and `\n` replaced by what they mean; as in Prometheus, any other backslash means itself.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some(meant @ ('\\' | '"')) => out.push(meant),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
