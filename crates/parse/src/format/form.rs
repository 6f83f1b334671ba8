//! One form of a line: steps that are taken one after the other, and what becomes of what they capture.
//!
//! ```text
//! {time} {category}: {level}: {message}
//! ```
//!
//! A blank of a form stands for one or more blanks or tabs, two for at least two, any other character for itself (`\t` for
//! a tab, `{{` for a brace). `{name}` captures a word as the field `name`, up to the character that follows in the form; `{name:text}` may hold
//! blanks, `{name:int}` is a whole number, `{name:number}` may have a fraction, `{name:dotted}` is a name such as
//! `org.acme.App`, `{name:source}` a place such as `main.go:12`, and `{}` and `{:text}` are passed over.
//! `{_}` is padding: any number of blanks, also none. `{time}` (`{time:dmy}` where the
//! day comes first in a date of numbers), `{level}` and `{message}` are what they say, `{level=warn}` stands for nothing and says the level of such lines,
//! `{pairs}` takes `key=value` pairs to the end of the line. With `?` behind the name nothing need be there.

use types::{Level, ensure};

use super::captures::{CAPTURES_MAX, Captures};
use crate::shape::PartSink;

/// So many marks in a form are no accident: `[time] [pid] [level]` has six.
const MARKS_OF_A_PROGRAM: usize = 7;

/// The format of a line, as a place in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatId(pub(super) u16);

/// What is read next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These characters.
    Literal(Box<str>),
    /// Blanks and tabs, at least so many, which may be none.
    Blanks(usize),
    /// A time in any form.
    Time,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A word for a level.
    Level { until: Option<u8>, is_padded: bool },
    /// Characters without blanks, up to this one, before which blanks may stand; may be empty.
    Word { until: Option<u8>, is_padded: bool, is_optional: bool },
    /// A name of several parts with points between them.
    Dotted,
    /// A place in a program: a file with its line.
    Source,
    /// Anything up to these characters; may be empty.
    Text { until: Box<str>, is_optional: bool },
    /// The rest of the text, with all its lines.
    Rest,
    /// The rest of the line, which is pairs.
    Pairs,
}

impl Step {
    /// Whether what it reads is one of the captures.
    pub(super) fn captures(&self) -> bool {
        !matches!(self, Self::Literal(_) | Self::Blanks(_))
    }
}

/// What becomes of what a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Capture<N> {
    Time,
    /// A time whose date is day, month and year in numbers.
    DayFirst,
    /// The same in the order year, month, day, where the year has two digits.
    YearFirst,
    Level,
    Message,
    Pairs,
    Text(N),
    Integer(N),
    Number(N),
    Nothing,
}

/// A form as it was written: its captures name their fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Definition {
    pub(super) captures: Vec<Capture<String>>,
    pub(super) level: Option<Level>,
    pub(super) is_particular: bool,
}

/// A form of a set of formats.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) format: FormatId,
    /// The level of every line of this form that captures none.
    pub(super) level: Option<Level>,
    /// Whether its characters are those of one program, so that a line of it is one of that program.
    pub(super) is_particular: bool,
    captures: Vec<Capture<u16>>,
}

impl Definition {
    /// The same with names of fields as places in a list, to which new names are added.
    pub(super) fn resolve(self, format: FormatId, names: &mut Vec<Box<str>>) -> Form {
        let mut place = |name: String| {
            let known = names.iter().position(|known| **known == *name);
            known.unwrap_or_else(|| {
                names.push(name.into());
                names.len() - 1
            }) as u16
        };
        let captures = self.captures.into_iter().map(|capture| match capture {
            Capture::Text(name) => Capture::Text(place(name)),
            Capture::Integer(name) => Capture::Integer(place(name)),
            Capture::Number(name) => Capture::Number(place(name)),
            Capture::Time => Capture::Time,
            Capture::DayFirst => Capture::DayFirst,
            Capture::YearFirst => Capture::YearFirst,
            Capture::Level => Capture::Level,
            Capture::Message => Capture::Message,
            Capture::Pairs => Capture::Pairs,
            Capture::Nothing => Capture::Nothing,
        });
        let (level, is_particular) = (self.level, self.is_particular);
        Form { format, level, is_particular, captures: captures.collect() }
    }
}

impl Form {
    /// Which capture is the word for the level.
    pub(super) fn level_at(&self) -> Option<usize> {
        self.captures.iter().position(|capture| *capture == Capture::Level)
    }

    /// Whether a line of it gets fields or a level that no general rule reads.
    pub(super) fn gives_more(&self, names: &[Box<str>]) -> bool {
        // Behind a time the general rules read a process.
        let has_time = self.captures.first() == Some(&Capture::Time);
        let is_field = |capture: &Capture<u16>| match capture {
            Capture::Integer(name) => !has_time || &*names[usize::from(*name)] != "pid",
            Capture::Text(_) | Capture::Number(_) | Capture::DayFirst => true,
            _ => false,
        };
        self.level.is_some() || self.captures.iter().any(is_field)
    }

    /// Gives what was captured.
    pub(super) fn give<'t>(&self, line: &'t str, captures: &Captures, found: &mut PartSink<'t, '_>) {
        for (index, capture) in self.captures.iter().enumerate() {
            let text = captures.get(index, line);
            match capture {
                Capture::Time => found.time(text),
                Capture::DayFirst => found.time_of(month_first(text)),
                Capture::YearFirst if text.as_bytes().get(2) == Some(&b'/') => found.time_of(format!("20{text}")),
                Capture::YearFirst => found.time(text),
                Capture::Message => {
                    found.again("message", text);
                    crate::shape::pairs_at_end(text.lines().next().unwrap_or_default(), found);
                }
                Capture::Pairs => drop(crate::shape::read_pairs(text, found)),
                Capture::Text(name) => found.named_text(*name, text),
                Capture::Integer(name) | Capture::Number(name) => found.named_number(*name, text),
                Capture::Level | Capture::Nothing => {}
            }
        }
    }
}

/// A date whose day comes first, in the order that times are read in: month, day, year.
fn month_first(text: &str) -> String {
    let separator = |c: char| !c.is_ascii_digit();
    match text.split_once(separator) {
        Some((day, rest)) if rest.find(separator).is_some() => {
            let (month, behind) = rest.split_at(rest.find(separator).unwrap_or(rest.len()));
            let (year, clock) = behind.split_at(behind.find([' ', 'T']).unwrap_or(behind.len()));
            format!("{month}/{day}/{}{clock}", year.trim_start_matches(separator))
        }
        _ => text.to_owned(),
    }
}

/// Reads a form.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub(super) fn read(form: &str) -> Result<(Vec<Step>, Definition), String> {
    let mut reader = Reader { rest: form, steps: Vec::new(), definition: Definition::default() };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    if reader.definition.captures.len() > CAPTURES_MAX {
        return Err(format!("a form captures at most {CAPTURES_MAX} pieces of a line"));
    }
    ensure!(!reader.steps.is_empty(), "a form must not be empty".into());
    let Reader { mut steps, mut definition, .. } = reader;
    definition.is_particular = is_particular(&steps);
    if steps.first() == Some(&Step::Blanks(0)) {
        steps.remove(0);
    }
    end_words(&mut steps)?;
    Ok((steps, definition))
}

/// Whether the characters of a form are those of one program: a word, three marks in one, or more marks than headers share.
fn is_particular(steps: &[Step]) -> bool {
    let literals =
        || steps.iter().filter_map(|step| if let Step::Literal(literal) = step { Some(&**literal) } else { None });
    let is_word = |literal: &str| {
        literal.len() > 2 || literal.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_alphabetic))
    };
    literals().any(is_word) || literals().map(str::len).sum::<usize>() >= MARKS_OF_A_PROGRAM
}

struct Reader<'f> {
    rest: &'f str,
    steps: Vec<Step>,
    definition: Definition,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<(), String> {
        let rest = self.rest.trim_start_matches(' ');
        let n_blanks = self.rest.len() - rest.len();
        if n_blanks > 0 {
            self.rest = rest;
            self.steps.push(Step::Blanks(n_blanks));
            return Ok(());
        }
        match self.rest.strip_prefix('{') {
            Some(rest) if !rest.starts_with('{') => self.braces(rest.find('}').ok_or("a { is not closed by a }")?),
            _ => {
                self.literal();
                Ok(())
            }
        }
    }

    fn literal(&mut self) {
        let doubled = usize::from(self.rest.starts_with("{{"));
        let end = self.rest[doubled + 1..].find(['{', ' ']).map_or(self.rest.len(), |end| end + doubled + 1);
        let (literal, rest) = (&self.rest[doubled..end], &self.rest[end..]);
        self.rest = rest;
        match self.steps.last_mut() {
            Some(Step::Literal(before)) => *before = format!("{before}{literal}").into(),
            _ => self.steps.push(Step::Literal(literal.into())),
        }
    }

    /// What stands in braces, the second of which is `end` bytes behind the first.
    fn braces(&mut self, end: usize) -> Result<(), String> {
        let (inside, rest) = (&self.rest[1..=end], &self.rest[end + 2..]);
        self.rest = rest;
        if let Some(level) = inside.strip_prefix("level=") {
            let level = Level::parse(level).ok_or_else(|| unknown_level(level))?;
            self.definition.level = Some(level);
            return Ok(());
        }
        if inside == "_" {
            self.steps.push(Step::Blanks(0));
            return Ok(());
        }
        let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
        let is_optional = name.ends_with('?');
        let name = name.trim_end_matches('?');
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        ensure!(is_name, format!("{{{inside}}}: a name of a field has letters, digits, _ . and -"));
        let word = Step::Word { until: None, is_padded: false, is_optional };
        let text = Step::Text { until: "".into(), is_optional };
        let named =
            |of: fn(String) -> Capture<String>| if name.is_empty() { Capture::Nothing } else { of(name.into()) };
        let (step, capture) = match (name, kind) {
            ("time", "") => (Step::Time, Capture::Time),
            ("time", "dmy") => (Step::Time, Capture::DayFirst),
            ("time", "ymd") => (Step::Time, Capture::YearFirst),
            ("level", "") => (Step::Level { until: None, is_padded: false }, Capture::Level),
            ("level", "int") => (Step::Integer, Capture::Level),
            ("message", "") => (Step::Rest, Capture::Message),
            ("pairs", "") => (Step::Pairs, Capture::Pairs),
            (_, "" | "word") => (word, named(Capture::Text)),
            (_, "text") => (text, named(Capture::Text)),
            (_, "dotted") => (Step::Dotted, named(Capture::Text)),
            (_, "source") => (Step::Source, named(Capture::Text)),
            (_, "int") => (Step::Integer, named(Capture::Integer)),
            (_, "number") => (Step::Number, named(Capture::Number)),
            (_, "time") => (Step::Time, named(Capture::Text)),
            (_, kind) => {
                return Err(format!(
                    "{{{inside}}}: \"{kind}\" is none of word, text, dotted, source, int, number, time"
                ));
            }
        };
        self.steps.push(step);
        self.definition.captures.push(capture);
        Ok(())
    }
}

pub(super) fn unknown_level(level: &str) -> String {
    format!("\"{level}\" is no level; write trace, debug, info, warn, error or fatal")
}

/// Words end where the next step begins, texts too.
fn end_words(steps: &mut [Step]) -> Result<(), String> {
    for index in 0..steps.len() {
        let is_padding = |step: &&Step| **step == Step::Blanks(0);
        let padding = steps.get(index + 1).filter(is_padding).is_some();
        let next = steps.get(index + 1 + usize::from(padding)).cloned();
        let behind = steps.get(index + 2).cloned();
        match (&mut steps[index], next) {
            (Step::Word { until, is_padded, .. } | Step::Level { until, is_padded }, Some(Step::Literal(literal))) => {
                (*until, *is_padded) = (literal.bytes().next(), padding);
            }
            (Step::Text { until, .. }, Some(Step::Literal(literal))) => *until = literal,
            (Step::Text { until, .. }, Some(Step::Blanks(_))) => {
                *until =
                    if let Some(Step::Literal(literal)) = behind { format!(" {literal}").into() } else { " ".into() };
            }
            (Step::Word { .. } | Step::Level { .. } | Step::Text { .. }, Some(next)) if next.captures() => {
                return Err("between two captures something must stand that ends the first".into());
            }
            (Step::Rest | Step::Pairs, Some(_)) => {
                return Err("nothing can follow {message} and {pairs}, which take the rest".into());
            }
            _ => {}
        }
    }
    Ok(())
}
