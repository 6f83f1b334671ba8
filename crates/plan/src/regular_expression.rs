//! Regular expressions of queries: compiled within limits, and what their matches must hold.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

// 1 MiB of compiled program holds every expression of a sane size and refuses `(\w{100}){100}`.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// The most regular expressions of one query. Each may take 1 MiB and some milliseconds; one `a|b|c` replaces many.
pub const REGEXES_MAX: usize = 64;

/// Compiles a regular expression that a person wrote, within limits. The text of the error names the mistake
/// and, where it is a mistake of syntax, the byte of `source` where it is.
pub fn compile_regex(source: &str, ignores_case: bool) -> Result<Regex, (String, usize)> {
    if let Err(error) = regex_syntax::Parser::new().parse(source) {
        let (problem, at) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start.offset),
            _ => (error.to_string(), 0),
        };
        return Err((format!("this regular expression is not valid: {problem}"), at));
    }
    // The flag is part of the text, so that two different expressions never show the same text.
    let source = if ignores_case { format!("(?i){source}") } else { source.to_owned() };
    RegexBuilder::new(&source).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build().map_err(|error| {
        match error {
            regex::Error::CompiledTooBig(_) => {
                ("this regular expression is too large: its repetitions multiply".to_owned(), 0)
            }
            other => (format!("this regular expression is not valid: {other}"), 0),
        }
    })
}

/// Compiles a regular expression in Go's syntax, within the same limits.
pub fn compile_go_regex(source: &str) -> Result<Regex, String> {
    let rewritten =
        goregex::rewritten(source).map_err(|error| format!("this regular expression is not valid: {error}"))?;
    compile_regex(&rewritten, false).map_err(|(message, _)| message)
}

/// Returns the longest text that every match of an expression holds, in lower case.
pub fn required_literal(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut best = String::new();
    let mut run = String::new();
    collect(&hir, &mut run, &mut best, 0);
    keep_longer(&mut run, &mut best);
    (!best.is_empty()).then_some(best)
}

fn keep_longer(run: &mut String, best: &mut String) {
    if run.len() > best.len() {
        best.clone_from(run);
    }
    run.clear();
}

/// Walks what must occur: `run` is the text that stands immediately before this place in every match.
fn collect(hir: &Hir, run: &mut String, best: &mut String, depth: usize) {
    match hir.kind() {
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => run.push_str(&text.to_ascii_lowercase()),
            Err(_) => keep_longer(run, best),
        },
        HirKind::Class(class) => match letter_in_both_cases(class) {
            Some(letter) => run.push(letter),
            None => keep_longer(run, best),
        },
        HirKind::Concat(parts) if depth < 64 => parts.iter().for_each(|part| collect(part, run, best, depth + 1)),
        HirKind::Capture(capture) if depth < 64 => collect(&capture.sub, run, best, depth + 1),
        // Before and after a repetition stands something else than once: what it holds must occur all the same.
        HirKind::Repetition(repetition) if repetition.min > 0 && depth < 64 => {
            keep_longer(run, best);
            collect(&repetition.sub, run, best, depth + 1);
            keep_longer(run, best);
        }
        HirKind::Look(_) | HirKind::Empty => {}
        _ => keep_longer(run, best),
    }
}

/// Returns the letter that a class like `[Ee]` stands for.
fn letter_in_both_cases(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let letters: Vec<char> = class.iter().take(3).flat_map(|range| range.start()..=range.end()).take(4).collect();
    let [first, second] = letters[..] else { return None };
    let is_pair = first.is_ascii_alphabetic() && first.eq_ignore_ascii_case(&second);
    is_pair.then(|| first.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
