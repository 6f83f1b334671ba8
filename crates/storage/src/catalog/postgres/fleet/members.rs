//! A node's place among the others: its epoch, its lease, and what only one node does at a time.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use database::postgres::{Asked, Database, Failure, Session};
use database::{Result, signed};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use types::{Hold, ensure};

use super::uploads::{give_up_unowned, may_replace, put_upload, take_segments};
use super::usage::{count_puts, forget_puts};
use super::{LEASE_S, refused};
use crate::catalog::ObsoleteFile;
use crate::catalog::postgres::cells::{get, number};
use crate::fleet::drain::Drain;
use crate::fleet::node::FleetOptions;

pub(in crate::catalog) const VERSION_4: &str = include_str!("4.sql");

/// Whether a node reads objects with samples by their series; one of an earlier version does not say, and does not.
pub(in crate::catalog) const VERSION_9: &str = "ALTER TABLE nodes ADD COLUMN series boolean NOT NULL DEFAULT false;";

/// How long a node is listed after its lease has ended, in seconds.
const LISTED_S: f64 = 3600.0;

/// How long a batch id is known, in seconds.
const BATCH_S: f64 = 86_400.0;

/// Most places after the last that is listed at which a node puts objects.
pub(crate) const UNLISTED_MAX: i64 = 64;

/// Why a flush is not listed whose events are in segments of another node.
const SUPERSEDED: &str = "another node has put these events into segments";

/// The lease of the node that turns objects into segments and enforces retention.
pub(super) const UPKEEP: &str = "upkeep";

/// The lease of the node that evaluates rules and sends notifications.
pub(crate) const ALERTS: &str = "alerts";

/// A node's place in the fleet.
pub(crate) struct Membership {
    node: FleetOptions,
    epoch: AtomicI64,
    /// How many changes the oldest snapshot knows that is in use here, and how many the node.
    oldest_change: AtomicU64,
    known_change: AtomicU64,
    /// Requests that stored something, and how many of them the catalog has counted.
    puts: AtomicU64,
    puts_counted: AtomicU64,
    pub(crate) drain: Drain,
    /// Whether it has no work left, where it is drained.
    is_drained: AtomicBool,
    upkeep: Lease,
    alerts: Lease,
}

/// What only one node does at a time, as far as a node knows whether it is the one. It forgets by itself when it could not
/// ask for too long: another node has it then.
#[derive(Default)]
struct Lease(Mutex<Option<Instant>>);

impl Lease {
    fn is_held(&self) -> bool {
        let until = self.0.hold();
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Notes what was answered to a request that was begun at `asked`.
    fn note(&self, is_held: bool, asked: Instant) {
        let until = is_held.then(|| asked + Duration::from_secs_f64(LEASE_S));
        *self.0.hold() = until;
    }
}

impl Membership {
    /// Not yet a member.
    pub(crate) fn new(node: FleetOptions) -> Self {
        Self {
            node,
            epoch: AtomicI64::new(0),
            oldest_change: AtomicU64::new(0),
            known_change: AtomicU64::new(0),
            puts: AtomicU64::new(0),
            puts_counted: AtomicU64::new(0),
            drain: Drain::default(),
            is_drained: AtomicBool::new(false),
            upkeep: Lease::default(),
            alerts: Lease::default(),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed).cast_unsigned()
    }

    /// Reports whether it does upkeep, as far as it knows; each transaction finds out anew.
    pub(crate) fn is_in_charge(&self) -> bool {
        self.upkeep.is_held()
    }

    /// Reports whether the node has the role `upkeep`.
    pub(crate) fn does_upkeep(&self) -> bool {
        self.node.does("upkeep")
    }

    /// Reports whether it evaluates rules, as far as it knows.
    pub(crate) fn has_alerts(&self) -> bool {
        self.alerts.is_held()
    }

    /// Says from which change on this node still reads, and how many it knows.
    pub(crate) fn note_changes(&self, oldest: u64, known: u64) {
        self.oldest_change.store(oldest, Ordering::Relaxed);
        self.known_change.store(known, Ordering::Relaxed);
    }

    /// Says how many requests of this process have stored something, and whether it has work left.
    pub(crate) fn note_work(&self, puts: u64, is_idle: bool) {
        self.puts.store(puts, Ordering::Relaxed);
        self.is_drained.store(is_idle && self.drain.is_over(), Ordering::Relaxed);
    }

    /// Does work that changes the catalog, in a transaction that has begun: upkeep, or what any node may do.
    pub(in crate::catalog) fn change<T>(
        &self,
        session: &Session,
        is_upkeep: bool,
        work: impl FnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.check(session, is_upkeep)?;
        let done = work(session)?;
        count_up(session, "changes");
        Ok(done)
    }

    /// Keeps everybody else from changing anything, and makes sure that this node may: alone, for what no other node needs
    /// to learn.
    pub(in crate::catalog) fn check(&self, session: &Session, is_upkeep: bool) -> Result<(), Failure> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let asked: [Asked<'_>; 3] = [(LOCK, &[]), (ALIVE, &[&epoch, &LEASE_S]), (HELD, &[&UPKEEP, &epoch])];
        match &session.queries(&asked[..if is_upkeep { 3 } else { 2 }])?[..] {
            [_, alive, ..] if alive.is_empty() => Err(refused(ENDED)),
            [_, _, held] if held.is_empty() => Err(refused("another node does upkeep now")),
            _ => Ok(()),
        }
    }

    /// Takes segments for compaction. If some are not available, takes none and returns those.
    pub(in crate::catalog) fn take(&self, session: &Session, ids: &[u128]) -> Result<Vec<u128>, Failure> {
        self.check(session, false)?;
        take_segments(session, self.epoch.load(Ordering::Relaxed), ids)
    }

    /// Reports whether the node knows the latest change, and thus may replace segments that it has taken.
    pub(in crate::catalog) fn may_replace(&self, session: &Session, ids: &[u128]) -> Result<bool, Failure> {
        self.check(session, false)?;
        let known = self.known_change.load(Ordering::Relaxed);
        may_replace(session, self.epoch.load(Ordering::Relaxed), known, ids)
    }

    /// Records an object that the node is about to upload.
    pub(in crate::catalog) fn put_upload(&self, session: &Session, file: &ObsoleteFile) -> Result<(), Failure> {
        put_upload(session, Some(self.epoch.load(Ordering::Relaxed)), file)
    }

    /// Becomes a member, or one again.
    pub(crate) fn join(&self, database: &mut Database) -> Result<()> {
        let before = self.epoch.load(Ordering::Relaxed);
        let epoch = database.transact(|session| {
            // Locked first, as in every transaction that changes something, so that no two of them deadlock.
            lock(session)?;
            // What this process did under another epoch it does no more.
            session.execute("DELETE FROM leases WHERE epoch = $1", &[&before])?;
            let FleetOptions { node, address, roles, zone, .. } = &self.node;
            enlist(session, [node, address, &roles.join(","), zone])
        })?;
        self.epoch.store(epoch, Ordering::Relaxed);
        tracing::info!(epoch, node = self.node.node, "joined the fleet");
        Ok(())
    }

    /// Renews the node's lease, and that of upkeep where it has it or may take it; joins again where it must.
    pub(crate) fn renew(&self, database: &mut Database) -> Result<()> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let asked = Instant::now();
        let oldest = signed(self.oldest_change.load(Ordering::Relaxed));
        let known = signed(self.known_change.load(Ordering::Relaxed));
        let is_drained = self.is_drained.load(Ordering::Relaxed);
        let puts = self.puts.load(Ordering::Relaxed);
        let new_puts = puts - self.puts_counted.load(Ordering::Relaxed).min(puts);
        let renewed = database.transact(|session| {
            let renew = "UPDATE nodes SET renewed = now(), changes = $2, known = $4, drained = $5
                WHERE epoch = $1 AND renewed > now() - make_interval(secs => $3) RETURNING 1";
            let ordered = "SELECT 1 FROM draining WHERE name = $1";
            let asked: [Asked<'_>; 2] =
                [(renew, &[&epoch, &oldest, &LEASE_S, &known, &is_drained]), (ordered, &[&self.node.node])];
            let answers = session.queries(&asked)?;
            if answers[0].is_empty() {
                return Ok(None);
            }
            count_puts(session, signed(new_puts));
            if answers[1].is_empty() {
                return Ok(Some((false, self.take_leases(session, epoch)?)));
            }
            session.later("DELETE FROM leases WHERE epoch = $1", vec![Box::new(epoch)]);
            Ok(Some((true, (false, false))))
        })?;
        let (is_draining, (has_upkeep, has_alerts)) = renewed.unwrap_or_default();
        self.upkeep.note(has_upkeep, asked);
        self.alerts.note(has_alerts, asked);
        if renewed.is_none() {
            return self.join(database);
        }
        self.puts_counted.store(puts, Ordering::Relaxed);
        self.drain.note(is_draining);
        Ok(())
    }

    /// Takes what only one node may do, where no other has it: upkeep, alerts.
    fn take_leases(&self, session: &Session, epoch: i64) -> Result<(bool, bool), Failure> {
        let held = "SELECT epoch FROM leases WHERE name = $1 AND until > now()";
        let forget = "DELETE FROM nodes WHERE renewed < now() - make_interval(secs => $1) RETURNING epoch, listed";
        let mut asked: Vec<Asked<'_>> = Vec::new();
        let (of_alerts, of_upkeep) = (lease(&ALERTS, &epoch), lease(&UPKEEP, &epoch));
        if self.node.does("alert") {
            asked.push((TAKE, &of_alerts));
        }
        let upkeep = asked.len();
        if self.node.does("upkeep") {
            asked.extend::<[Asked<'_>; 3]>([(held, &[&UPKEEP]), (TAKE, &of_upkeep), (forget, &[&LISTED_S])]);
        }
        let answers = session.queries(&asked)?;
        let has_alerts = upkeep > 0 && !answers[0].is_empty();
        let [held, taken, forgotten] = &answers[upkeep..] else { return Ok((false, has_alerts)) };
        if !taken.is_empty() {
            give_up_unowned(session, held.is_empty());
        }
        forgotten.iter().try_for_each(|row| doom_unlisted(session, row))?;
        let forget = "DELETE FROM batches WHERE accepted < now() - make_interval(secs => $1)";
        session.later(forget, vec![Box::new(BATCH_S)]);
        forget_puts(session);
        Ok((!taken.is_empty(), has_alerts))
    }

    /// Gives up what others may take over at once.
    pub(crate) fn leave(&self, database: &mut Database) -> Result<()> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        database.transact(|session| {
            session.execute("DELETE FROM leases WHERE epoch = $1", &[&epoch])?;
            let leave = "DELETE FROM nodes WHERE epoch = $1 RETURNING epoch, listed";
            session.query(leave, &[&epoch])?.iter().try_for_each(|row| doom_unlisted(session, row))
        })
    }
}

/// Lists a node of this version under a new number, which is returned: its name, address, roles and zone.
pub(super) fn enlist(session: &Session, [name, address, roles, zone]: [&str; 4]) -> Result<i64, Failure> {
    let rows = session.query("UPDATE state SET epoch = epoch + 1 RETURNING epoch", &[])?;
    let epoch: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    let insert = "INSERT INTO nodes(epoch, name, address, roles, zone, started, renewed, changes, erases, series)
        VALUES ($1, $2, $3, $4, $5, now(), now(), 0, true, true)";
    session.execute(insert, &[&epoch, &name, &address, &roles, &zone])?;
    Ok(epoch)
}

/// Whether a row of `nodes` is of a node that was replaced: a later one has its name. A text for `concat!`, since no text is
/// put into SQL while the program runs.
macro_rules! replaced {
    () => {
        "EXISTS (SELECT 1 FROM nodes AS later WHERE later.name = nodes.name AND later.epoch > nodes.epoch)"
    };
}
pub(super) use replaced;

/// Takes or renews a lease; no row while another node has it.
const TAKE: &str = "INSERT INTO leases VALUES ($1, $2, now() + make_interval(secs => $3))
    ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, until = excluded.until
    WHERE leases.epoch = excluded.epoch OR leases.until < now() RETURNING 1";

/// Keeps everybody else from changing anything until the transaction ends. What a lost connection was committing is
/// committed or gone by then.
pub(super) const LOCK: &str = "SELECT 1 FROM state FOR UPDATE";

/// A row if the lease of a node holds.
pub(super) const ALIVE: &str = "SELECT 1 FROM nodes WHERE epoch = $1 AND renewed > now() - make_interval(secs => $2)";

/// A row if a node has a lease of what only one may do.
const HELD: &str = "SELECT 1 FROM leases WHERE name = $1 AND epoch = $2 AND until > now()";

/// Why a node may change nothing.
pub(super) const ENDED: &str = "the lease of this node has ended; it joins again";

fn lease<'a>(name: &'a &'static str, epoch: &'a i64) -> [&'a (dyn ToSql + Sync); 3] {
    [name, epoch, &LEASE_S]
}

/// Keeps everybody else from changing anything, as [`LOCK`] says.
pub(in crate::catalog) fn lock(session: &Session) -> Result<(), Failure> {
    session.query(LOCK, &[]).map(|_| ())
}

/// Gives places of an epoch at which there may be objects that no one has listed to be removed.
pub(in crate::catalog) fn doom_places(session: &Session, epoch: i64, places: Range<i64>) {
    let doom = "INSERT INTO doomed
        SELECT 'wal/' || lpad(to_hex($1::bigint), 8, '0') || '/' || lpad(to_hex(place), 12, '0'), 1, 1
        FROM generate_series($2::bigint, $3::bigint - 1) AS place ON CONFLICT DO NOTHING";
    if !places.is_empty() {
        session.later(doom, vec![Box::new(epoch), Box::new(places.start), Box::new(places.end)]);
    }
}

/// The same of a node that is no more: a row with its epoch, and the last place that it had listed.
fn doom_unlisted(session: &Session, row: &Row) -> Result<(), Failure> {
    let (epoch, listed): (i64, i64) = (get(row, 0)?, get(row, 1)?);
    doom_places(session, epoch, listed + 1..listed + 1 + UNLISTED_MAX);
    Ok(())
}

/// Notes that all events below a sequence are in segments, and lets their objects go.
pub(in crate::catalog) fn release_objects(session: &Session, (before, flushed): (u64, u64)) -> Result<(), Failure> {
    let rows = session.query("SELECT value FROM meta WHERE key = 'flushed'", &[])?;
    ensure!(rows.first().map_or(Ok(0), |row| number(row, 0))? == before, refused(SUPERSEDED));
    let gone =
        "INSERT INTO doomed SELECT 'wal/' || lpad(to_hex(epoch), 8, '0') || '/' || lpad(to_hex(place), 12, '0'), 1,
            (SELECT coalesce(max(value), 0) + 1 FROM meta WHERE key = 'changes')
        FROM objects WHERE end_sequence > $1 AND end_sequence <= $2 ON CONFLICT DO NOTHING";
    session.later(gone, vec![Box::new(signed(before)), Box::new(signed(flushed))]);
    // The row of the last one of each node stays: the answer to its commit may have been lost.
    let forget = "DELETE FROM objects WHERE end_sequence <= $1
        AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.epoch = objects.epoch AND nodes.listed = objects.place)";
    session.later(forget, vec![Box::new(signed(flushed))]);
    put_mark(session, "flushed", flushed);
    Ok(())
}

pub(in crate::catalog) fn put_mark(session: &Session, key: &'static str, value: u64) {
    let put = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    session.later(put, vec![Box::new(key), Box::new(signed(value))]);
}

/// Counts a number up.
pub(in crate::catalog) fn count_up(session: &Session, key: &'static str) {
    let count = "INSERT INTO meta VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET value = meta.value + 1";
    session.later(count, vec![Box::new(key)]);
}
