//! The attributes of a record.

use std::borrow::Cow;

use super::fields::{Kind, count, elements, pair};
use ingest::IngestError;

/// Limit on the parsed attributes of a record that are stored until they are written; further ones are parsed again. Two
/// bytes of a body can be an attribute, and a parsed one needs fifty times that.
const ATTRIBUTES_KEPT_MAX: usize = 256;

/// The attributes of the current record.
pub(super) struct Attributes<'a> {
    kept: Vec<(Cow<'a, str>, Kind<'a>)>,
    /// A message of a record with the attributes that are not stored.
    more: &'a [u8],
    /// The field number of attributes in a record's message.
    number: u64,
    /// The number of fields that all of them become.
    pub(super) n_fields: usize,
}

impl<'a> Attributes<'a> {
    /// Returns an empty list; `number` is the field number of attributes in a record's message.
    pub(super) fn new(number: u64) -> Self {
        Self { kept: Vec::new(), more: &[], number, n_fields: 0 }
    }

    /// Begins a record.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.more = &[];
        self.n_fields = 0;
    }

    /// Adds an attribute, the first field of `rest` of the record's message. From the first one beyond the limit on, the attributes
    /// are read again.
    #[inline]
    pub(super) fn push(&mut self, attribute: &'a [u8], rest: &'a [u8]) -> Result<(), IngestError> {
        let (key, kind) = pair(attribute)?;
        self.n_fields += count(&kind, 1)?;
        if self.kept.len() < ATTRIBUTES_KEPT_MAX {
            self.kept.push((key, kind));
        } else if self.more.is_empty() {
            self.more = rest;
        }
        Ok(())
    }

    /// Passes all attributes on, in their order.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(&str, &Kind<'_>) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        self.kept.iter().try_for_each(|(key, kind)| take(key, kind))?;
        for attribute in elements(self.more, self.number) {
            let (key, kind) = pair(attribute?)?;
            take(&key, &kind)?;
        }
        Ok(())
    }
}
