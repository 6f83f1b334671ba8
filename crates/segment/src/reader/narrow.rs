//! Rows that hold a text, found without making values.
//!
//! A literal is decided per template where it can be; only where a variable may take part in it are columns of variables
//! asked, and messages made where a template has too many ways to hold it.
//! Other columns are searched as they are stored ([`search`](crate::needle)).

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use types::{Narrowed, ProbeField, RowSet, Run, TextProbe, TimeForm, Timestamp, Value, is_sent};

use super::recent::{LiteralQuery, Recent, TemplateMatches};
use super::run::SegmentRun;
use crate::column::search;
use crate::error::Result;
use crate::field_filter::{FieldFilter, FilterAnswer};
use crate::needle::Needle;
use crate::numbers::Bases;
use crate::template::{Kind, Kinds, LiteralMatcher, TemplateMatch};
use crate::texts::{self, ColumnSelection, HEX, QUOTED, RequirementSet, TemplateIds, UUIDS, Vocabulary, section_of};
use crate::words::is_word_byte;
use crate::{filter, footer, word_index};

/// Most hex digits of a UUID without a dash between.
const UUID_PART_MAX: usize = 12;

impl SegmentRun {
    /// Narrows a block to the rows that may hold a text.
    pub(super) fn narrow_block(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed> {
        let is_message = match probe.field {
            ProbeField::Message => true,
            // A condition may name fields that few runs have.
            ProbeField::Named(name)
                if !self.run().names.may_have(name)
                    || (self.column_number(name).is_none() && !self.is_derived(name)) =>
            {
                return Ok(Narrowed { rows: RowSet::none(self.block_rows(block)), exact: true });
            }
            ProbeField::Named(name) => self.is_message(name),
            ProbeField::Any => false,
        };
        if !is_asked(probe) {
            return Ok(Narrowed { rows: RowSet::all(self.block_rows(block)), exact: false });
        }
        let question = self.question(probe.literal, probe.ignores_case)?;
        match probe.field {
            ProbeField::Any => self.rows_with_any(block, &question),
            ProbeField::Named(name) if !is_message => self.rows_with_value(block, name, &question.needle),
            _ => Ok(Narrowed { rows: self.rows_with_text(block, &question)?, exact: true }),
        }
    }

    /// Reports whether a value of the run may hold a text: what filters of blocks need not be asked about.
    pub(super) fn may_hold_text(&self, probe: &TextProbe<'_>) -> Result<bool> {
        let ProbeField::Named(name) = probe.field else { return Ok(true) };
        if !self.run().names.may_have(name) && name != "@message" {
            return Ok(false);
        }
        // Most runs have none of the other names that a field may have.
        let Some(index) = self.column_number(name) else { return Ok(name == "@message" || self.has_besides(name)) };
        if self.run().footer.columns[index].filter.is_none() || !is_asked(probe) {
            return Ok(true);
        }
        let literal = match probe.ignores_case {
            true => Cow::Owned(probe.literal.to_ascii_lowercase()),
            false => Cow::Borrowed(probe.literal),
        };
        // Most runs are asked nothing else.
        let is_possible = self.run_may_hold_value(&OnceLock::new(), index, &literal, probe.is_whole)?;
        Ok(is_possible || self.has_besides(name))
    }

    /// Returns what the templates say of a literal; asked once per run and query.
    fn template_matches(&self, literal: &str, ignores_case: bool) -> Result<TemplateMatches> {
        let vocabulary = self.vocabulary()?;
        let matcher = LiteralMatcher::new(literal, ignores_case);
        // Words of a literal with a quote may occur in quoted texts, and others in fields beside which no quote stands.
        let has_unquoted_fields = || {
            self.make_slots(&vocabulary);
            vocabulary.slots().columns().iter().any(|slot| matches!(slot.kind, Kind::Any | Kind::Json))
        };
        let is_indexed = self.has_words() && !literal.contains('"') && !has_unquoted_fields();
        let words = if is_indexed { whole_words(literal) } else { Vec::new() };
        let holds: Vec<TemplateMatch> = if words.is_empty() {
            vocabulary.ask_all(&matcher)
        } else {
            let mut holds = vec![TemplateMatch::No; vocabulary.n_templates()];
            let found = self.words()?.templates_with(&words);
            for id in found.map_err(|damage| self.segment.error(0, damage.0.into()))? {
                if let Some(template) = vocabulary.template(id) {
                    holds[id as usize - 1] = matcher.ask(template);
                }
            }
            holds
        };
        let any_certain = holds.contains(&TemplateMatch::Yes);
        let any_doubtful = holds.contains(&TemplateMatch::Perhaps);
        let mut within = Kinds::default();
        holds.iter().for_each(|holds| {
            if let TemplateMatch::Within(kinds) = holds {
                within.merge(*kinds)
            }
        });
        // A raw message has number 0, and no template.
        let holds = std::iter::once(TemplateMatch::No).chain(holds).collect();
        Ok(TemplateMatches { holds, any_certain, any_doubtful, within, sought: OnceLock::new() })
    }

    /// Returns a literal made ready.
    pub(super) fn question(&self, literal: &str, ignores_case: bool) -> Result<Arc<LiteralQuery>> {
        self.recent().questions.get(literal, ignores_case, || {
            let needle = Needle::new(literal, ignores_case);
            Ok(LiteralQuery { pieces: needle.pieces(), needle })
        })
    }

    /// Returns rows whose message holds a literal, exactly.
    fn rows_with_text(&self, block: usize, question: &LiteralQuery) -> Result<RowSet> {
        self.announce_search(block);
        let needle = &question.needle;
        let raw_section = texts::raw_section(self.segment.format);
        let mut rows = RowSet::none(self.block_rows(block));
        let in_variables = self.variables_may_hold(block, question)?;
        // Filters of earlier formats knew nothing of raw messages.
        let is_in_no_raw = self.segment.format >= 3 && !in_variables;
        let has_raw = !is_in_no_raw && self.is_there(self.system_section(footer::TEXTS + raw_section, block));
        let in_fields = self.fields_that_may_hold(block, needle)?;
        let in_templates = !question.pieces.iter().any(Needle::has_digit);
        let (literal, ignores_case) = (needle.literal(), needle.ignores_case);
        // A piece of a word with a digit lies within one variable; templates need not be asked which.
        let is_word = !in_templates && matches!(&question.pieces[..], [piece] if piece.literal() == literal);
        let matches = if (in_variables || in_templates) && !is_word {
            Some(self.recent().matches.get(literal, ignores_case, || self.template_matches(literal, ignores_case))?)
        } else {
            None
        };
        let is_certain = matches.as_ref().is_some_and(|matches| matches.any_certain);
        let asked = matches.as_ref().filter(|_| in_variables);
        let searched = match &asked {
            Some(matches) => self.kinds_that_may_hold(block, matches.within.iter(), needle)?,
            None if is_word && in_variables => {
                self.kinds_that_may_hold(block, [Kind::Text, Kind::Hex, Kind::Uuid].into_iter(), needle)?
            }
            None => Vec::new(),
        };
        let is_doubtful = asked.is_some_and(|matches| matches.any_doubtful || matches.within.has(Kind::Time));
        let is_quoted = || self.is_there(self.system_section(footer::TEXTS + QUOTED, block));
        let has_quoted = in_variables && !needle.has_quote() && raw_section != QUOTED && is_quoted();
        if !is_certain && !is_doubtful && searched.is_empty() && !has_quoted && !has_raw && in_fields.is_empty() {
            return Ok(rows);
        }
        // Taking the templates of a run apart costs more than all filters of its blocks: only where they are needed.
        let vocabulary = self.vocabulary()?;
        self.make_slots(&vocabulary);
        let ids = self.template_ids(block, &vocabulary)?;
        for field in in_fields {
            self.find_in_field(block, field, needle, &ids, &vocabulary, &mut rows)?;
        }
        for kind in searched {
            self.find_of_kind(block, kind, needle, &ids, &vocabulary, &mut rows)?;
        }
        if let Some(matches) = matches {
            if is_certain {
                rows.or(&RowSet::of_slice(&ids.ids, |id| matches.holds[*id as usize] == TemplateMatch::Yes));
            }
            if is_doubtful {
                let unsure = RowSet::of_slice(&ids.ids, |id| matches.holds[*id as usize].is_for_columns());
                if !unsure.is_empty() {
                    rows.or(&self.verified(block, needle, &unsure, &matches, &ids, &vocabulary)?);
                }
            }
        }
        // A needle without a quote lies within a quoted text or outside of all, which is what templates say.
        if has_quoted {
            self.find_in_section(block, QUOTED, needle, &ids, &vocabulary, &mut rows)?;
        }
        if has_raw && ids.n_raw > 0 {
            let mut found = Vec::new();
            self.find_places(block, raw_section, needle, &ids, &vocabulary, &mut found)?;
            if !found.is_empty() {
                let raw_rows = ids.raw_rows();
                let hits = found.iter().filter_map(|place| raw_rows.get(*place as usize));
                hits.for_each(|row| rows.insert(*row as usize));
            }
        }
        Ok(rows)
    }

    /// Reports whether the variables and raw messages of the block may hold all pieces of a literal that templates cannot hold.
    fn variables_may_hold(&self, block: usize, question: &LiteralQuery) -> Result<bool> {
        for piece in &question.pieces {
            let is_there = self.may_hold(block, piece.literal())?
                || self.section_may_hold(block, HEX, piece)?
                || self.section_may_hold(block, UUIDS, piece)?
                || !self.fields_that_may_hold(block, piece)?.is_empty();
            if !is_there {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reports whether hex numbers, or UUIDs, of the block may hold a piece of a word.
    fn section_may_hold(&self, block: usize, section: usize, piece: &Needle) -> Result<bool> {
        let id = self.system_section(footer::TEXTS + section, block);
        let is_asked = piece.is_lower_hex() && (section == HEX || piece.literal().len() <= UUID_PART_MAX);
        Ok(is_asked && self.is_there(id) && piece.may_be_in_hex(&self.section(id)?))
    }

    /// Returns the kinds of variables that may hold a needle and are worth a search in the block; times are not among
    /// them.
    fn kinds_that_may_hold(
        &self,
        block: usize,
        within: impl Iterator<Item = Kind>,
        needle: &Needle,
    ) -> Result<Vec<Kind>> {
        let mut kinds = Vec::new();
        for kind in within.filter(|kind| !matches!(kind, Kind::Time | Kind::Quoted)) {
            let is_worth = self.is_there(self.system_section(footer::TEXTS + section_of(kind), block))
                && match kind {
                    Kind::Text => self.may_hold(block, needle.literal())?,
                    Kind::Hex => self.section_may_hold(block, HEX, needle)?,
                    // With dashes it has been asked by its pieces.
                    Kind::Uuid => !needle.is_lower_hex() || self.section_may_hold(block, UUIDS, needle)?,
                    _ => true,
                };
            if is_worth {
                kinds.push(kind);
            }
        }
        Ok(kinds)
    }

    /// Adds the rows with a variable of a kind that holds the needle.
    fn find_of_kind(
        &self,
        block: usize,
        kind: Kind,
        needle: &Needle,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        rows: &mut RowSet,
    ) -> Result<()> {
        let section = section_of(kind);
        if !matches!(kind, Kind::Integer | Kind::Address) {
            return self.find_in_section(block, section, needle, ids, vocabulary, rows);
        }
        let wanted = ColumnSelection::all_of_kind(kind, vocabulary.slots());
        let all = RowSet::all(self.block_rows(block));
        let variables = self.variables(block, (&wanted, &all), ids, vocabulary)?;
        let mut found = Vec::new();
        let searched = texts::find_numbers(kind, &variables, ids, vocabulary, needle, &mut |place| found.push(place));
        searched.map_err(|damage| self.damage(self.system_section(footer::TEXTS + section, block), damage))?;
        self.insert_rows_of(block, section, found, ids, vocabulary, rows)
    }

    /// Reports whether a piece of a word may occur in a text or a quoted text of the block.
    fn may_hold(&self, block: usize, piece: &str) -> Result<bool> {
        if !self.run_may_hold(piece)? {
            return Ok(false);
        }
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
    ) -> Result<()> {
        let mut found = Vec::new();
        self.find_places(block, section, needle, ids, vocabulary, &mut found)?;
        self.insert_rows_of(block, section, found, ids, vocabulary, rows)
    }

    /// Adds the rows of the variables at these places of a section.
    fn insert_rows_of(
        &self,
        block: usize,
        section: usize,
        mut places: Vec<u32>,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
        rows: &mut RowSet,
    ) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let added = ids.insert_rows_of(section, &mut places, vocabulary.slots(), rows);
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
    ) -> Result<()> {
        let id = self.system_section(footer::TEXTS + section, block);
        let bytes = self.section(id)?;
        let searched = texts::find(section, &bytes, ids, vocabulary, needle, &mut |place| found.push(place));
        searched.map_err(|damage| self.damage(id, damage))
    }

    /// Returns the rows of `unsure` whose message holds the needle.
    fn verified(
        &self,
        block: usize,
        needle: &Needle,
        unsure: &RowSet,
        matches: &TemplateMatches,
        ids: &TemplateIds,
        vocabulary: &Vocabulary,
    ) -> Result<RowSet> {
        let sought = matches.sought.get_or_init(|| RequirementSet::new(needle, vocabulary, &matches.holds));
        let mut asked = sought.ask(unsure, ids, vocabulary);
        let sections: Vec<usize> = asked.wanted.sections().collect();
        for section in sections {
            let id = self.system_section(footer::TEXTS + section, block);
            let bytes = self.section(id)?;
            let damaged = |damage| self.damage(id, damage);
            let base = texts::base_of(section, &bytes, ids, vocabulary, &asked.wanted).map_err(damaged)?;
            let (times, durations) = self.bases(block, base, &RowSet::all(self.block_rows(block)))?;
            let bases = Bases { times: &times, durations: &durations };
            asked.answer(section, &bytes, ids, vocabulary, &bases).map_err(damaged)?;
        }
        for (column, field) in asked.wanted.fields(vocabulary.slots()) {
            let field = self.checked_field(field)?;
            let kind = vocabulary.slots().columns()[column].kind;
            let rows_with =
                |part: &Needle| self.rows_with_spelled(block, (field, kind == Kind::Json), part, ids, vocabulary);
            let answered = asked.answer_field(column, ids, vocabulary, rows_with)?;
            answered.map_err(|damage| self.damage(self.system_section(footer::TEXTS, block), damage))?;
        }
        let found = asked.rows(ids, vocabulary);
        let mut rows = found.map_err(|damage| self.damage(self.system_section(footer::TEXTS, block), damage))?;
        if let Some(left_over) = asked.left_over(unsure, ids) {
            let messages = self.rebuilt(block, ids, vocabulary, &left_over)?;
            let places: Vec<usize> = left_over.iter().collect();
            needle.find_in(&messages, |place| rows.insert(places[place as usize]));
        }
        Ok(rows)
    }

    /// Returns rows whose message or fields may contain a literal.
    fn rows_with_any(&self, block: usize, question: &LiteralQuery) -> Result<Narrowed> {
        let footer = &self.run().footer;
        let needle = &question.needle;
        let mut found = Narrowed { rows: self.rows_with_text(block, question)?, exact: true };
        for (_, form) in footer.origins.iter().filter_map(|origin| origin.time_key.as_ref()) {
            if needle.may_be_in_time(*form) {
                found.rows.or(&self.rows_with_time(block, *form, needle)?);
                found.exact = false;
            }
        }
        let recent = self.recent();
        for (index, column) in footer.columns.iter().enumerate().filter(|(_, column)| is_sent(&column.name)) {
            if !self.may_hold_value(&recent, block, index, needle)? {
                continue;
            }
            // Numbers and lists are spelled when they are looked at.
            let of_column = self.stored_rows_with(block, index, needle)?;
            // Where an event has both a stored and a derived value, the stored one is not shown.
            found.exact &= of_column.rows.is_empty() || (of_column.exact && !self.is_derived(&column.name));
            found.rows.or(&of_column.rows);
        }
        Ok(found)
    }

    /// Returns rows whose time, spelled in a form, may hold the needle.
    fn rows_with_time(&self, block: usize, form: TimeForm, needle: &Needle) -> Result<RowSet> {
        let all = || Ok(RowSet::all(self.block_rows(block)));
        let Some(digits) = needle.digits() else { return all() };
        match form {
            TimeForm::Epoch { unit_ns } => {
                let units = |time: &i64| time.div_euclid(unit_ns.max(1)).unsigned_abs();
                Ok(RowSet::of_slice(&self.shared_times(block)?, |time| digits.are_in(units(time))))
            }
            // Longer than a year: they can only occur in the decimals.
            TimeForm::Rfc3339 { digits: n_decimals } if needle.literal().len() > 4 => {
                let unit_ns = 10i64.pow(9 - u32::from(n_decimals.min(9)));
                let decimals = |time: &i64| time.rem_euclid(Timestamp::SECOND).div_euclid(unit_ns).unsigned_abs();
                let times = self.shared_times(block)?;
                Ok(RowSet::of_slice(&times, |time| digits.are_in_padded(decimals(time), u32::from(n_decimals.min(9)))))
            }
            TimeForm::Rfc3339 { .. } => all(),
        }
    }

    /// Returns the filter over the fields of a block; segments of format 1 have none.
    pub(super) fn field_filter(&self, recent: &Recent, block: usize) -> Result<Arc<FieldFilter>> {
        let n_columns = self.run().footer.columns.len();
        let id = self.system_section(footer::FIELDS, block);
        recent.filters_of_blocks.get(block, || self.decoded(id, |bytes| FieldFilter::decode(bytes, n_columns)))
    }

    /// Reports whether a value of column number `index` in the block may hold the needle; `recent` is what the query has of the run.
    pub(super) fn may_hold_value(&self, recent: &Recent, block: usize, index: usize, needle: &Needle) -> Result<bool> {
        if self.segment.format == 1 {
            return Ok(true);
        }
        let n_columns = self.run().footer.columns.len();
        if !self.run_may_hold_value(&recent.column(index, n_columns).filter, index, needle.literal(), false)? {
            return Ok(false);
        }
        match self.field_filter(recent, block)?.ask(index, needle) {
            FilterAnswer::No => Ok(false),
            FilterAnswer::Perhaps => Ok(true),
            FilterAnswer::AsDictionary => {
                let unknown = || Ok((0..n_columns).map(|_| OnceLock::new()).collect());
                let asked = recent.dictionary_matches.get(needle.literal(), needle.ignores_case, unknown)?;
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

    /// Returns rows whose field `name` may hold a literal.
    pub(super) fn rows_with_value(&self, block: usize, name: &str, needle: &Needle) -> Result<Narrowed> {
        let run = self.run();
        let n_rows = self.block_rows(block);
        let mut found = Narrowed { rows: RowSet::none(n_rows), exact: true };
        for origin in &run.footer.origins {
            let is_text = origin.text_key.as_deref() == Some(name);
            let time = origin.time_key.as_ref().filter(|(key, _)| **key == *name);
            if is_text {
                return Ok(Narrowed { rows: RowSet::all(n_rows), exact: false });
            }
            if let Some((_, form)) = time.filter(|(_, form)| needle.may_be_in_time(*form)) {
                found.rows.or(&self.rows_with_time(block, *form, needle)?);
            }
            found.exact &= time.is_none();
        }
        let Some(index) = self.column_number(name) else { return Ok(found) };
        if !self.may_hold_value(&self.recent(), block, index, needle)? {
            return Ok(found);
        }
        let stored = self.stored_rows_with(block, index, needle)?;
        found.rows.or(&stored.rows);
        found.exact &= stored.exact;
        Ok(found)
    }

    /// Returns rows whose stored value of column number `index` may contain the needle.
    pub(super) fn stored_rows_with(&self, block: usize, index: usize, needle: &Needle) -> Result<Narrowed> {
        let id = self.column_section_id(block, index);
        let none = || Ok(Narrowed { rows: RowSet::none(self.block_rows(block)), exact: true });
        if !self.pages_may_hold(block, index, needle)? {
            return none();
        }
        let bytes = self.column_section(block, index)?;
        if !search::may_hold(&bytes, needle) {
            return none();
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

/// Reports whether a text is one that filters and columns can be asked about.
fn is_asked(probe: &TextProbe<'_>) -> bool {
    (!probe.ignores_case || probe.literal.is_ascii()) && !probe.literal.is_empty()
}

/// Returns whole words of a literal in lower case, as in the word index.
fn whole_words(literal: &str) -> Vec<String> {
    let starts_inside = literal.bytes().next().is_some_and(is_word_byte);
    let ends_inside = literal.bytes().last().is_some_and(is_word_byte);
    let mut all: Vec<&str> = crate::words::words(literal).collect();
    if ends_inside {
        all.pop();
    }
    let whole = if starts_inside && !all.is_empty() { &all[1..] } else { &all[..] };
    whole.iter().filter(|word| word_index::is_asked(word)).map(|word| word.to_ascii_lowercase()).collect()
}
