//! Where events come from: service, host and group of each row; and what may have begun anew there.
//!
//! Three things are noted while rows are counted: which origin each row has, rows whose text says that something
//! starts ([`pattern::says_start`]), and how long each process number of an origin was there. Each
//! has a limit, and whether a limit was reached depends on the set of events alone.

use std::collections::HashMap;
use std::sync::Arc;

use plan::{HOST_FIELDS, SERVICE_FIELDS};
use types::{Column, MISSING_CODE, Value};

use super::ends::Spot;
use evaluate::{Cell, Frame, Result};

/// Fields with the number of its process.
const PROCESS_FIELDS: [&str; 4] = ["pid", "procid", "process.pid", "process_id"];

/// Origins that are distinguished. With more of them the field says what each event is, not where it is from.
const ORIGINS_MAX: usize = 10_000;

/// Starts that are kept: more are no restarts but the work of the program that says so.
const STARTS_MAX: usize = 2_000;

/// Processes that are distinguished.
const PROCESSES_MAX: usize = 20_000;

/// Bytes of an origin, a start, a process, roughly.
const ENTRY_BYTES: usize = 160;

/// A field and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OriginField {
    pub(crate) field: &'static str,
    pub(crate) value: Arc<str>,
}

/// Where an event comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) service: Option<OriginField>,
    pub(crate) host: Option<OriginField>,
    pub(crate) group: Arc<str>,
}

/// An event that says that something starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Start {
    pub(crate) time: i64,
    pub(crate) spot: Spot,
    pub(crate) origin: u32,
    pub(crate) masked: Arc<str>,
}

/// Events of one process number of one origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) n_events: u64,
    pub(crate) first: (i64, Spot),
    pub(crate) last: i64,
}

/// What is known of the rows of a frame.
pub(crate) struct FrameOrigins {
    pub(crate) origins: Vec<u32>,
    times: Arc<Column>,
    spots: Vec<Spot>,
}

impl FrameOrigins {
    fn at(&self, row: usize) -> (i64, Spot) {
        (Cell::at(&self.times, row).time().unwrap_or_default(), self.spots[row])
    }
}

/// Origins and what was seen of them.
#[derive(Default)]
pub(crate) struct Origins {
    numbers: HashMap<Origin, u32>,
    list: Vec<Origin>,
    has_too_many: bool,
    starts: Vec<Start>,
    processes: HashMap<(u32, Arc<str>), Process>,
    has_too_many_processes: bool,
}

/// A column as numbers of different texts.
struct CodedColumn {
    field: &'static str,
    codes: Vec<u32>,
    values: Vec<Option<Arc<str>>>,
}

impl CodedColumn {
    fn of(field: &'static str, column: &Column) -> Self {
        if let Column::Dictionary { codes, values } = column {
            let value = |value: &Value| match value {
                Value::String(text) => text_of(text),
                Value::Integer(number) => text_of(&number.to_string()),
                _ => None,
            };
            return Self { field, codes: codes.clone(), values: values.iter().map(value).collect() };
        }
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut values = Vec::new();
        let code = |row: usize| {
            let text = match Cell::at(column, row) {
                Cell::Text(text) => text.to_owned(),
                Cell::Integer(number) => number.to_string(),
                _ => return MISSING_CODE,
            };
            *known.entry(text).or_insert_with_key(|text| {
                values.push(text_of(text));
                values.len() as u32 - 1
            })
        };
        let codes = (0..column.n_rows()).map(code).collect();
        Self { field, codes, values }
    }

    fn value(&self, row: usize) -> Option<&Arc<str>> {
        self.values.get(self.codes[row] as usize)?.as_ref()
    }
}

/// Longer texts and empty ones name nothing.
fn text_of(text: &str) -> Option<Arc<str>> {
    (1..=256).contains(&text.len()).then(|| Arc::from(text))
}

/// Returns the columns among `fields` that the block has.
fn coded(frame: &mut Frame<'_>, fields: &[&'static str]) -> Result<Vec<CodedColumn>> {
    let mut all = Vec::new();
    for field in fields {
        let is_there = match frame.block() {
            Some(block) => frame.stored().is_none() || block.source.has(field)?,
            None => true,
        };
        if is_there {
            let column = frame.column(field)?;
            if !matches!(*column, Column::Missing { .. }) {
                all.push(CodedColumn::of(field, &column));
            }
        }
    }
    Ok(all)
}

/// Returns which of the columns names the row, and the number of the name; one more than those where none does.
fn key_at(columns: &[CodedColumn], row: usize) -> (usize, u32) {
    let at = columns.iter().position(|column| column.value(row).is_some()).unwrap_or(columns.len());
    (at, columns.get(at).map_or(0, |column| column.codes[row]))
}

fn named(columns: &[CodedColumn], (at, code): (usize, u32)) -> Option<OriginField> {
    let column = columns.get(at)?;
    let value = column.values.get(code as usize)?.clone()?;
    Some(OriginField { field: column.field, value })
}

/// Service and host of a row as the columns have them: which field, and the code of its value.
type Codes = ((usize, u32), (usize, u32));

impl Origins {
    /// Finds the origins of a frame's rows, and notes their processes.
    pub(crate) fn read(&mut self, frame: &mut Frame<'_>, source: usize) -> Result<Option<FrameOrigins>> {
        let Some(block) = frame.block().cloned() else { return Ok(None) };
        let group: Arc<str> = Arc::from(block.source.run.info().group.as_str());
        let (services, hosts) = (coded(frame, &SERVICE_FIELDS)?, coded(frame, &HOST_FIELDS)?);
        let mut known: HashMap<Codes, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut origin = |row: usize| {
            let key = (key_at(&services, row), key_at(&hosts, row));
            *known.entry(key).or_insert_with(|| {
                let (service, host) = (named(&services, key.0), named(&hosts, key.1));
                self.number(Origin { service, host, group: group.clone() })
            })
        };
        let origins = (0..frame.n_rows()).map(&mut origin).collect();
        let spots = block.rows.iter().map(|row| Spot { source, block: block.block, row }).collect();
        let seen = FrameOrigins { origins, times: frame.column("@timestamp")?, spots };
        self.note_processes(frame, &seen)?;
        Ok(Some(seen))
    }

    fn number(&mut self, mut origin: Origin) -> u32 {
        if !self.numbers.contains_key(&origin) && self.list.len() >= ORIGINS_MAX {
            self.has_too_many = true;
            origin = Origin { service: None, host: None, ..origin };
        }
        *self.numbers.entry(origin).or_insert_with_key(|origin| {
            self.list.push(origin.clone());
            self.list.len() as u32 - 1
        })
    }

    fn note_processes(&mut self, frame: &mut Frame<'_>, seen: &FrameOrigins) -> Result<()> {
        let columns = if self.has_too_many_processes { Vec::new() } else { coded(frame, &PROCESS_FIELDS)? };
        if columns.is_empty() {
            return Ok(());
        }
        let mut of_block: HashMap<(u32, usize, u32), Process, foldhash::fast::RandomState> = HashMap::default();
        for (row, origin) in seen.origins.iter().enumerate() {
            let (at, code) = key_at(&columns, row);
            if at < columns.len() {
                let (time, spot) = seen.at(row);
                let new = Process { n_events: 0, first: (time, spot), last: time };
                let process = of_block.entry((*origin, at, code)).or_insert(new);
                process.n_events += 1;
                process.first = process.first.min((time, spot));
                process.last = process.last.max(time);
            }
        }
        for ((origin, at, code), process) in of_block {
            if let Some(named) = named(&columns, (at, code)) {
                self.note_process((origin, named.value), process);
            }
        }
        Ok(())
    }

    fn note_process(&mut self, key: (u32, Arc<str>), process: Process) {
        if let Some(known) = self.processes.get_mut(&key) {
            known.n_events += process.n_events;
            known.first = known.first.min(process.first);
            known.last = known.last.max(process.last);
        } else if !self.has_too_many_processes {
            self.processes.insert(key, process);
            if self.processes.len() > PROCESSES_MAX {
                self.has_too_many_processes = true;
                self.processes.clear();
            }
        }
    }

    /// Notes that the text of a row says that something starts.
    pub(crate) fn note_start(&mut self, seen: &FrameOrigins, row: usize, masked: &Arc<str>) {
        let (time, spot) = seen.at(row);
        self.starts.push(Start { time, spot, origin: seen.origins[row], masked: masked.clone() });
        if self.starts.len() >= 2 * STARTS_MAX {
            self.cut_starts();
        }
    }

    /// Keeps the newest starts: what is looked for is near the end of a bad time.
    fn cut_starts(&mut self) {
        self.starts.sort_unstable();
        let n_more = self.starts.len().saturating_sub(STARTS_MAX);
        self.starts.drain(..n_more);
    }

    /// Adds what another thread noted; gives the numbers that its origins have here.
    pub(crate) fn merge(&mut self, other: Self) -> Vec<u32> {
        self.has_too_many |= other.has_too_many;
        self.has_too_many_processes |= other.has_too_many_processes;
        let numbers: Vec<u32> = other.list.into_iter().map(|origin| self.number(origin)).collect();
        let here = |origin: u32| numbers[origin as usize];
        self.starts.extend(other.starts.into_iter().map(|start| Start { origin: here(start.origin), ..start }));
        if self.starts.len() > STARTS_MAX {
            self.cut_starts();
        }
        for ((origin, value), process) in other.processes {
            self.note_process((here(origin), value), process);
        }
        numbers
    }

    /// Returns an origin by its number; none where they are too many to be distinguished.
    pub(crate) fn get(&self, number: u32) -> Option<&Origin> {
        self.list.get(number as usize).filter(|_| !self.has_too_many)
    }

    /// Returns an origin's number.
    pub(crate) fn number_of(&self, origin: &Origin) -> Option<u32> {
        self.numbers.get(origin).copied()
    }

    /// Starts in the order of time, those that were kept.
    pub(crate) fn starts(&self) -> Vec<Start> {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        starts
    }

    /// Returns the processes of each origin.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (&Origin, &Arc<str>, &Process)> {
        let all = self.processes.iter().filter(|_| !self.has_too_many && !self.has_too_many_processes);
        all.map(|((origin, value), process)| (&self.list[*origin as usize], value, process))
    }

    pub(crate) fn n_bytes(&self) -> usize {
        (self.list.len() + self.starts.len() + self.processes.len()) * ENTRY_BYTES
    }
}
