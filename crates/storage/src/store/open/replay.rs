//! The WAL at a start: what it holds becomes hot events again.

use std::ops::Range;
use std::path::PathBuf;

use super::{EPOCH_BITS, Opening};
use crate::store::accept::{Acceptance, Identity};
use crate::wal::record::{Header, decode_body};
use crate::wal::{self, FILE_HEADER_BYTES, HeaderError, reader};
use crate::{OpenError, TornTail, disk};

impl Opening {
    fn wal_path(&self, number: u64) -> PathBuf {
        wal::path_of(&self.dir.join("wal"), number)
    }

    /// Removes WAL files whose events are in segments; returns the numbers of the others.
    pub(super) fn drop_released_wal(&mut self) -> Result<Vec<u64>, OpenError> {
        let dir = self.dir.join("wal");
        let numbers = wal::list(&dir).map_err(OpenError::io(&dir))?;
        let (released, kept): (Vec<u64>, Vec<u64>) =
            numbers.into_iter().partition(|number| *number < self.marks.wal_released);
        for number in released {
            let path = self.wal_path(number);
            std::fs::remove_file(&path).map_err(OpenError::io(&path))?;
        }
        Ok(kept)
    }

    /// Replays all WAL files.
    pub(super) fn replay(&mut self, numbers: &[u64]) -> Result<(), OpenError> {
        let n_damaged = self.recovery.damaged.len();
        for number in numbers {
            self.replay_file(*number, numbers.last() == Some(number))?;
        }
        if self.recovery.damaged.len() > n_damaged {
            // Sequences in the damaged bytes may have been handed out: a new epoch never meets them.
            let epoch = (self.marks.next_sequence >> EPOCH_BITS).saturating_add(1);
            self.marks.next_sequence = epoch.checked_shl(EPOCH_BITS).unwrap_or(self.marks.next_sequence);
        }
        Ok(())
    }

    fn replay_file(&mut self, number: u64, is_last: bool) -> Result<(), OpenError> {
        let path = self.wal_path(number);
        let file = format!("wal/{number:016x}.wal");
        let bytes = std::fs::read(&path).map_err(OpenError::io(&path))?;
        self.recovery.wal_bytes += bytes.len() as u64;
        let contents = match reader::read(&bytes, !is_last) {
            Ok(contents) if contents.header.store == self.store && contents.header.number == number => contents,
            Ok(_) => {
                self.report(&file, 0, "the file belongs to another store; it was moved to quarantine/");
                return self.quarantine(&file);
            }
            Err(HeaderError::Version(found)) => {
                let (found, known) = (found.into(), wal::VERSION.into());
                return Err(OpenError::NewerFormat { file: path, found, known });
            }
            Err(HeaderError::Damaged) if is_last && bytes.len() <= FILE_HEADER_BYTES => {
                // The process ended while it made the file: nothing was acknowledged in it.
                let torn = TornTail { file, offset: 0, n_bytes: bytes.len() as u64 };
                self.recovery.torn.push(torn);
                return std::fs::remove_file(&path).map_err(OpenError::io(&path));
            }
            Err(HeaderError::Damaged) => {
                self.report(&file, 0, "the file header is damaged; the file was moved to quarantine/");
                return self.quarantine(&file);
            }
        };
        for range in &contents.damaged {
            self.quarantine_bytes(&file, &bytes, range, "bytes that were acknowledged are damaged")?;
        }
        if let Some(torn_from) = contents.torn_from {
            self.cut(&path, file.clone(), torn_from, bytes.len())?;
        }
        if contents.records.is_empty() && contents.damaged.is_empty() {
            return std::fs::remove_file(&path).map_err(OpenError::io(&path));
        }
        for (header, range) in &contents.records {
            if header.first_sequence >= self.marks.next_sequence {
                self.replay_record(&file, &bytes, header, range)?;
            }
        }
        Ok(())
    }

    /// Copies damaged bytes to `quarantine/` and reports them.
    fn quarantine_bytes(
        &mut self,
        file: &str,
        bytes: &[u8],
        range: &Range<usize>,
        problem: &str,
    ) -> Result<(), OpenError> {
        let copy = format!("quarantine/{}-{}.bytes", file.replace('/', "-"), range.start);
        let problem = format!("{problem} ({} bytes; a copy is in {copy})", range.len());
        self.report(file, range.start as u64, problem);
        let path = self.dir.join(copy);
        let damaged = bytes.get(range.clone()).unwrap_or_default();
        disk::write_whole(&path, damaged).map_err(OpenError::io(&path))
    }

    /// Cuts off a torn tail, so that the next start does not meet it again.
    fn cut(&mut self, path: &PathBuf, file: String, from: usize, to: usize) -> Result<(), OpenError> {
        let n_bytes = (to - from) as u64;
        tracing::warn!(file, offset = from, n_bytes, "torn tail of the wal was cut off; it was never acknowledged");
        let opened = std::fs::OpenOptions::new().write(true).open(path).map_err(OpenError::io(path))?;
        opened.set_len(from as u64).and_then(|()| opened.sync_all()).map_err(OpenError::io(path))?;
        self.recovery.torn.push(TornTail { file, offset: from as u64, n_bytes });
        Ok(())
    }

    fn replay_record(
        &mut self,
        file: &str,
        bytes: &[u8],
        header: &Header,
        range: &Range<usize>,
    ) -> Result<(), OpenError> {
        let contents = match decode_body(header, reader::body(bytes, header, range)) {
            Ok(contents) => contents,
            Err(damage) => return self.quarantine_bytes(file, bytes, range, damage.0),
        };
        let n_events: u64 = contents.parts.iter().map(|part| part.batch.len() as u64).sum();
        let mut acceptance = Acceptance::default();
        for part in contents.parts {
            self.marks.next_group = self.marks.next_group.max(part.group_id.saturating_add(1));
            if !self.deleted.contains(&part.group_id) {
                acceptance.add(&self.state, &part.group, part.group_id, part.raw_bytes, part.batch);
            }
        }
        acceptance.apply(&mut self.state);
        let identity = Identity {
            key: contents.key,
            position: contents.position.as_ref(),
            accepted: header.ingestion_time,
            first_sequence: header.first_sequence,
            n_events,
        };
        identity.apply(&mut self.state, self.now);
        self.marks.next_sequence = header.first_sequence.saturating_add(n_events);
        self.recovery.records_replayed += 1;
        self.recovery.events_replayed += n_events;
        Ok(())
    }
}
