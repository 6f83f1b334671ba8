//! What people and rules know: incidents, alerts, who works on what, and the month before.

use std::collections::BTreeSet;

use alert::AlertView;
use chrono_tz::Tz;
use dashboard::derive::Subject;
use incident::{Incident, IssueFilter, IssueState, IssueView, Month};
use serde_json::{Value, json};
use types::{GroupPattern, Timestamp};

use crate::state::Shared;
use door::users::user_of_name;
use door::{Problem, Result};

/// How long an incident that is over is still told of, and an issue.
const INCIDENT_TOLD: i64 = 7 * Timestamp::DAY;
const ISSUE_TOLD: i64 = Timestamp::DAY;

/// Longest text of an alert.
const TEXT_CHARS_MAX: usize = 300;

/// What is known besides events.
pub(super) struct Knowledge {
    /// When the oldest open incident or firing alert began.
    pub(super) open_since: Option<Timestamp>,
    /// Incidents and alerts.
    pub(super) wrong: Vec<Value>,
    /// Who works on them.
    pub(super) people: Vec<Value>,
    /// The month before.
    pub(super) month: Value,
    /// Different errors of the last day that somebody should look at.
    pub(super) n_issues: usize,
}

/// Finds what is known about a subject that these alerts concern. Blocks.
pub(super) fn find(
    server: &Shared,
    subject: &Subject,
    alerts: &[AlertView],
    (now, zone): (Timestamp, Tz),
) -> Result<Knowledge> {
    let incidents = server.state.incidents.list(server.settings(), &server.caller.scope);
    let incidents = incidents.map_err(|error| Problem::internal(error.to_string()))?;
    let incidents: Vec<Incident> = incidents.into_iter().filter(|one| is_about(one, subject)).collect();
    let issues = issues(server, subject, now);
    let (mut wrong, mut people, mut since) = (Vec::new(), BTreeSet::new(), Vec::new());
    for incident in &incidents {
        let end = incident.end().map(Timestamp);
        if end.is_some_and(|end| end.0 < now.0.saturating_sub(INCIDENT_TOLD)) {
            continue;
        }
        let start = Timestamp(incident.start());
        wrong.push(entry("incident", Some(&incident.title), Some(start), end));
        if end.is_none() {
            since.push(start);
            people.insert((person(&incident.created_by), "incident"));
        }
    }
    let mut told = BTreeSet::new();
    // The first alert of a failure tells of it.
    for alert in alerts.iter().rev() {
        let start = Timestamp::parse_rfc3339(&alert.since).unwrap_or(now);
        if told.insert(&alert.failure) {
            wrong.push(entry("alert", text_of(alert).as_deref(), Some(start), None));
        }
        since.push(start);
        people.extend(alert.acknowledged.iter().map(|taken| (person(&taken.by), "alert")));
    }
    people.extend(issues.iter().filter_map(|issue| Some((person(issue.owner.as_deref()?), "errors"))));
    let people = people.iter().map(|(name, what)| json!({"name": name, "what": what})).collect();
    let month = last_month(&incidents, subject, (now, zone));
    Ok(Knowledge { open_since: since.into_iter().min(), wrong, people, month, n_issues: issues.len() })
}

/// Reports whether an incident names the service, or this group among others.
fn is_about(incident: &Incident, subject: &Subject) -> bool {
    match subject {
        Subject::Group(name) => !incident.groups.is_empty() && incident.is_about(name),
        Subject::Service(name) | Subject::Host(name) => incident.services.iter().any(|service| service == name),
    }
}

/// Returns what an alert says, with the values of its newest line in place of a pattern.
fn text_of(alert: &AlertView) -> Option<String> {
    let summary = alert.annotations.get("summary")?;
    let line = alert.last.as_ref().and_then(|event| event["@message"].as_str()?.lines().next());
    let said = match (alert.labels.get("pattern"), line) {
        (Some(pattern), Some(line)) => summary.replace(pattern.as_str(), line),
        _ => summary.clone(),
    };
    Some(said.replace("<*>", "…").chars().take(TEXT_CHARS_MAX).collect())
}

/// Returns errors of the last day that nobody has put aside.
fn issues(server: &Shared, subject: &Subject, now: Timestamp) -> Vec<IssueView> {
    let states = [IssueState::Open, IssueState::Acknowledged, IssueState::Regressed];
    let mut filter = IssueFilter { states: states.into(), groups: Vec::new(), service: None };
    match subject {
        Subject::Group(name) => filter.groups.push(GroupPattern::new(name.as_str())),
        Subject::Service(name) | Subject::Host(name) => filter.service = Some(name.clone()),
    }
    // Where issues are not counted, nobody is known to work on one.
    let mut issues = server.state.issues().map(|issues| issues.list(&server.caller.scope, &filter)).unwrap_or_default();
    let is_recent = |issue: &IssueView| {
        Timestamp::parse_rfc3339(&issue.last_seen).is_some_and(|seen| seen.0 >= now.0.saturating_sub(ISSUE_TOLD))
    };
    issues.retain(is_recent);
    issues
}

/// Returns one thing that went wrong.
pub(super) fn entry(kind: &str, text: Option<&str>, since: Option<Timestamp>, until: Option<Timestamp>) -> Value {
    json!({
        "kind": kind, "text": text.filter(|text| !text.trim().is_empty()), "since": since.map(|since| since.to_string()),
        "until": until.map(|until| until.to_string()), "open": until.is_none(), "count": null, "different": null,
    })
}

/// Returns the name of a person as people write it.
fn person(caller: &str) -> String {
    user_of_name(caller).unwrap_or(caller).to_owned()
}

/// Returns the ledger's numbers of the month before this one.
fn last_month(incidents: &[Incident], subject: &Subject, (now, zone): (Timestamp, Tz)) -> Value {
    let (start, _) = Month::of(now, zone).range();
    let month = Month::of(Timestamp(start.saturating_sub(1)), zone);
    // One row for all of them, whatever services they name.
    let own = |incident: &Incident| Incident { services: vec![subject.name().to_owned()], ..incident.clone() };
    let incidents: Vec<Incident> = incidents.iter().map(own).collect();
    let ledger = incident::ledger(&incidents, month, &incident::Objectives::default(), now);
    let row = ledger.services.first();
    json!({
        "month": ledger.month, "incidents": row.map_or(0, |row| row.incidents),
        "down_ms": row.filter(|row| row.availability.is_some()).map(|row| row.downtime_ms),
        "repair_ms": row.and_then(|row| row.ttr_ms),
    })
}
