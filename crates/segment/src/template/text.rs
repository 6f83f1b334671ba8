//! The templates of a run, one after another as a segment has them.

use crate::bytes::{Damage, Decoded, put_integers, put_varint};
use crate::heap;
use crate::template::pieces::{Template, each_marker};

/// The templates of a run as they are written, one after another. The places of their variables are found once; each variable is
/// decoded when it is needed.
#[derive(Debug, Default)]
pub(crate) struct TemplateText {
    pub(super) all: String,
    /// Where each ends: among the bytes of all, and among the variables of all.
    ends: Vec<(u32, u32)>,
    /// Where each variable of all begins.
    pub(super) variables: Vec<u32>,
}

impl TemplateText {
    /// Takes the templates of a segment of `format`: their bytes, and where each of them ends.
    pub(crate) fn new(all: &[u8], ends: Vec<u32>, format: u16) -> Decoded<Self> {
        // Markers and forms are ASCII, so a template is UTF-8 exactly when its message was.
        let all = std::str::from_utf8(all).map_err(|_| Damage("a template is not UTF-8"))?;
        let mut text =
            Self { all: String::with_capacity(all.len()), ends: Vec::with_capacity(ends.len()), variables: Vec::new() };
        let mut start = 0;
        for end in ends {
            text.add(all.get(start..end as usize).ok_or(Damage("a length is out of range"))?, format)?;
            start = end as usize;
        }
        text.variables.shrink_to_fit();
        Ok(text)
    }

    /// Adds a template of a segment of `format`.
    pub(crate) fn add(&mut self, template: &str, format: u16) -> Decoded<()> {
        let (start, n_before) = (self.all.len(), self.variables.len());
        let end = u32::try_from(start + template.len()).map_err(|_| Damage("a length is out of range"))?;
        let taken = each_marker(template.as_bytes(), format, |at| self.variables.push((start + at) as u32));
        if taken.is_err() {
            self.variables.truncate(n_before);
        }
        taken?;
        self.all.push_str(template);
        self.ends.push((end, self.variables.len() as u32));
        Ok(())
    }

    /// Returns the templates in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Template<'_>> {
        (0..self.ends.len()).filter_map(|index| self.template(index))
    }

    /// Returns how many templates there are.
    pub(crate) fn n_templates(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes that it takes.
    pub(crate) fn n_bytes(&self) -> usize {
        heap::of_allocation(self.all.capacity()) + heap::of_items(&self.ends) + heap::of_items(&self.variables)
    }

    /// Returns a template by its number, from 0.
    pub(crate) fn template(&self, index: usize) -> Option<Template<'_>> {
        let (start, first) = index.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let (end, last) = *self.ends.get(index)?;
        let variables = self.variables.get(first as usize..last as usize)?;
        Some(Template::new(self.all.get(start as usize..end as usize)?, start, variables))
    }

    /// Returns where template number `index`, from 0, ends among the bytes of all.
    pub(super) fn end(&self, index: usize) -> u32 {
        self.ends[index].0
    }

    /// Returns the number, from 0, of the template that holds the byte at `at`.
    pub(super) fn template_at(&self, at: usize) -> Option<usize> {
        let before = self.ends.partition_point(|(end, _)| *end as usize <= at);
        (before < self.ends.len()).then_some(before)
    }

    /// Makes the section of templates: varint count, *integers* lengths, then the bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        let lengths: Vec<i64> = self.ends.iter().zip(starts).map(|((end, _), start)| i64::from(end - start)).collect();
        let mut out = Vec::new();
        put_varint(&mut out, lengths.len() as u64);
        put_integers(&mut out, &lengths);
        out.extend_from_slice(self.all.as_bytes());
        out
    }
}
