//! Which variables of a text line are values of fields: those that a pipeline took out of it.
//!
//! Nothing says where in a line a field came from, so it is learned: a variable of a template whose texts were those of one field in
//! the first [`LESSONS`] messages is left to that field in each further message in which they are the same. A request of an access log
//! (`GET /path HTTP/1.1`) may be three fields.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::document_fields::FieldColumns;
use crate::template::{Kind, Parts, Piece, Template, Variable};

/// Messages of a template from which is learned.
const LESSONS: u32 = 12;

/// Words of a quoted text that may be fields of their own.
const WORDS: usize = 3;

/// What is known of the variables of each template, by its number.
#[derive(Default)]
pub(super) struct FieldSlots {
    by_template: HashMap<u32, Knowledge, RandomState>,
}

struct Knowledge {
    n_lessons: u32,
    /// By variable.
    guesses: Vec<Guess>,
}

/// Fields that a variable may be, the first of which is taken.
pub(super) enum Guess {
    /// None.
    None,
    /// One of these.
    Whole(Vec<u16>),
    /// Its words, parted by the first and the last blank, are one of these each.
    Words([Vec<u16>; WORDS]),
}

impl FieldSlots {
    /// Returns what fields take of the variables of a message of template number `number`, if they take anything; learns from the
    /// first messages.
    pub(super) fn taken(
        &mut self,
        number: u32,
        variables: &[Variable<'_>],
        event: (&FieldColumns<'_>, usize),
    ) -> Option<Vec<FieldPart>> {
        let unknown = || Knowledge { n_lessons: 0, guesses: Vec::new() };
        let known = self.by_template.entry(number).or_insert_with(unknown);
        if known.n_lessons < LESSONS {
            if known.n_lessons == 0 {
                known.guesses = variables.iter().map(|variable| Guess::first(variable, event)).collect();
            } else {
                known.guesses.iter_mut().zip(variables).for_each(|(guess, variable)| guess.learn(variable, event));
            }
            known.n_lessons += 1;
            return None;
        }
        if known.guesses.is_empty() {
            return None;
        }
        if known.guesses.iter().all(|guess| matches!(guess, Guess::None)) {
            known.guesses = Vec::new();
            return None;
        }
        let taken: Vec<FieldPart> =
            known.guesses.iter().zip(variables).map(|(guess, variable)| guess.taken(variable, event)).collect();
        taken.iter().any(|taken| !matches!(taken, FieldPart::Nothing)).then_some(taken)
    }
}

/// The part of a variable that fields hold.
pub(super) enum FieldPart {
    Nothing,
    Whole(u16),
    Words([u16; WORDS]),
}

impl Guess {
    fn first(variable: &Variable<'_>, event: (&FieldColumns<'_>, usize)) -> Self {
        if variable.is_field || variable.kind == Kind::Time {
            return Self::None;
        }
        let whole = event.0.alike(event.1, variable);
        if !whole.is_empty() {
            return Self::Whole(whole);
        }
        let Some(words) = words_of(variable) else { return Self::None };
        let fields = words.map(|word| event.0.alike(event.1, &word));
        if fields.iter().any(Vec::is_empty) { Self::None } else { Self::Words(fields) }
    }

    fn learn(&mut self, variable: &Variable<'_>, (columns, row): (&FieldColumns<'_>, usize)) {
        let is_left = match self {
            Self::None => return,
            Self::Whole(fields) => {
                fields.retain(|field| columns.is_alike(*field, row, variable));
                !fields.is_empty()
            }
            Self::Words(of_words) => words_of(variable).is_some_and(|words| {
                of_words.iter_mut().zip(&words).for_each(|(fields, word)| {
                    fields.retain(|field| columns.is_alike(*field, row, word));
                });
                of_words.iter().all(|fields| !fields.is_empty())
            }),
        };
        if !is_left {
            *self = Self::None;
        }
    }

    fn taken(&self, variable: &Variable<'_>, (columns, row): (&FieldColumns<'_>, usize)) -> FieldPart {
        match self {
            Self::None => FieldPart::Nothing,
            Self::Whole(fields) if columns.is_alike(fields[0], row, variable) => FieldPart::Whole(fields[0]),
            Self::Words(fields) => {
                let is_alike = |words: &[Variable<'_>; WORDS]| {
                    fields.iter().zip(words).all(|(fields, word)| columns.is_alike(fields[0], row, word))
                };
                match words_of(variable).filter(is_alike) {
                    Some(_) => FieldPart::Words([fields[0][0], fields[1][0], fields[2][0]]),
                    None => FieldPart::Nothing,
                }
            }
            Self::Whole(_) => FieldPart::Nothing,
        }
    }
}

/// Returns the three words of a quoted text.
fn words_of<'m>(variable: &Variable<'m>) -> Option<[Variable<'m>; WORDS]> {
    let (first, rest) = variable.text.split_once(' ')?;
    let (middle, last) = rest.rsplit_once(' ')?;
    let word = |text| Variable { kind: Kind::Text, text, number: 0, is_field: false };
    (variable.kind == Kind::Quoted).then(|| [first, middle, last].map(word))
}

/// Takes a message of a template apart again, with what is taken by fields left to them.
pub(super) fn with_fields<'m>(template: Template<'_>, variables: &[Variable<'m>], taken: &[FieldPart]) -> Parts<'m> {
    let mut parts = Parts::default();
    let mut variables = variables.iter().zip(taken);
    for piece in template.pieces() {
        let slot = match piece {
            Piece::Literal(text) => {
                parts.template.extend_from_slice(text.as_bytes());
                continue;
            }
            Piece::Variable(slot) => slot,
        };
        // A template has as many variables as its messages.
        let Some((variable, taken)) = variables.next() else { break };
        match taken {
            FieldPart::Nothing => parts.push_again(slot, *variable),
            FieldPart::Whole(field) => parts.push_field(slot.kind, *field, variable.text),
            FieldPart::Words(fields) => {
                for (number, (field, word)) in fields.iter().zip(words_of(variable).into_iter().flatten()).enumerate() {
                    if number > 0 {
                        parts.template.push(b' ');
                    }
                    parts.push_field(Kind::Any, *field, word.text);
                }
            }
        }
    }
    parts
}
