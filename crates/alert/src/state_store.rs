//! Where a state is saved: on a machine of its own in a file, in a fleet in the control store.
//!
//! In a fleet a state is records, so that a save writes only those that have changed. A record is a JSON text
//! `[[section, name, …], value]`: the place in the state as JSON, and what is there. Its key is the SHA-256 of the place, which
//! may be long. The record with the key `format` holds the version of this form.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use storage::{LeasedState, StateChange};

use crate::state_file::{StateError, StateFile};

/// The version of records.
const VERSION: u32 = 1;

/// The key of the record with the version.
const FORMAT: &str = "format";

/// The name of a state, and its division into records.
pub struct StateKind {
    /// The name of its file, and the name of the format in the file.
    pub file: (&'static str, &'static str),
    /// The name of the state in a fleet.
    pub shared: &'static str,
    /// Returns the number of names that lead to a record of a section.
    pub depth: fn(&str) -> usize,
}

/// A place for a state.
pub struct StateStore(Place);

enum Place {
    /// A file that only this machine uses.
    File(StateFile),
    /// The control store of a fleet.
    Fleet(FleetState),
}

/// A state that the nodes of a fleet share, with the records that it had when it was last read or saved.
struct FleetState {
    leased: LeasedState,
    depth: fn(&str) -> usize,
    known: Mutex<KnownRecords>,
}

#[derive(Default)]
struct KnownRecords {
    version: u64,
    texts: BTreeMap<String, String>,
}

impl StateStore {
    /// Opens a state: `leased` in a fleet, else the file in `dir`.
    pub fn open<T: DeserializeOwned + Default>(
        kind: &StateKind,
        dir: &Path,
        leased: Option<LeasedState>,
    ) -> Result<(Self, T), StateError> {
        let Some(leased) = leased else {
            let (file, kept) = StateFile::open_named(dir, kind.file.0, kind.file.1)?;
            return Ok((Self(Place::File(file)), kept));
        };
        let store = Self(Place::Fleet(FleetState { leased, depth: kind.depth, known: Mutex::default() }));
        let kept = store.news()?.unwrap_or_default();
        Ok((store, kept))
    }

    /// Reports whether several nodes share it.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Place::Fleet(_))
    }

    /// Reports whether this process may save it, as far as it knows.
    pub fn is_held(&self) -> bool {
        match &self.0 {
            Place::File(_) => true,
            Place::Fleet(state) => state.leased.is_held(),
        }
    }

    /// Saves the state. It is durable when this returns. In a fleet it is refused if another node has the lease or has
    /// saved meanwhile ([`StateError::is_refused`]).
    pub fn save<T: Serialize>(&self, kept: &T) -> Result<(), StateError> {
        match &self.0 {
            Place::File(file) => file.save(kept),
            Place::Fleet(state) => state.save(records_of(kept, state.depth)),
        }
    }

    /// Checks that this process may act on what it has saved.
    pub fn confirm(&self) -> Result<(), StateError> {
        match &self.0 {
            Place::File(_) => Ok(()),
            Place::Fleet(state) => {
                let version = state.known().version;
                Ok(state.leased.save(&StateChange { version, ..StateChange::default() }).map(|_| ())?)
            }
        }
    }

    /// Returns the state if it was saved since it was last read here; never for a file.
    pub fn news<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        let Place::Fleet(state) = &self.0 else { return Ok(None) };
        let mut known = state.known();
        let Some(news) = state.leased.news(known.version)? else { return Ok(None) };
        let mut before = std::mem::take(&mut known.texts);
        for (key, text) in news.records {
            if let Some(text) = text.or_else(|| before.remove(&key)) {
                known.texts.insert(key, text);
            }
        }
        known.version = news.version;
        let kept = state_of(&known.texts);
        if kept.is_err() {
            // Records that cannot be read must not count as known: a save would replace them.
            *known = KnownRecords::default();
        }
        kept.map(Some)
    }

    /// Forgets what was read, so that all of it is read again.
    pub fn forget(&self) {
        if let Place::Fleet(state) = &self.0 {
            *state.known() = KnownRecords::default();
        }
    }
}

impl FleetState {
    fn known(&self) -> MutexGuard<'_, KnownRecords> {
        // A panic may leave a version without its records: both are forgotten, and a save is refused until all is read.
        self.known.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut known = poisoned.into_inner();
            *known = KnownRecords::default();
            known
        })
    }

    fn save(&self, texts: BTreeMap<String, String>) -> Result<(), StateError> {
        let mut known = self.known();
        let changed = texts.iter().filter(|(key, text)| known.texts.get(*key) != Some(*text));
        let change = StateChange {
            version: known.version,
            put: changed.map(|(key, text)| (key.as_str(), text.as_str())).collect(),
            removed: known.texts.keys().filter(|key| !texts.contains_key(*key)).map(String::as_str).collect(),
        };
        let version = self.leased.save(&change)?;
        *known = KnownRecords { version, texts };
        Ok(())
    }
}

/// Divides a state into records, by their keys.
fn records_of<T: Serialize>(kept: &T, depth: fn(&str) -> usize) -> BTreeMap<String, String> {
    let state = serde_json::to_value(kept).expect("the state is maps with string keys, strings and numbers");
    let mut records = BTreeMap::from([(FORMAT.to_owned(), VERSION.to_string())]);
    for (section, value) in state.as_object().into_iter().flatten() {
        divide(&mut vec![section], value, depth(section), &mut records);
    }
    records
}

fn divide<'a>(path: &mut Vec<&'a str>, value: &'a Json, depth: usize, records: &mut BTreeMap<String, String>) {
    match value.as_object().filter(|members| path.len() < depth && !members.is_empty()) {
        Some(members) => {
            for (name, value) in members {
                path.push(name);
                divide(path, value, depth, records);
                path.pop();
            }
        }
        None => {
            let place = json!(path).to_string();
            records.insert(HEXLOWER.encode(&Sha256::digest(&place)), format!("[{place},{value}]"));
        }
    }
}

/// Builds a state from its records.
fn state_of<T: DeserializeOwned>(texts: &BTreeMap<String, String>) -> Result<T, StateError> {
    let damaged = |problem: String| StateError::Record { problem };
    let version = texts.get(FORMAT).map_or("", String::as_str);
    match version.parse::<u32>() {
        Ok(VERSION) => {}
        Ok(found) if found > VERSION => return Err(StateError::NewerRecords { found, known: VERSION }),
        _ => return Err(damaged(format!("its format is {version:?} and not a number"))),
    }
    let mut state = Json::Object(Map::new());
    for text in texts.iter().filter(|(key, _)| *key != FORMAT).map(|(_, text)| text) {
        let (path, value): (Vec<String>, Json) =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let mut place = &mut state;
        for name in path {
            let members = place.as_object_mut().ok_or_else(|| damaged(format!("{name:?} is in no object")))?;
            place = members.entry(name).or_insert_with(|| Json::Object(Map::new()));
        }
        *place = value;
    }
    serde_json::from_value(state).map_err(|error| damaged(error.to_string()))
}
