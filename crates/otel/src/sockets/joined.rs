//! Puts together what programs wrote in several messages: a stack trace, the report of a death, an entry of several lines.
//!
//! Senders make a message of each line. Lines of one host, program, process and priority from one address that are one event in
//! a file are one event here, whatever comes between. An event to which no further lines are likely to belong goes with the
//! delivery in which it came; others wait until no line has come for [`HOLD_MS`]. The text is the first message and the texts of
//! the others, in lines. The clock is the caller's.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use parse::{Frames, Joiner, Message, OF_PROCESS, SourceLine, source_of, syslog_message};

use super::door::Door;
use super::sink::Chunk;

/// How long an event waits for further lines: as long as in files.
pub(super) const HOLD_MS: u64 = 1_000;

/// Bytes of events that wait for further lines; when there are more, none waits.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Events whose messages are still coming. Each message has a number, which is that of the event that it begins.
pub(super) struct JoinedMessages {
    /// Returns the line of a program in a frame of a chunk, where frames may be parts of events.
    message_of: fn(&[u8], &Chunk) -> Option<Message>,
    joiner: Joiner,
    /// What came since events were taken, with the number of its first message.
    came: Vec<(u64, Chunk)>,
    /// Events that do not go as their first messages came; nothing for a message that one of them has taken.
    apart: BTreeMap<u64, Option<JoinedMessage>>,
    n_messages: u64,
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

/// Returns the line in a syslog message. Its source is that of one address.
fn of_syslog(frame: &[u8], chunk: &Chunk) -> Option<Message> {
    let message = syslog_message(frame)?;
    let source = source_of([chunk.from.as_bytes(), &message.source.to_le_bytes()].into_iter());
    Some(Message { source: source | message.source & OF_PROCESS, ..message })
}

/// Returns a line; each connection is a source.
fn of_lines(frame: &[u8], chunk: &Chunk) -> Option<Message> {
    let source = source_of([chunk.from.as_bytes(), &chunk.connection.to_le_bytes()].into_iter());
    Some(Message { source: source | OF_PROCESS, content: 0..frame.len() })
}

impl JoinedMessages {
    pub(super) fn new(door: Door) -> Self {
        let message_of = match door {
            Door::Syslog => of_syslog,
            Door::Lines => of_lines,
            Door::Gelf | Door::Forward | Door::Lumberjack => |_: &[u8], _: &Chunk| None,
        };
        let (joiner, came, apart) = (Joiner::default(), Vec::new(), BTreeMap::new());
        Self { message_of, joiner, came, apart, n_messages: 0, n_bytes: 0 }
    }

    /// Takes messages that came at `now_ms`.
    pub(super) fn add(&mut self, chunk: Chunk, now_ms: u64) {
        let first = self.n_messages;
        self.n_messages += chunk.frames.len() as u64;
        self.n_bytes += chunk.frames.n_bytes();
        self.came.push((first, chunk));
        let Self { message_of, joiner, came, apart, .. } = self;
        let (_, chunk) = &came[came.len() - 1];
        for (number, (frame, n_cut)) in (first..).zip(chunk.frames.iter()) {
            let Some(message) = message_of(frame, chunk) else { continue };
            let line = &frame[message.content];
            match joiner.place(message.source, line, number, now_ms) {
                SourceLine::Begins => {}
                SourceLine::Continues(event) => {
                    if let Some(event) = apart.entry(event).or_insert_with(|| JoinedMessage::first_of(event, came)) {
                        event.add(line, n_cut);
                        apart.insert(number, None);
                    }
                }
                SourceLine::Overflows(_) => {
                    let event = JoinedMessage::first_of(number, came);
                    apart.insert(number, event.map(|event| JoinedMessage { is_continued: true, ..event }));
                }
            }
        }
    }

    /// Reports whether an event waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.n_bytes > 0
    }

    /// Returns the events that wait no longer, in the order of their first messages.
    pub(super) fn take(&mut self, now_ms: u64) -> Vec<Chunk> {
        let since = if self.n_bytes > HELD_BYTES_MAX { u64::MAX } else { (now_ms + 1).saturating_sub(HOLD_MS) };
        let open: HashSet<u64> = self.joiner.open(since).collect();
        self.take_but(&open)
    }

    /// Returns all events.
    pub(super) fn finish(&mut self) -> Vec<Chunk> {
        self.take_but(&HashSet::new())
    }

    fn take_but(&mut self, open: &HashSet<u64>) -> Vec<Chunk> {
        self.joiner.retain(|event| open.contains(&event));
        let mut came = std::mem::take(&mut self.came);
        let held = open.iter().filter_map(|number| {
            let known = self.apart.insert(*number, None).flatten();
            Some((*number, Some(known.or_else(|| JoinedMessage::first_of(*number, &came))?)))
        });
        let held: BTreeMap<u64, Option<JoinedMessage>> = held.collect();
        let mut apart = std::mem::replace(&mut self.apart, held).into_iter().peekable();
        self.n_bytes = self.apart.values().flatten().map(|event| event.text.len()).sum();
        // Behind all events that came before.
        came.push((self.n_messages, Chunk::new(Arc::default(), Frames::default())));
        let mut chunks = Vec::new();
        for (first, chunk) in came {
            let (begin, n_messages, mut from) = (chunks.len(), chunk.frames.len(), 0);
            while let Some((number, event)) = apart.next_if(|(number, _)| *number < first + n_messages as u64) {
                if let Some(at) = number.checked_sub(first) {
                    let kept = from..at as usize;
                    chunk_of(&mut chunks, begin, (&chunk.from, false)).frames.extend_from(&chunk.frames, kept);
                    from = at as usize + 1;
                }
                if let Some(event) = event {
                    let chunk = chunk_of(&mut chunks, begin, (&event.from, event.is_continued));
                    chunk.frames.push(&event.text, event.n_cut);
                    chunk.n_joined += event.n_messages - 1;
                }
            }
            if from == 0 {
                chunks.push(chunk);
            } else {
                let kept = from..n_messages;
                chunk_of(&mut chunks, begin, (&chunk.from, false)).frames.extend_from(&chunk.frames, kept);
            }
        }
        chunks.retain(|chunk| !chunk.frames.is_empty());
        chunks
    }
}

/// The last of the chunks from `begin` on if it is of this sender and kind, else a new one.
fn chunk_of<'c>(chunks: &'c mut Vec<Chunk>, begin: usize, (from, is_continued): (&Arc<str>, bool)) -> &'c mut Chunk {
    let last = chunks[begin..].last();
    if last.is_none_or(|last| last.from != *from || last.is_continued != is_continued) {
        chunks.push(Chunk { is_continued, ..Chunk::new(from.clone(), Frames::default()) });
    }
    chunks.last_mut().expect("it was pushed")
}

impl JoinedMessage {
    /// The event as its first message began it.
    fn first_of(number: u64, came: &[(u64, Chunk)]) -> Option<Self> {
        let place = came.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, chunk) = &came[place];
        let (frame, n_cut) = chunk.frames.get((number - first) as usize)?;
        let (from, text) = (chunk.from.clone(), frame.to_vec());
        Some(Self { from, text, n_cut, n_messages: 1, is_continued: false, n_empty: 0 })
    }

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
