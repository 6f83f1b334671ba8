//! What an alert shows besides its number: the lines, where they come from, their pattern and whether that is new.
//!
//! Each is a small question of its own, asked once when an alert begins. None is worth waiting for: after
//! [`TIME_MAX`] no further one is asked, and what has no answer is left out.

use std::time::{Duration, Instant};

use language::{ParseOptions, parse_insights};
use plan::Plan;
use serde_json::{Map, Value as Json, json};
use types::{TimeRange, Timestamp, Value, format_duration_ns};

use crate::ask::json_of;
use crate::compile::CompiledRule;
use crate::labels::Labels;
use crate::rule::window_of;
use crate::{Ask, EventTime, Question, Rule, Table};

/// An error is notified within two seconds: all lookups together may take this part of it.
const TIME_MAX: Duration = Duration::from_millis(700);

/// The first look may take as much again, and asks about at least this much time up to now.
const FIRST_LOOK_TIME_MAX: Duration = Duration::from_millis(800);
const FIRST_LOOK_RANGE_MIN: i64 = 30 * Timestamp::MINUTE;

/// Findings of the first look that a notification has; the link leads to all.
const FINDINGS_MAX: usize = 3;

/// Findings that explain less than this are for the page.
const SCORE_MIN: f64 = 0.35;

/// Fields that say where lines come from; the first one that the lines have is counted by.
const ORIGINS: [&str; 5] = ["host.name", "host", "service.name", "service", "@logStream"];

/// Shortest text that distinguishes lines of a pattern from others.
const TEXT_CHARS_MIN: usize = 6;

/// Longest text shown of a pattern.
const PATTERN_BYTES_MAX: usize = 2 << 10;

/// Where to ask for evidence of one row.
pub(super) struct EvidenceQuery<'a> {
    pub(super) rule: &'a Rule,
    pub(super) compiled: &'a CompiledRule,
    pub(super) row: &'a [Option<Value>],
    pub(super) labels: &'a Labels,
    pub(super) ask: &'a dyn Ask,
    pub(super) now: Timestamp,
}

/// What a first look at a beginning alert found.
pub(super) struct FirstLookFound {
    pub(super) began: Timestamp,
    /// As notifications have it.
    pub(super) said: Json,
}

impl EvidenceQuery<'_> {
    /// Returns the newest events, or the slowest spans, as JSON objects. An alert without its events is better than none.
    pub(super) fn events(&self) -> Vec<Json> {
        let plan = self.compiled.events_plan(self.row);
        let table = self.asked(&plan, window_of(self.rule, self.now), EVENTS_SHOWN);
        table.map(|table| objects(&table)).unwrap_or_default()
    }

    /// Returns further facts, by their names in notifications.
    pub(super) fn rest(&self, events: &[Json], pattern: Option<Json>) -> Json {
        let until = Instant::now() + TIME_MAX;
        let has_time = || Instant::now() < until;
        let mut known = Map::new();
        let is_by_time = !self.compiled.shows_slowest();
        let last = if is_by_time { events.first().cloned() } else { self.event("desc") };
        known.insert("last".into(), last.unwrap_or_default());
        // Where all are shown, the first is the last of these.
        let first = match events.len() {
            n if n < EVENTS_SHOWN && is_by_time => events.last().cloned(),
            _ => self.event("asc"),
        };
        known.insert("first".into(), first.unwrap_or_default());
        if has_time() {
            known.insert("counts".into(), self.counts().unwrap_or_default());
        }
        let pattern = pattern.or_else(|| self.pattern(events).filter(|_| has_time()));
        known.insert("pattern".into(), pattern.unwrap_or_default());
        Json::Object(known)
    }

    /// Returns the first event in an order of time.
    fn event(&self, order: &str) -> Option<Json> {
        let shown = "fields @timestamp, @level, @log, @logStream, @message";
        let plan = self.behind(&format!("{shown} | sort @timestamp {order} | limit 1"))?;
        objects(&self.asked(&plan, window_of(self.rule, self.now), 1)?).into_iter().next()
    }

    /// Returns since when, and what that has to do with: the best findings of a first look; `None` where there are none.
    pub(super) fn first_look(&self, plans: &[Plan]) -> Option<FirstLookFound> {
        let until = Instant::now() + FIRST_LOOK_TIME_MAX;
        let window = window_of(self.rule, self.now);
        let from = window.from.0.min(self.now.0.saturating_sub(FIRST_LOOK_RANGE_MIN));
        let range = TimeRange { from: Timestamp(from), to: window.to };
        let found = plans.iter().find_map(|plan| {
            let question = self.question(plan, range, 1, EventTime::Own);
            let found = self.ask.first_look(&question, until.saturating_duration_since(Instant::now()))?;
            Some((found.onset.began?, found))
        });
        let (began, found) = found?;
        let finding = |finding: &cause::Finding| json!({"kind": finding.kind.name(), "title": finding.title, "at": finding.at.map(|at| at.to_string())});
        let best = found.findings.iter().filter(|finding| finding.score >= SCORE_MIN).take(FINDINGS_MAX);
        let said = json!({"began": began.to_string(), "findings": best.map(finding).collect::<Vec<_>>()});
        Some(FirstLookFound { began, said })
    }

    /// Returns how many lines come from where: the five that have most.
    fn counts(&self) -> Option<Json> {
        // A label shows that all of them come from one.
        ORIGINS.iter().filter(|field| !self.labels.contains_key(**field)).find_map(|field| {
            let plan = self.behind(&format!(
                "filter ispresent({field}) | stats count(*) as n by {field} | sort n desc | limit 5"
            ))?;
            let table = self.asked(&plan, window_of(self.rule, self.now), 5)?;
            let of = |row: &Vec<Option<Value>>| {
                Some(json!({"value": cell(&table, row, field)?.to_string(), "count": json_of(cell(&table, row, "n")?)}))
            };
            let values: Vec<Json> = table.rows.iter().filter_map(of).collect();
            (!values.is_empty()).then(|| json!({"field": field, "values": values}))
        })
    }

    /// Returns the pattern of the newest event, and whether the day before had none with its words.
    fn pattern(&self, events: &[Json]) -> Option<Json> {
        let newest = events.first()?["@message"].as_str()?;
        let range = window_of(self.rule, self.now);
        let table = self.asked(&self.behind("pattern @message | limit 50")?, range, 50)?;
        let is_of_newest =
            |row: &&Vec<Option<Value>>| cell(&table, row, "@sample").is_some_and(|sample| sample.to_string() == newest);
        let row = table.rows.iter().find(is_of_newest).or(table.rows.first())?;
        let text = cell(&table, row, "@pattern")?.to_string();
        let count = cell(&table, row, "@sampleCount").map(json_of);
        let shown = crate::labels::cut(&text, PATTERN_BYTES_MAX);
        Some(
            json!({"text": shown, "count": count, "is_new": self.is_new(&text, range), "window": format_duration_ns(self.rule.window_ns)}),
        )
    }

    /// Reports whether nothing in the day before the window has the longest text that all lines of a pattern have.
    fn is_new(&self, pattern: &str, range: TimeRange) -> Option<bool> {
        let text = pattern.split("<*>").map(str::trim).max_by_key(|text| text.len())?;
        if text.chars().count() < TEXT_CHARS_MIN {
            return None;
        }
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        let plan = self.behind(&format!("filter @message like \"{text}\" | fields @timestamp | limit 1"))?;
        let before = TimeRange { from: Timestamp(range.from.0.saturating_sub(Timestamp::DAY)), to: range.from };
        let table = self.asked(&plan, before, 1).filter(|table| table.partial.is_none())?;
        Some(table.rows.is_empty())
    }

    /// Returns a plan that starts from the events of the row.
    fn behind(&self, text: &str) -> Option<Plan> {
        let mut draft = self.compiled.events_draft(self.row);
        let options = ParseOptions { now: self.now, time_zone: chrono_tz::UTC };
        draft.operators.extend(parse_insights(text, &options).ok()?.operators().iter().cloned());
        Some(draft.finish())
    }

    fn asked(&self, plan: &Plan, range: TimeRange, n_rows_max: usize) -> Option<Table> {
        let question = self.question(plan, range, n_rows_max, EventTime::ArrivalContext);
        let told = |error: &String| tracing::warn!(rule = self.rule.name, error, "evidence of an alert not queried");
        self.ask.ask(&question).inspect_err(told).ok()
    }

    fn question<'q>(&'q self, plan: &'q Plan, range: TimeRange, n_rows_max: usize, time: EventTime) -> Question<'q> {
        let (rule, now) = (self.rule, self.now);
        Question { plan, groups: &rule.groups, scope: &rule.scope, range, now, n_rows_max, time }
    }
}

fn objects(table: &Table) -> Vec<Json> {
    let object = |row: &Vec<Option<Value>>| {
        let cells = table.columns.iter().zip(row);
        let members = cells.filter_map(|(name, value)| Some((name.clone(), json_of(value.as_ref()?))));
        Json::Object(members.collect())
    };
    table.rows.iter().take(EVENTS_SHOWN).map(object).collect()
}

fn cell<'a>(table: &Table, row: &'a [Option<Value>], column: &str) -> Option<&'a Value> {
    row.get(table.columns.iter().position(|name| name == column)?)?.as_ref()
}

#[cfg(test)]
mod tests;

/// Events shown in a notification.
pub(crate) const EVENTS_SHOWN: usize = 10;
