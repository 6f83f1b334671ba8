//! Which templates are worth asking for a literal.
//!
//! Asking a template goes through all of its bytes, and a run has thousands. Nearly all of them can be told from little:
//! the literal is in none of their bytes, which one search through the bytes of all tells, and around none of their
//! variables stands what would have to stand there if the literal began, ended or lay within the variable.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::kind::{KINDS, Kind, Slot};
use super::matcher::{Kinds, LiteralMatcher, TemplateMatch};
use super::text::TemplateText;
use crate::time_text::Form;

impl LiteralMatcher {
    /// Asks all templates of a run.
    pub(crate) fn ask_all(&self, written: &TemplateText) -> Vec<TemplateMatch> {
        let mut holds = vec![TemplateMatch::No; written.n_templates()];
        let ask = |index| written.template(index).map_or(TemplateMatch::No, |template| self.ask(template));
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
            let end = written.end(index) as usize;
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
        let mut of_form: (Option<Form>, u64) = (None, u64::MAX);
        let all = written.all.as_bytes();
        let (mut index, mut first, mut before) = (0, 0, 0);
        for start in &written.variables {
            while written.end(index) <= *start {
                first = written.end(index);
                index += 1;
            }
            let text = &all[..written.end(index) as usize];
            let Some((slot, length)) = Slot::read(&text[*start as usize..]) else { continue };
            let variable = (*start as usize, *start as usize + length);
            // There is no variable between the previous one and this one.
            let from = first.max(before) as usize;
            before = variable.1 as u32;
            let kind = slot.kind;
            let mask = match slot.form {
                None => of_kind[kind as usize],
                // Most times of a run are spelled alike.
                Some(form) if of_form.0 == Some(form) => of_form.1,
                form => {
                    of_form = (form, self.places(slot));
                    of_form.1
                }
            };
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
