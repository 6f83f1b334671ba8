//! Which templates are worth asking for a literal.
//!
//! Asking a template goes through all of its bytes, and a run has thousands. Nearly all of them can be told from little:
//! the literal is in none of their bytes, which one search through the bytes of all tells, and around none of their
//! variables stands what would have to stand there if the literal began, ended or lay within the variable.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::kind::{KINDS, Kind, Slot};
use super::matcher::{Kinds, LiteralMatcher, TemplateMatch};
use super::pieces::{Template, each_variable};
use crate::bytes::{Damage, Decoded};
use crate::heap;

/// The templates of a run as they are written, one after another. Which variables they have is known; each is taken apart when it is
/// asked for: most never are.
pub(crate) struct TemplateText {
    format: u16,
    all: Arc<str>,
    /// Where each ends.
    ends: Vec<u32>,
    /// Where each variable of all begins.
    variables: Vec<u32>,
}

impl TemplateText {
    /// Takes the templates of a segment of `format`: their bytes, and where each of them ends.
    pub(crate) fn new(all: &[u8], ends: Vec<u32>, format: u16) -> Decoded<Self> {
        // Markers and forms are ASCII, so a template is UTF-8 exactly when its message was.
        let all: Arc<str> = std::str::from_utf8(all).map_err(|_| Damage("a template is not UTF-8"))?.into();
        let (mut variables, mut start) = (Vec::new(), 0);
        for end in &ends {
            let template = all.get(start as usize..*end as usize).ok_or(Damage("a length is out of range"))?;
            each_variable(template.as_bytes(), format, |place, _| variables.push(start + place.start))?;
            start = *end;
        }
        variables.shrink_to_fit();
        Ok(Self { format, all, ends, variables })
    }

    /// Gives the variables of each template, with the template up to it, and then `None`.
    pub(crate) fn each_variable<'t>(&'t self, mut found: impl FnMut(Option<(&'t [u8], Slot)>)) {
        let (all, mut variables, mut start) = (self.all.as_bytes(), self.variables.iter().peekable(), 0);
        for end in &self.ends {
            while let Some(at) = variables.next_if(|at| *at < end) {
                // All of them were looked at when they were read.
                if let Ok(Some((slot, _))) = Slot::read(&all[*at as usize..*end as usize], self.format) {
                    found(Some((&all[start..*at as usize], slot)));
                }
            }
            found(None);
            start = *end as usize;
        }
    }

    /// Returns how many templates there are.
    pub(crate) fn n_templates(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes that it takes.
    pub(crate) fn n_bytes(&self) -> usize {
        heap::of_text(&self.all) + heap::of_items(&self.ends) + heap::of_items(&self.variables)
    }

    /// Returns the place of a template by its number, from 0.
    fn place(&self, index: usize) -> Option<(usize, usize)> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.ends.get(index).map(|end| (start, *end as usize))
    }

    /// Returns the bytes of a template by its number, from 0.
    pub(crate) fn bytes(&self, index: usize) -> Option<&[u8]> {
        self.place(index).and_then(|(start, end)| self.all.as_bytes().get(start..end))
    }

    /// Takes a template apart, by its number from 0.
    pub(crate) fn template(&self, index: usize) -> Option<Template> {
        // All of them were looked at when they were read.
        self.place(index).and_then(|(start, end)| Template::within(&self.all, start..end, self.format).ok())
    }

    /// Returns the number, from 0, of the template that holds the byte at `at`.
    fn template_at(&self, at: usize) -> Option<usize> {
        let before = self.ends.partition_point(|end| *end as usize <= at);
        (before < self.ends.len()).then_some(before)
    }
}

impl LiteralMatcher {
    /// Asks all templates of a run.
    pub(crate) fn ask_all(&self, written: &TemplateText) -> Vec<TemplateMatch> {
        let mut holds = vec![TemplateMatch::No; written.ends.len()];
        let ask = |index| written.template(index).map_or(TemplateMatch::No, |template| self.ask(&template));
        for index in self.around_variables(written, &mut holds) {
            holds[index] = ask(index);
        }
        self.each_written(written, |index| holds[index] = ask(index));
        holds
    }

    /// Gives the templates whose bytes contain the literal, and perhaps others.
    fn each_written(&self, written: &TemplateText, mut found: impl FnMut(usize)) {
        let written_bytes = written.all.as_bytes();
        let (text, literal) = match self.ignores_case {
            true => (written_bytes.to_ascii_lowercase().into(), self.literal.to_ascii_lowercase()),
            false => (Cow::Borrowed(written_bytes), self.literal.clone()),
        };
        let finder = Finder::new(&literal);
        let mut from = 0;
        while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + hit;
            let Some(index) = written.template_at(at) else { return };
            let end = written.ends[index] as usize;
            from = at + 1;
            if at + literal.len() <= end {
                found(index);
                from = end;
            }
        }
    }

    /// Notes templates that certainly are no more than doubtful, and gives those that have to be asked.
    fn around_variables(&self, written: &TemplateText, holds: &mut [TemplateMatch]) -> Vec<usize> {
        let mut asked = Vec::new();
        let of_kind = KINDS.map(|kind| match kind {
            // It depends on the form.
            Kind::Time => u64::MAX,
            kind => self.places(Slot::plain(kind)),
        });
        let all = written.all.as_bytes();
        let (mut index, mut first, mut before) = (0, 0, 0);
        for start in &written.variables {
            while written.ends[index] <= *start {
                first = written.ends[index];
                index += 1;
            }
            let text = &all[..written.ends[index] as usize];
            let Ok(Some((slot, length))) = Slot::read(&text[*start as usize..], written.format) else { continue };
            let variable = (*start as usize, *start as usize + length);
            // There is no variable between the previous one and this one.
            let from = first.max(before) as usize;
            before = variable.1 as u32;
            let kind = slot.kind;
            let mask = if kind == Kind::Time { self.places(slot) } else { of_kind[kind as usize] };
            let (is_begun, goes_on) = self.around(text, from, first as usize, variable, mask);
            if goes_on {
                if asked.last() != Some(&index) {
                    asked.push(index);
                }
            } else if is_begun && self.may_lie_within(slot) {
                let mut within =
                    if let TemplateMatch::Within(within) = holds[index] { within } else { Kinds::default() };
                within.insert(kind);
                holds[index] = TemplateMatch::Within(within);
            }
        }
        asked
    }

    /// Looks around a variable that may hold the places `mask` of the literal: whether it may hold each of them, and
    /// whether the literal may reach beyond it, for which the whole template has to be asked. `text` ends where the
    /// template ends, which begins at `first`; from `from` on there is no other variable before this one.
    fn around(&self, text: &[u8], from: usize, first: usize, variable: (usize, usize), mask: u64) -> (bool, bool) {
        let mut is_within = false;
        if mask & 1 == 1 {
            // The literal begins in the variable: the places that it may hold from the first on.
            let mut states = mask & !mask.wrapping_add(1);
            is_within = states & self.last != 0;
            if is_within && !self.is_whole {
                return (true, true);
            }
            for byte in &text[variable.1..] {
                if Kind::is_marker(*byte) {
                    return (is_within, true);
                }
                states = (states << 1) & self.masks[usize::from(*byte)];
                if states & self.last != 0 {
                    return (is_within, true);
                }
                if states == 0 {
                    break;
                }
            }
        }
        // It begins before the variable and continues in it: backwards, by the place at which it continues.
        let mut entries = mask & !1;
        for distance in 1..64 {
            if entries == 0 {
                return (is_within, false);
            }
            let Some(at) = variable.0.checked_sub(distance).filter(|at| *at >= from) else {
                let is_first = from == first;
                return (is_within, !is_first);
            };
            entries &= self.masks[usize::from(text[at])] << distance;
            if entries >> distance & 1 == 1 {
                return (is_within, true);
            }
        }
        (is_within, false)
    }
}

#[cfg(test)]
mod tests;
