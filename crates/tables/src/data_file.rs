//! One Parquet file: the events of one run on one day.
//!
//! Columns are read from the run and written one after the other, so that no more than one column of a row group is in memory.
//! A file contains only the columns that the run has values of; engines read the others as null, since columns are known by ids.

mod values;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use types::{Column, FieldSummary, RowSet, Run, Timestamp};

pub(crate) use self::values::EXACT_MAX;
use self::values::{Attributes, Values};
use crate::error::PublishError;
use crate::schema::{ATTRIBUTES_IDS, Kind, TIME_ID, TableColumn, TableSchema, fields_beyond};

/// Rows of a row group: what an engine reads at least, and what is in memory of a column at most.
const GROUP_ROWS: usize = 131_072;

/// 13 % smaller for messages than at the library's default, for half a second more for each million of them; at 9 it is 18 % for another one.
const ZSTD_LEVEL: i32 = 6;

/// Bytes of a text that a bound of a column has at most.
const BOUND_BYTES_MAX: usize = 16;

/// Rows of a block of a run.
pub(crate) struct BlockRows {
    pub(crate) block: usize,
    pub(crate) rows: RowSet,
}

/// What is known of a column of a file, for engines that leave out files by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ColumnMetrics {
    /// Id of the column.
    pub(crate) id: i32,
    /// Compressed bytes.
    pub(crate) bytes: i64,
    /// Rows, or entries of maps.
    pub(crate) values: i64,
    /// Rows without a value, where that is known.
    pub(crate) nulls: Option<i64>,
    /// The lowest value or less, as the specification has single values ("Appendix D").
    pub(crate) lower: Option<Vec<u8>>,
    /// The highest value or more.
    pub(crate) upper: Option<Vec<u8>>,
}

/// Splits the rows of a run by days since the epoch, in UTC.
pub(crate) fn days_of(run: &dyn Run) -> Result<BTreeMap<i64, Vec<BlockRows>>, PublishError> {
    let mut days: BTreeMap<i64, Vec<BlockRows>> = BTreeMap::new();
    for block in 0..run.n_blocks() {
        let n_rows = run.block_rows(block);
        let all = RowSet::all(n_rows);
        let (first, last) = run.block_times(block);
        if first.day() == last.day() {
            days.entry(first.day()).or_default().push(BlockRows { block, rows: all });
            continue;
        }
        let times = run.read(block, &["@timestamp"], &all)?.remove(0);
        let day_of = |row: usize| values::instant(&times, row).map_or(first.day(), |time| Timestamp(time).day());
        let of_rows: Vec<i64> = (0..n_rows).map(day_of).collect();
        for day in of_rows.iter().copied().collect::<std::collections::BTreeSet<i64>>() {
            let rows = RowSet::of_slice(&of_rows, |of_row| *of_row == day);
            days.entry(day).or_default().push(BlockRows { block, rows });
        }
    }
    Ok(days)
}

/// Writes a file with rows of a run, and returns how many rows it has and what is known of its columns.
pub(crate) fn write_file<W: Write + Send>(
    run: &dyn Run,
    parts: &[BlockRows],
    schema: &TableSchema,
    file: W,
) -> Result<(u64, Vec<ColumnMetrics>), PublishError> {
    let fields = run.fields()?;
    let of_file = FileColumns::new(run, schema, &fields);
    let of_parquet = TableSchema::of_file(&of_file.columns, of_file.has_attributes())?;
    let properties = of_file.properties(parts)?;
    let mut writer = SerializedFileWriter::new(file, of_parquet, Arc::new(properties))?;
    let (mut n_rows, mut from) = (0, 0);
    while from < parts.len() {
        let (mut to, mut n_of_group) = (from, 0);
        while to < parts.len() && (to == from || n_of_group + parts[to].rows.count() <= GROUP_ROWS) {
            n_of_group += parts[to].rows.count();
            to += 1;
        }
        let mut group = writer.next_row_group()?;
        of_file.write_group(&parts[from..to], &mut group)?;
        group.close()?;
        n_rows += n_of_group as u64;
        from = to;
    }
    let metadata = writer.close()?;
    Ok((n_rows, of_file.metrics(&metadata)))
}

/// The columns of a file, and the run that has their values.
struct FileColumns<'a> {
    run: &'a dyn Run,
    schema: &'a TableSchema,
    columns: Vec<&'a TableColumn>,
    /// Fields with values that have no column and go into the map, with the kinds of these values.
    beyond: BTreeMap<&'a str, Vec<Kind>>,
}

impl<'a> FileColumns<'a> {
    fn new(run: &'a dyn Run, schema: &'a TableSchema, fields: &'a [FieldSummary]) -> Self {
        let columns = schema.columns_of(fields);
        Self { run, schema, columns, beyond: fields_beyond(schema, fields) }
    }

    fn has_attributes(&self) -> bool {
        !self.beyond.is_empty()
    }

    fn properties(&self, parts: &[BlockRows]) -> Result<WriterProperties, PublishError> {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?);
        let sorted = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
        let mut properties = WriterProperties::builder()
            .set_compression(zstd)
            .set_created_by(format!("catat {}", env!("CARGO_PKG_VERSION")))
            .set_statistics_truncate_length(Some(BOUND_BYTES_MAX))
            .set_sorting_columns(Some(vec![sorted]));
        for column in &self.columns {
            properties = self.set_column(properties, column, parts)?;
        }
        Ok(properties.build())
    }

    /// Chooses how a column is written: numbers that rise or hardly repeat as differences, texts that hardly repeat behind each other, and
    /// with a filter if people may look for them one by one. The others have a dictionary.
    fn set_column(
        &self,
        properties: WriterPropertiesBuilder,
        column: &TableColumn,
        parts: &[BlockRows],
    ) -> Result<WriterPropertiesBuilder, PublishError> {
        let path = || ColumnPath::from(column.name.clone());
        let plain = |properties: WriterPropertiesBuilder, encoding| {
            properties.set_column_dictionary_enabled(path(), false).set_column_encoding(path(), encoding)
        };
        let rises = column.kind == Kind::Timestamp || column.kind == Kind::Long && column.is_of_event();
        if rises {
            return Ok(plain(properties, Encoding::DELTA_BINARY_PACKED));
        }
        let Some(first) = parts.first().filter(|_| matches!(column.kind, Kind::Long | Kind::String)) else {
            return Ok(properties);
        };
        Ok(match (column.kind, self.read(column, first)?) {
            (Kind::Long, Column::Integers { .. }) => plain(properties, Encoding::DELTA_BINARY_PACKED),
            (Kind::String, Column::Strings { .. }) if self.run.is_message(&column.field) => {
                // Lengths are part of what repeats.
                plain(properties, Encoding::PLAIN).set_column_statistics_enabled(path(), EnabledStatistics::None)
            }
            (Kind::String, Column::Strings { .. }) => {
                let rows: usize = parts.iter().map(|part| part.rows.count()).sum();
                let properties = plain(properties, Encoding::DELTA_LENGTH_BYTE_ARRAY);
                properties.set_column_bloom_filter_max_ndv(path(), rows.min(GROUP_ROWS) as u64)
            }
            _ => properties,
        })
    }

    fn read(&self, column: &TableColumn, part: &BlockRows) -> Result<Column, PublishError> {
        self.read_field(&column.field, part)
    }

    fn read_field(&self, field: &str, part: &BlockRows) -> Result<Column, PublishError> {
        Ok(self.run.read(part.block, &[field], &part.rows)?.remove(0))
    }

    fn write_group<W: Write + Send>(
        &self,
        parts: &[BlockRows],
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), PublishError> {
        for column in &self.columns {
            let mut writer = group.next_column()?.expect("the schema has this column");
            for part in parts {
                self.write_part(column, &self.read(column, part)?, writer.untyped())?;
            }
            writer.close()?;
        }
        if self.has_attributes() {
            let attributes = self.attributes(parts)?;
            for texts in [&attributes.names, &attributes.values] {
                let mut writer = group.next_column()?.expect("the map has keys and values");
                if let ColumnWriter::ByteArrayColumnWriter(writer) = writer.untyped() {
                    writer.write_batch(texts, Some(&attributes.defined), Some(&attributes.repeated))?;
                }
                writer.close()?;
            }
        }
        Ok(())
    }

    /// Writes the values of a column that are of its kind.
    fn write_part(
        &self,
        column: &TableColumn,
        read: &Column,
        writer: &mut ColumnWriter<'_>,
    ) -> Result<(), PublishError> {
        let kinds = self.schema.kinds_of(&column.field);
        match writer {
            ColumnWriter::Int64ColumnWriter(writer) => {
                let Values { values, present } = values::longs(read, column, &kinds);
                writer.write_batch(&values, (column.id != TIME_ID).then_some(&present), None)?;
            }
            ColumnWriter::DoubleColumnWriter(writer) => {
                let found = values::doubles(read, &kinds);
                let Values { values, present } = found.ok_or_else(|| PublishError::NeedsLongs(column.field.clone()))?;
                writer.write_batch(&values, Some(&present), None)?;
            }
            ColumnWriter::BoolColumnWriter(writer) => {
                let Values { values, present } = values::booleans(read);
                writer.write_batch(&values, Some(&present), None)?;
            }
            ColumnWriter::Int32ColumnWriter(writer) => {
                let Values { values, present } = values::nanoseconds(read);
                writer.write_batch(&values, Some(&present), None)?;
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let Values { values, present } = values::texts(read, column.kind);
                writer.write_batch(&values, Some(&present), None)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn attributes(&self, parts: &[BlockRows]) -> Result<Attributes, PublishError> {
        let mut attributes = Attributes::default();
        for part in parts {
            let mut columns = Vec::new();
            for (name, kinds) in &self.beyond {
                columns.push((*name, kinds.as_slice(), self.read_field(name, part)?));
            }
            attributes.add(part.rows.count(), &columns);
        }
        Ok(attributes)
    }

    /// Collects what is known of the columns over all row groups.
    fn metrics(&self, file: &ParquetMetaData) -> Vec<ColumnMetrics> {
        let mut ids: Vec<(i32, Kind)> = self.columns.iter().map(|column| (column.id, column.kind)).collect();
        if self.has_attributes() {
            ids.extend(ATTRIBUTES_IDS[1..].iter().map(|id| (*id, Kind::String)));
        }
        let of_column = |(at, (id, kind)): (usize, (i32, Kind))| {
            let chunks = file.row_groups().iter().map(|group| group.column(at));
            let is_map = ATTRIBUTES_IDS.contains(&id);
            let of_chunks: Vec<ColumnMetrics> = chunks.map(|chunk| metrics_of(chunk, id, kind, is_map)).collect();
            of_chunks.into_iter().reduce(|all, chunk| merged(all, chunk, kind)).unwrap_or_default()
        };
        ids.into_iter().enumerate().map(of_column).collect()
    }
}

fn metrics_of(chunk: &ColumnChunkMetaData, id: i32, kind: Kind, is_map: bool) -> ColumnMetrics {
    let statistics = chunk.statistics().filter(|_| !is_map);
    let (lower, upper) = statistics.map_or((None, None), |found| bounds(found, kind));
    let nulls = statistics.and_then(Statistics::null_count_opt).map(|n| n as i64);
    ColumnMetrics { id, bytes: chunk.compressed_size(), values: chunk.num_values(), nulls, lower, upper }
}

/// Returns the bounds of a column chunk; none above where a text was cut off.
fn bounds(statistics: &Statistics, kind: Kind) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let bytes = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let lower = bytes(statistics.min_bytes_opt());
    let is_exact = statistics.max_is_exact() || !matches!(kind, Kind::String | Kind::Json);
    let upper = bytes(statistics.max_bytes_opt()).filter(|_| is_exact);
    let whole = |bound: Option<Vec<u8>>| bound.filter(|bound| bound.len() <= BOUND_BYTES_MAX);
    (whole(lower), whole(upper))
}

/// Brings together what is known of two row groups. A row group without values says nothing about bounds.
fn merged(a: ColumnMetrics, b: ColumnMetrics, kind: Kind) -> ColumnMetrics {
    let has_values = |metrics: &ColumnMetrics| metrics.nulls != Some(metrics.values);
    let both = |x: &Option<Vec<u8>>, y: &Option<Vec<u8>>, wanted| match (has_values(&a), has_values(&b)) {
        (true, true) => {
            x.as_ref().zip(y.as_ref()).map(|(x, y)| if order(x, y, kind) == wanted { x } else { y }.clone())
        }
        (true, false) => x.clone(),
        (false, _) => y.clone(),
    };
    let lower = both(&a.lower, &b.lower, std::cmp::Ordering::Less);
    let upper = both(&a.upper, &b.upper, std::cmp::Ordering::Greater);
    let nulls = a.nulls.zip(b.nulls).map(|(a, b)| a + b);
    ColumnMetrics { id: a.id, bytes: a.bytes + b.bytes, values: a.values + b.values, nulls, lower, upper }
}

/// Compares two bounds as values.
fn order(a: &[u8], b: &[u8], kind: Kind) -> std::cmp::Ordering {
    let eight = |bytes: &[u8]| bytes.try_into().unwrap_or([0; 8]);
    match kind {
        Kind::Long | Kind::Timestamp => i64::from_le_bytes(eight(a)).cmp(&i64::from_le_bytes(eight(b))),
        Kind::Double => f64::from_le_bytes(eight(a)).total_cmp(&f64::from_le_bytes(eight(b))),
        // Below a microsecond nothing is negative, and a byte more is the larger number.
        Kind::Int => a.iter().rev().cmp(b.iter().rev()),
        Kind::String | Kind::Json | Kind::Boolean => a.cmp(b),
    }
}
