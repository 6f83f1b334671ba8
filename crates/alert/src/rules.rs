//! Rule files: what they may say, and what is wrong with them.
//!
//! A Prometheus user recognises the shape. Unknown keys, bad values and duplicate names are errors that name file,
//! line and key; nothing is guessed. A file is read whole or not at all.

mod checks;
mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_saphyr::Spanned;
use types::{GroupPattern, GroupScope, Timestamp, parse_duration_ns};

use crate::compile::{self, CompileError};
use crate::kind::{KindText, Places, WindowText, check_composites, read_kind};
use crate::metrics::{FileMetric, MetricSettings, Recording};
use crate::{Channel, ChannelSettings, Direction, Kind, Language};

/// Largest rule file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Most rules in all files.
const RULES_MAX: usize = 10_000;

/// Most channels; each has a thread of its own.
const CHANNELS_MAX: usize = 64;

/// Most evaluations that M-of-N looks back.
const DATAPOINTS_MAX: u8 = 64;

const WINDOW_NS_DEFAULT: i64 = 5 * Timestamp::MINUTE;

/// Shortest time between two evaluations of a rule.
const INTERVAL_NS_MIN: i64 = Timestamp::SECOND;

/// A rule, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique; every alert has it as the label `alertname`.
    pub name: String,
    /// What it looks for.
    pub kind: Kind,
    /// The query; empty where the kind has none.
    pub query: String,
    /// The language that it is written in.
    pub language: Language,
    /// Which log groups it looks at.
    pub groups: Vec<GroupPattern>,
    /// How far back it looks.
    pub window_ns: i64,
    /// How often it is evaluated; `None` for the usual interval.
    pub interval_ns: Option<i64>,
    /// An expression over a row of the result.
    pub condition: Option<String>,
    /// How long the condition must hold.
    pub for_ns: i64,
    /// How long the alert stays on after the condition last held.
    pub keep_firing_for_ns: i64,
    /// What a missing label set means; `None` for `ok` of counts and `insufficient` of the rest.
    pub missing: Option<Missing>,
    /// M of N.
    pub datapoints: Datapoints,
    /// Labels of every alert.
    pub labels: BTreeMap<String, String>,
    /// Templates for people.
    pub annotations: BTreeMap<String, String>,
    /// What its alerts are about; channels subscribe.
    pub topics: Vec<String>,
    /// Whether channels are told of its alerts; without, they are seen on the page and by rules of kind composite.
    pub notify: bool,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// The file that it comes from; empty of one that was made through the API.
    pub file: String,
    /// Who made it through the API.
    pub maker: Option<String>,
    /// The groups that exist for who made it: it sees no others, whatever it names.
    pub scope: GroupScope,
}

impl Rule {
    /// Whether the rule is there for somebody for whom only the groups of `scope` are.
    pub(crate) fn is_within(&self, scope: &GroupScope) -> bool {
        let is_any = !self.groups.is_empty();
        scope.is_everything() || is_any && self.groups.iter().all(|group| scope.admits(group.as_str()))
    }

    /// Stands for what the rule asks: as long as it is the same, its label sets mean the same. How long, how often and
    /// to whom it tells them is not part of it.
    pub(crate) fn meaning(&self) -> u64 {
        let groups: Vec<&str> = self.groups.iter().map(GroupPattern::as_str).collect();
        let language = format!("{:?}", self.language);
        let asked = serde_json::json!([self.query, language, groups, self.condition, self.labels, self.kind.shown()]);
        xxhash_rust::xxh3::xxh3_64(asked.to_string().as_bytes())
    }
}

/// What it means when a label set is not in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// All is well.
    Ok,
    /// That is the alarm.
    Alarm,
    /// The state stays as it is.
    Keep,
    /// The state is `insufficient_data`.
    Insufficient,
}

impl Missing {
    /// As rules write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Alarm => "alarm",
            Self::Keep => "keep",
            Self::Insufficient => "insufficient",
        }
    }
}

/// So many of the last so many evaluations must fulfil the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datapoints {
    /// M.
    pub to_alarm: u8,
    /// N.
    pub of: u8,
}

/// What is wrong with a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", place(*.line, *.column))]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// Line from 1, where there is one.
    pub line: Option<u64>,
    /// Column from 1, where there is one.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
}

fn place(line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

/// All rules and channels.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {
    /// Rules in the order of files and lines.
    pub rules: Vec<Rule>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Metrics made of events.
    pub metrics: Vec<FileMetric>,
    /// Recording rules.
    pub recordings: Vec<Recording>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    #[serde(default)]
    groups: Vec<GroupText>,
    #[serde(default)]
    channels: Vec<Spanned<ChannelSettings>>,
    #[serde(default)]
    metrics: Vec<Spanned<MetricSettings>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupText {
    /// Names the group for people.
    #[serde(rename = "name")]
    _name: String,
    interval: Option<Spanned<String>>,
    rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: Option<Spanned<String>>,
    /// The name of gauges, where it is a recording rule.
    record: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
    language: Option<Spanned<String>>,
    #[serde(default)]
    groups: Vec<String>,
    window: Option<Spanned<String>>,
    interval: Option<Spanned<String>>,
    condition: Option<Spanned<String>>,
    #[serde(rename = "for")]
    for_: Option<Spanned<String>>,
    keep_firing_for: Option<Spanned<String>>,
    missing: Option<Missing>,
    datapoints: Option<Spanned<Datapoints>>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    topics: Vec<String>,
    notify: Option<bool>,
    enabled: Option<bool>,
    kind: Option<Spanned<String>>,
    baseline: Option<Spanned<String>>,
    jump: Option<Spanned<f64>>,
    min_count: Option<Spanned<u64>>,
    limit: Option<Spanned<u64>>,
    by: Option<Spanned<Vec<String>>>,
    expect: Option<Spanned<Vec<BTreeMap<String, String>>>>,
    forget: Option<Spanned<String>>,
    bad: Option<Spanned<String>>,
    objective: Option<Spanned<f64>>,
    windows: Option<Spanned<Vec<WindowText>>>,
    season: Option<Spanned<String>>,
    history: Option<Spanned<String>>,
    band: Option<Spanned<f64>>,
    direction: Option<Spanned<Direction>>,
    when: Option<Spanned<String>>,
}

impl RuleText {
    /// The keys that not every kind has.
    fn take_kind(&mut self) -> KindText {
        KindText {
            kind: self.kind.take(),
            baseline: self.baseline.take(),
            jump: self.jump.take(),
            min_count: self.min_count.take(),
            limit: self.limit.take(),
            by: self.by.take(),
            expect: self.expect.take(),
            forget: self.forget.take(),
            bad: self.bad.take(),
            objective: self.objective.take(),
            windows: self.windows.take(),
            season: self.season.take(),
            history: self.history.take(),
            band: self.band.take(),
            direction: self.direction.take(),
            when: self.when.take(),
        }
    }

    fn places(&self, name: serde_saphyr::Location) -> Places {
        let at = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.referenced);
        Places {
            name,
            query: at(&self.query),
            condition: at(&self.condition),
            window: at(&self.window),
            bad: at(&self.bad),
        }
    }
}

impl RuleBook {
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
        let (mut book, mut errors) = (Self::default(), Vec::new());
        for path in paths {
            let text = match fs::metadata(&path) {
                Ok(metadata) if metadata.len() > FILE_BYTES_MAX => Err("larger than 1 MiB".to_string()),
                Ok(_) => fs::read_to_string(&path).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match text {
                Ok(text) => errors.extend(book.add(&path.display().to_string(), &text).err().unwrap_or_default()),
                Err(message) => errors.push(at(&path, message)),
            }
        }
        errors.extend(if errors.is_empty() { book.check_names() } else { Vec::new() });
        if errors.is_empty() { Ok(book) } else { Err(errors) }
    }

    /// What is wrong between the rules of all files: rules over rules that are not there, or over themselves.
    pub fn check_names(&self) -> Vec<RuleError> {
        check_composites(self.rules.iter()).into_iter().map(|(_, error)| error).collect()
    }

    /// Adds the rules and channels of one file.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Vec<RuleError>> {
        let read: FileText = serde_saphyr::from_str(text).map_err(|error| {
            let location = error.location();
            let message = checks::shown(&error.without_snippet().to_string());
            let (line, column) = (location.map(|l| l.line()), location.map(|l| l.column()));
            vec![RuleError { file: file.into(), line, column, message }]
        })?;
        let mut reader = Reader { file, errors: Vec::new(), names: self.names() };
        for group in read.groups {
            let interval_ns = group.interval.as_ref().and_then(|text| reader.interval("interval", text));
            for rule in group.rules {
                match &rule.record {
                    Some(_) => self.recordings.extend(reader.recording(rule, interval_ns)),
                    None => self.rules.extend(reader.rule(rule, interval_ns)),
                }
            }
        }
        let mut channel_names: BTreeSet<String> = self.channels.iter().map(|channel| channel.name.clone()).collect();
        for channel in read.channels {
            let at = channel.referenced;
            match Channel::new(channel.value) {
                Ok(mut channel) if channel_names.insert(channel.name.clone()) => {
                    channel.file = file.into();
                    self.channels.push(channel);
                }
                Ok(channel) => reader.error(at, format!("channel \"{}\" is there twice", channel.name)),
                Err(message) => reader.error(at, message),
            }
        }
        for metric in read.metrics {
            self.metrics.extend(reader.metric(metric, &self.metrics, &self.recordings));
        }
        if self.rules.len() > RULES_MAX || self.channels.len() > CHANNELS_MAX {
            let message = format!("more than {RULES_MAX} rules or {CHANNELS_MAX} channels");
            reader.errors.push(RuleError { file: file.into(), line: None, column: None, message });
        }
        if reader.errors.is_empty() { Ok(()) } else { Err(reader.errors) }
    }

    fn names(&self) -> BTreeSet<String> {
        let recorded = self.recordings.iter().map(|recording| recording.name().to_owned());
        self.rules.iter().map(|rule| rule.name.clone()).chain(recorded).collect()
    }
}

/// Turns what is written in one file into rules, and collects what is wrong.
struct Reader<'a> {
    file: &'a str,
    errors: Vec<RuleError>,
    names: BTreeSet<String>,
}

impl Reader<'_> {
    fn error(&mut self, at: serde_saphyr::Location, message: String) {
        let (line, column) = (Some(at.line()), Some(at.column()));
        self.errors.push(RuleError { file: self.file.into(), line, column, message });
    }

    fn duration(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        parse_duration_ns(&text.value).map_err(|error| self.error(text.referenced, format!("{key}: {error}"))).ok()
    }

    fn interval(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        let interval_ns = self.duration(key, text)?;
        if interval_ns < INTERVAL_NS_MIN {
            self.error(text.referenced, format!("{key}: at least 1s"));
        }
        Some(interval_ns.max(INTERVAL_NS_MIN))
    }

    fn metric(
        &mut self,
        metric: Spanned<MetricSettings>,
        others: &[FileMetric],
        recordings: &[Recording],
    ) -> Option<FileMetric> {
        let (at, settings) = (metric.referenced, metric.value);
        let checked = settings.meter(GroupScope::All).map_err(|error| error.to_string()).and_then(|_| {
            let clashing = others.iter().find(|other| other.settings.shares_names(&settings));
            let recorded = recordings.iter().map(Recording::name).find(|name| settings.writes(name));
            let taken = clashing.map(|other| other.settings.name.as_str()).or(recorded);
            taken.map_or(Ok(()), |other| Err(format!("its name is taken by {other:?}")))
        });
        checked.map_err(|message| self.error(at, format!("metric {:?}: {message}", settings.name))).ok()?;
        Some(FileMetric { settings, file: self.file.into() })
    }

    fn rule(&mut self, mut text: RuleText, group_interval_ns: Option<i64>) -> Option<Rule> {
        let n_errors = self.errors.len();
        let Some(name) = text.name.take() else {
            let place = text.query.as_ref().map_or(serde_saphyr::Location::UNKNOWN, |query| query.referenced);
            self.error(place, "a rule has either a name or a record".into());
            return None;
        };
        if !self.names.insert(name.value.clone()) {
            self.error(name.referenced, format!("rule \"{}\" is there twice", name.value));
        }
        let places = text.places(name.referenced);
        let language = text.language.take().map_or(Ok(Language::Insights), |language| {
            Language::find(&language.value).map_err(|message| (language.referenced, message))
        });
        let language = language.unwrap_or_else(|(at, message)| {
            self.error(at, format!("language: {message}"));
            Language::Insights
        });
        let duration = |reader: &mut Self, key: &str, text: &Option<Spanned<String>>, standard: i64| {
            text.as_ref().and_then(|text| reader.duration(key, text)).unwrap_or(standard)
        };
        let window_ns = duration(self, "window", &text.window, WINDOW_NS_DEFAULT);
        if let (Some(window), 0) = (&text.window, window_ns) {
            self.error(window.referenced, "window: must be longer than 0s".into());
        }
        let kind = self.kind(text.take_kind(), window_ns, &places);
        let datapoints = self.datapoints(text.datapoints);
        let templates: Vec<_> = text.annotations.iter().map(|(name, text)| (name.clone(), text.referenced)).collect();
        let interval_ns = text.interval.as_ref().and_then(|text| self.interval("interval", text));
        let rule = Rule {
            name: name.value,
            kind: kind?,
            query: text.query.map(|query| query.value).unwrap_or_default(),
            language,
            groups: text.groups.into_iter().map(GroupPattern::new).collect(),
            window_ns,
            interval_ns: interval_ns.or(group_interval_ns),
            condition: text.condition.map(|condition| condition.value),
            for_ns: duration(self, "for", &text.for_, 0),
            keep_firing_for_ns: duration(self, "keep_firing_for", &text.keep_firing_for, 0),
            missing: text.missing,
            datapoints,
            labels: text.labels,
            annotations: text.annotations.into_iter().map(|(name, template)| (name, template.value)).collect(),
            topics: text.topics,
            notify: text.notify.unwrap_or(true),
            enabled: text.enabled.unwrap_or(true),
            file: self.file.into(),
            maker: None,
            scope: GroupScope::All,
        };
        match compile::compile(&rule, Timestamp(0)) {
            Err(error) => {
                let place = match &error {
                    CompileError::Query(_) => places.query,
                    CompileError::Condition(_) => places.condition.or(places.query),
                    CompileError::Bad(_) => places.bad,
                };
                self.error(place.unwrap_or(places.name), error.to_string());
            }
            Ok(compiled) => self.check_texts(&rule, &compiled, &templates, places.name),
        }
        (self.errors.len() == n_errors).then_some(rule)
    }

    fn kind(&mut self, text: KindText, window_ns: i64, places: &Places) -> Option<Kind> {
        let read = read_kind(text, window_ns, places);
        read.map_err(|mistakes| mistakes.into_iter().for_each(|(at, message)| self.error(at, message))).ok()
    }

    fn datapoints(&mut self, text: Option<Spanned<Datapoints>>) -> Datapoints {
        let Some(text) = text else { return Datapoints { to_alarm: 1, of: 1 } };
        let Datapoints { to_alarm, of } = text.value;
        if to_alarm == 0 || to_alarm > of || of > DATAPOINTS_MAX {
            let message = format!("datapoints: 1 ≤ to_alarm ≤ of ≤ {DATAPOINTS_MAX}, not {to_alarm} of {of}");
            self.error(text.referenced, message);
        }
        text.value
    }
}

#[cfg(test)]
mod tests;
