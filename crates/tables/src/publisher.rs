//! Publishes groups as tables, again and again: what the store has in segments, and the tables not, is added; what the tables have
//! and the store not, is removed.
//!
//! What a table has follows from what the store has at one instant, so that nothing needs to be remembered between rounds, or
//! across the end of the process. A segment and those that compaction makes of it change in one commit.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use storage::Store;
use types::{GroupName, GroupPattern, Hold, Run, TimeRange, Timestamp};

use crate::data_file::{BlockRows, days_of, write_file};
use crate::error::PublishError;
use crate::manifest::{DataFile, FileKey};
use crate::place::{Place, PlaceOptions};
use crate::schema::{Kind, TableSchema};
use crate::table::{Change, Table, TableState, latest, random};

/// Files that one commit adds, unless they belong together.
const FILES_AT_ONCE: usize = 32;

/// What names of groups begin with that the server writes itself.
const OWN_GROUPS: &str = "catat/";

/// Which groups are published, and where.
#[derive(Clone, Debug)]
pub struct TablesOptions {
    /// Where the tables are.
    pub place: PlaceOptions,
    /// Groups that are published.
    pub groups: Vec<GroupPattern>,
    /// Pause between rounds.
    pub interval: Duration,
    /// How long snapshots, and with them what was deleted, can still be read.
    pub keep: Duration,
    /// Where files are made before they are put; its contents are removed at the start.
    pub scratch: PathBuf,
}

/// A table, as people ask for it.
#[derive(Clone, Debug, Serialize)]
pub struct TableStatus {
    /// The group whose events it has.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its folder or the beginning of its objects' names.
    pub location: String,
    /// Events.
    pub rows: i64,
    /// Data files.
    pub files: i64,
    /// Columns.
    pub columns: usize,
    /// The latest snapshot.
    pub snapshot: Option<i64>,
    /// When the latest snapshot was made.
    pub published: Option<String>,
    /// Why the latest round failed.
    pub error: Option<String>,
}

/// The tables of a store.
pub struct Tables {
    store: Arc<Store>,
    options: TablesOptions,
    place: Place,
    statuses: Mutex<BTreeMap<String, TableStatus>>,
    /// Why the place could not be read, if it could not.
    failure: Mutex<Option<String>>,
    /// Tables by group, as this process has left them.
    known: Mutex<BTreeMap<String, KnownTable>>,
    /// Tables that were swept since the start.
    swept: Mutex<HashSet<String>>,
    closing: Mutex<bool>,
    closed: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A table, and what it has; nothing is known of that before the first commit, and after one that failed. The name stays, as another
/// group may have one that differs in punctuation alone.
struct KnownTable {
    name: String,
    state: Option<TableState>,
}

/// Runs that the store has and a table not, and the other way round, whose days overlap.
#[derive(Default)]
struct Difference {
    added: Vec<(FileKey, Arc<dyn Run>)>,
    removed: HashSet<FileKey>,
}

impl Tables {
    /// Publishes the groups of a store from now on, until [`close`](Self::close).
    ///
    /// # Errors
    /// If the place cannot be used at all.
    pub fn start(store: Arc<Store>, options: TablesOptions) -> Result<Arc<Self>, String> {
        let place = Place::open(&options.place)?;
        let failed = |error: std::io::Error| format!("{}: {error}", options.scratch.display());
        match std::fs::remove_dir_all(&options.scratch) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => std::fs::create_dir_all(&options.scratch).map_err(failed)?,
        }
        let tables = Arc::new(Self::new(store, options, place));
        let own = tables.clone();
        let thread = std::thread::Builder::new().name("tables".into()).spawn(move || own.run());
        *tables.thread.hold() = Some(thread.map_err(|error| error.to_string())?);
        Ok(tables)
    }

    fn new(store: Arc<Store>, options: TablesOptions, place: Place) -> Self {
        Self {
            store,
            options,
            place,
            statuses: Mutex::default(),
            failure: Mutex::default(),
            known: Mutex::default(),
            swept: Mutex::default(),
            closing: Mutex::default(),
            closed: Condvar::new(),
            thread: Mutex::default(),
        }
    }

    /// Ends the work. What is not committed is not published.
    pub fn close(&self) {
        *self.closing.hold() = true;
        self.closed.notify_all();
        if let Some(thread) = self.thread.hold().take() {
            // A panic was reported where it happened.
            let _ = thread.join();
        }
    }

    /// Returns all tables, by group.
    pub fn statuses(&self) -> Vec<TableStatus> {
        self.statuses.hold().values().cloned().collect()
    }

    /// Returns why the place of the tables cannot be read, if it cannot.
    pub fn failure(&self) -> Option<String> {
        self.failure.hold().clone()
    }

    /// Returns the latest version of the table with this name: where it is, and what it says.
    pub fn latest(&self, name: &str) -> Result<Option<(String, Value)>, PublishError> {
        latest(&self.place, name)
    }

    fn run(&self) {
        loop {
            self.round();
            let closing = self.closing.hold();
            let is_open = |closing: &mut bool| !*closing;
            let waited = self.closed.wait_timeout_while(closing, self.options.interval, is_open);
            if waited.map_or_else(|error| *error.into_inner().0, |(closing, _)| *closing) {
                return;
            }
        }
    }

    fn must_go_on(&self) -> Result<(), PublishError> {
        if *self.closing.hold() { Err(PublishError::Closing) } else { Ok(()) }
    }

    /// Publishes what is new in every group. One group that fails does not keep the others.
    fn round(&self) {
        // A store that has lost who may read it gives nothing away.
        if let Some(reason) = self.store.locked() {
            *self.failure.hold() = Some(reason.to_owned());
            return;
        }
        // In a fleet one node publishes, and all tell of it.
        let publishes = self.store.has_alerts();
        let mut known = self.known.hold();
        if !publishes || known.is_empty() {
            match self.find() {
                Ok(found) => *known = found,
                Err(error) => {
                    tracing::warn!(%error, place = self.place.url(""), "tables cannot be listed");
                    *self.failure.hold() = Some(error.to_string());
                    return;
                }
            }
            *self.failure.hold() = None;
        }
        let is_chosen = |group: &GroupName| {
            // A pattern for everything leaves out the audit log: everybody who can read the place could read it there.
            let is_own = group.as_str().starts_with(OWN_GROUPS);
            let names = |pattern: &GroupPattern| {
                !(is_own && pattern.as_str().starts_with('*')) && pattern.matches(group.as_str())
            };
            !group.has_samples() && self.options.groups.iter().any(names)
        };
        let groups: Vec<GroupName> = self.store.groups().into_iter().map(|group| group.name).collect();
        for group in
            groups.iter().filter(|group| is_chosen(group) && !known.contains_key(group.as_str())).collect::<Vec<_>>()
        {
            let name = free_name(group.as_str(), &known.values().map(|table| table.name.clone()).collect());
            known.insert(group.as_str().to_owned(), KnownTable { name, state: None });
        }
        for (group, table) in known.iter_mut() {
            let of_store = groups.iter().find(|of_store| of_store.as_str() == group);
            // A table whose group is gone loses its events; one that is not chosen any more stays as it is.
            let outcome = if publishes && of_store.is_none_or(is_chosen) { self.publish(group, table) } else { Ok(()) };
            self.tell(group, table, outcome);
        }
    }

    /// Finds the tables that are in the place, by group.
    fn find(&self) -> Result<BTreeMap<String, KnownTable>, PublishError> {
        let mut found = BTreeMap::new();
        for name in self.place.folders()? {
            match Table::open(&self.place, &name) {
                Ok(Some(table)) => {
                    found.insert(table.state.group.clone(), KnownTable { name, state: Some(table.state) });
                }
                Ok(None) | Err(PublishError::Taken { .. }) => {}
                Err(error) => tracing::warn!(%error, name, "a table cannot be read"),
            }
        }
        Ok(found)
    }

    /// Keeps what became of a table in this round.
    fn tell(&self, group: &str, table: &KnownTable, outcome: Result<(), PublishError>) {
        let error = match outcome {
            Err(PublishError::Closing) => return,
            Err(error) => {
                tracing::warn!(%error, group, "a group is not published");
                Some(error.to_string())
            }
            Ok(()) => None,
        };
        let state = table.state.as_ref();
        if state.is_none() && error.is_none() {
            return;
        }
        let totals = state.map(TableState::totals).unwrap_or_default();
        let current = state.and_then(TableState::current);
        let status = TableStatus {
            group: group.to_owned(),
            name: table.name.clone(),
            location: self.place.url(&table.name),
            rows: totals.rows,
            files: totals.files,
            columns: state.map_or(0, |state| state.schema.columns.len() + 1),
            snapshot: current.map(|(id, _)| id),
            published: current.map(|(_, at_ms)| Timestamp(at_ms * Timestamp::MILLISECOND).to_string()),
            error,
        };
        self.statuses.hold().insert(group.to_owned(), status);
    }

    /// Brings the table of a group up to date.
    fn publish(&self, group: &str, known: &mut KnownTable) -> Result<(), PublishError> {
        let store = types::hexadecimal(&self.store.uuid());
        let name = known.name.clone();
        let mut table = match known.state.take() {
            Some(state) => Table { place: &self.place, name: name.clone(), state },
            None => match Table::open(&self.place, &name)? {
                Some(table) => table,
                None => Table::new(&self.place, &name, &store, group)?,
            },
        };
        if (&*table.state.store, &*table.state.group) != (&*store, group) {
            let owner = format!("the group {} of store {}", table.state.group, table.state.store);
            return Err(PublishError::Taken { folder: self.place.url(&name), owner });
        }
        if table.state.version > 0 && self.swept.hold().insert(name) {
            table.sweep(now_ms())?;
        }
        let snapshot = self.store.snapshot(&[GroupPattern::new(group)], TimeRange::ALL);
        // What cannot be read now is not gone.
        if let Some(damage) = snapshot.damaged.into_iter().next() {
            return Err(damage.into());
        }
        for difference in differences(&table.state, runs_of(snapshot.runs)) {
            let change = self.make(&mut table, difference)?;
            table.commit(Some(change), now_ms(), self.keep_ms())?;
        }
        if table.state.has_old(now_ms(), self.keep_ms()) {
            table.commit(None, now_ms(), self.keep_ms())?;
        }
        known.state = (table.state.version > 0).then_some(table.state);
        Ok(())
    }

    fn keep_ms(&self) -> i64 {
        i64::try_from(self.options.keep.as_millis()).unwrap_or(i64::MAX)
    }

    /// Makes and puts the files of a difference.
    fn make(&self, table: &mut Table<'_>, difference: Difference) -> Result<Change, PublishError> {
        let mut change = Change { added: Vec::new(), removed: difference.removed };
        for (key, run) in difference.added {
            table.state.schema.add(&run.fields()?);
            for (day, parts) in days_of(&*run)? {
                self.must_go_on()?;
                change.added.push(self.put_file(table, (&key, day), &*run, &parts)?);
            }
        }
        Ok(change)
    }

    fn put_file(
        &self,
        table: &mut Table<'_>,
        (key, day): (&FileKey, i64),
        run: &dyn Run,
        parts: &[BlockRows],
    ) -> Result<DataFile, PublishError> {
        // Another node that has the lease now may write the same run with other numbers of columns.
        let token = random()?;
        let scratch = self.options.scratch.join(format!("{token:016x}.parquet"));
        let (rows, columns) = write_with(run, parts, &mut table.state.schema, &scratch)?;
        let FileKey { segment, run, version } = key;
        let date = Timestamp(day * Timestamp::DAY).to_string();
        let path = format!(
            "data/day={}/{segment}-{run}-{version:08x}-{token:016x}.parquet",
            &date[..date.find('T').unwrap_or(0)]
        );
        let bytes = std::fs::metadata(&scratch)?.len();
        self.place.put_file(&format!("{}/{path}", table.name), &scratch)?;
        std::fs::remove_file(&scratch)?;
        Ok(DataFile { key: key.clone(), path, day, rows, bytes, snapshot: 0, sequence: 0, columns })
    }
}

/// Writes a file, with another column if the values turn out to need one.
fn write_with(
    run: &dyn Run,
    parts: &[BlockRows],
    schema: &mut TableSchema,
    path: &Path,
) -> Result<(u64, Vec<crate::data_file::ColumnMetrics>), PublishError> {
    loop {
        match write_file(run, parts, schema, std::fs::File::create(path)?) {
            Err(PublishError::NeedsLongs(field)) => schema.add_column(&field, Kind::Long),
            written => return written,
        }
    }
}

/// Returns the runs that are in segments, by their places.
fn runs_of(runs: Vec<Arc<dyn Run>>) -> BTreeMap<FileKey, Arc<dyn Run>> {
    let key_of = |run: Arc<dyn Run>| {
        let key = run.info().key?;
        Some((FileKey { segment: format!("{:032x}", key.segment), run: key.run, version: key.version }, run))
    };
    runs.into_iter().filter_map(key_of).collect()
}

/// The days of a run that is to be added, or of what a table has and the store not.
struct DaySpan {
    first: i64,
    last: i64,
    key: FileKey,
    run: Option<Arc<dyn Run>>,
}

/// Cuts the difference between a table and the store into parts that may be committed one after the other: an event that moved from
/// one segment to another stays within its day, so that what shares no day is independent.
fn differences(table: &TableState, mut runs: BTreeMap<FileKey, Arc<dyn Run>>) -> Vec<Difference> {
    let mut spans: Vec<DaySpan> = Vec::new();
    for (key, days) in table.keys() {
        let span = days.first().zip(days.last());
        if let (None, Some((first, last))) = (runs.remove(key), span) {
            spans.push(DaySpan { first: *first, last: *last, key: key.clone(), run: None });
        }
    }
    spans.extend(runs.into_iter().map(|(key, run)| {
        let info = run.info();
        DaySpan { first: info.first.day(), last: info.last.day(), key, run: Some(run) }
    }));
    spans.sort_by(|a, b| (a.first, a.last, &a.key).cmp(&(b.first, b.last, &b.key)));
    let mut parts: Vec<Difference> = Vec::new();
    let mut last_day = i64::MIN;
    for DaySpan { first, last, key, run } in spans {
        let has_room = parts.last().is_some_and(|part| part.added.len() < FILES_AT_ONCE);
        if !(has_room || first <= last_day) {
            parts.push(Difference::default());
        }
        last_day = last_day.max(last);
        let Some(part) = parts.last_mut() else { continue };
        match run {
            Some(run) => part.added.push((key, run)),
            None => _ = part.removed.insert(key),
        }
    }
    parts
}

/// Returns the name for the table of a group: what engines take without quotes, and no other table has.
fn free_name(group: &str, taken: &HashSet<String>) -> String {
    let plain: String =
        group.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("t_{plain}") } else { plain };
    let others = (2..).map(|n: u32| format!("{plain}_{n}"));
    std::iter::once(plain.clone()).chain(others).find(|name| !taken.contains(name)).unwrap_or_default()
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
