//! What the nodes of a fleet share in PostgreSQL beside the tables of the catalog.
//!
//! ```text
//! meta       objects: number of the last object; changes: how often anything else changed; flushed: the sequence below
//!            which all events are in segments; next_sequence, next_group
//! nodes      a row per process: its epoch, who it is, until when its lease holds, what of the catalog it has applied
//! leases     who does what only one may do
//! objects    accepted events that are in no segment yet, in the order of their acceptance
//! batches    ids of accepted batches
//! ```
//!
//! **One order.** A transaction that changes something holds the row of `state`, so that objects and changes have an
//! order, and a sequence below that of another was committed before it.
//!
//! **Fencing.** A node has an epoch, and a lease that it renews. A transaction of a node whose lease has ended is
//! refused; the node joins again, under another epoch, and whatever it was about to do is done again or never.
//!
//! **One truth.** An object is named by the epoch and a number that its node used once. Where the answer to a commit is
//! lost, the same commit finds the object listed, and answers what it had answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use segment::bytes::{Cursor, Decoded, put_varint};
use tokio_postgres::Row;
use types::{GroupName, Timestamp};

use super::{PostgresCatalog, SCHEMA, get, group_id, merge_positions, misshapen, number, position};
use crate::catalog::Contents;
use crate::positions::{FileKey, Positions};
use crate::{BatchKey, SourcePosition};
use database::postgres::{Database, Failure, PostgresOptions, Session};
use database::url::DatabaseUrl;
use database::{DatabaseError, DatabaseProblem, signed};

pub(super) const VERSION_4: &str = "
    CREATE TABLE nodes(epoch bigint PRIMARY KEY, name text NOT NULL, address text NOT NULL, roles text NOT NULL,
        zone text NOT NULL, started timestamptz NOT NULL, renewed timestamptz NOT NULL, changes bigint NOT NULL);
    CREATE TABLE leases(name text PRIMARY KEY, epoch bigint NOT NULL, until timestamptz NOT NULL);
    CREATE TABLE objects(number bigint PRIMARY KEY, epoch bigint NOT NULL, place bigint NOT NULL, bytes bigint NOT NULL,
        first_sequence bigint NOT NULL, end_sequence bigint NOT NULL, records bytea NOT NULL, UNIQUE (epoch, place));
    CREATE TABLE batches(id bytea PRIMARY KEY, digest bytea NOT NULL, first_sequence bigint NOT NULL,
        n_events bigint NOT NULL, accepted timestamptz NOT NULL);
    CREATE INDEX batches_accepted ON batches (accepted);
    ALTER TABLE doomed ADD COLUMN change bigint NOT NULL DEFAULT 0;
";

/// How long a node's lease holds that is not renewed, in seconds.
const LEASE_S: f64 = 15.0;

/// How long a node is listed after its lease has ended, in seconds.
const LISTED_S: f64 = 3600.0;

/// How long a batch id is known, in seconds.
const BATCH_S: f64 = 86_400.0;

/// Why a flush is not listed whose events are in segments of another node.
const SUPERSEDED: &str = "another node has put these events into segments";

/// The lease of whoever turns objects into segments, and segments into better ones.
const UPKEEP: &str = "upkeep";

/// The lease of whoever evaluates rules and tells people.
const ALERTS: &str = "alerts";

/// Who a node is.
#[derive(Clone, Debug)]
pub(crate) struct NodeName {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) roles: String,
    pub(crate) zone: String,
    /// Whether it may turn objects into segments.
    pub(crate) does_upkeep: bool,
    /// Whether it may evaluate rules.
    pub(crate) does_alerts: bool,
}

/// A node's place in the fleet.
pub(crate) struct Membership {
    node: NodeName,
    epoch: AtomicI64,
    /// How many changes the oldest snapshot knows that is in use here.
    oldest_change: AtomicU64,
    /// Whether it had the lease of upkeep when it was last renewed.
    is_in_charge: AtomicBool,
    /// The same of alerts.
    has_alerts: AtomicBool,
}

/// A node as others see it.
#[derive(Clone, Debug)]
pub(crate) struct NodeRow {
    pub(crate) epoch: u64,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) roles: String,
    pub(crate) zone: String,
    /// Seconds since it joined, and since it was last heard of.
    pub(crate) joined_s: f64,
    pub(crate) silent_s: f64,
    pub(crate) leases: Vec<String>,
}

/// A delivery in an object, as it is offered.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) key: Option<BatchKey>,
    pub(crate) position: Option<SourcePosition>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) n_events: u64,
}

/// What became of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted { first_sequence: u64, high_water: Option<u64> },
    Duplicate { first_sequence: u64, n_events: u64, high_water: Option<u64> },
    KeyConflict,
    PositionChanged,
}

/// An accepted record of an object: which one, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordRow {
    pub(crate) index: u32,
    pub(crate) first_sequence: u64,
    pub(crate) accepted: Timestamp,
    pub(crate) group_ids: Vec<u32>,
}

/// An object whose events are in no segment yet.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRow {
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) place: u64,
    pub(crate) n_bytes: u64,
    pub(crate) end_sequence: u64,
    pub(crate) records: Vec<RecordRow>,
}

impl ObjectRow {
    /// Returns the object's name in the bucket.
    pub(crate) fn name(&self) -> String {
        object_name(self.epoch, self.place)
    }
}

/// Returns the name of an object.
pub(crate) fn object_name(epoch: u64, place: u64) -> String {
    format!("wal/{epoch:08x}/{place:012x}")
}

/// What a node learns of the others.
pub(crate) struct News {
    /// How often anything but objects had changed.
    pub(crate) changes: u64,
    /// All events below are in segments.
    pub(crate) flushed: u64,
    /// Objects that it does not have.
    pub(crate) objects: Vec<ObjectRow>,
    /// The catalog, if it has changed.
    pub(crate) contents: Option<Contents>,
}

/// An object with what is decided about the deliveries in it.
pub(crate) struct CommittedObject {
    pub(crate) verdicts: Vec<Verdict>,
    /// None where nothing of it was accepted.
    pub(crate) row: Option<ObjectRow>,
}

impl Membership {
    /// Not yet a member.
    pub(crate) fn new(node: NodeName) -> Self {
        Self {
            node,
            epoch: AtomicI64::new(0),
            oldest_change: AtomicU64::new(0),
            is_in_charge: AtomicBool::new(false),
            has_alerts: AtomicBool::new(false),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed).cast_unsigned()
    }

    /// Reports whether it does upkeep, as far as it knows; each transaction finds out anew.
    pub(crate) fn is_in_charge(&self) -> bool {
        self.is_in_charge.load(Ordering::Relaxed)
    }

    /// Reports whether it evaluates rules, as far as it knows.
    pub(crate) fn has_alerts(&self) -> bool {
        self.has_alerts.load(Ordering::Relaxed)
    }

    /// Says from which change on this node still reads.
    pub(crate) fn note_oldest_change(&self, change: u64) {
        self.oldest_change.store(change, Ordering::Relaxed);
    }

    /// Does work that changes the catalog, in a transaction that has begun: upkeep, or what any node may do.
    pub(super) fn change<T>(
        &self,
        session: &Session,
        is_upkeep: bool,
        work: impl FnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        enter(session, self.epoch.load(Ordering::Relaxed))?;
        if is_upkeep {
            self.check_lease(session)?;
        }
        let done = work(session)?;
        count_up(session, "changes", 1)?;
        Ok(done)
    }

    fn check_lease(&self, session: &Session) -> Result<(), Failure> {
        let held = "SELECT 1 FROM leases WHERE name = $1 AND epoch = $2 AND until > now()";
        match session.query(held, &[&UPKEEP, &self.epoch.load(Ordering::Relaxed)])?.first() {
            Some(_) => Ok(()),
            None => Err(refused("another node does upkeep now")),
        }
    }

    /// Becomes a member, or one again.
    pub(crate) fn join(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let epoch = database.transact(|session| {
            let rows = session.query("UPDATE state SET epoch = epoch + 1 RETURNING epoch", &[])?;
            let epoch: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            let NodeName { name, address, roles, zone, .. } = &self.node;
            let insert = "INSERT INTO nodes VALUES ($1, $2, $3, $4, $5, now(), now(), 0)";
            session.execute(insert, &[&epoch, name, address, roles, zone])?;
            Ok(epoch)
        })?;
        self.epoch.store(epoch, Ordering::Relaxed);
        tracing::info!(epoch, node = self.node.name, "joined the fleet");
        Ok(())
    }

    /// Renews the node's lease, and that of upkeep where it has it or may take it; joins again where it must.
    pub(crate) fn renew(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let oldest = signed(self.oldest_change.load(Ordering::Relaxed));
        let is_member = database.transact(|session| {
            let renew = "UPDATE nodes SET renewed = now(), changes = $2
                WHERE epoch = $1 AND renewed > now() - make_interval(secs => $3)";
            if session.execute(renew, &[&epoch, &oldest, &LEASE_S])? == 0 {
                return Ok(false);
            }
            if self.node.does_upkeep {
                let held = session.query("SELECT epoch FROM leases WHERE name = $1 AND until > now()", &[&UPKEEP])?;
                if held.is_empty() {
                    // What the last holder was uploading no one will list.
                    let change =
                        "UPDATE doomed SET change = (SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes')
                        WHERE change = 0";
                    session.execute(change, &[])?;
                }
                self.is_in_charge.store(take_lease(session, UPKEEP, epoch)?, Ordering::Relaxed);
                let forget = "DELETE FROM nodes WHERE renewed < now() - make_interval(secs => $1)";
                session.execute(forget, &[&LISTED_S])?;
                let forget = "DELETE FROM batches WHERE accepted < now() - make_interval(secs => $1)";
                session.execute(forget, &[&BATCH_S])?;
            }
            if self.node.does_alerts {
                self.has_alerts.store(take_lease(session, ALERTS, epoch)?, Ordering::Relaxed);
            }
            Ok(true)
        })?;
        if is_member {
            return Ok(());
        }
        self.is_in_charge.store(false, Ordering::Relaxed);
        self.has_alerts.store(false, Ordering::Relaxed);
        self.join(database)
    }

    /// Gives up what others may take over at once.
    pub(crate) fn leave(&self, database: &mut Database) -> Result<(), DatabaseError> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        database.transact(|session| {
            session.execute("DELETE FROM leases WHERE epoch = $1", &[&epoch])?;
            session.execute("DELETE FROM nodes WHERE epoch = $1", &[&epoch]).map(|_| ())
        })
    }

    /// Lists an object and decides what of it is accepted: all of it or nothing is in the catalog afterwards. The same
    /// object may be offered again.
    pub(crate) fn commit_object(
        &self,
        database: &mut Database,
        (epoch, place, n_bytes): (u64, u64, u64),
        accepted: Timestamp,
        offers: &[Offer],
    ) -> Result<CommittedObject, DatabaseError> {
        let epoch = signed(epoch);
        database.transact(|session| {
            // It may be there already, and the lease may have ended since.
            let known = session.query(
                "SELECT number, epoch, place, bytes, end_sequence, records FROM objects WHERE epoch = $1 AND place = $2",
                &[&epoch, &signed(place)],
            )?;
            if known.is_empty() {
                enter(session, epoch)?;
            }
            let known = known.first().map(object_row).transpose()?;
            let mut decision = Decision::begin(session, offers)?;
            let verdicts = match &known {
                Some(row) => decision.repeat(row, offers),
                None => decision.decide(offers, accepted),
            };
            let row = match known {
                Some(row) => Some(row),
                None => decision.write(session, offers, (epoch, place, n_bytes))?,
            };
            Ok(CommittedObject { verdicts, row })
        })
    }
}

/// Takes or renews a lease; `false` while another node has it.
fn take_lease(session: &Session, name: &str, epoch: i64) -> Result<bool, Failure> {
    let take = "INSERT INTO leases VALUES ($1, $2, now() + make_interval(secs => $3))
        ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, until = excluded.until
        WHERE leases.epoch = excluded.epoch OR leases.until < now()";
    Ok(session.execute(take, &[&name, &epoch, &LEASE_S])? > 0)
}

/// Keeps everybody else from changing anything until the transaction ends, and checks that a node may.
fn enter(session: &Session, epoch: i64) -> Result<(), Failure> {
    session.query("SELECT 1 FROM state FOR UPDATE", &[])?;
    let alive = "SELECT 1 FROM nodes WHERE epoch = $1 AND renewed > now() - make_interval(secs => $2)";
    match session.query(alive, &[&epoch, &LEASE_S])?.first() {
        Some(_) => Ok(()),
        None => Err(refused("the lease of this node has ended; it joins again")),
    }
}

/// What is decided about the deliveries of an object, and what that depends on.
struct Decision {
    keys: HashMap<[u8; 16], ([u8; 16], u64, u64)>,
    positions: Positions,
    groups: BTreeMap<GroupName, u32>,
    new_groups: Vec<(u32, GroupName)>,
    next_sequence: u64,
    next_group: u32,
    accepted: Vec<RecordRow>,
}

impl Decision {
    fn begin(session: &Session, offers: &[Offer]) -> Result<Self, Failure> {
        let ids: Vec<&[u8]> =
            offers.iter().filter_map(|offer| offer.key.as_ref()).map(|key| key.id.as_slice()).collect();
        let mut keys = HashMap::new();
        if !ids.is_empty() {
            let known = "SELECT id, digest, first_sequence, n_events FROM batches WHERE id = ANY($1)";
            for row in session.query(known, &[&ids])? {
                let hash = |at| <[u8; 16]>::try_from(get::<&[u8]>(&row, at)?).map_err(|_| misshapen("a batch id"));
                keys.insert(hash(0)?, (hash(1)?, number(&row, 2)?, number(&row, 3)?));
            }
        }
        let files: Vec<&SourcePosition> = offers.iter().filter_map(|offer| offer.position.as_ref()).collect();
        let mut positions = Positions::default();
        if !files.is_empty() {
            let sources: Vec<&[u8]> = files.iter().map(|file| file.source.as_bytes()).collect();
            let names: Vec<&[u8]> = files.iter().map(|file| file.file.as_bytes()).collect();
            let known = r#"SELECT DISTINCT p.source, p.file, p.generation, p.start, p."end" FROM positions p
                JOIN unnest($1::bytea[], $2::bytea[]) AS named(source, file)
                ON sha256(p.file) = sha256(named.file) AND p.file = named.file AND p.source = named.source"#;
            for row in session.query(known, &[&sources, &names])? {
                let (key, range) = position(&row)?;
                positions.insert(key, range);
            }
        }
        let names: Vec<&str> = offers.iter().flat_map(|offer| &offer.groups).map(GroupName::as_str).collect();
        let mut groups = BTreeMap::new();
        for row in session.query("SELECT id, name FROM groups WHERE name = ANY($1) AND NOT deleted", &[&names])? {
            if let Some(name) = GroupName::new(get(&row, 1)?) {
                groups.insert(name, group_id(&row, 0)?);
            }
        }
        let marks = super::marks(session)?;
        let (next_sequence, next_group) = (marks.next_sequence, marks.next_group);
        let (new_groups, accepted) = (Vec::new(), Vec::new());
        Ok(Self { keys, positions, groups, new_groups, next_sequence, next_group, accepted })
    }

    fn decide(&mut self, offers: &[Offer], accepted: Timestamp) -> Vec<Verdict> {
        offers.iter().enumerate().map(|(index, offer)| self.decide_one(index, offer, accepted)).collect()
    }

    fn decide_one(&mut self, index: usize, offer: &Offer, accepted: Timestamp) -> Verdict {
        if let Some(known) = self.known(offer) {
            return known;
        }
        if offer.position.as_ref().is_some_and(|position| self.positions.overlap(position)) {
            return Verdict::PositionChanged;
        }
        let first_sequence = self.next_sequence;
        self.next_sequence += offer.n_events;
        let mut group_ids = Vec::with_capacity(offer.groups.len());
        for group in &offer.groups {
            let (next, new) = (&mut self.next_group, &mut self.new_groups);
            group_ids.push(*self.groups.entry(group.clone()).or_insert_with(|| {
                new.push((*next, group.clone()));
                *next = next.saturating_add(1);
                *next - 1
            }));
        }
        if let Some(key) = offer.key {
            self.keys.insert(key.id, (key.digest, first_sequence, offer.n_events));
        }
        let mut high_water = None;
        if let Some(position) = &offer.position {
            self.positions.insert(FileKey::of(position), position.range.clone());
            high_water = self.positions.high_water(position);
        }
        self.accepted.push(RecordRow { index: index as u32, first_sequence, accepted, group_ids });
        Verdict::Accepted { first_sequence, high_water }
    }

    /// Returns what is to be said of an offer whose batch id is known.
    fn known(&self, offer: &Offer) -> Option<Verdict> {
        let key = offer.key?;
        let (digest, first_sequence, n_events) = *self.keys.get(&key.id)?;
        let high_water = offer.position.as_ref().and_then(|position| self.positions.high_water(position));
        let duplicate = Verdict::Duplicate { first_sequence, n_events, high_water };
        Some(if digest == key.digest { duplicate } else { Verdict::KeyConflict })
    }

    /// Returns what was decided about an object that is listed already.
    fn repeat(&self, row: &ObjectRow, offers: &[Offer]) -> Vec<Verdict> {
        let verdict = |(index, offer): (usize, &Offer)| {
            let accepted = row.records.iter().find(|record| record.index as usize == index);
            let high_water = offer.position.as_ref().and_then(|position| self.positions.high_water(position));
            match accepted {
                Some(record) => Verdict::Accepted { first_sequence: record.first_sequence, high_water },
                None => self.known(offer).unwrap_or(Verdict::PositionChanged),
            }
        };
        offers.iter().enumerate().map(verdict).collect()
    }

    fn write(
        self,
        session: &Session,
        offers: &[Offer],
        (epoch, place, n_bytes): (i64, u64, u64),
    ) -> Result<Option<ObjectRow>, Failure> {
        let Some(first) = self.accepted.first() else { return Ok(None) };
        let first_sequence = first.first_sequence;
        let number = count_up(session, "objects", 1)?;
        super::put_groups(session, self.new_groups.iter().map(|(id, name)| (*id, name)))?;
        let of = |record: &RecordRow| &offers[record.index as usize];
        let keyed: Vec<(BatchKey, u64, u64)> = self
            .accepted
            .iter()
            .filter_map(|record| of(record).key.map(|key| (key, record.first_sequence, of(record).n_events)))
            .collect();
        if !keyed.is_empty() {
            let ids: Vec<&[u8]> = keyed.iter().map(|(key, ..)| key.id.as_slice()).collect();
            let digests: Vec<&[u8]> = keyed.iter().map(|(key, ..)| key.digest.as_slice()).collect();
            let firsts: Vec<i64> = keyed.iter().map(|(_, first, _)| signed(*first)).collect();
            let counts: Vec<i64> = keyed.iter().map(|(.., n_events)| signed(*n_events)).collect();
            let insert = "INSERT INTO batches
                SELECT *, now() FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[])";
            session.execute(insert, &[&ids, &digests, &firsts, &counts])?;
        }
        let mut positions = Positions::default();
        for position in self.accepted.iter().filter_map(|record| of(record).position.as_ref()) {
            positions.insert(FileKey::of(position), position.range.clone());
        }
        if positions.len() > 0 {
            merge_positions(session, &positions)?;
        }
        let records = encode_records(&self.accepted);
        let insert = "INSERT INTO objects VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (first, end) = (signed(first_sequence), signed(self.next_sequence));
        let numbers = (signed(number), signed(place), signed(n_bytes));
        session.execute(insert, &[&numbers.0, &epoch, &numbers.1, &numbers.2, &first, &end, &records])?;
        put_mark(session, "next_sequence", self.next_sequence)?;
        put_mark(session, "next_group", self.next_group.into())?;
        let (epoch, end_sequence) = (epoch.cast_unsigned(), self.next_sequence);
        Ok(Some(ObjectRow { number, epoch, place, n_bytes, end_sequence, records: self.accepted }))
    }
}

impl PostgresCatalog {
    /// Opens the catalog of a fleet as one of its nodes.
    pub(crate) fn join(
        url: &DatabaseUrl,
        store: [u8; 16],
        node: std::sync::Arc<Membership>,
        first_sequence: u64,
    ) -> Result<Self, DatabaseError> {
        let mut database = shared(url, store).open()?;
        database.transact(|session| {
            let insert = "INSERT INTO meta VALUES ('next_sequence', $1) ON CONFLICT DO NOTHING";
            session.execute(insert, &[&signed(first_sequence)]).map(|_| ())
        })?;
        node.join(&mut database)?;
        Ok(Self { database, node: Some(node) })
    }

    /// Opens it once more, for what must not wait for the changes of this node.
    pub(crate) fn connect(url: &DatabaseUrl, store: [u8; 16]) -> Result<Database, DatabaseError> {
        shared(url, store).open()
    }
}

/// How each node opens the catalog: no one owns it.
fn shared(url: &DatabaseUrl, store: [u8; 16]) -> PostgresOptions<'_> {
    PostgresOptions { url, store, kind: "catalog", schema: &SCHEMA, holder: None, must_exist: false }
}

/// Reads what has come since object number `known_object` and change number `known_change`, all as of one instant.
pub(crate) fn news(
    database: &mut Database,
    known_object: u64,
    known_change: Option<u64>,
) -> Result<News, DatabaseError> {
    database.read(|session| {
        let (mut changes, mut flushed) = (0, 0);
        for row in session.query("SELECT key, value FROM meta WHERE key IN ('changes', 'flushed')", &[])? {
            match get::<&str>(&row, 0)? {
                "changes" => changes = number(&row, 1)?,
                _ => flushed = number(&row, 1)?,
            }
        }
        let newer =
            "SELECT number, epoch, place, bytes, end_sequence, records FROM objects WHERE number > $1 ORDER BY number";
        let rows = session.query(newer, &[&signed(known_object)])?;
        let objects = rows.iter().map(object_row).collect::<Result<_, Failure>>()?;
        let contents = if known_change == Some(changes) { None } else { Some(super::contents(session)?) };
        Ok(News { changes, flushed, objects, contents })
    })
}

/// Returns names of objects that no snapshot on any node can name; none unless this node does upkeep.
pub(crate) fn removable(database: &mut Database, epoch: u64, n_max: i64) -> Result<Vec<String>, DatabaseError> {
    let epoch = signed(epoch);
    database.read(|session| {
        let select = "SELECT file FROM doomed WHERE place = 1 AND change > 0 AND change <=
                (SELECT min(changes) FROM nodes WHERE renewed > now() - make_interval(secs => $1))
            AND EXISTS (SELECT 1 FROM leases WHERE name = $2 AND epoch = $3 AND until > now())
            ORDER BY change LIMIT $4";
        let rows = session.query(select, &[&LEASE_S, &UPKEEP, &epoch, &n_max])?;
        rows.iter().map(|row| get(row, 0)).collect()
    })
}

/// Forgets objects that are gone.
pub(crate) fn forget_removed(database: &mut Database, names: &[String]) -> Result<(), DatabaseError> {
    if names.is_empty() {
        return Ok(());
    }
    database.transact(|session| {
        session.execute("DELETE FROM doomed WHERE place = 1 AND file = ANY($1)", &[&names]).map(|_| ())
    })
}

/// Lists the nodes that were heard of lately.
pub(crate) fn nodes(database: &mut Database) -> Result<Vec<NodeRow>, DatabaseError> {
    database.read(|session| {
        let mut leases: HashMap<i64, Vec<String>> = HashMap::new();
        for row in session.query("SELECT epoch, name FROM leases WHERE until > now()", &[])? {
            leases.entry(get(&row, 0)?).or_default().push(get(&row, 1)?);
        }
        let select = "SELECT epoch, name, address, roles, zone, extract(epoch FROM now() - started)::float8,
            extract(epoch FROM now() - renewed)::float8 FROM nodes ORDER BY name, epoch";
        let mut nodes = Vec::new();
        for row in session.query(select, &[])? {
            let epoch: i64 = get(&row, 0)?;
            nodes.push(NodeRow {
                epoch: epoch.cast_unsigned(),
                name: get(&row, 1)?,
                address: get(&row, 2)?,
                roles: get(&row, 3)?,
                zone: get(&row, 4)?,
                joined_s: get(&row, 5)?,
                silent_s: get(&row, 6)?,
                leases: leases.remove(&epoch).unwrap_or_default(),
            });
        }
        Ok(nodes)
    })
}

/// Notes that all events below a sequence are in segments, and lets their objects go.
pub(super) fn release_objects(session: &Session, (before, flushed): (u64, u64)) -> Result<(), Failure> {
    let rows = session.query("SELECT value FROM meta WHERE key = 'flushed'", &[])?;
    if rows.first().map_or(Ok(0), |row| number(row, 0))? != before {
        return Err(refused(SUPERSEDED));
    }
    let gone = "WITH gone AS (DELETE FROM objects WHERE end_sequence <= $1 RETURNING epoch, place)
        INSERT INTO doomed SELECT 'wal/' || lpad(to_hex(epoch), 8, '0') || '/' || lpad(to_hex(place), 12, '0'), 1,
            (SELECT value + 1 FROM meta WHERE key = 'changes')
        FROM gone ON CONFLICT DO NOTHING";
    session.execute(gone, &[&signed(flushed)])?;
    put_mark(session, "flushed", flushed)
}

fn put_mark(session: &Session, key: &str, value: u64) -> Result<(), Failure> {
    let put = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    session.execute(put, &[&key, &signed(value)]).map(|_| ())
}

/// Counts a number up, and returns what it becomes.
fn count_up(session: &Session, key: &str, by: i64) -> Result<u64, Failure> {
    let count = "INSERT INTO meta VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET value = meta.value + excluded.value RETURNING value";
    let rows = session.query(count, &[&key, &by])?;
    rows.first().map_or(Ok(0), |row| number(row, 0))
}

fn refused(problem: &'static str) -> Failure {
    Failure::Problem(DatabaseProblem::Refused(problem))
}

fn object_row(row: &Row) -> Result<ObjectRow, Failure> {
    Ok(ObjectRow {
        number: number(row, 0)?,
        epoch: number(row, 1)?,
        place: number(row, 2)?,
        n_bytes: number(row, 3)?,
        end_sequence: number(row, 4)?,
        records: decode_records(get(row, 5)?).map_err(|_| misshapen("a list of records"))?,
    })
}

fn encode_records(records: &[RecordRow]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, records.len() as u64);
    for RecordRow { index, first_sequence, accepted, group_ids } in records {
        put_varint(&mut out, (*index).into());
        put_varint(&mut out, *first_sequence);
        put_varint(&mut out, accepted.0.cast_unsigned());
        put_varint(&mut out, group_ids.len() as u64);
        group_ids.iter().for_each(|id| put_varint(&mut out, (*id).into()));
    }
    out
}

fn decode_records(bytes: &[u8]) -> Decoded<Vec<RecordRow>> {
    let mut cursor = Cursor::new(bytes);
    let n_records = cursor.count(4)?;
    let mut records = Vec::with_capacity(n_records);
    for _ in 0..n_records {
        let (index, first_sequence) = (cursor.varint()? as u32, cursor.varint()?);
        let accepted = Timestamp(cursor.varint()?.cast_signed());
        let n_groups = cursor.count(1)?;
        let group_ids = (0..n_groups).map(|_| Ok(cursor.varint()? as u32)).collect::<Decoded<_>>()?;
        records.push(RecordRow { index, first_sequence, accepted, group_ids });
    }
    Ok(records)
}
