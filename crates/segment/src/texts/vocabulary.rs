//! Templates of a run with their variables numbered, and the sections that a block keeps variables in.

use std::sync::{Arc, OnceLock};

use crate::bytes::{Damage, Decoded};
use crate::slots::Slots;
use crate::template::{Kind, Piece, Slot, Template, TemplateText, each_variable, pieces_between};

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
    pub(crate) slots: Slots,
    templates: Templates,
    written: OnceLock<TemplateText>,
}

enum Templates {
    /// Of a writer, one after another.
    Growing(Vec<Template>),
    /// As they lie in a segment. Which variables they have is known; each is taken apart when it is asked for, and all of
    /// them when all are.
    Read { all: Arc<[u8]>, ends: Vec<u32>, apart: OnceLock<Vec<Template>> },
}

impl Vocabulary {
    /// Takes the templates of a segment of `format`: their bytes, and where each of them ends.
    pub(crate) fn read(all: Arc<[u8]>, ends: Vec<u32>, format: u16) -> Decoded<Self> {
        // Markers and forms are ASCII, so a template is UTF-8 exactly when its message was.
        let text = std::str::from_utf8(&all).map_err(|_| Damage("a template is not UTF-8"))?;
        let mut slots = Slots::new(format);
        let mut start = 0;
        for end in &ends {
            let template = text.get(start..*end as usize).ok_or(Damage("a length is out of range"))?;
            slots.add_bytes(template.as_bytes())?;
            start = *end as usize;
        }
        slots.finish();
        let templates = Templates::Read { all, ends, apart: OnceLock::new() };
        Ok(Self { format, slots, templates, written: OnceLock::new() })
    }

    /// Creates an empty vocabulary.
    pub(super) fn growing(format: u16) -> Self {
        let templates = Templates::Growing(Vec::new());
        Self { format, slots: Slots::new(format), templates, written: OnceLock::new() }
    }

    /// Returns all templates.
    pub(crate) fn templates(&self) -> &[Template] {
        match &self.templates {
            Templates::Growing(templates) => templates,
            Templates::Read { all, ends, apart } => apart.get_or_init(|| {
                let text = std::str::from_utf8(all).unwrap_or_default();
                let starts = std::iter::once(0).chain(ends.iter().map(|end| *end as usize));
                let places = starts.zip(ends).map(|(start, end)| start..*end as usize);
                // All of them were looked at when they were read.
                places.filter_map(|place| Template::within(all, text, place, self.format).ok()).collect()
            }),
        }
    }

    /// Returns the parts of template number `id`, from 1; none of an unknown one.
    pub(crate) fn pieces_of(&self, id: u32) -> Vec<Piece<'_>> {
        let Some(index) = (id as usize).checked_sub(1) else { return Vec::new() };
        match &self.templates {
            Templates::Growing(templates) => templates.get(index).map(|known| known.pieces().collect()),
            Templates::Read { all, ends, .. } => {
                let start = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
                let bytes = ends.get(index).and_then(|end| all.get(start..*end as usize));
                bytes.map(|bytes| {
                    let mut slots = Vec::new();
                    let taken = each_variable(bytes, self.format, |place, slot| slots.push((place, slot)));
                    if taken.is_ok() { pieces_between(bytes, slots.into_iter()).collect() } else { Vec::new() }
                })
            }
        }
        .unwrap_or_default()
    }

    /// Returns the templates as they are written, for asking all of them. Call it once no template is added any more.
    pub(crate) fn written(&self) -> &TemplateText {
        self.written.get_or_init(|| TemplateText::new(self.templates()))
    }

    pub(super) fn add(&mut self, template: Template) {
        self.slots.add(&template);
        if let Templates::Growing(templates) = &mut self.templates {
            templates.push(template);
        }
    }

    /// Returns the section with raw messages.
    pub(crate) fn raw_section(&self) -> usize {
        raw_section(self.format)
    }
}
