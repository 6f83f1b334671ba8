//! Links of an alert: to the page with its lines, by query, groups, label set, pattern and time, or to that of traces if
//! its lines are spans.

use serde_json::Value as Json;
use types::{TimeRange, Timestamp, Value};

use super::RuleEngine;
use crate::compile::{CompiledRule, Lines, LinesPage, compile};
use crate::rule::window_of;
use crate::{Kind, Language, Rule};

impl RuleEngine {
    /// Returns the page of alerts.
    pub(crate) fn page_url(&self) -> String {
        format!("{}/alerts", self.base_url)
    }

    /// Returns the page with the lines of a row since they began; `events` are some of them, newest first. What no query can express is
    /// left out, so that the page shows more lines rather than none.
    pub(super) fn url_of_row(
        &self,
        rule: &Rule,
        compiled: &CompiledRule,
        row: &[Option<Value>],
        events: &[Json],
        onset: Option<Timestamp>,
        now: Timestamp,
    ) -> String {
        let message = events.first().and_then(|event| event["@message"].as_str());
        let lines = compiled.lines(row, message).or_else(|| compiled.all_lines());
        // Events of a clock that is off are judged by arrival and lie elsewhere by their own times.
        let time = |event: &Json| Timestamp::parse_rfc3339(event["@timestamp"].as_str()?);
        let times = || events.iter().filter_map(time);
        let mut range = shown_range(rule, now);
        range.from = times().chain(onset).min().map_or(range.from, |first| first.min(range.from));
        let to = times().max().map_or(now, |last| last.max(now));
        self.url_of_lines(rule, lines, TimeRange { to, ..range })
    }

    /// Adds the link of its trace to an event that names one.
    pub(super) fn add_trace_url(&self, event: &mut Json) {
        let is_id = |id: &&str| (1..=32).contains(&id.len()) && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        if let Some(id) = event["trace_id"].as_str().filter(is_id) {
            event["trace_url"] = format!("{}/trace/{}", self.base_url, id.to_ascii_lowercase()).into();
        }
    }

    /// Returns the page with all lines that a rule looks at.
    pub(super) fn url_of(&self, rule: &Rule, now: Timestamp) -> String {
        let lines = compile(rule, now).ok().and_then(|compiled| compiled.all_lines());
        self.url_of_lines(rule, lines, TimeRange { to: now, ..shown_range(rule, now) })
    }

    fn url_of_lines(&self, rule: &Rule, lines: Option<Lines>, range: TimeRange) -> String {
        // Neither other rules nor samples have lines.
        if matches!(rule.kind, Kind::Composite(_) | Kind::Alarm(_)) || rule.language == Language::Promql {
            return self.page_url();
        }
        let fallback = || {
            let query = crate::language::shown(rule.language, &rule.query).unwrap_or_default();
            Lines { query, group: None, page: LinesPage::Events }
        };
        let Lines { query, group, page } = lines.unwrap_or_else(fallback);
        let groups: Vec<&str> = match &group {
            Some(group) => vec![group],
            None => rule.groups.iter().map(|group| group.as_str()).filter(|group| *group != "*").collect(),
        };
        let (from, to, groups) = (range.from.to_string(), range.to.to_string(), groups.join(","));
        let (path, name) = if page == LinesPage::Events { ("", "q") } else { ("traces", "query") };
        let mut parameters = vec![(name, query.as_str()), ("from", &from), ("to", &to)];
        if page == LinesPage::SlowestTraces {
            parameters.push(("order", "slowest"));
        }
        if !groups.is_empty() {
            parameters.push(("groups", &groups));
        }
        let base = format!("{}/{path}", self.base_url);
        reqwest::Url::parse_with_params(&base, parameters).map_or(base, |url| url.to_string())
    }
}

/// Returns the time whose lines are shown. A source that fell silent has none in the window: its last ones come before it.
fn shown_range(rule: &Rule, now: Timestamp) -> TimeRange {
    let window = window_of(rule, now);
    let from_ns = match &rule.kind {
        Kind::Absence(_) => window.from.0.saturating_sub(Timestamp::HOUR.max(rule.window_ns)),
        Kind::BurnRate(burn_rate) => {
            let longest = burn_rate.windows.iter().map(|pair| pair.long_ns).max().unwrap_or(rule.window_ns);
            now.0.saturating_sub(longest)
        }
        _ => window.from.0,
    };
    TimeRange { from: Timestamp(from_ns), to: window.to }
}

/// Returns the link with a later end, for an alert that still fires.
pub(super) fn until(url: &str, now: Timestamp) -> String {
    let Ok(mut link) = reqwest::Url::parse(url) else { return url.to_owned() };
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    if !pairs.iter().any(|(name, _)| name == "to") {
        return url.to_owned();
    }
    let known = pairs.iter().find(|(name, _)| name == "to").and_then(|(_, to)| Timestamp::parse_rfc3339(to));
    let to = known.map_or(now, |known| known.max(now)).to_string();
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), if name == "to" { to.as_str() } else { value }));
    link.query_pairs_mut().clear().extend_pairs(pairs);
    link.to_string()
}

#[cfg(test)]
mod tests;
