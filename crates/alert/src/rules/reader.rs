//! Reads the rules of one file and collects every mistake with its line and column.

use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use types::{GroupPattern, GroupScope, Timestamp, parse_duration_ns};

use crate::compile::{CompileError, compile};
use crate::detectors::series::GROUPS as SAMPLE_GROUPS;
use crate::kind::{KeyLocations, KindText, WindowText, read};
use crate::metrics::{FileMetric, MetricSettings, Recording};
use crate::rule::{Datapoints, MissingPolicy, Rule, RuleError};
use crate::{ChannelSettings, Direction, Kind, Language};

/// Most evaluations that M-of-N looks back.
const DATAPOINTS_MAX: u8 = 64;

pub(crate) const WINDOW_NS_DEFAULT: i64 = 5 * Timestamp::MINUTE;

/// Shortest time between two evaluations of a rule.
const INTERVAL_NS_MIN: i64 = Timestamp::SECOND;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileText {
    #[serde(default)]
    pub(crate) groups: Vec<GroupText>,
    #[serde(default)]
    pub(crate) channels: Vec<Spanned<ChannelSettings>>,
    #[serde(default)]
    pub(crate) metrics: Vec<Spanned<MetricSettings>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupText {
    pub(crate) name: Spanned<String>,
    pub(crate) interval: Option<Spanned<String>>,
    /// Keys of Prometheus: they are about its rules in Prometheus' form alone.
    pub(crate) query_offset: Option<Spanned<String>>,
    pub(crate) limit: Option<Spanned<usize>>,
    pub(crate) labels: Option<Spanned<BTreeMap<String, String>>>,
    pub(crate) rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    pub(crate) name: Option<Spanned<String>>,
    /// The name of gauges, where it is a recording rule.
    pub(crate) record: Option<Spanned<String>>,
    /// The label `alertname`, and PromQL: Prometheus' form.
    pub(crate) alert: Option<Spanned<String>>,
    pub(crate) expr: Option<Spanned<String>>,
    pub(crate) query: Option<Spanned<String>>,
    pub(crate) language: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    pub(crate) window: Option<Spanned<String>>,
    pub(crate) interval: Option<Spanned<String>>,
    pub(crate) condition: Option<Spanned<String>>,
    #[serde(rename = "for")]
    pub(crate) for_: Option<Spanned<String>>,
    pub(crate) keep_firing_for: Option<Spanned<String>>,
    pub(crate) missing: Option<MissingPolicy>,
    pub(crate) datapoints: Option<Spanned<Datapoints>>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) topics: Vec<String>,
    pub(crate) notify: Option<bool>,
    pub(crate) enabled: Option<bool>,
    pub(crate) kind: Option<Spanned<String>>,
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
    /// Returns the keys that not every kind has.
    pub(crate) fn take_kind(&mut self) -> KindText {
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

    pub(crate) fn places(&self, name: serde_saphyr::Location) -> KeyLocations {
        let at = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.referenced);
        KeyLocations {
            name,
            query: at(&self.query),
            condition: at(&self.condition),
            window: at(&self.window),
            bad: at(&self.bad),
        }
    }
}

/// Turns what is written in one file into rules, and collects what is wrong.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a str,
    pub(crate) errors: Vec<RuleError>,
    pub(crate) names: BTreeSet<String>,
}

impl Reader<'_> {
    pub(crate) fn error(&mut self, at: serde_saphyr::Location, message: String) {
        let (line, column) = (Some(at.line()), Some(at.column()));
        self.errors.push(RuleError { file: self.file.into(), line, column, message });
    }

    pub(crate) fn duration(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        parse_duration_ns(&text.value).map_err(|error| self.error(text.referenced, format!("{key}: {error}"))).ok()
    }

    pub(crate) fn interval(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        let interval_ns = self.duration(key, text)?;
        if interval_ns < INTERVAL_NS_MIN {
            self.error(text.referenced, format!("{key}: at least 1s"));
        }
        Some(interval_ns.max(INTERVAL_NS_MIN))
    }

    pub(crate) fn metric(
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

    pub(crate) fn rule(&mut self, mut text: RuleText, group_interval_ns: Option<i64>) -> Option<Rule> {
        let n_errors = self.errors.len();
        if let Some(alert) = &text.alert {
            self.error(alert.referenced, "alert: goes with expr:, in PromQL; else write name: and query:".into());
            return None;
        }
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
            groups: groups_of(text.groups, language),
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
            prometheus: None,
        };
        match compile(&rule, Timestamp(0)) {
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

    pub(crate) fn kind(&mut self, text: KindText, window_ns: i64, places: &KeyLocations) -> Option<Kind> {
        let read = read(text, window_ns, places);
        read.map_err(|mistakes| mistakes.into_iter().for_each(|(at, message)| self.error(at, message))).ok()
    }

    pub(crate) fn datapoints(&mut self, text: Option<Spanned<Datapoints>>) -> Datapoints {
        let Some(text) = text else { return Datapoints { to_alarm: 1, of: 1 } };
        let Datapoints { to_alarm, of } = text.value;
        if to_alarm == 0 || to_alarm > of || of > DATAPOINTS_MAX {
            let message = format!("datapoints: 1 ≤ to_alarm ≤ of ≤ {DATAPOINTS_MAX}, not {to_alarm} of {of}");
            self.error(text.referenced, message);
        }
        text.value
    }
}

/// Returns the groups of a rule. One in PromQL is about samples, whoever may see them.
pub(crate) fn groups_of(names: Vec<String>, language: Language) -> Vec<GroupPattern> {
    if names.is_empty() && language == Language::PromQl {
        return vec![GroupPattern::new(SAMPLE_GROUPS)];
    }
    names.into_iter().map(GroupPattern::new).collect()
}
