//! What a sender is answered.

use serde::Serialize;

/// Lines named in one answer; further ones are only counted.
const REJECTED_MAX: usize = 1_000;

/// What became of a request. Everything accepted is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestAnswer {
    /// Records accepted; a record that was split into parts is one.
    pub accepted: u64,
    /// The batch had been accepted before; nothing was stored now.
    pub duplicate: bool,
    /// Records that could not be read, at most 1,000 of them.
    pub rejected: Vec<RejectedRecord>,
    /// How many records could not be read beyond those named.
    #[serde(skip_serializing_if = "is_zero")]
    pub rejected_unnamed: u64,
    /// Of bytes of a shipped file: the events among them that could not be read or were refused, as ranges of bytes of the
    /// file, rising; of many a range may hold others too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<(u64, u64)>,
    /// Exemplars of shipped samples that were left out: the key does not admit their group, or they cannot be stored.
    #[serde(skip_serializing_if = "is_zero")]
    pub exemplars_left_out: u64,
    /// How far the file is accepted without a gap, for bytes of a shipped file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_water: Option<u64>,
    /// The id of the first event, if it was stored now and the node knows its group.
    #[serde(skip)]
    pub first_event: Option<types::EventId>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedRecord {
    /// Its line in the decompressed body, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: String,
}

impl IngestAnswer {
    /// Adds what became of another part of the request.
    pub fn add(&mut self, part: Self) {
        self.accepted += part.accepted;
        self.rejected_unnamed += part.rejected_unnamed;
        self.exemplars_left_out += part.exemplars_left_out;
        part.refused.iter().for_each(|(start, end)| self.refuse(*start, *end));
        part.rejected.iter().for_each(|rejected| self.reject(rejected.line, &rejected.error));
    }

    /// Names an event of a file as refused, after those that stand before it.
    pub(crate) fn refuse(&mut self, start: u64, end: u64) {
        let is_full = self.refused.len() >= REJECTED_MAX;
        match self.refused.last_mut() {
            Some(last) if last.1 >= start || is_full => last.1 = last.1.max(end),
            _ => self.refused.push((start, end)),
        }
    }

    /// Names a record that could not be read, or counts it.
    pub fn reject(&mut self, line: usize, error: &dyn std::fmt::Display) {
        if self.rejected.len() < REJECTED_MAX {
            self.rejected.push(RejectedRecord { line, error: error.to_string() });
        } else {
            self.rejected_unnamed += 1;
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
