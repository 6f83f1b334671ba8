//! All forms as one tree: what forms begin with alike is read once, and where they part, the next characters decide.
//!
//! At a node the literals that may follow are found by their first byte, and there are few other kinds of steps, however
//! many forms there are. Reading tries them from the most particular kind on and goes back where one leads nowhere; how much
//! is tried for one line is bounded.

use types::Level;

use super::captures::Captures;
use super::ends;
use super::ends::{CAPTURE_BYTES_MAX, clock_end, epoch_end, n_dotted, n_leading, n_until, signed, text_end, unsigned};
use super::form::Step;
use super::heads::{Heads, Line, Question, Sight};
use super::outlook::Outlook;
use crate::signs::{ANY, DIGIT, END, Signs, sign};
use crate::time::TimeMemo;

/// Steps that are tried for one line, those that lead nowhere included: several times what the longest form takes.
const STEPS_TRIED_MAX: u32 = 256;

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
    /// Lengths of all words for levels that have digits, likewise; a digit stands for any.
    digit_lengths: [u32; 32],
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree =
            Self { nodes: vec![Node::default()], levels: Vec::new(), level_lengths: [0; 32], digit_lengths: [0; 32] };
        Level::spellings().for_each(|word| tree.note_digits(word.as_bytes()));
        tree
    }
}

impl Tree {
    /// Adds words for levels.
    pub(super) fn add_levels<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        for word in words.map(str::as_bytes).filter(|word| (1..=LEVEL_BYTES_MAX).contains(&word.len())) {
            self.level_lengths[usize::from(word[0] & 31)] |= 1 << word.len();
            self.note_digits(word);
            if let Err(place) = self.levels.binary_search_by(|known| (**known).cmp(word)) {
                self.levels.insert(place, word.into());
            }
        }
    }

    fn note_digits(&mut self, word: &[u8]) {
        if word.iter().any(u8::is_ascii_digit) {
            let firsts = if word[0].is_ascii_digit() { b'0'..=b'9' } else { word[0]..=word[0] };
            firsts.for_each(|first| self.digit_lengths[usize::from(first & 31)] |= 1 << word.len());
        }
    }

    /// Whether a word may be one for a level by its digits.
    fn is_level_by_digits(&self, word: &[u8]) -> bool {
        let Some(first) = word.first().filter(|_| word.len() <= LEVEL_BYTES_MAX) else { return false };
        self.digit_lengths[usize::from(first & 31)] & (1 << word.len()) != 0 && word.iter().any(u8::is_ascii_digit)
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

    /// Finds the form of a line that `fits` accepts, and what it captures. What `fits` says depends on the form and on its word
    /// for the level alone.
    pub(super) fn find(
        &self,
        line: &str,
        times: &TimeMemo,
        heads: Option<&mut Heads>,
        captures: &mut Captures,
        fits: &dyn Fn(usize, &Captures) -> Fit,
    ) -> Option<usize> {
        let line = &line[..line.len().min(u32::MAX as usize)];
        let first_line = times.first_line(line).as_bytes();
        let lacks = times.learn_signs(first_line) & !END;
        let mut search = Search { tree: self, line, times, first_line, lacks, tried: 0, fits, sight: Sight::default() };
        let Some(heads) = heads.and_then(Heads::attend) else { return search.run(captures) };
        let line = Line { first: first_line, length: line.len(), lacks };
        if let Some(form) = heads.recall(line, captures, |question| search.is_answer(question)) {
            return form;
        }
        let form = search.run(captures);
        heads.keep(line, &search.sight, form, captures);
        form
    }
}

/// Whether a line is taken as one of a form that it has in every point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) is_taken: bool,
    /// Whether it depends on digits.
    pub(super) is_by_digits: bool,
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
    fits: &'s dyn Fn(usize, &Captures) -> Fit,
    sight: Sight,
}

impl Search<'_> {
    fn run(&mut self, captures: &mut Captures) -> Option<usize> {
        // Padding before a line says nothing.
        let start = n_leading(self.first_line, |byte| matches!(byte, b' ' | b'\t'));
        self.sight.reach(start + 1);
        self.from(0, start, captures)
    }

    fn from(&mut self, place: u32, at: usize, captures: &mut Captures) -> Option<usize> {
        let tree = self.tree;
        let node = tree.nodes.get(place as usize)?;
        let rest = self.first_line.get(at..).unwrap_or_default();
        if !node.forms.is_empty() && self.is_blank_from(at) {
            let form = node.forms.iter().copied().find(|form| self.fits(*form, captures));
            if form.is_some() {
                return form;
            }
        }
        let next = rest.first().map_or(END, |byte| sign(*byte));
        if node.literal_signs & next & DIGIT != 0 {
            self.sight.ask(Question::NoLiteral { at: at as u32, node: place });
        }
        if node.literal_signs & next != 0
            && let Some(form) = self.literal(&node.literals, at, captures)
        {
            return Some(form);
        }
        let n_captures = captures.len;
        let mut n_word = None;
        // Of words the shorter comes first, as what ends it comes first in the line.
        let mut words = Words::default();
        for (index, (step, edge)) in node.steps.iter().enumerate() {
            if edge.rank > RANK_OF_WORDS && words.n > 0 {
                if let Some(form) = self.words(&words, at, captures) {
                    return Some(form);
                }
                words.n = 0;
            }
            if edge.admits & next == 0 || self.lacks(edge) {
                continue;
            }
            let Some(end) = self.end_of(step, at, &mut n_word) else {
                if let Step::Text { until, .. } = step
                    && !until.is_empty()
                {
                    self.sight.ask(Question::NoText { at: at as u32, node: place, step: index as u32 });
                }
                continue;
            };
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
            if !self.lacks(edge)
                && self.has_literal(literal.as_bytes(), at)
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

    /// Whether the line lacks what follows a step in any case.
    fn lacks(&mut self, edge: &Edge) -> bool {
        !self.sight.has(edge.outlook.needs, self.lacks)
    }

    fn fits(&mut self, form: usize, captures: &Captures) -> bool {
        let fit = (self.fits)(form, captures);
        if fit.is_by_digits {
            self.sight.open();
        }
        fit.is_taken
    }

    /// Whether the first line has nothing more to say.
    fn is_blank_from(&mut self, at: usize) -> bool {
        let rest = self.first_line.get(at..).unwrap_or_default();
        let n_blanks = n_leading(rest, |byte| byte.is_ascii_whitespace());
        if !rest.is_empty() {
            self.sight.reach(at + n_blanks + 1);
        }
        n_blanks == rest.len()
    }

    fn has_literal(&mut self, literal: &[u8], at: usize) -> bool {
        let rest = &self.first_line[at..];
        let n_alike = literal.iter().zip(rest).take_while(|(known, byte)| known == byte).count();
        self.sight.reach(at + n_alike + 1);
        let is_alike = n_alike == literal.len();
        // About literals that begin with a digit the node has asked already.
        if (is_alike || !literal[0].is_ascii_digit())
            && literal[..literal.len().min(n_alike + 1)].iter().any(u8::is_ascii_digit)
        {
            self.sight.open();
        }
        is_alike
    }

    fn time_end(&self, at: usize) -> Option<usize> {
        let rest = self.first_line.get(at..)?;
        let length = self.times.time_end(rest).or_else(|| epoch_end(rest)).or_else(|| clock_end(rest))?;
        (length > 0).then_some(at + length)
    }

    /// Whether a line answers a question as the one did for which it was noted.
    fn is_answer(&self, question: Question) -> bool {
        match question {
            Question::Time { at, end } => self.time_end(at as usize).map(|end| end as u32) == end,
            Question::NoLevel { at, end } => {
                self.first_line.get(at as usize..end as usize).is_some_and(|word| !self.tree.is_level(word))
            }
            Question::NoLiteral { at, node } => {
                let (node, rest) = (self.tree.nodes.get(node as usize), self.first_line.get(at as usize..));
                let (Some(node), Some(rest)) = (node, rest) else { return false };
                let mut literals = node.literals.iter().map(|(literal, _)| literal.as_bytes());
                !literals.any(|literal| literal[0].is_ascii_digit() && rest.starts_with(literal))
            }
            Question::NoText { at, node, step } => {
                let node = self.tree.nodes.get(node as usize);
                let Some((Step::Text { until, .. }, _)) = node.and_then(|node| node.steps.get(step as usize)) else {
                    return false;
                };
                self.first_line.get(at as usize..).is_some_and(|rest| text_end(rest, until).is_none())
            }
        }
    }

    /// Where a step ends that begins at `at`; `None` where the line does not go on so.
    fn end_of(&mut self, step: &Step, at: usize, n_word: &mut Option<usize>) -> Option<usize> {
        let rest = self.first_line.get(at..).unwrap_or_default();
        let within = &rest[..rest.len().min(CAPTURE_BYTES_MAX)];
        let length = match step {
            Step::Literal(_) => return None,
            Step::Blanks(least) => {
                let length = n_leading(rest, |byte| matches!(byte, b' ' | b'\t'));
                self.sight.reach(at + length + 1);
                return (length >= *least).then_some(at + length);
            }
            Step::Time => {
                let end = self.time_end(at);
                self.sight.ask(Question::Time { at: at as u32, end: end.map(|end| end as u32) });
                self.sight.reach(end.unwrap_or(at) + 1);
                return end;
            }
            Step::Integer => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit())),
            Step::Number => signed(within, n_leading(unsigned(within), |byte| byte.is_ascii_digit() || byte == b'.')),
            Step::Level { until, is_padded } => {
                let length = self.word(*until, *is_padded, at, n_word)?;
                let word = rest.get(..length)?;
                let is_level = self.tree.is_level(word);
                match (self.tree.is_level_by_digits(word), is_level) {
                    (false, _) => {}
                    (true, true) => self.sight.open(),
                    (true, false) => self.sight.ask(Question::NoLevel { at: at as u32, end: (at + length) as u32 }),
                }
                return is_level.then_some(at + length);
            }
            Step::Word { until, is_padded, is_optional } => {
                let length = self.word(*until, *is_padded, at, n_word)?;
                return (length > 0 || *is_optional).then_some(at + length);
            }
            Step::Dotted => {
                let (length, n_seen) = n_dotted(within);
                self.sight.reach(at + n_seen + 1);
                length
            }
            Step::Source => {
                let length = n_leading(within, |byte| !matches!(byte, b' ' | b'\t' | b']' | b')'));
                self.sight.reach(at + length + 1);
                let is_source = self.line.get(at..at + length).is_some_and(crate::shape::is_source);
                if is_source { length } else { 0 }
            }
            Step::Text { until, is_optional } if until.is_empty() => {
                return (!rest.is_empty() || *is_optional).then_some(at + rest.len());
            }
            Step::Text { until, is_optional } => {
                let length = text_end(rest, until)?;
                self.sight.reach(at + length + until.len());
                return (length > 0 || *is_optional).then_some(at + length);
            }
            Step::Pairs => return Some(self.first_line.len()),
            Step::Rest => return Some(self.line.len()),
        };
        self.sight.reach(at + length.max(1) + 1);
        (length > 0).then_some(at + length)
    }

    /// The length of a word up to a character, or up to its end where padding may stand before that.
    fn word(&mut self, until: Option<u8>, is_padded: bool, at: usize, n_word: &mut Option<usize>) -> Option<usize> {
        let rest = self.first_line.get(at..).unwrap_or_default();
        let n_word = *n_word.get_or_insert_with(|| ends::n_word(rest));
        let length = n_until(until, is_padded, rest, n_word);
        self.sight.reach(at + length.unwrap_or(n_word) + 1);
        length
    }
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
