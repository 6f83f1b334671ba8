//! Reads stack traces as issues were first grouped by them, so that issues of that time are still found.
//!
//! It changes no more: what it returns are keys of saved issues. Traces are read by [`parse::exception`].

/// Lines of a text that are looked at.
const LINES_MAX: usize = 600;

/// Exceptions of a chain of causes, and frames of each, that count: those that say what failed.
const CAUSES_MAX: usize = 5;
const FRAMES_MAX: usize = 6;

/// Longest name of a type or function.
const NAME_BYTES_MAX: usize = 200;

/// Ends of names of types without a package.
const TYPE_ENDINGS: [&str; 9] =
    ["Error", "Exception", "Warning", "Fault", "Panic", "Throwable", "Interrupt", "Exit", "Failure"];

/// An exception of a trace, without its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Throwable {
    /// Its type; empty where the trace names none.
    pub(super) kind: String,
    /// Functions, innermost first.
    pub(super) frames: Vec<String>,
}

/// Returns the exceptions of the trace in a text, the outermost first; none if the text has no frame.
pub(super) fn exceptions(text: &str) -> Vec<Throwable> {
    let mut reader = TraceReader::default();
    let mut lines = text.lines().take(LINES_MAX).peekable();
    while let Some(line) = lines.next() {
        reader.read(line, lines.peek().copied().unwrap_or_default());
    }
    reader.finish()
}

#[derive(Default)]
struct TraceReader {
    found: Vec<Throwable>,
    /// The type that the last line before a frame names.
    heading: String,
    /// Whether frames come outermost first, as in Python, and the type after them.
    is_reversed: bool,
    /// Whether the last line was a frame.
    is_inside: bool,
}

impl TraceReader {
    fn read(&mut self, line: &str, next: &str) {
        let trimmed = line.trim();
        if trimmed.starts_with("Traceback (most recent call last)") {
            self.end_reversed("");
            self.found.push(Throwable::default());
            (self.is_reversed, self.is_inside) = (true, true);
            return;
        }
        if self.is_reversed {
            match python_frame(trimmed) {
                Some(frame) => self.push(frame),
                // Lines of source are indented, and the type comes at the margin.
                None if line.starts_with([' ', '\t']) || trimmed.is_empty() => {}
                None => self.end_reversed(trimmed),
            }
            return;
        }
        let cause = ["Caused by: ", "---> ", "[cause]: "].iter().find_map(|sign| trimmed.strip_prefix(sign));
        if let Some(cause) = cause {
            self.found.push(Throwable { kind: kind_of(cause).unwrap_or_default(), frames: Vec::new() });
            self.is_inside = true;
            return;
        }
        match frame_of(trimmed, next) {
            Some(frame) => {
                if !self.is_inside {
                    // The first line of a Ruby trace is a frame and has the type at its end.
                    let own = || kind_of(trimmed).filter(|_| trimmed.contains(":in "));
                    let heading = std::mem::take(&mut self.heading);
                    let kind = if heading.is_empty() { own().unwrap_or_default() } else { heading };
                    self.found.push(Throwable { kind, frames: Vec::new() });
                }
                self.is_inside = true;
                self.push(frame);
            }
            None => {
                let is_between = trimmed.starts_with("...") || trimmed.starts_with("---") || is_place(trimmed);
                if !is_between && let Some(kind) = kind_of(trimmed) {
                    (self.heading, self.is_inside) = (kind, false);
                }
            }
        }
    }

    fn push(&mut self, frame: String) {
        if let Some(last) = self.found.last_mut()
            && last.frames.last() != Some(&frame)
        {
            last.frames.push(frame);
        }
    }

    /// Ends a trace whose innermost frame came last.
    fn end_reversed(&mut self, after: &str) {
        if !self.is_reversed {
            return;
        }
        if let Some(last) = self.found.last_mut() {
            last.frames.reverse();
            last.kind = kind_of(after).unwrap_or_default();
        }
        (self.is_reversed, self.is_inside) = (false, false);
    }

    fn finish(mut self) -> Vec<Throwable> {
        self.end_reversed("");
        if self.found.iter().all(|one| one.frames.is_empty()) {
            return Vec::new();
        }
        self.found.truncate(CAUSES_MAX);
        self.found.iter_mut().for_each(|one| one.frames.truncate(FRAMES_MAX));
        self.found
    }
}

/// Returns the type that a line names before its message.
pub(super) fn kind_of(line: &str) -> Option<String> {
    if line.starts_with("panic: ") || line.contains(" panicked at ") {
        return Some("panic".into());
    }
    let ends = line.match_indices(':').map(|(at, _)| at).filter(|at| !line[at + 1..].starts_with(':')).take(8);
    let heads = ends.chain([line.len()]).filter_map(|end| line[..end].split_whitespace().last());
    let found = heads.map(|head| head.trim_matches(['"', '\'', '[', ']', '(', ')'])).find(|head| is_kind(head));
    // Ruby has it in brackets at the end: `undefined method (NoMethodError)`.
    let last = || line.rsplit_once('(').map(|(_, last)| last.trim_end_matches(')')).filter(|last| is_kind(last));
    found.or_else(last).map(without_numbers)
}

fn is_kind(name: &str) -> bool {
    let is_name = |char: char| char.is_alphanumeric() || "_$.\\:".contains(char);
    let last = name.rsplit(['.', '\\', ':']).next().unwrap_or_default();
    let is_capital = last.starts_with(|first: char| first.is_ascii_uppercase());
    let has_package = name.contains(['.', '\\']) || name.contains("::");
    name.len() <= NAME_BYTES_MAX
        && name.chars().all(is_name)
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && is_capital
        && (has_package || TYPE_ENDINGS.iter().any(|ending| last.ends_with(ending)))
}

/// Returns the function of a line that is a frame; `next` is the line after it.
fn frame_of(line: &str, next: &str) -> Option<String> {
    let found = line.strip_prefix("at ").and_then(at_frame);
    let found = found.or_else(|| numbered_frame(line)).or_else(|| ruby_frame(line)).or_else(|| go_frame(line, next));
    found.filter(|name| name.len() <= NAME_BYTES_MAX && name.contains(char::is_alphabetic))
}

/// Reads `at pay.Checkout.charge(Checkout.java:12)`, `at async charge (file:///pay.js:3:9)`, `at Pay.Charge(Int32 n) in …`.
fn at_frame(rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches("async ").trim_start_matches("new ");
    if let Some((name, arguments)) = rest.split_once('(') {
        let name = name.trim();
        if name.is_empty() {
            return place_name(arguments);
        }
        // `java.base/java.lang.Thread.run`: the module before the slash.
        let name = if name.contains("$$") { name } else { name.rsplit('/').next().unwrap_or(name) };
        return (!name.contains(' ') || name.contains(" [as ")).then(|| without_numbers(name));
    }
    // Rust puts the place of a frame below it.
    (is_place(rest) && !rest.contains(".rs:")).then(|| place_name(rest)).flatten()
}

/// Reports whether a text is a file with a line: `/srv/pay.js:3:9`.
fn is_place(text: &str) -> bool {
    let is_numbered =
        text.rsplit_once(':').is_some_and(|(_, line)| line.starts_with(|first: char| first.is_ascii_digit()));
    is_numbered && !text.contains(' ') && text.contains(['/', '.'])
}

/// Returns the last two parts of a path, without line and column.
fn place_name(text: &str) -> Option<String> {
    let path = text.split(')').next()?.split('?').next()?;
    let path = path.trim_end_matches(|char: char| char.is_ascii_digit() || char == ':');
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().filter(|file| !file.is_empty())?;
    let folder = parts.next().map(|folder| format!("{folder}/")).unwrap_or_default();
    Some(without_numbers(&format!("{folder}{file}")))
}

/// Reads `File "/srv/pay.py", line 12, in charge`.
fn python_frame(line: &str) -> Option<String> {
    let (file, rest) = line.strip_prefix("File \"")?.split_once('"')?;
    let name = rest.rsplit_once(", in ").map_or("", |(_, name)| name);
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    Some(without_numbers(&format!("{file}:{name}")))
}

/// Reads `3: pay::charge::h0123456789abcdef` of Rust and `#0 /srv/pay.php(12): Pay->charge()` of PHP.
fn numbered_frame(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix('#') {
        let (number, rest) = rest.split_once(' ')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let (_, call) = rest.split_once("): ").filter(|_| is_number)?;
        return Some(without_numbers(call.split('(').next().unwrap_or(call)));
    }
    let (number, name) = line.split_once(": ")?;
    let is_number = !number.is_empty() && number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.trim_start_matches(' ');
    let name = name.split_once(" - ").map_or(name, |(_, name)| name);
    if !is_number || !name.contains("::") || name.contains(' ') && !name.starts_with('<') {
        return None;
    }
    let without_hash = match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => name,
    };
    // Every panic passes through these.
    let is_machinery = ["std::panic", "core::panicking", "rust_begin_unwind", "std::backtrace", "__rust"];
    let is_machinery = is_machinery.iter().any(|start| without_hash.starts_with(start));
    (!is_machinery).then(|| without_numbers(without_hash))
}

/// Reads `from /srv/pay.rb:12:in 'charge'`, and the first line of a Ruby trace, which begins with the place.
fn ruby_frame(line: &str) -> Option<String> {
    let (place, name) = line.split_once(":in ")?;
    let place = place.strip_prefix("from ").unwrap_or(place);
    let (file, _) = place.split_once(".rb:")?;
    let file = file.rsplit('/').next().unwrap_or(file);
    let name = name.trim_start_matches(['`', '\'']).split('\'').next().unwrap_or_default();
    Some(without_numbers(&format!("{file}.rb:{name}")))
}

/// Reads `main.charge(0xc000012345)`, which is followed by a line with its file.
fn go_frame(line: &str, next: &str) -> Option<String> {
    if !next.starts_with(['\t', ' ']) || !next.contains(".go:") {
        return None;
    }
    let line = line.strip_prefix("created by ").unwrap_or(line);
    let name = line.split(" in goroutine").next().unwrap_or(line);
    let name = name.rsplit_once('(').map_or(name, |(name, _)| name);
    (!name.contains(' ') && !name.is_empty()).then(|| without_numbers(name))
}

/// Replaces numbers, and what a runtime adds to the names of generated classes.
fn without_numbers(name: &str) -> String {
    let name = ["$$Lambda", "$$EnhancerBy", "$$SpringCGLIB", "$$FastClass"]
        .iter()
        .find_map(|sign| name.split_once(sign))
        .map_or_else(
            || name.to_owned(),
            |(before, after)| {
                let method = after.rsplit_once('.').map(|(_, method)| format!(".{method}")).unwrap_or_default();
                format!("{before}{method}")
            },
        );
    let mut out = String::with_capacity(name.len());
    for char in name.chars() {
        match char {
            '0'..='9' if out.ends_with('*') => {}
            '0'..='9' => out.push('*'),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests;
