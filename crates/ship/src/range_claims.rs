//! Asks a server, before the first byte is sent, which ranges it holds of a file that this shipper does not know.
//!
//! A shipper whose state directory was lost, or a second one with a directory of its own, knows nothing of what was sent
//! before. The server knows the ranges that it holds, of which host and path they are, and the hash of their content.
//! It names the ranges ([`HeldQuestion`] without claims), the shipper hashes the same ranges of its file and claims them,
//! and the server answers which claims are right; the file is sent from their end on.
//!
//! Only content decides. A range whose hash differs, or is not known, is sent again; so is one that is too little to tell
//! two files apart. Both are logged.

use std::collections::HashSet;
use std::sync::Mutex;

use types::Hold;

use crate::batch::UncheckedFile;
use crate::content::Hasher;
use crate::server_ranges::{Claim, HeldQuestion, HeldRange};
use crate::{DeliverError, FileBatch};

/// Bytes that tell a copy of a file from another file: header lines and one line of its own, as in marks (`identity`).
const BYTES_TELLING: u64 = 1024;

/// How often a file is compared again while another shipper adds to what the server holds of it.
const COMPARISONS_MAX: usize = 4;

/// Ranges that were claimed for files of this shipper, each for one.
#[derive(Debug, Default)]
pub(crate) struct ClaimedRanges(Mutex<HashSet<String>>);

/// One question to a server, repeated until it answers.
type Ask<'a> = &'a dyn Fn(&HeldQuestion) -> Result<Vec<HeldRange>, DeliverError>;

/// Returns how far the server holds the file of a batch whose first byte it may hold; nothing if it has to be sent.
pub(crate) fn held_to(
    batch: &FileBatch,
    taken: &ClaimedRanges,
    ask: Ask<'_>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<u64>, DeliverError> {
    let Some(unasked) = &batch.unasked else { return Ok(None) };
    let header = &batch.header;
    let broken =
        |error: std::io::Error| DeliverError::Retry { after: None, reason: format!("{}: {error}", header.path) };
    let mut question = HeldQuestion {
        source: header.source.clone(),
        host: header.host.clone(),
        group: batch.group.as_str().to_owned(),
        path: header.path.clone(),
        size: 0,
        claims: Vec::new(),
    };
    let mut hasher = Hasher::new(&unasked.file, &unasked.rules);
    let mut found: Vec<HeldRange> = Vec::new();
    for _ in 0..COMPARISONS_MAX {
        question.size = unasked.file.metadata().map_err(broken)?.len();
        question.claims.clear();
        let known = ask(&question)?;
        let (ranges, others): (Vec<_>, Vec<_>) = known.into_iter().partition(|range| range.comparable);
        if !others.is_empty() {
            let (path, n_ranges) = (&header.path, others.len());
            tracing::warn!(path, n_ranges, "the server holds files of this name whose content it cannot compare");
        }
        let new = |range: &&HeldRange| found.iter().all(|known| known.id != range.id);
        let ranges: Vec<HeldRange> = ranges.iter().filter(new).cloned().collect();
        if ranges.is_empty() {
            break;
        }
        let places: Vec<(u64, u64)> = ranges.iter().map(|range| (range.begin, range.end)).collect();
        let hashes = hasher.hashes(&places, goes_on).map_err(broken)?;
        let claim = |(range, hash): (&HeldRange, Option<String>)| Some(Claim { id: range.id.clone(), hash: hash? });
        question.claims = ranges.iter().zip(hashes).filter_map(claim).collect();
        if question.claims.is_empty() {
            break;
        }
        let answer = ask(&question)?;
        let has_moved = question.claims.iter().any(|claim| answer.iter().all(|range| range.id != claim.id));
        found.extend(answer.into_iter().filter(|range| range.held));
        if !has_moved {
            break;
        }
    }
    Ok(taken.take(batch, unasked, found))
}

impl ClaimedRanges {
    /// Claims the ranges of the file and returns where they end.
    fn take(&self, batch: &FileBatch, unasked: &UncheckedFile, mut held: Vec<HeldRange>) -> Option<u64> {
        let path = &batch.header.path;
        let mut taken = self.0.hold();
        held.retain(|range| !taken.contains(&range.id));
        let (held, doubtful): (Vec<_>, Vec<_>) = held.into_iter().partition(|range| is_of(batch, unasked, range));
        let mut end = batch.header.start;
        // The longest; of two that are alike the file's own.
        let next = |end: u64| {
            let on = held.iter().filter(|range| range.begin <= end && range.end > end);
            on.max_by_key(|range| (range.end, is_same_inode(batch, range)))
        };
        while let Some(range) = next(end) {
            if range.shipping {
                let text = "another shipper sends this file too; what is added to it is stored twice until one stops";
                tracing::warn!(path, "{text}");
            }
            end = range.end;
            taken.insert(range.id.clone());
        }
        if end > batch.header.start {
            tracing::info!(path, bytes = end, "the server holds this file up to here; sending the rest");
            return Some(end);
        }
        if let Some(range) = held.iter().chain(&doubtful).min_by_key(|range| range.begin) {
            let (begin, end) = (range.begin, range.end);
            tracing::warn!(
                path,
                begin,
                end,
                "the server holds the same bytes, perhaps of another file; they are sent again"
            );
        }
        None
    }
}

/// Reports whether a range of equal content is of the file, and not of one that was like it: the file was there when the server
/// last heard of that one and has its inode; or it is a copy, and long enough to be no coincidence.
fn is_of(batch: &FileBatch, unasked: &UncheckedFile, range: &HeldRange) -> bool {
    let was_there = unasked.born.is_none_or(|born| born <= range.last_seen_ns);
    if is_same_inode(batch, range) && was_there {
        return true;
    }
    let is_copy = unasked.is_packed || was_there || range.path != batch.header.path;
    is_copy && range.end - range.begin >= BYTES_TELLING
}

/// Reports whether a range is of a file with the same inode; devices have other numbers after a start.
fn is_same_inode(batch: &FileBatch, range: &HeldRange) -> bool {
    range.file.split('-').nth(1).is_some_and(|inode| inode == format!("{:x}", batch.key.inode))
}

#[cfg(test)]
mod tests;
