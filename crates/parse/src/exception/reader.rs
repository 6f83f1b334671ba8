//! Puts the lines of a report together: which frames belong to which exception, and which exception caused which.

use super::family::Family;
use super::frame::{frame_of, place_of};
use super::heading::{Heading, Relation, heading_of, typed};
use super::kernel;
use super::trace::{Frame, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, Trace, cut};

/// Exceptions of one text that are read.
pub(super) const EXCEPTIONS_MAX: usize = 40;

/// What the lines belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing has begun, or what had is over.
    #[default]
    Outside,
    /// Frames, the innermost first; the exception stood before them.
    Frames,
    /// Frames, the innermost last; the exception comes behind them.
    Reversed,
    /// A suppressed exception that is indented so, which is none's cause.
    Suppressed(usize),
    /// All that matters was read.
    Done,
}

#[derive(Default)]
pub(super) struct Reader {
    pub(super) trace: Trace,
    pub(super) mode: Mode,
    /// The exception whose frames come.
    pub(super) at: usize,
    /// What the lines before say of the exception whose frames may come.
    pub(super) heading: Option<Heading>,
    /// Whether lines may be more of the message of what was read last.
    pub(super) takes_message: bool,
    /// The relation of the next exception where a line by itself says it.
    pub(super) relation: Relation,
    /// Where the next frame was, in traces in which a frame has the place of its call.
    pub(super) shifted: Option<(String, Option<u32>)>,
    /// The number of the last member of a group, and how its lines begin.
    pub(super) member: u16,
    pub(super) family: Option<Family>,
    /// Whether the last frame told nothing and is left out.
    pub(super) is_left_out: bool,
    /// The lines so far that have no meaning by themselves.
    pub(super) before: String,
    /// The file that a line by itself names.
    pub(super) file: String,
    /// Where exceptions happened by what was said of them, in their order.
    pub(super) places: Vec<Frame>,
    /// What a script's runtime shows of the source: the place, and whether the mark below the line was read.
    pub(super) source: Option<Frame>,
    pub(super) is_behind_mark: bool,
    /// Whether lines have borders of a group, members of a group, or causes without types.
    pub(super) has_borders: bool,
    pub(super) lists_members: bool,
    pub(super) lists_causes: bool,
    /// How many frames of the exception before are those of this one too.
    pub(super) n_common: Vec<(usize, usize)>,
}

impl Reader {
    /// Reads a line; `next` is the one behind it.
    pub(super) fn read(&mut self, line: &str, next: &str) {
        let line = self.without_border(line);
        let trimmed = line.trim();
        // The shell's words behind those of the program.
        let is_of_shell = matches!(trimmed, "Aborted" | "Segmentation fault" | "Killed" | "Call stack:")
            || trimmed.ends_with(" (core dumped)")
            || is_of_script(trimmed);
        let is_inside = self.heading.is_some() || !self.trace.exceptions.is_empty();
        if is_of_shell && is_inside || self.read_runtime(trimmed) {
            return;
        }
        match self.mode {
            Mode::Done => return,
            Mode::Suppressed(indent) => {
                if !(trimmed.starts_with("Caused by: ") && indent_of(line) < indent) {
                    return;
                }
                self.mode = Mode::Frames;
            }
            _ => {}
        }
        if trimmed.is_empty() {
            self.takes_message = self.takes_message && self.mode == Mode::Outside && self.is_message_next();
        } else if !self.read_sign(line, trimmed) && !self.read_frame(line, trimmed, next) {
            self.read_text(line, trimmed);
        }
    }

    /// What is behind the border of a group of exceptions; a border by itself begins a member.
    fn without_border<'t>(&mut self, line: &'t str) -> &'t str {
        let start = line.trim_start();
        if !self.has_borders {
            return line;
        }
        if let Some(rest) = start.strip_prefix("| ") {
            return rest;
        }
        if !start.starts_with("+-") {
            return if start == "|" { "" } else { line };
        }
        self.end_reversed();
        if start.starts_with("+-+-")
            && let Some(group) = self.trace.exceptions.get_mut(self.at)
        {
            group.is_group = true;
        }
        if start.trim_matches(['+', '-']).trim().starts_with(|first: char| first.is_ascii_digit()) {
            self.member = self.member.saturating_add(1);
            (self.relation, self.mode, self.heading) = (Relation::Member, Mode::Reversed, None);
            self.push(Heading::default());
        } else {
            self.mode = Mode::Done;
        }
        ""
    }

    /// Reads a line that names the runtime and its version.
    fn read_runtime(&mut self, line: &str) -> bool {
        let version_of = |sign: &str| {
            let rest = line.strip_prefix(sign)?;
            let version = rest.split([' ', '+', ')']).next()?;
            version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
        };
        let found = match line.as_bytes().first() {
            Some(b'N') => version_of("Node.js v").map(|version| ("nodejs", version)),
            Some(b'B') => version_of("Bun v").map(|version| ("bun", version)),
            Some(b'r') => version_of("ruby ").map(|version| ("ruby", version)),
            Some(b'#') => {
                line.split_once("JRE version: ").and_then(|(_, rest)| rest.split_once('(')).map(|(_, version)| {
                    (
                        "OpenJDK Runtime Environment",
                        version.split(['+', ')', ' ']).next().unwrap_or_default().to_owned(),
                    )
                })
            }
            _ => None,
        };
        let is_first = self.heading.is_none() && self.trace.exceptions.is_empty();
        let waiting = || if is_first { kernel::waiting(line) } else { None };
        if let Some((name, pid)) = kernel::running(line).or_else(waiting) {
            self.trace.program.get_or_insert_with(|| (name.to_owned(), pid));
        }
        let is_found = found.is_some();
        if let Some((name, version)) = found {
            (self.trace.runtime, self.trace.version) = (Some(name), Some(version));
        }
        is_found
    }

    fn is_message_next(&self) -> bool {
        self.heading.as_ref().is_some_and(|heading| heading.is_report && heading.message.is_empty())
    }

    /// Reads a line that is a frame.
    fn read_frame(&mut self, line: &str, text: &str, next: &str) -> bool {
        // The second line of a frame has its place.
        if matches!(self.family, Some(Family::Rust | Family::Native))
            && let Some(place) = text.strip_prefix("at ")
            && let (file, Some(number)) = place_of(place)
            && !place.contains(['(', ' '])
        {
            self.add_place(file, number);
            return true;
        }
        if self.family == Some(Family::Go) && line.starts_with(['\t', ' ']) && text.contains(".go:") {
            return true;
        }
        let Some(mut found) = frame_of(line, next).or_else(|| kernel::frame(text)) else { return false };
        if found.family == Family::Ruby && text.contains("': ") {
            // The first line of a trace is a frame and has the message and the type at its end; that of a cause too.
            if self.family == Some(Family::Ruby) {
                self.relation = Relation::Cause;
            }
            (self.heading, self.mode) = (heading_of(line), Mode::Outside);
        }
        let is_reversed = match found.family {
            Family::Nim => true,
            Family::Python => {
                self.mode == Mode::Outside && self.heading.as_ref().is_none_or(|heading| !heading.is_report)
            }
            _ => false,
        };
        if is_reversed && self.mode != Mode::Reversed {
            self.begin_reversed("");
        }
        if found.family == Family::Scheme {
            let own = std::mem::take(&mut found.frame.file);
            found.frame.file = if own.is_empty() { self.file.clone() } else { own };
        }
        self.begin_frames(found.family, text);
        self.shift(&mut found);
        if self.mode != Mode::Done {
            self.add(found);
        }
        true
    }

    /// Reads a line that is neither a frame nor a sign.
    fn read_text(&mut self, line: &str, text: &str) {
        if self.mode == Mode::Reversed {
            return self.read_behind(line, text);
        }
        let is_indented = line.starts_with([' ', '\t']);
        if self.read_source(line, text) || self.read_listed(text, is_indented) {
            return;
        }
        let heading = heading_of(line).or_else(|| kernel::heading(text));
        let is_cause = heading.as_ref().is_some_and(|heading| heading.relation != Relation::Alone);
        if !is_cause && self.is_message_next() && self.takes_message {
            return self.add_to_message(text);
        }
        if let Some(heading) = heading {
            let is_better = match &self.heading {
                None => !(heading.is_guess && self.mode == Mode::Frames),
                // What only repeats the type says less.
                Some(known) if heading.kind == known.kind && heading.message.is_empty() && heading.line.is_none() => {
                    false
                }
                Some(known) => heading.is_report || (!heading.is_guess || known.kind.is_empty()) && !known.is_report,
            };
            if is_cause || is_better {
                return self.take(heading);
            }
        }
        if self.takes_message && !is_indented {
            self.add_to_message(text);
        } else if !is_indented && self.before.len() + text.len() < MESSAGE_BYTES_MAX {
            if !self.before.is_empty() {
                self.before.push('\n');
            }
            self.before.push_str(text);
        }
    }

    /// Reads the source that runtimes of scripts show before what they say: `/srv/send.js:9`, the line, a mark below it.
    fn read_source(&mut self, line: &str, text: &str) -> bool {
        const ENDINGS: [&str; 7] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx"];
        if self.source.is_none() && self.trace.exceptions.is_empty() && text.len() == line.len() {
            let (file, number) = place_of(text);
            if number.is_some() && !file.contains(' ') && ENDINGS.iter().any(|ending| file.ends_with(ending)) {
                self.source =
                    Some(Frame { function: String::new(), file: file.to_owned(), line: number, is_own: true });
                return true;
            }
        }
        let is_mark = text.bytes().all(|byte| matches!(byte, b'^' | b'~'));
        if self.source.is_some() && is_mark {
            self.is_behind_mark = true;
        }
        let is_value = self.is_behind_mark && self.heading.is_none() && self.trace.exceptions.is_empty();
        if is_value && !is_mark && !text.starts_with("(Use ") && heading_of(line).is_none() {
            // The program threw a value that is no error.
            self.heading = Heading::report("Error", text);
        }
        is_mark || (self.source.is_some() && !self.is_behind_mark)
    }

    /// Reads a line of a list of members or causes.
    fn read_listed(&mut self, text: &str, is_indented: bool) -> bool {
        if self.lists_members {
            self.lists_members = text != "]";
            if let Some(heading) = typed(text).filter(|heading| !heading.is_guess) {
                self.push(Heading { relation: Relation::Member, ..heading });
                (self.mode, self.takes_message) = (Mode::Frames, true);
            }
            return true;
        }
        self.lists_causes = self.lists_causes && is_indented;
        if !self.lists_causes {
            return false;
        }
        if let Some(before) = self.heading.take() {
            self.push(before);
        }
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let message =
            text.split_once(": ").filter(|(number, _)| is_number(number)).map_or(text, |(_, message)| message);
        self.push(Heading { message: message.to_owned(), relation: Relation::Cause, ..Heading::default() });
        (self.mode, self.takes_message) = (Mode::Frames, false);
        true
    }

    fn take(&mut self, heading: Heading) {
        if heading.kind.is_empty() && heading.message.is_empty() {
            if heading.thread.is_some() {
                self.trace.thread = heading.thread;
            } else if heading.line.is_some() {
                self.heading = Some(heading);
            }
            return;
        }
        // Fortran writes the place before the error.
        let place = self.heading.take_if(|known| known.kind.is_empty() && known.message.is_empty());
        let heading = match place.filter(|_| heading.line.is_none()) {
            Some(Heading { file, line, .. }) => Heading { file, line, ..heading },
            None => heading,
        };
        let is_chained =
            heading.relation != Relation::Alone || (self.relation != Relation::Alone && self.mode == Mode::Outside);
        if is_chained {
            if let Some(before) = self.heading.take() {
                self.push(before);
            }
            self.push(heading);
            (self.mode, self.takes_message) = (Mode::Frames, true);
            return;
        }
        if let Some(before) = self.heading.take_if(|before| before.kind == "panic" && heading.kind == "panic") {
            // A panic during another one, or the same one thrown again.
            if before.message == heading.message {
                self.heading = Some(before);
                return;
            }
            let takes_message = heading.message.is_empty();
            self.push(heading);
            let outer = self.at;
            self.push(Heading { relation: Relation::Cause, ..before });
            if takes_message {
                self.at = outer;
            }
            (self.mode, self.takes_message) = (Mode::Frames, takes_message);
            return;
        }
        if self.family == Some(Family::Scheme)
            && let Some(exception) = self.trace.exceptions.get_mut(self.at).filter(|one| one.kind.is_empty())
        {
            // Guile writes the error after the frames.
            self.takes_message = heading.message.is_empty();
            (exception.kind, exception.message) = (heading.kind, heading.message);
            self.mode = Mode::Outside;
            return;
        }
        let is_over = self.mode == Mode::Frames;
        self.mode = Mode::Outside;
        let has_kind = self.trace.exceptions.iter().any(|one| !one.kind.is_empty() || !one.frames.is_empty());
        if is_over && has_kind {
            // Behind frames another report may begin, which is looked at only if it is said to be a cause.
            self.heading = Some(heading);
            self.takes_message = false;
            return;
        }
        self.takes_message = !heading.is_whole;
        self.heading = Some(heading);
    }

    /// Reads a line behind frames whose innermost came last: source, or at the margin the exception.
    fn read_behind(&mut self, line: &str, text: &str) {
        if line.starts_with([' ', '\t']) || text.starts_with("[[reraised") || text.starts_with("--> ") {
            return;
        }
        let heading = heading_of(line).filter(|heading| heading.is_report).or_else(|| python_kind(text));
        let family = self.family;
        self.end_reversed();
        self.family = family.or(Some(Family::Python));
        let Some(heading) = heading else { return };
        if let Some(exception) = self.trace.exceptions.get_mut(self.at) {
            exception.kind = heading.kind;
            exception.message = cut(&heading.message, MESSAGE_BYTES_MAX).to_owned();
            self.takes_message = true;
        }
    }
}

/// Reports whether a text is the line in which a shell reports how a program died:
/// `run.sh: line 1:    42 Aborted    ./pump`.
fn is_of_script(text: &str) -> bool {
    const WORDS: [&str; 5] = ["Aborted", "Segmentation fault", "Killed", "Illegal instruction", "Bus error"];
    let behind = text.split_once(": line ").and_then(|(_, rest)| rest.split_once(": "));
    let word = behind.map(|(_, rest)| rest.trim_start_matches(|char: char| char == ' ' || char.is_ascii_digit()));
    word.is_some_and(|word| WORDS.iter().any(|known| word.starts_with(known)))
}

/// Any dotted name, since types of Python have no ending by which they are known.
fn python_kind(text: &str) -> Option<Heading> {
    let (name, message) = text.split_once(": ").unwrap_or((text.trim_end_matches(':'), ""));
    let is_name = |char: char| char.is_alphanumeric() || "_.<>".contains(char);
    let is_kind = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.chars().all(is_name)
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    is_kind.then(|| Heading { kind: name.to_owned(), message: message.to_owned(), ..Heading::default() })
}

pub(super) fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
