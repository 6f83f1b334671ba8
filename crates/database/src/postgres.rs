//! A database in PostgreSQL. Many stores may share one: the tables of each are in a schema of its own, whose name
//! holds the store's UUID, `catat_<32 hex digits>_catalog` and `catat_<32 hex digits>_control`.
//!
//! ```text
//! state(version, store, epoch, holder, renewed)   one row: version of the tables, UUID of the store; who writes
//! ```
//!
//! **One writer.** A server that opens a database as its owner takes an advisory lock, which ends with its connection, and
//! counts `epoch` up. Every transaction begins with locking the row of `state` and comparing the epoch: an owner
//! that was replaced while it was stopped, cut off or believed dead cannot commit anything any more. The lock is the
//! polite half: while it is held, another one is refused at its start, unless the owner has not renewed its claim
//! for [`CLAIM_MAX`]. A database that is not owned is shared: its changes are single statements.
//!
//! **One truth.** Where the connection is lost in a commit, no one knows whether it happened. The next transaction
//! does: it waits for the row of `state`, and so for the end of the one that was lost.
//!
//! Connections that are lost are created again, at most every [`PAUSE_MAX`]; meanwhile every call fails at once. A
//! connection pooler in front of it must keep a session's connection (pgbouncer: `pool_mode = session`).

mod session;
mod tls;

use std::time::{Duration, Instant};

use self::session::ANSWER_MAX;
use super::url::{DatabaseUrl, Databases};
use super::{DatabaseError, DatabaseProblem, Result, Schema};

pub use self::session::{Asked, Failure, Parameter, Session};

/// How long a claim holds that is not renewed, in seconds.
const CLAIM_MAX: i32 = 30;

/// How a transaction begins that reads what others may be writing.
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Pauses between tries to connect.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// How long a start waits: for a server that is just starting, for the lock of an owner that has just ended.
const START_MAX: Duration = Duration::from_secs(10);
const LOCK_MAX: Duration = Duration::from_secs(3);

/// Pause between looks at a lock.
const LOOK: Duration = Duration::from_millis(100);

/// Finds out whether a server answers at an address and lets us in. Nothing is made there.
fn probe(url: &DatabaseUrl) -> Result<()> {
    let session = Session::connect(url, "catat_probe");
    let answered = session.and_then(|session| session.query("SELECT 1", &[]).map(|_| ()));
    answered.map_err(|failure| failure.into_error(&url.to_string()))
}

impl Databases {
    /// Finds out whether the servers of all databases that are set answer. Nothing is made there.
    pub fn probe(&self) -> Vec<DatabaseError> {
        let mut urls: Vec<&DatabaseUrl> = Vec::new();
        for url in self.catalog.iter().chain(&self.control) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls.into_iter().filter_map(|url| probe(url).err()).collect()
    }
}

/// A database of one store.
pub struct Database {
    url: DatabaseUrl,
    /// What errors call it.
    name: String,
    /// The schema with its tables.
    tables: String,
    session: Option<Session>,
    /// Why there is no session, and from when on another one may be tried.
    outage: Option<(DatabaseError, Instant)>,
    pause: Duration,
    owner: Option<Owner>,
    /// How a transaction begins.
    begin: &'static str,
}

/// What makes us the owner of a database.
struct Owner {
    epoch: i64,
    /// The key of the advisory lock.
    key: i64,
    has_lock: bool,
    /// Who owns it instead of us.
    replaced_by: Option<String>,
}

/// How a database is opened.
pub struct PostgresOptions<'a> {
    /// Where it is.
    pub url: &'a DatabaseUrl,
    /// UUID of the store that it belongs to.
    pub store: [u8; 16],
    /// `catalog` or `control`.
    pub kind: &'static str,
    /// Its tables.
    pub schema: &'a Schema,
    /// Who opens it as its owner, for others to read; no one where it is shared.
    pub holder: Option<&'a str>,
    /// Whether there must be one already.
    pub must_exist: bool,
}

impl PostgresOptions<'_> {
    /// Opens the database, making its tables or bringing them up to date.
    pub fn open(&self) -> Result<Database> {
        let mut database = self.connect()?;
        let opened = self.claim_and_migrate(&mut database);
        opened.map_err(|failure| database.fail(failure))?;
        Ok(database)
    }

    /// Opens the database to read it, whether or not this server owns it.
    pub fn open_for_reading(&self) -> Result<Database> {
        let mut database = self.connect()?;
        let known = self.known(&database);
        let version = known.map_err(|failure| database.fail(failure))?;
        if version.is_none_or(|version| (version as usize) < self.schema.steps.len()) {
            let problem = DatabaseProblem::Missing { store: u128::from_be_bytes(self.store) };
            return Err(database.fail(Failure::Problem(problem)));
        }
        // Writes of others are seen as of one instant.
        database.begin = BEGIN_READING;
        Ok(database)
    }

    fn connect(&self) -> Result<Database> {
        let tables = format!("catat_{:032x}_{}", u128::from_be_bytes(self.store), self.kind);
        let (name, pause) = (self.url.to_string(), PAUSE_MIN);
        let url = self.url.clone();
        let mut database =
            Database { url, name, tables, session: None, outage: None, pause, owner: None, begin: "BEGIN" };
        let until = Instant::now() + START_MAX;
        let mut is_first = true;
        loop {
            match Session::connect(&database.url, &database.tables) {
                Ok(session) => break database.session = Some(session),
                Err(failure) => {
                    let error = failure.into_error(&database.name);
                    if !matches!(error.problem, DatabaseProblem::Unavailable(_)) || Instant::now() >= until {
                        return Err(error);
                    }
                    if std::mem::take(&mut is_first) {
                        let seconds = START_MAX.as_secs();
                        tracing::warn!(%error, "database cannot be reached; trying again for {seconds} s");
                    }
                    std::thread::sleep(PAUSE_MIN);
                }
            }
        }
        Ok(database)
    }

    /// Returns the version of the tables; none if there are none. Later ones and those of another store are refused.
    fn known(&self, database: &Database) -> Result<Option<u64>, Failure> {
        let session = database.session()?;
        let table = format!("{}.state", database.tables);
        let found = session.query("SELECT to_regclass($1) IS NOT NULL", &[&table])?;
        if !found.first().map_or(Ok(false), |row| row.try_get(0))? {
            return Ok(None);
        }
        let rows = session.query("SELECT version, store FROM state", &[])?;
        let row = rows.first().ok_or_else(|| Failure::Problem(DatabaseProblem::Failed(format!("{table} is empty"))))?;
        let found = u64::try_from(row.try_get::<_, i32>(0)?).unwrap_or(u64::MAX);
        let (known, store) = (self.schema.steps.len() as u64, row.try_get::<_, &[u8]>(1)?);
        if found > known {
            return Err(Failure::Problem(DatabaseProblem::Newer { found, known }));
        }
        if store != self.store {
            let found = store.try_into().map(u128::from_be_bytes).unwrap_or(0);
            let expected = u128::from_be_bytes(self.store);
            return Err(Failure::Problem(DatabaseProblem::Foreign { found, expected }));
        }
        Ok(Some(found))
    }

    fn claim_and_migrate(&self, database: &mut Database) -> Result<(), Failure> {
        let version = self.known(database)?;
        if version.is_none() && self.must_exist {
            let problem = DatabaseProblem::Missing { store: u128::from_be_bytes(self.store) };
            return Err(Failure::Problem(problem));
        }
        let key = i64::from_be_bytes(xxhash_rust::xxh3::xxh3_64(database.tables.as_bytes()).to_be_bytes());
        let has_lock = self.holder.is_none() || database.take_lock(key, version.is_some())?;
        let session = database.session()?;
        if version.is_none() {
            self.create(session, &database.tables)?;
        }
        for (at, step) in self.schema.steps.iter().enumerate().skip(version.unwrap_or(0) as usize) {
            session.batch("BEGIN", ANSWER_MAX)?;
            let rows = session.query("SELECT version FROM state FOR UPDATE", &[])?;
            let found: i32 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            // Someone else may have done it meanwhile, where it is shared.
            if usize::try_from(found) == Ok(at) {
                session.execute("UPDATE state SET version = $1", &[&(found + 1)])?;
                session.batch(step, ANSWER_MAX)?;
            }
            session.batch("COMMIT", ANSWER_MAX)?;
        }
        if let Some(holder) = self.holder {
            let claim = "UPDATE state SET epoch = epoch + 1, holder = $1, renewed = now() RETURNING epoch";
            let rows = session.query(claim, &[&holder])?;
            let epoch = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            database.owner = Some(Owner { epoch, key, has_lock, replaced_by: None });
        }
        Ok(())
    }

    /// Makes the schema with the version that has no tables.
    fn create(&self, session: &Session, tables: &str) -> Result<(), Failure> {
        session.batch("BEGIN", ANSWER_MAX)?;
        // `IF NOT EXISTS` alone fails where several sessions create the same at once.
        session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&tables])?;
        let create = format!(
            "CREATE SCHEMA IF NOT EXISTS {tables};
             CREATE TABLE IF NOT EXISTS state(version integer NOT NULL, store bytea NOT NULL, epoch bigint NOT NULL,
                 holder text NOT NULL, renewed timestamptz NOT NULL);
             CREATE UNIQUE INDEX IF NOT EXISTS state_once ON state ((true));"
        );
        session.batch(&create, ANSWER_MAX)?;
        let insert = "INSERT INTO state VALUES (0, $1, 0, '', now()) ON CONFLICT DO NOTHING";
        session.execute(insert, &[&self.store.as_slice()])?;
        session.batch("COMMIT", ANSWER_MAX)
    }
}

impl Database {
    fn session(&self) -> Result<&Session, Failure> {
        let lost = || Failure::Problem(DatabaseProblem::Unavailable("there is no connection".into()));
        self.session.as_ref().ok_or_else(lost)
    }

    /// Takes the advisory lock; `false` if its owner has not renewed its claim for too long.
    fn take_lock(&self, key: i64, has_state: bool) -> Result<bool, Failure> {
        let until = Instant::now() + LOCK_MAX;
        loop {
            let session = self.session()?;
            if try_lock(session, key)? {
                return Ok(true);
            }
            let mut holder = String::from("one that is just starting");
            if has_state {
                let select = "SELECT holder, renewed < now() - make_interval(secs => $1) FROM state";
                let rows = session.query(select, &[&f64::from(CLAIM_MAX)])?;
                if let Some(row) = rows.first() {
                    holder = row.try_get(0)?;
                    if row.try_get(1)? {
                        tracing::warn!(
                            holder,
                            "taking over the database from an owner that stopped renewing its claim"
                        );
                        return Ok(false);
                    }
                }
            }
            if Instant::now() >= until {
                return Err(Failure::Problem(DatabaseProblem::InUse { holder }));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Does work in one transaction.
    pub fn transact<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T> {
        self.begin()?;
        let session = match self.session() {
            Ok(session) => session,
            Err(failure) => return Err(failure.into_error(&self.name)),
        };
        let done = self.check_owner(session).and_then(|()| work(session));
        let done = done.and_then(|done| session.commit().map(|()| done));
        done.map_err(|failure| self.fail(failure))
    }

    /// Reads as of one instant.
    ///
    /// # Errors
    /// As for [`transact`](Self::transact).
    pub fn read<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T> {
        let begin = std::mem::replace(&mut self.begin, BEGIN_READING);
        let begun = self.begin();
        self.begin = begin;
        begun?;
        let session = match self.session() {
            Ok(session) => session,
            Err(failure) => return Err(failure.into_error(&self.name)),
        };
        let done = work(session).and_then(|done| session.commit().map(|()| done));
        done.map_err(|failure| self.fail(failure))
    }

    /// Begins a transaction, over a new connection if there is none.
    fn begin(&mut self) -> Result<()> {
        if let Some(holder) = self.owner.as_ref().and_then(|owner| owner.replaced_by.clone()) {
            return Err(Failure::Problem(DatabaseProblem::Replaced { holder }).into_error(&self.name));
        }
        if let Some(session) = &self.session {
            match session.batch(self.begin, ANSWER_MAX) {
                Ok(()) => return Ok(()),
                // It may have been lost long ago; nothing was begun.
                Err(Failure::Postgres(error)) => tracing::debug!(%error, "connection to the database was lost"),
                Err(failure) => return Err(self.fail(failure)),
            }
            self.session = None;
        }
        if let Some((error, until)) = &self.outage
            && Instant::now() < *until
        {
            let problem = error.problem.passing();
            return Err(DatabaseError { database: self.name.clone(), problem });
        }
        let session = Session::connect(&self.url, &self.tables).map_err(|failure| self.fail(failure))?;
        if let Some(owner) = self.owner.as_mut() {
            // Without it, a server that starts meanwhile takes the database over: the epoch shows that then.
            owner.has_lock = try_lock(&session, owner.key).unwrap_or(false);
        }
        let begun = session.batch(self.begin, ANSWER_MAX);
        begun.map_err(|failure| self.fail(failure))?;
        if self.outage.take().is_some() {
            tracing::info!(database = self.name, "database is reachable again");
        }
        self.pause = PAUSE_MIN;
        self.session = Some(session);
        Ok(())
    }

    /// Checks that we still own the database, and keeps everyone else from changing it until the transaction ends.
    fn check_owner(&self, session: &Session) -> Result<(), Failure> {
        let Some(owner) = &self.owner else { return Ok(()) };
        let rows = session.query("SELECT epoch, holder FROM state FOR UPDATE", &[])?;
        match rows.first().map(|row| (row.get::<_, i64>(0), row.get::<_, String>(1))) {
            Some((epoch, _)) if epoch == owner.epoch => Ok(()),
            Some((_, holder)) => Err(Failure::Problem(DatabaseProblem::Replaced { holder })),
            None => Err(Failure::Problem(DatabaseProblem::Failed("table state is empty".into()))),
        }
    }

    /// Says that the owner is alive, and finds out whether it still is the owner.
    pub fn renew(&mut self) -> Result<()> {
        self.transact(|session| session.execute("UPDATE state SET renewed = now()", &[]).map(|_| ()))?;
        if let (Some(owner), Some(session)) = (self.owner.as_mut(), &self.session)
            && !owner.has_lock
        {
            owner.has_lock = try_lock(session, owner.key).unwrap_or(false);
        }
        Ok(())
    }

    /// Ends the transaction that failed, and the session where it is of no use any more.
    fn fail(&mut self, failure: Failure) -> DatabaseError {
        let is_lost =
            failure.ends_session() || self.session.as_ref().is_none_or(|session| session.roll_back().is_err());
        let error = failure.into_error(&self.name);
        if let (DatabaseProblem::Replaced { holder }, Some(owner)) = (&error.problem, self.owner.as_mut()) {
            owner.replaced_by = Some(holder.clone());
            self.session = None;
        } else if is_lost {
            self.session = None;
            let seen = DatabaseError { database: self.name.clone(), problem: error.problem.passing() };
            self.outage = Some((seen, Instant::now() + self.pause));
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        error
    }
}

fn try_lock(session: &Session, key: i64) -> Result<bool, Failure> {
    let rows = session.query("SELECT pg_try_advisory_lock($1)", &[&key])?;
    Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
