//! Samples of chosen series.

use std::sync::{Arc, OnceLock};

use types::{Column, RowSet, Run, SampleStreams, StreamNames, TakeSamples, Timestamp, VALUE_FIELD, Value};

use super::recent::StreamColumn;
use super::run::SegmentRun;
use crate::bytes::{Cursor, Damage};
use crate::column::successive::{self, by_series};
use crate::error::Result;
use crate::section::SectionId;

/// The field that says what an event is, and what it says of samples.
const KIND: &str = "@type";
const SAMPLE: &str = "sample";

impl SegmentRun {
    /// Returns the streams of samples by their codes; `None` if not all events are samples, or streams have no codes.
    pub(super) fn streams_of_samples(&self) -> Result<Option<Arc<SampleStreams>>> {
        Ok(self.stream_column()?.map(|column| column.streams.clone()))
    }

    /// Returns the streams of samples with their column, which is looked for once.
    fn stream_column(&self) -> Result<Option<StreamColumn>> {
        let recent = self.recent();
        if let Some(known) = recent.stream_column.get() {
            return Ok(known.clone());
        }
        let number = self.stream_of_samples()?;
        let dictionary = number.map(|number| self.dictionary(number)).transpose()?.flatten();
        let id = number.and_then(|number| self.run().footer.columns[number].dictionary);
        let made = match (number, dictionary, id) {
            (Some(number), Some(texts), Some(id)) => {
                let names = self.whole(&OnceLock::new(), self.id_beside(id), || {
                    let names = StreamNames::new(&texts);
                    let n_bytes = names.n_bytes();
                    Ok((Arc::new(names), n_bytes))
                })?;
                Some(StreamColumn { number, streams: Arc::new(SampleStreams::of(texts, names)) })
            }
            _ => None,
        };
        Ok(recent.stream_column.get_or_init(|| made).clone())
    }

    /// Returns the number of the column of streams, where all events are samples.
    fn stream_of_samples(&self) -> Result<Option<usize>> {
        let footer = &self.run().footer;
        let place = |name: &str| footer.columns.binary_search_by(|column| (*column.name).cmp(name)).ok();
        let (Some(kind), Some(stream)) = (place(KIND), place("@logStream")) else { return Ok(None) };
        let is_of_all = |column: usize| footer.columns[column].n_events == footer.summary.n_events;
        let kinds = self.dictionary(kind)?;
        let is_sample = |value: &Value| matches!(value, Value::String(text) if **text == *SAMPLE);
        let are_samples =
            is_of_all(kind) && is_of_all(stream) && kinds.is_some_and(|kinds| kinds.iter().all(is_sample));
        Ok(are_samples.then_some(stream))
    }

    /// Returns the code of the stream of each row of a block; `None` where they are stored otherwise.
    fn codes_of_samples(&self, block: usize, stream: usize, n_streams: usize) -> Result<Option<Vec<u32>>> {
        let section = self.column_section(block, stream)?;
        let [0, codes @ ..] = &section[..] else { return Ok(None) };
        let id = self.column_section_id(block, stream);
        let codes = Cursor::new(codes).codes(self.block_rows(block)).map_err(|damage| self.damage(id, damage))?;
        if codes.iter().any(|code| *code as usize >= n_streams) {
            return Err(self.damage(id, Damage("a code is out of range")));
        }
        Ok(Some(codes))
    }

    /// Returns the rows of a block whose stream is wanted; `None` if not all events are samples, or streams have no codes.
    pub(super) fn sample_rows(&self, block: usize, is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>> {
        let Some(StreamColumn { number, streams }) = self.stream_column()? else { return Ok(None) };
        let Some(codes) = self.codes_of_samples(block, number, streams.len())? else { return Ok(None) };
        let accepts = |code: u32| streams.text(code).is_some_and(|text| is_wanted(text));
        let wanted: Vec<bool> = (0..streams.len() as u32).map(accepts).collect();
        Ok(Some(RowSet::of_slice(&codes, |code| wanted[*code as usize])))
    }

    /// Gives the samples of some streams; see [`Run::samples`].
    pub(super) fn give_samples(&self, block: usize, chosen: &[u32], taker: &mut dyn TakeSamples) -> Result<bool> {
        let (Some(of_streams), Some(value)) = (self.stream_column()?, self.column_number(VALUE_FIELD)) else {
            return Ok(false);
        };
        let id = self.column_section_id(block, value);
        let damaged = |damage| self.damage(id, damage);
        let section = self.stored_section(block, value)?;
        let directory = self.made_section(id, || self.sample_directory(block, (&of_streams, value), &section))?;
        by_series::read(&section, of_streams.number, &directory, chosen, taker).map_err(damaged)
    }

    /// Returns what was made from section `id`, kept beside it.
    fn made_section(&self, id: SectionId, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Arc<Vec<u8>>> {
        let id = self.id_beside(id);
        let kept = self.segment.kept.get().filter(|_| self.is_query);
        if let Some(known) = kept.and_then(|kept| kept.get(id)) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        if let Some(kept) = kept {
            kept.put(id, &made);
        }
        Ok(made)
    }

    /// Makes the directory of the series of a block.
    fn sample_directory(
        &self,
        block: usize,
        (of_streams, value): (&StreamColumn, usize),
        section: &[u8],
    ) -> Result<Vec<u8>> {
        let shapes = self.shapes()?;
        let present = self.block_shapes(block, &shapes)?.rows_with(value as u32, &shapes);
        let n_streams = of_streams.streams.len();
        let Some(codes) = self.codes_of_samples(block, of_streams.number, n_streams)? else {
            return Ok(by_series::NONE.into());
        };
        let times: Vec<i64> =
            self.times(block)?.into_iter().map(|time| time.div_euclid(Timestamp::MILLISECOND)).collect();
        let id = self.column_section_id(block, value);
        by_series::directory(section, of_streams.number, &present, (&codes, &times))
            .map_err(|damage| self.damage(id, damage))
    }

    /// Returns rows of field number `index`, which has values in the rows `present`, where they are stored as differences.
    pub(super) fn successive_rows(
        &self,
        block: usize,
        index: usize,
        stored: &[u8],
        (present, rows): (&RowSet, &RowSet),
    ) -> Result<Option<Column>> {
        if !successive::is_successive(stored) {
            return Ok(None);
        }
        let damaged = |damage| self.damage(self.column_section_id(block, index), damage);
        let (source, of_source) = self.source_of(block, index, stored)?;
        let codes = successive::series_of(&source, present, &of_source).map_err(damaged)?;
        successive::decode(stored, &codes, present, rows).map_err(damaged)
    }
}
