//! `| logfmt`: pairs of keys and values.

use std::borrow::Cow;

use parse::logfmt_pair;

use super::super::label_set::LabelSet;
use super::label_name::{LABELS_MAX, label_name, valid};

const LOGFMT_ERROR: &str = "LogfmtParserErr";

/// How `logfmt` reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logfmt {
    /// Whether a malformed pair is an error (`--strict`).
    pub is_strict: bool,
    /// Whether keys without a value become labels (`--keep-empty`).
    pub keeps_empty: bool,
}

/// Hands over pairs until there are no more, or until `each` says `false`.
///
/// # Errors
/// The last mistake there was; with `is_strict` the first, after which nothing is read.
pub fn logfmt_pairs<'a>(
    line: &'a str,
    is_strict: bool,
    each: &mut dyn FnMut(&'a str, Cow<'a, str>),
) -> Result<(), String> {
    let bytes = line.as_bytes();
    let (mut at, mut problem) = (0, Ok(()));
    while at < bytes.len() {
        if bytes[at] <= b' ' {
            at += 1;
            continue;
        }
        match logfmt_pair(line, &mut at) {
            Ok((key, value)) => each(key, value),
            Err(error) => {
                problem = Err(format!("logfmt syntax error at pos {} : {error}", at + 1));
                if is_strict {
                    break;
                }
                // What is left of the word belongs to the mistake.
                at += bytes[at..].iter().position(|byte| *byte <= b' ').unwrap_or(bytes.len() - at);
            }
        }
    }
    problem
}

/// `| logfmt`: all pairs.
pub fn logfmt<'a>(line: &'a str, how: Logfmt, set: &mut LabelSet<'a>) {
    let mut n_labels = 0;
    let read = logfmt_pairs(line, how.is_strict, &mut |key, value| {
        let name = label_name("", Cow::Borrowed(key));
        if !name.is_empty() && n_labels < LABELS_MAX && (how.keeps_empty || !value.is_empty()) {
            n_labels += 1;
            set.extract(name, valid(value));
        }
    });
    note_logfmt(read, how, set);
}

fn note_logfmt(read: Result<(), String>, how: Logfmt, set: &mut LabelSet<'_>) {
    if let Err(details) = read
        && how.is_strict
    {
        set.fail(LOGFMT_ERROR, details);
    }
}

/// `| logfmt a="b"`: the values of some keys, under the names given.
pub fn logfmt_keys<'a>(line: &'a str, how: Logfmt, keys: &'a [(String, String)], set: &mut LabelSet<'a>) {
    for (name, _) in keys {
        if *set.extracted_name(Cow::Borrowed(name)) == **name {
            set.set(name.as_str(), "");
        }
    }
    let mut is_over = false;
    let read = logfmt_pairs(line, how.is_strict, &mut |key, value| {
        let found = label_name("", Cow::Borrowed(key));
        // What an earlier stage has found is passed over, unless it is one of the names.
        if set.is_extracted(&found) && !keys.iter().any(|(name, _)| *name == found) {
            return;
        }
        let named = keys.iter().find(|(_, key)| *key == found).or_else(|| keys.iter().find(|(name, _)| *name == found));
        let Some((name, _)) = named.filter(|_| !is_over) else { return };
        let extracted = set.extracted_name(Cow::Borrowed(name.as_str()));
        // Of a label that the stream has as well the first value counts, and reading ends at the second.
        if extracted != name.as_str() && set.is_extracted(&extracted) {
            is_over = true;
            return;
        }
        set.set(extracted, if value.contains('\u{fffd}') { Cow::Borrowed("") } else { value });
    });
    note_logfmt(read, how, set);
}
