//! What the tests of doors add to an intake with a store of its own.

use parse::Frames;
use types::Limits;

use super::delivery::ingest_chunks;
use super::door::Door;
use super::sink::{Chunk, Stored};
use crate::house::{House, now};

impl House {
    pub(crate) fn limited(event_bytes_max: usize) -> Self {
        Self::with(Limits { event_bytes_max, ..Limits::default() })
    }

    pub(crate) fn take(&self, door: Door, frames: &[(&[u8], u64)]) -> Stored {
        let mut chunk = Chunk::new("10.0.0.9".into(), Frames::default());
        for (frame, n_cut) in frames {
            match door {
                Door::Syslog | Door::Lines => chunk.frames.push(frame, *n_cut),
                _ => chunk.frames.push_whole(frame),
            }
        }
        ingest_chunks(&self.intake, door, &[chunk], None, now()).expect("they are taken")
    }
}
