//! Says which sections are about to be read, so that those that lie far apart in an object come at the same time.

use std::ops::Range;

use super::run::SegmentRun;
use crate::footer;
use crate::section::SectionId;
use crate::texts::TEXT_SECTIONS;

impl SegmentRun {
    /// Announces what reading these fields of a block takes. More may come than is needed, and what is not announced
    /// is read all the same.
    pub(super) fn announce(&self, block: usize, names: &[&str]) {
        if !self.segment.source.is_far() {
            return;
        }
        let footer = &self.run().footer;
        let mut ids: Vec<SectionId> = Vec::new();
        let mut is_message_read = false;
        for name in names {
            match *name {
                "@timestamp" => ids.push(self.system_section(footer::TIMES, block)),
                "@ingestionTime" => ids.push(self.system_section(footer::INGESTION_TIMES, block)),
                "@level" => ids.push(self.system_section(footer::LEVELS, block)),
                "@id" | "@partOf" => {
                    ids.extend([footer::TIMES, footer::SEQUENCES].map(|kind| self.system_section(kind, block)));
                }
                "@message" => is_message_read = true,
                name => {
                    is_message_read |= footer.origins.iter().any(|origin| origin.text_key.as_deref() == Some(name));
                    let found = footer.columns.binary_search_by(|column| (*column.name).cmp(name));
                    let Ok(column) = found.map(|index| &footer.columns[index]) else { continue };
                    ids.extend([footer.whole + footer::SHAPE_TABLE, self.system_section(footer::SHAPES, block)]);
                    ids.push(column.first_section + block as SectionId);
                    ids.extend(column.dictionary);
                }
            }
        }
        if is_message_read {
            ids.push(footer.whole + footer::TEMPLATES);
            for column in footer.columns.iter().filter(|column| column.is_in_messages) {
                ids.push(column.first_section + block as SectionId);
                ids.extend(column.dictionary);
            }
            ids.extend((0..TEXT_SECTIONS).map(|section| self.system_section(footer::TEXTS + section, block)));
        }
        self.announce_sections(&ids);
    }

    /// Announces what finding a text in the messages of a block takes.
    pub(super) fn announce_search(&self, block: usize) {
        if self.segment.source.is_far() {
            self.announce_sections(&self.searched_sections(&[block]));
        }
    }

    /// Says that texts are going to be looked for in these blocks soon, and does not wait.
    pub(super) fn announce_searches(&self, blocks: &[usize]) {
        if self.segment.source.is_far() {
            self.segment.source.expect(&self.ranges_of(&self.searched_sections(blocks)));
        }
    }

    fn searched_sections(&self, blocks: &[usize]) -> Vec<SectionId> {
        let footer = &self.run().footer;
        let of_run = [footer::TEMPLATES, footer::WORDS].map(|section| footer.whole + section);
        let of_block = |block: &usize| [footer::FILTER, footer::TEXTS].map(|kind| self.system_section(kind, *block));
        of_run.into_iter().chain(blocks.iter().flat_map(of_block)).collect()
    }

    fn announce_sections(&self, ids: &[SectionId]) {
        self.segment.source.prefetch(&self.ranges_of(ids));
    }

    fn ranges_of(&self, ids: &[SectionId]) -> Vec<Range<u64>> {
        let entries = ids.iter().filter_map(|id| self.segment.sections.get(*id as usize));
        entries.map(|entry| entry.range()).filter(|range| !range.is_empty()).collect()
    }
}
