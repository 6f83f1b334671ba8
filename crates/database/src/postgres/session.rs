//! One connection to PostgreSQL, used by one thread that waits: each call has a time limit, so that a server that is
//! there and does not answer is noticed like one that is gone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::tls;
use crate::url::DatabaseUrl;
use crate::{DatabaseError, DatabaseProblem};

/// How long a connection, and whatever only asks whether the server is there, may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(4);

/// How long a statement may take. A flush of very many groups is a few statements with very many rows.
const STATEMENT_MAX: Duration = Duration::from_secs(35);

/// What the server is told at the beginning: to give up a little before we do, and never to leave a transaction of
/// ours in others' way; to answer a commit only when it is durable.
const SETTINGS: &str = "
    SET statement_timeout = '30s';
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '5s';
    SET client_min_messages = 'warning';
    SET plan_cache_mode = 'force_custom_plan';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
";

/// Why a call did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// The server refused something, or the connection was lost.
    Postgres(tokio_postgres::Error),
    /// No answer in time.
    TimedOut,
    /// The database cannot be used.
    Problem(DatabaseProblem),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// A parameter of a statement.
pub type Parameter = Box<dyn ToSql + Sync + Send>;

/// A query with its parameters.
pub type Asked<'a> = (&'a str, &'a [&'a (dyn ToSql + Sync)]);

/// An open connection.
///
/// Statements are prepared once, and those that do not depend on each other's answers travel together: a transaction that holds
/// a lock holds it for as long as the network takes, and others wait.
pub struct Session {
    runtime: Option<Runtime>,
    client: Client,
    /// The statements prepared so far; the program has a hundred or so.
    statements: RefCell<HashMap<String, Statement>>,
    /// What is sent with the next query, or with the end of the transaction.
    later: RefCell<Vec<(&'static str, Vec<Parameter>)>>,
}

impl Session {
    /// Connects to a server that can be written to.
    pub(super) fn connect(url: &DatabaseUrl, tables: &str) -> Result<Self, Failure> {
        let own_fault = |error: String| Failure::Problem(DatabaseProblem::Failed(error));
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| own_fault(error.to_string()))?;
        let tls = tls::connector(&url.trust).map_err(own_fault)?;
        let mut config = url.config.clone();
        if config.get_application_name().is_none() {
            config.application_name("catat");
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(ANSWER_MAX).tcp_user_timeout(STATEMENT_MAX);
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        let (client, connection) = limited(&runtime, ANSWER_MAX, config.connect(tls))?;
        runtime.spawn(async {
            // How it ended is told to the call that was waiting.
            let _ = connection.await;
        });
        let (statements, later) = (RefCell::default(), RefCell::default());
        let session = Self { runtime: Some(runtime), client, statements, later };
        session.batch(SETTINGS, ANSWER_MAX)?;
        session.batch(&format!("SET search_path = {tables}"), ANSWER_MAX)?;
        Ok(session)
    }

    fn wait<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        // It is taken only when the session ends.
        let Some(runtime) = &self.runtime else { return Err(Failure::TimedOut) };
        limited(runtime, limit, call)
    }

    /// Runs statements without parameters.
    pub fn batch(&self, statements: &str, limit: Duration) -> Result<(), Failure> {
        self.wait(limit, self.client.batch_execute(statements))
    }

    /// Runs one statement, and returns how many rows it concerned.
    pub fn execute(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, Failure> {
        let later = self.later.take();
        self.wait(STATEMENT_MAX, async {
            self.prepare(later.iter().map(|(text, _)| *text).chain([statement])).await?;
            let sent = later.iter().map(|(text, parameters)| self.run(text, borrowed(parameters)));
            let done = join_all(sent.chain([self.run(statement, parameters.to_vec())])).await;
            done.into_iter().try_fold(0, |_, rows| rows)
        })
    }

    /// Runs one query.
    pub fn query(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        Ok(self.queries(&[(query, parameters)])?.pop().unwrap_or_default())
    }

    /// Runs queries, sent together; returns the rows of each. If one fails, the transaction is of no use any more.
    pub fn queries(&self, asked: &[Asked<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        let later = self.later.take();
        self.wait(STATEMENT_MAX, async {
            self.prepare(later.iter().map(|(text, _)| *text).chain(asked.iter().map(|(text, _)| *text))).await?;
            let sent = later.iter().map(|(text, parameters)| self.run(text, borrowed(parameters)));
            let asked = asked.iter().map(|(text, parameters)| self.ask(text, parameters));
            // They are sent in this order, and the server works in the order in which they come.
            let (sent, answers) = futures_util::future::join(join_all(sent), join_all(asked)).await;
            sent.into_iter().try_for_each(|done| done.map(|_| ()))?;
            answers.into_iter().collect()
        })
    }

    /// Runs a statement of which no answer is needed, at the latest before the transaction ends.
    pub fn later(&self, statement: &'static str, parameters: Vec<Parameter>) {
        self.later.borrow_mut().push((statement, parameters));
    }

    /// Ends the transaction, with what is still to be sent.
    pub(super) fn commit(&self) -> Result<(), Failure> {
        let later = self.later.take();
        self.wait(STATEMENT_MAX, async {
            self.prepare(later.iter().map(|(text, _)| *text)).await?;
            let sent = later.iter().map(|(text, parameters)| self.run(text, borrowed(parameters)));
            // After a statement that failed, the server takes this for a rollback.
            let (sent, ended) = futures_util::future::join(join_all(sent), self.client.batch_execute("COMMIT")).await;
            sent.into_iter().try_for_each(|done| done.map(|_| ()))?;
            ended
        })
    }

    /// Gives the transaction up, with what was to be sent.
    pub(super) fn roll_back(&self) -> Result<(), Failure> {
        self.later.take();
        self.batch("ROLLBACK", ANSWER_MAX)
    }

    /// Prepares the statements that are not prepared yet.
    async fn prepare<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Result<(), Error> {
        let mut new: Vec<&str> = texts.filter(|text| !self.statements.borrow().contains_key(*text)).collect();
        new.sort_unstable();
        new.dedup();
        let prepared = join_all(new.iter().map(|text| self.client.prepare(text))).await;
        for (text, statement) in new.into_iter().zip(prepared) {
            self.statements.borrow_mut().insert(text.to_owned(), statement?);
        }
        Ok(())
    }

    async fn run(&self, text: &str, parameters: Vec<&(dyn ToSql + Sync)>) -> Result<u64, Error> {
        match self.prepared(text) {
            Some(statement) => self.client.execute(&statement, &parameters).await,
            None => self.client.execute(text, &parameters).await,
        }
    }

    async fn ask(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        match self.prepared(text) {
            Some(statement) => self.client.query(&statement, parameters).await,
            None => self.client.query(text, parameters).await,
        }
    }

    fn prepared(&self, text: &str) -> Option<Statement> {
        self.statements.borrow().get(text).cloned()
    }
}

fn borrowed(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect()
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends the connection without waiting: a server that does not answer may be why it ends.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn limited<T>(
    runtime: &Runtime,
    limit: Duration,
    call: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    let done = crate::waiting(|| runtime.block_on(async { tokio::time::timeout(limit, call).await }));
    done.map_or(Err(Failure::TimedOut), |done| done.map_err(Failure::Postgres))
}

impl Failure {
    /// Reports whether the connection is of no use any more.
    pub(super) fn ends_session(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Problem(_) => false,
            Self::Postgres(error) => error.code().is_none_or(|code| {
                let code = code.code();
                // Connection exceptions, a server that ends or begins, one that became a standby.
                code.starts_with("08") || code.starts_with("57P") || code == SqlState::READ_ONLY_SQL_TRANSACTION.code()
            }),
        }
    }

    /// Returns a note about it.
    pub(super) fn into_error(self, database: &str) -> DatabaseError {
        let problem = match self {
            Self::Problem(problem) => problem,
            Self::TimedOut => DatabaseProblem::Unavailable("no answer".into()),
            Self::Postgres(error) => {
                let text = describe(&error);
                if is_passing(&error) { DatabaseProblem::Unavailable(text) } else { DatabaseProblem::Failed(text) }
            }
        };
        DatabaseError { database: database.to_owned(), problem }
    }
}

/// Reports whether the same may succeed later: connections, locks, resources, a server that ends, begins or fails over.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    let classes = ["08", "25", "40", "53", "55", "57", "58"];
    if let Some(code) = error.code() {
        return classes.iter().any(|class| code.code().starts_with(class));
    }
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    // What is not to be trusted today is not tomorrow: TLS says so as invalid data.
    error.is_closed() || source.is_some_and(|source| source.kind() != io::ErrorKind::InvalidData)
}

/// Returns the error of the server, or else of the layer below.
fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(below) = source {
        text = format!("{text}: {below}");
        source = below.source();
    }
    text
}
