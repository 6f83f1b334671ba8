//! Blocks of samples as they were written by series.

use std::sync::Arc;

use types::{Batch, Column, MISSING_CODE, Numbers, Origin, RowSet, Run, Series, Value};

use super::run::SegmentRun;
use crate::column::dependent::{codes_of, table_of_section};
use crate::error::Result;
use crate::footer;
use crate::section::SectionId;
use crate::template::Piece;
use crate::texts::TemplateIds;

/// A column that follows from the stream.
struct SeriesColumn {
    /// Its code for each code of a stream.
    table: Vec<u32>,
    values: Arc<Vec<Value>>,
}

impl SegmentRun {
    /// Returns a block whose fields, except for a few, follow from the stream of the event; `None` where that does not show from how
    /// it is stored.
    pub(super) fn block_of_series(&self, block: usize) -> Result<Option<Batch>> {
        let footer = &self.run().footer;
        let n_rows = self.block_rows(block);
        let is_plain = footer.origins.len() == 1 && footer.origins[0] == Origin::default();
        let place = |name: &str| footer.columns.binary_search_by(|column| (*column.name).cmp(name)).ok();
        let Some(stream) = place("@logStream").filter(|_| is_plain && footer.summary.group.has_samples()) else {
            return Ok(None);
        };
        let id_of = |column: usize| footer.columns[column].first_section + block as SectionId;
        let (Some(streams), section) = (self.dictionary(stream)?, self.fresh_section(id_of(stream))?) else {
            return Ok(None);
        };
        let codes = codes_of(&section, &RowSet::all(n_rows)).map_err(|damage| self.damage(id_of(stream), damage))?;
        let Some(codes) = codes.filter(|codes| codes.iter().all(|code| (*code as usize) < streams.len())) else {
            return Ok(None);
        };
        let n_codes = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
        let shapes = self.shapes()?;
        let of_block = self.block_shapes(block, &shapes)?;
        let Some(columns) = of_block.columns_of_series(&codes, n_codes, &shapes) else { return Ok(None) };
        let Some(message) = self.message_field(block)? else { return Ok(None) };
        let mut of_series: Vec<Option<SeriesColumn>> = Vec::with_capacity(footer.columns.len());
        for column in 0..footer.columns.len() {
            let section = self.fresh_section(id_of(column))?;
            let table =
                table_of_section(&section, stream, n_codes).map_err(|damage| self.damage(id_of(column), damage))?;
            let table = if column == stream { None } else { table };
            of_series.push(match (table, self.dictionary(column)?) {
                (Some(table), Some(values)) => Some(SeriesColumn { table, values }),
                _ => None,
            });
        }
        let series = |code: usize| self.series_of(&streams[code], columns[code], (code, &of_series), message);
        let mut fields = Vec::new();
        for (column, _) in of_series.iter().enumerate().filter(|(column, known)| known.is_none() && *column != stream) {
            let values = self.stored_rows_of(block, column, &RowSet::all(n_rows))?;
            if !matches!(values, Column::Missing { .. }) {
                fields.push((footer.columns[column].name.clone(), values));
            }
        }
        let Some((streams, series)) = numbered(&codes, n_codes, series) else { return Ok(None) };
        let sequences = self.deltas(footer::SEQUENCES, block)?;
        Ok(Some(Batch {
            timestamps: self.times(block)?.into(),
            sequences: sequences.into_iter().map(|sequence| sequence as u64).collect(),
            ingestion_times: self.deltas(footer::INGESTION_TIMES, block)?.into(),
            messages: types::Strings::default(),
            levels: self.levels(block)?.into(),
            streams,
            series: Some(Arc::new(series)),
            origins: Arc::new(footer.origins.clone()),
            origin_codes: Numbers::same(0, n_rows),
            fields,
        }))
    }

    /// Returns the field that all messages of a block are.
    fn message_field(&self, block: usize) -> Result<Option<usize>> {
        let vocabulary = self.vocabulary()?;
        let ids = self.system_section(footer::TEXTS, block);
        let only = self.decoded(ids, |bytes| TemplateIds::only(bytes, &vocabulary))?;
        let Some(id) = only else { return Ok(None) };
        Ok(match &vocabulary.pieces_of(id)[..] {
            [Piece::Variable(slot)] => slot.field.map(usize::from),
            _ => None,
        })
    }

    /// Returns the series of a code, whose rows have `columns`.
    fn series_of(
        &self,
        stream: &Value,
        columns: &[u32],
        (code, of_series): (usize, &[Option<SeriesColumn>]),
        message: usize,
    ) -> Option<Series> {
        let Value::String(stream) = stream else { return None };
        let text = |column: &SeriesColumn| match column.values.get(*column.table.get(code)? as usize)? {
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        let (mut fields, mut of_message) = (Vec::with_capacity(columns.len()), None);
        for number in columns {
            let Some(column) = &of_series[*number as usize] else { continue };
            let text = text(column)?;
            if *number as usize == message {
                of_message = Some(text.clone());
            }
            fields.push((self.run().footer.columns[*number as usize].name.clone(), text));
        }
        Some(Series::stored(stream.clone(), of_message?, fields))
    }
}

/// Returns the streams of rows, numbered by first sight, and their series; `None` if one of the codes has none.
fn numbered(
    codes: &[u32],
    n_codes: usize,
    series_of: impl Fn(usize) -> Option<Series>,
) -> Option<(Column, Vec<Arc<Series>>)> {
    let mut numbers = vec![MISSING_CODE; n_codes];
    let (mut series, mut of_rows): (Vec<Arc<Series>>, Vec<u32>) = (Vec::new(), Vec::with_capacity(codes.len()));
    for code in codes {
        let number = &mut numbers[*code as usize];
        if *number == MISSING_CODE {
            *number = series.len() as u32;
            series.push(Arc::new(series_of(*code as usize)?));
        }
        of_rows.push(*number);
    }
    Some((Column::Dictionary { codes: of_rows, values: Series::streams(&series) }, series))
}
