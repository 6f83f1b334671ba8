//! Exceptions that the BEAM writes as terms: `{badarith,[{mail,divide,2,[{file,"mail.erl"},{line,8}]}]}`.

use super::family::Family;
use super::own;
use super::trace::{Exception, Frame, Trace};

/// Bytes before a place in which the function is looked for, and frames that are read.
const BEFORE_BYTES_MAX: usize = 400;
const FRAMES_MAX: usize = 100;

/// Adds the frames of an Erlang term to a trace, and the exit reason as its type if it has none.
pub(super) fn add_frames(text: &str, trace: &mut Trace) {
    let mut frames = Vec::new();
    let mut first = None;
    for (at, _) in text.match_indices("{file,").take(FRAMES_MAX) {
        let Some((start, function)) = function_before(text, at) else { continue };
        let after = &text[at + "{file,".len()..];
        let file = after.split('"').nth(1).filter(|file| file.len() < 300).unwrap_or_default();
        let line = after.split_once("{line,").map(|(between, rest)| (between.len() < 320, rest));
        let line =
            line.filter(|(is_near, _)| *is_near).and_then(|(_, rest)| rest.split('}').next()?.trim().parse().ok());
        first = first.or(Some(start));
        let mut frame = Frame { function, file: file.to_owned(), line, is_own: false };
        frame.is_own = own::is_own(Family::Beam, &frame);
        frames.push(frame);
    }
    let Some(first) = first else { return };
    let reason = reason_before(&text[..first]);
    match trace.exceptions.last_mut() {
        Some(last) => {
            last.frames = frames;
            if last.kind.is_empty() {
                last.kind = reason.to_owned();
            }
        }
        None => trace.exceptions.push(Exception { kind: reason.to_owned(), frames, ..Exception::default() }),
    }
}

/// The tuple `{module,function,…` that a place is in.
fn function_before(text: &str, at: usize) -> Option<(usize, String)> {
    let from = text.ceil_char_boundary(at.saturating_sub(BEFORE_BYTES_MAX));
    let window = &text[from..at];
    window.rmatch_indices('{').take(16).find_map(|(start, _)| {
        let mut parts = window[start + 1..].split(',').map(str::trim);
        let (module, name, arity) = (parts.next()?, parts.next()?, parts.next()?);
        let is_atom = |text: &str| {
            let bare = text.trim_matches('\'');
            !bare.is_empty()
                && bare.len() < 100
                && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.@".contains(&byte))
                && !bare.as_bytes()[0].is_ascii_digit()
        };
        let n = arity.bytes().all(|byte| byte.is_ascii_digit());
        let is_call = is_atom(module) && is_atom(name) && (n || arity.starts_with('['));
        let arity = if n { format!("/{arity}") } else { String::new() };
        is_call.then(|| (from + start, format!("{}:{}{arity}", module.trim_matches('\''), name.trim_matches('\''))))
    })
}

/// The atom that begins the reason: `{badarith,[`, `{{badmatch,7},[`.
fn reason_before(text: &str) -> &str {
    const MARKS: [&str; 4] = ["exit value:", "do_boot", "eason:", "during boot"];
    let from = MARKS.iter().find_map(|mark| text.find(mark)).unwrap_or(0);
    let reason = text[from..].find('{').map_or("", |at| text[from + at..].trim_start_matches('{'));
    let end = reason.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(reason.len());
    &reason[..end.min(100)]
}
