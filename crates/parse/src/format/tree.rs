//! All forms as one tree: what forms begin with alike is read once, and where they part, the next characters decide.
//!
//! At a node the literals that may follow are found by their first byte, and there are few other kinds of steps, however
//! many forms there are. Reading tries them from the most particular kind on and goes back where one leads nowhere; how much
//! is tried for one line is bounded.

use types::Level;

use super::captures::Captures;
use super::form::Step;
use super::outlook::Outlook;
use crate::signs::{ANY, END, Signs, sign};
use crate::time::TimeMemo;

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

/// Where a step leads.
#[derive(Debug)]
struct Edge {
    to: u32,
    rank: u8,
    /// What the step may begin with.
    admits: Signs,
    /// What follows it.
    outlook: Outlook,
}

impl Edge {
    fn new(to: u32, rank: u8) -> Self {
        Self { to, rank, admits: ANY, outlook: Outlook::default() }
    }

    /// Notes what follows, and returns the outlook before the step.
    fn note(&mut self, next: Outlook, before: impl FnOnce(Outlook) -> Outlook) -> Outlook {
        let outlook = before(next);
        (self.outlook, self.admits) = (next, outlook.first);
        outlook
    }
}

#[derive(Debug, Default)]
struct Node {
    /// Literals in the order of their first bytes.
    literals: Vec<(Box<str>, Edge)>,
    /// Other steps, the most particular kind first.
    steps: Vec<(Step, Edge)>,
    /// What literals begin with.
    literal_signs: Signs,
    /// The forms that end here: they differ in what their words for levels mean.
    forms: Vec<usize>,
}

/// Forms of lines.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The words for levels of all formats: most words are none of them, and end the search at once.
    levels: Vec<Box<[u8]>>,
    /// Lengths that they have, a bit each, by the lower bits of their first bytes.
    level_lengths: [u32; 32],
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], levels: Vec::new(), level_lengths: [0; 32] }
    }
}

impl Tree {
    /// Adds words for levels.
    pub(super) fn add_levels<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        for word in words.map(str::as_bytes).filter(|word| (1..=LEVEL_BYTES_MAX).contains(&word.len())) {
            self.level_lengths[usize::from(word[0] & 31)] |= 1 << word.len();
            if let Err(place) = self.levels.binary_search_by(|known| (**known).cmp(word)) {
                self.levels.insert(place, word.into());
            }
        }
    }

    fn is_level(&self, word: &[u8]) -> bool {
        let Some(first) = word.first().filter(|_| word.len() <= LEVEL_BYTES_MAX) else { return false };
        let is_known = || self.level_lengths[usize::from(first & 31)] & (1 << word.len()) != 0;
        Level::parse_bytes(word).is_some()
            || is_known() && self.levels.binary_search_by(|known| (**known).cmp(word)).is_ok()
    }

    /// Notes for each edge what can follow there, once all forms are in.
    pub(super) fn seal(&mut self) {
        let level_signs = self.levels.iter().fold(0, |all, word| all | sign(word[0]));
        let mut outlooks = vec![Outlook::NONE; self.nodes.len()];
        // What follows a node has a later place.
        for (at, node) in self.nodes.iter_mut().enumerate().rev() {
            let mut all = if node.forms.is_empty() { Outlook::NONE } else { Outlook::END };
            for (literal, edge) in &mut node.literals {
                all = all.or(edge.note(outlooks[edge.to as usize], |next| Outlook::of_literal(literal, next)));
                node.literal_signs |= edge.admits;
            }
            for (step, edge) in &mut node.steps {
                all = all.or(edge.note(outlooks[edge.to as usize], |next| Outlook::of(step, next, level_signs)));
            }
            outlooks[at] = all;
        }
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
                Ok(place) => Some(node.literals[place].1.to),
                Err(place) => {
                    node.literals.insert(place, (literal.clone(), Edge::new(next, 0)));
                    None
                }
            },
            other => match node.steps.iter().find(|(known, _)| known == other) {
                Some((_, edge)) => Some(edge.to),
                None => {
                    node.steps.push((other.clone(), Edge::new(next, rank(other))));
                    node.steps.sort_by_key(|(_, edge)| edge.rank);
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
        times: &TimeMemo,
        captures: &mut Captures,
        fits: &dyn Fn(usize, &Captures) -> bool,
    ) -> Option<usize> {
        let line = &line[..line.len().min(u32::MAX as usize)];
        let first_line = times.first_line(line).as_bytes();
        let lacks = !times.learn_signs(first_line) & !END;
        let mut search = Search { tree: self, line, times, first_line, lacks, tried: 0, fits };
        // Padding before a line says nothing.
        let start = n_leading(first_line, |byte| matches!(byte, b' ' | b'\t'));
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
    times: &'s TimeMemo,
    first_line: &'s [u8],
    /// What the first line does not have.
    lacks: Signs,
    tried: u32,
    fits: &'s dyn Fn(usize, &Captures) -> bool,
}

impl Search<'_> {
    fn from(&mut self, node: u32, at: usize, captures: &mut Captures) -> Option<usize> {
        let tree = self.tree;
        let node = tree.nodes.get(node as usize)?;
        let rest = self.first_line.get(at..).unwrap_or_default();
        if !node.forms.is_empty() && rest.iter().all(u8::is_ascii_whitespace) {
            let form = node.forms.iter().copied().find(|form| (self.fits)(*form, captures));
            if form.is_some() {
                return form;
            }
        }
        let next = rest.first().map_or(END, |byte| sign(*byte));
        if node.literal_signs & next != 0
            && let Some(form) = self.literal(&node.literals, at, captures)
        {
            return Some(form);
        }
        let n_captures = captures.len;
        let mut n_word = None;
        // Of words the shorter comes first, as what ends it comes first in the line.
        let mut words = Words::default();
        for (step, edge) in &node.steps {
            if edge.rank > RANK_OF_WORDS && words.n > 0 {
                if let Some(form) = self.words(&words, at, captures) {
                    return Some(form);
                }
                words.n = 0;
            }
            if edge.admits & next == 0 || edge.outlook.needs & self.lacks != 0 {
                continue;
            }
            let Some(end) = self.end_of(step, at, &mut n_word) else { continue };
            let behind = self.first_line.get(end).map_or(END, |byte| sign(*byte));
            if edge.outlook.first & behind == 0 {
                continue;
            }
            if matches!(step, Step::Word { until: Some(_), .. }) && words.add(end as u32, edge.to) {
                continue;
            }
            if step.captures() {
                captures.push(at, end);
            }
            if let Some(form) = self.next(edge.to, end, captures) {
                return Some(form);
            }
            captures.len = n_captures;
        }
        self.words(&words, at, captures)
    }

    fn literal(&mut self, literals: &[(Box<str>, Edge)], at: usize, captures: &mut Captures) -> Option<usize> {
        let n_captures = captures.len;
        let rest = &self.first_line[at..];
        let begin = literals.partition_point(|(literal, _)| literal.as_bytes()[0] < rest[0]);
        let alike = literals[begin..].iter().take_while(|(literal, _)| literal.as_bytes()[0] == rest[0]);
        for (literal, edge) in alike {
            if edge.outlook.needs & self.lacks == 0
                && rest.starts_with(literal.as_bytes())
                && let Some(form) = self.next(edge.to, at + literal.len(), captures)
            {
                return Some(form);
            }
            captures.len = n_captures;
        }
        None
    }

    fn words(&mut self, words: &Words, at: usize, captures: &mut Captures) -> Option<usize> {
        let n_captures = captures.len;
        words.ends[..words.n].iter().find_map(|(end, child)| {
            captures.push(at, *end as usize);
            let form = self.next(*child, *end as usize, captures);
            captures.len = if form.is_none() { n_captures } else { captures.len };
            form
        })
    }

    fn next(&mut self, node: u32, at: usize, captures: &mut Captures) -> Option<usize> {
        self.tried += 1;
        if self.tried > STEPS_TRIED_MAX { None } else { self.from(node, at, captures) }
    }

    /// Where a step ends that begins at `at`; `None` where the line does not go on so.
    fn end_of(&self, step: &Step, at: usize, n_word: &mut Option<usize>) -> Option<usize> {
        let rest = self.first_line.get(at..).unwrap_or_default();
        let within = &rest[..rest.len().min(CAPTURE_BYTES_MAX)];
        let length = match step {
            Step::Literal(_) => return None,
            Step::Blanks(least) => {
                let length = n_leading(rest, |byte| matches!(byte, b' ' | b'\t'));
                return (length >= *least).then_some(at + length);
            }
            Step::Time => self.times.time_end(rest).or_else(|| epoch_end(rest)).or_else(|| clock_end(rest))?,
            Step::Integer => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit())),
            Step::Number => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit() || byte == b'.')),
            Step::Level { until, is_padded } => {
                let length = n_until(*until, *is_padded, rest, *n_word.get_or_insert_with(|| self::n_word(rest)))?;
                let is_level = self.tree.is_level(rest.get(..length)?);
                return is_level.then_some(at + length);
            }
            Step::Word { until, is_padded, is_optional } => {
                let length = n_until(*until, *is_padded, rest, *n_word.get_or_insert_with(|| self::n_word(rest)))?;
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
            Step::Pairs => return Some(self.first_line.len()),
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

/// Where words end that begin at one place, the nearest first, and the nodes behind them.
#[derive(Default)]
struct Words {
    ends: [(u32, u32); WORDS_MAX],
    n: usize,
}

impl Words {
    fn add(&mut self, end: u32, node: u32) -> bool {
        let Some(place) = self.ends.get_mut(self.n) else { return false };
        *place = (end, node);
        self.n += 1;
        self.ends[..self.n].sort_unstable();
        true
    }
}

/// The length of the word that a text begins with.
fn n_word(rest: &[u8]) -> usize {
    let within = &rest[..rest.len().min(CAPTURE_BYTES_MAX)];
    n_leading(within, |byte| !matches!(byte, b' ' | b'\t'))
}

/// How long a word is up to a character, or up to its end where padding may stand before that.
fn n_until(until: Option<u8>, is_padded: bool, rest: &[u8], n_word: usize) -> Option<usize> {
    let Some(until) = until else { return Some(n_word) };
    // A tab ends a word anyhow.
    let is_behind = || rest.get(n_word) == Some(&until) || is_padded && n_word < rest.len();
    let end = n_leading(&rest[..n_word], |byte| byte != until);
    (end < n_word || is_behind()).then_some(end)
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
