//! What tells one kind of error from another: the pattern of its text, or its stack trace.
//!
//! Of a stack trace counts what people would group by: the type of the innermost cause, or the types of the members of a
//! group, and the program's own functions that it passed through, innermost first. Line numbers, addresses, hashes, numbers
//! in names of lambdas and of generated classes are left out, repetitions of a function too, since recursion varies in depth.
//! A type that is everyone's, such as a panic, or that has no frames counts with the pattern of its message. Without a function
//! the file counts.

use std::collections::BTreeSet;

use parse::exception::{self, Exception, Frame, Trace};
use parse::{Death, Signal};
use pattern::mask;
use types::EventId;

use super::former::{Throwable, exceptions, kind_of};

/// Characters of a text that are masked: messages differ in their beginnings.
const TEXT_CHARS_MAX: usize = 1_000;

/// Longest text that is searched for a stack trace.
const TRACE_BYTES_MAX: usize = 64 << 10;

/// Functions that count: those that say what failed.
const FRAMES_MAX: usize = 6;

/// Bytes of a message in a title.
const MESSAGE_BYTES_MAX: usize = 120;

/// What a wildcard is in a masked text, and how it is shown.
const WILDCARD: char = '\u{1}';
const SHOWN: &str = "<*>";

/// Types that say only that something failed; the first is none at all.
const BARE_KINDS: &str = "|panic|fatal error|Fatal error|Parse error|error|exit|Assertion|Assert_failure|Failure|\
    [BUG]|SIMPLE-ERROR|UnhandledPromiseRejection|Fatal Python error|throw|runtime error|Fortran runtime error|\
    Precondition failed|Assertion failed|Swift runtime failure|ERROR STOP|FATAL ERROR|kernel BUG";

/// Names that types of any package have which say no more.
const BARE_NAMES: &str = "Error|Exception|RuntimeError|RuntimeException|StandardError|AssertionError|\
    AssertionFailedError|runtime_error|exception";

/// Ends of names of files whose functions have the names of their packages or classes.
const QUALIFIED: &str = ".java|.kt|.scala|.groovy|.clj|.cs|.fs|.vb|.go|.rs|.ex";

/// An error as it was accepted.
#[derive(Clone, Debug)]
pub struct ErrorEvent {
    pub(super) id: EventId,
    pub(super) text: String,
    /// The stack trace and the type of the exception, where they are fields of their own.
    pub(super) trace: Option<String>,
    pub(super) kind: Option<String>,
    /// The service, where the event names one.
    pub service: Option<String>,
    pub(super) host: Option<String>,
    pub(super) version: Option<String>,
    pub(super) trace_id: Option<String>,
    pub(super) pid: Option<String>,
}

/// What is equal for errors of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// A masked text, which may have a pattern with others.
    Text(String),
    /// Types and functions of a stack trace; the title is that of the first such error. `base` is the key without what is
    /// said, where that tells errors of one type and place apart.
    Trace { key: String, base: Option<String>, title: String, frames: Vec<String> },
    /// A program that died, as the service manager reports it; all its reports are one issue.
    Deaths { program: String },
}

/// What was equal by the former rule.
pub(super) enum FormerSignature {
    Text(String),
    Trace(String),
}

impl ErrorEvent {
    fn traced_text(&self) -> &str {
        cut(self.trace.as_deref().unwrap_or(&self.text), TRACE_BYTES_MAX)
    }

    /// Returns the text with the stack trace as it was written, where it has one, and what is read of it.
    pub fn exceptions(&self) -> Option<(&str, Trace)> {
        let text = self.traced_text();
        // A single line has no frames.
        let mut trace = text.contains('\n').then(|| exception::read(text)).flatten()?;
        if let Some(first) = trace.exceptions.first_mut().filter(|first| first.kind.is_empty())
            && let Some(named) = self.kind.as_deref().and_then(kind_of)
        {
            first.kind = named;
        }
        Some((text, trace))
    }

    pub(super) fn signature(&self) -> Signature {
        let has_name = |trace: &Trace| {
            trace.has_kind() || trace.exceptions.iter().any(|one| one.frames.iter().any(|frame| frame.is_own))
        };
        if let Some(Death { signal: Signal::Exit | Signal::Result, program: Some(program), .. }) =
            parse::death(&self.text)
        {
            return Signature::Deaths { program };
        }
        match self.exceptions() {
            Some((_, trace)) if has_name(&trace) => of_trace(&trace, &self.text),
            // Of a trace that is not read, its text counts.
            _ => Signature::Text(self.trace.as_deref().map_or_else(|| masked(&self.text), pattern_of)),
        }
    }

    /// Returns what was equal by the former rule.
    pub(super) fn former_signature(&self) -> FormerSignature {
        let text = self.traced_text();
        let mut traced = if text.contains('\n') { exceptions(text) } else { Vec::new() };
        if traced.is_empty() {
            return FormerSignature::Text(masked(&self.text));
        }
        if let Some(first) = traced.first_mut().filter(|first| first.kind.is_empty()) {
            first.kind = self.kind.as_deref().and_then(kind_of).unwrap_or_default();
        }
        let one = |one: &Throwable| format!("{}\n{}\n\n", one.kind, one.frames.join("\n"));
        FormerSignature::Trace(traced.iter().map(one).collect())
    }
}

fn of_trace(trace: &Trace, text: &str) -> Signature {
    let causes = trace.causes();
    let key_of = |says: &dyn Fn(&Exception) -> String| {
        let parts: BTreeSet<String> = causes.iter().map(|cause| part_of(trace, cause, &says(cause))).collect();
        format!("\u{3}{}", parts.into_iter().collect::<Vec<_>>().join("\n\n"))
    };
    // Files alone say little of where it failed.
    let has_function = trace.exceptions.iter().flat_map(|one| &one.frames).any(|frame| !frame.function.is_empty());
    let says = |cause: &Exception| match is_bare(&cause.kind) {
        true => said_by(&cause.message),
        false if has_function => String::new(),
        false => pattern_of(&cause.message),
    };
    let key = key_of(&says);
    let base = Some(key_of(&|_| String::new())).filter(|base| has_function && *base != key);
    let Some(cause) = causes.first() else { return Signature::Text(masked(text)) };
    let frames = frames_of(trace, cause);
    let message = cut(cause.message.lines().next().unwrap_or_default(), MESSAGE_BYTES_MAX);
    let what: Vec<&str> = [&*cause.kind, message].into_iter().filter(|text| !text.is_empty()).collect();
    let what = if what.is_empty() { "error".to_owned() } else { what.join(": ") };
    let place = frames.first().map(|frame| format!(" in {frame}")).unwrap_or_default();
    Signature::Trace { title: format!("{what}{place}"), key, base, frames }
}

/// Returns what counts of an exception that says this.
fn part_of(trace: &Trace, cause: &Exception, said: &str) -> String {
    format!("{}\n{said}\n{}", stable(&cause.kind), frames_of(trace, cause).join("\n"))
}

/// Reports whether a type says only that something failed.
fn is_bare(kind: &str) -> bool {
    let name = kind.rsplit(['.', '\\', ':', '/']).next().unwrap_or(kind);
    BARE_KINDS.split('|').any(|bare| bare == kind) || BARE_NAMES.split('|').any(|bare| bare == name)
}

/// The pattern of a message without the word at its end, which may be a name: `no letter for alice`.
fn said_by(message: &str) -> String {
    let mut pattern = pattern_of(message);
    let words =
        pattern.trim_end().rsplit_once(' ').filter(|(before, last)| before.contains(' ') && !last.ends_with(':'));
    if let Some((before, _)) = words {
        pattern.truncate(before.len());
    }
    pattern
}

/// Returns the functions that identify an issue: the program's own frames of the cause, else those of the innermost exception
/// that has any, else all frames of the cause.
fn frames_of(trace: &Trace, cause: &Exception) -> Vec<String> {
    let own = |one: &Exception| distinct(one.frames.iter().filter(|frame| frame.is_own));
    let outer = || trace.exceptions.iter().rev().map(own).find(|frames| !frames.is_empty());
    Some(own(cause)).filter(|frames| !frames.is_empty()).or_else(outer).unwrap_or_else(|| distinct(cause.frames.iter()))
}

/// Returns the names of frames, each once. Functions that call each other have no first one.
fn distinct<'f>(frames: impl Iterator<Item = &'f Frame>) -> Vec<String> {
    let (mut names, mut is_circle): (Vec<String>, bool) = (Vec::new(), false);
    for name in frames.map(name_of).filter(|name| !name.is_empty()) {
        match names.iter().position(|known| *known == name) {
            Some(at) => is_circle |= at + 1 < names.len(),
            None if names.len() < FRAMES_MAX => names.push(name),
            None => break,
        }
    }
    if is_circle {
        names.sort_unstable();
    }
    names
}

/// Returns what stays the same of a frame from one release to the next.
fn name_of(frame: &Frame) -> String {
    let name = frame.function.split(" [as ").next().unwrap_or_default();
    // `block (2 levels) in run`, `rescue in run`.
    let name = name.rsplit(" in ").next().unwrap_or(name);
    let mut parts = frame.file.split('?').next().unwrap_or_default().rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    if name.is_empty() {
        let folder = parts.next().filter(|folder| !folder.is_empty() && *folder != ".");
        return stable(&folder.map_or_else(|| file.to_owned(), |folder| format!("{folder}/{file}")));
    }
    let is_qualified = file.is_empty() || QUALIFIED.split('|').any(|ending| file.ends_with(ending));
    if is_qualified { stable(name) } else { stable(&format!("{file}:{name}")) }
}

/// Replaces numbers, hashes, and what a runtime adds to the names of generated classes.
fn stable(name: &str) -> String {
    const GENERATED: [&str; 5] = ["$$Lambda", "$$EnhancerBy", "$$SpringCGLIB", "$$FastClass", "$$Generated"];
    let generated = GENERATED.iter().find_map(|sign| name.split_once(sign));
    let name = match generated.map(|(before, after)| (before, after.rsplit_once('.'))) {
        Some((before, Some((_, method)))) => format!("{before}.{method}"),
        Some((before, None)) => before.to_owned(),
        None => name.to_owned(),
    };
    let mut out = String::with_capacity(name.len());
    for word in name.split_inclusive(|char: char| !char.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
        let n_digits = bare.bytes().filter(u8::is_ascii_digit).count();
        let is_hash = bare.len() >= 6 && n_digits > 1 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            out.push('*');
            out.push_str(&word[bare.len()..]);
            continue;
        }
        for char in word.chars() {
            match char {
                '0'..='9' if out.ends_with('*') => {}
                '0'..='9' => out.push('*'),
                char => out.push(char),
            }
        }
    }
    out
}

/// Returns the pattern of a message in which quoted texts, absolute paths and the names of missing things are masked.
fn pattern_of(message: &str) -> String {
    const MISSING: [&str; 3] = [": No such file or directory", ": Permission denied", ": Connection refused"];
    let line = message.trim_start().lines().next().unwrap_or_default();
    let missing = MISSING.iter().find_map(|what| Some((line.split_once(what)?.0.rsplit_once(' ')?, what)));
    if let Some(((before, _), what)) = missing {
        return mask(&format!("{before} 0{what}"));
    }
    let mut out = String::new();
    for (at, piece) in line.split('"').enumerate() {
        if at % 2 == 1 {
            out.push('0');
            continue;
        }
        for word in piece.split_inclusive(' ') {
            let bare = word.trim_matches([' ', '[', ']', '(', ')', ',', ':', '.', ';']);
            let is_quoted = bare.len() > 2 && bare.starts_with('\'') && bare.ends_with('\'');
            let is_varying = is_quoted || bare.trim_start_matches('\'').starts_with('/');
            out.push_str(&if is_varying { word.replace(bare, "0") } else { word.to_owned() });
        }
    }
    mask(&out)
}

/// Returns the masked text of a message.
pub(super) fn masked(text: &str) -> String {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    mask(&text[..end])
}

/// Returns a masked text as it is shown.
pub(super) fn shown(masked: &str) -> String {
    masked.replace(WILDCARD, SHOWN)
}

/// Reports whether a masked text has a pattern that was found in others before. Patterns with few words are not
/// asked: they would take texts that only look alike.
pub(super) fn has_pattern(masked: &str, pattern: &str) -> bool {
    const PLAIN_BYTES_MIN: usize = 8;
    let text = shown(masked);
    let parts: Vec<&str> = pattern.split(SHOWN).collect();
    let n_plain: usize = parts.iter().map(|part| part.trim().len()).sum();
    let [first, between @ .., last] = &*parts else { return false };
    if n_plain < PLAIN_BYTES_MIN || text.len() < first.len() + last.len() {
        return false;
    }
    let Some(rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    // Each wildcard is a word: what is more may be another error.
    let is_word = |between: &str| !between.is_empty() && !between.contains(' ');
    let mut rest = rest;
    for part in between {
        let Some(at) = rest.find(part).filter(|at| is_word(&rest[..*at])) else { return false };
        rest = &rest[at + part.len()..];
    }
    is_word(rest)
}

/// Returns the pattern of a line without the placeholders of the date and time at its beginning.
pub(super) fn without_time(pattern: &str) -> &str {
    let is_time =
        |word: &str| word.contains("<*>") && word.replace("<*>", "").bytes().all(|b| b.is_ascii_punctuation());
    let words = pattern.split_inclusive(' ').take_while(|word| is_time(word.trim_end()));
    let (n_words, n_bytes) = words.fold((0, 0), |(n_words, n_bytes), word| (n_words + 1, n_bytes + word.len()));
    // One word may be the subject of a sentence.
    if n_words > 1 && n_bytes < pattern.len() { &pattern[n_bytes..] } else { pattern }
}

/// Returns the beginning of a text, at most so many bytes.
pub(super) fn cut(text: &str, n_bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(n_bytes_max)]
}

#[cfg(test)]
mod tests;
