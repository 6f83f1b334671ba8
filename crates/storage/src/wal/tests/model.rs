//! The WAL against a model of it: whatever is appended, cut off, flipped, removed and opened again, each record that
//! was acknowledged is read back once and in its order, or its file is named.
//!
//! `PROPTEST_CASES` says how many runs there are; a run has up to 40 steps.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::wal::chain::Chain;
use crate::wal::writer::Writer;

#[derive(Clone, Debug)]
enum Step {
    /// A group commit of records of these lengths.
    Append(Vec<u8>),
    /// The same, but the process ends when only this share (of 255) of its bytes is written.
    Torn(Vec<u8>, u8),
    /// The power is cut, and the last write of the mark is lost.
    PowerCut,
    Rotate,
    Reopen,
    /// A byte of some acknowledged record is damaged while no one looks.
    Flip(Index, Index),
    /// A file is removed while no one looks.
    Remove(Index),
    /// The end of a file is cut off while no one looks.
    Cut(Index, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let lengths = || prop::collection::vec(any::<u8>(), 1..5);
    prop_oneof![
        8 => lengths().prop_map(Step::Append),
        3 => (lengths(), any::<u8>()).prop_map(|(lengths, share)| Step::Torn(lengths, share)),
        2 => Just(Step::PowerCut),
        2 => Just(Step::Rotate),
        2 => Just(Step::Reopen),
        1 => any::<(Index, Index)>().prop_map(|(record, byte)| Step::Flip(record, byte)),
        1 => any::<Index>().prop_map(Step::Remove),
        1 => (any::<Index>(), 1u8..).prop_map(|(file, n_bytes)| Step::Cut(file, n_bytes)),
    ]
}

/// A record with its place.
#[derive(Clone, Debug)]
struct Known {
    id: u64,
    file: u64,
    place: std::ops::Range<u64>,
}

struct Model {
    dir: tempfile::TempDir,
    writer: Writer,
    next_id: u64,
    /// What was acknowledged, and what else was read back once.
    records: Vec<Known>,
    /// Files of which something was destroyed.
    destroyed: BTreeSet<u64>,
    /// A torn commit: it leaves nothing or a beginning of itself.
    torn: Vec<Known>,
}

impl Model {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let writer = Writer::create(dir.path(), [7; 16], 1, 1, None, Arc::default()).expect("room");
        Self { dir, writer, next_id: 1, records: Vec::new(), destroyed: BTreeSet::new(), torn: Vec::new() }
    }

    /// Encodes a commit and says where its records will stand.
    fn encode(&mut self, lengths: &[u8]) -> (Vec<u8>, Vec<Known>) {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        let commit_offset = self.writer.end();
        for length in lengths {
            let from = commit_offset + bytes.len() as u64;
            let body = vec![*length; usize::from(*length)];
            let header = Header {
                commit_offset,
                first_sequence: self.next_id,
                ingestion_time: Timestamp(5),
                group_ids: vec![1],
                body_bytes: body.len(),
                body_hash: xxh3_64(&body),
            };
            header.put(self.writer.salt(), &mut bytes);
            bytes.extend_from_slice(&body);
            let place = from..commit_offset + bytes.len() as u64;
            records.push(Known { id: self.next_id, file: self.writer.number(), place });
            self.next_id += 1;
        }
        (bytes, records)
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(lengths) => {
                let (bytes, records) = self.encode(lengths);
                self.writer.append(&bytes).expect("room");
                self.records.extend(records);
            }
            Step::Torn(lengths, share) => {
                let (bytes, records) = self.encode(lengths);
                let written = &bytes[..bytes.len() * usize::from(*share) / 255];
                self.open(self.writer.number()).write_all_at(written, self.writer.end()).expect("room");
                self.torn = records;
                self.reopen();
            }
            Step::Rotate => self.writer.rotate(self.next_id).expect("room"),
            Step::Reopen => self.reopen(),
            Step::Flip(record, byte) => self.flip(record, byte),
            Step::Remove(file) => self.remove(file),
            Step::Cut(file, n_bytes) => self.cut(file, u64::from(*n_bytes)),
            Step::PowerCut => self.cut_power(),
        }
    }

    fn open(&self, number: u64) -> std::fs::File {
        let path = path_of(self.dir.path(), number);
        std::fs::OpenOptions::new().read(true).write(true).open(path).expect("it is there")
    }

    fn flip(&mut self, record: &Index, byte: &Index) {
        if self.records.is_empty() {
            return;
        }
        let record = self.records.remove(record.index(self.records.len()));
        let at = record.place.start + byte.index((record.place.end - record.place.start) as usize) as u64;
        let file = self.open(record.file);
        let mut found = [0];
        file.read_exact_at(&mut found, at).expect("it is there");
        file.write_all_at(&[found[0] ^ 0x10], at).expect("room");
        self.destroyed.insert(record.file);
        self.reopen();
    }

    fn cut_power(&mut self) {
        let path = path_of(self.dir.path(), self.writer.number());
        let mut bytes = std::fs::read(&path).expect("readable");
        mark(&mut bytes, FILE_HEADER_BYTES as u64);
        std::fs::write(path, bytes).expect("room");
        self.reopen();
    }

    fn cut(&mut self, file: &Index, n_bytes: u64) {
        let numbers = list(self.dir.path()).expect("readable");
        let number = numbers[file.index(numbers.len())];
        let file = self.open(number);
        let length = file.metadata().expect("it is there").len();
        let left = length.saturating_sub(n_bytes).max(FILE_HEADER_BYTES as u64);
        if left < length {
            file.set_len(left).expect("room");
            self.destroyed.insert(number);
            self.records.retain(|record| record.file != number || record.place.end <= left);
        }
        self.reopen();
    }

    fn remove(&mut self, file: &Index) {
        let numbers = list(self.dir.path()).expect("readable");
        let number = numbers[file.index(numbers.len())];
        std::fs::remove_file(path_of(self.dir.path(), number)).expect("removable");
        self.destroyed.insert(number);
        self.records.retain(|record| record.file != number);
        self.reopen();
    }

    /// Reads everything back, compares, and begins a new file, as a start does.
    fn reopen(&mut self) {
        let dir = self.dir.path();
        let numbers = list(dir).expect("readable");
        let chain = Chain::read(dir, &numbers, 1, 1).expect("readable");
        let mut named: BTreeSet<u64> = chain.missing.iter().cloned().flatten().collect();
        let (mut found, mut last) = (Vec::new(), None);
        for (index, number) in numbers.iter().enumerate() {
            let bytes = std::fs::read(path_of(dir, *number)).expect("readable");
            let is_last = index + 1 == numbers.len();
            let place = if is_last { FileContext::Last } else { FileContext::Followed(chain.n_bytes_of(index)) };
            let contents = reader::read(&bytes, place).expect("headers stay intact");
            if !contents.damaged.is_empty() || contents.missing.is_some() || contents.is_mark_damaged {
                named.insert(*number);
            }
            found.extend(contents.records.iter().map(|(header, _)| header.first_sequence));
            let end = contents.torn_from.unwrap_or(bytes.len()) as u64;
            self.open(*number).set_len(end).expect("room");
            last = contents.n_bytes_named(end).map(|n_bytes| (*number, n_bytes));
        }
        let kept = std::mem::take(&mut self.torn).into_iter().take_while(|record| found.contains(&record.id));
        self.records.extend(kept);
        assert_eq!(found, self.records.iter().map(|record| record.id).collect::<Vec<_>>());
        assert!(named.is_subset(&self.destroyed), "{named:?}, but only {:?} are destroyed", self.destroyed);
        // Nothing can tell of the files behind one that is gone as well, where no other one follows.
        let is_told = |number: &u64| {
            let is_followed = numbers.last().is_some_and(|last| last >= number);
            is_followed || *number == 1 || numbers.contains(&(number - 1))
        };
        assert!(self.destroyed.iter().filter(|number| is_told(number)).all(|number| named.contains(number)));
        self.destroyed = named;
        let highest = chain.highest();
        let n_bytes = last.filter(|(number, _)| *number == highest).map(|(_, end)| end);
        let previous = Some(PreviousFile { number: highest, n_bytes });
        let writer = Writer::create(dir, [7; 16], highest + 1, self.next_id, previous, Arc::default());
        self.writer = writer.expect("room");
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_wal_gives_back_what_was_acknowledged_or_names_what_is_gone(steps in prop::collection::vec(step(), 1..40)) {
        let mut model = Model::new();
        steps.iter().for_each(|step| model.take(step));
        model.reopen();
        model.reopen();
    }
}
