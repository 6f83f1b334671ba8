//! Rule files: what they may say, and what is wrong with them.
//!
//! A Prometheus user recognises the shape. Unknown keys, bad values and duplicate names are errors that name file,
//! line and key; nothing is guessed. A file is read whole or not at all.

mod checks;
mod composites;
mod document;
mod file_text;
mod group;
mod group_limit;
mod kind_keys;
mod prometheus;
mod prometheus_values;
mod reader;
mod recording;
mod recovery;
mod text_map;
mod yaml_error;

pub(crate) use self::composites::check as check_composites;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Channel;
use crate::metrics::{FileMetric, Recording};
use crate::recorder::RecordingRule;
use crate::rule::{Rule, RuleError};
use crate::rules::file_text::GroupText;
use crate::rules::group::GroupSettings;
use crate::rules::reader::Reader;
use crate::rules::recovery::ParsedFile;

/// Largest rule file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Most rules in all files.
const RULES_MAX: usize = 10_000;

/// Most channels; each has a thread of its own.
const CHANNELS_MAX: usize = 64;

/// All rules and channels.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Rules in the order of files and lines.
    pub rules: Vec<Rule>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Metrics made of events.
    pub metrics: Vec<FileMetric>,
    /// Recording rules.
    pub recordings: Vec<Recording>,
    /// Recording rules in PromQL, whose results are stored as samples.
    pub series: Vec<RecordingRule>,
    /// Parts of files that were not read, though nothing is wrong with them.
    pub warnings: Vec<RuleError>,
    /// Whether they may be in force already. A template that was right when it was written is then no mistake.
    pub is_in_force: bool,
}

impl RuleSet {
    /// Reads all `*.yaml` and `*.yml` of a directory. All files are read, so that one look shows all mistakes.
    pub fn load_dir(dir: &Path) -> Result<Self, Vec<RuleError>> {
        let at = |path: &Path, message: String| RuleError {
            file: path.display().to_string(),
            line: None,
            column: None,
            message,
        };
        let entries = fs::read_dir(dir).map_err(|error| vec![at(dir, error.to_string())])?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|suffix| suffix == "yaml" || suffix == "yml"));
        paths.sort();
        let (mut set, mut errors) = (Self { is_in_force: true, ..Self::default() }, Vec::new());
        for path in paths {
            let text = match fs::metadata(&path) {
                Ok(metadata) if metadata.len() > FILE_BYTES_MAX => Err("larger than 1 MiB".to_string()),
                Ok(_) => fs::read_to_string(&path).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match text {
                Ok(text) => errors.extend(set.add(&path.display().to_string(), &text).err().unwrap_or_default()),
                Err(message) => errors.push(at(&path, message)),
            }
        }
        errors.extend(if errors.is_empty() { set.check_names() } else { Vec::new() });
        for warning in &set.warnings {
            tracing::warn!("{warning}");
        }
        if errors.is_empty() { Ok(set) } else { Err(errors) }
    }

    /// Returns what is wrong between the rules of all files: rules over rules that are not there, or over themselves.
    pub fn check_names(&self) -> Vec<RuleError> {
        check_composites(self.rules.iter()).into_iter().map(|(_, error)| error).collect()
    }

    /// Adds the rules and channels of one file.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Vec<RuleError>> {
        let (text, next_document) = document::first(text);
        let ParsedFile { file: read, errors: wrong } = recovery::parse(file, text);
        let Some(read) = read else { return Err(wrong) };
        let warnings = self.is_in_force.then(Vec::new);
        let mut reader = Reader { file, errors: Vec::new(), names: self.names(), warnings };
        let mut groups = BTreeSet::new();
        for mut group in read.groups.into_iter().flatten() {
            let settings = GroupSettings::read(&mut reader, &mut group.value, group.referenced, &mut groups);
            self.add_rules(&mut reader, group.value, &settings);
        }
        let mut channel_names: BTreeSet<String> = self.channels.iter().map(|channel| channel.name.clone()).collect();
        for channel in read.channels {
            let at = channel.referenced;
            match Channel::in_force(channel.value) {
                Ok(mut channel) if channel_names.insert(channel.name.clone()) => {
                    channel.file = file.into();
                    if let Some(warning) = channel.warning() {
                        reader.mistake(at, warning, true);
                    }
                    self.channels.push(channel);
                }
                Ok(channel) => reader.error(at, format!("channel \"{}\" is there twice", channel.name)),
                Err(message) => reader.error(at, message),
            }
        }
        for metric in read.metrics {
            self.metrics.extend(reader.metric(metric, &self.metrics, &self.recordings));
        }
        if self.rules.len() + self.series.len() > RULES_MAX || self.channels.len() > CHANNELS_MAX {
            let message = format!("more than {RULES_MAX} rules or {CHANNELS_MAX} channels");
            reader.errors.push(RuleError { file: file.into(), line: None, column: None, message });
        }
        let mut errors = recovery::without_consequences(text, &wrong, reader.errors);
        if !wrong.is_empty() {
            errors.extend(wrong);
            errors.sort_by_key(|error| (error.line, error.column));
        }
        self.warnings.extend(reader.warnings.unwrap_or_default());
        self.warnings.extend(next_document.map(|line| second_document(file, line)));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn add_rules(&mut self, reader: &mut Reader<'_>, group: GroupText, settings: &GroupSettings) {
        for rule in group.rules.into_iter().flatten() {
            let (mut rule, at) = (rule.value, rule.referenced);
            rule.drop_empty_names();
            match rule.record.is_some() {
                true if rule.is_series() => self.series.extend(reader.series_recording(rule, settings)),
                true => self.recordings.extend(reader.recording(rule, settings.interval_ns)),
                false if rule.expr.is_some() => self.rules.extend(reader.prometheus_alert(rule, settings)),
                false => self.rules.extend(reader.rule(rule, at, settings.interval_ns)),
            }
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let recorded = self.recordings.iter().map(|recording| recording.name().to_owned());
        self.rules.iter().map(|rule| rule.name.clone()).chain(recorded).collect()
    }
}

/// Returns the warning about a file whose second document has content from `line` on.
fn second_document(file: &str, line: u64) -> RuleError {
    let message = "a second YAML document is not read; put its rules into a file of their own".to_owned();
    RuleError { file: file.into(), line: Some(line), column: None, message }
}

#[cfg(test)]
mod tests;
