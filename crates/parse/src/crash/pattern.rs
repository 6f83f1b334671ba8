//! The patterns of reports, by what lines begin with that fit them.

use std::ops::Range;

use super::report::Report;
use super::table;
use crate::find::first_of;

/// Bytes of a line that are compared.
pub(super) const LINE_BYTES_MAX: usize = 256;

/// Wildcards of a pattern, and the sign for the end of the line.
const SPECIAL: [char; 4] = ['%', '@', '~', '$'];

/// A pattern that begins a report.
#[derive(Clone, Copy)]
struct Start {
    pattern: &'static str,
    /// The text up to the first wildcard; digits before it are skipped. Of a pattern that begins with a name, it is the text
    /// from the colon or point that ends the name, with the last three letters of the name if they are known.
    literal: &'static [u8],
    /// The first four bytes of that, and which of the four there are.
    head: (u32, u32),
    /// What a line ends with that it fits whole.
    end: &'static [u8],
    report: &'static Report,
}

impl Start {
    fn of(pattern: &'static str, report: &'static Report) -> Self {
        let literal = match pattern.strip_prefix('@') {
            None => pattern.trim_start_matches('~'),
            Some(rest) if rest.starts_with([':', '.']) => rest,
            Some(rest) => match rest.split_once(':') {
                Some((name, _)) if name.len() > 2 && !name.contains(SPECIAL) => &rest[name.len() - 3..],
                _ => rest.split_once("@.").map_or("", |(name, _)| &rest[name.len() + 1..]),
            },
        };
        let literal = literal.split(SPECIAL).next().unwrap_or_default().as_bytes();
        let end = pattern.strip_suffix('$').and_then(|whole| whole.rsplit(SPECIAL).next()).unwrap_or_default();
        let head = (head_of(literal), head_of(&[0xff; 4][..literal.len().min(4)]));
        Self { pattern, literal, head, end: end.as_bytes(), report }
    }

    /// The places of the pattern: the first bytes of lines, or what is at the name.
    fn places(&self) -> Range<usize> {
        let place = match self.pattern.as_bytes() {
            [b'~', ..] => return usize::from(b'0')..usize::from(b'9') + 1,
            [b'@', b':', b' ', b'%' | b'@' | b'~', ..] if self.end.is_empty() => WILD,
            [b'@', b':', b' ', b'%' | b'@' | b'~', ..] => WILD_WHOLE,
            [b'@', b':', b' ', next, ..] => BEHIND_COLON + low_bits(*next),
            [b'@', rest @ ..] => match (self.literal, rest.split(|byte| *byte == b' ').next()) {
                ([b'.', next, ..], _) => BEHIND_POINT + low_bits(*next),
                (_, Some([.., b'~', b':'])) => BEHIND_NUMBER,
                (_, Some([.., before, b':'])) => BEFORE_COLON + low_bits(*before),
                _ => NOWHERE,
            },
            [first, ..] => usize::from(*first),
            [] => NOWHERE,
        };
        place..place + 1
    }

    /// Reports whether a line fits that has these first bytes where the literal is to begin.
    #[inline]
    fn fits(&self, line: &[u8], from: usize, head: u32) -> bool {
        self.head.0 == head & self.head.1 && self.fits_whole(line, from)
    }

    fn fits_whole(&self, line: &[u8], from: usize) -> bool {
        line[from..].starts_with(self.literal) && line.ends_with(self.end) && matches(self.pattern, line)
    }
}

/// Places of patterns that begin with a name: with a wildcard behind the colon (`@: %`), for a known end of the line and for any;
/// with a number before the colon (`@:~: `); and those that no search finds.
const WILD_WHOLE: usize = 256;
const WILD: usize = 257;
const BEHIND_NUMBER: usize = 258;
const NOWHERE: usize = 259;

/// Places by the byte before the colon (`@Error: `), behind the colon and a blank (`@: command`), and behind a point (`@.rb:`).
const BEFORE_COLON: usize = 260;
const BEHIND_COLON: usize = BEFORE_COLON + 32;
const BEHIND_POINT: usize = BEHIND_COLON + 32;
const N_PLACES: usize = BEHIND_POINT + 32;

/// Every pattern at `WILD` has one of these words behind a further colon, where it is found by its first letter.
const WILD_WORDS: [&[u8]; 2] = [b"Assertion ", b"Uncaught exception "];
const WILD_LETTERS: (u8, u8) = (WILD_WORDS[0][0], WILD_WORDS[1][0]);

fn low_bits(byte: u8) -> usize {
    usize::from(byte % 32)
}

/// Patterns that begin reports.
pub(super) struct Starts {
    /// By the first byte of lines that they may fit, then those that begin with a name.
    by_place: Vec<Vec<Start>>,
    /// The second bytes that such lines may have, as [`bit_of`] has them, by the first.
    seconds: [u64; 256],
}

/// Returns the report that a line begins, found by the first bytes of its patterns.
#[inline]
pub(super) fn report_by_start(starts: &Starts, line: &[u8]) -> Option<&'static Report> {
    let first = *line.first()?;
    let second = line.get(1).map_or(u64::MAX, |byte| bit_of(*byte));
    if starts.seconds[usize::from(first)] & second != 0 { report_of_byte(starts, first, line) } else { None }
}

fn report_of_byte(starts: &Starts, first: u8, line: &[u8]) -> Option<&'static Report> {
    let from = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let head = head_of(&line[from..]);
    let of_byte = starts.by_place[usize::from(first)].iter().find(|start| start.fits(line, from, head));
    of_byte.map(|start| start.report)
}

/// The same, also by what follows a name that the line begins with.
#[inline]
pub(super) fn report_among(starts: &Starts, line: &[u8]) -> Option<&'static Report> {
    let report = report_by_start(starts, line);
    // Times and addresses begin with digits, columns with brackets: neither names a program.
    if report.is_none()
        && let Some(b'a'..=b'z' | b'A'..=b'Z' | b'/' | b'.' | b'_' | b'<' | b'-' | b'~' | 0x80..) = line.first()
    {
        let head = &line[..line.len().min(LINE_BYTES_MAX)];
        let end = first_of(head, b' ', b'.');
        if head[end..].starts_with(b".") || head[..end].ends_with(b":") {
            return report_by_name(starts, line, head, end);
        }
    }
    report
}

/// Returns the report of a line whose first word may be a name; the word ends at `end`, or has a point there.
fn report_by_name(starts: &Starts, line: &[u8], head: &[u8], end: usize) -> Option<&'static Report> {
    let has_point = head[end..].starts_with(b".");
    let end = if has_point { memchr::memchr(b' ', head).unwrap_or(head.len()) } else { end };
    let (word, rest) = head.split_at(end);
    let mut found: Option<&Start> = None;
    let mut look = |place: usize, from: usize| {
        let head = head_of(&line[from..]);
        let longest = found.map_or(0, |start| start.pattern.len());
        let fitting = starts.by_place[place].iter().find(|start| start.fits(line, from, head));
        found = fitting.filter(|start| start.pattern.len() >= longest).or(found);
    };
    if let [.., before, b':'] = word {
        let colon = word.len() - 1;
        match before {
            b'0'..=b'9' => {
                let n_digits = word[..colon].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
                look(BEHIND_NUMBER, colon.saturating_sub(n_digits + 1));
            }
            _ if colon > 2 => look(BEFORE_COLON + low_bits(*before), colon - 3),
            _ => {}
        }
        look(BEHIND_COLON + rest.get(1).map_or(0, |next| low_bits(*next)), colon);
        if let Some(at) = memchr::memchr(b':', rest) {
            look(WILD_WHOLE, colon);
            let has_word = |from: usize| WILD_WORDS.iter().any(|word| rest[at + from..].starts_with(word));
            if memchr::memchr2_iter(WILD_LETTERS.0, WILD_LETTERS.1, &rest[at..]).any(has_word) {
                look(WILD, colon);
            }
        }
    }
    for at in memchr::memchr_iter(b'.', if has_point { word } else { b"" }) {
        look(BEHIND_POINT + word.get(at + 1).map_or(0, |next| low_bits(*next)), at);
    }
    found.map(|start| start.report)
}

/// A bit for a byte, which some share.
fn bit_of(byte: u8) -> u64 {
    1 << (byte & 63)
}

/// The first four bytes, zeros where there are fewer.
fn head_of(bytes: &[u8]) -> u32 {
    let of_few = || std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default());
    u32::from_le_bytes(bytes.first_chunk().copied().unwrap_or_else(of_few))
}

/// The patterns of some reports.
pub(super) fn starts_of(is_wanted: fn(&Report) -> bool) -> Starts {
    let mut by_place: Vec<Vec<Start>> = vec![Vec::new(); N_PLACES];
    let reports = table::reports().filter(|report| is_wanted(report));
    for (pattern, report) in reports.flat_map(|report| report.starts.iter().map(move |start| (*start, report))) {
        let start = Start::of(pattern, report);
        start.places().for_each(|place| by_place[place].push(start));
    }
    // What says more is tried first.
    by_place.iter_mut().for_each(|starts| starts.sort_by_key(|start| std::cmp::Reverse(start.pattern.len())));
    let second = |start: &Start| match start.literal {
        [_, second, ..] if !start.pattern.starts_with('~') => bit_of(*second),
        _ => u64::MAX,
    };
    let seconds = std::array::from_fn(|first| by_place[first].iter().fold(0, |all, start| all | second(start)));
    Starts { by_place, seconds }
}

/// Whether a line begins as a pattern says.
pub(super) fn matches(pattern: &str, line: &[u8]) -> bool {
    let (pattern, is_whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern.as_bytes(), true),
        None => (pattern.as_bytes(), false),
    };
    let head = &line[..line.len().min(LINE_BYTES_MAX)];
    let (mut at, mut rest) = (0, pattern);
    while let Some(first) = rest.first() {
        let length = rest[1..].iter().position(|byte| matches!(byte, b'%' | b'@' | b'~')).map_or(rest.len(), |n| n + 1);
        match first {
            b'~' => {
                let n_digits = head[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if n_digits == 0 {
                    return false;
                }
                (at, rest) = (at + n_digits, &rest[1..]);
            }
            b'%' | b'@' => {
                let literal = &rest[1..length];
                // Anything without blanks ends in its word, so that no more is looked at.
                let end = match first {
                    b'@' => {
                        memchr::memchr(b' ', &head[at..]).map_or(head.len(), |n| head.len().min(at + n + literal.len()))
                    }
                    _ => head.len(),
                };
                let Some(found) = crate::find::find_short(&head[at..end], literal) else { return false };
                let between = &head[at..at + found];
                if literal.is_empty() {
                    let rest = if is_whole { &head[at..] } else { &head[at..head.len().min(at + 1)] };
                    return !rest.is_empty() && (*first == b'%' || !rest.contains(&b' '));
                }
                if *first == b'@' && (between.is_empty() || between.contains(&b' ')) {
                    return false;
                }
                (at, rest) = (at + found + literal.len(), &rest[length..]);
            }
            _ => {
                if !head[at..].starts_with(&rest[..length]) {
                    return false;
                }
                (at, rest) = (at + length, &rest[length..]);
            }
        }
    }
    !is_whole || at == line.len()
}
