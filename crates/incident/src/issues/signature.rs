//! What tells one kind of error from another: the pattern of its text, or its stack trace.

use std::fmt::Write;

use pattern::mask;
use types::EventId;

use crate::exception::{Throwable, exceptions, kind_of};

/// Characters of a text that are masked: messages differ in their beginnings.
const TEXT_CHARS_MAX: usize = 1_000;

/// Longest text that is searched for a stack trace.
const TRACE_BYTES_MAX: usize = 64 << 10;

/// What a wildcard is in a masked text, and how it is shown.
const WILDCARD: char = '\u{1}';
const SHOWN: &str = "<*>";

/// An error as it was accepted.
#[derive(Clone, Debug)]
pub(super) struct ErrorEvent {
    pub(super) id: EventId,
    pub(super) text: String,
    /// The stack trace and the type of the exception, where they are fields of their own.
    pub(super) trace: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) service: Option<String>,
    pub(super) host: Option<String>,
    pub(super) version: Option<String>,
    pub(super) trace_id: Option<String>,
}

/// What is equal for errors of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// A masked text, which may have a pattern with others.
    Text(String),
    /// Types and functions of a stack trace; the title shows the first of them.
    Trace { key: String, title: String, frames: Vec<String> },
}

impl ErrorEvent {
    pub(super) fn signature(&self) -> Signature {
        let text = self.trace.as_deref().unwrap_or(&self.text);
        // A single line has no frames.
        let traced = if text.contains('\n') { exceptions(cut(text, TRACE_BYTES_MAX)) } else { Vec::new() };
        if traced.is_empty() {
            return Signature::Text(masked(&self.text));
        }
        let named = self.kind.as_deref().and_then(kind_of);
        of_trace(traced, named)
    }
}

fn of_trace(mut traced: Vec<Throwable>, named: Option<String>) -> Signature {
    if let Some(first) = traced.first_mut().filter(|first| first.kind.is_empty()) {
        first.kind = named.unwrap_or_default();
    }
    let mut key = String::new();
    for one in &traced {
        // Writing into a String cannot fail.
        let _ = write!(key, "{}\n{}\n\n", one.kind, one.frames.join("\n"));
    }
    // The last cause is what failed; the first frame with a function says where.
    let cause = traced.iter().rev().find(|one| !one.kind.is_empty()).map_or("error", |one| &*one.kind);
    let frames: Vec<String> =
        traced.iter().rev().find(|one| !one.frames.is_empty()).map(|one| one.frames.clone()).unwrap_or_default();
    let place = frames.first().map(|frame| format!(" in {frame}")).unwrap_or_default();
    Signature::Trace { title: format!("{cause}{place}"), key, frames }
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

/// Returns the beginning of a text, at most so many bytes.
pub(super) fn cut(text: &str, n_bytes_max: usize) -> &str {
    let mut end = text.len().min(n_bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Timestamp;

    fn of(text: &str) -> Signature {
        let id = EventId { group_id: 1, timestamp: Timestamp(0), sequence: 1 };
        let none = || None::<String>;
        let (trace, kind, service, host, version, trace_id) = (none(), none(), none(), none(), none(), none());
        ErrorEvent { id, text: text.into(), trace, kind, service, host, version, trace_id }.signature()
    }

    #[test]
    fn messages_that_differ_in_values_are_one_and_so_are_traces_that_differ_in_messages_and_lines() {
        assert_eq!(of("order 17 failed after 3 ms"), of("order 18 failed after 12 ms"));
        assert_ne!(of("order 17 failed"), of("order 17 refused"));
        let trace = |message: &str, line: u32| format!("a.BadError: {message}\n\tat a.B.run(B.java:{line})\n");
        assert_eq!(of(&trace("no user alice", 3)), of(&trace("quota exceeded for bob", 99)));
        assert_ne!(of(&trace("x", 1)), of("a.OtherError: x\n\tat a.B.run(B.java:1)\n"));
        let Signature::Trace { title, .. } = of(&trace("x", 1)) else { panic!("a trace") };
        assert_eq!(title, "a.BadError in a.B.run");
    }

    #[test]
    fn texts_have_the_patterns_that_they_match_from_end_to_end() {
        let holds = |text: &str, pattern: &str| has_pattern(&masked(text), pattern);
        assert!(holds("user carol not found", "user <*> not found"));
        assert!(holds("user carol of 7 not found", "user <*> of <*> not found"));
        assert!(!holds("user carol of 7 not found", "user <*> not found"));
        assert!(!holds("user carol not found twice", "user <*> not found"));
        assert!(!holds("user carol", "user <*>"));
        assert!(!holds("not found", "not found <*> not found"));
    }
}
