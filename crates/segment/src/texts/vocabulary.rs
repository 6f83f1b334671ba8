//! Templates of a run with their variables numbered, and the sections that a block keeps variables in.

use std::sync::OnceLock;

use crate::bytes::Decoded;
use crate::slots::Slots;
use crate::template::{Kind, LiteralMatcher, Piece, Slot, Template, TemplateMatch, TemplateText};

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
    text: TemplateText,
    /// Which of their variables are stored together: many searches never ask.
    slots: OnceLock<Slots>,
}

impl Vocabulary {
    /// Takes the templates of a segment of `format`: their bytes, and where each of them ends.
    pub(crate) fn read(all: &[u8], ends: Vec<u32>, format: u16) -> Decoded<Self> {
        Ok(Self { format, text: TemplateText::new(all, ends, format)?, slots: OnceLock::new() })
    }

    /// Creates an empty vocabulary, which a writer adds to.
    pub(super) fn growing(format: u16) -> Self {
        Self { format, text: TemplateText::default(), slots: OnceLock::from(Slots::new(format)) }
    }

    /// Returns which variables are stored together.
    pub(crate) fn slots(&self) -> &Slots {
        self.slots.get_or_init(|| {
            let mut slots = Slots::new(self.format);
            self.text.iter().for_each(|template| slots.add(template));
            slots.finish();
            slots
        })
    }

    /// Finds out which variables are stored together; reports whether it was not known, so that it takes more bytes now.
    pub(crate) fn make_slots(&self) -> bool {
        let is_new = self.slots.get().is_none();
        self.slots();
        is_new
    }

    /// Returns how many templates there are.
    pub(crate) fn n_templates(&self) -> usize {
        self.text.n_templates()
    }

    /// Returns the templates, one after another.
    pub(crate) fn text(&self) -> &TemplateText {
        &self.text
    }

    /// Returns template number `id`, from 1; none of an unknown one.
    pub(crate) fn template(&self, id: u32) -> Option<Template<'_>> {
        self.text.template((id as usize).checked_sub(1)?)
    }

    /// Returns the parts of template number `id`, from 1; none of an unknown one.
    pub(crate) fn pieces_of(&self, id: u32) -> Vec<Piece<'_>> {
        self.template(id).map(|template| template.pieces().collect()).unwrap_or_default()
    }

    /// Asks all templates for a literal.
    pub(crate) fn ask_all(&self, matcher: &LiteralMatcher) -> Vec<TemplateMatch> {
        matcher.ask_all(&self.text)
    }

    /// Returns the bytes that it takes once it was read.
    pub(crate) fn n_bytes(&self) -> usize {
        self.text.n_bytes() + self.slots.get().map_or(0, Slots::n_bytes)
    }

    /// Adds a template that [`split`](crate::template::split) made.
    pub(super) fn add(&mut self, template: &str) -> Decoded<()> {
        self.text.add(template, self.format)?;
        let added = self.text.template(self.text.n_templates() - 1);
        if let (Some(slots), Some(template)) = (self.slots.get_mut(), added) {
            slots.add(template);
        }
        Ok(())
    }

    /// Returns the section with raw messages.
    pub(crate) fn raw_section(&self) -> usize {
        raw_section(self.format)
    }
}
