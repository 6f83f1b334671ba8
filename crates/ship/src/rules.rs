//! What is done to events before they leave the host: dropped, sampled, masked.
//!
//! Positions stay exact, since the server knows bytes by them: of a masked text every byte becomes `*`, of an event that is
//! dropped every byte becomes a line end, which the server takes for nothing. What is done to an event depends on its
//! bytes and its place alone, so that what is sent again is the same.

use std::borrow::Cow;
use std::ops::Range;

use definition::{DefinitionError, Node, nearest};
use parse::secrets::{self, Find};
use regex::Regex;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Keys of an input that say what is done to its events.
pub(crate) const KEYS: [&str; 4] = ["drop", "keep", "sample", "mask"];

/// Most expressions under one key.
const EXPRESSIONS_MAX: usize = 64;

/// What is done to the events of an input.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// An event in which one of these matches is not sent.
    drop: Vec<Regex>,
    /// Where there are any: an event in which none of these matches is not sent.
    keep: Vec<Regex>,
    /// One of so many events is sent.
    pub(crate) sample: Option<u64>,
    masks: Vec<Mask>,
}

#[derive(Clone, Debug)]
enum Mask {
    Known(Find),
    Own(Regex),
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleFate {
    /// It is sent.
    Sent,
    /// An expression of `drop` matches.
    Dropped,
    /// No expression of `keep` matches.
    NotKept,
    /// It fell out of the sample.
    SampledOut,
}

/// Which bytes of which file they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcePosition<'a> {
    pub(crate) file: &'a str,
    pub(crate) generation: u64,
    pub(crate) start: u64,
}

impl Rules {
    /// Reads the rules of an input's definition.
    pub(crate) fn of(node: &Node<'_>) -> Result<Self, DefinitionError> {
        let sample = node.get("sample").map(|node| match node.count()? {
            0 => Err(node.error("must be 1 or more: one of N events is sent")),
            n => Ok(n),
        });
        let masks = node.get("mask").map(|node| node.one_or_many()).unwrap_or_default();
        Ok(Self {
            drop: expressions(node, "drop")?,
            keep: expressions(node, "keep")?,
            sample: sample.transpose()?,
            masks: masks.iter().map(mask_of).collect::<Result<_, _>>()?,
        })
    }

    /// Reports whether nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.drop.is_empty() && self.keep.is_empty() && self.sample.is_none() && self.masks.is_empty()
    }

    /// Does what is to be done to `bytes`: whole events of these lengths, or one a line.
    pub(crate) fn apply(&self, bytes: &mut [u8], lengths: Option<&[u64]>, place: SourcePosition<'_>) {
        if self.is_empty() {
            return;
        }
        let mut start = 0;
        let mut lengths = lengths.map(|lengths| lengths.iter());
        while start < bytes.len() {
            let length = match &mut lengths {
                Some(lengths) => lengths.next().and_then(|length| usize::try_from(*length).ok()).unwrap_or(usize::MAX),
                None => bytes[start..].iter().position(|byte| *byte == b'\n').map_or(usize::MAX, |at| at + 1),
            };
            let end = start.saturating_add(length).min(bytes.len());
            self.event(&mut bytes[start..end], SourcePosition { start: place.start + start as u64, ..place });
            start = end;
        }
    }

    fn event(&self, event: &mut [u8], place: SourcePosition<'_>) {
        // Between its lines may stand those of others.
        for lines in parse::lines_by_text(event) {
            let text: Vec<u8> = lines.iter().flat_map(|line| event[line.clone()].iter().copied()).collect();
            let start = place.start + lines.first().map_or(0, |line| line.start as u64);
            let fate = self.fate(&same_length_text(text.trim_ascii_end()), SourcePosition { start, ..place });
            if fate != RuleFate::Sent {
                lines.into_iter().for_each(|line| event[line].fill(b'\n'));
            }
        }
        let text = same_length_text(event.trim_ascii_end());
        let places = self.places(&text);
        drop(text);
        for place in places {
            let hidden = event.get_mut(place).unwrap_or_default();
            hidden.iter_mut().filter(|byte| !matches!(**byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
        }
    }

    /// Returns whether the event of a text is sent, else which rule keeps it back.
    pub(crate) fn fate(&self, text: &str, place: SourcePosition<'_>) -> RuleFate {
        let matches = |expressions: &[Regex]| expressions.iter().any(|expression| expression.is_match(text));
        match () {
            () if matches(&self.drop) => RuleFate::Dropped,
            () if !self.keep.is_empty() && !matches(&self.keep) => RuleFate::NotKept,
            () if !self.is_in_sample(place) => RuleFate::SampledOut,
            () => RuleFate::Sent,
        }
    }

    fn is_in_sample(&self, place: SourcePosition<'_>) -> bool {
        let Some(n) = self.sample else { return true };
        let seed = place.generation.rotate_left(32) ^ place.start;
        xxh3_64_with_seed(place.file.as_bytes(), seed).is_multiple_of(n)
    }

    /// Returns places of everything that is to be masked.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for mask in &self.masks {
            mask.find(text, &mut |place| places.push(place));
        }
        if !self.masks.is_empty() && text.contains('\\') && text.contains('"') {
            self.inside_strings(text, &mut places);
        }
        places
    }

    /// Strings of JSON in which something is written with escapes: where what they say is to be masked, all of it is.
    fn inside_strings(&self, text: &str, places: &mut Vec<Range<usize>>) {
        let mut at = 0;
        while let Some(start) = text[at..].find('"').map(|offset| at + offset) {
            let Some(end) = string_end(text.as_bytes(), start) else { return };
            at = end;
            let literal = &text[start..end];
            let Some(said) = literal.contains('\\').then(|| serde_json::from_str::<String>(literal).ok()).flatten()
            else {
                continue;
            };
            let mut has_some = false;
            self.masks.iter().for_each(|mask| mask.find(&said, &mut |_| has_some = true));
            if has_some {
                places.push(start + 1..end - 1);
            }
        }
    }
}

impl Mask {
    fn find(&self, text: &str, take: &mut secrets::Take<'_>) {
        match self {
            Self::Known(find) => find(text, take),
            Self::Own(regex) => regex.find_iter(text).for_each(|found| take(found.range())),
        }
    }
}

fn expressions(node: &Node<'_>, key: &str) -> Result<Vec<Regex>, DefinitionError> {
    let nodes = node.get(key).map(|node| node.one_or_many()).unwrap_or_default();
    if nodes.len() > EXPRESSIONS_MAX {
        return Err(node.child(key).error(format!("at most {EXPRESSIONS_MAX} expressions are allowed")));
    }
    nodes.iter().map(Node::regex).collect()
}

fn mask_of(node: &Node<'_>) -> Result<Mask, DefinitionError> {
    let Ok(name) = node.text() else {
        node.check_keys(&["pattern"])?;
        let pattern = node.needed("pattern", "a regular expression")?;
        let regex = pattern.regex()?;
        if regex.is_match("") {
            return Err(pattern.error("this expression matches the empty text, so it would change every place"));
        }
        return Ok(Mask::Own(regex));
    };
    let known = secrets::RULES.map(|(known, _)| known);
    let rule = secrets::RULES.iter().find(|(known, _)| *known == name);
    rule.map(|(_, find)| Mask::Known(*find)).ok_or_else(|| {
        let near = nearest(name, &known).map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
        let known = known.join(", ");
        node.error(format!("unknown rule \"{name}\"; {near}known: {known}; one of your own is {{ pattern = \"…\" }}"))
    })
}

/// Returns bytes as a text of the same length: what is no UTF-8 is a character of one byte that nothing looks for.
pub(crate) fn same_length_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('\u{1a}', chunk.invalid().len()));
    }
    Cow::Owned(text)
}

/// Returns the end of the JSON string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests;
