//! Deletions of single events in a fleet, and their receipts.
//!
//! A deletion is a row with the sequences of its events, committed together with its receipt before it is acknowledged.
//! A node reads new rows with the other changes of the catalog, which it does before it answers a query. The row is
//! removed when no segment and no object holds any of the events; the receipt stays.

use std::collections::HashSet;

use database::postgres::{Failure, Session};
use database::signed;

use super::members::{Membership, lock, replaced};
use super::refused;
use crate::catalog::Deletion;
use crate::catalog::postgres::cells::{number, text};
use crate::catalog::postgres::rows::put_deletion;

/// `awaited` lists the objects that were waiting for removal when the last segment with deleted events was replaced:
/// the
/// deletion is finished when they are removed, too. `erases` is false for a node of an earlier version, which does not
/// hide deleted events.
pub(in crate::catalog) const VERSION_8: &str = include_str!("8.sql");

/// The error if a node would continue to show deleted events.
const OLDER_NODE: &str = "a node of an earlier version would continue to show deleted events; replace it, then delete \
    again (a node that was killed counts for an hour, or until another one with its name joins)";

/// Changes to deletions.
#[derive(Default)]
pub(crate) struct ErasureNews {
    /// Ids of all unfinished deletions.
    pub(crate) pending: HashSet<u64>,
    /// Texts of new and changed receipts.
    pub(crate) receipts: Vec<String>,
}

impl Membership {
    /// Records a deletion of events with its receipt. An earlier record of it stays as it is: its answer may have been
    /// lost, and the lease may have ended since.
    pub(in crate::catalog) fn record_deletion(
        &self,
        session: &Session,
        deletion: &Deletion,
        receipt: &str,
    ) -> Result<(), Failure> {
        lock(session)?;
        let known = session.query("SELECT 1 FROM receipts WHERE id = $1", &[&signed(deletion.id)])?;
        if !known.is_empty() {
            return Ok(());
        }
        self.change(session, false, |session| {
            let older = concat!("SELECT 1 FROM nodes WHERE NOT erases AND NOT ", replaced!());
            types::ensure!(session.query(older, &[])?.is_empty(), refused(OLDER_NODE));
            put_deletion(session, deletion);
            put_receipt(session, deletion.id, receipt)
        })
    }
}

/// Stores the text of a receipt, replacing an earlier one.
pub(in crate::catalog) fn put_receipt(session: &Session, id: u64, receipt: &str) -> Result<(), Failure> {
    let put = "INSERT INTO receipts
        VALUES ($1, $2, (SELECT coalesce(max(value), 0) + 1 FROM meta WHERE key = 'changes'))
        ON CONFLICT (id) DO UPDATE SET text = excluded.text, change = excluded.change";
    session.execute(put, &[&signed(id), &receipt.as_bytes()]).map(|_| ())
}

/// Reports whether objects that may hold events of a deletion are still to be removed. No listed segment and no
/// unflushed object holds any of them.
pub(in crate::catalog) fn awaits_removal(session: &Session, id: u64) -> Result<bool, Failure> {
    let note = "UPDATE deletions SET awaited = ARRAY(SELECT file FROM doomed WHERE place = 1)
        WHERE id = $1 AND awaited IS NULL";
    session.execute(note, &[&signed(id)])?;
    let left = "SELECT 1 FROM deletions JOIN doomed ON doomed.place = 1 AND doomed.file = ANY(deletions.awaited)
        WHERE deletions.id = $1 LIMIT 1";
    Ok(!session.query(left, &[&signed(id)])?.is_empty())
}

/// Reads the changes to deletions since the change `known`, or all of them if none is known.
pub(super) fn erasure_news(session: &Session, known: Option<u64>) -> Result<ErasureNews, Failure> {
    let pending = session.query("SELECT id FROM deletions", &[])?;
    Ok(ErasureNews {
        pending: pending.iter().map(|row| number(row, 0)).collect::<Result<_, _>>()?,
        receipts: receipts(session, known)?,
    })
}

/// Reads the receipts that were written since a change, or all of them if it is `None`.
pub(super) fn receipts(session: &Session, since: Option<u64>) -> Result<Vec<String>, Failure> {
    let since = since.map_or(-1, signed);
    let rows = session.query("SELECT text FROM receipts WHERE change > $1 ORDER BY id", &[&since])?;
    rows.iter().map(|row| text(row, 0)).collect()
}
