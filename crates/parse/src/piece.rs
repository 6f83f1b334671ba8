//! Pieces of long texts to batches: files of any size are read piece by piece, by several threads, and give the same
//! events as if they had been read at once.
//!
//! A piece begins with an event ([`sure_end`] says where the one before it may be cut). What an event takes over from
//! those before it is only the time, where it has none of its own; whoever cuts asks [`last_time`] for it.
//!
//! Where only events that hold some text are wanted, a [`Screen`] finds the places; what lies between them is not
//! parsed, and not even cut into lines. An event that is found is the same as without a screen.

use std::ops::Range;

use types::{Batch, BatchBuilder, Timestamp};

use crate::multiline::{Profile, events_at, last_start, last_sure_start};
use crate::{ArrivalContext, EventParser, Extras, LineColumns, OwnTime, Projection, runtime, texts};

/// Values of one batch, counting every column in every row: a batch's memory follows from it.
pub(crate) const CELLS_MAX: usize = 1 << 22;

/// Bytes of message text of one batch.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 20;

/// Finds events worth parsing: the first place from the given one on that such an event holds, in the bytes of a text.
pub type Screen<'a> = dyn Fn(&[u8], usize) -> Option<usize> + 'a;

/// A part of a text that begins with an event and ends with one.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The bytes.
    pub text: &'a [u8],
    /// Where they begin in the whole text. The sequence of an event is the place of its first byte.
    pub offset: u64,
    /// The time of the last event before that has one.
    pub previous: Option<Timestamp>,
    /// What the header line named that the whole text begins with.
    pub columns: Option<&'a LineColumns>,
    /// What the lines before have taught.
    pub profile: Profile,
}

/// How much of `text`, behind which more will follow, may be taken as a piece: up to an event that surely begins
/// there. `None` where more must be read to know. `source` is what its lines before have taught, and where `text` begins in it.
pub fn sure_end(text: &[u8], source: (Profile, u64), event_bytes_max: usize) -> Option<usize> {
    // What a line that is not whole begins with says little: `Caused b` begins no event once it is `Caused by:`.
    let text = &text[..memchr::memrchr(b'\n', text)? + 1];
    if let Some(end) = last_sure_start(text).filter(|end| *end > 0) {
        return Some(end);
    }
    // Continuations only: events end all the same where they become too long, seen from the beginning.
    last_start(text, event_bytes_max, source).filter(|start| *start > 0)
}

/// Bytes at least that are looked through at once for a time, from the end backwards.
const STEP_BYTES: usize = 64 << 10;

/// The time of the last event of a piece that has one of its own, `previous` where none has; `source` as of [`sure_end`].
pub fn last_time(
    text: &[u8],
    source: (Profile, u64),
    previous: Option<Timestamp>,
    received: &ArrivalContext<'_>,
) -> Option<Timestamp> {
    let mut parser = EventParser::new(*received);
    let mut end = text.len();
    // Times of day take their day from those before, so that they are read forward from where a date is.
    let mut has_times_of_day = false;
    while end > 0 {
        // A profile is learned from as many bytes: in smaller steps lines without times would cost that each.
        let before = memchr::memrchr(b'\n', &text[..end.saturating_sub(STEP_BYTES)]).map_or(0, |newline| newline + 1);
        let from = last_sure_start(&text[..before]).unwrap_or(0);
        let (mut profile, offset) = source;
        profile.advance(&text[..from], offset);
        let ranges: Vec<Range<usize>> =
            events_at(&text[from..end], received.limits.event_bytes_max, profile, offset + from as u64).collect();
        for range in ranges.into_iter().rev() {
            let found = read_all(&mut parser, &text[from + range.start..from + range.end]);
            if found == OwnTime::Full {
                if has_times_of_day {
                    let behind = from + range.end;
                    profile.advance(&text[from..behind], offset + from as u64);
                    read_all_events(&mut parser, &text[behind..], (profile, offset + behind as u64));
                }
                return parser.previous();
            }
            has_times_of_day |= found == OwnTime::OfDay;
        }
        end = from;
    }
    parser.set_previous(previous);
    if has_times_of_day {
        read_all_events(&mut parser, text, source);
    }
    parser.previous()
}

fn read_all_events(parser: &mut EventParser<'_>, text: &[u8], source: (Profile, u64)) {
    for range in events_at(text, parser.received.limits.event_bytes_max, source.0, source.1) {
        read_all(parser, &text[range]);
    }
}

/// Reads an event, and says what the last text in it that says something of its time says.
fn read_all(parser: &mut EventParser<'_>, event: &[u8]) -> OwnTime {
    let mut found = OwnTime::None;
    for text in texts(event) {
        parser.read_text(&text).add_to(&Extras::default(), &mut BatchBuilder::new());
        found = if parser.own_time == OwnTime::None { found } else { parser.own_time };
    }
    found
}

/// Gives what is wanted of the events of a piece to `take`, in batches of bounded size, in order; with a screen only
/// those events that it finds.
pub fn batches_of_piece(
    piece: &Piece<'_>,
    received: &ArrivalContext<'_>,
    screen: Option<&Screen<'_>>,
    wanted: &Projection,
    take: &mut dyn FnMut(Batch),
) {
    let mut parser = EventParser::new(*received).with_wanted(wanted);
    parser.set_previous(piece.previous);
    parser.set_columns(piece.columns.cloned());
    // What a runtime writes in parts or with escapes does not stand there as it will be asked for.
    let screen = screen.filter(|_| !runtime::may_have_parts(piece.text));
    let mut rows = Rows { offset: piece.offset, builder: BatchBuilder::new(), sequences: Vec::new(), take };
    match screen {
        None => {
            for range in events_at(piece.text, received.limits.event_bytes_max, piece.profile, piece.offset) {
                rows.add(&mut parser, piece.text, range);
            }
        }
        Some(screen) => screened(piece, &mut parser, screen, &mut rows),
    }
    rows.flush();
}

/// The batch at hand.
struct Rows<'t> {
    offset: u64,
    builder: BatchBuilder,
    sequences: Vec<u64>,
    take: &'t mut dyn FnMut(Batch),
}

impl Rows<'_> {
    fn add(&mut self, parser: &mut EventParser<'_>, text: &[u8], range: Range<usize>) {
        let mut next = self.offset + range.start as u64;
        for text in texts(&text[range]) {
            let event = parser.read_text(&text);
            let is_full =
                self.builder.n_cells_with(event.n_fields()) > CELLS_MAX || self.builder.text_bytes() >= TEXT_BYTES_MAX;
            if is_full {
                self.flush();
            }
            let n_before = self.builder.len();
            event.add_to(&Extras::default(), &mut self.builder);
            // A text that is too long becomes several events; each of them has more than one byte.
            let end = next + (self.builder.len() - n_before) as u64;
            self.sequences.extend(next..end);
            next = end;
        }
    }

    fn flush(&mut self) {
        if self.builder.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut self.builder).finish();
        batch.sequences = std::mem::take(&mut self.sequences).into();
        (self.take)(batch);
    }
}

/// Parses only events that hold a place which the screen finds.
fn screened(piece: &Piece<'_>, parser: &mut EventParser<'_>, screen: &Screen<'_>, rows: &mut Rows<'_>) {
    let text = piece.text;
    let received = parser.received;
    // Up to here every event was parsed or left out, and here one begins; the parser knows the time before it.
    let (mut done, mut profile) = (0, piece.profile);
    while let Some(found) = screen(text, done) {
        // From the last sure start on, events are cut as they are from the beginning.
        let line_end = memchr::memchr(b'\n', &text[found..]).map_or(text.len(), |length| found + length);
        let from = last_sure_start(&text[done..line_end]).map_or(done, |start| done + start);
        let before = profile;
        profile.advance(&text[done..from], piece.offset + done as u64);
        let place = piece.offset + from as u64;
        let mut events = events_at(&text[from..], received.limits.event_bytes_max, profile, place);
        let Some(event) = events.find(|range| range.end > found - from) else { return };
        let event = from + event.start..from + event.end;
        let left_out = &text[done..event.start];
        let is_next = left_out.iter().all(|byte| matches!(byte, b'\n' | b'\r'));
        let has_date = || read_all(&mut EventParser::new(received), &text[event.clone()]) == OwnTime::Full;
        if !is_next && !has_date() {
            let source = (before, piece.offset + done as u64);
            parser.set_previous(last_time(left_out, source, parser.previous(), &received));
        }
        let after = (event.end + 1).min(text.len());
        profile.advance(&text[from..after], place);
        done = after;
        rows.add(parser, text, event);
    }
}

#[cfg(test)]
mod tests;
