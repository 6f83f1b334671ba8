//! What queries found, in the form in which it is kept.

use types::{RowSet, Value};

use crate::request::answer::ColumnInfo;
use crate::request::candidate::Candidate;
use evaluate::RowColumns;

/// The answer to an aggregation over immutable runs.
#[derive(Debug)]
pub(crate) struct CachedAnswer {
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) rows: Vec<Vec<Option<Value>>>,
    /// Whether rows were cut off.
    pub(crate) more: bool,
    pub(crate) n_scanned: u64,
    pub(crate) n_matched: u64,
    pub(crate) n_bytes: usize,
}

/// The first rows of immutable runs.
#[derive(Debug)]
pub(crate) struct CachedRows {
    /// In order.
    pub(crate) rows: Vec<Candidate>,
    /// Whether there are no further ones.
    pub(crate) is_all: bool,
    /// The fields of the first rows; none for one that none of these rows has.
    pub(crate) columns: RowColumns,
    pub(crate) n_scanned: u64,
    pub(crate) n_matched: u64,
    pub(crate) n_bytes: usize,
}

impl CachedRows {
    /// Bytes held, roughly.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

/// Of some blocks of a run the rows that fulfil conditions.
#[derive(Clone, Debug, Default)]
pub(crate) struct CachedMatches {
    /// By block, in order.
    pub(crate) blocks: Vec<(u32, Rows)>,
}

impl CachedMatches {
    /// Bytes held, roughly.
    pub(crate) fn n_bytes(&self) -> usize {
        self.blocks.iter().map(|(_, rows)| rows.n_bytes()).sum()
    }

    pub(crate) fn get(&self, block: usize) -> Option<&Rows> {
        let place = self.blocks.binary_search_by_key(&block, |(known, _)| *known as usize).ok()?;
        Some(&self.blocks[place].1)
    }

    pub(crate) fn with(&self, more: Vec<(u32, Rows)>) -> Self {
        let mut blocks = self.blocks.clone();
        blocks.extend(more);
        blocks.sort_by_key(|(block, _)| *block);
        blocks.dedup_by_key(|(block, _)| *block);
        Self { blocks }
    }
}

/// The rows of a block, the shortest way.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    None,
    All,
    Few(Box<[u32]>),
    Many(RowSet),
}

impl Rows {
    pub(crate) fn of(rows: &RowSet) -> Self {
        match rows.count() {
            0 => Self::None,
            n if n == rows.n_rows() => Self::All,
            n if n * 4 < rows.words().len() * 8 => Self::Few(rows.iter().map(|row| row as u32).collect()),
            _ => Self::Many(rows.clone()),
        }
    }

    pub(crate) fn of_block(&self, n_rows: usize) -> RowSet {
        match self {
            Self::None => RowSet::none(n_rows),
            Self::All => RowSet::all(n_rows),
            Self::Few(rows) => RowSet::of_places(n_rows, rows.iter().map(|row| *row as usize)),
            Self::Many(rows) => rows.clone(),
        }
    }

    pub(crate) fn n_bytes(&self) -> usize {
        let n_bytes = match self {
            Self::None | Self::All => 0,
            Self::Few(rows) => rows.len() * 4,
            Self::Many(rows) => rows.words().len() * 8,
        };
        n_bytes + BLOCK_BYTES
    }
}

/// Bytes of a block next to its rows.
pub(crate) const BLOCK_BYTES: usize = 48;
