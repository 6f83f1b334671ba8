//! Whole expressions: characters, operators, repetitions.

use crate::SyntaxError;
use crate::class::class;
use crate::escape::{Escape, escape, push_character};
use crate::group::{Opening, opening};

/// The most repetitions of something, those of repetitions multiplied.
const REPETITIONS_MAX: usize = 1_000;

/// What stands before the place that is read.
enum Last<'t> {
    /// Nothing that can be repeated.
    Nothing,
    /// Something that repeats nothing.
    Operand,
    /// A repetition, and the text from its sign on.
    Repetition(&'t str),
}

/// What is read.
struct Reader<'t> {
    rest: &'t str,
    out: String,
    last: Last<'t>,
    /// How often what stands before repeats a part of itself at most.
    n_repeated: usize,
    /// The same for each open group, the outermost first.
    open: Vec<usize>,
}

/// Returns an expression of the crate `regex` that matches what `source` matches in Go.
pub fn rewritten(source: &str) -> Result<String, SyntaxError> {
    let out = String::with_capacity(source.len() + 16);
    let mut reader = Reader { rest: source, out, last: Last::Nothing, n_repeated: 0, open: vec![0] };
    while let Some(c) = reader.rest.chars().next() {
        reader.step(c, source)?;
    }
    match reader.open.len() {
        1 => Ok(reader.out),
        _ => Err(SyntaxError::new("missing closing )", source)),
    }
}

impl<'t> Reader<'t> {
    /// Reads what begins with a character.
    fn step(&mut self, c: char, source: &str) -> Result<(), SyntaxError> {
        let after = &self.rest[c.len_utf8()..];
        match c {
            '(' => return self.open(),
            ')' => {
                let inside = self.open.pop().unwrap_or_default().max(self.n_repeated);
                if self.open.is_empty() {
                    return Err(SyntaxError::new("unexpected )", source));
                }
                self.out.push(c);
                self.operand(inside, after);
            }
            '|' => {
                self.out.push(c);
                self.operand(0, after);
                self.last = Last::Nothing;
            }
            '[' => {
                let after = class(self.rest, &mut self.out)?;
                self.operand(0, after);
            }
            '\\' => return self.escaped(),
            '*' | '+' | '?' => return self.repetition(after, self.n_repeated),
            '{' => match counts(self.rest) {
                Some((least, most, after)) => return self.counted(least, most, after),
                None => {
                    push_character(c, &mut self.out);
                    self.operand(0, after);
                }
            },
            _ => {
                self.out.push(c);
                self.operand(0, after);
            }
        }
        Ok(())
    }

    /// Goes on behind something that can be repeated.
    fn operand(&mut self, n_repeated: usize, after: &'t str) {
        if let Some(group) = self.open.last_mut() {
            *group = self.n_repeated.max(*group);
        }
        self.n_repeated = n_repeated;
        self.last = Last::Operand;
        self.rest = after;
    }

    fn open(&mut self) -> Result<(), SyntaxError> {
        let (opening, after) = opening(self.rest, &mut self.out)?;
        self.operand(0, after);
        self.last = Last::Nothing;
        if opening == Opening::Group {
            self.open.push(0);
        }
        Ok(())
    }

    fn escaped(&mut self) -> Result<(), SyntaxError> {
        if let Some(rest) = self.rest.strip_prefix("\\Q") {
            let (quoted, after) = rest.split_once("\\E").unwrap_or((rest, ""));
            quoted.chars().for_each(|c| push_character(c, &mut self.out));
            self.operand(0, after);
            if quoted.is_empty() {
                self.last = Last::Nothing;
            }
            return Ok(());
        }
        let anchors = [("\\A", "\\A"), ("\\z", "\\z"), ("\\b", "(?-u:\\b)"), ("\\B", "(?-u:\\B)")];
        let anchor = anchors.into_iter().find_map(|(go, ours)| Some((ours, self.rest.strip_prefix(go)?)));
        let after = match anchor {
            Some((ours, after)) => {
                self.out.push_str(ours);
                after
            }
            None => {
                let (found, after) = escape(self.rest)?;
                match found {
                    Escape::Character(c) => push_character(c, &mut self.out),
                    Escape::Class(class) => self.out.push_str(&class),
                }
                after
            }
        };
        self.operand(0, after);
        Ok(())
    }

    /// Copies a repetition whose sign ends at `after`.
    fn repetition(&mut self, after: &'t str, n_repeated: usize) -> Result<(), SyntaxError> {
        let after = after.strip_prefix('?').unwrap_or(after);
        let sign = &self.rest[..self.rest.len() - after.len()];
        match self.last {
            Last::Nothing => return Err(SyntaxError::new("missing argument to repetition operator", sign)),
            Last::Repetition(text) => {
                let both = &text[..text.len() - after.len()];
                return Err(SyntaxError::new("invalid nested repetition operator", both));
            }
            Last::Operand => self.last = Last::Repetition(self.rest),
        }
        if n_repeated > REPETITIONS_MAX {
            return Err(SyntaxError::new("invalid repeat count", sign));
        }
        self.out.push_str(sign);
        self.n_repeated = n_repeated;
        self.rest = after;
        Ok(())
    }

    /// Copies a repetition with numbers: at least and, if there is an upper limit, at most so often.
    fn counted(&mut self, least: usize, most: Option<usize>, after: &'t str) -> Result<(), SyntaxError> {
        let is_valid = least.max(most.unwrap_or(0)) <= REPETITIONS_MAX && most.is_none_or(|most| least <= most);
        if !is_valid {
            let sign = &self.rest[..self.rest.len() - after.len()];
            return Err(SyntaxError::new("invalid repeat count", sign));
        }
        // The crate `regex` forgets groups that never match, so that those after them would have other numbers.
        if most == Some(0) && self.out.ends_with(')') {
            return Err(SyntaxError::new("a group without repetitions is not supported", &self.rest[..3]));
        }
        let n_repeated = match most {
            Some(0) => 0,
            _ => most.unwrap_or(least).max(1).saturating_mul(self.n_repeated.max(1)),
        };
        self.repetition(after, n_repeated)
    }
}

/// Reads `{2}`, `{2,}` or `{2,3}`; numbers that are too large are very large ones.
fn counts(text: &str) -> Option<(usize, Option<usize>, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_valid = is_number && (text.len() == 1 || !text.starts_with('0'));
        is_valid.then(|| text.parse().unwrap_or(usize::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|n| (n, Some(n), after)),
        Some((least, "")) => number(least).map(|least| (least, None, after)),
        Some((least, most)) => Some((number(least)?, Some(number(most)?), after)),
    }
}
