//! One table: what is in it, and how that becomes its next snapshot.
//!
//! ```text
//! NAME/data/day=2026-11-30/<segment>-<run>-<version>-<token>.parquet   events of one run on one day
//! NAME/metadata/<snapshot>-<day>.avro, .json   files of a day: for engines, and for the next snapshot
//! NAME/metadata/<snapshot>.avro                the manifests of a snapshot
//! NAME/metadata/v<N>-<token>.state.json        what this module knows (TableState)
//! NAME/metadata/v<N>.metadata.json             the table, version N (Apache Iceberg's specification, format version 2)
//! NAME/metadata/version-hint.text              N
//! ```
//!
//! Putting the next `v<N>.metadata.json`, which must not exist, is the commit: whoever reads the table sees all of a snapshot or nothing
//! of it. What a commit replaces stays for as long as older snapshots are kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{ensure, uuid_text};

use crate::error::PublishError;
use crate::manifest::{
    Counts, DataFile, DayManifest, FileKey, NewSnapshot, Status, day_field, manifest, manifest_list,
};
use crate::place::Place;
use crate::schema::{TIME_ID, TableSchema};

/// Files that nobody knows are removed once they are this old: they may belong to a commit that is on its way.
const ORPHAN_MS: i64 = 24 * 3_600_000;

/// What a table contains, in its words and ours.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct TableState {
    uuid: String,
    /// The store whose events it has.
    pub(crate) store: String,
    pub(crate) group: String,
    pub(crate) schema: TableSchema,
    /// The schemas of its snapshots, the latest last.
    schemas: Vec<Value>,
    manifests: Vec<DayManifest>,
    snapshots: Vec<TableSnapshot>,
    /// The number of its latest version.
    pub(crate) version: u64,
    /// The number of its latest snapshot.
    sequence: i64,
    /// What is no part of it any more, and since when.
    removed: Vec<Removed>,
    /// Tells this version from one that another server tried to make of the same.
    token: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct TableSnapshot {
    id: i64,
    parent: Option<i64>,
    sequence: i64,
    at_ms: i64,
    list: String,
    schema: u64,
    summary: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Removed {
    name: String,
    at_ms: i64,
}

/// What becomes of a table.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Files that are there already, but in no snapshot.
    pub(crate) added: Vec<DataFile>,
    pub(crate) removed: HashSet<FileKey>,
}

/// A table in its place.
pub(crate) struct Table<'a> {
    pub(crate) place: &'a Place,
    /// The folder.
    pub(crate) name: String,
    pub(crate) state: TableState,
}

/// How many bytes, files and rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: i64,
    pub(crate) rows: i64,
}

impl<'a> Table<'a> {
    /// Makes ready a table that has no snapshot yet.
    pub(crate) fn new(place: &'a Place, name: &str, store: &str, group: &str) -> Result<Self, PublishError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::from)?;
        let state = TableState {
            uuid: uuid_text(bytes),
            store: store.to_owned(),
            group: group.to_owned(),
            ..TableState::default()
        };
        Ok(Self { place, name: name.to_owned(), state })
    }

    /// Opens the latest version of a table; none where there is no table in the folder.
    pub(crate) fn open(place: &'a Place, name: &str) -> Result<Option<Self>, PublishError> {
        let Some((file, metadata)) = latest(place, name)? else { return Ok(None) };
        let damaged = |problem: &str| PublishError::Damaged { file: file.clone(), problem: problem.to_owned() };
        let taken = || PublishError::Taken { folder: place.url(name), owner: "another program".to_owned() };
        let of_state = metadata["properties"]["catat.state"].as_str().ok_or_else(taken)?;
        let state = place.get(&format!("{name}/{of_state}"))?.ok_or_else(|| damaged("its state is not there"))?;
        let state = serde_json::from_slice(&state).map_err(|error| damaged(&format!("its state: {error}")))?;
        Ok(Some(Self { place, name: name.to_owned(), state }))
    }

    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    fn url(&self, name: &str) -> String {
        self.place.url(&self.full(name))
    }

    /// Commits a change as the next snapshot; without one, lets go what is older than `keep_ms`.
    pub(crate) fn commit(&mut self, change: Option<Change>, now_ms: i64, keep_ms: i64) -> Result<(), PublishError> {
        let mut next = self.state.clone();
        // Someone may have removed the whole table, which then begins again.
        let is_there = next.version == 0 || self.place.get(&self.full(&version_name(next.version)))?.is_some();
        ensure!(is_there, PublishError::Overtaken(self.url("")));
        let forget = |names: Vec<String>| names.into_iter().map(move |name| Removed { name, at_ms: now_ms });
        if next.version > 0 {
            next.removed.extend(forget(vec![version_name(next.version), next.state_name()]));
        }
        if let Some(change) = change {
            let gone = self.snapshot(&mut next, change, now_ms)?;
            next.removed.extend(forget(gone));
        }
        let n_old = next.snapshots.len().saturating_sub(1);
        let old: Vec<TableSnapshot> = next.snapshots.extract_if(..n_old, |old| old.at_ms <= now_ms - keep_ms).collect();
        next.removed.extend(forget(old.into_iter().map(|snapshot| snapshot.list).collect()));
        let (used, latest) = (next.snapshots.iter().map(|snapshot| snapshot.schema), next.schema_id());
        let used: HashSet<u64> = used.chain([latest]).collect();
        next.schemas.retain(|schema| schema["schema-id"].as_u64().is_some_and(|id| used.contains(&id)));
        let due: Vec<Removed> = next.removed.extract_if(.., |removed| removed.at_ms <= now_ms - keep_ms).collect();
        (next.version, next.token) = (next.version + 1, random()?);
        self.publish(next, now_ms)?;
        for removed in due {
            // What stays is found again by `sweep`.
            self.place.remove(&self.full(&removed.name))?;
        }
        Ok(())
    }

    /// Writes the manifests of a change, and returns the names of what they replace.
    fn snapshot(&self, next: &mut TableState, change: Change, now_ms: i64) -> Result<Vec<String>, PublishError> {
        let id = (random()? >> 1) as i64;
        next.sequence += 1;
        let snapshot = NewSnapshot { id, parent: next.current().map(|(id, _)| id), sequence: next.sequence };
        let last = next.schemas.last();
        let schema_id = last.and_then(|known| known["schema-id"].as_u64()).map_or(0, |id| id + 1);
        let schema = next.schema.to_json(schema_id);
        if last.is_none_or(|known| known["fields"] != schema["fields"]) {
            next.schemas.push(schema);
        }
        // A manifest without files was in the snapshot that deleted them.
        next.manifests.retain(|manifest| !manifest.keys.is_empty());
        let (mut gone, mut counts) = (Vec::new(), Counts::default());
        let touches = |manifest: &DayManifest| manifest.keys.iter().any(|key| change.removed.contains(key));
        let mut days: BTreeSet<i64> = change.added.iter().map(|file| file.day).collect();
        days.extend(next.manifests.iter().filter(|manifest| touches(manifest)).map(|manifest| manifest.day));
        for day in days {
            let before = next.manifests.iter().position(|manifest| manifest.day == day);
            let before = before.map(|at| next.manifests.remove(at));
            let mut files = Vec::new();
            for file in before.as_ref().map_or(Ok(Vec::new()), |before| self.files_of(before))? {
                let is_removed = change.removed.contains(&file.key);
                gone.extend(is_removed.then(|| file.path.clone()));
                files.push((if is_removed { Status::Deleted } else { Status::Existing }, file));
            }
            gone.extend(before.into_iter().flat_map(|before| [files_name(&before.path), before.path]));
            let added = change.added.iter().filter(|file| file.day == day).cloned();
            let numbered = added.map(|file| DataFile { snapshot: id, sequence: next.sequence, ..file });
            files.extend(numbered.map(|file| (Status::Added, file)));
            let written = self.write_manifest(files, snapshot, next)?;
            (0..3).for_each(|status| {
                counts.files[status] += written.counts.files[status];
                counts.rows[status] += written.counts.rows[status];
            });
            next.manifests.push(written);
        }
        next.manifests.sort_by_key(|manifest| manifest.day);
        let list = format!("metadata/{id:019}.avro");
        let bytes = manifest_list(&next.manifests, snapshot, |name| self.url(name));
        self.place.put(&self.full(&list), bytes)?;
        let (parent, sequence, schema) = (snapshot.parent, snapshot.sequence, next.schema_id());
        let mut entry = TableSnapshot { id, parent, sequence, at_ms: now_ms, list, schema, summary: BTreeMap::new() };
        entry.summary = summary(counts, next.totals());
        next.snapshots.push(entry);
        Ok(gone)
    }

    /// Returns the files of the latest snapshot.
    pub(crate) fn files(&self) -> Result<Vec<DataFile>, PublishError> {
        let mut all = Vec::new();
        for manifest in self.state.manifests.iter().filter(|manifest| !manifest.keys.is_empty()) {
            all.extend(self.files_of(manifest)?);
        }
        Ok(all)
    }

    fn files_of(&self, manifest: &DayManifest) -> Result<Vec<DataFile>, PublishError> {
        let name = self.full(&files_name(&manifest.path));
        let damaged = |problem: String| PublishError::Damaged { file: name.clone(), problem };
        let bytes = self.place.get(&name)?.ok_or_else(|| damaged("is not there".to_owned()))?;
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))
    }

    fn write_manifest(
        &self,
        files: Vec<(Status, DataFile)>,
        snapshot: NewSnapshot,
        next: &TableState,
    ) -> Result<DayManifest, PublishError> {
        let day = files.first().map_or(0, |(_, file)| file.day);
        let path = format!("metadata/{:019}-{day}.avro", snapshot.id);
        let schema = next.schemas.last().expect("a snapshot has a schema");
        let (bytes, counts) = manifest(&files, snapshot, schema, |name| self.url(name));
        let n_bytes = bytes.len() as u64;
        self.place.put(&self.full(&path), bytes)?;
        let left: Vec<&DataFile> =
            files.iter().filter(|(status, _)| *status != Status::Deleted).map(|(_, file)| file).collect();
        let as_json = serde_json::to_vec(&left).map_err(std::io::Error::from)?;
        self.place.put(&self.full(&files_name(&path)), as_json)?;
        Ok(DayManifest {
            day,
            path,
            bytes: n_bytes,
            snapshot: snapshot.id,
            sequence: snapshot.sequence,
            sequence_min: left.iter().map(|file| file.sequence).min().unwrap_or(snapshot.sequence),
            counts,
            keys: left.iter().map(|file| file.key.clone()).collect(),
        })
    }

    /// Puts the next version, after which it is the table.
    fn publish(&mut self, next: TableState, now_ms: i64) -> Result<(), PublishError> {
        let state = serde_json::to_vec(&next).map_err(std::io::Error::from)?;
        self.place.put(&self.full(&next.state_name()), state)?;
        let metadata = self.metadata(&next, now_ms).to_string();
        if !self.place.put_new(&self.full(&version_name(next.version)), metadata.into_bytes())? {
            return Err(PublishError::Overtaken(self.url("")));
        }
        // A hint that is behind is followed to the latest version.
        let hint = next.version.to_string().into_bytes();
        self.state = next;
        Ok(self.place.put(&self.full(HINT), hint)?)
    }

    /// Describes a table ("Table Metadata" in Iceberg's specification).
    fn metadata(&self, state: &TableState, now_ms: i64) -> Value {
        let of_snapshot = |snapshot: &TableSnapshot| {
            let mut described = json!({
                "snapshot-id": snapshot.id, "sequence-number": snapshot.sequence, "timestamp-ms": snapshot.at_ms,
                "manifest-list": self.url(&snapshot.list), "schema-id": snapshot.schema, "summary": snapshot.summary,
            });
            if let Some(parent) = snapshot.parent {
                described["parent-snapshot-id"] = parent.into();
            }
            described
        };
        let versions = state.removed.iter().filter(|removed| removed.name.ends_with(".metadata.json"));
        let log = |removed: &Removed| json!({"metadata-file": self.url(&removed.name), "timestamp-ms": removed.at_ms});
        let current = state.snapshots.last().map_or(-1, |snapshot| snapshot.id);
        let sorted =
            json!({"transform": "identity", "source-id": TIME_ID, "direction": "asc", "null-order": "nulls-first"});
        json!({
            "format-version": 2,
            "table-uuid": state.uuid,
            "location": self.place.url(&self.name),
            "last-sequence-number": state.sequence,
            "last-updated-ms": now_ms,
            "last-column-id": state.schema.last_id(),
            "current-schema-id": state.schema_id(),
            "schemas": state.schemas,
            "default-spec-id": 0,
            "partition-specs": [{"spec-id": 0, "fields": [day_field()]}],
            "last-partition-id": crate::manifest::DAY_ID,
            "default-sort-order-id": 1,
            "sort-orders": [{"order-id": 0, "fields": []}, {"order-id": 1, "fields": [sorted]}],
            "properties": {"catat.state": state.state_name(), "catat.group": state.group, "catat.store": state.store,
                "write.parquet.compression-codec": "zstd"},
            "current-snapshot-id": current,
            "refs": {"main": {"snapshot-id": current, "type": "branch"}},
            "snapshots": state.snapshots.iter().map(of_snapshot).collect::<Vec<_>>(),
            "snapshot-log": state.snapshots.iter()
                .map(|snapshot| json!({"snapshot-id": snapshot.id, "timestamp-ms": snapshot.at_ms})).collect::<Vec<_>>(),
            "metadata-log": versions.map(log).collect::<Vec<_>>(),
        })
    }

    /// Removes files that nobody knows: those of commits that were broken off.
    pub(crate) fn sweep(&self, now_ms: i64) -> Result<(), PublishError> {
        let TableState { manifests, snapshots, removed, version, .. } = &self.state;
        let mut known: HashSet<String> =
            [HINT.to_owned(), version_name(*version), self.state.state_name()].into_iter().collect();
        known.extend(snapshots.iter().map(|snapshot| snapshot.list.clone()));
        known.extend(removed.iter().map(|removed| removed.name.clone()));
        for manifest in manifests {
            known.extend([manifest.path.clone(), files_name(&manifest.path)]);
        }
        known.extend(self.files()?.into_iter().map(|file| file.path));
        for listed in self.place.list(&self.name)? {
            let name = listed.name.strip_prefix(&self.full("")).unwrap_or(&listed.name);
            if listed.changed_ms < now_ms - ORPHAN_MS && !known.contains(name) {
                self.place.remove(&listed.name)?;
            }
        }
        Ok(())
    }
}

impl TableState {
    /// Whose events it has.
    pub(crate) fn keys(&self) -> BTreeMap<&FileKey, BTreeSet<i64>> {
        let mut keys: BTreeMap<&FileKey, BTreeSet<i64>> = BTreeMap::new();
        for manifest in &self.manifests {
            for key in &manifest.keys {
                keys.entry(key).or_default().insert(manifest.day);
            }
        }
        keys
    }

    /// The latest snapshot, and when it was made.
    pub(crate) fn current(&self) -> Option<(i64, i64)> {
        self.snapshots.last().map(|snapshot| (snapshot.id, snapshot.at_ms))
    }

    pub(crate) fn totals(&self) -> Totals {
        self.manifests.iter().fold(Totals::default(), |all, DayManifest { counts, .. }| Totals {
            files: all.files + i64::from(counts.files[0] + counts.files[1]),
            rows: all.rows + counts.rows[0] + counts.rows[1],
        })
    }

    /// Reports whether something is kept longer than `keep_ms`.
    pub(crate) fn has_old(&self, now_ms: i64, keep_ms: i64) -> bool {
        let n_old = self.snapshots.len().saturating_sub(1);
        self.snapshots[..n_old].iter().any(|snapshot| snapshot.at_ms <= now_ms - keep_ms)
            || self.removed.iter().any(|removed| removed.at_ms <= now_ms - keep_ms)
    }

    /// The number of the latest schema.
    fn schema_id(&self) -> u64 {
        self.schemas.last().and_then(|schema| schema["schema-id"].as_u64()).unwrap_or(0)
    }

    fn state_name(&self) -> String {
        format!("metadata/v{}-{:016x}.state.json", self.version, self.token)
    }
}

/// Draws a number that no one else has drawn.
pub(crate) fn random() -> Result<u64, PublishError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(std::io::Error::from)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The name under which engines find the latest version.
const HINT: &str = "metadata/version-hint.text";

fn version_name(version: u64) -> String {
    format!("metadata/v{version}.metadata.json")
}

/// The name of the list of a manifest's files.
fn files_name(manifest: &str) -> String {
    format!("{}.json", manifest.trim_end_matches(".avro"))
}

/// Finds the latest version of a table: its name, and what it says.
pub(crate) fn latest(place: &Place, table: &str) -> Result<Option<(String, Value)>, PublishError> {
    let hint = place.get(&format!("{table}/{HINT}"))?.unwrap_or_default();
    let mut version: u64 = std::str::from_utf8(&hint).ok().and_then(|hint| hint.trim().parse().ok()).unwrap_or(0);
    let read = |version: u64| place.get(&format!("{table}/{}", version_name(version)));
    let mut found = if version == 0 { None } else { read(version)? };
    while let Some(later) = read(version + 1)? {
        (version, found) = (version + 1, Some(later));
    }
    let file = place.url(&format!("{table}/{}", version_name(version)));
    let Some(found) = found else {
        let problem = "version-hint.text names it, and it is not there".to_owned();
        return if version == 0 { Ok(None) } else { Err(PublishError::Damaged { file, problem }) };
    };
    let metadata = serde_json::from_slice(&found)
        .map_err(|error| PublishError::Damaged { file: file.clone(), problem: error.to_string() })?;
    Ok(Some((file, metadata)))
}

/// Says what a snapshot does ("Optional Snapshot Summary Fields").
fn summary(counts: Counts, totals: Totals) -> BTreeMap<String, String> {
    let [_, n_added, n_deleted] = counts.files;
    let operation = match (n_added, n_deleted) {
        (_, 0) => "append",
        (0, _) => "delete",
        _ => "overwrite",
    };
    let numbers = [
        ("added-data-files", i64::from(n_added)),
        ("deleted-data-files", i64::from(n_deleted)),
        ("added-records", counts.rows[Status::Added as usize]),
        ("deleted-records", counts.rows[Status::Deleted as usize]),
        ("total-data-files", totals.files),
        ("total-records", totals.rows),
        ("total-delete-files", 0),
        ("total-position-deletes", 0),
        ("total-equality-deletes", 0),
    ];
    let numbers = numbers.into_iter().map(|(name, number)| (name.to_owned(), number.to_string()));
    numbers.chain([("operation".to_owned(), operation.to_owned())]).collect()
}
