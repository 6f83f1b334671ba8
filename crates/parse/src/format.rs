//! Formats of programs as data: small files that say how a program writes its lines.
//!
//! A file of `formats/` names the program, gives the forms of its lines and what its words for levels mean, and has samples
//! with what must come of them, which are tests. All forms together are one tree ([`tree`]) in which a line is read from
//! its head on, so that what a line costs does not grow with the number of formats. The manual's page *Programs* is written
//! from the same files.
//!
//! A line fits a form in every point or not at all. What no form knows, the general rules of this crate read. Programs share
//! forms such as `[time] [pid] [level] text`: a line of such a form gets its fields but no program's name, unless its word for
//! the level is only of that program, or its input names the format.

mod captures;
mod definition;
mod ends;
mod form;
mod heads;
mod outlook;
mod tree;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use types::Level;

use captures::Captures;
pub use definition::{Format, FormatError, FormatSample};
use form::Form;
pub use form::FormatId;
pub(crate) use heads::Heads;
use tree::{Fit, Tree};

use crate::shape::{PartSink, Programs};

/// Shorter words for levels are of many programs: `DBG`, `W`, `3`.
const OWN_WORD_BYTES_MIN: usize = 4;

/// Which forms that fit a line are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acceptance {
    /// All: the program is known.
    AnyFit,
    /// Those that say whose line it is, or read what the general rules do not.
    Particular,
}

/// A set of formats, compiled.
#[derive(Debug, Default)]
pub struct Formats {
    formats: Vec<Format>,
    forms: Vec<Form>,
    /// Names of all fields, which parts of a line refer to.
    names: Arc<[Box<str>]>,
    lines: Tree,
    /// Forms of messages behind a syslog header, by the program that it names.
    messages: HashMap<String, Tree>,
    /// Forms of the lines of one format, for inputs that name it.
    own: Vec<Tree>,
}

/// The files of `formats/`, in the order of their names.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/formats.rs"));

static BUILT_IN_FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::compile(BUILT_IN.iter().copied()).0);

/// The formats of this process, once it has some of its own.
static INSTALLED: OnceLock<Formats> = OnceLock::new();

impl Formats {
    /// The formats that catat comes with.
    pub fn built_in() -> &'static Self {
        &BUILT_IN_FORMATS
    }

    /// Makes these the formats of all parsers of the process that are told no others, so that every door, the shipper and
    /// the command line read a line alike. Returns `false` if there are some already: they stay.
    pub fn install(self) -> bool {
        INSTALLED.set(self).is_ok()
    }

    /// The formats of the process: those that were installed, else those that catat comes with.
    pub fn current() -> &'static Self {
        INSTALLED.get().unwrap_or_else(Self::built_in)
    }

    /// Compiles the formats that catat comes with, and those of further files: the name of each and its text. A format
    /// replaces an earlier one of its name; files with a mistake are left out and named.
    pub fn with<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> (Self, Vec<FormatError>) {
        Self::compile(BUILT_IN.iter().copied().chain(files))
    }

    fn compile<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> (Self, Vec<FormatError>) {
        let (mut read, mut errors): (Vec<definition::Definition>, _) = (Vec::new(), Vec::new());
        for (at, (file, text)) in files.enumerate() {
            match definition::read(file, text) {
                Ok(mut definition) => {
                    // A user's format says whose lines its forms are.
                    if at >= BUILT_IN.len() {
                        definition.lines.iter_mut().for_each(|(_, form)| form.is_particular = true);
                    }
                    read.retain(|earlier| earlier.format.name != definition.format.name);
                    read.push(definition);
                }
                Err(error) => errors.push(error),
            }
        }
        let mut formats = Self::default();
        let mut names: Vec<Box<str>> = Vec::new();
        for definition in read.into_iter().take(usize::from(u16::MAX)) {
            formats.add(definition, &mut names);
        }
        formats.names = names.into();
        let trees = formats.own.iter_mut().chain(formats.messages.values_mut()).chain([&mut formats.lines]);
        trees.for_each(Tree::seal);
        (formats, errors)
    }

    fn add(&mut self, definition: definition::Definition, names: &mut Vec<Box<str>>) {
        let id = FormatId(self.formats.len() as u16);
        let mut own = Tree::default();
        let words = || definition.format.levels.iter().map(|(word, _)| &**word);
        self.lines.add_levels(words());
        own.add_levels(words());
        for (steps, captures) in definition.lines {
            let form = self.form(id, captures, names);
            self.lines.add(&steps, form);
            own.add(&steps, form);
        }
        for (steps, captures) in definition.messages {
            let form = self.form(id, captures, names);
            for program in &definition.format.programs {
                let tree = self.messages.entry(program.clone()).or_default();
                tree.add_levels(words());
                tree.add(&steps, form);
            }
        }
        self.own.push(own);
        self.formats.push(definition.format);
    }

    /// Keeps a form; returns its place, and whether it has a word for the level.
    fn form(&mut self, format: FormatId, captures: form::Definition, names: &mut Vec<Box<str>>) -> (usize, bool) {
        let form = captures.resolve(format, names);
        let has_level = form.level_at().is_some();
        self.forms.push(form);
        (self.forms.len() - 1, has_level)
    }

    /// All formats, in the order of their files.
    pub fn all(&self) -> &[Format] {
        &self.formats
    }

    /// The format of a line.
    pub fn get(&self, id: FormatId) -> Option<&Format> {
        self.formats.get(usize::from(id.0))
    }

    /// The format of a name.
    pub fn named(&self, name: &str) -> Option<FormatId> {
        self.formats.iter().position(|format| &*format.name == name).map(|place| FormatId(place as u16))
    }

    /// Finds the format of a line, of any or of the one that its input names, and reads it. `heads` are those of the
    /// source's lines before.
    pub(crate) fn recognise<'t>(
        &self,
        line: &'t str,
        only: Option<FormatId>,
        heads: &mut Heads,
        found: &mut PartSink<'t, '_>,
    ) -> Option<Option<FormatId>> {
        let Some(id) = only else {
            return self.read(&self.lines, Acceptance::Particular, Some(heads), line, found);
        };
        self.read(self.own.get(usize::from(id.0))?, Acceptance::AnyFit, None, line, found).map(|_| only)
    }

    fn read<'t>(
        &self,
        tree: &Tree,
        acceptance: Acceptance,
        heads: Option<&mut Heads>,
        line: &'t str,
        found: &mut PartSink<'t, '_>,
    ) -> Option<Option<FormatId>> {
        let mut captures = Captures::default();
        let is_named = |form: &Form, captures: &Captures| form.is_particular || self.has_own_word(form, line, captures);
        let fits = |place: usize, captures: &Captures| {
            let is_read = |form: &Form| {
                acceptance == Acceptance::AnyFit || form.gives_more(&self.names) || is_named(form, captures)
            };
            let level_at = self.forms.get(place).and_then(Form::level_at);
            Fit {
                is_taken: self.level(place, line, captures).is_some() && self.forms.get(place).is_some_and(is_read),
                is_by_digits: level_at
                    .is_some_and(|at| captures.get(at, line).bytes().any(|byte| byte.is_ascii_digit())),
            }
        };
        let place = tree.find(line, found.times, heads, &mut captures, &fits)?;
        let form = self.forms.get(place)?;
        found.columns(&self.names);
        form.give(line, &captures, found);
        found.level(self.level(place, line, &captures).flatten());
        Some(Some(form.format).filter(|_| is_named(form, &captures)))
    }

    /// Whether the word for the level is only of the form's program: more than a letter or a common short form.
    fn has_own_word(&self, form: &Form, line: &str, captures: &Captures) -> bool {
        let Some(index) = form.level_at() else { return false };
        let word = captures.get(index, line);
        let is_short = word.len() < OWN_WORD_BYTES_MIN && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        !is_short && Level::parse(word).is_none()
    }

    /// The level that a line of a form says, if any; `None` where its word for one means nothing.
    fn level(&self, place: usize, line: &str, captures: &Captures) -> Option<Option<Level>> {
        let form = self.forms.get(place)?;
        let Some(index) = form.level_at() else { return Some(form.level) };
        let word = captures.get(index, line);
        let levels = &self.formats.get(usize::from(form.format.0))?.levels;
        if levels.is_empty() {
            return Level::parse(word).map(Some);
        }
        // Of a word that stands twice the last meaning counts.
        levels.iter().rev().find(|(known, _)| **known == *word).map(|(_, level)| *level)
    }
}

impl Programs for Formats {
    fn read_message<'t>(&self, program: &str, message: &'t str, found: &mut PartSink<'t, '_>) -> bool {
        self.messages
            .get(program)
            .is_some_and(|tree| self.read(tree, Acceptance::AnyFit, None, message, found).is_some())
    }
}

#[cfg(test)]
mod tests;
