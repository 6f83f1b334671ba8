//! Frames out of a stream of bytes: those of syslog, counted (RFC 6587) or ended by a newline or NUL; lines; JSON objects.
//!
//! Which of the two a connection speaks shows in its first frame: `123 <34>…` counts, everything else ends. A sender that
//! counted and then does not is read by ends for that frame. What is longer than a frame may be is counted and not kept, so
//! that memory is bounded and the next frame is found all the same.
//!
//! Once a message has ended with NUL, as Python's handler ends them, newlines are part of messages: a stack trace stays whole.
//! One behind which `<` stands ends a message nevertheless and shows that newlines are ends, so that a sender that only has
//! a NUL in some text loses nothing.
//!
//! Objects end with NUL, as GELF's do, or with a newline behind a `}`; once one has ended with NUL, with nothing else.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr2_iter};

/// Digits of a count. A longer number is text.
const COUNT_DIGITS_MAX: usize = 9;

/// White space that may stand between an object and the newline that ends it.
const BLANKS_MAX: usize = 16;

/// Memory that is kept between frames.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Complete frames, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    bytes: Vec<u8>,
    ends: Vec<FrameEnd>,
}

/// Where a frame ends, and how many bytes of it are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FrameEnd {
    at: usize,
    n_cut: u64,
}

impl Frames {
    /// Adds a frame, such as a datagram; ends of lines behind it are left out, and one of nothing else is none.
    pub fn push(&mut self, frame: &[u8], n_cut: u64) {
        let n_kept = frame.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |at| at + 1);
        if n_kept > 0 {
            self.bytes.extend_from_slice(&frame[..n_kept]);
            self.ends.push(FrameEnd { at: self.bytes.len(), n_cut });
        }
    }

    /// Adds a frame of which every byte counts.
    pub fn push_whole(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(FrameEnd { at: self.bytes.len(), n_cut: 0 });
    }

    /// The bytes of all frames.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each frame, and how many bytes of it were cut off.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// The frame at a place, and how many bytes of it were cut off.
    pub fn get(&self, place: usize) -> Option<(&[u8], u64)> {
        let end = self.ends.get(place)?;
        Some((&self.bytes[self.start(place)..end.at], end.n_cut))
    }

    /// Where the frame at a place begins.
    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.ends[before].at)
    }

    /// Adds some of the frames of another.
    pub fn extend_from(&mut self, other: &Self, places: Range<usize>) {
        let (from, to, start) = (other.start(places.start), other.start(places.end), self.bytes.len());
        self.bytes.extend_from_slice(&other.bytes[from..to]);
        let moved = |end: &FrameEnd| FrameEnd { at: end.at - from + start, ..*end };
        self.ends.extend(other.ends[places].iter().map(moved));
    }
}

/// How a connection tells its frames apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Unknown,
    Counted,
    /// By newlines or NUL.
    Ended,
    /// By NUL.
    EndedByNul,
    /// By newlines.
    Lines,
    /// JSON objects, by NUL or by a newline behind a `}`.
    Objects,
    /// JSON objects, by NUL.
    ObjectsByNul,
}

/// Where in a frame the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before it, or in what may be its count.
    Head,
    /// In one that ends with a newline or NUL.
    Line,
    /// In one of which so many bytes are still to come.
    Counted(usize),
}

/// Cuts the bytes of one connection into frames.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    place: Place,
    partial: Vec<u8>,
    /// The last byte of the frame so far, kept or not.
    last_byte: u8,
    n_cut: u64,
    frame_bytes_max: usize,
}

impl Framer {
    /// A framer for a new connection of a syslog sender.
    pub fn new(frame_bytes_max: usize) -> Self {
        Self::framing(Framing::Unknown, frame_bytes_max)
    }

    /// A framer for lines.
    pub fn of_lines(frame_bytes_max: usize) -> Self {
        Self::framing(Framing::Lines, frame_bytes_max)
    }

    /// A framer for JSON objects.
    pub fn of_objects(frame_bytes_max: usize) -> Self {
        Self::framing(Framing::Objects, frame_bytes_max)
    }

    fn framing(framing: Framing, frame_bytes_max: usize) -> Self {
        Self { framing, place: Place::Head, partial: Vec::new(), last_byte: 0, n_cut: 0, frame_bytes_max }
    }

    /// The bytes of a frame that is not complete yet.
    pub fn n_held_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Takes the next bytes; frames that are complete now go to `frames`.
    pub fn feed(&mut self, input: &[u8], frames: &mut Frames) {
        let mut rest = input;
        while !rest.is_empty() {
            rest = match self.place {
                Place::Head => self.head(rest),
                Place::Line => self.line(rest, frames),
                Place::Counted(n_left) => self.counted(rest, n_left, frames),
            };
        }
    }

    /// The connection has ended: what is there of a frame is one.
    pub fn finish(&mut self, frames: &mut Frames) {
        if let Place::Counted(n_left) = self.place {
            self.n_cut += n_left as u64;
        }
        self.emit(frames);
    }

    /// Looks at one byte of what may be a count; returns what is left to read.
    fn head<'i>(&mut self, rest: &'i [u8]) -> &'i [u8] {
        let byte = rest[0];
        if !matches!(self.framing, Framing::Unknown | Framing::Counted) {
            let is_left_over = self.framing == Framing::EndedByNul && matches!(byte, b'\n' | b'\r');
            if !is_left_over {
                self.place = Place::Line;
            }
            return &rest[usize::from(is_left_over)..];
        }
        if self.partial.is_empty() && matches!(byte, b'\n' | b'\r' | 0 | b' ') && self.framing == Framing::Counted {
            return &rest[1..];
        }
        let has_space = self.partial.last() == Some(&b' ');
        if has_space && (byte == b'<' || self.framing == Framing::Counted) {
            let digits = &self.partial[..self.partial.len() - 1];
            let n_bytes = digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            self.framing = Framing::Counted;
            self.place = Place::Counted(n_bytes);
            self.partial.clear();
            return rest;
        }
        let may_be_digit = !has_space && self.partial.len() < COUNT_DIGITS_MAX;
        let is_first = self.partial.is_empty();
        let is_digit = may_be_digit && byte.is_ascii_digit() && !(is_first && byte == b'0');
        if is_digit || (byte == b' ' && !has_space && !is_first) {
            self.partial.push(byte);
            return &rest[1..];
        }
        if self.framing == Framing::Unknown {
            self.framing = Framing::Ended;
        }
        self.place = Place::Line;
        rest
    }

    fn line<'i>(&mut self, rest: &'i [u8], frames: &mut Frames) -> &'i [u8] {
        if self.framing == Framing::EndedByNul && rest[0] == b'<' && self.last_byte == b'\n' {
            self.framing = Framing::Ended;
            // The newline is no part of the frame; where it is kept, it is left out with the frame's end.
            self.n_cut = self.n_cut.saturating_sub(1);
            self.emit(frames);
            return rest;
        }
        let Some(end) = self.end_of_line(rest) else {
            self.hold(rest);
            return &[];
        };
        let has_priority = self.partial.first().unwrap_or(&rest[0]) == &b'<';
        match (self.framing, rest[end]) {
            (Framing::Ended, 0) if has_priority => self.framing = Framing::EndedByNul,
            (Framing::EndedByNul, b'\n') => self.framing = Framing::Ended,
            (Framing::Objects, 0) => self.framing = Framing::ObjectsByNul,
            _ => {}
        }
        if self.partial.is_empty() && end <= self.frame_bytes_max {
            frames.push(&rest[..end], 0);
            self.place = Place::Head;
        } else {
            self.hold(&rest[..end]);
            self.emit(frames);
        }
        &rest[end + 1..]
    }

    /// Where the frame ends; none where its end is not there yet, or what follows a newline has to tell.
    fn end_of_line(&self, rest: &[u8]) -> Option<usize> {
        match self.framing {
            Framing::EndedByNul => {}
            Framing::Lines => return memchr(b'\n', rest),
            Framing::ObjectsByNul => return memchr(0, rest),
            Framing::Objects => {
                return memchr2_iter(b'\n', 0, rest).find(|at| rest[*at] == 0 || self.ends_object(rest, *at));
            }
            _ => return memchr2(b'\n', 0, rest),
        }
        memchr2_iter(b'\n', 0, rest).find(|at| rest[*at] == 0 || rest.get(at + 1) == Some(&b'<'))
    }

    /// Whether an object may end before the newline at `at`.
    fn ends_object(&self, rest: &[u8], at: usize) -> bool {
        let before = rest[..at].iter().rev().chain(self.partial.iter().rev()).take(BLANKS_MAX);
        let last = before.into_iter().find(|byte| !byte.is_ascii_whitespace());
        last == Some(&b'}') || (at == 0 && self.partial.is_empty())
    }

    fn counted<'i>(&mut self, rest: &'i [u8], n_left: usize, frames: &mut Frames) -> &'i [u8] {
        let (now, after) = rest.split_at(rest.len().min(n_left));
        let n_left = n_left - now.len();
        if n_left == 0 && self.partial.is_empty() && now.len() <= self.frame_bytes_max {
            frames.push(now, 0);
            self.place = Place::Head;
            return after;
        }
        self.hold(now);
        self.place = Place::Counted(n_left);
        if n_left == 0 {
            self.emit(frames);
        }
        after
    }

    /// Keeps bytes of a frame as long as there is room in it.
    fn hold(&mut self, bytes: &[u8]) {
        let n_kept = bytes.len().min(self.frame_bytes_max.saturating_sub(self.partial.len()));
        self.partial.extend_from_slice(&bytes[..n_kept]);
        self.n_cut += (bytes.len() - n_kept) as u64;
        self.last_byte = bytes.last().copied().unwrap_or(self.last_byte);
    }

    fn emit(&mut self, frames: &mut Frames) {
        frames.push(&self.partial, self.n_cut);
        self.partial.clear();
        self.partial.shrink_to(KEPT_BYTES_MAX);
        self.n_cut = 0;
        self.last_byte = 0;
        self.place = Place::Head;
    }
}

#[cfg(test)]
mod tests;
