//! Tables of a real store, read back by what every engine reads: the versions, their lists of files, the files.

use std::collections::BTreeMap;

use ingest::{Encoding, Format, IngestRequest, Intake, Sender};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, MapAccessor, RowAccessor};
use serde_json::json;
use storage::{DeletionOrder, Options, SequenceCollector};
use types::{EventId, GroupScope, RowSet};

use super::*;

const GROUP: &str = "app/Shop-api";
const DAY: i64 = 1_764_460_800;

struct Lab {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    intake: Intake,
}

/// A row of a table: its sequence, and the fields that it has.
type TableRow = (i64, BTreeMap<String, String>);

impl Lab {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options::new(dir.path().join("data"))).unwrap().0;
        let intake = Intake::new(store.clone(), types::Limits::default(), parse::Zone::UTC);
        Self { dir, store, intake }
    }

    /// Sends events and flushes them.
    fn send(&self, records: &[serde_json::Value]) {
        let body: String = records.iter().map(|record| format!("{record}\n")).collect();
        let within = GroupScope::All;
        let now = Timestamp((DAY + 3 * 86_400) * Timestamp::SECOND);
        let sender = Sender { name: "t", within: &within, batch_id: None, now, groups: None };
        let request = IngestRequest {
            body: body.as_bytes(),
            encoding: Encoding::Identity,
            format: Format::Ndjson,
            group: GroupName::new(GROUP).unwrap(),
            stream: String::new(),
            fields: &[],
            sender,
        };
        self.intake.ingest(request).unwrap();
        self.store.flush().unwrap();
    }

    fn options(&self, keep: Duration) -> TablesOptions {
        TablesOptions {
            place: PlaceOptions::Folder(self.dir.path().join("tables")),
            groups: vec![GroupPattern::new("*")],
            interval: Duration::from_secs(3600),
            keep,
            scratch: self.dir.path().join("scratch"),
        }
    }

    /// A publisher whose rounds are the caller's.
    fn tables(&self, keep: Duration) -> Tables {
        let options = self.options(keep);
        std::fs::create_dir_all(&options.scratch).unwrap();
        let place = Place::open(&options.place).unwrap();
        Tables::new(self.store.clone(), options, place)
    }

    fn place(&self) -> Place {
        Place::open(&PlaceOptions::Folder(self.dir.path().join("tables"))).unwrap()
    }

    /// What a version of the table has, by what stands in its place.
    fn rows_of(&self, place: &Place, version: u64) -> Vec<TableRow> {
        let name = format!("app_shop_api/metadata/v{version}.metadata.json");
        let metadata: Value = serde_json::from_slice(&place.get(&name).unwrap().unwrap()).unwrap();
        let mut table = Table::open(place, "app_shop_api").unwrap().unwrap();
        let state = format!("app_shop_api/{}", metadata["properties"]["catat.state"].as_str().unwrap());
        table.state = serde_json::from_slice(&place.get(&state).unwrap().unwrap()).unwrap();
        let files = table.files().unwrap();
        let mut rows: Vec<TableRow> = files.iter().flat_map(|file| self.rows_in(&file.path)).collect();
        assert_eq!(rows.len() as i64, table.state.totals().rows);
        rows.sort();
        rows
    }

    fn rows_in(&self, path: &str) -> Vec<TableRow> {
        let file = std::fs::File::open(self.dir.path().join("tables/app_shop_api").join(path)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let read = |row: parquet::record::Row| {
            let named = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Null));
            let mut row_of: BTreeMap<String, String> = BTreeMap::new();
            for (at, (name, field)) in row.get_column_iter().enumerate() {
                if name == "_attributes" && !matches!(field, Field::Null) {
                    let map = row.get_map(at).unwrap();
                    for entry in 0..map.len() {
                        let key = map.get_keys().get_string(entry).unwrap().clone();
                        row_of.insert(format!("[{key}]"), map.get_values().get_string(entry).unwrap().clone());
                    }
                }
            }
            let plain = |field: &Field| match field {
                Field::Str(text) => text.clone(),
                other => other.to_string(),
            };
            row_of.extend(
                named.filter(|(name, _)| *name != "_attributes").map(|(name, field)| (name.clone(), plain(field))),
            );
            (row_of["_sequence"].parse().unwrap(), row_of)
        };
        reader.get_row_iter(None).unwrap().map(|row| read(row.unwrap())).collect()
    }

    fn latest(&self) -> Vec<TableRow> {
        let place = self.place();
        let version = Table::open(&place, "app_shop_api").unwrap().unwrap().state.version;
        self.rows_of(&place, version)
    }

    /// The sequences of the store's events in segments.
    fn sequences(&self) -> Vec<i64> {
        let snapshot = self.store.snapshot(&[GroupPattern::new(GROUP)], TimeRange::ALL);
        let mut found = Vec::new();
        for run in &snapshot.runs {
            for block in 0..run.n_blocks() {
                let ids = run.read(block, &["@id"], &RowSet::all(run.block_rows(block))).unwrap().remove(0);
                let sequence = |row| match ids.value(row) {
                    Some(types::Value::String(id)) => EventId::decode(&id).unwrap().sequence as i64,
                    other => panic!("{other:?}"),
                };
                found.extend((0..ids.n_rows()).map(sequence));
            }
        }
        found.sort_unstable();
        found
    }

    fn delete(&self, sequences: &[i64]) {
        let mut deleted = SequenceCollector::default();
        sequences.iter().for_each(|sequence| deleted.push(*sequence as u64));
        let (query, requested_by, reason) = ("n = 1".into(), "t".into(), "t".into());
        let order = DeletionOrder { range: TimeRange::ALL, query, requested_by, reason };
        self.store.delete_events(&GroupName::new(GROUP).unwrap(), deleted.finish(), &order).unwrap();
    }
}

fn sequences(rows: &[TableRow]) -> Vec<i64> {
    rows.iter().map(|(sequence, _)| *sequence).collect()
}

fn event(second: i64, fields: &serde_json::Value) -> serde_json::Value {
    let mut event = fields.clone();
    event["@timestamp"] = Timestamp((DAY + second) * Timestamp::SECOND + 123_456_789).to_string().into();
    event
}

const LONG: Duration = Duration::from_secs(86_400);

#[test]
fn a_table_has_what_the_segments_have_through_compaction_and_deletions() {
    let lab = Lab::new();
    let tables = lab.tables(LONG);
    for part in 0..6 {
        // The last events of each part belong to the next day.
        lab.send(&(0..40).map(|n| event(80_000 + part * 40 + n * 200, &json!({"n": n}))).collect::<Vec<_>>());
        tables.round();
        assert_eq!(sequences(&lab.latest()), lab.sequences());
    }
    lab.store.compact().unwrap();
    tables.round();
    assert_eq!(sequences(&lab.latest()), lab.sequences());
    let all = lab.sequences();
    lab.delete(&all[10..30]);
    tables.round();
    assert_eq!(lab.latest().len(), all.len() - 20);
    assert_eq!(sequences(&lab.latest()), lab.sequences());
    // Every version that was there is whole.
    let place = lab.place();
    let last = Table::open(&place, "app_shop_api").unwrap().unwrap().state.version;
    for version in 1..=last {
        let mut rows = sequences(&lab.rows_of(&place, version));
        let n_rows = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), n_rows, "version {version}");
    }
    assert!(last >= 7, "{last}");
}

#[test]
fn values_have_columns_by_their_types_and_none_is_lost() {
    let lab = Lab::new();
    lab.intake.record_own(&GroupName::new("catat/audit").unwrap(), b"{\"n\":1}", Timestamp(0)).unwrap();
    let tables = lab.tables(LONG);
    lab.send(&[
        event(
            1,
            &json!({"message": "hello", "http.status": 200, "ms": 1.5, "ok": true, "tags": ["a", 1], "User": "x"}),
        ),
        event(2, &json!({"message": "second", "http.status": "n/a", "ms": 3, "user": "y", "http_status": 5})),
    ]);
    tables.round();
    assert_eq!(tables.statuses().iter().map(|table| &*table.group).collect::<Vec<_>>(), [GROUP]);
    // A whole number that no decimal one can be, where decimal ones came first.
    lab.send(&[
        event(3, &json!({"ms": 9_007_199_254_740_993_i64})),
        event(4, &json!({"n": 7})),
        event(5, &json!({"n": 0.5})),
    ]);
    tables.round();
    let rows = lab.latest();
    let of = |at: usize, name: &str| rows[at].1.get(name).map(String::as_str);
    assert_eq!((of(0, "_message"), of(0, "_log"), of(0, "ok")), (Some("hello"), Some(GROUP), Some("true")));
    assert_eq!(
        (of(0, "http_status"), of(1, "http_status"), of(1, "http_status_string")),
        (Some("200"), None, Some("n/a"))
    );
    assert_eq!((of(1, "http_status_2"), of(0, "tags"), of(0, "_nanos")), (Some("5"), Some("[\"a\",1]"), Some("789")));
    assert_eq!((of(0, "User"), of(1, "user_2")), (Some("x"), Some("y")));
    assert_eq!((of(0, "ms"), of(1, "ms"), of(2, "ms")), (Some("1.5"), Some("3.0"), None));
    assert_eq!(of(2, "ms_long"), Some("9007199254740993"));
    assert_eq!((of(3, "n"), of(4, "n")), (Some("7.0"), Some("0.5")));
}

#[test]
fn fields_beyond_the_columns_are_attributes() {
    let lab = Lab::new();
    let tables = lab.tables(LONG);
    let many: serde_json::Map<_, _> = (0..340).map(|n| (format!("f{n:03}"), json!(n))).collect();
    lab.send(&[event(1, &json!({"message": "m"})), event(2, &json!(many))]);
    tables.round();
    let rows = lab.latest();
    let (_, last) = &rows[1];
    let n_attributes = last.keys().filter(|name| name.starts_with('[')).count();
    assert!(n_attributes >= 40 && !rows[0].1.keys().any(|name| name.starts_with('[')), "{n_attributes}");
    for n in 0..340 {
        let (plain, attribute) = (format!("f{n:03}"), format!("[f{n:03}]"));
        assert_eq!(last.get(&plain).or(last.get(&attribute)), Some(&n.to_string()), "{plain}");
    }
}

#[test]
fn what_was_broken_off_is_done_again_and_old_files_go() {
    let lab = Lab::new();
    lab.send(&[event(1, &json!({"n": 1})), event(2, &json!({"n": 2}))]);
    // Files are there, and no commit names them.
    {
        let place = lab.place();
        let mut table = Table::new(&place, "app_shop_api", &"0".repeat(32), GROUP).unwrap();
        let tables = lab.tables(LONG);
        let snapshot = lab.store.snapshot(&[GroupPattern::new(GROUP)], TimeRange::ALL);
        let runs = super::runs_of(snapshot.runs);
        for difference in differences(&table.state, runs) {
            drop(tables.make(&mut table, difference).unwrap());
        }
        assert!(Table::open(&place, "app_shop_api").unwrap().is_none());
    }
    let tables = lab.tables(Duration::ZERO);
    tables.round();
    assert_eq!(sequences(&lab.latest()), lab.sequences());
    lab.delete(&lab.sequences()[..1]);
    // The first round publishes the deletion, the second lets go what was before it.
    tables.round();
    tables.round();
    let place = lab.place();
    let table = Table::open(&place, "app_shop_api").unwrap().unwrap();
    let n_data = || {
        let files = place.list("app_shop_api").unwrap();
        files.iter().filter(|file| file.name.ends_with(".parquet")).count()
    };
    // What was broken off may be of another node that is about to commit it, until it is a day old.
    assert_eq!(n_data(), 2);
    table.sweep(now_ms() + 2 * LONG.as_millis() as i64).unwrap();
    assert_eq!((n_data(), table.state.totals()), (1, crate::table::Totals { files: 1, rows: 1 }));
    lab.store.delete_group(&GroupName::new(GROUP).unwrap()).unwrap();
    tables.round();
    assert_eq!(lab.latest().len(), 0);
}

#[test]
fn two_publishers_of_one_store_make_one_table() {
    let lab = Lab::new();
    let (one, other) = (lab.tables(LONG), lab.tables(LONG));
    for part in 0..8 {
        lab.send(&(0..5).map(|n| event(part * 5 + n, &json!({"n": n}))).collect::<Vec<_>>());
        std::thread::scope(|scope| {
            scope.spawn(|| one.round());
            scope.spawn(|| other.round());
        });
    }
    one.round();
    assert_eq!(sequences(&lab.latest()), lab.sequences());
    let place = lab.place();
    let last = Table::open(&place, "app_shop_api").unwrap().unwrap().state.version;
    for version in 1..=last {
        let mut rows = sequences(&lab.rows_of(&place, version));
        let n_rows = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), n_rows, "version {version}");
    }
}

#[test]
fn a_folder_of_another_store_is_left_alone() {
    let lab = Lab::new();
    lab.send(&[event(1, &json!({"n": 1}))]);
    lab.tables(LONG).round();
    let before = lab.latest();
    let stranger = Lab::new();
    stranger.send(&[event(9, &json!({"n": 9}))]);
    let options = TablesOptions { place: lab.options(LONG).place, ..stranger.options(LONG) };
    std::fs::create_dir_all(&options.scratch).unwrap();
    let tables = Tables::new(stranger.store.clone(), options, lab.place());
    tables.round();
    let told = tables.statuses().remove(0).error.unwrap();
    assert!(told.contains("give each store a place of its own"), "{told}");
    assert_eq!(lab.latest(), before);
}

#[test]
fn of_two_commits_to_one_version_the_second_fails() {
    let lab = Lab::new();
    lab.send(&[event(1, &json!({"n": 1})), event(86_400, &json!({"n": 2}))]);
    lab.tables(LONG).round();
    let place = lab.place();
    let opened = || Table::open(&place, "app_shop_api").unwrap().unwrap();
    let (mut one, mut other) = (opened(), opened());
    let removal = || Change { added: Vec::new(), removed: one.state.keys().into_keys().cloned().collect() };
    let (first, second) = (removal(), Change::default());
    one.commit(Some(first), now_ms(), 1_000_000).unwrap();
    let refused = other.commit(Some(second), now_ms(), 1_000_000);
    assert!(matches!(refused, Err(PublishError::Overtaken(_))), "{refused:?}");
    assert_eq!(opened().state.totals().rows, 0);
}

#[test]
fn a_place_that_cannot_be_read_is_told() {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lab = Lab::new();
    // Nobody listens there: it was given to this process, and closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bucket = files::objects::ObjectStoreOptions {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        region: Some("eu-west-1".into()),
        allow_http: true,
        credentials: Some(("id".into(), "secret".into())),
        patience: Duration::from_millis(50),
        ..files::objects::ObjectStoreOptions::new("s3://logs")
    };
    let options = TablesOptions { place: PlaceOptions::Bucket(bucket), ..lab.options(LONG) };
    let place = Place::open(&options.place).unwrap();
    let tables = Tables::new(lab.store.clone(), options, place);
    tables.round();
    assert!(tables.failure().is_some());
}

#[test]
fn a_table_is_never_filled_with_another_group() {
    let lab = Lab::new();
    lab.send(&[event(1, &json!({"n": 1}))]);
    let tables = lab.tables(LONG);
    tables.round();
    let other = "app/shop.api";
    let mut mistaken = KnownTable { name: "app_shop_api".to_owned(), state: None };
    let refused = tables.publish(other, &mut mistaken);
    assert!(matches!(refused, Err(PublishError::Taken { .. })), "{refused:?}");
    assert_eq!(sequences(&lab.latest()), lab.sequences());
}
