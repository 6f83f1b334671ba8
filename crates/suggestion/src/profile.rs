//! What the texts of a group look like: how many events there are of each text with what varies taken out, their levels and
//! services, and some of them whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use pattern::mask;
use plan::{MESSAGE_FIELDS, SERVICE_FIELDS};
use types::{Column, Level, RowSet, Run, ScanError, Value};

/// Most different texts that are told apart. A group with more is one whose texts are all different.
const TEXTS_MAX: usize = 20_000;

/// Whole texts that are kept of each masked one, the longest, and how much all of them may take.
const SAMPLES_MAX: usize = 8;
const SAMPLE_BYTES_MAX: usize = 4 << 10;
const SAMPLES_BYTES_MAX: usize = 64 << 20;

/// Characters of a text that are masked: texts differ in their beginnings.
const MASKED_CHARS_MAX: usize = 1_000;

/// Services that are told apart; a field with more values names no services.
pub(crate) const SERVICES_MAX: usize = 64;

/// The field that has an event's text.
pub(crate) const MESSAGE: &str = "@message";

/// The texts of some events of one group.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Events.
    pub(crate) n_events: u64,
    /// Events by the field with their text and by the text with what varies taken out.
    pub(crate) texts: HashMap<(&'static str, String), TextProfile>,
    /// Events whose text would have been one too many.
    pub n_untold: u64,
    /// Bytes of all samples that were ever kept.
    sample_bytes: usize,
    /// Names of the fields that events have.
    pub(crate) fields: BTreeSet<Arc<str>>,
    /// Values of fields that name services, in the order in which they were found.
    pub(crate) services: BTreeMap<&'static str, Services>,
}

/// Values of one field that names services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// Values with the number of their events; more than [`SERVICES_MAX`] are cut.
    pub(crate) values: BTreeMap<String, u64>,
    /// Whether there were more.
    pub(crate) is_cut: bool,
    /// For the hash of each masked text the values whose events have it.
    pub(crate) of_text: HashMap<u64, BTreeMap<String, u64>>,
}

/// Events with one masked text.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextProfile {
    /// Events by the code of their level, 0 for none.
    pub(crate) levels: BTreeMap<u8, u64>,
    /// Some of the texts.
    pub(crate) samples: BTreeSet<String>,
}

impl TextProfile {
    /// Returns how many events are less than a warning.
    pub(crate) fn n_quiet(&self) -> u64 {
        let quiet =
            self.levels.iter().filter(|(code, _)| Level::of_code(**code).is_none_or(|level| level < Level::Warn));
        quiet.map(|(_, count)| count).sum()
    }

    /// Returns how many events there are.
    pub(crate) fn n_events(&self) -> u64 {
        self.levels.values().sum()
    }

    /// Keeps a text; of more than there is room for, the same ones are kept in whatever order they come. Returns the bytes
    /// that it takes.
    fn add_sample(&mut self, text: &str) -> usize {
        let is_full = self.samples.len() >= SAMPLES_MAX;
        let is_wanted = !is_full || self.samples.last().is_some_and(|last| text < last.as_str());
        if text.len() > SAMPLE_BYTES_MAX || !is_wanted || !self.samples.insert(text.to_owned()) {
            return 0;
        }
        if is_full {
            self.samples.pop_last();
        }
        text.len()
    }
}

impl Profile {
    /// Returns the profile of the rows of a block.
    ///
    /// # Errors
    /// If the block cannot be read.
    pub fn of_block(run: &dyn Run, block: usize, rows: &RowSet) -> Result<Self, ScanError> {
        let mut profile = Self { fields: run.field_names()?.into_iter().collect(), ..Self::default() };
        let has = |name: &&&'static str| profile.fields.contains(**name);
        let texts: Vec<&'static str> = MESSAGE_FIELDS.iter().filter(has).copied().chain([MESSAGE]).collect();
        let services: Vec<&'static str> = SERVICE_FIELDS.iter().filter(has).copied().collect();
        let names: Vec<&str> =
            ["@level"].into_iter().chain(texts.iter().copied()).chain(services.iter().copied()).collect();
        let columns = run.read(block, &names, rows)?;
        let (levels, columns) = columns.split_first().map_or((None, &[][..]), |(levels, rest)| (Some(levels), rest));
        let (of_texts, of_services) = columns.split_at(texts.len().min(columns.len()));
        // A field that is the message itself is read as the message.
        let of_texts: Vec<(&'static str, &Column)> =
            texts.into_iter().zip(of_texts).filter(|(name, _)| *name == MESSAGE || !run.is_message(name)).collect();
        for row in 0..rows.count() {
            let level = levels.and_then(|levels| levels.value(row)).and_then(|level| Level::parse(&level.to_string()));
            let named = services
                .iter()
                .copied()
                .zip(of_services)
                .filter_map(|(name, column)| Some((name, text_of(column, row)?)));
            profile.add(text_at(&of_texts, row), level, named);
        }
        Ok(profile)
    }

    fn add(
        &mut self,
        text: Option<(&'static str, String)>,
        level: Option<Level>,
        services: impl Iterator<Item = (&'static str, String)>,
    ) {
        self.n_events += 1;
        let Some((field, text)) = text else { return };
        let end = text.char_indices().nth(MASKED_CHARS_MAX).map_or(text.len(), |(at, _)| at);
        let masked = mask(&text[..end]);
        let hash = hash_of(&masked);
        for (name, value) in services {
            self.services.entry(name).or_default().add(hash, value, 1);
        }
        let key = (field, masked);
        if self.texts.len() >= TEXTS_MAX && !self.texts.contains_key(&key) {
            self.n_untold += 1;
            return;
        }
        let profile = self.texts.entry(key).or_default();
        *profile.levels.entry(level.map_or(0, Level::code)).or_insert(0) += 1;
        if self.sample_bytes < SAMPLES_BYTES_MAX {
            self.sample_bytes += profile.add_sample(&text);
        }
    }

    /// Adds other events of the group.
    pub fn merge(&mut self, other: Self) {
        self.n_events += other.n_events;
        self.n_untold += other.n_untold;
        self.fields.extend(other.fields);
        for (key, text) in other.texts {
            if self.texts.len() >= TEXTS_MAX && !self.texts.contains_key(&key) {
                self.n_untold += text.n_events();
                continue;
            }
            let mine = self.texts.entry(key).or_default();
            for (level, count) in text.levels {
                *mine.levels.entry(level).or_insert(0) += count;
            }
            for sample in &text.samples {
                if self.sample_bytes < SAMPLES_BYTES_MAX {
                    self.sample_bytes += mine.add_sample(sample);
                }
            }
        }
        for (name, services) in other.services {
            self.services.entry(name).or_default().merge(services);
        }
    }
}

impl Services {
    fn add(&mut self, masked: u64, value: String, count: u64) {
        if !self.values.contains_key(&value) && self.values.len() >= SERVICES_MAX {
            self.is_cut = true;
            return;
        }
        if self.of_text.len() >= TEXTS_MAX && !self.of_text.contains_key(&masked) {
            return;
        }
        *self.of_text.entry(masked).or_default().entry(value.clone()).or_insert(0) += count;
        *self.values.entry(value).or_insert(0) += count;
    }

    fn merge(&mut self, other: Self) {
        self.is_cut |= other.is_cut;
        for (masked, values) in other.of_text {
            for (value, count) in values {
                self.add(masked, value, count);
            }
        }
    }
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Returns the text of an event, and the field that has it.
fn text_at(columns: &[(&'static str, &Column)], row: usize) -> Option<(&'static str, String)> {
    columns.iter().find_map(|(name, column)| Some((*name, text_of(column, row)?)))
}

fn text_of(column: &Column, row: usize) -> Option<String> {
    match column.value(row)? {
        Value::String(text) if !text.is_empty() => Some(text.to_string()),
        _ => None,
    }
}
