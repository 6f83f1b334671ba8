//! What every control store promises: each promise is kept by SQLite and by PostgreSQL.

use rusqlite::Connection;

use super::postgres::PostgresControl;
use super::sqlite::{SCHEMA, SqliteControl};
use super::*;
use crate::postgres_server::Server;
use crate::promises::promises;
use database::DatabaseProblem;

const STORE: [u8; 16] = [7; 16];

fn group(name: &str) -> GroupName {
    GroupName::new(name).expect("a valid name")
}

/// Opens the control store of a store, the same one each time.
type Open<'a> = &'a dyn Fn() -> Box<dyn ControlStore>;

promises! {
    limits_are_read_back_as_they_were_set,
    documents_of_one_kind_are_not_those_of_another,
    limits_that_cannot_be_read_are_none,
    a_control_store_is_filled_with_what_another_one_held,
}

#[test]
fn postgres_keeps_the_same_promises() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    for (number, (name, promise)) in PROMISES.iter().enumerate() {
        println!("{name}");
        let store = [u8::try_from(number).expect("few"); 16];
        let open = || PostgresControl::open(&server.url().parse().expect("a URL"), store, false);
        promise(&|| Box::new(open().expect("a control store")));
    }
}

#[test]
fn a_shared_control_store_has_the_last_change_of_each() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let open = || {
        PostgresControl::open(&server.url().parse().expect("a URL"), STORE, false).expect("whoever else has it open")
    };
    let (mut one, mut other) = (open(), open());
    one.put("k", "a", "1").expect("room");
    other.put("k", "a", "2").expect("room");
    one.put("k", "b", "3").expect("room");
    let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "3".to_owned())];
    assert_eq!(one.documents("k").expect("readable"), expected);
    assert_eq!(other.documents("k").expect("readable"), expected);
    assert_eq!(one.load().expect("readable")[0].version, 2);
}

fn of_file(path: &std::path::Path) -> Box<dyn ControlStore> {
    Box::new(SqliteControl::open(path, STORE).expect("a control store"))
}

fn limits_are_read_back_as_they_were_set(open: Open<'_>) {
    let limits = [
        GroupRetention { age_ns: Some(i64::MAX), bytes: None },
        GroupRetention { age_ns: None, bytes: Some(u64::MAX) },
        GroupRetention { age_ns: Some(0), bytes: Some(1) },
    ];
    let mut store = open();
    for limits in &limits {
        for name in ["a", "b/c"] {
            set_retention(&mut *store, &group(name), limits).expect("room");
        }
        let expected = BTreeMap::from([(group("a"), *limits), (group("b/c"), *limits)]);
        assert_eq!(retentions(&mut *open()).expect("readable"), expected);
    }
    set_retention(&mut *store, &group("a"), &GroupRetention::default()).expect("room");
    assert_eq!(retentions(&mut *store).expect("readable"), BTreeMap::from([(group("b/c"), limits[2])]));
}

fn documents_of_one_kind_are_not_those_of_another(open: Open<'_>) {
    let mut store = open();
    store.put("a", "x", "1").expect("room");
    store.put("b", "x", "2").expect("room");
    store.remove("a", "x").expect("room");
    store.remove("a", "x").expect("nothing there is no error");
    assert_eq!(store.documents("a").expect("readable"), []);
    assert_eq!(store.documents("b").expect("readable"), [("x".to_owned(), "2".to_owned())]);
}

fn limits_that_cannot_be_read_are_none(open: Open<'_>) {
    let mut store = open();
    for json in ["", "{", "[]", "7", r#"{"age_ns":"1d"}"#, r#"{"age_ns":1,"bytes":-1}"#, r#"{"bytes":1.5}"#] {
        store.put("retention", "g", json).expect("room");
        assert!(retentions(&mut *store).expect("readable").is_empty(), "{json}");
    }
}

fn a_control_store_is_filled_with_what_another_one_held(open: Open<'_>) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut old = of_file(&dir.path().join("old.sqlite"));
    for (kind, name) in [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")] {
        old.put(kind, name, "{}").expect("room");
    }
    let expected = old.load().expect("readable");
    assert_eq!(expected.iter().map(|document| document.version).collect::<Vec<_>>(), [2, 1, 1]);
    let mut store = open();
    store.put("c", "z", "1").expect("room");
    store.fill(&expected).expect("room");
    assert_eq!(store.load().expect("readable"), expected);
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
