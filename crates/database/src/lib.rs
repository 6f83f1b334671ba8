//! What the catalog and the control store have in common: a SQL database whose tables are made and brought up to
//! date by numbered steps, and that belongs to one store.
//!
//! * Step *n* brings tables of version *n − 1* to version *n*. It is one transaction, and so is the number: a start
//!   that is cut off finds the version before or the version after, and continues from there.
//! * A database of a later version is refused before anything is written to it.
//! * Each names its store; the database of another store is refused.

pub mod postgres;
pub mod sqlite;
pub mod url;

use tokio::runtime::{Handle, RuntimeFlavor};

/// What a database returns.
pub type Result<T, E = DatabaseError> = std::result::Result<T, E>;

/// Why a database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("{database}: {problem}")]
pub struct DatabaseError {
    /// Which one: the file's path, or the address without its password.
    pub database: String,
    /// What is wrong.
    pub problem: DatabaseProblem,
}

/// What is wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseProblem {
    /// A later version of catat made its tables.
    #[error("format {found} is newer than {known}, which this catat knows; start the newer catat")]
    Newer {
        /// The version found.
        found: u64,
        /// The newest version known.
        known: u64,
    },
    /// It was made for another store.
    #[error("it belongs to store {found:032x}, not to {expected:032x}; put back the one that belongs here")]
    Foreign {
        /// The store that it belongs to.
        found: u128,
        /// The store that asks.
        expected: u128,
    },
    /// It is no intact database.
    #[error("{0}")]
    Damaged(String),
    /// The library that was built in loses transactions.
    #[error("sqlite {0} loses committed transactions; 3.51.3 or later is needed")]
    Library(String),
    /// It knows nothing of this store, though it should.
    #[error(
        "it knows nothing of store {store:032x}, whose data directory says that it is here; check its address. A catalog that is lost is made anew from the \
        segments by `catat verify --repair`"
    )]
    Missing {
        /// The store that asks.
        store: u128,
    },
    /// Another process writes to it.
    #[error("it is in use by another catat ({holder}); stop that one first")]
    InUse {
        /// How that one describes itself.
        holder: String,
    },
    /// Another process took it over, so that this one must not write to it any more.
    #[error("it was taken over by another catat ({holder}); this one must end")]
    Replaced {
        /// How that one describes itself.
        holder: String,
    },
    /// It cannot be reached, or cannot do anything just now; the same may succeed later.
    #[error("it cannot be used now: {0}")]
    Unavailable(String),
    /// This process may not do it: its lease has ended, or another one was quicker. Nothing was changed.
    #[error("{0}")]
    Refused(&'static str),
    /// It refused a statement, or could not read or write.
    #[error("{0}")]
    Failed(String),
}

impl DatabaseError {
    /// Reports whether it is certain that nothing was changed, because this process may not.
    pub fn is_refused(&self) -> bool {
        matches!(self.problem, DatabaseProblem::Refused(_))
    }
}

impl DatabaseProblem {
    /// Returns the same as a problem that may pass.
    pub fn passing(&self) -> Self {
        match self {
            Self::Unavailable(why) => Self::Unavailable(why.clone()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// The tables of one kind of database.
pub struct Schema {
    /// Statements of step 1, 2, …; a step never changes once a version with it was released.
    pub steps: &'static [&'static str],
    /// The version from which on there is a table `identity`.
    pub identity_since: usize,
}

/// Runs work that waits for a database, on any thread: other tasks of a runtime's thread move to another one meanwhile.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A number without a sign as databases keep it: their integers are signed, and the bits stay what they are.
pub fn signed(number: u64) -> i64 {
    number as i64
}

/// The number that [`signed`] was given.
pub fn unsigned(number: i64) -> u64 {
    number as u64
}
