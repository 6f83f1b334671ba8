//! Headers that logging libraries write: klog, zap's console, and the many orders of time, level, thread and logger.

use types::Level;

use super::cursor::{blanks, digits, enclosed, is_digits, is_source, mark, time, word};
use super::logfmt;
use super::parts::PartSink;
use crate::colour;
use crate::level::{any_level, closing, upper_level, word_before_colon};
use crate::time::TimeMemo;

/// Pieces of a header that are looked at; none has more.
const PIECES_MAX: usize = 12;

/// Longest piece in brackets that belongs to a header.
const BRACKETS_BYTES_MAX: usize = 200;

/// `E1120 06:47:13.123456    7 file.go:12] text`.
pub(super) fn klog<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let level = match line.as_bytes().first()? {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    };
    let mut rest = line;
    let at = time(&mut rest, found.times)?;
    blanks(&mut rest);
    let thread = digits(&mut rest)?;
    mark(&mut rest, " ")?;
    let end = memchr::memchr(b']', rest.as_bytes())?;
    let (source, behind) = rest.split_at(end);
    if !is_source(source) {
        return None;
    }
    found.time_at_head(at);
    found.again("thread", thread);
    found.text("caller", source);
    let message = behind.trim_start_matches(']').trim_start_matches(' ');
    found.again("message", message);
    // `"text" key="value"`.
    if let Some((_, pairs)) = message.strip_prefix('"').and_then(|text| text.split_once("\" ")) {
        let _ = logfmt::read(pairs, found);
    }
    found.level(Some(level));
    Some(())
}

/// `2026-11-20T06:47:13.123Z<tab>info<tab>logger<tab>dir/file.go:12<tab>text<tab>{"key":"value"}`.
pub(super) fn zap<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let at = time(&mut rest, found.times)?;
    mark(&mut rest, "\t")?;
    let mut columns = rest.split('\t');
    let level = Level::parse(columns.next()?)?;
    let mut next = columns.next()?;
    let mut logger = "";
    let mut ahead = columns.clone();
    if !is_source(next) && ahead.next().is_some_and(is_source) {
        logger = next;
        next = columns.next()?;
    }
    found.time_at_head(at);
    found.text("logger", logger);
    if is_source(next) {
        found.text("caller", next);
        next = columns.next().unwrap_or_default();
    }
    found.again("message", next);
    found.level(Some(level));
    Some(())
}

/// `ERROR:logger:text`.
pub(super) fn python_basic<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let (word, rest) = line.split_once(':')?;
    let level = upper_level(word.as_bytes())?;
    let (logger, message) = rest.split_once(':').filter(|(logger, _)| is_name(logger))?;
    found.text("logger", logger);
    found.again("message", message);
    found.level(Some(level));
    Some(())
}

/// What a header has said so far.
#[derive(Default)]
struct Header<'t> {
    time: &'t str,
    level: Option<Level>,
    pid: &'t str,
    thread: &'t str,
    logger: &'t str,
    source: &'t str,
    code: &'t str,
    /// Whether the bracket before the time is still open.
    is_open: bool,
    /// Whether Ruby's two dashes stand before the piece.
    is_marked: bool,
    /// The program whose process is named.
    program: &'t str,
    /// Whether the process stands as nothing else does: `[7] text` behind the time, `shopd[7]: text`.
    has_process: bool,
}

/// A header of any order. It has a time or a logger, and a level or the place in the program.
pub(super) fn read<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let first_line = found.times.first_line(line);
    let mut header = Header::default();
    let mut rest = first_line;
    for _ in 0..PIECES_MAX {
        separators(&mut rest);
        if !header.piece(&mut rest, found.times)? {
            break;
        }
    }
    separators(&mut rest);
    let mut message = rest;
    if header.level.is_none() && line.len() > first_line.len() {
        // Java's own library says the level on a second line.
        let second = &line[first_line.len() + 1..];
        let (word, text) = second.split_once(": ")?;
        header.level = Some(upper_level(word.as_bytes())?);
        if header.logger.is_empty() && is_name(message.split(' ').next()?) {
            header.logger = message.split(' ').next()?;
        }
        message = text;
    }
    let is_header = header.level.is_some() || !header.source.is_empty() || header.has_process;
    if !is_header || (header.time.is_empty() && header.logger.is_empty()) {
        return None;
    }
    if header.logger.is_empty()
        && let Some((_, logger)) = message.strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
        && is_class(logger)
    {
        header.logger = logger;
    }
    found.time_at_head(header.time);
    found.text("appname", header.program);
    found.whole_or_text("pid", header.pid);
    found.again("thread", header.thread);
    found.text("logger", header.logger);
    found.text("caller", header.source);
    found.text("code", header.code);
    found.again("message", message);
    logfmt::at_end(message, found);
    found.level(header.level);
    Some(())
}

impl<'t> Header<'t> {
    /// Takes the next piece; returns whether more may follow. `None` where this is no header at all.
    fn piece(&mut self, rest: &mut &'t str, times: &TimeMemo) -> Option<bool> {
        match rest.as_bytes().first() {
            None => return Some(false),
            Some(b'[' | b'(') if self.time.is_empty() && self.take_time(&mut &rest[1..], rest, times) => {
                return Some(true);
            }
            Some(b'[') => return Some(self.brackets(rest)),
            Some(b'-') => {
                let behind = rest.trim_start_matches('-');
                if !behind.starts_with(' ') {
                    return Some(false);
                }
                self.is_marked = rest.starts_with("-- ");
                *rest = behind;
                // Behind a level and the name of its logger a dash begins the text.
                return Some(self.level.is_none() || self.logger.is_empty());
            }
            Some(b':') if rest.starts_with(": ") => {
                *rest = &rest[2..];
                return Some(false);
            }
            _ => {}
        }
        if self.time.is_empty() {
            let mut ahead = *rest;
            if let Some(at) = time(&mut ahead, times).or_else(|| clock(&mut ahead)) {
                self.time = at;
                *rest = ahead.trim_start_matches([',', ']']);
                return Some(true);
            }
            // A level may stand before the time, nothing else.
            if self.level.is_some() && self.logger.is_empty() && self.thread.is_empty() {
                return Some(self.word(rest));
            }
            if self.level.is_none() {
                self.word(rest);
                return self.level.map(|_| self.logger.is_empty());
            }
        }
        Some(self.word(rest))
    }

    /// A time behind a bracket, which may close behind it or at the end of the header.
    fn take_time(&mut self, inside: &mut &'t str, rest: &mut &'t str, times: &TimeMemo) -> bool {
        let Some(at) = time(inside, times) else { return false };
        self.time = at;
        self.is_open = !inside.starts_with(']');
        *inside = inside.strip_prefix(": ").unwrap_or(inside);
        // Ruby writes the process behind the time.
        if let Some((process, behind)) = inside.strip_prefix(" #").and_then(|inside| inside.split_once(']')) {
            self.pid = process;
            self.is_open = false;
            *inside = behind;
        }
        *rest = inside.strip_prefix(']').unwrap_or(inside);
        true
    }

    /// A piece in brackets: a level, a place in the program, a process, a thread, a logger.
    fn brackets(&mut self, rest: &mut &'t str) -> bool {
        let piece = &rest.as_bytes()[1..rest.len().min(BRACKETS_BYTES_MAX)];
        let Some(end) = closing(piece, b'[').map(|end| end + 1) else { return false };
        let inside = rest[1..end].trim();
        let inside = inside.strip_prefix("PID ").unwrap_or(inside);
        if self.level.is_none()
            && let Some(level) = any_level(inside.as_bytes())
        {
            self.level = Some(level);
        } else if is_source(inside) && self.source.is_empty() {
            self.source = inside;
        } else if is_digits(inside) && self.pid.is_empty() {
            self.has_process = !self.time.is_empty() && self.is_bare() && rest[end + 1..].starts_with([' ', ':']);
            self.pid = inside;
        } else if inside.starts_with("MY-") {
            self.code = inside;
        } else if is_dotted(inside) && self.logger.is_empty() {
            self.logger = inside;
        } else if self.logger.is_empty() && !inside.is_empty() {
            // Of several the last is the thread: Spring puts the program before it.
            self.thread = inside;
        } else {
            return false;
        }
        *rest = &rest[end + 1..];
        true
    }

    /// Whether nothing but the time was read.
    fn is_bare(&self) -> bool {
        [self.pid, self.thread, self.logger, self.source, self.code].iter().all(|part| part.is_empty())
    }

    /// A piece that is a word; what is none of a header begins the text.
    fn word(&mut self, rest: &mut &'t str) -> bool {
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'|' | 0x1b)).unwrap_or(rest.len());
        let (whole, behind) = rest.split_at(end);
        let closes = self.is_open && whole.ends_with(']');
        let core = if closes { &whole[..whole.len() - 1] } else { whole };
        let ends = closes || core.ends_with(':');
        let core = core.strip_suffix(':').unwrap_or(core);
        let follows = behind_blanks(behind);
        let is_named = std::mem::take(&mut self.is_marked) || closes;
        if self.level.is_none()
            && let Some(level) = self.level_of(core, ends, behind)
        {
            self.level = Some(level);
        } else if self.level.is_none()
            && closes
            && let Some((level, thread)) = core.split_once('/')
            && let Some(level) = upper_level(level.as_bytes())
        {
            // Python's workers.
            (self.level, self.thread) = (Some(level), thread);
        } else if is_digits(core) && self.pid.is_empty() && (self.level.is_none() || follows.starts_with("---")) {
            // Before a level in brackets MySQL has the number of a connection.
            *(if follows.starts_with('[') { &mut self.thread } else { &mut self.pid }) = core;
        } else if let Some(process) = process_of(core).filter(|_| self.pid.is_empty() && !self.time.is_empty()) {
            self.has_process = ends && self.is_bare();
            (self.pid, self.program) = (process, core.split('[').next().unwrap_or_default());
            *rest = behind;
            return !ends || self.level.is_none();
        } else if core.starts_with("ThreadId(") && self.thread.is_empty() {
            self.thread = core;
        } else if is_source(core) && self.source.is_empty() {
            self.source = core;
        } else if self.level.is_some() && self.logger.is_empty() && core.bytes().any(|byte| byte == b'{') {
            // Spans of Rust's tracing, which its target follows.
            let Some(end) = crate::find::find_short(&rest.as_bytes()[..rest.len().min(512)], b"}: ") else {
                return false;
            };
            *rest = &rest[end + 3..];
            return true;
        } else if self.logger.is_empty() && is_logger(core, ends, is_named && ends || is_mark(follows)) {
            self.logger = core;
            if self.level.is_none()
                && let Some((channel, level)) = core.rsplit_once('.')
                && let Some(level) = upper_level(level.as_bytes())
            {
                (self.logger, self.level) = (channel, Some(level));
            }
        } else if ends && self.level.is_none() && is_before_level(follows) {
            // What stands in brackets behind the name is a session or a user.
            self.logger = core.split(['(', '<', '[']).next().filter(|name| is_name(name)).unwrap_or_default();
        } else {
            return false;
        }
        *rest = behind;
        // A level or a process with a colon is followed by the text, and so is a logger, unless its level follows.
        !(ends && (self.level.is_some() || !is_before_level(follows))
            || self.level.is_some() && self.logger == core && !is_mark(follows))
    }

    fn level_of(&self, word: &str, ends: bool, behind: &str) -> Option<Level> {
        let mut word = word.as_bytes();
        while let Some(before) = word.strip_suffix(b",") {
            word = before;
        }
        // Most words are no level.
        Level::parse_bytes(word)?;
        let follows = behind_blanks(behind);
        // In lower case it is a word of prose, unless columns are told apart.
        match word {
            b"LOG" => None,
            b"CONFIG" if !follows.starts_with('[') => None,
            _ if !self.time.is_empty() && ends => word_before_colon(word).or_else(|| upper_level(word)),
            _ if self.time.is_empty() => upper_level(word),
            _ if is_mark(follows) || behind.starts_with("  ") => any_level(word),
            _ if follows.split(' ').next().is_some_and(|next| process_of(next).is_some()) => any_level(word),
            _ => upper_level(word),
        }
    }
}

/// Whether a word is the name of a logger. A word with a colon may be one of a sentence: its form must be that of a name, or a
/// mark must stand beside it.
fn is_logger(word: &str, ends: bool, is_marked: bool) -> bool {
    let Some(name) = Name::of(word) else { return false };
    // A name with many digits is that of a connection or a session.
    name.n_digits < 6
        && (is_marked
            || ends && (word == "root" || word.bytes().skip(1).any(|byte| !byte.is_ascii_lowercase()))
            || name.is_class(word))
}

/// Whether a level with a colon follows, as behind a category.
fn is_before_level(follows: &str) -> bool {
    let word = follows.split([' ', '\t']).next().and_then(|word| word.strip_suffix(':'));
    word.is_some_and(|word| word_before_colon(word.as_bytes()).is_some())
}

/// The process of `shopd[12]` and `shopd[12:0]`.
fn process_of(word: &str) -> Option<&str> {
    let (name, inside) = word.strip_suffix(']')?.split_once('[')?;
    inside.split(':').next().filter(|process| is_digits(process) && is_name(name))
}

fn behind_blanks(text: &str) -> &str {
    &text[text.bytes().position(|byte| byte != b' ').unwrap_or(text.len())..]
}

/// Passes over blanks, bars and colours.
fn separators(rest: &mut &str) {
    loop {
        let is_separator = |byte| matches!(byte, b' ' | b'\t' | b'|');
        *rest = &rest[rest.bytes().position(|byte| !is_separator(byte)).unwrap_or(rest.len())..];
        if !rest.starts_with("\u{1b}[") {
            return;
        }
        *rest = &rest[colour::end(rest.as_bytes(), 0)..];
    }
}

/// `- text`, `: text`, `-- text`: what stands between a header and its text.
fn is_mark(text: &str) -> bool {
    text.starts_with("- ") || text.starts_with(": ") || text.starts_with("-- ")
}

/// `06:47:13.123`: a time of day alone, as consoles show it.
fn clock<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let end = rest.bytes().position(|byte| !(byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b','))).unwrap_or(0);
    let is_clock = (8..=15).contains(&end) && rest.as_bytes()[2] == b':' && rest.as_bytes()[5] == b':';
    if !is_clock {
        return None;
    }
    let (clock, behind) = rest.split_at(end);
    *rest = behind;
    Some(clock)
}

/// What the name of a logger, module or class has.
#[derive(Default)]
struct Name {
    n_points: usize,
    n_colons: usize,
    n_digits: usize,
    has_slash: bool,
    has_upper: bool,
}

impl Name {
    fn of(word: &str) -> Option<Self> {
        let first = word.as_bytes().first()?;
        if !first.is_ascii_alphabetic() && *first != b'_' {
            return None;
        }
        let mut name = Self::default();
        for byte in word.bytes() {
            match byte {
                b'a'..=b'z' | b'_' | b'$' | b'-' | b'@' => {}
                b'A'..=b'Z' => name.has_upper = true,
                b'0'..=b'9' => name.n_digits += 1,
                b'.' => name.n_points += 1,
                b':' => name.n_colons += 1,
                b'/' => name.has_slash = true,
                _ => return None,
            }
        }
        Some(name)
    }

    /// `org.acme.App`, `my::module`: several parts with points or colons between them.
    fn is_dotted(&self, word: &str) -> bool {
        self.n_points + usize::from(self.is_path(word)) > 0 && !word.ends_with('.') && !self.has_slash
    }

    /// `org.acme.App`, `my::module`, but no domain and no file.
    fn is_class(&self, word: &str) -> bool {
        let is_type = self.n_points > 1 && (self.has_upper || word.ends_with("logger"));
        (is_type || self.is_path(word)) && self.is_dotted(word)
    }

    fn is_path(&self, word: &str) -> bool {
        self.n_colons > 1 && word.contains("::")
    }
}

fn is_name(word: &str) -> bool {
    Name::of(word).is_some()
}

fn is_dotted(word: &str) -> bool {
    Name::of(word).is_some_and(|name| name.is_dotted(word))
}

fn is_class(word: &str) -> bool {
    Name::of(word).is_some_and(|name| name.is_class(word))
}

/// Words of a line that Ruby's logger begins with: `I, [`.
pub(super) fn ruby<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let letter = word(&mut rest)?;
    let is_ruby = letter.len() == 2 && letter.ends_with(',') && rest.starts_with('[');
    if !is_ruby || enclosed(&mut { rest }, b'[', b']').is_none() {
        return None;
    }
    read(rest, found)
}
