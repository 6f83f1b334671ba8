//! Why there is no answer.

use evaluate::MemoryLimit;
use plan::PlanError;
use spill::SpillError;

/// What a query returns.
pub type Result<T, E = ExecuteError> = std::result::Result<T, E>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// More memory was needed than the query may hold.
    #[error(
        "query needs more than {bytes_max} bytes of memory ({setting}); ask for a shorter range, fewer groups or a limit"
    )]
    Memory {
        /// What it may hold.
        bytes_max: usize,
        /// The setting that says so.
        setting: &'static str,
    },
    /// All queries together hold what they may.
    #[error(
        "all queries together need more than {bytes_max} bytes of memory (query.memory_total); try again when others are \
         done, or ask for a shorter range, fewer groups or a limit"
    )]
    MemoryOfAll {
        /// What they may hold.
        bytes_max: usize,
    },
    /// What did not fit the query's memory needed more disk than all queries may use.
    #[error(
        "query needs more disk than is left of {bytes_max} bytes for all queries (query.spill); ask for a shorter range, \
         fewer groups or a limit"
    )]
    SpillLimit {
        /// What all queries may use.
        bytes_max: u64,
    },
    /// What did not fit the query's memory could not be kept on disk.
    #[error("query does not fit its memory (limits.query_memory) and cannot use the disk: {0}")]
    Spill(SpillError),
    /// A defect of ours; nothing else notices.
    #[error("query stopped at a defect of catat; the log of the server has the place")]
    Panicked,
    /// No thread to run on.
    #[error("query found no thread to run on: {0}")]
    NoThread(std::io::Error),
    /// There is no table of this name.
    #[error("there is no lookup table `{0}`")]
    UnknownTable(String),
    /// A table has no such column.
    #[error("the lookup table `{table}` has no column `{column}`; it has {known}")]
    UnknownColumn {
        /// The table.
        table: String,
        /// What it does not have.
        column: String,
        /// What it has.
        known: String,
    },
    /// A subquery gave too many values.
    #[error("subquery gives more than {values_max} values; let it give fewer, such as with a filter")]
    SubqueryTooLarge {
        /// The most it may give.
        values_max: usize,
    },
    /// The caller has no groups to look at.
    #[error("subqueries cannot be asked here")]
    Subquery,
    /// A plan no dialect makes.
    #[error("plan without a projection at its end")]
    NoProjection,
}

impl From<MemoryLimit> for ExecuteError {
    fn from(limit: MemoryLimit) -> Self {
        match limit {
            MemoryLimit::OfQuery { bytes_max, setting } => Self::Memory { bytes_max, setting },
            MemoryLimit::OfAll { bytes_max } => Self::MemoryOfAll { bytes_max },
        }
    }
}

impl From<SpillError> for ExecuteError {
    fn from(error: SpillError) -> Self {
        match error {
            SpillError::Limit { bytes_max } => Self::SpillLimit { bytes_max },
            error => Self::Spill(error),
        }
    }
}

impl PlanError for ExecuteError {
    fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Memory { .. })
    }
}
