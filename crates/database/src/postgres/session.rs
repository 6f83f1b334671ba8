//! One connection to PostgreSQL, used by one thread that waits: each call has a time limit, so that a server that is
//! there and does not answer is noticed like one that is gone.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::tls;
use crate::url::DatabaseUrl;
use crate::{DatabaseError, DatabaseProblem};

/// How long a connection, and whatever only asks whether the server is there, may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long a statement may take. A flush of very many groups is a few statements with very many rows.
const STATEMENT_MAX: Duration = Duration::from_secs(35);

/// What the server is told at the beginning: to give up a little before we do, and never to leave a transaction of
/// ours in others' way; to answer a commit only when it is durable.
const SETTINGS: &str = "
    SET statement_timeout = '30s';
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '5s';
    SET client_min_messages = 'warning';
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

/// An open connection.
pub struct Session {
    runtime: Option<Runtime>,
    client: Client,
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
        let session = Self { runtime: Some(runtime), client };
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
        self.wait(STATEMENT_MAX, self.client.execute(statement, parameters))
    }

    /// Runs one query.
    pub fn query(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        self.wait(STATEMENT_MAX, self.client.query(query, parameters))
    }
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
    let done = runtime.block_on(async { tokio::time::timeout(limit, call).await });
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
