//! Templates of a run with their variables numbered, and the sections that a block keeps variables in.

use std::sync::OnceLock;

use crate::bytes::Decoded;
use crate::slots::Slots;
use crate::template::{
    Kind, LiteralMatcher, Piece, Slot, Template, TemplateMatch, TemplateText, each_variable, pieces_between,
};

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

/// Values of fields are counted as one more section, which is nowhere: they are stored with their fields.
pub(crate) const OF_FIELDS: usize = TEXT_SECTIONS;

/// Returns the section that holds a variable.
pub(crate) fn section_of_slot(slot: &Slot) -> usize {
    if slot.field.is_some() { OF_FIELDS } else { section_of(slot.kind) }
}

/// Returns the section that holds variables of a kind, those apart that are values of fields.
pub(crate) fn section_of(kind: Kind) -> usize {
    match kind {
        Kind::Integer | Kind::Time => NUMBERS,
        Kind::Address => 2,
        Kind::Hex => HEX,
        Kind::Uuid => UUIDS,
        Kind::Text => TEXTS,
        Kind::Quoted => QUOTED,
        Kind::Any | Kind::Json => OF_FIELDS,
    }
}

/// What a run's messages are made of.
pub(crate) struct Vocabulary {
    pub(crate) format: u16,
    templates: Templates,
}

enum Templates {
    /// Of a writer, one after another.
    Growing(Vec<Template>, Slots),
    /// As they lie in a segment. Many searches never ask which of their variables are stored together.
    Read(TemplateText, OnceLock<Slots>),
}

impl Vocabulary {
    /// Takes the templates of a segment of `format`: their bytes, and where each of them ends.
    pub(crate) fn read(all: &[u8], ends: Vec<u32>, format: u16) -> Decoded<Self> {
        Ok(Self { format, templates: Templates::Read(TemplateText::new(all, ends, format)?, OnceLock::new()) })
    }

    /// Creates an empty vocabulary.
    pub(super) fn growing(format: u16) -> Self {
        Self { format, templates: Templates::Growing(Vec::new(), Slots::new(format)) }
    }

    /// Returns which variables are stored together.
    pub(crate) fn slots(&self) -> &Slots {
        match &self.templates {
            Templates::Growing(_, slots) => slots,
            Templates::Read(text, slots) => slots.get_or_init(|| {
                let mut slots = Slots::new(self.format);
                text.each_variable(|variable| slots.add_next(variable));
                slots.finish();
                slots
            }),
        }
    }

    /// Finds out which variables are stored together; reports whether it was not known, so that it takes more bytes now.
    pub(crate) fn make_slots(&self) -> bool {
        let is_new = matches!(&self.templates, Templates::Read(_, slots) if slots.get().is_none());
        self.slots();
        is_new
    }

    /// Returns how many templates there are.
    pub(crate) fn n_templates(&self) -> usize {
        match &self.templates {
            Templates::Growing(templates, _) => templates.len(),
            Templates::Read(text, _) => text.n_templates(),
        }
    }

    /// Returns the templates of a writer; none of those that were read.
    pub(crate) fn written(&self) -> &[Template] {
        match &self.templates {
            Templates::Growing(templates, _) => templates,
            Templates::Read(..) => &[],
        }
    }

    /// Returns template number `id`, from 1; none of an unknown one.
    pub(crate) fn template(&self, id: u32) -> Option<Template> {
        let index = (id as usize).checked_sub(1)?;
        match &self.templates {
            Templates::Growing(templates, _) => templates.get(index).cloned(),
            Templates::Read(text, _) => text.template(index),
        }
    }

    /// Returns the parts of template number `id`, from 1; none of an unknown one.
    pub(crate) fn pieces_of(&self, id: u32) -> Vec<Piece<'_>> {
        let Some(index) = (id as usize).checked_sub(1) else { return Vec::new() };
        match &self.templates {
            Templates::Growing(templates, _) => templates.get(index).map(|known| known.pieces().collect()),
            Templates::Read(text, _) => text.bytes(index).map(|bytes| {
                let mut slots = Vec::new();
                let taken = each_variable(bytes, self.format, |place, slot| slots.push((place, slot)));
                if taken.is_ok() { pieces_between(bytes, slots.into_iter()).collect() } else { Vec::new() }
            }),
        }
        .unwrap_or_default()
    }

    /// Asks all templates for a literal.
    pub(crate) fn ask_all(&self, matcher: &LiteralMatcher) -> Vec<TemplateMatch> {
        match &self.templates {
            Templates::Growing(templates, _) => templates.iter().map(|template| matcher.ask(template)).collect(),
            Templates::Read(text, _) => matcher.ask_all(text),
        }
    }

    /// Returns the bytes that it takes once it was read.
    pub(crate) fn n_bytes(&self) -> usize {
        match &self.templates {
            Templates::Growing(_, slots) => slots.n_bytes(),
            Templates::Read(text, slots) => text.n_bytes() + slots.get().map_or(0, Slots::n_bytes),
        }
    }

    pub(super) fn add(&mut self, template: Template) {
        if let Templates::Growing(templates, slots) = &mut self.templates {
            slots.add(&template);
            templates.push(template);
        }
    }

    /// Returns the section with raw messages.
    pub(crate) fn raw_section(&self) -> usize {
        raw_section(self.format)
    }
}
