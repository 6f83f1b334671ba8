//! What searches have found for heads of lines, so that a line with a known head is not searched again.
//!
//! A search looks at the head of a line only, and lines of one source begin alike. What was looked at is kept with digits made
//! equal, so that counters and ids do not matter; where a search asked for more than that, for a time or whether a text
//! follows, the same is asked again. So a line is read as it would be without the lines before it.

use super::captures::Captures;
use crate::signs::Signs;

/// Words of eight bytes of the longest head that is kept.
const WORDS_MAX: usize = 16;
const HEAD_BYTES_MAX: usize = 8 * WORDS_MAX;

/// How many heads are kept before all are forgotten.
const HEADS_MAX: usize = 64;

/// Most questions of one search that are asked again.
const QUESTIONS_MAX: usize = 6;

/// Lines of a source that are read before heads are kept: of a single line nothing can be learnt.
const FIRST_LINES: u32 = 4;

/// By how many the lines with unknown heads may outnumber the others; then nothing is looked up for [`PAUSE`] lines.
const STRANGERS_MAX: i32 = 48;
const PAUSE: u32 = 2_000;

/// What a search asked a line that its head without digits does not answer, and what the answer was.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Where the time ends that begins at a place.
    Time { at: u32, end: Option<u32> },
    /// The text that ends a step of a node does not follow.
    NoText { at: u32, node: u32, step: u32 },
    /// None of a node's literals that begin with a digit follows.
    NoLiteral { at: u32, node: u32 },
    /// A word with digits is none for a level.
    NoLevel { at: u32, end: u32 },
}

/// What a search has looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// How many bytes of the line.
    reach: usize,
    /// Signs that a way needs and the line has.
    has: Signs,
    /// Signs whose absence closed a way.
    lacks: Signs,
    questions: [Option<Question>; QUESTIONS_MAX],
    n_questions: usize,
    /// Whether the result depends on something that is not kept.
    is_open: bool,
}

impl Sight {
    /// Notes that a search has seen the line up to here.
    pub(super) fn reach(&mut self, end: usize) {
        self.reach = self.reach.max(end);
    }

    /// Whether a line that lacks some signs has those that are needed; notes what of them matters.
    pub(super) fn has(&mut self, needs: Signs, lacks: Signs) -> bool {
        let lacking = needs & lacks;
        if lacking == 0 {
            self.has |= needs;
        } else if lacking & self.lacks == 0 {
            self.lacks |= lacking & lacking.wrapping_neg();
        }
        lacking == 0
    }

    /// Notes that the result depends on something that is not kept.
    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn ask(&mut self, question: Question) {
        match self.questions.get_mut(self.n_questions) {
            Some(place) => *place = Some(question),
            None => self.is_open = true,
        }
        self.n_questions += 1;
    }
}

/// A line that is looked up.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) first: &'t [u8],
    /// The length of the whole text.
    pub(super) length: usize,
    /// The signs that the first line lacks.
    pub(super) lacks: Signs,
}

impl Line<'_> {
    fn has_more_lines(&self) -> bool {
        self.length > self.first.len()
    }
}

/// A head of lines, and what was found for it.
#[derive(Clone, Debug)]
struct Head {
    has_more_lines: bool,
    has: Signs,
    lacks: Signs,
    questions: [Option<Question>; QUESTIONS_MAX],
    /// The next one that is alike.
    next: Link,
    form: Option<usize>,
    /// What the form captures; `LINE_END` and `TEXT_END` are the ends of the line and of the text.
    captures: Box<[(u32, u32)]>,
}

const LINE_END: u32 = u32::MAX;
const TEXT_END: u32 = u32::MAX - 1;

/// The place of something in its list and one, or 0 for nothing.
type Link = u16;

/// Eight bytes of heads that begin alike, or the last ones of a head: heads are a tree of these.
#[derive(Clone, Copy, Debug)]
struct Branch {
    word: u64,
    /// The bits that are compared.
    mask: u64,
    /// What else may stand here, and what may follow.
    sibling: Link,
    child: Link,
    /// The newest head that ends here.
    head: Link,
}

/// Heads of lines of one source.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    heads: Vec<Head>,
    branches: Vec<Branch>,
    /// What heads may begin with.
    first: Link,
    n_lines: u32,
    /// Lines with unknown heads less lines with known ones.
    n_strangers: i32,
    pause: u32,
}

impl Heads {
    /// Counts a line; `None` where nothing is looked up or kept for it.
    pub(super) fn attend(&mut self) -> Option<&mut Self> {
        self.n_lines = self.n_lines.saturating_add(1);
        self.pause = self.pause.saturating_sub(1);
        (self.n_lines > FIRST_LINES && self.pause == 0).then_some(self)
    }

    /// What was found for the head of a line, if it is known and the line answers alike; `captures` gets what the form captures.
    pub(super) fn recall(
        &mut self,
        line: Line<'_>,
        captures: &mut Captures,
        is_answer: impl Fn(Question) -> bool,
    ) -> Option<Option<usize>> {
        let found = self.find(line, is_answer).map(|head| {
            for (start, end) in &head.captures {
                let end = match *end {
                    LINE_END => line.first.len(),
                    TEXT_END => line.length,
                    end => end as usize,
                };
                captures.push(*start as usize, end);
            }
            head.form
        });
        self.n_strangers = (self.n_strangers + if found.is_some() { -1 } else { 1 }).max(-STRANGERS_MAX);
        if self.n_strangers > STRANGERS_MAX {
            *self = Self { n_lines: self.n_lines, pause: PAUSE, ..Self::default() };
        }
        found
    }

    fn find(&self, line: Line<'_>, is_answer: impl Fn(Question) -> bool) -> Option<&Head> {
        let is_alike = |head: &Head| {
            head.has_more_lines == line.has_more_lines()
                && line.lacks & (head.has | head.lacks) == head.lacks
                && head.questions.iter().map_while(|question| *question).all(&is_answer)
        };
        let (mut link, mut n) = (self.first, 0);
        while link != 0 {
            let word = word_at(line.first, n);
            let mut below = 0;
            while let Some(branch) = at(&self.branches, link) {
                if word & branch.mask == branch.word {
                    let mut of_branch = branch.head;
                    while let Some(head) = at(&self.heads, of_branch) {
                        if is_alike(head) {
                            return Some(head);
                        }
                        of_branch = head.next;
                    }
                    below |= branch.child;
                }
                link = branch.sibling;
            }
            (link, n) = (below, n + 1);
        }
        None
    }

    /// Keeps what a search has found, and what it has looked at.
    pub(super) fn keep(&mut self, line: Line<'_>, sight: &Sight, form: Option<usize>, captures: &Captures) {
        if sight.is_open || sight.reach == 0 || sight.reach > HEAD_BYTES_MAX {
            return;
        }
        if self.heads.len() == HEADS_MAX {
            self.heads.clear();
            self.branches.clear();
            self.first = 0;
        }
        let n_words = sight.reach.div_ceil(8);
        let last = first_bytes((sight.reach - 8 * (n_words - 1)) as u32);
        let mut above = 0;
        for n in 0..n_words {
            let mask = if n + 1 == n_words { last } else { u64::MAX };
            above = self.branch(above, word_at(line.first, n) & mask, mask);
        }
        let captures = captures.pieces().iter().filter(|_| form.is_some()).map(|(start, end)| match *end as usize {
            end if end == line.first.len() => (*start, LINE_END),
            end if end == line.length => (*start, TEXT_END),
            _ => (*start, *end),
        });
        let link = self.heads.len() as Link + 1;
        let end = &mut self.branches[usize::from(above - 1)].head;
        let next = std::mem::replace(end, link);
        self.heads.push(Head {
            has_more_lines: line.has_more_lines(),
            has: sight.has,
            lacks: sight.lacks,
            questions: sight.questions,
            next,
            form,
            captures: captures.collect(),
        });
    }

    /// The branch of a word below another one, which is made where there is none.
    fn branch(&mut self, above: Link, word: u64, mask: u64) -> Link {
        let first = at(&self.branches, above).map_or(self.first, |above| above.child);
        let mut link = first;
        while let Some(branch) = at(&self.branches, link) {
            if (branch.word, branch.mask) == (word, mask) {
                return link;
            }
            link = branch.sibling;
        }
        self.branches.push(Branch { word, mask, sibling: first, child: 0, head: 0 });
        let link = self.branches.len() as Link;
        match above.checked_sub(1) {
            Some(above) => self.branches[usize::from(above)].child = link,
            None => self.first = link,
        }
        link
    }
}

fn at<T>(list: &[T], link: Link) -> Option<&T> {
    list.get(usize::from(link).wrapping_sub(1))
}

/// The bits of the first bytes of a word, one and more.
fn first_bytes(n_bytes: u32) -> u64 {
    u64::MAX >> (64 - 8 * n_bytes)
}

/// The eight bytes at a place of a line, each digit as `0`; behind the line are line ends.
fn word_at(line: &[u8], n: usize) -> u64 {
    let rest = line.get(8 * n..).unwrap_or_default();
    let bytes = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut bytes = [b'\n'; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        bytes
    });
    const ONES: u64 = u64::MAX / 255;
    let word = u64::from_le_bytes(bytes);
    // A digit less `0` is below ten; the upper bit stays empty when 118 is added.
    let offset = word ^ (ONES * 0x30);
    let others = ((offset & (ONES * 0x7f)) + ONES * 0x76) | offset;
    let digits = !others & (ONES * 0x80);
    let mask = (digits - (digits >> 7)) | digits;
    (word & !mask) | ((ONES * 0x30) & mask)
}

#[cfg(test)]
mod tests;
