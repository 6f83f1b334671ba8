//! Puts together messages that came in several datagrams.
//!
//! ```text
//! 1e 0f   id: 8 bytes   sequence number: 1 byte, from 0   count: 1 byte, 128 at most   part of the message
//! ```

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

const MAGIC: [u8; 2] = [0x1e, 0x0f];
const HEADER_BYTES: usize = 12;
const PARTS_MAX: usize = 128;

/// How long parts wait for the others, as in Graylog.
const AGE_MAX: Duration = Duration::from_secs(5);

/// Limit on the bytes of parts that wait; the oldest messages are given up first.
const BYTES_MAX: usize = 16 << 20;
const KEYS_MAX: usize = 1 << 16;

/// What each part takes in addition to its bytes.
const PART_COST: usize = 64;

/// The sender and id of a message.
type Key = (IpAddr, [u8; 8]);

/// Messages of which parts are missing.
#[derive(Default)]
pub(crate) struct GelfChunks {
    sets: HashMap<Key, PartSet>,
    /// The keys in the order of the first parts, with their times. A message may be complete already.
    order: VecDeque<(Instant, Key)>,
    n_bytes: usize,
    n_incomplete: u64,
}

struct PartSet {
    began: Instant,
    parts: Vec<Option<Box<[u8]>>>,
    n_missing: usize,
}

impl PartSet {
    fn cost(&self) -> usize {
        self.parts.len() * PART_COST + self.parts.iter().flatten().map(|part| part.len()).sum::<usize>()
    }
}

impl GelfChunks {
    /// Takes a datagram; returns a message that is complete.
    pub(crate) fn add(&mut self, from: IpAddr, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.expire(now);
        if !datagram.starts_with(&MAGIC) {
            return (!datagram.is_empty()).then(|| datagram.to_vec());
        }
        let part = datagram.get(HEADER_BYTES..).filter(|part| !part.is_empty());
        let (Some(part), Some(id)) = (part, datagram.get(2..10).and_then(|id| id.try_into().ok())) else {
            self.n_incomplete += 1;
            return None;
        };
        let (number, n_parts) = (usize::from(datagram[10]), usize::from(datagram[11]));
        if number >= n_parts || n_parts > PARTS_MAX {
            self.n_incomplete += 1;
            return None;
        }
        let key = (from, id);
        let set = self.sets.entry(key).or_insert_with(|| {
            self.order.push_back((now, key));
            self.n_bytes += n_parts * PART_COST;
            PartSet { began: now, parts: vec![None; n_parts], n_missing: n_parts }
        });
        // A part that came twice, or does not belong to the others, changes nothing.
        let place = set.parts.get_mut(number).filter(|place| place.is_none())?;
        *place = Some(part.into());
        set.n_missing -= 1;
        self.n_bytes += part.len();
        if set.n_missing > 0 {
            return None;
        }
        let set = self.remove(&key)?;
        Some(set.parts.into_iter().flatten().flat_map(<[u8]>::into_vec).collect())
    }

    /// Returns the number of messages given up, and of invalid parts, since the last call.
    pub(crate) fn take_incomplete(&mut self) -> u64 {
        std::mem::take(&mut self.n_incomplete)
    }

    fn remove(&mut self, key: &Key) -> Option<PartSet> {
        let set = self.sets.remove(key)?;
        self.n_bytes -= set.cost();
        Some(set)
    }

    /// Gives up messages that are too old, and the oldest while there are too many bytes.
    fn expire(&mut self, now: Instant) {
        while let Some((began, key)) = self.order.front().copied() {
            let is_waiting = self.sets.get(&key).is_some_and(|set| set.began == began);
            let fits = self.n_bytes <= BYTES_MAX && self.order.len() <= KEYS_MAX;
            if is_waiting && fits && now - began < AGE_MAX {
                return;
            }
            self.order.pop_front();
            if is_waiting {
                self.remove(&key);
                self.n_incomplete += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
