//! Rows that hold a text, found without making values.
//!
//! A literal is decided per template where it can be; only where a variable may take part in it are columns of variables
//! asked, and messages made where a template has too many ways to hold it.
//! Other columns are searched as they are stored ([`search`](super::super::search)).

use std::sync::{Arc, OnceLock};

use types::{Narrowed, RowSet, Run, ScanError, Value};

use super::super::field_filter::{Chance, FieldFilter};
use super::super::filter;
use super::super::footer;
use super::super::search::{self, Needle};
use super::super::section::SectionId;
use super::super::template::{Holds, LiteralMatcher, is_word_byte};
use super::super::texts::{self, HEX, QUOTED, Sought, TEXTS, TemplateIds, UUIDS, Vocabulary};
use super::super::words;
use super::{SegmentRun, TemplateMatches};

impl SegmentRun {
    /// What the templates say of a literal; asked once per run and query.
    fn template_matches(&self, literal: &str, ignores_case: bool) -> Result<TemplateMatches, ScanError> {
        let vocabulary = self.vocabulary()?;
        let templates = &vocabulary.templates;
        let matcher = LiteralMatcher::new(literal, ignores_case);
        // Words of a literal with a quote may stand in quoted texts.
        let is_indexed = self.has_words() && !literal.contains('"');
        let words = if is_indexed { whole_words(literal) } else { Vec::new() };
        let holds: Vec<Holds> = if words.is_empty() {
            matcher.ask_all(templates, vocabulary.written())
        } else {
            let mut holds = vec![Holds::No; templates.len()];
            let found = self.words()?.templates_with(&words);
            for id in found.map_err(|damage| self.segment.error(0, damage.0.into()))? {
                if let Some(template) = templates.get(id as usize - 1) {
                    holds[id as usize - 1] = matcher.ask(template);
                }
            }
            holds
        };
        let any_certain = holds.contains(&Holds::Yes);
        let any_doubtful = holds.contains(&Holds::Perhaps);
        // A raw message has number 0, and no template.
        let holds = std::iter::once(Holds::No).chain(holds).collect();
        Ok(TemplateMatches { holds, any_certain, any_doubtful, sought: OnceLock::new() })
    }

    /// Rows whose message holds a literal, exactly.
    pub(super) fn rows_with_text(&self, block: usize, literal: &str, ignores_case: bool) -> Result<RowSet, ScanError> {
        self.announce_search(block);
        let needle = Needle::new(literal, ignores_case);
        let n_rows = self.block_rows(block);
        let matches = || self.matches.get(literal, ignores_case, || self.template_matches(literal, ignores_case));
        let vocabulary = self.vocabulary()?;
        let has_raw = self.is_there(self.system_section(footer::TEXTS + vocabulary.raw_section(), block));
        // Of a piece of a word the filter tells whether texts hold it. With a digit it stands in no template.
        let in_texts = !needle.stands_in_texts_only() || self.may_hold(block, literal)?;
        let matches = if in_texts || !needle.stands_in_variables_only() { Some(matches()?) } else { None };
        let is_certain = matches.as_ref().is_some_and(|matches| matches.any_certain);
        let is_doubtful = in_texts && matches.as_ref().is_some_and(|matches| matches.any_doubtful);
        let is_quoted = || self.is_there(self.system_section(footer::TEXTS + QUOTED, block));
        let has_quoted = in_texts && !needle.has_quote() && vocabulary.raw_section() != QUOTED && is_quoted();
        let mut rows = RowSet::none(n_rows);
        if !is_certain && !is_doubtful && !has_quoted && !has_raw {
            return Ok(rows);
        }
        let ids = self.template_ids(block, &vocabulary)?;
        if let Some(matches) = matches {
            let rows_that = |wanted: Holds| RowSet::of_slice(&ids.ids, |id| matches.holds[*id as usize] == wanted);
            if is_certain {
                rows = rows_that(Holds::Yes);
            }
            let unsure = if is_doubtful { rows_that(Holds::Perhaps) } else { RowSet::none(n_rows) };
            if !unsure.is_empty() {
                rows.or(&self.verified(block, &needle, &unsure, &matches, &ids, &vocabulary)?);
            }
        }
        // A needle without a quote lies within a quoted text or outside of all, which is what templates say.
        if has_quoted {
            self.find_in_section(block, QUOTED, &needle, &ids, &vocabulary, &mut rows)?;
        }
        if has_raw && ids.n_raw() > 0 {
            let mut found = Vec::new();
            self.find_places(block, vocabulary.raw_section(), &needle, &ids, &vocabulary, &mut found)?;
            if !found.is_empty() {
                let raw_rows = ids.raw_rows();
                let hits = found.iter().filter_map(|place| raw_rows.get(*place as usize));
                hits.for_each(|row| rows.insert(*row as usize));
            }
        }
        Ok(rows)
    }

    /// Tells whether a piece of a word may stand in a text or a quoted text of the block.
    fn may_hold(&self, block: usize, piece: &str) -> Result<bool, ScanError> {
        self.decoded(self.system_section(footer::FILTER, block), |table| Ok(filter::may_hold(table, piece)))
    }

    /// Adds the rows with a variable of a section that holds the needle.
    fn find_in_section(
        &self,
        block: usize,
        section: usize,
        needle: &Needle,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        rows: &mut RowSet,
    ) -> Result<(), ScanError> {
        let mut found = Vec::new();
        self.find_places(block, section, needle, ids, vocabulary, &mut found)?;
        if found.is_empty() {
            return Ok(());
        }
        let added = ids.insert_rows_of(section, &mut found, &vocabulary.slots, rows);
        added.map_err(|damage| self.damage(self.system_section(footer::TEXTS, block), damage))
    }

    /// Adds the places in their section of the variables, or raw messages, that hold the needle.
    fn find_places(
        &self,
        block: usize,
        section: usize,
        needle: &Needle,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        found: &mut Vec<u32>,
    ) -> Result<(), ScanError> {
        let id = self.system_section(footer::TEXTS + section, block);
        let bytes = self.section(id)?;
        let searched = texts::find(section, &bytes, ids, vocabulary, needle, &mut |place| found.push(place));
        searched.map_err(|damage| self.damage(id, damage))
    }

    /// Of the rows `unsure`, those whose message holds the needle.
    fn verified(
        &self,
        block: usize,
        needle: &Needle,
        unsure: &RowSet,
        matches: &TemplateMatches,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
    ) -> Result<RowSet, ScanError> {
        let mut rows = RowSet::none(unsure.n_rows());
        if needle.stands_in_texts_or_hex_only() {
            // The needle is part of one word, and only variables of these kinds can hold it: no message is rebuilt.
            let sections = if needle.is_lower_hex() { &[TEXTS, HEX, UUIDS][..] } else { &[TEXTS][..] };
            for section in sections {
                if self.is_there(self.system_section(footer::TEXTS + section, block)) {
                    self.find_in_section(block, *section, needle, ids, vocabulary, &mut rows)?;
                }
            }
            rows.and(unsure);
            return Ok(rows);
        }
        let sought = matches.sought.get_or_init(|| Sought::new(needle, vocabulary, &matches.holds));
        let mut asked = sought.ask(unsure, ids, vocabulary);
        let sections: Vec<usize> = asked.wanted().sections().collect();
        for section in sections {
            let id = self.system_section(footer::TEXTS + section, block);
            let bytes = self.section(id)?;
            let damaged = |damage| self.damage(id, damage);
            let needs_times = texts::needs_times(section, &bytes, ids, vocabulary, asked.wanted()).map_err(damaged)?;
            let times = if needs_times { self.times(block)? } else { Vec::new() };
            asked.answer(section, &bytes, ids, vocabulary, &times).map_err(damaged)?;
        }
        let found = asked.rows(ids, vocabulary);
        rows.or(&found.map_err(|damage| self.damage(self.system_section(footer::TEXTS, block), damage))?);
        if let Some(left_over) = asked.left_over(unsure, ids) {
            let messages = self.rebuilt(block, ids, vocabulary, &left_over)?;
            let places: Vec<usize> = left_over.iter().collect();
            needle.find_in(&messages, |place| rows.insert(places[place as usize]));
        }
        Ok(rows)
    }

    /// Rows of which the message or some field may hold a literal.
    pub(super) fn rows_with_any(&self, block: usize, literal: &str, ignores_case: bool) -> Result<Narrowed, ScanError> {
        let all = || Narrowed { rows: RowSet::all(self.block_rows(block)), exact: false };
        let footer = &self.run().footer;
        let needle = Needle::new(literal, ignores_case);
        let time_forms = footer.origins.iter().filter_map(|origin| origin.time_key.as_ref());
        if time_forms.map(|(_, form)| *form).any(|form| needle.may_be_in_time(form)) {
            return Ok(all());
        }
        let mut rows = self.rows_with_text(block, literal, ignores_case)?;
        for index in 0..footer.columns.len() {
            if !self.may_hold_value(block, index, &needle)? {
                continue;
            }
            // Numbers and lists are spelled when they are looked at.
            let found = self.stored_rows_with(block, index, &needle)?;
            if found.rows.is_all() || rows.is_all() {
                return Ok(all());
            }
            rows.or(&found.rows);
        }
        Ok(Narrowed { rows, exact: false })
    }

    /// What stands in the fields of a block, in segments after format 1.
    pub(super) fn field_filter(&self, block: usize) -> Result<Arc<FieldFilter>, ScanError> {
        let n_columns = self.run().footer.columns.len();
        let id = self.system_section(footer::FIELDS, block);
        self.filters_of_blocks.get(block, || self.decoded(id, |bytes| FieldFilter::decode(bytes, n_columns)))
    }

    /// Tells whether a value of column number `index` in the block may hold the needle.
    fn may_hold_value(&self, block: usize, index: usize, needle: &Needle) -> Result<bool, ScanError> {
        if self.segment.format == 1 {
            return Ok(true);
        }
        let n_columns = self.run().footer.columns.len();
        match self.field_filter(block)?.ask(index, needle) {
            Chance::No => Ok(false),
            Chance::Perhaps => Ok(true),
            Chance::AsDictionary => {
                let unknown = || Ok((0..n_columns).map(|_| OnceLock::new()).collect());
                let asked = self.dictionary_matches.get(needle.literal(), needle.ignores_case(), unknown)?;
                let Some(known) = asked.get(index) else { return Ok(true) };
                if let Some(known) = known.get() {
                    return Ok(*known);
                }
                let holds = |value: &Value| if let Value::String(text) = value { needle.is_in(text) } else { true };
                let found = self.dictionary(index)?.is_none_or(|values| values.iter().any(holds));
                Ok(*known.get_or_init(|| found))
            }
        }
    }

    /// Rows whose field `name` may hold a literal.
    pub(super) fn rows_with_value(&self, block: usize, name: &str, needle: &Needle) -> Result<Narrowed, ScanError> {
        let run = self.run();
        let n_rows = self.block_rows(block);
        let mut found = Narrowed { rows: RowSet::none(n_rows), exact: true };
        for origin in &run.footer.origins {
            let is_text = origin.text_key.as_deref() == Some(name);
            let time = origin.time_key.as_ref().filter(|(key, _)| **key == *name);
            if is_text || time.is_some_and(|(_, form)| needle.may_be_in_time(*form)) {
                return Ok(Narrowed { rows: RowSet::all(n_rows), exact: false });
            }
            found.exact &= time.is_none();
        }
        let Ok(index) = run.footer.columns.binary_search_by(|column| (*column.name).cmp(name)) else {
            return Ok(found);
        };
        if !self.may_hold_value(block, index, needle)? {
            return Ok(found);
        }
        let Narrowed { rows, exact } = self.stored_rows_with(block, index, needle)?;
        Ok(Narrowed { rows, exact: exact && found.exact })
    }

    /// Rows of which the stored value of column number `index` may hold the needle.
    fn stored_rows_with(&self, block: usize, index: usize, needle: &Needle) -> Result<Narrowed, ScanError> {
        let id = self.run().footer.columns[index].first_section + block as SectionId;
        let bytes = self.section(id)?;
        if !search::may_hold(&bytes, needle) {
            return Ok(Narrowed { rows: RowSet::none(self.block_rows(block)), exact: true });
        }
        let present = self.block_shapes(block, &*self.shapes()?)?.rows_with(index as u32, &*self.shapes()?);
        if present.is_empty() {
            return Ok(Narrowed { rows: present, exact: true });
        }
        let dictionary = self.dictionary(index)?;
        let found = search::find(&bytes, &present, dictionary.as_ref(), needle);
        let (rows, exact) = found.map_err(|damage| self.damage(id, damage))?;
        Ok(Narrowed { rows, exact })
    }
}

/// Words of a literal that stand in it as a whole, lower case, such as the word index can be asked for.
fn whole_words(literal: &str) -> Vec<String> {
    let starts_inside = literal.bytes().next().is_some_and(is_word_byte);
    let ends_inside = literal.bytes().last().is_some_and(is_word_byte);
    let mut all: Vec<&str> = super::super::template::words(literal).collect();
    if ends_inside {
        all.pop();
    }
    let whole = if starts_inside && !all.is_empty() { &all[1..] } else { &all[..] };
    whole.iter().filter(|word| words::is_asked(word)).map(|word| word.to_ascii_lowercase()).collect()
}
