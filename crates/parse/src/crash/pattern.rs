//! The patterns of reports, by what lines begin with that fit them.

use super::report::Report;
use super::table;
use crate::signs::{sign, signs};

/// Bytes of a line that are compared.
pub(super) const LINE_BYTES_MAX: usize = 256;

/// A pattern that begins a report.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pattern: &'static str,
    /// The bytes that every line has that fits it.
    bytes: u64,
    /// How many bytes of it stand for themselves.
    n_literal: usize,
    /// The first four of them, and which of the four there are.
    head: (u32, u32),
    /// What follows the name, if the pattern begins with one.
    behind_name: &'static [u8],
    /// The same of `behind_name` as `head` is of the pattern.
    behind_head: (u32, u32),
    /// The bytes of `behind_name` up to its first blank, which are in the same word as the name.
    word_bytes: u64,
    /// What a line ends with that it fits whole.
    end: &'static [u8],
    report: &'static Report,
}

/// Patterns that begin reports.
pub(super) struct Starts {
    /// By the first byte of lines that they may fit, then those that begin with a name by what follows it.
    by_byte: Vec<Vec<Start>>,
    /// The second bytes that such lines may have, as [`bytes_of`] has them, by the first.
    seconds: [u64; 256],
}

/// Returns the report that a line begins, found by the first bytes of its patterns.
pub(super) fn report_by_start(Starts { by_byte, seconds }: &Starts, line: &[u8]) -> Option<&'static Report> {
    let first = usize::from(*line.first()?);
    if seconds[first] & line.get(1..2).map_or(u64::MAX, bytes_of) == 0 {
        return None;
    }
    let head = head_of(line);
    let of_byte = by_byte[first].iter().find(|start| {
        start.head.0 == head & start.head.1
            && line.starts_with(&start.pattern.as_bytes()[..start.n_literal])
            && matches(start.pattern, line)
    });
    of_byte.map(|start| start.report)
}

pub(super) fn report_among(starts: &Starts, line: &[u8]) -> Option<&'static Report> {
    if let Some(report) = report_by_start(starts, line) {
        return Some(report);
    }
    let first = *line.first()?;
    // Times and addresses begin with digits, columns with brackets: neither names a program.
    let may_be_name = first.is_ascii_alphabetic() || matches!(first, b'/' | b'.' | b'_' | b'<' | b'-' | b'~' | 0x80..);
    if !may_be_name {
        return None;
    }
    let word = &line[..memchr::memchr(b' ', line).unwrap_or(line.len())];
    let marks = signs(word);
    let has = |mark: u8| marks & sign(mark) != 0;
    if !has(b':') && !has(b'(') {
        return None;
    }
    let (in_word, ends) = (bytes_of(word), word.ends_with(b":"));
    // Most patterns have a byte that is not there.
    let lacks = std::cell::OnceCell::new();
    let lacks = || *lacks.get_or_init(|| !bytes_of(&line[..line.len().min(LINE_BYTES_MAX)]));
    let has_text = |text: &[u8]| {
        let reach = line.len().min(word.len() + text.len());
        crate::find::find_short(&line[..reach], text).is_some()
    };
    // What stands behind the name must be in the first word, or end it.
    let has_number = has(b':') && word.windows(2).any(|two| two[0] == b':' && two[1].is_ascii_digit());
    let behind_head = if ends { head_of(&line[word.len() - 1..]) } else { 0 };
    let may_fit = |start: &&Start| {
        let has_start = || match start.behind_name {
            [b':', b' ', ..] => {
                start.behind_head.0 == behind_head & start.behind_head.1
                    && line[word.len() - 1..].starts_with(start.behind_name)
            }
            b":" if start.pattern.starts_with("@:~") => true,
            text => has_text(text),
        };
        start.word_bytes & !in_word == 0 && line.ends_with(start.end) && start.bytes & lacks() == 0 && has_start()
    };
    let fits = |start: &&Start| matches(start.pattern, line);
    let next_to = |at: usize| line.get(at + 1).map_or(0, |byte| usize::from(byte % NEXT_BYTES));
    let points = memchr::memchr_iter(b'.', if has(b'.') { word } else { b"" }).map(|at| BEHIND_POINT + next_to(at));
    let groups = [(0, ends), (1, has_number), (2, has(b'(')), (3, true), (BEHIND_COLON + next_to(word.len()), ends)];
    let groups = groups.into_iter().filter_map(|(group, may_be)| may_be.then_some(group)).chain(points);
    let groups = groups.map(|group| &starts.by_byte[NAMED + group]);
    let found = groups.filter_map(|starts| starts.iter().filter(may_fit).find(fits));
    found.max_by_key(|start| start.pattern.len()).map(|start| start.report)
}

/// The bytes that a text has, a bit each, which some share.
fn bytes_of(text: &[u8]) -> u64 {
    text.iter().fold(0, |all, byte| all | 1 << (byte & 63))
}

/// The first four bytes, zeros where there are fewer.
fn head_of(bytes: &[u8]) -> u32 {
    let mut head = [0; 4];
    let length = bytes.len().min(4);
    head[..length].copy_from_slice(&bytes[..length]);
    u32::from_le_bytes(head)
}

/// Where the patterns stand that begin with a name.
const NAMED: usize = 256;

/// Where among those the patterns stand whose name a colon and a blank follow, or a point, by what comes next.
const BEHIND_COLON: usize = 4;
const BEHIND_POINT: usize = BEHIND_COLON + NEXT_BYTES as usize;
const NEXT_BYTES: u8 = 32;

/// The place of a pattern by what follows the name that it begins with.
fn place_of_named(pattern: &str, behind_name: &[u8]) -> usize {
    NAMED
        + match behind_name {
            [b':', b' ', next, ..] => BEHIND_COLON + usize::from(next % NEXT_BYTES),
            [b':', b' '] => 0,
            b":" if pattern.starts_with("@:~") => 1,
            [b'(', ..] => 2,
            [b'.', next, ..] => BEHIND_POINT + usize::from(next % NEXT_BYTES),
            _ => 3,
        }
}

/// The patterns of some reports.
pub(super) fn starts_by_byte(is_wanted: fn(&Report) -> bool) -> Starts {
    let mut by_byte: Vec<Vec<Start>> = vec![Vec::new(); NAMED + BEHIND_POINT + usize::from(NEXT_BYTES)];
    let reports = table::reports().filter(|report| is_wanted(report));
    for (pattern, report) in reports.flat_map(|report| report.starts.iter().map(move |start| (*start, report))) {
        const WILD: [char; 4] = ['%', '@', '~', '$'];
        let n_literal = pattern.find(WILD).unwrap_or(pattern.len());
        let literal = &pattern.as_bytes()[..n_literal];
        let head_and_mask = |text: &[u8]| (head_of(text), head_of(&[0xff; 4][..text.len().min(4)]));
        let head = head_and_mask(literal);
        let behind_name =
            pattern.strip_prefix('@').and_then(|rest| rest.split(WILD).next()).unwrap_or_default().as_bytes();
        let first = pattern.as_bytes().first().copied().unwrap_or_default();
        let places = match first {
            b'@' => {
                let place = place_of_named(pattern, behind_name);
                place..place + 1
            }
            b'~' => usize::from(b'0')..usize::from(b'9') + 1,
            _ => usize::from(first)..usize::from(first) + 1,
        };
        let whole = pattern.strip_suffix('$').and_then(|whole| whole.rsplit(WILD).next());
        let end = whole.unwrap_or_default().as_bytes();
        let behind_head = head_and_mask(behind_name);
        let word_bytes = bytes_of(behind_name.split(|byte| *byte == b' ').next().unwrap_or_default());
        let bytes = pattern.split(WILD).fold(0, |all, literal| all | bytes_of(literal.as_bytes()));
        let start = Start { pattern, bytes, n_literal, head, behind_name, behind_head, word_bytes, end, report };
        places.for_each(|place| by_byte[place].push(start));
    }
    // What says more is tried first.
    by_byte.iter_mut().for_each(|starts| starts.sort_by_key(|start| std::cmp::Reverse(start.pattern.len())));
    let second = |start: &Start| if start.n_literal > 1 { bytes_of(&start.pattern.as_bytes()[1..2]) } else { u64::MAX };
    let seconds = std::array::from_fn(|first| by_byte[first].iter().fold(0, |all, start| all | second(start)));
    Starts { by_byte, seconds }
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
