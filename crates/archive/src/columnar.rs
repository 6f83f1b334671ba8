//! Parquet files as events. Only the columns that a query needs are read.
//!
//! If each requested value has a column of its own, the columns become those of a batch. If some must be derived from whole
//! rows (the level from a message, the text of a row, lists), the rows are written as lines of JSON and parsed as such. Both
//! ways give the same events.

mod flat;
mod leaf;
mod nested;
mod source;
mod texts;

use std::collections::HashSet;
use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::record::Field;
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::schema::types::{SchemaDescriptor, Type};
use parse::{ArrivalContext, Piece, Profile, Projection, ResolvedTime, TEXT_KEYS, bounded, level_of_field};
use types::{
    Batch, Column, Level, Numbers, Origin, ScanError, Strings, TimeForm, TimeRange, Timestamp, Value, write_json_string,
};

use self::flat::Flat;
use self::leaf::{Leaf, Meaning, digits_of};
use self::source::Source;
use crate::inputs::{Input, is_passing};

/// Rows that are read at once, of columns and as lines.
const SLICE_ROWS: usize = 64 << 10;
const LINES_ROWS: usize = 8 << 10;

/// A file whose columns are known.
pub(crate) struct ColumnarFile {
    pub(crate) input: Arc<Input>,
    pub(crate) number: u32,
    reader: SerializedFileReader<Source>,
    leaves: Vec<Leaf>,
    /// The column of times that tells when events happened.
    time: Option<usize>,
    /// Whether its name says so in a record.
    is_time_named: bool,
    /// The column that is the message.
    text: Option<usize>,
}

/// What of the events is asked for.
#[derive(Clone, Copy)]
pub(crate) struct RowRequest<'a> {
    pub(crate) received: ArrivalContext<'a>,
    pub(crate) range: TimeRange,
    pub(crate) wanted: &'a Projection,
    /// As in [`execute::FeedRequest`].
    pub(crate) untimed: Option<TimeRange>,
}

/// Which columns are read, and what for.
#[derive(Clone, Debug, Default)]
struct Selection {
    leaves: Vec<usize>,
    /// Fields of the file that are read as JSON.
    lists: Vec<usize>,
    /// The column that tells the level.
    level: Option<usize>,
    /// Whether rows are read as lines.
    as_lines: bool,
}

impl ColumnarFile {
    pub(crate) fn open(input: Arc<Input>, number: u32) -> io::Result<Self> {
        let source = Source::open(input.clone())?;
        let reader = guarded(|| SerializedFileReader::new(source)).map_err(io::Error::other)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let columns = schema.columns().iter().enumerate();
        let mut leaves: Vec<Leaf> =
            columns.map(|(place, descr)| Leaf::of(place, schema.get_column_root_idx(place), descr)).collect();
        // Tables that catat publishes have no `@` in their names.
        if reader.metadata().file_metadata().created_by().is_some_and(|program| program.starts_with("catat ")) {
            let own = |leaf: &&mut Leaf| matches!(&*leaf.name, "_timestamp" | "_message");
            leaves.iter_mut().filter(own).for_each(|leaf| leaf.name = leaf.name.replacen('_', "@", 1).into());
        }
        let is_time = |leaf: &&Leaf| leaf.time_unit().is_some() && leaf.list.is_none();
        // A day or a time of day tells less than any other time.
        let is_part =
            |leaf: &Leaf| matches!(leaf.meaning, Meaning::Date | Meaning::OfDay { .. }) || leaf.list.is_some();
        let names: Vec<&str> = leaves.iter().map(|leaf| if is_part(leaf) { "" } else { &*leaf.name }).collect();
        let named = parse::time_key(&names);
        let mut times = leaves.iter().filter(is_time);
        let only = times.next().filter(|_| times.next().is_none()).map(|leaf| leaf.place);
        let time = named.map_or(only, |place| Some(place).filter(|place| is_time(&&leaves[*place])));
        let is_text =
            |leaf: &&Leaf, key: &str| *leaf.name == *key && leaf.meaning == Meaning::Text && leaf.list.is_none();
        let text = TEXT_KEYS.iter().find_map(|key| Some(leaves.iter().find(|leaf| is_text(leaf, key))?.place));
        if leaves.iter().map(|leaf| &leaf.name).collect::<HashSet<_>>().len() < leaves.len() {
            return Err(io::Error::other("two columns have the same name"));
        }
        Ok(Self { input, number, reader, leaves, time, is_time_named: named.is_some(), text })
    }

    /// Returns the row groups that may have events of the range.
    pub(crate) fn row_groups(self: &Arc<Self>, asked: &RowRequest<'_>) -> Vec<RowGroup> {
        let selection = Arc::new(self.selection(asked.wanted, false));
        let is_time_wanted = self.time.is_some_and(|place| asked.wanted.has_field(&self.leaves[place].name));
        let untimed = asked.untimed.filter(|_| !is_time_wanted);
        let mut first_row = 0;
        let groups = self.reader.metadata().row_groups().iter().enumerate().filter_map(|(place, metadata)| {
            let mut group = self.row_group(place, first_row, selection.clone());
            first_row += group.n_rows as u64;
            let ends = self.ends(metadata, &asked.received);
            let is_within = |(first, last): &(Timestamp, Timestamp)| {
                untimed.is_some_and(|range| range.contains(*first) && range.contains(*last))
            };
            group.one_time = ends.filter(is_within).map(|(first, _)| first.0);
            let overlaps = ends.is_none_or(|(first, last)| asked.range.overlaps(first, last));
            (group.n_rows > 0 && overlaps).then_some(group)
        });
        groups.collect()
    }

    /// Returns all rows as lines of JSON.
    pub(crate) fn into_lines(self: Arc<Self>) -> impl Read {
        let selection = Arc::new(self.selection(&Projection::default(), true));
        let groups = (0..self.reader.num_row_groups()).map(move |place| self.row_group(place, 0, selection.clone()));
        RowLines { groups: Box::new(groups), group: None, text: Cursor::default(), failure: None }
    }

    fn row_group(self: &Arc<Self>, place: usize, first_row: u64, selection: Arc<Selection>) -> RowGroup {
        let n_rows = usize::try_from(self.reader.metadata().row_group(place).num_rows()).unwrap_or(0);
        RowGroup { file: self.clone(), place, n_rows, first_row, n_done: 0, selection, one_time: None, readers: None }
    }

    /// Returns the first and the last time of a row group, if the file says them for all of its rows.
    fn ends(&self, metadata: &RowGroupMetaData, received: &ArrivalContext<'_>) -> Option<(Timestamp, Timestamp)> {
        let leaf = &self.leaves[self.time?];
        let Statistics::Int64(known) = metadata.column(leaf.place).statistics()? else { return None };
        let nanos =
            |number: Option<&i64>| number?.checked_mul(leaf.time_unit()?).filter(|nanos| is_sure(*nanos, received));
        let (first, last) = (nanos(known.min_opt())?, nanos(known.max_opt())?);
        // A row without a time of its own, or with one that events cannot have, may be of any.
        let all_have_one = leaf.max_definition == 0 || known.null_count_opt() == Some(0);
        all_have_one.then_some((Timestamp(first), Timestamp(last)))
    }

    /// Chooses what is read, as lines where that is how it has to be or `is_forced` says so.
    fn selection(&self, wanted: &Projection, is_forced: bool) -> Selection {
        let of_level = |leaf: &&Leaf| level_of_field(&leaf.name, &Value::text("error")).is_some();
        let levels: Vec<&Leaf> = self.leaves.iter().filter(of_level).collect();
        let is_journal = self.leaves.iter().any(|leaf| matches!(&*leaf.name, "PRIORITY" | "_TRANSPORT"));
        let level = match &levels[..] {
            [leaf] if leaf.meaning == Meaning::Text && leaf.list.is_none() && !is_journal => Some(leaf.place),
            _ => None,
        };
        // The message of a row without one is the whole row.
        let has_all = wanted.has_all() || wanted.has_message() && (self.text.is_none() || is_forced);
        let is_system = |leaf: &Leaf| leaf.name.starts_with('@') && ![self.time, self.text].contains(&Some(leaf.place));
        let is_wanted = |leaf: &&Leaf| has_all || wanted.has_field(&leaf.name);
        let as_lines = is_forced
            || has_all
            || wanted.has_exception
            || self.time.is_none()
            || (wanted.has_level() && level.is_none())
            || self.leaves.iter().any(|leaf| is_system(leaf) || leaf.list.is_some() && is_wanted(&leaf));
        let is_needed = |leaf: &&Leaf| {
            let is_text = TEXT_KEYS.contains(&&*leaf.name) && (wanted.has_message() || wanted.has_level());
            is_wanted(leaf) || (as_lines && (is_text || wanted.has_key(&leaf.name) || parse::may_tell_time(&leaf.name)))
        };
        let mut lists: Vec<usize> = self.leaves.iter().filter(is_needed).filter_map(|leaf| leaf.list).collect();
        lists.dedup();
        let is_read = |leaf: &&Leaf| {
            let is_text = wanted.has_message() && Some(leaf.place) == self.text;
            let is_level = wanted.has_level() && Some(leaf.place) == level;
            leaf.list.is_none() && (is_needed(leaf) || is_text || is_level)
        };
        let mut leaves: Vec<usize> = self.leaves.iter().filter(is_read).map(|leaf| leaf.place).collect();
        leaves.extend(self.time.filter(|time| !leaves.contains(time)));
        Selection { leaves, lists, level: level.filter(|_| wanted.has_level()), as_lines }
    }
}

/// Whether a time is surely that of its event.
fn is_sure(nanos: i64, received: &ArrivalContext<'_>) -> bool {
    matches!(bounded(nanos.into(), received), ResolvedTime::At(_))
}

fn has_sure_ends(times: &[i64], received: &ArrivalContext<'_>) -> bool {
    [times.iter().min(), times.iter().max()].into_iter().flatten().all(|nanos| is_sure(*nanos, received))
}

/// A row group on its way.
pub(crate) struct RowGroup {
    pub(crate) file: Arc<ColumnarFile>,
    place: usize,
    n_rows: usize,
    /// The place of its first row in the file.
    first_row: u64,
    n_done: usize,
    selection: Arc<Selection>,
    /// The time that all rows get, if their own times are in the range and not needed.
    one_time: Option<i64>,
    readers: Option<Readers>,
}

/// Columns that are being read.
struct Readers {
    flat: Vec<Flat>,
    lists: Option<ReaderIter>,
}

impl RowGroup {
    pub(crate) fn is_done(&self) -> bool {
        self.n_done >= self.n_rows
    }

    /// Gives the next events to `take`. What cannot be read ends the row group.
    pub(crate) fn next(
        &mut self,
        asked: &RowRequest<'_>,
        take: &mut dyn FnMut(Batch),
    ) -> std::result::Result<(), ScanError> {
        let taken = guarded(|| self.slice(asked, take));
        taken.map_err(|error| {
            self.n_done = self.n_rows;
            let offset = self.metadata().column(0).byte_range().0;
            ScanError { file: self.file.input.name(), offset, problem: self.problem(&error) }
        })
    }

    fn problem(&self, error: &ParquetError) -> String {
        format!("row group {} of {}: {error}", self.place + 1, self.file.reader.num_row_groups())
    }

    fn metadata(&self) -> &RowGroupMetaData {
        self.file.reader.metadata().row_group(self.place)
    }

    fn slice(&mut self, asked: &RowRequest<'_>, take: &mut dyn FnMut(Batch)) -> Result<()> {
        let left = self.n_rows - self.n_done;
        if !self.selection.as_lines {
            let n = left.min(SLICE_ROWS);
            if let Some(batch) = self.batch(n, asked)? {
                self.n_done += n;
                take(batch);
                return Ok(());
            }
            // A row says less than its columns promise: the rest of the group is read again, as lines.
            self.selection = Arc::new(self.file.selection(asked.wanted, true));
            self.readers = None;
        }
        let n = left.min(LINES_ROWS);
        self.lines(n, asked, take)?;
        self.n_done += n;
        Ok(())
    }

    /// The columns of the selection, from the row at hand on.
    fn readers(&mut self) -> Result<&mut Readers> {
        if self.readers.is_none() {
            let file = &self.file;
            let group = file.reader.get_row_group(self.place)?;
            let mut flat = Vec::new();
            let is_left_out =
                |place: &&usize| self.one_time.is_some() && !self.selection.as_lines && file.time == Some(**place);
            for place in self.selection.leaves.iter().filter(|place| !is_left_out(place)) {
                // The messages of a batch are texts beside each other.
                let has_codes = self.selection.as_lines || file.text != Some(*place);
                flat.push(Flat::begin(&*group, &file.leaves[*place], self.n_done, has_codes)?);
            }
            let lists = match &self.selection.lists[..] {
                [] => None,
                places => {
                    let fields = group.metadata().schema_descr().root_schema().get_fields();
                    let chosen = places.iter().filter_map(|place| fields.get(*place).cloned()).collect();
                    let schema = Type::group_type_builder("lists").with_fields(chosen).build()?;
                    let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
                    let mut rows = TreeBuilder::new().as_iter(schema, &*group)?;
                    if self.n_done > 0 {
                        rows.nth(self.n_done - 1).transpose()?;
                    }
                    Some(rows)
                }
            };
            self.readers = Some(Readers { flat, lists });
        }
        self.readers.as_mut().ok_or_else(|| ParquetError::General("no columns".into()))
    }

    /// Makes a batch of the next `n` rows; `None` where they do not say all that is asked for in columns of their own.
    fn batch(&mut self, n: usize, asked: &RowRequest<'_>) -> Result<Option<Batch>> {
        let (file, selection, first) = (self.file.clone(), self.selection.clone(), self.first_row + self.n_done as u64);
        let Some(time) = file.time else { return Ok(None) };
        let has_message = asked.wanted.has_message();
        let mut times = Numbers::same(self.one_time.unwrap_or_default(), n);
        let (mut messages, mut levels) = (None, Numbers::same(0, n));
        let mut fields: Vec<(Arc<str>, Column)> = Vec::new();
        let (group, n_done) = (self.place, self.n_done);
        for flat in &mut self.readers()?.flat {
            let leaf = &file.leaves[flat.place];
            if flat.place == time {
                match flat.read_times(leaf, n)? {
                    Some(read) if has_sure_ends(&read, &asked.received) => times = read.into(),
                    _ => return Ok(None),
                }
                continue;
            }
            let is_message = has_message && Some(flat.place) == file.text;
            let column = flat.read(leaf, n, || (file.reader.get_row_group(group), n_done))?;
            if Some(flat.place) == selection.level {
                let Some(found) = levels_of(&leaf.name, &column) else { return Ok(None) };
                levels = found.into();
            }
            match column {
                Column::Strings { values, present: None } if is_message => messages = Some(values),
                _ if is_message => return Ok(None),
                column if asked.wanted.has_field(&leaf.name) => fields.push((leaf.name.clone(), column)),
                _ => {}
            }
        }
        let (name, unit_ns) = (file.leaves[time].name.clone(), file.leaves[time].time_unit().unwrap_or(1));
        let form = TimeForm::Rfc3339 { digits: digits_of(unit_ns) };
        let text_key = file.text.filter(|_| messages.is_some()).map(|place| file.leaves[place].name.clone());
        let (text_key, time_key) = (text_key.filter(|name| **name != *"@message"), Some((name, form)));
        let time_key = time_key.filter(|(name, _)| **name != *"@timestamp");
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Some(Batch {
            timestamps: times,
            sequences: Numbers::consecutive(first, n),
            ingestion_times: Numbers::same(asked.received.at.0, n),
            messages: messages.or_else(|| Strings::of_parts(String::new(), vec![0; n])).unwrap_or_default(),
            levels,
            streams: Column::constant(Value::text(""), n),
            series: None,
            origins: Arc::new(vec![Origin { text_key, time_key }]),
            origin_codes: Numbers::same(0, n),
            fields,
        }))
    }

    /// Writes the next `n` rows as lines.
    fn text(&mut self, n: usize) -> Result<String> {
        let file = self.file.clone();
        let (group, n_done) = (self.place, self.n_done);
        let readers = self.readers()?;
        let mut columns: Vec<(String, Column)> = Vec::new();
        for flat in &mut readers.flat {
            let leaf = &file.leaves[flat.place];
            let column = flat.read(leaf, n, || (file.reader.get_row_group(group), n_done))?;
            if file.time == Some(flat.place) && !file.is_time_named {
                columns.insert(0, (key("@timestamp"), column.clone()));
            }
            columns.push((key(&leaf.name), column));
        }
        let mut text = String::new();
        for row in 0..n {
            let from = text.len();
            for (key, column) in &columns {
                if let Some(value) = column.value(row) {
                    text.push_str(key);
                    value.write_json(&mut text);
                }
            }
            if let Some(lists) = &mut readers.lists {
                let found =
                    lists.next().ok_or_else(|| ParquetError::General("a list ends before the others".into()))??;
                for (name, field) in found.get_column_iter().filter(|(_, field)| **field != Field::Null) {
                    text.push_str(&key(name));
                    nested::write(field, &mut text);
                }
            }
            match text.len() == from {
                true => text.push('{'),
                // In place of the first comma.
                false => text.replace_range(from..from + 1, "{"),
            }
            text.push_str("}\n");
        }
        Ok(text)
    }

    /// Reads the next `n` rows as lines, and gives what is read of them.
    fn lines(&mut self, n: usize, asked: &RowRequest<'_>, take: &mut dyn FnMut(Batch)) -> Result<()> {
        let (file, first, text) = (self.file.clone(), self.first_row + self.n_done as u64, self.text(n)?);
        let piece = Piece {
            text: text.as_bytes(),
            // Room for the bytes of a row, by which events are numbered.
            offset: first << 20,
            previous: None,
            columns: None,
            profile: Profile::default(),
        };
        let received = ArrivalContext { modified: file.input.modified, ..asked.received };
        parse::batches_of_piece(&piece, &received, None, &asked.wanted.with_text_keys(), take);
        Ok(())
    }
}

/// The rows of a file as lines of JSON, one row group after the other.
struct RowLines {
    groups: Box<dyn Iterator<Item = RowGroup> + Send>,
    group: Option<RowGroup>,
    /// Lines that were not given yet.
    text: Cursor<Vec<u8>>,
    /// What could not be read, told once everything that could be was given.
    failure: Option<io::Error>,
}

impl Read for RowLines {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        loop {
            let n_bytes = self.text.read(place)?;
            if n_bytes > 0 {
                return Ok(n_bytes);
            }
            let Some(mut group) = self.group.take().or_else(|| self.groups.next()) else {
                return self.failure.take().map_or(Ok(0), Err);
            };
            let n = (group.n_rows - group.n_done).min(LINES_ROWS);
            match guarded(|| group.text(n)) {
                Ok(text) => {
                    self.text = Cursor::new(text.into_bytes());
                    group.n_done += n;
                    self.group = Some(group).filter(|group| !group.is_done());
                }
                Err(error) => {
                    let problem = group.problem(&error);
                    let error = io::Error::other(error);
                    // What comes after it has its place behind what it will be.
                    if is_passing(&error) {
                        self.groups = Box::new(std::iter::empty());
                        return Err(error);
                    }
                    self.failure = Some(io::Error::other(problem));
                }
            }
        }
    }
}

/// `,"name":`.
fn key(name: &str) -> String {
    let mut key = String::from(",");
    write_json_string(name, &mut key);
    key + ":"
}

/// The levels that a column says; `None` where a row says none, or says it by a number, which depends on the rest of its record.
fn levels_of(name: &str, column: &Column) -> Option<Vec<u8>> {
    let level = |value: &Value| match value {
        Value::String(text) if text.trim().parse::<i64>().is_err() => level_of_field(name, value).map(Level::code),
        _ => None,
    };
    match column {
        Column::Dictionary { codes, values } => {
            let known: Vec<Option<u8>> = values.iter().map(level).collect();
            codes.iter().map(|code| known.get(*code as usize).copied().flatten()).collect()
        }
        column => (0..column.n_rows()).map(|row| level(&column.value(row)?)).collect(),
    }
}

/// Does what a file may have been made to bring down.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ParquetError::General("what it consists of contradicts itself".into())))
}
