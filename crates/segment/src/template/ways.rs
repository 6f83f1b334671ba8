//! The ways in which messages of a template may contain a literal.
//!
//! A literal that a message holds lies over pieces of its template, one after the other: it begins within one piece,
//! covers those that follow, and ends within another. What lies over literal pieces is decided here, once for all
//! messages; what lies over variables becomes *demands*: this variable ends with `10.0.3`, that one is `200`. A message
//! holds the literal exactly where all demands of one way are met, which columns of variables can tell without any
//! message being made.
//!
//! A quoted text holds no quote, and there is one on either side of it. So a literal without a quote never reaches over
//! its edge; those that lie within one are not listed here, as with [`LiteralMatcher`](super::LiteralMatcher). Nor are those that lie within
//! the value of a field.

use std::ops::Range;

use super::kind::{Kind, Slot};
use super::pieces::Template;
use crate::anchor::Anchor;
use crate::words::is_word_byte;

/// Longest literal taken apart.
pub(crate) const LITERAL_BYTES_MAX: usize = 255;

/// Most ways listed, and most steps taken to find them.
const WAYS_MAX: usize = 64;
const STEPS_MAX: usize = 4096;

/// The bytes of a literal that a variable must hold, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Requirement {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) anchor: Anchor,
}

/// What variables have to hold, each named by its place among those of the template; all of it at once.
pub(crate) type Way = Vec<(u32, Requirement)>;

/// Returns the ways in which messages of a template may hold a literal (in lower case where case is ignored): none where no
/// message does, one without demands where each does. `None` if there are too many to tell.
pub(crate) fn ways(template: Template<'_>, literal: &str, ignores_case: bool) -> Option<Vec<Way>> {
    let is_short = (1..=LITERAL_BYTES_MAX).contains(&literal.len());
    is_short.then_some(())?;
    let mut walk = Walk {
        template,
        variables: template.variables().collect(),
        literal: literal.as_bytes(),
        ignores_case,
        n_steps: 0,
        way: Vec::new(),
        ways: Vec::new(),
    };
    walk.all()?;
    match walk.ways.iter().any(Vec::is_empty) {
        true => Some(vec![Vec::new()]),
        false => Some(walk.ways),
    }
}

struct Walk<'a> {
    template: Template<'a>,
    variables: Vec<(Range<usize>, Slot)>,
    literal: &'a [u8],
    ignores_case: bool,
    n_steps: usize,
    /// The demands met on the way so far.
    way: Way,
    ways: Vec<Way>,
}

impl<'a> Walk<'a> {
    /// Returns the bytes of the template before variable number `index`, and after the last one.
    fn text(&self, index: usize) -> &'a [u8] {
        let from = index.checked_sub(1).map_or(0, |before| self.variables[before].0.end);
        let to = self.variables.get(index).map_or(self.template.bytes().len(), |(place, _)| place.start);
        &self.template.bytes()[from..to]
    }

    fn is_same(&self, text: &[u8], part: &[u8]) -> bool {
        if self.ignores_case { text.eq_ignore_ascii_case(part) } else { text == part }
    }

    /// Returns how many bytes of the literal from `at` on a variable may hold.
    fn n_admitted(&self, slot: Slot, at: usize) -> usize {
        let admits = |byte: u8| match slot.kind {
            Kind::Integer => byte.is_ascii_digit(),
            Kind::Address => byte.is_ascii_digit() || byte == b'.',
            Kind::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Kind::Uuid => matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'),
            Kind::Text => is_word_byte(byte),
            Kind::Time => slot.form.is_none_or(|form| {
                form.admits(byte)
                    || (self.ignores_case && form.admits(byte.to_ascii_uppercase()))
                    || (form.has_names() && byte.is_ascii_alphabetic())
            }),
            Kind::Quoted => byte != b'"',
            Kind::Any | Kind::Json => true,
        };
        self.literal[at..].iter().take_while(|byte| admits(**byte)).count()
    }

    fn keep(&mut self) -> Option<()> {
        self.ways.push(self.way.clone());
        (self.ways.len() <= WAYS_MAX).then_some(())
    }

    /// Notes a demand for as long as `rest` continues from it.
    fn with(&mut self, index: usize, demand: Requirement, rest: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.way.push((index as u32, demand));
        let done = rest(self);
        self.way.pop();
        done
    }

    /// Lets the literal begin wherever it may.
    fn all(&mut self) -> Option<()> {
        let length = self.literal.len();
        for index in 0..=self.variables.len() {
            for from in 0..self.text(index).len() {
                let rest = &self.text(index)[from..];
                let n_same = rest.len().min(length);
                if self.is_same(&rest[..n_same], &self.literal[..n_same]) {
                    if n_same == length { self.keep()? } else { self.enter_variable(index, n_same)? }
                }
            }
            let Some((_, slot)) = self.variables.get(index) else { break };
            let (slot, n_admitted) = (*slot, self.n_admitted(*slot, 0));
            if n_admitted == length && slot.kind != Kind::Quoted && slot.field.is_none() {
                self.with(index, Requirement { from: 0, to: length as u8, anchor: Anchor::Anywhere }, Self::keep)?;
            }
            for to in 1..=n_admitted.min(length - 1) {
                let demand = Requirement { from: 0, to: to as u8, anchor: Anchor::End };
                self.with(index, demand, |walk| walk.enter_text(index + 1, to))?;
            }
        }
        Some(())
    }

    /// Goes on with the bytes before variable number `index`, where byte `at` of the literal has to be.
    fn enter_text(&mut self, index: usize, at: usize) -> Option<()> {
        let text = self.text(index);
        let n_same = text.len().min(self.literal.len() - at);
        if !self.is_same(&text[..n_same], &self.literal[at..at + n_same]) {
            return Some(());
        }
        if at + n_same == self.literal.len() { self.keep() } else { self.enter_variable(index, at + n_same) }
    }

    /// Goes on at the beginning of variable number `index`.
    fn enter_variable(&mut self, index: usize, at: usize) -> Option<()> {
        self.n_steps += 1;
        if self.n_steps > STEPS_MAX {
            return None;
        }
        let Some((_, slot)) = self.variables.get(index) else { return Some(()) };
        let n_admitted = self.n_admitted(*slot, at);
        let length = self.literal.len();
        if at + n_admitted == length {
            self.with(index, Requirement { from: at as u8, to: length as u8, anchor: Anchor::Start }, Self::keep)?;
        }
        for to in at + 1..=(at + n_admitted).min(length - 1) {
            let demand = Requirement { from: at as u8, to: to as u8, anchor: Anchor::Both };
            self.with(index, demand, |walk| walk.enter_text(index + 1, to))?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
