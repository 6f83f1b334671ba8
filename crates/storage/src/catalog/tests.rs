//! What every catalog promises.

use std::path::Path;

use rusqlite::Connection;

use super::sqlite::{SCHEMA, SqliteCatalog};
use super::*;
use crate::DatabaseProblem;
use crate::database::Schema;
use crate::database::sqlite::Database;
use crate::positions::FileKey;

const STORE: [u8; 16] = [7; 16];

fn open(path: &Path) -> Result<SqliteCatalog, DatabaseError> {
    SqliteCatalog::open(path, STORE, 5)
}

fn name() -> GroupName {
    GroupName::new("a/b").expect("a valid name")
}

fn segment(id: u128) -> SegmentRow {
    let run = RunRow { group_id: 1, n_events: 3, first: Timestamp(-4), last: Timestamp(9) };
    let file = format!("segments/{id:x}.seg");
    SegmentRow { id, file, n_bytes: 77, tier: Tier::Hot, place: Place::Local, runs: vec![run] }
}

fn put(catalog: &mut dyn Catalog, marks: Marks, segments: &[SegmentRow]) {
    let (positions, batch_files) = (Positions::default(), ValidEntries::new());
    let groups = vec![(1, name(), vec!["one".into()])];
    let record = FlushRecord { marks, segments, groups, positions: &positions, batch_files: &batch_files };
    catalog.commit_flush(&record).expect("room");
}

const MARKS: Marks = Marks { wal_released: 4, wal_made: 3, next_sequence: 1 << 63, next_group: 2 };

#[test]
fn a_flush_is_read_back_as_it_was_committed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("catalog.sqlite");
    let mut catalog = open(&path).expect("a new catalog");
    assert_eq!(
        catalog.marks().expect("readable"),
        Marks { wal_released: 1, wal_made: 0, next_sequence: 5, next_group: 1 }
    );
    let segment = segment(u128::MAX - 1);
    let key = || FileKey { source: "s".into(), file: "f".into(), generation: u64::MAX };
    for (start, end) in [(0, 10), (10, 20)] {
        let mut positions = Positions::default();
        positions.insert(key(), start..end);
        let segments = if start == 0 { std::slice::from_ref(&segment) } else { &[] };
        let groups = vec![(1, name(), vec!["one".into()])];
        let batch_files = ValidEntries::from([(7, 2)]);
        let record = FlushRecord { marks: MARKS, segments, groups, positions: &positions, batch_files: &batch_files };
        catalog.commit_flush(&record).expect("room");
    }
    drop(catalog);
    let mut catalog = open(&path).expect("an old catalog");
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.marks, MARKS);
    assert_eq!(contents.segments, std::slice::from_ref(&segment));
    assert_eq!(contents.batch_files, ValidEntries::from([(7, 2)]));
    let accepted = contents.positions.iter().flat_map(|(_, ranges)| ranges.iter().cloned());
    assert!(accepted.flatten().eq(0..20));
    assert_eq!(contents.groups.id_of(&name()), Some(1));
    catalog.delete_group(1, &name()).expect("room");
    catalog.doom(&[segment.id]).expect("room");
    catalog.doom(&[segment.id]).expect("twice is once");
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.groups.len(), contents.deleted), (0, vec![1]));
    let doomed = Doomed { file: segment.file, place: Place::Local };
    assert_eq!((contents.segments.len(), &contents.doomed), (0, &vec![doomed.clone()]));
    catalog.forget_doomed(&doomed).expect("room");
    assert_eq!(catalog.load().expect("readable").doomed, []);
}

#[test]
fn a_segment_that_moves_leaves_a_file_that_must_go() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut catalog = open(&dir.path().join("catalog.sqlite")).expect("a new catalog");
    put(&mut catalog, MARKS, &[segment(1)]);
    let file = segment(1).file;
    catalog.move_segment(1, &file, 78, Place::Remote).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [SegmentRow { n_bytes: 78, place: Place::Remote, ..segment(1) }]);
    assert_eq!(contents.doomed, [Doomed { file: file.clone(), place: Place::Local }]);
    catalog.move_segment(1, &file, 77, Place::Local).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [segment(1)]);
    assert_eq!(contents.doomed, [Doomed { file, place: Place::Remote }], "what lives again is not doomed");
}

#[test]
fn a_compaction_exchanges_segments_in_one_transaction() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut catalog = open(&dir.path().join("catalog.sqlite")).expect("a new catalog");
    put(&mut catalog, MARKS, &[segment(1), segment(2)]);
    catalog.retire_runs(&[(2, 1)], Some(-3)).expect("room");
    let merged = SegmentRow { tier: Tier::Cold, ..segment(3) };
    assert!(catalog.commit_compaction(&[1], &[segment(2)]).is_err(), "segment 2 is there already");
    assert!(catalog.has_segment(1).expect("readable"), "nothing of it happened");
    catalog.commit_compaction(&[1], std::slice::from_ref(&merged)).expect("room");
    assert!(!catalog.has_segment(1).expect("readable"));
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [segment(2), merged]);
    assert_eq!(contents.doomed, [Doomed { file: segment(1).file, place: Place::Local }]);
    assert_eq!(contents.retired, RetiredRuns::from([((2, 1), -3)]));
    catalog.retire_runs(&[(2, 1)], None).expect("room");
    assert!(catalog.load().expect("readable").retired.is_empty());
}

#[test]
fn deletions_are_kept_until_they_are_forgotten() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut catalog = open(&dir.path().join("catalog.sqlite")).expect("a new catalog");
    let deletion = |id| Deletion { id, group_id: 3, n_events: 2, created: Timestamp(-1), sequences: vec![0, 255, 1] };
    for id in [1, u64::MAX, 1] {
        catalog.put_deletion(&deletion(id)).expect("room");
    }
    let mut found = catalog.load().expect("readable").deletions;
    found.sort_by_key(|deletion| deletion.id);
    assert_eq!(found, [deletion(1), deletion(u64::MAX)]);
    catalog.forget_deletions(&[1, 2]).expect("room");
    assert_eq!(catalog.load().expect("readable").deletions, [deletion(u64::MAX)]);
}

#[test]
fn segments_that_were_lost_are_taken_back() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut catalog = open(&dir.path().join("catalog.sqlite")).expect("a new catalog");
    put(&mut catalog, MARKS, &[segment(1)]);
    let marks = Marks { next_sequence: u64::MAX, ..MARKS };
    catalog.adopt(&marks, &[segment(2)], &[1], &[(1, name()), (9, GroupName::new("c").expect("valid"))]).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.marks, contents.segments, contents.doomed), (marks, vec![segment(2)], vec![]));
    assert_eq!(contents.groups.len(), 2);
}

/// What an older catat left behind: tables of `version` with something in each.
fn old_catalog(path: &Path, version: usize) -> Connection {
    let old = Connection::open(path).expect("a new database");
    old.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())).expect("room");
    SCHEMA.steps[..version].iter().for_each(|step| old.execute_batch(step).expect("room"));
    old.pragma_update(None, "user_version", version as i64).expect("room");
    let retired = if version == 1 { "" } else { ", NULL" };
    old.execute_batch(&format!(
        "INSERT INTO meta VALUES ('wal_released', 4), ('next_sequence', {}), ('next_group', 2);
         INSERT INTO groups VALUES (1, 'a/b', 0);
         INSERT INTO streams VALUES (1, 'one');
         INSERT INTO segments VALUES (x'00000000000000000000000000000001', 'segments/1.seg', 77);
         INSERT INTO runs VALUES (x'00000000000000000000000000000001', 1, 3, -4, 9{retired});
         INSERT INTO positions VALUES ('s', 'f', 1, 0, 10);
         INSERT INTO batch_files VALUES (7, 2);
         INSERT INTO doomed VALUES ('segments/0.seg');",
        i64::MIN
    ))
    .expect("room");
    old
}

fn assert_is_whole(catalog: &mut dyn Catalog) {
    let contents = catalog.load().expect("readable");
    let marks = Marks { wal_made: 0, ..MARKS };
    assert_eq!((contents.marks, contents.segments), (marks, vec![segment(1)]));
    assert_eq!(contents.doomed, [Doomed { file: "segments/0.seg".into(), place: Place::Local }]);
    assert_eq!(contents.groups.id_of(&name()), Some(1));
    assert_eq!((contents.positions.len(), contents.batch_files.len()), (1, 1));
    assert!(contents.retired.is_empty() && contents.deletions.is_empty());
}

/// Copies a database as a process leaves it that is killed at this moment.
fn copy_as_killed(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let of = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(of(from), of(to)).expect("room");
    }
}

#[test]
fn a_migration_cut_off_at_any_statement_is_done_at_the_next_start() {
    for version in 1..SCHEMA.steps.len() {
        let statements: Vec<&str> = SCHEMA.steps[version].split_inclusive(';').collect();
        for n_done in 0..=statements.len() {
            let dir = tempfile::tempdir().expect("a scratch directory");
            let (path, killed) = (dir.path().join("catalog.sqlite"), dir.path().join("killed.sqlite"));
            let mut old = old_catalog(&path, version);
            // Room for no page in memory: what is not yet committed gets into SQLite's WAL, too.
            old.execute_batch("PRAGMA cache_size = 0; PRAGMA cache_spill = ON;").expect("a setting");
            let transaction = old.transaction().expect("nobody else");
            statements[..n_done].iter().for_each(|statement| transaction.execute_batch(statement).expect("room"));
            copy_as_killed(&path, &killed);
            drop(transaction);
            drop(old);
            // The step itself, with an error in the place where it is cut off.
            let broken = format!("{} NONSENSE;", statements[..n_done].concat());
            let steps = [&SCHEMA.steps[..version], &[broken.leak()]].concat();
            let broken = Schema { steps: steps.leak(), identity_since: usize::MAX };
            assert!(Database::open(&path, STORE, &broken).is_err());
            assert_is_whole(&mut open(&path).expect("an old catalog"));
            assert_is_whole(&mut open(&killed).expect("an old catalog"));
            assert_is_whole(&mut open(&killed).expect("a catalog of today"));
        }
    }
}

#[test]
fn a_newer_catalog_is_refused_without_touching_a_byte() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let files = |dir: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(dir).expect("readable").flatten().map(|entry| entry.path()).collect();
        files.retain(|path| !path.to_string_lossy().ends_with("-shm"));
        files.sort();
        files.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect::<Vec<_>>()
    };
    let is_refused = |path: &Path| {
        let refused = open(path).err().expect("it is newer");
        assert!(matches!(refused.problem, DatabaseProblem::Newer { found: 4, known: 3 }), "{refused}");
    };
    let path = dir.path().join("catalog.sqlite");
    drop(open(&path).expect("a new catalog"));
    let newer = Connection::open(&path).expect("a catalog");
    newer.pragma_update(None, "user_version", 4).expect("room");
    // Once where only SQLite's WAL says that it is newer, once where the file does.
    let killed = tempfile::tempdir().expect("a scratch directory");
    copy_as_killed(&path, &killed.path().join("catalog.sqlite"));
    drop(newer);
    for dir in [dir.path(), killed.path()] {
        let before = files(dir);
        is_refused(&dir.join("catalog.sqlite"));
        assert_eq!(files(dir), before);
    }
}

#[test]
fn that_of_another_store_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("catalog.sqlite");
    drop(open(&path).expect("a new catalog"));
    let refused = SqliteCatalog::open(&path, [8; 16], 5).err().expect("it belongs to another store");
    assert!(matches!(refused.problem, DatabaseProblem::Foreign { .. }), "{refused}");
    open(&path).expect("it is still what it was");
}
