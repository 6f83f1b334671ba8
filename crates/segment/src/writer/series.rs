//! Writes blocks of samples by their series: what all samples of a series have in common is looked at once for each series.
//!
//! The sections are the same as for other events: streams as codes, labels as a table with a value for each code of a stream, the
//! message as the field that holds the name of the metric, values as differences. Blocks that do not fit the form are written as those
//! of other events.

use std::sync::Arc;

use types::{Batch, Column, MISSING_CODE, Origin, RowSet, Series, Value};

use super::RunWriter;
use super::series_fields::SeriesFields;
use crate::column::dependent::{BlockColumn, section_of_table};
use crate::column::successive;
use crate::error::SegmentError;
use crate::field_minutes::{self, FieldCounter};
use crate::numbers::Bases;
use crate::section::{SectionId, SectionWriter};
use crate::{field_filter, footer};

/// Codes of streams of a run for each row of a block, up to which tables of them are worth making: a last block of a few rows takes
/// less room without.
const CODES_PER_ROW_MAX: usize = 4;

/// The field that is the message of a sample.
const MESSAGE_FIELD: &str = "name";

/// Series of a block, numbered by first sight.
struct BlockSeries<'b> {
    series: Vec<&'b Arc<Series>>,
    /// Per row, its series.
    codes: Vec<u32>,
}

impl<'b> BlockSeries<'b> {
    /// Returns the series of a batch whose samples can be written by series.
    fn of(batch: &'b Batch) -> Option<Self> {
        let (Some(series), Column::Dictionary { codes, .. }) = (&batch.series, &batch.streams) else { return None };
        let mut numbers = vec![MISSING_CODE; series.len()];
        let mut block = Self { series: Vec::new(), codes: Vec::with_capacity(codes.len()) };
        for code in codes {
            let number = &mut numbers[*code as usize];
            if *number == MISSING_CODE {
                *number = block.series.len() as u32;
                block.series.push(&series[*code as usize]);
            }
            block.codes.push(*number);
        }
        let is_plain = batch.origins.len() == 1 && batch.origins[0] == Origin::default();
        is_plain.then_some(block)
    }
}

/// A field that follows from the series of a block.
struct SeriesColumn<'b> {
    /// Texts of the series that have the field.
    texts: Vec<&'b Arc<str>>,
    present: RowSet,
    section: Vec<u8>,
}

/// A column of a block of samples.
enum SampleColumn<'b> {
    OfSeries(SeriesColumn<'b>),
    OfRows(&'b Column, Option<BlockColumn>),
}

impl RunWriter {
    /// Writes columns and messages of a block of samples; `false` if nothing was written, since they have to be written otherwise.
    pub(super) fn write_series(
        &mut self,
        block: usize,
        batch: &Batch,
        sections: &mut SectionWriter,
    ) -> Result<bool, SegmentError> {
        let number_of = |name: &str| self.columns.binary_search_by(|column| (*column.name).cmp(name)).ok();
        let places = (number_of("@logStream"), number_of(MESSAGE_FIELD));
        let ((Some(stream), Some(message)), true) = (places, self.group.has_samples()) else { return Ok(false) };
        let Some(of_block) = BlockSeries::of(batch) else { return Ok(false) };
        let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
        let Some(fields) = SeriesFields::of(&of_block.series, &names) else { return Ok(false) };
        let is_named = |(text, series): (&Option<&Arc<str>>, &&Arc<Series>)| *text == Some(series.message());
        if !fields.texts(message).iter().zip(&of_block.series).all(is_named) {
            return Ok(false);
        }
        let streams: Vec<&Arc<str>> = of_block.series.iter().map(|series| series.stream()).collect();
        let Some(run_codes) = self.columns[stream].dictionary.codes_of(&streams, batch.len()) else { return Ok(false) };
        if run_codes.iter().any(|code| *code as usize >= batch.len() * CODES_PER_ROW_MAX) {
            return Ok(false);
        }
        let Some(columns) = self.columns_of(batch, (&of_block, &fields), (stream, &run_codes))? else {
            return Ok(false);
        };
        let Some(texts) = self.messages.block_of_field(message, batch.len()) else { return Ok(false) };
        let shapes = self.shapes_of(batch, (&of_block, &fields), &columns, stream);
        self.fill_columns(block, columns, sections)?;
        sections.fill(self.system_section(footer::SHAPES, block), &shapes)?;
        let filter = texts.filter();
        let encoded = texts.encode(self.messages.vocabulary.slots(), &Bases::default(), 0);
        self.fill_texts(block, &filter, encoded, sections)?;
        Ok(true)
    }

    /// Encodes all columns of a block, in the order of the run; `None` if one has to be encoded otherwise.
    fn columns_of<'b>(
        &mut self,
        batch: &'b Batch,
        (of_block, of_series): (&BlockSeries<'b>, &SeriesFields<'b>),
        (stream, run_codes): (usize, &[u32]),
    ) -> Result<Option<Vec<Option<SampleColumn<'b>>>>, SegmentError> {
        let codes: Vec<u32> = of_block.codes.iter().map(|code| run_codes[*code as usize]).collect();
        let n_codes = run_codes.iter().max().map_or(0, |largest| *largest as usize + 1);
        let mut fields = batch.fields.iter().peekable();
        let minutes = field_minutes::minutes_of(&batch.timestamps.to_slice());
        let mut columns = Vec::with_capacity(self.columns.len());
        for (number, column) in self.columns.iter_mut().enumerate() {
            if number == stream {
                let mut section = vec![0];
                crate::bytes::put_codes(&mut section, &codes);
                let texts = of_block.series.iter().map(|series| series.stream()).collect();
                let present = RowSet::all(batch.len());
                columns.push(Some(SampleColumn::OfSeries(SeriesColumn { texts, present, section })));
                continue;
            }
            let of_rows = fields.next_if(|(name, _)| *name == column.name);
            let of_series = of_series.texts(number);
            let texts: Vec<&Arc<str>> = of_series.iter().flatten().copied().collect();
            match of_rows {
                Some(_) if !texts.is_empty() => return Ok(None),
                Some((_, values)) => {
                    let encoded = match encode_values(values, &codes, stream) {
                        Some(encoded) => {
                            column.counter = FieldCounter::default();
                            column.n_events += encoded.present.count() as u64;
                            column.types.insert_column(values);
                            Some(encoded)
                        }
                        None => column.encode(values, &minutes)?,
                    };
                    columns.push(encoded.map(|encoded| SampleColumn::OfRows(values, Some(encoded))));
                    continue;
                }
                None if texts.is_empty() => {
                    columns.push(None);
                    continue;
                }
                None => {}
            }
            let Some(text_codes) = column.dictionary.codes_of(&texts, batch.len()) else { return Ok(None) };
            let section = section_of_table(stream, &table_of(of_series, &text_codes, run_codes, n_codes));
            let has: Vec<bool> = of_series.iter().map(Option::is_some).collect();
            let present = if texts.len() == of_series.len() {
                RowSet::all(batch.len())
            } else {
                RowSet::of_slice(&of_block.codes, |code| has[*code as usize])
            };
            columns.push(Some(SampleColumn::OfSeries(SeriesColumn { texts, present, section })));
        }
        if let Some((name, _)) = fields.next() {
            return Err(SegmentError::Unfaithful(format!("field {name:?} was not declared")));
        }
        Ok(Some(columns))
    }

    /// Makes the section of shapes.
    fn shapes_of(
        &mut self,
        batch: &Batch,
        (of_block, of_series): (&BlockSeries<'_>, &SeriesFields<'_>),
        columns: &[Option<SampleColumn<'_>>],
        stream: usize,
    ) -> Vec<u8> {
        let origin = self.origin_number(&batch.origins[0]);
        let is_whole = |column: &Option<SampleColumn<'_>>| match column {
            Some(SampleColumn::OfRows(_, Some(column))) => column.present.is_all(),
            _ => true,
        };
        if columns.iter().all(is_whole) {
            let of_all = |(number, column): (usize, &Option<SampleColumn<'_>>)| {
                (number == stream || matches!(column, Some(SampleColumn::OfRows(..)))).then_some(number as u32)
            };
            let of_all: Vec<u32> = columns.iter().enumerate().filter_map(of_all).collect();
            let (column_lists, lists) = of_series.lists();
            let with_all = |columns: &Vec<u32>| {
                let mut columns = [columns, &*of_all].concat();
                columns.sort_unstable();
                columns
            };
            let column_lists = column_lists.iter().map(with_all).collect();
            let lists: Vec<u32> = of_block.codes.iter().map(|code| lists[*code as usize]).collect();
            if let Some(shapes) = self.shapes.encode_block_of_series(origin, column_lists, &lists) {
                return shapes;
            }
        }
        let presence: Vec<Option<RowSet>> = columns
            .iter()
            .map(|column| match column {
                Some(SampleColumn::OfSeries(column)) => Some(column.present.clone()),
                Some(SampleColumn::OfRows(_, column)) => column.as_ref().map(|column| column.present.clone()),
                None => None,
            })
            .collect();
        self.shapes.encode_block(batch.len(), &vec![origin; batch.len()], &presence)
    }

    /// Puts columns into their sections.
    fn fill_columns(
        &mut self,
        block: usize,
        columns: Vec<Option<SampleColumn<'_>>>,
        sections: &mut SectionWriter,
    ) -> Result<(), SegmentError> {
        let mut field_filter = Vec::new();
        for (column, of_block) in self.columns.iter_mut().zip(&columns) {
            let id = column.first_section + block as SectionId;
            match of_block {
                None | Some(SampleColumn::OfRows(_, None)) => field_filter::put_none(&mut field_filter),
                Some(SampleColumn::OfRows(values, Some(BlockColumn { present, section }))) => {
                    field_filter::put(&mut field_filter, values, present, section, &mut column.filter);
                    sections.fill(id, section)?;
                }
                Some(SampleColumn::OfSeries(SeriesColumn { texts, present, section })) => {
                    // Labels are counted by series, not by minute.
                    column.counter = FieldCounter::default();
                    column.n_events += present.count() as u64;
                    column.types.insert(&Value::text(""));
                    field_filter::put_texts_of_run(&mut field_filter, texts, &mut column.filter);
                    sections.fill(id, section)?;
                }
            }
        }
        Ok(sections.fill(self.system_section(footer::FIELDS, block), &field_filter)?)
    }
}

/// Returns the code of a field for each code of a stream in the run; those of other streams are the least of these.
fn table_of(of_series: &[Option<&Arc<str>>], text_codes: &[u32], run_codes: &[u32], n_codes: usize) -> Vec<i64> {
    let least = text_codes.iter().min().copied().unwrap_or_default();
    let mut table = vec![i64::from(least); n_codes];
    let with_text = of_series.iter().zip(run_codes).filter(|(text, _)| text.is_some());
    with_text.zip(text_codes).for_each(|((_, run_code), code)| table[*run_code as usize] = i64::from(*code));
    table
}

/// Encodes numbers as differences. Rows without one are histograms.
fn encode_values(values: &Column, codes: &[u32], stream: usize) -> Option<BlockColumn> {
    if let Column::Mixed(values) = values
        && values.iter().all(Option::is_some)
    {
        let section = successive::encode_mixed(values, codes, stream)?;
        return Some(BlockColumn { present: RowSet::all(values.len()), section });
    }
    let Column::Floats { values, present, integers } = values else { return None };
    let Some(present) = present else {
        let section = successive::encode_decimals(values, integers.as_ref(), codes, stream)?;
        return Some(BlockColumn { present: RowSet::all(values.len()), section });
    };
    if present.is_empty() {
        return None;
    }
    let (of_rows, codes): (Vec<f64>, Vec<u32>) = present.iter().map(|row| (values[row], codes[row])).unzip();
    let integers = integers.as_ref().map(|integers| present.places_of(integers));
    let section = successive::encode_decimals(&of_rows, integers.as_ref(), &codes, stream)?;
    Some(BlockColumn { present: present.clone(), section })
}
