//! A field of a run while it is written, block by block.

use std::sync::Arc;

use types::{Column, TypeSet};

use crate::column::dependent::BlockColumn;
use crate::column::{self, RunDictionary};
use crate::column_filter::ColumnFilterWriter;
use crate::error::SegmentError;
use crate::field_minutes::FieldCounter;
use crate::proof;
use crate::section::{SectionId, SectionWriter};

/// A column while it is written.
pub(crate) struct ColumnWriter {
    pub(crate) name: Arc<str>,
    pub(crate) types: TypeSet,
    pub(crate) n_events: u64,
    pub(crate) dictionary: RunDictionary,
    pub(crate) dictionary_section: SectionId,
    pub(crate) first_section: SectionId,
    pub(crate) counter: FieldCounter,
    pub(crate) filter: ColumnFilterWriter,
    pub(crate) filter_section: Option<SectionId>,
}

impl ColumnWriter {
    /// Reserves the sections of a column of a run of so many blocks, which may be one of samples. `n_counted` of its rows are counted
    /// by minute.
    pub(crate) fn new(
        name: Arc<str>,
        (n_counted, n_blocks): (usize, usize),
        is_of_series: bool,
        sections: &mut SectionWriter,
    ) -> Self {
        Self {
            name,
            types: TypeSet::default(),
            n_events: 0,
            dictionary: if is_of_series { RunDictionary::of_series() } else { RunDictionary::default() },
            dictionary_section: sections.reserve(1),
            first_section: sections.reserve(n_blocks),
            counter: FieldCounter::new(n_counted),
            filter: ColumnFilterWriter::default(),
            filter_section: None,
        }
    }

    /// Encodes and proves the values of a block; `None` if there are none.
    pub(crate) fn encode(
        &mut self,
        values: &Column,
        minutes: &[(i64, usize)],
    ) -> Result<Option<BlockColumn>, SegmentError> {
        let present = values.presence();
        self.counter.add(minutes, values, &present);
        let mut section = column::encode(values, &present, &mut self.dictionary);
        if section.is_empty() {
            return Ok(None);
        }
        if !proof::is_column(&section, values, &present, &self.dictionary) {
            tracing::warn!(n_rows = values.n_rows(), "a field of a block is kept plain: it would not be read back");
            section = column::encode_plainly(values, &present);
            if !proof::is_column(&section, values, &present, &self.dictionary) {
                return Err(SegmentError::Unfaithful(format!("field {} does not come back", self.name)));
            }
        }
        self.n_events += present.count() as u64;
        self.types.insert_column(values);
        Ok(Some(BlockColumn { present, section }))
    }
}
