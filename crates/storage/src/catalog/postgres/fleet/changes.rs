//! The log of added and removed segments. Triggers in the database write it, so that a node reads only what has changed.

use std::collections::HashSet;

use database::postgres::{Failure, Session};
use database::signed;

use super::erasures::{ErasureNews, erasure_news};
use crate::catalog::Contents;
use crate::catalog::postgres::cells::segment_id;
use crate::catalog::postgres::contents::{contents, deletions, groups, marks, positions, retired, segments};

/// How many changes back it is known what has changed. Who has missed more reads everything.
const KEPT: u64 = 1000;

/// In the transaction of a change, `changes` is still the number of the one before.
pub(in crate::catalog) const VERSION_5: &str = include_str!("5.sql");

/// The catalog as a node takes it over.
pub(crate) struct CatalogNews {
    /// What it says. Of the segments only those that have come or moved, where `gone` says which have gone.
    pub(crate) contents: Contents,
    /// Segments that are listed no more; none where the contents have all that are.
    pub(crate) gone: Option<HashSet<u128>>,
    /// Changes to deletions; the new deletions themselves are in the contents.
    pub(crate) erasures: ErasureNews,
}

/// Reads what has changed between the changes `known` and `current`, and the deletions that are not among
/// `known_deletions`; reads everything if no change is known.
pub(super) fn changes(
    session: &Session,
    known: Option<u64>,
    current: u64,
    known_deletions: &[u64],
) -> Result<CatalogNews, Failure> {
    let erasures = erasure_news(session, known)?;
    let Some(known) = known.filter(|known| current.saturating_sub(*known) < KEPT) else {
        return Ok(CatalogNews { contents: contents(session)?, gone: None, erasures });
    };
    let touched = "SELECT DISTINCT id FROM changed_segments WHERE change > $1";
    let touched = session.query(touched, &[&signed(known)])?;
    let mut gone: HashSet<u128> = touched.iter().map(|row| segment_id(row, 0)).collect::<Result<_, _>>()?;
    let segments = segments(session, Some(&gone.iter().map(|id| id.to_be_bytes()).collect::<Vec<_>>()))?;
    for segment in &segments {
        gone.remove(&segment.id);
    }
    let (groups, deleted) = groups(session)?;
    let contents = Contents {
        marks: marks(session)?,
        groups,
        deleted,
        segments,
        positions: positions(session)?,
        retired: retired(session)?,
        deletions: deletions(session, known_deletions)?,
        ..Contents::default()
    };
    Ok(CatalogNews { contents, gone: Some(gone), erasures })
}
