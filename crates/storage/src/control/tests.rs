//! What every control store promises.

use rusqlite::Connection;

use super::sqlite::{SCHEMA, SqliteControl};
use super::*;
use crate::DatabaseProblem;

const STORE: [u8; 16] = [7; 16];

fn group(name: &str) -> GroupName {
    GroupName::new(name).expect("a valid name")
}

#[test]
fn limits_are_read_back_as_they_were_set() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("control.sqlite");
    let limits = [
        GroupRetention { age_ns: Some(i64::MAX), bytes: None },
        GroupRetention { age_ns: None, bytes: Some(u64::MAX) },
        GroupRetention { age_ns: Some(0), bytes: Some(1) },
    ];
    let mut store = SqliteControl::open(&path, STORE).expect("a new one");
    for limits in &limits {
        for name in ["a", "b/c"] {
            set_retention(&mut store, &group(name), limits).expect("room");
        }
        let mut store = SqliteControl::open(&path, STORE).expect("an old one");
        let expected = BTreeMap::from([(group("a"), *limits), (group("b/c"), *limits)]);
        assert_eq!(retentions(&mut store).expect("readable"), expected);
    }
    set_retention(&mut store, &group("a"), &GroupRetention::default()).expect("room");
    assert_eq!(retentions(&mut store).expect("readable"), BTreeMap::from([(group("b/c"), limits[2])]));
}

#[test]
fn documents_of_one_kind_are_not_those_of_another() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut store = SqliteControl::open(&dir.path().join("control.sqlite"), STORE).expect("a new one");
    store.put("a", "x", "1").expect("room");
    store.put("b", "x", "2").expect("room");
    store.remove("a", "x").expect("room");
    store.remove("a", "x").expect("nothing there is no error");
    assert_eq!(store.documents("a").expect("readable"), []);
    assert_eq!(store.documents("b").expect("readable"), [("x".to_owned(), "2".to_owned())]);
}

#[test]
fn limits_that_cannot_be_read_are_none() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut store = SqliteControl::open(&dir.path().join("control.sqlite"), STORE).expect("a new one");
    for json in ["", "{", "[]", "7", r#"{"age_ns":"1d"}"#, r#"{"age_ns":1,"bytes":-1}"#, r#"{"bytes":1.5}"#] {
        store.put("retention", "g", json).expect("room");
        assert!(retentions(&mut store).expect("readable").is_empty(), "{json}");
    }
}

#[test]
fn limits_of_version_1_are_taken_over() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("control.sqlite");
    let old = Connection::open(&path).expect("a new database");
    old.execute_batch(SCHEMA.steps[0]).expect("room");
    old.execute_batch("INSERT INTO retention VALUES ('a/b', 5, NULL), ('c', NULL, 6); PRAGMA user_version = 1;")
        .expect("room");
    drop(old);
    let mut store = SqliteControl::open(&path, STORE).expect("an old one");
    let a = GroupRetention { age_ns: Some(5), bytes: None };
    let c = GroupRetention { age_ns: None, bytes: Some(6) };
    assert_eq!(retentions(&mut store).expect("readable"), BTreeMap::from([(group("a/b"), a), (group("c"), c)]));
}

#[test]
fn that_of_another_store_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("control.sqlite");
    drop(SqliteControl::open(&path, STORE).expect("a new one"));
    let refused = SqliteControl::open(&path, [8; 16]).err().expect("it belongs to another store");
    assert!(matches!(refused.problem, DatabaseProblem::Foreign { .. }), "{refused}");
}
