//! A fleet for tests: a bucket, a database, and stores that are its nodes.

#![allow(dead_code, reason = "two crates have this module, and none needs all of it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use storage::{Clock, Delivery, FleetOptions, Options, Part, Store};
use types::{BatchBuilder, GroupName, Level, Timestamp};

use crate::fake_s3::FakeS3;
use crate::postgres_server::Server;

pub(crate) struct FleetLab {
    pub(crate) server: Server,
    bucket: FakeS3,
    pub(crate) dirs: tempfile::TempDir,
}

impl FleetLab {
    /// Returns a fleet without nodes; `None` without PostgreSQL.
    pub(crate) fn new() -> Option<Self> {
        let server = Server::start(&["fsync=off"])?;
        Some(Self { server, bucket: FakeS3::start(), dirs: tempfile::tempdir().expect("a scratch directory") })
    }

    pub(crate) fn node(&self, node: &str) -> Arc<Store> {
        let fleet = FleetOptions {
            database: self.server.url().parse().expect("a URL"),
            node: node.into(),
            address: format!("http://{node}"),
            roles: ["ingest", "query", "alert"].map(String::from).to_vec(),
            zone: String::new(),
            linger: Duration::from_millis(5),
            object_bytes: 8 << 20,
        };
        let options = Options {
            clock: Clock::system(),
            object_store: Some(self.bucket.options()),
            fleet: Some(fleet),
            disk_reserve_bytes: 0,
            ..Options::new(self.dirs.path().join(node))
        };
        Store::open(options).expect("a node that can join").0
    }

    /// Runs SQL on the schema of the catalog or of the control store.
    pub(crate) fn sql(&self, kind: &str, statement: &str) -> String {
        let schema = self.server.sql(&format!("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'catat_%_{kind}'"));
        self.server.sql(&format!("SET search_path TO {schema}; {statement}"))
    }

    /// Gives the lease `alerts` to a node, as if the one before had not renewed it. The previous node notices by itself, or
    /// when it saves.
    pub(crate) fn hand_over(&self, to: &Store) {
        let (epoch, _) = to.nodes().expect("it is a node");
        let give = format!("UPDATE leases SET epoch = {epoch}, until = now() + interval '15 s' WHERE name = 'alerts'");
        self.sql("catalog", &give);
    }
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Appends errors with these texts on a node.
pub(crate) fn append_errors(store: &Store, texts: &[&str]) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later").as_nanos();
    let mut builder = BatchBuilder::new();
    for text in texts {
        builder.set_timestamp(Timestamp(i64::try_from(now).expect("a time")));
        builder.set_message(text);
        builder.set_level(Some(Level::Error));
        builder.set_stream("host");
        builder.commit();
    }
    let part = Part { group: GroupName::new("app/a").expect("a name"), batch: builder.finish() };
    store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).expect("room");
}
