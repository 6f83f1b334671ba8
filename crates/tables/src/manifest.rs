//! Manifests: which files a table has. One manifest has the files of one day, a manifest list the manifests of one snapshot.
//!
//! Source: Apache Iceberg's specification, format version 2, "Manifests" and "Snapshots". Field ids are those of the tables there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::avro::{AvroFile, put_array, put_bytes, put_long, put_optional};
use crate::data_file::ColumnMetrics;
use crate::schema::TIME_ID;

/// Id of the partition field.
pub(crate) const DAY_ID: i32 = 1000;

/// A run's place in the store, by which published files are known again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(crate) struct FileKey {
    /// The segment, as 32 hexadecimal digits.
    pub(crate) segment: String,
    /// The run's place in it.
    pub(crate) run: u32,
    /// The version of the run: another one once some of its events are deleted.
    pub(crate) version: u32,
}

/// A file of a table.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct DataFile {
    /// Whose events it has.
    #[serde(flatten)]
    pub(crate) key: FileKey,
    /// Its name, relative to the table.
    pub(crate) path: String,
    /// The day of its events, since the epoch.
    pub(crate) day: i64,
    /// Events.
    pub(crate) rows: u64,
    /// Bytes.
    pub(crate) bytes: u64,
    /// The snapshot that added it.
    pub(crate) snapshot: i64,
    /// The number of that snapshot in the order of the table.
    pub(crate) sequence: i64,
    /// What is known of its columns.
    pub(crate) columns: Vec<ColumnMetrics>,
}

/// What a snapshot does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Existing = 0,
    Added = 1,
    Deleted = 2,
}

/// Counts of a manifest: existing, added, deleted, by [`Status`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Counts {
    pub(crate) files: [i32; 3],
    pub(crate) rows: [i64; 3],
}

/// A manifest, as a manifest list has it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct DayManifest {
    pub(crate) day: i64,
    /// Name of the manifest, relative to the table; what it says stands as JSON under the same name with another ending.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) snapshot: i64,
    pub(crate) sequence: i64,
    /// The lowest sequence of a file that is not deleted.
    pub(crate) sequence_min: i64,
    pub(crate) counts: Counts,
    /// Whose events its files have, deleted ones left out.
    pub(crate) keys: Vec<FileKey>,
}

/// The snapshot to which something is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewSnapshot {
    pub(crate) id: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) sequence: i64,
}

impl NewSnapshot {
    fn sync(self, salt: i64) -> [u8; 16] {
        let mut sync = [0; 16];
        sync[..8].copy_from_slice(&self.id.to_be_bytes());
        sync[8..].copy_from_slice(&salt.to_be_bytes());
        sync
    }
}

/// Writes a manifest with the files of a day. `url` makes a name absolute.
pub(crate) fn manifest(
    files: &[(Status, DataFile)],
    snapshot: NewSnapshot,
    schema: &Value,
    url: impl Fn(&str) -> String,
) -> (Vec<u8>, Counts) {
    let metadata = [
        ("schema", schema.to_string()),
        ("schema-id", schema["schema-id"].to_string()),
        ("partition-spec", json!([day_field()]).to_string()),
        ("partition-spec-id", "0".to_owned()),
        ("format-version", "2".to_owned()),
        ("content", "data".to_owned()),
        ("avro.schema", avro_schema(include_str!("manifest/entry.avsc"))),
        ("avro.codec", "null".to_owned()),
    ];
    let mut counts = Counts::default();
    let day = files.first().map_or(0, |(_, file)| file.day);
    let mut out = AvroFile::new(&metadata, snapshot.sync(day));
    for (status, file) in files {
        counts.files[*status as usize] += 1;
        counts.rows[*status as usize] += file.rows as i64;
        out.add(|out| put_entry(out, *status, file, snapshot, &url(&file.path)));
    }
    (out.finish(), counts)
}

/// The partition field of all tables.
pub(crate) fn day_field() -> Value {
    json!({"source-id": TIME_ID, "field-id": DAY_ID, "name": "day", "transform": "day"})
}

fn put_entry(out: &mut Vec<u8>, status: Status, file: &DataFile, snapshot: NewSnapshot, path: &str) {
    put_long(out, status as i64);
    // A deleted file names the snapshot that deleted it.
    put_optional(out, Some(if status == Status::Deleted { snapshot.id } else { file.snapshot }), put_long);
    put_optional(out, Some(file.sequence), put_long);
    put_optional(out, Some(file.sequence), put_long);
    put_long(out, 0);
    put_bytes(out, path.as_bytes());
    put_bytes(out, b"PARQUET");
    put_optional(out, Some(file.day), put_long);
    put_long(out, file.rows as i64);
    put_long(out, file.bytes as i64);
    let numbers = |number: fn(&ColumnMetrics) -> Option<i64>| {
        file.columns.iter().filter_map(|column| Some((column.id, number(column)?))).collect::<Vec<_>>()
    };
    for numbers in [numbers(|column| Some(column.bytes)), numbers(|column| Some(column.values)), numbers(|c| c.nulls)] {
        put_optional(out, Some(numbers), |out, numbers| {
            put_array(out, &numbers, |out, (id, number)| {
                put_long(out, i64::from(*id));
                put_long(out, *number);
            });
        });
    }
    let bounds = |bound: fn(&ColumnMetrics) -> Option<&Vec<u8>>| {
        file.columns.iter().filter_map(|column| Some((column.id, bound(column)?))).collect::<Vec<_>>()
    };
    for bounds in [bounds(|column| column.lower.as_ref()), bounds(|column| column.upper.as_ref())] {
        put_optional(out, Some(bounds), |out, bounds| {
            put_array(out, &bounds, |out, (id, bound)| {
                put_long(out, i64::from(*id));
                put_bytes(out, bound);
            });
        });
    }
    put_optional(out, Some(1), put_long);
}

/// Returns a schema of Avro as files have it: in one line, names in order.
fn avro_schema(text: &str) -> String {
    let schema: Value = serde_json::from_str(text).expect("the file is JSON");
    schema.to_string()
}

/// Writes a manifest list.
pub(crate) fn manifest_list(manifests: &[DayManifest], snapshot: NewSnapshot, url: impl Fn(&str) -> String) -> Vec<u8> {
    let metadata = [
        ("snapshot-id", snapshot.id.to_string()),
        ("parent-snapshot-id", snapshot.parent.map_or("null".to_owned(), |id| id.to_string())),
        ("sequence-number", snapshot.sequence.to_string()),
        ("format-version", "2".to_owned()),
        ("avro.schema", avro_schema(include_str!("manifest/list.avsc"))),
        ("avro.codec", "null".to_owned()),
    ];
    let mut out = AvroFile::new(&metadata, snapshot.sync(i64::MAX));
    for manifest in manifests {
        out.add(|out| {
            put_bytes(out, url(&manifest.path).as_bytes());
            put_long(out, manifest.bytes as i64);
            put_long(out, 0);
            put_long(out, 0);
            put_long(out, manifest.sequence);
            put_long(out, manifest.sequence_min);
            put_long(out, manifest.snapshot);
            let Counts { files: [n_existing, n_added, n_deleted], rows: [of_existing, of_added, of_deleted] } =
                manifest.counts;
            [n_added, n_existing, n_deleted].iter().for_each(|n| put_long(out, i64::from(*n)));
            [of_added, of_existing, of_deleted].iter().for_each(|n| put_long(out, *n));
            let day = (manifest.day as i32).to_le_bytes();
            put_optional(out, Some([day]), |out, days| {
                put_array(out, &days, |out, day| {
                    out.push(0);
                    put_optional(out, Some(0), |out, no| out.push(no));
                    put_optional(out, Some(day), |out, day| put_bytes(out, day));
                    put_optional(out, Some(day), |out, day| put_bytes(out, day));
                });
            });
        });
    }
    out.finish()
}
