//! What belongs to a run as a whole and is kept, as long as there is room, for the queries that ask for it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use types::{Hold, Value};

use super::decode::decode_templates;
use super::run::SegmentRun;
use crate::bytes::Decoded;
use crate::column_filter::ColumnFilter;
use crate::error::Result;
use crate::section::SectionId;
use crate::shape::Shapes;
use crate::texts::Vocabulary;
use crate::word_index::WordIndex;
use crate::{column, filter, footer, heap};

impl SegmentRun {
    /// Returns what belongs to the run as a whole, under a number of its own: what the query has, what is kept, or what is made for
    /// both, with the bytes that it takes.
    pub(super) fn whole<T: Any + Send + Sync>(
        &self,
        cell: &OnceLock<Arc<T>>,
        number: SectionId,
        make: impl FnOnce() -> Result<(Arc<T>, usize)>,
    ) -> Result<Arc<T>> {
        if let Some(known) = cell.get() {
            return Ok(known.clone());
        }
        let kept = self.segment.kept.get();
        let known = match kept.and_then(|kept| kept.get(number)) {
            Some(known) => known,
            None => {
                let (made, n_bytes) = make()?;
                if let Some(kept) = kept.filter(|_| self.is_query) {
                    kept.put_whole(number, made.clone(), n_bytes);
                }
                made
            }
        };
        Ok(cell.get_or_init(|| known).clone())
    }

    /// Returns the same of a section, which is read once for all who ask.
    fn whole_section<T: Any + Send + Sync>(
        &self,
        cell: &OnceLock<Arc<T>>,
        id: SectionId,
        decode: impl FnOnce(Vec<u8>) -> Decoded<(T, usize)>,
    ) -> Result<Arc<T>> {
        if let Some(known) = cell.get() {
            return Ok(known.clone());
        }
        // A panic while reading leaves nothing half done.
        let _reading = self.run().reading.hold();
        self.whole(cell, id, || {
            let (read, n_bytes) = decode(self.fresh_section(id)?).map_err(|damage| self.damage(id, damage))?;
            Ok((Arc::new(read), n_bytes))
        })
    }

    pub(super) fn shapes(&self) -> Result<Arc<Shapes>> {
        let footer = &self.run().footer;
        self.whole_section(&self.recent().shapes, footer.whole + footer::SHAPE_TABLE, |bytes| {
            let shapes = Shapes::decode(&bytes, footer.columns.len(), footer.origins.len())?;
            let n_bytes = shapes.n_bytes();
            Ok((shapes, n_bytes))
        })
    }

    pub(super) fn vocabulary(&self) -> Result<Arc<Vocabulary>> {
        self.whole_section(&self.recent().vocabulary, self.run().footer.whole + footer::TEMPLATES, |bytes| {
            let vocabulary = decode_templates(&bytes, self.segment.format)?;
            let n_bytes = vocabulary.n_bytes();
            Ok((vocabulary, n_bytes))
        })
    }

    /// Finds out which variables are stored together, and counts what that takes.
    pub(super) fn make_slots(&self, vocabulary: &Arc<Vocabulary>) {
        if vocabulary.make_slots()
            && let Some(kept) = self.segment.kept.get().filter(|_| self.is_query)
        {
            kept.put_whole(self.run().footer.whole + footer::TEMPLATES, vocabulary.clone(), vocabulary.n_bytes());
        }
    }

    /// Returns the word index; a query asks it once for each text.
    pub(super) fn words(&self) -> Result<Arc<WordIndex>> {
        let id = self.run().footer.whole + footer::WORDS;
        self.whole_section(&OnceLock::new(), id, |bytes| Ok((WordIndex::open(&bytes)?, WordIndex::n_bytes(&bytes))))
    }

    /// Reports whether any value of column number `index` in the run may hold a literal, or be equal to it if `is_whole`. A literal
    /// that may be in either case is as it was written, or all in lower case.
    pub(super) fn run_may_hold_value(
        &self,
        cell: &OnceLock<Arc<ColumnFilter>>,
        index: usize,
        literal: &str,
        is_whole: bool,
    ) -> Result<bool> {
        let Some(id) = self.run().footer.columns[index].filter else { return Ok(true) };
        let decode = |bytes: Vec<u8>| {
            let n_bytes = bytes.capacity();
            Ok((ColumnFilter::decode(bytes)?, n_bytes))
        };
        Ok(self.whole_section(cell, id, decode)?.may_hold(literal, is_whole))
    }

    /// Reports whether a text or a quoted text of any message of the run may hold a piece of a word.
    pub(super) fn run_may_hold(&self, piece: &str) -> Result<bool> {
        let id = self.run().footer.whole + footer::RUN_FILTER;
        if self.segment.format < 3 || !self.is_there(id) {
            return Ok(true);
        }
        let decode = |bytes: Vec<u8>| {
            let n_bytes = bytes.capacity();
            Ok((bytes, n_bytes))
        };
        Ok(filter::may_hold(&self.whole_section(&self.recent().filter, id, decode)?, piece))
    }

    pub(super) fn dictionary(&self, column: usize) -> Result<Option<Arc<Vec<Value>>>> {
        let columns = &self.run().footer.columns;
        let Some(id) = columns[column].dictionary else { return Ok(None) };
        let recent = self.recent();
        let cell = &recent.column(column, columns.len()).dictionary;
        let dictionary = self.whole_section(cell, id, |bytes| {
            let mut values = column::decode_run_dictionary(&bytes)?;
            let n_own = match self.segment.kept.get() {
                Some(kept) => kept.share_texts(&mut values),
                None => 0,
            };
            let n_bytes = n_own + heap::of_items(&values);
            Ok((values, n_bytes))
        })?;
        Ok(Some(dictionary))
    }
}
