//! What a query scans: the events of one group in time order, cut into blocks.
//!
//! Two things are runs: the runs inside segments, which `storage` reads from disk, and batches in memory
//! ([`BatchRun`](crate::BatchRun)): hot events, and files queried without a server. A query cannot tell them apart, so
//! hot events, segments and files answer through one path.

use std::ops::Range;
use std::sync::Arc;

use crate::field_minutes::FieldMinutes;
use crate::minute_counts::MinuteCounts;
use crate::type_set::TypeSet;
use crate::{Column, GroupName, RowSet, SampleStreams, TimeRange, Timestamp};

/// Why a block could not be read. The query continues without it and its answer is partial.
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

/// What is missing of a group beside the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The group.
    pub group: GroupName,
    /// What is missing and why.
    pub message: String,
    /// Whether it is the whole group, because its events would not fit the memory that there is for them. They can pass by.
    pub is_too_large: bool,
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

/// Identity of a run within this process: runs with the same identity contain the same events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunIdentity {
    /// A run of a segment.
    Stored(RunKey),
    /// A run in memory, by its number.
    InMemory(u64),
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
    /// Whether the values wanted are `literal`, and not only hold it.
    pub is_whole: bool,
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
/// A run never changes while someone holds it. All methods may be called from several threads.
pub trait Run: Send + Sync {
    /// What is known without reading.
    fn info(&self) -> &RunInfo;

    /// Returns the identity of the run; `None` if it has none.
    fn identity(&self) -> Option<RunIdentity> {
        self.info().key.map(RunIdentity::Stored)
    }

    /// How many blocks there are; blocks follow each other in time.
    fn n_blocks(&self) -> usize;

    /// How many rows a block has.
    fn block_rows(&self, block: usize) -> usize;

    /// Times of the first and the last event of a block.
    fn block_times(&self, block: usize) -> (Timestamp, Timestamp);

    /// Returns the rows of a block whose times are in a range; `None` if finding them would cost more than a few steps.
    fn rows_within(&self, _block: usize, _range: TimeRange) -> Option<Range<usize>> {
        None
    }

    /// The lowest sequence of an event of the run, or less than that where it is not known.
    fn first_sequence(&self) -> u64 {
        0
    }

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

    /// Counts by minute and value of the stored field `name` of the whole run, where they are kept.
    fn field_minutes(&self, _name: &str) -> Result<Option<FieldMinutes>, ScanError> {
        Ok(None)
    }

    /// Reports whether an event of the run may hold a text in a field, or in one whose name begins with that of the field and a dot,
    /// by what is known of the run as a whole.
    fn may_hold(&self, _probe: &TextProbe<'_>) -> Result<bool, ScanError> {
        Ok(true)
    }

    /// Narrows a block to the rows that may hold a text. Costs less than reading the text.
    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError>;

    /// Says that [`narrow`](Self::narrow) is going to be asked about these blocks soon. Returns at once; a run whose bytes are
    /// far away lets them come in the meantime.
    fn expect_search(&self, _blocks: &[usize]) {}

    /// Reports whether [`expect_search`](Self::expect_search) pays.
    fn is_far(&self) -> bool {
        false
    }

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

    /// The rows of a block whose stream `is_wanted`, where all events of the run are samples of streams that it keeps by number.
    /// Costs less than reading the streams.
    fn rows_of_samples(&self, _block: usize, _is_wanted: &dyn Fn(&str) -> bool) -> Result<Option<RowSet>, ScanError> {
        Ok(None)
    }

    /// The streams of a run all of whose events are samples of streams that it keeps by number.
    fn sample_streams(&self) -> Result<Option<Arc<SampleStreams>>, ScanError> {
        Ok(None)
    }

    /// Gives the samples that a block has of the streams `chosen`, numbers of [`sample_streams`](Self::sample_streams) in order.
    /// Costs little more than those samples. `false`, and none, where one of the samples is a histogram or the block keeps them
    /// otherwise.
    fn samples(&self, _block: usize, _chosen: &[u32], _taker: &mut dyn TakeSamples) -> Result<bool, ScanError> {
        Ok(false)
    }

    /// Bytes read from disk or memory on behalf of this run so far, for the statistics of an answer.
    fn bytes_read(&self) -> u64 {
        0
    }
}

/// Takes samples of chosen streams. Times are ms since the epoch, rounded down; those of one call rise.
pub trait TakeSamples {
    /// Takes numbers of the stream at `place` among those chosen; there are as many times as values.
    fn floats(&mut self, place: usize, times: &[i64], values: &[f64]);

    /// Takes a value that is kept as a text, such as that of a stale marker.
    fn text(&mut self, place: usize, time: i64, text: &str);
}

/// Texts that messages look like, by number; see [`Run::examples`].
pub type Examples = Vec<Option<String>>;
