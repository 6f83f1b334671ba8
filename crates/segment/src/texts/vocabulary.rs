//! Templates of a run with their variables numbered, and the sections that a block keeps variables in.

use std::sync::OnceLock;

use crate::slots::Slots;
use crate::template::{Kind, Template, TemplateText};

/// Sections of a block's messages.
pub(crate) const TEXT_SECTIONS: usize = 8;

pub(crate) const NUMBERS: usize = 1;

pub(crate) const HEX: usize = 3;

pub(crate) const UUIDS: usize = 4;

pub(crate) const TEXTS: usize = 5;

pub(crate) const QUOTED: usize = 6;

/// Values from which on a column of texts is stored by itself.
pub(super) const COLUMN_MIN: usize = 16;

/// Returns how many sections a block's messages have in segments of a format; the last one holds raw messages.
pub(crate) fn n_sections(format: u16) -> usize {
    if format == 1 { 7 } else { TEXT_SECTIONS }
}

/// Returns the section with raw messages in segments of a format.
pub(crate) fn raw_section(format: u16) -> usize {
    n_sections(format) - 1
}

/// Returns the section that holds variables of a kind.
pub(crate) fn section_of(kind: Kind) -> usize {
    match kind {
        Kind::Integer | Kind::Time => NUMBERS,
        Kind::Address => 2,
        Kind::Hex => HEX,
        Kind::Uuid => UUIDS,
        Kind::Text => TEXTS,
        Kind::Quoted => QUOTED,
    }
}

/// What a run's messages are made of.
pub(crate) struct Vocabulary {
    pub(crate) format: u16,
    pub(crate) templates: Vec<Template>,
    pub(crate) slots: Slots,
    written: OnceLock<TemplateText>,
}

impl Vocabulary {
    /// Returns ids for the variables of templates of a segment of `format`.
    pub(crate) fn new(templates: Vec<Template>, format: u16) -> Self {
        let mut slots = Slots::new(format);
        templates.iter().for_each(|template| slots.add(template));
        slots.finish();
        Self { format, templates, slots, written: OnceLock::new() }
    }

    /// Creates an empty vocabulary.
    pub(super) fn growing(format: u16) -> Self {
        Self { format, templates: Vec::new(), slots: Slots::new(format), written: OnceLock::new() }
    }

    /// Returns the templates as they are written, for asking all of them. Call it once no template is added any more.
    pub(crate) fn written(&self) -> &TemplateText {
        self.written.get_or_init(|| TemplateText::new(&self.templates))
    }

    pub(super) fn add(&mut self, template: Template) {
        self.slots.add(&template);
        self.templates.push(template);
    }

    /// Returns the section with raw messages.
    pub(crate) fn raw_section(&self) -> usize {
        raw_section(self.format)
    }
}
