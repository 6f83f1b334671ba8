//! Puts together what programs wrote in several messages: a stack trace, the report of a death, an entry of several lines.
//!
//! Senders make a message of each line. Lines of one host, program, process and priority from one address that are one event in
//! a file are one event here, whatever comes between. An event to which no further lines are likely to belong goes with the
//! delivery in which it came; others wait until no line has come for [`HOLD_MS`]. The text is the first message and the texts of
//! the others, in lines. The clock is the caller's.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use parse::{Joiner, OF_PROCESS, SourceLine, source_of, syslog_message};

use super::decode::{SyslogChunk, SyslogFrames};

/// How long an event waits for further lines: as long as in files.
pub(super) const HOLD_MS: u64 = 1_000;

/// Bytes of events that wait for further lines; when there are more, none waits.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Events whose messages are still coming.
#[derive(Default)]
pub(super) struct JoinedMessages {
    joiner: Joiner,
    events: BTreeMap<u64, JoinedMessage>,
    n_events: u64,
    n_bytes: usize,
}

struct JoinedMessage {
    from: Arc<str>,
    text: Vec<u8>,
    n_cut: u64,
    n_messages: u64,
    is_continued: bool,
    /// Empty lines that are part of it if another line follows.
    n_empty: usize,
}

impl JoinedMessages {
    /// Takes messages that came at `now_ms`.
    pub(super) fn add(&mut self, chunk: &SyslogChunk, now_ms: u64) {
        for (frame, n_cut) in chunk.frames.iter() {
            let number = self.n_events;
            let message = syslog_message(frame);
            let placed = message.as_ref().map_or(SourceLine::Begins, |message| {
                let source = source_of([chunk.from.as_bytes(), &message.source.to_le_bytes()].into_iter());
                let source = source | message.source & OF_PROCESS;
                self.joiner.place(source, &frame[message.content.clone()], number, now_ms)
            });
            if let SourceLine::Continues(event) = placed
                && let Some(event) = self.events.get_mut(&event)
            {
                let n_before = event.text.len();
                event.add(&frame[message.map_or(0, |message| message.content.start)..], n_cut);
                self.n_bytes += event.text.len() - n_before;
                continue;
            }
            let is_continued = matches!(placed, SourceLine::Overflows(_));
            let text = frame.to_vec();
            let event =
                JoinedMessage { from: chunk.from.clone(), text, n_cut, n_messages: 1, is_continued, n_empty: 0 };
            self.events.insert(number, event);
            self.n_events += 1;
            self.n_bytes += frame.len();
        }
    }

    /// Reports whether an event waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.events.is_empty()
    }

    /// Returns the events that wait no longer, in the order of their first messages.
    pub(super) fn take(&mut self, now_ms: u64) -> Vec<SyslogChunk> {
        let since = if self.n_bytes > HELD_BYTES_MAX { u64::MAX } else { (now_ms + 1).saturating_sub(HOLD_MS) };
        let open: HashSet<u64> = self.joiner.open(since).collect();
        self.take_but(&open)
    }

    /// Returns all events.
    pub(super) fn finish(&mut self) -> Vec<SyslogChunk> {
        self.take_but(&HashSet::new())
    }

    fn take_but(&mut self, open: &HashSet<u64>) -> Vec<SyslogChunk> {
        self.joiner.retain(|event| open.contains(&event));
        let mut chunks: Vec<SyslogChunk> = Vec::new();
        let (held, done) = std::mem::take(&mut self.events).into_iter().partition(|(number, _)| open.contains(number));
        self.events = held;
        for event in BTreeMap::into_values(done) {
            self.n_bytes -= event.text.len();
            let is_next =
                |chunk: &&mut SyslogChunk| chunk.from == event.from && chunk.is_continued == event.is_continued;
            let chunk = match chunks.last_mut().filter(is_next) {
                Some(chunk) => chunk,
                None => {
                    let (from, is_continued) = (event.from, event.is_continued);
                    chunks.push(SyslogChunk { is_continued, ..SyslogChunk::new(from, SyslogFrames::default()) });
                    chunks.last_mut().expect("it was pushed")
                }
            };
            chunk.frames.push(&event.text, event.n_cut);
            chunk.n_joined += event.n_messages - 1;
        }
        chunks
    }
}

impl JoinedMessage {
    fn add(&mut self, line: &[u8], n_cut: u64) {
        self.n_messages += 1;
        self.n_cut += n_cut;
        if line.is_empty() {
            self.n_empty += 1;
            return;
        }
        self.text.resize(self.text.len() + std::mem::take(&mut self.n_empty) + 1, b'\n');
        self.text.extend_from_slice(line);
    }
}

#[cfg(test)]
mod tests;
