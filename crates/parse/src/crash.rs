//! Reports of programs that die: how a runtime's report begins, goes on and ends, and which level it has.
//!
//! The reports themselves are data ([`table`]). A pattern is a text in which `%` stands for anything, `@` for anything without
//! blanks and `~` for digits; it fits a line that begins so, and with `$` at its end only one that ends there. No pattern is
//! tried twice at different places, so that a line costs no more than its first bytes times the patterns that begin alike.

mod death;
mod pattern;
mod report;
mod table;

use std::sync::OnceLock;

use types::Level;

use pattern::{LINE_BYTES_MAX, Starts, matches, report_among, report_by_start, starts_of};
use report::{Again, Next};

use crate::time::TimeMemo;
use crate::{colour, message};
use death::Obituary;
pub use death::{Death, Signal};
pub(crate) use report::Report;

/// Lines without a head that may follow the exception of a trace: its notes, the rest of its message.
const LINES_BEHIND_EXCEPTION_MAX: u8 = 16;

/// What a line was in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It belongs to the report, which may go on.
    Inner,
    /// It is the last line of it, unless a cause follows.
    Last,
    /// It belongs to something else.
    Foreign,
}

/// A report that is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenReport {
    report: &'static Report,
    /// Lines of any form that may still come.
    n_free: u8,
    /// Whether its last line has come.
    is_done: bool,
    /// Whether a frame was read.
    has_frames: bool,
}

impl OpenReport {
    /// The report that a line begins; the line has no time at its head.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        let report = report_of(line)?;
        Some(Self { report, n_free: report.n_free, is_done: false, has_frames: false })
    }

    /// Returns the report that a line with a time begins. The time may be part of the message. Reports that begin
    /// with the name of a program are not looked for.
    pub(crate) fn of_clocked(line: &[u8]) -> Option<Self> {
        let report = report_by_start(all_starts(), line)?;
        Some(Self { report, n_free: report.n_free, is_done: false, has_frames: false })
    }

    /// Whether the kernel writes it.
    pub(crate) fn is_of_kernel(&self) -> bool {
        self.report.is_of_kernel
    }

    /// Whether it goes on with the line before, which says what happened.
    pub(crate) fn follows(&self) -> bool {
        self.report.follows
    }

    /// Whether its first line alone says little.
    pub(crate) fn is_vague(&self) -> bool {
        !self.report.confirms.is_empty()
    }

    /// Whether lines are still expected.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_done
    }

    /// Whether all is part of it up to its last line, other times too.
    pub(crate) fn takes_all(&self) -> bool {
        self.report.next == Next::All && !self.is_done
    }

    /// What a line without indentation is in the report.
    pub(crate) fn part(&mut self, line: &[u8]) -> Part {
        let fits = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, line));
        let is_over = match self.report.again {
            Again::Part => false,
            Again::BehindEnd => self.is_done,
            Again::BehindFrames => self.is_done || self.has_frames,
            Again::Anywhere => true,
        };
        if is_over && fits(&self.report.starts) {
            return Part::Foreign;
        }
        if fits(&self.report.goes_on) {
            (self.is_done, self.has_frames) = (false, false);
            // No free lines follow frames, but some follow a cause.
            let n_free = if fits(&self.report.starts) { self.report.n_free } else { self.n_free };
            let are_frames = line[0] == b'#' || line.ends_with(b"back:") || line.ends_with(b"trace:");
            self.n_free = if are_frames { 0 } else { n_free };
            if fits(&self.report.quotes) {
                self.n_free = 1;
            }
            return Part::Inner;
        }
        if fits(&self.report.ends) {
            self.is_done = true;
            return Part::Last;
        }
        if self.is_done {
            return Part::Foreign;
        }
        match self.report.next {
            Next::All => Part::Inner,
            // What stands there without indentation is the exception itself; what follows is something new.
            Next::Exception => {
                self.is_done = true;
                self.n_free = if crate::multiline::is_exception(line) { LINES_BEHIND_EXCEPTION_MAX } else { 0 };
                if self.n_free > 0 { Part::Last } else { Part::Foreign }
            }
            Next::Free if self.n_free > 0 => {
                self.n_free -= 1;
                Part::Inner
            }
            Next::Free => Part::Foreign,
        }
    }

    /// Reports whether a line without indentation fits a pattern of the report's further or last lines.
    pub(crate) fn knows(&self, line: &[u8]) -> bool {
        self.report.goes_on.iter().chain(&self.report.ends).any(|pattern| matches(pattern, line))
    }

    /// Whether one more line may belong to the exception that came last.
    pub(crate) fn takes_behind_exception(&mut self) -> bool {
        let takes = self.report.next == Next::Exception && self.is_done && self.n_free > 0;
        self.n_free -= u8::from(takes);
        takes
    }

    /// Notes an indented line: behind frames no free lines come.
    pub(crate) fn note_indented(&mut self, line: &[u8]) {
        let text = colour::without_leading(line.trim_ascii_start());
        if [&b"at "[..], b"from ", b"/"].iter().any(|start| text.starts_with(start)) {
            (self.n_free, self.has_frames) = (0, true);
        }
    }
}

fn report_of(line: &[u8]) -> Option<&'static Report> {
    report_among(all_starts(), line)
}

fn all_starts() -> &'static Starts {
    static STARTS: OnceLock<Starts> = OnceLock::new();
    STARTS.get_or_init(|| starts_of(|_| true))
}

/// The report that a line is by itself: no further line need confirm it.
#[inline]
fn report_of_one_line(line: &[u8]) -> Option<&'static Report> {
    static STARTS: OnceLock<Starts> = OnceLock::new();
    report_among(STARTS.get_or_init(|| starts_of(|report| report.confirms.is_empty())), line)
}

/// Reports whether a line in which the system tells of no death may be a report, by its ends.
#[inline]
fn may_be_report(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let [first, .., last] = line else { return false };
    let is_of_kernel = || message::of_kernel(line).is_some() || message::behind_date(line).is_some();
    let is_of_kernel = || matches!(first, b'[' | b'0'..=b'9') && is_of_kernel();
    matches!((first, last), (b'\n' | b'\r' | 0x1b, _) | (_, b'.'))
        || report_of_one_line(line).is_some()
        || is_of_kernel()
}

/// The beginning of a text: its first line, whether there are others, and the report that the line may begin.
struct Beginning<'t> {
    line: &'t [u8],
    has_more: bool,
    report: Option<&'static Report>,
}

impl<'t> Beginning<'t> {
    #[inline]
    fn of(text: &'t str, times: &TimeMemo) -> Self {
        let first = times.first_line(text);
        let bytes = colour::without_leading(first.as_bytes().trim_ascii_end());
        let start = message::of_kernel(bytes).map_or(0, |message| message.content.start);
        let (line, has_more) = (&bytes[start..], first.len() < text.len());
        let look = |line| if has_more { report_of(line) } else { report_of_one_line(line) };
        // Other programs than the kernel write such dates as well.
        let dated = || look(&line[message::behind_date(line)?..]).filter(|report| report.is_of_kernel);
        Self { line, has_more, report: look(line).or_else(dated) }
    }

    /// Returns the report if the lines that follow confirm it.
    fn confirmed(&self, text: &str) -> Option<&'static Report> {
        self.report.filter(|report| {
            let begins = |line: &[u8]| report.starts.iter().any(|start| matches(start, line));
            let mut lines = lines_behind(text.as_bytes()).take(LINES_BEHIND_EXCEPTION_MAX.into());
            let mut is_near = true;
            report.confirms.is_empty()
                || lines.any(|line| std::mem::replace(&mut is_near, begins(line)) && confirms(report, line))
        })
    }
}

/// The lines behind the first that are not empty.
fn lines_behind(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').skip(1).map(colour::without_leading).filter(|line| !line.is_empty())
}

/// What a text is as the report of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportLevel {
    /// The level that the report has by itself.
    pub level: Level,
    /// Whether the kernel writes it, about what it did itself.
    pub is_of_kernel: bool,
}

impl ReportLevel {
    /// Returns the level of a text that is the report of a death, or in which the kernel or the service manager tells of one.
    pub fn of(text: &str) -> Option<Self> {
        Self::of_known(text, &TimeMemo::default())
    }

    /// The same for a text whose first line may be known.
    pub(crate) fn of_known(text: &str, times: &TimeMemo) -> Option<Self> {
        if times.is_silent(text) && !may_be_report(text.as_bytes()) {
            return None;
        }
        let text = text.trim_start_matches(['\n', '\r']);
        let first = Beginning::of(text, times);
        if let Some(report) = first.confirmed(text) {
            return Some(Self { level: report.level, is_of_kernel: report.is_of_kernel });
        }
        let level = match first.has_more {
            true => level_of_further(text.as_bytes(), &first),
            false => level_of_obituary(first.line).or_else(|| level_of_place(first.line)),
        };
        level.map(|level| Self { level, is_of_kernel: false })
    }
}

/// The level of a report that does not begin with the first line of a text.
fn level_of_further(text: &[u8], first: &Beginning<'_>) -> Option<Level> {
    // The second line was compared with what confirms a report of the first.
    let n_seen = usize::from(first.report.is_some());
    let mut next = lines_behind(text).take(8).skip(n_seen);
    let trailing = next.find_map(|line| report_of(line).filter(|report| report.follows)).map(|report| report.level);
    // A line without a level, below which the report stands.
    let below = || {
        let mut lines = lines_behind(text);
        let report = report_of(lines.next()?).filter(|report| !report.is_survived)?;
        (report.confirms.is_empty() || confirms(report, lines.next()?)).then_some(report)
    };
    let trailing = trailing.or_else(|| below().map(|report| report.level));
    let of_place = || level_of_place(first.line);
    trailing.filter(|_| of_place() != Some(Level::Warn)).or_else(|| level_of_trace(text)).or_else(of_place)
}

/// The level of a text behind a header with a level. `info` is what whatever a program prints has there, and `warn` what the
/// kernel does; other levels were chosen for the text, so that a report makes them no lower, and higher only where they say
/// an error.
pub fn level_behind_header(header: Option<Level>, report: Option<ReportLevel>) -> Option<Level> {
    let level = report.map(|report| report.level);
    match header {
        None | Some(Level::Info) => level.or(header),
        Some(said) if said >= Level::Error || report.is_some_and(|report| report.is_of_kernel) => header.max(level),
        _ => header,
    }
}

/// Returns what a text tells of the death of a program.
pub fn death(text: &str) -> Option<Death> {
    let text = text.trim_start_matches(['\n', '\r']);
    let first = Beginning::of(text, &TimeMemo::default());
    if let Some(report) = first.confirmed(text) {
        let signal = match report.level {
            _ if report.is_survived || report.follows || report.is_of_kernel => return None,
            Level::Fatal => Signal::Report,
            Level::Error => Signal::Trace,
            _ => return None,
        };
        return Some(Death::of(signal, None));
    }
    if first.has_more {
        return None;
    }
    let obituary = around_colons(first.line).find_map(|(before, behind)| obituary_of(behind)?.death(before, behind));
    obituary.or_else(|| Death::of_container(first.line))
}

/// Perl's suffix of `die` and `warn` messages: `lost at send.pl line 3.`
pub(crate) fn level_of_place(line: &[u8]) -> Option<Level> {
    let line = line.strip_suffix(b".").filter(|line| line.last().is_some_and(u8::is_ascii_digit))?;
    let behind = |end: &[u8]| crate::find::find_short(line, end);
    // The line that was read last, and a thread, may follow.
    let line = &line[..behind(b", <").or_else(|| behind(b" thread ")).unwrap_or(line.len())];
    let (rest, line_number) = line.split_at(line.iter().rposition(|byte| *byte == b' ')?);
    let place = rest.strip_suffix(b" line")?;
    let script = place.rsplit(|byte| *byte == b' ').next()?;
    let is_script = [&b".pl"[..], b".pm", b".t", b"-e"].iter().any(|ending| script.ends_with(ending));
    if !is_script || !line_number[1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    const WARNINGS: [&[u8]; 4] = [b"Use of uninitialized", b"Odd number of", b"Deep recursion", b"Argument \""];
    let is_warning = WARNINGS.iter().any(|start| line.starts_with(start));
    Some(if is_warning { Level::Warn } else { Level::Error })
}

fn confirms(report: &Report, second: &[u8]) -> bool {
    report.confirms.iter().any(|pattern| matches(pattern, second))
}

/// `java.lang.Error: x` with a frame below, or any line above the place of a call.
fn level_of_trace(text: &[u8]) -> Option<Level> {
    let newline = memchr::memchr(b'\n', text)?;
    let (first, rest) = (&text[..newline], text[newline + 1..].trim_ascii_start());
    let has_frame = [&b"at "[..], b"from ", b"File \""].iter().any(|start| rest.starts_with(start));
    let is_trace = || {
        is_place_of_call(rest)
            || is_native_frame(rest)
            || is_jruby_frame(rest) && crate::multiline::is_exception(first)
            || has_frame && crate::multiline::is_typed_exception(first)
    };
    (!first.is_empty() && is_trace()).then_some(Level::Error)
}

/// Reports whether a text begins with a frame of a backtrace of C: `/srv/pump(send+0x1d)[0x55d0c3]`.
pub(crate) fn is_native_frame(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has_address = || crate::find::find_short(line, b"[0x").is_some() && memchr::memchr(b'(', line).is_some();
    line.starts_with(b"/") && line.ends_with(b"]") && has_address()
}

/// `pay at pay.rb:3`, `get at java/util/ArrayList.java:427`.
fn is_jruby_frame(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let n_digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let place = &line[..line.len() - n_digits];
    let mut words = place.split(|byte| *byte == b' ');
    let is_frame =
        words.next().is_some_and(|name| !name.is_empty()) && words.next() == Some(b"at") && words.count() == 1;
    is_frame && n_digits > 0 && (place.ends_with(b".rb:") || place.ends_with(b".java:"))
}

/// Whether a line says where it was called: `in sub pay at pay.raku line 7`.
fn is_place_of_call(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let n_digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let place = line[..line.len() - n_digits].strip_suffix(b" line ").filter(|_| n_digits > 0);
    place.is_some_and(|place| place.starts_with(b"in ") && crate::find::find_short(place, b" at ").is_some())
}

/// The level of a line in which the kernel or the service manager tells of a death.
fn level_of_obituary(line: &[u8]) -> Option<Level> {
    let is_one = |(before, behind): (&[u8], &[u8])| {
        obituary_of(behind).is_some() || table::OBITUARY_ENDS.iter().any(|end| before.ends_with(end))
    };
    around_colons(line).any(is_one).then_some(Level::Error)
}

/// What stands before and behind each colon with a blank.
fn around_colons(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let head = &line[..line.len().min(LINE_BYTES_MAX)];
    let colons = memchr::memchr_iter(b':', head).filter(|at| head.get(at + 1) == Some(&b' '));
    colons.map(|at| (&head[..at], head[at + 2..].trim_ascii_start()))
}

/// The obituary that begins behind a colon.
fn obituary_of(behind: &[u8]) -> Option<Obituary> {
    let may_be =
        matches!(behind.first(), Some(b's' | b't' | b'K' | b'o' | b'O' | b'M' | b'F' | b'A' | b'B' | b'C' | b'P'));
    let fits = |(start, part, _): &&(&str, &str, Obituary)| {
        behind.starts_with(start.as_bytes()) && crate::find::find_short(behind, part.as_bytes()).is_some()
    };
    if may_be { table::OBITUARIES.iter().find(fits).map(|(_, _, obituary)| *obituary) } else { None }
}

#[cfg(test)]
mod tests;
