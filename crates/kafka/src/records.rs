//! The messages in an answer: batches of records, compressed or not, without those of transactions that were given up.

use std::collections::{HashSet, VecDeque};
use std::io::Read;

use bytes::{Buf, Bytes};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use kafka_protocol::records::{Compression, Record, RecordBatchDecoder};

/// Most bytes that a batch unfolds to; brokers take batches of 1 MiB if they are not set otherwise.
const BATCH_BYTES_MAX: u64 = 64 << 20;

/// Bytes of messages after which the rest of an answer is left for the next one: packed, an answer may hold far more.
const ANSWER_BYTES: usize = 32 << 20;

/// Most records in a batch.
const BATCH_RECORDS_MAX: u32 = 1_000_000;

/// Bytes of a batch in front of its records, with offset and length.
const HEADER_BYTES: usize = 61;

/// The bit of messages whose time is that of their arrival at the broker, which stands once for all.
const LOG_APPEND_TIME: u16 = 1 << 3;

/// In front of Snappy's blocks as Java's library writes them.
const XERIAL: &[u8] = b"\x82SNAPPY\0";

/// A message with a value; one without says that its key was deleted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its place in its partition.
    pub offset: i64,
    /// When it was written, or came to the broker, in milliseconds since the epoch.
    pub time_ms: Option<i64>,
    /// Its key.
    pub key: Option<Bytes>,
    /// What it says.
    pub value: Bytes,
    /// Its headers.
    pub headers: Vec<(String, Bytes)>,
}

/// What was read of an answer.
#[derive(Debug, Default)]
pub(crate) struct ReadRecords {
    pub(crate) messages: Vec<Message>,
    /// The offset to ask for next; `None` if not even one batch is whole.
    pub(crate) next: Option<i64>,
    /// Where a batch begins that cannot be read, where the next one begins, and why.
    pub(crate) problem: Option<(i64, i64, String)>,
}

/// Reads messages from `from` on: a batch begins where a broker likes.
pub(crate) fn read(mut bytes: Bytes, from: i64, aborted: Vec<AbortedTransaction>) -> ReadRecords {
    let mut read = ReadRecords::default();
    let (mut transactions, mut n_bytes_read) = (Transactions::new(aborted), 0);
    while let Some(Head { first, next, n_bytes, time_ms, n_records }) = Head::of(&bytes) {
        let batch = bytes.split_to(n_bytes);
        let records = if n_records > BATCH_RECORDS_MAX {
            Err(format!("{n_records} records in a batch, more than {BATCH_RECORDS_MAX}"))
        } else {
            let decoded = RecordBatchDecoder::decode_with_custom_compression(&mut batch.clone(), Some(decompressed));
            decoded.map_err(|error| error.to_string())
        };
        let records = match records {
            Ok(set) => set.records,
            Err(problem) => {
                // What is broken may say any number of messages.
                let first = first.max(from);
                let is_likely = next > first && next - first <= i64::from(BATCH_RECORDS_MAX);
                read.problem = Some((first, if is_likely { next } else { first.saturating_add(1) }, problem));
                return read;
            }
        };
        for record in records {
            n_bytes_read += record.value.as_ref().map_or(0, Bytes::len);
            if transactions.gives(&record) && record.offset >= from {
                read.messages.extend(message(record, time_ms));
            }
        }
        // Not the offset of the last record: a compacted topic may have lost it.
        read.next = Some(next);
        if n_bytes_read > ANSWER_BYTES {
            break;
        }
    }
    read
}

fn message(record: Record, time_ms: Option<i64>) -> Option<Message> {
    let time_ms = time_ms.or(Some(record.timestamp)).filter(|time| *time >= 0);
    let headers = record.headers.into_iter().map(|(name, value)| (name.to_string(), value.unwrap_or_default()));
    let (offset, key, headers) = (record.offset, record.key, headers.collect());
    Some(Message { offset, time_ms, key, value: record.value?, headers })
}

/// The header of a batch.
struct Head {
    first: i64,
    next: i64,
    n_bytes: usize,
    /// The time of all messages, if they have one.
    time_ms: Option<i64>,
    n_records: u32,
}

impl Head {
    /// `None` if the batch is cut off, as the last one of an answer may be.
    fn of(bytes: &Bytes) -> Option<Self> {
        let mut head = bytes.get(..HEADER_BYTES)?;
        let (first, length) = (head.get_i64(), head.get_u32());
        let n_bytes = 12usize.checked_add(length as usize).filter(|n| (HEADER_BYTES..=bytes.len()).contains(n))?;
        // Leader epoch, version and checksum.
        head.advance(9);
        let (attributes, last_delta) = (head.get_u16(), head.get_u32());
        let (_, max_time) = (head.get_i64(), head.get_i64());
        let time_ms = (attributes & LOG_APPEND_TIME != 0).then_some(max_time);
        // Producer, its epoch, and the sequence.
        head.advance(14);
        let next = first.checked_add(i64::from(last_delta) + 1)?;
        Some(Self { first, next, n_bytes, time_ms, n_records: head.get_u32() })
    }
}

/// Knows the transactions that were given up. Brokers name them, and where each begins; a marker says where it ends.
struct Transactions {
    to_come: VecDeque<AbortedTransaction>,
    open: HashSet<i64>,
}

impl Transactions {
    fn new(mut aborted: Vec<AbortedTransaction>) -> Self {
        aborted.sort_by_key(|transaction| transaction.first_offset);
        Self { to_come: aborted.into(), open: HashSet::new() }
    }

    /// Reports whether a record is a message that counts.
    fn gives(&mut self, record: &Record) -> bool {
        while let Some(begun) = self.to_come.pop_front_if(|begun| begun.first_offset <= record.offset) {
            self.open.insert(*begun.producer_id);
        }
        if record.control {
            // The key of a marker: its version, and 0 if the transaction was given up.
            if record.key.as_ref().is_some_and(|key| key.get(2..4) == Some(&[0, 0])) {
                self.open.remove(&record.producer_id);
            }
            return false;
        }
        !(record.transactional && self.open.contains(&record.producer_id))
    }
}

/// Unfolds a batch.
fn decompressed(bytes: &mut Bytes, compression: Compression) -> anyhow::Result<Bytes> {
    let packed = std::mem::take(bytes);
    let read = |reader: &mut dyn Read| {
        let mut all = Vec::new();
        reader.take(BATCH_BYTES_MAX + 1).read_to_end(&mut all)?;
        Ok::<_, std::io::Error>(all)
    };
    let all = match compression {
        Compression::None => return Ok(packed),
        Compression::Gzip => read(&mut flate2::read::MultiGzDecoder::new(&*packed))?,
        Compression::Lz4 => read(&mut lz4_flex::frame::FrameDecoder::new(&*packed))?,
        Compression::Zstd => read(&mut zstd::Decoder::new(&*packed)?)?,
        Compression::Snappy => snappy(&packed)?,
    };
    Ok(Bytes::from(all))
}

/// Unfolds Snappy: one block, or blocks behind a header and their lengths, as Java's library writes them.
fn snappy(packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut add = |block: &[u8]| {
        let length = snap::raw::decompress_len(block)? as u64;
        anyhow::ensure!(all.len() as u64 + length <= BATCH_BYTES_MAX, "a batch of more than {BATCH_BYTES_MAX} bytes");
        all.extend(snap::raw::Decoder::new().decompress_vec(block)?);
        Ok(())
    };
    // Two versions follow the name.
    let Some(mut blocks) = packed.strip_prefix(XERIAL).and_then(|rest| rest.get(8..)) else {
        add(packed)?;
        return Ok(all);
    };
    while let Ok(length) = blocks.try_get_u32() {
        let block = blocks.get(..length as usize);
        add(block.ok_or_else(|| anyhow::anyhow!("a block of Snappy is cut off"))?)?;
        blocks.advance(length as usize);
    }
    Ok(all)
}
