//! Where the bytes of a segment are, by kind of section: for tests that hold sizes, and for looking by eye.

use std::collections::BTreeMap;

use super::segment::Segment;
use crate::format::{HEADER_BYTES, TRAILER_BYTES};
use crate::section::SectionId;

impl Segment {
    /// Returns stored bytes by kind of section, and the size of the footer.
    pub(crate) fn footprint(&self) -> BTreeMap<String, u64> {
        let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
        let mut add = |kind: String, id: SectionId| {
            let stored = self.sections.get(id as usize).map_or(0, |entry| entry.stored_length);
            *bytes.entry(kind).or_default() += u64::from(stored);
        };
        for run in &self.runs {
            let footer = &run.footer;
            for (offset, kind) in ["shape table", "templates", "words", "minutes", "run filter"].into_iter().enumerate()
            {
                add(kind.into(), footer.whole + offset as SectionId);
            }
            let n_blocks = footer.blocks.len();
            for block in 0..n_blocks {
                let fixed = ["times", "ingestion times", "sequences", "levels", "shapes", "filter", "template ids"];
                let texts = ["numbers", "addresses", "hex", "uuids", "texts", "quoted", "raw", "field filter"];
                for (kind, name) in fixed.into_iter().chain(texts).enumerate() {
                    add(name.into(), footer.system + (kind * n_blocks + block) as SectionId);
                }
                for column in &footer.columns {
                    add(format!("column {}", column.name), column.first_section + block as SectionId);
                }
            }
            for column in &footer.columns {
                if let Some(id) = column.filter {
                    add("column filters".into(), id);
                }
                if let Some(id) = column.dictionary {
                    add(format!("column {}", column.name), id);
                }
            }
        }
        let sections: u64 = self.sections.iter().map(|entry| u64::from(entry.stored_length)).sum();
        let end = self.source.n_bytes();
        bytes.insert("footer".into(), end - sections - (HEADER_BYTES + TRAILER_BYTES) as u64);
        bytes
    }
}
