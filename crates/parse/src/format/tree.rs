//! All forms as one tree: what forms begin with alike is read once, and where they part, the next characters decide.
//!
//! At a node the literals that may follow are found by their first byte, and there are few other kinds of steps, however
//! many forms there are. Reading tries them from the most particular kind on and goes back where one leads nowhere; how much
//! is tried for one line is bounded.

use std::collections::HashSet;

use types::Level;

use super::captures::Captures;
use super::form::Step;

/// Steps that are tried for one line, those that lead nowhere included: several times what the longest form takes.
const STEPS_TRIED_MAX: u32 = 256;

/// Longest word or text that a step captures, but for the last.
const CAPTURE_BYTES_MAX: usize = 512;

/// Longest word for a level.
const LEVEL_BYTES_MAX: usize = 24;

/// Words of different ends that are tried at one place.
const WORDS_MAX: usize = 8;

/// The place of words among kinds of steps.
const RANK_OF_WORDS: u8 = 6;

#[derive(Debug, Default)]
struct Node {
    /// Literals in the order of their first bytes.
    literals: Vec<(Box<str>, u32)>,
    /// Other steps, the most particular kind first.
    steps: Vec<(Step, u32)>,
    /// Whether some of the steps are words.
    has_words: bool,
    /// The forms that end here: they differ in what their words for levels mean.
    forms: Vec<usize>,
}

/// Forms of lines.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The words for levels of all formats: most words are none of them, and end the search at once.
    levels: HashSet<Box<[u8]>>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], levels: HashSet::new() }
    }
}

impl Tree {
    /// Adds words for levels.
    pub(super) fn add_levels<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        self.levels.extend(words.map(|word| word.as_bytes().into()));
    }

    fn is_level(&self, word: &[u8]) -> bool {
        (1..=LEVEL_BYTES_MAX).contains(&word.len())
            && (Level::parse_bytes(word).is_some() || self.levels.contains(word))
    }

    /// Adds a form. Of several that are the same but for their words for levels, those that have some come first.
    pub(super) fn add(&mut self, steps: &[Step], form: (usize, bool)) {
        let mut at = 0;
        for step in steps {
            at = self.child(at, step);
        }
        let (form, has_level) = form;
        let forms = &mut self.nodes[at].forms;
        if has_level { forms.insert(0, form) } else { forms.push(form) }
    }

    fn child(&mut self, at: usize, step: &Step) -> usize {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[at];
        let known = match step {
            Step::Literal(literal) => match node.literals.binary_search_by(|(known, _)| known.cmp(literal)) {
                Ok(place) => Some(node.literals[place].1),
                Err(place) => {
                    node.literals.insert(place, (literal.clone(), next));
                    None
                }
            },
            other => match node.steps.iter().find(|(known, _)| known == other) {
                Some((_, child)) => Some(*child),
                None => {
                    node.has_words |= matches!(other, Step::Word { .. } | Step::Level { .. });
                    node.steps.push((other.clone(), next));
                    node.steps.sort_by_key(|(step, _)| rank(step));
                    None
                }
            },
        };
        known.unwrap_or_else(|| {
            self.nodes.push(Node::default());
            next
        }) as usize
    }

    /// Finds the form of a line that `fits` accepts, and what it captures.
    pub(super) fn find(
        &self,
        line: &str,
        captures: &mut Captures,
        fits: &dyn Fn(usize, &Captures) -> bool,
    ) -> Option<usize> {
        let line = &line[..line.len().min(u32::MAX as usize)];
        let first_line_end = memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
        let mut search = Search { tree: self, line, first_line_end, tried: 0, fits };
        // Padding before a line says nothing.
        let start = n_leading(&line.as_bytes()[..first_line_end], |byte| matches!(byte, b' ' | b'\t'));
        search.from(0, start, captures)
    }
}

/// In which order kinds of steps are tried.
fn rank(step: &Step) -> u8 {
    match step {
        Step::Literal(_) => 0,
        Step::Blanks(least) => {
            if *least > 1 {
                0
            } else {
                1
            }
        }
        Step::Time => 2,
        Step::Integer => 3,
        Step::Number => 4,
        Step::Level { .. } => 5,
        Step::Source | Step::Dotted | Step::Word { until: Some(_), .. } => 6,
        Step::Word { until: None, .. } => 7,
        Step::Text { .. } => 8,
        Step::Pairs => 9,
        Step::Rest => 10,
    }
}

struct Search<'s> {
    tree: &'s Tree,
    line: &'s str,
    first_line_end: usize,
    tried: u32,
    fits: &'s dyn Fn(usize, &Captures) -> bool,
}

impl Search<'_> {
    fn from(&mut self, node: usize, at: usize, captures: &mut Captures) -> Option<usize> {
        let tree = self.tree;
        let node = tree.nodes.get(node)?;
        let rest = self.line.as_bytes().get(at..self.first_line_end).unwrap_or_default();
        if !node.forms.is_empty() && rest.iter().all(u8::is_ascii_whitespace) {
            let form = node.forms.iter().copied().find(|form| (self.fits)(*form, captures));
            if form.is_some() {
                return form;
            }
        }
        let n_captures = captures.len;
        if let Some(first) = rest.first() {
            let begin = node.literals.partition_point(|(literal, _)| literal.as_bytes()[0] < *first);
            for (literal, child) in &node.literals[begin..] {
                if literal.as_bytes()[0] != *first {
                    break;
                }
                if rest.starts_with(literal.as_bytes())
                    && let Some(form) = self.next(*child, at + literal.len(), captures)
                {
                    return Some(form);
                }
                captures.len = n_captures;
            }
        }
        let word = if node.has_words { Word::at(rest) } else { Word { length: 0, mask: 0 } };
        // Of words the shorter comes first, as what ends it comes first in the line.
        let mut words = [(0, 0); WORDS_MAX];
        let mut n_words = 0;
        for (step, child) in &node.steps {
            if rank(step) > RANK_OF_WORDS && n_words > 0 {
                if let Some(form) = self.words(&words[..n_words], at, captures) {
                    return Some(form);
                }
                n_words = 0;
            }
            let Some(end) = self.end_of(step, at, &word) else { continue };
            if let (Step::Word { until: Some(_), .. }, Some(place)) = (step, words.get_mut(n_words)) {
                *place = (end as u32, *child);
                n_words += 1;
                words[..n_words].sort_unstable();
                continue;
            }
            if step.captures() {
                captures.push(at, end);
            }
            if let Some(form) = self.next(*child, end, captures) {
                return Some(form);
            }
            captures.len = n_captures;
        }
        self.words(&words[..n_words], at, captures)
    }

    fn words(&mut self, words: &[(u32, u32)], at: usize, captures: &mut Captures) -> Option<usize> {
        let n_captures = captures.len;
        words.iter().find_map(|(end, child)| {
            captures.push(at, *end as usize);
            let form = self.next(*child, *end as usize, captures);
            captures.len = if form.is_none() { n_captures } else { captures.len };
            form
        })
    }

    fn next(&mut self, node: u32, at: usize, captures: &mut Captures) -> Option<usize> {
        self.tried += 1;
        if self.tried > STEPS_TRIED_MAX { None } else { self.from(node as usize, at, captures) }
    }

    /// Where a step ends that begins at `at`; `None` where the line does not go on so.
    fn end_of(&self, step: &Step, at: usize, word: &Word) -> Option<usize> {
        let rest = self.line.as_bytes().get(at..self.first_line_end).unwrap_or_default();
        let within = &rest[..rest.len().min(CAPTURE_BYTES_MAX)];
        let length = match step {
            Step::Literal(_) => return None,
            Step::Blanks(least) => {
                let length = n_leading(rest, |byte| matches!(byte, b' ' | b'\t'));
                return (length >= *least).then_some(at + length);
            }
            Step::Time => crate::time::time_end(rest).or_else(|| epoch_end(rest)).or_else(|| clock_end(rest))?,
            Step::Integer => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit())),
            Step::Number => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit() || byte == b'.')),
            Step::Level { until, is_padded } => {
                let length = word.length_until(*until, *is_padded, rest)?;
                let is_level = self.tree.is_level(rest.get(..length)?);
                return is_level.then_some(at + length);
            }
            Step::Word { until, is_padded, is_optional } => {
                let length = word.length_until(*until, *is_padded, rest)?;
                return (length > 0 || *is_optional).then_some(at + length);
            }
            Step::Dotted => n_dotted(within),
            Step::Source => {
                let length = n_leading(within, |byte| !matches!(byte, b' ' | b'\t' | b']' | b')'));
                let is_source = self.line.get(at..at + length).is_some_and(crate::shape::is_source);
                if is_source { length } else { 0 }
            }
            Step::Text { until, is_optional } => {
                let length =
                    if until.is_empty() { rest.len() } else { crate::find::find_short(within, until.as_bytes())? };
                return (length > 0 || *is_optional).then_some(at + length);
            }
            Step::Pairs => return Some(self.first_line_end),
            Step::Rest => return Some(self.line.len()),
        };
        (length > 0).then_some(at + length)
    }
}

/// The length of a name of several parts, such as `org.acme.App`, `mail::queue` and `main/yp`.
fn n_dotted(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let (mut length, mut n_parts) = (0, 0);
    while let Some(byte) = bytes.get(length) {
        let is_colons = bytes[length..].starts_with(b"::");
        if is_colons || matches!(byte, b'.' | b'/') {
            n_parts += 1;
        } else if !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'$' | b'-') {
            break;
        }
        length += if is_colons { 2 } else { 1 };
    }
    if n_parts > 0 && bytes[length - 1].is_ascii_alphanumeric() { length } else { 0 }
}

fn n_leading(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len())
}

fn unsigned(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"-").unwrap_or(bytes)
}

fn signed(bytes: &[u8], n_digits: usize) -> usize {
    if n_digits == 0 { 0 } else { n_digits + usize::from(bytes.first() == Some(&b'-')) }
}

/// The word that a text begins with.
struct Word {
    length: usize,
    /// Which ASCII characters it has.
    mask: u128,
}

impl Word {
    fn at(rest: &[u8]) -> Self {
        let mut word = Self { length: 0, mask: 0 };
        for byte in rest.iter().take(CAPTURE_BYTES_MAX).take_while(|byte| !matches!(byte, b' ' | b'\t')) {
            word.length += 1;
            word.mask |= 1 << (byte & 0x7f);
        }
        word
    }

    /// How long it is up to a character, or up to its end where padding may stand before that.
    fn length_until(&self, until: Option<u8>, is_padded: bool, rest: &[u8]) -> Option<usize> {
        match until {
            None => Some(self.length),
            // A tab ends a word anyhow.
            Some(until) if rest.get(self.length) == Some(&until) && !self.has(until) => Some(self.length),
            Some(until) if self.has(until) => Some(n_leading(&rest[..self.length], |byte| byte != until)),
            Some(_) => (is_padded && self.length < rest.len()).then_some(self.length),
        }
    }

    /// Whether the word may have a character; what is no ASCII counts as what it is without its highest bit.
    fn has(&self, byte: u8) -> bool {
        self.mask & (1 << (byte & 0x7f)) != 0
    }
}

/// Where an epoch number ends: seconds with or without a fraction, milliseconds, microseconds or nanoseconds.
fn epoch_end(bytes: &[u8]) -> Option<usize> {
    let n_digits = n_leading(&bytes[..bytes.len().min(20)], |byte| byte.is_ascii_digit());
    if !matches!(n_digits, 10 | 13 | 16 | 19) {
        return None;
    }
    let n_fraction = bytes
        .get(n_digits..)
        .and_then(|rest| rest.strip_prefix(b"."))
        .map_or(0, |fraction| n_leading(&fraction[..fraction.len().min(9)], |byte| byte.is_ascii_digit()));
    Some(if n_fraction == 0 { n_digits } else { n_digits + 1 + n_fraction })
}

/// Where a time of day with seconds ends.
fn clock_end(bytes: &[u8]) -> Option<usize> {
    let is_clock = bytes.get(..8)?.iter().enumerate().all(|(at, byte)| match at {
        2 | 5 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let has_fraction = bytes.get(8).is_some_and(|byte| matches!(byte, b'.' | b','));
    let n_fraction = if has_fraction { n_leading(&bytes[9..], |byte| byte.is_ascii_digit()) } else { 0 };
    is_clock.then_some(if n_fraction == 0 { 8 } else { 9 + n_fraction })
}
