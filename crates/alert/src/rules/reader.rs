//! Reads the rules of one file and collects every mistake with its line and column.

use serde_saphyr::{Location, Spanned};
use std::collections::BTreeSet;
use types::{GroupPattern, GroupScope, Timestamp, parse_duration_ns};

use super::kind_keys::read;
use crate::compile::{CompileError, compile};
use crate::detectors::series::GROUPS as SAMPLE_GROUPS;
use crate::metrics::{FileMetric, MetricSettings, Recording};
use crate::rule::{Datapoints, Rule, RuleError};
use crate::rules::file_text::{KeyLocations, RuleText};
use crate::{Kind, Language};

/// Most evaluations that M-of-N looks back.
const DATAPOINTS_MAX: u8 = 64;

pub(crate) const WINDOW_NS_DEFAULT: i64 = 5 * Timestamp::MINUTE;

/// Shortest time between two evaluations of a rule.
pub(super) const INTERVAL_NS_MIN: i64 = Timestamp::SECOND;

/// Turns what is written in one file into rules, and collects what is wrong.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a str,
    pub(crate) errors: Vec<RuleError>,
    pub(crate) names: BTreeSet<String>,
    /// What is no mistake of rules that are in force already.
    pub(crate) warnings: Option<Vec<RuleError>>,
}

impl Reader<'_> {
    pub(crate) fn error(&mut self, at: Location, message: String) {
        self.mistake(at, message, false);
    }

    /// Keeps what is wrong: a warning if it was right before (`was_right`) and the rule may be in force since.
    pub(crate) fn mistake(&mut self, at: Location, message: String, was_right: bool) {
        let (line, column) = (Some(at.line()), Some(at.column()));
        let kept = self.warnings.as_mut().filter(|_| was_right).unwrap_or(&mut self.errors);
        kept.push(RuleError { file: self.file.into(), line, column, message });
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

    /// Reads a rule in catat's own form; it begins at `at`.
    pub(crate) fn rule(&mut self, mut text: RuleText, at: Location, group_interval_ns: Option<i64>) -> Option<Rule> {
        let n_errors = self.errors.len();
        let name = self.name(&mut text, at)?;
        if !self.names.insert(name.value.clone()) {
            self.error(name.referenced, format!("rule \"{}\" is there twice", name.value));
        }
        let places = text.places(name.referenced);
        let language = text.language.take().map_or(Ok(Language::Insights), |language| {
            crate::language::find(&language.value).map_err(|message| (language.referenced, message))
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
        let kind = self.kind(&text, window_ns, &places);
        let datapoints = self.datapoints(text.datapoints);
        let templates: Vec<_> =
            text.annotations.iter().map(|(name, text)| (name.to_owned(), text.referenced)).collect();
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
            labels: text.labels.into_texts(),
            annotations: text.annotations.into_texts(),
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
            Ok(compiled) => {
                self.check_texts(&rule, &compiled, &templates, places.name);
                if let Some(mistake) = crate::language::mistake_in(rule.language, &rule.query) {
                    self.mistake(places.query.unwrap_or(places.name), format!("query: {mistake}"), true);
                }
            }
        }
        (self.errors.len() == n_errors).then_some(rule)
    }

    /// Takes the name of a rule in catat's own form.
    fn name(&mut self, text: &mut RuleText, at: Location) -> Option<Spanned<String>> {
        if let Some(alert) = &text.alert {
            let message = match text.query {
                Some(_) => "alert: goes with expr:, in PromQL; else write name: and query:",
                None => "expr: is missing; an alert has a query in PromQL",
            };
            self.error(alert.referenced, message.into());
            return None;
        }
        let name = text.name.take();
        if name.is_none() {
            let place = text.query.as_ref().map_or(at, |query| query.referenced);
            self.error(place, "a rule has either a name, an alert or a record".into());
        }
        name
    }

    pub(super) fn kind(&mut self, text: &RuleText, window_ns: i64, places: &KeyLocations) -> Option<Kind> {
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
    if names.is_empty() && language == Language::Promql {
        return vec![GroupPattern::new(SAMPLE_GROUPS)];
    }
    names.into_iter().map(GroupPattern::new).collect()
}
