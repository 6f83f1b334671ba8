//! The catalog's file across versions: taken over, or refused without touching a byte.

use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::catalog::sqlite::SCHEMA;
use database::Schema;
use database::sqlite::Database;

const STORE: [u8; 16] = [7; 16];

fn open(path: &Path) -> database::Result<SqliteCatalog> {
    SqliteCatalog::open(path, STORE, FIRST_SEQUENCE)
}

/// Returns what an older catat left behind: tables of `version` with something in each.
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
    let marks = HighWaterMarks { wal_made: 0, ..MARKS };
    assert_eq!((contents.marks, contents.segments), (marks, vec![segment(1)]));
    assert_eq!(contents.doomed, [ObsoleteFile { file: "segments/0.seg".into(), place: Place::Local }]);
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
