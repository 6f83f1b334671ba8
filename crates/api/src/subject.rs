//! Asks about a subject, a group, service or host: which groups it is in, which fields its events have, what they meet.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use dashboard::derive::{EventFacts, Facts, FieldFacts, Part, SampleFacts, Subject, conditions};
use execute::Stats;
use language::ParseOptions;
use plan::{Operator, Plan};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use door::{QueryRun, Result, Scope};

/// What the names of groups of spans and samples begin with.
const SPANS: &str = "traces/";
const SAMPLES: &str = "metrics/";

/// Most groups that are named for a service or host, of more all groups are asked; and most names of its metrics.
const GROUPS_MAX: usize = 1_000;
const METRICS_MAX: usize = 5_000;

/// A row of an answer.
pub(crate) type Row = Vec<Option<Value>>;

/// Asks questions about one range.
pub(crate) struct SubjectReader<'r, 'a> {
    /// The query that all of them are part of.
    pub(crate) run: &'r QueryRun<'a>,
    /// The range.
    pub(crate) range: TimeRange,
    /// The time at which they are asked.
    pub(crate) now: Timestamp,
}

/// The groups that a subject's events are in, those with most events first.
#[derive(Clone, Debug, Default)]
pub(crate) struct SubjectGroups {
    /// Of log lines.
    pub(crate) lines: Vec<String>,
    /// Of spans.
    pub(crate) spans: Vec<String>,
    /// Of samples.
    pub(crate) samples: Vec<String>,
}

/// Returns which part of the events a group has.
fn part_of(group: &str) -> Part {
    if group.starts_with(SPANS) {
        Part::Spans
    } else if group.starts_with(SAMPLES) {
        Part::Samples
    } else {
        Part::Lines
    }
}

impl SubjectReader<'_, '_> {
    /// Returns the rows that a query in Insights QL has over some groups; over no groups it has none.
    pub(crate) fn rows(&self, groups: &[String], text: &str) -> Result<Vec<Row>> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let (plan, scope) = (self.plan(text)?, self.scope(groups));
        Ok(self.run.execute(&plan, &scope, self.range)?.rows)
    }

    /// Returns the number of events that meet a condition; an empty one is met by all.
    pub(crate) fn count(&self, groups: &[String], condition: &str) -> Result<u64> {
        let rows = self.rows(groups, &format!("{}stats count(*) as n", filter(condition)))?;
        Ok(rows.first().and_then(|row| number(row.first()?.as_ref())).unwrap_or_default() as u64)
    }

    /// Reports whether one of the events that a plan selects in some groups meets a condition.
    pub(crate) fn has_any(&self, plan: &Plan, groups: Vec<GroupPattern>, condition: &str) -> Result<bool> {
        let own = plan.operators().iter().filter(|operator| !matches!(operator, Operator::Project { .. }));
        let mut operators: Vec<Operator> = own.cloned().collect();
        let rest = self.plan(&format!("{}fields @message | limit 1", filter(condition)))?;
        operators.extend(rest.operators().iter().cloned());
        let scope = Scope { groups, ..self.scope(&[]) };
        Ok(!self.run.execute(&Plan::new(operators), &scope, self.range)?.rows.is_empty())
    }

    /// Returns the groups of a subject that have events in the range.
    pub(crate) fn groups(&self, subject: &Subject) -> Result<SubjectGroups> {
        let mut found = SubjectGroups::default();
        let Some(condition) = subject.condition() else {
            let name = subject.name().to_owned();
            match part_of(&name) {
                Part::Lines => found.lines.push(name),
                Part::Spans => found.spans.push(name),
                Part::Samples => found.samples.push(name),
            }
            return Ok(found);
        };
        let known = self.known_groups();
        let query = format!("filter {condition} | stats count(*) as n by @log | sort n desc | limit {GROUPS_MAX}");
        let rows = self.rows(&[&known.lines[..], &known.spans].concat(), &query)?;
        if rows.len() >= GROUPS_MAX {
            return Ok(known);
        }
        for row in rows {
            let Some(name) = text(row.first()) else { continue };
            match part_of(&name) {
                Part::Spans => found.spans.push(name),
                Part::Lines | Part::Samples => found.lines.push(name),
            }
        }
        found.samples = known.samples;
        Ok(found)
    }

    /// Returns all groups that exist for the caller and have events not older than the range.
    pub(crate) fn known_groups(&self) -> SubjectGroups {
        let mut known = SubjectGroups::default();
        for group in self.run.server.groups() {
            if group.last.is_none_or(|last| last < self.range.from) {
                continue;
            }
            let name = group.name.as_str().to_owned();
            match part_of(&name) {
                Part::Lines => known.lines.push(name),
                Part::Spans => known.spans.push(name),
                Part::Samples => known.samples.push(name),
            }
        }
        known
    }

    /// Returns what is known of a subject.
    pub(crate) fn facts(&self, subject: Subject) -> Result<Facts> {
        let groups = self.groups(&subject)?;
        let condition = subject.condition().unwrap_or_default();
        let lines = self.event_facts(groups.lines, &condition)?;
        let spans = self.event_facts(groups.spans, &condition)?;
        let samples = self.sample_facts(groups.samples, &subject)?;
        let mut facts = Facts { subject, lines, spans, samples };
        facts.lines.found = self.found(&facts.lines.groups, &condition, conditions(&facts, Part::Lines))?;
        facts.spans.found = self.found(&facts.spans.groups, &condition, conditions(&facts, Part::Spans))?;
        let label = facts.samples.label.as_deref();
        let condition = label.map(|label| facts.subject.sample_condition(label)).unwrap_or_default();
        facts.samples.found = self.found(&facts.samples.groups, &condition, conditions(&facts, Part::Samples))?;
        Ok(facts)
    }

    pub(crate) fn event_facts(&self, groups: Vec<String>, condition: &str) -> Result<EventFacts> {
        let n_events = self.count(&groups, condition)?;
        if n_events == 0 {
            return Ok(EventFacts::default());
        }
        let (plan, scope) = (self.plan(filter(condition).trim_end_matches("| "))?, self.scope(&groups));
        let snapshot = self.run.snapshot(&scope.groups, self.range);
        let progress = |stats: &Stats| self.run.note(stats);
        let request = self.run.request(self.range, &scope, &progress);
        let found = execute::matched_fields(&plan, &snapshot.runs, &request)?;
        let fields =
            found.fields.into_iter().map(|field| FieldFacts { name: field.name, n_distinct: field.n_distinct });
        Ok(EventFacts { groups, n_events, fields: fields.collect(), found: BTreeSet::new() })
    }

    /// Returns the metrics of a subject. A service or host is named by the first of its labels that a sample has.
    fn sample_facts(&self, groups: Vec<String>, subject: &Subject) -> Result<SampleFacts> {
        let labels = subject.labels();
        let mut label = None;
        for one in labels {
            if self.is_met(&groups, &subject.sample_condition(one))? {
                label = Some((*one).to_owned());
                break;
            }
        }
        if !labels.is_empty() && label.is_none() {
            return Ok(SampleFacts::default());
        }
        let condition = label.as_deref().map(|label| subject.sample_condition(label)).unwrap_or_default();
        let query =
            format!("{}stats count(*) as n by @log, name | sort n desc | limit {METRICS_MAX}", filter(&condition));
        let (mut names, mut own) = (BTreeSet::new(), Vec::new());
        for row in self.rows(&groups, &query)? {
            let (Some(group), Some(name)) = (text(row.first()), text(row.get(1))) else { continue };
            if !own.contains(&group) {
                own.push(group);
            }
            names.insert(name);
        }
        Ok(SampleFacts { groups: own, names, label, found: BTreeSet::new() })
    }

    /// Returns those conditions that an event of the subject meets.
    fn found(&self, groups: &[String], own: &str, all: BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for condition in all {
            let both: Vec<String> =
                [own, &condition].iter().filter(|one| !one.is_empty()).map(|one| format!("({one})")).collect();
            if self.is_met(groups, &both.join(" and "))? {
                found.insert(condition);
            }
        }
        Ok(found)
    }

    fn is_met(&self, groups: &[String], condition: &str) -> Result<bool> {
        Ok(!self.rows(groups, &format!("filter {condition} | fields @timestamp | limit 1"))?.is_empty())
    }

    fn plan(&self, text: &str) -> Result<Plan> {
        Ok(language::parse_insights(text, &ParseOptions { now: self.now, time_zone: Tz::UTC })?)
    }

    fn scope(&self, groups: &[String]) -> Scope {
        let groups = groups.iter().map(|name| GroupPattern::new(name.as_str())).collect();
        Scope { groups, limit: None, time_zone: Tz::UTC, now: self.now }
    }
}

/// Writes the beginning of a query about events that meet a condition.
pub(crate) fn filter(condition: &str) -> String {
    if condition.is_empty() { String::new() } else { format!("filter {condition} | ") }
}

/// Returns a cell as a text.
pub(crate) fn text(cell: Option<&Option<Value>>) -> Option<String> {
    match cell?.as_ref()? {
        Value::String(text) => Some(text.to_string()),
        other => Some(other.to_string()),
    }
}

/// Returns a cell as a number.
pub(crate) fn number(cell: Option<&Value>) -> Option<f64> {
    cell?.as_f64()
}
