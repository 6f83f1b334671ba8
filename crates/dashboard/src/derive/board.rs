//! A dashboard while its panels are gathered, and their places on the grid.

use language::Language;
use plan::insights_text::quoted;
use std::collections::BTreeSet;

use super::facts::{EventFacts, Facts, Part, Subject};
use super::insights::{escaped, field};
use crate::document::{COLUMNS, Grade, Legend, Panel, PanelKind, PanelQuery, Threshold};

/// Places of panels.
const NUMBER_HEIGHT: u32 = 4;
const CHART_WIDTH: u32 = 12;
const CHART_HEIGHT: u32 = 8;
const LINES_HEIGHT: u32 = 12;
const NUMBERS_IN_ROW: usize = 6;

/// The sum of a metric's series, and their rate, as [`samples`] takes them.
pub(super) const SUM: &str = "sum($m{})";
pub(super) const RATE: &str = "sum(rate($m{}[$__rate_interval]))";

/// Panels as they come, with what must be so for each.
pub(super) struct Board<'f> {
    pub(super) facts: &'f Facts,
    /// Whether it is still to be found out which conditions are met.
    pub(super) is_asking: bool,
    candidates: Vec<Candidate>,
    section: &'static str,
}

/// A panel that is shown if an event meets its condition.
#[derive(Debug)]
struct Candidate {
    part: Part,
    condition: String,
    section: &'static str,
    panel: Panel,
}

/// A panel that is to be added: what it shows of the events that meet a condition.
#[derive(Debug)]
pub(super) struct Draft {
    part: Part,
    /// The metric that it is about, if it is one.
    metric: Option<String>,
    condition: String,
    /// The condition that an event has to meet for the panel to be shown, if that is another one.
    shown_if: Option<String>,
    panel: Panel,
}

impl<'f> Board<'f> {
    /// Returns a board without panels.
    pub(super) fn new(facts: &'f Facts, is_asking: bool) -> Self {
        Self { facts, is_asking, candidates: Vec::new(), section: "" }
    }

    /// Begins a section.
    pub(super) fn section(&mut self, title: &'static str) {
        self.section = title;
    }

    /// Adds a panel, unless the subject lacks its metric.
    pub(super) fn add(&mut self, draft: Draft) {
        let Draft { part, metric, condition, shown_if, mut panel } = draft;
        if metric.is_some_and(|metric| !self.has_metric(&metric)) {
            return;
        }
        for query in &mut panel.queries {
            query.groups = self.groups(part);
            query.query = match part {
                Part::Samples => query.query.replace("{}", &self.selector()).replace("{,", &self.selector_start()),
                Part::Lines | Part::Spans => self.selected(&condition, &query.query),
            };
        }
        let condition = shown_if.unwrap_or(condition);
        self.candidates.push(Candidate { part, condition, section: self.section, panel });
    }

    /// Returns the log lines' facts.
    pub(super) fn lines(&self) -> &'f EventFacts {
        &self.facts.lines
    }

    /// Reports whether one of the subject's metrics has this name.
    pub(super) fn has_metric(&self, name: &str) -> bool {
        self.facts.samples.names.contains(name)
    }

    /// Returns the conditions of panels over one part of the events.
    pub(super) fn conditions(&self, part: Part) -> BTreeSet<String> {
        let own = self.candidates.iter().filter(|candidate| candidate.part == part);
        own.map(|candidate| candidate.condition.clone()).filter(|condition| !condition.is_empty()).collect()
    }

    /// Returns the panels whose conditions an event meets, at their places.
    pub(super) fn panels(mut self) -> Vec<Panel> {
        let facts = self.facts;
        self.candidates.retain(|candidate| {
            let (found, is_any) = match candidate.part {
                Part::Lines => (&facts.lines.found, facts.lines.n_events > 0),
                Part::Spans => (&facts.spans.found, facts.spans.n_events > 0),
                Part::Samples => (&facts.samples.found, !facts.samples.names.is_empty()),
            };
            is_any && (candidate.condition.is_empty() || found.contains(&candidate.condition))
        });
        placed(self.candidates)
    }

    fn groups(&self, part: Part) -> Vec<String> {
        let groups = match part {
            Part::Lines => &self.facts.lines.groups,
            Part::Spans => &self.facts.spans.groups,
            Part::Samples => &self.facts.samples.groups,
        };
        groups.clone()
    }

    /// Writes a query over the subject's events that meet a condition.
    fn selected(&self, condition: &str, rest: &str) -> String {
        let own = self.facts.subject.condition();
        let conditions: Vec<&str> =
            own.as_deref().into_iter().chain([condition]).filter(|one| !one.is_empty()).collect();
        if conditions.is_empty() { rest.to_owned() } else { format!("filter {}\n| {rest}", conditions.join(" and ")) }
    }

    /// Writes a selector of PromQL for the subject's series.
    fn selector(&self) -> String {
        let own = self.facts.samples.label.as_deref().map(|label| format!("{{{}}}", self.matcher(label)));
        own.unwrap_or_default()
    }

    /// Writes the beginning of a selector that has further matchers.
    fn selector_start(&self) -> String {
        let own = self.facts.samples.label.as_deref().map(|label| format!("{}, ", self.matcher(label)));
        format!("{{{}", own.unwrap_or_default())
    }

    fn matcher(&self, label: &str) -> String {
        let name = self.facts.subject.name();
        match &self.facts.subject {
            Subject::Host(_) if label == "instance" => {
                format!("instance=~{}", quoted(&format!("{}(:[0-9]+)?", escaped(name))))
            }
            _ => format!("{label}={}", quoted(name)),
        }
    }
}

/// Starts a panel over log lines that meet a condition; without one, over all.
pub(super) fn lines(kind: PanelKind, title: &str, condition: &str, query: impl Into<String>) -> Draft {
    draft(Part::Lines, kind, title, condition, query.into(), Language::Insights)
}

/// Starts a panel over spans that meet a condition.
pub(super) fn spans(kind: PanelKind, title: &str, condition: &str, query: impl Into<String>) -> Draft {
    draft(Part::Spans, kind, title, condition, query.into(), Language::Insights)
}

/// Starts a panel over a metric. In the query, `$m` stands for its name, `{}` for the subject's selector, `{, …}` for it with further
/// matchers.
pub(super) fn samples(kind: PanelKind, title: &str, metric: &str, query: &str) -> Draft {
    let query = query.replace("$m", metric);
    let draft = draft(Part::Samples, kind, title, &of_metric(metric), query, Language::Promql);
    Draft { metric: Some(metric.to_owned()), ..draft }
}

/// Writes the condition that samples of a metric meet.
pub(super) fn of_metric(name: &str) -> String {
    format!("name = {}", quoted(name))
}

/// Writes the condition that a field has a value.
pub(super) fn present(name: &str) -> String {
    format!("ispresent({})", field(name))
}

fn draft(part: Part, kind: PanelKind, title: &str, condition: &str, query: String, language: Language) -> Draft {
    let (w, h) = match kind {
        PanelKind::Number => (COLUMNS / NUMBERS_IN_ROW as u32, NUMBER_HEIGHT),
        PanelKind::Logs | PanelKind::Map => (COLUMNS, LINES_HEIGHT),
        _ => (CHART_WIDTH, CHART_HEIGHT),
    };
    let queries = vec![PanelQuery { query, language, ..PanelQuery::default() }];
    let panel = Panel { title: title.chars().take(120).collect(), kind, w, h, queries, ..Panel::default() };
    Draft { part, metric: None, condition: condition.to_owned(), shown_if: None, panel }
}

impl Draft {
    /// Sets what its numbers are.
    pub(super) fn unit(mut self, unit: &str) -> Self {
        self.panel.unit = Some(unit.to_owned());
        self
    }

    /// Puts its series on top of each other.
    pub(super) fn stacked(mut self) -> Self {
        self.panel.stack = true;
        self
    }

    /// Names the series of its last query.
    pub(super) fn label(mut self, label: &str) -> Self {
        if let Some(query) = self.panel.queries.last_mut() {
            query.label = Some(label.to_owned());
        }
        self
    }

    /// Adds a query in the language of the first.
    pub(super) fn and(mut self, query: &str, label: &str) -> Self {
        let language = self.panel.queries.first().map(|first| first.language).unwrap_or_default();
        let label = Some(label.to_owned());
        self.panel.queries.push(PanelQuery { query: query.to_owned(), language, label, ..PanelQuery::default() });
        self
    }

    /// Sets from which values on a number is worth a look, and is an error.
    pub(super) fn grades(mut self, warn: f64, error: f64) -> Self {
        let threshold = |value, level| Threshold { value, level };
        self.panel.thresholds = vec![threshold(warn, Grade::Warn), threshold(error, Grade::Error)];
        self
    }

    /// Asks nothing: the picture knows what it shows.
    pub(super) fn without_query(mut self) -> Self {
        self.panel.queries.clear();
        self
    }

    /// Leaves the legend away, where one series has the panel's name.
    pub(super) fn without_legend(mut self) -> Self {
        self.panel.legend = Legend::None;
        self
    }

    /// Shows it only if an event meets this condition instead of its own. What it shows stays: the events that meet its own.
    pub(super) fn if_found(mut self, condition: String) -> Self {
        self.shown_if = Some(condition);
        self
    }
}

/// Puts panels into rows: as many as fit, the last of a row as wide as what is left.
fn placed(candidates: Vec<Candidate>) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::with_capacity(candidates.len());
    let (mut row, mut y): (Vec<Panel>, u32) = (Vec::new(), 0);
    let mut section = "";
    for (at, candidate) in candidates.into_iter().enumerate() {
        let mut panel = candidate.panel;
        panel.id = format!("p{}", at + 1);
        panel.section = (!candidate.section.is_empty()).then(|| candidate.section.to_owned());
        let width: u32 = row.iter().map(|panel| panel.w).sum();
        let is_other =
            row.first().is_some_and(|first| (first.kind == PanelKind::Number) != (panel.kind == PanelKind::Number));
        if section != candidate.section || is_other || width + panel.w > COLUMNS {
            y += close(&mut row, y, &mut panels);
            section = candidate.section;
        }
        row.push(panel);
    }
    close(&mut row, y, &mut panels);
    panels
}

/// Ends a row: its panels share all columns. Returns its height.
fn close(row: &mut Vec<Panel>, y: u32, panels: &mut Vec<Panel>) -> u32 {
    let Some(height) = row.iter().map(|panel| panel.h).max() else { return 0 };
    let n = row.len() as u32;
    for (at, mut panel) in row.drain(..).enumerate() {
        let at = at as u32;
        let (start, end) = (COLUMNS * at / n, COLUMNS * (at + 1) / n);
        (panel.x, panel.y, panel.w) = (start, y, end - start);
        panels.push(panel);
    }
    height
}
