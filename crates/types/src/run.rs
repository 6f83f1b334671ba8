//! What a query scans: the events of one group in time order, cut into blocks.
//!
//! Two things are runs: the runs inside segments, which `storage` reads from disk, and batches in memory
//! ([`BatchRun`]): hot events, and files queried without a server. A query cannot tell them apart, so hot
//! events, segments and files answer through one path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::Derivation;
use crate::{Batch, Column, EventId, GroupName, RowSet, TimeRange, Timestamp, Value};

/// Why a block could not be read. The query goes on without it and its answer is partial.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem} at byte {offset}")]
pub struct ScanError {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// What is wrong.
    pub problem: String,
}

/// Identity of an immutable run, as a key for cached partials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunKey {
    /// The segment.
    pub segment: u128,
    /// The run's place in it.
    pub run: u32,
    /// Rises with each tombstone that concerns the run.
    pub version: u32,
}

/// What is known of a run without reading it.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// The group whose events these are.
    pub group: GroupName,
    /// The group's number in this store.
    pub group_id: u32,
    /// Identity, `None` for a run that still changes (hot events).
    pub key: Option<RunKey>,
    /// How many events.
    pub n_events: u64,
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last event.
    pub last: Timestamp,
}

/// Types that a field has had, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeSet(pub u8);

impl TypeSet {
    const NAMES: [&'static str; 7] = ["string", "integer", "float", "boolean", "timestamp", "list", "object"];

    /// Adds the type of `value`.
    pub fn insert(&mut self, value: &Value) {
        self.0 |= 1
            << match value {
                Value::String(_) => 0,
                Value::Integer(_) => 1,
                Value::Float(_) => 2,
                Value::Boolean(_) => 3,
                Value::Timestamp(_) => 4,
                Value::List(_) => 5,
                Value::Object(_) => 6,
            };
    }

    /// Adds all types that occur in `column`.
    pub fn insert_column(&mut self, column: &Column) {
        match column {
            Column::Missing { .. } => {}
            Column::Timestamps(_) => self.0 |= 1 << 4,
            Column::Strings { .. } => self.0 |= 1,
            Column::Integers { .. } => self.0 |= 1 << 1,
            Column::Floats { values, integers, .. } => {
                let n_integers = integers.as_ref().map_or(0, RowSet::count);
                self.0 |= if n_integers > 0 { 1 << 1 } else { 0 };
                self.0 |= if n_integers < values.len() { 1 << 2 } else { 0 };
            }
            Column::Dictionary { values, .. } => values.iter().for_each(|value| self.insert(value)),
            Column::Mixed(values) => values.iter().flatten().for_each(|value| self.insert(value)),
        }
    }

    /// Adds all types of `other`.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Names of the types, most usual first.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }
}

/// What is known of a field of a run without reading its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSummary {
    /// The field's name.
    pub name: Arc<str>,
    /// Types it has had.
    pub types: TypeSet,
    /// How many events have it.
    pub n_events: u64,
}

/// Events of one minute by level; `counts[0]` is those without level, `counts[level.code()]` the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCounts {
    /// Minutes since the Unix epoch.
    pub minute: i64,
    /// Events by level code.
    pub counts: [u32; 7],
}

/// Where a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeField<'a> {
    /// In `@message`.
    Message,
    /// In the values of one field.
    Named(&'a str),
    /// In the message and in every text or number of the event.
    Any,
}

/// A text looked for: the rows wanted hold `literal` somewhere in `field`.
#[derive(Clone, Copy, Debug)]
pub struct TextProbe<'a> {
    /// Where.
    pub field: ProbeField<'a>,
    /// What, not empty.
    pub literal: &'a str,
    /// Whether upper and lower case (of ASCII letters at least) are the same.
    pub ignores_case: bool,
}

/// Answer to a probe: every row that holds the text, and perhaps others.
#[derive(Clone, Debug)]
pub struct Narrowed {
    /// Rows that may hold the text; rows outside certainly do not.
    pub rows: RowSet,
    /// Whether every row in `rows` certainly holds it, so that nothing is left to verify.
    pub exact: bool,
}

/// IPv4 addresses, as numbers, whose texts are the values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// One a row; unspecified for rows without a value.
    pub values: Vec<u32>,
    /// Rows that have one; `None` where every row has.
    pub present: Option<RowSet>,
}

/// The events of one group in time order (equal times in order of acceptance), in blocks.
///
/// A run never changes while somebody holds it. All methods may be called from several threads.
pub trait Run: Send + Sync {
    /// What is known without reading.
    fn info(&self) -> &RunInfo;

    /// How many blocks there are; blocks follow each other in time.
    fn n_blocks(&self) -> usize;

    /// How many rows a block has.
    fn block_rows(&self, block: usize) -> usize;

    /// Times of the first and the last event of a block.
    fn block_times(&self, block: usize) -> (Timestamp, Timestamp);

    /// The highest sequence of an event of the run, or more than that where it is not known.
    fn last_sequence(&self) -> u64 {
        u64::MAX
    }

    /// All fields of the run, derived ones and rare system fields included; not the seven usual system fields.
    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError>;

    /// Names of those fields, in any order. Override it where names cost less than summaries.
    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        Ok(self.fields()?.into_iter().map(|field| field.name).collect())
    }

    /// Counts by minute and level of the whole run, where they are kept.
    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError>;

    /// Narrows a block to the rows that may hold a text. Costs less than reading the text.
    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError>;

    /// Tells whether the field `name` of every event surely is its message, so that searching one of both will do.
    fn is_message(&self, name: &str) -> bool {
        name == "@message"
    }

    /// Reads fields of the rows `rows` of a block: for each name one column with `rows.count()` rows.
    ///
    /// System fields are `@timestamp @ingestionTime @message @level @log @logStream @id`; a name that no event
    /// has gives a missing column.
    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError>;

    /// What the run's messages look like, by the numbers that [`example_numbers`](Self::example_numbers) gives: a text
    /// that differs from each message of that number in nothing but the spelling of words that hold a digit, of
    /// addresses, UUIDs, long hexadecimal numbers and times. `None` for a number whose messages have to be read
    /// themselves, and for the run where nothing is known.
    fn examples(&self) -> Result<Option<Arc<Examples>>, ScanError> {
        Ok(None)
    }

    /// For each of the rows `rows` of a block the number of the example that its message looks like. Costs less than
    /// reading the messages.
    fn example_numbers(&self, _block: usize, rows: &RowSet) -> Result<Vec<u32>, ScanError> {
        Ok(vec![0; rows.count()])
    }

    /// The rows of a block that have a value of the field `name`, where that is known without reading values.
    fn presence(&self, _block: usize, _name: &str) -> Result<Option<RowSet>, ScanError> {
        Ok(None)
    }

    /// Reads a field of the rows `rows` as addresses, where the block keeps all of its values as such.
    fn read_addresses(&self, _block: usize, _name: &str, _rows: &RowSet) -> Result<Option<Addresses>, ScanError> {
        Ok(None)
    }

    /// Bytes read from disk or memory on behalf of this run so far, for the statistics of an answer.
    fn bytes_read(&self) -> u64 {
        0
    }
}

/// Texts that messages look like, by number; see [`Run::examples`].
pub type Examples = Vec<Option<String>>;

/// Rows of one block of a run in memory.
const BATCH_BLOCK_ROWS: usize = 16 * 1024;

/// A batch in memory as a run.
#[derive(Debug)]
pub struct BatchRun {
    info: RunInfo,
    batch: Arc<Batch>,
    n_bytes_read: AtomicU64,
}

impl BatchRun {
    /// Takes a batch, putting its rows in order of time first where they are not. The batch must not be empty.
    pub fn new(group: GroupName, group_id: u32, batch: Arc<Batch>) -> Self {
        let batch = if batch.timestamps.is_sorted() {
            batch
        } else {
            let rows: Vec<(u32, u32)> = batch.time_order().into_iter().map(|row| (0, row)).collect();
            Arc::new(Batch::gather(&[&batch], &rows))
        };
        let first = Timestamp(batch.timestamps.first().copied().unwrap_or_default());
        let last = Timestamp(batch.timestamps.last().copied().unwrap_or_default());
        let info = RunInfo { group, group_id, key: None, n_events: batch.len() as u64, first, last };
        Self { info, batch, n_bytes_read: AtomicU64::new(0) }
    }

    /// The batch, in time order.
    pub fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    fn range(&self, block: usize) -> std::ops::Range<usize> {
        let from = block * BATCH_BLOCK_ROWS;
        from..(from + BATCH_BLOCK_ROWS).min(self.batch.len())
    }

    /// Reads one field of the rows of a block. Takes care not to copy a whole batch for a few rows.
    fn read_one(&self, name: &str, rows: &RowSet) -> Column {
        let batch = &self.batch;
        let pick = |values: &[i64]| Column::Timestamps(rows.iter().map(|row| values[row]).collect());
        match name {
            "@timestamp" => pick(&batch.timestamps),
            "@ingestionTime" => pick(&batch.ingestion_times),
            "@message" => Column::Strings { values: batch.messages.gather(rows.iter()), present: None },
            "@level" => crate::column::level_column(&rows.iter().map(|row| batch.levels[row]).collect::<Vec<_>>()),
            "@id" => id_column(&self.info, rows.iter().map(|row| (batch.timestamps[row], batch.sequences[row]))),
            "@partOf" => {
                let places = rows.iter().map(|row| (batch.timestamps[row], batch.sequences[row]));
                part_of_column(&self.info, places, &self.read_field("@part", rows))
            }
            "@log" => Column::constant(Value::String(self.info.group.shared()), rows.count()),
            "@logStream" => batch.streams.gather(rows),
            _ => self.read_field(name, rows),
        }
    }

    fn read_field(&self, name: &str, rows: &RowSet) -> Column {
        let batch = &self.batch;
        let stored = batch.fields.binary_search_by(|(known, _)| (**known).cmp(name));
        let stored = match stored {
            Ok(index) => batch.fields[index].1.gather(rows),
            Err(_) => Column::Missing { n_rows: rows.count() },
        };
        let is_derived = batch.origins.iter().any(|origin| {
            origin.text_key.as_deref() == Some(name) || origin.time_key.as_ref().is_some_and(|(key, _)| **key == *name)
        });
        if !is_derived {
            return stored;
        }
        let codes: Vec<u32> = rows.iter().map(|row| batch.origin_codes[row]).collect();
        let timestamps: Vec<i64> = rows.iter().map(|row| batch.timestamps[row]).collect();
        let messages = batch.messages.gather(rows.iter());
        let origins = &batch.origins;
        Derivation { origins, codes: &codes, messages: &messages, timestamps: &timestamps }.overlay(name, stored)
    }

    /// Tells whether the text of some value of a field may hold `literal`.
    fn may_hold(&self, name: &str, literal: &str) -> bool {
        let consists_of = |signs: &[u8]| literal.bytes().all(|byte| byte.is_ascii_digit() || signs.contains(&byte));
        let is_derived_text = self.batch.origins.iter().any(|origin| origin.text_key.as_deref() == Some(name));
        let is_derived_time = self.batch.origins.iter().any(|origin| {
            let key = origin.time_key.as_ref().map(|(key, _)| &**key);
            key == Some(name)
        });
        let may_be_stored = match self.batch.stored(name) {
            None | Some(Column::Missing { .. }) => false,
            Some(Column::Integers { .. } | Column::Floats { .. }) => consists_of(b".-+eE"),
            Some(_) => true,
        };
        is_derived_text || may_be_stored || (is_derived_time && consists_of(b"-:.+TZtzeE"))
    }

    /// Sums up one field. Values derived from text and time are counted by origin, not made.
    fn field_summary(&self, name: Arc<str>, n_by_origin: &[u64]) -> FieldSummary {
        let batch = &self.batch;
        let stored = batch.fields.binary_search_by(|(known, _)| known.cmp(&name)).ok();
        let mut types = TypeSet::default();
        let mut n_derived = 0;
        for (origin, n_events) in batch.origins.iter().zip(n_by_origin) {
            if origin.text_key.as_ref() == Some(&name) {
                types.insert(&Value::text(""));
                n_derived += n_events;
            } else if let Some((_, form)) = origin.time_key.as_ref().filter(|(key, _)| *key == name) {
                types.insert(&form.value(Timestamp(0)));
                n_derived += n_events;
            }
        }
        let n_events = match stored {
            None => n_derived,
            Some(index) => {
                let column = &batch.fields[index].1;
                types.insert_column(column);
                // Both in one event: the derived value is the one shown.
                if n_derived == 0 { column.n_present() as u64 } else { batch.field(&name).n_present() as u64 }
            }
        };
        FieldSummary { name, types, n_events }
    }
}

/// Rare system fields: they lie among the sender's fields but are not the sender's.
const RARE_SYSTEM_FIELDS: [&str; 8] =
    ["@rest", "@fieldsDropped", "@part", "@partOf", "@encoding", "@timestampRejected", "@group", "@loki"];

/// Tells whether a field that is stored among the sender's is one of them, so that `@any` stands for it.
pub fn is_sent(name: &str) -> bool {
    name != "@logStream" && !RARE_SYSTEM_FIELDS.contains(&name)
}

/// Tells whether all events have their message from the key `name`, and nothing else under that name.
pub fn is_text_key(origins: &[crate::Origin], is_stored: bool, name: &str) -> bool {
    !is_stored && !origins.is_empty() && origins.iter().all(|origin| origin.text_key.as_deref() == Some(name))
}

/// `@id` of rows given by time and sequence.
pub fn id_column(info: &RunInfo, rows: impl Iterator<Item = (i64, u64)>) -> Column {
    let id =
        |(timestamp, sequence)| EventId { group_id: info.group_id, timestamp: Timestamp(timestamp), sequence }.encode();
    let mut values = crate::Strings::default();
    rows.map(id).for_each(|text| values.push(&text));
    Column::Strings { values, present: None }
}

/// `@partOf` of rows given by time and sequence, and by `@part`: the `@id` of the first part.
///
/// Parts of one text have one time and are accepted one behind the other, so that nothing need be stored for it.
pub fn part_of_column(info: &RunInfo, rows: impl Iterator<Item = (i64, u64)>, parts: &Column) -> Column {
    let first_id = |(row, (timestamp, sequence)): (usize, (i64, u64))| match parts.value(row)? {
        Value::Integer(part) => {
            let before = u64::try_from(part).ok()?.checked_sub(1)?;
            let sequence = sequence.checked_sub(before)?;
            let id = EventId { group_id: info.group_id, timestamp: Timestamp(timestamp), sequence };
            Some(Value::text(id.encode()))
        }
        _ => None,
    };
    Column::of_values(rows.enumerate().map(first_id).collect())
}

impl Run for BatchRun {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn n_blocks(&self) -> usize {
        self.batch.len().div_ceil(BATCH_BLOCK_ROWS)
    }

    fn block_rows(&self, block: usize) -> usize {
        self.range(block).len()
    }

    fn block_times(&self, block: usize) -> (Timestamp, Timestamp) {
        let times = &self.batch.timestamps[self.range(block)];
        (Timestamp(times.first().copied().unwrap_or_default()), Timestamp(times.last().copied().unwrap_or_default()))
    }

    fn last_sequence(&self) -> u64 {
        self.batch.sequences.iter().copied().max().unwrap_or(0)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        let mut n_by_origin = vec![0u64; self.batch.origins.len()];
        self.batch.origin_codes.iter().for_each(|code| n_by_origin[*code as usize] += 1);
        let names = self.batch.field_names().into_iter();
        Ok(names.map(|name| self.field_summary(name, &n_by_origin)).collect())
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        Ok(self.batch.field_names())
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(Some(MinuteCounts::of_rows(&self.batch.timestamps, &self.batch.levels)))
    }

    fn is_message(&self, name: &str) -> bool {
        name == "@message" || is_text_key(&self.batch.origins, self.batch.stored(name).is_some(), name)
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        // Texts in memory are as cheap to verify as any index over them would be to ask. Numbers and times are not:
        // most literals can be in none of them.
        let may_hold = match probe.field {
            ProbeField::Named(name) => self.may_hold(name, probe.literal),
            ProbeField::Message | ProbeField::Any => true,
        };
        let n_rows = self.block_rows(block);
        let rows = if may_hold { RowSet::all(n_rows) } else { RowSet::none(n_rows) };
        Ok(Narrowed { rows, exact: !may_hold })
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let range = self.range(block);
        let mut of_batch = RowSet::none(range.end);
        rows.iter().for_each(|row| of_batch.insert(range.start + row));
        of_batch.resize(self.batch.len());
        let columns: Vec<Column> = names.iter().map(|name| self.read_one(name, &of_batch)).collect();
        let n_bytes: usize = columns.iter().map(Column::memory_bytes).sum();
        self.n_bytes_read.fetch_add(n_bytes as u64, Ordering::Relaxed);
        Ok(columns)
    }

    fn bytes_read(&self) -> u64 {
        self.n_bytes_read.load(Ordering::Relaxed)
    }
}

impl MinuteCounts {
    /// Counts rows in time order by minute and level.
    pub fn of_rows(timestamps: &[i64], levels: &[u8]) -> Vec<Self> {
        let mut minutes: Vec<Self> = Vec::new();
        for (timestamp, level) in timestamps.iter().zip(levels) {
            let minute = timestamp.div_euclid(Timestamp::MINUTE);
            if minutes.last().is_none_or(|last| last.minute != minute) {
                minutes.push(Self { minute, counts: [0; 7] });
            }
            if let Some(last) = minutes.last_mut() {
                last.counts[usize::from((*level).min(6))] += 1;
            }
        }
        minutes
    }

    /// The range of time that the minute is.
    pub fn range(&self) -> TimeRange {
        let from = self.minute.saturating_mul(Timestamp::MINUTE);
        TimeRange { from: Timestamp(from), to: Timestamp(from.saturating_add(Timestamp::MINUTE)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuilder;

    #[test]
    fn a_batch_out_of_order_is_a_run_in_order() {
        let mut builder = BatchBuilder::new();
        for time in [30, 10, 20] {
            builder.set_timestamp(Timestamp(time));
            builder.set_message(&format!("at {time}"));
            builder.field_integer("n", time);
            builder.commit();
        }
        let group = GroupName::new("g").expect("a valid name");
        let run = BatchRun::new(group, 1, Arc::new(builder.finish()));
        let rows = RowSet::of(3, |row| row > 0);
        let columns = run.read(0, &["@message", "n", "@id", "absent", "@log"], &rows).expect("memory cannot fail");
        assert_eq!(columns[0].value(0), Some(Value::text("at 20")));
        assert_eq!(columns[1].value(1), Some(Value::Integer(30)));
        let Some(Value::String(id)) = columns[2].value(1) else { panic!("an id is a text") };
        let id = EventId::decode(&id).expect("an id can be read back");
        assert_eq!((id.group_id, id.timestamp, id.sequence), (1, Timestamp(30), 0));
        assert_eq!(columns[3].value(0), None);
        assert_eq!(columns[4].value(0), Some(Value::text("g")));
        assert_eq!((run.info().first, run.info().last), (Timestamp(10), Timestamp(30)));
    }

    #[test]
    fn parts_of_a_text_name_the_id_of_the_first() {
        let mut builder = BatchBuilder::new();
        for part in [0, 1, 2, 3] {
            builder.set_timestamp(Timestamp(5));
            if part > 0 {
                builder.field_integer("@part", part);
            }
            builder.commit();
        }
        let run = BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(builder.finish()));
        let columns = run.read(0, &["@id", "@partOf"], &RowSet::all(4)).expect("memory cannot fail");
        assert_eq!(columns[1].value(0), None);
        for row in 1..4 {
            assert_eq!(columns[1].value(row), columns[0].value(1));
        }
    }
}
