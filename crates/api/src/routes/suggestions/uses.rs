//! What may need events that a pipeline takes away: alert rules, metrics, issues, filters of CloudWatch, saved views,
//! dashboards. Where it cannot be told, they need them.

use chrono_tz::Tz;
use dashboard::Language;
use incident::IssueFilter;
use language::ParseOptions;
use plan::{Operator, Plan, has_subqueries};
use serde_json::{Value, json};
use suggestion::Selection;
use types::{GroupScope, TimeRange};

use crate::ask::parse;
use crate::state::Shared;
use door::Result;

/// Uses that are named.
const NAMED_MAX: usize = 10;

/// What issues are made of.
const ISSUES_QUERY: &str = "filter @level >= \"error\"";

/// Something that may need the events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    kind: &'static str,
    /// `None` where the caller may not know of it.
    name: Option<String>,
}

impl Use {
    /// Returns uses as JSON.
    pub(crate) fn list_json(uses: &[Self]) -> Value {
        uses.iter().take(NAMED_MAX).map(|one| json!({"kind": one.kind, "name": one.name})).collect()
    }

    /// Returns uses as people say it.
    pub(crate) fn list_text(uses: &[Self]) -> String {
        let one = |one: &Self| match &one.name {
            Some(name) => format!("{} {name:?}", one.kind),
            None => format!("a {} that your key does not cover", one.kind),
        };
        let named: Vec<String> = uses.iter().take(NAMED_MAX).map(one).collect();
        named.join(", ")
    }
}

/// Returns what may need an event of one of the selections; the most telling kinds first. Blocks.
pub(crate) fn uses_of(server: &Shared, selections: &[Selection]) -> Result<Vec<Use>> {
    if selections.is_empty() {
        return Ok(Vec::new());
    }
    let mut uses = rules(server, selections);
    uses.extend(metrics(server, selections));
    uses.extend(issues(server, selections)?);
    uses.extend(foreign_filters(server, selections)?);
    uses.extend(views(server, selections)?);
    uses.extend(dashboards(server, selections)?);
    Ok(uses)
}

/// A question that something asks again and again.
struct Question<'q> {
    /// `None` where it depends on what somebody chooses.
    query: Option<&'q str>,
    language: &'q str,
    groups: &'q [String],
}

impl Question<'_> {
    /// Reports whether it may need an event of one of the selections; one that cannot be read may.
    fn may_use(&self, server: &Shared, selections: &[Selection]) -> bool {
        let options = ParseOptions { now: server.now(), time_zone: Tz::UTC };
        let plan: Option<Plan> = self.query.and_then(|query| match self.language {
            "insights" => {
                let read = |text: &str| language::parse_rule(text, &options).ok().map(plan::PlanDraft::finish);
                // A saved filter is a condition alone.
                read(query).or_else(|| read(&format!("filter {query}")))
            }
            language => parse(query, Some(language), &options).ok(),
        });
        // A query within it reads events of its own.
        if plan.as_ref().is_some_and(has_subqueries) {
            return true;
        }
        let named: Vec<String> =
            plan.iter().flat_map(|plan| &plan.sources).map(|group| group.as_str().to_owned()).collect();
        let groups = if named.is_empty() { self.groups } else { &named };
        let operators: &[Operator] = plan.as_ref().map_or(&[], Plan::operators);
        let needs = |selection: &Selection| {
            selection.may_be_in(groups) && (plan.is_none() || selection.may_be_used_by(operators))
        };
        selections.iter().any(needs)
    }
}

fn rules(server: &Shared, selections: &[Selection]) -> Vec<Use> {
    let mut uses = Vec::new();
    for rule in server.app.alerts.rules() {
        // A rule over other rules, or over samples, reads no events of logs.
        if matches!(rule.kind, "composite" | "alarm") || rule.language == "promql" {
            continue;
        }
        let question = Question { query: Some(&rule.query), language: rule.language, groups: &rule.groups };
        if question.may_use(server, selections) {
            let is_seen = server.reaches_all(&rule.groups);
            uses.push(Use { kind: "rule", name: is_seen.then_some(rule.name) });
        }
    }
    uses
}

fn metrics(server: &Shared, selections: &[Selection]) -> Vec<Use> {
    let mut uses = Vec::new();
    for metric in server.app.metrics.list() {
        let settings = metric.settings;
        let language = settings.language.as_deref().unwrap_or("insights");
        let question = Question { query: Some(&settings.query), language, groups: &settings.groups };
        if question.may_use(server, selections) {
            let is_seen = server.reaches_all(&settings.groups);
            uses.push(Use { kind: "metric", name: is_seen.then_some(settings.name) });
        }
    }
    uses
}

/// Returns the issues of the groups of selections that may hold errors: every further error counts for one of them.
fn issues(server: &Shared, selections: &[Selection]) -> Result<Vec<Use>> {
    let options = ParseOptions { now: server.now(), time_zone: Tz::UTC };
    let errors = parse(ISSUES_QUERY, None, &options)?;
    let with_errors: Vec<&Selection> =
        selections.iter().filter(|selection| selection.may_be_used_by(errors.operators())).collect();
    if with_errors.is_empty() {
        return Ok(Vec::new());
    }
    let issues = server.state.issues()?.list(&GroupScope::All, &IssueFilter::default());
    let concerned = issues.into_iter().filter(|issue| {
        let group = std::slice::from_ref(&issue.group);
        with_errors.iter().any(|selection| selection.may_be_in(group))
    });
    let used = |issue: incident::IssueView| {
        let is_seen = server.reaches(&issue.group);
        Use { kind: "issue", name: is_seen.then_some(issue.title) }
    };
    Ok(concerned.map(used).collect())
}

fn foreign_filters(server: &Shared, selections: &[Selection]) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    for filter in (server.state.families.filters)(server)? {
        let groups = std::slice::from_ref(&filter.group);
        if (Question { query: Some(&filter.pattern), language: "filter-pattern", groups }).may_use(server, selections) {
            let is_seen = server.reaches(&filter.group);
            uses.push(Use { kind: filter.kind, name: is_seen.then_some(filter.name) });
        }
    }
    Ok(uses)
}

fn views(server: &Shared, selections: &[Selection]) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    for view in server.state.views.queries(server.settings(), &server.caller)? {
        let may_use = |query: &String| {
            Question { query: Some(query), language: "insights", groups: &view.groups }.may_use(server, selections)
        };
        if view.queries.iter().any(may_use) {
            uses.push(Use { kind: "view", name: view.name });
        }
    }
    Ok(uses)
}

fn dashboards(server: &Shared, selections: &[Selection]) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    let now = server.now();
    for (name, document) in server.state.dashboards.everybodys(server.settings(), &server.caller, now)? {
        let of_panels = document.panels.iter().flat_map(|panel| &panel.queries);
        let of_panels = of_panels.map(|query| (&query.query, query.language, &query.groups));
        let of_variables = document
            .variables
            .iter()
            .filter_map(|variable| Some((variable.query.as_ref()?, variable.language, &variable.groups)));
        let may_use = |(query, language, groups): (&String, Language, &Vec<String>)| {
            let is_chosen = |name: &str| document.variables.iter().any(|variable| variable.name == name);
            let filled = dashboard::fill(query, language, &dashboard::built_ins(TimeRange::ALL, None));
            let filled = filled.ok().filter(|_| !dashboard::names(query).into_iter().any(is_chosen));
            let question = Question { query: filled.as_deref(), language: language.name(), groups };
            // Samples and spans are no events of logs.
            !matches!(language, Language::Promql | Language::Traceql) && question.may_use(server, selections)
        };
        if of_panels.chain(of_variables).any(may_use) {
            uses.push(Use { kind: "dashboard", name });
        }
    }
    Ok(uses)
}
