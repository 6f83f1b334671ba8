//! Who owns a database, and what happens when the server does.

use super::testing::Server;
use super::*;

const SCHEMA: Schema = Schema { steps: &["CREATE TABLE numbers(n bigint)"], identity_since: 0 };
const STORE: [u8; 16] = [7; 16];

fn opening<'a>(url: &'a DatabaseUrl, holder: &'a str) -> PostgresOptions<'a> {
    PostgresOptions { url, store: STORE, kind: "test", schema: &SCHEMA, holder: Some(holder), must_exist: false }
}

fn add(database: &mut Database, n: i64) -> Result<(), DatabaseError> {
    database.transact(|session| session.execute("INSERT INTO numbers VALUES ($1)", &[&n]).map(|_| ()))
}

fn numbers(database: &mut Database) -> Vec<i64> {
    let read = database.transact(|session| {
        let rows = session.query("SELECT n FROM numbers ORDER BY n", &[])?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    });
    read.expect("readable")
}

fn problem<T>(result: Result<T, DatabaseError>) -> DatabaseProblem {
    result.err().expect("a refusal").problem
}

/// Asks until the server is asked again: after a failure, calls fail at once for a while.
fn patiently<T>(mut call: impl FnMut() -> Result<T, DatabaseError>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match call() {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::sleep(LOOK);
    }
}

#[test]
fn a_database_has_one_owner_and_the_replaced_one_commits_nothing() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let mut first = opening(&url, "first").open().expect("a new one");
    add(&mut first, 1).expect("room");
    let refused = problem(opening(&url, "second").open());
    assert!(matches!(&refused, DatabaseProblem::InUse { holder } if holder == "first"), "{refused}");
    add(&mut first, 2).expect("it is unharmed");
    // The first has not been heard of for long, as when its process is stopped.
    let tables = format!("catat_{}_test", "07".repeat(16));
    server.sql(&format!("UPDATE {tables}.state SET renewed = now() - interval '31 seconds'"));
    let mut second = opening(&url, "second").open().expect("the claim has run out");
    for n in 100..600 {
        let refused = problem(add(&mut first, n));
        assert!(matches!(&refused, DatabaseProblem::Replaced { holder } if holder == "second"), "{refused}");
    }
    assert!(matches!(problem(first.renew()), DatabaseProblem::Replaced { .. }));
    add(&mut second, 3).expect("room");
    second.renew().expect("it is the owner");
    assert_eq!(numbers(&mut second), [1, 2, 3]);
    drop((first, second));
    opening(&url, "third").open().expect("nobody has it any more");
}

#[test]
fn a_transaction_is_whole_or_absent_wherever_the_server_dies() {
    let Some(mut server) = Server::start(&[]) else { return };
    let url = server.url().parse().expect("a URL");
    let mut database = opening(&url, "first").open().expect("a new one");
    add(&mut database, 1).expect("room");
    server.kill();
    assert!(matches!(problem(add(&mut database, 2)), DatabaseProblem::Unavailable(_)));
    let began = Instant::now();
    let known = problem(add(&mut database, 3));
    assert!(matches!(known, DatabaseProblem::Unavailable(_)));
    assert_eq!(known.to_string().matches("cannot be used now").count(), 1, "it is said once: {known}");
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waits for what is known to be away");
    server.resume();
    patiently(|| add(&mut database, 4));
    assert_eq!(numbers(&mut database), [1, 4]);
    // In the middle of a transaction.
    let failed = database.transact(|session| {
        session.execute("INSERT INTO numbers VALUES (5)", &[])?;
        server.kill();
        session.execute("INSERT INTO numbers VALUES (6)", &[])
    });
    assert!(matches!(problem(failed), DatabaseProblem::Unavailable(_)));
    server.resume();
    patiently(|| database.renew());
    assert_eq!(numbers(&mut database), [1, 4]);
}

#[test]
fn the_fate_of_a_lost_commit_is_decided_before_anybody_looks() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let mut database = opening(&url, "first").open().expect("a new one");
    add(&mut database, 1).expect("room");
    // The connection is lost while the server is still at work in the transaction: a trigger lets the commit take
    // a while after the client has gone.
    let tables = format!("catat_{}_test", "07".repeat(16));
    server.sql(&format!(
        "CREATE FUNCTION {tables}.slow() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON {tables}.numbers DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.n = 2) EXECUTE FUNCTION {tables}.slow()"
    ));
    let lost = database.transact(|session| {
        session.execute("INSERT INTO numbers VALUES (2)", &[])?;
        session.batch("COMMIT", Duration::from_millis(100))
    });
    assert!(matches!(problem(lost), DatabaseProblem::Unavailable(_)));
    let began = Instant::now();
    let found =
        patiently(|| database.transact(|session| Ok(session.query("SELECT n FROM numbers ORDER BY n", &[])?.len())));
    assert!(began.elapsed() > Duration::from_secs(1), "it waited for the transaction");
    assert_eq!(found, 2, "which had happened");
}

#[test]
fn a_newer_database_and_that_of_another_store_are_refused_untouched() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let missing = PostgresOptions { must_exist: true, ..opening(&url, "first") };
    assert!(matches!(problem(missing.open()), DatabaseProblem::Missing { .. }));
    assert!(matches!(problem(missing.open_for_reading()), DatabaseProblem::Missing { .. }));
    drop(opening(&url, "first").open().expect("a new one"));
    let tables = format!("catat_{}_test", "07".repeat(16));
    let state = || server.sql(&format!("SELECT * FROM {tables}.state"));
    for change in ["version = 9", "version = 1, store = '\\x00'"] {
        server.sql(&format!("UPDATE {tables}.state SET {change}"));
        let before = state();
        let refused = problem(opening(&url, "second").open());
        match refused {
            DatabaseProblem::Newer { found: 9, known: 1 } => assert!(change.ends_with('9')),
            DatabaseProblem::Foreign { .. } => assert!(change.contains("store")),
            other => panic!("{other}"),
        }
        assert_eq!(state(), before);
    }
}

#[test]
fn a_step_cut_off_at_any_statement_is_done_at_the_next_start() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let steps: &[&str] = &[
        "CREATE TABLE a(n bigint); INSERT INTO a VALUES (1);",
        "ALTER TABLE a ADD m bigint; CREATE TABLE b AS SELECT n FROM a; DROP TABLE a;",
    ];
    let schema = Schema { steps: steps.to_vec().leak(), identity_since: 0 };
    for (at, step) in steps.iter().enumerate() {
        let statements: Vec<&str> = step.split_inclusive(';').collect();
        for n_done in 0..statements.len() {
            let store = [u8::try_from(at * 10 + n_done).expect("few"); 16];
            let broken: &str = format!("{} NONSENSE;", statements[..n_done].concat()).leak();
            let broken = Schema { steps: [&steps[..at], &[broken]].concat().leak(), identity_since: 0 };
            assert!(PostgresOptions { store, schema: &broken, ..opening(&url, "first") }.open().is_err());
            let mut opened =
                PostgresOptions { store, schema: &schema, ..opening(&url, "second") }.open().expect("the rest");
            let found = opened.transact(|session| Ok(session.query("SELECT n FROM b", &[])?.len()));
            assert_eq!(found.expect("readable"), 1);
        }
    }
}

#[test]
fn a_reader_sees_one_instant_and_changes_nothing() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let mut owner = opening(&url, "owner").open().expect("a new one");
    add(&mut owner, 1).expect("room");
    let mut reader = opening(&url, "reader").open_for_reading().expect("whoever owns it");
    let (before, after) = reader
        .transact(|session| {
            let count = || Ok::<_, Failure>(session.query("SELECT n FROM numbers", &[])?.len());
            let before = count()?;
            add(&mut owner, 2).expect("a reader is in nobody's way");
            Ok((before, count()?))
        })
        .expect("readable");
    assert_eq!((before, after), (1, 1));
    assert!(add(&mut reader, 3).is_err());
    assert_eq!(numbers(&mut owner), [1, 2]);
}

#[test]
fn connections_are_encrypted_and_checked_as_the_mode_says() {
    let Some(server) = Server::start(&["fsync=off", "ssl=on", "listen_addresses=127.0.0.1"]) else { return };
    let Some(plain) = Server::start(&["fsync=off", "listen_addresses=127.0.0.1"]) else { return };
    let connect = |server: &Server, host: &str, query: &str| {
        let url = format!("postgres://catat@{host}:{}/postgres?{query}", server.port()).parse().expect("a URL");
        let mut database = opening(&url, "test").open()?;
        let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        database.transact(|session| Ok(session.query(ssl, &[])?[0].try_get::<_, bool>(0)?))
    };
    let rooted = format!("sslmode=verify-full&sslrootcert={}", server.certificate().display());
    for (query, is_encrypted) in [("sslmode=disable", false), ("", true), ("sslmode=require", true), (&rooted, true)] {
        assert_eq!(connect(&server, "localhost", query).expect(query), is_encrypted, "{query}");
    }
    assert!(!connect(&plain, "localhost", "sslmode=prefer").expect("it has no TLS"));
    let refused = [
        (&plain, "localhost", "sslmode=require"),
        (&server, "localhost", "sslmode=verify-full"),
        (&server, "127.0.0.1", &rooted),
        (&server, "localhost", "sslmode=verify-full&sslrootcert=/dev/null"),
    ];
    for (server, host, query) in refused {
        assert!(connect(server, host, query).is_err(), "{host} {query}");
    }
}

#[test]
fn those_that_open_an_empty_database_together_make_its_tables_together() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url: DatabaseUrl = server.url().parse().expect("a URL");
    let shared = PostgresOptions { holder: None, ..opening(&url, "") };
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8)
            .map(|n| {
                let shared = &shared;
                scope.spawn(move || add(&mut shared.open().expect("tables"), n))
            })
            .collect();
        opened.into_iter().for_each(|opened| opened.join().expect("no panic").expect("room"));
    });
    assert_eq!(numbers(&mut shared.open().expect("tables")), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_session_may_be_used_on_a_thread_of_a_runtime() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.url().parse().expect("a URL");
    let mut database = opening(&url, "first").open().expect("a new one");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let work = async move {
        add(&mut database, 1).expect("room");
        numbers(&mut database)
    };
    assert_eq!(runtime.block_on(async { tokio::spawn(work).await }).expect("no panic"), [1]);
}
