//! The catalog and the control store in PostgreSQL: nothing is lost or repeated, whatever happens to the server.

use std::time::Duration;

use rustix::process::Signal;

use super::*;
use crate::postgres_server::Server;
use crate::{AppendError, GroupRetention, OpenError, StoreError, backup, verify};
use database::url::Databases;

fn databases(server: &Server) -> Databases {
    Databases {
        catalog: Some(server.url().parse().expect("a URL")),
        control: Some(server.url().parse().expect("a URL")),
    }
}

fn remote(dir: &Path, server: &Server) -> Options {
    Options { databases: databases(server), ..options(dir) }
}

fn open_remote(dir: &Path, server: &Server) -> (Arc<Store>, Recovery) {
    Store::open(remote(dir, server)).expect("a store that can be opened")
}

#[test]
fn a_store_keeps_everything_with_its_databases_in_postgres() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open_remote(dir.path(), &server);
    for i in 0..3 {
        store.append(keyed("g", i * 10, 10, i as u8, 0)).expect("room");
        store
            .append(Delivery { position: Some(position(i * 5, i * 5 + 5)), ..delivery("gone", 1000, 1) })
            .expect("room");
        store.flush().expect("room");
    }
    store.compact().expect("room");
    let limits = GroupRetention { age_ns: None, bytes: Some(1 << 30) };
    store.set_retention(&group("g"), limits).expect("room");
    assert!(store.delete_group(&group("gone")).expect("room"));
    store.append(delivery("g", 30, 5)).expect("room");
    assert_events(&store, 35);
    drop(store);
    for name in ["catalog.sqlite", "control.sqlite"] {
        assert!(!dir.path().join(name).exists(), "{name}");
    }
    let (store, recovery) = open_remote(dir.path(), &server);
    assert_eq!((recovery.damaged, recovery.segments_adopted), (vec![], 0));
    assert_events(&store, 35);
    assert!(store.append(keyed("g", 10, 10, 1, 0)).expect("known").duplicate);
    assert!(store.missing(&position(0, 20)).into_iter().flatten().eq(15..20));
    assert_eq!(store.retention(&group("g")), limits);
    assert_eq!(store.groups().len(), 1);
    // While it runs, from outside.
    let report = verify(&remote(dir.path(), &server)).expect("a store");
    assert_eq!((report.damaged, report.events), (vec![], 33), "the deleted group shares a segment");
    assert!(verify(&options(dir.path())).is_err(), "it has no catalog of its own");
    let copy = dir.path().join("copy");
    backup(&remote(dir.path(), &server), &copy).expect("room");
    let (copied, recovery) = open(&copy);
    assert_eq!(recovery.damaged, []);
    assert_events(&copied, 35);
    assert!(copied.append(keyed("g", 10, 10, 1, 0)).expect("known").duplicate);
    assert_eq!(copied.retention(&group("g")), limits);
}

#[test]
fn events_are_taken_while_the_database_is_away_up_to_a_bound_and_flushed_when_it_is_back() {
    for is_stopped in [false, true] {
        let Some(mut server) = Server::start(&["fsync=off"]) else { return };
        let dir = tempfile::tempdir().expect("a scratch directory");
        let small = Options { flush_bytes: 1 << 20, ..remote(dir.path(), &server) };
        let (store, _) = Store::open(small).expect("a store that can be opened");
        store.append(delivery("g", 0, 100)).expect("room");
        store.flush().expect("room");
        if is_stopped {
            server.signal(Signal::STOP)
        } else {
            server.kill()
        }
        let mut n = 100;
        let refused = loop {
            match store.append(delivery("g", n, 100)) {
                Ok(_) => n += 100,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, AppendError::Overloaded { .. }), "{refused}");
        assert!(n > 1000, "only {n} were taken");
        assert_events(&store, n as i64);
        until("the status says nothing", || store.status().catalog_problem.is_some());
        assert!(matches!(
            store.set_retention(&group("g"), GroupRetention { age_ns: None, bytes: Some(1) }),
            Err(StoreError::Catalog(_))
        ));
        let files = || std::fs::read_dir(dir.path().join("segments/2026-11-20")).expect("readable").count();
        let n_files = files();
        assert!(store.flush().is_err() && files() == n_files, "a flush is written once, however often it is tried");
        if is_stopped {
            server.signal(Signal::CONT)
        } else {
            server.resume()
        }
        until("the catalog does not come back", || store.status().catalog_problem.is_none());
        until("no flush succeeds", || store.flush().is_ok());
        store.append(delivery("g", n, 100)).expect("room again");
        assert_events(&store, n as i64 + 100);
        drop(store);
        let (store, recovery) = open_remote(dir.path(), &server);
        assert_eq!((recovery.damaged, recovery.segments_adopted, recovery.unfinished_removed), (vec![], 0, 0));
        assert_events(&store, n as i64 + 100);
    }
}

#[test]
fn nothing_is_lost_or_repeated_however_often_the_database_dies_under_load() {
    let Some(mut server) = Server::start(&[]) else { return };
    let rounds = std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3u64);
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open_remote(dir.path(), &server);
    let mut n = 0;
    for round in 0..rounds {
        std::thread::scope(|scope| {
            let (store, from) = (&store, n);
            let busy = scope.spawn(move || {
                // Flushes and compactions, one after the other, until the database is gone.
                let mut n = from;
                loop {
                    store.append(delivery("g", n, 10)).expect("room");
                    n += 10;
                    if store.flush().and_then(|()| store.compact()).is_err() {
                        return n;
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(37 * (round + 1) % 211));
            server.kill();
            n = busy.join().expect("no panic");
        });
        server.resume();
        until("no flush succeeds", || store.flush().and_then(|()| store.compact()).is_ok());
        assert_events(&store, n as i64);
        assert_eq!(verify(&remote(dir.path(), &server)).expect("a store").damaged, []);
    }
    drop(store);
    let (store, recovery) = open_remote(dir.path(), &server);
    assert_eq!((recovery.damaged, recovery.segments_adopted), (vec![], 0));
    assert_events(&store, n as i64);
}

#[test]
fn a_store_brings_its_databases_along_and_does_not_forget_where_they_are() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open(dir.path());
    let limits = GroupRetention { age_ns: None, bytes: Some(1 << 30) };
    store.set_retention(&group("g"), limits).expect("room");
    store.append(keyed("g", 0, 10, 1, 0)).expect("room");
    store.flush().expect("room");
    store.append(delivery("g", 10, 10)).expect("room");
    drop(store);
    let saved = dir.path().join("saved");
    std::fs::create_dir(&saved).expect("room");
    for name in ["catalog.sqlite", "control.sqlite"] {
        std::fs::copy(dir.path().join(name), saved.join(name)).expect("readable");
    }
    let check = |store: &Store| {
        assert_events(store, 20);
        assert_eq!(store.retention(&group("g")), limits);
        assert!(store.append(keyed("g", 0, 10, 1, 0)).expect("known").duplicate);
    };
    check(&open_remote(dir.path(), &server).0);
    // As if it had been cut off before it was noted: it is done again, to the same end.
    for name in ["catalog", "control"] {
        std::fs::remove_file(dir.path().join(format!("{name}.postgres"))).expect("it is noted");
        std::fs::copy(saved.join(format!("{name}.sqlite")), dir.path().join(format!("{name}.sqlite"))).expect("room");
    }
    let (store, _) = open_remote(dir.path(), &server);
    check(&store);
    store.append(delivery("g", 20, 10)).expect("room");
    store.flush().expect("room");
    drop(store);
    let refusal = |options: Options| Store::open(options).err().expect("a refusal").to_string();
    assert!(refusal(options(dir.path())).contains("catalog is in PostgreSQL"));
    let catalog_only = Databases { control: None, ..databases(&server) };
    assert!(refusal(Options { databases: catalog_only, ..options(dir.path()) }).contains("control is in PostgreSQL"));
    // Another database knows nothing of the store.
    server.sql("CREATE DATABASE other");
    let other = server.url().replace("/postgres", "/other").parse().expect("a URL");
    let elsewhere = Databases { catalog: Some(other), ..databases(&server) };
    let refused = refusal(Options { databases: elsewhere, ..options(dir.path()) });
    assert!(refused.contains("knows nothing of store"), "{refused}");
    // A file of before and a database that continued: no one can say which one is right.
    std::fs::remove_file(dir.path().join("catalog.postgres")).expect("it is noted");
    std::fs::copy(saved.join("catalog.sqlite"), dir.path().join("catalog.sqlite")).expect("room");
    assert!(refusal(remote(dir.path(), &server)).contains("remove the one that is wrong"));
    std::fs::remove_file(dir.path().join("catalog.sqlite")).expect("removable");
    assert_events(&open_remote(dir.path(), &server).0, 30);
}

#[test]
fn a_server_that_was_replaced_takes_no_events_any_more() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let (dir, copy) = (tempfile::tempdir().expect("a scratch directory"), tempfile::tempdir().expect("another one"));
    let (first, _) = open_remote(dir.path(), &server);
    first.append(delivery("g", 0, 10)).expect("room");
    for name in ["STORE", "catalog.postgres", "control.postgres"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).expect("room");
    }
    let refused = Store::open(remote(copy.path(), &server)).err().expect("it is in use");
    assert!(matches!(&refused, OpenError::Database(error) if error.to_string().contains("in use")), "{refused}");
    // As when the first one was stopped for longer than its claim holds.
    let schema = server.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'catat%catalog'");
    server.sql(&format!("UPDATE {schema}.state SET renewed = now() - interval '1 hour'"));
    let (second, _) = open_remote(copy.path(), &server);
    assert!(matches!(first.flush(), Err(StoreError::Catalog(_) | StoreError::Poisoned(_))));
    until("it goes on taking events", || first.append(delivery("g", 10, 1)).is_err());
    let reason = first.status().poisoned.expect("a reason");
    assert!(reason.contains("taken over by another catat"), "{reason}");
    assert_eq!(second.status().poisoned, None);
    second.append(delivery("h", 0, 1)).expect("it is the owner");
    second.flush().expect("room");
}

#[test]
fn a_lost_catalog_is_made_anew_from_the_segments_when_it_is_asked_for() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, _) = open_remote(dir.path(), &server);
    store.append(delivery("g", 0, 10)).expect("room");
    store.close().expect("room");
    drop(store);
    let schema = server.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'catat%catalog'");
    server.sql(&format!("DROP SCHEMA {schema} CASCADE"));
    assert!(Store::open(remote(dir.path(), &server)).is_err(), "not by itself: the address may be wrong");
    let done = crate::repair(&remote(dir.path(), &server)).expect("room");
    assert_eq!(done.segments_adopted, 1);
    assert_events(&open_remote(dir.path(), &server).0, 10);
}
