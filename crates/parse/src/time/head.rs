//! Finds the time at the head of a log line.

use types::Level;

use super::forms::Civil;
use super::{FoundTime, ResolvedTime, TimeMemo, bounded, clock, epoch, epoch_of_digits, forms, names, resolve};
use crate::{ArrivalContext, colour};

/// Bytes of a line that are looked at; a header is shorter.
const HEAD_BYTES_MAX: usize = 256;

/// Words before which a time in any form counts as the line's own: file names and hosts may come first.
const WORDS_BEFORE_MAX: usize = 3;

/// The same for the bracketed form of access logs and for keys, which nothing in prose looks like.
const WORDS_BEFORE_KNOWN_MAX: usize = 8;

/// How far a time may be from the beginning where brackets, levels, processes and columns before it are not counted as words.
const COLUMNS_BYTES_MAX: usize = 64;

/// The same for a time in brackets of its own.
const BRACKETS_BYTES_MAX: usize = 160;

/// Keys of `key=value` lines whose value is the line's time.
const TIME_KEYS: [&[u8]; 13] = [
    b"time=", b"ts=", b"timestamp=", b"t=", b"asctime=", b"datetime=", b"@timestamp=", b"_time=", b"eventtime=",
    b"event_time=", b"date=", b"msg=audit(", b"audit(",
];

/// Keys of CEF and LEEF, whose header has no time of its own.
const EVENT_KEYS: [&[u8]; 4] = [b"rt=", b"devTime=", b"start=", b"end="];

/// Bytes of a line of CEF or LEEF in which these keys are looked for.
const EVENT_BYTES_MAX: usize = 8_192;

/// Looks for the line's own time among its first words, or as the value of a key `time`, `ts` or `timestamp`.
///
/// Prefixes such as `[`, `(`, `"` and `<34>1 ` do not count as words, nor do sequences that colour a terminal.
pub fn find_time(line: &[u8], received: &ArrivalContext<'_>) -> Option<FoundTime> {
    find_time_in(line, received, &TimeMemo::default())
}

/// The same for a line in which the time may have been read before.
pub(crate) fn find_time_in(line: &[u8], received: &ArrivalContext<'_>, times: &TimeMemo) -> Option<FoundTime> {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let mut walk = Walk::new(after_priority(head));
    while walk.find_word(head) {
        if let Some(found) = walk.time(line, head, received, times).or_else(|| walk.time_in_word(head, received)) {
            return Some(found);
        }
    }
    time_of_event_format(line, received)
}

/// The words of a head, one after the other.
struct Walk {
    /// Where the word begins, after its marks.
    at: usize,
    /// Words so far, and those of them that are no marks, levels, processes or parts of brackets and columns.
    n_all: usize,
    n_words: usize,
    /// Words at the beginning of the column.
    n_before_column: usize,
    /// The sign that closes the bracket at hand, and words before it.
    closing: Option<u8>,
    n_before_bracket: usize,
    /// Whether nothing before says more than a process or a level: a number may be a time.
    may_be_number: bool,
}

impl Walk {
    fn new(at: usize) -> Self {
        let (n_all, n_words, n_before_column, n_before_bracket) = (0, 0, 0, 0);
        Self { at, n_all, n_words, n_before_column, closing: None, n_before_bracket, may_be_number: true }
    }

    /// Goes over the marks before a word. `false` where there is none that may be a time.
    fn find_word(&mut self, head: &[u8]) -> bool {
        while let Some(byte) = head.get(self.at) {
            match byte {
                b'|' | b'\t' => {
                    self.n_words = self.n_words.min(self.n_before_column + 1);
                    self.n_before_column = self.n_words;
                }
                b' ' | b'"' | b'\'' | b'*' | b'#' | b'!' => {}
                // wget frames its times: `--2026-11-20 06:47:13--`.
                b'-' if head.get(self.at + 1) == Some(&b'-') || head[..self.at].ends_with(b"-") => {}
                b'[' | b'(' | b'<' => self.open(*byte),
                b'{' => {
                    self.open(*byte);
                    break;
                }
                0x1b => {
                    self.at = colour::end(head, self.at);
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        self.at < head.len() && self.n_all < 2 * WORDS_BEFORE_KNOWN_MAX && self.n_words < WORDS_BEFORE_KNOWN_MAX
    }

    fn open(&mut self, bracket: u8) {
        let is_round = bracket == b'(';
        if self.closing.is_none() && self.n_words <= usize::from(!is_round) {
            self.closing = Some(bracket + if is_round { 1 } else { 2 });
            self.n_before_bracket = self.n_all;
        }
    }

    /// The time that the word begins with.
    fn time(&self, line: &[u8], head: &[u8], received: &ArrivalContext<'_>, times: &TimeMemo) -> Option<FoundTime> {
        let at = self.at;
        if let Some(value_at) = after_key(head, at) {
            let pair = if head[at] == b'd' { date_and_time(line, value_at, received) } else { None };
            return pair.or_else(|| time_at(head, value_at, true, received, times));
        }
        let is_bracketed = at > 0 && head[at - 1] == b'[';
        let is_near = self.n_all < WORDS_BEFORE_MAX || {
            let reach = if is_bracketed { BRACKETS_BYTES_MAX } else { COLUMNS_BYTES_MAX };
            let is_inside = self.closing.is_some() && self.n_all > self.n_before_bracket + 1;
            self.n_words < WORDS_BEFORE_MAX && at <= reach && !is_inside
        };
        let is_access = is_bracketed && head.get(at + 2) == Some(&b'/');
        if is_near || is_access { time_at(head, at, self.may_be_number, received, times) } else { None }
    }

    /// Goes over the word and counts it. Finds a time in it that something separates from what is before: `Name:2026-…`,
    /// `[4471]26 Nov …`.
    fn time_in_word(&mut self, head: &[u8], received: &ArrivalContext<'_>) -> Option<FoundTime> {
        let start = self.at;
        let reach = if self.n_words < WORDS_BEFORE_MAX { COLUMNS_BYTES_MAX } else { 0 };
        while let Some(byte) = head.get(self.at) {
            match byte {
                b' ' | b'\t' | b'|' => break,
                b':' | b']' | b')' | b'>' | b',' | b';' | b'[' if self.at < reach => {
                    let at = self.at + 1;
                    let may_start = head.get(at).is_some_and(|next| next.is_ascii_digit() || next.is_ascii_uppercase());
                    if may_start && let Some((civil, end)) = forms::parse_at(head, at) {
                        return found(&civil, at..end, received);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        self.count(&head[start..self.at]);
        None
    }

    fn count(&mut self, word: &[u8]) {
        self.n_all += 1;
        if let Some(closing) = self.closing {
            if word.contains(&closing) {
                self.closing = None;
            }
            self.may_be_number &= is_short(word);
        } else if self.n_words == 0 {
            let is_short = is_short(word);
            self.may_be_number &= is_short;
            self.n_words += usize::from(!is_short);
        } else {
            self.n_words += usize::from(word.iter().any(u8::is_ascii_alphanumeric));
        }
    }
}

/// Where the value begins if the word at `at` is a key whose value is the line's time.
fn after_key(head: &[u8], at: usize) -> Option<usize> {
    if !matches!(head[at], b't' | b'a' | b'd' | b'@' | b'_' | b'e' | b'm') {
        return None;
    }
    let key = TIME_KEYS.iter().find(|key| head[at..].starts_with(key))?;
    let value_at = at + key.len();
    Some(value_at + usize::from(matches!(head.get(value_at), Some(b'"' | b'\''))))
}

/// Whether a word is a mark, a number of a process, a letter or a level.
fn is_short(word: &[u8]) -> bool {
    let core = word.strip_suffix(b"]").unwrap_or(word);
    let core = core.strip_suffix(b":").unwrap_or(core);
    let is_number = core.len() <= 7 && core.iter().all(u8::is_ascii_digit);
    is_number || core.len() == 1 || is_level(core) || !word.iter().any(u8::is_ascii_alphanumeric)
}

/// Tells whether a line begins with a time, after brackets at most.
pub(crate) fn find_time_strictly_at_start(line: &[u8], received: &ArrivalContext<'_>) -> bool {
    let head = &line[..line.len().min(HEAD_BYTES_MAX)];
    let start = head.iter().position(|b| !matches!(b, b'[' | b'(' | b' ' | b'\t')).unwrap_or(head.len());
    forms::parse_at(head, start).is_some_and(|(civil, _)| resolve(&civil, received).is_some())
}

fn found(civil: &Civil, place: std::ops::Range<usize>, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let time = resolve(civil, received)?;
    Some(FoundTime { time, start: place.start, end: place.end })
}

/// The time at `at`; a number is one only where nothing but punctuation stands before it, or behind a key.
fn time_at(
    head: &[u8],
    at: usize,
    may_be_number: bool,
    received: &ArrivalContext<'_>,
    times: &TimeMemo,
) -> Option<FoundTime> {
    if let Some((civil, end)) = times.parse_at(head, at) {
        let is_number = !may_be_number && clock::n_digits(head, at) == 14;
        return if is_number { None } else { found(&civil, at..end, received) };
    }
    if head.get(at) == Some(&b'@') {
        let written = |(civil, end): (Civil, usize)| found(&civil, at + 1..end, received);
        return label_at(head, at, received).or_else(|| times.parse_at(head, at + 1).and_then(written));
    }
    if at == 0 && head.get(8) == Some(&b'.') {
        return hexadecimal(head, received);
    }
    if may_be_number { epoch_at(head, at, received) } else { None }
}

/// An epoch number standing alone: 10, 13, 16 or 19 digits, the first with an optional fraction.
fn epoch_at(head: &[u8], at: usize, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let n_digits = clock::n_digits(head, at);
    if !matches!(n_digits, 10 | 13 | 16 | 19) {
        return None;
    }
    let mut end = at + n_digits;
    if n_digits == 10 && head.get(end) == Some(&b'.') {
        let n_fraction = head[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        end += if n_fraction == 0 { 0 } else { 1 + n_fraction };
    }
    let is_alone = head.get(end).is_none_or(|b| {
        matches!(b, b' ' | b'\t' | b']' | b')' | b'>' | b':' | b';' | b',' | b'|' | b'"' | b'\'' | 0x1b | b'\n')
    });
    // A number that would be outside all bounds is a number, not a wrong time.
    let time = epoch(epoch_of_digits(&head[at..end])?, received)?;
    (is_alone && time != ResolvedTime::OutOfRange).then_some(FoundTime { time, start: at, end })
}

/// `6b0b5401.1f58cc3a 0x7f31f3dfe6c0`: seconds and nanoseconds of an epoch and a thread, as OpenLDAP writes them.
fn hexadecimal(head: &[u8], received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let digits = std::str::from_utf8(head.get(..17)?).ok()?;
    let (seconds, nanos) = digits.split_once('.')?;
    let number = |digits: &str| u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
    let (seconds, nanos) = (number(seconds)?, number(nanos)?);
    let time = bounded(i128::from(seconds) * 1_000_000_000 + i128::from(nanos), received);
    (head[17..].starts_with(b" 0x") && nanos < 1_000_000_000).then_some(FoundTime { time, start: 0, end: 17 })
}

/// `@400000006b07febd0ffb1850`: a label of TAI64 or TAI64N, whose seconds begin ten before those of the epoch.
fn label_at(head: &[u8], at: usize, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    const EPOCH: u64 = (1 << 62) + 10;
    let length = head[at + 1..].iter().take(25).take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
    let is_label =
        matches!(length, 16 | 24) && head.get(at + 1 + length).is_none_or(|b| matches!(b, b' ' | b'\t' | b'\n'));
    let digits = std::str::from_utf8(head.get(at + 1..at + 1 + length).filter(|_| is_label)?).ok()?;
    let seconds = u64::from_str_radix(&digits[..16], 16).ok()?.checked_sub(EPOCH)?;
    let nanos = if length == 24 { u32::from_str_radix(&digits[16..], 16).ok()? } else { 0 };
    let time = bounded(i128::from(seconds) * 1_000_000_000 + i128::from(nanos), received);
    (nanos < 1_000_000_000).then_some(FoundTime { time, start: at, end: at + 1 + length })
}

/// `date=2026-11-26 time=09:47:33 … tz="-0500"`; `at` is where the date begins.
fn date_and_time(line: &[u8], at: usize, received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let behind = line.get(at + 10..)?;
    let behind_mark = behind.strip_prefix(b"\"").unwrap_or(behind);
    let (separator, rest) = behind_mark.split_first()?;
    let rest = rest.strip_prefix(b"time=").filter(|_| matches!(separator, b' ' | b',' | b'\t' | b'|'))?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let clock_at = line.len() - rest.len();
    let mut written = [b' '; 36];
    written[..10].copy_from_slice(&line[at..at + 10]);
    let is_of_clock = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
    let n_clock = copy(rest.iter().take(18).take_while(is_of_clock), &mut written[11..]);
    let end = clock_at + n_clock;
    let tail = &line[end..line.len().min(end + EVENT_BYTES_MAX)];
    if let Some(place) = crate::find::find_short(tail, b"tz=") {
        let zone = &tail[place + 3..];
        let zone = zone.strip_prefix(b"\"").unwrap_or(zone).iter();
        copy(zone.take(6).take_while(|byte| !matches!(byte, b'"' | b' ')), &mut written[11 + n_clock..]);
    }
    let (civil, _) = forms::parse_at(&written, 0)?;
    found(&civil, at..end, received)
}

/// Copies bytes to where they fit and returns their number.
fn copy<'b>(from: impl Iterator<Item = &'b u8>, to: &mut [u8]) -> usize {
    from.zip(to).map(|(from, to)| *to = *from).count()
}

/// The time of an event of CEF or LEEF that nothing stands before which has one.
fn time_of_event_format(line: &[u8], received: &ArrivalContext<'_>) -> Option<FoundTime> {
    let head = &line[..line.len().min(BRACKETS_BYTES_MAX)];
    memchr::memchr_iter(b'F', head).find(|at| head[..*at].ends_with(b"E") && head.get(at + 1) == Some(&b':'))?;
    let line = &line[..line.len().min(EVENT_BYTES_MAX)];
    EVENT_KEYS.iter().find_map(|key| {
        let is_key = |at: &usize| matches!(line[at.saturating_sub(1)], b' ' | b'\t' | b'|' | b'^');
        let at = memchr::memmem::find_iter(line, key).find(is_key)? + key.len();
        time_at(line, at, true, received, &TimeMemo::default())
    })
}

/// Where the text goes on after a byte-order mark, a syslog priority `<34>` and version `1 `.
pub(super) fn after_priority(head: &[u8]) -> usize {
    let start = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if head.get(start) != Some(&b'<') {
        return start;
    }
    let n_digits = clock::n_digits(head, start + 1);
    if !(1..=3).contains(&n_digits) || head.get(start + 1 + n_digits) != Some(&b'>') {
        return start;
    }
    let end = start + n_digits + 2;
    let is_version = head[end..].starts_with(b"1 ") && names::month_at(head, end + 2).is_none();
    if is_version { end + 2 } else { end }
}

/// Where the text goes on after blanks, brackets, and sequences that colour a terminal.
pub(super) fn after_marks(head: &[u8], mut at: usize) -> usize {
    while let Some(byte) = head.get(at).filter(|_| at < COLUMNS_BYTES_MAX) {
        match byte {
            b' ' | b'\t' | b'[' | b'(' | b'<' | b'"' => at += 1,
            0x1b => at = colour::end(head, at),
            _ => break,
        }
    }
    at
}

fn is_level(word: &[u8]) -> bool {
    (3..=11).contains(&word.len())
        && word[0].is_ascii_alphabetic()
        && std::str::from_utf8(word).is_ok_and(|word| Level::parse(word).is_some())
}
