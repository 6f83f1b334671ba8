//! `| pattern`, and the pattern filters `|>` and `!>`.

use std::borrow::Cow;

use super::super::label_set::LabelSet;

/// A piece of `| pattern`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that must occur as it is.
    Literal(String),
    /// `_` is `None`.
    Capture(Option<String>),
}

/// Takes a pattern apart: `<name>` captures what is between two literals.
///
/// Errors: why it is none.
pub fn pieces(pattern: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut rest, mut literal) = (pattern, String::new());
    while !rest.is_empty() {
        let Some((at, end)) = capture(rest) else {
            literal.push_str(rest);
            break;
        };
        literal.push_str(&rest[..at]);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        } else if matches!(pieces.last(), Some(Piece::Capture(_))) {
            return Err("two captures side by side: where one ends cannot be determined");
        }
        let name = &rest[at + 1..end];
        let name = (name != "_").then(|| name.to_owned());
        if name.is_some() && pieces.iter().any(|piece| matches!(piece, Piece::Capture(known) if *known == name)) {
            return Err("two captures have the same name");
        }
        pieces.push(Piece::Capture(name));
        rest = &rest[end + 1..];
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::Capture(Some(_)))) {
        Ok(pieces)
    } else {
        Err("nothing in it has a name")
    }
}

/// Returns where the next `<name>` begins and ends.
fn capture(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('<').map(|at| at + from) {
        let name = text[at + 1..].find('>').map(|end| &text[at + 1..at + 1 + end]);
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if let Some(name) = name.filter(is_name) {
            return Some((at, at + 1 + name.len()));
        }
        from = at + 1;
    }
    None
}

/// `| pattern "<ip> - <_>"`: what is between the literals, as far as the line fits.
pub fn pattern<'a>(line: &'a str, pieces: &'a [Piece], set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    let (mut rest, mut pieces) = (line, pieces);
    if let [Piece::Literal(first), others @ ..] = pieces {
        let Some(after) = rest.strip_prefix(first.as_str()) else { return };
        (rest, pieces) = (after, others);
    }
    while let [Piece::Capture(name), others @ ..] = pieces {
        let (found, after) = match others.first() {
            Some(Piece::Literal(literal)) => match rest.find(literal.as_str()) {
                Some(at) => (&rest[..at], Some(&rest[at + literal.len()..])),
                None => (rest, None),
            },
            _ => (rest, None),
        };
        if let Some(name) = name {
            set.extract(Cow::Borrowed(name.as_str()), found);
        }
        let Some(after) = after else { return };
        (rest, pieces) = (after, others.get(1..).unwrap_or_default());
    }
}

/// A pattern of `|>` or `!>`: literals with something between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePattern {
    /// The literals, `None` for what may be anything but empty.
    pieces: Vec<Option<String>>,
}

impl LinePattern {
    /// Takes a pattern apart.
    ///
    /// Errors: why it is none.
    pub fn new(pattern: &str) -> Result<Self, &'static str> {
        let mut pieces: Vec<Option<String>> = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let (literal, after) = match capture(rest) {
                Some((at, end)) if &rest[at..=end] != "<_>" => return Err("pattern filters have no named captures"),
                Some((at, end)) => (&rest[..at], Some(&rest[end + 1..])),
                None => (rest, None),
            };
            if !literal.is_empty() {
                pieces.push(Some(literal.to_owned()));
            } else if after.is_some() && matches!(pieces.last(), Some(None)) {
                return Err("two captures side by side: where one ends cannot be determined");
            }
            pieces.extend(after.map(|_| None));
            rest = after.unwrap_or_default();
        }
        Ok(Self { pieces })
    }

    /// Returns the longest literal, which every line holds that fits.
    pub fn literal(&self) -> Option<&str> {
        self.pieces.iter().flatten().map(String::as_str).max_by_key(|literal| literal.len())
    }

    /// Reports whether a line fits. As in Loki each literal is looked for at its first place only, and the first one
    /// may be anywhere in the line.
    pub fn fits(&self, line: &str) -> bool {
        if line.is_empty() || self.pieces.is_empty() {
            return line.is_empty() && self.pieces.is_empty();
        }
        let mut rest = line;
        for (index, literal) in self.pieces.iter().enumerate() {
            let Some(literal) = literal else { continue };
            match rest.find(literal.as_str()) {
                Some(at) if at > 0 || index == 0 => rest = &rest[at + literal.len()..],
                _ => return false,
            }
        }
        matches!(self.pieces.last(), Some(None)) != rest.is_empty()
    }
}
