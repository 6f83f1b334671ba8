//! The event at hand of one source, or of one stream of a container: which lines continue it.

use types::Level;

use super::{Profile, line};
use crate::crash::{OpenReport, Part, is_native_frame, level_of_place};

/// Bytes of the first line that are kept, to look at it again when another may continue it.
const FIRST_BYTES_MAX: usize = 192;

/// The event at hand, as far as the next line depends on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    n_lines: usize,
    /// The beginning of the first line.
    first: Vec<u8>,
    /// Whether a time stands at its head. Of an object it is looked for when it is asked for.
    has_clock: bool,
    is_object: bool,
    /// A row of a table whose quote is open.
    is_quoted: bool,
    /// Whether all so far is the first line of a record of Java's own logging library.
    is_half: bool,
    /// Whether the first line is a name and a time, as in records whose lines all begin with names.
    is_stanza: bool,
    report: Option<OpenReport>,
    /// What the last line that did not continue it begins, if that was looked at.
    next_report: Option<Option<OpenReport>>,
    /// How surely the lines of its source have times, so that one without is no entry of its own.
    score: i8,
    /// How many lines at its end show nothing of themselves.
    pub(super) n_text: usize,
    /// Whether the last line is the type of an exception and its message, below others.
    is_named: bool,
    /// Whether its last line made those an event of their own.
    pub(super) splits: bool,
}

/// What else decides about a line.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Whether a time stands at its head. It is not looked for in an object.
    pub(super) has_clock: bool,
    /// Whether it is a JSON object, which is whole in itself.
    pub(super) is_object: bool,
    /// How surely lines of the source have one.
    pub(super) score: i8,
}

impl Seen {
    /// What a line of a lane is, which also teaches; it begins at `offset` of its source.
    pub(super) fn of(line: &[u8], (profile, lane): (&mut Profile, usize), offset: u64) -> Self {
        let seen = Self::of_content(line);
        profile.enter(offset);
        profile.learn(lane, line, seen.has_clock);
        Self { score: profile.score(lane), ..seen }
    }

    /// What a line of a program is that is looked at by itself.
    pub(super) fn of_content(line: &[u8]) -> Self {
        let is_object = line.first() == Some(&b'{') && line::is_object(line);
        Self { has_clock: !line.is_empty() && !is_object && line::has_clock(line), is_object, score: 0 }
    }
}

impl Entry {
    /// Whether there is none, so that any line begins one.
    pub(super) fn is_none(&self) -> bool {
        self.n_lines == 0
    }

    pub(super) fn clear(&mut self) {
        self.n_lines = 0;
    }

    /// Whether it is in the middle of something: further lines are likely.
    pub(super) fn expects_more(&self) -> bool {
        self.n_lines > 0 && (self.is_quoted || self.report.is_some_and(|report| report.is_open()))
    }

    /// Whether further lines are likely: objects, requests and pairs are whole in one line, as what reports no trouble is.
    pub(super) fn may_grow(&self) -> bool {
        let first = &self.first[..];
        let is_one_line = || {
            let is_pairs = [&b"{\""[..], b"time=", b"ts=", b"level=", b"at="].iter().any(|key| first.starts_with(key));
            is_pairs || crate::find::find_short(first, b"] \"").is_some()
        };
        let begins_more =
            || self.is_half || is_slow_head(first) || self.announces() || self.is_bare_time() || self.says_trouble();
        self.n_lines > 1 || self.expects_more() || (self.n_lines == 1 && !is_one_line() && begins_more())
    }

    /// Begins an event with a line that is not empty.
    pub(super) fn begin(&mut self, line: &[u8], seen: Seen) {
        let (Seen { has_clock, is_object, .. }, next_report) = (seen, self.next_report);
        self.start(line, seen);
        self.is_quoted = has_clock && line::opens_quote(line);
        self.is_half = has_clock && line::is_java_head(line);
        self.is_stanza = has_clock && line::is_named_time(line);
        self.report = match line[0] {
            _ if is_object => None,
            first if has_clock && !matches!(first, b'=' | b'*') => next_report.unwrap_or_else(|| clocked_report(line)),
            _ => next_report.unwrap_or_else(|| OpenReport::of(line)),
        };
    }

    /// Whether any line with a time at its head that begins no report ends it.
    pub(super) fn is_over_at_head(&self) -> bool {
        self.report.is_none() && !self.is_quoted && !self.is_stanza && self.first.first() != Some(&b'#')
    }

    /// Begins an event with a line that [`line::is_plain_head`].
    pub(super) fn begin_at_head(&mut self, line: &[u8], score: i8) {
        self.start(line, Seen { has_clock: true, is_object: false, score });
        self.splits = false;
    }

    /// Begins with a line in which nothing is open yet.
    fn start(&mut self, line: &[u8], Seen { has_clock, is_object, score }: Seen) {
        self.first.clear();
        self.first.extend_from_slice(&line[..line.len().min(FIRST_BYTES_MAX)]);
        (self.n_lines, self.n_text, self.has_clock, self.is_object, self.score) = (1, 0, has_clock, is_object, score);
        (self.is_quoted, self.is_half, self.is_stanza, self.is_named) = (false, false, false, false);
        (self.report, self.next_report) = (None, None);
    }

    /// Begins with the line after an empty one if that line begins a report or an entry: some runtimes write an empty
    /// line first.
    pub(super) fn begins_report(&mut self, line: &[u8], seen: Seen) -> bool {
        let begins = seen.has_clock || OpenReport::of(line).is_some();
        if begins {
            self.begin(line, seen);
        }
        begins
    }

    /// Whether a line that is not empty continues it, which is noted.
    pub(super) fn takes(&mut self, line: &[u8], seen: Seen) -> bool {
        self.next_report = None;
        let (n_text, had_report) = (std::mem::take(&mut self.n_text), self.report.is_some());
        let was_named = std::mem::take(&mut self.is_named);
        self.splits = false;
        let takes = self.n_lines > 0 && self.continues(line, seen);
        if takes {
            (self.n_lines, self.next_report) = (self.n_lines + 1, None);
        }
        if takes && n_text > 0 {
            let is_thrown = was_named && n_text == 1 && is_frame_of_script(line) && self.is_quiet();
            self.note_text(n_text, had_report, is_thrown);
        }
        self.is_half &= !takes;
        takes
    }

    /// Notes a line behind some that show nothing of themselves: what those say may be what a report is about, or a trace
    /// that the program printed.
    fn note_text(&mut self, n_text: usize, had_report: bool, is_thrown: bool) {
        match self.report {
            Some(report) if !had_report => self.splits = report.follows() && !self.says_trouble(),
            _ if is_thrown => self.splits = true,
            _ => self.n_text = n_text + 1,
        }
        if self.splits {
            (self.n_lines, self.first) = (n_text + 1, Vec::new());
            (self.has_clock, self.is_object, self.is_stanza) = (false, false, false);
        }
    }

    /// Whether its first line has a level at which loggers write no trace, and announces nothing.
    fn is_quiet(&self) -> bool {
        let first = self.first.trim_ascii_end();
        let announces = [&b":"[..], b"...", "…".as_bytes()].iter().any(|end| first.ends_with(end));
        let is_whole = self.first.len() < FIRST_BYTES_MAX;
        is_whole && !announces && self.level().is_some() && !self.says_trouble()
    }

    /// The same for a line behind others that are of no concern: only an event is continued that was likely to be.
    pub(super) fn takes_across(&mut self, line: &[u8], seen: Seen) -> bool {
        let before = (self.n_lines, self.is_half, self.is_quoted, self.report);
        if !self.takes(line, seen) {
            return false;
        }
        // Asked last: hardly any line comes so far.
        let after = (self.n_lines, self.is_half, self.is_quoted, self.report);
        (self.n_lines, self.is_half, self.is_quoted, self.report) = before;
        let was_likely = self.may_grow();
        (self.n_lines, self.is_half, self.is_quoted, self.report) = after;
        was_likely
    }

    fn continues(&mut self, line: &[u8], seen: Seen) -> bool {
        if self.is_quoted {
            let is_over = line::is_sure_head(line);
            self.is_quoted = !is_over && !line::closes_quote(line);
            return !is_over;
        }
        if self.report.is_some_and(|report| report.takes_all()) {
            return self.report.as_mut().is_some_and(|report| report.part(line) != Part::Foreign);
        }
        if matches!(line[0], b' ' | b'\t') {
            return self.takes_indented(line, seen);
        }
        // Most lines show that they begin an event, and are done with.
        if self.takes_stanza(line) {
            return true;
        }
        if seen.is_object {
            return false;
        }
        if seen.has_clock && !self.takes_headed(line) {
            let begun = match line[0] {
                b'=' => return false,
                b'*' => OpenReport::of(line),
                _ => clocked_report(line),
            };
            self.next_report = Some(begun);
            return begun.is_some_and(|report| self.takes_report(report, line));
        }
        if let Some(report) = &mut self.report
            && report.part(line) != Part::Foreign
        {
            return true;
        }
        let is_source = || is_source_line(line) && self.says_trouble();
        if is_frame(line, &self.first) || is_source() || (self.is_half && line::is_level_line(line)) {
            return true;
        }
        // A list that the line before announces.
        if line[0] == b'[' && self.announces() && self.is_timed() && !line::has_level(line) {
            return true;
        }
        let begun = OpenReport::of(line);
        self.next_report = Some(begun);
        if let Some(report) = begun {
            return self.takes_report(report, line);
        }
        if line::is_typed_exception(line) || (line::is_camel(line) && self.says_trouble()) {
            let takes = self.is_headed() || self.announces();
            (self.n_text, self.is_named) = (takes.into(), takes);
            return takes;
        }
        // Bun writes a thrown text twice.
        self.first.strip_prefix(b"error: ") == Some(line) || self.takes_text(line)
    }

    /// Padding may stand before the head of an entry; other indented lines continue one.
    fn takes_indented(&mut self, line: &[u8], seen: Seen) -> bool {
        if let Some(report) = &mut self.report
            && report.is_open()
        {
            report.note_indented(line);
            return true;
        }
        let trimmed = line.trim_ascii_start();
        let is_padded =
            line[0] == b' ' && line::signature(line) != 0 && line::signature(line) == line::signature(&self.first);
        let is_head = seen.has_clock && line::begins_with_time(line) && !self.begins_with_time();
        let is_level = !self.is_headed() && line[0] == b' ' && !trimmed.is_empty() && line::has_level(trimmed)
            || line::level_end(line).is_some_and(|end| line::level_end(&self.first) == Some(end));
        // Chi indents what it writes of a panic, below a line of another request.
        let is_panic = trimmed.starts_with(b"panic: ") && self.report.is_none() && !self.says_trouble();
        if is_padded || is_head || is_level || is_panic {
            return false;
        }
        if self.report.is_none()
            && let Some(report) = OpenReport::of(line)
        {
            return self.takes_report(report, line);
        }
        true
    }

    /// Lines of a report may hold times.
    fn takes_headed(&self, line: &[u8]) -> bool {
        let is_request = || crate::find::find_short(line, b"] \"").is_some();
        let may_be_message = || self.n_lines == 1 && line.get(1) != Some(&b',') && !is_request();
        self.report.is_some_and(|report| report.is_open() && (report.knows(line) || may_be_message()))
            && !line::begins_with_time(line)
            && !line::has_level(line)
    }

    /// Reports whether a line continues a record whose lines have names, which ends where its first name comes again,
    /// or an entry of a slow query: comments, then statements.
    fn takes_stanza(&self, line: &[u8]) -> bool {
        if self.is_stanza {
            return line::name(line).is_some_and(|name| line::name(&self.first) != Some(name));
        }
        if !is_slow_head(&self.first) || line::is_sure_head(line) {
            return false;
        }
        // Queries of one second share the line of their time, which the first of them has.
        let is_next = line.starts_with(b"# Time:") || line.starts_with(b"# User@Host:");
        !is_next || (line.starts_with(b"# User@Host:") && self.n_lines == 1 && self.first.starts_with(b"# Time:"))
    }

    /// The report of a death belongs to the entry that tells of it, and to no other.
    fn takes_report(&mut self, report: OpenReport, line: &[u8]) -> bool {
        // Loggers that write the stack of an error below its entry begin it with `Error: text`.
        let is_stack = || self.is_timed() && self.score > 0 && self.level() >= Some(Level::Error);
        let may_be_entry = report.is_vague() && line::has_level(line) && !is_stack();
        let is_awaited = self.announces() || self.is_bare_time();
        let is_first = self.report.is_none();
        let is_told = || is_first && !may_be_entry && self.is_headed() && self.says_trouble();
        // What a program has logged may be what it dies of: `cannot start`, then `panic: cannot start`.
        let is_same = || {
            let said = crate::find::find_short(line, b": ").map_or(&b""[..], |at| &line[at + 2..]);
            self.n_lines == 1 && said.len() > 7 && self.first.ends_with(said)
        };
        let takes = report.follows() || is_awaited || is_told() || is_same();
        if takes {
            self.report = Some(report);
        }
        takes
    }

    /// A line that shows nothing of itself continues an entry with a time where entries have one.
    fn takes_text(&mut self, line: &[u8]) -> bool {
        // Notes and further lines of the message; a program that writes lines without a head may have been started again.
        if self.score >= 0
            && let Some(report) = &mut self.report
            && report.takes_behind_exception()
            && !line::has_level(line)
        {
            return true;
        }
        // A line that ends with a place of Perl reports trouble of its own.
        if level_of_place(line).is_some() && !self.says_trouble() {
            return false;
        }
        let is_alike = || line::signature(line) != 0 && line::signature(line) == line::signature(&self.first);
        if !self.is_timed() || line::has_level(line) || self.is_half || is_slow_head(line) || is_alike() {
            return false;
        }
        // One line teaches little: what stands below an error is more often part of it than what stands below others.
        let is_taught = self.score > 1 || self.is_bare_time() || (self.score > 0 && self.level() >= Some(Level::Error));
        // Text may mention a time.
        let may_mention = || self.first.first().is_some_and(u8::is_ascii_alphabetic);
        let takes = is_taught && (!may_mention() || line::has_own_time(&self.first));
        self.n_text = takes.into();
        takes
    }

    fn is_timed(&self) -> bool {
        self.has_clock || self.is_object && line::has_clock(&self.first)
    }

    fn begins_with_time(&self) -> bool {
        self.is_timed() && !matches!(self.first.first(), Some(b' ' | b'\t')) && line::begins_with_time(&self.first)
    }

    /// Whether the first line has a head: a time or a level.
    fn is_headed(&self) -> bool {
        self.is_timed() || line::has_level(&self.first) || line::has_level_of_thread(&self.first)
    }

    /// Whether there is nothing but a time and perhaps a level, below which the text stands.
    fn is_bare_time(&self) -> bool {
        let is_word = |byte: &&[u8]| !byte.is_empty();
        let is_bare = |start: usize, end: usize| {
            let mut words = self.first[start + end..].split(|byte| b" :-[]".contains(byte)).filter(is_word);
            words.next().is_none_or(|word| Level::parse_bytes(word).is_some()) && words.next().is_none()
        };
        let start = usize::from(self.first.first() == Some(&b'['));
        self.is_timed()
            && self.first.len() < 40
            && crate::time::time_end(&self.first[start..]).is_some_and(|end| is_bare(start, end))
    }

    fn level(&self) -> Option<Level> {
        crate::level_of_text(&String::from_utf8_lossy(&self.first))
    }

    /// Whether the first line says that something went wrong, by its words or its level.
    fn says_trouble(&self) -> bool {
        has_word_of_trouble(&self.first) || self.level() >= Some(Level::Warn)
    }

    /// Whether the only line so far ends as one does that something follows.
    fn announces(&self) -> bool {
        self.n_lines == 1 && self.first.len() < FIRST_BYTES_MAX && self.first.trim_ascii_end().ends_with(b":")
    }
}

/// The report that a line with a time begins. Three letters and a blank begin a date.
fn clocked_report(line: &[u8]) -> Option<OpenReport> {
    let may_be = line[0].is_ascii_alphabetic() && line.get(3) != Some(&b' ');
    if may_be { OpenReport::of_clocked(line) } else { None }
}

fn has_word_of_trouble(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 7] = [b"error", b"exception", b"fail", b"fatal", b"crash", b"panic", b"traceback"];
    // Most places are passed by their first two letters.
    let may_begin = |two: &[u8]| match two[0] | 0x20 {
        b'e' => matches!(two[1] | 0x20, b'r' | b'x'),
        b'f' | b'p' => two[1] | 0x20 == b'a',
        b'c' | b't' => two[1] | 0x20 == b'r',
        _ => false,
    };
    let begins = |rest: &[u8]| {
        WORDS.iter().any(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
    };
    text.windows(2).enumerate().any(|(at, two)| may_begin(two) && begins(&text[at..]))
}

fn is_slow_head(line: &[u8]) -> bool {
    line.starts_with(b"# Time:") || line.starts_with(b"# User@Host:")
}

/// Lines that continue an event whatever it is: frames, causes, brackets that close, boxes.
fn is_frame(line: &[u8], first: &[u8]) -> bool {
    let starts = |starts: &[&[u8]]| starts.iter().any(|start| line.starts_with(start));
    match line[0] {
        b'a' => starts(&[b"at "]),
        b'C' => starts(&[b"Caused by:", b"Called from "]),
        b'c' => starts(&[b"called from "]),
        b'B' => starts(&[b"BEGIN failed--compilation aborted"]) || line == b"Backtrace:" && first.ends_with(b":"),
        b'E' => starts(&[b"Execution of "]) && line.ends_with(b"due to compilation errors."),
        b'S' => starts(&[b"Suppressed:", b"Stack trace:", b"Stacktrace:", b"Stack backtrace:"]),
        b'.' => line == b"..." || starts(&[b"... "]),
        b'}' | b']' | b')' => true,
        b'"' => starts(&[b"\"}"]),
        b'-' => starts(&[b"-->"]),
        b'[' => starts(&[b"[stacktrace]", b"[previous exception]"]),
        b'>' => starts(&[b"> File "]),
        b'#' => line.get(1).is_some_and(u8::is_ascii_digit) && first.len() > 1 && first[0] != b'#',
        // ╭ │ ╰ ┌ └ ├ and others of box drawing.
        0xE2 => line.get(1).is_some_and(|byte| matches!(byte, 0x94 | 0x95)) && OpenReport::of(line).is_none(),
        b'/' => is_native_frame(line) || line::is_gin_frame(line),
        b'D' | b'T' => {
            starts(&[b"During handling of the above exception", b"The above exception was the direct cause"])
                || line == b"Traceback:"
        }
        _ => first.ends_with(b":") && line::is_typed_exception(line) || is_ruby_frame(line),
    }
}

/// `at open (/srv/pump.js:7:9)`: a frame of JavaScript, whose loggers write a trace into the line of its entry.
fn is_frame_of_script(line: &[u8]) -> bool {
    let frame = line.trim_ascii_start().strip_prefix(b"at ").map(|frame| frame.strip_suffix(b")").unwrap_or(frame));
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    frame.is_some_and(|frame| frame.rsplit(|byte| *byte == b':').take(2).all(is_number))
}

/// `12 | fn main() {`: a line of a program's source that a compiler shows.
fn is_source_line(line: &[u8]) -> bool {
    let n_digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    n_digits < 6 && line[n_digits..].starts_with(b" | ")
}

/// ``send.rb:7:in `check'``.
fn is_ruby_frame(line: &[u8]) -> bool {
    let is_place = memchr::memchr2(b':', b' ', line).is_some_and(|at| line[at] == b':');
    let place = if is_place { crate::find::find_short(&line[..line.len().min(256)], b":in ") } else { None };
    place.is_some_and(|at| {
        line[..at].last().is_some_and(u8::is_ascii_digit) && !line[..at].contains(&b' ') && !line.ends_with(b")")
    })
}
