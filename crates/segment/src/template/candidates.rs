//! Which templates are worth asking for a literal.
//!
//! Asking a template goes through all of its bytes, and a run has thousands. Nearly all of them can be told from little:
//! the literal is in none of their bytes, which one search through the bytes of all tells, and around none of their
//! variables stands what would have to stand there if the literal began, ended or lay within the variable.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::kind::{KINDS, Kind, Slot};
use super::matcher::{Kinds, LiteralMatcher, TemplateMatch};
use super::pieces::Template;
use crate::format::FORMAT_VERSION;

/// The templates of a run as they are written, one after another.
pub(crate) struct TemplateText {
    all: Arc<[u8]>,
    /// Where each begins and ends.
    places: Vec<(u32, u32)>,
    /// The variables of all: where each begins and ends.
    variables: Vec<(u32, u32)>,
}

impl TemplateText {
    /// Takes templates that were read together.
    pub(crate) fn new(templates: &[Template]) -> Self {
        let shared = |all: &Arc<[u8]>| templates.iter().all(|template| Arc::ptr_eq(&template.all, all));
        let all = templates.first().map(|template| template.all.clone()).filter(shared).unwrap_or_default();
        let is_whole = !all.is_empty() || templates.is_empty();
        let templates = if is_whole { templates } else { &[] };
        let places = templates.iter().map(|template| (template.place.start, template.place.end)).collect();
        let mut variables = Vec::with_capacity(templates.iter().map(|template| template.slots.len()).sum());
        for template in templates {
            let start = template.place.start;
            variables.extend(template.slots.iter().map(|(place, _)| (start + place.start, start + place.end)));
        }
        Self { all, places, variables }
    }

    /// Returns the number, from 0, of the template that holds the byte at `at`.
    fn template_at(&self, at: usize) -> Option<usize> {
        let before = self.places.partition_point(|(_, end)| *end as usize <= at);
        self.places.get(before).filter(|(start, _)| *start as usize <= at).map(|_| before)
    }
}

impl LiteralMatcher {
    /// Asks `templates`, which are those of `written`.
    pub(crate) fn ask_all(&self, templates: &[Template], written: &TemplateText) -> Vec<TemplateMatch> {
        if written.places.len() != templates.len() {
            return templates.iter().map(|template| self.ask(template)).collect();
        }
        let mut holds = vec![TemplateMatch::No; templates.len()];
        for index in self.around_variables(written, &mut holds) {
            holds[index] = self.ask(&templates[index]);
        }
        self.each_written(written, |index| holds[index] = self.ask(&templates[index]));
        holds
    }

    /// Gives the templates whose bytes contain the literal, and perhaps others.
    fn each_written(&self, written: &TemplateText, mut found: impl FnMut(usize)) {
        let (text, literal) = match self.ignores_case {
            true => (written.all.to_ascii_lowercase().into(), self.literal.to_ascii_lowercase()),
            false => (written.all.clone(), self.literal.clone()),
        };
        let finder = Finder::new(&literal);
        let mut from = 0;
        while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + hit;
            let Some(index) = written.template_at(at) else { return };
            let end = written.places[index].1 as usize;
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
        let mut index = 0;
        let mut before = 0;
        for (start, end) in &written.variables {
            while written.places[index].1 < *end {
                index += 1;
            }
            let places = written.places[index];
            let variable = (*start as usize, *end as usize);
            // There is no variable between the previous one and this one.
            let from = places.0.max(before) as usize;
            before = *end;
            let variable_bytes = &written.all[variable.0..variable.1];
            let Ok(Some((slot, _))) = Slot::read(variable_bytes, FORMAT_VERSION) else { continue };
            let kind = slot.kind;
            let mask = if kind == Kind::Time { self.places(slot) } else { of_kind[kind as usize] };
            let (is_begun, goes_on) =
                self.around(&written.all[..places.1 as usize], from, places.0 as usize, variable, mask);
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
