//! What every catalog promises: each promise is kept by SQLite and by PostgreSQL.

mod migrating;

use std::collections::BTreeSet;
use std::path::Path;

use super::postgres::PostgresCatalog;
use super::sqlite::SqliteCatalog;
use super::*;
use crate::positions::{FileKey, Ranges};
use crate::postgres_server::Server;
use crate::promises::promises;
use database::DatabaseProblem;

/// What a new catalog begins with.
const FIRST_SEQUENCE: u64 = 5;

const MARKS: HighWaterMarks = HighWaterMarks { wal_released: 4, wal_made: 3, next_sequence: 1 << 63, next_group: 2 };

/// Opens the catalog of a store, the same one each time.
type Open<'a> = &'a dyn Fn() -> Box<dyn Catalog>;

promises! {
    a_flush_is_read_back_as_it_was_committed,
    a_flush_committed_again_changes_nothing,
    positions_are_merged_with_those_that_are_known,
    a_segment_that_moves_leaves_a_file_that_must_go,
    a_compaction_exchanges_segments_in_one_transaction,
    deletions_are_kept_until_they_are_forgotten,
    a_deleted_group_stays_deleted,
    segments_that_were_lost_are_taken_back,
    a_catalog_is_filled_with_what_another_one_held,
    names_may_hold_any_character_and_be_long,
    many_groups_and_runs_are_one_flush,
}

#[test]
fn postgres_keeps_the_same_promises() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    for (number, (name, promise)) in PROMISES.iter().enumerate() {
        println!("{name}");
        let store = [u8::try_from(number).expect("few"); 16];
        let open =
            || PostgresCatalog::open(&server.url().parse().expect("a URL"), store, "test", false, FIRST_SEQUENCE);
        promise(&|| Box::new(open().expect("a catalog")));
    }
}

fn of_file(path: &Path) -> Box<dyn Catalog> {
    Box::new(SqliteCatalog::open(path, [7; 16], FIRST_SEQUENCE).expect("a catalog"))
}

fn name() -> GroupName {
    GroupName::new("a/b").expect("a valid name")
}

fn segment(id: u128) -> SegmentRow {
    let run = RunRow { group_id: 1, n_events: 3, first: Timestamp(-4), last: Timestamp(9) };
    let file = format!("segments/{id:x}.seg");
    SegmentRow { id, file, n_bytes: 77, tier: Tier::Hot, place: Place::Local, runs: vec![run] }
}

fn doomed(id: u128, place: Place) -> ObsoleteFile {
    ObsoleteFile { file: segment(id).file, place }
}

fn key(generation: u64) -> FileKey {
    FileKey { source: "s".into(), file: "f".into(), generation }
}

fn positions(key: FileKey, range: std::ops::Range<u64>) -> Positions {
    let mut positions = Positions::default();
    positions.insert(key, range);
    positions
}

fn accepted(contents: &Contents) -> Vec<(FileKey, Vec<(u64, u64)>)> {
    let ends = |ranges: &Ranges| ranges.iter().map(|range| (range.start, range.end)).collect();
    contents.positions.iter().map(|(key, ranges)| (key.clone(), ends(ranges))).collect()
}

fn put(catalog: &mut dyn Catalog, marks: HighWaterMarks, segments: &[SegmentRow]) {
    let (positions, batch_files) = (Positions::default(), ValidEntries::new());
    let groups = vec![(1, name(), vec!["one".into()])];
    let record =
        FlushRecord { marks, segments, groups, positions: &positions, batch_files: &batch_files, flushed_before: 0 };
    catalog.commit_flush(&record).expect("room");
}

fn a_flush_is_read_back_as_it_was_committed(open: Open<'_>) {
    let mut catalog = open();
    let first = HighWaterMarks { wal_released: 1, wal_made: 0, next_sequence: FIRST_SEQUENCE, next_group: 1 };
    assert_eq!(catalog.marks().expect("readable"), first);
    assert!(catalog.load().expect("readable").is_empty());
    let segment = SegmentRow { tier: Tier::Warm, ..segment(u128::MAX - 1) };
    let batch_files = ValidEntries::from([(-7, 2), (8, u64::MAX)]);
    let record = FlushRecord {
        marks: MARKS,
        segments: std::slice::from_ref(&segment),
        groups: vec![(1, name(), vec!["one".into(), "two".into()])],
        positions: &positions(key(u64::MAX), 3..u64::MAX),
        batch_files: &batch_files,
        flushed_before: 0,
    };
    catalog.commit_flush(&record).expect("room");
    drop(catalog);
    let mut catalog = open();
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.marks, catalog.marks().expect("readable")), (MARKS, MARKS));
    assert_eq!(contents.segments, std::slice::from_ref(&segment));
    assert_eq!(contents.batch_files, batch_files);
    assert_eq!(accepted(&contents), [(key(u64::MAX), vec![(3, u64::MAX)])]);
    let groups: Vec<_> = contents.groups.iter().map(|(name, group)| (name.clone(), group.id)).collect();
    assert_eq!(groups, [(name(), 1)]);
    let streams = contents.groups.iter().flat_map(|(_, group)| group.streams.iter().map(|stream| stream.to_string()));
    assert_eq!(streams.collect::<BTreeSet<_>>(), BTreeSet::from(["one".to_owned(), "two".to_owned()]));
    assert!(catalog.has_segment(segment.id).expect("readable"));
}

fn a_flush_committed_again_changes_nothing(open: Open<'_>) {
    let mut catalog = open();
    // As when the answer to the first one was lost.
    put(&mut *catalog, MARKS, &[segment(1)]);
    put(&mut *catalog, MARKS, &[segment(1)]);
    assert_eq!(catalog.load().expect("readable").segments, [segment(1)]);
}

fn positions_are_merged_with_those_that_are_known(open: Open<'_>) {
    let mut catalog = open();
    for (at, (generation, range)) in [(1, 0..10), (1, 20..30), (2, 5..6), (1, 10..15)].into_iter().enumerate() {
        let marks = HighWaterMarks { wal_released: at as u64 + 2, ..MARKS };
        let (positions, batch_files) = (positions(key(generation), range), ValidEntries::from([(at as i64, 1)]));
        let record = FlushRecord {
            marks,
            segments: &[],
            groups: vec![],
            positions: &positions,
            batch_files: &batch_files,
            flushed_before: 0,
        };
        catalog.commit_flush(&record).expect("room");
    }
    let contents = catalog.load().expect("readable");
    assert_eq!(accepted(&contents), [(key(1), vec![(0, 15), (20, 30)]), (key(2), vec![(5, 6)])]);
    assert_eq!(contents.batch_files, ValidEntries::from([(3, 1)]), "those of before are no longer valid");
}

fn a_segment_that_moves_leaves_a_file_that_must_go(open: Open<'_>) {
    let mut catalog = open();
    put(&mut *catalog, MARKS, &[segment(1)]);
    let file = segment(1).file;
    for _ in 0..2 {
        catalog.doom_file(&doomed(1, Place::Remote)).expect("twice is once");
    }
    assert_eq!(catalog.load().expect("readable").doomed, [doomed(1, Place::Remote)], "while it is made");
    catalog.move_segment(1, &file, 78, Place::Remote).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [SegmentRow { n_bytes: 78, place: Place::Remote, ..segment(1) }]);
    assert_eq!(contents.doomed, [doomed(1, Place::Local)]);
    catalog.move_segment(1, &file, 77, Place::Local).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [segment(1)]);
    assert_eq!(contents.doomed, [doomed(1, Place::Remote)], "what lives again is not doomed");
}

fn a_compaction_exchanges_segments_in_one_transaction(open: Open<'_>) {
    let mut catalog = open();
    put(&mut *catalog, MARKS, &[segment(1), segment(2)]);
    catalog.retire_runs(&[(2, 1)], Some(-3)).expect("room");
    let merged = SegmentRow { tier: Tier::Cold, ..segment(3) };
    assert!(catalog.commit_compaction(&[1], &[segment(2)]).is_err(), "segment 2 is there already");
    assert!(catalog.has_segment(1).expect("readable"), "nothing of it happened");
    catalog.commit_compaction(&[1], std::slice::from_ref(&merged)).expect("room");
    assert!(!catalog.has_segment(1).expect("readable"));
    let contents = catalog.load().expect("readable");
    assert_eq!(contents.segments, [segment(2), merged]);
    assert_eq!(contents.doomed, [doomed(1, Place::Local)]);
    assert_eq!(contents.retired, RetiredRuns::from([((2, 1), -3)]));
    catalog.retire_runs(&[(2, 1)], None).expect("room");
    assert!(catalog.load().expect("readable").retired.is_empty());
    for _ in 0..2 {
        catalog.doom(&[2, 3]).expect("twice is once");
    }
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.segments.len(), contents.doomed.len()), (0, 3));
    contents.doomed.iter().for_each(|doomed| catalog.forget_doomed(doomed).expect("room"));
    assert_eq!(catalog.load().expect("readable").doomed, []);
}

fn deletions_are_kept_until_they_are_forgotten(open: Open<'_>) {
    let mut catalog = open();
    let deletion = |id| Deletion { id, group_id: 3, n_events: 2, created: Timestamp(-1), sequences: vec![0, 255, 1] };
    catalog.put_deletion(&Deletion { sequences: vec![], n_events: 7, ..deletion(1) }, "").expect("room");
    for id in [1, u64::MAX] {
        catalog.put_deletion(&deletion(id), "").expect("room");
    }
    let mut found = catalog.load().expect("readable").deletions;
    found.sort_by_key(|deletion| deletion.id);
    assert_eq!(found, [deletion(1), deletion(u64::MAX)]);
    catalog.forget_deletions(&[1, 2]).expect("room");
    assert_eq!(catalog.load().expect("readable").deletions, [deletion(u64::MAX)]);
}

fn a_deleted_group_stays_deleted(open: Open<'_>) {
    let mut catalog = open();
    put(&mut *catalog, MARKS, &[segment(1)]);
    catalog.delete_group(1, &name()).expect("room");
    catalog.delete_group(9, &name()).expect("one that the catalog has not seen yet");
    put(&mut *catalog, HighWaterMarks { wal_released: 5, ..MARKS }, &[]);
    let mut contents = catalog.load().expect("readable");
    contents.deleted.sort_unstable();
    assert_eq!((contents.groups.len(), contents.deleted), (0, vec![1, 9]));
}

fn segments_that_were_lost_are_taken_back(open: Open<'_>) {
    let mut catalog = open();
    put(&mut *catalog, MARKS, &[segment(1)]);
    let marks = HighWaterMarks { next_sequence: u64::MAX, ..MARKS };
    let other = GroupName::new("c").expect("a valid name");
    catalog.adopt(&marks, &[segment(2)], &[1], &[(1, name()), (9, other)]).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.marks, contents.segments, contents.doomed), (marks, vec![segment(2)], vec![]));
    assert_eq!(contents.groups.len(), 2);
}

fn a_catalog_is_filled_with_what_another_one_held(open: Open<'_>) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut old = of_file(&dir.path().join("old.sqlite"));
    put(&mut *old, MARKS, &[segment(1), segment(2), segment(3)]);
    let (positions, batch_files) = (positions(key(1), 3..9), ValidEntries::from([(7, 2)]));
    let marks = HighWaterMarks { wal_released: 5, ..MARKS };
    let groups = vec![(2, GroupName::new("gone").expect("a valid name"), vec![])];
    let record = FlushRecord {
        marks,
        segments: &[],
        groups,
        positions: &positions,
        batch_files: &batch_files,
        flushed_before: 0,
    };
    old.commit_flush(&record).expect("room");
    old.delete_group(2, &name()).expect("room");
    old.doom(&[3]).expect("room");
    old.retire_runs(&[(2, 1)], Some(11)).expect("room");
    let created = Timestamp(1);
    old.put_deletion(&Deletion { id: 4, group_id: 1, n_events: 1, created, sequences: vec![1] }, "").expect("room");
    let expected = old.load().expect("readable");
    let mut catalog = open();
    catalog.fill(&expected).expect("room");
    let found = catalog.load().expect("readable");
    assert_eq!((found.marks, &found.segments), (expected.marks, &expected.segments));
    assert_eq!((&found.deleted, &found.doomed), (&expected.deleted, &expected.doomed));
    assert_eq!((&found.retired, &found.deletions), (&expected.retired, &expected.deletions));
    assert_eq!((accepted(&found), &found.batch_files), (accepted(&expected), &expected.batch_files));
    assert_eq!((found.groups.id_of(&name()), found.groups.len()), (Some(1), 1));
    assert!(catalog.fill(&expected).is_err(), "only a new one is filled");
}

fn names_may_hold_any_character_and_be_long(open: Open<'_>) {
    let mut catalog = open();
    // What hardly compresses, longer than an entry of an index may be.
    let long: String = (0..9000u32).filter_map(|i| char::from_u32(i.wrapping_mul(2_654_435_761) >> 16)).collect();
    let names = ["", "\0", "a\0b", "\'; DROP TABLE runs; --", "\u{10ffff}\n\\", &long];
    let mut positions = Positions::default();
    for name in names {
        positions.insert(FileKey { source: name.into(), file: name.into(), generation: 0 }, 1..2);
    }
    let groups = vec![(1, name(), names.iter().map(|name| (*name).into()).collect())];
    let batch_files = ValidEntries::new();
    for wal_released in [7, 8] {
        let marks = HighWaterMarks { wal_released, ..MARKS };
        let groups = groups.clone();
        let record = FlushRecord {
            marks,
            segments: &[],
            groups,
            positions: &positions,
            batch_files: &batch_files,
            flushed_before: 0,
        };
        catalog.commit_flush(&record).expect("room");
    }
    let contents = catalog.load().expect("readable");
    let streams = contents.groups.iter().flat_map(|(_, group)| group.streams.iter().map(|stream| stream.to_string()));
    assert_eq!(streams.collect::<BTreeSet<_>>(), names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(contents.positions.iter().map(|(key, _)| &*key.file).collect::<BTreeSet<_>>(), BTreeSet::from(names));
}

fn many_groups_and_runs_are_one_flush(open: Open<'_>) {
    let mut catalog = open();
    let run = |group_id| RunRow { group_id, n_events: 1, first: Timestamp(0), last: Timestamp(i64::from(group_id)) };
    let segments: Vec<_> = (1..4).map(|id| SegmentRow { runs: (0..5000).map(run).collect(), ..segment(id) }).collect();
    let name_of = |id: u32| GroupName::new(&format!("g{id}")).expect("a valid name");
    let groups = (0..5000).map(|id| (id, name_of(id), vec!["s".into()])).collect();
    let (positions, batch_files) = (Positions::default(), ValidEntries::new());
    let record = FlushRecord {
        marks: MARKS,
        segments: &segments,
        groups,
        positions: &positions,
        batch_files: &batch_files,
        flushed_before: 0,
    };
    catalog.commit_flush(&record).expect("room");
    let contents = catalog.load().expect("readable");
    assert_eq!((contents.segments, contents.groups.len()), (segments, 5000));
}

#[test]
fn that_of_another_store_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("catalog.sqlite");
    drop(of_file(&path));
    let refused = SqliteCatalog::open(&path, [8; 16], FIRST_SEQUENCE).err().expect("it belongs to another store");
    assert!(matches!(refused.problem, DatabaseProblem::Foreign { .. }), "{refused}");
    of_file(&path);
}
