//! Reports: dashboards and ledgers that are sent by e-mail at times.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `report` | the name in addresses | what [`Stored`] has |
//! | `report-problem` | the same | why the report of a time cannot be made yet |
//!
//! A report sees what its author saw when it was last changed: the groups in the author's scope. What became of it is kept with the
//! alerts' state, in one save with its queueing.

mod due;
mod letter;
mod send;

use std::collections::BTreeMap;
use std::sync::Arc;

use alert::ReportDelivery;
use dashboard::{DOCUMENT_NAMES, Range, is_document_name};
use door::users::user_of;
use door::{Caller, Problem, Result, Role, covers, to_json};
use incident::Objectives;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::Settings;
use types::{GroupScope, Locale, Timestamp, ensure};

use self::due::{Days, Schedule};
pub(crate) use self::send::{follow, send_now};
use crate::state::Shared;

/// The kinds of documents.
const KIND: &str = "report";
const PROBLEM_KIND: &str = "report-problem";

/// Most reports, and longest texts of one.
const REPORTS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 200;

/// What is sent, when, and to whom: what is sent to make a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// The subject; absent: the dashboard's title, or that of the ledger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    title: String,
    /// The dashboard that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dashboard: Option<String>,
    /// Whether the ledger of the month before is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ledger: bool,
    /// The ledger's objectives, `99.9,pay=99.95`; absent: the usual one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    objective: String,
    /// The days.
    on: Days,
    /// The time of day, `07:00`.
    at: String,
    /// The zone of the days, and of all times that are shown.
    #[serde(default = "utc")]
    time_zone: String,
    /// The topic that channels of type `email` name.
    topic: String,
    /// The language, `en` or `id`.
    #[serde(default = "english")]
    lang: String,
    /// The range; absent: the dashboard's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    /// Values of the dashboard's variables; absent: what it chooses at first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, Vec<String>>,
    /// Whether it is sent.
    #[serde(default = "yes")]
    enabled: bool,
}

/// A report as the control store has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    owner_id: String,
    owner: String,
    /// The groups that exist for its author; none for all.
    scope: Option<Vec<String>>,
    /// Whether its author sees what administrators alone see.
    is_admin: bool,
    /// When it was changed last: what was due before is not sent.
    changed: String,
    definition: Definition,
}

/// Why the report of a time cannot be made yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unmade {
    due: String,
    error: String,
}

impl Definition {
    fn schedule(&self) -> Result<Schedule> {
        let zone = crate::ask::time_zone(Some(&self.time_zone))?;
        Schedule::new(self.on.clone(), &self.at, zone).map_err(bad)
    }

    fn locale(&self) -> Result<Locale> {
        Locale::of_tag(&self.lang).ok_or_else(|| bad(format!("lang: {:?} is not spoken here: en or id", self.lang)))
    }

    fn objectives(&self) -> Result<Objectives> {
        Objectives::parse(&self.objective).map_err(|problem| bad(format!("objective: {problem}")))
    }

    fn check(&self) -> Result<()> {
        let is_text = |text: &str| text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control);
        if self.dashboard.is_some() == self.ledger {
            return Err(bad("a report is of a dashboard, {\"dashboard\": NAME}, or of the ledger, {\"ledger\": true}"));
        }
        if self.topic.is_empty() || !is_text(&self.topic) || !is_text(&self.title) {
            return Err(bad(format!("topic and title have at most {TEXT_CHARS_MAX} characters, and a topic has one")));
        }
        self.locale()?;
        self.objectives()?;
        self.schedule().map(drop)
    }
}

impl Stored {
    fn scope(&self) -> GroupScope {
        GroupScope::of_texts(self.scope.as_deref())
    }

    /// Returns who asks for what is in it.
    fn caller(&self) -> Caller {
        let role = if self.is_admin { Role::Admin } else { Role::Read };
        let (name, batches) = (Arc::from(format!("report of {}", self.owner)), Arc::from(self.owner_id.as_str()));
        Caller { role, scope: self.scope(), name, batches, ..Caller::default() }
    }

    fn is_own(&self, caller: &Caller) -> bool {
        self.owner_id == *caller.identity() || caller.role == Role::Admin && caller.scope.is_everything()
    }

    /// Reports whether everything that is in it exists for a caller.
    fn is_seen_by(&self, caller: &Caller) -> bool {
        let is_within = match &self.scope {
            None => caller.scope.is_everything(),
            Some(patterns) => patterns.iter().all(|pattern| covers(&caller.scope, pattern)),
        };
        self.is_own(caller) || is_within
    }
}

/// Returns the reports that exist for a caller, by name. Blocks.
pub(crate) fn list(server: &Shared) -> Result<Vec<Value>> {
    let seen = all(server.settings())?.into_iter().filter(|(_, report)| report.is_seen_by(&server.caller));
    seen.map(|(name, report)| view(server, &name, &report)).collect()
}

/// Makes or changes a report, and returns it. Blocks.
pub(crate) fn put(server: &Shared, name: &str, definition: Definition) -> Result<Value> {
    ensure!(is_document_name(name), bad(format!("{name:?} cannot be the name of a report")).hint(DOCUMENT_NAMES));
    definition.check()?;
    let (settings, caller) = (server.settings(), &server.caller);
    let before = all(settings)?;
    match before.iter().find(|(known, _)| known == name) {
        Some((_, report)) if !report.is_own(caller) => return Err(not_own(name)),
        None if before.len() >= REPORTS_MAX => return Err(bad(format!("there can be {REPORTS_MAX} reports"))),
        _ => {}
    }
    let author = caller.author();
    let scope = author.scope.texts();
    let (owner_id, owner) = (caller.identity().to_string(), user_of(caller).unwrap_or(&caller.name).to_owned());
    let changed = server.now().to_string();
    let report = Stored { owner_id, owner, scope, is_admin: author.is_admin, changed, definition };
    settings.put(KIND, name, &to_json(&report)?)?;
    view(server, name, &report)
}

/// Takes a report away. Blocks.
pub(crate) fn remove(server: &Shared, name: &str) -> Result<()> {
    let report = seen(server, name)?;
    ensure!(report.is_own(&server.caller), not_own(name));
    server.settings().remove(KIND, name)?;
    Ok(server.settings().remove(PROBLEM_KIND, name)?)
}

fn seen(server: &Shared, name: &str) -> Result<Stored> {
    let found = all(server.settings())?.into_iter().find(|(known, _)| known == name);
    let report = found.map(|(_, report)| report).filter(|report| report.is_seen_by(&server.caller));
    report.ok_or_else(|| Problem::not_found(format!("there is no report {name:?}")))
}

fn all(settings: Settings<'_>) -> Result<Vec<(String, Stored)>> {
    let read = |(name, json): (String, String)| match serde_json::from_str(&json) {
        Ok(report) => Some((name, report)),
        Err(error) => {
            tracing::warn!(report = name, %error, "a report cannot be read from the control store");
            None
        }
    };
    Ok(settings.all(KIND)?.into_iter().filter_map(read).collect())
}

/// Returns a report with when it is sent, to whom, and what became of it.
fn view(server: &Shared, name: &str, report: &Stored) -> Result<Value> {
    let definition = &report.definition;
    let schedule = definition.schedule()?;
    let next = definition.enabled.then(|| schedule.after(server.now())).flatten().map(|at| at.to_string());
    let alerts = &server.app.alerts;
    let last = alerts.sent_report(name).map(|sent| {
        let deliveries = sent.channels.iter().map(|(channel, delivery)| delivery_json(channel, delivery));
        json!({"due": Timestamp(sent.due).to_string(), "deliveries": deliveries.collect::<Vec<_>>()})
    });
    let problem = server.settings().get(PROBLEM_KIND, name)?;
    let problem: Option<Unmade> = problem.and_then(|json| serde_json::from_str(&json).ok());
    let mut json = serde_json::to_value(definition).map_err(|error| Problem::internal(error.to_string()))?;
    let around = json!({
        "name": name, "owner": report.owner, "own": report.is_own(&server.caller), "next": next, "last": last,
        "problem": problem, "channels": alerts.report_channels(&definition.topic),
    });
    if let (Some(members), Value::Object(around)) = (json.as_object_mut(), around) {
        members.extend(around);
    }
    Ok(json)
}

fn delivery_json(channel: &str, delivery: &ReportDelivery) -> Value {
    let state = match delivery {
        ReportDelivery { delivered_at: Some(_), .. } => "delivered",
        ReportDelivery { is_given_up: true, .. } => "failed",
        _ => "waiting",
    };
    let at = delivery.delivered_at.map(|at| Timestamp(at).to_string());
    json!({"channel": channel, "state": state, "at": at, "error": delivery.error})
}

fn not_own(name: &str) -> Problem {
    Problem::new(axum::http::StatusCode::FORBIDDEN, "not-allowed", format!("report {name:?} belongs to somebody else"))
}

pub(crate) fn bad(message: impl Into<String>) -> Problem {
    Problem::bad_request("bad-report", message).hint("/docs/dashboards describes reports")
}

fn utc() -> String {
    "UTC".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

fn yes() -> bool {
    true
}
