//! The questions that a store has of its own, and what two answers to one of them have in common.

use std::fmt::Write;

use reqwest::Method;
use serde_json::Value;
use types::{Timestamp, counted, percent_encoded};

use crate::client::Server;
use crate::failure::Result;

/// Groups whose newest events are compared.
const GROUPS_MAX: usize = 100;

/// Range that views, rules and panels are asked over: the day before the newest event.
const RANGE_NS: i64 = 86_400_000_000_000;

/// Most rows that are compared.
const ROWS_MAX: usize = 10_000;

/// Longest part of a line that is shown.
const SHOWN_CHARS: usize = 120;

/// One question and where it comes from.
pub(super) struct Question {
    /// What asks it: the store, a view, a rule, a panel.
    pub(super) kind: &'static str,
    pub(super) name: String,
    path: String,
}

impl Question {
    /// How many events there are.
    pub(super) fn count_of_all(until: Timestamp) -> Self {
        Self::query("store", "events", &["stats count(*) as n", "insights"], &[], (Timestamp(0), until))
    }

    /// A query of a text and a language.
    fn query(
        kind: &'static str,
        name: &str,
        [query, language]: &[&str; 2],
        groups: &[&str],
        (from, to): (Timestamp, Timestamp),
    ) -> Self {
        let mut path = format!(
            "/api/v1/query?format=ndjson&limit={ROWS_MAX}&from={from}&to={to}&language={language}&query={}",
            percent_encoded(query)
        );
        for group in groups {
            let _ = write!(path, "&group={}", percent_encoded(group));
        }
        Self { kind, name: name.to_owned(), path }
    }

    /// Returns the answer, or why there is none.
    pub(super) fn ask(&self, server: &Server) -> Result<Result<String, String>> {
        let response = server.attempt(server.request(Method::GET, &self.path))?;
        let status = response.status();
        let text = response.text().map_err(crate::client::broken_off)?;
        if status.is_success() {
            return Ok(Ok(text));
        }
        let error: Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(Err(error["error"]["message"].as_str().map_or_else(|| status.to_string(), str::to_owned)))
    }
}

/// Returns the questions of a store: its own counts, and those of views, rules and dashboards.
pub(super) fn questions(server: &Server, until: Timestamp) -> Result<Vec<Question>> {
    let listed = |path: &str, member: &str| -> Result<Vec<Value>> {
        let mut answer = server.get(path)?;
        Ok(answer[member].as_array_mut().map(std::mem::take).unwrap_or_default())
    };
    let groups = listed("/api/v1/groups", "groups")?;
    let last = groups.iter().filter_map(|group| Timestamp::parse_rfc3339(group["last"].as_str()?)).max();
    let end = last.map_or(until, |last| Timestamp(last.0.saturating_add(1)).min(until));
    let (all, day) = ((Timestamp(0), until), (Timestamp(end.0.saturating_sub(RANGE_NS)), end));
    let mut found = vec![Question::count_of_all(until)];
    for (name, query) in [
        ("events by group and level", "stats count(*) by @log, @level"),
        ("events by day", "stats count(*) by bin(1d)"),
        ("groups and streams", "stats count(*), min(@timestamp), max(@timestamp) by @log, @logStream"),
    ] {
        found.push(Question::query("store", name, &[query, "insights"], &[], all));
    }
    for group in groups.iter().take(GROUPS_MAX) {
        let name = group["name"].as_str().unwrap_or_default();
        let newest = ["sort @timestamp desc | limit 100", "insights"];
        found.push(Question::query("newest events", name, &newest, &[name], all));
    }
    for view in listed("/api/v1/views", "views")? {
        // A view is a part of the page's address; one without a query is of a page that asks its own.
        let part = |name: &str| view["view"][name].as_str().unwrap_or_default();
        let groups: Vec<&str> = part("groups").split(',').filter(|group| !group.is_empty()).collect();
        if !part("q").is_empty() {
            let asked = [part("q"), language_of(part("lang"))];
            found.push(Question::query("view", view["name"].as_str().unwrap_or_default(), &asked, &groups, day));
        }
    }
    for rule in listed("/api/v1/rules", "rules")? {
        let text = |name: &str| rule[name].as_str().unwrap_or_default();
        let asked = [text("query"), language_of(text("language"))];
        found.push(Question::query("rule", text("name"), &asked, &texts(&rule["groups"]), day));
    }
    for listed in listed("/api/v1/dashboards", "dashboards")? {
        let name = listed["name"].as_str().unwrap_or_default();
        found.extend(of_dashboard(server, name, day)?);
    }
    Ok(found)
}

/// Returns the questions of a dashboard's panels, which the server asks with the defaults of its variables.
fn of_dashboard(server: &Server, name: &str, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Question>> {
    let path = format!("/api/v1/dashboards/{}", percent_encoded(name));
    let dashboard = server.get(&path)?;
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        let id = panel["id"].as_str().unwrap_or_default();
        let queries = panel["queries"].as_array().map_or(&[][..], Vec::as_slice);
        let title = panel["title"].as_str().unwrap_or(id);
        for (at, query) in queries.iter().enumerate() {
            // Without an id, queries are a, b, and so on.
            let given = query["id"].as_str().map(str::to_owned);
            let of_query = given.or_else(|| Some(char::from(b'a' + u8::try_from(at).ok()?).to_string()));
            let (part, of_query) = match of_query.filter(|_| queries.len() > 1) {
                Some(id) => (format!(", {id}"), format!("&query={}", percent_encoded(&id))),
                None => Default::default(),
            };
            let range = format!("format=ndjson&from={from}&to={to}&panel={}{of_query}", percent_encoded(id));
            let name = format!("{name}: {title}{part}");
            found.push(Question { kind: "panel", name, path: format!("{path}/export?{range}") });
        }
    }
    Ok(found)
}

fn language_of(name: &str) -> &str {
    if name.is_empty() { "insights" } else { name }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What two answers have in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// So many rows.
    Equal(usize),
    /// Nothing to compare with: the number of rows.
    Alone(usize),
    /// Both refuse, for a reason.
    Refused(String),
    Different(String),
}

impl Comparison {
    pub(super) fn of(old: Option<Result<String, String>>, new: Result<String, String>) -> Self {
        match (old, new) {
            (None, Ok(new)) => Self::Alone(new.lines().count()),
            (None | Some(Err(_)), Err(new)) => Self::Refused(new),
            (Some(Ok(_)), Err(new)) => Self::Different(format!("refused now: {new}")),
            (Some(Err(old)), Ok(_)) => Self::Different(format!("answered now, refused before: {old}")),
            (Some(Ok(old)), Ok(new)) => Self::of_rows(&old, &new),
        }
    }

    /// Rows in another order are equal: only ties can be, since what is compared is sorted where the question sorts.
    fn of_rows(old: &str, new: &str) -> Self {
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        let (old, new) = (sorted(old), sorted(new));
        if old == new {
            return Self::Equal(old.len());
        }
        let only = |one: &[String], other: &[String]| {
            let missing = one.iter().find(|line| other.binary_search(line).is_err());
            missing.map_or("nothing".to_owned(), |line| line.chars().take(SHOWN_CHARS).collect())
        };
        let counts = format!("{} rows, now {}", old.len(), new.len());
        Self::Different(format!("{counts}; only before: {}; only now: {}", only(&old, &new), only(&new, &old)))
    }

    pub(super) fn is_difference(&self) -> bool {
        matches!(self, Self::Different(_))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Equal(_) => "equal",
            Self::Alone(_) => "answered",
            Self::Refused(_) => "refused",
            Self::Different(_) => "DIFFERENT",
        }
    }

    pub(super) fn detail(&self) -> String {
        match self {
            Self::Equal(n_rows) | Self::Alone(n_rows) => counted(*n_rows as u64, "row"),
            Self::Refused(why) | Self::Different(why) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
