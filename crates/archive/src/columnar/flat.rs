//! Reads a column that is not a list, row by row: texts by our own decoder where their pages are plain or codes of a dictionary.

use parquet::column::reader::ColumnReader;
use parquet::errors::Result;
use parquet::file::reader::RowGroupReader;
use types::Column;

use super::leaf::{self, Leaf, Meaning};
use super::texts::Texts;

/// A column at the row that comes next.
pub(super) struct Flat {
    /// Its place among the columns of the file.
    pub(super) place: usize,
    reader: Reader,
}

enum Reader {
    Texts(Box<Texts>),
    Values(Box<ColumnReader>),
}

impl Flat {
    /// Begins at the row `n_done`. `has_codes` says whether texts may become codes.
    pub(super) fn begin(group: &dyn RowGroupReader, leaf: &Leaf, n_done: usize, has_codes: bool) -> Result<Self> {
        let place = leaf.place;
        let metadata = group.metadata().column(place);
        if leaf.meaning == Meaning::Text {
            let n_rows = usize::try_from(metadata.num_values()).unwrap_or(0);
            let mut texts = Texts::begin(group.get_column_page_reader(place)?, leaf, n_rows, has_codes)?;
            if texts.read(n_done)?.is_some() {
                return Ok(Self { place, reader: Reader::Texts(Box::new(texts)) });
            }
        }
        Ok(Self { place, reader: Reader::Values(Box::new(values(group, place, n_done)?)) })
    }

    /// Reads the next `n` rows. `again` returns the row group and the number of rows that were read of it, for pages of
    /// texts that are written in another way.
    pub(super) fn read<'a>(
        &mut self,
        leaf: &Leaf,
        n: usize,
        again: impl FnOnce() -> (Result<Box<dyn RowGroupReader + 'a>>, usize),
    ) -> Result<Column> {
        let mut reader = match &mut self.reader {
            Reader::Values(reader) => return leaf::read(reader, leaf, n),
            Reader::Texts(texts) => match texts.read(n)? {
                Some(column) => return Ok(column),
                None => {
                    let (group, n_done) = again();
                    values(&*group?, self.place, n_done)?
                }
            },
        };
        let column = leaf::read(&mut reader, leaf, n)?;
        self.reader = Reader::Values(Box::new(reader));
        Ok(column)
    }

    /// Reads the next `n` rows of times; `None` where one has none.
    pub(super) fn read_times(&mut self, leaf: &Leaf, n: usize) -> Result<Option<Vec<i64>>> {
        match &mut self.reader {
            Reader::Values(reader) => leaf::read_times(reader, leaf, n),
            Reader::Texts(_) => Ok(None),
        }
    }
}

fn values(group: &dyn RowGroupReader, place: usize, n_done: usize) -> Result<ColumnReader> {
    let mut reader = group.get_column_reader(place)?;
    if n_done > 0 {
        match &mut reader {
            ColumnReader::BoolColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::Int32ColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::Int64ColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::Int96ColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::FloatColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::DoubleColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(n_done),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(n_done),
        }?;
    }
    Ok(reader)
}
