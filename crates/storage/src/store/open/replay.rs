//! Replays the WAL at a start: its events become hot events again, and losses are reported.

use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use segment::bytes::{Damage, Decoded};
use types::Timestamp;

use super::opening::StoreOpening;
use super::scope::{EPOCH_BITS, Scope};
use crate::catalog::HighWaterMarks;
use crate::state::LostEvents;
use crate::wal::chain::Chain;
use crate::wal::reader::{self, FileContext, LocatedHeader};
use crate::wal::record::{self, decode_body};
use crate::wal::writer::Writer;
use crate::wal::{self, FileHeader, HeaderError, PreviousFile};
use crate::writer::{Acceptance, Identity};
use crate::{Faults, OpenError, TornTail};
use files::disk;

/// Bytes and records that are decoded at once. As many cores as there are find enough to do in it, and the batches
/// of that many records of one event, which take far more memory than when they are merged, some 20 MB.
const SHARE_BYTES: usize = 16 << 20;
const SHARE_RECORDS: usize = 4096;

/// The last WAL file, after it was replayed.
#[derive(Clone, Copy)]
pub(super) struct LastFile {
    header: FileHeader,
    /// The length of this file that the next one is to name; `None` if it is not known.
    n_bytes: Option<u64>,
    /// Tells whether it is intact and holds no record, so that it can be written on.
    is_fresh: bool,
}

impl StoreOpening {
    fn wal_dir(&self) -> PathBuf {
        self.dir.join("wal")
    }

    /// Removes WAL files whose events are in segments, and unfinished ones; reads the chain of the others.
    pub(super) fn read_chain(&self) -> Result<Chain, OpenError> {
        let dir = self.wal_dir();
        if self.scope == Scope::Repair {
            let numbers = wal::list(&dir).map_err(OpenError::io(&dir))?;
            let kept: Vec<u64> = numbers.into_iter().filter(|number| *number >= self.marks.wal_released).collect();
            let chain = Chain::read(&dir, &kept, self.marks.wal_released, self.marks.wal_made);
            return chain.map_err(OpenError::io(&dir));
        }
        for entry in std::fs::read_dir(&dir).map_err(OpenError::io(&dir))? {
            let path = entry.map_err(OpenError::io(&dir))?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                std::fs::remove_file(&path).map_err(OpenError::io(&path))?;
            }
        }
        let numbers = wal::list(&dir).map_err(OpenError::io(&dir))?;
        let (released, kept): (Vec<u64>, Vec<u64>) =
            numbers.into_iter().partition(|number| *number < self.marks.wal_released);
        for number in released {
            let path = wal::path_of(&dir, number);
            std::fs::remove_file(&path).map_err(OpenError::io(&path))?;
        }
        Chain::read(&dir, &kept, self.marks.wal_released, self.marks.wal_made).map_err(OpenError::io(&dir))
    }

    /// Reports files that are missing and were not released.
    fn report_missing(&mut self, chain: &Chain) {
        let wal_released = self.marks.wal_released;
        for range in chain.missing.iter().filter(|range| *range.end() >= wal_released) {
            let (first, last) = (wal::name_of(*range.start()), wal::name_of(*range.end()));
            let which = if first == last { String::new() } else { format!(" and those up to {last}") };
            let problem = format!("the file{which} is missing, with the events accepted in it");
            self.lose(&first, 0, problem, None);
        }
    }

    /// Reports events that were accepted and are gone: of these groups, or no one knows of which.
    fn lose(&mut self, file: &str, offset: u64, problem: impl Into<String>, groups: Option<Vec<u32>>) {
        self.report(file, offset, problem);
        if let Some(error) = self.recovery.damaged.last().cloned() {
            self.state.lost.push(LostEvents { error, groups });
        }
    }

    /// Replays all WAL files; returns what the last one is.
    pub(super) fn replay(&mut self, chain: &Chain) -> Result<Option<LastFile>, OpenError> {
        self.report_missing(chain);
        let mut last = None;
        for index in 0..chain.links.len() {
            last = self.replay_file(chain, index)?;
        }
        if !self.state.lost.is_empty() {
            // Sequences of lost events may have been handed out: a new epoch never meets them.
            let epoch = (self.marks.next_sequence >> EPOCH_BITS).saturating_add(1);
            self.marks.next_sequence = epoch.checked_shl(EPOCH_BITS).unwrap_or(self.marks.next_sequence);
        }
        Ok(last)
    }

    /// Makes the file that is written to from now on, or continues in the last one where nothing is in it.
    pub(super) fn begin_wal(
        &mut self,
        chain: &Chain,
        last: Option<LastFile>,
        faults: Arc<Faults>,
    ) -> Result<Writer, OpenError> {
        let dir = self.wal_dir();
        let at = OpenError::io(&dir);
        let highest = chain.highest().max(self.marks.wal_released.saturating_sub(1));
        let is_last = |file: &LastFile| file.header.number == highest;
        if let Some(file) = last.filter(|file| is_last(file) && file.is_fresh)
            && file.header.first_sequence <= self.marks.next_sequence
            && file.header.version == wal::VERSION
        {
            return Writer::go_on(&dir, file.header, faults).map_err(at);
        }
        let last = last.filter(is_last);
        // A file that was moved to quarantine is not there to be followed.
        let is_missing = chain.missing.iter().any(|range| range.contains(&highest));
        let n_bytes = last.and_then(|file| file.n_bytes);
        let previous = (last.is_some() || is_missing).then_some(PreviousFile { number: highest, n_bytes });
        let (number, first_sequence) = (highest.saturating_add(1), self.marks.next_sequence);
        let wal = Writer::create(&dir, self.store, number, first_sequence, previous, faults).map_err(at)?;
        // From the one that the catalog names the others are found.
        let is_named = chain.links.iter().any(|link| link.number == self.marks.wal_made);
        if wal.is_made() && !is_named {
            // The other marks stay those of the last flush: what was replayed is in no segment yet.
            let marks = HighWaterMarks { wal_made: number, ..self.catalog.marks()? };
            self.catalog.adopt(&marks, &[], &[], &[])?;
        }
        Ok(wal)
    }

    /// Replays a file; `None` if it is not there any more afterwards.
    fn replay_file(&mut self, chain: &Chain, index: usize) -> Result<Option<LastFile>, OpenError> {
        let number = chain.links[index].number;
        let is_last = index + 1 == chain.links.len();
        let (path, file) = (wal::path_of(&self.wal_dir(), number), wal::name_of(number));
        let bytes = std::fs::read(&path).map_err(OpenError::io(&path))?;
        self.recovery.wal_bytes += bytes.len() as u64;
        let place = if is_last { FileContext::Last } else { FileContext::Followed(chain.n_bytes_of(index)) };
        let contents = match reader::read(&bytes, place) {
            Ok(contents) if contents.header.store == self.store && contents.header.number == number => contents,
            Ok(_) => {
                self.lose(&file, 0, "the file belongs to another store; it was moved to quarantine/", None);
                return self.quarantine(&file).map(|()| None);
            }
            Err(HeaderError::Version(found)) => {
                let (found, known) = (found.into(), wal::VERSION.into());
                return Err(OpenError::NewerFormat { file: path, found, known });
            }
            Err(HeaderError::Damaged) if is_last && bytes.len() <= 64 && self.marks.wal_made == 0 => {
                // Format 1 made its files in place: nothing was acknowledged in this one.
                self.recovery.torn.push(TornTail { file, offset: 0, n_bytes: bytes.len() as u64 });
                return std::fs::remove_file(&path).map_err(OpenError::io(&path)).map(|()| None);
            }
            Err(HeaderError::Damaged) => {
                let how = if bytes.is_empty() { "the file is empty" } else { "the file header is damaged" };
                self.lose(&file, 0, format!("{how}; the file was moved to quarantine/"), None);
                return self.quarantine(&file).map(|()| None);
            }
        };
        let n_bytes = self.settle(&path, &file, &bytes, &contents)?;
        self.replay_records(&file, &bytes, &contents.records)?;
        let is_intact = n_bytes == bytes.len() as u64 && contents.missing.is_none() && !contents.is_mark_damaged;
        let is_fresh = is_intact && n_bytes == wal::FILE_HEADER_BYTES as u64 && contents.header.version > 1;
        Ok(Some(LastFile { header: contents.header, n_bytes: contents.n_bytes_named(n_bytes), is_fresh }))
    }

    /// Reports what is wrong with a file, and makes durable what is right; returns how long it is then.
    fn settle(&mut self, path: &Path, file: &str, bytes: &[u8], contents: &reader::Contents) -> Result<u64, OpenError> {
        for range in &contents.damaged {
            self.quarantine_bytes(file, bytes, range, "bytes that were acknowledged are damaged", None)?;
        }
        if let Some(missing) = &contents.missing {
            let n_bytes = missing.end - missing.start;
            self.lose(file, missing.start, format!("the file was cut off: {n_bytes} bytes of it are missing"), None);
        } else if contents.is_mark_damaged {
            self.lose(file, 80, "the mark in the file header is damaged; whether events are missing is unknown", None);
        }
        let end = contents.torn_from.unwrap_or(bytes.len());
        if end < bytes.len() {
            self.cut(path, file.to_owned(), end, bytes.len())?;
        }
        let unproven = bytes.get(contents.unproven_from..end).unwrap_or_default();
        if !unproven.is_empty() {
            let written = disk::writing().open(path).and_then(|file| {
                file.write_all_at(unproven, contents.unproven_from as u64)?;
                file.sync_data()
            });
            written.map_err(OpenError::io(path))?;
        }
        Ok(end as u64)
    }

    /// Copies damaged bytes to `quarantine/` and reports them.
    fn quarantine_bytes(
        &mut self,
        file: &str,
        bytes: &[u8],
        range: &Range<usize>,
        problem: &str,
        groups: Option<Vec<u32>>,
    ) -> Result<(), OpenError> {
        let copy = format!("quarantine/{}-{}.bytes", file.replace('/', "-"), range.start);
        let problem = format!("{problem} ({} bytes; a copy is in {copy})", range.len());
        self.lose(file, range.start as u64, problem, groups);
        let path = self.dir.join(copy);
        let damaged = bytes.get(range.clone()).unwrap_or_default();
        disk::write_whole(&path, damaged).map_err(OpenError::io(&path))
    }

    /// Cuts off a torn tail, so that the next start does not meet it again.
    fn cut(&mut self, path: &Path, file: String, from: usize, to: usize) -> Result<(), OpenError> {
        let n_bytes = (to - from) as u64;
        tracing::warn!(file, offset = from, n_bytes, "torn tail of the wal was cut off; it was never acknowledged");
        let opened = disk::writing().open(path).map_err(OpenError::io(path))?;
        opened.set_len(from as u64).and_then(|()| opened.sync_all()).map_err(OpenError::io(path))?;
        self.recovery.torn.push(TornTail { file, offset: from as u64, n_bytes });
        Ok(())
    }

    /// Makes hot events of the records that are not in segments.
    fn replay_records(&mut self, file: &str, bytes: &[u8], records: &[LocatedHeader]) -> Result<(), OpenError> {
        let from = records.iter().position(|(header, _)| header.first_sequence >= self.marks.next_sequence);
        let mut rest = from.map_or(&[][..], |from| &records[from..]);
        while !rest.is_empty() {
            let mut n_bytes = 0;
            let fits = |(_, range): &&LocatedHeader| {
                n_bytes += range.len();
                n_bytes <= SHARE_BYTES
            };
            let n = rest.iter().take(SHARE_RECORDS).take_while(fits).count().max(1);
            let (share, others) = rest.split_at(n);
            self.replay_share(file, bytes, share)?;
            rest = others;
        }
        Ok(())
    }

    /// Makes hot events of some records: small ones are merged before the next ones are decoded.
    fn replay_share(&mut self, file: &str, bytes: &[u8], records: &[LocatedHeader]) -> Result<(), OpenError> {
        let mut acceptance = Acceptance::default();
        let mut identities = Vec::new();
        for ((header, range), decoded) in records.iter().zip(decode_all(bytes, records)) {
            if header.first_sequence < self.marks.next_sequence {
                continue;
            }
            let contents = match decoded {
                Ok(contents) => contents,
                Err(damage) => {
                    let groups = Some(header.group_ids.clone());
                    self.quarantine_bytes(file, bytes, range, damage.0, groups)?;
                    continue;
                }
            };
            let n_events: u64 = contents.parts.iter().map(|part| part.batch.len() as u64).sum();
            for part in contents.parts {
                self.marks.next_group = self.marks.next_group.max(part.group_id.saturating_add(1));
                if self.deleted.contains(&part.group_id) {
                    continue;
                }
                let n_before = part.batch.len().max(1);
                let batch = self.state.without_deleted(part.group_id, part.batch);
                if batch.is_empty() {
                    // The group stays, and with it its number.
                    self.state.groups.add(&part.group, part.group_id, []);
                    continue;
                }
                let raw_bytes = u128::from(part.raw_bytes) * batch.len() as u128 / n_before as u128;
                acceptance.add(&self.state, &part.group, part.group_id, raw_bytes as u64, batch.into());
            }
            identities.push((header, contents.key, contents.position, n_events));
            self.marks.next_sequence = header.first_sequence.saturating_add(n_events);
            self.recovery.records_replayed += 1;
            self.recovery.events_replayed += n_events;
        }
        acceptance.prepare().apply(&mut self.state);
        for (header, key, position, n_events) in identities {
            // Events still in the WAL are not old: if their times are, the clock was wrong then or is wrong now.
            let is_recent = header.ingestion_time.0.abs_diff(self.now.0) < Timestamp::DAY.unsigned_abs();
            let accepted = if is_recent { header.ingestion_time } else { self.now };
            let first_sequence = header.first_sequence;
            let identity = Identity { key, position: position.as_ref(), accepted, first_sequence, n_events };
            identity.apply(&mut self.state, self.now);
        }
        Ok(())
    }
}

/// Decodes records on all cores, in their order.
fn decode_all(bytes: &[u8], records: &[LocatedHeader]) -> Vec<Decoded<record::Contents>> {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from).min(records.len());
    let decode = |records: &[LocatedHeader]| -> Vec<Decoded<record::Contents>> {
        records.iter().map(|(header, range)| decode_body(header, reader::body(bytes, header, range))).collect()
    };
    if n_threads < 2 {
        return decode(records);
    }
    // Shares of about as many bytes each.
    let total: usize = records.iter().map(|(_, range)| range.len()).sum();
    let mut shares = Vec::new();
    let mut rest = records;
    for left in (1..=n_threads).rev() {
        let (mut n, mut share_bytes) = (0, 0);
        while n < rest.len() && (left == 1 || share_bytes < total / n_threads) {
            share_bytes += rest[n].1.len();
            n += 1;
        }
        let (share, others) = rest.split_at(n);
        shares.push(share);
        rest = others;
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = shares.iter().map(|share| scope.spawn(|| decode(share))).collect();
        let results = threads.into_iter().zip(&shares).map(|(thread, share)| {
            let panicked = |_| share.iter().map(|_| Err(Damage("decoding it ended in a panic"))).collect();
            thread.join().unwrap_or_else(panicked)
        });
        results.flatten().collect()
    })
}
